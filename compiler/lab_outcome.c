// lab_outcome.c: what one training of a row left: its results, or why there are none.
#include "json.h"
#include "lab.h"

#include <math.h>
#include <string.h>

static const char *path_in(const Training *training, const char *name)
{
    return format("%s/%s", training->folder, name);
}

static double percent_in(const cJSON *object, const char *name)
{
    return 100 * json_number(object, name);
}

static void read_epochs(Training *training, const cJSON *history)
{
    training->epochs = allocate((size_t)cJSON_GetArraySize(history) * sizeof *training->epochs + 1);
    training->epoch_count = 0;
    training->score.seconds = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, history)
    {
        training->epochs[training->epoch_count++] =
            (LabEpoch){.loss = json_number(item, "loss"),
                       .accuracy = percent_in(item, "accuracy"),
                       .validation_loss = json_number(item, "validation_loss"),
                       .validation_accuracy = percent_in(item, "validation_accuracy")};
        training->score.seconds += json_number(item, "seconds");
    }
}

// The first error in the log, without its place and its code.
static const char *first_problem(const Training *training)
{
    FILE *const log = fopen(path_in(training, "log.txt"), "r");
    char text[1000];
    const char *problem = "it ended without a word";
    while (log && fgets(text, sizeof text, log)) {
        const char *const error = strstr(text, "error: ");
        text[strcspn(text, "\n")] = '\0';
        if (!error && *text == ' ')
            continue;
        char *const code = strrchr(text, '[');
        if (error && code > error && !strncmp(code, "[E", 2))
            code[-1] = '\0';
        problem = format("%s", error ? error + strlen("error: ") : text);
        break;
    }
    if (log)
        fclose(log);
    return problem;
}

static void read_results(Training *training)
{
    cJSON *const run = json_read(path_in(training, "run.json"));
    const cJSON *const test = cJSON_GetObjectItemCaseSensitive(run, "test");
    training->outcome = test ? FINISHED : FAILED;
    training->problem = "its run.json cannot be read";
    training->seed = json_number(cJSON_GetObjectItemCaseSensitive(run, "configuration"), "seed");
    training->parameters = (long)json_number(run, "parameters");
    training->score.accuracy = percent_in(test, "accuracy");
    training->score.loss = json_number(test, "loss");
    read_epochs(training, cJSON_GetObjectItemCaseSensitive(run, "history"));
    cJSON_Delete(run);
}

static void read_state(Training *training)
{
    cJSON *const state = json_read(path_in(training, "row.json"));
    training->seed = json_number(state, "seed");
    training->wall_seconds = json_number(state, "wall_seconds");
    cJSON_Delete(state);
}

void read_outcome(Training *training, int status)
{
    training->kept = status == KEPT;
    read_state(training);
    if (status == DONE || status == KEPT) {
        read_results(training);
        return;
    }
    training->outcome = status > 128 ? STOPPED : FAILED;
    training->problem = first_problem(training);
}
