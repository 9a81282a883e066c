// emit_step.c: the functions that call the others: one training step, inference, and the search for
// the layer that first went wrong; and the table of where values lie.
//
// All threads run these functions together. nn_each deals tasks out; a barrier stands wherever a
// task reads what another thread may have written.
#include "emit.h"

#include <string.h>

static bool is_infer(const Graph *graph) { return graph == &graph->network->infer; }

static const char *value_name(const Graph *graph, const Node *node)
{
    return format("%s%s", is_infer(graph) ? "infer_" : "", node->name);
}

// --- the arena ----------------------------------------------------------------------------------

// "AT_conv1 =       1605632,", as wide for every value whose name is no longer than most: one with
// a longer name moves no other line.
static const char *place_constant(const char *prefix, const char *name, long bytes, int digits)
{
    enum { USUAL = 18 };
    const int width = USUAL + digits - (int)strlen(name);
    return format("%s%s = %*ld,", prefix, name, width > 0 ? width : 0, bytes);
}

static void emit_places(Out *out, const Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!in_arena(node))
            continue;
        const char *const name = value_name(graph, node);
        const bool cut = node->extent != PER_BATCH; // into blocks of rows
        line(out, "%s %-34s // %s%s", place_constant("AT_", name, node->offset, 9),
             cut ? place_constant("EACH_", name, node->each, 7) : "",
             node->extent != PER_ROW ? ""
             : node->ahead           ? "[STEPS]"
                                     : "[ROWS]",
             dims_text(stored_shape(node, node->shape)));
    }
}

void emit_arena(Out *out, const Network *network)
{
    const long train = network->trains ? network->train.arena_bytes : 0;
    const long bytes = train > network->infer.arena_bytes ? train : network->infer.arena_bytes;
    comment(out,
            "Where each value lies: AT is its place in the arena, EACH the bytes from one block of "
            "rows to the next. Values that are never alive together share their bytes.");
    line(out, "enum {");
    line(out, "ARENA_BYTES = %ld,", bytes);
    if (network->trains) {
        comment(out, "of a training step: %ld bytes, %ld if nothing were shared", train,
                network->train.unshared_bytes);
        emit_places(out, &network->train);
    }
    comment(out, "of inference: %ld bytes", network->infer.arena_bytes);
    emit_places(out, &network->infer);
    line(out, "};");
    line(out, "static _Alignas(64) unsigned char arena[ARENA_BYTES];");
    line(out, "#define BLOCK(value) ((void *)(arena + AT_##value + (size_t)block * EACH_##value))");
    line(out, "#define WHOLE(value) ((void *)(arena + AT_##value))");
    if (network->trains && works_ahead(&network->train)) {
        comment(out, "What there is of two times STEPS steps: of those that are running, and of "
                     "those before.");
        line(out, "#define HALF(value, at) ((void *)(arena + AT_##value + (size_t)(at) * "
                  "EACH_##value))");
        line(out, "#define NOW(value) HALF(value, batch->number / STEPS %% 2)");
        line(out, "#define BEFORE(value) HALF(value, 1 - batch->number / STEPS %% 2)");
    }
    if (uses_chunks(network))
        line(out,
             "#define SLOT(value) ((void *)(arena + AT_##value + (size_t)slot * EACH_##value))");
    blank_line(out);
}

// --- calls --------------------------------------------------------------------------------------

static const char *place(const Graph *graph, const Node *caller, const Node *value)
{
    const bool cut = op_info[caller->op].tasks == BY_PART; // sees the tensor as rows and columns
    if (value->op == OP_weight)
        return cut && value->shape.count > 2 ? format("(void *)%s", value->name) : value->name;
    if (value->piece)
        return value_name(graph, value);
    if (value->op == OP_before)
        return format("BEFORE(%s)", value_name(graph, &graph->nodes[value->input[0]]));
    if (value->ahead > 1)
        return format("NOW(%s)", value_name(graph, value));
    const bool block = op_info[caller->op].tasks == BY_ROWS &&
                       (value->extent == PER_ROW || value->extent == PER_BLOCK);
    const bool slot = block && kept_by_chunk(graph, (int)(value - graph->nodes));
    return format("%s(%s)", slot ? "SLOT" : block ? "BLOCK" : "WHOLE", value_name(graph, value));
}

