// cmd_fmt.c: `netc fmt` gives .net files their canonical layout, and lists those that it changed.
#include "command.h"
#include "fmt.h"

#include <errno.h>
#include <string.h>

// The bytes of a file, in which a Source has replaced line ends.
static bool holds(const char *path, const char *text)
{
    FILE *const file = fopen(path, "rb");
    const bool same = file && !strcmp(read_stream(file, NULL), text);
    if (file)
        fclose(file);
    return same;
}

// The layout of what has no mistake; NULL after an error was printed.
static const char *canonical_of(const Source *source)
{
    if (source)
        parse(source);
    if (!source || error_count())
        return NULL;
    const char *const text = canonical_text(source);
    return source_of_text(source->path, text) ? text : NULL; // no line of it is too long
}

static int format_input(bool check)
{
    size_t length;
    const char *const text = read_stream(stdin, &length);
    if (ferror(stdin)) {
        error_at(E001, (Loc){0}, "cannot read the standard input: %s", strerror(errno));
        return MISTAKE;
    }
    const char *const canonical = canonical_of(source_of_bytes("standard input", text, length));
    if (!canonical)
        return MISTAKE;
    if (check)
        return strcmp(text, canonical) ? MISTAKE : DONE;
    write_file(NULL, canonical, MADE_AGAIN);
    return DONE;
}

static int format_file(const char *path, bool check)
{
    const char *const canonical = canonical_of(source_read(path));
    if (!canonical)
        return MISTAKE;
    if (holds(path, canonical))
        return DONE;
    if (!check && !write_file(path, canonical, KEPT_SAFE))
        return MISTAKE;
    printf("%s\n", path);
    return check ? MISTAKE : DONE;
}

int run_fmt(const Options *o)
{
    int status = DONE;
    for (int i = 0; i < o->paths.count; i++) {
        const char *const path = o->paths.items[i];
        messages_reset();
        const int one = strcmp(path, "-") ? format_file(path, o->check) : format_input(o->check);
        status = one != DONE ? one : status;
    }
    return status;
}
