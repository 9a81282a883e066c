// lower.c: the statements become two graphs of operations: one training step's forward pass, and
// inference.
//
// Both are built side by side, layer by layer, over the same tensors. They differ where a layer
// does: dropout is absent from inference, batchnorm uses the means that it followed in training.
#include "netc.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    Network *network;
    const Clause *clause;  // the layer that is being lowered
    const char *layer;     // its name
    int train, infer;      // the value that flows from layer to layer, in each graph
    bool last;             // no layer follows
    const Clause *flatten; // where it was written: what follows sees one dimension
} Lowering;

static Shape current_shape(const Lowering *l)
{
    const Shape shape = l->network->train.nodes[l->train].shape;
    return l->flatten ? flat(shape) : shape;
}

static Node *train_node(const Lowering *l) { return &l->network->train.nodes[l->train]; }

static int add_node(Graph *graph, const Lowering *l, Op op, Attributes attributes, int value,
                    int tensor_count, const int *tensors)
{
    int inputs[MAX_INPUTS] = {value};
    for (int i = 0; i < tensor_count; i++)
        inputs[i + 1] = weight_node(graph, tensors[i]);
    const int id = node_add(graph, op, l->layer, l->clause->loc, tensor_count + 1, inputs);
    graph->nodes[id].attributes = attributes;
    return infer_shape(graph, id) ? id : -1;
}

// Adds the op to both graphs, behind the current value; false after an error.
static bool apply(Lowering *l, Op op, Attributes attributes, int tensor_count, const int *tensors)
{
    l->train = add_node(&l->network->train, l, op, attributes, l->train, tensor_count, tensors);
    if (l->train < 0)
        return false;
    l->infer = add_node(&l->network->infer, l, op, attributes, l->infer, tensor_count, tensors);
    return true;
}

static void name_value(const Lowering *l, const char *suffix, const char *function)
{
    const char *const name = format("%s%s", l->layer, suffix);
    Node *const nodes[] = {train_node(l), &l->network->infer.nodes[l->infer]};
    for (int i = 0; i < 2; i++) {
        nodes[i]->name = name;
        nodes[i]->suffix = function;
    }
}

static Op activation_op(const char *word)
{
    static const struct {
        const char *word;
        Op op;
    } table[] = {
        {"relu", OP_relu}, {"sigmoid", OP_sigmoid}, {"tanh", OP_tanh}, {"softmax", OP_softmax}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(word, table[i].word))
            return table[i].op;
    bug("activation '%s'", word);
}

static bool apply_activation(Lowering *l, const char *word, Loc loc)
{
    if (!strcmp(word, "softmax") && !l->last) {
        error_at(loc, "'softmax' belongs to the last layer, but more layers follow");
        note_at((Loc){0}, "in between, use relu, sigmoid or tanh");
        return false;
    }
    if (!apply(l, activation_op(word), (Attributes){0}, 0, NULL))
        return false;
    name_value(l, "", !strcmp(word, l->clause->word) ? "forward" : word);
    return true;
}

// --- tensors ------------------------------------------------------------------------------------

static int add_tensor(const Lowering *l, const char *suffix, int role, Shape shape, double constant)
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
static int add_weights(const Lowering *l, Shape shape, double fan_in, double fan_out)
{
    double size = 1;
    for (int i = 0; i < shape.count; i++)
        size *= shape.dims[i];
    if (size > INT32_MAX) {
        error_at(l->clause->loc, "'%s' needs %.3g weights, more than the %d that can be counted",
                 l->layer, size, INT32_MAX);
        return -1;
    }
    const int id = add_tensor(l, "w", ROLE_WEIGHT, shape, 0);
    Tensor *const tensor = &l->network->tensors[id];
    set_initializer(tensor, setting_word(l->clause, "init"), fan_in, fan_out);
    tensor->l2 = setting_number(l->clause, "l2");
    return id;
}

// --- layers -------------------------------------------------------------------------------------

static bool switched_on(const Clause *clause, const char *name)
{
    return !strcmp(setting_word(clause, name), "on");
}

