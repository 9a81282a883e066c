// lower_structure.c: layers made of layers: their bodies all start at one value, and what they make
// becomes one value again.
#include "lower.h"
#include "passes.h"

#include <string.h>

// --- messages -----------------------------------------------------------------------------------

static bool same_grid(Shape a, Shape b)
{
    return a.count == b.count &&
           (a.count < 2 || (a.dims[0] == b.dims[0] && a.dims[1] == b.dims[1]));
}

// Where the value at the end of a body comes from.
static void note_end(const Lowering *l, const char *remedy)
{
    const Node *const node = train_node(l);
    note_at(node->loc, "'%s' leaves %s here; %s", loc_text(node->loc), shape_text(current_shape(l)),
            remedy);
}

// The body that brings a value to another shape, as one layer; NULL: there is none.
static const char *fitting_body(Shape from, Shape to)
{
    enum { MAX_STRIDE = 8 };
    if (from.count != to.count)
        return NULL;
    if (to.count == 1)
        return format("dense %d", to.dims[0]);
    for (int stride = 1; stride <= MAX_STRIDE; stride++)
        if ((from.dims[0] - 1) / stride + 1 == to.dims[0] &&
            (from.dims[1] - 1) / stride + 1 == to.dims[1])
            return stride == 1 ? format("conv %d 1x1", to.dims[2])
                               : format("conv %d 1x1 stride %d", to.dims[2], stride);
    return NULL;
}

// The layer at the end of a body that leaves other channels or units than are wanted.
static const char *last_remedy(Shape wanted)
{
    return format(wanted.count > 1 ? "'conv %d 1x1' at the end makes %s of it"
                                   : "'dense %d' at the end makes %s of it",
                  wanted.dims[wanted.count - 1], shape_text(wanted));
}

// Words of what is made of two values that are to have one shape.
typedef struct {
    ErrorCode code;
    const char *of_input; // with %s for its own shape and that of the output
    const char *of_bodies;
    const char *row_of_picture; // which row goes with a picture of %d channels; NULL: none
} Pairing;

static const Pairing sums = {E515, "'residual' adds its input, %s, to its output, %s",
                             "'residual' adds what its bodies make, and they make %s and %s",
                             NULL};
static const Pairing products = {
    E517, "'multiply' multiplies its input, %s, by its output, %s",
    "'multiply' multiplies what its bodies make, and they make %s and %s",
    "'dense %d' at the end makes a number for each channel"};

static bool wrong_output(const Lowering *l, const Pairing *pairing, Shape in)
{
    const Shape out = current_shape(l);
    const char *const word = l->clause->word;
    error_at(pairing->code, l->clause->word_loc, pairing->of_input, shape_text(in),
             shape_text(out));
    if (in.count != out.count)
        note_end(l, in.count == 1            ? "equal shapes are needed"
                    : pairing->row_of_picture ? format(pairing->row_of_picture, in.dims[2])
                    : starts_with(loc_text(train_node(l)->loc), "dense")
                        ? format("put 'flatten' before '%s'", word)
                        : "a picture is needed, as it is before the body");
    else if (!same_grid(in, out))
        note_end(l, out.dims[0] > in.dims[0] || out.dims[1] > in.dims[1]
                        ? "as many rows and columns as before the body are needed"
                        : "windows with 'stride 1 pad same' keep rows and columns");
    else
        note_end(l, last_remedy(in));
    const char *const body = fitting_body(in, out);
    if (body)
        note_at((Loc){0}, "or a second body brings the input to %s: '%s { … } { %s }'",
                shape_text(out), word, body);
    return false;
}

static const char unlike_bodies[] = "put 'flatten' at the end of the body that makes a picture";

static bool wrong_outputs(const Lowering *body, const Pairing *pairing, const Lowering *second)
{
    const Shape wanted = current_shape(body), out = current_shape(second);
    error_at(pairing->code, body->clause->word_loc, pairing->of_bodies, shape_text(wanted),
             shape_text(out));
    const Lowering *const row = wanted.count == 1 ? body : second;
    if (wanted.count != out.count && pairing->row_of_picture)
        note_end(row, format(pairing->row_of_picture, (row == body ? out : wanted).dims[2]));
    else if (wanted.count != out.count)
        note_end(second, unlike_bodies);
    else if (!same_grid(wanted, out))
        note_end(second, "the strides of both bodies must come to the same");
    else
        note_end(second, last_remedy(wanted));
    return false;
}

static bool wrong_join(const Lowering *l, Shape first)
{
    const Shape shape = current_shape(l);
    error_at(E516, l->clause->word_loc, "'concat' joins %s and %s", shape_text(first),
             shape_text(shape));
    if (first.count != shape.count)
        note_end(l, unlike_bodies);
    else
        note_end(l, "rows and columns must agree: 'pad same' without a stride keeps them");
    return false;
}

// --- bodies -------------------------------------------------------------------------------------

// Lowers the next body of the layer at which `before` stands; false after an error.
static bool lower_branch(Lowering *l, const Lowering *before)
{
    l->train = before->train;
    l->infer = before->infer;
    l->flatten = before->flatten;
    if (!lower_body(l))
        return false;
    l->clause = before->clause;
    l->layer = before->layer;
    l->last = before->last;
    return true;
}

