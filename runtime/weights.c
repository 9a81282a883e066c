// weights.c: writes the tensors and the state of a training as a safetensors file.
//
// The format: 8 bytes, little-endian, the length of a JSON header; the header; the tensors' bytes,
// one after the other. All that a later step depends on is in it and nothing else: no date and no
// time, so that a resumed training ends with the same bytes as one that was never stopped.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors files are little-endian");

enum { ALIGNMENT = 64 }; // of the first tensor in the file, for readers that map it

static bool is_written(const NnTensor *tensor, WeightsUse use)
{
    return use == WEIGHTS_TO_CONTINUE || tensor->role != NN_OPTIMIZER;
}

// Values are strings, as the format has it.
static void add_metadata(cJSON *header, const NnModel *model, const Progress *progress)
{
    cJSON *metadata = cJSON_AddObjectToObject(header, "__metadata__");
    char text[32];
    cJSON_AddStringToObject(metadata, "format", "netc");
    cJSON_AddStringToObject(metadata, "name", model->name);
    cJSON_AddStringToObject(metadata, "fingerprint", model->fingerprint);
    cJSON_AddStringToObject(metadata, "source", model->source);
    snprintf(text, sizeof text, "%d", progress->epoch);
    cJSON_AddStringToObject(metadata, "epoch", text);
    snprintf(text, sizeof text, "%" PRId64, progress->step);
    cJSON_AddStringToObject(metadata, "step", text);
    snprintf(text, sizeof text, "%" PRIu64, progress->seed);
    cJSON_AddStringToObject(metadata, "seed", text);
    number_text(text, progress->rate);
    cJSON_AddStringToObject(metadata, "rate", text);

    if (progress->classes) {
        cJSON *names =
            cJSON_CreateStringArray(progress->classes->name, progress->classes->count);
        char *listed = cJSON_PrintUnformatted(names);
        if (listed)
            cJSON_AddStringToObject(metadata, "classes", listed);
        cJSON_free(listed);
        cJSON_Delete(names);
    }
    cJSON *history = cJSON_CreateArray();
    for (int i = 0; i < progress->epoch; i++)
        cJSON_AddItemToArray(history, json_epoch(&progress->history[i], i + 1, false));
    char *printed = cJSON_PrintUnformatted(history);
    if (printed)
        cJSON_AddStringToObject(metadata, "history", printed);
    cJSON_free(printed);
    cJSON_Delete(history);
}

static void add_tensor(cJSON *header, const NnModel *model, const NnTensor *tensor, double *offset)
{
    cJSON *entry = cJSON_AddObjectToObject(header, tensor->name);
    cJSON_AddStringToObject(entry, "dtype", model->type == NN_F64 ? "F64" : "F32");
    cJSON_AddItemToObject(entry, "shape", cJSON_CreateIntArray(tensor->dim, tensor_rank(tensor)));
    const double ends[2] = {*offset, *offset + (double)tensor_bytes(model, tensor)};
    cJSON_AddItemToObject(entry, "data_offsets", cJSON_CreateDoubleArray(ends, 2));
    *offset = ends[1];
}

// The header, padded with spaces until the tensors begin at a multiple of ALIGNMENT.
static char *make_header(const NnModel *model, const Progress *progress, WeightsUse use,
                         size_t *length)
{
    cJSON *header = cJSON_CreateObject();
    double offset = 0;
    add_metadata(header, model, progress);
    for (int i = 0; i < model->tensor_count; i++)
        if (is_written(&model->tensors[i], use))
            add_tensor(header, model, &model->tensors[i], &offset);
    char *printed = cJSON_PrintUnformatted(header);
    cJSON_Delete(header);
    if (!printed) {
        failed("out of memory");
        return NULL;
    }
    make_utf8(printed);
    const size_t used = strlen(printed);
    *length = (used + 8 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - 8;
    char *padded = allocate(1, *length);
    if (padded) {
        memcpy(padded, printed, used);
        memset(padded + used, ' ', *length - used);
    }
    cJSON_free(printed);
    return padded;
}

static bool is_copied(const NnTensor *tensor, WeightsUse use)
{
    return !tensor_lies_in_rows(tensor) && is_written(tensor, use);
}

// Copies of the tensors that do not lie as a file holds them, one behind the other, to be freed;
// NULL where there are none. *done is false after an error.
static unsigned char *rows_of_tensors(const NnModel *model, WeightsUse use, bool *done)
{
    size_t size = 0, used = 0;
    for (int i = 0; i < model->tensor_count; i++)
        if (is_copied(&model->tensors[i], use))
            size += tensor_bytes(model, &model->tensors[i]);
    unsigned char *rows = size > 0 ? allocate(1, size) : NULL;
    *done = size == 0 || rows;
    for (int i = 0; rows && i < model->tensor_count; i++) {
        const NnTensor *tensor = &model->tensors[i];
        if (!is_copied(tensor, use))
            continue;
        tensor_read(model, tensor, rows + used);
        used += tensor_bytes(model, tensor);
    }
    return rows;
}

bool weights_write(const char *path, const NnModel *model, const Progress *progress, WeightsUse use)
{
    size_t length = 0;
    char *header = make_header(model, progress, use, &length);
    struct iovec *parts = allocate((size_t)model->tensor_count + 2, sizeof *parts);
    bool copied;
    unsigned char *rows = rows_of_tensors(model, use, &copied), *next = rows;
    bool done = header && parts && copied;
    if (done) {
        uint64_t size = length;
        int count = 0;
        parts[count++] = (struct iovec){&size, sizeof size};
        parts[count++] = (struct iovec){header, length};
        for (int i = 0; i < model->tensor_count; i++) {
            const NnTensor *tensor = &model->tensors[i];
            const size_t bytes = tensor_bytes(model, tensor);
            if (!is_written(tensor, use))
                continue;
            const bool copy = is_copied(tensor, use);
            parts[count++] = (struct iovec){copy ? next : tensor->data, bytes};
            next += copy ? bytes : 0;
        }
        done = save_file(path, parts, count);
    }
    free(rows);
    free(parts);
    free(header);
    return done;
}
