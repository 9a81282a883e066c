// in_place.c: values whose place the next one takes.
//
// An elementwise op reads a number and writes one; a gradient of pooling writes each window where
// it has just read it. Where nobody reads such an input later, its place is the result's: the arena
// gets smaller, and what is written lies in the cache. What only sees its input in another shape
// lies there in any case, and has no function.
#include "passes.h"

// The input whose numbers the node has read before it writes there; -1 where there is none.
static int replaced_input(const Graph *graph, const Node *node)
{
    if (op_info[node->op].tasks != BY_ROWS || node->extent != PER_ROW)
        return -1;
    if (node->op == OP_maxpool_grad)
        return unpools_in_place(graph, node) ? 1 : -1;
    return has_flag(node, ELTWISE) && !has_flag(node, ANCHOR) ? 0 : -1;
}

static bool reads(const Node *node, int value)
{
    for (int k = 0; k < node->input_count; k++)
        if (node->input[k] == value)
            return true;
    return false;
}

// Whether nothing needs the value when the node has run on a block of rows, in no shape that it is
// seen in.
static bool needs_last(const Graph *graph, int id, int value)
{
    const Node *const node = &graph->nodes[id], *const there = &graph->nodes[value];
    if (there->kept || there->chunked)
        return false;
    for (int i = 0; i < graph->count; i++) {
        const Node *const other = &graph->nodes[i];
        if (i != id && !other->dead && reads(other, value) &&
            !(other->phase < node->phase ||
              (other->phase == node->phase && i < id && op_info[other->op].tasks == BY_ROWS)))
            return false;
    }
    return !there->alias ||
           (!reads(node, there->replaced) && needs_last(graph, id, there->replaced));
}

// The value that takes this one's place; -1 where there is none.
int replaced_by(const Graph *graph, int value)
{
    for (int id = value + 1; id < graph->count; id++)
        if (graph->nodes[id].in_place && graph->nodes[id].replaced == value)
            return id;
    return -1;
}

static bool same_bytes(const Graph *graph, int a, int b)
{
    const Node *const x = &graph->nodes[a], *const y = &graph->nodes[b];
    return in_arena(x) && in_arena(y) && x->extent == PER_ROW && y->extent == PER_ROW &&
           x->type == y->type && x->line == y->line && x->ahead == y->ahead &&
           shape_size(x->shape) == shape_size(y->shape) && x->chunked == y->chunked &&
           kept_by_chunk(graph, a) == kept_by_chunk(graph, b);
}

static bool is_other_shape(const Node *node)
{
    return !node->step_count && (node->op == OP_reshape || node->op == OP_reshape_grad);
}

// needs: phases; makes: Node.in_place, Node.replaced, Node.alias.
// in-place: a result lies where an input was.
// Condition: the op allows it, nothing needs the input later, both have the same bytes, and neither
// is kept or belongs to a chunk.
// alias: a result is its input.
// Condition: it is that in another shape, both have the same bytes, and nothing else has them yet.
void replace_inputs(Graph *graph)
{
    for (int id = 0; id < graph->count; id++) {
        Node *const node = &graph->nodes[id];
        const int k = node->dead ? -1 : replaced_input(graph, node);
        if (k < 0 || !same_bytes(graph, id, node->input[k]) ||
            replaced_by(graph, node->input[k]) >= 0)
            continue;
        node->replaced = node->input[k];
        node->alias = is_other_shape(node);
        node->in_place = node->alias || (!node->kept && needs_last(graph, id, node->replaced));
    }
}
