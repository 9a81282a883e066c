// grad.c: the backward pass, as ordinary nodes behind the forward ones.
//
// The graph is walked once, from the loss to the input. Each op's rule is given the gradient of its
// result and adds the gradients of those inputs that need one; a value read by several nodes gets
// the sum. What a backward node reads of the forward pass is kept because it reads it: there is no
// list of saved activations.
#include "passes.h"

#include <stdlib.h>
#include <string.h>

bool needs_gradient(const Graph *graph, int id) { return graph->learns[id]; }

// Which forward values depend on a trained weight.
static void find_learning(Graph *graph)
{
    graph->learns = allocate((size_t)graph->count * sizeof *graph->learns);
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (node->op == OP_weight)
            graph->learns[i] = graph->network->tensors[node->attributes.tensor].role == ROLE_WEIGHT;
        for (int k = 0; k < node->input_count; k++)
            graph->learns[i] |= graph->learns[node->input[k]];
    }
}

static const char *gradient_name(const Graph *graph, int id)
{
    return format("d_%s", graph->nodes[id].name);
}

// A gradient that becomes a part of a sum, which takes over the plain name, is called after the
// layer that it comes from; a sum after its function.
static void name_summand(Graph *graph, int id, int gradient)
{
    Node *const node = &graph->nodes[gradient];
    const char *const plain = gradient_name(graph, id);
    if (strncmp(node->name, "d_", 2) != 0 || !strcmp(node->name, plain))
        node->name = node->op == OP_gradient_sum ? format("%s_%s", plain, node->suffix)
                                                 : format("%s_by_%s", plain, node->layer);
}

static int add_gradients(Graph *graph, int id, int before, int gradient)
{
    name_summand(graph, id, before);
    name_summand(graph, id, gradient);
    const Node *const first = &graph->nodes[before];
    const bool again = first->op == OP_gradient_sum && first->layer == graph->nodes[id].layer;
    const int number = again ? atoi(first->suffix + strlen("sum")) + 1 : 0;
    const int sum = NODE(graph, OP_gradient_sum, graph->nodes[id].layer, graph->nodes[gradient].loc,
                         before, gradient);
    infer_shape(graph, sum);
    graph->nodes[sum].suffix = again ? format("sum%d", number > 1 ? number : 2) : "sum";
    graph->nodes[sum].name = gradient_name(graph, id);
    return sum;
}

// Records `gradient` as that of `id`, or adds it to what is there.
void gradient_add(Graph *graph, int id, int gradient)
{
    const Node *const value = &graph->nodes[id], *const by_value = &graph->nodes[gradient];
    if (!has_flag(value, SLICED) && !shape_equal(value->shape, by_value->shape))
        bug("the gradient of %s has shape %s, not %s", value->name, shape_text(by_value->shape),
            shape_text(value->shape));
    const int before = graph->gradient[id];
    if (before >= 0)
        gradient = add_gradients(graph, id, before, gradient);
    // a gradient that passes through unchanged keeps the name it has
    if (strncmp(graph->nodes[gradient].name, "d_", 2))
        graph->nodes[gradient].name = gradient_name(graph, id);
    graph->gradient[id] = gradient;
}

// A backward node of `of`: same layer, place and attributes.
static int backward_node(Graph *graph, const Node *of, Op op, Shape shape, int count,
                         const int *inputs, const char *suffix)
{
    const Node forward = *of; // node_add may move the nodes
    const int id = node_add(graph, op, forward.layer, forward.loc, count, inputs);
    Node *const node = &graph->nodes[id];
    node->attributes = forward.attributes;
    node->shape = shape;
    node->suffix = suffix;
    if (!infer_shape(graph, id))
        bug("%s of %s has no shape", op_info[op].name, forward.layer);
    return id;
}
#define BACKWARD(graph, of, op, shape, suffix, ...)                                                \
    backward_node(graph, of, op, shape, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)),         \
                  (int[]){__VA_ARGS__}, suffix)

static Shape shape_at(const Graph *graph, int id) { return graph->nodes[id].shape; }

// The blocks' partial sums become one gradient of tensor node `w`.
static void add_partial(Graph *graph, const Node *of, int w, int partial)
{
    graph->nodes[partial].name = format("d_%s_partial", graph->nodes[w].name);
    const int sum = BACKWARD(graph, of, OP_sum_blocks, shape_at(graph, w), "gradient", partial);
    gradient_add(graph, w, sum);
}

void grad_none(Graph *graph, const Node *node, int dy)
{
    (void)graph, (void)dy;
    bug("%s of %s has no gradient", op_info[node->op].name, node->layer);
}

