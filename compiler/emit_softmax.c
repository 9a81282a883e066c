// emit_softmax.c: softmax over the channels of each pixel, or over all values of a row.
#include "emit.h"

static bool of_pixels(const Graph *graph, const Node *node)
{
    return view(graph, node).count > 1;
}

// Opens the loop over rows where they are pictures, whose pixels are normalised one by one.
static void open_pictures(Out *out, const Graph *graph, const Node *node)
{
    if (of_pixels(graph, node))
        line(out, "for (int i = 0; i < rows; i++) {");
}

static void close_pictures(Out *out, const Graph *graph, const Node *node)
{
    if (of_pixels(graph, node))
        line(out, "}");
}

// Opens the loop over a picture's pixels, or over rows; returns how it indexes one.
static const char *open_each(Out *out, const Graph *graph, const Node *node)
{
    if (!of_pixels(graph, node)) {
        line(out, "for (int i = 0; i < rows; i++) {");
        return "[i]";
    }
    line(out, "for (int p = 0; p < %d; p++) {", view(graph, node).dims[0]);
    return "[i][p]";
}

void emit_largest(Out *out, const char *x, int count)
{
    line(out, "%s largest = %s[0];", real_type(out->network), x);
    const bool lanes = in_lanes(out, "max", "largest", count);
    line(out, "for (int j = %d; j < %d; j++)", !lanes, count);
    line(out, "    largest = %s[j] > largest ? %s[j] : largest;", x, x);
}

static void subtract_largest(Out *out, const Graph *graph, const Node *node)
{
    const int count = node->attributes.channels;
    const char *const at = open_each(out, graph, node);
    emit_largest(out, format("x%s", at), count);
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    y%s[j] = x%s[j] - largest;", at, at);
    line(out, "}");
}

static void divide_by_sum(Out *out, const Graph *graph, const Node *node)
{
    const int count = node->attributes.channels;
    const char *const at = open_each(out, graph, node);
    line(out, "%s sum = 0;", real_type(graph->network));
    in_lanes(out, "+", "sum", count);
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    sum += y%s[j];", at);
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    y%s[j] /= sum;", at);
    line(out, "}");
}

// The largest is subtracted so that no exp overflows; it cancels. Exponentials are a loop of their
// own, in whole vectors: those of a pixel would wait for its largest, and its sum for them.
void emit_softmax(Out *out, const Graph *graph, const Node *node)
{
    const bool pixels = of_pixels(graph, node);
    const long each = pixels ? shape_size(node->shape) : node->attributes.channels;
    open_pictures(out, graph, node);
    subtract_largest(out, graph, node);
    line(out, "%s *const all = y%s[0];", real_type(graph->network), pixels ? "[i]" : "");
    line(out, "for (int n = 0; n < %s%ld; n++)", pixels ? "" : "rows * ", each);
    line(out, "    all[n] = %s(all[n]);", math(out, "exp"));
    divide_by_sum(out, graph, node);
    close_pictures(out, graph, node);
}

void emit_softmax_grad(Out *out, const Graph *graph, const Node *node)
{
    const int count = node->attributes.channels;
    open_pictures(out, graph, node);
    const char *const at = open_each(out, graph, node);
    line(out, "%s sum = 0;", real_type(graph->network));
    in_lanes(out, "+", "sum", count);
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    sum += dy%s[j] * y%s[j];", at, at);
    line(out, "for (int j = 0; j < %d; j++)", count);
    line(out, "    dx%s[j] = y%s[j] * (dy%s[j] - sum);", at, at, at);
    line(out, "}");
    close_pictures(out, graph, node);
}
