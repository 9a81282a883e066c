// emit_node.c: each node becomes one function: its name, its parameters, its comment, and the loop
// over elements that elementwise ops share.
//
// A function's parameters are called by their roles (x, w, b, dy), not by the values of one
// network, so that a function stays the same when its neighbours change.
#include "emit.h"

#include <stdarg.h>
#include <string.h>

// --- names --------------------------------------------------------------------------------------

// The value's name joins where a layer has several of a kind: conv1_w_update, conv1_b_update.
const char *function_name(const Node *node)
{
    static const char *const of_tensors[] = {"gradient", "partial", "update", "penalty",
                                             "turn",     "squares", "max_norm", "transform",
                                             "lay_out"};
    const Node *subject = NULL;
    for (size_t i = 0; i < sizeof of_tensors / sizeof *of_tensors; i++)
        if (!strcmp(node->suffix, of_tensors[i]))
            subject = node;
    if (!subject)
        return format("%s_%s", node->layer, node->suffix);
    const char *name = node->name;
    if (!strncmp(name, "d_", 2))
        name += 2;
    const size_t length = strlen(name);
    const char *const tails[] = {"_partial", "_penalty", "_squares"};
    for (int i = 0; i < 3; i++) {
        const size_t tail = strlen(tails[i]);
        if (length > tail && !strcmp(name + length - tail, tails[i]))
            name = format("%.*s", (int)(length - tail), name);
    }
    return format("%s_%s", name, node->suffix);
}

// Word number `index` of a list of words.
static const char *word_at(const char *words, int index)
{
    for (; index > 0 && words; index--) {
        words = strchr(words, ' ');
        words = words ? words + 1 : NULL;
    }
    if (!words || !*words)
        return NULL;
    return format("%.*s", (int)strcspn(words, " "), words);
}

static const char *plain_role(const Graph *graph, const Node *node, int input)
{
    const char *role = NULL;
    if (input < node->own_inputs) // an update's states have the words of its rule
        role = word_at(op_info[update_rule(node)].inputs, input);
    for (int s = 0; s < node->step_count; s++) {
        const Step *const step = &node->steps[s];
        if (input >= step->first_input)
            role = word_at(op_info[step->op].inputs, input - step->first_input + 1);
    }
    if (role)
        return role;
    const Node *const value = &graph->nodes[node->input[input]];
    const bool averages = node->op == OP_update && value->op == OP_weight &&
                          graph->network->tensors[value->attributes.tensor].average_of >= 0;
    return averages ? "average" : value->name;
}

// Two inputs of one role: the later is called by its value's name. One whose place the result takes
// is called like that.
const char *role(const Graph *graph, const Node *node, int input)
{
    if (node->in_place && node->input[input] == node->replaced)
        return op_info[node->op].result;
    for (int k = 0; k < input; k++)
        if (node->input[k] == node->input[input])
            return role(graph, node, k);
    const char *const name = plain_role(graph, node, input);
    bool taken = !strcmp(name, op_info[node->op].result);
    taken |= node->op == OP_group_norm && !strcmp(name, "mean"); // it has one for each example
    for (int k = 0; k < input; k++)
        taken |= !strcmp(name, plain_role(graph, node, k)) && node->input[k] != node->input[input];
    const char *const value = graph->nodes[node->input[input]].name;
    if (!taken)
        return name;
    // a name that a user gave may be that of a variable within the function
    const bool own = strpbrk(value, "0123456789") || starts_with(value, "d_");
    return own ? value : format("%s_%s", name, value);
}

const char *dims_text(Shape shape)
{
    Text text = {0};
    text_add(&text, "%s", "");
    if (shape.panel_rows)
        return format("[%ld]", shape_size(shape));
    for (int i = 0; i < shape.count; i++)
        text_add(&text, "[%d]", shape.dims[i]);
    return text.text;
}

// --- shapes as the function sees them -----------------------------------------------------------

static bool by_channel(const Graph *graph, const Node *node, int input)
{
    const Node *const in = &graph->nodes[node->input[input]];
    return in->extent == PER_RUN || in->extent == PER_BATCH;
}

static int input_channels(const Graph *graph, const Node *node)
{
    for (int k = 0; k < node->input_count; k++)
        if (by_channel(graph, node, k)) {
            const Shape shape = graph->nodes[node->input[k]].shape;
            return shape.dims[shape.count - 1];
        }
    return 0;
}

