// lower_activation.c: activations, as layers and as words behind other layers.
#include "lower.h"

#include <string.h>

// An activation takes one number at most.
static Attributes activation_attributes(const Lowering *l, const Clause *clause)
{
    const Shape shape = current_shape(l);
    Attributes a = {.channels = l->last ? (int)shape_size(shape) : shape.dims[shape.count - 1]};
    for (int i = 0; i < clause->setting_count; i++)
        if (clause->settings[i].kind == SETTING_NUMBER)
            a.slope = clause->settings[i].number;
    return a;
}

static bool add_activation(Lowering *l, const Clause *activation, const char *function)
{
    const Attributes a = activation_attributes(l, activation);
    if (!apply(l, op_named(activation->word), a, 0, NULL)) // it has the activation's name
        return false;
    name_value(l, "", function);
    return true;
}

// As a word behind another layer, an activation has its defaults.
bool apply_activation(Lowering *l, const char *word, Loc loc)
{
    if (!strcmp(word, "softmax") && !l->last) {
        warn_at(loc, "softmax makes all outputs of this layer share a sum of 1");
        note_at((Loc){0},
                "it usually belongs to the last layer; where it is meant, write 'softmax' "
                "as a statement of its own behind this one");
    }
    const Clause defaults = default_clause(statement_row(word));
    return add_activation(l, &defaults, word);
}

bool lower_activation(Lowering *l) { return add_activation(l, l->clause, "forward"); }
