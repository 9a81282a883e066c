// emit_update.c: gradients gathered over the batch, and the optimizers' formulas.
//
// Work is cut along the tensor: a part has one owner, who sums, regularises and updates it.
#include "emit.h"

#include <string.h>

// Number by number, where those of a part lie in panels.
static void sum_panels(Out *out, const Graph *graph, const Node *node, const char *to)
{
    const char *const at = open_part(out, graph, node);
    line(out, "%s%s = partial[0]%s;", to, at, at);
    line(out, "for (int block = 1; block < BLOCKS; block++)");
    line(out, "    %s%s += partial[block]%s;", to, at, at);
    close_part(out, graph, node);
}

static void sum_rows(Out *out, const Graph *graph, const Node *node, const char *to,
                     const char *index)
{
    const Shape dims = view(graph, node);
    const char *const row =
        node->op == OP_sum_blocks_row ? format("[%d]", node->attributes.from) : "";
    if (dims.count > 1)
        line(out, "%s {", part_loop(graph, node));
    const char *const columns = format("for (int j = 0; j < %d; j++)", dims.dims[dims.count - 1]);
    line(out, "%s", columns);
    line(out, "    %s%s = partial[0]%s%s;", to, index, row, index);
    line(out, "for (int block = 1; block < BLOCKS; block++)");
    line(out, "    %s", columns);
    line(out, "        %s%s += partial[block]%s%s;", to, index, row, index);
    if (dims.count > 1)
        line(out, "}");
}

void emit_sum_blocks(Out *out, const Graph *graph, const Node *node)
{
    const bool panels = node->shape.panel_rows > 0;
    const char *const to = op_info[node->op].result;
    const bool matrix = view(graph, node).count > 1;
    const char *const index = panels ? "[at]" : matrix ? "[i][j]" : "[j]";
    emit_part_range(out, graph, node);
    if (panels)
        sum_panels(out, graph, node, to);
    else
        sum_rows(out, graph, node, to, index);
    if (node->step_count)
        emit_part_elements(out, graph, node, format("%s%s", to, index));
}

void emit_sum_blocks_row(Out *out, const Graph *graph, const Node *node)
{
    emit_sum_blocks(out, graph, node);
}

void emit_bias_grad(Out *out, const Graph *graph, const Node *node)
{
    const int channels = node->shape.dims[0];
    const long size = shape_size(graph->nodes[node->input[0]].shape);
    const bool pixels = size > channels;
    line(out, "memset(db, 0, sizeof(%s[%d]));", real_type(graph->network), channels);
    line(out, "for (int i = 0; i < rows; i++)");
    if (pixels)
        line(out, "    for (int p = 0; p < %ld; p++)", size / channels);
    out->depth += pixels;
    line(out, "    for (int c = 0; c < %d; c++)", channels);
    line(out, "        db[c] += dy[i]%s[c];", pixels ? "[p]" : "");
    out->depth -= pixels;
}

// --- sums of squares ----------------------------------------------------------------------------

// A term in which '@' stands for the index.
static const char *at_index(const char *term, const char *index)
{
    Text text = {0};
    for (const char *c = term; *c; c++)
        text_add(&text, *c == '@' ? "%s" : "%.1s", *c == '@' ? index : c);
    return text.text;
}

// Declares `sum`, over a part, of `term` at each number of it. Columns are summed apart, which
// leaves the order of the sum fixed and the loop in vectors.
static void emit_part_sum(Out *out, const Graph *graph, const Node *node, const char *term)
{
    const Shape shape = graph->nodes[node->input[0]].shape;
    const int columns =
        shape.panel_rows ? panel_most(graph->network, shape) : shape.dims[shape.count - 1];
    line(out, "double sums[%d] = {0};", columns);
    emit_part_range(out, graph, node);
    if (shape.panel_rows) {
        const char *const at = open_panel_rows(out, graph, node, shape);
        line(out, "sums[j] += %s;", at_index(term, at));
        close_panel_rows(out);
    } else {
        const bool rows = shape.count > 1;
        if (rows)
            line(out, "%s", part_loop(graph, node));
        line(out, "%sfor (int j = 0; j < %d; j++)", rows ? "    " : "", columns);
        line(out, "%s    sums[j] += %s;", rows ? "    " : "",
             at_index(term, rows ? "[i][j]" : "[j]"));
    }
    line(out, "double sum = 0;");
    line(out, "for (int j = 0; j < %d; j++)", columns);
    line(out, "    sum += sums[j];");
}

