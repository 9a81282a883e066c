// emit_border.c: zeros put around a picture, and a border taken off. Each is the other's gradient.
#include "emit.h"

// The rows of the smaller picture are copied between their places in the larger one.
static void emit_copy(Out *out, Shape small, const char *to, const char *from)
{
    const int row = small.dims[1] * small.dims[2];
    line(out, "for (int row = 0; row < %d; row++)", small.dims[0]);
    line(out, "    memcpy(%s, %s, %d * sizeof(%s));", to, from, row, real_type(out->network));
}

static const char *inner(const Node *node, const char *array)
{
    const int top = node->attributes.border[0], left = node->attributes.border[2];
    return format(top ? "%s[i][row + %d][%d]" : "%s[i][row][%d]", array, top ? top : left, left);
}

void emit_zeropad(Out *out, const Graph *graph, const Node *node)
{
    const char *const x = role(graph, node, 0), *const y = op_info[node->op].result;
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "memset(%s[i], 0, sizeof %s[i]);", y, y);
    emit_copy(out, graph->nodes[node->input[0]].shape, inner(node, y), format("%s[i][row]", x));
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_crop(Out *out, const Graph *graph, const Node *node)
{
    const char *const x = role(graph, node, 0), *const y = op_info[node->op].result;
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_copy(out, node->shape, format("%s[i][row]", y), inner(node, x));
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_zeropad_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_crop(out, graph, node);
}

void emit_crop_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_zeropad(out, graph, node);
}
