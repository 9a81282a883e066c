// mnist: a network compiled by netc into the C that trains it.
//
//   layer            statement                          output         parameters
//   input            input 28x28x1                      28x28x1
//   conv1            conv 32 3x3 relu pad same          28x28x32       320
//   pool1            pool 2x2                           14x14x32       0
//   conv2            conv 64 3x3 relu pad same          14x14x64       18496
//   pool2            pool 2x2                           7x7x64         0
//   dropout1         dropout 25%                        7x7x64         0
//   dense1           dense 128 relu                     128            401536
//   dropout2         dropout 50%                        128            0
//   dense2           dense 10 softmax                   10             1290
//                                                                      421642
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
enum { BATCH = 100, ROWS = 25, BLOCKS = 4 };

// How many rows the block that starts at row `first` has in this batch.
static int rows_from(int first, const NnBatch *batch)
{
    const int rows = batch->rows - first;
    return rows < 0 ? 0 : nn_min(rows, ROWS);
}

// --- tensors that outlive a step -----------------------------------------------------------------

// weights, which training changes, and what they are at first
static _Alignas(64) float conv1_w[3][3][1][32]; // uniform within sqrt(6 / (9 + 288)) (glorot)
static _Alignas(64) float conv1_b[32]; // zeros
static _Alignas(64) float conv2_w[3][3][32][64]; // uniform within sqrt(6 / (288 + 576)) (glorot)
static _Alignas(64) float conv2_b[64]; // zeros
// 3136x128 in panels of 3136x32
static _Alignas(64) float dense1_w[401408]; // uniform within sqrt(6 / (3136 + 128)) (glorot)
static _Alignas(64) float dense1_b[128]; // zeros
static _Alignas(64) float dense2_w[128][10]; // uniform within sqrt(6 / (128 + 10)) (glorot)
static _Alignas(64) float dense2_b[10]; // zeros

// what the optimizer remembers
static _Alignas(64) float conv1_w_m[3][3][1][32];
static _Alignas(64) float conv1_w_v[3][3][1][32];
static _Alignas(64) float conv1_b_m[32];
static _Alignas(64) float conv1_b_v[32];
static _Alignas(64) float conv2_w_m[3][3][32][64];
static _Alignas(64) float conv2_w_v[3][3][32][64];
static _Alignas(64) float conv2_b_m[64];
static _Alignas(64) float conv2_b_v[64];
// 3136x128 in panels of 3136x32
static _Alignas(64) float dense1_w_m[401408];
// 3136x128 in panels of 3136x32
static _Alignas(64) float dense1_w_v[401408];
static _Alignas(64) float dense1_b_m[128];
static _Alignas(64) float dense1_b_v[128];
static _Alignas(64) float dense2_w_m[128][10];
static _Alignas(64) float dense2_w_v[128][10];
static _Alignas(64) float dense2_b_m[10];
static _Alignas(64) float dense2_b_v[10];

// weights as products read them: in panels, exchanged, windows turned round or transformed
static _Alignas(64) float dense2_w_turned[10][128];
// 128x3136 in panels of 128x32
static _Alignas(64) float dense1_w_turned[401408];
static _Alignas(64) float conv2_w_turned[6][6][64][32];
static _Alignas(64) float conv2_w_transformed[6][6][32][64];

// --- the arena -----------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 22020672,
    // of a training step: 22020672 bytes, 39726528 if nothing were shared
    AT_input =                5017600, EACH_input =              5096000, // [ROWS][28][28][1]
    AT_conv1 =                      0, EACH_conv1 =              5096000, // [ROWS][28][28][32]
    AT_pool1 =                3763200, EACH_pool1 =              5096000, // [ROWS][14][14][32]
    AT_conv2 =                2508800, EACH_conv2 =              5096000, // [ROWS][14][14][64]
    AT_pool2 =                4390400, EACH_pool2 =              5096000, // [ROWS][7][7][64]
    AT_dropout1 =            20384000, EACH_dropout1 =            313600, // [ROWS][7][7][64]
    AT_dropout2 =             4704000, EACH_dropout2 =           5096000, // [ROWS][128]
    AT_dense2_z =             4716800, EACH_dense2_z =           5096000, // [ROWS][10]
    AT_dense2 =               4717824, EACH_dense2 =             5096000, // [ROWS][10]
    AT_predicted =           22019584, EACH_predicted =              100, // [ROWS]
    AT_loss =                22020032, EACH_loss =                   100, // [ROWS]
    AT_d_dense2_z =           4716800, EACH_d_dense2_z =         5096000, // [ROWS][10]
    AT_d_dense2_b_partial =  22020480, EACH_d_dense2_b_partial =      40, // [10]
    AT_d_dense2_b =             80896,                                    // [10]
    AT_d_dense1_z =          21933312, EACH_d_dense1_z =           14400, // [ROWS][144]
    AT_d_dense2_w_partial =  21990912, EACH_d_dense2_w_partial =    5120, // [128][10]
    AT_d_dense2_w =             73728,                                    // [128][10]
    AT_d_dense1_b_partial =  22016000, EACH_d_dense1_b_partial =     512, // [128]
    AT_d_dense1_b =             80000,                                    // [128]
    AT_d_pool2 =              4704000, EACH_d_pool2 =            5096000, // [ROWS][7][7][64]
    AT_d_conv2_z =            2508800, EACH_d_conv2_z =          5096000, // [ROWS][14][14][64]
    AT_d_conv2_b_partial =   22018048, EACH_d_conv2_b_partial =      256, // [64]
    AT_d_conv2_b =              80512,                                    // [64]
    AT_d_conv2_w_partial =   21638400, EACH_d_conv2_w_partial =    73728, // [3][3][32][64]
    AT_d_conv2_w =                  0,                                    // [3][3][32][64]
    AT_d_pool1 =              4390400, EACH_d_pool1 =            5096000, // [ROWS][14][14][32]
    AT_d_conv1_z =                  0, EACH_d_conv1_z =          5096000, // [ROWS][28][28][32]
    AT_d_conv1_b_partial =   22019072, EACH_d_conv1_b_partial =      128, // [32]
    AT_d_conv1_b =              80768,                                    // [32]
    AT_d_conv1_w_partial =   22011392, EACH_d_conv1_w_partial =     1152, // [3][3][1][32]
    AT_d_conv1_w =              78848,                                    // [3][3][1][32]
    // of inference: 12548928 bytes
    AT_infer_input =          2508800, EACH_infer_input =        3136000, // [ROWS][28][28][1]
    AT_infer_conv1 =                0, EACH_infer_conv1 =        3136000, // [ROWS][28][28][32]
    AT_infer_pool1 =          2508800, EACH_infer_pool1 =        3136000, // [ROWS][14][14][32]
    AT_infer_conv2 =                0, EACH_infer_conv2 =        3136000, // [ROWS][14][14][64]
    AT_infer_pool2 =          1254400, EACH_infer_pool2 =        3136000, // [ROWS][7][7][64]
    AT_infer_dense1 =               0, EACH_infer_dense1 =       3136000, // [ROWS][128]
    AT_infer_dense2_z =         12800, EACH_infer_dense2_z =     3136000, // [ROWS][10]
    AT_infer_dense2 =        12544000, EACH_infer_dense2 =          1000, // [ROWS][10]
    AT_infer_predicted =     12548032, EACH_infer_predicted =        100, // [ROWS]
    AT_infer_loss =          12548480, EACH_infer_loss =             100, // [ROWS]
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
STRIP(strip_14_4x32, 14, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_13_12x8, 13, 12, INLINED, 1, Vector8, 0, 16)
STRIP(strip_13_12x2, 13, 12, INLINED, 1, Vector2, 0, 16)
STRIP(strip_13_11x8_near, 13, 11, INLINED, 1, Vector8, 0, 0)
STRIP(strip_13_11x2_near, 13, 11, INLINED, 1, Vector2, 0, 0)

