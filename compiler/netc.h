// netc.h: every type and prototype of the compiler, grouped by the file that defines it.
//
// The pipeline, one file per pass (compile.c runs it):
//   .net -> parse -> resolve -> lower -> shape -> grad -> fuse -> schedule -> plan -> emit -> C
#ifndef NETC_H
#define NETC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

// --- util.c: memory and text --------------------------------------------------------------------
// Memory is taken from one arena and never given back: a compilation is short.
void *allocate(size_t size); // zeroed; aborts when there is none
char *format(const char *format, ...) PRINTF(1, 2);
char *format_list(const char *format, va_list args) PRINTF(1, 0);
const char *intern(const char *text, size_t length); // equal texts are the same pointer

typedef struct {
    char *text; // always ends in '\0'
    size_t length, capacity;
} Text;
void text_add(Text *text, const char *format, ...) PRINTF(2, 3);
void text_add_list(Text *text, const char *format, va_list args) PRINTF(2, 0);
bool text_once(Text *names, const char *name); // false where it is there; otherwise adds it
void text_put(Text *text, const char *bytes, size_t length);

const char *number_text(double number);  // the shortest text that reads back as the same number
const char *percent_text(double number); // "25%" of 0.25
const char *bytes_text(double bytes);    // "1.23 MB", of a million
const char *seconds_text(double seconds);        // "1.23 ms"
int text_columns(const char *text); // characters, of which each is taken for one column wide
int columns_in(const char *text, size_t length); // the same of its first bytes
bool starts_with(const char *text, const char *start);
bool same_letters(const char *a, const char *b); // equal but for the case of the letters

// The nearest of `count` words to `word`, or NULL when none is near enough to suggest.
const char *nearest_word(const char *word, const char *const *words, int count);
const char *join_words(const char *const *words, int count, const char *last); // "a, b or c"

void memory_reset(void); // forgets everything allocated; for the fuzz targets

// --- source.c: places in the text, and messages about them --------------------------------------
typedef struct {
    const char *path; // as messages show it; "-D" for a text of the command line
    char *text;       // ends in '\0', which is not counted
    size_t length;
    const int *line_starts; // offset of the first byte of each line
    int line_count;
} Source;

typedef struct {
    const Source *source; // NULL: no place (a default)
    int start, end;       // bytes; start < 0: the file as a whole
} Loc;

const Source *source_read(const char *path); // NULL after an error was printed
const Source *source_of_bytes(const char *path, const char *text, size_t length);
const Source *source_of_text(const char *path, const char *text);
void loc_position(Loc loc, int *line, int *column); // from 1; a column is a character, not a byte
const char *loc_text(Loc loc);                      // what stands there
bool has_control(const char *text); // what neither a terminal nor a report should get
const char *readable(const char *text); // a copy with '_' for each byte of that

// The kinds of mistakes, E001 and so on.
typedef enum {
#define ERROR(code, ...) code,
#include "errors.def"
#undef ERROR
    ERROR_CODES
} ErrorCode;

// Prints `path:line:column: error: … [code]`, the line and a caret span under it. Errors are
// counted and compilation goes on to find more; notes belong to the error before them. Without a
// source it is netc that speaks.
void error_at(ErrorCode code, Loc loc, const char *format, ...) PRINTF(3, 4);
const char *error_name(ErrorCode code); // "E001"
void warn_at(Loc loc, const char *format, ...) PRINTF(2, 3);
void note_at(Loc loc, const char *format, ...) PRINTF(2, 3); // loc.source NULL: no place shown
enum { MAX_ERRORS = 50 };                                    // that are shown
int error_count(void);
void messages_reset(void);     // where another file begins
void messages_quiet(bool on); // says no warnings and notes: they were said before

// A mistake of the compiler: prints its own place, asks for a report and aborts.
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *format, ...) PRINTF(3, 4);

// --- ast.c, net.l, net.y: the text as written ----------------------------------------------------
typedef enum {
    EXPR_NUMBER,
    EXPR_WORD,
    EXPR_TEXT, // in quotes
    EXPR_DIMS,
    EXPR_BINARY,
    EXPR_NEGATE,
    EXPR_ASSIGN, // word = right; only as an item
    EXPR_LIST,   // [300 200 100]; only as an item
    EXPR_GROUP,  // (filters stride): not one number in parentheses; only as an item
} ExprKind;

enum { MAX_DIMS = 4 };

typedef struct Expr Expr;
struct Expr {
    ExprKind kind;
    Loc loc;
    double number;    // EXPR_NUMBER
    bool percent;     // EXPR_NUMBER: written with %, and already divided by 100
    const char *word; // EXPR_WORD, EXPR_TEXT, EXPR_ASSIGN; interned
    int64_t dims[MAX_DIMS];
    int dim_count;
    char op;            // EXPR_BINARY: + - * /
    Expr *left, *right; // EXPR_NEGATE, EXPR_ASSIGN: only right
    Expr *items;        // EXPR_LIST, EXPR_GROUP
    int depth;          // operators above one another
    Expr *next;         // the next item of the statement, list or group
};

typedef struct Statement Statement;

// The statements between a '{' and its '}'.
typedef struct Body Body;
struct Body {
    Loc loc; // of the '{'
    Statement *first, *last;
    Body *next; // of the same statement
};

// One statement: a word, the items behind it and the bodies behind them. What they mean is
// resolve.c's business.
struct Statement {
    Loc loc, word_loc; // loc is without the bodies
    const char *word;  // interned
    Expr *items;
    Body *bodies;
    bool broken; // an error in its text was printed: only its word is sure
    Statement *next;
};

Expr *expr_number(Loc loc, const char *digits, bool percent);
Expr *expr_word(Loc loc);
Expr *expr_text(Loc loc);
Expr *expr_dims(Loc loc);
Expr *expr_binary(Loc loc, char op, Expr *left, Expr *right);
Expr *expr_negate(Loc loc, Expr *right);
Expr *expr_assign(Loc loc, const Expr *name, Expr *right);
Expr *expr_items(ExprKind kind, Loc loc, Expr *items); // EXPR_LIST, EXPR_GROUP

Statement *parse(const Source *source); // errors are printed; what could be parsed is returned
void ast_dump(const Statement *statements, FILE *out);

// --- foreign.c: the words of other tools --------------------------------------------------------
typedef struct {
    const char *word, *tool, *ours, *example;
} Foreign;
const Foreign *foreign_word(const char *word); // NULL when no other tool is known to say it
// True after it has answered a statement in another tool's syntax with an error.
bool foreign_statement(Loc statement);

// --- resolve.c: statements checked against statements.def, params and overrides applied ----------
typedef enum { ORIGIN_DEFAULT, ORIGIN_WRITTEN, ORIGIN_PARAM, ORIGIN_OVERRIDE } Origin;

