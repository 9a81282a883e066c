// emit_ahead.c: what the first layer does for several steps at once (ahead.c).
//
// A few pictures are taken at a time: what is read of the weights serves them all.
#include "netc.h"

#include <string.h>

// --- the columns --------------------------------------------------------------------------------

// A kind of strips of columns, side by side: so many, of so many vectors.
typedef struct {
    int vectors, count;
} AheadStrips;

static int whole_vectors(const Network *network, int columns)
{
    return stored_columns(network, columns) / vector_lanes(network);
}

// The vectors of a row, cut as evenly as can be into strips whose sums for the pictures that are
// taken together the registers hold, beside one number of each of these and what is read.
static int cut_columns(const Network *network, int columns, AheadStrips kinds[2])
{
    enum { OTHERS = ROWS_TOGETHER + 2 };
    const int most = (network->target->registers - OTHERS) / ROWS_TOGETHER;
    const int all = whole_vectors(network, columns), count = (all + most - 1) / most;
    kinds[0] = (AheadStrips){(all + count - 1) / count, 0};
    kinds[1] = (AheadStrips){kinds[0].vectors - 1, 0};
    kinds[1].count = count * kinds[0].vectors - all;
    kinds[0].count = count - kinds[1].count;
    return kinds[1].count ? 2 : 1;
}

// Columns of the widest strip.
int ahead_width(const Network *network, int columns)
{
    AheadStrips kinds[2];
    cut_columns(network, columns, kinds);
    return kinds[0].vectors * vector_lanes(network);
}

static const char *strip_name(const Network *network, const char *start, int vectors)
{
    return format("%s_%dx%d", start, vectors, vector_lanes(network));
}

// --- the kernels --------------------------------------------------------------------------------

static void emit_sums_macro(Out *out)
{
    static const char *const text[] = {
        "#define SUMS(name, COUNT, VECTORS, Vector)",
        "    static inline __attribute__((always_inline)) void name(",
        "        const int32_t *at, const REAL *x, long numbers, const REAL *w, REAL *y,",
        "        long width)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector sum[COUNT][VECTORS];",
        "        UNROLLED for (int i = 0; i < COUNT; i++)",
        "            memcpy(sum[i], y + i * width, sizeof sum[i]);",
        "        for (int n = 1; n <= at[0]; n++) {",
        "            const REAL *const row = w + at[n] * width;",
        "            UNROLLED for (int j = 0; j < VECTORS; j++) {",
        "                Vector columns;",
        "                memcpy(&columns, row + j * LANES, sizeof(Vector));",
        "                UNROLLED for (int i = 0; i < COUNT; i++)",
        "                    sum[i][j] += x[i * numbers + at[n]] * columns;",
        "            }",
        "        }",
        "        UNROLLED for (int i = 0; i < COUNT; i++)",
        "            memcpy(y + i * width, sum[i], sizeof sum[i]);",
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
        "    static inline __attribute__((always_inline)) void name(",
        "        const int32_t *at, const REAL *x, long numbers, REAL *w, const REAL *change,",
        "        long width)",
        "    {",
        "        enum { LANES = sizeof(Vector) / sizeof(REAL) };",
        "        Vector by[COUNT][VECTORS];",
        "        UNROLLED for (int i = 0; i < COUNT; i++)",
        "            memcpy(by[i], change + i * width, sizeof by[i]);",
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

static const Node *find(const Graph *graph, Op op)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == op)
            return &graph->nodes[i];
    return NULL;
}

static void emit_kinds(Out *out, const char *macro, const char *start, int columns)
{
    AheadStrips kinds[2];
    const int count = cut_columns(out->network, columns, kinds);
    for (int k = 0; k < count; k++)
        line(out, "%s(%s, %d, %d, %s)", macro, strip_name(out->network, start, kinds[k].vectors),
             ROWS_TOGETHER, kinds[k].vectors,
             lane_type(out->network, vector_lanes(out->network)));
    blank_line(out);
}

void emit_ahead_kernels(Out *out)
{
    const Graph *const graph = &out->network->train;
    if (!works_ahead(graph))
        return;
    const Node *const sums = find(graph, OP_dense_ahead);
    const int columns = sums->shape.dims[0];
    const char *const type = lane_type(out->network, vector_lanes(out->network));
    const long inputs = shape_size(graph->nodes[sums->input[0]].shape);
    emit_sums_macro(out);
    emit_kinds(out, "SUMS", "sums", columns);
    emit_changes_macro(out);
    emit_kinds(out, "CHANGE", "change", columns);
    emit_overlaps_macro(out);
    line(out, "OVERLAPS(overlaps_1_to_4, 1, 5, %ld, %s)", inputs, type);
    line(out, "OVERLAPS(overlaps_5_to_7, 5, 8, %ld, %s)", inputs, type);
    blank_line(out);
}

// --- the functions ------------------------------------------------------------------------------

