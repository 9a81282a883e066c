// picture_dot.c: a picture in the language of Graphviz.
#include "picture.h"

#include <string.h>

static const char *quoted(const char *text)
{
    Text out = {0};
    for (; *text; text++) {
        if (strchr("\"\\", *text))
            text_add(&out, "\\");
        text_put(&out, text, 1);
    }
    return out.text ? out.text : "";
}

static const char *id_of(const Box *box) { return format("\"%s\"", quoted(box_title(box))); }

const char *picture_dot(const Picture *p)
{
    static const char *const styles[] = {
        [WIRE_VALUE] = "",
        [WIRE_GRADIENT] = " [color=\"#d9730d\"]",
        [WIRE_SAVED] = " [style=dashed, color=\"#4e79a7\", constraint=false]",
    };
    Text out = {0};
    text_add(&out,
             "digraph \"%s\" {\n    node [shape=box, style=\"rounded,filled\", "
             "fontname=monospace, fontsize=10];\n",
             quoted(p->title));
    for (int i = 0; i < p->box_count; i++) {
        const Box *const box = &p->boxes[i];
        text_add(&out, "    %s [fillcolor=\"%s\", label=\"%s\\l", id_of(box),
                 box->backward                    ? "#fbd9bb"
                 : !strcmp(box->class, "forward") ? "#cfe3f5"
                                                  : "#f6f8fa",
                 quoted(box_title(box)));
        for (int k = 0; k < box->line_count; k++)
            text_add(&out, "%s\\l", quoted(box->lines[k]));
        text_add(&out, "\"];\n");
    }
    for (int i = 0; i < p->wire_count; i++) {
        const Wire *const w = &p->wires[i];
        text_add(&out, "    %s -> %s%s;\n", id_of(&p->boxes[w->from]), id_of(&p->boxes[w->to]),
                 styles[w->kind]);
    }
    text_add(&out, "}\n");
    return out.text;
}
