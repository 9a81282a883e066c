// emit_ahead.c: what the first layer does for several steps at once (ahead.c).
//
// A few pictures are taken at a time: what is read of the weights serves them all.
#include "emit.h"

#include <string.h>

// How many pictures go over the weights together. Fewer have fewer places between them that are not
// 0, more share what is read of the weights: 16 registers hold six vectors of sums for each of two
// pictures, but two for each of four.
int rows_ahead(const Network *network) { return network->target->registers < 32 ? 2 : 4; }

// --- the columns --------------------------------------------------------------------------------

// Columns of w that lie row by row, with the gap behind them; others lie by themselves.
static int columns_in_rows(const Network *network, const Node *w)
{
    const Shape shape = w->shape;
    return shape.panel_rows ? panels_of(network, shape.panel_rows, shape.dims[1]).whole
                            : columns_ahead(network, shape.dims[1]);
}

static int lone_ahead(const Network *network, const Node *w)
{
    return w->shape.panel_rows ? w->shape.dims[1] - columns_in_rows(network, w) : 0;
}

// The vectors of a row, cut as evenly as can be into strips whose sums for the pictures that are
// taken together the registers hold, beside one number of each of these and what is read.
static int cut_columns(const Network *network, const Node *w, ProductStrip strips[2])
{
    const int rows = rows_ahead(network), others = rows + 2;
    const int most = (network->target->registers - others) / rows;
    const int lanes = vector_lanes(network), all = columns_in_rows(network, w) / lanes;
    const int count = (all + most - 1) / most, wide = (all + count - 1) / count;
    const int narrow_ones = count * wide - all, wide_ones = count - narrow_ones;
    strips[0] = (ProductStrip){
        .width = wide * lanes, .vectors = wide, .lane_count = lanes, .runs = wide_ones};
    strips[1] = (ProductStrip){.width = (wide - 1) * lanes,
                               .vectors = wide - 1,
                               .lane_count = lanes,
                               .first = wide_ones * wide * lanes,
                               .runs = narrow_ones};
    return narrow_ones ? 2 : 1;
}

// Columns of the widest strip.
int ahead_width(const Network *network, const Node *w)
{
    ProductStrip strips[2];
    cut_columns(network, w, strips);
    return strips[0].width;
}

static const char *kernel_name(const char *start, const ProductStrip *strip)
{
    return format("%s_%dx%d", start, strip->vectors, strip->lane_count);
}

// --- the kernels --------------------------------------------------------------------------------

static void emit_sums_macro(Out *out)
{
    static const char *const text[] = {
        "#define SUMS(name, COUNT, VECTORS, Vector)",
        "    static INLINED void name(",
        "        const int32_t *at, const REAL *x, long numbers, const REAL *w, long width,",
        "        REAL *y, long line)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[COUNT][VECTORS];",
        "        UNROLLED for (int i = 0; i < COUNT; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                memcpy(&sum[i][j], y + i * line + j * LANES, sizeof(Vector));",
        "        for (int n = 1, count = at[0]; n <= count; n++) {",
        "            const long p = at[n];",
        "            const REAL *const row = w + p * width;",
        "            REAL number[COUNT];",
        "            UNROLLED for (int i = 0; i < COUNT; i++)",
        "                number[i] = x[i * numbers + p];",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                Vector columns;",
        "                memcpy(&columns, row + j * LANES, sizeof(Vector));",
        "                FORGET;",
        "                UNROLLED for (int i = 0; i < COUNT; i++)",
        "                    sum[i][j] += number[i] * columns;",
        "            }",
        "        }",
        "        UNROLLED for (int i = 0; i < COUNT; i++)",
        "            UNROLLED for (int j = 0; j < VECTORS; j++)",
        "                memcpy(y + i * line + j * LANES, &sum[i][j], sizeof(Vector));",
        "    }",
    };
    comment(out, "A few vectors of columns of y = x w, for COUNT rows x: to each row of y are "
                 "added the products of its x and the rows of w that a list names.");
    emit_macro(out, text, (int)(sizeof text / sizeof *text));
}

static void emit_changes_macro(Out *out)
{
    static const char *const text[] = {
        "#define CHANGE(name, COUNT, VECTORS, Vector)",
        "    static INLINED void name(",
        "        const int32_t *at, const REAL *x, long numbers, REAL *w, long width,",
        "        const REAL *change, long line)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector by[COUNT][VECTORS];",
        "        UNROLLED for (int i = 0; i < COUNT; i++)",
        "            memcpy(by[i], change + i * line, sizeof by[i]);",
        "        for (int n = 1; n <= at[0]; n++) {",
        "            REAL *const row = w + at[n] * width;",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                Vector columns;",
        "                memcpy(&columns, row + j * LANES, sizeof(Vector));",
        "                UNROLLED for (int i = 0; i < COUNT; i++)",
        "                    columns -= x[i * numbers + at[n]] * by[i][j];",
        "                memcpy(row + j * LANES, &columns, sizeof(Vector));",
        "            }",
        "        }",
        "    }",
    };
    comment(out, "From a few vectors of columns of the rows of w that a list names are taken the "
                 "products of COUNT rows x and their rows of changes.");
    emit_macro(out, text, (int)(sizeof text / sizeof *text));
}

