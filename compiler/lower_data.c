// lower_data.c: what the program says of its data: where it lies, what is kept for checks, and
// whether its examples have classes or numbers to learn.
#include "lower.h"
#include "passes.h"

#include <string.h>

enum { MOST_CLASSES = 256 }; // a label is a byte

const DataSet *data_set(const Program *program)
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

static bool is_format(const DataSet *data, const char *format)
{
    return !data->pictures && !strcmp(data->format, format);
}

// The value of a setting that this kind of data may not have.
const char *data_text(const Program *program, const char *name)
{
    const Setting *const found = find_setting(program->data, name);
    return found ? found->word : NULL;
}

bool learns_numbers(const Program *program) { return data_text(program, "targets") != NULL; }

// A table's answers are columns of it.
const char *answers_file(const Program *program)
{
    const bool numbers = learns_numbers(program) && !is_format(data_set(program), "NN_CSV");
    return data_text(program, numbers ? "targets" : "labels");
}

bool has_bytes(const DataSet *data)
{
    return strcmp(data->format, "NN_CSV") != 0 && strcmp(data->format, "NN_NPY") != 0;
}

// Inputs and answers are one file, or two.
static bool check_answers(const Program *program, const DataSet *data)
{
    const Loc loc = program->data->loc;
    const char *const label = data_text(program, is_format(data, "NN_CSV") ? "label" : "labels");
    if (label && learns_numbers(program)) {
        error_at(E451, setting(program->data, "targets")->loc,
                 "'data %s' has either labels or targets", data->name);
        note_at(loc, "a label is a class, targets are numbers to learn");
        return false;
    }
    const bool two_files = is_format(data, "NN_IDX") || is_format(data, "NN_NPY");
    if (two_files && program->loss && !label && !learns_numbers(program)) {
        error_at(E452, loc, "'data %s' has no labels to train with", data->name);
        note_at((Loc){0}, "write 'data %s \"x.%s\" labels \"y.%s\"'%s", data->name, data->name,
                data->name, is_format(data, "NN_NPY") ? ", or targets for numbers to learn" : "");
        return false;
    }
    return true;
}

static bool check_part(const DataSet *data, const Clause *clause)
{
    const Setting *const part = setting(clause, "part");
    const bool two = is_format(data, "NN_IDX") || is_format(data, "NN_NPY");
    if (part->word && data->pictures) {
        error_at(E453, part->loc, "'%s' is a data set by name: its %s is a part, as in '10%%'",
                 data->name, clause->word);
        return false;
    }
    if (part->word && two != (part->second != NULL)) {
        error_at(E454, part->loc, "'data %s' takes %s for its %s", data->name,
                 two ? "two files, inputs and answers," : "one file", clause->word);
        return false;
    }
    if (data->pictures && !part->percent && part->number >= data->pictures) {
        error_at(E456, part->loc, "no picture of '%s' is left to train with: it has %d", data->name,
                 data->pictures);
        return false;
    }
    if (!strcmp(clause->word, "test") && data->pictures && part->origin != ORIGIN_DEFAULT) {
        error_at(E455, clause->loc, "'%s' has a test set of its own", data->name);
        return false;
    }
    return true;
}

bool check_data(const Program *program)
{
    const DataSet *const data = data_set(program);
    return check_answers(program, data) && check_part(data, program->validation) &&
           check_part(data, program->test);
}

// Of files, the network's outputs say how many classes or numbers there are, where they may be so
// many.
void take_answers(const Lowering *l)
{
    Network *const network = l->network;
    const Program *const program = network->program;
    const DataSet *const data = data_set(program);
    const long outputs = shape_size(current_shape(l));
    const bool named = is_format(data, "NN_CSV") || is_format(data, "NN_FOLDER");
    if (data->pictures)
        return;
    if (learns_numbers(program))
        network->targets = (int)outputs;
    else if ((named || answers_file(program)) && outputs <= MOST_CLASSES)
        network->classes = outputs == 1 ? 2 : (int)outputs;
}

bool check_classes(const Lowering *l, bool one_for_two)
{
    Network *const network = l->network;
    const Program *const program = network->program;
    const Clause *const last = l->clause;
    const DataSet *const data = data_set(program);
    const long outputs = shape_size(current_shape(l));
    take_answers(l);
    if (network->targets)
        return true;
    const bool one = one_for_two && outputs == 1;
    if (!data->pictures && !one && (outputs < 2 || outputs > MOST_CLASSES)) {
        error_at(E305, last->loc, "the last layer has %ld output%s; classes are 2 to %d", outputs,
                 outputs > 1 ? "s" : "", MOST_CLASSES);
        const bool softmax = !strcmp(setting_word(program->loss, "kind"), "cross_entropy");
        if (outputs == 1)
            note_at((Loc){0},
                    "for two classes, write 'dense 2%s', or 'dense 1 sigmoid' and "
                    "'loss binary_cross_entropy'",
                    softmax ? " softmax" : "");
        note_at(program->data->loc, "for numbers to learn, write 'targets' here");
        return false;
    }
    if (outputs == network->classes || (one && network->classes == 2))
        return true;
    error_at(E305, last->loc, "the last layer has %ld output%s, but '%s' has %d classes", outputs,
             outputs > 1 ? "s" : "", data->name, data->classes);
    note_at(program->data->loc,
            program->data->loc.source ? "the data set is named here"
                                      : "no 'data' statement: '%s' is the default",
            data->name);
    return false;
}
