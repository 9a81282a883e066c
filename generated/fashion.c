// fashion: a network compiled by netc into the C that trains it.
//
//   layer            statement                          output         parameters
//   input            input 28x28x1                      28x28x1
//   conv1            conv 32 3x3 pad same bias off      28x28x32       288
//   batchnorm1       batchnorm momentum 0.9             28x28x32       64
//   relu1            relu                               28x28x32       0
//   conv2            conv 32 3x3 pad same bias off      28x28x32       9216
//   batchnorm2       batchnorm momentum 0.9             28x28x32       64
//   relu2            relu                               28x28x32       0
//   pool1            pool 2x2                           14x14x32       0
//   dropout1         dropout 10%                        14x14x32       0
//   conv3            conv 64 3x3 pad same bias off      14x14x64       18432
//   batchnorm3       batchnorm momentum 0.9             14x14x64       128
//   relu3            relu                               14x14x64       0
//   conv4            conv 64 3x3 pad same bias off      14x14x64       36864
//   batchnorm4       batchnorm momentum 0.9             14x14x64       128
//   relu4            relu                               14x14x64       0
//   pool2            pool 2x2                           7x7x64         0
//   dropout2         dropout 20%                        7x7x64         0
//   conv5            conv 128 3x3 pad same bias off     7x7x128        73728
//   batchnorm5       batchnorm momentum 0.9             7x7x128        256
//   relu5            relu                               7x7x128        0
//   conv6            conv 128 3x3 pad same bias off     7x7x128        147456
//   batchnorm6       batchnorm momentum 0.9             7x7x128        256
//   relu6            relu                               7x7x128        0
//   pool3            pool 3x3 stride 2                  3x3x128        0
//   dropout3         dropout 20%                        3x3x128        0
//   dense1           dense 256 bias off                 256            294912
//   batchnorm7       batchnorm momentum 0.9             256            512
//   relu7            relu                               256            0
//   dropout4         dropout 30%                        256            0
//   dense2           dense 10 softmax                   10             2570
//                                                                      584874
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
#include "nn_augment.h" // random changes of pictures

// --- sizes ---------------------------------------------------------------------------------------

// A batch is worked on in blocks of rows; the last batch of an epoch may be smaller.
enum { BATCH = 128, ROWS = 32, BLOCKS = 4 };

// How many rows the block that starts at row `first` has in this batch.
static int rows_from(int first, const NnBatch *batch)
{
    const int rows = batch->rows - first;
    return rows < 0 ? 0 : nn_min(rows, ROWS);
}

// --- tensors that outlive a step -----------------------------------------------------------------

// weights, which training changes, and what they are at first
static _Alignas(64) float conv1_w[3][3][1][32]; // uniform within sqrt(6 / (9 + 288)) (glorot)
static _Alignas(64) float batchnorm1_gamma[32]; // ones
static _Alignas(64) float batchnorm1_beta[32]; // zeros
static _Alignas(64) float conv2_w[3][3][32][32]; // uniform within sqrt(6 / (288 + 288)) (glorot)
static _Alignas(64) float batchnorm2_gamma[32]; // ones
static _Alignas(64) float batchnorm2_beta[32]; // zeros
static _Alignas(64) float conv3_w[3][3][32][64]; // uniform within sqrt(6 / (288 + 576)) (glorot)
static _Alignas(64) float batchnorm3_gamma[64]; // ones
static _Alignas(64) float batchnorm3_beta[64]; // zeros
static _Alignas(64) float conv4_w[3][3][64][64]; // uniform within sqrt(6 / (576 + 576)) (glorot)
static _Alignas(64) float batchnorm4_gamma[64]; // ones
static _Alignas(64) float batchnorm4_beta[64]; // zeros
static _Alignas(64) float conv5_w[3][3][64][128]; // uniform within sqrt(6 / (576 + 1152)) (glorot)
static _Alignas(64) float batchnorm5_gamma[128]; // ones
static _Alignas(64) float batchnorm5_beta[128]; // zeros
// uniform within sqrt(6 / (1152 + 1152)) (glorot)
static _Alignas(64) float conv6_w[3][3][128][128];
static _Alignas(64) float batchnorm6_gamma[128]; // ones
static _Alignas(64) float batchnorm6_beta[128]; // zeros
// 1152x256 in panels of 1152x32
static _Alignas(64) float dense1_w[294912]; // uniform within sqrt(6 / (1152 + 256)) (glorot)
static _Alignas(64) float batchnorm7_gamma[256]; // ones
static _Alignas(64) float batchnorm7_beta[256]; // zeros
static _Alignas(64) float dense2_w[256][10]; // uniform within sqrt(6 / (256 + 10)) (glorot)
static _Alignas(64) float dense2_b[10]; // zeros

// states, which follow the training
static _Alignas(64) float batchnorm1_mean[32]; // zeros
static _Alignas(64) float batchnorm1_variance[32]; // ones
static _Alignas(64) float batchnorm2_mean[32]; // zeros
static _Alignas(64) float batchnorm2_variance[32]; // ones
static _Alignas(64) float batchnorm3_mean[64]; // zeros
static _Alignas(64) float batchnorm3_variance[64]; // ones
static _Alignas(64) float batchnorm4_mean[64]; // zeros
static _Alignas(64) float batchnorm4_variance[64]; // ones
static _Alignas(64) float batchnorm5_mean[128]; // zeros
static _Alignas(64) float batchnorm5_variance[128]; // ones
static _Alignas(64) float batchnorm6_mean[128]; // zeros
static _Alignas(64) float batchnorm6_variance[128]; // ones
static _Alignas(64) float batchnorm7_mean[256]; // zeros
static _Alignas(64) float batchnorm7_variance[256]; // ones

// what the optimizer remembers
static _Alignas(64) float conv1_w_m[3][3][1][32];
static _Alignas(64) float conv1_w_v[3][3][1][32];
static _Alignas(64) float batchnorm1_gamma_m[32];
static _Alignas(64) float batchnorm1_gamma_v[32];
static _Alignas(64) float batchnorm1_beta_m[32];
static _Alignas(64) float batchnorm1_beta_v[32];
static _Alignas(64) float conv2_w_m[3][3][32][32];
static _Alignas(64) float conv2_w_v[3][3][32][32];
static _Alignas(64) float batchnorm2_gamma_m[32];
static _Alignas(64) float batchnorm2_gamma_v[32];
static _Alignas(64) float batchnorm2_beta_m[32];
static _Alignas(64) float batchnorm2_beta_v[32];
static _Alignas(64) float conv3_w_m[3][3][32][64];
static _Alignas(64) float conv3_w_v[3][3][32][64];
static _Alignas(64) float batchnorm3_gamma_m[64];
static _Alignas(64) float batchnorm3_gamma_v[64];
static _Alignas(64) float batchnorm3_beta_m[64];
static _Alignas(64) float batchnorm3_beta_v[64];
static _Alignas(64) float conv4_w_m[3][3][64][64];
static _Alignas(64) float conv4_w_v[3][3][64][64];
static _Alignas(64) float batchnorm4_gamma_m[64];
static _Alignas(64) float batchnorm4_gamma_v[64];
static _Alignas(64) float batchnorm4_beta_m[64];
static _Alignas(64) float batchnorm4_beta_v[64];
static _Alignas(64) float conv5_w_m[3][3][64][128];
static _Alignas(64) float conv5_w_v[3][3][64][128];
static _Alignas(64) float batchnorm5_gamma_m[128];
static _Alignas(64) float batchnorm5_gamma_v[128];
static _Alignas(64) float batchnorm5_beta_m[128];
static _Alignas(64) float batchnorm5_beta_v[128];
static _Alignas(64) float conv6_w_m[3][3][128][128];
static _Alignas(64) float conv6_w_v[3][3][128][128];
static _Alignas(64) float batchnorm6_gamma_m[128];
static _Alignas(64) float batchnorm6_gamma_v[128];
static _Alignas(64) float batchnorm6_beta_m[128];
static _Alignas(64) float batchnorm6_beta_v[128];
// 1152x256 in panels of 1152x32
static _Alignas(64) float dense1_w_m[294912];
// 1152x256 in panels of 1152x32
static _Alignas(64) float dense1_w_v[294912];
static _Alignas(64) float batchnorm7_gamma_m[256];
static _Alignas(64) float batchnorm7_gamma_v[256];
static _Alignas(64) float batchnorm7_beta_m[256];
static _Alignas(64) float batchnorm7_beta_v[256];
static _Alignas(64) float dense2_w_m[256][10];
static _Alignas(64) float dense2_w_v[256][10];
static _Alignas(64) float dense2_b_m[10];
static _Alignas(64) float dense2_b_v[10];

// weights as products read them: in panels, exchanged, windows turned round or transformed
static _Alignas(64) float dense2_w_turned[10][256];
// 256x1152 in panels of 256x32
static _Alignas(64) float dense1_w_turned[294912];
static _Alignas(64) float conv6_w_turned[6][6][128][128];
static _Alignas(64) float conv5_w_turned[6][6][128][64];
static _Alignas(64) float conv4_w_turned[6][6][64][64];
static _Alignas(64) float conv3_w_turned[6][6][64][32];
static _Alignas(64) float conv2_w_turned[6][6][32][32];
static _Alignas(64) float conv2_w_transformed[6][6][32][32];
static _Alignas(64) float conv3_w_transformed[6][6][32][64];
static _Alignas(64) float conv4_w_transformed[6][6][64][64];
static _Alignas(64) float conv5_w_transformed[6][6][64][128];
static _Alignas(64) float conv6_w_transformed[6][6][128][128];

// --- the arena -----------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 105529856,
    // of a training step: 105529856 bytes, 202843008 if nothing were shared
    AT_input =              105119744, EACH_input =               100352, // [ROWS][28][28][1]
    AT_conv1 =                      0, EACH_conv1 =              3211264, // [ROWS][28][28][32]
    AT_batchnorm1_sums =     12845056, EACH_batchnorm1_sums =        512, // [2][32]
    AT_batchnorm1_stats =   105529344,                                    // [2][32]
    AT_relu1 =               12845056, EACH_relu1 =              3211264, // [ROWS][28][28][32]
    AT_conv2 =               25690112, EACH_conv2 =              3211264, // [ROWS][28][28][32]
    AT_batchnorm2_sums =     38535168, EACH_batchnorm2_sums =        512, // [2][32]
    AT_batchnorm2_stats =   105529600,                                    // [2][32]
    AT_relu2 =               38535168, EACH_relu2 =              3211264, // [ROWS][28][28][32]
    AT_pool1 =               83492864, EACH_pool1 =               802816, // [ROWS][14][14][32]
    AT_dropout1 =            86704128, EACH_dropout1 =            802816, // [ROWS][14][14][32]
    AT_conv3 =               51380224, EACH_conv3 =              1605632, // [ROWS][14][14][64]
    AT_batchnorm3_sums =     57802752, EACH_batchnorm3_sums =       1024, // [2][64]
    AT_batchnorm3_stats =   105527296,                                    // [2][64]
    AT_relu3 =               57802752, EACH_relu3 =              1605632, // [ROWS][14][14][64]
    AT_conv4 =               64225280, EACH_conv4 =              1605632, // [ROWS][14][14][64]
    AT_batchnorm4_sums =     70647808, EACH_batchnorm4_sums =       1024, // [2][64]
    AT_batchnorm4_stats =   105527808,                                    // [2][64]
    AT_relu4 =               70647808, EACH_relu4 =              1605632, // [ROWS][14][14][64]
    AT_pool2 =              101908480, EACH_pool2 =               401408, // [ROWS][7][7][64]
    AT_dropout2 =           103514112, EACH_dropout2 =            401408, // [ROWS][7][7][64]
    AT_conv5 =               77070336, EACH_conv5 =               802816, // [ROWS][7][7][128]
    AT_batchnorm5_sums =     80281600, EACH_batchnorm5_sums =       2048, // [2][128]
    AT_batchnorm5_stats =   105525248,                                    // [2][128]
    AT_relu5 =               80281600, EACH_relu5 =               802816, // [ROWS][7][7][128]
    AT_conv6 =               89915392, EACH_conv6 =               802816, // [ROWS][7][7][128]
    AT_batchnorm6_sums =     93126656, EACH_batchnorm6_sums =       2048, // [2][128]
    AT_batchnorm6_stats =   105526272,                                    // [2][128]
    AT_relu6 =               93126656, EACH_relu6 =               802816, // [ROWS][7][7][128]
    AT_pool3 =              100139008, EACH_pool3 =               147456, // [ROWS][3][3][128]
    AT_dropout3 =           100728832, EACH_dropout3 =            147456, // [ROWS][3][3][128]
    AT_dense1 =             101318656, EACH_dense1 =               32768, // [ROWS][256]
    AT_batchnorm7_sums =     96337920, EACH_batchnorm7_sums =       4096, // [2][256]
    AT_batchnorm7_stats =   101584896,                                    // [2][256]
    AT_dropout4 =            96337920, EACH_dropout4 =             35328, // [ROWS][256]
    AT_dense2_z =            96370688, EACH_dense2_z =             35328, // [ROWS][10]
    AT_dense2 =              96371968, EACH_dense2 =               35328, // [ROWS][10]
    AT_predicted =           96528384, EACH_predicted =              128, // [ROWS]
    AT_loss =                96528896, EACH_loss =                   128, // [ROWS]
    AT_d_dense2_z =          96370688, EACH_d_dense2_z =           35328, // [ROWS][10]
    AT_d_dense2_b_partial =  96529408, EACH_d_dense2_b_partial =      40, // [10]
    AT_d_dense2_b =          96348160,                                    // [10]
    AT_d_batchnorm7 =       101449728, EACH_d_batchnorm7 =         32768, // [ROWS][256]
    AT_d_dense2_w_partial =  96479232, EACH_d_dense2_w_partial =   10240, // [256][10]
    AT_d_dense2_w =          96337920,                                    // [256][10]
    AT_d_batchnorm7_partial = 96520192, EACH_d_batchnorm7_partial =  2048, // [2][256]
    AT_d_batchnorm7_beta =  101586944,                                    // [256]
    AT_d_batchnorm7_gamma = 101587968,                                    // [256]
    AT_d_dense1 =           101449728, EACH_d_dense1 =             32768, // [ROWS][256]
    AT_d_pool3 =             99549184, EACH_d_pool3 =             147456, // [ROWS][3][3][128]
    AT_d_batchnorm6 =        96337920, EACH_d_batchnorm6 =        802816, // [ROWS][7][7][128]
    AT_d_batchnorm6_partial = 101580800, EACH_d_batchnorm6_partial =  1024, // [2][128]
    AT_d_batchnorm6_beta =  105528320,                                    // [128]
    AT_d_batchnorm6_gamma = 105528832,                                    // [128]
    AT_d_conv6 =             96337920, EACH_d_conv6 =             802816, // [ROWS][7][7][128]
    AT_d_conv6_w_partial =   99549184, EACH_d_conv6_w_partial =   589824, // [3][3][128][128]
    AT_d_conv6_w =           80281600,                                    // [3][3][128][128]
    AT_d_batchnorm5 =        93126656, EACH_d_batchnorm5 =        802816, // [ROWS][7][7][128]
    AT_d_batchnorm5_partial = 105521152, EACH_d_batchnorm5_partial =  1024, // [2][128]
    AT_d_batchnorm5_beta =   83068928,                                    // [128]
    AT_d_batchnorm5_gamma =  83069440,                                    // [128]
    AT_d_conv5 =             93126656, EACH_d_conv5 =             802816, // [ROWS][7][7][128]
    AT_d_conv5_w_partial =   81887232, EACH_d_conv5_w_partial =   294912, // [3][3][64][128]
    AT_d_conv5_w =           77070336,                                    // [3][3][64][128]
    AT_d_pool2 =             80281600, EACH_d_pool2 =             401408, // [ROWS][7][7][64]
    AT_d_batchnorm4 =        70647808, EACH_d_batchnorm4 =       1605632, // [ROWS][14][14][64]
    AT_d_batchnorm4_partial = 83066880, EACH_d_batchnorm4_partial =   512, // [2][64]
    AT_d_batchnorm4_beta =   90507264,                                    // [64]
    AT_d_batchnorm4_gamma =  90507520,                                    // [64]
    AT_d_conv4 =             70647808, EACH_d_conv4 =            1605632, // [ROWS][14][14][64]
    AT_d_conv4_w_partial =   89915392, EACH_d_conv4_w_partial =   147456, // [3][3][64][64]
    AT_d_conv4_w =           57802752,                                    // [3][3][64][64]
    AT_d_batchnorm3 =        77070336, EACH_d_batchnorm3 =       1605632, // [ROWS][14][14][64]
    AT_d_batchnorm3_partial = 90505216, EACH_d_batchnorm3_partial =   512, // [2][64]
    AT_d_batchnorm3_beta =   61309952,                                    // [64]
    AT_d_batchnorm3_gamma =  61310208,                                    // [64]
    AT_d_conv3 =             77070336, EACH_d_conv3 =            1605632, // [ROWS][14][14][64]
    AT_d_conv3_w_partial =   61014016, EACH_d_conv3_w_partial =    73728, // [3][3][32][64]
    AT_d_conv3_w =           51380224,                                    // [3][3][32][64]
    AT_d_pool1 =             57802752, EACH_d_pool1 =             802816, // [ROWS][14][14][32]
    AT_d_batchnorm2 =        38535168, EACH_d_batchnorm2 =       3211264, // [ROWS][28][28][32]
    AT_d_batchnorm2_partial = 61308928, EACH_d_batchnorm2_partial =   256, // [2][32]
    AT_d_batchnorm2_beta =   64373760,                                    // [32]
    AT_d_batchnorm2_gamma =  64373888,                                    // [32]
    AT_d_conv2 =             38535168, EACH_d_conv2 =            3211264, // [ROWS][28][28][32]
    AT_d_conv2_w_partial =   64225280, EACH_d_conv2_w_partial =    36864, // [3][3][32][32]
    AT_d_conv2_w =           12845056,                                    // [3][3][32][32]
    AT_d_batchnorm1 =        51380224, EACH_d_batchnorm1 =       3211264, // [ROWS][28][28][32]
    AT_d_batchnorm1_partial = 64372736, EACH_d_batchnorm1_partial =   256, // [2][32]
    AT_d_batchnorm1_beta =   12881920,                                    // [32]
    AT_d_batchnorm1_gamma =  12882048,                                    // [32]
    AT_d_conv1 =             51380224, EACH_d_conv1 =            3211264, // [ROWS][28][28][32]
    AT_d_conv1_w_partial =   12845056, EACH_d_conv1_w_partial =     1152, // [3][3][1][32]
    AT_d_conv1_w =                  0,                                    // [3][3][1][32]
    // of inference: 25696256 bytes
    AT_infer_input =          3211264, EACH_infer_input =        6422528, // [ROWS][28][28][1]
    AT_infer_relu1 =                0, EACH_infer_relu1 =        6422528, // [ROWS][28][28][32]
    AT_infer_relu2 =          3211264, EACH_infer_relu2 =        6422528, // [ROWS][28][28][32]
    AT_infer_pool1 =          1605632, EACH_infer_pool1 =        6422528, // [ROWS][14][14][32]
    AT_infer_relu3 =                0, EACH_infer_relu3 =        6422528, // [ROWS][14][14][64]
    AT_infer_relu4 =          1605632, EACH_infer_relu4 =        6422528, // [ROWS][14][14][64]
    AT_infer_pool2 =           802816, EACH_infer_pool2 =        6422528, // [ROWS][7][7][64]
    AT_infer_relu5 =                0, EACH_infer_relu5 =        6422528, // [ROWS][7][7][128]
    AT_infer_relu6 =           802816, EACH_infer_relu6 =        6422528, // [ROWS][7][7][128]
    AT_infer_pool3 =                0, EACH_infer_pool3 =        6422528, // [ROWS][3][3][128]
    AT_infer_relu7 =           147456, EACH_infer_relu7 =        6422528, // [ROWS][256]
    AT_infer_dense2_z =             0, EACH_infer_dense2_z =     6422528, // [ROWS][10]
    AT_infer_dense2 =        25690112, EACH_infer_dense2 =          1280, // [ROWS][10]
    AT_infer_predicted =     25695232, EACH_infer_predicted =        128, // [ROWS]
    AT_infer_loss =          25695744, EACH_infer_loss =             128, // [ROWS]
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

