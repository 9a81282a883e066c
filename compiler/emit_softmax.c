// emit_softmax.c: softmax over the channels of each pixel, or over all values of a row.
#include "netc.h"

// Opens the loops over rows and pixels; returns how they index what is normalised together.
static const char *open_pixels(Out *out, const Graph *graph, const Node *node)
{
    const Shape dims = view(graph, node);
    line(out, "for (int i = 0; i < rows; i++) {");
    if (dims.count == 1)
        return "[i]";
    line(out, "for (int p = 0; p < %d; p++) {", dims.dims[0]);
    return "[i][p]";
}

static void close_pixels(Out *out, const Graph *graph, const Node *node)
{
    if (view(graph, node).count > 1)
        line(out, "}");
    line(out, "}");
}

void emit_largest(Out *out, const char *x, int count)
{
    line(out, "%s largest = %s[0];", real_type(out->network), x);
    line(out, "for (int j = 1; j < %d; j++)", count);
    line(out, "    largest = %s[j] > largest ? %s[j] : largest;", x, x);
}

// The largest is subtracted so that no exp overflows; it cancels.
void emit_softmax(Out *out, const Graph *graph, const Node *node)
{
    const int count = node->attributes.channels;
    const char *const at = open_pixels(out, graph, node);
    emit_largest(out, format("x%s", at), count);
    line(out, "%s sum = 0;", real_type(graph->network));
    in_lanes(out, "sum", count);
    line(out, "for (int j = 0; j < %d; j++) {", count);
    line(out, "y%s[j] = %s(x%s[j] - largest);", at, math(out, "exp"), at);
    line(out, "sum += y%s[j];", at);
    line(out, "}");
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    y%s[j] /= sum;", at);
    close_pixels(out, graph, node);
}

void emit_softmax_grad(Out *out, const Graph *graph, const Node *node)
{
    const int count = node->attributes.channels;
    const char *const at = open_pixels(out, graph, node);
    line(out, "%s sum = 0;", real_type(graph->network));
    in_lanes(out, "sum", count);
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    sum += dy%s[j] * y%s[j];", at, at);
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    dx%s[j] = y%s[j] * (dy%s[j] - sum);", at, at, at);
    close_pixels(out, graph, node);
}
