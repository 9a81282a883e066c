// params.c: `param NAME = NUMBER` statements, and -D, which replaces their numbers.
//
// -D width=50 is the text `param width=50` of a source of its own, so that its mistakes are found
// and shown as the file's are.
#include "language.h"

#include <string.h>

enum { MAX_PARAMS = 1000 }; // no network has more, and it keeps every search short

Param *find_param(const Params *params, const char *name)
{
    for (; params; params = params->outer)
        for (int i = 0; i < params->count; i++)
            if (params->params[i].name == name)
                return &params->params[i];
    return NULL;
}

Loc name_loc(const Source *source, int start)
{
    const char *const text = source->text + start;
    const size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return (Loc){source, start, start + (int)length};
}

// The place of the name in a `param` statement, also in one that could not be parsed; empty where
// there is none.
static Loc param_name_loc(const Statement *statement)
{
    const Source *const source = statement->loc.source;
    const Expr *const item = statement->items;
    const int start = item ? item->loc.start : statement->word_loc.end;
    return name_loc(source, start + (int)strspn(source->text + start, " \t"));
}

static bool is_param(const Statement *statement) { return !strcmp(statement->word, "param"); }

// Declares the names of all params, so that a use before the definition can be told from a use
// without one.
void declare_params(Params *params, const Statement *statements)
{
    int count = 0;
    for (const Statement *s = statements; s; s = s->next) {
        if (is_param(s) && count == MAX_PARAMS) {
            error_at(E207, s->loc, "more than %d params", MAX_PARAMS);
            break;
        }
        count += is_param(s);
    }
    params->params = allocate((size_t)(count + 1) * sizeof(Param));
    for (const Statement *s = statements; s && params->count < count; s = s->next) {
        const Loc loc = param_name_loc(s);
        if (!is_param(s) || loc.end == loc.start)
            continue;
        const char *const text = loc_text(loc), *const name = intern(text, strlen(text));
        if (!find_param(params, name))
            params->params[params->count++] = (Param){.name = name, .loc = loc, .value_loc = loc};
    }
}

void no_param_name(Loc loc)
{
    error_at(E208, loc, "'%s' is no name for a number", loc_text(loc));
    note_at((Loc){0}, "a name is made of a-z, A-Z, 0-9 and _, and does not start with a digit");
}

// The one `name = value` of a param statement, or NULL after an error.
static const Expr *param_assignment(const Statement *statement)
{
    const Expr *const item = statement->items;
    if (statement->broken)
        return NULL;
    if (item && item->kind == EXPR_ASSIGN && !item->next)
        return item;
    const Loc end = {statement->loc.source, statement->loc.end, statement->loc.end};
    if (item && item->kind != EXPR_ASSIGN && item->kind != EXPR_WORD) {
        const Loc name = param_name_loc(statement); // `3n` is two items
        no_param_name(name.end > item->loc.end ? name : item->loc);
        return NULL;
    }
    if (!item)
        error_at(E208, end, "'param' needs a name");
    else if (item->kind == EXPR_ASSIGN)
        error_at(E208, item->next->loc, "unexpected '%s'", loc_text(item->next->loc));
    else
        error_at(E208, item->next ? item->next->loc : end, "'param' needs a '=' behind the name");
    note_at((Loc){0}, "the form is 'param width = 300'");
    return NULL;
}

void define_param(Params *params, const Statement *statement)
{
    const Expr *const item = param_assignment(statement);
    const Loc name_loc = param_name_loc(statement);
    const char *const name = loc_text(name_loc);
    Param *const param = find_param(params, intern(name, strlen(name)));
    if (!param)
        return;
    if (item && param->loc.start != name_loc.start) {
        error_at(E209, name_loc, "'%s' is defined twice", param->name);
        note_at(param->loc, "it is defined here first");
        return;
    }
    if (item && is_reserved(param->name)) {
        error_at(E210, name_loc, "'%s' is a word of the language and can't name a number",
                 param->name);
        note_at((Loc){0}, "take another name, for example '%s_1'", param->name);
    } else if (item) {
        const Value value = evaluate(item->right, params);
        if (!param->overridden) {
            param->known = value.known;
            param->number = value.number;
            param->percent = value.percent;
            param->value_loc = (Loc){item->loc.source, item->loc.start, item->right->loc.end};
        }
    }
    param->defined = true;
}

static void undeclared_define(const Params *params, const Source *file, Loc loc)
{
    Words names = {0};
    for (int i = 0; i < params->count; i++)
        words_add(&names, params->params[i].name);
    const char *const near = nearest_word(loc_text(loc), names.words, names.count);
    error_at(E211, loc, "no param '%s' in '%s'%s", loc_text(loc), file->path,
             near ? format("; did you mean '%s'?", near) : "");
    if (names.count)
        note_at((Loc){0}, "params are %s", words_listed(names));
    else
        note_at((Loc){0}, "the file has no params; one is declared by 'param width = 300'");
}

// The first name in an expression, or NULL.
static const Expr *find_word(const Expr *expr)
{
    if (!expr || expr->kind == EXPR_WORD)
        return expr;
    const Expr *const left = find_word(expr->left);
    return left ? left : find_word(expr->right);
}

void apply_define(Params *params, const Source *file, const char *define)
{
    const char *const equals = strchr(define, '=');
    if (!equals || equals == define || !equals[1]) {
        error_at(E212, (Loc){0}, "'-D %s' is not NAME=NUMBER, as in '-D width=50'", define);
        return;
    }
    if (has_control(define)) { // the record of what was built has a line for each
        error_at(E212, (Loc){0}, "'-D %s' has a control character", readable(define));
        return;
    }
    const int errors = error_count();
    const Source *const source = source_of_text("-D", format("param %s", define));
    const Statement *const statement = source ? parse(source) : NULL;
    if (error_count() > errors)
        return;
    const Expr *const item = statement && !statement->next ? statement->items : NULL;
    if (!item || item->kind != EXPR_ASSIGN || item->next || statement->bodies) {
        error_at(E212, (Loc){0}, "'-D %s' is not NAME=NUMBER, as in '-D width=50'", define);
        return;
    }
    Param *const param = find_param(params, item->word);
    const Expr *const word = find_word(item->right);
    if (!param) {
        undeclared_define(params, file, param_name_loc(statement));
    } else if (word) {
        error_at(E213, word->loc, "'%s' is a number, not '%s'", param->name, loc_text(word->loc));
        note_at(param->loc, "it is declared here");
    } else if (param->overridden) {
        error_at(E214, item->loc, "'%s' is set twice by -D", param->name);
        note_at(param->value_loc, "it is set here first");
    } else {
        const Value value = evaluate(item->right, &(Params){0});
        param->overridden = true;
        param->known = value.known;
        param->number = value.number;
        param->percent = value.percent;
        param->value_loc = item->loc;
    }
}
