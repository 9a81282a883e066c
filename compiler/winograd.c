// winograd.c: convolutions by windows of 3x3 that take 16 products where there are 36, or 36 where
// there are 144.
//
// Winograd's F(2x2, 3x3) and F(4x4, 3x3) (Arithmetic complexity of computations, 1980; for
// networks: Lavin and Gray, Fast algorithms for convolutional neural networks, 2015): for each
// square of 2x2 pixels of the result, the 4x4 pixels below it and the window are transformed, so
// that the sum over channels is one product for each of 16 places; a transform of their sums is the
// square. The transforms are additions. So it is for 4x4 pixels of the result, the 6x6 below them
// and 36 places, with some factors. The gradients by the picture and by the weights have the same
// form.
#include "emit.h"

// --- how much is transformed at a time -----------------------------------------------------------

int winograd_places(int side) { return (side + 2) * (side + 2); }

static int groups_of(const Network *network, const WinogradSquares *s)
{
    const int times = (network->block_rows + s->pictures - 1) / s->pictures;
    return times * ((s->pictures * s->high * s->wide + s->squares - 1) / s->squares);
}

// Cycles of one term of the products of a block of rows. For each group the weights are read once
// more.
static double group_cycles(const Network *network, const WinogradSquares *s)
{
    enum { READING = 2 };
    const int vectors = s->out.dims[2] >= 2 * vector_lanes(network) ? 2 : 1;
    const WindowRows rows = {.lines = 1, .line = s->squares, .wait = LATENCY + 1};
    return groups_of(network, s) * (window_cut(network, &rows, vectors).cycles + READING);
}

// A group is some squares of one picture, or all of several pictures: of those sizes that stay in
// the second cache the one whose products take the fewest cycles.
static void choose_group(const Network *network, WinogradSquares *s)
{
    const int most = s->side == 2 ? 50 : 36;
    const int each = s->high * s->wide, pictures = each < most ? most / each : 1;
    WinogradSquares best = *s;
    double least = 1e300;
    for (s->pictures = 1; s->pictures <= pictures && s->pictures <= network->block_rows;
         s->pictures++) {
        const int all = s->pictures * each;
        for (s->squares = s->pictures > 1 ? all : 1; s->squares <= most && s->squares <= all;
             s->squares++) {
            const double cycles = group_cycles(network, s);
            if (cycles > least)
                continue;
            least = cycles; // the largest of those that cost the same
            best = *s;
        }
    }
    *s = best;
}

// What a node's squares are of: its result, or dy where that is the weights' gradient.
static Shape made_of_squares(const Graph *graph, const Node *node)
{
    const bool weights = node->op == OP_conv_grad_w || node->op == OP_winograd_grad_w;
    return weights ? graph->nodes[node->input[1]].shape : node->shape;
}

static WinogradSquares squares_of(const Graph *graph, const Node *node, int side)
{
    const Shape out = made_of_squares(graph, node);
    WinogradSquares s = {.side = side,
                         .in = graph->nodes[node->input[0]].shape,
                         .out = out,
                         .pad = {node->attributes.pad[0], node->attributes.pad[1]},
                         .high = (out.dims[0] + side - 1) / side,
                         .wide = (out.dims[1] + side - 1) / side};
    choose_group(graph->network, &s);
    return s;
}

WinogradSquares winograd_squares(const Graph *graph, const Node *node)
{
    return squares_of(graph, node, node->attributes.side);
}

// --- whether it pays -----------------------------------------------------------------------------

// Cycles of a block of rows. The transforms' are as measured, with vectors of 32 bytes: of a vector
// of channels of one square, and of one of a window. 16 channels are worth squares of 4x4 there,
// not those of 2x2, which lose a twentieth of a network (bench/networks/resnet.net).
typedef struct {
    double transform, window;
} Transforms;
static const Transforms of_2x2 = {95, 60}, of_4x4 = {400, 170};
static const double direct_share = 0.85, product_share = 0.9; // of the peak

static double product_cycles(const Network *network, double products)
{
    return products / (vector_lanes(network) * network->target->operations / 2.0);
}

static double pixel_count(Shape shape) { return (double)shape.dims[0] * shape.dims[1]; }

static double direct_cycles(const Network *network, Shape in, Shape out)
{
    const double a = pixel_count(in), b = pixel_count(out);
    const double products = 9.0 * (a < b ? a : b) * in.dims[2] * out.dims[2];
    return product_cycles(network, network->block_rows * products) / direct_share;
}

static double winograd_cycles(const Network *network, const WinogradSquares *s)
{
    const Transforms *const t = s->side == 2 ? &of_2x2 : &of_4x4;
    const double lanes = vector_lanes(network), in = s->in.dims[2], out = s->out.dims[2];
    const double products = winograd_places(s->side) * in * out;
    const double each = product_cycles(network, products) / product_share +
                        t->transform * (in + out) / lanes;
    return groups_of(network, s) * s->squares * each + t->window * in * out / lanes;
}

// Channels are transformed in whole vectors.
static bool can_be(const Graph *graph, const Node *node)
{
    const Network *const network = graph->network;
    const Attributes *const a = &node->attributes;
    const Shape in = graph->nodes[node->input[0]].shape, out = made_of_squares(graph, node);
    const int lanes = vector_lanes(network);
    bool can = !network->blas && !network->direct && lanes > 1 && group_count(a) == 1 &&
               !has_gaps(a) && in.dims[2] % lanes == 0 && out.dims[2] % lanes == 0;
    for (int d = 0; d < 2; d++)
        can = can && a->kernel[d] == 3 && a->stride[d] == 1 && a->pad[d] >= 0 && a->pad[d] < 3;
    return can;
}

