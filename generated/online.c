// online: a network compiled by netc into the C that trains it.
//
//   layer            statement                          output         parameters
//   input            input 28x28x1                      28x28x1
//   dense1           dense 50 relu                      50             39250
//   dense2           dense 10 softmax                   10             510
//                                                                      39760
//
// In the functions of a layer x is what it reads and y what it makes, w and b are weights, i is a
// row of the batch, and dx is the gradient of the mean loss by x. Above each stands its formula.
//
// Contents, each part behind a line of dashes:
//   sizes                         how a batch is cut into blocks of rows
//   tensors that outlive a step   weights, and what the optimizer remembers of them
//   the arena                     where every other value of a step lies
//   matrix products               tiles for the processor, and a function for each shape
//   input, ... dense2             each layer: forward, backward, update
//   loss                          the loss, its gradient, and the answer
//   the whole network             train_step and infer, which call the functions above
//   what the runtime is told      tables of layers and tensors, and the model

#include <math.h>   // sqrt, pow
#include <string.h> // memcpy, memset

#include "nn.h" // the team of threads, random numbers, exp and log in vectors

// --- sizes ---------------------------------------------------------------------------------------

// A batch is worked on in blocks of rows; the last batch of an epoch may be smaller.
enum { BATCH = 1, ROWS = 1, BLOCKS = 1 };
// In the first of so many steps the first layer changes its weights for those before, and
// multiplies the pictures of all of them.
enum { STEPS = 8 };

// How many rows the block that starts at row `first` has in this batch.
static int rows_from(int first, const NnBatch *batch)
{
    const int rows = batch->rows - first;
    return rows < 0 ? 0 : nn_min(rows, ROWS);
}

// --- tensors that outlive a step -----------------------------------------------------------------

// weights, which training changes, and what they are at first
// 784x50 in a panel of 784x48, 2 columns of 784
static _Alignas(64) float dense1_w[39200]; // uniform within sqrt(6 / (784 + 50)) (glorot)
static _Alignas(64) float dense1_b[50]; // zeros
static _Alignas(64) float dense2_w[50][10]; // uniform within sqrt(6 / (50 + 10)) (glorot)
static _Alignas(64) float dense2_b[10]; // zeros

// changes by the last 2 STEPS steps, some of which the weights have still to get
// 16x50, with rows 64 numbers apart
static _Alignas(64) float dense1_w_changes[16][64];

// --- the arena -----------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 67776,
    // of a training step: 67776 bytes, 68160 if nothing were shared
    AT_input =                      0, EACH_input =                25088, // [STEPS][28][28][1]
    AT_input_nonzero =          50176, EACH_input_nonzero =         6960, // [2][6][145]
    AT_input_overlaps =         66176, EACH_input_overlaps =         256, // [8][8]
    AT_dense1_sums =            64128, EACH_dense1_sums =           2048, // [STEPS][64]
    AT_dense1 =                 66432, EACH_dense1 =                 200, // [ROWS][50]
    AT_dense1_nonzero =         66688, EACH_dense1_nonzero =         204, // [ROWS][51]
    AT_dense2_z =               66944, EACH_dense2_z =               128, // [ROWS][10]
    AT_dense2 =                 67008, EACH_dense2 =                 128, // [ROWS][10]
    AT_predicted =              67456, EACH_predicted =                4, // [ROWS]
    AT_loss =                   67520, EACH_loss =                     4, // [ROWS]
    AT_d_dense2_z =             67584, EACH_d_dense2_z =              40, // [ROWS][10]
    AT_d_dense2_b_partial =     67648, EACH_d_dense2_b_partial =      40, // [10]
    AT_d_dense2_b =             67712,                                    // [10]
    AT_d_dense1_z =             66944, EACH_d_dense1_z =             200, // [ROWS][50]
    AT_d_dense1_b_partial =     67200, EACH_d_dense1_b_partial =     200, // [50]
    AT_d_dense1_b =             66432,                                    // [50]
    // of inference: 3584 bytes
    AT_infer_input =                0, EACH_infer_input =           3392, // [ROWS][28][28][1]
    AT_infer_dense1 =            3136, EACH_infer_dense1 =          3392, // [ROWS][50]
    AT_infer_dense2_z =             0, EACH_infer_dense2_z =        3392, // [ROWS][10]
    AT_infer_dense2 =            3392, EACH_infer_dense2 =            40, // [ROWS][10]
    AT_infer_predicted =         3456, EACH_infer_predicted =          4, // [ROWS]
    AT_infer_loss =              3520, EACH_infer_loss =               4, // [ROWS]
};
static _Alignas(64) unsigned char arena[ARENA_BYTES];
#define BLOCK(value) ((void *)(arena + AT_##value + (size_t)block * EACH_##value))
#define WHOLE(value) ((void *)(arena + AT_##value))
// What there is of two times STEPS steps: of those that are running, and of those before.
#define HALF(value, at) ((void *)(arena + AT_##value + (size_t)(at) * EACH_##value))
#define NOW(value) HALF(value, batch->number / STEPS % 2)
#define BEFORE(value) HALF(value, 1 - batch->number / STEPS % 2)

// --- matrix products -----------------------------------------------------------------------------