// Bias and activation behind a product.
static bool finish_product(Lowering *l, int units)
{
    const char *const activation = l->clause->activation;
    name_value(l, activation ? "_z" : "", "forward");
    if (switched_on(l->clause, "bias")) {
        name_value(l, "_xw", "forward");
        const int b = add_tensor(l, "b", ROLE_WEIGHT, shape_of(1, units), 0);
        l->network->tensors[b].why = "zeros";
        if (!apply(l, OP_bias, (Attributes){0}, 1, &b))
            return false;
        name_value(l, activation ? "_z" : "", "bias");
    }
    return !activation || apply_activation(l, activation, l->clause->activation_loc);
}

static bool lower_dense(Lowering *l)
{
    const int inputs = (int)shape_size(current_shape(l));
    const int units = (int)setting_number(l->clause, "units");
    const int w = add_weights(l, shape_of(2, inputs, units), inputs, units);
    l->flatten = NULL;
    return w >= 0 && apply(l, OP_dense, (Attributes){0}, 1, &w) && finish_product(l, units);
}

// A layer over windows needs rows and columns; false after an error.
static bool needs_picture(const Lowering *l)
{
    if (current_shape(l).count == 3)
        return true;
    const Node *const before = train_node(l);
    error_at(l->clause->word_loc,
             "'%s' needs a picture (height x width x channels), found %s values", l->clause->word,
             shape_text(current_shape(l)));
    const Loc flattened = l->flatten ? l->flatten->loc : before->loc;
    note_at(flattened, "behind '%s' there are no rows and columns; put '%s' before it",
            loc_text(flattened), l->clause->word);
    return false;
}

static void set_size(int size[2], const Setting *from)
{
    size[0] = from->dims[0];
    size[1] = from->dim_count > 1 ? from->dims[1] : from->dims[0];
}

static Attributes window_attributes(const Clause *clause, const char *size)
{
    Attributes a = {0};
    const Setting *const kernel = setting(clause, size), *const stride = setting(clause, "stride");
    set_size(a.kernel, kernel);
    memcpy(a.stride, a.kernel, sizeof a.stride);
    if (stride->dim_count)
        set_size(a.stride, stride);
    a.kernel_loc = kernel->loc;
    return a;
}

static bool lower_conv(Lowering *l)
{
    if (!needs_picture(l))
        return false;
    Attributes a = window_attributes(l->clause, "kernel");
    if (!strcmp(setting_word(l->clause, "pad"), "same"))
        a.pad[0] = a.pad[1] = -1; // shape_conv computes it
    const int channels = current_shape(l).dims[2];
    const int filters = (int)setting_number(l->clause, "filters");
    const double window = (double)a.kernel[0] * a.kernel[1];
    const int w = add_weights(l, shape_of(4, a.kernel[0], a.kernel[1], channels, filters),
                              window * channels, window * filters);
    return w >= 0 && apply(l, OP_conv, a, 1, &w) && finish_product(l, filters);
}

static bool lower_window(Lowering *l, Op op)
{
    if (!needs_picture(l) || !apply(l, op, window_attributes(l->clause, "size"), 0, NULL))
        return false;
    name_value(l, "", "forward");
    return true;
}

static bool lower_pool(Lowering *l) { return lower_window(l, OP_maxpool); }
static bool lower_avgpool(Lowering *l) { return lower_window(l, OP_avgpool); }

// No node: values lie in the order height, width, channels, which is the flattened order already.
static bool lower_flatten(Lowering *l)
{
    l->flatten = l->clause;
    return true;
}

static bool lower_dropout(Lowering *l)
{
    if (l->last) {
        error_at(l->clause->loc, "'dropout' after the last layer would drop parts of the answer");
        note_at((Loc){0}, "move it before the last 'dense', or remove it");
        return false;
    }
    const double rate = setting_number(l->clause, "rate");
    if (rate == 0)
        return true;
    l->train =
        add_node(&l->network->train, l, OP_dropout, (Attributes){.rate = rate}, l->train, 0, NULL);
    train_node(l)->name = l->layer;
    return true;
}

