// names.c: the names of layers, which become the names of functions and weights.
#include "netc.h"

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
    for (int i = 0; i < program->layer_count; i++) {
        Clause *const layer = &program->layers[i];
        int kind = 0;
        while (strcmp(words.words[kind], layer->word) != 0)
            kind++;
        counts[kind]++;
        layer->name = format("%s%d", layer->word, counts[kind]);
        const Loc written = written_name(layer);
        if (written.source)
            layer->name = setting_word(layer, "as");
    }
}

static int by_name(const void *left, const void *right)
{
    const Clause *const a = *(const Clause *const *)left, *const b = *(const Clause *const *)right;
    const int order = strcmp(a->name, b->name);
    return order ? order : (a > b) - (a < b);
}

static void check_names(const Program *program)
{
    const size_t count = (size_t)program->layer_count;
    const Clause **const sorted = allocate((count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &program->layers[i];
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
            continue;
        const Clause *first = sorted[i - 1], *second = sorted[i];
        const bool swap = !written_name(second).source;
        const Loc place = written_name(swap ? first : second);
        const Clause *const other = swap ? second : first;
        error_at(place, "'%s' is the name of another layer", second->name);
        note_at(other->loc, written_name(other).source ? "it is given here first"
                                                       : "this layer has it without being named");
    }
}

void name_layers(Program *program)
{
    give_names(program);
    check_names(program);
}

const char *layer_name(const Program *program, int layer)
{
    return program->layers[layer].name;
}
