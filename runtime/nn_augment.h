// nn_augment.h: random changes of a training picture: one affine map, an elastic bend, a square cut
// out, noise.
//
// A picture is changed as it is gathered into the batch: its pixels lie in a frame of zeros, and
// each pixel of the result is read from between four of the frame's (bilinear), so that what comes
// from outside is 0. All random numbers follow from the seed, the epoch and the picture's index;
// each has a place of its own, so that one change more leaves the others as they are.
//
// The sizes and the changes are constants where these functions are called: what is not wanted
// costs nothing, and the loops over a row's pixels become vector code.
#ifndef NN_AUGMENT_H
#define NN_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "nn_math.h"
#include "nn_random.h"

// What may happen to a picture. All zeros: nothing.
typedef struct {
    float shift;  // at most so many pixels up or down, and so many left or right
    float rotate; // at most so many degrees, either way, around the middle
    float shear;  // at most so many degrees, either way
    float zoom;   // a size of 1 - zoom to 1 + zoom
    bool flip_horizontal, flip_vertical; // half of the pictures
    float elastic;                       // deviation of the bend, in pixels
    int grid;    // waves of it along each side, 1 .. NN_MOST_GRID; 0 without elastic
    int cutout;  // side of a square of zeros, in pixels
    float noise; // deviation of what is added to each value
} NnAugment;

enum { NN_MOST_GRID = 16, NN_KNOTS = NN_MOST_GRID + 3 };

// Floats of working memory for a picture: its frame, one pixel before and two behind in each
// direction, and rows of places.
#define NN_AUGMENT_ROOM(height, width, channels)                                                   \
    (((height) + 3) * ((width) + 3) * (channels) + 6 * (width))

// The places of a picture's random numbers.
enum {
    NN_SHIFT_X,
    NN_SHIFT_Y,
    NN_ROTATE,
    NN_SHEAR,
    NN_ZOOM,
    NN_FLIP_X,
    NN_FLIP_Y,
    NN_CUT_X,
    NN_CUT_Y,
    NN_BEND = 64, // and behind it, two for each knot
    NN_NOISE = NN_BEND + 4 * NN_KNOTS * NN_KNOTS,
};

static inline uint64_t nn_augment_key(uint64_t seed, int epoch, uint32_t picture)
{
    return nn_key(nn_key(seed, nn_stream("augment"), (uint64_t)epoch), picture, 0);
}

// Uniform in [-most, most).
static inline float nn_spread(uint64_t key, uint64_t index, float most)
{
    return (float)(2 * nn_unit(key, index) - 1) * most;
}

// Two independent normal numbers of deviation 1 (Box and Muller, 1958), from 24 bits each: for
// loops, as nn_logf. The sine is a polynomial in a turn's fraction (Taylor, error below 4e-6).
static inline void nn_normal_pair(uint64_t key, uint32_t index, float *a, float *b)
{
    const float u = (float)((nn_bits(key, 2 * index) >> 8) + 1) * 0x1p-24f; // (0, 1]
    const int32_t turn = (int32_t)nn_bits(key, 2 * index + 1);
    const float radius = sqrtf(-2.0f * nn_logf(u));
    // a quarter turn holds t in [-1/8, 1/8] of a turn; which quarter swaps and flips
    const int32_t quarter = ((turn >> 29) + 1) >> 1;
    const float t =
        (float)(int32_t)((uint32_t)turn - ((uint32_t)quarter << 30)) * 1.46291807927e-9f; // radians
    const float z = t * t;
    const float s = t * (1 - z * (1.6666667e-1f - z * (8.3333333e-3f - z * 1.9841270e-4f)));
    const float c = 1 - z * (0.5f - z * (4.1666667e-2f - z * (1.3888889e-3f - z * 2.48015873e-5f)));
    const bool odd = quarter & 1, minus = quarter & 2;
    const float cosine = odd ? -s : c, sine = odd ? c : s;
    *a = minus ? -radius * cosine : radius * cosine;
    *b = minus ? -radius * sine : radius * sine;
}

// --- the frame ----------------------------------------------------------------------------------

#define NN_INLINE static inline __attribute__((always_inline))

// The frame around pixels that the caller has still to store: nn_frame_row() says where.
NN_INLINE void nn_frame_clear(int height, int width, int channels, float *frame)
{
    memset(frame, 0, (size_t)((height + 3) * (width + 3) * channels) * sizeof *frame);
}

NN_INLINE float *nn_frame_row(int width, int channels, float *frame, int y)
{
    return frame + ((y + 1) * (width + 3) + 1) * channels;
}

