// plan_picture.c: the memory plan as a picture: which bytes of the arena hold which value, when.
//
// Across go the nodes of the step in the order in which they run, phase by phase; down go the
// arena's bytes. A slab, which each block of rows has for itself, is drawn stretched over the bytes
// of all of them.
#include "passes.h"
#include "summary.h"
#include "svg.h"

#include <string.h>

enum { COLUMN = 26, LEFT = 90, TOP = 70, HEIGHT = 560, LABELS = 150, LEAST_LABEL = 11 };

typedef struct {
    const Graph *graph;
    int *column; // of each node, from 0; -1: it doesn't run
    int columns;
    int *phase_start; // the first column of each phase, and behind the last
    double scale;     // pixels for each byte
} Picture;

static Picture make_picture(const Graph *graph)
{
    Picture p = {.graph = graph, .scale = HEIGHT / (double)graph->arena_bytes};
    p.column = allocate((size_t)graph->count * sizeof *p.column);
    p.phase_start = allocate((size_t)(graph->phases + 1) * sizeof *p.phase_start);
    for (int i = 0; i < graph->count; i++)
        p.column[i] = -1;
    for (int phase = 0; phase < graph->phases; phase++) {
        p.phase_start[phase] = p.columns;
        for (int i = 0; i < graph->count; i++)
            if (has_function(&graph->nodes[i]) && graph->nodes[i].phase == phase)
                p.column[i] = p.columns++;
    }
    p.phase_start[graph->phases] = p.columns;
    return p;
}

static double x_of(int column) { return LEFT + (double)column * COLUMN; }

static const char *class_of(const Graph *graph, int id)
{
    const Node *const node = &graph->nodes[id];
    if (id < graph->forward_count && strncmp(node->name, "d_", 2) != 0)
        return "forward";
    return node->extent == PER_ROW ? "gradient" : "sum";
}

// The name where there is room for it, else its beginning.
static void put_label(Text *svg, double x, double y, double width, double height, const char *name)
{
    const int letters = (int)((width - 4) / 6.1);
    if (height < LEAST_LABEL || letters < 2)
        return;
    const bool all = letters >= (int)strlen(name);
    svg_text(svg, "small", x + 3, y + (height > 15 ? 11 : height / 2 + 3.5), "start", 0,
             all ? name : format("%.*s…", letters - 1, name));
}

static void put_value(Text *svg, const Picture *p, int id)
{
    const Graph *const graph = p->graph;
    const Node *const node = &graph->nodes[id];
    const int blocks = node->local ? graph->slots : 1;
    const long bytes = stored_bytes(graph, id);
    double y = (double)node->offset;
    int from = node->local ? p->column[node->first] : p->phase_start[node->first];
    const int last = last_use_there(graph, id);
    int next = replaced_by(graph, id);
    while (next >= 0 && graph->nodes[next].alias)
        next = replaced_by(graph, next);
    int to = node->local ? p->column[last] + 1
                         : p->phase_start[last < graph->phases ? last + 1 : graph->phases];
    if (node->in_place)
        from = p->column[id];
    if (next >= 0)
        to = p->column[next];
    if (node->local) { // node->each is the slab's size
        long start = graph->arena_bytes;
        for (int i = 0; i < graph->count; i++)
            if (in_arena(&graph->nodes[i]) && graph->nodes[i].local &&
                graph->nodes[i].phase == node->phase && graph->nodes[i].offset < start)
                start = graph->nodes[i].offset;
        y = (double)(start + (node->offset - start) * blocks);
    }
    if (from < 0 || to <= from)
        return;
    const double left = x_of(from), top = TOP + y * p->scale;
    const double width = x_of(to) - left, height = (double)bytes * p->scale;
    svg_rect(svg, class_of(graph, id), left, top, width, height < 0.5 ? 0.5 : height, 2,
             format("%s: %s of %s, %s", node->name, node->extent == PER_ROW ? "rows" : "sums",
                    shape_text(node->shape), bytes_text((double)bytes)));
    put_label(svg, left, top, width, height, node->name);
}

static void put_axes(Text *svg, const Picture *p)
{
    const Graph *const graph = p->graph;
    const double right = x_of(p->columns);
    for (int k = 0; k <= 8; k++) {
        const double y = TOP + HEIGHT * k / 8.0;
        svg_line(svg, "grid", LEFT, y, right, y);
        svg_text(svg, "dim small", LEFT - 6, y + 3.5, "end", 0,
                 bytes_text((double)graph->arena_bytes * k / 8));
    }
    for (int phase = 0; phase < graph->phases; phase++) {
        if (p->phase_start[phase] == p->phase_start[phase + 1])
            continue;
        const double x = x_of(p->phase_start[phase]);
        svg_line(svg, "grid", x, TOP - 18, x, TOP + HEIGHT + 6);
        const bool narrow = p->phase_start[phase + 1] - p->phase_start[phase] < 2;
        svg_text(svg, "dim small", x + 3, TOP - 8, "start", 0,
                 format(narrow ? "%d" : "phase %d", phase));
    }
    svg_line(svg, "grid", right, TOP - 18, right, TOP + HEIGHT + 6);
    for (int i = 0; i < graph->count; i++)
        if (p->column[i] >= 0)
            svg_text(svg, "small", x_of(p->column[i]) + COLUMN / 2.0 + 3, TOP + HEIGHT + 14, "end",
                     -60, graph->nodes[i].name);
}

static void put_legend(Text *svg)
{
    static const struct {
        const char *class, *what;
    } kinds[] = {{"forward", "values of the forward pass"},
                 {"gradient", "their gradients"},
                 {"sum", "sums over the batch, and gradients of weights"}};
    double x = LEFT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        svg_rect(svg, kinds[i].class, x, 30, 12, 12, 2, NULL);
        svg_text(svg, "small", x + 18, 40, "start", 0, kinds[i].what);
        x += 36 + svg_width(kinds[i].what) * 10 / 12;
    }
}

const char *plan_picture(const Network *network)
{
    const Graph *const graph = network->trains ? &network->train : &network->infer;
    const Picture p = make_picture(graph);
    Text svg = {0};
    const char *const title =
        format("%s: the arena of a %s step, %s (%s if no two values shared bytes)",
               network->program->name, network->trains ? "training" : "inference",
               bytes_text((double)graph->arena_bytes), bytes_text((double)graph->unshared_bytes));
    double width = x_of(p.columns) + 20;
    if (width < LEFT + svg_width(title))
        width = LEFT + svg_width(title);
    svg_open(&svg, width, TOP + HEIGHT + LABELS, title);
    svg_text(&svg, "bold", LEFT, 18, "start", 0, title);
    put_legend(&svg);
    put_axes(&svg, &p);
    for (int i = 0; i < graph->count; i++)
        if (in_arena(&graph->nodes[i]))
            put_value(&svg, &p, i);
    svg_close(&svg);
    return svg.text;
}
