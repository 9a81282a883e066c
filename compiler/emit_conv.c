// emit_conv.c: convolution, direct: tiles read the windows of the picture where they lie.
//
// The gradient by the picture is such a convolution too, of the result's gradient by the window
// turned round. Padding is a copy of the picture, a few lines at a time, with zeros around it, and
// between its pixels where those of a gradient lie a stride apart. A transposed convolution is the
// gradient by the picture of one that leads the other way.
#include "emit.h"

typedef struct {
    Shape in, out;
    int kernel[2], stride[2], pad[2];
    int dilation[2], reach[2]; // from tap to tap; of a window's first and last
    int groups;                // of channels
    int spread[2];             // from pixel to pixel of the picture as the windows see it
    bool padded, planes;       // what is copied: emit_conv_planes.c
    int width;                 // of the picture as the windows see it, with its padding
    int lines;                 // of the result, made at a time
    bool pointwise;            // windows are single pixels, each of the picture's
} Geometry;

// Where windows are single pixels, all lines are as one, and some of its pixels are made at a time.
// Forward that pays where more is read than made, as measured.
static WindowProduct product_of(const Geometry *g, int lines, bool weights)
{
    const bool one = g->pointwise && (weights || g->in.dims[2] >= g->out.dims[2]);
    return (WindowProduct){.weights = weights,
                           .lines = one ? 1 : lines,
                           .columns = g->out.dims[1] * (one ? lines : 1),
                           .width = g->width * (one ? lines : 1),
                           .groups = g->groups,
                           .channels = g->in.dims[2] / g->groups,
                           .outputs = g->out.dims[2] / g->groups,
                           .planes = g->planes,
                           .kernel = {g->kernel[0], g->kernel[1]},
                           .stride = {g->stride[0], g->stride[1]},
                           .dilation = {g->dilation[0], g->dilation[1]}};
}

// Rows or columns of the picture as the windows see it.
static int spread_size(const Geometry *g, int d) { return (g->in.dims[d] - 1) * g->spread[d] + 1; }

static Geometry spread_geometry(const Network *network, Shape in, Shape out, const Attributes *a,
                                const int spread[2])
{
    enum {
        COPY_BYTES = 96 << 10,  // of the padded picture, which stays in cache
        PACKED_BYTES = 1 << 20, // of a gradient's rest as whole vectors, which lies on the stack
    };
    Geometry g = {.in = in, .out = out, .groups = group_count(a)};
    for (int d = 0; d < 2; d++) {
        g.kernel[d] = a->kernel[d];
        g.stride[d] = a->stride[d];
        g.pad[d] = a->pad[d];
        g.dilation[d] = tap_step(a, d);
        g.reach[d] = window_reach(a, d);
        g.spread[d] = spread[d];
        g.padded |= g.pad[d] || spread[d] > 1 ||
                    (out.dims[d] - 1) * g.stride[d] + g.reach[d] > in.dims[d];
    }
    g.width = g.padded ? (out.dims[1] - 1) * g.stride[1] + g.reach[1] : in.dims[1];
    const WindowProduct p = product_of(&g, out.dims[0], false);
    g.planes = spread[0] == 1 && spread[1] == 1 && conv_by_planes(network, &p);
    const long pixels = g.planes ? plane_pitch(network, &p) : g.padded ? g.width : 0;
    const long line =
        g.stride[0] * pixels * in.dims[2] + (g.planes ? gradient_pitch(network, &p) : 0);
    const long number = element_bytes(network, TYPE_REAL);
    g.lines = lines_at_a_time(out.dims[0], line * number, COPY_BYTES);
    g.lines = lines_at_a_time(g.lines, out.dims[1] * vector_lanes(network) * number, PACKED_BYTES);
    g.pointwise = !g.planes && !g.padded && g.kernel[0] * g.kernel[1] == 1 &&
                  g.stride[0] * g.stride[1] == 1;
    return g;
}

static Geometry geometry(const Network *network, Shape in, Shape out, const Attributes *a)
{
    return spread_geometry(network, in, out, a, (int[2]){1, 1});
}

// The gradient by the picture as a convolution of the result's gradient.
static Geometry turned_geometry(const Network *network, Shape in, Shape out, const Attributes *a)
{
    Attributes turned = *a;
    for (int d = 0; d < 2; d++) {
        turned.pad[d] = window_reach(a, d) - 1 - a->pad[d];
        turned.stride[d] = 1;
    }
    return spread_geometry(network, out, in, &turned, a->stride);
}

// True for convolutions that columns, and so BLAS, do not know.
static bool never_by_columns(const Attributes *a) { return has_gaps(a) || group_count(a) > 1; }

