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

// How many bytes a character of UTF-8 has by its first one; 0 where none begins so.
static int bytes_of(unsigned char first)
{
    return first < 0x80                     ? 1
           : first >= 0xc2 && first <= 0xdf ? 2
           : (first & 0xf0) == 0xe0         ? 3
           : first >= 0xf0 && first <= 0xf4 ? 4
                                            : 0;
}

// The bytes of the character that `text` begins with; 0 where that is none as RFC 3629 has it: in
// its shortest form, no surrogate, none behind U+10FFFF.
static int character_bytes(const char *text)
{
    const unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];
    const int bytes = bytes_of(first);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    for (int i = 1; i < bytes; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}

bool is_utf8(const char *text)
{
    int bytes = 0;
    for (; *text && (bytes = character_bytes(text)) > 0; text += bytes)
        ;
    return !*text;
}

void make_utf8(char *text)
{
    for (int bytes = 0; *text; text += bytes) {
        bytes = character_bytes(text);
        if (bytes == 0) {
            *text = '?';
            bytes = 1;
        }
    }
}

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
    make_utf8(line);
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
