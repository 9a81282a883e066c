// test_random.c: random numbers, first weights and the order of the pictures.

#include "support.h"

#include <math.h>

// Chi-square of counts that should be equal, as its distance from the mean in deviations.
static double unevenness(const long *counts, int bins, long total)
{
    const double expected = (double)total / bins;
    double sum = 0;
    for (int i = 0; i < bins; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return (sum - (bins - 1)) / sqrt(2.0 * (bins - 1));
}

static void test_bits_are_even(void **state)
{
    (void)state;
    enum { BINS = 256, TOTAL = 1 << 18 };
    for (int shift = 0; shift < 32; shift += 8) {
        long counts[BINS] = {0};
        const uint64_t key = nn_key(1, nn_stream("bits"), 3);
        for (uint32_t i = 0; i < TOTAL; i++)
            counts[nn_bits(key, i) >> shift & 255]++;
        assert_true(fabs(unevenness(counts, BINS, TOTAL)) < 5);
    }
}

static void test_cosine_of_turns(void **state)
{
    (void)state;
    for (int i = 0; i < 1 << 20; i++) {
        const double turn = i / (double)(1 << 20);
        const double truth = cos(2 * 3.14159265358979323846 * turn);
        assert_true(fabs(nn_cos_turns((float)turn) - truth) < 2e-7);
    }
}

// Even in 64 bins of equal probability, and neighbours do not go together.
static void test_normal_numbers(void **state)
{
    (void)state;
    enum { BINS = 64, TOTAL = 1 << 18 };
    long counts[BINS] = {0};
    double together = 0, before = 0;
    const uint64_t key = nn_key(1, nn_stream("noise1"), 3);
    for (uint32_t i = 0; i < TOTAL; i++) {
        const double x = (double)nn_normal(key, i);
        const int bin = (int)(BINS * 0.5 * erfc(-x / sqrt(2)));
        assert_true(fabs(x) < 5.8);
        counts[bin < BINS ? bin : BINS - 1]++;
        together += x * before;
        before = x;
    }
    assert_true(fabs(unevenness(counts, BINS, TOTAL)) < 5);
    assert_true(fabs(together) < 5 * sqrt(TOTAL));
}

static void test_units_are_even(void **state)
{
    (void)state;
    enum { BINS = 1000, TOTAL = 1 << 19 };
    long counts[BINS] = {0};
    double sum = 0, products = 0, before = 0;
    const uint64_t key = nn_key(1, nn_stream("units"), 0);
    for (uint64_t i = 0; i < TOTAL; i++) {
        const double unit = nn_unit(key, i);
        assert_true(unit >= 0 && unit < 1);
        counts[(int)(unit * BINS)]++;
        sum += unit - 0.5;
        products += (unit - 0.5) * (before - 0.5);
        before = unit;
    }
    assert_true(fabs(unevenness(counts, BINS, TOTAL)) < 5);
    assert_true(fabs(sum / TOTAL) < 5 * sqrt(1.0 / 12 / TOTAL));
    assert_true(fabs(products / TOTAL) < 5 * (1.0 / 12) / sqrt(TOTAL)); // neighbours
}

static void test_keys_differ(void **state)
{
    (void)state;
    assert_true(nn_key(1, 2, 3) != nn_key(2, 2, 3));
    assert_true(nn_key(1, 2, 3) != nn_key(1, 3, 3));
    assert_true(nn_key(1, 2, 3) != nn_key(1, 2, 4));
    assert_true(nn_stream("dense1_w") != nn_stream("dense2_w"));
    assert_int_equal(nn_bits(nn_key(1, 2, 3), 4), nn_bits(nn_key(1, 2, 3), 4));
}

static void test_random_below_is_even(void **state)
{
    (void)state;
    enum { BINS = 7, TOTAL = 700000 };
    long counts[BINS] = {0};
    uint64_t index = 0;
    for (int i = 0; i < TOTAL; i++)
        counts[random_below(99, &index, BINS)]++;
    assert_true(fabs(unevenness(counts, BINS, TOTAL)) < 5);
    assert_int_equal(random_below(99, &index, 1), 0);
    // Of three quarters of 2^64, a mere product would name each third number twice as often.
    long thirds = 0;
    for (int i = 0; i < 10000; i++)
        thirds += random_below(98, &index, UINT64_C(3) << 62) % 3 == 0;
    assert_true(labs(thirds - 3333) < 250);
}

static void test_random_pictures(void **state)
{
    (void)state;
    enum { COUNT = 10001, SIZE = COUNT * 25 }; // no multiple of the bytes of a random number
    NnModel model = nn_model;
    model.format = NN_IDX;
    model.height = model.width = 5;
    model.channels = 1;
    DataSet set = {0}, more = {0}, other = {0};
    assert_true(data_random(&set, &model, COUNT, 1));
    assert_true(data_random(&more, &model, COUNT + 1, 1));
    assert_true(data_random(&other, &model, COUNT, 2));
    assert_memory_equal(set.pictures, more.pictures, SIZE);
    assert_memory_not_equal(set.pictures, other.pictures, SIZE);
    for (int place = 0; place < 8; place++) { // in a random number
        long counts[256] = {0}, total = 0;
        for (int i = place; i < SIZE; i += 8, total++)
            counts[set.pictures[i]]++;
        assert_true(fabs(unevenness(counts, 256, total)) < 5);
    }
    data_free(&set);
    data_free(&more);
    data_free(&other);
}

static void test_order_is_a_permutation(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static uint32_t first[COUNT], second[COUNT], again[COUNT], other[COUNT];
    bool seen[COUNT] = {false};
    order_shuffle(first, COUNT, 1, 1);
    order_shuffle(second, COUNT, 1, 2);
    order_shuffle(other, COUNT, 2, 1);
    order_shuffle(again, COUNT, 1, 1);
    for (int i = 0; i < COUNT; i++) {
        assert_true(first[i] < COUNT && !seen[first[i]]);
        seen[first[i]] = true;
    }
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    order_shuffle(first, 1, 1, 1);
    assert_int_equal(first[0], 0);
}

// Each of the six orders of three comes equally often.
static void test_orders_are_even(void **state)
{
    (void)state;
    long counts[9] = {0}, found[6];
    int bins = 0;
    for (int epoch = 1; epoch <= 60000; epoch++) {
        uint32_t order[3];
        order_shuffle(order, 3, 5, epoch);
        counts[order[0] * 3 + order[1]]++;
    }
    for (int i = 0; i < 9; i++)
        if (counts[i] > 0)
            found[bins++ < 6 ? bins - 1 : 5] = counts[i];
    assert_int_equal(bins, 6);
    assert_true(fabs(unevenness(found, 6, 60000)) < 5);
}

enum { MANY = 100000 };
static double wide[MANY];
static float narrow[MANY];

static void initialise(NnType type, void *data, NnInit init, double scale, uint64_t seed)
{
    const NnTensor tensor = {"w", NN_WEIGHT, {MANY}, data, NULL, init, scale, {0}};
    const NnModel model = {.type = type, .tensors = &tensor, .tensor_count = 1};
    tensors_initialise(&model, seed);
}

static void measure(double *mean, double *deviation, double *largest)
{
    double sum = 0, squares = 0;
    *largest = 0;
    for (int i = 0; i < MANY; i++) {
        sum += wide[i];
        squares += wide[i] * wide[i];
        *largest = fmax(*largest, fabs(wide[i]));
    }
    *mean = sum / MANY;
    *deviation = sqrt(squares / MANY - *mean * *mean);
}

static void test_first_weights(void **state)
{
    (void)state;
    double mean, deviation, largest;
    initialise(NN_F64, wide, NN_UNIFORM, 0.3, 1);
    measure(&mean, &deviation, &largest);
    assert_true(fabs(mean) < 5 * 0.3 / sqrt(3.0 * MANY) && largest <= 0.3 && largest > 0.299);
    assert_true(fabs(deviation / (0.3 / sqrt(3)) - 1) < 0.01);

    initialise(NN_F64, wide, NN_NORMAL, 0.3, 1);
    measure(&mean, &deviation, &largest);
    assert_true(fabs(mean) < 5 * 0.3 / sqrt(MANY) && largest <= 0.6 && largest > 0.59);
    assert_true(fabs(deviation / (0.3 * 0.87962566) - 1) < 0.01); // of the truncated normal

    initialise(NN_F64, wide, NN_CONSTANT, 0.3, 1);
    measure(&mean, &deviation, &largest);
    assert_true(wide[0] == 0.3 && wide[MANY - 1] == 0.3 && largest == 0.3);
}

static void test_first_weights_are_the_same_in_float(void **state)
{
    (void)state;
    for (NnInit init = NN_UNIFORM; init <= NN_NORMAL; init++) {
        initialise(NN_F64, wide, init, 0.3, 9);
        initialise(NN_F32, narrow, init, 0.3, 9);
        for (int i = 0; i < MANY; i++)
            assert_true(narrow[i] == (float)wide[i]);
        const float before = narrow[5];
        initialise(NN_F32, narrow, init, 0.3, 10);
        assert_true(narrow[5] != before);
    }
}

static void test_finite(void **state)
{
    (void)state;
    for (int count = 0; count < 40; count++) {
        float floats[40] = {0};
        double doubles[40] = {0};
        assert_true(nn_finite_f32(floats, count) && nn_finite_f64(doubles, count));
        for (int i = 0; i < count; i++) {
            floats[i] = i % 2 ? NAN : -INFINITY;
            doubles[i] = i % 2 ? -INFINITY : NAN;
            assert_false(nn_finite_f32(floats, count) || nn_finite_f64(doubles, count));
            floats[i] = 3e38f;
            doubles[i] = -1e308;
        }
        assert_true(nn_finite_f32(floats, count) && nn_finite_f64(doubles, count));
    }
}

// Stands for OpenBLAS, which the runtime finds by name where a program has it.
static int blas_threads;
void openblas_set_num_threads(int count);
void openblas_set_num_threads(int count)
{
    blas_threads = count;
}

static volatile double tiny = 1e-300;

static void count_in(void *context)
{
    int *counts = context;
#if defined(__SSE2__) || defined(__aarch64__)
    if (tiny * 1e-15 != 0) // subnormal, so flushed
        counts[0] = 1000;
#endif
    nn_each(task, 100) counts[task]++;
    nn_barrier();
    if (nn_thread() == 0)
        counts[100] = nn_threads();
}

static void test_team(void **state)
{
    (void)state;
    assert_int_equal(nn_thread(), 0);
    assert_int_equal(nn_threads(), 1);
    nn_barrier(); // alone: nothing to wait for
    for (int threads = 1; threads < 130; threads += 43) {
        int counts[101] = {0};
        team_run(threads, count_in, counts);
        for (int i = 0; i < 100; i++)
            assert_int_equal(counts[i], 1);
        assert_int_equal(counts[100], threads);
    }
    assert_int_equal(blas_threads, 1);
    assert_true(tiny * 1e-15 != 0); // only the team flushes
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_are_even),
        cmocka_unit_test(test_cosine_of_turns),
        cmocka_unit_test(test_normal_numbers),
        cmocka_unit_test(test_units_are_even),
        cmocka_unit_test(test_keys_differ),
        cmocka_unit_test(test_random_below_is_even),
        cmocka_unit_test(test_random_pictures),
        cmocka_unit_test(test_order_is_a_permutation),
        cmocka_unit_test(test_orders_are_even),
        cmocka_unit_test(test_first_weights),
        cmocka_unit_test(test_first_weights_are_the_same_in_float),
        cmocka_unit_test(test_finite),
        cmocka_unit_test(test_team),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
