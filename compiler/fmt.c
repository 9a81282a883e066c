// fmt.c: the canonical layout: a statement on a line, bodies indented by four spaces, one space
// between items, in a column the first values of training statements that follow one another and
// the comments behind lines that follow one another. One empty line is kept where there were some.
//
// It works on tokens, which keep the spelling of numbers and names.
#include "fmt.h"
#include "language.h"

#include "net.tab.h"

enum { INDENT = 4, COMMENT_GAP = 2 };

typedef enum { LINE_CODE, LINE_COMMENT, LINE_EMPTY } LineKind;

typedef struct {
    LineKind kind;
    int depth;
    const char *word, *rest; // of code; rest is "" where the word stands alone
    const char *comment;     // "" where there is none
    bool aligned;            // a statement of training
    int pad;                 // between word and rest
    const char *code;        // all but the comment
    int gap;                 // before the comment
} Line;

typedef struct {
    const Source *source;
    Line *lines;
    int count;
    int depth;
    // The line that is being made.
    Text word, rest;
    int tokens, previous; // of it; kind of the last
    const char *first;    // its first token
    int ends;             // line ends since something was written
} Formatter;

static const char *no_text(const Text *text) { return text->text ? text->text : ""; }

static Line *last_line(Formatter *f) { return f->count ? &f->lines[f->count - 1] : NULL; }

static bool opens_body(const Line *line)
{
    const char *const text = *line->rest ? line->rest : line->word;
    const size_t length = strlen(text);
    return line->kind == LINE_CODE && length && text[length - 1] == '{';
}

static void add_line(Formatter *f, Line line)
{
    const Line *const before = last_line(f);
    const bool closes = line.kind == LINE_CODE && *line.word == '}';
    if (f->ends >= 2 && before && !opens_body(before) && !closes)
        f->lines[f->count++] = (Line){.kind = LINE_EMPTY, .word = "", .rest = "", .comment = ""};
    f->lines[f->count++] = line;
    f->ends = 0;
}

static bool is_training(const char *word)
{
    const Row *const row = statement_row(word);
    return row && row->section == SECTION_TRAINING;
}

static void end_line(Formatter *f)
{
    if (!f->tokens)
        return;
    add_line(f, (Line){.kind = LINE_CODE,
                       .depth = f->depth,
                       .word = no_text(&f->word),
                       .rest = no_text(&f->rest),
                       .comment = "",
                       .aligned = f->rest.length && is_training(f->first)});
    f->word = f->rest = (Text){0};
    f->tokens = 0;
}

// --- spaces -------------------------------------------------------------------------------------

// A use of a block, `unit(8)`, and the block's own line, `block unit(filters)`.
static bool opens_arguments(const Formatter *f)
{
    if (f->previous != TOK_WORD)
        return false;
    return f->tokens == 1 ? !statement_row(f->first) : f->tokens == 2 && !strcmp(f->first, "block");
}

static bool has_space(const Formatter *f, const Token *token)
{
    switch (f->previous) {
    case TOK_OPEN:
    case TOK_OPEN_LIST:
    case TOK_NEGATE: return false;
    default: break;
    }
    switch (token->kind) {
    case TOK_CLOSE:
    case TOK_CLOSE_LIST: return false;
    case TOK_OPEN: return !opens_arguments(f);
    default: return true;
    }
}

static void add_token(Formatter *f, const Token *token)
{
    const char *const text = loc_text(token->loc);
    if (!f->tokens) {
        f->first = text;
        text_add(&f->word, "%s", text);
    } else {
        // what touches the word is a part of it: `unit(8)`
        const bool space = has_space(f, token);
        Text *const to = space || f->rest.length ? &f->rest : &f->word;
        text_add(to, "%s%s", space && to->length ? " " : "", text);
    }
    f->previous = token->kind;
    f->tokens++;
}

// --- comments -----------------------------------------------------------------------------------