typedef enum {
    SETTING_NUMBER, // real, or whole where the table says so
    SETTING_SIZE,   // one or two numbers: 3 is 3x3
    SETTING_SHAPE,  // up to three: 28x28x1
    SETTING_WORD,   // one of a list
    SETTING_NAME,   // a new name
    SETTING_LIST,   // numbers: [1 1 5]
    SETTING_TEXT,   // a file's name, or a column's
} SettingKind;

typedef struct Setting Setting;
struct Setting {
    const char *name; // "filters", "stride"
    SettingKind kind;
    Origin origin;
    Loc loc;          // of the value; no source where it is a default
    double number;    // SETTING_NUMBER
    bool percent;     // the number was written with %
    const char *unit; // word behind the number ("samples"), or NULL
    int dims[MAX_DIMS], dim_count;
    const char *word;   // SETTING_WORD, SETTING_NAME, SETTING_TEXT; NULL: not set
    const char *second; // of a SETTING_NUMBER that is a file instead, `word`: the one behind it
    Setting *list;      // SETTING_LIST: of numbers
    int list_count;     // 0: not set
};

// The place at which a block is used or a repeat stands, of the layers that it makes.
typedef struct Use Use;
struct Use {
    Loc loc;
    const char *block; // NULL: a repeat
    int round, rounds; // of a repeat
    const Use *outer;  // that holds this one, or NULL
};
void note_use(const Use *use); // notes below an error in a block or a repeat, innermost first

// A layer with bodies stands in the list of layers once before them, between two, and behind them.
typedef enum { BRACKET_NONE, BRACKET_OPENS, BRACKET_NEXT, BRACKET_CLOSES } Bracket;

// A statement that passed the check: each of its settings has a value and an origin.
typedef struct {
    const char *word; // "conv"; interned
    Bracket bracket;
    const Use *use; // where it comes from, or NULL
    const char *name; // of a layer: "conv1", or what `as` says
    Loc loc, word_loc;
    const char *activation; // "relu", or NULL
    Loc activation_loc;
    Setting *settings;
    int setting_count;
} Clause;

// A number with a name, `param width = 300`.
typedef struct {
    const char *name;   // interned
    Loc loc, value_loc; // value_loc is in "-D" where that gave the value
    double number;
    bool percent;
    bool defined; // the statements read so far define it
    bool known;   // its number is; else an error was printed
    bool used, overridden;
} Param;

typedef struct Params Params;
struct Params {
    Param *params;
    int count;
    const Params *outer; // around a block's arguments: the file's params; else NULL
};

typedef struct {
    const char *name; // "mnist", from the file's name
    const Source *source;
    const char *const *overrides; // the -D and --set in force, as text, for the record
    int override_count;
    Clause *layers; // in the order of the text
    int layer_count;
    Params params;
    Clause *data, *input, *loss, *optimizer, *batch, *epochs, *seed, *validation, *test, *schedule;
    Clause *scale, *standardize, *augment, *metrics, *clip, *patience, *ema;
    // Each is there, made of defaults if not written, but for loss (NULL: inference only), input
    // (NULL after an error), and scale to patience (NULL: none).
} Program;

typedef struct {
    const char *const *defines; // "width=50", of -D
    int define_count;
    const char *const *sets; // "batch=10000", of --set
    int set_count;
} Overrides;

const Clause *training_clause(const Program *program, const char *word); // "loss"; may be NULL
Program *resolve(const Source *source, const Statement *statements, const Overrides *overrides);
void program_explain(const Program *program, FILE *out); // every value in force with its origin
void params_print(const Source *source, const Statement *statements, FILE *out);

const Setting *find_setting(const Clause *clause, const char *name);
const Setting *setting(const Clause *clause, const char *name); // a bug when there is none
double setting_number(const Clause *clause, const char *name);
const char *setting_word(const Clause *clause, const char *name); // NULL: not set
bool switched_on(const Clause *clause, const char *name); // a setting of "on" or "off"
const char *setting_value(const Setting *setting);                // as it would be written
const char *clause_text(const Clause *clause); // with every value in force: "dense 50 relu"
const char *layer_name(const Program *program, int layer);        // "conv1", or what `as` says

// --- table.c: statements.def as an array; what knows the language by name reads it ---------------
typedef enum {
    ROW_STATEMENT,
    ROW_VALUE,
    ROW_ACTIVATION,
    ROW_OPTION,
    ROW_BODIES, // low to high of them
    ROW_END
} RowType;
typedef enum {
    SECTION_PARAM,
    SECTION_INPUT,
    SECTION_LAYER,
    SECTION_ACTIVATION, // layers too, and words behind other layers
    SECTION_STRUCTURE,  // write layers
    SECTION_TRAINING,
    SECTION_ANY,
} Section;

// A statement, or one of its values or options, which lie behind it.
typedef struct {
    RowType type;
    const char *name, *about;
    Section section; // of a statement, as the next
    const char *example;
    const char *of;       // the choice of the statement's first value that it belongs to, or NULL
    const char *fallback; // as written; NULL: none; "": not set; "=size": as that setting
    SettingKind kind;     // this and all below: of a value or an option
    bool whole;
    bool fraction; // a percentage may stand for it
    double low, high;
    bool low_open, high_open;   // the bound itself is out of range
    double odd;                 // above it a number gets a warning; 0: none does
    const char *unit;           // that a number needs, where it isn't a percentage
    bool measure;               // it can't be one
    const char *const *times;   // the same, one of these: "steps", "epochs"; ends with NULL
    const char *const *choices; // of a SETTING_WORD; ends with NULL
    bool files;                 // of a number: one or two files may stand for it
    bool column;                // of a SETTING_TEXT: a word or a number may stand for it
} Row;

typedef struct {
    const char **words;
    int count;
} Words;
void words_add(Words *words, const char *word); // once
bool has_word(Words words, const char *word);
const char *words_joined(Words words, const char *between);

const Row *statement_row(const char *word);      // NULL: no such statement
const Row *next_statement(const Row *statement); // of NULL the first; NULL behind the last
const Row *next_field(const Row *row);           // a value or an option; NULL behind the last
const Row *option_row(const Row *statement, const char *name, const char *choice);
bool field_applies(const Row *field, const char *choice); // choice NULL: to any
bool takes_activation(const Row *statement);
bool takes_list(const Row *statement); // of numbers, as a value or option of its own
int least_bodies(const Row *statement); // 0: it has none
int most_bodies(const Row *statement);
bool is_activation(const char *word);
bool takes_text(const Row *statement); // a file, or a column in quotes
bool is_unit(const char *word); // that some number takes
Words statement_words(Section section);
Words option_words(const Row *statement, const char *choice);
Words choice_words(const Row *field);
const Row *choice_owner(const char *word); // the statement that has it as its first value
Words option_owners(const char *word);     // the statements that take it
bool is_reserved(const char *word);        // a statement's word or a choice: no name for a param

