// emit_panels.c: the functions that make panels of weights (panels.c).
#include "netc.h"

// The strips of the product that reads a tensor in panels; returns how many kinds there are.
static int panel_strips(const Network *network, int terms, int columns, int rows,
                        ProductStrip *strips)
{
    const Product product = {
        .form = ROWS_BY_PANELS, .terms = terms, .columns = columns, .rows = rows};
    return product_strips(network, columns, tiling_of(network, &product).vectors, strips);
}

// Columns that a strip computes again lie in two panels.
long panel_numbers(const Network *network, int terms, int columns, int rows)
{
    ProductStrip strips[MAX_STRIPS];
    const int count = panel_strips(network, terms, columns, rows, strips);
    const ProductStrip *const last = &strips[count - 1];
    return (long)terms * (last->packed + last->runs * last->wide);
}

// Rows of the weights, which each give a line of every panel. Each kind of strip has a loop of its
// own: where one loop stores to two places of `panels`, gcc 12 may compute one of them from the
// other, then not know what it points to, and drop the call as one without an effect.
void emit_pack(Out *out, const Graph *graph, const Node *node)
{
    const int *const w = graph->nodes[node->input[1]].shape.dims, terms = w[0];
    const char *const type = real_type(graph->network);
    ProductStrip strips[MAX_STRIPS];
    const int count = panel_strips(graph->network, terms, w[1], graph->network->block_rows, strips);
    emit_part_range(out, graph, node);
    for (int s = 0; s < count; s++) {
        const int width = strips[s].wide, first = strips[s].first - strips[s].skip;
        const bool several = strips[s].runs > 1;
        if (several)
            line(out, "for (int j = 0; j < %d; j += %d)", strips[s].runs * width, width);
        out->depth += several;
        line(out, "%s", part_loop(graph, node));
        line(out, "    memcpy(panels + %s + i * %d, &w[i][%s], %d * sizeof(%s));",
             several ? format("j * %d", terms) : format("%ld", (long)strips[s].packed * terms),
             width, several ? "j" : format("%d", first), width, type);
        out->depth -= several;
    }
}

// Rows of the weights are columns of what they make: a part of a panel's, or of several panels'.
void emit_turn_panels(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = part_shape(graph, node);
    const int terms = w.dims[w.count - 1], columns = (int)(shape_size(w) / terms);
    const char *const type = real_type(graph->network);
    const bool cut = node_parts(graph, node) > 1;
    const char *const from = cut ? "from" : "0";
    const char *const to = cut ? "to" : format("%d", columns);
    ProductStrip strips[MAX_STRIPS];
    const int count =
        panel_strips(graph->network, terms, columns, graph->network->block_rows, strips);
    emit_part_range(out, graph, node);
    for (int s = 0; s < count; s++) {
        const int width = strips[s].wide, first = strips[s].first - strips[s].skip;
        const bool several = strips[s].runs > 1;
        line(out, several ? "for (int j = 0; j < %d; j += %d) {" : "{", strips[s].runs * width,
             width);
        const char *const j = several ? "j" : format("%d", first);
        line(out, "const int low = nn_max(%s, %s), high = nn_min(%s, %s);", from, j, to,
             several ? format("j + %d", width) : format("%d", first + width));
        line(out, "if (low < high)");
        line(out, "    nn_turn_%s(high - low, %d, w[low], %d, turned + %s + low - %s, %d);", type,
             terms, terms,
             several ? format("j * %d", terms) : format("%ld", (long)strips[s].packed * terms), j,
             width);
        line(out, "}");
    }
}
