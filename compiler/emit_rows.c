// emit_rows.c: products of one row: rows of a matrix added up, for the places of a list only, or
// one of them multiplied by a row.
#include "emit.h"

#include <string.h>

static const char *rows_name(const Product *p)
{
    const char *const gaps = p->b_line != p->columns ? format("of%d", p->b_line) : "";
    return format("%s_%d%s", p->form == ROWS_SUM ? "rows_sum" : "row_dot", p->columns, gaps);
}

// y[columns] = the sum of x[i] w[i][columns] over the places i that the list `at` holds behind
// their count; rows of w are `line_of_w` numbers apart, or side by side where that is 0.
void emit_rows_sum(Out *out, int columns, int line_of_w, const char *at, const char *x,
                   const char *w, const char *y)
{
    const Product p = with_lines(
        (Product){.form = ROWS_SUM, .columns = columns, .rows = 1, .b_line = line_of_w});
    need_product(out, p);
    line(out, "%s(%s, %s, %s, %s);", rows_name(&p), at, x, w, y);
}

// A call of the function that is the sum of row[j] y[j] over j < columns.
const char *row_dot_call(Out *out, int columns, const char *y, const char *row)
{
    const Product p = with_lines((Product){.form = ROW_DOT, .columns = columns, .rows = 1});
    need_product(out, p);
    return format("%s(%s, %s)", rows_name(&p), y, row);
}

static bool calls_rows(const Product *p, const char *body)
{
    return p->form >= ROWS_SUM && strstr(body, format("%s(", rows_name(p)));
}

// A few vectors of columns through all rows of the list.
static void emit_span_macro(Out *out)
{
    static const char *const span[] = {
        "#define SPAN(name, VECTORS, LAST, Vector)",
        "    static INLINED void name(",
        "        const int32_t *at, const REAL *x, const REAL *w, long width, REAL *y)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[VECTORS] = {0};",
        "        for (int n = 1; n <= at[0]; n++) {",
        "            const REAL *const row = w + at[n] * width;",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                Vector columns;",
        ("                memcpy(&columns, row + (j < VECTORS - 1 ? j * LANES : LAST), "
         "sizeof(Vector));"),
        "                sum[j] += x[at[n]] * columns;",
        "            }",
        "        }",
        "        UNROLLED for (int j = 0; j < VECTORS; j++)",
        "            memcpy(y + (j < VECTORS - 1 ? j * LANES : LAST), &sum[j], sizeof(Vector));",
        "    }",
    };
    comment(out, "A span: a few vectors of columns, the last of them from LAST on, summed over the "
                 "rows of a list: at[1] to at[at[0]] are places in x and rows of w.");
    emit_macro(out, span, (int)(sizeof span / sizeof *span));
}

enum { MOST_VECTORS = 8, MOST_SPANS = 2 + 8 }; // full ones, what they leave, and each half

typedef struct {
    int from, runs, vectors, lanes; // the first column; so many spans of one form behind another
    int last;                       // where the last vector begins, in the span
} Span;

// The columns as spans of MOST_VECTORS full vectors and one of those that are left, whose last
// vector reaches back; of fewer columns than a vector has lanes, halves down to one.
static int spans_of(const Network *network, int columns, Span spans[MOST_SPANS])
{
    const int full = vector_lanes(network), wide = MOST_VECTORS * full;
    int count = 0, at = 0;
    if (columns >= wide)
        spans[count++] = (Span){at, columns / wide, MOST_VECTORS, full, wide - full};
    at = columns / wide * wide;
    const int rest = columns - at, vectors = (rest + full - 1) / full;
    if (rest && columns >= full) {
        const int from = rest < full ? columns - full : at;
        spans[count++] = (Span){from, 1, vectors, full, columns - full - from};
        return count;
    }
    for (int lanes = full / 2; lanes >= 1; lanes /= 2)
        if ((columns - at) / lanes) {
            spans[count++] = (Span){at, 1, 1, lanes, 0};
            at += lanes;
        }
    return count;
}

static const char *span_name(const Span *s)
{
    const char *const whole = format("span_%dx%d", s->vectors, s->lanes);
    return s->last == (s->vectors - 1) * s->lanes ? whole
                                                  : format("%s_to_%d", whole, s->last + s->lanes);
}

