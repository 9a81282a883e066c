// emit_window.c: tiles over windows of a picture, which direct convolutions are made of.
//
// A picture lies as [row][column][channel], so the window below a pixel is a few runs of contiguous
// numbers, one for each of its rows, and the windows of neighbouring pixels overlap. A tile is a
// matrix product that reads its left operand as such windows where they lie; nothing is copied.
// Its rows are the pixels of a line (forward), or the numbers of the window (weights' gradient).
#include "emit.h"

#include <string.h>

// --- what is read, and how much at a time --------------------------------------------------------

// C expression `base`, `index` steps further on.
const char *plus(const char *base, const char *index, long step)
{
    if (!strcmp(index, "0") || !step)
        return base;
    return step == 1 ? format("%s + %s", base, index) : format("%s + %s * %ld", base, index, step);
}

// Lines of a picture that take `most` bytes at most, or one; as many each time.
int lines_at_a_time(int height, long line_bytes, long most)
{
    int lines = height;
    while (lines > 1 && (height % lines || lines * line_bytes > most))
        lines--;
    return lines;
}

// Whether a matrix of so many numbers stays in the first cache, of which windows and results take
// the rest. All of its columns count, of which a strip is a part: what is left out between its rows
// leaves those sets of the cache empty, and has it fill the others.
bool window_matrix_is_near(const Network *network, double numbers)
{
    enum { NEAR_BYTES = 24 << 10 };
    return numbers * (double)element_bytes(network, TYPE_REAL) <= NEAR_BYTES;
}

// --- narrow vectors -----------------------------------------------------------------------------

// Lanes of the narrowest vector that holds so many numbers, which a full one does.
int lanes_for(const Network *network, int numbers)
{
    int lanes = vector_lanes(network);
    while (lanes / 2 >= numbers)
        lanes /= 2;
    return lanes;
}

static const char *vector_of(const Network *network, int lanes)
{
    return lanes == 1 ? real_type(network) : format("Vector%d", lanes);
}

// --- heights ------------------------------------------------------------------------------------

typedef struct {
    int unit; // rows that stay together
    int vectors;
    double wait; // as in WindowRows
    bool far;
} TileKind;

// Cycles of one term of a tile: two multiply-adds or loads in a cycle, each multiply-add waiting
// for the one before it; and where the picture is far, a quarter for each load, as measured.
static double tile_cycles(int units, const TileKind *kind)
{
    const double rows = units * kind->unit, loads = rows + kind->vectors;
    double cycles = rows * kind->vectors / 2;
    cycles = loads / 2 > cycles ? loads / 2 : cycles;
    return (cycles < kind->wait ? kind->wait : cycles) + (kind->far ? loads / 4 : 0);
}

static double pieces_cycles(const Pieces *p, const TileKind *kind)
{
    return p->many * tile_cycles(p->high, kind) + (p->few ? p->few * tile_cycles(p->low, kind) : 0);
}

// What is not usual must take at most so much of the usual cycles.
static const double clearly = 0.95;

// The best way to cut so many units, by its cycles, which are left in *least: tiles that are alike
// and one for the rest, or, where that is clearly better, two heights that differ by one.
static Pieces best_pieces(const Network *network, int count, const TileKind *kind, double *least)
{
    const int fit = most_tile_rows(network, kind->vectors) / kind->unit, most = fit > 1 ? fit : 1;
    Pieces best = {0};
    *least = 1e300;
    for (int n = 1; n <= most && n <= count; n++) {
        const Pieces p = {n, count / n, count % n, count % n ? 1 : 0, 0};
        const double cycles = pieces_cycles(&p, kind);
        // the higher of two that cost the same, but for one that leaves a rest
        if (cycles < *least || (cycles == *least && !p.few)) {
            *least = cycles;
            best = p;
        }
    }
    double limit = clearly * *least;
    for (int tiles = (count + most - 1) / most; tiles < count; tiles++) {
        const int low = count / tiles, higher = count % tiles;
        const Pieces p = {low + 1, higher, low, tiles - higher, 0};
        const double cycles = pieces_cycles(&p, kind);
        if (higher && cycles < limit) {
            *least = limit = cycles;
            best = p;
        }
    }
    return best;
}

