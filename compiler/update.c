// update.c: the optimizer: nodes that change the weights by their gradients.
//
// Formulas and defaults are those of Keras 3 (keras.optimizers). What an optimizer remembers is a
// tensor like the weights, saved with them, so that a resumed run goes on as if never stopped.
#include "passes.h"

#include <string.h>

// What is put on top of an optimizer's own formula.
static bool has_extras(const Attributes *a)
{
    return a->decay != 0 || a->clip_value != 0 || a->clip_norm != 0 || a->average != 0;
}

static Op rule_of(const Clause *optimizer)
{
    const char *const kind = setting_word(optimizer, "kind");
    if (!strcmp(kind, "sgd")) {
        if (setting_number(optimizer, "momentum") == 0)
            return OP_sgd;
        return switched_on(optimizer, "nesterov") ? OP_nesterov : OP_momentum;
    }
    if (!strcmp(kind, "rmsprop"))
        return op_named(format("rmsprop%s%s", switched_on(optimizer, "centered") ? "_centered" : "",
                               setting_number(optimizer, "momentum") != 0 ? "_momentum" : ""));
    if (!strcmp(kind, "adam") || !strcmp(kind, "adamw"))
        return switched_on(optimizer, "amsgrad") ? OP_amsgrad : OP_adam;
    return op_named(kind);
}

static Attributes extras_of(const Program *program)
{
    const Clause *const clip = program->clip;
    return (Attributes){.decay = setting_number(program->optimizer, "weight_decay"),
                        .clip_value = clip ? setting_number(clip, "value") : 0,
                        .clip_norm = clip ? setting_number(clip, "norm") : 0,
                        .average = setting_number(program->ema, "momentum")};
}

static int memory_of(Network *network, const Tensor *of, const char *suffix, const char *key,
                     double first)
{
    return tensor_add(network, (Tensor){.name = format("%s_%s", of->name, suffix),
                                        .key = key,
                                        .layer = of->layer,
                                        .role = ROLE_OPTIMIZER,
                                        .shape = of->shape,
                                        .init = "NN_CONSTANT",
                                        .scale = first,
                                        .loc = of->loc});
}

// --- gradients ----------------------------------------------------------------------------------

// Before it the gradient is called after what is still to come: where another chunk of rows adds to
// it first, both are values.
static int on_gradient(Graph *graph, Op op, double factor, const Tensor *t, int gradient, int w)
{
    const char *const penalty = op == OP_l1_grad ? "l1" : "l2";
    const int id = NODE(graph, op, t->layer, t->loc, gradient, w);
    graph->nodes[id].attributes.lambda = factor;
    graph->nodes[id].name = format("d_%s", t->name);
    graph->nodes[id].suffix = format("%s_gradient", penalty);
    graph->nodes[gradient].name = format("d_%s_before_%s", t->name, penalty);
    infer_shape(graph, id);
    return id;
}

// The penalties' gradients join the loss's.
static int add_penalties(Graph *graph, int tensor, int w)
{
    const Tensor t = graph->network->tensors[tensor];
    int gradient = t.gradient;
    if (t.l1 != 0)
        gradient = on_gradient(graph, OP_l1_grad, t.l1, &t, gradient, w);
    if (t.l2 != 0)
        gradient = on_gradient(graph, OP_l2_grad, t.l2, &t, gradient, w);
    return gradient;
}

static int add_sum(Graph *graph, int count, const int *inputs, const char *name,
                   const char *function)
{
    const Node first = graph->nodes[inputs[0]];
    const int id = node_add(graph, OP_sum_of_sums, "loss", first.loc, count, inputs);
    Node *const node = &graph->nodes[id];
    node->name = name;
    node->suffix = function;
    node->type = TYPE_DOUBLE;
    node->shape = shape_of(1, 1);
    infer_shape(graph, id);
    return id;
}

int sum_in_groups(Graph *graph, int count, int *sums, int most, const char *stem,
                  const char *function)
{
    int groups = 0;
    while (count > most) {
        int left = 0;
        for (int from = 0; from < count; from += MAX_INPUTS) {
            const int group = count - from < MAX_INPUTS ? count - from : MAX_INPUTS;
            groups++;
            sums[left++] = add_sum(graph, group, sums + from, format("%s_%d", stem, groups),
                                   format("%s_%d", function, groups));
        }
        count = left;
    }
    return count;
}

// The sum of the squares of all gradients, which are stored until it is known.
static int add_norm(Graph *graph)
{
    const Network *const network = graph->network;
    int *const sums = allocate((size_t)network->tensor_count * sizeof *sums);
    int count = 0;
    for (int i = 0; i < network->tensor_count; i++) {
        const Tensor *const t = &network->tensors[i];
        if (t->gradient < 0)
            continue;
        const int id = NODE(graph, OP_square_sum, t->layer, t->loc, t->gradient);
        Node *const node = &graph->nodes[id];
        node->name = format("d_%s_squares", t->name);
        node->suffix = "squares";
        node->type = TYPE_DOUBLE;
        node->shape = shape_of(1, part_count(t->shape));
        sums[count++] = id;
    }
    count = sum_in_groups(graph, count, sums, MAX_INPUTS, "squares", "gradient_squares");
    return count ? add_sum(graph, count, sums, "squares", "gradient_squares") : -1;
}

// --- weights in another layout ------------------------------------------------------------------

// The leaf of a weight as `maker` lays it out. It is kept beside the weight, renewed by whoever
// updates that.
static int derived_weight(Graph *graph, int w, const char *suffix, Op maker, Shape shape)
{
    const int of = graph->nodes[w].attributes.tensor;
    const Tensor tensor = graph->network->tensors[of];
    const Tensor derived = {.name = format("%s_%s", tensor.name, suffix),
                            .layer = tensor.layer,
                            .role = ROLE_DERIVED,
                            .shape = shape,
                            .derived = of,
                            .maker = maker,
                            .loc = tensor.loc};
    return weight_node(graph, tensor_add(graph->network, derived));
}

