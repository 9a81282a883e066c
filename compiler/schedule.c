// schedule.c: how the work is cut: the batch into blocks of rows, tensors into parts, and the nodes
// into phases with a barrier between two.
//
// The cut depends on the network alone, never on the number of threads; so does the order of every
// sum, and with it every bit of the result.
#include "passes.h"

// Bytes of the largest value that one row of the batch has.
static long widest_row(const Network *network)
{
    long most = 0;
    for (int i = 0; i < network->train.count; i++) {
        const Node *const node = &network->train.nodes[i];
        if (node->extent == PER_ROW && shape_size(node->shape) > most)
            most = shape_size(node->shape);
    }
    return most * element_bytes(network, TYPE_REAL);
}

// needs: shapes; makes: how the batch is cut. Blocks are few enough that a matrix product of one
// block is worth its call, and enough that several threads have work. A block's rows of a wide
// layer stay in a core's own cache, or a good part of them where they are large pictures.
void choose_blocks(Network *network)
{
    enum { BLOCKS = 4, CHUNK_BLOCKS = 8, LEAST_ROWS = 8, MOST_ROWS = 64 };
    enum { TOO_MANY_BYTES = 4 << 20 };
    const int batch = (int)setting_number(network->program->batch, "size");
    if (batch > CHUNK_BLOCKS * MOST_ROWS) {
        const int most = CHUNK_BLOCKS * MOST_ROWS;
        network->chunks = (batch + most - 1) / most;
        network->blocks = network->chunks * CHUNK_BLOCKS;
        network->block_rows = (batch + network->blocks - 1) / network->blocks;
        return;
    }
    int rows = (batch + BLOCKS - 1) / BLOCKS;
    if (rows < LEAST_ROWS)
        rows = batch < LEAST_ROWS ? batch : LEAST_ROWS;
    if (rows > MOST_ROWS)
        rows = MOST_ROWS;
    const long widest = widest_row(network);
    while (rows > LEAST_ROWS && rows * widest >= TOO_MANY_BYTES)
        rows = (rows + 1) / 2;
    network->chunks = 1;
    network->block_rows = rows;
    network->blocks = (batch + rows - 1) / rows;
}

// A tensor is cut along its rows: all dimensions but the last. Parts of many numbers are made
// finer, so that one stays in a core's own cache, unless they would get lower than a tile.
int part_rows(Shape shape)
{
    enum { PARTS = 8, LEAST_NUMBERS = 2048, LEAST_ROWS = 14 };
    const long size = shape_size(shape);
    const long rows = shape.count > 1 ? size / shape.dims[shape.count - 1] : 1;
    long parts = size / LEAST_NUMBERS;
    if (parts > PARTS)
        parts = PARTS;
    if (parts < 1)
        parts = 1;
    long finer = parts;
    while (size / finer > MOST_PART_NUMBERS && rows / finer > 2 * LEAST_ROWS)
        finer *= 2;
    if (size / finer <= MOST_PART_NUMBERS)
        parts = finer;
    return (int)((rows + parts - 1) / parts);
}

long part_size(Shape shape)
{
    return part_rows(shape) * (shape.count > 1 ? (long)shape.dims[shape.count - 1] : 1);
}

int part_count(Shape shape)
{
    const long rows = shape.count > 1 ? shape_size(shape) / shape.dims[shape.count - 1] : 1;
    return (int)((rows + part_rows(shape) - 1) / part_rows(shape));
}

// The tensor along which a node's parts run.
Shape part_shape(const Graph *graph, const Node *node)
{
    const Shape first = node->input_count ? graph->nodes[node->input[0]].shape : (Shape){0};
    if (node->op == OP_penalty || node->op == OP_square_sum || has_flag(node, LAYS_OUT))
        return first;
    if (node->op == OP_max_norm) { // its parts are columns
        const int columns = first.dims[first.count - 1];
        return shape_of(2, columns, (int)(shape_size(first) / columns));
    }
    if (node->op == OP_winograd_weights || node->op == OP_winograd_turned_weights) {
        const Shape w = graph->nodes[node->input[1]].shape; // its parts are channels
        return shape_of(2, w.dims[2], w.dims[0] * w.dims[1] * w.dims[3]);
    }
    return has_flag(node, DERIVES) ? graph->nodes[node->input[1]].shape : node->shape;
}