WindowCut window_cut(const Network *network, const WindowRows *rows, int vectors)
{
    const bool whole = rows->line <= most_tile_rows(network, vectors); // lines fit into tiles
    const TileKind kind = {whole ? rows->line : 1, vectors, rows->wait, rows->far};
    WindowCut cut = {.lines = whole};
    cut.pieces = best_pieces(network, whole ? rows->lines : rows->line, &kind, &cut.cycles);
    if (!whole)
        cut.cycles *= rows->lines;
    return cut;
}

// A matrix of `rows` times `vectors` in tiles: how high and how wide they are best.
SpanCut span_cut(const Network *network, int rows, int vectors)
{
    SpanCut best = {.vectors = 1};
    double least = 1e300;
    for (int wide = 1; wide <= vectors && most_tile_rows(network, wide) > 0; wide++) {
        const TileKind kind = {1, wide, LATENCY, false}, rest = {1, vectors % wide, LATENCY, false};
        double cycles;
        const Pieces pieces = best_pieces(network, rows, &kind, &cycles);
        // the last strip's tiles are as high as the others
        cycles = vectors / wide * cycles + (rest.vectors ? pieces_cycles(&pieces, &rest) : 0);
        if (cycles < least) {
            least = cycles;
            best = (SpanCut){pieces, wide};
        }
    }
    return best;
}

static void emit_alike(Out *out, int from, int count, int each, const char *index, TileCall *call,
                       const void *strip)
{
    if (count > 1) {
        line(out, "for (int %s = %d; %s < %d; %s)", index, from, index, from + count * each,
             each == 1 ? format("%s++", index) : format("%s += %d", index, each));
        out->depth++;
        call(strip, each, index);
        out->depth--;
    } else if (count) {
        call(strip, each, format("%d", from));
    }
}

void emit_pieces(Out *out, const Pieces *p, const char *index, TileCall *call, const void *strip)
{
    emit_alike(out, p->from, p->many, p->high, index, call, strip);
    emit_alike(out, p->from + p->many * p->high, p->few, p->low, index, call, strip);
}

// --- strips of columns --------------------------------------------------------------------------

enum { AHEAD = 8 };

// Rows of a matrix ahead of which tiles ask the memory for it. With vectors of 32 bytes asking
// takes more than it brings, as measured.
int rows_asked_ahead(const Network *network, bool near)
{
    return near || network->target->vector_bytes == 32 ? 0 : AHEAD;
}

// The columns' full vectors as strips of so many, and of what those leave: the cycles of a term.
static double strip_cycles(const Network *network, const WindowRows *rows, int full, int vectors)
{
    const double last = full % vectors ? window_cut(network, rows, full % vectors).cycles : 0;
    return full / vectors * window_cut(network, rows, vectors).cycles + last;
}

// Pairs of vectors, or one where there is one, but four where they are clearly better. Panels are
// pairs, so that those who write and read them agree.
static int best_vectors(const Network *network, const WindowRows *rows, int full)
{
    const int usual = full < 2 ? 1 : 2;
    if (full < 4 || rows->panels)
        return usual;
    const double limit = clearly * strip_cycles(network, rows, full, usual);
    return strip_cycles(network, rows, full, 4) < limit ? 4 : usual;
}

// The result's columns as strips: of some full vectors, of the full ones that those leave, and a
// last one for the rest. Lanes beyond the rest multiply zeros that a packed copy of the matrix has
// there.
int window_strips(const Network *network, int columns, const WindowRows *rows, WindowStrip *strips)
{
    const int lanes = vector_lanes(network);
    int count = 0, column = 0;
    for (int full; (full = (columns - column) / lanes) > 0;) {
        const int vectors = best_vectors(network, rows, full);
        strips[count] = (WindowStrip){.first = column,
                                      .width = vectors * lanes,
                                      .vectors = vectors,
                                      .lanes = lanes,
                                      .runs = full / vectors};
        column += strips[count].runs * strips[count].width;
        count++;
    }
    const int rest = columns - column;
    if (rest)
        strips[count++] = (WindowStrip){.first = column,
                                        .width = rest,
                                        .vectors = 1,
                                        .lanes = lanes_for(network, rest),
                                        .runs = 1};
    for (int i = 0; i < count; i++)
        strips[i].ahead = rows_asked_ahead(network, rows->near || rows->panels);
    return count;
}

// --- tiles --------------------------------------------------------------------------------------

