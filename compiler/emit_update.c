// emit_update.c: gradients gathered over the batch, and the optimizers' formulas.
//
// Work is cut along the tensor: a part has one owner, who sums, regularises and updates it.
#include "netc.h"

void emit_sum_blocks(Out *out, const Graph *graph, const Node *node)
{
    const Shape dims = view(graph, node);
    const char *const index = dims.count > 1 ? "[i][j]" : "[j]", *const to =
                                                                     op_info[node->op].result;
    emit_part_range(out, graph, node);
    if (dims.count > 1)
        line(out, "%s {", part_loop(graph, node));
    const char *const columns = format("for (int j = 0; j < %d; j++)", dims.dims[dims.count - 1]);
    line(out, "%s", columns);
    line(out, "    %s%s = partial[0]%s;", to, index, index);
    line(out, "for (int block = 1; block < BLOCKS; block++)");
    line(out, "    %s", columns);
    line(out, "        %s%s += partial[block]%s;", to, index, index);
    if (dims.count > 1)
        line(out, "}");
    if (node->step_count)
        emit_part_elements(out, graph, node, format("%s%s", to, index));
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

// Columns are summed apart, which leaves the order of the sum fixed and the loop in vectors.
void emit_penalty(Out *out, const Graph *graph, const Node *node)
{
    const Shape w = graph->nodes[node->input[0]].shape;
    const int columns = w.dims[w.count - 1];
    line(out, "double sums[%d] = {0};", columns);
    emit_part_range(out, graph, node);
    line(out, "%s", part_loop(graph, node));
    line(out, "    for (int j = 0; j < %d; j++)", columns);
    line(out, "        sums[j] += (double)w[i][j] * w[i][j];");
    line(out, "double sum = 0;");
    line(out, "for (int j = 0; j < %d; j++)", columns);
    line(out, "    sum += sums[j];");
    line(out, part_count(w) > 1 ? "penalty[part] = %s * sum;" : "penalty[0] = %s * sum;",
         number_text(node->attributes.lambda));
}

static void declare_rate(Out *out, const Graph *graph)
{
    const char *const type = real_type(graph->network);
    line(out, "const %s rate = (%s)batch->rate;", type, type);
}

static const char *square_root(const Out *out) { return out->network->doubles ? "sqrt" : "sqrtf"; }

void emit_sgd(Out *out, const Graph *graph, const Node *node)
{
    declare_rate(out, graph);
    emit_part_range(out, graph, node);
    const char *const at = open_part(out, graph, node);
    line(out, "w%s -= rate * g%s;", at, at);
    close_part(out, graph, node);
}

// Keras' form: the rate is inside m.
void emit_momentum(Out *out, const Graph *graph, const Node *node)
{
    const char *const momentum = real_number(out, node->attributes.momentum);
    declare_rate(out, graph);
    emit_part_range(out, graph, node);
    const char *const at = open_part(out, graph, node);
    line(out, "m%s = %s * m%s - rate * g%s;", at, momentum, at, at);
    if (node->attributes.nesterov)
        line(out, "w%s += %s * m%s - rate * g%s;", at, momentum, at, at);
    else
        line(out, "w%s += m%s;", at, at);
    close_part(out, graph, node);
}

static void follow_square(Out *out, const char *at, double beta)
{
    line(out, "v%s += %s * (g%s * g%s - v%s);", at, real_number(out, 1 - beta), at, at, at);
}

// Tieleman and Hinton 2012.
void emit_rmsprop(Out *out, const Graph *graph, const Node *node)
{
    declare_rate(out, graph);
    emit_part_range(out, graph, node);
    const char *const at = open_part(out, graph, node);
    follow_square(out, at, node->attributes.beta2);
    line(out, "w%s -= rate * g%s / %s(v%s + %s);", at, at, square_root(out), at,
         real_number(out, node->attributes.eps));
    close_part(out, graph, node);
}

void emit_rmsprop_momentum(Out *out, const Graph *graph, const Node *node)
{
    declare_rate(out, graph);
    emit_part_range(out, graph, node);
    const char *const at = open_part(out, graph, node);
    follow_square(out, at, node->attributes.beta2);
    line(out, "m%s = %s * m%s + rate * g%s / %s(v%s + %s);", at,
         real_number(out, node->attributes.momentum), at, at, square_root(out), at,
         real_number(out, node->attributes.eps));
    line(out, "w%s -= m%s;", at, at);
    close_part(out, graph, node);
}

// Kingma and Ba 2015, in the form of its section 2: the corrections of both means join the rate.
void emit_adam(Out *out, const Graph *graph, const Node *node)
{
    const char *const type = real_type(graph->network);
    const Attributes *const a = &node->attributes;
    line(out, "const double t = (double)batch->step;");
    line(out, "const %s rate = (%s)(batch->rate * sqrt(1 - pow(%s, t)) / (1 - pow(%s, t)));", type,
         type, number_text(a->beta2), number_text(a->beta1));
    emit_part_range(out, graph, node);
    const char *const at = open_part(out, graph, node);
    line(out, "m%s += %s * (g%s - m%s);", at, real_number(out, 1 - a->beta1), at, at);
    follow_square(out, at, a->beta2);
    line(out, "w%s -= rate * m%s / (%s(v%s) + %s);", at, at, square_root(out), at,
         real_number(out, a->eps));
    close_part(out, graph, node);
}
