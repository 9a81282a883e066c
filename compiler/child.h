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

// All that the program prints; NULL where it cannot be run or does not end with status 0.
const char *output_of(const char *const *command);

#endif
