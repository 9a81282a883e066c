// estimate.c: how long a step takes, estimated before the first one.
//
// A node takes as long as its arithmetic or its memory, whichever is more (the roofline of
// Williams, Waterman and Patterson, 2009), by one thread of a processor that has the target's
// vectors and the figures below. It is an estimate: it knows nothing of the machine's own clock and
// caches, of barriers, or of how near a kernel comes to its roof. It serves to compare networks and
// layers.
#include "passes.h"

#include <string.h>

#define CYCLES_PER_SECOND 3e9
#define MEMORY_BYTES_PER_SECOND 20e9 // of one thread, from behind the caches
#define CACHE_BYTES_PER_SECOND 100e9 // of what a block of rows makes and reads within a phase

// Products keep all units of the processor busy; what isn't one is reckoned one operation a cycle
// for each number of a vector.
static double arithmetic_seconds(const Graph *graph, const Node *node)
{
    const Network *const network = graph->network;
    const double lanes =
        (double)network->target->vector_bytes / (double)element_bytes(network, TYPE_REAL);
    const double each = is_product(node) ? network->target->operations : 1;
    const bool by_rows = op_info[node->op].tasks == BY_ROWS;
    const double rows = by_rows ? setting_number(network->program->batch, "size") : 1;
    return rows * node_operations(graph, node) / (lanes * each * CYCLES_PER_SECOND);
}

static double value_seconds(const Graph *graph, const Node *value)
{
    const double bytes = (double)node_rows(graph->network, value) *
                         (double)shape_size(value->shape) *
                         (double)element_bytes(graph->network, value->type);
    return bytes / (value->local ? CACHE_BYTES_PER_SECOND : MEMORY_BYTES_PER_SECOND);
}

// Each input is read once, the result written once; an update writes back what it changes, all
// inputs but the gradient.
static double memory_seconds(const Graph *graph, const Node *node)
{
    double seconds = has_value(node) ? value_seconds(graph, node) : 0;
    for (int k = 0; k < node->input_count; k++) {
        const Node *const input = &graph->nodes[node->input[k]];
        if (is_read(node, k))
            seconds += value_seconds(graph, input) * (writes(graph, node, k) ? 2 : 1);
    }
    return seconds;
}

// needs: a planned graph
double node_seconds(const Graph *graph, const Node *node)
{
    if (!has_function(node))
        return 0;
    const double arithmetic = arithmetic_seconds(graph, node);
    const double memory = memory_seconds(graph, node);
    return arithmetic > memory ? arithmetic : memory;
}

static double graph_seconds(const Graph *graph, const char *layer)
{
    double seconds = 0;
    for (int i = 0; i < graph->count; i++)
        if (!layer || !strcmp(graph->nodes[i].layer, layer))
            seconds += node_seconds(graph, &graph->nodes[i]);
    return seconds;
}

double layer_seconds(const Network *network, const char *layer)
{
    return graph_seconds(network->trains ? &network->train : &network->infer, layer);
}

double step_seconds(const Network *network) { return layer_seconds(network, NULL); }
