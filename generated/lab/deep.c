// deep: a network compiled by netc into the C that trains it.
//
//   layer            statement                          output         parameters
//   input            input 28x28x1                      28x28x1
//   dense1           dense 520 relu                     520            408200
//   dense2           dense 300 relu                     300            156300
//   dense3           dense 250 relu                     250            75250
//   dense4           dense 130 relu                     130            32630
//   dense5           dense 60 relu                      60             7860
//   dense6           dense 10 softmax                   10             610
//                                                                      680850
//
// In the functions of a layer x is what it reads and y what it makes, w and b are weights, i is a
// row of the batch, and dx is the gradient of the mean loss by x. Above each stands its formula.
//
// Contents, each part behind a line of dashes:
//   sizes                         how a batch is cut into blocks of rows
//   tensors that outlive a step   weights, and what the optimizer remembers of them
//   the arena                     where every other value of a step lies
//   matrix products               tiles for the processor, and a function for each shape
//   input, ... dense6             each layer: forward, backward, update
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
// 784x520 in panels of 196x32, 196x8
static _Alignas(64) float dense1_w[407680]; // uniform within sqrt(6 / (784 + 520)) (glorot)
static _Alignas(64) float dense1_b[520]; // zeros
// 520x300 in panels of 520x32, 520x12
static _Alignas(64) float dense2_w[156000]; // uniform within sqrt(6 / (520 + 300)) (glorot)
static _Alignas(64) float dense2_b[300]; // zeros
// 300x250 in panels of 300x32, 300x26
static _Alignas(64) float dense3_w[75000]; // uniform within sqrt(6 / (300 + 250)) (glorot)
static _Alignas(64) float dense3_b[250]; // zeros
// 250x130 in panels of 250x32, 2 columns of 250
static _Alignas(64) float dense4_w[32500]; // uniform within sqrt(6 / (250 + 130)) (glorot)
static _Alignas(64) float dense4_b[130]; // zeros
static _Alignas(64) float dense5_w[130][60]; // uniform within sqrt(6 / (130 + 60)) (glorot)
static _Alignas(64) float dense5_b[60]; // zeros
static _Alignas(64) float dense6_w[60][10]; // uniform within sqrt(6 / (60 + 10)) (glorot)
static _Alignas(64) float dense6_b[10]; // zeros

// what the optimizer remembers
// 784x520 in panels of 196x32, 196x8
static _Alignas(64) float dense1_w_v[407680];
static _Alignas(64) float dense1_b_v[520];
// 520x300 in panels of 520x32, 520x12
static _Alignas(64) float dense2_w_v[156000];
static _Alignas(64) float dense2_b_v[300];
// 300x250 in panels of 300x32, 300x26
static _Alignas(64) float dense3_w_v[75000];
static _Alignas(64) float dense3_b_v[250];
// 250x130 in panels of 250x32, 2 columns of 250
static _Alignas(64) float dense4_w_v[32500];
static _Alignas(64) float dense4_b_v[130];
static _Alignas(64) float dense5_w_v[130][60];
static _Alignas(64) float dense5_b_v[60];
static _Alignas(64) float dense6_w_v[60][10];
static _Alignas(64) float dense6_b_v[10];

// weights as products read them: in panels, exchanged, windows turned round or transformed
static _Alignas(64) float dense6_w_turned[10][60];
static _Alignas(64) float dense5_w_turned[60][130];
// 130x250 in panels of 130x32, 130x26
static _Alignas(64) float dense4_w_turned[32500];
// 250x300 in panels of 250x32, 250x12
static _Alignas(64) float dense3_w_turned[75000];
// 300x520 in panels of 300x32, 300x8
static _Alignas(64) float dense2_w_turned[156000];

// --- the arena -----------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 2212032,
    // of a training step: 2212032 bytes, 2223552 if nothing were shared
    AT_input =                 832000,                                    // [4][100][196]
    AT_dense1_slices =              0,                                    // [4][100][520]
    AT_dense1 =               1356800, EACH_dense1 =               52000, // [ROWS][520]
    AT_dense2 =               1686400, EACH_dense2 =               30000, // [ROWS][300]
    AT_dense3 =               1915200, EACH_dense3 =               25000, // [ROWS][250]
    AT_dense4 =               2072832, EACH_dense4 =               13000, // [ROWS][130]
    AT_dense5 =               2124864, EACH_dense5 =                8064, // [ROWS][60]
    AT_dense6_z =             2130880, EACH_dense6_z =              8064, // [ROWS][10]
    AT_dense6 =               2131904, EACH_dense6 =                8064, // [ROWS][10]
    AT_predicted =            2210944, EACH_predicted =              100, // [ROWS]
    AT_loss =                 2211392, EACH_loss =                   100, // [ROWS]
    AT_d_dense6_z =           2130880, EACH_d_dense6_z =            8064, // [ROWS][10]
    AT_d_dense6_b_partial =   2211840, EACH_d_dense6_b_partial =      40, // [10]
    AT_d_dense6_b =           2132480,                                    // [10]
    AT_d_dense5_z =           2157120, EACH_d_dense5_z =            6000, // [ROWS][60]
    AT_d_dense6_w_partial =   2181120, EACH_d_dense6_w_partial =    2400, // [60][10]
    AT_d_dense6_w =           2124864,                                    // [60][10]
    AT_d_dense5_b_partial =   2209984, EACH_d_dense5_b_partial =     240, // [60]
    AT_d_dense5_b =           2132224,                                    // [60]
    AT_d_dense4_z =           2015232, EACH_d_dense4_z =           14400, // [ROWS][144]
    AT_d_dense4_b_partial =   2207872, EACH_d_dense4_b_partial =     520, // [130]
    AT_d_dense4_b =           2131648,                                    // [130]
    AT_d_dense3_z =           1806400, EACH_d_dense3_z =           27200, // [ROWS][272]
    AT_d_dense3_b_partial =   2203840, EACH_d_dense3_b_partial =    1000, // [250]
    AT_d_dense3_b =           2130624,                                    // [250]
    AT_d_dense2_z =           1564800, EACH_d_dense2_z =           30400, // [ROWS][304]
    AT_d_dense2_b_partial =   2199040, EACH_d_dense2_b_partial =    1200, // [300]
    AT_d_dense2_b =           2129408,                                    // [300]
    AT_d_dense1_z =           1145600, EACH_d_dense1_z =           52800, // [ROWS][528]
    AT_d_dense1_b_partial =   2190720, EACH_d_dense1_b_partial =    2080, // [520]
    AT_d_dense1_b =           2127296,                                    // [520]
    // of inference: 526656 bytes
    AT_infer_input =                0, EACH_infer_input =         130432, // [ROWS][28][28][1]
    AT_infer_dense1 =           78400, EACH_infer_dense1 =        130432, // [ROWS][520]
    AT_infer_dense2 =               0, EACH_infer_dense2 =        130432, // [ROWS][300]
    AT_infer_dense3 =           30016, EACH_infer_dense3 =        130432, // [ROWS][250]
    AT_infer_dense4 =               0, EACH_infer_dense4 =        130432, // [ROWS][130]
    AT_infer_dense5 =           13056, EACH_infer_dense5 =        130432, // [ROWS][60]
    AT_infer_dense6_z =             0, EACH_infer_dense6_z =      130432, // [ROWS][10]
    AT_infer_dense6 =          521728, EACH_infer_dense6 =          1000, // [ROWS][10]
    AT_infer_predicted =       525760, EACH_infer_predicted =        100, // [ROWS]
    AT_infer_loss =            526208, EACH_infer_loss =             100, // [ROWS]
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
STRIP_LISTED(strip_4_1x8_listed, 4, 1, 1, 0, Vector8, 0)
STRIP(strip_13_9x32, 13, 9, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_9x8, 13, 9, INLINED, 1, Vector8, 0, 16)
STRIP(strip_13_10x32, 13, 10, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_10x8, 13, 10, INLINED, 1, Vector8, 0, 16)
STRIP(strip_13_12x32, 13, 12, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_12x8, 13, 12, INLINED, 1, Vector8, 0, 16)
STRIP(strip_13_12x12of16, 13, 12, INLINED, 1, Vector16, 4, 16)
STRIP(strip_13_4x32, 13, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_13_4x12of16, 13, 4, CALLED, 1, Vector16, 4, 16)
STRIP(strip_13_12x26of32, 13, 12, INLINED, 2, Vector16, 6, 16)
STRIP(strip_11_10x32, 11, 10, INLINED, 2, Vector16, 0, 16)
STRIP(strip_2_1x32, 2, 1, CALLED, 2, Vector16, 0, 16)
STRIP(strip_2_1x1, 2, 1, CALLED, 1, float, 0, 16)
STRIP(strip_13_12x28of32, 13, 12, INLINED, 2, Vector16, 4, 16)
STRIP(strip_13_12x2, 13, 12, INLINED, 1, Vector2, 0, 16)
STRIP(strip_11_4x32, 11, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_11_4x28of32, 11, 4, CALLED, 2, Vector16, 4, 16)
STRIP(strip_12_4x8, 12, 4, CALLED, 1, Vector8, 0, 16)
STRIP(strip_12_4x2, 12, 4, CALLED, 1, Vector2, 0, 16)

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

