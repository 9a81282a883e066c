// window_panels.c: weights of direct convolutions in the layout that their tiles read.
//
// A tile goes down a strip of the matrix [window][filters], a pair of vectors wide. In rows of many
// filters the strip falls on few sets of the first cache, and every tile reads it from the second.
// In panels, a strip's columns by themselves, it lies end to end. The weights themselves stay as
// they are: a copy in panels is made where they change, as those that are turned round are, and of
// these the panels are made at once.
#include "passes.h"

// weights-in-panels: conv(x, w) becomes conv(x, panels of w).
// Condition: conv_takes_panels().
static void lay_out_forward(Graph *graph, int id)
{
    if (!conv_takes_panels(graph, &graph->nodes[id]))
        return;
    const int panels = panelled_weight(graph, graph->nodes[id].input[1]);
    graph->nodes[id].input[1] = panels;
    if (!graph->network->trains) // otherwise updates have makers behind them
        add_maker(graph, graph->nodes[panels].attributes.tensor);
}

// Its weights are a tensor that is made for it alone: it is made in panels.
static void lay_out_turned(Graph *graph, int id)
{
    Network *const network = graph->network;
    const Node *const turned = &graph->nodes[graph->nodes[id].input[1]];
    if (conv_takes_panels(graph, &graph->nodes[id]))
        network->tensors[turned->attributes.tensor].panels = true;
}

// Inference reads what training makes.
static void follow_training(Graph *graph, int id)
{
    const int panels = derived_leaf(graph, graph->nodes[id].input[1], OP_conv_panels);
    if (panels >= 0)
        graph->nodes[id].input[1] = panels;
}

// needs: gradients, but no updates yet; of inference: training's tensors, where there is training
void lay_out_windows(Graph *graph)
{
    const bool follows = graph->network->trains && graph == &graph->network->infer;
    for (int i = 0; i < graph->count; i++)
        switch (graph->nodes[i].op) {
        case OP_conv: (follows ? follow_training : lay_out_forward)(graph, i); break;
        case OP_conv_grad_x: lay_out_turned(graph, i); break;
        default: break;
        }
}
