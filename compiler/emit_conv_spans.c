// emit_conv_spans.c: the gradient by the picture where windows have a stride or no padding.
//
// A pixel of dy adds to a span of pixels in each line of dx that its windows reach, and a span is
// contiguous: [kx][channel]. So all that a pixel of dy's lines adds to one line of dx is a sum over
// the window's lines and dy's channels, a tile of a matrix product. The spans overlap; a pixel of
// dx is the sum of its pieces of a few of them. Each group of channels is such a sum by itself.
#include "emit.h"

#include <string.h>

typedef struct {
    Shape in, out; // of dx, of dy
    const char *from, *to; // their names: a transposed convolution's are x and y
    const Attributes *a;
    int groups, channels, gradients; // of channels; numbers of dx's and dy's pixels in each
    int window_line;   // numbers of a line of a window: those of a span
    int vectors;       // that a span takes
    int before, width; // spans of zeros that the first pixels of dx meet; spans in a line
    int lines;         // of dx that are made at a time
    SpanCut tile;
} Geometry;

static int pitch(const Network *network, const Geometry *g)
{
    return g->vectors * vector_lanes(network);
}

// From the left-most pixel of dy that a window of dx's first pixels would reach to the right-most.
static void set_width(Geometry *g)
{
    const int kernel = g->a->kernel[1], stride = g->a->stride[1], pad = g->a->pad[1];
    const int before = (kernel - 1 - pad + stride - 1) / stride;
    const int last = (g->in.dims[1] - 1 + pad) / stride;
    g->before = before > 0 ? before : 0;
    g->width = g->before + (last < g->out.dims[1] ? g->out.dims[1] : last + 1);
}

static Geometry geometry(const Network *network, Shape in, Shape out, const Attributes *a)
{
    enum { SPAN_BYTES = 32 << 10 }; // of the lines' spans, which stay in the first cache
    Geometry g = {.in = in, .out = out, .a = a, .groups = group_count(a)};
    g.channels = in.dims[2] / g.groups;
    g.gradients = out.dims[2] / g.groups;
    g.window_line = a->kernel[1] * g.channels;
    const int lanes = vector_lanes(network);
    g.vectors = (g.window_line + lanes - 1) / lanes;
    set_width(&g);
    g.lines = lines_at_a_time(
        in.dims[0], (long)g.width * pitch(network, &g) * element_bytes(network, TYPE_REAL),
        SPAN_BYTES);
    g.tile = span_cut(network, out.dims[1], g.vectors);
    return g;
}

// --- tiles --------------------------------------------------------------------------------------

// True where a line of dx lies behind or between the windows, so that none of their lines meet it.
static bool misses_lines(const Geometry *g)
{
    const int kernel = g->a->kernel[0], stride = g->a->stride[0], pad = g->a->pad[0];
    return kernel < stride || g->in.dims[0] + pad > (g->out.dims[0] - 1) * stride + kernel;
}

// Which lines of the window meet a line of dx: `count` of them from `tap` on, that with dy's line
// `from` and the others with those above.
static void emit_lines_met(Out *out, const Geometry *g)
{
    const int kernel = g->a->kernel[0], stride = g->a->stride[0], pad = g->a->pad[0];
    const char *const at = format(g->lines < g->in.dims[0] ? "top + r%s" : "r%s",
                                  pad ? format(" + %d", pad) : "");
    if (stride == 1) {
        line(out, "const int at = %s, tap = nn_max(0, at - %d);", at, g->out.dims[0] - 1);
        line(out, "const int count = nn_min(%d, at + 1) - tap, from = at - tap;", kernel);
        return;
    }
    const char *const all = strchr(at, ' ') ? format("(%s)", at) : at;
    line(out, "const int at = %s / %d, phase = %s %% %d;", all, stride, all, stride);
    const char *const skipped =
        format("const int skipped = nn_max(0, at - %d)", g->out.dims[0] - 1);
    if (misses_lines(g)) {
        line(out, "%s;", skipped);
        line(out, "const int tap = nn_min(phase + skipped * %d, %d); // any where none is met",
             stride, kernel - 1);
    } else {
        line(out, "%s, tap = phase + skipped * %d;", skipped, stride);
    }
    line(out, "const int lines = (%d - phase) / %d; // of the window, that come in turn",
         kernel + stride - 1, stride);
    line(out, "const int count = nn_min(lines, at + 1) - skipped, from = at - skipped;");
}

