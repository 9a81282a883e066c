// metrics.c: what a score says of each class, and its numbers as JSON and as a line of text.

#include <math.h>

#include "run.h"

// The share of a class's pictures that were found (recall), of those named so that are of it
// (precision), and their harmonic mean (F1); NAN where there are none to share.
ClassScore class_score(const Score *score, int classes, int class)
{
    ClassScore result = {.hits = score->confusion[class * classes + class]};
    for (int i = 0; i < classes; i++) {
        result.pictures += score->confusion[class * classes + i];
        result.named += score->confusion[i * classes + class];
    }
    result.recall = (double)result.hits / (double)result.pictures;
    result.precision = (double)result.hits / (double)result.named;
    result.f1 = 2.0 * (double)result.hits / (double)(result.pictures + result.named);
    return result;
}

static double binary_accuracy(const NnModel *model, const Score *score)
{
    return (double)score->agree / ((double)score->count * model->outputs);
}

void class_name(char text[CLASS_TEXT], const Classes *classes, int class)
{
    if (!classes) {
        snprintf(text, CLASS_TEXT, "%d", class);
        return;
    }
    const char *const name = classes->name[class];
    size_t length = strlen(name);
    if (length >= CLASS_TEXT)
        for (length = CLASS_TEXT - 1; length > 0 && (name[length] & 0xc0) == 0x80;)
            length--; // a character is there as a whole or not at all
    for (size_t i = 0; i < length; i++)
        text[i] = (unsigned char)name[i] < ' ' || name[i] == 127 ? '_' : name[i];
    text[length] = '\0';
}

static cJSON *json_classes(const NnModel *model, const Score *score, const Classes *names)
{
    cJSON *rows = cJSON_CreateArray();
    for (int i = 0; i < model->classes; i++) {
        const ClassScore of_class = class_score(score, model->classes, i);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "class", i);
        if (names)
            cJSON_AddStringToObject(row, "name", names->name[i]);
        cJSON_AddNumberToObject(row, "pictures", (double)of_class.pictures);
        json_number(row, "precision", of_class.precision);
        json_number(row, "recall", of_class.recall);
        json_number(row, "f1", of_class.f1);
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

void json_metrics(cJSON *object, const NnModel *model, const Score *score, const Classes *names)
{
    cJSON_AddNumberToObject(object, "pictures", (double)score->count);
    if (model->classes)
        cJSON_AddNumberToObject(object, "hits", (double)score->hits);
    json_number(object, "loss", score->loss);
    if (!model->classes) {
        json_number(object, "mse", score->mse);
        json_number(object, "mae", score->mae);
        if (score->agree >= 0)
            json_number(object, "binary_accuracy", binary_accuracy(model, score));
        return;
    }
    json_number(object, "accuracy", score->accuracy);
    if (model->top) {
        char name[32];
        snprintf(name, sizeof name, "top_%d", model->top);
        json_number(object, name, (double)score->top_hits / (double)score->count);
    }
    cJSON_AddItemToObject(object, "confusion", json_confusion(score->confusion, model->classes));
    cJSON_AddItemToObject(object, "classes", json_classes(model, score, names));
}

void print_metrics(const NnModel *model, const Score *score)
{
    if (!model->classes) {
        printf("test loss %.6g, mse %.6g, mae %.6g", score->loss, score->mse, score->mae);
        if (score->agree >= 0)
            printf(", binary accuracy %.2f%%", 100 * binary_accuracy(model, score));
        printf(" (%ld examples)\n", score->count);
        return;
    }
    printf("test accuracy %.2f%% (%ld of %ld)", 100 * score->accuracy, score->hits, score->count);
    if (model->top)
        printf(", top %d %.2f%%", model->top, 100 * (double)score->top_hits / (double)score->count);
    printf(", loss %.4f\n", score->loss);
}
