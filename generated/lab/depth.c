// depth: a network compiled by netc into the C that trains it.
//
//   layer            statement                          output         parameters
//   input            input 28x28x1                      28x28x1
//   dense1           dense 300 relu                     300            235500
//   dense2           dense 50 relu                      50             15050
//   dense3           dense 10 softmax                   10             510
//                                                                      251060
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
// 784x300 in panels of 196x32, 196x12
static _Alignas(64) float dense1_w[235200]; // uniform within sqrt(6 / (784 + 300)) (glorot)
static _Alignas(64) float dense1_b[300]; // zeros
// 300x50 in a panel of 300x48, 2 columns of 300
static _Alignas(64) float dense2_w[15000]; // uniform within sqrt(6 / (300 + 50)) (glorot)
static _Alignas(64) float dense2_b[50]; // zeros
static _Alignas(64) float dense3_w[50][10]; // uniform within sqrt(6 / (50 + 10)) (glorot)
static _Alignas(64) float dense3_b[10]; // zeros

// what the optimizer remembers
// 784x300 in panels of 196x32, 196x12
static _Alignas(64) float dense1_w_m[235200];
static _Alignas(64) float dense1_b_m[300];
// 300x50 in a panel of 300x48, 2 columns of 300
static _Alignas(64) float dense2_w_m[15000];
static _Alignas(64) float dense2_b_m[50];
static _Alignas(64) float dense3_w_m[50][10];
static _Alignas(64) float dense3_b_m[10];

// weights as products read them: in panels, exchanged, windows turned round or transformed
static _Alignas(64) float dense3_w_turned[10][50];
// 50x300 in panels of 50x32, 50x12
static _Alignas(64) float dense2_w_turned[15000];

// --- the arena -----------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 1103936,
    // of a training step: 1103936 bytes, 1111232 if nothing were shared
    AT_input =                 480000,                                    // [4][100][196]
    AT_dense1_slices =              0,                                    // [4][100][300]
    AT_dense1 =                915200, EACH_dense1 =               30000, // [ROWS][300]
    AT_dense2 =               1035200, EACH_dense2 =                7104, // [ROWS][50]
    AT_dense3_z =             1040256, EACH_dense3_z =              7104, // [ROWS][10]
    AT_dense3 =               1041280, EACH_dense3 =                7104, // [ROWS][10]
    AT_predicted =            1102848, EACH_predicted =              100, // [ROWS]
    AT_loss =                 1103296, EACH_loss =                   100, // [ROWS]
    AT_d_dense3_z =           1040256, EACH_d_dense3_z =            7104, // [ROWS][10]
    AT_d_dense3_b_partial =   1103744, EACH_d_dense3_b_partial =      40, // [10]
    AT_d_dense3_b =           1038720,                                    // [10]
    AT_d_dense2_z =           1063616, EACH_d_dense2_z =            6400, // [ROWS][64]
    AT_d_dense3_w_partial =   1089216, EACH_d_dense3_w_partial =    2000, // [50][10]
    AT_d_dense3_w =           1035200,                                    // [50][10]
    AT_d_dense2_b_partial =   1102016, EACH_d_dense2_b_partial =     200, // [50]
    AT_d_dense2_b =           1038464,                                    // [50]
    AT_d_dense1_z =            793600, EACH_d_dense1_z =           30400, // [ROWS][304]
    AT_d_dense1_b_partial =   1097216, EACH_d_dense1_b_partial =    1200, // [300]
    AT_d_dense1_b =           1037248,                                    // [300]
    // of inference: 438592 bytes
    AT_infer_input =                0, EACH_infer_input =         108416, // [ROWS][28][28][1]
    AT_infer_dense1 =           78400, EACH_infer_dense1 =        108416, // [ROWS][300]
    AT_infer_dense2 =               0, EACH_infer_dense2 =        108416, // [ROWS][50]
    AT_infer_dense3_z =          5056, EACH_infer_dense3_z =      108416, // [ROWS][10]
    AT_infer_dense3 =          433664, EACH_infer_dense3 =          1000, // [ROWS][10]
    AT_infer_predicted =       437696, EACH_infer_predicted =        100, // [ROWS]
    AT_infer_loss =            438144, EACH_infer_loss =             100, // [ROWS]
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

