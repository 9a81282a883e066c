// data.c: the data set, from IDX files, plain or gzipped.
//
// A header is a promise that a damaged file need not keep: memory grows with the bytes that
// arrive, and every number is checked before it is used.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "run.h"

enum { IDX_MAX_DIMS = 4, FIRST_BYTES = 1 << 16, MOST_PICTURES = 1 << 30 };

typedef struct {
    char path[RUN_PATH];
    gzFile file; // reads a plain file as it is
    size_t room; // a first guess at the bytes that it holds
} Source;

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

// Reads up to `size` bytes; false where the file is at fault, not where it is short.
static bool read_some(const Source *source, void *to, size_t size, size_t *got)
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

static bool open_source(Source *source, const NnModel *model, const char *folder, const char *name)
{
    struct stat found;
    if (stat(folder, &found) != 0)
        return failed("no data set in '%s': %s; fetch it with 'tools/fetch-data %s' or name its "
                      "folder with '--data DIR'",
                      folder, strerror(errno), model->data);
    if (!S_ISDIR(found.st_mode))
        return failed("no data set in '%s': it is not a folder", folder);
    if (!path_join(source->path, folder, name))
        return false;
    const size_t length = strlen(source->path);
    if (access(source->path, F_OK) != 0) {
        if (length + 4 > RUN_PATH)
            return failed("the path of '%s' is too long", name);
        strcpy(source->path + length, ".gz");
        if (access(source->path, F_OK) != 0) {
            source->path[length] = '\0';
            return failed("'%s' is missing, and so is '%s.gz'; fetch them with 'tools/fetch-data "
                          "%s' or name their folder with '--data DIR'",
                          source->path, name, model->data);
        }
    }
    errno = 0;
    source->file = gzopen(source->path, "rb");
    if (!source->file)
        return failed("cannot read '%s': %s", source->path,
                      errno ? strerror(errno) : "out of memory");
    gzbuffer(source->file, 1 << 17);
    const bool sized = stat(source->path, &found) == 0 && found.st_size > FIRST_BYTES;
    source->room = sized ? (size_t)found.st_size : FIRST_BYTES;
    return true;
}

static uint32_t big_endian(const unsigned char *byte)
{
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

// The header: a magic number that tells the count of dimensions, then the dimensions.
static bool read_header(const Source *source, int dims, const char *what,
                        uint32_t dim[IDX_MAX_DIMS])
{
    unsigned char header[4 * (IDX_MAX_DIMS + 1)];
    const size_t size = 4 * ((size_t)dims + 1);
    const uint32_t expected = 0x0800u + (uint32_t)dims;
    size_t got;
    if (!read_some(source, header, size, &got))
        return false;
    if (got == 0)
        return failed("'%s' is empty", source->path);
    if (got >= 4 && big_endian(header) != expected)
        return failed("'%s' is no IDX file of %s: expected magic number 0x%08x, found 0x%08x",
                      source->path, what, expected, big_endian(header));
    if (got < size)
        return failed("'%s' is truncated: its header has %zu of %zu bytes", source->path, got,
                      size);
    for (int i = 0; i < dims; i++)
        dim[i] = big_endian(header + 4 * (i + 1));
    if (dim[0] == 0)
        return failed("'%s' has no %s", source->path, what);
    if (dim[0] > MOST_PICTURES)
        return failed("'%s' promises %u %s; at most %d can be used", source->path, dim[0], what,
                      MOST_PICTURES);
    return true;
}

// Reads exactly `size` bytes and the end of the file; the caller owns them.
static unsigned char *read_body(const Source *source, size_t size)
{
    size_t room = size < source->room ? size : source->room, have = 0;
    unsigned char *body = NULL;
    for (;;) {
        unsigned char *larger = realloc(body, room);
        if (!larger) {
            failed("out of memory: '%s' holds more than %zu bytes", source->path, have);
            break;
        }
        body = larger;
        memory_large_pages(body + have, room - have);
        size_t got;
        if (!read_some(source, body + have, room - have, &got))
            break;
        have += got;
        if (have < room) {
            failed("'%s' is truncated: its header promises %zu bytes of content, %zu are there",
                   source->path, size, have);
            break;
        }
        if (have == size) {
            unsigned char beyond;
            if (!read_some(source, &beyond, 1, &got))
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

static bool read_pictures(DataSet *set, const NnModel *model, const Source *source)
{
    const bool colour = model->channels > 1;
    uint32_t dim[IDX_MAX_DIMS] = {0, 0, 0, 1};
    if (!read_header(source, colour ? 4 : 3, "pictures", dim))
        return false;
    if (dim[1] != (uint32_t)model->height || dim[2] != (uint32_t)model->width ||
        dim[3] != (uint32_t)model->channels)
        return failed("'%s' holds pictures of %ux%ux%u, the network takes %dx%dx%d", source->path,
                      dim[1], dim[2], dim[3], model->height, model->width, model->channels);
    size_t size;
    if (__builtin_mul_overflow((size_t)dim[0],
                               (size_t)model->height * (size_t)model->width * dim[3], &size))
        return failed("'%s' promises %u pictures, more than memory can hold", source->path, dim[0]);
    set->count = (int)dim[0];
    set->pictures = read_body(source, size);
    return set->pictures != NULL;
}

static bool read_labels(DataSet *set, const NnModel *model, const Source *source)
{
    uint32_t dim[IDX_MAX_DIMS];
    if (!read_header(source, 1, "labels", dim))
        return false;
    if (dim[0] != (uint32_t)set->count)
        return failed("'%s' holds %u labels for %d pictures", source->path, dim[0], set->count);
    set->labels = read_body(source, dim[0]);
    if (!set->labels)
        return false;
    for (int i = 0; i < set->count; i++)
        if (set->labels[i] >= model->classes)
            return failed("'%s': label %d at index %d is out of range: the network has %d classes",
                          source->path, set->labels[i], i, model->classes);
    return true;
}

static bool read_source(DataSet *set, const NnModel *model, const char *folder, const char *name,
                        bool (*read)(DataSet *, const NnModel *, const Source *))
{
    Source source;
    if (!open_source(&source, model, folder, name))
        return false;
    const bool done = read(set, model, &source);
    gzclose_r(source.file);
    return done;
}

// Reads one part of the data set in `folder`. Pictures of one channel are IDX files of three
// dimensions, coloured ones of four (count, height, width, channel). On failure the set is empty.
bool data_load(DataSet *set, const NnModel *model, const char *folder, DataPart part)
{
    const char *prefix = part == DATA_TRAIN ? "train" : "t10k";
    char pictures[64], labels[64];
    snprintf(pictures, sizeof pictures, "%s-images-idx%d-ubyte", prefix,
             model->channels > 1 ? 4 : 3);
    snprintf(labels, sizeof labels, "%s-labels-idx1-ubyte", prefix);
    *set = (DataSet){0};
    if (read_source(set, model, folder, pictures, read_pictures) &&
        read_source(set, model, folder, labels, read_labels))
        return true;
    data_free(set);
    return false;
}

void data_free(DataSet *set)
{
    free(set->pictures);
    free(set->labels);
    *set = (DataSet){0};
}
