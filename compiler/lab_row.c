// lab_row.c: one row of a lab: built and trained in a process of its own, so that whatever goes
// wrong with it stops no other.
//
// A row's folder keeps what its training writes, and row.json: the key of what was trained and how
// it ended. Where the key is the same, a finished training is kept and a stopped one goes on.
#include "child.h"
#include "lab.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// --- row.json -----------------------------------------------------------------------------------

static const char *path_in(const Experiment *row, const char *name)
{
    return format("%s/%s", row->folder, name);
}

static cJSON *read_json(const char *path)
{
    enum { MAX_BYTES = 1 << 26 };
    FILE *const file = fopen(path, "rb");
    Text text = {0};
    char bytes[4096];
    size_t count;
    text_add(&text, "%s", "");
    while (file && text.length < MAX_BYTES && (count = fread(bytes, 1, sizeof bytes, file)) > 0)
        text_put(&text, bytes, count);
    if (file)
        fclose(file);
    return cJSON_Parse(text.text);
}

static const char *string_in(const cJSON *object, const char *name)
{
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_in(const cJSON *object, const char *name)
{
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static bool write_state(const Experiment *row, const char *key, const char *status, double seconds)
{
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "key", key);
    cJSON_AddStringToObject(object, "status", status);
    cJSON_AddNumberToObject(object, "wall_seconds", seconds);
    char *const text = cJSON_Print(object);
    const bool good = write_file(path_in(row, "row.json"), format("%s\n", text));
    cJSON_free(text);
    cJSON_Delete(object);
    return good;
}

// --- the key ------------------------------------------------------------------------------------

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return text ? hash_bytes(hash, text, strlen(text) + 1) : hash_bytes(hash, "", 1);
}

