// emit_conv_spread.c: direct convolution to fewer channels than a vector has lanes.
//
// A line of the result, pixel by pixel and channel by channel, is one row of numbers, and is cut
// into whole vectors, so that no lane is left out. What is read is spread likewise: each pixel's
// number as often as the result has channels. The pixel to the right is then so many numbers
// further on, and the weights repeat along a line with a period of a few vectors.
#include "netc.h"

#include <string.h>

static int rounded_up(int n, int unit) { return (n + unit - 1) / unit * unit; }

static int greatest_divisor(int a, int b) { return b ? greatest_divisor(b, a % b) : a; }

// Vectors after which the channels of a line stand in the same lanes again.
static int period_of(const Network *network, int outputs)
{
    return outputs / greatest_divisor(outputs, vector_lanes(network));
}

// True where spreading costs less than the lanes that it fills: each number spread is multiplied by
// as many weights as a window has pixels.
bool conv_spreads(const Network *network, const WindowProduct *p)
{
    enum { LEAST_WINDOW = 9, MOST_PERIOD = 5 };
    return p->stride[1] == 1 && p->kernel[0] * p->kernel[1] >= LEAST_WINDOW &&
           4 * p->outputs <= 3 * vector_lanes(network) &&
           period_of(network, p->outputs) <= MOST_PERIOD;
}

// --- sizes --------------------------------------------------------------------------------------

typedef struct {
    int period, vectors; // vectors: of a line of the result
    int groups;          // periods of a line
    int pitch;           // numbers of a spread line, as far as the last window's vectors reach
} Line;

static Line line_of(const Network *network, const WindowProduct *p)
{
    const int size = p->columns * p->outputs;
    Line l = {.period = period_of(network, p->outputs)};
    l.vectors = (size + vector_lanes(network) - 1) / vector_lanes(network);
    l.groups = (l.vectors + l.period - 1) / l.period;
    l.pitch =
        rounded_up(l.groups * l.period * vector_lanes(network) + (p->kernel[1] - 1) * p->outputs,
                   vector_lanes(network));
    return l;
}

// Numbers in a line of the spread picture, for one channel.
int spread_pitch(const Network *network, const WindowProduct *p)
{
    return line_of(network, p).pitch;
}

// --- tiles --------------------------------------------------------------------------------------

static const char *tile_name(Network *network, const SpreadTile *tile)
{
    int i = 0;
    while (i < network->spread_tile_count && memcmp(&network->spread_tiles[i], tile, sizeof *tile))
        i++;
    if (i == MAX_WINDOW_TILES)
        bug("more than %d tiles over lines", MAX_WINDOW_TILES);
    if (i == network->spread_tile_count)
        network->spread_tiles[network->spread_tile_count++] = *tile;
    if (tile->weights)
        return format("line_weights_%dx%dx%d", tile->lines, tile->vectors, tile->period);
    const bool whole = tile->last == vector_lanes(network);
    Text name = {0};
    text_add(&name, "line_%dx%d_of_%d", tile->lines, tile->vectors - !whole, tile->runs);
    if (tile->stride > 1)
        text_add(&name, "_at_%d", tile->stride);
    text_add(&name, "_by_%d", tile->period);
    if (!whole)
        text_add(&name, "_and_%d", tile->last);
    return name.text;
}

