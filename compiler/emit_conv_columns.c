// emit_conv_columns.c: convolution as matrix products over columns: each output pixel's window
// becomes one row of numbers. For BLAS, and for gradients that emit_conv.c leaves.
//
// The columns of a few rows of pixels at a time stay in cache; they are made anew for the weights'
// gradient instead of being kept.
#include "emit.h"

#include <string.h>

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

// An offset of the window, from the pixel of the result to that of the input.
static const char *source(const Attributes *a, int d, const char *at, const char *offset)
{
    const char *const scaled = a->stride[d] > 1 ? format("%s * %d", at, a->stride[d]) : at;
    const char *const moved = format("%s + %s", scaled, offset);
    return a->pad[d] ? format("%s - %d", moved, a->pad[d]) : moved;
}

static bool padded(const Geometry *g)
{
    for (int d = 0; d < 2; d++)
        if ((g->out.dims[d] - 1) * g->a->stride[d] + g->a->kernel[d] > g->in.dims[d] ||
            g->a->pad[d])
            return true;
    return false;
}

// Opens the loops over the pixels of the chunk and the rows of each one's window.
static void open_windows(Out *out, const Geometry *g)
{
    line(out, "for (int p = 0; p < pixels; p++) {");
    line(out, "const int row = top + p / %d, col = p %% %d; // the pixel of the result",
         g->out.dims[1], g->out.dims[1]);
    line(out, "for (int r = 0; r < %d; r++) {", g->a->kernel[0]);
}

static void close_windows(Out *out)
{
    line(out, "}");
    line(out, "}");
}

// Opens the loop over a window's columns where padding makes a test of each pixel needed.
static void open_padded(Out *out, const Geometry *g)
{
    line(out, "const int at_row = %s;", source(g->a, 0, "row", "r"));
    line(out, "for (int s = 0; s < %d; s++) {", g->a->kernel[1]);
    line(out, "const int at_col = %s;", source(g->a, 1, "col", "s"));
    line(out, "const bool inside = at_row >= 0 && at_row < %d && at_col >= 0 && at_col < %d;",
         g->in.dims[0], g->in.dims[1]);
}

// Where the row of a window begins without padding.
static const char *run_start(const Geometry *g)
{
    const char *const col = g->a->stride[1] > 1 ? format("col * %d", g->a->stride[1]) : "col";
    return format("[%s][%s]", source(g->a, 0, "row", "r"), col);
}

// x -> columns
static void emit_columns(Out *out, const Geometry *g, const char *layer)
{
    const char *const type = real_type(out->network);
    const int channels = g->in.dims[2], run = g->a->kernel[1] * channels;
    comment(out, "columns = the windows of x below `pixels` pixels of the result, from its row "
                 "`top` on");
    emit_declaration(out, format("static void %s_columns(", layer),
                     format("int top, int pixels, %s columns[restrict][%d], const %s x%s", type,
                            g->window, type, dims_text(g->in)));
    line(out, "{");
    open_windows(out, g);
    if (padded(g)) {
        open_padded(out, g);
        line(out, "%s *const to = &columns[p][r * %d + s * %d];", type, run, channels);
        line(out, "if (inside)");
        line(out, "    memcpy(to, x[at_row][at_col], %d * sizeof(%s));", channels, type);
        line(out, "else");
        line(out, "    memset(to, 0, %d * sizeof(%s)); // padding", channels, type);
        line(out, "}");
    } else {
        line(out, "memcpy(&columns[p][r * %d], x%s, %d * sizeof(%s));", run, run_start(g), run,
             type);
    }
    close_windows(out);
    line(out, "}");
    blank_line(out);
}

// columns -> dx, the other way round: each number of a window is added where it came from.
static void emit_scatter(Out *out, const Geometry *g, const char *layer)
{
    const char *const type = real_type(out->network);
    const int channels = g->in.dims[2], run = g->a->kernel[1] * channels;
    comment(out, "dx += the columns of `pixels` pixels, each number where its window lies");
    emit_declaration(out, format("static void %s_scatter(", layer),
                     format("int top, int pixels, %s dx[restrict]%s, const %s columns[][%d]", type,
                            dims_text(g->in) + strcspn(dims_text(g->in), "]") + 1, type,
                            g->window));
    line(out, "{");
    open_windows(out, g);
    if (padded(g)) {
        open_padded(out, g);
        line(out, "for (int c = 0; inside && c < %d; c++)", channels);
        line(out, "    dx[at_row][at_col][c] += columns[p][r * %d + s * %d + c];", run, channels);
        line(out, "}");
    } else {
        line(out, "%s *const to = dx%s;", type, run_start(g));
        line(out, "for (int k = 0; k < %d; k++)", run);
        line(out, "    to[k] += columns[p][r * %d + k];", run);
    }
    close_windows(out);
    line(out, "}");
    blank_line(out);
}