// Of the op, among the node's and its steps', that drops whole channels; NULL where none does.
static const Attributes *dropped_channels(const Node *node)
{
    for (int s = -1; s < node->step_count; s++) {
        const Op op = s < 0 ? node->op : node->steps[s].op;
        if (op == OP_spatial_dropout || op == OP_spatial_dropout_grad)
            return s < 0 ? &node->attributes : &node->steps[s].attributes;
    }
    return NULL;
}

int node_channels(const Graph *graph, const Node *node)
{
    const Attributes *const dropped = dropped_channels(node);
    return dropped ? dropped->channels : input_channels(graph, node);
}

static Shape rows_and_columns(Shape shape)
{
    if (shape.count < 2 || shape.panel_rows)
        return shape;
    const int last = shape.dims[shape.count - 1];
    return shape_of(2, (int)(shape_size(shape) / last), last);
}

// [pixels][channels]; one dimension where there is one pixel, or nothing goes by channel (0).
static Shape by_channels(Shape shape, int channels)
{
    const int size = (int)shape_size(shape);
    return channels && channels < size ? shape_of(2, size / channels, channels) : shape_of(1, size);
}

// Elementwise functions see [pixels][channels], or one dimension where no input goes by channel;
// the others see the shape as it is.
Shape view(const Graph *graph, const Node *node)
{
    if (has_flag(node, SLICED) || node->extent == PER_BLOCK)
        return node->shape;
    if (node->piece)
        return node->shape.panel_rows ? shape_of(1, (int)part_size(node->shape))
                                      : shape_of(2, part_rows(node->shape), node->shape.dims[1]);
    if (op_info[node->op].tasks == BY_PART)
        return rows_and_columns(node->shape);
    if (op_info[node->op].flags & FLAT)
        return node->shape.count ? flat(node->shape) : node->shape;
    if (node->op == OP_softmax || node->op == OP_softmax_grad || node->op == OP_group_norm ||
        node->op == OP_group_norm_grad)
        return by_channels(node->shape, node->attributes.channels);
    if (node->op == OP_concat || node->op == OP_concat_grad)
        return rows_and_columns(node->shape);
    if (!has_flag(node, ELTWISE))
        return node->shape;
    return by_channels(node->shape, node_channels(graph, node));
}

static Shape input_view(const Graph *graph, const Node *node, int input)
{
    const Node *const in = &graph->nodes[node->input[input]];
    if (input >= node->own_inputs || has_flag(node, ELTWISE))
        return in->extent == PER_ROW ? view(graph, node) : in->shape;
    if (op_info[node->op].flags & FLAT)
        return in->extent == PER_ROW ? flat(in->shape) : in->shape;
    switch (node->op) {
    case OP_softmax:
    case OP_softmax_grad: return view(graph, node);
    case OP_group_stats:
    case OP_group_norm:
    case OP_group_norm_grad:
    case OP_group_norm_scale_grad:
        return in->extent == PER_ROW && in->op != OP_group_stats
                   ? by_channels(in->shape, node->attributes.channels)
                   : in->shape;
    case OP_dense:
    case OP_dense_grad_w:
    case OP_dense_grad_w_block: return in->extent == PER_ROW ? flat(in->shape) : in->shape;
    case OP_norm_sums:
    case OP_norm_grad_sums:
    case OP_bias_grad: {
        const int channels = node->shape.dims[node->shape.count - 1];
        const int pixels = (int)(shape_size(in->shape) / channels);
        if (in->extent != PER_ROW)
            return in->shape;
        return pixels > 1 ? shape_of(2, pixels, channels) : shape_of(1, channels);
    }
    case OP_sum_blocks:
    case OP_concat_grad: return rows_and_columns(in->shape);
    case OP_concat: return node->shape.count > 1 ? rows_and_columns(in->shape) : flat(in->shape);
    default: return in->shape;
    }
}

// --- parameters ---------------------------------------------------------------------------------

static const char *type_name(const Graph *graph, ElementType type)
{
    switch (type) {
    case TYPE_REAL: return real_type(graph->network);
    case TYPE_DOUBLE: return "double";
    case TYPE_INDEX: return "int32_t";
    }
    bug("type %d", (int)type);
}

static const char *leading(const Graph *graph, const Node *function, const Node *value)
{
    if (value->ahead)
        return value->extent == PER_ROW ? "[STEPS]" : "";
    const bool whole = op_info[function->op].tasks != BY_ROWS;
    const bool chunk = kept_by_chunk(graph, (int)(value - graph->nodes));
    switch (value->extent) {
    case PER_ROW: return !whole ? "[ROWS]" : chunk ? "[CHUNK]" : "[BATCH]";
    case PER_BLOCK: return whole ? "[BLOCKS]" : "";
    case PER_BATCH:
    case PER_RUN: return "";
    }
    bug("extent %d", (int)value->extent);
}

