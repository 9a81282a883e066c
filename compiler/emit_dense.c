// emit_dense.c: the fully connected layer: three matrix products.
//
// Each is a product of one block of rows, or of one part of the weights; the caller divides the
// work.
#include "netc.h"

static void emit_rows_of_steps(Out *out, const Graph *graph, const Node *node)
{
    if (!node->step_count)
        return;
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// By the weights that are the node's second input.
static void emit_layer_product(Out *out, const Graph *graph, const Node *node, int columns,
                               int terms, const char *x, const char *w, const char *y)
{
    const int rows = graph->network->block_rows;
    const int panel_rows = graph->nodes[node->input[1]].shape.panel_rows;
    if (panel_rows)
        emit_panel_product(out, "rows", rows, columns, terms, panel_rows, x, w, y);
    else
        emit_product(out, "rows", rows, columns, terms, x, w, y);
}

void emit_dense(Out *out, const Graph *graph, const Node *node)
{
    const int columns = node->shape.dims[0];
    const int terms = (int)shape_size(graph->nodes[node->input[0]].shape);
    emit_layer_product(out, graph, node, columns, terms, "x", "w", "y");
    emit_rows_of_steps(out, graph, node);
}

void emit_dense_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const int columns = (int)shape_size(node->shape);
    const int terms = (int)shape_size(graph->nodes[node->input[0]].shape);
    emit_layer_product(out, graph, node, columns, terms, "dy", "turned", "dx");
    emit_rows_of_steps(out, graph, node);
}

void emit_dense_slice(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[1]].shape;
    const int *const dims = node->shape.dims, columns = w.dims[1], terms = w.dims[0] / dims[0];
    if (w.panel_rows)
        emit_panel_product(out, "batch->rows", dims[1], columns, terms, terms, "x[part]",
                           format("w + part * %d", terms * columns), "sum[part]");
    else
        emit_product(out, "batch->rows", dims[1], columns, terms, "x[part]",
                     format("w[part * %d]", terms), "sum[part]");
}

void emit_slice_sum(Out *out, const Graph *graph, const Node *node)
{
    const int *const dims = graph->nodes[node->input[0]].shape.dims, slices = dims[0];
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "for (int j = 0; j < %d; j++)", dims[2]);
    for (int s = 0; s < slices; s += 2) // an even number of them
        line(out, "    %ssum[%d][first + i][j] + sum[%d][first + i][j]%s",
             s ? "          " : "y[i][j] = ", s, s + 1, s + 2 < slices ? " +" : ";");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// The rows from..to of the gradient, of which x has `width` columns from row `first` on.
static void emit_weight_gradient(Out *out, const Graph *graph, const Node *node, int width,
                                 const char *first, const char *terms, const char *x)
{
    const Shape w = node->shape;
    const bool cut = part_count(w) > 1;
    const char *const from = !cut ? "0" : *first ? format("from - %s", first) : "from";
    const char *const to = !cut     ? format("%d", w.dims[0])
                           : *first ? format("to - %s", first)
                                    : "to";
    const char *const add = node->chunked ? "chunk > 0" : "false";
    if (!w.panel_rows)
        emit_outer(out, from, to, part_rows(w), width, w.dims[1], terms, x, "dy",
                   cut && !node->piece ? "dw[from]" : "dw", add);
    else if (node->piece)
        emit_panel_outer(out, from, to, part_rows(w), width, w.dims[1], terms, x, "dy", "dw",
                         "to - from", "0", node->claims ? "w" : "NULL", add);
    else
        emit_panel_outer(out, from, to, part_rows(w), width, w.dims[1], terms, x, "dy",
                         *first ? format("dw + %s * %d", first, w.dims[1]) : "dw",
                         format("%d", w.panel_rows), from, "NULL", add);
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