STRIP(strip_11_10x32, 11, 10, INLINED, 2, Vector16, 0, 16)
STRIP(strip_12_4x32, 12, 4, CALLED, 2, Vector16, 0, 16)
STRIP(strip_11_10x8, 11, 10, INLINED, 1, Vector8, 0, 16)
STRIP(strip_11_10x2, 11, 10, INLINED, 1, Vector2, 0, 16)
STRIP(strip_14_4x8_near, 14, 4, CALLED, 1, Vector8, 0, 0)
STRIP(strip_14_4x2_near, 14, 4, CALLED, 1, Vector2, 0, 0)

// Asks for the memory of numbers that are about to be changed, so that other threads give up their
// copies. Inlined always: gcc 12 drops calls without another effect.
static INLINED void claim(const float *from, int count)
{
    for (int i = 0; i < count; i += 64 / (int)sizeof(float))
        __builtin_prefetch(from + i, 1);
}

// c[rows][256] = a[rows][1152] b[1152][256], with b in panels
static void panels_1152x256(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 256; j += 32)
        strip_11_10x32(rows, 1152, a, 1152, 1, b + j * 1152, 32, c + j, 256, false);
}

// c[rows][1152] = a[rows][256] b[256][1152], with b in panels
static void panels_256x1152(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 1152; j += 32)
        strip_11_10x32(rows, 256, a, 256, 1, b + j * 256, 32, c + j, 1152, false);
}

// c = rows from..to of the 1152x256 sums a[terms][1152]' b[terms][256], or c + those, in panels of
// `high` rows, from `row` on; the same rows of `change`, weights, are asked for on the way. So
// many terms at a time that what the tiles read again stays in the first cache.
static void outer_panels_1152x256(int from, int to, int terms, const void *left, const void *right,
                                  void *result, int high, int row, const void *change, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 1152 + from;
        const float *const b = (const float *)right + (size_t)at * 256;
        float *const c = result;
        for (int j = 0; j < 256; j += 32) {
            if (change && at == 0)
                claim((const float *)change + j * 1152 + from * 32, (to - from) * 32);
            strip_12_4x32(to - from, some, a, 1, 1152, b + j, 256, c + j * high + row * 32, 32,
                          add || at > 0);
        }
    }
}

// c[rows][10] = a[rows][256] b[256][10]
static void product_256x10(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    strip_11_10x8(rows, 256, a, 256, 1, b, 10, c, 10, false);
    strip_11_10x2(rows, 256, a, 256, 1, b + 8, 10, c + 8, 10, false);
}

// c[rows][256] = a[rows][10] b[10][256]
static void product_10x256(int rows, const void *left, const void *right, void *result)
{
    const float *const a = left, *const b = right;
    float *const c = result;
    for (int j = 0; j < 256; j += 32)
        strip_11_10x32(rows, 10, a, 10, 1, b + j, 256, c + j, 256, false);
}

// c = rows from..to of the 256x10 sums a[terms][256]' b[terms][10], or c + those. So many terms at
// a time that what the tiles read again stays in the first cache.
static void outer_256x10(int from, int to, int terms, const void *left, const void *right,
                         void *result, bool add)
{
    for (int at = 0; at < terms; at += 128) {
        const int some = nn_min(terms - at, 128);
        const float *const a = (const float *)left + (size_t)at * 256 + from;
        const float *const b = (const float *)right + (size_t)at * 10;
        float *const c = result;
        strip_14_4x8_near(to - from, some, a, 1, 256, b, 10, c, 10, add || at > 0);
        strip_14_4x2_near(to - from, some, a, 1, 256, b + 8, 10, c + 8, 10, add || at > 0);
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
WINDOW(window_5x32_near, 5, 5, 2, Vector16, 32, 0)
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
static const float beside[128] = {0}; // pixels beside a picture

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

// m[25][32] = v[25][32] u[32][32], at each of 6x6 places, u in panels
static void winograd_f4_25x32x32(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int i = 0; i < 25; i += 5)
            window_5x32_near(1, 32, v + i * 32, 32, 0, 0, 1, u, 0, 32, m + i * 32, 32, false);
        v += 800 + GAP;
        u += 1024;
        m += 800 + GAP;
    }
}

// sum[32][32] += v[25][32]' z[25][32], at each of 6x6 places, sum in panels
static void winograd_weights_f4_25x32x32(const float *v, const float *z, float *sum)
{
    for (int place = 0; place < 36; place++) {
        for (int i = 0; i < 32; i += 8)
            window_8x32_near(1, 25, v + i, 1, 0, 0, 32, z, 0, 32, sum + i * 32, 32, true);
        v += 800 + GAP;
        z += 800 + GAP;
        sum += 1024;
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

// m[32][64] = v[32][64] u[64][64], at each of 6x6 places, u in panels
static void winograd_f4_32x64x64(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 32; i += 8)
                window_8x32_near(1, 64, v + i * 64, 64, 0, 0, 1, u + c * 64, 0, 32, m + c + i * 64,
                                 64, false);
        }
        v += 2048 + GAP;
        u += 4096;
        m += 2048 + GAP;
    }
}

// sum[64][64] += v[32][64]' z[32][64], at each of 6x6 places, sum in panels
static void winograd_weights_f4_32x64x64(const float *v, const float *z, float *sum)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 64; i += 8)
                window_8x32_near(1, 32, v + i, 1, 0, 0, 64, z + c, 0, 64, sum + c * 64 + i * 32, 32,
                                 true);
        }
        v += 2048 + GAP;
        z += 2048 + GAP;
        sum += 4096;
    }
}

// m[32][128] = v[32][64] u[64][128], at each of 6x6 places, u in panels
static void winograd_f4_32x64x128(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 128; c += 32) {
            for (int i = 0; i < 32; i += 8)
                window_8x32_near(1, 64, v + i * 64, 64, 0, 0, 1, u + c * 64, 0, 32, m + c + i * 128,
                                 128, false);
        }
        v += 2048 + GAP;
        u += 8192;
        m += 4096 + GAP;
    }
}

// sum[64][128] += v[32][64]' z[32][128], at each of 6x6 places, sum in panels
static void winograd_weights_f4_32x64x128(const float *v, const float *z, float *sum)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 128; c += 32) {
            for (int i = 0; i < 64; i += 8)
                window_8x32_near(1, 32, v + i, 1, 0, 0, 64, z + c, 0, 128, sum + c * 64 + i * 32,
                                 32, true);
        }
        v += 2048 + GAP;
        z += 4096 + GAP;
        sum += 8192;
    }
}

// m[32][64] = v[32][128] u[128][64], at each of 6x6 places, u in panels
static void winograd_f4_32x128x64(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 64; c += 32) {
            for (int i = 0; i < 32; i += 8)
                window_8x32_near(1, 128, v + i * 128, 128, 0, 0, 1, u + c * 128, 0, 32,
                                 m + c + i * 64, 64, false);
        }
        v += 4096 + GAP;
        u += 8192;
        m += 2048 + GAP;
    }
}

// m[32][128] = v[32][128] u[128][128], at each of 6x6 places, u in panels
static void winograd_f4_32x128x128(const float *v, const float *u, float *m)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 128; c += 32) {
            for (int i = 0; i < 32; i += 8)
                window_8x32_near(1, 128, v + i * 128, 128, 0, 0, 1, u + c * 128, 0, 32,
                                 m + c + i * 128, 128, false);
        }
        v += 4096 + GAP;
        u += 16384;
        m += 4096 + GAP;
    }
}

// sum[128][128] += v[32][128]' z[32][128], at each of 6x6 places, sum in panels
static void winograd_weights_f4_32x128x128(const float *v, const float *z, float *sum)
{
    for (int place = 0; place < 36; place++) {
        for (int c = 0; c < 128; c += 32) {
            for (int i = 0; i < 128; i += 8)
                window_8x32_near(1, 32, v + i, 1, 0, 0, 128, z + c, 0, 128, sum + c * 128 + i * 32,
                                 32, true);
        }
        v += 4096 + GAP;
        z += 4096 + GAP;
        sum += 16384;
    }
}

// --- input: input 28x28x1 ------------------------------------------------------------------------

