// emit_strip.c: the tiles of matrix products, and the strips of columns that they go down.
//
// A tile of the result stays in vector registers while the sum over the common dimension runs. One
// row of tiles after the other, as many as the rows are high, is a strip: a few vectors of columns.
#include "emit.h"

#include <string.h>

// --- rows and columns ---------------------------------------------------------------------------

static Heights heights_of(const Network *network, int rows, Tiling tiling)
{
    enum { LEAST = 4 };
    const int most = most_tile_rows(network, tiling.vectors);
    const int tiles = (rows + most - 1) / most;
    Heights h = {.full = tiling.rows ? tiling.rows : (rows + tiles - 1) / tiles};
    h.rest = rows % h.full;
    if (!h.rest)
        h.rest = h.full > LEAST ? LEAST : 1; // for a batch that is cut short
    return h;
}

int tile_rows(const Network *network, const Product *product, Tiling tiling)
{
    return heights_of(network, product->rows, tiling).full;
}

// Columns of a strip's first panel, where it goes through two.
static int first_panel(const ProductStrip *s) { return (s->vectors - s->second) * s->lane_count; }

static const char *strip_name(const ProductStrip *s)
{
    const int last = s->second ? s->width - first_panel(s) : s->width;
    const char *const first = s->second ? format("%dand", first_panel(s)) : "";
    const char *const of = s->skip ? format("of%d", s->skip + last) : "";
    return format("strip_%d_%dx%s%d%s%s%s", s->heights.full, s->heights.rest, first, last, of,
                  s->near ? "_near" : "", s->listed ? "_listed" : "");
}

// Columns as strips: of so many full vectors, then what those leave. That is one more strip
// wherever the columns before it fill its vectors up: a vector of few columns takes as long as a
// full one.
static int cut_columns(const Network *network, int columns, int vectors, ProductStrip *strips)
{
    int lanes = vector_lanes(network), count = 0;
    int rest = columns;
    if (columns >= vectors * lanes) {
        const int width = vectors * lanes;
        strips[count++] = (ProductStrip){
            .width = width, .vectors = vectors, .lane_count = lanes, .runs = columns / width};
        rest %= width;
    }
    while (rest > 0) {
        while (lanes > columns || (rest < lanes && (rest & (rest - 1)) == 0 && lanes > rest))
            lanes /= 2;
        int wide = (rest + lanes - 1) / lanes;
        if (wide * lanes > columns)
            wide--;
        const int width = wide * lanes < rest ? wide * lanes : rest;
        strips[count++] = (ProductStrip){.width = width,
                                         .vectors = wide,
                                         .lane_count = lanes,
                                         .skip = wide * lanes - width,
                                         .first = columns - rest,
                                         .runs = 1};
        rest -= width;
    }
    return count;
}

// A strip for each panel of several columns.
static int cut_panels(const Network *network, Panels panels, ProductStrip *strips)
{
    const int left = panels.whole - panels.last;
    if (left <= panels.width)
        return cut_columns(network, panels.whole, PANEL_VECTORS, strips);
    const int count = cut_columns(network, panels.last, PANEL_VECTORS, strips);
    strips[count] = (ProductStrip){.width = left,
                                   .vectors = PANEL_VECTORS + 1,
                                   .lane_count = vector_lanes(network),
                                   .first = panels.last,
                                   .runs = 1};
    return count + 1;
}

static Panels panels_of_product(const Network *network, const Product *p)
{
    return panels_of(network, p->form == ROWS_BY_PANELS ? p->panel_rows : p->terms, p->columns);
}

// Whether b stays in the first cache from one tile to the next, for so many of them that it does
// not count how far it was from the first.
static bool stays_near(const Network *network, const Product *p, Heights heights)
{
    enum { NEAR_BYTES = 40 << 10, MANY = 8 };
    const long batch = (long)network->block_rows * network->blocks;
    const long rows_of_b = is_outer(p) ? batch : is_in_panels(p) ? p->panel_rows : p->terms;
    return rows_of_b * p->b_line * element_bytes(network, TYPE_REAL) <= NEAR_BYTES &&
           p->rows >= MANY * heights.full;
}

