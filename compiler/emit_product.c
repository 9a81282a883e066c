// emit_product.c: the matrix products that dense layers and convolutions are made of: by tiles or
// by BLAS, and the one place that chooses.
//
// A tile of the result stays in vector registers while the sum over the common dimension runs. Its
// operands are read where they lie: rows of weights are contiguous, and one number of the other
// operand is spread over a vector. Every size is a literal where the network fixes it.
#include "netc.h"

#include <string.h>

// --- calls --------------------------------------------------------------------------------------

const char *const product_words[] = {
    [ROWS_BY_MATRIX] = "product", [OUTER_SUM] = "outer", [ROWS_BY_PANELS] = "panels"};

const char *product_name(ProductForm form, int terms, int columns)
{
    return format("%s_%dx%d", product_words[form], terms, columns);
}

// Notes that a function is needed.
void need_product(Out *out, ProductForm form, int terms, int columns, int rows)
{
    Network *const network = out->network;
    for (int i = 0; i < network->product_count; i++) {
        const Product *const p = &network->products[i];
        if (p->form == form && p->terms == terms && p->columns == columns)
            return;
    }
    if (network->product_count == MAX_PRODUCTS)
        bug("more than %d matrix products", MAX_PRODUCTS);
    network->products[network->product_count++] =
        (Product){.form = form, .terms = terms, .columns = columns, .rows = rows};
}

// y[rows][columns] = x[rows][terms] w[terms][columns]; usual_rows is what `rows` mostly is.
void emit_product(Out *out, const char *rows, int usual_rows, int columns, int terms, const char *x,
                  const char *w, const char *y)
{
    if (takes_blas(out->network, ROWS_BY_MATRIX, terms, columns, usual_rows)) {
        line(out, "gemm_nn(%s, %d, %d, %s, %s, 0, %s);", rows, columns, terms, x, w, y);
        return;
    }
    need_product(out, ROWS_BY_MATRIX, terms, columns, usual_rows);
    line(out, "%s(%s, %s, %s, %s);", product_name(ROWS_BY_MATRIX, terms, columns), rows, x, w, y);
}

void emit_panel_product(Out *out, const char *rows, int usual_rows, int columns, int terms,
                        const char *x, const char *panels, const char *y)
{
    need_product(out, ROWS_BY_PANELS, terms, columns, usual_rows);
    line(out, "%s(%s, %s, %s, %s);", product_name(ROWS_BY_PANELS, terms, columns), rows, x, panels,
         y);
}

// dw[0..to - from][columns] = the sum over `terms` rows of x[.][from..to]' dy[.][columns], where
// rows of x are `width` apart; that is added to dw where the C expression `add` is true.
void emit_outer(Out *out, const char *from, const char *to, int usual_rows, int width, int columns,
                const char *terms, const char *x, const char *dy, const char *dw, const char *add)
{
    if (takes_blas(out->network, OUTER_SUM, width, columns, usual_rows)) {
        const bool whole = !strcmp(from, "0");
        line(out, "gemm_tn(%s, %d, %s, %s, %d, %s, %s, %s);",
             whole ? to : format("(%s) - (%s)", to, from), columns, terms,
             whole ? x : format("&(%s)[0][%s]", x, from), width, dy, add,
             dw);
        return;
    }
    need_product(out, OUTER_SUM, width, columns, usual_rows);
    line(out, "%s(%s, %s, %s, %s, %s, %s, %s);", product_name(OUTER_SUM, width, columns), from, to,
         terms, x, dy, dw, add);
}

// --- BLAS ---------------------------------------------------------------------------------------

static void emit_blas(Out *out, const char *body)
{
    static const struct {
        const char *name, *parameters, *about, *call;
    } products[] = {
        {"gemm_nn", "int m, int n, int k, const void *a, const void *b, %s beta, void *c",
         "c[m][n] = a[m][k] b[k][n] + beta c",
         "CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, beta, c, n"},
        {"gemm_tn",
         "int m, int n, int k, const void *a, int width, const void *b, %s beta, void *c",
         "c[m][n] = a[k][m]' b[k][n] + beta c, where rows of a are `width` apart",
         "CblasTrans, CblasNoTrans, m, n, k, 1, a, width, b, n, beta, c, n"},
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        if (!strstr(body, format("%s(", products[i].name)))
            continue;
        comment(out, "%s", products[i].about);
        const char *const hole = strstr(products[i].parameters, "%s");
        const char *const parameters =
            format("%.*s%s%s", (int)(hole - products[i].parameters), products[i].parameters,
                   real_type(out->network), hole + 2);
        emit_declaration(out, format("static void %s(", products[i].name), parameters);
        line(out, "{");
        line(out, "cblas_%cgemm(CblasRowMajor, %s);", out->network->doubles ? 'd' : 's',
             products[i].call);
        line(out, "}");
        blank_line(out);
    }
}

