// lab_read.c: lab.json: a title, sections with what they teach, and the rows to run.
#include "json_place.h"
#include "lab.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

// A value of the file and its path, "rows[3].define".
typedef struct {
    const Source *source;
    const cJSON *json; // NULL: not there
    const char *path;
} Item;

static void PRINTF(2, 3) wrong(Item value, const char *pattern, ...)
{
    char text[300];
    va_list args;
    va_start(args, pattern);
    vsnprintf(text, sizeof text, pattern, args);
    va_end(args);
    error_at(E931, json_place(value.source, value.path), "%s", text);
}

static Item member(Item of, const char *name)
{
    return (Item){of.source, cJSON_GetObjectItemCaseSensitive(of.json, name),
                  *of.path ? format("%s.%s", of.path, name) : name};
}

static Item element(Item of, int index)
{
    return (Item){of.source, cJSON_GetArrayItem(of.json, index), format("%s[%d]", of.path, index)};
}

static bool is_absent(Item value) { return !value.json || cJSON_IsNull(value.json); }

static const char *name_of(Item value)
{
    const char *const dot = strrchr(value.path, '.');
    return dot ? dot + 1 : value.path;
}

// "" where there is none.
static const char *text_of(Item value, bool required)
{
    if (cJSON_IsString(value.json)) {
        if (has_control(value.json->valuestring))
            wrong(value, "'%s' has a control character", name_of(value));
        return format("%s", value.json->valuestring);
    }
    if (!is_absent(value))
        wrong(value, "'%s' is a text", name_of(value));
    else if (required)
        wrong(value, "'%s' is missing", name_of(value));
    return "";
}

static double number_of(Item value)
{
    if (cJSON_IsNumber(value.json) && isfinite(value.json->valuedouble))
        return value.json->valuedouble;
    if (!is_absent(value))
        wrong(value, "'%s' is a number, or null", name_of(value));
    return NAN;
}

static int seeds_of(Item value)
{
    if (is_absent(value))
        return 1;
    const double number = cJSON_IsNumber(value.json) ? value.json->valuedouble : 0;
    if (number >= 1 && number <= MOST_SEEDS && number == floor(number))
        return (int)number;
    wrong(value, "'seeds' is a whole number from 1 to %d", MOST_SEEDS);
    return 1;
}

// Whether it is an object; keys beyond these are errors too.
static bool is_object(Item value, const char *const *keys, int count)
{
    if (!cJSON_IsObject(value.json)) {
        wrong(value, *value.path ? "expected an object, '{ ... }'" : "expected '{' at the start");
        return false;
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, value.json)
    {
        bool known = false;
        for (int i = 0; i < count; i++)
            known |= !strcmp(keys[i], item->string);
        if (known)
            continue;
        const char *const near = nearest_word(item->string, keys, count);
        wrong(member(value, item->string), "unknown key '%s'; %s", item->string,
              near ? format("did you mean '%s'?", near)
                   : format("known are %s", join_words(keys, count, "and")));
    }
    return true;
}
#define IS_OBJECT(value, ...)                                                                      \
    is_object(value, (const char *const[]){__VA_ARGS__},                                           \
              (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)))

// { "width": 50 } is "width=50".
static List overrides_of(Item value)
{
    List list = {0};
    if (is_absent(value))
        return list;
    if (!cJSON_IsObject(value.json)) {
        wrong(value, "'%s' is an object of names and values", name_of(value));
        return list;
    }
    list.items = allocate(((size_t)cJSON_GetArraySize(value.json) + 1) * sizeof *list.items);
    const cJSON *item;
    cJSON_ArrayForEach(item, value.json)
    {
        if (has_control(item->string))
            wrong(value, "a name in '%s' has a control character", name_of(value));
        else if (cJSON_IsString(item) && has_control(item->valuestring))
            wrong(member(value, item->string), "'%s' has a control character", item->string);
        else if (cJSON_IsNumber(item))
            list.items[list.count++] =
                format("%s=%s", item->string, number_text(item->valuedouble));
        else if (cJSON_IsString(item))
            list.items[list.count++] = format("%s=%s", item->string, item->valuestring);
        else
            wrong(member(value, item->string), "'%s' is a number or a text", item->string);
    }
    return list;
}

