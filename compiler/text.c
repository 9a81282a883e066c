// text.c: text that grows, and what numbers and words look like in it.
#include "netc.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void text_reserve(Text *text, size_t more)
{
    if (text->length + more < text->capacity)
        return;
    text->capacity = text->length ? 2 * (text->length + more) + 64 : more + 1; // most never grow
    char *const bytes = allocate(text->capacity);
    if (text->length)
        memcpy(bytes, text->text, text->length);
    text->text = bytes;
}

void text_put(Text *text, const char *bytes, size_t length)
{
    text_reserve(text, length);
    if (length) // `bytes` of none may be NULL
        memcpy(text->text + text->length, bytes, length);
    text->length += length;
    text->text[text->length] = '\0';
}

// Of %s, %d and %.*s, which is all that most formats hold; 0 of others.
static int simple_length(const char *conversion)
{
    const char c = conversion[1];
    return c == 's' || c == 'd' ? 2 : starts_with(conversion, "%.*s") ? 4 : 0;
}

static bool is_simple(const char *format)
{
    while ((format = strchr(format, '%'))) {
        const int length = simple_length(format);
        if (!length)
            return false;
        format += length;
    }
    return true;
}

enum { MOST_DIGITS = 12 };

static const char *decimal(int number, char digits[MOST_DIGITS])
{
    char *first = digits + MOST_DIGITS - 1;
    *first = '\0';
    unsigned rest = number < 0 ? 0u - (unsigned)number : (unsigned)number;
    do
        *--first = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--first = '-';
    return first;
}

// As vsnprintf, which takes four times as long for a simple format (docs/performance.md), but that
// nothing can be made of a text that has no room.
static int print(char *to, size_t room, const char *format, va_list args)
{
    if (!is_simple(format))
        return vsnprintf(to, room, format, args);
    size_t length = 0;
    while (*format) {
        char digits[MOST_DIGITS];
        const char *piece = format;
        size_t letters = strcspn(format, "%");
        format += letters;
        if (letters == 0) {
            const bool is_part = format[1] == '.';
            const size_t most = is_part ? (size_t)va_arg(args, int) : SIZE_MAX;
            piece = format[1] == 'd' ? decimal(va_arg(args, int), digits)
                                     : va_arg(args, const char *);
            letters = is_part ? strnlen(piece, most) : strlen(piece);
            format += simple_length(format);
        }
        if (length + letters < room)
            memcpy(to + length, piece, letters);
        length += letters;
    }
    if (length < room)
        to[length] = '\0';
    return (int)length;
}

// Printed in its place where there is room, and most pieces that start a text are short.
void text_add_list(Text *text, const char *format, va_list args)
{
    char piece[256];
    const size_t free = text->capacity - text->length;
    const bool in_place = free > sizeof piece;
    va_list again;
    va_copy(again, args);
    const int printed = print(in_place ? text->text + text->length : piece,
                              in_place ? free : sizeof piece, format, args);
    if (printed < 0)
        bug("format '%s'", format);
    const size_t length = (size_t)printed;
    if (in_place && length < free) {
        text->length += length;
    } else if (length < sizeof piece) {
        text_put(text, piece, length);
    } else {
        text_reserve(text, length);
        print(text->text + text->length, length + 1, format, again);
        text->length += length;
    }
    va_end(again);
}

bool text_once(Text *names, const char *name)
{
    const char *const word = format(" %s ", name);
    const bool first = !names->text || !strstr(names->text, word);
    if (first)
        text_add(names, "%s", word);
    return first;
}

void text_add(Text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_add_list(text, format, args);
    va_end(args);
}

char *format_list(const char *format, va_list args)
{
    Text text = {0};
    text_add_list(&text, format, args);
    return text.text;
}

char *format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *const text = format_list(format, args);
    va_end(args);
    return text;
}

const char *number_text(double number)
{
    char text[32];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    // %g writes 1e+02 for a hundred, where plain digits are easier to read, and 1e-07 for 1e-7.
    char *const exponent = strchr(text, 'e');
    if (!exponent)
        return format("%s", text);
    if (number > -1e15 && number < 1e15 && number == (double)(int64_t)number)
        return format("%.0f", number);
    return format("%.*se%d", (int)(exponent - text), text, atoi(exponent + 1));
}

const char *bytes_text(double bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    int unit = 0;
    for (; bytes >= 999.5 && unit < 5; unit++)
        bytes /= 1000;
    return format(unit ? "%.3g %s" : "%.0f %s", bytes, units[unit]);
}

const char *seconds_text(double seconds)
{
    return seconds < 999.5e-6   ? format("%.3g us", seconds * 1e6)
           : seconds < 999.5e-3 ? format("%.3g ms", seconds * 1e3)
                                : format("%.3g s", seconds);
}

// Twelve digits are enough of a percentage, and hide that 0.5 + 0.6 is not quite 1.1.
const char *percent_text(double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.12g", number * 100);
    return format("%s%%", number_text(strtod(text, NULL)));
}

const char *blanks(int count)
{
    static const char most[] = "                                                  "
                               "                                                  ";
    return count < (int)sizeof most ? most + sizeof most - 1 - count : format("%*s", count, "");
}

int columns_in(const char *text, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += (text[i] & 0xc0) != 0x80;
    return columns;
}

int text_columns(const char *text) { return columns_in(text, strlen(text)); }

const char *join_words(const char *const *words, int count, const char *last)
{
    Text text = {0};
    for (int i = 0; i < count; i++) {
        const char *const between = i == 0 ? "" : i < count - 1 ? ", " : format(" %s ", last);
        text_add(&text, "%s%s", between, words[i]);
    }
    return count ? text.text : "";
}

bool starts_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

bool is_letter(char c) { return isalnum((unsigned char)c) || c == '_'; }

bool are_plain_words(const char *text)
{
    return *text && !text[strspn(text, " abcdefghijklmnopqrstuvwxyz0123456789_.%-")];
}