static void add_parameter(Text *list, const char *format, ...) PRINTF(2, 3);
static void add_parameter(Text *list, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    char text[300];
    vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    text_add(list, "%s%s", list->length ? ", " : "", text);
}

static void add_array(Text *list, const char *type, const char *name, const char *lead, Shape shape,
                      bool written)
{
    const char *dims = format("%s%s", lead, dims_text(shape));
    if (!*dims)
        dims = "[1]";
    if (written)
        dims = format("[restrict %s", dims + 1);
    add_parameter(list, "%s%s %s%s", written ? "" : "const ", type, name, dims);
}

// What the node writes first, then what it reads.
const char *parameter_list(const Graph *graph, const Node *node)
{
    Text list = {0};
    const Tasks tasks = op_info[node->op].tasks;
    if (has_flag(node, USES_BATCH | USES_ROW))
        add_parameter(&list, "const NnBatch *batch");
    if (node->op == OP_total)
        add_parameter(&list, "NnResult *result");
    if (tasks == BY_PART && node->chunked && !has_flag(node, LAYS_OUT))
        add_parameter(&list, "int chunk");
    if (tasks == BY_ROWS) {
        if (has_flag(node, USES_ROW | AT_ROW))
            add_parameter(&list, "int first");
        add_parameter(&list, "int rows");
    } else if (tasks == BY_PART && node_parts(graph, node) > 1) {
        add_parameter(&list, "int part");
    }
    const bool updates = has_flag(node, UPDATES);
    const char *const result = op_info[node->op].result;
    if (!updates && *result)
        add_array(&list, type_name(graph, node->type), result, leading(graph, node, node),
                  stored_shape(node, view(graph, node)), true);
    for (int k = 0; k < node->input_count; k++) {
        const Node *const in = &graph->nodes[node->input[k]];
        Shape shape = stored_shape(in, input_view(graph, node, k));
        if (updates || tasks == BY_PART)
            if (in->extent != PER_ROW && !has_flag(in, SLICED) && !in->ahead)
                shape = in->piece ? view(graph, in) : rows_and_columns(shape);
        if (has_parameter(node, k))
            add_array(&list, type_name(graph, in->type), role(graph, node, k),
                      leading(graph, node, in), shape, writes(graph, node, k));
    }
    return list.text ? list.text : "void";
}

// --- the loop over elements ----------------------------------------------------------------------

static const char *const index_names[][3] = {{""}, {"j"}, {"p", "c"}, {"row", "col", "c"}};

static void run_element(Out *out, const Graph *graph, const Node *node, Op op,
                        const Attributes *attributes, int first_input)
{
    out->element.attributes = attributes;
    const char *const words = op_info[op].inputs;
    for (int k = 1; word_at(words, k); k++)
        out->element.operand[k] = role(graph, node, first_input + k - 1);
    op_info[op].emit(out, graph, node);
}

static void run_steps(Out *out, const Graph *graph, const Node *node)
{
    if (has_flag(node, ELTWISE) && !has_flag(node, ANCHOR))
        run_element(out, graph, node, node->op, &node->attributes, 1);
    for (int s = 0; s < node->step_count; s++) {
        const Step *const step = &node->steps[s];
        run_element(out, graph, node, step->op, &step->attributes, step->first_input);
    }
}

// Opens the loops over one row's dimensions; fills in how its elements are indexed.
static void open_loops(Out *out, Shape dims, const char *row)
{
    const char *const *const names = index_names[dims.count];
    Text index = {0};
    text_add(&index, "%s", row);
    const char *number = "0";
    for (int d = 0; d < dims.count; d++) {
        line(out, "for (int %s = 0; %s < %d; %s++)%s", names[d], names[d], dims.dims[d], names[d],
             d == dims.count - 1 ? " {" : "");
        if (d < dims.count - 1)
            out->depth++;
        text_add(&index, "[%s]", names[d]);
        number =
            d ? format(d > 1 ? "(%s) * %d + %s" : "%s * %d + %s", number, dims.dims[d], names[d])
              : names[0];
    }
    out->element.index = index.text;
    out->element.channel = dims.count ? names[dims.count - 1] : "0";
    out->element.number = number;
}

static void close_loops(Out *out, Shape dims)
{
    line(out, "}");
    out->depth -= dims.count - 1;
}