// A tile from row `top` on whose terms are listed: how many there are, and which. Its first
// vectors lie in one panel, those of the SECOND in the next, b2 and c2. No memory is asked for
// ahead: which rows of b come next is not regular.
#define TILE_LISTED(how, name, ROW_COUNT, FIRST, SECOND, Vector, SKIP)                    \
    static how void name(                                                                 \
        long top, const int32_t *list, const float *a, long ai, long ap,                  \
        const float *b, long bp, float *c, long ci,                                       \
        const float *b2, long bp2, float *c2, long ci2, int add)                          \
    {                                                                                     \
        enum { LANES = sizeof(Vector) / sizeof(float), VECTORS = FIRST + SECOND };        \
        Vector sum[ROW_COUNT][VECTORS] = {0};                                             \
        if (add == FROM)                                                                  \
            UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                  \
                UNROLLED for (int j = 0; j < VECTORS; j++) {                              \
                    const float *const from = j < FIRST ? c + (top + i) * ci + j * LANES  \
                        : c2 + (top + i) * ci2 + (j - FIRST) * LANES;                     \
                    const int skip = j == (SECOND ? FIRST : 0) ? SKIP : 0;                \
                    sum[i][j] = PART_OF(Vector, from, skip);                              \
                }                                                                         \
        for (int n = 1; n <= list[0]; n++) {                                              \
            const long p = list[n];                                                       \
            Vector row[VECTORS];                                                          \
            UNROLLED for (int j = 0; j < VECTORS; j++)                                    \
                memcpy(&row[j], j < FIRST ? b + p * bp + j * LANES                        \
                                          : b2 + p * bp2 + (j - FIRST) * LANES,           \
                       sizeof(Vector));                                                   \
            UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                  \
                UNROLLED for (int j = 0; j < VECTORS; j++)                                \
                    sum[i][j] += a[(top + i) * ai + p * ap] * row[j];                     \
        }                                                                                 \
        UNROLLED for (int i = 0; i < ROW_COUNT; i++)                                      \
            UNROLLED for (int j = 0; j < VECTORS; j++) {                                  \
                float *const to = j < FIRST ? c + (top + i) * ci + j * LANES              \
                                           : c2 + (top + i) * ci2 + (j - FIRST) * LANES;  \
                Vector v = sum[i][j];                                                     \
                const int skip = j == (SECOND ? FIRST : 0) ? SKIP : 0;                    \
                if (add == ONTO)                                                          \
                    v += PART_OF(Vector, to, skip);                                       \
                if (skip)                                                                 \
                    IN_MEMORY(v);                                                         \
                memcpy(to + skip, (const float *)&v + skip,                               \
                       (LANES - skip) * sizeof(float));                                   \
            }                                                                             \
    }

// A strip of such; lists, one for each FULL rows, are `each` numbers apart.
#define STRIP_LISTED(name, FULL, REST, FIRST, SECOND, Vector, SKIP)                       \
    TILE_LISTED(INLINED, name##_full, FULL, FIRST, SECOND, Vector, SKIP)                  \
    TILE_LISTED(CALLED, name##_rest, REST, FIRST, SECOND, Vector, SKIP)                   \
    TILE_LISTED(CALLED, name##_one, 1, FIRST, SECOND, Vector, SKIP)                       \
    static INLINED void name(                                                             \
        int rows, const int32_t *lists, int each, const float *a, long ai, long ap,       \
        const float *b, long bp, float *c, long ci,                                       \
        const float *b2, long bp2, float *c2, long ci2, int add)                          \
    {                                                                                     \
        const int full = rows / FULL * FULL, rest = full + (rows - full) / REST * REST;   \
        for (int i = 0; i < full; i += FULL)                                              \
            name##_full(i, lists + i / FULL * each, a, ai, ap, b, bp, c, ci,              \
                        b2, bp2, c2, ci2, add);                                           \
        for (int i = full; i < rest; i += REST)                                           \
            name##_rest(i, lists + i / FULL * each, a, ai, ap, b, bp, c, ci,              \
                        b2, bp2, c2, ci2, add);                                           \
        for (int i = rest; i < rows; i++)                                                 \
            name##_one(i, lists + i / FULL * each, a, ai, ap, b, bp, c, ci,               \
                       b2, bp2, c2, ci2, add);                                            \
    }

STRIP_LISTED(strip_4_1x32and32_listed, 4, 1, 2, 2, Vector16, 0)
STRIP_LISTED(strip_4_1x32and12of16_listed, 4, 1, 2, 1, Vector16, 4)
STRIP(strip_13_9x32, 13, 9, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_9x12of16, 13, 9, INLINED, 1, Vector16, 4, 16)
STRIP_LISTED(strip_4_2x32and32_listed, 4, 2, 2, 2, Vector16, 0)
STRIP_LISTED(strip_4_2x32and12of16_listed, 4, 2, 2, 1, Vector16, 4)
STRIP(strip_14_4x32, 14, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_14_4x12of16, 14, 4, CALLED, 1, Vector16, 4, 16)
STRIP(strip_13_12x32, 13, 12, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_12x12of16, 13, 12, INLINED, 1, Vector16, 4, 16)
STRIP(strip_9_7x48, 9, 7, INLINED, 3, Vector16, 0, 16)
STRIP(strip_2_1x32, 2, 1, CALLED, 2, Vector16, 0, 16)
STRIP(strip_2_1x11of16, 2, 1, CALLED, 1, Vector16, 5, 16)
STRIP(strip_2_1x1, 2, 1, CALLED, 1, float, 0, 16)
STRIP(strip_13_12x8, 13, 12, INLINED, 1, Vector8, 0, 16)
STRIP(strip_13_12x2, 13, 12, INLINED, 1, Vector2, 0, 16)
STRIP(strip_13_12x18of32, 13, 12, INLINED, 2, Vector16, 14, 16)
STRIP(strip_13_11x8, 13, 11, INLINED, 1, Vector8, 0, 16)
STRIP(strip_13_11x2, 13, 11, INLINED, 1, Vector2, 0, 16)

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

