// shape.c: the shape of each op's result, from the shapes of its inputs.
//
// A mistake that only shapes can show, such as a kernel that is larger than its picture, is found
// here and nowhere else.
#include "passes.h"

static Shape input_shape(const Graph *graph, const Node *node, int input)
{
    return graph->nodes[node->input[input]].shape;
}

// Sets the shape; false where an error was printed.
bool infer_shape(Graph *graph, int id)
{
    const int errors = error_count();
    Node *const node = &graph->nodes[id];
    op_info[node->op].shape(graph, node);
    return error_count() == errors;
}

// The op's maker has set the shape.
void shape_given(Graph *graph, Node *node)
{
    (void)graph;
    if (shape_size(node->shape) <= 0)
        bug("%s of %s has no shape", op_info[node->op].name, node->layer);
}

void shape_same(Graph *graph, Node *node) { node->shape = input_shape(graph, node, 0); }

// One number for each row.
void shape_loss(Graph *graph, Node *node)
{
    (void)graph;
    node->shape = (Shape){0};
    if (node->op == OP_predict)
        node->type = TYPE_INDEX;
}

void shape_number(Graph *graph, Node *node)
{
    (void)graph;
    node->shape = (Shape){0};
}

void shape_channels(Graph *graph, Node *node)
{
    (void)graph;
    node->shape = shape_of(1, node->attributes.channels);
}

// Two sums for each channel, in double precision: the variance is a difference of large numbers.
void shape_sums(Graph *graph, Node *node)
{
    (void)graph;
    node->shape = shape_of(2, 2, node->attributes.channels);
    node->type = TYPE_DOUBLE;
}

void shape_stats(Graph *graph, Node *node) { node->shape = input_shape(graph, node, 0); }

// Mean and scale of each pixel, or of each group of channels.
void shape_group(Graph *graph, Node *node)
{
    const Attributes *const a = &node->attributes;
    const int pixels = (int)(shape_size(input_shape(graph, node, 0)) / a->channels);
    node->shape = shape_of(2, 2, a->groups ? a->groups : pixels);
}

void shape_dense(Graph *graph, Node *node)
{
    const Shape w = input_shape(graph, node, 1);
    if (shape_size(input_shape(graph, node, 0)) != w.dims[0])
        bug("dense %s: %ld inputs, weights %s", node->layer,
            shape_size(input_shape(graph, node, 0)), shape_text(w));
    node->shape = shape_of(1, w.dims[1]);
}

// A list of places, behind their count.
void shape_places(Graph *graph, Node *node)
{
    node->shape = shape_of(1, (int)shape_size(input_shape(graph, node, 0)) + 1);
    node->type = TYPE_INDEX;
}

int group_count(const Attributes *a) { return a->groups > 1 ? a->groups : 1; }

int tap_step(const Attributes *a, int d) { return a->dilation[d] > 1 ? a->dilation[d] : 1; }

bool has_gaps(const Attributes *a) { return a->dilation[0] > 1 || a->dilation[1] > 1; }

int window_reach(const Attributes *a, int d) { return (a->kernel[d] - 1) * tap_step(a, d) + 1; }

// Sizes of the windows' grid over one picture; `same` pads as TensorFlow does: as many windows as
// fit the stride, the odd pixel of padding below and right.
static bool window_grid(const Graph *graph, Node *node, int grid[2])
{
    const Shape in = input_shape(graph, node, 0);
    Attributes *const a = &node->attributes;
    for (int d = 0; d < 2; d++) {
        const int reach = window_reach(a, d);
        if (a->pad[d] < 0) {
            grid[d] = (in.dims[d] + a->stride[d] - 1) / a->stride[d];
            const int covered = (grid[d] - 1) * a->stride[d] + reach;
            a->pad[d] = covered > in.dims[d] ? (covered - in.dims[d]) / 2 : 0;
        } else {
            grid[d] = in.dims[d] < reach ? 0 : (in.dims[d] - reach) / a->stride[d] + 1;
        }
    }
    return grid[0] > 0 && grid[1] > 0;
}

// The grid of a convolution; false after an error.
static bool conv_grid(const Graph *graph, Node *node, int grid[2])
{
    const Attributes *const a = &node->attributes;
    const Shape in = input_shape(graph, node, 0);
    if (window_grid(graph, node, grid))
        return true;
    const int height = window_reach(a, 0), width = window_reach(a, 1);
    const bool gaps = height > a->kernel[0] || width > a->kernel[1];
    error_at(E302, a->kernel_loc, "kernel %dx%d%s does not fit its %dx%d input", a->kernel[0],
             a->kernel[1], gaps ? format(", dilated to %dx%d,", height, width) : "", in.dims[0],
             in.dims[1]);
    const Node *const before = &graph->nodes[node->input[0]];
    note_at(before->loc, "'%s' leaves %s here; 'pad same' would keep its size",
            loc_text(before->loc), shape_text(in));
    return false;
}

void shape_conv(Graph *graph, Node *node)
{
    int grid[2];
    if (conv_grid(graph, node, grid))
        node->shape = shape_of(3, grid[0], grid[1], input_shape(graph, node, 1).dims[3]);
}