// --- tiles --------------------------------------------------------------------------------------

// How the rows are cut into tiles: as few as the registers allow beside the vectors of the matrix
// and one spread number, of equal height unless one was measured, and one for what those leave.
typedef struct {
    int full, rest;
} Heights;

static Heights heights_of(const Network *network, const Product *p, Tiling tiling)
{
    enum { LEAST = 4 };
    const int most = most_tile_rows(network, tiling.vectors);
    const int tiles = (p->rows + most - 1) / most;
    Heights h = {.full = tiling.rows ? tiling.rows : (p->rows + tiles - 1) / tiles};
    h.rest = p->rows % h.full;
    if (!h.rest)
        h.rest = h.full > LEAST ? LEAST : 1; // for a batch that is cut short
    return h;
}

int tile_rows(const Network *network, const Product *product, Tiling tiling)
{
    return heights_of(network, product, tiling).full;
}

static const char *strip_name(Heights h, const ProductStrip *s)
{
    const char *const of = s->skip ? format("of%d", s->skip + s->width) : "";
    return format("strip_%d_%dx%d%s", h.full, h.rest, s->width, of);
}

// The columns as strips: of so many full vectors, then what those leave. That is one more strip
// wherever the columns before it fill its vectors up: a vector of few columns takes as long as a
// full one.
int product_strips(const Network *network, int columns, int vectors, ProductStrip *strips)
{
    int lanes = vector_lanes(network), count = 0, packed = 0;
    int rest = columns;
    if (columns >= vectors * lanes) {
        const int width = vectors * lanes;
        strips[count++] =
            (ProductStrip){width, vectors, lanes, 0, 0, columns / width, width, packed};
        packed = strips[0].runs * width;
        rest %= width;
    }
    while (rest > 0) {
        while (lanes > columns || (rest < lanes && (rest & (rest - 1)) == 0 && lanes > rest))
            lanes /= 2;
        int wide = (rest + lanes - 1) / lanes;
        if (wide * lanes > columns)
            wide--;
        const int width = wide * lanes < rest ? wide * lanes : rest;
        strips[count++] = (ProductStrip){width, wide, lanes, wide * lanes - width, columns - rest,
                                         1, wide * lanes, packed};
        packed += wide * lanes;
        rest -= width;
    }
    return count;
}

const char *lane_type(const Network *network, int lane_count)
{
    return lane_count == 1 ? real_type(network) : format("Vector%d", lane_count);
}

// A macro's definition, its line ends in one column.
void emit_macro(Out *out, const char *const *lines, int count)
{
    for (int i = 0; i < count; i++) {
        Text text = {0};
        for (const char *c = lines[i]; *c; c++) // REAL stands for the program's type
            if (!strncmp(c, "REAL", 4)) {
                text_add(&text, "%s", real_type(out->network));
                c += 3;
            } else {
                text_add(&text, "%c", *c);
            }
        raw(out, i < count - 1 ? "%-90s\\\n" : "%s\n", text.text);
    }
    blank_line(out);
}

