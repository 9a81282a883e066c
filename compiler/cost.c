// cost.c: work and memory of a network, known before its first step.
//
// A multiply-add counts as two operations; exp, log, tanh and a division as one.
#include "netc.h"

#include <string.h>

// Of one picture for nodes by rows; of one step for the others.
double node_operations(const Graph *graph, const Node *node)
{
    const double size = (double)shape_size(node->shape);
    double steps = 0;
    for (int s = 0; s < node->step_count; s++)
        steps += size;
    const Shape first = node->input_count ? graph->nodes[node->input[0]].shape : (Shape){0};
    const double batch = setting_number(graph->network->program->batch, "size");
    switch (node->op) {
    case OP_dense:
    case OP_dense_grad_x: return 2 * (double)shape_size(first) * size + steps;
    case OP_dense_grad_w: return 2 * size * batch + steps;
    case OP_conv: {
        const double pixels = (double)node->shape.dims[0] * node->shape.dims[1];
        return 2 * pixels * (double)shape_size(graph->nodes[node->input[1]].shape) + steps;
    }
    case OP_conv_grad_x: {
        const double pixels = (double)first.dims[0] * first.dims[1];
        return 2 * pixels * (double)shape_size(graph->nodes[node->input[1]].shape) + steps;
    }
    case OP_conv_grad_w: {
        const Shape dy = graph->nodes[node->input[1]].shape;
        return 2 * (double)dy.dims[0] * dy.dims[1] * size;
    }
    case OP_weight: return 0;
    case OP_maxpool:
    case OP_avgpool: return size * node->attributes.kernel[0] * node->attributes.kernel[1] + steps;
    case OP_sgd: return 2 * size;
    case OP_momentum: return 4 * size;
    case OP_rmsprop: return 8 * size;
    case OP_rmsprop_momentum: return 10 * size;
    case OP_adam: return 10 * size;
    default: return size + steps;
    }
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
