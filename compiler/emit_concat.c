// emit_concat.c: values one behind another along their last dimension, and the gradient's parts.
#include "emit.h"

void emit_concat(Out *out, const Graph *graph, const Node *node)
{
    const Shape dims = view(graph, node);
    const char *const at = dims.count > 1 ? "[i][p]" : "[i]";
    line(out, "for (int i = 0; i < rows; i++) {");
    if (dims.count > 1)
        line(out, "for (int p = 0; p < %d; p++) {", dims.dims[0]);
    long from = 0;
    for (int k = 0; k < node->own_inputs; k++) {
        const Shape in = graph->nodes[node->input[k]].shape;
        const long width = dims.count > 1 ? in.dims[in.count - 1] : shape_size(in);
        line(out, "for (int c = 0; c < %ld; c++)", width);
        line(out, "    y%s[%s] = %s%s[c];", at, from ? format("%ld + c", from) : "c",
             role(graph, node, k), at);
        from += width;
    }
    if (dims.count > 1)
        line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_concat_grad(Out *out, const Graph *graph, const Node *node)
{
    const Shape dims = view(graph, node), dy = graph->nodes[node->input[0]].shape;
    const int from = node->attributes.from, width = dims.dims[dims.count - 1];
    const char *const start = from ? format("%d + ", from) : "";
    line(out, "for (int i = 0; i < rows; i++) {");
    if (dims.count == 1) {
        // what gcc 12 takes dy[i][from + c] for in a batch of one lies behind the array
        line(out, "const %s *const part = dy[i]%s;", real_type(out->network),
             from ? format(" + %d", from) : "");
        line(out, "for (int c = 0; c < %d; c++)", width);
        line(out, "    dx[i][c] = part[c];");
    } else {
        line(out, "for (int p = 0; p < %d; p++)", dims.dims[0]);
        line(out, "    for (int c = 0; c < %d; c++)", width);
        if (dy.count == 1) // joined behind a flatten
            line(out, "        dx[i][p][c] = dy[i][%sp * %d + c];", start, width);
        else
            line(out, "        dx[i][p][c] = dy[i][p][%sc];", start);
    }
    emit_row_steps(out, graph, node);
    line(out, "}");
}
