// panels.c: weights in the layout that the tiles of a product read.
//
// A tile goes down a strip of columns. In a matrix of rows each of its steps lies a whole row
// further on, in another page or at the other end of a cache line; in a panel, a strip's columns by
// themselves, the steps lie end to end. Weights, what the optimizer remembers of them and their
// gradient lie in panels alike, so that an update is a loop over numbers side by side. Files hold
// rows: whoever reads or writes one (runtime/tensors.c) finds the places.
#include "passes.h"

int panel_columns(const Network *network) { return PANEL_VECTORS * vector_lanes(network); }

// How the columns of a matrix lie in panels of so many rows. Where so few of them are left for a
// last vector that it would do next to nothing, each of those lies by itself (emit_lone.c). A
// single vector that is left for the last panel lies with the one before where a tile can be one
// vector wider: a tile of one vector waits for the numbers that it spreads.
Panels panels_of(const Network *network, int rows, int columns)
{
    const int lanes = vector_lanes(network), width = panel_columns(network);
    const int lone = columns % lanes;
    const bool apart = lone <= lanes / 4 && columns > width && rows >= 2 * lanes;
    const int whole = apart ? columns - lone : columns, left = whole % width;
    const bool joins = left == lanes && whole > width &&
                       most_tile_rows(network, PANEL_VECTORS + 1) > 2;
    return (Panels){width, whole - left - (joins ? width : 0), whole};
}

int panel_most(const Network *network, Shape shape)
{
    const int columns = shape.dims[shape.count - 1];
    const Panels p = panels_of(network, shape.panel_rows, columns);
    const int left = p.whole - p.last;
    return left > p.width ? left : p.width;
}

// "panels of 196x32, 196x18", "a panel of 196x48, 2 columns of 196"
const char *panels_text(const Network *network, Shape shape)
{
    const int rows = shape.panel_rows, columns = shape.dims[shape.count - 1];
    const Panels p = panels_of(network, rows, columns);
    const char *const most = p.last ? format("panels of %dx%d", rows, p.width) : "";
    const char *const last = p.last < p.whole
                                 ? format("%s%dx%d", p.last ? ", " : "a panel of ", rows,
                                          p.whole - p.last)
                                 : "";
    const char *const lone =
        p.whole < columns ? format(", %d column%s of %d", columns - p.whole,
                                   columns - p.whole > 1 ? "s" : "", rows)
                          : "";
    return format("%s%s%s", most, last, lone);
}

// The update of a tensor, where nothing but products, penalties and the optimizer touches it; -1.
static int only_update(const Graph *graph, int w)
{
    int update = -1;
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        for (int k = 0; !node->dead && k < node->input_count; k++) {
            if (node->input[k] != w)
                continue;
            const bool reads = node->op == OP_dense || node->op == OP_dense_slice ||
                               node->op == OP_penalty || node->op == OP_l1_grad ||
                               node->op == OP_l2_grad || (node->op == OP_turn && k == 1);
            const bool updates = has_flag(node, UPDATES) && !has_flag(node, DERIVES) && k == 0 &&
                                 node->op != OP_max_norm && node->op != OP_dense_at_sgd &&
                                 node->op != OP_dense_late_sgd;
            if (!reads && !updates)
                return -1;
            update = updates ? i : update;
        }
    }
    return update;
}

// Such a penalty is no step of the product (chunk.c), and has a loop over rows.
static bool penalised_in_chunks(const Graph *graph, int update)
{
    const Op op = graph->nodes[graph->nodes[update].input[1]].op;
    return graph->network->chunks > 1 && (op == OP_l1_grad || op == OP_l2_grad);
}

void put_in_panels(Graph *graph, int node, int rows)
{
    Node *const value = &graph->nodes[node];
    value->shape.panel_rows = rows;
    if (value->op == OP_weight)
        graph->network->tensors[value->attributes.tensor].shape.panel_rows = rows;
}

// A layer's weights, and all that has a number for each of them.
static void lay_out_weights(Graph *graph, int id)
{
    const Network *const network = graph->network;
    const Node *const layer = &graph->nodes[id];
    const bool sliced = layer->op == OP_dense_slice;
    const int w = layer->input[1], slices = sliced ? layer->shape.dims[0] : 1;
    const Shape shape = graph->nodes[w].shape;
    const int terms = shape.dims[0] / slices, columns = shape.dims[1];
    const int rows = sliced ? layer->shape.dims[1] : network->block_rows;
    const int update = only_update(graph, w);
    if (update < 0 || penalised_in_chunks(graph, update) ||
        !takes_panels(network, terms, columns, rows) ||
        !outer_takes_panels(network, terms, columns, part_rows(shape)))
        return;
    put_in_panels(graph, w, terms);
    put_in_panels(graph, update, terms);
    for (int k = 2; k < graph->nodes[update].input_count; k++) {
        const Node *const state = &graph->nodes[graph->nodes[update].input[k]];
        if (state->op == OP_weight && shape_size(state->shape) == shape_size(shape))
            put_in_panels(graph, graph->nodes[update].input[k], terms);
    }
    int gradient = graph->nodes[update].input[1];
    for (;; gradient = graph->nodes[gradient].input[0]) {
        put_in_panels(graph, gradient, terms);
        const Op op = graph->nodes[gradient].op;
        if (op != OP_l1_grad && op != OP_l2_grad && op != OP_sum_blocks)
            break;
    }
}

// Backward: the exchanged weights are made in panels at once.
static void lay_out_turned(Graph *graph, int id)
{
    const int turned = graph->nodes[id].input[1];
    const Node *const leaf = &graph->nodes[turned];
    const Tensor *const tensor = &graph->network->tensors[leaf->attributes.tensor];
    const int terms = leaf->shape.dims[0], columns = leaf->shape.dims[1];
    if (tensor->maker != OP_turn || consumers(graph, turned) != 2 || // the product, and its maker
        !takes_panels(graph->network, terms, columns, graph->network->block_rows))
        return;
    put_in_panels(graph, turned, terms);
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == OP_turn && graph->nodes[i].input[0] == turned)
            put_in_panels(graph, i, terms);
}

// weights-in-panels: the weights of a dense layer, and what belongs to them, lie in panels.
// Condition: takes_panels(), for the outer product too, no limit of their norm, which goes by
// columns, and no penalty in a batch in chunks.
void lay_out_panels(Graph *graph)
{
    const int count = graph->count;
    for (int i = 0; i < count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!node->dead && (node->op == OP_dense || node->op == OP_dense_slice))
            lay_out_weights(graph, i);
        if (!node->dead && node->op == OP_dense_grad_x)
            lay_out_turned(graph, i);
    }
}

// Inference reads the weights as training has laid them out.
void adopt_layouts(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *const node = &graph->nodes[i];
        if (node->op != OP_weight)
            continue;
        const Tensor *const tensor = &graph->network->tensors[node->attributes.tensor];
        node->shape = tensor->shape;
        node->line = tensor->line;
    }
}