// Notes that a tile of so many bytes is needed: one of `count` that are known, or the next of
// MAX_WINDOW_TILES.
void note_tile(void *tiles, int *count, const void *tile, size_t size)
{
    for (int i = 0; i < *count; i++)
        if (!memcmp((char *)tiles + (size_t)i * size, tile, size))
            return;
    if (*count == MAX_WINDOW_TILES)
        bug("more than %d tiles of one kind", MAX_WINDOW_TILES);
    memcpy((char *)tiles + (size_t)(*count)++ * size, tile, size);
}

// The name of the tile of `lines` times `rows` rows and one strip's columns, which will be there.
const char *window_tile(Network *network, int lines, int rows, const WindowStrip *strip)
{
    const WindowTile tile = {.rows = lines * rows,
                             .line = lines > 1 ? rows : 0,
                             .width = strip->width,
                             .vectors = strip->vectors,
                             .lanes = strip->lanes,
                             .ahead = strip->ahead};
    note_tile(network->window_tiles, &network->window_tile_count, &tile, sizeof tile);
    const char *const ahead = !strip->ahead          ? "_near"
                              : strip->ahead > AHEAD ? "_first"
                                                     : "";
    return lines > 1 ? format("window_%dx%dx%d%s", lines, rows, strip->width, ahead)
                     : format("window_%dx%d%s", rows, strip->width, ahead);
}

void emit_window_tiles(Out *out)
{
    static const char *const tile[] = {
        "#define WINDOW(name, ROW_COUNT, LINE, VECTORS, Vector, WIDTH, AHEAD)",
        "    static INLINED void name(",
        "        int runs, int terms, const REAL *a, long ai, long al, long ar, long ap,",
        "        const REAL *b, long br, long bp, REAL *c, long ci, bool add)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[ROW_COUNT][VECTORS] = {0};",
        "        if (add)",
        "            UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                    Vector part = {0};",
        ("                    memcpy(&part, c + i * ci + j * LANES, WIDTH / VECTORS * "
         "sizeof(REAL));"),
        "                    sum[i][j] = part;",
        "                }",
        "        for (int r = 0; r < runs; r++)",
        "            for (int p = 0; p < terms; p++) {",
        "                const REAL *const from = a + r * ar + p * ap;",
        "                const uintptr_t next =",
        "                    (uintptr_t)(b + r * br) + (p + AHEAD) * bp * sizeof(REAL);",
        "                Vector row[VECTORS];",
        "                UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                    memcpy(&row[j], b + r * br + p * bp + j * LANES, sizeof(Vector));",
        "                    if (AHEAD)",
        "                        __builtin_prefetch((void *)(next + j * sizeof(Vector)));",
        "                }",
        "                FORGET;",
        "                UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                    UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                        sum[i][j] += from[i / LINE * al + i % LINE * ai] * row[j];",
        "            }",
        "        UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                Vector part = sum[i][j];",
        "                if (WIDTH < VECTORS * LANES)",
        "                    IN_MEMORY(part);",
        "                memcpy(c + i * ci + j * LANES, &part, WIDTH / VECTORS * sizeof(REAL));",
        "            }",
        "    }",
    };
    Network *const network = out->network;
    if (!network->window_tile_count)
        return;
    comment(out, "A tile over windows, in vector registers: c[i] = the sum over r < runs and "
                 "p < terms of a[i][r][p] b[r][p], or that added to c. a[i][r][p] lies at "
                 "a[i / LINE * al + i %% LINE * ai + r * ar + p * ap], b[r][p] at "
                 "b[r * br + p * bp], rows of c are ci apart and WIDTH wide. The memory is asked "
                 "for a row of b AHEAD rows before it is needed, or not at all where that is 0.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
    for (int i = 0; i < network->window_tile_count; i++) {
        const WindowTile *const t = &network->window_tiles[i];
        const WindowStrip strip = {
            .width = t->width, .vectors = t->vectors, .lanes = t->lanes, .ahead = t->ahead};
        const int line_rows = t->line ? t->line : t->rows;
        line(out, "WINDOW(%s, %d, %d, %d, %s, %d, %d)",
             window_tile(network, t->rows / line_rows, line_rows, &strip), t->rows, line_rows,
             t->vectors, vector_of(network, t->lanes), t->width, t->ahead);
    }
    blank_line(out);
}
