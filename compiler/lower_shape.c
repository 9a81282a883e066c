// lower_shape.c: layers that move values and compute none, or only what lies between them.
#include "lower.h"

#include <string.h>

// No node: values lie in the order height, width, channels, which is the flattened order already.
bool lower_flatten(Lowering *l)
{
    l->flatten = l->clause;
    return true;
}

// Adds the op behind the current value, under the layer's name.
static bool add_moving(Lowering *l, Op op, Attributes attributes)
{
    if (!apply(l, op, attributes, 0, NULL))
        return false;
    name_value(l, "", "forward");
    return true;
}

bool lower_reshape(Lowering *l)
{
    const Setting *const to = setting(l->clause, "shape");
    const Shape from = current_shape(l);
    Shape shape = {.count = to->dim_count};
    memcpy(shape.dims, to->dims, sizeof shape.dims);
    if (shape_size(shape) != shape_size(from)) {
        error_at(E312, to->loc, "%s is %ld values, but its input has %ld", shape_text(shape),
                 shape_size(shape), shape_size(from));
        const Loc before = l->flatten ? l->flatten->loc : train_node(l)->loc;
        note_at(before, "'%s' leaves %s here", loc_text(before), shape_text(from));
        return false;
    }
    l->flatten = NULL;
    return add_moving(l, OP_reshape, (Attributes){.shape = shape});
}

// What goes around the picture, or off it: `size` on each side, and more where it is said.
static Attributes border_attributes(const Clause *clause)
{
    static const char *const sides[] = {"top", "bottom", "left", "right"};
    const Setting *const size = setting(clause, "size");
    Attributes a = {0};
    for (int i = 0; i < 4; i++)
        a.border[i] = size->dims[i / 2] + (int)setting_number(clause, sides[i]);
    return a;
}

static bool lower_border(Lowering *l, Op op)
{
    return needs_picture(l) && add_moving(l, op, border_attributes(l->clause));
}

bool lower_zeropad(Lowering *l) { return lower_border(l, OP_zeropad); }
bool lower_crop(Lowering *l) { return lower_border(l, OP_crop); }

bool lower_upsample(Lowering *l)
{
    const Setting *const factor = setting(l->clause, "factor");
    const bool linear = !strcmp(setting_word(l->clause, "interpolation"), "bilinear");
    const Attributes a = {.kernel = {factor->dims[0], factor->dims[1]}};
    return needs_picture(l) && add_moving(l, linear ? OP_upsample_linear : OP_upsample, a);
}
