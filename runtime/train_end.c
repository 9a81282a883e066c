// train_end.c: what a training says and leaves behind, however it ends.

#include <math.h>

#include "run.h"

bool train_report(const Training *training, const char *status, const Score *test)
{
    const Report report = {
        .model = training->model,
        .options = training->options,
        .status = status,
        .progress = &training->progress,
        .training_pictures = training->training,
        .validation_pictures = training->validation,
        .test = test,
        .fingerprint = training->fingerprint,
    };
    return report_write(training->report, &report) && curves_write(training->curves, &report);
}

void train_print_start(const Training *training)
{
    const Options *options = training->options;
    const NnModel *model = training->model;
    const Progress *progress = &training->progress;
    if (options->json || options->quiet)
        return;
    printf("%s: %d ", model->name, training->training);
    if (model->height == 1 && model->width == 1)
        printf("examples of %d", model->channels);
    else
        printf("pictures of %dx%dx%d", model->height, model->width, model->channels);
    if (training->validation > 0)
        printf(" and %d for validation", training->validation);
    printf(", batch %d, %d epoch%s, %s, lr %g, seed %llu, %d thread%s\n", model->batch,
           options->epochs, options->epochs > 1 ? "s" : "", model->optimizer, progress->rate,
           (unsigned long long)progress->seed, options->threads, options->threads > 1 ? "s" : "");
    if (progress->epoch >= options->epochs)
        printf("already trained for %d epoch%s: nothing to do; '--epochs N' goes on\n",
               progress->epoch, progress->epoch > 1 ? "s" : "");
    else if (options->resume)
        printf("goes on after epoch %d\n", progress->epoch);
    fflush(stdout);
}

static bool print_end(const Training *training)
{
    const Score *test = &training->test_score;
    const bool profiled = training->model->profiled && training->profile.steps > 0;
    const bool tested = training->test.count > 0;
    const int best = train_best(training);
    char fingerprint[17];
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)training->fingerprint);
    if (training->options->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "epochs", training->progress.epoch);
        if (best > 0)
            cJSON_AddNumberToObject(object, "best_epoch", best);
        json_number(object, "test_loss", tested ? test->loss : NAN);
        json_number(object, "test_accuracy", tested ? test->accuracy : NAN);
        cJSON_AddStringToObject(object, "weights_fingerprint", fingerprint);
        cJSON_AddStringToObject(object, "weights", training->weights);
        cJSON_AddStringToObject(object, "report", training->report);
        cJSON_AddStringToObject(object, "curves", training->curves);
        if (profiled)
            profile_json(&training->profile, cJSON_AddObjectToObject(object, "profile"));
        return json_print_line(object);
    }
    if (best > 0)
        printf("best epoch    %d of %d, whose weights are kept\n", best, training->progress.epoch);
    if (tested)
        print_metrics(training->model, test);
    printf("fingerprint   %s\n", fingerprint);
    printf("weights       %s\nreport        %s\ncurves        %s\n", training->weights,
           training->report, training->curves);
    if (profiled) {
        putchar('\n');
        profile_print(&training->profile);
    }
    return true;
}

static void say_what_is_kept(const Training *training, char text[2 * RUN_PATH])
{
    if (training->progress.epoch > 0)
        snprintf(text, 2 * RUN_PATH, "epoch %d is saved in '%s'", training->progress.epoch,
                 training->weights);
    else
        snprintf(text, 2 * RUN_PATH, "no epoch was completed, nothing is saved");
}

static int end_interrupted(const Training *training)
{
    char kept[2 * RUN_PATH], epochs[32] = "";
    const Options *options = training->options;
    say_what_is_kept(training, kept);
    if (options->given[OPTION_EPOCHS]) // the file says the others that were given
        snprintf(epochs, sizeof epochs, " --epochs %d", options->epochs);
    const bool saved = training->progress.epoch > 0;
    if (saved && !train_report(training, "interrupted", NULL))
        return end_with_problem();
    fprintf(stderr, "%s: interrupted in epoch %d; %s", message_name(),
            training->progress.epoch + 1, kept);
    if (saved)
        fprintf(stderr, "; go on with '--resume%s'", epochs);
    fputc('\n', stderr);
    return 128 + (int)training->signal;
}

static int end_not_finite(const Training *training)
{
    char kept[2 * RUN_PATH];
    say_what_is_kept(training, kept);
    if (training->failed.rows > 0) { // else end_epoch() has said it
        const char *layer = training->model->first_nonfinite(&training->failed);
        failed("the loss is not finite in epoch %d, step %lld%s%s%s: try a learning rate below "
               "%g, with '--lr X'; %s",
               training->progress.epoch + 1, (long long)training->failed.step,
               layer ? ", first in layer '" : "", layer ? layer : "", layer ? "'" : "",
               training->progress.rate, kept);
    }
    const int status = end_with_problem();
    if (training->progress.epoch > 0 && !train_report(training, "not finite", NULL))
        return end_with_problem();
    return status;
}

int train_end(Training *training)
{
    if (training->outcome != RUNNING && training->outcome != FINISHED)
        display_clear(&training->display);
    if (training->outcome == INTERRUPTED)
        return end_interrupted(training);
    if (training->outcome == NOT_FINITE)
        return end_not_finite(training);
    const Score *test = training->test.count > 0 ? &training->test_score : NULL;
    if (training->outcome == FAILED ||
        !train_report(training, "finished", test && test->finite ? test : NULL) ||
        (test && !score_is_sound(test)) || !print_end(training))
        return end_with_problem();
    return 0;
}
