// data_classes.c: labels that are words, and what class each stands for.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

static bool as_number(const char *name, double *number)
{
    char *end;
    *number = strtod(name, &end);
    return *name && !*end && isfinite(*number);
}

// Numbers by size and before words; words byte by byte.
static int by_name(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;
    double x, y;
    const bool number_a = as_number(a, &x), number_b = as_number(b, &y);
    if (number_a && number_b && x != y)
        return x < y ? -1 : 1;
    if (number_a != number_b)
        return number_a ? -1 : 1;
    return strcmp(a, b);
}

Classes *classes_of(char *const *names, int count)
{
    size_t size = sizeof(Classes) + (size_t)count * sizeof(char *);
    for (int i = 0; i < count; i++)
        size += strlen(names[i]) + 1;
    Classes *classes = allocate(1, size);
    if (!classes)
        return NULL;
    classes->count = count;
    char *text = (char *)(classes->name + count);
    for (int i = 0; i < count; i++) {
        classes->name[i] = strcpy(text, names[i]);
        text += strlen(names[i]) + 1;
    }
    return classes;
}

// True where each name is the number of a class itself.
static bool are_labels(char *const *names, int count, int classes, unsigned char *labels)
{
    for (int i = 0; i < count; i++) {
        double number;
        if (!as_number(names[i], &number) || !(number >= 0 && number < classes) ||
            number != (int)number)
            return false;
        labels[i] = (unsigned char)number;
    }
    return true;
}

// "a, b, c and 7 more"
static void list_names(char text[256], char *const *names, int count)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (used + strlen(names[i]) > 150) {
            snprintf(text + used, 256 - used, " and %d more", count - i);
            return;
        }
        used += (size_t)snprintf(text + used, 256 - used, "%s%s", i ? ", " : "", names[i]);
    }
}

static const char *outputs_text(const NnModel *model, char text[40])
{
    if (model->outputs == 1)
        return "one output, for two";
    snprintf(text, 40, "%d outputs", model->outputs);
    return text;
}

static bool make_classes(const Wanted *wanted, const char *path, char *const *names, int count)
{
    char **sorted = allocate((size_t)count, sizeof *sorted), list[256], outputs[40];
    if (!sorted)
        return false;
    memcpy(sorted, names, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_name);
    int distinct = 0;
    for (int i = 0; i < count; i++)
        if (i == 0 || strcmp(sorted[i], sorted[distinct - 1]) != 0)
            sorted[distinct++] = sorted[i];
    const int wants = wanted->model->classes;
    if (distinct == wants) {
        *wanted->classes = classes_of(sorted, distinct);
    } else {
        list_names(list, sorted, distinct);
        failed("'%s' has %d class%s (%s), the network %s", path, distinct, distinct > 1 ? "es" : "",
               list, outputs_text(wanted->model, outputs));
    }
    free(sorted);
    return distinct == wants && *wanted->classes;
}

static bool unknown_name(const Wanted *wanted, const char *path, const char *name,
                         const char *place)
{
    const Classes *classes = *wanted->classes;
    char list[256];
    if (!classes)
        return failed("'%s'%s: expected a class from 0 to %d, found '%.60s'", path, place,
                      wanted->model->classes - 1, name);
    list_names(list, (char *const *)(uintptr_t)classes->name, classes->count);
    return failed("'%s'%s: expected a class (%s), found '%.60s'", path, place, list, name);
}

bool classes_find(const Wanted *wanted, const char *path, char *const *names, int count,
                  unsigned char *labels, void (*where)(char text[64], int i, const void *context),
                  const void *context)
{
    if (!*wanted->classes && are_labels(names, count, wanted->model->classes, labels))
        return true;
    for (int i = 0; i < count; i++)
        if (!is_utf8(names[i])) { // the names are to be JSON
            char place[64] = "";
            where(place, i, context);
            return failed("'%s'%s: expected the name of a class in UTF-8, found '%.60s'; save it "
                          "as UTF-8",
                          path, place, names[i]);
        }
    if (!*wanted->classes && wanted->part == DATA_TRAIN &&
        !make_classes(wanted, path, names, count))
        return false;
    const Classes *classes = *wanted->classes;
    for (int i = 0; i < count; i++) {
        const char *const *found = classes
                                       ? bsearch(&names[i], classes->name, (size_t)classes->count,
                                                 sizeof *classes->name, by_name)
                                       : NULL;
        double number;
        const bool plain = !classes && as_number(names[i], &number) && number >= 0 &&
                           number < wanted->model->classes && number == (int)number;
        if (!found && !plain) {
            char place[64] = "";
            where(place, i, context);
            return unknown_name(wanted, path, names[i], place);
        }
        labels[i] = found ? (unsigned char)(found - classes->name) : (unsigned char)number;
    }
    return true;
}
