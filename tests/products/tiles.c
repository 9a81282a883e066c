// tiles.c: the product functions of a generated C file, each for every number of rows or terms that
// a block can have, against sums in double precision.
//
// A result may differ by what rounding each of its additions can bring: terms * 2^-24 of the sum of
// absolute products (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). What lies
// around the result must stay as it is.
//
// -DGENERATED="…" names the file, -DTABLE="…" one with a line PRODUCT, OUTER or OUTER_PANELS for
// each function of it, or a line LAYOUTS for each of its weights. Rows of some operands are a `line`
// apart. Where a number of a weight lies is what the runtime is told.
#include GENERATED

#include "run.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 67, LONG = 300, GUARD = 64 };
static const float untouched = -12345.f;
static long wrong, compared;

static unsigned state = 1;
static float random_number(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.f - 1.f;
}

static float *numbers(size_t count)
{
    float *const all = malloc((count + GUARD) * sizeof *all);
    for (size_t i = 0; i < count + GUARD; i++)
        all[i] = random_number();
    return all;
}

static void fail(const char *what, int terms, int columns, int rows, const char *how)
{
    if (wrong++ < 10)
        printf("%s_%dx%d, %d rows or terms: %s\n", what, terms, columns, rows, how);
}

static float *guarded(size_t count)
{
    float *const all = malloc((count + 2 * GUARD) * sizeof *all);
    for (size_t i = 0; i < count + 2 * GUARD; i++)
        all[i] = untouched;
    return all + GUARD;
}

static bool is_untouched(const float *result, size_t count)
{
    for (size_t i = 0; i < GUARD; i++)
        if (result[-1 - (long)i] != untouched || result[count + i] != untouched)
            return false;
    return true;
}

// The sum over p of a[p * ap] b[p * bp], added to `start`.
static void compare(const char *what, int terms, int columns, int rows, float found, const float *a,
                    long ap, const float *b, long bp, int count, float start)
{
    double sum = start, size = fabs((double)start);
    for (int p = 0; p < count; p++) {
        sum += (double)a[p * ap] * b[p * bp];
        size += fabs((double)a[p * ap] * b[p * bp]);
    }
    compared++;
    if (!(fabs(found - sum) <= (count + 1) * 0x1p-24 * size))
        fail(what, terms, columns, rows, "a sum is wrong");
}

typedef void Product(int rows, const void *left, const void *right, void *result);

// Whether what lies around rows of so many columns, and in the gaps behind them, is as it was.
static bool rows_only(const float *result, int rows, int columns, int line)
{
    for (int i = 0; i < rows; i++)
        for (int j = columns; j < line; j++)
            if (result[i * line + j] != untouched)
                return false;
    return is_untouched(result, (size_t)rows * line);
}

static void check_product(Product *product, int terms, int a_line, int columns, int c_line)
{
    float *const a = numbers((size_t)MOST * a_line), *const b = numbers((size_t)terms * columns);
    for (int rows = 1; rows <= MOST; rows += 1 + rows / 30) {
        float *const c = guarded((size_t)rows * c_line);
        product(rows, a, b, c);
        if (!rows_only(c, rows, columns, c_line))
            fail("product", terms, columns, rows, "it writes beyond its result");
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                compare("product", terms, columns, rows, c[i * c_line + j], a + i * a_line, 1,
                        b + j, columns, terms, 0);
        free(c - GUARD);
    }
    free(a);
    free(b);
}

static NnTensor tensor_named(const char *name)
{
    for (size_t t = 0; t < sizeof tensors / sizeof *tensors; t++)
        if (!strcmp(tensors[t].name, name))
            return tensors[t];
    abort();
}

// The layout of a part of such weights, so many rows high.
static NnTensor layout_of(int height, int columns, int high)
{
    for (size_t t = 0; t < sizeof tensors / sizeof *tensors; t++) {
        NnTensor tensor = tensors[t];
        if (tensor.dim[0] == height && tensor.dim[1] == columns) {
            tensor.dim[0] = tensor.layout.rows = high;
            return tensor;
        }
    }
    abort();
}

// By weights in the layout that the program makes of them: in panels or rows, and with rows and
// columns exchanged, in panels or rows.
static void check_layouts(const char *what, Product *forward, Product *backward, float *weights,
                          const float *turned, int height, int columns, int dy_line, int dx_line)
{
    const NnTensor tensor = tensor_named(what);
    float *const x = numbers((size_t)MOST * height), *const dy = numbers((size_t)MOST * dy_line);
    float *const w = numbers((size_t)height * columns);
    for (int i = 0; i < height; i++)
        for (int j = 0; j < columns; j++)
            weights[tensor_place(&tensor, (long)i * columns + j)] = w[i * columns + j];
    prepare();
    for (int rows = 1; rows <= MOST; rows += 1 + rows / 30) {
        float *const y = guarded((size_t)rows * columns);
        float *const dx = guarded((size_t)rows * dx_line);
        forward(rows, x, weights, y);
        backward(rows, dy, turned, dx);
        if (!rows_only(y, rows, columns, columns) || !rows_only(dx, rows, height, dx_line))
            fail(what, height, columns, rows, "it writes beyond its result");
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++)
                compare(what, height, columns, rows, y[i * columns + j], x + i * height, 1, w + j,
                        columns, height, 0);
            for (int k = 0; k < height; k++)
                compare(what, columns, height, rows, dx[i * dx_line + k], dy + i * dy_line, 1,
                        w + k * columns, 1, columns, 0);
        }
        free(y - GUARD);
        free(dx - GUARD);
    }
    free(x);
    free(dy);
    free(w);
}

