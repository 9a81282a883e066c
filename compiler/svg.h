// svg.h: pictures as SVG, legible on light and on dark pages.
#ifndef SVG_H
#define SVG_H

#include "netc.h"

// Classes of a shape say what it is; svg.c says in which colours that is seen.
void svg_open(Text *svg, double width, double height, const char *title);
void svg_close(Text *svg);
void svg_rect(Text *svg, const char *class, double x, double y, double width, double height,
              double round, const char *hint); // hint: shown under the mouse; NULL: none
void svg_line(Text *svg, const char *class, double x1, double y1, double x2, double y2);
// Through the points whose y is a number; it is broken at the others.
void svg_curve(Text *svg, const char *class, const double *x, const double *y, int count);
void svg_dot(Text *svg, const char *class, double x, double y, const char *hint);
// anchor: "start", "middle" or "end". turn: degrees around its place.
void svg_text(Text *svg, const char *class, double x, double y, const char *anchor, double turn,
              const char *text);
const char *svg_escaped(const char *text); // for text and attributes of XML
double svg_width(const char *text);        // about how wide svg_text makes it, in its 12 pixels

#endif
