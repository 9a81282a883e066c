// picture_svg.c: a picture as SVG. Data goes down on the left; gradients come up on the right, each
// beside its layer, and dashed wires bring them the values that they need.
#include "picture.h"
#include "svg.h"

#include <string.h>

enum { MARGIN = 24, TITLE = 40, LINE = 16, PADDING = 10, ROUND = 6, BETWEEN = 130 };

typedef struct {
    const Picture *picture;
    Layout layout; // of the forward boxes
    Layout back;   // the same with the widths of the backward ones; drawn as in a mirror
    double *widths, *heights;
    double right; // where the mirror's left is
} Drawing;

static bool is_value(WireKind kind) { return kind == WIRE_VALUE; }

static double box_width(const Box *box)
{
    double width = svg_width(box_title(box));
    for (int i = 0; i < box->line_count; i++)
        if (svg_width(box->lines[i]) > width)
            width = svg_width(box->lines[i]);
    return width + 2 * PADDING;
}

static double box_height(const Box *box) { return (box->line_count + 1) * LINE + 2 * PADDING - 4; }

static int backward_of(const Picture *p, int forward)
{
    for (int i = p->forward_count; i < p->box_count; i++)
        if (p->boxes[i].forward == forward)
            return i;
    return -1;
}

static int forward_of(const Picture *p, int box)
{
    return p->boxes[box].backward ? p->boxes[box].forward : box;
}

static double x_on(const Drawing *d, bool back, double x)
{
    return back ? d->right - x : x + MARGIN;
}

static double x_of(const Drawing *d, int box)
{
    const bool back = d->picture->boxes[box].backward;
    const Layout *const l = back ? &d->back : &d->layout;
    return x_on(d, back, l->places[forward_of(d->picture, box)].x);
}

static double y_of(const Drawing *d, int box)
{
    return d->layout.places[forward_of(d->picture, box)].y + TITLE + MARGIN;
}

static void put_box(Text *svg, const Drawing *d, int index)
{
    const Box *const box = &d->picture->boxes[index];
    const double width = d->widths[index], height = d->heights[index];
    const double x = x_of(d, index) - width / 2, y = y_of(d, index);
    svg_rect(svg, box->class, x, y, width, height, ROUND, NULL);
    svg_text(svg, "bold", x + PADDING, y + PADDING + 9, "start", 0, box_title(box));
    for (int i = 0; i < box->line_count; i++)
        svg_text(svg, i ? "dim" : "", x + PADDING, y + PADDING + 9 + (i + 1) * LINE, "start", 0,
                 box->lines[i]);
}

static void put_head(Text *svg, const char *class, double x, double y, double dx, double dy)
{
    text_add(svg, "<path class=\"%s\" d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fz\"/>\n", class, x, y,
             -7 * dx - 4 * dy, -7 * dy - 4 * dx, 8 * dy, 8 * dx);
}

// From one height to another, first and last upright.
static void curve(Text *path, double x1, double y1, double x2, double y2)
{
    const double middle = (y1 + y2) / 2;
    if (x1 - x2 < 0.5 && x2 - x1 < 0.5)
        text_add(path, "V%.1f", y2);
    else
        text_add(path, "C%.1f %.1f %.1f %.1f %.1f %.1f", x1, middle, x2, middle, x2, y2);
}

// The route of the wire between two layers, or in the mirror that of its gradient.
static const Route *route_between(const Drawing *d, bool back, int from, int to)
{
    for (int i = 0; i < d->picture->wire_count; i++) {
        const Wire *const w = &d->picture->wires[i];
        if (w->kind == WIRE_VALUE && w->from == from && w->to == to)
            return back ? &d->back.routes[i] : &d->layout.routes[i];
    }
    return NULL;
}

// The layer through which a gradient of `lower` reaches `upper`: one that hands it on as it is and
// has no box of its own, as residual does. -1: there is none.
static int handed_on_by(const Drawing *d, int upper, int lower)
{
    const Picture *const p = d->picture;
    for (int i = 0; i < p->forward_count; i++)
        if (backward_of(p, i) < 0 && route_between(d, true, upper, i) &&
            (route_between(d, true, i, lower) || handed_on_by(d, i, lower) >= 0))
            return i;
    return -1;
}

// From the lower edge of a layer's row to the upper edge of a later one's.
static void put_way(Text *path, const Drawing *d, bool back, int upper, int lower, double y)
{
    const Layout *const l = back ? &d->back : &d->layout;
    const Route *const route = route_between(d, back, upper, lower);
    double x = x_on(d, back, l->places[upper].x);
    for (int k = 0; route && k < route->count; k++) {
        const int rank = l->places[upper].rank + 1 + k;
        const double next = x_on(d, back, route->x[k]);
        curve(path, x, y, next, l->top[rank] + TITLE + MARGIN);
        x = next;
        y = l->top[rank] + TITLE + MARGIN + l->height[rank];
        text_add(path, "V%.1f", y);
    }
    const double end = l->places[lower].y + TITLE + MARGIN;
    curve(path, x, y, x_on(d, back, l->places[lower].x), back ? end : end - 7);
}