// Asks for the memory of numbers that are about to be changed, so that other threads give up their
// copies. Inlined always: gcc 12 drops calls without another effect.
static INLINED void claim(const float *from, int count)
{
    for (int i = 0; i < count; i += 64 / (int)sizeof(float))
        __builtin_prefetch(from + i, 1);
}

// c[rows][128] = a[rows][3136] b[3136][128], with b in panels
static void panels_3136x128(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 128; j += 32)
        strip_13_12x32(rows, 3136, a, 3136, 1, b + j * 3136, 32, c + j, 128, false);
}

// c[rows][3136] = a[rows][128] b[128][3136], with b in panels, where rows of a are 144 numbers
// apart
static void panels_128of144x3136(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 3136; j += 32)
        strip_13_12x32(rows, 128, a, 144, 1, b + j * 128, 32, c + j, 3136, false);
}

// c = rows from..to of the 3136x128 sums a[terms][3136]' b[terms][128], where rows of b are 144
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_3136x128of144(int from, int to, int terms, const void *left,
                                       const void *right, void *result, int high, int row,
                                       const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 3136 + from;
        const float *const b = (const float *)right + (size_t)at * 144;
        float *const c = result;
        for (int j = 0; j < 128; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 3136 + from * 32, (to - from) * 32);
            strip_14_4x32(to - from, some, a, 1, 3136, b + j, 144, c + j * high + row * 32, 32,
                          add || at > 0);
        }
    }
}

// c[rows][10] = a[rows][128] b[128][10]
static void product_128x10(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x8(rows, 128, a, 128, 1, b, 10, c, 10, false);
    strip_13_12x2(rows, 128, a, 128, 1, b + 8, 10, c + 8, 10, false);
}

// c[rows][128] = a[rows][10] b[10][128], where rows of c are 144 numbers apart
static void product_10x128of144(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 128; j += 32)
        strip_13_12x32(rows, 10, a, 10, 1, b + j, 128, c + j, 144, false);
}

