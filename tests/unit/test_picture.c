// test_picture.c: pictures in each form that they come in.

#include "support.h"

#include <png.h>

static unsigned char grey[16], pixels[48];
static NnModel colour;

static int setup(void **state)
{
    for (int i = 0; i < 16; i++)
        grey[i] = (unsigned char)(17 * i);
    colour = nn_model;
    colour.channels = 3;
    return enter_folder(state);
}

static void assert_read(const char *path, bool invert)
{
    memset(pixels, 1, sizeof pixels);
    if (!picture_read(path, &nn_model, invert, pixels))
        fail_msg("%s", problem());
    assert_memory_equal(pixels, grey, 16);
}

static void assert_refused(const char *path, const char *part)
{
    assert_false(picture_read(path, &nn_model, false, pixels));
    assert_problem(part);
    assert_problem(path);
}

static void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

// A PNG of the given kind, through libpng's whole interface.
static void write_png(const char *path, int side, int depth, int kind, const unsigned char *rows,
                      size_t stride)
{
    FILE *file = fopen(path, "wb");
    png_struct *png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_info *info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (unsigned)side, (unsigned)side, depth, kind, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_color palette[16];
    for (int i = 0; i < 16; i++)
        palette[i] = (png_color){grey[i], grey[i], grey[i]};
    if (kind == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 16);
    png_write_info(png, info);
    for (int i = 0; i < side; i++)
        png_write_row(png, (png_const_bytep)(rows + (size_t)i * stride));
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void test_png(void **state)
{
    (void)state;
    unsigned char rows[16 * 8];
    write_png("grey.png", 4, 8, PNG_COLOR_TYPE_GRAY, grey, 4);
    assert_read("grey.png", false);
    for (int i = 0; i < 16; i++)
        rows[2 * i] = rows[2 * i + 1] = grey[i];
    write_png("deep.png", 4, 16, PNG_COLOR_TYPE_GRAY, rows, 8);
    assert_read("deep.png", false);
    for (int i = 0; i < 48; i++)
        rows[i] = grey[i / 3];
    write_png("rgb.png", 4, 8, PNG_COLOR_TYPE_RGB, rows, 12);
    assert_read("rgb.png", false);
    for (int i = 0; i < 16; i++)
        rows[i] = (unsigned char)i;
    write_png("palette.png", 4, 8, PNG_COLOR_TYPE_PALETTE, rows, 4);
    assert_read("palette.png", false);
    for (int i = 0; i < 8; i++)
        rows[i] = (unsigned char)(32 * i + 2 * i + 1); // two samples: 2i and 2i + 1
    write_png("four.png", 4, 4, PNG_COLOR_TYPE_GRAY, rows, 2);
    assert_read("four.png", false);
}

static void test_transparent_png(void **state)
{
    (void)state;
    unsigned char rows[64];
    for (int i = 0; i < 16; i++) { // white strokes on nothing
        rows[2 * i] = 255;
        rows[2 * i + 1] = grey[i];
    }
    write_png("white.png", 4, 8, PNG_COLOR_TYPE_GRAY_ALPHA, rows, 8);
    assert_read("white.png", false);
    for (int i = 0; i < 16; i++)
        rows[2 * i] = 0; // black ones
    write_png("black.png", 4, 8, PNG_COLOR_TYPE_GRAY_ALPHA, rows, 8);
    assert_read("black.png", true);
}

static void test_pnm(void **state)
{
    (void)state;
    char text[512] = "P2 # a comment\n4 # another\n4\n255\n";
    for (int i = 0; i < 16; i++)
        sprintf(text + strlen(text), "%d ", grey[i]);
    write_text("text.pgm", text);
    assert_read("text.pgm", false);

    unsigned char file[64] = "P5 4 4 255\n";
    memcpy(file + 11, grey, 16);
    write_bytes("bytes.pgm", file, 27);
    assert_read("bytes.pgm", false);
    for (int i = 0; i < 16; i++)
        file[11 + i] = (unsigned char)(255 - grey[i]);
    write_bytes("inverted.pgm", file, 27);
    assert_read("inverted.pgm", true);

    memcpy(file, "P6 4 4 255\n", 11);
    for (int i = 0; i < 48; i++)
        file[11 + i] = grey[i / 3];
    write_bytes("bytes.ppm", file, 59);
    assert_read("bytes.ppm", false);

    strcpy(text, "P2 4 4 15\n0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"); // no line's end
    write_text("small.pgm", text);
    assert_read("small.pgm", false);
}

static void test_colour(void **state)
{
    (void)state;
    char text[512] = "P3 4 4 255\n";
    for (int i = 0; i < 16; i++)
        sprintf(text + strlen(text), "%d 0 255\n", grey[i]);
    write_text("c.ppm", text);
    assert_true(picture_read("c.ppm", &colour, false, pixels));
    assert_int_equal(pixels[3 * 5], grey[5]);
    assert_int_equal(pixels[3 * 5 + 2], 255);
    assert_true(picture_read("c.ppm", &nn_model, false, pixels));
    assert_int_equal(pixels[0], (114 * 255 + 500) / 1000);
    write_png("grey.png", 4, 8, PNG_COLOR_TYPE_GRAY, grey, 4);
    assert_true(picture_read("grey.png", &colour, true, pixels));
    assert_int_equal(pixels[3 * 5 + 1], 255 - grey[5]);
    colour.channels = 2;
    assert_false(picture_read("grey.png", &colour, true, pixels));
    assert_problem("a picture file has 1 or 3 channels, the network takes 2");
}

static void test_wrong_pnm(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"P2 4 3 255\n", "is 4 wide and 3 high, the network takes pictures 4 wide and 4 high"},
        {"P5 4 4 255\n123456789012345", "is truncated: it ends before its last sample"},
        {"P5 4 4 255\n12345678901234567", "goes on after its last sample"},
        {"P2 4 4 255\n1 2 3", "is truncated: it ends before its next sample"},
        {"P2 4 4 100\n1 2 3 101 5 6 7 8 9 10 11 12 13 14 15 16", "sample 101 is above its maximum"},
        {"P2 4 4 255\n1 2 3 -4", "expected a number as its next sample, found byte 0x2d"},
        {"P2 4 4 0\n", "the largest sample is 0, expected 1 to 65535"},
        {"P2 4 4 70000\n", "the largest sample is 70000"},
        {"P2 99999999999999 4 255\n", "its width is too large"},
        {"P2 x", "expected a number as its width"},
        {"P2", "is neither a PNG nor a PGM"},
        {"P4 4 4\n", "is neither a PNG nor a PGM"},
        {"GIF89a", "is neither a PNG nor a PGM"},
        {"", "is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("w.pgm", cases[i][0]);
        assert_refused("w.pgm", cases[i][1]);
    }
    assert_refused("nowhere", "cannot read 'nowhere': No such file or directory");
    assert_refused("/", "cannot read '/': Is a directory");
}