// True where the gradient by the picture is made by windows over the result's gradient. Pixels
// beyond the result's edge, and those between two of its pixels where it has a stride, are then
// multiplied as zeros: where there would be many, it is made of spans or of columns. Those know no
// gaps between taps.
bool conv_turns_round(const Network *network, Shape in, Shape out, const Attributes *a)
{
    enum { MOST_ZEROS = 9 }; // for each number; plain loops take longer
    const double most = 1.1; // pixels for each of the result; spans cost about a tenth
    const double pixels = (double)in.dims[0] * in.dims[1];
    const int stride = a->stride[0] * a->stride[1];
    if (network->blas || a->pad[0] >= window_reach(a, 0) || a->pad[1] >= window_reach(a, 1))
        return false;
    if (stride == 1 && groups_by_vectors(network, a, in.dims[2], out.dims[2]))
        return true;
    return has_gaps(a) ? stride <= MOST_ZEROS
                       : stride == 1 && pixels <= most * out.dims[0] * out.dims[1];
}

// How the gradient by the picture is made. By columns for BLAS, and where a line of the result is
// so short that a tile of its spans would read the weights for a few pixels only; by taps, in plain
// loops, where nothing else knows it.
typedef enum { BY_WINDOWS, BY_SPANS, BY_COLUMNS, BY_TAPS } GradientForm;

static GradientForm gradient_form(const Graph *graph, const Node *node)
{
    enum { SHORT_LINE = 8 };
    const Shape dy = graph->nodes[node->input[0]].shape;
    if (conv_turns_round(graph->network, node->shape, dy, &node->attributes))
        return BY_WINDOWS;
    const bool blas = graph->network->blas;
    if (has_gaps(&node->attributes) || (blas && never_by_columns(&node->attributes)))
        return BY_TAPS;
    const bool is_short = dy.dims[1] < SHORT_LINE && !never_by_columns(&node->attributes);
    return blas || is_short ? BY_COLUMNS : BY_SPANS;
}

// True where small groups of channels are made in vectors of them: emit_depthwise.c.
static bool by_vectors(const Graph *graph, const Node *node)
{
    const Shape from = graph->nodes[node->input[0]].shape;
    const Shape to =
        node->op == OP_conv_grad_w ? graph->nodes[node->input[1]].shape : node->shape;
    const Attributes *const a = &node->attributes;
    const bool spreads = node->op == OP_conv_grad_x && (a->stride[0] > 1 || a->stride[1] > 1);
    return !spreads && groups_by_vectors(graph->network, a, from.dims[2], to.dims[2]);
}

// False where the node is no convolution over windows or planes.
static bool geometry_of(const Graph *graph, const Node *node, Geometry *g)
{
    const Network *const network = graph->network;
    const Shape first = graph->nodes[node->input[0]].shape;
    if (network->blas || by_vectors(graph, node))
        return false;
    switch (node->op) {
    case OP_conv:
    case OP_conv_transpose_grad_x:
        *g = geometry(network, first, node->shape, &node->attributes);
        return true;
    case OP_conv_grad_w:
    case OP_conv_transpose_grad_w:
        *g = geometry(network, first, graph->nodes[node->input[1]].shape, &node->attributes);
        return true;
    case OP_conv_grad_x:
    case OP_conv_transpose:
        if (gradient_form(graph, node) != BY_WINDOWS)
            return false;
        *g = turned_geometry(network, node->shape, first, &node->attributes);
        return true;
    default: return false;
    }
}

bool convolution_of(const Graph *graph, const Node *node, WindowProduct *window)
{
    Geometry g;
    if (!geometry_of(graph, node, &g))
        return false;
    g.pointwise = false;
    *window = product_of(&g, g.out.dims[0], false);
    return true;
}

// The weights that a node reads, or lays out, lie in panels.
static bool in_panels(const Graph *graph, int weights)
{
    const Node *const leaf = &graph->nodes[weights];
    return leaf->op == OP_weight && graph->network->tensors[leaf->attributes.tensor].panels;
}

bool conv_takes_panels(const Graph *graph, const Node *node)
{
    Geometry g;
    if (!geometry_of(graph, node, &g))
        return false;
    const WindowProduct p = product_of(&g, g.lines, false);
    return window_takes_panels(graph->network, &p);
}

// --- layers -------------------------------------------------------------------------------------

static int picture_lines(const Geometry *g) { return (g->lines - 1) * g->stride[0] + g->reach[0]; }