// c = rows from..to of the 128x10 sums a[terms][128]' b[terms][10], or c + those. So many terms at
// a time that what the tiles read again stays in the first cache.
static void outer_128x10(int from, int to, int terms, const void *left, const void *right,
                         void *result, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 128 + from;
        const float *const b = (const float *)right + (size_t)at * 10;
        float *const c = result;
        strip_13_11x8_near(to - from, some, a, 1, 128, b, 10, c, 10, add || at > 0);
        strip_13_11x2_near(to - from, some, a, 1, 128, b + 8, 10, c + 8, 10, add || at > 0);
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

WINDOW(window_14x32_near, 14, 14, 2, Vector16, 32, 0)
WINDOW(window_3x3x32, 9, 3, 2, Vector16, 32, 8)
WINDOW(window_8x32_near, 8, 8, 2, Vector16, 32, 0)

// y[28][28][32] = 3x3 windows of x[.][30][1] times w[3][3][1][32]
static void convolve_28x28_3x3x1x32(const float *x, const float *w, float *y)
{
    for (int line = 0; line < 28; line++) {
        for (int pixel = 0; pixel < 28; pixel += 14)
            window_14x32_near(3, 3, x + line * 30 + pixel, 1, 30, 30, 1, w, 96, 32,
                              y + line * 896 + pixel * 32, 32, false);
    }
}

// dw[3][3][1][32] += the sum of x dy[28][28][32], for 3x3 windows of x[.][30][1]
static void convolve_weights_28x28_3x3x1x32(const float *x, const float *dy, float *dw)
{
    window_3x3x32(28, 28, x, 1, 30, 30, 1, dy, 896, 32, dw, 32, true);
}

// Convolutions by 3x3 windows with fewer products, Winograd's F(2x2, 3x3) and F(4x4, 3x3): the
// pixels d below a square of the result, 4x4 or 6x6, and a window g are transformed, and
// multiplied number by number and added over channels at each of their places; the sums are
// transformed back into the square. That is 16 products for 36, or 36 for 144. See Lavin and Gray,
// Fast algorithms for convolutional neural networks, for A, B and G.
// Behind the matrix of each place is a gap, so that they do not fill the same sets of the cache.
enum { GAP = 16 };
static const float beside[64] = {0}; // pixels beside a picture

// A vector of the numbers from `at` on, wherever they lie.
typedef float Loose __attribute__((vector_size(64), aligned(sizeof(float)), may_alias));
#define NUMBERS(at) (*(Loose *)(at))

// Pictures, and squares of a convolution's result over them: the pixels that a square is made of
// begin `above` lines above it and `left` columns left of it.
typedef struct {
    int lines, columns, channels, above, left;
    int side;       // pixels of a square's
    int high, wide; // squares of a picture
} Squares;

// Where the size x size pixels below a square lie, which is number `number` of those of pictures
// from x on; what lies beside its picture is 0, and all of a square that is not `there`.
static void find_pixels(const float *x, const Squares *s, bool there, int number, int size,
                        const float **at)
{
    const int picture = number / (s->high * s->wide);
    const int line = number / s->wide % s->high * s->side - s->above;
    const int column = number % s->wide * s->side - s->left;
    for (int p = 0; p < size * size; p++) {
        const int r = p / size, c = p % size;
        const bool inside = there && line + r >= 0 && line + r < s->lines && column + c >= 0 &&
                            column + c < s->columns;
        const long pixel = ((long)picture * s->lines + line + r) * s->columns + column + c;
        at[p] = inside ? x + pixel * s->channels : beside;
    }
}

// Columns of the panel that a column of a matrix lies in: 32 of them lie by themselves, row after
// row, and those that are left.
static INLINED int panel_width(int columns, int column)
{
    return nn_min(32, columns - column / 32 * 32);
}

static INLINED long in_panels(int rows, int columns, int row, int column)
{
    const int first = column / 32 * 32;
    return (long)first * rows + (long)row * panel_width(columns, column) + column - first;
}

// The matrices of F(4x4, 3x3) are those of polynomials known by their values at 0, p, -p, q, -q
// and infinity. With 5/8 and 3/2 less is rounded than with 1 and 2, which are usual.
// t = B' d of F(4x4, 3x3)
static INLINED void input_f4(const Vector16 d[6], Vector16 t[6])
{
    const float p = 0.625, q = 1.5, pp = p * p, qq = q * q;
    const Vector16 even_p = d[4] - qq * d[2], odd_p = p * (d[3] - qq * d[1]);
    const Vector16 even_q = d[4] - pp * d[2], odd_q = q * (d[3] - pp * d[1]);
    t[0] = pp * qq * d[0] - (pp + qq) * d[2] + d[4];
    t[1] = even_p + odd_p;
    t[2] = even_p - odd_p;
    t[3] = even_q + odd_q;
    t[4] = even_q - odd_q;
    t[5] = pp * qq * d[1] - (pp + qq) * d[3] + d[5];
}

// y = A' m
static INLINED void output_f4(const Vector16 m[6], Vector16 y[4])
{
    const float p = 0.625, q = 1.5, pp = p * p, qq = q * q;
    const Vector16 even_p = m[1] + m[2], odd_p = p * (m[1] - m[2]);
    const Vector16 even_q = m[3] + m[4], odd_q = q * (m[3] - m[4]);
    y[0] = m[0] + even_p + even_q;
    y[1] = odd_p + odd_q;
    y[2] = pp * even_p + qq * even_q;
    y[3] = pp * odd_p + qq * odd_q + m[5];
}

// z = A y
static INLINED void gradient_f4(const Vector16 y[4], Vector16 z[6])
{
    const float p = 0.625, q = 1.5, pp = p * p, qq = q * q;
    const Vector16 even_p = y[0] + pp * y[2], odd_p = p * (y[1] + pp * y[3]);
    const Vector16 even_q = y[0] + qq * y[2], odd_q = q * (y[1] + qq * y[3]);
    z[0] = y[0];
    z[1] = even_p + odd_p;
    z[2] = even_p - odd_p;
    z[3] = even_q + odd_q;
    z[4] = even_q - odd_q;
    z[5] = y[3];
}

// u = G g
static INLINED void window_f4(const Vector16 g[3], Vector16 u[6])
{
    const float p = 0.625, q = 1.5, pp = p * p, qq = q * q;
    const float of_p = 1 / (2 * pp * (pp - qq)), of_q = 1 / (2 * qq * (qq - pp));
    const Vector16 even_p = g[0] + pp * g[2], odd_p = p * g[1];
    const Vector16 even_q = g[0] + qq * g[2], odd_q = q * g[1];
    u[0] = g[0] / (pp * qq);
    u[1] = (even_p + odd_p) * of_p;
    u[2] = (even_p - odd_p) * of_p;
    u[3] = (even_q + odd_q) * of_q;
    u[4] = (even_q - odd_q) * of_q;
    u[5] = g[2];
}

// g = G' s
static INLINED void sums_f4(const Vector16 s[6], Vector16 g[3])
{
    const float p = 0.625, q = 1.5, pp = p * p, qq = q * q;
    const float of_p = 1 / (2 * pp * (pp - qq)), of_q = 1 / (2 * qq * (qq - pp));
    const Vector16 even_p = (s[1] + s[2]) * of_p, even_q = (s[3] + s[4]) * of_q;
    g[0] = s[0] / (pp * qq) + even_p + even_q;
    g[1] = p * of_p * (s[1] - s[2]) + q * of_q * (s[3] - s[4]);
    g[2] = pp * even_p + qq * even_q + s[5];
}

// u = G g G', g being a window of 3x3 whose taps are `next` numbers apart
static INLINED void transform_window_f4(const float *g, long next, Vector16 u[6][6])
{
    Vector16 t[6][3];
    UNROLLED for (int c = 0; c < 3; c++) {
        Vector16 taps[3], column[6];
        UNROLLED for (int r = 0; r < 3; r++)
            taps[r] = NUMBERS(g + (3 * r + c) * next);
        window_f4(taps, column);
        UNROLLED for (int r = 0; r < 6; r++)
            t[r][c] = column[r];
    }
    UNROLLED for (int r = 0; r < 6; r++)
        window_f4(t[r], u[r]);
}

// v = B' d B for `count` squares from `first` on, d being the 6x6 pixels below one, and 0 for the
// rest of the `all` that v has room for
static void transform_input_f4(const float *x, const Squares *s, int first, int count, int all,
                               float *v)
{
    const long next = (long)all * s->channels + GAP; // place
    const float *at[36], *ahead[36]; // of the next square
    find_pixels(x, s, true, first, 6, ahead);
    for (int i = 0; i < all; i++) {
        memcpy(at, ahead, sizeof at);
        find_pixels(x, s, i + 1 < count, first + i + 1, 6, ahead);
        for (int k = 0; k < s->channels; k += 16) {
            Vector16 t[6][6];
            UNROLLED for (int c = 0; c < 6; c++) {
                Vector16 d[6], column[6];
                UNROLLED for (int r = 0; r < 6; r++) {
                    d[r] = NUMBERS(at[r * 6 + c] + k);
                    __builtin_prefetch(ahead[r * 6 + c] + k);
                }
                input_f4(d, column);
                UNROLLED for (int r = 0; r < 6; r++)
                    t[r][c] = column[r];
            }
            UNROLLED for (int r = 0; r < 6; r++) {
                float *const to = v + r * 6 * next + (long)i * s->channels + k;
                Vector16 row[6];
                input_f4(t[r], row);
                UNROLLED for (int c = 0; c < 6; c++)
                    NUMBERS(to + c * next) = row[c];
            }
        }
    }
}

// y = A' m A, a square of 4x4 pixels, for `count` squares from `first` on
static void transform_output_f4(const float *m, const Squares *s, int first, int count, int all,
                                float *y)
{
    const long next = (long)all * s->channels + GAP; // place
    for (int i = 0; i < count; i++) {
        const int picture = (first + i) / (s->high * s->wide);
        const int line = (first + i) / s->wide % s->high * 4;
        const int column = (first + i) % s->wide * 4;
        const int high = nn_min(4, s->lines - line), wide = nn_min(4, s->columns - column);
        float *const to = y +
                          (((long)picture * s->lines + line) * s->columns + column) * s->channels;
        for (int k = 0; k < s->channels; k += 16) {
            Vector16 t[4][6];
            UNROLLED for (int c = 0; c < 6; c++) {
                const float *const at = m + c * next + (long)i * s->channels + k;
                Vector16 column_of_m[6], sums[4];
                UNROLLED for (int r = 0; r < 6; r++)
                    column_of_m[r] = NUMBERS(at + r * 6 * next);
                output_f4(column_of_m, sums);
                UNROLLED for (int r = 0; r < 4; r++)
                    t[r][c] = sums[r];
            }
            UNROLLED for (int r = 0; r < 4; r++) {
                float *const row = to + (long)r * s->columns * s->channels + k;
                Vector16 pixels[4];
                output_f4(t[r], pixels);
                UNROLLED for (int c = 0; c < 4; c++)
                    if (r < high && c < wide)
                        NUMBERS(row + (long)c * s->channels) = pixels[c];
            }
        }
    }
}

// z = A d A', d being a square of 4x4 pixels of dy, for those that transform_input_f4 takes
static void transform_gradient_f4(const float *dy, const Squares *s, int first, int count, int all,
                                  float *z)
{
    const long next = (long)all * s->channels + GAP; // place
    for (int i = 0; i < all; i++) {
        const float *at[4 * 4];
        find_pixels(dy, s, i < count, first + i, 4, at);
        for (int k = 0; k < s->channels; k += 16) {
            Vector16 t[6][4];
            UNROLLED for (int c = 0; c < 4; c++) {
                Vector16 d[4], column[6];
                UNROLLED for (int r = 0; r < 4; r++)
                    d[r] = NUMBERS(at[r * 4 + c] + k);
                gradient_f4(d, column);
                UNROLLED for (int r = 0; r < 6; r++)
                    t[r][c] = column[r];
            }
            UNROLLED for (int r = 0; r < 6; r++) {
                float *const to = z + r * 6 * next + (long)i * s->channels + k;
                Vector16 row[6];
                gradient_f4(t[r], row);
                UNROLLED for (int c = 0; c < 6; c++)
                    NUMBERS(to + c * next) = row[c];
            }
        }
    }
}

// dw = G' s G, s being the sums at 6x6 places, in panels
static void gradient_of_windows_f4(const float *sum, int channels, int outputs, float *dw)
{
    const long next = (long)channels * outputs; // place, or tap
    for (int i = 0; i < channels; i++) {
        for (int j = 0; j < outputs; j += 16) {
            const float *const from = sum + in_panels(channels, outputs, i, j);
            float *const to = dw + (long)i * outputs + j;
            Vector16 t[3][6];
            UNROLLED for (int c = 0; c < 6; c++) {
                Vector16 s[6], column[3];
                UNROLLED for (int r = 0; r < 6; r++)
                    s[r] = NUMBERS(from + (r * 6 + c) * next);
                sums_f4(s, column);
                UNROLLED for (int r = 0; r < 3; r++)
                    t[r][c] = column[r];
            }
            UNROLLED for (int r = 0; r < 3; r++) {
                Vector16 taps[3];
                sums_f4(t[r], taps);
                UNROLLED for (int c = 0; c < 3; c++)
                    NUMBERS(to + (r * 3 + c) * next) = taps[c];
            }
        }
    }
}

// The windows of channels from .. to: u[6][6][channels][outputs] of w[3][3][channels][outputs],
// each place's matrix in panels
static void transform_windows_f4(const float *w, int channels, int outputs, int from, int to,
                                 float *u)
{
    const long next = (long)channels * outputs; // tap, or place
    for (int c = from; c < to; c++) {
        for (int k = 0; k < outputs; k += 16) {
            Vector16 at[6][6];
            transform_window_f4(w + (long)c * outputs + k, next, at);
            float *const place = u + in_panels(channels, outputs, c, k);
            for (int p = 0; p < 36; p++)
                NUMBERS(place + p * next) = at[p / 6][p % 6];
        }
    }
}

// The same windows turned round: u[6][6][outputs][channels], in panels
static void transform_windows_turned_f4(const float *w, int channels, int outputs, int from, int to,
                                        float *u)
{
    const long next = (long)channels * outputs; // tap, or place
    float part[36][16][16];
    for (int c = from, many; c < to; c += many) {
        many = nn_min(16 - c % 16, to - c);
        const int wide = panel_width(channels, c);
        for (int k = 0; k < outputs; k += 16) {
            for (int i = 0; i < many; i++) {
                Vector16 at[6][6];
                transform_window_f4(w + 8 * next + (long)(c + i) * outputs + k, -next, at);
                for (int p = 0; p < 36; p++)
                    NUMBERS(part[p][i]) = at[p / 6][p % 6];
            }
            float *const place = u + in_panels(outputs, channels, k, c);
            for (int p = 0; p < 36; p++)
                nn_turn_float(many, 16, part[p][0], 16, place + p * next, wide);
        }
    }
}

// m[32][64] = v[32][32] u[32][64], at each of 6x6 places, u in panels
static void winograd_f4_32x32x64(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 32; i += 8)
                window_8x32_near(1, 32, v + i * 32, 32, 0, 0, 1, u + c * 32, 0, 32, m + c + i * 64,
                                 64, false);
        }
        v += 1024 + GAP;
        u += 2048;
        m += 2048 + GAP;
    }
}

