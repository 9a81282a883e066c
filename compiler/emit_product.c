// emit_product.c: the matrix products that dense layers and convolutions are made of: by tiles or
// by BLAS, and the one place that chooses.
//
// A tile of the result stays in vector registers while the sum over the common dimension runs. Its
// operands are read where they lie: rows of weights are contiguous, and one number of the other
// operand is spread over a vector. Every size is a literal where the network fixes it.
#include "emit.h"

#include <string.h>

// --- calls --------------------------------------------------------------------------------------

const char *const product_words[] = {[ROWS_BY_MATRIX] = "product",
                                     [OUTER_SUM] = "outer",
                                     [ROWS_BY_PANELS] = "panels",
                                     [OUTER_IN_PANELS] = "outer_panels"};

bool is_tiled(const Product *p) { return p->form <= OUTER_IN_PANELS; }

bool is_outer(const Product *p) { return p->form == OUTER_SUM || p->form == OUTER_IN_PANELS; }

bool is_in_panels(const Product *p)
{
    return p->form == ROWS_BY_PANELS || p->form == OUTER_IN_PANELS;
}

// Distances that are not the usual ones, and how many panels follow each other along the terms, are
// part of the name.
const char *product_name(const Product *p)
{
    const int high = p->form == ROWS_BY_PANELS ? p->panel_rows : p->terms;
    const char *const parts = high < p->terms ? format("%dx", p->terms / high) : "";
    const char *const left = p->a_line != p->terms ? format("of%d", p->a_line) : "";
    const int line = is_outer(p) ? p->b_line : p->c_line;
    const char *const right = line != p->columns ? format("of%d", line) : "";
    const bool gaps_in_b = !is_outer(p) && p->b_line != p->columns;
    const char *const gaps = gaps_in_b ? format("in%d", p->b_line) : "";
    return format("%s_%s%d%sx%d%s%s%s%s", product_words[p->form], parts, high, left, p->columns,
                  gaps, right, p->adds ? "_onto" : "", p->skips ? "_skipping" : "");
}

Product with_lines(Product p)
{
    p.a_line = p.a_line ? p.a_line : p.terms;
    p.b_line = p.b_line ? p.b_line : p.columns;
    p.c_line = p.c_line ? p.c_line : p.columns;
    return p;
}

// Notes that a function is needed.
void need_product(Out *out, Product product)
{
    Network *const network = out->network;
    for (int i = 0; i < network->product_count; i++) {
        Product *const p = &network->products[i];
        if (p->form == product.form && p->terms == product.terms &&
            p->columns == product.columns && p->panel_rows == product.panel_rows &&
            p->a_line == product.a_line && p->b_line == product.b_line &&
            p->c_line == product.c_line && p->skips == product.skips && p->adds == product.adds) {
            if (p->skips && p->rows != product.rows) // its lists have room for so many
                bug("%s is called for %d and %d rows", product_name(p), p->rows, product.rows);
            if (p->rows < product.rows) // an outer product may copy so many
                p->rows = product.rows;
            return;
        }
    }
    if (network->product_count == MAX_PRODUCTS)
        bug("more than %d matrix products", MAX_PRODUCTS);
    network->products[network->product_count++] = product;
}

// Of pictures, by the function that skips zeros where the data set has many.
static void emit_tiled_call(Out *out, Product p, const char *arguments)
{
    if (p.skips) {
        need_product(out, p);
        line(out, "if (batch->zeros)");
        out->depth++;
        call_line(out, product_name(&p), arguments);
        out->depth--;
        line(out, "else");
        out->depth++;
        p.skips = false;
        emit_tiled_call(out, p, arguments);
        out->depth--;
        return;
    }
    need_product(out, p);
    call_line(out, product_name(&p), arguments);
}

// y[rows][columns] = x[rows][terms] w[terms][columns].
void emit_product(Out *out, Product product, const char *rows, const char *x, const char *w,
                  const char *y)
{
    emit_product_onto(out, product, rows, x, w, y, NULL);
}

