// break.c: a line of C that is too long goes on where a reader would break it: at the outermost
// brackets, behind the operator that binds least, as far to the right as there is room; below what
// stands first within those brackets.
#include "emit.h"

#include <string.h>

enum { WIDTH = 100, STEP = 4, MOST_BRACKETS = 64 };

// What a break separates, the best first.
typedef enum {
    RANK_ITEM,
    RANK_COLON, // of a ? b : c
    RANK_QUESTION,
    RANK_OR,
    RANK_AND,
    RANK_COMPARISON,
    RANK_SUM,
    RANK_PRODUCT,
    RANK_WORDS, // of a text in quotes, which becomes two
    RANK_LETTERS,
    RANK_FORCED, // where nothing else is enough
} Rank;

typedef struct {
    int at; // where the next line begins
    int depth;
    Rank rank;
    int below, right; // that line stands below this place, and so far to the right of it
} Break;

// The latest of an item at each depth, or -1: the place of its ?, and the break before its :.
typedef struct {
    int mark, colon;
} Question;

static const Question no_question = {-1, -1};

typedef struct {
    const char *text;
    int length, code; // letters, and those before a comment behind the code
    int indent;
    const char *end; // of each line but the last
    int *column;     // of each letter, once it has its line
    Break *breaks;
    int count, deepest;
    // while breaks are looked for
    int depth, brackets[MOST_BRACKETS]; // places behind those that are open
    Question questions[MOST_BRACKETS];
    int value, first; // places behind the latest = and of what is declared first
} LongLine;

static bool is_at(const LongLine *l, int at, const char *word)
{
    return !strncmp(l->text + at, word, strlen(word));
}

static void add_break(LongLine *l, int at, Rank rank, int below, int right)
{
    if (at < l->code)
        l->breaks[l->count++] = (Break){at, l->depth, rank, below, right};
}

// --- where a line may be broken -----------------------------------------------------------------

// Within a text in quotes. An escape and a letter beyond ASCII stay whole.
static int find_in_quotes(LongLine *l, int at)
{
    const int below = at;
    for (at++; at < l->code && l->text[at] != '"';) {
        const bool space = l->text[at] == ' ';
        if (l->text[at] == '\\')
            at += strspn(l->text + at + 1, "01234567") >= 3 ? 4 : 2;
        else
            for (at++; (l->text[at] & 0xc0) == 0x80;)
                at++;
        if (l->text[at] != '"')
            add_break(l, at, space ? RANK_WORDS : RANK_LETTERS, below, 0);
    }
    return at + 1;
}

// Below what an operator that is not within brackets works on, or at a bracket.
static int expression(const LongLine *l) { return l->depth ? l->brackets[l->depth - 1] : l->value; }

// : stands below its ?, and in a chain, a ? b : c ? d : e, below what the chain begins with.
static void find_question(LongLine *l, int at)
{
    Question *const question = &l->questions[l->depth];
    if (l->text[at] == ':' && question->mark >= 0) {
        question->colon = l->count;
        add_break(l, at, RANK_COLON, question->mark, 0);
    } else if (l->text[at] == '?') {
        if (question->colon >= 0)
            l->breaks[question->colon].below = expression(l);
        else
            add_break(l, at, RANK_QUESTION, expression(l), STEP);
        question->mark = at;
    }
}

static void find_item(LongLine *l, int at)
{
    add_break(l, at, RANK_ITEM, l->depth ? l->brackets[l->depth - 1] : l->first, 0);
    l->questions[l->depth] = no_question;
}

// Returns where to look on.
static int find_operator(LongLine *l, int at)
{
    static const struct {
        const char *word;
        Rank rank;
    } operators[] = {
        {" || ", RANK_OR},         {" && ", RANK_AND},        {" == ", RANK_COMPARISON},
        {" != ", RANK_COMPARISON}, {" < ", RANK_COMPARISON},  {" > ", RANK_COMPARISON},
        {" <= ", RANK_COMPARISON}, {" >= ", RANK_COMPARISON}, {" + ", RANK_SUM},
        {" - ", RANK_SUM},         {" * ", RANK_PRODUCT},     {" / ", RANK_PRODUCT},
        {" % ", RANK_PRODUCT},
    };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (is_at(l, at, operators[i].word)) {
            const int behind = at + (int)strlen(operators[i].word);
            add_break(l, behind, operators[i].rank, expression(l), expression(l) ? 0 : STEP);
            return behind - 1;
        }
    return at + 1;
}

