// net.y: the grammar. A statement is a word and the items behind it, and no word is special: what
// a statement takes is said by statements.def and checked by settings.c, so that a wrong item gets
// a message about the statement and not one about tokens.
//
// Braces are counted by the actions and not by rules: whatever is wrong on a line, the bodies that
// it opens and closes are known, and no '}' far below is reported for it.

%require "3.8"
%define api.pure full
%define api.token.prefix {TOK_}
%define api.location.type {Loc}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {void *scanner}
%parse-param {Parser *parser}

%code requires {
#include "../compiler/language.h"
#include <string.h>

enum { MAX_PARENTHESES = 50, MAX_OPERATORS = 200, MAX_BODIES = 50 };

// What the lexer and the parser know together.
typedef struct {
    const Source *source;
    int offset;                // byte behind the last token
    int statement;             // byte at which this statement starts, or -1
    int previous;              // kind of the last token
    int open[MAX_PARENTHESES]; // bytes of the '(' and '[' that wait for their end
    int depth;
    bool failed;               // an error of this statement was printed: one is enough
    Body file;                 // its statements
    Body *body[MAX_BODIES];    // that are open, and whose they are
    Statement *owner[MAX_BODIES];
    int bodies;
    int beyond;                // open ones more than that
    int silent;                // of so many bodies inside one another no error is printed; or 0
} Parser;

typedef struct {
    Expr *first, *last;
} Items;

typedef struct {
    int kind; // TOK_…
    Loc loc;
} Token;
// All tokens of a text that parses without an error, the last of them TOK_YYEOF.
const Token *tokens_of(const Source *source);
}

%union {
    Expr *expr;
    Items items;
}

%code {
int yylex(YYSTYPE *value, YYLTYPE *loc, void *scanner);
static void yyerror(YYLTYPE *loc, void *scanner, Parser *parser, const char *message);
static Items add_item(Parser *parser, Items items, Expr *item);
static void add_statement(Parser *parser, const Expr *word, Items items);
static void open_body(Parser *parser, Loc brace);
static void reopen_body(Parser *parser, Loc close, Loc open);
static void close_body(Parser *parser, Loc brace);
static void close_file(Parser *parser);
static void end_statement(Parser *parser);

// A place from the first symbol of a rule to its last.
#define YYLLOC_DEFAULT(here, rhs, count)                                                           \
    do {                                                                                           \
        (here) = YYRHSLOC(rhs, (count) ? 1 : 0);                                                   \
        (here).end = YYRHSLOC(rhs, (count)).end;                                                   \
        if (!(count))                                                                              \
            (here).start = (here).end;                                                             \
    } while (0)
}

%token END "end of line"
%token <expr> NUMBER "number" WORD "word" DIMS "size" TEXT "text"
%token ASSIGN "'='" OPEN "'('" CLOSE "')'" OPEN_LIST "'['" CLOSE_LIST "']'"
%token OPEN_BODY "'{'" CLOSE_BODY "'}'" // the lexer puts an end of line before a '}'
%token PLUS "'+'" MINUS "'-'" TIMES "'*'" DIVIDE "'/'"
%token NEGATE "'-' of a negative number" // the lexer tells the two by what stands around it

%left PLUS MINUS
%left TIMES DIVIDE
%precedence NEGATE

%nterm <expr> item expr element
%nterm <items> items elements group several

%%

file:
    statements              { close_file(parser); }
;

statements:
    %empty
|   statements statement
;

// After an error, the rest of the line is skipped up to a '{' or its end.
statement:
    END                                 { end_statement(parser); }
|   WORD items END                      { add_statement(parser, $WORD, $items); }
|   WORD items OPEN_BODY                { add_statement(parser, $WORD, $items);
                                          open_body(parser, @OPEN_BODY); }
|   CLOSE_BODY END                      { close_body(parser, @CLOSE_BODY); }
|   CLOSE_BODY OPEN_BODY                { reopen_body(parser, @CLOSE_BODY, @OPEN_BODY); }
|   WORD items error END                { add_statement(parser, $WORD, $items); yyerrok; }
|   WORD items error OPEN_BODY          { add_statement(parser, $WORD, $items);
                                          open_body(parser, @OPEN_BODY); yyerrok; }
|   CLOSE_BODY error END                { close_body(parser, @CLOSE_BODY); yyerrok; }
|   CLOSE_BODY error OPEN_BODY          { reopen_body(parser, @CLOSE_BODY, @OPEN_BODY); yyerrok; }
|   error END                           { end_statement(parser); yyerrok; }
|   error OPEN_BODY                     { open_body(parser, @OPEN_BODY); yyerrok; }
;

items:
    %empty              { $$ = (Items){NULL, NULL}; }
|   items[list] item    { $$ = add_item(parser, $list, $item); }
;