// Rows are asked for ahead: weights and moments of several layers are more than a second cache
// holds, and from the third a row comes later than a tile needs it.
static void emit_tile_macro(Out *out)
{
    static const char *const tile[] = {
        "#define TILE(name, ROW_COUNT, VECTORS, Vector, SKIP)",
        "    static inline __attribute__((always_inline)) void name(",
        "        int terms, const REAL *a, long ai, long ap, const REAL *b, long bp, REAL *c,",
        "        long ci, bool add)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[ROW_COUNT][VECTORS] = {0};",
        "        if (add)",
        "            UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                    memcpy(&sum[i][j], c + i * ci + j * LANES, sizeof(Vector));",
        "        for (int p = 0; p < terms; p++) {",
        "            Vector row[VECTORS];",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                memcpy(&row[j], b + p * bp + j * LANES, sizeof(Vector));",
        "                __builtin_prefetch(b + (p + AHEAD) * bp + j * LANES);",
        "            }",
        "            UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "                UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                    sum[i][j] += a[i * ai + p * ap] * row[j];",
        "        }",
        "        UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                const Vector v = sum[i][j];",
        "                const int skip = j == 0 ? SKIP : 0;",
        "                memcpy(c + i * ci + j * LANES + skip, (const REAL *)&v + skip,",
        "                       (LANES - skip) * sizeof(REAL));",
        "            }",
        "    }",
    };
    static const char *const strip[] = {
        "#define STRIP(name, FULL, REST, VECTORS, Vector, SKIP)",
        "    TILE(name##_full, FULL, VECTORS, Vector, SKIP)",
        "    TILE(name##_rest, REST, VECTORS, Vector, SKIP)",
        "    TILE(name##_one, 1, VECTORS, Vector, SKIP)",
        "    static inline __attribute__((always_inline)) void name(",
        "        int rows, int terms, const REAL *a, long ai, long ap, const REAL *b, long bp,",
        "        REAL *c, long ci, bool add)",
        "    {",
        "        int i = 0;",
        "        for (; i + FULL <= rows; i += FULL)",
        "            name##_full(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);",
        "        for (; i + REST <= rows; i += REST)",
        "            name##_rest(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);",
        "        for (; i < rows; i++)",
        "            name##_one(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);",
        "    }",
    };
    line(out, "enum { AHEAD = 16 }; // rows of b that the memory is asked for before they are needed");
    blank_line(out);
    comment(out, "A tile of the result stays in vector registers until its sum is complete: "
                 "c[i] = sum over p < terms of a[i][p] b[p], or that added to c. a[i][p] lies at "
                 "a[i * ai + p * ap], rows of b are bp apart, rows of c ci. The first SKIP "
                 "columns are not stored: they belong to the strip before.");
    emit_macro(out, tile, (int)(sizeof tile / sizeof *tile));
    comment(out,
            "A strip: a few vectors of columns through all rows: full tiles, then the rows that "
            "those leave of a whole block, then single ones where a batch is cut short.");
    emit_macro(out, strip, (int)(sizeof strip / sizeof *strip));
}

static const char *about_product(const Product *p)
{
    if (p->form != OUTER_SUM)
        return format("c[rows][%d] = a[rows][%d] b[%d][%d]%s", p->columns, p->terms, p->terms,
                      p->columns, p->form == ROWS_BY_PANELS ? ", with b in panels" : "");
    return format(
        "c = rows from..to of the %dx%d sums a[terms][%d]' b[terms][%d], or c + those. "
        "So many terms at a time that what the tiles read again stays in the first cache.",
        p->terms, p->columns, p->terms, p->columns);
}

// A call for each strip of columns, one loop for the full ones; `pattern` takes the strip's name,
// where a column is added to an address and where to its panel's, how, and the panel's columns.
static void emit_strip_calls(Out *out, const Product *p, const ProductStrip *strips, int count,
                             Heights heights, const char *pattern)
{
    for (int s = 0; s < count; s++) {
        const ProductStrip *const strip = &strips[s];
        const int from = strip->first - strip->skip;
        const bool several = strip->runs > 1;
        const char *const offset = several ? " + j" : from ? format(" + %d", from) : "";
        const char *const panel = several         ? format(" + j * %d", p->terms)
                                  : strip->packed ? format(" + %ld", (long)strip->packed * p->terms)
                                                  : "";
        if (several)
            line(out, "for (int j = 0; j < %d; j += %d)", strip->runs * strip->wide, strip->wide);
        out->depth += several;
        line(out, pattern, strip_name(heights, strip), offset, panel, strip->wide);
        out->depth -= several;
    }
}

// Rows of b lie side by side; or in panels, of a strip's columns each, one row behind the other.
static void emit_product_strips(Out *out, const Product *p, const ProductStrip *strips, int count,
                                Heights heights)
{
    const char *const type = real_type(out->network);
    const char *const b =
        p->form == ROWS_BY_PANELS ? "b%3$s, %4$d" : format("b%%2$s, %d", p->columns);
    line(out, "const %s *const a = left, *const b = right;", type);
    line(out, "%s *const c = result;", type);
    emit_strip_calls(out, p, strips, count, heights,
                     format("%%1$s(rows, %d, a, %d, 1, %s, c%%2$s, %d, false);", p->terms, p->terms,
                            b, p->columns));
}