// Bytes as numbers: each times `scale`.
NN_INLINE void nn_frame_bytes(int height, int width, int channels, const unsigned char *picture,
                              float scale, float *frame)
{
    nn_frame_clear(height, width, channels, frame);
    for (int y = 0; y < height; y++) {
        float *const to = nn_frame_row(width, channels, frame, y);
        for (int j = 0; j < width * channels; j++)
            to[j] = picture[y * width * channels + j] * scale;
    }
}

NN_INLINE void nn_frame_floats(int height, int width, int channels, const float *picture,
                               float scale, float *frame)
{
    nn_frame_clear(height, width, channels, frame);
    for (int y = 0; y < height; y++) {
        float *const to = nn_frame_row(width, channels, frame, y);
        for (int j = 0; j < width * channels; j++)
            to[j] = picture[y * width * channels + j] * scale;
    }
}

// --- where a pixel of the result is read --------------------------------------------------------

// x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]: from the result back to the picture.
NN_INLINE void nn_affine(const NnAugment *how, uint64_t key, int height, int width, float m[6])
{
    const double degree = 0.017453292519943295;
    const double angle = nn_spread(key, NN_ROTATE, how->rotate) * degree;
    const double k = tan(nn_spread(key, NN_SHEAR, how->shear) * degree);
    const double size = 1 + nn_spread(key, NN_ZOOM, how->zoom);
    const double c = cos(angle) / size, s = sin(angle) / size;
    const double flip_x = how->flip_horizontal && nn_unit(key, NN_FLIP_X) < 0.5 ? -1 : 1;
    const double flip_y = how->flip_vertical && nn_unit(key, NN_FLIP_Y) < 0.5 ? -1 : 1;
    const double a = flip_x * (c + k * s), b = flip_x * (s - k * c);
    const double d = flip_y * -s, e = flip_y * c;
    const double middle_x = 0.5 * (width - 1), middle_y = 0.5 * (height - 1);
    const double x = middle_x + nn_spread(key, NN_SHIFT_X, how->shift);
    const double y = middle_y + nn_spread(key, NN_SHIFT_Y, how->shift);
    m[0] = (float)a;
    m[1] = (float)b;
    m[2] = (float)(middle_x - a * x - b * y);
    m[3] = (float)d;
    m[4] = (float)e;
    m[5] = (float)(middle_y - d * x - e * y);
}

// The four weights of a uniform cubic B-spline at t in [0, 1] of its cell.
NN_INLINE void nn_spline(float t, float w[4])
{
    const float r = 1 - t;
    w[0] = r * r * r * (1.0f / 6);
    w[1] = 2.0f / 3 - t * t * (1 - 0.5f * t);
    w[2] = 2.0f / 3 - r * r * (1 - 0.5f * r);
    w[3] = t * t * t * (1.0f / 6);
}

// Knots of the bend, normal of twice the deviation wanted: a spline's weights at a knot, squared
// and added up, make a quarter of it.
NN_INLINE void nn_bend_knots(const NnAugment *how, uint64_t key, float knot[2][NN_KNOTS][NN_KNOTS])
{
    for (int j = 0; j < how->grid + 3; j++)
        for (int i = 0; i < how->grid + 3; i++) {
            nn_normal_pair(key, (uint32_t)(NN_BEND + j * NN_KNOTS + i), &knot[0][j][i],
                           &knot[1][j][i]);
            knot[0][j][i] *= 2 * how->elastic;
            knot[1][j][i] *= 2 * how->elastic;
        }
}

// Adds the bend of row y to where its pixels are read; weights[4][width] are those of its columns.
NN_INLINE void nn_bend_row(const NnAugment *how, int height, int width, int y,
                           float knot[2][NN_KNOTS][NN_KNOTS], const float *weights,
                           float *restrict at_x, float *restrict at_y)
{
    const float place = ((float)y + 0.5f) * (float)how->grid / (float)height;
    const int cell = (int)place;
    float w[4], row[2][NN_KNOTS];
    nn_spline(place - (float)cell, w);
    for (int d = 0; d < 2; d++)
        for (int i = 0; i < how->grid + 3; i++)
            row[d][i] = w[0] * knot[d][cell][i] + w[1] * knot[d][cell + 1][i] +
                        w[2] * knot[d][cell + 2][i] + w[3] * knot[d][cell + 3][i];
    for (int x = 0; x < width; x++) {
        const int i = (int)(((float)x + 0.5f) * (float)how->grid / (float)width);
        float bend_x = 0, bend_y = 0;
        for (int k = 0; k < 4; k++) {
            bend_x += weights[k * width + x] * row[0][i + k];
            bend_y += weights[k * width + x] * row[1][i + k];
        }
        at_x[x] += bend_x;
        at_y[x] += bend_y;
    }
}

