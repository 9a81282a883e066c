// out.c: the text of the generated file: lines indented by their braces, numbers as C writes them.
#include "netc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void raw(Out *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const char *const text = format_list(format, list);
    va_end(list);
    text_put(&out->text, text, strlen(text));
}

// Minus those closed; a text in quotes may have any.
static int braces_opened(const char *text)
{
    int opened = 0;
    bool quoted = false;
    for (const char *c = text; *c; c++)
        if (quoted && *c == '\\' && c[1])
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (!quoted)
            opened += (*c == '{') - (*c == '}');
    return opened;
}

// Braces on the line decide how deep it and the next lines stand.
void line(Out *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const char *const text = format_list(format, list);
    va_end(list);
    const int opened = braces_opened(text);
    if (*text == '}')
        out->depth--;
    text_add(&out->text, "%*s", 4 * out->depth, "");
    text_put(&out->text, text, strlen(text));
    text_put(&out->text, "\n", 1);
    out->depth += opened + (*text == '}');
    if (out->depth < 0)
        bug("more braces closed than opened at '%s'", text);
}

void blank_line(Out *out) { text_put(&out->text, "\n", 1); }

// Up to the next comma that is not within braces.
static size_t item_length(const char *list)
{
    size_t length = 0;
    for (int depth = 0; list[length] && (list[length] != ',' || depth > 0); length++)
        depth += (list[length] == '{') - (list[length] == '}');
    return length;
}

const char *wrapped(int indent, const char *start, const char *list, const char *end)
{
    enum { WIDTH = 100 };
    Text text = {0};
    text_add(&text, "%s", start);
    const int left = indent + (int)strlen(start);
    size_t column = (size_t)left;
    for (const char *rest = list; *rest;) {
        const size_t item = item_length(rest);
        const bool last = !rest[item];
        if (rest != list && column + 1 + item + strlen(end) > WIDTH) {
            text_add(&text, "\n%*s", left, "");
            column = (size_t)left;
        } else if (rest != list) {
            text_add(&text, " ");
            column++;
        }
        text_add(&text, "%.*s%s", (int)item, rest, last ? "" : ",");
        column += item + 1;
        rest += item + (last ? 0 : 2);
    }
    text_add(&text, "%s", end);
    return text.text;
}

void call_line(Out *out, const char *name, const char *arguments)
{
    line(out, "%s", wrapped(4 * out->depth, format("%s(", name), arguments, ");"));
}

// A comment of // lines, at most 100 columns wide.
void comment(Out *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const char *word = format_list(format, list);
    va_end(list);
    const size_t width = 96 - 4 * (size_t)out->depth;
    Text text = {0};
    while (*word) {
        const size_t length = strcspn(word, " ");
        if (text.length && text.length + 1 + length > width) {
            line(out, "// %s", text.text);
            text = (Text){0};
        }
        text_add(&text, "%s%.*s", text.length ? " " : "", (int)length, word);
        word += length + (word[length] == ' ');
    }
    if (text.length)
        line(out, "// %s", text.text);
}

// Terms that fill no two vectors are added up sooner than lanes are.
void in_lanes(Out *out, const char *sums, int terms)
{
    if (terms >= 2 * vector_lanes(out->network))
        line(out, "#pragma omp simd reduction(+ : %s)", sums);
}

// The shortest decimal that reads back as the same number of the program's precision.
const char *real_number(const Out *out, double number)
{
    const bool doubles = out->network->doubles;
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (doubles ? strtod(text, NULL) == number : strtof(text, NULL) == (float)number)
            break;
    }
    const char *const plain = number_text(strtod(text, NULL));
    return format("%s%s%s", plain, strpbrk(plain, ".e") ? "" : ".0", doubles ? "" : "f");
}

const char *libm(const Out *out, const char *function)
{
    return out->network->doubles ? function : format("%sf", function);
}

const char *math(const Out *out, const char *function)
{
    return out->network->doubles ? function : format("nn_%sf", function);
}