// Row `i` of a block of rows.
void emit_elements(Out *out, const Graph *graph, const Node *node, const char *from)
{
    const Shape dims = view(graph, node);
    if (has_flag(node, DRAWS))
        line(out, "const uint32_t number = (uint32_t)(first + i) * %ld;",
             dropped_channels(node) ? dims.dims[dims.count - 1] : shape_size(dims));
    open_loops(out, dims, "[i]");
    const char *const result = op_info[node->op].result;
    line(out, "%s v = %s%s;", real_type(graph->network), from, out->element.index);
    run_steps(out, graph, node);
    line(out, "%s%s = v;", result, out->element.index);
    close_loops(out, dims);
}

// The steps of an anchor, on what its own loop has stored in row `i`.
void emit_row_steps(Out *out, const Graph *graph, const Node *node)
{
    if (node->step_count)
        emit_elements(out, graph, node, op_info[node->op].result);
}

// Opens the loops over the part's numbers; returns how one is indexed.
const char *open_part(Out *out, const Graph *graph, const Node *node)
{
    const Shape dims = view(graph, node);
    if (node->shape.panel_rows)
        return open_panels(out, graph, node);
    if (dims.count > 1) {
        line(out, "%s", part_loop(graph, node));
        out->depth++;
    }
    line(out, "for (int j = 0; j < %d; j++) {", dims.dims[dims.count - 1]);
    return dims.count > 1 ? "[i][j]" : "[j]";
}

void close_part(Out *out, const Graph *graph, const Node *node)
{
    line(out, "}");
    if (node->shape.panel_rows)
        line(out, "}");
    else
        out->depth -= view(graph, node).count > 1;
}

const char *gradient_index(const Node *gradient)
{
    if (gradient->shape.panel_rows)
        return gradient->piece ? "[j * (to - from) + i]" : "[at]";
    return gradient->piece ? "[i - from][j]" : "[i][j]";
}

// The steps of an anchor by parts, inside its own loop over `i`, where `from` is the value.
void emit_part_elements(Out *out, const Graph *graph, const Node *node, const char *from)
{
    const char *const inner = open_part(out, graph, node);
    out->element.index = inner;
    out->element.channel = "j";
    line(out, "%s v = %s;", real_type(graph->network), from);
    run_steps(out, graph, node);
    line(out, "%s%s = v;", op_info[node->op].result, node->piece ? gradient_index(node) : inner);
    close_part(out, graph, node);
}

// Which rows of its tensor a part owns; a small tensor is one part, and its function has no `part`.
// Of weights in panels of a slice, also that slice's first row.
void emit_part_range(Out *out, const Graph *graph, const Node *node)
{
    const Shape shape = part_shape(graph, node);
    if (part_count(shape) > 1)
        line(out, "const int from = part * %d, to = nn_min(from + %d, %ld);", part_rows(shape),
             part_rows(shape), shape_size(shape) / shape.dims[shape.count - 1]);
    if (panels_of_slices(shape))
        line(out, "const int first = from / %d * %d; // of the slice", shape.panel_rows,
             shape.panel_rows);
}

// Opens the loop over the rows of a part, where the tensor has rows; the brace is the caller's.
const char *part_loop(const Graph *graph, const Node *node)
{
    const Shape shape = part_shape(graph, node);
    if (part_count(shape) > 1)
        return "for (int i = from; i < to; i++)";
    return format("for (int i = 0; i < %ld; i++)", shape_size(shape) / shape.dims[shape.count - 1]);
}

static void open_rows(Out *out) { line(out, "for (int i = 0; i < rows; i++) {"); }

// An elementwise op alone: no loop of another to run in.
static void emit_alone(Out *out, const Graph *graph, const Node *node)
{
    if (op_info[node->op].tasks == BY_PART) {
        emit_part_range(out, graph, node);
        emit_part_elements(
            out, graph, node,
            format("%s%s", role(graph, node, 0), view(graph, node).count > 1 ? "[i][j]" : "[j]"));
        return;
    }
    open_rows(out);
    emit_elements(out, graph, node, role(graph, node, 0));
    line(out, "}");
}

// --- the whole function -------------------------------------------------------------------------

// The op whose gradient this one computes: "dense" of "dense_grad_x"; NULL where it is none. Of two
// that begin the name, the longer.
static const OpInfo *forward_op(Op op)
{
    const char *const name = op_info[op].name, *const tail = strstr(name, "_grad");
    const OpInfo *found = NULL;
    for (int i = 0; tail && i < OP_COUNT; i++) {
        const size_t length = strlen(op_info[i].name);
        if (i != (int)op && length <= (size_t)(tail - name) && name[length] == '_' &&
            !strncmp(op_info[i].name, name, length) && (!found || length > strlen(found->name)))
            found = &op_info[i];
    }
    return found;
}

