// emit_pool.c: maximum and mean over windows.
#include "netc.h"

static const char *at(const Attributes *a, int d, const char *window, const char *offset)
{
    return a->stride[d] > 1 ? format("%s * %d + %s", window, a->stride[d], offset)
                            : format("%s + %s", window, offset);
}

static void open_windows(Out *out, Shape grid)
{
    line(out, "for (int row = 0; row < %d; row++)", grid.dims[0]);
    line(out, "    for (int col = 0; col < %d; col++)", grid.dims[1]);
    out->depth += 2;
    line(out, "for (int c = 0; c < %d; c++) {", grid.dims[2]);
}

static void close_windows(Out *out)
{
    line(out, "}");
    out->depth -= 2;
}

// Opens the loops over a window; returns how they index the input.
static const char *open_window(Out *out, const Attributes *a)
{
    line(out, "for (int r = 0; r < %d; r++)", a->kernel[0]);
    out->depth++;
    line(out, "for (int s = 0; s < %d; s++) {", a->kernel[1]);
    return format("[%s][%s][c]", at(a, 0, "row", "r"), at(a, 1, "col", "s"));
}

static void close_window(Out *out)
{
    line(out, "}");
    out->depth--;
}

void emit_maxpool(Out *out, const Graph *graph, const Node *node)
{
    const Attributes *const a = &node->attributes;
    line(out, "for (int i = 0; i < rows; i++) {");
    open_windows(out, node->shape);
    line(out, "%s largest = x[i][%s][%s][c];", real_type(graph->network),
         a->stride[0] > 1 ? format("row * %d", a->stride[0]) : "row",
         a->stride[1] > 1 ? format("col * %d", a->stride[1]) : "col");
    const char *const x = open_window(out, a);
    line(out, "const %s v = x[i]%s;", real_type(graph->network), x);
    line(out, "largest = ((v > largest) | (v != v)) ? v : largest; // NaN stays");
    close_window(out);
    line(out, "y[i][row][col][c] = largest;");
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
    line(out, "sum += x[i]%s;", x);
    close_window(out);
    line(out, "y[i][row][col][c] = sum * %s;",
         real_number(out, 1.0 / (a->kernel[0] * a->kernel[1])));
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
    line(out, "%s left = dy[i][row][col][c]; // goes to the first that is the largest",
         real_type(graph->network));
    const char *const x = open_window(out, a);
    line(out, "const bool hit = x[i]%s == y[i][row][col][c];", x);
    line(out, "const %s v = hit ? left : 0;", real_type(graph->network));
    line(out, "dx[i]%s %s v;", x, tiles(a, node->shape, grid) ? "=" : "+=");
    line(out, "left -= v;");
    close_window(out);
    close_windows(out);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_avgpool_grad(Out *out, const Graph *graph, const Node *node)
{
    const Attributes *const a = &node->attributes;
    const Shape grid = graph->nodes[node->input[0]].shape;
    open_gradient(out, a, node->shape, grid);
    line(out, "const %s share = dy[i][row][col][c] * %s;", real_type(graph->network),
         real_number(out, 1.0 / (a->kernel[0] * a->kernel[1])));
    const char *const x = open_window(out, a);
    line(out, "dx[i]%s %s share;", x, tiles(a, node->shape, grid) ? "=" : "+=");
    close_window(out);
    close_windows(out);
    emit_row_steps(out, graph, node);
    line(out, "}");
}