typedef float Vector16 __attribute__((vector_size(64)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector2 __attribute__((vector_size(8)));

#define UNROLLED _Pragma("GCC unroll 32")
#define INLINED inline __attribute__((always_inline))

// FORGET stands behind what a tile loads for all of its rows: the C compiler neither loads it
// again for each of them, nor keeps what it loads for one row for the next term, which would push
// sums out of the registers.
#define FORGET __asm__ volatile("" : : : "memory")
// IN_MEMORY is for a vector of which only a part is stored: the C compiler would take it apart in
// other registers, and keep its sum on the stack for that.
#define IN_MEMORY(vector) __asm__("" : "+m"(vector))

// High tiles are inlined, and so know how far rows are apart. Low ones keep that in registers, as
// functions that all products share, which spares the C compiler a copy in each.
#define CALLED __attribute__((noinline))

// A vector of what lies at `from`, but 0 for the first `skip` numbers, which may be another
// thread's.
#define PART_OF(Vector, from, skip)                                                       \
    ({                                                                                    \
        Vector part = {0};                                                                \
        memcpy((float *)&part + (skip), (from) + (skip),                                  \
               sizeof part - (skip) * sizeof(float));                                     \
        part;                                                                             \
    })

// A tile of the result stays in vector registers until its sum is complete: c[i] = sum over p <
// terms of a[i][p] b[p]. Where it adds to c, a sum goes on FROM what is there, or is made by
// itself and put ONTO that. a[i][p] lies at a[i * ai + p * ap], rows of b are bp apart, rows of c
// ci. The first SKIP columns are not stored: they belong to the strip before. The memory is asked
// for a row of b AHEAD rows before it is needed, or not at all where that is 0, since all of b
// stays in the first cache.
enum { FROM = true, ONTO };
#define TILE(how, name, ROW_COUNT, VECTORS, Vector, SKIP, AHEAD)                          \
    static how void name(                                                                 \
        int terms, const float *a, long ai, long ap, const float *b, long bp, float *c,   \
        long ci, int add)                                                                 \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float) };                                  \
        Vector sum[ROW_COUNT][VECTORS] = {0};                                             \
        if (add == FROM)                                                                  \
            UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                  \
                UNROLLED for (int j = 0; j < VECTORS; j++)                                \
                    sum[i][j] =                                                           \
                        PART_OF(Vector, c + i * ci + j * LANES, j == 0 ? SKIP : 0);       \
        for (int p = 0; p < terms; p++) {                                                 \
            Vector row[VECTORS];                                                          \
            const uintptr_t next = (uintptr_t)b + (p + AHEAD) * bp * sizeof(float);       \
            UNROLLED for (int j = 0; j < VECTORS; j++) {                                  \
                memcpy(&row[j], b + p * bp + j * LANES, sizeof(Vector));                  \
                if (AHEAD)                                                                \
                    __builtin_prefetch((void *)(next + j * sizeof(Vector)));              \
            }                                                                             \
            if (LANES == 1 || sizeof(Vector) > 8)                                         \
                FORGET;                                                                   \
            UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                  \
                UNROLLED for (int j = 0; j < VECTORS; j++)                                \
                    sum[i][j] += a[i * ai + p * ap] * row[j];                             \
        }                                                                                 \
        UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                      \
            UNROLLED for (int j = 0; j < VECTORS; j++) {                                  \
                float *const to = c + i * ci + j * LANES;                                 \
                Vector v = sum[i][j];                                                     \
                const int skip = j == 0 ? SKIP : 0;                                       \
                if (add == ONTO)                                                          \
                    v += PART_OF(Vector, to, skip);                                       \
                if (skip)                                                                 \
                    IN_MEMORY(v);                                                         \
                memcpy(to + skip, (const float *)&v + skip,                               \
                       (LANES - skip) * sizeof(float));                                   \
            }                                                                             \
    }

