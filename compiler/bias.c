// bias.c: biases that batch normalisation takes away again.
//
// The mean that is subtracted from each channel has the channel's bias in it, so that the bias
// changes nothing in training but the kept mean, and its gradient is 0. Nobody adds it there, sums
// a gradient for it or changes it; the kept mean is that of values with it, for those who infer.
#include "passes.h"

// The node of an op that reads the value first of all; -1: none.
static int reader(const Graph *graph, Op op, int value)
{
    for (int i = value + 1; i < graph->count; i++)
        if (graph->nodes[i].op == op && graph->nodes[i].input[0] == value)
            return i;
    return -1;
}

static int follower(const Graph *graph, int stats)
{
    for (int i = stats + 1; i < graph->count; i++)
        if (graph->nodes[i].op == OP_norm_follow && graph->nodes[i].input[2] == stats)
            return i;
    return -1;
}

// bias-before-norm: norm(bias(x, b)) becomes norm(x), and b joins the kept mean.
// Condition: nothing else reads the bias's result. (Penalties are of weights, never of biases.)
void drop_biases(Graph *graph)
{
    for (int id = 0; id < graph->count; id++) {
        const Node bias = graph->nodes[id];
        const int sums = bias.op == OP_bias ? reader(graph, OP_norm_sums, id) : -1;
        const int norm = sums < 0 ? -1 : reader(graph, OP_norm, id);
        if (norm < 0 || consumers(graph, id) != 2 ||
            graph->nodes[norm].attributes.channels !=
                graph->nodes[bias.input[1]].shape.dims[0]) // behind flatten
            continue;
        Node *const follow = &graph->nodes[follower(graph, graph->nodes[norm].input[1])];
        follow->op = OP_norm_follow_bias;
        follow->input[follow->input_count++] = bias.input[1];
        follow->own_inputs = follow->input_count;
        graph->nodes[sums].input[0] = graph->nodes[norm].input[0] = bias.input[0];
        graph->nodes[bias.input[0]].name = bias.name;
        graph->nodes[id].dead = true;
    }
}