// gradient-by-blocks: the gradient of a layer's weights is the sum of those of the blocks of rows,
// each of which is made where its rows are. A small matrix is one part, and the thread that made it
// would have to get what the others hold of x.
// Condition: several blocks, and no chunks; x is what another layer has made, and the matrix small.
static bool sums_blocks(const Graph *graph, int x, int w)
{
    enum { MOST_NUMBERS = 4096 };
    const Network *const network = graph->network;
    return network->blocks > 1 && network->chunks == 1 && needs_gradient(graph, x) &&
           shape_size(shape_at(graph, w)) <= MOST_NUMBERS;
}

void grad_dense(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], w = n.input[1];
    if (needs_gradient(graph, x))
        gradient_add(graph, x,
                     BACKWARD(graph, &n, OP_dense_grad_x, shape_at(graph, x), "backward", dy,
                              turned_weight(graph, w)));
    if (sums_blocks(graph, x, w))
        add_partial(
            graph, &n, w,
            BACKWARD(graph, &n, OP_dense_grad_w_block, shape_at(graph, w), "partial", x, dy));
    else
        gradient_add(graph, w,
                     BACKWARD(graph, &n, OP_dense_grad_w, shape_at(graph, w), "gradient", x, dy));
}

void grad_slice_sum(Graph *graph, const Node *node, int dy)
{
    gradient_add(graph, node->input[0], dy);
}

void grad_dense_slice(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int w = n.input[1];
    gradient_add(graph, w,
                 BACKWARD(graph, &n, OP_dense_slice_grad_w, shape_at(graph, w), "gradient",
                          n.input[0], dy));
}

// The places of x that are 0 have no gradient: relu's is 0 there, and nobody asks for a picture's.
void grad_dense_at(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], w = n.input[1], places = n.input[2];
    if (needs_gradient(graph, x))
        gradient_add(
            graph, x,
            BACKWARD(graph, &n, OP_dense_at_grad_x, shape_at(graph, x), "backward", dy, w, places));
    gradient_add(graph, w,
                 BACKWARD(graph, &n, OP_dense_grad_w, shape_at(graph, w), "gradient", x, dy));
}

// The gradient by a convolution's weights: of the picture that windows lie in, and that of a number
// for each window.
static void add_by_weights(Graph *graph, const Node *of, Op op, int w, int windows, int pixels)
{
    const Shape shape = shape_at(graph, w);
    add_partial(graph, of, w, BACKWARD(graph, of, op, shape, "partial", windows, pixels));
}

// And by what it reads, by the weights as that needs them.
static void add_by_picture(Graph *graph, const Node *of, Op op, int dy, int w)
{
    const int x = of->input[0];
    gradient_add(graph, x, BACKWARD(graph, of, op, shape_at(graph, x), "backward", dy, w));
}

void grad_conv(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], w = n.input[1];
    add_by_weights(graph, &n, OP_conv_grad_w, w, x, dy);
    if (!needs_gradient(graph, x))
        return;
    const bool round = conv_turns_round(graph->network, shape_at(graph, x), n.shape, &n.attributes);
    add_by_picture(graph, &n, OP_conv_grad_x, dy,
                   round ? flipped_weight(graph, w, group_count(&n.attributes))
                         : turned_weight(graph, w));
}

void grad_copy_channels(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0];
    gradient_add(graph, x,
                 BACKWARD(graph, &n, OP_copy_channels_grad, shape_at(graph, x), "sums", dy));
}

void grad_depthwise(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], w = n.input[1];
    add_by_weights(graph, &n, OP_depthwise_grad_w, w, x, dy);
    if (needs_gradient(graph, x))
        add_by_picture(graph, &n, OP_depthwise_grad_x, dy, w);
}

// The convolution that it is the way back of leads from dy to dx.
void grad_conv_transpose(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], w = graph->nodes[n.input[1]].input[0];
    add_by_weights(graph, &n, OP_conv_transpose_grad_w, w, dy, x);
    if (needs_gradient(graph, x))
        add_by_picture(graph, &n, OP_conv_transpose_grad_x, dy, w);
}

void grad_bias(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int b = n.input[1];
    add_partial(graph, &n, b, BACKWARD(graph, &n, OP_bias_grad, shape_at(graph, b), "partial", dy));
    gradient_add(graph, n.input[0], dy);
}

