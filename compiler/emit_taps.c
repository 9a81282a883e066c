// emit_taps.c: convolutions as plain loops whose innermost runs over channels: those of groups and
// with gaps beside BLAS, and what neither tiles nor vectors of channels make.
//
// All of them, forward and backward, are one sum over the same triples: a pixel of the smaller
// picture, a tap of the window, and the pixel of the larger picture under it. They differ in which
// of the two pictures is read, in which is written, and in what is multiplied.
#include "emit.h"

typedef struct {
    Shape small, large; // the result's and the input's
    const Attributes *a;
} Geometry;

// Where padding puts some taps outside, they are left out.
static bool padded(const Geometry *g, int d)
{
    return g->a->pad[d] || (g->small.dims[d] - 1) * g->a->stride[d] + window_reach(g->a, d) >
                               g->large.dims[d];
}

static const char *scaled(const char *index, int factor)
{
    return factor > 1 ? format("%s * %d", index, factor) : index;
}

// The row or column of the larger picture under tap `tap` of the smaller one's `index`.
static const char *place(const Geometry *g, int d, const char *index, const char *tap)
{
    const char *const sum =
        format("%s + %s", scaled(index, g->a->stride[d]), scaled(tap, tap_step(g->a, d)));
    return g->a->pad[d] ? format("%s - %d", sum, g->a->pad[d]) : sum;
}

// Opens the loops over rows, taps and columns, of example `i`: those that lie in the larger
// picture.
static void open_taps(Out *out, const Geometry *g)
{
    const Attributes *const a = g->a;
    line(out, "for (int row = 0; row < %d; row++) {", g->small.dims[0]);
    line(out, "for (int r = 0; r < %d; r++) {", a->kernel[0]);
    line(out, "const int at_row = %s;", place(g, 0, "row", "r"));
    if (padded(g, 0)) {
        line(out, "if (at_row < 0 || at_row >= %d)", g->large.dims[0]);
        line(out, "    continue; // padding");
    }
    line(out, "for (int s = 0; s < %d; s++) {", a->kernel[1]);
    if (padded(g, 1)) {
        const char *const tap = scaled("s", tap_step(a, 1));
        const int stride = a->stride[1], last = g->large.dims[1] - 1 + a->pad[1];
        const char *const over = stride > 1 ? format(" / %d", stride) : "";
        const char *const open = stride > 1 ? "(" : "", *const close = stride > 1 ? ")" : "";
        line(out, "const int left = nn_max(%s%d - %s%s%s, 0); // further out is padding", open,
             a->pad[1] + stride - 1, tap, close, over);
        line(out, "const int right = nn_min(%s%d - %s%s%s, %d);", open, last + stride, tap, close,
             over, g->small.dims[1]);
        line(out, "for (int col = left; col < right; col++) {");
    } else {
        line(out, "for (int col = 0; col < %d; col++) {", g->small.dims[1]);
    }
    line(out, "const int at_col = %s;", place(g, 1, "col", "s"));
}

static void close_taps(Out *out)
{
    for (int i = 0; i < 4; i++)
        line(out, "}");
}

// A loop of the sum; one of a single turn is left out, and its index is "0".
typedef struct {
    const char *name;
    int count;
} Loop;

static const char *index_of(Loop loop) { return loop.count > 1 ? loop.name : "0"; }

static void emit_sum(Out *out, const Loop *loops, int count, const char *sum)
{
    int depth = 0;
    for (int i = 0; i < count; i++)
        if (loops[i].count > 1) {
            line(out, "for (int %1$s = 0; %1$s < %2$d; %1$s++)", loops[i].name, loops[i].count);
            out->depth++;
            depth++;
        }
    line(out, "%s", sum);
    out->depth -= depth;
}

// Channel `inner` of `each` in group `outer`.
static const char *channel(Loop outer, Loop inner, int each)
{
    if (outer.count == 1)
        return index_of(inner);
    if (inner.count == 1)
        return each > 1 ? format("%s * %d", outer.name, each) : outer.name;
    return format("%s * %d + %s", outer.name, each, inner.name);
}

static const char *small_at(const char *array, const char *c)
{
    return format("%s[i][row][col][%s]", array, c);
}

static const char *large_at(const char *array, const char *c)
{
    return format("%s[i][at_row][at_col][%s]", array, c);
}

// What is written in row `i` begins at 0.
static void clear_row(Out *out, const char *array)
{
    line(out, "memset(%s[i], 0, sizeof %s[i]);", array, array);
}

static void open_rows(Out *out, const char *cleared)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    if (cleared)
        clear_row(out, cleared);
}

static void close_rows(Out *out, const Graph *graph, const Node *node)
{
    if (has_flag(node, ANCHOR))
        emit_row_steps(out, graph, node);
    line(out, "}");
}

static Shape input_shape(const Graph *graph, const Node *node, int input)
{
    return graph->nodes[node->input[input]].shape;
}