static void put_upright(Text *svg, const Drawing *d, const Wire *w)
{
    const bool back = w->kind == WIRE_GRADIENT;
    const int box = back ? w->to : w->from; // the upper one
    const int lower = forward_of(d->picture, back ? w->from : w->to);
    int upper = forward_of(d->picture, box);
    double y = y_of(d, box) + d->heights[box] + (back ? 7 : 0);
    Text path = {0};
    text_add(&path, "M%.1f %.1f", x_of(d, box), y);
    while (back && !route_between(d, back, upper, lower)) {
        const int through = handed_on_by(d, upper, lower);
        if (through < 0)
            break;
        put_way(&path, d, back, upper, through, y);
        y = y_of(d, through) + d->layout.height[d->layout.places[through].rank];
        text_add(&path, "V%.1f", y);
        upper = through;
    }
    put_way(&path, d, back, upper, lower, y);
    text_add(svg, "<path class=\"%s\" d=\"%s\"/>\n", back ? "back" : "edge", path.text);
    if (back)
        put_head(svg, "back-head", x_of(d, box), y_of(d, box) + d->heights[box], 0, -1);
    else
        put_head(svg, "head", x_of(d, w->to), y_of(d, w->to), 0, 1);
}

static void put_saved(Text *svg, const Drawing *d, const Wire *w)
{
    const double x1 = x_of(d, w->from) + d->widths[w->from] / 2;
    const double y1 = y_of(d, w->from) + d->heights[w->from] / 2;
    const double x2 = x_of(d, w->to) - d->widths[w->to] / 2;
    const double y2 = y_of(d, w->to) + d->heights[w->to] / 2;
    const double middle = (x1 + x2) / 2;
    text_add(svg, "<path class=\"saved\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"/>\n", x1,
             y1, middle, y1, middle, y2, x2 - 7, y2);
    put_head(svg, "saved-head", x2, y2, 1, 0);
}

static Drawing make_drawing(const Picture *p)
{
    Drawing d = {.picture = p};
    d.widths = allocate((size_t)(p->box_count + 1) * sizeof *d.widths);
    d.heights = allocate((size_t)(p->box_count + 1) * sizeof *d.heights);
    for (int i = 0; i < p->box_count; i++) {
        d.widths[i] = box_width(&p->boxes[i]);
        d.heights[i] = box_height(&p->boxes[i]);
    }
    double *const back_widths = allocate((size_t)(p->box_count + 1) * 2 * sizeof *back_widths);
    double *const rows = back_widths + p->box_count + 1; // heights, of both boxes
    for (int i = 0; i < p->forward_count; i++) {
        const int back = backward_of(p, i);
        back_widths[i] = back >= 0 ? d.widths[back] : 0;
        rows[i] = back >= 0 && d.heights[back] > d.heights[i] ? d.heights[back] : d.heights[i];
    }
    LayoutRules rules = {.widths = d.widths,
                         .heights = rows,
                         .across = 24,
                         .down = 34,
                         .bend = 16,
                         .leads = is_value};
    d.layout = layout(p, p->forward_count, &rules);
    rules.widths = back_widths;
    d.back = layout(p, p->forward_count, &rules);
    d.right = d.layout.width + BETWEEN + d.back.width + MARGIN;
    return d;
}

const char *picture_svg(const Picture *p)
{
    const Drawing d = make_drawing(p);
    const bool backward = p->box_count > p->forward_count;
    double width = (backward ? d.right : d.layout.width + MARGIN) + MARGIN;
    const char *const title =
        backward ? format("%s: data goes down on the left, gradients come up on the right; dashed, "
                          "the values that they need",
                          p->title)
                 : p->title;
    if (width < svg_width(title) + 2 * MARGIN)
        width = svg_width(title) + 2 * MARGIN;
    Text svg = {0};
    svg_open(&svg, width, d.layout.bottom + TITLE + 2 * MARGIN, title);
    svg_text(&svg, "bold", MARGIN, MARGIN + 8, "start", 0, title);
    for (int i = 0; i < p->wire_count; i++)
        if (p->wires[i].kind == WIRE_SAVED)
            put_saved(&svg, &d, &p->wires[i]);
        else
            put_upright(&svg, &d, &p->wires[i]);
    for (int i = 0; i < p->box_count; i++)
        put_box(&svg, &d, i);
    svg_close(&svg);
    return svg.text;
}
