// train_best.c: the weights of the best epoch, kept where `patience` may end a training early.
//
// The best epoch's checkpoint is a file beside the last one's, written before it: a training that
// is killed between the two goes on from the best one. At the end it is written in the last one's
// place, so that a training resumed from it walks the same way again.

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

// The best epoch so far; 0 where none is sought or all were not a number.
int train_best(const Training *training)
{
    const NnWatch *stop = &training->model->stop;
    const Progress *progress = &training->progress;
    return stop->patience > 0 ? watch_best(stop, progress->history, progress->epoch) : 0;
}

// To be called when an epoch is completed.
bool train_save_best(const Training *training)
{
    const int best = train_best(training);
    if (best == 0)
        return true;
    if (best == training->progress.epoch)
        return weights_write(training->best, training->model, &training->progress,
                             WEIGHTS_TO_CONTINUE);
    if (access(training->best, R_OK) != 0)
        return failed("cannot read '%s', the weights of the best epoch, %d: %s", training->best,
                      best, strerror(errno));
    return true;
}

// A file has no other word than null for all numbers that are not finite.
static bool is_same(double left, double right)
{
    return left == right || (!isfinite(left) && !isfinite(right));
}

// The folder may hold another training's: it writes its best weights before the last ones.
static bool is_of_training(const Progress *found, const Progress *progress)
{
    const int epochs = nn_min(found->epoch, progress->epoch);
    bool same = found->seed == progress->seed;
    for (int i = 0; i < epochs && same; i++)
        same = is_same(found->history[i].loss, progress->history[i].loss) &&
               is_same(found->history[i].validation_loss, progress->history[i].validation_loss);
    return same;
}

// Reads the best weights, of epoch `best` or of epoch `or_of`.
static bool read_best(const Training *training, int best, int or_of, Progress *found)
{
    const Progress *progress = &training->progress;
    *found = (Progress){0};
    if (!weights_read(training->best, training->model, WEIGHTS_TO_CONTINUE, found))
        return false;
    const bool same = is_of_training(found, progress);
    if (same && (found->epoch == best || found->epoch == or_of))
        return true;
    failed("'%s' is not of the training of '%s': expected the best epoch, %d, of seed %" PRIu64
           ", found epoch %d of seed %" PRIu64 "%s; train anew, without '--resume'",
           training->best, training->weights, best, progress->seed, found->epoch, found->seed,
           !same && found->seed == progress->seed ? " with other losses" : "");
    progress_free(found);
    return false;
}

// To be called when a training goes on behind an epoch, whose weights it has read. Where it was
// killed before it wrote the last weights, the best ones are those: were the epoch repeated, with
// another rate it could be another one, and the best one before it is overwritten.
bool train_resume_best(Training *training)
{
    Progress *progress = &training->progress;
    const int best = train_best(training), last = progress->epoch;
    Progress found;
    if (!train_save_best(training))
        return false;
    if (best == 0 || best == last)
        return true;
    if (!read_best(training, best, last + 1, &found))
        return false;
    if (found.epoch <= last) {
        progress_free(&found);
        return weights_read(training->weights, training->model, WEIGHTS_TO_CONTINUE, NULL);
    }
    found.rate = progress->rate;
    progress_free(progress);
    *progress = found;
    return weights_write(training->weights, training->model, progress, WEIGHTS_TO_CONTINUE);
}

// At the end the best epoch's weights are the training's result.
bool train_restore_best(Training *training)
{
    const int best = train_best(training);
    Progress found;
    if (best == 0 || best == training->progress.epoch)
        return true;
    if (!read_best(training, best, best, &found))
        return false;
    training->fingerprint = tensors_fingerprint(training->model);
    const bool done =
        weights_write(training->weights, training->model, &found, WEIGHTS_TO_CONTINUE);
    progress_free(&found);
    return done;
}
