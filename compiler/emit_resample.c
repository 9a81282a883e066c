// emit_resample.c: pictures made larger by a whole factor, and the gradients of that.
#include "emit.h"

static void open_pixels(Out *out, Shape grid)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "for (int row = 0; row < %d; row++) {", grid.dims[0]);
    line(out, "for (int col = 0; col < %d; col++) {", grid.dims[1]);
}

static void close_pixels(Out *out, const Graph *graph, const Node *node)
{
    line(out, "}");
    line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// The pixel of the smaller picture that row or column `at` of the larger one is a copy of.
static const char *origin(const Node *node, int d, const char *at)
{
    const int factor = node->attributes.kernel[d];
    return factor > 1 ? format("%s / %d", at, factor) : at;
}

void emit_upsample(Out *out, const Graph *graph, const Node *node)
{
    open_pixels(out, node->shape);
    line(out, "memcpy(y[i][row][col], x[i][%s][%s], %d * sizeof(%s));", origin(node, 0, "row"),
         origin(node, 1, "col"), node->shape.dims[2], real_type(graph->network));
    close_pixels(out, graph, node);
}

void emit_upsample_grad(Out *out, const Graph *graph, const Node *node)
{
    const Shape large = graph->nodes[node->input[0]].shape;
    line(out, "memset(dx, 0, (size_t)rows * sizeof *dx);");
    open_pixels(out, large);
    line(out, "for (int c = 0; c < %d; c++)", large.dims[2]);
    line(out, "    dx[i][%s][%s][c] += dy[i][row][col][c];", origin(node, 0, "row"),
         origin(node, 1, "col"));
    close_pixels(out, graph, node);
}

// Where the centre of row or column `at` of the larger picture lies in the smaller one: between two
// pixels, and which share of the way to the second; the edge pixels reach outwards. Centres are at
// half pixels, as in TensorFlow 2, and in PyTorch with align_corners off.
static void declare_place(Out *out, const Node *node, int d, int size)
{
    static const char *const names[][5] = {{"row", "down", "top", "bottom", "low"},
                                           {"col", "across", "left", "right", "far"}};
    const char *const *const n = names[d];
    const int factor = node->attributes.kernel[d];
    line(out, "const int %s = nn_max(2 * %s - %d, 0);", n[1], n[0], factor - 1);
    line(out, "const int %s = %s / %d, %s = nn_min(%s + 1, %d);", n[2], n[1], 2 * factor, n[3],
         n[2], size - 1);
    line(out, "const %s %s = (%s)(%s %% %d) * %s;", real_type(out->network), n[4],
         real_type(out->network), n[1], 2 * factor, real_number(out, 0.5 / factor));
}

static void open_places(Out *out, const Node *node, Shape small, Shape large)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "for (int row = 0; row < %d; row++) {", large.dims[0]);
    declare_place(out, node, 0, small.dims[0]);
    line(out, "for (int col = 0; col < %d; col++) {", large.dims[1]);
    declare_place(out, node, 1, small.dims[1]);
    line(out, "for (int c = 0; c < %d; c++) {", large.dims[2]);
}

void emit_upsample_linear(Out *out, const Graph *graph, const Node *node)
{
    const char *const real = real_type(graph->network);
    open_places(out, node, graph->nodes[node->input[0]].shape, node->shape);
    for (int d = 0; d < 2; d++) {
        const char *const row = d ? "bottom" : "top";
        line(out, "const %s %s = x[i][%s][left][c] * (1 - far) + x[i][%s][right][c] * far;", real,
             d ? "lower" : "upper", row, row);
    }
    line(out, "y[i][row][col][c] = upper * (1 - low) + lower * low;");
    line(out, "}");
    close_pixels(out, graph, node);
}

void emit_upsample_linear_grad(Out *out, const Graph *graph, const Node *node)
{
    line(out, "memset(dx, 0, (size_t)rows * sizeof *dx);");
    open_places(out, node, node->shape, graph->nodes[node->input[0]].shape);
    line(out, "const %s v = dy[i][row][col][c];", real_type(graph->network));
    line(out, "dx[i][top][left][c] += v * (1 - low) * (1 - far);");
    line(out, "dx[i][top][right][c] += v * (1 - low) * far;");
    line(out, "dx[i][bottom][left][c] += v * low * (1 - far);");
    line(out, "dx[i][bottom][right][c] += v * low * far;");
    line(out, "}");
    close_pixels(out, graph, node);
}
