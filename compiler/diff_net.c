// diff_net.c: what differs between two networks: layers, totals, settings of the training.
#include "diff.h"
#include "passes.h"

#include <stdlib.h>
#include <string.h>

// A number or word of the whole network.
typedef struct {
    const char *name, *left, *right; // as text; NULL: that side has none
    double left_number, right_number;
    bool is_number;
} Fact;

enum { NAME, STATEMENT, OUTPUT, PARAMETERS, MULTIPLY_ADDS, COLUMNS };

typedef struct {
    const char *cells[COLUMNS];
    const char *place; // " in body 2 of residual", or "" outside of all bodies
} Layer;

typedef struct {
    const Layer *left, *right; // NULL: that side has none
    bool same;                 // but for the name
} LayerPair;

struct NetDiff {
    const Side *left, *right;
    LayerPair *layers; // in their order; the first is the input
    int layer_count;
    bool layers_differ;
    Fact *facts; // those that differ
    int fact_count;
};

// --- layers -------------------------------------------------------------------------------------

// Of each layer of the program, the bodies that it stands in, the innermost first.
static const char **places_of(const Program *program)
{
    typedef struct {
        const char *around, *word;
        int number;
    } OpenBody;
    const size_t count = (size_t)program->layer_count;
    const char **const places = allocate(count * sizeof *places), *place = "";
    OpenBody *const open = allocate(count * sizeof *open);
    int depth = 0;
    for (int i = 0; i < program->layer_count; i++) {
        const Clause *const clause = &program->layers[i];
        if (clause->bracket == BRACKET_CLOSES)
            place = open[--depth].around;
        places[i] = place;
        if (clause->bracket == BRACKET_OPENS)
            open[depth++] = (OpenBody){.around = place, .word = clause->word};
        if (clause->bracket != BRACKET_OPENS && clause->bracket != BRACKET_NEXT)
            continue;
        OpenBody *const body = &open[depth - 1];
        place = format(" in body %d of %s%s", ++body->number, body->word, body->around);
    }
    return places;
}

// The input and the layers.
static Layer *layers_of(const Network *network)
{
    Layer *const layers = allocate(((size_t)network->card_count + 1) * sizeof *layers);
    const char *const *const places = places_of(network->program);
    layers[0] = (Layer){{"input", clause_text(network->program->input),
                         shape_text(network->infer.nodes[0].shape), "", ""},
                        ""};
    for (int i = 0; i < network->card_count; i++) {
        const Card *const card = &network->cards[i];
        layers[i + 1] = (Layer){{card->name, clause_text(card->clause), shape_text(card->out),
                                 format("%ld", card->parameters),
                                 format("%.0f", layer_multiply_adds(network, card->name))},
                                places[card->clause - network->program->layers]};
    }
    return layers;
}

static bool same_layer(const Layer *a, const Layer *b)
{
    for (int column = NAME + 1; column < COLUMNS; column++)
        if (strcmp(a->cells[column], b->cells[column]) != 0)
            return false;
    return true;
}

// One statement at two places: what stands on both sides would look alike.
static Layer *with_place(const Layer *layer)
{
    Layer *const shown = allocate(sizeof *shown);
    *shown = *layer;
    shown->cells[STATEMENT] =
        format("%s%s", layer->cells[STATEMENT], *layer->place ? layer->place : " in no body");
    return shown;
}

static void add_pair(NetDiff *diff, const Layer *left, const Layer *right)
{
    bool same = left && right && same_layer(left, right);
    if (same && strcmp(left->place, right->place) != 0) {
        same = false;
        left = with_place(left);
        right = with_place(right);
    }
    diff->layers[diff->layer_count++] = (LayerPair){left, right, same};
    diff->layers_differ |= !same;
}

// The pairs of the alignment in their order; what has no partner stands between them.
static void compare_layers(NetDiff *diff, const Alignment *alignment)
{
    const Layer *const left = layers_of(diff->left->network);
    const Layer *const right = layers_of(diff->right->network);
    const int n = diff->left->network->card_count, m = diff->right->network->card_count;
    diff->layers = allocate(((size_t)n + (size_t)m + 1) * sizeof *diff->layers);
    add_pair(diff, &left[0], &right[0]);
    for (int i = 0, j = 0; i < n || j < m;) {
        if (i < n && alignment->right_of[i] < 0)
            add_pair(diff, &left[1 + i++], NULL);
        else if (j < m && alignment->left_of[j] < 0)
            add_pair(diff, NULL, &right[1 + j++]);
        else
            add_pair(diff, &left[1 + i++], &right[1 + j++]);
    }
}

// --- facts --------------------------------------------------------------------------------------

static void add_fact(NetDiff *diff, Fact fact)
{
    if (fact.left && fact.right && !strcmp(fact.left, fact.right))
        return;
    Fact *const facts = allocate(((size_t)diff->fact_count + 1) * sizeof *facts);
    if (diff->fact_count)
        memcpy(facts, diff->facts, (size_t)diff->fact_count * sizeof *facts);
    facts[diff->fact_count++] = fact;
    diff->facts = facts;
}

