// command.h: the command line: what was asked for, and the functions that do it.
#ifndef COMMAND_H
#define COMMAND_H

#include "ir.h"

#define NETC_VERSION "0.1.0"
#define NETC_DATE "2026-11-25" // of the manual pages

// exit statuses; SAME and the rest of `diff` alone, as those of diff
enum { DONE = 0, MISTAKE = 1, USAGE = 2, SAME = 0, DIFFERENT = 1, TROUBLE = 2 };

typedef struct Command Command;

typedef struct {
    const char **items;
    int count;
} List;

typedef struct Option Option;

// An option and its value, as written.
typedef struct {
    const Option *option;
    const char *value;
} Given;

// What the command line says; each option stores to the field that its row of options.def names.
typedef struct {
    const Command *command; // NULL: none was named
    List paths;             // the words behind the command
    List passed_on;         // of `train`: what the program gets
    Given *given;           // all options, in their order
    int given_count;
    const char *output, *dump, *target, *precision, *gemm, *conv, *plan, *tuned; // NULL: not given
    List defines, sets, products;
    double max_mem; // bytes; 0: no limit
    bool explain, profile, tune, verbose, json, measure, backward, check, help, version;
    const char *context, *color; // of `diff`; NULL: not given
    bool net, code, stat, no_pager;
    const char *rows, *seeds, *out, *data, *threads; // of `lab` and `sweep`; NULL: not given
} Options;

enum { MOST_SEEDS = 1000 }; // of a row of a lab

// --- options.c: the tables, and reading the command line by them --------------------------------
enum { MANY = 1 << 20, PASSED_ON };

struct Command {
    const char *name, *arguments;
    int least, most;
    const char *needs, *about;
    int (*run)(const Options *);
};

typedef enum { STORE_FLAG, STORE_TEXT, STORE_LIST, STORE_SIZE } Store;

struct Option {
    const char *name; // "--output"
    char letter;
    const char *value; // "": takes none
    unsigned commands; // bits by the row of commands.def
    const char *about;
    Store store;
    size_t field;                                            // its place in Options
    const char *(*check)(const Option *, const char *value); // STORE_TEXT: NULL, or what is wrong
};

const Command *next_command(const Command *command); // of NULL the first; NULL behind the last
const Option *next_option(const Option *option);     // the same
bool takes_option(const Command *command, const Option *option); // command NULL: any takes it
bool has_statuses_of_diff(const Command *command); // NULL: none was named
Words option_choices(const Option *option); // what its value may be; none where it is free

// Fills in `to`. The result is DONE, or USAGE after an error was printed.
int read_command_line(Options *to, int count, char **arguments);
int usage_error(ErrorCode code, const char *text); // prints it with a hint; returns USAGE
bool spares_source(const Options *o, const char *output); // false after an error was printed

// Two settings of what decides the code, from one command line: of an option that is given twice,
// or of a -D or --set of one name, the first goes to the left and the second to the right. Of a
// single network without an option that is given twice, the left is as it is written.
int split_options(const Options *both, Options *left, Options *right); // DONE or USAGE
void make_room(Options *o, int more); // for so many more of add_recorded
// Adds an option as a record keeps it, "-D width=50", where the same is not given yet.
int add_recorded(Options *to, const char *text);
const char *given_text(const Given *given); // "-D width=50"

// --- help.c -------------------------------------------------------------------------------------
void print_help(FILE *out, const Command *command); // NULL: of all commands

// --- tune_conv.c: by windows or by planes, measured ----------------------------------------------
// Those of the network that the file o->tuned does not know; it does then. False after an error.
bool tune_convolutions(const Network *network, const Options *o);

// --- compile.c: the passes in their order -------------------------------------------------------
extern const char *const pass_names[]; // for --dump; ends with NULL

// The program of a text, with -D and --set applied; NULL after an error.
const Program *program_of(const Options *o, const Source *source);
// The program in the first file, with -D and --set applied; NULL after an error.
const Program *read_program(const Options *o);
// All passes but emit; NULL after an error.
Network *compile(const Options *o, const Program *program);
// The same for a program that was compiled before: its warnings are not said again.
Network *compile_again(const Options *o, const Program *program);
// Both; NULL after an error.
Network *compile_file(const Options *o);
// The first file, as operations that nothing has joined or placed yet; with gradients, those of the
// backward pass and the updates too. NULL after an error.
Network *lower_file(const Options *o, bool gradients);

// --- cmd_*.c: one command each ------------------------------------------------------------------
// Each returns its exit status.
#define COMMAND(name, ...) int run_##name(const Options *o);
#include "commands.def"
#undef COMMAND

#endif