// Declares the copy of `x`; what lies around the picture is never written.
static void declare_copy(Out *out, const Geometry *g, const char *x)
{
    const char *const type = real_type(out->network);
    const WindowProduct p = product_of(g, g->lines, false);
    const int lines = picture_lines(g), channels = g->in.dims[2];
    const int pitch = g->planes ? plane_pitch(out->network, &p) : g->width;
    if (g->planes)
        line(out, "_Alignas(64) %s planes[%d][%d][%d] = {0}; // of %s, line by line", type, lines,
             channels, pitch, x);
    else if (g->padded)
        line(out, "%s padded[%d][%d][%d] = {0};", type, lines, pitch, channels);
    if (g->planes || g->padded)
        on_stack(out, (double)lines * pitch * channels);
}

// A copy of the whole picture: what is 0 around it stays so.
static bool copies_whole_picture(const Geometry *g) { return g->lines == g->out.dims[0]; }

// True where some of the lines that are copied are not the picture's.
static bool copies_outside(const Geometry *g)
{
    const int reached = (g->out.dims[0] - 1) * g->stride[0] + g->reach[0];
    return !copies_whole_picture(g) && (g->pad[0] || reached > spread_size(g, 0));
}

// The picture's columns that the windows reach.
static int columns_reached(const Geometry *g)
{
    const int columns = g->width - g->pad[1];
    return columns < spread_size(g, 1) ? columns : spread_size(g, 1);
}

// Copies line `from` of the picture, whose pixels may lie apart in the copy.
static void emit_pixels_of_line(Out *out, const Geometry *g, const char *x)
{
    const char *const type = real_type(out->network);
    const int columns = columns_reached(g), channels = g->in.dims[2], apart = g->spread[1];
    const char *const from = g->spread[0] > 1 ? format("from / %d", g->spread[0]) : "from";
    if (apart == 1) {
        line(out, "memcpy(padded[r][%d], %s[i][%s], sizeof(%s[%d][%d]));", g->pad[1], x, from, type,
             columns, channels);
        return;
    }
    line(out, "for (int p = 0; p < %d; p++)", (columns - 1) / apart + 1);
    line(out, "    memcpy(padded[r][%sp * %d], %s[i][%s][p], sizeof(%s[%d]));",
         g->pad[1] ? format("%d + ", g->pad[1]) : "", apart, x, from, type, channels);
}

static void emit_padded_line(Out *out, const Geometry *g, const char *x)
{
    const bool outside = copies_outside(g), apart = g->spread[0] > 1;
    if (!outside && !apart) {
        emit_pixels_of_line(out, g, x);
        return;
    }
    line(out, "if (%s%s%s)", outside ? format("from >= 0 && from < %d", spread_size(g, 0)) : "",
         outside && apart ? " && " : "", apart ? format("from %% %d == 0", g->spread[0]) : "");
    out->depth++;
    emit_pixels_of_line(out, g, x);
    out->depth--;
    if (copies_whole_picture(g))
        return;
    line(out, "else");
    line(out, "    memset(padded[r][%d], 0, sizeof(%s[%d][%d]));", g->pad[1],
         real_type(out->network), columns_reached(g), g->in.dims[2]);
}

static void emit_plane_line(Out *out, const Geometry *g, const char *x)
{
    if (copies_outside(g)) {
        line(out, "if (from < 0 || from >= %d) {", g->in.dims[0]);
        line(out, "memset(planes[r], 0, sizeof planes[r]);");
        line(out, "continue;");
        line(out, "}");
    }
    if (g->in.dims[2] == 1) {
        line(out, "memcpy(%s, %s[i][from], sizeof(%s[%d]));",
             plus("planes[r][0]", format("%d", g->pad[1]), g->pad[1] ? 1 : 0), x,
             real_type(out->network), columns_reached(g));
        return;
    }
    line(out, "for (int c = 0; c < %d; c++)", g->in.dims[2]);
    line(out, "    for (int p = 0; p < %d; p++)", columns_reached(g));
    line(out, "        planes[r][c][p%s] = %s[i][from][p][c];",
         g->pad[1] ? format(" + %d", g->pad[1]) : "", x);
}

// Copies the lines below the result's line `top`, or those of the whole picture.
static void emit_copy(Out *out, const Geometry *g, const char *x)
{
    const bool whole = copies_whole_picture(g);
    const char *const top = whole              ? ""
                            : g->stride[0] > 1 ? format("top * %d + ", g->stride[0])
                                               : "top + ";
    const int lines = picture_lines(g), inside = g->pad[0] + spread_size(g, 0);
    line(out, "for (int r = %d; r < %d; r++) {", whole ? g->pad[0] : 0,
         whole && inside < lines ? inside : lines);
    line(out, "const int from = %sr%s;", top, g->pad[0] ? format(" - %d", g->pad[0]) : "");
    (g->planes ? emit_plane_line : emit_padded_line)(out, g, x);
    line(out, "}");
}

