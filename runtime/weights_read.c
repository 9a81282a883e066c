// weights_read.c: reads a safetensors file, which may be anything.
//
// Everything is checked before a byte of the model's memory changes. The model knows which tensors
// there must be, so the file only has to agree: it decides no size and no address.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data.h"

enum { HEADER_LIMIT = 100000000 }; // the format's own

// One tensor of the file and its place there.
typedef struct {
    const NnTensor *tensor; // of the model; NULL: what another optimizer remembered
    const char *name;
    bool found;
    size_t begin, end; // in the bytes after the header
} Place;

typedef struct {
    const char *path;
    const NnModel *model;
    WeightsUse use;
    int file;
    size_t size, header_size;
    cJSON *header;
    Place *places; // [tensor_count]
    Place *strange; // what another optimizer remembered, as many as the header has at most
    size_t strange_count;
    char *data; // all bytes after the header
} Reading;

static bool read_at(const Reading *reading, void *to, size_t size, size_t offset)
{
    for (size_t have = 0; have < size;) {
        const ssize_t got =
            pread(reading->file, (char *)to + have, size - have, (off_t)(offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed("cannot read '%s': %s", reading->path, strerror(errno));
        if (got == 0)
            return failed("'%s' is truncated", reading->path);
        have += (size_t)got;
    }
    return true;
}

static bool open_file(Reading *reading)
{
    struct stat found;
    reading->file = open(reading->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reading->file < 0)
        return failed("cannot read '%s': %s", reading->path, strerror(errno));
    if (fstat(reading->file, &found) != 0 || !S_ISREG(found.st_mode))
        return failed("cannot read '%s': it is not an ordinary file", reading->path);
    reading->size = (size_t)found.st_size;
    return true;
}

static bool read_header(Reading *reading)
{
    uint64_t length;
    if (reading->size < sizeof length)
        return failed("'%s' is no safetensors file: it has only %zu bytes", reading->path,
                      reading->size);
    if (!read_at(reading, &length, sizeof length, 0))
        return false;
    if (length > HEADER_LIMIT)
        return failed("'%s' is no safetensors file: its header would have %" PRIu64 " bytes",
                      reading->path, length);
    if (length > reading->size - sizeof length)
        return failed("'%s' is truncated: its header has %" PRIu64 " bytes, the file %zu",
                      reading->path, length, reading->size);
    reading->header_size = (size_t)length;
    char *text = allocate(1, reading->header_size + 1);
    if (!text)
        return false;
    bool done = read_at(reading, text, reading->header_size, sizeof length);
    if (done) {
        // A zero byte inside would end the text for the parser and hide what follows.
        if (text[0] == '{' && strlen(text) == reading->header_size)
            reading->header = cJSON_ParseWithLengthOpts(text, reading->header_size + 1, NULL, true);
        if (!cJSON_IsObject(reading->header))
            done = failed("'%s' is no safetensors file: its header is not a JSON object",
                          reading->path);
    }
    free(text);
    return done;
}

static bool foreign(const Reading *reading, const char *why)
{
    return failed("'%s' belongs to another network: %s", reading->path, why);
}

static bool damaged(const Reading *reading, const char *name, const char *what)
{
    return failed("'%s' is damaged: the entry of '%s' has %s", reading->path, name, what);
}

// A whole number that a double holds exactly.
static bool whole(const cJSON *item, size_t *value)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 0x1p53 ||
        item->valuedouble != floor(item->valuedouble))
        return false;
    *value = (size_t)item->valuedouble;
    return true;
}

