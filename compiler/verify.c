// verify.c: what must hold of a graph after every pass. Always on: it costs microseconds.
#include "passes.h"

#include <stdlib.h>
#include <string.h>

static void check_node(const Graph *graph, int id, const char *pass)
{
    const Node *const node = &graph->nodes[id];
    if (!node->name || !node->layer || !node->suffix)
        bug("after %s: node %d (%s) has no name", pass, id, op_info[node->op].name);
    for (int k = 0; k < node->input_count; k++) {
        const int in = node->input[k];
        const bool leaf = in >= 0 && in < graph->count && graph->nodes[in].op == OP_weight;
        if (in < 0 || (in >= id && !leaf))
            bug("after %s: '%s' reads node %d, which does not come before it", pass, node->name,
                in);
        if (graph->nodes[in].dead)
            bug("after %s: '%s' reads '%s', which is dropped", pass, node->name,
                graph->nodes[in].name);
    }
    for (int d = 0; d < node->shape.count; d++)
        if (node->shape.dims[d] <= 0)
            bug("after %s: '%s' has shape %s", pass, node->name, shape_text(node->shape));
    int inputs = node->own_inputs;
    for (int s = 0; s < node->step_count; s++) {
        if (node->steps[s].first_input != inputs)
            bug("after %s: a step of '%s' begins at input %d, not %d", pass, node->name,
                node->steps[s].first_input, inputs);
        if (!(op_info[node->steps[s].op].flags & ELTWISE))
            bug("after %s: step %s of '%s' is not elementwise", pass,
                op_info[node->steps[s].op].name, node->name);
        inputs = s + 1 < node->step_count ? node->steps[s + 1].first_input : node->input_count;
    }
    if (inputs != node->input_count)
        bug("after %s: '%s' has %d inputs, its steps know %d", pass, node->name, node->input_count,
            inputs);
}

static int by_letters(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Names of values are names of C: no two may be equal.
static void check_names(const Graph *graph, const char *pass)
{
    const char **const names = allocate((size_t)graph->count * sizeof *names);
    int count = 0;
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!node->dead && !has_flag(node, UPDATES) && node->extent != PER_RUN &&
            strcmp(node->name, "result") != 0)
            names[count++] = node->name;
    }
    qsort(names, (size_t)count, sizeof *names, by_letters);
    for (int i = 1; i < count; i++)
        if (!strcmp(names[i - 1], names[i]))
            bug("after %s: two values are called '%s'", pass, names[i]);
}

void verify(const Graph *graph, const char *pass)
{
    for (int i = 0; i < graph->count; i++)
        if (!graph->nodes[i].dead)
            check_node(graph, i, pass);
    if (!strcmp(pass, "fuse") || !strcmp(pass, "plan"))
        check_names(graph, pass);
}
