// lenet: a network compiled by netc into the C that trains it.
//
//   layer            statement                          output         parameters
//   input            input 28x28x1                      28x28x1
//   conv1            conv 6 5x5 relu pad same           28x28x6        156
//   pool1            pool 2x2                           14x14x6        0
//   conv2            conv 16 5x5 relu                   10x10x16       2416
//   pool2            pool 2x2                           5x5x16         0
//   dense1           dense 120 relu                     120            48120
//   dense2           dense 84 relu                      84             10164
//   dense3           dense 10 softmax                   10             850
//                                                                      61706
//
// In the functions of a layer x is what it reads and y what it makes, w and b are weights, i is a
// row of the batch, and dx is the gradient of the mean loss by x. Above each stands its formula.
//
// Contents, each part behind a line of dashes:
//   sizes                         how a batch is cut into blocks of rows
//   tensors that outlive a step   weights, and what the optimizer remembers of them
//   the arena                     where every other value of a step lies
//   matrix products               tiles for the processor, and a function for each shape
//   input, ... dense3             each layer: forward, backward, update
//   loss                          the loss, its gradient, and the answer
//   the whole network             train_step and infer, which call the functions above
//   what the runtime is told      tables of layers and tensors, and the model

#include <math.h>   // sqrt, pow
#include <string.h> // memcpy, memset

#include "nn.h" // the team of threads, random numbers, exp and log in vectors

// --- sizes ---------------------------------------------------------------------------------------

// A batch is worked on in blocks of rows; the last batch of an epoch may be smaller.
enum { BATCH = 100, ROWS = 25, BLOCKS = 4 };

// How many rows the block that starts at row `first` has in this batch.
static int rows_from(int first, const NnBatch *batch)
{
    const int rows = batch->rows - first;
    return rows < 0 ? 0 : nn_min(rows, ROWS);
}

// --- tensors that outlive a step -----------------------------------------------------------------

// weights, which training changes, and what they are at first
static _Alignas(64) float conv1_w[5][5][1][6]; // uniform within sqrt(6 / (25 + 150)) (glorot)
static _Alignas(64) float conv1_b[6]; // zeros
static _Alignas(64) float conv2_w[5][5][6][16]; // uniform within sqrt(6 / (150 + 400)) (glorot)
static _Alignas(64) float conv2_b[16]; // zeros
// 400x120 in panels of 400x32, 400x24
static _Alignas(64) float dense1_w[48000]; // uniform within sqrt(6 / (400 + 120)) (glorot)
static _Alignas(64) float dense1_b[120]; // zeros
// 120x84 in panels of 120x32, 120x48, 4 columns of 120
static _Alignas(64) float dense2_w[10080]; // uniform within sqrt(6 / (120 + 84)) (glorot)
static _Alignas(64) float dense2_b[84]; // zeros
static _Alignas(64) float dense3_w[84][10]; // uniform within sqrt(6 / (84 + 10)) (glorot)
static _Alignas(64) float dense3_b[10]; // zeros

// what the optimizer remembers
static _Alignas(64) float conv1_w_m[5][5][1][6];
static _Alignas(64) float conv1_w_v[5][5][1][6];
static _Alignas(64) float conv1_b_m[6];
static _Alignas(64) float conv1_b_v[6];
static _Alignas(64) float conv2_w_m[5][5][6][16];
static _Alignas(64) float conv2_w_v[5][5][6][16];
static _Alignas(64) float conv2_b_m[16];
static _Alignas(64) float conv2_b_v[16];
// 400x120 in panels of 400x32, 400x24
static _Alignas(64) float dense1_w_m[48000];
// 400x120 in panels of 400x32, 400x24
static _Alignas(64) float dense1_w_v[48000];
static _Alignas(64) float dense1_b_m[120];
static _Alignas(64) float dense1_b_v[120];
// 120x84 in panels of 120x32, 120x48, 4 columns of 120
static _Alignas(64) float dense2_w_m[10080];
// 120x84 in panels of 120x32, 120x48, 4 columns of 120
static _Alignas(64) float dense2_w_v[10080];
static _Alignas(64) float dense2_b_m[84];
static _Alignas(64) float dense2_b_v[84];
static _Alignas(64) float dense3_w_m[84][10];
static _Alignas(64) float dense3_w_v[84][10];
static _Alignas(64) float dense3_b_m[10];
static _Alignas(64) float dense3_b_v[10];

// weights as products read them: in panels, exchanged, windows turned round or transformed
static _Alignas(64) float dense3_w_turned[10][84];
// 84x120 in panels of 84x32, 84x24
static _Alignas(64) float dense2_w_turned[10080];
// 120x400 in panels of 120x32, 120x48
static _Alignas(64) float dense1_w_turned[48000];
static _Alignas(64) float conv2_w_turned[16][150];

// --- the arena -----------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 4139264,
    // of a training step: 4139264 bytes, 6881024 if nothing were shared
    AT_input =                 865664, EACH_input =               944064, // [ROWS][28][28][1]
    AT_conv1 =                      0, EACH_conv1 =               944064, // [ROWS][28][28][6]
    AT_pool1 =                 630400, EACH_pool1 =               944064, // [ROWS][14][14][6]
    AT_conv2 =                 470400, EACH_conv2 =               944064, // [ROWS][10][10][16]
    AT_pool2 =                3776256, EACH_pool2 =                40000, // [ROWS][5][5][16]
    AT_dense1 =               3993856, EACH_dense1 =               12000, // [ROWS][120]
    AT_dense2 =                748032, EACH_dense2 =              944064, // [ROWS][84]
    AT_dense3_z =              756480, EACH_dense3_z =            944064, // [ROWS][10]
    AT_dense3 =                757504, EACH_dense3 =              944064, // [ROWS][10]
    AT_predicted =            4137792, EACH_predicted =              100, // [ROWS]
    AT_loss =                 4138240, EACH_loss =                   100, // [ROWS]
    AT_d_dense3_z =            756480, EACH_d_dense3_z =          944064, // [ROWS][10]
    AT_d_dense3_b_partial =   4138944, EACH_d_dense3_b_partial =      40, // [10]
    AT_d_dense3_b =             14528,                                    // [10]
    AT_d_dense2_z =           4041856, EACH_d_dense2_z =            9600, // [ROWS][96]
    AT_d_dense3_w_partial =   4118656, EACH_d_dense3_w_partial =    3360, // [84][10]
    AT_d_dense3_w =              9600,                                    // [84][10]
    AT_d_dense2_b_partial =   4136448, EACH_d_dense2_b_partial =     336, // [84]
    AT_d_dense2_b =             14144,                                    // [84]
    AT_d_dense1_z =           3936256, EACH_d_dense1_z =           14400, // [ROWS][144]
    AT_d_dense1_b_partial =   4134528, EACH_d_dense1_b_partial =     480, // [120]
    AT_d_dense1_b =             13632,                                    // [120]
    AT_d_pool2 =               748032, EACH_d_pool2 =             944064, // [ROWS][5][5][16]
    AT_d_conv2_z =             470400, EACH_d_conv2_z =           944064, // [ROWS][10][10][16]
    AT_d_conv2_b_partial =    4138688, EACH_d_conv2_b_partial =       64, // [16]
    AT_d_conv2_b =              14592,                                    // [16]
    AT_d_conv2_w_partial =    4080256, EACH_d_conv2_w_partial =     9600, // [5][5][6][16]
    AT_d_conv2_w =                  0,                                    // [5][5][6][16]
    AT_d_pool1 =               748032, EACH_d_pool1 =             944064, // [ROWS][14][14][6]
    AT_d_conv1_z =                  0, EACH_d_conv1_z =           944064, // [ROWS][28][28][6]
    AT_d_conv1_b_partial =    4139136, EACH_d_conv1_b_partial =       24, // [6]
    AT_d_conv1_b =              14656,                                    // [6]
    AT_d_conv1_w_partial =    4132096, EACH_d_conv1_w_partial =      600, // [5][5][1][6]
    AT_d_conv1_w =              12992,                                    // [5][5][1][6]
    // of inference: 2357056 bytes
    AT_infer_input =           470400, EACH_infer_input =         588032, // [ROWS][28][28][1]
    AT_infer_conv1 =                0, EACH_infer_conv1 =         588032, // [ROWS][28][28][6]
    AT_infer_pool1 =           470400, EACH_infer_pool1 =         588032, // [ROWS][14][14][6]
    AT_infer_conv2 =                0, EACH_infer_conv2 =         588032, // [ROWS][10][10][16]
    AT_infer_pool2 =           160000, EACH_infer_pool2 =         588032, // [ROWS][5][5][16]
    AT_infer_dense1 =               0, EACH_infer_dense1 =        588032, // [ROWS][120]
    AT_infer_dense2 =           12032, EACH_infer_dense2 =        588032, // [ROWS][84]
    AT_infer_dense3_z =             0, EACH_infer_dense3_z =      588032, // [ROWS][10]
    AT_infer_dense3 =         2352128, EACH_infer_dense3 =          1000, // [ROWS][10]
    AT_infer_predicted =      2356160, EACH_infer_predicted =        100, // [ROWS]
    AT_infer_loss =           2356608, EACH_infer_loss =             100, // [ROWS]
};
static _Alignas(64) unsigned char arena[ARENA_BYTES];
#define BLOCK(value) ((void *)(arena + AT_##value + (size_t)block * EACH_##value))
#define WHOLE(value) ((void *)(arena + AT_##value))

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

