// test_math.c: exp, log, tanh and gelu of nn_math.h against the C library in double precision.

#include "support.h"

#include <float.h>

#include "../../runtime/nn_math.h"

// Distance of a result from the true value in units of the last place of that value as a float.
static double units(float found, double truth)
{
    if (isnan(truth))
        return isnan(found) ? 0 : INFINITY;
    if (isinf((float)truth) || isinf(found))
        return found == (float)truth ? 0 : INFINITY;
    int exponent;
    frexp(truth, &exponent);
    const double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
    return fabs(found - truth) / unit;
}

// The worst of `count` numbers from `from` to `to`, evenly spread.
static double worst(float (*ours)(float), double (*truth)(double), double from, double to)
{
    enum { COUNT = 4000003 };
    double most = 0;
    for (int i = 0; i < COUNT; i++) {
        const float x = (float)(from + (to - from) * i / (COUNT - 1));
        const double distance = units(ours(x), truth(x));
        most = distance > most ? distance : most;
    }
    return most;
}

// Called through a pointer here; in generated code they are inlined.
static float our_exp(float x) { return nn_expf(x); }
static float our_log(float x) { return nn_logf(x); }
static float our_tanh(float x) { return nn_tanhf(x); }
static float our_gelu(float x) { return nn_geluf(x); }
static float our_slope(float x) { return nn_gelu_slopef(x); }

// Every mantissa, with an exponent of either parity, at some sizes.
static void root_is_the_processors(void **state)
{
    (void)state;
    static const int exponents[] = {0, -2, 60, 126, -24, -100};
    long wrong = 0;
    for (int e = 0; e < (int)(sizeof exponents / sizeof *exponents); e++)
        for (int32_t bits = 0x3f800000; bits < 0x40800000; bits++) {
            const float x = ldexpf(nn_from_bits(bits), exponents[e]);
            if (x <= FLT_MAX)
                wrong += nn_root_by_products(x) != sqrtf(x);
        }
    assert_int_equal(wrong, 0);
}

static void root_of_small_numbers(void **state)
{
    (void)state;
    for (int32_t bits = 0x00800000; bits < 0x0d800000; bits += 997) { // 2^-126 to 2^-100
        const float x = nn_from_bits(bits);
        assert_true(abs(nn_to_bits(nn_root_by_products(x)) - nn_to_bits(sqrtf(x))) <= 1);
    }
}

static void root_at_its_ends(void **state)
{
    (void)state;
    assert_true(nn_root_by_products(0) == 0 && nn_root_by_products(-0.0f) == 0);
    assert_true(nn_root_by_products(FLT_MAX) == sqrtf(FLT_MAX));
    assert_true(isnan(nn_root_by_products(INFINITY)) && isnan(nn_root_by_products(NAN)));
}

static void exp_is_close(void **state)
{
    (void)state;
    assert_true(worst(our_exp, exp, -86.9, 88.7) < 2);
    assert_true(worst(our_exp, exp, -1, 1) < 2);
}

static void exp_at_its_ends(void **state)
{
    (void)state;
    assert_true(nn_expf(0) == 1);
    assert_true(nn_expf(-1000) < FLT_MIN && nn_expf(-1000) >= 0);
    assert_true(nn_expf(-INFINITY) < FLT_MIN);
    assert_true(isinf(nn_expf(89)) && isinf(nn_expf(INFINITY)));
    assert_true(isnan(nn_expf(NAN)));
}

static void log_is_close(void **state)
{
    (void)state;
    assert_true(worst(our_log, log, 1e-6, 3) < 2);
    assert_true(worst(our_log, log, 3, 1e6) < 2);
    assert_true(worst(our_log, log, 1e30, 3e38) < 2);
}

static void log_at_its_ends(void **state)
{
    (void)state;
    assert_true(nn_logf(1) == 0);
    assert_true(nn_logf(0) == -INFINITY);
    assert_true(isnan(nn_logf(-1)) && isnan(nn_logf(NAN)));
    assert_true(nn_logf(INFINITY) == INFINITY);
}

static void tanh_is_close(void **state)
{
    (void)state;
    assert_true(worst(our_tanh, tanh, -10, 10) < 2);
    assert_true(worst(our_tanh, tanh, -0.7, 0.7) < 2);
    assert_true(worst(our_tanh, tanh, -1e-4, 1e-4) < 2);
}

static void tanh_at_its_ends(void **state)
{
    (void)state;
    assert_true(nn_tanhf(100) == 1 && nn_tanhf(-100) == -1);
    assert_true(nn_tanhf(INFINITY) == 1 && nn_tanhf(0) == 0);
    assert_true(isnan(nn_tanhf(NAN)));
}

static double gelu(double x) { return x * erfc(-x * M_SQRT1_2) / 2; }

static double gelu_slope(double x)
{
    return (erfc(-x * M_SQRT1_2) + x * exp(-x * x / 2) * M_2_SQRTPI * M_SQRT1_2) / 2;
}

// The worst error relative to the larger of |x| and 1: below 0 the result itself becomes small.
static double worst_for_its_size(float (*ours)(float), double (*truth)(double))
{
    double most = 0;
    for (int i = -2000000; i <= 2000000; i++) {
        const float x = (float)(i * 8e-6); // to 16
        const double error = fabs(ours(x) - truth(x)) / fmax(fabs(x), 1);
        most = error > most ? error : most;
    }
    return most;
}

static void gelu_is_close(void **state)
{
    (void)state;
    assert_true(worst(our_gelu, gelu, 0, 16) < 3);
    assert_true(worst(our_gelu, gelu, -1e-2, 1e-2) < 3);
    assert_true(worst_for_its_size(our_gelu, gelu) < 1e-7);
    assert_true(worst(our_slope, gelu_slope, 0, 16) < 2);
    assert_true(worst_for_its_size(our_slope, gelu_slope) < 1.5e-7);
}

static void gelu_at_its_ends(void **state)
{
    (void)state;
    assert_true(nn_geluf(100) == 100 && nn_geluf(-100) == 0 && nn_geluf(0) == 0);
    assert_true(nn_geluf(INFINITY) == INFINITY && nn_geluf(-INFINITY) == 0);
    assert_true(isnan(nn_geluf(NAN)));
    assert_true(nn_gelu_slopef(100) == 1 && nn_gelu_slopef(-100) == 0);
    assert_true(nn_gelu_slopef(INFINITY) == 1 && nn_gelu_slopef(-INFINITY) == 0);
    assert_true(isnan(nn_gelu_slopef(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_is_the_processors),
        cmocka_unit_test(root_of_small_numbers),
        cmocka_unit_test(root_at_its_ends),
        cmocka_unit_test(exp_is_close),
        cmocka_unit_test(exp_at_its_ends),
        cmocka_unit_test(log_is_close),
        cmocka_unit_test(log_at_its_ends),
        cmocka_unit_test(tanh_is_close),
        cmocka_unit_test(tanh_at_its_ends),
        cmocka_unit_test(gelu_is_close),
        cmocka_unit_test(gelu_at_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