// Ioffe and Szegedy 2015; population variance, and means that follow by `momentum`, as in Keras 3.
static bool lower_batchnorm(Lowering *l)
{
    Graph *const train = &l->network->train, *const infer = &l->network->infer;
    const Shape shape = current_shape(l);
    const Clause *const batch = l->network->program->batch;
    if (shape.count == 1 && setting_number(batch, "size") == 1) {
        error_at(l->clause->loc, "'batchnorm' over a batch of 1 has no variance");
        note_at(batch->loc, "the batch is set here; a larger one is needed");
        return false;
    }
    const Shape channels = shape_of(1, shape.dims[shape.count - 1]);
    const Attributes a = {.momentum = setting_number(l->clause, "momentum"),
                          .eps = setting_number(l->clause, "eps"),
                          .channels = channels.dims[0]};
    const int gamma = add_tensor(l, "gamma", ROLE_WEIGHT, channels, 1);
    const int beta = add_tensor(l, "beta", ROLE_WEIGHT, channels, 0);
    const int mean = add_tensor(l, "mean", ROLE_STATE, channels, 0);
    const int variance = add_tensor(l, "variance", ROLE_STATE, channels, 1);

    const int x = l->train;
    const int sums = add_node(train, l, OP_norm_sums, a, x, 0, NULL);
    const int stats = add_node(train, l, OP_norm_stats, a, sums, 0, NULL);
    const int follow = NODE(train, OP_norm_follow, l->layer, l->clause->loc,
                            weight_node(train, mean), weight_node(train, variance), stats);
    train->nodes[follow].attributes = a;
    infer_shape(train, follow);
    l->train = NODE(train, OP_norm, l->layer, l->clause->loc, x, stats, weight_node(train, gamma),
                    weight_node(train, beta));
    train->nodes[l->train].attributes = a;
    infer_shape(train, l->train);
    const struct {
        int node;
        const char *name, *function;
    } names[] = {{sums, "sums", "sums"}, {stats, "stats", "stats"}, {follow, "follow", "follow"}};
    for (int i = 0; i < 3; i++) {
        train->nodes[names[i].node].name = format("%s_%s", l->layer, names[i].name);
        train->nodes[names[i].node].suffix = names[i].function;
    }
    l->infer =
        add_node(infer, l, OP_norm_fixed, a, l->infer, 4, (int[]){mean, variance, gamma, beta});
    infer->nodes[l->infer].suffix = "infer";
    return true;
}

static bool lower_activation(Lowering *l)
{
    return apply_activation(l, l->clause->word, l->clause->loc);
}

static const struct {
    const char *word;
    bool (*lower)(Lowering *l);
} layers[] = {
    {"conv", lower_conv},       {"pool", lower_pool},           {"avgpool", lower_avgpool},
    {"flatten", lower_flatten}, {"dense", lower_dense},         {"dropout", lower_dropout},
    {"relu", lower_activation}, {"batchnorm", lower_batchnorm}, {"sigmoid", lower_activation},
    {"tanh", lower_activation}, {"softmax", lower_activation},
};

static bool lower_layer(Lowering *l)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (!strcmp(layers[i].word, l->clause->word))
            return layers[i].lower(l);
    bug("no lowering for '%s'", l->clause->word);
}

// --- data, input and loss -----------------------------------------------------------------------

typedef struct {
    const char *name;
    int height, width, channels, classes, pictures;
} DataSet;

static const DataSet *data_set(const Program *program)
{
    static const DataSet table[] = {
#define DATASET(...) {__VA_ARGS__},
#include "datasets.def"
    };
    const char *const name = setting_word(program->data, "name");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name))
            return &table[i];
    bug("data set '%s'", name);
}

static void check_batch(const Program *program, const DataSet *data)
{
    const double size = setting_number(program->batch, "size");
    if (size > data->pictures)
        warn_at(program->batch->loc,
                "a batch of %.0f is more than the %d training pictures of '%s': an epoch is one "
                "smaller batch",
                size, data->pictures, data->name);
}