void grad_maxpool(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], y = (int)(node - graph->nodes);
    if (needs_gradient(graph, x))
        gradient_add(
            graph, x,
            BACKWARD(graph, &n, OP_maxpool_grad, shape_at(graph, x), "backward", dy, x, y));
}

// A layer of several functions, as a dense with an activation, has the word of each in the name of
// its backward function.
static const char *backward_suffix(const Node *n)
{
    return strcmp(n->suffix, "forward") ? format("%s_backward", n->suffix) : "backward";
}

static void grad_through_result(Graph *graph, const Node *node, int dy, Op op)
{
    const Node n = *node;
    const int x = n.input[0], y = (int)(node - graph->nodes);
    if (needs_gradient(graph, x))
        gradient_add(graph, x,
                     BACKWARD(graph, &n, op, shape_at(graph, x), backward_suffix(&n), dy, y));
}

static void grad_through_input(Graph *graph, const Node *node, int dy, Op op)
{
    const Node n = *node;
    const int x = n.input[0];
    if (needs_gradient(graph, x))
        gradient_add(graph, x,
                     BACKWARD(graph, &n, op, shape_at(graph, x), backward_suffix(&n), dy, x));
}

#define THROUGH(of, activation)                                                                    \
    void grad_##activation(Graph *graph, const Node *node, int dy)                                 \
    {                                                                                              \
        grad_through_##of(graph, node, dy, OP_##activation##_grad);                                \
    }
THROUGH(result, relu)
THROUGH(result, relu6)
THROUGH(result, leaky_relu)
THROUGH(result, elu)
THROUGH(result, selu)
THROUGH(input, gelu)
THROUGH(input, silu)
THROUGH(input, hard_silu)
THROUGH(input, mish)
THROUGH(result, sigmoid)
THROUGH(result, hard_sigmoid)
THROUGH(result, tanh)
THROUGH(result, softplus)
THROUGH(result, softsign)
THROUGH(result, softmax)

// A gradient that depends on dy alone.
static void grad_of_dy(Graph *graph, const Node *node, int dy, Op op)
{
    const Node n = *node;
    const int x = n.input[0];
    if (needs_gradient(graph, x))
        gradient_add(graph, x,
                     BACKWARD(graph, &n, op, shape_at(graph, x), backward_suffix(&n), dy));
}

void grad_avgpool(Graph *graph, const Node *node, int dy)
{
    grad_of_dy(graph, node, dy, OP_avgpool_grad);
}

void grad_reshape(Graph *graph, const Node *node, int dy)
{
    grad_of_dy(graph, node, dy, OP_reshape_grad);
}

void grad_zeropad(Graph *graph, const Node *node, int dy)
{
    grad_of_dy(graph, node, dy, OP_zeropad_grad);
}

void grad_crop(Graph *graph, const Node *node, int dy)
{
    grad_of_dy(graph, node, dy, OP_crop_grad);
}

void grad_upsample(Graph *graph, const Node *node, int dy)
{
    grad_of_dy(graph, node, dy, OP_upsample_grad);
}

void grad_upsample_linear(Graph *graph, const Node *node, int dy)
{
    grad_of_dy(graph, node, dy, OP_upsample_linear_grad);
}

// The same numbers are drawn again: what was kept is scaled, the rest is 0.
void grad_dropout(Graph *graph, const Node *node, int dy)
{
    grad_of_dy(graph, node, dy,
               node->op == OP_dropout ? OP_dropout_grad : OP_spatial_dropout_grad);
}

void grad_noise(Graph *graph, const Node *node, int dy)
{
    if (needs_gradient(graph, node->input[0]))
        gradient_add(graph, node->input[0], dy);
}

// What is added lies as the first input does; behind 'flatten' the second may have the same values
// in other dimensions, and so its gradient.
void grad_add(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const Shape second = shape_at(graph, n.input[1]);
    if (needs_gradient(graph, n.input[0]))
        gradient_add(graph, n.input[0], dy);
    if (needs_gradient(graph, n.input[1]))
        gradient_add(graph, n.input[1],
                     shape_equal(second, shape_at(graph, dy))
                         ? dy
                         : BACKWARD(graph, &n, OP_reshape_grad, second, "x_backward", dy));
}

// Either is what the other's gradient is multiplied with.
void grad_multiply(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    static const char *const functions[] = {"x_backward", "other_backward"};
    for (int k = 0; k < 2; k++)
        if (needs_gradient(graph, n.input[k])) {
            const int dx = BACKWARD(graph, &n, OP_multiply_grad, shape_at(graph, n.input[k]),
                                    functions[k], dy, n.input[1 - k]);
            if (n.input[0] == n.input[1]) // two parts of one gradient, from one layer
                graph->nodes[dx].name = format("d_%s_%s", n.layer, k ? "other" : "x");
            gradient_add(graph, n.input[k], dx);
        }
}

