// test_data.c: data sets as they should be, and damaged in each way.

#include "support.h"

#include <zlib.h>

static unsigned char content[64], file[256];
static const char *const PICTURES = "data/t10k-images-idx3-ubyte";
static const char *const LABELS = "data/t10k-labels-idx1-ubyte";

static void write_pictures(uint32_t magic, uint32_t count, uint32_t height, uint32_t width,
                           size_t size)
{
    const uint32_t dim[] = {count, height, width};
    write_bytes(PICTURES, file, make_idx(file, magic, 3, dim, content, size));
}

static void write_labels(uint32_t magic, uint32_t count, const char *labels, size_t size)
{
    write_bytes(LABELS, file,
                make_idx(file, magic, 1, &count, (const unsigned char *)labels, size));
}

// Three right pictures; each test then damages one thing.
static int setup(void **state)
{
    if (enter_folder(state) != 0 || mkdir("data", 0777) != 0)
        return -1;
    for (int i = 0; i < 64; i++)
        content[i] = (unsigned char)(3 * i);
    write_pictures(0x803, 3, 4, 4, 48);
    write_labels(0x801, 3, "\0\1\2", 3);
    return 0;
}

static void assert_right(void)
{
    DataSet set;
    if (!data_load(&set, &nn_model, "data", DATA_TEST, NULL))
        fail_msg("%s", problem());
    assert_int_equal(set.count, 3);
    assert_memory_equal(set.pictures, content, 48);
    assert_memory_equal(set.labels, "\0\1\2", 3);
    data_free(&set);
}

static void assert_wrong(const char *part)
{
    DataSet set = {.count = 7};
    assert_false(data_load(&set, &nn_model, "data", DATA_TEST, NULL));
    assert_problem(part);
    assert_true(set.count == 0 && !set.pictures && !set.labels);
}

static void gzip(const char *path, size_t keep, int flip)
{
    char zipped[128];
    size_t size;
    char *bytes = read_bytes(path, &size);
    snprintf(zipped, sizeof zipped, "%s.gz", path);
    gzFile out = gzopen(zipped, "wb");
    assert_int_equal(gzwrite(out, bytes, (unsigned)size), size);
    gzclose(out);
    free(bytes);
    assert_int_equal(unlink(path), 0);
    bytes = read_bytes(zipped, &size);
    if (flip != 0)
        bytes[(int)size + flip] ^= 1;
    write_bytes(zipped, bytes, keep < size ? keep : size);
    free(bytes);
}

static void test_right(void **state)
{
    (void)state;
    assert_right();
    gzip(PICTURES, SIZE_MAX, 0);
    assert_right();
    gzip(LABELS, SIZE_MAX, 0);
    assert_right();
}

static void test_colour(void **state)
{
    (void)state;
    NnModel colour = nn_model;
    DataSet set;
    const uint32_t dim[] = {1, 4, 4, 3};
    colour.channels = 3;
    assert_false(data_load(&set, &colour, "data", DATA_TEST, NULL));
    assert_problem("'data/t10k-images-idx4-ubyte' is missing");
    write_bytes("data/t10k-images-idx4-ubyte", file,
                make_idx(file, 0x804, 4, dim, content, 48));
    write_labels(0x801, 1, "\2", 1);
    assert_true(data_load(&set, &colour, "data", DATA_TEST, NULL));
    assert_memory_equal(set.pictures, content, 48);
    data_free(&set);
}

static void test_missing(void **state)
{
    (void)state;
    DataSet set;
    assert_false(data_load(&set, &nn_model, "nowhere", DATA_TEST, NULL));
    assert_problem("no data set in 'nowhere': No such file or directory");
    assert_problem("'tools/fetch-data mnist'");
    assert_problem("'--data DIR'");
    assert_false(data_load(&set, &nn_model, PICTURES, DATA_TEST, NULL));
    assert_problem("it is not a folder");
    assert_false(data_load(&set, &nn_model, "data", DATA_TRAIN, NULL));
    assert_problem("'data/train-images-idx3-ubyte' is missing, and so is "
                   "'train-images-idx3-ubyte.gz'");
    unlink(LABELS);
    assert_wrong("'data/t10k-labels-idx1-ubyte' is missing");
    static const char *const loops[] = {"t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz"};
    for (int i = 0; i < 2; i++) {
        char path[64], message[128];
        snprintf(path, sizeof path, "data/%s", loops[i]);
        snprintf(message, sizeof message, "cannot read '%s': Too many", path);
        assert_int_equal(symlink(loops[i], path), 0);
        assert_wrong(message);
        unlink(path);
    }
    mkdir(LABELS, 0777);
    assert_wrong("cannot read 'data/t10k-labels-idx1-ubyte': Is a directory");
}

static void test_truncated(void **state)
{
    (void)state;
    write_pictures(0x803, 3, 4, 4, 47);
    assert_wrong("is truncated: its header promises 48 bytes of content, 47 are there");
    write_bytes(PICTURES, "\0\0\10\3\0\0", 6);
    assert_wrong("is truncated: its header has 6 of 16 bytes");
    write_bytes(PICTURES, "\0\0", 2);
    assert_wrong("is truncated: its header has 2 of 16 bytes");
    write_bytes(PICTURES, "", 0);
    assert_wrong("'data/t10k-images-idx3-ubyte' is empty");
}

static void test_trailing(void **state)
{
    (void)state;
    write_pictures(0x803, 3, 4, 4, 49);
    assert_wrong("goes on after the 48 bytes of content that its header promises");
    write_pictures(0x803, 3, 4, 4, 48);
    write_labels(0x801, 3, "\0\1\2\2", 4);
    assert_wrong("goes on after the 3 bytes");
}