// The same, or that added to y where the C expression `add` is true.
void emit_product_onto(Out *out, Product product, const char *rows, const char *x, const char *w,
                       const char *y, const char *add)
{
    Product p = with_lines(product);
    p.adds = add != NULL;
    if (!is_in_panels(&p) &&
        takes_blas(out->network, ROWS_BY_MATRIX, p.terms, p.columns, p.rows)) {
        call_line(out, "gemm_nn",
                  format("%s, %d, %d, %s, %d, %s, %d, %s, %s, %d", rows, p.columns, p.terms, x,
                         p.a_line, w, p.b_line, add ? add : "0", y, p.c_line));
        return;
    }
    emit_tiled_call(out, p,
                    format("%s, %s, %s, %s%s%s", rows, x, w, y, add ? ", " : "", add ? add : ""));
}

// dw[0..to - from][columns] = the sum over so many rows of x[.][from..to]' dy[.][columns]; that is
// added to dw where the C expression `add` is true.
void emit_outer(Out *out, Product product, const OuterCall *call)
{
    const Product p = with_lines(product);
    const char *const from = call->from, *const to = call->to, *const x = call->x;
    if (is_in_panels(&p)) {
        emit_tiled_call(out, p,
                        format("%s, %s, %s, %s, %s, %s, %s, %s, %s, %s", from, to, call->terms, x,
                               call->dy, call->dw, call->high, call->row, call->change, call->add));
        return;
    }
    if (takes_blas(out->network, OUTER_SUM, p.terms, p.columns, p.rows)) {
        const bool whole = !strcmp(from, "0");
        line(out, "gemm_tn(%s, %d, %s, %s, %d, %s, %d, %s, %s);",
             whole ? to : format("(%s) - (%s)", to, from), p.columns, call->terms,
             whole ? x : format("&(%s)[0][%s]", x, from), p.a_line, call->dy, p.b_line, call->add,
             call->dw);
        return;
    }
    emit_tiled_call(out, p,
                    format("%s, %s, %s, %s, %s, %s, %s", from, to, call->terms, x, call->dy,
                           call->dw, call->add));
}

// --- BLAS ---------------------------------------------------------------------------------------

static void emit_blas(Out *out, const char *body)
{
    static const struct {
        const char *name, *parameters, *about, *call;
    } products[] = {
        {"gemm_nn",
         "int m, int n, int k, const void *a, int a_line, const void *b, int b_line, %s beta, "
         "void *c, int c_line",
         "c[m][n] = a[m][k] b[k][n] + beta c, where lines of each are so many numbers apart",
         "CblasNoTrans, CblasNoTrans, m, n, k, 1, a, a_line, b, b_line, beta, c, c_line"},
        {"gemm_tn",
         "int m, int n, int k, const void *a, int a_line, const void *b, int b_line, %s beta, "
         "void *c",
         "c[m][n] = a[k][m]' b[k][n] + beta c, where lines of a and b are so many numbers apart",
         "CblasTrans, CblasNoTrans, m, n, k, 1, a, a_line, b, b_line, beta, c, n"},
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
        call_line(out, format("cblas_%cgemm", out->network->doubles ? 'd' : 's'),
                  format("CblasRowMajor, %s", products[i].call));
        line(out, "}");
        blank_line(out);
    }
}

// --- tiles --------------------------------------------------------------------------------------

const char *lane_type(const Network *network, int lane_count)
{
    return lane_count == 1 ? real_type(network) : format("Vector%d", lane_count);
}

const char *with_words(const char *text, const Replacement *words, int count)
{
    enum { MOST = 16 };
    if (count > MOST)
        bug("%d words to be replaced", count);
    char firsts[MOST + 1] = "";
    for (int i = 0; i < count; i++)
        firsts[i] = *words[i].word;
    Text made = {0};
    text_add(&made, "%s", "");
    while (*text) {
        const size_t plain = strcspn(text, firsts);
        text_put(&made, text, plain);
        text += plain;
        int word = 0;
        while (word < count && !starts_with(text, words[word].word))
            word++;
        if (word < count) {
            text_put(&made, words[word].by, strlen(words[word].by));
            text += strlen(words[word].word);
        } else if (*text) {
            text_put(&made, text++, 1);
        }
    }
    return made.text;
}

