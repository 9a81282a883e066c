// picture_text.c: a picture of characters: boxes and arrows from top to bottom, gradients below the
// loss.
#include "picture.h"

#include <string.h>

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8, ACROSS = 4 };

// Lines are kept as the directions in which they leave a cell, so that what meets is joined.
typedef struct {
    int width, height;
    unsigned char *lines;
    const char **letters; // a character, in UTF-8, or NULL
} Canvas;

static unsigned char *lines_at(Canvas *c, int x, int y) { return &c->lines[y * c->width + x]; }

static void upright(Canvas *c, int x, int from, int to)
{
    for (int y = from; y <= to; y++)
        *lines_at(c, x, y) |= (unsigned char)((y > from ? UP : 0) | (y < to ? DOWN : 0));
}

static void level(Canvas *c, int y, int from, int to)
{
    for (int x = from < to ? from : to, last = from < to ? to : from; x <= last; x++)
        *lines_at(c, x, y) |=
            (unsigned char)((x != (from < to ? from : to) ? LEFT : 0) | (x != last ? RIGHT : 0));
}

static void write_text(Canvas *c, int x, int y, const char *text)
{
    while (*text) {
        size_t length = 1;
        while ((text[length] & 0xc0) == 0x80)
            length++;
        c->letters[y * c->width + x++] = format("%.*s", (int)length, text);
        text += length;
    }
}

static int box_width(const Box *box)
{
    int width = text_columns(box_title(box));
    for (int i = 0; i < box->line_count; i++)
        if (text_columns(box->lines[i]) > width)
            width = text_columns(box->lines[i]);
    return width + 4;
}

static bool leads(WireKind kind) { return kind != WIRE_SAVED; }

static void draw_box(Canvas *c, const Box *box, int middle, int top)
{
    const int width = box_width(box), left = middle - width / 2, right = left + width - 1;
    const int bottom = top + box->line_count + 2;
    level(c, top, left, right);
    level(c, bottom, left, right);
    upright(c, left, top, bottom);
    upright(c, right, top, bottom);
    write_text(c, left + 2, top + 1, box_title(box));
    for (int i = 0; i < box->line_count; i++)
        write_text(c, left + 2, top + 2 + i, box->lines[i]);
}

static int whole(double x) { return (int)(x + 0.5); }

// The part of a wire between a rank and the next.
typedef struct {
    int x1, x2;
    bool begins, ends; // at a box, and not at a point of the wire
} Part;

static bool part_of(Part *part, const Picture *p, const Layout *l, int wire, int rank)
{
    const Wire *const w = &p->wires[wire];
    const int first = l->places[w->from].rank, last = l->places[w->to].rank;
    if (!leads(w->kind) || rank < first || rank >= last)
        return false;
    const Route *const r = &l->routes[wire];
    part->begins = rank == first;
    part->ends = rank + 1 == last;
    part->x1 = whole(part->begins ? l->places[w->from].x : r->x[rank - first - 1]);
    part->x2 = whole(part->ends ? l->places[w->to].x : r->x[rank - first]);
    return true;
}

// The lines on which wires go sideways between two ranks. Wires of one box share a line, where they
// part or where they join.
typedef struct {
    int x1, x2;
    enum { ONE, PARTING, JOINING } use;
} Bend;

static int find_bend(Bend *bends, int *count, const Part *part)
{
    for (int i = 0; i < *count; i++) {
        Bend *const b = &bends[i];
        const bool parts = b->x1 == part->x1 && b->use != JOINING;
        const bool joins = b->x2 == part->x2 && b->use != PARTING;
        if (!parts && !joins)
            continue;
        b->use = parts ? PARTING : JOINING;
        return i;
    }
    bends[*count] = (Bend){part->x1, part->x2, ONE};
    return (*count)++;
}

static int count_bends(const Picture *p, const Layout *l, int rank)
{
    Bend *const bends = allocate((size_t)(p->wire_count + 1) * sizeof *bends);
    int count = 0;
    for (int i = 0; i < p->wire_count; i++) {
        Part part;
        if (part_of(&part, p, l, i, rank) && part.x1 != part.x2)
            find_bend(bends, &count, &part);
    }
    return count;
}

static void draw_wires(Canvas *c, const Picture *p, const Layout *l, const int *top, int rank)
{
    Bend *const bends = allocate((size_t)(p->wire_count + 1) * sizeof *bends);
    int count = 0;
    for (int i = 0; i < p->wire_count; i++) {
        Part part;
        if (!part_of(&part, p, l, i, rank))
            continue;
        const int y1 = top[rank] + (part.begins ? p->boxes[p->wires[i].from].line_count + 2 : 0);
        const int y2 = top[rank + 1] - part.ends; // an arrow's head stands before the box
        if (part.x1 == part.x2) {
            upright(c, part.x1, y1, y2);
        } else {
            const int turn = top[rank] + (int)l->height[rank] + find_bend(bends, &count, &part);
            upright(c, part.x1, y1, turn);
            level(c, turn, part.x1, part.x2);
            upright(c, part.x2, turn, y2);
        }
        if (part.ends)
            write_text(c, part.x2, y2, "▼");
    }
}

static const char *canvas_text(Canvas *c)
{
    static const char *const glyphs[16] = {" ", "│", "│", "│", "─", "┘", "┐", "┤",
                                           "─", "└", "┌", "├", "─", "┴", "┬", "┼"};
    Text out = {0};
    text_add(&out, "%s", "");
    for (int y = 0; y < c->height; y++) {
        Text line = {0};
        size_t end = 0;
        for (int x = 0; x < c->width; x++) {
            const int at = y * c->width + x;
            const char *const glyph = c->letters[at] ? c->letters[at] : glyphs[c->lines[at]];
            text_add(&line, "%s", glyph);
            if (*glyph != ' ')
                end = line.length;
        }
        text_add(&out, "%.*s\n", (int)end, line.text ? line.text : "");
    }
    return out.text;
}

const char *picture_text(const Picture *p)
{
    double *const widths = allocate((size_t)(p->box_count + 1) * 2 * sizeof *widths);
    double *const heights = widths + p->box_count + 1;
    for (int i = 0; i < p->box_count; i++) {
        widths[i] = box_width(&p->boxes[i]);
        heights[i] = p->boxes[i].line_count + 3;
    }
    const LayoutRules rules = {
        .widths = widths, .heights = heights, .across = ACROSS, .bend = 1, .leads = leads};
    const Layout l = layout(p, p->box_count, &rules);
    int *const top = allocate((size_t)(l.ranks + 1) * sizeof *top);
    int height = 0;
    for (int r = 0; r < l.ranks; r++) {
        top[r] = height;
        height += (int)l.height[r] + (r + 1 < l.ranks ? count_bends(p, &l, r) + 1 : 0);
    }
    Canvas c = {.width = whole(l.width) + 2, .height = height};
    c.lines = allocate((size_t)c.width * (size_t)(height + 1));
    c.letters = allocate((size_t)c.width * (size_t)(height + 1) * sizeof *c.letters);
    for (int i = 0; i < p->box_count; i++)
        draw_box(&c, &p->boxes[i], whole(l.places[i].x), top[l.places[i].rank]);
    for (int r = 0; r + 1 < l.ranks; r++)
        draw_wires(&c, p, &l, top, r);
    return canvas_text(&c);
}
