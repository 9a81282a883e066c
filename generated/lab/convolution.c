// convolution: a network compiled by netc into the C that trains it.
//
//   layer            statement                          output         parameters
//   input            input 28x28x1                      28x28x1
//   conv1            conv 32 3x3 pad same l2 0.0001     28x28x32       320
//   batchnorm1       batchnorm                          28x28x32       64
//   relu1            relu                               28x28x32       0
//   pool1            pool 2x2                           14x14x32       0
//   dropout1         dropout 20%                        14x14x32       0
//   conv2            conv 64 3x3 l2 0.0001              12x12x64       18496
//   batchnorm2       batchnorm                          12x12x64       128
//   relu2            relu                               12x12x64       0
//   pool2            pool 2x2                           6x6x64         0
//   dropout2         dropout 20%                        6x6x64         0
//   conv3            conv 64 3x3 l2 0.0001              4x4x64         36928
//   batchnorm3       batchnorm                          4x4x64         128
//   relu3            relu                               4x4x64         0
//   dropout3         dropout 30%                        4x4x64         0
//   dense1           dense 520 relu                     520            533000
//   dense2           dense 300 relu                     300            156300
//   dense3           dense 250 relu                     250            75250
//   dense4           dense 130 relu                     130            32630
//   dense5           dense 60 relu                      60             7860
//   dense6           dense 10 softmax                   10             610
//                                                                      861714
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
enum { BATCH = 64, ROWS = 16, BLOCKS = 4 };

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
static _Alignas(64) float batchnorm1_gamma[32]; // ones
static _Alignas(64) float batchnorm1_beta[32]; // zeros
static _Alignas(64) float conv2_w[3][3][32][64]; // uniform within sqrt(6 / (288 + 576)) (glorot)
static _Alignas(64) float conv2_b[64]; // zeros
static _Alignas(64) float batchnorm2_gamma[64]; // ones
static _Alignas(64) float batchnorm2_beta[64]; // zeros
static _Alignas(64) float conv3_w[3][3][64][64]; // uniform within sqrt(6 / (576 + 576)) (glorot)
static _Alignas(64) float conv3_b[64]; // zeros
static _Alignas(64) float batchnorm3_gamma[64]; // ones
static _Alignas(64) float batchnorm3_beta[64]; // zeros
// 1024x520 in panels of 1024x32, 1024x8
static _Alignas(64) float dense1_w[532480]; // uniform within sqrt(6 / (1024 + 520)) (glorot)
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

// states, which follow the training
static _Alignas(64) float batchnorm1_mean[32]; // zeros
static _Alignas(64) float batchnorm1_variance[32]; // ones
static _Alignas(64) float batchnorm2_mean[64]; // zeros
static _Alignas(64) float batchnorm2_variance[64]; // ones
static _Alignas(64) float batchnorm3_mean[64]; // zeros
static _Alignas(64) float batchnorm3_variance[64]; // ones

// what the optimizer remembers
static _Alignas(64) float conv1_w_v[3][3][1][32];
static _Alignas(64) float batchnorm1_gamma_v[32];
static _Alignas(64) float batchnorm1_beta_v[32];
static _Alignas(64) float conv2_w_v[3][3][32][64];
static _Alignas(64) float batchnorm2_gamma_v[64];
static _Alignas(64) float batchnorm2_beta_v[64];
static _Alignas(64) float conv3_w_v[3][3][64][64];
static _Alignas(64) float batchnorm3_gamma_v[64];
static _Alignas(64) float batchnorm3_beta_v[64];
// 1024x520 in panels of 1024x32, 1024x8
static _Alignas(64) float dense1_w_v[532480];
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
// 520x1024 in panels of 520x32
static _Alignas(64) float dense1_w_turned[532480];
static _Alignas(64) float conv3_w_turned[64][576];
static _Alignas(64) float conv2_w_turned[6][6][64][32];
static _Alignas(64) float conv2_w_transformed[6][6][32][64];
static _Alignas(64) float conv3_w_transformed[6][6][64][64];

// --- the arena -----------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 24024320,
    // of a training step: 24024320 bytes, 44796032 if nothing were shared
    AT_input =               23822336, EACH_input =                50176, // [ROWS][28][28][1]
    AT_conv1 =                      0, EACH_conv1 =              1605632, // [ROWS][28][28][32]
    AT_batchnorm1_sums =      6422528, EACH_batchnorm1_sums =        512, // [2][32]
    AT_batchnorm1_stats =    24023552,                                    // [2][32]
    AT_relu1 =                6422528, EACH_relu1 =              1605632, // [ROWS][28][28][32]
    AT_pool1 =               19169280, EACH_pool1 =               401408, // [ROWS][14][14][32]
    AT_dropout1 =            20774912, EACH_dropout1 =            401408, // [ROWS][14][14][32]
    AT_conv2 =               12845056, EACH_conv2 =               589824, // [ROWS][12][12][64]
    AT_batchnorm2_sums =     15204352, EACH_batchnorm2_sums =       1024, // [2][64]
    AT_batchnorm2_stats =    24023040,                                    // [2][64]
    AT_relu2 =               15204352, EACH_relu2 =               589824, // [ROWS][12][12][64]
    AT_pool2 =               18153472, EACH_pool2 =               147456, // [ROWS][6][6][64]
    AT_dropout2 =            22380544, EACH_dropout2 =            147456, // [ROWS][6][6][64]
    AT_conv3 =               18743296, EACH_conv3 =                65536, // [ROWS][4][4][64]
    AT_batchnorm3_sums =     17563648, EACH_batchnorm3_sums =       1024, // [2][64]
    AT_batchnorm3_stats =    19168384,                                    // [2][64]
    AT_dropout3 =            17563648, EACH_dropout3 =             65536, // [ROWS][4][4][64]
    AT_dense1 =              17960960, EACH_dense1 =               33280, // [ROWS][520]
    AT_dense2 =              19083264, EACH_dense2 =               19200, // [ROWS][300]
    AT_dense3 =              23040000, EACH_dense3 =               16000, // [ROWS][250]
    AT_dense4 =              23104000, EACH_dense4 =                8320, // [ROWS][130]
    AT_dense5 =              18130944, EACH_dense5 =                5120, // [ROWS][60]
    AT_dense6_z =            18134784, EACH_dense6_z =              5120, // [ROWS][10]
    AT_dense6 =              18135424, EACH_dense6 =                5120, // [ROWS][10]
    AT_predicted =           19168896, EACH_predicted =               64, // [ROWS]
    AT_loss =                23174144, EACH_loss =                    64, // [ROWS]
    AT_conv1_w_penalty =     19169152,                                    // [1]
    AT_conv2_w_penalty =     19169216,                                    // [8]
    AT_conv3_w_penalty =     23174592,                                    // [8]
    AT_d_dense6_z =          18134784, EACH_d_dense6_z =            5120, // [ROWS][10]
    AT_d_dense6_b_partial =  23174400, EACH_d_dense6_b_partial =      40, // [10]
    AT_d_dense6_b =          18138560,                                    // [10]
    AT_d_dense5_z =          23137280, EACH_d_dense5_z =            3840, // [ROWS][60]
    AT_d_dense6_w_partial =  23152640, EACH_d_dense6_w_partial =    2400, // [60][10]
    AT_d_dense6_w =          18130944,                                    // [60][10]
    AT_d_dense5_b_partial =  23173184, EACH_d_dense5_b_partial =     240, // [60]
    AT_d_dense5_b =          18138304,                                    // [60]
    AT_d_dense4_z =          18094080, EACH_d_dense4_z =            9216, // [ROWS][144]
    AT_d_dense4_b_partial =  23171072, EACH_d_dense4_b_partial =     520, // [130]
    AT_d_dense4_b =          18137728,                                    // [130]
    AT_d_dense3_z =          22970368, EACH_d_dense3_z =           17408, // [ROWS][272]
    AT_d_dense3_b_partial =  23167040, EACH_d_dense3_b_partial =    1000, // [250]
    AT_d_dense3_b =          18136704,                                    // [250]
    AT_d_dense2_z =          19005440, EACH_d_dense2_z =           19456, // [ROWS][304]
    AT_d_dense2_b_partial =  23162240, EACH_d_dense2_b_partial =    1200, // [300]
    AT_d_dense2_b =          18135488,                                    // [300]
    AT_d_dense1_z =          17825792, EACH_d_dense1_z =           33792, // [ROWS][528]
    AT_d_dense1_b_partial =  19160064, EACH_d_dense1_b_partial =    2080, // [520]
    AT_d_dense1_b =          18133376,                                    // [520]
    AT_d_batchnorm3 =        23560192, EACH_d_batchnorm3 =         65536, // [ROWS][4][4][64]
    AT_d_batchnorm3_partial = 18151424, EACH_d_batchnorm3_partial =   512, // [2][64]
    AT_d_batchnorm3_beta =   24023808,                                    // [64]
    AT_d_batchnorm3_gamma =  24024064,                                    // [64]
    AT_d_conv3 =             23560192, EACH_d_conv3 =              65536, // [ROWS][4][4][64]
    AT_d_conv3_w_partial =   22970368, EACH_d_conv3_w_partial =   147456, // [3][3][64][64]
    AT_d_conv3_w =           17563648,                                    // [3][3][64][64]
    AT_d_pool2 =             17563648, EACH_d_pool2 =             147456, // [ROWS][6][6][64]
    AT_d_batchnorm2 =        15204352, EACH_d_batchnorm2 =        589824, // [ROWS][12][12][64]
    AT_d_batchnorm2_partial = 19005440, EACH_d_batchnorm2_partial =   512, // [2][64]
    AT_d_batchnorm2_beta =   22676480,                                    // [64]
    AT_d_batchnorm2_gamma =  22676736,                                    // [64]
    AT_d_conv2 =             15204352, EACH_d_conv2 =             589824, // [ROWS][12][12][64]
    AT_d_conv2_w_partial =   22380544, EACH_d_conv2_w_partial =    73728, // [3][3][32][64]
    AT_d_conv2_w =           12845056,                                    // [3][3][32][64]
    AT_d_pool1 =             17563648, EACH_d_pool1 =             401408, // [ROWS][14][14][32]
    AT_d_batchnorm1 =         6422528, EACH_d_batchnorm1 =       1605632, // [ROWS][28][28][32]
    AT_d_batchnorm1_partial = 22675456, EACH_d_batchnorm1_partial =   256, // [2][32]
    AT_d_batchnorm1_beta =   12918784,                                    // [32]
    AT_d_batchnorm1_gamma =  12918912,                                    // [32]
    AT_d_conv1 =              6422528, EACH_d_conv1 =            1605632, // [ROWS][28][28][32]
    AT_d_conv1_w_partial =   12845056, EACH_d_conv1_w_partial =     1152, // [3][3][1][32]
    AT_d_conv1_w =                  0,                                    // [3][3][1][32]
    // of inference: 8031424 bytes
    AT_infer_input =          1605632, EACH_infer_input =        2007040, // [ROWS][28][28][1]
    AT_infer_relu1 =                0, EACH_infer_relu1 =        2007040, // [ROWS][28][28][32]
    AT_infer_pool1 =          1605632, EACH_infer_pool1 =        2007040, // [ROWS][14][14][32]
    AT_infer_relu2 =                0, EACH_infer_relu2 =        2007040, // [ROWS][12][12][64]
    AT_infer_pool2 =           589824, EACH_infer_pool2 =        2007040, // [ROWS][6][6][64]
    AT_infer_relu3 =                0, EACH_infer_relu3 =        2007040, // [ROWS][4][4][64]
    AT_infer_dense1 =           65536, EACH_infer_dense1 =       2007040, // [ROWS][520]
    AT_infer_dense2 =               0, EACH_infer_dense2 =       2007040, // [ROWS][300]
    AT_infer_dense3 =           19200, EACH_infer_dense3 =       2007040, // [ROWS][250]
    AT_infer_dense4 =               0, EACH_infer_dense4 =       2007040, // [ROWS][130]
    AT_infer_dense5 =            8320, EACH_infer_dense5 =       2007040, // [ROWS][60]
    AT_infer_dense6_z =             0, EACH_infer_dense6_z =     2007040, // [ROWS][10]
    AT_infer_dense6 =         8028160, EACH_infer_dense6 =           640, // [ROWS][10]
    AT_infer_predicted =      8030720, EACH_infer_predicted =         64, // [ROWS]
    AT_infer_loss =           8030976, EACH_infer_loss =              64, // [ROWS]
    AT_infer_conv1_w_penalty = 8031232,                                    // [1]
    AT_infer_conv2_w_penalty = 8031296,                                    // [8]
    AT_infer_conv3_w_penalty = 8031360,                                    // [8]
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

