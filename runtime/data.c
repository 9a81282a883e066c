// data.c: one part of a data set: which files it is in, or which of a file's examples it is.
//
// Files that are cut into parts may be sorted by class, so their examples are put into a random
// order first, which depends on their number alone: no seed moves an example from one part to
// another.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

long example_size(const NnModel *model)
{
    return (long)model->height * model->width * model->channels;
}

const char *example_word(const NnModel *model)
{
    return model->height == 1 && model->width == 1 ? "example" : "picture";
}

bool in_target_range(const NnModel *model, float target)
{
    return model->target_range == NN_ANY_TARGET ||
           (target >= 0 && (target <= 1 || model->target_range == NN_FROM_0));
}

const char *target_range_text(const NnModel *model)
{
    return model->target_range == NN_FROM_0 ? "from 0 on" : "from 0 to 1";
}

void data_free(DataSet *set)
{
    free(set->pictures);
    free(set->numbers);
    free(set->labels);
    free(set->targets);
    *set = (DataSet){0};
}

NnBatch data_batch(const DataSet *set)
{
    return (NnBatch){
        .pictures = set->pictures,
        .numbers = set->numbers,
        .labels = set->labels,
        .targets = set->targets,
        .zeros = set->zeros,
    };
}

// So many that the model's products leave them out. A few examples tell.
static bool has_zeros(const DataSet *set, const NnModel *model)
{
    if (model->enough_zeros == 0)
        return false;
    const long looked_at = example_size(model) * nn_min(set->count, 256);
    long zeros = 0;
    for (long i = 0; i < looked_at; i++)
        zeros += set->pictures ? set->pictures[i] == 0 : set->numbers[i] == 0;
    return (double)zeros > model->enough_zeros * (double)looked_at;
}

// --- parts of one file --------------------------------------------------------------------------

// `items` of `size` bytes each in another order: item i is the one that was order[i].
static bool reorder(void **items, size_t size, const uint32_t *order, int count)
{
    if (!*items)
        return true;
    char *sorted = malloc((size_t)count * size);
    if (!sorted)
        return failed("out of memory for the %d examples", count);
    for (int i = 0; i < count; i++)
        memcpy(sorted + (size_t)i * size, (char *)*items + (size_t)order[i] * size, size);
    free(*items);
    *items = sorted;
    return true;
}

static bool shuffle(DataSet *set, const NnModel *model)
{
    const size_t size = (size_t)example_size(model);
    uint32_t *order = allocate((size_t)set->count, sizeof *order);
    if (!order)
        return false;
    order_shuffle(order, set->count, 0, 0);
    void *items[] = {set->pictures, set->numbers, set->labels, set->targets};
    const size_t sizes[] = {size, size * sizeof(float), 1, (size_t)model->targets * sizeof(float)};
    bool done = true;
    for (int i = 0; i < 4 && done; i++)
        done = reorder(&items[i], sizes[i], order, set->count);
    set->pictures = items[0];
    set->numbers = items[1];
    set->labels = items[2];
    set->targets = items[3];
    free(order);
    return done;
}

static void move_down(void *items, size_t size, int first, int count)
{
    if (items)
        memmove(items, (char *)items + (size_t)first * size, (size_t)count * size);
}

// Keeps count examples from `first` on.
static void keep(DataSet *set, const NnModel *model, int first, int count)
{
    const size_t size = (size_t)example_size(model);
    move_down(set->pictures, size, first, count);
    move_down(set->numbers, size * sizeof(float), first, count);
    move_down(set->labels, 1, first, count);
    move_down(set->targets, (size_t)model->targets * sizeof(float), first, count);
    set->count = count;
}

// How many examples are left where a part of them is kept for checks.
long data_left(long count, double share, long number)
{
    return number > 0 ? count - number : (long)floor(or_whole((double)count * (1 - share)));
}

static bool cut(DataSet *set, const NnModel *model, DataPart part)
{
    if (model->format == NN_IDX || model->format == NN_CIFAR)
        if (model->test_share <= 0 && model->test_pictures == 0)
            return true;
    if (!shuffle(set, model))
        return false;
    const long left = data_left(set->count, model->test_share, model->test_pictures);
    if (left < 1)
        return failed("no example is left to train with: of %d in '%s', %ld are for the test",
                      set->count, model->files.inputs, set->count - left);
    if (left == set->count && model->test_share > 0)
        return failed("no example is left for the test: of %d in '%s' it has %g%%", set->count,
                      model->files.inputs, 100 * model->test_share);
    if (part == DATA_TRAIN)
        keep(set, model, 0, (int)left);
    else
        keep(set, model, (int)left, set->count - (int)left);
    return true;
}

// --- loading ------------------------------------------------------------------------------------

bool data_has_test(const NnModel *model)
{
    return !model->files.inputs || model->test_files.inputs || model->test_share > 0 ||
           model->test_pictures > 0;
}

static bool read_files(DataSet *set, const Wanted *wanted)
{
    static bool (*const readers[])(DataSet *, const Wanted *) = {
        [NN_IDX] = idx_read, [NN_CIFAR] = cifar_read,   [NN_CSV] = csv_read,
        [NN_NPY] = npy_read, [NN_FOLDER] = folder_read,
    };
    return readers[wanted->model->format](set, wanted);
}

// Reads one part of the data set in `folder`. `classes`: what the labels are called; they are found
// with DATA_TRAIN where *classes is NULL. On failure the set is empty.
bool data_load(DataSet *set, const NnModel *model, const char *folder, DataPart part,
               Classes **classes)
{
    Classes *none = NULL;
    Wanted wanted = {.model = model,
                     .folder = folder,
                     .trained = folder,
                     .files = model->files,
                     .part = part,
                     .answers = true,
                     .classes = classes ? classes : &none};
    *set = (DataSet){0};
    const NnFiles own = part == DATA_TEST         ? model->test_files
                        : part == DATA_VALIDATION ? model->validation_files
                                                  : (NnFiles){0};
    if (own.inputs)
        wanted.files = own;
    bool done = data_has_test(model) || part != DATA_TEST ||
                failed("'%s' has no test data: its .net has no 'test' statement", model->name);
    done = done && read_files(set, &wanted) && (own.inputs || cut(set, model, part));
    set->zeros = done && has_zeros(set, model);
    if (!classes)
        free(none);
    if (!done)
        data_free(set);
    return done;
}

// Reads the examples of one file, which may have no answers, to predict them; `folder` is that of
// the training's.
bool data_load_file(DataSet *set, const NnModel *model, const char *folder, const char *path,
                    Classes **classes)
{
    const Wanted wanted = {.model = model,
                           .folder = ".",
                           .trained = folder,
                           .files = {path, NULL},
                           .part = DATA_TEST,
                           .classes = classes};
    *set = (DataSet){0};
    const bool done = read_files(set, &wanted);
    if (!done)
        data_free(set);
    return done;
}
