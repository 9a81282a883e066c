// test_weights.c: weights files: there and back, damaged in each way, and written whole or not at
// all.

#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *const FILE_NAME = "w.safetensors";
static EpochRecord history[2] = {
    {0.1 + 0.2, 1.0 / 3, NAN, NAN, 1, 2},
    {1e-17, 0.99999999999999989, 5e-324, 0.5, 1, 2},
};
static const Progress progress = {.seed = UINT64_MAX, .rate = 0.1, .epoch = 2,
                                  .step = 1234567890123, .history = history};

// Fills every tensor with numbers that tell where they belong.
static void fill(const NnModel *model, double first)
{
    for (int i = 0; i < model->tensor_count; i++)
        for (long j = 0; j < tensor_count(&model->tensors[i]); j++)
            tensor_set(model, model->tensors[i].data, j, first + 1000 * i + (double)j);
}

static bool is_filled(const NnModel *model, double first, bool optimizer)
{
    for (int i = 0; i < model->tensor_count; i++)
        for (long j = 0; j < tensor_count(&model->tensors[i]); j++)
            if ((model->tensors[i].role == NN_OPTIMIZER) == optimizer &&
                tensor_get(model, model->tensors[i].data, j) != first + 1000 * i + (double)j)
                return false;
    return true;
}

static int setup(void **state)
{
    if (enter_folder(state) != 0)
        return -1;
    fill(&nn_model, 1);
    return weights_write(FILE_NAME, &nn_model, &progress, WEIGHTS_TO_CONTINUE) ? 0 : -1;
}

static void round_trip(const NnModel *model)
{
    Progress found;
    fill(model, 1);
    assert_true(weights_write(FILE_NAME, model, &progress, WEIGHTS_TO_CONTINUE));
    fill(model, 2);
    assert_true(weights_read(FILE_NAME, model, WEIGHTS_TO_CONTINUE, &found));
    assert_true(is_filled(model, 1, false) && is_filled(model, 1, true));
    assert_true(found.seed == UINT64_MAX && found.rate == 0.1 && found.step == 1234567890123);
    assert_int_equal(found.epoch, 2);
    assert_true(found.history[0].loss == 0.1 + 0.2 && found.history[0].accuracy == 1.0 / 3);
    assert_true(isnan(found.history[0].validation_loss));
    assert_true(found.history[1].validation_loss == 5e-324);
    assert_true(isnan(found.history[1].seconds));
    // What was read is written with the same bytes.
    assert_true(weights_write("again", model, &found, WEIGHTS_TO_CONTINUE));
    assert_true(same_files(FILE_NAME, "again"));
    assert_int_equal(access("again.tmp", F_OK), -1);
    free(found.history);
}

static void test_round_trip(void **state)
{
    (void)state;
    round_trip(&nn_model);
    round_trip(&small_model_f64);
}

static void test_export(void **state)
{
    (void)state;
    Progress found;
    assert_true(weights_write("e", &nn_model, &progress, WEIGHTS_ONLY));
    fill(&nn_model, 2);
    assert_true(weights_read("e", &nn_model, WEIGHTS_ONLY, NULL));
    assert_true(is_filled(&nn_model, 1, false) && is_filled(&nn_model, 2, true));
    assert_false(weights_read("e", &nn_model, WEIGHTS_TO_CONTINUE, &found));
    assert_problem("'e' cannot be continued: it has no 'dense1_w_m' of the optimizer");
    // A checkpoint serves for predicting too; the optimizer's memory is left alone.
    fill(&nn_model, 2);
    assert_true(weights_read(FILE_NAME, &nn_model, WEIGHTS_ONLY, NULL));
    assert_true(is_filled(&nn_model, 1, false) && is_filled(&nn_model, 2, true));
}

// --- layouts ------------------------------------------------------------------------------------

enum { GAP = -1 };

// The tensor's numbers are 0, 1, … among rows, and as in `expected` where they lie.
static void check_places(NnTensor tensor, const int *expected)
{
    float data[24], rows[24];
    const int count = (int)tensor_count(&tensor);
    tensor.data = data;
    for (int i = 0; i < 24; i++)
        data[i] = GAP;
    for (int i = 0; i < count; i++)
        rows[i] = (float)i;
    tensor_write(&nn_model, &tensor, rows);
    for (int i = 0, found = 0; found < count; i++) {
        assert_int_equal(data[i], expected[i]);
        if (expected[i] == GAP)
            continue;
        assert_int_equal(tensor_place(&tensor, expected[i]), i);
        found++;
    }
    for (int i = 0; i < count; i++)
        rows[i] = -1;
    tensor_read(&nn_model, &tensor, rows);
    for (int i = 0; i < count; i++)
        assert_int_equal(rows[i], i);
}

