// report.c: run.json, the record of a training: what was asked for and what came of it.

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

enum { REPORT_LIMIT = 1 << 26 }; // bytes that are read back

static void add_configuration(cJSON *object, const Report *report)
{
    const NnModel *model = report->model;
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)report->progress->seed);
    cJSON *all = cJSON_AddObjectToObject(object, "configuration");
    cJSON_AddStringToObject(all, "data", model->data);
    cJSON_AddStringToObject(all, "data_folder", report->options->data);
    cJSON_AddNumberToObject(all, "training_pictures", (double)report->training_pictures);
    cJSON_AddNumberToObject(all, "validation_pictures", (double)report->validation_pictures);
    cJSON_AddNumberToObject(all, "batch", model->batch);
    cJSON_AddNumberToObject(all, "epochs", report->options->epochs);
    cJSON_AddItemToObject(all, "seed", cJSON_CreateRaw(seed)); // may exceed a double
    json_number(all, "rate", report->progress->rate);
    cJSON_AddStringToObject(all, "loss", model->loss);
    cJSON_AddStringToObject(all, "optimizer", model->optimizer);
    cJSON_AddNumberToObject(all, "threads", report->options->threads);
}

static void add_memory(cJSON *object, const NnModel *model)
{
    cJSON *memory = cJSON_AddObjectToObject(object, "memory");
    cJSON_AddNumberToObject(memory, "arena_bytes", model->arena_bytes);
    cJSON_AddNumberToObject(memory, "weight_bytes", model->weight_bytes);
    cJSON_AddNumberToObject(memory, "optimizer_bytes", model->optimizer_bytes);
}

static void add_test(cJSON *object, const Report *report)
{
    const Score *score = report->test;
    if (!score) {
        cJSON_AddNullToObject(object, "test");
        return;
    }
    cJSON *test = cJSON_AddObjectToObject(object, "test");
    json_metrics(test, report->model, score, report->progress->classes);
}

bool report_write(const char *path, const Report *report)
{
    const NnModel *model = report->model;
    const Progress *progress = report->progress;
    char fingerprint[17];
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)report->fingerprint);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", model->name);
    cJSON_AddStringToObject(object, "status", report->status);
    cJSON_AddStringToObject(object, "source", model->source);
    cJSON_AddStringToObject(object, "network_fingerprint", model->fingerprint);
    cJSON_AddStringToObject(object, "type", model->type == NN_F64 ? "f64" : "f32");
    add_configuration(object, report);
    cJSON_AddNumberToObject(object, "parameters", (double)model->parameters);
    add_memory(object, model);
    cJSON_AddNumberToObject(object, "epochs_completed", progress->epoch);
    cJSON_AddNumberToObject(object, "steps", (double)progress->step);
    cJSON *history = cJSON_AddArrayToObject(object, "history");
    for (int i = 0; i < progress->epoch; i++)
        cJSON_AddItemToArray(history, json_epoch(&progress->history[i], i + 1, true));
    add_test(object, report);
    cJSON_AddStringToObject(object, "weights_fingerprint", fingerprint);
    return json_save(path, object);
}

static cJSON *read_json(const char *path)
{
    struct stat found;
    cJSON *object = NULL;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return NULL;
    if (fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_size <= REPORT_LIMIT) {
        const size_t size = (size_t)found.st_size;
        char *text = allocate(1, size);
        if (text && read(file, text, size) == (ssize_t)size)
            object = cJSON_ParseWithLength(text, size);
        free(text);
    }
    close(file);
    return object;
}

// An epoch's times are taken where the loss is the checkpoint's: then it is the same epoch of the
// same run. They are for reading only, so a missing or damaged report is no error.
void report_read_times(const char *path, Progress *progress)
{
    for (int i = 0; i < progress->epoch; i++)
        progress->history[i].seconds = progress->history[i].images_per_second = NAN;
    cJSON *object = read_json(path);
    const cJSON *history = cJSON_GetObjectItemCaseSensitive(object, "history");
    const cJSON *item;
    int epoch = 0;
    cJSON_ArrayForEach(item, history)
    {
        const cJSON *loss = cJSON_GetObjectItemCaseSensitive(item, "loss");
        const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(item, "seconds");
        const cJSON *speed = cJSON_GetObjectItemCaseSensitive(item, "images_per_second");
        if (epoch == progress->epoch)
            break;
        EpochRecord *record = &progress->history[epoch++];
        if (!cJSON_IsNumber(loss) || loss->valuedouble != record->loss)
            continue;
        record->seconds = cJSON_IsNumber(seconds) ? seconds->valuedouble : NAN;
        record->images_per_second = cJSON_IsNumber(speed) ? speed->valuedouble : NAN;
    }
    cJSON_Delete(object);
}
