// score.c: how good the network is on labelled pictures, each counted exactly once.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

static void count_pairs(const Scoring *scoring, const NnBatch *batch)
{
    long *confusion = scoring->score->confusion;
    const int classes = scoring->model->classes;
    for (int i = 0; confusion && scoring->model->predicted && i < batch->rows; i++) {
        const int truth = batch->labels[batch->index[i]];
        const int guess = scoring->model->predicted[i];
        if (guess >= 0 && guess < classes) // a wider last layer may name a class that is none
            confusion[truth * classes + guess]++;
    }
}

// Run by each thread of a team. The barrier keeps the model's outputs until they are counted.
void score_team(void *context)
{
    Scoring *scoring = context;
    Score *score = scoring->score;
    const NnModel *model = scoring->model;
    const bool leader = nn_thread() == 0;
    double loss = 0, penalty = 0;
    long hits = 0, batches = 0;
    if (leader && score->confusion)
        memset(score->confusion, 0,
               (size_t)model->classes * (size_t)model->classes * sizeof *score->confusion);
    for (int done = 0; done < scoring->count; done += model->batch) {
        const NnBatch batch = {
            .pictures = scoring->set->pictures,
            .labels = scoring->set->labels,
            .index = scoring->sequence + scoring->first + done,
            .rows = nn_min(model->batch, scoring->count - done),
        };
        model->infer(&batch, &scoring->result);
        if (leader) {
            loss += scoring->result.loss;
            penalty += scoring->result.penalty;
            hits += scoring->result.hits;
            batches++;
            count_pairs(scoring, &batch);
        }
        nn_barrier();
    }
    if (leader) {
        score->count = scoring->count;
        score->hits = hits;
        score->loss = loss / (double)scoring->count + penalty / (double)batches;
        score->accuracy = (double)hits / (double)scoring->count;
    }
}

uint32_t *sequence_of(int count)
{
    uint32_t *sequence = allocate((size_t)count, sizeof *sequence);
    for (int i = 0; sequence && i < count; i++)
        sequence[i] = (uint32_t)i;
    return sequence;
}

bool score_memory(Score *score, const NnModel *model)
{
    const size_t classes = (size_t)model->classes;
    *score = (Score){.confusion = allocate(classes * classes, sizeof *score->confusion)};
    return score->confusion != NULL;
}

bool read_wanted_weights(const NnModel *model, const Options *options, Progress *progress)
{
    char path[RUN_PATH];
    const char *named = options->given[OPTION_WEIGHTS] ? options->weights : NULL;
    if (!named && !path_join(path, options->out, "weights.safetensors"))
        return false;
    if (!named && access(path, F_OK) != 0)
        return failed("no weights in '%s': train first with '%s train', or name a file with "
                      "'--weights FILE'",
                      path, message_name());
    return weights_read(named ? named : path, model, WEIGHTS_ONLY, progress);
}
