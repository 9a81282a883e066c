// cost.c: work and memory of a network, known before its first step.
//
// A multiply-add counts as two operations; exp, log, tanh and a division as one. A network's are
// those of its formulas, a node's those that are made.
#include "passes.h"

#include <string.h>

static double pixels(Shape shape)
{
    return shape.count == 3 ? (double)shape.dims[0] * shape.dims[1] : 1;
}

// What a node does beside its own result: the steps in its loop, and weights that it changes.
static double side_operations(const Graph *graph, const Node *node)
{
    double operations = 0;
    for (int s = 0; s < node->step_count; s++)
        operations += (double)shape_size(node->shape) * op_info[node->steps[s].op].work;
    if (has_flag(node, CHANGES))
        operations += (double)shape_size(graph->nodes[node->input[1]].shape) *
                      op_info[OP_dense_at_sgd].work;
    return operations;
}

// Squares of pixels, for each of which Winograd's convolution takes all of its weights once.
static double squares(const Node *node, Shape shape)
{
    const int side = node->attributes.side;
    return (double)((shape.dims[0] + side - 1) / side) * ((shape.dims[1] + side - 1) / side);
}

// The products of a square for each number of the window.
static double share_of_window(const Node *node)
{
    return winograd_places(node->attributes.side) / 9.0;
}

// What the formula of a convolution has more than is made of it (winograd.c), in one picture.
static double spared_operations(const Graph *graph, const Node *node)
{
    const Shape first = node->input_count ? graph->nodes[node->input[0]].shape : (Shape){0};
    const Shape second = node->input_count > 1 ? graph->nodes[node->input[1]].shape : (Shape){0};
    const double size = (double)shape_size(node->shape), transformed = (double)shape_size(second);
    switch (op_info[node->op].work) {
    case WINOGRAD: {
        const Shape formula = node->op == OP_winograd ? node->shape : first;
        const double spared = pixels(formula) / share_of_window(node) - squares(node, node->shape);
        return 2 * transformed * spared;
    }
    case WINOGRAD_OUTER:
        return 2 * size * (pixels(second) - share_of_window(node) * squares(node, second));
    default: return 0;
    }
}

// Of one picture for nodes by rows; of one step for the others.
double node_operations(const Graph *graph, const Node *node)
{
    const double size = (double)shape_size(node->shape);
    const int work = op_info[node->op].work;
    const double steps = side_operations(graph, node);
    const Shape first = node->input_count ? graph->nodes[node->input[0]].shape : (Shape){0};
    const Shape second = node->input_count > 1 ? graph->nodes[node->input[1]].shape : (Shape){0};
    const double batch = setting_number(graph->network->program->batch, "size");
    const double rows = op_info[node->op].tasks == BY_PART ? batch : 1;
    const double times = node->op == OP_nonzero_of_rows ? STEPS_AHEAD : 1; // it serves so many
    const double at = has_flag(node, SLICED) ? rows : pixels(node->shape);
    switch (work) {
    case RESULT_BY_WEIGHTS: return 2 * (double)shape_size(second) * at + steps;
    case FIRST_BY_WEIGHTS: return 2 * (double)shape_size(second) * pixels(first) + steps;
    case OUTER: return 2 * size * pixels(second) * rows + steps;
    case WINOGRAD: return 2 * (double)shape_size(second) * squares(node, node->shape) + steps;
    case WINOGRAD_OUTER:
        return 2 * size * share_of_window(node) * squares(node, second) * rows + steps;
    case OVERLAPS: return (STEPS_AHEAD - 1) * (double)shape_size(first);
    case WINDOWS: return size * node->attributes.kernel[0] * node->attributes.kernel[1] + steps;
    default:
        if (work < LAST_KIND)
            return (double)shape_size(first) * (LAST_KIND - work) + steps;
        return size * work / times + steps;
    }
}

static double value_bytes(const Graph *graph, const Node *value)
{
    return (double)(shape_size(value->shape) * element_bytes(graph->network, value->type));
}

