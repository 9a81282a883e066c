// eval.c: the eval command: loss, accuracy and who is taken for whom, on the test set.

#include <stdlib.h>

#include "run.h"

// Of one class: the share of its pictures that were found, and of those named so that are of it.
typedef struct {
    long pictures, named, hits;
    double recall, precision; // NAN where there are none to share
} ClassScore;

static ClassScore class_score(const Score *score, int classes, int class)
{
    ClassScore result = {.hits = score->confusion[class * classes + class]};
    for (int i = 0; i < classes; i++) {
        result.pictures += score->confusion[class * classes + i];
        result.named += score->confusion[i * classes + class];
    }
    result.recall = (double)result.hits / (double)result.pictures;
    result.precision = (double)result.hits / (double)result.named;
    return result;
}

static int digits(long number) { return snprintf(NULL, 0, "%ld", number); }

static void print_share(double share)
{
    if (share >= 0)
        printf("  %8.2f%%", 100 * share);
    else
        printf("  %9s", "-");
}

// Rows are the true classes, columns the predicted ones.
static void print_table(const Score *score, int classes)
{
    int width = digits(classes - 1);
    for (int i = 0; i < classes * classes; i++)
        if (digits(score->confusion[i]) > width)
            width = digits(score->confusion[i]);
    printf("true \\ predicted\n%8s", "");
    for (int i = 0; i < classes; i++)
        printf("  %*d", width, i);
    printf("  %9s  %9s\n", "precision", "recall");
    for (int truth = 0; truth < classes; truth++) {
        printf("%8d", truth);
        for (int guess = 0; guess < classes; guess++)
            printf("  %*ld", width, score->confusion[truth * classes + guess]);
        const ClassScore of_class = class_score(score, classes, truth);
        print_share(of_class.precision);
        print_share(of_class.recall);
        putchar('\n');
    }
}

static bool print_json(const NnModel *model, const Score *score)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", model->name);
    cJSON_AddNumberToObject(object, "pictures", (double)score->count);
    cJSON_AddNumberToObject(object, "hits", (double)score->hits);
    json_number(object, "loss", score->loss);
    json_number(object, "accuracy", score->accuracy);
    cJSON_AddItemToObject(object, "confusion", json_confusion(score->confusion, model->classes));
    cJSON *classes = cJSON_AddArrayToObject(object, "classes");
    for (int i = 0; i < model->classes; i++) {
        const ClassScore of_class = class_score(score, model->classes, i);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "class", i);
        cJSON_AddNumberToObject(row, "pictures", (double)of_class.pictures);
        json_number(row, "precision", of_class.precision);
        json_number(row, "recall", of_class.recall);
        cJSON_AddItemToArray(classes, row);
    }
    return json_print_line(object);
}

int command_eval(const NnModel *model, const Options *options)
{
    DataSet set = {0};
    Score score = {0};
    uint32_t *sequence = NULL;
    if (!model->train_step) {
        failed("'%s' was compiled without a 'loss' statement: it can predict, but not evaluate",
               model->name);
        return end_with_problem();
    }
    bool done = read_wanted_weights(model, options, NULL) &&
                data_load(&set, model, options->data, DATA_TEST) &&
                (sequence = sequence_of(set.count)) && score_memory(&score, model);
    if (done) {
        Scoring scoring = {
            .model = model, .set = &set, .sequence = sequence, .count = set.count, .score = &score};
        team_run(options->threads, score_team, &scoring);
        if (options->json) {
            done = print_json(model, &score);
        } else {
            printf("test accuracy %.2f%% (%ld of %ld), loss %.4f\n\n", 100 * score.accuracy,
                   score.hits, score.count, score.loss);
            print_table(&score, model->classes);
        }
    }
    free(score.confusion);
    free(sequence);
    data_free(&set);
    return done ? 0 : end_with_problem();
}
