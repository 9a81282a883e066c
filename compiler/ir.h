// ir.h: a network as graphs of operations, which all passes work on.
#ifndef IR_H
#define IR_H

#include "language.h"

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
    WINOGRAD = -6,
    WINOGRAD_OUTER = -7,
    LAST_KIND = WINOGRAD_OUTER
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
    int side;       // winograd: pixels of the side of a square that is made at once
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
    bool panels;  // window_panels.c: the columns of each strip lie by themselves
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
enum { MAX_PRODUCTS = 4096 }; // of 1000 layers

// A convolution, or its gradient by the weights, that the generated code needs a function for.
typedef struct {
    bool weights, planes;
    bool panels;        // the matrix lies in such (window_panels.c)
    int lines, columns; // of pixels of the result
    int width;          // pixels in a line of what the windows are read from
    int groups, channels, outputs; // one group of channels, of so many in a pixel, is convolved
    int kernel[2], stride[2], dilation[2];
} WindowProduct;

// The products of a convolution of transformed pictures, or of its gradient by the weights, for so
// many squares of pixels.
typedef struct {
    bool weights;
    int side; // pixels of a square's
    int squares, channels, outputs;
} WinogradProduct;

// A tile that those are made of. Tiles are compared byte by byte: their fields are alike, with
// nothing between them.
typedef struct {
    int rows, line; // line: how many rows lie in one line of pixels; 0: all
    int width, vectors, lanes;
    int ahead; // rows of the matrix that the memory is asked for ahead
} WindowTile;
enum { MAX_WINDOW_TILES = 4096 };

// A tile with vectors along lines.
typedef struct {
    int weights;        // 0 or 1
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
    bool direct; // --conv direct: all convolutions add their products as they are written
    bool auto_gemm, calls_blas; // --gemm auto: those that are faster so; and some product does
    struct Choice *tuned; // --tuned: how some products are best made; choice.c
    const struct Tiling *trial; // tune.c: how all products are made
    Product products[MAX_PRODUCTS];
    int product_count;
    WindowProduct window_products[MAX_PRODUCTS];
    int window_product_count;
    WinogradProduct winograd_products[MAX_PRODUCTS];
    int winograd_product_count;
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

#define OP(name, inputs, result, extent, tasks, flags, shape, grad, work, formula)                 \
    void shape_##shape(Graph *, Node *);                                                           \
    void grad_##grad(Graph *, const Node *, int);                                                  \
    void emit_##name(Out *, const Graph *, const Node *);
#include "ops.def"

#endif
