// options.c: the command line, read by the rows of commands.def and options.def.
#include "command.h"

#include <stdlib.h>
#include <string.h>

static const Command commands[] = {
#define COMMAND(name, arguments, least, most, needs, about)                                        \
    {#name, arguments, least, most, needs, about, run_##name},
#include "commands.def"
#undef COMMAND
};
enum { COMMAND_COUNT = (int)(sizeof commands / sizeof *commands) };

enum {
#define COMMAND(name, ...) INDEX_##name,
#include "commands.def"
#undef COMMAND
};
#define IN(name) (1u << INDEX_##name)
#define ANY (~0u)

// --- what a value may be ------------------------------------------------------------------------

static const char *any_text(const Option *option, const char *value)
{
    (void)option;
    (void)value;
    return NULL;
}

static const char *folder_name(const Option *option, const char *value)
{
    return *value ? NULL : format("'%s' takes a folder, found an empty one", option->name);
}

static const char *one_of_choices(const Option *option, const char *value)
{
    const Words choices = option_choices(option);
    if (has_word(choices, value))
        return NULL;
    return format("'%s %s': expected %s", option->name, value,
                  join_words(choices.words, choices.count, "or"));
}

static const char *known_target(const Option *option, const char *value)
{
    (void)option;
    if (target_named(value))
        return NULL;
    const Words names = target_words();
    return format("there is no target '%s'; the targets are %s", value,
                  join_words(names.words, names.count, "and"));
}

static const char *known_pass(const Option *option, const char *value)
{
    const Words names = option_choices(option);
    if (has_word(names, value))
        return NULL;
    return format("there is no pass '%s'; the passes are %s", value,
                  join_words(names.words, names.count, "and"));
}

static const char *whole_number(const Option *option, const char *value)
{
    if (*value && strlen(value) < 9 && !value[strspn(value, "0123456789")])
        return NULL;
    return format("'%s %s': expected a whole number, at most 99999999", option->name, value);
}

static const char *svg_name(const Option *option, const char *value)
{
    const size_t length = strlen(value);
    if (length > 4 && !strcmp(value + length - 4, ".svg"))
        return NULL;
    return format("'%s %s': expected a name that ends in .svg", option->name, value);
}

static const char *seed_count(const Option *option, const char *value)
{
    const size_t length = strlen(value);
    const long number =
        length && length < 9 && !value[strspn(value, "0123456789")] ? strtol(value, NULL, 10) : 0;
    if (number >= 1 && number <= MOST_SEEDS)
        return NULL;
    return format("'%s %s': expected a whole number from 1 to %d", option->name, value, MOST_SEEDS);
}

// --- the table ----------------------------------------------------------------------------------

#define FLAG(name) STORE_FLAG, offsetof(Options, name), NULL
#define TEXT(name, check) STORE_TEXT, offsetof(Options, name), check
#define LIST(name) STORE_LIST, offsetof(Options, name), NULL
#define SIZE(name) STORE_SIZE, offsetof(Options, name), NULL

static const Option options[] = {
#define OPTION(name, letter, value, commands, store, about)                                        \
    {name, letter, value, commands, about, store},
#include "options.def"
#undef OPTION
};
enum { OPTION_COUNT = (int)(sizeof options / sizeof *options) };

const Command *next_command(const Command *command)
{
    const Command *const next = command ? command + 1 : commands;
    return next < commands + COMMAND_COUNT ? next : NULL;
}

const Option *next_option(const Option *option)
{
    const Option *const next = option ? option + 1 : options;
    return next < options + OPTION_COUNT ? next : NULL;
}

bool takes_option(const Command *command, const Option *option)
{
    return !command || option->commands & 1u << (command - commands);
}

bool has_statuses_of_diff(const Command *command)
{
    return command && command->run == run_diff;
}

Words option_choices(const Option *option)
{
    if (option->check == known_target)
        return target_words();
    Words words = {0};
    if (option->check == known_pass)
        for (int i = 0; pass_names[i]; i++)
            words_add(&words, pass_names[i]);
    else if (option->check == one_of_choices)
        for (const char *at = option->value; *at;) {
            const size_t length = strcspn(at, "|");
            words_add(&words, format("%.*s", (int)length, at));
            at += length + (at[length] == '|');
        }
    return words;
}

// --- storing ------------------------------------------------------------------------------------

int usage_error(ErrorCode code, const char *text)
{
    error_at(code, (Loc){0}, "%s", text);
    note_at((Loc){0}, "'netc --help' lists commands and options");
    return USAGE;
}

// "2GB" in bytes; negative where it is no size.
static double parse_size(const char *text)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"B", 1}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
    const size_t digits = strspn(text, "0123456789.");
    char *end;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (digits && end == text + digits && !strcmp(end, units[i].unit))
            return number * units[i].bytes;
    return -1;
}