static void emit_overlaps_macro(Out *out)
{
    static const char *const text[] = {
        "#define OVERLAPS(name, FROM, TO, NUMBERS, Vector)",
        "    static void name(const REAL *x, REAL *overlaps)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL), WHOLE = NUMBERS / LANES * LANES };",
        "        Vector sum[TO][TO] = {0};",
        "        REAL lanes[TO][TO][LANES];",
        "        for (int p = 0; p < WHOLE; p += LANES) {",
        "            Vector row[TO];",
        "            UNROLLED for (int i = 0; i < TO; i++)",
        "                memcpy(&row[i], x + i * NUMBERS + p, sizeof(Vector));",
        "            UNROLLED for (int i = FROM; i < TO; i++)",
        "                UNROLLED for (int k = 0; k < i; k++)",
        "                    sum[i][k] += row[i] * row[k];",
        "        }",
        "        UNROLLED for (int i = FROM; i < TO; i++)",
        "            UNROLLED for (int k = 0; k < i; k++)",
        "                memcpy(lanes[i][k], &sum[i][k], sizeof(Vector));",
        "        for (int i = FROM; i < TO; i++)",
        "            for (int k = 0; k < i; k++) {",
        "                REAL total = 0;",
        "                for (int lane = 0; lane < LANES; lane++)",
        "                    total += lanes[i][k][lane];",
        "                for (int p = WHOLE; p < NUMBERS; p++)",
        "                    total += x[i * NUMBERS + p] * x[k * NUMBERS + p];",
        "                overlaps[i * STEPS + k] = total;",
        "            }",
        "    }",
    };
    comment(out, "overlaps[i][k] = the product of the rows i and k of x, for FROM <= i < TO and "
                 "k < i.");
    emit_macro(out, text, (int)(sizeof text / sizeof *text));
}

// Columns by themselves: all numbers of the rows x, whatever is 0. Lanes are added up by what the
// products of inference, which have the same columns, do it with.
static void emit_lone_macros(Out *out)
{
    static const char *const sums[] = {
        "#define LONE_SUMS(name, COLUMNS, NUMBERS, Vector)",
        "    static void name(const REAL *x, const REAL *w, REAL *y, long line)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL), WHOLE = NUMBERS / LANES * LANES };",
        "        Vector sum[LANES] = {0};",
        "        for (int p = 0; p < WHOLE; p += LANES) {",
        "            Vector column[COLUMNS], row;",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                memcpy(&column[j], w + j * NUMBERS + p, sizeof(Vector));",
        "            UNROLLED for (int i = 0; i < STEPS; i++) {",
        "                memcpy(&row, x + i * NUMBERS + p, sizeof(Vector));",
        "                UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                    sum[i * COLUMNS + j] += row * column[j];",
        "            }",
        "        }",
        "        add_lanes(sum);",
        "        UNROLLED for (int i = 0; i < STEPS; i++)",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++) {",
        "                REAL total = sum[0][i * COLUMNS + j];",
        "                for (int p = WHOLE; p < NUMBERS; p++)",
        "                    total += x[i * NUMBERS + p] * w[j * NUMBERS + p];",
        "                y[i * line + j] = total;",
        "            }",
        "    }",
    };
    static const char *const change[] = {
        "#define LONE_CHANGE(name, COLUMNS, NUMBERS, Vector)",
        "    static void name(const REAL *x, REAL *w, const REAL *change, long line)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL), WHOLE = NUMBERS / LANES * LANES };",
        "        for (int p = 0; p < WHOLE; p += LANES) {",
        "            Vector column[COLUMNS], row;",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                memcpy(&column[j], w + j * NUMBERS + p, sizeof(Vector));",
        "            UNROLLED for (int i = 0; i < STEPS; i++) {",
        "                memcpy(&row, x + i * NUMBERS + p, sizeof(Vector));",
        "                UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                    column[j] -= row * change[i * line + j];",
        "            }",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                memcpy(w + j * NUMBERS + p, &column[j], sizeof(Vector));",
        "        }",
        "        for (int i = 0; i < STEPS; i++)",
        "            for (int j = 0; j < COLUMNS; j++)",
        "                for (int p = WHOLE; p < NUMBERS; p++)",
        "                    w[j * NUMBERS + p] -= x[i * NUMBERS + p] * change[i * line + j];",
        "    }",
    };
    comment(out, "Columns that lie by themselves: of each of STEPS rows y those that are products "
                 "of its x and a column of w, and the changes of such columns.");
    emit_macro(out, sums, (int)(sizeof sums / sizeof *sums));
    emit_macro(out, change, (int)(sizeof change / sizeof *change));
}

