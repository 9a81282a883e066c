// data_npy.c: arrays as NumPy saves them: one of the examples, one of their labels or targets.
//
// A file: the magic bytes and a version, the length of the header, the header, which is a
// dictionary of Python in text, and the numbers (numpy.lib.format). Bytes stay bytes, all else
// becomes float.

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data.h"

enum { MOST_DIMS = 32, LONGEST_HEADER = 1 << 16, CHUNK = 1 << 14 };

typedef struct {
    Source source;
    char kind; // 'u', 'i', 'f', or 'b' of bool
    int bytes; // of one number
    long long dim[MOST_DIMS];
    int dims;
} Array;

// --- the header ---------------------------------------------------------------------------------

static bool wrong_header(const Array *array, const char *what, const char *text)
{
    return failed("'%s' is no NumPy array that can be read: its header has %s, found '%.80s'",
                  array->source.path, what, text);
}

// The value behind 'name': in the dictionary, or NULL.
static const char *find_value(const char *header, const char *name)
{
    const char *found = strstr(header, name);
    if (!found)
        return NULL;
    found += strlen(name);
    found += strspn(found, " ");
    if (*found != ':')
        return NULL;
    found++;
    return found + strspn(found, " ");
}

static bool read_type(Array *array, const char *header)
{
    const char *type = find_value(header, "'descr'");
    if (!type || *type != '\'' || strlen(type) < 5)
        return wrong_header(array, "no 'descr' with a type such as '<f4'", header);
    array->kind = type[2];
    array->bytes = type[3] - '0';
    const char *const sizes = type[2] == 'b' ? "1" : type[2] == 'f' ? "48" : "1248";
    const bool known = strchr("uifb", type[2]) && strchr(sizes, type[3]) && type[4] == '\'';
    if (type[1] == '>' && known && array->bytes > 1)
        return failed("'%s' is big-endian ('%.3s'); save it as '<%.2s'", array->source.path,
                      type + 1, type + 2);
    if (!known || !strchr("<|=>", type[1]))
        return failed("'%s' holds numbers of type '%.*s', expected b1, u1, u2, u4, u8, i1, i2, "
                      "i4, i8, f4 or f8",
                      array->source.path, (int)strcspn(type + 1, "'"), type + 1);
    return true;
}

static bool read_shape(Array *array, const char *header)
{
    const char *shape = find_value(header, "'shape'");
    const char *order = find_value(header, "'fortran_order'");
    if (order && !strncmp(order, "True", 4))
        return failed("'%s' is in Fortran's order; save numpy.ascontiguousarray(x)",
                      array->source.path);
    if (!order || strncmp(order, "False", 5) != 0)
        return wrong_header(array, "no 'fortran_order': False", order ? order : header);
    if (!shape || *shape != '(')
        return wrong_header(array, "no 'shape'", header);
    for (shape++; *shape && *shape != ')';) {
        char *end;
        const long long dim = strtoll(shape, &end, 10);
        if (end == shape || dim < 0 || dim > MOST_EXAMPLES || array->dims == MOST_DIMS)
            return wrong_header(array, "a shape that is not of whole numbers", shape);
        array->dim[array->dims++] = dim;
        shape = end + strspn(end, ", ");
    }
    if (*shape != ')')
        return wrong_header(array, "a shape that does not end", header);
    return true;
}

static bool read_header(Array *array)
{
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    unsigned char first[12];
    size_t got;
    if (!source_read(&array->source, first, 10, &got))
        return false;
    if (got == 0)
        return failed("'%s' is empty", array->source.path);
    if (got >= 2 && !memcmp(first, "PK", 2))
        return failed("'%s' is an archive, as of numpy.savez; save each array by numpy.save",
                      array->source.path);
    if (got < 10 || memcmp(first, magic, sizeof magic) != 0)
        return failed("'%s' is no NumPy array: it does not begin with \\x93NUMPY",
                      array->source.path);
    if (first[6] < 1 || first[6] > 3)
        return failed("'%s' is of version %d of NumPy's format, expected 1 to 3",
                      array->source.path, first[6]);
    size_t length = first[8] | (size_t)first[9] << 8;
    if (first[6] > 1) {
        if (!source_read(&array->source, first + 10, 2, &got))
            return false;
        length |= got == 2 ? (size_t)first[10] << 16 | (size_t)first[11] << 24 : 0;
    }
    if (length > LONGEST_HEADER)
        return failed("'%s': its header would have %zu bytes, at most %d can be read",
                      array->source.path, length, LONGEST_HEADER);
    char *header = allocate(1, length + 1);
    bool done = header && source_read(&array->source, header, length, &got);
    if (done && got < length)
        done = failed("'%s' is truncated: its header has %zu of %zu bytes", array->source.path, got,
                      length);
    done = done && read_type(array, header) && read_shape(array, header);
    free(header);
    return done;
}