// Two panels side by side become one strip.
static int pair_panels(const ProductStrip *alone, int count, ProductStrip *strips)
{
    int made = 0;
    for (int s = 0; s < count; s++) {
        ProductStrip strip = alone[s];
        if (strip.vectors == PANEL_VECTORS && strip.runs > 1) {
            ProductStrip two = strip;
            two.width *= 2, two.vectors *= 2, two.second = PANEL_VECTORS, two.runs /= 2;
            strips[made++] = two;
            strip.first += two.runs * two.width;
            strip.runs %= 2;
        }
        const ProductStrip *const next = &alone[s + 1];
        if (strip.vectors == PANEL_VECTORS && strip.runs == 1 && s + 1 < count &&
            next->runs == 1 && next->lane_count == strip.lane_count) {
            strip.width += next->width, strip.vectors += next->vectors;
            strip.second = next->vectors, strip.skip = next->skip;
            s++;
        }
        if (strip.runs)
            strips[made++] = strip;
    }
    return made;
}

// Rows of a tile through two panels, but not more than of any whose terms are listed.
static int paired_rows(const Network *network)
{
    const int most = most_tile_rows(network, 2 * PANEL_VECTORS);
    return most < LISTED_ROWS ? most : LISTED_ROWS;
}

// Measured with drawings of which 81 % is 0 and clothes of which half is: tiles of four rows lose
// with these, those of two win (docs/performance.md).
double enough_zeros(const Network *network)
{
    return paired_rows(network) < LISTED_ROWS ? 0.45 : 0.65;
}

static int tiles_across(const ProductStrip *strips, int count)
{
    int tiles = 0;
    for (int s = 0; s < count; s++)
        tiles += strips[s].runs;
    return tiles;
}

// Low tiles leave more out, since fewer numbers must be 0 for it, and take as long as high ones if
// they are as much wider: through two panels. Where registers hold only two rows of such, these
// leave a quarter fewer terms than four do (MNIST's pictures: 29 and 39 of 100), which must make up
// for what finds no second panel.
static int list_strips(const Network *network, const Product *p, ProductStrip *strips, int count)
{
    int rows = LISTED_ROWS, made = count;
    if (is_in_panels(p)) {
        ProductStrip paired[MAX_STRIPS];
        const int pairs = pair_panels(strips, count, paired);
        if (paired_rows(network) == LISTED_ROWS ||
            tiles_across(paired, pairs) * 3 < tiles_across(strips, count) * 2) {
            memcpy(strips, paired, (size_t)pairs * sizeof *strips);
            made = pairs;
            rows = paired_rows(network);
        }
    }
    rows = rows < p->rows ? rows : p->rows;
    for (int s = 0; s < made; s++) {
        strips[s].listed = true;
        strips[s].heights =
            heights_of(network, p->rows, (Tiling){.rows = rows, .vectors = strips[s].vectors});
    }
    return made;
}

int product_strips(const Network *network, const Product *p, ProductStrip *strips)
{
    const Tiling tiling = tiling_of(network, p);
    const int count = is_in_panels(p) ? cut_panels(network, panels_of_product(network, p), strips)
                                      : cut_columns(network, p->columns, tiling.vectors, strips);
    if (p->skips)
        return list_strips(network, p, strips, count);
    for (int s = 0; s < count; s++) {
        const bool wider = strips[s].vectors > tiling.vectors;
        strips[s].heights = heights_of(
            network, p->rows, wider ? (Tiling){.vectors = strips[s].vectors} : tiling);
        strips[s].near = stays_near(network, p, strips[s].heights);
    }
    return count;
}

int lone_columns(const Network *network, const Product *p)
{
    return is_in_panels(p) ? p->columns - panels_of_product(network, p).whole : 0;
}

// Lone columns of an outer product: its rows, in as many vectors as a tile that is as high as there
// are such columns leaves registers for; and one row by itself.
int lone_strips(const Network *network, const Product *p, ProductStrip *strips)
{
    const int high = lone_columns(network, p);
    if (!high || !is_outer(p))
        return 0;
    const Heights heights = {.full = high, .rest = 1};
    const int vectors = (network->target->registers - 1) / (high + 1);
    int count = cut_columns(network, p->rows, vectors < 8 ? vectors : 8, strips);
    strips[count++] =
        (ProductStrip){.width = 1, .vectors = 1, .lane_count = 1, .runs = 1};
    for (int s = 0; s < count; s++)
        strips[s].heights = heights;
    return count;
}

