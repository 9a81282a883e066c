// mnist: a network compiled by netc into the C that trains it.
//
//   layer        statement                          output         parameters
//   input        input 28x28x1                      28x28x1
//   conv1        conv 32 3x3 relu pad same          28x28x32       320
//   pool1        pool 2                             14x14x32       0
//   conv2        conv 64 3x3 relu pad same          14x14x64       18496
//   pool2        pool 2                             7x7x64         0
//   dropout1     dropout 25%                        7x7x64         0
//   dense1       dense 128 relu                     128            401536
//   dropout2     dropout 50%                        128            0
//   dense2       dense 10 softmax                   10             1290
//                                                                  421642
//
// A layer's forward and backward functions stand side by side, each with its formula. In them
// x is what a layer reads and y what it makes, w and b are weights, i is a row of the batch, and
// dx is the gradient of the mean loss by x. train_step, at the end, calls them all.

#include <cblas.h>  // the matrix products
#include <math.h>   // sqrt, pow
#include <string.h> // memcpy, memset

#include "nn.h" // the team of threads, random numbers, exp and log in vectors

// --- sizes ------------------------------------------------------------------------------------------

// A batch is worked on in blocks of rows; the last batch of an epoch may be smaller.
enum { BATCH = 100, ROWS = 13, BLOCKS = 8 };

// How many rows the block that starts at row `first` has in this batch.
static int rows_from(int first, const NnBatch *batch)
{
    const int rows = batch->rows - first;
    return rows < 0 ? 0 : nn_min(rows, ROWS);
}

// --- tensors that outlive a step --------------------------------------------------------------------

// weights, which training changes
static _Alignas(64) float conv1_w[3][3][1][32]; // at first: uniform within sqrt(6 / (9 + 288)) (glorot)
static _Alignas(64) float conv1_b[32]; // at first: zeros
static _Alignas(64) float conv2_w[3][3][32][64]; // at first: uniform within sqrt(6 / (288 + 576)) (glorot)
static _Alignas(64) float conv2_b[64]; // at first: zeros
static _Alignas(64) float dense1_w[3136][128]; // at first: uniform within sqrt(6 / (3136 + 128)) (glorot)
static _Alignas(64) float dense1_b[128]; // at first: zeros
static _Alignas(64) float dense2_w[128][10]; // at first: uniform within sqrt(6 / (128 + 10)) (glorot)
static _Alignas(64) float dense2_b[10]; // at first: zeros

// what the optimizer remembers
static _Alignas(64) float conv1_w_m[3][3][1][32];
static _Alignas(64) float conv1_w_v[3][3][1][32];
static _Alignas(64) float conv1_b_m[32];
static _Alignas(64) float conv1_b_v[32];
static _Alignas(64) float conv2_w_m[3][3][32][64];
static _Alignas(64) float conv2_w_v[3][3][32][64];
static _Alignas(64) float conv2_b_m[64];
static _Alignas(64) float conv2_b_v[64];
static _Alignas(64) float dense1_w_m[3136][128];
static _Alignas(64) float dense1_w_v[3136][128];
static _Alignas(64) float dense1_b_m[128];
static _Alignas(64) float dense1_b_v[128];
static _Alignas(64) float dense2_w_m[128][10];
static _Alignas(64) float dense2_w_v[128][10];
static _Alignas(64) float dense2_b_m[10];
static _Alignas(64) float dense2_b_v[10];

// --- the arena --------------------------------------------------------------------------------------

