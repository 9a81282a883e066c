// test_train.c: whole trainings: the same bytes for any threads and after any interruption, each
// picture once, no allocation between steps, and an honest end in each case.

#include "support.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

enum { TRAINING = 162, STEPS = 21, EPOCHS = 3 }; // 162 of 203 pictures, 21 steps of 8

// --- what the steps saw -------------------------------------------------------------------------

static long allocations; // since the start of the program

#if !defined(__SANITIZE_ADDRESS__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_realloc(memory, size);
}
#endif

static struct {
    long steps, wrong_steps, allocated, before;
    int seen[TRAINING];
    uint32_t first[EPOCHS][8]; // pictures of each epoch's first batch
    int64_t signal_at, infinite_at;
    int signal;
} watched;

static void watch(const NnBatch *batch)
{
    if (nn_thread() != 0)
        return;
    const int64_t in_epoch = (batch->step - 1) % STEPS;
    if (batch->step != ++watched.steps || batch->rows != (in_epoch == STEPS - 1 ? 2 : 8))
        watched.wrong_steps++;
    if (in_epoch > 0)
        watched.allocated += allocations - watched.before;
    watched.before = allocations;
    for (int i = 0; i < batch->rows; i++)
        if (batch->index[i] < TRAINING)
            watched.seen[batch->index[i]]++;
    if (in_epoch == 0)
        memcpy(watched.first[(batch->step - 1) / STEPS % EPOCHS], batch->index, 32);
    if (batch->step == watched.signal_at)
        raise(watched.signal);
    if (batch->step == watched.infinite_at)
        *(float *)nn_model.tensors[1].data = INFINITY;
}

static int setup(void **state)
{
    memset(&watched, 0, sizeof watched);
    // a program leaves a signal ignored that was so at its start, as behind a shell's '&'
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    small_model_hook = watch;
    return write_data(state);
}

static void assert_run(int status, const char *line)
{
    const int found = run(&nn_model, line);
    if (found != status)
        fail_msg("'%s' ended with %d: %s", line, found, errors);
}

// --- tests --------------------------------------------------------------------------------------

static void test_steps(void **state)
{
    (void)state;
    assert_run(0, "train --threads 2 --out r");
    assert_int_equal(watched.steps, EPOCHS * STEPS);
    assert_int_equal(watched.wrong_steps, 0);
    assert_int_equal(watched.allocated, 0);
    for (int i = 0; i < TRAINING; i++)
        assert_int_equal(watched.seen[i], EPOCHS);
    assert_memory_not_equal(watched.first[0], watched.first[1], 32);
    assert_memory_not_equal(watched.first[1], watched.first[2], 32);
    assert_said(output, "small: 162 pictures of 4x4x1 and 41 for validation, batch 8, 3 epochs");
    assert_said(output, "epoch 3/3  loss ");
    assert_said(output, "test accuracy ");
    assert_said(output, "r/weights.safetensors");
    assert_string_equal(errors, "");
}

static void test_threads(void **state)
{
    (void)state;
    assert_run(0, "train --threads 1 --out one --quiet");
    assert_null(strstr(output, "epoch"));
    assert_run(0, "train --threads 3 --out three");
    assert_run(0, "train --threads 8 --out eight");
    assert_run(0, "train --threads 3 --out other --seed 2");
    assert_true(same_files("one/weights.safetensors", "three/weights.safetensors"));
    assert_true(same_files("one/weights.safetensors", "eight/weights.safetensors"));
    assert_false(same_files("one/weights.safetensors", "other/weights.safetensors"));
}

static void test_it_learns(void **state)
{
    (void)state;
    assert_run(0, "train --epochs 30 --json");
    cJSON *last = cJSON_Parse(strstr(output, "{\"epochs\""));
    assert_true(cJSON_GetObjectItem(last, "test_accuracy")->valuedouble > 0.8);
    cJSON_Delete(last);
    assert_run(0, "eval --json");
    cJSON *score = cJSON_Parse(output);
    assert_int_equal(cJSON_GetObjectItem(score, "pictures")->valueint, 30);
    long sum = 0;
    const cJSON *row, *number;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(score, "confusion"))
        cJSON_ArrayForEach(number, row) sum += number->valueint;
    assert_int_equal(sum, 30);
    cJSON_Delete(score);
    assert_run(0, "eval");
    assert_said(output, "true \\ predicted");
}