// Asks for the memory of numbers that are about to be changed, so that other threads give up their
// copies. Inlined always: gcc 12 drops calls without another effect.
static INLINED void claim(const float *from, int count)
{
    for (int i = 0; i < count; i += 64 / (int)sizeof(float))
        __builtin_prefetch(from + i, 1);
}

// c[rows][300] = a[rows][196] b[196][300], or c + that, with b in panels, without terms whose
// numbers of a are 0 in a whole tile
static void panels_196x300_onto_skipping(int rows, const void *left, const void *right,
                                         void *result, bool add)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    int32_t list[25][197];
    for (int i = 0; i < rows; i += 4)
        nn_places_of_rows(0, 196, nn_min(4, rows - i), a + i * 196, 196, list[i / 4]);
    for (int j = 0; j < 256; j += 64)
        strip_4_1x32and32_listed(rows, list[0], 197, a, 196, 1, b + j * 196, 32, c + j, 300,
                                 b + (j + 32) * 196, 32, c + j + 32, 300, add ? ONTO : false);
    strip_4_1x32and12of16_listed(rows, list[0], 197, a, 196, 1, b + 256 * 196, 32, c + 256, 300,
                                 b + 288 * 196 - 4, 12, c + 284, 300, add ? ONTO : false);
}

// c[rows][300] = a[rows][196] b[196][300], or c + that, with b in panels
static void panels_196x300_onto(int rows, const void *left, const void *right, void *result,
                                bool add)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 288; j += 32)
        strip_13_9x32(rows, 196, a, 196, 1, b + j * 196, 32, c + j, 300, add ? ONTO : false);
    strip_13_9x12of16(rows, 196, a, 196, 1, b + 288 * 196 - 4, 12, c + 284, 300,
                      add ? ONTO : false);
}

// c = rows from..to of the 196x300 sums a[terms][196]' b[terms][300], where rows of b are 304
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. Terms whose numbers of a are 0 in a whole tile are left out.
// So many terms at a time that what the tiles read again stays in the first cache.
static void outer_panels_196x300of304_skipping(int from, int to, int terms, const void *left,
                                               const void *right, void *result, int high, int row,
                                               const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 196 + from;
        const float *const b = (const float *)right + (size_t)at * 304;
        float *const c = result;
        int32_t list[25][129];
        nn_rows_of_places(some, to - from, 4, a, 196, list[0], 129);
        for (int j = 0; j < 256; j += 64) {
            if (change && at == 0) {
                claim((const float *)change + j * 196 + from * 32, (to - from) * 32);
                claim((const float *)change + (j + 32) * 196 + from * 32, (to - from) * 32);
            }
            strip_4_2x32and32_listed(to - from, list[0], 129, a, 1, 196, b + j, 304,
                                     c + j * high + row * 32, 32, b + j + 32, 304,
                                     c + (j + 32) * high + row * 32, 32, add || at > 0);
        }
        if (change && at == 0) {
            claim((const float *)change + 256 * 196 + from * 32, (to - from) * 32);
            claim((const float *)change + 288 * 196 + from * 12, (to - from) * 12);
        }
        strip_4_2x32and12of16_listed(to - from, list[0], 129, a, 1, 196, b + 256, 304,
                                     c + 256 * high + row * 32, 32, b + 284, 304,
                                     c + 288 * high + row * 12 - 4, 12, add || at > 0);
    }
}

// c = rows from..to of the 196x300 sums a[terms][196]' b[terms][300], where rows of b are 304
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_196x300of304(int from, int to, int terms, const void *left,
                                      const void *right, void *result, int high, int row,
                                      const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 196 + from;
        const float *const b = (const float *)right + (size_t)at * 304;
        float *const c = result;
        for (int j = 0; j < 288; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 196 + from * 32, (to - from) * 32);
            strip_14_4x32(to - from, some, a, 1, 196, b + j, 304, c + j * high + row * 32, 32,
                          add || at > 0);
        }
        if (change && at == 0)
            claim((const float *)change + 288 * 196 + from * 12, (to - from) * 12);
        strip_14_4x12of16(to - from, some, a, 1, 196, b + 284, 304, c + 288 * high + row * 12 - 4,
                          12, add || at > 0);
    }
}