// Where each value lies: AT is its place in the arena, EACH the bytes from one block of rows to
// the next. Values that are never alive together share their bytes.
enum {
    ARENA_BYTES = 28440320,
    // of a training step: 28440320 bytes, 43180992 if nothing were shared
    AT_input =                3261440, EACH_input =              3302208, // [ROWS][28][28][1]
    AT_conv1 =                      0, EACH_conv1 =              3302208, // [ROWS][28][28][32]
    AT_pool1 =                2609152, EACH_pool1 =              3302208, // [ROWS][14][14][32]
    AT_conv2 =                1304576, EACH_conv2 =              3302208, // [ROWS][14][14][64]
    AT_pool2 =                2935296, EACH_pool2 =              3302208, // [ROWS][7][7][64]
    AT_dropout1 =            26417664, EACH_dropout1 =            163072, // [ROWS][7][7][64]
    AT_dropout2 =            28312064, EACH_dropout2 =              6656, // [ROWS][128]
    AT_dense2_z =             1956864, EACH_dense2_z =           3302208, // [ROWS][10]
    AT_dense2 =               1957440, EACH_dense2 =             3302208, // [ROWS][10]
    AT_predicted =           28439104, EACH_predicted =               52, // [ROWS]
    AT_loss =                28439552, EACH_loss =                    52, // [ROWS]
    AT_d_dense2_z =          28427776, EACH_d_dense2_z =             520, // [ROWS][10]
    AT_d_dense2_b_partial =  28440000, EACH_d_dense2_b_partial =      40, // [10]
    AT_d_dense2_b =           1686528,                                    // [10]
    AT_d_dense1_z =          28365312, EACH_d_dense1_z =            6656, // [ROWS][128]
    AT_d_dense2_w =           1679360,                                    // [128][10]
    AT_d_dense1_b_partial =  28431936, EACH_d_dense1_b_partial =     512, // [128]
    AT_d_dense1_b =           1685632,                                    // [128]
    AT_d_pool2 =              3098368, EACH_d_pool2 =            3302208, // [ROWS][7][7][64]
    AT_d_dense1_w =                 0,                                    // [3136][128]
    AT_d_conv2_z =            1956864, EACH_d_conv2_z =          3302208, // [ROWS][14][14][64]
    AT_d_conv2_b_partial =   28436032, EACH_d_conv2_b_partial =      256, // [64]
    AT_d_conv2_b =            1686144,                                    // [64]
    AT_d_conv2_w_partial =   27722240, EACH_d_conv2_w_partial =    73728, // [3][3][32][64]
    AT_d_conv2_w =            1605632,                                    // [3][3][32][64]
    AT_d_pool1 =              2935296, EACH_d_pool1 =            3302208, // [ROWS][14][14][32]
    AT_d_conv1_z =            1304576, EACH_d_conv1_z =          3302208, // [ROWS][28][28][32]
    AT_d_conv1_b_partial =   28438080, EACH_d_conv1_b_partial =      128, // [32]
    AT_d_conv1_b =            1686400,                                    // [32]
    AT_d_conv1_w_partial =   28418560, EACH_d_conv1_w_partial =     1152, // [3][3][1][32]
    AT_d_conv1_w =            1684480,                                    // [3][3][1][32]
    // of inference: 13050816 bytes
    AT_infer_input =       1304576, EACH_infer_input =     1630720, // [ROWS][28][28][1]
    AT_infer_conv1 =             0, EACH_infer_conv1 =     1630720, // [ROWS][28][28][32]
    AT_infer_pool1 =       1304576, EACH_infer_pool1 =     1630720, // [ROWS][14][14][32]
    AT_infer_conv2 =             0, EACH_infer_conv2 =     1630720, // [ROWS][14][14][64]
    AT_infer_pool2 =        652288, EACH_infer_pool2 =     1630720, // [ROWS][7][7][64]
    AT_infer_dense1 =            0, EACH_infer_dense1 =    1630720, // [ROWS][128]
    AT_infer_dense2_z =       6656, EACH_infer_dense2_z =  1630720, // [ROWS][10]
    AT_infer_dense2 =     13045760, EACH_infer_dense2 =        520, // [ROWS][10]
    AT_infer_predicted =  13049920, EACH_infer_predicted =      52, // [ROWS]
    AT_infer_loss =       13050368, EACH_infer_loss =           52, // [ROWS]
};
static _Alignas(64) unsigned char arena[ARENA_BYTES];
#define BLOCK(value) ((void *)(arena + AT_##value + (size_t)block * EACH_##value))
#define WHOLE(value) ((void *)(arena + AT_##value))

// --- matrix products, by BLAS; the leading number of a pointer's rows is its width ------------------

// c[m][n] = a[m][k] b[k][n] + beta c
static void gemm_nn(int m, int n, int k, const void *a, const void *b, float beta, void *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, beta, c, n);
}

// c[m][n] = a[m][k] b[n][k]' + beta c
static void gemm_nt(int m, int n, int k, const void *a, const void *b, float beta, void *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, k, b, k, beta, c, n);
}

// c[m][n] = a[k][m]' b[k][n] + beta c, where rows of a are `width` apart
static void gemm_tn(int m, int n, int k, const void *a, int width, const void *b, float beta,
                    void *c)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a, width, b, n, beta, c, n);
}

// --- input: input 28x28x1 ---------------------------------------------------------------------------

// x = pictures / 255
static void input_forward(const NnBatch *batch, int first, int rows,
                          float x[restrict ROWS][28][28][1])
{
    for (int i = 0; i < rows; i++) {
        const unsigned char *const picture = batch->pictures + (size_t)batch->index[first + i] * 784;
        float *const to = x[i][0][0];
        for (int j = 0; j < 784; j++)
            to[j] = picture[j] * 0.003921569f;
    }
}

// --- conv1: conv 32 3x3 relu pad same   28x28x1 -> 28x28x32 -----------------------------------------

