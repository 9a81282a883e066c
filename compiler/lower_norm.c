// lower_norm.c: layers that normalise.
#include "lower.h"
#include "passes.h"

// PyTorch's momentum is what the batch's part is, and its 0.1 is 0.9 here, and in Keras.
static void check_momentum(const Clause *clause)
{
    const Setting *const momentum = find_setting(clause, "momentum");
    if (momentum->number == 0 || momentum->number >= 0.5)
        return;
    warn_at(momentum->loc, "'momentum' is the part that is kept, and usually above 0.5");
    note_at((Loc){0}, "PyTorch's 'momentum=%s' is 'momentum %s' here",
            number_text(momentum->number), number_text(1 - momentum->number));
}

// Ioffe and Szegedy 2015; population variance, and means that follow by `momentum`, as in Keras 3.
bool lower_batchnorm(Lowering *l)
{
    Graph *const train = &l->network->train, *const infer = &l->network->infer;
    const Shape shape = current_shape(l);
    const Clause *const batch = l->network->program->batch;
    if (shape_size(shape) == shape.dims[shape.count - 1] && setting_number(batch, "size") == 1) {
        error_at(E307, l->clause->loc, "'batchnorm' over a batch of 1 has no variance");
        note_at(batch->loc, "the batch is set here; a larger one is needed");
        return false;
    }
    check_momentum(l->clause);
    const Shape channels = shape_of(1, shape.dims[shape.count - 1]);
    const Attributes a = {.momentum = setting_number(l->clause, "momentum"),
                          .eps = setting_number(l->clause, "eps"),
                          .channels = channels.dims[0]};
    const int gamma = layer_tensor(l, "gamma", ROLE_WEIGHT, channels, 1);
    const int beta = layer_tensor(l, "beta", ROLE_WEIGHT, channels, 0);
    const int mean = layer_tensor(l, "mean", ROLE_STATE, channels, 0);
    const int variance = layer_tensor(l, "variance", ROLE_STATE, channels, 1);

    const int x = l->train;
    const int sums = layer_node(train, l, OP_norm_sums, a, x, 0, NULL);
    const int stats = layer_node(train, l, OP_norm_stats, a, sums, 0, NULL);
    const int follow = NODE(train, OP_norm_follow, l->layer, l->clause->loc,
                            weight_node(train, mean), weight_node(train, variance), stats);
    train->nodes[follow].attributes = a;
    infer_shape(train, follow);
    l->train = NODE(train, OP_norm, l->layer, l->clause->loc, x, stats, weight_node(train, gamma),
                    weight_node(train, beta));
    train->nodes[l->train].attributes = a;
    infer_shape(train, l->train);
    const struct {
        int node;
        const char *name, *function;
    } names[] = {{sums, "sums", "sums"}, {stats, "stats", "stats"}, {follow, "follow", "follow"}};
    for (int i = 0; i < 3; i++) {
        train->nodes[names[i].node].name = format("%s_%s", l->layer, names[i].name);
        train->nodes[names[i].node].suffix = names[i].function;
    }
    l->infer =
        layer_node(infer, l, OP_norm_fixed, a, l->infer, 4, (int[]){mean, variance, gamma, beta});
    infer->nodes[l->infer].suffix = "infer";
    return true;
}

// The statistics and the normalisation, behind the current value of one graph.
static int add_group_norm(const Lowering *l, Graph *graph, const Attributes *a, int value,
                          const int tensors[2])
{
    const int stats = layer_node(graph, l, OP_group_stats, *a, value, 0, NULL);
    graph->nodes[stats].name = format("%s_stats", l->layer);
    graph->nodes[stats].suffix = "stats";
    const int id = NODE(graph, OP_group_norm, l->layer, l->clause->loc, value, stats,
                        weight_node(graph, tensors[0]), weight_node(graph, tensors[1]));
    graph->nodes[id].attributes = *a;
    infer_shape(graph, id);
    return id;
}

static bool lower_within_example(Lowering *l, int groups)
{
    const Shape shape = current_shape(l);
    const Attributes a = {.eps = setting_number(l->clause, "eps"),
                          .channels = shape.dims[shape.count - 1],
                          .groups = groups};
    const int pixels = groups ? (int)(shape_size(shape) / a.channels) : 1;
    if (pixels * a.channels == (groups ? groups : 1)) {
        error_at(E314, l->clause->loc, "'%s' over a single value makes it 0", l->clause->word);
        const Loc before = l->flatten ? l->flatten->loc : train_node(l)->loc;
        note_at(before, "'%s' leaves %s here", loc_text(before), shape_text(shape));
        return false;
    }
    const Shape channels = shape_of(1, a.channels);
    const int tensors[] = {layer_tensor(l, "gamma", ROLE_WEIGHT, channels, 1),
                           layer_tensor(l, "beta", ROLE_WEIGHT, channels, 0)};
    l->train = add_group_norm(l, &l->network->train, &a, l->train, tensors);
    l->infer = add_group_norm(l, &l->network->infer, &a, l->infer, tensors);
    return true;
}

// Ba et al. 2016, over the last dimension as in Keras 3.
bool lower_layernorm(Lowering *l) { return lower_within_example(l, 0); }

// Wu and He 2018.
bool lower_groupnorm(Lowering *l)
{
    const Shape shape = current_shape(l);
    const int groups = (int)setting_number(l->clause, "groups");
    return groups_divide(l, groups, shape.dims[shape.count - 1], "channels") &&
           lower_within_example(l, groups);
}
