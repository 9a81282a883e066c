// emit_activation.c: activations and their gradients, as statements on `v` in the loop of another
// op.
//
// A gradient is computed from the result y where that says enough, so that x need not be kept;
// where y does not tell x, from x. A NaN stays NaN.
#include "emit.h"

#define UNUSED (void)graph, (void)node

static const char *slope(const Out *out)
{
    return real_number(out, out->element.attributes->slope);
}

void emit_relu(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = v < 0 ? 0 : v;");
}

void emit_relu_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = %s > 0 ? v : 0;", aligned_with_result(out, 1));
}

void emit_relu6(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = v < 0 ? 0 : v > 6 ? 6 : v;");
}

void emit_relu6_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const y = aligned_with_result(out, 1);
    line(out, "v = ((%s > 0) & (%s < 6)) ? v : 0;", y, y);
}

void emit_leaky_relu(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = v < 0 ? v * %s : v;", slope(out));
}

void emit_leaky_relu_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = %s > 0 ? v : v * %s;", aligned_with_result(out, 1), slope(out));
}

// Clevert et al. 2016.
void emit_elu(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = v > 0 ? v : %s * (%s(v) - 1);", slope(out), math(out, "exp"));
}

void emit_elu_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const y = aligned_with_result(out, 1);
    line(out, "v = %s > 0 ? v : v * (%s + %s);", y, y, slope(out));
}

// Klambauer et al. 2017: the numbers for which mean 0 and variance 1 are a fixed point.
static const double selu_scale = 1.0507009873554804934, selu_alpha = 1.6732632423543772848;

void emit_selu(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = v > 0 ? v * %s : %s * (%s(v) - 1);", real_number(out, selu_scale),
         real_number(out, selu_scale * selu_alpha), math(out, "exp"));
}

void emit_selu_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const y = aligned_with_result(out, 1);
    line(out, "v = %s > 0 ? v * %s : v * (%s + %s);", y, real_number(out, selu_scale), y,
         real_number(out, selu_scale * selu_alpha));
}

// Hendrycks and Gimpel 2016, with erf and not its approximation by tanh, as Keras 3's default is.
// In float, nn_math.h has it with an exponential in place of erf.
void emit_gelu(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    if (out->network->doubles)
        line(out, "v *= 0.5 * (1 + erf(v * %s));",
             real_number(out, 0.70710678118654752440)); // sqrt(1 / 2)
    else
        line(out, "v = nn_geluf(v);");
}

void emit_gelu_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const x = aligned_with_result(out, 1);
    if (out->network->doubles)
        line(out, "v *= 0.5 * (1 + erf(%s * %s)) + %s * %s * exp(-0.5 * %s * %s);", x,
             real_number(out, 0.70710678118654752440), x,
             real_number(out, 0.39894228040143267794), x, x); // sqrt(1 / (2 pi))
    else
        line(out, "v *= nn_gelu_slopef(%s);", x);
}

void emit_silu(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v /= 1 + %s(-v);", math(out, "exp"));
}

void emit_silu_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const x = aligned_with_result(out, 1);
    const char *const divisor = format("(1 + %s(-%s))", math(out, "exp"), x);
    line(out, "v *= (1 + %s * (1 - 1 / %s)) / %s;", x, divisor, divisor);
}

// Howard et al. 2019.
void emit_hard_silu(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v *= v < -3 ? 0 : v > 3 ? 1 : v * %s + %s;", real_number(out, 1.0 / 6),
         real_number(out, 0.5));
}

void emit_hard_silu_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const x = aligned_with_result(out, 1);
    line(out, "v *= %s < -3 ? 0 : %s > 3 ? 1 : %s * %s + %s;", x, x, x, real_number(out, 1.0 / 3),
         real_number(out, 0.5));
}

// Misra 2019. With e = exp(x) and n = e (e + 2), tanh(log(1 + e)) is n / (n + 2); beyond 20 that is
// 1 in double, and e need not grow. The block is for a second one in the same loop.
static void emit_with_mish(Out *out, const char *x, const char *statement)
{
    line(out, "{");
    line(out, "const %s e = %s(%s > 20 ? 20 : %s), n = e * (e + 2);", real_type(out->network),
         math(out, "exp"), x, x);
    line(out, "%s", statement);
    line(out, "}");
}

void emit_mish(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    emit_with_mish(out, "v", "v *= n / (n + 2);");
}

void emit_mish_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const x = aligned_with_result(out, 1);
    emit_with_mish(out, x, format("v *= (n + 4 * %s * e * (e + 1) / (n + 2)) / (n + 2);", x));
}

void emit_sigmoid(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = 1 / (1 + %s(-v));", math(out, "exp"));
}

void emit_sigmoid_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const y = aligned_with_result(out, 1);
    line(out, "v *= %s * (1 - %s);", y, y);
}

void emit_hard_sigmoid(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = v < -3 ? 0 : v > 3 ? 1 : v * %s + %s;", real_number(out, 1.0 / 6),
         real_number(out, 0.5));
}

void emit_hard_sigmoid_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const y = aligned_with_result(out, 1);
    line(out, "v = ((%s > 0) & (%s < 1)) ? v * %s : 0;", y, y, real_number(out, 1.0 / 6));
}

void emit_tanh(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = %s(v);", math(out, "tanh"));
}

void emit_tanh_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const y = aligned_with_result(out, 1);
    line(out, "v *= 1 - %s * %s;", y, y);
}

// The larger of x and 0 apart, so that exp never overflows.
void emit_softplus(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v = (v > 0 ? v : 0) + %s(1 + %s(-%s(v)));", math(out, "log"), math(out, "exp"),
         libm(out, "fabs"));
}

void emit_softplus_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v *= 1 - %s(-%s);", math(out, "exp"), aligned_with_result(out, 1));
}

void emit_softsign(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    line(out, "v /= 1 + %s(v);", libm(out, "fabs"));
}

void emit_softsign_grad(Out *out, const Graph *graph, const Node *node)
{
    UNUSED;
    const char *const left = format("(1 - %s(%s))", libm(out, "fabs"), aligned_with_result(out, 1));
    line(out, "v *= %s * %s;", left, left);
}
