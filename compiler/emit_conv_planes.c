// emit_conv_planes.c: direct convolution to few channels, vectors along the lines of a picture.
//
// Channels that fill no vector waste its lanes. Here the copy of the picture has a plane for each
// channel, a vector is that many pixels of a line, and each weight is one number that multiplies
// them. The result lies pixel by pixel as everywhere else: its channels are woven when a tile is
// done, and those of its gradient are taken apart before the weights' gradient begins (nn_weave.h).
#include "emit.h"

// --- sizes --------------------------------------------------------------------------------------

typedef struct {
    int vectors; // of a line of the result
    int last;    // pixels in the last of them
    int pitch;   // numbers of a line of a plane, as far as the last window's vectors reach
} Plane;

static Plane plane_of(const Network *network, const WindowProduct *p)
{
    const int lanes = vector_lanes(network);
    Plane plane = {.vectors = (p->columns + lanes - 1) / lanes};
    plane.last = p->columns - (plane.vectors - 1) * lanes;
    plane.pitch = plane.vectors * lanes + (p->kernel[1] - 1 + lanes - 1) / lanes * lanes;
    return plane;
}

// Numbers in a line of one plane of the picture.
int plane_pitch(const Network *network, const WindowProduct *p)
{
    return plane_of(network, p).pitch;
}

// Numbers in a line of the result's gradient, taken apart into planes.
int gradient_pitch(const Network *network, const WindowProduct *p)
{
    return p->outputs * plane_of(network, p).vectors * vector_lanes(network);
}

bool has_planes(const Network *network, const WindowProduct *p)
{
    return p->groups == 1 && p->stride[1] == 1 && p->dilation[0] == 1 && p->dilation[1] == 1 &&
           p->outputs <= vector_lanes(network);
}

// What was measured, or true where a line of the result takes clearly fewer cycles so: two vector
// operations in a cycle, weaving a vector is one for each other channel, and numbers of several
// channels are copied one by one. Windows whose channels fill no vector store parts of vectors, and
// copy the gradient into whole ones: as measured with vectors of 32 bytes, that takes as long as so
// many terms.
bool conv_by_planes(const Network *network, const WindowProduct *p)
{
    enum { PARTIAL = 16 };
    const double most = 0.75;
    const int terms = p->kernel[0] * p->kernel[1] * p->channels;
    if (!has_planes(network, p))
        return false;
    Choice *const measured = choice_of_window(network, p);
    if (measured) {
        measured->used = true;
        return measured->way == CONV_PLANES;
    }
    const double vectors = plane_of(network, p).vectors * p->outputs;
    const double copies = p->channels > 1 ? (double)p->columns * p->channels : 0;
    const bool partial = p->outputs < lanes_for(network, p->outputs);
    const int stores = partial && network->target->vector_bytes == 32 ? PARTIAL : 0;
    return vectors * (terms + p->outputs - 1) / 2 + copies <
           most * p->columns * (terms + stores) / 2;
}

// --- tiles --------------------------------------------------------------------------------------

static const char *tile_name(Network *network, const PlaneTile *tile)
{
    note_tile(network->plane_tiles, &network->plane_tile_count, tile, sizeof *tile);
    if (tile->weights)
        return format("plane_weights_%dx%d", tile->outputs, tile->taps);
    Text name = {0};
    text_add(&name, "plane_%dx%dx%d_of_%d", tile->lines, tile->vectors, tile->outputs, tile->runs);
    if (tile->stride > 1)
        text_add(&name, "_at_%d", tile->stride);
    if (tile->last < vector_lanes(network))
        text_add(&name, "_last_%d", tile->last);
    return name.text;
}

