// lower_input.c: the input, which must be an example of the data set.
#include "lower.h"

#include <string.h>

enum { MOST_AUGMENTED = 1000000 }; // numbers of a picture's frame, which lies on the stack

typedef struct {
    const char *name;
    int height, width, channels, classes, pictures;
} DataSet;

static const DataSet *data_set(const Program *program)
{
    static const DataSet table[] = {
#define DATASET(...) {__VA_ARGS__},
#include "datasets.def"
    };
    const char *const name = setting_word(program->data, "name");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name))
            return &table[i];
    bug("data set '%s'", name);
}

static void check_batch(const Program *program, const DataSet *data)
{
    const double size = setting_number(program->batch, "size");
    if (size > data->pictures)
        warn_at(program->batch->loc,
                "a batch of %.0f is more than the %d training pictures of '%s': an epoch is one "
                "smaller batch",
                size, data->pictures, data->name);
}

// True where training sees changed pictures. False without an error where nothing is to change.
static bool augments(const Program *program, Shape picture, bool *wrong)
{
    const Clause *const augment = program->augment;
    *wrong = false;
    if (!augment || !program->loss)
        return false;
    bool written = false, changes = strcmp(setting_word(augment, "flip"), "off") != 0;
    for (int i = 0; i < augment->setting_count; i++) {
        const Setting *const s = &augment->settings[i];
        written |= s->origin != ORIGIN_DEFAULT;
        changes |= s->kind == SETTING_NUMBER && s->number > 0 && strcmp(s->name, "grid") != 0;
    }
    const long room = (picture.dims[0] + 3L) * (picture.dims[1] + 3L) * picture.dims[2];
    const Words words = option_words(statement_row("augment"), NULL);
    if (!written) {
        error_at(E350, augment->loc, "'augment' without a change to make");
        note_at((Loc){0}, "it takes %s", join_words(words.words, words.count, "and"));
        *wrong = true;
    } else if (room > MOST_AUGMENTED) {
        error_at(E351, augment->loc, "'augment' changes pictures of up to %d values, not of %ld",
                 MOST_AUGMENTED, shape_size(picture));
        *wrong = true;
    }
    return changes && !*wrong;
}

bool lower_input(Lowering *l)
{
    const Program *const program = l->network->program;
    const Setting *const shape = setting(program->input, "shape");
    const DataSet *const data = data_set(program);
    Shape input = {.count = shape->dim_count};
    memcpy(input.dims, shape->dims, sizeof input.dims);
    const Shape pictures = shape_of(3, data->height, data->width, data->channels);
    if (!shape_equal(input, pictures) && !shape_equal(input, flat(pictures))) {
        error_at(E304, shape->loc, "input is %s, but pictures of '%s' are %s", shape_text(input),
                 data->name, shape_text(pictures));
        note_at(program->data->loc,
                program->data->loc.source ? "the data set is named here"
                                          : "no 'data' statement: '%s' is the default",
                data->name);
        return false;
    }
    check_batch(program, data);
    l->network->classes = data->classes;
    l->network->picture = pictures;
    l->layer = "input";
    l->clause = program->input;
    bool wrong;
    const bool augmented = augments(program, pictures, &wrong);
    Graph *const graphs[] = {&l->network->train, &l->network->infer};
    int *const values[] = {&l->train, &l->infer};
    for (int i = 0; i < 2; i++) {
        const Op op = augmented && i == 0 ? OP_augmented : OP_picture;
        *values[i] = node_add(graphs[i], op, "input", program->input->loc, 0, NULL);
        Node *const node = &graphs[i]->nodes[*values[i]];
        node->shape = input;
        if (op == OP_augmented)
            node->suffix = "augment";
    }
    return !wrong;
}

bool check_classes(const Lowering *l, bool one_for_two)
{
    const Program *const program = l->network->program;
    const Clause *const last = l->clause;
    const long outputs = shape_size(current_shape(l));
    if (outputs == l->network->classes + l->network->targets ||
        (one_for_two && outputs == 1 && l->network->classes == 2))
        return true;
    const DataSet *const data = data_set(program);
    error_at(E305, last->loc, "the last layer has %ld outputs, but '%s' has %d classes", outputs,
             data->name, data->classes);
    note_at(program->data->loc,
            program->data->loc.source ? "the data set is named here"
                                      : "no 'data' statement: '%s' is the default",
            data->name);
    return false;
}
