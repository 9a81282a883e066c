// train.c: the train command: the whole training, by one team of threads.
//
// All memory is there before the first step. Each thread walks through the same epochs and steps
// and computes the same NnBatch and NnResult; thread 0, the leader, does what lies between them.
// The wish to stop goes through two places by turns: a thread can be one step ahead of another, but
// not two, so nobody overwrites what somebody has still to read.

#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "run.h"

static volatile sig_atomic_t interrupted; // the signal's number

static void note_signal(int number) { interrupted = number; }

// The first signal ends the training after the running step, a second one the program. A signal
// that the caller had ignored (nohup) stays so.
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        struct sigaction old;
        struct sigaction action = {.sa_handler = note_signal,
                                   .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
        sigemptyset(&action.sa_mask);
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

static void begin_epoch(Training *training, int epoch)
{
    if (training->averaged)
        tensors_swap_averages(training->model);
    training->averaged = false;
    order_shuffle(training->order, training->training, training->progress.seed, epoch);
    training->loss = training->penalty = 0;
    training->hits = training->steps = 0;
    display_epoch(&training->display, epoch);
}

static void count_step(Training *training, const NnResult *result, long done)
{
    training->loss += result->loss;
    training->penalty += result->penalty;
    training->hits += result->hits;
    training->steps++;
    display_step(&training->display, done,
                 training->loss / (double)done + training->penalty / (double)training->steps,
                 training->model->classes ? (double)training->hits / (double)done : NAN);
}

// False where the training ends inside this epoch; all threads agree on it.
static bool run_epoch(Training *training)
{
    const NnModel *model = training->model;
    const bool leader = nn_thread() == 0;
    const Progress *progress = &training->progress;
    const RatePlan plan =
        rate_plan(model, progress->rate, (training->training + model->batch - 1) / model->batch,
                  training->options->epochs, progress->history, progress->epoch);
    int64_t step = progress->step;
    if (leader)
        profile_begin(&training->profile);
    for (int done = 0; done < training->training; done += model->batch) {
        NnBatch batch = data_batch(&training->train);
        batch.index = training->order + done;
        batch.rows = nn_min(model->batch, training->training - done);
        batch.known = training->training - done;
        batch.seed = progress->seed;
        batch.epoch = progress->epoch + 1;
        batch.number = done / model->batch;
        batch.step = ++step;
        batch.rate = rate_of_step(&plan, step);
        batch.timed = model->profiled;
        if (leader)
            training->stop[step & 1] = interrupted != 0;
        NnResult result;
        model->train_step(&batch, &result);
        if (!result.finite || training->stop[step & 1]) {
            if (leader) {
                training->outcome = result.finite ? INTERRUPTED : NOT_FINITE;
                training->failed = batch;
            }
            return false;
        }
        if (leader)
            count_step(training, &result, done + batch.rows);
    }
    nn_barrier();
    if (leader) {
        training->seconds = now() - training->display.epoch_started;
        profile_end(&training->profile, training->steps, training->training);
    }
    return true;
}

static bool weights_are_finite(Training *training)
{
    const NnTensor *tensor = tensors_not_finite(training->model);
    if (!tensor)
        return true;
    training->outcome = NOT_FINITE;
    return failed("'%s' has a number that is not finite after epoch %d: try a learning rate below "
                  "%g, with '--lr X'",
                  tensor->name, training->progress.epoch + 1, training->progress.rate);
}

static void end_epoch(Training *training)
{
    Progress *progress = &training->progress;
    const double count = training->training;
    const bool validated = training->validation > 0;
    if (!weights_are_finite(training))
        return;
    EpochRecord *record = &progress->history[progress->epoch++];
    *record = (EpochRecord){
        .loss = training->loss / count + training->penalty / (double)training->steps,
        .accuracy = training->model->classes ? (double)training->hits / count : NAN,
        .validation_loss = validated ? training->validation_score.loss : NAN,
        .validation_accuracy = validated ? training->validation_score.accuracy : NAN,
        .seconds = training->seconds,
        .images_per_second = count / training->seconds,
    };
    progress->step += training->steps;
    training->fingerprint = tensors_fingerprint(training->model);
    if (!train_save_best(training) ||
        !weights_write(training->weights, training->model, progress, WEIGHTS_TO_CONTINUE) ||
        !train_report(training, "running", NULL) || !display_record(&training->display, record))
        training->outcome = FAILED;
}

// Asked by all threads together, with one answer for all: the leader goes on, perhaps to another
// outcome, only when everybody has read this one.
static bool still_runs(const Training *training)
{
    nn_barrier();
    const bool runs = training->outcome == RUNNING;
    nn_barrier();
    return runs;
}

// Run by each thread. Between two barriers only the leader writes what others read.
static void train_team(void *context)
{
    Training *training = context;
    const bool leader = nn_thread() == 0;
    const int first = training->progress.epoch + 1;
    nn_barrier();
    for (int epoch = first; epoch <= training->options->epochs; epoch++) {
        if (watch_has_ended(&training->model->stop, training->progress.history, epoch - 1))
            break;
        if (leader)
            begin_epoch(training, epoch);
        nn_barrier();
        if (!run_epoch(training))
            return;
        if (leader) {
            tensors_swap_averages(training->model);
            training->averaged = true;
        }
        nn_barrier();
        if (training->validation > 0)
            score_team(&training->validate);
        if (leader)
            end_epoch(training);
        if (!still_runs(training))
            return;
    }
    if (leader && !train_restore_best(training))
        training->outcome = FAILED;
    if (!still_runs(training))
        return;
    if (training->evaluate.count > 0) { // not of the test data, which the leader is about to load
        if (leader && !train_load_test(training))
            training->outcome = FAILED;
        if (!still_runs(training))
            return;
        score_team(&training->evaluate);
    }
    for (int i = 0; training->model->profiled && i < 5; i++) // the best of them counts
        peak_measure(&training->profile.peak);
    if (leader)
        training->outcome = FINISHED;
}

int command_train(const NnModel *model, const Options *options)
{
    static Training training; // its paths are long
    training = (Training){.model = model, .options = options, .lock = -1};
    int status;
    if (!model->train_step) {
        failed("'%s' was compiled for inference only: its .net has no loss", model->name);
        status = end_with_problem();
    } else if (!train_prepare(&training)) {
        if (training.made_folder)
            rmdir(options->out); // nothing lies in it
        status = end_with_problem();
    } else {
        train_print_start(&training);
        interrupted = 0;
        catch_signals();
        if (!team_run(options->threads, train_team, &training))
            training.outcome = FAILED;
        training.signal = (int)interrupted;
        status = train_end(&training);
    }
    train_free(&training);
    return status;
}
