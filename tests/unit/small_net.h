// small_net.h: a network written by hand, as the compiler would not: plain loops. Included once for
// each type of number, with REAL, TYPE and NET defined; NET(x) makes x's name.
//
//     dense HIDDEN relu, dropout 25%, dense CLASSES softmax; cross entropy, l2 on the first weights
//
// It has a tensor of every role: weights, a running mean, and the velocities of momentum.

static REAL NET(w1)[INPUTS][HIDDEN], NET(b1)[HIDDEN], NET(w2)[HIDDEN][CLASSES], NET(b2)[CLASSES];
static REAL NET(d_w1)[INPUTS][HIDDEN], NET(d_b1)[HIDDEN], NET(d_w2)[HIDDEN][CLASSES];
static REAL NET(d_b2)[CLASSES], NET(mean)[HIDDEN];
static REAL NET(m_w1)[INPUTS][HIDDEN], NET(m_b1)[HIDDEN], NET(m_w2)[HIDDEN][CLASSES];
static REAL NET(m_b2)[CLASSES];

static REAL NET(x)[BATCH][INPUTS], NET(h)[BATCH][HIDDEN], NET(d_h)[BATCH][HIDDEN];
static REAL NET(y)[BATCH][CLASSES], NET(d_y)[BATCH][CLASSES];
static double NET(loss)[BATCH];
static int32_t NET(predicted)[BATCH];

static void NET(forward_row)(const NnBatch *batch, int row, bool training)
{
    const unsigned char *picture = batch->pictures + (size_t)batch->index[row] * INPUTS;
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    REAL *x = NET(x)[row], *h = NET(h)[row], *y = NET(y)[row], largest = -1e30f, sum = 0;
    for (int i = 0; i < INPUTS; i++)
        x[i] = (REAL)picture[i] / 255;
    for (int j = 0; j < HIDDEN; j++) {
        REAL value = NET(b1)[j];
        for (int i = 0; i < INPUTS; i++)
            value += x[i] * NET(w1)[i][j];
        h[j] = value > 0 ? value : 0;
        if (training)
            h[j] *= nn_bits(key, (uint32_t)(row * HIDDEN + j)) & 3 ? (REAL)4 / 3 : 0;
    }
    for (int k = 0; k < CLASSES; k++) {
        REAL value = NET(b2)[k];
        for (int j = 0; j < HIDDEN; j++)
            value += h[j] * NET(w2)[j][k];
        y[k] = value;
        if (k == 0 || value > largest) {
            largest = value;
            NET(predicted)[row] = k;
        }
    }
    for (int k = 0; k < CLASSES; k++)
        sum += y[k] = (REAL)exp((double)(y[k] - largest));
    for (int k = 0; k < CLASSES; k++)
        y[k] /= sum;
    if (batch->labels)
        NET(loss)[row] = -log((double)y[batch->labels[batch->index[row]]]);
}

static void NET(backward_row)(const NnBatch *batch, int row)
{
    const int label = batch->labels[batch->index[row]];
    for (int k = 0; k < CLASSES; k++)
        NET(d_y)[row][k] = (NET(y)[row][k] - (k == label)) / (REAL)batch->rows;
    const uint64_t key = nn_key(batch->seed, nn_stream("dropout1"), (uint64_t)batch->step);
    for (int j = 0; j < HIDDEN; j++) {
        REAL value = 0;
        for (int k = 0; k < CLASSES; k++)
            value += NET(d_y)[row][k] * NET(w2)[j][k];
        value *= nn_bits(key, (uint32_t)(row * HIDDEN + j)) & 3 ? (REAL)4 / 3 : 0;
        NET(d_h)[row][j] = NET(h)[row][j] > 0 ? value : 0;
    }
}

static void NET(sum_up)(const NnBatch *batch, NnResult *result)
{
    double loss = 0, penalty = 0;
    int hits = 0;
    for (int row = 0; row < batch->rows && batch->labels; row++) {
        loss += NET(loss)[row];
        hits += NET(predicted)[row] == batch->labels[batch->index[row]];
    }
    for (int i = 0; i < INPUTS; i++)
        for (int j = 0; j < HIDDEN; j++)
            penalty += L2 * (double)NET(w1)[i][j] * (double)NET(w1)[i][j];
    *result = (NnResult){loss, penalty, hits, isfinite(loss) && isfinite(penalty)};
}

static void NET(infer)(const NnBatch *batch, NnResult *result)
{
    nn_each(row, batch->rows) NET(forward_row)(batch, row, false);
    nn_barrier();
    NET(sum_up)(batch, result);
    nn_barrier();
}

static void NET(gradient_step)(const NnBatch *batch, NnResult *result)
{
    nn_each(row, batch->rows)
    {
        NET(forward_row)(batch, row, true);
        NET(backward_row)(batch, row);
    }
    nn_barrier();
    NET(sum_up)(batch, result);
    nn_each(i, INPUTS) for (int j = 0; j < HIDDEN; j++)
    {
        REAL sum = (REAL)(2 * L2) * NET(w1)[i][j];
        for (int row = 0; row < batch->rows; row++)
            sum += NET(x)[row][i] * NET(d_h)[row][j];
        NET(d_w1)[i][j] = sum;
    }
    nn_each(j, HIDDEN)
    {
        REAL sum = 0;
        for (int row = 0; row < batch->rows; row++)
            sum += NET(d_h)[row][j];
        NET(d_b1)[j] = sum * (REAL)BREAK_GRADIENT;
        for (int k = 0; k < CLASSES; k++) {
            sum = 0;
            for (int row = 0; row < batch->rows; row++)
                sum += NET(h)[row][j] * NET(d_y)[row][k];
            NET(d_w2)[j][k] = sum;
        }
    }
    nn_each(k, CLASSES)
    {
        REAL sum = 0;
        for (int row = 0; row < batch->rows; row++)
            sum += NET(d_y)[row][k];
        NET(d_b2)[k] = sum;
    }
    nn_barrier();
}