static void test_resume(void **state)
{
    (void)state;
    assert_run(0, "train --out whole");
    assert_run(0, "train --out parts --epochs 1");
    assert_run(0, "train --out parts --epochs 2 --resume --threads 3");
    assert_said(output, "goes on after epoch 1");
    assert_run(0, "train --out parts --resume");
    assert_true(same_files("whole/weights.safetensors", "parts/weights.safetensors"));

    size_t size;
    char *text = read_bytes("parts/run.json", &size);
    cJSON *report = cJSON_Parse(text);
    const cJSON *history = cJSON_GetObjectItem(report, "history");
    assert_int_equal(cJSON_GetArraySize(history), 3);
    for (int i = 0; i < 3; i++) // times of the earlier parts too
        assert_true(cJSON_IsNumber(cJSON_GetObjectItem(cJSON_GetArrayItem(history, i),
                                                       "seconds")));
    assert_string_equal(cJSON_GetObjectItem(report, "status")->valuestring, "finished");
    assert_int_equal(cJSON_GetArraySize(
                         cJSON_GetObjectItem(cJSON_GetObjectItem(report, "test"), "confusion")), 3);
    cJSON_Delete(report);
    free(text);

    assert_run(0, "train --out parts --resume");
    assert_said(output, "already trained for 3 epochs: nothing to do");
    assert_said(output, "test accuracy");
    assert_true(same_files("whole/weights.safetensors", "parts/weights.safetensors"));
    assert_run(0, "train --out parts --resume --seed 1 --epochs 2");
    assert_said(output, "already trained for 3 epochs");
    assert_run(0, "train --out single --epochs 1");
    assert_run(0, "train --out single --resume --epochs 1");
    assert_said(output, "already trained for 1 epoch: nothing to do");
    assert_run(1, "train --out parts --resume --seed 2");
    assert_said(errors, "was trained with seed 1 and cannot go on with '--seed 2'");
    assert_run(1, "train --out nothing --resume");
    assert_said(errors, "small: error: nothing to resume: there is no "
                        "'nothing/weights.safetensors'\n");
    // The report is for reading: without it, or with rubbish in it, the training goes on.
    write_bytes("parts/run.json", "{\"history\":[3,{}]}", 18);
    assert_run(0, "train --out parts --resume --epochs 4");
    assert_run(0, "train --out whole --resume --epochs 4");
    assert_true(same_files("whole/weights.safetensors", "parts/weights.safetensors"));
}

// Killed at steps all over the run, the checkpoints' writing included by the last delay.
// In the file of a training's weights.
static void store_rate(const char *path, const char *rate)
{
    static const char stored[] = "\"rate\":\"";
    size_t size;
    char *bytes = read_bytes(path, &size);
    char *at = strstr(bytes + 8, stored);
    assert_non_null(at);
    memcpy(at + strlen(stored), rate, strlen(rate));
    write_bytes(path, bytes, size);
    free(bytes);
}

static void test_resume_with_stored_rate(void **state)
{
    (void)state;
    static const char *const rates[] = {"-0.5", "0.00"};
    assert_run(0, "train --out stored --epochs 1");
    for (int i = 0; i < 2; i++) {
        store_rate("stored/weights.safetensors", rates[i]);
        assert_run(0, "eval --out stored");
        assert_run(1, "train --out stored --resume");
        assert_said(errors, i == 0 ? "cannot be continued with its learning rate, -0.5: expected "
                                     "one above 0; name one with '--lr X'\n"
                                   : "its learning rate, 0:");
    }
    assert_run(0, "train --out stored --resume --lr 0.1");
}

