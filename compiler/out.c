// out.c: the text of the generated file: lines indented by their braces, numbers as C writes them.
#include "emit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void raw(Out *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    text_add_list(&out->text, format, list);
    va_end(list);
}

const char *behind_quotes(const char *code)
{
    while (*code == '"') {
        for (code++; *code && *code != '"'; code++)
            if (*code == '\\' && code[1])
                code++;
        code += *code == '"';
    }
    return code;
}

// Minus those closed; a text in quotes may have any.
static int braces_opened(const char *text)
{
    int opened = 0;
    for (const char *c = behind_quotes(text); *c; c = behind_quotes(c + 1))
        opened += (*c == '{') - (*c == '}');
    return opened;
}

// Braces on the line decide how deep it and the next lines stand. One that is too long is broken.
void line(Out *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const char *const text = format_list(format, list);
    va_end(list);
    const int opened = braces_opened(text);
    if (*text == '}')
        out->depth--;
    const char *const lines = broken(4 * out->depth, text);
    text_put(&out->text, lines, strlen(lines));
    text_put(&out->text, "\n", 1);
    out->depth += opened + (*text == '}');
    if (out->depth < 0)
        bug("more braces closed than opened at '%s'", text);
}

void on_stack(Out *out, double numbers)
{
    Network *const network = out->network;
    network->largest_local = numbers > network->largest_local ? numbers : network->largest_local;
}

void blank_line(Out *out) { text_put(&out->text, "\n", 1); }

void call_line(Out *out, const char *name, const char *arguments)
{
    line(out, "%s(%s);", name, arguments);
}

const char *words_in_lines(const char *first, const char *next, const char *words)
{
    enum { MOST_COLUMNS = 99 };
    Text lines = {0};
    const char *start = first;
    text_put(&lines, start, strlen(start));
    for (int used = 0; *words;) {
        const size_t length = strcspn(words, " ");
        const int columns = columns_in(words, length);
        if (used && text_columns(start) + used + 1 + columns > MOST_COLUMNS) {
            start = next;
            text_add(&lines, "\n%s", start);
            used = 0;
        }
        if (used)
            text_put(&lines, " ", 1);
        text_put(&lines, words, length);
        used += columns + (used > 0);
        words += length;
        words += *words == ' ';
    }
    return lines.text;
}

const char *comment_text(int indent, const char *words)
{
    const char *const start = format("%s// ", blanks(indent));
    return words_in_lines(start, start, words);
}

// Comments of // lines.
void comment(Out *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const char *const words = format_list(format, list);
    va_end(list);
    raw(out, "%s\n", comment_text(4 * out->depth, words));
}

// Terms that fill no two vectors are added up, or compared, sooner than lanes are.
bool in_lanes(Out *out, const char *operator, const char *results, int terms)
{
    const bool lanes = terms >= 2 * vector_lanes(out->network);
    if (lanes)
        line(out, "#pragma omp simd reduction(%s : %s)", operator, results);
    return lanes;
}

bool is_long_sum(const Out *out, long terms)
{
    enum { MOST_IN_FLOAT = 1 << 14 };
    return !out->network->doubles && terms > MOST_IN_FLOAT;
}

const char *sum_type(const Out *out, long terms)
{
    return is_long_sum(out, terms) ? "double" : real_type(out->network);
}

// The shortest decimal that reads back as the same number of the program's precision.
const char *real_number(const Out *out, double number)
{
    const bool doubles = out->network->doubles;
    char text[40];
    if (!doubles && (float)number == 0)
        return "0.0f"; // a smaller one would be warned of
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