static void emit_line_macro(Out *out)
{
    static const char *const tile[] = {
        "#define LINE(name, LINES, STRIDE, RUNS, VECTORS, PERIOD, LAST, Vector)",
        "    static inline __attribute__((always_inline)) void name(",
        "        int channels, int taps, const REAL *x, long xr, long xp, const REAL *w, REAL *y,",
        "        long yl)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[LINES][VECTORS] = {0};",
        "        for (int c = 0; c < channels; c++)",
        "            UNROLLED for (int l = 0; l < (LINES - 1) * STRIDE + RUNS; l++)",
        "                for (int p = 0; p < taps; p++) {",
        "                    const REAL *const from = x + (l * channels + c) * xr + p * xp;",
        "                    Vector at[VECTORS];",
        "                    UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                        memcpy(&at[j], from + j * LANES, sizeof(Vector));",
        "                    UNROLLED for (int i = 0; i < LINES; i++) {",
        "                        const int r = l - i * STRIDE;",
        "                        if (r < 0 || r >= RUNS)",
        "                            continue;",
        "                        const REAL *const line =",
        "                            w + ((r * channels + c) * taps + p) * PERIOD * LANES;",
        "                        UNROLLED for (int k = 0; k < PERIOD; k++) {",
        "                            Vector weight;",
        "                            memcpy(&weight, line + k * LANES, sizeof(Vector));",
        "                            UNROLLED for (int j = k; j < VECTORS; j += PERIOD)",
        "                                sum[i][j] += at[j] * weight;",
        "                        }",
        "                    }",
        "                }",
        "        UNROLLED for (int i = 0; i < LINES; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                const Vector part = sum[i][j];",
        "                memcpy(y + i * yl + j * LANES, &part,",
        "                       (j < VECTORS - 1 ? LANES : LAST) * sizeof(REAL));",
        "            }",
        "    }",
    };
    comment(out, "A tile of some lines, or of pieces of them, over a spread picture: y[i] = the "
                 "sum over c < channels, r < RUNS and p < taps of x[i * STRIDE + r][c][p] "
                 "w[r][c][p], where x[l][c][p] lies at x + (l * channels + c) * xr + p * xp and "
                 "w[r][c][p] repeats after PERIOD vectors. What is loaded of a line of x serves "
                 "all lines of y that meet it.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
}

static void emit_line_weights_macro(Out *out)
{
    static const char *const tile[] = {
        "#define LINE_WEIGHTS(name, RUNS, TAPS, PERIOD, Vector)",
        "    static inline __attribute__((always_inline)) void name(",
        "        int lines, int groups, const REAL *x, long xl, long xr, long xp, const REAL *dy,",
        "        long yl, REAL *dw, long wr)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[RUNS * TAPS][PERIOD];",
        "        UNROLLED for (int t = 0; t < RUNS * TAPS; t++)",
        "            UNROLLED for (int k = 0; k < PERIOD; k++)",
        "                memcpy(&sum[t][k], dw + t / TAPS * wr + (t % TAPS * PERIOD + k) * LANES,",
        "                       sizeof(Vector));",
        "        for (int i = 0; i < lines; i++)",
        "            for (int g = 0; g < groups; g++) {",
        "                const REAL *const from = x + i * xl + g * PERIOD * LANES;",
        "                Vector gradient[PERIOD];",
        "                UNROLLED for (int k = 0; k < PERIOD; k++)",
        ("                    memcpy(&gradient[k], dy + i * yl + (g * PERIOD + k) * LANES, "
         "sizeof(Vector));"),
        "                UNROLLED for (int t = 0; t < RUNS * TAPS; t++)",
        "                    UNROLLED for (int k = 0; k < PERIOD; k++) {",
        "                        Vector at;",
        "                        memcpy(&at, from + t / TAPS * xr + t % TAPS * xp + k * LANES,",
        "                               sizeof(Vector));",
        "                        sum[t][k] += at * gradient[k];",
        "                    }",
        "            }",
        "        UNROLLED for (int t = 0; t < RUNS * TAPS; t++)",
        "            UNROLLED for (int k = 0; k < PERIOD; k++)",
        "                memcpy(dw + t / TAPS * wr + (t % TAPS * PERIOD + k) * LANES, &sum[t][k],",
        "                       sizeof(Vector));",
        "    }",
    };
    comment(out, "The weights' gradient over a spread picture, PERIOD vectors for each weight: "
                 "dw[r][p] += the sum over lines of x[.][r][p] dy.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
}

void emit_spread_tiles(Out *out)
{
    const Network *const network = out->network;
    bool any[2] = {false, false};
    for (int i = 0; i < network->spread_tile_count; i++)
        any[network->spread_tiles[i].weights] = true;
    if (any[0])
        emit_line_macro(out);
    if (any[1])
        emit_line_weights_macro(out);
    const char *const vector = format("Vector%d", vector_lanes(network));
    for (int i = 0; i < network->spread_tile_count; i++) {
        const SpreadTile t = network->spread_tiles[i];
        const char *const name = tile_name(out->network, &t);
        if (t.weights)
            line(out, "LINE_WEIGHTS(%s, %d, %d, %d, %s)", name, t.lines, t.vectors, t.period,
                 vector);
        else
            line(out, "LINE(%s, %d, %d, %d, %d, %d, %d, %s)", name, t.lines, t.stride, t.runs,
                 t.vectors, t.period, t.last, vector);
    }
    if (any[0] || any[1])
        blank_line(out);
}

// --- functions that layers of one shape share ---------------------------------------------------

// One tile of `lines` lines from C expression `first` on, and its vectors from `vector` on.
static void forward_tile(Out *out, const WindowProduct *p, const Line *l, int lines,
                         const char *first, int vector, int vectors)
{
    const int full = vector_lanes(out->network), size = p->columns * p->outputs;
    const bool ends = vector + vectors == l->vectors;
    const SpreadTile tile = {.lines = lines,
                             .vectors = vectors,
                             .period = l->period,
                             .runs = p->kernel[0],
                             .stride = p->stride[0],
                             .last = ends ? size - (l->vectors - 1) * full : full};
    const char *const offset = vector ? format(" + %d", vector * full) : "";
    const bool at_first = *first == '0' && !first[1];
    const char *const x =
        at_first ? "x" : format("x + %s * %d", first, p->stride[0] * p->channels * l->pitch);
    const char *const y = at_first ? "y" : format("y + %s * %d", first, size);
    call_line(out, tile_name(out->network, &tile),
              format("%d, %d, %s%s, %d, %d, w, %s%s, %d", p->channels, p->kernel[1], x, offset,
                     l->pitch, p->outputs, y, offset, size));
}

typedef struct {
    int lines, vectors;
} Piece;

// Lines and whole periods of vectors of a tile whose sums, the vectors of x and one of the weights
// stay in registers: those of the fewest loads for each multiply-add. A vector of x lies across two
// lines of the cache and counts twice.
static Piece best_piece(const Network *network, const WindowProduct *p, const Line *l)
{
    Piece best = {1, l->period};
    double least = 1e300;
    for (int vectors = l->period; vectors < l->vectors + l->period; vectors += l->period) {
        int lines = (network->target->registers - 1) / vectors - 1;
        lines = lines > p->lines ? p->lines : lines;
        if (lines < 1)
            break;
        const int met = (lines - 1) * p->stride[0] + p->kernel[0]; // lines of x
        const double products = (double)lines * p->kernel[0] * vectors;
        const double loads = 2.0 * met * vectors + (double)lines * p->kernel[0] * l->period;
        if (loads / products < least) {
            least = loads / products;
            best = (Piece){lines, vectors};
        }
    }
    return best;
}

static void forward_lines(Out *out, const WindowProduct *p, const Line *l, int lines,
                          const char *first, int most)
{
    for (int v = 0; v < l->vectors; v += most)
        forward_tile(out, p, l, lines, first, v, v + most < l->vectors ? most : l->vectors - v);
}

void emit_spread_forward(Out *out, const WindowProduct *p)
{
    const Line l = line_of(out->network, p);
    const Piece piece = best_piece(out->network, p, &l);
    const int whole = p->lines / piece.lines, rest = p->lines % piece.lines;
    line(out, "for (int line = 0; line < %d; %s) {", whole * piece.lines,
         piece.lines == 1 ? "line++" : format("line += %d", piece.lines));
    forward_lines(out, p, &l, piece.lines, "line", piece.vectors);
    line(out, "}");
    if (rest)
        forward_lines(out, p, &l, rest, format("%d", whole * piece.lines), piece.vectors);
}

// One tile of `runs` runs from C expression `first` on (NULL: 0), and taps from `tap` on.
static void weights_tile(Out *out, const WindowProduct *p, const Line *l, int runs,
                         const char *first, int tap, int taps)
{
    const int wide = l->period * vector_lanes(out->network), pitch = p->kernel[1] * wide;
    const char *const x = first ? format("x + %s * %d", first, l->pitch) : "x";
    const char *const dw = first ? format("dw + %s * %d", first, pitch) : "dw";
    const SpreadTile tile = {.weights = true, .lines = runs, .vectors = taps, .period = l->period};
    call_line(out, tile_name(out->network, &tile),
              format("%d, %d, %s%s, %d, %d, %d, dy, %d, %s%s, %d", p->lines, l->groups, x,
                     tap ? format(" + %d", tap * p->outputs) : "",
                     p->stride[0] * p->channels * l->pitch, l->pitch, p->outputs, l->groups * wide,
                     dw, tap ? format(" + %d", tap * wide) : "", pitch));
}

void emit_spread_weights(Out *out, const WindowProduct *p)
{
    Network *const network = out->network;
    const Line l = line_of(network, p);
    const int runs = p->kernel[0] * p->channels;
    const int most = (network->target->registers - l.period - 1) / l.period;
    int some = most / p->kernel[1]; // runs of a tile
    some = some < 1 ? 1 : some > runs ? runs : some;
    const int taps = p->kernel[1] < most ? p->kernel[1] : most;
    const int whole = runs / some, rest = runs % some;
    if (whole > 1)
        line(out, "for (int r = 0; r < %d; %s) {", whole * some,
             some == 1 ? "r++" : format("r += %d", some));
    for (int t = 0; t < p->kernel[1]; t += taps)
        weights_tile(out, p, &l, some, whole > 1 ? "r" : NULL, t,
                     t + taps < p->kernel[1] ? taps : p->kernel[1] - t);
    if (whole > 1)
        line(out, "}");
    for (int t = 0; rest && t < p->kernel[1]; t += taps)
        weights_tile(out, p, &l, rest, format("%d", whole * some), t,
                     t + taps < p->kernel[1] ? taps : p->kernel[1] - t);
}

// --- layers -------------------------------------------------------------------------------------

// w[ky][kx][ci][co] as it goes along a line: woven[ky][ci][kx][.]
void emit_weaving(Out *out, const WindowProduct *p, const char *w)
{
    const int wide = line_of(out->network, p).period * vector_lanes(out->network);
    line(out, "%s woven[%d][%d][%d][%d]; // the weights as they repeat along a line",
         real_type(out->network), p->kernel[0], p->channels, p->kernel[1], wide);
    line(out, "for (int r = 0; r < %d; r++)", p->kernel[0]);
    line(out, "    for (int s = 0; s < %d; s++)", p->kernel[1]);
    line(out, "        for (int c = 0; c < %d; c++)", p->channels);
    line(out, "            for (int j = 0; j < %d; j++)", wide);
    line(out, "                woven[r][c][s][j] = %s[r][s][c][j %% %d];", w, p->outputs);
}

// Declares what emit_unweaving adds up.
void emit_woven_sums(Out *out, const WindowProduct *p)
{
    const Line l = line_of(out->network, p);
    const int wide = l.period * vector_lanes(out->network);
    const char *const type = real_type(out->network);
    line(out, "%s woven[%d][%d][%d][%d] = {0}; // dw in each lane of a line", type, p->kernel[0],
         p->channels, p->kernel[1], wide);
    line(out, "%s lines[%d][%d] = {0}; // of dy, as whole vectors", type, p->lines,
         l.groups * wide);
}

void emit_unweaving(Out *out, const WindowProduct *p)
{
    const int wide = line_of(out->network, p).period * vector_lanes(out->network);
    line(out, "for (int r = 0; r < %d; r++)", p->kernel[0]);
    line(out, "    for (int s = 0; s < %d; s++)", p->kernel[1]);
    line(out, "        for (int c = 0; c < %d; c++)", p->channels);
    line(out, "            for (int j = 0; j < %d; j++)", wide);
    line(out, "                dw[r][s][c][j %% %d] += woven[r][c][s][j];", p->outputs);
}