static void test_magic(void **state)
{
    (void)state;
    write_pictures(0x801, 3, 4, 4, 48);
    assert_wrong("is no IDX file of pictures: expected magic number 0x00000803, found 0x00000801");
    write_bytes(PICTURES, "<!DOCTYPE html>", 15);
    assert_wrong("expected magic number 0x00000803, found 0x3c21444f");
    write_pictures(0x803, 3, 4, 4, 48);
    write_labels(0x803, 3, "\0\1\2", 3);
    assert_wrong("is no IDX file of labels: expected magic number 0x00000801, found 0x00000803");
}

static void test_sizes(void **state)
{
    (void)state;
    write_pictures(0x803, 3, 4, 3, 36);
    assert_wrong("holds pictures of 4x3x1, the network takes 4x4x1");
    write_pictures(0x803, 0, 4, 4, 0);
    assert_wrong("has no pictures");
    write_pictures(0x803, 2, 4, 4, 32);
    assert_wrong("'data/t10k-labels-idx1-ubyte' holds 3 labels for 2 pictures");
}

// Neither header may make the reader allocate what it promises.
static void test_absurd_headers(void **state)
{
    (void)state;
    write_pictures(0x803, 0xffffffff, 4, 4, 48);
    assert_wrong("promises 4294967295 pictures; at most 1073741824 can be used");
    write_pictures(0x803, 0x3fffffff, 4, 4, 48);
    assert_wrong("promises 17179869168 bytes of content, 48 are there");
    write_pictures(0x803, 3, 0x80000000, 0x80000000, 48);
    assert_wrong("holds pictures of 2147483648x2147483648x1");
    write_pictures(0x803, 3, 4, 4, 48);
    write_labels(0x801, 0x7fffffff, "\0\1\2", 3);
    assert_wrong("promises 2147483647 labels");
}

static void test_labels(void **state)
{
    (void)state;
    write_labels(0x801, 3, "\0\1\3", 3);
    assert_wrong("label 3 at index 2 is out of range: the network has 3 classes");
}

static void test_damaged_gzip(void **state)
{
    (void)state;
    gzip(PICTURES, 30, 0);
    assert_wrong("'data/t10k-images-idx3-ubyte.gz' is cut short: its gzip stream ends");
    write_pictures(0x803, 3, 4, 4, 48);
    gzip(PICTURES, SIZE_MAX, -8); // in the checksum
    assert_wrong("is corrupt: incorrect data check");
    write_pictures(0x803, 3, 4, 4, 48);
    gzip(PICTURES, SIZE_MAX, -40); // in the content
    assert_wrong("is corrupt: ");
    write_pictures(0x803, 3, 4, 4, 50);
    gzip(PICTURES, SIZE_MAX, 0);
    assert_wrong("goes on after the 48 bytes");
}

// Larger than the first guess at the memory: the content grows as it comes.
static void test_large_gzip(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    DataSet set;
    unsigned char *large = calloc(1, 16 + 16 * COUNT);
    const uint32_t dim[] = {COUNT, 4, 4};
    make_idx(large, 0x803, 3, dim, content, 48);
    large[16 + 16 * COUNT - 1] = 77;
    write_bytes(PICTURES, large, 16 + 16 * COUNT);
    gzip(PICTURES, SIZE_MAX, 0);
    make_idx(large, 0x801, 1, dim, content, 0);
    memset(large + 8, 1, COUNT);
    write_bytes(LABELS, large, 8 + COUNT);
    free(large);
    assert_true(data_load(&set, &nn_model, "data", DATA_TEST, NULL));
    assert_int_equal(set.count, COUNT);
    assert_int_equal(set.pictures[16 * COUNT - 1], 77);
    data_free(&set);
}

// Of a plain file that is large enough for several threads every byte is at its place, and one too
// few or too many is an error as in a small one.
static void test_large(void **state)
{
    (void)state;
    enum { COUNT = 300000, SIZE = 16 * COUNT };
    const uint32_t dim[] = {COUNT, 4, 4};
    unsigned char *large = calloc(SIZE + 64, 1), *pixels = malloc(SIZE + 1);
    assert_true(large && pixels);
    for (int i = 0; i <= SIZE; i++)
        pixels[i] = (unsigned char)((unsigned)i * 2654435761u >> 24);
    unsigned char *labels = calloc(COUNT, 1);
    assert_non_null(labels);
    write_bytes(LABELS, large, make_idx(large, 0x801, 1, dim, labels, COUNT));
    free(labels);
    DataSet set;
    write_bytes(PICTURES, large, make_idx(large, 0x803, 3, dim, pixels, SIZE));
    assert_true(data_load(&set, &nn_model, "data", DATA_TEST, NULL));
    assert_memory_equal(set.pictures, pixels, SIZE);
    data_free(&set);
    write_bytes(PICTURES, large, make_idx(large, 0x803, 3, dim, pixels, SIZE - 1));
    assert_wrong("is truncated: its header promises 4800000 bytes of content, 4799999 are there");
    write_bytes(PICTURES, large, make_idx(large, 0x803, 3, dim, pixels, SIZE + 1));
    assert_wrong("goes on after the 4800000 bytes of content that its header promises");
    free(large);
    free(pixels);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_right),  TEST(test_colour), TEST(test_missing),        TEST(test_truncated),
        TEST(test_trailing), TEST(test_magic), TEST(test_sizes),         TEST(test_absurd_headers),
        TEST(test_labels), TEST(test_damaged_gzip), TEST(test_large_gzip),
        TEST(test_large),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
