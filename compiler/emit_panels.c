// emit_panels.c: loops over weights in panels (panels.c).
//
// Row p, column c of a weight lies in the panel of the columns j.. with c - j < width, so many of
// them as `wide`: at j * rows + p * wide + c - j, where a panel has `rows` rows. Where the rows are
// cut into slices, the panels of one slice follow those of the one before.
#include "netc.h"

static int columns_of(Shape shape) { return shape.dims[shape.count - 1]; }

bool panels_of_slices(Shape shape) { return shape.panel_rows && shape.panel_rows < shape.dims[0]; }

// Where the part's slice begins; `first` is that slice's first row (emit_part_range).
static const char *slice_place(Shape shape)
{
    return panels_of_slices(shape) ? format("first * %d + ", columns_of(shape)) : "";
}

// Opens the loop over panels, by the first column of each.
static void open_columns(Out *out, const Network *network, const char *first, int columns)
{
    const int width = panel_width(network);
    line(out, "for (int %s = 0; %s < %d; %s += %d) {", first, first, columns, first, width);
    line(out, "const int wide = nn_min(%d, %d - %s);", width, columns, first);
}

// Opens the loops over a part's numbers, panel after panel; returns how one is indexed. They lie
// side by side in each.
const char *open_panels(Out *out, const Graph *graph, const Node *node)
{
    const Shape shape = node->shape;
    const bool cut = part_count(shape) > 1;
    const char *const slice = slice_place(shape);
    open_columns(out, graph->network, "j", columns_of(shape));
    line(out, "for (int i = 0; i < %s * wide; i++) {",
         cut ? "(to - from)" : format("%d", shape.dims[0]));
    line(out, "const int at = %sj * %d%s + i;", slice, shape.panel_rows,
         *slice ? " + (from - first) * wide"
         : cut  ? " + from * wide"
                : "");
    return "[at]";
}

// The same, row after row of each panel, where a number's column in its panel is j.
const char *open_panel_rows(Out *out, const Graph *graph, const Node *node, Shape shape)
{
    const char *const slice = slice_place(shape);
    open_columns(out, graph->network, "panel", columns_of(shape));
    line(out, "%s", part_loop(graph, node));
    out->depth++;
    line(out, "for (int j = 0; j < wide; j++) {");
    line(out, "const int at = %spanel * %d + %s * wide + j;", slice, shape.panel_rows,
         *slice ? "(i - first)" : "i");
    return "[at]";
}

void close_panel_rows(Out *out)
{
    line(out, "}");
    out->depth--;
    line(out, "}");
}

// turned = w', either of them in panels. A part of the rows of w are columns of a panel, or of
// several.
void emit_turn_panels(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = part_shape(graph, node), turned = node->shape;
    const int terms = columns_of(w), columns = w.dims[0], width = panel_width(graph->network);
    const char *const turn = format("nn_turn_%s", real_type(graph->network));
    const bool cut = node_parts(graph, node) > 1;
    const char *const from = cut ? "from" : "0", *const to = cut ? "to" : format("%d", columns);
    const char *low = from, *high = to, *line_of_turned = format("%d", columns);
    if (turned.panel_rows) {
        line(out, "for (int k = %s; k < %s; k += %d) {",
             cut ? format("from / %d * %d", width, width) : "0", to, width);
        line(out, "const int low = nn_max(%s, k), high = nn_min(%s, k + %d);", from, to, width);
        line(out, "const int line = nn_min(%d, %d - k); // of turned", width, columns);
        low = "low", high = "high", line_of_turned = "line";
    }
    const char *const at = turned.panel_rows ? format("turned + k * %d + low - k", terms)
                                             : format("&turned[0][%s]", low);
    const char *const count = format("%s - %s", high, low);
    if (w.panel_rows) {
        open_columns(out, graph->network, "j", terms);
        call_line(out, turn,
                  format("%s, wide, w + j * %d + %s * wide, wide, %s + j * %s, %s", count,
                         w.panel_rows, low, at, line_of_turned, line_of_turned));
        line(out, "}");
    } else {
        call_line(out, turn,
                  format("%s, %d, w[%s], %d, %s, %s", count, terms, low, terms, at,
                         line_of_turned));
    }
    if (turned.panel_rows)
        line(out, "}");
}