static bool lower_input(Lowering *l)
{
    const Program *const program = l->network->program;
    const Setting *const shape = setting(program->input, "shape");
    const DataSet *const data = data_set(program);
    Shape input = {.count = shape->dim_count};
    memcpy(input.dims, shape->dims, sizeof input.dims);
    const Shape pictures = shape_of(3, data->height, data->width, data->channels);
    if (!shape_equal(input, pictures) && !shape_equal(input, flat(pictures))) {
        error_at(shape->loc, "input is %s, but pictures of '%s' are %s", shape_text(input),
                 data->name, shape_text(pictures));
        note_at(program->data->loc,
                program->data->loc.source ? "the data set is named here"
                                          : "no 'data' statement: '%s' is the default",
                data->name);
        return false;
    }
    check_batch(program, data);
    l->network->classes = data->classes;
    l->network->picture = pictures;
    l->layer = "input";
    l->clause = program->input;
    Graph *const graphs[] = {&l->network->train, &l->network->infer};
    int *const values[] = {&l->train, &l->infer};
    for (int i = 0; i < 2; i++) {
        *values[i] = node_add(graphs[i], OP_picture, "input", program->input->loc, 0, NULL);
        graphs[i]->nodes[*values[i]].shape = input;
    }
    return true;
}

typedef struct {
    const char *word;
    Op op, activation; // the loss works on what its activation reads, which is exact where
                       // the activation's result would round to 0 or 1
    const char *activation_word;
} Loss;

static const Loss *loss_of(const Clause *clause)
{
    static const Loss losses[] = {
        {"cross_entropy", OP_cross_entropy, OP_softmax, "softmax"},
        {"binary_cross_entropy", OP_binary_cross_entropy, OP_sigmoid, "sigmoid"},
        {"mse", OP_mse, OP_COUNT, NULL},
    };
    const char *const word = setting_word(clause, "kind");
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (!strcmp(losses[i].word, word))
            return &losses[i];
    bug("loss '%s'", word);
}

static bool check_loss(const Lowering *l, const Loss *loss)
{
    const Clause *const clause = l->network->program->loss;
    const Node *const last = train_node(l);
    if (loss->activation_word && last->op != loss->activation) {
        error_at(clause->loc, "loss '%s' needs '%s' at the end of the last layer", loss->word,
                 loss->activation_word);
        if (!strcmp(loss->word, "cross_entropy") && last->op == OP_sigmoid)
            note_at(last->loc,
                    "'%s' ends in sigmoid: write softmax, or 'loss binary_cross_entropy'",
                    loc_text(last->loc));
        else
            note_at(last->loc, "the last layer is '%s'", loc_text(last->loc));
        return false;
    }
    if (!loss->activation_word && last->op == OP_softmax) {
        error_at(clause->loc, "loss '%s' does not go with softmax", loss->word);
        note_at(last->loc,
                "for classes, write 'loss cross_entropy'; for numbers, remove softmax here");
        return false;
    }
    return true;
}

static bool check_classes(const Lowering *l)
{
    const Program *const program = l->network->program;
    const Clause *const last = l->clause;
    const long outputs = shape_size(current_shape(l));
    if (outputs == l->network->classes + l->network->targets)
        return true;
    const DataSet *const data = data_set(program);
    error_at(last->loc, "the last layer has %ld outputs, but '%s' has %d classes", outputs,
             data->name, data->classes);
    note_at(program->data->loc,
            program->data->loc.source ? "the data set is named here"
                                      : "no 'data' statement: '%s' is the default",
            data->name);
    return false;
}

