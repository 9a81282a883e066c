// slice.c: the first dense layer, cut along its inputs, so that weights never move between threads.
//
// A batch cut by rows alone has every thread read all weights, half of which another thread has
// just changed: on two threads, fetching them takes longer than the product itself. Cut along its
// inputs, a layer's task gathers its slice of each picture, multiplies it by its rows of the
// weights, and later changes those; what moves is the layer's sums and their gradient, which are
// far smaller. They are added in pairs: one or two threads, to whom both of a pair belong, do so in
// the product itself, and exchange half as much. The bits do not depend on the threads.
#include "passes.h"

enum { SLICES = 4 }; // two pairs, and as many as a batch has blocks of rows

// The dense layer that alone reads a picture, and whose weights' parts fill slices; -1: none.
static int sliceable(const Graph *graph, int picture)
{
    const Network *const network = graph->network;
    const bool many = network->chunks == 1 && network->block_rows * network->blocks > 1;
    if (!many || graph->nodes[picture].op != OP_picture || consumers(graph, picture) != 1)
        return -1;
    for (int i = picture + 1; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (node->op != OP_dense || node->input[0] != picture)
            continue;
        const Shape w = graph->nodes[node->input[1]].shape;
        const bool whole = part_count(w) >= SLICES && w.dims[0] % SLICES == 0 &&
                           w.dims[0] / SLICES % part_rows(w) == 0;
        return whole ? i : -1;
    }
    return -1;
}

// terms-by-owner: dense(picture, w) becomes slice_sum(dense_slice(picture_slice, w)).
// Condition: a batch of several rows that is not worked on in chunks, pictures that nothing changes
// or reads but the layer, and slices that are made of whole parts of the weights.
void slice_first_layer(Graph *graph)
{
    const int batch = (int)setting_number(graph->network->program->batch, "size");
    for (int i = 0; i < graph->count; i++) {
        const int dense = sliceable(graph, i);
        if (dense < 0)
            continue;
        Node *const picture = &graph->nodes[i];
        const int terms = (int)shape_size(picture->shape) / SLICES;
        picture->op = OP_picture_slice;
        picture->extent = PER_BATCH;
        picture->suffix = "slice";
        picture->shape = shape_of(3, SLICES, batch, terms);

        const Node whole = graph->nodes[dense];
        Node *const slice = node_insert(graph, dense, OP_dense_slice, 2, whole.input);
        slice->name = format("%s_slices", whole.layer);
        slice->suffix = "slice";
        slice->attributes = whole.attributes;
        slice->shape = shape_of(3, SLICES, batch, whole.shape.dims[0]);
        Node *const sum = &graph->nodes[dense + 1];
        sum->op = OP_slice_sum;
        sum->input[0] = dense;
        sum->input_count = sum->own_inputs = 1;
        return;
    }
}
