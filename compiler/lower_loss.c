// lower_loss.c: the loss, the penalties and what they add up to.
#include "lower.h"
#include "passes.h"

#include <string.h>

// Its op has the loss's name.
typedef struct {
    const char *word;
    const char *activation; // the loss works on what this activation reads, which is exact where
                            // its result would round to 0 or 1; NULL: on the result of any
    bool of_classes;        // it has no meaning for numbers
    bool one_for_two;       // one output will do for two classes
    bool takes_log;         // of the outputs
    double threshold;       // between two classes
    const char *targets;    // their range in nn.h; NULL: any number
} Loss;

static const Loss *loss_of(const Clause *clause)
{
    static const Loss losses[] = {
        {"cross_entropy", .activation = "softmax", .of_classes = true},
        {"binary_cross_entropy", .activation = "sigmoid", .one_for_two = true, .threshold = 0.5,
         .targets = "NN_FROM_0_TO_1"},
        {"mse", .one_for_two = true, .threshold = 0.5},
        {"mae", .one_for_two = true, .threshold = 0.5},
        {"huber", .one_for_two = true, .threshold = 0.5},
        {"hinge", .of_classes = true, .one_for_two = true},
        {"categorical_hinge", .of_classes = true},
        {"poisson", .one_for_two = true, .takes_log = true, .threshold = 0.5,
         .targets = "NN_FROM_0"},
    };
    const char *const word = setting_word(clause, "kind");
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (!strcmp(losses[i].word, word))
            return &losses[i];
    bug("loss '%s'", word);
}

const char *target_range(const Program *program)
{
    return program->loss ? loss_of(program->loss)->targets : NULL;
}

static bool is_any(Op op, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(op_info[op].name, *names))
            return true;
    return false;
}

static bool wrong_activation(const Clause *clause, const Loss *loss, const Node *last)
{
    error_at(E401, clause->loc, "loss '%s' needs '%s' at the end of the last layer", loss->word,
             loss->activation);
    if (!strcmp(loss->word, "cross_entropy") && last->op == OP_sigmoid)
        note_at(last->loc, "'%s' ends in sigmoid: write softmax, or 'loss binary_cross_entropy'",
                loc_text(last->loc));
    else
        note_at(last->loc, "the last layer is '%s'", loc_text(last->loc));
    return false;
}

static bool check_class_weights(const Network *network)
{
    const Program *const program = network->program;
    const Setting *const weights = setting(program->loss, "class_weights");
    if (!weights->list_count || weights->list_count == network->classes)
        return true;
    if (network->classes)
        error_at(E406, weights->loc, "%d class weights, but the data has %d classes",
                 weights->list_count, network->classes);
    else
        error_at(E406, weights->loc, "class weights, but the data has numbers to learn");
    note_at(program->data->loc, "the data set is %s",
            program->data->loc.source ? "named here" : "'mnist' by default");
    return false;
}

static bool check_loss(const Lowering *l, const Loss *loss)
{
    static const char *const never_negative[] = {"relu",    "relu6",        "sigmoid",
                                                 "softmax", "hard_sigmoid", "softplus", NULL};
    const Program *const program = l->network->program;
    const Clause *const clause = program->loss;
    const Node *const last = train_node(l);
    if (loss->of_classes && l->network->targets) {
        error_at(E404, clause->loc, "loss '%s' is for classes, but the data has numbers to learn",
                 loss->word);
        note_at(program->data->loc, "for numbers, write 'loss mse', mae, huber or poisson; for "
                                    "answers that are each yes or no, binary_cross_entropy");
        return false;
    }
    if (!check_class_weights(l->network))
        return false;
    if (loss->activation && strcmp(op_info[last->op].name, loss->activation) != 0)
        return wrong_activation(clause, loss, last);
    if (!loss->activation && last->op == OP_softmax) {
        error_at(E402, clause->loc, "loss '%s' does not go with softmax", loss->word);
        note_at(last->loc, loss->of_classes ? "write 'loss cross_entropy', or remove softmax here"
                                            : "for classes, write 'loss cross_entropy'; for "
                                              "numbers, remove softmax here");
        return false;
    }
    if (loss->takes_log && !is_any(last->op, never_negative)) {
        error_at(E405, clause->loc,
                 "loss '%s' takes the logarithm of the outputs, which can be negative here",
                 loss->word);
        note_at(last->loc, "let the last layer end in softplus, as in 'dense %ld softplus'",
                shape_size(current_shape(l)));
        return false;
    }
    return true;
}

