// emit_pool.c: maximum and mean over windows.
#include "emit.h"

typedef struct {
    const Graph *graph;
    const Node *node;
    const Attributes *a;
    Shape in, grid; // of the pictures, and of the windows over one
    bool clipped;   // some windows reach beyond the picture
} Windows;

static Windows windows_of(const Graph *graph, const Node *node)
{
    const Shape other = graph->nodes[node->input[0]].shape;
    const bool back = node->op == OP_maxpool_grad || node->op == OP_avgpool_grad;
    Windows w = {graph, node, &node->attributes, back ? node->shape : other,
                 back ? other : node->shape, false};
    for (int d = 0; d < 2; d++)
        w.clipped |= w.a->pad[d] > 0 || (w.grid.dims[d] - 1) * w.a->stride[d] + w.a->kernel[d] >
                                            w.in.dims[d];
    return w;
}

// Windows that neither overlap nor leave pixels out write each pixel once.
static bool tiles(const Windows *w)
{
    for (int d = 0; d < 2; d++)
        if (w->a->stride[d] != w->a->kernel[d] ||
            w->grid.dims[d] * w->a->stride[d] < w->in.dims[d])
            return false;
    return true;
}

// A single window that lies in the picture needs no loop.
static bool is_single(const Windows *w, int d) { return w->grid.dims[d] == 1 && !w->clipped; }

static const char *window_index(const Windows *w, int d)
{
    static const char *const names[] = {"row", "col"};
    return is_single(w, d) ? "0" : names[d];
}

// The line or column that a window begins with, where it does not reach beyond the picture.
static const char *first_of(const Windows *w, int d)
{
    const int stride = w->a->stride[d];
    const char *const window = window_index(w, d);
    return stride > 1 && !is_single(w, d) ? format("%s * %d", window, stride) : window;
}

// Of the windows' result or its gradient: "dy[i][row][col][c]".
static const char *at_window(const Windows *w, const char *name)
{
    return format("%s[i][%s][%s][c]", name, window_index(w, 0), window_index(w, 1));
}

// The part of a window that lies in the picture.
static void clip_window(Out *out, const Windows *w, int d, const char *first, const char *end)
{
    const char *const at = first_of(w, d);
    const int pad = w->a->pad[d];
    line(out, "const int %s = %s, %s = nn_min(%s + %d, %d);", first,
         pad ? format("nn_max(%s - %d, 0)", at, pad) : at, end, at, w->a->kernel[d] - pad,
         w->in.dims[d]);
}

// Opens the loops over a window; returns how they index the input.
static const char *open_window(Out *out, const Windows *w)
{
    line(out, w->clipped ? "for (int r = top; r < bottom; r++)" : "for (int r = 0; r < %d; r++)",
         w->a->kernel[0]);
    out->depth++;
    line(out, w->clipped ? "for (int s = start; s < end; s++) {" : "for (int s = 0; s < %d; s++) {",
         w->a->kernel[1]);
    static const char *const within[] = {"r", "s"};
    const char *at[2];
    for (int d = 0; d < 2; d++)
        at[d] = w->clipped || is_single(w, d) ? within[d]
                                              : format("%s + %s", first_of(w, d), within[d]);
    return format("[%s][%s][c]", at[0], at[1]);
}

static void close_window(Out *out)
{
    line(out, "}");
    out->depth--;
}

// Channels that are worked on by vectors of so many.
typedef struct {
    int first, end, lanes;
} Strip;

// The channels as full vectors, then halves down to single ones.
static int strips_of(const Network *network, int channels, Strip *strips)
{
    int count = 0, first = 0;
    for (int n = vector_lanes(network); n >= 1; n /= 2)
        if (channels - first >= n) {
            const int end = channels - (channels - first) % n;
            strips[count++] = (Strip){first, end, n};
            first = end;
        }
    return count;
}

static void open_strip(Out *out, const Strip *s)
{
    if (s->end - s->first == s->lanes)
        line(out, "{");
    else
        line(out, "for (int c = %d; c < %d; c += %d) {", s->first, s->end, s->lanes);
    if (s->end - s->first == s->lanes)
        line(out, "enum { c = %d };", s->first);
}