static void NET(update)(REAL *w, REAL *m, const REAL *d, int count, double rate)
{
    nn_each(i, count)
    {
        m[i] = (REAL)0.9 * m[i] - (REAL)rate * d[i];
        w[i] += m[i];
    }
}

static void NET(train_step)(const NnBatch *batch, NnResult *result)
{
    small_hook(batch);
    NET(gradient_step)(batch, result);
    if (!result->finite)
        return;
    NET(update)(*NET(w1), *NET(m_w1), *NET(d_w1), INPUTS * HIDDEN, batch->rate);
    NET(update)(NET(b1), NET(m_b1), NET(d_b1), HIDDEN, batch->rate);
    NET(update)(*NET(w2), *NET(m_w2), *NET(d_w2), HIDDEN * CLASSES, batch->rate);
    NET(update)(NET(b2), NET(m_b2), NET(d_b2), CLASSES, batch->rate);
    nn_each(j, HIDDEN)
    {
        REAL sum = 0;
        for (int row = 0; row < batch->rows; row++)
            sum += NET(h)[row][j];
        NET(mean)[j] = (REAL)0.9 * NET(mean)[j] + (REAL)0.1 * sum / (REAL)batch->rows;
    }
    nn_barrier();
}

static const char *NET(first_nonfinite)(const NnBatch *batch)
{
    for (int row = 0; row < batch->rows; row++) {
        NET(forward_row)(batch, row, true);
        for (int j = 0; j < HIDDEN; j++)
            if (!isfinite(NET(h)[row][j]))
                return "dense1";
    }
    return "dense2";
}

static const NnTensor NET(tensors)[] = {
    {"dense1_w", NN_WEIGHT, {INPUTS, HIDDEN}, NET(w1), NET(d_w1), NN_UNIFORM, 0.1, {0}},
    {"dense1_b", NN_WEIGHT, {HIDDEN}, NET(b1), NET(d_b1), NN_CONSTANT, 0, {0}},
    {"dense2_w", NN_WEIGHT, {HIDDEN, CLASSES}, NET(w2), NET(d_w2), NN_NORMAL, 0.2, {0}},
    {"dense2_b", NN_WEIGHT, {CLASSES}, NET(b2), NET(d_b2), NN_CONSTANT, 0, {0}},
    {"hidden_mean", NN_STATE, {HIDDEN}, NET(mean), NULL, NN_CONSTANT, 0, {0}},
    {"dense1_w_m", NN_OPTIMIZER, {INPUTS, HIDDEN}, NET(m_w1), NULL, NN_CONSTANT, 0, {0}},
    {"dense1_b_m", NN_OPTIMIZER, {HIDDEN}, NET(m_b1), NULL, NN_CONSTANT, 0, {0}},
    {"dense2_w_m", NN_OPTIMIZER, {HIDDEN, CLASSES}, NET(m_w2), NULL, NN_CONSTANT, 0, {0}},
    {"dense2_b_m", NN_OPTIMIZER, {CLASSES}, NET(m_b2), NULL, NN_CONSTANT, 0, {0}},
};

#define NET_MODEL                                                                                \
    {                                                                                            \
        .name = "small", .source = "# small.net\ninput 4x4x1\ndense 8 relu l2 0.001\n",          \
        .fingerprint = "small-1", .type = TYPE, .height = HEIGHT, .width = WIDTH, .channels = 1, \
        .outputs = CLASSES, .classes = CLASSES, .data = "mnist", .batch = BATCH, .epochs = 3,    \
        .seed = 1, .rate = RATE, .validation_share = SHARE, .loss = "cross_entropy",             \
        .optimizer = "momentum", .layers = small_layers, .layer_count = 3,                       \
        .tensors = NET(tensors), .tensor_count = 9,                                              \
        .parameters = (INPUTS + 1) * HIDDEN + (HIDDEN + 1) * CLASSES,                            \
        .arena_bytes = sizeof NET(x) + 2 * sizeof NET(h) + 2 * sizeof NET(y),                    \
        .weight_bytes = sizeof NET(w1) + sizeof NET(b1) + sizeof NET(w2) + sizeof NET(b2),       \
        .optimizer_bytes = sizeof NET(m_w1) + sizeof NET(m_b1) + sizeof NET(m_w2),               \
        .operations_forward = 2.0 * INPUTS * HIDDEN, .operations_backward = 4.0 * INPUTS * HIDDEN, \
        .operations_update = 3.0 * INPUTS * HIDDEN, .train_step = NET(train_step),               \
        .gradient_step = TYPE == NN_F64 ? NET(gradient_step) : NULL, .infer = NET(infer),        \
        .output = NET(y), .predicted = NET(predicted), .first_nonfinite = NET(first_nonfinite),  \
    }
