// cost.c: work and memory of a network, known before its first step.
//
// A multiply-add counts as two operations; exp, log, tanh and a division as one.
#include "netc.h"

#include <string.h>

static double pixels(Shape shape)
{
    return shape.count == 3 ? (double)shape.dims[0] * shape.dims[1] : 1;
}

// Of one picture for nodes by rows; of one step for the others.
double node_operations(const Graph *graph, const Node *node)
{
    const double size = (double)shape_size(node->shape);
    const int work = op_info[node->op].work;
    double steps = 0;
    for (int s = 0; s < node->step_count; s++)
        steps += size * op_info[node->steps[s].op].work;
    const Shape first = node->input_count ? graph->nodes[node->input[0]].shape : (Shape){0};
    const Shape second = node->input_count > 1 ? graph->nodes[node->input[1]].shape : (Shape){0};
    const double batch = setting_number(graph->network->program->batch, "size");
    const double rows = op_info[node->op].tasks == BY_PART ? batch : 1;
    switch (work) {
    case RESULT_BY_WEIGHTS: return 2 * (double)shape_size(second) * pixels(node->shape) + steps;
    case FIRST_BY_WEIGHTS: return 2 * (double)shape_size(second) * pixels(first) + steps;
    case OUTER: return 2 * size * pixels(second) * rows + steps;
    case WINDOWS: return size * node->attributes.kernel[0] * node->attributes.kernel[1] + steps;
    default: return size * work + steps;
    }
}

double layer_multiply_adds(const Network *network, const char *layer)
{
    const Graph *const graph = &network->infer;
    double sum = 0;
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!node->dead && op_info[node->op].work == RESULT_BY_WEIGHTS &&
            !strcmp(node->layer, layer))
            sum += (double)shape_size(graph->nodes[node->input[1]].shape) * pixels(node->shape);
    }
    return sum;
}

Cost network_cost(const Network *network)
{
    Cost cost = {0};
    const double batch = setting_number(network->program->batch, "size");
    for (int i = 0; i < network->infer.count; i++)
        if (!network->infer.nodes[i].dead)
            cost.forward += node_operations(&network->infer, &network->infer.nodes[i]);
    const Graph *const train = &network->train;
    for (int i = train->forward_count; network->trains && i < train->count; i++) {
        const Node *const node = &train->nodes[i];
        if (node->dead)
            continue;
        const double operations = node_operations(train, node);
        if (has_flag(node, UPDATES))
            cost.update += operations;
        else
            cost.backward += op_info[node->op].tasks == BY_ROWS ? operations : operations / batch;
    }
    for (int i = 0; i < network->tensor_count; i++) {
        const Tensor *const t = &network->tensors[i];
        const double bytes =
            (double)shape_size(t->shape) * (double)element_bytes(network, TYPE_REAL);
        if (t->role == ROLE_OPTIMIZER)
            cost.optimizer_bytes += bytes;
        else
            cost.weight_bytes += bytes;
        if (t->role == ROLE_WEIGHT)
            cost.parameters += shape_size(t->shape);
    }
    const long train_arena = network->trains ? train->arena_bytes : 0;
    cost.arena_bytes =
        (double)(train_arena > network->infer.arena_bytes ? train_arena
                                                          : network->infer.arena_bytes);
    return cost;
}
