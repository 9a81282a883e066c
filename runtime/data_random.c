// data_random.c: a data set of random pictures and labels, for work that needs no real ones.

#include "run.h"

bool data_random(DataSet *set, const NnModel *model, int count, uint64_t seed)
{
    const uint64_t key = nn_key(seed, nn_stream("random pictures"), 0);
    const size_t size = (size_t)model->height * (size_t)model->width * (size_t)model->channels;
    set->count = count;
    set->pictures = allocate((size_t)count, size);
    set->labels = allocate((size_t)count, 1);
    if (!set->pictures || !set->labels)
        return false;
    for (size_t i = 0; i < size * (size_t)count; i++)
        set->pictures[i] = (unsigned char)nn_bits64(key, i);
    uint64_t index = size * (size_t)count;
    for (int i = 0; i < count; i++)
        set->labels[i] = (unsigned char)random_below(key, &index, (uint64_t)model->classes);
    return true;
}
