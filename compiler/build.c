// build.c: the generated C becomes a binary: runs the C compiler and links the runtime.
#include "child.h"
#include "build.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_runtime(const char *folder)
{
    return access(format("%s/libnn.a", folder), R_OK) == 0 &&
           access(format("%s/nn.h", folder), R_OK) == 0;
}

// The folder of nn.h and libnn.a: NETC_RUNTIME, or where it lies from this program.
static const char *runtime_folder(void)
{
    const char *const named = getenv("NETC_RUNTIME");
    if (named && *named)
        return is_runtime(named) ? named : NULL;
    char self[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return NULL;
    self[length] = '\0';
    const char *const folder = dirname(self);
    const char *const places[] = {format("%s/lib/netc", folder), format("%s/../lib/netc", folder)};
    for (int i = 0; i < 2; i++)
        if (is_runtime(places[i]))
            return places[i];
    return NULL;
}

typedef struct {
    const char **list; // ends with NULL
    int count, room;
} Command;

static void add(Command *command, const char *word)
{
    if (command->count + 1 >= command->room) {
        const char **const old = command->list;
        command->room = 2 * command->room + 64;
        command->list = allocate((size_t)command->room * sizeof *old);
        if (old)
            memcpy(command->list, old, (size_t)command->count * sizeof *old);
    }
    command->list[command->count++] = word;
    command->list[command->count] = NULL;
}

static void add_words(Command *command, const char *words)
{
    char *const copy = format("%s", words ? words : "");
    for (char *word = strtok(copy, " \t"); word; word = strtok(NULL, " \t"))
        add(command, word);
}

// Static arrays beyond 2 GB need addresses of another size.
static bool is_large(const Network *network)
{
    const Cost cost = network_cost(network);
    return cost.arena_bytes + cost.weight_bytes + cost.optimizer_bytes > 1.5e9;
}

static const char *cc(void)
{
    const char *const named = getenv("CC");
    return named && named[strspn(named, " \t")] ? named : "cc";
}

static void become_without_errors(const char *const *command)
{
    if (freopen("/dev/null", "w", stderr))
        execvp(command[0], (char *const *)(uintptr_t)command);
}

// What a program says when it is asked; "" where there is none.
static const char *answer(const char *program, const char *question)
{
    Command command = {0};
    const char *text;
    add_words(&command, program);
    add(&command, question);
    run_program(command.list, become_without_errors, &text);
    return text;
}

const char *c_compiler(void) { return answer(cc(), "--version"); }

typedef struct {
    bool gcc;
    bool shares_work; // it is to compile parts of the program side by side
} Compiler;

// What is told of the C compiler, while there is nothing that a signal would leave behind. Parts of
// a short program cost as much as they save.
static Compiler ask_compiler(const char *c_text)
{
    enum { WORTH_SHARING = 48 << 10 };
    Compiler compiler = {.gcc = strstr(c_compiler(), "Free Software Foundation") != NULL};
    // gcc has the name of a program that it lacks without a folder, and starts the others by make
    compiler.shares_work = compiler.gcc && strlen(c_text) >= WORTH_SHARING &&
                           *answer(cc(), "-print-prog-name=lto1") == '/' &&
                           *answer("make", "--version");
    return compiler;
}

// gcc copies what a single call has into the step, one function that it then takes up to half of
// its time for. Where a step is short, in calls or, with a batch of one row, in time, that is no
// matter, and the copies are up to a twentieth quicker.
static bool is_long(const Network *network)
{
    enum { LONG_STEP = 80, LONG_BATCH = 2 };
    return network->train.count >= LONG_STEP && network->block_rows >= LONG_BATCH;
}

static void add_optimization(Command *command, const Network *network, Compiler compiler)
{
    // of what -O3 adds to -O2, only this pays in a step; the rest takes up to half of all time
    add_words(command, "-O2 -ftree-vectorize -fvect-cost-model -fpeel-loops");
    add(command, "-fopenmp-simd"); // sums in lanes, where the C says so
    // gcc else gives numbers that exp cuts off a path of their own, and the loop may stay scalar
    if (compiler.gcc)
        add(command, "-fno-tree-pre");
    else // clang knows not all that follows, and does the same without it
        add_words(command, "-Wno-unused-command-line-argument -Wno-ignored-optimization-argument");
    if (compiler.gcc && is_long(network))
        add_words(command, "-fno-inline-functions -fno-inline-small-functions "
                           "-fno-inline-functions-called-once");
    // Parts of so many of its instructions are compiled side by side, whichever they are: the
    // program is the same for any number of processors.
    if (compiler.shares_work)
        add_words(command, "-flto=auto --param lto-min-partition=3000");
    // what the C language promises of errno, traps and aliases is not used, and costs vectors
    add_words(command, "-fno-math-errno -fno-trapping-math -fno-strict-aliasing");
}

static void add_processor(Command *command, const Network *network, const char *target)
{
    const char *const march = target_march(target);
    if (march)
        add(command, format("-march=%s", march));
#ifdef __x86_64__
    add(command, "-mprefer-vector-width=512");
    // Tuned for some processors, gcc splits multiply-adds that form a chain: slower in tiles, and
    // bits would depend on a tile's shape.
    add_words(command, "--param avoid-fma-max-bits=0");
    if (is_large(network))
        add(command, "-mcmodel=medium");
#else
    (void)is_large;
    (void)network;
#endif
}

static void make_command(Command *command, const Network *network, const BuildOptions *options,
                         Compiler compiler, const char *source, const char *output,
                         const char *runtime)
{
    add_words(command, cc());
    add_words(command, "-std=gnu11 -Wall -Wextra");
    add_optimization(command, network, compiler);
    add_processor(command, network, options->target);
    if (options->profile)
        add(command, "-DNN_PROFILE");
    add(command, format("-I%s", runtime));
    add_words(command, getenv("NETC_CFLAGS"));
    // the runtime's exp, and its tests for what is not finite, stand on sums as they are written
    add_words(command, "-fno-associative-math -fno-finite-math-only");
    add(command, "-o");
    add(command, output);
    add(command, source);
    add(command, format("%s/libnn.a", runtime));
    add_words(command, getenv("NETC_LDFLAGS"));
    if (links_blas(network))
        add(command, "-lopenblas");
    add_words(command, "-lcjson -lpng -lz -lm -lgomp -pthread"); // OpenMP of the runtime
}

static void become_compiler(const char *const *command)
{
    execvp(command[0], (char *const *)(uintptr_t)command);
    error_at(E913, (Loc){0}, "cannot run the C compiler '%s': %s", command[0], strerror(errno));
}

static bool run(const Command *command, bool verbose)
{
    if (verbose) {
        for (int i = 0; i < command->count; i++)
            fprintf(stderr, "%s%s", i ? " " : "", command->list[i]);
        fprintf(stderr, "\n");
    }
    const int status = run_program(command->list, become_compiler, NULL);
    if (status < 0)
        error_at(E913, (Loc){0}, "cannot run the C compiler: %s", strerror(errno));
    return status == 0;
}

static bool write_text(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    bool good = file && fputs(text, file) >= 0;
    if (file)
        good = fclose(file) == 0 && good;
    if (!good)
        error_at(E910, (Loc){0}, "cannot write '%s': %s", path, strerror(errno));
    return good;
}

// Said before the compilation, not behind it.
static bool can_be_output(const char *path)
{
    struct stat status;
    const char *const slash = strrchr(path, '/');
    const char *const folder = slash ? format("%.*s", (int)(slash - path + 1), path) : ".";
    if (!stat(path, &status) && !S_ISREG(status.st_mode)) {
        error_at(E910, (Loc){0}, "cannot write '%s': it is %s", path,
                 S_ISDIR(status.st_mode) ? "a folder" : "not an ordinary file");
        note_at((Loc){0}, "'-o FILE' gives the program another name");
        return false;
    }
    if (access(folder, W_OK) == 0)
        return true;
    error_at(E910, (Loc){0}, "cannot write '%s': %s", path, strerror(errno));
    return false;
}

// Compiles the C text to options->output, which is replaced only when all went well.
bool build_binary(const Network *network, const char *c_text, const BuildOptions *options)
{
    const char *const runtime = runtime_folder();
    if (!runtime) {
        error_at(E914, (Loc){0}, "cannot find the runtime, libnn.a and nn.h");
        note_at((Loc){0}, "it is looked for in the folder that NETC_RUNTIME names, otherwise in "
                          "'lib/netc' beside this program");
        return false;
    }
    if (!can_be_output(options->output))
        return false;
    const Compiler compiler = ask_compiler(c_text);
    const char *const folder = ended_by_signal() ? NULL : temporary_folder();
    if (!folder)
        return false;
    const char *const source = format("%s/%s.c", folder, network->program->name);
    const char *const output = format("%s.building-%ld", options->output, (long)getpid());
    Command command = {0};
    make_command(&command, network, options, compiler, source, output, runtime);
    const bool built = write_text(source, c_text) && run(&command, options->verbose);
    const bool good = built && rename(output, options->output) == 0;
    const int reason = errno;
    if (!good)
        unlink(output);
    unlink(source);
    rmdir(folder); // before a message, which may end netc where nobody reads it
    if (built && !good)
        error_at(E910, (Loc){0}, "cannot write '%s': %s", options->output, strerror(reason));
    else if (!good)
        error_at(E916, (Loc){0}, "'%s' was not built", options->output);
    return good;
}
