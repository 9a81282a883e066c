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

static size_t number_bytes(const NnModel *model)
{
    return model->type == NN_F64 ? sizeof(double) : sizeof(float);
}

size_t tensor_bytes(const NnModel *model, const NnTensor *tensor)
{
    return (size_t)tensor_count(tensor) * number_bytes(model);
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

// --- places -------------------------------------------------------------------------------------

// Called with each run of numbers that lie side by side: the index of the first among the rows, the
// place where it is, and how many they are.
typedef void Run(void *context, long index, long place, long count);

// The panel that holds a column.
typedef struct {
    int first, wide; // columns
} PanelColumns;

static PanelColumns panel_of(const NnTensor *tensor, int column)
{
    const int width = tensor->layout.columns, last = tensor->layout.last;
    if (column < last)
        return (PanelColumns){column / width * width, width};
    if (column < tensor->layout.whole)
        return (PanelColumns){last, tensor->layout.whole - last};
    return (PanelColumns){column, 1};
}

static void for_runs(const NnTensor *tensor, Run *work, void *context)
{
    if (tensor_lies_in_rows(tensor)) {
        work(context, 0, 0, tensor_count(tensor));
        return;
    }
    const int columns = tensor->dim[1];
    for (int row = 0; row < tensor->dim[0]; row++)
        for (int j = 0, wide; j < columns; j += wide) {
            const long index = (long)row * columns + j;
            wide = tensor->layout.line > 0 ? columns : panel_of(tensor, j).wide;
            work(context, index, tensor_place(tensor, index), wide);
        }
}

bool tensor_lies_in_rows(const NnTensor *tensor)
{
    return tensor->layout.rows == 0 && tensor->layout.line == 0;
}

long tensor_place(const NnTensor *tensor, long index)
{
    const int high = tensor->layout.rows, columns = tensor->dim[1];
    if (tensor_lies_in_rows(tensor))
        return index;
    if (tensor->layout.line > 0)
        return index / columns * tensor->layout.line + index % columns;
    const int row = (int)(index / columns), column = (int)(index % columns), inside = row % high;
    const PanelColumns panel = panel_of(tensor, column);
    return (long)(row - inside) * columns + (long)panel.first * high + (long)inside * panel.wide +
           column - panel.first;
}

typedef struct {
    char *to;
    const char *from;
    size_t size;  // of a number
    bool to_rows; // from where the model has them
} Copy;

static void copy_run(void *context, long index, long place, long count)
{
    const Copy *copy = context;
    const size_t to = (size_t)(copy->to_rows ? index : place) * copy->size;
    const size_t from = (size_t)(copy->to_rows ? place : index) * copy->size;
    memcpy(copy->to + to, copy->from + from, (size_t)count * copy->size);
}

void tensor_read(const NnModel *model, const NnTensor *tensor, void *rows)
{
    Copy copy = {rows, tensor->data, number_bytes(model), true};
    for_runs(tensor, copy_run, &copy);
}

void tensor_write(const NnModel *model, const NnTensor *tensor, const void *rows)
{
    Copy copy = {tensor->data, rows, number_bytes(model), false};
    for_runs(tensor, copy_run, &copy);
}

// --- first values -------------------------------------------------------------------------------

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
        tensor_set(model, tensor->data, tensor_place(tensor, i), value);
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

static bool are_finite(const NnModel *model, const void *data, long first, long count)
{
    return model->type == NN_F64 ? nn_finite_f64((const double *)data + first, count)
                                 : nn_finite_f32((const float *)data + first, count);
}

bool tensor_is_finite(const NnModel *model, const NnTensor *tensor, const void *rows)
{
    return are_finite(model, rows, 0, tensor_count(tensor));
}

typedef struct {
    const NnModel *model;
    const void *data;
    bool finite;
} Finite;

static void check_run(void *context, long index, long place, long count)
{
    Finite *f = context;
    (void)index;
    f->finite = f->finite && are_finite(f->model, f->data, place, count);
}

const NnTensor *tensors_not_finite(const NnModel *model)
{
    for (int i = 0; i < model->tensor_count; i++) {
        Finite f = {model, model->tensors[i].data, true};
        for_runs(&model->tensors[i], check_run, &f);
        if (!f.finite)
            return &model->tensors[i];
    }
    return NULL;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    for (const unsigned char *byte = data; size > 0; size--)
        hash = (hash ^ *byte++) * 0x100000001b3u;
    return hash;
}

typedef struct {
    uint64_t hash;
    const char *data;
    size_t size; // of a number
} Hashing;

static void hash_run(void *context, long index, long place, long count)
{
    Hashing *h = context;
    (void)index;
    h->hash = hash_bytes(h->hash, h->data + (size_t)place * h->size, (size_t)count * h->size);
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
        Hashing h = {hash, tensor->data, number_bytes(model)};
        for_runs(tensor, hash_run, &h);
        hash = h.hash;
    }
    return hash;
}
