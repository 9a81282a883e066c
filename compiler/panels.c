// panels.c: weights in the layout that the tiles of a product read.
//
// A tile goes down a strip of columns. In a matrix of rows each of its steps lies a whole row
// further on, in another page or at the other end of a cache line; in a panel, a strip's columns by
// themselves, the steps lie end to end. The panels of a weight are kept beside it, renewed by
// whoever updates it.
#include "netc.h"

static int add_panels(Graph *graph, int w, long numbers)
{
    const int of = graph->nodes[w].attributes.tensor;
    const Tensor tensor = graph->network->tensors[of];
    const int panels = tensor_add(graph->network, (Tensor){.name = format("%s_panels", tensor.name),
                                                           .layer = tensor.layer,
                                                           .role = ROLE_DERIVED,
                                                           .shape = shape_of(1, (int)numbers),
                                                           .derived = of,
                                                           .maker = OP_pack,
                                                           .loc = tensor.loc});
    const int id = weight_node(graph, panels);
    add_maker(graph, panels);
    return id;
}

// Forward: the layer reads panels of its weights.
static void lay_out_forward(Graph *graph, int id)
{
    const int w = graph->nodes[id].input[1], rows = graph->network->block_rows;
    const int terms = graph->nodes[w].shape.dims[0], columns = graph->nodes[w].shape.dims[1];
    if (!takes_panels(graph->network, terms, columns, rows))
        return;
    const int panels = add_panels(graph, w, panel_numbers(graph->network, terms, columns, rows));
    graph->nodes[id].input[1] = panels;
}

// Backward: the exchanged weights are made in panels at once.
static void lay_out_backward(Graph *graph, int id)
{
    Network *const network = graph->network;
    const int turned = graph->nodes[id].input[1];
    Tensor *const tensor = &network->tensors[graph->nodes[turned].attributes.tensor];
    const int terms = tensor->shape.dims[0], columns = tensor->shape.dims[1];
    if (tensor->maker != OP_turn || consumers(graph, turned) != 2 || // the product, and its maker
        !takes_panels(network, terms, columns, network->block_rows))
        return;
    const long numbers = panel_numbers(network, terms, columns, network->block_rows);
    tensor->shape = shape_of(1, (int)numbers);
    for (int i = 0; i < graph->count; i++) {
        Node *const node = &graph->nodes[i];
        if (i == turned || (node->op == OP_turn && node->input[0] == turned))
            node->shape = tensor->shape;
    }
}

// weights-in-panels: a product reads its weights in panels that their owner renews.
// Condition: takes_panels(). The first layer, cut along its inputs (slice.c), reads rows: a slice
// of its weights is in its owner's cache, and panels of it brought nothing.
void lay_out_panels(Graph *graph)
{
    const int count = graph->count;
    for (int i = 0; i < count; i++) {
        if (graph->nodes[i].op == OP_dense && !graph->nodes[i].dead)
            lay_out_forward(graph, i);
        if (graph->nodes[i].op == OP_dense_grad_x && !graph->nodes[i].dead)
            lay_out_backward(graph, i);
    }
}
