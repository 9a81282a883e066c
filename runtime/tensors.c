// tensors.c: the tensors that outlive a step: their sizes, first values and fingerprint.
//
// First values are drawn in double, from a stream named after the tensor, and rounded last: a
// network in float and the same one in double start from the same weights, and so does a layer
// beside which another one is inserted.

#include <math.h>
#include <string.h>

#include "run.h"

int tensor_rank(const NnTensor *tensor)
{
    int rank = 0;
    while (rank < NN_MAX_DIMS && tensor->dim[rank] > 0)
        rank++;
    return rank;
}

long tensor_count(const NnTensor *tensor)
{
    long count = 1;
    for (int i = 0; i < tensor_rank(tensor); i++)
        count *= tensor->dim[i];
    return count;
}

size_t tensor_bytes(const NnModel *model, const NnTensor *tensor)
{
    const size_t size = model->type == NN_F64 ? sizeof(double) : sizeof(float);
    return (size_t)tensor_count(tensor) * size;
}

double tensor_get(const NnModel *model, const void *data, long index)
{
    return model->type == NN_F64 ? ((const double *)data)[index] : ((const float *)data)[index];
}

void tensor_set(const NnModel *model, void *data, long index, double value)
{
    if (model->type == NN_F64)
        ((double *)data)[index] = value;
    else
        ((float *)data)[index] = (float)value;
}

void tensor_shape(const NnTensor *tensor, char text[64])
{
    int used = 0;
    text[0] = '\0';
    for (int i = 0; i < tensor_rank(tensor); i++)
        used += snprintf(text + used, 64 - (size_t)used, "%s%d", i > 0 ? "x" : "", tensor->dim[i]);
    if (used == 0)
        snprintf(text, 64, "1");
}

// A normal number of deviation 1, redrawn beyond two deviations (Box and Muller, 1958; the second
// number of each pair is not used, so that each draw is worth two counts of *index).
static double truncated_normal(uint64_t key, uint64_t *index)
{
    const double two_pi = 6.283185307179586;
    for (;;) {
        const double radius = sqrt(-2 * log(1 - nn_unit(key, (*index)++)));
        const double normal = radius * cos(two_pi * nn_unit(key, (*index)++));
        if (fabs(normal) <= 2)
            return normal;
    }
}

static void initialise(const NnModel *model, const NnTensor *tensor, uint64_t seed)
{
    const uint64_t key = nn_key(seed, nn_stream(tensor->name), 0);
    const long count = tensor_count(tensor);
    uint64_t index = 0;
    for (long i = 0; i < count; i++) {
        double value = tensor->scale;
        if (tensor->init == NN_UNIFORM)
            value *= 2 * nn_unit(key, index++) - 1;
        else if (tensor->init == NN_NORMAL)
            value *= truncated_normal(key, &index);
        tensor_set(model, tensor->data, i, value);
    }
}

void tensors_were_set(const NnModel *model)
{
    if (model->prepare)
        model->prepare();
}

static void swap_bytes(unsigned char *a, unsigned char *b, size_t size)
{
    unsigned char kept[4096];
    for (size_t done = 0; done < size; done += sizeof kept) {
        const size_t part = size - done < sizeof kept ? size - done : sizeof kept;
        memcpy(kept, a + done, part);
        memcpy(a + done, b + done, part);
        memcpy(b + done, kept, part);
    }
}

// Training goes on from the weights that it changes, but what is used of it are their averages: the
// two change places around each epoch.
void tensors_swap_averages(const NnModel *model)
{
    for (int i = 0; i < model->average_count; i++) {
        const NnTensor *tensor = &model->tensors[model->averages[i].tensor];
        const NnTensor *average = &model->tensors[model->averages[i].average];
        swap_bytes(tensor->data, average->data, tensor_bytes(model, tensor));
    }
    if (model->average_count > 0)
        tensors_were_set(model);
}

void tensors_initialise(const NnModel *model, uint64_t seed)
{
    for (int i = 0; i < model->tensor_count; i++)
        initialise(model, &model->tensors[i], seed);
    tensors_were_set(model);
}

bool tensor_is_finite(const NnModel *model, const NnTensor *tensor, const void *data)
{
    const long count = tensor_count(tensor);
    return model->type == NN_F64 ? nn_finite_f64(data, count) : nn_finite_f32(data, count);
}

const NnTensor *tensors_not_finite(const NnModel *model)
{
    for (int i = 0; i < model->tensor_count; i++)
        if (!tensor_is_finite(model, &model->tensors[i], model->tensors[i].data))
            return &model->tensors[i];
    return NULL;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    for (const unsigned char *byte = data; size > 0; size--)
        hash = (hash ^ *byte++) * 0x100000001b3u;
    return hash;
}

// FNV-1a over each tensor's name and bytes, in the model's order: short enough to be computed anew
// from a weights file by a few lines of any language.
uint64_t tensors_fingerprint(const NnModel *model)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < model->tensor_count; i++) {
        const NnTensor *tensor = &model->tensors[i];
        if (tensor->role == NN_OPTIMIZER)
            continue;
        hash = hash_bytes(hash, tensor->name, strlen(tensor->name));
        hash = hash_bytes(hash, tensor->data, tensor_bytes(model, tensor));
    }
    return hash;
}
