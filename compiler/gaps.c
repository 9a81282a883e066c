// gaps.c: gradients whose rows begin with a line of the cache.
//
// An outer product loads whole vectors of dy's rows, and 50 or 300 numbers are no whole lines: each
// such vector then lies in two of them, one of which another thread may have written. With a gap
// behind each row it lies in one. Rows whole pages apart would fall into few sets of the first
// cache and throw each other out, so that a number of lines that is a multiple of 8 becomes odd.
#include "netc.h"

// A shape of the node's value with the gaps behind its rows.
Shape stored_shape(const Node *node, Shape shape)
{
    return node->line ? shape_of(1, node->line) : shape;
}

static int line_of(const Network *network, int columns)
{
    enum { LINE_BYTES = 64, TOO_EVEN = 8 };
    const int numbers = LINE_BYTES / (network->doubles ? 8 : 4);
    const int lines = (columns + numbers - 1) / numbers;
    return (lines % TOO_EVEN ? lines : lines + 1) * numbers;
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
void leave_gaps(Graph *graph)
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
