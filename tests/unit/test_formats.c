// test_formats.c: data sets from CSV, NumPy, CIFAR-10 and folders of pictures: as they should be,
// and wrong in each way.

#include "support.h"

#include <math.h>
#include <png.h>

// A model that reads `format` from `file`: examples of two numbers, and three classes.
static NnModel model_of(NnFormat format, const char *file)
{
    NnModel model = nn_model;
    model.format = format;
    model.files = (NnFiles){file, NULL};
    model.width = 2;
    model.height = model.channels = 1;
    return model;
}

static DataSet set;
static Classes *classes;

static void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static void load(const NnModel *model)
{
    free(classes);
    classes = NULL;
    data_free(&set);
    if (!data_load(&set, model, ".", DATA_TRAIN, &classes))
        fail_msg("%s", problem());
}

static void assert_wrong(const NnModel *model, const char *part)
{
    Classes *none = NULL;
    DataSet empty = {.count = 7};
    assert_false(data_load(&empty, model, ".", DATA_TRAIN, &none));
    assert_problem(part);
    assert_true(empty.count == 0 && !empty.pictures && !empty.numbers && !empty.labels &&
                !empty.targets);
    free(none);
}

static int leave(void **state)
{
    free(classes);
    classes = NULL;
    data_free(&set);
    return leave_folder(state);
}

// The one example whose first number is `first`: examples come in another order than the file's.
static int find(float first)
{
    for (int i = 0; i < set.count; i++)
        if (set.numbers[2 * i] == first)
            return i;
    fail_msg("no example begins with %g", (double)first);
    return -1;
}

static void assert_example(float first, float second, int label)
{
    const int i = find(first);
    assert_true(set.numbers[2 * i + 1] == second);
    assert_int_equal(set.labels[i], label);
}

// --- CSV ----------------------------------------------------------------------------------------

static NnModel csv_model(const char *text)
{
    write_text("x.csv", text);
    return model_of(NN_CSV, "x.csv");
}

static void csv_with_words(void **state)
{
    (void)state;
    NnModel model = csv_model("width,height,kind\n1,2.5,owl\n3,-4e-1,cat\n5,6,dog\n7,8,cat\n");
    load(&model);
    assert_int_equal(set.count, 4);
    assert_int_equal(classes->count, 3);
    assert_string_equal(classes->name[0], "cat");
    assert_string_equal(classes->name[2], "owl");
    assert_example(1, 2.5f, 2);
    assert_example(3, -0.4f, 0);
    assert_example(5, 6, 1);
}

static void csv_with_numbers(void **state)
{
    (void)state;
    NnModel model = csv_model("1,2,0\n3,4,2\n5,6,0\n");
    load(&model);
    assert_null(classes);
    assert_example(3, 4, 2);
    model = csv_model("1,2,10\n3,4,9\n5,6,30\n"); // by size, not by letter
    load(&model);
    assert_string_equal(classes->name[0], "9");
    assert_example(1, 2, 1);
    assert_example(5, 6, 2);
}

static void csv_as_people_write_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\xef\xbb\xbf"
        "a,b,c\r\n1,2,cat\r\n3,4,dog\r\n5,6,owl\r\n\r\n",
        "1;2;cat\n\n3;4;dog\n5;6;owl",
        "1\t2\tcat\n3\t4\tdog\n5\t6\towl\n",
        "\"1\",\"2\",\"cat\"\n3 , 4 , dog\n 5,6,\"owl\"  \n",
        "a,b,c\r1,2,cat\r3,4,dog\r5,6,owl\r",
        " 1\t 2\tcat\n3\t4\tdog\n5\t6\towl\n",
        "\n1;2;cat\n3;4;dog\n5;6;owl\n",
        "\"size\nin, cm\";a 5\" one;kind\n1;2;cat\n3;4;dog\n5;6;owl\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const NnModel model = csv_model(texts[i]);
        load(&model);
        assert_int_equal(set.count, 3);
        assert_example(3, 4, 1);
        assert_string_equal(classes->name[2], "owl");
    }
    const NnModel model = csv_model("1,2,\"a \"\"b\"\", c\"\n3,4,\"two\nlines\"\n5,6,z\n");
    load(&model);
    assert_string_equal(classes->name[0], "a \"b\", c");
    assert_string_equal(classes->name[1], "two\nlines");
}