static void test_wrong_png(void **state)
{
    (void)state;
    unsigned char rows[25] = {0};
    write_png("five.png", 5, 8, PNG_COLOR_TYPE_GRAY, rows, 5);
    assert_refused("five.png", "is 5 wide and 5 high");
    write_png("right.png", 4, 8, PNG_COLOR_TYPE_GRAY, grey, 4);
    size_t size;
    char *bytes = read_bytes("right.png", &size);
    for (size_t i = 0; i < size - 12; i++) { // the last chunk, IEND, may be missing
        write_bytes("cut.png", bytes, i);
        assert_false(picture_read("cut.png", &nn_model, false, pixels));
    }
    for (size_t i = 8; i < size; i++) { // any damage: an error or a picture, nothing worse
        bytes[i] ^= 0x10;
        write_bytes("damaged.png", bytes, size);
        picture_read("damaged.png", &nn_model, false, pixels);
        bytes[i] ^= 0x10;
    }
    bytes[45] ^= 0x10; // in the compressed rows
    write_bytes("damaged.png", bytes, size);
    assert_refused("damaged.png", "is no readable PNG: ");
    free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_png),    TEST(test_transparent_png), TEST(test_pnm),
        TEST(test_colour), TEST(test_wrong_pnm),       TEST(test_wrong_png),
    };
    return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
