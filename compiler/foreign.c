// foreign.c: statements in another tool's syntax. They can't be parsed, but they can be recognised,
// and the best answer to `Conv2D(32, 3)` is not "unexpected ','".
#define _GNU_SOURCE // memmem
#include "language.h"

#include <ctype.h>
#include <string.h>

static const Foreign foreign[] = {
#define FOREIGN(word, tool, ours, example) {word, tool, ours, example},
#include "foreign.def"
};

static bool same_foreign(const char *text, const char *word)
{
    for (; *text; text++) {
        if (*text == '_' || *text == '-')
            continue;
        if (tolower((unsigned char)*text) != *word++)
            return false;
    }
    return !*word;
}

const Foreign *foreign_word(const char *word)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (same_foreign(word, foreign[i].word))
            return &foreign[i];
    return NULL;
}

// Whether its tool writes it with arguments in parentheses.
static bool calls(const Foreign *row)
{
    return strcmp(row->tool, "darknet") != 0 && strcmp(row->tool, "Caffe") != 0;
}

// The word of another tool that the statement is about: one that is called, `Dense(`, before any
// other. Our own words count only where they are called.
static const Foreign *find_foreign(Loc statement, Loc *place)
{
    const char *const text = statement.source->text;
    const Foreign *found = NULL;
    bool is_name = false; // of a block
    for (int start = statement.start; start < statement.end && text[start] != '{';) {
        int end = start;
        while (end < statement.end && is_letter(text[end]))
            end++;
        const Loc word_loc = {statement.source, start, end};
        start = end > start ? end : end + 1;
        if (end == word_loc.start || isdigit((unsigned char)text[word_loc.start]))
            continue;
        const char *const word = loc_text(word_loc);
        const Foreign *const row = is_name ? NULL : foreign_word(word);
        const bool called = text[end] == '(' && (!row || calls(row));
        is_name = !strcmp(word, "block");
        // uncalled, it may be a name of the user's: `block stage(filters, drop)`
        const bool plain =
            word_loc.start == statement.start || (text[end] && strchr("=:]", text[end]));
        if (row && (called || (!found && plain && strcmp(word, row->ours) != 0))) {
            found = row;
            *place = word_loc;
            if (called)
                break;
        }
    }
    return found;
}

// Our own word, called: `conv(32, 3)`.
static bool own_call(Loc statement)
{
    const char *const text = statement.source->text;
    int end = statement.start;
    while (end < statement.end && is_letter(text[end]))
        end++;
    const Loc word_loc = {statement.source, statement.start, end};
    const Row *const row = statement_row(loc_text(word_loc));
    if (!row || text[end] != '(')
        return false;
    error_at(E129, word_loc, "'%s' is not called with parentheses", row->name);
    note_at((Loc){0}, "write '%s'", row->example);
    return true;
}

// The lines below a `[section]` of darknet, and the closing brackets of a Python call: they belong
// to a mistake that has been answered.
static bool follows_foreign(Loc statement)
{
    const char *const file = statement.source->text, *const text = file + statement.start;
    const size_t word = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    if (word && text[word] == '=')
        return *file == '[' || memmem(file, (size_t)statement.start, "\n[", 2);
    return *text && strchr(")]}", *text) && error_count() > 0;
}

bool foreign_statement(Loc statement)
{
    if (statement.start == statement.end)
        return false;
    if (follows_foreign(statement) || own_call(statement))
        return true;
    Loc place;
    const Foreign *const row = find_foreign(statement, &place);
    if (!row)
        return false;
    const bool ours = !strcmp(loc_text(place), row->ours);
    error_at(E129, place,
             ours ? "'%s' is not called with parentheses" : "'%s' is not a word of this language",
             loc_text(place));
    note_at((Loc){0}, "this looks like %s; write '%s'", row->tool, row->example);
    return true;
}