static void test_places(void **state)
{
    (void)state;
    // 4 rows of 5: two slices of two rows, panels of three columns and of the last two
    check_places((NnTensor){.dim = {4, 5}, .layout = {2, 3, 3, 5}},
                 (const int[]){0,  1,  2,  5,  6,  7,  3,  4,  8,  9,
                               10, 11, 12, 15, 16, 17, 13, 14, 18, 19});
    // 2 rows of 9: two panels of two columns, one of three, and two columns by themselves
    check_places((NnTensor){.dim = {2, 9}, .layout = {2, 2, 4, 7}},
                 (const int[]){0, 1, 9, 10, 2, 3, 11, 12, 4, 5, 6, 13, 14, 15, 7, 16, 8, 17});
    // 2 rows of 4: one panel of three columns, and one by itself
    check_places((NnTensor){.dim = {2, 4}, .layout = {2, 2, 0, 3}},
                 (const int[]){0, 1, 2, 4, 5, 6, 3, 7});
    // 3 rows of 2, each followed by a number that is none of them
    check_places((NnTensor){.dim = {3, 2}, .layout = {.line = 3}},
                 (const int[]){0, 1, GAP, 2, 3, GAP, 4, 5});
}

// Files, first values and fingerprints are the same, whatever the layout.
static void test_panels(void **state)
{
    (void)state;
    NnModel model = small_model_f64;
    NnTensor tensors[16];
    assert_true(model.tensor_count <= 16);
    memcpy(tensors, model.tensors, (size_t)model.tensor_count * sizeof *tensors);
    for (int i = 0; i < model.tensor_count; i++)
        if (tensor_rank(&tensors[i]) == 2)
            tensors[i].layout.rows = tensors[i].dim[0] / 2, tensors[i].layout.columns = 3,
            tensors[i].layout.whole = tensors[i].dim[1] - 1,
            tensors[i].layout.last = tensors[i].layout.whole / 3 * 3;
    tensors_initialise(&model, 3);
    const uint64_t fingerprint = tensors_fingerprint(&model);
    assert_true(weights_write("rows", &model, &progress, WEIGHTS_TO_CONTINUE));
    model.tensors = tensors;
    assert_true(tensors_fingerprint(&model) != fingerprint);
    tensors_initialise(&model, 3);
    assert_true(tensors_fingerprint(&model) == fingerprint);
    assert_true(weights_write("panels", &model, &progress, WEIGHTS_TO_CONTINUE));
    assert_true(same_files("rows", "panels"));
    Progress found;
    fill(&model, 2);
    assert_true(weights_read("rows", &model, WEIGHTS_TO_CONTINUE, &found));
    assert_true(tensors_fingerprint(&model) == fingerprint);
    free(found.history);
}

// What lies in a gap is of no account, and the numbers of the last row are looked at.
static void test_gaps(void **state)
{
    (void)state;
    double data[] = {1, 2, NAN, 3, 4, INFINITY};
    const NnTensor tensor = {.name = "w", .dim = {2, 2}, .data = data, .layout = {.line = 3}};
    NnModel model = small_model_f64;
    model.tensors = &tensor, model.tensor_count = 1;
    assert_null(tensors_not_finite(&model));
    data[4] = NAN;
    assert_ptr_equal(tensors_not_finite(&model), &tensor);
}

static void test_alignment(void **state)
{
    (void)state;
    size_t size;
    uint64_t length;
    char *bytes = read_bytes(FILE_NAME, &size);
    memcpy(&length, bytes, 8);
    assert_int_equal((length + 8) % 64, 0);
    assert_true(bytes[8] == '{' && (bytes[7 + length] == '}' || bytes[7 + length] == ' '));
    free(bytes);
}

// --- damaged files ------------------------------------------------------------------------------