static void shape_text(const Array *array, char text[100])
{
    size_t used = 0;
    snprintf(text, 100, "()");
    for (int i = 0; i < array->dims && used < 80; i++)
        used += (size_t)snprintf(text + used, 100 - used, "%s%lld", i ? "x" : "", array->dim[i]);
}

// --- the numbers --------------------------------------------------------------------------------

static double number_at(const Array *array, const unsigned char *bytes)
{
    union {
        uint8_t u1;
        int8_t i1;
        uint16_t u2;
        int16_t i2;
        uint32_t u4;
        int32_t i4;
        uint64_t u8;
        int64_t i8;
        float f4;
        double f8;
    } v;
    memcpy(&v, bytes, (size_t)array->bytes);
    switch (array->kind << 4 | array->bytes) {
    case 'b' << 4 | 1:
    case 'u' << 4 | 1: return v.u1;
    case 'u' << 4 | 2: return v.u2;
    case 'u' << 4 | 4: return v.u4;
    case 'u' << 4 | 8: return (double)v.u8;
    case 'i' << 4 | 1: return v.i1;
    case 'i' << 4 | 2: return v.i2;
    case 'i' << 4 | 4: return v.i4;
    case 'i' << 4 | 8: return (double)v.i8;
    case 'f' << 4 | 4: return (double)v.f4;
    default: return v.f8;
    }
}

// Float does not hold every whole number, but every one that is a class.
static bool convert(const Array *array, const unsigned char *bytes, size_t count, size_t before,
                    float *to)
{
    size_t each = 1; // numbers of an example
    for (int i = 1; i < array->dims; i++)
        each *= (size_t)array->dim[i];
    for (size_t i = 0; i < count; i++) {
        to[i] = (float)number_at(array, bytes + i * (size_t)array->bytes);
        if (!isfinite(to[i]))
            return failed("'%s': number %zu at index %zu is not finite, or too large for a float",
                          array->source.path, (before + i) % each, (before + i) / each);
    }
    return true;
}

// All `count` numbers as floats; memory grows as they come. The caller owns them.
static float *read_floats(const Array *array, size_t count)
{
    unsigned char *chunk = allocate(CHUNK, (size_t)array->bytes), beyond;
    float *numbers = NULL;
    size_t have = 0, room = 0, got = 0;
    bool done = chunk != NULL;
    while (done && have < count) {
        const size_t ask = count - have < CHUNK ? count - have : CHUNK;
        if (have + ask > room) {
            room = 2 * room + ask < count ? 2 * room + ask : count;
            float *larger = realloc(numbers, room * sizeof *numbers);
            if (!larger) {
                done =
                    failed("out of memory for the %zu numbers of '%s'", count, array->source.path);
                break;
            }
            numbers = larger;
        }
        done = source_read(&array->source, chunk, ask * (size_t)array->bytes, &got);
        if (done && got < ask * (size_t)array->bytes)
            done = failed("'%s' is truncated: its shape promises %zu numbers, %zu are there",
                          array->source.path, count, have + got / (size_t)array->bytes);
        done = done && convert(array, chunk, ask, have, numbers + have);
        have += ask;
    }
    if (done && !source_read(&array->source, &beyond, 1, &got))
        done = false;
    if (done && got > 0)
        done = failed("'%s' goes on after the %zu numbers that its shape promises",
                      array->source.path, count);
    free(chunk);
    if (done)
        return numbers;
    free(numbers);
    return NULL;
}

// --- examples, labels, targets ------------------------------------------------------------------

// A picture, or its numbers in one row; one channel need not be said.
static bool is_picture(const int shape[3], const long long *dim, int dims)
{
    if (dims == 1 && dim[0] == (long long)shape[0] * shape[1] * shape[2])
        return true;
    for (int i = 0; i < dims; i++)
        if (i >= 3 || dim[i] != shape[i])
            return false;
    return dims == 3 || (dims == 2 && shape[2] == 1);
}

static bool is_example(const NnModel *model, const long long *dim, int dims)
{
    return is_picture((int[3]){model->height, model->width, model->channels}, dim, dims);
}

static bool has_bytes(const Array *array) { return array->kind == 'u' && array->bytes == 1; }

static bool read_inputs(DataSet *set, const Wanted *wanted, Array *array)
{
    const NnModel *model = wanted->model;
    const size_t size = (size_t)example_size(model);
    // to predict, an array may be one example
    const bool one = !wanted->answers && is_example(model, array->dim, array->dims);
    char shape[100];
    shape_text(array, shape);
    if (!one && (array->dims < 2 || !is_example(model, array->dim + 1, array->dims - 1)))
        return model->height * model->width == 1
                   ? failed("'%s' is %s, the network takes examples of %d values",
                            array->source.path, shape, model->channels)
                   : failed("'%s' is %s, the network takes examples of %dx%dx%d",
                            array->source.path, shape, model->height, model->width,
                            model->channels);
    if (!one && array->dim[0] == 0)
        return failed("'%s' has no examples", array->source.path);
    if (one) {
        array->dims = 2;
        array->dim[0] = 1;
        array->dim[1] = (long long)size;
    }
    set->count = (int)array->dim[0];
    if (has_bytes(array)) {
        set->pictures = source_body(&array->source, (size_t)set->count * size);
        return set->pictures != NULL;
    }
    set->numbers = read_floats(array, (size_t)set->count * size);
    return set->numbers != NULL;
}

