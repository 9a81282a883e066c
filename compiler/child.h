// child.h: programs that netc starts.
#ifndef CHILD_H
#define CHILD_H

#include <stdio.h>
#include <sys/types.h>

// Becomes the program command[0]; returns only after an error, which it prints. `command` ends in
// NULL.
void become(const char *const *command);

// Starts the program with a pipe for its standard output; -1 where none can be started. The caller
// closes *output, which is NULL where there is no child, and waits for the child.
pid_t start_child(const char *const *command, FILE **output);

typedef void Change(const char *const *command); // becomes that program, as become() does

// Runs it to its end; its standard output is read, unless `text` is NULL. Returns its exit status,
// 128 and the number of the signal that ended it or was to end netc, or -1 where it cannot be run:
// errno says why.
int run_program(const char *const *command, Change *change, const char **text);

enum { ENDINGS = 4 };
extern const int endings[ENDINGS]; // the signals that end netc

// The signal that came while netc waited for a program, and shall end it too; 0: none came.
int ended_by_signal(void);

// All that a program prints that measures; NULL, mostly after an error was printed, where it does
// not end with status 0.
const char *output_of(const char *const *command);

#endif
