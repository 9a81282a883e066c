// emit.h: a network written as C, and the text that it is written to.
#ifndef EMIT_H
#define EMIT_H

#include "passes.h"

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
// A float would lose the last ones of a sum of so many, which is then of the type double.
bool is_long_sum(const Out *out, long terms);
const char *sum_type(const Out *out, long terms);
const char *real_number(const Out *out, double number); // "0.1f"; shortest that reads back the same
const char *math(const Out *out, const char *function); // "nn_expf" for "exp"
const char *libm(const Out *out, const char *function); // of the C library: "fabsf" for "fabs"

// --- break.c: lines of C with at most 100 columns -----------------------------------------------
const char *broken(int indent, const char *text);

// --- rate.c: how the learning rate changes, and when training ends early ------------------------
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
const char *predict_formula(const Graph *graph, const Node *node); // emit_loss.c
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
void emit_ahead_kernels(Out *out, const char *body);

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
// The text with each word in the place of which another stands.
typedef struct {
    const char *word, *by;
} Replacement;
const char *with_words(const char *text, const Replacement *words, int count);
void emit_macro(Out *out, const char *const *lines, int count); // REAL: the program's type
void emit_products(Out *out, const char *body); // the functions that the body calls
extern const char *const product_words[]; // by ProductForm: those that dense layers call
const char *product_name(const Product *product);
bool is_tiled(const Product *product); // or by BLAS; not the products of one row
bool is_outer(const Product *product);
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

// --- emit_panels.c: loops over weights in panels -------------------------------------------------
bool panels_of_slices(Shape shape); // panels hold one slice's rows each
const char *open_panels(Out *out, const Graph *graph, const Node *node);
const char *open_panel_rows(Out *out, const Graph *graph, const Node *node, Shape shape);
void close_panel_rows(Out *out);
void emit_turn_panels(Out *out, const Graph *graph, const Node *node);

// --- emit_window.c: tiles over windows of a picture ---------------------------------------------
typedef struct {
    int first, width; // columns
    int vectors, lanes;
    int runs;  // strips of this kind, side by side
    int ahead; // rows of the matrix before one is needed that the memory is asked for it; 0: never
} WindowStrip;
const char *plus(const char *base, const char *index, long step);
enum { LATENCY = 4 }; // cycles from one multiply-add to another that adds to its result
int lines_at_a_time(int height, long line_bytes, long most);
int lanes_for(const Network *network, int numbers);
typedef struct {
    int lines, line; // rows of tiles: so many lines of so many
    double wait;     // cycles from a multiply-add to the next that adds to its result
    bool far;        // what they are read from is more than the first cache holds
    bool near;       // the matrix that they are multiplied with stays there beside them
    bool panels;     // of it, or of what is made, each strip lies by itself
} WindowRows;
int window_strips(const Network *network, int columns, const WindowRows *rows, WindowStrip *strips);
typedef struct {
    int high, many, low, few; // tiles of `high`, so many, and then some of `low`
    int from;                 // where the first one begins
} Pieces;
typedef struct {
    bool lines;    // pieces are whole lines, not rows of one
    Pieces pieces;
    double cycles; // of one term, all tiles
} WindowCut;
WindowCut window_cut(const Network *network, const WindowRows *rows, int vectors);
typedef struct {
    Pieces rows;
    int vectors; // of a tile
} SpanCut;
SpanCut span_cut(const Network *network, int rows, int vectors);
// Loops over `index` for the pieces; `call` emits a tile, given how many units it has and where it
// begins.
typedef void TileCall(const void *strip, int units, const char *first);
void emit_pieces(Out *out, const Pieces *p, const char *index, TileCall *call, const void *strip);
bool window_matrix_is_near(const Network *network, double numbers);
int rows_asked_ahead(const Network *network, bool near);
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
// The loop over strips of one kind, or a block for one that has a packed copy; what of a matrix, an
// expression of C, begins with its columns.
void open_window_strip(Out *out, const WindowStrip *strip);
void close_window_strip(Out *out, const WindowStrip *strip);
const char *window_columns(const WindowStrip *strip, const char *matrix);
int pixels_at_a_time(const WindowProduct *product);
bool window_takes_panels(const Network *network, const WindowProduct *product);
const char *strip_panel(const WindowStrip *strip, const char *matrix, int rows);
void emit_windows(Out *out, const char *body); // those that the body calls

// --- emit_winograd.c: convolutions by transforms (winograd.c) ------------------------------------
void emit_winograd_products(Out *out, Out *functions, const char *body);
// emit_winograd_transforms.c: those that the body calls; no layer has more channels.
void emit_winograd_transforms(Out *out, const char *body, int channels);

// --- emit_conv_spans.c: the gradient by a picture whose windows have a stride or no padding ------
void emit_spans_grad_x(Out *out, const Graph *graph, const Node *node);

// --- emit_conv.c: direct convolution; emit_conv_columns.c: by columns, for BLAS -----------------
// The convolution that a node's function is made of; false where it is made of none.
bool convolution_of(const Graph *graph, const Node *node, WindowProduct *window);
const char *first_pixel(const Out *out, const char *y); // of row i
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

#endif