// c[rows][520] = a[rows][196] b[196][520], or c + that, with b in panels, without terms whose
// numbers of a are 0 in a whole tile
static void panels_196x520_onto_skipping(int rows, const void *left, const void *right,
                                         void *result, bool add)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    int32_t list[25][197];
    for (int i = 0; i < rows; i += 4)
        nn_places_of_rows(0, 196, nn_min(4, rows - i), a + i * 196, 196, list[i / 4]);
    for (int j = 0; j < 512; j += 64)
        strip_4_1x32and32_listed(rows, list[0], 197, a, 196, 1, b + j * 196, 32, c + j, 520,
                                 b + (j + 32) * 196, 32, c + j + 32, 520, add ? ONTO : false);
    strip_4_1x8_listed(rows, list[0], 197, a, 196, 1, b + 512 * 196, 8, c + 512, 520, NULL, 0, NULL,
                       0, add ? ONTO : false);
}

// c[rows][520] = a[rows][196] b[196][520], or c + that, with b in panels
static void panels_196x520_onto(int rows, const void *left, const void *right, void *result,
                                bool add)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 512; j += 32)
        strip_13_9x32(rows, 196, a, 196, 1, b + j * 196, 32, c + j, 520, add ? ONTO : false);
    strip_13_9x8(rows, 196, a, 196, 1, b + 512 * 196, 8, c + 512, 520, add ? ONTO : false);
}

// c = rows from..to of the 196x520 sums a[terms][196]' b[terms][520], where rows of b are 528
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. Terms whose numbers of a are 0 in a whole tile are left out.
// So many terms at a time that what the tiles read again stays in the first cache.
static void outer_panels_196x520of528_skipping(int from, int to, int terms, const void *left,
                                               const void *right, void *result, int high, int row,
                                               const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 196 + from;
        const float *const b = (const float *)right + (size_t)at * 528;
        float *const c = result;
        int32_t list[13][129];
        nn_rows_of_places(some, to - from, 4, a, 196, list[0], 129);
        for (int j = 0; j < 512; j += 64) {
            if (change && at == 0) {
                claim((const float *)change + j * 196 + from * 32, (to - from) * 32);
                claim((const float *)change + (j + 32) * 196 + from * 32, (to - from) * 32);
            }
            strip_4_1x32and32_listed(to - from, list[0], 129, a, 1, 196, b + j, 528,
                                     c + j * high + row * 32, 32, b + j + 32, 528,
                                     c + (j + 32) * high + row * 32, 32, add || at > 0);
        }
        if (change && at == 0)
            claim((const float *)change + 512 * 196 + from * 8, (to - from) * 8);
        strip_4_1x8_listed(to - from, list[0], 129, a, 1, 196, b + 512, 528,
                           c + 512 * high + row * 8, 8, NULL, 0, NULL, 0, add || at > 0);
    }
}

// c = rows from..to of the 196x520 sums a[terms][196]' b[terms][520], where rows of b are 528
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_196x520of528(int from, int to, int terms, const void *left,
                                      const void *right, void *result, int high, int row,
                                      const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 196 + from;
        const float *const b = (const float *)right + (size_t)at * 528;
        float *const c = result;
        for (int j = 0; j < 512; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 196 + from * 32, (to - from) * 32);
            strip_13_10x32(to - from, some, a, 1, 196, b + j, 528, c + j * high + row * 32, 32,
                           add || at > 0);
        }
        if (change && at == 0)
            claim((const float *)change + 512 * 196 + from * 8, (to - from) * 8);
        strip_13_10x8(to - from, some, a, 1, 196, b + 512, 528, c + 512 * high + row * 8, 8,
                      add || at > 0);
    }
}

// c[rows][520] = a[rows][784] b[784][520], with b in panels, without terms whose numbers of a are
// 0 in a whole tile
static void panels_4x196x520_skipping(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int part = 0; part < 784; part += 196) {
        int32_t list[7][197];
        for (int i = 0; i < rows; i += 4)
            nn_places_of_rows(0, 196, nn_min(4, rows - i), a + part + i * 784, 784, list[i / 4]);
        for (int j = 0; j < 512; j += 64)
            strip_4_1x32and32_listed(rows, list[0], 197, a + part, 784, 1, b + part * 520 + j * 196,
                                     32, c + j, 520, b + part * 520 + (j + 32) * 196, 32,
                                     c + j + 32, 520, part > 0);
        strip_4_1x8_listed(rows, list[0], 197, a + part, 784, 1, b + part * 520 + 512 * 196, 8,
                           c + 512, 520, NULL, 0, NULL, 0, part > 0);
    }
}

// c[rows][520] = a[rows][784] b[784][520], with b in panels
static void panels_4x196x520(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int part = 0; part < 784; part += 196) {
        for (int j = 0; j < 512; j += 32)
            strip_13_12x32(rows, 196, a + part, 784, 1, b + part * 520 + j * 196, 32, c + j, 520,
                           part > 0);
        strip_13_12x8(rows, 196, a + part, 784, 1, b + part * 520 + 512 * 196, 8, c + 512, 520,
                      part > 0);
    }
}

// c[rows][300] = a[rows][520] b[520][300], with b in panels
static void panels_520x300(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 288; j += 32)
        strip_13_12x32(rows, 520, a, 520, 1, b + j * 520, 32, c + j, 300, false);
    strip_13_12x12of16(rows, 520, a, 520, 1, b + 288 * 520 - 4, 12, c + 284, 300, false);
}

