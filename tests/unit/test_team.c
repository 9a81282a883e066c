// test_team.c: all threads meet at a barrier, and count numbers too small to be normal as zero.

#include "support.h"

enum { THREADS = 5, MEETINGS = 300 };

static volatile float tiny = 1e-30f, subnormal = 1e-40f, one = 1;
static volatile double tiny64 = 1e-300;

static int flushed, read_as_zero, flushed64;

static void multiply(void *context)
{
    (void)context;
    if (tiny * 1e-10f == 0)
        __atomic_fetch_add(&flushed, 1, __ATOMIC_RELAXED);
    if (subnormal * one == 0)
        __atomic_fetch_add(&read_as_zero, 1, __ATOMIC_RELAXED);
    if (tiny64 * 1e-12 == 0)
        __atomic_fetch_add(&flushed64, 1, __ATOMIC_RELAXED);
}

static void test_subnormals(void **state)
{
    (void)state;
    assert_true(tiny * 1e-10f != 0); // the caller's own mode
    team_run(THREADS, multiply, NULL);
    assert_int_equal(flushed, THREADS);
    assert_int_equal(read_as_zero, THREADS);
    assert_int_equal(flushed64, THREADS);
    assert_true(tiny * 1e-10f != 0);
}

static int turn[THREADS];
static int early;

// Nobody is a meeting ahead of another.
static void meet(void *context)
{
    (void)context;
    const int me = nn_thread();
    for (int i = 1; i <= MEETINGS; i++) {
        __atomic_store_n(&turn[me], i, __ATOMIC_RELAXED);
        nn_barrier();
        for (int t = 0; t < nn_threads(); t++)
            if (__atomic_load_n(&turn[t], __ATOMIC_RELAXED) < i)
                __atomic_fetch_add(&early, 1, __ATOMIC_RELAXED);
        nn_barrier();
    }
}

static void test_barrier(void **state)
{
    (void)state;
    for (int threads = 1; threads <= THREADS; threads++) {
        team_run(threads, meet, NULL);
        assert_int_equal(early, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subnormals),
        cmocka_unit_test(test_barrier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