STRIP(strip_13_12x32, 13, 12, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_12x24of32, 13, 12, INLINED, 2, Vector16, 8, 16)
STRIP(strip_9_7x48, 9, 7, INLINED, 3, Vector16, 0, 16)
STRIP(strip_13_11x32, 13, 11, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_11x24of32, 13, 11, INLINED, 2, Vector16, 8, 16)
STRIP(strip_10_4x32, 10, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_8_6x48, 8, 6, CALLED, 3, Vector16, 0, 16)
STRIP(strip_4_1x16, 4, 1, CALLED, 1, Vector16, 0, 16)
STRIP(strip_4_1x14of16, 4, 1, CALLED, 1, Vector16, 2, 16)
STRIP(strip_4_1x1, 4, 1, CALLED, 1, float, 0, 16)
STRIP(strip_13_12x8, 13, 12, INLINED, 1, Vector8, 0, 16)
STRIP(strip_13_12x2, 13, 12, INLINED, 1, Vector2, 0, 16)
STRIP(strip_13_12x20of32, 13, 12, INLINED, 2, Vector16, 12, 16)
STRIP(strip_14_4x8, 14, 4, CALLED, 1, Vector8, 0, 16)
STRIP(strip_14_4x2, 14, 4, CALLED, 1, Vector2, 0, 16)

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

DOTS(dots_4x4, 4, 4)

// Asks for the memory of numbers that are about to be changed, so that other threads give up their
// copies. Inlined always: gcc 12 drops calls without another effect.
static INLINED void claim(const float *from, int count)
{
    for (int i = 0; i < count; i += 64 / (int)sizeof(float))
        __builtin_prefetch(from + i, 1);
}

// c[rows][120] = a[rows][400] b[400][120], with b in panels
static void panels_400x120(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 96; j += 32)
        strip_13_12x32(rows, 400, a, 400, 1, b + j * 400, 32, c + j, 120, false);
    strip_13_12x24of32(rows, 400, a, 400, 1, b + 96 * 400 - 8, 24, c + 88, 120, false);
}

// c[rows][400] = a[rows][120] b[120][400], with b in panels, where rows of a are 144 numbers apart
static void panels_120of144x400(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 352; j += 32)
        strip_13_12x32(rows, 120, a, 144, 1, b + j * 120, 32, c + j, 400, false);
    strip_9_7x48(rows, 120, a, 144, 1, b + 352 * 120, 48, c + 352, 400, false);
}

// c = rows from..to of the 400x120 sums a[terms][400]' b[terms][120], where rows of b are 144
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_400x120of144(int from, int to, int terms, const void *left,
                                      const void *right, void *result, int high, int row,
                                      const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 400 + from;
        const float *const b = (const float *)right + (size_t)at * 144;
        float *const c = result;
        for (int j = 0; j < 96; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 400 + from * 32, (to - from) * 32);
            strip_13_11x32(to - from, some, a, 1, 400, b + j, 144, c + j * high + row * 32, 32,
                           add || at > 0);
        }
        if (change && at == 0)
            claim((const float *)change + 96 * 400 + from * 24, (to - from) * 24);
        strip_13_11x24of32(to - from, some, a, 1, 400, b + 88, 144, c + 96 * high + row * 24 - 8,
                           24, add || at > 0);
    }
}

// c[rows][84] = a[rows][120] b[120][84], with b in panels
static void panels_120x84(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x32(rows, 120, a, 120, 1, b, 32, c, 84, false);
    strip_9_7x48(rows, 120, a, 120, 1, b + 32 * 120, 48, c + 32, 84, false);
    dots_4x4(rows, 120, a, 120, b + 80 * 120, 120, c + 80, 84, false);
}

// c[rows][120] = a[rows][84] b[84][120], with b in panels, where rows of a are 96 and of c 144
// numbers apart
static void panels_84of96x120of144(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 96; j += 32)
        strip_13_12x32(rows, 84, a, 96, 1, b + j * 84, 32, c + j, 144, false);
    strip_13_12x24of32(rows, 84, a, 96, 1, b + 96 * 84 - 8, 24, c + 88, 144, false);
}

// c = rows from..to of the 120x84 sums a[terms][120]' b[terms][84], where rows of b are 96 numbers
// apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_120x84of96(int from, int to, int terms, const void *left,
                                    const void *right, void *result, int high, int row,
                                    const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 120 + from;
        const float *const b = (const float *)right + (size_t)at * 96;
        float *const c = result;
        if (change && at == 0)
            claim((const float *)change + from * 32, (to - from) * 32);
        strip_10_4x32(to - from, some, a, 1, 120, b, 96, c + row * 32, 32, add || at > 0);
        if (change && at == 0)
            claim((const float *)change + 32 * 120 + from * 48, (to - from) * 48);
        strip_8_6x48(to - from, some, a, 1, 120, b + 32, 96, c + 32 * high + row * 48, 48,
                     add || at > 0);
        if (change && at == 0)
            for (int j = 80; j < 84; j++)
                claim((const float *)change + j * 120 + from, to - from);
        float *const d = c + 80 * high + row; // a column after the other
        int i = 0;
        for (; i + 30 <= to - from; i += 30) {
            strip_4_1x16(4, some, b + 80, 1, 96, a + i, 120, d + i, high, add || at > 0);
            strip_4_1x14of16(4, some, b + 80, 1, 96, a + i + 14, 120, d + i + 14, high,
                             add || at > 0);
        }
        for (; i < to - from; i++)
            strip_4_1x1(4, some, b + 80, 1, 96, a + i, 120, d + i, high, add || at > 0);
    }
}

// c[rows][10] = a[rows][84] b[84][10]
static void product_84x10(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x8(rows, 84, a, 84, 1, b, 10, c, 10, false);
    strip_13_12x2(rows, 84, a, 84, 1, b + 8, 10, c + 8, 10, false);
}

// c[rows][84] = a[rows][10] b[10][84], where rows of c are 96 numbers apart
static void product_10x84of96(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 64; j += 32)
        strip_13_12x32(rows, 10, a, 10, 1, b + j, 84, c + j, 96, false);
    strip_13_12x20of32(rows, 10, a, 10, 1, b + 52, 84, c + 52, 96, false);
}

// c = rows from..to of the 84x10 sums a[terms][84]' b[terms][10], or c + those. So many terms at a
// time that what the tiles read again stays in the first cache.
static void outer_84x10(int from, int to, int terms, const void *left, const void *right,
                        void *result, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 84 + from;
        const float *const b = (const float *)right + (size_t)at * 10;
        float *const c = result;
        strip_14_4x8(to - from, some, a, 1, 84, b, 10, c, 10, add || at > 0);
        strip_14_4x2(to - from, some, a, 1, 84, b + 8, 10, c + 8, 10, add || at > 0);
    }
}

