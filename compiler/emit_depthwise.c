// emit_depthwise.c: convolutions of each channel by itself, or of small groups of channels, in
// vectors of channels.
//
// No sum leaves its group, so that a vector of channels is a convolution of its own: a tile holds
// such sums for some pixels of a line, while the window's taps go by. Of each group's channels one
// at a time is spread over the group's lanes. The gradient by the picture is such a convolution
// too, of the result's gradient with the weights the other way round; that by the weights has a sum
// for each tap, and each channel of a group. A channel of several filters is there as many times.
// Where pixels of the gradient meet only some taps (a stride), emit_taps.c has the plain loops.
#include "emit.h"

#include <string.h>

enum { PIXELS = 8 }; // of a tile: so many multiply-adds are under way at a time

// --- tiles --------------------------------------------------------------------------------------

static const char *tile_name(Network *network, DepthwiseTile tile)
{
    note_tile(network->depthwise_tiles, &network->depthwise_tile_count, &tile, sizeof tile);
    const char *const kind = tile.each > 1 ? format("groups_of_%d", tile.each) : "depthwise";
    return tile.runs ? format("%s_weights_%dx%dx%d", kind, tile.runs, tile.taps, tile.lanes)
                     : format("%s_%d", kind, tile.lanes);
}

// What spreads a channel of each group over the lanes of the group.
static const char *spread_name(DepthwiseTile tile)
{
    return tile.each > 1 ? format("SPREAD_OF_%d", tile.each) : "ITSELF";
}

// No function: gcc warns of one whose vectors are longer than the processor's.
static void emit_spread_macro(Out *out)
{
    static const char *const spread[] = {
        "#define SPREAD(v, k, EACH, Integer)",
        "    ({",
        "        enum { LANES = sizeof(v) / sizeof(REAL) };",
        "        Integer __attribute__((vector_size(sizeof(v)))) place = {0};",
        "        UNROLLED for (int l = 0; l < LANES; l++)",
        "            place[l] = l / EACH * EACH + k;",
        "        NN_PICK(v, v, place, LANES);",
        "    })",
    };
    comment(out, "Number k of each EACH lanes, in all of them.");
    emit_macro(out, spread, (int)(sizeof spread / sizeof *spread));
}

// Spreads, each once.
static void emit_spreads(Out *out, const DepthwiseTile *tiles, int count)
{
    bool single = false, groups = false;
    for (int i = 0; i < count; i++) {
        single |= tiles[i].each == 1;
        groups |= tiles[i].each > 1;
    }
    if (single)
        line(out, "#define ITSELF(v, k) (v)");
    if (groups)
        emit_spread_macro(out);
    for (int i = 0; i < count; i++) {
        bool known = tiles[i].each == 1;
        for (int k = 0; k < i; k++)
            known |= !strcmp(spread_name(tiles[k]), spread_name(tiles[i]));
        if (!known)
            line(out, "#define %s(v, k) SPREAD(v, k, %d, %s)", spread_name(tiles[i]), tiles[i].each,
                 out->network->doubles ? "int64_t" : "int32_t");
    }
}

