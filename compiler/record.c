// record.c: what a program keeps of its own making: the .net text, and above it in comments its
// name, the processor it was made for and the options in force.
//
//     # mnist, compiled by netc --target x86-64-v4
//     # -D width=50
//     #
//     data mnist
//     …
//
// It is one string, `.source` of the generated C, and found in a program without running it.
#define _GNU_SOURCE // memmem
#include "passes.h"
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char made_by[] = ", compiled by netc";

// --- writing ------------------------------------------------------------------------------------

const char *record_text(const Network *network)
{
    const Program *const program = network->program;
    Text text = {0};
    text_add(&text, "# %s%s --target %s\n", program->name, made_by, network->target->name);
    if (network->doubles)
        text_add(&text, "# --precision f64\n");
    if (network->blas)
        text_add(&text, "# --gemm blas\n");
    if (network->direct)
        text_add(&text, "# --conv direct\n");
    if (network->auto_gemm)
        text_add(&text, "# --gemm auto\n");
    for (const Choice *c = network->tuned; c; c = c->next)
        if (c->used)
            text_add(&text, "# --product %s\n", choice_text(c));
    for (int i = 0; i < program->override_count; i++)
        text_add(&text, "# %s\n", program->overrides[i]);
    text_add(&text, "#\n%s", program->source->text);
    return text.text;
}

// --- reading ------------------------------------------------------------------------------------

static const char *line_at(const char *text)
{
    return format("%.*s", (int)strcspn(text, "\n"), text);
}

// The network's name and the options; false where the text is none that record_text wrote.
static bool parse_record(Record *record)
{
    const char *at = record->text;
    const char *const first = line_at(at);
    const char *made = strstr(first, made_by);
    for (const char *next = made; next; next = strstr(next + 1, made_by))
        made = next; // a name may have it, too
    if (strncmp(first, "# ", 2) || !made)
        return false;
    const char *const options = made + strlen(made_by);
    if (strncmp(options, " --target ", 10) || !target_named(options + 10))
        return false;
    record->name = format("%.*s", (int)(made - first - 2), first + 2);
    words_add(&record->options, options + 1);
    for (at += strlen(first) + 1; !strncmp(at, "# ", 2); at += strlen(line_at(at)) + 1)
        words_add(&record->options, line_at(at) + 2);
    if (strncmp(at, "#\n", 2))
        return false;
    record->net = at + 2;
    return true;
}

// Reads the string literals of `.source =`, one on each line, as emit.c wrote them.
static const char *unquoted(const char *line)
{
    Text text = {0};
    while (line[strspn(line, " ")] == '"') {
        const char *c = line + strspn(line, " ") + 1;
        for (; *c && *c != '"' && *c != '\n'; c++) {
            char byte = *c;
            if (byte == '\\' && c[1] >= '0' && c[1] <= '7') {
                const char octal[] = {c[1], c[2], c[3], '\0'};
                byte = (char)strtol(octal, NULL, 8);
                c += strnlen(octal, 3);
            } else if (byte == '\\' && c[1]) {
                byte = *++c;
            }
            text_put(&text, &byte, 1);
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return text.text;
}

static bool find_in_c(Record *record, const char *text)
{
    static const char start[] = "\n    .source =\n";
    const char *const found = strstr(text, start);
    record->text = found ? unquoted(found + strlen(start)) : NULL;
    record->c_text = text;
    return record->text && parse_record(record);
}

// A program may hold the words without being one: netc itself does.
static bool find_in_program(Record *record, const char *bytes, size_t length)
{
    const char *const end = bytes + length; // a '\0' stands there
    for (const char *at = bytes; at < end; at++) {
        at = memmem(at, (size_t)(end - at), made_by, strlen(made_by));
        if (!at)
            break;
        record->text = at;
        while (record->text > bytes && record->text[-1])
            record->text--;
        if (parse_record(record))
            return true;
        *record = (Record){0};
    }
    return false;
}

static bool cannot_read(const char *path)
{
    error_at(E001, (Loc){0}, "cannot read '%s': %s", path, strerror(errno));
    return false;
}

// The whole file with a '\0' behind it, or NULL with errno set.
static char *read_bytes(const char *path, size_t *length)
{
    FILE *const file = fopen(path, "rb");
    if (!file)
        return NULL;
    Text text = {0};
    static char piece[1 << 16];
    size_t got;
    text_put(&text, "", 0);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        text_put(&text, piece, got);
    const int why = ferror(file) ? errno : 0;
    fclose(file);
    errno = why;
    *length = text.length;
    return why ? NULL : text.text;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text), least = strlen(end);
    return length >= least && !strcmp(text + length - least, end);
}

// Whether the file is no text of the language, but C or a program. A pipe can be read once, and
// that is for its text.
bool may_have_record(const char *path)
{
    if (ends_in(path, ".net") || ends_in(path, ".c"))
        return ends_in(path, ".c");
    struct stat status;
    if (stat(path, &status) || !S_ISREG(status.st_mode))
        return false;
    char magic[4] = {0};
    FILE *const file = fopen(path, "rb");
    const bool is_program = file && fread(magic, 1, 4, file) == 4 && !memcmp(magic, "\177ELF", 4);
    if (file)
        fclose(file);
    return is_program;
}

bool read_record(const char *path, Record *record)
{
    *record = (Record){0};
    size_t length;
    const char *const bytes = read_bytes(path, &length);
    if (!bytes)
        return cannot_read(path);
    const bool found =
        ends_in(path, ".c") ? find_in_c(record, bytes) : find_in_program(record, bytes, length);
    if (!found)
        error_at(E920, (Loc){0}, "'%s' keeps no network: it is no program and no C that netc made",
                 path);
    return found;
}
