// identity.c: 64 bits that stand for what a network computes of its input and its tensors, whatever
// trains it: by them a file of weights knows whose it is.
#include "build.h"

// `scale 1/255` of bytes, or `scale 1` of other numbers, says what is so without it.
static void add_scales(Text *text, const Network *network)
{
    const bool bytes = has_bytes(data_set(network->program)), either = is_npy(network);
    if (either || bytes)
        text_add(text, "bytes by %.17g;", scale_of(network, true));
    if (either || !bytes)
        text_add(text, "numbers by %.17g;", scale_of(network, false));
}

// Groups are in the shapes of weights and statistics.
static void add_node(Text *text, const Node *node, const int *numbers)
{
    const Attributes *const a = &node->attributes;
    text_add(text, "%s %s %s", op_info[node->op].name, node->op == OP_weight ? node->name : "",
             shape_text(node->shape));
    text_add(text, " window %d %d %d %d %d %d %d %d", a->kernel[0], a->kernel[1], a->stride[0],
             a->stride[1], a->pad[0], a->pad[1], a->dilation[0], a->dilation[1]);
    text_add(text, " border %d %d %d %d", a->border[0], a->border[1], a->border[2], a->border[3]);
    text_add(text, " channels %d eps %.17g slope %.17g of", a->channels, a->eps, a->slope);
    for (int k = 0; k < node->input_count; k++)
        text_add(text, " %d", numbers[node->input[k]]);
    text_add(text, ";");
}

// Of what the output is made of, as it is before any rewriting: a loss that reads what the last
// activation reads, and penalties, change nothing.
uint64_t identity(const Network *network)
{
    const Graph *const graph = &network->infer;
    const int count = network->output + 1;
    bool *const needed = allocate((size_t)count * sizeof *needed);
    int *const numbers = allocate((size_t)count * sizeof *numbers);
    needed[network->output] = true;
    for (int id = network->output; id >= 0; id--)
        for (int k = 0; needed[id] && k < graph->nodes[id].input_count; k++)
            needed[graph->nodes[id].input[k]] = true;
    Text text = {0};
    add_scales(&text, network);
    for (int id = 0, next = 0; id < count; id++)
        if (needed[id]) {
            numbers[id] = next++;
            add_node(&text, &graph->nodes[id], numbers);
        }
    return hash_bytes(hash_start, text.text, text.length);
}