static void add_number(NetDiff *diff, const char *name, const char *(*text)(double), double left,
                       double right)
{
    if (left != right)
        add_fact(diff, (Fact){name, text(left), text(right), left, right, true});
}

static void add_word(NetDiff *diff, const char *name, const char *left, const char *right)
{
    if (left || right)
        add_fact(diff, (Fact){.name = name, .left = left, .right = right});
}

static const char *count_text(double number) { return format("%.0f", number); }

static double multiply_adds(const Network *network)
{
    double sum = 0;
    for (int i = 0; i < network->card_count; i++)
        sum += layer_multiply_adds(network, network->cards[i].name);
    return sum;
}

static void add_totals(NetDiff *diff)
{
    const Network *const a = diff->left->network, *const b = diff->right->network;
    const Cost left = network_cost(a), right = network_cost(b);
    add_number(diff, "parameters", count_text, (double)left.parameters, (double)right.parameters);
    add_number(diff, "multiply-adds per image", count_text, multiply_adds(a), multiply_adds(b));
    add_number(diff, "memory of weights", bytes_text, left.weight_bytes, right.weight_bytes);
    add_number(diff, "memory of the optimizer", bytes_text, left.optimizer_bytes,
               right.optimizer_bytes);
    add_number(diff, "memory of a step's values", bytes_text, left.arena_bytes, right.arena_bytes);
    add_number(diff, "time of a step, estimated", seconds_text, step_seconds(a), step_seconds(b));
}

static const char *value_of(const Clause *clause, const char *name)
{
    for (int i = 0; clause && i < clause->setting_count; i++)
        if (!strcmp(clause->settings[i].name, name)) {
            const char *const value = setting_value(&clause->settings[i]);
            return *value ? value : NULL; // not set is as good as not there
        }
    return NULL;
}

// A statement's settings in the order of the language; those of another choice count as absent.
static void add_settings(NetDiff *diff, const Row *row)
{
    const Clause *const left = training_clause(diff->left->network->program, row->name);
    const Clause *const right = training_clause(diff->right->network->program, row->name);
    Words names = {0};
    for (const Row *field = next_field(row); field; field = next_field(field))
        words_add(&names, field->name);
    if (!names.count)
        add_word(diff, row->name, left ? "on" : "off", right ? "on" : "off");
    for (int i = 0; i < names.count; i++) {
        const char *const name = names.words[i];
        const bool only = names.count == 1 || !strcmp(name, next_field(row)->name);
        add_word(diff, only ? row->name : format("%s %s", row->name, name), value_of(left, name),
                 value_of(right, name));
    }
}

static const char *precision(const Network *network) { return network->doubles ? "f64" : "f32"; }

static const char *products(const Network *network)
{
    return network->blas ? "blas" : network->auto_gemm ? "auto" : "tile";
}

static const char *convolutions(const Network *network)
{
    return network->direct ? "direct" : "auto";
}

static void add_facts(NetDiff *diff)
{
    const Network *const a = diff->left->network, *const b = diff->right->network;
    add_totals(diff);
    for (const Row *row = next_statement(NULL); row; row = next_statement(row))
        if (row->section == SECTION_TRAINING)
            add_settings(diff, row);
    add_word(diff, "--target", a->target->name, b->target->name);
    add_word(diff, "--precision", precision(a), precision(b));
    add_word(diff, "--gemm", products(a), products(b));
    add_word(diff, "--conv", convolutions(a), convolutions(b));
}

const NetDiff *compare_networks(const Side *left, const Side *right, const Alignment *alignment)
{
    NetDiff *const diff = allocate(sizeof *diff);
    *diff = (NetDiff){.left = left, .right = right};
    compare_layers(diff, alignment);
    add_facts(diff);
    return diff;
}

bool networks_differ(const NetDiff *diff) { return diff->layers_differ || diff->fact_count; }

// --- as text ------------------------------------------------------------------------------------

static const Layer titles = {
    {"layer", "statement", "output", "parameters", "multiply-adds"},
    "",
};

static void widen(int *widths, const Layer *layer)
{
    for (int column = 0; layer && column < COLUMNS; column++) {
        const int width = text_columns(layer->cells[column]);
        widths[column] = width > widths[column] ? width : widths[column];
    }
}

// What printf, which counts bytes, is to be told for so many columns.
static int bytes_wide(const char *text, int columns)
{
    return columns + (int)strlen(text) - text_columns(text);
}

static const char *layer_text(const Layer *layer, const int *widths)
{
    Text text = {0};
    for (int column = 0; column < COLUMNS; column++)
        text_add(&text, column < PARAMETERS ? "  %-*s" : "  %*s",
                 bytes_wide(layer->cells[column], widths[column]), layer->cells[column]);
    while (text.text[text.length - 1] == ' ')
        text.text[--text.length] = '\0';
    return text.text;
}

static void add_line(Lines *lines, char mark, const char *text)
{
    lines->list[lines->count++] = (Line){.mark = mark, .text = text};
}

