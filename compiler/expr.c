// expr.c: the number that an expression stands for.
#include "language.h"

#include <math.h>

static void undefined_param(const Expr *expr, const Params *params)
{
    Words names = {0};
    for (const Params *scope = params; scope; scope = scope->outer)
        for (int i = 0; i < scope->count; i++)
            words_add(&names, scope->params[i].name);
    if (is_reserved(expr->word)) {
        error_at(E202, expr->loc, "expected a number, found '%s'", expr->word);
        return;
    }
    const char *const near = nearest_word(expr->word, names.words, names.count);
    if (near)
        error_at(E201, expr->loc, "undefined name '%s'; did you mean '%s'?", expr->word, near);
    else
        error_at(E201, expr->loc, "expected a number, found the undefined name '%s'", expr->word);
    if (near)
        note_at(find_param(params, near)->loc, "'%s' is defined here", near);
    else if (names.count)
        note_at((Loc){0}, "params are %s", words_listed(names));
    else
        note_at((Loc){0}, "a name is defined by 'param %s = 300'", expr->word);
}

static Value param_value(const Expr *expr, const Params *params)
{
    Param *const param = find_param(params, expr->word);
    if (!param) {
        undefined_param(expr, params);
        return (Value){0};
    }
    param->used = true;
    if (!param->defined) {
        error_at(E203, expr->loc, "'%s' is used before it is defined", expr->word);
        note_at(param->loc, "it is defined here");
        return (Value){0};
    }
    return (Value){
        .number = param->number,
        .percent = param->percent,
        .known = param->known,
        .param = param,
        .overridden = param->overridden,
    };
}

// A percentage stays one through + - * and a division by a number; of two it is their ratio.
static bool stays_percent(char op, const Value *left, const Value *right)
{
    return op == '/' ? left->percent && !right->percent : left->percent || right->percent;
}

static double compute(char op, double left, double right)
{
    switch (op) {
    case '+': return left + right;
    case '-': return left - right;
    case '*': return left * right;
    case '/': return left / right;
    default: bug("operator '%c'", op);
    }
}

static Value binary_value(const Expr *expr, const Params *params)
{
    const Value left = evaluate(expr->left, params), right = evaluate(expr->right, params);
    Value result = {
        .percent = stays_percent(expr->op, &left, &right),
        .param = left.param ? left.param : right.param,
        .overridden = left.overridden || right.overridden,
    };
    if (!left.known || !right.known)
        return result;
    if (expr->op == '/' && right.number == 0) {
        error_at(E204, expr->right->loc, "division by zero");
        if (right.param)
            note_at(right.param->value_loc, "'%s' is %s here", right.param->name,
                    number_text(right.param->number));
        return result;
    }
    result.number = compute(expr->op, left.number, right.number);
    result.known = isfinite(result.number);
    if (!result.known)
        error_at(E205, expr->loc, "the result is too large");
    return result;
}

Value evaluate(const Expr *expr, const Params *params)
{
    switch (expr->kind) {
    case EXPR_NUMBER:
        return (Value){.number = expr->number, .percent = expr->percent, .known = true};
    case EXPR_WORD: return param_value(expr, params);
    case EXPR_BINARY: return binary_value(expr, params);
    case EXPR_NEGATE: {
        Value value = evaluate(expr->right, params);
        value.number = -value.number;
        return value;
    }
    case EXPR_DIMS:
    case EXPR_LIST:
    case EXPR_GROUP:
    case EXPR_TEXT:
        error_at(E202, expr->loc, "expected a number, found '%s'", loc_text(expr->loc));
        return (Value){0};
    case EXPR_ASSIGN: error_at(E027, expr->loc, "unexpected '='"); return (Value){0};
    }
    bug("expression of kind %d", expr->kind);
}