static void test_killed(void **state)
{
    (void)state;
    assert_run(0, "train --out whole --threads 1");
    for (int step = 1; step <= EPOCHS * STEPS; step += 4) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            watched.signal_at = step;
            watched.signal = SIGKILL;
            run(&nn_model, "train --out killed --threads 1");
            _exit(0);
        }
        waitpid(child, NULL, 0);
        if (step > STEPS) {
            assert_run(0, "train --out killed --threads 1 --resume");
            assert_true(same_files("whole/weights.safetensors", "killed/weights.safetensors"));
        } else {
            assert_int_equal(access("killed/weights.safetensors", F_OK), -1);
        }
        assert_int_equal(system("rm -rf killed"), 0);
    }
}

static void test_interrupted(void **state)
{
    (void)state;
    assert_run(0, "train --out whole");
    watched.steps = 0;
    watched.signal_at = STEPS + 5;
    watched.signal = SIGINT;
    assert_run(130, "train --out parts");
    assert_true(watched.steps <= STEPS + 6); // it ends after the step, or the one that had begun
    assert_string_equal(errors, "small: interrupted in epoch 2; epoch 1 is saved in "
                                "'parts/weights.safetensors'; go on with '--resume'\n");
    watched.signal_at = 0;
    assert_run(0, "train --out parts --resume");
    assert_true(same_files("whole/weights.safetensors", "parts/weights.safetensors"));
    watched.signal_at = 3;
    watched.signal = SIGTERM;
    assert_run(143, "train --out early");
    assert_said(errors, "no epoch was completed, nothing is saved");
    assert_int_equal(access("early/weights.safetensors", F_OK), -1);
}

static void test_not_finite(void **state)
{
    (void)state;
    assert_run(0, "train --epochs 1");
    assert_int_equal(system("cp runs/small/weights.safetensors good"), 0);
    watched.infinite_at = STEPS + 4;
    assert_run(1, "train --resume");
    assert_string_equal(errors,
                        "small: error: the loss is not finite in epoch 2, step 25, first in layer "
                        "'dense1': try a learning rate below 0.05, with '--lr X'; epoch 1 is saved "
                        "in 'runs/small/weights.safetensors'\n");
    assert_true(same_files("good", "runs/small/weights.safetensors"));
}

static void test_the_folder_is_locked(void **state)
{
    (void)state;
    watched.signal_at = 30;
    watched.signal = SIGSTOP;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run(&nn_model, "train --threads 1");
        _exit(0);
    }
    waitpid(child, NULL, WUNTRACED);
    watched.signal_at = 0;
    assert_run(1, "train --threads 1");
    assert_said(errors, "another training writes to 'runs/small'");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_run(0, "train --threads 1");
}

static void test_validation(void **state)
{
    (void)state;
    NnModel other = nn_model;
    small_model_hook = NULL;
    other.validation_pictures = 203;
    assert_int_equal(run(&other, "train"), 1);
    assert_said(errors, "no picture is left to train with: of 203, 203 are for validation");
    other.validation_pictures = 3;
    assert_int_equal(run(&other, "train"), 0);
    assert_said(output, "small: 200 pictures of 4x4x1 and 3 for validation");
    other.validation_pictures = 0;
    other.validation_share = 0;
    assert_int_equal(run(&other, "train"), 0);
    assert_said(output, "small: 203 pictures of 4x4x1, batch");
    assert_null(strstr(output, "val"));
    assert_int_equal(run(&other, "train --resume --epochs 4"), 0);
}

