// nn.h: what a generated program and the runtime know of each other.
//
// A generated file defines one object, `nn_model`, and all arithmetic on tensors. The runtime owns
// the rest: the data set, the order of the pictures, the team of threads, files, the command line.
// Neither allocates memory between the first and the last step of a training.
#ifndef NN_H
#define NN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn_lanes.h"
#include "nn_math.h"
#include "nn_random.h"
#include "nn_weave.h"

enum { NN_MAX_DIMS = 4 };

typedef enum { NN_F32, NN_F64 } NnType;

// The vectors of the processor this file is compiled for, in bytes.
#if defined(__AVX512F__)
#define NN_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define NN_VECTOR_BYTES 32
#else
#define NN_VECTOR_BYTES 16
#endif

// netc build --profile: a training times its calls and reports them at its end.
#if defined(NN_PROFILE)
#define NN_PROFILED true
#else
#define NN_PROFILED false
#endif
// What the files of a data set are.
typedef enum {
    NN_IDX,    // of MNIST
    NN_CIFAR,  // the binary version of CIFAR-10
    NN_CSV,    // one example a line
    NN_NPY,    // NumPy's arrays
    NN_FOLDER, // of pictures, in a folder for each class
} NnFormat;

typedef enum { NN_AUTO, NN_YES, NN_NO } NnHeader; // of a CSV file

// The files of one part of a data set; both NULL where it has none of its own.
typedef struct {
    const char *inputs, *answers; // answers NULL: in the same file
} NnFiles;

// The kernels of OpenBLAS that go with the processor this file is compiled for.
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define NN_BLAS_KERNELS "SkylakeX"
#elif defined(__AVX2__)
#define NN_BLAS_KERNELS "Haswell"
#elif defined(__x86_64__)
#define NN_BLAS_KERNELS "Nehalem"
#else
#define NN_BLAS_KERNELS NULL
#endif

typedef enum {
    NN_WEIGHT,    // trained; counted as a parameter
    NN_STATE,     // follows the training without a gradient: running means and variances
    NN_OPTIMIZER, // moments and other memory of the optimizer; saved for resuming only
} NnRole;

typedef enum {
    NN_CONSTANT, // every element is `scale`
    NN_UNIFORM,  // uniform in [-scale, scale]
    NN_NORMAL,   // normal of standard deviation `scale`, redrawn beyond two deviations
} NnInit;

// One tensor that outlives a step. Its name is its key in the weights file and the name of its
// stream of random numbers, so that adding a layer changes no other layer's first weights.
typedef struct {
    const char *name; // "dense1_w"
    NnRole role;
    int dim[NN_MAX_DIMS]; // unused dimensions are 0
    void *data;
    void *gradient; // of the same shape; NULL where the program keeps none
    NnInit init;
    double scale;
    // Of a matrix whose columns lie in panels of so many rows, those of its first rows before those
    // of the next, and row after row in a panel: `columns` in each up to column `last`, those up to
    // `whole` in one, and each behind those in one. Of one with gaps behind its rows: they are
    // `line` numbers apart. All 0: row after row.
    struct {
        int rows, columns, last, whole, line;
    } layout;
} NnTensor;

// A tensor and the average that follows it, by their places in NnModel.tensors.
typedef struct {
    int tensor, average;
} NnAverage;

// One line of the network's card.
typedef struct {
    const char *name;     // "conv1"
    const char *text;     // the statement: "conv 32 3x3 relu"
    const char *shape;    // of the output: "26x26x32"
    long parameters;      // trained ones
    double multiply_adds; // forward, per picture
} NnLayer;

// Part of a training step.
typedef enum { NN_FORWARD, NN_BACKWARD, NN_UPDATE } NnPhase;

// A function that a training step calls, and its work in one step; a multiply-add is two
// operations. Bytes are read or written, each value once for each block of rows.
typedef struct {
    const char *name;  // "conv1_forward"
    const char *layer; // "conv1"
    NnPhase phase;
    double products; // operations in a matrix product or convolution, for each picture
    double picture_operations, step_operations; // all others
    double picture_bytes, step_bytes;
} NnCall;

// What one step works on; every thread of the team is given the same.
typedef struct {
    const unsigned char *pictures; // [any][height][width][channels], 0..255
    const float *numbers;          // the same in place of pictures, where those are NULL
    const unsigned char *labels;   // [any]; NULL for a regression
    const float *targets;          // [any][NnModel.targets], what a regression learns, or NULL
    const uint32_t *index;         // [rows]: the pictures of this batch
    int rows;                      // 1 .. NnModel.batch
    int known;                     // numbers in `index`: beyond `rows` those of batches to come
    bool zeros;                    // most of the data set's numbers are 0: looking for them pays
    uint64_t seed;                 // of the run
    int epoch;                     // 1 for the first
    int number;                    // of the batch in the epoch, 0 for the first
    int64_t step;                  // 1 for the first of the run, counted through all epochs
    double rate;                   // learning rate
    bool timed;                    // nn_call() tells nn_called()
} NnBatch;

