// emit_conv.c: convolution as matrix products over columns: each output pixel's window becomes one
// row of numbers.
//
// The columns of a few rows of pixels at a time stay in cache; they are made anew for the weights'
// gradient instead of being kept.
#include "netc.h"

typedef struct {
    Shape in, out;
    int window; // numbers in one window
    int rows;   // rows of pixels whose columns are made at a time
    const Attributes *a;
} Geometry;

static Geometry geometry(Shape in, Shape out, const Attributes *a, bool doubles)
{
    enum { COLUMN_BYTES = 96 << 10 }; // lies on the stack, with room for it in the second cache
    Geometry g = {.in = in, .out = out, .a = a};
    g.window = a->kernel[0] * a->kernel[1] * in.dims[2];
    const long row = (long)out.dims[1] * g.window * (doubles ? 8 : 4);
    g.rows = (int)(COLUMN_BYTES / row);
    if (g.rows < 1)
        g.rows = 1;
    if (g.rows > out.dims[0])
        g.rows = out.dims[0];
    while (g.rows > 1 && out.dims[0] % g.rows && 2 * g.rows > out.dims[0])
        g.rows--; // a near half leaves no short rest
    return g;
}

// How many pixels the chunk at `top` has, as an expression.
static const char *chunk(const Geometry *g)
{
    if (g->out.dims[0] % g->rows == 0)
        return format("%d", g->rows * g->out.dims[1]);
    return format("nn_min(%d, %d - top) * %d", g->rows, g->out.dims[0], g->out.dims[1]);
}

static const char *source(const Attributes *a, int d, const char *at, const char *offset)
{
    const char *const scaled = a->stride[d] > 1 ? format("%s * %d", at, a->stride[d]) : at;
    const char *const moved = format("%s + %s", scaled, offset);
    return a->pad[d] ? format("%s - %d", moved, a->pad[d]) : moved;
}

// Opens the loops over the pixels of the chunk and the rows of each one's window.
static void open_windows(Out *out, const Geometry *g)
{
    line(out, "for (int p = 0; p < pixels; p++) {");
    line(out, "const int h = top + p / %d, w = p %% %d; // the pixel in the result", g->out.dims[1],
         g->out.dims[1]);
    line(out, "for (int r = 0; r < %d; r++) {", g->a->kernel[0]);
}

static bool padded(const Geometry *g)
{
    for (int d = 0; d < 2; d++)
        if ((g->out.dims[d] - 1) * g->a->stride[d] + g->a->kernel[d] > g->in.dims[d] ||
            g->a->pad[d])
            return true;
    return false;
}

// x -> columns
static void emit_columns(Out *out, const Geometry *g, const Node *node)
{
    const char *const type = real_type(out->network);
    const int channels = g->in.dims[2], run = g->a->kernel[1] * channels;
    comment(out,
            "columns = the windows of x below `pixels` pixels of the result, from row `top` on");
    emit_declaration(out, format("static void %s_columns(", node->layer),
                     format("int top, int pixels, %s columns[restrict][%d], const %s x%s", type,
                            g->window, type, dims_text(g->in)));
    line(out, "{");
    open_windows(out, g);
    if (!padded(g)) {
        line(out, "memcpy(&columns[p][r * %d], x[%s][%s], %d * sizeof(%s));", run,
             source(g->a, 0, "h", "r"),
             g->a->stride[1] > 1 ? format("w * %d", g->a->stride[1]) : "w", run, type);
    } else {
        line(out, "const int y = %s;", source(g->a, 0, "h", "r"));
        line(out, "for (int s = 0; s < %d; s++) {", g->a->kernel[1]);
        line(out, "const int z = %s;", source(g->a, 1, "w", "s"));
        line(out, "%s *const to = &columns[p][r * %d + s * %d];", type, run, channels);
        line(out, "if (y >= 0 && y < %d && z >= 0 && z < %d)", g->in.dims[0], g->in.dims[1]);
        line(out, "    memcpy(to, x[y][z], %d * sizeof(%s));", channels, type);
        line(out, "else");
        line(out, "    memset(to, 0, %d * sizeof(%s)); // padding", channels, type);
        line(out, "}");
    }
    line(out, "}");
    line(out, "}");
    line(out, "}");
    blank_line(out);
}

