// gradcheck.c: the gradcheck command: the compiled backward pass against central differences.
//
// In double, with the tolerances of PyTorch's gradcheck. What is differentiated is the mean loss
// over the rows plus the penalty, as gradient_step computes both.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static const double EPSILON = 1e-6, ABSOLUTE = 1e-5, RELATIVE = 1e-3;
static const double MOST_SKIPPED = 0.05; // of the elements of a tensor; two are allowed always

typedef struct {
    long index;                      // of the element; -1: none
    double analytic, numeric, error; // error: relative to the tolerance; above 1 is a failure
} Worst;

typedef struct {
    const NnModel *model;
    const Options *options;
    DataSet set;
    uint32_t *index;
    NnBatch batch;
    double *const *analytic; // one array for each tensor; NULL where it has no gradient
    // of the running tensor
    long checked, skipped;
    double relative; // the largest relative error
    Worst worst;
    int failures;
    char first_failure[512];
    cJSON *json;
} Check;

static double loss_of(Check *check)
{
    NnResult result;
    nn_barrier(); // the leader has changed a weight
    check->model->gradient_step(&check->batch, &result);
    return result.loss / check->batch.rows + result.penalty;
}

static double loss_at(Check *check, double *weight, double value)
{
    if (nn_thread() == 0)
        *weight = value;
    return loss_of(check);
}

static bool differ(double a, double b) { return !(fabs(a - b) <= ABSOLUTE + RELATIVE * fabs(b)); }

// Where relu or a maximum changes its branch within EPSILON there is no derivative to compare with;
// it shows by one-sided differences that disagree with each other.
static void check_element(Check *check, double *weight, double analytic, long index, double middle)
{
    const double kept = *weight;
    nn_barrier(); // before the leader changes it
    const double above = loss_at(check, weight, kept + EPSILON);
    const double below = loss_at(check, weight, kept - EPSILON);
    if (nn_thread() == 0) {
        *weight = kept;
        const double numeric = (above - below) / (2 * EPSILON);
        check->checked++;
        if (differ((above - middle) / EPSILON, (middle - below) / EPSILON)) {
            check->skipped++;
        } else {
            const double gap = fabs(analytic - numeric);
            const double error = gap / (ABSOLUTE + RELATIVE * fabs(numeric));
            const double size = fmax(fabs(analytic), fabs(numeric));
            if (size > ABSOLUTE) // smaller ones differ by rounding alone
                check->relative = fmax(check->relative, gap / size);
            if (!(error <= check->worst.error))
                check->worst = (Worst){index, analytic, numeric, isnan(error) ? INFINITY : error};
        }
    }
    nn_barrier();
}

// "[3,17]"
static void print_place(const NnTensor *tensor, long index, char text[80])
{
    long place[NN_MAX_DIMS];
    int used = 0;
    for (int i = tensor_rank(tensor) - 1; i >= 0; i--) {
        place[i] = index % tensor->dim[i];
        index /= tensor->dim[i];
    }
    for (int i = 0; i < tensor_rank(tensor); i++)
        used += snprintf(text + used, 80 - (size_t)used, "%s%ld", i > 0 ? "," : "[", place[i]);
    snprintf(text + used, 80 - (size_t)used, "%s", used > 0 ? "]" : "");
}

static bool too_many_skipped(const Check *check)
{
    return check->skipped > 2 && (double)check->skipped > MOST_SKIPPED * (double)check->checked;
}

static void note_failure(Check *check, const NnTensor *tensor)
{
    char place[80];
    const Worst *worst = &check->worst;
    if (check->failures++ > 0)
        return;
    if (worst->error > 1) {
        print_place(tensor, worst->index, place);
        snprintf(check->first_failure, sizeof check->first_failure,
                 "the gradient of '%.200s' is wrong at %s: analytic %.10g, numeric %.10g",
                 tensor->name, place, worst->analytic, worst->numeric);
    } else {
        snprintf(check->first_failure, sizeof check->first_failure,
                 "the gradient of '%.200s' cannot be checked: %ld of %ld elements lie at a kink",
                 tensor->name, check->skipped, check->checked);
    }
}

static void report_tensor(Check *check, const NnTensor *tensor)
{
    const bool right = check->worst.error <= 1 && !too_many_skipped(check);
    char shape[64];
    tensor_shape(tensor, shape);
    if (check->options->json) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "tensor", tensor->name);
        cJSON_AddNumberToObject(row, "elements", (double)tensor_count(tensor));
        cJSON_AddNumberToObject(row, "checked", (double)check->checked);
        cJSON_AddNumberToObject(row, "skipped", (double)check->skipped);
        json_number(row, "worst_relative_error", check->relative);
        cJSON_AddBoolToObject(row, "right", right);
        cJSON_AddItemToArray(check->json, row);
    } else {
        printf("%-16s %-14s %5ld checked %4ld skipped  worst relative error %.2e  %s\n",
               tensor->name, shape, check->checked, check->skipped, check->relative,
               right ? "ok" : "WRONG");
    }
    if (!right)
        note_failure(check, tensor);
}