item:
    element
|   WORD ASSIGN expr                    { $$ = expr_assign(@$, $WORD, $expr); }
|   OPEN_LIST elements CLOSE_LIST       { $$ = expr_items(EXPR_LIST, @$, $elements.first); }
|   OPEN group CLOSE                    { $$ = expr_items(EXPR_GROUP, @$, $group.first); }
;

elements:
    element                             { $$ = add_item(parser, (Items){NULL, NULL}, $element); }
|   elements[list] element              { $$ = add_item(parser, $list, $element); }
;

element:
    expr
|   DIMS
|   TEXT
;

// Any number of them but one, which is an expression in parentheses.
group:
    %empty                              { $$ = (Items){NULL, NULL}; }
|   several
;

several:
    expr[first] expr[second]            { $$ = add_item(parser, (Items){NULL, NULL}, $first);
                                          $$ = add_item(parser, $$, $second); }
|   several[list] expr                  { $$ = add_item(parser, $list, $expr); }
;

expr:
    NUMBER
|   WORD
|   OPEN expr[inner] CLOSE         { $$ = $inner; $$->loc = @$; }
|   expr[left] PLUS expr[right]    { $$ = expr_binary(@$, '+', $left, $right); }
|   expr[left] MINUS expr[right]   { $$ = expr_binary(@$, '-', $left, $right); }
|   expr[left] TIMES expr[right]   { $$ = expr_binary(@$, '*', $left, $right); }
|   expr[left] DIVIDE expr[right]  { $$ = expr_binary(@$, '/', $left, $right); }
|   NEGATE expr[right]             { $$ = expr_negate(@$, $right); }
;

%%

static Items add_item(Parser *parser, Items items, Expr *item)
{
    if (item->depth > MAX_OPERATORS) {
        if (!parser->failed)
            error_at(E025, item->loc, "the expression has more than %d operators", MAX_OPERATORS);
        parser->failed = true;
        return items;
    }
    if (items.last)
        items.last->next = item;
    else
        items.first = item;
    items.last = item;
    return items;
}

static void end_statement(Parser *parser)
{
    parser->failed = false;
    parser->statement = -1;
    parser->depth = 0;
}

static Body *innermost(Parser *parser)
{
    return parser->bodies ? parser->body[parser->bodies - 1] : &parser->file;
}

static void add_statement(Parser *parser, const Expr *word, Items items)
{
    Statement *const statement = allocate(sizeof *statement);
    statement->word_loc = statement->loc = word->loc;
    statement->word = word->word;
    statement->items = items.first;
    statement->broken = parser->failed;
    if (items.last)
        statement->loc.end = items.last->loc.end;
    Body *const body = innermost(parser);
    if (body->last)
        body->last->next = statement;
    else
        body->first = statement;
    body->last = statement;
    end_statement(parser);
}

static void push_body(Parser *parser, Statement *owner, Loc brace)
{
    Body *const body = allocate(sizeof *body);
    body->loc = brace;
    Body **end = &owner->bodies;
    while (*end)
        end = &(*end)->next;
    *end = body;
    parser->owner[parser->bodies] = owner;
    parser->body[parser->bodies++] = body;
    end_statement(parser);
}

// Of the last statement; where an error hid its word, of one that says nothing.
static void open_body(Parser *parser, Loc brace)
{
    Statement *owner = innermost(parser)->last;
    if (parser->bodies == MAX_BODIES) {
        if (!parser->beyond++)
            error_at(E504, brace, "more than %d bodies inside one another", MAX_BODIES);
        if (owner)
            owner->broken = true;
        end_statement(parser);
        return;
    }
    const bool nameless = !owner || parser->statement >= 0;
    if (nameless)
        owner = allocate(sizeof *owner);
    const bool foreign = !nameless && !owner->broken && !statement_row(owner->word) &&
                         foreign_word(owner->word) && foreign_statement(owner->loc);
    owner->broken |= nameless || foreign;
    push_body(parser, owner, brace);
    if ((nameless || foreign) && !parser->silent)
        parser->silent = parser->bodies; // what it holds belongs to a mistake that was answered
}

// False where no body of a known statement ends.
static bool pop_body(Parser *parser, Loc brace)
{
    if (parser->beyond) {
        parser->beyond--;
        return false;
    }
    if (parser->bodies) {
        if (parser->bodies-- == parser->silent)
            parser->silent = 0;
        return true;
    }
    if (!parser->failed)
        error_at(E023, brace, "'}' without a '{'");
    return false;
}

static void close_body(Parser *parser, Loc brace)
{
    pop_body(parser, brace);
    end_statement(parser);
}

static void reopen_body(Parser *parser, Loc close, Loc open)
{
    if (pop_body(parser, close))
        push_body(parser, parser->owner[parser->bodies], open);
    else
        open_body(parser, open);
}

