// settings.c: the items of one statement, read as statements.def says.
//
// First the values in their order, then an activation, then options.
#include "language.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SETTINGS = 16 };

typedef struct {
    const Row *row;
    const Statement *statement;
    const Params *params;
    const Expr *item;   // the next one, or NULL
    const char *choice; // the first value, where it is a word; NULL while unknown
    Clause clause;
    Loc option_locs[MAX_SETTINGS]; // of the names of the options written
} Reader;

// --- values and options -------------------------------------------------------------------------

static void set_fallback(const Row *field, const Clause *clause, Setting *to)
{
    const char *const text = field->fallback ? field->fallback : "";
    char *end;
    const Setting *const same = *text == '=' ? setting(clause, text + 1) : NULL;
    switch (field->kind) {
    case SETTING_NUMBER:
        to->number = strtod(text, &end);
        to->percent = *end == '%';
        if (to->percent)
            to->number /= 100;
        else if (*end == ' ')
            to->unit = end + 1;
        break;
    case SETTING_SIZE:
    case SETTING_SHAPE:
        to->dim_count = 2;
        for (int i = 0; i < 2; i++)
            to->dims[i] = same ? same->dims[i] : atoi(text);
        break;
    case SETTING_WORD:
    case SETTING_NAME:
    case SETTING_TEXT: to->word = *text ? text : NULL; break;
    case SETTING_LIST: break;
    }
}

static Setting *add_setting(Reader *reader, const Row *field)
{
    if (reader->clause.setting_count == MAX_SETTINGS)
        bug("'%s' has more than %d settings", reader->row->name, MAX_SETTINGS);
    Setting *const to = &reader->clause.settings[reader->clause.setting_count];
    *to = (Setting){.name = field->name, .kind = field->kind, .origin = ORIGIN_DEFAULT};
    set_fallback(field, &reader->clause, to);
    reader->clause.setting_count++;
    return to;
}

// Whether the item is the word of an activation or an option of this statement: then a value that
// should stand before it is missing.
static bool is_own_word(const Reader *reader, const Expr *item)
{
    if (item->kind != EXPR_WORD || find_param(reader->params, item->word))
        return false;
    return option_row(reader->row, item->word, NULL) ||
           (takes_activation(reader->row) && is_activation(item->word));
}

// Where something is missing: at the item that stands in its place, or behind the last one.
static Loc missing_loc(const Reader *reader)
{
    if (reader->item)
        return reader->item->loc;
    const Loc all = reader->statement->loc;
    return (Loc){all.source, all.end, all.end};
}

// `dropout rate 0.5`, as the tables of the manual call it.
static bool is_value_name(const Reader *reader, const Expr *item)
{
    if (item->kind != EXPR_WORD || !item->next || find_param(reader->params, item->word))
        return false;
    for (const Row *field = next_field(reader->row); field && field->type == ROW_VALUE;
         field = next_field(field))
        if (!strcmp(field->name, item->word))
            return true;
    return false;
}

static bool read_values(Reader *reader)
{
    for (const Row *field = next_field(reader->row); field && field->type == ROW_VALUE;
         field = next_field(field)) {
        if (field->of && !(reader->choice && field_applies(field, reader->choice)))
            continue;
        Setting *const to = add_setting(reader, field);
        if (!reader->item || is_own_word(reader, reader->item)) {
            const char *const before =
                reader->item ? format(" before '%s'", reader->item->word) : "";
            error_at(E107, missing_loc(reader), "'%s' needs %s%s, as in '%s'", reader->row->name,
                     field->about, before,
                     field->of ? format("%s %s \"path\"", reader->row->name, reader->choice)
                               : reader->row->example);
            return false;
        }
        if (is_value_name(reader, reader->item)) {
            error_at(E131, reader->item->loc, "the value '%s' is written without its name",
                     reader->item->word);
            note_at((Loc){0}, "the form is '%s'", reader->row->example);
            return false;
        }
        reader->item = read_value(reader->row, field, reader->item, reader->params, to);
        if (to == reader->clause.settings && field->kind == SETTING_WORD)
            reader->choice = to->word;
    }
    return true;
}

static void read_activation(Reader *reader)
{
    const Expr *const item = reader->item;
    if (!item || !takes_activation(reader->row) || item->kind != EXPR_WORD ||
        !is_activation(item->word))
        return;
    reader->clause.activation = item->word;
    reader->clause.activation_loc = item->loc;
    reader->item = item->next;
}