// Opens the loop over the chunks of row `i`; a picture that is one chunk needs none.
static void open_chunks(Out *out, const Geometry *g)
{
    const int height = g->out.dims[0], width = g->out.dims[1];
    if (g->rows == height) {
        line(out, "const int top = 0, pixels = %d;", height * width);
        return;
    }
    line(out, "for (int top = 0; top < %d; top += %d) {", height, g->rows);
    if (height % g->rows == 0)
        line(out, "const int pixels = %d;", g->rows * width);
    else
        line(out, "const int pixels = nn_min(%d, %d - top) * %d;", g->rows, height, width);
}

static void close_chunks(Out *out, const Geometry *g)
{
    if (g->rows < g->out.dims[0])
        line(out, "}");
}

static void declare_columns(Out *out, const Geometry *g)
{
    line(out, "%s columns[%d][%d];", real_type(out->network), g->rows * g->out.dims[1], g->window);
    on_stack(out, (double)g->rows * g->out.dims[1] * g->window);
}

static Geometry of_node(const Graph *graph, const Node *node, Shape in, Shape result)
{
    return geometry(in, result, &node->attributes, graph->network->doubles);
}

// Of the weights' gradient, by a picture and a result's gradient.
static Geometry of_gradient(const Graph *graph, const Node *node)
{
    return of_node(graph, node, graph->nodes[node->input[0]].shape,
                   graph->nodes[node->input[1]].shape);
}

void emit_columns_conv(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_node(graph, node, graph->nodes[node->input[0]].shape, node->shape);
    declare_columns(out, &g);
    line(out, "for (int i = 0; i < rows; i++) {");
    open_chunks(out, &g);
    line(out, "%s_columns(top, pixels, columns, %s[i]);", node->layer, role(graph, node, 0));
    const Product product = {
        .terms = g.window, .columns = g.out.dims[2], .rows = g.rows * g.out.dims[1]};
    emit_product(out, product, "pixels", "columns", "w",
                 format("%s[i][top]", op_info[node->op].result));
    close_chunks(out, &g);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_columns_grad_w(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_gradient(graph, node);
    declare_columns(out, &g);
    clear_gradient(out, node);
    line(out, "for (int i = 0; i < rows; i++) {");
    open_chunks(out, &g);
    line(out, "%s_columns(top, pixels, columns, %s[i]);", node->layer, role(graph, node, 0));
    const Product product = {
        .form = OUTER_SUM, .terms = g.window, .columns = g.out.dims[2], .rows = g.window};
    emit_outer(out, product,
               &(OuterCall){.from = "0",
                            .to = format("%d", g.window),
                            .terms = "pixels",
                            .x = "columns",
                            .dy = format("%s[i][top]", role(graph, node, 1)),
                            .dw = "dw",
                            .add = "true"});
    close_chunks(out, &g);
    line(out, "}");
}

void emit_columns_grad_x(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_node(graph, node, node->shape, graph->nodes[node->input[0]].shape);
    const char *const dx = op_info[node->op].result;
    declare_columns(out, &g);
    line(out, "memset(%s, 0, (size_t)rows * sizeof *%s);", dx, dx);
    line(out, "for (int i = 0; i < rows; i++) {");
    open_chunks(out, &g);
    const Product product = {
        .terms = g.out.dims[2], .columns = g.window, .rows = g.rows * g.out.dims[1]};
    emit_product(out, product, "pixels", format("%s[i][top]", role(graph, node, 0)), "turned",
                 "columns");
    line(out, "%s_scatter(top, pixels, %s[i], columns);", node->layer, dx);
    close_chunks(out, &g);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// The functions that these call, before them.
void emit_columns_copy(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g =
        node->op == OP_conv_transpose_grad_w
            ? of_gradient(graph, node)
            : of_node(graph, node, graph->nodes[node->input[0]].shape, node->shape);
    emit_columns(out, &g, node->layer);
}

void emit_columns_scatter(Out *out, const Graph *graph, const Node *node)
{
    const Geometry g = of_node(graph, node, node->shape, graph->nodes[node->input[0]].shape);
    emit_scatter(out, &g, node->layer);
}
