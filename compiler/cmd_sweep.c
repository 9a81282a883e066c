// cmd_sweep.c: `netc sweep` trains one network for each combination of the values of -D and --set.
#include "build.h"
#include "lab.h"

#include <math.h>
#include <string.h>

enum { MAX_ROWS = 1000, MAX_AXES = 16, LONGEST_NAME = 200 };

// `width=50,100,200`: what varies in one -D or --set, with one value or several.
typedef struct {
    const char *name;
    List values;
    bool is_set;
} Axis;

typedef struct {
    Axis axes[MAX_AXES];
    int count, rows;
} Axes;

// Up to a comma; one in quotes belongs to the value, a list of columns.
static size_t value_length(const char *text)
{
    bool quoted = false;
    size_t length = 0;
    for (; text[length] && (quoted || text[length] != ','); length++)
        quoted ^= text[length] == '"';
    return length;
}

static bool is_there(const Axes *axes, const char *name, bool is_set)
{
    for (int i = 0; i < axes->count; i++)
        if (axes->axes[i].is_set == is_set && !strcmp(axes->axes[i].name, name))
            return true;
    return false;
}

static bool add_axis(Axes *axes, const char *text, bool is_set)
{
    const char *const option = is_set ? "--set" : "-D", *const equals = strchr(text, '=');
    if (!equals || equals == text) {
        error_at(E935, (Loc){0}, "'%s %s' is not NAME=VALUE,VALUE,...", option, text);
        return false;
    }
    if (has_control(text)) {
        error_at(E935, (Loc){0}, "'%s %s' has a control character", option, text);
        return false;
    }
    if (axes->count == MAX_AXES) {
        error_at(E935, (Loc){0}, "more than %d -D and --set", MAX_AXES);
        return false;
    }
    const char *const name = format("%.*s", (int)(equals - text), text);
    if (is_there(axes, name, is_set)) {
        error_at(E935, (Loc){0}, "'%s %s' is given twice", option, name);
        return false;
    }
    Axis *const axis = &axes->axes[axes->count++];
    *axis = (Axis){.name = name, .is_set = is_set};
    axis->values.items = allocate((strlen(text) + 1) * sizeof(char *));
    for (const char *at = equals + 1;;) {
        const size_t length = value_length(at);
        if (!length) {
            error_at(E935, (Loc){0}, "'%s %s' has an empty value", option, text);
            return false;
        }
        axis->values.items[axis->values.count++] = format("%.*s", (int)length, at);
        if (!at[length])
            break;
        at += length + 1;
    }
    if (axes->rows > MAX_ROWS / axis->values.count) {
        error_at(E935, (Loc){0}, "more than %d combinations", MAX_ROWS);
        return false;
    }
    axes->rows *= axis->values.count;
    return true;
}

static bool read_axes(Axes *axes, const Options *o)
{
    *axes = (Axes){.rows = 1};
    for (int i = 0; i < o->defines.count; i++)
        if (!add_axis(axes, o->defines.items[i], false))
            return false;
    for (int i = 0; i < o->sets.count; i++)
        if (!add_axis(axes, o->sets.items[i], true))
            return false;
    if (axes->rows > 1)
        return true;
    error_at(E935, (Loc){0}, "nothing varies");
    note_at((Loc){0}, "give a param or a training statement several values: -D width=50,100,200 or "
                      "--set seed=1,2,3");
    return false;
}

static void add_override(List *list, const char *text)
{
    if (!list->items)
        list->items = allocate(MAX_AXES * sizeof *list->items);
    list->items[list->count++] = text;
}

// A file's name for a text, of no two texts the same: "width=8%2F2_seed=1" of "width=8/2 seed=1".
static const char *file_name(const char *text)
{
    Text name = {0};
    for (; *text; text++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=.-", *text))
            text_put(&name, text, 1);
        else if (*text == ' ')
            text_add(&name, "_");
        else
            text_add(&name, "%%%02X", (unsigned char)*text);
    if (name.length <= LONGEST_NAME)
        return name.text;
    const uint64_t rest = hash_bytes(hash_start, name.text, name.length); // of all of it
    return format("%.*s%016llx", LONGEST_NAME - 16, name.text, (unsigned long long)rest);
}

// Row number `index` of the product; the last axis runs fastest.
static Experiment combination(const Lab *lab, const Axes *axes, int index, const char *net)
{
    Experiment row = {.number = index + 1,
                      .section = "",
                      .net = net,
                      .published = {NAN, NAN, NAN},
                      .note = "",
                      .why = "",
                      .chosen = true};
    Text label = {0};
    int left = axes->rows;
    for (int i = 0; i < axes->count; i++) {
        const Axis *const axis = &axes->axes[i];
        left /= axis->values.count;
        const char *const value = axis->values.items[index / left % axis->values.count];
        const char *const text = format("%s=%s", axis->name, value);
        add_override(axis->is_set ? &row.sets : &row.defines, text);
        if (axis->values.count > 1)
            text_add(&label, "%s%s", label.length ? " " : "", text);
    }
    row.network = label.text;
    row.folder = format("%s/%s", lab->folder, file_name(label.text));
    return row;
}

// A name that the network does not have is said once, and before anything is trained.
static bool check_rows(const Lab *lab, const char *net)
{
    const Source *const source = source_read(net);
    const Statement *const statements = source ? parse(source) : NULL;
    for (int i = 0; i < lab->count && !error_count(); i++) {
        const Experiment *const row = &lab->rows[i];
        const Overrides overrides = {row->defines.items, row->defines.count, row->sets.items,
                                     row->sets.count};
        check_overrides(source, statements, &overrides);
    }
    return !error_count();
}

int run_sweep(const Options *o)
{
    const char *const net = o->paths.items[0];
    Axes axes;
    if (!read_axes(&axes, o))
        return MISTAKE;
    const char *const slash = strrchr(net, '/'), *const name = slash ? slash + 1 : net;
    Lab *const lab = allocate(sizeof *lab);
    lab->title = format("%s, %d times", readable(name), axes.rows);
    lab->about = "";
    lab->seeds = 1;
    lab->folder = o->out ? o->out : format("runs/sweep-%s", file_stem(net));
    lab->rows = allocate((size_t)axes.rows * sizeof *lab->rows);
    for (; lab->count < axes.rows; lab->count++)
        lab->rows[lab->count] = combination(lab, &axes, lab->count, net);
    return check_rows(lab, net) ? run_experiments(lab, o) : MISTAKE;
}
