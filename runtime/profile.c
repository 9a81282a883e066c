// profile.c: the time of each call of a training step, and what it says of the program: the rate of
// each layer and phase beside what the machine can do.
//
// Each thread counts for itself. Times are shown divided by the number of threads, so that they add
// up to the step's; what no call accounts for, threads have spent waiting for each other.

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run.h"

static struct {
    uint64_t *ticks; // [threads][stride]
    size_t stride;   // a thread's own lines of the cache
} counts;

uint64_t nn_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
#endif
}

void nn_called(int call, uint64_t since)
{
    counts.ticks[(size_t)nn_thread() * counts.stride + (size_t)call] += nn_ticks() - since;
}

bool profile_open(Profile *profile, const NnModel *model, int threads)
{
    enum { LINE = 64 / sizeof(uint64_t) };
    *profile = (Profile){.model = model, .threads = threads};
    counts.stride = ((size_t)model->call_count + 2 * LINE) / LINE * LINE;
    counts.ticks = allocate((size_t)threads * counts.stride, sizeof *counts.ticks);
    return counts.ticks && peak_prepare(&profile->peak, model, threads);
}

void profile_close(Profile *profile)
{
    free(counts.ticks);
    counts.ticks = NULL;
    peak_free(&profile->peak);
}

void profile_begin(Profile *profile)
{
    profile->began = now();
    profile->ticks_began = nn_ticks();
}

void profile_end(Profile *profile, long steps, double pictures)
{
    profile->seconds += now() - profile->began;
    profile->ticks += (double)(nn_ticks() - profile->ticks_began);
    profile->steps += steps;
    profile->pictures += pictures;
}

// --- sums ---------------------------------------------------------------------------------------

// Of one step: seconds of the whole team, work, and what the roofline allows.
typedef struct {
    double seconds, products, operations, bytes, bound;
} Sum;

static Sum call_sum(const Profile *profile, int call)
{
    const NnModel *model = profile->model;
    const NnCall *c = &model->calls[call];
    const double pictures = profile->pictures / (double)profile->steps;
    double ticks = 0;
    for (int t = 0; t < profile->threads; t++)
        ticks += (double)counts.ticks[(size_t)t * counts.stride + (size_t)call];
    Sum sum = {
        .seconds = ticks / profile->ticks * profile->seconds / (double)profile->steps /
                   profile->threads,
        .products = c->products * pictures,
        .operations = (c->products + c->picture_operations) * pictures + c->step_operations,
        .bytes = c->picture_bytes * pictures + c->step_bytes,
    };
    // the least time: that of the operations, or of the bytes, from the cache they fit in
    const int tasks = model->blocks > profile->threads ? model->blocks : profile->threads;
    const double moving = sum.bytes / peak_bandwidth(&profile->peak, sum.bytes / tasks);
    const double working = sum.operations / profile->peak.operations;
    sum.bound = moving > working ? moving : working;
    return sum;
}

static void add_sum(Sum *to, Sum sum)
{
    to->seconds += sum.seconds;
    to->products += sum.products;
    to->operations += sum.operations;
    to->bytes += sum.bytes;
    to->bound += sum.bound;
}

// The calls of one layer in one phase.
static Sum group_sum(const Profile *profile, int first)
{
    const NnCall *calls = profile->model->calls;
    Sum sum = {0};
    for (int i = first; i < profile->model->call_count; i++)
        if (calls[i].phase == calls[first].phase && !strcmp(calls[i].layer, calls[first].layer))
            add_sum(&sum, call_sum(profile, i));
    return sum;
}

static bool is_first(const NnCall *calls, int call)
{
    for (int i = 0; i < call; i++)
        if (calls[i].phase == calls[call].phase && !strcmp(calls[i].layer, calls[call].layer))
            return false;
    return true;
}

static Sum step_sum(const Profile *profile)
{
    Sum sum = {0};
    for (int i = 0; i < profile->model->call_count; i++)
        add_sum(&sum, call_sum(profile, i));
    return sum;
}

double profile_products(const Profile *profile) { return step_sum(profile).products; }

// --- text ---------------------------------------------------------------------------------------

static const char *const phases[] = {"forward", "backward", "update"};

// Times are in the unit that suits the step.
static bool in_microseconds(double step) { return step < 1e-3; }

