// chunk.c: a large batch is trained in chunks that stay in the cache.
//
// All activations of a batch of 10,000 rows are tens of megabytes, written once and read twice or
// thrice from memory. A chunk of some hundred rows goes forward and backward and adds its share to
// the gradients before the next one begins, in the same bytes of the arena. The order in which a
// gradient's sum runs is the rows' order with or without chunks: its bits are the same.
#include "passes.h"

static bool reads_rows(const Graph *graph, const Node *node)
{
    for (int k = 0; k < node->input_count; k++)
        if (graph->nodes[node->input[k]].extent == PER_ROW)
            return true;
    return false;
}

// What runs once for each chunk: whatever works on rows, the sums over them by part, and what makes
// weights ready for the rows.
static bool belongs_to_chunk(const Graph *graph, const Node *node)
{
    const Tasks tasks = op_info[node->op].tasks;
    return tasks == BY_ROWS || has_flag(node, LAYS_OUT) ||
           (tasks == BY_PART && reads_rows(graph, node));
}

// A chunk may not wait for what is known only when all rows have been seen (statistics over the
// batch), and its sums must be of those that can be added to.
static bool can_run_in_chunks(const Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (node->dead || !belongs_to_chunk(graph, node))
            continue;
        if (op_info[node->op].tasks == BY_PART && !has_flag(node, ACCUMULATES | LAYS_OUT))
            return false;
        for (int k = 0; k < node->input_count; k++) {
            const Node *const in = &graph->nodes[node->input[k]];
            if (op_info[in->op].tasks != BY_NONE && !belongs_to_chunk(graph, in))
                return false;
        }
    }
    return true;
}

// needs: backward nodes; makes: Graph.chunks, Graph.slots, Node.chunked
void cut_into_chunks(Graph *graph)
{
    const Network *const network = graph->network;
    graph->chunks = network->chunks > 1 && can_run_in_chunks(graph) ? network->chunks : 1;
    graph->slots = network->blocks / graph->chunks;
    for (int i = 0; graph->chunks > 1 && i < graph->count; i++)
        graph->nodes[i].chunked = belongs_to_chunk(graph, &graph->nodes[i]);
}

// True where only the current chunk's rows of a value are kept.
bool kept_by_chunk(const Graph *graph, int id)
{
    const Node *const node = &graph->nodes[id];
    if (!node->chunked || node->extent != PER_ROW || node->kept)
        return false;
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].input[k] == id && !graph->nodes[i].dead && !graph->nodes[i].chunked)
                return false;
    return true;
}

bool uses_chunks(const Network *network)
{
    return network->infer.chunks > 1 || (network->trains && network->train.chunks > 1);
}