// Adds the penalties of the tensors that ask for one; returns how many. Part of the loss in
// training and in evaluation, as in Keras.
static int lower_penalties(Graph *graph, int *penalties)
{
    const Network *const network = graph->network;
    int count = 0;
    for (int i = 0; i < network->tensor_count; i++) {
        const Tensor *const t = &network->tensors[i];
        if (t->l2 == 0)
            continue;
        if (count == MAX_INPUTS - 2 && graph == &network->infer)
            break; // said of training
        if (count == MAX_INPUTS - 2) {
            error_at(t->loc, "more than %d layers have an l2", MAX_INPUTS - 2);
            break;
        }
        const int id = NODE(graph, OP_penalty, t->layer, t->loc, weight_node(graph, i));
        Node *const node = &graph->nodes[id];
        node->name = format("%s_penalty", t->name);
        node->suffix = "penalty";
        node->type = TYPE_DOUBLE;
        node->attributes.lambda = t->l2;
        node->shape = shape_of(1, part_count(t->shape));
        penalties[count++] = id;
    }
    return count;
}

static void lower_loss(Graph *graph, int output, int predicted, const Loss *loss)
{
    const Loc loc = graph->network->program->loss->loc;
    const int x = loss->activation_word ? graph->nodes[output].input[0] : output;
    int inputs[MAX_INPUTS];
    inputs[0] = NODE(graph, loss->op, "loss", loc, x);
    infer_shape(graph, inputs[0]);
    int count = 1;
    if (predicted >= 0)
        inputs[count++] = predicted;
    count += lower_penalties(graph, inputs + count);
    const int total = node_add(graph, OP_total, "loss", loc, count, inputs);
    graph->nodes[total].suffix = "total";
    graph->nodes[total].name = "result";
    infer_shape(graph, total);
}

// The class that an output stands for; -1 where a regression has none.
static int lower_predicted(Graph *graph, int output)
{
    if (!graph->network->classes)
        return -1;
    const int id = NODE(graph, OP_predict, "output", graph->nodes[output].loc, output);
    graph->nodes[id].name = "predicted";
    graph->nodes[id].suffix = "predict";
    infer_shape(graph, id);
    return id;
}

// --- the whole ----------------------------------------------------------------------------------

static void fill_card(Lowering *l, int tensors_before, Shape in)
{
    Network *const network = l->network;
    Card *const card = &network->cards[network->card_count++];
    *card = (Card){.clause = l->clause, .name = l->layer, .in = in, .out = current_shape(l)};
    for (int i = tensors_before; i < network->tensor_count; i++)
        if (network->tensors[i].role == ROLE_WEIGHT)
            card->parameters += shape_size(network->tensors[i].shape);
}

static bool lower_layers(Lowering *l)
{
    const Program *const program = l->network->program;
    l->network->cards = allocate((size_t)program->layer_count * sizeof(Card));
    for (int i = 0; i < program->layer_count; i++) {
        l->clause = &program->layers[i];
        l->layer = layer_name(program, i);
        l->last = true;
        for (int k = i + 1; k < program->layer_count; k++)
            l->last &= !strcmp(program->layers[k].word, "dropout"); // refused there
        const int tensors = l->network->tensor_count;
        const Shape in = current_shape(l);
        if (!lower_layer(l))
            return false;
        fill_card(l, tensors, in);
    }
    return true;
}

// NULL after an error.
Network *lower(const Program *program, const CodeOptions *options)
{
    Network *const network = allocate(sizeof *network);
    network->program = program;
    network->doubles = options->doubles;
    network->target = options->target;
    network->blas = options->blas;
    network->trains = program->loss != NULL;
    network->train.network = network->infer.network = network;
    choose_blocks(network);
    Lowering l = {.network = network};
    if (!lower_input(&l) || !lower_layers(&l))
        return NULL;
    const Loss *const loss = program->loss ? loss_of(program->loss) : NULL;
    if (loss && (!check_loss(&l, loss) || !check_classes(&l)))
        return NULL;

    Graph *const infer = &network->infer;
    network->output = l.infer;
    infer->nodes[l.infer].kept = true;
    network->predicted = lower_predicted(infer, l.infer);
    if (network->predicted >= 0)
        infer->nodes[network->predicted].kept = true;
    if (loss) {
        lower_loss(&network->train, l.train, lower_predicted(&network->train, l.train), loss);
        lower_loss(infer, l.infer, network->predicted, loss);
    } else {
        note_at((Loc){0}, "no 'loss' statement: the program can predict, but not train");
    }
    return network;
}