static void emit_outer_strips(Out *out, const Product *p, const ProductStrip *strips, int count,
                              Heights heights)
{
    // A strip of b and a part's columns of a lie in the first cache together; a batch that is
    // hardly longer is summed at one go.
    enum { TERMS = 64, AT_ONCE = 128 };
    const int batch = out->network->block_rows * out->network->blocks;
    const int some = batch > AT_ONCE ? TERMS : AT_ONCE;
    const char *const type = real_type(out->network);
    line(out, "for (int at = 0; at < terms; at += %d) {", some);
    line(out, "const int some = nn_min(terms - at, %d);", some);
    line(out, "const %s *const a = (const %s *)left + (size_t)at * %d + from;", type, type,
         p->terms);
    line(out, "const %s *const b = (const %s *)right + (size_t)at * %d;", type, type, p->columns);
    line(out, "%s *const c = result;", type);
    emit_strip_calls(
        out, p, strips, count, heights,
        format("%%1$s(to - from, some, a, 1, %d, b%%2$s, %d, c%%2$s, %d, add || at > 0);", p->terms,
               p->columns, p->columns));
    line(out, "}");
}

static void emit_tiled_product(Out *out, const Product *p)
{
    const Tiling tiling = tiling_of(out->network, p);
    const Heights heights = heights_of(out->network, p, tiling);
    ProductStrip strips[MAX_STRIPS];
    const int count = product_strips(out->network, p->columns, tiling.vectors, strips);
    const bool outer = p->form == OUTER_SUM;
    comment(out, "%s", about_product(p));
    emit_declaration(out,
                     format("static void %s(", product_name(p->form, p->terms, p->columns)),
                     outer ? "int from, int to, int terms, const void *left, const void *right, "
                             "void *result, bool add"
                           : "int rows, const void *left, const void *right, void *result");
    line(out, "{");
    if (outer)
        emit_outer_strips(out, p, strips, count, heights);
    else
        emit_product_strips(out, p, strips, count, heights);
    line(out, "}");
    blank_line(out);
}

static void emit_vector_types(Out *out)
{
    const char *const type = real_type(out->network);
    const int size = out->network->doubles ? 8 : 4;
    for (int n = vector_lanes(out->network); n > 1; n /= 2)
        line(out, "typedef %s Vector%d __attribute__((vector_size(%d)));", type, n, n * size);
    blank_line(out);
}

static bool is_called(const Product *p, const char *body)
{
    return p->form <= ROWS_BY_PANELS &&
           strstr(body, format("%s(", product_name(p->form, p->terms, p->columns))) != NULL;
}

// A line for each strip that a product needs, in one table.
static void emit_strips(Out *out, const char *body)
{
    const Network *const network = out->network;
    Text done = {0}; // names of the strips that are there
    text_add(&done, " ");
    for (int i = 0; i < network->product_count; i++) {
        const Product *const p = &network->products[i];
        if (!is_called(p, body))
            continue;
        ProductStrip strips[MAX_STRIPS];
        const Tiling tiling = tiling_of(network, p);
        const int count = product_strips(network, p->columns, tiling.vectors, strips);
        const Heights heights = heights_of(network, p, tiling);
        for (int s = 0; s < count; s++) {
            const char *const name = strip_name(heights, &strips[s]);
            if (!strstr(done.text, format(" %s ", name)))
                line(out, "STRIP(%s, %d, %d, %d, %s, %d)", name, heights.full, heights.rest,
                     strips[s].vectors, lane_type(network, strips[s].lane_count), strips[s].skip);
            text_add(&done, "%s ", name);
        }
    }
    blank_line(out);
}

static void emit_tiles(Out *out, const char *body)
{
    const Network *const network = out->network;
    emit_tile_macro(out);
    emit_strips(out, body);
    for (int i = 0; i < network->product_count; i++)
        if (is_called(&network->products[i], body))
            emit_tiled_product(out, &network->products[i]);
}

// The functions that `body` calls.
void emit_products(Out *out, const char *body)
{
    const Network *const network = out->network;
    const bool tiles = network->product_count || network->window_product_count;
    if (tiles || strstr(body, "Vector"))
        emit_vector_types(out);
    if (links_blas(network))
        emit_blas(out, body);
    if (!tiles)
        return;
    raw(out, "#define UNROLLED _Pragma(\"GCC unroll 32\")\n\n");
    if (network->product_count)
        emit_tiles(out, body);
    emit_row_products(out, body);
    emit_windows(out);
}