// columns = the windows of x below `pixels` pixels of the result, from its row `top` on
static void conv1_columns(int top, int pixels, float columns[restrict][9], const float x[28][28][1])
{
    for (int p = 0; p < pixels; p++) {
        const int row = top + p / 28, col = p % 28; // the pixel of the result
        for (int r = 0; r < 3; r++) {
            const int at_row = row + r - 1;
            for (int s = 0; s < 3; s++) {
                const int at_col = col + s - 1;
                const bool inside = at_row >= 0 && at_row < 28 && at_col >= 0 && at_col < 28;
                float *const to = &columns[p][r * 3 + s * 1];
                if (inside)
                    memcpy(to, x[at_row][at_col], 1 * sizeof(float));
                else
                    memset(to, 0, 1 * sizeof(float)); // padding
            }
        }
    }
}

// y = x * w, a sum over each window
// then y = x + b
// then y = x < 0 ? 0 : x
static void conv1_forward(int rows, float y[restrict ROWS][28][28][32],
                          const float x[ROWS][28][28][1], const float w[3][3][1][32],
                          const float b[32])
{
    float columns[784][9];
    for (int i = 0; i < rows; i++) {
        const int top = 0, pixels = 784;
        conv1_columns(top, pixels, columns, x[i]);
        gemm_nn(pixels, 32, 9, columns, w, 0, y[i][top]);
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
    float columns[784][9];
    memset(dw, 0, sizeof(float[3][3][1][32]));
    for (int i = 0; i < rows; i++) {
        const int top = 0, pixels = 784;
        conv1_columns(top, pixels, columns, x[i]);
        gemm_tn(9, 32, pixels, columns, 9, dy[i][top], 1, dw);
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
            w[i][j] -= rate * m[i][j] / (sqrtf(v[i][j]) + 1e-7f);
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
        w[j] -= rate * m[j] / (sqrtf(v[j]) + 1e-7f);
    }
}

// --- pool1: pool 2   28x28x32 -> 14x14x32 -----------------------------------------------------------

// y = the largest x of each window
static void pool1_forward(int rows, float y[restrict ROWS][14][14][32],
                          const float x[ROWS][28][28][32])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 32; c++) {
                    float largest = x[i][row * 2][col * 2][c];
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            const float v = x[i][row * 2 + r][col * 2 + s][c];
                            largest = ((v > largest) | (v != v)) ? v : largest; // NaN stays
                        }
                    y[i][row][col][c] = largest;
                }
    }
}