// A strip: a few vectors of columns through all rows: full tiles, then the rows that those leave
// of a whole block, made as `how` says, then single ones where a batch is cut short.
#define STRIP(name, FULL, REST, how, VECTORS, Vector, SKIP, AHEAD)                        \
    TILE(INLINED, name##_full, FULL, VECTORS, Vector, SKIP, AHEAD)                        \
    TILE(how, name##_rest, REST, VECTORS, Vector, SKIP, AHEAD)                            \
    TILE(CALLED, name##_one, 1, VECTORS, Vector, SKIP, AHEAD)                             \
    static INLINED void name(                                                             \
        int rows, int terms, const float *a, long ai, long ap, const float *b, long bp,   \
        float *c, long ci, int add)                                                       \
    {                                                                                     \
        const int full = rows / FULL * FULL, rest = full + (rows - full) / REST * REST;   \
        for (int i = 0; i < full; i += FULL)                                              \
            name##_full(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);           \
        for (int i = full; i < rest; i += REST)                                           \
            name##_rest(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);           \
        for (int i = rest; i < rows; i++)                                                 \
            name##_one(terms, a + i * ai, ai, ap, b, bp, c + i * ci, ci, add);            \
    }

STRIP(strip_1_1x48, 1, 1, CALLED, 3, Vector16, 0, 16)
STRIP(strip_1_1x8, 1, 1, CALLED, 1, Vector8, 0, 16)
STRIP(strip_1_1x2, 1, 1, CALLED, 1, Vector2, 0, 16)

typedef Vector16 Lanes;
typedef int32_t Mask __attribute__((vector_size(sizeof(Lanes))));
NN_LANE_SUMS(add_lanes, float, int32_t, Lanes)

// Columns that lie by themselves: c[i][j] = the sum over p < terms of a[i][p] b[j][p], or that
// added to c, in as many sums as a vector has lanes. Rows of a are ai apart, columns bj, rows of c
// ci. The last numbers of a row that fill no vector are taken with some before them, whose column
// is masked.
#define DOTS(name, ROW_COUNT, COLUMNS)                                                    \
    static INLINED void name##_step(                                                      \
        int rows, const float *a, long ai, const Lanes *column, Lanes *sum)               \
    {                                                                                     \
        UNROLLED for (int i = 0; i < ROW_COUNT; i++) {                                    \
            Lanes row;                                                                    \
            memcpy(&row, a + (i < rows ? i : 0) * ai, sizeof row);                        \
            UNROLLED for (int j = 0; j < COLUMNS; j++)                                    \
                sum[i * COLUMNS + j] += row * column[j];                                  \
        }                                                                                 \
    }                                                                                     \
    static INLINED void name##_tile(                                                      \
        int rows, int terms, const float *a, long ai, const float *b, long bj, float *c,  \
        long ci, bool add)                                                                \
    {                                                                                     \
        enum { LANES = sizeof(Lanes) / sizeof(float) };                                   \
        Lanes sum[LANES] = {0}, column[COLUMNS];                                          \
        for (int p = 0; p + LANES <= terms; p += LANES) {                                 \
            UNROLLED for (int j = 0; j < COLUMNS; j++)                                    \
                memcpy(&column[j], b + j * bj + p, sizeof(Lanes));                        \
            name##_step(rows, a + p, ai, column, sum);                                    \
        }                                                                                 \
        if (terms % LANES) {                                                              \
            Mask mask = {0};                                                              \
            UNROLLED for (int l = 0; l < LANES; l++)                                      \
                mask[l] = l < LANES - terms % LANES ? 0 : -1;                             \
            UNROLLED for (int j = 0; j < COLUMNS; j++) {                                  \
                memcpy(&column[j], b + j * bj + terms - LANES, sizeof(Lanes));            \
                column[j] = (Lanes)((Mask)column[j] & mask);                              \
            }                                                                             \
            name##_step(rows, a + terms - LANES, ai, column, sum);                        \
        }                                                                                 \
        add_lanes(sum);                                                                   \
        UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                      \
            UNROLLED for (int j = 0; j < COLUMNS; j++)                                    \
                if (i < rows)                                                             \
                    c[i * ci + j] = (add ? c[i * ci + j] : 0) + sum[0][i * COLUMNS + j];  \
    }                                                                                     \
    static INLINED void name(                                                             \
        int rows, int terms, const float *a, long ai, const float *b, long bj, float *c,  \
        long ci, bool add)                                                                \
    {                                                                                     \
        int i = 0;                                                                        \
        for (; i + ROW_COUNT <= rows; i += ROW_COUNT)                                     \
            name##_tile(ROW_COUNT, terms, a + i * ai, ai, b, bj, c + i * ci, ci, add);    \
        if (i < rows)                                                                     \
            name##_tile(rows - i, terms, a + i * ai, ai, b, bj, c + i * ci, ci, add);     \
    }

DOTS(dots_8x2, 8, 2)

// c[rows][50] = a[rows][784] b[784][50], with b in panels
static void panels_784x50(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_1_1x48(rows, 784, a, 784, 1, b, 48, c, 50, false);
    dots_8x2(rows, 784, a, 784, b + 48 * 784, 784, c + 48, 50, false);
}

// c[rows][10] = a[rows][50] b[50][10]
static void product_50x10(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_1_1x8(rows, 50, a, 50, 1, b, 10, c, 10, false);
    strip_1_1x2(rows, 50, a, 50, 1, b + 8, 10, c + 8, 10, false);
}

// A span: a few vectors of columns, the last of them from LAST on, summed over the rows of a list:
// at[1] to at[at[0]] are places in x and rows of w.
#define SPAN(name, VECTORS, LAST, Vector)                                                 \
    static INLINED void name(                                                             \
        const int32_t *at, const float *x, const float *w, long width, float *y)          \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float) };                                  \
        Vector sum[VECTORS] = {0};                                                        \
        for (int n = 1; n <= at[0]; n++) {                                                \
            const float *const row = w + at[n] * width;                                   \
            UNROLLED for (int j = 0; j < VECTORS; j++) {                                  \
                Vector columns;                                                           \
                memcpy(&columns, row + (j < VECTORS - 1 ? j * LANES : LAST), sizeof(Vector));\
                sum[j] += x[at[n]] * columns;                                             \
            }                                                                             \
        }                                                                                 \
        UNROLLED for (int j = 0; j < VECTORS; j++)                                        \
            memcpy(y + (j < VECTORS - 1 ? j * LANES : LAST), &sum[j], sizeof(Vector));    \
    }

SPAN(span_1x8, 1, 0, Vector8)
SPAN(span_1x2, 1, 0, Vector2)

// To each lane of a sum is added a product of a number of a and one of b.
#define ADD_PRODUCTS(sum, a, b)                                                           \
    do {                                                                                  \
        __typeof__(sum) left, right;                                                      \
        memcpy(&left, a, sizeof left);                                                    \
        memcpy(&right, b, sizeof right);                                                  \
        sum += left * right;                                                              \
    } while (0)

// The lower lanes of a vector plus its upper ones.
#define HALVE(half, all)                                                                  \
    do {                                                                                  \
        __typeof__(half) halves[2];                                                       \
        memcpy(halves, &all, sizeof halves);                                              \
        half = halves[0] + halves[1];                                                     \
    } while (0)

// y[10] = the sum of x[i] w[i][10] over the places i of the list
static void rows_sum_10(const int32_t *at, const float *x, const float *w, float *y)
{
    span_1x8(at, x, w, 10, y);
    span_1x2(at, x, w + 8, 10, y + 8);
}

// the sum of row[j] y[j] over j < 10
static inline float row_dot_10(const float *y, const float *row)
{
    Vector8 sum8 = {0};
    ADD_PRODUCTS(sum8, row, y);
    Vector4 sum4;
    HALVE(sum4, sum8);
    Vector2 sum2;
    HALVE(sum2, sum4);
    ADD_PRODUCTS(sum2, row + 8, y + 8);
    float sum1;
    HALVE(sum1, sum2);
    return sum1;
}