// A tile over windows, in vector registers: c[i] = the sum over r < runs and p < terms of
// a[i][r][p] b[r][p], or that added to c. a[i][r][p] lies at a[i / LINE * al + i % LINE * ai + r *
// ar + p * ap], b[r][p] at b[r * br + p * bp], rows of c are ci apart and WIDTH wide. The memory
// is asked for a row of b AHEAD rows before it is needed, or not at all where that is 0.
#define WINDOW(name, ROW_COUNT, LINE, VECTORS, Vector, WIDTH, AHEAD)                      \
    static INLINED void name(                                                             \
        int runs, int terms, const float *a, long ai, long al, long ar, long ap,          \
        const float *b, long br, long bp, float *c, long ci, bool add)                    \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float) };                                  \
        Vector sum[ROW_COUNT][VECTORS] = {0};                                             \
        if (add)                                                                          \
            UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                  \
                UNROLLED for (int j = 0; j < VECTORS; j++) {                              \
                    Vector part = {0};                                                    \
                    memcpy(&part, c + i * ci + j * LANES, WIDTH / VECTORS * sizeof(float));\
                    sum[i][j] = part;                                                     \
                }                                                                         \
        for (int r = 0; r < runs; r++)                                                    \
            for (int p = 0; p < terms; p++) {                                             \
                const float *const from = a + r * ar + p * ap;                            \
                const uintptr_t next =                                                    \
                    (uintptr_t)(b + r * br) + (p + AHEAD) * bp * sizeof(float);           \
                Vector row[VECTORS];                                                      \
                UNROLLED for (int j = 0; j < VECTORS; j++) {                              \
                    memcpy(&row[j], b + r * br + p * bp + j * LANES, sizeof(Vector));     \
                    if (AHEAD)                                                            \
                        __builtin_prefetch((void *)(next + j * sizeof(Vector)));          \
                }                                                                         \
                FORGET;                                                                   \
                UNROLLED for (int i = 0; i < ROW_COUNT; i++)                              \
                    UNROLLED for (int j = 0; j < VECTORS; j++)                            \
                        sum[i][j] += from[i / LINE * al + i % LINE * ai] * row[j];        \
            }                                                                             \
        UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                      \
            UNROLLED for (int j = 0; j < VECTORS; j++) {                                  \
                Vector part = sum[i][j];                                                  \
                if (WIDTH < VECTORS * LANES)                                              \
                    IN_MEMORY(part);                                                      \
                memcpy(c + i * ci + j * LANES, &part, WIDTH / VECTORS * sizeof(float));   \
            }                                                                             \
    }

WINDOW(window_10x32_near, 10, 10, 2, Vector16, 32, 0)
WINDOW(window_3x10x16_near, 30, 10, 1, Vector16, 16, 0)
WINDOW(window_10x16_near, 10, 10, 1, Vector16, 16, 0)
WINDOW(window_30x16_near, 30, 30, 1, Vector16, 16, 0)

NN_WEAVE(weave_6, 6, float, int32_t, Vector16)
NN_UNWEAVE(unweave_6, 6, float, int32_t, Vector16)

// A tile of some lines, or of pieces of them, of a convolution whose vectors go along lines: y[i]
// = the sum over c < channels, r < RUNS and p < taps of x[i * STRIDE + r][c][p] w[r][p][c], where
// x[l][c] is a line of one channel at x + (l * channels + c) * xc. What is loaded of it serves all
// lines of y that meet it, and their channels. The last vector has LAST pixels.
#define PLANE(name, LINES, STRIDE, RUNS, VECTORS, OUTPUTS, LAST, Vector, weave)           \
    static INLINED void name(                                                             \
        int channels, int taps, const float *x, long xc, const float *w, float *y, long yl)\
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float) };                                  \
        Vector sum[LINES][VECTORS][OUTPUTS] = {0};                                        \
        for (int c = 0; c < channels; c++)                                                \
            UNROLLED for (int l = 0; l < (LINES - 1) * STRIDE + RUNS; l++)                \
                for (int p = 0; p < taps; p++) {                                          \
                    const float *const from = x + (l * channels + c) * xc + p;            \
                    Vector at[VECTORS];                                                   \
                    UNROLLED for (int j = 0; j < VECTORS; j++)                            \
                        memcpy(&at[j], from + j * LANES, sizeof(Vector));                 \
                    FORGET;                                                               \
                    UNROLLED for (int i = 0; i < LINES; i++) {                            \
                        const int r = l - i * STRIDE;                                     \
                        if (r < 0 || r >= RUNS)                                           \
                            continue;                                                     \
                        const float *const weight =                                       \
                            w + ((r * taps + p) * channels + c) * OUTPUTS;                \
                        UNROLLED for (int o = 0; o < OUTPUTS; o++)                        \
                            UNROLLED for (int j = 0; j < VECTORS; j++)                    \
                                sum[i][j][o] += at[j] * weight[o];                        \
                    }                                                                     \
                }                                                                         \
        UNROLLED for (int i = 0; i < LINES; i++)                                          \
            UNROLLED for (int j = 0; j < VECTORS; j++)                                    \
                weave(sum[i][j], j < VECTORS - 1 ? LANES : LAST,                          \
                      y + i * yl + j * LANES * OUTPUTS);                                  \
    }

// The weights' gradient of such a convolution, a vector for each weight, which the lanes are still
// to be added of: dw[o][p] += the sum over lines of x[.][p] dy[.][o].
#define PLANE_WEIGHTS(name, OUTPUTS, TAPS, Vector)                                        \
    static INLINED void name(                                                             \
        int lines, int vectors, const float *x, long xl, const float *dy, long yl, long yo,\
        float *dw, long wo)                                                               \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float) };                                  \
        Vector sum[OUTPUTS][TAPS];                                                        \
        UNROLLED for (int o = 0; o < OUTPUTS; o++)                                        \
            UNROLLED for (int p = 0; p < TAPS; p++)                                       \
                memcpy(&sum[o][p], dw + o * wo + p * LANES, sizeof(Vector));              \
        for (int i = 0; i < lines; i++)                                                   \
            for (int j = 0; j < vectors; j++) {                                           \
                Vector gradient[OUTPUTS];                                                 \
                UNROLLED for (int o = 0; o < OUTPUTS; o++)                                \
                    memcpy(&gradient[o], dy + i * yl + o * yo + j * LANES, sizeof(Vector));\
                UNROLLED for (int p = 0; p < TAPS; p++) {                                 \
                    Vector at;                                                            \
                    memcpy(&at, x + i * xl + j * LANES + p, sizeof(Vector));              \
                    FORGET;                                                               \
                    UNROLLED for (int o = 0; o < OUTPUTS; o++)                            \
                        sum[o][p] += at * gradient[o];                                    \
                }                                                                         \
            }                                                                             \
        UNROLLED for (int o = 0; o < OUTPUTS; o++)                                        \
            UNROLLED for (int p = 0; p < TAPS; p++)                                       \
                memcpy(dw + o * wo + p * LANES, &sum[o][p], sizeof(Vector));              \
    }

PLANE(plane_1x2x6_of_5_last_12, 1, 1, 5, 2, 6, 12, Vector16, weave_6)
PLANE_WEIGHTS(plane_weights_3x5, 3, 5, Vector16)

// y[28][28][6] = 5x5 windows of planes of x times w[5][5][1][6]
static void convolve_planes_28x28_5x5x1x6(const float *x, const float *w, float *y)
{
    for (int line = 0; line < 28; line++) {
        plane_1x2x6_of_5_last_12(1, 5, x + line * 48, 48, w, y + line * 168, 168);
    }
}

// dw[6][5][1][5][16] += x dy[28][28][6], a vector for each weight, for 5x5 windows of planes of x
static void convolve_planes_weights_28x28_5x5x1x6(const float *x, const float *dy, float *dw)
{
    _Alignas(64) float planes[28][6][32]; // of dy, channel by channel
    for (int r = 0; r < 28; r++) {
        unweave_6(dy + r * 168, 16, planes[r][0], 32);
        unweave_6(dy + r * 168 + 96, 12, planes[r][0] + 16, 32);
    }
    for (int k = 0; k < 5; k++) {
        for (int o = 0; o < 6; o += 3) {
            plane_weights_3x5(28, 2, x + k * 48, 48, planes[0][o], 192, 32, dw + k * 80 + o * 400,
                              400);
        }
    }
}

// y[10][10][16] = 5x5 windows of x[.][14][6] times w[5][5][6][16]
static void convolve_10x10_5x5x6x16(const float *x, const float *w, float *y)
{
    for (int line = 0; line < 9; line += 3)
        window_3x10x16_near(5, 30, x + line * 84, 6, 84, 84, 1, w, 480, 16, y + line * 160, 16,
                            false);
    window_10x16_near(5, 30, x + 9 * 84, 6, 84, 84, 1, w, 480, 16, y + 9 * 160, 16, false);
}

// dw[5][5][6][16] += the sum of x dy[10][10][16], for 5x5 windows of x[.][14][6]
static void convolve_weights_10x10_5x5x6x16(const float *x, const float *dy, float *dw)
{
    for (int line = 0; line < 5; line++)
        window_30x16_near(10, 10, x + line * 84, 1, 84, 84, 6, dy, 160, 16, dw + line * 480, 16,
                          true);
}

// --- input: input 28x28x1 ------------------------------------------------------------------------