// A macro's definition, its line ends in one column. REAL stands for the program's type.
void emit_macro(Out *out, const char *const *lines, int count)
{
    const Replacement real = {"REAL", real_type(out->network)};
    for (int i = 0; i < count; i++)
        raw(out, i < count - 1 ? "%-90s\\\n" : "%s\n", with_words(lines[i], &real, 1));
    blank_line(out);
}

// ", where rows of a are 64 and of c 304 numbers apart": of the operands that have gaps.
static const char *about_lines(const Product *p)
{
    const struct {
        const char *name;
        int line, numbers;
    } operands[] = {{"a", p->a_line, p->terms},
                    {"b", p->b_line, p->columns},
                    {"c", p->c_line, p->columns}};
    Text list = {0};
    for (int i = 0; i < 3; i++)
        if (operands[i].line != operands[i].numbers)
            text_add(&list, list.length ? " and of %s %d" : ", where rows of %s are %d",
                     operands[i].name, operands[i].line);
    return list.length ? format("%s numbers apart", list.text) : "";
}

static const char *about_product(const Product *p)
{
    if (!is_outer(p))
        return format("c[rows][%d] = a[rows][%d] b[%d][%d]%s%s%s%s", p->columns, p->terms, p->terms,
                      p->columns, p->adds ? ", or c + that" : "",
                      p->form == ROWS_BY_PANELS ? ", with b in panels" : "", about_lines(p),
                      p->skips ? ", without terms whose numbers of a are 0 in a whole tile" : "");
    return format(
        "c = rows from..to of the %dx%d sums a[terms][%d]' b[terms][%d]%s, or c + those%s%s. "
        "So many terms at a time that what the tiles read again stays in the first cache.",
        p->terms, p->columns, p->terms, p->columns, about_lines(p),
        p->form == OUTER_IN_PANELS ? ", in panels of `high` rows, from `row` on; the same rows of "
                                     "`change`, weights, are asked for on the way"
                                   : "",
        p->skips ? ". Terms whose numbers of a are 0 in a whole tile are left out" : "");
}

// Where a strip begins in panels of `high` rows, from a panel's row `row` on. The columns that it
// skips are the ends of the row before. That may be another thread's, so tiles do not touch them.
static const char *in_panel(const StripCall *s, const char *high, const char *row)
{
    const char *const panel = *s->panel ? format(" + %s * %s", s->panel, high) : "";
    const char *const down = *row ? format(" + %s * %d", row, s->wide) : "";
    return format("%s%s%s", panel, down, s->skip ? format(" - %d", s->skip) : "");
}

// By which lists of terms the strips of a product go that skips zeros: one for each row of tiles,
// with room for so many.
static const char *emit_lists(Out *out, const Product *p, int full, int most_terms)
{
    line(out, "int32_t list[%d][%d];", (p->rows + full - 1) / full, 1 + most_terms);
    return format("list[0], %d", 1 + most_terms);
}

// Where a strip finds its columns of b and of c in one panel, and how far rows of each are apart.
typedef const char *PlacesOfPanel(const Product *p, const StripCall *s);

static const char *product_places(const Product *p, const StripCall *s)
{
    const int high = is_in_panels(p) ? p->panel_rows : p->terms;
    const char *const part = high < p->terms ? format(" + part * %d", p->columns) : "";
    const char *const b = is_in_panels(p) ? in_panel(s, format("%d", high), "") : s->column;
    return format("b%s%s, %d, c%s, %d", part, b, is_in_panels(p) ? s->wide : p->b_line, s->column,
                  p->c_line);
}

static const char *outer_places(const Product *p, const StripCall *s)
{
    const char *const c = is_in_panels(p) ? in_panel(s, "high", "row") : s->column;
    return format("b%s, %d, c%s, %d", s->column, p->b_line, c,
                  is_in_panels(p) ? s->wide : p->columns);
}

// `rows_and_a`: what all strips of a product are called with, so many rows, by which terms, and a.
static void call_strip(Out *out, const Product *p, const ProductStrip *strip, const StripCall *call,
                       const char *rows_and_a, PlacesOfPanel *places, const char *add)
{
    const char *second = "";
    if (strip->listed)
        second = ", NULL, 0, NULL, 0";
    if (strip->second) {
        const StripCall next = next_panel(strip, call);
        second = format(", %s", places(p, &next));
    }
    call_line(out, call->name,
              format("%s, %s%s, %s", rows_and_a, places(p, call), second, add));
}

