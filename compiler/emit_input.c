// emit_input.c: what goes into the network: pictures, gathered from the data set, and in training
// changed by chance.
#include "netc.h"

#include <string.h>

static void emit_source(Out *out, long size)
{
    line(out,
         "const uint8_t *const picture = batch->pictures + (size_t)batch->index[first + i] * "
         "%ld;",
         size);
}

// The rows that come when this block's bytes of the arena are filled again: by then the pictures,
// which lie anywhere in memory, are in the cache.
static void emit_ahead(Out *out, const Graph *graph, long size)
{
    line(out, "nn_ahead(batch, first + i + %s, %ld);", graph->chunks > 1 ? "CHUNK" : "BATCH", size);
}

static const char *first_number(const Node *node)
{
    return node->shape.count == 3 ? "x[i][0][0]" : "x[i]";
}

void emit_picture(Out *out, const Graph *graph, const Node *node)
{
    const long size = shape_size(node->shape);
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_source(out, size);
    line(out, "%s *const to = %s;", real_type(graph->network), first_number(node));
    line(out, "for (int j = 0; j < %ld; j++)", size);
    line(out, "    to[j] = picture[j] * %s;", real_number(out, 1.0 / 255));
    emit_ahead(out, graph, size);
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
        if (number == 0 || (!strcmp(names[i], "grid") && !setting_number(augment, "elastic")))
            continue;
        text_add(&list, "%s.%s = %s%s", list.length ? ", " : "", names[i], number_text(number),
                 whole || number == (int)number ? "" : "f");
    }
    if (both || !strcmp(flip, "horizontal"))
        text_add(&list, "%s.flip_horizontal = true", list.length ? ", " : "");
    if (both || !strcmp(flip, "vertical"))
        text_add(&list, "%s.flip_vertical = true", list.length ? ", " : "");
    line(out, "%s", wrapped(4 * out->depth, "static const NnAugment how = {", list.text, "};"));
}

void emit_augmented(Out *out, const Graph *graph, const Node *node)
{
    const Network *const network = graph->network;
    const int *const dims = network->picture.dims;
    const char *const sizes = format("%d, %d, %d", dims[0], dims[1], dims[2]);
    const long size = shape_size(node->shape);
    emit_changes(out, network->program->augment);
    line(out, "float frame[NN_AUGMENT_ROOM(%s)];", sizes);
    if (network->doubles)
        line(out, "float changed[%ld];", size);
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_source(out, size);
    line(out, "const uint64_t key = "
              "nn_augment_key(batch->seed, batch->epoch, batch->index[first + i]);");
    line(out, "nn_frame_bytes(%s, picture, %s, frame);", sizes, real_number(out, 1.0 / 255));
    line(out, "nn_augment(&how, key, %s, frame, %s);", sizes,
         network->doubles ? "changed" : first_number(node));
    if (network->doubles) {
        line(out, "double *const to = %s;", first_number(node));
        line(out, "for (int j = 0; j < %ld; j++)", size);
        line(out, "    to[j] = changed[j];");
    }
    emit_ahead(out, graph, size);
    line(out, "}");
}