static void csv_columns(void **state)
{
    (void)state;
    NnModel model = csv_model("kind,a,b\ncat,1,2\ndog,3,4\nowl,5,6\n");
    model.columns = "kind";
    load(&model);
    assert_example(3, 4, 1);
    model.columns = "1";
    load(&model);
    assert_example(3, 4, 1);
    model.columns = "colour";
    assert_wrong(&model, "'x.csv' has no column 'colour'; its columns are kind, a, b");
    model.columns = "4";
    assert_wrong(&model, "no column '4'");
    model = csv_model("h\xf6he,\xe2\x82\xac,b\ncat,1,2\ndog,3,4\nowl,5,6\n"); // a message is UTF-8
    model.columns = "h\xc3\xb6he";
    assert_wrong(&model, "no column 'h\xc3\xb6he'; its columns are h?he, \xe2\x82\xac, b; "
                         "its names are not in UTF-8: save it so");
    model.columns = "1"; // no name is needed
    load(&model);
    model = csv_model("1,2,0\n");
    model.columns = "kind";
    assert_wrong(&model,
                 "'x.csv' has no header with names, and so no column 'kind'; name it by its "
                 "number, 1 to 3");
    model.header = NN_YES;
    model.columns = NULL;
    assert_wrong(&model, "'x.csv' has no line behind its header");
    model = csv_model("a,b,c\n1,2,0\n");
    model.header = NN_NO;
    assert_wrong(&model, "'x.csv', line 1, column 1: expected a number, found 'a'");
}

static void csv_targets(void **state)
{
    (void)state;
    NnModel model = csv_model("a,price,b,rent\n1,10,2,20\n3,-30,4,.5\n");
    model.classes = 0;
    model.targets = model.outputs = 2;
    model.columns = "rent, 2";
    load(&model);
    assert_null(set.labels);
    const int i = find(3);
    assert_true(set.numbers[2 * i + 1] == 4);
    assert_true(set.targets[2 * i] == 0.5f && set.targets[2 * i + 1] == -30);
    model.loss = "poisson";
    model.target_range = NN_FROM_0;
    assert_wrong(&model, "'x.csv', line 3, column 2 ('price'): expected a target from 0 on, as "
                         "'poisson' takes them, found '-30'");
    model.target_range = NN_ANY_TARGET;
    model.columns = "rent, rent";
    assert_wrong(&model, "column 'rent' is wanted twice");
    model.columns = "rent";
    assert_wrong(&model, "is asked for 1 column of targets, the network has 2 outputs");
    write_text("x.csv", "a,a,b,rent\n1,10,2,20\n");
    model.columns = "rent, a";
    assert_wrong(&model, "'x.csv' calls columns 1 and 2 'a': write the number of the one that is "
                         "meant");
    model.columns = "rent, 2";
    load(&model);
    // all inputs are numbers: no header
    write_text("x.csv", "1,2,3,NA\n4,5,6,7\n");
    model.columns = "3, 4";
    assert_wrong(&model, "'x.csv', line 1, column 4: expected a number, found 'NA'");
}