// A few vectors of columns of y = x w, for COUNT rows x: to each row of y are added the products
// of its x and the rows of w that a list names.
#define SUMS(name, COUNT, VECTORS, Vector)                                                \
    static INLINED void name(                                                             \
        const int32_t *at, const float *x, long numbers, const float *w, long width,      \
        float *y, long line)                                                              \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float) };                                  \
        Vector sum[COUNT][VECTORS];                                                       \
        UNROLLED for (int i = 0; i < COUNT; i++)                                          \
            UNROLLED for (int j = 0; j < VECTORS; j++)                                    \
                memcpy(&sum[i][j], y + i * line + j * LANES, sizeof(Vector));             \
        for (int n = 1, count = at[0]; n <= count; n++) {                                 \
            const long p = at[n];                                                         \
            const float *const row = w + p * width;                                       \
            float number[COUNT];                                                          \
            UNROLLED for (int i = 0; i < COUNT; i++)                                      \
                number[i] = x[i * numbers + p];                                           \
            UNROLLED for (int j = 0; j < VECTORS; j++) {                                  \
                Vector columns;                                                           \
                memcpy(&columns, row + j * LANES, sizeof(Vector));                        \
                FORGET;                                                                   \
                UNROLLED for (int i = 0; i < COUNT; i++)                                  \
                    sum[i][j] += number[i] * columns;                                     \
            }                                                                             \
        }                                                                                 \
        UNROLLED for (int i = 0; i < COUNT; i++)                                          \
            UNROLLED for (int j = 0; j < VECTORS; j++)                                    \
                memcpy(y + i * line + j * LANES, &sum[i][j], sizeof(Vector));             \
    }

SUMS(sums_3x16, 4, 3, Vector16)

// From a few vectors of columns of the rows of w that a list names are taken the products of COUNT
// rows x and their rows of changes.
#define CHANGE(name, COUNT, VECTORS, Vector)                                              \
    static INLINED void name(                                                             \
        const int32_t *at, const float *x, long numbers, float *w, long width,            \
        const float *change, long line)                                                   \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float) };                                  \
        Vector by[COUNT][VECTORS];                                                        \
        UNROLLED for (int i = 0; i < COUNT; i++)                                          \
            memcpy(by[i], change + i * line, sizeof by[i]);                               \
        for (int n = 1; n <= at[0]; n++) {                                                \
            float *const row = w + at[n] * width;                                         \
            UNROLLED for (int j = 0; j < VECTORS; j++) {                                  \
                Vector columns;                                                           \
                memcpy(&columns, row + j * LANES, sizeof(Vector));                        \
                UNROLLED for (int i = 0; i < COUNT; i++)                                  \
                    columns -= x[i * numbers + at[n]] * by[i][j];                         \
                memcpy(row + j * LANES, &columns, sizeof(Vector));                        \
            }                                                                             \
        }                                                                                 \
    }

CHANGE(change_3x16, 4, 3, Vector16)

// Columns that lie by themselves: of each of STEPS rows y those that are products of its x and a
// column of w, and the changes of such columns.
#define LONE_SUMS(name, COLUMNS, NUMBERS, Vector)                                         \
    static void name(const float *x, const float *w, float *y, long line)                 \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float), WHOLE = NUMBERS / LANES * LANES }; \
        Vector sum[LANES] = {0};                                                          \
        for (int p = 0; p < WHOLE; p += LANES) {                                          \
            Vector column[COLUMNS], row;                                                  \
            UNROLLED for (int j = 0; j < COLUMNS; j++)                                    \
                memcpy(&column[j], w + j * NUMBERS + p, sizeof(Vector));                  \
            UNROLLED for (int i = 0; i < STEPS; i++) {                                    \
                memcpy(&row, x + i * NUMBERS + p, sizeof(Vector));                        \
                UNROLLED for (int j = 0; j < COLUMNS; j++)                                \
                    sum[i * COLUMNS + j] += row * column[j];                              \
            }                                                                             \
        }                                                                                 \
        add_lanes(sum);                                                                   \
        UNROLLED for (int i = 0; i < STEPS; i++)                                          \
            UNROLLED for (int j = 0; j < COLUMNS; j++) {                                  \
                float total = sum[0][i * COLUMNS + j];                                    \
                for (int p = WHOLE; p < NUMBERS; p++)                                     \
                    total += x[i * NUMBERS + p] * w[j * NUMBERS + p];                     \
                y[i * line + j] = total;                                                  \
            }                                                                             \
    }

#define LONE_CHANGE(name, COLUMNS, NUMBERS, Vector)                                       \
    static void name(const float *x, float *w, const float *change, long line)            \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float), WHOLE = NUMBERS / LANES * LANES }; \
        for (int p = 0; p < WHOLE; p += LANES) {                                          \
            Vector column[COLUMNS], row;                                                  \
            UNROLLED for (int j = 0; j < COLUMNS; j++)                                    \
                memcpy(&column[j], w + j * NUMBERS + p, sizeof(Vector));                  \
            UNROLLED for (int i = 0; i < STEPS; i++) {                                    \
                memcpy(&row, x + i * NUMBERS + p, sizeof(Vector));                        \
                UNROLLED for (int j = 0; j < COLUMNS; j++)                                \
                    column[j] -= row * change[i * line + j];                              \
            }                                                                             \
            UNROLLED for (int j = 0; j < COLUMNS; j++)                                    \
                memcpy(w + j * NUMBERS + p, &column[j], sizeof(Vector));                  \
        }                                                                                 \
        for (int i = 0; i < STEPS; i++)                                                   \
            for (int j = 0; j < COLUMNS; j++)                                             \
                for (int p = WHOLE; p < NUMBERS; p++)                                     \
                    w[j * NUMBERS + p] -= x[i * NUMBERS + p] * change[i * line + j];      \
    }

LONE_SUMS(sum_lone, 2, 784, Vector16)
LONE_CHANGE(change_lone, 2, 784, Vector16)

