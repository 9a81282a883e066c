// lower_dropout.c: layers that are there in training only.
#include "lower.h"

static bool is_in_between(const Lowering *l, const char *harm)
{
    if (!l->last)
        return true;
    error_at(E308, l->clause->loc, "'%s' after the last layer would %s", l->clause->word, harm);
    note_at((Loc){0}, "move it before the last 'dense', or remove it");
    return false;
}

// An amount of 0 changes nothing and is no layer, nor is a share below that of one in 2^32.
static void add_training_node(Lowering *l, Op op, double amount)
{
    const Shape shape = current_shape(l);
    const Attributes a = {.rate = amount, .channels = shape.dims[shape.count - 1]};
    if (amount == 0 || (op != OP_noise && amount < 0x1p-32))
        return;
    l->train = layer_node(&l->network->train, l, op, a, l->train, 0, NULL);
    train_node(l)->name = l->layer;
}

bool lower_dropout(Lowering *l)
{
    if (!is_in_between(l, "drop parts of the answer"))
        return false;
    add_training_node(l, OP_dropout, setting_number(l->clause, "rate"));
    return true;
}

bool lower_spatial_dropout(Lowering *l)
{
    if (!needs_picture(l) || !is_in_between(l, "drop parts of the answer"))
        return false;
    add_training_node(l, OP_spatial_dropout, setting_number(l->clause, "rate"));
    return true;
}

bool lower_noise(Lowering *l)
{
    if (!is_in_between(l, "change the answer"))
        return false;
    add_training_node(l, OP_noise, setting_number(l->clause, "deviation"));
    return true;
}
