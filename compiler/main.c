// main.c: the command line, and the passes in their order.
//
//   .net text
//     | parse        net.l, net.y      statements as written
//     | resolve      resolve.c         checked against statements.def; params, overrides, defaults
//     | lower        lower.c, shape.c  two graphs of operations: a training step and inference
//     | grad         grad.c            backward nodes
//     | update       update.c          the optimizer's nodes
//     | fuse         fuse.c            rewrites; elementwise ops join the loops of others
//     | schedule     schedule.c        blocks of rows, parts of tensors, phases between barriers
//     | plan         plan.c            places in the arena
//     | emit         emit*.c           the C file
//     v cc           build.c           the binary
#include "netc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION "0.1.0"

enum { DONE = 0, MISTAKE = 1, USAGE = 2 };

// --- the command line --------------------------------------------------------------------------

enum { BUILD = 1, EMIT = 2, TRAIN = 4, CHECK = 8, PARAMS = 16, ANY = 31 };

static const struct {
    const char *name, *arguments, *about;
    int command;
} commands[] = {
    {"build", "M.net [-o BIN]", "compile a network to a program that trains it", BUILD},
    {"emit", "M.net [-o F.c]", "write the C that the network becomes", EMIT},
    {"train", "M.net [options of the program]", "build, then run `BIN train`", TRAIN},
    {"check", "M.net", "report every mistake and stop there", CHECK},
    {"params", "M.net", "list what -D can set", PARAMS},
};

typedef struct {
    int command;
    const char *path;
    const char *output, *dump, *target, *precision, *gemm;
    double max_mem;
    bool explain, verbose, help, version;
    Overrides overrides;
    const char **rest; // of `train`: what the program gets
    int rest_count;
} Options;

typedef enum { FLAG, VALUE } Kind;

static const struct {
    const char *name;
    char letter;
    Kind kind;
    const char *value;
    int commands;
    const char *about;
} option_table[] = {
    {"--output", 'o', VALUE, "FILE", BUILD | EMIT | TRAIN, "where the result goes"},
    {"--define", 'D', VALUE, "NAME=NUMBER", ANY, "another value for a `param`"},
    {"--set", 0, VALUE, "WORD=VALUE", ANY,
     "another value for a training statement: --set batch=500"},
    {"--precision", 0, VALUE, "f32|f64", BUILD | EMIT | TRAIN | CHECK,
     "f64 computes in double and adds `gradcheck`"},
    {"--target", 0, VALUE, "CPU", BUILD | EMIT | TRAIN, "processor to make code for (native)"},
    {"--gemm", 0, VALUE, "tile|blas", BUILD | EMIT | TRAIN,
     "matrix products by generated tiles (default) or by OpenBLAS"},
    {"--max-mem", 0, VALUE, "SIZE", ANY & ~PARAMS, "refuse a network that needs more: 500MB, 2GB"},
    {"--dump", 0, VALUE, "PASS", EMIT | CHECK, "print the network after a pass instead"},
    {"--explain", 0, FLAG, "", CHECK, "list every value in force and where it comes from"},
    {"--verbose", 'v', FLAG, "", BUILD | TRAIN, "show the C compiler's command"},
    {"--help", 'h', FLAG, "", ANY, "this text"},
    {"--version", 0, FLAG, "", ANY, "the version of netc"},
};
enum { OPTION_COUNT = (int)(sizeof option_table / sizeof *option_table) };

static const char *const passes[] = {"ast", "lower", "grad", "fuse", "schedule", "plan", "all"};
enum { PASS_COUNT = (int)(sizeof passes / sizeof *passes) };

static void print_help(FILE *out, int command)
{
    fprintf(out, "usage: netc COMMAND M.net [options]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!command || commands[i].command == command)
            fprintf(out, "  netc %-8s%-34s%s\n", commands[i].name, commands[i].arguments,
                    commands[i].about);
    fprintf(out, "\noptions\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (command && !(option_table[i].commands & command))
            continue;
        const char *const letter =
            option_table[i].letter ? format("-%c, ", option_table[i].letter) : "    ";
        fprintf(out, "  %s%-26s%s\n", letter,
                format("%s %s", option_table[i].name, option_table[i].value),
                option_table[i].about);
    }
    fprintf(out, "\npasses for --dump:");
    for (int i = 0; i < PASS_COUNT; i++)
        fprintf(out, " %s", passes[i]);
    fprintf(out, "\nexit status: 0 done, 1 a mistake in the input, 2 a mistake in the command\n");
}

static int usage_error(const char *text)
{
    fprintf(stderr, "netc: error: %s\nnetc: note: 'netc --help' lists commands and options\n",
            text);
    return USAGE;
}

// "2GB" in bytes; negative where it is no size.
static double parse_size(const char *text)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"B", 1}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
    char *end;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (end != text && !strcmp(end, units[i].unit))
            return number * units[i].bytes;
    return -1;
}

