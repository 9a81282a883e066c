// emit_conv_spread.c: direct convolution to fewer channels than a vector has lanes.
//
// A line of the result, pixel by pixel and channel by channel, is one row of numbers, and is cut
// into whole vectors, so that no lane is left out. What is read is spread likewise: each pixel's
// number as often as the result has channels. The pixel to the right is then so many numbers
// further on, and the weights repeat along a line with a period of a few vectors.
#include "netc.h"

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

static const char *tile_name(Network *network, bool weights, int lines, int vectors, int period,
                             int last)
{
    const SpreadTile tile = {weights, lines, vectors, period, last};
    int i = 0;
    for (; i < network->spread_tile_count; i++) {
        const SpreadTile *const t = &network->spread_tiles[i];
        if (t->weights == weights && t->lines == lines && t->vectors == vectors &&
            t->period == period && t->last == last)
            break;
    }
    if (i == MAX_WINDOW_TILES)
        bug("more than %d tiles over lines", MAX_WINDOW_TILES);
    if (i == network->spread_tile_count)
        network->spread_tiles[network->spread_tile_count++] = tile;
    if (weights)
        return format("line_weights_%dx%dx%d", lines, vectors, period);
    return last == vector_lanes(network)
               ? format("line_%dx%d_by_%d", lines, vectors, period)
               : format("line_%dx%d_by_%d_and_%d", lines, vectors - 1, period, last);
}

static void emit_line_macro(Out *out)
{
    static const char *const tile[] = {
        "#define LINE(name, LINES, VECTORS, PERIOD, LAST, Vector)",
        "    static inline __attribute__((always_inline)) void name(",
        "        int runs, int taps, const REAL *x, long xl, long xr, long xp, const REAL *w,",
        "        REAL *y, long yl)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[LINES][VECTORS] = {0};",
        "        for (int r = 0; r < runs; r++)",
        "            for (int p = 0; p < taps; p++) {",
        "                Vector weight[PERIOD];",
        "                UNROLLED for (int k = 0; k < PERIOD; k++)",
        "                    memcpy(&weight[k], w + ((r * taps + p) * PERIOD + k) * LANES, "
        "sizeof(Vector));",
        "                UNROLLED for (int i = 0; i < LINES; i++)",
        "                    UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                        Vector at;",
        "                        memcpy(&at, x + i * xl + r * xr + p * xp + j * LANES, "
        "sizeof(Vector));",
        "                        sum[i][j] += at * weight[j % PERIOD];",
        "                    }",
        "            }",
        "        UNROLLED for (int i = 0; i < LINES; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                const Vector part = sum[i][j];",
        "                memcpy(y + i * yl + j * LANES, &part,",
        "                       (j < VECTORS - 1 ? LANES : LAST) * sizeof(REAL));",
        "            }",
        "    }",
    };
    comment(out, "A tile of whole lines, or of pieces of them, over a spread picture: y[i] = the "
                 "sum over r < runs and p < taps of x[i][r][p] w[r][p], where x[i][r][p] lies at "
                 "x + i * xl + r * xr + p * xp and w[r][p] repeats after PERIOD vectors.");
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
        const char *const name =
            tile_name(out->network, t.weights, t.lines, t.vectors, t.period, t.last);
        if (t.weights)
            line(out, "LINE_WEIGHTS(%s, %d, %d, %d, %s)", name, t.lines, t.vectors, t.period,
                 vector);
        else
            line(out, "LINE(%s, %d, %d, %d, %d, %s)", name, t.lines, t.vectors, t.period, t.last,
                 vector);
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
    const int last = ends ? size - (l->vectors - 1) * full : full;
    const char *const offset = vector ? format(" + %d", vector * full) : "";
    const bool at_first = *first == '0' && !first[1];
    const char *const x =
        at_first ? "x" : format("x + %s * %d", first, p->stride[0] * p->channels * l->pitch);
    const char *const y = at_first ? "y" : format("y + %s * %d", first, size);
    const char *const start =
        format("%s(", tile_name(out->network, false, lines, vectors, l->period, last));
    line(out, "%s",
         wrapped(4 * out->depth, start,
                 format("%d, %d, %s%s, %d, %d, %d, w, %s%s, %d", p->kernel[0] * p->channels,
                        p->kernel[1], x, offset, p->stride[0] * p->channels * l->pitch, l->pitch,
                        p->outputs, y, offset, size),
                 ");"));
}

// A line as pieces of whole periods, as few as the registers allow.
static void forward_line(Out *out, const WindowProduct *p, const Line *l, int lines,
                         const char *first, int most)
{
    const int pieces = (l->vectors + most - 1) / most;
    int piece = rounded_up((l->vectors + pieces - 1) / pieces, pieces > 1 ? l->period : 1);
    if (piece > most)
        piece = most / l->period * l->period;
    for (int v = 0; v < l->vectors; v += piece)
        forward_tile(out, p, l, lines, first, v, v + piece < l->vectors ? piece : l->vectors - v);
}

void emit_spread_forward(Out *out, const WindowProduct *p)
{
    const Line l = line_of(out->network, p);
    const int most = out->network->target->registers - l.period - 1;
    int lines = most / l.vectors;
    lines = lines < 1 ? 1 : lines > p->lines ? p->lines : lines;
    lines = (p->lines + (p->lines + lines - 1) / lines - 1) / ((p->lines + lines - 1) / lines);
    const int whole = p->lines / lines, rest = p->lines % lines;
    line(out, "for (int line = 0; line < %d; %s) {", whole * lines,
         lines == 1 ? "line++" : format("line += %d", lines));
    forward_line(out, p, &l, lines, "line", most);
    line(out, "}");
    if (rest)
        forward_line(out, p, &l, rest, format("%d", whole * lines), most);
}

// One tile of `runs` runs from C expression `first` on (NULL: 0), and taps from `tap` on.
static void weights_tile(Out *out, const WindowProduct *p, const Line *l, int runs,
                         const char *first, int tap, int taps)
{
    const int wide = l->period * vector_lanes(out->network), pitch = p->kernel[1] * wide;
    const char *const x = first ? format("x + %s * %d", first, l->pitch) : "x";
    const char *const dw = first ? format("dw + %s * %d", first, pitch) : "dw";
    const char *const start =
        format("%s(", tile_name(out->network, true, runs, taps, l->period, 0));
    line(out, "%s",
         wrapped(4 * out->depth, start,
                 format("%d, %d, %s%s, %d, %d, %d, dy, %d, %s%s, %d", p->lines, l->groups, x,
                        tap ? format(" + %d", tap * p->outputs) : "",
                        p->stride[0] * p->channels * l->pitch, l->pitch, p->outputs,
                        l->groups * wide, dw, tap ? format(" + %d", tap * wide) : "", pitch),
                 ");"));
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
