// lower.c: the statements become two graphs of operations: one training step's forward pass, and
// inference.
//
// Both are built side by side, layer by layer, over the same tensors. They differ where a layer
// does: dropout is absent from inference, batchnorm uses the means that it followed in training.
#include "lower.h"

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
    return lower_input(&l) && lower_layers(&l) && lower_loss(&l) ? network : NULL;
}
