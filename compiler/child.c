// child.c: a built program is started, and what it prints is read.
#include "child.h"

#include "netc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void become(const char *const *command)
{
    execv(command[0], (char *const *)(uintptr_t)command);
    error_at(E912, (Loc){0}, "cannot run '%s': %s", command[0], strerror(errno));
}

pid_t start_child(const char *const *command, FILE **output)
{
    int ends[2];
    if (pipe(ends))
        bug("no pipe: %s", strerror(errno));
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        become(command);
        _exit(127);
    }
    close(ends[1]);
    *output = child > 0 ? fdopen(ends[0], "r") : NULL;
    if (!*output)
        close(ends[0]);
    return child;
}

const char *output_of(const char *const *command)
{
    FILE *output;
    const pid_t child = start_child(command, &output);
    const char *const text = output ? read_stream(output, NULL) : "";
    if (output)
        fclose(output);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
        return NULL;
    return text;
}