// c[rows][520] = a[rows][300] b[300][520], with b in panels, where rows of a are 304 and of c 528
// numbers apart
static void panels_300of304x520of528(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 512; j += 32)
        strip_13_12x32(rows, 300, a, 304, 1, b + j * 300, 32, c + j, 528, false);
    strip_13_12x8(rows, 300, a, 304, 1, b + 512 * 300, 8, c + 512, 528, false);
}

// c = rows from..to of the 520x300 sums a[terms][520]' b[terms][300], where rows of b are 304
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_520x300of304(int from, int to, int terms, const void *left,
                                      const void *right, void *result, int high, int row,
                                      const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 520 + from;
        const float *const b = (const float *)right + (size_t)at * 304;
        float *const c = result;
        for (int j = 0; j < 288; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 520 + from * 32, (to - from) * 32);
            strip_13_4x32(to - from, some, a, 1, 520, b + j, 304, c + j * high + row * 32, 32,
                          add || at > 0);
        }
        if (change && at == 0)
            claim((const float *)change + 288 * 520 + from * 12, (to - from) * 12);
        strip_13_4x12of16(to - from, some, a, 1, 520, b + 284, 304, c + 288 * high + row * 12 - 4,
                          12, add || at > 0);
    }
}

// c[rows][250] = a[rows][300] b[300][250], with b in panels
static void panels_300x250(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 224; j += 32)
        strip_13_12x32(rows, 300, a, 300, 1, b + j * 300, 32, c + j, 250, false);
    strip_13_12x26of32(rows, 300, a, 300, 1, b + 224 * 300 - 6, 26, c + 218, 250, false);
}

// c[rows][300] = a[rows][250] b[250][300], with b in panels, where rows of a are 272 and of c 304
// numbers apart
static void panels_250of272x300of304(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 288; j += 32)
        strip_13_12x32(rows, 250, a, 272, 1, b + j * 250, 32, c + j, 304, false);
    strip_13_12x12of16(rows, 250, a, 272, 1, b + 288 * 250 - 4, 12, c + 284, 304, false);
}

// c = rows from..to of the 300x250 sums a[terms][300]' b[terms][250], where rows of b are 272
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_300x250of272(int from, int to, int terms, const void *left,
                                      const void *right, void *result, int high, int row,
                                      const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 300 + from;
        const float *const b = (const float *)right + (size_t)at * 272;
        float *const c = result;
        for (int j = 0; j < 224; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 300 + from * 32, (to - from) * 32);
            strip_13_12x32(to - from, some, a, 1, 300, b + j, 272, c + j * high + row * 32, 32,
                           add || at > 0);
        }
        if (change && at == 0)
            claim((const float *)change + 224 * 300 + from * 26, (to - from) * 26);
        strip_13_12x26of32(to - from, some, a, 1, 300, b + 218, 272, c + 224 * high + row * 26 - 6,
                           26, add || at > 0);
    }
}

// c[rows][130] = a[rows][250] b[250][130], with b in panels
static void panels_250x130(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 128; j += 32)
        strip_13_12x32(rows, 250, a, 250, 1, b + j * 250, 32, c + j, 130, false);
    dots_8x2(rows, 250, a, 250, b + 128 * 250, 250, c + 128, 130, false);
}

// c[rows][250] = a[rows][130] b[130][250], with b in panels, where rows of a are 144 and of c 272
// numbers apart
static void panels_130of144x250of272(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 224; j += 32)
        strip_13_12x32(rows, 130, a, 144, 1, b + j * 130, 32, c + j, 272, false);
    strip_13_12x26of32(rows, 130, a, 144, 1, b + 224 * 130 - 6, 26, c + 218, 272, false);
}

// c = rows from..to of the 250x130 sums a[terms][250]' b[terms][130], where rows of b are 144
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_250x130of144(int from, int to, int terms, const void *left,
                                      const void *right, void *result, int high, int row,
                                      const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 250 + from;
        const float *const b = (const float *)right + (size_t)at * 144;
        float *const c = result;
        for (int j = 0; j < 128; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 250 + from * 32, (to - from) * 32);
            strip_11_10x32(to - from, some, a, 1, 250, b + j, 144, c + j * high + row * 32, 32,
                           add || at > 0);
        }
        if (change && at == 0)
            for (int j = 128; j < 130; j++)
                claim((const float *)change + j * 250 + from, to - from);
        float *const d = c + 128 * high + row; // a column after the other
        int i = 0;
        for (; i + 32 <= to - from; i += 32) {
            strip_2_1x32(2, some, b + 128, 1, 144, a + i, 250, d + i, high, add || at > 0);
        }
        for (; i < to - from; i++)
            strip_2_1x1(2, some, b + 128, 1, 144, a + i, 250, d + i, high, add || at > 0);
    }
}

// c[rows][60] = a[rows][130] b[130][60]
static void product_130x60(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x32(rows, 130, a, 130, 1, b, 60, c, 60, false);
    strip_13_12x28of32(rows, 130, a, 130, 1, b + 28, 60, c + 28, 60, false);
}

// c[rows][130] = a[rows][60] b[60][130], where rows of c are 144 numbers apart
static void product_60x130of144(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 128; j += 32)
        strip_13_12x32(rows, 60, a, 60, 1, b + j, 130, c + j, 144, false);
    strip_13_12x2(rows, 60, a, 60, 1, b + 128, 130, c + 128, 144, false);
}

// c = rows from..to of the 130x60 sums a[terms][130]' b[terms][60], or c + those. So many terms at
// a time that what the tiles read again stays in the first cache.
static void outer_130x60(int from, int to, int terms, const void *left, const void *right,
                         void *result, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 130 + from;
        const float *const b = (const float *)right + (size_t)at * 60;
        float *const c = result;
        strip_11_4x32(to - from, some, a, 1, 130, b, 60, c, 60, add || at > 0);
        strip_11_4x28of32(to - from, some, a, 1, 130, b + 28, 60, c + 28, 60, add || at > 0);
    }
}

// c[rows][10] = a[rows][60] b[60][10]
static void product_60x10(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x8(rows, 60, a, 60, 1, b, 10, c, 10, false);
    strip_13_12x2(rows, 60, a, 60, 1, b + 8, 10, c + 8, 10, false);
}

// c[rows][60] = a[rows][10] b[10][60]
static void product_10x60(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_13_12x32(rows, 10, a, 10, 1, b, 60, c, 60, false);
    strip_13_12x28of32(rows, 10, a, 10, 1, b + 28, 60, c + 28, 60, false);
}

