// test_rate.c: the learning rate of each step against the closed formulas, and against numbers that
// PyTorch's and Keras' own schedules gave.

#include "support.h"

#include <math.h>

enum { STEPS_PER_EPOCH = 10, EPOCHS = 5, STEPS = STEPS_PER_EPOCH * EPOCHS };

static const double PI = 3.14159265358979323846, LR = 0.5;

static double rate_at(NnSchedule schedule, int step)
{
    const NnModel model = {.schedule = schedule};
    const RatePlan plan = rate_plan(&model, LR, STEPS_PER_EPOCH, EPOCHS, NULL, 0);
    return rate_of_step(&plan, step + 1);
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12 * fabs(expected) + 1e-18))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

static void test_constant(void **state)
{
    (void)state;
    for (int t = 0; t < STEPS; t++)
        assert_true(rate_at((NnSchedule){0}, t) == LR);
}

static void test_warmup(void **state)
{
    (void)state;
    const NnTime times[] = {{20, NN_STEPS}, {2, NN_EPOCHS}, {0.4, NN_SHARE}};
    for (int i = 0; i < 3; i++)
        for (int t = 0; t < STEPS; t++)
            assert_near(rate_at((NnSchedule){.warmup = times[i]}, t), t < 20 ? LR * t / 20 : LR);
}

static void test_step(void **state)
{
    (void)state;
    const NnSchedule schedule = {.kind = NN_STEP, .time = {2, NN_EPOCHS}, .factor = 0.1};
    for (int t = 0; t < STEPS; t++)
        assert_near(rate_at(schedule, t), LR * pow(0.1, t / 20));
    const NnSchedule share = {.kind = NN_STEP, .time = {0.14, NN_SHARE}, .factor = 0.1};
    for (int t = 0; t < STEPS; t++)
        assert_near(rate_at(share, t), LR * pow(0.1, t / 7));
    // twice 3.5 steps are 7, though 0.07 * 50 is a little more than 3.5
    const NnSchedule half = {.kind = NN_STEP, .time = {0.07, NN_SHARE}, .factor = 0.1};
    const NnSchedule falls = {
        .kind = NN_COSINE, .restart = {0.07, NN_SHARE}, .t_mul = 1, .m_mul = 1};
    for (int t = 0; t < STEPS; t++)
        assert_near(rate_at(half, t), LR * pow(0.1, 2 * t / 7));
    for (int t = 0; t < STEPS; t += 7)
        assert_near(rate_at(falls, t), LR);
}

static NnSchedule steps_at(const NnTime *at, int count)
{
    return (NnSchedule){.kind = NN_STEP, .at = at, .at_count = count, .factor = 0.3};
}

// torch.optim.lr_scheduler.MultiStepLR(milestones=[3, 4, 8], gamma=0.3)
static void test_step_at(void **state)
{
    (void)state;
    static const double torch[] = {0.5, 0.5, 0.5, 0.15, 0.045, 0.045, 0.045, 0.045, 0.0135, 0.0135};
    static const NnTime steps[] = {{3, NN_STEPS}, {4, NN_STEPS}, {8, NN_STEPS}};
    static const NnTime epochs[] = {{3, NN_EPOCHS}, {4, NN_EPOCHS}, {8, NN_EPOCHS}};
    static const NnTime shares[] = {{0.3, NN_SHARE}, {0.4, NN_SHARE}, {0.8, NN_SHARE}};
    static const NnTime *const times[] = {steps, epochs, shares};
    for (int i = 0; i < 3; i++) {
        const int of_one = times[i] == steps ? 1 : 7; // steps for each of PyTorch's
        const NnModel model = {.schedule = steps_at(times[i], 3)};
        const RatePlan plan = rate_plan(&model, LR, of_one, 10, NULL, 0);
        for (int t = 0; t < 10 * of_one; t++)
            assert_near(rate_of_step(&plan, t + 1), torch[t / of_one]);
    }
}