static const char *part_index(const Graph *graph, const Node *node)
{
    return part_count(graph->nodes[node->input[0]].shape) > 1 ? "[part]" : "[0]";
}

const char *penalty_formula(const Graph *graph, const Node *node)
{
    const double l1 = node->attributes.l1, l2 = node->attributes.lambda;
    const bool parts = part_count(graph->nodes[node->input[0]].shape) > 1;
    return format("penalty = %s%s%s%s", l1 != 0 ? "l1 sum |w|" : "",
                  l1 != 0 && l2 != 0 ? " + " : "", l2 != 0 ? "l2 sum w^2" : "",
                  parts ? ", of a part of w" : "");
}

void emit_penalty(Out *out, const Graph *graph, const Node *node)
{
    const double l1 = node->attributes.l1, l2 = node->attributes.lambda;
    const char *const at = part_index(graph, node);
    if (l1 == 0) {
        emit_part_sum(out, graph, node, "(double)w@ * w@");
        line(out, "penalty%s = %s * sum;", at, number_text(l2));
        return;
    }
    emit_part_sum(out, graph, node,
                  l2 == 0 ? "fabs((double)w@)"
                          : format("%s * fabs((double)w@) + %s * w@ * w@",
                                   number_text(l1), number_text(l2)));
    line(out, l2 == 0 ? "penalty%s = %s * sum;" : "penalty%s = sum;", at, number_text(l1));
}

void emit_square_sum(Out *out, const Graph *graph, const Node *node)
{
    emit_part_sum(out, graph, node, "(double)g@ * g@");
    line(out, "squares%s = sum;", part_index(graph, node));
}

// Adds the parts' sums that the node reads, from its input `first` on, to a variable.
void add_parts(Out *out, const Graph *graph, const Node *node, int first, const char *total)
{
    for (int k = first; k < node->input_count; k++) {
        const long parts = shape_size(graph->nodes[node->input[k]].shape);
        if (parts > 1)
            line(out, "for (int part = 0; part < %ld; part++)", parts);
        line(out, parts > 1 ? "    %s += %s[part];" : "%s += %s[0];", total, role(graph, node, k));
    }
}

void emit_sum_of_sums(Out *out, const Graph *graph, const Node *node)
{
    line(out, "double sum = 0;");
    add_parts(out, graph, node, 0, "sum");
    line(out, "total[0] = sum;");
}

// --- the optimizers' formulas -------------------------------------------------------------------

typedef struct {
    const char *scalars, *lines;
} Formula;

static const Formula formulas[OP_COUNT] = {
#define OPTIMIZER(name, states, work, formula, scalars, lines) [OP_##name] = {scalars, lines},
#include "optimizers.def"
};

// The optimizer's op of an update; of another node its own.
Op update_rule(const Node *node)
{
    return node->op == OP_update ? (Op)node->attributes.rule : node->op;
}

// What an OP_update does, in the order in which it does it.
const char *update_formula(const Node *node)
{
    const Attributes *const a = &node->attributes;
    const char *const clip =
        a->clip_value != 0  ? format("g cut at -%s and %s; ", number_text(a->clip_value),
                                     number_text(a->clip_value))
        : a->clip_norm != 0 ? format("all g together shortened to %s; ", number_text(a->clip_norm))
                            : "";
    const char *const decay =
        a->decay != 0 ? format("w = w - lr %s w; ", number_text(a->decay)) : "";
    return format("%s%s%s%s", clip, decay, op_info[a->rule].formula,
                  a->average != 0 ? format("; average = %s average + %s w", number_text(a->average),
                                           format("%.12g", 1 - a->average))
                                  : "");
}