// What becomes of what is in c: a sum of several parts goes on from that.
static const char *product_adds(const Product *p)
{
    const bool parts = is_in_panels(p) && p->panel_rows < p->terms;
    if (parts && p->adds)
        bug("%s, in several parts, is added to something", product_name(p));
    return parts ? "part > 0" : p->adds ? "add ? ONTO : false" : "false";
}

static void emit_product_strips(Out *out, const Product *p, const ProductStrip *strips, int count)
{
    const char *const type = real_type(out->network);
    const int high = is_in_panels(p) ? p->panel_rows : p->terms;
    const bool parts = high < p->terms;
    line(out, "const %s *const a = left, *const b = right;", type);
    line(out, "%s *const c = result;", type);
    if (parts)
        line(out, "for (int part = 0; part < %d; part += %d) {", p->terms, high);
    const int full = strips[0].heights.full;
    const char *const part = parts ? " + part" : "";
    const char *terms = format("%d", high);
    if (p->skips) {
        terms = emit_lists(out, p, full, high);
        line(out, "for (int i = 0; i < rows; i += %d)", full);
        out->depth++;
        call_line(out, "nn_places_of_rows",
                  format("0, %d, nn_min(%d, rows - i), a%s + i * %d, %d, list[i / %d]", high, full,
                         part, p->a_line, p->a_line, full));
        out->depth--;
    }
    const char *const rows_and_a = format("rows, %s, a%s, %d, 1", terms, part, p->a_line);
    for (int s = 0; s < count; s++) {
        const StripCall call = open_product_strip(out, &strips[s], false);
        call_strip(out, p, &strips[s], &call, rows_and_a, product_places,
                   product_adds(p));
        close_product_strip(out, &strips[s], false);
    }
    if (lone_columns(out->network, p))
        emit_lone_product(out, p, high, parts);
    if (parts)
        line(out, "}");
}

static void emit_claims(Out *out, const Product *p, const ProductStrip *strip,
                        const StripCall *call)
{
    StripCall panels[2] = {*call};
    if (strip->second)
        panels[1] = next_panel(strip, call);
    line(out, "if (change && at == 0)%s", strip->second ? " {" : "");
    for (int i = 0; i <= (strip->second > 0); i++) {
        const char *const at = panels[i].panel;
        line(out, "%sclaim((const %s *)change + %sfrom * %d, (to - from) * %d);",
             strip->second ? "" : "    ", real_type(out->network),
             *at ? format("%s * %d + ", at, p->terms) : "", panels[i].wide, panels[i].wide);
    }
    if (strip->second)
        line(out, "}");
}

static void emit_outer_strips(Out *out, const Product *p, const ProductStrip *strips, int count)
{
    // A strip of b and a part's columns of a lie in the first cache together; a batch that is
    // hardly longer is summed at one go.
    enum { TERMS = 64, AT_ONCE = 128, MOST_ROWS = 128 };
    const int batch = out->network->block_rows * out->network->blocks;
    const int some = batch > AT_ONCE ? TERMS : AT_ONCE;
    const bool copies = batch > AT_ONCE && p->rows < p->a_line && p->rows <= MOST_ROWS;
    const char *const a = copies ? "x[0]" : "a";
    const int a_line = copies ? p->rows : p->a_line;
    const bool panels = is_in_panels(p);
    const char *const type = real_type(out->network);
    line(out, "for (int at = 0; at < terms; at += %d) {", some);
    line(out, "const int some = nn_min(terms - at, %d);", some);
    line(out, "const %s *const a = (const %s *)left + (size_t)at * %d + from;", type, type,
         p->a_line);
    line(out, "const %s *const b = (const %s *)right + (size_t)at * %d;", type, type, p->b_line);
    line(out, "%s *const c = result;", type);
    if (copies) {
        line(out, "%s x[%d][%d]; // those columns of a, side by side", type, some, p->rows);
        line(out, "for (int i = 0; i < some; i++)");
        line(out, "    memcpy(x[i], a + i * %d, (size_t)(to - from) * sizeof(%s));", p->a_line,
             type);
    }
    const int full = strips[0].heights.full;
    const char *some_terms = "some";
    if (p->skips) {
        some_terms = emit_lists(out, p, full, some);
        call_line(out, "nn_rows_of_places",
                  format("some, to - from, %d, %s, %d, %s", full, a, a_line, some_terms));
    }
    const char *const rows_and_a = format("to - from, %s, %s, 1, %d", some_terms, a, a_line);
    for (int s = 0; s < count; s++) {
        const StripCall call = open_product_strip(out, &strips[s], panels);
        if (panels)
            emit_claims(out, p, &strips[s], &call);
        call_strip(out, p, &strips[s], &call, rows_and_a, outer_places, "add || at > 0");
        close_product_strip(out, &strips[s], panels);
    }
    if (lone_columns(out->network, p))
        emit_lone_outer(out, p, a, a_line);
    line(out, "}");
}