static void csv_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"", "'x.csv' is empty"},
        {"\n\n", "'x.csv' is empty"},
        {"a,b,c\n", "'x.csv' has no line behind its header"},
        {"1,2,0\n3,x,1\n", "'x.csv', line 2, column 2: expected a number, found 'x'"},
        {"a,b,c\n1,2,0\n\n3,,1\n", "'x.csv', line 4, column 2 ('b'): expected a number, found ''"},
        {"1,2,0\n3,nan,1\n", "line 2, column 2: expected a number, found 'nan'"},
        {"1,2,0\n3,1e99,1\n", "line 2, column 2: expected a number up to 3.4e+38, found '1e99'"},
        {"1,2,0\n3,0x10,1\n", "found '0x10'"},
        {"1,2,0\n3,4\n", "'x.csv', line 2: expected 3 columns, found 2"},
        {"1,2,0\n3,4,1,5\n", "'x.csv', line 2: expected 3 columns, found 4"},
        {"1,2,3,0\n", "'x.csv' has 4 columns, 3 of them inputs; the network takes 2 inputs"},
        {"1,2,0\n3,\"4,1\n", "'x.csv', line 2: a quote that is not closed"},
        {"1,2,0\n3,\"4,1\n5,6,1\n", "'x.csv', line 2: a quote that is not closed"},
        {"1,2,0\n3,1e39,1\n",
         "'x.csv', line 2, column 2: expected a number up to 3.4e+38, found '1e39'"},
        {"1,-1e39,0\n",
         "'x.csv', line 1, column 2: expected a number up to 3.4e+38, found '-1e39'"},
        {"1,2,0\n3,\"4\"5,1\n", "'x.csv', line 2: text behind a closed quote"},
        {"1,2,cat\n3,4,\n", "'x.csv', line 2, column 3: expected a class, found nothing"},
        {"1,2,a\n3,4,b\n", "'x.csv' has 2 classes (a, b), the network 3 outputs"},
        {"1,2,a\n3,4,b\n5,6,c\n7,8,d\n",
         "'x.csv' has 4 classes (a, b, c, d), the network 3 outputs"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const NnModel model = csv_model(wrong[i].text);
        assert_wrong(&model, wrong[i].message);
    }
    const NnModel model = model_of(NN_CSV, "x.csv");
    write_bytes("x.csv", "1,2,0\n3,\0,1\n", 12);
    assert_wrong(&model, "'x.csv' is no text: byte 8 is 0");
    unlink("x.csv");
    assert_wrong(&model, "cannot read 'x.csv': No such file or directory");
}

// Another file's words are those of the training data.
static void csv_classes_of_the_training(void **state)
{
    (void)state;
    NnModel model = csv_model("1,2,cat\n3,4,dog\n5,6,owl\n");
    model.test_files.inputs = "t.csv";
    load(&model);
    write_text("t.csv", "7,8,owl\n9,10,dog\n");
    DataSet test;
    assert_true(data_load(&test, &model, ".", DATA_TEST, &classes));
    assert_memory_equal(test.labels, "\2\1", 2);
    data_free(&test);
    write_text("t.csv", "7,8,owl\n9,10,bat\n");
    assert_false(data_load(&test, &model, ".", DATA_TEST, &classes));
    assert_problem("'t.csv', line 2, column 3: expected a class (cat, dog, owl), found 'bat'");
    Classes *none = NULL;
    assert_false(data_load(&test, &model, ".", DATA_TEST, &none));
    assert_problem("'t.csv', line 1, column 3: expected a class from 0 to 2, found 'owl'");
    // to predict, the answers may be missing
    write_text("p.csv", "7,8\n9,10\n");
    assert_true(data_load_file(&test, &model, ".", "p.csv", &classes));
    assert_int_equal(test.count, 2);
    assert_null(test.labels);
    data_free(&test);
}

// --- parts --------------------------------------------------------------------------------------

static void parts_are_the_same_for_all(void **state)
{
    (void)state;
    char text[4000] = "";
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), 40, "%d,%d,%d\n", i, 2 * i, i / 34);
    NnModel model = csv_model(text);
    model.test_share = 0.2;
    load(&model);
    assert_int_equal(set.count, 80);
    DataSet test, again;
    assert_true(data_load(&test, &model, ".", DATA_TEST, NULL));
    assert_int_equal(test.count, 20);
    bool seen[100] = {false};
    int of_class[3] = {0};
    for (int i = 0; i < 100; i++) {
        const DataSet *from = i < 80 ? &set : &test;
        const int at = i < 80 ? i : i - 80, number = (int)from->numbers[2 * at];
        assert_false(seen[number]);
        seen[number] = true;
        assert_true(from->numbers[2 * at + 1] == (float)(2 * number));
        assert_int_equal(from->labels[at], number / 34);
        of_class[number / 34] += i >= 80;
    }
    assert_true(of_class[0] && of_class[1] && of_class[2]); // the file is sorted by class
    assert_true(data_load(&again, &model, ".", DATA_TEST, NULL));
    assert_memory_equal(test.numbers, again.numbers, 40 * sizeof(float));
    data_free(&test);
    data_free(&again);
    model.test_share = 0;
    model.test_pictures = 100;
    assert_wrong(&model,
                 "no example is left to train with: of 100 in 'x.csv', 100 are for the test");
    model.test_pictures = 0;
    assert_false(data_load(&test, &model, ".", DATA_TEST, NULL));
    assert_problem("has no test data: its .net has no 'test' statement");
}

