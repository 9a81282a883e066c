// definitions.h: generated C taken apart.
#ifndef DEFINITIONS_H
#define DEFINITIONS_H

#include "netc.h"

// A function, a table or whatever else stands between two blank lines at the outermost level.
typedef struct {
    const char *name;    // "dense1_forward"; one of a kind in its file
    const char *section; // title of the part of the file that it stands in
    const char *const *lines;
    int count, first; // number of the first line, from 1
} Definition;

typedef struct {
    Definition *list;
    int count;
} Definitions;

Definitions definitions_of(const char *code);

#endif