// Of what decides the numbers: the network, its overrides, how it is compiled, and the data.
static const char *key_of(const Options *o, const Program *program, const char *data)
{
    uint64_t hash = hash_text(hash_start, program->source->text);
    for (int i = 0; i < program->override_count; i++)
        hash = hash_text(hash, program->overrides[i]);
    hash = hash_text(hash_text(hash_text(hash, o->target), o->gemm), o->precision);
    return format("%016llx", (unsigned long long)hash_folder(hash, data));
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
static void PRINTF(3, 4) show(const Lab *lab, const Experiment *row, const char *pattern, ...)
{
    if (!is_live())
        return;
    char text[200];
    va_list args;
    va_start(args, pattern);
    vsnprintf(text, sizeof text, pattern, args);
    va_end(args);
    printf("\r[%d/%d] %s%s%s: %s\033[K", row->number, lab->count, row->section,
           *row->section ? ": " : "", row->network, text);
    fflush(stdout);
}

static void show_epoch(const Lab *lab, const Experiment *row, const char *text, int epochs)
{
    cJSON *const json = cJSON_Parse(text);
    const double accuracy = number_in(json, "accuracy");
    if (json && !isnan(number_in(json, "epoch")))
        show(lab, row, "epoch %.0f of %d, loss %.4f%s", number_in(json, "epoch"), epochs,
             number_in(json, "loss"),
             isnan(accuracy) ? "" : format(", accuracy %.2f%%", 100 * accuracy));
    cJSON_Delete(json);
}

// What runs in a process of its own at the moment: in netc the row, in the row the training.
static volatile pid_t running;

// A terminal's interrupt reaches all of them; what is sent to netc alone is passed on.
void pass_on_signal(int number)
{
    if (number == SIGTERM && running > 0)
        kill(running, number);
}

// Waits for its end; returns its exit status.
static int status_of(pid_t child)
{
    int status = 0;
    running = child;
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
static int train(const Lab *lab, const Experiment *row, const char *const *command, int epochs)
{
    FILE *lines;
    const pid_t child = start_child(command, &lines);
    running = child;
    char *text = NULL;
    size_t room = 0;
    while (lines && getline(&text, &room, lines) >= 0)
        show_epoch(lab, row, text, epochs);
    free(text);
    if (lines)
        fclose(lines);
    return status_of(child);
}

static int train_command(const Experiment *row, const Options *o, const char *data, bool resume,
                         int epochs, const Lab *lab)
{
    const char *const words[] = {
        path_in(row, "program"), "train", "--json", "--data", data, "--out", row->folder};
    enum { WORDS = sizeof words / sizeof *words };
    const char *command[WORDS + 4];
    memcpy(command, words, sizeof words);
    int count = WORDS;
    if (o->threads) {
        command[count++] = "--threads";
        command[count++] = o->threads;
    }
    if (resume)
        command[count++] = "--resume";
    command[count] = NULL;
    return train(lab, row, command, epochs);
}

static bool is_finished(const Experiment *row)
{
    cJSON *const run = read_json(path_in(row, "run.json"));
    const bool finished = !strcmp(string_in(run, "status"), "finished");
    cJSON_Delete(run);
    return finished;
}

static int build_and_train(const Lab *lab, const Experiment *row, const Options *o)
{
    const double start = now();
    const Program *const program = read_program(o);
    if (!program)
        return MISTAKE;
    if (!program->loss) {
        error_at(E911, (Loc){0}, "'%s' has no 'loss' statement and cannot be trained", row->net);
        return MISTAKE;
    }
    const char *const data =
        o->data ? o->data : format("data/%s", setting_word(program->data, "name"));
    const char *const key = key_of(o, program, data);
    cJSON *const state = read_json(path_in(row, "row.json"));
    const bool same = !strcmp(string_in(state, "key"), key);
    const double before = number_in(state, "wall_seconds"); // of the training that goes on
    if (same && !strcmp(string_in(state, "status"), "finished") && is_finished(row))
        return KEPT;
    if (!row->chosen)
        return ABSENT;
    const bool resume = same && !access(path_in(row, "weights.safetensors"), R_OK);
    show(lab, row, "is built");
    Network *const network = compile(o, program);
    const BuildOptions options = {.target = o->target, .output = path_in(row, "program")};
    if (!network || !build_binary(network, emit_c(network), &options) ||
        !write_state(row, key, "started", resume ? before : 0))
        return MISTAKE;
    show(lab, row, "starts");
    const int status = train_command(row, o, data, resume,
                                     (int)setting_number(program->epochs, "count"), lab);
    const double seconds = now() - start + (resume && !isnan(before) ? before : 0);
    const bool kept = write_state(row, key, status == DONE ? "finished" : "stopped", seconds);
    return kept ? status : MISTAKE;
}

// --- the process --------------------------------------------------------------------------------

// Messages go to the row's log; the terminal shows them when the row has failed.
static void run_child(const Lab *lab, const Experiment *row, const Options *o)
{
    const char *const log = path_in(row, "log.txt");
    const struct sigaction action = {.sa_handler = pass_on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!freopen(log, "w", stderr))
        _exit(MISTAKE);
    messages_reset();
    const int status = build_and_train(lab, row, o);
    fflush(NULL);
    _exit(status);
}

int run_row_process(const Lab *lab, const Experiment *row, const Options *o)
{
    Options *const own = allocate(sizeof *own);
    *own = *o;
    own->paths = (List){.items = allocate(sizeof(char *)), .count = 1};
    own->paths.items[0] = row->net;
    own->defines = row->defines;
    own->sets = row->sets;
    if (!row->chosen && access(row->folder, F_OK))
        return ABSENT;
    if (mkdir(row->folder, 0777) && errno != EEXIST) {
        error_at(E910, (Loc){0}, "cannot make the folder '%s': %s", row->folder, strerror(errno));
        return MISTAKE;
    }
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        run_child(lab, row, own);
    const int status = status_of(child);
    if (is_live())
        printf("\r\033[K");
    return status;
}

// --- what came of it ----------------------------------------------------------------------------

static double percent_in(const cJSON *object, const char *name)
{
    return 100 * number_in(object, name);
}

static void read_epochs(Experiment *row, const cJSON *history)
{
    row->epochs = allocate((size_t)cJSON_GetArraySize(history) * sizeof *row->epochs + 1);
    row->epoch_count = 0;
    row->ours.seconds = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, history)
    {
        row->epochs[row->epoch_count++] =
            (LabEpoch){.loss = number_in(item, "loss"),
                       .accuracy = percent_in(item, "accuracy"),
                       .validation_loss = number_in(item, "validation_loss"),
                       .validation_accuracy = percent_in(item, "validation_accuracy")};
        row->ours.seconds += number_in(item, "seconds");
    }
}

// The first error in the log, without its place and its code.
static const char *first_problem(const Experiment *row)
{
    FILE *const log = fopen(path_in(row, "log.txt"), "r");
    char text[1000];
    const char *problem = "it ended without a word";
    while (log && fgets(text, sizeof text, log)) {
        const char *const error = strstr(text, "error: ");
        text[strcspn(text, "\n")] = '\0';
        if (!error && *text == ' ')
            continue;
        char *const code = strrchr(text, '[');
        if (error && code > error && !strncmp(code, "[E", 2))
            code[-1] = '\0';
        problem = format("%s", error ? error + strlen("error: ") : text);
        break;
    }
    if (log)
        fclose(log);
    return problem;
}

void read_outcome(Experiment *row, int status)
{
    if (!row->chosen && status != KEPT)
        return;
    if (status != DONE && status != KEPT) {
        row->outcome = status > 128 ? STOPPED : FAILED;
        row->problem = first_problem(row);
        return;
    }
    cJSON *const run = read_json(path_in(row, "run.json"));
    cJSON *const state = read_json(path_in(row, "row.json"));
    const cJSON *const test = cJSON_GetObjectItemCaseSensitive(run, "test");
    row->outcome = test ? FINISHED : FAILED;
    row->problem = "its run.json cannot be read";
    row->kept = status == KEPT;
    row->parameters = (long)number_in(run, "parameters");
    row->ours.accuracy = percent_in(test, "accuracy");
    row->ours.loss = number_in(test, "loss");
    row->wall_seconds = number_in(state, "wall_seconds");
    read_epochs(row, cJSON_GetObjectItemCaseSensitive(run, "history"));
    cJSON_Delete(run);
    cJSON_Delete(state);
}