static int store(Options *o, const Option *option, const char *value)
{
    void *const field = (char *)o + option->field;
    switch (option->store) {
    case STORE_FLAG: *(bool *)field = true; return DONE;
    case STORE_TEXT: {
        const char *const mistake = option->check(option, value);
        *(const char **)field = value;
        return mistake ? usage_error(E905, mistake) : DONE;
    }
    case STORE_LIST: {
        List *const list = field;
        list->items[list->count++] = value;
        return DONE;
    }
    case STORE_SIZE: {
        const double bytes = parse_size(value);
        if (!(bytes > 0))
            return usage_error(E905,
                               format("'%s %s': expected a size with its unit, as 500MB or 2GB",
                                      option->name, value));
        *(double *)field = bytes;
        return DONE;
    }
    }
    bug("option '%s' is not stored", option->name);
}

static int give(Options *o, const Option *option, const char *value)
{
    o->given[o->given_count++] = (Given){option, value};
    return store(o, option, value);
}

static List list_of(int most)
{
    return (List){.items = allocate((size_t)most * sizeof(const char *))};
}

// No option given, and room for `most`.
static Options no_options(int most)
{
    Options o = {.target = "native"};
    o.paths = list_of(most);
    o.passed_on = list_of(most);
    o.given = allocate((size_t)most * sizeof *o.given);
    for (const Option *option = next_option(NULL); option; option = next_option(option))
        if (option->store == STORE_LIST)
            *(List *)(void *)((char *)&o + option->field) = list_of(most);
    return o;
}

// --- reading ------------------------------------------------------------------------------------

// The row of `argument`, and its value where it is written with it: --dump=ast, -Dwidth=50.
static const Option *find_option(const char *argument, const char **value)
{
    for (const Option *option = next_option(NULL); option; option = next_option(option)) {
        const size_t length = strlen(option->name);
        *value = NULL;
        if (!strcmp(argument, option->name))
            return option;
        if (!strncmp(argument, option->name, length) && argument[length] == '=') {
            *value = argument + length + 1;
            return option;
        }
        if (option->letter && argument[1] == option->letter) {
            *value = argument[2] ? argument + 2 : NULL;
            if (*option->value || !argument[2])
                return option;
        }
    }
    return NULL;
}

static int unknown_option(const char *argument)
{
    const char *names[OPTION_COUNT];
    for (int i = 0; i < OPTION_COUNT; i++)
        names[i] = options[i].name;
    const char *const nearest = nearest_word(argument, names, OPTION_COUNT);
    return usage_error(
        E902, nearest ? format("unknown option '%s'; did you mean '%s'?", argument, nearest)
                      : format("unknown option '%s'", argument));
}

static bool passes_on(const Options *o) { return o->command && o->command->most == PASSED_ON; }

static int read_option(Options *o, char **arguments, int count, int *at)
{
    const char *const argument = arguments[*at];
    const char *value;
    const Option *const option = find_option(argument, &value);
    const bool known = option && takes_option(o->command, option);
    if (!known && passes_on(o)) {
        o->passed_on.items[o->passed_on.count++] = argument;
        return DONE;
    }
    if (!option)
        return unknown_option(argument);
    if (!known)
        return usage_error(
            E903, format("'%s' is no option of 'netc %s'", option->name, o->command->name));
    if (!*option->value && value)
        return usage_error(E904, format("'%s' takes no value", option->name));
    if (*option->value && !value) {
        if (*at + 1 >= count)
            return usage_error(E904, format("'%s' needs a value: %s", argument, option->value));
        value = arguments[++*at];
    }
    return give(o, option, value);
}

static int read_command(Options *o, const char *word)
{
    const char *names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
        if (!strcmp(word, commands[i].name)) {
            o->command = &commands[i];
            return DONE;
        }
    }
    const char *const nearest = nearest_word(word, names, COMMAND_COUNT);
    return usage_error(E901, nearest
                                 ? format("unknown command '%s'; did you mean '%s'?", word, nearest)
                                 : format("unknown command '%s'", word));
}

static int read_word(Options *o, const char *word)
{
    if (!o->command)
        return read_command(o, word);
    if (passes_on(o) && o->paths.count) {
        o->passed_on.items[o->passed_on.count++] = word;
        return DONE;
    }
    if (o->paths.count == o->command->most)
        return usage_error(E907, strstr(o->command->needs, "a .net file")
                                     ? format("'%s': one network at a time", word)
                                     : format("'%s': 'netc %s' takes %s", word, o->command->name,
                                              o->command->arguments));
    o->paths.items[o->paths.count++] = word;
    return DONE;
}