// Behind " = ", " += " and the like; what is declared stands before the first.
static void find_value(LongLine *l, int equals)
{
    int first = equals - 1;
    while (first > 0 && l->text[first - 1] == ' ')
        first--;
    while (first > 0 && l->text[first - 1] != ' ')
        first--;
    if (!l->value)
        l->first = first;
    l->value = equals + 2;
    add_break(l, l->value, RANK_FORCED, 0, STEP);
}

static void find_within_brackets(LongLine *l, int at)
{
    if (l->text[at] != '[')
        add_break(l, at + 1, RANK_FORCED, l->depth ? l->brackets[l->depth - 1] : 0, STEP);
    if (l->depth == MOST_BRACKETS - 1)
        bug("more than %d brackets are open in '%s'", l->depth, l->text);
    l->brackets[l->depth++] = at + 1;
    l->deepest = l->depth > l->deepest ? l->depth : l->deepest;
    l->questions[l->depth] = no_question;
}

static void find_breaks(LongLine *l)
{
    l->questions[0] = no_question;
    l->value = starts_with(l->text, "return ") ? 7 : 0;
    for (int at = 0; at < l->code;) {
        const char c = l->text[at];
        if (is_letter(c)) {
            at++;
            continue;
        }
        if (c == '"') {
            at = find_in_quotes(l, at);
            continue;
        }
        if (strchr("([{", c))
            find_within_brackets(l, at);
        else if (strchr(")]}", c) && l->depth > 0)
            l->depth--;
        else if (is_at(l, at, ", ") || is_at(l, at, "; "))
            find_item(l, at + 2);
        else if (is_at(l, at, "= ") && l->depth == 0 && !strchr("=!<>", l->text[at - 1]))
            find_value(l, at);
        else if (is_at(l, at, " ? ") || is_at(l, at, " : "))
            find_question(l, at + 1);
        at = c == ' ' ? find_operator(l, at) : at + 1;
    }
}

// --- lines --------------------------------------------------------------------------------------

static int place(const LongLine *l, int from, int to, int column)
{
    for (int i = from; i < to; i++) {
        l->column[i] = column;
        column += (l->text[i] & 0xc0) != 0x80;
    }
    return column;
}

static bool is_in_quotes(const Break *b)
{
    return b->rank == RANK_WORDS || b->rank == RANK_LETTERS;
}

// Whether what stands before the break has room, once it is placed.
static bool has_room(const LongLine *l, const Break *b)
{
    const int spaces = l->text[b->at - 1] == ' ' && !is_in_quotes(b);
    const int more = is_in_quotes(b) + (int)strlen(l->end);
    return l->column[b->at] - spaces + more <= WIDTH;
}

static bool is_better(const Break *b, const Break *than)
{
    if (!than)
        return true;
    const bool quoted = is_in_quotes(b), than_quoted = is_in_quotes(than);
    if (quoted != than_quoted)
        return than_quoted;
    if (!quoted && b->depth != than->depth)
        return b->depth < than->depth;
    // as far to the right as there is room, but of a chain of choices the first
    return b->rank < than->rank || (b->rank == than->rank && b->rank != RANK_COLON);
}

// How a line may be laid out.
typedef struct {
    const Break *forced; // one that is to be taken
    bool cuts_texts;
} Way;

static const Break *best_break(const LongLine *l, int from, const Way *way)
{
    const Break *best = NULL;
    for (int i = 0; i < l->count; i++) {
        const Break *const b = &l->breaks[i];
        if (b->at <= from || !has_room(l, b))
            continue;
        if (b == way->forced)
            return b;
        if (b->rank != RANK_FORCED && (way->cuts_texts || !is_in_quotes(b)) && is_better(b, best))
            best = b;
    }
    return best;
}

typedef struct {
    Way way;
    int lines, widest;
    Rank worst; // of its breaks
} Layout;

