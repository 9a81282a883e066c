// record.h: what a program keeps of its own making.
#ifndef RECORD_H
#define RECORD_H

#include "ir.h"

typedef struct {
    const char *name;   // of the network
    Words options;      // "--target x86-64-v4", "-D width=50", in their order
    const char *net;    // the text of the .net file
    const char *text;   // all of it, as the program keeps it
    const char *c_text; // the whole file, where it is C; NULL of a program
} Record;

const char *record_text(const Network *network);
bool may_have_record(const char *path);
bool read_record(const char *path, Record *record); // false after an error was printed

#endif
