// emit_random.c: ops that draw random numbers in training, as statements on `v`.
//
// A number is a function of the layer, the step and its place: the backward pass draws the same
// numbers again, and none is stored.
#include "emit.h"

// Number `index` of the row as an argument.
static const char *counter(const char *index) { return format("number + %s", index); }

static void drop(Out *out, const char *index)
{
    const double rate = out->element.attributes->rate;
    line(out, "const uint32_t bits = nn_bits(key, %s);", counter(index));
    line(out, "v = bits >= %uu ? v * %s : 0; // %s of 2^32", (unsigned)(rate * 0x1p32),
         real_number(out, 1 / (1 - rate)), percent_text(rate));
}

// Srivastava et al. 2014, scaled in training as Keras does.
void emit_dropout(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    drop(out, out->element.number);
}

// Tompson et al. 2015: a channel is kept or dropped as a whole.
void emit_spatial_dropout(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    drop(out, out->element.channel);
}

void emit_dropout_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_dropout(out, graph, node);
}

void emit_spatial_dropout_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_spatial_dropout(out, graph, node);
}

void emit_noise(Out *out, const Graph *graph, const Node *node)
{
    (void)graph, (void)node;
    line(out, "v += %s * nn_normal(key, %s);", real_number(out, out->element.attributes->rate),
         counter(out->element.number));
}
