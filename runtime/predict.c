// predict.c: the predict command: what the network makes of examples, from files or the test set.

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data.h"

enum { BEST = 3 };

// Where an example comes from.
typedef struct {
    const char *argument;
    int number; // of those in the argument's file, from 1; 0 where it has just one
    bool of_test;
} Origin;

typedef struct {
    const NnModel *model;
    const Options *options;
    Progress progress; // for the names of the classes
    DataSet test;      // loaded when the first argument is a number
    DataSet all;       // the examples; labels and targets as `known` says
    Origin *origins;   // [all.count]
    bool *known;       // [all.count]: whether its answer is
    int room;
    uint32_t *sequence;
    cJSON *json;
    bool failed; // an answer is not finite: nothing more is said
} Prediction;

// --- examples -----------------------------------------------------------------------------------

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool make_room(Prediction *p, int more)
{
    const NnModel *model = p->model;
    DataSet *all = &p->all;
    if (all->count + more <= p->room)
        return true;
    const size_t room = (size_t)(p->room = 2 * p->room + more);
    const size_t size = room * (size_t)example_size(model);
    void *parts[] = {
        realloc(all->pictures, size),
        realloc(all->numbers, size * sizeof(float)),
        realloc(all->labels, room),
        realloc(all->targets, room * (size_t)(model->targets + 1) * sizeof(float)),
        realloc(p->origins, room * sizeof *p->origins),
        realloc(p->known, room * sizeof *p->known),
    };
    bool done = true;
    void **const places[] = {(void **)&all->pictures, (void **)&all->numbers, (void **)&all->labels,
                             (void **)&all->targets,  (void **)&p->origins,   (void **)&p->known};
    for (int i = 0; i < 6; i++) {
        *places[i] = parts[i] ? parts[i] : *places[i];
        done &= parts[i] != NULL;
    }
    return done || failed("out of memory for %zu examples", room);
}

// Adds examples first .. first+count-1 of a set.
static bool add(Prediction *p, const DataSet *set, int first, int count, Origin origin)
{
    const size_t size = (size_t)example_size(p->model), targets = (size_t)p->model->targets;
    DataSet *all = &p->all;
    if (!make_room(p, count))
        return false;
    for (int i = first; i < first + count; i++) {
        const size_t to = (size_t)all->count, from = (size_t)i;
        if (set->pictures)
            memcpy(all->pictures + to * size, set->pictures + from * size, size);
        else
            memcpy(all->numbers + to * size, set->numbers + from * size, size * sizeof(float));
        if (set->labels)
            all->labels[to] = set->labels[from];
        if (set->targets)
            memcpy(all->targets + to * targets, set->targets + from * targets,
                   targets * sizeof(float));
        p->origins[to] = origin;
        p->origins[to].number = count > 1 ? i + 1 : 0;
        p->known[to] = set->labels || set->targets;
        all->count++;
    }
    return true;
}

static bool add_of_test(Prediction *p, const char *text, bool *bytes)
{
    DataSet *test = &p->test;
    if (test->count == 0 &&
        !data_load(test, p->model, p->options->data, DATA_TEST, &p->progress.classes))
        return false;
    const unsigned long index = strtoul(text, NULL, 10); // ULONG_MAX where it is too large
    if (index >= (unsigned long)test->count)
        return failed("there is no test %s '%s': the test set has 0 to %d",
                      example_word(p->model), text, test->count - 1);
    *bytes = test->pictures != NULL;
    return add(p, test, (int)index, 1, (Origin){.argument = text, .of_test = true});
}

static bool add_picture(Prediction *p, const char *path)
{
    DataSet one = {.count = 1, .pictures = allocate(1, (size_t)example_size(p->model))};
    const bool alike = p->model->format != NN_NPY ||
                       npy_scaled_alike(p->model, p->options->data, path, true);
    const bool done = alike && one.pictures &&
                      picture_read(path, p->model, p->options->invert, one.pictures) &&
                      add(p, &one, 0, 1, (Origin){.argument = path});
    data_free(&one);
    return done;
}

static bool add_file(Prediction *p, const char *path, bool *bytes)
{
    DataSet set = {0};
    const char *folder = p->options->data;
    const bool done = data_load_file(&set, p->model, folder, path, &p->progress.classes) &&
                      add(p, &set, 0, set.count, (Origin){.argument = path});
    *bytes = set.pictures != NULL;
    data_free(&set);
    return done;
}