// `elsewhere` is the layer of a step that is not the function's own.
static void emit_formula(Out *out, Op op, const char *elsewhere, bool follows)
{
    const OpInfo *const forward = forward_op(op);
    const char *const of = elsewhere ? format(" (%s)", elsewhere) : "";
    if (forward)
        comment(out, "forward: %s%s", forward->formula, of);
    comment(out, "%s%s%s", follows && !forward ? "then " : "", op_info[op].formula,
            forward ? "" : of);
}

// What of a loss its formula does not say.
static void emit_loss_options(Out *out, const Node *node)
{
    const Attributes *const a = &node->attributes;
    const bool binary =
        node->op == OP_binary_cross_entropy || node->op == OP_binary_cross_entropy_grad;
    if (a->smoothing != 0)
        comment(out,
                binary ? "where %s of each target is as given, and %s is 1/2"
                       : "where %s of the target is the label's, and %s is shared out among all",
                number_text(1 - a->smoothing), number_text(a->smoothing));
    if (a->class_weights)
        comment(out, "times the weight of the label's class");
}

// A function's first line.
void emit_declaration(Out *out, const char *start, const char *parameters)
{
    line(out, "%s%s)", start, parameters);
}

// Of so many in each row; in double, since there may be more than an int holds.
const char *numbers_of_batch(long each)
{
    return each == 1 ? "batch->rows" : format("(batch->rows * %ld.0)", each);
}

// What elementwise ops compute once for the whole function.
static void emit_prologue(Out *out, const Graph *graph, const Node *node, Op op, const char *layer)
{
    if (op_info[op].flags & DRAWS)
        line(out,
             "const uint64_t key = nn_key(batch->seed, nn_stream(\"%s\"), (uint64_t)batch->step);",
             layer);
    if (op == OP_norm_grad) {
        const Shape dims = view(graph, node);
        const long pixels = dims.count > 1 ? shape_size(dims) / dims.dims[dims.count - 1] : 1;
        line(out, "const %s share = 1 / (%s)%s; // of one number in its channel",
             real_type(graph->network), real_type(graph->network), numbers_of_batch(pixels));
    }
}

// A leaf has no function.
void emit_weight(Out *out, const Graph *graph, const Node *node)
{
    (void)out, (void)graph;
    bug("'%s' is no function", node->name);
}

void emit_before(Out *out, const Graph *graph, const Node *node) { emit_weight(out, graph, node); }

// One parameter is both: the formula's names are two.
static void emit_place_taken(Out *out, const Graph *graph, const Node *node)
{
    const char *const result = op_info[node->op].result;
    for (int k = 0; node->in_place && k < node->input_count; k++)
        if (node->input[k] == node->replaced) {
            if (strcmp(plain_role(graph, node, k), result) != 0)
                comment(out, "%s takes the place of %s", result, plain_role(graph, node, k));
            return;
        }
}

const char *function_text(const Graph *graph, const Node *node)
{
    Out out = {.network = graph->network};
    if (node->op == OP_update)
        comment(&out, "%s", update_formula(node));
    else if (node->op == OP_penalty)
        comment(&out, "%s", penalty_formula(graph, node));
    else if (node->op == OP_predict)
        comment(&out, "%s", predict_formula(graph, node));
    else
        emit_formula(&out, node->op, NULL, false);
    emit_loss_options(&out, node);
    for (int i = 0; i < node->step_count; i++) {
        const char *const layer = node->steps[i].layer;
        emit_formula(&out, node->steps[i].op, strcmp(layer, node->layer) ? layer : NULL, true);
    }
    emit_place_taken(&out, graph, node);
    emit_declaration(
        &out, format("static %s %s(", node->op == OP_total ? "bool" : "void", function_name(node)),
        parameter_list(graph, node));
    line(&out, "{");
    const OpInfo *const info = &op_info[node->op];
    emit_prologue(&out, graph, node, node->op, node->layer);
    for (int i = 0; i < node->step_count; i++)
        emit_prologue(&out, graph, node, node->steps[i].op, node->steps[i].layer);
    if (info->flags & ELTWISE)
        emit_alone(&out, graph, node);
    else
        info->emit(&out, graph, node);
    line(&out, "}");
    return out.text.text;
}