void grad_concat(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    int from = 0;
    for (int k = 0; k < n.own_inputs; k++) {
        const Shape shape = shape_at(graph, n.input[k]);
        if (needs_gradient(graph, n.input[k])) {
            const int id =
                BACKWARD(graph, &n, OP_concat_grad, shape, format("x%d_backward", k + 1), dy);
            graph->nodes[id].attributes.from = from;
            graph->nodes[id].name = format("d_%s_x%d", n.name, k + 1);
            gradient_add(graph, n.input[k], id);
        }
        from += n.shape.count > 1 ? shape.dims[shape.count - 1] : (int)shape_size(shape);
    }
}

void grad_group_norm(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], stats = n.input[1], gamma = n.input[2], beta = n.input[3];
    add_partial(graph, &n, beta,
                BACKWARD(graph, &n, OP_bias_grad, shape_at(graph, beta), "partial", dy));
    add_partial(graph, &n, gamma,
                BACKWARD(graph, &n, OP_group_norm_scale_grad, shape_at(graph, gamma), "partial", dy,
                         x, stats));
    if (needs_gradient(graph, x))
        gradient_add(graph, x,
                     BACKWARD(graph, &n, OP_group_norm_grad, shape_at(graph, x), "backward", dy, x,
                              stats, gamma));
}

// A row of the blocks' partial sums becomes the gradient of tensor node `w`.
static void add_partial_row(Graph *graph, const Node *of, int w, int partial, int row)
{
    const int sum = BACKWARD(graph, of, OP_sum_blocks_row, shape_at(graph, w), "gradient", partial);
    graph->nodes[sum].attributes.from = row;
    gradient_add(graph, w, sum);
}

// Ioffe and Szegedy 2015, section 3, with the two sums over the batch as nodes of their own: they
// are the gradients of beta and gamma.
void grad_norm(Graph *graph, const Node *node, int dy)
{
    const Node n = *node;
    const int x = n.input[0], stats = n.input[1], gamma = n.input[2], beta = n.input[3];
    const int partial = BACKWARD(graph, &n, OP_norm_grad_sums, shape_at(graph, stats), "partial",
                                 dy, x, stats);
    graph->nodes[partial].name = format("d_%s_partial", n.layer);
    add_partial_row(graph, &n, beta, partial, 0);
    add_partial_row(graph, &n, gamma, partial, 1);
    if (needs_gradient(graph, x))
        gradient_add(graph, x,
                     BACKWARD(graph, &n, OP_norm_grad, shape_at(graph, x), "backward", dy, x, stats,
                              gamma, graph->gradient[beta], graph->gradient[gamma]));
}

// The activation beside a loss that works on what it reads.
static int activation_of(const Graph *graph, const Node *loss)
{
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (node != loss && node->input_count && node->input[0] == loss->input[0])
            return i;
    }
    bug("no activation beside the loss");
}

// The losses begin the walk: their own gradient is 1 / rows and has no node.
void grad_loss(Graph *graph, const Node *node, int dy)
{
    (void)dy;
    const Node n = *node;
    const int x = n.input[0];
    if (!needs_gradient(graph, x))
        return;
    const Op op = op_named(format("%s_grad", op_info[n.op].name));
    const bool activated = !strcmp(op_info[op].inputs, "p");
    gradient_add(graph, x,
                 BACKWARD(graph, &n, op, shape_at(graph, x), "backward",
                          activated ? activation_of(graph, node) : x));
}

// needs: shapes; makes: Tensor.gradient of each trained tensor
void differentiate(Graph *graph)
{
    const int forward = graph->count;
    find_learning(graph);
    graph->gradient = allocate((size_t)forward * sizeof *graph->gradient);
    for (int i = 0; i < forward; i++)
        graph->gradient[i] = -1;
    for (int i = forward - 1; i >= 0; i--)
        if (has_flag(&graph->nodes[i], LOSS) || graph->gradient[i] >= 0)
            if (graph->nodes[i].op != OP_weight)
                op_info[graph->nodes[i].op].grad(graph, &graph->nodes[i], graph->gradient[i]);
    for (int i = 0; i < forward; i++) {
        const Node *const node = &graph->nodes[i];
        if (node->op == OP_weight)
            graph->network->tensors[node->attributes.tensor].gradient = graph->gradient[i];
    }
}