static void emit_tiled_product(Out *out, const Product *p)
{
    ProductStrip strips[MAX_STRIPS];
    const int count = product_strips(out->network, p, strips);
    comment(out, "%s", about_product(p));
    emit_declaration(
        out, format("static void %s(", product_name(p)),
        is_outer(p) ? format("int from, int to, int terms, const void *left, const void *right, "
                             "void *result, %sbool add",
                             p->form == OUTER_IN_PANELS
                                 ? "int high, int row, const void *change, "
                                 : "")
                    : format("int rows, const void *left, const void *right, void *result%s",
                             p->adds ? ", bool add" : ""));
    line(out, "{");
    if (is_outer(p))
        emit_outer_strips(out, p, strips, count);
    else
        emit_product_strips(out, p, strips, count);
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

bool is_called(const Product *p, const char *body)
{
    return is_tiled(p) && strstr(body, format("%s(", product_name(p))) != NULL;
}

// A function for outer products in panels.
static void emit_claim(Out *out)
{
    const char *const type = real_type(out->network);
    comment(out, "Asks for the memory of numbers that are about to be changed, so that other "
                 "threads give up their copies. Inlined always: gcc 12 drops calls without another "
                 "effect.");
    line(out, "static INLINED void claim(const %s *from, int count)", type);
    line(out, "{");
    line(out, "for (int i = 0; i < count; i += 64 / (int)sizeof(%s))", type);
    line(out, "    __builtin_prefetch(from + i, 1);");
    line(out, "}");
    blank_line(out);
}

static void emit_tiles(Out *out, const char *body)
{
    const Network *const network = out->network;
    emit_strips(out, body);
    if (calls_dots(out, body))
        emit_dots(out, body);
    if (strstr(body, product_words[OUTER_IN_PANELS]))
        emit_claim(out);
    for (int i = 0; i < network->product_count; i++)
        if (is_called(&network->products[i], body))
            emit_tiled_product(out, &network->products[i]);
}

static void emit_hints(Out *out)
{
    comment(out, "FORGET stands behind what a tile loads for all of its rows: the C compiler "
                 "neither loads it again for each of them, nor keeps what it loads for one row for "
                 "the next term, which would push sums out of the registers.");
    line(out, "#define FORGET __asm__ volatile(\"\" : : : \"memory\")");
    comment(out, "IN_MEMORY is for a vector of which only a part is stored: the C compiler would "
                 "take it apart in other registers, and keep its sum on the stack for that.");
    line(out, "#define IN_MEMORY(vector) __asm__(\"\" : \"+m\"(vector))");
    blank_line(out);
}

// The functions that `body` calls.
void emit_products(Out *out, const char *body)
{
    const Network *const network = out->network;
    const bool tiles = network->product_count || network->window_product_count ||
                       network->winograd_product_count || network->depthwise_tile_count;
    if (tiles || strstr(body, "Vector"))
        emit_vector_types(out);
    if (links_blas(network))
        emit_blas(out, body);
    if (!tiles)
        return;
    raw(out, "#define UNROLLED _Pragma(\"GCC unroll 32\")\n"
             "#define INLINED inline __attribute__((always_inline))\n\n");
    emit_hints(out);
    if (network->product_count)
        emit_tiles(out, body);
    emit_row_products(out, body);
    emit_ahead_kernels(out, body);
    emit_windows(out, body);
    emit_depthwise_tiles(out);
}
