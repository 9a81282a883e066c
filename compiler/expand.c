// expand.c: bodies, repeats, blocks and lists become a list of layers.
//
// A statement of a body is resolved once for each time that it is written: a block's arguments may
// change every number in it. An error is printed at its place in the text, with a note for each
// use and repeat around it.
#include "resolve.h"

#include <string.h>

// --- bodies -------------------------------------------------------------------------------------

static int body_count(const Statement *statement)
{
    int count = 0;
    for (const Body *body = statement->bodies; body; body = body->next)
        count++;
    return count;
}

static Loc end_of(const Statement *statement)
{
    return (Loc){statement->loc.source, statement->loc.end, statement->loc.end};
}

bool check_bodies(const Row *row, const Statement *statement)
{
    const int least = least_bodies(row), most = most_bodies(row), count = body_count(statement);
    if (count >= least && count <= most)
        return true;
    if (!most) {
        error_at(E501, statement->bodies->loc, "'%s' has no body in braces", row->name);
        return false;
    }
    if (!count)
        error_at(E501, end_of(statement), "'%s' needs %s in braces", row->name,
                 least == 1 ? "a body" : "bodies");
    else if (count < least)
        error_at(E501, statement->word_loc, "'%s' needs %d bodies or more, found %d", row->name,
                 least, count);
    else
        error_at(E501, statement->word_loc, "'%s' has %s, found %d", row->name,
                 most == 1 ? "one body" : format("at most %d bodies", most), count);
    note_at((Loc){0}, "the form is '%s'", row->example);
    return false;
}

static void resolve_body(Resolver *r, const Statement *owner, const Body *body)
{
    const Statement *const outer = r->owner;
    r->owner = owner;
    for (const Statement *s = body->first; s; s = s->next)
        if (error_count() <= MAX_ERRORS && !r->full)
            resolve_statement(r, s);
    r->owner = outer;
}

// A body that may not be empty; false where it is.
static bool is_filled(const Statement *statement, const Body *body)
{
    if (body->first)
        return true;
    error_at(E502, body->loc, "the body of '%s' is empty", statement->word);
    return false;
}

// `residual` and `concat`: the layer stands before, between and behind its bodies. A `concat` may
// pass its input on, by an empty body.
void add_branches(Resolver *r, Clause clause, const Statement *statement)
{
    bool filled = false;
    for (const Body *body = statement->bodies; body; body = body->next)
        filled |= body->first != NULL;
    if (!filled && !is_filled(statement, statement->bodies))
        return;
    clause.bracket = BRACKET_OPENS;
    for (const Body *body = statement->bodies; body; body = body->next) {
        if (!add_layer(r, clause))
            return;
        resolve_body(r, statement, body);
        clause.bracket = BRACKET_NEXT;
    }
    clause.bracket = BRACKET_CLOSES;
    add_layer(r, clause);
}

// --- repeat -------------------------------------------------------------------------------------

void note_use(const Use *use)
{
    enum { SHOWN = 3 };
    for (int i = 0; use && i < SHOWN; use = use->outer, i++)
        if (use->block)
            note_at(use->loc, "'%s' is used here", use->block);
        else
            note_at(use->loc, "this is round %d of %d of the repeat here", use->round, use->rounds);
}

// Enters a block or a repeat; false where they are too deep.
static bool enter(Resolver *r, Use *use)
{
    if (r->depth == MAX_EXPANSIONS) {
        error_at(E504, use->loc, "more than %d blocks and repeats inside one another",
                 MAX_EXPANSIONS);
        return false;
    }
    use->outer = r->use;
    r->use = use;
    r->depth++;
    return true;
}

static void leave(Resolver *r)
{
    r->use = r->use->outer;
    r->depth--;
}

static void add_repeat(Resolver *r, const Row *row, const Statement *statement)
{
    const int errors = error_count();
    const Clause clause = read_clause(row, statement, r->params);
    const Body *const body = statement->bodies;
    if (!is_filled(statement, body))
        return;
    const int rounds = error_count() > errors ? 1 : (int)setting_number(&clause, "count");
    for (int round = 1; round <= rounds && (round == 1 || error_count() == errors); round++) {
        Use *const use = allocate(sizeof *use);
        *use = (Use){.loc = statement->loc, .round = round, .rounds = rounds};
        if (!enter(r, use))
            return;
        const int layers = r->program->layer_count;
        resolve_body(r, statement, body);
        leave(r);
        if (r->program->layer_count == layers)
            return; // its text is broken, which was said: millions of rounds would add nothing
    }
}

// --- lists --------------------------------------------------------------------------------------

static const Expr *next_list(const Expr *item)
{
    while (item && item->kind != EXPR_LIST)
        item = item->next;
    return item;
}

bool has_list(const Statement *statement) { return next_list(statement->items) != NULL; }

static int item_count(const Expr *items)
{
    int count = 0;
    for (; items; items = items->next)
        count++;
    return count;
}