static bool same_shape(const Reading *reading, const NnTensor *tensor, const cJSON *shape)
{
    char there[256] = "", why[512], here[64];
    size_t used = 0;
    int rank = 0;
    bool same = true;
    const cJSON *item;
    cJSON_ArrayForEach(item, shape)
    {
        size_t dim;
        if (!whole(item, &dim))
            return damaged(reading, tensor->name, "a shape that is not of whole numbers");
        same = same && rank < tensor_rank(tensor) && dim == (size_t)tensor->dim[rank];
        if (used < sizeof there - 32)
            used +=
                (size_t)snprintf(there + used, sizeof there - used, "%s%zu", rank ? "x" : "", dim);
        rank++;
    }
    if (same && rank == tensor_rank(tensor))
        return true;
    tensor_shape(tensor, here);
    snprintf(why, sizeof why, "'%.100s' is %s there and %s here", tensor->name,
             rank ? there : "a single number", here);
    return foreign(reading, why);
}

static bool read_entry(Reading *reading, Place *place, const cJSON *entry)
{
    const NnTensor *tensor = place->tensor;
    const char *name = tensor->name, *type = reading->model->type == NN_F64 ? "F64" : "F32";
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(entry, "shape");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    if (place->found)
        return failed("'%s' is damaged: it has '%s' twice", reading->path, name);
    place->found = true;
    if (!cJSON_IsObject(entry) || cJSON_GetArraySize(entry) != 3 || !cJSON_IsString(dtype) ||
        !cJSON_IsArray(shape) || !cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2)
        return damaged(reading, name, "not just a dtype, a shape and two data_offsets");
    if (!same_shape(reading, tensor, shape))
        return false;
    if (strcmp(dtype->valuestring, type) != 0)
        return failed("'%s' belongs to another network: '%s' is %.20s there and %s here",
                      reading->path, name, dtype->valuestring, type);
    if (!whole(offsets->child, &place->begin) || !whole(offsets->child->next, &place->end))
        return damaged(reading, name, "data_offsets that are not whole numbers");
    if (place->begin > place->end ||
        place->end - place->begin != tensor_bytes(reading->model, tensor))
        return damaged(reading, name, "data_offsets that do not fit its shape");
    return true;
}

static Place *find_place(const Reading *reading, const char *name)
{
    for (int i = 0; i < reading->model->tensor_count; i++)
        if (strcmp(reading->places[i].tensor->name, name) == 0)
            return &reading->places[i];
    return NULL;
}

// True for what an optimizer keeps of one of the model's weights: its name is the weight's and
// more.
static bool is_memory_of_weight(const Reading *reading, const char *name)
{
    for (int i = 0; i < reading->model->tensor_count; i++) {
        const NnTensor *tensor = &reading->model->tensors[i];
        const size_t length = strlen(tensor->name);
        if (tensor->role == NN_WEIGHT && strncmp(name, tensor->name, length) == 0 &&
            name[length] == '_')
            return true;
    }
    return false;
}

// The weights of a network serve it with any optimizer, or with none: what another one remembered
// is passed over where only the weights are wanted.
static bool pass_over(Reading *reading, const cJSON *entry)
{
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    Place *place = &reading->strange[reading->strange_count++];
    *place = (Place){.name = entry->string};
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !whole(offsets->child, &place->begin) || !whole(offsets->child->next, &place->end) ||
        place->begin > place->end)
        return damaged(reading, entry->string, "data_offsets that are not two whole numbers");
    return true;
}