static void emit_sum(Out *out, const Product *p)
{
    Span spans[MOST_SPANS];
    const char *const type = real_type(out->network);
    const int columns = p->columns, count = spans_of(out->network, columns, spans);
    const char *const apart =
        p->b_line != columns ? format(", where rows of w are %d numbers apart", p->b_line) : "";
    comment(out, "y[%d] = the sum of x[i] w[i][%d] over the places i of the list%s", columns,
            columns, apart);
    emit_declaration(
        out, format("static void %s(", rows_name(p)),
        format("const int32_t *at, const %s *x, const %s *w, %s *y", type, type, type));
    line(out, "{");
    for (const Span *s = spans; s < spans + count; s++) {
        const int width = s->vectors * s->lanes;
        const char *const offset = s->runs > 1 ? " + j" : s->from ? format(" + %d", s->from) : "";
        if (s->runs > 1)
            line(out, "for (int j = 0; j < %d; j += %d)", s->runs * width, width);
        out->depth += s->runs > 1;
        line(out, "%s(at, x, w%s, %d, y%s);", span_name(s), offset, p->b_line, offset);
        out->depth -= s->runs > 1;
    }
    line(out, "}");
    blank_line(out);
}

// One step of a row's product: the lanes of what is summed so far are halved, until they are those
// of the columns that are left.
static void emit_dot(Out *out, const Product *p)
{
    const char *const type = real_type(out->network);
    const int columns = p->columns;
    int full = vector_lanes(out->network);
    while (full > columns)
        full /= 2;
    comment(out, "the sum of row[j] y[j] over j < %d", columns);
    emit_declaration(out, format("static inline %s %s(", type, rows_name(p)),
                     format("const %s *y, const %s *row", type, type));
    line(out, "{");
    const int whole = columns / full * full;
    if (full > 1) {
        line(out, "%s sum%d = {0};", lane_type(out->network, full), full);
        if (whole > full)
            line(out, "for (int j = 0; j < %d; j += %d)", whole, full);
        line(out, whole > full ? "    ADD_PRODUCTS(sum%d, row + j, y + j);"
                               : "ADD_PRODUCTS(sum%d, row, y);", full);
    } else {
        line(out, "%s sum1 = row[0] * y[0];", type);
    }
    int at = whole;
    for (int lanes = full / 2; lanes >= 1; lanes /= 2) {
        line(out, "%s sum%d;", lane_type(out->network, lanes), lanes);
        line(out, "HALVE(sum%d, sum%d);", lanes, 2 * lanes);
        if ((columns - at) / lanes == 0)
            continue;
        line(out, "ADD_PRODUCTS(sum%d, row + %d, y + %d);", lanes, at, at);
        at += lanes;
    }
    line(out, "return sum1;");
    line(out, "}");
    blank_line(out);
}

// What the dot products are made of: no functions, since one with a vector for its result is
// called in another way without such vectors, and compilers say so.
static void emit_dot_macros(Out *out)
{
    static const char *const add[] = {
        "#define ADD_PRODUCTS(sum, a, b)",
        "    do {",
        "        __typeof__(sum) left, right;",
        "        memcpy(&left, a, sizeof left);",
        "        memcpy(&right, b, sizeof right);",
        "        sum += left * right;",
        "    } while (0)",
    };
    static const char *const halve[] = {
        "#define HALVE(half, all)",
        "    do {",
        "        __typeof__(half) halves[2];",
        "        memcpy(halves, &all, sizeof halves);",
        "        half = halves[0] + halves[1];",
        "    } while (0)",
    };
    comment(out, "To each lane of a sum is added a product of a number of a and one of b.");
    emit_macro(out, add, (int)(sizeof add / sizeof *add));
    comment(out, "The lower lanes of a vector plus its upper ones.");
    emit_macro(out, halve, (int)(sizeof halve / sizeof *halve));
}

static void emit_spans(Out *out, const char *body)
{
    Text done = {0};
    for (int i = 0; i < out->network->product_count; i++) {
        const Product *const p = &out->network->products[i];
        Span spans[MOST_SPANS];
        if (p->form != ROWS_SUM || !calls_rows(p, body))
            continue;
        const int count = spans_of(out->network, p->columns, spans);
        for (int s = 0; s < count; s++) {
            const char *const name = span_name(&spans[s]);
            if (text_once(&done, name))
                line(out, "SPAN(%s, %d, %d, %s)", name, spans[s].vectors, spans[s].last,
                     lane_type(out->network, spans[s].lanes));
        }
    }
    blank_line(out);
}

// The functions that `body` calls, and what they are made of.
void emit_row_products(Out *out, const char *body)
{
    bool sums = false, dots = false;
    for (int i = 0; i < out->network->product_count; i++) {
        const Product *const p = &out->network->products[i];
        sums |= p->form == ROWS_SUM && calls_rows(p, body);
        dots |= p->form == ROW_DOT && calls_rows(p, body);
    }
    if (sums) {
        emit_span_macro(out);
        emit_spans(out, body);
    }
    if (dots)
        emit_dot_macros(out);
    for (int i = 0; i < out->network->product_count; i++) {
        const Product *const p = &out->network->products[i];
        if (!calls_rows(p, body))
            continue;
        if (p->form == ROWS_SUM)
            emit_sum(out, p);
        else
            emit_dot(out, p);
    }
}