// x = scale pictures
static void input_forward(const NnBatch *batch, int first, int rows,
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

// --- conv1: conv 6 5x5 relu pad same   28x28x1 -> 28x28x6 ----------------------------------------

// y = x * w, a sum over each window
// then y = x + b
// then y = x < 0 ? 0 : x
static void conv1_forward(int rows, float y[restrict ROWS][28][28][6],
                          const float x[ROWS][28][28][1], const float w[5][5][1][6],
                          const float b[6])
{
    _Alignas(64) float planes[32][1][48] = {0}; // of x, line by line
    for (int i = 0; i < rows; i++) {
        for (int r = 2; r < 30; r++) {
            const int from = r - 2;
            memcpy(planes[r][0] + 2, x[i][from], sizeof(float[28]));
        }
        convolve_planes_28x28_5x5x1x6(planes[0][0], w[0][0][0], y[i][0][0]);
        for (int row = 0; row < 28; row++)
            for (int col = 0; col < 28; col++)
                for (int c = 0; c < 6; c++) {
                    float v = y[i][row][col][c];
                    v += b[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void conv1_b_partial(int rows, float db[restrict 6], const float dy[ROWS][784][6])
{
    memset(db, 0, sizeof(float[6]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 784; p++)
            for (int c = 0; c < 6; c++)
                db[c] += dy[i][p][c];
}

// sum = sum of the blocks' partial sums, first to last
static void conv1_b_gradient(float sum[restrict 6], const float partial[BLOCKS][6])
{
    for (int j = 0; j < 6; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 6; j++)
            sum[j] += partial[block][j];
}

// forward: y = x * w, a sum over each window
// dw = sum of x dy over the block's pixels
static void conv1_w_partial(int rows, float dw[restrict 5][5][1][6], const float x[ROWS][28][28][1],
                            const float dy[ROWS][28][28][6])
{
    _Alignas(64) float planes[32][1][48] = {0}; // of x, line by line
    _Alignas(64) float lanes[6][5][1][5][16] = {0}; // of dw, to be added
    for (int i = 0; i < rows; i++) {
        for (int r = 2; r < 30; r++) {
            const int from = r - 2;
            memcpy(planes[r][0] + 2, x[i][from], sizeof(float[28]));
        }
        convolve_planes_weights_28x28_5x5x1x6(planes[0][0], dy[i][0][0], lanes[0][0][0][0]);
    }
    for (int r = 0; r < 5; r++)
        for (int s = 0; s < 5; s++)
            for (int o = 0; o < 6; o++) {
                float sum = 0;
                for (int l = 0; l < 16; l++)
                    sum += lanes[o][r][0][s][l];
                dw[r][s][0][o] = sum;
            }
}

// sum = sum of the blocks' partial sums, first to last
static void conv1_w_gradient(float sum[restrict 25][6], const float partial[BLOCKS][25][6])
{
    for (int i = 0; i < 25; i++) {
        for (int j = 0; j < 6; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 6; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv1_w_update(const NnBatch *batch, float w[restrict 25][6], const float g[25][6],
                           float m[restrict 25][6], float v[restrict 25][6])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int i = 0; i < 25; i++)
        for (int j = 0; j < 6; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (sqrtf(v[i][j]) + 1e-7f);
        }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv1_b_update(const NnBatch *batch, float w[restrict 6], const float g[6],
                           float m[restrict 6], float v[restrict 6])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 6; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (sqrtf(v[j]) + 1e-7f);
    }
}

// --- pool1: pool 2x2   28x28x6 -> 14x14x6 --------------------------------------------------------

// y = the largest x of each window
static void pool1_forward(int rows, float y[restrict ROWS][14][14][6],
                          const float x[ROWS][28][28][6])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++) {
                {
                    enum { c = 0 };
                    Vector4 largest;
                    memcpy(&largest, &x[i][row * 2][col * 2][c], sizeof largest);
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            Vector4 v;
                            memcpy(&v, &x[i][row * 2 + r][col * 2 + s][c], sizeof v);
                            largest = NN_CHOOSE((v > largest) | (v != v), v, largest); // NaN stays
                        }
                    memcpy(&y[i][row][col][c], &largest, sizeof largest);
                }
                {
                    enum { c = 4 };
                    Vector2 largest;
                    memcpy(&largest, &x[i][row * 2][col * 2][c], sizeof largest);
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            Vector2 v;
                            memcpy(&v, &x[i][row * 2 + r][col * 2 + s][c], sizeof v);
                            largest = NN_CHOOSE((v > largest) | (v != v), v, largest); // NaN stays
                        }
                    memcpy(&y[i][row][col][c], &largest, sizeof largest);
                }
            }
    }
}

// forward: y = the largest x of each window
// dx = dy where x was the first largest of its window
// forward: y = x < 0 ? 0 : x (conv1)
// dx = y > 0 ? dy : 0
// dx takes the place of x
static void pool1_backward(int rows, float dx[restrict ROWS][28][28][6],
                           const float dy[ROWS][14][14][6], const float y[ROWS][14][14][6])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++) {
                {
                    enum { c = 0 };
                    // dy goes to the first that is the largest
                    Vector4 left;
                    memcpy(&left, &dy[i][row][col][c], sizeof left);
                    Vector4 largest;
                    memcpy(&largest, &y[i][row][col][c], sizeof largest);
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            Vector4 at;
                            memcpy(&at, &dx[i][row * 2 + r][col * 2 + s][c], sizeof at);
                            Vector4 v = NN_CHOOSE(at == largest, left, (Vector4){0});
                            left -= v;
                            v = NN_CHOOSE(at > 0, v, (Vector4){0});
                            memcpy(&dx[i][row * 2 + r][col * 2 + s][c], &v, sizeof v);
                        }
                }
                {
                    enum { c = 4 };
                    // dy goes to the first that is the largest
                    Vector2 left;
                    memcpy(&left, &dy[i][row][col][c], sizeof left);
                    Vector2 largest;
                    memcpy(&largest, &y[i][row][col][c], sizeof largest);
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            Vector2 at;
                            memcpy(&at, &dx[i][row * 2 + r][col * 2 + s][c], sizeof at);
                            Vector2 v = NN_CHOOSE(at == largest, left, (Vector2){0});
                            left -= v;
                            v = NN_CHOOSE(at > 0, v, (Vector2){0});
                            memcpy(&dx[i][row * 2 + r][col * 2 + s][c], &v, sizeof v);
                        }
                }
            }
    }
}

// --- conv2: conv 16 5x5 relu   14x14x6 -> 10x10x16 -----------------------------------------------

