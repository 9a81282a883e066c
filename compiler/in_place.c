// in_place.c: values whose place the next one takes.
//
// An elementwise op reads a number and writes one; a gradient of pooling writes each window where
// it has just read it. Where nobody reads such an input later, its place is the result's: the arena
// gets smaller, and what is written lies in the cache.
#include "netc.h"

// The input whose numbers the node has read before it writes there; -1 where there is none.
static int replaced_input(const Graph *graph, const Node *node)
{
    if (op_info[node->op].tasks != BY_ROWS || node->extent != PER_ROW)
        return -1;
    if (node->op == OP_maxpool_grad)
        return unpools_in_place(graph, node) ? 1 : -1;
    return has_flag(node, ELTWISE) && !has_flag(node, ANCHOR) ? 0 : -1;
}

// Whether all others that read the value have done so when the node runs on a block of rows.
static bool reads_last(const Graph *graph, int id, int value)
{
    const Node *const node = &graph->nodes[id];
    for (int i = 0; i < graph->count; i++) {
        const Node *const other = &graph->nodes[i];
        if (i == id || other->dead)
            continue;
        for (int k = 0; k < other->input_count; k++)
            if (other->input[k] == value &&
                !(other->phase < node->phase || (other->phase == node->phase && i < id &&
                                                 op_info[other->op].tasks == BY_ROWS)))
                return false;
    }
    return true;
}

// The value that takes this one's place; -1 where there is none.
int replaced_by(const Graph *graph, int value)
{
    for (int id = value + 1; id < graph->count; id++)
        if (graph->nodes[id].in_place && graph->nodes[id].replaced == value)
            return id;
    return -1;
}

// needs: phases; makes: Node.in_place, Node.replaced. in-place: a result lies where an input was.
// Condition: the op allows it, nothing reads the input later, both have the same bytes, and neither
// is kept or belongs to a chunk.
void replace_inputs(Graph *graph)
{
    for (int id = 0; id < graph->count; id++) {
        Node *const node = &graph->nodes[id];
        const int k = node->dead ? -1 : replaced_input(graph, node);
        if (k < 0)
            continue;
        const Node *const value = &graph->nodes[node->input[k]];
        const bool alike = in_arena(value) && value->extent == PER_ROW &&
                           value->type == node->type && value->line == node->line &&
                           shape_size(value->shape) == shape_size(node->shape);
        const bool free = !node->kept && !value->kept && !node->chunked && !value->chunked;
        if (alike && free && reads_last(graph, id, node->input[k])) {
            node->in_place = true;
            node->replaced = node->input[k];
        }
    }
}