NN_INLINE void nn_bend_weights(const NnAugment *how, int width, float *weights)
{
    for (int x = 0; x < width; x++) {
        const float place = ((float)x + 0.5f) * (float)how->grid / (float)width;
        float w[4];
        nn_spline(place - (float)(int)place, w);
        for (int k = 0; k < 4; k++)
            weights[k * width + x] = w[k];
    }
}

// --- the picture --------------------------------------------------------------------------------

// One row of the result, read at (at_x[x], at_y[x]) of the picture.
NN_INLINE void nn_sample_row(int height, int width, int channels, const float *frame,
                             const float *at_x, const float *at_y, float *restrict to)
{
    const int line = (width + 3) * channels;
    for (int x = 0; x < width; x++) { // in the frame, whose first pixel is at -1
        float u = at_x[x] + 1, v = at_y[x] + 1;
        u = u < 0 ? 0 : u;
        v = v < 0 ? 0 : v;
        u = u > (float)(width + 1) ? (float)(width + 1) : u;
        v = v > (float)(height + 1) ? (float)(height + 1) : v;
        const int i = (int)u, j = (int)v;
        const float part_x = u - (float)i, part_y = v - (float)j;
        const float *const p = frame + j * line + i * channels;
        for (int c = 0; c < channels; c++) {
            const float above = p[c] + part_x * (p[channels + c] - p[c]);
            const float below = p[line + c] + part_x * (p[line + channels + c] - p[line + c]);
            to[x * channels + c] = above + part_y * (below - above);
        }
    }
}

NN_INLINE void nn_cut_out(const NnAugment *how, uint64_t key, int height, int width, int channels,
                          float *to)
{
    const int left = (int)(nn_unit(key, NN_CUT_X) * width) - how->cutout / 2;
    const int top = (int)(nn_unit(key, NN_CUT_Y) * height) - how->cutout / 2;
    for (int y = top < 0 ? 0 : top; y < top + how->cutout && y < height; y++)
        for (int x = left < 0 ? 0 : left; x < left + how->cutout && x < width; x++)
            for (int c = 0; c < channels; c++)
                to[(y * width + x) * channels + c] = 0;
}

NN_INLINE void nn_add_noise(const NnAugment *how, uint64_t key, int count, float *to)
{
    const int half = count / 2; // number j and number half + j are one pair
    for (int j = 0; j < half; j++) {
        float a, b;
        nn_normal_pair(key, (uint32_t)(NN_NOISE + j), &a, &b);
        to[j] += how->noise * a;
        to[half + j] += how->noise * b;
    }
    if (count % 2) {
        float a, b;
        nn_normal_pair(key, (uint32_t)(NN_NOISE + half), &a, &b);
        to[count - 1] += how->noise * a;
    }
}

// The changed picture, to[height][width][channels], of the one in `frame`, which is
// NN_AUGMENT_ROOM numbers long and filled by nn_frame_bytes().
NN_INLINE void nn_augment(const NnAugment *how, uint64_t key, int height, int width, int channels,
                          float *frame, float *restrict to)
{
    float *const at_x = frame + (height + 3) * (width + 3) * channels, *const at_y = at_x + width;
    float *const weights = at_y + width;
    float m[6], knot[2][NN_KNOTS][NN_KNOTS];
    nn_affine(how, key, height, width, m);
    if (how->elastic > 0) {
        nn_bend_knots(how, key, knot);
        nn_bend_weights(how, width, weights);
    }
    for (int y = 0; y < height; y++) {
        const float from_x = m[1] * (float)y + m[2], from_y = m[4] * (float)y + m[5];
        for (int x = 0; x < width; x++) {
            at_x[x] = m[0] * (float)x + from_x;
            at_y[x] = m[3] * (float)x + from_y;
        }
        if (how->elastic > 0)
            nn_bend_row(how, height, width, y, knot, weights, at_x, at_y);
        nn_sample_row(height, width, channels, frame, at_x, at_y, to + y * width * channels);
    }
    if (how->cutout > 0)
        nn_cut_out(how, key, height, width, channels, to);
    if (how->noise > 0)
        nn_add_noise(how, key, height * width * channels, to);
}

#endif