static const char *arguments(const Graph *graph, const Node *node)
{
    Text list = {0};
    const Tasks tasks = op_info[node->op].tasks;
    const char *first[7];
    int count = 0;
    if (has_flag(node, USES_BATCH | USES_ROW))
        first[count++] = "batch";
    if (node->op == OP_total)
        first[count++] = "result";
    if (tasks == BY_PART && node->chunked && !has_flag(node, LAYS_OUT))
        first[count++] = "chunk";
    if (tasks == BY_ROWS && has_flag(node, USES_ROW | AT_ROW))
        first[count++] = "first";
    if (tasks == BY_ROWS)
        first[count++] = node->ahead ? "steps" : "rows";
    if (tasks == BY_PART && node_parts(graph, node) > 1)
        first[count++] = "part";
    if (!has_flag(node, UPDATES) && *op_info[node->op].result)
        first[count++] = place(graph, node, node);
    for (int i = 0; i < count; i++)
        text_add(&list, "%s%s", list.length ? ", " : "", first[i]);
    for (int k = 0; k < node->input_count; k++)
        if (has_parameter(node, k))
            text_add(&list, "%s%s", list.length ? ", " : "",
                     place(graph, node, &graph->nodes[node->input[k]]));
    return list.text;
}

static void emit_call(Out *out, const Graph *graph, const Node *node, const char *before,
                      const char *after)
{
    line(out, "%s%s(%s%s", before, function_name(node), arguments(graph, node), after);
}

// --- calls that can be timed --------------------------------------------------------------------

static bool is_timed(const Node *node)
{
    return has_function(node) && op_info[node->op].tasks != BY_ALL;
}

static void emit_timed_call(Out *out, const Graph *graph, const Node *node)
{
    line(out, "nn_call(%s, %s);", function_name(node), arguments(graph, node));
}

// The calls of one layer, in the order of the step.
static const char *call_numbers(const Graph *graph, const char *layer)
{
    Text list = {0};
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (is_timed(node) && !strcmp(node->layer, layer))
            text_add(&list, "%sCALL_%s", list.length ? ", " : "", function_name(node));
    }
    return list.length ? list.text : "";
}

static void emit_layer_numbers(Out *out, const Graph *graph, const char *layer)
{
    const char *const numbers = call_numbers(graph, layer);
    if (*numbers)
        line(out, "%s,", numbers);
}

// The numbers of the calls in the table that emit_calls() writes; layer by layer, so that one more
// layer is a line more.
static void emit_call_numbers(Out *out, const Graph *graph)
{
    comment(out, "nn_call(f, x) is f(x). Where batch->timed, it also adds the time that it took to "
                 "row CALL_f of the table `calls`, which the command `bench` prints.");
    line(out, "enum {");
    emit_layer_numbers(out, graph, "input");
    for (int i = 0; i < graph->network->card_count; i++)
        emit_layer_numbers(out, graph, graph->network->cards[i].name);
    emit_layer_numbers(out, graph, "output");
    emit_layer_numbers(out, graph, "loss");
    line(out, "};");
    blank_line(out);
}

static const char *phase_name(const Graph *graph, int node)
{
    if (node < graph->forward_count)
        return "NN_FORWARD";
    return has_flag(&graph->nodes[node], UPDATES) ? "NN_UPDATE" : "NN_BACKWARD";
}

// The work of each function that a training step calls.
void emit_calls(Out *out, const Graph *graph)
{
    comment(out, "Of each call its operations in a matrix product, for each picture; other ones, "
                 "for each picture and for each step; bytes read and written, likewise.");
    line(out, "static const NnCall calls[] = {");
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!is_timed(node))
            continue;
        const Work work = node_work(graph, node);
        const char *const name = function_name(node);
        line(out, "[CALL_%s] = {\"%s\", \"%s\", %s, %.0f, %.0f, %.0f, %.0f, %.0f},", name, name,
             node->layer, phase_name(graph, i), work.products, work.picture_operations,
             work.step_operations, work.picture_bytes, work.step_bytes);
    }
    line(out, "};");
    blank_line(out);
}

