// lower.c: the statements become two graphs of operations: one training step's forward pass, and
// inference.
//
// Both are built side by side, layer by layer, over the same tensors. They differ where a layer
// does: dropout is absent from inference, batchnorm uses the means that it followed in training.
#include "lower.h"
#include "passes.h"

#include <string.h>

static const struct {
    const char *word;
    bool (*lower)(Lowering *l);
} layers[] = {
#undef LOWER_ACTIVATION
#undef LOWER_LAYER
#define LOWER_ACTIVATION(word) {#word, lower_activation},
#define LOWER_LAYER(word) {#word, lower_##word},
#define STATEMENT(word, section, ...) LOWER_##section(word)
#include "statements.def"
};

static bool lower_layer(Lowering *l)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (!strcmp(layers[i].word, l->clause->word))
            return layers[i].lower(l);
    bug("no lowering for '%s'", l->clause->word);
}

static void fill_card(Lowering *l, Shape in)
{
    Network *const network = l->network;
    Card *const card = &network->cards[network->card_count++];
    *card = (Card){.clause = l->clause, .name = l->layer, .in = in, .out = current_shape(l)};
    for (int i = 0; i < network->tensor_count; i++)
        if (network->tensors[i].role == ROLE_WEIGHT && network->tensors[i].layer == l->layer)
            card->parameters += shape_size(network->tensors[i].shape);
}

static bool in_training_only(const char *word)
{
    return !strcmp(word, "dropout") || !strcmp(word, "spatial_dropout") || !strcmp(word, "noise");
}

static bool is_last(const Program *program, int layer)
{
    for (int i = layer + 1; i < program->layer_count; i++) {
        const char *const word = program->layers[i].word;
        if (!in_training_only(word) && strcmp(word, "flatten") != 0) // refused there; no node
            return false;
    }
    return true;
}

// The layer at `at`, with its bodies.
static bool lower_one(Lowering *l)
{
    const Program *const program = l->network->program;
    const Clause *const clause = &program->layers[l->at];
    const Shape in = current_shape(l);
    l->clause = clause;
    l->layer = clause->name;
    l->last = is_last(program, l->at);
    if (lower_layer(l)) {
        fill_card(l, in);
        return true;
    }
    if (l->clause == clause) // and not a layer of its body
        note_use(clause->use);
    return false;
}

bool lower_body(Lowering *l)
{
    for (l->at++; l->network->program->layers[l->at].bracket <= BRACKET_OPENS; l->at++)
        if (!lower_one(l))
            return false;
    return true;
}

static bool lower_layers(Lowering *l)
{
    const int count = l->network->program->layer_count;
    l->network->cards = allocate((size_t)count * sizeof(Card));
    for (; l->at < count; l->at++)
        if (!lower_one(l))
            return false;
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
    network->direct = options->direct;
    network->auto_gemm = options->auto_gemm;
    network->tuned = options->tuned;
    network->trains = program->loss != NULL;
    network->train.network = network->infer.network = network;
    Lowering l = {.network = network};
    if (!lower_input(&l) || !lower_layers(&l) || !lower_loss(&l))
        return NULL;
    choose_blocks(network);
    return network;
}
