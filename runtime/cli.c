// cli.c: the command line. One table of options drives reading, help and errors.

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { TRAIN = 1, EVAL = 2, PREDICT = 4, EXPORT = 8, INFO = 16, CHECK = 32, BENCH = 64 };

typedef struct {
    const char *name, *arguments;
    unsigned bit;
    int least, most; // arguments
    const char *help;
    int (*run)(const NnModel *model, const Options *options);
} Command;

static const Command commands[] = {
    {"train", "", TRAIN, 0, 0, "train the network; leaves weights, a report and curves",
     command_train},
    {"eval", "", EVAL, 0, 0, "loss, accuracy and confusion matrix on the test set", command_eval},
    {"predict", " FILE...", PREDICT, 1, 1 << 20,
     "answer for examples: files, or numbers in the test set", command_predict},
    {"export", " FILE", EXPORT, 1, 1, "write the weights alone, as safetensors", command_export},
    {"info", "", INFO, 0, 0, "layers, sizes and settings of the network", command_info},
    {"bench", "", BENCH, 0, 0, "time a training step: each layer's rate, and the machine's",
     command_bench},
    {"gradcheck", "", CHECK, 0, 0, "check the gradients against differences (f64 only)",
     command_gradcheck},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

typedef enum { SWITCH, TEXT, COUNT, SEED, RATE } Kind;

typedef struct {
    const char *name, *value; // value: its name in the help; NULL for a switch
    unsigned commands;
    Kind kind;
    size_t field; // in Options
    double low, high;
    const char *help;
} Option;

#define FIELD(name) offsetof(Options, name)
#define READS (EVAL | PREDICT | EXPORT)
#define WORKS (TRAIN | EVAL | PREDICT | BENCH | CHECK)

static const Option options_of_all[OPTION_COUNT] = {
    [OPTION_DATA] = {"--data", "DIR", WORKS, TEXT, FIELD(data), 0, 0, "folder of the data set"},
    [OPTION_EPOCHS] = {"--epochs", "N", TRAIN, COUNT, FIELD(epochs), 1, 1e6,
                       "epochs in all, earlier ones included"},
    [OPTION_RATE] = {"--lr", "X", TRAIN | BENCH, RATE, FIELD(rate), 0, 1e6, "learning rate"},
    [OPTION_SEED] = {"--seed", "N", TRAIN | BENCH | CHECK, SEED, FIELD(seed), 0, 0,
                     "of all random numbers"},
    [OPTION_THREADS] = {"--threads", "N", WORKS, COUNT, FIELD(threads), 1, 1024,
                        "threads; their number changes no result"},
    [OPTION_OUT] = {"--out", "DIR", TRAIN | READS, TEXT, FIELD(out), 0, 0,
                    "folder of the training's files"},
    [OPTION_WEIGHTS] = {"--weights", "FILE", READS, TEXT, FIELD(weights), 0, 0,
                        "weights to use, instead of those in --out"},
    [OPTION_RESUME] = {"--resume", NULL, TRAIN, SWITCH, FIELD(resume), 0, 0,
                       "go on after the last completed epoch in --out"},
    [OPTION_ROWS] = {"--rows", "N", CHECK, COUNT, FIELD(rows), 1, 0, "pictures to use"},
    [OPTION_SAMPLES] = {"--samples", "N", CHECK, COUNT, FIELD(samples), 1, 1e9,
                        "elements to check of each tensor"},
    [OPTION_RANDOM] = {"--random", NULL, BENCH | CHECK, SWITCH, FIELD(random), 0, 0,
                       "use random pictures instead of the data set"},
    [OPTION_ALL_TERMS] = {"--all-terms", NULL, BENCH, SWITCH, FIELD(all_terms), 0, 0,
                          "leave no zeros out of products"},
    [OPTION_STEPS] = {"--steps", "N", BENCH, COUNT, FIELD(steps), 1, 1e8,
                      "about how many steps to take, in eight rounds, instead of --seconds"},
    [OPTION_SECONDS] = {"--seconds", "X", BENCH, RATE, FIELD(seconds), 0, 1e5,
                        "how long to measure"},
    [OPTION_INVERT] = {"--invert", NULL, PREDICT, SWITCH, FIELD(invert), 0, 0,
                       "files show dark strokes on light paper"},
    [OPTION_JSON] = {"--json", NULL, WORKS | INFO, SWITCH, FIELD(json), 0, 0, "print JSON"},
    [OPTION_QUIET] = {"--quiet", NULL, TRAIN | EXPORT, SWITCH, FIELD(quiet), 0, 0,
                      "print no progress"},
    [OPTION_HELP] = {"--help", NULL, ~0u, SWITCH, FIELD(help), 0, 0, "print this help"},
};

static double largest(const Option *option, const NnModel *model)
{
    return option->field == FIELD(rows) ? model->batch : option->high;
}

// --- errors -------------------------------------------------------------------------------------

static bool unknown_option(const char *name, const Command *command)
{
    const char *best = NULL;
    int nearest = 4;
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(options_of_all[i].name, name) == 0)
            return failed("'%s' is no option of '%s'; see '%s %s --help'", name, command->name,
                          message_name(), command->name);
        if (options_of_all[i].commands & command->bit)
            suggest(name, options_of_all[i].name, &best, &nearest);
    }
    if (best)
        return failed("unknown option '%s' of '%s'; did you mean '%s'?", name, command->name, best);
    return failed("unknown option '%s' of '%s'; see '%s %s --help'", name, command->name,
                  message_name(), command->name);
}

