// emit_input.c: what goes into the network: examples, gathered from the data set, and in training
// changed by chance; and what the runtime is told of the data set.
#include "emit.h"

#include <string.h>

// What a number of the data set is multiplied by, before anything else sees it.
double scale_of(const Network *network, bool bytes)
{
    const Clause *const scale = network->program->scale;
    return scale ? setting_number(scale, "factor") : bytes ? 1.0 / 255 : 1;
}

bool is_npy(const Network *network)
{
    return !strcmp(data_set(network->program)->format, "NN_NPY");
}

// The rows that come when this block's bytes of the arena are filled again: by then the pictures,
// which lie anywhere in memory, are in the cache.
static void emit_asking(Out *out, const Graph *graph, long size)
{
    line(out, "nn_ahead(batch, first + i + %s, %ld, 0, %ld);",
         graph->chunks > 1 ? "CHUNK" : "BATCH", size, size);
}

static const char *first_number(const Node *node)
{
    return node->shape.count == 3 ? "x[i][0][0]" : "x[i]";
}

static void emit_scaled(Out *out, const Network *network, long size, bool bytes)
{
    const double scale = scale_of(network, bytes);
    line(out, "for (int j = 0; j < %ld; j++)", size);
    line(out, "    to[j] = %s[at + j]%s;", bytes ? "batch->pictures" : "batch->numbers",
         scale == 1 ? "" : format(" * %s", real_number(out, scale)));
}

// NumPy's files have bytes or other numbers: which, is known when the program reads them.
static void emit_numbers(Out *out, const Network *network, long size)
{
    const bool bytes = has_bytes(data_set(network->program)), either = is_npy(network);
    if (either)
        line(out, "if (batch->pictures) {");
    if (either || bytes)
        emit_scaled(out, network, size, true);
    if (either)
        line(out, "} else {");
    if (either || !bytes)
        emit_scaled(out, network, size, false);
    if (either)
        line(out, "}");
}

void emit_picture(Out *out, const Graph *graph, const Node *node)
{
    const long size = shape_size(node->shape);
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "const size_t at = (size_t)batch->index[first + i] * %ld;", size);
    line(out, "%s *const to = %s;", real_type(graph->network), first_number(node));
    emit_numbers(out, graph->network, size);
    if (!node->ahead) // otherwise each of the steps asks for one
        emit_asking(out, graph, size);
    emit_row_steps(out, graph, node);
    line(out, "}");
    if (node->ahead)
        line(out, "memset(x[rows], 0, (size_t)(STEPS - rows) * sizeof x[0]); // behind the last");
}

void emit_picture_slice(Out *out, const Graph *graph, const Node *node)
{
    const int *const dims = node->shape.dims, terms = dims[2];
    line(out, "const int from = part * %d;", terms);
    line(out, "for (int i = 0; i < batch->rows; i++) {");
    line(out, "const size_t at = (size_t)batch->index[i] * %d + from;", dims[0] * terms);
    line(out, "%s *const to = x[part][i];", real_type(graph->network));
    emit_numbers(out, graph->network, terms);
    line(out, "nn_ahead(batch, i + BATCH, %d, from, %d);", dims[0] * terms, terms);
    line(out, "}");
}

// The changes that are wanted, as an NnAugment (nn_augment.h).
static void emit_changes(Out *out, const Clause *augment)
{
    const char *const flip = setting_word(augment, "flip");
    const bool both = !strcmp(flip, "both");
    Text list = {0};
    static const char *const names[] = {"shift",   "rotate", "shear",  "zoom",
                                        "elastic", "grid",   "cutout", "noise"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const double number = setting_number(augment, names[i]);
        const bool whole = !strcmp(names[i], "grid") || !strcmp(names[i], "cutout");
        if (number == 0 || (!strcmp(names[i], "grid") && setting_number(augment, "elastic") == 0))
            continue;
        text_add(&list, "%s.%s = %s%s", list.length ? ", " : "", names[i], number_text(number),
                 whole || number == (int)number ? "" : "f");
    }
    if (both || !strcmp(flip, "horizontal"))
        text_add(&list, "%s.flip_horizontal = true", list.length ? ", " : "");
    if (both || !strcmp(flip, "vertical"))
        text_add(&list, "%s.flip_vertical = true", list.length ? ", " : "");
    line(out, "static const NnAugment how = {%s};", list.text);
}

