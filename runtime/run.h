// run.h: what the files of the runtime share. A generated program sees nn.h alone.
//
// Errors: a function that can fail for the user's sake returns false after a call of failed(),
// which records one line; the command that called it prints the line and ends with status 1. So
// each failure can be tested, and nothing is half done when the program ends.
#ifndef RUN_H
#define RUN_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

#include "nn.h"

enum { RUN_PATH = 4096 };

// --- message.c ----------------------------------------------------------------------------------
void message_program(const char *path);                                     // argv[0]
const char *message_name(void);                                             // its base name
bool failed(const char *format, ...) __attribute__((format(printf, 1, 2))); // false, always
const char *problem(void);  // the line recorded last, without the program's name
bool is_utf8(const char *text);
void make_utf8(char *text); // what is none, as in the name of a file, becomes '?'
int end_with_problem(void); // prints it on stderr; 1, the status to end with
bool path_join(char path[RUN_PATH], const char *folder, const char *name);
void *allocate(size_t count, size_t size); // zeros; NULL after failed()

// --- blas.c -------------------------------------------------------------------------------------
bool blas_pin(const NnModel *model); // true where the environment changed, which is read at a start
void blas_one_thread(void); // each thread of the team calls BLAS by itself
void blas_reserve(int threads); // the memory that so many need

// --- memory.c -----------------------------------------------------------------------------------
// Both before the memory is touched for the first time.
void memory_large_pages(void *start, size_t bytes);
void memory_large_static(void); // the arena, the weights and all other static memory

// --- team.c -------------------------------------------------------------------------------------
// Runs work(context) in `threads` threads at once and returns when all have; inside, nn_barrier()
// and the model's steps may be called, by all threads together. False after failed(), where so many
// cannot be started.
bool team_run(int threads, void (*work)(void *), void *context);
bool team_pin(const NnModel *model); // as blas_pin()
bool team_stack(size_t bytes); // before all others: stacks of that size, or false after failed()
int team_processors(void); // that this process may use
int team_possible(int threads); // how many can be started, at most so many; fewer: after failed()

// --- tensors.c ----------------------------------------------------------------------------------
int tensor_rank(const NnTensor *tensor);
long tensor_count(const NnTensor *tensor); // elements
size_t tensor_bytes(const NnModel *model, const NnTensor *tensor);
// Where a number of the tensor lies among its data, by its index among rows (NnTensor.layout).
long tensor_place(const NnTensor *tensor, long index);
bool tensor_lies_in_rows(const NnTensor *tensor); // each number's place is its index
// Its numbers row after row, from its data and to it: tensor_bytes() of them.
void tensor_read(const NnModel *model, const NnTensor *tensor, void *rows);
void tensor_write(const NnModel *model, const NnTensor *tensor, const void *rows);
double tensor_get(const NnModel *model, const void *data, long index);
void tensor_set(const NnModel *model, void *data, long index, double value);
void tensor_shape(const NnTensor *tensor, char text[64]); // "784x300"
void tensors_were_set(const NnModel *model); // after each change but by a training step
void tensors_swap_averages(const NnModel *model);
void tensors_initialise(const NnModel *model, uint64_t seed);
bool tensor_is_finite(const NnModel *model, const NnTensor *tensor, const void *rows);
const NnTensor *tensors_not_finite(const NnModel *model); // the first such tensor, or NULL
uint64_t tensors_fingerprint(const NnModel *model);       // of weights and states

// --- order.c ------------------------------------------------------------------------------------
uint64_t random_below(uint64_t key, uint64_t *index, uint64_t bound); // unbiased; moves *index on
void order_shuffle(uint32_t *order, int count, uint64_t seed, int epoch);

// --- data.c -------------------------------------------------------------------------------------
// Examples: their inputs are pictures or numbers, their answers labels or targets; all owned.
typedef struct {
    int count;
    unsigned char *pictures; // [count][height][width][channels]
    float *numbers;          // the same
    unsigned char *labels;   // [count], each below the model's classes
    float *targets;          // [count][NnModel.targets]
    bool zeros;              // most of the inputs' numbers are 0
} DataSet;

