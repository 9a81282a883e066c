// emit_elementwise.c: the ops that run in the loop of another: one or two statements on `v`.
#include "emit.h"

const char *aligned_with_result(const Out *out, int operand)
{
    return format("%s%s", out->element.operand[operand], out->element.index);
}

static const char *of_channel(const Out *out, int operand)
{
    return format("%s[%s]", out->element.operand[operand], out->element.channel);
}

void emit_bias(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    line(out, "v += %s;", of_channel(out, 1));
}

void emit_add(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    line(out, "v += %s;", aligned_with_result(out, 1));
}

void emit_multiply(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    line(out, "v *= %s;", aligned_with_result(out, 1));
}

void emit_multiply_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_multiply(out, graph, node);
}

void emit_gradient_sum(Out *out, const Graph *graph, const Node *node)
{
    emit_add(out, graph, node);
}

void emit_norm(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    const char *const stats = out->element.operand[1], *const c = out->element.channel;
    line(out, "v = (v - %s[0][%s]) * %s[1][%s] * %s + %s;", stats, c, stats, c, of_channel(out, 2),
         of_channel(out, 3));
}

// The input may be written as a row of values, in which the channels take turns.
void emit_standardize(Out *out, const Graph *graph, const Node *node)
{
    const int channels = graph->network->picture.dims[2];
    const Shape seen = view(graph, node);
    const bool by_turns = seen.dims[seen.count - 1] != channels;
    const char *channel = out->element.channel;
    if (by_turns)
        channel = channels == 1 ? "0" : format("%s %% %d", channel, channels);
    line(out, "v = (v - %s[%s]) / %s[%s];", out->element.operand[1], channel,
         out->element.operand[2], channel);
}

void emit_norm_fixed(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    line(out, "v = (v - %s) / %s(%s + %s) * %s + %s;", of_channel(out, 1),
         libm(out, "sqrt"), of_channel(out, 2),
         real_number(out, out->element.attributes->eps), of_channel(out, 3), of_channel(out, 4));
}

// Ioffe and Szegedy 2015, section 3: the batch's own mean and deviation depend on each x too.
void emit_norm_grad(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    const char *const stats = out->element.operand[2], *const c = out->element.channel;
    line(out, "const %s xhat = (%s - %s[0][%s]) * %s[1][%s];", real_type(graph->network),
         aligned_with_result(out, 1), stats, c, stats, c);
    line(out, "v = %s * %s[1][%s] * (v - (%s + xhat * %s) * share);", of_channel(out, 3), stats, c,
         of_channel(out, 4), of_channel(out, 5));
}

void emit_l1_grad(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    const char *const w = aligned_with_result(out, 1);
    const char *const l1 = real_number(out, out->element.attributes->lambda);
    line(out, "v += %s > 0 ? %s : %s < 0 ? -%s : 0;", w, l1, w, l1);
}

void emit_l2_grad(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    line(out, "v += %s * %s;", real_number(out, 2 * out->element.attributes->lambda),
         aligned_with_result(out, 1));
}

// The loops see no shape: storing `v` is all.
void emit_reshape(Out *out, const Graph *graph, const Node *node)
{
    (void)out, (void)graph, (void)node;
}

void emit_reshape_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_reshape(out, graph, node);
}
