// train_setup.c: what lies before the first step: folder, data, memory, first or earlier weights.

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "data.h"
#include "run.h"

// Two trainings in one folder would overwrite each other's files.
static bool lock_folder(Training *training, const char *folder)
{
    if (access(folder, W_OK) != 0) // better said now than after the first epoch
        return failed("cannot write to the folder '%s': %s", folder, strerror(errno));
    training->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (training->lock < 0)
        return failed("cannot open the folder '%s': %s", folder, strerror(errno));
    if (flock(training->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return failed("another training writes to '%s'; name another folder with '--out DIR'",
                      folder);
    return true;
}

static bool open_folder(Training *training)
{
    const char *folder = training->options->out;
    training->made_folder = access(folder, F_OK) != 0;
    return path_join(training->weights, folder, "weights.safetensors") &&
           path_join(training->report, folder, "run.json") &&
           path_join(training->best, folder, "best.safetensors") &&
           path_join(training->curves, folder, "curves.svg") && make_folders(folder) &&
           lock_folder(training, folder);
}

static bool start_anew(Training *training)
{
    training->progress.seed = training->options->seed;
    training->progress.rate = training->options->rate;
    tensors_initialise(training->model, training->options->seed);
    return true;
}

static bool continue_earlier(Training *training)
{
    const Options *options = training->options;
    Progress *progress = &training->progress;
    if (access(training->weights, F_OK) != 0)
        return failed("nothing to resume: there is no '%s'", training->weights);
    if (!weights_read(training->weights, training->model, WEIGHTS_TO_CONTINUE, progress))
        return false;
    if (options->given[OPTION_SEED] && options->seed != progress->seed)
        return failed("'%s' was trained with seed %llu and cannot go on with '--seed %llu'",
                      training->weights, (unsigned long long)progress->seed,
                      (unsigned long long)options->seed);
    if (options->given[OPTION_RATE])
        progress->rate = options->rate;
    if (!(progress->rate > 0))
        return failed("'%s' cannot be continued with its learning rate, %g: expected one above 0; "
                      "name one with '--lr X'",
                      training->weights, progress->rate);
    if (!train_resume_best(training))
        return false;
    training->averaged = progress->epoch > 0; // as a file holds them
    training->fingerprint = tensors_fingerprint(training->model);
    report_read_times(training->report, progress);
    return true;
}

// The pictures for validation are the last ones; as many as Keras would take.
static bool split(Training *training)
{
    const NnModel *model = training->model;
    const int count = training->train.count;
    const long kept = data_left(count, model->validation_share, model->validation_pictures);
    if (kept < 1)
        return failed("no %s is left to train with: of %d, %ld are for validation",
                      example_word(model), count, count - kept);
    training->training = (int)kept;
    training->validation =
        model->validation_files.inputs ? training->held.count : count - (int)kept;
    return true;
}

static bool make_memory(Training *training)
{
    Progress *progress = &training->progress;
    const int epochs = training->options->epochs;
    const int room = epochs > progress->epoch ? epochs : progress->epoch;
    EpochRecord *history = allocate((size_t)room, sizeof *history);
    if (!history)
        return false;
    if (progress->epoch > 0)
        memcpy(history, progress->history, (size_t)progress->epoch * sizeof *history);
    free(progress->history);
    progress->history = history;
    int most = training->train.count;
    most = training->test.count > most ? training->test.count : most;
    most = training->held.count > most ? training->held.count : most;
    training->order = allocate((size_t)training->training, sizeof *training->order);
    training->sequence = sequence_of(most);
    return training->order && training->sequence &&
           score_memory(&training->test_score, training->model);
}

static bool load_test(Training *training)
{
    return data_load(&training->test, training->model, training->options->data, DATA_TEST,
                     &training->progress.classes);
}

// Files of bytes are read in no time: read now to know that they are sound, and once more when they
// take the place of the training pictures. Others are kept.
static bool check_test(Training *training)
{
    const NnFormat format = training->model->format;
    if (!data_has_test(training->model))
        return true;
    if (!load_test(training))
        return false;
    const int count = training->test.count;
    if (format == NN_IDX || format == NN_CIFAR)
        data_free(&training->test);
    training->test.count = count;
    return true;
}

// The test data in memory, at the end of a training, whose pictures it may need for that.
bool train_load_test(Training *training)
{
    const DataSet *test = &training->test;
    const int count = test->count;
    if (test->pictures || test->numbers)
        return true;
    data_free(&training->train);
    return load_test(training) &&
           (test->count == count || failed("the test data in '%s' has changed: it had %d examples "
                                           "when the training began, and has %d now",
                                           training->options->data, count, test->count));
}

// All parts; the names of classes are the training data's, or those of an earlier training.
static bool load(Training *training)
{
    const NnModel *model = training->model;
    const char *folder = training->options->data;
    Classes **classes = &training->progress.classes;
    return data_load(&training->train, model, folder, DATA_TRAIN, classes) &&
           (!model->validation_files.inputs ||
            data_load(&training->held, model, folder, DATA_VALIDATION, classes)) &&
           check_test(training);
}

bool train_prepare(Training *training)
{
    const NnModel *model = training->model;
    const Options *options = training->options;
    if (!open_folder(training) ||
        !(options->resume ? continue_earlier(training) : start_anew(training)) || !load(training) ||
        !split(training) || !make_memory(training))
        return false;
    if (!options->resume)
        standardize_by(model, &training->train, training->training);
    const bool held = model->validation_files.inputs != NULL;
    training->validate = (Scoring){
        .model = model,
        .set = held ? &training->held : &training->train,
        .sequence = training->sequence,
        .first = held ? 0 : training->training,
        .count = training->validation,
        .score = &training->validation_score,
    };
    training->evaluate = (Scoring){
        .model = model,
        .set = &training->test,
        .sequence = training->sequence,
        .count = training->test.count,
        .score = &training->test_score,
    };
    if (model->profiled && !profile_open(&training->profile, model, options->threads))
        return false;
    display_open(&training->display, options, training->training, options->epochs);
    return true;
}

void train_free(Training *training)
{
    if (training->model->profiled)
        profile_close(&training->profile);
    data_free(&training->train);
    data_free(&training->test);
    data_free(&training->held);
    free(training->order);
    free(training->sequence);
    progress_free(&training->progress);
    free(training->test_score.confusion);
    if (training->lock >= 0)
        close(training->lock);
}