// What labels are called that are no numbers; one block of memory.
typedef struct {
    int count;
    const char *name[];
} Classes;

typedef enum { DATA_TRAIN, DATA_VALIDATION, DATA_TEST } DataPart;

bool data_load(DataSet *set, const NnModel *model, const char *folder, DataPart part,
               Classes **classes);
bool data_load_file(DataSet *set, const NnModel *model, const char *folder, const char *path,
                    Classes **classes);
bool data_has_test(const NnModel *model);
long data_left(long count, double share, long number);
NnBatch data_batch(const DataSet *set); // without index and rows
void data_free(DataSet *set);
bool data_random(DataSet *set, const NnModel *model, int count, uint64_t seed); // data_random.c

// --- standard.c ---------------------------------------------------------------------------------
// Sets the mean and the deviation of the inputs, where the model has them, to those of the first
// `count` examples.
void standardize_by(const NnModel *model, const DataSet *set, int count);

// --- picture.c ----------------------------------------------------------------------------------
// Reads a PNG, PGM or PPM of the model's size into pixels[height][width][channels]; `invert` for
// dark strokes on light paper.
bool picture_read(const char *path, const NnModel *model, bool invert, unsigned char *pixels);

// --- save.c -------------------------------------------------------------------------------------
// Writes the parts, one after the other, as the file `path`: whole or not at all.
bool save_file(const char *path, const struct iovec *parts, int count);
bool save_text(const char *path, const char *text);
bool make_folders(const char *path);

// --- weights.c, weights_read.c ------------------------------------------------------------------
typedef struct {
    double loss, accuracy;                       // mean over the epoch; accuracy 0 .. 1
    double validation_loss, validation_accuracy; // NAN without validation
    double seconds, images_per_second;           // of the training steps; NAN where not known
} EpochRecord;

// How far a training has come: with the tensors, all that a later step depends on.
typedef struct {
    uint64_t seed;
    double rate;
    int epoch;            // completed
    int64_t step;         // taken
    EpochRecord *history; // [epoch]; owned, from allocate()
    Classes *classes;     // owned; NULL: labels are numbers
} Progress;

typedef enum {
    WEIGHTS_ONLY,        // NN_OPTIMIZER tensors: not written; not needed and not read
    WEIGHTS_TO_CONTINUE, // all tensors
} WeightsUse;

bool weights_write(const char *path, const NnModel *model, const Progress *progress,
                   WeightsUse use);

// Reads the file into the model's tensors, and its Progress unless that is NULL. On failure neither
// has changed.
bool weights_read(const char *path, const NnModel *model, WeightsUse use, Progress *progress);
void progress_free(Progress *progress); // what weights_read put into it

// --- peak.c -------------------------------------------------------------------------------------
enum { PEAK_SIZES = 5 };

// What all threads reach together; the best of the measurements so far.
typedef struct {
    const NnModel *model;
    double operations; // per second: in multiply-adds of the program's vectors and numbers
    int sizes;
    size_t size[PEAK_SIZES];  // bytes that each thread works on
    double bytes[PEAK_SIZES]; // per second, read and written there
    char *memory;             // [threads][stride]
    size_t stride;
    double began, seconds; // of the running measurement
} Peak;

bool peak_prepare(Peak *peak, const NnModel *model, int threads);
void peak_free(Peak *peak);
void peak_measure(Peak *peak); // by all threads of a team together; lasts about 20 ms
double peak_bandwidth(const Peak *peak, double bytes_at_once);

// --- profile.c ----------------------------------------------------------------------------------
// One at a time: the counts of nn_called() are the program's.
typedef struct {
    const NnModel *model;
    int threads;
    long steps; // that were timed
    double pictures, seconds, ticks, began;
    uint64_t ticks_began;
    Peak peak;
} Profile;