static const char *strip_type(const Network *network, const Strip *s)
{
    return s->lanes == 1 ? real_type(network) : format("Vector%d", s->lanes);
}

// A vector `name` read from `at`.
static void load(Out *out, const Strip *s, const char *name, const char *at)
{
    line(out, "%s %s;", strip_type(out->network, s), name);
    line(out, "memcpy(&%s, &%s, sizeof %s);", name, at, name);
}

// Opens the loops over the windows of a picture; returns how many.
static int open_grid(Out *out, const Windows *w)
{
    const bool rows = !is_single(w, 0), columns = !is_single(w, 1);
    if (rows)
        line(out, "for (int row = 0; row < %d; row++)%s", w->grid.dims[0], columns ? "" : " {");
    out->depth += rows && columns;
    if (columns)
        line(out, "for (int col = 0; col < %d; col++) {", w->grid.dims[1]);
    return rows + columns;
}

// Opens loops over the grid and, in them, calls `body` for each strip of channels.
static void by_strips(Out *out, const Windows *w,
                      void (*body)(Out *, const Windows *, const Strip *))
{
    Strip strips[8];
    const int count = strips_of(out->network, w->grid.dims[2], strips);
    const int loops = open_grid(out, w);
    if (w->clipped) {
        clip_window(out, w, 0, "top", "bottom");
        clip_window(out, w, 1, "start", "end");
    }
    for (int i = 0; i < count; i++) {
        open_strip(out, &strips[i]);
        body(out, w, &strips[i]);
        line(out, "}");
    }
    if (loops > 0)
        line(out, "}");
    out->depth -= loops > 1;
}

static void largest_of_window(Out *out, const Windows *w, const Strip *s)
{
    load(out, s, "largest",
         w->clipped ? "x[i][top][start][c]"
                    : format("x[i][%s][%s][c]", first_of(w, 0), first_of(w, 1)));
    const char *const x = open_window(out, w);
    load(out, s, "v", format("x[i]%s", x));
    if (s->lanes == 1)
        line(out, "largest = ((v > largest) | (v != v)) ? v : largest; // NaN stays");
    else
        line(out, "largest = NN_CHOOSE((v > largest) | (v != v), v, largest); // NaN stays");
    close_window(out);
    line(out, "memcpy(&%s, &largest, sizeof largest);", at_window(w, "y"));
}

