// json.c: the pieces of JSON that several files write, and the one piece that is read back.
//
// cJSON prints doubles to within a rounding error; a resumed training must write the history of the
// first part with the same bytes, so numbers are printed here, in the shortest form that reads back
// to the same double. No locale is ever set, so the decimal point is a point.

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

void number_text(char text[32], double value)
{
    snprintf(text, 32, "null"); // JSON has no word for infinity
    for (int digits = 15; isfinite(value) && digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
}

void json_number(cJSON *object, const char *name, double value)
{
    char text[32];
    number_text(text, value);
    cJSON_AddItemToObject(object, name, cJSON_CreateRaw(text));
}

cJSON *json_epoch(const EpochRecord *record, int epoch, bool with_time)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "epoch", epoch);
    json_number(object, "loss", record->loss);
    json_number(object, "accuracy", record->accuracy);
    json_number(object, "validation_loss", record->validation_loss);
    json_number(object, "validation_accuracy", record->validation_accuracy);
    if (with_time) {
        json_number(object, "seconds", record->seconds);
        json_number(object, "images_per_second", record->images_per_second);
    }
    return object;
}

cJSON *json_confusion(const long *confusion, int classes)
{
    cJSON *rows = cJSON_CreateArray();
    for (int truth = 0; truth < classes; truth++) {
        cJSON *row = cJSON_CreateArray();
        for (int guess = 0; guess < classes; guess++)
            cJSON_AddItemToArray(row,
                                 cJSON_CreateNumber((double)confusion[truth * classes + guess]));
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

bool json_print_line(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!text)
        return failed("out of memory");
    make_utf8(text);
    puts(text);
    cJSON_free(text);
    if (fflush(stdout) != 0)
        return failed("cannot write the standard output: %s", strerror(errno));
    return true;
}

bool json_save(const char *path, cJSON *object)
{
    char *text = cJSON_Print(object);
    cJSON_Delete(object);
    if (!text)
        return failed("out of memory");
    make_utf8(text);
    const struct iovec parts[] = {{text, strlen(text)}, {"\n", 1}};
    const bool done = save_file(path, parts, 2);
    cJSON_free(text);
    return done;
}

// A number, or null for NAN.
static bool read_number(const cJSON *object, const char *name, double *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    *value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    return cJSON_IsNumber(item) || cJSON_IsNull(item);
}

bool json_read_history(const cJSON *array, EpochRecord *history, int count)
{
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) != count)
        return false;
    int epoch = 0;
    const cJSON *object;
    cJSON_ArrayForEach(object, array)
    {
        EpochRecord *record = &history[epoch++];
        double number;
        if (!read_number(object, "epoch", &number) || number != epoch ||
            !read_number(object, "loss", &record->loss) ||
            !read_number(object, "accuracy", &record->accuracy) ||
            !read_number(object, "validation_loss", &record->validation_loss) ||
            !read_number(object, "validation_accuracy", &record->validation_accuracy))
            return false;
        read_number(object, "seconds", &record->seconds); // only run.json has these two
        read_number(object, "images_per_second", &record->images_per_second);
    }
    return true;
}