// What one step found: each thread of the team writes one of its own, and all are alike.
typedef struct {
    double loss;    // sum over the rows, without penalties
    double penalty; // of l1 and l2, for the whole batch; added to the mean loss
    int hits;       // rows whose largest output is the label's; 0 for a regression
    bool finite;    // false: the step stopped before it changed a weight
} NnResult;

// A length of training.
typedef struct {
    double count;
    enum { NN_SHARE, NN_STEPS, NN_EPOCHS } unit; // NN_SHARE: 0 .. 1 of all steps
} NnTime;

// What is watched of the validation, to see whether training still makes progress.
typedef struct {
    int patience;     // epochs without progress, after which something is done; 0: never
    bool accuracy;    // otherwise the loss
    double min_delta; // what is less is no progress
} NnWatch;

// How the learning rate changes; runtime/rate.c has the formulas. Unused fields are 0.
typedef struct {
    enum {
        NN_CONSTANT_RATE,
        NN_STEP,
        NN_EXPONENTIAL,
        NN_COSINE,
        NN_POLYNOMIAL,
        NN_ONE_CYCLE,
        NN_PLATEAU
    } kind;
    NnTime warmup, time, restart; // time: `every` or `over`
    const NnTime *at;             // the times of steps, rising, in the place of `every`
    int at_count;
    double factor, to, power;
    double t_mul, m_mul;         // of the cosine's restarts
    double rise, div, final_div; // of one cycle
    NnWatch watch;               // of the plateau
    int cooldown;                // epochs
} NnSchedule;

typedef struct {
    const char *name;         // "mnist"
    const char *source;       // its making and the .net text: compiler/record.c
    const char *blas_kernels; // NN_BLAS_KERNELS where the program calls BLAS, otherwise NULL
    const char *fingerprint;  // of the network: two models with the same one share weights files
    NnType type;
    int vector_bytes; // NN_VECTOR_BYTES

    int height, width, channels; // of the input
    int outputs;                 // width of the last layer
    int classes;                 // labels are below this; 0 for a regression
    bool scores;                 // the outputs of classes are any numbers, no probabilities
    int targets;                 // numbers that each example of a regression has; 0: a label
    int target_shape[3];         // of a picture to learn: height, width, channels; otherwise 0
    enum { NN_ANY_TARGET, NN_FROM_0, NN_FROM_0_TO_1 } target_range; // that the loss has a sense for

    const char *data; // name of the data set, or the kind of its files: "mnist", "csv"
    NnFormat format;
    NnFiles files;       // to train with; NULL where the name says it
    const char *columns; // of a CSV file, those of the answers: "species", "3, 4"; NULL: the last
    const char *without; // of a CSV file, those that are neither inputs nor answers; NULL: none
    NnHeader header;
    double byte_scale, number_scale; // what the inputs are multiplied by
    int top;                         // 0, or: a label among so many largest outputs is counted
    int batch, epochs;
    int blocks; // of rows, that a batch is cut into
    // Where more than this share of the inputs is 0, products leave those out (NnBatch.zeros); 0:
    // they never do.
    double enough_zeros;
    // In the first of so many steps some work is done for all of them and for those before: batches
    // then come in the order of their numbers, and only after an epoch's last step are weights what
    // its steps have made of them. 0: each step is by itself.
    int ahead;
    size_t stack_bytes; // that a thread's functions take of its stack; 0: little
    uint64_t seed;
    double rate;
    NnSchedule schedule;
    NnWatch stop;             // ends the training early
    double validation_share;  // 0 .. 1 of the training pictures, taken from their end
    long validation_pictures; // the same as a count; 0 where the share holds
    NnFiles validation_files; // the same as files of their own
    double test_share;        // of all examples, where the data set has no test files of its own
    long test_pictures;
    NnFiles test_files;
    const char *loss, *optimizer;
    int threads; // as many as a step is worth sharing out to, where the user names no number

    const NnLayer *layers;
    int layer_count;
    const NnTensor *tensors;
    int tensor_count;
    const NnAverage *averages;
    int average_count;
    long parameters;
    double arena_bytes, weight_bytes, optimizer_bytes;
    double operations_forward, operations_backward,
        operations_update; // per picture; update per step

    // To be called when weights have been set from outside, by one thread; NULL: no need.
    void (*prepare)(void);

    // Each is called by all threads of the team together, and returns when all have finished, but
    // train_step() when this thread has: what others have changed is whole behind a barrier.
    void (*train_step)(const NnBatch *batch, NnResult *result); // NULL: compiled for inference only
    void (*gradient_step)(const NnBatch *batch, NnResult *result); // no update; NULL unless NN_F64
    void (*infer)(const NnBatch *batch,
                  NnResult *result); // without a loss where labels and targets are NULL

    const NnCall *calls; // of a training step
    int call_count;
    bool profiled; // train times its steps

    const void *output;       // [batch][outputs] of NnType, as infer left them
    const int32_t *predicted; // [batch], the largest output's index, as infer left it, or NULL

    // Runs the forward pass of training once more, by one thread, and names the first layer whose
    // output is not finite; NULL where all are.
    const char *(*first_nonfinite)(const NnBatch *batch);
} NnModel;