// Of the first examples alone; the offset is large beside the deviation.
static void standardize(void **state)
{
    (void)state;
    float mean[2], deviation[2];
    const NnTensor tensors[] = {
        {.name = "input_mean", .role = NN_STATE, .dim = {2}, .data = mean},
        {.name = "input_deviation", .role = NN_STATE, .dim = {2}, .data = deviation},
    };
    NnModel model = csv_model("1,2,0\n");
    model.width = 1; // two channels of one pixel
    model.channels = 2;
    model.number_scale = 0.5;
    model.byte_scale = 1.0 / 255;
    model.tensors = tensors;
    model.tensor_count = 2;
    float numbers[] = {1000001, 7, 1000003, 7, 1000008, 7, -5, -5};
    standardize_by(&model, &(DataSet){.count = 4, .numbers = numbers}, 3);
    assert_true(mean[0] == 500002 && mean[1] == 3.5f);
    assert_true(fabsf(deviation[0] - 0.5f * sqrtf((9 + 1 + 16) / 3.0f)) < 1e-6f);
    assert_true(deviation[1] == 1);
    unsigned char bytes[] = {0, 51, 255, 51};
    standardize_by(&model, &(DataSet){.count = 2, .pictures = bytes}, 2);
    assert_true(mean[0] == 0.5f && mean[1] == 0.2f && deviation[0] == 0.5f && deviation[1] == 1);
    // a thousand times the same, of which the sum is rounded, is a channel that never changes
    unsigned char same[2000];
    for (int byte = 0; byte < 256; byte++) {
        for (int i = 0; i < 1000; i++) {
            same[2 * i] = (unsigned char)i;
            same[2 * i + 1] = (unsigned char)byte;
        }
        standardize_by(&model, &(DataSet){.count = 1000, .pictures = same}, 1000);
        assert_true(mean[1] == (float)(byte * model.byte_scale) && deviation[1] == 1);
    }
}

// --- NumPy --------------------------------------------------------------------------------------

static size_t make_npy(unsigned char *to, int version, const char *header, const void *numbers,
                       size_t size)
{
    const size_t length = strlen(header), start = version == 1 ? 10 : 12;
    memcpy(to, "\x93NUMPY", 6);
    to[6] = (unsigned char)version;
    to[7] = 0;
    to[8] = (unsigned char)length;
    to[9] = (unsigned char)(length >> 8);
    to[10] = to[11] = 0;
    memcpy(to + start, header, length);
    memcpy(to + start + length, numbers, size);
    return start + length + size;
}

static void write_npy(const char *path, int version, const char *header, const void *numbers,
                      size_t size)
{
    static unsigned char file[4096];
    write_bytes(path, file, make_npy(file, version, header, numbers, size));
}

#define HEADER(type, shape)                                                                        \
    "{'descr': '" type "', 'fortran_order': False, 'shape': " shape ", }   \n"

static NnModel npy_model(void)
{
    NnModel model = model_of(NN_NPY, "x.npy");
    model.files.answers = "y.npy";
    const int64_t labels[] = {2, 0, 1};
    write_npy("y.npy", 1, HEADER("<i8", "(3,)"), labels, sizeof labels);
    return model;
}

