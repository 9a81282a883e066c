// emit_panels.c: loops over weights in panels (panels.c).
//
// Row p, column c of a weight lies in the panel of the columns j.. with c - j < wide, at j * rows +
// p * wide + c - j, where a panel has `rows` rows. Where the rows are cut into slices, the panels
// of one slice follow those of the one before.
#include "emit.h"

static int columns_of(Shape shape) { return shape.dims[shape.count - 1]; }

bool panels_of_slices(Shape shape) { return shape.panel_rows && shape.panel_rows < shape.dims[0]; }

// Where the part's slice begins; `first` is that slice's first row (emit_part_range).
static const char *slice_place(Shape shape)
{
    return panels_of_slices(shape) ? format("first * %d + ", columns_of(shape)) : "";
}

// How many columns the panel has that begins with column `first`, in C.
static const char *wide_text(const Panels *p, int columns, const char *first)
{
    const char *text = p->whole < columns ? "1" : "";
    if (p->last < p->whole)
        text = *text ? format("%s < %d ? %d : %s", first, p->whole, p->whole - p->last, text)
                     : format("%d", p->whole - p->last);
    if (p->last > 0)
        text = *text ? format("%s < %d ? %d : %s", first, p->last, p->width, text)
                     : format("%d", p->width);
    return text;
}

// Opens the loop over panels, by the first column of each.
static void open_columns(Out *out, const Network *network, const char *first, Shape shape)
{
    const int columns = columns_of(shape);
    const Panels panels = panels_of(network, shape.panel_rows, columns);
    line(out, "for (int %s = 0, wide; %s < %d; %s += wide) {", first, first, columns, first);
    line(out, "wide = %s;", wide_text(&panels, columns, first));
}

// The first column of the panel that holds column `from`, in C.
static const char *panel_text(const Panels *p, int columns, const char *from)
{
    const char *text = format("%s / %d * %d", from, p->width, p->width);
    if (p->whole - p->last > p->width)
        text = p->last ? format("nn_min(%s, %d)", text, p->last) : "0";
    return p->whole < columns ? format("%s < %d ? %s : %s", from, p->whole, text, from) : text;
}

// Opens the loops over a part's numbers, panel after panel; returns how one is indexed. They lie
// side by side in each. gcc 12 leaves the inner loop scalar where its end is not a variable.
const char *open_panels(Out *out, const Graph *graph, const Node *node)
{
    const Shape shape = node->shape;
    const bool cut = part_count(shape) > 1;
    const char *const slice = slice_place(shape);
    open_columns(out, graph->network, "j", shape);
    line(out, "const int count = %s * wide;", cut ? "(to - from)" : format("%d", shape.dims[0]));
    line(out, "for (int i = 0; i < count; i++) {");
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
    open_columns(out, graph->network, "panel", shape);
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
    const int terms = columns_of(w), columns = w.dims[0];
    const char *const turn = format("nn_turn_%s", real_type(graph->network));
    const bool cut = node_parts(graph, node) > 1;
    const char *const from = cut ? "from" : "0", *const to = cut ? "to" : format("%d", columns);
    const char *low = from, *high = to, *line_of_turned = format("%d", columns);
    if (turned.panel_rows) {
        const Panels panels = panels_of(graph->network, turned.panel_rows, columns);
        line(out, "for (int k = %s, line; k < %s; k += line) {",
             cut ? panel_text(&panels, columns, "from") : "0", to);
        line(out, "line = %s; // of turned", wide_text(&panels, columns, "k"));
        line(out, "const int low = nn_max(%s, k), high = nn_min(%s, k + line);", from, to);
        low = "low", high = "high", line_of_turned = "line";
    }
    const char *const at = turned.panel_rows ? format("turned + k * %d + low - k", terms)
                                             : format("&turned[0][%s]", low);
    const char *const count = format("%s - %s", high, low);
    if (w.panel_rows) {
        open_columns(out, graph->network, "j", w);
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