static void test_other_commands(void **state)
{
    (void)state;
    assert_run(1, "eval");
    assert_said(errors, "no weights in 'runs/small/weights.safetensors': train first with "
                        "'small train'");
    assert_run(0, "train --epochs 1");
    assert_run(0, "predict 0 29 --threads 2");
    assert_said(output, "test picture 29 (a ");
    assert_run(1, "predict 0 30");
    assert_said(errors, "there is no test picture '30': the test set has 0 to 29");
    assert_string_equal(output, "");
    assert_run(1, "predict 0 nothing.png");
    assert_said(errors, "cannot read 'nothing.png'");
    write_bytes("p.pgm", "P5 4 4 255\n0123456789abcdef", 27);
    assert_run(0, "predict p.pgm 3 --json");
    cJSON *list = cJSON_Parse(output);
    assert_int_equal(cJSON_GetArraySize(list), 2);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(list->child, "best")), 3);
    cJSON_Delete(list);
    assert_run(0, "export e.safetensors");
    assert_run(0, "eval --weights e.safetensors");
    assert_run(1, "export no/e.safetensors");
    assert_run(0, "info");
    assert_said(output, "dense1    dense 8 relu l2 0.001");
    assert_run(0, "info --json");
    cJSON *card = cJSON_Parse(output);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(card, "layers")), 3);
    cJSON_Delete(card);
    NnModel untrained = nn_model;
    untrained.train_step = NULL;
    assert_int_equal(run(&untrained, "train"), 1);
    assert_said(errors, "was compiled for inference only");
}

static void test_gradients(void **state)
{
    (void)state;
    const NnModel *model = &small_model_f64;
    assert_int_equal(run(model, "gradcheck --random"), 0);
    assert_said(output, "dense1_w         16x8             128 checked");
    assert_int_equal(run(model, "gradcheck --threads 3 --samples 20 --seed 4"), 0);
    assert_said(output, "dense1_w         16x8              20 checked");
    assert_int_equal(run(model, "gradcheck --data nowhere"), 1);
    assert_run(1, "gradcheck --random");
    assert_said(errors, "compile it with '--precision f64'");
}

// The wrong gradient of one element is found.
static void break_gradient(const NnBatch *batch, NnResult *result)
{
    small_model_f64.gradient_step(batch, result);
    if (nn_thread() == 0)
        ((double *)small_model_f64.tensors[2].gradient)[7] *= 1.01;
    nn_barrier();
}

static void test_wrong_gradient(void **state)
{
    (void)state;
    NnModel broken = small_model_f64;
    broken.gradient_step = break_gradient;
    assert_int_equal(run(&broken, "gradcheck --random --seed 2"), 1);
    assert_said(output, "WRONG");
    assert_said(errors, "small: error: the gradient of 'dense2_w' is wrong at [2,1]: analytic ");
}

// A kink in the loss under the first `kinks` elements of dense2_w, right where they are.
static int kinks;

static void bend_gradient(const NnBatch *batch, NnResult *result)
{
    static double first[8 * 3];
    static bool begun;
    const double *weights = small_model_f64.tensors[2].data;
    small_model_f64.gradient_step(batch, result);
    if (nn_thread() == 0) {
        if (!begun)
            memcpy(first, weights, sizeof first);
        begun = kinks > 0;
        for (int i = 0; i < kinks; i++)
            result->penalty += fabs(weights[i] - first[i]);
    }
    nn_barrier();
}

static void test_kinks(void **state)
{
    (void)state;
    NnModel bent = small_model_f64;
    bent.gradient_step = bend_gradient;
    kinks = 2;
    assert_int_equal(run(&bent, "gradcheck --random"), 0);
    assert_said(output, "24 checked    2 skipped");
    kinks = 3; // more than two, and more than 5 % of 24
    assert_int_equal(run(&bent, "gradcheck --random"), 1);
    assert_said(errors, "the gradient of 'dense2_w' cannot be checked: 3 of 24 elements lie at a "
                        "kink");
}

static void test_curves(void **state)
{
    (void)state;
    size_t size;
    assert_run(0, "train --epochs 2");
    char *text = read_bytes("runs/small/curves.svg", &size);
    assert_said(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    assert_said(text, "small: test accuracy ");
    assert_said(text, ">validation</text>");
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    assert_string_equal(text + size - 7, "</svg>\n");
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_steps), TEST(test_threads), TEST(test_it_learns), TEST(test_resume),
        TEST(test_resume_with_stored_rate), TEST(test_killed), TEST(test_interrupted),
        TEST(test_not_finite),
        TEST(test_the_folder_is_locked), TEST(test_validation), TEST(test_other_commands),
        TEST(test_gradients), TEST(test_wrong_gradient), TEST(test_kinks), TEST(test_curves),
    };
    return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
