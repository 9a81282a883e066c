// rate.c: the learning rate of each step, and whether training still makes progress.
//
// Both are functions of the model's constants, of the number of the step or epoch and of the
// history: there is no state, so that a resumed training goes on as if it had never stopped.

#include <math.h>

#include "run.h"

// --- progress -----------------------------------------------------------------------------------

static double watched(const NnWatch *watch, const EpochRecord *record)
{
    return watch->accuracy ? -record->validation_accuracy : record->validation_loss;
}

// As Keras' EarlyStopping and ReduceLROnPlateau: better by more than min_delta. What is not a
// number is never better.
static bool is_better(const NnWatch *watch, const EpochRecord *record, const EpochRecord *best)
{
    return watched(watch, record) < (best ? watched(watch, best) : INFINITY) - watch->min_delta;
}

// The first of the best epochs of `epochs`, from 1; 0 where there is none.
int watch_best(const NnWatch *watch, const EpochRecord *history, int epochs)
{
    int best = 0;
    for (int i = 0; i < epochs; i++)
        if (is_better(watch, &history[i], best > 0 ? &history[best - 1] : NULL))
            best = i + 1;
    return best;
}

// Keras' EarlyStopping: true where training ends after the last of `epochs`.
bool watch_has_ended(const NnWatch *watch, const EpochRecord *history, int epochs)
{
    return watch->patience > 0 && epochs - watch_best(watch, history, epochs) >= watch->patience;
}

// Keras' ReduceLROnPlateau after `epochs`.
static double plateau_rate(const NnSchedule *schedule, double rate, const EpochRecord *history,
                           int epochs)
{
    const NnWatch *watch = &schedule->watch;
    const EpochRecord *best = NULL;
    int wait = 0, cooldown = 0;
    for (int i = 0; i < epochs; i++) {
        if (cooldown > 0) {
            cooldown--;
            wait = 0;
        }
        if (is_better(watch, &history[i], best)) {
            best = &history[i];
            wait = 0;
        } else if (cooldown == 0 && ++wait >= watch->patience) {
            rate = rate > schedule->to ? fmax(rate * schedule->factor, schedule->to) : rate;
            cooldown = schedule->cooldown;
            wait = 0;
        }
    }
    return rate;
}

// --- schedules ----------------------------------------------------------------------------------

// Rounding must not make a change a step late: 0.14 * 50 is a little more than 7, and so is twice
// 0.07 * 50.
double or_whole(double number)
{
    const double whole = round(number);
    return fabs(number - whole) <= 1e-9 * number ? whole : number;
}

static double steps_of(NnTime time, double steps_per_epoch, double steps)
{
    switch (time.unit) {
    case NN_STEPS: return time.count;
    case NN_EPOCHS: return time.count * steps_per_epoch;
    case NN_SHARE: break;
    }
    return or_whole(time.count * steps);
}

// How many of the times of a schedule in steps lie behind, `after` steps behind the warmup.
static int times_behind(const RatePlan *plan, double after, double steps)
{
    const NnSchedule *schedule = plan->schedule;
    int count = 0;
    while (count < schedule->at_count &&
           steps_of(schedule->at[count], plan->steps_per_epoch, steps) <= after)
        count++;
    return count;
}

// From `from` at share 0 to `to` at share 1, along half a wave of the cosine.
static double cosine(double from, double to, double share)
{
    return to + (from - to) / 2 * (1 + cos(3.14159265358979323846 * share));
}

// Keras' CosineDecayRestarts (Loshchilov and Hutter 2017): each fall is t_mul times as long as the
// one before and begins at m_mul times its height.
static double cosine_restarts(const NnSchedule *schedule, double rate, double step, double length)
{
    double height = 1;
    if (schedule->t_mul == 1) { // of which there may be many
        const double falls = floor(or_whole(step / length));
        height = pow(schedule->m_mul, falls);
        step = fmax(step - falls * length, 0);
    }
    while (schedule->t_mul != 1 && or_whole(step / length) >= 1) {
        step = fmax(step - length, 0);
        length *= schedule->t_mul;
        height *= schedule->m_mul;
    }
    return schedule->to + (rate - schedule->to) * height * cosine(1, 0, step / length);
}

// PyTorch's OneCycleLR of two phases (Smith and Topin 2018); the momentum stays as it is.
static double one_cycle(const NnSchedule *schedule, double rate, double step, double steps)
{
    const double start = rate / schedule->div, end = start / schedule->final_div;
    const double peak = schedule->rise * steps - 1, last = steps - 1;
    if (step <= peak && peak > 0)
        return cosine(start, rate, step / peak);
    const double from = fmax(peak, 0);
    return last > from ? cosine(rate, end, fmin((step - from) / (last - from), 1)) : end;
}

RatePlan rate_plan(const NnModel *model, double rate, long steps_per_epoch, int epochs,
                   const EpochRecord *history, int completed)
{
    const NnSchedule *schedule = &model->schedule;
    return (RatePlan){.schedule = schedule,
                      .rate = schedule->kind == NN_PLATEAU
                                  ? plateau_rate(schedule, rate, history, completed)
                                  : rate,
                      .steps_per_epoch = (double)steps_per_epoch,
                      .steps = (double)steps_per_epoch * epochs};
}

// Of step 1, 2 and so on; the formulas count from 0, as Keras, and from the end of the warmup.
double rate_of_step(const RatePlan *plan, int64_t number)
{
    const NnSchedule *schedule = plan->schedule;
    const double rate = plan->rate, step = (double)(number - 1);
    const double warmup = steps_of(schedule->warmup, plan->steps_per_epoch, plan->steps);
    if (step < warmup)
        return rate * step / warmup;
    // a training that goes on with other data may have fewer steps than it had of warmup
    const double after = step - warmup, left = fmax(plan->steps - warmup, 1);
    const double time = steps_of(schedule->time, plan->steps_per_epoch, left);
    const double share = time > 0 ? fmin(after / time, 1) : 1;
    switch (schedule->kind) {
    case NN_CONSTANT_RATE:
    case NN_PLATEAU: break;
    case NN_STEP:
        return rate * pow(schedule->factor, schedule->at_count ? times_behind(plan, after, left)
                                                               : floor(or_whole(after / time)));
    case NN_EXPONENTIAL: return rate * pow(schedule->factor, after / time);
    case NN_COSINE:
        if (schedule->restart.count > 0)
            return cosine_restarts(schedule, rate, after,
                                   fmax(1, steps_of(schedule->restart, plan->steps_per_epoch,
                                                    left)));
        return cosine(rate, schedule->to, share);
    case NN_POLYNOMIAL:
        return schedule->to + (rate - schedule->to) * pow(1 - share, schedule->power);
    case NN_ONE_CYCLE: return one_cycle(schedule, rate, after, left);
    }
    return rate;
}
