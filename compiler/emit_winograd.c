// emit_winograd.c: convolutions by transforms of pictures and windows (winograd.c), and their
// gradients.
//
// Some squares of 2x2 or 4x4 pixels of the result at a time: the 4x4 or 6x6 pixels below each are
// transformed, 16 or 36 matrices are multiplied, and what they give is transformed back.
#include "emit.h"

#include <string.h>

// --- the products --------------------------------------------------------------------------------

static const char *product_text(const WinogradProduct *p)
{
    return format("winograd%s_f%d_%dx%dx%d", p->weights ? "_weights" : "", p->side, p->squares,
                  p->channels, p->outputs);
}

// The name of the function, which will be there.
static const char *winograd_product(Network *network, const WinogradProduct *p)
{
    const char *const name = product_text(p);
    for (int i = 0; i < network->winograd_product_count; i++)
        if (!strcmp(product_text(&network->winograd_products[i]), name))
            return name;
    if (network->winograd_product_count == MAX_PRODUCTS)
        bug("more than %d products of transformed pictures", MAX_PRODUCTS);
    network->winograd_products[network->winograd_product_count++] = *p;
    return name;
}

typedef struct {
    Out *out;
    const WinogradProduct *p;
    const WindowStrip *strip;
} Walk;

// m = v u: rows of a tile are squares
static void forward_tile(const void *walk, int rows, const char *first)
{
    const Walk *const w = walk;
    const int channels = w->p->channels, outputs = w->p->outputs;
    call_line(w->out, window_tile(w->out->network, 1, rows, w->strip),
              format("1, %d, %s, %d, 0, 0, 1, %s, 0, %d, %s, %d, false", channels,
                     plus("v", first, channels), channels, strip_panel(w->strip, "u", channels),
                     w->strip->width, plus(window_columns(w->strip, "m"), first, outputs),
                     outputs));
}

// sum += v' z: rows of a tile are channels
static void weights_tile(const void *walk, int rows, const char *first)
{
    const Walk *const w = walk;
    const int channels = w->p->channels, outputs = w->p->outputs;
    call_line(w->out, window_tile(w->out->network, 1, rows, w->strip),
              format("1, %d, %s, 1, 0, 0, %d, %s, 0, %d, %s, %d, true", w->p->squares,
                     plus("v", first, 1), channels, window_columns(w->strip, "z"), outputs,
                     plus(strip_panel(w->strip, "sum", channels), first, w->strip->width),
                     w->strip->width));
}

// Tiles of a strip, one below the other. Of large matrices the panels come from far away, and the
// first tile of each asks the memory for it, early enough.
static void emit_winograd_strip(Out *out, const WinogradProduct *p, const WindowRows *rows,
                                const WindowStrip *strip)
{
    enum { FAR_BYTES = 128 << 10, EARLY = 64 };
    const double bytes =
        (double)p->channels * p->outputs * (double)element_bytes(out->network, TYPE_REAL);
    const WindowCut cut = window_cut(out->network, rows, strip->vectors);
    TileCall *const tile = p->weights ? weights_tile : forward_tile;
    WindowStrip early = *strip;
    early.ahead = EARLY;
    const Walk walk = {out, p, strip}, first = {out, p, &early};
    Pieces pieces = cut.pieces;
    open_window_strip(out, strip);
    if (cut.lines) { // all rows at once
        tile(&walk, rows->line, "0");
    } else {
        if (!p->weights && bytes > FAR_BYTES) {
            tile(&first, pieces.high, "0");
            pieces.from = pieces.high;
            pieces.many--;
        }
        emit_pieces(out, &pieces, "i", tile, &walk);
    }
    close_window_strip(out, strip);
}

