// bench.c: the bench command: how long a training step takes and where its time goes.
//
// Rounds of plain steps, which give the time of a step, alternate with rounds of timed ones, which
// tell how it divides, and with measurements of the machine: what one of them says of another holds
// for the same minute. The weights are made anew and never written.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

enum { ROUNDS = 8 };

typedef struct {
    const NnModel *model;
    const Options *options;
    DataSet set;
    bool random;
    uint32_t *order;
    Profile profile;
    double *times; // of groups of plain steps, in seconds for a step
    long room, count;
    int group;        // steps that are timed together
    int plain, timed; // groups, and single steps, in a round
    bool overflowed;
    double first_ended; // by now(), which other programs can read too
} Bench;

// What each thread knows alike.
typedef struct {
    int64_t step;
    int batch; // of the epoch
    double rate;
} Place;

// One step of the training.
static void take_step(Bench *bench, Place *place, bool timed)
{
    const NnModel *model = bench->model;
    const int rows = nn_min(model->batch, bench->set.count);
    NnBatch batch = data_batch(&bench->set);
    batch.index = bench->order + (size_t)place->batch * (size_t)rows;
    batch.rows = rows;
    batch.known = bench->set.count - place->batch * rows;
    batch.seed = bench->options->seed;
    batch.epoch = 1;
    batch.number = place->batch;
    batch.step = ++place->step;
    batch.rate = place->rate;
    batch.timed = timed;
    NnResult result;
    model->train_step(&batch, &result);
    place->batch = place->batch + 1 < bench->set.count / rows ? place->batch + 1 : 0;
    if (!result.finite) { // the time of such a step says nothing: stand still from here on
        nn_barrier();
        if (nn_thread() == 0) {
            tensors_initialise(model, bench->options->seed);
            bench->overflowed = true;
        }
        place->rate = 0;
        place->batch = 0; // no earlier step is to be made up for
        nn_barrier();
    }
}

// So many steps; returns the seconds of one, on average.
static double take_steps(Bench *bench, Place *place, int steps)
{
    const double began = now();
    for (int i = 0; i < steps; i++)
        take_step(bench, place, false);
    return (now() - began) / steps;
}

// Steps that share work are timed together.
static int least_group(const NnModel *model) { return nn_max(model->ahead, 1); }

// And so many that looking at the clock takes no time.
static int group_of(const NnModel *model, double step)
{
    const double enough = 20e-6;
    const int least = least_group(model);
    return step * least < enough ? (int)(enough / (step * least)) * least : least;
}

// At least one, and what there is room for; `wanted` may be more than an int counts.
static int count_of(const Bench *bench, double wanted)
{
    const double most = (double)bench->room / ROUNDS;
    return wanted < 1 ? 1 : (int)(wanted < most ? wanted : most);
}

// How many steps a round has, from the time of the first ones.
static void choose_counts(Bench *bench, double step)
{
    const Options *options = bench->options;
    const double seconds = options->seconds / ROUNDS;
    const bool given = options->given[OPTION_STEPS];
    bench->group = given ? least_group(bench->model) : group_of(bench->model, step);
    const double plain =
        (given ? (double)options->steps / ROUNDS : 0.5 * seconds / step) / bench->group;
    const double timed = given ? (double)options->steps / ROUNDS / 2 : 0.3 * seconds / step;
    bench->plain = count_of(bench, plain);
    bench->timed = count_of(bench, timed);
}

static void warm_up(Bench *bench, Place *place)
{
    double fastest = 1e30, spent = 0;
    const double enough = 0.1 * bench->options->seconds;
    const int least = least_group(bench->model);
    take_step(bench, place, false); // meets cold memory
    nn_barrier();
    if (nn_thread() == 0)
        bench->first_ended = now();
    for (int i = 0; i < 2; i++) {
        const double seconds = take_steps(bench, place, least);
        fastest = seconds < fastest ? seconds : fastest;
        spent += seconds * least;
    }
    nn_barrier();
    if (nn_thread() == 0) {
        choose_counts(bench, fastest);
        bench->count = spent < enough ? (long)((enough - spent) / fastest) : 0;
    }
    nn_barrier();
    const long more = bench->count;
    for (long i = 0; i < more; i++)
        take_step(bench, place, false);
    nn_barrier();
    if (nn_thread() == 0)
        bench->count = 0;
}

static void bench_team(void *context)
{
    Bench *bench = context;
    const bool leader = nn_thread() == 0;
    Place place = {.rate = bench->options->rate};
    warm_up(bench, &place);
    for (int round = 0; round < ROUNDS; round++) {
        peak_measure(&bench->profile.peak);
        // the measurement has emptied the caches
        take_step(bench, &place, false);
        for (int i = 0; i < bench->plain; i++) {
            const double seconds = take_steps(bench, &place, bench->group);
            if (leader)
                bench->times[bench->count++] = seconds;
        }
        if (leader)
            profile_begin(&bench->profile);
        for (int i = 0; i < bench->timed; i++)
            take_step(bench, &place, true);
        nn_barrier();
        if (leader)
            profile_end(&bench->profile, bench->timed,
                        (double)bench->timed * nn_min(bench->model->batch, bench->set.count));
    }
}

