// lower_window.c: windows over a picture, and layers that reduce each to one value.
#include "lower.h"

#include <string.h>

// A layer over windows needs rows and columns; false after an error.
bool needs_picture(const Lowering *l)
{
    if (current_shape(l).count == 3)
        return true;
    const Node *const before = train_node(l);
    error_at(E301, l->clause->word_loc,
             "'%s' needs a picture (height x width x channels), found %s values", l->clause->word,
             shape_text(current_shape(l)));
    if (!strcmp(before->layer, "input")) {
        note_at(before->loc, "a picture's shape is height x width x channels, as in "
                             "'input 28x28x1'; 'reshape' makes one of a row of values");
        return false;
    }
    const Loc flattened = l->flatten ? l->flatten->loc : before->loc;
    note_at(flattened,
            "behind '%s' there are no rows and columns; put '%s' before it, or 'reshape' between",
            loc_text(flattened), l->clause->word);
    return false;
}

static void set_size(int size[2], const Setting *from)
{
    size[0] = from->dims[0];
    size[1] = from->dim_count > 1 ? from->dims[1] : from->dims[0];
}

Attributes window_attributes(const Clause *clause, const char *size)
{
    Attributes a = {0};
    const Setting *const kernel = setting(clause, size), *const stride = setting(clause, "stride");
    set_size(a.kernel, kernel);
    memcpy(a.stride, a.kernel, sizeof a.stride);
    if (stride->dim_count)
        set_size(a.stride, stride);
    if (!strcmp(setting_word(clause, "pad"), "same"))
        a.pad[0] = a.pad[1] = -1; // shape.c computes it
    a.kernel_loc = kernel->loc;
    return a;
}

static bool lower_window(Lowering *l, Op op)
{
    if (!needs_picture(l) || !apply(l, op, window_attributes(l->clause, "size"), 0, NULL))
        return false;
    name_value(l, "", "forward");
    return true;
}

bool lower_pool(Lowering *l) { return lower_window(l, OP_maxpool); }
bool lower_avgpool(Lowering *l) { return lower_window(l, OP_avgpool); }

// A window as large as the picture; its one pixel is a row of values.
static bool lower_whole_picture(Lowering *l, Op op)
{
    if (!needs_picture(l))
        return false;
    const Shape shape = current_shape(l);
    const int height = shape.dims[0], width = shape.dims[1];
    if (!apply(l, op, (Attributes){.kernel = {height, width}, .stride = {height, width}}, 0, NULL))
        return false;
    name_value(l, "", "forward");
    l->flatten = l->clause;
    return true;
}

bool lower_globalpool(Lowering *l) { return lower_whole_picture(l, OP_maxpool); }
bool lower_globalavgpool(Lowering *l) { return lower_whole_picture(l, OP_avgpool); }