static void assert_refused(const char *part)
{
    Progress found = {.epoch = 77};
    fill(&nn_model, 5);
    assert_false(weights_read(FILE_NAME, &nn_model, WEIGHTS_TO_CONTINUE, &found));
    assert_problem(part);
    assert_problem("'w.safetensors'");
    assert_true(is_filled(&nn_model, 5, false) && is_filled(&nn_model, 5, true));
    assert_int_equal(found.epoch, 77);
}

static void write_file(const char *header, size_t length, const char *data, size_t size)
{
    char *bytes = malloc(8 + length + size);
    const uint64_t stored = length;
    memcpy(bytes, &stored, 8);
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, data, size);
    write_bytes(FILE_NAME, bytes, 8 + length + size);
    free(bytes);
}

// Replaces the first `from` in the header, and the length of the header.
static void damage(const char *from, const char *to)
{
    static char header[1 << 14];
    size_t size;
    uint64_t length;
    char *bytes = read_bytes(FILE_NAME, &size);
    memcpy(&length, bytes, 8);
    const char *at = strstr(bytes + 8, from);
    assert_non_null(at);
    const int used = snprintf(header, sizeof header, "%.*s%s%.*s", (int)(at - bytes) - 8,
                              bytes + 8, to, (int)length - (int)(at - bytes - 8) -
                              (int)strlen(from), at + strlen(from));
    write_file(header, (size_t)used, bytes + 8 + length, size - 8 - length);
    free(bytes);
}

static void assert_damage(const char *from, const char *to, const char *part)
{
    fill(&nn_model, 1);
    assert_true(weights_write(FILE_NAME, &nn_model, &progress, WEIGHTS_TO_CONTINUE));
    damage(from, to);
    assert_refused(part);
}

static void test_no_safetensors(void **state)
{
    (void)state;
    const uint64_t lengths[] = {100000001, 99999999, 0};
    unlink(FILE_NAME);
    assert_refused("cannot read 'w.safetensors': No such file or directory");
    mkdir(FILE_NAME, 0777);
    assert_refused("it is not an ordinary file");
    rmdir(FILE_NAME);
    write_bytes(FILE_NAME, "1234567", 7);
    assert_refused("is no safetensors file: it has only 7 bytes");
    write_bytes(FILE_NAME, &lengths[0], 8);
    assert_refused("is no safetensors file: its header would have 100000001 bytes");
    write_bytes(FILE_NAME, &lengths[1], 8);
    assert_refused("is truncated: its header has 99999999 bytes, the file 8");
    write_bytes(FILE_NAME, &lengths[2], 8);
    assert_refused("its header is not a JSON object");
    const char *const wrong[] = {"[]", "{", "{}x", " {}", "{\"a\":}", "{\0}", "nul"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_file(wrong[i], i == 5 ? 3 : strlen(wrong[i]), "", 0);
        assert_refused("its header is not a JSON object");
    }
    char *deep = malloc(100000);
    memset(deep, '[', 100000);
    memcpy(deep, "{\"a\":", 5);
    write_file(deep, 100000, "", 0);
    free(deep);
    assert_refused("its header is not a JSON object");
}

static void test_other_network(void **state)
{
    (void)state;
    assert_damage("[16,8]", "[16,9]",
                  "belongs to another network: 'dense1_w' is 16x9 there and 16x8 here");
    assert_damage("[16,8]", "[128]", "'dense1_w' is 128 there and 16x8 here");
    assert_damage("[16,8]", "[16,8,1]", "'dense1_w' is 16x8x1 there and 16x8 here");
    assert_damage("[16,8]", "[]", "'dense1_w' is a single number there and 16x8 here");
    assert_damage("F32", "F64", "'dense1_w' is F64 there and F32 here");
    assert_damage("\"dense1_w\"", "\"conv1_w\"", "this one has no tensor 'conv1_w'");
    assert_damage("small-1", "small-2", "its fingerprint is small-2 and here it is small-1");
    write_file("{}", 2, "", 0);
    assert_refused("belongs to another network: it has no tensor 'dense1_w'");
}