void shape_copies(Graph *graph, Node *node)
{
    node->shape = input_shape(graph, node, 0);
    node->shape.dims[2] = node->attributes.channels;
}

void shape_depthwise(Graph *graph, Node *node)
{
    const Shape w = input_shape(graph, node, 1);
    int grid[2];
    if (conv_grid(graph, node, grid))
        node->shape = shape_of(3, grid[0], grid[1], w.dims[2] * w.dims[3]);
}

// Of weights with rows and columns exchanged.
Shape turned_shape(Shape w)
{
    const int columns = w.dims[w.count - 1];
    return shape_of(2, columns, (int)(shape_size(w) / columns));
}

// Of a convolution's weights with the window turned round and channels exchanged: [ky][kx][ci][co]
// becomes [-ky][-kx][co][ci], in each group of channels.
Shape flipped_shape(Shape w, int groups)
{
    return shape_of(4, w.dims[0], w.dims[1], w.dims[3] / groups, w.dims[2] * groups);
}

// The picture whose convolution has this one's input's size: Keras' rule where several have.
void shape_transpose(Graph *graph, Node *node)
{
    const Shape in = input_shape(graph, node, 0), w = input_shape(graph, node, 1);
    Attributes *const a = &node->attributes;
    int size[2];
    for (int d = 0; d < 2; d++) {
        const int overlap = a->kernel[d] > a->stride[d] ? a->kernel[d] - a->stride[d] : 0;
        const bool same = a->pad[d] < 0;
        size[d] = in.dims[d] * a->stride[d] + (same ? 0 : overlap);
        a->pad[d] = same ? overlap / 2 : 0;
    }
    node->shape = shape_of(3, size[0], size[1], w.dims[2]);
}

void shape_pool(Graph *graph, Node *node)
{
    const Shape in = input_shape(graph, node, 0);
    const Attributes *const a = &node->attributes;
    int grid[2];
    if (!window_grid(graph, node, grid)) {
        error_at(E303, a->kernel_loc, "a %dx%d window of %s leaves nothing of its %dx%d input",
                 a->kernel[0], a->kernel[1], node->op == OP_maxpool ? "pool" : "avgpool",
                 in.dims[0], in.dims[1]);
        const Node *const before = &graph->nodes[node->input[0]];
        note_at(before->loc, "'%s' leaves %s here", loc_text(before->loc), shape_text(in));
        return;
    }
    const bool square = in.dims[0] == in.dims[1] && a->kernel[0] == a->kernel[1] &&
                        a->stride[0] == a->stride[1]; // what is said of rows holds for columns
    for (int d = 0; d < (square ? 1 : 2); d++) {
        const int left = in.dims[d] - ((grid[d] - 1) * a->stride[d] + a->kernel[d]);
        const int most = (in.dims[d] + a->stride[d] - 1) / a->stride[d]; // windows with `pad same`
        const bool padding_helps = (most - 1) * a->stride[d] + a->kernel[d] >= in.dims[d];
        if (left > 0 && graph == &graph->network->train) // once, not for inference again
            warn_at(node->loc,
                    "the last %d of %d %s %s dropped: windows of %d at every %d do not reach %s%s",
                    left, in.dims[d], d ? "columns" : "rows", left == 1 ? "is" : "are",
                    a->kernel[d], a->stride[d], left == 1 ? "it" : "them",
                    padding_helps ? " without 'pad same'" : "");
    }
    node->shape = shape_of(3, grid[0], grid[1], in.dims[2]);
}

void shape_reshape(Graph *graph, Node *node)
{
    (void)graph;
    if (!node->shape.count) // backward, its maker has set it
        node->shape = node->attributes.shape;
}

void shape_zeropad(Graph *graph, Node *node)
{
    const Shape in = input_shape(graph, node, 0);
    const int *const border = node->attributes.border;
    node->shape = shape_of(3, border[0] + in.dims[0] + border[1],
                           border[2] + in.dims[1] + border[3], in.dims[2]);
}

void shape_crop(Graph *graph, Node *node)
{
    const Shape in = input_shape(graph, node, 0);
    const int *const border = node->attributes.border;
    const int height = in.dims[0] - border[0] - border[1];
    const int width = in.dims[1] - border[2] - border[3];
    if (height <= 0 || width <= 0) {
        error_at(E311, node->loc, "'crop' leaves nothing of its %dx%d input", in.dims[0],
                 in.dims[1]);
        const Node *const before = &graph->nodes[node->input[0]];
        note_at(before->loc, "'%s' leaves %s here", loc_text(before->loc), shape_text(in));
        return;
    }
    node->shape = shape_of(3, height, width, in.dims[2]);
}

void shape_upsample(Graph *graph, Node *node)
{
    const Shape in = input_shape(graph, node, 0);
    const int *const factor = node->attributes.kernel;
    node->shape = shape_of(3, in.dims[0] * factor[0], in.dims[1] * factor[1], in.dims[2]);
}