bool profile_open(Profile *profile, const NnModel *model, int threads);
void profile_close(Profile *profile);
void profile_begin(Profile *profile); // around timed steps; as often as one likes
void profile_end(Profile *profile, long steps, double pictures);
double profile_products(const Profile *profile); // operations in products, of one step
void profile_print(const Profile *profile);
void profile_json(const Profile *profile, cJSON *object);

// --- rate.c -------------------------------------------------------------------------------------
// The learning rate in one epoch.
typedef struct {
    const NnSchedule *schedule;
    double rate;                   // that the schedule begins with, or has come to
    double steps_per_epoch, steps; // of the whole training
} RatePlan;

// `completed` epochs of `epochs` lie behind, with their records in `history`.
RatePlan rate_plan(const NnModel *model, double rate, long steps_per_epoch, int epochs,
                   const EpochRecord *history, int completed);
double rate_of_step(const RatePlan *plan, int64_t number); // of step 1, 2, …
double or_whole(double number); // the whole number that it misses by rounding alone

int watch_best(const NnWatch *watch, const EpochRecord *history, int epochs);
bool watch_has_ended(const NnWatch *watch, const EpochRecord *history, int epochs);

// --- json.c -------------------------------------------------------------------------------------
void number_text(char text[32], double value); // the shortest exact one; "null" if not finite
void json_number(cJSON *object, const char *name, double value);
cJSON *json_epoch(const EpochRecord *record, int epoch, bool with_time);
cJSON *json_confusion(const long *confusion, int classes);
bool json_print_line(cJSON *object);             // on stdout; deletes the object
bool json_save(const char *path, cJSON *object); // formatted; deletes the object
// Reads an array of json_epoch objects into history[count].
bool json_read_history(const cJSON *array, EpochRecord *history, int count);

// --- cli.c --------------------------------------------------------------------------------------
typedef enum {
    OPTION_DATA,
    OPTION_OUT,
    OPTION_WEIGHTS,
    OPTION_EPOCHS,
    OPTION_RATE,
    OPTION_SEED,
    OPTION_THREADS,
    OPTION_RESUME,
    OPTION_RANDOM,
    OPTION_ALL_TERMS,
    OPTION_STEPS,
    OPTION_SECONDS,
    OPTION_ROWS,
    OPTION_SAMPLES,
    OPTION_INVERT,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_COUNT
} OptionId;

// Set to the model's defaults first, then by the command line.
typedef struct {
    const char *data, *out, *weights;
    int epochs, threads, rows, samples, steps;
    uint64_t seed;
    double rate, seconds;
    bool resume, random, all_terms, invert, json, quiet, help;
    bool given[OPTION_COUNT];
    const char *const *arguments;
    int argument_count;
} Options;

int run_command_line(const NnModel *model, int argc, char **argv); // the status to end with

// --- suggest.c ----------------------------------------------------------------------------------
void suggest(const char *word, const char *candidate, const char **best, int *nearest);

// --- the commands: each prints its result and returns the status to end with --------------------
int command_train(const NnModel *model, const Options *options);
int command_eval(const NnModel *model, const Options *options);
int command_predict(const NnModel *model, const Options *options);
int command_export(const NnModel *model, const Options *options);
int command_info(const NnModel *model, const Options *options);
int command_bench(const NnModel *model, const Options *options);
int command_gradcheck(const NnModel *model, const Options *options);

// --- score.c ------------------------------------------------------------------------------------
typedef struct {
    double loss, accuracy; // accuracy NAN for a regression, and where `finite` is false
    bool finite;           // the loss of each batch
    long count, hits;
    long top_hits;   // whose label is among the model's `top` largest outputs
    double mse, mae; // of a regression, over all its numbers
    long agree;      // of its outputs, on the target's side of 0.5; -1: it is not always 0 or 1
    long *confusion; // [classes][classes]: true class, predicted class; owned; NULL: not wanted
} Score;

// What a scoring of the pictures first .. first+count-1 needs. Each thread of the team calls
// score_team(); afterwards `score` is set.
typedef struct {
    const NnModel *model;
    const DataSet *set;
    const uint32_t *sequence; // sequence[i] == i, for all of the set
    int first, count;
    Score *score;
} Scoring;

