// emit_lone.c: the last columns of a matrix in panels, where they are too few to fill a vector.
//
// A vector of two columns takes as long as one of sixteen. Each of such columns lies by itself
// instead, and vectors go down it: a product sums a row's numbers times a column's, an outer
// product makes sixteen numbers of a column at once.
#include "emit.h"

#include <string.h>

// As many rows at a time as make a sum for each lane, whose lanes are then added up together.
static int dot_rows(const Network *network, int columns)
{
    return vector_lanes(network) / columns;
}

static const char *dots_name(const Network *network, int columns)
{
    return format("dots_%dx%d", dot_rows(network, columns), columns);
}

static int called_columns(const Network *network, const Product *p, const char *body)
{
    return p->form == ROWS_BY_PANELS && is_called(p, body) ? lone_columns(network, p) : 0;
}

bool calls_dots(const Out *out, const char *body)
{
    for (int i = 0; i < out->network->product_count; i++)
        if (called_columns(out->network, &out->network->products[i], body))
            return true;
    return false;
}

// The last vector of a row and of a column overlaps with the one before; a mask leaves what is new
// of the column's. A row that holds an infinity gives no finite sum either way.
static void emit_dot_macro(Out *out)
{
    const Network *const network = out->network;
    const int lanes = vector_lanes(network);
    const char *const integer = network->doubles ? "int64_t" : "int32_t";
    static const char *const macro[] = {
        "#define DOTS(name, ROW_COUNT, COLUMNS)",
        "    static INLINED void name##_step(",
        "        int rows, const REAL *a, long ai, const Lanes *column, Lanes *sum)",
        "    {",
        "        UNROLLED for (int i = 0; i < ROW_COUNT; i++) {",
        "            Lanes row;",
        "            memcpy(&row, a + (i < rows ? i : 0) * ai, sizeof row);",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                sum[i * COLUMNS + j] += row * column[j];",
        "        }",
        "    }",
        "    static INLINED void name##_tile(",
        "        int rows, int terms, const REAL *a, long ai, const REAL *b, long bj, REAL *c,",
        "        long ci, bool add)",
        "    {",
        "        enum { LANES = sizeof(Lanes) / sizeof(REAL) };",
        "        Lanes sum[LANES] = {0}, column[COLUMNS];",
        "        for (int p = 0; p + LANES <= terms; p += LANES) {",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                memcpy(&column[j], b + j * bj + p, sizeof(Lanes));",
        "            name##_step(rows, a + p, ai, column, sum);",
        "        }",
        "        if (terms % LANES) {",
        "            Mask mask = {0};",
        "            UNROLLED for (int l = 0; l < LANES; l++)",
        "                mask[l] = l < LANES - terms % LANES ? 0 : -1;",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++) {",
        "                memcpy(&column[j], b + j * bj + terms - LANES, sizeof(Lanes));",
        "                column[j] = (Lanes)((Mask)column[j] & mask);",
        "            }",
        "            name##_step(rows, a + terms - LANES, ai, column, sum);",
        "        }",
        "        add_lanes(sum);",
        "        UNROLLED for (int i = 0; i < ROW_COUNT; i++)",
        "            UNROLLED for (int j = 0; j < COLUMNS; j++)",
        "                if (i < rows)",
        "                    c[i * ci + j] = (add ? c[i * ci + j] : 0) + sum[0][i * COLUMNS + j];",
        "    }",
        "    static INLINED void name(",
        "        int rows, int terms, const REAL *a, long ai, const REAL *b, long bj, REAL *c,",
        "        long ci, bool add)",
        "    {",
        "        int i = 0;",
        "        for (; i + ROW_COUNT <= rows; i += ROW_COUNT)",
        "            name##_tile(ROW_COUNT, terms, a + i * ai, ai, b, bj, c + i * ci, ci, add);",
        "        if (i < rows)",
        "            name##_tile(rows - i, terms, a + i * ai, ai, b, bj, c + i * ci, ci, add);",
        "    }",
    };

    line(out, "typedef %s Lanes;", lane_type(network, lanes));
    line(out, "typedef %s Mask __attribute__((vector_size(sizeof(Lanes))));", integer);
    line(out, "NN_LANE_SUMS(add_lanes, %s, %s, Lanes)", real_type(network), integer);
    blank_line(out);
    comment(out, "Columns that lie by themselves: c[i][j] = the sum over p < terms of a[i][p] "
                 "b[j][p], or that added to c, in as many sums as a vector has lanes. Rows of a "
                 "are ai apart, columns bj, rows of c ci. The last numbers of a row that fill no "
                 "vector are taken with some before them, whose column is masked.");
    emit_macro(out, macro, (int)(sizeof macro / sizeof *macro));
}

void emit_dots(Out *out, const char *body)
{
    const Network *const network = out->network;
    emit_dot_macro(out);
    Text done = {0};
    for (int i = 0; i < network->product_count; i++) {
        const int columns = called_columns(network, &network->products[i], body);
        if (columns && text_once(&done, dots_name(network, columns)))
            line(out, "DOTS(%s, %d, %d)", dots_name(network, columns), dot_rows(network, columns),
                 columns);
    }
    blank_line(out);
}

// The last columns of a product by panels of `high` rows; `parts`: in a loop over such.
void emit_lone_product(Out *out, const Product *p, int high, bool parts)
{
    const int lone = lone_columns(out->network, p), first = p->columns - lone;
    call_line(out, dots_name(out->network, lone),
              format("rows, %d, a%s, %d, b%s + %d * %d, %d, c + %d, %d, %s", high,
                     parts ? " + part" : "", p->a_line,
                     parts ? format(" + part * %d", p->columns) : "", first, high, high, first,
                     p->c_line, parts ? "part > 0" : p->adds ? "add" : "false"));
}

static void emit_lone_strip(Out *out, const Product *p, const ProductStrip *strip, const char *a,
                            int a_line)
{
    const int lone = lone_columns(out->network, p), first = p->columns - lone;
    const StripCall call = open_product_strip(out, strip, false);
    call_line(out, call.name,
              format("%d, some, b + %d, 1, %d, %s + i%s, %d, d + i%s, high, add || at > 0", lone,
                     first, p->b_line, a, call.column, a_line, call.column));
    close_product_strip(out, strip, false);
}

// Of an outer product: its rows are the lanes, and `a` is where those from the part's first on
// begin, `a_line` apart. Those of a usual part go in strips, others one by one.
void emit_lone_outer(Out *out, const Product *p, const char *a, int a_line)
{
    ProductStrip strips[MAX_STRIPS];
    const int count = lone_strips(out->network, p, strips) - 1; // without that of one row
    const int first = p->columns - lone_columns(out->network, p);
    line(out, "if (change && at == 0)");
    line(out, "    for (int j = %d; j < %d; j++)", first, p->columns);
    line(out, "        claim((const %s *)change + j * %d + from, to - from);",
         real_type(out->network), p->terms);
    line(out, "%s *const d = c + %d * high + row; // a column after the other",
         real_type(out->network), first);
    line(out, "int i = 0;");
    line(out, "for (; i + %d <= to - from; i += %d) {", p->rows, p->rows);
    for (int s = 0; s < count; s++)
        emit_lone_strip(out, p, &strips[s], a, a_line);
    line(out, "}");
    line(out, "for (; i < to - from; i++)");
    out->depth++;
    emit_lone_strip(out, p, &strips[count], a, a_line);
    out->depth--;
}
