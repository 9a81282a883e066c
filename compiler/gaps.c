// gaps.c: matrices whose rows begin with a line of the cache.
//
// 50 or 300 numbers are no whole lines: a vector of such a row lies in two of them, and takes two
// accesses. With a gap behind each row it lies in one.
#include "passes.h"

Shape with_gaps(Shape shape, int line)
{
    if (line)
        shape.dims[shape.count - 1] = line;
    return shape;
}

Shape stored_shape(const Node *node, Shape shape) { return with_gaps(shape, node->line); }

static int line_numbers(const Network *network)
{
    enum { LINE_BYTES = 64 };
    return LINE_BYTES / (int)element_bytes(network, TYPE_REAL);
}

static int whole_lines(const Network *network, int columns)
{
    return (columns + line_numbers(network) - 1) / line_numbers(network);
}

int stored_columns(const Network *network, int columns)
{
    return whole_lines(network, columns) * line_numbers(network);
}

// --- gradients ----------------------------------------------------------------------------------
// An outer product loads whole vectors of dy's rows, and of two lines one may be another thread's.

// Rows whole pages apart would fall into few sets of the first cache and throw each other out, so
// that a number of lines that is a multiple of 8 becomes odd.
static int line_of(const Network *network, int columns)
{
    enum { TOO_EVEN = 8 };
    const int lines = whole_lines(network, columns);
    return (lines % TOO_EVEN ? lines : lines + 1) * line_numbers(network);
}

// Whether the consumer finds its rows wherever they are.
static bool knows_lines(const Graph *graph, const Node *node, int value)
{
    const int columns = graph->nodes[value].shape.dims[0];
    for (int k = 0; k < node->input_count; k++) {
        if (node->input[k] != value)
            continue;
        switch (node->op) {
        case OP_dense_grad_w:
        case OP_dense_slice_grad_w:
            if (k != 1)
                return false;
            break;
        case OP_dense_grad_x:
            if (k != 0)
                return false;
            break;
        case OP_bias_grad:
            if (node->shape.dims[0] != columns)
                return false;
            break;
        default: return false;
        }
    }
    return true;
}

static bool gains(const Node *node, int value)
{
    return (node->op == OP_dense_grad_w || node->op == OP_dense_slice_grad_w) &&
           node->input[1] == value && node->shape.panel_rows;
}

// lines-of-gradients: the rows of dy begin with a line of the cache.
// Condition: a product makes it, and nothing reads it but products and the sum for a bias; one of
// them is an outer product in panels.
static void leave_gaps_in_gradients(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *const dy = &graph->nodes[i];
        if (dy->dead || dy->op != OP_dense_grad_x || dy->shape.count != 1)
            continue;
        bool known = true, gain = false;
        for (int k = 0; k < graph->count; k++) {
            const Node *const node = &graph->nodes[k];
            known &= node->dead || knows_lines(graph, node, i);
            gain |= !node->dead && gains(node, i);
        }
        const int line = line_of(graph->network, dy->shape.dims[0]);
        if (known && gain && line != dy->shape.dims[0])
            dy->line = line;
    }
}

// --- weights ------------------------------------------------------------------------------------
// With batches of one row, rows of weights are read and changed one by one.

// Whether all that a training step does with the weights is done row by row.
static bool goes_by_rows(const Graph *graph, int w)
{
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        for (int k = 0; !node->dead && k < node->input_count; k++)
            if (node->input[k] == w && node->op != OP_dense_at && node->op != OP_dense_at_grad_x &&
                node->op != OP_dense_at_grad_x_sgd && node->op != OP_dense_at_sgd)
                return false;
    }
    return true;
}

static void set_line(Graph *graph, int w, int line)
{
    graph->nodes[w].line = line;
    graph->network->tensors[graph->nodes[w].attributes.tensor].line = line;
}

// lines-of-weights: the rows of w begin with a line of the cache.
// Condition: nothing but functions for batches of one row has the weights, and the gaps are short:
// rows without them share lines with their neighbours, which are read too where a stroke is drawn.
static void leave_gaps_in_weights(Graph *graph)
{
    enum { NUMBERS_FOR_ONE = 8 };
    Network *const network = graph->network;
    for (int i = 0; i < graph->count; i++) {
        const int w = graph->nodes[i].op == OP_dense_at ? graph->nodes[i].input[1] : -1;
        const int columns = w >= 0 ? graph->nodes[w].shape.dims[1] : 0;
        const int line = stored_columns(network, columns);
        const int gap = line - columns;
        if (!gap || gap * NUMBERS_FOR_ONE > columns || !goes_by_rows(graph, w))
            continue;
        set_line(graph, w, line);
    }
}

int columns_ahead(const Network *network, int columns)
{
    const int lanes = vector_lanes(network);
    return (columns + lanes - 1) / lanes * lanes;
}

// vectors-ahead: the rows of w, of its sums and of its changes are whole vectors.
// Condition: the sums are made for several steps.
static void leave_gaps_ahead(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *const node = &graph->nodes[i];
        const int columns = node->shape.count ? node->shape.dims[node->shape.count - 1] : 0;
        const int line = columns_ahead(graph->network, columns);
        if (node->dead || line == columns)
            continue;
        if (node->op == OP_dense_ahead)
            node->line = line;
        if (node->op == OP_dense_late_sgd)
            for (int k = 0; k < 2; k++) // w and its changes
                if (!graph->nodes[node->input[k]].shape.panel_rows)
                    set_line(graph, node->input[k], line);
    }
}

void leave_gaps(Graph *graph)
{
    leave_gaps_in_gradients(graph);
    leave_gaps_in_weights(graph);
    leave_gaps_ahead(graph);
}
