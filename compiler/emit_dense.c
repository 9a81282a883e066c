// emit_dense.c: the fully connected layer: three matrix products.
//
// The products call single-threaded BLAS for a block of rows or a part of the weights; the caller
// divides the work.
#include "netc.h"

void emit_dense(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[1]].shape;
    line(out, "gemm_nn(rows, %d, %d, x, w, 0, y);", w.dims[1], w.dims[0]);
    if (!node->step_count)
        return;
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_dense_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[1]].shape;
    line(out, "gemm_nt(rows, %d, %d, dy, w, 0, dx);", w.dims[0], w.dims[1]);
    if (!node->step_count)
        return;
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// Each part sums over the whole batch, so that no sum is shared between tasks.
void emit_dense_grad_w(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = node->shape;
    emit_part_range(out, graph, node);
    if (part_count(w) > 1)
        line(out, "gemm_tn(to - from, %d, batch->rows, &x[0][from], %d, dy, 0, dw[from]);",
             w.dims[1], w.dims[0]);
    else
        line(out, "gemm_tn(%d, %d, batch->rows, x, %d, dy, 0, dw);", w.dims[0], w.dims[1],
             w.dims[0]);
    if (node->step_count)
        emit_part_elements(out, graph, node, "dw[i][j]");
}
