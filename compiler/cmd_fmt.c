// cmd_fmt.c: `netc fmt` gives .net files their canonical layout, and lists those that it changed.
#include "command.h"
#include "fmt.h"

#include <string.h>

// The bytes of a file, in which a Source has replaced line ends.
static bool holds(const char *path, const char *text)
{
    FILE *const file = fopen(path, "rb");
    const bool same = file && !strcmp(read_stream(file), text);
    if (file)
        fclose(file);
    return same;
}

static int format_input(bool check)
{
    const char *const text = read_stream(stdin);
    const Source *const source = source_of_text("standard input", text);
    if (source)
        parse(source);
    if (error_count())
        return MISTAKE;
    const char *const canonical = canonical_text(source);
    if (check)
        return strcmp(text, canonical) ? MISTAKE : DONE;
    return write_file(NULL, canonical) ? DONE : MISTAKE;
}

static int format_file(const char *path, bool check)
{
    const int errors = error_count();
    const Source *const source = source_read(path);
    if (!source)
        return MISTAKE;
    parse(source);
    if (error_count() > errors)
        return MISTAKE;
    const char *const canonical = canonical_text(source);
    if (holds(path, canonical))
        return DONE;
    if (!check && !write_file(path, canonical))
        return MISTAKE;
    printf("%s\n", path);
    return check ? MISTAKE : DONE;
}

int run_fmt(const Options *o)
{
    int status = DONE;
    for (int i = 0; i < o->paths.count; i++) {
        const char *const path = o->paths.items[i];
        const int one = strcmp(path, "-") ? format_file(path, o->check) : format_input(o->check);
        status = one != DONE ? one : status;
    }
    return status;
}
