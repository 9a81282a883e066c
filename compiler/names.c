// names.c: the names of layers, which become the names of functions and weights.
#include "language.h"

#include <stdlib.h>
#include <string.h>

// Whether the name was written, and where.
static Loc written_name(const Clause *layer)
{
    for (int i = 0; i < layer->setting_count; i++)
        if (!strcmp(layer->settings[i].name, "as") && layer->settings[i].word)
            return layer->settings[i].loc;
    return (Loc){0};
}

// `as NAME`, or the word and its ordinal among all layers of that word, so that naming or inserting
// a layer renames no layer of another kind.
static void give_names(Program *program)
{
    const Words words = statement_words(SECTION_ANY);
    int *const counts = allocate((size_t)words.count * sizeof *counts);
    const char **const open = allocate((size_t)program->layer_count * sizeof *open);
    int depth = 0;
    for (int i = 0; i < program->layer_count; i++) {
        Clause *const layer = &program->layers[i];
        int kind = 0;
        if (layer->bracket >= BRACKET_NEXT)
            layer->name = open[depth - 1];
        depth -= layer->bracket == BRACKET_CLOSES;
        if (layer->bracket >= BRACKET_NEXT)
            continue;
        while (strcmp(words.words[kind], layer->word) != 0)
            kind++;
        counts[kind]++;
        layer->name = format("%s%d", layer->word, counts[kind]);
        const Loc written = written_name(layer);
        if (written.source)
            layer->name = setting_word(layer, "as");
        if (layer->bracket == BRACKET_OPENS)
            open[depth++] = layer->name;
    }
}

static int by_name(const void *left, const void *right)
{
    const Clause *const a = *(const Clause *const *)left, *const b = *(const Clause *const *)right;
    const int order = strcmp(a->name, b->name);
    return order ? order : (a > b) - (a < b);
}

// One name was written for several layers: by a list, a repeat or a block that is used twice.
static void name_of_several(const Clause *layer)
{
    error_at(E514, written_name(layer), "'%s' would be the name of several layers", layer->name);
    note_at((Loc){0}, "a statement that writes several layers gives no name; leave 'as %s' out",
            layer->name);
    note_use(layer->use);
}

static void check_names(const Program *program)
{
    size_t count = 0;
    const Clause **const sorted = allocate(((size_t)program->layer_count + 1) * sizeof *sorted);
    for (int i = 0; i < program->layer_count; i++)
        if (program->layers[i].bracket <= BRACKET_OPENS)
            sorted[count++] = &program->layers[i];
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
            continue;
        const Clause *first = sorted[i - 1], *second = sorted[i];
        if (written_name(first).source && written_name(first).start == written_name(second).start) {
            if (i < 2 || sorted[i - 2]->name != second->name)
                name_of_several(second);
            continue;
        }
        const bool swap = !written_name(second).source;
        const Loc place = written_name(swap ? first : second);
        const Clause *const other = swap ? second : first;
        error_at(E127, place, "'%s' is the name of another layer", second->name);
        note_at(other->loc, written_name(other).source ? "it is given here first"
                                                       : "this layer has it without being named");
    }
}

// Names that the generated code uses whatever the layers are.
static bool is_used(const char *name)
{
    static const char *const words[] = {"input",    "output",   "loss",    "predicted", "result",
                                        "infer",    "squares",  "nn",      "d",         "uint8_t",
                                        "int32_t",  "uint32_t", "int64_t", "uint64_t"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(name, words[i]))
            return true;
    const size_t digits = *name == 'x' ? strspn(name + 1, "0123456789") : 0;
    return digits && !name[1 + digits]; // x1, x2: the inputs of a concat
}

// Names in the generated code are a layer's name and a suffix (conv1_w, conv1_forward), or d_ and
// such a name (d_conv1_w). A name that could be read as one of another layer's is refused.
static void check_generated(const Program *program, const Clause *layer)
{
    static const char *const prefixes[] = {"d_",  "infer_",   "input_",
                                           "nn_", "squares_", "penalties_"};
    const Loc place = written_name(layer);
    const char *const name = layer->name;
    if (is_used(name))
        error_at(E128, place, "'%s' is no name for a layer: the generated code uses it itself",
                 name);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            error_at(E128, place,
                     "'%s' is no name for a layer: names of the generated code begin with '%s'",
                     name, prefixes[i]);
    for (int i = 0; i < program->layer_count; i++) {
        const Clause *const other = &program->layers[i];
        const size_t length = strlen(other->name);
        if (other == layer || other->bracket > BRACKET_OPENS ||
            strncmp(name, other->name, length) || name[length] != '_')
            continue;
        error_at(E128, place, "'%s' could be a part of layer '%s', whose parts begin with '%s_'",
                 name, other->name, other->name);
        note_at(other->loc, "layer '%s' is here", other->name);
    }
}

void name_layers(Program *program)
{
    give_names(program);
    check_names(program);
    for (int i = 0; i < program->layer_count; i++)
        if (program->layers[i].bracket <= BRACKET_OPENS && written_name(&program->layers[i]).source)
            check_generated(program, &program->layers[i]);
}

const char *layer_name(const Program *program, int layer) { return program->layers[layer].name; }
