// cmd_graph.c: `netc graph` draws a network, in the form that the file's name ends with.
#include "command.h"
#include "picture.h"

#include <string.h>

static const struct {
    const char *end;
    const char *(*write)(const Picture *picture);
} forms[] = {{".svg", picture_svg}, {".dot", picture_dot}, {".txt", picture_text}};
enum { FORM_COUNT = (int)(sizeof forms / sizeof *forms) };

static const char *draw(const char *path, const Picture *picture)
{
    for (int i = 0; path && i < FORM_COUNT; i++) {
        const size_t length = strlen(path), end = strlen(forms[i].end);
        if (length > end && !strcmp(path + length - end, forms[i].end))
            return forms[i].write(picture);
    }
    return path ? NULL : picture_text(picture);
}

int run_graph(const Options *o)
{
    const Network *const network = lower_file(o, o->backward);
    if (!network)
        return MISTAKE;
    if (o->backward && !network->trains) {
        error_at(E911, (Loc){0}, "'%s' has no 'loss' statement and no gradients",
                 o->paths.items[0]);
        return MISTAKE;
    }
    const Picture picture = picture_of(network, o->backward);
    const char *const text = draw(o->output, &picture);
    if (!text)
        return usage_error(
            E905,
            format("'--output %s': expected a name that ends in .svg, .dot or .txt", o->output));
    return spares_source(o, o->output) && write_file(o->output, text, MADE_AGAIN) ? DONE : MISTAKE;
}
