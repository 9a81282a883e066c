// lab_training.c: one training of a row, with one seed: in a process of its own, so that whatever
// goes wrong with it stops no other.
//
// A row's folder holds its program and what the first training writes; the others have a folder
// each inside it. Beside its results, each keeps row.json: the key of what was trained and how it
// ended. Where the key is the same, a finished training is kept and a stopped one goes on.
#include "build.h"
#include "child.h"
#include "emit.h"
#include "json.h"
#include "lab.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A training of a row and what it goes by.
typedef struct {
    const Lab *lab;
    const Experiment *row;
    const Training *training;
    int index;        // of the training, from 0
    bool built;       // an earlier training of the row made the program
    const Options *o; // as of a command that trains the row's network
    const char *key;
    long seed;
} Job;

static const char *path_in(const Job *job, const char *name)
{
    return format("%s/%s", job->training->folder, name);
}

static const char *program_path(const Experiment *row) { return format("%s/program", row->folder); }

// --- row.json -----------------------------------------------------------------------------------

static bool write_state(const Job *job, const char *status, double seconds)
{
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "key", job->key);
    cJSON_AddNumberToObject(object, "seed", (double)job->seed);
    cJSON_AddStringToObject(object, "status", status);
    cJSON_AddNumberToObject(object, "wall_seconds", seconds);
    char *const text = cJSON_Print(object);
    const bool good = write_file(path_in(job, "row.json"), format("%s\n", text), KEPT_SAFE);
    cJSON_free(text);
    cJSON_Delete(object);
    return good;
}

// --- the key ------------------------------------------------------------------------------------

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return text ? hash_bytes(hash, text, strlen(text) + 1) : hash_bytes(hash, "", 1);
}

// A named set's whole folder. Of files, those that the network names and no others: the folder that
// they lie in may hold the results as well.
static uint64_t hash_data(uint64_t hash, const Program *program, const char *folder)
{
    const DataSet *const data = data_set(program);
    if (data->pictures)
        return hash_path(hash, folder ? folder : format("data/%s", data->name));
    const Setting *const test = setting(program->test, "part");
    const Setting *const validation = setting(program->validation, "part");
    const char *const names[] = {data_text(program, "inputs"), answers_file(program),
                                 test->word,                   test->second,
                                 validation->word,             validation->second};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i])
            hash = hash_path(hash, !folder || *names[i] == '/'
                                       ? names[i]
                                       : format("%s/%s", folder, names[i]));
    return hash;
}

// Of what decides the numbers: the network, its overrides, how it is compiled, and the data. The
// seed follows from these and from the training's folder.
static const char *key_of(const Options *o, const Program *program)
{
    uint64_t hash = hash_text(hash_start, program->source->text);
    for (int i = 0; i < program->override_count; i++)
        hash = hash_text(hash, program->overrides[i]);
    hash = hash_text(hash_text(hash_text(hash, o->target), o->gemm), o->precision);
    hash = hash_text(hash, o->conv);
    const Source *const measured = o->tuned ? source_read(o->tuned) : NULL;
    hash = hash_text(hash, measured ? measured->text : NULL);
    for (int i = 0; i < o->products.count; i++)
        hash = hash_text(hash, o->products.items[i]);
    return format("%016llx", (unsigned long long)hash_data(hash, program, o->data));
}