// Some columns of `turned`, in C from `column` on, for the calls of their tiles.
typedef struct {
    Out *out;
    const Geometry *g;
    const WindowStrip *columns;
    const char *column;
    bool packed;
} Strip;

static void emit_tile(const void *strip, int spans, const char *first_span)
{
    const Strip *const s = strip;
    const Geometry *const g = s->g;
    Network *const network = s->out->network;
    const int pixel = g->out.dims[2], stride = g->a->stride[0];
    const int row = s->packed ? s->columns->width : g->a->kernel[0] * g->window_line;
    const char *const filter = g->groups > 1 ? format("g * %d", g->gradients) : "0";
    const char *const b =
        s->packed ? format("packed[tap][%s]", filter)
                  : format("turned[%s] + tap * %d%s", filter, g->window_line, s->column);
    call_line(s->out, window_tile(network, 1, spans, s->columns),
              format("count, %d, %s, %d, 0, -%d, 1, %s, %d, %d, spans[r][%s]%s, %d, false",
                     g->gradients,
                     plus(format("%s[i][from][%s]", g->from, first_span),
                          g->groups > 1 ? "g" : "0", g->gradients),
                     pixel, g->out.dims[1] * pixel, b,
                     s->packed ? pixel * s->columns->width * stride : g->window_line * stride, row,
                     g->before ? plus(format("%d", g->before), first_span, 1) : first_span,
                     s->column, pitch(network, g)));
}

static void emit_strip(Out *out, const Geometry *g, const WindowStrip *columns, const char *column,
                       bool packed)
{
    const Strip strip = {out, g, columns, column, packed};
    emit_pieces(out, &g->tile.rows, "p", emit_tile, &strip);
}

static WindowStrip strip_of(const Network *network, const Geometry *g, int vectors)
{
    const int lanes = vector_lanes(network);
    const double turned = (double)g->out.dims[2] * g->a->kernel[0] * g->window_line;
    const bool near = window_matrix_is_near(network, turned);
    return (WindowStrip){.width = vectors * lanes,
                         .vectors = vectors,
                         .lanes = lanes,
                         .runs = 1,
                         .ahead = rows_asked_ahead(network, near)};
}

// Vectors of a span in strips of a tile's, and those of the last one.
static int last_vectors(const Geometry *g)
{
    const int rest = g->vectors % g->tile.vectors;
    return rest ? rest : g->tile.vectors;
}

static bool packs(const Network *network, const Geometry *g)
{
    return g->window_line % vector_lanes(network) != 0;
}

// The last strip's columns of `turned`, where they are no whole vectors.
static void emit_packing(Out *out, const Geometry *g)
{
    const char *const type = real_type(out->network);
    const int lanes = vector_lanes(out->network), vectors = last_vectors(g);
    const int from = (g->vectors - vectors) * lanes;
    line(out, "_Alignas(64) %s packed[%d][%d][%d] = {0}; // as whole vectors", type,
         g->a->kernel[0], g->out.dims[2], vectors * lanes);
    on_stack(out, (double)g->a->kernel[0] * g->out.dims[2] * vectors * lanes);
    line(out, "for (int r = 0; r < %d; r++)", g->a->kernel[0]);
    line(out, "    for (int c = 0; c < %d; c++)", g->out.dims[2]);
    line(out, "        memcpy(packed[r][c], turned[c] + r * %d%s, %d * sizeof(%s));",
         g->window_line, from ? format(" + %d", from) : "", g->window_line - from, type);
}

