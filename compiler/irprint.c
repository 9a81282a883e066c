// irprint.c: the graph as text, one line for each node; the same form after every pass.
#include "passes.h"

#include <string.h>

static void print_attributes(const Node *node, FILE *out)
{
    const Attributes *const a = &node->attributes;
    if (a->kernel[0])
        fprintf(out, " k=%dx%d s=%dx%d p=%d,%d", a->kernel[0], a->kernel[1], a->stride[0],
                a->stride[1], a->pad[0], a->pad[1]);
    if (a->groups > 1)
        fprintf(out, " groups=%d", a->groups);
    if (has_gaps(a))
        fprintf(out, " dilation=%dx%d", a->dilation[0], a->dilation[1]);
    if (node->op == OP_zeropad || node->op == OP_crop || node->op == OP_zeropad_grad ||
        node->op == OP_crop_grad)
        fprintf(out, " border=%d,%d,%d,%d", a->border[0], a->border[1], a->border[2], a->border[3]);
    if (a->rate != 0)
        fprintf(out, " rate=%g", a->rate);
    if (a->slope != 0)
        fprintf(out, " slope=%g", a->slope);
    if (a->lambda != 0)
        fprintf(out, " lambda=%g", a->lambda);
}

static void print_node(const Graph *graph, int id, FILE *out)
{
    static const char *const extents[] = {"rows", "blocks", "batch", "run"};
    const Node *const node = &graph->nodes[id];
    if (node->dead || node->op == OP_weight)
        return;
    fprintf(out, "%-18s = %s", node->name, op_info[node->op].name);
    for (int k = 0; k < node->own_inputs; k++)
        fprintf(out, "%s %s", k ? "," : "", graph->nodes[node->input[k]].name);
    print_attributes(node, out);
    for (int s = 0; s < node->step_count; s++) {
        const Step *const step = &node->steps[s];
        const int end =
            s + 1 < node->step_count ? node->steps[s + 1].first_input : node->input_count;
        fprintf(out, " | %s", op_info[step->op].name);
        for (int k = step->first_input; k < end; k++)
            fprintf(out, "%s %s", k > step->first_input ? "," : "",
                    graph->nodes[node->input[k]].name);
    }
    fprintf(out, " : %s[%s]", extents[node->extent],
            node->shape.count ? shape_text(node->shape) : "");
    if (graph->phases)
        fprintf(out, " phase %d", node->phase);
    if (graph->arena_bytes && node->extent != PER_RUN && node->each)
        fprintf(out, " @%ld+%ld%s", node->offset, node->each, node->local ? " slab" : "");
    int row, column;
    if (node->loc.source) {
        loc_position(node->loc, &row, &column);
        fprintf(out, "   # line %d", row);
    }
    fprintf(out, "\n");
}

void graph_dump(const Graph *graph, const char *pass, FILE *out)
{
    fprintf(out, "> after %s: %s\n", pass, graph == &graph->network->train ? "train" : "infer");
    for (int i = 0; i < graph->count; i++)
        print_node(graph, i, out);
}