static bool read_entries(Reading *reading)
{
    const cJSON *entry;
    bool metadata = false;
    reading->strange =
        allocate((size_t)cJSON_GetArraySize(reading->header), sizeof *reading->strange);
    if (!reading->strange)
        return false;
    for (int i = 0; i < reading->model->tensor_count; i++)
        reading->places[i] = (Place){.tensor = &reading->model->tensors[i],
                                     .name = reading->model->tensors[i].name};
    cJSON_ArrayForEach(entry, reading->header)
    {
        if (strcmp(entry->string, "__metadata__") == 0) {
            if (metadata)
                return failed("'%s' is damaged: it has '__metadata__' twice", reading->path);
            metadata = true;
            continue;
        }
        Place *place = find_place(reading, entry->string);
        if (!place && reading->use == WEIGHTS_ONLY && is_memory_of_weight(reading, entry->string)) {
            if (!pass_over(reading, entry))
                return false;
            continue;
        }
        if (!place && is_memory_of_weight(reading, entry->string))
            return failed("'%s' cannot be continued: its '%.100s' is of another optimizer",
                          reading->path, entry->string);
        if (!place)
            return failed("'%s' belongs to another network: this one has no tensor '%.100s'",
                          reading->path, entry->string);
        if (!read_entry(reading, place, entry))
            return false;
    }
    for (int i = 0; i < reading->model->tensor_count; i++) {
        const Place *place = &reading->places[i];
        const bool memory = place->tensor->role == NN_OPTIMIZER;
        if (place->found || (memory && reading->use == WEIGHTS_ONLY))
            continue;
        return failed(memory ? "'%s' cannot be continued: it has no '%s' of the optimizer, as "
                               "exported files have none"
                             : "'%s' belongs to another network: it has no tensor '%s'",
                      reading->path, place->tensor->name);
    }
    return true;
}

static int by_begin(const void *left, const void *right)
{
    const Place *const *a = left, *const *b = right;
    return ((*a)->begin > (*b)->begin) - ((*a)->begin < (*b)->begin);
}

// The tensors must fill the rest of the file, without a gap and without sharing a byte.
static bool check_offsets(const Reading *reading)
{
    const size_t size = reading->size - 8 - reading->header_size;
    const size_t known = (size_t)reading->model->tensor_count;
    const size_t number = reading->model->type == NN_F64 ? sizeof(double) : sizeof(float);
    Place **sorted = allocate(known + reading->strange_count, sizeof *sorted);
    if (!sorted)
        return false;
    size_t count = 0, end = 0;
    for (size_t i = 0; i < known; i++)
        if (reading->places[i].found)
            sorted[count++] = &reading->places[i];
    for (size_t i = 0; i < reading->strange_count; i++)
        sorted[count++] = &reading->strange[i];
    qsort(sorted, count, sizeof *sorted, by_begin);
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        const Place *place = sorted[i];
        if (place->begin != end)
            done = damaged(reading, place->name,
                           place->begin < end ? "bytes that belong to another tensor"
                                              : "bytes before it that belong to none");
        else if (place->tensor && place->begin % number) // it will be read where it lies
            done = damaged(reading, place->name, "bytes before it that are no whole numbers");
        end = place->end;
    }
    free(sorted);
    if (done && size < end)
        return failed("'%s' is truncated: its tensors have %zu bytes, %zu are there", reading->path,
                      end, size);
    if (done && size > end)
        return failed("'%s' is damaged: %zu bytes follow its last tensor", reading->path,
                      size - end);
    return done;
}

// The value of one string of the metadata; NULL where there is none.
static const char *metadata(const Reading *reading, const char *name)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(reading->header, "__metadata__");
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(all, name));
}

// Files of other programs have no fingerprint: then the tensors' names and shapes must do.
static bool check_network(const Reading *reading)
{
    const char *there = metadata(reading, "fingerprint"), *here = reading->model->fingerprint;
    if (!there || strcmp(there, here) == 0)
        return true;
    return failed("'%s' belongs to another network: its tensors are alike, but its fingerprint is "
                  "%.64s and here it is %s",
                  reading->path, there, here);
}

static bool number_of(const Reading *reading, const char *name, uint64_t limit, uint64_t *value)
{
    const char *text = metadata(reading, name);
    char *end = NULL;
    errno = 0;
    if (!text || *text < '0' || *text > '9')
        return false;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value <= limit;
}