#define LOADS(type, text, version)                                                                 \
    do {                                                                                           \
        const type numbers[] = {1, 2, 3, 4, 5, 6};                                                 \
        write_npy("x.npy", version, HEADER(text, "(3, 2)"), numbers, sizeof numbers);              \
        load(&model);                                                                              \
        assert_int_equal(set.count, 3);                                                            \
        assert_example(1, 2, 2);                                                                   \
        assert_example(3, 4, 0);                                                                   \
        assert_example(5, 6, 1);                                                                   \
    } while (0)

static void npy_of_each_type(void **state)
{
    (void)state;
    const NnModel model = npy_model();
    LOADS(float, "<f4", 1);
    LOADS(double, "<f8", 2);
    LOADS(int32_t, "<i4", 1);
    LOADS(int64_t, "<i8", 3);
    LOADS(int16_t, "<i2", 1);
    LOADS(uint32_t, "<u4", 1);
    LOADS(int8_t, "|i1", 1);
    const uint8_t yes[] = {1, 0, 0, 1, 1, 1};
    write_npy("x.npy", 1, HEADER("|b1", "(3, 2)"), yes, sizeof yes);
    load(&model);
    for (int i = 0; i < 3; i++)
        assert_true(set.numbers[2 * i] == (set.labels[i] != 0));
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 255};
    write_npy("x.npy", 1, HEADER("|u1", "(3, 1, 2)"), bytes, sizeof bytes);
    NnModel picture = model;
    picture.width = 1;
    picture.height = 2;
    write_npy("x.npy", 1, HEADER("|u1", "(3, 2, 1)"), bytes, sizeof bytes);
    load(&picture);
    assert_null(set.numbers);
    for (int i = 0; i < 3; i++)
        assert_int_equal(set.pictures[2 * i], "\3\5\1"[set.labels[i]]);
}

static void npy_targets(void **state)
{
    (void)state;
    NnModel model = npy_model();
    const float inputs[] = {1, 2, 3, 4, 5, 6};
    const double targets[] = {1.5, -2.5, 1e9};
    write_npy("x.npy", 1, HEADER("<f4", "(3, 2)"), inputs, sizeof inputs);
    write_npy("y.npy", 1, HEADER("<f8", "(3,)"), targets, sizeof targets);
    model.classes = 0;
    model.targets = model.outputs = 1;
    load(&model);
    assert_true(set.targets[find(3)] == -2.5f && set.targets[find(5)] == 1e9f);
    write_npy("y.npy", 1, HEADER("<f8", "(3, 1)"), targets, sizeof targets);
    load(&model);
    model.loss = "binary_cross_entropy";
    model.target_range = NN_FROM_0_TO_1;
    assert_wrong(&model, "'y.npy': target 1.5 at index 0 is out of range: 'binary_cross_entropy' "
                         "takes targets from 0 to 1");
    model.target_range = NN_ANY_TARGET;
    write_npy("y.npy", 1, HEADER("<f8", "(1, 3)"), targets, sizeof targets);
    assert_wrong(&model, "'y.npy' is 1x3, expected 3x1: 1 targets for each example");
    write_npy("y.npy", 1, HEADER("<f8", "(2,)"), targets, 16);
    assert_wrong(&model, "'y.npy' has 2 targets for 3 examples");
}

// An autoencoder learns the array that it reads.
static void npy_targets_are_pictures(void **state)
{
    (void)state;
    NnModel model = npy_model();
    const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    model.files.answers = "x.npy";
    model.classes = 0;
    model.height = model.width = 2;
    model.targets = model.outputs = 4;
    memcpy(model.target_shape, (int[3]){2, 2, 1}, sizeof model.target_shape);
    static const char *const headers[] = {HEADER("<f4", "(3, 4)"), HEADER("<f4", "(3, 2, 2)"),
                                          HEADER("<f4", "(3, 2, 2, 1)")};
    for (int i = 0; i < 3; i++) {
        write_npy("x.npy", 1, headers[i], numbers, sizeof numbers);
        load(&model);
        assert_memory_equal(set.targets, set.numbers, sizeof numbers);
    }
    model.files.answers = "y.npy";
    write_npy("y.npy", 1, HEADER("<f4", "(3, 1, 2, 2)"), numbers, sizeof numbers);
    assert_wrong(&model, "'y.npy' is 3x1x2x2, expected 3x2x2x1 or 3x4: 4 targets for each example");
    write_npy("y.npy", 1, HEADER("<f4", "(2, 2, 2)"), numbers, 32);
    assert_wrong(&model, "'y.npy' has 2 targets for 3 examples");
}