// forward: y = the largest x of each window
// dx = dy where x was the first largest of its window
// forward: y = x < 0 ? 0 : x (conv1)
// dx = y > 0 ? dy : 0
static void pool1_backward(int rows, float dx[restrict ROWS][28][28][32],
                           const float dy[ROWS][14][14][32], const float x[ROWS][28][28][32],
                           const float y[ROWS][14][14][32])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 32; c++) {
                    bool open = true; // the largest has not been met yet
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            const bool here = open & (x[i][row * 2 + r][col * 2 + s][c] == y[i][row][col][c]);
                            dx[i][row * 2 + r][col * 2 + s][c] = here ? dy[i][row][col][c] : 0;
                            open &= !here;
                        }
                }
        for (int row = 0; row < 28; row++)
            for (int col = 0; col < 28; col++)
                for (int c = 0; c < 32; c++) {
                    float v = dx[i][row][col][c];
                    v = x[i][row][col][c] > 0 ? v : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// --- conv2: conv 64 3x3 relu pad same   14x14x32 -> 14x14x64 ----------------------------------------

// columns = the windows of x below `pixels` pixels of the result, from its row `top` on
static void conv2_columns(int top, int pixels, float columns[restrict][288],
                          const float x[14][14][32])
{
    for (int p = 0; p < pixels; p++) {
        const int row = top + p / 14, col = p % 14; // the pixel of the result
        for (int r = 0; r < 3; r++) {
            const int at_row = row + r - 1;
            for (int s = 0; s < 3; s++) {
                const int at_col = col + s - 1;
                const bool inside = at_row >= 0 && at_row < 14 && at_col >= 0 && at_col < 14;
                float *const to = &columns[p][r * 96 + s * 32];
                if (inside)
                    memcpy(to, x[at_row][at_col], 32 * sizeof(float));
                else
                    memset(to, 0, 32 * sizeof(float)); // padding
            }
        }
    }
}

// y = x * w, a sum over each window
// then y = x + b
// then y = x < 0 ? 0 : x
static void conv2_forward(int rows, float y[restrict ROWS][14][14][64],
                          const float x[ROWS][14][14][32], const float w[3][3][32][64],
                          const float b[64])
{
    float columns[84][288];
    for (int i = 0; i < rows; i++) {
        for (int top = 0; top < 14; top += 6) {
            const int pixels = nn_min(6, 14 - top) * 14;
            conv2_columns(top, pixels, columns, x[i]);
            gemm_nn(pixels, 64, 288, columns, w, 0, y[i][top]);
        }
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

// forward: y = x * w, a sum over each window
// dw = sum of x dy over the block's pixels
static void conv2_w_partial(int rows, float dw[restrict 3][3][32][64],
                            const float x[ROWS][14][14][32], const float dy[ROWS][14][14][64])
{
    float columns[84][288];
    memset(dw, 0, sizeof(float[3][3][32][64]));
    for (int i = 0; i < rows; i++) {
        for (int top = 0; top < 14; top += 6) {
            const int pixels = nn_min(6, 14 - top) * 14;
            conv2_columns(top, pixels, columns, x[i]);
            gemm_tn(288, 64, pixels, columns, 288, dy[i][top], 1, dw);
        }
    }
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

// dx += the columns of `pixels` pixels, each number where conv2_columns took it
static void conv2_scatter(int top, int pixels, float dx[restrict][14][32],
                          const float columns[][288])
{
    for (int p = 0; p < pixels; p++) {
        const int row = top + p / 14, col = p % 14; // the pixel of the result
        for (int r = 0; r < 3; r++) {
            const int at_row = row + r - 1;
            for (int s = 0; s < 3; s++) {
                const int at_col = col + s - 1;
                const bool inside = at_row >= 0 && at_row < 14 && at_col >= 0 && at_col < 14;
                for (int c = 0; inside && c < 32; c++)
                    dx[at_row][at_col][c] += columns[p][r * 96 + s * 32 + c];
            }
        }
    }
}

// forward: y = x * w, a sum over each window
// dx = dy * w turned round
static void conv2_backward(int rows, float dx[restrict ROWS][14][14][32],
                           const float dy[ROWS][14][14][64], const float w[3][3][32][64])
{
    float columns[84][288];
    memset(dx, 0, (size_t)rows * sizeof *dx);
    for (int i = 0; i < rows; i++) {
        for (int top = 0; top < 14; top += 6) {
            const int pixels = nn_min(6, 14 - top) * 14;
            gemm_nt(pixels, 288, 64, dy[i][top], w, 0, columns);
            conv2_scatter(top, pixels, dx[i], columns);
        }
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
            w[i][j] -= rate * m[i][j] / (sqrtf(v[i][j]) + 1e-7f);
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
        w[j] -= rate * m[j] / (sqrtf(v[j]) + 1e-7f);
    }
}

// --- pool2: pool 2   14x14x64 -> 7x7x64 -------------------------------------------------------------

// y = the largest x of each window
static void pool2_forward(int rows, float y[restrict ROWS][7][7][64],
                          const float x[ROWS][14][14][64])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 64; c++) {
                    float largest = x[i][row * 2][col * 2][c];
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            const float v = x[i][row * 2 + r][col * 2 + s][c];
                            largest = ((v > largest) | (v != v)) ? v : largest; // NaN stays
                        }
                    y[i][row][col][c] = largest;
                }
    }
}

// forward: y = the largest x of each window
// dx = dy where x was the first largest of its window
// forward: y = x < 0 ? 0 : x (conv2)
// dx = y > 0 ? dy : 0
static void pool2_backward(int rows, float dx[restrict ROWS][14][14][64],
                           const float dy[ROWS][7][7][64], const float x[ROWS][14][14][64],
                           const float y[ROWS][7][7][64])
{
    for (int i = 0; i < rows; i++) {
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 64; c++) {
                    bool open = true; // the largest has not been met yet
                    for (int r = 0; r < 2; r++)
                        for (int s = 0; s < 2; s++) {
                            const bool here = open & (x[i][row * 2 + r][col * 2 + s][c] == y[i][row][col][c]);
                            dx[i][row * 2 + r][col * 2 + s][c] = here ? dy[i][row][col][c] : 0;
                            open &= !here;
                        }
                }
        for (int row = 0; row < 14; row++)
            for (int col = 0; col < 14; col++)
                for (int c = 0; c < 64; c++) {
                    float v = dx[i][row][col][c];
                    v = x[i][row][col][c] > 0 ? v : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// --- dropout1: dropout 25%   7x7x64 -> 7x7x64 -------------------------------------------------------

// y = kept ? x / (1 - rate) : 0
static void dropout1_forward(const NnBatch *batch, int first, int rows,
                             float y[restrict ROWS][3136], const float x[ROWS][3136])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 3136;
        for (int j = 0; j < 3136; j++) {
            float v = x[i][j];
            const bool kept = nn_bits(key, number + (uint32_t)(j)) >= 1073741824u;
            v = kept ? v * 1.33333333f : 0;
            y[i][j] = v;
        }
    }
}