static Lines layer_text_lines(const NetDiff *diff, const int *widths)
{
    Lines lines = {.list = allocate(2 * (size_t)diff->layer_count * sizeof(Line))};
    for (int i = 0; i < diff->layer_count; i++) {
        const LayerPair *const pair = &diff->layers[i];
        if (pair->left && !pair->same)
            add_line(&lines, '-', layer_text(pair->left, widths));
        if (pair->right)
            add_line(&lines, pair->same ? ' ' : '+', layer_text(pair->right, widths));
    }
    return lines;
}

static void paint_layers(Painting *to, const NetDiff *diff, int context)
{
    int widths[COLUMNS] = {0};
    widen(widths, &titles);
    for (int i = 0; i < diff->layer_count; i++) {
        widen(widths, diff->layers[i].left);
        widen(widths, diff->layers[i].right);
    }
    paint(to, STYLE_PLACE, "@@%s", layer_text(&titles, widths) + 1);
    const Lines lines = layer_text_lines(diff, widths);
    for (int i = 0; i < lines.count;) {
        int hidden = i;
        while (hidden < lines.count && !is_near_change(&lines, hidden, context))
            hidden++;
        if (hidden > i)
            paint(to, STYLE_PLAIN, "   ... %d unchanged", hidden - i);
        for (i = hidden; i < lines.count && is_near_change(&lines, i, context); i++)
            paint_line(to, &lines.list[i]);
    }
}

static const char *change_text(const Fact *fact)
{
    if (!fact->is_number || fact->left_number <= 0)
        return "";
    const double ratio = fact->right_number / fact->left_number;
    return ratio >= 2 ? format("  x %.3g", ratio) : format("  %+.1f %%", (ratio - 1) * 100);
}

static const char *shown(const char *text) { return text && *text ? text : "none"; }

static int longer(int width, const char *text)
{
    return text_columns(text) > width ? text_columns(text) : width;
}

static void paint_facts(Painting *to, const NetDiff *diff)
{
    int name = 0, left = 0, right = 0;
    for (int i = 0; i < diff->fact_count; i++) {
        const Fact *const f = &diff->facts[i];
        name = longer(name, f->name);
        left = longer(left, shown(f->left));
        right = longer(right, shown(f->right));
    }
    for (int i = 0; i < diff->fact_count; i++) {
        const Fact *const f = &diff->facts[i];
        const char *const change = change_text(f), *const a = shown(f->left),
                   *const b = shown(f->right);
        paint(to, STYLE_PLAIN, "   %-*s  %*s -> %*s%s", name, f->name, bytes_wide(a, left), a,
              *change ? bytes_wide(b, right) : 0, b, change);
    }
}

void paint_networks(Painting *to, const NetDiff *diff, int context)
{
    if (diff->layers_differ)
        paint_layers(to, diff, context);
    if (diff->fact_count)
        paint(to, STYLE_PLACE, "@@ totals and settings");
    paint_facts(to, diff);
}

// --- as JSON ------------------------------------------------------------------------------------

static void add_layer(cJSON *pair, const char *side, const Layer *layer)
{
    static const char *const keys[COLUMNS] = {"name", "statement", "output", "parameters",
                                              "multiply_adds"};
    if (!layer) {
        cJSON_AddNullToObject(pair, side);
        return;
    }
    cJSON *const object = cJSON_AddObjectToObject(pair, side);
    for (int column = 0; column < COLUMNS; column++) {
        const char *const cell = layer->cells[column];
        if (column < PARAMETERS)
            cJSON_AddStringToObject(object, keys[column], cell);
        else if (*cell) // not of the input
            cJSON_AddNumberToObject(object, keys[column], strtod(cell, NULL));
    }
}

static void add_value(cJSON *object, const char *side, const char *text, double number,
                      bool is_number)
{
    if (is_number)
        cJSON_AddNumberToObject(object, side, number);
    else if (text)
        cJSON_AddStringToObject(object, side, text);
    else
        cJSON_AddNullToObject(object, side);
}

void add_networks(cJSON *object, const NetDiff *diff)
{
    cJSON *const layers = cJSON_AddArrayToObject(object, "layers");
    for (int i = 0; i < diff->layer_count; i++) {
        cJSON *const pair = cJSON_CreateObject();
        add_layer(pair, "left", diff->layers[i].left);
        add_layer(pair, "right", diff->layers[i].right);
        cJSON_AddBoolToObject(pair, "same", diff->layers[i].same);
        cJSON_AddItemToArray(layers, pair);
    }
    cJSON *const facts = cJSON_AddArrayToObject(object, "differences");
    for (int i = 0; i < diff->fact_count; i++) {
        const Fact *const f = &diff->facts[i];
        cJSON *const fact = cJSON_CreateObject();
        cJSON_AddStringToObject(fact, "name", f->name);
        add_value(fact, "left", f->left, f->left_number, f->is_number);
        add_value(fact, "right", f->right, f->right_number, f->is_number);
        cJSON_AddItemToArray(facts, fact);
    }
}
