// lower_node.c: the nodes, tensors and names of one layer, added behind the value that flows.
#include "lower.h"
#include "passes.h"

#include <stdint.h>
#include <string.h>

Shape current_shape(const Lowering *l)
{
    const Shape shape = l->network->train.nodes[l->train].shape;
    return l->flatten ? flat(shape) : shape;
}

Node *train_node(const Lowering *l) { return &l->network->train.nodes[l->train]; }

// Where it may be more than a long holds.
static double numbers_of(Shape shape)
{
    double size = 1;
    for (int i = 0; i < shape.count; i++)
        size *= shape.dims[i];
    return size;
}

bool is_countable(Loc loc, Shape shape)
{
    return are_countable(loc, shape, shape.dims[shape.count - 1]);
}

bool are_countable(Loc loc, Shape shape, long channels)
{
    enum { MOST_SIDE = 1000000, MOST_VALUES = 1000000000 };
    const int last = shape.count - 1;
    bool good = numbers_of(shape) / shape.dims[last] * (double)channels <= MOST_VALUES;
    for (int i = 0; shape.count == 3 && i < 3; i++)
        good &= (i < last ? shape.dims[i] : channels) <= MOST_SIDE;
    if (!good)
        error_at(E306, loc,
                 "'%s' makes %s%ld; at most %d rows, columns or channels and %d values can be "
                 "counted",
                 loc_text(loc),
                 last == 2 ? format("%dx%dx", shape.dims[0], shape.dims[1]) : "", channels,
                 MOST_SIDE, MOST_VALUES);
    return good;
}

int layer_node(Graph *graph, const Lowering *l, Op op, Attributes attributes, int value,
                    int tensor_count, const int *tensors)
{
    int inputs[MAX_INPUTS] = {value};
    for (int i = 0; i < tensor_count; i++)
        inputs[i + 1] = weight_node(graph, tensors[i]);
    const int id = node_add(graph, op, l->layer, l->clause->loc, tensor_count + 1, inputs);
    graph->nodes[id].attributes = attributes;
    if (!infer_shape(graph, id) || !is_countable(l->clause->loc, graph->nodes[id].shape))
        return -1;
    return id;
}

// Adds the op to both graphs, behind the current value; false after an error.
bool apply(Lowering *l, Op op, Attributes attributes, int tensor_count, const int *tensors)
{
    l->train = layer_node(&l->network->train, l, op, attributes, l->train, tensor_count, tensors);
    if (l->train < 0)
        return false;
    l->infer = layer_node(&l->network->infer, l, op, attributes, l->infer, tensor_count, tensors);
    return true;
}

void name_value(const Lowering *l, const char *suffix, const char *function)
{
    const char *const name = format("%s%s", l->layer, suffix);
    Node *const nodes[] = {train_node(l), &l->network->infer.nodes[l->infer]};
    for (int i = 0; i < 2; i++) {
        nodes[i]->name = name;
        nodes[i]->suffix = function;
    }
}

int layer_tensor(const Lowering *l, const char *suffix, int role, Shape shape, double constant)
{
    return tensor_add(l->network, (Tensor){.name = format("%s_%s", l->layer, suffix),
                                           .layer = l->layer,
                                           .role = role,
                                           .shape = shape,
                                           .init = "NN_CONSTANT",
                                           .scale = constant,
                                           .loc = l->clause->loc});
}

// The weights of a dense or a convolution; -1 after an error.
int layer_weights(const Lowering *l, Shape shape, double fan_in, double fan_out)
{
    const double size = numbers_of(shape);
    if (size > INT32_MAX) {
        error_at(E306, l->clause->loc,
                 "'%s' needs %.3g weights, more than the %d that can be counted", l->layer, size,
                 INT32_MAX);
        return -1;
    }
    const int id = layer_tensor(l, "w", ROLE_WEIGHT, shape, 0);
    Tensor *const tensor = &l->network->tensors[id];
    set_initializer(tensor, setting_word(l->clause, "init"), fan_in, fan_out);
    tensor->l1 = setting_number(l->clause, "l1");
    tensor->l2 = setting_number(l->clause, "l2");
    tensor->max_norm = setting_number(l->clause, "max_norm");
    return id;
}