// overlaps[i][k] = the product of the rows i and k of x, for FROM <= i < TO and k < i.
#define OVERLAPS(name, FROM, TO, NUMBERS, Vector)                                         \
    static void name(const float *x, float *overlaps)                                     \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float), WHOLE = NUMBERS / LANES * LANES }; \
        Vector sum[TO][TO] = {0};                                                         \
        float lanes[TO][TO][LANES];                                                       \
        for (int p = 0; p < WHOLE; p += LANES) {                                          \
            Vector row[TO];                                                               \
            UNROLLED for (int i = 0; i < TO; i++)                                         \
                memcpy(&row[i], x + i * NUMBERS + p, sizeof(Vector));                     \
            UNROLLED for (int i = FROM; i < TO; i++)                                      \
                UNROLLED for (int k = 0; k < i; k++)                                      \
                    sum[i][k] += row[i] * row[k];                                         \
        }                                                                                 \
        UNROLLED for (int i = FROM; i < TO; i++)                                          \
            UNROLLED for (int k = 0; k < i; k++)                                          \
                memcpy(lanes[i][k], &sum[i][k], sizeof(Vector));                          \
        for (int i = FROM; i < TO; i++)                                                   \
            for (int k = 0; k < i; k++) {                                                 \
                float total = 0;                                                          \
                for (int lane = 0; lane < LANES; lane++)                                  \
                    total += lanes[i][k][lane];                                           \
                for (int p = WHOLE; p < NUMBERS; p++)                                     \
                    total += x[i * NUMBERS + p] * x[k * NUMBERS + p];                     \
                overlaps[i * STEPS + k] = total;                                          \
            }                                                                             \
    }

OVERLAPS(overlaps_1_to_4, 1, 5, 784, Vector16)
OVERLAPS(overlaps_5_to_7, 5, 8, 784, Vector16)

// --- input: input 28x28x1 ------------------------------------------------------------------------

// x = scale pictures
static void input_forward(const NnBatch *batch, int first, int rows,
                          float x[restrict STEPS][28][28][1])
{
    for (int i = 0; i < rows; i++) {
        const size_t at = (size_t)batch->index[first + i] * 784;
        float *const to = x[i][0][0];
        for (int j = 0; j < 784; j++)
            to[j] = batch->pictures[at + j] * 0.003921569f;
    }
    memset(x[rows], 0, (size_t)(STEPS - rows) * sizeof x[0]); // behind the last
}

// x = scale pictures
static void input_infer(const NnBatch *batch, int first, int rows,
                        float x[restrict ROWS][28][28][1])
{
    for (int i = 0; i < rows; i++) {
        const size_t at = (size_t)batch->index[first + i] * 784;
        float *const to = x[i][0][0];
        for (int j = 0; j < 784; j++)
            to[j] = batch->pictures[at + j] * 0.003921569f;
        nn_ahead(batch, first + i + BATCH, 784, 0, 784);
    }
}

// --- dense1: dense 50 relu   28x28x1 -> 50 -------------------------------------------------------

// at = where one of a few x is not 0: how many places, and which
static void dense1_nonzero(int rows, int32_t at[restrict 2][6][145], const float x[STEPS][784])
{
    for (int i = 0; i < rows; i += 4)
        for (int part = 0; part < 6; part++)
            nn_places_of_rows(part * 144, nn_min(part * 144 + 144, 784), 4, x[i], 784,
                              at[i / 4][part]);
}

// overlaps = the products of each x and those before it
static void dense1_overlaps(int rows, float overlaps[restrict 8][8], const float x[STEPS][784])
{
    memset(overlaps, 0, sizeof(float[STEPS][STEPS]));
    if (rows > 1)
        overlaps_1_to_4(x[0], overlaps[0]);
    if (rows > 5)
        overlaps_5_to_7(x[0], overlaps[0]);
}

// w = w - x' changes, of the steps before; sums = x w, of these steps
static void dense1_ahead(const NnBatch *batch, int rows, float sums[restrict STEPS][64],
                         const float x[STEPS][784], float w[restrict 39200],
                         const int32_t at[2][6][145], const float changes[16][64],
                         const float x_before[STEPS][784], const int32_t at_before[2][6][145])
{
    const int before = STEPS - batch->number % (2 * STEPS);
    memset(sums, 0, sizeof(float[STEPS][64]));
    for (int part = 0; part < 6; part++) {
        if (batch->number > 0)
            for (int i = 0; i < STEPS; i += 4)
                change_3x16(at_before[i / 4][part], x_before[i], 784, w, 48, changes[before + i],
                            64);
        for (int i = 0; i < rows; i += 4)
            sums_3x16(at[i / 4][part], x[i], 784, w, 48, sums[i], 64);
    }
    if (batch->number > 0)
        change_lone(x_before[0], w + 37632, changes[before] + 48, 64);
    sum_lone(x[0], w + 37632, sums[0] + 48, 64);
}