static const Node *find(const Graph *graph, Op op)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == op)
            return &graph->nodes[i];
    return NULL;
}

static void emit_kinds(Out *out, const char *macro, const char *start, const Node *w)
{
    ProductStrip strips[2];
    const int count = cut_columns(out->network, w, strips), rows = rows_ahead(out->network);
    for (const ProductStrip *s = strips; s < strips + count; s++)
        line(out, "%s(%s, %d, %d, %s)", macro, kernel_name(start, s), rows, s->vectors,
             lane_type(out->network, s->lane_count));
    blank_line(out);
}

void emit_ahead_kernels(Out *out, const char *body)
{
    const Graph *const graph = &out->network->train;
    if (!works_ahead(graph) || !strstr(body, "overlaps_1_to_4("))
        return;
    const Node *const w = &graph->nodes[find(graph, OP_dense_ahead)->input[1]];
    const int inputs = w->shape.dims[0], lone = lone_ahead(out->network, w);
    const char *const type = lane_type(out->network, vector_lanes(out->network));
    emit_sums_macro(out);
    emit_kinds(out, "SUMS", "sums", w);
    emit_changes_macro(out);
    emit_kinds(out, "CHANGE", "change", w);
    if (lone) {
        emit_lone_macros(out);
        line(out, "LONE_SUMS(sum_lone, %d, %d, %s)", lone, inputs, type);
        line(out, "LONE_CHANGE(change_lone, %d, %d, %s)", lone, inputs, type);
        blank_line(out);
    }
    emit_overlaps_macro(out);
    line(out, "OVERLAPS(overlaps_1_to_4, 1, 5, %d, %s)", inputs, type);
    line(out, "OVERLAPS(overlaps_5_to_7, 5, 8, %d, %s)", inputs, type);
    blank_line(out);
}

// --- the functions ------------------------------------------------------------------------------

void emit_nonzero_of_rows(Out *out, const Graph *graph, const Node *node)
{
    const int *const dims = node->shape.dims;
    const int part = dims[2] - 1, together = rows_ahead(out->network);
    const long inputs = shape_size(graph->nodes[node->input[0]].shape);
    line(out, "for (int i = 0; i < rows; i += %d)", together);
    line(out, "    for (int part = 0; part < %d; part++)", dims[1]);
    line(out,
         "        nn_places_of_rows(part * %d, nn_min(part * %d + %d, %ld), %d, x[i], %ld, "
         "at[i / %d][part]);",
         part, part, part, inputs, together, inputs, together);
}

void emit_overlaps(Out *out, const Graph *graph, const Node *node)
{
    (void)node;
    line(out, "memset(overlaps, 0, sizeof(%s[STEPS][STEPS]));", real_type(graph->network));
    line(out, "if (rows > 1)");
    line(out, "    overlaps_1_to_4(x[0], overlaps[0]);");
    line(out, "if (rows > 5)");
    line(out, "    overlaps_5_to_7(x[0], overlaps[0]);");
}

// Of a layer: its weights, the numbers from a row of them to the next, and of sums, and how many
// rows go over the weights together.
typedef struct {
    const Node *w;
    int width, line, together;
} AheadRows;

static AheadRows rows_of(const Network *network, const Node *w)
{
    const int line = columns_ahead(network, w->shape.dims[1]);
    return (AheadRows){w, columns_in_rows(network, w), line, rows_ahead(network)};
}

static const char *first_of(const AheadRows *rows)
{
    return rows->w->shape.panel_rows ? "w" : "w[0]";
}

// The changes of so many steps, whose rows lie from `first` on, of a strip that begins at `column`;
// `before` is "_before" where these are the steps before.
static void emit_changes(Out *out, const ProductStrip *strip, const char *column,
                         const AheadRows *rows, const char *steps, const char *first,
                         const char *before)
{
    line(out, "for (int i = 0; i < %s; i += %d)", steps, rows->together);
    out->depth++;
    call_line(out, kernel_name("change", strip),
              format("at%3$s[i / %6$d][part], x%3$s[i], %4$d, %7$s%1$s, %8$d, "
                     "changes[%2$s + i]%1$s, %5$d",
                     column, first, before, rows->w->shape.dims[0], rows->line, rows->together,
                     first_of(rows), rows->width));
    out->depth--;
}