// What stands between two tokens: spaces, and at most one comment, which ends its line.
static void read_gap(Formatter *f, int start, int end)
{
    const char *const text = f->source->text + start;
    const char *const hash = memchr(text, '#', (size_t)(end - start));
    if (!hash)
        return;
    const char *last = f->source->text + end;
    while (last > hash && strchr(" \t", last[-1]))
        last--;
    const char *const comment = format("%.*s", (int)(last - hash), hash);
    end_line(f);
    Line *const line = last_line(f);
    if (line && f->ends == 0 && line->kind == LINE_CODE && !*line->comment)
        line->comment = comment;
    else
        add_line(f, (Line){.kind = LINE_COMMENT,
                           .depth = f->depth,
                           .word = "",
                           .rest = "",
                           .comment = comment});
}

// --- lines --------------------------------------------------------------------------------------

static void read_token(Formatter *f, const Token *token)
{
    switch (token->kind) {
    case TOK_END:
        end_line(f);
        f->ends += f->source->text[token->loc.start] == '\n' && token->loc.end > token->loc.start;
        break;
    case TOK_OPEN_BODY:
        add_token(f, token);
        end_line(f);
        f->depth++;
        break;
    case TOK_CLOSE_BODY:
        end_line(f);
        f->depth--;
        add_token(f, token);
        break;
    default: add_token(f, token);
    }
}

// Statements of training that follow one another have their first values in one column; comments
// between them change nothing.
static void align_words(Formatter *f)
{
    for (int first = 0, last; first < f->count; first = last + 1) {
        int width = 0;
        for (last = first; last < f->count; last++) {
            const Line *const line = &f->lines[last];
            if (!line->aligned && line->kind != LINE_COMMENT)
                break;
            if (line->aligned && text_columns(line->word) > width)
                width = text_columns(line->word);
        }
        for (int i = first; i < last; i++)
            if (f->lines[i].aligned)
                f->lines[i].pad = width - text_columns(f->lines[i].word);
    }
}

static void write_code(Formatter *f)
{
    for (int i = 0; i < f->count; i++) {
        Line *const line = &f->lines[i];
        line->code = format("%*s%s%*s%s%s", line->depth * INDENT, "", line->word, line->pad, "",
                            *line->rest ? " " : "", line->rest);
    }
}

// Comments behind lines that follow one another stand in one column.
static void align_comments(Formatter *f)
{
    for (int first = 0, last; first < f->count; first = last + 1) {
        int column = 0;
        for (last = first; last < f->count && f->lines[last].kind == LINE_CODE; last++)
            if (*f->lines[last].comment && text_columns(f->lines[last].code) > column)
                column = text_columns(f->lines[last].code);
        for (int i = first; i < last; i++)
            f->lines[i].gap = column + COMMENT_GAP - text_columns(f->lines[i].code);
    }
}

static const char *lines_text(Formatter *f)
{
    align_words(f);
    write_code(f);
    align_comments(f);
    Text out = {0};
    text_add(&out, "%s", "");
    for (int i = 0; i < f->count; i++) {
        const Line *const line = &f->lines[i];
        if (line->kind == LINE_COMMENT)
            text_add(&out, "%*s", line->depth * INDENT, "");
        else if (line->kind == LINE_CODE)
            text_add(&out, "%s%*s", line->code, *line->comment ? line->gap : 0, "");
        text_add(&out, "%s\n", line->comment);
    }
    return out.text;
}

const char *canonical_text(const Source *source)
{
    const Token *const tokens = tokens_of(source);
    Formatter f = {.source = source, .first = ""};
    f.lines = allocate((2 * source->length + 2) * sizeof *f.lines);
    int end = 0;
    for (const Token *token = tokens;; token++) {
        read_gap(&f, end, token->loc.start);
        end = token->loc.end;
        if (token->kind == TOK_YYEOF)
            break;
        read_token(&f, token);
    }
    end_line(&f);
    const char *const text = lines_text(&f);
    return *text || !source->length ? text : "\n"; // nothing would be no text
}