// --- dense1: dense 128 relu   7x7x64 -> 128 ---------------------------------------------------------

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
// then y = kept ? x / (1 - rate) : 0 (dropout2)
static void dense1_forward(const NnBatch *batch, int first, int rows, float y[restrict ROWS][128],
                           const float x[ROWS][3136], const float w[3136][128], const float b[128])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    gemm_nn(rows, 128, 3136, x, w, 0, y);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 128;
        for (int j = 0; j < 128; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            const bool kept = nn_bits(key, number + (uint32_t)(j)) >= 2147483648u;
            v = kept ? v * 2.0f : 0;
            y[i][j] = v;
        }
    }
}

// forward: y = x + b
// db = sum of dy over the block's rows
static void dense1_b_partial(int rows, float db[restrict 128], const float dy[ROWS][128])
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
// then y = kept ? x / (1 - rate) : 0 (dropout1)
static void dense1_backward(const NnBatch *batch, int first, int rows,
                            float dx[restrict ROWS][7][7][64], const float dy[ROWS][128],
                            const float w[3136][128])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    gemm_nt(rows, 3136, 128, dy, w, 0, dx);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 3136;
        for (int row = 0; row < 7; row++)
            for (int col = 0; col < 7; col++)
                for (int c = 0; c < 64; c++) {
                    float v = dx[i][row][col][c];
                    const bool kept = nn_bits(key, number + (uint32_t)((row * 7 + col) * 64 + c)) >= 1073741824u;
                    v = kept ? v * 1.33333333f : 0;
                    dx[i][row][col][c] = v;
                }
    }
}

// forward: y = x w
// dw = x' dy
static void dense1_w_gradient(const NnBatch *batch, int part, float dw[restrict 3136][128],
                              const float x[BATCH][3136], const float dy[BATCH][128])
{
    const int from = part * 392, to = nn_min(from + 392, 3136);
    gemm_tn(to - from, 128, batch->rows, &x[0][from], 3136, dy, 0, dw[from]);
}

// w = w - rate' m / (sqrt(v) + eps)
static void dense1_w_update(const NnBatch *batch, int part, float w[restrict 3136][128],
                            const float g[3136][128], float m[restrict 3136][128],
                            float v[restrict 3136][128])
{
    const double t = (double)batch->step;
    const float rate = (float)(batch->rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    const int from = part * 392, to = nn_min(from + 392, 3136);
    for (int i = from; i < to; i++)
        for (int j = 0; j < 128; j++) {
            m[i][j] += 0.1f * (g[i][j] - m[i][j]);
            v[i][j] += 0.001f * (g[i][j] * g[i][j] - v[i][j]);
            w[i][j] -= rate * m[i][j] / (sqrtf(v[i][j]) + 1e-7f);
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
        w[j] -= rate * m[j] / (sqrtf(v[j]) + 1e-7f);
    }
}

// y = x w
// then y = x + b
// then y = x < 0 ? 0 : x
static void dense1_infer(int rows, float y[restrict ROWS][128], const float x[ROWS][3136],
                         const float w[3136][128], const float b[128])
{
    gemm_nn(rows, 128, 3136, x, w, 0, y);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < 128; j++) {
            float v = y[i][j];
            v += b[j];
            v = v < 0 ? 0 : v;
            y[i][j] = v;
        }
    }
}

// --- dense2: dense 10 softmax   128 -> 10 -----------------------------------------------------------