void score_team(void *scoring);
bool score_is_sound(const Score *score); // of the test data; else failed()
uint32_t *sequence_of(int count); // 0 .. count-1, owned by the caller; NULL after failed()
bool score_memory(Score *score, const NnModel *model); // its confusion matrix

// The file of weights that the options name, and what it holds.
bool wanted_weights(const NnModel *model, const Options *options, char path[RUN_PATH]);
bool read_wanted_weights(const NnModel *model, const Options *options, Progress *progress);

// --- metrics.c ----------------------------------------------------------------------------------
typedef struct {
    long pictures, named, hits;
    double recall, precision, f1;
} ClassScore;

enum { CLASS_TEXT = 64 };
ClassScore class_score(const Score *score, int classes, int class);
void class_name(char text[CLASS_TEXT], const Classes *classes, int class);
void json_metrics(cJSON *object, const NnModel *model, const Score *score, const Classes *names);
void print_metrics(const NnModel *model, const Score *score); // one line

// --- report.c, curves.c -------------------------------------------------------------------------
typedef struct {
    const NnModel *model;
    const Options *options;
    const char *status; // "running", "finished", "interrupted", "not finite"
    const Progress *progress;
    long training_pictures, validation_pictures;
    uint64_t fingerprint; // of the weights after the last completed epoch
    const Score *test;    // NULL: not yet known
} Report;

bool report_write(const char *path, const Report *report);
bool curves_write(const char *path, const Report *report);
// Takes the timings of the epochs from an earlier run.json, where there is one.
void report_read_times(const char *path, Progress *progress);

// --- progress.c ---------------------------------------------------------------------------------
typedef struct {
    bool live, lines, json;
    int columns;
    int epoch, epochs;                         // the running one; of the whole run
    long total;                                // pictures of one epoch
    long drawn_before;                         // pictures trained by this process in earlier epochs
    double started, epoch_started, last_drawn; // seconds of now()
} Display;

double now(void); // seconds, of a clock that only runs forward
void display_open(Display *display, const Options *options, long total, int epochs);
void display_epoch(Display *display, int epoch);
void display_step(Display *display, long done, double loss, double accuracy);
bool display_record(Display *display, const EpochRecord *record);
void display_clear(Display *display); // takes the live line off the terminal

// --- train.c, train_setup.c, train_best.c, train_end.c ------------------------------------------
typedef enum { RUNNING, FINISHED, INTERRUPTED, NOT_FINITE, FAILED } Outcome;

typedef struct {
    const NnModel *model;
    const Options *options;
    char weights[RUN_PATH], report[RUN_PATH], curves[RUN_PATH];
    char best[RUN_PATH]; // the weights of the best epoch so far, where training may end early
    bool made_folder; // the output folder was not there
    int lock;         // it, held open
    DataSet train, test, held; // held: for validation, where that has files of its own
    int training, validation;  // pictures; without files the second ones are the end of `train`
    uint32_t *order, *sequence;
    Progress progress;    // its history has room for all epochs
    bool averaged;        // the weights have changed places with their averages
    uint64_t fingerprint; // of the weights at the end of the last completed epoch
    bool stop[2];                  // at even and at odd steps
    double loss, penalty, seconds; // of the running epoch; sums
    long hits, steps;
    Score validation_score, test_score;
    Scoring validate, evaluate;
    Display display;
    Profile profile; // where the model is profiled
    Outcome outcome;
    int signal;     // that interrupted it
    NnBatch failed; // the batch whose loss was not finite
} Training;

bool train_prepare(Training *training); // from its model and options, all else
bool train_load_test(Training *training); // frees the training data where it must
void train_free(Training *training);
int train_best(const Training *training);
bool train_save_best(const Training *training);
bool train_resume_best(Training *training);
bool train_restore_best(Training *training);
bool train_report(const Training *training, const char *status, const Score *test);
void train_print_start(const Training *training);
int train_end(Training *training); // the status to end with

#endif
