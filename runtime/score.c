// score.c: how good the network is on labelled pictures, each counted exactly once.

#include <math.h>
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

// A label counts whose output is less than `top` others; of equal ones the first is the larger.
static void count_top(const Scoring *scoring, const NnBatch *batch)
{
    const NnModel *model = scoring->model;
    const bool ranks = model->top && batch->labels && model->outputs == model->classes;
    if (model->outputs == 1) // for two classes, which are the two largest
        scoring->score->top_hits += batch->rows;
    for (int i = 0; ranks && i < batch->rows; i++) {
        const long row = (long)i * model->outputs;
        const int label = batch->labels[batch->index[i]];
        const double of_label = tensor_get(model, model->output, row + label);
        int before = 0;
        for (int j = 0; j < model->outputs; j++) {
            const double output = tensor_get(model, model->output, row + j);
            before += output > of_label || (output == of_label && j < label);
        }
        scoring->score->top_hits += before < model->top;
    }
}

// Of outputs that are numbers. Keras' binary_accuracy is one only where each target is yes or no.
static void add_errors(const Scoring *scoring, const NnBatch *batch)
{
    const NnModel *model = scoring->model;
    Score *score = scoring->score;
    for (int i = 0; batch->targets && i < batch->rows; i++)
        for (int j = 0; j < model->targets; j++) {
            const float target =
                batch->targets[(size_t)batch->index[i] * (size_t)model->targets + (size_t)j];
            const double output = tensor_get(model, model->output, (long)i * model->outputs + j);
            const double error = output - (double)target;
            score->mse += error * error;
            score->mae += fabs(error);
            if (target != 0 && target != 1)
                score->agree = -1;
            else if (score->agree >= 0)
                score->agree += (output > 0.5) == (target == 1);
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
    if (leader) {
        score->finite = true;
        score->top_hits = 0;
        score->mse = score->mae = 0;
        score->agree = model->target_range == NN_FROM_0_TO_1 ? 0 : -1;
    }
    if (leader && score->confusion)
        memset(score->confusion, 0,
               (size_t)model->classes * (size_t)model->classes * sizeof *score->confusion);
    for (int done = 0; done < scoring->count; done += model->batch) {
        NnBatch batch = data_batch(scoring->set);
        batch.index = scoring->sequence + scoring->first + done;
        batch.rows = nn_min(model->batch, scoring->count - done);
        NnResult result = {0};
        model->infer(&batch, &result);
        if (leader) {
            loss += result.loss;
            penalty += result.penalty;
            hits += result.hits;
            score->finite &= isfinite(result.loss) != 0;
            batches++;
            count_pairs(scoring, &batch);
            count_top(scoring, &batch);
            add_errors(scoring, &batch);
        }
        nn_barrier();
    }
    if (leader) {
        score->count = scoring->count;
        score->hits = hits;
        score->loss = loss / (double)scoring->count + penalty / (double)batches;
        // the largest of outputs that are not numbers is none
        score->accuracy =
            model->classes && score->finite ? (double)hits / (double)scoring->count : NAN;
        score->mse /= (double)scoring->count * model->outputs;
        score->mae /= (double)scoring->count * model->outputs;
    }
}

bool score_is_sound(const Score *score)
{
    return score->finite ||
           failed("the loss of the test data is not finite: expected inputs of the size of the "
                  "training data's; look for too large ones, or train again");
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
    *score = (Score){.confusion = NULL};
    if (classes == 0)
        return true;
    score->confusion = allocate(classes * classes, sizeof *score->confusion);
    return score->confusion != NULL;
}

bool wanted_weights(const NnModel *model, const Options *options, char path[RUN_PATH])
{
    if (options->given[OPTION_WEIGHTS]) {
        if (snprintf(path, RUN_PATH, "%s", options->weights) >= RUN_PATH)
            return failed("the path '%s' is longer than %d bytes", options->weights, RUN_PATH - 1);
        return true;
    }
    if (!path_join(path, options->out, "weights.safetensors"))
        return false;
    if (access(path, F_OK) == 0)
        return true;
    if (!model->train_step)
        return failed("no weights in '%s': name a file with '--weights FILE'", path);
    return failed("no weights in '%s': train first with '%s train', or name a file with "
                  "'--weights FILE'",
                  path, message_name());
}

bool read_wanted_weights(const NnModel *model, const Options *options, Progress *progress)
{
    char path[RUN_PATH];
    return wanted_weights(model, options, path) &&
           weights_read(path, model, WEIGHTS_ONLY, progress);
}