static void test_step_at_behind_warmup(void **state)
{
    (void)state;
    static const NnTime steps[] = {{5, NN_STEPS}, {70, NN_STEPS}}; // one beyond the end
    static const NnTime shares[] = {{0.25, NN_SHARE}, {0.5, NN_SHARE}};
    NnSchedule schedule = steps_at(steps, 2);
    schedule.warmup = (NnTime){10, NN_STEPS};
    for (int t = 0; t < STEPS; t++)
        assert_near(rate_at(schedule, t), t < 10 ? LR * t / 10 : t < 15 ? LR : LR * 0.3);
    schedule.at = shares; // of the 40 steps that are left
    for (int t = 10; t < STEPS; t++)
        assert_near(rate_at(schedule, t), t < 20 ? LR : t < 30 ? LR * 0.3 : LR * 0.09);
}

static void test_exponential(void **state)
{
    (void)state;
    const NnSchedule schedule = {
        .kind = NN_EXPONENTIAL, .time = {7, NN_STEPS}, .factor = 0.9, .warmup = {3, NN_STEPS}};
    for (int t = 3; t < STEPS; t++)
        assert_near(rate_at(schedule, t), LR * exp((t - 3) / 7.0 * log(0.9)));
}

static void test_cosine(void **state)
{
    (void)state;
    NnSchedule schedule = {.kind = NN_COSINE, .time = {1, NN_SHARE}, .to = 0.1};
    for (int t = 0; t < STEPS; t++)
        assert_near(rate_at(schedule, t), 0.1 + 0.4 * 0.5 * (1 + cos(PI * t / STEPS)));
    schedule.warmup = (NnTime){10, NN_STEPS}; // the fall takes what is left
    for (int t = 10; t < STEPS; t++)
        assert_near(rate_at(schedule, t), 0.1 + 0.4 * 0.5 * (1 + cos(PI * (t - 10) / 40)));
    schedule.time = (NnTime){20, NN_STEPS}; // and then the rate stays
    assert_near(rate_at(schedule, 20), 0.3);
    assert_near(rate_at(schedule, 30), 0.1);
    assert_near(rate_at(schedule, 49), 0.1);
}

// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(T_0=3, T_mult=2, eta_min=0.1)
static void test_cosine_restarts(void **state)
{
    (void)state;
    static const double torch[] = {
        0.5, 0.4, 0.2, 0.5, 0.47320508075688783, 0.4, 0.3, 0.2, 0.12679491924311226, 0.5};
    NnSchedule schedule = {
        .kind = NN_COSINE, .restart = {3, NN_STEPS}, .t_mul = 2, .m_mul = 1, .to = 0.1};
    for (int t = 0; t < 10; t++)
        assert_near(rate_at(schedule, t), torch[t]);
    schedule.m_mul = 0.5; // keras: (1 - alpha) m_mul^i (1 + cos) / 2 + alpha, of lr
    assert_near(rate_at(schedule, 3), 0.1 + 0.4 * 0.5);
    assert_near(rate_at(schedule, 9), 0.1 + 0.4 * 0.25);
    schedule.t_mul = 1;
    assert_near(rate_at(schedule, 6), 0.1 + 0.4 * 0.25);
    schedule.restart = (NnTime){1e-11, NN_SHARE}; // less than a step is a step
    schedule.m_mul = 1;
    assert_near(rate_at(schedule, 40), 0.5);
    schedule.warmup = (NnTime){2 * STEPS, NN_STEPS}; // of a longer training, which goes on
    assert_near(rate_at(schedule, 2 * STEPS + 7), 0.5);
}

static void test_polynomial(void **state)
{
    (void)state;
    const NnSchedule schedule = {
        .kind = NN_POLYNOMIAL, .time = {0.5, NN_SHARE}, .to = 0.01, .power = 2};
    for (int t = 0; t < STEPS; t++) {
        const double left = t < 25 ? 1 - t / 25.0 : 0;
        assert_near(rate_at(schedule, t), 0.49 * left * left + 0.01);
    }
}