// --- expr.c: numbers ----------------------------------------------------------------------------
typedef struct {
    double number;
    bool percent;
    bool known;         // false after an error
    const Param *param; // one that takes part, or NULL
    bool overridden;    // one that takes part was set by -D
} Value;
Value evaluate(const Expr *expr, const Params *params);

// --- params.c -----------------------------------------------------------------------------------
// The letters and digits from there on.
Loc name_loc(const Source *source, int start);
void no_param_name(Loc loc); // an error
Param *find_param(const Params *params, const char *name);        // interned
void declare_params(Params *params, const Statement *statements); // their names, for messages
void apply_define(Params *params, const Source *file, const char *define); // -D
void define_param(Params *params, const Statement *statement);

// --- values.c: one setting ----------------------------------------------------------------------
const Expr *read_value(const Row *statement, const Row *field, const Expr *item,
                       const Params *params, Setting *to);
void quoted_word(const Expr *text); // error: "softmax" where a word belongs
const char *list_form(const Row *field); // "a list of numbers, such as [1 2]"

// --- settings.c: the items of one statement -----------------------------------------------------
// The clause of a statement; what is wrong with its items is printed.
Clause read_clause(const Row *row, const Statement *statement, const Params *params);
Clause default_clause(const Row *row);

// --- names.c ------------------------------------------------------------------------------------
void name_layers(Program *program);

// --- ir.c: the graph ----------------------------------------------------------------------------
// A network is two graphs over one list of tensors: one training step, and one inference. A graph
// is a list of nodes in an order of execution; a node makes one value. Forward, backward and
// update nodes are of one kind: an activation is kept for the backward pass because a later node
// reads it.
typedef struct {
    int dims[MAX_DIMS], count; // count 0: a single number
    int panel_rows;            // of a matrix in panels (panels.c), of each; 0: row after row
} Shape;

// How many of its shape a value has.
typedef enum {
    PER_ROW,   // one for each row of the batch, stored [BLOCKS][ROWS][shape]
    PER_BLOCK, // one for each block of rows: a partial sum, stored [BLOCKS][shape]
    PER_BATCH, // one
    PER_RUN,   // one, and it outlives the step: weights, states
} Extent;

// How the work of a node is cut into tasks. No task writes what another of its node writes.
typedef enum {
    BY_NONE, // no work: a leaf
    BY_ROWS, // a task for each block of rows
    BY_PART, // a task for each part of the first dimension of a tensor
    BY_ONE,  // one task
    BY_ALL,  // each thread does all of it, for its own use
} Tasks;

typedef enum { TYPE_REAL, TYPE_DOUBLE, TYPE_INDEX } ElementType;

typedef enum {
#define OP(name, ...) OP_##name,
#include "ops.def"
    OP_COUNT
} Op;

enum {
    ELTWISE = 1, // result[i] is made of the first input's [i] and the others' [i]: may follow in
                 // another's loop
    UPDATES = 2, // writes its first input, a tensor, in place
    ANCHOR = 4,  // has a loop over its result that can take elementwise ops in
    STOPS = 8,   // may end the step: nothing that changes a tensor may run before it
    USES_BATCH = 16, // reads the pictures, the labels or the step's number
    USES_ROW = 32,   // and which row of the batch it is at
    FLAT = 64,       // sees a row as one dimension
    ACCUMULATES = 128, // can add a chunk's rows to what earlier chunks left
    LOSS = 256,      // what training makes small: the backward pass begins here
    DRAWS = 512,     // draws random numbers from a stream of its layer
    SLICED = 1024,   // a task is a slice: the first dimension of its result
    AT_ROW = 2048,   // knows which row of the batch it is at, and no more of the batch
    DERIVES = 4096,  // makes its first input, a tensor, of its second
    CHANGES = 8192,  // beside its result, writes its second input, a tensor, in place
    LAYS_OUT = 16384, // holds its input, a weight, as the step's products read it
    RANDOM = DRAWS | USES_ROW
};

// OpInfo.work, where it is no number of operations.
enum {
    RESULT_BY_WEIGHTS = -1,
    FIRST_BY_WEIGHTS = -2,
    OUTER = -3,
    WINDOWS = -4,
    OVERLAPS = -5,
    LAST_KIND = OVERLAPS
};
#define OF_FIRST(operations) (LAST_KIND - (operations)) // for each number of the first input

enum { STEPS_AHEAD = 8 }; // ahead.c: STEPS in the generated code

typedef struct Graph Graph;
typedef struct Node Node;
typedef struct Out Out;

typedef struct {
    const char *name, *inputs; // role names of the inputs, as the generated code calls them
    const char *result;        // role name of the result
    Extent extent;
    Tasks tasks;
    int flags;
    void (*shape)(Graph *graph, Node *node);
    void (*grad)(Graph *graph, const Node *node, int gradient);
    void (*emit)(Out *out, const Graph *graph, const Node *node);
    int work; // operations for each number of the result, or one of the kinds above
    const char *formula;
} OpInfo;
extern const OpInfo op_info[OP_COUNT];

enum { MAX_INPUTS = 64, MAX_STEPS = 6 };

// The attributes of every op that has some; unused ones are 0.
typedef struct {
    int kernel[2], stride[2], pad[2]; // height, width; pad is what lies above and left
    int dilation[2], groups;          // of a convolution: from tap to tap; parts of the channels
    Shape shape;                      // reshape
    int border[4];                    // zeropad, crop: rows above and below, columns left and right
    double rate, eps, momentum;       // dropout, noise; batchnorm
    double slope;                     // activations: leaky_relu's slope, elu's alpha
    double lambda;                    // l2
    double smoothing, delta;          // losses
    const double *class_weights;      // of a loss, one for each class; NULL: all are 1
    double threshold;                 // predict: above it one output says the second of two classes
    double l1, max_norm;              // penalty; max_norm
    int rule;                         // update: the optimizer's op, on top of which come
    double decay, clip_value, clip_norm, average;
    int tensor;     // OP_weight: index in Network.tensors
    int from;       // OP_concat_grad: where its part of the last dimension begins
    int channels;   // batchnorm, softmax, spatial_dropout, copy_channels: the last dimension, or
                    // all of them behind flatten
    Loc kernel_loc; // where the window's size is written
} Attributes;

// An elementwise op that runs in another node's loop, on the value `v` just computed.
typedef struct {
    Op op;
    int first_input; // its second and further inputs, from here on in Node.input
    Attributes attributes;
    const char *layer;
    Loc loc;
} Step;

