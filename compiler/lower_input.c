// lower_input.c: the input, which must be an example of the data set.
#include "lower.h"
#include "passes.h"

#include <string.h>

enum { MOST_AUGMENTED = 1000000 }; // numbers of a picture's frame, which lies on the stack

static void check_batch(const Program *program, const DataSet *data)
{
    const double size = setting_number(program->batch, "size");
    if (data->pictures && size > data->pictures)
        warn_at(program->batch->loc,
                "a batch of %.0f is more than the %d training pictures of '%s': an epoch is one "
                "smaller batch",
                size, data->pictures, data->name);
}

// Numbers of a picture with one row and column before it and two behind: nn_augment.h.
long frame_size(Shape picture)
{
    return (picture.dims[0] + 3L) * (picture.dims[1] + 3L) * picture.dims[2];
}

// True where training sees changed pictures. False without an error where nothing is to change.
static bool augments(const Program *program, Shape picture, bool *wrong)
{
    const Clause *const augment = program->augment;
    *wrong = false;
    if (!augment || !program->loss)
        return false;
    bool written = false, changes = strcmp(setting_word(augment, "flip"), "off") != 0;
    bool moves = changes;
    for (int i = 0; i < augment->setting_count; i++) {
        const Setting *const s = &augment->settings[i];
        written |= s->origin != ORIGIN_DEFAULT;
        if (s->kind != SETTING_NUMBER || s->number <= 0 || !strcmp(s->name, "grid"))
            continue;
        changes = true;
        moves |= strcmp(s->name, "noise") != 0 && strcmp(s->name, "cutout") != 0;
    }
    const long room = frame_size(picture);
    const Words words = option_words(statement_row("augment"), NULL);
    if (!written) {
        error_at(E350, augment->loc, "'augment' without a change to make");
        note_at((Loc){0}, "it takes %s", join_words(words.words, words.count, "and"));
        *wrong = true;
    } else if (picture.dims[0] == 1 && picture.dims[1] == 1) {
        error_at(E352, augment->loc,
                 "'augment' needs a picture, but the input is a row of %d values", picture.dims[2]);
        note_at(program->input->loc, "a picture's shape is height x width x channels, as in "
                                     "'input 28x28x1'");
        *wrong = true;
    } else if (room > MOST_AUGMENTED) {
        error_at(E351, augment->loc,
                 "'augment' changes pictures of up to %d values with three rows and columns more, "
                 "not of %ld",
                 MOST_AUGMENTED, room);
        *wrong = true;
    }
    if (moves && !*wrong && learns_numbers(program)) {
        warn_at(augment->loc, "'augment' moves what the network reads, and not what it learns");
        note_at(program->data->loc, "these targets stay as their file has them");
    }
    return changes && !*wrong;
}

// The shape of a data set's examples: what is known by its name, otherwise what the input says.
static bool find_picture(const Program *program, Shape input, Shape *picture)
{
    const DataSet *const data = data_set(program);
    *picture = input.count == 3 ? input : shape_of(3, 1, 1, input.dims[0]);
    if (!data->pictures)
        return true;
    *picture = shape_of(3, data->height, data->width, data->channels);
    if (shape_equal(input, *picture) || shape_equal(input, flat(*picture)))
        return true;
    error_at(E304, setting(program->input, "shape")->loc,
             "input is %s, but pictures of '%s' are %s", shape_text(input), data->name,
             shape_text(*picture));
    if (shape_equal(input, shape_of(3, data->channels, data->height, data->width)))
        note_at((Loc){0}, "channels come last, as in Keras: 'input %s'", shape_text(*picture));
    note_at(program->data->loc,
            program->data->loc.source ? "the data set is named here"
                                      : "no 'data' statement: '%s' is the default",
            data->name);
    return false;
}

// One mean and one deviation for each channel; of a row of values, for each of them.
static void add_standardize(Lowering *l)
{
    Network *const network = l->network;
    const Clause *const clause = network->program->standardize;
    if (!clause)
        return;
    const Shape channels = shape_of(1, network->picture.dims[2]);
    const char *const names[] = {"input_mean", "input_deviation"};
    int tensors[2];
    for (int i = 0; i < 2; i++)
        tensors[i] = tensor_add(network, (Tensor){.name = names[i],
                                                  .layer = "input",
                                                  .role = ROLE_STATE,
                                                  .shape = channels,
                                                  .init = "NN_CONSTANT",
                                                  .scale = i,
                                                  .loc = clause->loc});
    apply(l, OP_standardize, (Attributes){0}, 2, tensors);
    name_value(l, "_standard", "standardize");
}

bool lower_input(Lowering *l)
{
    Network *const network = l->network;
    const Program *const program = network->program;
    const Setting *const shape = setting(program->input, "shape");
    Shape input = {.count = shape->dim_count};
    memcpy(input.dims, shape->dims, sizeof input.dims);
    if (!check_data(program) || !find_picture(program, input, &network->picture))
        return false;
    const DataSet *const data = data_set(program);
    check_batch(program, data);
    network->classes = data->classes;
    l->layer = "input";
    l->clause = program->input;
    bool wrong;
    const bool augmented = augments(program, network->picture, &wrong);
    Graph *const graphs[] = {&network->train, &network->infer};
    int *const values[] = {&l->train, &l->infer};
    for (int i = 0; i < 2; i++) {
        const Op op = augmented && i == 0 ? OP_augmented : OP_picture;
        *values[i] = node_add(graphs[i], op, "input", program->input->loc, 0, NULL);
        Node *const node = &graphs[i]->nodes[*values[i]];
        node->shape = input;
        if (op == OP_augmented)
            node->suffix = "augment";
    }
    if (wrong || !is_countable(program->input->loc, input))
        return false;
    add_standardize(l);
    return true;
}
