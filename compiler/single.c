// single.c: batches of one row: what is zero is skipped.
//
// With one row there is no product of matrices left: a dense layer adds up rows of its weights, and
// its update changes rows. Where a number of the input is 0, as most pixels of a drawing and half
// the results of relu are, its row of the weights adds nothing and stays as it is, so that neither
// need be read. That is exact for finite weights, and a step that isn't finite stops before it
// changes one.
#include "passes.h"

// Values that are expected to hold zeros, and whose gradient is 0 wherever they are: behind relu.
static bool leaves_zeros(const Graph *graph, int id)
{
    const Node *const node = &graph->nodes[id];
    if (node->op == OP_dropout)
        return leaves_zeros(graph, node->input[0]);
    return node->op == OP_relu || node->op == OP_picture;
}

// The node that finds where x isn't 0; -1 where there is none.
static int places_of(const Graph *graph, int x)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == OP_nonzero && graph->nodes[i].input[0] == x)
            return i;
    return -1;
}

// Before the dense layer, of its input.
static void insert_places(Graph *graph, int dense)
{
    const int x = graph->nodes[dense].input[0];
    Node *const places = node_insert(graph, dense, OP_nonzero, 1, &x);
    places->name = format("%s_nonzero", graph->nodes[x].name);
    places->suffix = "nonzero";
    infer_shape(graph, dense);
}

// dense-of-one-row: dense(x, w) becomes dense_at(x, w, places(x)).
// Condition: batches of one row, and an x that is expected to hold zeros.
void skip_zero_rows(Graph *graph)
{
    const Network *const network = graph->network;
    if (network->blas || network->block_rows * network->blocks != 1)
        return;
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].op != OP_dense || !leaves_zeros(graph, graph->nodes[i].input[0]))
            continue;
        int places = places_of(graph, graph->nodes[i].input[0]);
        if (places < 0) {
            places = i;
            insert_places(graph, i++);
        }
        Node *const dense = &graph->nodes[i];
        dense->op = OP_dense_at;
        dense->input[dense->input_count++] = places;
        dense->own_inputs = dense->input_count;
    }
}

// update-at-places: sgd(w, dense_grad_w(x, dy)) becomes dense_at_sgd(w, x, dy, places(x)).
// Condition: nothing else reads the gradient, and x has its places; a gradient of 0 changes nothing
// by plain sgd.
void update_at_places(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *const sgd = &graph->nodes[i];
        if (sgd->op != OP_sgd || sgd->dead)
            continue;
        Node *const gradient = &graph->nodes[sgd->input[1]];
        if (gradient->op != OP_dense_grad_w || gradient->kept ||
            consumers(graph, sgd->input[1]) > 1)
            continue;
        const int places = places_of(graph, gradient->input[0]);
        if (places < 0)
            continue;
        sgd->op = OP_dense_at_sgd;
        sgd->input[1] = gradient->input[0];
        sgd->input[2] = gradient->input[1];
        sgd->input[3] = places;
        sgd->own_inputs = sgd->input_count = 4;
        gradient->dead = true;
    }
}

// The node that makes dx of the very weights, dy and places by which `sgd` changes the weights; -1.
static int grad_x_beside(const Graph *graph, const Node *sgd)
{
    for (int i = graph->forward_count; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!node->dead && node->op == OP_dense_at_grad_x && node->input[0] == sgd->input[2] &&
            node->input[1] == sgd->input[0] && node->input[2] == sgd->input[3])
            return i;
    }
    return -1;
}

// update-on-the-way: dense_at_grad_x(dy, w, places) and dense_at_sgd(w, x, dy, places) become
// dense_at_grad_x_sgd(dy, w, places, x), which reads each row of the weights once for both. The
// backward pass then begins behind what may end the step.
// Condition: none but the forward pass reads the weights beside these two.
void update_on_the_way(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *const sgd = &graph->nodes[i];
        if (sgd->op != OP_dense_at_sgd || sgd->dead || consumers(graph, sgd->input[0]) > 3)
            continue;
        const int beside = grad_x_beside(graph, sgd);
        if (beside < 0)
            continue;
        Node *const node = &graph->nodes[beside];
        node->op = OP_dense_at_grad_x_sgd;
        node->input[3] = sgd->input[1];
        node->own_inputs = node->input_count = 4;
        sgd->dead = true;
    }
}