// How long the lists of a statement are; 0 after an error.
static int list_length(const Statement *statement)
{
    const Expr *const first = next_list(statement->items);
    const int length = item_count(first->items);
    for (const Expr *list = next_list(first->next); list; list = next_list(list->next)) {
        if (item_count(list->items) == length)
            continue;
        error_at(E505, list->loc, "this list has %d item%s and the first one %d",
                 item_count(list->items), item_count(list->items) == 1 ? "" : "s", length);
        note_at(first->loc, "the first one is here");
        return 0;
    }
    return length;
}

// The items with the element number `index` in the place of each list.
static Expr *pick(const Expr *items, int index)
{
    Expr *first = NULL, **end = &first;
    for (; items; items = items->next) {
        const Expr *from = items->kind == EXPR_LIST ? items->items : items;
        for (int i = 0; from != items && i < index; i++)
            from = from->next;
        Expr *const copy = allocate(sizeof *copy);
        *copy = *from;
        copy->next = NULL;
        *end = copy;
        end = &copy->next;
    }
    return first;
}

// `dense [300 200] relu` is `dense 300 relu` and `dense 200 relu`.
void expand_list(Resolver *r, const Row *row, const Statement *statement)
{
    if (row && row->section != SECTION_LAYER && row->section != SECTION_ACTIVATION) {
        error_at(E506, next_list(statement->items)->loc, "'%s' is no layer and takes no list",
                 row->name);
        return;
    }
    const int errors = error_count(), length = list_length(statement);
    r->in_list = true;
    for (int i = 0; i < length && error_count() == errors; i++) {
        Statement one = *statement;
        one.items = pick(statement->items, i);
        one.next = NULL;
        Statement *const kept = allocate(sizeof *kept);
        *kept = one;
        resolve_statement(r, kept);
    }
    r->in_list = false;
}

// --- blocks -------------------------------------------------------------------------------------

Block *find_block(const Resolver *r, const char *name)
{
    for (Block *block = r->blocks; block; block = block->next)
        if (block->name == name)
            return block;
    return NULL;
}

void add_block_names(const Resolver *r, Words *words)
{
    for (const Block *block = r->blocks; block; block = block->next)
        words_add(words, block->name);
}

static const char *block_name(const Statement *statement)
{
    const Expr *const name = statement->items;
    return name && name->kind == EXPR_WORD ? name->word : NULL;
}

bool defined_below(const Resolver *r, const Statement *statement)
{
    for (const Statement *s = r->statements; s; s = s->next) {
        if (!s->word || strcmp(s->word, "block") != 0 || block_name(s) != statement->word)
            continue;
        error_at(E511, statement->word_loc, "'%s' is used before it is defined", statement->word);
        note_at(s->items->loc, "it is defined here");
        return true;
    }
    return false;
}

// Whether it can name a block or an argument of one; false after an error.
static bool is_free_name(const Resolver *r, const Expr *name, Loc loc, const char *what)
{
    if (name->kind != EXPR_WORD) {
        error_at(E507, loc, "expected the name of %s, found '%s'", what, loc_text(loc));
        return false;
    }
    if (is_reserved(name->word)) {
        error_at(E509, loc, "'%s' is a word of the language and can't name %s", name->word, what);
        return false;
    }
    const Param *const param = find_param(&r->program->params, name->word);
    if (param) {
        error_at(E509, loc, "'%s' is the name of a param already", name->word);
        note_at(param->loc, "it is defined here");
    }
    return !param;
}

// `(filters stride)`, `(filters)`, which the grammar takes for a number in parentheses, or nothing.
static const Expr *header_arguments(const Statement *statement)
{
    const Expr *const item = statement->items->next;
    return item && item->kind == EXPR_GROUP ? item->items : item;
}

static bool read_header(const Resolver *r, const Statement *statement, Block *block)
{
    const Expr *const name = statement->items, *const second = name ? name->next : NULL;
    const char *const text = statement->loc.source->text;
    const bool named = name && name->kind == EXPR_WORD;
    if (!name || (named && second && (second->next || text[second->loc.start] != '('))) {
        error_at(E507, name ? second->next ? second->next->loc : second->loc : end_of(statement),
                 name ? "expected a '(' or a '{' behind the block's name" : "'block' needs a name");
        note_at((Loc){0}, "the form is '%s'", statement_row("block")->example);
        return false;
    }
    const Loc place = named ? name->loc : name_loc(name->loc.source, name->loc.start); // `3b`
    if (!is_free_name(r, name, place, "a block"))
        return false;
    const Block *const same = find_block(r, name->word);
    if (same) {
        error_at(E508, name->loc, "'%s' is defined twice", name->word);
        note_at(same->statement->items->loc, "it is defined here first");
        return false;
    }
    block->name = name->word;
    const Expr *const arguments = header_arguments(statement);
    block->arguments = allocate(((size_t)item_count(arguments) + 1) * sizeof(Param));
    for (const Expr *a = arguments; a; a = a == second ? NULL : a->next) {
        const Loc all = a->loc; // with the parentheses, where there is one
        const Loc loc = a == second ? (Loc){all.source, all.start + 1, all.end - 1} : all;
        if (!is_free_name(r, a, loc, "an argument"))
            return false;
        for (int i = 0; i < block->argument_count; i++)
            if (block->arguments[i].name == a->word) {
                error_at(E510, loc, "a second argument '%s'", a->word);
                return false;
            }
        block->arguments[block->argument_count++] = (Param){.name = a->word, .loc = loc};
    }
    return true;
}