// --- training -----------------------------------------------------------------------------------

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool is_live(void)
{
    const char *const terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

// On a terminal, the line that says where the row is.
static void PRINTF(2, 3) show(const Job *job, const char *pattern, ...)
{
    if (!is_live())
        return;
    const Experiment *const row = job->row;
    char text[200];
    va_list args;
    va_start(args, pattern);
    vsnprintf(text, sizeof text, pattern, args);
    va_end(args);
    printf("\r[%d/%d] %s%s%s: %s%s\033[K", row->number, job->lab->count, row->section,
           *row->section ? ": " : "", row->network,
           row->seeds > 1 ? format("seed %ld, ", job->seed) : "", text);
    fflush(stdout);
}

static void show_epoch(const Job *job, const char *text, int epochs)
{
    cJSON *const json = cJSON_Parse(text);
    const double accuracy = json_number(json, "accuracy");
    if (json && !isnan(json_number(json, "epoch")))
        show(job, "epoch %.0f of %d, loss %s%s", json_number(json, "epoch"), epochs,
             loss_text(json_number(json, "loss")),
             isnan(accuracy) ? "" : format(", accuracy %.2f%%", 100 * accuracy));
    cJSON_Delete(json);
}

// What runs in a process of its own at the moment: in netc the row, in the row the training.
static volatile pid_t running;
static volatile sig_atomic_t asked; // by the signal of this number; 0: not yet

int signal_asked(void) { return asked; }

// A terminal's interrupt reaches all of them, and a second one would end a training before its step
// has ended; what else is sent to netc alone is passed on.
static void pass_on_signal(int number)
{
    asked = number;
    if (number != SIGINT && running > 0)
        kill(running, number);
}

void catch_signals(int flags)
{
    const struct sigaction action = {.sa_handler = pass_on_signal, .sa_flags = flags};
    for (int i = 0; i < ENDINGS; i++) {
        struct sigaction before;
        if (!sigaction(endings[i], NULL, &before) && before.sa_handler != SIG_IGN)
            sigaction(endings[i], &action, NULL);
    }
}

// A signal that came before there was anyone to pass it to is not lost.
static void set_running(pid_t child)
{
    running = child;
    if (asked)
        pass_on_signal(asked);
}

// Waits for its end; returns its exit status.
static int status_of(pid_t child)
{
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            child = -1;
    running = 0;
    return child < 0             ? MISTAKE
           : WIFEXITED(status)   ? WEXITSTATUS(status)
           : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                 : MISTAKE;
}

// Runs the built program, which prints a line of JSON for each epoch; returns its exit status.
static int train(const Job *job, const char *const *command, int epochs)
{
    FILE *lines;
    const pid_t child = start_child(command, &lines);
    set_running(child);
    char *text = NULL;
    size_t room = 0;
    while (lines && getline(&text, &room, lines) >= 0)
        show_epoch(job, text, epochs);
    free(text);
    if (lines)
        fclose(lines);
    return status_of(child);
}

static int train_command(const Job *job, bool resume, int epochs)
{
    const char *const words[] = {program_path(job->row), "train", "--json", "--out",
                                 job->training->folder};
    enum { WORDS = sizeof words / sizeof *words };
    const char *command[WORDS + 8];
    memcpy(command, words, sizeof words);
    int count = WORDS;
    if (job->o->data) { // otherwise the program knows where they lie
        command[count++] = "--data";
        command[count++] = job->o->data;
    }
    if (job->o->threads) {
        command[count++] = "--threads";
        command[count++] = job->o->threads;
    }
    if (job->index) { // the first trains with the program's own
        command[count++] = "--seed";
        command[count++] = format("%ld", job->seed);
    }
    if (resume)
        command[count++] = "--resume";
    command[count] = NULL;
    return train(job, command, epochs);
}

static bool is_finished(const Job *job)
{
    cJSON *const run = json_read(path_in(job, "run.json"));
    const bool finished = !strcmp(json_text(run, "status"), "finished");
    cJSON_Delete(run);
    return finished;
}

// An older program goes first: where one is, it is this network's.
static bool build_program(const Job *job, const Program *program)
{
    const BuildOptions options = {.target = job->o->target, .output = program_path(job->row)};
    if (job->built)
        return true;
    show(job, "is built");
    remove(options.output);
    Network *const network = compile(job->o, program);
    return network && build_binary(network, emit_c(network), &options);
}

// What another network left here must not be taken for this one's beginning.
static void forget_results(const Job *job)
{
    static const char *const files[] = {"weights.safetensors", "best.safetensors", "run.json",
                                        "curves.svg"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(path_in(job, files[i]));
}

static int build_and_train(Job *job)
{
    const double start = now();
    const Program *const program = read_program(job->o);
    if (!program)
        return MISTAKE;
    if (!program->loss) {
        error_at(E911, (Loc){0}, "'%s' has no 'loss' statement and cannot be trained",
                 job->row->net);
        return MISTAKE;
    }
    job->key = key_of(job->o, program);
    job->seed = (long)setting_number(program->seed, "number") + job->index;
    cJSON *const state = json_read(path_in(job, "row.json"));
    const bool same = !strcmp(json_text(state, "key"), job->key);
    const double before = json_number(state, "wall_seconds"); // of the training that goes on
    if (same && !strcmp(json_text(state, "status"), "finished") && is_finished(job))
        return KEPT;
    if (!job->row->chosen)
        return ABSENT;
    const bool resume = same && !access(path_in(job, "weights.safetensors"), R_OK);
    const bool good = build_program(job, program);
    if (asked)
        return 128 + asked;
    if (good && !resume)
        forget_results(job);
    if (!good || !write_state(job, "started", resume ? before : 0))
        return MISTAKE;
    show(job, "starts");
    const int status = train_command(job, resume, (int)setting_number(program->epochs, "count"));
    const double seconds = now() - start + (resume && !isnan(before) ? before : 0);
    const bool kept = write_state(job, status == DONE ? "finished" : "stopped", seconds);
    return kept ? status : MISTAKE;
}

// --- the process --------------------------------------------------------------------------------

// Messages go to the training's log; the terminal shows them when it has failed.
static void run_child(Job *job)
{
    const char *const log = path_in(job, "log.txt");
    catch_signals(SA_RESTART);
    if (!freopen(log, "w", stderr))
        _exit(MISTAKE);
    messages_reset();
    const int status = build_and_train(job);
    fflush(NULL);
    _exit(status);
}

static const Options *options_of(const Experiment *row, const Options *o)
{
    Options *const own = allocate(sizeof *own);
    *own = *o;
    own->paths = (List){.items = allocate(sizeof(char *)), .count = 1};
    own->paths.items[0] = row->net;
    own->defines = row->defines;
    own->sets = row->sets;
    return own;
}

int run_training(const Lab *lab, const Experiment *row, int index, bool built, const Options *o)
{
    Job job = {.lab = lab,
               .row = row,
               .training = &row->trainings[index],
               .index = index,
               .built = built,
               .o = options_of(row, o)};
    if (!row->chosen && access(job.training->folder, F_OK))
        return ABSENT;
    if (!make_folders(job.training->folder)) // the row's, or one inside it
        return MISTAKE;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        run_child(&job);
    set_running(child);
    const int status = status_of(child);
    if (is_live())
        printf("\r\033[K");
    return status;
}

bool has_program(const Experiment *row) { return !access(program_path(row), X_OK); }
