// ahead.c: the first layer of batches of one row, several steps at a time.
//
// By plain sgd a step changes the first layer's weights by x' d, of its picture and a row d of
// changes. The next one multiplies its picture y with the changed weights, and y (w - x' d) is
// y w - (y x') d: it needs no changed weight, but one number and the row of changes. So the first
// of STEPS steps changes the weights for all the steps before them, and multiplies the pictures of
// all of these with them; each adds what the earlier ones of them change. What is large is read and
// written once instead of STEPS times, and each step is that of plain sgd but for the rounding.
#include "passes.h"

#include <string.h>

static int reader_of(const Graph *graph, int value, Op op)
{
    for (int i = 0; i < graph->count; i++)
        if (!graph->nodes[i].dead && graph->nodes[i].op == op && graph->nodes[i].input[0] == value)
            return i;
    return -1;
}

// Smaller ones stay in the first cache from step to step.
static bool is_large(const Graph *graph, const Node *w)
{
    enum { FIRST_CACHE_BYTES = 32 << 10 };
    return shape_size(w->shape) * element_bytes(graph->network, TYPE_REAL) > FIRST_CACHE_BYTES;
}

// Inputs are cut into parts such that their rows of weights, of the columns that are summed at a
// time, stay in the first cache while the pictures go over them.
static int part_of(const Network *network, const Node *w)
{
    enum { CACHED_BYTES = 28 << 10, WHOLE = 16 }; // WHOLE: places are looked for so many at a time
    const long row = ahead_width(network, w) * element_bytes(network, TYPE_REAL);
    const int inputs = w->shape.dims[0];
    const int most = (int)(CACHED_BYTES / row), parts = (inputs + most - 1) / most;
    return ((inputs + parts - 1) / parts + WHOLE - 1) / WHOLE * WHOLE;
}

// Weights whose last vector would hold a column or two lie in a panel without these, where one
// panel takes all others: the places are then gone over in fewer vectors, and the columns by
// themselves in vectors of places.
static void lay_out(Graph *graph, int w)
{
    const int rows = graph->nodes[w].shape.dims[0], columns = graph->nodes[w].shape.dims[1];
    const Panels p = panels_of(graph->network, rows, columns);
    const int lone = columns - p.whole;
    const bool one = p.last == 0 || (p.last == p.whole && p.whole == p.width);
    if (one && lone > 0 && lone * STEPS_AHEAD <= vector_lanes(graph->network))
        put_in_panels(graph, w, rows);
}

// What the next steps need of these.
enum { ONCE = 1, KEPT = 2 };

static void make_places(const Graph *graph, Node *places, const Node *x, const Node *w)
{
    const int inputs = (int)shape_size(x->shape);
    const int part = part_of(graph->network, w);
    places->op = OP_nonzero_of_rows;
    places->extent = op_info[places->op].extent;
    const int groups = STEPS_AHEAD / rows_ahead(graph->network);
    places->shape = shape_of(3, groups, (inputs + part - 1) / part, 1 + part);
    places->ahead = KEPT;
}

static int add_changes(Graph *graph, const Node *w)
{
    const int tensor = tensor_add(graph->network, (Tensor){.name = format("%s_changes", w->name),
                                                           .layer = w->layer,
                                                           .role = ROLE_CHANGES,
                                                           .shape = shape_of(2, 2 * STEPS_AHEAD,
                                                                             w->shape.dims[1]),
                                                           .loc = w->loc});
    return weight_node(graph, tensor);
}

// The value of the steps before.
static Node *add_before(Graph *graph, int place, int value)
{
    Node *const before = node_insert(graph, place, OP_before, 1, &value);
    const Node *const now = &graph->nodes[value];
    before->name = format("%s_before", now->name);
    before->shape = now->shape;
    before->extent = now->extent;
    before->type = now->type;
    before->ahead = ONCE;
    return before;
}

enum { ADDED = 4 }; // nodes in front of the layer

// Puts before the layer, at `place`, the sums for all steps, which it will take; returns where it
// is then.
static int add_sums(Graph *graph, int place, int x, int w, int places, int changes)
{
    Node *const overlaps = node_insert(graph, place, OP_overlaps, 1, &x);
    overlaps->name = format("%s_overlaps", graph->nodes[x].name);
    overlaps->suffix = "overlaps";
    overlaps->shape = shape_of(2, STEPS_AHEAD, STEPS_AHEAD);
    overlaps->ahead = ONCE;
    add_before(graph, place + 1, x);
    add_before(graph, place + 2, places);
    const int inputs[] = {x, w, places, changes + 3, place + 1, place + 2};
    Node *const sums = node_insert(graph, place + 3, OP_dense_ahead, 6, inputs);
    sums->name = format("%s_sums", sums->layer);
    sums->suffix = "ahead";
    sums->shape = graph->nodes[place + ADDED].shape;
    sums->ahead = ONCE;
    return place + ADDED;
}

// steps-ahead: picture, nonzero(x), dense_at(x, w, at) and dense_at_sgd(w, x, dy, at) become
// picture, nonzero_of_rows(x), overlaps(x) and dense_ahead(x, w, at, changes, x and at before),
// which run in the first of STEPS steps, dense_late(sums, overlaps, changes) and
// dense_late_sgd(w, changes, dy, x, at).
// Condition: x are pictures as they are, nothing else reads x, its places or the weights, and these
// are more than the first cache holds.
void work_ahead(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        const Node sgd = graph->nodes[i];
        const int w = sgd.input[0], x = sgd.input[1], dy = sgd.input[2], places = sgd.input[3];
        if (sgd.op != OP_dense_at_sgd || sgd.dead || graph->nodes[x].op != OP_picture ||
            consumers(graph, x) != 3 || consumers(graph, places) != 2 ||
            consumers(graph, w) != 2 || !is_large(graph, &graph->nodes[w]))
            continue;
        lay_out(graph, w);
        const int changes = add_changes(graph, &graph->nodes[w]);
        make_places(graph, &graph->nodes[places], &graph->nodes[x], &graph->nodes[w]);
        graph->nodes[x].ahead = KEPT;
        const int layer =
            add_sums(graph, reader_of(graph, x, OP_dense_at), x, w, places, changes);
        Node *const late = &graph->nodes[layer];
        late->op = OP_dense_late;
        late->input[0] = layer - 1;
        late->input[1] = layer - ADDED;
        late->input[2] = changes + ADDED;
        Node *const update = &graph->nodes[i + ADDED];
        const int read[] = {w, changes + ADDED, dy + ADDED, x, places};
        update->op = OP_dense_late_sgd;
        update->own_inputs = update->input_count = (int)(sizeof read / sizeof *read);
        update->shape = graph->nodes[w].shape;
        memcpy(update->input, read, sizeof read);
        return;
    }
}

bool works_ahead(const Graph *graph)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == OP_dense_ahead)
            return true;
    return false;
}
