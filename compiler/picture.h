// picture.h: a network as boxes and wires, and where they lie.
#ifndef PICTURE_H
#define PICTURE_H

#include "ir.h"

enum { MAX_BOX_LINES = 12 };

// A layer, or what is computed backward for one.
typedef struct {
    const char *name;
    const char *lines[MAX_BOX_LINES]; // what it is, below its name
    int line_count;
    bool backward;
    int forward;       // of a backward box: the box of the same layer
    const char *class; // svg.h
} Box;

typedef enum {
    WIRE_VALUE,    // a value that the next layer reads
    WIRE_GRADIENT, // a gradient, from the layer behind to the one before
    WIRE_SAVED,    // a value of the forward pass that a gradient needs
} WireKind;

typedef struct {
    WireKind kind;
    int from, to; // boxes
} Wire;

typedef struct {
    const char *title;
    Box *boxes; // forward ones first, in the order in which they run; then backward ones
    int box_count, forward_count;
    Wire *wires;
    int wire_count;
} Picture;

// needs: a network after lower, with backward nodes if these are wanted
// Backward: of a network that trains.
Picture picture_of(const Network *network, bool backward);

// --- layout.c: layers of boxes ------------------------------------------------------------------
typedef struct {
    double x, y; // of its middle, of its upper edge
    int rank;
} Place;

// Between two boxes that are more than a rank apart, a wire goes through one point in each rank.
typedef struct {
    double *x; // of the ranks between
    int count;
} Route;

typedef struct {
    Place *places;        // of each box
    Route *routes;        // of each wire
    double *top, *height; // of each rank
    int ranks;
    double width, bottom;
} Layout;

typedef struct {
    const double *widths, *heights; // of each box
    double across, down, bend;      // gaps between boxes and ranks; what a bend takes
    bool (*leads)(WireKind);        // whether such a wire leads downwards; others are not laid out
} LayoutRules;

Layout layout(const Picture *picture, int boxes, const LayoutRules *rules);

const char *box_title(const Box *box); // its first line

// --- the writers --------------------------------------------------------------------------------
const char *picture_svg(const Picture *picture);
const char *picture_dot(const Picture *picture);
const char *picture_text(const Picture *picture);

#endif