struct Node {
    Op op;
    const char *name;   // of its value in the generated code: "conv1", "d_conv1_z"
    const char *layer;  // that it belongs to: "conv1"
    const char *suffix; // of its function: "forward" in conv1_forward
    Loc loc;
    int input[MAX_INPUTS], input_count; // the op's own, then those of its steps
    int own_inputs;
    Step steps[MAX_STEPS];
    int step_count;
    Attributes attributes;
    Shape shape;
    Extent extent;
    ElementType type;
    int line;          // gaps.c: numbers from one row to the next, of the batch or of a matrix; 0:
                       // no gaps
    bool kept;         // its value is read after the step
    bool skips;        // zeros.c: a product that leaves out zeros where the data set has many
    int ahead;         // ahead.c: 1: made in the first of STEPS steps, one of each row for all of
                       // them; 2: and kept while the next ones are made
    bool chunked;      // chunk.c: runs once for each chunk of rows
    int phase;         // schedule.c: nodes of one phase run without a barrier between them
    long offset, each; // plan.c: bytes from the start of the arena, and from one block to the next
    bool local;        // plan.c: lives in one phase of one block of rows
    bool piece;        // plan.c: only the part of it that a task is at is ever there
    bool claims;       // plan.c: its last own input is not read, but asked for
    int first, last;   // plan.c: phases in which it is alive; nodes where it is local
    bool in_place;     // in_place.c: its value takes the place of its input `replaced`
    int replaced;
    bool alias;        // in_place.c: and is that input, in another shape: there is nothing to do
    bool dead; // dropped by a pass
};

typedef struct {
    const char *name; // "conv1_w"
    const char *layer;
    int role; // ROLE_…
    Shape shape;
    int line;         // of its nodes (Node.line)
    const char *init; // NN_CONSTANT, NN_UNIFORM, NN_NORMAL
    double scale;
    const char *why; // random first values in words: "uniform within sqrt(6 / (784 + 300))"
    double l1, l2, max_norm;
    const char *key; // in the weights file; NULL: the name
    int average_of;  // the tensor whose average it is; -1: none
    int gradient; // node of the training graph that makes it, or -1
    int derived;  // ROLE_DERIVED: the tensor it is made from
    Op maker;     // and the op that makes it
    Loc loc;
} Tensor;
enum {
    ROLE_WEIGHT,
    ROLE_STATE,
    ROLE_OPTIMIZER,
    ROLE_DERIVED, // a weight in another layout; not saved
    ROLE_CHANGES, // ahead.c: that a weight has still to get; not saved
};

typedef struct Network Network;
struct Graph {
    Network *network;
    Node *nodes;
    int count, capacity;
    int forward_count;   // nodes before differentiate(): the forward pass
    int chunks, slots;   // chunk.c: the batch runs in so many chunks of so many blocks
    int phases;          // schedule.c
    int chunk_phases;    // schedule.c: the first of them, which run once for each chunk
    long arena_bytes;    // plan.c: everything
    long unshared_bytes; // plan.c: what it would be if no two values shared bytes
    int *gradient;       // grad.c: forward node -> node of its gradient, or -1
    bool *learns;        // grad.c: forward node -> whether it depends on a trained weight
};

// One statement of the network's card.
typedef struct {
    const Clause *clause;
    const char *name;
    Shape in, out;
    long parameters;
} Card;

// A matrix product that the generated code needs a function for.
typedef enum {
    ROWS_BY_MATRIX, // emit_product.c
    OUTER_SUM,
    ROWS_BY_PANELS,
    OUTER_IN_PANELS,
    ROWS_SUM, // emit_rows.c
    ROW_DOT,
} ProductForm;
typedef struct {
    ProductForm form;
    int terms, columns;
    int rows;                   // that it mostly has
    int panel_rows;             // of its matrix; 0: that is in rows
    int a_line, b_line, c_line; // numbers from one row of c[rows][columns] = a[rows][terms] b, or
                                // of c = a[.][terms]' b[.][columns], to the next; 0: no gaps
    bool skips;                 // numbers of a that are 0: a are pictures
    bool adds;                  // to c, where the call says so; an outer product always may
} Product;
enum { MAX_PRODUCTS = 512 };

// A convolution, or its gradient by the weights, that the generated code needs a function for.
typedef struct {
    bool weights, planes;
    int lines, columns; // of pixels of the result
    int width;          // pixels in a line of what the windows are read from
    int groups, channels, outputs; // one group of channels, of so many in a pixel, is convolved
    int kernel[2], stride[2], dilation[2];
} WindowProduct;

// A tile that those are made of.
typedef struct {
    int rows, line; // line: how many rows lie in one line of pixels; 0: all
    int width, vectors, lanes;
} WindowTile;
enum { MAX_WINDOW_TILES = 256 };

// A tile with vectors along lines.
typedef struct {
    bool weights;
    int outputs;
    int taps;           // of a tile of the weights' gradient; what follows, of the others
    int lines, vectors; // of the result
    int runs, stride;   // of the window
    int last;           // pixels in the last vector
} PlaneTile;

// A tile of a convolution of each channel, or small group of them, by itself. runs and taps: of the
// window, for its weights' gradient; 0: of its result.
typedef struct {
    int runs, taps, lanes;
    int each; // channels in a group
} DepthwiseTile;

// A processor, as far as the choice of tiles and the estimate of a step's time go.
typedef struct {
    const char *name;
    int vector_bytes, registers;
    int operations; // of each number of a vector, in a cycle; a multiply-add is two
} Target;

struct Network {
    const Program *program;
    const Target *target;
    bool blas; // --gemm blas: matrix products call BLAS
    bool auto_gemm, calls_blas; // --gemm auto: those that are faster so; and some product does
    struct Choice *tuned; // --tuned: how some products are best made; choice.c
    const struct Tiling *trial; // tune.c: how all products are made
    Product products[MAX_PRODUCTS];
    int product_count;
    WindowProduct window_products[MAX_PRODUCTS];
    int window_product_count;
    WindowTile window_tiles[MAX_WINDOW_TILES];
    int window_tile_count;
    PlaneTile plane_tiles[MAX_WINDOW_TILES];
    int plane_tile_count;
    DepthwiseTile depthwise_tiles[MAX_WINDOW_TILES];
    int depthwise_tile_count;
    bool doubles; // --precision f64
    double largest_local; // numbers of the largest array on a thread's stack
    Tensor *tensors;
    int tensor_count;
    int averages; // tensors that are the average of another
    Card *cards;
    int card_count;
    Graph train, infer;
    bool trains;            // there is a loss
    int block_rows, blocks; // the batch is cut into blocks of rows
    int chunks;             // and these into chunks, where the graph allows
    int classes;            // of the data set; 0: its examples have numbers to learn
    int targets;            // how many numbers each; 0: it has classes
    Shape picture;          // of the data set
    uint64_t identity;      // identity.c: equal where two compute the same of equal tensors
    int output;             // node of infer: the last layer
    int predicted;          // node of infer; -1 for a regression
};

