// data_idx.c: IDX files, the format of MNIST.

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data.h"

enum { IDX_MAX_DIMS = 4 };

static bool open_named(Source *source, const NnModel *model, const char *folder, const char *name)
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
        if (errno != ENOENT)
            return failed("cannot read '%s': %s", source->path, strerror(errno));
        if (length + 4 > RUN_PATH)
            return failed("the path of '%s' is too long", name);
        strcpy(source->path + length, ".gz");
        if (access(source->path, F_OK) != 0) {
            if (errno != ENOENT)
                return failed("cannot read '%s': %s", source->path, strerror(errno));
            source->path[length] = '\0';
            return failed("'%s' is missing, and so is '%s.gz'; fetch them with 'tools/fetch-data "
                          "%s' or name their folder with '--data DIR'",
                          source->path, name, model->data);
        }
    }
    return source_open_path(source);
}

static uint32_t big_endian(const unsigned char *byte)
{
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

// Pictures where the network takes rows, or the other way round, are told by their dimensions.
static bool wrong_magic(const Source *source, int dims, const char *what, uint32_t found)
{
    static const char *const forms[IDX_MAX_DIMS + 1] = {
        [2] = "count x values",
        [3] = "count x height x width",
        [4] = "count x height x width x channels",
    };
    const uint32_t others = found - 0x0800u;
    if (others <= IDX_MAX_DIMS && forms[others] && forms[dims])
        return failed("'%s' is %s, the network's input takes %s", source->path, forms[others],
                      forms[dims]);
    return failed("'%s' is no IDX file of %s: expected magic number 0x%08x, found 0x%08x",
                  source->path, what, 0x0800u + (uint32_t)dims, found);
}

// The header: a magic number that tells the count of dimensions, then the dimensions.
static bool read_header(const Source *source, int dims, const char *what,
                        uint32_t dim[IDX_MAX_DIMS])
{
    unsigned char header[4 * (IDX_MAX_DIMS + 1)];
    const size_t size = 4 * ((size_t)dims + 1);
    size_t got;
    if (!source_read(source, header, size, &got))
        return false;
    if (got == 0)
        return failed("'%s' is empty", source->path);
    if (got >= 4 && big_endian(header) != 0x0800u + (uint32_t)dims)
        return wrong_magic(source, dims, what, big_endian(header));
    if (got < size)
        return failed("'%s' is truncated: its header has %zu of %zu bytes", source->path, got,
                      size);
    for (int i = 0; i < dims; i++)
        dim[i] = big_endian(header + 4 * (i + 1));
    if (dim[0] == 0)
        return failed("'%s' has no %s", source->path, what);
    if (dim[0] > MOST_EXAMPLES)
        return failed("'%s' promises %u %s; at most %d can be used", source->path, dim[0], what,
                      MOST_EXAMPLES);
    return true;
}

// Rows are IDX files of two dimensions, pictures of one channel of three, coloured ones of four
// (count, height, width, channel).
static bool read_pictures(DataSet *set, const Wanted *wanted, const Source *source)
{
    const NnModel *model = wanted->model;
    const bool row = model->height == 1 && model->width == 1;
    const int dims = row ? 2 : model->channels > 1 ? 4 : 3;
    uint32_t dim[IDX_MAX_DIMS] = {0, 0, 0, 1};
    if (!read_header(source, dims, "pictures", dim))
        return false;
    if (row) {
        dim[3] = dim[1];
        dim[1] = dim[2] = 1;
    }
    if (dim[1] != (uint32_t)model->height || dim[2] != (uint32_t)model->width ||
        dim[3] != (uint32_t)model->channels)
        return failed("'%s' holds pictures of %ux%ux%u, the network takes %dx%dx%d", source->path,
                      dim[1], dim[2], dim[3], model->height, model->width, model->channels);
    size_t size;
    if (__builtin_mul_overflow((size_t)dim[0], (size_t)example_size(model), &size))
        return failed("'%s' promises %u pictures, more than memory can hold", source->path, dim[0]);
    set->count = (int)dim[0];
    set->pictures = source_body(source, size);
    return set->pictures != NULL;
}

static bool read_labels(DataSet *set, const Wanted *wanted, const Source *source)
{
    uint32_t dim[IDX_MAX_DIMS];
    if (!read_header(source, 1, "labels", dim))
        return false;
    if (dim[0] != (uint32_t)set->count)
        return failed("'%s' holds %u labels for %d pictures", source->path, dim[0], set->count);
    set->labels = source_body(source, dim[0]);
    if (!set->labels)
        return false;
    const int classes = wanted->model->classes;
    for (int i = 0; i < set->count; i++)
        if (set->labels[i] >= classes)
            return failed("'%s': label %d at index %d is out of range: the network has %d classes",
                          source->path, set->labels[i], i, classes);
    return true;
}

static bool read_file(DataSet *set, const Wanted *wanted, const char *given, const char *name,
                      bool (*read)(DataSet *, const Wanted *, const Source *))
{
    Source source;
    if (given ? !source_open(&source, wanted, given)
              : !open_named(&source, wanted->model, wanted->folder, name))
        return false;
    const bool done = read(set, wanted, &source);
    source_close(&source);
    return done;
}

bool idx_read(DataSet *set, const Wanted *wanted)
{
    const char *prefix = wanted->part == DATA_TRAIN ? "train" : "t10k";
    char pictures[64], labels[64];
    snprintf(pictures, sizeof pictures, "%s-images-idx%d-ubyte", prefix,
             wanted->model->channels > 1 ? 4 : 3);
    snprintf(labels, sizeof labels, "%s-labels-idx1-ubyte", prefix);
    const NnFiles *files = &wanted->files;
    return read_file(set, wanted, files->inputs, pictures, read_pictures) &&
           ((files->inputs && !files->answers) ||
            read_file(set, wanted, files->answers, labels, read_labels));
}
