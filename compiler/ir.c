// ir.c: the graph: nodes, tensors, shapes, and who reads what.
#include "ir.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const OpInfo op_info[OP_COUNT] = {
#define OP(id, roles, out, extent_, tasks_, flags_, shape_fn, grad_fn, work_, text)                \
    [OP_##id] = {.name = #id,                                                                      \
                 .inputs = roles,                                                                  \
                 .result = out,                                                                    \
                 .extent = extent_,                                                                \
                 .tasks = tasks_,                                                                  \
                 .flags = flags_,                                                                  \
                 .shape = shape_##shape_fn,                                                        \
                 .grad = grad_##grad_fn,                                                           \
                 .emit = emit_##id,                                                                \
                 .work = work_,                                                                    \
                 .formula = text},
#include "ops.def"
};

Op op_named(const char *name)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (!strcmp(op_info[op].name, name))
            return (Op)op;
    bug("no op '%s'", name);
}

// Adds a node and infers its shape where its op's inputs decide it. The node's name is that of its
// layer; the caller renames what needs another.
int node_add(Graph *graph, Op op, const char *layer, Loc loc, int input_count, const int *inputs)
{
    if (input_count > MAX_INPUTS)
        bug("%s: %d inputs", op_info[op].name, input_count);
    if (graph->count == graph->capacity) {
        const int capacity = graph->capacity ? 2 * graph->capacity : 64;
        Node *const nodes = allocate((size_t)capacity * sizeof *nodes);
        if (graph->count)
            memcpy(nodes, graph->nodes, (size_t)graph->count * sizeof *nodes);
        graph->nodes = nodes;
        graph->capacity = capacity;
    }
    Node *const node = &graph->nodes[graph->count];
    *node = (Node){.op = op,
                   .name = layer,
                   .layer = layer,
                   .suffix = "forward",
                   .loc = loc,
                   .input_count = input_count,
                   .own_inputs = input_count,
                   .extent = op_info[op].extent};
    for (int i = 0; i < input_count; i++) {
        if (inputs[i] < 0 || inputs[i] >= graph->count)
            bug("%s of %s: input %d does not come before it", op_info[op].name, layer, i);
        node->input[i] = inputs[i];
    }
    return graph->count++;
}

// At `place`, where others move on; its inputs come before it, or are leaves.
Node *node_insert(Graph *graph, int place, Op op, int input_count, const int *inputs)
{
    const Node *const at = &graph->nodes[place];
    node_add(graph, op, at->layer, at->loc, input_count, inputs);
    const Node made = graph->nodes[graph->count - 1];
    for (int i = graph->count - 1; i > place; i--)
        graph->nodes[i] = graph->nodes[i - 1];
    graph->nodes[place] = made;
    for (int i = place; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            graph->nodes[i].input[k] += graph->nodes[i].input[k] >= place;
    graph->forward_count += place < graph->forward_count;
    for (int i = 0; graph == &graph->network->train && i < graph->network->tensor_count; i++)
        graph->network->tensors[i].gradient += graph->network->tensors[i].gradient >= place;
    return &graph->nodes[place];
}

int tensor_add(Network *network, Tensor tensor)
{
    for (int i = 0; i < network->tensor_count; i++)
        if (!strcmp(network->tensors[i].name, tensor.name))
            bug("tensor '%s' is there already", tensor.name);
    enum { STEP = 64 };
    if (network->tensor_count % STEP == 0) {
        const size_t size = (size_t)(network->tensor_count + STEP) * sizeof(Tensor);
        Tensor *const tensors = allocate(size);
        if (network->tensor_count)
            memcpy(tensors, network->tensors, (size_t)network->tensor_count * sizeof(Tensor));
        network->tensors = tensors;
    }
    tensor.gradient = tensor.average_of = -1;
    network->tensors[network->tensor_count] = tensor;
    return network->tensor_count++;
}

int weight_node(Graph *graph, int tensor)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == OP_weight && graph->nodes[i].attributes.tensor == tensor)
            return i;
    const Tensor *const t = &graph->network->tensors[tensor];
    const int id = node_add(graph, OP_weight, t->layer, t->loc, 0, NULL);
    Node *const node = &graph->nodes[id];
    node->name = t->name;
    node->attributes.tensor = tensor;
    node->shape = t->shape;
    node->line = t->line;
    return id;
}