// Opens the loop over chunks of row `i`, `x` copied where it is padded; returns what windows are
// read from.
static const char *open_chunk(Out *out, const Geometry *g, const char *x)
{
    const bool whole = g->lines == g->out.dims[0];
    if (!whole)
        line(out, "for (int top = 0; top < %d; top += %d) {", g->out.dims[0], g->lines);
    if (g->planes || g->padded) {
        emit_copy(out, g, x);
        return g->planes ? "planes[0][0]" : "padded[0][0]";
    }
    return format("%s[i][%s][0]", x,
                  whole              ? "0"
                  : g->stride[0] > 1 ? format("top * %d", g->stride[0])
                                     : "top");
}

// Of row i. What gcc 12 takes y[i][0][0] for in a block of one row may lie behind the array.
const char *first_pixel(const Out *out, const char *y)
{
    return format(out->network->block_rows == 1 ? "**%s[i]" : "%s[i][0][0]", y);
}

static const char *in_chunk(const Out *out, const Geometry *g, const char *y)
{
    return g->lines < g->out.dims[0] ? format("%s[i][top][0]", y) : first_pixel(out, y);
}

static void close_chunk(Out *out, const Geometry *g)
{
    if (g->lines < g->out.dims[0])
        line(out, "}");
}

// Calls the product's function for each group of channels: what it reads, the weights or dy, and
// what it makes.
static void call_groups(Out *out, const Geometry *g, const WindowProduct *p, const char *x,
                        const char *by, const char *made)
{
    if (g->groups > 1) {
        line(out, "for (int g = 0; g < %d; g++)", g->groups);
        out->depth++;
    }
    const char *const group = g->groups > 1 ? "g" : "0";
    if (p->outputs % vector_lanes(out->network)) { // the function packs what fills no vector
        const int rows = p->weights ? p->lines * pixels_at_a_time(p)
                                    : p->kernel[0] * p->kernel[1] * p->channels;
        on_stack(out, (double)rows * vector_lanes(out->network));
    }
    call_line(out, window_product(out->network, p),
              format("%s, %s, %s", plus(x, group, p->channels), plus(by, group, p->outputs),
                     plus(made, group, p->outputs)));
    out->depth -= g->groups > 1;
}