static bool unknown_command(const char *name)
{
    const char *best = NULL;
    int nearest = 4;
    for (int i = 0; i < COMMAND_COUNT; i++)
        suggest(name, commands[i].name, &best, &nearest);
    if (best)
        return failed("unknown command '%s'; did you mean '%s'?", name, best);
    return failed("unknown command '%s'; see '%s --help'", name, message_name());
}

// --- values -------------------------------------------------------------------------------------

static bool read_count(const Option *option, const char *text, double high, void *field)
{
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    const bool digit = (*text >= '0' && *text <= '9') || *text == '-';
    if (!digit || *end || errno || (double)value < option->low || (double)value > high)
        return failed("'%s' takes a whole number from %.0f to %.0f, found '%s'", option->name,
                      option->low, high, text);
    *(int *)field = (int)value;
    return true;
}

static bool read_seed(const Option *option, const char *text, void *field)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return failed("'%s' takes a whole number from 0 to %llu, found '%s'", option->name,
                      (unsigned long long)UINT64_MAX, text);
    *(uint64_t *)field = value;
    return true;
}

static bool read_rate(const Option *option, const char *text, double high, void *field)
{
    char *end;
    const double value = strtod(text, &end);
    if (*text == '\0' || *end || !(value > option->low) || !(value <= high))
        return failed("'%s' takes a number above %g, at most %g, found '%s'", option->name,
                      option->low, high, text);
    *(double *)field = value;
    return true;
}

static bool set_option(const Option *option, const NnModel *model, const char *text,
                       Options *options)
{
    void *field = (char *)options + option->field;
    options->given[option - options_of_all] = true;
    if (option->kind == SWITCH) {
        *(bool *)field = true;
        return true;
    }
    if (option->kind == COUNT)
        return read_count(option, text, largest(option, model), field);
    if (option->kind == SEED)
        return read_seed(option, text, field);
    if (option->kind == RATE)
        return read_rate(option, text, option->high, field);
    if (!*text)
        return failed("'%s' takes a %s, found an empty one", option->name,
                      strcmp(option->value, "DIR") == 0 ? "folder" : "file");
    *(const char **)field = text;
    return true;
}

static const Option *find_option(const char *word, size_t length, const Command *command)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const Option *option = &options_of_all[i];
        if (strlen(option->name) == length && strncmp(option->name, word, length) == 0 &&
            (option->commands & command->bit))
            return option;
    }
    return NULL;
}

// Reads words[0 .. count-1], which follow the command; what is no option is moved to the front.
static bool read_words(const Command *command, const NnModel *model, int count, const char **words,
                       Options *options)
{
    bool only_arguments = false;
    options->arguments = words;
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            words[options->argument_count++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_arguments = true;
            continue;
        }
        const size_t length = strcspn(word, "=");
        const Option *option = find_option(strcmp(word, "-h") == 0 ? "--help" : word,
                                           strcmp(word, "-h") == 0 ? 6 : length, command);
        if (!option) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)length, word);
            return unknown_option(name, command);
        }
        if (option->kind == SWITCH && word[length])
            return failed("'%s' takes no value, found '%s'", option->name, word + length + 1);
        const char *value = word[length] ? word + length + 1 : NULL;
        if (option->kind != SWITCH && !value) {
            if (i + 1 == count || strncmp(words[i + 1], "--", 2) == 0)
                return failed("'%s' needs a value: '%s %s'", option->name, option->name,
                              option->value);
            value = words[++i];
        }
        if (!set_option(option, model, value, options))
            return false;
    }
    return true;
}