// y = x * w, a sum over each window
// then y = x + b
// then y = x < 0 ? 0 : x
static void conv2_forward(int rows, float y[restrict ROWS][10][10][16],
                          const float x[ROWS][14][14][6], const float w[5][5][6][16],
                          const float b[16])
{
    for (int i = 0; i < rows; i++) {
        convolve_10x10_5x5x6x16(x[i][0][0], w[0][0][0], y[i][0][0]);
        for (int row = 0; row < 10; row++)
            for (int col = 0; col < 10; col++)
                for (int c = 0; c < 16; c++) {
                    float v = y[i][row][col][c];
                    v += b[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void conv2_b_partial(int rows, float db[restrict 16], const float dy[ROWS][100][16])
{
    memset(db, 0, sizeof(float[16]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 100; p++)
            for (int c = 0; c < 16; c++)
                db[c] += dy[i][p][c];
}

// sum = sum of the blocks' partial sums, first to last
static void conv2_b_gradient(float sum[restrict 16], const float partial[BLOCKS][16])
{
    for (int j = 0; j < 16; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 16; j++)
            sum[j] += partial[block][j];
}

// forward: y = x * w, a sum over each window
// dw = sum of x dy over the block's pixels
static void conv2_w_partial(int rows, float dw[restrict 5][5][6][16],
                            const float x[ROWS][14][14][6], const float dy[ROWS][10][10][16])
{
    memset(dw, 0, sizeof(float[5][5][6][16]));
    for (int i = 0; i < rows; i++) {
        convolve_weights_10x10_5x5x6x16(x[i][0][0], dy[i][0][0], dw[0][0][0]);
    }
}

// sum = sum of the blocks' partial sums, first to last
static void conv2_w_gradient(float sum[restrict 150][16], const float partial[BLOCKS][150][16])
{
    for (int i = 0; i < 150; i++) {
        for (int j = 0; j < 16; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 16; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// forward: y = x * w, a sum over each window
// dx = dy * w turned round
static void conv2_backward(int rows, float dx[restrict ROWS][14][14][6],
                           const float dy[ROWS][10][10][16], const float turned[16][150])
{
    _Alignas(64) float spans[14][19][32] = {0};
    _Alignas(64) float packed[5][16][32] = {0}; // as whole vectors
    for (int r = 0; r < 5; r++)
        for (int c = 0; c < 16; c++)
            memcpy(packed[r][c], turned[c] + r * 30, 30 * sizeof(float));
    for (int i = 0; i < rows; i++) {
        for (int r = 0; r < 14; r++) {
            const int at = r, tap = nn_max(0, at - 9);
            const int count = nn_min(5, at + 1) - tap, from = at - tap;
            window_10x32_near(count, 16, dy[i][from][0], 16, 0, -160, 1, packed[tap][0], 512, 32,
                              spans[r][4], 32, false);
        }
        for (int r = 0; r < 14; r++)
            for (int col = 0; col < 14; col++) {
                {
                    Vector8 sum = {0};
                    UNROLLED for (int s = 0; s < 5; s++) {
                        Vector8 v;
                        memcpy(&v, &spans[r][col - s + 4][s * 6], sizeof v);
                        sum += v;
                    }
                    memcpy(&dx[i][r][col][0], &sum, 6 * sizeof(float));
                }
            }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv2_w_update(const NnBatch *batch, float w[restrict 150][16], const float g[150][16],
                           float m[restrict 150][16], float v[restrict 150][16])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int i = 0; i < 150; i++)
        for (int j = 0; j < 16; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (sqrtf(v[i][j]) + 1e-7f);
        }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv2_b_update(const NnBatch *batch, float w[restrict 16], const float g[16],
                           float m[restrict 16], float v[restrict 16])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 16; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (sqrtf(v[j]) + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void conv2_w_turn(float turned[restrict 16][150], const float w[150][16])
{
    nn_turn_float(150, 16, w[0], 16, &turned[0][0], 150);
}

// --- pool2: pool 2x2   10x10x16 -> 5x5x16 --------------------------------------------------------

// y = the largest x of each window
static void pool2_forward(int rows, float y[restrict ROWS][5][5][16],
                          const float x[ROWS][10][10][16])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 5; row++)
            for (int col = 0; col < 5; col++) {
                {
                    enum { c = 0 };
                    Vector16 largest;
                    memcpy(&largest, &x[i][row * 2][col * 2][c], sizeof largest);
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            Vector16 v;
                            memcpy(&v, &x[i][row * 2 + r][col * 2 + s][c], sizeof v);
                            largest = NN_CHOOSE((v > largest) | (v != v), v, largest); // NaN stays
                        }
                    memcpy(&y[i][row][col][c], &largest, sizeof largest);
                }
            }
    }
}

// forward: y = the largest x of each window
// dx = dy where x was the first largest of its window
// forward: y = x < 0 ? 0 : x (conv2)
// dx = y > 0 ? dy : 0
// dx takes the place of x
static void pool2_backward(int rows, float dx[restrict ROWS][10][10][16],
                           const float dy[ROWS][5][5][16], const float y[ROWS][5][5][16])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 5; row++)
            for (int col = 0; col < 5; col++) {
                {
                    enum { c = 0 };
                    // dy goes to the first that is the largest
                    Vector16 left;
                    memcpy(&left, &dy[i][row][col][c], sizeof left);
                    Vector16 largest;
                    memcpy(&largest, &y[i][row][col][c], sizeof largest);
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            Vector16 at;
                            memcpy(&at, &dx[i][row * 2 + r][col * 2 + s][c], sizeof at);
                            Vector16 v = NN_CHOOSE(at == largest, left, (Vector16){0});
                            left -= v;
                            v = NN_CHOOSE(at > 0, v, (Vector16){0});
                            memcpy(&dx[i][row * 2 + r][col * 2 + s][c], &v, sizeof v);
                        }
                }
            }
    }
}

// --- dense1: dense 120 relu   5x5x16 -> 120 ------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_forward(int rows, float y[restrict ROWS][120], const float x[ROWS][400],
                           const float w[48000], const float b[120])
{
    panels_400x120(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 120; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense1_b_partial(int rows, float db[restrict 120], const float dy[ROWS][144])
{
    memset(db, 0, sizeof(float[120]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 120; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense1_b_gradient(float sum[restrict 120], const float partial[BLOCKS][120])
{
    for (int j = 0; j < 120; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 120; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
static void dense1_backward(int rows, float dx[restrict ROWS][5][5][16], const float dy[ROWS][144],
                            const float turned[48000])
{
    panels_120of144x400(rows, dy, turned, dx);
}

// forward: y = x w
// dw = x' dy
static void dense1_w_gradient(const NnBatch *batch, int part, float dw[restrict 6000],
                              const float x[BATCH][400], const float dy[BATCH][144],
                              const float w[48000])
{
    const int from = part * 50, to = nn_min(from + 50, 400);
    outer_panels_400x120of144(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense1_w_update(const NnBatch *batch, int part, float w[restrict 48000],
                            const float g[6000], float m[restrict 48000], float v[restrict 48000])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 50, to = nn_min(from + 50, 400);
    for (int j = 0, wide; j < 120; j += wide) {
        wide = j < 96 ? 32 : 24;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 400 + from * wide + i;
            m[at] += 0.1f * (g[j * (to - from) + i] - m[at]);
            v[at] += 0.001f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * m[at] / (nn_rootf(v[at]) + 1e-7f);
        }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense1_b_update(const NnBatch *batch, float w[restrict 120], const float g[120],
                            float m[restrict 120], float v[restrict 120])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 120; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (nn_rootf(v[j]) + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense1_w_turn(int part, float turned[restrict 48000], const float w[48000])
{
    const int from = part * 50, to = nn_min(from + 50, 400);
    for (int k = nn_min(from / 32 * 32, 352), line; k < to; k += line) {
        line = k < 352 ? 32 : 48; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 120; j += wide) {
            wide = j < 96 ? 32 : 24;
            nn_turn_float(high - low, wide, w + j * 400 + low * wide, wide,
                          turned + k * 120 + low - k + j * line, line);
        }
    }
}

// --- dense2: dense 84 relu   120 -> 84 -----------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense2_forward(int rows, float y[restrict ROWS][84], const float x[ROWS][120],
                           const float w[10080], const float b[84])
{
    panels_120x84(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 84; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense2_b_partial(int rows, float db[restrict 84], const float dy[ROWS][96])
{
    memset(db, 0, sizeof(float[84]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 84; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense2_b_gradient(float sum[restrict 84], const float partial[BLOCKS][84])
{
    for (int j = 0; j < 84; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 84; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense1)
// dx = y > 0 ? dy : 0
static void dense2_backward(int rows, float dx[restrict ROWS][144], const float dy[ROWS][96],
                            const float turned[10080], const float y[ROWS][120])
{
    panels_84of96x120of144(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 120; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy
static void dense2_w_gradient(const NnBatch *batch, int part, float dw[restrict 2520],
                              const float x[BATCH][120], const float dy[BATCH][96],
                              const float w[10080])
{
    const int from = part * 30, to = nn_min(from + 30, 120);
    outer_panels_120x84of96(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense2_w_update(const NnBatch *batch, int part, float w[restrict 10080],
                            const float g[2520], float m[restrict 10080], float v[restrict 10080])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 30, to = nn_min(from + 30, 120);
    for (int j = 0, wide; j < 84; j += wide) {
        wide = j < 32 ? 32 : j < 80 ? 48 : 1;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 120 + from * wide + i;
            m[at] += 0.1f * (g[j * (to - from) + i] - m[at]);
            v[at] += 0.001f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * m[at] / (nn_rootf(v[at]) + 1e-7f);
        }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense2_b_update(const NnBatch *batch, float w[restrict 84], const float g[84],
                            float m[restrict 84], float v[restrict 84])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 84; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (nn_rootf(v[j]) + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense2_w_turn(int part, float turned[restrict 10080], const float w[10080])
{
    const int from = part * 30, to = nn_min(from + 30, 120);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = k < 96 ? 32 : 24; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 84; j += wide) {
            wide = j < 32 ? 32 : j < 80 ? 48 : 1;
            nn_turn_float(high - low, wide, w + j * 120 + low * wide, wide,
                          turned + k * 84 + low - k + j * line, line);
        }
    }
}

// --- dense3: dense 10 softmax   84 -> 10 ---------------------------------------------------------

// y = x w
// then y = x + b
static void dense3_forward(int rows, float y[restrict ROWS][10], const float x[ROWS][84],
                           const float w[84][10], const float b[10])
{
    product_84x10(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 10; j++) {
            float v = y[i][j];
            v += b[j];
            y[i][j] = v;
        }
    }
}

// y = exp(x) / sum exp(x)
static void dense3_softmax(int rows, float y[restrict ROWS][10], const float x[ROWS][10])
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
static void dense3_b_partial(int rows, float db[restrict 10], const float dy[ROWS][10])
{
    memset(db, 0, sizeof(float[10]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 10; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense3_b_gradient(float sum[restrict 10], const float partial[BLOCKS][10])
{
    for (int j = 0; j < 10; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 10; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense2)
// dx = y > 0 ? dy : 0
static void dense3_backward(int rows, float dx[restrict ROWS][96], const float dy[ROWS][10],
                            const float turned[10][84], const float y[ROWS][84])
{
    product_10x84of96(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 84; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy of the block's rows
static void dense3_w_partial(int rows, float dw[restrict 84][10], const float x[ROWS][84],
                             const float dy[ROWS][10])
{
    if (rows == 0) // of a batch that is cut short
        memset(dw, 0, sizeof(float[840]));
    outer_84x10(0, 84, rows, x, dy, dw, false);
}

// sum = sum of the blocks' partial sums, first to last
static void dense3_w_gradient(float sum[restrict 84][10], const float partial[BLOCKS][84][10])
{
    for (int i = 0; i < 84; i++) {
        for (int j = 0; j < 10; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 10; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense3_w_update(const NnBatch *batch, float w[restrict 84][10], const float g[84][10],
                            float m[restrict 84][10], float v[restrict 84][10])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int i = 0; i < 84; i++)
        for (int j = 0; j < 10; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (sqrtf(v[i][j]) + 1e-7f);
        }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense3_b_update(const NnBatch *batch, float w[restrict 10], const float g[10],
                            float m[restrict 10], float v[restrict 10])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 10; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (sqrtf(v[j]) + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense3_w_turn(float turned[restrict 10][84], const float w[84][10])
{
    nn_turn_float(84, 10, w[0], 10, &turned[0][0], 84);
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

// Makes what is kept in two layouts anew: for weights that were set from outside.
static void prepare(void)
{
    dense3_w_turn(dense3_w_turned, dense3_w);
    for (int part = 0; part < 4; part++)
        dense2_w_turn(part, dense2_w_turned, dense2_w);
    for (int part = 0; part < 8; part++)
        dense1_w_turn(part, dense1_w_turned, dense1_w);
    conv2_w_turn(conv2_w_turned, (void *)conv2_w);
}

// nn_call(f, x) is f(x). Where batch->timed, it also adds the time that it took to row CALL_f of
// the table `calls`, which the command `bench` prints.
enum {
    CALL_input_forward,
    CALL_conv1_forward, CALL_conv1_b_partial, CALL_conv1_b_gradient, CALL_conv1_w_partial,
    CALL_conv1_w_gradient, CALL_conv1_w_update, CALL_conv1_b_update,
    CALL_pool1_forward, CALL_pool1_backward,
    CALL_conv2_forward, CALL_conv2_b_partial, CALL_conv2_b_gradient, CALL_conv2_w_partial,
    CALL_conv2_w_gradient, CALL_conv2_backward, CALL_conv2_w_update, CALL_conv2_b_update,
    CALL_conv2_w_turn,
    CALL_pool2_forward, CALL_pool2_backward,
    CALL_dense1_forward, CALL_dense1_b_partial, CALL_dense1_b_gradient, CALL_dense1_backward,
    CALL_dense1_w_gradient, CALL_dense1_w_update, CALL_dense1_b_update, CALL_dense1_w_turn,
    CALL_dense2_forward, CALL_dense2_b_partial, CALL_dense2_b_gradient, CALL_dense2_backward,
    CALL_dense2_w_gradient, CALL_dense2_w_update, CALL_dense2_b_update, CALL_dense2_w_turn,
    CALL_dense3_forward, CALL_dense3_softmax, CALL_dense3_b_partial, CALL_dense3_b_gradient,
    CALL_dense3_backward, CALL_dense3_w_partial, CALL_dense3_w_gradient, CALL_dense3_w_update,
    CALL_dense3_b_update, CALL_dense3_w_turn,
    CALL_output_predict,
    CALL_loss_forward, CALL_loss_backward,
};

// One step of training: forward, backward and update.
static void train_step(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(input_forward, batch, first, rows, BLOCK(input));
        nn_call(conv1_forward, rows, BLOCK(conv1), BLOCK(input), conv1_w, conv1_b);
        nn_call(pool1_forward, rows, BLOCK(pool1), BLOCK(conv1));
        nn_call(conv2_forward, rows, BLOCK(conv2), BLOCK(pool1), conv2_w, conv2_b);
        nn_call(pool2_forward, rows, BLOCK(pool2), BLOCK(conv2));
        nn_call(dense1_forward, rows, BLOCK(dense1), BLOCK(pool2), dense1_w, dense1_b);
        nn_call(dense2_forward, rows, BLOCK(dense2), BLOCK(dense1), dense2_w, dense2_b);
        nn_call(dense3_forward, rows, BLOCK(dense3_z), BLOCK(dense2), dense3_w, dense3_b);
        nn_call(dense3_softmax, rows, BLOCK(dense3), BLOCK(dense3_z));
        nn_call(output_predict, rows, BLOCK(predicted), BLOCK(dense3));
        nn_call(loss_forward, batch, first, rows, BLOCK(loss), BLOCK(dense3_z));
        nn_call(loss_backward, batch, first, rows, BLOCK(d_dense3_z), BLOCK(dense3));
        nn_call(dense3_b_partial, rows, BLOCK(d_dense3_b_partial), BLOCK(d_dense3_z));
        nn_call(dense3_backward, rows, BLOCK(d_dense2_z), BLOCK(d_dense3_z), dense3_w_turned,
                BLOCK(dense2));
        nn_call(dense3_w_partial, rows, BLOCK(d_dense3_w_partial), BLOCK(dense2),
                BLOCK(d_dense3_z));
        nn_call(dense2_b_partial, rows, BLOCK(d_dense2_b_partial), BLOCK(d_dense2_z));
        nn_call(dense2_backward, rows, BLOCK(d_dense1_z), BLOCK(d_dense2_z), dense2_w_turned,
                BLOCK(dense1));
        nn_call(dense1_b_partial, rows, BLOCK(d_dense1_b_partial), BLOCK(d_dense1_z));
        nn_call(dense1_backward, rows, BLOCK(d_pool2), BLOCK(d_dense1_z), dense1_w_turned);
        nn_call(pool2_backward, rows, BLOCK(d_conv2_z), BLOCK(d_pool2), BLOCK(pool2));
        nn_call(conv2_b_partial, rows, BLOCK(d_conv2_b_partial), BLOCK(d_conv2_z));
        nn_call(conv2_w_partial, rows, BLOCK(d_conv2_w_partial), BLOCK(pool1), BLOCK(d_conv2_z));
        nn_call(conv2_backward, rows, BLOCK(d_pool1), BLOCK(d_conv2_z), conv2_w_turned);
        nn_call(pool1_backward, rows, BLOCK(d_conv1_z), BLOCK(d_pool1), BLOCK(pool1));
        nn_call(conv1_b_partial, rows, BLOCK(d_conv1_b_partial), BLOCK(d_conv1_z));
        nn_call(conv1_w_partial, rows, BLOCK(d_conv1_w_partial), BLOCK(input), BLOCK(d_conv1_z));
    }
    nn_barrier();

    if (!loss_total(batch, result, WHOLE(loss), WHOLE(predicted))) {
        nn_barrier();
        return; // not finite: no weight is changed
    }
    nn_each (part, 4) {
        _Alignas(64) float d_dense2_w[2520]; // of this part
        nn_call(dense2_w_gradient, batch, part, d_dense2_w, WHOLE(dense1), WHOLE(d_dense2_z),
                dense2_w);
        nn_call(dense2_w_update, batch, part, dense2_w, d_dense2_w, dense2_w_m, dense2_w_v);
        nn_call(dense2_w_turn, part, dense2_w_turned, dense2_w);
    }
    nn_each (part, 8) {
        _Alignas(64) float d_dense1_w[6000]; // of this part
        nn_call(dense1_w_gradient, batch, part, d_dense1_w, WHOLE(pool2), WHOLE(d_dense1_z),
                dense1_w);
        nn_call(dense1_w_update, batch, part, dense1_w, d_dense1_w, dense1_w_m, dense1_w_v);
        nn_call(dense1_w_turn, part, dense1_w_turned, dense1_w);
    }
    nn_single (0) {
        nn_call(dense3_b_gradient, WHOLE(d_dense3_b), WHOLE(d_dense3_b_partial));
        nn_call(dense3_w_gradient, WHOLE(d_dense3_w), WHOLE(d_dense3_w_partial));
        nn_call(dense3_w_update, batch, dense3_w, WHOLE(d_dense3_w), dense3_w_m, dense3_w_v);
        nn_call(dense3_b_update, batch, dense3_b, WHOLE(d_dense3_b), dense3_b_m, dense3_b_v);
        nn_call(dense3_w_turn, dense3_w_turned, dense3_w);
    }
    nn_single (1) {
        nn_call(dense2_b_gradient, WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        nn_call(dense2_b_update, batch, dense2_b, WHOLE(d_dense2_b), dense2_b_m, dense2_b_v);
    }
    nn_single (2) {
        nn_call(dense1_b_gradient, WHOLE(d_dense1_b), WHOLE(d_dense1_b_partial));
        nn_call(dense1_b_update, batch, dense1_b, WHOLE(d_dense1_b), dense1_b_m, dense1_b_v);
    }
    nn_single (3) {
        nn_call(conv2_b_gradient, WHOLE(d_conv2_b), WHOLE(d_conv2_b_partial));
        nn_call(conv2_w_gradient, WHOLE(d_conv2_w), WHOLE(d_conv2_w_partial));
        nn_call(conv2_w_update, batch, (void *)conv2_w, WHOLE(d_conv2_w), (void *)conv2_w_m,
                (void *)conv2_w_v);
        nn_call(conv2_b_update, batch, conv2_b, WHOLE(d_conv2_b), conv2_b_m, conv2_b_v);
        nn_call(conv2_w_turn, conv2_w_turned, (void *)conv2_w);
    }
    nn_single (4) {
        nn_call(conv1_b_gradient, WHOLE(d_conv1_b), WHOLE(d_conv1_b_partial));
        nn_call(conv1_w_gradient, WHOLE(d_conv1_w), WHOLE(d_conv1_w_partial));
        nn_call(conv1_w_update, batch, (void *)conv1_w, WHOLE(d_conv1_w), (void *)conv1_w_m,
                (void *)conv1_w_v);
        nn_call(conv1_b_update, batch, conv1_b, WHOLE(d_conv1_b), conv1_b_m, conv1_b_v);
    }
    nn_barrier();
}

// The forward pass alone, as the trained network is used.
static void infer(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        input_forward(batch, first, rows, BLOCK(infer_input));
        conv1_forward(rows, BLOCK(infer_conv1), BLOCK(infer_input), conv1_w, conv1_b);
        pool1_forward(rows, BLOCK(infer_pool1), BLOCK(infer_conv1));
        conv2_forward(rows, BLOCK(infer_conv2), BLOCK(infer_pool1), conv2_w, conv2_b);
        pool2_forward(rows, BLOCK(infer_pool2), BLOCK(infer_conv2));
        dense1_forward(rows, BLOCK(infer_dense1), BLOCK(infer_pool2), dense1_w, dense1_b);
        dense2_forward(rows, BLOCK(infer_dense2), BLOCK(infer_dense1), dense2_w, dense2_b);
        dense3_forward(rows, BLOCK(infer_dense3_z), BLOCK(infer_dense2), dense3_w, dense3_b);
        dense3_softmax(rows, BLOCK(infer_dense3), BLOCK(infer_dense3_z));
        output_predict(rows, BLOCK(infer_predicted), BLOCK(infer_dense3));
        if (batch->labels)
            loss_forward(batch, first, rows, BLOCK(infer_loss), BLOCK(infer_dense3_z));
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
        input_forward(batch, first, rows, BLOCK(input));
        if (!nn_finite_f32(BLOCK(input), rows * 784L))
            return "input";
        conv1_forward(rows, BLOCK(conv1), BLOCK(input), conv1_w, conv1_b);
        if (!nn_finite_f32(BLOCK(conv1), rows * 4704L))
            return "conv1";
        pool1_forward(rows, BLOCK(pool1), BLOCK(conv1));
        if (!nn_finite_f32(BLOCK(pool1), rows * 1176L))
            return "pool1";
        conv2_forward(rows, BLOCK(conv2), BLOCK(pool1), conv2_w, conv2_b);
        if (!nn_finite_f32(BLOCK(conv2), rows * 1600L))
            return "conv2";
        pool2_forward(rows, BLOCK(pool2), BLOCK(conv2));
        if (!nn_finite_f32(BLOCK(pool2), rows * 400L))
            return "pool2";
        dense1_forward(rows, BLOCK(dense1), BLOCK(pool2), dense1_w, dense1_b);
        if (!nn_finite_f32(BLOCK(dense1), rows * 120L))
            return "dense1";
        dense2_forward(rows, BLOCK(dense2), BLOCK(dense1), dense2_w, dense2_b);
        if (!nn_finite_f32(BLOCK(dense2), rows * 84L))
            return "dense2";
        dense3_forward(rows, BLOCK(dense3_z), BLOCK(dense2), dense3_w, dense3_b);
        if (!nn_finite_f32(BLOCK(dense3_z), rows * 10L))
            return "dense3";
        dense3_softmax(rows, BLOCK(dense3), BLOCK(dense3_z));
        if (!nn_finite_f32(BLOCK(dense3), rows * 10L))
            return "dense3";
        loss_forward(batch, first, rows, BLOCK(loss), BLOCK(dense3_z));
        if (!nn_finite_f32(BLOCK(loss), rows))
            return "loss";
    }
    return NULL;
}

// --- what the runtime is told --------------------------------------------------------------------

static const NnLayer layers[] = {
    {"conv1", "conv 6 5x5 relu pad same", "28x28x6", 156, 117600},
    {"pool1", "pool 2x2", "14x14x6", 0, 0},
    {"conv2", "conv 16 5x5 relu", "10x10x16", 2416, 240000},
    {"pool2", "pool 2x2", "5x5x16", 0, 0},
    {"dense1", "dense 120 relu", "120", 48120, 48000},
    {"dense2", "dense 84 relu", "84", 10164, 10080},
    {"dense3", "dense 10 softmax", "10", 850, 840},
};

static const NnTensor tensors[] = {
    {"conv1_w", NN_WEIGHT, {5, 5, 1, 6}, conv1_w, NULL, NN_UNIFORM, 0.18516402, {0}},
    {"conv1_b", NN_WEIGHT, {6}, conv1_b, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w", NN_WEIGHT, {5, 5, 6, 16}, conv2_w, NULL, NN_UNIFORM, 0.104446594, {0}},
    {"conv2_b", NN_WEIGHT, {16}, conv2_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w", NN_WEIGHT, {400, 120}, dense1_w, NULL, NN_UNIFORM, 0.107417231,
     {400, 32, 96, 120, 0}},
    {"dense1_b", NN_WEIGHT, {120}, dense1_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w", NN_WEIGHT, {120, 84}, dense2_w, NULL, NN_UNIFORM, 0.171498585,
     {120, 32, 32, 80, 0}},
    {"dense2_b", NN_WEIGHT, {84}, dense2_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_w", NN_WEIGHT, {84, 10}, dense3_w, NULL, NN_UNIFORM, 0.252645576, {0}},
    {"dense3_b", NN_WEIGHT, {10}, dense3_b, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_w_m", NN_OPTIMIZER, {5, 5, 1, 6}, conv1_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_w_v", NN_OPTIMIZER, {5, 5, 1, 6}, conv1_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_b_m", NN_OPTIMIZER, {6}, conv1_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_b_v", NN_OPTIMIZER, {6}, conv1_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w_m", NN_OPTIMIZER, {5, 5, 6, 16}, conv2_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w_v", NN_OPTIMIZER, {5, 5, 6, 16}, conv2_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_b_m", NN_OPTIMIZER, {16}, conv2_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_b_v", NN_OPTIMIZER, {16}, conv2_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w_m", NN_OPTIMIZER, {400, 120}, dense1_w_m, NULL, NN_CONSTANT, 0,
     {400, 32, 96, 120, 0}},
    {"dense1_w_v", NN_OPTIMIZER, {400, 120}, dense1_w_v, NULL, NN_CONSTANT, 0,
     {400, 32, 96, 120, 0}},
    {"dense1_b_m", NN_OPTIMIZER, {120}, dense1_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_b_v", NN_OPTIMIZER, {120}, dense1_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_m", NN_OPTIMIZER, {120, 84}, dense2_w_m, NULL, NN_CONSTANT, 0, {120, 32, 32, 80, 0}},
    {"dense2_w_v", NN_OPTIMIZER, {120, 84}, dense2_w_v, NULL, NN_CONSTANT, 0, {120, 32, 32, 80, 0}},
    {"dense2_b_m", NN_OPTIMIZER, {84}, dense2_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_b_v", NN_OPTIMIZER, {84}, dense2_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_w_m", NN_OPTIMIZER, {84, 10}, dense3_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_w_v", NN_OPTIMIZER, {84, 10}, dense3_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_b_m", NN_OPTIMIZER, {10}, dense3_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_b_v", NN_OPTIMIZER, {10}, dense3_b_v, NULL, NN_CONSTANT, 0, {0}},
};

// Of each call its operations in a matrix product, for each picture; other ones, for each picture
// and for each step; bytes read and written, likewise.
static const NnCall calls[] = {
    [CALL_input_forward] = {"input_forward", "input", NN_FORWARD, 0, 784, 0, 3920, 0},
    [CALL_conv1_forward] = {"conv1_forward", "conv1", NN_FORWARD, 235200, 9408, 0, 21952, 2496},
    [CALL_pool1_forward] = {"pool1_forward", "pool1", NN_FORWARD, 0, 4704, 0, 23520, 0},
    [CALL_conv2_forward] = {"conv2_forward", "conv2", NN_FORWARD, 480000, 3200, 0, 11104, 38656},
    [CALL_pool2_forward] = {"pool2_forward", "pool2", NN_FORWARD, 0, 1600, 0, 8000, 0},
    [CALL_dense1_forward] = {"dense1_forward", "dense1", NN_FORWARD, 96000, 240, 0, 2080, 769920},
    [CALL_dense2_forward] = {"dense2_forward", "dense2", NN_FORWARD, 20160, 168, 0, 816, 162624},
    [CALL_dense3_forward] = {"dense3_forward", "dense3", NN_FORWARD, 1680, 10, 0, 376, 13600},
    [CALL_dense3_softmax] = {"dense3_softmax", "dense3", NN_FORWARD, 0, 40, 0, 80, 0},
    [CALL_output_predict] = {"output_predict", "output", NN_FORWARD, 0, 10, 0, 44, 0},
    [CALL_loss_forward] = {"loss_forward", "loss", NN_FORWARD, 0, 40, 0, 44, 0},
    [CALL_loss_backward] = {"loss_backward", "loss", NN_BACKWARD, 0, 20, 0, 80, 0},
    [CALL_dense3_b_partial] = {"dense3_b_partial", "dense3", NN_BACKWARD, 0, 10, 0, 40, 160},
    [CALL_dense3_b_gradient] = {"dense3_b_gradient", "dense3", NN_BACKWARD, 0, 0, 10, 0, 200},
    [CALL_dense3_backward] = {"dense3_backward", "dense3", NN_BACKWARD, 1680, 84, 0, 712, 13440},
    [CALL_dense3_w_partial] = {"dense3_w_partial", "dense3", NN_BACKWARD, 1680, 0, 0, 376, 13440},
    [CALL_dense3_w_gradient] = {"dense3_w_gradient", "dense3", NN_BACKWARD, 0, 0, 840, 0, 16800},
    [CALL_dense2_b_partial] = {"dense2_b_partial", "dense2", NN_BACKWARD, 0, 84, 0, 336, 1344},
    [CALL_dense2_b_gradient] = {"dense2_b_gradient", "dense2", NN_BACKWARD, 0, 0, 84, 0, 1680},
    [CALL_dense2_backward] = {"dense2_backward", "dense2", NN_BACKWARD, 20160, 120, 0, 1296,
                              161280},
    [CALL_dense2_w_gradient] = {"dense2_w_gradient", "dense2", NN_BACKWARD, 20160, 0, 0, 816,
                                40320},
    [CALL_dense1_b_partial] = {"dense1_b_partial", "dense1", NN_BACKWARD, 0, 120, 0, 480, 1920},
    [CALL_dense1_b_gradient] = {"dense1_b_gradient", "dense1", NN_BACKWARD, 0, 0, 120, 0, 2400},
    [CALL_dense1_backward] = {"dense1_backward", "dense1", NN_BACKWARD, 96000, 0, 0, 2080, 768000},
    [CALL_dense1_w_gradient] = {"dense1_w_gradient", "dense1", NN_BACKWARD, 96000, 0, 0, 2080,
                                192000},
    [CALL_pool2_backward] = {"pool2_backward", "pool2", NN_BACKWARD, 0, 6400, 0, 16000, 0},
    [CALL_conv2_b_partial] = {"conv2_b_partial", "conv2", NN_BACKWARD, 0, 1600, 0, 6400, 256},
    [CALL_conv2_b_gradient] = {"conv2_b_gradient", "conv2", NN_BACKWARD, 0, 0, 16, 0, 320},
    [CALL_conv2_w_partial] = {"conv2_w_partial", "conv2", NN_BACKWARD, 480000, 0, 0, 11104, 38400},
    [CALL_conv2_w_gradient] = {"conv2_w_gradient", "conv2", NN_BACKWARD, 0, 0, 2400, 0, 48000},
    [CALL_conv2_backward] = {"conv2_backward", "conv2", NN_BACKWARD, 480000, 0, 0, 11104, 38400},
    [CALL_pool1_backward] = {"pool1_backward", "pool1", NN_BACKWARD, 0, 18816, 0, 47040, 0},
    [CALL_conv1_b_partial] = {"conv1_b_partial", "conv1", NN_BACKWARD, 0, 4704, 0, 18816, 96},
    [CALL_conv1_b_gradient] = {"conv1_b_gradient", "conv1", NN_BACKWARD, 0, 0, 6, 0, 120},
    [CALL_conv1_w_partial] = {"conv1_w_partial", "conv1", NN_BACKWARD, 235200, 0, 0, 21952, 2400},
    [CALL_conv1_w_gradient] = {"conv1_w_gradient", "conv1", NN_BACKWARD, 0, 0, 150, 0, 3000},
    [CALL_conv1_w_update] = {"conv1_w_update", "conv1", NN_UPDATE, 0, 0, 1500, 0, 4200},
    [CALL_conv1_b_update] = {"conv1_b_update", "conv1", NN_UPDATE, 0, 0, 60, 0, 168},
    [CALL_conv2_w_update] = {"conv2_w_update", "conv2", NN_UPDATE, 0, 0, 24000, 0, 67200},
    [CALL_conv2_b_update] = {"conv2_b_update", "conv2", NN_UPDATE, 0, 0, 160, 0, 448},
    [CALL_dense1_w_update] = {"dense1_w_update", "dense1", NN_UPDATE, 0, 0, 480000, 0, 1344000},
    [CALL_dense1_b_update] = {"dense1_b_update", "dense1", NN_UPDATE, 0, 0, 1200, 0, 3360},
    [CALL_dense2_w_update] = {"dense2_w_update", "dense2", NN_UPDATE, 0, 0, 100800, 0, 282240},
    [CALL_dense2_b_update] = {"dense2_b_update", "dense2", NN_UPDATE, 0, 0, 840, 0, 2352},
    [CALL_dense3_w_update] = {"dense3_w_update", "dense3", NN_UPDATE, 0, 0, 8400, 0, 23520},
    [CALL_dense3_b_update] = {"dense3_b_update", "dense3", NN_UPDATE, 0, 0, 100, 0, 280},
    [CALL_dense3_w_turn] = {"dense3_w_turn", "dense3", NN_UPDATE, 0, 0, 0, 0, 6720},
    [CALL_dense2_w_turn] = {"dense2_w_turn", "dense2", NN_UPDATE, 0, 0, 0, 0, 80640},
    [CALL_dense1_w_turn] = {"dense1_w_turn", "dense1", NN_UPDATE, 0, 0, 0, 0, 384000},
    [CALL_conv2_w_turn] = {"conv2_w_turn", "conv2", NN_UPDATE, 0, 0, 0, 0, 19200},
};

const NnModel nn_model = {
    .name = "lenet",
    .source =
        "# lenet, compiled by netc --target x86-64-v4\012"
        "#\012"
        "# LeNet-5 of LeCun, Bottou, Bengio and Haffner (1998) as it is taught today: relu for "
        "tanh, the\012"
        "# largest of four pixels for their mean, softmax for distances.\012"
        "data mnist\012"
        "input 28x28x1\012"
        "conv 6 5x5 relu pad same\012"
        "pool 2\012"
        "conv 16 5x5 relu\012"
        "pool 2\012"
        "dense 120 relu\012"
        "dense 84 relu\012"
        "dense 10 softmax\012"
        "\012"
        "loss      cross_entropy\012"
        "optimizer adam lr 0.001\012"
        "batch     100\012"
        "epochs    10\012",
    .fingerprint = "7831ec000bb9bfec",
    .type = NN_F32, .vector_bytes = NN_VECTOR_BYTES,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "mnist", .format = NN_IDX,
    .byte_scale = 0.00392156862745098, .number_scale = 1,
    .batch = BATCH, .blocks = BLOCKS, .epochs = 10, .seed = 1, .rate = 0.001,
    .loss = "cross_entropy", .optimizer = "adam",
    .threads = 64,
    .layers = layers, .layer_count = 7,
    .tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,
    .parameters = 61706,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 492104, .optimizer_bytes = 493648,
    .operations_forward = 853245, .operations_backward = 1462874, .operations_update = 617060,
    .train_step = train_step, .profiled = NN_PROFILED,
    .calls = calls, .call_count = sizeof calls / sizeof *calls,
    .prepare = prepare,
    .infer = infer,
    .output = WHOLE(infer_dense3), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
