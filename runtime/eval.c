// eval.c: the eval command: loss, accuracy and who is taken for whom, on the test set.

#include <stdlib.h>
#include <string.h>

#include "run.h"

static int digits(long number) { return snprintf(NULL, 0, "%ld", number); }

static void print_share(double share)
{
    if (share >= 0)
        printf("  %8.2f%%", 100 * share);
    else
        printf("  %9s", "-");
}

// Rows are the true classes, columns the predicted ones.
static void print_table(const Score *score, int classes, const Classes *names)
{
    int width = digits(classes - 1), first = 8;
    char name[CLASS_TEXT];
    for (int i = 0; i < classes * classes; i++)
        if (digits(score->confusion[i]) > width)
            width = digits(score->confusion[i]);
    for (int i = 0; i < classes; i++) {
        class_name(name, names, i);
        first = (int)strlen(name) > first ? (int)strlen(name) : first;
    }
    printf("true \\ predicted\n%*s", first, "");
    for (int i = 0; i < classes; i++)
        printf("  %*d", width, i);
    printf("  %9s  %9s  %9s\n", "precision", "recall", "f1");
    for (int truth = 0; truth < classes; truth++) {
        class_name(name, names, truth);
        printf("%*s", first, name);
        for (int guess = 0; guess < classes; guess++)
            printf("  %*ld", width, score->confusion[truth * classes + guess]);
        const ClassScore of_class = class_score(score, classes, truth);
        print_share(of_class.precision);
        print_share(of_class.recall);
        print_share(of_class.f1);
        putchar('\n');
    }
}

static bool print_json(const NnModel *model, const Score *score, const Classes *names)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", model->name);
    json_metrics(object, model, score, names);
    return json_print_line(object);
}

static bool print_score(const NnModel *model, const Options *options, const Score *score,
                        const Classes *names)
{
    if (options->json)
        return print_json(model, score, names);
    print_metrics(model, score);
    if (model->classes) {
        putchar('\n');
        print_table(score, model->classes, names);
    }
    return true;
}

int command_eval(const NnModel *model, const Options *options)
{
    DataSet set = {0};
    Score score = {0};
    Progress progress = {0};
    uint32_t *sequence = NULL;
    if (!model->train_step) {
        failed("'%s' was compiled without a 'loss' statement: it can predict, but not evaluate",
               model->name);
        return end_with_problem();
    }
    bool done = read_wanted_weights(model, options, &progress) &&
                data_load(&set, model, options->data, DATA_TEST, &progress.classes) &&
                (sequence = sequence_of(set.count)) && score_memory(&score, model);
    if (done) {
        Scoring scoring = {
            .model = model, .set = &set, .sequence = sequence, .count = set.count, .score = &score};
        done = team_run(options->threads, score_team, &scoring) && score_is_sound(&score) &&
               print_score(model, options, &score, progress.classes);
    }
    free(score.confusion);
    free(sequence);
    progress_free(&progress);
    data_free(&set);
    return done ? 0 : end_with_problem();
}
