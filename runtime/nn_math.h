// nn_math.h: exp, log, tanh and gelu of float, such that a loop over them becomes vector code.
//
// No branch, no table, no call: argument reduction and a polynomial. The coefficients are those of
// the Cephes library's expf, logf and tanhf (Moshier, 1992), and for gelu a minimax fit of our own;
// tests/unit/test_math.c holds the error against double precision below 2 units in the last place,
// that of gelu below 1e-7 of the larger of |x| and 1.
// Programs built with --precision f64 call the C library instead.
#ifndef NN_MATH_H
#define NN_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float nn_from_bits(int32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline int32_t nn_to_bits(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// exp(x) of x in [-87.33, 89]: as nn_expf's; NaN of NaN.
static inline float nn_exp_within(float x)
{
    // n = x / log 2, rounded by adding a number whose last bit is worth 1
    const float shifted = x * 1.44269504088896341f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    // 2^n as 2^(n-1) and 2: n may be 128
    const int32_t exponent = (nn_to_bits(shifted) - 0x4b400000) + 126;
    return p * nn_from_bits((int32_t)((uint32_t)exponent << 23)) * 2.0f;
}

// exp(x): 0 below -86.99, where it is less than 1.7e-38; infinite above 88.72; NaN of NaN.
static inline float nn_expf(float x)
{
    x = x > 89.0f ? 89.0f : x;
    x = x < -87.33f ? -87.33f : x;
    return nn_exp_within(x);
}

// log(x): -infinite at 0, NaN below. Denormals count as 0.
static inline float nn_logf(float x)
{
    const int32_t bits = nn_to_bits(x);
    // x = m 2^e with m in [sqrt(1/2), sqrt(2))
    const int32_t up = (bits & 0x007fffff) > 0x3504f3;
    const float e = (float)((bits >> 23) - 127 + up);
    const float m = nn_from_bits((bits & 0x007fffff) | (0x3f800000 - (up << 23))) - 1.0f;
    const float z = m * m;
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    float y = p * m * z;
    y += e * -2.12194440e-4f;
    y -= 0.5f * z;
    y = m + y + e * 0.693359375f;
    y = x > 3.4028235e38f ? x : y;
    y = x < 1.17549435e-38f ? -INFINITY : y;
    return x < 0 || x != x ? NAN : y;
}

static inline float nn_tanhf(float x)
{
    const float size = fabsf(x), z = x * x;
    float p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const float small = p * z * x + x;
    const float large = copysignf(1.0f - 2.0f / (nn_expf(size + size) + 1.0f), x);
    return size < 0.625f ? small : large;
}

// A normal number is above a >= 0 with probability exp(-a^2 / 2) H(a): this is H, which falls
// slowly. Fitted on [0, 6], weighted as what it adds to gelu(a) / a. From there on the exponential,
// which is 0 at 13.2, makes its error less than 1e-10.
static inline float nn_normal_tail(float a)
{
    float h = 2.67276014e-8f;
    h = h * a - 8.74333011e-7f;
    h = h * a + 1.27452440e-5f;
    h = h * a - 1.10532368e-4f;
    h = h * a + 6.46439264e-4f;
    h = h * a - 2.76471721e-3f;
    h = h * a + 9.24879778e-3f;
    h = h * a - 2.56979205e-2f;
    h = h * a + 6.20564856e-2f;
    h = h * a - 1.32851794e-1f;
    h = h * a + 2.49980867e-1f;
    h = h * a - 3.98941189e-1f;
    return h * a + 0.5f;
}

// gelu(x) = x (1 + erf(x / sqrt(2))) / 2: x times the probability that a normal number is below x.
static inline float nn_geluf(float x)
{
    const float size = fabsf(x), a = size > 13.2f ? 13.2f : size;
    return (x < 0 ? 0 : x) - a * nn_normal_tail(a) * nn_exp_within(-0.5f * a * a);
}

// Its derivative: that probability, and x times the density, which is exp(-x^2 / 2) / sqrt(2 pi).
static inline float nn_gelu_slopef(float x)
{
    const float size = fabsf(x), a = size > 13.2f ? 13.2f : size;
    const float below = (nn_normal_tail(a) - a * 0.398942280f) * nn_exp_within(-0.5f * a * a);
    return x > 0 ? 1 - below : below;
}

// sqrt(x) of x >= 0 by multiply-adds: the nearest float, as the processor's own, for x of 2^-100
// and more, and one beside it at most below; NaN of infinity and of NaN. A guess from x's bits, a
// polynomial that makes it 1 / sqrt(x) but for 2.6e-5, a step of Goldschmidt's, and one that rounds
// (Markstein 1990). Inlined always: gcc 12 leaves a loop scalar that calls it.
static inline __attribute__((always_inline)) float nn_root_by_products(float x)
{
    float y = nn_from_bits(0x5f3759df - (int32_t)((uint32_t)nn_to_bits(x) >> 1));
    const float t = x * y * y;
    y *= fmaf(fmaf(0.37525276f, t, -1.2516006f), t, 1.87634866f);
    float s = x * y, h = 0.5f * y;
    const float r = fmaf(-s, h, 0.5f);
    s = fmaf(s, r, s);
    h = fmaf(h, r, h);
    return fmaf(fmaf(-s, s, x), h, s);
}

// sqrt(x) of x >= 0 in a loop: where vectors have 512 bits, the processor's own is slower.
static inline __attribute__((always_inline)) float nn_rootf(float x)
{
#if defined(__AVX512F__)
    return nn_root_by_products(x);
#else
    return sqrtf(x);
#endif
}

// Of two vectors, lane by lane: a where the comparison `where` holds, elsewhere b.
#define NN_CHOOSE(where, a, b)                                                                     \
    ((__typeof__(a))(((where) & (__typeof__(where))(a)) | (~(where) & (__typeof__(where))(b))))

// --- scalars of optimizers ----------------------------------------------------------------------

// Nadam's momentum of step t (Dozat 2015, as Keras has it), and the product of those of all steps.
static inline double nn_nadam_momentum(double beta, double t)
{
    return beta * (1 - 0.5 * pow(0.96, t));
}

static inline double nn_nadam_product(double beta, int64_t steps)
{
    double product = 1, decay = 1;
    for (int64_t t = 0; t < steps && product > 1e-20; t++) { // from there on 1 - product is 1
        decay *= 0.96;
        product *= beta * (1 - 0.5 * decay);
    }
    return product;
}

#endif
