// plan.c: where each value lies in the arena.
//
// Values that are never alive at the same time share bytes. Threads are at different nodes of a
// phase at the same moment, so that time is counted in two ways: a value read in a later phase is
// alive for whole phases; one that is made and read within a phase by the same block of rows lives
// in that block's slab, where time is the order of the nodes. The slabs of a phase are one buffer
// of the first kind.
#include "passes.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

typedef struct {
    long bytes, offset;
    int first, last; // alive from and to, both included
    int node;        // -1: the slabs of a phase
} Buffer;

static long aligned(long bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static bool meet(const Buffer *a, const Buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static int by_size(const void *a, const void *b)
{
    const Buffer *const x = a, *const y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->node - y->node;
}

// Greedy by size (Pisarchyk and Lee 2020): the largest first, each at the lowest offset where it
// meets nobody. Returns the bytes of all.
static long place(Buffer *buffers, int count)
{
    long total = 0;
    if (count)
        qsort(buffers, (size_t)count, sizeof *buffers, by_size);
    const Buffer **const placed = allocate((size_t)count * sizeof *placed); // by their offsets
    for (int i = 0; i < count; i++) {
        Buffer *const b = &buffers[i];
        b->offset = 0;
        for (int k = 0; k < i && placed[k]->offset < b->offset + b->bytes; k++) {
            const long end = placed[k]->offset + placed[k]->bytes;
            if (meet(b, placed[k]) && end > b->offset)
                b->offset = end;
        }
        int at = i;
        for (; at > 0 && placed[at - 1]->offset > b->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = b;
        if (b->offset + b->bytes > total)
            total = b->offset + b->bytes;
    }
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            if (meet(&buffers[i], &buffers[k]) &&
                buffers[i].offset < buffers[k].offset + buffers[k].bytes &&
                buffers[k].offset < buffers[i].offset + buffers[i].bytes)
                bug("nodes %d and %d overlap in the arena", buffers[i].node, buffers[k].node);
    return total;
}

static bool is_local(const Graph *graph, int id)
{
    const Node *const node = &graph->nodes[id];
    if (node->extent != PER_ROW || node->kept || node->ahead)
        return false;
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].input[k] == id && !graph->nodes[i].dead &&
                (graph->nodes[i].phase != node->phase ||
                 op_info[graph->nodes[i].op].tasks != BY_ROWS))
                return false;
    return true;
}

// The node that changes a weight by this gradient, or NULL.
static const Node *update_by(const Graph *graph, int gradient)
{
    for (int i = gradient + 1; i < graph->count; i++) {
        const Node *const update = &graph->nodes[i];
        if (!update->dead && update->input_count > 1 && update->input[1] == gradient &&
            has_flag(update, UPDATES))
            return update;
    }
    return NULL;
}

// gradient-in-task: the gradient of a weight that a task makes and the update in the same task
// reads is not stored but for the part that the task is at.
// Condition: nothing else reads it (no clipping by norm, no check of gradients, no further chunk of
// rows), and its parts are small enough for a thread's stack.
static bool is_piece(const Graph *graph, int id)
{
    const Node *const node = &graph->nodes[id];
    if (node->op != OP_dense_grad_w && node->op != OP_dense_slice_grad_w)
        return false;
    const Node *const update = update_by(graph, id);
    return update && !node->kept && !node->chunked && node_parts(graph, node) > 1 &&
           part_size(node->shape) <= MOST_PART_NUMBERS && consumers(graph, id) == 1 &&
           update->phase == node->phase && update->layer == node->layer &&
           op_info[update->op].tasks == BY_PART && same_cut(graph, update, node);
}

// weights-asked-for: the task that sums a gradient asks for the weights that it is about to change,
// while it sums.
// Condition: other threads have read them, so that the copies of those must be given up first. A
// slice of the first layer's weights is its thread's alone.
static void claim_weights(Graph *graph, int id)
{
    Node *const node = &graph->nodes[id];
    if (node->op != OP_dense_grad_w || !node->shape.panel_rows || node->input_count == MAX_INPUTS)
        return;
    for (int k = node->input_count++; k > node->own_inputs; k--)
        node->input[k] = node->input[k - 1];
    for (int s = 0; s < node->step_count; s++)
        node->steps[s].first_input++;
    node->input[node->own_inputs++] = update_by(graph, id)->input[0];
    node->claims = true;
}

// The same bytes are local to a phase for all values that lie there in turn, or for none.
static bool local_throughout(const Graph *graph, int id)
{
    const int next = replaced_by(graph, id);
    return is_local(graph, id) &&
           (next < 0 || (graph->nodes[next].phase == graph->nodes[id].phase &&
                         local_throughout(graph, next)));
}

// The first of the values that lie there in turn.
static int first_there(const Graph *graph, int id)
{
    while (graph->nodes[id].in_place)
        id = graph->nodes[id].replaced;
    return id;
}

// When the last of them is no longer needed.
int last_use_there(const Graph *graph, int id)
{
    int last = graph->nodes[id].last;
    while ((id = replaced_by(graph, id)) >= 0)
        if (graph->nodes[id].last > last)
            last = graph->nodes[id].last;
    return last;
}

static void find_life(Graph *graph, int id)
{
    Node *const node = &graph->nodes[id];
    node->local = local_throughout(graph, first_there(graph, id));
    node->first = node->last = node->local ? id : node->phase;
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].input[k] == id && !graph->nodes[i].dead) {
                const int use = node->local ? i : graph->nodes[i].phase;
                if (use > node->last)
                    node->last = use;
            }
    if (node->kept || node->ahead)
        node->last = graph->phases;
    if (node->ahead) // later steps read it
        node->first = 0;
    if (node->phase == 0 && begins_with_slices(graph)) // the next step makes it in this one's last
        node->last = graph->phases;
    // the next chunk begins again at phase 0, and what outlives a chunk must outlast that
    if (node->chunked && !node->local && !kept_by_chunk(graph, id)) {
        node->first = 0;
        if (node->last < graph->chunk_phases)
            node->last = graph->chunk_phases;
    }
}