// The square root of what is never below 0. A loop over few columns is no loop over vectors, and
// what is long in a vector is longer by itself.
static const char *root_name(const Out *out, const Node *node)
{
    const Shape shape = node->shape;
    if (out->network->doubles)
        return "sqrt";
    return shape.dims[shape.count - 1] < 2 * vector_lanes(out->network) ? "sqrtf" : "nn_rootf";
}

// The number that "beta1" or "1-beta1" stands for.
static double option_number(const Out *out, const char *text, size_t length)
{
    const bool left = length > 2 && !strncmp(text, "1-", 2);
    const char *const name = format("%.*s", (int)(length - (left ? 2 : 0)), text + (left ? 2 : 0));
    const double number = setting_number(out->network->program->optimizer, name);
    return left ? 1 - number : number;
}

// The C of a piece of a formula. `at` is how a weight and its states are indexed, g_at how its
// gradient; or NULL: then it is of scalars, in double.
static const char *formula_text(const Out *out, const Node *node, const char *text, size_t length,
                                const char *at, const char *g_at)
{
    const char *const arrays = op_info[update_rule(node)].inputs;
    const bool clips = node->attributes.clip_value != 0 || node->attributes.clip_norm != 0;
    Text result = {0};
    for (const char *c = text; c < text + length;) {
        if (*c == '{') {
            const size_t inside = strcspn(++c, "}");
            const double number = option_number(out, c, inside);
            text_add(&result, "%s", at ? real_number(out, number) : number_text(number));
            c += inside + 1;
            continue;
        }
        size_t word = 0;
        while (is_letter(c[word]))
            word++;
        if (!word) {
            text_put(&result, c++, 1);
            continue;
        }
        const char *const name = format("%.*s", (int)word, c);
        bool is_array = false;
        for (const char *a = arrays; at && *a; a += strcspn(a, " "), a += *a == ' ')
            is_array |= strcspn(a, " ") == word && !strncmp(a, name, word);
        if (is_array && clips && !strcmp(name, "g"))
            text_add(&result, "clipped");
        else if (is_array)
            text_add(&result, "%s%s", name, !strcmp(name, "g") ? g_at : at);
        else if (at && !strcmp(name, "sqrt") && !out->network->doubles)
            text_add(&result, "sqrtf");
        else if (!strcmp(name, "root"))
            text_add(&result, "%s", root_name(out, node));
        else
            text_add(&result, "%s",
                     !strcmp(name, "real") ? real_type(out->network)
                     : !strcmp(name, "lr") ? "batch->rate"
                                           : name);
        c += word;
        for (; c < text + length && *c >= '0' && *c <= '9'; c++)
            text_put(&result, c, 1);
    }
    return result.text;
}

// Calls emit with each piece between the ';' of a text.
static const char *next_piece(const char **text, size_t *length)
{
    const char *const piece = *text;
    *length = strcspn(piece, ";");
    *text = piece + *length + (piece[*length] == ';');
    return *length ? piece : NULL;
}

// Declares what an update computes once in a step: `rate` and what else its formula has.
void emit_update_scalars(Out *out, const Graph *graph, const Node *node)
{
    const char *const type = real_type(graph->network);
    const Attributes *const a = &node->attributes;
    const char *text = formulas[update_rule(node)].scalars, *piece;
    size_t length;
    if (strstr(text, ", t"))
        line(out, "const double t = (double)batch->step;");
    while ((piece = next_piece(&text, &length))) {
        const char *const c = formula_text(out, node, piece, length, NULL, NULL);
        const char *const is = strstr(c, " = ");
        if (!strncmp(c, "double ", 7))
            line(out, "const %s;", c);
        else if (!strcmp(is + 3, "batch->rate"))
            line(out, "const %s %.*s = (%s)batch->rate;", type, (int)(is - c), c, type);
        else
            line(out, "const %s %.*s = (%s)(%s);", type, (int)(is - c), c, type, is + 3);
    }
    if (a->decay != 0)
        line(out, "const %s decay = (%s)(batch->rate * %s);", type, type, number_text(a->decay));
    if (a->clip_norm != 0) {
        const char *const limit = number_text(a->clip_norm);
        line(out, "const double norm = sqrt(squares[0]);");
        line(out, "const %s shorter = norm > %s ? (%s)(%s / norm) : 1;", type, limit, type, limit);
    }
    if (a->average != 0) // Keras: the first step's weights are the first average
        line(out, "const %s follow = batch->step > 1 ? %s : 1;", type,
             real_number(out, 1 - a->average));
}

