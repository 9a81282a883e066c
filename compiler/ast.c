// ast.c: the text as a tree: what the grammar's actions build, and --dump ast, which prints it.
#include "language.h"

#include <stdlib.h>
#include <string.h>

static Expr *expr_new(ExprKind kind, Loc loc)
{
    Expr *const expr = allocate(sizeof *expr);
    expr->kind = kind;
    expr->loc = loc;
    return expr;
}

Expr *expr_number(Loc loc, const char *digits, bool percent)
{
    Expr *const expr = expr_new(EXPR_NUMBER, loc);
    expr->number = strtod(digits, NULL);
    expr->percent = percent;
    if (percent)
        expr->number /= 100;
    return expr;
}

Expr *expr_word(Loc loc)
{
    Expr *const expr = expr_new(EXPR_WORD, loc);
    expr->word = intern(loc.source->text + loc.start, (size_t)(loc.end - loc.start));
    return expr;
}

// A file's name, as it stands between the quotes.
Expr *expr_text(Loc loc)
{
    Expr *const expr = expr_new(EXPR_TEXT, loc);
    expr->word = intern(loc.source->text + loc.start + 1, (size_t)(loc.end - loc.start - 2));
    return expr;
}

// `28x28x1`; a number too large for its type becomes the largest one, which no range allows.
Expr *expr_dims(Loc loc)
{
    Expr *const expr = expr_new(EXPR_DIMS, loc);
    const char *digits = loc.source->text + loc.start;
    for (;;) {
        char *end;
        expr->dims[expr->dim_count++] = strtoll(digits, &end, 10);
        if (*end != 'x' || end >= loc.source->text + loc.end)
            return expr;
        digits = end + 1;
    }
}

static int depth_of(const Expr *expr) { return expr ? expr->depth : 0; }

static Expr *expr_operator(ExprKind kind, Loc loc, Expr *left, Expr *right)
{
    Expr *const expr = expr_new(kind, loc);
    expr->left = left;
    expr->right = right;
    expr->depth = 1 + (depth_of(left) > depth_of(right) ? depth_of(left) : depth_of(right));
    return expr;
}

Expr *expr_binary(Loc loc, char op, Expr *left, Expr *right)
{
    Expr *const expr = expr_operator(EXPR_BINARY, loc, left, right);
    expr->op = op;
    return expr;
}

Expr *expr_negate(Loc loc, Expr *right) { return expr_operator(EXPR_NEGATE, loc, NULL, right); }

Expr *expr_assign(Loc loc, const Expr *name, Expr *right)
{
    Expr *const expr = expr_operator(EXPR_ASSIGN, loc, NULL, right);
    expr->word = name->word;
    return expr;
}

Expr *expr_items(ExprKind kind, Loc loc, Expr *items)
{
    Expr *const expr = expr_new(kind, loc);
    expr->items = items;
    return expr;
}

// --- dump ---------------------------------------------------------------------------------------

static void dump_expr(const Expr *expr, FILE *out);

static void dump_items(const Expr *items, FILE *out)
{
    for (const Expr *item = items; item; item = item->next) {
        if (item != items)
            fputc(' ', out);
        dump_expr(item, out);
    }
}

static void dump_expr(const Expr *expr, FILE *out)
{
    switch (expr->kind) {
    case EXPR_NUMBER:
        fputs(expr->percent ? percent_text(expr->number) : number_text(expr->number), out);
        break;
    case EXPR_WORD: fputs(expr->word, out); break;
    case EXPR_TEXT: fprintf(out, "\"%s\"", expr->word); break;
    case EXPR_DIMS:
        for (int i = 0; i < expr->dim_count; i++)
            fprintf(out, "%s%lld", i ? "x" : "", (long long)expr->dims[i]);
        break;
    case EXPR_BINARY:
        fputc('(', out);
        dump_expr(expr->left, out);
        fprintf(out, " %c ", expr->op);
        dump_expr(expr->right, out);
        fputc(')', out);
        break;
    case EXPR_NEGATE:
        fputc('-', out);
        dump_expr(expr->right, out);
        break;
    case EXPR_ASSIGN:
        fprintf(out, "%s = ", expr->word);
        dump_expr(expr->right, out);
        break;
    case EXPR_LIST:
        fputc('[', out);
        dump_items(expr->items, out);
        fputc(']', out);
        break;
    case EXPR_GROUP:
        fputc('(', out);
        dump_items(expr->items, out);
        fputc(')', out);
        break;
    }
}

static void dump_statements(const Statement *statements, int indent, FILE *out)
{
    for (const Statement *s = statements; s; s = s->next) {
        int line, column;
        loc_position(s->loc, &line, &column);
        fprintf(out, "%d:%d\t%*s%s%s", line, column, indent, "", s->word, s->items ? " " : "");
        dump_items(s->items, out);
        fputc('\n', out);
        for (const Body *body = s->bodies; body; body = body->next) {
            loc_position(body->loc, &line, &column);
            fprintf(out, "%d:%d\t%*s{\n", line, column, indent, "");
            dump_statements(body->first, indent + 4, out);
            fprintf(out, "\t%*s}\n", indent, "");
        }
    }
}

// One statement a line behind its place; every operation in parentheses.
void ast_dump(const Statement *statements, FILE *out) { dump_statements(statements, 0, out); }