static void emit_winograd_product(Out *out, const WinogradProduct *p)
{
    const int span = p->side + 2;
    const char *const type = real_type(out->network);
    const double numbers = (double)(p->weights ? p->squares : p->channels) * p->outputs;
    const WindowRows rows = {.lines = 1,
                             .line = p->weights ? p->channels : p->squares,
                             .near = window_matrix_is_near(out->network, numbers),
                             .panels = true,
                             .wait = LATENCY + 1};
    WindowStrip strips[16];
    const int count = window_strips(out->network, p->outputs, &rows, strips);
    const char *const operands =
        p->weights ? "const %s *v, const %s *z, %s *sum" : "const %s *v, const %s *u, %s *m";
    if (p->weights)
        comment(out, "sum[%d][%d] += v[%d][%d]' z[%d][%d], at each of %dx%d places, sum in panels",
                p->channels, p->outputs, p->squares, p->channels, p->squares, p->outputs, span,
                span);
    else
        comment(out, "m[%d][%d] = v[%d][%d] u[%d][%d], at each of %dx%d places, u in panels",
                p->squares, p->outputs, p->squares, p->channels, p->channels, p->outputs, span,
                span);
    emit_declaration(out, format("static void %s(", product_text(p)),
                     format(operands, type, type, type));
    line(out, "{");
    line(out, "for (int place = 0; place < %d; place++) {", winograd_places(p->side));
    for (int i = 0; i < count; i++)
        emit_winograd_strip(out, p, &rows, &strips[i]);
    line(out, "v += %d + GAP;", p->squares * p->channels);
    if (p->weights) {
        line(out, "z += %d + GAP;", p->squares * p->outputs);
        line(out, "sum += %d;", p->channels * p->outputs);
    } else {
        line(out, "u += %d;", p->channels * p->outputs);
        line(out, "m += %d + GAP;", p->squares * p->outputs);
    }
    line(out, "}");
    line(out, "}");
    blank_line(out);
}

static int most_channels(const Network *network)
{
    int most = 0;
    for (int i = 0; i < network->winograd_product_count; i++) {
        const WinogradProduct *const p = &network->winograd_products[i];
        most = p->channels > most ? p->channels : most;
        most = p->outputs > most ? p->outputs : most;
    }
    return most;
}

// To `functions`; what they call stands before them.
void emit_winograd_products(Out *out, Out *functions, const char *body)
{
    const Network *const network = out->network;
    bool any = false;
    for (int i = 0; i < network->winograd_product_count; i++) {
        const WinogradProduct *const p = &network->winograd_products[i];
        if (!strstr(body, format("%s(", product_text(p))))
            continue;
        emit_winograd_product(functions, p);
        any = true;
    }
    if (any)
        emit_winograd_transforms(out, body, most_channels(network));
}

// --- layers --------------------------------------------------------------------------------------

static int group_size(const WinogradSquares *s, int channels) { return s->squares * channels; }

// An array of matrices, one for each place: a row of so many numbers for each square.
static void declare_matrices(Out *out, const WinogradSquares *s, const char *name, int channels)
{
    line(out, "_Alignas(64) %s %s[%d][%d * %d + GAP];", real_type(out->network), name,
         winograd_places(s->side), s->squares, channels);
}

// How a picture's pixels lie below the result's squares.
static void declare_squares(Out *out, const WinogradSquares *s, const char *name, Shape shape,
                            const int pad[2])
{
    line(out, "const Squares of_%s = {%d, %d, %d, %d, %d, %d, %d, %d};", name, shape.dims[0],
         shape.dims[1], shape.dims[2], pad[0], pad[1], s->side, s->high, s->wide);
}

static int picture_squares(const WinogradSquares *s) { return s->high * s->wide; }

// A group is some of a picture's squares; otherwise it is all of one picture's, or of several.
static bool in_parts(const WinogradSquares *s) { return s->squares < picture_squares(s); }

// Opens the loops over groups of squares; `count` of the group's are some of a picture.
static void open_groups(Out *out, const WinogradSquares *s)
{
    const int each = picture_squares(s);
    if (s->pictures > 1) {
        line(out, "for (int i = 0; i < rows; i += %d) {", s->pictures);
        line(out, "const int pictures = nn_min(%d, rows - i), count = pictures * %d;", s->pictures,
             each);
        return;
    }
    line(out, "for (int i = 0; i < rows; i++) {");
    if (in_parts(s))
        line(out, "for (int square = 0; square < %d; square += %d) {", each, s->squares);
    if (each % s->squares)
        line(out, "const int count = nn_min(%d, %d - square);", s->squares, each);
}

// Closes the loop over a picture's groups, where there is one.
static void close_parts(Out *out, const WinogradSquares *s)
{
    if (in_parts(s))
        line(out, "}");
}

// "first, count": of a group, as transforms are told.
static const char *group_text(const WinogradSquares *s)
{
    const bool varies = s->pictures > 1 || picture_squares(s) % s->squares;
    return format("%s, %s", in_parts(s) ? "square" : "0",
                  varies ? "count" : format("%d", s->squares));
}

