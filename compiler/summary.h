// summary.h: what a network costs, layer by layer.
#ifndef SUMMARY_H
#define SUMMARY_H

#include "ir.h"

typedef struct {
    const char *name, *statement, *output;
    long parameters;
    double multiply_adds; // forward, for each picture
    double bytes;         // its values in a step, forward and backward, if no two shared bytes
    double seconds;       // of a step, as estimated
    double measured;      // the same, of a run; negative: not measured
} SummaryRow;

typedef struct {
    SummaryRow *rows; // the input, the layers, the loss
    int count;
    SummaryRow total;
} Summary;

Summary summary_of(const Network *network); // needs: a planned network

// --- measure.c ----------------------------------------------------------------------------------
// Fills in the measured times. False after an error was printed.
bool measure(Summary *summary, Network *network, const char *target);

// --- plan_picture.c -----------------------------------------------------------------------------
const char *plan_picture(const Network *network); // an SVG

#endif