static bool read_classes(const Reading *reading, Progress *progress)
{
    const char *listed = metadata(reading, "classes");
    if (!listed)
        return true;
    cJSON *names = cJSON_Parse(listed);
    char *name[256];
    int count = 0;
    const cJSON *item;
    bool done = cJSON_IsArray(names) && cJSON_GetArraySize(names) == reading->model->classes &&
                reading->model->classes <= 256;
    cJSON_ArrayForEach(item, names)
    {
        done = done && cJSON_IsString(item);
        if (done)
            name[count++] = item->valuestring;
    }
    if (!done)
        failed("'%s' is damaged: the names of its classes cannot be read", reading->path);
    else
        progress->classes = classes_of(name, count);
    cJSON_Delete(names);
    return done && progress->classes;
}

static bool read_progress(const Reading *reading, Progress *progress)
{
    if (!read_classes(reading, progress))
        return false;
    uint64_t epoch, step;
    const char *rate = metadata(reading, "rate"), *history = metadata(reading, "history");
    char *end = NULL;
    // Weights from elsewhere are exported as a training of no epochs.
    if (reading->use == WEIGHTS_ONLY && !history)
        return true;
    if (!number_of(reading, "epoch", INT_MAX - 1, &epoch) ||
        !number_of(reading, "step", INT64_MAX / 2, &step) ||
        !number_of(reading, "seed", UINT64_MAX, &progress->seed) || !rate || !history)
        return failed("'%s' cannot be continued: it does not say how it was trained",
                      reading->path);
    progress->epoch = (int)epoch;
    progress->step = (int64_t)step;
    progress->rate = strtod(rate, &end);
    cJSON *array = cJSON_Parse(history);
    // The count is checked before memory is asked for.
    const bool counted = cJSON_IsArray(array) && cJSON_GetArraySize(array) == progress->epoch;
    progress->history = counted ? allocate(epoch, sizeof *progress->history) : NULL;
    const bool done = end != rate && *end == '\0' && isfinite(progress->rate) &&
                      progress->history &&
                      json_read_history(array, progress->history, progress->epoch);
    cJSON_Delete(array);
    if (!done) {
        free(progress->history);
        return failed("'%s' is damaged: its learning rate or its history cannot be read",
                      reading->path);
    }
    return true;
}

static bool read_data(Reading *reading)
{
    const size_t size = reading->size - 8 - reading->header_size;
    reading->data = allocate(1, size);
    if (!reading->data || !read_at(reading, reading->data, size, 8 + reading->header_size))
        return false;
    for (int i = 0; i < reading->model->tensor_count; i++) {
        const Place *place = &reading->places[i];
        if (place->found &&
            !tensor_is_finite(reading->model, place->tensor, reading->data + place->begin))
            return failed("'%s' is of no use: '%s' has a number that is not finite", reading->path,
                          place->tensor->name);
    }
    return true;
}

void progress_free(Progress *progress)
{
    free(progress->history);
    free(progress->classes);
}

bool weights_read(const char *path, const NnModel *model, WeightsUse use, Progress *progress)
{
    Reading reading = {.path = path, .model = model, .use = use, .file = -1};
    Progress found = {0};
    reading.places = allocate((size_t)model->tensor_count, sizeof *reading.places);
    const bool done = reading.places && open_file(&reading) && read_header(&reading) &&
                      read_entries(&reading) && check_offsets(&reading) &&
                      check_network(&reading) && read_data(&reading) &&
                      (!progress || read_progress(&reading, &found));
    if (!done)
        free(found.classes);
    for (int i = 0; done && i < model->tensor_count; i++) {
        const Place *place = &reading.places[i];
        if (place->found && (use == WEIGHTS_TO_CONTINUE || place->tensor->role != NN_OPTIMIZER))
            tensor_write(model, place->tensor, reading.data + place->begin);
    }
    if (done)
        tensors_were_set(model);
    if (done && progress)
        *progress = found;
    if (reading.file >= 0)
        close(reading.file);
    cJSON_Delete(reading.header);
    free(reading.places);
    free(reading.strange);
    free(reading.data);
    return done;
}
