// passes.h: the passes, from statements to a network that can be written as C, and what they ask of
// each other.
#ifndef PASSES_H
#define PASSES_H

#include "ir.h"

// --- lower.c: statements -> forward graphs ------------------------------------------------------
// needs: a resolved program; makes: both graphs with shapes, the tensors and the card
typedef struct {
    const Target *target;
    bool doubles; // --precision f64
    bool blas; // --gemm blas
    bool auto_gemm; // --gemm auto
    bool direct; // --conv direct
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

// --- lower_loss.c -------------------------------------------------------------------------------
const char *target_range(const Program *program); // in nn.h; NULL: any number is a target

// --- rate.c: how the learning rate changes, and when training ends early -------------------------
void check_rate(const Program *program); // what these statements need of each other

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
// A tree of nodes that read as many sums as a node can, until `most` of them are left: returns how
// many, and has them in `sums`. They are called `stem`_1 and so on.
int sum_in_groups(Graph *graph, int count, int *sums, int most, const char *stem,
                  const char *function);
void add_maker(Graph *graph, int derived); // the node that renews a tensor of ROLE_DERIVED
int turned_weight(Graph *graph, int w); // the leaf of a weight with rows and columns exchanged
int flipped_weight(Graph *graph, int w, int groups); // and of a convolution's, turned round
int transformed_weight(Graph *graph, int w, int side); // and transformed (winograd.c)
int panelled_weight(Graph *graph, int w); // and in panels (window_panels.c)
// The leaf of what `maker` makes of a weight, where training has it; -1.
int derived_leaf(Graph *graph, int w, Op maker);

// --- fuse.c: rewrites and fusion into loops -----------------------------------------------------
void fuse(Graph *graph);

// --- gaps.c: matrices whose rows begin with a line of the cache ----------------------------------
void leave_gaps(Graph *graph);
int stored_columns(const Network *network, int columns); // with the gap behind them, to whole lines
int columns_ahead(const Network *network, int columns); // of a layer that works ahead: to vectors
Shape with_gaps(Shape shape, int line);            // behind its rows, where `line` is not 0
Shape stored_shape(const Node *node, Shape shape); // of the node's value, with its gaps
void drop_dead(Graph *graph);

// --- panels.c: weights as the tiles read them ----------------------------------------------------
enum { PANEL_VECTORS = 2 }; // side by side in a panel: those of a tile
// Of a matrix in panels: `width` columns in each up to column `last`, those up to `whole` in one,
// and each behind those by itself.
typedef struct {
    int width, last, whole;
} Panels;
int panel_columns(const Network *network); // of a full one
Panels panels_of(const Network *network, int rows, int columns);
int panel_most(const Network *network, Shape shape); // columns of the widest
const char *panels_text(const Network *network, Shape shape);
void put_in_panels(Graph *graph, int node, int rows); // the value's, or the tensor's of a leaf
void lay_out_panels(Graph *graph);
void adopt_layouts(Graph *graph); // of the tensors that it reads

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

// --- winograd.c: convolutions with fewer multiplications ----------------------------------------
// How a convolution's result is made: in squares of 2x2 or 4x4 pixels.
typedef struct {
    int side; // pixels of a square's
    Shape in, out;
    int pad[2];     // pixels above the picture and left of it
    int high, wide; // squares of the result
    int squares;    // that are made at a time
    int pictures;   // and whose they are; 1: some of one picture's, or all
} WinogradSquares;
WinogradSquares winograd_squares(const Graph *graph, const Node *node); // that a node makes
int winograd_places(int side); // pixels below a square, which are as many products
// The convolution that a node makes, where it can be made so; false where it cannot.
bool winograd_window(const Graph *graph, const Node *node, WindowProduct *window);
void use_winograd(Graph *graph);

// --- window_panels.c: weights of direct convolutions as their tiles read them -------------------
void lay_out_windows(Graph *graph);

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

// --- identity.c ---------------------------------------------------------------------------------
uint64_t identity(const Network *network);

// --- choice.c: tiles or BLAS, and which tiles ----------------------------------------------------
typedef struct Choice Choice;
typedef struct Tiling {
    int rows, vectors; // of a tile; rows 0: as few tiles of equal height as can be
    bool blas;
} Tiling;
// How a convolution is made; choice.c has the words.
typedef enum { CONV_WINDOWS, CONV_PLANES, CONV_WINOGRAD_2, CONV_WINOGRAD_4, CONV_WAYS } ConvWay;
struct Choice {
    bool convolution; // of `window`, in some way; otherwise of a product
    WindowProduct window;
    ConvWay way;
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

// --- emit_*.c: what passes must know of the C that will be written -------------------------------
// How many channels an elementwise node tells apart; 0 where none goes by channel (emit_node.c).
int node_channels(const Graph *graph, const Node *node);
Shape view(const Graph *graph, const Node *node); // of one row, that its loops run over
double scale_of(const Network *network, bool bytes); // emit_input.c: what numbers are multiplied by
bool dense_takes_blas(const Graph *graph, const Node *node); // emit_dense.c
int rows_ahead(const Network *network); // emit_ahead.c, as the next
int ahead_width(const Network *network, const Node *w); // columns of it that are summed at a time
bool is_in_panels(const Product *product); // emit_product.c
int tile_rows(const Network *network, const Product *product, Tiling tiling); // emit_strip.c
bool unpools_in_place(const Graph *graph, const Node *node); // emit_pool.c
// By a convolution that is turned round (emit_conv.c).
bool conv_turns_round(const Network *network, Shape in, Shape out, const Attributes *attributes);
// Whether a convolution, or a gradient by the picture, reads its weights faster from panels.
bool conv_takes_panels(const Graph *graph, const Node *node);

#endif