// A value of a row is touched for each picture. Others are for each block of rows where the work is
// cut by rows, and once where it is not.
static void add_bytes(Work *work, const Graph *graph, const Node *node, const Node *value,
                      int times)
{
    const bool by_rows = op_info[node->op].tasks == BY_ROWS;
    const double bytes = times * value_bytes(graph, value);
    if (value->extent == PER_ROW)
        work->picture_bytes += bytes;
    else
        work->step_bytes +=
            bytes * (by_rows || value->extent == PER_BLOCK ? graph->network->blocks : 1);
}

// The changes of weights by several steps: the node that counts as their update only notes them,
// and the one that makes the sums makes them.
static void move_changes(Work *work, const Graph *graph, const Node *node)
{
    if (node->op == OP_dense_late_sgd) {
        *work = (Work){.step_operations = (double)graph->nodes[node->input[0]].shape.dims[1]};
        for (int k = 1; k <= 2; k++) // the changes and dy
            add_bytes(work, graph, node, &graph->nodes[node->input[k]], 1);
    }
    if (node->op == OP_dense_ahead)
        work->step_operations += (double)shape_size(graph->nodes[node->input[1]].shape) *
                                 op_info[OP_dense_late_sgd].work;
}

bool is_product(const Node *node)
{
    const int work = op_info[node->op].work;
    return work == RESULT_BY_WEIGHTS || work == FIRST_BY_WEIGHTS || work == OUTER ||
           work == WINOGRAD || work == WINOGRAD_OUTER;
}

Work node_work(const Graph *graph, const Node *node)
{
    Work work = {0};
    const OpInfo *const info = &op_info[node->op];
    const double batch = setting_number(graph->network->program->batch, "size");
    const double all = node_operations(graph, node);
    const bool product = is_product(node);
    const double steps = side_operations(graph, node);
    const double others = product ? steps : all;
    if (product)
        work.products = (all - steps) / (info->tasks == BY_PART ? batch : 1);
    if (info->tasks == BY_ROWS)
        work.picture_operations = others;
    else
        work.step_operations = others;
    if (node->op == OP_picture) // a byte for each number
        work.picture_bytes = (double)shape_size(node->shape);
    if (node->op == OP_picture_slice)
        work.step_bytes = (double)shape_size(node->shape);
    if (!has_flag(node, UPDATES) && *info->result)
        add_bytes(&work, graph, node, node, 1);
    for (int k = 0; k < node->input_count; k++) {
        const Node *const in = &graph->nodes[node->input[k]];
        const bool in_place = writes(graph, node, k) && !has_flag(node, DERIVES);
        if (is_read(node, k))
            add_bytes(&work, graph, node, in, in_place ? 2 : 1);
    }
    move_changes(&work, graph, node);
    return work;
}

static double formula_operations(const Graph *graph, const Node *node)
{
    return node_operations(graph, node) + spared_operations(graph, node);
}

double layer_multiply_adds(const Network *network, const char *layer)
{
    const Graph *const graph = &network->infer;
    double sum = 0;
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!node->dead && !strcmp(node->layer, layer) && is_product(node))
            sum += (formula_operations(graph, node) - side_operations(graph, node)) / 2;
    }
    return sum;
}

Cost network_cost(const Network *network)
{
    Cost cost = {0};
    const double batch = setting_number(network->program->batch, "size");
    for (int i = 0; i < network->infer.count; i++)
        if (!network->infer.nodes[i].dead)
            cost.forward += formula_operations(&network->infer, &network->infer.nodes[i]);
    const Graph *const train = &network->train;
    for (int i = train->forward_count; network->trains && i < train->count; i++) {
        const Node *const node = &train->nodes[i];
        if (node->dead)
            continue;
        const double operations = formula_operations(train, node);
        if (has_flag(node, UPDATES))
            cost.update += operations;
        else
            cost.backward += op_info[node->op].tasks == BY_ROWS ? operations : operations / batch;
    }
    for (int i = 0; i < network->tensor_count; i++) {
        const Tensor *const t = &network->tensors[i];
        const double bytes =
            (double)shape_size(with_gaps(t->shape, t->line)) *
            (double)element_bytes(network, TYPE_REAL);
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
