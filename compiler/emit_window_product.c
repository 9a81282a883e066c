// emit_window_product.c: the functions that convolve some lines of one picture, forward and for the
// weights' gradient: tiles over windows, strip by strip. Layers of one shape share them.
#include "emit.h"

#include <string.h>

static const char *window_product_name(const WindowProduct *p)
{
    const int usual = (p->columns - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1;
    Text name = {0};
    text_add(&name, "convolve%s%s_%dx%d_%dx%dx%dx%d",
             p->planes   ? "_planes"
             : p->panels ? "_panels"
                         : "",
             p->weights ? "_weights" : "", p->lines, p->columns, p->kernel[0], p->kernel[1],
             p->channels, p->outputs);
    if (p->groups > 1)
        text_add(&name, "_in_%d", p->groups);
    if (p->stride[0] > 1 || p->stride[1] > 1)
        text_add(&name, "_by_%dx%d", p->stride[0], p->stride[1]);
    if (p->dilation[0] > 1 || p->dilation[1] > 1)
        text_add(&name, "_apart_%dx%d", p->dilation[0], p->dilation[1]);
    if (p->width != usual && !p->planes)
        text_add(&name, "_of_%d", p->width);
    return name.text;
}

// The name of the function, which will be there.
const char *window_product(Network *network, const WindowProduct *p)
{
    const char *const name = window_product_name(p);
    for (int i = 0; i < network->window_product_count; i++)
        if (!strcmp(window_product_name(&network->window_products[i]), name))
            return name;
    if (network->window_product_count == MAX_PRODUCTS)
        bug("more than %d convolutions", MAX_PRODUCTS);
    network->window_products[network->window_product_count++] = *p;
    return name;
}

// Numbers from pixel to pixel, of what is read and of the result.
static int pixel_read(const WindowProduct *p) { return p->groups * p->channels; }
static int pixel_made(const WindowProduct *p) { return p->groups * p->outputs; }

// Numbers from line to line of what is read.
static int line_read(const WindowProduct *p) { return p->width * pixel_read(p); }

// Pixels that all strips go over before the next ones: all, but where windows are a pixel each and
// the picture is one line, few enough to stay in the first cache.
int pixels_at_a_time(const WindowProduct *p)
{
    enum { FEWEST = 24, MOST = 64 };
    if (p->lines > 1 || p->kernel[0] * p->kernel[1] > 1 || p->stride[1] > 1)
        return p->columns;
    int pixels = p->columns < MOST ? p->columns : MOST;
    while (p->columns % pixels)
        pixels--;
    return pixels < FEWEST ? p->columns : pixels;
}

// Opens the loop over pixels, so many at a time, where they are not all.
static void open_pixels(Out *out, const WindowProduct *p)
{
    const int pixels = pixels_at_a_time(p);
    if (pixels < p->columns)
        line(out, "for (int at = 0; at < %d; at += %d, x += %d * %d, %s += %d * %d) {", p->columns,
             pixels, pixels, pixel_read(p), p->weights ? "dy" : "y", pixels, pixel_made(p));
}

static void close_pixels(Out *out, const WindowProduct *p)
{
    if (pixels_at_a_time(p) < p->columns)
        line(out, "}");
}

// A window as runs of contiguous numbers, all the same way apart: its rows, or the taps of one of
// its rows where these have gaps, or channels of other groups between them. Of the latter a tile
// takes one row at a time.
typedef struct {
    int rows; // of the window, one at a time; 1: all at once
    int runs, numbers, apart;
} Runs;

static Runs window_runs(const WindowProduct *p)
{
    if (p->kernel[1] == 1 || (p->dilation[1] == 1 && p->groups == 1))
        return (Runs){1, p->kernel[0], p->kernel[1] * p->channels,
                      p->kernel[0] > 1 ? p->dilation[0] * line_read(p) : 0};
    return (Runs){p->kernel[0], p->kernel[1], p->channels, p->dilation[1] * pixel_read(p)};
}

// Numbers from line to line below two lines of the result; of one line nobody asks.
static int lines_apart(const WindowProduct *p)
{
    return p->lines > 1 ? p->stride[0] * line_read(p) : 0;
}

// The rows of the product's tiles: pixels, or the numbers of the window.
static WindowRows window_rows(const Network *network, const WindowProduct *p)
{
    enum { NEAR_BYTES = 32 << 10, MANY = 100 };
    const Runs runs = window_runs(p);
    const int read = (p->lines - 1) * p->stride[0] + (p->kernel[0] - 1) * p->dilation[0] + 1;
    const int pixels = pixels_at_a_time(p);
    const long numbers = (long)read * (pixels < p->columns ? pixels * pixel_read(p) : line_read(p));
    const long bytes = numbers * element_bytes(network, TYPE_REAL);
    const double terms = p->weights ? (double)p->lines * pixels
                                    : (double)p->kernel[0] * p->kernel[1] * p->channels;
    WindowRows rows = {.lines = p->weights ? runs.runs : p->lines,
                       .line = p->weights ? runs.numbers : pixels,
                       .far = bytes > NEAR_BYTES,
                       .near = window_matrix_is_near(network, terms * pixel_made(p)),
                       .panels = p->panels};
    // Measured in whole networks, of which something else may take a part of the processor: it is a
    // cycle more than by itself, but short sums lose by two heights of tiles, and where the matrix
    // is further away, tiles wait for that.
    rows.wait = rows.near && terms >= MANY ? LATENCY + 1 : LATENCY;
    return rows;
}

// Opens the loop over a window's rows `r`, where tiles take one at a time; returns `base` of it.
static const char *in_window_row(const WindowProduct *p, const char *base, long step)
{
    return window_runs(p).rows > 1 ? plus(base, "r", step) : base;
}

static void open_window_rows(Out *out, const WindowProduct *p)
{
    const int rows = window_runs(p).rows;
    if (rows > 1)
        line(out, "for (int r = 0; r < %d; r++) {", rows);
}

static void close_window_rows(Out *out, const WindowProduct *p)
{
    if (window_runs(p).rows > 1)
        line(out, "}");
}

// Whether the matrix is read faster from panels: where rows have several strips, of whole vectors,
// and the first cache does not hold them all.
bool window_takes_panels(const Network *network, const WindowProduct *p)
{
    const WindowRows rows = window_rows(network, p);
    if (p->planes || p->groups > 1 || rows.near || p->outputs % vector_lanes(network) ||
        p->outputs <= panel_columns(network))
        return false;
    WindowStrip strips[16];
    window_strips(network, p->outputs, &rows, strips);
    return strips[0].vectors == PANEL_VECTORS;
}

const char *window_columns(const WindowStrip *s, const char *matrix)
{
    return s->runs > 1 ? plus(matrix, "c", 1)
                       : plus(matrix, format("%d", s->first), s->first ? 1 : 0);
}

// Where the strip's panel begins, of a matrix of so many rows: its rows lie end to end.
const char *strip_panel(const WindowStrip *s, const char *matrix, int rows)
{
    return s->runs > 1 ? plus(matrix, "c", rows)
                       : plus(matrix, format("%d", s->first * rows), s->first ? 1 : 0);
}

void open_window_strip(Out *out, const WindowStrip *s)
{
    if (s->runs > 1)
        line(out, "for (int c = 0; c < %d; c += %d) {", s->runs * s->width, s->width);
    else if (s->width < s->vectors * s->lanes)
        line(out, "{");
}

void close_window_strip(Out *out, const WindowStrip *s)
{
    if (s->runs > 1 || s->width < s->vectors * s->lanes)
        line(out, "}");
}

// The strip's operand `matrix`, of `rows` rows: a packed copy where its vectors reach beyond it.
static const char *strip_operand(Out *out, const WindowStrip *s, const char *matrix, int rows,
                                 int columns, int *step)
{
    if (s->width == s->vectors * s->lanes) {
        *step = columns;
        return window_columns(s, matrix);
    }
    const char *const type = real_type(out->network);
    *step = s->lanes;
    line(out, "%s packed[%d][%d]; // rows of whole vectors", type, rows, s->lanes);
    line(out, "for (int k = 0; k < %d; k++) {", rows);
    line(out, "memset(packed[k], 0, sizeof packed[k]);");
    line(out, "memcpy(packed[k], %s + k * %d, %d * sizeof(%s));",
         window_columns(s, matrix), columns, s->width, type);
    line(out, "}");
    return "packed[0]";
}

// A strip's operands, for the calls of its tiles.
typedef struct {
    Out *out;
    const WindowProduct *p;
    const WindowStrip *strip;
    const char *b, *c;
    int b_step;
    const char *line; // where the tile's first line is
} Walk;

// y = x * w: rows of a tile are pixels
static void forward_tile(const Walk *w, int lines, int pixels, const char *first_line,
                         const char *first_pixel)
{
    const WindowProduct *const p = w->p;
    const Runs runs = window_runs(p);
    const int pitch = line_read(p), step = p->stride[1] * pixel_read(p), made = pixel_made(p);
    const char *const x =
        plus(plus("x", first_line, (long)p->stride[0] * pitch), first_pixel, step);
    const char *const y =
        plus(plus(w->c, first_line, (long)p->columns * made), first_pixel, made);
    open_window_rows(w->out, p);
    call_line(w->out, window_tile(w->out->network, lines, pixels, w->strip),
              format("%d, %d, %s, %d, %d, %d, 1, %s, %d, %d, %s, %d, %s", runs.runs, runs.numbers,
                     in_window_row(p, x, (long)p->dilation[0] * pitch), step, lines_apart(p),
                     runs.apart,
                     in_window_row(p, w->b, (long)runs.runs * runs.numbers * w->b_step),
                     runs.numbers * w->b_step, w->b_step, y, made,
                     runs.rows > 1 ? "r > 0" : "false"));
    close_window_rows(w->out, p);
}

static void forward_lines(const void *strip, int lines, const char *first)
{
    const Walk *const w = strip;
    forward_tile(w, lines, pixels_at_a_time(w->p), first, "0");
}

static void forward_pixels(const void *strip, int pixels, const char *first)
{
    const Walk *const w = strip;
    forward_tile(w, 1, pixels, w->line, first);
}

static void emit_forward_strip(Out *out, const WindowProduct *p, const WindowStrip *s)
{
    open_window_strip(out, s);
    Walk w = {.out = out, .p = p, .strip = s, .line = p->lines > 1 ? "line" : "0"};
    const int terms = p->kernel[0] * p->kernel[1] * p->channels;
    if (p->panels) {
        w.b = strip_panel(s, "w", terms);
        w.b_step = s->width;
    } else {
        w.b = strip_operand(out, s, "w", terms, pixel_made(p), &w.b_step);
    }
    w.c = window_columns(s, "y");
    const WindowRows rows = window_rows(out->network, p);
    const WindowCut cut = window_cut(out->network, &rows, s->vectors);
    if (cut.lines) {
        emit_pieces(out, &cut.pieces, "line", forward_lines, &w);
    } else if (p->lines == 1) {
        emit_pieces(out, &cut.pieces, "pixel", forward_pixels, &w);
    } else {
        line(out, "for (int line = 0; line < %d; line++) {", p->lines);
        emit_pieces(out, &cut.pieces, "pixel", forward_pixels, &w);
        line(out, "}");
    }
    close_window_strip(out, s);
}

// dw += the sum over pixels of x dy: rows of a tile are the window's numbers
static void weights_tile(const Walk *w, int lines, int numbers, const char *first_line,
                         const char *first_number)
{
    const WindowProduct *const p = w->p;
    const Runs runs = window_runs(p);
    const int pitch = line_read(p), made = pixel_made(p);
    const char *const x =
        plus(plus(in_window_row(p, "x", (long)p->dilation[0] * pitch), first_line, runs.apart),
             first_number, 1);
    const char *const dw =
        plus(plus(w->c, first_line, (long)runs.numbers * made), first_number, made);
    call_line(w->out, window_tile(w->out->network, lines, numbers, w->strip),
              format("%d, %d, %s, 1, %d, %d, %d, %s, %d, %d, %s, %d, true", p->lines,
                     pixels_at_a_time(p), x, runs.apart, lines_apart(p),
                     p->stride[1] * pixel_read(p), w->b,
                     p->lines > 1 ? p->columns * w->b_step : 0, w->b_step, dw, made));
}

static void weights_lines(const void *strip, int lines, const char *first)
{
    const Walk *const w = strip;
    weights_tile(w, lines, window_runs(w->p).numbers, first, "0");
}

static void weights_numbers(const void *strip, int numbers, const char *first)
{
    const Walk *const w = strip;
    weights_tile(w, 1, numbers, w->line, first);
}

static void emit_weights_strip(Out *out, const WindowProduct *p, const WindowStrip *s)
{
    open_window_strip(out, s);
    Walk w = {.out = out, .p = p, .strip = s, .line = "line"};
    w.b = strip_operand(out, s, "dy", p->lines * pixels_at_a_time(p), pixel_made(p), &w.b_step);
    const Runs runs = window_runs(p);
    w.c = in_window_row(p, window_columns(s, "dw"), (long)runs.runs * runs.numbers * pixel_made(p));
    const WindowRows rows = window_rows(out->network, p);
    const WindowCut cut = window_cut(out->network, &rows, s->vectors);
    open_window_rows(out, p);
    if (cut.lines) {
        emit_pieces(out, &cut.pieces, "line", weights_lines, &w);
    } else if (runs.runs == 1) {
        w.line = "0";
        emit_pieces(out, &cut.pieces, "number", weights_numbers, &w);
    } else {
        line(out, "for (int line = 0; line < %d; line++) {", runs.runs);
        emit_pieces(out, &cut.pieces, "number", weights_numbers, &w);
        line(out, "}");
    }
    close_window_rows(out, p);
    close_window_strip(out, s);
}

static void about_window_product(Out *out, const WindowProduct *p)
{
    const char *const gaps =
        p->dilation[0] > 1 || p->dilation[1] > 1
            ? format(", their taps %dx%d apart,", p->dilation[0], p->dilation[1])
            : "";
    const char *const window =
        p->planes ? format("%dx%d windows of planes of x", p->kernel[0], p->kernel[1])
                  : format("%dx%d windows%s of x[.][%d][%d]", p->kernel[0], p->kernel[1], gaps,
                           p->width, pixel_read(p));
    const int made = pixel_made(p);
    Text about = {0};
    if (p->weights && p->planes)
        text_add(&about,
                 "dw[%d][%d][%d][%d][%d] += x dy[%d][%d][%d], a vector for each weight, for %s",
                 p->outputs, p->kernel[0], p->channels, p->kernel[1], vector_lanes(out->network),
                 p->lines, p->columns, made, window);
    else if (p->weights)
        text_add(&about, "dw[%d][%d][%d][%d] += the sum of x dy[%d][%d][%d], for %s", p->kernel[0],
                 p->kernel[1], p->channels, made, p->lines, p->columns, made, window);
    else
        text_add(&about, "y[%d][%d][%d] = %s times w[%d][%d][%d][%d]", p->lines, p->columns, made,
                 window, p->kernel[0], p->kernel[1], p->channels, made);
    if (p->panels)
        text_add(&about, ", in panels of %d columns", panel_columns(out->network));
    if (p->groups > 1)
        text_add(&about, ", of one group, which reads %d of the channels and makes %d", p->channels,
                 p->outputs);
    comment(out, "%s", about.text);
}

static void emit_window_product(Out *out, const WindowProduct *p)
{
    const char *const type = real_type(out->network);
    about_window_product(out, p);
    emit_declaration(
        out, format("static void %s(", window_product_name(p)),
        format(p->weights ? "const %s *x, const %s *dy, %s *dw" : "const %s *x, const %s *w, %s *y",
               type, type, type));
    line(out, "{");
    if (p->planes) {
        (p->weights ? emit_planes_weights : emit_planes_forward)(out, p);
    } else {
        WindowStrip strips[16];
        const WindowRows rows = window_rows(out->network, p);
        const int count = window_strips(out->network, p->outputs, &rows, strips);
        open_pixels(out, p);
        for (int i = 0; i < count; i++)
            (p->weights ? emit_weights_strip : emit_forward_strip)(out, p, &strips[i]);
        close_pixels(out, p);
    }
    line(out, "}");
    blank_line(out);
}

void emit_windows(Out *out, const char *body)
{
    const Network *const network = out->network;
    Out functions = {.network = out->network};
    for (int i = 0; i < network->window_product_count; i++) {
        const WindowProduct *const p = &network->window_products[i];
        if (strstr(body, format("%s(", window_product_name(p))))
            emit_window_product(&functions, p);
    }
    Out winograd = {.network = out->network}, transforms = {.network = out->network};
    emit_winograd_products(&transforms, &winograd, body);
    if (!functions.text.length && !winograd.text.length)
        return;
    emit_window_tiles(out);
    emit_plane_tiles(out);
    text_put(&out->text, functions.text.text, functions.text.length);
    text_put(&out->text, transforms.text.text, transforms.text.length);
    text_put(&out->text, winograd.text.text, winograd.text.length);
}