static bool check_arguments(const Command *command, const Options *options)
{
    if (options->argument_count < command->least)
        return failed("'%s' needs what it works on: '%s %s%s'", command->name, message_name(),
                      command->name, command->arguments);
    if (options->argument_count > command->most)
        return failed("'%s' is one argument too many for '%s'", options->arguments[command->most],
                      command->name);
    return true;
}

// --- help ---------------------------------------------------------------------------------------

static void print_usage(FILE *out, const NnModel *model)
{
    fprintf(out, "usage: %s COMMAND [options]\n\nthe network '%s', compiled by netc\n\n",
            message_name(), model->name);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        char call[64];
        snprintf(call, sizeof call, "%s%s", commands[i].name, commands[i].arguments);
        fprintf(out, "  %-20s %s\n", call, commands[i].help);
    }
    fprintf(out, "\n'%s COMMAND --help' lists a command's options\n", message_name());
}

static void print_default(const Option *option, const Options *defaults)
{
    const void *field = (const char *)defaults + option->field;
    if (option->kind == TEXT && *(const char *const *)field)
        printf(" (default: %s)", *(const char *const *)field);
    else if (option->kind == COUNT && *(const int *)field > 0)
        printf(" (default: %d)", *(const int *)field);
    else if (option->kind == SEED)
        printf(" (default: %llu)", (unsigned long long)*(const uint64_t *)field);
    else if (option->kind == RATE)
        printf(" (default: %g)", *(const double *)field);
}

static void print_help(const Command *command, const Options *defaults)
{
    printf("usage: %s %s%s [options]\n\n%s\n\n", message_name(), command->name, command->arguments,
           command->help);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const Option *option = &options_of_all[i];
        char call[64];
        if (!(option->commands & command->bit))
            continue;
        snprintf(call, sizeof call, "%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        printf("  %-16s %s", call, option->help);
        print_default(option, defaults);
        putchar('\n');
    }
}

// --- the whole ----------------------------------------------------------------------------------

static Options default_options(const NnModel *model)
{
    static char data[RUN_PATH], out[RUN_PATH];
    snprintf(data, sizeof data, "%s%s", model->files.inputs ? "." : "data/",
             model->files.inputs ? "" : model->data);
    snprintf(out, sizeof out, "runs/%s", model->name);
    return (Options){
        .data = data,
        .out = out,
        .epochs = model->epochs,
        .seed = model->seed,
        .rate = model->rate,
        .threads = nn_min(team_processors(), model->threads),
        .rows = nn_min(model->batch, 8),
        .samples = 200,
        .seconds = 3,
    };
}

static int end_with_usage(void)
{
    end_with_problem();
    return 2;
}

// Nothing that was printed may be lost without a word, as on a full disk.
static int close_output(int status)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        failed("cannot write the standard output: %s", strerror(errno));
        return end_with_problem();
    }
    return status;
}

int run_command_line(const NnModel *model, int argc, char **argv)
{
    message_program(argc > 0 ? argv[0] : model->name);
    if (argc < 2) {
        print_usage(stderr, model);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout, model);
        return close_output(0);
    }
    const Command *command = NULL;
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            command = &commands[i];
    if (!command) {
        unknown_command(argv[1]);
        return end_with_usage();
    }
    const Options defaults = default_options(model);
    Options options = defaults;
    const char **words = allocate((size_t)argc, sizeof *words);
    if (!words)
        return end_with_problem();
    for (int i = 2; i < argc; i++)
        words[i - 2] = argv[i];
    int status = 0;
    if (!read_words(command, model, argc - 2, words, &options) ||
        (!options.help && !check_arguments(command, &options)))
        status = end_with_usage();
    else if (options.help)
        print_help(command, &defaults);
    else if (!team_stack(model->stack_bytes))
        status = end_with_problem();
    else
        status = command->run(model, &options);
    free(words);
    return close_output(status);
}