static void emit_taps(Out *out, const Graph *graph, const Node *node, const Geometry *g,
                      const char *cleared, const Loop *loops, int count, const char *sum)
{
    open_rows(out, cleared);
    open_taps(out, g);
    emit_sum(out, loops, count, sum);
    close_taps(out);
    close_rows(out, graph, node);
}

// --- each channel by itself ---------------------------------------------------------------------

typedef struct {
    Loop c, m;           // as the weights count channels: those, and filters of each
    const char *channel; // of both pictures
} Depthwise;

static Depthwise depthwise(Shape w)
{
    Depthwise n = {{"c", w.dims[2]}, {"m", w.dims[3]}, NULL};
    n.channel = channel(n.c, n.m, n.m.count);
    return n;
}

void emit_depthwise(Out *out, const Graph *graph, const Node *node)
{
    if (depthwise_by_vectors(graph, node)) {
        emit_depthwise_vectors(out, graph, node);
        return;
    }
    const Geometry g = {node->shape, input_shape(graph, node, 0), &node->attributes};
    const Depthwise n = depthwise(input_shape(graph, node, 1));
    emit_taps(out, graph, node, &g, "y", (Loop[]){n.c, n.m}, 2,
              format("%s += %s * w[r][s][%s][%s];", small_at("y", n.channel),
                     large_at("x", n.channel), index_of(n.c), index_of(n.m)));
}

void emit_depthwise_grad_x(Out *out, const Graph *graph, const Node *node)
{
    if (depthwise_by_vectors(graph, node)) {
        emit_depthwise_grad_x_vectors(out, graph, node);
        return;
    }
    const Geometry g = {input_shape(graph, node, 0), node->shape, &node->attributes};
    const Depthwise n = depthwise(input_shape(graph, node, 1));
    emit_taps(out, graph, node, &g, "dx", (Loop[]){n.c, n.m}, 2,
              format("%s += %s * w[r][s][%s][%s];", large_at("dx", n.channel),
                     small_at("dy", n.channel), index_of(n.c), index_of(n.m)));
}

void emit_depthwise_grad_w(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = {input_shape(graph, node, 1), input_shape(graph, node, 0),
                        &node->attributes};
    const Depthwise n = depthwise(node->shape);
    clear_gradient(out, node);
    if (depthwise_by_vectors(graph, node)) {
        emit_depthwise_grad_w_vectors(out, graph, node);
        return;
    }
    emit_taps(out, graph, node, &g, NULL, (Loop[]){n.c, n.m}, 2,
              format("dw[r][s][%s][%s] += %s * %s;", index_of(n.c), index_of(n.m),
                     large_at("x", n.channel), small_at("dy", n.channel)));
}

// --- groups of channels -------------------------------------------------------------------------

typedef struct {
    Loop g, c, f; // groups, and each one's channels and filters
} Groups;

static Groups groups(const Attributes *a, Shape small, Shape large)
{
    const int count = group_count(a);
    return (Groups){{"g", count}, {"c", large.dims[2] / count}, {"f", small.dims[2] / count}};
}

// The number in `turned`, the weights as [filter][tap and channel].
static const char *turned_at(const Attributes *a, const char *filter, Loop c)
{
    const char *const tap = a->kernel[1] > 1   ? format("(r * %d + s)", a->kernel[1])
                            : a->kernel[0] > 1 ? "r"
                                               : "0";
    return format("turned[%s][%s * %d + %s]", filter, tap, c.count, index_of(c));
}

void emit_taps_conv(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = {node->shape, input_shape(graph, node, 0), &node->attributes};
    const Groups n = groups(g.a, g.small, g.large);
    const char *const filter = channel(n.g, n.f, n.f.count);
    emit_taps(out, graph, node, &g, "y", (Loop[]){n.g, n.c, n.f}, 3,
              format("%s += %s * w[r][s][%s][%s];", small_at("y", filter),
                     large_at("x", channel(n.g, n.c, n.c.count)), index_of(n.c), filter));
}

void emit_taps_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = {input_shape(graph, node, 0), node->shape, &node->attributes};
    const Groups n = groups(g.a, g.small, g.large);
    const char *const filter = channel(n.g, n.f, n.f.count);
    emit_taps(out, graph, node, &g, "dx", (Loop[]){n.g, n.f, n.c}, 3,
              format("%s += %s * %s;", large_at("dx", channel(n.g, n.c, n.c.count)),
                     small_at("dy", filter), turned_at(g.a, filter, n.c)));
}

void emit_taps_grad_w(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = {input_shape(graph, node, 1), input_shape(graph, node, 0),
                        &node->attributes};
    const Groups n = groups(g.a, g.small, g.large);
    const char *const filter = channel(n.g, n.f, n.f.count);
    clear_gradient(out, node);
    emit_taps(out, graph, node, &g, NULL, (Loop[]){n.g, n.c, n.f}, 3,
              format("dw[r][s][%s][%s] += %s * %s;", index_of(n.c), filter,
                     large_at("x", channel(n.g, n.c, n.c.count)), small_at("dy", filter)));
}