static bool ends_in(const char *path, const char *ending)
{
    const size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

// An argument is a number in the test set, a file of the kind that the network was trained with, or
// a picture. All are of one kind of numbers, as a batch is.
static bool add_argument(Prediction *p, const char *argument, bool *bytes)
{
    const NnFormat format = p->model->format;
    *bytes = true;
    if (is_number(argument))
        return add_of_test(p, argument, bytes);
    const bool csv = ends_in(argument, ".csv") || ends_in(argument, ".csv.gz");
    const bool npy = ends_in(argument, ".npy") || ends_in(argument, ".npy.gz");
    const bool picture = is_picture_name(argument);
    if ((format == NN_CSV && !npy && !picture) || (npy && format == NN_NPY)) // a table has any name
        return add_file(p, argument, bytes);
    if (csv || npy || format == NN_CSV)
        return failed("'%s' is no file for this network: it takes %s", argument,
                      format == NN_CSV   ? "lines of a .csv file"
                      : format == NN_NPY ? "arrays in .npy files, and pictures"
                                         : "pictures: .png, .pgm or .ppm");
    return add_picture(p, argument);
}

// Everything is read before anything is predicted: a bad argument prints no half of a result.
static bool take_examples(Prediction *p)
{
    const Options *options = p->options;
    bool bytes = true, first = true;
    for (int i = 0; i < options->argument_count; i++) {
        const char *argument = options->arguments[i];
        const bool before = bytes;
        if (!add_argument(p, argument, &bytes))
            return false;
        if (!first && bytes != before)
            return failed("'%s' holds %s, and what stands before it does not: predict them apart",
                          argument, bytes ? "bytes" : "numbers that are no bytes");
        first = false;
    }
    free(bytes ? (void *)p->all.numbers : (void *)p->all.pictures);
    *(bytes ? (void **)&p->all.numbers : (void **)&p->all.pictures) = NULL;
    p->sequence = sequence_of(p->all.count);
    return p->sequence != NULL;
}

// --- answers ------------------------------------------------------------------------------------

// The classes of the largest outputs of one row, best first; returns how many.
static int find_best(const NnModel *model, int row, int best[BEST], double output[BEST])
{
    int found = 0;
    for (int class = 0; class < model->outputs; class ++) {
        const double y = tensor_get(model, model->output, (long)row * model->outputs + class);
        int place = found;
        while (place > 0 && y > output[place - 1])
            place--;
        if (place == BEST)
            continue;
        found = nn_min(found + 1, BEST);
        for (int i = found - 1; i > place; i--) {
            best[i] = best[i - 1];
            output[i] = output[i - 1];
        }
        best[place] = class;
        output[place] = y;
    }
    return found;
}

static void print_origin(const Prediction *p, int index)
{
    const Origin *origin = &p->origins[index];
    char name[CLASS_TEXT];
    if (origin->of_test)
        printf("test %s %s", example_word(p->model), origin->argument);
    else if (origin->number)
        printf("%s, example %d", origin->argument, origin->number);
    else
        printf("%s", origin->argument);
    if (p->known[index] && p->model->classes) {
        class_name(name, p->progress.classes, p->all.labels[index]);
        printf(" (a %s)", name);
    }
    printf(": ");
}

// One output stands for two classes: there is nothing but the answer and the output.
static bool is_single(const Prediction *p)
{
    return p->model->outputs == 1 && p->model->classes == 2;
}

static void print_single(const Prediction *p, int row)
{
    char name[CLASS_TEXT];
    class_name(name, p->progress.classes, p->model->predicted[row]);
    printf("%s, output %.6g\n", name, tensor_get(p->model, p->model->output, row));
}

static void print_output(const Prediction *p, double output)
{
    if (p->model->scores)
        printf("%.6g", output);
    else
        printf("%.2f%%", 100 * output);
}

static void print_classes(const Prediction *p, int row)
{
    int best[BEST];
    double output[BEST];
    char name[CLASS_TEXT];
    const int found = find_best(p->model, row, best, output);
    class_name(name, p->progress.classes, best[0]);
    printf("%s%s", name, p->model->scores ? ", output " : " with ");
    print_output(p, output[0]);
    for (int i = 0; i < found; i++) {
        class_name(name, p->progress.classes, best[i]);
        printf("%s%s ", i > 0 ? ", " : "  [", name);
        print_output(p, output[i]);
    }
    printf("]\n");
}

static void print_numbers(const Prediction *p, int row)
{
    const NnModel *model = p->model;
    for (int j = 0; j < model->outputs; j++)
        printf("%s%.6g", j ? " " : "",
               tensor_get(model, model->output, (long)row * model->outputs + j));
    printf("\n");
}

static void add_class(cJSON *object, const Prediction *p, const char *key, int class)
{
    cJSON_AddNumberToObject(object, key, class);
    if (p->progress.classes)
        cJSON_AddStringToObject(object, strcmp(key, "label") == 0 ? "label_name" : "name",
                                p->progress.classes->name[class]);
}

static void add_best(cJSON *object, const Prediction *p, int row)
{
    int best[BEST];
    double output[BEST];
    const char *const key = p->model->scores ? "output" : "probability";
    const int found = find_best(p->model, row, best, output);
    add_class(object, p, "class", best[0]);
    json_number(object, key, output[0]);
    cJSON *list = cJSON_AddArrayToObject(object, "best");
    for (int i = 0; i < found; i++) {
        cJSON *one = cJSON_CreateObject();
        add_class(one, p, "class", best[i]);
        json_number(one, key, output[i]);
        cJSON_AddItemToArray(list, one);
    }
}

static void add_numbers(cJSON *object, const Prediction *p, int row, int index)
{
    const NnModel *model = p->model;
    char text[32];
    cJSON *outputs = cJSON_AddArrayToObject(object, "outputs");
    for (int j = 0; j < model->outputs; j++) {
        number_text(text, tensor_get(model, model->output, (long)row * model->outputs + j));
        cJSON_AddItemToArray(outputs, cJSON_CreateRaw(text));
    }
    cJSON *targets = p->known[index] ? cJSON_AddArrayToObject(object, "targets") : NULL;
    for (int j = 0; targets && j < model->targets; j++) {
        number_text(text, (double)p->all.targets[(long)index * model->targets + j]);
        cJSON_AddItemToArray(targets, cJSON_CreateRaw(text));
    }
}

static cJSON *make_json(const Prediction *p, int row, int index)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "picture", p->origins[index].argument);
    if (p->origins[index].number)
        cJSON_AddNumberToObject(object, "example", p->origins[index].number);
    if (p->known[index] && p->model->classes)
        add_class(object, p, "label", p->all.labels[index]);
    if (p->model->targets)
        add_numbers(object, p, row, index);
    else if (is_single(p)) {
        add_class(object, p, "class", p->model->predicted[row]);
        json_number(object, "output", tensor_get(p->model, p->model->output, row));
    } else {
        add_best(object, p, row);
    }
    return object;
}