// What nobody can mean together; without a value, whatever the option's is.
static const struct {
    const char *option, *value;
} exclusions[][2] = {
    {{"--tune", NULL}, {"--tuned", NULL}},
    {{"--tune", NULL}, {"--gemm", "blas"}}, // which leaves nothing to choose
    {{"--dump", NULL}, {"--output", NULL}},
    {{"--dump", NULL}, {"--explain", NULL}},
};

// The option with its value, where that was given; the last one counts.
static const char *found_option(const Options *o, const char *name, const char *value)
{
    for (int i = o->given_count - 1; i >= 0; i--) {
        const Given *const given = &o->given[i];
        if (strcmp(given->option->name, name))
            continue;
        if (value)
            return strcmp(given->value, value) ? NULL : format("%s %s", name, value);
        return *given->option->value ? format("%s %s", name, given->option->value) : name;
    }
    return NULL;
}

static int check_exclusions(const Options *o)
{
    for (size_t i = 0; i < sizeof exclusions / sizeof *exclusions; i++) {
        const char *found[2];
        for (int k = 0; k < 2; k++)
            found[k] = found_option(o, exclusions[i][k].option, exclusions[i][k].value);
        if (found[0] && found[1])
            return usage_error(E924,
                               format("expected '%s' or '%s', found both", found[0], found[1]));
    }
    return DONE;
}

int read_command_line(Options *o, int count, char **arguments)
{
    *o = no_options(count);
    for (int i = 1; i < count; i++) {
        const bool is_option = arguments[i][0] == '-' && arguments[i][1];
        const int status =
            is_option ? read_option(o, arguments, count, &i) : read_word(o, arguments[i]);
        if (status != DONE)
            return status;
    }
    if (o->help || o->version)
        return DONE;
    if (o->command && o->paths.count < o->command->least)
        return usage_error(E906, format("'netc %s' needs %s", o->command->name, o->command->needs));
    return check_exclusions(o);
}

// --- two settings of one command line -----------------------------------------------------------

// Whether two options set the same: the same option, and the same name behind -D or --set.
static bool same_subject(const Given *a, const Given *b)
{
    if (a->option != b->option || a->option->store != STORE_LIST)
        return a->option == b->option;
    const size_t length = strcspn(a->value, "=");
    return length == strcspn(b->value, "=") && !strncmp(a->value, b->value, length);
}

// What `netc emit` takes with a value decides the C.
static bool decides_code(const Option *option)
{
    return option->commands & IN(emit) && *option->value;
}

static Options without_settings(const Options *o)
{
    Options plain = no_options(o->given_count);
    plain.command = o->command;
    return plain;
}

int split_options(const Options *both, Options *left, Options *right)
{
    Options *const sides[] = {left, right};
    bool alike = true;
    for (int side = 0; side < 2; side++)
        *sides[side] = without_settings(both);
    for (int i = 0; i < both->given_count; i++) {
        const Given *const given = &both->given[i];
        if (!decides_code(given->option))
            continue;
        int before = 0, behind = 0;
        for (int k = 0; k < both->given_count; k++)
            if (k != i && same_subject(given, &both->given[k]))
                *(k < i ? &before : &behind) += 1;
        if (before + behind > 1)
            return usage_error(E922, format("'%s' and two others: two settings can be compared",
                                            given_text(given)));
        alike &= before + behind == 0;
        for (int side = 0; side < 2; side++)
            if (before + behind == 0 || before == side)
                give(sides[side], given->option, given->value);
    }
    if (alike && both->paths.count == 1)
        *left = without_settings(both);
    return DONE;
}

static void lengthen(List *list, int more)
{
    const List longer = list_of(list->count + more);
    memcpy(longer.items, list->items, (size_t)list->count * sizeof *list->items);
    list->items = longer.items;
}

void make_room(Options *o, int more)
{
    Given *const given = allocate((size_t)(o->given_count + more) * sizeof *given);
    memcpy(given, o->given, (size_t)o->given_count * sizeof *given);
    o->given = given;
    for (const Option *option = next_option(NULL); option; option = next_option(option))
        if (option->store == STORE_LIST)
            lengthen((List *)(void *)((char *)o + option->field), more);
}

int add_recorded(Options *to, const char *text)
{
    const size_t length = strcspn(text, " ");
    const char *value;
    const Option *const option = find_option(format("%.*s", (int)length, text), &value);
    if (!option || !decides_code(option) || !text[length])
        return usage_error(E923, format("the option '%s' of the program is not known", text));
    const Given given = {option, text + length + 1};
    for (int i = 0; i < to->given_count; i++)
        if (same_subject(&given, &to->given[i]))
            return DONE;
    return give(to, option, given.value);
}

const char *given_text(const Given *given)
{
    const char letter = given->option->letter;
    return format("%s %s", letter ? format("-%c", letter) : given->option->name, given->value);
}