// c = rows from..to of the 60x10 sums a[terms][60]' b[terms][10], or c + those. So many terms at a
// time that what the tiles read again stays in the first cache.
static void outer_60x10(int from, int to, int terms, const void *left, const void *right,
                        void *result, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 60 + from;
        const float *const b = (const float *)right + (size_t)at * 10;
        float *const c = result;
        strip_12_4x8(to - from, some, a, 1, 60, b, 10, c, 10, add || at > 0);
        strip_12_4x2(to - from, some, a, 1, 60, b + 8, 10, c + 8, 10, add || at > 0);
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

// --- dense1: dense 520 relu   28x28x1 -> 520 -----------------------------------------------------

// sum = x w, a slice of x by its rows of w
static void dense1_slice(const NnBatch *batch, int part, float sum[restrict 4][100][520],
                         const float x[4][100][196], const float w[407680])
{
    const bool add = nn_pairs() && part % 2; // to the slice before, which is the same thread's
    if (batch->zeros)
        panels_196x520_onto_skipping(batch->rows, x[part], w + part * 101920, sum[part - add], add);
    else
        panels_196x520_onto(batch->rows, x[part], w + part * 101920, sum[part - add], add);
}

// y = x w, the sum of all slices' sums
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_forward(int first, int rows, float y[restrict ROWS][520],
                           const float sum[4][100][520], const float b[520])
{
    const bool pairs = nn_pairs();
    for (int i = 0; i < rows; i++) {
        if (pairs)
            for (int j = 0; j < 520; j++)
                y[i][j] = sum[0][first + i][j] + sum[2][first + i][j];
        else
            for (int j = 0; j < 520; j++)
                y[i][j] = (sum[0][first + i][j] + sum[1][first + i][j]) +
                          (sum[2][first + i][j] + sum[3][first + i][j]);
        for (int j = 0; j < 520; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense1_b_partial(int rows, float db[restrict 520], const float dy[ROWS][528])
{
    memset(db, 0, sizeof(float[520]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 520; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense1_b_gradient(float sum[restrict 520], const float partial[BLOCKS][520])
{
    for (int j = 0; j < 520; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 520; j++)
            sum[j] += partial[block][j];
}

// forward: sum = x w, a slice of x by its rows of w
// dw = x' dy
static void dense1_w_gradient(const NnBatch *batch, int part, float dw[restrict 25480],
                              const float x[4][100][196], const float dy[BATCH][528])
{
    const int from = part * 49, to = nn_min(from + 49, 784);
    const int first = from / 196 * 196; // of the slice
    const int slice = from / 196;
    if (batch->zeros)
        outer_panels_196x520of528_skipping(from - first, to - first, batch->rows, x[slice], dy, dw,
                                           to - from, 0, NULL, false);
    else
        outer_panels_196x520of528(from - first, to - first, batch->rows, x[slice], dy, dw,
                                  to - from, 0, NULL, false);
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense1_w_update(const NnBatch *batch, int part, float w[restrict 407680],
                            const float g[25480], float v[restrict 407680])
{
    const float rate = (float)batch->rate;
    const int from = part * 49, to = nn_min(from + 49, 784);
    const int first = from / 196 * 196; // of the slice
    for (int j = 0, wide; j < 520; j += wide) {
        wide = j < 512 ? 32 : 8;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = first * 520 + j * 196 + (from - first) * wide + i;
            v[at] += 0.1f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * g[j * (to - from) + i] / nn_rootf(v[at] + 1e-7f);
        }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense1_b_update(const NnBatch *batch, float w[restrict 520], const float g[520],
                            float v[restrict 520])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 520; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_infer(const NnBatch *batch, int rows, float y[restrict ROWS][520],
                         const float x[ROWS][784], const float w[407680], const float b[520])
{
    if (batch->zeros)
        panels_4x196x520_skipping(rows, x, w, y);
    else
        panels_4x196x520(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 520; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// --- dense2: dense 300 relu   520 -> 300 ---------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense2_forward(int rows, float y[restrict ROWS][300], const float x[ROWS][520],
                           const float w[156000], const float b[300])
{
    panels_520x300(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
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
static void dense2_b_partial(int rows, float db[restrict 300], const float dy[ROWS][304])
{
    memset(db, 0, sizeof(float[300]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 300; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense2_b_gradient(float sum[restrict 300], const float partial[BLOCKS][300])
{
    for (int j = 0; j < 300; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 300; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense1)
// dx = y > 0 ? dy : 0
static void dense2_backward(int rows, float dx[restrict ROWS][528], const float dy[ROWS][304],
                            const float turned[156000], const float y[ROWS][520])
{
    panels_300of304x520of528(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 520; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy
static void dense2_w_gradient(const NnBatch *batch, int part, float dw[restrict 19500],
                              const float x[BATCH][520], const float dy[BATCH][304],
                              const float w[156000])
{
    const int from = part * 65, to = nn_min(from + 65, 520);
    outer_panels_520x300of304(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense2_w_update(const NnBatch *batch, int part, float w[restrict 156000],
                            const float g[19500], float v[restrict 156000])
{
    const float rate = (float)batch->rate;
    const int from = part * 65, to = nn_min(from + 65, 520);
    for (int j = 0, wide; j < 300; j += wide) {
        wide = j < 288 ? 32 : 12;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 520 + from * wide + i;
            v[at] += 0.1f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * g[j * (to - from) + i] / nn_rootf(v[at] + 1e-7f);
        }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense2_b_update(const NnBatch *batch, float w[restrict 300], const float g[300],
                            float v[restrict 300])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 300; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense2_w_turn(int part, float turned[restrict 156000], const float w[156000])
{
    const int from = part * 65, to = nn_min(from + 65, 520);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = k < 512 ? 32 : 8; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 300; j += wide) {
            wide = j < 288 ? 32 : 12;
            nn_turn_float(high - low, wide, w + j * 520 + low * wide, wide,
                          turned + k * 300 + low - k + j * line, line);
        }
    }
}

// --- dense3: dense 250 relu   300 -> 250 ---------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense3_forward(int rows, float y[restrict ROWS][250], const float x[ROWS][300],
                           const float w[75000], const float b[250])
{
    panels_300x250(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 250; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense3_b_partial(int rows, float db[restrict 250], const float dy[ROWS][272])
{
    memset(db, 0, sizeof(float[250]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 250; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense3_b_gradient(float sum[restrict 250], const float partial[BLOCKS][250])
{
    for (int j = 0; j < 250; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 250; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense2)
// dx = y > 0 ? dy : 0
static void dense3_backward(int rows, float dx[restrict ROWS][304], const float dy[ROWS][272],
                            const float turned[75000], const float y[ROWS][300])
{
    panels_250of272x300of304(rows, dy, turned, dx);
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
static void dense3_w_gradient(const NnBatch *batch, int part, float dw[restrict 9500],
                              const float x[BATCH][300], const float dy[BATCH][272],
                              const float w[75000])
{
    const int from = part * 38, to = nn_min(from + 38, 300);
    outer_panels_300x250of272(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense3_w_update(const NnBatch *batch, int part, float w[restrict 75000],
                            const float g[9500], float v[restrict 75000])
{
    const float rate = (float)batch->rate;
    const int from = part * 38, to = nn_min(from + 38, 300);
    for (int j = 0, wide; j < 250; j += wide) {
        wide = j < 224 ? 32 : 26;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 300 + from * wide + i;
            v[at] += 0.1f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * g[j * (to - from) + i] / nn_rootf(v[at] + 1e-7f);
        }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense3_b_update(const NnBatch *batch, float w[restrict 250], const float g[250],
                            float v[restrict 250])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 250; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense3_w_turn(int part, float turned[restrict 75000], const float w[75000])
{
    const int from = part * 38, to = nn_min(from + 38, 300);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = k < 288 ? 32 : 12; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 250; j += wide) {
            wide = j < 224 ? 32 : 26;
            nn_turn_float(high - low, wide, w + j * 300 + low * wide, wide,
                          turned + k * 250 + low - k + j * line, line);
        }
    }
}

// --- dense4: dense 130 relu   250 -> 130 ---------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense4_forward(int rows, float y[restrict ROWS][130], const float x[ROWS][250],
                           const float w[32500], const float b[130])
{
    panels_250x130(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 130; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense4_b_partial(int rows, float db[restrict 130], const float dy[ROWS][144])
{
    memset(db, 0, sizeof(float[130]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 130; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense4_b_gradient(float sum[restrict 130], const float partial[BLOCKS][130])
{
    for (int j = 0; j < 130; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 130; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense3)
// dx = y > 0 ? dy : 0
static void dense4_backward(int rows, float dx[restrict ROWS][272], const float dy[ROWS][144],
                            const float turned[32500], const float y[ROWS][250])
{
    panels_130of144x250of272(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 250; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy
static void dense4_w_gradient(const NnBatch *batch, int part, float dw[restrict 4160],
                              const float x[BATCH][250], const float dy[BATCH][144],
                              const float w[32500])
{
    const int from = part * 32, to = nn_min(from + 32, 250);
    outer_panels_250x130of144(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense4_w_update(const NnBatch *batch, int part, float w[restrict 32500],
                            const float g[4160], float v[restrict 32500])
{
    const float rate = (float)batch->rate;
    const int from = part * 32, to = nn_min(from + 32, 250);
    for (int j = 0, wide; j < 130; j += wide) {
        wide = j < 128 ? 32 : 1;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 250 + from * wide + i;
            v[at] += 0.1f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * g[j * (to - from) + i] / nn_rootf(v[at] + 1e-7f);
        }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense4_b_update(const NnBatch *batch, float w[restrict 130], const float g[130],
                            float v[restrict 130])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 130; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense4_w_turn(int part, float turned[restrict 32500], const float w[32500])
{
    const int from = part * 32, to = nn_min(from + 32, 250);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = k < 224 ? 32 : 26; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 130; j += wide) {
            wide = j < 128 ? 32 : 1;
            nn_turn_float(high - low, wide, w + j * 250 + low * wide, wide,
                          turned + k * 130 + low - k + j * line, line);
        }
    }
}

// --- dense5: dense 60 relu   130 -> 60 -----------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense5_forward(int rows, float y[restrict ROWS][60], const float x[ROWS][130],
                           const float w[130][60], const float b[60])
{
    product_130x60(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 60; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense5_b_partial(int rows, float db[restrict 60], const float dy[ROWS][60])
{
    memset(db, 0, sizeof(float[60]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 60; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense5_b_gradient(float sum[restrict 60], const float partial[BLOCKS][60])
{
    for (int j = 0; j < 60; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 60; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense4)
// dx = y > 0 ? dy : 0
static void dense5_backward(int rows, float dx[restrict ROWS][144], const float dy[ROWS][60],
                            const float turned[60][130], const float y[ROWS][130])
{
    product_60x130of144(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 130; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy
static void dense5_w_gradient(const NnBatch *batch, int part, float dw[restrict 44][60],
                              const float x[BATCH][130], const float dy[BATCH][60])
{
    const int from = part * 44, to = nn_min(from + 44, 130);
    outer_130x60(from, to, batch->rows, x, dy, dw, false);
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense5_w_update(const NnBatch *batch, int part, float w[restrict 130][60],
                            const float g[44][60], float v[restrict 130][60])
{
    const float rate = (float)batch->rate;
    const int from = part * 44, to = nn_min(from + 44, 130);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 60; j++) {
            v[i][j] += 0.1f * (g[i - from][j] * g[i - from][j] - v[i][j]);
            w[i][j] -= rate * g[i - from][j] / nn_rootf(v[i][j] + 1e-7f);
        }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense5_b_update(const NnBatch *batch, float w[restrict 60], const float g[60],
                            float v[restrict 60])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 60; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense5_w_turn(int part, float turned[restrict 60][130], const float w[130][60])
{
    const int from = part * 44, to = nn_min(from + 44, 130);
    nn_turn_float(to - from, 60, w[from], 60, &turned[0][from], 130);
}

// --- dense6: dense 10 softmax   60 -> 10 ---------------------------------------------------------

// y = x w
// then y = x + b
static void dense6_forward(int rows, float y[restrict ROWS][10], const float x[ROWS][60],
                           const float w[60][10], const float b[10])
{
    product_60x10(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 10; j++) {
            float v = y[i][j];
            v += b[j];
            y[i][j] = v;
        }
    }
}

// y = exp(x) / sum exp(x)
static void dense6_softmax(int rows, float y[restrict ROWS][10], const float x[ROWS][10])
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
static void dense6_b_partial(int rows, float db[restrict 10], const float dy[ROWS][10])
{
    memset(db, 0, sizeof(float[10]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 10; c++)
            db[c] += dy[i][c];
}

// sum = sum of the blocks' partial sums, first to last
static void dense6_b_gradient(float sum[restrict 10], const float partial[BLOCKS][10])
{
    for (int j = 0; j < 10; j++)
        sum[j] = partial[0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 10; j++)
            sum[j] += partial[block][j];
}

// forward: y = x w
// dx = dy w'
// forward: y = x < 0 ? 0 : x (dense5)
// dx = y > 0 ? dy : 0
static void dense6_backward(int rows, float dx[restrict ROWS][60], const float dy[ROWS][10],
                            const float turned[10][60], const float y[ROWS][60])
{
    product_10x60(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 60; j++) {
            float v = dx[i][j];
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy of the block's rows
static void dense6_w_partial(int rows, float dw[restrict 60][10], const float x[ROWS][60],
                             const float dy[ROWS][10])
{
    if (rows == 0) // of a batch that is cut short
        memset(dw, 0, sizeof(float[600]));
    outer_60x10(0, 60, rows, x, dy, dw, false);
}

// sum = sum of the blocks' partial sums, first to last
static void dense6_w_gradient(float sum[restrict 60][10], const float partial[BLOCKS][60][10])
{
    for (int i = 0; i < 60; i++) {
        for (int j = 0; j < 10; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 10; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense6_w_update(const NnBatch *batch, float w[restrict 60][10], const float g[60][10],
                            float v[restrict 60][10])
{
    const float rate = (float)batch->rate;
    for (int i = 0; i < 60; i++)
        for (int j = 0; j < 10; j++) {
            v[i][j] += 0.1f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * g[i][j] / sqrtf(v[i][j] + 1e-7f);
        }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense6_b_update(const NnBatch *batch, float w[restrict 10], const float g[10],
                            float v[restrict 10])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 10; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / sqrtf(v[j] + 1e-7f);
    }
}

// turned = w', rows and columns exchanged
static void dense6_w_turn(float turned[restrict 10][60], const float w[60][10])
{
    nn_turn_float(60, 10, w[0], 10, &turned[0][0], 60);
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
    dense6_w_turn(dense6_w_turned, dense6_w);
    for (int part = 0; part < 3; part++)
        dense5_w_turn(part, dense5_w_turned, dense5_w);
    for (int part = 0; part < 8; part++)
        dense4_w_turn(part, dense4_w_turned, dense4_w);
    for (int part = 0; part < 8; part++)
        dense3_w_turn(part, dense3_w_turned, dense3_w);
    for (int part = 0; part < 8; part++)
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
    CALL_dense3_forward, CALL_dense3_b_partial, CALL_dense3_b_gradient, CALL_dense3_backward,
    CALL_dense3_w_gradient, CALL_dense3_w_update, CALL_dense3_b_update, CALL_dense3_w_turn,
    CALL_dense4_forward, CALL_dense4_b_partial, CALL_dense4_b_gradient, CALL_dense4_backward,
    CALL_dense4_w_gradient, CALL_dense4_w_update, CALL_dense4_b_update, CALL_dense4_w_turn,
    CALL_dense5_forward, CALL_dense5_b_partial, CALL_dense5_b_gradient, CALL_dense5_backward,
    CALL_dense5_w_gradient, CALL_dense5_w_update, CALL_dense5_b_update, CALL_dense5_w_turn,
    CALL_dense6_forward, CALL_dense6_softmax, CALL_dense6_b_partial, CALL_dense6_b_gradient,
    CALL_dense6_backward, CALL_dense6_w_partial, CALL_dense6_w_gradient, CALL_dense6_w_update,
    CALL_dense6_b_update, CALL_dense6_w_turn,
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
        nn_call(dense3_forward, rows, BLOCK(dense3), BLOCK(dense2), dense3_w, dense3_b);
        nn_call(dense4_forward, rows, BLOCK(dense4), BLOCK(dense3), dense4_w, dense4_b);
        nn_call(dense5_forward, rows, BLOCK(dense5), BLOCK(dense4), dense5_w, dense5_b);
        nn_call(dense6_forward, rows, BLOCK(dense6_z), BLOCK(dense5), dense6_w, dense6_b);
        nn_call(dense6_softmax, rows, BLOCK(dense6), BLOCK(dense6_z));
        nn_call(output_predict, rows, BLOCK(predicted), BLOCK(dense6));
        nn_call(loss_forward, batch, first, rows, BLOCK(loss), BLOCK(dense6_z));
        nn_call(loss_backward, batch, first, rows, BLOCK(d_dense6_z), BLOCK(dense6));
        nn_call(dense6_b_partial, rows, BLOCK(d_dense6_b_partial), BLOCK(d_dense6_z));
        nn_call(dense6_backward, rows, BLOCK(d_dense5_z), BLOCK(d_dense6_z), dense6_w_turned,
                BLOCK(dense5));
        nn_call(dense6_w_partial, rows, BLOCK(d_dense6_w_partial), BLOCK(dense5),
                BLOCK(d_dense6_z));
        nn_call(dense5_b_partial, rows, BLOCK(d_dense5_b_partial), BLOCK(d_dense5_z));
        nn_call(dense5_backward, rows, BLOCK(d_dense4_z), BLOCK(d_dense5_z), dense5_w_turned,
                BLOCK(dense4));
        nn_call(dense4_b_partial, rows, BLOCK(d_dense4_b_partial), BLOCK(d_dense4_z));
        nn_call(dense4_backward, rows, BLOCK(d_dense3_z), BLOCK(d_dense4_z), dense4_w_turned,
                BLOCK(dense3));
        nn_call(dense3_b_partial, rows, BLOCK(d_dense3_b_partial), BLOCK(d_dense3_z));
        nn_call(dense3_backward, rows, BLOCK(d_dense2_z), BLOCK(d_dense3_z), dense3_w_turned,
                BLOCK(dense2));
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
    nn_each (part, 3) {
        _Alignas(64) float d_dense5_w[44][60]; // of this part
        nn_call(dense5_w_gradient, batch, part, d_dense5_w, WHOLE(dense4), WHOLE(d_dense5_z));
        nn_call(dense5_w_update, batch, part, dense5_w, d_dense5_w, dense5_w_v);
        nn_call(dense5_w_turn, part, dense5_w_turned, dense5_w);
    }
    nn_each (part, 8) {
        _Alignas(64) float d_dense4_w[4160]; // of this part
        nn_call(dense4_w_gradient, batch, part, d_dense4_w, WHOLE(dense3), WHOLE(d_dense4_z),
                dense4_w);
        nn_call(dense4_w_update, batch, part, dense4_w, d_dense4_w, dense4_w_v);
        nn_call(dense4_w_turn, part, dense4_w_turned, dense4_w);
    }
    nn_each (part, 8) {
        _Alignas(64) float d_dense3_w[9500]; // of this part
        nn_call(dense3_w_gradient, batch, part, d_dense3_w, WHOLE(dense2), WHOLE(d_dense3_z),
                dense3_w);
        nn_call(dense3_w_update, batch, part, dense3_w, d_dense3_w, dense3_w_v);
        nn_call(dense3_w_turn, part, dense3_w_turned, dense3_w);
    }
    nn_each (part, 8) {
        _Alignas(64) float d_dense2_w[19500]; // of this part
        nn_call(dense2_w_gradient, batch, part, d_dense2_w, WHOLE(dense1), WHOLE(d_dense2_z),
                dense2_w);
        nn_call(dense2_w_update, batch, part, dense2_w, d_dense2_w, dense2_w_v);
        nn_call(dense2_w_turn, part, dense2_w_turned, dense2_w);
    }
    nn_each (part, 16) {
        _Alignas(64) float d_dense1_w[25480]; // of this part
        nn_call(dense1_w_gradient, batch, part, d_dense1_w, WHOLE(input), WHOLE(d_dense1_z));
        nn_call(dense1_w_update, batch, part, dense1_w, d_dense1_w, dense1_w_v);
    }
    nn_single (0) {
        nn_call(dense6_b_gradient, WHOLE(d_dense6_b), WHOLE(d_dense6_b_partial));
        nn_call(dense6_w_gradient, WHOLE(d_dense6_w), WHOLE(d_dense6_w_partial));
        nn_call(dense6_w_update, batch, dense6_w, WHOLE(d_dense6_w), dense6_w_v);
        nn_call(dense6_b_update, batch, dense6_b, WHOLE(d_dense6_b), dense6_b_v);
        nn_call(dense6_w_turn, dense6_w_turned, dense6_w);
    }
    nn_single (1) {
        nn_call(dense5_b_gradient, WHOLE(d_dense5_b), WHOLE(d_dense5_b_partial));
        nn_call(dense5_b_update, batch, dense5_b, WHOLE(d_dense5_b), dense5_b_v);
    }
    nn_single (2) {
        nn_call(dense4_b_gradient, WHOLE(d_dense4_b), WHOLE(d_dense4_b_partial));
        nn_call(dense4_b_update, batch, dense4_b, WHOLE(d_dense4_b), dense4_b_v);
    }
    nn_single (3) {
        nn_call(dense3_b_gradient, WHOLE(d_dense3_b), WHOLE(d_dense3_b_partial));
        nn_call(dense3_b_update, batch, dense3_b, WHOLE(d_dense3_b), dense3_b_v);
    }
    nn_single (4) {
        nn_call(dense2_b_gradient, WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        nn_call(dense2_b_update, batch, dense2_b, WHOLE(d_dense2_b), dense2_b_v);
    }
    nn_single (5) {
        nn_call(dense1_b_gradient, WHOLE(d_dense1_b), WHOLE(d_dense1_b_partial));
        nn_call(dense1_b_update, batch, dense1_b, WHOLE(d_dense1_b), dense1_b_v);
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
        dense3_forward(rows, BLOCK(infer_dense3), BLOCK(infer_dense2), dense3_w, dense3_b);
        dense4_forward(rows, BLOCK(infer_dense4), BLOCK(infer_dense3), dense4_w, dense4_b);
        dense5_forward(rows, BLOCK(infer_dense5), BLOCK(infer_dense4), dense5_w, dense5_b);
        dense6_forward(rows, BLOCK(infer_dense6_z), BLOCK(infer_dense5), dense6_w, dense6_b);
        dense6_softmax(rows, BLOCK(infer_dense6), BLOCK(infer_dense6_z));
        output_predict(rows, BLOCK(infer_predicted), BLOCK(infer_dense6));
        if (batch->labels)
            loss_forward(batch, first, rows, BLOCK(infer_loss), BLOCK(infer_dense6_z));
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
    if (!nn_finite_f32(WHOLE(dense1_slices), 208000L))
        return "dense1";
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        dense1_forward(first, rows, BLOCK(dense1), WHOLE(dense1_slices), dense1_b);
        if (!nn_finite_f32(BLOCK(dense1), rows * 520L))
            return "dense1";
        dense2_forward(rows, BLOCK(dense2), BLOCK(dense1), dense2_w, dense2_b);
        if (!nn_finite_f32(BLOCK(dense2), rows * 300L))
            return "dense2";
        dense3_forward(rows, BLOCK(dense3), BLOCK(dense2), dense3_w, dense3_b);
        if (!nn_finite_f32(BLOCK(dense3), rows * 250L))
            return "dense3";
        dense4_forward(rows, BLOCK(dense4), BLOCK(dense3), dense4_w, dense4_b);
        if (!nn_finite_f32(BLOCK(dense4), rows * 130L))
            return "dense4";
        dense5_forward(rows, BLOCK(dense5), BLOCK(dense4), dense5_w, dense5_b);
        if (!nn_finite_f32(BLOCK(dense5), rows * 60L))
            return "dense5";
        dense6_forward(rows, BLOCK(dense6_z), BLOCK(dense5), dense6_w, dense6_b);
        if (!nn_finite_f32(BLOCK(dense6_z), rows * 10L))
            return "dense6";
        dense6_softmax(rows, BLOCK(dense6), BLOCK(dense6_z));
        if (!nn_finite_f32(BLOCK(dense6), rows * 10L))
            return "dense6";
        loss_forward(batch, first, rows, BLOCK(loss), BLOCK(dense6_z));
        if (!nn_finite_f32(BLOCK(loss), rows))
            return "loss";
    }
    return NULL;
}

// --- what the runtime is told --------------------------------------------------------------------

static const NnLayer layers[] = {
    {"dense1", "dense 520 relu", "520", 408200, 407680},
    {"dense2", "dense 300 relu", "300", 156300, 156000},
    {"dense3", "dense 250 relu", "250", 75250, 75000},
    {"dense4", "dense 130 relu", "130", 32630, 32500},
    {"dense5", "dense 60 relu", "60", 7860, 7800},
    {"dense6", "dense 10 softmax", "10", 610, 600},
};

static const NnTensor tensors[] = {
    {"dense1_w", NN_WEIGHT, {784, 520}, dense1_w, NULL, NN_UNIFORM, 0.0678323447,
     {196, 32, 512, 520, 0}},
    {"dense1_b", NN_WEIGHT, {520}, dense1_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w", NN_WEIGHT, {520, 300}, dense2_w, NULL, NN_UNIFORM, 0.0855398923,
     {520, 32, 288, 300, 0}},
    {"dense2_b", NN_WEIGHT, {300}, dense2_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_w", NN_WEIGHT, {300, 250}, dense3_w, NULL, NN_UNIFORM, 0.104446594,
     {300, 32, 224, 250, 0}},
    {"dense3_b", NN_WEIGHT, {250}, dense3_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense4_w", NN_WEIGHT, {250, 130}, dense4_w, NULL, NN_UNIFORM, 0.125656172,
     {250, 32, 128, 128, 0}},
    {"dense4_b", NN_WEIGHT, {130}, dense4_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense5_w", NN_WEIGHT, {130, 60}, dense5_w, NULL, NN_UNIFORM, 0.177704663, {0}},
    {"dense5_b", NN_WEIGHT, {60}, dense5_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense6_w", NN_WEIGHT, {60, 10}, dense6_w, NULL, NN_UNIFORM, 0.292770022, {0}},
    {"dense6_b", NN_WEIGHT, {10}, dense6_b, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w_v", NN_OPTIMIZER, {784, 520}, dense1_w_v, NULL, NN_CONSTANT, 0,
     {196, 32, 512, 520, 0}},
    {"dense1_b_v", NN_OPTIMIZER, {520}, dense1_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_v", NN_OPTIMIZER, {520, 300}, dense2_w_v, NULL, NN_CONSTANT, 0,
     {520, 32, 288, 300, 0}},
    {"dense2_b_v", NN_OPTIMIZER, {300}, dense2_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense3_w_v", NN_OPTIMIZER, {300, 250}, dense3_w_v, NULL, NN_CONSTANT, 0,
     {300, 32, 224, 250, 0}},
    {"dense3_b_v", NN_OPTIMIZER, {250}, dense3_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense4_w_v", NN_OPTIMIZER, {250, 130}, dense4_w_v, NULL, NN_CONSTANT, 0,
     {250, 32, 128, 128, 0}},
    {"dense4_b_v", NN_OPTIMIZER, {130}, dense4_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense5_w_v", NN_OPTIMIZER, {130, 60}, dense5_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense5_b_v", NN_OPTIMIZER, {60}, dense5_b_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense6_w_v", NN_OPTIMIZER, {60, 10}, dense6_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense6_b_v", NN_OPTIMIZER, {10}, dense6_b_v, NULL, NN_CONSTANT, 0, {0}},
};

// Of each call its operations in a matrix product, for each picture; other ones, for each picture
// and for each step; bytes read and written, likewise.
static const NnCall calls[] = {
    [CALL_input_slice] = {"input_slice", "input", NN_FORWARD, 0, 0, 78400, 0, 392000},
    [CALL_dense1_slice] = {"dense1_slice", "dense1", NN_FORWARD, 815360, 0, 0, 0, 2776320},
    [CALL_dense1_forward] = {"dense1_forward", "dense1", NN_FORWARD, 0, 3120, 0, 2080, 3336320},
    [CALL_dense2_forward] = {"dense2_forward", "dense2", NN_FORWARD, 312000, 600, 0, 3280, 2500800},
    [CALL_dense3_forward] = {"dense3_forward", "dense3", NN_FORWARD, 150000, 500, 0, 2200, 1204000},
    [CALL_dense4_forward] = {"dense4_forward", "dense4", NN_FORWARD, 65000, 260, 0, 1520, 522080},
    [CALL_dense5_forward] = {"dense5_forward", "dense5", NN_FORWARD, 15600, 120, 0, 760, 125760},
    [CALL_dense6_forward] = {"dense6_forward", "dense6", NN_FORWARD, 1200, 10, 0, 280, 9760},
    [CALL_dense6_softmax] = {"dense6_softmax", "dense6", NN_FORWARD, 0, 40, 0, 80, 0},
    [CALL_output_predict] = {"output_predict", "output", NN_FORWARD, 0, 10, 0, 44, 0},
    [CALL_loss_forward] = {"loss_forward", "loss", NN_FORWARD, 0, 40, 0, 44, 0},
    [CALL_loss_backward] = {"loss_backward", "loss", NN_BACKWARD, 0, 20, 0, 80, 0},
    [CALL_dense6_b_partial] = {"dense6_b_partial", "dense6", NN_BACKWARD, 0, 10, 0, 40, 160},
    [CALL_dense6_b_gradient] = {"dense6_b_gradient", "dense6", NN_BACKWARD, 0, 0, 10, 0, 200},
    [CALL_dense6_backward] = {"dense6_backward", "dense6", NN_BACKWARD, 1200, 60, 0, 520, 9600},
    [CALL_dense6_w_partial] = {"dense6_w_partial", "dense6", NN_BACKWARD, 1200, 0, 0, 280, 9600},
    [CALL_dense6_w_gradient] = {"dense6_w_gradient", "dense6", NN_BACKWARD, 0, 0, 600, 0, 12000},
    [CALL_dense5_b_partial] = {"dense5_b_partial", "dense5", NN_BACKWARD, 0, 60, 0, 240, 960},
    [CALL_dense5_b_gradient] = {"dense5_b_gradient", "dense5", NN_BACKWARD, 0, 0, 60, 0, 1200},
    [CALL_dense5_backward] = {"dense5_backward", "dense5", NN_BACKWARD, 15600, 130, 0, 1280,
                              124800},
    [CALL_dense5_w_gradient] = {"dense5_w_gradient", "dense5", NN_BACKWARD, 15600, 0, 0, 760,
                                31200},
    [CALL_dense4_b_partial] = {"dense4_b_partial", "dense4", NN_BACKWARD, 0, 130, 0, 520, 2080},
    [CALL_dense4_b_gradient] = {"dense4_b_gradient", "dense4", NN_BACKWARD, 0, 0, 130, 0, 2600},
    [CALL_dense4_backward] = {"dense4_backward", "dense4", NN_BACKWARD, 65000, 250, 0, 2520,
                              520000},
    [CALL_dense4_w_gradient] = {"dense4_w_gradient", "dense4", NN_BACKWARD, 65000, 0, 0, 1520,
                                130000},
    [CALL_dense3_b_partial] = {"dense3_b_partial", "dense3", NN_BACKWARD, 0, 250, 0, 1000, 4000},
    [CALL_dense3_b_gradient] = {"dense3_b_gradient", "dense3", NN_BACKWARD, 0, 0, 250, 0, 5000},
    [CALL_dense3_backward] = {"dense3_backward", "dense3", NN_BACKWARD, 150000, 300, 0, 3400,
                              1200000},
    [CALL_dense3_w_gradient] = {"dense3_w_gradient", "dense3", NN_BACKWARD, 150000, 0, 0, 2200,
                                300000},
    [CALL_dense2_b_partial] = {"dense2_b_partial", "dense2", NN_BACKWARD, 0, 300, 0, 1200, 4800},
    [CALL_dense2_b_gradient] = {"dense2_b_gradient", "dense2", NN_BACKWARD, 0, 0, 300, 0, 6000},
    [CALL_dense2_backward] = {"dense2_backward", "dense2", NN_BACKWARD, 312000, 520, 0, 5360,
                              2496000},
    [CALL_dense2_w_gradient] = {"dense2_w_gradient", "dense2", NN_BACKWARD, 312000, 0, 0, 3280,
                                624000},
    [CALL_dense1_b_partial] = {"dense1_b_partial", "dense1", NN_BACKWARD, 0, 520, 0, 2080, 8320},
    [CALL_dense1_b_gradient] = {"dense1_b_gradient", "dense1", NN_BACKWARD, 0, 0, 520, 0, 10400},
    [CALL_dense1_w_gradient] = {"dense1_w_gradient", "dense1", NN_BACKWARD, 815360, 0, 0, 2080,
                                1944320},
    [CALL_dense1_w_update] = {"dense1_w_update", "dense1", NN_UPDATE, 0, 0, 3261440, 0, 8153600},
    [CALL_dense1_b_update] = {"dense1_b_update", "dense1", NN_UPDATE, 0, 0, 4160, 0, 10400},
    [CALL_dense2_w_update] = {"dense2_w_update", "dense2", NN_UPDATE, 0, 0, 1248000, 0, 3120000},
    [CALL_dense2_b_update] = {"dense2_b_update", "dense2", NN_UPDATE, 0, 0, 2400, 0, 6000},
    [CALL_dense3_w_update] = {"dense3_w_update", "dense3", NN_UPDATE, 0, 0, 600000, 0, 1500000},
    [CALL_dense3_b_update] = {"dense3_b_update", "dense3", NN_UPDATE, 0, 0, 2000, 0, 5000},
    [CALL_dense4_w_update] = {"dense4_w_update", "dense4", NN_UPDATE, 0, 0, 260000, 0, 650000},
    [CALL_dense4_b_update] = {"dense4_b_update", "dense4", NN_UPDATE, 0, 0, 1040, 0, 2600},
    [CALL_dense5_w_update] = {"dense5_w_update", "dense5", NN_UPDATE, 0, 0, 62400, 0, 156000},
    [CALL_dense5_b_update] = {"dense5_b_update", "dense5", NN_UPDATE, 0, 0, 480, 0, 1200},
    [CALL_dense6_w_update] = {"dense6_w_update", "dense6", NN_UPDATE, 0, 0, 4800, 0, 12000},
    [CALL_dense6_b_update] = {"dense6_b_update", "dense6", NN_UPDATE, 0, 0, 80, 0, 200},
    [CALL_dense6_w_turn] = {"dense6_w_turn", "dense6", NN_UPDATE, 0, 0, 0, 0, 4800},
    [CALL_dense5_w_turn] = {"dense5_w_turn", "dense5", NN_UPDATE, 0, 0, 0, 0, 62400},
    [CALL_dense4_w_turn] = {"dense4_w_turn", "dense4", NN_UPDATE, 0, 0, 0, 0, 260000},
    [CALL_dense3_w_turn] = {"dense3_w_turn", "dense3", NN_UPDATE, 0, 0, 0, 0, 600000},
    [CALL_dense2_w_turn] = {"dense2_w_turn", "dense2", NN_UPDATE, 0, 0, 0, 0, 1248000},
};

const NnModel nn_model = {
    .name = "deep",
    .source =
        "# deep, compiled by netc --target x86-64-v4\012"
        "#\012"
        "# Five hidden layers of any widths, all relu; experiment 3.\012"
        "param a = 520\012"
        "param b = 300\012"
        "param c = 250\012"
        "param d = 130\012"
        "param e = 60\012"
        "data mnist\012"
        "input 28x28x1\012"
        "dense [a b c d e] relu\012"
        "dense 10 softmax\012"
        "\012"
        "loss      cross_entropy\012"
        "optimizer rmsprop lr 0.001  # chosen on validation data, and the fall of the rate\012"
        "schedule  cosine\012"
        "batch     100\012"
        "epochs    5\012",
    .fingerprint = "34175e0f99b4c18b",
    .type = NN_F32, .vector_bytes = NN_VECTOR_BYTES,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "mnist", .format = NN_IDX,
    .byte_scale = 0.00392156862745098, .number_scale = 1,
    .batch = BATCH, .blocks = BLOCKS, .epochs = 5, .seed = 1, .rate = 0.001,
    .enough_zeros = 0.65,
    .schedule = {.kind = NN_COSINE, .time = {1, NN_SHARE}, .t_mul = 2, .m_mul = 1},
    .loss = "cross_entropy", .optimizer = "rmsprop",
    .threads = 64,
    .layers = layers, .layer_count = 6,
    .tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,
    .parameters = 680850,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 3811000, .optimizer_bytes = 2723400,
    .operations_forward = 1362565, .operations_backward = 1905529, .operations_update = 5446800,
    .train_step = train_step, .profiled = NN_PROFILED,
    .calls = calls, .call_count = sizeof calls / sizeof *calls,
    .prepare = prepare,
    .infer = infer,
    .output = WHOLE(infer_dense6), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