extern const NnModel nn_model;

// --- team.c -------------------------------------------------------------------------------------
// One team of threads for the whole run. Work is dealt by task number: which thread runs a task
// never changes what the task computes, and no sum depends on the number of threads.
int nn_thread(void);  // 0 .. nn_threads() - 1
int nn_threads(void); // of the running team; 1 outside of it
void nn_barrier(void);

// The first of `count` tasks that is a thread's: tasks side by side are one thread's, so that what
// lies side by side is in one processor's cache, however finely the work is cut.
static inline int nn_first(int count, int thread) { return count * thread / nn_threads(); }

// Runs the body for each task of 0 .. count-1 that is this thread's.
#define nn_each(task, count)                                                                       \
    for (int task = nn_first(count, nn_thread()), nn_end = nn_first(count, nn_thread() + 1);       \
         task < nn_end; task++)

// Runs the body by one thread; those of different numbers are dealt out like tasks.
#define nn_single(number) if (nn_thread() == (number) % nn_threads())

// Whether tasks 0 and 1 of four are one thread's, and so are 2 and 3: then the second of a pair can
// add to what the first has made.
static inline bool nn_pairs(void) { return nn_threads() <= 2; }

// Whether each of four slices is one thread's, and with it the parts that it is made of.
static inline bool nn_own_slices(void) { return 4 % nn_threads() == 0; }

static inline int nn_min(int a, int b) { return a < b ? a : b; }
static inline int nn_max(int a, int b) { return a > b ? a : b; }

// Asks the memory for the example of a row to come, where there is one: of its `size` numbers for
// so many from `from` on.
// Inlined always: gcc 12 takes it for a function without an effect, and drops its call.
static inline __attribute__((always_inline)) void nn_ahead(const NnBatch *batch, int row, int size,
                                                          int from, int numbers)
{
    if (row >= batch->known)
        return;
    const size_t each = batch->pictures ? 1 : sizeof(float);
    const char *const all =
        batch->pictures ? (const char *)batch->pictures : (const char *)batch->numbers;
    const size_t first = (size_t)batch->index[row] * (size_t)size + (size_t)from;
    const char *const example = all + first * each;
    for (size_t at = 0; at < (size_t)numbers * each; at += 64)
        __builtin_prefetch(example + at, 0, 2); // for the second cache
}

// --- turn.c -------------------------------------------------------------------------------------
// to[j][i] = from[i][j] for i < rows, j < columns, where lines of `from` and of `to` are so many
// numbers apart.
void nn_turn_float(int rows, int columns, const float *from, int from_line, float *to, int to_line);
void nn_turn_double(int rows, int columns, const double *from, int from_line, double *to,
                    int to_line);

// --- places.c -----------------------------------------------------------------------------------
// list[0] = at how many places from `first` to `end` one of x[rows][numbers] is neither 0 nor -0,
// and list[1], list[2], ... = at which, in ascending order. `list` has room for 1 + end - first;
// what lies behind the last place has no meaning.
void nn_places_of_rows(int first, int end, int rows, const float *x, int numbers, int32_t *list);
// The same of x[0] .. x[count - 1].
void nn_places_float(int count, const float *x, int32_t *list);
void nn_places_double(int count, const double *x, int32_t *list);

enum { NN_MOST_LISTED = 128 };
// For each `group` <= 16 places side by side one of the lists, which are `each` numbers apart:
// list[0] = how many of at most NN_MOST_LISTED rows, `line` numbers apart, have at these places a
// number that is neither 0 nor -0, and list[1], list[2], ... = which. A list has room for one more
// than the rows, rounded up to a multiple of eight.
void nn_rows_of_places(int rows, int places, int group, const float *x, long line, int32_t *lists,
                       int each);

// --- profile.c ----------------------------------------------------------------------------------
uint64_t nn_ticks(void);                  // of a clock that is cheap to read
void nn_called(int call, uint64_t since); // adds the time since then to this thread's of a call

// f(x) as nn_call(f, x). Where the step's batch says so, the call number CALL_f is timed: by the
// same code as where it is not, since gcc compiles a second copy to other bits.
#define nn_call(function, ...)                                                                     \
    do {                                                                                           \
        const uint64_t nn_since = batch->timed ? nn_ticks() : 0;                                   \
        function(__VA_ARGS__);                                                                     \
        if (batch->timed)                                                                          \
            nn_called(CALL_##function, nn_since);                                                  \
    } while (0)

// True where none of the `count` numbers is infinite or not a number.
bool nn_finite_f32(const float *data, long count);
bool nn_finite_f64(const double *data, long count);

#endif
