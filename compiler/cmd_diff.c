// cmd_diff.c: `netc diff` compares two networks and their C, or two settings of one.
#include "command.h"
#include "diff.h"
#include "emit.h"
#include "json.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

// --- the sides ----------------------------------------------------------------------------------

// The text of the .net, and its options added to `o` where it is a record's.
static const Source *open_net(const char *path, Options *o, const char **c_text)
{
    if (!may_have_record(path))
        return source_read(path);
    const int given = o->given_count; // by the command line
    Record record;
    if (!read_record(path, &record))
        return NULL;
    make_room(o, record.options.count);
    for (int i = 0; i < record.options.count; i++)
        if (add_recorded(o, record.options.words[i]) != DONE)
            return NULL;
    *c_text = given ? NULL : record.c_text; // other options need other C
    return source_of_text(format("%s/%s.net", path, record.name), record.net);
}

static bool open_side(Side *side, const char *path, Options *o)
{
    const char *c_text = NULL;
    const Source *const source = open_net(path, o, &c_text);
    const Program *const program = source ? program_of(o, source) : NULL;
    side->network = program ? compile(o, program) : NULL;
    if (!side->network)
        return false;
    side->code = c_text ? c_text : emit_c(side->network);
    return true;
}

static bool is_given(const Options *o, const Given *given)
{
    for (int i = 0; i < o->given_count; i++)
        if (o->given[i].option == given->option && !strcmp(o->given[i].value, given->value))
            return true;
    return false;
}

// The path, and the options that the other side hasn't.
static const char *label(const char *path, const Options *own, const Options *other)
{
    Text text = {0};
    text_add(&text, "%s", path);
    for (int i = 0; i < own->given_count; i++)
        if (!is_given(other, &own->given[i]))
            text_add(&text, " %s", given_text(&own->given[i]));
    return text.text;
}

static int open_sides(const Options *o, Side *left, Side *right)
{
    Options left_options, right_options;
    if (split_options(o, &left_options, &right_options) != DONE)
        return USAGE;
    const char *const *const paths = o->paths.items;
    left->label = label(paths[0], &left_options, &right_options);
    right->label = label(paths[o->paths.count - 1], &right_options, &left_options);
    if (o->paths.count == 1 && !strcmp(left->label, right->label))
        return usage_error(E921, "'netc diff' needs two networks, or one and a setting to compare "
                           "it with: -D width=50");
    const bool good = open_side(left, paths[0], &left_options);
    return open_side(right, paths[o->paths.count - 1], &right_options) && good ? DONE : MISTAKE;
}

// --- the result ---------------------------------------------------------------------------------

typedef struct {
    bool net, code, stat; // what was asked for
    const NetDiff *networks;
    const CodeDiff *texts;
    bool differ;
} Result;

static Result compare_sides(const Options *o, const Side *left, const Side *right)
{
    const bool all = !o->net && !o->code && !o->stat;
    const Alignment alignment = align_layers(left->network, right->network);
    Result result = {.net = o->net || all, .code = o->code || all, .stat = o->stat};
    result.networks = compare_networks(left, right, &alignment);
    result.texts = compare_code(left, right, &alignment);
    if (result.net)
        result.differ |= networks_differ(result.networks);
    if (result.code || result.stat)
        result.differ |= code_differs(result.texts);
    return result;
}

static void print_json(const Result *result, const Side *left, const Side *right)
{
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "left", readable(left->label));
    cJSON_AddStringToObject(object, "right", readable(right->label));
    cJSON_AddBoolToObject(object, "same", !result->differ);
    if (result->net)
        add_networks(object, result->networks);
    if (result->code || result->stat)
        add_code(object, result->texts);
    print_and_delete(object);
}

static void print_text(const Options *o, const Result *result, const Side *left, const Side *right)
{
    const int context = o->context ? atoi(o->context) : 3;
    Painting painting = {.colours = wants_colours(o->color)};
    paint(&painting, STYLE_HEADER, "--- %s", left->label);
    paint(&painting, STYLE_HEADER, "+++ %s", right->label);
    if (result->net)
        paint_networks(&painting, result->networks, context);
    if (result->stat)
        paint_statistic(&painting, result->texts);
    if (result->code)
        paint_code(&painting, result->texts, context);
    show(&painting, !o->no_pager);
}

int run_diff(const Options *o)
{
    Side left = {0}, right = {0};
    if (open_sides(o, &left, &right) != DONE)
        return TROUBLE;
    const Result result = compare_sides(o, &left, &right);
    if (o->json)
        print_json(&result, &left, &right);
    else if (result.differ)
        print_text(o, &result, &left, &right);
    return result.differ ? DIFFERENT : SAME;
}
