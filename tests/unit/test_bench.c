// test_bench.c: how many steps the bench command takes.

#include "../../runtime/bench.c"
#include "support.h"

enum { ROOM = 1000 * ROUNDS };

static void assert_counts(Options options, double step, int plain, int timed)
{
    Bench bench = {.model = &nn_model, .options = &options, .room = ROOM};
    choose_counts(&bench, step);
    assert_int_equal(bench.plain, plain);
    assert_int_equal(bench.timed, timed);
}

static void test_counts(void **state)
{
    (void)state;
    assert_counts((Options){.seconds = 8}, 0.01, 50, 30);
    assert_counts((Options){.seconds = 8}, 10, 1, 1);
    assert_counts((Options){.seconds = 80}, 0.001, 1000, 1000);
    assert_counts((Options){.seconds = 1e5}, 1e-7, 1000, 1000); // more than an int counts
    assert_counts((Options){.steps = 80, .given[OPTION_STEPS] = true}, 1, 10, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