void emit_nonzero_of_rows(Out *out, const Graph *graph, const Node *node)
{
    const int *const dims = node->shape.dims;
    const int part = dims[2] - 1;
    const long inputs = shape_size(graph->nodes[node->input[0]].shape);
    line(out, "for (int i = 0; i < rows; i += %d)", ROWS_TOGETHER);
    line(out, "    for (int part = 0; part < %d; part++)", dims[1]);
    line(out, "        nn_places_of_rows(part * %d, nn_min(part * %d + %d, %ld), %d, x[i], %ld,",
         part, part, part, inputs, ROWS_TOGETHER, inputs);
    line(out, "                          at[i / %d][part]);", ROWS_TOGETHER);
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

// The strips of columns of one kind; `at` is added to addresses to get to a strip's first column.
typedef struct {
    int vectors;
    bool several;
    const char *at;
} AheadStrip;

static AheadStrip open_strips(Out *out, const AheadStrips *kinds, int kind)
{
    const int lanes = vector_lanes(out->network);
    const int first = kind ? kinds[0].count * kinds[0].vectors * lanes : 0;
    const int width = kinds[kind].vectors * lanes;
    const bool several = kinds[kind].count > 1;
    if (several)
        line(out, "for (int j = %d; j < %d; j += %d) {", first, first + kinds[kind].count * width,
             width);
    return (AheadStrip){kinds[kind].vectors, several,
                        several ? " + j" : first ? format(" + %d", first) : ""};
}

static void close_strips(Out *out, const AheadStrip *strip)
{
    if (strip->several)
        line(out, "}");
}

// The changes of so many steps, whose rows lie from `first` on; `before` is "_before" where these
// are the steps before.
static void emit_changes(Out *out, const AheadStrip *strip, long inputs, int line_of_w,
                         const char *steps, const char *first, const char *before)
{
    line(out, "for (int i = 0; i < %s; i += %d)", steps, ROWS_TOGETHER);
    out->depth++;
    call_line(out, strip_name(out->network, "change", strip->vectors),
              format("at%3$s[i / %6$d][part], x%3$s[i], %4$ld, w[0]%1$s, changes[%2$s + i]%1$s, "
                     "%5$d",
                     strip->at, first, before, inputs, line_of_w, ROWS_TOGETHER));
    out->depth--;
}

static void emit_sums(Out *out, const AheadStrip *strip, long inputs, int line_of_w)
{
    line(out, "for (int i = 0; i < rows; i += %d)", ROWS_TOGETHER);
    out->depth++;
    call_line(out, strip_name(out->network, "sums", strip->vectors),
              format("at[i / %4$d][part], x[i], %2$ld, w[0]%1$s, sums[i]%1$s, %3$d", strip->at,
                     inputs, line_of_w, ROWS_TOGETHER));
    out->depth--;
}

// Where the rows of changes of these steps begin.
static void emit_first(Out *out)
{
    line(out, "const int step = batch->number %% STEPS;");
    line(out, "const int first = batch->number %% (2 * STEPS) - step;");
}

void emit_dense_ahead(Out *out, const Graph *graph, const Node *node)
{
    const Node *const at = &graph->nodes[node->input[2]];
    const int line_of_w = stored_columns(graph->network, node->shape.dims[0]);
    const long inputs = shape_size(graph->nodes[node->input[0]].shape);
    AheadStrips kinds[2];
    const int count = cut_columns(graph->network, node->shape.dims[0], kinds);
    line(out, "const int before = STEPS - batch->number %% (2 * STEPS);");
    line(out, "memset(sums, 0, sizeof(%s[STEPS][%d]));", real_type(graph->network), line_of_w);
    line(out, "for (int part = 0; part < %d; part++) {", at->shape.dims[1]);
    for (int k = 0; k < count; k++) {
        const AheadStrip strip = open_strips(out, kinds, k);
        line(out, "if (batch->number > 0)");
        out->depth++;
        emit_changes(out, &strip, inputs, line_of_w, "STEPS", "before", "_before");
        out->depth--;
        emit_sums(out, &strip, inputs, line_of_w);
        close_strips(out, &strip);
    }
    line(out, "}");
}

void emit_dense_late(Out *out, const Graph *graph, const Node *node)
{
    const Node *const sums = &graph->nodes[node->input[0]];
    const long size = shape_size(graph->nodes[sums->input[0]].shape);
    emit_first(out);
    line(out, "nn_ahead(batch, STEPS, %ld, 0, %ld);", size, size);
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "for (int j = 0; j < %d; j++) {", node->shape.dims[0]);
    line(out, "%s v = sums[step][j];", real_type(graph->network));
    line(out, "UNROLLED for (int k = 0; k < STEPS; k++)");
    line(out, "    v -= overlaps[step][k] * changes[first + k][j];");
    line(out, "y[i][j] = v;");
    line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_dense_late_sgd(Out *out, const Graph *graph, const Node *node)
{
    const Node *const w = &graph->nodes[node->input[0]];
    const Node *const at = &graph->nodes[node->input[4]];
    AheadStrips kinds[2];
    const int count = cut_columns(graph->network, w->shape.dims[1], kinds);
    emit_first(out);
    line(out, "for (int j = 0; j < %d; j++)", w->shape.dims[1]);
    line(out, "    changes[first + step][j] = (%s)batch->rate * dy[0][j];",
         real_type(graph->network));
    line(out, "if (batch->known > 1)");
    line(out, "    return; // the next steps reckon with it, and a later one changes w");
    line(out, "for (int part = 0; part < %d; part++) {", at->shape.dims[1]);
    for (int k = 0; k < count; k++) {
        const AheadStrip strip = open_strips(out, kinds, k);
        emit_changes(out, &strip, w->shape.dims[0],
                     stored_columns(graph->network, w->shape.dims[1]), "step + 1", "first", "");
        close_strips(out, &strip);
    }
    line(out, "}");
}