static WindowProduct window_of(const Graph *graph, const Node *node)
{
    const Shape in = graph->nodes[node->input[0]].shape, out = made_of_squares(graph, node);
    return (WindowProduct){.lines = out.dims[0],
                           .columns = out.dims[1],
                           .groups = 1,
                           .channels = in.dims[2],
                           .outputs = out.dims[2],
                           .kernel = {3, 3},
                           .stride = {1, 1},
                           .dilation = {1, 1}};
}

// Whether the sums of a gradient by weights are small enough for a thread's stack.
static bool fits(const Graph *graph, const Node *node, int side)
{
    enum { MOST_BYTES = 16 << 20 };
    const Shape x = graph->nodes[node->input[0]].shape, dy = made_of_squares(graph, node);
    const double sums = (double)winograd_places(side) * x.dims[2] * dy.dims[2];
    return node->op != OP_conv_grad_w ||
           sums * (double)element_bytes(graph->network, TYPE_REAL) <= MOST_BYTES;
}

// The side of the squares as it was measured, or by which it takes clearly the fewest cycles; 0
// without transforms.
static int best_side(const Graph *graph, const Node *node)
{
    const double clearly = 0.9;
    const Network *const network = graph->network;
    if (!can_be(graph, node))
        return 0;
    const WindowProduct window = window_of(graph, node);
    Choice *const measured = choice_of_window(network, &window);
    if (measured) {
        measured->used = true;
        const int side = measured->way == CONV_WINOGRAD_2   ? 2
                         : measured->way == CONV_WINOGRAD_4 ? 4
                                                            : 0;
        return side && fits(graph, node, side) ? side : 0;
    }
    int best = 0;
    double least = clearly * direct_cycles(network, graph->nodes[node->input[0]].shape,
                                           made_of_squares(graph, node));
    for (int side = 2; side <= 4; side += 2) {
        const WinogradSquares s = squares_of(graph, node, side);
        const double cycles = winograd_cycles(network, &s);
        if (cycles >= least || !fits(graph, node, side))
            continue;
        least = cycles;
        best = side;
    }
    return best;
}

bool winograd_window(const Graph *graph, const Node *node, WindowProduct *window)
{
    switch (node->op) {
    case OP_conv:
    case OP_conv_grad_x:
    case OP_conv_grad_w:
    case OP_winograd:
    case OP_winograd_grad_x:
    case OP_winograd_grad_w: *window = window_of(graph, node); return can_be(graph, node);
    default: return false;
    }
}

// --- the rewrites --------------------------------------------------------------------------------

// Condition: windows of 3x3, none left out between two; numbers of channels that fill vectors, and
// so many of them that what is spared of products is more than the transforms.
static void rewrite_forward(Graph *graph, int id)
{
    const int side = best_side(graph, &graph->nodes[id]);
    if (!side)
        return;
    const int w = transformed_weight(graph, graph->nodes[id].input[1], side);
    graph->nodes[id].op = OP_winograd;
    graph->nodes[id].attributes.side = side;
    graph->nodes[id].input[1] = w;
    if (!graph->network->trains) // otherwise updates have makers behind them
        add_maker(graph, graph->nodes[w].attributes.tensor);
}

// Its weights are a tensor that is made for it alone: it is made in another way.
static void rewrite_by_picture(Graph *graph, int id)
{
    Node turned = graph->nodes[id];
    for (int d = 0; d < 2; d++)
        turned.attributes.pad[d] = turned.attributes.kernel[d] - 1 - turned.attributes.pad[d];
    const int side = best_side(graph, &turned);
    if (!side)
        return;
    const Shape dy = graph->nodes[turned.input[0]].shape;
    Node *const leaf = &graph->nodes[turned.input[1]];
    Tensor *const tensor = &graph->network->tensors[leaf->attributes.tensor];
    leaf->shape = tensor->shape = shape_of(4, side + 2, side + 2, dy.dims[2], turned.shape.dims[2]);
    tensor->maker = OP_winograd_turned_weights;
    turned.op = OP_winograd_grad_x;
    turned.attributes.side = side;
    graph->nodes[id] = turned;
}

// Condition: as above; and the sums at all places fit.
static void rewrite_by_weights(Graph *graph, int id)
{
    Node *const node = &graph->nodes[id];
    const int side = best_side(graph, node);
    if (!side)
        return;
    node->op = OP_winograd_grad_w;
    node->attributes.side = side;
}

// Inference reads what training makes.
static void follow_training(Graph *graph, int id)
{
    const int transformed = derived_leaf(graph, graph->nodes[id].input[1], OP_winograd_weights);
    if (transformed < 0)
        return;
    graph->nodes[id].op = OP_winograd;
    graph->nodes[id].attributes.side = graph->nodes[transformed].shape.dims[0] - 2;
    graph->nodes[id].input[1] = transformed;
}

// needs: gradients, but no updates yet; of inference: training's tensors, where there is training
void use_winograd(Graph *graph)
{
    const bool follows = graph->network->trains && graph == &graph->network->infer;
    for (int i = 0; i < graph->count; i++)
        switch (graph->nodes[i].op) {
        case OP_conv: (follows ? follow_training : rewrite_forward)(graph, i); break;
        case OP_conv_grad_x: rewrite_by_picture(graph, i); break;
        case OP_conv_grad_w: rewrite_by_weights(graph, i); break;
        default: break;
        }
}
