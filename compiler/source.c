// source.c: places in the text, and messages that show them.
//
// The lexer and the parser count bytes only; a byte becomes a line, a column and a caret here.
#include "netc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_FILE_BYTES = 1 << 20, // of a text that people write; keeps every quadratic search short
    MAX_LINE_BYTES = 1 << 16,
    MAX_SHOWN_COLUMNS = 160,
};

// --- UTF-8 --------------------------------------------------------------------------------------

// Length of the character at `text`, and the character; 0 when it is not UTF-8.
static int decode(const char *text, uint32_t *character)
{
    const unsigned char *const s = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const int length = s[0] < 0x80         ? 1
                       : s[0] >> 5 == 0x06 ? 2
                       : s[0] >> 4 == 0x0e ? 3
                       : s[0] >> 3 == 0x1e ? 4
                                           : 0;
    if (length <= 1) {
        *character = s[0];
        return length;
    }
    uint32_t c = s[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    *character = c;
    return c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : length;
}

// Columns of a terminal that a character takes. The ranges are the combining marks and the wide
// scripts that people write comments in, not all of Unicode: an unknown one takes one column.
static int columns_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        int columns;
    } ranges[] = {
        {0x300, 0x36f, 0},     {0x483, 0x489, 0},     {0x591, 0x5bd, 0},     {0x64b, 0x65f, 0},
        {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},
        {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},
        {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1f64f, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return ranges[i].columns;
    return 1;
}

// A control character, or one that would turn the direction of the line: not for a terminal.
static bool is_harmful(uint32_t c)
{
    return (c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

// How many bytes of the text can be shown.
static size_t readable_bytes(const char *text)
{
    uint32_t c;
    int length;
    const char *at = text;
    for (; *at; at += length) {
        length = decode(at, &c);
        if (!length || c == '\t' || is_harmful(c) || c == 0xfffe || c == 0xffff) // XML lacks these
            break;
    }
    return (size_t)(at - text);
}

bool has_control(const char *text) { return text[readable_bytes(text)]; }

const char *readable(const char *text)
{
    char *const copy = format("%s", text);
    for (char *at = copy + readable_bytes(copy); *at; at += readable_bytes(at))
        *at = '_';
    return copy;
}

// --- reading ------------------------------------------------------------------------------------

static void find_lines(Source *source)
{
    int count = 1;
    for (size_t i = 0; i < source->length; i++)
        count += source->text[i] == '\n';
    int *const starts = allocate((size_t)count * sizeof *starts);
    source->line_count = 1;
    for (size_t i = 0; i < source->length; i++)
        if (source->text[i] == '\n')
            starts[source->line_count++] = (int)i + 1;
    source->line_starts = starts;
}

// Lines end in a line feed from here on, whatever they ended in; a byte order mark is dropped.
static void normalise(Source *source)
{
    char *const text = source->text;
    const size_t start = source->length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    size_t length = 0;
    for (size_t i = start; i < source->length; i++) {
        if (text[i] == '\r' && i + 1 < source->length && text[i + 1] == '\n')
            continue;
        text[length++] = text[i] == '\r' ? '\n' : text[i];
    }
    text[length] = '\0';
    source->length = length;
}

static bool lines_are_short(const Source *source)
{
    for (int line = 0; line < source->line_count; line++) {
        const int end =
            line + 1 < source->line_count ? source->line_starts[line + 1] - 1 : (int)source->length;
        const int length = end - source->line_starts[line];
        if (length > MAX_LINE_BYTES) {
            error_at(E005, (Loc){source, -1, -1},
                     "line %d is %d bytes long; the longest allowed is %d", line + 1, length,
                     MAX_LINE_BYTES);
            return false;
        }
    }
    return true;
}

static bool is_text(const Source *source)
{
    const Loc file = {source, -1, -1};
    if (!strncmp(source->text, "\xff\xfe", 2) || !strncmp(source->text, "\xfe\xff", 2)) {
        error_at(E006, file, "the file is UTF-16; save it as UTF-8");
        return false;
    }
    const char *const zero = memchr(source->text, '\0', source->length);
    if (zero) {
        error_at(E007, file, "not a text: byte %td of the file is zero", zero - source->text + 1);
        return false;
    }
    uint32_t character;
    for (size_t i = 0; i < source->length;) {
        const int length = decode(source->text + i, &character);
        if (!length) {
            error_at(E008, (Loc){source, (int)i, (int)i + 1}, "byte 0x%02x is not UTF-8",
                     (unsigned char)source->text[i]);
            note_at((Loc){0}, "save the file as UTF-8");
            return false;
        }
        i += (size_t)length;
    }
    return true;
}

const Source *source_of_bytes(const char *path, const char *text, size_t length)
{
    if (length > MAX_FILE_BYTES) {
        error_at(E003, (Loc){0}, "'%s' is larger than %d KiB: it can't be a .net file", path,
                 MAX_FILE_BYTES >> 10);
        return NULL;
    }
    Source *const source = allocate(sizeof *source);
    source->path = path;
    source->text = allocate(length + 1);
    source->length = length;
    if (length)
        memcpy(source->text, text, length);
    normalise(source);
    find_lines(source);
    return is_text(source) && lines_are_short(source) ? source : NULL;
}

const Source *source_of_text(const char *path, const char *text)
{
    return source_of_bytes(path, text, strlen(text));
}

const Source *source_read(const char *path)
{
    struct stat status;
    FILE *const file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status)) {
        error_at(E001, (Loc){0}, "cannot read '%s': %s", path, strerror(errno));
        if (file)
            fclose(file);
        return NULL;
    }
    if (S_ISDIR(status.st_mode)) {
        error_at(E002, (Loc){0}, "cannot read '%s': it is a directory, not a file", path);
        fclose(file);
        return NULL;
    }
    char *const text = allocate(MAX_FILE_BYTES + 1);
    const size_t length = fread(text, 1, MAX_FILE_BYTES + 1, file);
    const bool failed = ferror(file);
    fclose(file);
    if (failed)
        error_at(E001, (Loc){0}, "cannot read '%s': %s", path, strerror(errno));
    else if (length == 0)
        error_at(E004, (Loc){0}, "'%s' is empty", path);
    else
        return source_of_bytes(path, text, length);
    return NULL;
}

// --- places -------------------------------------------------------------------------------------

static int line_index(Loc loc)
{
    int low = 0, high = loc.source->line_count - 1;
    while (low < high) {
        const int middle = (low + high + 1) / 2;
        if (loc.source->line_starts[middle] <= loc.start)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void loc_position(Loc loc, int *line, int *column)
{
    const int index = line_index(loc);
    *line = index + 1;
    *column = 1;
    for (int i = loc.source->line_starts[index]; i < loc.start; i++)
        *column += (loc.source->text[i] & 0xc0) != 0x80;
}

static Loc whole_line(Loc loc)
{
    const int start = loc.source->line_starts[line_index(loc)];
    return (Loc){loc.source, start, start + (int)strcspn(loc.source->text + start, "\n")};
}

const char *loc_text(Loc loc)
{
    return format("%.*s", loc.end - loc.start, loc.source->text + loc.start);
}

// --- messages -----------------------------------------------------------------------------------

typedef enum { MISTAKE, WARNING, NOTE } Severity;

static const struct {
    const char *word, *colour;
} severities[] = {
    [MISTAKE] = {"error", "\033[1;31m"},
    [WARNING] = {"warning", "\033[1;35m"},
    [NOTE] = {"note", "\033[1;36m"},
};

static int errors;

int error_count(void) { return errors; }

typedef struct Warning Warning;
struct Warning {
    Loc loc;
    const char *line;
    Warning *before;
};

static Warning *warnings; // that were shown
static bool muted;        // the last warning was not: nor are its notes

void messages_reset(void)
{
    errors = 0;
    warnings = NULL;
    muted = false;
}

static bool quiet;

void messages_quiet(bool on) { quiet = on; }

static const char *colour(const char *code)
{
    static int wanted = -1;
    if (wanted < 0) {
        const char *const terminal = getenv("TERM"), *const refused = getenv("NO_COLOR");
        wanted = isatty(STDERR_FILENO) && !(refused && *refused) && terminal &&
                 strcmp(terminal, "dumb") != 0;
    }
    return wanted ? code : "";
}

// The characters of text[start, end), safe to print. In the line under it, each is a blank of its
// width, and a TAB is a TAB, so that the caret stands right whatever a TAB is worth.
static void put_characters(Text *out, const char *text, int start, int end, const char *as)
{
    for (int i = start; i < end;) {
        uint32_t c;
        const int length = decode(text + i, &c);
        const bool plain = length && !is_harmful(c);
        if (!as && plain)
            text_put(out, text + i, (size_t)length);
        else if (!as)
            text_add(out, "?");
        else if (c == '\t' && *as == ' ')
            text_add(out, "\t");
        else
            for (int column = 0; column < (plain ? columns_of(c) : 1); column++)
                text_add(out, "%s", as);
        i += length ? length : 1;
    }
}

// What is shown of a line: all of it, or of a long one the part around the span, with dots.
static Loc shown_part(Loc line, Loc loc)
{
    const char *const text = line.source->text;
    if (line.end - line.start <= MAX_SHOWN_COLUMNS)
        return line;
    Loc shown = line;
    if (loc.start - line.start > MAX_SHOWN_COLUMNS / 2)
        shown.start = loc.start - MAX_SHOWN_COLUMNS / 2;
    if (line.end - shown.start > MAX_SHOWN_COLUMNS)
        shown.end = shown.start + MAX_SHOWN_COLUMNS;
    while (shown.start > line.start && (text[shown.start] & 0xc0) == 0x80)
        shown.start--;
    while (shown.end < line.end && (text[shown.end] & 0xc0) == 0x80)
        shown.end++;
    return shown;
}

static void put_line_and_caret(Text *out, Loc loc, const char *caret_colour)
{
    const char *const text = loc.source->text;
    const Loc line = whole_line(loc), shown = shown_part(line, loc);
    const char *const before = shown.start > line.start ? "..." : "";
    text_add(out, "    %s", before);
    put_characters(out, text, shown.start, shown.end, NULL);
    text_add(out, "%s\n    %s", shown.end < line.end ? "..." : "", *before ? "   " : "");
    put_characters(out, text, shown.start, loc.start, " ");

    // The first character is a caret, the others of the span a wave.
    Text span = {0};
    put_characters(&span, text, loc.start, loc.end < shown.end ? loc.end : shown.end, "~");
    text_add(out, "%s^%s%s\n", caret_colour, span.length ? span.text + 1 : "",
             *caret_colour ? colour("\033[0m") : "");
}

// `models/bad.net:3:9: `; what came on the command line has no lines.
static void put_place(Text *out, Loc loc)
{
    text_add(out, "%s%s:", colour("\033[1m"), loc.source ? loc.source->path : "netc");
    if (loc.source && loc.start >= 0 && loc.source->path[0] != '-') {
        int line, column;
        loc_position(loc, &line, &column);
        text_add(out, "%d:%d:", line, column);
    }
    text_add(out, "%s ", colour("\033[0m"));
}

// `code` is "" where there is none.
static void PRINTF(4, 0)
    message(Severity severity, const char *code, Loc loc, const char *format, va_list args)
{
    Text text = {0};
    if (loc.source || severity != NOTE)
        put_place(&text, loc);
    const char *const start = colour(severities[severity].colour), *const end = colour("\033[0m");
    text_add(&text, "%s%s:%s %s", start, severities[severity].word, end, colour("\033[1m"));
    char line[2000]; // a subject from the text may be as long as its line: it is cut
    vsnprintf(line, sizeof line, format, args);
    Text all = {0};
    put_characters(&all, line, 0, (int)strlen(line), NULL);
    text_add(&text, "%s%s%s\n", all.length ? all.text : "", end, code);
    if (loc.source && loc.start >= 0)
        put_line_and_caret(&text, loc, start);
    fwrite(text.text, 1, text.length, stderr);
}

const char *error_name(ErrorCode code)
{
    static const char *const names[] = {
#define ERROR(code, ...) #code,
#include "errors.def"
#undef ERROR
    };
    return names[code];
}

void error_at(ErrorCode code, Loc loc, const char *text, ...)
{
    errors++;
    muted = false;
    if (errors == MAX_ERRORS + 1)
        fprintf(stderr, "netc: more than %d errors; the others are not shown\n", MAX_ERRORS);
    if (errors > MAX_ERRORS)
        return;
    va_list args;
    va_start(args, text);
    message(MISTAKE, format(" [%s]", error_name(code)), loc, text, args);
    va_end(args);
}

// A warning is shown once: each round of a repeat and each use of a block would say it again.
static bool warned_before(Loc loc, const char *line)
{
    for (const Warning *w = warnings; w; w = w->before)
        if (w->loc.source == loc.source && w->loc.start == loc.start && !strcmp(w->line, line))
            return true;
    Warning *const warning = allocate(sizeof *warning);
    *warning = (Warning){loc, line, warnings};
    warnings = warning;
    return false;
}

void warn_at(Loc loc, const char *text, ...)
{
    va_list args, again;
    va_start(args, text);
    va_copy(again, args);
    muted = quiet || errors > MAX_ERRORS || warned_before(loc, format_list(text, again));
    if (!muted)
        message(WARNING, "", loc, text, args);
    va_end(again);
    va_end(args);
}

void note_at(Loc loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (errors <= MAX_ERRORS && !quiet && !muted)
        message(NOTE, "", loc, format, args);
    va_end(args);
}

_Noreturn void bug_at(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "netc: bug at %s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nThis is a mistake in netc, not in your file: please report it.\n");
    va_end(args);
    abort();
}