static void close_file(Parser *parser)
{
    for (int i = 0; i < parser->bodies; i++)
        error_at(E030, parser->body[i]->loc, "'{' is not closed");
}

// Only bison's own limits end up here.
static void yyerror(YYLTYPE *loc, void *scanner, Parser *parser, const char *message)
{
    (void)scanner;
    (void)parser;
    (void)loc;
    bug("bison: %s", message);
}

static bool is_expected(const yypcontext_t *context, yysymbol_kind_t kind)
{
    yysymbol_kind_t expected[YYNTOKENS];
    const int count = yypcontext_expected_tokens(context, expected, YYNTOKENS);
    for (int i = 0; i < count; i++)
        if (expected[i] == kind)
            return true;
    return false;
}

static Loc statement_text(const Parser *parser)
{
    const char *const text = parser->source->text;
    const int start = parser->statement < 0 ? parser->offset : parser->statement;
    return (Loc){parser->source, start, start + (int)strcspn(text + start, ";#\n")};
}

// True when this statement needs no further message.
bool is_answered(Parser *parser)
{
    const Loc text = statement_text(parser);
    const bool behind_body = text.source->text[text.start] == '}';
    const bool answered = parser->failed || parser->silent || error_count() > MAX_ERRORS ||
                          (!behind_body && foreign_statement(text));
    parser->failed = true;
    return answered;
}

static Loc without_blanks(Loc loc)
{
    const char *const text = loc.source->text;
    while (loc.start < loc.end && strchr(" \t", text[loc.start]))
        loc.start++;
    while (loc.start < loc.end && strchr(" \t", text[loc.end - 1]))
        loc.end--;
    return loc;
}

// A '=' that stands behind no name: `param 3 = 3`, `batch = 100` or `n = 3`.
static void wrong_assign(const Parser *parser, Loc assign)
{
    const Loc all = statement_text(parser), word = name_loc(all.source, all.start);
    const Loc before = without_blanks((Loc){all.source, word.end, assign.start});
    const Loc behind = without_blanks((Loc){all.source, assign.end, all.end});
    const char *const name = loc_text(word);
    if (!strcmp(name, "param") && before.end > before.start && !strchr(loc_text(before), '=')) {
        no_param_name(before);
        return;
    }
    error_at(E027, assign, "unexpected '='");
    const Row *const row = statement_row(name);
    const bool named = *name && strcmp(name, "param") && before.end == before.start;
    const char *const value = loc_text(behind);
    const bool number = *value && !value[strspn(value, "0123456789.+-*/%() ")];
    if (named && row && are_plain_words(value))
        note_at((Loc){0}, "write '%s %s'", name, value);
    else if (named && row)
        note_at((Loc){0}, "the form is '%s'", row->example);
    else if (named && number)
        note_at((Loc){0}, "write 'param %s = %s'", name, value);
    else
        note_at((Loc){0}, "a number gets a name by 'param width = 300'; nothing else has a '='");
}

static int yyreport_syntax_error(const yypcontext_t *context, void *scanner, Parser *parser)
{
    (void)scanner;
    if (is_answered(parser))
        return 0;
    const Loc loc = *yypcontext_location(context);
    const yysymbol_kind_t token = yypcontext_token(context);
    const bool at_end = token == YYSYMBOL_END;
    const bool at_brace = at_end && parser->source->text[loc.start] == '}';
    const char *const text = at_brace ? "}" : loc_text(loc);
    const char *const found = at_end && !at_brace ? "the end of the line" : format("'%s'", text);
    if (at_end && parser->depth) {
        const int open = parser->open[parser->depth - 1];
        error_at(E014, (Loc){parser->source, open, open + 1}, "'%c' is not closed on its line",
                 parser->source->text[open]);
    } else if (is_expected(context, YYSYMBOL_NUMBER) && !is_expected(context, YYSYMBOL_END)) {
        error_at(E026, loc, "expected a number, found %s", found);
    } else if (token == YYSYMBOL_ASSIGN && is_expected(context, YYSYMBOL_WORD)) {
        wrong_assign(parser, loc);
    } else if (is_expected(context, YYSYMBOL_WORD) && is_expected(context, YYSYMBOL_YYEOF)) {
        error_at(E028, loc, "expected the word of a statement, found %s", found);
        const Row *const row = statement_row(loc_text(name_loc(loc.source, loc.end)));
        if (*text == '[' && row)
            note_at((Loc){0}, "without brackets: '%s'", row->example);
    } else {
        error_at(E029, loc, "unexpected %s", found);
        if (is_expected(context, YYSYMBOL_OPEN_BODY) && !is_expected(context, YYSYMBOL_WORD))
            note_at((Loc){0}, "behind a '}' the line ends, or another body begins");
    }
    return 0;
}