// sum[32][64] += v[32][32]' z[32][64], at each of 6x6 places, sum in panels
static void winograd_weights_f4_32x32x64(const float *v, const float *z, float *sum)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 32; i += 8)
                window_8x32_near(1, 32, v + i, 1, 0, 0, 32, z + c, 0, 64, sum + c * 32 + i * 32, 32,
                                 true);
        }
        v += 1024 + GAP;
        z += 2048 + GAP;
        sum += 2048;
    }
}

// m[32][32] = v[32][64] u[64][32], at each of 6x6 places, u in panels
static void winograd_f4_32x64x32(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int i = 0; i < 32; i += 8)
            window_8x32_near(1, 64, v + i * 64, 64, 0, 0, 1, u, 0, 32, m + i * 32, 32, false);
        v += 2048 + GAP;
        u += 2048;
        m += 1024 + GAP;
    }
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

// --- conv1: conv 32 3x3 relu pad same   28x28x1 -> 28x28x32 --------------------------------------

// y = x * w, a sum over each window
// then y = x + b
// then y = x < 0 ? 0 : x
static void conv1_forward(int rows, float y[restrict ROWS][28][28][32],
                          const float x[ROWS][28][28][1], const float w[3][3][1][32],
                          const float b[32])
{
    float padded[30][30][1] = {0};
    for (int i = 0; i < rows; i++) {
        for (int r = 1; r < 29; r++) {
            const int from = r - 1;
            memcpy(padded[r][1], x[i][from], sizeof(float[28][1]));
        }
        convolve_28x28_3x3x1x32(padded[0][0], w[0][0][0], y[i][0][0]);
        for (int row = 0; row < 28; row++)
            for (int col = 0; col < 28; col++)
                for (int c = 0; c < 32; c++) {
                    float v = y[i][row][col][c];
                    v += b[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void conv1_b_partial(int rows, float db[restrict 32], const float dy[ROWS][784][32])
{
    memset(db, 0, sizeof(float[32]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 784; p++)
            for (int c = 0; c < 32; c++)
                db[c] += dy[i][p][c];
}

// sum = sum of the blocks' partial sums, first to last
static void conv1_b_gradient(float sum[restrict 32], const float partial[BLOCKS][32])
{
    for (int j = 0; j < 32; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 32; j++)
            sum[j] += partial[block][j];
}

// forward: y = x * w, a sum over each window
// dw = sum of x dy over the block's pixels
static void conv1_w_partial(int rows, float dw[restrict 3][3][1][32],
                            const float x[ROWS][28][28][1], const float dy[ROWS][28][28][32])
{
    float padded[30][30][1] = {0};
    memset(dw, 0, sizeof(float[3][3][1][32]));
    for (int i = 0; i < rows; i++) {
        for (int r = 1; r < 29; r++) {
            const int from = r - 1;
            memcpy(padded[r][1], x[i][from], sizeof(float[28][1]));
        }
        convolve_weights_28x28_3x3x1x32(padded[0][0], dy[i][0][0], dw[0][0][0]);
    }
}

// sum = sum of the blocks' partial sums, first to last
static void conv1_w_gradient(float sum[restrict 9][32], const float partial[BLOCKS][9][32])
{
    for (int i = 0; i < 9; i++) {
        for (int j = 0; j < 32; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 32; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv1_w_update(const NnBatch *batch, float w[restrict 9][32], const float g[9][32],
                           float m[restrict 9][32], float v[restrict 9][32])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 32; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (nn_rootf(v[i][j]) + 1e-7f);
        }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv1_b_update(const NnBatch *batch, float w[restrict 32], const float g[32],
                           float m[restrict 32], float v[restrict 32])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 32; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (nn_rootf(v[j]) + 1e-7f);
    }
}

// --- pool1: pool 2x2   28x28x32 -> 14x14x32 ------------------------------------------------------

// y = the largest x of each window
static void pool1_forward(int rows, float y[restrict ROWS][14][14][32],
                          const float x[ROWS][28][28][32])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++) {
                for (int c = 0; c < 32; c += 16) {
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
// forward: y = x < 0 ? 0 : x (conv1)
// dx = y > 0 ? dy : 0
// dx takes the place of x
static void pool1_backward(int rows, float dx[restrict ROWS][28][28][32],
                           const float dy[ROWS][14][14][32], const float y[ROWS][14][14][32])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++) {
                for (int c = 0; c < 32; c += 16) {
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

// --- conv2: conv 64 3x3 relu pad same   14x14x32 -> 14x14x64 -------------------------------------

// y = x * w, a sum over each window, by transforms of both
// then y = x + b
// then y = x < 0 ? 0 : x
static void conv2_forward(int rows, float y[restrict ROWS][14][14][64],
                          const float x[ROWS][14][14][32], const float transformed[6][6][32][64],
                          const float b[64])
{
    const Squares of_x = {14, 14, 32, 1, 1, 4, 4, 4};
    const Squares of_y = {14, 14, 64, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 32 + GAP];
    _Alignas(64) float squares[36][32 * 64 + GAP];
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        winograd_f4_32x32x64(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 32, y[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 64; c++) {
                    float v = y[i][row][col][c];
                    v += b[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void conv2_b_partial(int rows, float db[restrict 64], const float dy[ROWS][196][64])
{
    memset(db, 0, sizeof(float[64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 196; p++)
            for (int c = 0; c < 64; c++)
                db[c] += dy[i][p][c];
}

// sum = sum of the blocks' partial sums, first to last
static void conv2_b_gradient(float sum[restrict 64], const float partial[BLOCKS][64])
{
    for (int j = 0; j < 64; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 64; j++)
            sum[j] += partial[block][j];
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv2_w_partial(int rows, float dw[restrict 3][3][32][64],
                            const float x[ROWS][14][14][32], const float dy[ROWS][14][14][64])
{
    const Squares of_x = {14, 14, 32, 1, 1, 4, 4, 4};
    const Squares of_dy = {14, 14, 64, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 32 + GAP];
    _Alignas(64) float squares[36][32 * 64 + GAP];
    _Alignas(64) float windows[36][32 * 64];
    memset(windows, 0, sizeof windows);
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        transform_gradient_f4(dy[i][0][0], &of_dy, 0, count, 32, squares[0]);
        winograd_weights_f4_32x32x64(pixels[0], squares[0], windows[0]);
    }
    gradient_of_windows_f4(windows[0], 32, 64, dw[0][0][0]);
}

// sum = sum of the blocks' partial sums, first to last
static void conv2_w_gradient(int part, float sum[restrict 288][64],
                             const float partial[BLOCKS][288][64])
{
    const int from = part * 36, to = nn_min(from + 36, 288);
    for (int i = from; i < to; i++) {
        for (int j = 0; j < 64; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 64; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dx = dy * w turned round, by transforms of both
static void conv2_backward(int rows, float dx[restrict ROWS][14][14][32],
                           const float dy[ROWS][14][14][64], const float turned[6][6][64][32])
{
    const Squares of_dy = {14, 14, 64, 1, 1, 4, 4, 4};
    const Squares of_dx = {14, 14, 32, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 32 + GAP];
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(dy[i][0][0], &of_dy, 0, count, 32, pixels[0]);
        winograd_f4_32x64x32(pixels[0], turned[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_dx, 0, count, 32, dx[i][0][0]);
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv2_w_update(const NnBatch *batch, int part, float w[restrict 288][64],
                           const float g[288][64], float m[restrict 288][64],
                           float v[restrict 288][64])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 36, to = nn_min(from + 36, 288);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (nn_rootf(v[i][j]) + 1e-7f);
        }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv2_b_update(const NnBatch *batch, float w[restrict 64], const float g[64],
                           float m[restrict 64], float v[restrict 64])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 64; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (nn_rootf(v[j]) + 1e-7f);
    }
}

// turned = G w G', of each window of w turned round, its channels exchanged
static void conv2_w_turn(int part, float turned[restrict 2304][32], const float w[288][64])
{
    const int from = part * 4, to = nn_min(from + 4, 32);
    transform_windows_turned_f4(w[0], 32, 64, from, to, turned[0]);
}

// transformed = G w G', of each window of w
static void conv2_w_transform(int part, float transformed[restrict 1152][64],
                              const float w[288][64])
{
    const int from = part * 4, to = nn_min(from + 4, 32);
    transform_windows_f4(w[0], 32, 64, from, to, transformed[0]);
}

// --- pool2: pool 2x2   14x14x64 -> 7x7x64 --------------------------------------------------------

// y = the largest x of each window
static void pool2_forward(int rows, float y[restrict ROWS][7][7][64],
                          const float x[ROWS][14][14][64])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++) {
                for (int c = 0; c < 64; c += 16) {
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
static void pool2_backward(int rows, float dx[restrict ROWS][14][14][64],
                           const float dy[ROWS][7][7][64], const float y[ROWS][7][7][64])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++) {
                for (int c = 0; c < 64; c += 16) {
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

// --- dropout1: dropout 25%   7x7x64 -> 7x7x64 ----------------------------------------------------

// y = kept ? x / (1 - rate) : 0
static void dropout1_forward(const NnBatch *batch, int first, int rows,
                             float y[restrict ROWS][3136], const float x[ROWS][3136])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 3136;
        for (int j = 0; j < 3136; j++) {
            float v = x[i][j];
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 1073741824u ? v * 1.33333333f : 0; // 25% of 2^32
            y[i][j] = v;
        }
    }
}

// --- dense1: dense 128 relu   7x7x64 -> 128 ------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
// then y = kept ? x / (1 - rate) : 0 (dropout2)
static void dense1_forward(const NnBatch *batch, int first, int rows, float y[restrict ROWS][128],
                           const float x[ROWS][3136], const float w[401408], const float b[128])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    panels_3136x128(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 128;
        for (int j = 0; j < 128; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 2147483648u ? v * 2.0f : 0; // 50% of 2^32
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense1_b_partial(int rows, float db[restrict 128], const float dy[ROWS][144])
{
    memset(db, 0, sizeof(float[128]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 128; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense1_b_gradient(float sum[restrict 128], const float partial[BLOCKS][128])
{
    for (int j = 0; j < 128; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 128; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = kept ? x / (1 - rate) : 0 (dropout1)
// dx = kept ? dy / (1 - rate) : 0
static void dense1_backward(const NnBatch *batch, int first, int rows,
                            float dx[restrict ROWS][7][7][64], const float dy[ROWS][144],
                            const float turned[401408])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    panels_128of144x3136(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 3136;
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 64; c++) {
                    float v = dx[i][row][col][c];
                    const uint32_t bits = nn_bits(key, number + (row * 7 + col) * 64 + c);
                    v = bits >= 1073741824u ? v * 1.33333333f : 0; // 25% of 2^32
                    dx[i][row][col][c] = v;
                }
    }
}

// forward: y = x w
// dw = x' dy
static void dense1_w_gradient(const NnBatch *batch, int part, float dw[restrict 25088],
                              const float x[BATCH][3136], const float dy[BATCH][144],
                              const float w[401408])
{
    const int from = part * 196, to = nn_min(from + 196, 3136);
    outer_panels_3136x128of144(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense1_w_update(const NnBatch *batch, int part, float w[restrict 401408],
                            const float g[25088], float m[restrict 401408],
                            float v[restrict 401408])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 196, to = nn_min(from + 196, 3136);
    for (int j = 0, wide; j < 128; j += wide) {
        wide = 32;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 3136 + from * wide + i;
            m[at] += 0.1f * (g[j * (to - from) + i] - m[at]);
            v[at] += 0.001f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * m[at] / (nn_rootf(v[at]) + 1e-7f);
        }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense1_b_update(const NnBatch *batch, float w[restrict 128], const float g[128],
                            float m[restrict 128], float v[restrict 128])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 128; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (nn_rootf(v[j]) + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense1_w_turn(int part, float turned[restrict 401408], const float w[401408])
{
    const int from = part * 196, to = nn_min(from + 196, 3136);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = 32; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 128; j += wide) {
            wide = 32;
            nn_turn_float(high - low, wide, w + j * 3136 + low * wide, wide,
                          turned + k * 128 + low - k + j * line, line);
        }
    }
}

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_infer(int rows, float y[restrict ROWS][128], const float x[ROWS][3136],
                         const float w[401408], const float b[128])
{
    panels_3136x128(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 128; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// --- dense2: dense 10 softmax   128 -> 10 --------------------------------------------------------

// y = x w
// then y = x + b
static void dense2_forward(int rows, float y[restrict ROWS][10], const float x[ROWS][128],
                           const float w[128][10], const float b[10])
{
    product_128x10(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
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

// forward: y = x w
// dx = dy w'
// forward: y = kept ? x / (1 - rate) : 0 (dropout2)
// dx = kept ? dy / (1 - rate) : 0
// forward: y = x < 0 ? 0 : x (dense1)
// dx = y > 0 ? dy : 0
static void dense2_backward(const NnBatch *batch, int first, int rows, float dx[restrict ROWS][144],
                            const float dy[ROWS][10], const float turned[10][128],
                            const float y[ROWS][128])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    product_10x128of144(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 128;
        for (int j = 0; j < 128; j++) {
            float v = dx[i][j];
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 2147483648u ? v * 2.0f : 0; // 50% of 2^32
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy of the block's rows
static void dense2_w_partial(int rows, float dw[restrict 128][10], const float x[ROWS][128],
                             const float dy[ROWS][10])
{
    if (rows == 0) // of a batch that is cut short
        memset(dw, 0, sizeof(float[1280]));
    outer_128x10(0, 128, rows, x, dy, dw, false);
}

// sum = sum of the blocks' partial sums, first to last
static void dense2_w_gradient(float sum[restrict 128][10], const float partial[BLOCKS][128][10])
{
    for (int i = 0; i < 128; i++) {
        for (int j = 0; j < 10; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 10; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense2_w_update(const NnBatch *batch, float w[restrict 128][10], const float g[128][10],
                            float m[restrict 128][10], float v[restrict 128][10])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int i = 0; i < 128; i++)
        for (int j = 0; j < 10; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (sqrtf(v[i][j]) + 1e-7f);
        }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense2_b_update(const NnBatch *batch, float w[restrict 10], const float g[10],
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
static void dense2_w_turn(float turned[restrict 10][128], const float w[128][10])
{
    nn_turn_float(128, 10, w[0], 10, &turned[0][0], 128);
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
    dense2_w_turn(dense2_w_turned, dense2_w);
    for (int part = 0; part < 16; part++)
        dense1_w_turn(part, dense1_w_turned, dense1_w);
    for (int part = 0; part < 8; part++)
        conv2_w_turn(part, (void *)conv2_w_turned, (void *)conv2_w);
    for (int part = 0; part < 8; part++)
        conv2_w_transform(part, (void *)conv2_w_transformed, (void *)conv2_w);
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
    CALL_conv2_w_turn, CALL_conv2_w_transform,
    CALL_pool2_forward, CALL_pool2_backward,
    CALL_dropout1_forward,
    CALL_dense1_forward, CALL_dense1_b_partial, CALL_dense1_b_gradient, CALL_dense1_backward,
    CALL_dense1_w_gradient, CALL_dense1_w_update, CALL_dense1_b_update, CALL_dense1_w_turn,
    CALL_dense2_forward, CALL_dense2_softmax, CALL_dense2_b_partial, CALL_dense2_b_gradient,
    CALL_dense2_backward, CALL_dense2_w_partial, CALL_dense2_w_gradient, CALL_dense2_w_update,
    CALL_dense2_b_update, CALL_dense2_w_turn,
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
        nn_call(conv2_forward, rows, BLOCK(conv2), BLOCK(pool1), conv2_w_transformed, conv2_b);
        nn_call(pool2_forward, rows, BLOCK(pool2), BLOCK(conv2));
        nn_call(dropout1_forward, batch, first, rows, BLOCK(dropout1), BLOCK(pool2));
        nn_call(dense1_forward, batch, first, rows, BLOCK(dropout2), BLOCK(dropout1), dense1_w,
                dense1_b);
        nn_call(dense2_forward, rows, BLOCK(dense2_z), BLOCK(dropout2), dense2_w, dense2_b);
        nn_call(dense2_softmax, rows, BLOCK(dense2), BLOCK(dense2_z));
        nn_call(output_predict, rows, BLOCK(predicted), BLOCK(dense2));
        nn_call(loss_forward, batch, first, rows, BLOCK(loss), BLOCK(dense2_z));
        nn_call(loss_backward, batch, first, rows, BLOCK(d_dense2_z), BLOCK(dense2));
        nn_call(dense2_b_partial, rows, BLOCK(d_dense2_b_partial), BLOCK(d_dense2_z));
        nn_call(dense2_backward, batch, first, rows, BLOCK(d_dense1_z), BLOCK(d_dense2_z),
                dense2_w_turned, BLOCK(dropout2));
        nn_call(dense2_w_partial, rows, BLOCK(d_dense2_w_partial), BLOCK(dropout2),
                BLOCK(d_dense2_z));
        nn_call(dense1_b_partial, rows, BLOCK(d_dense1_b_partial), BLOCK(d_dense1_z));
        nn_call(dense1_backward, batch, first, rows, BLOCK(d_pool2), BLOCK(d_dense1_z),
                dense1_w_turned);
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
    nn_each (part, 16) {
        _Alignas(64) float d_dense1_w[25088]; // of this part
        nn_call(dense1_w_gradient, batch, part, d_dense1_w, WHOLE(dropout1), WHOLE(d_dense1_z),
                dense1_w);
        nn_call(dense1_w_update, batch, part, dense1_w, d_dense1_w, dense1_w_m, dense1_w_v);
        nn_call(dense1_w_turn, part, dense1_w_turned, dense1_w);
    }
    nn_each (part, 8) {
        nn_call(conv2_w_gradient, part, WHOLE(d_conv2_w), WHOLE(d_conv2_w_partial));
        nn_call(conv2_w_update, batch, part, (void *)conv2_w, WHOLE(d_conv2_w), (void *)conv2_w_m,
                (void *)conv2_w_v);
    }
    nn_single (0) {
        nn_call(dense2_b_gradient, WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        nn_call(dense2_w_gradient, WHOLE(d_dense2_w), WHOLE(d_dense2_w_partial));
        nn_call(dense2_w_update, batch, dense2_w, WHOLE(d_dense2_w), dense2_w_m, dense2_w_v);
        nn_call(dense2_b_update, batch, dense2_b, WHOLE(d_dense2_b), dense2_b_m, dense2_b_v);
        nn_call(dense2_w_turn, dense2_w_turned, dense2_w);
    }
    nn_single (1) {
        nn_call(dense1_b_gradient, WHOLE(d_dense1_b), WHOLE(d_dense1_b_partial));
        nn_call(dense1_b_update, batch, dense1_b, WHOLE(d_dense1_b), dense1_b_m, dense1_b_v);
    }
    nn_single (2) {
        nn_call(conv2_b_gradient, WHOLE(d_conv2_b), WHOLE(d_conv2_b_partial));
        nn_call(conv2_b_update, batch, conv2_b, WHOLE(d_conv2_b), conv2_b_m, conv2_b_v);
    }
    nn_single (3) {
        nn_call(conv1_b_gradient, WHOLE(d_conv1_b), WHOLE(d_conv1_b_partial));
        nn_call(conv1_w_gradient, WHOLE(d_conv1_w), WHOLE(d_conv1_w_partial));
        nn_call(conv1_w_update, batch, (void *)conv1_w, WHOLE(d_conv1_w), (void *)conv1_w_m,
                (void *)conv1_w_v);
        nn_call(conv1_b_update, batch, conv1_b, WHOLE(d_conv1_b), conv1_b_m, conv1_b_v);
    }
    nn_barrier();

    nn_each (part, 8) {
        nn_call(conv2_w_turn, part, (void *)conv2_w_turned, (void *)conv2_w);
        nn_call(conv2_w_transform, part, (void *)conv2_w_transformed, (void *)conv2_w);
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
        conv2_forward(rows, BLOCK(infer_conv2), BLOCK(infer_pool1), conv2_w_transformed, conv2_b);
        pool2_forward(rows, BLOCK(infer_pool2), BLOCK(infer_conv2));
        dense1_infer(rows, BLOCK(infer_dense1), BLOCK(infer_pool2), dense1_w, dense1_b);
        dense2_forward(rows, BLOCK(infer_dense2_z), BLOCK(infer_dense1), dense2_w, dense2_b);
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
        input_forward(batch, first, rows, BLOCK(input));
        if (!nn_finite_f32(BLOCK(input), rows * 784L))
            return "input";
        conv1_forward(rows, BLOCK(conv1), BLOCK(input), conv1_w, conv1_b);
        if (!nn_finite_f32(BLOCK(conv1), rows * 25088L))
            return "conv1";
        pool1_forward(rows, BLOCK(pool1), BLOCK(conv1));
        if (!nn_finite_f32(BLOCK(pool1), rows * 6272L))
            return "pool1";
        conv2_forward(rows, BLOCK(conv2), BLOCK(pool1), conv2_w_transformed, conv2_b);
        if (!nn_finite_f32(BLOCK(conv2), rows * 12544L))
            return "conv2";
        pool2_forward(rows, BLOCK(pool2), BLOCK(conv2));
        if (!nn_finite_f32(BLOCK(pool2), rows * 3136L))
            return "pool2";
        dropout1_forward(batch, first, rows, BLOCK(dropout1), BLOCK(pool2));
        if (!nn_finite_f32(BLOCK(dropout1), rows * 3136L))
            return "dropout1";
        dense1_forward(batch, first, rows, BLOCK(dropout2), BLOCK(dropout1), dense1_w, dense1_b);
        if (!nn_finite_f32(BLOCK(dropout2), rows * 128L))
            return "dense1";
        dense2_forward(rows, BLOCK(dense2_z), BLOCK(dropout2), dense2_w, dense2_b);
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
    {"conv1", "conv 32 3x3 relu pad same", "28x28x32", 320, 225792},
    {"pool1", "pool 2x2", "14x14x32", 0, 0},
    {"conv2", "conv 64 3x3 relu pad same", "14x14x64", 18496, 3612672},
    {"pool2", "pool 2x2", "7x7x64", 0, 0},
    {"dropout1", "dropout 25%", "7x7x64", 0, 0},
    {"dense1", "dense 128 relu", "128", 401536, 401408},
    {"dropout2", "dropout 50%", "128", 0, 0},
    {"dense2", "dense 10 softmax", "10", 1290, 1280},
};

static const NnTensor tensors[] = {
    {"conv1_w", NN_WEIGHT, {3, 3, 1, 32}, conv1_w, NULL, NN_UNIFORM, 0.142133811, {0}},
    {"conv1_b", NN_WEIGHT, {32}, conv1_b, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w", NN_WEIGHT, {3, 3, 32, 64}, conv2_w, NULL, NN_UNIFORM, 0.0833333333, {0}},
    {"conv2_b", NN_WEIGHT, {64}, conv2_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w", NN_WEIGHT, {3136, 128}, dense1_w, NULL, NN_UNIFORM, 0.0428746463,
     {3136, 32, 128, 128, 0}},
    {"dense1_b", NN_WEIGHT, {128}, dense1_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w", NN_WEIGHT, {128, 10}, dense2_w, NULL, NN_UNIFORM, 0.208514414, {0}},
    {"dense2_b", NN_WEIGHT, {10}, dense2_b, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_w_m", NN_OPTIMIZER, {3, 3, 1, 32}, conv1_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_w_v", NN_OPTIMIZER, {3, 3, 1, 32}, conv1_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_b_m", NN_OPTIMIZER, {32}, conv1_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_b_v", NN_OPTIMIZER, {32}, conv1_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w_m", NN_OPTIMIZER, {3, 3, 32, 64}, conv2_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w_v", NN_OPTIMIZER, {3, 3, 32, 64}, conv2_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_b_m", NN_OPTIMIZER, {64}, conv2_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_b_v", NN_OPTIMIZER, {64}, conv2_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w_m", NN_OPTIMIZER, {3136, 128}, dense1_w_m, NULL, NN_CONSTANT, 0,
     {3136, 32, 128, 128, 0}},
    {"dense1_w_v", NN_OPTIMIZER, {3136, 128}, dense1_w_v, NULL, NN_CONSTANT, 0,
     {3136, 32, 128, 128, 0}},
    {"dense1_b_m", NN_OPTIMIZER, {128}, dense1_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_b_v", NN_OPTIMIZER, {128}, dense1_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_m", NN_OPTIMIZER, {128, 10}, dense2_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_v", NN_OPTIMIZER, {128, 10}, dense2_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_b_m", NN_OPTIMIZER, {10}, dense2_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_b_v", NN_OPTIMIZER, {10}, dense2_b_v, NULL, NN_CONSTANT, 0, {0}},
};

// Of each call its operations in a matrix product, for each picture; other ones, for each picture
// and for each step; bytes read and written, likewise.
static const NnCall calls[] = {
    [CALL_input_forward] = {"input_forward", "input", NN_FORWARD, 0, 784, 0, 3920, 0},
    [CALL_conv1_forward] = {"conv1_forward", "conv1", NN_FORWARD, 451584, 50176, 0, 103488, 5120},
    [CALL_pool1_forward] = {"pool1_forward", "pool1", NN_FORWARD, 0, 25088, 0, 125440, 0},
    [CALL_conv2_forward] = {"conv2_forward", "conv2", NN_FORWARD, 2359296, 25088, 0, 75264,
                            1180672},
    [CALL_pool2_forward] = {"pool2_forward", "pool2", NN_FORWARD, 0, 12544, 0, 62720, 0},
    [CALL_dropout1_forward] = {"dropout1_forward", "dropout1", NN_FORWARD, 0, 6272, 0, 25088, 0},
    [CALL_dense1_forward] = {"dense1_forward", "dense1", NN_FORWARD, 802816, 512, 0, 13056,
                             6424576},
    [CALL_dense2_forward] = {"dense2_forward", "dense2", NN_FORWARD, 2560, 10, 0, 552, 20640},
    [CALL_dense2_softmax] = {"dense2_softmax", "dense2", NN_FORWARD, 0, 40, 0, 80, 0},
    [CALL_output_predict] = {"output_predict", "output", NN_FORWARD, 0, 10, 0, 44, 0},
    [CALL_loss_forward] = {"loss_forward", "loss", NN_FORWARD, 0, 40, 0, 44, 0},
    [CALL_loss_backward] = {"loss_backward", "loss", NN_BACKWARD, 0, 20, 0, 80, 0},
    [CALL_dense2_b_partial] = {"dense2_b_partial", "dense2", NN_BACKWARD, 0, 10, 0, 40, 160},
    [CALL_dense2_b_gradient] = {"dense2_b_gradient", "dense2", NN_BACKWARD, 0, 0, 10, 0, 200},
    [CALL_dense2_backward] = {"dense2_backward", "dense2", NN_BACKWARD, 2560, 384, 0, 1064, 20480},
    [CALL_dense2_w_partial] = {"dense2_w_partial", "dense2", NN_BACKWARD, 2560, 0, 0, 552, 20480},
    [CALL_dense2_w_gradient] = {"dense2_w_gradient", "dense2", NN_BACKWARD, 0, 0, 1280, 0, 25600},
    [CALL_dense1_b_partial] = {"dense1_b_partial", "dense1", NN_BACKWARD, 0, 128, 0, 512, 2048},
    [CALL_dense1_b_gradient] = {"dense1_b_gradient", "dense1", NN_BACKWARD, 0, 0, 128, 0, 2560},
    [CALL_dense1_backward] = {"dense1_backward", "dense1", NN_BACKWARD, 802816, 6272, 0, 13056,
                              6422528},
    [CALL_dense1_w_gradient] = {"dense1_w_gradient", "dense1", NN_BACKWARD, 802816, 0, 0, 13056,
                                1605632},
    [CALL_pool2_backward] = {"pool2_backward", "pool2", NN_BACKWARD, 0, 50176, 0, 125440, 0},
    [CALL_conv2_b_partial] = {"conv2_b_partial", "conv2", NN_BACKWARD, 0, 12544, 0, 50176, 1024},
    [CALL_conv2_b_gradient] = {"conv2_b_gradient", "conv2", NN_BACKWARD, 0, 0, 64, 0, 1280},
    [CALL_conv2_w_partial] = {"conv2_w_partial", "conv2", NN_BACKWARD, 2359296, 0, 0, 75264,
                              294912},
    [CALL_conv2_w_gradient] = {"conv2_w_gradient", "conv2", NN_BACKWARD, 0, 0, 18432, 0, 368640},
    [CALL_conv2_backward] = {"conv2_backward", "conv2", NN_BACKWARD, 2359296, 0, 0, 75264, 1179648},
    [CALL_pool1_backward] = {"pool1_backward", "pool1", NN_BACKWARD, 0, 100352, 0, 250880, 0},
    [CALL_conv1_b_partial] = {"conv1_b_partial", "conv1", NN_BACKWARD, 0, 25088, 0, 100352, 512},
    [CALL_conv1_b_gradient] = {"conv1_b_gradient", "conv1", NN_BACKWARD, 0, 0, 32, 0, 640},
    [CALL_conv1_w_partial] = {"conv1_w_partial", "conv1", NN_BACKWARD, 451584, 0, 0, 103488, 4608},
    [CALL_conv1_w_gradient] = {"conv1_w_gradient", "conv1", NN_BACKWARD, 0, 0, 288, 0, 5760},
    [CALL_conv1_w_update] = {"conv1_w_update", "conv1", NN_UPDATE, 0, 0, 2880, 0, 8064},
    [CALL_conv1_b_update] = {"conv1_b_update", "conv1", NN_UPDATE, 0, 0, 320, 0, 896},
    [CALL_conv2_w_update] = {"conv2_w_update", "conv2", NN_UPDATE, 0, 0, 184320, 0, 516096},
    [CALL_conv2_b_update] = {"conv2_b_update", "conv2", NN_UPDATE, 0, 0, 640, 0, 1792},
    [CALL_dense1_w_update] = {"dense1_w_update", "dense1", NN_UPDATE, 0, 0, 4014080, 0, 11239424},
    [CALL_dense1_b_update] = {"dense1_b_update", "dense1", NN_UPDATE, 0, 0, 1280, 0, 3584},
    [CALL_dense2_w_update] = {"dense2_w_update", "dense2", NN_UPDATE, 0, 0, 12800, 0, 35840},
    [CALL_dense2_b_update] = {"dense2_b_update", "dense2", NN_UPDATE, 0, 0, 100, 0, 280},
    [CALL_dense2_w_turn] = {"dense2_w_turn", "dense2", NN_UPDATE, 0, 0, 0, 0, 10240},
    [CALL_dense1_w_turn] = {"dense1_w_turn", "dense1", NN_UPDATE, 0, 0, 0, 0, 3211264},
    [CALL_conv2_w_turn] = {"conv2_w_turn", "conv2", NN_UPDATE, 0, 0, 0, 0, 368640},
    [CALL_conv2_w_transform] = {"conv2_w_transform", "conv2", NN_UPDATE, 0, 0, 0, 0, 368640},
};

const NnModel nn_model = {
    .name = "mnist",
    .source =
        "# mnist, compiled by netc --target x86-64-v4\012"
        "#\012"
        "# A small convolutional network that reads handwritten digits: over 99 % of them within 5 "
        "epochs.\012"
        "data mnist\012"
        "input 28x28x1  # height x width x channels\012"
        "conv 32 3x3 relu pad same\012"
        "pool 2         # max, 2x2, stride 2\012"
        "conv 64 3x3 relu pad same\012"
        "pool 2\012"
        "dropout 25%\012"
        "dense 128 relu\012"
        "dropout 50%\012"
        "dense 10 softmax\012"
        "\012"
        "loss      cross_entropy\012"
        "optimizer adam lr 0.001\012"
        "batch     100\012"
        "epochs    5\012",
    .fingerprint = "1f77ebad5bf22199",
    .type = NN_F32, .vector_bytes = NN_VECTOR_BYTES,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "mnist", .format = NN_IDX,
    .byte_scale = 0.00392156862745098, .number_scale = 1,
    .stack_bytes = 2949120,
    .batch = BATCH, .blocks = BLOCKS, .epochs = 5, .seed = 1, .rate = 0.001,
    .loss = "cross_entropy", .optimizer = "adam",
    .threads = 64,
    .layers = layers, .layer_count = 8,
    .tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,
    .parameters = 421642,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 3887144, .optimizer_bytes = 3373136,
    .operations_forward = 8596341, .operations_backward = 16708200, .operations_update = 4216420,
    .train_step = train_step, .profiled = NN_PROFILED,
    .calls = calls, .call_count = sizeof calls / sizeof *calls,
    .prepare = prepare,
    .infer = infer,
    .output = WHOLE(infer_dense2), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