static const char *wanted(const Row *field)
{
    switch (field->kind) {
    case SETTING_NUMBER: return "a number";
    case SETTING_SIZE:
    case SETTING_SHAPE: return "a size, such as 2 or 2x2";
    case SETTING_WORD: {
        const Words choices = choice_words(field);
        return join_words(choices.words, choices.count, "or");
    }
    case SETTING_NAME: return "a name";
    case SETTING_LIST: return list_form(field);
    case SETTING_TEXT:
        return field->column ? "a column, by its name or its number" : "a file, as in \"data.csv\"";
    }
    bug("setting of kind %d", field->kind);
}

// An activation behind a mistake is part of it.
static void skip_activation(Reader *reader)
{
    if (reader->item && reader->item->kind == EXPR_WORD && is_activation(reader->item->word))
        reader->item = reader->item->next;
}

// Columns are called as anybody likes. Of `label label`, the second one is part of the mistake.
static void explain_column(Reader *reader, const Row *field)
{
    const char *const word = reader->item->word;
    note_at((Loc){0}, "a column of this name is written in quotes: '%s \"%s\"'", field->name, word);
    if (strcmp(word, field->name) == 0)
        reader->item = reader->item->next;
}

static void read_option(Reader *reader, const Row *field)
{
    const Expr *const name = reader->item;
    int index = 0;
    while (index < reader->clause.setting_count &&
           strcmp(reader->clause.settings[index].name, field->name) != 0)
        index++;
    // Where the choice is unknown, so is the list: the value is read to find its own mistakes.
    Setting unlisted = {0};
    Setting *const to =
        index < reader->clause.setting_count ? &reader->clause.settings[index] : &unlisted;
    reader->item = name->next;
    if (to != &unlisted && reader->option_locs[index].source) {
        error_at(E108, name->loc, "'%s' is written twice", field->name);
        note_at(reader->option_locs[index], "it is written here first");
    }
    if (to != &unlisted)
        reader->option_locs[index] = name->loc;
    const bool is_name = field->kind == SETTING_NAME; // for which 'relu' is a wrong one, not none
    if (!reader->item ||
        (is_own_word(reader, reader->item) && !(is_name && is_activation(reader->item->word)))) {
        error_at(E109, missing_loc(reader), "'%s' needs %s%s", field->name, wanted(field),
                 reader->item ? format(" before '%s'", reader->item->word) : "");
        if (field->column && reader->item)
            explain_column(reader, field);
        skip_activation(reader);
    } else {
        reader->item = read_value(reader->row, field, reader->item, reader->params, to);
    }
}

// --- items that don't belong --------------------------------------------------------------------

static void note_options_of_choice(const Reader *reader)
{
    const Words options = option_words(reader->row, reader->choice);
    note_at((Loc){0}, "'%s' takes %s", reader->choice,
            options.count ? join_words(options.words, options.count, "and") : "no attribute");
}

// The example is of one choice; of another it would mislead.
static void note_form(const Reader *reader)
{
    const char *const example = reader->row->example, *const choice = reader->choice;
    const char *const shown = strchr(example, ' ');
    if (!choice || (shown && strcspn(shown + 1, " ") == strlen(choice) &&
                    !strncmp(shown + 1, choice, strlen(choice))))
        note_at((Loc){0}, "the form is '%s'", example);
    else
        note_options_of_choice(reader);
}

static void wrong_choice(const Reader *reader, const Expr *item, const Row *other)
{
    error_at(E110, item->loc, "'%s' belongs to '%s', not to '%s'", item->word, other->of,
             reader->choice);
    note_options_of_choice(reader);
}

static void misplaced_activation(const Reader *reader, const Expr *item)
{
    const char *const word = reader->row->name;
    if (!takes_activation(reader->row)) {
        error_at(E111, item->loc, "'%s' takes no activation", word);
        note_at((Loc){0}, "write '%s' as a statement of its own behind it", item->word);
    } else if (reader->clause.activation) {
        error_at(E112, item->loc, "a second activation '%s'", item->word);
        note_at(reader->clause.activation_loc, "the first one is here");
    } else {
        error_at(E113, item->loc, "the activation '%s' goes before the attributes", item->word);
        note_form(reader);
    }
}

// `conv 32 3x3 leaky_relu slope 0.1`: the attribute of the activation, not of the layer.
static bool attribute_of_activation(const Reader *reader, const Expr *item)
{
    const char *const activation = reader->clause.activation;
    const Row *const row = activation ? statement_row(activation) : NULL;
    if (!row || !option_row(row, item->word, NULL))
        return false;
    error_at(E130, item->loc, "'%s' belongs to '%s', not to '%s'", item->word, activation,
             reader->row->name);
    note_at(reader->clause.activation_loc,
            "behind a layer it has its defaults; write '%s' on a line of its own", row->example);
    return true;
}