Op op_named(const char *name);
int node_add(Graph *graph, Op op, const char *layer, Loc loc, int input_count, const int *inputs);
Node *node_insert(Graph *graph, int place, Op op, int input_count, const int *inputs);
#define NODE(graph, op, layer, loc, ...)                                                           \
    node_add(graph, op, layer, loc, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)),             \
             (int[]){__VA_ARGS__})
int tensor_add(Network *network, Tensor tensor);
int weight_node(Graph *graph, int tensor); // the leaf of a tensor, made at its first use
long shape_size(Shape shape);
Shape shape_of(int count, ...);
bool shape_equal(Shape a, Shape b);
const char *shape_text(Shape shape); // "26x26x32"; "1" for a single number
bool has_flag(const Node *node, int flag);
bool has_value(const Node *node);
bool is_saved(const Tensor *tensor); // in the files of weights
bool in_arena(const Node *node);
bool has_function(const Node *node);
bool is_repeated(const Node *node, int input);
bool has_parameter(const Node *node, int input); // of the function, to itself
bool is_read(const Node *node, int input); // for the first time, and not only asked for
bool writes(const Graph *graph, const Node *node, int input); // a tensor that the node changes
Shape flat(Shape shape);
int consumers(const Graph *graph, int node); // how many living nodes read it
void replace_uses(Graph *graph, int from, int to);
const char *real_type(const Network *network); // "float" or "double"
long element_bytes(const Network *network, ElementType type);
long node_rows(const Network *network, const Node *node); // how many of its shape a step makes

// --- target.c: processors -----------------------------------------------------------------------
const Target *target_named(const char *name); // NULL: there is none of this name
Words target_words(void); // "native" and the names
const char *target_march(const char *name); // for the C compiler; NULL: its default
int vector_lanes(const Network *network);   // numbers in the target's vector

// --- lower.c: statements -> forward graphs ------------------------------------------------------
// needs: a resolved program; makes: both graphs with shapes, the tensors and the card
typedef struct {
    const Target *target;
    bool doubles; // --precision f64
    bool blas; // --gemm blas
    bool auto_gemm; // --gemm auto
    struct Choice *tuned; // --tuned and --product; choice.c
} CodeOptions;
Network *lower(const Program *program, const CodeOptions *options);

// --- lower_data.c: the data set -----------------------------------------------------------------
typedef struct {
    const char *name;
    int height, width, channels, classes, pictures; // pictures 0: files, whose examples are as the
                                                    // network says
    const char *format;                             // NN_IDX and so on
} DataSet;
const DataSet *data_set(const Program *program);
const char *data_text(const Program *program, const char *name); // NULL: no such thing is set
const char *answers_file(const Program *program); // NULL: there is none, or the data has a name
bool learns_numbers(const Program *program);
bool has_bytes(const DataSet *data); // always; NumPy's files may have
bool is_npy(const Network *network);
long frame_size(Shape picture); // lower_input.c: of a picture that augment changes
double scale_of(const Network *network, bool bytes); // emit_input.c: what numbers are multiplied by

// --- lower_loss.c -------------------------------------------------------------------------------
const char *target_range(const Program *program); // in nn.h; NULL: any number is a target

// --- initializer.c: first weights ---------------------------------------------------------------
// `word` is what `init` says; fan_in and fan_out count the numbers that meet in and leave from one.
void set_initializer(Tensor *tensor, const char *word, double fan_in, double fan_out);

// --- shape.c: the shape of each op's result; user errors when there is none ---------------------
bool infer_shape(Graph *graph, int node); // false after an error
int group_count(const Attributes *attributes);         // of channels, each convolved by itself
int tap_step(const Attributes *attributes, int d);     // from one tap of a window to the next
int window_reach(const Attributes *attributes, int d); // from the first to the last, both counted
bool has_gaps(const Attributes *attributes);           // between taps
Shape turned_shape(Shape w);              // rows and columns exchanged
Shape flipped_shape(Shape w, int groups); // a convolution's, its window turned round

// --- grad.c: backward nodes ---------------------------------------------------------------------
// needs: shapes, a loss; makes: a gradient node for each trained tensor
void differentiate(Graph *graph);
bool needs_gradient(const Graph *graph, int node);
void gradient_add(Graph *graph, int node, int gradient); // sums where there is one already

// --- update.c: the optimizer's nodes ------------------------------------------------------------
void add_updates(Graph *graph);
void add_maker(Graph *graph, int derived); // the node that renews a tensor of ROLE_DERIVED
int turned_weight(Graph *graph, int w); // the leaf of a weight with rows and columns exchanged
int flipped_weight(Graph *graph, int w, int groups); // and of a convolution's, turned round

// --- fuse.c: rewrites and fusion into loops -----------------------------------------------------
void fuse(Graph *graph);

// --- gaps.c: matrices whose rows begin with a line of the cache ----------------------------------
void leave_gaps(Graph *graph);
int stored_columns(const Network *network, int columns); // with the gap behind them, to whole lines
int columns_ahead(const Network *network, int columns); // of a layer that works ahead: to vectors
Shape with_gaps(Shape shape, int line);            // behind its rows, where `line` is not 0
Shape stored_shape(const Node *node, Shape shape); // of the node's value, with its gaps
void drop_dead(Graph *graph);

// --- zeros.c: products of pictures that leave out zeros ------------------------------------------
void skip_zeros(Graph *graph);
bool any_skips(const Graph *graph);

// --- bias.c: biases that batch normalisation takes away again ------------------------------------
void drop_biases(Graph *graph);

// --- single.c: batches of one row ---------------------------------------------------------------
void skip_zero_rows(Graph *graph);
void update_at_places(Graph *graph);
void update_on_the_way(Graph *graph);

// --- ahead.c: several of them at a time ---------------------------------------------------------
void work_ahead(Graph *graph);
bool works_ahead(const Graph *graph);

// --- slice.c: the first layer, cut along its inputs ---------------------------------------------
void slice_first_layer(Graph *graph);

// --- chunk.c: large batches ---------------------------------------------------------------------
void cut_into_chunks(Graph *graph);
bool kept_by_chunk(const Graph *graph, int id);
bool uses_chunks(const Network *network); // training or inference does