STRIP(strip_8_4x32, 8, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_8_4x8, 8, 4, CALLED, 1, Vector8, 0, 16)
STRIP(strip_11_10x32, 11, 10, INLINED, 2, Vector16, 0, 16)
STRIP(strip_11_10x8, 11, 10, INLINED, 1, Vector8, 0, 16)
STRIP(strip_8_4x12of16, 8, 4, CALLED, 1, Vector16, 4, 16)
STRIP(strip_13_4x32, 13, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_13_4x12of16, 13, 4, CALLED, 1, Vector16, 4, 16)
STRIP(strip_8_4x26of32, 8, 4, CALLED, 2, Vector16, 6, 16)
STRIP(strip_13_12x32, 13, 12, INLINED, 2, Vector16, 0, 16)
STRIP(strip_13_12x26of32, 13, 12, INLINED, 2, Vector16, 6, 16)
STRIP(strip_2_1x32, 2, 1, CALLED, 2, Vector16, 0, 16)
STRIP(strip_2_1x1, 2, 1, CALLED, 1, float, 0, 16)
STRIP(strip_8_4x28of32, 8, 4, CALLED, 2, Vector16, 4, 16)
STRIP(strip_8_4x2, 8, 4, CALLED, 1, Vector2, 0, 16)
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

// c[rows][576] = a[rows][64] b[64][576]
static void product_64x576(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 576; j += 32)
        strip_8_4x32(rows, 64, a, 64, 1, b + j, 576, c + j, 576, false);
}

// c[rows][520] = a[rows][1024] b[1024][520], with b in panels
static void panels_1024x520(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 512; j += 32)
        strip_8_4x32(rows, 1024, a, 1024, 1, b + j * 1024, 32, c + j, 520, false);
    strip_8_4x8(rows, 1024, a, 1024, 1, b + 512 * 1024, 8, c + 512, 520, false);
}

// c[rows][1024] = a[rows][520] b[520][1024], with b in panels, where rows of a are 528 numbers
// apart
static void panels_520of528x1024(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 1024; j += 32)
        strip_8_4x32(rows, 520, a, 528, 1, b + j * 520, 32, c + j, 1024, false);
}

// c = rows from..to of the 1024x520 sums a[terms][1024]' b[terms][520], where rows of b are 528
// numbers apart, or c + those, in panels of `high` rows, from `row` on; the same rows of `change`,
// weights, are asked for on the way. So many terms at a time that what the tiles read again stays
// in the first cache.
static void outer_panels_1024x520of528(int from, int to, int terms, const void *left,
                                       const void *right, void *result, int high, int row,
                                       const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 1024 + from;
        const float *const b = (const float *)right + (size_t)at * 528;
        float *const c = result;
        for (int j = 0; j < 512; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 1024 + from * 32, (to - from) * 32);
            strip_11_10x32(to - from, some, a, 1, 1024, b + j, 528, c + j * high + row * 32, 32,
                           add || at > 0);
        }
        if (change && at == 0)
            claim((const float *)change + 512 * 1024 + from * 8, (to - from) * 8);
        strip_11_10x8(to - from, some, a, 1, 1024, b + 512, 528, c + 512 * high + row * 8, 8,
                      add || at > 0);
    }
}

// c[rows][300] = a[rows][520] b[520][300], with b in panels
static void panels_520x300(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 288; j += 32)
        strip_8_4x32(rows, 520, a, 520, 1, b + j * 520, 32, c + j, 300, false);
    strip_8_4x12of16(rows, 520, a, 520, 1, b + 288 * 520 - 4, 12, c + 284, 300, false);
}

// c[rows][520] = a[rows][300] b[300][520], with b in panels, where rows of a are 304 and of c 528
// numbers apart
static void panels_300of304x520of528(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 512; j += 32)
        strip_8_4x32(rows, 300, a, 304, 1, b + j * 300, 32, c + j, 528, false);
    strip_8_4x8(rows, 300, a, 304, 1, b + 512 * 300, 8, c + 512, 528, false);
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
        strip_8_4x32(rows, 300, a, 300, 1, b + j * 300, 32, c + j, 250, false);
    strip_8_4x26of32(rows, 300, a, 300, 1, b + 224 * 300 - 6, 26, c + 218, 250, false);
}

// c[rows][300] = a[rows][250] b[250][300], with b in panels, where rows of a are 272 and of c 304
// numbers apart
static void panels_250of272x300of304(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 288; j += 32)
        strip_8_4x32(rows, 250, a, 272, 1, b + j * 250, 32, c + j, 304, false);
    strip_8_4x12of16(rows, 250, a, 272, 1, b + 288 * 250 - 4, 12, c + 284, 304, false);
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
        strip_8_4x32(rows, 250, a, 250, 1, b + j * 250, 32, c + j, 130, false);
    dots_8x2(rows, 250, a, 250, b + 128 * 250, 250, c + 128, 130, false);
}

// c[rows][250] = a[rows][130] b[130][250], with b in panels, where rows of a are 144 and of c 272
// numbers apart
static void panels_130of144x250of272(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 224; j += 32)
        strip_8_4x32(rows, 130, a, 144, 1, b + j * 130, 32, c + j, 272, false);
    strip_8_4x26of32(rows, 130, a, 144, 1, b + 224 * 130 - 6, 26, c + 218, 272, false);
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
    strip_8_4x32(rows, 130, a, 130, 1, b, 60, c, 60, false);
    strip_8_4x28of32(rows, 130, a, 130, 1, b + 28, 60, c + 28, 60, false);
}

// c[rows][130] = a[rows][60] b[60][130], where rows of c are 144 numbers apart
static void product_60x130of144(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 128; j += 32)
        strip_8_4x32(rows, 60, a, 60, 1, b + j, 130, c + j, 144, false);
    strip_8_4x2(rows, 60, a, 60, 1, b + 128, 130, c + 128, 144, false);
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
    strip_8_4x8(rows, 60, a, 60, 1, b, 10, c, 10, false);
    strip_8_4x2(rows, 60, a, 60, 1, b + 8, 10, c + 8, 10, false);
}

// c[rows][60] = a[rows][10] b[10][60]
static void product_10x60(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_8_4x32(rows, 10, a, 10, 1, b, 60, c, 60, false);
    strip_8_4x28of32(rows, 10, a, 10, 1, b + 28, 60, c + 28, 60, false);
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
WINDOW(window_12x32_near, 12, 12, 2, Vector16, 32, 0)
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

// m[36][64] = v[36][32] u[32][64], at each of 6x6 places, u in panels
static void winograd_f4_36x32x64(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 36; i += 12)
                window_12x32_near(1, 32, v + i * 32, 32, 0, 0, 1, u + c * 32, 0, 32, m + c + i * 64,
                                  64, false);
        }
        v += 1152 + GAP;
        u += 2048;
        m += 2304 + GAP;
    }
}

// sum[32][64] += v[36][32]' z[36][64], at each of 6x6 places, sum in panels
static void winograd_weights_f4_36x32x64(const float *v, const float *z, float *sum)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 32; i += 8)
                window_8x32_near(1, 36, v + i, 1, 0, 0, 32, z + c, 0, 64, sum + c * 32 + i * 32, 32,
                                 true);
        }
        v += 1152 + GAP;
        z += 2304 + GAP;
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

// m[16][64] = v[16][64] u[64][64], at each of 6x6 places, u in panels
static void winograd_f4_16x64x64(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 16; i += 8)
                window_8x32_near(1, 64, v + i * 64, 64, 0, 0, 1, u + c * 64, 0, 32, m + c + i * 64,
                                 64, false);
        }
        v += 1024 + GAP;
        u += 4096;
        m += 1024 + GAP;
    }
}

// sum[64][64] += v[16][64]' z[16][64], at each of 6x6 places, sum in panels
static void winograd_weights_f4_16x64x64(const float *v, const float *z, float *sum)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 64; i += 8)
                window_8x32_near(1, 16, v + i, 1, 0, 0, 64, z + c, 0, 64, sum + c * 64 + i * 32, 32,
                                 true);
        }
        v += 1024 + GAP;
        z += 1024 + GAP;
        sum += 4096;
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

// --- conv1: conv 32 3x3 pad same l2 0.0001   28x28x1 -> 28x28x32 ---------------------------------

// y = x * w, a sum over each window
static void conv1_forward(int rows, float y[restrict ROWS][28][28][32],
                          const float x[ROWS][28][28][1], const float w[3][3][1][32])
{
    float padded[30][30][1] = {0};
    for (int i = 0; i < rows; i++) {
        for (int r = 1; r < 29; r++) {
            const int from = r - 1;
            memcpy(padded[r][1], x[i][from], sizeof(float[28][1]));
        }
        convolve_28x28_3x3x1x32(padded[0][0], w[0][0][0], y[i][0][0]);
    }
}

// penalty = l2 sum w^2
static void conv1_w_penalty(double penalty[restrict 1], const float w[9][32])
{
    double sums[32] = {0};
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 32; j++)
            sums[j] += (double)w[i][j] * w[i][j];
    double sum = 0;
    for (int j = 0; j < 32; j++)
        sum += sums[j];
    penalty[0] = 0.0001 * sum;
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
// then g = g + 2 l2 w
static void conv1_w_gradient(float sum[restrict 9][32], const float partial[BLOCKS][9][32],
                             const float w[9][32])
{
    for (int i = 0; i < 9; i++) {
        for (int j = 0; j < 32; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 32; j++)
                sum[i][j] += partial[block][i][j];
    }
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 32; j++) {
            float v = sum[i][j];
            v += 0.0002f * w[i][j];
            sum[i][j] = v;
        }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void conv1_w_update(const NnBatch *batch, float w[restrict 9][32], const float g[9][32],
                           float v[restrict 9][32])
{
    const float rate = (float)batch->rate;
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 32; j++) {
            v[i][j] += 0.1f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * g[i][j] / nn_rootf(v[i][j] + 1e-7f);
        }
}

