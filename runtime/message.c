// message.c: one line for each thing that can go wrong, and where it is kept until it is printed.

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static const char *program = "model";
static char line[2 * RUN_PATH];

void message_program(const char *path)
{
    const char *slash = strrchr(path, '/');
    program = slash ? slash + 1 : path;
}

const char *message_name(void) { return program; }

// A line break in a file's name must not make two lines of one.
static void keep_on_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
}

// Records the one line that says what is wrong: lower case, no full stop, the subject in single
// quotes, what was expected and what was found. Called by one thread at a time.
bool failed(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    keep_on_one_line(line);
    return false;
}

const char *problem(void) { return line; }

int end_with_problem(void)
{
    fflush(stdout);
    fprintf(stderr, "%s: error: %s\n", program, line);
    return 1;
}

bool path_join(char path[RUN_PATH], const char *folder, const char *name)
{
    const size_t length = strlen(folder);
    const char *between = length == 0 || folder[length - 1] == '/' ? "" : "/";
    if (snprintf(path, RUN_PATH, "%s%s%s", folder, between, name) >= RUN_PATH)
        return failed("the path of '%s' is longer than %d bytes", name, RUN_PATH - 1);
    return true;
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (!memory)
        failed("out of memory: %zu times %zu bytes were asked for", count, size);
    return memory;
}