// x = scale pictures, each changed by chance
static void input_augment(const NnBatch *batch, int first, int rows,
                          float x[restrict ROWS][28][28][1])
{
    static const NnAugment how = {.shift = 2, .zoom = 0.1f, .cutout = 6, .flip_horizontal = true};
    float frame[NN_AUGMENT_ROOM(28, 28, 1)];
    for (int i = 0; i < rows; i++) {
        const size_t at = (size_t)batch->index[first + i] * 784;
        const uint64_t changes = nn_augment_key(batch->seed, batch->epoch, batch->index[first + i]);
        nn_frame_bytes(28, 28, 1, batch->pictures + at, 0.003921569f, frame);
        nn_augment(&how, changes, 28, 28, 1, frame, x[i][0][0]);
        nn_ahead(batch, first + i + BATCH, 784, 0, 784);
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

// --- conv1: conv 32 3x3 pad same bias off   28x28x1 -> 28x28x32 ----------------------------------

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

// y = x * w, a sum over each window
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm1)
// then y = x < 0 ? 0 : x (relu1)
static void conv1_infer(int rows, float y[restrict ROWS][28][28][32],
                        const float x[ROWS][28][28][1], const float w[3][3][1][32],
                        const float mean[32], const float variance[32], const float gamma[32],
                        const float beta[32])
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
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm1: batchnorm momentum 0.9   28x28x32 -> 28x28x32 -----------------------------------

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

// mean, variance follow the batch's
static void batchnorm1_follow(float mean[restrict 32], float variance[restrict 32],
                              const float stats[2][32])
{
    for (int c = 0; c < 32; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.1f * (stats[0][c] - mean[c]);
        variance[c] += 0.1f * (deviation * deviation - 0.001f - variance[c]);
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm1_gamma_update(const NnBatch *batch, float w[restrict 32], const float g[32],
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm1_beta_update(const NnBatch *batch, float w[restrict 32], const float g[32],
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

// --- conv2: conv 32 3x3 pad same bias off   28x28x32 -> 28x28x32 ---------------------------------

// y = x * w, a sum over each window, by transforms of both
static void conv2_forward(int rows, float y[restrict ROWS][28][28][32],
                          const float x[ROWS][28][28][32], const float transformed[6][6][32][32])
{
    const Squares of_x = {28, 28, 32, 1, 1, 4, 7, 7};
    const Squares of_y = {28, 28, 32, 0, 0, 4, 7, 7};
    _Alignas(64) float pixels[36][25 * 32 + GAP];
    _Alignas(64) float squares[36][25 * 32 + GAP];
    for (int i = 0; i < rows; i++) {
        for (int square = 0; square < 49; square += 25) {
            const int count = nn_min(25, 49 - square);
            transform_input_f4(x[i][0][0], &of_x, square, count, 25, pixels[0]);
            winograd_f4_25x32x32(pixels[0], transformed[0][0][0], squares[0]);
            transform_output_f4(squares[0], &of_y, square, count, 25, y[i][0][0]);
        }
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv2_w_partial(int rows, float dw[restrict 3][3][32][32],
                            const float x[ROWS][28][28][32], const float dy[ROWS][28][28][32])
{
    const Squares of_x = {28, 28, 32, 1, 1, 4, 7, 7};
    const Squares of_dy = {28, 28, 32, 0, 0, 4, 7, 7};
    _Alignas(64) float pixels[36][25 * 32 + GAP];
    _Alignas(64) float squares[36][25 * 32 + GAP];
    _Alignas(64) float windows[36][32 * 32];
    memset(windows, 0, sizeof windows);
    for (int i = 0; i < rows; i++) {
        for (int square = 0; square < 49; square += 25) {
            const int count = nn_min(25, 49 - square);
            transform_input_f4(x[i][0][0], &of_x, square, count, 25, pixels[0]);
            transform_gradient_f4(dy[i][0][0], &of_dy, square, count, 25, squares[0]);
            winograd_weights_f4_25x32x32(pixels[0], squares[0], windows[0]);
        }
    }
    gradient_of_windows_f4(windows[0], 32, 32, dw[0][0][0]);
}

// sum = sum of the blocks' partial sums, first to last
static void conv2_w_gradient(int part, float sum[restrict 288][32],
                             const float partial[BLOCKS][288][32])
{
    const int from = part * 72, to = nn_min(from + 72, 288);
    for (int i = from; i < to; i++) {
        for (int j = 0; j < 32; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 32; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dx = dy * w turned round, by transforms of both
// forward: y = x < 0 ? 0 : x (relu1)
// dx = y > 0 ? dy : 0
static void conv2_backward(int rows, float dx[restrict ROWS][28][28][32],
                           const float dy[ROWS][28][28][32], const float turned[6][6][32][32],
                           const float y[ROWS][28][28][32])
{
    const Squares of_dy = {28, 28, 32, 1, 1, 4, 7, 7};
    const Squares of_dx = {28, 28, 32, 0, 0, 4, 7, 7};
    _Alignas(64) float pixels[36][25 * 32 + GAP];
    _Alignas(64) float squares[36][25 * 32 + GAP];
    for (int i = 0; i < rows; i++) {
        for (int square = 0; square < 49; square += 25) {
            const int count = nn_min(25, 49 - square);
            transform_input_f4(dy[i][0][0], &of_dy, square, count, 25, pixels[0]);
            winograd_f4_25x32x32(pixels[0], turned[0][0][0], squares[0]);
            transform_output_f4(squares[0], &of_dx, square, count, 25, dx[i][0][0]);
        }
        for (int row = 0; row < 28; row++)
            for (int col = 0; col < 28; col++)
                for (int c = 0; c < 32; c++) {
                    float v = dx[i][row][col][c];
                    v = y[i][row][col][c] > 0 ? v : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv2_w_update(const NnBatch *batch, int part, float w[restrict 288][32],
                           const float g[288][32], float m[restrict 288][32],
                           float v[restrict 288][32])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 72, to = nn_min(from + 72, 288);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 32; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (nn_rootf(v[i][j]) + 1e-7f);
        }
}

// turned = G w G', of each window of w turned round, its channels exchanged
static void conv2_w_turn(int part, float turned[restrict 1152][32], const float w[288][32])
{
    const int from = part * 8, to = nn_min(from + 8, 32);
    transform_windows_turned_f4(w[0], 32, 32, from, to, turned[0]);
}

// transformed = G w G', of each window of w
static void conv2_w_transform(int part, float transformed[restrict 1152][32],
                              const float w[288][32])
{
    const int from = part * 8, to = nn_min(from + 8, 32);
    transform_windows_f4(w[0], 32, 32, from, to, transformed[0]);
}

// y = x * w, a sum over each window, by transforms of both
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm2)
// then y = x < 0 ? 0 : x (relu2)
static void conv2_infer(int rows, float y[restrict ROWS][28][28][32],
                        const float x[ROWS][28][28][32], const float transformed[6][6][32][32],
                        const float mean[32], const float variance[32], const float gamma[32],
                        const float beta[32])
{
    const Squares of_x = {28, 28, 32, 1, 1, 4, 7, 7};
    const Squares of_y = {28, 28, 32, 0, 0, 4, 7, 7};
    _Alignas(64) float pixels[36][25 * 32 + GAP];
    _Alignas(64) float squares[36][25 * 32 + GAP];
    for (int i = 0; i < rows; i++) {
        for (int square = 0; square < 49; square += 25) {
            const int count = nn_min(25, 49 - square);
            transform_input_f4(x[i][0][0], &of_x, square, count, 25, pixels[0]);
            winograd_f4_25x32x32(pixels[0], transformed[0][0][0], squares[0]);
            transform_output_f4(squares[0], &of_y, square, count, 25, y[i][0][0]);
        }
        for (int row = 0; row < 28; row++)
            for (int col = 0; col < 28; col++)
                for (int c = 0; c < 32; c++) {
                    float v = y[i][row][col][c];
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm2: batchnorm momentum 0.9   28x28x32 -> 28x28x32 -----------------------------------

// sums = sum x, sum x^2
static void batchnorm2_sums(int rows, double sums[restrict 2][32], const float x[ROWS][784][32])
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
static void batchnorm2_stats(const NnBatch *batch, float stats[restrict 2][32],
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

// mean, variance follow the batch's
static void batchnorm2_follow(float mean[restrict 32], float variance[restrict 32],
                              const float stats[2][32])
{
    for (int c = 0; c < 32; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.1f * (stats[0][c] - mean[c]);
        variance[c] += 0.1f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu2)
static void batchnorm2_forward(int rows, float y[restrict ROWS][784][32],
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
static void batchnorm2_partial(int rows, float sums[restrict 2][32], const float dy[ROWS][784][32],
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
static void batchnorm2_beta_gradient(float sum[restrict 32], const float partial[BLOCKS][2][32])
{
    for (int j = 0; j < 32; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 32; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm2_gamma_gradient(float sum[restrict 32], const float partial[BLOCKS][2][32])
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
static void batchnorm2_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][784][32],
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm2_gamma_update(const NnBatch *batch, float w[restrict 32], const float g[32],
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm2_beta_update(const NnBatch *batch, float w[restrict 32], const float g[32],
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
// forward: y = x < 0 ? 0 : x (relu2)
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

// --- dropout1: dropout 10%   14x14x32 -> 14x14x32 ------------------------------------------------

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
            v = bits >= 429496729u ? v * 1.11111111f : 0; // 10% of 2^32
            y[i][j] = v;
        }
    }
}

// --- conv3: conv 64 3x3 pad same bias off   14x14x32 -> 14x14x64 ---------------------------------

// y = x * w, a sum over each window, by transforms of both
static void conv3_forward(int rows, float y[restrict ROWS][14][14][64],
                          const float x[ROWS][14][14][32], const float transformed[6][6][32][64])
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
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv3_w_partial(int rows, float dw[restrict 3][3][32][64],
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
static void conv3_w_gradient(int part, float sum[restrict 288][64],
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
// forward: y = kept ? x / (1 - rate) : 0 (dropout1)
// dx = kept ? dy / (1 - rate) : 0
static void conv3_backward(const NnBatch *batch, int first, int rows,
                           float dx[restrict ROWS][14][14][32], const float dy[ROWS][14][14][64],
                           const float turned[6][6][64][32])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
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
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 6272;
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 32; c++) {
                    float v = dx[i][row][col][c];
                    const uint32_t bits = nn_bits(key, number + (row * 14 + col) * 32 + c);
                    v = bits >= 429496729u ? v * 1.11111111f : 0; // 10% of 2^32
                    dx[i][row][col][c] = v;
                }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv3_w_update(const NnBatch *batch, int part, float w[restrict 288][64],
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

// turned = G w G', of each window of w turned round, its channels exchanged
static void conv3_w_turn(int part, float turned[restrict 2304][32], const float w[288][64])
{
    const int from = part * 4, to = nn_min(from + 4, 32);
    transform_windows_turned_f4(w[0], 32, 64, from, to, turned[0]);
}

// transformed = G w G', of each window of w
static void conv3_w_transform(int part, float transformed[restrict 1152][64],
                              const float w[288][64])
{
    const int from = part * 4, to = nn_min(from + 4, 32);
    transform_windows_f4(w[0], 32, 64, from, to, transformed[0]);
}

// y = x * w, a sum over each window, by transforms of both
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm3)
// then y = x < 0 ? 0 : x (relu3)
static void conv3_infer(int rows, float y[restrict ROWS][14][14][64],
                        const float x[ROWS][14][14][32], const float transformed[6][6][32][64],
                        const float mean[64], const float variance[64], const float gamma[64],
                        const float beta[64])
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
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm3: batchnorm momentum 0.9   14x14x64 -> 14x14x64 -----------------------------------

// sums = sum x, sum x^2
static void batchnorm3_sums(int rows, double sums[restrict 2][64], const float x[ROWS][196][64])
{
    memset(sums, 0, sizeof(double[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 196; p++)
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
    const double count = (double)batch->rows * 196;
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

// mean, variance follow the batch's
static void batchnorm3_follow(float mean[restrict 64], float variance[restrict 64],
                              const float stats[2][64])
{
    for (int c = 0; c < 64; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.1f * (stats[0][c] - mean[c]);
        variance[c] += 0.1f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu3)
static void batchnorm3_forward(int rows, float y[restrict ROWS][196][64],
                               const float x[ROWS][196][64], const float stats[2][64],
                               const float gamma[64], const float beta[64])
{
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 196; p++)
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
static void batchnorm3_partial(int rows, float sums[restrict 2][64], const float dy[ROWS][196][64],
                               const float x[ROWS][196][64], const float stats[2][64])
{
    memset(sums, 0, sizeof(float[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 196; p++)
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
static void batchnorm3_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][196][64],
                                const float x[ROWS][196][64], const float stats[2][64],
                                const float gamma[64], const float dbeta[64],
                                const float dgamma[64])
{
    const float share = 1 / (float)(batch->rows * 196.0); // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 196; p++)
            for (int c = 0; c < 64; c++) {
                float v = dx[i][p][c];
                const float xhat = (x[i][p][c] - stats[0][c]) * stats[1][c];
                v = gamma[c] * stats[1][c] * (v - (dbeta[c] + xhat * dgamma[c]) * share);
                dx[i][p][c] = v;
            }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm3_gamma_update(const NnBatch *batch, float w[restrict 64], const float g[64],
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm3_beta_update(const NnBatch *batch, float w[restrict 64], const float g[64],
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

// --- conv4: conv 64 3x3 pad same bias off   14x14x64 -> 14x14x64 ---------------------------------

// y = x * w, a sum over each window, by transforms of both
static void conv4_forward(int rows, float y[restrict ROWS][14][14][64],
                          const float x[ROWS][14][14][64], const float transformed[6][6][64][64])
{
    const Squares of_x = {14, 14, 64, 1, 1, 4, 4, 4};
    const Squares of_y = {14, 14, 64, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 64 + GAP];
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        winograd_f4_32x64x64(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 32, y[i][0][0]);
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv4_w_partial(int rows, float dw[restrict 3][3][64][64],
                            const float x[ROWS][14][14][64], const float dy[ROWS][14][14][64])
{
    const Squares of_x = {14, 14, 64, 1, 1, 4, 4, 4};
    const Squares of_dy = {14, 14, 64, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 64 + GAP];
    _Alignas(64) float windows[36][64 * 64];
    memset(windows, 0, sizeof windows);
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        transform_gradient_f4(dy[i][0][0], &of_dy, 0, count, 32, squares[0]);
        winograd_weights_f4_32x64x64(pixels[0], squares[0], windows[0]);
    }
    gradient_of_windows_f4(windows[0], 64, 64, dw[0][0][0]);
}

// sum = sum of the blocks' partial sums, first to last
static void conv4_w_gradient(int part, float sum[restrict 576][64],
                             const float partial[BLOCKS][576][64])
{
    const int from = part * 72, to = nn_min(from + 72, 576);
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
// forward: y = x < 0 ? 0 : x (relu3)
// dx = y > 0 ? dy : 0
static void conv4_backward(int rows, float dx[restrict ROWS][14][14][64],
                           const float dy[ROWS][14][14][64], const float turned[6][6][64][64],
                           const float y[ROWS][14][14][64])
{
    const Squares of_dy = {14, 14, 64, 1, 1, 4, 4, 4};
    const Squares of_dx = {14, 14, 64, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 64 + GAP];
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(dy[i][0][0], &of_dy, 0, count, 32, pixels[0]);
        winograd_f4_32x64x64(pixels[0], turned[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_dx, 0, count, 32, dx[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 64; c++) {
                    float v = dx[i][row][col][c];
                    v = y[i][row][col][c] > 0 ? v : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv4_w_update(const NnBatch *batch, int part, float w[restrict 576][64],
                           const float g[576][64], float m[restrict 576][64],
                           float v[restrict 576][64])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 72, to = nn_min(from + 72, 576);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 64; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (nn_rootf(v[i][j]) + 1e-7f);
        }
}

// turned = G w G', of each window of w turned round, its channels exchanged
static void conv4_w_turn(int part, float turned[restrict 2304][64], const float w[576][64])
{
    const int from = part * 8, to = nn_min(from + 8, 64);
    transform_windows_turned_f4(w[0], 64, 64, from, to, turned[0]);
}

// transformed = G w G', of each window of w
static void conv4_w_transform(int part, float transformed[restrict 2304][64],
                              const float w[576][64])
{
    const int from = part * 8, to = nn_min(from + 8, 64);
    transform_windows_f4(w[0], 64, 64, from, to, transformed[0]);
}

// y = x * w, a sum over each window, by transforms of both
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm4)
// then y = x < 0 ? 0 : x (relu4)
static void conv4_infer(int rows, float y[restrict ROWS][14][14][64],
                        const float x[ROWS][14][14][64], const float transformed[6][6][64][64],
                        const float mean[64], const float variance[64], const float gamma[64],
                        const float beta[64])
{
    const Squares of_x = {14, 14, 64, 1, 1, 4, 4, 4};
    const Squares of_y = {14, 14, 64, 0, 0, 4, 4, 4};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 64 + GAP];
    for (int i = 0; i < rows; i += 2) {
        const int pictures = nn_min(2, rows - i), count = pictures * 16;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        winograd_f4_32x64x64(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 32, y[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 64; c++) {
                    float v = y[i][row][col][c];
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm4: batchnorm momentum 0.9   14x14x64 -> 14x14x64 -----------------------------------

// sums = sum x, sum x^2
static void batchnorm4_sums(int rows, double sums[restrict 2][64], const float x[ROWS][196][64])
{
    memset(sums, 0, sizeof(double[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 196; p++)
            for (int c = 0; c < 64; c++) {
                const double v = x[i][p][c];
                sums[0][c] += v;
                sums[1][c] += v * v;
            }
}

// stats = mean, 1 / sqrt(variance + eps)
static void batchnorm4_stats(const NnBatch *batch, float stats[restrict 2][64],
                             const double sums[BLOCKS][2][64])
{
    const double count = (double)batch->rows * 196;
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

// mean, variance follow the batch's
static void batchnorm4_follow(float mean[restrict 64], float variance[restrict 64],
                              const float stats[2][64])
{
    for (int c = 0; c < 64; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.1f * (stats[0][c] - mean[c]);
        variance[c] += 0.1f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu4)
static void batchnorm4_forward(int rows, float y[restrict ROWS][196][64],
                               const float x[ROWS][196][64], const float stats[2][64],
                               const float gamma[64], const float beta[64])
{
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 196; p++)
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
static void batchnorm4_partial(int rows, float sums[restrict 2][64], const float dy[ROWS][196][64],
                               const float x[ROWS][196][64], const float stats[2][64])
{
    memset(sums, 0, sizeof(float[2][64]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 196; p++)
            for (int c = 0; c < 64; c++) {
                sums[0][c] += dy[i][p][c];
                sums[1][c] += dy[i][p][c] * (x[i][p][c] - stats[0][c]) * stats[1][c];
            }
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm4_beta_gradient(float sum[restrict 64], const float partial[BLOCKS][2][64])
{
    for (int j = 0; j < 64; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 64; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm4_gamma_gradient(float sum[restrict 64], const float partial[BLOCKS][2][64])
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
static void batchnorm4_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][196][64],
                                const float x[ROWS][196][64], const float stats[2][64],
                                const float gamma[64], const float dbeta[64],
                                const float dgamma[64])
{
    const float share = 1 / (float)(batch->rows * 196.0); // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 196; p++)
            for (int c = 0; c < 64; c++) {
                float v = dx[i][p][c];
                const float xhat = (x[i][p][c] - stats[0][c]) * stats[1][c];
                v = gamma[c] * stats[1][c] * (v - (dbeta[c] + xhat * dgamma[c]) * share);
                dx[i][p][c] = v;
            }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm4_gamma_update(const NnBatch *batch, float w[restrict 64], const float g[64],
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm4_beta_update(const NnBatch *batch, float w[restrict 64], const float g[64],
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
// forward: y = x < 0 ? 0 : x (relu4)
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

// --- dropout2: dropout 20%   7x7x64 -> 7x7x64 ----------------------------------------------------

// y = kept ? x / (1 - rate) : 0
static void dropout2_forward(const NnBatch *batch, int first, int rows,
                             float y[restrict ROWS][3136], const float x[ROWS][3136])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 3136;
        for (int j = 0; j < 3136; j++) {
            float v = x[i][j];
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
            y[i][j] = v;
        }
    }
}

// --- conv5: conv 128 3x3 pad same bias off   7x7x64 -> 7x7x128 -----------------------------------

// y = x * w, a sum over each window, by transforms of both
static void conv5_forward(int rows, float y[restrict ROWS][7][7][128],
                          const float x[ROWS][7][7][64], const float transformed[6][6][64][128])
{
    const Squares of_x = {7, 7, 64, 1, 1, 4, 2, 2};
    const Squares of_y = {7, 7, 128, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 128 + GAP];
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        winograd_f4_32x64x128(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 32, y[i][0][0]);
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv5_w_partial(int rows, float dw[restrict 3][3][64][128],
                            const float x[ROWS][7][7][64], const float dy[ROWS][7][7][128])
{
    const Squares of_x = {7, 7, 64, 1, 1, 4, 2, 2};
    const Squares of_dy = {7, 7, 128, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 128 + GAP];
    _Alignas(64) float windows[36][64 * 128];
    memset(windows, 0, sizeof windows);
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        transform_gradient_f4(dy[i][0][0], &of_dy, 0, count, 32, squares[0]);
        winograd_weights_f4_32x64x128(pixels[0], squares[0], windows[0]);
    }
    gradient_of_windows_f4(windows[0], 64, 128, dw[0][0][0]);
}

// sum = sum of the blocks' partial sums, first to last
static void conv5_w_gradient(int part, float sum[restrict 576][128],
                             const float partial[BLOCKS][576][128])
{
    const int from = part * 72, to = nn_min(from + 72, 576);
    for (int i = from; i < to; i++) {
        for (int j = 0; j < 128; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 128; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dx = dy * w turned round, by transforms of both
// forward: y = kept ? x / (1 - rate) : 0 (dropout2)
// dx = kept ? dy / (1 - rate) : 0
static void conv5_backward(const NnBatch *batch, int first, int rows,
                           float dx[restrict ROWS][7][7][64], const float dy[ROWS][7][7][128],
                           const float turned[6][6][128][64])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    const Squares of_dy = {7, 7, 128, 1, 1, 4, 2, 2};
    const Squares of_dx = {7, 7, 64, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 128 + GAP];
    _Alignas(64) float squares[36][32 * 64 + GAP];
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(dy[i][0][0], &of_dy, 0, count, 32, pixels[0]);
        winograd_f4_32x128x64(pixels[0], turned[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_dx, 0, count, 32, dx[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 3136;
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 64; c++) {
                    float v = dx[i][row][col][c];
                    const uint32_t bits = nn_bits(key, number + (row * 7 + col) * 64 + c);
                    v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
                    dx[i][row][col][c] = v;
                }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv5_w_update(const NnBatch *batch, int part, float w[restrict 576][128],
                           const float g[576][128], float m[restrict 576][128],
                           float v[restrict 576][128])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 72, to = nn_min(from + 72, 576);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 128; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (nn_rootf(v[i][j]) + 1e-7f);
        }
}

// turned = G w G', of each window of w turned round, its channels exchanged
static void conv5_w_turn(int part, float turned[restrict 4608][64], const float w[576][128])
{
    const int from = part * 8, to = nn_min(from + 8, 64);
    transform_windows_turned_f4(w[0], 64, 128, from, to, turned[0]);
}

// transformed = G w G', of each window of w
static void conv5_w_transform(int part, float transformed[restrict 2304][128],
                              const float w[576][128])
{
    const int from = part * 8, to = nn_min(from + 8, 64);
    transform_windows_f4(w[0], 64, 128, from, to, transformed[0]);
}

// y = x * w, a sum over each window, by transforms of both
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm5)
// then y = x < 0 ? 0 : x (relu5)
static void conv5_infer(int rows, float y[restrict ROWS][7][7][128], const float x[ROWS][7][7][64],
                        const float transformed[6][6][64][128], const float mean[128],
                        const float variance[128], const float gamma[128], const float beta[128])
{
    const Squares of_x = {7, 7, 64, 1, 1, 4, 2, 2};
    const Squares of_y = {7, 7, 128, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 64 + GAP];
    _Alignas(64) float squares[36][32 * 128 + GAP];
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        winograd_f4_32x64x128(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 32, y[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 128; c++) {
                    float v = y[i][row][col][c];
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm5: batchnorm momentum 0.9   7x7x128 -> 7x7x128 -------------------------------------

// sums = sum x, sum x^2
static void batchnorm5_sums(int rows, double sums[restrict 2][128], const float x[ROWS][49][128])
{
    memset(sums, 0, sizeof(double[2][128]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                const double v = x[i][p][c];
                sums[0][c] += v;
                sums[1][c] += v * v;
            }
}

// stats = mean, 1 / sqrt(variance + eps)
static void batchnorm5_stats(const NnBatch *batch, float stats[restrict 2][128],
                             const double sums[BLOCKS][2][128])
{
    const double count = (double)batch->rows * 49;
    for (int c = 0; c < 128; c++) {
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

// mean, variance follow the batch's
static void batchnorm5_follow(float mean[restrict 128], float variance[restrict 128],
                              const float stats[2][128])
{
    for (int c = 0; c < 128; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.1f * (stats[0][c] - mean[c]);
        variance[c] += 0.1f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu5)
static void batchnorm5_forward(int rows, float y[restrict ROWS][49][128],
                               const float x[ROWS][49][128], const float stats[2][128],
                               const float gamma[128], const float beta[128])
{
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                float v = x[i][p][c];
                v = (v - stats[0][c]) * stats[1][c] * gamma[c] + beta[c];
                v = v < 0 ? 0 : v;
                y[i][p][c] = v;
            }
    }
}

// forward: y = (x - mean) / deviation * gamma + beta
// sums = sum dy, sum dy xhat, xhat = (x - mean) / deviation
static void batchnorm5_partial(int rows, float sums[restrict 2][128], const float dy[ROWS][49][128],
                               const float x[ROWS][49][128], const float stats[2][128])
{
    memset(sums, 0, sizeof(float[2][128]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                sums[0][c] += dy[i][p][c];
                sums[1][c] += dy[i][p][c] * (x[i][p][c] - stats[0][c]) * stats[1][c];
            }
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm5_beta_gradient(float sum[restrict 128], const float partial[BLOCKS][2][128])
{
    for (int j = 0; j < 128; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 128; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm5_gamma_gradient(float sum[restrict 128], const float partial[BLOCKS][2][128])
{
    for (int j = 0; j < 128; j++)
        sum[j] = partial[0][1][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 128; j++)
            sum[j] += partial[block][1][j];
}

// forward: y = (x - mean) / deviation * gamma + beta
// dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy xhat))
// dx takes the place of dy
static void batchnorm5_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][49][128],
                                const float x[ROWS][49][128], const float stats[2][128],
                                const float gamma[128], const float dbeta[128],
                                const float dgamma[128])
{
    const float share = 1 / (float)(batch->rows * 49.0); // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                float v = dx[i][p][c];
                const float xhat = (x[i][p][c] - stats[0][c]) * stats[1][c];
                v = gamma[c] * stats[1][c] * (v - (dbeta[c] + xhat * dgamma[c]) * share);
                dx[i][p][c] = v;
            }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm5_gamma_update(const NnBatch *batch, float w[restrict 128], const float g[128],
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm5_beta_update(const NnBatch *batch, float w[restrict 128], const float g[128],
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

// --- conv6: conv 128 3x3 pad same bias off   7x7x128 -> 7x7x128 ----------------------------------

// y = x * w, a sum over each window, by transforms of both
static void conv6_forward(int rows, float y[restrict ROWS][7][7][128],
                          const float x[ROWS][7][7][128], const float transformed[6][6][128][128])
{
    const Squares of_x = {7, 7, 128, 1, 1, 4, 2, 2};
    const Squares of_y = {7, 7, 128, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 128 + GAP];
    _Alignas(64) float squares[36][32 * 128 + GAP];
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        winograd_f4_32x128x128(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 32, y[i][0][0]);
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dw = sum of x dy over the block's pixels, by transforms of both
static void conv6_w_partial(int rows, float dw[restrict 3][3][128][128],
                            const float x[ROWS][7][7][128], const float dy[ROWS][7][7][128])
{
    const Squares of_x = {7, 7, 128, 1, 1, 4, 2, 2};
    const Squares of_dy = {7, 7, 128, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 128 + GAP];
    _Alignas(64) float squares[36][32 * 128 + GAP];
    _Alignas(64) float windows[36][128 * 128];
    memset(windows, 0, sizeof windows);
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        transform_gradient_f4(dy[i][0][0], &of_dy, 0, count, 32, squares[0]);
        winograd_weights_f4_32x128x128(pixels[0], squares[0], windows[0]);
    }
    gradient_of_windows_f4(windows[0], 128, 128, dw[0][0][0]);
}

// sum = sum of the blocks' partial sums, first to last
static void conv6_w_gradient(int part, float sum[restrict 1152][128],
                             const float partial[BLOCKS][1152][128])
{
    const int from = part * 144, to = nn_min(from + 144, 1152);
    for (int i = from; i < to; i++) {
        for (int j = 0; j < 128; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 128; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// forward: y = x * w, a sum over each window, by transforms of both
// dx = dy * w turned round, by transforms of both
// forward: y = x < 0 ? 0 : x (relu5)
// dx = y > 0 ? dy : 0
static void conv6_backward(int rows, float dx[restrict ROWS][7][7][128],
                           const float dy[ROWS][7][7][128], const float turned[6][6][128][128],
                           const float y[ROWS][7][7][128])
{
    const Squares of_dy = {7, 7, 128, 1, 1, 4, 2, 2};
    const Squares of_dx = {7, 7, 128, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 128 + GAP];
    _Alignas(64) float squares[36][32 * 128 + GAP];
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(dy[i][0][0], &of_dy, 0, count, 32, pixels[0]);
        winograd_f4_32x128x128(pixels[0], turned[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_dx, 0, count, 32, dx[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 128; c++) {
                    float v = dx[i][row][col][c];
                    v = y[i][row][col][c] > 0 ? v : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void conv6_w_update(const NnBatch *batch, int part, float w[restrict 1152][128],
                           const float g[1152][128], float m[restrict 1152][128],
                           float v[restrict 1152][128])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 144, to = nn_min(from + 144, 1152);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 128; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (nn_rootf(v[i][j]) + 1e-7f);
        }
}

// turned = G w G', of each window of w turned round, its channels exchanged
static void conv6_w_turn(int part, float turned[restrict 4608][128], const float w[1152][128])
{
    const int from = part * 16, to = nn_min(from + 16, 128);
    transform_windows_turned_f4(w[0], 128, 128, from, to, turned[0]);
}

// transformed = G w G', of each window of w
static void conv6_w_transform(int part, float transformed[restrict 4608][128],
                              const float w[1152][128])
{
    const int from = part * 16, to = nn_min(from + 16, 128);
    transform_windows_f4(w[0], 128, 128, from, to, transformed[0]);
}

// y = x * w, a sum over each window, by transforms of both
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm6)
// then y = x < 0 ? 0 : x (relu6)
static void conv6_infer(int rows, float y[restrict ROWS][7][7][128], const float x[ROWS][7][7][128],
                        const float transformed[6][6][128][128], const float mean[128],
                        const float variance[128], const float gamma[128], const float beta[128])
{
    const Squares of_x = {7, 7, 128, 1, 1, 4, 2, 2};
    const Squares of_y = {7, 7, 128, 0, 0, 4, 2, 2};
    _Alignas(64) float pixels[36][32 * 128 + GAP];
    _Alignas(64) float squares[36][32 * 128 + GAP];
    for (int i = 0; i < rows; i += 8) {
        const int pictures = nn_min(8, rows - i), count = pictures * 4;
        transform_input_f4(x[i][0][0], &of_x, 0, count, 32, pixels[0]);
        winograd_f4_32x128x128(pixels[0], transformed[0][0][0], squares[0]);
        transform_output_f4(squares[0], &of_y, 0, count, 32, y[i][0][0]);
    }
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 128; c++) {
                    float v = y[i][row][col][c];
                    v = (v - mean[c]) / sqrtf(variance[c] + 0.001f) * gamma[c] + beta[c];
                    v = v < 0 ? 0 : v;
                    y[i][row][col][c] = v;
                }
    }
}

// --- batchnorm6: batchnorm momentum 0.9   7x7x128 -> 7x7x128 -------------------------------------

// sums = sum x, sum x^2
static void batchnorm6_sums(int rows, double sums[restrict 2][128], const float x[ROWS][49][128])
{
    memset(sums, 0, sizeof(double[2][128]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                const double v = x[i][p][c];
                sums[0][c] += v;
                sums[1][c] += v * v;
            }
}

// stats = mean, 1 / sqrt(variance + eps)
static void batchnorm6_stats(const NnBatch *batch, float stats[restrict 2][128],
                             const double sums[BLOCKS][2][128])
{
    const double count = (double)batch->rows * 49;
    for (int c = 0; c < 128; c++) {
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

// mean, variance follow the batch's
static void batchnorm6_follow(float mean[restrict 128], float variance[restrict 128],
                              const float stats[2][128])
{
    for (int c = 0; c < 128; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.1f * (stats[0][c] - mean[c]);
        variance[c] += 0.1f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu6)
static void batchnorm6_forward(int rows, float y[restrict ROWS][49][128],
                               const float x[ROWS][49][128], const float stats[2][128],
                               const float gamma[128], const float beta[128])
{
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                float v = x[i][p][c];
                v = (v - stats[0][c]) * stats[1][c] * gamma[c] + beta[c];
                v = v < 0 ? 0 : v;
                y[i][p][c] = v;
            }
    }
}

// forward: y = (x - mean) / deviation * gamma + beta
// sums = sum dy, sum dy xhat, xhat = (x - mean) / deviation
static void batchnorm6_partial(int rows, float sums[restrict 2][128], const float dy[ROWS][49][128],
                               const float x[ROWS][49][128], const float stats[2][128])
{
    memset(sums, 0, sizeof(float[2][128]));
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                sums[0][c] += dy[i][p][c];
                sums[1][c] += dy[i][p][c] * (x[i][p][c] - stats[0][c]) * stats[1][c];
            }
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm6_beta_gradient(float sum[restrict 128], const float partial[BLOCKS][2][128])
{
    for (int j = 0; j < 128; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 128; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm6_gamma_gradient(float sum[restrict 128], const float partial[BLOCKS][2][128])
{
    for (int j = 0; j < 128; j++)
        sum[j] = partial[0][1][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 128; j++)
            sum[j] += partial[block][1][j];
}

// forward: y = (x - mean) / deviation * gamma + beta
// dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy xhat))
// dx takes the place of dy
static void batchnorm6_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][49][128],
                                const float x[ROWS][49][128], const float stats[2][128],
                                const float gamma[128], const float dbeta[128],
                                const float dgamma[128])
{
    const float share = 1 / (float)(batch->rows * 49.0); // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int p = 0; p < 49; p++)
            for (int c = 0; c < 128; c++) {
                float v = dx[i][p][c];
                const float xhat = (x[i][p][c] - stats[0][c]) * stats[1][c];
                v = gamma[c] * stats[1][c] * (v - (dbeta[c] + xhat * dgamma[c]) * share);
                dx[i][p][c] = v;
            }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm6_gamma_update(const NnBatch *batch, float w[restrict 128], const float g[128],
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

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm6_beta_update(const NnBatch *batch, float w[restrict 128], const float g[128],
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

// --- pool3: pool 3x3 stride 2   7x7x128 -> 3x3x128 -----------------------------------------------

// y = the largest x of each window
static void pool3_forward(int rows, float y[restrict ROWS][3][3][128],
                          const float x[ROWS][7][7][128])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 3; row++)
            for (int col = 0; col < 3; col++) {
                for (int c = 0; c < 128; c += 16) {
                    Vector16 largest;
                    memcpy(&largest, &x[i][row * 2][col * 2][c], sizeof largest);
                    for (int r = 0; r < 3; r++)
                        for (int s = 0; s < 3; s++) {
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
// forward: y = x < 0 ? 0 : x (relu6)
// dx = y > 0 ? dy : 0
static void pool3_backward(int rows, float dx[restrict ROWS][7][7][128],
                           const float dy[ROWS][3][3][128], const float x[ROWS][7][7][128],
                           const float y[ROWS][3][3][128])
{
    for (int i = 0; i < rows; i++) {
        memset(dx[i], 0, sizeof dx[i]); // windows overlap
        for (int row = 0; row < 3; row++)
            for (int col = 0; col < 3; col++) {
                for (int c = 0; c < 128; c += 16) {
                    // dy goes to the first that is the largest
                    Vector16 left;
                    memcpy(&left, &dy[i][row][col][c], sizeof left);
                    Vector16 largest;
                    memcpy(&largest, &y[i][row][col][c], sizeof largest);
                    for (int r = 0; r < 3; r++)
                        for (int s = 0; s < 3; s++) {
                            Vector16 at;
                            memcpy(&at, &x[i][row * 2 + r][col * 2 + s][c], sizeof at);
                            Vector16 v = NN_CHOOSE(at == largest, left, (Vector16){0});
                            left -= v;
                            Vector16 before;
                            memcpy(&before, &dx[i][row * 2 + r][col * 2 + s][c], sizeof before);
                            v += before;
                            memcpy(&dx[i][row * 2 + r][col * 2 + s][c], &v, sizeof v);
                        }
                }
            }
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 128; c++) {
                    float v = dx[i][row][col][c];
                    v = x[i][row][col][c] > 0 ? v : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// --- dropout3: dropout 20%   3x3x128 -> 3x3x128 --------------------------------------------------

// y = kept ? x / (1 - rate) : 0
static void dropout3_forward(const NnBatch *batch, int first, int rows,
                             float y[restrict ROWS][1152], const float x[ROWS][1152])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout3"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 1152;
        for (int j = 0; j < 1152; j++) {
            float v = x[i][j];
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
            y[i][j] = v;
        }
    }
}

// --- dense1: dense 256 bias off   3x3x128 -> 256 -------------------------------------------------

// y = x w
static void dense1_forward(int rows, float y[restrict ROWS][256], const float x[ROWS][1152],
                           const float w[294912])
{
    panels_1152x256(rows, x, w, y);
}

// forward: y = x w
// dx = dy w'
// forward: y = kept ? x / (1 - rate) : 0 (dropout3)
// dx = kept ? dy / (1 - rate) : 0
static void dense1_backward(const NnBatch *batch, int first, int rows,
                            float dx[restrict ROWS][3][3][128], const float dy[ROWS][256],
                            const float turned[294912])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout3"), (uint64_t)batch->step);
    panels_256x1152(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 1152;
        for (int row = 0; row < 3; row++)
            for (int col = 0; col < 3; col++)
                for (int c = 0; c < 128; c++) {
                    float v = dx[i][row][col][c];
                    const uint32_t bits = nn_bits(key, number + (row * 3 + col) * 128 + c);
                    v = bits >= 858993459u ? v * 1.25f : 0; // 20% of 2^32
                    dx[i][row][col][c] = v;
                }
    }
}

// forward: y = x w
// dw = x' dy
static void dense1_w_gradient(const NnBatch *batch, int part, float dw[restrict 18432],
                              const float x[BATCH][1152], const float dy[BATCH][256],
                              const float w[294912])
{
    const int from = part * 72, to = nn_min(from + 72, 1152);
    outer_panels_1152x256(from, to, batch->rows, x, dy, dw, to - from, 0, w, false);
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense1_w_update(const NnBatch *batch, int part, float w[restrict 294912],
                            const float g[18432], float m[restrict 294912],
                            float v[restrict 294912])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 72, to = nn_min(from + 72, 1152);
    for (int j = 0, wide; j < 256; j += wide) {
        wide = 32;
        const int count = (to - from) * wide;
        for (int i = 0; i < count; i++) {
            const int at = j * 1152 + from * wide + i;
            m[at] += 0.1f * (g[j * (to - from) + i] - m[at]);
            v[at] += 0.001f * (g[j * (to - from) + i] * g[j * (to - from) + i] - v[at]);
            w[at] -= rate * m[at] / (nn_rootf(v[at]) + 1e-7f);
        }
    }
}

// turned = w', rows and columns exchanged
static void dense1_w_turn(int part, float turned[restrict 294912], const float w[294912])
{
    const int from = part * 72, to = nn_min(from + 72, 1152);
    for (int k = from / 32 * 32, line; k < to; k += line) {
        line = 32; // of turned
        const int low = nn_max(from, k), high = nn_min(to, k + line);
        for (int j = 0, wide; j < 256; j += wide) {
            wide = 32;
            nn_turn_float(high - low, wide, w + j * 1152 + low * wide, wide,
                          turned + k * 256 + low - k + j * line, line);
        }
    }
}

// y = x w
// then y = (x - mean) / sqrt(variance + eps) * gamma + beta (batchnorm7)
// then y = x < 0 ? 0 : x (relu7)
static void dense1_infer(int rows, float y[restrict ROWS][256], const float x[ROWS][1152],
                         const float w[294912], const float mean[256], const float variance[256],
                         const float gamma[256], const float beta[256])
{
    panels_1152x256(rows, x, w, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 256; j++) {
            float v = y[i][j];
            v = (v - mean[j]) / sqrtf(variance[j] + 0.001f) * gamma[j] + beta[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// --- batchnorm7: batchnorm momentum 0.9   256 -> 256 ---------------------------------------------

// sums = sum x, sum x^2
static void batchnorm7_sums(int rows, double sums[restrict 2][256], const float x[ROWS][256])
{
    memset(sums, 0, sizeof(double[2][256]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 256; c++) {
            const double v = x[i][c];
            sums[0][c] += v;
            sums[1][c] += v * v;
        }
}

// stats = mean, 1 / sqrt(variance + eps)
static void batchnorm7_stats(const NnBatch *batch, float stats[restrict 2][256],
                             const double sums[BLOCKS][2][256])
{
    const double count = (double)batch->rows * 1;
    for (int c = 0; c < 256; c++) {
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

// mean, variance follow the batch's
static void batchnorm7_follow(float mean[restrict 256], float variance[restrict 256],
                              const float stats[2][256])
{
    for (int c = 0; c < 256; c++) {
        const float deviation = 1 / stats[1][c];
        mean[c] += 0.1f * (stats[0][c] - mean[c]);
        variance[c] += 0.1f * (deviation * deviation - 0.001f - variance[c]);
    }
}

// y = (x - mean) / deviation * gamma + beta
// then y = x < 0 ? 0 : x (relu7)
// then y = kept ? x / (1 - rate) : 0 (dropout4)
static void batchnorm7_forward(const NnBatch *batch, int first, int rows,
                               float y[restrict ROWS][256], const float x[ROWS][256],
                               const float stats[2][256], const float gamma[256],
                               const float beta[256])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout4"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 256;
        for (int j = 0; j < 256; j++) {
            float v = x[i][j];
            v = (v - stats[0][j]) * stats[1][j] * gamma[j] + beta[j];
            v = v < 0 ? 0 : v;
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 1288490188u ? v * 1.42857143f : 0; // 30% of 2^32
            y[i][j] = v;
        }
    }
}

// forward: y = (x - mean) / deviation * gamma + beta
// sums = sum dy, sum dy xhat, xhat = (x - mean) / deviation
static void batchnorm7_partial(int rows, float sums[restrict 2][256], const float dy[ROWS][256],
                               const float x[ROWS][256], const float stats[2][256])
{
    memset(sums, 0, sizeof(float[2][256]));
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < 256; c++) {
            sums[0][c] += dy[i][c];
            sums[1][c] += dy[i][c] * (x[i][c] - stats[0][c]) * stats[1][c];
        }
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm7_beta_gradient(float sum[restrict 256], const float partial[BLOCKS][2][256])
{
    for (int j = 0; j < 256; j++)
        sum[j] = partial[0][0][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 256; j++)
            sum[j] += partial[block][0][j];
}

// sum = sum of one row of the blocks' partial sums, first to last
static void batchnorm7_gamma_gradient(float sum[restrict 256], const float partial[BLOCKS][2][256])
{
    for (int j = 0; j < 256; j++)
        sum[j] = partial[0][1][j];
    for (int block = 1; block < BLOCKS; block++)
        for (int j = 0; j < 256; j++)
            sum[j] += partial[block][1][j];
}

// forward: y = (x - mean) / deviation * gamma + beta
// dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy xhat))
// dx takes the place of dy
static void batchnorm7_backward(const NnBatch *batch, int rows, float dx[restrict ROWS][256],
                                const float x[ROWS][256], const float stats[2][256],
                                const float gamma[256], const float dbeta[256],
                                const float dgamma[256])
{
    const float share = 1 / (float)batch->rows; // of one number in its channel
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 256; j++) {
            float v = dx[i][j];
            const float xhat = (x[i][j] - stats[0][j]) * stats[1][j];
            v = gamma[j] * stats[1][j] * (v - (dbeta[j] + xhat * dgamma[j]) * share);
            dx[i][j] = v;
        }
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm7_gamma_update(const NnBatch *batch, float w[restrict 256], const float g[256],
                                    float m[restrict 256], float v[restrict 256])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 256; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (nn_rootf(v[j]) + 1e-7f);
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void batchnorm7_beta_update(const NnBatch *batch, float w[restrict 256], const float g[256],
                                   float m[restrict 256], float v[restrict 256])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int j = 0; j < 256; j++) {
        m[j] += 0.1f * (g[j] - m[j]);
        v[j] += 0.001f * (g[j] * g[j] - v[j]);
        w[j] -= rate * m[j] / (nn_rootf(v[j]) + 1e-7f);
    }
}

// --- dense2: dense 10 softmax   256 -> 10 --------------------------------------------------------

// y = x w
// then y = x + b
static void dense2_forward(int rows, float y[restrict ROWS][10], const float x[ROWS][256],
                           const float w[256][10], const float b[10])
{
    product_256x10(rows, x, w, y);
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
// forward: y = kept ? x / (1 - rate) : 0 (dropout4)
// dx = kept ? dy / (1 - rate) : 0
// forward: y = x < 0 ? 0 : x (relu7)
// dx = y > 0 ? dy : 0
static void dense2_backward(const NnBatch *batch, int first, int rows, float dx[restrict ROWS][256],
                            const float dy[ROWS][10], const float turned[10][256],
                            const float y[ROWS][256])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout4"), (uint64_t)batch->step);
    product_10x256(rows, dy, turned, dx);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 256;
        for (int j = 0; j < 256; j++) {
            float v = dx[i][j];
            const uint32_t bits = nn_bits(key, number + j);
            v = bits >= 1288490188u ? v * 1.42857143f : 0; // 30% of 2^32
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy of the block's rows
static void dense2_w_partial(int rows, float dw[restrict 256][10], const float x[ROWS][256],
                             const float dy[ROWS][10])
{
    if (rows == 0) // of a batch that is cut short
        memset(dw, 0, sizeof(float[2560]));
    outer_256x10(0, 256, rows, x, dy, dw, false);
}

// sum = sum of the blocks' partial sums, first to last
static void dense2_w_gradient(float sum[restrict 256][10], const float partial[BLOCKS][256][10])
{
    for (int i = 0; i < 256; i++) {
        for (int j = 0; j < 10; j++)
            sum[i][j] = partial[0][i][j];
        for (int block = 1; block < BLOCKS; block++)
            for (int j = 0; j < 10; j++)
                sum[i][j] += partial[block][i][j];
    }
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense2_w_update(const NnBatch *batch, float w[restrict 256][10], const float g[256][10],
                            float m[restrict 256][10], float v[restrict 256][10])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    for (int i = 0; i < 256; i++)
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
static void dense2_w_turn(float turned[restrict 10][256], const float w[256][10])
{
    nn_turn_float(256, 10, w[0], 10, &turned[0][0], 256);
}

// --- loss cross_entropy smoothing 0.05, and the answer -------------------------------------------

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
// where 0.95 of the target is the label's, and 0.05 is shared out among all
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
        float all_x = 0;
        for (int j = 0; j < 10; j++)
            all_x += x[i][j];
        loss[i] = (loss[i] - 0.95f * x[i][label] - 0.005f * all_x);
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
// where 0.95 of the target is the label's, and 0.05 is shared out among all
static void loss_backward(const NnBatch *batch, int first, int rows, float dx[restrict ROWS][10],
                          const float p[ROWS][10])
{
    const float scale = 1 / (float)batch->rows;
    for (int i = 0; i < rows; i++) {
        const int label = batch->labels[batch->index[first + i]];
        for (int j = 0; j < 10; j++)
            dx[i][j] = (p[i][j] - (0.95f * (j == label) + 0.005f)) * scale;
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
        conv6_w_turn(part, (void *)conv6_w_turned, (void *)conv6_w);
    for (int part = 0; part < 8; part++)
        conv5_w_turn(part, (void *)conv5_w_turned, (void *)conv5_w);
    for (int part = 0; part < 8; part++)
        conv4_w_turn(part, (void *)conv4_w_turned, (void *)conv4_w);
    for (int part = 0; part < 8; part++)
        conv3_w_turn(part, (void *)conv3_w_turned, (void *)conv3_w);
    for (int part = 0; part < 4; part++)
        conv2_w_turn(part, (void *)conv2_w_turned, (void *)conv2_w);
    for (int part = 0; part < 4; part++)
        conv2_w_transform(part, (void *)conv2_w_transformed, (void *)conv2_w);
    for (int part = 0; part < 8; part++)
        conv3_w_transform(part, (void *)conv3_w_transformed, (void *)conv3_w);
    for (int part = 0; part < 8; part++)
        conv4_w_transform(part, (void *)conv4_w_transformed, (void *)conv4_w);
    for (int part = 0; part < 8; part++)
        conv5_w_transform(part, (void *)conv5_w_transformed, (void *)conv5_w);
    for (int part = 0; part < 8; part++)
        conv6_w_transform(part, (void *)conv6_w_transformed, (void *)conv6_w);
}

// nn_call(f, x) is f(x). Where batch->timed, it also adds the time that it took to row CALL_f of
// the table `calls`, which the command `bench` prints.
enum {
    CALL_input_augment,
    CALL_conv1_forward, CALL_conv1_w_partial, CALL_conv1_w_gradient, CALL_conv1_w_update,
    CALL_batchnorm1_sums, CALL_batchnorm1_stats, CALL_batchnorm1_follow, CALL_batchnorm1_forward,
    CALL_batchnorm1_partial, CALL_batchnorm1_beta_gradient, CALL_batchnorm1_gamma_gradient,
    CALL_batchnorm1_backward, CALL_batchnorm1_gamma_update, CALL_batchnorm1_beta_update,
    CALL_conv2_forward, CALL_conv2_w_partial, CALL_conv2_w_gradient, CALL_conv2_backward,
    CALL_conv2_w_update, CALL_conv2_w_turn, CALL_conv2_w_transform,
    CALL_batchnorm2_sums, CALL_batchnorm2_stats, CALL_batchnorm2_follow, CALL_batchnorm2_forward,
    CALL_batchnorm2_partial, CALL_batchnorm2_beta_gradient, CALL_batchnorm2_gamma_gradient,
    CALL_batchnorm2_backward, CALL_batchnorm2_gamma_update, CALL_batchnorm2_beta_update,
    CALL_pool1_forward, CALL_pool1_backward,
    CALL_dropout1_forward,
    CALL_conv3_forward, CALL_conv3_w_partial, CALL_conv3_w_gradient, CALL_conv3_backward,
    CALL_conv3_w_update, CALL_conv3_w_turn, CALL_conv3_w_transform,
    CALL_batchnorm3_sums, CALL_batchnorm3_stats, CALL_batchnorm3_follow, CALL_batchnorm3_forward,
    CALL_batchnorm3_partial, CALL_batchnorm3_beta_gradient, CALL_batchnorm3_gamma_gradient,
    CALL_batchnorm3_backward, CALL_batchnorm3_gamma_update, CALL_batchnorm3_beta_update,
    CALL_conv4_forward, CALL_conv4_w_partial, CALL_conv4_w_gradient, CALL_conv4_backward,
    CALL_conv4_w_update, CALL_conv4_w_turn, CALL_conv4_w_transform,
    CALL_batchnorm4_sums, CALL_batchnorm4_stats, CALL_batchnorm4_follow, CALL_batchnorm4_forward,
    CALL_batchnorm4_partial, CALL_batchnorm4_beta_gradient, CALL_batchnorm4_gamma_gradient,
    CALL_batchnorm4_backward, CALL_batchnorm4_gamma_update, CALL_batchnorm4_beta_update,
    CALL_pool2_forward, CALL_pool2_backward,
    CALL_dropout2_forward,
    CALL_conv5_forward, CALL_conv5_w_partial, CALL_conv5_w_gradient, CALL_conv5_backward,
    CALL_conv5_w_update, CALL_conv5_w_turn, CALL_conv5_w_transform,
    CALL_batchnorm5_sums, CALL_batchnorm5_stats, CALL_batchnorm5_follow, CALL_batchnorm5_forward,
    CALL_batchnorm5_partial, CALL_batchnorm5_beta_gradient, CALL_batchnorm5_gamma_gradient,
    CALL_batchnorm5_backward, CALL_batchnorm5_gamma_update, CALL_batchnorm5_beta_update,
    CALL_conv6_forward, CALL_conv6_w_partial, CALL_conv6_w_gradient, CALL_conv6_backward,
    CALL_conv6_w_update, CALL_conv6_w_turn, CALL_conv6_w_transform,
    CALL_batchnorm6_sums, CALL_batchnorm6_stats, CALL_batchnorm6_follow, CALL_batchnorm6_forward,
    CALL_batchnorm6_partial, CALL_batchnorm6_beta_gradient, CALL_batchnorm6_gamma_gradient,
    CALL_batchnorm6_backward, CALL_batchnorm6_gamma_update, CALL_batchnorm6_beta_update,
    CALL_pool3_forward, CALL_pool3_backward,
    CALL_dropout3_forward,
    CALL_dense1_forward, CALL_dense1_backward, CALL_dense1_w_gradient, CALL_dense1_w_update,
    CALL_dense1_w_turn,
    CALL_batchnorm7_sums, CALL_batchnorm7_stats, CALL_batchnorm7_follow, CALL_batchnorm7_forward,
    CALL_batchnorm7_partial, CALL_batchnorm7_beta_gradient, CALL_batchnorm7_gamma_gradient,
    CALL_batchnorm7_backward, CALL_batchnorm7_gamma_update, CALL_batchnorm7_beta_update,
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
        nn_call(input_augment, batch, first, rows, BLOCK(input));
        nn_call(conv1_forward, rows, BLOCK(conv1), BLOCK(input), conv1_w);
        nn_call(batchnorm1_sums, rows, BLOCK(batchnorm1_sums), BLOCK(conv1));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm1_stats, batch, WHOLE(batchnorm1_stats), WHOLE(batchnorm1_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm1_forward, rows, BLOCK(relu1), BLOCK(conv1), WHOLE(batchnorm1_stats),
                batchnorm1_gamma, batchnorm1_beta);
        nn_call(conv2_forward, rows, BLOCK(conv2), BLOCK(relu1), conv2_w_transformed);
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
        nn_call(pool1_forward, rows, BLOCK(pool1), BLOCK(relu2));
        nn_call(dropout1_forward, batch, first, rows, BLOCK(dropout1), BLOCK(pool1));
        nn_call(conv3_forward, rows, BLOCK(conv3), BLOCK(dropout1), conv3_w_transformed);
        nn_call(batchnorm3_sums, rows, BLOCK(batchnorm3_sums), BLOCK(conv3));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm3_stats, batch, WHOLE(batchnorm3_stats), WHOLE(batchnorm3_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm3_forward, rows, BLOCK(relu3), BLOCK(conv3), WHOLE(batchnorm3_stats),
                batchnorm3_gamma, batchnorm3_beta);
        nn_call(conv4_forward, rows, BLOCK(conv4), BLOCK(relu3), conv4_w_transformed);
        nn_call(batchnorm4_sums, rows, BLOCK(batchnorm4_sums), BLOCK(conv4));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm4_stats, batch, WHOLE(batchnorm4_stats), WHOLE(batchnorm4_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm4_forward, rows, BLOCK(relu4), BLOCK(conv4), WHOLE(batchnorm4_stats),
                batchnorm4_gamma, batchnorm4_beta);
        nn_call(pool2_forward, rows, BLOCK(pool2), BLOCK(relu4));
        nn_call(dropout2_forward, batch, first, rows, BLOCK(dropout2), BLOCK(pool2));
        nn_call(conv5_forward, rows, BLOCK(conv5), BLOCK(dropout2), conv5_w_transformed);
        nn_call(batchnorm5_sums, rows, BLOCK(batchnorm5_sums), BLOCK(conv5));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm5_stats, batch, WHOLE(batchnorm5_stats), WHOLE(batchnorm5_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm5_forward, rows, BLOCK(relu5), BLOCK(conv5), WHOLE(batchnorm5_stats),
                batchnorm5_gamma, batchnorm5_beta);
        nn_call(conv6_forward, rows, BLOCK(conv6), BLOCK(relu5), conv6_w_transformed);
        nn_call(batchnorm6_sums, rows, BLOCK(batchnorm6_sums), BLOCK(conv6));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm6_stats, batch, WHOLE(batchnorm6_stats), WHOLE(batchnorm6_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm6_forward, rows, BLOCK(relu6), BLOCK(conv6), WHOLE(batchnorm6_stats),
                batchnorm6_gamma, batchnorm6_beta);
        nn_call(pool3_forward, rows, BLOCK(pool3), BLOCK(relu6));
        nn_call(dropout3_forward, batch, first, rows, BLOCK(dropout3), BLOCK(pool3));
        nn_call(dense1_forward, rows, BLOCK(dense1), BLOCK(dropout3), dense1_w);
        nn_call(batchnorm7_sums, rows, BLOCK(batchnorm7_sums), BLOCK(dense1));
    }
    nn_barrier();

    nn_single (0) {
        nn_call(batchnorm7_stats, batch, WHOLE(batchnorm7_stats), WHOLE(batchnorm7_sums));
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm7_forward, batch, first, rows, BLOCK(dropout4), BLOCK(dense1),
                WHOLE(batchnorm7_stats), batchnorm7_gamma, batchnorm7_beta);
        nn_call(dense2_forward, rows, BLOCK(dense2_z), BLOCK(dropout4), dense2_w, dense2_b);
        nn_call(dense2_softmax, rows, BLOCK(dense2), BLOCK(dense2_z));
        nn_call(output_predict, rows, BLOCK(predicted), BLOCK(dense2));
        nn_call(loss_forward, batch, first, rows, BLOCK(loss), BLOCK(dense2_z));
        nn_call(loss_backward, batch, first, rows, BLOCK(d_dense2_z), BLOCK(dense2));
        nn_call(dense2_b_partial, rows, BLOCK(d_dense2_b_partial), BLOCK(d_dense2_z));
        nn_call(dense2_backward, batch, first, rows, BLOCK(d_batchnorm7), BLOCK(d_dense2_z),
                dense2_w_turned, BLOCK(dropout4));
        nn_call(dense2_w_partial, rows, BLOCK(d_dense2_w_partial), BLOCK(dropout4),
                BLOCK(d_dense2_z));
        nn_call(batchnorm7_partial, rows, BLOCK(d_batchnorm7_partial), BLOCK(d_batchnorm7),
                BLOCK(dense1), WHOLE(batchnorm7_stats));
    }
    nn_barrier();

    if (!loss_total(batch, result, WHOLE(loss), WHOLE(predicted))) {
        nn_barrier();
        return; // not finite: no weight is changed
    }
    nn_single (0) {
        nn_call(batchnorm1_follow, batchnorm1_mean, batchnorm1_variance, WHOLE(batchnorm1_stats));
    }
    nn_single (1) {
        nn_call(batchnorm2_follow, batchnorm2_mean, batchnorm2_variance, WHOLE(batchnorm2_stats));
    }
    nn_single (2) {
        nn_call(batchnorm3_follow, batchnorm3_mean, batchnorm3_variance, WHOLE(batchnorm3_stats));
    }
    nn_single (3) {
        nn_call(batchnorm4_follow, batchnorm4_mean, batchnorm4_variance, WHOLE(batchnorm4_stats));
    }
    nn_single (4) {
        nn_call(batchnorm5_follow, batchnorm5_mean, batchnorm5_variance, WHOLE(batchnorm5_stats));
    }
    nn_single (5) {
        nn_call(batchnorm6_follow, batchnorm6_mean, batchnorm6_variance, WHOLE(batchnorm6_stats));
    }
    nn_single (6) {
        nn_call(batchnorm7_follow, batchnorm7_mean, batchnorm7_variance, WHOLE(batchnorm7_stats));
        nn_call(batchnorm7_beta_gradient, WHOLE(d_batchnorm7_beta), WHOLE(d_batchnorm7_partial));
        nn_call(batchnorm7_gamma_gradient, WHOLE(d_batchnorm7_gamma), WHOLE(d_batchnorm7_partial));
        nn_call(batchnorm7_beta_update, batch, batchnorm7_beta, WHOLE(d_batchnorm7_beta),
                batchnorm7_beta_m, batchnorm7_beta_v);
    }
    nn_single (7) {
        nn_call(dense2_b_gradient, WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        nn_call(dense2_w_gradient, WHOLE(d_dense2_w), WHOLE(d_dense2_w_partial));
        nn_call(dense2_w_update, batch, dense2_w, WHOLE(d_dense2_w), dense2_w_m, dense2_w_v);
        nn_call(dense2_b_update, batch, dense2_b, WHOLE(d_dense2_b), dense2_b_m, dense2_b_v);
        nn_call(dense2_w_turn, dense2_w_turned, dense2_w);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm7_backward, batch, rows, BLOCK(d_dense1), BLOCK(dense1),
                WHOLE(batchnorm7_stats), batchnorm7_gamma, WHOLE(d_batchnorm7_beta),
                WHOLE(d_batchnorm7_gamma));
        nn_call(dense1_backward, batch, first, rows, BLOCK(d_pool3), BLOCK(d_dense1),
                dense1_w_turned);
        nn_call(pool3_backward, rows, BLOCK(d_batchnorm6), BLOCK(d_pool3), BLOCK(relu6),
                BLOCK(pool3));
        nn_call(batchnorm6_partial, rows, BLOCK(d_batchnorm6_partial), BLOCK(d_batchnorm6),
                BLOCK(conv6), WHOLE(batchnorm6_stats));
    }
    nn_barrier();

    nn_each (part, 16) {
        _Alignas(64) float d_dense1_w[18432]; // of this part
        nn_call(dense1_w_gradient, batch, part, d_dense1_w, WHOLE(dropout3), WHOLE(d_dense1),
                dense1_w);
        nn_call(dense1_w_update, batch, part, dense1_w, d_dense1_w, dense1_w_m, dense1_w_v);
        nn_call(dense1_w_turn, part, dense1_w_turned, dense1_w);
    }
    nn_single (0) {
        nn_call(batchnorm6_beta_gradient, WHOLE(d_batchnorm6_beta), WHOLE(d_batchnorm6_partial));
        nn_call(batchnorm6_gamma_gradient, WHOLE(d_batchnorm6_gamma), WHOLE(d_batchnorm6_partial));
        nn_call(batchnorm6_beta_update, batch, batchnorm6_beta, WHOLE(d_batchnorm6_beta),
                batchnorm6_beta_m, batchnorm6_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm7_gamma_update, batch, batchnorm7_gamma, WHOLE(d_batchnorm7_gamma),
                batchnorm7_gamma_m, batchnorm7_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm6_backward, batch, rows, BLOCK(d_conv6), BLOCK(conv6),
                WHOLE(batchnorm6_stats), batchnorm6_gamma, WHOLE(d_batchnorm6_beta),
                WHOLE(d_batchnorm6_gamma));
        nn_call(conv6_w_partial, rows, BLOCK(d_conv6_w_partial), BLOCK(relu5), BLOCK(d_conv6));
        nn_call(conv6_backward, rows, BLOCK(d_batchnorm5), BLOCK(d_conv6), conv6_w_turned,
                BLOCK(relu5));
        nn_call(batchnorm5_partial, rows, BLOCK(d_batchnorm5_partial), BLOCK(d_batchnorm5),
                BLOCK(conv5), WHOLE(batchnorm5_stats));
    }
    nn_barrier();

    nn_each (part, 8) {
        nn_call(conv6_w_gradient, part, WHOLE(d_conv6_w), WHOLE(d_conv6_w_partial));
        nn_call(conv6_w_update, batch, part, (void *)conv6_w, WHOLE(d_conv6_w), (void *)conv6_w_m,
                (void *)conv6_w_v);
    }
    nn_single (0) {
        nn_call(batchnorm5_beta_gradient, WHOLE(d_batchnorm5_beta), WHOLE(d_batchnorm5_partial));
        nn_call(batchnorm5_gamma_gradient, WHOLE(d_batchnorm5_gamma), WHOLE(d_batchnorm5_partial));
        nn_call(batchnorm5_beta_update, batch, batchnorm5_beta, WHOLE(d_batchnorm5_beta),
                batchnorm5_beta_m, batchnorm5_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm6_gamma_update, batch, batchnorm6_gamma, WHOLE(d_batchnorm6_gamma),
                batchnorm6_gamma_m, batchnorm6_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm5_backward, batch, rows, BLOCK(d_conv5), BLOCK(conv5),
                WHOLE(batchnorm5_stats), batchnorm5_gamma, WHOLE(d_batchnorm5_beta),
                WHOLE(d_batchnorm5_gamma));
        nn_call(conv5_w_partial, rows, BLOCK(d_conv5_w_partial), BLOCK(dropout2), BLOCK(d_conv5));
        nn_call(conv5_backward, batch, first, rows, BLOCK(d_pool2), BLOCK(d_conv5), conv5_w_turned);
        nn_call(pool2_backward, rows, BLOCK(d_batchnorm4), BLOCK(d_pool2), BLOCK(pool2));
        nn_call(batchnorm4_partial, rows, BLOCK(d_batchnorm4_partial), BLOCK(d_batchnorm4),
                BLOCK(conv4), WHOLE(batchnorm4_stats));
    }
    nn_each (part, 8) {
        nn_call(conv6_w_turn, part, (void *)conv6_w_turned, (void *)conv6_w);
        nn_call(conv6_w_transform, part, (void *)conv6_w_transformed, (void *)conv6_w);
    }
    nn_barrier();

    nn_each (part, 8) {
        nn_call(conv5_w_gradient, part, WHOLE(d_conv5_w), WHOLE(d_conv5_w_partial));
        nn_call(conv5_w_update, batch, part, (void *)conv5_w, WHOLE(d_conv5_w), (void *)conv5_w_m,
                (void *)conv5_w_v);
    }
    nn_single (0) {
        nn_call(batchnorm4_beta_gradient, WHOLE(d_batchnorm4_beta), WHOLE(d_batchnorm4_partial));
        nn_call(batchnorm4_gamma_gradient, WHOLE(d_batchnorm4_gamma), WHOLE(d_batchnorm4_partial));
        nn_call(batchnorm4_beta_update, batch, batchnorm4_beta, WHOLE(d_batchnorm4_beta),
                batchnorm4_beta_m, batchnorm4_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm5_gamma_update, batch, batchnorm5_gamma, WHOLE(d_batchnorm5_gamma),
                batchnorm5_gamma_m, batchnorm5_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm4_backward, batch, rows, BLOCK(d_conv4), BLOCK(conv4),
                WHOLE(batchnorm4_stats), batchnorm4_gamma, WHOLE(d_batchnorm4_beta),
                WHOLE(d_batchnorm4_gamma));
        nn_call(conv4_w_partial, rows, BLOCK(d_conv4_w_partial), BLOCK(relu3), BLOCK(d_conv4));
        nn_call(conv4_backward, rows, BLOCK(d_batchnorm3), BLOCK(d_conv4), conv4_w_turned,
                BLOCK(relu3));
        nn_call(batchnorm3_partial, rows, BLOCK(d_batchnorm3_partial), BLOCK(d_batchnorm3),
                BLOCK(conv3), WHOLE(batchnorm3_stats));
    }
    nn_each (part, 8) {
        nn_call(conv5_w_turn, part, (void *)conv5_w_turned, (void *)conv5_w);
        nn_call(conv5_w_transform, part, (void *)conv5_w_transformed, (void *)conv5_w);
    }
    nn_barrier();

    nn_each (part, 8) {
        nn_call(conv4_w_gradient, part, WHOLE(d_conv4_w), WHOLE(d_conv4_w_partial));
        nn_call(conv4_w_update, batch, part, (void *)conv4_w, WHOLE(d_conv4_w), (void *)conv4_w_m,
                (void *)conv4_w_v);
    }
    nn_single (0) {
        nn_call(batchnorm3_beta_gradient, WHOLE(d_batchnorm3_beta), WHOLE(d_batchnorm3_partial));
        nn_call(batchnorm3_gamma_gradient, WHOLE(d_batchnorm3_gamma), WHOLE(d_batchnorm3_partial));
        nn_call(batchnorm3_beta_update, batch, batchnorm3_beta, WHOLE(d_batchnorm3_beta),
                batchnorm3_beta_m, batchnorm3_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm4_gamma_update, batch, batchnorm4_gamma, WHOLE(d_batchnorm4_gamma),
                batchnorm4_gamma_m, batchnorm4_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        nn_call(batchnorm3_backward, batch, rows, BLOCK(d_conv3), BLOCK(conv3),
                WHOLE(batchnorm3_stats), batchnorm3_gamma, WHOLE(d_batchnorm3_beta),
                WHOLE(d_batchnorm3_gamma));
        nn_call(conv3_w_partial, rows, BLOCK(d_conv3_w_partial), BLOCK(dropout1), BLOCK(d_conv3));
        nn_call(conv3_backward, batch, first, rows, BLOCK(d_pool1), BLOCK(d_conv3), conv3_w_turned);
        nn_call(pool1_backward, rows, BLOCK(d_batchnorm2), BLOCK(d_pool1), BLOCK(pool1));
        nn_call(batchnorm2_partial, rows, BLOCK(d_batchnorm2_partial), BLOCK(d_batchnorm2),
                BLOCK(conv2), WHOLE(batchnorm2_stats));
    }
    nn_each (part, 8) {
        nn_call(conv4_w_turn, part, (void *)conv4_w_turned, (void *)conv4_w);
        nn_call(conv4_w_transform, part, (void *)conv4_w_transformed, (void *)conv4_w);
    }
    nn_barrier();

    nn_each (part, 8) {
        nn_call(conv3_w_gradient, part, WHOLE(d_conv3_w), WHOLE(d_conv3_w_partial));
        nn_call(conv3_w_update, batch, part, (void *)conv3_w, WHOLE(d_conv3_w), (void *)conv3_w_m,
                (void *)conv3_w_v);
    }
    nn_single (0) {
        nn_call(batchnorm2_beta_gradient, WHOLE(d_batchnorm2_beta), WHOLE(d_batchnorm2_partial));
        nn_call(batchnorm2_gamma_gradient, WHOLE(d_batchnorm2_gamma), WHOLE(d_batchnorm2_partial));
        nn_call(batchnorm2_beta_update, batch, batchnorm2_beta, WHOLE(d_batchnorm2_beta),
                batchnorm2_beta_m, batchnorm2_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm3_gamma_update, batch, batchnorm3_gamma, WHOLE(d_batchnorm3_gamma),
                batchnorm3_gamma_m, batchnorm3_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm2_backward, batch, rows, BLOCK(d_conv2), BLOCK(conv2),
                WHOLE(batchnorm2_stats), batchnorm2_gamma, WHOLE(d_batchnorm2_beta),
                WHOLE(d_batchnorm2_gamma));
        nn_call(conv2_w_partial, rows, BLOCK(d_conv2_w_partial), BLOCK(relu1), BLOCK(d_conv2));
        nn_call(conv2_backward, rows, BLOCK(d_batchnorm1), BLOCK(d_conv2), conv2_w_turned,
                BLOCK(relu1));
        nn_call(batchnorm1_partial, rows, BLOCK(d_batchnorm1_partial), BLOCK(d_batchnorm1),
                BLOCK(conv1), WHOLE(batchnorm1_stats));
    }
    nn_each (part, 8) {
        nn_call(conv3_w_turn, part, (void *)conv3_w_turned, (void *)conv3_w);
        nn_call(conv3_w_transform, part, (void *)conv3_w_transformed, (void *)conv3_w);
    }
    nn_barrier();

    nn_each (part, 4) {
        nn_call(conv2_w_gradient, part, WHOLE(d_conv2_w), WHOLE(d_conv2_w_partial));
        nn_call(conv2_w_update, batch, part, (void *)conv2_w, WHOLE(d_conv2_w), (void *)conv2_w_m,
                (void *)conv2_w_v);
    }
    nn_single (0) {
        nn_call(batchnorm1_beta_gradient, WHOLE(d_batchnorm1_beta), WHOLE(d_batchnorm1_partial));
        nn_call(batchnorm1_gamma_gradient, WHOLE(d_batchnorm1_gamma), WHOLE(d_batchnorm1_partial));
        nn_call(batchnorm1_beta_update, batch, batchnorm1_beta, WHOLE(d_batchnorm1_beta),
                batchnorm1_beta_m, batchnorm1_beta_v);
    }
    nn_single (1) {
        nn_call(batchnorm2_gamma_update, batch, batchnorm2_gamma, WHOLE(d_batchnorm2_gamma),
                batchnorm2_gamma_m, batchnorm2_gamma_v);
    }
    nn_barrier();

    nn_each (block, BLOCKS) {
        const int rows = rows_from(block * ROWS, batch);
        nn_call(batchnorm1_backward, batch, rows, BLOCK(d_conv1), BLOCK(conv1),
                WHOLE(batchnorm1_stats), batchnorm1_gamma, WHOLE(d_batchnorm1_beta),
                WHOLE(d_batchnorm1_gamma));
        nn_call(conv1_w_partial, rows, BLOCK(d_conv1_w_partial), BLOCK(input), BLOCK(d_conv1));
    }
    nn_each (part, 4) {
        nn_call(conv2_w_turn, part, (void *)conv2_w_turned, (void *)conv2_w);
        nn_call(conv2_w_transform, part, (void *)conv2_w_transformed, (void *)conv2_w);
    }
    nn_barrier();

    nn_single (0) {
        nn_call(conv1_w_gradient, WHOLE(d_conv1_w), WHOLE(d_conv1_w_partial));
        nn_call(conv1_w_update, batch, (void *)conv1_w, WHOLE(d_conv1_w), (void *)conv1_w_m,
                (void *)conv1_w_v);
    }
    nn_single (1) {
        nn_call(batchnorm1_gamma_update, batch, batchnorm1_gamma, WHOLE(d_batchnorm1_gamma),
                batchnorm1_gamma_m, batchnorm1_gamma_v);
    }
    nn_barrier();
}

// The forward pass alone, as the trained network is used.
static void infer(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        input_forward(batch, first, rows, BLOCK(infer_input));
        conv1_infer(rows, BLOCK(infer_relu1), BLOCK(infer_input), conv1_w, batchnorm1_mean,
                    batchnorm1_variance, batchnorm1_gamma, batchnorm1_beta);
        conv2_infer(rows, BLOCK(infer_relu2), BLOCK(infer_relu1), conv2_w_transformed,
                    batchnorm2_mean, batchnorm2_variance, batchnorm2_gamma, batchnorm2_beta);
        pool1_forward(rows, BLOCK(infer_pool1), BLOCK(infer_relu2));
        conv3_infer(rows, BLOCK(infer_relu3), BLOCK(infer_pool1), conv3_w_transformed,
                    batchnorm3_mean, batchnorm3_variance, batchnorm3_gamma, batchnorm3_beta);
        conv4_infer(rows, BLOCK(infer_relu4), BLOCK(infer_relu3), conv4_w_transformed,
                    batchnorm4_mean, batchnorm4_variance, batchnorm4_gamma, batchnorm4_beta);
        pool2_forward(rows, BLOCK(infer_pool2), BLOCK(infer_relu4));
        conv5_infer(rows, BLOCK(infer_relu5), BLOCK(infer_pool2), conv5_w_transformed,
                    batchnorm5_mean, batchnorm5_variance, batchnorm5_gamma, batchnorm5_beta);
        conv6_infer(rows, BLOCK(infer_relu6), BLOCK(infer_relu5), conv6_w_transformed,
                    batchnorm6_mean, batchnorm6_variance, batchnorm6_gamma, batchnorm6_beta);
        pool3_forward(rows, BLOCK(infer_pool3), BLOCK(infer_relu6));
        dense1_infer(rows, BLOCK(infer_relu7), BLOCK(infer_pool3), dense1_w, batchnorm7_mean,
                     batchnorm7_variance, batchnorm7_gamma, batchnorm7_beta);
        dense2_forward(rows, BLOCK(infer_dense2_z), BLOCK(infer_relu7), dense2_w, dense2_b);
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
        input_augment(batch, first, rows, BLOCK(input));
        if (!nn_finite_f32(BLOCK(input), rows * 784L))
            return "input";
        conv1_forward(rows, BLOCK(conv1), BLOCK(input), conv1_w);
        if (!nn_finite_f32(BLOCK(conv1), rows * 25088L))
            return "conv1";
        batchnorm1_sums(rows, BLOCK(batchnorm1_sums), BLOCK(conv1));
    }
    batchnorm1_stats(batch, WHOLE(batchnorm1_stats), WHOLE(batchnorm1_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        batchnorm1_forward(rows, BLOCK(relu1), BLOCK(conv1), WHOLE(batchnorm1_stats),
                           batchnorm1_gamma, batchnorm1_beta);
        if (!nn_finite_f32(BLOCK(relu1), rows * 25088L))
            return "batchnorm1";
        conv2_forward(rows, BLOCK(conv2), BLOCK(relu1), conv2_w_transformed);
        if (!nn_finite_f32(BLOCK(conv2), rows * 25088L))
            return "conv2";
        batchnorm2_sums(rows, BLOCK(batchnorm2_sums), BLOCK(conv2));
    }
    batchnorm2_stats(batch, WHOLE(batchnorm2_stats), WHOLE(batchnorm2_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        batchnorm2_forward(rows, BLOCK(relu2), BLOCK(conv2), WHOLE(batchnorm2_stats),
                           batchnorm2_gamma, batchnorm2_beta);
        if (!nn_finite_f32(BLOCK(relu2), rows * 25088L))
            return "batchnorm2";
        pool1_forward(rows, BLOCK(pool1), BLOCK(relu2));
        if (!nn_finite_f32(BLOCK(pool1), rows * 6272L))
            return "pool1";
        dropout1_forward(batch, first, rows, BLOCK(dropout1), BLOCK(pool1));
        if (!nn_finite_f32(BLOCK(dropout1), rows * 6272L))
            return "dropout1";
        conv3_forward(rows, BLOCK(conv3), BLOCK(dropout1), conv3_w_transformed);
        if (!nn_finite_f32(BLOCK(conv3), rows * 12544L))
            return "conv3";
        batchnorm3_sums(rows, BLOCK(batchnorm3_sums), BLOCK(conv3));
    }
    batchnorm3_stats(batch, WHOLE(batchnorm3_stats), WHOLE(batchnorm3_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        batchnorm3_forward(rows, BLOCK(relu3), BLOCK(conv3), WHOLE(batchnorm3_stats),
                           batchnorm3_gamma, batchnorm3_beta);
        if (!nn_finite_f32(BLOCK(relu3), rows * 12544L))
            return "batchnorm3";
        conv4_forward(rows, BLOCK(conv4), BLOCK(relu3), conv4_w_transformed);
        if (!nn_finite_f32(BLOCK(conv4), rows * 12544L))
            return "conv4";
        batchnorm4_sums(rows, BLOCK(batchnorm4_sums), BLOCK(conv4));
    }
    batchnorm4_stats(batch, WHOLE(batchnorm4_stats), WHOLE(batchnorm4_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        batchnorm4_forward(rows, BLOCK(relu4), BLOCK(conv4), WHOLE(batchnorm4_stats),
                           batchnorm4_gamma, batchnorm4_beta);
        if (!nn_finite_f32(BLOCK(relu4), rows * 12544L))
            return "batchnorm4";
        pool2_forward(rows, BLOCK(pool2), BLOCK(relu4));
        if (!nn_finite_f32(BLOCK(pool2), rows * 3136L))
            return "pool2";
        dropout2_forward(batch, first, rows, BLOCK(dropout2), BLOCK(pool2));
        if (!nn_finite_f32(BLOCK(dropout2), rows * 3136L))
            return "dropout2";
        conv5_forward(rows, BLOCK(conv5), BLOCK(dropout2), conv5_w_transformed);
        if (!nn_finite_f32(BLOCK(conv5), rows * 6272L))
            return "conv5";
        batchnorm5_sums(rows, BLOCK(batchnorm5_sums), BLOCK(conv5));
    }
    batchnorm5_stats(batch, WHOLE(batchnorm5_stats), WHOLE(batchnorm5_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        batchnorm5_forward(rows, BLOCK(relu5), BLOCK(conv5), WHOLE(batchnorm5_stats),
                           batchnorm5_gamma, batchnorm5_beta);
        if (!nn_finite_f32(BLOCK(relu5), rows * 6272L))
            return "batchnorm5";
        conv6_forward(rows, BLOCK(conv6), BLOCK(relu5), conv6_w_transformed);
        if (!nn_finite_f32(BLOCK(conv6), rows * 6272L))
            return "conv6";
        batchnorm6_sums(rows, BLOCK(batchnorm6_sums), BLOCK(conv6));
    }
    batchnorm6_stats(batch, WHOLE(batchnorm6_stats), WHOLE(batchnorm6_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        batchnorm6_forward(rows, BLOCK(relu6), BLOCK(conv6), WHOLE(batchnorm6_stats),
                           batchnorm6_gamma, batchnorm6_beta);
        if (!nn_finite_f32(BLOCK(relu6), rows * 6272L))
            return "batchnorm6";
        pool3_forward(rows, BLOCK(pool3), BLOCK(relu6));
        if (!nn_finite_f32(BLOCK(pool3), rows * 1152L))
            return "pool3";
        dropout3_forward(batch, first, rows, BLOCK(dropout3), BLOCK(pool3));
        if (!nn_finite_f32(BLOCK(dropout3), rows * 1152L))
            return "dropout3";
        dense1_forward(rows, BLOCK(dense1), BLOCK(dropout3), dense1_w);
        if (!nn_finite_f32(BLOCK(dense1), rows * 256L))
            return "dense1";
        batchnorm7_sums(rows, BLOCK(batchnorm7_sums), BLOCK(dense1));
    }
    batchnorm7_stats(batch, WHOLE(batchnorm7_stats), WHOLE(batchnorm7_sums));
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        batchnorm7_forward(batch, first, rows, BLOCK(dropout4), BLOCK(dense1),
                           WHOLE(batchnorm7_stats), batchnorm7_gamma, batchnorm7_beta);
        if (!nn_finite_f32(BLOCK(dropout4), rows * 256L))
            return "batchnorm7";
        dense2_forward(rows, BLOCK(dense2_z), BLOCK(dropout4), dense2_w, dense2_b);
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
    {"conv1", "conv 32 3x3 pad same bias off", "28x28x32", 288, 225792},
    {"batchnorm1", "batchnorm momentum 0.9", "28x28x32", 64, 0},
    {"relu1", "relu", "28x28x32", 0, 0},
    {"conv2", "conv 32 3x3 pad same bias off", "28x28x32", 9216, 7225344},
    {"batchnorm2", "batchnorm momentum 0.9", "28x28x32", 64, 0},
    {"relu2", "relu", "28x28x32", 0, 0},
    {"pool1", "pool 2x2", "14x14x32", 0, 0},
    {"dropout1", "dropout 10%", "14x14x32", 0, 0},
    {"conv3", "conv 64 3x3 pad same bias off", "14x14x64", 18432, 3612672},
    {"batchnorm3", "batchnorm momentum 0.9", "14x14x64", 128, 0},
    {"relu3", "relu", "14x14x64", 0, 0},
    {"conv4", "conv 64 3x3 pad same bias off", "14x14x64", 36864, 7225344},
    {"batchnorm4", "batchnorm momentum 0.9", "14x14x64", 128, 0},
    {"relu4", "relu", "14x14x64", 0, 0},
    {"pool2", "pool 2x2", "7x7x64", 0, 0},
    {"dropout2", "dropout 20%", "7x7x64", 0, 0},
    {"conv5", "conv 128 3x3 pad same bias off", "7x7x128", 73728, 3612672},
    {"batchnorm5", "batchnorm momentum 0.9", "7x7x128", 256, 0},
    {"relu5", "relu", "7x7x128", 0, 0},
    {"conv6", "conv 128 3x3 pad same bias off", "7x7x128", 147456, 7225344},
    {"batchnorm6", "batchnorm momentum 0.9", "7x7x128", 256, 0},
    {"relu6", "relu", "7x7x128", 0, 0},
    {"pool3", "pool 3x3 stride 2", "3x3x128", 0, 0},
    {"dropout3", "dropout 20%", "3x3x128", 0, 0},
    {"dense1", "dense 256 bias off", "256", 294912, 294912},
    {"batchnorm7", "batchnorm momentum 0.9", "256", 512, 0},
    {"relu7", "relu", "256", 0, 0},
    {"dropout4", "dropout 30%", "256", 0, 0},
    {"dense2", "dense 10 softmax", "10", 2570, 2560},
};

static const NnTensor tensors[] = {
    {"conv1_w", NN_WEIGHT, {3, 3, 1, 32}, conv1_w, NULL, NN_UNIFORM, 0.142133811, {0}},
    {"batchnorm1_gamma", NN_WEIGHT, {32}, batchnorm1_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm1_beta", NN_WEIGHT, {32}, batchnorm1_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_mean", NN_STATE, {32}, batchnorm1_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_variance", NN_STATE, {32}, batchnorm1_variance, NULL, NN_CONSTANT, 1, {0}},
    {"conv2_w", NN_WEIGHT, {3, 3, 32, 32}, conv2_w, NULL, NN_UNIFORM, 0.102062073, {0}},
    {"batchnorm2_gamma", NN_WEIGHT, {32}, batchnorm2_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm2_beta", NN_WEIGHT, {32}, batchnorm2_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_mean", NN_STATE, {32}, batchnorm2_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_variance", NN_STATE, {32}, batchnorm2_variance, NULL, NN_CONSTANT, 1, {0}},
    {"conv3_w", NN_WEIGHT, {3, 3, 32, 64}, conv3_w, NULL, NN_UNIFORM, 0.0833333333, {0}},
    {"batchnorm3_gamma", NN_WEIGHT, {64}, batchnorm3_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm3_beta", NN_WEIGHT, {64}, batchnorm3_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_mean", NN_STATE, {64}, batchnorm3_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_variance", NN_STATE, {64}, batchnorm3_variance, NULL, NN_CONSTANT, 1, {0}},
    {"conv4_w", NN_WEIGHT, {3, 3, 64, 64}, conv4_w, NULL, NN_UNIFORM, 0.0721687836, {0}},
    {"batchnorm4_gamma", NN_WEIGHT, {64}, batchnorm4_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm4_beta", NN_WEIGHT, {64}, batchnorm4_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm4_mean", NN_STATE, {64}, batchnorm4_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm4_variance", NN_STATE, {64}, batchnorm4_variance, NULL, NN_CONSTANT, 1, {0}},
    {"conv5_w", NN_WEIGHT, {3, 3, 64, 128}, conv5_w, NULL, NN_UNIFORM, 0.0589255651, {0}},
    {"batchnorm5_gamma", NN_WEIGHT, {128}, batchnorm5_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm5_beta", NN_WEIGHT, {128}, batchnorm5_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm5_mean", NN_STATE, {128}, batchnorm5_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm5_variance", NN_STATE, {128}, batchnorm5_variance, NULL, NN_CONSTANT, 1, {0}},
    {"conv6_w", NN_WEIGHT, {3, 3, 128, 128}, conv6_w, NULL, NN_UNIFORM, 0.0510310363, {0}},
    {"batchnorm6_gamma", NN_WEIGHT, {128}, batchnorm6_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm6_beta", NN_WEIGHT, {128}, batchnorm6_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm6_mean", NN_STATE, {128}, batchnorm6_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm6_variance", NN_STATE, {128}, batchnorm6_variance, NULL, NN_CONSTANT, 1, {0}},
    {"dense1_w", NN_WEIGHT, {1152, 256}, dense1_w, NULL, NN_UNIFORM, 0.065279121,
     {1152, 32, 256, 256, 0}},
    {"batchnorm7_gamma", NN_WEIGHT, {256}, batchnorm7_gamma, NULL, NN_CONSTANT, 1, {0}},
    {"batchnorm7_beta", NN_WEIGHT, {256}, batchnorm7_beta, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm7_mean", NN_STATE, {256}, batchnorm7_mean, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm7_variance", NN_STATE, {256}, batchnorm7_variance, NULL, NN_CONSTANT, 1, {0}},
    {"dense2_w", NN_WEIGHT, {256, 10}, dense2_w, NULL, NN_UNIFORM, 0.150187852, {0}},
    {"dense2_b", NN_WEIGHT, {10}, dense2_b, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_w_m", NN_OPTIMIZER, {3, 3, 1, 32}, conv1_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv1_w_v", NN_OPTIMIZER, {3, 3, 1, 32}, conv1_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_gamma_m", NN_OPTIMIZER, {32}, batchnorm1_gamma_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_gamma_v", NN_OPTIMIZER, {32}, batchnorm1_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_beta_m", NN_OPTIMIZER, {32}, batchnorm1_beta_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm1_beta_v", NN_OPTIMIZER, {32}, batchnorm1_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w_m", NN_OPTIMIZER, {3, 3, 32, 32}, conv2_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv2_w_v", NN_OPTIMIZER, {3, 3, 32, 32}, conv2_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_gamma_m", NN_OPTIMIZER, {32}, batchnorm2_gamma_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_gamma_v", NN_OPTIMIZER, {32}, batchnorm2_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_beta_m", NN_OPTIMIZER, {32}, batchnorm2_beta_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm2_beta_v", NN_OPTIMIZER, {32}, batchnorm2_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv3_w_m", NN_OPTIMIZER, {3, 3, 32, 64}, conv3_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv3_w_v", NN_OPTIMIZER, {3, 3, 32, 64}, conv3_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_gamma_m", NN_OPTIMIZER, {64}, batchnorm3_gamma_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_gamma_v", NN_OPTIMIZER, {64}, batchnorm3_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_beta_m", NN_OPTIMIZER, {64}, batchnorm3_beta_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm3_beta_v", NN_OPTIMIZER, {64}, batchnorm3_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv4_w_m", NN_OPTIMIZER, {3, 3, 64, 64}, conv4_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv4_w_v", NN_OPTIMIZER, {3, 3, 64, 64}, conv4_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm4_gamma_m", NN_OPTIMIZER, {64}, batchnorm4_gamma_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm4_gamma_v", NN_OPTIMIZER, {64}, batchnorm4_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm4_beta_m", NN_OPTIMIZER, {64}, batchnorm4_beta_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm4_beta_v", NN_OPTIMIZER, {64}, batchnorm4_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv5_w_m", NN_OPTIMIZER, {3, 3, 64, 128}, conv5_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv5_w_v", NN_OPTIMIZER, {3, 3, 64, 128}, conv5_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm5_gamma_m", NN_OPTIMIZER, {128}, batchnorm5_gamma_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm5_gamma_v", NN_OPTIMIZER, {128}, batchnorm5_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm5_beta_m", NN_OPTIMIZER, {128}, batchnorm5_beta_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm5_beta_v", NN_OPTIMIZER, {128}, batchnorm5_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"conv6_w_m", NN_OPTIMIZER, {3, 3, 128, 128}, conv6_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"conv6_w_v", NN_OPTIMIZER, {3, 3, 128, 128}, conv6_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm6_gamma_m", NN_OPTIMIZER, {128}, batchnorm6_gamma_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm6_gamma_v", NN_OPTIMIZER, {128}, batchnorm6_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm6_beta_m", NN_OPTIMIZER, {128}, batchnorm6_beta_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm6_beta_v", NN_OPTIMIZER, {128}, batchnorm6_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w_m", NN_OPTIMIZER, {1152, 256}, dense1_w_m, NULL, NN_CONSTANT, 0,
     {1152, 32, 256, 256, 0}},
    {"dense1_w_v", NN_OPTIMIZER, {1152, 256}, dense1_w_v, NULL, NN_CONSTANT, 0,
     {1152, 32, 256, 256, 0}},
    {"batchnorm7_gamma_m", NN_OPTIMIZER, {256}, batchnorm7_gamma_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm7_gamma_v", NN_OPTIMIZER, {256}, batchnorm7_gamma_v, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm7_beta_m", NN_OPTIMIZER, {256}, batchnorm7_beta_m, NULL, NN_CONSTANT, 0, {0}},
    {"batchnorm7_beta_v", NN_OPTIMIZER, {256}, batchnorm7_beta_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_m", NN_OPTIMIZER, {256, 10}, dense2_w_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_v", NN_OPTIMIZER, {256, 10}, dense2_w_v, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_b_m", NN_OPTIMIZER, {10}, dense2_b_m, NULL, NN_CONSTANT, 0, {0}},
    {"dense2_b_v", NN_OPTIMIZER, {10}, dense2_b_v, NULL, NN_CONSTANT, 0, {0}},
};

// Of each call its operations in a matrix product, for each picture; other ones, for each picture
// and for each step; bytes read and written, likewise.
static const NnCall calls[] = {
    [CALL_input_augment] = {"input_augment", "input", NN_FORWARD, 0, 31360, 0, 3136, 0},
    [CALL_conv1_forward] = {"conv1_forward", "conv1", NN_FORWARD, 451584, 0, 0, 103488, 4608},
    [CALL_batchnorm1_sums] = {"batchnorm1_sums", "batchnorm1", NN_FORWARD, 0, 75264, 0, 100352,
                              2048},
    [CALL_batchnorm1_stats] = {"batchnorm1_stats", "batchnorm1", NN_FORWARD, 0, 0, 64, 0, 2304},
    [CALL_batchnorm1_follow] = {"batchnorm1_follow", "batchnorm1", NN_FORWARD, 0, 0, 32, 0, 768},
    [CALL_batchnorm1_forward] = {"batchnorm1_forward", "batchnorm1", NN_FORWARD, 0, 125440, 0,
                                 200704, 2048},
    [CALL_conv2_forward] = {"conv2_forward", "conv2", NN_FORWARD, 3612672, 0, 0, 200704, 589824},
    [CALL_batchnorm2_sums] = {"batchnorm2_sums", "batchnorm2", NN_FORWARD, 0, 75264, 0, 100352,
                              2048},
    [CALL_batchnorm2_stats] = {"batchnorm2_stats", "batchnorm2", NN_FORWARD, 0, 0, 64, 0, 2304},
    [CALL_batchnorm2_follow] = {"batchnorm2_follow", "batchnorm2", NN_FORWARD, 0, 0, 32, 0, 768},
    [CALL_batchnorm2_forward] = {"batchnorm2_forward", "batchnorm2", NN_FORWARD, 0, 125440, 0,
                                 200704, 2048},
    [CALL_pool1_forward] = {"pool1_forward", "pool1", NN_FORWARD, 0, 25088, 0, 125440, 0},
    [CALL_dropout1_forward] = {"dropout1_forward", "dropout1", NN_FORWARD, 0, 12544, 0, 50176, 0},
    [CALL_conv3_forward] = {"conv3_forward", "conv3", NN_FORWARD, 2359296, 0, 0, 75264, 1179648},
    [CALL_batchnorm3_sums] = {"batchnorm3_sums", "batchnorm3", NN_FORWARD, 0, 37632, 0, 50176,
                              4096},
    [CALL_batchnorm3_stats] = {"batchnorm3_stats", "batchnorm3", NN_FORWARD, 0, 0, 128, 0, 4608},
    [CALL_batchnorm3_follow] = {"batchnorm3_follow", "batchnorm3", NN_FORWARD, 0, 0, 64, 0, 1536},
    [CALL_batchnorm3_forward] = {"batchnorm3_forward", "batchnorm3", NN_FORWARD, 0, 62720, 0,
                                 100352, 4096},
    [CALL_conv4_forward] = {"conv4_forward", "conv4", NN_FORWARD, 4718592, 0, 0, 100352, 2359296},
    [CALL_batchnorm4_sums] = {"batchnorm4_sums", "batchnorm4", NN_FORWARD, 0, 37632, 0, 50176,
                              4096},
    [CALL_batchnorm4_stats] = {"batchnorm4_stats", "batchnorm4", NN_FORWARD, 0, 0, 128, 0, 4608},
    [CALL_batchnorm4_follow] = {"batchnorm4_follow", "batchnorm4", NN_FORWARD, 0, 0, 64, 0, 1536},
    [CALL_batchnorm4_forward] = {"batchnorm4_forward", "batchnorm4", NN_FORWARD, 0, 62720, 0,
                                 100352, 4096},
    [CALL_pool2_forward] = {"pool2_forward", "pool2", NN_FORWARD, 0, 12544, 0, 62720, 0},
    [CALL_dropout2_forward] = {"dropout2_forward", "dropout2", NN_FORWARD, 0, 6272, 0, 25088, 0},
    [CALL_conv5_forward] = {"conv5_forward", "conv5", NN_FORWARD, 2359296, 0, 0, 37632, 4718592},
    [CALL_batchnorm5_sums] = {"batchnorm5_sums", "batchnorm5", NN_FORWARD, 0, 18816, 0, 25088,
                              8192},
    [CALL_batchnorm5_stats] = {"batchnorm5_stats", "batchnorm5", NN_FORWARD, 0, 0, 256, 0, 9216},
    [CALL_batchnorm5_follow] = {"batchnorm5_follow", "batchnorm5", NN_FORWARD, 0, 0, 128, 0, 3072},
    [CALL_batchnorm5_forward] = {"batchnorm5_forward", "batchnorm5", NN_FORWARD, 0, 31360, 0, 50176,
                                 8192},
    [CALL_conv6_forward] = {"conv6_forward", "conv6", NN_FORWARD, 4718592, 0, 0, 50176, 9437184},
    [CALL_batchnorm6_sums] = {"batchnorm6_sums", "batchnorm6", NN_FORWARD, 0, 18816, 0, 25088,
                              8192},
    [CALL_batchnorm6_stats] = {"batchnorm6_stats", "batchnorm6", NN_FORWARD, 0, 0, 256, 0, 9216},
    [CALL_batchnorm6_follow] = {"batchnorm6_follow", "batchnorm6", NN_FORWARD, 0, 0, 128, 0, 3072},
    [CALL_batchnorm6_forward] = {"batchnorm6_forward", "batchnorm6", NN_FORWARD, 0, 31360, 0, 50176,
                                 8192},
    [CALL_pool3_forward] = {"pool3_forward", "pool3", NN_FORWARD, 0, 10368, 0, 29696, 0},
    [CALL_dropout3_forward] = {"dropout3_forward", "dropout3", NN_FORWARD, 0, 2304, 0, 9216, 0},
    [CALL_dense1_forward] = {"dense1_forward", "dense1", NN_FORWARD, 589824, 0, 0, 5632, 4718592},
    [CALL_batchnorm7_sums] = {"batchnorm7_sums", "batchnorm7", NN_FORWARD, 0, 768, 0, 1024, 16384},
    [CALL_batchnorm7_stats] = {"batchnorm7_stats", "batchnorm7", NN_FORWARD, 0, 0, 512, 0, 18432},
    [CALL_batchnorm7_follow] = {"batchnorm7_follow", "batchnorm7", NN_FORWARD, 0, 0, 256, 0, 6144},
    [CALL_batchnorm7_forward] = {"batchnorm7_forward", "batchnorm7", NN_FORWARD, 0, 1792, 0, 2048,
                                 16384},
    [CALL_dense2_forward] = {"dense2_forward", "dense2", NN_FORWARD, 5120, 10, 0, 1064, 41120},
    [CALL_dense2_softmax] = {"dense2_softmax", "dense2", NN_FORWARD, 0, 40, 0, 80, 0},
    [CALL_output_predict] = {"output_predict", "output", NN_FORWARD, 0, 10, 0, 44, 0},
    [CALL_loss_forward] = {"loss_forward", "loss", NN_FORWARD, 0, 40, 0, 44, 0},
    [CALL_loss_backward] = {"loss_backward", "loss", NN_BACKWARD, 0, 20, 0, 80, 0},
    [CALL_dense2_b_partial] = {"dense2_b_partial", "dense2", NN_BACKWARD, 0, 10, 0, 40, 160},
    [CALL_dense2_b_gradient] = {"dense2_b_gradient", "dense2", NN_BACKWARD, 0, 0, 10, 0, 200},
    [CALL_dense2_backward] = {"dense2_backward", "dense2", NN_BACKWARD, 5120, 768, 0, 2088, 40960},
    [CALL_dense2_w_partial] = {"dense2_w_partial", "dense2", NN_BACKWARD, 5120, 0, 0, 1064, 40960},
    [CALL_dense2_w_gradient] = {"dense2_w_gradient", "dense2", NN_BACKWARD, 0, 0, 2560, 0, 51200},
    [CALL_batchnorm7_partial] = {"batchnorm7_partial", "batchnorm7", NN_BACKWARD, 0, 1280, 0, 2048,
                                 16384},
    [CALL_batchnorm7_beta_gradient] = {"batchnorm7_beta_gradient", "batchnorm7", NN_BACKWARD, 0, 0,
                                       256, 0, 9216},
    [CALL_batchnorm7_gamma_gradient] = {"batchnorm7_gamma_gradient", "batchnorm7", NN_BACKWARD, 0,
                                        0, 256, 0, 9216},
    [CALL_batchnorm7_backward] = {"batchnorm7_backward", "batchnorm7", NN_BACKWARD, 0, 1536, 0,
                                  3072, 20480},
    [CALL_dense1_backward] = {"dense1_backward", "dense1", NN_BACKWARD, 589824, 2304, 0, 5632,
                              4718592},
    [CALL_dense1_w_gradient] = {"dense1_w_gradient", "dense1", NN_BACKWARD, 589824, 0, 0, 5632,
                                1179648},
    [CALL_pool3_backward] = {"pool3_backward", "pool3", NN_BACKWARD, 0, 25088, 0, 59392, 0},
    [CALL_batchnorm6_partial] = {"batchnorm6_partial", "batchnorm6", NN_BACKWARD, 0, 31360, 0,
                                 50176, 8192},
    [CALL_batchnorm6_beta_gradient] = {"batchnorm6_beta_gradient", "batchnorm6", NN_BACKWARD, 0, 0,
                                       128, 0, 4608},
    [CALL_batchnorm6_gamma_gradient] = {"batchnorm6_gamma_gradient", "batchnorm6", NN_BACKWARD, 0,
                                        0, 128, 0, 4608},
    [CALL_batchnorm6_backward] = {"batchnorm6_backward", "batchnorm6", NN_BACKWARD, 0, 37632, 0,
                                  75264, 10240},
    [CALL_conv6_w_partial] = {"conv6_w_partial", "conv6", NN_BACKWARD, 4718592, 0, 0, 50176,
                              2359296},
    [CALL_conv6_w_gradient] = {"conv6_w_gradient", "conv6", NN_BACKWARD, 0, 0, 147456, 0, 2949120},
    [CALL_conv6_backward] = {"conv6_backward", "conv6", NN_BACKWARD, 4718592, 6272, 0, 75264,
                             9437184},
    [CALL_batchnorm5_partial] = {"batchnorm5_partial", "batchnorm5", NN_BACKWARD, 0, 31360, 0,
                                 50176, 8192},
    [CALL_batchnorm5_beta_gradient] = {"batchnorm5_beta_gradient", "batchnorm5", NN_BACKWARD, 0, 0,
                                       128, 0, 4608},
    [CALL_batchnorm5_gamma_gradient] = {"batchnorm5_gamma_gradient", "batchnorm5", NN_BACKWARD, 0,
                                        0, 128, 0, 4608},
    [CALL_batchnorm5_backward] = {"batchnorm5_backward", "batchnorm5", NN_BACKWARD, 0, 37632, 0,
                                  75264, 10240},
    [CALL_conv5_w_partial] = {"conv5_w_partial", "conv5", NN_BACKWARD, 2359296, 0, 0, 37632,
                              1179648},
    [CALL_conv5_w_gradient] = {"conv5_w_gradient", "conv5", NN_BACKWARD, 0, 0, 73728, 0, 1474560},
    [CALL_conv5_backward] = {"conv5_backward", "conv5", NN_BACKWARD, 2359296, 6272, 0, 37632,
                             4718592},
    [CALL_pool2_backward] = {"pool2_backward", "pool2", NN_BACKWARD, 0, 50176, 0, 125440, 0},
    [CALL_batchnorm4_partial] = {"batchnorm4_partial", "batchnorm4", NN_BACKWARD, 0, 62720, 0,
                                 100352, 4096},
    [CALL_batchnorm4_beta_gradient] = {"batchnorm4_beta_gradient", "batchnorm4", NN_BACKWARD, 0, 0,
                                       64, 0, 2304},
    [CALL_batchnorm4_gamma_gradient] = {"batchnorm4_gamma_gradient", "batchnorm4", NN_BACKWARD, 0,
                                        0, 64, 0, 2304},
    [CALL_batchnorm4_backward] = {"batchnorm4_backward", "batchnorm4", NN_BACKWARD, 0, 75264, 0,
                                  150528, 5120},
    [CALL_conv4_w_partial] = {"conv4_w_partial", "conv4", NN_BACKWARD, 4718592, 0, 0, 100352,
                              589824},
    [CALL_conv4_w_gradient] = {"conv4_w_gradient", "conv4", NN_BACKWARD, 0, 0, 36864, 0, 737280},
    [CALL_conv4_backward] = {"conv4_backward", "conv4", NN_BACKWARD, 4718592, 12544, 0, 150528,
                             2359296},
    [CALL_batchnorm3_partial] = {"batchnorm3_partial", "batchnorm3", NN_BACKWARD, 0, 62720, 0,
                                 100352, 4096},
    [CALL_batchnorm3_beta_gradient] = {"batchnorm3_beta_gradient", "batchnorm3", NN_BACKWARD, 0, 0,
                                       64, 0, 2304},
    [CALL_batchnorm3_gamma_gradient] = {"batchnorm3_gamma_gradient", "batchnorm3", NN_BACKWARD, 0,
                                        0, 64, 0, 2304},
    [CALL_batchnorm3_backward] = {"batchnorm3_backward", "batchnorm3", NN_BACKWARD, 0, 75264, 0,
                                  150528, 5120},
    [CALL_conv3_w_partial] = {"conv3_w_partial", "conv3", NN_BACKWARD, 2359296, 0, 0, 75264,
                              294912},
    [CALL_conv3_w_gradient] = {"conv3_w_gradient", "conv3", NN_BACKWARD, 0, 0, 18432, 0, 368640},
    [CALL_conv3_backward] = {"conv3_backward", "conv3", NN_BACKWARD, 2359296, 12544, 0, 75264,
                             1179648},
    [CALL_pool1_backward] = {"pool1_backward", "pool1", NN_BACKWARD, 0, 100352, 0, 250880, 0},
    [CALL_batchnorm2_partial] = {"batchnorm2_partial", "batchnorm2", NN_BACKWARD, 0, 125440, 0,
                                 200704, 2048},
    [CALL_batchnorm2_beta_gradient] = {"batchnorm2_beta_gradient", "batchnorm2", NN_BACKWARD, 0, 0,
                                       32, 0, 1152},
    [CALL_batchnorm2_gamma_gradient] = {"batchnorm2_gamma_gradient", "batchnorm2", NN_BACKWARD, 0,
                                        0, 32, 0, 1152},
    [CALL_batchnorm2_backward] = {"batchnorm2_backward", "batchnorm2", NN_BACKWARD, 0, 150528, 0,
                                  301056, 2560},
    [CALL_conv2_w_partial] = {"conv2_w_partial", "conv2", NN_BACKWARD, 3612672, 0, 0, 200704,
                              147456},
    [CALL_conv2_w_gradient] = {"conv2_w_gradient", "conv2", NN_BACKWARD, 0, 0, 9216, 0, 184320},
    [CALL_conv2_backward] = {"conv2_backward", "conv2", NN_BACKWARD, 3612672, 25088, 0, 301056,
                             589824},
    [CALL_batchnorm1_partial] = {"batchnorm1_partial", "batchnorm1", NN_BACKWARD, 0, 125440, 0,
                                 200704, 2048},
    [CALL_batchnorm1_beta_gradient] = {"batchnorm1_beta_gradient", "batchnorm1", NN_BACKWARD, 0, 0,
                                       32, 0, 1152},
    [CALL_batchnorm1_gamma_gradient] = {"batchnorm1_gamma_gradient", "batchnorm1", NN_BACKWARD, 0,
                                        0, 32, 0, 1152},
    [CALL_batchnorm1_backward] = {"batchnorm1_backward", "batchnorm1", NN_BACKWARD, 0, 150528, 0,
                                  301056, 2560},
    [CALL_conv1_w_partial] = {"conv1_w_partial", "conv1", NN_BACKWARD, 451584, 0, 0, 103488, 4608},
    [CALL_conv1_w_gradient] = {"conv1_w_gradient", "conv1", NN_BACKWARD, 0, 0, 288, 0, 5760},
    [CALL_conv1_w_update] = {"conv1_w_update", "conv1", NN_UPDATE, 0, 0, 2880, 0, 8064},
    [CALL_batchnorm1_gamma_update] = {"batchnorm1_gamma_update", "batchnorm1", NN_UPDATE, 0, 0, 320,
                                      0, 896},
    [CALL_batchnorm1_beta_update] = {"batchnorm1_beta_update", "batchnorm1", NN_UPDATE, 0, 0, 320,
                                     0, 896},
    [CALL_conv2_w_update] = {"conv2_w_update", "conv2", NN_UPDATE, 0, 0, 92160, 0, 258048},
    [CALL_batchnorm2_gamma_update] = {"batchnorm2_gamma_update", "batchnorm2", NN_UPDATE, 0, 0, 320,
                                      0, 896},
    [CALL_batchnorm2_beta_update] = {"batchnorm2_beta_update", "batchnorm2", NN_UPDATE, 0, 0, 320,
                                     0, 896},
    [CALL_conv3_w_update] = {"conv3_w_update", "conv3", NN_UPDATE, 0, 0, 184320, 0, 516096},
    [CALL_batchnorm3_gamma_update] = {"batchnorm3_gamma_update", "batchnorm3", NN_UPDATE, 0, 0, 640,
                                      0, 1792},
    [CALL_batchnorm3_beta_update] = {"batchnorm3_beta_update", "batchnorm3", NN_UPDATE, 0, 0, 640,
                                     0, 1792},
    [CALL_conv4_w_update] = {"conv4_w_update", "conv4", NN_UPDATE, 0, 0, 368640, 0, 1032192},
    [CALL_batchnorm4_gamma_update] = {"batchnorm4_gamma_update", "batchnorm4", NN_UPDATE, 0, 0, 640,
                                      0, 1792},
    [CALL_batchnorm4_beta_update] = {"batchnorm4_beta_update", "batchnorm4", NN_UPDATE, 0, 0, 640,
                                     0, 1792},
    [CALL_conv5_w_update] = {"conv5_w_update", "conv5", NN_UPDATE, 0, 0, 737280, 0, 2064384},
    [CALL_batchnorm5_gamma_update] = {"batchnorm5_gamma_update", "batchnorm5", NN_UPDATE, 0, 0,
                                      1280, 0, 3584},
    [CALL_batchnorm5_beta_update] = {"batchnorm5_beta_update", "batchnorm5", NN_UPDATE, 0, 0, 1280,
                                     0, 3584},
    [CALL_conv6_w_update] = {"conv6_w_update", "conv6", NN_UPDATE, 0, 0, 1474560, 0, 4128768},
    [CALL_batchnorm6_gamma_update] = {"batchnorm6_gamma_update", "batchnorm6", NN_UPDATE, 0, 0,
                                      1280, 0, 3584},
    [CALL_batchnorm6_beta_update] = {"batchnorm6_beta_update", "batchnorm6", NN_UPDATE, 0, 0, 1280,
                                     0, 3584},
    [CALL_dense1_w_update] = {"dense1_w_update", "dense1", NN_UPDATE, 0, 0, 2949120, 0, 8257536},
    [CALL_batchnorm7_gamma_update] = {"batchnorm7_gamma_update", "batchnorm7", NN_UPDATE, 0, 0,
                                      2560, 0, 7168},
    [CALL_batchnorm7_beta_update] = {"batchnorm7_beta_update", "batchnorm7", NN_UPDATE, 0, 0, 2560,
                                     0, 7168},
    [CALL_dense2_w_update] = {"dense2_w_update", "dense2", NN_UPDATE, 0, 0, 25600, 0, 71680},
    [CALL_dense2_b_update] = {"dense2_b_update", "dense2", NN_UPDATE, 0, 0, 100, 0, 280},
    [CALL_dense2_w_turn] = {"dense2_w_turn", "dense2", NN_UPDATE, 0, 0, 0, 0, 20480},
    [CALL_dense1_w_turn] = {"dense1_w_turn", "dense1", NN_UPDATE, 0, 0, 0, 0, 2359296},
    [CALL_conv6_w_turn] = {"conv6_w_turn", "conv6", NN_UPDATE, 0, 0, 0, 0, 2949120},
    [CALL_conv5_w_turn] = {"conv5_w_turn", "conv5", NN_UPDATE, 0, 0, 0, 0, 1474560},
    [CALL_conv4_w_turn] = {"conv4_w_turn", "conv4", NN_UPDATE, 0, 0, 0, 0, 737280},
    [CALL_conv3_w_turn] = {"conv3_w_turn", "conv3", NN_UPDATE, 0, 0, 0, 0, 368640},
    [CALL_conv2_w_turn] = {"conv2_w_turn", "conv2", NN_UPDATE, 0, 0, 0, 0, 184320},
    [CALL_conv2_w_transform] = {"conv2_w_transform", "conv2", NN_UPDATE, 0, 0, 0, 0, 184320},
    [CALL_conv3_w_transform] = {"conv3_w_transform", "conv3", NN_UPDATE, 0, 0, 0, 0, 368640},
    [CALL_conv4_w_transform] = {"conv4_w_transform", "conv4", NN_UPDATE, 0, 0, 0, 0, 737280},
    [CALL_conv5_w_transform] = {"conv5_w_transform", "conv5", NN_UPDATE, 0, 0, 0, 0, 1474560},
    [CALL_conv6_w_transform] = {"conv6_w_transform", "conv6", NN_UPDATE, 0, 0, 0, 0, 2949120},
};

const NnModel nn_model = {
    .name = "fashion",
    .source =
        "# fashion, compiled by netc --target x86-64-v4\012"
        "#\012"
        "# Our own recipe for Fashion-MNIST: six convolutions with batch normalisation, pictures "
        "changed by\012"
        "# chance and one cycle of the learning rate. Everything in it, the number of epochs too, "
        "was fixed\012"
        "# beforehand, by trainings that kept the last 10,000 of the training pictures for "
        "validation.\012"
        "data fashion\012"
        "input 28x28x1\012"
        "\012"
        "block convolution(filters) {\012"
        "    conv filters 3x3 pad same bias off\012"
        "    batchnorm momentum 0.9\012"
        "    relu\012"
        "}\012"
        "block stage(filters window drop) {\012"
        "    convolution filters\012"
        "    convolution filters\012"
        "    pool window stride 2\012"
        "    dropout drop\012"
        "}\012"
        "stage 32 2 10%\012"
        "stage 64 2 20%\012"
        "stage 128 3 20%  # 7 rows become 3\012"
        "dense 256 bias off\012"
        "batchnorm momentum 0.9\012"
        "relu\012"
        "dropout 30%\012"
        "dense 10 softmax\012"
        "\012"
        "loss      cross_entropy smoothing 0.05\012"
        "optimizer adam lr 0.003\012"
        "batch     128\012"
        "epochs    30\012"
        "schedule  one_cycle\012"
        "augment   flip horizontal shift 2 px zoom 10% cutout 6 px\012",
    .fingerprint = "d8a385d81ac40b8e",
    .type = NN_F32, .vector_bytes = NN_VECTOR_BYTES,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "fashion", .format = NN_IDX,
    .byte_scale = 0.00392156862745098, .number_scale = 1,
    .stack_bytes = 14155776,
    .batch = BATCH, .blocks = BLOCKS, .epochs = 30, .seed = 1, .rate = 0.003,
    .schedule = {.kind = NN_ONE_CYCLE, .rise = 0.3, .div = 25, .final_div = 10000},
    .loss = "cross_entropy", .optimizer = "adam",
    .threads = 64,
    .layers = layers, .layer_count = 29,
    .tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,
    .parameters = 584874,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 12677288, .optimizer_bytes = 4678992,
    .operations_forward = 59426549, .operations_backward = 118459383, .operations_update = 5848740,
    .train_step = train_step, .profiled = NN_PROFILED,
    .calls = calls, .call_count = sizeof calls / sizeof *calls,
    .prepare = prepare,
    .infer = infer,
    .output = WHOLE(infer_dense2), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