// The name of a transform for the squares.
static const char *transform(const char *what, int side) { return format("%s_f%d", what, side); }

static void transform_line(Out *out, const WinogradSquares *s, const char *function, const char *x,
                           const char *to)
{
    call_line(out, transform(function, s->side),
              format("%s, &of_%s, %s, %d, %s[0]", first_pixel(out, x), x, group_text(s),
                     s->squares, to));
}

static const int no_pad[2] = {0, 0};

void emit_winograd(Out *out, const Graph *graph, const Node *node)
{
    const WinogradSquares s = winograd_squares(graph, node);
    const int channels = s.in.dims[2], outputs = s.out.dims[2];
    const WinogradProduct p = {false, s.side, s.squares, channels, outputs};
    const char *const y = op_info[node->op].result, *const x = role(graph, node, 0);
    declare_squares(out, &s, x, s.in, s.pad);
    declare_squares(out, &s, y, s.out, no_pad);
    declare_matrices(out, &s, "pixels", channels);
    declare_matrices(out, &s, "squares", outputs);
    on_stack(out, (double)winograd_places(s.side) *
                      (group_size(&s, channels) + group_size(&s, outputs)));
    open_groups(out, &s);
    transform_line(out, &s, "transform_input", x, "pixels");
    call_line(out, winograd_product(out->network, &p),
              format("pixels[0], %s[0][0][0], squares[0]", role(graph, node, 1)));
    call_line(out, transform("transform_output", s.side),
              format("squares[0], &of_%s, %s, %d, %s", y, group_text(&s), s.squares,
                     first_pixel(out, y)));
    close_parts(out, &s);
    if (s.pictures > 1 && node->step_count) { // by row, behind groups of several
        line(out, "}");
        line(out, "for (int i = 0; i < rows; i++) {");
    }
    emit_row_steps(out, graph, node);
    line(out, "}");
}

void emit_winograd_grad_x(Out *out, const Graph *graph, const Node *node)
{
    emit_winograd(out, graph, node);
}

void emit_winograd_grad_w(Out *out, const Graph *graph, const Node *node)
{
    const WinogradSquares s = winograd_squares(graph, node);
    const int channels = s.in.dims[2], outputs = s.out.dims[2];
    const WinogradProduct p = {true, s.side, s.squares, channels, outputs};
    const char *const x = role(graph, node, 0), *const dy = role(graph, node, 1);
    declare_squares(out, &s, x, s.in, s.pad);
    declare_squares(out, &s, dy, s.out, no_pad);
    declare_matrices(out, &s, "pixels", channels);
    declare_matrices(out, &s, "squares", outputs);
    line(out, "_Alignas(64) %s windows[%d][%d * %d];", real_type(out->network),
         winograd_places(s.side), channels, outputs);
    on_stack(out, winograd_places(s.side) * (group_size(&s, channels) + group_size(&s, outputs) +
                                             (double)channels * outputs));
    line(out, "memset(windows, 0, sizeof windows);");
    open_groups(out, &s);
    transform_line(out, &s, "transform_input", x, "pixels");
    transform_line(out, &s, "transform_gradient", dy, "squares");
    call_line(out, winograd_product(out->network, &p), "pixels[0], squares[0], windows[0]");
    close_parts(out, &s);
    line(out, "}");
    call_line(out, transform("gradient_of_windows", s.side),
              format("windows[0], %d, %d, dw[0][0][0]", channels, outputs));
}

// --- weights -------------------------------------------------------------------------------------

// Those of some channels, which are its part.
static void emit_transformed(Out *out, const Graph *graph, const Node *node, const char *function)
{
    const Shape w = graph->nodes[node->input[1]].shape;
    const bool parts = node_parts(graph, node) > 1;
    const int side = graph->nodes[node->input[0]].shape.dims[0] - 2;
    emit_part_range(out, graph, node); // nothing where there is one
    call_line(out, transform(function, side),
              format("w[0], %d, %d, %s, %s[0]", w.dims[2], w.dims[3],
                     parts ? "from, to" : format("0, %d", w.dims[2]), role(graph, node, 0)));
}

void emit_winograd_weights(Out *out, const Graph *graph, const Node *node)
{
    emit_transformed(out, graph, node, "transform_windows");
}

void emit_winograd_turned_weights(Out *out, const Graph *graph, const Node *node)
{
    emit_transformed(out, graph, node, "transform_windows_turned");
}
