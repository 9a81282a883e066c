// completion.h: what the shells are told of the command line.
#ifndef COMPLETION_H
#define COMPLETION_H

#include "command.h"

// What a value or a word of a command may be.
typedef enum {
    COMPLETE_NOTHING,
    COMPLETE_FILES,
    COMPLETE_FOLDERS,
    COMPLETE_NETWORKS,
    COMPLETE_WORDS
} Completes;

Completes value_completes(const Option *option, Words *words); // fills in words, where it is these
Completes word_completes(const Command *command, Words *words);

#endif