// Writes the lines to `text` unless it is NULL.
static Layout lay_out(const LongLine *l, Way way, Text *text)
{
    Layout layout = {.way = way};
    int from = 0, column = l->indent;
    const char *quote = "";
    if (text)
        text_put(text, blanks(column), (size_t)column);
    for (;;) {
        const int end = place(l, from, l->length, column);
        const bool fits = end <= WIDTH && (!way.forced || way.forced->at <= from);
        const Break *const b = fits ? NULL : best_break(l, from, &way);
        const int to = b ? b->at : l->length;
        const int spaces = b && !is_in_quotes(b) && l->text[to - 1] == ' ';
        const int last = b ? l->column[to] - spaces : end;
        layout.widest = last > layout.widest ? last : layout.widest;
        layout.lines++;
        if (text)
            text_add(text, "%s%.*s", quote, to - from - spaces, l->text + from);
        if (!b)
            return layout;
        layout.worst = b->rank > layout.worst ? b->rank : layout.worst;
        quote = is_in_quotes(b) ? "\"" : "";
        column = l->column[b->below] + b->right;
        if (text)
            text_add(text, "%s%s\n%s", quote, l->end, blanks(column));
        column += *quote != '\0';
        from = to;
    }
}

// Whether it is worth a try to break a line here first, although there is room for more.
static bool may_be_forced(const Break *b)
{
    return b->rank == RANK_FORCED || b->rank == RANK_QUESTION;
}

// Behind a bracket a line is broken only to have room, elsewhere to be read more easily, too.
static bool is_better_layout(const LongLine *l, const Layout *a, const Layout *than, const Break *b)
{
    if (a->widest > WIDTH || than->widest > WIDTH)
        return a->widest < than->widest;
    if (strchr("({", l->text[b->at - 1]))
        return false;
    return a->lines < than->lines || (a->lines == than->lines && a->worst < than->worst);
}

// Forced breaks make room where the others are not enough, and last those in quotes.
static const char *best_layout(const LongLine *l)
{
    Layout best = lay_out(l, (Way){0}, NULL);
    for (int depth = 0; depth <= l->deepest; depth++)
        for (int i = 0; i < l->count; i++) {
            const Break *const b = &l->breaks[i];
            if (b->depth != depth || !may_be_forced(b))
                continue;
            const Layout layout = lay_out(l, (Way){.forced = b}, NULL);
            if (is_better_layout(l, &layout, &best, b))
                best = layout;
        }
    Text text = {0};
    lay_out(l, best.widest > WIDTH ? (Way){.cuts_texts = true} : best.way, &text);
    return text.text;
}

static LongLine line_of(int indent, const char *code, const char *behind)
{
    const int spaces = (int)strspn(code, " ");
    LongLine l = {.text = format("%s%s", code + spaces, behind), .indent = indent + spaces};
    l.code = (int)strlen(code) - spaces;
    l.length = (int)strlen(l.text);
    l.end = *l.text == '#' ? " \\" : "";
    l.column = allocate(((size_t)l.length + 1) * sizeof *l.column);
    l.breaks = allocate(((size_t)l.length + 1) * sizeof *l.breaks);
    find_breaks(&l);
    return l;
}

// Where a comment behind the code begins, or the end of the text.
static const char *find_comment(const char *text)
{
    const char *c = behind_quotes(text);
    while (*c && !(*c == '/' && starts_with(c, "// ")))
        c = behind_quotes(c + 1);
    return c;
}

const char *broken(int indent, const char *text)
{
    if (indent + text_columns(text) <= WIDTH)
        return format("%s%s", blanks(indent), text);
    const char *const behind = find_comment(text), *end = behind;
    while (end > text && end[-1] == ' ')
        end--;
    const char *const code = format("%.*s", (int)(end - text), text);
    const LongLine alone = line_of(indent, code, "");
    if (!*behind)
        return best_layout(&alone);
    const LongLine both = line_of(indent, code, format(" %s", behind));
    Text text_of_both = {0};
    if (lay_out(&both, (Way){0}, &text_of_both).widest <= WIDTH)
        return text_of_both.text;
    return format("%s\n%s", comment_text(alone.indent, behind + 3), best_layout(&alone));
}