static void emit_plane_macro(Out *out)
{
    static const char *const tile[] = {
        "#define PLANE(name, LINES, STRIDE, RUNS, VECTORS, OUTPUTS, LAST, Vector, weave)",
        "    static INLINED void name(",
        "        int channels, int taps, const REAL *x, long xc, const REAL *w, REAL *y, long yl)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[LINES][VECTORS][OUTPUTS] = {0};",
        "        for (int c = 0; c < channels; c++)",
        "            UNROLLED for (int l = 0; l < (LINES - 1) * STRIDE + RUNS; l++)",
        "                for (int p = 0; p < taps; p++) {",
        "                    const REAL *const from = x + (l * channels + c) * xc + p;",
        "                    Vector at[VECTORS];",
        "                    UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                        memcpy(&at[j], from + j * LANES, sizeof(Vector));",
        "                    FORGET;",
        "                    UNROLLED for (int i = 0; i < LINES; i++) {",
        "                        const int r = l - i * STRIDE;",
        "                        if (r < 0 || r >= RUNS)",
        "                            continue;",
        "                        const REAL *const weight =",
        "                            w + ((r * taps + p) * channels + c) * OUTPUTS;",
        "                        UNROLLED for (int o = 0; o < OUTPUTS; o++)",
        "                            UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                                sum[i][j][o] += at[j] * weight[o];",
        "                    }",
        "                }",
        "        UNROLLED for (int i = 0; i < LINES; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                weave(sum[i][j], j < VECTORS - 1 ? LANES : LAST,",
        "                      y + i * yl + j * LANES * OUTPUTS);",
        "    }",
    };
    comment(out, "A tile of some lines, or of pieces of them, of a convolution whose vectors go "
                 "along lines: y[i] = the sum over c < channels, r < RUNS and p < taps of "
                 "x[i * STRIDE + r][c][p] w[r][p][c], where x[l][c] is a line of one channel at "
                 "x + (l * channels + c) * xc. What is loaded of it serves all lines of y that "
                 "meet it, and their channels. The last vector has LAST pixels.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
}

static void emit_plane_weights_macro(Out *out)
{
    static const char *const tile[] = {
        "#define PLANE_WEIGHTS(name, OUTPUTS, TAPS, Vector)",
        "    static INLINED void name(",
        "        int lines, int vectors, const REAL *x, long xl, const REAL *dy, long yl, long yo,",
        "        REAL *dw, long wo)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[OUTPUTS][TAPS];",
        "        UNROLLED for (int o = 0; o < OUTPUTS; o++)",
        "            UNROLLED for (int p = 0; p < TAPS; p++)",
        "                memcpy(&sum[o][p], dw + o * wo + p * LANES, sizeof(Vector));",
        "        for (int i = 0; i < lines; i++)",
        "            for (int j = 0; j < vectors; j++) {",
        "                Vector gradient[OUTPUTS];",
        "                UNROLLED for (int o = 0; o < OUTPUTS; o++)",
        ("                    memcpy(&gradient[o], dy + i * yl + o * yo + j * LANES, "
         "sizeof(Vector));"),
        "                UNROLLED for (int p = 0; p < TAPS; p++) {",
        "                    Vector at;",
        "                    memcpy(&at, x + i * xl + j * LANES + p, sizeof(Vector));",
        "                    FORGET;",
        "                    UNROLLED for (int o = 0; o < OUTPUTS; o++)",
        "                        sum[o][p] += at * gradient[o];",
        "                }",
        "            }",
        "        UNROLLED for (int o = 0; o < OUTPUTS; o++)",
        "            UNROLLED for (int p = 0; p < TAPS; p++)",
        "                memcpy(dw + o * wo + p * LANES, &sum[o][p], sizeof(Vector));",
        "    }",
    };
    comment(out, "The weights' gradient of such a convolution, a vector for each weight, which "
                 "the lanes are still to be added of: dw[o][p] += the sum over lines of "
                 "x[.][p] dy[.][o].");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
}

static void emit_weave(Out *out, const char *macro, const char *name, int outputs)
{
    const char *const vector = format("Vector%d", vector_lanes(out->network));
    line(out, "%s(%s_%d, %d, %s, %s, %s)", macro, name, outputs, outputs, real_type(out->network),
         out->network->doubles ? "int64_t" : "int32_t", vector);
}

// What weaves, or takes apart, so many channels; each once.
static void emit_weaves(Out *out)
{
    const Network *const network = out->network;
    bool woven[64] = {false}, apart[64] = {false};
    for (int i = 0; i < network->plane_tile_count; i++) {
        const PlaneTile *const t = &network->plane_tiles[i];
        if (!t->weights && !woven[t->outputs])
            emit_weave(out, "NN_WEAVE", "weave", t->outputs);
        woven[t->outputs] |= !t->weights;
    }
    for (int i = 0; i < network->window_product_count; i++) {
        const WindowProduct *const p = &network->window_products[i];
        if (!p->planes || !p->weights || apart[p->outputs])
            continue;
        emit_weave(out, "NN_UNWEAVE", "unweave", p->outputs);
        apart[p->outputs] = true;
    }
    blank_line(out);
}

void emit_plane_tiles(Out *out)
{
    Network *const network = out->network;
    if (!network->plane_tile_count)
        return;
    emit_weaves(out);
    bool any[2] = {false, false};
    for (int i = 0; i < network->plane_tile_count; i++)
        any[network->plane_tiles[i].weights] = true;
    if (any[0])
        emit_plane_macro(out);
    if (any[1])
        emit_plane_weights_macro(out);
    const char *const vector = format("Vector%d", vector_lanes(network));
    for (int i = 0; i < network->plane_tile_count; i++) {
        const PlaneTile t = network->plane_tiles[i];
        const char *const name = tile_name(network, &t);
        if (t.weights)
            line(out, "PLANE_WEIGHTS(%s, %d, %d, %s)", name, t.outputs, t.taps, vector);
        else
            line(out, "PLANE(%s, %d, %d, %d, %d, %d, %d, %s, weave_%d)", name, t.lines, t.stride,
                 t.runs, t.vectors, t.outputs, t.last, vector, t.outputs);
    }
    blank_line(out);
}

// --- how high and how wide ----------------------------------------------------------------------

static double larger(double a, double b) { return a > b ? a : b; }

// Cycles of a tile of the result, for one channel and one tap. A vector of x lies across two lines
// of the cache and counts twice.
static double tile_cycles(const WindowProduct *p, int lines, int vectors)
{
    const int met = (lines - 1) * p->stride[0] + p->kernel[0]; // lines of x
    const double weights = (double)lines * p->kernel[0] * p->outputs;
    const double cycles = larger(weights * vectors, weights + 2.0 * met * vectors) / 2;
    return larger(cycles, LATENCY * p->kernel[0]);
}

typedef struct {
    int lines, vectors;
} Piece;

static double piece_cycles(const WindowProduct *p, const Plane *plane, Piece piece)
{
    const int heights[2] = {piece.lines, p->lines % piece.lines};
    const int counts[2] = {p->lines / piece.lines, 1};
    double cycles = 0;
    for (int i = 0; i < 2 && heights[i]; i++) {
        cycles += counts[i] * (plane->vectors / piece.vectors) *
                  tile_cycles(p, heights[i], piece.vectors);
        if (plane->vectors % piece.vectors)
            cycles += counts[i] * tile_cycles(p, heights[i], plane->vectors % piece.vectors);
    }
    return cycles;
}

// Lines and vectors of a tile whose sums, vectors of x and one weight stay in registers.
static Piece best_piece(const Network *network, const WindowProduct *p, const Plane *plane)
{
    Piece best = {1, 1};
    for (int vectors = 1; vectors <= plane->vectors; vectors++) {
        const int most = (network->target->registers - vectors - 1) / (vectors * p->outputs);
        for (int lines = 1; lines <= most && lines <= p->lines; lines++) {
            const Piece piece = {lines, vectors};
            if (piece_cycles(p, plane, piece) < piece_cycles(p, plane, best))
                best = piece;
        }
    }
    return best;
}

typedef struct {
    int outputs, taps;
} Weights;

static double weights_cycles(Weights w, int count, int taps)
{
    const int outputs[2] = {w.outputs, count % w.outputs}, times[2] = {count / w.outputs, 1};
    double cycles = 0;
    for (int i = 0; i < 2 && outputs[i]; i++)
        for (int tap = 0; tap < taps; tap += w.taps) {
            const int some = tap + w.taps < taps ? w.taps : taps - tap;
            cycles += times[i] * larger(LATENCY, larger(outputs[i] * some,
                                                        outputs[i] + 2.0 * some) / 2);
        }
    return cycles;
}

// Outputs and taps of a tile of the weights' gradient: sums, vectors of dy and one of x.
static Weights best_weights(const Network *network, const WindowProduct *p)
{
    const int taps = p->kernel[1];
    Weights best = {1, 1};
    for (int outputs = 1; outputs <= p->outputs; outputs++) {
        const int most = (network->target->registers - outputs - 1) / outputs;
        for (int some = 1; some <= most && some <= taps; some++) {
            const Weights w = {outputs, some};
            if (weights_cycles(w, p->outputs, taps) < weights_cycles(best, p->outputs, taps))
                best = w;
        }
    }
    return best;
}

// --- functions that layers of one shape share ---------------------------------------------------

// Tiles along `lines` lines from C expression `first` on.
static void forward_lines(Out *out, const WindowProduct *p, const Plane *plane, int lines,
                          const char *first, int most)
{
    const int lanes = vector_lanes(out->network), size = p->columns * p->outputs;
    const char *const x = plus("x", first, (long)p->stride[0] * p->channels * plane->pitch);
    const char *const y = plus("y", first, size);
    for (int v = 0; v < plane->vectors; v += most) {
        const bool ends = v + most >= plane->vectors;
        const PlaneTile tile = {.lines = lines,
                                .vectors = ends ? plane->vectors - v : most,
                                .outputs = p->outputs,
                                .runs = p->kernel[0],
                                .stride = p->stride[0],
                                .last = ends ? plane->last : lanes};
        const char *const vector = format("%d", v * lanes);
        call_line(out, tile_name(out->network, &tile),
                  format("%d, %d, %s, %d, w, %s, %d", p->channels, p->kernel[1],
                         plus(x, vector, v ? 1 : 0), plane->pitch,
                         plus(y, format("%d", v * lanes * p->outputs), v ? 1 : 0), size));
    }
}

void emit_planes_forward(Out *out, const WindowProduct *p)
{
    const Plane plane = plane_of(out->network, p);
    const Piece piece = best_piece(out->network, p, &plane);
    const int whole = p->lines / piece.lines, rest = p->lines % piece.lines;
    line(out, "for (int line = 0; line < %d; %s) {", whole * piece.lines,
         piece.lines == 1 ? "line++" : format("line += %d", piece.lines));
    forward_lines(out, p, &plane, piece.lines, "line", piece.vectors);
    line(out, "}");
    if (rest)
        forward_lines(out, p, &plane, rest, format("%d", whole * piece.lines), piece.vectors);
}

// Tiles of `outputs` outputs from C expression `first` on, of run k.
static void weights_outputs(Out *out, const WindowProduct *p, const Plane *plane, int outputs,
                            const char *first, int most)
{
    const int lanes = vector_lanes(out->network), wide = plane->vectors * lanes;
    const int runs = p->kernel[0] * p->channels, run = p->kernel[1] * lanes;
    const char *const at = plus(plus("dw", "k", run), first, (long)runs * run);
    for (int tap = 0; tap < p->kernel[1]; tap += most) {
        const int taps = tap + most < p->kernel[1] ? most : p->kernel[1] - tap;
        const PlaneTile tile = {.weights = true, .outputs = outputs, .taps = taps};
        call_line(out, tile_name(out->network, &tile),
                  format("%d, %d, %s, %d, planes[0][%s], %d, %d, %s, %d", p->lines, plane->vectors,
                         plus(plus("x", "k", plane->pitch), format("%d", tap), tap ? 1 : 0),
                         p->stride[0] * p->channels * plane->pitch, first, p->outputs * wide, wide,
                         plus(at, format("%d", tap * lanes), tap ? 1 : 0), runs * run));
    }
}

// A line is as long as the picture is wide: its whole vectors are a loop where they are many.
static void emit_gradient_planes(Out *out, const WindowProduct *p, const Plane *plane)
{
    enum { MOST_CALLS = 8 };
    const int lanes = vector_lanes(out->network), size = p->columns * p->outputs;
    const char *const unweave = format("unweave_%d", p->outputs);
    const int looped = plane->vectors > MOST_CALLS ? plane->vectors - 1 : 0;
    line(out, "_Alignas(64) %s planes[%d][%d][%d]; // of dy, channel by channel",
         real_type(out->network), p->lines, p->outputs, plane->vectors * lanes);
    line(out, "for (int r = 0; r < %d; r++) {", p->lines);
    if (looped) {
        line(out, "for (int v = 0; v < %d; v++)", looped);
        line(out, "    %s(dy + r * %d + v * %d, %d, planes[r][0] + v * %d, %d);", unweave, size,
             lanes * p->outputs, lanes, lanes, plane->vectors * lanes);
    }
    for (int v = looped; v < plane->vectors; v++)
        call_line(out, unweave,
                  format("dy + r * %d%s, %d, planes[r][0]%s, %d", size,
                         v ? format(" + %d", v * lanes * p->outputs) : "",
                         v < plane->vectors - 1 ? lanes : plane->last,
                         v ? format(" + %d", v * lanes) : "", plane->vectors * lanes));
    line(out, "}");
}

void emit_planes_weights(Out *out, const WindowProduct *p)
{
    const Plane plane = plane_of(out->network, p);
    const Weights w = best_weights(out->network, p);
    const int whole = p->outputs / w.outputs, rest = p->outputs % w.outputs;
    emit_gradient_planes(out, p, &plane);
    line(out, "for (int k = 0; k < %d; k++) {%s", p->kernel[0] * p->channels,
         p->channels > 1 ? " // lines of the window, channel by channel" : "");
    if (whole > 1) {
        line(out, "for (int o = 0; o < %d; %s) {", whole * w.outputs,
             w.outputs == 1 ? "o++" : format("o += %d", w.outputs));
        weights_outputs(out, p, &plane, w.outputs, "o", w.taps);
        line(out, "}");
    } else {
        weights_outputs(out, p, &plane, w.outputs, "0", w.taps);
    }
    if (rest)
        weights_outputs(out, p, &plane, rest, format("%d", whole * w.outputs), w.taps);
    line(out, "}");
}

// --- layers -------------------------------------------------------------------------------------

// Declares what the weights' gradient adds up in.
void emit_lane_sums(Out *out, const WindowProduct *p)
{
    line(out, "_Alignas(64) %s lanes[%d][%d][%d][%d][%d] = {0}; // of dw, to be added",
         real_type(out->network), p->outputs, p->kernel[0], p->channels, p->kernel[1],
         vector_lanes(out->network));
    on_stack(out, (double)p->outputs * p->kernel[0] * p->channels * p->kernel[1] *
                      vector_lanes(out->network));
}

void emit_lane_total(Out *out, const WindowProduct *p)
{
    const bool channels = p->channels > 1;
    const char *const c = channels ? "c" : "0";
    line(out, "for (int r = 0; r < %d; r++)", p->kernel[0]);
    line(out, "    for (int s = 0; s < %d; s++)", p->kernel[1]);
    out->depth += 2;
    if (channels)
        line(out, "for (int c = 0; c < %d; c++)", p->channels);
    out->depth += channels;
    line(out, "for (int o = 0; o < %d; o++) {", p->outputs);
    line(out, "%s sum = 0;", real_type(out->network));
    line(out, "for (int l = 0; l < %d; l++)", vector_lanes(out->network));
    line(out, "    sum += lanes[o][r][%s][s][l];", c);
    line(out, "dw[r][s][%s][o] = sum;", c);
    line(out, "}");
    out->depth -= 2 + channels;
}