static void npy_wrong(void **state)
{
    (void)state;
    const NnModel model = npy_model();
    const float numbers[] = {1, 2, 3, 4, 5, INFINITY};
    static const struct {
        const char *header, *message;
        size_t size;
    } wrong[] = {
        {HEADER("<f4", "(3, 3)"), "'x.npy' is 3x3, the network takes examples of 1x2x1", 24},
        {HEADER("<f4", "(6,)"), "'x.npy' is 6, the network takes examples of 1x2x1", 24},
        {HEADER("<f4", "()"), "the network takes examples of 1x2x1", 4},
        {HEADER("<f4", "(0, 2)"), "'x.npy' has no examples", 0},
        {HEADER("<f4", "(3, 2)"), "is truncated: its shape promises 6 numbers, 5 are there", 20},
        {HEADER("<f4", "(2, 2)"), "goes on after the 4 numbers that its shape promises", 20},
        {HEADER("<f4", "(3, 2)"), "number 1 at index 2 is not finite, or too large for a", 24},
        {HEADER(">f4", "(3, 2)"), "'x.npy' is big-endian ('>f4'); save it as '<f4'", 24},
        {HEADER("<f2", "(3, 2)"), "numbers of type '<f2', expected b1, u1, u2, u4, u8, i1", 12},
        {HEADER("<c8", "(3, 2)"), "holds numbers of type '<c8', expected b1", 24},
        {HEADER("<U8", "(3, 2)"), "holds numbers of type '<U8', expected b1", 24},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2)}",
         "'x.npy' is in Fortran's order; save numpy.ascontiguousarray(x)", 24},
        {"{'descr': '<f4', 'shape': (3, 2)}", "its header has no 'fortran_order'", 24},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, -2)}", "whole numbers", 24},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2", "a shape that does not end",
         24},
        {"{'fortran_order': False, 'shape': (3, 2)}", "its header has no 'descr'", 24},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}",
         "no 'descr' with a type", 24},
        {HEADER("<f4", "(1000000000, 2)"), "promises 2000000000 numbers, 6 are there", 24},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_npy("x.npy", 1, wrong[i].header, numbers, wrong[i].size);
        assert_wrong(&model, wrong[i].message);
    }
    write_text("x.npy", "PK\3\4 an archive");
    assert_wrong(&model, "'x.npy' is an archive, as of numpy.savez; save each array by "
                         "numpy.save");
    write_text("x.npy", "1,2,3\n");
    assert_wrong(&model, "'x.npy' is no NumPy array: it does not begin with \\x93NUMPY");
    write_npy("x.npy", 9, HEADER("<f4", "(3, 2)"), numbers, 24);
    assert_wrong(&model, "is of version 9 of NumPy's format, expected 1 to 3");
    write_npy("x.npy", 1, HEADER("<i4", "(3, 2)"), numbers, 24);
    const double labels[] = {0, 1, 2.5};
    write_npy("y.npy", 1, HEADER("<f8", "(3,)"), labels, 24);
    assert_wrong(&model,
                 "'y.npy': label 2.5 at index 2 is out of range: the network has 3 classes");
}

// --- CIFAR-10 -----------------------------------------------------------------------------------

