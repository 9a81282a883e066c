// lower_structure.c: layers made of layers: their bodies all start at one value, and what they make
// becomes one value again.
#include "lower.h"

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

static bool wrong_sum(const Lowering *l, Shape in)
{
    const Shape out = current_shape(l);
    const int last = in.dims[in.count - 1];
    error_at(E515, l->clause->word_loc, "'residual' adds its input, %s, to its output, %s",
             shape_text(in), shape_text(out));
    if (in.count != out.count)
        note_end(l, in.count > 1 ? "put 'flatten' before 'residual'" : "a sum needs equal shapes");
    else if (!same_grid(in, out))
        note_end(l, "'pad same' without a stride keeps rows and columns");
    else if (in.count > 1)
        note_end(l, format("'conv %d 1x1' at the end makes %s of it", last, shape_text(in)));
    else
        note_end(l, format("'dense %d' at the end makes %s of it", last, shape_text(in)));
    return false;
}

static bool wrong_join(const Lowering *l, Shape first)
{
    const Shape shape = current_shape(l);
    error_at(E516, l->clause->word_loc, "'concat' joins %s and %s", shape_text(first),
             shape_text(shape));
    if (first.count != shape.count)
        note_end(l, "put 'flatten' at the end of the body that makes a picture");
    else
        note_end(l, "rows and columns must agree: 'pad same' without a stride keeps them");
    return false;
}

// --- residual -----------------------------------------------------------------------------------

static int add_sum(const Lowering *l, Graph *graph, int body, int input)
{
    const int id = NODE(graph, OP_add, l->layer, l->clause->loc, body, input);
    infer_shape(graph, id);
    return id;
}

// He et al. 2015.
bool lower_residual(Lowering *l)
{
    const Lowering before = *l;
    const Shape in = current_shape(l);
    if (!lower_body(l))
        return false;
    l->clause = before.clause;
    l->layer = before.layer;
    l->last = before.last;
    if (!shape_equal(in, current_shape(l)))
        return wrong_sum(l, in);
    l->train = add_sum(l, &l->network->train, l->train, before.train);
    l->infer = add_sum(l, &l->network->infer, l->infer, before.infer);
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
        l->train = before.train;
        l->infer = before.infer;
        l->flatten = before.flatten;
        if (!lower_body(l))
            return false;
        l->clause = before.clause;
        l->layer = before.layer;
        l->last = before.last;
        if (!add_branch(l, &branches))
            return false;
    } while (l->network->program->layers[l->at].bracket == BRACKET_NEXT);
    if (!are_countable(l->clause->loc, branches.shape, branches.channels))
        return false;
    l->train = add_concat(l, &l->network->train, &branches, branches.train);
    l->infer = add_concat(l, &l->network->infer, &branches, branches.infer);
    l->flatten = NULL;
    return true;
}
