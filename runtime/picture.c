// picture.c: one picture from a PNG, PGM or PPM file, of just the size that the network takes.

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

typedef struct {
    const char *path;
    const NnModel *model;
    bool invert;
    unsigned char *pixels;
} Target;

// Stores pixel number `index`, as grey where the network is (weights of ITU-R BT.601, the ones of
// PIL). Inverted, dark strokes become bright ones.
static void store(const Target *target, long index, const unsigned char rgb[3])
{
    const int flip = target->invert ? 255 : 0;
    if (target->model->channels == 1) {
        const int grey = (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000;
        target->pixels[index] = (unsigned char)(grey ^ flip);
        return;
    }
    for (int i = 0; i < 3; i++)
        target->pixels[3 * index + i] = (unsigned char)(rgb[i] ^ flip);
}

static bool size_fits(const Target *target, unsigned long width, unsigned long height)
{
    const NnModel *model = target->model;
    if (width == (unsigned long)model->width && height == (unsigned long)model->height)
        return true;
    return failed("'%s' is %lu wide and %lu high, the network takes pictures %d wide and %d high",
                  target->path, width, height, model->width, model->height);
}

// libpng's simplified interface turns every kind of PNG (palette, 16 bits, interlaced, any gamma)
// into 8-bit sRGB with alpha, and reports errors without longjmp.
static bool read_png(const Target *target, FILE *file)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_stdio(&image, file))
        return failed("'%s' is no readable PNG: %s", target->path, image.message);
    if (!size_fits(target, image.width, image.height)) {
        png_image_free(&image);
        return false;
    }
    image.format = PNG_FORMAT_RGBA;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; // 16 bits without a gamma are no linear light
    unsigned char *rgba = allocate(1, PNG_IMAGE_SIZE(image));
    if (!rgba || !png_image_finish_read(&image, NULL, rgba, 0, NULL)) {
        if (rgba)
            failed("'%s' is no readable PNG: %s", target->path, image.message);
        png_image_free(&image);
        free(rgba);
        return false;
    }
    // What is transparent is paper: black, and white where the picture is to be inverted.
    const int paper = target->invert ? 255 : 0;
    const long count = (long)image.width * (long)image.height;
    for (long i = 0; i < count; i++) {
        const unsigned char *from = rgba + 4 * i;
        unsigned char rgb[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = (unsigned char)((from[c] * from[3] + paper * (255 - from[3]) + 127) / 255);
        store(target, i, rgb);
    }
    free(rgba);
    return true;
}

// The next character of a PNM header: a comment reads as the line's end.
static int header_character(FILE *file)
{
    int c = getc(file);
    if (c == '#')
        while (c != '\n' && c != EOF)
            c = getc(file);
    return c;
}

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

// Reads a decimal number and the one character after it.
static bool read_number(const Target *target, FILE *file, const char *what, unsigned long *number)
{
    int c = header_character(file);
    while (is_space(c))
        c = header_character(file);
    if (c == EOF)
        return failed("'%s' is truncated: it ends before its %s", target->path, what);
    *number = 0;
    for (; c >= '0' && c <= '9'; c = header_character(file)) {
        *number = *number * 10 + (unsigned long)(c - '0');
        if (*number > 0xffffffffu)
            return failed("'%s': its %s is too large", target->path, what);
    }
    if (!is_space(c) && c != EOF)
        return failed("'%s': expected a number as its %s, found byte 0x%02x", target->path, what,
                      (unsigned)c);
    return true;
}

// One sample: as text, or as one byte, or as two where 255 is not enough.
static bool read_sample(const Target *target, FILE *file, bool text, unsigned long maximum,
                        unsigned char *sample)
{
    unsigned long value;
    if (text) {
        if (!read_number(target, file, "next sample", &value))
            return false;
    } else {
        const int high = maximum > 255 ? getc(file) : 0;
        const int low = getc(file);
        if (high == EOF || low == EOF)
            return failed("'%s' is truncated: it ends before its last sample", target->path);
        value = (unsigned long)high << 8 | (unsigned long)low;
    }
    if (value > maximum)
        return failed("'%s': sample %lu is above its maximum of %lu", target->path, value, maximum);
    *sample = (unsigned char)((value * 255 + maximum / 2) / maximum);
    return true;
}

static bool read_pnm(const Target *target, FILE *file)
{
    getc(file); // 'P'
    const int kind = getc(file) - '0';
    const bool text = kind == 2 || kind == 3, colour = kind == 3 || kind == 6;
    unsigned long width, height, maximum;
    if (!read_number(target, file, "width", &width) ||
        !read_number(target, file, "height", &height) || !size_fits(target, width, height) ||
        !read_number(target, file, "largest sample", &maximum))
        return false;
    if (maximum < 1 || maximum > 65535)
        return failed("'%s': the largest sample is %lu, expected 1 to 65535", target->path,
                      maximum);
    for (long i = 0; i < (long)(width * height); i++) {
        unsigned char rgb[3];
        for (int c = 0; c < (colour ? 3 : 1); c++)
            if (!read_sample(target, file, text, maximum, &rgb[c]))
                return false;
        if (!colour)
            rgb[1] = rgb[2] = rgb[0];
        store(target, i, rgb);
    }
    int after = text ? header_character(file) : getc(file);
    while (is_space(after))
        after = header_character(file);
    if (after != EOF)
        return failed("'%s' goes on after its last sample", target->path);
    return true;
}

static bool read_any(const Target *target, FILE *file)
{
    static const unsigned char png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char first[8] = {0};
    const size_t got = fread(first, 1, sizeof first, file);
    if (ferror(file))
        return failed("cannot read '%s': %s", target->path, strerror(errno));
    if (got == 0)
        return failed("'%s' is empty", target->path);
    if (fseek(file, 0, SEEK_SET) != 0)
        return failed("'%s' is not an ordinary file", target->path);
    if (memcmp(first, png, sizeof png) == 0)
        return read_png(target, file);
    if (first[0] == 'P' && strchr("2356", first[1]) && first[1] && is_space(first[2]))
        return read_pnm(target, file);
    return failed("'%s' is neither a PNG nor a PGM or PPM picture", target->path);
}

bool picture_read(const char *path, const NnModel *model, bool invert, unsigned char *pixels)
{
    const Target target = {path, model, invert, pixels};
    if (model->channels != 1 && model->channels != 3)
        return failed("'%s': a picture file has 1 or 3 channels, the network takes %d", path,
                      model->channels);
    FILE *file = fopen(path, "rb");
    if (!file)
        return failed("cannot read '%s': %s", path, strerror(errno));
    const bool done = read_any(&target, file);
    fclose(file);
    return done;
}