// --- schedule.c: phases -------------------------------------------------------------------------
void choose_blocks(Network *network);
void schedule(Graph *graph);
bool begins_with_slices(const Graph *graph);            // a step, before the last one has ended
int part_count(Shape shape);                            // of a tensor's tasks BY_PART
int part_rows(Shape shape);                             // of each of them
long part_size(Shape shape);                            // numbers of each
enum { MOST_PART_NUMBERS = 32768 };                     // that a core's own cache holds easily
int node_parts(const Graph *graph, const Node *node);   // its tasks BY_PART
bool same_cut(const Graph *graph, const Node *a, const Node *b); // tasks BY_PART of both are alike
Shape part_shape(const Graph *graph, const Node *node); // the tensor along which its parts run

// --- in_place.c: results that take the place of an input ----------------------------------------
void replace_inputs(Graph *graph);
int replaced_by(const Graph *graph, int value);
bool unpools_in_place(const Graph *graph, const Node *node); // emit_pool.c

// --- plan.c: offsets in the arena ---------------------------------------------------------------
void plan(Graph *graph);
long stored_bytes(const Graph *graph, int node);        // in the arena, of all its blocks
int last_use_there(const Graph *graph, int id);         // of what takes its place, too
bool fits_memory(const Network *network, double limit); // error with the largest buffers

// --- verify.c, irprint.c ------------------------------------------------------------------------
void verify(const Graph *graph, const char *pass);
void graph_dump(const Graph *graph, const char *pass, FILE *out);

// --- cost.c: work and memory, before the first step ---------------------------------------------
typedef struct {
    double forward, backward; // operations per picture (a multiply-add is two)
    double update;            // operations per step
    double weight_bytes, optimizer_bytes, arena_bytes;
    long parameters;
} Cost;
Cost network_cost(const Network *network);
double layer_multiply_adds(const Network *network, const char *layer); // forward, per picture
double node_operations(const Graph *graph, const Node *node);          // per picture, or per step
bool is_product(const Node *node); // of matrices, or a convolution

// What a node does in one step: for each picture, and beside that for the step.
typedef struct {
    double products; // operations of a matrix product or convolution, for each picture
    double picture_operations, step_operations; // all others
    double picture_bytes, step_bytes;           // read or written, once for each block of rows
} Work;
Work node_work(const Graph *graph, const Node *node);

// --- estimate.c: how long a step takes, before the first one ------------------------------------
double node_seconds(const Graph *graph, const Node *node); // of one step, by one thread
double layer_seconds(const Network *network, const char *layer);
double step_seconds(const Network *network); // of training, or of inference where there is none

// --- myers.c: the shortest edit script ----------------------------------------------------------
// What to remove from a, and what to add, to make b. Elements are interned; see myers.c.
void edit_script(const char *const *a, int n, const char *const *b, int m, bool *removed,
                 bool *added);

// --- emit_input.c -------------------------------------------------------------------------------
void emit_data(Out *out, const Network *network); // what the runtime is told of the data

// --- out.c: text that is indented by its braces -------------------------------------------------
struct Out {
    Text text;
    int depth;
    Network *network;
    // Where an elementwise op stands; set by emit_elements.
    struct {
        const Attributes *attributes;
        const char *operand[MAX_INPUTS]; // names of its second and further inputs
        const char *index;               // "[i][j]": of an operand with the result's shape
        const char *channel;             // "c": of an operand with one number for each channel
        const char *number;              // which of the row's numbers it is: "h * 26 + w"
    } element;
};
// A line of C, indented by its braces; several where it has more than 100 columns.
void line(Out *out, const char *format, ...) PRINTF(2, 3);
void blank_line(Out *out);
void raw(Out *out, const char *format, ...) PRINTF(2, 3);
void comment(Out *out, const char *format, ...) PRINTF(2, 3); // one // comment, wrapped
const char *comment_text(int indent, const char *words);      // its lines
// Lines of words, the first of them behind `first` and each further one behind `next`.
const char *words_in_lines(const char *first, const char *next, const char *words);
// `code`, or behind a text in quotes that it begins with.
const char *behind_quotes(const char *code);
void on_stack(Out *out, double numbers); // notes an array of so many that a function declares
void call_line(Out *out, const char *name, const char *arguments); // of a function
// Lets the lanes of vectors share the terms of `results`, so many each, in the loop that follows;
// the operator is + or max. False where they are too few.
bool in_lanes(Out *out, const char *operator, const char *results, int terms);
const char *real_number(const Out *out, double number); // "0.1f"; shortest that reads back the same
const char *math(const Out *out, const char *function); // "nn_expf" for "exp"
const char *libm(const Out *out, const char *function); // of the C library: "fabsf" for "fabs"

// --- break.c: lines of C with at most 100 columns -----------------------------------------------
const char *broken(int indent, const char *text);

// --- rate.c: how the learning rate changes, and when training ends early ------------------------
void check_rate(const Program *program); // what these statements need of each other
void emit_rate(Out *out, const Program *program);

// --- emit.c: the generated file -----------------------------------------------------------------
const char *emit_c(Network *network);
const char *c_string(const char *text); // as a string of C

// --- emit_step.c: what calls the functions: the step, inference, and their tables ---------------
void emit_arena(Out *out, const Network *network);
void emit_calls(Out *out, const Graph *graph);
void emit_train_step(Out *out, const Graph *graph);
void emit_gradient_step(Out *out, const Graph *graph);
void emit_infer(Out *out, const Graph *graph);
void emit_first_nonfinite(Out *out, const Graph *graph);
void emit_prepare(Out *out, const Graph *graph);
bool has_derived(const Network *network);

// --- emit_node.c: the function of one node ------------------------------------------------------
const char *function_name(const Node *node);
const char *role(const Graph *graph, const Node *node,
                 int input); // how the function calls an input
const char *parameter_list(const Graph *graph, const Node *node);
const char *function_text(const Graph *graph, const Node *node); // the whole function
void emit_declaration(Out *out, const char *start, const char *parameters);
const char *dims_text(Shape shape);               // "[26][26][32]"
const char *numbers_of_batch(long each);
// How many channels an elementwise node tells apart; 0 where none goes by channel.
int node_channels(const Graph *graph, const Node *node);
Shape view(const Graph *graph, const Node *node); // dimensions that its loops run over, of one row

// The loops over the elements of row `i`, or of a part, which carry the node's own elementwise op
// and its steps: reads `from`, an expression, and stores to the result.
void emit_elements(Out *out, const Graph *graph, const Node *node, const char *from);
void emit_row_steps(Out *out, const Graph *graph, const Node *node); // nothing where there are none
const char *aligned_with_result(const Out *out, int operand); // emit_elementwise.c: "y[i][j]"
void emit_largest(Out *out, const char *x, int count); // emit_softmax.c: declares `largest` of x
void emit_part_elements(Out *out, const Graph *graph, const Node *node, const char *from);
Op update_rule(const Node *node); // emit_update.c, as the next
void add_parts(Out *out, const Graph *graph, const Node *node, int first, const char *total);
const char *update_formula(const Node *node);
const char *penalty_formula(const Graph *graph, const Node *node);
void emit_update_scalars(Out *out, const Graph *graph, const Node *node);
void emit_update_lines(Out *out, const Graph *graph, const Node *node, const char *at);
void emit_part_range(Out *out, const Graph *graph, const Node *node);   // declares `from` and `to`
const char *open_part(Out *out, const Graph *graph, const Node *node);
void close_part(Out *out, const Graph *graph, const Node *node);
const char *gradient_index(const Node *gradient); // "[i][j]", or from the part's first row on
const char *part_loop(const Graph *graph, const Node *node); // "for (int i = from; i < to; i++)"