static void emit_frame(Out *out, const Network *network, const char *sizes, bool bytes)
{
    line(out, "%s(%s, %s + at, %s, frame);", bytes ? "nn_frame_bytes" : "nn_frame_floats", sizes,
         bytes ? "batch->pictures" : "batch->numbers", real_number(out, scale_of(network, bytes)));
}

void emit_augmented(Out *out, const Graph *graph, const Node *node)
{
    const Network *const network = graph->network;
    const int *const dims = network->picture.dims;
    const char *const sizes = format("%d, %d, %d", dims[0], dims[1], dims[2]);
    const long size = shape_size(node->shape);
    const bool bytes = has_bytes(data_set(network->program)), either = is_npy(network);
    emit_changes(out, network->program->augment);
    line(out, "float frame[NN_AUGMENT_ROOM(%s)];", sizes);
    on_stack(out, (double)frame_size(network->picture) + 6.0 * dims[1]);
    if (network->doubles)
        line(out, "float changed[%ld];", size);
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "const size_t at = (size_t)batch->index[first + i] * %ld;", size);
    // another stream than a fused dropout's `key`
    line(out, "const uint64_t changes = "
              "nn_augment_key(batch->seed, batch->epoch, batch->index[first + i]);");
    if (either)
        line(out, "if (batch->pictures)");
    out->depth += either;
    if (either || bytes)
        emit_frame(out, network, sizes, true);
    out->depth -= either;
    if (either)
        line(out, "else");
    out->depth += either;
    if (either || !bytes)
        emit_frame(out, network, sizes, false);
    out->depth -= either;
    line(out, "nn_augment(&how, changes, %s, frame, %s);", sizes,
         network->doubles ? "changed" : first_number(node));
    if (network->doubles) {
        line(out, "double *const to = %s;", first_number(node));
        line(out, "for (int j = 0; j < %ld; j++)", size);
        line(out, "    to[j] = changed[j];");
    }
    emit_asking(out, graph, size);
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// --- the tables ---------------------------------------------------------------------------------

static const char *files_text(const char *inputs, const char *answers)
{
    return answers ? format("{%s, %s}", c_string(inputs), c_string(answers))
                   : format("{%s, NULL}", c_string(inputs));
}

static void emit_part(Out *out, const Clause *clause)
{
    const Setting *const part = setting(clause, "part");
    if (part->word)
        line(out, ".%s_files = %s,", clause->word, files_text(part->word, part->second));
    else if (part->percent && part->number > 0)
        line(out, ".%s_share = %s,", clause->word, number_text(part->number));
    else if (part->number > 0)
        line(out, ".%s_pictures = %.0f,", clause->word, part->number);
}

void emit_data(Out *out, const Network *network)
{
    const Program *const p = network->program;
    const char *const inputs = data_text(p, "inputs"), *const header = data_text(p, "header");
    const char *const answers = answers_file(p);
    const char *const columns =
        data_text(p, learns_numbers(p) && !answers ? "targets" : "label");
    line(out, ".data = \"%s\", .format = %s,", setting_word(p->data, "name"), data_set(p)->format);
    if (inputs)
        line(out, ".files = %s,", files_text(inputs, answers));
    if (columns)
        line(out, ".columns = %s,", c_string(columns));
    const char *const without = data_text(p, "without");
    if (without)
        line(out, ".without = %s,", c_string(without));
    if (header && strcmp(header, "auto") != 0)
        line(out, ".header = %s,", !strcmp(header, "yes") ? "NN_YES" : "NN_NO");
    emit_part(out, p->validation);
    emit_part(out, p->test);
    line(out, ".byte_scale = %s, .number_scale = %s,", number_text(scale_of(network, true)),
         number_text(scale_of(network, false)));
    if (p->metrics && setting_number(p->metrics, "top") > 1)
        line(out, ".top = %.0f,", setting_number(p->metrics, "top"));
}