static Score score_of(Item value)
{
    if (is_absent(value) || !IS_OBJECT(value, "accuracy", "loss", "seconds"))
        return (Score){NAN, NAN, NAN};
    return (Score){number_of(member(value, "accuracy")), number_of(member(value, "loss")),
                   number_of(member(value, "seconds"))};
}

// "models/lab/width.net" for "width.net" in models/lab/lab.json.
static const char *beside(const char *path, const char *name)
{
    const char *const slash = strrchr(path, '/');
    if (*name == '/' || !slash)
        return name;
    return format("%.*s/%s", (int)(slash - path), path, name);
}

static bool has_section(const Lab *lab, const char *name)
{
    for (int i = 0; i < lab->section_count; i++)
        if (!strcmp(lab->sections[i].name, name))
            return true;
    return false;
}

static void read_row(Lab *lab, Item row)
{
    if (!IS_OBJECT(row, "section", "network", "net", "define", "set", "published", "note", "why"))
        return;
    Experiment *const to = &lab->rows[lab->count++];
    *to = (Experiment){.number = lab->count,
                       .section = text_of(member(row, "section"), false),
                       .network = text_of(member(row, "network"), true),
                       .net = beside(row.source->path, text_of(member(row, "net"), true)),
                       .defines = overrides_of(member(row, "define")),
                       .sets = overrides_of(member(row, "set")),
                       .published = score_of(member(row, "published")),
                       .note = text_of(member(row, "note"), false),
                       .why = text_of(member(row, "why"), false)};
    lab->compared |= !isnan(to->published.accuracy);
    if (*to->section && lab->section_count && !has_section(lab, to->section))
        wrong(member(row, "section"), "there is no section '%s' in 'sections'", to->section);
}

static void read_sections(Lab *lab, Item sections)
{
    if (is_absent(sections))
        return;
    const int count = cJSON_GetArraySize(sections.json);
    if (!cJSON_IsArray(sections.json)) {
        wrong(sections, "'sections' is an array, '[ ... ]'");
        return;
    }
    lab->sections = allocate((size_t)count * sizeof *lab->sections + 1);
    for (int i = 0; i < count; i++) {
        const Item section = element(sections, i);
        if (IS_OBJECT(section, "name", "teaches"))
            lab->sections[lab->section_count++] = (LabSection){
                text_of(member(section, "name"), true), text_of(member(section, "teaches"), false)};
    }
}

static void read_all(Lab *lab, Item file)
{
    if (!IS_OBJECT(file, "title", "about", "seeds", "sections", "rows"))
        return;
    lab->title = text_of(member(file, "title"), true);
    lab->about = text_of(member(file, "about"), false);
    lab->seeds = seeds_of(member(file, "seeds"));
    read_sections(lab, member(file, "sections"));
    const Item rows = member(file, "rows");
    const int count = cJSON_GetArraySize(rows.json);
    if (!cJSON_IsArray(rows.json) || !count) {
        wrong(rows, "'rows' is an array of one row or more, '[ { ... } ]'");
        return;
    }
    lab->rows = allocate((size_t)count * sizeof *lab->rows);
    for (int i = 0; i < count; i++)
        read_row(lab, element(rows, i));
}

Lab *read_lab(const char *path)
{
    const Source *const source = source_read(path);
    if (!source)
        return NULL;
    const char *end = source->text;
    cJSON *const json = cJSON_ParseWithOpts(source->text, &end, true);
    if (!json) {
        const int at = (int)(end - source->text);
        error_at(E930, (Loc){source, at, at + 1}, "this is no JSON from here on");
        return NULL;
    }
    const int errors = error_count();
    Lab *const lab = allocate(sizeof *lab);
    read_all(lab, (Item){source, json, ""});
    cJSON_Delete(json);
    return error_count() > errors ? NULL : lab;
}
