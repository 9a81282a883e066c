// definitions.c: generated C taken apart into functions, tables and headings.
//
// It knows the layout that emit.c writes, not C: a blank line before a line that is not indented
// ends a definition, and a comment belongs to what stands right below it.
#include "definitions.h"

#include <string.h>

static const char rule_start[] = "// --- ";

static bool is_comment(const char *line) { return !strncmp(line, "//", 2); }

// "dense1: dense 10 softmax   300 -> 10" of the rule that has it.
static const char *rule_title(const char *line)
{
    const char *const title = line + strlen(rule_start);
    size_t length = strlen(title);
    while (length && (title[length - 1] == '-' || title[length - 1] == ' '))
        length--;
    return format("%.*s", (int)length, title);
}

// The identifier that ends at `end`.
static const char *identifier_before(const char *start, const char *end)
{
    while (end > start && end[-1] == ' ')
        end--;
    const char *from = end;
    while (from > start && is_letter(from[-1]))
        from--;
    return format("%.*s", (int)(end - from), from);
}

// The first bracket that opens parameters: not those of an attribute or an alignment.
static const char *parameters_of(const char *line)
{
    const char *at = strchr(line, '(');
    while (at) {
        const char *const word = identifier_before(line, at);
        if (*word && !starts_with(word, "__") && strcmp(word, "_Alignas") != 0)
            return at;
        at = strchr(at + 1, '(');
    }
    return NULL;
}

static bool has_body(const Definition *d)
{
    for (int i = 0; i < d->count; i++)
        if (!strcmp(d->lines[i], "{"))
            return true;
    return false;
}

// The comment above a group of declarations, or the title of its section.
static const char *group_name(const Definition *d)
{
    if (!is_comment(d->lines[0]))
        return d->section;
    const char *const text = d->lines[0] + 3;
    return format("%.*s", (int)strcspn(text, ",.:;"), text);
}

static const char *definition_name(const Definition *d)
{
    int i = 0;
    while (i < d->count && is_comment(d->lines[i]))
        i++;
    if (i == d->count)
        return starts_with(d->lines[0], rule_start)
                   ? format("heading of %.*s", (int)strcspn(d->section, ":"), d->section)
                   : d->section;
    const char *const line = d->lines[i];
    if (starts_with(line, "#include"))
        return "includes";
    if (starts_with(line, "#define ")) {
        const char *const word = line + strlen("#define ");
        return format("%.*s", (int)strcspn(word, "( "), word);
    }
    const char *const table = strstr(line, " = {"), *const parameters = parameters_of(line);
    if (starts_with(line, "enum"))
        return d->section;
    if (table && strchr(line, '{')[1] == '\0') {
        const char *const bracket = strchr(line, '[');
        return identifier_before(line, bracket ? bracket : table);
    }
    return parameters && has_body(d) ? identifier_before(line, parameters) : group_name(d);
}

// Names that occur before get a number.
static void make_unique(const Definitions *all, Definition *d)
{
    const char *const plain = d->name;
    int same = 1;
    for (int i = 0; i < all->count; i++)
        if (!strcmp(all->list[i].name, d->name)) {
            d->name = format("%s (%d)", plain, ++same);
            i = -1;
        }
}

static const char **split_lines(const char *code, int *count)
{
    size_t lines = 1;
    for (const char *c = code; *c; c++)
        lines += *c == '\n';
    const char **const list = allocate((lines + 1) * sizeof *list);
    for (*count = 0; *code;) {
        const size_t length = strcspn(code, "\n");
        list[(*count)++] = format("%.*s", (int)length, code);
        code += length + (code[length] == '\n');
    }
    return list;
}

// Whether a definition ends before the blank line `i`.
static bool is_end(const char *const *lines, int count, int i)
{
    if (i == count)
        return true;
    while (i < count && !*lines[i])
        i++;
    return i == count || (*lines[i] != ' ' && *lines[i] != '}');
}

// The result is in the order of the file.
Definitions definitions_of(const char *code)
{
    int count;
    const char *const *const lines = split_lines(code, &count);
    Definitions all = {.list = allocate(((size_t)count + 1) * sizeof(Definition))};
    const char *section = "card";
    for (int i = 0; i < count;) {
        if (!*lines[i]) {
            i++;
            continue;
        }
        const int first = i;
        while (i < count && (*lines[i] || !is_end(lines, count, i)))
            i++;
        if (starts_with(lines[first], rule_start))
            section = rule_title(lines[first]);
        Definition d = {
            .section = section, .lines = lines + first, .count = i - first, .first = first + 1};
        d.name = definition_name(&d);
        make_unique(&all, &d);
        all.list[all.count++] = d;
    }
    return all;
}