// The largest of outputs that are not numbers is none.
static bool is_finite(const Prediction *p, int row, int index)
{
    const NnModel *model = p->model;
    const Origin *origin = &p->origins[index];
    char example[32] = "", of_test[32] = "";
    if (origin->of_test)
        snprintf(of_test, sizeof of_test, "test %s ", example_word(model));
    if (origin->number)
        snprintf(example, sizeof example, ", example %d", origin->number);
    for (int j = 0; j < model->outputs; j++)
        if (!isfinite(tensor_get(model, model->output, (long)row * model->outputs + j)))
            return failed("%s'%s'%s: the network's outputs are not finite; expected inputs of the "
                          "size of the training data's",
                          of_test, origin->argument, example);
    return true;
}

static void answer(Prediction *p, int row, int index)
{
    if (p->json) {
        cJSON_AddItemToArray(p->json, make_json(p, row, index));
        return;
    }
    print_origin(p, index);
    if (p->model->targets)
        print_numbers(p, row);
    else if (is_single(p))
        print_single(p, row);
    else
        print_classes(p, row);
}

static void predict_team(void *context)
{
    Prediction *p = context;
    const NnModel *model = p->model;
    NnResult result;
    for (int done = 0; done < p->all.count; done += model->batch) {
        const NnBatch batch = {
            .pictures = p->all.pictures,
            .numbers = p->all.numbers,
            .index = p->sequence + done,
            .rows = nn_min(model->batch, p->all.count - done),
        };
        model->infer(&batch, &result);
        for (int row = 0; nn_thread() == 0 && row < batch.rows && !p->failed; row++) {
            p->failed = !is_finite(p, row, done + row);
            if (!p->failed)
                answer(p, row, done + row);
        }
        nn_barrier();
    }
}

int command_predict(const NnModel *model, const Options *options)
{
    Prediction p = {.model = model, .options = options};
    bool done = read_wanted_weights(model, options, &p.progress) && take_examples(&p);
    if (done) {
        p.json = options->json ? cJSON_CreateArray() : NULL;
        done = team_run(options->threads, predict_team, &p) && !p.failed;
        if (options->json && done)
            done = json_print_line(p.json);
        else
            cJSON_Delete(p.json);
    }
    data_free(&p.test);
    data_free(&p.all);
    free(p.origins);
    free(p.known);
    free(p.sequence);
    progress_free(&p.progress);
    return done ? 0 : end_with_problem();
}