static void print_row(const Profile *profile, int width, const char *layer, const char *phase,
                      Sum sum, double step)
{
    const double rate = sum.operations / sum.seconds;
    printf("%-*s  %-8s  %10.3f %5.1f%%", width, layer, phase,
           (in_microseconds(step) ? 1e6 : 1e3) * sum.seconds, 100 * sum.seconds / step);
    if (sum.operations > 0 && sum.seconds > 0)
        printf("  %8.2f %6.1f%%  %9.3f  %8.2f %6.0f%%", rate / 1e9,
               100 * rate / profile->peak.operations, sum.bytes / 1e6,
               sum.operations / sum.bound / 1e9, 100 * sum.bound / sum.seconds);
    putchar('\n');
}

void profile_print(const Profile *profile)
{
    const NnModel *model = profile->model;
    const double step = profile->seconds / (double)profile->steps;
    int width = 7;
    for (int i = 0; i < model->call_count; i++)
        width = nn_min(24, (int)strlen(model->calls[i].layer) > width
                               ? (int)strlen(model->calls[i].layer)
                               : width);
    printf("%-*s  %-8s  %10s %6s  %8s %7s  %9s  %8s %7s\n", width, "layer", "phase",
           in_microseconds(step) ? "us" : "ms", "part", "GF/s", "of peak", "MB", "roofline",
           "of it");
    for (int phase = NN_FORWARD; phase <= NN_UPDATE; phase++)
        for (int i = 0; i < model->call_count; i++)
            if ((int)model->calls[i].phase == phase && is_first(model->calls, i))
                print_row(profile, width, model->calls[i].layer, phases[phase],
                          group_sum(profile, i), step);
    const Sum all = step_sum(profile);
    print_row(profile, width, "waiting", "", (Sum){.seconds = step - all.seconds}, step);
    Sum whole = all;
    whole.seconds = step;
    print_row(profile, width, "step", "", whole, step);
    printf("\npeak %.1f GF/s: multiply-adds of %s in vectors of %d bytes, %d thread%s\n",
           profile->peak.operations / 1e9, model->type == NN_F64 ? "doubles" : "floats",
           model->vector_bytes, profile->threads, profile->threads > 1 ? "s" : "");
    printf("memory, where each thread works on so many KB:");
    for (int i = 0; i < profile->peak.sizes; i++)
        printf("%s %.0f GB/s on %.0f", i > 0 ? "," : "", profile->peak.bytes[i] / 1e9,
               (double)profile->peak.size[i] / 1e3);
    putchar('\n');
}

// --- JSON ---------------------------------------------------------------------------------------

static void add_json(cJSON *row, const Profile *profile, Sum sum)
{
    json_number(row, "seconds", sum.seconds);
    json_number(row, "operations", sum.operations);
    json_number(row, "products", sum.products);
    json_number(row, "bytes", sum.bytes);
    json_number(row, "of_peak", sum.operations / sum.seconds / profile->peak.operations);
    json_number(row, "roofline_seconds", sum.bound);
}

void profile_json(const Profile *profile, cJSON *object)
{
    const NnModel *model = profile->model;
    cJSON *layers = cJSON_AddArrayToObject(object, "layers");
    cJSON *calls = cJSON_AddArrayToObject(object, "calls");
    for (int i = 0; i < model->call_count; i++) {
        const NnCall *call = &model->calls[i];
        if (is_first(model->calls, i)) {
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, "layer", call->layer);
            cJSON_AddStringToObject(row, "phase", phases[call->phase]);
            add_json(row, profile, group_sum(profile, i));
            cJSON_AddItemToArray(layers, row);
        }
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "function", call->name);
        add_json(row, profile, call_sum(profile, i));
        cJSON_AddItemToArray(calls, row);
    }
    const double step = profile->seconds / (double)profile->steps;
    json_number(object, "timed_seconds", step);
    json_number(object, "waiting_seconds", step - step_sum(profile).seconds);
    json_number(object, "peak", profile->peak.operations);
    cJSON *memory = cJSON_AddArrayToObject(object, "memory");
    for (int i = 0; i < profile->peak.sizes; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "bytes", (double)profile->peak.size[i]);
        json_number(row, "bytes_per_second", profile->peak.bytes[i]);
        cJSON_AddItemToArray(memory, row);
    }
}
