// emit_single.c: layers of one row that read only the rows of weights where their input isn't 0.
#include "emit.h"

void emit_nonzero(Out *out, const Graph *graph, const Node *node)
{
    line(out, "for (int i = 0; i < rows; i++)");
    line(out, "    nn_places_%s(%d, x[i], at[i]);", real_type(graph->network),
         node->shape.dims[0] - 1);
}

void emit_dense_at(Out *out, const Graph *graph, const Node *node)
{
    const int line_of_w = graph->nodes[node->input[1]].line;
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_rows_sum(out, node->shape.dims[0], line_of_w, "at[i]", "x[i]", "w[0]", "y[i]");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// w[row][..] less a step down the gradient, which is x[row] dy.
static void emit_row_update(Out *out, const Graph *graph, const char *at, const char *row,
                            int columns)
{
    const char *const type = real_type(graph->network);
    line(out, "const %s step = (%s)batch->rate * x[%s][%s];", type, type, at, row);
    line(out, "for (int j = 0; j < %d; j++)", columns);
    line(out, "    w[%s][j] -= step * dy[%s][j];", row, at);
}

void emit_dense_at_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[1]].shape;
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "memset(dx[i], 0, sizeof dx[i]);");
    line(out, "for (int n = 1; n <= at[i][0]; n++) {");
    line(out, "const int k = at[i][n];");
    line(out, "dx[i][k] = %s;", row_dot_call(out, w.dims[1], "dy[i]", "w[k]"));
    if (has_flag(node, CHANGES))
        emit_row_update(out, graph, "i", "k", w.dims[1]);
    line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_dense_at_grad_x_sgd(Out *out, const Graph *graph, const Node *node)
{
    emit_dense_at_grad_x(out, graph, node);
}

void emit_dense_at_sgd(Out *out, const Graph *graph, const Node *node)
{
    line(out, "for (int n = 1; n <= at[0][0]; n++) {");
    line(out, "const int i = at[0][n];");
    emit_row_update(out, graph, "0", "i", graph->nodes[node->input[0]].shape.dims[1]);
    line(out, "}");
}