// y = x * w, a sum over each window
// then y = x + b
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm1)
// then y = x < 0 ? 0 : x (relu1)
static void conv1_infer(int rows, float y[restrict ROWS][28][28][32],
                        const float x[ROWS][28][28][1], const float w[3][3][1][32],
                        const float b[32], const float mean[32], const float variance[32],
                        const float gamma[32], const float beta[32])
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
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm1: batchnorm   28x28x32 -> 28x28x32 ------------------------------------------------

// sums = sum x, sum x^2
static void batchnorm1_sums(int rows, double sums[restrict 2][32], const float x[ROWS][784][32])
{
    memset(sums, 0, sizeof(double[2][32]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 784; p++)
            for (int c = 0; c < 32; c++) {
                const double v = x[i][p][c];
                sums[0][c] += v;
                sums[1][c] += v * v;
            }
}

// stats = mean, 1 / sqrt(variance + eps)
static void batchnorm1_stats(const NnBatch *batch, float stats[restrict 2][32],
                             const double sums[BLOCKS][2][32])
{
    const double count = (double)batch->rows * 784;
    for (int c = 0; c < 32; c++) {
        double sum = 0, squares = 0;
        for (int block = 0; block < BLOCKS; block++) {
            sum += sums[block][0][c];
            squares += sums[block][1][c];
        }
        const double mean = sum / count, variance = squares / count - mean * mean;
        stats[0][c] = (float)mean;
        stats[1][c] = (float)(1 / sqrt((variance > 0 ? variance : 0) + 0.001));
    }
}

// mean, variance follow the batch's with b
static void batchnorm1_follow(float mean[restrict 32], float variance[restrict 32],
                              const float stats[2][32], const float b[32])
{
    for (int c = 0; c < 32; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.01f * (stats[0][c] + b[c] - mean[c]);
        variance[c] += 0.01f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu1)
static void batchnorm1_forward(int rows, float y[restrict ROWS][784][32],
                               const float x[ROWS][784][32], const float stats[2][32],
                               const float gamma[32], const float beta[32])
{
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 784; p++)
            for (int c = 0; c < 32; c++) {
                float v = x[i][p][c];
                v = (v - stats[0][c]) * stats[1][c] * gamma[c] + beta[c];
                v = v < 0 ? 0 : v;
                y[i][p][c] = v;
            }
    }
}

// forward: y = (x - mean) / deviation * gamma + beta
// sums = sum dy, sum dy xhat, xhat = (x - mean) / deviation
static void batchnorm1_partial(int rows, float sums[restrict 2][32], const float dy[ROWS][784][32],
                               const float x[ROWS][784][32], const float stats[2][32])
{
    memset(sums, 0, sizeof(float[2][32]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 784; p++)
            for (int c = 0; c < 32; c++) {
                sums[0][c] += dy[i][p][c];
                sums[1][c] += dy[i][p][c] * (x[i][p][c] - stats[0][c]) * stats[1][c];
            }
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm1_beta_gradient(float sum[restrict 32], const float partial[BLOCKS][2][32])
{
    for (int j = 0; j < 32; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 32; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm1_gamma_gradient(float sum[restrict 32], const float partial[BLOCKS][2][32])
{
    for (int j = 0; j < 32; j++)
        sum[j] = partial[0][1][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 32; j++)
            sum[j] += partial[block][1][j];
}

// forward: y = (x - mean) / deviation * gamma + beta
// dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy xhat))
// dx takes the place of dy
static void batchnorm1_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][784][32],
                                const float x[ROWS][784][32], const float stats[2][32],
                                const float gamma[32], const float dbeta[32],
                                const float dgamma[32])
{
    const float share = 1 / (float)(batch->rows * 784.0); // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 784; p++)
            for (int c = 0; c < 32; c++) {
                float v = dx[i][p][c];
                const float xhat = (x[i][p][c] - stats[0][c]) * stats[1][c];
                v = gamma[c] * stats[1][c] * (v - (dbeta[c] + xhat * dgamma[c]) * share);
                dx[i][p][c] = v;
            }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void batchnorm1_gamma_update(const NnBatch *batch, float w[restrict 32], const float g[32],
                                    float v[restrict 32])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 32; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void batchnorm1_beta_update(const NnBatch *batch, float w[restrict 32], const float g[32],
                                   float v[restrict 32])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 32; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
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
// forward: y = x < 0 ? 0 : x (relu1)
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

// --- dropout1: dropout 20%   14x14x32 -> 14x14x32 ------------------------------------------------

// y = kept ? x / (1 - rate) : 0
static void dropout1_forward(const NnBatch *batch, int first, int rows,
                             float y[restrict ROWS][6272], const float x[ROWS][6272])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 6272;
        for (int j = 0; j < 6272; j++) {
            float v = x[i][j];
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
            y[i][j] = v;
        }
    }
}

// --- conv2: conv 64 3x3 l2 0.0001   14x14x32 -> 12x12x64 -----------------------------------------

// y = x * w, a sum over each window, by transforms of both
static void conv2_forward(int rows, float y[restrict ROWS][12][12][64],
                          const float x[ROWS][14][14][32], const float transformed[6][6][32][64])
{
    const Squares of_x = {14, 14, 32, 0, 0, 4, 3, 3};
    const Squares of_y = {12, 12, 64, 0, 0, 4, 3, 3};
    _Alignas(64) float pixels[36][36 * 32 + GAP];
    _Alignas(64) float squares[36][36 * 64 + GAP];
    for (int i = 0; i < rows; i += 4) {
        const int pictures = nn_min(4, rows - i), count = pictures * 9;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 36, pixels[0]);
        winograd_f4_36x32x64(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 36, y[i][0][0]);
    }
}

// penalty = l2 sum w^2, of a part of w
static void conv2_w_penalty(int part, double penalty[restrict 8], const float w[288][64])
{
    double sums[64] = {0};
    const int from = part * 36, to = nn_min(from + 36, 288);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++)
            sums[j] += (double)w[i][j] * w[i][j];
    double sum = 0;
    for (int j = 0; j < 64; j++)
        sum += sums[j];
    penalty[part] = 0.0001 * sum;
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv2_w_partial(int rows, float dw[restrict 3][3][32][64],
                            const float x[ROWS][14][14][32], const float dy[ROWS][12][12][64])
{
    const Squares of_x = {14, 14, 32, 0, 0, 4, 3, 3};
    const Squares of_dy = {12, 12, 64, 0, 0, 4, 3, 3};
    _Alignas(64) float pixels[36][36 * 32 + GAP];
    _Alignas(64) float squares[36][36 * 64 + GAP];
    _Alignas(64) float windows[36][32 * 64];
    memset(windows, 0, sizeof windows);
    for (int i = 0; i < rows; i += 4) {
        const int pictures = nn_min(4, rows - i), count = pictures * 9;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 36, pixels[0]);
        transform_gradient_f4(dy[i][0][0], &of_dy, 0, count, 36, squares[0]);
        winograd_weights_f4_36x32x64(pixels[0], squares[0], windows[0]);
    }
    gradient_of_windows_f4(windows[0], 32, 64, dw[0][0][0]);
}

// sum = sum of the blocks' partial sums, first to last
// then g = g + 2 l2 w
static void conv2_w_gradient(int part, float sum[restrict 288][64],
                             const float partial[BLOCKS][288][64], const float w[288][64])
{
    const int from = part * 36, to = nn_min(from + 36, 288);
    for (int i = from; i < to; i++) {
        for (int j = 0; j < 64; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 64; j++)
                sum[i][j] += partial[block][i][j];
    }
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++) {
            float v = sum[i][j];
            v += 0.0002f * w[i][j];
            sum[i][j] = v;
        }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dx = dy * w turned round, by transforms of both