// y = x w
// then y = x + b
static void dense2_forward(int rows, float y[restrict ROWS][10], const float x[ROWS][128],
                           const float w[128][10], const float b[10])
{
    gemm_nn(rows, 10, 128, x, w, 0, y);
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
        float sum = 0;
        for (int j = 0; j < 10; j++) {
            y[i][j] = nn_expf(x[i][j] - largest);
            sum += y[i][j];
        }
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
// then y = kept ? x / (1 - rate) : 0 (dropout2)
// forward: y = x < 0 ? 0 : x (dense1)
// dx = y > 0 ? dy : 0
static void dense2_backward(const NnBatch *batch, int first, int rows, float dx[restrict ROWS][128],
                            const float dy[ROWS][10], const float w[128][10],
                            const float y[ROWS][128])
{
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout2"), (uint64_t)batch->step);
    gemm_nt(rows, 128, 10, dy, w, 0, dx);
    for (int i = 0; i < rows; i++) {
        const uint32_t number = (uint32_t)(first + i) * 128;
        for (int j = 0; j < 128; j++) {
            float v = dx[i][j];
            const bool kept = nn_bits(key, number + (uint32_t)(j)) >= 2147483648u;
            v = kept ? v * 2.0f : 0;
            v = y[i][j] > 0 ? v : 0;
            dx[i][j] = v;
        }
    }
}

// forward: y = x w
// dw = x' dy
static void dense2_w_gradient(const NnBatch *batch, float dw[restrict 128][10],
                              const float x[BATCH][128], const float dy[BATCH][10])
{
    gemm_tn(128, 10, batch->rows, x, 128, dy, 0, dw);
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

// --- loss cross_entropy, and the answer -------------------------------------------------------------

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
    for (int i = 0; i < rows; i++) {
        const int label = batch->labels[batch->index[first + i]];
        float largest = x[i][0];
        for (int j = 1; j < 10; j++)
            largest = x[i][j] > largest ? x[i][j] : largest;
        float sum = 0;
        for (int j = 0; j < 10; j++)
            sum += nn_expf(x[i][j] - largest);
        loss[i] = nn_logf(sum) + largest - x[i][label];
    }
}

// result = sum of the losses, count of the hits, sum of the penalties
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
    if (nn_thread() == 0)
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

// --- the whole network ------------------------------------------------------------------------------

// One step of training: forward, backward and update.
static void train_step(const NnBatch *batch, NnResult *result)
{
    nn_each (block, BLOCKS) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        input_forward(batch, first, rows, BLOCK(input));
        conv1_forward(rows, BLOCK(conv1), BLOCK(input), conv1_w, conv1_b);
        pool1_forward(rows, BLOCK(pool1), BLOCK(conv1));
        conv2_forward(rows, BLOCK(conv2), BLOCK(pool1), conv2_w, conv2_b);
        pool2_forward(rows, BLOCK(pool2), BLOCK(conv2));
        dropout1_forward(batch, first, rows, BLOCK(dropout1), BLOCK(pool2));
        dense1_forward(batch, first, rows, BLOCK(dropout2), BLOCK(dropout1), dense1_w, dense1_b);
        dense2_forward(rows, BLOCK(dense2_z), BLOCK(dropout2), dense2_w, dense2_b);
        dense2_softmax(rows, BLOCK(dense2), BLOCK(dense2_z));
        output_predict(rows, BLOCK(predicted), BLOCK(dense2));
        loss_forward(batch, first, rows, BLOCK(loss), BLOCK(dense2_z));
        loss_backward(batch, first, rows, BLOCK(d_dense2_z), BLOCK(dense2));
        dense2_b_partial(rows, BLOCK(d_dense2_b_partial), BLOCK(d_dense2_z));
        dense2_backward(batch, first, rows, BLOCK(d_dense1_z), BLOCK(d_dense2_z), dense2_w,
                        BLOCK(dropout2));
        dense1_b_partial(rows, BLOCK(d_dense1_b_partial), BLOCK(d_dense1_z));
        dense1_backward(batch, first, rows, BLOCK(d_pool2), BLOCK(d_dense1_z), dense1_w);
        pool2_backward(rows, BLOCK(d_conv2_z), BLOCK(d_pool2), BLOCK(conv2), BLOCK(pool2));
        conv2_b_partial(rows, BLOCK(d_conv2_b_partial), BLOCK(d_conv2_z));
        conv2_w_partial(rows, BLOCK(d_conv2_w_partial), BLOCK(pool1), BLOCK(d_conv2_z));
        conv2_backward(rows, BLOCK(d_pool1), BLOCK(d_conv2_z), conv2_w);
        pool1_backward(rows, BLOCK(d_conv1_z), BLOCK(d_pool1), BLOCK(conv1), BLOCK(pool1));
        conv1_b_partial(rows, BLOCK(d_conv1_b_partial), BLOCK(d_conv1_z));
        conv1_w_partial(rows, BLOCK(d_conv1_w_partial), BLOCK(input), BLOCK(d_conv1_z));
    }
    nn_barrier();

    if (!loss_total(batch, result, WHOLE(loss), WHOLE(predicted))) {
        nn_barrier();
        return; // not finite: no weight is changed
    }
    nn_each (part, 8) {
        dense1_w_gradient(batch, part, WHOLE(d_dense1_w), WHOLE(dropout1), WHOLE(d_dense1_z));
        dense1_w_update(batch, part, dense1_w, WHOLE(d_dense1_w), dense1_w_m, dense1_w_v);
    }
    nn_each (part, 8) {
        conv2_w_gradient(part, WHOLE(d_conv2_w), WHOLE(d_conv2_w_partial));
        conv2_w_update(batch, part, (void *)conv2_w, WHOLE(d_conv2_w), (void *)conv2_w_m,
                       (void *)conv2_w_v);
    }
    if (nn_thread() == 0) {
        dense2_b_gradient(WHOLE(d_dense2_b), WHOLE(d_dense2_b_partial));
        dense2_w_gradient(batch, WHOLE(d_dense2_w), WHOLE(dropout2), WHOLE(d_dense2_z));
        dense1_b_gradient(WHOLE(d_dense1_b), WHOLE(d_dense1_b_partial));
        conv2_b_gradient(WHOLE(d_conv2_b), WHOLE(d_conv2_b_partial));
        conv1_b_gradient(WHOLE(d_conv1_b), WHOLE(d_conv1_b_partial));
        conv1_w_gradient(WHOLE(d_conv1_w), WHOLE(d_conv1_w_partial));
        conv1_w_update(batch, (void *)conv1_w, WHOLE(d_conv1_w), (void *)conv1_w_m,
                       (void *)conv1_w_v);
        conv1_b_update(batch, conv1_b, WHOLE(d_conv1_b), conv1_b_m, conv1_b_v);
        conv2_b_update(batch, conv2_b, WHOLE(d_conv2_b), conv2_b_m, conv2_b_v);
        dense1_b_update(batch, dense1_b, WHOLE(d_dense1_b), dense1_b_m, dense1_b_v);
        dense2_w_update(batch, dense2_w, WHOLE(d_dense2_w), dense2_w_m, dense2_w_v);
        dense2_b_update(batch, dense2_b, WHOLE(d_dense2_b), dense2_b_m, dense2_b_v);
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

// Names the first layer of training's forward pass whose output is not finite.
static const char *first_nonfinite(const NnBatch *batch)
{
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        input_forward(batch, first, rows, BLOCK(input));
        if (!nn_finite_f32(BLOCK(input), rows * 784L))
            return "input";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        conv1_forward(rows, BLOCK(conv1), BLOCK(input), conv1_w, conv1_b);
        if (!nn_finite_f32(BLOCK(conv1), rows * 25088L))
            return "conv1";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        pool1_forward(rows, BLOCK(pool1), BLOCK(conv1));
        if (!nn_finite_f32(BLOCK(pool1), rows * 6272L))
            return "pool1";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        conv2_forward(rows, BLOCK(conv2), BLOCK(pool1), conv2_w, conv2_b);
        if (!nn_finite_f32(BLOCK(conv2), rows * 12544L))
            return "conv2";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        pool2_forward(rows, BLOCK(pool2), BLOCK(conv2));
        if (!nn_finite_f32(BLOCK(pool2), rows * 3136L))
            return "pool2";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        dropout1_forward(batch, first, rows, BLOCK(dropout1), BLOCK(pool2));
        if (!nn_finite_f32(BLOCK(dropout1), rows * 3136L))
            return "dropout1";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        dense1_forward(batch, first, rows, BLOCK(dropout2), BLOCK(dropout1), dense1_w, dense1_b);
        if (!nn_finite_f32(BLOCK(dropout2), rows * 128L))
            return "dense1";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        dense2_forward(rows, BLOCK(dense2_z), BLOCK(dropout2), dense2_w, dense2_b);
        if (!nn_finite_f32(BLOCK(dense2_z), rows * 10L))
            return "dense2";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int rows = rows_from(block * ROWS, batch);
        dense2_softmax(rows, BLOCK(dense2), BLOCK(dense2_z));
        if (!nn_finite_f32(BLOCK(dense2), rows * 10L))
            return "dense2";
    }
    for (int block = 0; block < BLOCKS; block++) {
        const int first = block * ROWS, rows = rows_from(first, batch);
        loss_forward(batch, first, rows, BLOCK(loss), BLOCK(dense2_z));
        if (!nn_finite_f32(BLOCK(loss), rows * 1L))
            return "loss";
    }
    return NULL;
}

// --- what the runtime is told -----------------------------------------------------------------------

static const NnLayer layers[] = {
    {"conv1", "conv 32 3x3 relu pad same", "28x28x32", 320, 0},
    {"pool1", "pool 2", "14x14x32", 0, 0},
    {"conv2", "conv 64 3x3 relu pad same", "14x14x64", 18496, 0},
    {"pool2", "pool 2", "7x7x64", 0, 0},
    {"dropout1", "dropout 25%", "7x7x64", 0, 0},
    {"dense1", "dense 128 relu", "128", 401536, 0},
    {"dropout2", "dropout 50%", "128", 0, 0},
    {"dense2", "dense 10 softmax", "10", 1290, 0},
};

static const NnTensor tensors[] = {
    {"conv1_w", NN_WEIGHT, {3, 3, 1, 32}, conv1_w, NULL, NN_UNIFORM, 0.142133811},
    {"conv1_b", NN_WEIGHT, {32}, conv1_b, NULL, NN_CONSTANT, 0},
    {"conv2_w", NN_WEIGHT, {3, 3, 32, 64}, conv2_w, NULL, NN_UNIFORM, 0.0833333333},
    {"conv2_b", NN_WEIGHT, {64}, conv2_b, NULL, NN_CONSTANT, 0},
    {"dense1_w", NN_WEIGHT, {3136, 128}, dense1_w, NULL, NN_UNIFORM, 0.0428746463},
    {"dense1_b", NN_WEIGHT, {128}, dense1_b, NULL, NN_CONSTANT, 0},
    {"dense2_w", NN_WEIGHT, {128, 10}, dense2_w, NULL, NN_UNIFORM, 0.208514414},
    {"dense2_b", NN_WEIGHT, {10}, dense2_b, NULL, NN_CONSTANT, 0},
    {"conv1_w_m", NN_OPTIMIZER, {3, 3, 1, 32}, conv1_w_m, NULL, NN_CONSTANT, 0},
    {"conv1_w_v", NN_OPTIMIZER, {3, 3, 1, 32}, conv1_w_v, NULL, NN_CONSTANT, 0},
    {"conv1_b_m", NN_OPTIMIZER, {32}, conv1_b_m, NULL, NN_CONSTANT, 0},
    {"conv1_b_v", NN_OPTIMIZER, {32}, conv1_b_v, NULL, NN_CONSTANT, 0},
    {"conv2_w_m", NN_OPTIMIZER, {3, 3, 32, 64}, conv2_w_m, NULL, NN_CONSTANT, 0},
    {"conv2_w_v", NN_OPTIMIZER, {3, 3, 32, 64}, conv2_w_v, NULL, NN_CONSTANT, 0},
    {"conv2_b_m", NN_OPTIMIZER, {64}, conv2_b_m, NULL, NN_CONSTANT, 0},
    {"conv2_b_v", NN_OPTIMIZER, {64}, conv2_b_v, NULL, NN_CONSTANT, 0},
    {"dense1_w_m", NN_OPTIMIZER, {3136, 128}, dense1_w_m, NULL, NN_CONSTANT, 0},
    {"dense1_w_v", NN_OPTIMIZER, {3136, 128}, dense1_w_v, NULL, NN_CONSTANT, 0},
    {"dense1_b_m", NN_OPTIMIZER, {128}, dense1_b_m, NULL, NN_CONSTANT, 0},
    {"dense1_b_v", NN_OPTIMIZER, {128}, dense1_b_v, NULL, NN_CONSTANT, 0},
    {"dense2_w_m", NN_OPTIMIZER, {128, 10}, dense2_w_m, NULL, NN_CONSTANT, 0},
    {"dense2_w_v", NN_OPTIMIZER, {128, 10}, dense2_w_v, NULL, NN_CONSTANT, 0},
    {"dense2_b_m", NN_OPTIMIZER, {10}, dense2_b_m, NULL, NN_CONSTANT, 0},
    {"dense2_b_v", NN_OPTIMIZER, {10}, dense2_b_v, NULL, NN_CONSTANT, 0},
};

const NnModel nn_model = {
    .name = "mnist",
    .source =
        "# A small convolutional network that reads handwritten digits: over 99 % of them within 5 epochs.\012"
        "data mnist\012"
        "input 28x28x1                      # height x width x channels\012"
        "conv 32 3x3 relu pad same\012"
        "pool 2                             # max, 2x2, stride 2\012"
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
        "epochs    5\012"
        "",
    .blas_kernels = NN_BLAS_KERNELS,
    .fingerprint = "e94c7a2a0e90951e",
    .type = NN_F32,
    .height = 28, .width = 28, .channels = 1,
    .outputs = 10, .classes = 10,
    .data = "mnist",
    .batch = BATCH, .epochs = 5, .seed = 1, .rate = 0.001,
    .validation_share = 0,
    .loss = "cross_entropy", .optimizer = "adam",
    .layers = layers, .layer_count = 8,
    .tensors = tensors, .tensor_count = 24,
    .parameters = 421642,
    .arena_bytes = ARENA_BYTES, .weight_bytes = 1686568, .optimizer_bytes = 3373136,
    .operations_forward = 8596263, .operations_backward = 16592114, .operations_update = 4216420,
    .train_step = train_step,
    .infer = infer,
    .output = WHOLE(infer_dense2), .predicted = WHOLE(infer_predicted),
    .first_nonfinite = first_nonfinite,
};