void emit_maxpool(Out *out, const Graph *graph, const Node *node)
{
    const Windows w = windows_of(graph, node);
    line(out, "for (int i = 0; i < rows; i++) {");
    by_strips(out, &w, largest_of_window);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// A pixel's part of the mean of those that the window has in the picture.
static const char *share_of_pixel(Out *out, const Windows *w)
{
    if (w->clipped)
        return format("%s / ((bottom - top) * (end - start))", real_number(out, 1));
    return real_number(out, 1.0 / (w->a->kernel[0] * w->a->kernel[1]));
}

// Of so many pixels that a float is too short for their sum.
static void mean_of_large_window(Out *out, const Windows *w, const Strip *s)
{
    const bool one = s->lanes == 1;
    const char *const at = one ? "" : "[l]";
    const char *const each = one ? NULL : format("for (int l = 0; l < %d; l++)", s->lanes);
    line(out, one ? "double sum = 0;" : "double sum[%d] = {0};", s->lanes);
    const char *const x = open_window(out, w);
    load(out, s, "v", format("x[i]%s", x));
    if (each)
        line(out, "%s", each);
    line(out, "%ssum%s += v%s;", each ? "    " : "", at, at);
    close_window(out);
    line(out, "%s mean;", strip_type(out->network, s));
    if (each)
        line(out, "%s", each);
    line(out, "%smean%s = sum%s * %s;", each ? "    " : "", at, at, share_of_pixel(out, w));
    line(out, "memcpy(&%s, &mean, sizeof mean);", at_window(w, "y"));
}

static void mean_of_window(Out *out, const Windows *w, const Strip *s)
{
    if (is_long_sum(out, (long)w->a->kernel[0] * w->a->kernel[1])) {
        mean_of_large_window(out, w, s);
        return;
    }
    line(out, "%s sum = %s;", strip_type(out->network, s), s->lanes == 1 ? "0" : "{0}");
    const char *const x = open_window(out, w);
    load(out, s, "v", format("x[i]%s", x));
    line(out, "sum += v;");
    close_window(out);
    line(out, "sum *= %s;", share_of_pixel(out, w));
    line(out, "memcpy(&%s, &sum, sizeof sum);", at_window(w, "y"));
}

void emit_avgpool(Out *out, const Graph *graph, const Node *node)
{
    const Windows w = windows_of(graph, node);
    line(out, "for (int i = 0; i < rows; i++) {");
    by_strips(out, &w, mean_of_window);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

static void open_gradient(Out *out, const Windows *w)
{
    const Attributes *const a = w->a;
    line(out, "for (int i = 0; i < rows; i++) {");
    if (!tiles(w))
        line(out, "memset(dx[i], 0, sizeof dx[i]); // windows %s",
             a->stride[0] < a->kernel[0] || a->stride[1] < a->kernel[1] ? "overlap"
                                                                        : "leave pixels out");
}

// relu-in-pooling: the gradient of relu before the pooling is a mask in the loop over windows.
// Condition: it is the only step, on the x that was pooled, and each window is written once.
static bool masks_windows(const Windows *w)
{
    const Node *const node = w->node;
    return node->step_count == 1 && node->steps[0].op == OP_relu_grad &&
           node->input[node->steps[0].first_input] == node->input[1] && tiles(w);
}

// Whether each number of x has been read, and is not needed again, when dx is written there.
bool unpools_in_place(const Graph *graph, const Node *node)
{
    const Windows w = windows_of(graph, node);
    return tiles(&w) && (!node->step_count || masks_windows(&w));
}

static void gradient_of_window(Out *out, const Windows *w, const Strip *s)
{
    const char *const type = strip_type(out->network, s);
    line(out, "// dy goes to the first that is the largest");
    load(out, s, "left", at_window(w, "dy"));
    load(out, s, "largest", at_window(w, "y"));
    const char *const x = open_window(out, w);
    load(out, s, "at", format("%s[i]%s", role(w->graph, w->node, 1), x));
    const char *const share = s->lanes == 1
                                  ? "at == largest ? left : 0"
                                  : format("NN_CHOOSE(at == largest, left, (%s){0})", type);
    line(out, "%s v = %s;", type, share);
    line(out, "left -= v;");
    if (masks_windows(w))
        line(out, s->lanes == 1 ? "v = at > 0 ? v : 0;" : "v = NN_CHOOSE(at > 0, v, (%s){0});",
             type);
    if (!tiles(w)) {
        load(out, s, "before", format("dx[i]%s", x));
        line(out, "v += before;");
    }
    line(out, "memcpy(&dx[i]%s, &v, sizeof v);", x);
    close_window(out);
}

void emit_maxpool_grad(Out *out, const Graph *graph, const Node *node)
{
    const Windows w = windows_of(graph, node);
    open_gradient(out, &w);
    by_strips(out, &w, gradient_of_window);
    if (!masks_windows(&w))
        emit_row_steps(out, graph, node);
    line(out, "}");
}

static void share_in_window(Out *out, const Windows *w, const Strip *s)
{
    load(out, s, "share", at_window(w, "dy"));
    line(out, "share *= %s;", share_of_pixel(out, w));
    const char *const x = open_window(out, w);
    if (tiles(w)) {
        line(out, "memcpy(&dx[i]%s, &share, sizeof share);", x);
    } else {
        load(out, s, "v", format("dx[i]%s", x));
        line(out, "v += share;");
        line(out, "memcpy(&dx[i]%s, &v, sizeof v);", x);
    }
    close_window(out);
}

void emit_avgpool_grad(Out *out, const Graph *graph, const Node *node)
{
    const Windows w = windows_of(graph, node);
    open_gradient(out, &w);
    by_strips(out, &w, share_in_window);
    emit_row_steps(out, graph, node);
    line(out, "}");
}