// --- calls --------------------------------------------------------------------------------------

// Opens the loop over strips of one kind where there are several; `several`: of several statements.
StripCall open_product_strip(Out *out, const ProductStrip *strip, bool several)
{
    const int skip = strip->second ? 0 : strip->skip, first = strip->first - skip;
    const int wide = strip->second ? first_panel(strip) : strip->width;
    const char *const name = strip_name(strip);
    if (strip->runs == 1)
        return (StripCall){name, first ? format(" + %d", first) : "",
                           strip->first ? format("%d", strip->first) : "", skip, wide};
    line(out, "for (int j = %d; j < %d; j += %d)%s", strip->first,
         strip->first + strip->runs * strip->width, strip->width, several ? " {" : "");
    out->depth += !several;
    return (StripCall){name, " + j", "j", 0, wide};
}

StripCall next_panel(const ProductStrip *strip, const StripCall *first)
{
    const int wide = strip->width - first->wide, at = strip->first + first->wide;
    const bool one = strip->runs == 1;
    const char *const column = one ? format(" + %d", at - strip->skip)
                                   : format(" + j + %d", first->wide);
    const char *const panel = one ? format("%d", at) : format("(j + %d)", first->wide);
    return (StripCall){first->name, column, panel, strip->skip, wide};
}

void close_product_strip(Out *out, const ProductStrip *strip, bool several)
{
    if (strip->runs == 1)
        return;
    if (several)
        line(out, "}");
    else
        out->depth--;
}

// --- macros -------------------------------------------------------------------------------------

