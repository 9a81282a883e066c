// lab_seeds.c: a row's trainings, which differ in their seeds, and what they are together: the mean
// and either end of what they reached.
#include "lab.h"

#include <math.h>
#include <stdlib.h>

// The first training writes into the row's own folder, so that it is the same with any number of
// seeds.
void plan_trainings(Lab *lab, const char *seeds)
{
    if (seeds)
        lab->seeds = atoi(seeds);
    for (int i = 0; i < lab->count; i++) {
        Experiment *const row = &lab->rows[i];
        row->seeds = lab->seeds;
        row->trainings = allocate((size_t)row->seeds * sizeof *row->trainings);
        for (int k = 0; k < row->seeds; k++)
            row->trainings[k] =
                (Training){.folder = k ? format("%s/training-%d", row->folder, k + 1) : row->folder,
                           .seed = NAN};
    }
}

static int count_trainings(const Experiment *row, Outcome outcome)
{
    int count = 0;
    for (int i = 0; i < row->seeds; i++)
        count += row->trainings[i].outcome == outcome;
    return count;
}

// A chosen row that lacks a training was stopped between two of them.
static Outcome outcome_of(const Experiment *row)
{
    const int missing = count_trainings(row, NOT_RUN);
    return count_trainings(row, STOPPED) || (row->chosen && missing) ? STOPPED
           : row->finished                                           ? FINISHED
           : row->failed                                             ? FAILED
                                                                     : NOT_RUN;
}

static Score each(double (*of_two)(double, double), Score a, Score b)
{
    return (Score){of_two(a.accuracy, b.accuracy), of_two(a.loss, b.loss),
                   of_two(a.seconds, b.seconds)};
}

// As fmin and fmax do, these pass over NAN: a training that was killed and went on has lost the
// seconds of its first epochs.
static double sum(double a, double b) { return isnan(a) ? b : isnan(b) ? a : a + b; }
static double count(double so_far, double b) { return so_far + !isnan(b); }
static double quotient(double a, double b) { return b > 0 ? a / b : NAN; }

static void add_training(Experiment *row, Score *counts, const Training *training)
{
    const Score *const score = &training->score;
    if (!row->first)
        row->first = training;
    row->ours = each(sum, row->ours, *score);
    *counts = each(count, *counts, *score);
    row->least = each(fmin, row->least, *score);
    row->most = each(fmax, row->most, *score);
    row->kept &= training->kept;
    row->seconds = sum(row->seconds, score->seconds);
    row->wall_seconds += training->wall_seconds;
}

void summarise(Experiment *row)
{
    row->finished = count_trainings(row, FINISHED);
    row->failed = count_trainings(row, FAILED);
    row->outcome = outcome_of(row);
    row->kept = true;
    row->ours = row->least = row->most = (Score){NAN, NAN, NAN};
    Score counts = {0};
    for (int i = 0; i < row->seeds; i++) {
        const Training *const training = &row->trainings[i];
        if (training->outcome == FINISHED)
            add_training(row, &counts, training);
        else if (training->outcome == FAILED && !row->problem)
            row->problem = training->problem;
    }
    row->ours = each(quotient, row->ours, counts);
    if (row->first)
        row->parameters = row->first->parameters;
}