static void emit_forward(Out *out, const Graph *graph, const Node *node, const Geometry *g)
{
    declare_copy(out, g, role(graph, node, 0));
    line(out, "for (int i = 0; i < rows; i++) {");
    WindowProduct p = product_of(g, g->lines, false);
    p.panels = in_panels(graph, node->input[1]);
    const char *const from = open_chunk(out, g, role(graph, node, 0));
    call_groups(out, g, &p, from, format("%s[0][0][0]", role(graph, node, 1)),
                in_chunk(out, g, op_info[node->op].result));
    close_chunk(out, g);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// A sum over the block's rows begins at 0.
void clear_gradient(Out *out, const Node *node)
{
    line(out, "memset(dw, 0, sizeof(%s%s));", real_type(out->network), dims_text(node->shape));
}

void emit_conv(Out *out, const Graph *graph, const Node *node)
{
    Geometry g;
    if (geometry_of(graph, node, &g))
        emit_forward(out, graph, node, &g);
    else if (by_vectors(graph, node))
        emit_depthwise_vectors(out, graph, node);
    else
        (never_by_columns(&node->attributes) ? emit_taps_conv
                                             : emit_columns_conv)(out, graph, node);
}

void emit_conv_grad_w(Out *out, const Graph *graph, const Node *node)
{
    Geometry g;
    if (by_vectors(graph, node)) {
        clear_gradient(out, node);
        emit_depthwise_grad_w_vectors(out, graph, node);
        return;
    }
    if (!geometry_of(graph, node, &g)) {
        (never_by_columns(&node->attributes) ? emit_taps_grad_w
                                             : emit_columns_grad_w)(out, graph, node);
        return;
    }
    const WindowProduct p = product_of(&g, g.lines, true);
    declare_copy(out, &g, role(graph, node, 0));
    if (g.planes)
        emit_lane_sums(out, &p);
    else
        clear_gradient(out, node);
    line(out, "for (int i = 0; i < rows; i++) {");
    const char *const from = open_chunk(out, &g, role(graph, node, 0));
    call_groups(out, &g, &p, from, in_chunk(out, &g, role(graph, node, 1)),
                g.planes ? "lanes[0][0][0][0]" : "dw[0][0][0]");
    close_chunk(out, &g);
    line(out, "}");
    if (g.planes)
        emit_lane_total(out, &p);
}

void emit_conv_grad_x(Out *out, const Graph *graph, const Node *node)
{
    Geometry g;
    const GradientForm form = gradient_form(graph, node);
    if (geometry_of(graph, node, &g))
        emit_forward(out, graph, node, &g);
    else if (by_vectors(graph, node))
        emit_depthwise_grad_x_vectors(out, graph, node);
    else if (form == BY_SPANS)
        emit_spans_grad_x(out, graph, node);
    else
        (form == BY_TAPS ? emit_taps_grad_x : emit_columns_grad_x)(out, graph, node);
}

void emit_conv_transpose(Out *out, const Graph *graph, const Node *node)
{
    emit_conv_grad_x(out, graph, node);
}

void emit_conv_transpose_grad_x(Out *out, const Graph *graph, const Node *node)
{
    emit_conv(out, graph, node);
}

void emit_conv_transpose_grad_w(Out *out, const Graph *graph, const Node *node)
{
    emit_conv_grad_w(out, graph, node);
}

void emit_turned(Out *out, const Graph *graph, const Node *node) { emit_turn(out, graph, node); }

void emit_flipped(Out *out, const Graph *graph, const Node *node) { emit_flip(out, graph, node); }

// Columns of the panel that begins with column `first`, in C; declared as `wide` where they differ.
static const char *panel_width(Out *out, int columns, const char *first)
{
    const int wide = panel_columns(out->network);
    if (columns % wide == 0)
        return format("%d", wide);
    line(out, "const int wide = nn_min(%d, %d - %s);", wide, columns, first);
    return "wide";
}

// Row i of w goes to as many places as there are panels.
void emit_conv_panels(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = part_shape(graph, node);
    const int columns = w.dims[3], rows = (int)shape_size(w) / columns;
    emit_part_range(out, graph, node);
    line(out, "%s {", part_loop(graph, node));
    line(out, "for (int j = 0; j < %d; j += %d) {", columns, panel_columns(graph->network));
    const char *const wide = panel_width(out, columns, "j");
    line(out, "memcpy(panels[0] + j * %d + i * %s, w[i] + j, (size_t)%s * sizeof(%s));", rows, wide,
         wide, real_type(graph->network));
    line(out, "}");
    line(out, "}");
}

// Row (k, c) of w becomes column c, in its panel, of the rows of the window's number -1 - k.
static void emit_flip_to_panels(Out *out, const Graph *graph, Shape w)
{
    const int window = w.dims[0] * w.dims[1], channels = w.dims[2], outputs = w.dims[3];
    const int most = panel_columns(graph->network);
    line(out, "const int panel = c / %d * %d;", most, most);
    const char *const wide = panel_width(out, channels, "panel");
    line(out, "%s *const column = turned[0] + panel * %d + (%d - k) * %d * %s + c - panel;",
         real_type(graph->network), window * outputs, window - 1, outputs, wide);
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    line(out, "    column[j * %s] = w[i][j];", wide);
}

// Turns the window round and exchanges channels, in each group of them: row (k, c) of w becomes
// column c of the rows of the window's number -1 - k.
void emit_flip(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = part_shape(graph, node);
    const int window = w.dims[0] * w.dims[1], channels = w.dims[2];
    const int groups = node->shape.dims[3] / channels, outputs = w.dims[3] / groups;
    emit_part_range(out, graph, node);
    line(out, "%s {", part_loop(graph, node));
    line(out, "const int k = i / %d, c = i %% %d; // place in the window, channel", channels,
         channels);
    if (in_panels(graph, node->input[0])) {
        emit_flip_to_panels(out, graph, w);
        line(out, "}");
        return;
    }
    const char *const group = groups > 1 ? "g" : "0";
    if (groups > 1) {
        line(out, "for (int g = 0; g < %d; g++)", groups);
        out->depth++;
    }
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    line(out, "    turned[(%d - k) * %d + j][%s] = w[i][%s];", window - 1, outputs,
         plus("c", group, channels), plus("j", group, outputs));
    out->depth -= groups > 1;
    line(out, "}");
}

void emit_conv_helpers(Out *out, const Graph *graph, const Node *node)
{
    const bool copies = node->op == OP_conv || node->op == OP_conv_transpose_grad_w;
    const bool scatters = node->op == OP_conv_grad_x || node->op == OP_conv_transpose;
    if (copies && graph->network->blas && !never_by_columns(&node->attributes))
        emit_columns_copy(out, graph, node);
    if (scatters && gradient_form(graph, node) == BY_COLUMNS)
        emit_columns_scatter(out, graph, node);
}