// torch.optim.lr_scheduler.OneCycleLR(max_lr=0.5, total_steps=20)
static void test_one_cycle(void **state)
{
    (void)state;
    static const double torch[] = {0.02,
                                   0.06583592135001265,
                                   0.18583592135001265,
                                   0.3341640786499874,
                                   0.45416407864998737,
                                   0.5,
                                   0.49373200311754367,
                                   0.47524231600673683,
                                   0.445458088785525,
                                   0.40587282697488153,
                                   0.3584715008956504,
                                   0.30563101096814466,
                                   0.250001,
                                   0.19437098903185537,
                                   0.14153049910434962,
                                   0.09412917302511849,
                                   0.05454391121447502,
                                   0.024759683993263143,
                                   0.006269996882456277,
                                   2e-06};
    const NnModel model = {
        .schedule = {.kind = NN_ONE_CYCLE, .rise = 0.3, .div = 25, .final_div = 10000}};
    const RatePlan plan = rate_plan(&model, LR, 4, 5, NULL, 0);
    for (int t = 0; t < 20; t++)
        if (!(fabs(rate_of_step(&plan, t + 1) - torch[t]) <= 1e-14))
            fail_msg("step %d: expected %.17g, found %.17g", t, torch[t],
                     rate_of_step(&plan, t + 1));
    const RatePlan one = rate_plan(&model, LR, 1, 1, NULL, 0);
    assert_true(isfinite(rate_of_step(&one, 1)));
}

// --- what depends on the validation -------------------------------------------------------------

static void fill(EpochRecord *history, const double *losses, int count)
{
    for (int i = 0; i < count; i++)
        history[i] =
            (EpochRecord){.validation_loss = losses[i], .validation_accuracy = 1 - losses[i]};
}

// The rates after each number of epochs, as in keras.callbacks.ReduceLROnPlateau.
static void test_plateau(void **state)
{
    (void)state;
    // 0.45 is no progress of 0.1; the epoch behind a change does not count
    static const double losses[] = {0.5, 0.6, 0.45, 0.3, 0.25, 0.29, 0.1, 0.2, 0.2, 0.2};
    static const double rates[] = {0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.1, 0.1};
    EpochRecord history[10];
    fill(history, losses, 10);
    NnModel model = {.schedule = {.kind = NN_PLATEAU,
                                  .factor = 0.5,
                                  .to = 0.1,
                                  .cooldown = 1,
                                  .watch = {.patience = 2, .min_delta = 0.1}}};
    for (int accuracy = 0; accuracy < 2; accuracy++) {
        model.schedule.watch.accuracy = accuracy;
        for (int epochs = 0; epochs <= 10; epochs++) {
            const RatePlan plan = rate_plan(&model, LR, 10, 20, history, epochs);
            assert_near(rate_of_step(&plan, 10 * epochs + 1), rates[epochs]);
        }
    }
}

static void test_early_end(void **state)
{
    (void)state;
    static const double losses[] = {0.5, 0.4, 0.39, 0.41, 0.395, 0.3};
    EpochRecord history[6];
    fill(history, losses, 6);
    const NnWatch watch = {.patience = 2};
    assert_int_equal(watch_best(&watch, history, 0), 0);
    assert_int_equal(watch_best(&watch, history, 1), 1);
    assert_int_equal(watch_best(&watch, history, 5), 3);
    assert_int_equal(watch_best(&watch, history, 6), 6);
    for (int epochs = 0; epochs < 5; epochs++)
        assert_false(watch_has_ended(&watch, history, epochs));
    assert_true(watch_has_ended(&watch, history, 5));
    const NnWatch strict = {.patience = 2, .min_delta = 0.05, .accuracy = true};
    assert_int_equal(watch_best(&strict, history, 5), 2);
    assert_true(watch_has_ended(&strict, history, 4));
    assert_false(watch_has_ended(&(NnWatch){0}, history, 5));
    history[0].validation_loss = NAN; // never the best, and no bar to others
    assert_int_equal(watch_best(&watch, history, 1), 0);
    assert_int_equal(watch_best(&watch, history, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_step_at),
        cmocka_unit_test(test_step_at_behind_warmup),
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_cosine_restarts),
        cmocka_unit_test(test_polynomial),
        cmocka_unit_test(test_one_cycle),
        cmocka_unit_test(test_plateau),
        cmocka_unit_test(test_early_end),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
