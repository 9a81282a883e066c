// predict.c: the predict command: what the network sees in a picture.

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { BEST = 3 };

typedef struct {
    const NnModel *model;
    const Options *options;
    DataSet test;            // loaded when the first argument is a number
    unsigned char *pictures; // one for each argument
    int *truth;              // its label; -1 for a file
    uint32_t *sequence;
    bool printed;
    cJSON *json;
} Prediction;

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool take_test_picture(Prediction *prediction, const char *text, unsigned char *pixels,
                              size_t size, int *truth)
{
    DataSet *test = &prediction->test;
    if (!test->pictures &&
        !data_load(test, prediction->model, prediction->options->data, DATA_TEST))
        return false;
    const unsigned long index = strtoul(text, NULL, 10); // ULONG_MAX where it is too large
    if (index >= (unsigned long)test->count)
        return failed("there is no test picture '%s': the test set has 0 to %d", text,
                      test->count - 1);
    memcpy(pixels, test->pictures + index * size, size);
    *truth = test->labels[index];
    return true;
}

// Everything is read before anything is predicted: a bad argument prints no half of a result.
static bool take_pictures(Prediction *prediction)
{
    const NnModel *model = prediction->model;
    const Options *options = prediction->options;
    const size_t size = (size_t)model->height * (size_t)model->width * (size_t)model->channels;
    const int count = options->argument_count;
    prediction->pictures = allocate((size_t)count, size);
    prediction->truth = allocate((size_t)count, sizeof *prediction->truth);
    prediction->sequence = sequence_of(count);
    if (!prediction->pictures || !prediction->truth || !prediction->sequence)
        return false;
    for (int i = 0; i < count; i++) {
        const char *argument = options->arguments[i];
        unsigned char *pixels = prediction->pictures + (size_t)i * size;
        prediction->truth[i] = -1;
        if (is_number(argument)
                ? !take_test_picture(prediction, argument, pixels, size, &prediction->truth[i])
                : !picture_read(argument, model, options->invert, pixels))
            return false;
    }
    return true;
}

// The most probable classes of one row of the output, best first; returns how many.
static int find_best(const NnModel *model, int row, int best[BEST], double probability[BEST])
{
    int found = 0;
    for (int class = 0; class < model->outputs; class ++) {
        const double p = tensor_get(model, model->output, (long)row * model->outputs + class);
        int place = found;
        while (place > 0 && p > probability[place - 1])
            place--;
        if (place == BEST)
            continue;
        found = nn_min(found + 1, BEST);
        for (int i = found - 1; i > place; i--) {
            best[i] = best[i - 1];
            probability[i] = probability[i - 1];
        }
        best[place] = class;
        probability[place] = p;
    }
    return found;
}

static void print_text(const char *argument, int truth, const int *best, const double *probability,
                       int found)
{
    if (truth >= 0)
        printf("test picture %s (a %d): ", argument, truth);
    else
        printf("%s: ", argument);
    printf("%d with %.2f%%  [", best[0], 100 * probability[0]);
    for (int i = 0; i < found; i++)
        printf("%s%d %.2f%%", i > 0 ? ", " : "", best[i], 100 * probability[i]);
    printf("]\n");
}

static cJSON *make_json(const char *argument, int truth, const int *best, const double *probability,
                        int found)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "picture", argument);
    if (truth >= 0)
        cJSON_AddNumberToObject(object, "label", truth);
    cJSON_AddNumberToObject(object, "class", best[0]);
    json_number(object, "probability", probability[0]);
    cJSON *list = cJSON_AddArrayToObject(object, "best");
    for (int i = 0; i < found; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "class", best[i]);
        json_number(one, "probability", probability[i]);
        cJSON_AddItemToArray(list, one);
    }
    return object;
}

static void predict_team(void *context)
{
    Prediction *prediction = context;
    const NnModel *model = prediction->model;
    const Options *options = prediction->options;
    NnResult result;
    for (int done = 0; done < options->argument_count; done += model->batch) {
        const NnBatch batch = {
            .pictures = prediction->pictures,
            .index = prediction->sequence + done,
            .rows = nn_min(model->batch, options->argument_count - done),
        };
        model->infer(&batch, &result);
        for (int row = 0; nn_thread() == 0 && row < batch.rows; row++) {
            int best[BEST];
            double probability[BEST];
            const char *argument = options->arguments[done + row];
            const int truth = prediction->truth[done + row];
            const int found = find_best(model, row, best, probability);
            if (options->json)
                cJSON_AddItemToArray(prediction->json,
                                     make_json(argument, truth, best, probability, found));
            else
                print_text(argument, truth, best, probability, found);
        }
        nn_barrier();
    }
}

int command_predict(const NnModel *model, const Options *options)
{
    Prediction prediction = {.model = model, .options = options};
    bool done = read_wanted_weights(model, options, NULL) && take_pictures(&prediction);
    if (done) {
        prediction.json = options->json ? cJSON_CreateArray() : NULL;
        team_run(options->threads, predict_team, &prediction);
        if (options->json)
            done = json_print_line(prediction.json);
    }
    data_free(&prediction.test);
    free(prediction.pictures);
    free(prediction.truth);
    free(prediction.sequence);
    return done ? 0 : end_with_problem();
}