// `batch 64 epochs 5`: what follows is a statement of its own.
static bool begins_statement(const Reader *reader, const Expr *item)
{
    const Row *const row = statement_row(item->word);
    const bool unit = is_unit(item->word) && !(item->next && item->next->kind == EXPR_NUMBER);
    if (!row || unit || (takes_activation(reader->row) && is_activation(item->word)))
        return false;
    error_at(E117, item->loc, "unexpected '%s'", item->word);
    note_at((Loc){0}, "'%s' is a statement: it stands on a line of its own, or behind a ';'",
            item->word);
    return true;
}

static void unknown_word(const Reader *reader, const Expr *item)
{
    if (attribute_of_activation(reader, item))
        return;
    if (is_unit(item->word)) {
        error_at(E114, item->loc, "unexpected unit '%s'", item->word);
        return;
    }
    const char *const file = item->loc.source->text;
    if (item->loc.start > 0 && strchr("0123456789.%", file[item->loc.start - 1])) {
        error_at(E114, item->loc, "unknown unit '%s' behind a number", item->word);
        return;
    }
    const Foreign *const known =
        same_letters(item->word, "linear") ? NULL : foreign_word(item->word);
    const Words options = option_words(reader->row, reader->choice);
    Words words = options;
    const bool activation = takes_activation(reader->row) && !reader->clause.activation &&
                            (!known || is_activation(known->ours)) &&
                            (!item->next || is_own_word(reader, item->next));
    const Words activations = statement_words(SECTION_ACTIVATION);
    for (int i = 0; activation && i < activations.count; i++)
        words_add(&words, activations.words[i]);
    const char *const near = nearest_word(item->word, words.words, words.count);
    const char *const what =
        activation ? format("unknown activation '%s'", item->word)
                   : format("'%s' has no attribute '%s'", reader->row->name, item->word);
    error_at(E115, item->loc, "%s%s", what, near ? format("; did you mean '%s'?", near) : "");
    if (near)
        return;
    if (same_letters(item->word, "linear") || same_letters(item->word, "none"))
        note_at((Loc){0}, "for no activation, leave the word out");
    else if (known && !strcmp(item->word, known->ours))
        note_at((Loc){0}, "it belongs to another statement, as in '%s'", known->example);
    else if (known && (reader->choice || !starts_with(known->example, reader->row->name)) &&
             option_row(reader->row, known->ours, reader->choice))
        note_at((Loc){0}, "this looks like %s; the word is '%s'", known->tool, known->ours);
    else if (known)
        note_at((Loc){0}, "this looks like %s; write '%s'", known->tool,
                takes_activation(reader->row) && same_letters(item->word, "activation")
                    ? reader->row->example
                    : known->example);
    else if (activation)
        note_at((Loc){0}, "activations are %s",
                join_words(activations.words, activations.count, "and"));
    else if (options.count)
        note_at((Loc){0}, "it takes %s", join_words(options.words, options.count, "and"));
    if (same_letters(item->word, "padding") && item->next && item->next->kind == EXPR_NUMBER)
        note_zeropad(loc_text(item->next->loc));
}

// `28 28 1` or `3 x 3` for a size.
static void loose_size(const Reader *reader, const Expr *item)
{
    Text text = {0};
    const Expr *first = reader->statement->items;
    while (first->next != item)
        first = first->next;
    for (const Expr *part = first; part; part = part->next) {
        if (part->kind == EXPR_NUMBER)
            text_add(&text, "%s%s", text.length ? "x" : "", loc_text(part->loc));
        else if (part->kind != EXPR_WORD || !same_letters(part->word, "x"))
            break;
    }
    error_at(E116, item->loc, "unexpected '%s'", loc_text(item->loc));
    const bool whole = text.length && strchr(text.text, 'x');
    note_at((Loc){0}, "a size is one word: '%s'", whole ? text.text : "3x3");
}

// Whether the item stands right behind a size, or is an x.
static bool is_loose_size(const Reader *reader, const Expr *item)
{
    if (item == reader->statement->items)
        return false;
    if (item->kind == EXPR_WORD)
        return same_letters(item->word, "x") && reader->clause.settings[0].kind != SETTING_WORD;
    for (int i = 0; item->kind == EXPR_NUMBER && i < reader->clause.setting_count; i++) {
        const Setting *const s = &reader->clause.settings[i];
        const char *const text = item->loc.source->text;
        if (s->dim_count && s->loc.source &&
            s->loc.end + (int)strspn(text + s->loc.end, " \t") == item->loc.start)
            return true;
    }
    return false;
}