typedef void Outer(int from, int to, int terms, const void *left, const void *right, void *result,
                   bool add);

static void check_outer(Outer *outer, int height, int columns, int most)
{
    static const int lengths[] = {1, 2, 3, 17, 67, 128, 129, LONG};
    float *const a = numbers((size_t)LONG * height), *const b = numbers((size_t)LONG * columns);
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        const int terms = lengths[n], from = height * (int)(n % 3) / 4,
                  to = nn_min(from + most, height - (n % 2 && from < height - 1));
        const bool add = n % 2;
        const size_t count = (size_t)height * columns;
        float *const c = guarded(count), *const before = numbers(count);
        for (int i = from * columns; add && i < to * columns; i++)
            c[i] = before[i];
        outer(from, to, terms, a, b, c + from * columns, add);
        bool kept = is_untouched(c, count);
        for (int i = 0; i < height * columns; i++)
            kept &= (i >= from * columns && i < to * columns) || c[i] == untouched;
        if (!kept)
            fail("outer", height, columns, terms, "it writes beyond its rows");
        for (int i = from; i < to; i++)
            for (int j = 0; j < columns; j++)
                compare("outer", height, columns, terms, c[i * columns + j], a + i, height, b + j,
                        columns, terms, add ? before[i * columns + j] : 0);
        free(c - GUARD);
        free(before);
    }
    free(a);
    free(b);
}

typedef void OuterPanels(int from, int to, int terms, const void *left, const void *right,
                         void *result, int high, int row, const void *change, bool add);

// Into panels of all rows, and into those of the rows from..to alone.
static void check_outer_panels(OuterPanels *outer, int height, int columns, int b_line, int most)
{
    static const int lengths[] = {1, 2, 3, 17, 67, 128, 129, LONG};
    float *const a = numbers((size_t)LONG * height), *const b = numbers((size_t)LONG * b_line);
    for (size_t n = 0; n < 2 * sizeof lengths / sizeof *lengths; n++) {
        const int terms = lengths[n / 2], from = height * (int)(n / 2 % 3) / 4,
                  to = nn_min(from + most, height - (n / 2 % 2 && from < height - 1));
        const bool add = n / 2 % 2, part = n % 2;
        const int high = part ? to - from : height, row = part ? 0 : from;
        const NnTensor layout = layout_of(height, columns, high);
        const size_t count = (size_t)high * columns;
        float *const c = guarded(count), *const before = numbers(count);
        long inside = 0;
        for (int i = from; add && i < to; i++)
            for (int j = 0; j < columns; j++) {
                const long at = tensor_place(&layout, (long)(i - from + row) * columns + j);
                c[at] = before[at];
            }
        outer(from, to, terms, a, b, c, high, row, part ? before : NULL, add);
        for (int i = from; i < to; i++)
            for (int j = 0; j < columns; j++) {
                const long at = tensor_place(&layout, (long)(i - from + row) * columns + j);
                compare("outer_panels", height, columns, terms, c[at], a + i, height, b + j, b_line,
                        terms, add ? before[at] : 0);
                inside += c[at] != untouched;
            }
        long written = 0;
        for (size_t i = 0; i < count; i++)
            written += c[i] != untouched;
        if (!is_untouched(c, count) || written != inside)
            fail("outer_panels", height, columns, terms, "it writes beyond its rows");
        free(c - GUARD);
        free(before);
    }
    free(a);
    free(b);
}

int main(void)
{
#define PRODUCT(product, terms, a_line, columns, c_line)                                           \
    check_product(product, terms, a_line, columns, c_line);
#define LAYOUTS(name, height, columns, forward, backward, dy_line, dx_line)                        \
    check_layouts(#name, forward, backward, (float *)name, (float *)name##_turned, height,         \
                  columns, dy_line, dx_line);
#define OUTER_PANELS(outer, rows, columns, b_line, most)                                           \
    check_outer_panels(outer, rows, columns, b_line, most);
#define OUTER(outer, rows, columns, most) check_outer(outer, rows, columns, most);
#include TABLE
    if (wrong || compared < 100000)
        printf("%ld of %ld sums are wrong\n", wrong, compared);
    return wrong || compared < 100000;
}