static void emit_spans(Out *out, const Geometry *g)
{
    const Network *const network = out->network;
    const int lanes = vector_lanes(network), last = last_vectors(g);
    const bool alike = last == g->tile.vectors && !packs(network, g); // the last strip as all are
    const int whole = g->vectors - (alike ? 0 : last); // vectors of the strips that are alike
    const WindowStrip strip = strip_of(network, g, g->tile.vectors),
                      rest = strip_of(network, g, last);
    line(out, "for (int r = 0; r < %d; r++) {", g->lines);
    emit_lines_met(out, g);
    if (whole > strip.vectors) {
        line(out, "for (int c = 0; c < %d; c += %d) {", whole * lanes, strip.width);
        emit_strip(out, g, &strip, " + c", false);
        line(out, "}");
    } else if (whole) {
        emit_strip(out, g, &strip, "", false);
    }
    if (!alike)
        emit_strip(out, g, &rest, whole ? format(" + %d", whole * lanes) : "", packs(network, g));
    line(out, "}");
}

// --- pixels -------------------------------------------------------------------------------------

// Adds up the pieces of channels from `c` on, so many of which are there.
static void emit_channels(Out *out, const Geometry *g, const char *c, int count, int lanes)
{
    const int channels = g->channels, stride = g->a->stride[1], pad = g->a->pad[1];
    const char *const at = g->groups > 1 ? format("g * %d%s", channels, c) : *c ? c + 3 : "0";
    const char *const type = lanes == 1 ? real_type(out->network) : format("Vector%d", lanes);
    const char *const col = pad ? format("col + %d", pad) : "col";
    line(out, "%s sum = {0};", type);
    if (stride == 1)
        line(out, "UNROLLED for (int s = 0; s < %d; s++) {", g->a->kernel[1]);
    else
        line(out, "for (int s = %s %% %d; s < %d; s += %d) {", pad ? format("(%s)", col) : col,
             stride, g->a->kernel[1], stride);
    const char *const span =
        stride == 1 ? format("%s - s", col) : format("(%s - s) / %d", col, stride);
    line(out, "%s v;", type);
    line(out, "memcpy(&v, &spans[r][%s%s][s * %d%s], sizeof v);", span,
         g->before ? format(" + %d", g->before) : "", channels, c);
    line(out, "sum += v;");
    line(out, "}");
    line(out, "memcpy(&%s[i][%s][col][%s], &sum, %s);", g->to,
         g->lines < g->in.dims[0] ? "top + r" : "r", at,
         count == lanes ? "sizeof sum" : format("%d * sizeof(%s)", count, real_type(out->network)));
}

static void emit_pixels(Out *out, const Geometry *g)
{
    const int channels = g->channels, full = vector_lanes(out->network);
    const int whole = channels / full * full, rest = channels % full;
    line(out, "for (int r = 0; r < %d; r++)", g->lines);
    line(out, "    for (int col = 0; col < %d; col++) {", g->in.dims[1]);
    out->depth++;
    if (whole) {
        line(out, "for (int c = 0; c < %d; c += %d) {", whole, full);
        emit_channels(out, g, " + c", full, full);
        line(out, "}");
    }
    if (rest) {
        line(out, "{");
        emit_channels(out, g, whole ? format(" + %d", whole) : "", rest,
                      lanes_for(out->network, rest));
        line(out, "}");
    }
    line(out, "}");
    out->depth--;
}

// dx, some lines at a time: first what dy's pixels add to each, then each pixel's sum.
void emit_spans_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const Network *const network = graph->network;
    Geometry g =
        geometry(network, node->shape, graph->nodes[node->input[0]].shape, &node->attributes);
    g.from = role(graph, node, 0);
    g.to = op_info[node->op].result;
    // a vector may be read across the last span's end
    line(out, "_Alignas(64) %s spans[%d][%d][%d] = {0};", real_type(network), g.lines, g.width + 1,
         pitch(network, &g));
    on_stack(out, (double)g.lines * (g.width + 1) * pitch(network, &g));
    if (packs(network, &g))
        emit_packing(out, &g);
    line(out, "for (int i = 0; i < rows; i++) {");
    if (g.lines < g.in.dims[0])
        line(out, "for (int top = 0; top < %d; top += %d) {", g.in.dims[0], g.lines);
    if (g.groups > 1)
        line(out, "for (int g = 0; g < %d; g++) {", g.groups);
    emit_spans(out, &g);
    emit_pixels(out, &g);
    if (g.groups > 1)
        line(out, "}");
    if (g.lines < g.in.dims[0])
        line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}
