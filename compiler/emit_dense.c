// emit_dense.c: the fully connected layer: three matrix products.
//
// Each is a product of one block of rows, or of one part of the weights; the caller divides the
// work.
#include "emit.h"

static void emit_rows_of_steps(Out *out, const Graph *graph, const Node *node)
{
    if (!node->step_count)
        return;
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// Of the node's first input by the weights that are its second.
static Product layer_product(const Graph *graph, const Node *node)
{
    const int panel_rows = graph->nodes[node->input[1]].shape.panel_rows;
    return (Product){.form = panel_rows ? ROWS_BY_PANELS : ROWS_BY_MATRIX,
                     .terms = (int)shape_size(graph->nodes[node->input[0]].shape),
                     .columns = (int)shape_size(node->shape),
                     .rows = graph->network->block_rows,
                     .panel_rows = panel_rows,
                     .a_line = graph->nodes[node->input[0]].line,
                     .b_line = graph->nodes[node->input[1]].line,
                     .c_line = node->line,
                     .skips = node->skips};
}

bool dense_takes_blas(const Graph *graph, const Node *node)
{
    const Product p = layer_product(graph, node);
    return p.form == ROWS_BY_MATRIX &&
           takes_blas(graph->network, p.form, p.terms, p.columns, p.rows);
}

void emit_dense(Out *out, const Graph *graph, const Node *node)
{
    emit_product(out, layer_product(graph, node), "rows", "x", "w", "y");
    emit_rows_of_steps(out, graph, node);
}

void emit_dense_grad_x(Out *out, const Graph *graph, const Node *node)
{
    emit_product(out, layer_product(graph, node), "rows", "dy", "turned", "dx");
    emit_rows_of_steps(out, graph, node);
}

void emit_dense_slice(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[1]].shape;
    const int *const dims = node->shape.dims, columns = w.dims[1], terms = w.dims[0] / dims[0];
    const Product product = {.form = w.panel_rows ? ROWS_BY_PANELS : ROWS_BY_MATRIX,
                             .terms = terms,
                             .columns = columns,
                             .rows = dims[1],
                             .panel_rows = w.panel_rows,
                             .skips = node->skips};
    line(out, "const bool add = nn_pairs() && part %% 2; // to the slice before, which is the "
              "same thread's");
    emit_product_onto(out, product, "batch->rows", "x[part]",
                      w.panel_rows ? format("w + part * %d", terms * columns)
                                   : format("w[part * %d]", terms),
                      "sum[part - add]", "add");
}

void emit_slice_sum(Out *out, const Graph *graph, const Node *node)
{
    const int *const dims = graph->nodes[node->input[0]].shape.dims, columns = dims[2];
    if (dims[0] != 4)
        bug("the sums of %d slices, which are no two pairs", dims[0]);
    line(out, "const bool pairs = nn_pairs();");
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "if (pairs)");
    line(out, "    for (int j = 0; j < %d; j++)", columns);
    line(out, "        y[i][j] = sum[0][first + i][j] + sum[2][first + i][j];");
    line(out, "else");
    line(out, "    for (int j = 0; j < %d; j++)", columns);
    line(out, "        y[i][j] = (sum[0][first + i][j] + sum[1][first + i][j]) +");
    line(out, "                  (sum[2][first + i][j] + sum[3][first + i][j]);");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// The rows from..to of the gradient, of which x has `width` columns from row `first` on.
static void emit_weight_gradient(Out *out, const Graph *graph, const Node *node, int width,
                                 const char *first, const char *terms, const char *x)
{
    const Shape w = node->shape;
    const bool cut = op_info[node->op].tasks == BY_PART && part_count(w) > 1;
    const char *const from = !cut ? "0" : *first ? format("from - %s", first) : "from";
    const char *const to = !cut     ? format("%d", w.dims[0])
                           : *first ? format("to - %s", first)
                                    : "to";
    const bool panels = w.panel_rows > 0, own = node->piece;
    const Product product = {.form = panels ? OUTER_IN_PANELS : OUTER_SUM,
                             .terms = width,
                             .columns = w.dims[1],
                             .rows = cut ? part_rows(w) : w.dims[0],
                             .b_line = graph->nodes[node->input[1]].line,
                             .skips = node->skips};
    emit_outer(out, product,
               &(OuterCall){.from = from,
                            .to = to,
                            .terms = terms,
                            .x = x,
                            .dy = "dy",
                            .dw = own || (panels && !*first) ? "dw"
                                  : panels ? format("dw + %s * %d", first, w.dims[1])
                                  : cut    ? "dw[from]"
                                           : "dw",
                            .add = node->chunked ? "chunk > 0" : "false",
                            .high = own ? "to - from" : format("%d", w.panel_rows),
                            .row = own ? "0" : from,
                            .change = node->claims ? "w" : "NULL"});
    if (node->step_count)
        emit_part_elements(out, graph, node, format("dw%s", gradient_index(node)));
}

// Each part sums over the whole batch, so that no sum is shared between tasks.
void emit_dense_grad_w(Out *out, const Graph *graph, const Node *node)
{
    emit_part_range(out, graph, node);
    emit_weight_gradient(out, graph, node, node->shape.dims[0], "",
                         node->chunked ? "rows_of_chunk(chunk, batch)" : "batch->rows", "x");
}

// All of the gradient, of one block's rows.
void emit_dense_grad_w_block(Out *out, const Graph *graph, const Node *node)
{
    line(out, "if (rows == 0) // of a batch that is cut short");
    line(out, "    memset(dw, 0, sizeof(%s[%ld]));", real_type(graph->network),
         shape_size(node->shape));
    emit_weight_gradient(out, graph, node, node->shape.dims[0], "", "rows", "x");
}

// Slices are made of whole parts.
void emit_dense_slice_grad_w(Out *out, const Graph *graph, const Node *node)
{
    const int terms = graph->nodes[node->input[0]].shape.dims[2];
    emit_part_range(out, graph, node);
    if (panels_of_slices(node->shape))
        line(out, "const int slice = from / %d;", terms);
    else
        line(out, "const int slice = from / %d, first = slice * %d;", terms, terms);
    emit_weight_gradient(out, graph, node, terms, "first", "batch->rows", "x[slice]");
}

void emit_turn(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = part_shape(graph, node);
    const int columns = w.dims[w.count - 1], rows = (int)(shape_size(w) / columns);
    emit_part_range(out, graph, node);
    if (w.panel_rows || node->shape.panel_rows) {
        emit_turn_panels(out, graph, node);
        return;
    }
    const bool cut = part_count(w) > 1;
    line(out, "nn_turn_%s(%s, %d, w[%s], %d, &turned[0][%s], %d);", real_type(graph->network),
         cut ? "to - from" : format("%d", rows), columns, cut ? "from" : "0", columns,
         cut ? "from" : "0", rows);
}
