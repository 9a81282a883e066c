// zeros.c: products of pictures that leave out zeros.
//
// Four of five pixels of a drawing are 0, and where such lie side by side a whole tile of a product
// has nothing to add: a few pictures that are 0 at one place, or a few places that are 0 in one
// picture. Before its tiles begin, a product lists for each row of them the terms that are not; the
// others would add 0, so that the sums are the same bits. That is exact for finite weights, and a
// step that isn't finite stops before it changes one.
#include "passes.h"

static bool multiplies_pictures(const Graph *graph, const Node *node)
{
    if (node->op != OP_dense && node->op != OP_dense_slice && node->op != OP_dense_grad_w &&
        node->op != OP_dense_slice_grad_w)
        return false;
    const Node *const x = &graph->nodes[node->input[0]];
    return x->step_count == 0 &&
           (x->op == OP_picture || x->op == OP_picture_slice || x->op == OP_augmented);
}

// The lists lie on the thread's stack.
static bool has_room(const Graph *graph, const Node *node)
{
    enum { MOST_BYTES = 256 << 10, LEAST_ROWS = 2 }; // of a tile
    const Node *const x = &graph->nodes[node->input[0]];
    const int *const dims = x->shape.dims;
    const long terms = x->op == OP_picture_slice ? dims[2] : shape_size(x->shape);
    const long rows = x->op == OP_picture_slice ? dims[1] : graph->network->block_rows;
    return (rows / LEAST_ROWS + 1) * terms * element_bytes(graph->network, TYPE_INDEX) <=
           MOST_BYTES;
}

// zeros-of-pictures: products of pictures look for zeros, where the data set has many.
// Condition: a batch of several rows (single.c has its own way for one), pictures that nothing but
// chance changes, products of tiles, single precision, and lists that are not too long.
void skip_zeros(Graph *graph)
{
    const Network *const network = graph->network;
    const bool several = network->block_rows * network->blocks > 1;
    if (network->blas || network->auto_gemm || network->doubles || !several)
        return;
    for (int i = 0; i < graph->count; i++) {
        Node *const node = &graph->nodes[i];
        node->skips = !node->dead && multiplies_pictures(graph, node) && has_room(graph, node) &&
                      !(node->op == OP_dense && dense_takes_blas(graph, node)); // as measured
    }
}

bool any_skips(const Graph *graph)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].skips)
            return true;
    return false;
}
