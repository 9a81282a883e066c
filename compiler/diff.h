// diff.h: two networks and their code, compared.
#ifndef DIFF_H
#define DIFF_H

#include <cjson/cJSON.h>

#include "ir.h"

typedef struct {
    const char *label; // as the command line says it: "mlp.net -D width=50"
    Network *network;
    const char *code; // its C
} Side;

// --- myers.c: the shortest edit script ----------------------------------------------------------
// What to remove from a, and what to add, to make b. Elements are interned; see myers.c.
void edit_script(const char *const *a, int n, const char *const *b, int m, bool *removed,
                 bool *added);

// --- paint.c: text as git shows it --------------------------------------------------------------
typedef enum { STYLE_PLAIN, STYLE_HEADER, STYLE_PLACE, STYLE_REMOVED, STYLE_ADDED } Style;

typedef struct {
    Text text;
    bool colours;
} Painting;

bool wants_colours(const char *when); // "auto", "always" or "never"; NULL: auto
void paint(Painting *to, Style style, const char *format, ...) PRINTF(3, 4); // one line
void show(const Painting *painting, bool may_page); // on standard output, by the pager if wanted

// --- lines.c: two texts, line by line -----------------------------------------------------------
typedef struct {
    char mark; // ' ', '-' or '+'
    const char *text;
    int left, right; // numbers of the line, from 1; of the next one on a side that lacks it
} Line;

typedef struct {
    Line *list;
    int count, removed, added;
} Lines;

typedef struct {
    const char *const *keys; // interned: lines of equal keys are taken as equal
    const char *const *texts;
    int count, first; // number of the first line
} Listing;

// Removed lines stand before added ones.
Lines compare_lines(const Listing *left, const Listing *right);
bool is_near_change(const Lines *lines, int index, int context);
void paint_line(Painting *to, const Line *line);
void paint_hunks(Painting *to, const Lines *lines, int context, const char *title);

// --- align.c: which layer of one network stands for which of the other --------------------------
typedef struct {
    int *right_of; // for each card of the left network the one of the right, or -1
    int *left_of;
} Alignment;

Alignment align_layers(const Network *left, const Network *right);

// --- diff_net.c: what differs as networks -------------------------------------------------------
typedef struct NetDiff NetDiff;
const NetDiff *compare_networks(const Side *left, const Side *right, const Alignment *alignment);
bool networks_differ(const NetDiff *diff);
void paint_networks(Painting *to, const NetDiff *diff, int context);
void add_networks(cJSON *object, const NetDiff *diff);

// --- diff_code.c: what differs in the C ---------------------------------------------------------
typedef struct CodeDiff CodeDiff;
const CodeDiff *compare_code(const Side *left, const Side *right, const Alignment *alignment);
bool code_differs(const CodeDiff *diff);
void paint_code(Painting *to, const CodeDiff *diff, int context);
void paint_statistic(Painting *to, const CodeDiff *diff);
void add_code(cJSON *object, const CodeDiff *diff);

#endif
