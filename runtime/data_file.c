// data_file.c: the bytes of a file, plain or gzipped, with memory that grows as they come.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data.h"

enum { FIRST_BYTES = 1 << 16 };

// A file without the end of its gzip stream, or with a wrong checksum, or unreadable.
static bool unreadable(const Source *source, size_t got)
{
    int error = Z_OK;
    const int why = errno;
    const char *text = gzerror(source->file, &error);
    if (error == Z_BUF_ERROR)
        return failed("'%s' is cut short: its gzip stream ends after %zu bytes of content",
                      source->path, got);
    if (error == Z_ERRNO)
        return failed("cannot read '%s': %s", source->path, strerror(why));
    const char *colon = strstr(text, ": "); // zlib writes the path before its reason
    return failed("'%s' is corrupt: %s", source->path, colon ? colon + 2 : text);
}

bool source_read(const Source *source, void *to, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        const size_t left = size - *got;
        const unsigned ask = left < (1u << 30) ? (unsigned)left : 1u << 30;
        const int came = gzread(source->file, (char *)to + *got, ask);
        if (came < 0)
            return unreadable(source, *got);
        *got += (size_t)came;
        if ((unsigned)came < ask)
            break;
    }
    int error = Z_OK;
    gzerror(source->file, &error);
    return error == Z_OK || error == Z_STREAM_END || unreadable(source, *got);
}

static bool open_file(Source *source, const char *advice)
{
    struct stat found;
    errno = 0;
    source->file = gzopen(source->path, "rb");
    if (!source->file)
        return failed("cannot read '%s': %s%s", source->path,
                      errno ? strerror(errno) : "out of memory", errno == ENOENT ? advice : "");
    gzbuffer(source->file, 1 << 17);
    const bool sized = stat(source->path, &found) == 0 && found.st_size > FIRST_BYTES;
    source->room = sized ? (size_t)found.st_size : FIRST_BYTES;
    return true;
}

bool source_open_path(Source *source) { return open_file(source, ""); }

bool source_place(Source *source, const char *folder, const char *name)
{
    if (*name != '/' && strcmp(folder, ".") != 0)
        return path_join(source->path, folder, name);
    return snprintf(source->path, RUN_PATH, "%s", name) < RUN_PATH ||
           failed("the path of '%s' is too long", name);
}

bool source_open(Source *source, const Wanted *wanted, const char *name)
{
    const bool elsewhere = wanted->answers && *name != '/';
    return source_place(source, wanted->folder, name) &&
           open_file(source, elsewhere ? "; '--data DIR' names the folder that it lies in" : "");
}

void source_close(Source *source) { gzclose_r(source->file); }

// A plain file that goes on for at least `size` bytes, for reading at any place of it; -1 where it
// is none. What is no file, a pipe, could be read only once.
static int open_plain(const Source *source, off_t begin, size_t size)
{
    struct stat found;
    const bool plain = gzdirect(source->file) && stat(source->path, &found) == 0 &&
                       S_ISREG(found.st_mode) && found.st_size >= begin + (off_t)size;
    return plain ? open(source->path, O_RDONLY | O_CLOEXEC) : -1;
}

// Reading a large plain file takes its time in clearing new pages and copying to them: each
// processor does a part of that. False, as if nothing were read, where that can't be done.
static bool read_in_parts(const Source *source, unsigned char *to, size_t size)
{
    enum { WORTH_SHARING = 4 << 20, MOST_PARTS = 8 };
    const off_t begin = gztell(source->file);
    const int parts =
        size < WORTH_SHARING ? 1 : team_possible(nn_min(team_processors(), MOST_PARTS));
    const int file = parts < 2 ? -1 : open_plain(source, begin, size);
    if (file < 0)
        return false;
    bool done = true;
#pragma omp parallel for num_threads(parts) reduction(&& : done)
    for (int part = 0; part < parts; part++) {
        const size_t each = size / (size_t)parts, first = each * (size_t)part;
        const size_t end = part + 1 < parts ? first + each : size;
        for (size_t at = first; done && at < end;) {
            const ssize_t got = pread(file, to + at, end - at, begin + (off_t)at);
            done = got > 0;
            at += done ? (size_t)got : 0;
        }
    }
    close(file);
    return done && gzseek(source->file, (off_t)size, SEEK_CUR) >= 0;
}

unsigned char *source_body(const Source *source, size_t size)
{
    size_t room = size < source->room ? size : source->room, have = 0;
    unsigned char *body = NULL;
    for (;;) {
        unsigned char *larger = realloc(body, room);
        if (!larger) {
            failed("out of memory: '%s' takes %zu bytes", source->path, room);
            break;
        }
        body = larger;
        memory_large_pages(body + have, room - have);
        size_t got = room - have;
        if (!read_in_parts(source, body + have, got) &&
            !source_read(source, body + have, room - have, &got))
            break;
        have += got;
        if (have < room) {
            failed("'%s' is truncated: its header promises %zu bytes of content, %zu are there",
                   source->path, size, have);
            break;
        }
        if (have == size) {
            unsigned char beyond;
            if (!source_read(source, &beyond, 1, &got))
                break;
            if (got == 0)
                return body;
            failed("'%s' goes on after the %zu bytes of content that its header promises",
                   source->path, size);
            break;
        }
        room = size - room > room ? 2 * room : size;
    }
    free(body);
    return NULL;
}

char *source_rest(const Source *source, size_t *size)
{
    size_t room = source->room + 1, got;
    char *rest = NULL;
    *size = 0;
    for (;;) {
        char *larger = realloc(rest, room);
        if (!larger) {
            failed("out of memory: '%s' takes %zu bytes", source->path, room);
            break;
        }
        rest = larger;
        if (!source_read(source, rest + *size, room - 1 - *size, &got))
            break;
        *size += got;
        if (*size < room - 1) {
            rest[*size] = '\0';
            return rest;
        }
        room *= 2;
    }
    free(rest);
    return NULL;
}
