// json_place.c: where a value stands in a JSON text, which cJSON forgets.
#include "json_place.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *text) { return text + strspn(text, " \t\r\n,:"); }

static const char *skip_string(const char *text)
{
    for (text++; *text && *text != '"'; text++)
        text += *text == '\\' && text[1];
    return text + (*text == '"');
}

static const char *skip_value(const char *text)
{
    if (*text == '"')
        return skip_string(text);
    if (*text != '{' && *text != '[')
        return text + strcspn(text, ",]} \t\r\n");
    int depth = 0;
    do {
        if (*text == '"') {
            text = skip_string(text);
            continue;
        }
        depth += *text == '{' || *text == '[';
        depth -= *text == '}' || *text == ']';
        text++;
    } while (depth > 0 && *text);
    return text;
}

static const char *element(const char *array, long index)
{
    const char *at = skip_space(array + 1);
    for (; index > 0 && *at && *at != ']'; index--)
        at = skip_space(skip_value(at));
    return *array == '[' && *at && *at != ']' ? at : NULL;
}

static const char *member(const char *object, const char *key, size_t length)
{
    if (*object != '{')
        return NULL;
    for (const char *at = skip_space(object + 1); *at == '"';) {
        const char *const value = skip_space(skip_string(at));
        if (!strncmp(at + 1, key, length) && at[1 + length] == '"')
            return value;
        at = skip_space(skip_value(value));
    }
    return NULL;
}

Loc json_place(const Source *source, const char *path)
{
    const char *at = skip_space(source->text);
    while (*path) {
        const char *next;
        if (*path == '[') {
            next = element(at, strtol(path + 1, NULL, 10));
            path += strcspn(path, "]") + 1;
        } else {
            path += *path == '.';
            const size_t length = strcspn(path, ".[");
            next = member(at, path, length);
            path += length;
        }
        if (!next)
            break;
        at = next;
    }
    const int start = (int)(at - source->text);
    const bool whole = *at != '{' && *at != '['; // of a long one its bracket is enough
    return (Loc){source, start, whole ? (int)(skip_value(at) - source->text) : start + 1};
}