// How many blocks of a value are kept.
static long stored_blocks(const Graph *graph, int id)
{
    if (graph->nodes[id].extent == PER_BATCH)
        return 1;
    if (graph->nodes[id].ahead)
        return graph->nodes[id].ahead;
    return graph->nodes[id].chunked && kept_by_chunk(graph, id) ? graph->slots
                                                                : graph->network->blocks;
}

static long block_bytes(const Graph *graph, const Node *node)
{
    const int each = node->ahead ? STEPS_AHEAD : graph->network->block_rows;
    const long rows = node->extent == PER_ROW ? each : 1;
    const long numbers = shape_size(stored_shape(node, node->shape));
    return rows * numbers * element_bytes(graph->network, node->type);
}

long stored_bytes(const Graph *graph, int id)
{
    return aligned(stored_blocks(graph, id) * block_bytes(graph, &graph->nodes[id]));
}

// Places the slab of one phase; returns its bytes.
static long place_locals(Graph *graph, int phase, Buffer *buffers)
{
    int count = 0;
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (has_value(node) && node->local && node->phase == phase && !node->in_place)
            buffers[count++] = (Buffer){.bytes = aligned(block_bytes(graph, node)),
                                        .first = node->first,
                                        .last = last_use_there(graph, i),
                                        .node = i};
    }
    const long bytes = place(buffers, count);
    for (int i = 0; i < count; i++)
        graph->nodes[buffers[i].node].offset = buffers[i].offset;
    return bytes;
}