static void cifar(void **state)
{
    (void)state;
    NnModel model = model_of(NN_CIFAR, NULL);
    model.data = "cifar10";
    model.width = 2;
    model.channels = 3;
    // a label, then two red values, two green ones, two blue ones
    const unsigned char bytes[] = {1, 10, 11, 20, 21, 30, 31, 2, 40, 41, 50, 51, 60, 61};
    assert_true(make_folders("d"));
    for (int i = 1; i <= 5; i++) {
        char path[32];
        snprintf(path, sizeof path, "d/data_batch_%d.bin", i);
        write_bytes(path, bytes, i == 5 ? 7 : 14);
    }
    DataSet all;
    assert_true(data_load(&all, &model, "d", DATA_TRAIN, NULL));
    assert_int_equal(all.count, 9);
    assert_memory_equal(all.pictures, "\12\24\36\13\25\37\50\62\74\51\63\75", 12);
    assert_memory_equal(all.labels, "\1\2\1\2\1\2\1\2\1", 9);
    data_free(&all);
    assert_false(data_load(&all, &model, "d", DATA_TEST, NULL));
    assert_problem("cannot read 'd/test_batch.bin'");
    write_bytes("d/test_batch.bin", bytes, 13);
    assert_false(data_load(&all, &model, "d", DATA_TEST, NULL));
    assert_problem(
        "'d/test_batch.bin' has 13 bytes, expected a multiple of 7: a label and a picture "
        "of 1x2x3 each");
    write_bytes("d/test_batch.bin", "\1......\7......", 14);
    assert_false(data_load(&all, &model, "d", DATA_TEST, NULL));
    assert_problem("'d/test_batch.bin': label 7 at byte 7 is out of range: there are 3 classes");
    assert_false(data_load(&all, &model, "nowhere", DATA_TEST, NULL));
    assert_problem("no data set in 'nowhere'");
}

// --- IDX files by name --------------------------------------------------------------------------

