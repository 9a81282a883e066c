// data_cifar.c: the binary version of CIFAR-10: data_batch_1.bin to data_batch_5.bin and
// test_batch.bin.
//
// An example is a byte of label and its picture, one channel after the other; here a pixel's
// channels lie together.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data.h"

static void turn_picture(const NnModel *model, const unsigned char *planes, unsigned char *picture)
{
    const int pixels = model->height * model->width;
    for (int c = 0; c < model->channels; c++)
        for (int p = 0; p < pixels; p++)
            picture[p * model->channels + c] = planes[c * pixels + p];
}

static bool add_examples(DataSet *set, const Wanted *wanted, const Source *source,
                         const unsigned char *bytes, size_t size)
{
    const NnModel *model = wanted->model;
    const size_t picture = (size_t)example_size(model), each = picture + 1;
    const size_t count = size / each, before = (size_t)set->count;
    if (size == 0 || size % each != 0)
        return failed("'%s' has %zu bytes, expected a multiple of %zu: a label and a picture of "
                      "%dx%dx%d each",
                      source->path, size, each, model->height, model->width, model->channels);
    unsigned char *pictures = realloc(set->pictures, (before + count) * picture);
    set->pictures = pictures ? pictures : set->pictures;
    unsigned char *labels = pictures ? realloc(set->labels, before + count) : NULL;
    set->labels = labels ? labels : set->labels;
    if (!pictures || !labels || before + count > MOST_EXAMPLES)
        return failed("out of memory for the %zu pictures of '%s'", count, source->path);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *example = bytes + i * each;
        if (example[0] >= model->classes)
            return failed("'%s': label %d at byte %zu is out of range: there are %d classes",
                          source->path, example[0], i * each, model->classes);
        labels[before + i] = example[0];
        turn_picture(model, example + 1, pictures + (before + i) * picture);
    }
    set->count = (int)(before + count);
    return true;
}

static bool read_file(DataSet *set, const Wanted *wanted, const char *name)
{
    Source source;
    struct stat found;
    size_t size;
    if (stat(wanted->folder, &found) != 0)
        return failed("no data set in '%s': %s; put the files of the binary version of CIFAR-10 "
                      "there, or name their folder with '--data DIR'",
                      wanted->folder, strerror(errno));
    if (!source_open(&source, wanted, name))
        return false;
    char *bytes = source_rest(&source, &size);
    const bool done =
        bytes && add_examples(set, wanted, &source, (const unsigned char *)bytes, size);
    free(bytes);
    source_close(&source);
    return done;
}

bool cifar_read(DataSet *set, const Wanted *wanted)
{
    if (wanted->part != DATA_TRAIN)
        return read_file(set, wanted, "test_batch.bin");
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        if (!read_file(set, wanted, name))
            return false;
    }
    return true;
}
