// picture.c: the layers of a network as boxes, and what goes between them as wires.
//
// A layer's nodes are one box. Which layers are wired is read off the nodes' inputs, so that
// branches need nothing of their own.
#include "picture.h"
#include "diff.h"

#include <string.h>

const char *box_title(const Box *box)
{
    return box->backward ? format("gradients of %s", box->name) : box->name;
}

static int find_box(const Picture *p, const char *layer, bool backward)
{
    for (int i = 0; i < p->box_count; i++)
        if (p->boxes[i].backward == backward && !strcmp(p->boxes[i].name, layer))
            return i;
    return -1;
}

static void add_wire(Picture *p, WireKind kind, int from, int to)
{
    if (from < 0 || to < 0)
        return;
    for (int i = 0; i < p->wire_count; i++)
        if (p->wires[i].kind == kind && p->wires[i].from == from && p->wires[i].to == to)
            return;
    p->wires[p->wire_count++] = (Wire){kind, from, to};
}

static void add_line(Box *box, const char *text)
{
    if (box->line_count == MAX_BOX_LINES)
        box->lines[MAX_BOX_LINES - 1] = "…";
    else
        box->lines[box->line_count++] = text;
}

// --- forward ------------------------------------------------------------------------------------

static const Card *card_named(const Network *network, const char *name)
{
    for (int i = 0; i < network->card_count; i++)
        if (!strcmp(network->cards[i].name, name))
            return &network->cards[i];
    return NULL;
}

static Box forward_box(const Network *network, const Node *node)
{
    const Program *const program = network->program;
    const Card *const card = card_named(network, node->layer);
    Box box = {.name = node->layer, .class = card ? "forward" : "slab"};
    if (card) {
        add_line(&box, clause_text(card->clause));
        add_line(&box, card->parameters
                           ? format("%s, %ld parameters", shape_text(card->out), card->parameters)
                           : shape_text(card->out));
    } else if (!strcmp(node->layer, "input")) {
        add_line(&box, clause_text(program->input));
    } else if (program->loss && !strcmp(node->layer, "loss")) {
        add_line(&box, clause_text(program->loss));
    }
    return box;
}

// The class of the answer is found on the way, and belongs to no layer of the text.
static bool is_drawn(const Node *node)
{
    return !node->dead && op_info[node->op].tasks != BY_NONE && strcmp(node->layer, "output") != 0;
}

static void add_forward(Picture *p, const Graph *graph, int count)
{
    for (int i = 0; i < count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!is_drawn(node))
            continue;
        if (find_box(p, node->layer, false) < 0)
            p->boxes[p->box_count++] = forward_box(graph->network, node);
        const int to = find_box(p, node->layer, false);
        for (int k = 0; k < node->input_count; k++) {
            const Node *const input = &graph->nodes[node->input[k]];
            if (is_drawn(input) && strcmp(input->layer, node->layer) != 0)
                add_wire(p, WIRE_VALUE, find_box(p, input->layer, false), to);
        }
    }
    p->forward_count = p->box_count;
}

// --- backward -----------------------------------------------------------------------------------

static Box *backward_box(Picture *p, const char *layer)
{
    const int found = find_box(p, layer, true);
    if (found >= 0)
        return &p->boxes[found];
    Box *const box = &p->boxes[p->box_count++];
    *box = (Box){
        .name = layer, .class = "gradient", .backward = true, .forward = find_box(p, layer, false)};
    return box;
}

// "d_dense1_w = dense_grad_w input, d_dense1_z", and of an update what it changes.
static const char *node_text(const Graph *graph, const Node *node)
{
    if (has_flag(node, UPDATES))
        return format("%s %s", op_info[node->op].name, node->name);
    Text text = {0};
    text_add(&text, "%s = %s", node->name, op_info[node->op].name);
    for (int k = 0; k < node->input_count; k++)
        text_add(&text, "%s %s", k ? "," : "", graph->nodes[node->input[k]].name);
    return text.text;
}

static void add_backward(Picture *p, const Graph *graph)
{
    for (int i = graph->forward_count; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (node->dead || op_info[node->op].tasks == BY_NONE || find_box(p, node->layer, false) < 0)
            continue;
        Box *const box = backward_box(p, node->layer);
        add_line(box, node_text(graph, node));
        // the norm of all gradients stands with the loss, from which they come: no wire goes back
        for (int k = 0; k < node->input_count && node->op != OP_sum_of_sums; k++) {
            const int id = node->input[k];
            const Node *const input = &graph->nodes[id];
            if (!is_drawn(input))
                continue;
            if (id < graph->forward_count)
                add_wire(p, WIRE_SAVED, find_box(p, input->layer, false), (int)(box - p->boxes));
            else if (strcmp(input->layer, node->layer) != 0)
                add_wire(p, WIRE_GRADIENT, find_box(p, input->layer, true), (int)(box - p->boxes));
        }
    }
}

Picture picture_of(const Network *network, bool backward)
{
    const Graph *const graph = network->trains ? &network->train : &network->infer;
    Picture p = {.title = network->program->name};
    p.boxes = allocate((size_t)graph->count * 2 * sizeof *p.boxes);
    p.wires = allocate((size_t)graph->count * MAX_INPUTS * sizeof *p.wires);
    add_forward(&p, graph, backward ? graph->forward_count : graph->count);
    if (backward)
        add_backward(&p, graph);
    return p;
}