// --- emit_rows.c: products of one row -----------------------------------------------------------
void emit_rows_sum(Out *out, int columns, int line_of_w, const char *at, const char *x,
                   const char *w, const char *y);
const char *row_dot_call(Out *out, int columns, const char *y, const char *row);
void emit_row_products(Out *out, const char *body); // the functions that the body calls

// --- emit_ahead.c: several steps at a time ------------------------------------------------------
int rows_ahead(const Network *network);
int ahead_width(const Network *network, const Node *w); // columns of it that are summed at a time
void emit_ahead_kernels(Out *out, const char *body);

// --- emit_dense.c -------------------------------------------------------------------------------
bool dense_takes_blas(const Graph *graph, const Node *node);

// --- emit_product.c: matrix products, by tiles or BLAS ------------------------------------------
void emit_product(Out *out, Product product, const char *rows, const char *x, const char *w,
                  const char *y);
void emit_product_onto(Out *out, Product product, const char *rows, const char *x, const char *w,
                       const char *y, const char *add);
// What an outer product is called with: C expressions. In panels dw's rows begin at `row` of `high`
// each; `change`, or "NULL", are weights whose rows from..to are about to be changed.
typedef struct {
    const char *from, *to, *terms, *x, *dy, *dw, *add, *high, *row, *change;
} OuterCall;
void emit_outer(Out *out, Product product, const OuterCall *call);
Product with_lines(Product p); // with the usual distances where it has none
void need_product(Out *out, Product product);
const char *lane_type(const Network *network, int lane_count);  // "Vector8"
void emit_macro(Out *out, const char *const *lines, int count); // REAL: the program's type
void emit_products(Out *out, const char *body); // the functions that the body calls
extern const char *const product_words[]; // by ProductForm: those that dense layers call
const char *product_name(const Product *product);
bool is_tiled(const Product *product); // or by BLAS; not the products of one row
bool is_outer(const Product *product);
bool is_in_panels(const Product *product);
bool is_called(const Product *product, const char *body);

// --- emit_strip.c: the tiles, and the strips of columns that they go down ------------------------
// How the rows are cut into tiles: as few as the registers allow beside the vectors of the matrix
// and one spread number, of equal height unless one was measured, and one for what those leave.
typedef struct {
    int full, rest;
} Heights;
// Strips of columns side by side: so many runs of one kind.
typedef struct {
    int width;   // columns
    int vectors; // of `lane_count` columns each
    int second;  // so many of them lie in the next panel
    int lane_count;
    int skip; // so many columns before it are computed again and not stored
    int first, runs; // column, how many side by side
    bool near;       // what it reads of the matrix stays in the first cache
    bool listed;     // the terms of each tile are those of a list
    Heights heights;
} ProductStrip;
enum { MAX_STRIPS = 16 };
enum { LISTED_ROWS = 4 }; // of a tile whose terms are listed
int product_strips(const Network *network, const Product *p, ProductStrip *strips);
double enough_zeros(const Network *network); // share of a data set, for products to look for them
int lone_strips(const Network *network, const Product *p, ProductStrip *strips);
// How a strip is called: what is added to addresses to get to its columns.
typedef struct {
    const char *name;
    const char *column; // to a row's: " + " and its first, those that it skips included
    const char *panel;  // its own first, where its panel begins
    int skip, wide;     // wide: columns of its panel
} StripCall;
StripCall open_product_strip(Out *out, const ProductStrip *strip, bool several);
StripCall next_panel(const ProductStrip *strip, const StripCall *first); // of a strip through two
void close_product_strip(Out *out, const ProductStrip *strip, bool several);
int lone_columns(const Network *network, const Product *p); // that lie by themselves
void emit_strips(Out *out, const char *body); // those of the functions that the body calls

// --- emit_lone.c: columns that lie by themselves -------------------------------------------------
bool calls_dots(const Out *out, const char *body);
void emit_dots(Out *out, const char *body); // what products with such columns call
void emit_lone_product(Out *out, const Product *p, int high, bool parts);
void emit_lone_outer(Out *out, const Product *p, const char *a, int a_line);

// --- panels.c, emit_panels.c: weights as the tiles read them ------------------------------------
enum { PANEL_VECTORS = 2 }; // side by side in a panel: those of a tile
// Of a matrix in panels: `width` columns in each up to column `last`, those up to `whole` in one,
// and each behind those by itself.
typedef struct {
    int width, last, whole;
} Panels;
Panels panels_of(const Network *network, int rows, int columns);
int panel_most(const Network *network, Shape shape); // columns of the widest
const char *panels_text(const Network *network, Shape shape);
void put_in_panels(Graph *graph, int node, int rows); // the value's, or the tensor's of a leaf
void lay_out_panels(Graph *graph);
void adopt_layouts(Graph *graph); // of the tensors that it reads
bool panels_of_slices(Shape shape); // panels hold one slice's rows each
const char *open_panels(Out *out, const Graph *graph, const Node *node);
const char *open_panel_rows(Out *out, const Graph *graph, const Node *node, Shape shape);
void close_panel_rows(Out *out);
void emit_turn_panels(Out *out, const Graph *graph, const Node *node);

// --- emit_window.c: tiles over windows of a picture ---------------------------------------------
typedef struct {
    int first, width; // columns
    int vectors, lanes;
    int runs; // strips of this kind, side by side
} WindowStrip;
const char *plus(const char *base, const char *index, long step);
enum { LATENCY = 4 }; // cycles from one multiply-add to another that adds to its result
int lines_at_a_time(int height, long line_bytes, long most);
int lanes_for(const Network *network, int numbers);
typedef struct {
    int lines, line; // rows of tiles: so many lines of so many
    bool far;        // what they are read from is more than the first cache holds
} WindowRows;
int window_strips(const Network *network, int columns, const WindowRows *rows, WindowStrip *strips);
typedef struct {
    int lines, rows; // of a tile: whole lines, or a piece of one
    double cycles;   // of one term, all tiles
} WindowCut;
WindowCut window_cut(const Network *network, const WindowRows *rows, int vectors);
typedef struct {
    int rows, vectors; // of a tile
} SpanCut;
SpanCut span_cut(const Network *network, int rows, int vectors);
const char *window_tile(Network *network, int lines, int rows, const WindowStrip *strip);
void note_tile(void *tiles, int *count, const void *tile, size_t size);
void emit_window_tiles(Out *out);

