// update.c: the optimizer: nodes that change the weights by their gradients.
//
// Formulas and defaults are those of Keras 3 (keras.optimizers). What an optimizer remembers is a
// tensor like the weights, saved with them, so that a resumed run goes on as if never stopped.
#include "netc.h"

#include <string.h>

static int memory_of(Network *network, const Tensor *of, const char *suffix)
{
    return tensor_add(network, (Tensor){.name = format("%s_%s", of->name, suffix),
                                        .layer = of->layer,
                                        .role = ROLE_OPTIMIZER,
                                        .shape = of->shape,
                                        .init = "NN_CONSTANT",
                                        .loc = of->loc});
}

typedef struct {
    Op op;
    Attributes attributes;
    const char *memory[2]; // suffixes of its tensors
} Rule;

static Rule rule_of(const Clause *optimizer)
{
    const char *const kind = setting_word(optimizer, "kind");
    Rule rule = {0};
    if (!strcmp(kind, "sgd")) {
        rule.attributes.momentum = setting_number(optimizer, "momentum");
        rule.attributes.nesterov = !strcmp(setting_word(optimizer, "nesterov"), "on");
        rule.op = rule.attributes.momentum != 0 ? OP_momentum : OP_sgd;
        rule.memory[0] = rule.op == OP_momentum ? "m" : NULL;
    } else if (!strcmp(kind, "rmsprop")) {
        rule.attributes.momentum = setting_number(optimizer, "momentum");
        rule.attributes.beta2 = setting_number(optimizer, "rho");
        rule.attributes.eps = setting_number(optimizer, "eps");
        rule.op = rule.attributes.momentum != 0 ? OP_rmsprop_momentum : OP_rmsprop;
        rule.memory[0] = "v";
        rule.memory[1] = rule.op == OP_rmsprop_momentum ? "m" : NULL;
    } else if (!strcmp(kind, "adam")) {
        rule.attributes.beta1 = setting_number(optimizer, "beta1");
        rule.attributes.beta2 = setting_number(optimizer, "beta2");
        rule.attributes.eps = setting_number(optimizer, "eps");
        rule.op = OP_adam;
        rule.memory[0] = "m";
        rule.memory[1] = "v";
    } else {
        bug("optimizer '%s'", kind);
    }
    return rule;
}

// The penalty's gradient joins the loss's.
static int add_l2(Graph *graph, int tensor, int w, int gradient)
{
    const Tensor t = graph->network->tensors[tensor];
    const int id = NODE(graph, OP_l2_grad, t.layer, t.loc, gradient, w);
    graph->nodes[id].attributes.lambda = t.l2;
    graph->nodes[id].name = format("d_%s", t.name);
    graph->nodes[id].suffix = "gradient";
    infer_shape(graph, id);
    return id;
}

// Backward products read the weights by columns. A copy with rows and columns exchanged is kept
// beside them, renewed by whoever updates them.
int turned_weight(Graph *graph, int w)
{
    const int of = graph->nodes[w].attributes.tensor;
    const Tensor tensor = graph->network->tensors[of];
    const int columns = tensor.shape.dims[tensor.shape.count - 1];
    const int rows = (int)(shape_size(tensor.shape) / columns);
    return weight_node(graph,
                       tensor_add(graph->network, (Tensor){.name = format("%s_turned", tensor.name),
                                                           .layer = tensor.layer,
                                                           .role = ROLE_DERIVED,
                                                           .shape = shape_of(2, columns, rows),
                                                           .derived = of,
                                                           .loc = tensor.loc}));
}

// A convolution's, with its window turned round and channels exchanged: [ky][kx][ci][co] becomes
// [-ky][-kx][co][ci].
int flipped_weight(Graph *graph, int w)
{
    const int of = graph->nodes[w].attributes.tensor;
    const Tensor tensor = graph->network->tensors[of];
    const int *const dims = tensor.shape.dims;
    return weight_node(
        graph, tensor_add(graph->network,
                          (Tensor){.name = format("%s_turned", tensor.name),
                                   .layer = tensor.layer,
                                   .role = ROLE_DERIVED,
                                   .shape = shape_of(4, dims[0], dims[1], dims[3], dims[2]),
                                   .derived = of,
                                   .loc = tensor.loc}));
}

static void add_turn(Graph *graph, int derived)
{
    const Tensor tensor = graph->network->tensors[derived];
    const Op op = tensor.shape.count == 4 ? OP_flip : OP_turn;
    const int id = NODE(graph, op, tensor.layer, tensor.loc, weight_node(graph, derived),
                        weight_node(graph, tensor.derived));
    graph->nodes[id].name = graph->network->tensors[tensor.derived].name;
    graph->nodes[id].suffix = "turn";
    infer_shape(graph, id);
}

// needs: gradients; makes: an update of each trained tensor, and the optimizer's tensors
void add_updates(Graph *graph)
{
    Network *const network = graph->network;
    const Rule rule = rule_of(network->program->optimizer);
    const int trained = network->tensor_count;
    for (int i = 0; i < trained; i++) {
        if (network->tensors[i].gradient < 0)
            continue;
        const Tensor tensor = network->tensors[i];
        const int w = weight_node(graph, i);
        const int g = tensor.l2 != 0 ? add_l2(graph, i, w, tensor.gradient) : tensor.gradient;
        network->tensors[i].gradient = g;
        graph->nodes[g].kept = network->doubles;
        int inputs[4] = {w, g}, count = 2;
        for (int m = 0; m < 2 && rule.memory[m]; m++)
            inputs[count++] = weight_node(graph, memory_of(network, &tensor, rule.memory[m]));
        const int id = node_add(graph, rule.op, tensor.layer, tensor.loc, count, inputs);
        graph->nodes[id].name = tensor.name;
        graph->nodes[id].suffix = "update";
        graph->nodes[id].attributes = rule.attributes;
        infer_shape(graph, id);
    }
    for (int i = 0; i < trained; i++)
        if (network->tensors[i].role == ROLE_DERIVED)
            add_turn(graph, i);
}
