// data_random.c: a data set of random examples, for work that needs no real ones.

#include "run.h"

#include <string.h>

// Uniform in [-1, 1).
static float *random_numbers(size_t count, uint64_t key, uint64_t index)
{
    float *numbers = allocate(count, sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = (float)(2 * nn_unit(key, index + i) - 1);
    return numbers;
}

// Eight of each random number: a benchmark's first step waits for them.
static void random_bytes(unsigned char *bytes, size_t count, uint64_t key)
{
    for (size_t i = 0; i < count; i += 8) {
        const uint64_t bits = nn_bits64(key, i / 8);
        if (count - i >= sizeof bits)
            memcpy(bytes + i, &bits, sizeof bits);
        else
            memcpy(bytes + i, &bits, count - i);
    }
}

bool data_random(DataSet *set, const NnModel *model, int count, uint64_t seed)
{
    const uint64_t key = nn_key(seed, nn_stream("random pictures"), 0);
    const size_t size =
        (size_t)count * (size_t)model->height * (size_t)model->width * (size_t)model->channels;
    uint64_t index = size;
    set->count = count;
    if (model->format == NN_CSV)
        set->numbers = random_numbers(size, key, 0);
    else
        set->pictures = allocate(size, 1);
    if (model->targets)
        set->targets = random_numbers((size_t)count * (size_t)model->targets, key, index);
    else
        set->labels = allocate((size_t)count, 1);
    if (!(set->pictures || set->numbers) || !(set->labels || set->targets))
        return false;
    if (set->pictures)
        random_bytes(set->pictures, size, key);
    for (int i = 0; set->labels && i < count; i++)
        set->labels[i] = (unsigned char)random_below(key, &index, (uint64_t)model->classes);
    return true;
}