static void emit_forward_macro(Out *out)
{
    static const char *const tile[] = {
        "#define DEPTHWISE_TILE(name, PIXELS, EACH, SPREAD_ONE, Vector)",
        "    static INLINED void name(",
        "        int channels, int stride, int step, int runs, int taps, const REAL *x, long xr,",
        "        const REAL *w, long wr, long ws, REAL *y)",
        "    {",
        "        Vector sum[PIXELS] = {0};",
        "        for (int r = 0; r < runs; r++)",
        "            for (int s = 0; s < taps; s++)",
        "                UNROLLED for (int k = 0; k < EACH; k++) {",
        "                    Vector weight;",
        "                    memcpy(&weight, w + r * wr + s * ws + k * channels, sizeof(Vector));",
        "                    FORGET;",
        "                    UNROLLED for (int i = 0; i < PIXELS; i++) {",
        "                        Vector at;",
        ("                        memcpy(&at, x + r * xr + (i * stride + s * step) * channels, "
         "sizeof at);"),
        "                        sum[i] += SPREAD_ONE(at, k) * weight;",
        "                    }",
        "                }",
        "        UNROLLED for (int i = 0; i < PIXELS; i++)",
        "            memcpy(y + i * channels, &sum[i], sizeof(Vector));",
        "    }",
    };
    static const char *const row[] = {
        "#define DEPTHWISE(name, PIXELS, EACH, SPREAD_ONE, Vector)",
        "    DEPTHWISE_TILE(name##_full, PIXELS, EACH, SPREAD_ONE, Vector)",
        "    DEPTHWISE_TILE(name##_one, 1, EACH, SPREAD_ONE, Vector)",
        "    static INLINED void name(",
        "        int channels, int width, int pixels, int stride, int pad, int step, int runs,",
        "        int taps, const REAL *x, long xr, const REAL *w, long wr, long ws, REAL *y)",
        "    {",
        "        const int reach = (PIXELS - 1) * stride + (taps - 1) * step + 1;",
        "        for (int col = 0, some; col < pixels; col += some) {",
        "            const int first = col * stride - pad, last = width - 1 - first;",
        "            const bool full = first >= 0 && first + reach <= width;",
        "            some = full && col + PIXELS <= pixels ? PIXELS : 1;",
        "            if (some > 1) {",
        "                name##_full(channels, stride, step, runs, taps, x + first * channels, xr,",
        "                            w, wr, ws, y + col * channels);",
        "                continue;",
        "            }",
        "            const int from = first < 0 ? (step - 1 - first) / step : 0;",
        "            const int to = last < 0 ? 0 : nn_min(last / step + 1, taps);",
        "            name##_one(channels, stride, step, runs, to - from,",
        "                       x + (first + from * step) * channels, xr, w + from * ws, wr, ws,",
        "                       y + col * channels);",
        "        }",
        "    }",
    };
    comment(out, "A vector of channels of some pixels, each group of EACH channels by itself: y[i] "
                 "= the sum over r < runs, s < taps and the group's channels k of "
                 "x[r][i * stride + s * step][k] w[r][s][k], where rows of x are xr apart, weights "
                 "wr and ws.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
    comment(out, "A vector of channels of a line of pixels, whose first has its first tap `pad` in "
                 "front of x: pixels side by side where all taps lie in a line of x, others one by "
                 "one, without the taps that do not.");
    emit_macro(out, row, (int)(sizeof row / sizeof *row));
}

static void emit_weights_macro(Out *out)
{
    static const char *const tile[] = {
        "#define DEPTHWISE_WEIGHTS(name, RUNS, TAPS, EACH, SPREAD_ONE, Vector)",
        "    static INLINED void name##_pixel(",
        "        int channels, int width, int first, int step, bool inside, const REAL *x,",
        "        long xr, const REAL *dy, Vector *sum)",
        "    {",
        "        Vector gradient;",
        "        memcpy(&gradient, dy, sizeof(Vector));",
        "        FORGET;",
        "        UNROLLED for (int r = 0; r < RUNS; r++)",
        "            UNROLLED for (int s = 0; s < TAPS; s++) {",
        "                const int col = first + s * step;",
        "                if (inside || (col >= 0 && col < width)) {",
        "                    Vector at;",
        "                    memcpy(&at, x + r * xr + col * channels, sizeof(Vector));",
        "                    UNROLLED for (int k = 0; k < EACH; k++)",
        ("                        sum[(r * TAPS + s) * EACH + k] += SPREAD_ONE(at, k) * "
         "gradient;"),
        "                }",
        "            }",
        "    }",
        "    static INLINED void name(",
        "        int channels, int width, int pixels, int stride, int pad, int step,",
        "        const REAL *x, long xr, const REAL *dy, REAL *dw, long wr)",
        "    {",
        "        const int reach = (TAPS - 1) * step + 1;",
        "        Vector sum[RUNS * TAPS * EACH];",
        "        UNROLLED for (int r = 0; r < RUNS; r++)",
        "            UNROLLED for (int k = 0; k < TAPS * EACH; k++)",
        ("                memcpy(&sum[r * TAPS * EACH + k], dw + r * wr + k * channels, "
         "sizeof(Vector));"),
        "        int col = 0;",
        "        for (; col < pixels && col * stride < pad; col++)",
        "            name##_pixel(channels, width, col * stride - pad, step, false, x, xr,",
        "                         dy + col * channels, sum);",
        "        for (; col < pixels && col * stride - pad + reach <= width; col++)",
        "            name##_pixel(channels, width, col * stride - pad, step, true, x, xr,",
        "                         dy + col * channels, sum);",
        "        for (; col < pixels; col++)",
        "            name##_pixel(channels, width, col * stride - pad, step, false, x, xr,",
        "                         dy + col * channels, sum);",
        "        UNROLLED for (int r = 0; r < RUNS; r++)",
        "            UNROLLED for (int k = 0; k < TAPS * EACH; k++)",
        ("                memcpy(dw + r * wr + k * channels, &sum[r * TAPS * EACH + k], "
         "sizeof(Vector));"),
        "    }",
    };
    comment(out, "Their weights' gradient, of a line of pixels: dw[r][s][k] += the sum over col of "
                 "dy[col] x[r][col * stride - pad + s * step][k], without the taps that lie in no "
                 "line of x.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
}

void emit_depthwise_tiles(Out *out)
{
    Network *const network = out->network;
    bool any[2] = {false, false};
    emit_spreads(out, network->depthwise_tiles, network->depthwise_tile_count);
    for (int i = 0; i < network->depthwise_tile_count; i++)
        any[network->depthwise_tiles[i].runs > 0] = true;
    if (any[0])
        emit_forward_macro(out);
    if (any[1])
        emit_weights_macro(out);
    for (int i = 0; i < network->depthwise_tile_count; i++) {
        const DepthwiseTile t = network->depthwise_tiles[i];
        const char *const name = tile_name(network, t), *const type = lane_type(network, t.lanes);
        if (t.runs)
            line(out, "DEPTHWISE_WEIGHTS(%s, %d, %d, %d, %s, %s)", name, t.runs, t.taps, t.each,
                 spread_name(t), type);
        else
            line(out, "DEPTHWISE(%s, %d, %d, %s, %s)", name, PIXELS, t.each, spread_name(t), type);
    }
    if (network->depthwise_tile_count)
        blank_line(out);
}

// --- layers -------------------------------------------------------------------------------------

// Of the picture that is read and the one that is written: both gradients are of a convolution.
typedef struct {
    Shape from, to;
    const char *source, *weights, *result;
    int kernel[2], stride[2], step[2], pad[2];
    int each;       // channels in a group
    bool backwards; // the weights are taken from the last tap to the first
} Convolution;

static Convolution convolution(const Graph *graph, const Node *node, Shape to)
{
    const Attributes *const a = &node->attributes;
    Convolution n = {.from = graph->nodes[node->input[0]].shape,
                     .to = to,
                     .source = role(graph, node, 0),
                     .weights = role(graph, node, 1),
                     .result = op_info[node->op].result};
    n.each = a->groups ? n.from.dims[2] / a->groups : 1;
    for (int d = 0; d < 2; d++) {
        n.kernel[d] = a->kernel[d];
        n.stride[d] = a->stride[d];
        n.step[d] = tap_step(a, d);
        n.pad[d] = a->pad[d];
    }
    return n;
}

// BLAS is the reference, and has the plain loops.
bool depthwise_by_vectors(const Graph *graph, const Node *node)
{
    const int *const stride = node->attributes.stride;
    const bool spreads = node->op == OP_depthwise_grad_x && (stride[0] > 1 || stride[1] > 1);
    return !spreads && !graph->network->blas;
}

// Of as many filters as channels in each group: two or four, and vectors of several groups.
bool groups_by_vectors(const Network *network, const Attributes *a, int channels, int filters)
{
    const int groups = group_count(a), each = channels / groups;
    return groups > 1 && channels == filters && (each == 2 || each == 4) &&
           2 * each <= vector_lanes(network) && !network->blas;
}

// Declares `top`, the row of the picture under the first tap, and which taps lie in the picture.
static void emit_taps_of_row(Out *out, const Convolution *n)
{
    const int kernel = n->kernel[0], step = n->step[0], pad = n->pad[0], lines = n->from.dims[0];
    const char *const row = n->stride[0] > 1 ? format("row * %d", n->stride[0]) : "row";
    line(out, "const int top = %s%s;", row,
         pad > 0 ? format(" - %d", pad) : pad < 0 ? format(" + %d", -pad) : "");
    if (step == 1) {
        line(out, "const int tap = nn_max(-top, 0), end = nn_min(%d - top, %d);", lines, kernel);
        return;
    }
    line(out, "const int tap = nn_max(%d - top, 0) / %d;", step - 1, step);
    line(out, "const int end = nn_min(nn_max(%d - top, 0) / %d, %d);", lines + step - 1, step,
         kernel);
}

// Calls `emit` for the vectors of a pixel's channels: how many lanes, and C's offset of the first.
static void each_vector(Out *out, const Convolution *n,
                        void emit(Out *out, const Convolution *n, int lanes, const char *at))
{
    const int channels = n->from.dims[2], whole = vector_lanes(out->network);
    int c = channels / whole * whole;
    if (c > whole) {
        line(out, "for (int c = 0; c < %d; c += %d) {", c, whole);
        emit(out, n, whole, " + c");
        line(out, "}");
    } else if (c) {
        emit(out, n, whole, "");
    }
    for (int lanes = whole / 2; lanes; lanes /= 2)
        if (channels - c >= lanes) {
            emit(out, n, lanes, c ? format(" + %d", c) : "");
            c += lanes;
        }
}

static void emit_vector_line(Out *out, const Convolution *n, int lanes, const char *at)
{
    const int channels = n->from.dims[2], tap = n->each * channels, line_of_w = n->kernel[1] * tap;
    const char *const weights =
        n->backwards
            ? format("%s[%d - tap][%d][0]%s", n->weights, n->kernel[0] - 1, n->kernel[1] - 1, at)
            : format("%s[tap][0][0]%s", n->weights, at);
    const char *row = n->step[0] > 1 ? format("top + tap * %d", n->step[0]) : "top + tap";
    if (n->step[0] > n->from.dims[0]) // where all taps may lie outside
        row = format("nn_min(%s, %d)", row, n->from.dims[0] - 1);
    call_line(out, tile_name(out->network, (DepthwiseTile){.lanes = lanes, .each = n->each}),
              format("%d, %d, %d, %d, %d, %d, end - tap, %d, %s[i][%s][0]%s, %d, %s, %d, %d, "
                     "%s[i][row][0]%s",
                     channels, n->from.dims[1], n->to.dims[1], n->stride[1], n->pad[1], n->step[1],
                     n->kernel[1], n->source, row, at, n->step[0] * n->from.dims[1] * channels,
                     weights, n->backwards ? -line_of_w : line_of_w, n->backwards ? -tap : tap,
                     n->result, at));
}

static void emit_vectors(Out *out, const Graph *graph, const Node *node, const Convolution *n)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "for (int row = 0; row < %d; row++) {", n->to.dims[0]);
    emit_taps_of_row(out, n);
    each_vector(out, n, emit_vector_line);
    line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_depthwise_vectors(Out *out, const Graph *graph, const Node *node)
{
    const Convolution n = convolution(graph, node, node->shape);
    emit_vectors(out, graph, node, &n);
}

// dx at a pixel is the sum of the dy whose windows it lies in: a convolution of dy, of the same
// taps from the last to the first. Weights of groups have been turned round.
void emit_depthwise_grad_x_vectors(Out *out, const Graph *graph, const Node *node)
{
    Convolution n = convolution(graph, node, node->shape);
    for (int d = 0; d < 2; d++)
        n.pad[d] = window_reach(&node->attributes, d) - 1 - n.pad[d];
    n.backwards = n.each == 1;
    emit_vectors(out, graph, node, &n);
}

// Rows of the window whose sums, and a vector of dy and one of x, stay in registers.
static int rows_at_a_time(const Network *network, const Convolution *n)
{
    const int most = (network->target->registers - 2) / (n->kernel[1] * n->each);
    return most < 1 ? 1 : most > n->kernel[0] ? n->kernel[0] : most;
}

static void emit_weights_line(Out *out, const Convolution *n, int runs, int lanes, const char *at,
                              const char *r)
{
    const int channels = n->from.dims[2];
    const char *const row =
        n->step[0] > 1 ? format("top + %s * %d", r, n->step[0]) : format("top + %s", r);
    const DepthwiseTile tile = {
        .runs = runs, .taps = n->kernel[1], .lanes = lanes, .each = n->each};
    call_line(out, tile_name(out->network, tile),
              format("%d, %d, %d, %d, %d, %d, x[i][%s][0]%s, %d, dy[i][row][0]%s, dw[%s][0][0]%s, "
                     "%d",
                     channels, n->from.dims[1], n->to.dims[1], n->stride[1], n->pad[1], n->step[1],
                     row, at, n->step[0] * n->from.dims[1] * channels, at, r, at,
                     n->kernel[1] * n->each * channels));
}

static void emit_weights_lines(Out *out, const Convolution *n, int lanes, const char *at)
{
    const int runs = rows_at_a_time(out->network, n);
    if (runs == 1) {
        line(out, "for (int r = tap; r < end; r++)");
        out->depth++;
        emit_weights_line(out, n, 1, lanes, at, "r");
        out->depth--;
        return;
    }
    line(out, "int r%d = tap;", lanes);
    line(out, "for (; r%d + %d <= end; r%d += %d)", lanes, runs, lanes, runs);
    out->depth++;
    emit_weights_line(out, n, runs, lanes, at, format("r%d", lanes));
    out->depth--;
    line(out, "for (; r%d < end; r%d++)", lanes, lanes);
    out->depth++;
    emit_weights_line(out, n, 1, lanes, at, format("r%d", lanes));
    out->depth--;
}

void emit_depthwise_grad_w_vectors(Out *out, const Graph *graph, const Node *node)
{
    const Convolution n = convolution(graph, node, graph->nodes[node->input[1]].shape);
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "for (int row = 0; row < %d; row++) {", n.to.dims[0]);
    emit_taps_of_row(out, &n);
    each_vector(out, &n, emit_weights_lines);
    line(out, "}");
    line(out, "}");
}

