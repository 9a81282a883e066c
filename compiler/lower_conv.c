// lower_conv.c: convolutions: plain, in groups, of one channel each, and transposed.
#include "lower.h"
#include "passes.h"

#include <string.h>

static void set_dilation(Attributes *a, const Clause *clause)
{
    memcpy(a->dilation, setting(clause, "dilation")->dims, sizeof a->dilation);
}

// The op on weights [height][width][channels][filters], whose fans are counted as Keras does.
static bool add_conv(Lowering *l, Op op, const Attributes *a, int channels, int filters, double in,
                     double out)
{
    const double window = (double)a->kernel[0] * a->kernel[1];
    const int w = layer_weights(l, shape_of(4, a->kernel[0], a->kernel[1], channels, filters),
                                window * in, window * out);
    return w >= 0 && apply(l, op, *a, 1, &w);
}

bool groups_divide(const Lowering *l, int groups, int count, const char *what)
{
    if (count % groups == 0)
        return true;
    error_at(E313, setting(l->clause, "groups")->loc, "%d groups do not share %d %s evenly", groups,
             count, what);
    const Loc before = train_node(l)->loc;
    if (!strcmp(what, "channels"))
        note_at(before, "'%s' leaves %s here", loc_text(before), shape_text(current_shape(l)));
    return false;
}

bool lower_conv(Lowering *l)
{
    if (!needs_picture(l))
        return false;
    Attributes a = window_attributes(l->clause, "kernel");
    set_dilation(&a, l->clause);
    a.groups = (int)setting_number(l->clause, "groups");
    const int channels = current_shape(l).dims[2];
    const int filters = (int)setting_number(l->clause, "filters");
    if (!groups_divide(l, a.groups, channels, "channels") ||
        !groups_divide(l, a.groups, filters, "filters"))
        return false;
    const int each = channels / a.groups;
    return add_conv(l, OP_conv, &a, each, filters, each, filters) && finish_product(l, filters);
}

// Puts the op between node *id and one of its inputs; *id becomes where that node is now, right
// behind the new one.
static Node *put_before(Graph *graph, int *id, int input, Op op, const char *name,
                        const char *function)
{
    Node *const made = node_insert(graph, *id, op, 1, (int[]){graph->nodes[*id].input[input]});
    made->name = format("%s_%s", made->layer, name);
    made->suffix = function;
    graph->nodes[*id + 1].input[input] = *id;
    ++*id;
    return made;
}

// Each filter has a channel of its own then.
static void copy_channels(Graph *graph, int *id, int filters)
{
    put_before(graph, id, 0, OP_copy_channels, "x", "copies")->attributes.channels = filters;
    infer_shape(graph, *id - 1);
}

bool lower_depthwise(Lowering *l)
{
    if (!needs_picture(l))
        return false;
    Attributes a = window_attributes(l->clause, "kernel");
    set_dilation(&a, l->clause);
    const int channels = current_shape(l).dims[2];
    const int multiplier = (int)setting_number(l->clause, "multiplier");
    if (!add_conv(l, OP_depthwise, &a, channels, multiplier, channels, multiplier))
        return false;
    if (multiplier > 1) {
        copy_channels(&l->network->train, &l->train, channels * multiplier);
        copy_channels(&l->network->infer, &l->infer, channels * multiplier);
    }
    return finish_product(l, channels * multiplier);
}

// A transposed convolution's weights as its products read them.
static void lay_out_weights(Graph *graph, int *id)
{
    const Node *const conv = &graph->nodes[*id];
    const Shape x = graph->nodes[conv->input[0]].shape, w = graph->nodes[conv->input[1]].shape;
    const bool round = conv_turns_round(graph->network, conv->shape, x, &conv->attributes);
    put_before(graph, id, 1, round ? OP_flipped : OP_turned, "turned", "turning")->shape =
        round ? flipped_shape(w, 1) : turned_shape(w);
}

// The gradient by the picture of a convolution that leads from this one's result to its input. So
// its filters are that one's channels, and stand before this one's in the weights, as in Keras.
bool lower_conv_transpose(Lowering *l)
{
    if (!needs_picture(l))
        return false;
    const Attributes a = window_attributes(l->clause, "kernel");
    const int channels = current_shape(l).dims[2];
    const int filters = (int)setting_number(l->clause, "filters");
    if (!add_conv(l, OP_conv_transpose, &a, filters, channels, filters, channels))
        return false;
    lay_out_weights(&l->network->train, &l->train);
    lay_out_weights(&l->network->infer, &l->infer);
    return finish_product(l, filters);
}
