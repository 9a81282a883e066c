// lab_outcome.c: what one training of a row left: its results, or why there are none.
#include "child.h"
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

// The first error in the log, without its place and its code. Without one the first line that is no
// warning; but lines of the network that messages show are indented. NULL of neither.
static const char *problem_in_log(const Training *training, bool *is_error)
{
    FILE *const log = fopen(path_in(training, "log.txt"), "r");
    char text[1000];
    const char *problem = NULL, *error = NULL;
    while (!error && log && fgets(text, sizeof text, log)) {
        text[strcspn(text, "\n")] = '\0';
        if (*text == ' ' || strstr(text, "warning: ") || starts_with(text, "note: "))
            continue;
        error = strstr(text, "error: ");
        char *const code = strrchr(text, '[');
        if (error && code > error && !strncmp(code, "[E", 2))
            code[-1] = '\0';
        if (error || !problem)
            problem = format("%s", error ? error + strlen("error: ") : text);
    }
    if (log)
        fclose(log);
    *is_error = error != NULL;
    return problem;
}

// `number`: of the signal that ended it, or 0.
static void read_failure(Training *training, int number)
{
    bool is_error;
    training->outcome = FAILED;
    training->problem = problem_in_log(training, &is_error);
    training->logged = is_error || (training->problem && !number);
    if (!training->logged)
        training->problem =
            number ? format("it was ended by signal %d", number) : "it ended without a word";
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
    for (int i = 0; i < ENDINGS; i++)
        if (status == 128 + endings[i]) {
            training->outcome = STOPPED;
            return;
        }
    read_failure(training, status > 128 ? status - 128 : 0);
}