// c[rows][300] = a[rows][784] b[784][300], with b in panels, without terms whose numbers of a are
// 0 in a whole tile
static void panels_4x196x300_skipping(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int part = 0; part < 784; part += 196) {
        int32_t list[7][197];
        for (int i = 0; i < rows; i += 4)
            nn_places_of_rows(0, 196, nn_min(4, rows - i), a + part + i * 784, 784, list[i / 4]);
        for (int j = 0; j < 256; j += 64)
            strip_4_1x32and32_listed(rows, list[0], 197, a + part, 784, 1, b + part * 300 + j * 196,
                                     32, c + j, 300, b + part * 300 + (j + 32) * 196, 32,
                                     c + j + 32, 300, part > 0);
        strip_4_1x32and12of16_listed(rows, list[0], 197, a + part, 784, 1,
                                     b + part * 300 + 256 * 196, 32, c + 256, 300,
                                     b + part * 300 + 288 * 196 - 4, 12, c + 284, 300, part > 0);
    }
}

// c[rows][300] = a[rows][784] b[784][300], with b in panels
static void panels_4x196x300(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int part = 0; part < 784; part += 196) {
        for (int j = 0; j < 288; j += 32)
            strip_13_12x32(rows, 196, a + part, 784, 1, b + part * 300 + j * 196, 32, c + j, 300,
                           part > 0);
        strip_13_12x12of16(rows, 196, a + part, 784, 1, b + part * 300 + 288 * 196 - 4, 12, c + 284,
                           300, part > 0);
    }
}

// c[rows][50] = a[rows][300] b[300][50], with b in panels
static void panels_300x50(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_9_7x48(rows, 300, a, 300, 1, b, 48, c, 50, false);
    dots_8x2(rows, 300, a, 300, b + 48 * 300, 300, c + 48, 50, false);
}

// c[rows][300] = a[rows][50] b[50][300], with b in panels, where rows of a are 64 and of c 304
// numbers apart
static void panels_50of64x300of304(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 288; j += 32)
        strip_13_12x32(rows, 50, a, 64, 1, b + j * 50, 32, c + j, 304, false);
    strip_13_12x12of16(rows, 50, a, 64, 1, b + 288 * 50 - 4, 12, c + 284, 304, false);
}

// c = rows from..to of the 300x50 sums a[terms][300]' b[terms][50], where rows of b are 64 numbers
// apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_300x50of64(int from, int to, int terms, const void *left,
                                    const void *right, void *result, int high, int row,
                                    const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 300 + from;
        const float *const b = (const float *)right + (size_t)at * 64;
        float *const c = result;
        if (change && at == 0)
            claim((const float *)change + from * 48, (to - from) * 48);
        strip_9_7x48(to - from, some, a, 1, 300, b, 64, c + row * 48, 48, add || at > 0);
        if (change && at == 0)
            for (int j = 48; j < 50; j++)
                claim((const float *)change + j * 300 + from, to - from);
        float *const d = c + 48 * high + row; // a column after the other
        int i = 0;
        for (; i + 43 <= to - from; i += 43) {
            strip_2_1x32(2, some, b + 48, 1, 64, a + i, 300, d + i, high, add || at > 0);
            strip_2_1x11of16(2, some, b + 48, 1, 64, a + i + 27, 300, d + i + 27, high,
                             add || at > 0);
        }
        for (; i < to - from; i++)
            strip_2_1x1(2, some, b + 48, 1, 64, a + i, 300, d + i, high, add || at > 0);
    }
}

// c[rows][10] = a[rows][50] b[50][10]
static void product_50x10(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x8(rows, 50, a, 50, 1, b, 10, c, 10, false);
    strip_13_12x2(rows, 50, a, 50, 1, b + 8, 10, c + 8, 10, false);
}

// c[rows][50] = a[rows][10] b[10][50], where rows of c are 64 numbers apart
static void product_10x50of64(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x32(rows, 10, a, 10, 1, b, 50, c, 64, false);
    strip_13_12x18of32(rows, 10, a, 10, 1, b + 18, 50, c + 18, 64, false);
}

// c = rows from..to of the 50x10 sums a[terms][50]' b[terms][10], or c + those. So many terms at a
// time that what the tiles read again stays in the first cache.
static void outer_50x10(int from, int to, int terms, const void *left, const void *right,
                        void *result, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 50 + from;
        const float *const b = (const float *)right + (size_t)at * 10;
        float *const c = result;
        strip_13_11x8(to - from, some, a, 1, 50, b, 10, c, 10, add || at > 0);
        strip_13_11x2(to - from, some, a, 1, 50, b + 8, 10, c + 8, 10, add || at > 0);
    }
}

// --- input: input 28x28x1 ------------------------------------------------------------------------

// x = scale pictures, a slice of each
static void input_slice(const NnBatch *batch, int part, float x[restrict 4][100][196])
{
    const int from = part * 196;
    for (int i = 0; i < batch->rows; i++) {
        const size_t at = (size_t)batch->index[i] * 784 + from;
        float *const to = x[part][i];
        for (int j = 0; j < 196; j++)
            to[j] = batch->pictures[at + j] * 0.003921569f;
        nn_ahead(batch, i + BATCH, 784, from, 196);
    }
}

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