// Backward products read the weights by columns.
int turned_weight(Graph *graph, int w)
{
    return derived_weight(graph, w, "turned", OP_turn, turned_shape(graph->nodes[w].shape));
}

// A convolution's, with its window turned round and channels exchanged.
int flipped_weight(Graph *graph, int w, int groups)
{
    return derived_weight(graph, w, "turned", OP_flip,
                          flipped_shape(graph->nodes[w].shape, groups));
}

int transformed_weight(Graph *graph, int w, int side)
{
    const Shape shape = graph->nodes[w].shape;
    return derived_weight(graph, w, "transformed", OP_winograd_weights,
                          shape_of(4, side + 2, side + 2, shape.dims[2], shape.dims[3]));
}

int panelled_weight(Graph *graph, int w)
{
    const int leaf =
        derived_weight(graph, w, "panels", OP_conv_panels, graph->nodes[w].shape);
    graph->network->tensors[graph->nodes[leaf].attributes.tensor].panels = true;
    return leaf;
}

int derived_leaf(Graph *graph, int w, Op maker)
{
    const Network *const network = graph->network;
    for (int i = 0; i < network->tensor_count; i++) {
        const Tensor *const t = &network->tensors[i];
        if (t->role == ROLE_DERIVED && t->derived == graph->nodes[w].attributes.tensor &&
            t->maker == maker)
            return weight_node(graph, i);
    }
    return -1;
}

static const char *maker_suffix(Op maker)
{
    switch (maker) {
    case OP_winograd_weights: return "transform";
    case OP_conv_panels: return "lay_out";
    default: return "turn";
    }
}

void add_maker(Graph *graph, int derived)
{
    const Tensor tensor = graph->network->tensors[derived];
    const int id = NODE(graph, tensor.maker, tensor.layer, tensor.loc, weight_node(graph, derived),
                        weight_node(graph, tensor.derived));
    graph->nodes[id].name = graph->network->tensors[tensor.derived].name;
    graph->nodes[id].suffix = maker_suffix(tensor.maker);
    infer_shape(graph, id);
}

// --- updates ------------------------------------------------------------------------------------

// Adds the inputs of each state of the rule, which are called by the rule's words.
static int add_states(Graph *graph, const Tensor *tensor, Op rule, int *inputs)
{
    Network *const network = graph->network;
    const Clause *const optimizer = network->program->optimizer;
    const double first = rule == OP_adagrad ? setting_number(optimizer, "initial") : 0;
    int count = 0;
    for (const char *word = op_info[rule].inputs + strlen("w g"); *word;) {
        const size_t length = strcspn(++word, " ");
        const char *const name = format("%.*s", (int)length, word);
        inputs[count++] = weight_node(graph, memory_of(network, tensor, name, NULL, first));
        word += length;
    }
    return count;
}

static void add_update(Graph *graph, int tensor, int norm)
{
    Network *const network = graph->network;
    const Program *const program = network->program;
    const Tensor t = network->tensors[tensor];
    const Op rule = rule_of(program->optimizer);
    Attributes a = extras_of(program);
    if (t.shape.count == 1 && !strcmp(setting_word(program->optimizer, "decays"), "weights"))
        a.decay = 0; // a bias, gamma or beta
    a.rule = (int)rule;
    int inputs[MAX_INPUTS] = {weight_node(graph, tensor), t.gradient}, count = 2;
    count += add_states(graph, &t, rule, inputs + count);
    if (a.clip_norm != 0)
        inputs[count++] = norm;
    if (a.average != 0) {
        // A file holds the weights that are used, so that the average stands under their name.
        const int average = memory_of(network, &t, "average", format("%s_trained", t.name), 0);
        network->tensors[average].average_of = tensor;
        network->averages++;
        inputs[count++] = weight_node(graph, average);
    }
    const int id =
        node_add(graph, has_extras(&a) ? OP_update : rule, t.layer, t.loc, count, inputs);
    graph->nodes[id].name = t.name;
    graph->nodes[id].suffix = "update";
    graph->nodes[id].attributes = a;
    infer_shape(graph, id);
}

static void add_max_norm(Graph *graph, int tensor)
{
    const Tensor t = graph->network->tensors[tensor];
    const int id = NODE(graph, OP_max_norm, t.layer, t.loc, weight_node(graph, tensor));
    graph->nodes[id].name = t.name;
    graph->nodes[id].suffix = "max_norm";
    graph->nodes[id].attributes.max_norm = t.max_norm;
    infer_shape(graph, id);
}

// needs: gradients; makes: an update of each trained tensor, and the optimizer's tensors
void add_updates(Graph *graph)
{
    Network *const network = graph->network;
    const int trained = network->tensor_count;
    for (int i = 0; i < trained; i++) {
        if (network->tensors[i].gradient < 0)
            continue;
        const int g = add_penalties(graph, i, weight_node(graph, i));
        network->tensors[i].gradient = g;
        graph->nodes[g].kept = network->doubles;
    }
    const int norm = extras_of(network->program).clip_norm != 0 ? add_norm(graph) : -1;
    for (int i = 0; i < trained; i++)
        if (network->tensors[i].gradient >= 0)
            add_update(graph, i, norm);
    for (int i = 0; i < trained; i++)
        if (network->tensors[i].gradient >= 0 && network->tensors[i].max_norm != 0)
            add_max_norm(graph, i);
    for (int i = 0; i < trained; i++)
        if (network->tensors[i].role == ROLE_DERIVED)
            add_maker(graph, i);
}
