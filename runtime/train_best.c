// train_best.c: the weights of the best epoch, kept where `patience` may end a training early.
//
// The best epoch's checkpoint is a file beside the last one's, written before it: a training that
// is killed between the two repeats the epoch. At the end it is written in the last one's place, so
// that a training resumed from it walks the same way again.

#include <errno.h>
#include <stdlib.h>
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

// To be called when an epoch is completed, and when a training goes on behind one.
bool train_save_best(Training *training)
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

// At the end the best epoch's weights are the training's result.
bool train_restore_best(Training *training)
{
    const int best = train_best(training);
    Progress progress = {0};
    if (best == 0 || best == training->progress.epoch)
        return true;
    if (!weights_read(training->best, training->model, WEIGHTS_TO_CONTINUE, &progress))
        return false;
    bool done = progress.epoch == best ||
                failed("'%s' is of epoch %d, but the best one was %d", training->best,
                       progress.epoch, best);
    training->fingerprint = tensors_fingerprint(training->model);
    done = done &&
           weights_write(training->weights, training->model, &progress, WEIGHTS_TO_CONTINUE);
    free(progress.history);
    return done;
}
