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

static bool wrong_sum(const Lowering *l, Shape in)
{
    const Shape out = current_shape(l);
    error_at(E515, l->clause->word_loc, "'residual' adds its input, %s, to its output, %s",
             shape_text(in), shape_text(out));
    if (in.count != out.count)
        note_end(l, in.count > 1 ? "put 'flatten' before 'residual'" : "a sum needs equal shapes");
    else if (!same_grid(in, out))
        note_end(l, "'pad same' without a stride keeps rows and columns");
    else
        note_end(l, last_remedy(in));
    const char *const body = fitting_body(in, out);
    if (body)
        note_at((Loc){0}, "or a second body brings the input to %s: 'residual { … } { %s }'",
                shape_text(out), body);
    return false;
}

static const char unlike_bodies[] = "put 'flatten' at the end of the body that makes a picture";

static bool wrong_sum_of_two(const Lowering *body, const Lowering *shortcut)
{
    const Shape wanted = current_shape(body), out = current_shape(shortcut);
    error_at(E515, body->clause->word_loc,
             "'residual' adds what its bodies make, and they make %s and %s", shape_text(wanted),
             shape_text(out));
    if (wanted.count != out.count)
        note_end(shortcut, unlike_bodies);
    else if (!same_grid(wanted, out))
        note_end(shortcut, "the strides of both bodies must come to the same");
    else
        note_end(shortcut, last_remedy(wanted));
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

// --- residual -----------------------------------------------------------------------------------

static int add_sum(const Lowering *l, Graph *graph, int body, int shortcut)
{
    const int id = NODE(graph, OP_add, l->layer, l->clause->loc, body, shortcut);
    infer_shape(graph, id);
    return id;
}

// He et al. 2015; a second body is their projection.
bool lower_residual(Lowering *l)
{
    const Lowering before = *l;
    if (!lower_branch(l, &before))
        return false;
    const bool projected = has_next_body(l);
    Lowering shortcut = before;
    shortcut.at = l->at;
    if (projected && !lower_branch(&shortcut, &before))
        return false;
    l->at = shortcut.at;
    if (!shape_equal(current_shape(&shortcut), current_shape(l)))
        return projected ? wrong_sum_of_two(l, &shortcut) : wrong_sum(l, current_shape(&before));
    l->train = add_sum(l, &l->network->train, l->train, shortcut.train);
    l->infer = add_sum(l, &l->network->infer, l->infer, shortcut.infer);
    return true;
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