// Prints what is wrong with an item that is no option here. False: the rest can't be understood.
static bool unexpected(Reader *reader)
{
    const Expr *const item = reader->item;
    const Row *const other =
        item->kind == EXPR_WORD ? option_row(reader->row, item->word, NULL) : NULL;
    const bool is_word = item->kind == EXPR_WORD && !find_param(reader->params, item->word);
    reader->item = item->next;
    if (is_loose_size(reader, item)) {
        loose_size(reader, item);
        return false;
    }
    if (is_word && other) {
        wrong_choice(reader, item, other);
    } else if (is_word && is_activation(item->word)) {
        misplaced_activation(reader, item);
        return true;
    } else if (is_word && begins_statement(reader, item)) {
        return false;
    } else if (is_word) {
        unknown_word(reader, item);
    } else if (item->kind == EXPR_TEXT && !takes_text(reader->row)) {
        quoted_word(item);
        return true;
    } else {
        error_at(E117, item->loc, "unexpected '%s'", loc_text(item->loc));
        if (item->kind == EXPR_NEGATE)
            note_at((Loc){0}, "a subtraction has spaces on both sides of its '-', or on none");
        else
            note_form(reader);
        return false;
    }
    if (is_word && is_unit(item->word))
        return true;
    if (reader->item && !is_own_word(reader, reader->item)) // its value
        reader->item = reader->item->next;
    else
        skip_activation(reader);
    if (reader->item && reader->item->kind == EXPR_WORD && is_unit(reader->item->word))
        reader->item = reader->item->next;
    return true;
}

static void read_options(Reader *reader)
{
    while (reader->item) {
        const Expr *const item = reader->item;
        const Row *const field =
            item->kind == EXPR_WORD ? option_row(reader->row, item->word, reader->choice) : NULL;
        if (field)
            read_option(reader, field);
        else if (!unexpected(reader))
            return;
    }
}

static void check_required(const Reader *reader)
{
    for (int i = 0; i < reader->clause.setting_count; i++) {
        const char *const name = reader->clause.settings[i].name;
        const Row *const field = option_row(reader->row, name, reader->choice);
        if (!field || field->fallback || reader->option_locs[i].source)
            continue;
        error_at(E107, reader->statement->loc, "'%s' needs '%s', %s",
                 loc_text(reader->statement->loc), name, field->about);
        note_at((Loc){0}, "as in '%s %s'", name, field->times ? "10 epochs" : "0.5");
    }
}

// `filters=32`, and `dense(10)`, which the grammar alone would take for `dense (10)`.
static bool looks_foreign(const Reader *reader)
{
    const Statement *const statement = reader->statement;
    for (const Expr *item = statement->items; item; item = item->next) {
        if (item->kind != EXPR_ASSIGN)
            continue;
        const Foreign *const known = foreign_word(item->word);
        error_at(E118, item->loc, "unexpected '='");
        const char *const right = loc_text(item->right->loc);
        if (option_row(reader->row, item->word, NULL) && are_plain_words(right))
            note_at((Loc){0}, "write '%s %s'", item->word, right);
        else
            note_at((Loc){0}, "write '%s'", known ? known->example : reader->row->example);
        return true;
    }
    const char *const text = statement->loc.source->text;
    return text[statement->word_loc.end] == '(' && foreign_statement(statement->loc);
}

// --- clauses ------------------------------------------------------------------------------------

static Reader new_reader(const Row *row)
{
    Reader reader = {.row = row};
    reader.clause.word = intern(row->name, strlen(row->name));
    reader.clause.settings = allocate(MAX_SETTINGS * sizeof(Setting));
    return reader;
}

static void add_options(Reader *reader)
{
    for (const Row *field = next_field(reader->row); field; field = next_field(field))
        if (field->type == ROW_OPTION && (!field->of || reader->choice) &&
            field_applies(field, reader->choice))
            add_setting(reader, field);
}

Clause default_clause(const Row *row)
{
    Reader reader = new_reader(row);
    for (const Row *field = next_field(row); field && field->type == ROW_VALUE;
         field = next_field(field)) {
        if (field->of && !field_applies(field, reader.choice))
            continue;
        const Setting *const to = add_setting(&reader, field);
        if (to == reader.clause.settings)
            reader.choice = to->word;
    }
    add_options(&reader);
    return reader.clause;
}

Clause read_clause(const Row *row, const Statement *statement, const Params *params)
{
    Reader reader = new_reader(row);
    reader.statement = statement;
    reader.params = params;
    reader.item = statement->items;
    reader.clause.loc = statement->loc;
    reader.clause.word_loc = statement->word_loc;
    if (looks_foreign(&reader) || !read_values(&reader))
        return reader.clause;
    add_options(&reader);
    read_activation(&reader);
    const int errors = error_count();
    read_options(&reader);
    if (error_count() == errors && (reader.choice || reader.clause.settings->kind != SETTING_WORD))
        check_required(&reader);
    return reader.clause;
}