// The formula for one weight: emits its lines, with `at` behind the names of the weight, its
// gradient and its states. As in Keras: the gradient is clipped, the weight decays, the optimizer
// moves it, the average follows it.
void emit_update_lines(Out *out, const Graph *graph, const Node *node, const char *at)
{
    const char *const type = real_type(graph->network);
    const Attributes *const a = &node->attributes;
    const Node *const gradient = &graph->nodes[node->input[1]];
    const char *const g_at = gradient->piece ? gradient_index(gradient) : at;
    if (a->clip_value != 0) {
        const char *const limit = real_number(out, a->clip_value);
        line(out, "const %s clipped = g%s > %s ? %s : g%s < -%s ? -%s : g%s;", type, g_at, limit,
             limit, g_at, limit, limit, g_at);
    }
    if (a->clip_norm != 0)
        line(out, "const %s clipped = shorter * g%s;", type, g_at);
    if (a->decay != 0)
        line(out, "w%s -= decay * w%s;", at, at);
    const char *text = formulas[update_rule(node)].lines, *piece;
    size_t length;
    while ((piece = next_piece(&text, &length)))
        line(out, "%s;", formula_text(out, node, piece, length, at, g_at));
    if (a->average != 0) {
        const char *const average = role(graph, node, node->input_count - 1);
        line(out, "%s%s += follow * (w%s - %s%s);", average, at, at, average, at);
    }
}

void emit_update(Out *out, const Graph *graph, const Node *node)
{
    emit_update_scalars(out, graph, node);
    emit_part_range(out, graph, node);
    const char *const at = open_part(out, graph, node);
    emit_update_lines(out, graph, node, at);
    close_part(out, graph, node);
}

#define OPTIMIZER(name, ...)                                                                       \
    void emit_##name(Out *out, const Graph *graph, const Node *node)                               \
    {                                                                                              \
        emit_update(out, graph, node);                                                             \
    }
#include "optimizers.def"

// --- constraints --------------------------------------------------------------------------------

// Keras' MaxNorm over all that leads to one output, in parts of columns. What is within the limit
// stays as it is; Keras multiplies it by norm / (norm + 1e-7).
void emit_max_norm(Out *out, const Graph *graph, const Node *node)
{
    const char *const type = real_type(graph->network);
    const Shape parts = part_shape(graph, node);
    const int columns = parts.dims[0], rows = parts.dims[1];
    const bool several = part_count(parts) > 1;
    const char *const loop = several ? "for (int j = from; j < to; j++)"
                                     : format("for (int j = 0; j < %d; j++)", columns);
    const char *const limit = real_number(out, node->attributes.max_norm);
    // aligned by hand: gcc 12 stores to it as if it were, and then forgets it
    line(out, "_Alignas(64) %s factor[%d] = {0};", type, columns);
    emit_part_range(out, graph, node);
    line(out, "for (int i = 0; i < %d; i++)", rows);
    line(out, "    %s", loop);
    line(out, "        factor[j] += w[i][j] * w[i][j];");
    line(out, "%s {", loop);
    line(out, "const %s norm = %s(factor[j]);", type, libm(out, "sqrt"));
    line(out, "factor[j] = norm > %s ? %s / (norm + %s) : 1;", limit, limit,
         real_number(out, 1e-7));
    line(out, "}");
    line(out, "for (int i = 0; i < %d; i++)", rows);
    line(out, "    %s", loop);
    line(out, "        w[i][j] *= factor[j];");
}