// Rows are asked for ahead: weights and moments of several layers are more than a second cache
// holds, and from the third a row comes later than a tile needs it. What is near is not: each
// question takes the place of a load. Vectors of 8 bytes may be loaded again: to keep one, gcc
// takes it through memory. Of single numbers gcc would make vectors, and round each product.
static void emit_tile_macro(Out *out)
{
    static const char *const tile[] = {
        "#define TILE(how, name, ROW_COUNT, VECTORS, Vector, SKIP, AHEAD)",
        "    static how void name(",
        "        int terms, const REAL *a, long ai, long ap, const REAL *b, long bp, REAL *c,",
        "        long ci, int add)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[ROW_COUNT][VECTORS] = {0};",
        "        if (add == FROM)",
        "            UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                    sum[i][j] =",
        "                        PART_OF(Vector, c + i * ci + j * LANES, j == 0 ? SKIP : 0);",
        "        for (int p = 0; p < terms; p++) {",
        "            Vector row[VECTORS];",
        "            const uintptr_t next = (uintptr_t)b + (p + AHEAD) * bp * sizeof(REAL);",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                memcpy(&row[j], b + p * bp + j * LANES, sizeof(Vector));",
        "                if (AHEAD)",
        "                    __builtin_prefetch((void *)(next + j * sizeof(Vector)));",
        "            }",
        "            if (LANES == 1 || sizeof(Vector) > 8)",
        "                FORGET;",
        "            UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                    sum[i][j] += a[i * ai + p * ap] * row[j];",
        "        }",
        "        UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                REAL *const to = c + i * ci + j * LANES;",
        "                Vector v = sum[i][j];",
        "                const int skip = j == 0 ? SKIP : 0;",
        "                if (add == ONTO)",
        "                    v += PART_OF(Vector, to, skip);",
        "                if (skip)",
        "                    IN_MEMORY(v);",
        "                memcpy(to + skip, (const REAL *)&v + skip,",
        "                       (LANES - skip) * sizeof(REAL));",
        "            }",
        "    }",
    };
    static const char *const part[] = {
        "#define PART_OF(Vector, from, skip)",
        "    ({",
        "        Vector part = {0};",
        "        memcpy((REAL *)&part + (skip), (from) + (skip),",
        "               sizeof part - (skip) * sizeof(REAL));",
        "        part;",
        "    })",
    };
    static const char *const strip[] = {
        "#define STRIP(name, FULL, REST, how, VECTORS, Vector, SKIP, AHEAD)",
        "    TILE(INLINED, name##_full, FULL, VECTORS, Vector, SKIP, AHEAD)",
        "    TILE(how, name##_rest, REST, VECTORS, Vector, SKIP, AHEAD)",
        "    TILE(CALLED, name##_one, 1, VECTORS, Vector, SKIP, AHEAD)",
        "    static INLINED void name(",
        "        int rows, int terms, const REAL *a, long ai, long ap, const REAL *b, long bp,",
        "        REAL *c, long ci, int add)",
        "    {",
        "        const int full = rows / FULL * FULL, rest = full + (rows - full) / REST * REST;",
        "        for (int i = 0; i < full; i += FULL)",
        "            name##_full(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);",
        "        for (int i = full; i < rest; i += REST)",
        "            name##_rest(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);",
        "        for (int i = rest; i < rows; i++)",
        "            name##_one(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);",
        "    }",
    };
    comment(out, "High tiles are inlined, and so know how far rows are apart. Low ones keep that "
                 "in registers, as functions that all products share, which spares the C compiler "
                 "a copy in each.");
    line(out, "#define CALLED __attribute__((noinline))");
    blank_line(out);
    comment(out, "A vector of what lies at `from`, but 0 for the first `skip` numbers, which may "
                 "be another thread's.");
    emit_macro(out, part, (int)(sizeof part / sizeof *part));
    comment(out, "A tile of the result stays in vector registers until its sum is complete: "
                 "c[i] = sum over p < terms of a[i][p] b[p]. Where it adds to c, a sum goes on "
                 "FROM what is there, or is made by itself and put ONTO that. a[i][p] lies at "
                 "a[i * ai + p * ap], rows of b are bp apart, rows of c ci. The first SKIP "
                 "columns are not stored: they belong to the strip before. The memory is asked "
                 "for a row of b AHEAD rows before it is needed, or not at all where that is 0, "
                 "since all of b stays in the first cache.");
    line(out, "enum { FROM = true, ONTO };");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
    comment(out,
            "A strip: a few vectors of columns through all rows: full tiles, then the rows that "
            "those leave of a whole block, made as `how` says, then single ones where a batch is "
            "cut short.");
    emit_macro(out, strip, (int)(sizeof strip / sizeof *strip));
}