// --- phases -------------------------------------------------------------------------------------

typedef struct {
    Out *out;
    const Graph *graph;
    bool updates; // and with them calls that can be timed
    int phase;
} Listing;

static void list_call(const Listing *l, const Node *node)
{
    if (l->updates)
        emit_timed_call(l->out, l->graph, node);
    else
        emit_call(l->out, l->graph, node, "", ");");
}

static bool listed(const Listing *l, const Node *node, Tasks tasks)
{
    return has_function(node) && node->phase == l->phase && op_info[node->op].tasks == tasks &&
           (l->updates || !has_flag(node, UPDATES));
}

static bool any(const Listing *l, Tasks tasks)
{
    for (int i = 0; i < l->graph->count; i++)
        if (listed(l, &l->graph->nodes[i], tasks))
            return true;
    return false;
}

static bool reads_labels(const Node *node) { return node->op == OP_total || has_flag(node, LOSS); }

// Inference has a loss only where it is told the answers.
static const char *answers(const Graph *graph)
{
    return graph->network->targets ? "if (batch->targets)" : "if (batch->labels)";
}

static void list_all(const Listing *l)
{
    for (int i = 0; i < l->graph->count; i++) {
        const Node *const node = &l->graph->nodes[i];
        if (!listed(l, node, BY_ALL))
            continue;
        if (is_infer(l->graph)) {
            line(l->out, "%s", answers(l->graph));
            l->out->depth++;
            emit_call(l->out, l->graph, node, "", ");");
            l->out->depth--;
            continue;
        }
        emit_call(l->out, l->graph, node, "if (!", ")) {");
        line(l->out, "nn_barrier();");
        line(l->out, "return; // not finite: no weight is changed");
        line(l->out, "}");
    }
}

// Opens the loop over the blocks of rows, those of one chunk where the batch runs in chunks.
static void open_block(Out *out, const Graph *graph, const char *loop, bool uses_first)
{
    const bool chunks = graph->chunks > 1;
    line(out, loop, chunks ? "slot" : "block", chunks ? "SLOTS" : "BLOCKS");
    const char *const block = chunks ? "block = chunk * SLOTS + slot, " : "";
    line(out,
         uses_first ? "const int %sfirst = block * ROWS, rows = rows_from(first, batch);"
                    : "const int %srows = rows_from(block * ROWS, batch);",
         block);
}

// What runs for several steps in the first of them. Nodes of that kind follow each other.
static void open_ahead(Out *out)
{
    line(out, "if (batch->number %% STEPS == 0) {");
    line(out, "const int steps = nn_min(STEPS, batch->known);");
}

static void list_rows(const Listing *l)
{
    if (!any(l, BY_ROWS))
        return;
    bool uses_first = false;
    for (int i = 0; i < l->graph->count; i++) {
        const Node *const node = &l->graph->nodes[i];
        bool needs = false;
        if (listed(l, node, BY_ROWS))
            needs = has_flag(node, USES_ROW | AT_ROW);
        uses_first |= needs;
    }
    open_block(l->out, l->graph, "nn_each (%s, %s) {", uses_first);
    bool ahead = false;
    for (int i = 0; i < l->graph->count; i++) {
        const Node *const node = &l->graph->nodes[i];
        if (!listed(l, node, BY_ROWS))
            continue;
        if (node->ahead && !ahead)
            open_ahead(l->out);
        if (ahead && !node->ahead)
            line(l->out, "}");
        ahead = node->ahead != 0;
        const bool guarded = is_infer(l->graph) && reads_labels(node);
        if (guarded)
            line(l->out, "%s", answers(l->graph));
        l->out->depth += guarded;
        list_call(l, node);
        l->out->depth -= guarded;
    }
    line(l->out, "}");
}

static bool same_parts(const Graph *graph, const Node *a, const Node *b)
{
    return (a->layer == b->layer || has_flag(a, SLICED)) && same_cut(graph, a, b);
}

// Declares what only the part's task has.
static void list_pieces(const Listing *l, const Node *first)
{
    for (int i = 0; i < l->graph->count; i++) {
        const Node *const node = &l->graph->nodes[i];
        if (node->piece && listed(l, node, BY_PART) && same_parts(l->graph, first, node))
            line(l->out, "_Alignas(64) %s %s%s; // of this part", real_type(l->graph->network),
                 node->name, dims_text(view(l->graph, node)));
    }
}

