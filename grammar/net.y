// net.y: the grammar. A statement is a word and the items behind it, and no word is special: what
// a statement takes is said by statements.def and checked by settings.c, so that a wrong item gets
// a message about the statement and not one about tokens.

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
#include "../compiler/netc.h"
#include <string.h>

enum { MAX_PARENTHESES = 50, MAX_OPERATORS = 200 };

// What the lexer and the parser know together.
typedef struct {
    const Source *source;
    int offset;                // byte behind the last token
    int statement;             // byte at which this statement starts, or -1
    int previous;              // kind of the last token
    int open[MAX_PARENTHESES]; // bytes of the '(' that wait for their ')'
    int depth;
    bool failed;               // an error of this statement was printed: one is enough
    Statement *first, *last;
} Parser;

typedef struct {
    Expr *first, *last;
} Items;
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
%token <expr> NUMBER "number" WORD "word" DIMS "size"
%token ASSIGN "'='" OPEN "'('" CLOSE "')'"
%token PLUS "'+'" MINUS "'-'" TIMES "'*'" DIVIDE "'/'"
%token NEGATE "'-' of a negative number" // the lexer tells the two by what stands around it

%left PLUS MINUS
%left TIMES DIVIDE
%precedence NEGATE

%nterm <expr> item expr
%nterm <items> items

%%

file:
    %empty
|   file statement
;

// After an error, the rest of the line is skipped and reading goes on with the next statement.
statement:
    END                     { end_statement(parser); }
|   WORD items END          { add_statement(parser, $WORD, $items); }
|   WORD items error END    { add_statement(parser, $WORD, $items); yyerrok; }
|   error END               { end_statement(parser); yyerrok; }
;

items:
    %empty              { $$ = (Items){NULL, NULL}; }
|   items[list] item    { $$ = add_item(parser, $list, $item); }
;

item:
    expr
|   DIMS
|   WORD ASSIGN expr    { $$ = expr_assign(@$, $WORD, $expr); }
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

static void add_statement(Parser *parser, const Expr *word, Items items)
{
    Statement *const statement = allocate(sizeof *statement);
    statement->word_loc = statement->loc = word->loc;
    statement->word = word->word;
    statement->items = items.first;
    statement->broken = parser->failed;
    if (items.last)
        statement->loc.end = items.last->loc.end;
    if (parser->last)
        parser->last->next = statement;
    else
        parser->first = statement;
    parser->last = statement;
    end_statement(parser);
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
    const bool answered = parser->failed || error_count() > MAX_ERRORS ||
                          foreign_statement(statement_text(parser));
    parser->failed = true;
    return answered;
}

static int yyreport_syntax_error(const yypcontext_t *context, void *scanner, Parser *parser)
{
    (void)scanner;
    if (is_answered(parser))
        return 0;
    const Loc loc = *yypcontext_location(context);
    const yysymbol_kind_t token = yypcontext_token(context);
    const bool at_end = token == YYSYMBOL_END;
    const char *const found = at_end ? "the end of the line" : format("'%s'", loc_text(loc));
    if (at_end && parser->depth) {
        const int open = parser->open[parser->depth - 1];
        error_at(E014, (Loc){parser->source, open, open + 1}, "'(' is not closed on its line");
    } else if (is_expected(context, YYSYMBOL_NUMBER) && !is_expected(context, YYSYMBOL_END)) {
        error_at(E026, loc, "expected a number, found %s", found);
    } else if (token == YYSYMBOL_ASSIGN && is_expected(context, YYSYMBOL_WORD)) {
        error_at(E027, loc, "unexpected '='");
        note_at((Loc){0}, "a number gets a name by 'param width = 300'; nothing else has a '='");
    } else if (is_expected(context, YYSYMBOL_WORD) && is_expected(context, YYSYMBOL_YYEOF)) {
        error_at(E028, loc, "expected the word of a statement, found %s", found);
    } else {
        error_at(E029, loc, "unexpected %s", found);
    }
    return 0;
}