static int store_option(Options *o, int index, const char *value)
{
    const char *const name = option_table[index].name;
    const char **const lists[] = {(const char **)(uintptr_t)o->overrides.defines,
                                  (const char **)(uintptr_t)o->overrides.sets};
    if (!strcmp(name, "--output"))
        o->output = value;
    else if (!strcmp(name, "--define"))
        lists[0][o->overrides.define_count++] = value;
    else if (!strcmp(name, "--set"))
        lists[1][o->overrides.set_count++] = value;
    else if (!strcmp(name, "--explain"))
        o->explain = true;
    else if (!strcmp(name, "--verbose"))
        o->verbose = true;
    else if (!strcmp(name, "--help"))
        o->help = true;
    else if (!strcmp(name, "--version"))
        o->version = true;
    else if (!strcmp(name, "--precision")) {
        if (strcmp(value, "f32") && strcmp(value, "f64"))
            return usage_error(format("'--precision %s': expected f32 or f64", value));
        o->precision = value;
    } else if (!strcmp(name, "--gemm")) {
        if (strcmp(value, "tile") && strcmp(value, "blas"))
            return usage_error(format("'--gemm %s': expected tile or blas", value));
        o->gemm = value;
    } else if (!strcmp(name, "--target")) {
        if (!target_named(value))
            return usage_error(
                format("there is no target '%s'; the targets are %s", value, target_names()));
        o->target = value;
    } else if (!strcmp(name, "--max-mem")) {
        o->max_mem = parse_size(value);
        if (o->max_mem <= 0)
            return usage_error(
                format("'--max-mem %s': expected a size with its unit, as 500MB or 2GB", value));
    } else if (!strcmp(name, "--dump")) {
        bool known = false;
        for (int i = 0; i < PASS_COUNT; i++)
            known |= !strcmp(value, passes[i]);
        if (!known)
            return usage_error(format("there is no pass '%s'; the passes are %s", value,
                                      join_words(passes, PASS_COUNT, "and")));
        o->dump = value;
    } else {
        bug("option '%s' is not stored", name);
    }
    return DONE;
}

// The row of `argument`, and its value where it is written with it: --dump=ast, -Dwidth=50.
static int find_option(const char *argument, const char **value)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const size_t length = strlen(option_table[i].name);
        *value = NULL;
        if (!strcmp(argument, option_table[i].name))
            return i;
        if (!strncmp(argument, option_table[i].name, length) && argument[length] == '=') {
            *value = argument + length + 1;
            return i;
        }
        if (option_table[i].letter && argument[1] == option_table[i].letter) {
            *value = argument[2] ? argument + 2 : NULL;
            if (option_table[i].kind == VALUE || !argument[2])
                return i;
        }
    }
    return -1;
}

static int unknown_option(const char *argument)
{
    const char *names[OPTION_COUNT];
    for (int i = 0; i < OPTION_COUNT; i++)
        names[i] = option_table[i].name;
    const char *const nearest = nearest_word(argument, names, OPTION_COUNT);
    return usage_error(nearest
                           ? format("unknown option '%s'; did you mean '%s'?", argument, nearest)
                           : format("unknown option '%s'", argument));
}

static const char *command_name(int command)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].command == command)
            return commands[i].name;
    return "netc";
}

static int parse_option(Options *o, char **arguments, int count, int *at)
{
    const char *const argument = arguments[*at];
    const char *value;
    const int index = find_option(argument, &value);
    const bool known = index >= 0 && (!o->command || option_table[index].commands & o->command);
    if (!known && o->command == TRAIN) {
        o->rest[o->rest_count++] = argument;
        return DONE;
    }
    if (index < 0)
        return unknown_option(argument);
    if (!known)
        return usage_error(format("'%s' is no option of 'netc %s'", option_table[index].name,
                                  command_name(o->command)));
    if (option_table[index].kind == FLAG && value)
        return usage_error(format("'%s' takes no value", option_table[index].name));
    if (option_table[index].kind == VALUE && !value) {
        if (*at + 1 >= count)
            return usage_error(
                format("'%s' needs a value: %s", argument, option_table[index].value));
        value = arguments[++*at];
    }
    return store_option(o, index, value);
}

static int parse_command(Options *o, const char *word)
{
    const char *names[sizeof commands / sizeof *commands];
    const int count = (int)(sizeof commands / sizeof *commands);
    for (int i = 0; i < count; i++) {
        names[i] = commands[i].name;
        if (!strcmp(word, commands[i].name)) {
            o->command = commands[i].command;
            return DONE;
        }
    }
    const char *const nearest = nearest_word(word, names, count);
    return usage_error(nearest ? format("unknown command '%s'; did you mean '%s'?", word, nearest)
                               : format("unknown command '%s'", word));
}

static int parse_arguments(Options *o, int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        int status = DONE;
        if (arguments[i][0] == '-' && arguments[i][1])
            status = parse_option(o, arguments, count, &i);
        else if (!o->command)
            status = parse_command(o, arguments[i]);
        else if (!o->path)
            o->path = arguments[i];
        else if (o->command == TRAIN)
            o->rest[o->rest_count++] = arguments[i];
        else
            status = usage_error(format("'%s': one network at a time", arguments[i]));
        if (status != DONE)
            return status;
    }
    return DONE;
}