// --- channels of several filters ----------------------------------------------------------------

// Opens the loops over pixels and channels of the picture that has each channel once.
static void open_channels(Out *out, Shape picture)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "for (int row = 0; row < %d; row++)", picture.dims[0]);
    line(out, "    for (int col = 0; col < %d; col++)", picture.dims[1]);
    out->depth += 2;
    line(out, "for (int c = 0; c < %d; c++) {", picture.dims[2]);
}

static void close_channels(Out *out, const Graph *graph, const Node *node)
{
    line(out, "}");
    out->depth -= 2;
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_copy_channels(Out *out, const Graph *graph, const Node *node)
{
    const Shape x = graph->nodes[node->input[0]].shape;
    const int copies = node->shape.dims[2] / x.dims[2];
    open_channels(out, x);
    line(out, "for (int k = 0; k < %d; k++)", copies);
    line(out, "    y[i][row][col][c * %d + k] = x[i][row][col][c];", copies);
    close_channels(out, graph, node);
}

void emit_copy_channels_grad(Out *out, const Graph *graph, const Node *node)
{
    const int copies = graph->nodes[node->input[0]].shape.dims[2] / node->shape.dims[2];
    open_channels(out, node->shape);
    line(out, "%s sum = 0;", real_type(graph->network));
    line(out, "for (int k = 0; k < %d; k++)", copies);
    line(out, "    sum += dy[i][row][col][c * %d + k];", copies);
    line(out, "dx[i][row][col][c] = sum;");
    close_channels(out, graph, node);
}