// --- what was found -----------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double mean(const Bench *bench)
{
    double sum = 0;
    for (long i = 0; i < bench->count; i++)
        sum += bench->times[i];
    return sum / (double)bench->count;
}

static double quantile(const Bench *bench, double share)
{
    return bench->times[(long)(share * (double)(bench->count - 1) + 0.5)];
}

static void print_bench(const Bench *bench)
{
    const NnModel *model = bench->model;
    const int rows = nn_min(model->batch, bench->set.count);
    const double step = quantile(bench, 0.5), products = profile_products(&bench->profile);
    printf("%s: batch %d, %s, %d thread%s, %s\n\n", model->name, rows, model->optimizer,
           bench->options->threads, bench->options->threads > 1 ? "s" : "",
           bench->random ? "random pictures" : bench->options->data);
    profile_print(&bench->profile);
    printf("\na step takes %.4f ms (the median of %ld; nine of ten lie within %.4f .. %.4f):\n",
           1e3 * step, bench->count, 1e3 * quantile(bench, 0.05), 1e3 * quantile(bench, 0.95));
    printf("%.1f GF/s in matrix products, %.1f%% of peak; %.0f pictures/s\n", products / step / 1e9,
           100 * products / step / bench->profile.peak.operations, (double)rows / step);
    if (bench->set.zeros)
        printf("products with zeros are counted, but left out where a whole tile of them is zeros; "
               "--all-terms takes them\n");
}

static bool print_json(const Bench *bench)
{
    const NnModel *model = bench->model;
    const int rows = nn_min(model->batch, bench->set.count);
    const double step = quantile(bench, 0.5), products = profile_products(&bench->profile);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", model->name);
    cJSON_AddNumberToObject(object, "batch", rows);
    cJSON_AddNumberToObject(object, "threads", bench->options->threads);
    cJSON_AddStringToObject(object, "data", bench->random ? "random" : bench->options->data);
    cJSON_AddNumberToObject(object, "vector_bytes", model->vector_bytes);
    cJSON_AddBoolToObject(object, "leaves_out_zeros", bench->set.zeros);
    cJSON_AddNumberToObject(object, "steps", (double)bench->count);
    json_number(object, "first_step_ended", bench->first_ended);
    json_number(object, "seconds_mean", mean(bench));
    json_number(object, "seconds", step);
    json_number(object, "seconds_5", quantile(bench, 0.05));
    json_number(object, "seconds_25", quantile(bench, 0.25));
    json_number(object, "seconds_75", quantile(bench, 0.75));
    json_number(object, "seconds_95", quantile(bench, 0.95));
    json_number(object, "products_per_second", products / step);
    json_number(object, "of_peak", products / step / bench->profile.peak.operations);
    json_number(object, "pictures_per_second", rows / step);
    profile_json(&bench->profile, object);
    return json_print_line(object);
}

// --- the whole ----------------------------------------------------------------------------------

// Real pictures where they are, unless random ones are wanted; as many of those as the caches don't
// hold together.
static bool load(Bench *bench)
{
    const Options *options = bench->options;
    const NnModel *model = bench->model;
    bench->random =
        options->random || (!options->given[OPTION_DATA] && access(options->data, F_OK) != 0);
    if (!bench->random)
        return data_load(&bench->set, model, options->data, DATA_TRAIN, NULL);
    const long size = (long)model->height * model->width * model->channels;
    const long most = (32L << 20) / size / model->batch;
    return data_random(&bench->set, model, model->batch * nn_min(most < 1 ? 1 : (int)most, 100),
                       options->seed);
}

static bool prepare(Bench *bench)
{
    const Options *options = bench->options;
    if (!load(bench))
        return false;
    bench->set.zeros &= !options->all_terms;
    if (!profile_open(&bench->profile, bench->model, options->threads))
        return false;
    bench->room =
        options->given[OPTION_STEPS] && options->steps > ROUNDS ? options->steps : 1 << 20;
    bench->order = allocate((size_t)bench->set.count, sizeof *bench->order);
    bench->times = allocate((size_t)bench->room, sizeof *bench->times);
    if (!bench->order || !bench->times)
        return false;
    order_shuffle(bench->order, bench->set.count, options->seed, 1);
    tensors_initialise(bench->model, options->seed);
    return true;
}

int command_bench(const NnModel *model, const Options *options)
{
    Bench bench = {.model = model, .options = options};
    if (!model->train_step) {
        failed("'%s' was compiled for inference only: its .net has no loss", model->name);
        return end_with_problem();
    }
    bool done = prepare(&bench) && team_run(options->threads, bench_team, &bench);
    if (done) {
        qsort(bench.times, (size_t)bench.count, sizeof *bench.times, by_size);
        if (bench.overflowed)
            fprintf(stderr,
                    "%s: note: the loss was not finite; the rest was measured with the first "
                    "weights and without learning\n",
                    message_name());
        if (options->json)
            done = print_json(&bench);
        else
            print_bench(&bench);
    }
    profile_close(&bench.profile);
    free(bench.times);
    free(bench.order);
    data_free(&bench.set);
    return done ? 0 : end_with_problem();
}