// `shape`: of a picture for each example, or NULL.
static bool one_for_each(const DataSet *set, const Array *array, int each, const int *shape,
                         const char *what)
{
    char found[100], picture[60] = "";
    shape_text(array, found);
    if (shape)
        snprintf(picture, sizeof picture, "%dx%dx%dx%d or ", set->count, shape[0], shape[1],
                 shape[2]);
    const bool fits = array->dims == 2 ? array->dim[1] == each : array->dims == 1 && each == 1;
    if (!fits && !(shape && array->dims > 1 && is_picture(shape, array->dim + 1, array->dims - 1)))
        return failed("'%s' is %s, expected %s%dx%d: %d %s for each example", array->source.path,
                      found, picture, set->count, each, each, what);
    if (array->dim[0] != set->count)
        return failed("'%s' has %lld %s for %d examples", array->source.path, array->dim[0], what,
                      set->count);
    return true;
}

static bool read_labels(DataSet *set, const Wanted *wanted, const Array *array)
{
    const int classes = wanted->model->classes;
    if (!one_for_each(set, array, 1, NULL, "labels"))
        return false;
    float *numbers = read_floats(array, (size_t)set->count);
    set->labels = numbers ? allocate((size_t)set->count, 1) : NULL;
    bool done = set->labels != NULL;
    for (int i = 0; done && i < set->count; i++) {
        if (!(numbers[i] >= 0 && numbers[i] < (float)classes) || numbers[i] != floorf(numbers[i]))
            done = failed("'%s': label %g at index %d is out of range: the network has %d classes",
                          array->source.path, (double)numbers[i], i, classes);
        else
            set->labels[i] = (unsigned char)numbers[i];
    }
    free(numbers);
    return done;
}

static bool read_targets(DataSet *set, const Wanted *wanted, const Array *array)
{
    const NnModel *model = wanted->model;
    const size_t count = (size_t)set->count * (size_t)model->targets;
    if (!one_for_each(set, array, model->targets, *model->target_shape ? model->target_shape : NULL,
                      "targets"))
        return false;
    set->targets = read_floats(array, count);
    for (size_t i = 0; set->targets && i < count; i++)
        if (!in_target_range(model, set->targets[i]))
            return failed("'%s': target %g at index %zu is out of range: '%s' takes targets %s%s",
                          array->source.path, (double)set->targets[i], i / (size_t)model->targets,
                          model->loss, target_range_text(model),
                          has_bytes(array) ? "; bytes to learn are not multiplied by 1/255" : "");
    return set->targets != NULL;
}

static bool read_answers(DataSet *set, const Wanted *wanted, Array *array)
{
    return wanted->model->targets ? read_targets(set, wanted, array)
                                  : read_labels(set, wanted, array);
}

static bool read_array(DataSet *set, const Wanted *wanted, const char *name,
                       bool (*read)(DataSet *, const Wanted *, Array *))
{
    Array array = {.dims = 0};
    if (!source_open(&array.source, wanted, name))
        return false;
    const bool done = read_header(&array) && read(set, wanted, &array);
    source_close(&array.source);
    return done;
}

// Bytes and other numbers are multiplied by different ones: those of validation and test must be as
// those that are trained with, where these are at hand.
bool npy_scaled_alike(const NnModel *model, const char *folder, const char *name, bool bytes)
{
    Array trained = {.dims = 0};
    if (model->byte_scale == model->number_scale || model->files.inputs == name)
        return true;
    if (!source_place(&trained.source, folder, model->files.inputs))
        return false;
    if (access(trained.source.path, R_OK) != 0)
        return true;
    if (!source_open_path(&trained.source))
        return false;
    bool done = read_header(&trained);
    if (done && bytes != has_bytes(&trained))
        done = failed("'%s' holds %s, and '%s', which the network learns from, %s: bytes are "
                      "multiplied by 1/255, all else is not; 'scale' says by what both are",
                      name, bytes ? "bytes" : "numbers that are no bytes", model->files.inputs,
                      bytes ? "does not" : "bytes");
    source_close(&trained.source);
    return done;
}

bool npy_read(DataSet *set, const Wanted *wanted)
{
    const NnFiles *files = &wanted->files;
    return read_array(set, wanted, files->inputs, read_inputs) &&
           npy_scaled_alike(wanted->model, wanted->trained, files->inputs, set->pictures != NULL) &&
           (!files->answers || read_array(set, wanted, files->answers, read_answers));
}