static void add_block(Resolver *r, const Statement *statement)
{
    Block *const block = allocate(sizeof *block);
    block->statement = statement;
    if (statement->broken || !read_header(r, statement, block)) {
        if (!block->name && !block_name(statement))
            return;
        block->name = block_name(statement);
        block->broken = true; // its uses are not unknown
    } else if (!is_filled(statement, statement->bodies)) {
        block->broken = true;
    }
    if (find_block(r, block->name))
        return;
    *(r->last_block ? &r->last_block->next : &r->blocks) = block;
    r->last_block = block;
}

void add_structure(Resolver *r, const Row *row, const Statement *statement)
{
    if (!strcmp(row->name, "repeat"))
        add_repeat(r, row, statement);
    else
        add_block(r, statement);
}

static const char *argument_names(const Block *block)
{
    Text text = {0};
    text_add(&text, "%s", "");
    for (int i = 0; i < block->argument_count; i++)
        text_add(&text, "%s%s", i ? " " : "", block->arguments[i].name);
    return text.text;
}

static void wrong_count(const Block *block, const Statement *statement)
{
    const int wanted = block->argument_count, found = item_count(statement->items);
    const Expr *extra = statement->items;
    for (int i = 0; i < wanted && extra; i++)
        extra = extra->next;
    const char *const names = wanted ? format(", '%s'", argument_names(block)) : "";
    error_at(E512, extra ? extra->loc : end_of(statement), "'%s' takes %s%s, found %d", block->name,
             wanted == 1 ? "1 number"
             : wanted    ? format("%d numbers", wanted)
                         : "no number",
             names, found);
    if (found == 1 && statement->items->kind == EXPR_GROUP) {
        const char *const group = loc_text(statement->items->loc);
        note_at((Loc){0}, "numbers stand without parentheses: '%s%s%.*s'", block->name,
                wanted ? " " : "", (int)strlen(group) - 2, group + 1);
    }
    note_at(block->statement->items->loc, "it is defined here");
}

// The arguments with their numbers; NULL after an error.
static Params *read_arguments(Resolver *r, const Block *block, const Statement *statement)
{
    if (item_count(statement->items) != block->argument_count) {
        wrong_count(block, statement);
        return NULL;
    }
    Params *const params = allocate(sizeof *params);
    params->outer = &r->program->params;
    params->params = allocate(((size_t)block->argument_count + 1) * sizeof(Param));
    const Expr *item = statement->items;
    for (int i = 0; i < block->argument_count; i++, item = item->next) {
        const Value value = evaluate(item, r->params);
        if (!value.known)
            return NULL;
        Param *const param = &params->params[params->count++];
        *param = block->arguments[i];
        param->value_loc = item->loc;
        param->number = value.number;
        param->percent = value.percent;
        param->overridden = value.overridden;
        param->defined = param->known = true;
    }
    return params;
}

static void warn_unused(Block *block, const Params *params)
{
    for (int i = 0; i < params->count; i++) {
        Param *const argument = &block->arguments[i];
        if (!params->params[i].used && !argument->used)
            warn_at(argument->loc, "'%s' is not used in '%s'", argument->name, block->name);
        argument->used = true; // said once
    }
}

void use_block(Resolver *r, Block *block, const Statement *statement)
{
    const int errors = error_count(), layers = r->program->layer_count;
    block->used = true;
    if (block->active) {
        error_at(E513, statement->word_loc, "'%s' uses itself", block->name);
        note_at(block->statement->items->loc, "it is defined here");
        note_use(r->use);
        return;
    }
    if (block->broken)
        return;
    if (statement->bodies)
        error_at(E501, statement->bodies->loc, "'%s' has no body in braces", block->name);
    Params *const params = read_arguments(r, block, statement);
    if (error_count() > errors) {
        note_use(r->use);
        return;
    }
    if (!params || block->failed)
        return;
    Use *const use = allocate(sizeof *use);
    *use = (Use){.loc = statement->loc, .block = block->name};
    if (!enter(r, use))
        return;
    const Params *const outer = r->params;
    const bool in_list = r->in_list;
    r->params = params;
    r->in_list = false;
    block->active = true;
    resolve_body(r, block->statement, block->statement->bodies);
    block->active = false;
    r->params = outer;
    r->in_list = in_list;
    leave(r);
    if (error_count() == errors)
        warn_unused(block, params);
    // nothing would end the uses of what adds no layer, and they may double
    block->failed = error_count() > errors || r->program->layer_count == layers;
}

void check_blocks(const Resolver *r)
{
    for (const Block *block = r->blocks; block; block = block->next)
        if (!block->used)
            warn_at(block->statement->items->loc, "'%s' is defined but not used", block->name);
}