// y = x w, of sums and what earlier ones of these steps change
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_forward(const NnBatch *batch, int rows, float y[restrict ROWS][50],
                           const float sums[STEPS][64], const float overlaps[8][8],
                           const float changes[16][64], const float b[50])
{
    const int step = batch->number % STEPS;
    const int first = batch->number % (2 * STEPS) - step;
    nn_ahead(batch, STEPS, 784, 0, 784);
    for (int i = 0; i < rows; i++) {
        float sum[64]; // whole vectors, as rows of sums are
        for (int j = 0; j < 64; j++) {
            sum[j] = sums[step][j];
            UNROLLED for (int k = 0; k < STEPS; k++)
                sum[j] -= overlaps[step][k] * changes[first + k][j];
        }
        memcpy(y[i], sum, sizeof y[i]);
        for (int j = 0; j < 50; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense1_b_partial(int rows, float db[restrict 50], const float dy[ROWS][50])
{
    memset(db, 0, sizeof(float[50]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 50; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense1_b_gradient(float sum[restrict 50], const float partial[BLOCKS][50])
{
    for (int j = 0; j < 50; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 50; j++)
            sum[j] += partial[block][j];
}

// changes = rate dy; after the last step w = w - x' changes
static void dense1_w_update(const NnBatch *batch, float w[restrict 39200],
                            float changes[restrict 16][64], const float dy[BATCH][50],
                            const float x[STEPS][784], const int32_t at[2][6][145])
{
    const int step = batch->number % STEPS;
    const int first = batch->number % (2 * STEPS) - step;
    for (int j = 0; j < 50; j++)
        changes[first + step][j] = (float)batch->rate * dy[0][j];
    if (batch->known > 1)
        return; // the next steps reckon with it, and a later one changes w
    for (int part = 0; part < 6; part++) {
        for (int i = 0; i < step + 1; i += 4)
            change_3x16(at[i / 4][part], x[i], 784, w, 48, changes[first + i], 64);
    }
    change_lone(x[0], w + 37632, changes[first] + 48, 64);
}

// w = w - rate g
static void dense1_b_update(const NnBatch *batch, float w[restrict 50], const float g[50])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 50; j++) {
        w[j] -= rate * g[j];
    }
}

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_infer(int rows, float y[restrict ROWS][50], const float x[ROWS][784],
                         const float w[39200], const float b[50])
{
    panels_784x50(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 50; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// --- dense2: dense 10 softmax   50 -> 10 ---------------------------------------------------------

// at = how many numbers of x are not 0, and which
static void dense2_nonzero(int rows, int32_t at[restrict ROWS][51], const float x[ROWS][50])
{
    for (int i = 0; i < rows; i++)
        nn_places_float(50, x[i], at[i]);
}

// y = x w, without the rows of w where x is 0
// then y = x + b
static void dense2_forward(int rows, float y[restrict ROWS][10], const float x[ROWS][50],
                           const float w[50][10], const int32_t at[ROWS][51], const float b[10])
{
    for (int i = 0; i < rows; i++) {
        rows_sum_10(at[i], x[i], w[0], y[i]);
        for (int j = 0; j < 10; j++) {
            float v = y[i][j];
            v += b[j];
            y[i][j] = v;
        }
    }
}

// y = exp(x) / sum exp(x)
static void dense2_softmax(int rows, float y[restrict ROWS][10], const float x[ROWS][10])
{
    for (int i = 0; i < rows; i++) {
        float largest = x[i][0];
        for (int j = 1; j < 10; j++)
            largest = x[i][j] > largest ? x[i][j] : largest;
        for (int j = 0; j < 10; j++)
            y[i][j] = x[i][j] - largest;
    }
    float *const all = y[0];
    for (int n = 0; n < rows * 10; n++)
        all[n] = nn_expf(all[n]);
    for (int i = 0; i < rows; i++) {
        float sum = 0;
        for (int j = 0; j < 10; j++)
            sum += y[i][j];
        for (int j = 0; j < 10; j++)
            y[i][j] /= sum;
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense2_b_partial(int rows, float db[restrict 10], const float dy[ROWS][10])
{
    memset(db, 0, sizeof(float[10]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 10; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense2_b_gradient(float sum[restrict 10], const float partial[BLOCKS][10])
{
    for (int j = 0; j < 10; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 10; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w, without the rows of w where x is 0
// dx = dy w', then w = w - rate x' dy, where x is not 0
// forward: y = x < 0 ? 0 : x (dense1)
// dx = y > 0 ? dy : 0
static void dense2_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][50],
                            const float dy[ROWS][10], float w[restrict 50][10],
                            const int32_t at[ROWS][51], const float x[ROWS][50])
{
    for (int i = 0; i < rows; i++) {
        memset(dx[i], 0, sizeof dx[i]);
        for (int n = 1; n <= at[i][0]; n++) {
            const int k = at[i][n];
            dx[i][k] = row_dot_10(dy[i], w[k]);
            const float step = (float)batch->rate * x[i][k];
            for (int j = 0; j < 10; j++)
                w[k][j] -= step * dy[i][j];
        }
        for (int j = 0; j < 50; j++) {
            float v = dx[i][j];
            v = x[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// w = w - rate g
static void dense2_b_update(const NnBatch *batch, float w[restrict 10], const float g[10])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 10; j++) {
        w[j] -= rate * g[j];
    }
}

// y = x w
// then y = x + b
static void dense2_infer(int rows, float y[restrict ROWS][10], const float x[ROWS][50],
                         const float w[50][10], const float b[10])
{
    product_50x10(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 10; j++) {
            float v = y[i][j];
            v += b[j];
            y[i][j] = v;
        }
    }
}

// --- loss cross_entropy, and the answer ----------------------------------------------------------

// predicted = the index of the largest x
static void output_predict(int rows, int32_t predicted[restrict ROWS], const float x[ROWS][10])
{
    for (int i = 0; i < rows; i++) {
        int best = 0;
        for (int j = 1; j < 10; j++)
            best = x[i][j] > x[i][best] ? j : best;
        predicted[i] = best;
    }
}

// loss = log(sum exp(x)) - x[label]
static void loss_forward(const NnBatch *batch, int first, int rows, float loss[restrict ROWS],
                         const float x[ROWS][10])
{
    float shift[ROWS], power[ROWS][10];
    for (int i = 0; i < rows; i++) {
        float largest = x[i][0];
        for (int j = 1; j < 10; j++)
            largest = x[i][j] > largest ? x[i][j] : largest;
        for (int j = 0; j < 10; j++)
            power[i][j] = x[i][j] - largest;
        shift[i] = largest;
    }
    float *const all = power[0];
    for (int n = 0; n < rows * 10; n++)
        all[n] = nn_expf(all[n]);
    for (int i = 0; i < rows; i++) {
        float sum = 0;
        for (int j = 0; j < 10; j++)
            sum += power[i][j];
        loss[i] = sum;
    }
    for (int i = 0; i < rows; i++)
        loss[i] = nn_logf(loss[i]) + shift[i];
    for (int i = 0; i < rows; i++) {
        const int label = batch->labels[batch->index[first + i]];
        loss[i] -= x[i][label];
    }
}

// result = sums over the batch
static bool loss_total(const NnBatch *batch, NnResult *result, const float loss[BATCH],
                       const int32_t predicted[BATCH])
{
    double sum = 0;
    int hits = 0;
    for (int i = 0; i < batch->rows; i++) {
        sum += loss[i];
        hits += predicted[i] == batch->labels[batch->index[i]];
    }
    const bool finite = isfinite(sum);
    *result = (NnResult){.loss = sum, .hits = hits, .finite = finite};
    return finite;
}

// forward: loss = log(sum exp(x)) - x[label]
// dx = (p - target) / rows, p = softmax(x)
static void loss_backward(const NnBatch *batch, int first, int rows, float dx[restrict ROWS][10],
                          const float p[ROWS][10])
{
    const float scale = 1 / (float)batch->rows;
    for (int i = 0; i < rows; i++) {
        const int label = batch->labels[batch->index[first + i]];
        for (int j = 0; j < 10; j++)
            dx[i][j] = (p[i][j] - (j == label)) * scale;
    }
}

// --- the whole network ---------------------------------------------------------------------------

// nn_call(f, x) is f(x). Where batch->timed, it also adds the time that it took to row CALL_f of
// the table `calls`, which the command `bench` prints.
enum {
    CALL_input_forward,
    CALL_dense1_nonzero, CALL_dense1_overlaps, CALL_dense1_ahead, CALL_dense1_forward,
    CALL_dense1_b_partial, CALL_dense1_b_gradient, CALL_dense1_w_update, CALL_dense1_b_update,
    CALL_dense2_nonzero, CALL_dense2_forward, CALL_dense2_softmax, CALL_dense2_b_partial,
    CALL_dense2_b_gradient, CALL_dense2_backward, CALL_dense2_b_update,
    CALL_output_predict,
    CALL_loss_forward, CALL_loss_backward,
};

// One step of training: forward, backward and update.
static void train_step(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        if (batch->number % STEPS == 0) {
            const int steps = nn_min(STEPS, batch->known);
            nn_call(input_forward, batch, first, steps, NOW(input));
            nn_call(dense1_nonzero, steps, NOW(input_nonzero), NOW(input));
            nn_call(dense1_overlaps, steps, BLOCK(input_overlaps), NOW(input));
            nn_call(dense1_ahead, batch, steps, BLOCK(dense1_sums), NOW(input), dense1_w,
                    NOW(input_nonzero), dense1_w_changes, BEFORE(input), BEFORE(input_nonzero));
        }
        nn_call(dense1_forward, batch, rows, BLOCK(dense1), BLOCK(dense1_sums),
                BLOCK(input_overlaps), dense1_w_changes, dense1_b);
        nn_call(dense2_nonzero, rows, BLOCK(dense1_nonzero), BLOCK(dense1));
        nn_call(dense2_forward, rows, BLOCK(dense2_z), BLOCK(dense1), dense2_w,
                BLOCK(dense1_nonzero), dense2_b);
        nn_call(dense2_softmax, rows, BLOCK(dense2), BLOCK(dense2_z));
        nn_call(output_predict, rows, BLOCK(predicted), BLOCK(dense2));
        nn_call(loss_forward, batch, first, rows, BLOCK(loss), BLOCK(dense2_z));
        nn_call(loss_backward, batch, first, rows, BLOCK(d_dense2_z), BLOCK(dense2));
        nn_call(dense2_b_partial, rows, BLOCK(d_dense2_b_partial), BLOCK(d_dense2_z));
    }
    nn_barrier();

    if (!loss_total(batch, result, WHOLE(loss), WHOLE(predicted))) {
        nn_barrier();
        return; // not finite: no weight is changed
    }
    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(dense2_backward, batch, rows, BLOCK(d_dense1_z), BLOCK(d_dense2_z), dense2_w,
                BLOCK(dense1_nonzero), BLOCK(dense1));
        nn_call(dense1_b_partial, rows, BLOCK(d_dense1_b_partial), BLOCK(d_dense1_z));
    }
    nn_single (0) {
        nn_call(dense2_b_gradient, WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        nn_call(dense2_b_update, batch, dense2_b, WHOLE(d_dense2_b));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(dense1_b_gradient, WHOLE(d_dense1_b), WHOLE(d_dense1_b_partial));
        nn_call(dense1_w_update, batch, dense1_w, dense1_w_changes, WHOLE(d_dense1_z), NOW(input),
                NOW(input_nonzero));
        nn_call(dense1_b_update, batch, dense1_b, WHOLE(d_dense1_b));
    }
    nn_barrier();
}

// The forward pass alone, as the trained network is used.
static void infer(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        input_infer(batch, first, rows, BLOCK(infer_input));
        dense1_infer(rows, BLOCK(infer_dense1), BLOCK(infer_input), dense1_w, dense1_b);
        dense2_infer(rows, BLOCK(infer_dense2_z), BLOCK(infer_dense1), dense2_w, dense2_b);
        dense2_softmax(rows, BLOCK(infer_dense2), BLOCK(infer_dense2_z));
        output_predict(rows, BLOCK(infer_predicted), BLOCK(infer_dense2));
        if (batch->labels)
            loss_forward(batch, first, rows, BLOCK(infer_loss), BLOCK(infer_dense2_z));
    }
    nn_barrier();

    if (batch->labels)
        loss_total(batch, result, WHOLE(infer_loss), WHOLE(infer_predicted));
    nn_barrier();
}

// Runs training's forward pass again, and names the first layer whose output is not finite.
static const char *first_nonfinite(const NnBatch *batch)
{
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        if (!nn_finite_f32(NOW(input), STEPS * 784L))
            return "input";
        if (!nn_finite_f32(BLOCK(dense1_sums), STEPS * 64L))
            return "dense1";
        dense1_forward(batch, rows, BLOCK(dense1), BLOCK(dense1_sums), BLOCK(input_overlaps),
                       dense1_w_changes, dense1_b);
        if (!nn_finite_f32(BLOCK(dense1), rows * 50L))
            return "dense1";
        dense2_nonzero(rows, BLOCK(dense1_nonzero), BLOCK(dense1));
        dense2_forward(rows, BLOCK(dense2_z), BLOCK(dense1), dense2_w, BLOCK(dense1_nonzero),
                       dense2_b);
        if (!nn_finite_f32(BLOCK(dense2_z), rows * 10L))
            return "dense2";
        dense2_softmax(rows, BLOCK(dense2), BLOCK(dense2_z));
        if (!nn_finite_f32(BLOCK(dense2), rows * 10L))
            return "dense2";
        loss_forward(batch, first, rows, BLOCK(loss), BLOCK(dense2_z));
        if (!nn_finite_f32(BLOCK(loss), rows))
            return "loss";
    }
    return NULL;
}

// --- what the runtime is told --------------------------------------------------------------------

static const NnLayer layers[] = {
    {"dense1", "dense 50 relu", "50", 39250, 39200},
    {"dense2", "dense 10 softmax", "10", 510, 500},
};

static const NnTensor tensors[] = {
    {"dense1_w", NN_WEIGHT, {784, 50}, dense1_w, NULL, NN_UNIFORM, 0.084818893,
     {784, 32, 0, 48, 0}},
    {"dense1_b", NN_WEIGHT, {50}, dense1_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w", NN_WEIGHT, {50, 10}, dense2_w, NULL, NN_UNIFORM, 0.316227766, {0}},
    {"dense2_b", NN_WEIGHT, {10}, dense2_b, NULL, NN_CONSTANT, 0, {0}},
};

// Of each call its operations in a matrix product, for each picture; other ones, for each picture
// and for each step; bytes read and written, likewise.
static const NnCall calls[] = {
    [CALL_input_forward] = {"input_forward", "input", NN_FORWARD, 0, 784, 0, 3920, 0},
    [CALL_dense1_nonzero] = {"dense1_nonzero", "dense1", NN_FORWARD, 0, 218, 0, 3136, 6960},
    [CALL_dense1_overlaps] = {"dense1_overlaps", "dense1", NN_FORWARD, 0, 5488, 0, 3136, 256},
    [CALL_dense1_ahead] = {"dense1_ahead", "dense1", NN_FORWARD, 78400, 0, 156800, 6472, 330720},
    [CALL_dense1_forward] = {"dense1_forward", "dense1", NN_FORWARD, 0, 900, 0, 400, 3656},
    [CALL_dense2_nonzero] = {"dense2_nonzero", "dense2", NN_FORWARD, 0, 51, 0, 404, 0},
    [CALL_dense2_forward] = {"dense2_forward", "dense2", NN_FORWARD, 1000, 10, 0, 444, 2040},
    [CALL_dense2_softmax] = {"dense2_softmax", "dense2", NN_FORWARD, 0, 40, 0, 80, 0},
    [CALL_output_predict] = {"output_predict", "output", NN_FORWARD, 0, 10, 0, 44, 0},
    [CALL_loss_forward] = {"loss_forward", "loss", NN_FORWARD, 0, 40, 0, 44, 0},
    [CALL_loss_backward] = {"loss_backward", "loss", NN_BACKWARD, 0, 20, 0, 80, 0},
    [CALL_dense2_b_partial] = {"dense2_b_partial", "dense2", NN_BACKWARD, 0, 10, 0, 40, 40},
    [CALL_dense2_b_gradient] = {"dense2_b_gradient", "dense2", NN_BACKWARD, 0, 0, 10, 0, 80},
    [CALL_dense2_backward] = {"dense2_backward", "dense2", NN_BACKWARD, 1000, 2050, 0, 644, 4000},
    [CALL_dense1_b_partial] = {"dense1_b_partial", "dense1", NN_BACKWARD, 0, 50, 0, 200, 200},
    [CALL_dense1_b_gradient] = {"dense1_b_gradient", "dense1", NN_BACKWARD, 0, 0, 50, 0, 400},
    [CALL_dense1_w_update] = {"dense1_w_update", "dense1", NN_UPDATE, 0, 0, 50, 200, 3200},
    [CALL_dense1_b_update] = {"dense1_b_update", "dense1", NN_UPDATE, 0, 0, 100, 0, 600},
    [CALL_dense2_b_update] = {"dense2_b_update", "dense2", NN_UPDATE, 0, 0, 20, 0, 120},
};

const NnModel nn_model = {
    .name = "online",
    .source =
        "# online, compiled by netc --target x86-64-v4\012"
        "#\012"
        "# One picture at a time: stochastic gradient descent as it was before there were "
        "batches.\012"
        "data mnist\012"
        "input 28x28x1\012"
        "dense 50 relu\012"
        "dense 10 softmax\012"
        "\012"
        "loss      cross_entropy\012"
        "optimizer sgd lr 0.01\012"
        "batch     1\012"
        "epochs    5\012",
    .fingerprint = "b2ffc9f4f587927c",
    .type = NN_F32, .vector_bytes = NN_VECTOR_BYTES,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "mnist", .format = NN_IDX,
    .byte_scale = 0.00392156862745098, .number_scale = 1,
    .ahead = STEPS,
    .batch = BATCH, .blocks = BLOCKS, .epochs = 5, .seed = 1, .rate = 0.01,
    .loss = "cross_entropy", .optimizer = "sgd",
    .threads = 1,
    .layers = layers, .layer_count = 2,
    .tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,
    .parameters = 39760,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 163136, .optimizer_bytes = 0,
    .operations_forward = 80385, .operations_backward = 3190, .operations_update = 156920,
    .train_step = train_step, .profiled = NN_PROFILED,
    .calls = calls, .call_count = sizeof calls / sizeof *calls,
    .infer = infer,
    .output = WHOLE(infer_dense2), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