static void emit_sums(Out *out, const ProductStrip *strip, const char *column,
                      const AheadRows *rows)
{
    line(out, "for (int i = 0; i < rows; i += %d)", rows->together);
    out->depth++;
    call_line(out, kernel_name("sums", strip),
              format("at[i / %4$d][part], x[i], %2$d, %5$s%1$s, %6$d, sums[i]%1$s, %3$d", column,
                     rows->w->shape.dims[0], rows->line, rows->together, first_of(rows),
                     rows->width));
    out->depth--;
}

// The columns that lie by themselves: `what` of the steps whose rows begin at `steps`.
static void emit_lone(Out *out, const AheadRows *rows, const char *what, const char *x,
                      const char *steps)
{
    const int first = columns_in_rows(out->network, rows->w);
    call_line(out, what,
              format("%s[0], w + %d, %s + %d, %d", x, first * rows->w->shape.dims[0], steps, first,
                     rows->line));
}

// Where the rows of changes of these steps begin.
static void emit_first(Out *out)
{
    line(out, "const int step = batch->number %% STEPS;");
    line(out, "const int first = batch->number %% (2 * STEPS) - step;");
}

void emit_dense_ahead(Out *out, const Graph *graph, const Node *node)
{
    const Node *const at = &graph->nodes[node->input[2]], *const w = &graph->nodes[node->input[1]];
    const AheadRows rows = rows_of(graph->network, w);
    ProductStrip strips[2];
    const int count = cut_columns(graph->network, w, strips);
    line(out, "const int before = STEPS - batch->number %% (2 * STEPS);");
    line(out, "memset(sums, 0, sizeof(%s[STEPS][%d]));", real_type(graph->network), rows.line);
    line(out, "for (int part = 0; part < %d; part++) {", at->shape.dims[1]);
    for (const ProductStrip *s = strips; s < strips + count; s++) {
        const char *const column = open_product_strip(out, s, true).column;
        line(out, "if (batch->number > 0)");
        out->depth++;
        emit_changes(out, s, column, &rows, "STEPS", "before", "_before");
        out->depth--;
        emit_sums(out, s, column, &rows);
        close_product_strip(out, s, true);
    }
    line(out, "}");
    if (!lone_ahead(graph->network, w))
        return;
    line(out, "if (batch->number > 0)");
    out->depth++;
    emit_lone(out, &rows, "change_lone", "x_before", "changes[before]");
    out->depth--;
    emit_lone(out, &rows, "sum_lone", "x", "sums[0]");
}

void emit_dense_late(Out *out, const Graph *graph, const Node *node)
{
    const Node *const sums = &graph->nodes[node->input[0]];
    const long size = shape_size(graph->nodes[sums->input[0]].shape);
    const int stored = columns_ahead(graph->network, node->shape.dims[0]);
    emit_first(out);
    line(out, "nn_ahead(batch, STEPS, %ld, 0, %ld);", size, size);
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "%s sum[%d]; // whole vectors, as rows of sums are", real_type(graph->network),
         stored);
    line(out, "for (int j = 0; j < %d; j++) {", stored);
    line(out, "sum[j] = sums[step][j];");
    line(out, "UNROLLED for (int k = 0; k < STEPS; k++)");
    line(out, "    sum[j] -= overlaps[step][k] * changes[first + k][j];");
    line(out, "}");
    line(out, "memcpy(y[i], sum, sizeof y[i]);");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_dense_late_sgd(Out *out, const Graph *graph, const Node *node)
{
    const Node *const w = &graph->nodes[node->input[0]];
    const Node *const at = &graph->nodes[node->input[4]];
    const AheadRows rows = rows_of(graph->network, w);
    ProductStrip strips[2];
    const int count = cut_columns(graph->network, w, strips);
    emit_first(out);
    line(out, "for (int j = 0; j < %d; j++)", w->shape.dims[1]);
    line(out, "    changes[first + step][j] = (%s)batch->rate * dy[0][j];",
         real_type(graph->network));
    line(out, "if (batch->known > 1)");
    line(out, "    return; // the next steps reckon with it, and a later one changes w");
    line(out, "for (int part = 0; part < %d; part++) {", at->shape.dims[1]);
    for (const ProductStrip *s = strips; s < strips + count; s++) {
        const char *const column = open_product_strip(out, s, true).column;
        emit_changes(out, s, column, &rows, "step + 1", "first", "");
        close_product_strip(out, s, true);
    }
    line(out, "}");
    if (lone_ahead(graph->network, w))
        emit_lone(out, &rows, "change_lone", "x", "changes[first]");
}
