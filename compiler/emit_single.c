// emit_single.c: layers of one row that read only the rows of weights where their input isn't 0.
#include "netc.h"

void emit_nonzero(Out *out, const Graph *graph, const Node *node)
{
    line(out, "for (int i = 0; i < rows; i++)");
    line(out, "    nn_places_%s(%d, x[i], at[i]);", real_type(graph->network),
         node->shape.dims[0] - 1);
}

void emit_dense_at(Out *out, const Graph *graph, const Node *node)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_rows_sum(out, node->shape.dims[0], "at[i]", "x[i]", "w[0]", "y[i]");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_dense_at_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[1]].shape;
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "memset(dx[i], 0, sizeof dx[i]);");
    emit_rows_dot(out, w.dims[1], "at[i]", "dy[i]", "w[0]", "dx[i]");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_dense_at_sgd(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[0]].shape;
    const char *const type = real_type(graph->network);
    line(out, "for (int n = 1; n <= at[0][0]; n++) {");
    line(out, "const int i = at[0][n];");
    line(out, "const %s step = (%s)batch->rate * x[0][i];", type, type);
    line(out, "for (int j = 0; j < %d; j++)", w.dims[1]);
    line(out, "    w[i][j] -= step * dy[0][j];");
    line(out, "}");
}
