// lower_loss.c: the loss, the penalties and what they add up to.
#include "lower.h"

#include <string.h>

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
        error_at(E401, clause->loc, "loss '%s' needs '%s' at the end of the last layer", loss->word,
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
        error_at(E402, clause->loc, "loss '%s' does not go with softmax", loss->word);
        note_at(last->loc,
                "for classes, write 'loss cross_entropy'; for numbers, remove softmax here");
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
        if (t->l2 == 0)
            continue;
        if (count == MAX_INPUTS - 2 && graph == &network->infer)
            break; // said of training
        if (count == MAX_INPUTS - 2) {
            error_at(E403, t->loc, "more than %d layers have an l2", MAX_INPUTS - 2);
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

static void add_loss(Graph *graph, int output, int predicted, const Loss *loss)
{
    const Loc loc = graph->network->program->loss->loc;
    const int x = loss->activation_word ? graph->nodes[output].input[0] : output;
    int inputs[MAX_INPUTS];
    inputs[0] = NODE(graph, loss->op, "loss", loc, x);
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
static int add_predicted(Graph *graph, int output)
{
    if (!graph->network->classes)
        return -1;
    const int id = NODE(graph, OP_predict, "output", graph->nodes[output].loc, output);
    graph->nodes[id].name = "predicted";
    graph->nodes[id].suffix = "predict";
    infer_shape(graph, id);
    return id;
}

bool lower_loss(Lowering *l)
{
    Network *const network = l->network;
    Graph *const train = &network->train, *const infer = &network->infer;
    const Clause *const clause = network->program->loss;
    const Loss *const loss = clause ? loss_of(clause) : NULL;
    if (loss && (!check_loss(l, loss) || !check_classes(l)))
        return false;
    network->output = l->infer;
    infer->nodes[l->infer].kept = true;
    network->predicted = add_predicted(infer, l->infer);
    if (network->predicted >= 0)
        infer->nodes[network->predicted].kept = true;
    if (loss) {
        add_loss(train, l->train, add_predicted(train, l->train), loss);
        add_loss(infer, l->infer, network->predicted, loss);
    } else {
        note_at((Loc){0}, "no 'loss' statement: the program can predict, but not train");
    }
    return true;
}