static void test_entries(void **state)
{
    (void)state;
    const char *const entry = "the entry of 'dense1_w' has";
    assert_damage("\"dense2_w\"", "\"dense1_w\"", "is damaged: it has 'dense1_w' twice");
    assert_damage("{\"__metadata__\":", "{\"__metadata__\":{},\"__metadata__\":",
                  "it has '__metadata__' twice");
    assert_damage("\"shape\"", "\"shap\"", entry);
    assert_damage("\"shape\":[16,8]", "\"shape\":{}", entry);
    assert_damage("\"shape\":[16,8],", "\"shape\":[16,8],\"x\":1,", entry);
    assert_damage("[16,8]", "[16,-8]", "a shape that is not of whole numbers");
    assert_damage("[16,8]", "[16.5,8]", "a shape that is not of whole numbers");
    assert_damage("[16,8]", "[16,1e300]", "a shape that is not of whole numbers");
    assert_damage("\"F32\"", "32", entry);
    assert_damage("\"dense1_w\":{", "\"dense1_w\":3,\"x\":{", entry);
}

static void test_offsets(void **state)
{
    (void)state;
    assert_damage("[0,512]", "[0,508]", "data_offsets that do not fit its shape");
    assert_damage("[0,512]", "[512,0]", "data_offsets that do not fit its shape");
    assert_damage("[0,512]", "[0,1e18]", "data_offsets that are not whole numbers");
    assert_damage("[0,512]", "[-1,511]", "data_offsets that are not whole numbers");
    assert_damage("[0,512]", "[0,512,0]", "has not just");
    assert_damage("[512,544]", "[508,540]", "bytes that belong to another tensor");
    assert_damage("[0,512]", "[4,516]", "bytes before it that belong to none");
    assert_damage("[512,544]", "[4503599627370496,4503599627370528]",
                  "bytes before it that belong to none");
}

// What another optimizer remembered is passed over, but must be there.
static void test_memory_of_others(void **state)
{
    (void)state;
    damage("{\"__metadata__\"", "{\"dense1_w_q\":{\"dtype\":\"F32\",\"shape\":[1],"
                                "\"data_offsets\":[0,9007199254740990]},\"__metadata__\"");
    assert_false(weights_read(FILE_NAME, &nn_model, WEIGHTS_ONLY, NULL));
    assert_problem("is damaged: the entry of '");
}

static void test_length(void **state)
{
    (void)state;
    size_t size;
    char *bytes = read_bytes(FILE_NAME, &size);
    write_bytes(FILE_NAME, bytes, size - 1);
    assert_refused("is truncated: its tensors have");
    bytes[size] = 0;
    write_bytes(FILE_NAME, bytes, size + 1);
    assert_refused("is damaged: 1 bytes follow its last tensor");
    for (size_t i = 0; i < size; i += 97) { // cut anywhere
        write_bytes(FILE_NAME, bytes, i);
        assert_refused("");
    }
    free(bytes);
}

static void test_progress(void **state)
{
    (void)state;
    assert_damage("\"epoch\":\"2\"", "\"epoch\":\"3\"", "its learning rate or its history");
    assert_damage("\"epoch\":\"2\"", "\"epoch\":\"2000000000\"",
                  "its learning rate or its history");
    assert_damage("\"epoch\":\"2\"", "\"epoch\":\"-2\"", "does not say how it was trained");
    assert_damage("\"epoch\":\"2\"", "\"epoch\":2", "does not say how it was trained");
    assert_damage("\"rate\":\"0.1\"", "\"rate\":\"0.1x\"", "its learning rate or its history");
    assert_damage("\"rate\":\"0.1\"", "\"rate\":\"nan\"", "its learning rate or its history");
    assert_damage("\"history\":\"[{", "\"history\":\"{", "its learning rate or its history");
    assert_damage("\"seed\"", "\"sed\"", "does not say how it was trained");
}

static void test_not_finite(void **state)
{
    (void)state;
    float *weights = nn_model.tensors[2].data;
    fill(&nn_model, 1);
    weights[3] = NAN;
    assert_true(weights_write(FILE_NAME, &nn_model, &progress, WEIGHTS_TO_CONTINUE));
    assert_refused("is of no use: 'dense2_w' has a number that is not finite");
}

// Every single byte of the header changed: refused, or read as the same tensors.
static void test_any_byte(void **state)
{
    (void)state;
    size_t size;
    uint64_t length;
    char *bytes = read_bytes(FILE_NAME, &size);
    memcpy(&length, bytes, 8);
    for (size_t i = 0; i < 8 + length; i++) {
        Progress found = {0};
        bytes[i] ^= 4;
        write_bytes(FILE_NAME, bytes, size);
        bytes[i] ^= 4;
        fill(&nn_model, 5);
        if (weights_read(FILE_NAME, &nn_model, WEIGHTS_TO_CONTINUE, &found))
            free(found.history);
        else
            assert_true(is_filled(&nn_model, 5, false) && is_filled(&nn_model, 5, true));
    }
    free(bytes);
}