int node_parts(const Graph *graph, const Node *node)
{
    return has_flag(node, SLICED) ? node->shape.dims[0] : part_count(part_shape(graph, node));
}

bool same_cut(const Graph *graph, const Node *a, const Node *b)
{
    if (has_flag(a, SLICED) || has_flag(b, SLICED))
        return has_flag(a, SLICED) && has_flag(b, SLICED);
    return shape_equal(part_shape(graph, a), part_shape(graph, b));
}

// True where one thread runs both tasks that meet in a value, so that no barrier is needed.
static bool same_owner(const Graph *graph, const Node *producer, const Node *consumer)
{
    const Tasks p = op_info[producer->op].tasks, c = op_info[consumer->op].tasks;
    if (producer->op == OP_max_norm || consumer->op == OP_max_norm)
        return false; // its parts are columns
    const bool same_layer = producer->layer == consumer->layer;
    if (p == BY_PART && c == BY_PART) {
        return same_cut(graph, producer, consumer) &&
               (same_layer || node_parts(graph, producer) > 1);
    }
    return p == c && (p == BY_ROWS || (p == BY_ONE && same_layer));
}

static int earliest(const Graph *graph, const Node *node)
{
    int phase = node->chunked ? 0 : graph->chunk_phases;
    for (int k = 0; k < node->input_count; k++) {
        const Node *const in = &graph->nodes[node->input[k]];
        if (op_info[in->op].tasks == BY_NONE)
            continue;
        const int after = in->phase + !same_owner(graph, in, node);
        if (after > phase)
            phase = after;
    }
    return phase;
}

// Whether two nodes may not change places: one of them changes a tensor that the other has too.
static bool depend(const Graph *graph, const Node *a, const Node *b)
{
    for (int k = 0; k < a->input_count; k++)
        for (int u = 0; u < b->input_count; u++)
            if (a->input[k] == b->input[u] && (writes(graph, a, k) || writes(graph, b, u)))
                return true;
    return false;
}

// A tensor may change only when all that read it have run, and after the last node that may stop
// the step. Changes of one tensor keep the order of their nodes.
static int earliest_update(const Graph *graph, int id)
{
    const Node *const update = &graph->nodes[id];
    int phase = earliest(graph, update);
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (node->dead || i == id)
            continue;
        if (has_flag(node, STOPS) && node->phase > phase)
            phase = node->phase;
        if ((has_flag(node, UPDATES) && i > id) || !depend(graph, node, update))
            continue;
        const int after = node->phase + !same_owner(graph, node, update);
        if (after > phase)
            phase = after;
    }
    return phase;
}

// Whether a step's first phase is slices of the first layer and nothing else, and their weights are
// changed in parts of slices: a thread to which whole slices belong may then begin the next step
// while others are still at this one's last phase. Condition: the phases are known.
bool begins_with_slices(const Graph *graph)
{
    int w = -1;
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (node->dead || node->phase > 0 || op_info[node->op].tasks == BY_NONE)
            continue;
        if (!has_flag(node, SLICED))
            return false;
        if (node->op == OP_dense_slice)
            w = node->input[1];
    }
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        for (int k = 0; !node->dead && k < node->input_count; k++)
            if (node->input[k] == w && writes(graph, node, k) &&
                (op_info[node->op].tasks != BY_PART || node->op == OP_max_norm))
                return false;
    }
    return w >= 0;
}

// needs: the final nodes; makes: Node.phase, Graph.phases, Graph.chunk_phases
void schedule(Graph *graph)
{
    enum { OF_CHUNKS, OF_BATCH, OF_UPDATES, GROUPS }; // updates look at every reader's phase
    graph->phases = graph->chunk_phases = 0;
    for (int group = 0; group < GROUPS; group++) {
        for (int i = 0; i < graph->count; i++) {
            Node *const node = &graph->nodes[i];
            const int of = has_flag(node, UPDATES) ? OF_UPDATES
                           : node->chunked         ? OF_CHUNKS
                                                   : OF_BATCH;
            if (node->dead || of != group)
                continue;
            node->phase = has_flag(node, UPDATES | CHANGES) ? earliest_update(graph, i)
                                                            : earliest(graph, node);
            if (op_info[node->op].tasks != BY_NONE && node->phase >= graph->phases)
                graph->phases = node->phase + 1;
        }
        if (group == OF_CHUNKS)
            graph->chunk_phases = graph->phases;
    }
}