// Adds the penalties of the tensors that ask for one; returns how many. Part of the loss in
// training and in evaluation, as in Keras.
static int add_penalties(Graph *graph, int *penalties)
{
    const Network *const network = graph->network;
    int count = 0;
    for (int i = 0; i < network->tensor_count; i++) {
        const Tensor *const t = &network->tensors[i];
        if (t->l1 == 0 && t->l2 == 0)
            continue;
        const int id = NODE(graph, OP_penalty, t->layer, t->loc, weight_node(graph, i));
        Node *const node = &graph->nodes[id];
        node->name = format("%s_penalty", t->name);
        node->suffix = "penalty";
        node->type = TYPE_DOUBLE;
        node->attributes.l1 = t->l1;
        node->attributes.lambda = t->l2;
        node->shape = shape_of(1, part_count(t->shape));
        penalties[count++] = id;
    }
    return sum_in_groups(graph, count, penalties, MAX_INPUTS - 2, "penalties", "penalties");
}

static const double *numbers_of(const Setting *list)
{
    if (!list->list_count)
        return NULL;
    double *const numbers = allocate((size_t)list->list_count * sizeof *numbers);
    for (int i = 0; i < list->list_count; i++)
        numbers[i] = list->list[i].number;
    return numbers;
}

// Classes have weights in training alone, as in Keras' fit.
static Attributes loss_attributes(const Clause *clause, bool train)
{
    Attributes a = {0};
    for (int i = 0; i < clause->setting_count; i++) {
        const Setting *const s = &clause->settings[i];
        if (!strcmp(s->name, "smoothing"))
            a.smoothing = s->number;
        else if (!strcmp(s->name, "delta"))
            a.delta = s->number;
        else if (!strcmp(s->name, "class_weights") && train)
            a.class_weights = numbers_of(s);
    }
    return a;
}

static void add_loss(Graph *graph, int output, int predicted, const Loss *loss)
{
    const Loc loc = graph->network->program->loss->loc;
    const int x = loss->activation ? graph->nodes[output].input[0] : output;
    int *const inputs = allocate(((size_t)graph->network->tensor_count + 2) * sizeof *inputs);
    inputs[0] = NODE(graph, op_named(loss->word), "loss", loc, x);
    graph->nodes[inputs[0]].attributes =
        loss_attributes(graph->network->program->loss, graph == &graph->network->train);
    infer_shape(graph, inputs[0]);
    int count = 1;
    if (predicted >= 0)
        inputs[count++] = predicted;
    count += add_penalties(graph, inputs + count);
    const int total = node_add(graph, OP_total, "loss", loc, count, inputs);
    graph->nodes[total].suffix = "total";
    graph->nodes[total].name = "result";
    infer_shape(graph, total);
}

// The class that an output stands for; -1 where a regression has none.
static int add_predicted(Graph *graph, int output, const Loss *loss)
{
    if (!graph->network->classes)
        return -1;
    const int id = NODE(graph, OP_predict, "output", graph->nodes[output].loc, output);
    graph->nodes[id].name = "predicted";
    graph->nodes[id].attributes.threshold = loss ? loss->threshold : 0.5;
    graph->nodes[id].suffix = "predict";
    infer_shape(graph, id);
    return id;
}

static void check_weights(const Network *network)
{
    for (int i = 0; i < network->tensor_count; i++)
        if (network->tensors[i].role == ROLE_WEIGHT)
            return;
    warn_at(network->program->loss->loc, "there are no weights to train");
}

bool lower_loss(Lowering *l)
{
    Network *const network = l->network;
    Graph *const train = &network->train, *const infer = &network->infer;
    const Clause *const clause = network->program->loss;
    const Loss *const loss = clause ? loss_of(clause) : NULL;
    if (loss && (!check_classes(l, loss->one_for_two) || !check_loss(l, loss)))
        return false;
    if (!loss)
        take_answers(l);
    network->output = l->infer;
    infer->nodes[l->infer].kept = true;
    network->predicted = add_predicted(infer, l->infer, loss);
    if (network->predicted >= 0)
        infer->nodes[network->predicted].kept = true;
    if (loss) {
        check_weights(network);
        add_loss(train, l->train, add_predicted(train, l->train, loss), loss);
        add_loss(infer, l->infer, network->predicted, loss);
    } else {
        note_at((Loc){0}, "no 'loss' statement: the program can predict, but not train");
    }
    return true;
}