// All elements, or --samples of them: one, drawn by counter, from each of so many equal parts.
static void check_tensor(Check *check, int number, double middle)
{
    const NnTensor *tensor = &check->model->tensors[number];
    const long count = tensor_count(tensor);
    const long samples = count < check->options->samples ? count : check->options->samples;
    const uint64_t key = nn_key(check->options->seed, nn_stream("gradcheck"), (uint64_t)number);
    double *weights = tensor->data;
    if (nn_thread() == 0) {
        check->checked = check->skipped = 0;
        check->relative = 0;
        check->worst = (Worst){.index = -1};
    }
    nn_barrier();
    for (long i = 0; i < samples; i++) {
        const double offset = samples < count ? nn_unit(key, (uint64_t)i) : 0;
        long index = (long)(((double)i + offset) * (double)count / (double)samples);
        index = index < count ? index : count - 1;
        const long place = tensor_place(tensor, index);
        check_element(check, &weights[place], check->analytic[number][place], index, middle);
    }
    if (nn_thread() == 0)
        report_tensor(check, tensor);
}

static void check_team(void *context)
{
    Check *check = context;
    const NnModel *model = check->model;
    loss_of(check); // what the second step computes must not need an arena full of zeros
    const double middle = loss_of(check);
    if (nn_thread() == 0)
        for (int i = 0; i < model->tensor_count; i++)
            if (check->analytic[i])
                memcpy(check->analytic[i], model->tensors[i].gradient,
                       tensor_bytes(model, &model->tensors[i]));
    nn_barrier();
    for (int i = 0; i < model->tensor_count; i++)
        if (check->analytic[i])
            check_tensor(check, i, middle);
}

// Weights that all begin with one value (biases with 0) would lie right at the kinks.
static void move_constants(const NnModel *model, uint64_t seed)
{
    for (int i = 0; i < model->tensor_count; i++) {
        const NnTensor *tensor = &model->tensors[i];
        const uint64_t key = nn_key(seed, nn_stream(tensor->name), 1);
        if (tensor->role != NN_WEIGHT || tensor->init != NN_CONSTANT)
            continue;
        for (long j = 0; j < tensor_count(tensor); j++)
            ((double *)tensor->data)[j] += 0.2 * nn_unit(key, (uint64_t)j) - 0.1;
    }
}

static bool prepare(Check *check, double **analytic)
{
    const NnModel *model = check->model;
    const Options *options = check->options;
    int rows = options->rows;
    if (!(options->random ? data_random(&check->set, model, rows, options->seed)
                          : data_load(&check->set, model, options->data, DATA_TRAIN, NULL)))
        return false;
    rows = nn_min(rows, check->set.count);
    check->index = sequence_of(rows);
    if (!check->index)
        return false;
    for (int i = 0; i < model->tensor_count; i++) {
        const NnTensor *tensor = &model->tensors[i];
        if (tensor->role != NN_WEIGHT || !tensor->gradient)
            continue;
        analytic[i] = allocate((size_t)tensor_count(tensor), sizeof **analytic);
        if (!analytic[i])
            return false;
    }
    check->batch = data_batch(&check->set);
    check->batch.index = check->index;
    check->batch.rows = rows;
    check->batch.seed = options->seed;
    check->batch.epoch = 1;
    check->batch.step = 1;
    check->batch.rate = model->rate;
    tensors_initialise(model, options->seed);
    standardize_by(model, &check->set, check->set.count);
    move_constants(model, options->seed);
    return true;
}

static bool run(Check *check)
{
    check->json = check->options->json ? cJSON_CreateArray() : NULL;
    const bool ran = team_run(check->options->threads, check_team, check);
    if (!ran)
        cJSON_Delete(check->json);
    if (!ran || (check->json && !json_print_line(check->json)))
        return false;
    if (check->failures == 0)
        return true;
    if (check->failures == 1)
        return failed("%s", check->first_failure);
    return failed("%s (and %d other tensors)", check->first_failure, check->failures - 1);
}

int command_gradcheck(const NnModel *model, const Options *options)
{
    Check check = {.model = model, .options = options};
    if (!model->gradient_step) {
        failed("'%s' cannot check its gradients: compile it with '--precision f64', and with a "
               "loss",
               model->name);
        return end_with_problem();
    }
    double **analytic = allocate((size_t)model->tensor_count, sizeof *analytic);
    check.analytic = analytic;
    const bool done = analytic && prepare(&check, analytic) && run(&check);
    for (int i = 0; analytic && i < model->tensor_count; i++)
        free(analytic[i]);
    free(analytic);
    free(check.index);
    data_free(&check.set);
    return done ? 0 : end_with_problem();
}