static void open_chunks(Out *out, const Geometry *g)
{
    line(out, "for (int top = 0; top < %d; top += %d) {", g->out.dims[0], g->rows);
    line(out, "const int pixels = %s;", chunk(g));
}

static void declare_columns(Out *out, const Geometry *g)
{
    line(out, "%s columns[%d][%d];", real_type(out->network), g->rows * g->out.dims[1], g->window);
}

static Geometry of_node(const Graph *graph, const Node *node, Shape in, Shape result)
{
    return geometry(in, result, &node->attributes, graph->network->doubles);
}

void emit_conv_helpers(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_node(graph, node, graph->nodes[node->input[0]].shape, node->shape);
    emit_columns(out, &g, node);
}

void emit_conv(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_node(graph, node, graph->nodes[node->input[0]].shape, node->shape);
    declare_columns(out, &g);
    line(out, "for (int i = 0; i < rows; i++) {");
    open_chunks(out, &g);
    line(out, "%s_columns(top, pixels, columns, x[i]);", node->layer);
    line(out, "gemm_nn(pixels, %d, %d, columns, w, 0, y[i][top]);", g.out.dims[2], g.window);
    line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_conv_grad_w(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_node(graph, node, graph->nodes[node->input[0]].shape,
                               graph->nodes[node->input[1]].shape);
    declare_columns(out, &g);
    line(out, "memset(dw, 0, sizeof(%s%s));", real_type(graph->network), dims_text(node->shape));
    line(out, "for (int i = 0; i < rows; i++)");
    out->depth++;
    open_chunks(out, &g);
    line(out, "%s_columns(top, pixels, columns, x[i]);", node->layer);
    line(out, "gemm_tn(%d, %d, pixels, columns, %d, dy[i][top], 1, dw);", g.window, g.out.dims[2],
         g.window);
    line(out, "}");
    out->depth--;
}

// columns -> dx, the other way round: each number of a window goes back to where it came from.
static void emit_scatter(Out *out, const Geometry *g)
{
    const char *const type = real_type(out->network);
    const int channels = g->in.dims[2], run = g->a->kernel[1] * channels;
    open_windows(out, g);
    if (!padded(g)) {
        line(out, "%s *const to = dx[i][%s][%s];", type, source(g->a, 0, "h", "r"),
             g->a->stride[1] > 1 ? format("w * %d", g->a->stride[1]) : "w");
        line(out, "for (int k = 0; k < %d; k++)", run);
        line(out, "    to[k] += columns[p][r * %d + k];", run);
    } else {
        line(out, "const int y = %s;", source(g->a, 0, "h", "r"));
        line(out, "for (int s = 0; s < %d; s++) {", g->a->kernel[1]);
        line(out, "const int z = %s;", source(g->a, 1, "w", "s"));
        line(out, "if (y < 0 || y >= %d || z < 0 || z >= %d)", g->in.dims[0], g->in.dims[1]);
        line(out, "    continue; // padding");
        line(out, "for (int c = 0; c < %d; c++)", channels);
        line(out, "    dx[i][y][z][c] += columns[p][r * %d + s * %d + c];", run, channels);
        line(out, "}");
    }
    line(out, "}");
    line(out, "}");
}

void emit_conv_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_node(graph, node, node->shape, graph->nodes[node->input[0]].shape);
    declare_columns(out, &g);
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "memset(dx[i], 0, sizeof dx[i]);");
    open_chunks(out, &g);
    line(out, "gemm_nt(pixels, %d, %d, dy[i][top], w, 0, columns);", g.window, g.out.dims[2]);
    emit_scatter(out, &g);
    line(out, "}");
    emit_row_steps(out, graph, node);
    line(out, "}");
}