// --- dense1: dense 300 relu   28x28x1 -> 300 -----------------------------------------------------

// sum = x w, a slice of x by its rows of w
static void dense1_slice(const NnBatch *batch, int part, float sum[restrict 4][100][300],
                         const float x[4][100][196], const float w[235200])
{
    const bool add = nn_pairs() && part % 2; // to the slice before, which is the same thread's
    if (batch->zeros)
        panels_196x300_onto_skipping(batch->rows, x[part], w + part * 58800, sum[part - add], add);
    else
        panels_196x300_onto(batch->rows, x[part], w + part * 58800, sum[part - add], add);
}

// y = x w, the sum of all slices' sums
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_forward(int first, int rows, float y[restrict ROWS][300],
                           const float sum[4][100][300], const float b[300])
{
    const bool pairs = nn_pairs();
    for (int i = 0; i < rows; i++) {
        if (pairs)
            for (int j = 0; j < 300; j++)
                y[i][j] = sum[0][first + i][j] + sum[2][first + i][j];
        else
            for (int j = 0; j < 300; j++)
                y[i][j] = (sum[0][first + i][j] + sum[1][first + i][j]) +
                          (sum[2][first + i][j] + sum[3][first + i][j]);
        for (int j = 0; j < 300; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense1_b_partial(int rows, float db[restrict 300], const float dy[ROWS][304])
{
    memset(db, 0, sizeof(float[300]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 300; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense1_b_gradient(float sum[restrict 300], const float partial[BLOCKS][300])
{
    for (int j = 0; j < 300; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 300; j++)
            sum[j] += partial[block][j];
}

// forward: sum = x w, a slice of x by its rows of w
// dw = x' dy
static void dense1_w_gradient(const NnBatch *batch, int part, float dw[restrict 29400],
                              const float x[4][100][196], const float dy[BATCH][304])
{
    const int from = part * 98, to = nn_min(from + 98, 784);
    const int first = from / 196 * 196; // of the slice
    const int slice = from / 196;
    if (batch->zeros)
        outer_panels_196x300of304_skipping(from - first, to - first, batch->rows, x[slice], dy, dw,
                                           to - from, 0, NULL, false);
    else
        outer_panels_196x300of304(from - first, to - first, batch->rows, x[slice], dy, dw,
                                  to - from, 0, NULL, false);
}

// m = momentum m - rate g; w = w + momentum m - rate g
static void dense1_w_update(const NnBatch *batch, int part, float w[restrict 235200],
                            const float g[29400], float m[restrict 235200])
{
    const float rate = (float)batch->rate;
    const int from = part * 98, to = nn_min(from + 98, 784);
    const int first = from / 196 * 196; // of the slice
    for (int j = 0, wide; j < 300; j += wide) {
        wide = j < 288 ? 32 : 12;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = first * 300 + j * 196 + (from - first) * wide + i;
            m[at] = 0.9f * m[at] - rate * g[j * (to - from) + i];
            w[at] += 0.9f * m[at] - rate * g[j * (to - from) + i];
        }
    }
}

// m = momentum m - rate g; w = w + momentum m - rate g
static void dense1_b_update(const NnBatch *batch, float w[restrict 300], const float g[300],
                            float m[restrict 300])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 300; j++) {
        m[j] = 0.9f * m[j] - rate * g[j];
        w[j] += 0.9f * m[j] - rate * g[j];
    }
}

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_infer(const NnBatch *batch, int rows, float y[restrict ROWS][300],
                         const float x[ROWS][784], const float w[235200], const float b[300])
{
    if (batch->zeros)
        panels_4x196x300_skipping(rows, x, w, y);
    else
        panels_4x196x300(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 300; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// --- dense2: dense 50 relu   300 -> 50 -----------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense2_forward(int rows, float y[restrict ROWS][50], const float x[ROWS][300],
                           const float w[15000], const float b[50])
{
    panels_300x50(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
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
static void dense2_b_partial(int rows, float db[restrict 50], const float dy[ROWS][64])
{
    memset(db, 0, sizeof(float[50]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 50; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense2_b_gradient(float sum[restrict 50], const float partial[BLOCKS][50])
{
    for (int j = 0; j < 50; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 50; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense1)
// dx = y > 0 ? dy : 0
static void dense2_backward(int rows, float dx[restrict ROWS][304], const float dy[ROWS][64],
                            const float turned[15000], const float y[ROWS][300])
{
    panels_50of64x300of304(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 300; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy
static void dense2_w_gradient(const NnBatch *batch, int part, float dw[restrict 2150],
                              const float x[BATCH][300], const float dy[BATCH][64],
                              const float w[15000])
{
    const int from = part * 43, to = nn_min(from + 43, 300);
    outer_panels_300x50of64(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// m = momentum m - rate g; w = w + momentum m - rate g
static void dense2_w_update(const NnBatch *batch, int part, float w[restrict 15000],
                            const float g[2150], float m[restrict 15000])
{
    const float rate = (float)batch->rate;
    const int from = part * 43, to = nn_min(from + 43, 300);
    for (int j = 0, wide; j < 50; j += wide) {
        wide = j < 48 ? 48 : 1;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 300 + from * wide + i;
            m[at] = 0.9f * m[at] - rate * g[j * (to - from) + i];
            w[at] += 0.9f * m[at] - rate * g[j * (to - from) + i];
        }
    }
}

// m = momentum m - rate g; w = w + momentum m - rate g
static void dense2_b_update(const NnBatch *batch, float w[restrict 50], const float g[50],
                            float m[restrict 50])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 50; j++) {
        m[j] = 0.9f * m[j] - rate * g[j];
        w[j] += 0.9f * m[j] - rate * g[j];
    }
}

// turned = w', rows and columns exchanged
static void dense2_w_turn(int part, float turned[restrict 15000], const float w[15000])
{
    const int from = part * 43, to = nn_min(from + 43, 300);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = k < 288 ? 32 : 12; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 50; j += wide) {
            wide = j < 48 ? 48 : 1;
            nn_turn_float(high - low, wide, w + j * 300 + low * wide, wide,
                          turned + k * 50 + low - k + j * line, line);
        }
    }
}

// --- dense3: dense 10 softmax   50 -> 10 ---------------------------------------------------------

// y = x w
// then y = x + b
static void dense3_forward(int rows, float y[restrict ROWS][10], const float x[ROWS][50],
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
static void dense3_backward(int rows, float dx[restrict ROWS][64], const float dy[ROWS][10],
                            const float turned[10][50], const float y[ROWS][50])
{
    product_10x50of64(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 50; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy of the block's rows
static void dense3_w_partial(int rows, float dw[restrict 50][10], const float x[ROWS][50],
                             const float dy[ROWS][10])
{
    if (rows == 0) // of a batch that is cut short
        memset(dw, 0, sizeof(float[500]));
    outer_50x10(0, 50, rows, x, dy, dw, false);
}

// sum = sum of the blocks' partial sums, first to last
static void dense3_w_gradient(float sum[restrict 50][10], const float partial[BLOCKS][50][10])
{
    for (int i = 0; i < 50; i++) {
        for (int j = 0; j < 10; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 10; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// m = momentum m - rate g; w = w + momentum m - rate g
static void dense3_w_update(const NnBatch *batch, float w[restrict 50][10], const float g[50][10],
                            float m[restrict 50][10])
{
    const float rate = (float)batch->rate;
    for (int i = 0; i < 50; i++)
        for (int j = 0; j < 10; j++) {
            m[i][j] = 0.9f * m[i][j] - rate * g[i][j];
            w[i][j] += 0.9f * m[i][j] - rate * g[i][j];
        }
}

// m = momentum m - rate g; w = w + momentum m - rate g
static void dense3_b_update(const NnBatch *batch, float w[restrict 10], const float g[10],
                            float m[restrict 10])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 10; j++) {
        m[j] = 0.9f * m[j] - rate * g[j];
        w[j] += 0.9f * m[j] - rate * g[j];
    }
}

// turned = w', rows and columns exchanged
static void dense3_w_turn(float turned[restrict 10][50], const float w[50][10])
{
    nn_turn_float(50, 10, w[0], 10, &turned[0][0], 50);
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
    for (int part = 0; part < 7; part++)
        dense2_w_turn(part, dense2_w_turned, dense2_w);
}

// nn_call(f, x) is f(x). Where batch->timed, it also adds the time that it took to row CALL_f of
// the table `calls`, which the command `bench` prints.
enum {
    CALL_input_slice,
    CALL_dense1_slice, CALL_dense1_forward, CALL_dense1_b_partial, CALL_dense1_b_gradient,
    CALL_dense1_w_gradient, CALL_dense1_w_update, CALL_dense1_b_update,
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
    nn_each (part, 4) {
        nn_call(input_slice, batch, part, WHOLE(input));
        nn_call(dense1_slice, batch, part, WHOLE(dense1_slices), WHOLE(input), dense1_w);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(dense1_forward, first, rows, BLOCK(dense1), WHOLE(dense1_slices), dense1_b);
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
    }
    nn_barrier();

    if (!loss_total(batch, result, WHOLE(loss), WHOLE(predicted))) {
        nn_barrier();
        return; // not finite: no weight is changed
    }
    nn_each (part, 7) {
        _Alignas(64) float d_dense2_w[2150]; // of this part
        nn_call(dense2_w_gradient, batch, part, d_dense2_w, WHOLE(dense1), WHOLE(d_dense2_z),
                dense2_w);
        nn_call(dense2_w_update, batch, part, dense2_w, d_dense2_w, dense2_w_m);
        nn_call(dense2_w_turn, part, dense2_w_turned, dense2_w);
    }
    nn_each (part, 8) {
        _Alignas(64) float d_dense1_w[29400]; // of this part
        nn_call(dense1_w_gradient, batch, part, d_dense1_w, WHOLE(input), WHOLE(d_dense1_z));
        nn_call(dense1_w_update, batch, part, dense1_w, d_dense1_w, dense1_w_m);
    }
    nn_single (0) {
        nn_call(dense3_b_gradient, WHOLE(d_dense3_b), WHOLE(d_dense3_b_partial));
        nn_call(dense3_w_gradient, WHOLE(d_dense3_w), WHOLE(d_dense3_w_partial));
        nn_call(dense3_w_update, batch, dense3_w, WHOLE(d_dense3_w), dense3_w_m);
        nn_call(dense3_b_update, batch, dense3_b, WHOLE(d_dense3_b), dense3_b_m);
        nn_call(dense3_w_turn, dense3_w_turned, dense3_w);
    }
    nn_single (1) {
        nn_call(dense2_b_gradient, WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        nn_call(dense2_b_update, batch, dense2_b, WHOLE(d_dense2_b), dense2_b_m);
    }
    nn_single (2) {
        nn_call(dense1_b_gradient, WHOLE(d_dense1_b), WHOLE(d_dense1_b_partial));
        nn_call(dense1_b_update, batch, dense1_b, WHOLE(d_dense1_b), dense1_b_m);
    }
    if (!nn_own_slices()) // the next step begins with what is this thread's alone
        nn_barrier();
}

// The forward pass alone, as the trained network is used.
static void infer(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        input_forward(batch, first, rows, BLOCK(infer_input));
        dense1_infer(batch, rows, BLOCK(infer_dense1), BLOCK(infer_input), dense1_w, dense1_b);
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
    for (int part = 0; part < 4; part++)
        input_slice(batch, part, WHOLE(input));
    if (!nn_finite_f32(WHOLE(input), 78400L))
        return "input";
    for (int part = 0; part < 4; part++)
        dense1_slice(batch, part, WHOLE(dense1_slices), WHOLE(input), dense1_w);
    if (!nn_finite_f32(WHOLE(dense1_slices), 120000L))
        return "dense1";
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        dense1_forward(first, rows, BLOCK(dense1), WHOLE(dense1_slices), dense1_b);
        if (!nn_finite_f32(BLOCK(dense1), rows * 300L))
            return "dense1";
        dense2_forward(rows, BLOCK(dense2), BLOCK(dense1), dense2_w, dense2_b);
        if (!nn_finite_f32(BLOCK(dense2), rows * 50L))
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
    {"dense1", "dense 300 relu", "300", 235500, 235200},
    {"dense2", "dense 50 relu", "50", 15050, 15000},
    {"dense3", "dense 10 softmax", "10", 510, 500},
};

static const NnTensor tensors[] = {
    {"dense1_w", NN_WEIGHT, {784, 300}, dense1_w, NULL, NN_UNIFORM, 0.0743979526,
     {196, 32, 288, 300, 0}},
    {"dense1_b", NN_WEIGHT, {300}, dense1_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w", NN_WEIGHT, {300, 50}, dense2_w, NULL, NN_UNIFORM, 0.130930734,
     {300, 32, 0, 48, 0}},
    {"dense2_b", NN_WEIGHT, {50}, dense2_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_w", NN_WEIGHT, {50, 10}, dense3_w, NULL, NN_UNIFORM, 0.316227766, {0}},
    {"dense3_b", NN_WEIGHT, {10}, dense3_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w_m", NN_OPTIMIZER, {784, 300}, dense1_w_m, NULL, NN_CONSTANT, 0,
     {196, 32, 288, 300, 0}},
    {"dense1_b_m", NN_OPTIMIZER, {300}, dense1_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_m", NN_OPTIMIZER, {300, 50}, dense2_w_m, NULL, NN_CONSTANT, 0, {300, 32, 0, 48, 0}},
    {"dense2_b_m", NN_OPTIMIZER, {50}, dense2_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_w_m", NN_OPTIMIZER, {50, 10}, dense3_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_b_m", NN_OPTIMIZER, {10}, dense3_b_m, NULL, NN_CONSTANT, 0, {0}},
};

// Of each call its operations in a matrix product, for each picture; other ones, for each picture
// and for each step; bytes read and written, likewise.
static const NnCall calls[] = {
    [CALL_input_slice] = {"input_slice", "input", NN_FORWARD, 0, 0, 78400, 0, 392000},
    [CALL_dense1_slice] = {"dense1_slice", "dense1", NN_FORWARD, 470400, 0, 0, 0, 1734400},
    [CALL_dense1_forward] = {"dense1_forward", "dense1", NN_FORWARD, 0, 1800, 0, 1200, 1924800},
    [CALL_dense2_forward] = {"dense2_forward", "dense2", NN_FORWARD, 30000, 100, 0, 1400, 240800},
    [CALL_dense3_forward] = {"dense3_forward", "dense3", NN_FORWARD, 1000, 10, 0, 240, 8160},
    [CALL_dense3_softmax] = {"dense3_softmax", "dense3", NN_FORWARD, 0, 40, 0, 80, 0},
    [CALL_output_predict] = {"output_predict", "output", NN_FORWARD, 0, 10, 0, 44, 0},
    [CALL_loss_forward] = {"loss_forward", "loss", NN_FORWARD, 0, 40, 0, 44, 0},
    [CALL_loss_backward] = {"loss_backward", "loss", NN_BACKWARD, 0, 20, 0, 80, 0},
    [CALL_dense3_b_partial] = {"dense3_b_partial", "dense3", NN_BACKWARD, 0, 10, 0, 40, 160},
    [CALL_dense3_b_gradient] = {"dense3_b_gradient", "dense3", NN_BACKWARD, 0, 0, 10, 0, 200},
    [CALL_dense3_backward] = {"dense3_backward", "dense3", NN_BACKWARD, 1000, 50, 0, 440, 8000},
    [CALL_dense3_w_partial] = {"dense3_w_partial", "dense3", NN_BACKWARD, 1000, 0, 0, 240, 8000},
    [CALL_dense3_w_gradient] = {"dense3_w_gradient", "dense3", NN_BACKWARD, 0, 0, 500, 0, 10000},
    [CALL_dense2_b_partial] = {"dense2_b_partial", "dense2", NN_BACKWARD, 0, 50, 0, 200, 800},
    [CALL_dense2_b_gradient] = {"dense2_b_gradient", "dense2", NN_BACKWARD, 0, 0, 50, 0, 1000},
    [CALL_dense2_backward] = {"dense2_backward", "dense2", NN_BACKWARD, 30000, 300, 0, 2600,
                              240000},
    [CALL_dense2_w_gradient] = {"dense2_w_gradient", "dense2", NN_BACKWARD, 30000, 0, 0, 1400,
                                60000},
    [CALL_dense1_b_partial] = {"dense1_b_partial", "dense1", NN_BACKWARD, 0, 300, 0, 1200, 4800},
    [CALL_dense1_b_gradient] = {"dense1_b_gradient", "dense1", NN_BACKWARD, 0, 0, 300, 0, 6000},
    [CALL_dense1_w_gradient] = {"dense1_w_gradient", "dense1", NN_BACKWARD, 470400, 0, 0, 1200,
                                1254400},
    [CALL_dense1_w_update] = {"dense1_w_update", "dense1", NN_UPDATE, 0, 0, 1411200, 0, 4704000},
    [CALL_dense1_b_update] = {"dense1_b_update", "dense1", NN_UPDATE, 0, 0, 1800, 0, 6000},
    [CALL_dense2_w_update] = {"dense2_w_update", "dense2", NN_UPDATE, 0, 0, 90000, 0, 300000},
    [CALL_dense2_b_update] = {"dense2_b_update", "dense2", NN_UPDATE, 0, 0, 300, 0, 1000},
    [CALL_dense3_w_update] = {"dense3_w_update", "dense3", NN_UPDATE, 0, 0, 3000, 0, 10000},
    [CALL_dense3_b_update] = {"dense3_b_update", "dense3", NN_UPDATE, 0, 0, 60, 0, 200},
    [CALL_dense3_w_turn] = {"dense3_w_turn", "dense3", NN_UPDATE, 0, 0, 0, 0, 4000},
    [CALL_dense2_w_turn] = {"dense2_w_turn", "dense2", NN_UPDATE, 0, 0, 0, 0, 120000},
};

const NnModel nn_model = {
    .name = "depth",
    .source =
        "# depth, compiled by netc --target x86-64-v4\012"
        "#\012"
        "# A second, narrow layer; experiment 2.\012"
        "data mnist\012"
        "input 28x28x1\012"
        "dense [300 50] relu\012"
        "dense 10 softmax\012"
        "\012"
        "loss      cross_entropy\012"
        "optimizer sgd lr 0.05 momentum 0.9 nesterov on  # chosen on validation data\012"
        "batch     100\012"
        "epochs    5\012",
    .fingerprint = "7089931e983ef3be",
    .type = NN_F32, .vector_bytes = NN_VECTOR_BYTES,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "mnist", .format = NN_IDX,
    .byte_scale = 0.00392156862745098, .number_scale = 1,
    .batch = BATCH, .blocks = BLOCKS, .epochs = 5, .seed = 1, .rate = 0.05,
    .enough_zeros = 0.65,
    .loss = "cross_entropy", .optimizer = "sgd",
    .threads = 64,
    .layers = layers, .layer_count = 3,
    .tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,
    .parameters = 251060,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 1066240, .optimizer_bytes = 1004240,
    .operations_forward = 502985, .operations_backward = 533139, .operations_update = 1506360,
    .train_step = train_step, .profiled = NN_PROFILED,
    .calls = calls, .call_count = sizeof calls / sizeof *calls,
    .prepare = prepare,
    .infer = infer,
    .output = WHOLE(infer_dense3), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