static bool has_next_body(const Lowering *l)
{
    return l->network->program->layers[l->at].bracket == BRACKET_NEXT;
}

// --- two values of one shape --------------------------------------------------------------------

// Lowers one body, or two; what the second makes, or else their input, is in `second` then.
static bool lower_two(Lowering *l, Lowering *second, bool *has_second)
{
    const Lowering before = *l;
    if (!lower_branch(l, &before))
        return false;
    *second = before;
    second->at = l->at;
    *has_second = has_next_body(l);
    if (*has_second && !lower_branch(second, &before))
        return false;
    l->at = second->at;
    return true;
}

static bool have_one_shape(const Lowering *l, const Pairing *pairing, const Lowering *second,
                           bool has_second)
{
    const Shape shape = current_shape(second);
    if (shape_equal(shape, current_shape(l)))
        return true;
    return has_second ? wrong_outputs(l, pairing, second) : wrong_output(l, pairing, shape);
}

static int add_pair(const Lowering *l, Graph *graph, Op op, int first, int second)
{
    const int id = NODE(graph, op, l->layer, l->clause->loc, first, second);
    infer_shape(graph, id);
    return id;
}

static bool make_one(Lowering *l, Op op, const Lowering *second)
{
    l->train = add_pair(l, &l->network->train, op, l->train, second->train);
    l->infer = add_pair(l, &l->network->infer, op, l->infer, second->infer);
    return true;
}

// He et al. 2015; a second body is their projection.
bool lower_residual(Lowering *l)
{
    Lowering second;
    bool has_second;
    return lower_two(l, &second, &has_second) && have_one_shape(l, &sums, &second, has_second) &&
           make_one(l, OP_add, &second);
}

// --- multiply -----------------------------------------------------------------------------------

// Adds the op behind what a body made.
static bool add_spread(Lowering *l, Op op, Attributes attributes, const char *name)
{
    if (!apply(l, op, attributes, 0, NULL))
        return false;
    name_value(l, format("_%s", name), name);
    return true;
}

// Gives each pixel the one number of each channel, or each channel the one number of its pixel,
// where that makes a value of the other's shape.
static bool spread(Lowering *l, Shape to)
{
    const Shape from = current_shape(l);
    const int channels = to.dims[to.count - 1];
    if (to.count != 3 || shape_equal(from, to))
        return true;
    if (shape_size(from) == channels && from.dims[from.count - 1] == channels) {
        const Attributes pixel = {.shape = shape_of(3, 1, 1, channels)};
        const Attributes pixels = {.kernel = {to.dims[0], to.dims[1]}};
        l->flatten = NULL;
        const bool is_pixel = shape_equal(train_node(l)->shape, pixel.shape);
        return (is_pixel || add_spread(l, OP_reshape, pixel, "pixel")) &&
               add_spread(l, OP_upsample, pixels, "pixels");
    }
    if (same_grid(from, to) && from.dims[2] == 1)
        return add_spread(l, OP_copy_channels, (Attributes){.channels = channels}, "channels");
    return true;
}

// Hu et al. 2018 multiply channels so, Woo et al. 2018 pixels too, Dauphin et al. 2017 with two
// bodies.
bool lower_multiply(Lowering *l)
{
    Lowering second;
    bool has_second;
    return lower_two(l, &second, &has_second) && spread(l, current_shape(&second)) &&
           spread(&second, current_shape(l)) &&
           have_one_shape(l, &products, &second, has_second) && make_one(l, OP_multiply, &second);
}

// --- concat -------------------------------------------------------------------------------------

enum { MAX_BRANCHES = 8 }; // statements.def says so too

typedef struct {
    int count, train[MAX_BRANCHES], infer[MAX_BRANCHES];
    Shape shape;   // of the first
    long channels; // of all together
} Branches;

static int add_concat(const Lowering *l, Graph *graph, const Branches *b, const int *inputs)
{
    const int id = node_add(graph, OP_concat, l->layer, l->clause->loc, b->count, inputs);
    Shape *const shape = &graph->nodes[id].shape;
    *shape = b->shape;
    shape->dims[shape->count - 1] = (int)b->channels;
    infer_shape(graph, id);
    return id;
}

static bool add_branch(const Lowering *l, Branches *b)
{
    const Shape shape = current_shape(l);
    if (b->count && !same_grid(b->shape, shape))
        return wrong_join(l, b->shape);
    if (!b->count)
        b->shape = shape;
    b->channels += shape.dims[shape.count - 1];
    b->train[b->count] = l->train;
    b->infer[b->count++] = l->infer;
    return true;
}

bool lower_concat(Lowering *l)
{
    const Lowering before = *l;
    Branches branches = {0};
    do {
        if (!lower_branch(l, &before) || !add_branch(l, &branches))
            return false;
    } while (has_next_body(l));
    if (!are_countable(l->clause->loc, branches.shape, branches.channels))
        return false;
    l->train = add_concat(l, &l->network->train, &branches, branches.train);
    l->infer = add_concat(l, &l->network->infer, &branches, branches.infer);
    l->flatten = NULL;
    return true;
}