// Nodes over the parts of one layer's tensors of one shape share a loop: a part is still in cache
// when the next of them reads it.
static void list_parts(const Listing *l)
{
    const Graph *const graph = l->graph;
    bool *const done = allocate((size_t)graph->count);
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (done[i] || !listed(l, node, BY_PART) || node_parts(graph, node) == 1)
            continue;
        line(l->out, "nn_each (part, %d) {", node_parts(graph, node));
        list_pieces(l, node);
        for (int k = i; k < graph->count; k++) {
            if (listed(l, &graph->nodes[k], BY_PART) && same_parts(graph, node, &graph->nodes[k])) {
                list_call(l, &graph->nodes[k]);
                done[k] = true;
            }
        }
        line(l->out, "}");
    }
}

static bool is_single(const Listing *l, const Node *node)
{
    return listed(l, node, BY_ONE) ||
           (listed(l, node, BY_PART) && node_parts(l->graph, node) == 1);
}

// What is too small to be cut: each layer's is done by one thread, one layer's after the other's by
// another.
static void list_single(const Listing *l)
{
    const Graph *const graph = l->graph;
    bool *const done = allocate((size_t)graph->count);
    int number = 0;
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (done[i] || !is_single(l, node))
            continue;
        line(l->out, "nn_single (%d) {", number++);
        for (int k = i; k < graph->count; k++)
            if (is_single(l, &graph->nodes[k]) && graph->nodes[k].layer == node->layer) {
                list_call(l, &graph->nodes[k]);
                done[k] = true;
            }
        line(l->out, "}");
    }
}

// A step that begins with slices need not wait for the end of the one before.
static void emit_barrier(const Listing *l)
{
    if (!l->updates || l->phase < l->graph->phases - 1 || !begins_with_slices(l->graph)) {
        line(l->out, "nn_barrier();");
        return;
    }
    line(l->out, "if (!nn_own_slices()) // the next step begins with what is this thread's alone");
    line(l->out, "    nn_barrier();");
}

static void emit_phases(Out *out, const Graph *graph, bool updates)
{
    Listing l = {.out = out, .graph = graph, .updates = updates};
    if (graph->chunk_phases)
        line(out, "for (int chunk = 0; chunk < CHUNKS; chunk++) {");
    for (l.phase = 0; l.phase < graph->phases; l.phase++) {
        if (l.phase && l.phase == graph->chunk_phases)
            line(out, "}");
        if (!any(&l, BY_ALL) && !any(&l, BY_ROWS) && !any(&l, BY_PART) && !any(&l, BY_ONE))
            continue;
        if (l.phase)
            blank_line(out);
        list_all(&l);
        list_rows(&l);
        list_parts(&l);
        list_single(&l);
        emit_barrier(&l);
    }
    if (graph->chunk_phases && graph->phases == graph->chunk_phases)
        line(out, "}");
}

bool has_derived(const Network *network)
{
    for (int i = 0; i < network->tensor_count; i++)
        if (network->tensors[i].role == ROLE_DERIVED)
            return true;
    return false;
}

// All tasks of a node that isn't by rows, one after the other.
static void emit_all_tasks(Out *out, const Graph *graph, const Node *node)
{
    const int parts = op_info[node->op].tasks == BY_PART ? node_parts(graph, node) : 1;
    if (parts > 1)
        line(out, "for (int part = 0; part < %d; part++)", parts);
    out->depth += parts > 1;
    emit_call(out, graph, node, "", ");");
    out->depth -= parts > 1;
}

void emit_prepare(Out *out, const Graph *graph)
{
    comment(out, "Makes what is kept in two layouts anew: for weights that were set from outside.");
    line(out, "static void prepare(void)");
    line(out, "{");
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!has_flag(node, DERIVES) || node->dead)
            continue;
        emit_all_tasks(out, graph, node);
    }
    line(out, "}");
    blank_line(out);
}