long shape_size(Shape shape)
{
    long size = 1;
    for (int i = 0; i < shape.count; i++)
        size *= shape.dims[i];
    return size;
}

Shape shape_of(int count, ...)
{
    Shape shape = {.count = count};
    va_list dims;
    va_start(dims, count);
    for (int i = 0; i < count; i++)
        shape.dims[i] = va_arg(dims, int);
    va_end(dims);
    return shape;
}

bool shape_equal(Shape a, Shape b)
{
    return a.count == b.count && a.panel_rows == b.panel_rows &&
           !memcmp(a.dims, b.dims, (size_t)a.count * sizeof(int));
}

Shape flat(Shape shape) { return shape_of(1, (int)shape_size(shape)); }

const char *shape_text(Shape shape)
{
    if (!shape.count)
        return "1";
    Text text = {0};
    for (int i = 0; i < shape.count; i++)
        text_add(&text, "%s%d", i ? "x" : "", shape.dims[i]);
    return text.text;
}

// A fused node has the flags of its steps too.
bool has_flag(const Node *node, int flag)
{
    if (op_info[node->op].flags & flag)
        return true;
    if ((flag & USES_BATCH) && node->skips)
        return true;
    if (flag & (USES_BATCH | USES_ROW | DRAWS))
        for (int i = 0; i < node->step_count; i++)
            if (op_info[node->steps[i].op].flags & flag)
                return true;
    return false;
}

bool is_saved(const Tensor *tensor)
{
    return tensor->role != ROLE_DERIVED && tensor->role != ROLE_CHANGES;
}

// A node that makes something for others to read within the step.
bool has_value(const Node *node)
{
    return !node->dead && node->extent != PER_RUN && !has_flag(node, STOPS) &&
           node->op != OP_before;
}

// And not only while a task is at it.
bool in_arena(const Node *node) { return has_value(node) && !node->piece; }

// What is called when it is its turn.
bool has_function(const Node *node)
{
    return !node->dead && !node->alias && op_info[node->op].tasks != BY_NONE;
}

// An input that was among the earlier ones: a function has one parameter for both.
bool is_repeated(const Node *node, int input)
{
    for (int k = 0; k < input; k++)
        if (node->input[k] == node->input[input])
            return true;
    return false;
}

bool has_parameter(const Node *node, int input)
{
    return !is_repeated(node, input) && !(node->in_place && node->input[input] == node->replaced);
}

bool is_read(const Node *node, int input)
{
    return !is_repeated(node, input) && !(node->claims && input == node->own_inputs - 1);
}

bool writes(const Graph *graph, const Node *node, int input)
{
    const Node *const in = &graph->nodes[node->input[input]];
    if (in->op != OP_weight)
        return false;
    if (has_flag(node, CHANGES) || node->op == OP_dense_ahead)
        return input == 1;
    return has_flag(node, UPDATES) &&
           (input == 0 || graph->network->tensors[in->attributes.tensor].role != ROLE_WEIGHT);
}

int consumers(const Graph *graph, int node)
{
    int count = 0;
    for (int i = 0; i < graph->count; i++)
        if (!graph->nodes[i].dead)
            for (int k = 0; k < graph->nodes[i].input_count; k++)
                count += graph->nodes[i].input[k] == node;
    return count;
}

void replace_uses(Graph *graph, int from, int to)
{
    for (int i = 0; i < graph->count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].input[k] == from)
                graph->nodes[i].input[k] = to;
    for (int i = 0; i < graph->network->tensor_count; i++)
        if (graph == &graph->network->train && graph->network->tensors[i].gradient == from)
            graph->network->tensors[i].gradient = to;
}

const char *real_type(const Network *network) { return network->doubles ? "double" : "float"; }

long element_bytes(const Network *network, ElementType type)
{
    switch (type) {
    case TYPE_REAL: return network->doubles ? 8 : 4;
    case TYPE_DOUBLE: return 8;
    case TYPE_INDEX: return 4;
    }
    bug("type %d", (int)type);
}

long node_rows(const Network *network, const Node *node)
{
    switch (node->extent) {
    case PER_ROW: return (long)network->blocks * network->block_rows;
    case PER_BLOCK: return network->blocks;
    case PER_BATCH:
    case PER_RUN: return 1;
    }
    bug("extent %d", (int)node->extent);
}