static void idx_files(void **state)
{
    (void)state;
    unsigned char file[64];
    NnModel model = model_of(NN_IDX, "x.idx");
    model.width = 1; // a row of two values
    model.channels = 2;
    model.files.answers = "y.idx";
    const uint32_t rows[] = {3, 2}, pictures[] = {3, 1, 2};
    write_bytes("x.idx", file,
                make_idx(file, 0x802, 2, rows, (const unsigned char *)"\1\2\3\4\5\6", 6));
    write_bytes("y.idx", file,
                make_idx(file, 0x801, 1, rows, (const unsigned char *)"\2\0\1", 3));
    load(&model);
    assert_memory_equal(set.pictures, "\1\2\3\4\5\6", 6);
    assert_memory_equal(set.labels, "\2\0\1", 3);
    model.test_pictures = 1; // cut into parts, it is shuffled first
    load(&model);
    assert_int_equal(set.count, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(set.labels[i], "\2\0\1"[set.pictures[2 * i] / 2]);
    write_bytes("x.idx", file,
                make_idx(file, 0x803, 3, pictures, (const unsigned char *)"\1\2\3\4\5\6", 6));
    assert_wrong(&model, "'x.idx' is count x height x width, "
                         "the network's input takes count x values");
    unlink("y.idx");
    assert_wrong(&model, "x.idx");
}

// --- folders ------------------------------------------------------------------------------------

static void write_png(const char *path, unsigned width, unsigned height, unsigned char grey)
{
    unsigned char pixels[64];
    memset(pixels, grey, sizeof pixels);
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_GRAY};
    assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

static void folders(void **state)
{
    (void)state;
    NnModel model = model_of(NN_FOLDER, "p");
    assert_true(make_folders("p/dog") && make_folders("p/cat") && make_folders("p/owl") &&
                make_folders("p/.hidden"));
    write_png("p/dog/a.png", 2, 1, 10);
    write_png("p/dog/b.PNG", 2, 1, 11);
    write_png("p/cat/c.png", 2, 1, 20);
    write_png("p/owl/d.png", 2, 1, 30);
    write_text("p/owl/.thumbs", "");
    load(&model);
    assert_int_equal(set.count, 4);
    assert_string_equal(classes->name[0], "cat");
    for (int i = 0; i < 4; i++)
        assert_int_equal(set.pictures[2 * i] / 10, "\2\1\3"[set.labels[i]]);
    write_png("p/owl/e.png", 3, 1, 30);
    assert_wrong(&model, "'p/owl/e.png' is 3 wide and 1 high, the network takes pictures 2 wide");
    unlink("p/owl/e.png");
    write_text("p/owl/e.jpg", "");
    assert_wrong(&model,
                 "'p/owl/e.jpg' is no picture that can be read: expected .png, .pgm or .ppm");
    unlink("p/owl/e.jpg");
    write_text("p/owl/e.png", "\x89PNG\r\n\x1a\n");
    assert_wrong(&model, "'p/owl/e.png' is no readable PNG");
    unlink("p/owl/e.png");
    write_png("p/f.png", 2, 1, 30);
    assert_wrong(&model, "'p/f.png' is of no class: the pictures of each lie in a folder of 'p'");
    unlink("p/f.png");
    write_text("p/readme.txt", "");
    load(&model);
    assert_true(make_folders("p/owl/young"));
    assert_wrong(&model, "'p/owl/young' is a folder inside of a class: its pictures belong in "
                         "'p/owl'");
    rmdir("p/owl/young");
    assert_true(make_folders("p/rat"));
    assert_wrong(&model, "'p' has 4 classes (cat, dog, owl, rat), the network 3 outputs");
}

static void folders_wrong(void **state)
{
    (void)state;
    NnModel model = model_of(NN_FOLDER, "p");
    assert_wrong(&model, "cannot read the folder 'p': No such file or directory");
    assert_true(make_folders("p"));
    assert_wrong(&model, "the folder 'p' has no folders, one for each class");
    assert_true(make_folders("p/0") && make_folders("p/1") && make_folders("p/2"));
    assert_wrong(&model, "the folder 'p/0' has no pictures");
}

// --- damage -------------------------------------------------------------------------------------

// A changed or a shortened file is read as another file, or ends in a message that names it.
static void assert_harmless(const NnModel *model, const char *path)
{
    DataSet found;
    Classes *names = NULL;
    if (!data_load(&found, model, ".", DATA_TRAIN, &names))
        assert_problem(path);
    data_free(&found);
    free(names);
}

static void damage(const NnModel *model, const char *path)
{
    size_t size;
    char *bytes = read_bytes(path, &size);
    for (size_t keep = 0; keep < size; keep++) {
        write_bytes(path, bytes, keep);
        assert_harmless(model, path);
    }
    for (size_t bit = 0; bit < 8 * size; bit += 3) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_bytes(path, bytes, size);
        assert_harmless(model, path);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    write_bytes(path, bytes, size);
    assert_harmless(model, path);
    free(bytes);
}

static void damaged_files(void **state)
{
    (void)state;
    NnModel model = csv_model("width,height,kind\n1,2.5,owl\n3,\"-4e-1\",cat\n5,6,dog\n");
    damage(&model, "x.csv");
    model = npy_model();
    const float numbers[] = {1, 2, 3, 4, 5, 6};
    write_npy("x.npy", 1, HEADER("<f4", "(3, 2)"), numbers, sizeof numbers);
    damage(&model, "x.npy");
    damage(&model, "y.npy");
    model = model_of(NN_FOLDER, "p");
    assert_true(make_folders("p/a") && make_folders("p/b") && make_folders("p/c"));
    write_png("p/a/1.png", 2, 1, 10);
    write_png("p/b/1.png", 2, 1, 10);
    write_png("p/c/1.png", 2, 1, 10);
    damage(&model, "p/b/1.png");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(csv_with_words),
        TEST(csv_with_numbers),
        TEST(csv_as_people_write_it),
        TEST(csv_columns),
        TEST(csv_targets),
        TEST(csv_wrong),
        TEST(csv_classes_of_the_training),
        TEST(parts_are_the_same_for_all),
        TEST(standardize),
        TEST(npy_of_each_type),
        TEST(npy_targets),
        TEST(npy_targets_are_pictures),
        TEST(npy_wrong),
        TEST(cifar),
        TEST(idx_files),
        TEST(folders),
        TEST(folders_wrong),
        TEST(damaged_files),
    };
    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
