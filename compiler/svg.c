// svg.c: the few shapes of SVG that the pictures are made of, and their colours.
#include "svg.h"

#include <math.h>
#include <string.h>

// Colours from the Tableau 10 palette, lighter as a fill, and turned round for a dark page. A
// viewer that knows no variables takes the colour in front of one.
static const char style[] =
    "<style>\n"
    "  text { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }\n"
    "  svg { --page: #fff; --ink: #1f2328; --dim: #656d76; --grid: #d8dee4;\n"
    "        --forward: #cfe3f5; --forward-edge: #4e79a7; --gradient: #fbd9bb;\n"
    "        --gradient-edge: #d9730d; --sum: #d5ead0; --sum-edge: #59a14f;\n"
    "        --weight: #e6dcee; --weight-edge: #8a63a8; --slab: #f6f8fa; }\n"
    "  @media (prefers-color-scheme: dark) {\n"
    "    svg { --page: #0d1117; --ink: #e6edf3; --dim: #8d96a0; --grid: #30363d;\n"
    "          --forward: #1d3a57; --forward-edge: #76a9dd; --gradient: #56320f;\n"
    "          --gradient-edge: #f0a35e; --sum: #22442a; --sum-edge: #7cc47a;\n"
    "          --weight: #3b2c4a; --weight-edge: #b894d6; --slab: #161b22; }\n"
    "  }\n"
    "  .page { fill: #fff; fill: var(--page); }\n"
    "  text { fill: #1f2328; fill: var(--ink); }\n"
    "  .dim { fill: #656d76; fill: var(--dim); }\n"
    "  .small { font-size: 10px; }\n"
    "  .bold { font-weight: bold; }\n"
    "  .grid { stroke: #d8dee4; stroke: var(--grid); fill: none; }\n"
    "  .slab { fill: #f6f8fa; fill: var(--slab); stroke: #d8dee4;\n"
    "    stroke: var(--grid); stroke-dasharray: 3 2; }\n"
    "  .forward { fill: #cfe3f5; fill: var(--forward); stroke: #4e79a7;\n"
    "    stroke: var(--forward-edge); }\n"
    "  .gradient { fill: #fbd9bb; fill: var(--gradient); stroke: #d9730d;\n"
    "    stroke: var(--gradient-edge); }\n"
    "  .sum { fill: #d5ead0; fill: var(--sum); stroke: #59a14f; stroke: var(--sum-edge); }\n"
    "  .weight { fill: #e6dcee; fill: var(--weight); stroke: #8a63a8;\n"
    "    stroke: var(--weight-edge); }\n"
    "  .edge { stroke: #656d76; stroke: var(--dim); fill: none; stroke-width: 1.4; }\n"
    "  .back { stroke: #d9730d; stroke: var(--gradient-edge); fill: none; stroke-width: 1.4; }\n"
    "  .saved { stroke: #4e79a7; stroke: var(--forward-edge);\n"
    "    fill: none; stroke-dasharray: 4 3; }\n"
    "  .ours { stroke: #4e79a7; stroke: var(--forward-edge); fill: none; stroke-width: 2; }\n"
    "  .theirs { stroke: #d9730d; stroke: var(--gradient-edge); fill: none; stroke-width: 2; }\n"
    "  .ours-dot { fill: #4e79a7; fill: var(--forward-edge); }\n"
    "  .theirs-dot { fill: #d9730d; fill: var(--gradient-edge); }\n"
    "  .head { fill: #656d76; fill: var(--dim); stroke: none; }\n"
    "  .back-head { fill: #d9730d; fill: var(--gradient-edge); stroke: none; }\n"
    "  .saved-head { fill: #4e79a7; fill: var(--forward-edge); stroke: none; }\n"
    "</style>\n";

const char *svg_escaped(const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
    Text out = {0};
    text_add(&out, "%s", "");
    for (; *text; text++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            if (*text == entities[i].c)
                entity = entities[i].entity;
        if (entity)
            text_add(&out, "%s", entity);
        else
            text_put(&out, text, 1);
    }
    return out.text;
}

double svg_width(const char *text)
{
    double width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80 ? 7.3 : 0;
    return width;
}

static const char *number(double x) { return number_text((double)(long)(x * 100 + 0.5) / 100); }

void svg_open(Text *svg, double width, double height, const char *title)
{
    text_add(svg,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%s\" "
             "viewBox=\"0 0 %s %s\" role=\"img\">\n<title>%s</title>\n",
             number(width), number(height), number(width), number(height), svg_escaped(title));
    text_add(svg, "%s", style);
    svg_rect(svg, "page", 0, 0, width, height, 0, NULL);
}

void svg_close(Text *svg) { text_add(svg, "</svg>\n"); }

void svg_rect(Text *svg, const char *class, double x, double y, double width, double height,
              double round, const char *hint)
{
    text_add(svg, "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"", class,
             number(x), number(y), number(width), number(height));
    if (round > 0)
        text_add(svg, " rx=\"%s\"", number(round));
    if (hint)
        text_add(svg, "><title>%s</title></rect>\n", svg_escaped(hint));
    else
        text_add(svg, "/>\n");
}

void svg_line(Text *svg, const char *class, double x1, double y1, double x2, double y2)
{
    text_add(svg, "<line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n", class,
             number(x1), number(y1), number(x2), number(y2));
}

void svg_curve(Text *svg, const char *class, const double *x, const double *y, int count)
{
    bool drawing = false, drawn = false;
    for (int i = 0; i < count; i++) {
        if (!isnan(y[i])) {
            if (!drawn)
                text_add(svg, "<path class=\"%s\" d=\"", class);
            text_add(svg, "%c%s %s", drawing ? 'L' : 'M', number(x[i]), number(y[i]));
            drawn = true;
        }
        drawing = !isnan(y[i]);
    }
    if (drawn)
        text_add(svg, "\"/>\n");
}

void svg_dot(Text *svg, const char *class, double x, double y, const char *hint)
{
    text_add(svg, "<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"3.5\"><title>%s</title></circle>\n",
             class, number(x), number(y), svg_escaped(hint));
}

void svg_text(Text *svg, const char *class, double x, double y, const char *anchor, double turn,
              const char *text)
{
    text_add(svg, "<text class=\"%s\" x=\"%s\" y=\"%s\"", class, number(x), number(y));
    if (strcmp(anchor, "start") != 0)
        text_add(svg, " text-anchor=\"%s\"", anchor);
    if (turn != 0)
        text_add(svg, " transform=\"rotate(%s %s %s)\"", number_text(turn), number(x), number(y));
    text_add(svg, ">%s</text>\n", svg_escaped(text));
}