// Offsets of the phases' slabs, and of what lies in them.
static void set_offsets(Graph *graph, const Buffer *buffers, int count, const long *slab)
{
    for (int i = 0; i < count; i++) {
        if (buffers[i].node >= 0) {
            graph->nodes[buffers[i].node].offset = buffers[i].offset;
            continue;
        }
        const int phase = -1 - buffers[i].node;
        for (int k = 0; k < graph->count; k++) {
            Node *const node = &graph->nodes[k];
            if (has_value(node) && node->local && node->phase == phase) {
                node->offset += buffers[i].offset;
                node->each = slab[phase];
            }
        }
    }
    for (int id = 0; id < graph->count; id++) {
        Node *const node = &graph->nodes[id];
        const Node *const there = &graph->nodes[first_there(graph, id)];
        node->offset = there->offset;
        node->each = there->each;
    }
}

// needs: phases; makes: offsets, Node.each, Graph.arena_bytes
void plan(Graph *graph)
{
    Buffer *const buffers = allocate((size_t)(graph->count + graph->phases) * sizeof *buffers);
    Buffer *const locals = allocate((size_t)graph->count * sizeof *locals);
    int count = 0;
    graph->unshared_bytes = 0;
    for (int i = 0; i < graph->count; i++) {
        Node *const node = &graph->nodes[i];
        node->piece = is_piece(graph, i);
        if (node->piece)
            claim_weights(graph, i);
        if (in_arena(node))
            find_life(graph, i);
    }
    for (int i = 0; i < graph->count; i++) {
        Node *const node = &graph->nodes[i];
        if (!in_arena(node))
            continue;
        node->each = block_bytes(graph, node);
        graph->unshared_bytes += stored_bytes(graph, i);
        if (!node->local && !node->in_place)
            buffers[count++] = (Buffer){.bytes = stored_bytes(graph, i),
                                        .first = node->first,
                                        .last = last_use_there(graph, i),
                                        .node = i};
    }
    long *const slab = allocate((size_t)(graph->phases + 1) * sizeof *slab);
    for (int phase = 0; phase < graph->phases; phase++) {
        slab[phase] = place_locals(graph, phase, locals);
        buffers[count++] = (Buffer){
            .bytes = slab[phase] * graph->slots, .first = phase, .last = phase, .node = -1 - phase};
    }
    graph->arena_bytes = place(buffers, count);
    set_offsets(graph, buffers, count, slab);
}

// --- the limit ----------------------------------------------------------------------------------

typedef struct {
    const char *name, *what;
    double bytes;
} Part;

static int by_bytes(const void *a, const void *b)
{
    const Part *const x = a, *const y = b;
    const int order = (x->bytes < y->bytes) - (x->bytes > y->bytes);
    return order ? order : strcmp(x->name, y->name);
}

// limit 0: what any machine of today can address in one program.
bool fits_memory(const Network *network, double limit)
{
    enum { SHOWN = 5 };
    const Cost cost = network_cost(network);
    const double bytes = cost.arena_bytes + cost.weight_bytes + cost.optimizer_bytes;
    if (bytes <= (limit > 0 ? limit : 1e12))
        return true;
    const Graph *const graph = network->trains ? &network->train : &network->infer;
    Part *const parts = allocate((size_t)(graph->count + network->tensor_count) * sizeof *parts);
    int count = 0;
    for (int i = 0; i < graph->count; i++)
        if (in_arena(&graph->nodes[i]))
            parts[count++] =
                (Part){graph->nodes[i].name, "activation",
                       (double)(stored_blocks(graph, i) * block_bytes(graph, &graph->nodes[i]))};
    for (int i = 0; i < network->tensor_count; i++)
        parts[count++] = (Part){network->tensors[i].name, "tensor",
                                (double)shape_size(network->tensors[i].shape) *
                                    (double)element_bytes(network, TYPE_REAL)};
    qsort(parts, (size_t)count, sizeof *parts, by_bytes);
    error_at(E310, (Loc){.source = network->program->source, .start = -1},
             "the network needs %s of memory, %s are allowed", bytes_text(bytes),
             bytes_text(limit > 0 ? limit : 1e12));
    for (int i = 0; i < count && i < SHOWN; i++)
        note_at((Loc){0}, "%s '%s' takes %s", parts[i].what, parts[i].name,
                bytes_text(parts[i].bytes));
    return false;
}
