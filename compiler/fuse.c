// fuse.c: named rewrites of the graph that keep its values, and the fusion of elementwise ops into
// the loop that makes what they read.
//
// A rewrite states its condition; where the condition fails, nothing happens and the result is the
// same numbers from more loops.
#include "passes.h"

#include <string.h>

// relu-through-dropout: relu_grad(dropout_grad(dy), y) reads dropout's result instead of relu's,
// which then has no second reader and need not be stored.
// Safe because both are positive at the same places wherever dropout_grad(dy) is not 0.
static void relu_through_dropout(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *const grad = &graph->nodes[i];
        if (grad->op != OP_relu_grad || grad->dead)
            continue;
        const Node *const masked = &graph->nodes[grad->input[0]];
        if (masked->op != OP_dropout_grad)
            continue;
        for (int f = 0; f < graph->forward_count; f++) {
            const Node *const forward = &graph->nodes[f];
            if (forward->op == OP_dropout && forward->layer == masked->layer &&
                forward->input[0] == grad->input[1])
                grad->input[1] = f;
        }
    }
}

// Nodes that nothing reads and that change nothing.
void drop_dead(Graph *graph)
{
    int *const readers = allocate((size_t)graph->count * sizeof *readers);
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; !graph->nodes[i].dead && k < graph->nodes[i].input_count; k++)
            readers[graph->nodes[i].input[k]]++;
    for (int i = graph->count - 1; i >= 0; i--) {
        Node *const node = &graph->nodes[i];
        if (node->dead || node->kept || readers[i] || has_flag(node, UPDATES | CHANGES | STOPS))
            continue;
        node->dead = true;
        for (int k = 0; k < node->input_count; k++)
            readers[node->input[k]]--;
    }
}

// Both see the same channels in a row, or one of them sees none: behind flatten, each value is one.
static bool channels_agree(const Graph *graph, const Node *anchor, const Node *eltwise)
{
    const int wanted = node_channels(graph, eltwise);
    const Shape seen = view(graph, anchor);
    const int there = has_flag(anchor, ANCHOR) ? seen.dims[seen.count - 1]
                                               : node_channels(graph, anchor);
    return op_info[anchor->op].tasks != BY_ROWS || !wanted || !there || wanted == there;
}

// The elementwise node that alone reads `anchor` and can run in its loop, or -1.
static int fusible(const Graph *graph, int anchor)
{
    const Node *const a = &graph->nodes[anchor];
    if (a->dead || a->kept || a->step_count == MAX_STEPS || !has_flag(a, ANCHOR | ELTWISE) ||
        consumers(graph, anchor) != 1)
        return -1;
    for (int i = anchor + 1; i < graph->count; i++) {
        const Node *const e = &graph->nodes[i];
        if (e->dead || e->input[0] != anchor || !has_flag(e, ELTWISE))
            continue;
        if (e->chunked != a->chunked || e->extent != a->extent ||
            op_info[e->op].tasks != op_info[a->op].tasks || !shape_equal(e->shape, a->shape) ||
            !channels_agree(graph, a, e) || a->input_count + e->input_count - 1 > MAX_INPUTS)
            return -1;
        if (has_flag(e, DRAWS) && has_flag(a, DRAWS))
            return -1; // a function draws from one stream
        for (int k = 1; k < e->input_count; k++)
            if (e->input[k] > anchor && graph->nodes[e->input[k]].op != OP_weight)
                return -1; // not there yet when the anchor runs
        return i;
    }
    return -1;
}

static void absorb(Graph *graph, int anchor, int eltwise)
{
    Node *const a = &graph->nodes[anchor], *const e = &graph->nodes[eltwise];
    a->steps[a->step_count++] = (Step){.op = e->op,
                                       .first_input = a->input_count,
                                       .attributes = e->attributes,
                                       .layer = e->layer,
                                       .loc = e->loc};
    for (int k = 1; k < e->input_count; k++)
        a->input[a->input_count++] = e->input[k];
    a->name = e->name;
    a->kept = e->kept;
    e->dead = true;
    replace_uses(graph, eltwise, anchor);
}

// a + b is b + a, and a b is b a: they run in the loop of whichever operand can take them.
static void turn_round(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *const node = &graph->nodes[i];
        const bool turns =
            node->op == OP_add || node->op == OP_gradient_sum || node->op == OP_multiply;
        if (turns && !node->dead && node->input[1] > node->input[0]) {
            const int first = node->input[0];
            node->input[0] = node->input[1];
            node->input[1] = first;
        }
    }
}

// needs: shapes, gradients; makes: steps in anchors; breaks: nothing, values keep their numbers
void fuse(Graph *graph)
{
    relu_through_dropout(graph);
    drop_dead(graph);
    turn_round(graph);
    for (int anchor = 0; anchor < graph->count; anchor++)
        for (int next; (next = fusible(graph, anchor)) >= 0;)
            absorb(graph, anchor, next);
    drop_dead(graph);
}