// --- emit_depthwise.c: convolutions of single channels and small groups, in vectors of channels --
bool depthwise_by_vectors(const Graph *graph, const Node *node);
bool groups_by_vectors(const Network *network, const Attributes *attributes, int channels,
                       int filters);
void emit_depthwise_vectors(Out *out, const Graph *graph, const Node *node);
void emit_depthwise_grad_x_vectors(Out *out, const Graph *graph, const Node *node);
void emit_depthwise_grad_w_vectors(Out *out, const Graph *graph, const Node *node);
void emit_depthwise_tiles(Out *out);

// --- emit_conv_planes.c: convolutions to fewer channels than a vector has lanes ------------------
bool has_planes(const Network *network, const WindowProduct *p); // it could be made so
bool conv_by_planes(const Network *network, const WindowProduct *p);
int plane_pitch(const Network *network, const WindowProduct *p);
int gradient_pitch(const Network *network, const WindowProduct *p);
void emit_plane_tiles(Out *out);
void emit_planes_forward(Out *out, const WindowProduct *p);
void emit_planes_weights(Out *out, const WindowProduct *p);
void emit_lane_sums(Out *out, const WindowProduct *p);
void emit_lane_total(Out *out, const WindowProduct *p); // lanes -> dw

// --- emit_window_product.c: some lines of a convolution ------------------------------------------
const char *window_product(Network *network, const WindowProduct *product); // its function's name
void emit_windows(Out *out, const char *body); // those that the body calls

// --- emit_conv_spans.c: the gradient by a picture whose windows have a stride or no padding ------
void emit_spans_grad_x(Out *out, const Graph *graph, const Node *node);

// --- emit_conv.c: direct convolution; emit_conv_columns.c: by columns, for BLAS -----------------
bool conv_turns_round(const Network *network, Shape in, Shape out, const Attributes *attributes);
// The convolution that a node's function is made of; false where it is made of none.
bool convolution_of(const Graph *graph, const Node *node, WindowProduct *window);
void emit_conv_helpers(Out *out, const Graph *graph, const Node *node);
void clear_gradient(Out *out, const Node *node); // of its weights
void emit_columns_conv(Out *out, const Graph *graph, const Node *node);
void emit_columns_grad_w(Out *out, const Graph *graph, const Node *node);
void emit_columns_grad_x(Out *out, const Graph *graph, const Node *node);
void emit_columns_copy(Out *out, const Graph *graph, const Node *node);
void emit_columns_scatter(Out *out, const Graph *graph, const Node *node);

// --- emit_taps.c: what neither knows, as plain loops over the taps of a window -------------------
void emit_taps_conv(Out *out, const Graph *graph, const Node *node);
void emit_taps_grad_w(Out *out, const Graph *graph, const Node *node);
void emit_taps_grad_x(Out *out, const Graph *graph, const Node *node);

// --- choice.c: tiles or BLAS, and which tiles ----------------------------------------------------
typedef struct Choice Choice;
typedef struct Tiling {
    int rows, vectors; // of a tile; rows 0: as few tiles of equal height as can be
    bool blas;
} Tiling;
struct Choice {
    bool convolution; // of `window`, by its planes or not; otherwise of a product
    WindowProduct window;
    ProductForm form;
    int terms, columns, rows;
    bool doubles;
    const Target *target;
    Tiling tiling;
    double seconds; // that it took; 0: not known
    bool used;      // by a product of the network
    Choice *next;
};
Choice *read_choices(const char *path, const char *const *lines, int count);
Choice *choice_of(const Network *network, ProductForm form, int terms, int columns, int rows);
bool same_windows(const WindowProduct *a, const WindowProduct *b); // but for how they are made
Choice *choice_of_window(const Network *network, const WindowProduct *window);
// Whether a product of a training reads its matrix in panels.
bool takes_panels(const Network *network, int terms, int columns, int rows);
bool outer_takes_panels(const Network *network, int terms, int columns, int rows);
bool takes_blas(Network *network, ProductForm form, int terms, int columns, int rows);
bool links_blas(const Network *network);
bool fits_panels(const Product *product, Tiling tiling);
Tiling tiling_of(const Network *network, const Product *product);
int most_tile_rows(const Network *network, int vectors); // that the registers hold
const char *choice_text(const Choice *choice);
int tile_rows(const Network *network, const Product *product, Tiling tiling); // emit_strip.c

// --- file.c: whole files, and folders -----------------------------------------------------------
// Writes a file whole or not at all, with the mode of the one it replaces; path NULL: to standard
// output. False after an error was printed.
bool write_file(const char *path, const char *text);
bool same_file(const char *a, const char *b); // both are there, and one
// All that is left of it; its bytes are counted where `length` is not NULL.
const char *read_stream(FILE *file, size_t *length);
// Those that lead to it too; they may be there. False after an error was printed.
bool make_folders(const char *path);
const char *temporary_folder(void); // for the caller to remove; NULL after an error was printed

// --- identity.c ---------------------------------------------------------------------------------
uint64_t identity(const Network *network);

// --- fingerprint.c ------------------------------------------------------------------------------
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count);
uint64_t hash_path(uint64_t hash, const char *path); // a file, or a folder and the names in it
extern const uint64_t hash_start;

// --- build.c: the C compiler --------------------------------------------------------------------
typedef struct {
    const char *target; // for -march: "native", "x86-64-v3", …
    const char *output; // the binary
    bool profile;       // training reports the time of each layer
    bool verbose;       // show the command
} BuildOptions;
bool build_binary(const Network *network, const char *c_text, const BuildOptions *options);
const char *c_compiler(void); // what it says of itself, --version; "" where there is none

// --- bench.c: the program measures itself -------------------------------------------------------
const char *bench_of(Network *network, const char *target); // JSON; NULL after an error was printed

// --- tune.c: which products are fastest how, measured -------------------------------------------
const char *tuned_path(void); // of this machine's file; NULL after an error
bool tune(Network *network, const BuildOptions *options, const char *path);
// Appends those that were measured to the file; false after an error was printed.
bool remember(const char *path, const Choice *choices, int count);

#define OP(name, inputs, result, extent, tasks, flags, shape, grad, work, formula)                 \
    void shape_##shape(Graph *, Node *);                                                           \
    void grad_##grad(Graph *, const Node *, int);                                                  \
    void emit_##name(Out *, const Graph *, const Node *);
#include "ops.def"

#endif