// --- whole or not at all ------------------------------------------------------------------------

// The calls that make a file last, as they came; the one numbered refuse_at fails.
static char calls[16];
static int refuse_at = -1;

static bool note_call(char call)
{
    const size_t number = strlen(calls);
    if (number + 1 < sizeof calls)
        calls[number] = call;
    errno = EIO;
    return (int)number != refuse_at;
}

int fsync(int file)
{
    return note_call('s') ? (int)syscall(SYS_fsync, file) : -1;
}

int rename(const char *from, const char *to)
{
    return note_call('r') ? (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) : -1;
}

// The bytes are on the disk before the name is, and the name before save_file returns.
static void test_order_of_writing(void **state)
{
    (void)state;
    memset(calls, 0, sizeof calls);
    assert_true(save_text("a", "first"));
    assert_string_equal(calls, "srs");
    for (refuse_at = 0; refuse_at < 2; refuse_at++) {
        size_t size;
        memset(calls, 0, sizeof calls);
        assert_false(save_text("a", "second"));
        assert_problem("cannot write 'a': Input/output error");
        assert_int_equal(access("a.tmp", F_OK), -1);
        char *text = read_bytes("a", &size);
        assert_string_equal(text, "first");
        free(text);
    }
    refuse_at = -1;
}

static void test_disk_full(void **state)
{
    (void)state;
    size_t size;
    char *before = read_bytes(FILE_NAME, &size);
    const pid_t child = fork(); // limits cannot be raised again
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit limit = {1000, 1000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        fill(&nn_model, 9);
        const bool done = weights_write(FILE_NAME, &nn_model, &progress, WEIGHTS_TO_CONTINUE);
        free(before);
        _exit(!done && strstr(problem(), "cannot write 'w.safetensors': File too large") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(access("w.safetensors.tmp", F_OK), -1);
    write_bytes("before", before, size);
    assert_true(same_files(FILE_NAME, "before"));
    free(before);
}

static void test_nowhere_to_write(void **state)
{
    (void)state;
    assert_false(weights_write("w.safetensors/x", &nn_model, &progress, WEIGHTS_ONLY));
    assert_problem("cannot write 'w.safetensors/x': Not a directory");
    assert_false(weights_write("no/x", &nn_model, &progress, WEIGHTS_ONLY));
    assert_problem("cannot write 'no/x': No such file or directory");
    assert_false(weights_write("/dev/full", &nn_model, &progress, WEIGHTS_ONLY));
    assert_problem("cannot write '/dev/full': it is not an ordinary file");
    mkdir("folder", 0777);
    assert_false(save_text("folder", "x"));
    assert_problem("it is not an ordinary file");
    assert_false(make_folders("w.safetensors/a/b"));
    assert_problem("cannot make the folder 'w.safetensors/a'");
    assert_false(make_folders("w.safetensors"));
    assert_problem("'w.safetensors' is not a folder");
    assert_true(make_folders("a/b//c/"));
    assert_true(save_text("a/b/c/d", "x"));
}

// Killed at any instant: what is under the name is one whole file or the other.
static void test_killed(void **state)
{
    (void)state;
    for (int delay = 0; delay < 60; delay++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (double i = 1;; i++) {
                fill(&nn_model, i);
                weights_write(FILE_NAME, &nn_model, &progress, WEIGHTS_TO_CONTINUE);
            }
        }
        usleep((unsigned)(137 * delay));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_true(weights_read(FILE_NAME, &nn_model, WEIGHTS_TO_CONTINUE, NULL));
        const double first = tensor_get(&nn_model, nn_model.tensors[0].data, 0);
        assert_true(is_filled(&nn_model, first, false) && is_filled(&nn_model, first, true));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_export), TEST(test_places), TEST(test_panels),
        TEST(test_gaps), TEST(test_alignment), TEST(test_no_safetensors), TEST(test_other_network),
        TEST(test_entries), TEST(test_offsets), TEST(test_memory_of_others),
        TEST(test_length), TEST(test_progress),
        TEST(test_not_finite), TEST(test_any_byte), TEST(test_order_of_writing),
        TEST(test_disk_full), TEST(test_nowhere_to_write), TEST(test_killed),
    };
    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
