// lower_dropout.c: layers that are there in training only.
#include "lower.h"

bool lower_dropout(Lowering *l)
{
    if (l->last) {
        error_at(E308, l->clause->loc,
                 "'dropout' after the last layer would drop parts of the answer");
        note_at((Loc){0}, "move it before the last 'dense', or remove it");
        return false;
    }
    const double rate = setting_number(l->clause, "rate");
    if (rate == 0)
        return true;
    const Attributes a = {.rate = rate};
    l->train = layer_node(&l->network->train, l, OP_dropout, a, l->train, 0, NULL);
    train_node(l)->name = l->layer;
    return true;
}
