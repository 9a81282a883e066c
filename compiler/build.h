// build.h: C made into programs, and what those measure of themselves.
#ifndef BUILD_H
#define BUILD_H

#include "passes.h"

// --- fingerprint.c ------------------------------------------------------------------------------
uint64_t hash_path(uint64_t hash, const char *path); // a file, or a folder and the names in it

// --- build.c: the C compiler --------------------------------------------------------------------
typedef struct {
    const char *target; // for -march: "native", "x86-64-v3", …
    const char *output; // the binary
    bool profile;       // training reports the time of each layer
    bool verbose;       // show the command
} BuildOptions;
bool build_binary(const Network *network, const char *c_text, const BuildOptions *options);
const char *c_compiler(void); // what it says of itself, --version; "" where there is none

// --- bench.c: the program measures itself -------------------------------------------------------
const char *bench_of(Network *network, const char *target); // JSON; NULL after an error was printed

// --- tune.c: which products are fastest how, measured -------------------------------------------
const char *tuned_path(void); // of this machine's file; NULL after an error
bool tune(Network *network, const BuildOptions *options, const char *path);
// Appends those that were measured to the file; false after an error was printed.
bool remember(const char *path, const Choice *choices, int count);

#endif