// --- the passes --------------------------------------------------------------------------------

static void after(const Options *o, const Graph *graph, const char *pass)
{
    verify(graph, pass);
    if (o->dump && (!strcmp(o->dump, pass) || !strcmp(o->dump, "all")))
        graph_dump(graph, pass, stdout);
}

static void run_passes(const Options *o, Graph *graph, bool trains)
{
    graph->forward_count = graph->count;
    after(o, graph, "lower");
    if (trains) {
        differentiate(graph);
        add_updates(graph);
        after(o, graph, "grad");
    }
    fuse(graph);
    after(o, graph, "fuse");
    schedule(graph);
    after(o, graph, "schedule");
    plan(graph);
    after(o, graph, "plan");
}

static Network *compile(const Options *o, const Program *program)
{
    const CodeOptions options = {.target = target_named(o->target),
                                 .doubles = o->precision && !strcmp(o->precision, "f64"),
                                 .blas = o->gemm && !strcmp(o->gemm, "blas")};
    Network *const network = lower(program, &options);
    if (!network || error_count())
        return NULL;
    if (network->trains)
        run_passes(o, &network->train, true);
    run_passes(o, &network->infer, false);
    return fits_memory(network, o->max_mem) ? network : NULL;
}

// --- commands ------------------------------------------------------------------------------------

static int write_c(const Options *o, const char *text)
{
    FILE *const out = o->output ? fopen(o->output, "w") : stdout;
    bool good = out && fputs(text, out) >= 0;
    if (out)
        good = (o->output ? fclose(out) : fflush(out)) == 0 && good;
    if (good)
        return DONE;
    fprintf(stderr, "netc: error: cannot write '%s': %s\n",
            o->output ? o->output : "standard output", strerror(errno));
    return MISTAKE;
}

static const char *default_output(const Program *program) { return format("./%s", program->name); }

static int build(const Options *o, Network *network)
{
    const BuildOptions options = {.target = o->target,
                                  .output =
                                      o->output ? o->output : default_output(network->program),
                                  .verbose = o->verbose};
    return build_binary(network, emit_c(network), &options) ? DONE : MISTAKE;
}

static int train(const Options *o, Network *network)
{
    if (!network->trains) {
        fprintf(stderr, "netc: error: '%s' has no 'loss' statement and cannot be trained\n",
                o->path);
        return MISTAKE;
    }
    const int status = build(o, network);
    if (status != DONE)
        return status;
    const char *binary = o->output ? o->output : default_output(network->program);
    if (!strchr(binary, '/'))
        binary = format("./%s", binary);
    const char **const command = allocate((size_t)(o->rest_count + 3) * sizeof *command);
    command[0] = binary;
    command[1] = "train";
    memcpy(command + 2, o->rest, (size_t)o->rest_count * sizeof *command);
    execv(binary, (char *const *)(uintptr_t)command);
    fprintf(stderr, "netc: error: cannot run '%s': %s\n", binary, strerror(errno));
    return MISTAKE;
}

static int run_command(const Options *o)
{
    const Source *const source = source_read(o->path);
    if (!source)
        return MISTAKE;
    const Statement *const statements = parse(source);
    if (o->dump && (!strcmp(o->dump, "ast") || !strcmp(o->dump, "all")))
        ast_dump(statements, stdout);
    if (o->command == PARAMS) {
        params_print(source, statements, stdout);
        return error_count() ? MISTAKE : DONE;
    }
    const Program *const program = resolve(source, statements, &o->overrides);
    if (error_count())
        return MISTAKE;
    Network *const network = compile(o, program);
    if (!network || error_count())
        return MISTAKE;
    switch (o->dump ? CHECK : o->command) {
    case BUILD: return build(o, network);
    case EMIT: return write_c(o, emit_c(network));
    case TRAIN: return train(o, network);
    case CHECK:
        if (o->explain)
            program_explain(program, stdout);
        return DONE;
    default: bug("command %d", o->command);
    }
}

int main(int count, char **arguments)
{
    Options o = {.target = "native"};
    o.rest = allocate((size_t)count * sizeof *o.rest);
    o.overrides.defines = allocate((size_t)count * sizeof *o.overrides.defines);
    o.overrides.sets = allocate((size_t)count * sizeof *o.overrides.sets);
    const int status = parse_arguments(&o, count, arguments);
    if (status != DONE)
        return status;
    if (o.version) {
        printf("netc %s\n", VERSION);
        return DONE;
    }
    if (o.help) {
        print_help(stdout, o.command);
        return DONE;
    }
    if (!o.command) {
        print_help(stderr, 0);
        return USAGE;
    }
    if (!o.path)
        return usage_error(format("'netc %s' needs a .net file", command_name(o.command)));
    return run_command(&o);
}
