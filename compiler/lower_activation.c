// lower_activation.c: activations, as layers and as words behind other layers.
#include "lower.h"

#include <string.h>

// The op of an activation has its name.
static Op activation_op(const char *word)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (!strcmp(op_info[op].name, word))
            return (Op)op;
    bug("activation '%s'", word);
}

bool apply_activation(Lowering *l, const char *word, Loc loc)
{
    if (!strcmp(word, "softmax") && !l->last) {
        error_at(E309, loc, "'softmax' belongs to the last layer, but more layers follow");
        note_at((Loc){0}, "in between, use relu, sigmoid or tanh");
        return false;
    }
    if (!apply(l, activation_op(word), (Attributes){0}, 0, NULL))
        return false;
    name_value(l, "", !strcmp(word, l->clause->word) ? "forward" : word);
    return true;
}

bool lower_activation(Lowering *l)
{
    return apply_activation(l, l->clause->word, l->clause->loc);
}