void emit_train_step(Out *out, const Graph *graph)
{
    emit_call_numbers(out, graph);
    comment(out, "One step of training: forward, backward and update.");
    line(out, "static void train_step(const NnBatch *batch, NnResult *result)");
    line(out, "{");
    emit_phases(out, graph, true);
    line(out, "}");
    blank_line(out);
}

void emit_gradient_step(Out *out, const Graph *graph)
{
    comment(out, "A training step without the update, for the check of gradients.");
    line(out, "static void gradient_step(const NnBatch *batch, NnResult *result)");
    line(out, "{");
    if (has_derived(graph->network)) {
        line(out, "if (nn_thread() == 0)");
        line(out, "    prepare();");
        line(out, "nn_barrier();");
        blank_line(out);
    }
    emit_phases(out, graph, false);
    line(out, "}");
    blank_line(out);
}

void emit_infer(Out *out, const Graph *graph)
{
    comment(out, "The forward pass alone, as the trained network is used.");
    line(out, "static void infer(const NnBatch *batch, NnResult *result)");
    line(out, "{");
    if (!graph->network->trains)
        line(out, "*result = (NnResult){.finite = true}; // no loss was given");
    emit_phases(out, graph, false);
    line(out, "}");
    blank_line(out);
}

// --- the first layer that is not finite ---------------------------------------------------------

static bool is_traced(const Node *node)
{
    const Tasks tasks = op_info[node->op].tasks;
    return has_function(node) && tasks != BY_ALL &&
           (tasks != BY_PART || has_flag(node, SLICED | LAYS_OUT)) && !has_flag(node, UPDATES) &&
           node->op != OP_predict;
}

static void emit_check(Out *out, const Graph *graph, const Node *node)
{
    if ((node->extent != PER_ROW && !has_flag(node, SLICED)) || node->type != TYPE_REAL)
        return;
    const long size = shape_size(stored_shape(node, node->shape));
    const char *const rows = node->ahead ? "STEPS" : "rows";
    const char *const count = has_flag(node, SLICED) ? format("%ldL", size)
                              : size == 1            ? rows
                                                     : format("%s * %ldL", rows, size);
    line(out, "if (!nn_finite_%s(%s, %s))", graph->network->doubles ? "f64" : "f32",
         place(graph, node, node), count);
    line(out, "    return \"%s\";", node->layer);
}

// The nodes by rows from `first` on that need no other's rows: one loop. Returns the one behind.
static int trace_rows(Out *out, const Graph *graph, int first)
{
    bool uses_row = false;
    int end = first;
    for (; end < graph->forward_count; end++) {
        const Node *const node = &graph->nodes[end];
        if (is_traced(node) &&
            (op_info[node->op].tasks != BY_ROWS || node->phase != graph->nodes[first].phase))
            break;
        uses_row |= is_traced(node) && has_flag(node, USES_ROW | AT_ROW);
    }
    open_block(out, graph, "for (int %1$s = 0; %1$s < %2$s; %1$s++) {", uses_row);
    for (int i = first; i < end; i++) {
        const Node *const node = &graph->nodes[i];
        if (!is_traced(node))
            continue;
        if (!node->ahead) // otherwise it is there still
            emit_call(out, graph, node, "", ");");
        emit_check(out, graph, node);
    }
    line(out, "}");
    return end;
}

void emit_first_nonfinite(Out *out, const Graph *graph)
{
    comment(out,
            "Runs training's forward pass again, and names the first layer whose output is not "
            "finite.");
    line(out, "static const char *first_nonfinite(const NnBatch *batch)");
    line(out, "{");
    if (graph->chunk_phases)
        line(out, "for (int chunk = 0; chunk < CHUNKS; chunk++) {");
    for (int i = 0; i < graph->forward_count;) {
        const Node *const node = &graph->nodes[i];
        if (is_traced(node) && op_info[node->op].tasks == BY_ROWS) {
            i = trace_rows(out, graph, i);
            continue;
        }
        if (is_traced(node)) {
            emit_all_tasks(out, graph, node);
            emit_check(out, graph, node);
        }
        i++;
    }
    if (graph->chunk_phases)
        line(out, "}");
    line(out, "return NULL;");
    line(out, "}");
    blank_line(out);
}