// forward: y = kept ? x / (1 - rate) : 0 (dropout1)
// dx = kept ? dy / (1 - rate) : 0
static void conv2_backward(const NnBatch *batch, int first, int rows,
                           float dx[restrict ROWS][14][14][32], const float dy[ROWS][12][12][64],
                           const float turned[6][6][64][32])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    const Squares of_dy = {12, 12, 64, 2, 2, 4, 4, 4};
    const Squares of_dx = {14, 14, 32, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 32 + GAP];
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(dy[i][0][0], &of_dy, 0, count, 32, pixels[0]);
        winograd_f4_32x64x32(pixels[0], turned[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_dx, 0, count, 32, dx[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 6272;
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 32; c++) {
                    float v = dx[i][row][col][c];
                    const uint32_t bits = nn_bits(key, number + (row * 14 + col) * 32 + c);
                    v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
                    dx[i][row][col][c] = v;
                }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void conv2_w_update(const NnBatch *batch, int part, float w[restrict 288][64],
                           const float g[288][64], float v[restrict 288][64])
{
    const float rate = (float)batch->rate;
    const int from = part * 36, to = nn_min(from + 36, 288);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++) {
            v[i][j] += 0.1f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * g[i][j] / nn_rootf(v[i][j] + 1e-7f);
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

// y = x * w, a sum over each window, by transforms of both
// then y = x + b
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm2)
// then y = x < 0 ? 0 : x (relu2)
static void conv2_infer(int rows, float y[restrict ROWS][12][12][64],
                        const float x[ROWS][14][14][32], const float transformed[6][6][32][64],
                        const float b[64], const float mean[64], const float variance[64],
                        const float gamma[64], const float beta[64])
{
    const Squares of_x = {14, 14, 32, 0, 0, 4, 3, 3};
    const Squares of_y = {12, 12, 64, 0, 0, 4, 3, 3};
    _Alignas(64) float pixels[36][36 * 32 + GAP];
    _Alignas(64) float squares[36][36 * 64 + GAP];
    for (int i = 0; i < rows; i += 4) {
        const int pictures = nn_min(4, rows - i), count = pictures * 9;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 36, pixels[0]);
        winograd_f4_36x32x64(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 36, y[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 12; row++)
            for (int col = 0; col < 12; col++)
                for (int c = 0; c < 64; c++) {
                    float v = y[i][row][col][c];
                    v += b[c];
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm2: batchnorm   12x12x64 -> 12x12x64 ------------------------------------------------

// sums = sum x, sum x^2
static void batchnorm2_sums(int rows, double sums[restrict 2][64], const float x[ROWS][144][64])
{
    memset(sums, 0, sizeof(double[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 144; p++)
            for (int c = 0; c < 64; c++) {
                const double v = x[i][p][c];
                sums[0][c] += v;
                sums[1][c] += v * v;
            }
}

// stats = mean, 1 / sqrt(variance + eps)
static void batchnorm2_stats(const NnBatch *batch, float stats[restrict 2][64],
                             const double sums[BLOCKS][2][64])
{
    const double count = (double)batch->rows * 144;
    for (int c = 0; c < 64; c++) {
        double sum = 0, squares = 0;
        for (int block = 0; block < BLOCKS; block++) {
            sum += sums[block][0][c];
            squares += sums[block][1][c];
        }
        const double mean = sum / count, variance = squares / count - mean * mean;
        stats[0][c] = (float)mean;
        stats[1][c] = (float)(1 / sqrt((variance > 0 ? variance : 0) + 0.001));
    }
}

// mean, variance follow the batch's with b
static void batchnorm2_follow(float mean[restrict 64], float variance[restrict 64],
                              const float stats[2][64], const float b[64])
{
    for (int c = 0; c < 64; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.01f * (stats[0][c] + b[c] - mean[c]);
        variance[c] += 0.01f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu2)
static void batchnorm2_forward(int rows, float y[restrict ROWS][144][64],
                               const float x[ROWS][144][64], const float stats[2][64],
                               const float gamma[64], const float beta[64])
{
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 144; p++)
            for (int c = 0; c < 64; c++) {
                float v = x[i][p][c];
                v = (v - stats[0][c]) * stats[1][c] * gamma[c] + beta[c];
                v = v < 0 ? 0 : v;
                y[i][p][c] = v;
            }
    }
}

// forward: y = (x - mean) / deviation * gamma + beta
// sums = sum dy, sum dy xhat, xhat = (x - mean) / deviation
static void batchnorm2_partial(int rows, float sums[restrict 2][64], const float dy[ROWS][144][64],
                               const float x[ROWS][144][64], const float stats[2][64])
{
    memset(sums, 0, sizeof(float[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 144; p++)
            for (int c = 0; c < 64; c++) {
                sums[0][c] += dy[i][p][c];
                sums[1][c] += dy[i][p][c] * (x[i][p][c] - stats[0][c]) * stats[1][c];
            }
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm2_beta_gradient(float sum[restrict 64], const float partial[BLOCKS][2][64])
{
    for (int j = 0; j < 64; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 64; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm2_gamma_gradient(float sum[restrict 64], const float partial[BLOCKS][2][64])
{
    for (int j = 0; j < 64; j++)
        sum[j] = partial[0][1][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 64; j++)
            sum[j] += partial[block][1][j];
}

// forward: y = (x - mean) / deviation * gamma + beta
// dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy xhat))
// dx takes the place of dy
static void batchnorm2_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][144][64],
                                const float x[ROWS][144][64], const float stats[2][64],
                                const float gamma[64], const float dbeta[64],
                                const float dgamma[64])
{
    const float share = 1 / (float)(batch->rows * 144.0); // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 144; p++)
            for (int c = 0; c < 64; c++) {
                float v = dx[i][p][c];
                const float xhat = (x[i][p][c] - stats[0][c]) * stats[1][c];
                v = gamma[c] * stats[1][c] * (v - (dbeta[c] + xhat * dgamma[c]) * share);
                dx[i][p][c] = v;
            }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void batchnorm2_gamma_update(const NnBatch *batch, float w[restrict 64], const float g[64],
                                    float v[restrict 64])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 64; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void batchnorm2_beta_update(const NnBatch *batch, float w[restrict 64], const float g[64],
                                   float v[restrict 64])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 64; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// --- pool2: pool 2x2   12x12x64 -> 6x6x64 --------------------------------------------------------

// y = the largest x of each window
static void pool2_forward(int rows, float y[restrict ROWS][6][6][64],
                          const float x[ROWS][12][12][64])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 6; row++)
            for (int col = 0; col < 6; col++) {
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
// forward: y = x < 0 ? 0 : x (relu2)
// dx = y > 0 ? dy : 0
// dx takes the place of x
static void pool2_backward(int rows, float dx[restrict ROWS][12][12][64],
                           const float dy[ROWS][6][6][64], const float y[ROWS][6][6][64])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 6; row++)
            for (int col = 0; col < 6; col++) {
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

// --- dropout2: dropout 20%   6x6x64 -> 6x6x64 ----------------------------------------------------

// y = kept ? x / (1 - rate) : 0
static void dropout2_forward(const NnBatch *batch, int first, int rows,
                             float y[restrict ROWS][2304], const float x[ROWS][2304])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 2304;
        for (int j = 0; j < 2304; j++) {
            float v = x[i][j];
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
            y[i][j] = v;
        }
    }
}

// --- conv3: conv 64 3x3 l2 0.0001   6x6x64 -> 4x4x64 ---------------------------------------------

// y = x * w, a sum over each window, by transforms of both
static void conv3_forward(int rows, float y[restrict ROWS][4][4][64], const float x[ROWS][6][6][64],
                          const float transformed[6][6][64][64])
{
    const Squares of_x = {6, 6, 64, 0, 0, 4, 1, 1};
    const Squares of_y = {4, 4, 64, 0, 0, 4, 1, 1};
    _Alignas(64) float pixels[36][16 * 64 + GAP];
    _Alignas(64) float squares[36][16 * 64 + GAP];
    for (int i = 0; i < rows; i += 16) {
        const int pictures = nn_min(16, rows - i), count = pictures * 1;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 16, pixels[0]);
        winograd_f4_16x64x64(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 16, y[i][0][0]);
    }
}

// penalty = l2 sum w^2, of a part of w
static void conv3_w_penalty(int part, double penalty[restrict 8], const float w[576][64])
{
    double sums[64] = {0};
    const int from = part * 72, to = nn_min(from + 72, 576);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++)
            sums[j] += (double)w[i][j] * w[i][j];
    double sum = 0;
    for (int j = 0; j < 64; j++)
        sum += sums[j];
    penalty[part] = 0.0001 * sum;
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv3_w_partial(int rows, float dw[restrict 3][3][64][64],
                            const float x[ROWS][6][6][64], const float dy[ROWS][4][4][64])
{
    const Squares of_x = {6, 6, 64, 0, 0, 4, 1, 1};
    const Squares of_dy = {4, 4, 64, 0, 0, 4, 1, 1};
    _Alignas(64) float pixels[36][16 * 64 + GAP];
    _Alignas(64) float squares[36][16 * 64 + GAP];
    _Alignas(64) float windows[36][64 * 64];
    memset(windows, 0, sizeof windows);
    for (int i = 0; i < rows; i += 16) {
        const int pictures = nn_min(16, rows - i), count = pictures * 1;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 16, pixels[0]);
        transform_gradient_f4(dy[i][0][0], &of_dy, 0, count, 16, squares[0]);
        winograd_weights_f4_16x64x64(pixels[0], squares[0], windows[0]);
    }
    gradient_of_windows_f4(windows[0], 64, 64, dw[0][0][0]);
}

// sum = sum of the blocks' partial sums, first to last
// then g = g + 2 l2 w
static void conv3_w_gradient(int part, float sum[restrict 576][64],
                             const float partial[BLOCKS][576][64], const float w[576][64])
{
    const int from = part * 72, to = nn_min(from + 72, 576);
    for (int i = from; i < to; i++) {
        for (int j = 0; j < 64; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 64; j++)
                sum[i][j] += partial[block][i][j];
    }
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++) {
            float v = sum[i][j];
            v += 0.0002f * w[i][j];
            sum[i][j] = v;
        }
}

// dx += the columns of `pixels` pixels, each number where its window lies
static void conv3_scatter(int top, int pixels, float dx[restrict][6][64],
                          const float columns[][576])
{
    for (int p = 0; p < pixels; p++) {
        const int row = top + p / 4, col = p % 4; // the pixel of the result
        for (int r = 0; r < 3; r++) {
            float *const to = dx[row + r][col];
            for (int k = 0; k < 192; k++)
                to[k] += columns[p][r * 192 + k];
        }
    }
}

// forward: y = x * w, a sum over each window
// dx = dy * w turned round
// forward: y = kept ? x / (1 - rate) : 0 (dropout2)
// dx = kept ? dy / (1 - rate) : 0
static void conv3_backward(const NnBatch *batch, int first, int rows,
                           float dx[restrict ROWS][6][6][64], const float dy[ROWS][4][4][64],
                           const float turned[64][576])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    float columns[16][576];
    memset(dx, 0, (size_t)rows * sizeof *dx);
    for (int i = 0; i < rows; i++) {
        const int top = 0, pixels = 16;
        product_64x576(pixels, dy[i][top], turned, columns);
        conv3_scatter(top, pixels, dx[i], columns);
        const uint32_t number = (uint32_t)(first + i) * 2304;
        for (int row = 0; row < 6; row++)
            for (int col = 0; col < 6; col++)
                for (int c = 0; c < 64; c++) {
                    float v = dx[i][row][col][c];
                    const uint32_t bits = nn_bits(key, number + (row * 6 + col) * 64 + c);
                    v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
                    dx[i][row][col][c] = v;
                }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void conv3_w_update(const NnBatch *batch, int part, float w[restrict 576][64],
                           const float g[576][64], float v[restrict 576][64])
{
    const float rate = (float)batch->rate;
    const int from = part * 72, to = nn_min(from + 72, 576);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++) {
            v[i][j] += 0.1f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * g[i][j] / nn_rootf(v[i][j] + 1e-7f);
        }
}

// turned = w', rows and columns exchanged
static void conv3_w_turn(int part, float turned[restrict 64][576], const float w[576][64])
{
    const int from = part * 72, to = nn_min(from + 72, 576);
    nn_turn_float(to - from, 64, w[from], 64, &turned[0][from], 576);
}

// transformed = G w G', of each window of w
static void conv3_w_transform(int part, float transformed[restrict 2304][64],
                              const float w[576][64])
{
    const int from = part * 8, to = nn_min(from + 8, 64);
    transform_windows_f4(w[0], 64, 64, from, to, transformed[0]);
}

// y = x * w, a sum over each window, by transforms of both
// then y = x + b
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm3)
// then y = x < 0 ? 0 : x (relu3)
static void conv3_infer(int rows, float y[restrict ROWS][4][4][64], const float x[ROWS][6][6][64],
                        const float transformed[6][6][64][64], const float b[64],
                        const float mean[64], const float variance[64], const float gamma[64],
                        const float beta[64])
{
    const Squares of_x = {6, 6, 64, 0, 0, 4, 1, 1};
    const Squares of_y = {4, 4, 64, 0, 0, 4, 1, 1};
    _Alignas(64) float pixels[36][16 * 64 + GAP];
    _Alignas(64) float squares[36][16 * 64 + GAP];
    for (int i = 0; i < rows; i += 16) {
        const int pictures = nn_min(16, rows - i), count = pictures * 1;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 16, pixels[0]);
        winograd_f4_16x64x64(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 16, y[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 4; row++)
            for (int col = 0; col < 4; col++)
                for (int c = 0; c < 64; c++) {
                    float v = y[i][row][col][c];
                    v += b[c];
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm3: batchnorm   4x4x64 -> 4x4x64 ----------------------------------------------------

// sums = sum x, sum x^2
static void batchnorm3_sums(int rows, double sums[restrict 2][64], const float x[ROWS][16][64])
{
    memset(sums, 0, sizeof(double[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 16; p++)
            for (int c = 0; c < 64; c++) {
                const double v = x[i][p][c];
                sums[0][c] += v;
                sums[1][c] += v * v;
            }
}

// stats = mean, 1 / sqrt(variance + eps)
static void batchnorm3_stats(const NnBatch *batch, float stats[restrict 2][64],
                             const double sums[BLOCKS][2][64])
{
    const double count = (double)batch->rows * 16;
    for (int c = 0; c < 64; c++) {
        double sum = 0, squares = 0;
        for (int block = 0; block < BLOCKS; block++) {
            sum += sums[block][0][c];
            squares += sums[block][1][c];
        }
        const double mean = sum / count, variance = squares / count - mean * mean;
        stats[0][c] = (float)mean;
        stats[1][c] = (float)(1 / sqrt((variance > 0 ? variance : 0) + 0.001));
    }
}

// mean, variance follow the batch's with b
static void batchnorm3_follow(float mean[restrict 64], float variance[restrict 64],
                              const float stats[2][64], const float b[64])
{
    for (int c = 0; c < 64; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.01f * (stats[0][c] + b[c] - mean[c]);
        variance[c] += 0.01f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu3)
// then y = kept ? x / (1 - rate) : 0 (dropout3)
static void batchnorm3_forward(const NnBatch *batch, int first, int rows,
                               float y[restrict ROWS][16][64], const float x[ROWS][16][64],
                               const float stats[2][64], const float gamma[64],
                               const float beta[64])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout3"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 1024;
        for (int p = 0; p < 16; p++)
            for (int c = 0; c < 64; c++) {
                float v = x[i][p][c];
                v = (v - stats[0][c]) * stats[1][c] * gamma[c] + beta[c];
                v = v < 0 ? 0 : v;
                const uint32_t bits = nn_bits(key, number + p * 64 + c);
                v = bits >= 1288490188u ? v * 1.42857143f : 0; // 30% of 2^32
                y[i][p][c] = v;
            }
    }
}

// forward: y = (x - mean) / deviation * gamma + beta
// sums = sum dy, sum dy xhat, xhat = (x - mean) / deviation
static void batchnorm3_partial(int rows, float sums[restrict 2][64], const float dy[ROWS][16][64],
                               const float x[ROWS][16][64], const float stats[2][64])
{
    memset(sums, 0, sizeof(float[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 16; p++)
            for (int c = 0; c < 64; c++) {
                sums[0][c] += dy[i][p][c];
                sums[1][c] += dy[i][p][c] * (x[i][p][c] - stats[0][c]) * stats[1][c];
            }
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm3_beta_gradient(float sum[restrict 64], const float partial[BLOCKS][2][64])
{
    for (int j = 0; j < 64; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 64; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm3_gamma_gradient(float sum[restrict 64], const float partial[BLOCKS][2][64])
{
    for (int j = 0; j < 64; j++)
        sum[j] = partial[0][1][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 64; j++)
            sum[j] += partial[block][1][j];
}

// forward: y = (x - mean) / deviation * gamma + beta
// dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy xhat))
// dx takes the place of dy
static void batchnorm3_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][16][64],
                                const float x[ROWS][16][64], const float stats[2][64],
                                const float gamma[64], const float dbeta[64],
                                const float dgamma[64])
{
    const float share = 1 / (float)(batch->rows * 16.0); // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 16; p++)
            for (int c = 0; c < 64; c++) {
                float v = dx[i][p][c];
                const float xhat = (x[i][p][c] - stats[0][c]) * stats[1][c];
                v = gamma[c] * stats[1][c] * (v - (dbeta[c] + xhat * dgamma[c]) * share);
                dx[i][p][c] = v;
            }
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void batchnorm3_gamma_update(const NnBatch *batch, float w[restrict 64], const float g[64],
                                    float v[restrict 64])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 64; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void batchnorm3_beta_update(const NnBatch *batch, float w[restrict 64], const float g[64],
                                   float v[restrict 64])
{
    const float rate = (float)batch->rate;
    for (int j = 0; j < 64; j++) {
        v[j] += 0.1f * (g[j] * g[j] - v[j]);
        w[j] -= rate * g[j] / nn_rootf(v[j] + 1e-7f);
    }
}

// --- dense1: dense 520 relu   4x4x64 -> 520 ------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_forward(int rows, float y[restrict ROWS][520], const float x[ROWS][1024],
                           const float w[532480], const float b[520])
{
    panels_1024x520(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
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

// forward: y = x w
// dx = dy w'
// forward: y = kept ? x / (1 - rate) : 0 (dropout3)
// dx = kept ? dy / (1 - rate) : 0
// forward: y = x < 0 ? 0 : x (relu3)
// dx = y > 0 ? dy : 0
static void dense1_backward(const NnBatch *batch, int first, int rows,
                            float dx[restrict ROWS][4][4][64], const float dy[ROWS][528],
                            const float turned[532480], const float y[ROWS][4][4][64])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout3"), (uint64_t)batch->step);
    panels_520of528x1024(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 1024;
        for (int row = 0; row < 4; row++)
            for (int col = 0; col < 4; col++)
                for (int c = 0; c < 64; c++) {
                    float v = dx[i][row][col][c];
                    const uint32_t bits = nn_bits(key, number + (row * 4 + col) * 64 + c);
                    v = bits >= 1288490188u ? v * 1.42857143f : 0; // 30% of 2^32
                    v = y[i][row][col][c] > 0 ? v : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// forward: y = x w
// dw = x' dy
static void dense1_w_gradient(const NnBatch *batch, int part, float dw[restrict 16640],
                              const float x[BATCH][1024], const float dy[BATCH][528],
                              const float w[532480])
{
    const int from = part * 32, to = nn_min(from + 32, 1024);
    outer_panels_1024x520of528(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// v = rho v + (1 - rho) g^2; w = w - rate g / sqrt(v + eps)
static void dense1_w_update(const NnBatch *batch, int part, float w[restrict 532480],
                            const float g[16640], float v[restrict 532480])
{
    const float rate = (float)batch->rate;
    const int from = part * 32, to = nn_min(from + 32, 1024);
    for (int j = 0, wide; j < 520; j += wide) {
        wide = j < 512 ? 32 : 8;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 1024 + from * wide + i;
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

// turned = w', rows and columns exchanged
static void dense1_w_turn(int part, float turned[restrict 532480], const float w[532480])
{
    const int from = part * 32, to = nn_min(from + 32, 1024);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = 32; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 520; j += wide) {
            wide = j < 512 ? 32 : 8;
            nn_turn_float(high - low, wide, w + j * 1024 + low * wide, wide,
                          turned + k * 520 + low - k + j * line, line);
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
                       const int32_t predicted[BATCH], const double conv1_w_penalty[1],
                       const double conv2_w_penalty[8], const double conv3_w_penalty[8])
{
    double sum = 0;
    int hits = 0;
    for (int i = 0; i < batch->rows; i++) {
        sum += loss[i];
        hits += predicted[i] == batch->labels[batch->index[i]];
    }
    double penalty = 0;
    penalty += conv1_w_penalty[0];
    for (int part = 0; part < 8; part++)
        penalty += conv2_w_penalty[part];
    for (int part = 0; part < 8; part++)
        penalty += conv3_w_penalty[part];
    const bool finite = isfinite(sum);
    *result = (NnResult){.loss = sum, .penalty = penalty, .hits = hits, .finite = finite};
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
    for (int part = 0; part < 32; part++)
        dense1_w_turn(part, dense1_w_turned, dense1_w);
    for (int part = 0; part < 8; part++)
        conv3_w_turn(part, conv3_w_turned, (void *)conv3_w);
    for (int part = 0; part < 8; part++)
        conv2_w_turn(part, (void *)conv2_w_turned, (void *)conv2_w);
    for (int part = 0; part < 8; part++)
        conv2_w_transform(part, (void *)conv2_w_transformed, (void *)conv2_w);
    for (int part = 0; part < 8; part++)
        conv3_w_transform(part, (void *)conv3_w_transformed, (void *)conv3_w);
}

// nn_call(f, x) is f(x). Where batch->timed, it also adds the time that it took to row CALL_f of
// the table `calls`, which the command `bench` prints.
enum {
    CALL_input_forward,
    CALL_conv1_forward, CALL_conv1_w_penalty, CALL_conv1_w_partial, CALL_conv1_w_gradient,
    CALL_conv1_w_update,
    CALL_batchnorm1_sums, CALL_batchnorm1_stats, CALL_batchnorm1_follow, CALL_batchnorm1_forward,
    CALL_batchnorm1_partial, CALL_batchnorm1_beta_gradient, CALL_batchnorm1_gamma_gradient,
    CALL_batchnorm1_backward, CALL_batchnorm1_gamma_update, CALL_batchnorm1_beta_update,
    CALL_pool1_forward, CALL_pool1_backward,
    CALL_dropout1_forward,
    CALL_conv2_forward, CALL_conv2_w_penalty, CALL_conv2_w_partial, CALL_conv2_w_gradient,
    CALL_conv2_backward, CALL_conv2_w_update, CALL_conv2_w_turn, CALL_conv2_w_transform,
    CALL_batchnorm2_sums, CALL_batchnorm2_stats, CALL_batchnorm2_follow, CALL_batchnorm2_forward,
    CALL_batchnorm2_partial, CALL_batchnorm2_beta_gradient, CALL_batchnorm2_gamma_gradient,
    CALL_batchnorm2_backward, CALL_batchnorm2_gamma_update, CALL_batchnorm2_beta_update,
    CALL_pool2_forward, CALL_pool2_backward,
    CALL_dropout2_forward,
    CALL_conv3_forward, CALL_conv3_w_penalty, CALL_conv3_w_partial, CALL_conv3_w_gradient,
    CALL_conv3_backward, CALL_conv3_w_update, CALL_conv3_w_turn, CALL_conv3_w_transform,
    CALL_batchnorm3_sums, CALL_batchnorm3_stats, CALL_batchnorm3_follow, CALL_batchnorm3_forward,
    CALL_batchnorm3_partial, CALL_batchnorm3_beta_gradient, CALL_batchnorm3_gamma_gradient,
    CALL_batchnorm3_backward, CALL_batchnorm3_gamma_update, CALL_batchnorm3_beta_update,
    CALL_dense1_forward, CALL_dense1_b_partial, CALL_dense1_b_gradient, CALL_dense1_backward,
    CALL_dense1_w_gradient, CALL_dense1_w_update, CALL_dense1_b_update, CALL_dense1_w_turn,
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
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(input_forward, batch, first, rows, BLOCK(input));
        nn_call(conv1_forward, rows, BLOCK(conv1), BLOCK(input), conv1_w);
        nn_call(batchnorm1_sums, rows, BLOCK(batchnorm1_sums), BLOCK(conv1));
    }
    nn_each (part, 8) {
        nn_call(conv2_w_penalty, part, WHOLE(conv2_w_penalty), (void *)conv2_w);
    }
    nn_each (part, 8) {
        nn_call(conv3_w_penalty, part, WHOLE(conv3_w_penalty), (void *)conv3_w);
    }
    nn_single (0) {
        nn_call(conv1_w_penalty, WHOLE(conv1_w_penalty), (void *)conv1_w);
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm1_stats, batch, WHOLE(batchnorm1_stats), WHOLE(batchnorm1_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm1_forward, rows, BLOCK(relu1), BLOCK(conv1), WHOLE(batchnorm1_stats),
                batchnorm1_gamma, batchnorm1_beta);
        nn_call(pool1_forward, rows, BLOCK(pool1), BLOCK(relu1));
        nn_call(dropout1_forward, batch, first, rows, BLOCK(dropout1), BLOCK(pool1));
        nn_call(conv2_forward, rows, BLOCK(conv2), BLOCK(dropout1), conv2_w_transformed);
        nn_call(batchnorm2_sums, rows, BLOCK(batchnorm2_sums), BLOCK(conv2));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm2_stats, batch, WHOLE(batchnorm2_stats), WHOLE(batchnorm2_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm2_forward, rows, BLOCK(relu2), BLOCK(conv2), WHOLE(batchnorm2_stats),
                batchnorm2_gamma, batchnorm2_beta);
        nn_call(pool2_forward, rows, BLOCK(pool2), BLOCK(relu2));
        nn_call(dropout2_forward, batch, first, rows, BLOCK(dropout2), BLOCK(pool2));
        nn_call(conv3_forward, rows, BLOCK(conv3), BLOCK(dropout2), conv3_w_transformed);
        nn_call(batchnorm3_sums, rows, BLOCK(batchnorm3_sums), BLOCK(conv3));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm3_stats, batch, WHOLE(batchnorm3_stats), WHOLE(batchnorm3_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm3_forward, batch, first, rows, BLOCK(dropout3), BLOCK(conv3),
                WHOLE(batchnorm3_stats), batchnorm3_gamma, batchnorm3_beta);
        nn_call(dense1_forward, rows, BLOCK(dense1), BLOCK(dropout3), dense1_w, dense1_b);
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
        nn_call(dense1_backward, batch, first, rows, BLOCK(d_batchnorm3), BLOCK(d_dense1_z),
                dense1_w_turned, BLOCK(dropout3));
        nn_call(batchnorm3_partial, rows, BLOCK(d_batchnorm3_partial), BLOCK(d_batchnorm3),
                BLOCK(conv3), WHOLE(batchnorm3_stats));
    }
    nn_barrier();

    if (!loss_total(batch, result, WHOLE(loss), WHOLE(predicted), WHOLE(conv1_w_penalty),
                    WHOLE(conv2_w_penalty), WHOLE(conv3_w_penalty))) {
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
    nn_each (part, 32) {
        _Alignas(64) float d_dense1_w[16640]; // of this part
        nn_call(dense1_w_gradient, batch, part, d_dense1_w, WHOLE(dropout3), WHOLE(d_dense1_z),
                dense1_w);
        nn_call(dense1_w_update, batch, part, dense1_w, d_dense1_w, dense1_w_v);
        nn_call(dense1_w_turn, part, dense1_w_turned, dense1_w);
    }
    nn_single (0) {
        nn_call(batchnorm1_follow, batchnorm1_mean, batchnorm1_variance, WHOLE(batchnorm1_stats),
                conv1_b);
    }
    nn_single (1) {
        nn_call(batchnorm2_follow, batchnorm2_mean, batchnorm2_variance, WHOLE(batchnorm2_stats),
                conv2_b);
    }
    nn_single (2) {
        nn_call(batchnorm3_follow, batchnorm3_mean, batchnorm3_variance, WHOLE(batchnorm3_stats),
                conv3_b);
        nn_call(batchnorm3_beta_gradient, WHOLE(d_batchnorm3_beta), WHOLE(d_batchnorm3_partial));
        nn_call(batchnorm3_gamma_gradient, WHOLE(d_batchnorm3_gamma), WHOLE(d_batchnorm3_partial));
        nn_call(batchnorm3_beta_update, batch, batchnorm3_beta, WHOLE(d_batchnorm3_beta),
                batchnorm3_beta_v);
    }
    nn_single (3) {
        nn_call(dense6_b_gradient, WHOLE(d_dense6_b), WHOLE(d_dense6_b_partial));
        nn_call(dense6_w_gradient, WHOLE(d_dense6_w), WHOLE(d_dense6_w_partial));
        nn_call(dense6_w_update, batch, dense6_w, WHOLE(d_dense6_w), dense6_w_v);
        nn_call(dense6_b_update, batch, dense6_b, WHOLE(d_dense6_b), dense6_b_v);
        nn_call(dense6_w_turn, dense6_w_turned, dense6_w);
    }
    nn_single (4) {
        nn_call(dense5_b_gradient, WHOLE(d_dense5_b), WHOLE(d_dense5_b_partial));
        nn_call(dense5_b_update, batch, dense5_b, WHOLE(d_dense5_b), dense5_b_v);
    }
    nn_single (5) {
        nn_call(dense4_b_gradient, WHOLE(d_dense4_b), WHOLE(d_dense4_b_partial));
        nn_call(dense4_b_update, batch, dense4_b, WHOLE(d_dense4_b), dense4_b_v);
    }
    nn_single (6) {
        nn_call(dense3_b_gradient, WHOLE(d_dense3_b), WHOLE(d_dense3_b_partial));
        nn_call(dense3_b_update, batch, dense3_b, WHOLE(d_dense3_b), dense3_b_v);
    }
    nn_single (7) {
        nn_call(dense2_b_gradient, WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        nn_call(dense2_b_update, batch, dense2_b, WHOLE(d_dense2_b), dense2_b_v);
    }
    nn_single (8) {
        nn_call(dense1_b_gradient, WHOLE(d_dense1_b), WHOLE(d_dense1_b_partial));
        nn_call(dense1_b_update, batch, dense1_b, WHOLE(d_dense1_b), dense1_b_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm3_backward, batch, rows, BLOCK(d_conv3), BLOCK(conv3),
                WHOLE(batchnorm3_stats), batchnorm3_gamma, WHOLE(d_batchnorm3_beta),
                WHOLE(d_batchnorm3_gamma));
        nn_call(conv3_w_partial, rows, BLOCK(d_conv3_w_partial), BLOCK(dropout2), BLOCK(d_conv3));
        nn_call(conv3_backward, batch, first, rows, BLOCK(d_pool2), BLOCK(d_conv3), conv3_w_turned);
        nn_call(pool2_backward, rows, BLOCK(d_batchnorm2), BLOCK(d_pool2), BLOCK(pool2));
        nn_call(batchnorm2_partial, rows, BLOCK(d_batchnorm2_partial), BLOCK(d_batchnorm2),
                BLOCK(conv2), WHOLE(batchnorm2_stats));
    }
    nn_barrier();

    nn_each (part, 8) {
        nn_call(conv3_w_gradient, part, WHOLE(d_conv3_w), WHOLE(d_conv3_w_partial),
                (void *)conv3_w);
        nn_call(conv3_w_update, batch, part, (void *)conv3_w, WHOLE(d_conv3_w), (void *)conv3_w_v);
        nn_call(conv3_w_turn, part, conv3_w_turned, (void *)conv3_w);
    }
    nn_single (0) {
        nn_call(batchnorm2_beta_gradient, WHOLE(d_batchnorm2_beta), WHOLE(d_batchnorm2_partial));
        nn_call(batchnorm2_gamma_gradient, WHOLE(d_batchnorm2_gamma), WHOLE(d_batchnorm2_partial));
        nn_call(batchnorm2_beta_update, batch, batchnorm2_beta, WHOLE(d_batchnorm2_beta),
                batchnorm2_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm3_gamma_update, batch, batchnorm3_gamma, WHOLE(d_batchnorm3_gamma),
                batchnorm3_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm2_backward, batch, rows, BLOCK(d_conv2), BLOCK(conv2),
                WHOLE(batchnorm2_stats), batchnorm2_gamma, WHOLE(d_batchnorm2_beta),
                WHOLE(d_batchnorm2_gamma));
        nn_call(conv2_w_partial, rows, BLOCK(d_conv2_w_partial), BLOCK(dropout1), BLOCK(d_conv2));
        nn_call(conv2_backward, batch, first, rows, BLOCK(d_pool1), BLOCK(d_conv2), conv2_w_turned);
        nn_call(pool1_backward, rows, BLOCK(d_batchnorm1), BLOCK(d_pool1), BLOCK(pool1));
        nn_call(batchnorm1_partial, rows, BLOCK(d_batchnorm1_partial), BLOCK(d_batchnorm1),
                BLOCK(conv1), WHOLE(batchnorm1_stats));
    }
    nn_each (part, 8) {
        nn_call(conv3_w_transform, part, (void *)conv3_w_transformed, (void *)conv3_w);
    }
    nn_barrier();

    nn_each (part, 8) {
        nn_call(conv2_w_gradient, part, WHOLE(d_conv2_w), WHOLE(d_conv2_w_partial),
                (void *)conv2_w);
        nn_call(conv2_w_update, batch, part, (void *)conv2_w, WHOLE(d_conv2_w), (void *)conv2_w_v);
    }
    nn_single (0) {
        nn_call(batchnorm1_beta_gradient, WHOLE(d_batchnorm1_beta), WHOLE(d_batchnorm1_partial));
        nn_call(batchnorm1_gamma_gradient, WHOLE(d_batchnorm1_gamma), WHOLE(d_batchnorm1_partial));
        nn_call(batchnorm1_beta_update, batch, batchnorm1_beta, WHOLE(d_batchnorm1_beta),
                batchnorm1_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm2_gamma_update, batch, batchnorm2_gamma, WHOLE(d_batchnorm2_gamma),
                batchnorm2_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm1_backward, batch, rows, BLOCK(d_conv1), BLOCK(conv1),
                WHOLE(batchnorm1_stats), batchnorm1_gamma, WHOLE(d_batchnorm1_beta),
                WHOLE(d_batchnorm1_gamma));
        nn_call(conv1_w_partial, rows, BLOCK(d_conv1_w_partial), BLOCK(input), BLOCK(d_conv1));
    }
    nn_each (part, 8) {
        nn_call(conv2_w_turn, part, (void *)conv2_w_turned, (void *)conv2_w);
        nn_call(conv2_w_transform, part, (void *)conv2_w_transformed, (void *)conv2_w);
    }
    nn_barrier();

    nn_single (0) {
        nn_call(conv1_w_gradient, WHOLE(d_conv1_w), WHOLE(d_conv1_w_partial), (void *)conv1_w);
        nn_call(conv1_w_update, batch, (void *)conv1_w, WHOLE(d_conv1_w), (void *)conv1_w_v);
    }
    nn_single (1) {
        nn_call(batchnorm1_gamma_update, batch, batchnorm1_gamma, WHOLE(d_batchnorm1_gamma),
                batchnorm1_gamma_v);
    }
    nn_barrier();
}

// The forward pass alone, as the trained network is used.
static void infer(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        input_forward(batch, first, rows, BLOCK(infer_input));
        conv1_infer(rows, BLOCK(infer_relu1), BLOCK(infer_input), conv1_w, conv1_b, batchnorm1_mean,
                    batchnorm1_variance, batchnorm1_gamma, batchnorm1_beta);
        pool1_forward(rows, BLOCK(infer_pool1), BLOCK(infer_relu1));
        conv2_infer(rows, BLOCK(infer_relu2), BLOCK(infer_pool1), conv2_w_transformed, conv2_b,
                    batchnorm2_mean, batchnorm2_variance, batchnorm2_gamma, batchnorm2_beta);
        pool2_forward(rows, BLOCK(infer_pool2), BLOCK(infer_relu2));
        conv3_infer(rows, BLOCK(infer_relu3), BLOCK(infer_pool2), conv3_w_transformed, conv3_b,
                    batchnorm3_mean, batchnorm3_variance, batchnorm3_gamma, batchnorm3_beta);
        dense1_forward(rows, BLOCK(infer_dense1), BLOCK(infer_relu3), dense1_w, dense1_b);
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
    nn_each (part, 8) {
        conv2_w_penalty(part, WHOLE(infer_conv2_w_penalty), (void *)conv2_w);
    }
    nn_each (part, 8) {
        conv3_w_penalty(part, WHOLE(infer_conv3_w_penalty), (void *)conv3_w);
    }
    nn_single (0) {
        conv1_w_penalty(WHOLE(infer_conv1_w_penalty), (void *)conv1_w);
    }
    nn_barrier();

    if (batch->labels)
        loss_total(batch, result, WHOLE(infer_loss), WHOLE(infer_predicted),
                   WHOLE(infer_conv1_w_penalty), WHOLE(infer_conv2_w_penalty),
                   WHOLE(infer_conv3_w_penalty));
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
        conv1_forward(rows, BLOCK(conv1), BLOCK(input), conv1_w);
        if (!nn_finite_f32(BLOCK(conv1), rows * 25088L))
            return "conv1";
        batchnorm1_sums(rows, BLOCK(batchnorm1_sums), BLOCK(conv1));
    }
    batchnorm1_stats(batch, WHOLE(batchnorm1_stats), WHOLE(batchnorm1_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        batchnorm1_forward(rows, BLOCK(relu1), BLOCK(conv1), WHOLE(batchnorm1_stats),
                           batchnorm1_gamma, batchnorm1_beta);
        if (!nn_finite_f32(BLOCK(relu1), rows * 25088L))
            return "batchnorm1";
        pool1_forward(rows, BLOCK(pool1), BLOCK(relu1));
        if (!nn_finite_f32(BLOCK(pool1), rows * 6272L))
            return "pool1";
        dropout1_forward(batch, first, rows, BLOCK(dropout1), BLOCK(pool1));
        if (!nn_finite_f32(BLOCK(dropout1), rows * 6272L))
            return "dropout1";
        conv2_forward(rows, BLOCK(conv2), BLOCK(dropout1), conv2_w_transformed);
        if (!nn_finite_f32(BLOCK(conv2), rows * 9216L))
            return "conv2";
        batchnorm2_sums(rows, BLOCK(batchnorm2_sums), BLOCK(conv2));
    }
    batchnorm2_stats(batch, WHOLE(batchnorm2_stats), WHOLE(batchnorm2_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        batchnorm2_forward(rows, BLOCK(relu2), BLOCK(conv2), WHOLE(batchnorm2_stats),
                           batchnorm2_gamma, batchnorm2_beta);
        if (!nn_finite_f32(BLOCK(relu2), rows * 9216L))
            return "batchnorm2";
        pool2_forward(rows, BLOCK(pool2), BLOCK(relu2));
        if (!nn_finite_f32(BLOCK(pool2), rows * 2304L))
            return "pool2";
        dropout2_forward(batch, first, rows, BLOCK(dropout2), BLOCK(pool2));
        if (!nn_finite_f32(BLOCK(dropout2), rows * 2304L))
            return "dropout2";
        conv3_forward(rows, BLOCK(conv3), BLOCK(dropout2), conv3_w_transformed);
        if (!nn_finite_f32(BLOCK(conv3), rows * 1024L))
            return "conv3";
        batchnorm3_sums(rows, BLOCK(batchnorm3_sums), BLOCK(conv3));
    }
    batchnorm3_stats(batch, WHOLE(batchnorm3_stats), WHOLE(batchnorm3_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        batchnorm3_forward(batch, first, rows, BLOCK(dropout3), BLOCK(conv3),
                           WHOLE(batchnorm3_stats), batchnorm3_gamma, batchnorm3_beta);
        if (!nn_finite_f32(BLOCK(dropout3), rows * 1024L))
            return "batchnorm3";
        dense1_forward(rows, BLOCK(dense1), BLOCK(dropout3), dense1_w, dense1_b);
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
    {"conv1", "conv 32 3x3 pad same l2 0.0001", "28x28x32", 320, 225792},
    {"batchnorm1", "batchnorm", "28x28x32", 64, 0},
    {"relu1", "relu", "28x28x32", 0, 0},
    {"pool1", "pool 2x2", "14x14x32", 0, 0},
    {"dropout1", "dropout 20%", "14x14x32", 0, 0},
    {"conv2", "conv 64 3x3 l2 0.0001", "12x12x64", 18496, 2654208},
    {"batchnorm2", "batchnorm", "12x12x64", 128, 0},
    {"relu2", "relu", "12x12x64", 0, 0},
    {"pool2", "pool 2x2", "6x6x64", 0, 0},
    {"dropout2", "dropout 20%", "6x6x64", 0, 0},
    {"conv3", "conv 64 3x3 l2 0.0001", "4x4x64", 36928, 589824},
    {"batchnorm3", "batchnorm", "4x4x64", 128, 0},
    {"relu3", "relu", "4x4x64", 0, 0},
    {"dropout3", "dropout 30%", "4x4x64", 0, 0},
    {"dense1", "dense 520 relu", "520", 533000, 532480},
    {"dense2", "dense 300 relu", "300", 156300, 156000},
    {"dense3", "dense 250 relu", "250", 75250, 75000},
    {"dense4", "dense 130 relu", "130", 32630, 32500},
    {"dense5", "dense 60 relu", "60", 7860, 7800},
    {"dense6", "dense 10 softmax", "10", 610, 600},
};

static const NnTensor tensors[] = {
    {"conv1_w", NN_WEIGHT, {3, 3, 1, 32}, conv1_w, NULL, NN_UNIFORM, 0.142133811, {0}},
    {"conv1_b", NN_WEIGHT, {32}, conv1_b, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_gamma", NN_WEIGHT, {32}, batchnorm1_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm1_beta", NN_WEIGHT, {32}, batchnorm1_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_mean", NN_STATE, {32}, batchnorm1_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_variance", NN_STATE, {32}, batchnorm1_variance, NULL, NN_CONSTANT, 1, {0}},
    {"conv2_w", NN_WEIGHT, {3, 3, 32, 64}, conv2_w, NULL, NN_UNIFORM, 0.0833333333, {0}},
    {"conv2_b", NN_WEIGHT, {64}, conv2_b, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_gamma", NN_WEIGHT, {64}, batchnorm2_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm2_beta", NN_WEIGHT, {64}, batchnorm2_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_mean", NN_STATE, {64}, batchnorm2_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_variance", NN_STATE, {64}, batchnorm2_variance, NULL, NN_CONSTANT, 1, {0}},
    {"conv3_w", NN_WEIGHT, {3, 3, 64, 64}, conv3_w, NULL, NN_UNIFORM, 0.0721687836, {0}},
    {"conv3_b", NN_WEIGHT, {64}, conv3_b, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_gamma", NN_WEIGHT, {64}, batchnorm3_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm3_beta", NN_WEIGHT, {64}, batchnorm3_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_mean", NN_STATE, {64}, batchnorm3_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_variance", NN_STATE, {64}, batchnorm3_variance, NULL, NN_CONSTANT, 1, {0}},
    {"dense1_w", NN_WEIGHT, {1024, 520}, dense1_w, NULL, NN_UNIFORM, 0.0623378726,
     {1024, 32, 512, 520, 0}},
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
    {"conv1_w_v", NN_OPTIMIZER, {3, 3, 1, 32}, conv1_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_gamma_v", NN_OPTIMIZER, {32}, batchnorm1_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_beta_v", NN_OPTIMIZER, {32}, batchnorm1_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w_v", NN_OPTIMIZER, {3, 3, 32, 64}, conv2_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_gamma_v", NN_OPTIMIZER, {64}, batchnorm2_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_beta_v", NN_OPTIMIZER, {64}, batchnorm2_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv3_w_v", NN_OPTIMIZER, {3, 3, 64, 64}, conv3_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_gamma_v", NN_OPTIMIZER, {64}, batchnorm3_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_beta_v", NN_OPTIMIZER, {64}, batchnorm3_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w_v", NN_OPTIMIZER, {1024, 520}, dense1_w_v, NULL, NN_CONSTANT, 0,
     {1024, 32, 512, 520, 0}},
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
    [CALL_input_forward] = {"input_forward", "input", NN_FORWARD, 0, 784, 0, 3920, 0},
    [CALL_conv1_forward] = {"conv1_forward", "conv1", NN_FORWARD, 451584, 0, 0, 103488, 4608},
    [CALL_batchnorm1_sums] = {"batchnorm1_sums", "batchnorm1", NN_FORWARD, 0, 75264, 0, 100352,
                              2048},
    [CALL_batchnorm1_stats] = {"batchnorm1_stats", "batchnorm1", NN_FORWARD, 0, 0, 64, 0, 2304},
    [CALL_batchnorm1_follow] = {"batchnorm1_follow", "batchnorm1", NN_FORWARD, 0, 0, 32, 0, 896},
    [CALL_batchnorm1_forward] = {"batchnorm1_forward", "batchnorm1", NN_FORWARD, 0, 125440, 0,
                                 200704, 2048},
    [CALL_pool1_forward] = {"pool1_forward", "pool1", NN_FORWARD, 0, 25088, 0, 125440, 0},
    [CALL_dropout1_forward] = {"dropout1_forward", "dropout1", NN_FORWARD, 0, 12544, 0, 50176, 0},
    [CALL_conv2_forward] = {"conv2_forward", "conv2", NN_FORWARD, 1327104, 0, 0, 61952, 1179648},
    [CALL_batchnorm2_sums] = {"batchnorm2_sums", "batchnorm2", NN_FORWARD, 0, 27648, 0, 36864,
                              4096},
    [CALL_batchnorm2_stats] = {"batchnorm2_stats", "batchnorm2", NN_FORWARD, 0, 0, 128, 0, 4608},
    [CALL_batchnorm2_follow] = {"batchnorm2_follow", "batchnorm2", NN_FORWARD, 0, 0, 64, 0, 1792},
    [CALL_batchnorm2_forward] = {"batchnorm2_forward", "batchnorm2", NN_FORWARD, 0, 46080, 0, 73728,
                                 4096},
    [CALL_pool2_forward] = {"pool2_forward", "pool2", NN_FORWARD, 0, 9216, 0, 46080, 0},
    [CALL_dropout2_forward] = {"dropout2_forward", "dropout2", NN_FORWARD, 0, 4608, 0, 18432, 0},
    [CALL_conv3_forward] = {"conv3_forward", "conv3", NN_FORWARD, 294912, 0, 0, 13312, 2359296},
    [CALL_batchnorm3_sums] = {"batchnorm3_sums", "batchnorm3", NN_FORWARD, 0, 3072, 0, 4096, 4096},
    [CALL_batchnorm3_stats] = {"batchnorm3_stats", "batchnorm3", NN_FORWARD, 0, 0, 128, 0, 4608},
    [CALL_batchnorm3_follow] = {"batchnorm3_follow", "batchnorm3", NN_FORWARD, 0, 0, 64, 0, 1792},
    [CALL_batchnorm3_forward] = {"batchnorm3_forward", "batchnorm3", NN_FORWARD, 0, 7168, 0, 8192,
                                 4096},
    [CALL_dense1_forward] = {"dense1_forward", "dense1", NN_FORWARD, 1064960, 1040, 0, 6176,
                             8528000},
    [CALL_dense2_forward] = {"dense2_forward", "dense2", NN_FORWARD, 312000, 600, 0, 3280, 2500800},
    [CALL_dense3_forward] = {"dense3_forward", "dense3", NN_FORWARD, 150000, 500, 0, 2200, 1204000},
    [CALL_dense4_forward] = {"dense4_forward", "dense4", NN_FORWARD, 65000, 260, 0, 1520, 522080},
    [CALL_dense5_forward] = {"dense5_forward", "dense5", NN_FORWARD, 15600, 120, 0, 760, 125760},
    [CALL_dense6_forward] = {"dense6_forward", "dense6", NN_FORWARD, 1200, 10, 0, 280, 9760},
    [CALL_dense6_softmax] = {"dense6_softmax", "dense6", NN_FORWARD, 0, 40, 0, 80, 0},
    [CALL_output_predict] = {"output_predict", "output", NN_FORWARD, 0, 10, 0, 44, 0},
    [CALL_loss_forward] = {"loss_forward", "loss", NN_FORWARD, 0, 40, 0, 44, 0},
    [CALL_conv1_w_penalty] = {"conv1_w_penalty", "conv1", NN_FORWARD, 0, 0, 576, 0, 1160},
    [CALL_conv2_w_penalty] = {"conv2_w_penalty", "conv2", NN_FORWARD, 0, 0, 36864, 0, 73792},
    [CALL_conv3_w_penalty] = {"conv3_w_penalty", "conv3", NN_FORWARD, 0, 0, 73728, 0, 147520},
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
    [CALL_dense1_backward] = {"dense1_backward", "dense1", NN_BACKWARD, 1064960, 3072, 0, 10272,
                              8519680},
    [CALL_dense1_w_gradient] = {"dense1_w_gradient", "dense1", NN_BACKWARD, 1064960, 0, 0, 6176,
                                2129920},
    [CALL_batchnorm3_partial] = {"batchnorm3_partial", "batchnorm3", NN_BACKWARD, 0, 5120, 0, 8192,
                                 4096},
    [CALL_batchnorm3_beta_gradient] = {"batchnorm3_beta_gradient", "batchnorm3", NN_BACKWARD, 0, 0,
                                       64, 0, 2304},
    [CALL_batchnorm3_gamma_gradient] = {"batchnorm3_gamma_gradient", "batchnorm3", NN_BACKWARD, 0,
                                        0, 64, 0, 2304},
    [CALL_batchnorm3_backward] = {"batchnorm3_backward", "batchnorm3", NN_BACKWARD, 0, 6144, 0,
                                  12288, 5120},
    [CALL_conv3_w_partial] = {"conv3_w_partial", "conv3", NN_BACKWARD, 294912, 0, 0, 13312, 589824},
    [CALL_conv3_w_gradient] = {"conv3_w_gradient", "conv3", NN_BACKWARD, 0, 0, 110592, 0, 884736},
    [CALL_conv3_backward] = {"conv3_backward", "conv3", NN_BACKWARD, 1179648, 4608, 0, 13312,
                             589824},
    [CALL_pool2_backward] = {"pool2_backward", "pool2", NN_BACKWARD, 0, 36864, 0, 92160, 0},
    [CALL_batchnorm2_partial] = {"batchnorm2_partial", "batchnorm2", NN_BACKWARD, 0, 46080, 0,
                                 73728, 4096},
    [CALL_batchnorm2_beta_gradient] = {"batchnorm2_beta_gradient", "batchnorm2", NN_BACKWARD, 0, 0,
                                       64, 0, 2304},
    [CALL_batchnorm2_gamma_gradient] = {"batchnorm2_gamma_gradient", "batchnorm2", NN_BACKWARD, 0,
                                        0, 64, 0, 2304},
    [CALL_batchnorm2_backward] = {"batchnorm2_backward", "batchnorm2", NN_BACKWARD, 0, 55296, 0,
                                  110592, 5120},
    [CALL_conv2_w_partial] = {"conv2_w_partial", "conv2", NN_BACKWARD, 1327104, 0, 0, 61952,
                              294912},
    [CALL_conv2_w_gradient] = {"conv2_w_gradient", "conv2", NN_BACKWARD, 0, 0, 55296, 0, 442368},
    [CALL_conv2_backward] = {"conv2_backward", "conv2", NN_BACKWARD, 2359296, 12544, 0, 61952,
                             1179648},
    [CALL_pool1_backward] = {"pool1_backward", "pool1", NN_BACKWARD, 0, 100352, 0, 250880, 0},
    [CALL_batchnorm1_partial] = {"batchnorm1_partial", "batchnorm1", NN_BACKWARD, 0, 125440, 0,
                                 200704, 2048},
    [CALL_batchnorm1_beta_gradient] = {"batchnorm1_beta_gradient", "batchnorm1", NN_BACKWARD, 0, 0,
                                       32, 0, 1152},
    [CALL_batchnorm1_gamma_gradient] = {"batchnorm1_gamma_gradient", "batchnorm1", NN_BACKWARD, 0,
                                        0, 32, 0, 1152},
    [CALL_batchnorm1_backward] = {"batchnorm1_backward", "batchnorm1", NN_BACKWARD, 0, 150528, 0,
                                  301056, 2560},
    [CALL_conv1_w_partial] = {"conv1_w_partial", "conv1", NN_BACKWARD, 451584, 0, 0, 103488, 4608},
    [CALL_conv1_w_gradient] = {"conv1_w_gradient", "conv1", NN_BACKWARD, 0, 0, 864, 0, 6912},
    [CALL_conv1_w_update] = {"conv1_w_update", "conv1", NN_UPDATE, 0, 0, 2304, 0, 5760},
    [CALL_batchnorm1_gamma_update] = {"batchnorm1_gamma_update", "batchnorm1", NN_UPDATE, 0, 0, 256,
                                      0, 640},
    [CALL_batchnorm1_beta_update] = {"batchnorm1_beta_update", "batchnorm1", NN_UPDATE, 0, 0, 256,
                                     0, 640},
    [CALL_conv2_w_update] = {"conv2_w_update", "conv2", NN_UPDATE, 0, 0, 147456, 0, 368640},
    [CALL_batchnorm2_gamma_update] = {"batchnorm2_gamma_update", "batchnorm2", NN_UPDATE, 0, 0, 512,
                                      0, 1280},
    [CALL_batchnorm2_beta_update] = {"batchnorm2_beta_update", "batchnorm2", NN_UPDATE, 0, 0, 512,
                                     0, 1280},
    [CALL_conv3_w_update] = {"conv3_w_update", "conv3", NN_UPDATE, 0, 0, 294912, 0, 737280},
    [CALL_batchnorm3_gamma_update] = {"batchnorm3_gamma_update", "batchnorm3", NN_UPDATE, 0, 0, 512,
                                      0, 1280},
    [CALL_batchnorm3_beta_update] = {"batchnorm3_beta_update", "batchnorm3", NN_UPDATE, 0, 0, 512,
                                     0, 1280},
    [CALL_dense1_w_update] = {"dense1_w_update", "dense1", NN_UPDATE, 0, 0, 4259840, 0, 10649600},
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
    [CALL_dense1_w_turn] = {"dense1_w_turn", "dense1", NN_UPDATE, 0, 0, 0, 0, 4259840},
    [CALL_conv3_w_turn] = {"conv3_w_turn", "conv3", NN_UPDATE, 0, 0, 0, 0, 294912},
    [CALL_conv2_w_turn] = {"conv2_w_turn", "conv2", NN_UPDATE, 0, 0, 0, 0, 368640},
    [CALL_conv2_w_transform] = {"conv2_w_transform", "conv2", NN_UPDATE, 0, 0, 0, 0, 368640},
    [CALL_conv3_w_transform] = {"conv3_w_transform", "conv3", NN_UPDATE, 0, 0, 0, 0, 737280},
};

const NnModel nn_model = {
    .name = "convolution",
    .source =
        "# convolution, compiled by netc --target x86-64-v4\012"
        "#\012"
        "# Three convolutions with batch normalisation, then the deep stack of dense layers; "
        "experiment 11.\012"
        "data mnist\012"
        "input 28x28x1\012"
        "conv 32 3x3 pad same l2 0.0001\012"
        "batchnorm\012"
        "relu\012"
        "pool 2\012"
        "dropout 20%\012"
        "conv 64 3x3 l2 0.0001\012"
        "batchnorm\012"
        "relu\012"
        "pool 2\012"
        "dropout 20%\012"
        "conv 64 3x3 l2 0.0001\012"
        "batchnorm\012"
        "relu\012"
        "dropout 30%\012"
        "dense 520 relu\012"
        "dense 300 relu\012"
        "dense 250 relu\012"
        "dense 130 relu\012"
        "dense 60 relu\012"
        "dense 10 softmax\012"
        "\012"
        "loss      cross_entropy\012"
        "optimizer rmsprop lr 0.0003  # a third of the default: the last epochs jump less\012"
        "batch     64\012"
        "epochs    10\012",
    .fingerprint = "edda65e42a716201",
    .type = NN_F32, .vector_bytes = NN_VECTOR_BYTES,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "mnist", .format = NN_IDX,
    .byte_scale = 0.00392156862745098, .number_scale = 1,
    .stack_bytes = 3538944,
    .batch = BATCH, .blocks = BLOCKS, .epochs = 10, .seed = 1, .rate = 0.0003,
    .loss = "cross_entropy", .optimizer = "rmsprop",
    .threads = 64,
    .layers = layers, .layer_count = 20,
    .tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,
    .parameters = 861714,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 7992760, .optimizer_bytes = 3446216,
    .operations_forward = 8944581, .operations_backward = 17196470, .operations_update = 6892432,
    .train_step = train_step, .profiled = NN_PROFILED,
    .calls = calls, .call_count = sizeof calls / sizeof *calls,
    .prepare = prepare,
    .infer = infer,
    .output = WHOLE(infer_dense6), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
