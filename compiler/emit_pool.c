// emit_pool.c: maximum and mean over windows.
#include "netc.h"

static const char *at(const Attributes *a, int d, const char *window, const char *offset)
{
    return a->stride[d] > 1 ? format("%s * %d + %s", window, a->stride[d], offset)
                            : format("%s + %s", window, offset);
}

static void open_windows(Out *out, Shape grid)
{
    line(out, "for (int h = 0; h < %d; h++)", grid.dims[0]);
    line(out, "    for (int w = 0; w < %d; w++)", grid.dims[1]);
    out->depth += 2;
    line(out, "for (int c = 0; c < %d; c++) {", grid.dims[2]);
}

static void close_windows(Out *out)
{
    line(out, "}");
    out->depth -= 2;
}

// The two loops inside a window; the body is the next line, indented by hand.
static const char *open_window(Out *out, const Attributes *a)
{
    line(out, "for (int r = 0; r < %d; r++)", a->kernel[0]);
    line(out, "    for (int s = 0; s < %d; s++)", a->kernel[1]);
    return format("[%s][%s][c]", at(a, 0, "h", "r"), at(a, 1, "w", "s"));
}

void emit_maxpool(Out *out, const Graph *graph, const Node *node)
{
    const Attributes *const a = &node->attributes;
    line(out, "for (int i = 0; i < rows; i++) {");
    open_windows(out, node->shape);
    line(out, "%s largest = x[i][%s][%s][c];", real_type(graph->network),
         a->stride[0] > 1 ? format("h * %d", a->stride[0]) : "h",
         a->stride[1] > 1 ? format("w * %d", a->stride[1]) : "w");
    const char *const x = open_window(out, a);
    line(out, "        largest = x[i]%s > largest ? x[i]%s : largest;", x, x);
    line(out, "y[i][h][w][c] = largest;");
    close_windows(out);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_avgpool(Out *out, const Graph *graph, const Node *node)
{
    const Attributes *const a = &node->attributes;
    line(out, "for (int i = 0; i < rows; i++) {");
    open_windows(out, node->shape);
    line(out, "%s sum = 0;", real_type(graph->network));
    const char *const x = open_window(out, a);
    line(out, "        sum += x[i]%s;", x);
    line(out, "y[i][h][w][c] = sum * %s;", real_number(out, 1.0 / (a->kernel[0] * a->kernel[1])));
    close_windows(out);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// Windows that neither overlap nor leave pixels out write each pixel once.
static bool tiles(const Attributes *a, Shape in, Shape grid)
{
    for (int d = 0; d < 2; d++)
        if (a->stride[d] != a->kernel[d] || grid.dims[d] * a->stride[d] != in.dims[d])
            return false;
    return true;
}

static void open_gradient(Out *out, const Attributes *a, Shape in, Shape grid)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    if (!tiles(a, in, grid))
        line(out, "memset(dx[i], 0, sizeof dx[i]); // windows %s",
             a->stride[0] < a->kernel[0] || a->stride[1] < a->kernel[1] ? "overlap"
                                                                        : "leave pixels out");
    open_windows(out, grid);
}

void emit_maxpool_grad(Out *out, const Graph *graph, const Node *node)
{
    const Attributes *const a = &node->attributes;
    const Shape grid = graph->nodes[node->input[0]].shape;
    open_gradient(out, a, node->shape, grid);
    line(out, "bool open = true; // the largest has not been met yet");
    line(out, "for (int r = 0; r < %d; r++)", a->kernel[0]);
    out->depth++;
    line(out, "for (int s = 0; s < %d; s++) {", a->kernel[1]);
    const char *const x = format("[%s][%s][c]", at(a, 0, "h", "r"), at(a, 1, "w", "s"));
    line(out, "const bool here = open & (x[i]%s == y[i][h][w][c]);", x);
    line(out, "dx[i]%s %s here ? dy[i][h][w][c] : 0;", x, tiles(a, node->shape, grid) ? "=" : "+=");
    line(out, "open &= !here;");
    line(out, "}");
    out->depth--;
    close_windows(out);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_avgpool_grad(Out *out, const Graph *graph, const Node *node)
{
    const Attributes *const a = &node->attributes;
    const Shape grid = graph->nodes[node->input[0]].shape;
    open_gradient(out, a, node->shape, grid);
    line(out, "const %s share = dy[i][h][w][c] * %s;", real_type(graph->network),
         real_number(out, 1.0 / (a->kernel[0] * a->kernel[1])));
    const char *const x = open_window(out, a);
    line(out, "        dx[i]%s %s share;", x, tiles(a, node->shape, grid) ? "=" : "+=");
    close_windows(out);
    emit_row_steps(out, graph, node);
    line(out, "}");
}