static void emit_listed_macro(Out *out)
{
    static const char *const tile[] = {
        "#define TILE_LISTED(how, name, ROW_COUNT, FIRST, SECOND, Vector, SKIP)",
        "    static how void name(",
        "        long top, const int32_t *list, const REAL *a, long ai, long ap,",
        "        const REAL *b, long bp, REAL *c, long ci,",
        "        const REAL *b2, long bp2, REAL *c2, long ci2, int add)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL), VECTORS = FIRST + SECOND };",
        "        Vector sum[ROW_COUNT][VECTORS] = {0};",
        "        if (add == FROM)",
        "            UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                    const REAL *const from = j < FIRST ? c + (top + i) * ci + j * LANES",
        "                        : c2 + (top + i) * ci2 + (j - FIRST) * LANES;",
        "                    const int skip = j == (SECOND ? FIRST : 0) ? SKIP : 0;",
        "                    sum[i][j] = PART_OF(Vector, from, skip);",
        "                }",
        "        for (int n = 1; n <= list[0]; n++) {",
        "            const long p = list[n];",
        "            Vector row[VECTORS];",
        "            UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                memcpy(&row[j], j < FIRST ? b + p * bp + j * LANES",
        "                                          : b2 + p * bp2 + (j - FIRST) * LANES,",
        "                       sizeof(Vector));",
        "            UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                    sum[i][j] += a[(top + i) * ai + p * ap] * row[j];",
        "        }",
        "        UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                REAL *const to = j < FIRST ? c + (top + i) * ci + j * LANES",
        "                                           : c2 + (top + i) * ci2 + (j - FIRST) * LANES;",
        "                Vector v = sum[i][j];",
        "                const int skip = j == (SECOND ? FIRST : 0) ? SKIP : 0;",
        "                if (add == ONTO)",
        "                    v += PART_OF(Vector, to, skip);",
        "                if (skip)",
        "                    IN_MEMORY(v);",
        "                memcpy(to + skip, (const REAL *)&v + skip,",
        "                       (LANES - skip) * sizeof(REAL));",
        "            }",
        "    }",
    };
    static const char *const strip[] = {
        "#define STRIP_LISTED(name, FULL, REST, FIRST, SECOND, Vector, SKIP)",
        "    TILE_LISTED(INLINED, name##_full, FULL, FIRST, SECOND, Vector, SKIP)",
        "    TILE_LISTED(CALLED, name##_rest, REST, FIRST, SECOND, Vector, SKIP)",
        "    TILE_LISTED(CALLED, name##_one, 1, FIRST, SECOND, Vector, SKIP)",
        "    static INLINED void name(",
        "        int rows, const int32_t *lists, int each, const REAL *a, long ai, long ap,",
        "        const REAL *b, long bp, REAL *c, long ci,",
        "        const REAL *b2, long bp2, REAL *c2, long ci2, int add)",
        "    {",
        "        const int full = rows / FULL * FULL, rest = full + (rows - full) / REST * REST;",
        "        for (int i = 0; i < full; i += FULL)",
        "            name##_full(i, lists + i / FULL * each, a, ai, ap, b, bp, c, ci,",
        "                        b2, bp2, c2, ci2, add);",
        "        for (int i = full; i < rest; i += REST)",
        "            name##_rest(i, lists + i / FULL * each, a, ai, ap, b, bp, c, ci,",
        "                        b2, bp2, c2, ci2, add);",
        "        for (int i = rest; i < rows; i++)",
        "            name##_one(i, lists + i / FULL * each, a, ai, ap, b, bp, c, ci,",
        "                       b2, bp2, c2, ci2, add);",
        "    }",
    };
    comment(out, "A tile from row `top` on whose terms are listed: how many there are, and which. "
                 "Its first vectors lie in one panel, those of the SECOND in the next, b2 and c2. "
                 "No memory is asked for ahead: which rows of b come next is not regular.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
    comment(out, "A strip of such; lists, one for each FULL rows, are `each` numbers apart.");
    emit_macro(out, strip, (int)(sizeof strip / sizeof *strip));
}

static bool skips_zeros(const Out *out, const char *body)
{
    for (int i = 0; i < out->network->product_count; i++)
        if (out->network->products[i].skips && is_called(&out->network->products[i], body))
            return true;
    return false;
}

// A line for each strip that a product needs, in one table.
static void emit_table(Out *out, const char *body)
{
    enum { AHEAD = 16, LOW = 6 }; // so many distances of rows find registers
    const Network *const network = out->network;
    Text done = {0}; // names of the strips that are there
    for (int i = 0; i < network->product_count; i++) {
        const Product *const p = &network->products[i];
        if (!is_called(p, body))
            continue;
        ProductStrip strips[2 * MAX_STRIPS];
        int count = product_strips(network, p, strips);
        count += lone_strips(network, p, strips + count);
        for (int s = 0; s < count; s++) {
            const ProductStrip *const strip = &strips[s];
            const Heights heights = strip->heights;
            const char *const type = lane_type(network, strip->lane_count);
            if (!text_once(&done, strip_name(strip)))
                continue;
            if (strip->listed)
                line(out, "STRIP_LISTED(%s, %d, %d, %d, %d, %s, %d)", strip_name(strip),
                     heights.full, heights.rest, strip->vectors - strip->second, strip->second,
                     type, strip->skip);
            else
                line(out, "STRIP(%s, %d, %d, %s, %d, %s, %d, %d)", strip_name(strip), heights.full,
                     heights.rest, heights.rest <= LOW ? "CALLED" : "INLINED", strip->vectors,
                     type, strip->skip, strip->near ? 0 : AHEAD);
        }
    }
    blank_line(out);
}

void emit_strips(Out *out, const char *body)
{
    emit_tile_macro(out);
    if (skips_zeros(out, body))
        emit_listed_macro(out);
    emit_table(out, body);
}
