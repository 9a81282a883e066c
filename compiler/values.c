// values.c: the value of one setting, checked against its row of statements.def.
//
// A wrong value is printed and the setting keeps its default, so that what follows can be checked.
#include "language.h"

#include <math.h>
#include <string.h>

enum { MAX_NAME = 32 };

// What is read, and where to.
typedef struct {
    const Row *statement, *field;
    const Params *params;
    const Expr *item; // the next one, or NULL
    Setting *to;
} Reader;

// --- numbers ------------------------------------------------------------------------------------

static const char *subject(const Row *field)
{
    return field->type == ROW_VALUE ? field->about : format("'%s'", field->name);
}

static const char *shown_number(double number, bool percent)
{
    return percent ? percent_text(number) : number_text(number);
}

static void note_param(const Value *value)
{
    if (value->param)
        note_at(value->param->value_loc, "'%s' is %s here", value->param->name,
                shown_number(value->param->number, value->param->percent));
}

// What is wrong with a number: "must be at least 1"; NULL when nothing is.
static const char *range_error(const Row *field, const Value *value)
{
    const bool percent = value->percent;
    const double x = value->number;
    if (field->whole && x != floor(x))
        return "must be a whole number";
    if (x < field->low || (field->low_open && x == field->low))
        return format("must be %s %s", field->low_open ? "above" : "at least",
                      shown_number(field->low, percent));
    if (x > field->high || (field->high_open && x == field->high))
        return format("must be %s %s", field->high_open ? "below" : "at most",
                      shown_number(field->high, percent));
    return NULL;
}

// A count that was computed through a fraction, `70 * 10%`, may miss its whole number by rounding.
static double rounded(double number)
{
    return fabs(number - round(number)) <= fmin(1e-9 * fabs(number), 1e-6) ? round(number) : number;
}

// `found` is what the text has, where that isn't just the number.
static bool in_range(const Row *field, Loc loc, Value *value, const char *found)
{
    if (field->whole)
        value->number = rounded(value->number);
    const char *const wrong = range_error(field, value);
    if (!wrong) {
        if (field->odd > 0 && value->number > field->odd)
            warn_at(loc, "'%s' is usually far below %s", field->name, number_text(field->odd));
        return true;
    }
    if (!found)
        found = shown_number(value->number, value->percent);
    if (field->fraction && !value->percent && value->number >= 2 && value->number < 100)
        error_at(E119, loc, "%s %s, not %s: write '%s%%' or '%s'", subject(field), wrong, found,
                 found, number_text(value->number / 100));
    else
        error_at(E119, loc, "%s %s, not %s", subject(field), wrong, found);
    note_param(value);
    return false;
}

static bool number_of(Reader *reader, Value *value)
{
    const Expr *const item = reader->item;
    *value = evaluate(item, reader->params);
    reader->item = item->next;
    return value->known;
}

static Origin origin_of(const Value *value)
{
    return value->overridden ? ORIGIN_OVERRIDE : value->param ? ORIGIN_PARAM : ORIGIN_WRITTEN;
}

static void set_origin(Setting *setting, Loc loc, Origin origin)
{
    setting->loc = loc;
    setting->origin = origin;
}

static bool is_option(const Reader *reader, const Expr *item)
{
    return item->kind == EXPR_WORD && option_row(reader->statement, item->word, NULL);
}

// A measure, `10 deg`: its unit is written for the reader; 0 is 0 in any.
static bool read_measure(Reader *reader, Loc loc, Value *value)
{
    const Row *const field = reader->field;
    const Expr *const unit = reader->item;
    if (unit && unit->kind == EXPR_WORD && !strcmp(unit->word, field->unit))
        reader->item = unit->next;
    else if (value->percent || value->number != 0) {
        const bool wrong = unit && unit->kind == EXPR_WORD && unit->loc.start <= loc.end + 1 &&
                           !is_option(reader, unit);
        const double number = value->percent ? value->number * 100 : value->number;
        error_at(E120, wrong ? unit->loc : loc, "%s is measured in %s: write '%s %s'",
                 subject(field), field->unit, number_text(number), field->unit);
        note_param(value);
        if (wrong)
            reader->item = unit->next;
        return false;
    }
    reader->to->unit = field->unit;
    return in_range(field, loc, value, NULL);
}

static bool check_path(const Expr *text)
{
    if (*text->word)
        return true;
    error_at(E162, text->loc, "a file or a column without a name");
    return false;
}

// The unit behind a number that could mean several things.
static bool read_unit(Reader *reader, Loc loc, Value *value)
{
    const Expr *const unit = reader->item;
    const char *const wanted = reader->field->unit;
    const char *const number = number_text(value->number);
    if (!unit || unit->kind != EXPR_WORD || strcmp(unit->word, wanted) != 0) {
        const Loc place = unit ? unit->loc : loc;
        const char *const percent = percent_text(value->number < 1 ? value->number : 0.1);
        error_at(E120, place, "'%s' needs a unit: write '%s %s' or a percentage such as '%s'",
                 reader->statement->name, value->number < 1 ? "1000" : number, wanted, percent);
        note_param(value);
        reader->item = NULL;
        return false;
    }
    reader->item = unit->next;
    const Row range = {.type = ROW_VALUE,
                       .about = format("the number of %s", wanted),
                       .whole = true,
                       .low = 1,
                       .high = 1e9};
    reader->to->unit = wanted;
    return in_range(&range, loc, value, NULL);
}

// A number of steps or epochs, a whole one, or where the field allows it a percentage of them all.
static bool read_time(Reader *reader, Loc loc, Value *value)
{
    const Row *const field = reader->field;
    Row range = {.type = field->type, .name = field->name, .about = field->about, .high = 1};
    range.low_open = field->low > 0;
    reader->to->unit = NULL;
    if (value->percent && field->fraction)
        return in_range(&range, loc, value, NULL);
    const Expr *const unit = reader->item;
    for (const char *const *time = field->times; *time; time++)
        if (unit && unit->kind == EXPR_WORD && !strcmp(unit->word, *time))
            reader->to->unit = *time;
    if (!reader->to->unit || value->percent) {
        const char *const number = value->percent ? "5" : number_text(value->number);
        const char *const steps =
            field->times[1] ? format("'%s %s' or ", number, field->times[0]) : "";
        error_at(E120, loc, "'%s' needs a number and its unit: write %s'%s epochs'",
                 field->type == ROW_VALUE ? reader->statement->name : field->name, steps, number);
        note_param(value);
        if (unit && unit->kind == EXPR_WORD && !is_option(reader, unit))
            reader->item = unit->next;
        return false;
    }
    reader->item = unit->next;
    range = (Row){.type = ROW_VALUE,
                  .about = format("the number of %s", reader->to->unit),
                  .whole = true,
                  .low = field->low,
                  .high = 1e9};
    return in_range(&range, loc, value, NULL);
}

// One file, or the two of inputs and answers, in place of a part of the data.
static void read_files(Reader *reader)
{
    Setting *const to = reader->to;
    const Expr *const first = reader->item, *const second = first->next;
    Loc loc = first->loc;
    to->word = first->word;
    reader->item = second;
    if (second && second->kind == EXPR_TEXT) {
        to->second = second->word;
        loc.end = second->loc.end;
        reader->item = second->next;
    }
    check_path(first);
    set_origin(to, loc, ORIGIN_WRITTEN);
}

static void read_number(Reader *reader)
{
    if (reader->item->kind == EXPR_TEXT && reader->field->files) {
        read_files(reader);
        return;
    }
    const Row *const field = reader->field;
    Setting *const to = reader->to;
    Value value;
    const Loc loc = reader->item->loc;
    if (reader->item->kind == EXPR_DIMS || reader->item->kind == EXPR_TEXT) {
        error_at(E121, loc, "expected %s, found '%s'",
                 field->type == ROW_VALUE ? field->about : "a number", loc_text(loc));
        if (field->type == ROW_VALUE)
            note_at((Loc){0}, "the form is '%s'", reader->statement->example);
        reader->item = reader->item->next;
        return;
    }
    if (!number_of(reader, &value))
        return;
    if (field->measure) {
        if (!read_measure(reader, loc, &value))
            return;
    } else if (field->times) {
        if (!read_time(reader, loc, &value))
            return;
    } else if (field->unit && !value.percent) {
        if (!read_unit(reader, loc, &value))
            return;
    } else if (!in_range(field, loc, &value, NULL)) {
        return;
    }
    to->number = value.number;
    to->percent = value.percent;
    set_origin(to, loc, origin_of(&value));
}

static void read_dims(Reader *reader)
{
    const Row *const field = reader->field;
    Setting *const to = reader->to;
    const Expr *const item = reader->item;
    reader->item = item->next;
    const bool shape = field->kind == SETTING_SHAPE;
    if (item->dim_count != (shape ? 3 : 2)) {
        error_at(E122, item->loc, "'%s' has %d numbers; %s", loc_text(item->loc), item->dim_count,
                 shape ? "a picture is height x width x channels, as in '28x28x1'"
                       : "a size is height x width, as in '3x3'");
        return;
    }
    for (int i = 0; i < item->dim_count; i++) {
        Value value = {.number = (double)item->dims[i]};
        if (!in_range(field, item->loc, &value, loc_text(item->loc)))
            return;
    }
    for (int i = 0; i < item->dim_count; i++)
        to->dims[i] = (int)item->dims[i];
    to->dim_count = item->dim_count;
    set_origin(to, item->loc, ORIGIN_WRITTEN);
}

// `3*3` is 9, and a window of 9x9: seldom what it was written for.
static bool is_product_of_numbers(const Expr *item)
{
    return item->kind == EXPR_BINARY && item->op == '*' && item->left->kind == EXPR_NUMBER &&
           item->right->kind == EXPR_NUMBER;
}

static void read_size(Reader *reader)
{
    const Row *const field = reader->field;
    const Expr *const item = reader->item;
    Setting *const to = reader->to;
    if (item->kind == EXPR_DIMS) {
        read_dims(reader);
        return;
    }
    Value value;
    if (!number_of(reader, &value) || !in_range(field, item->loc, &value, NULL))
        return;
    to->dim_count = field->kind == SETTING_SIZE ? 2 : 1;
    to->dims[0] = to->dims[1] = (int)value.number;
    set_origin(to, item->loc, origin_of(&value));
    if (field->kind == SETTING_SIZE && is_product_of_numbers(item)) {
        warn_at(item->loc, "'%s' is the number %d, and the size %dx%d", loc_text(item->loc),
                to->dims[0], to->dims[0], to->dims[1]);
        note_at((Loc){0}, "height and width have an x between them: '%gx%g'", item->left->number,
                item->right->number);
    }
}

// --- words --------------------------------------------------------------------------------------

void quoted_word(const Expr *text)
{
    error_at(E021, text->loc, "unexpected '%s'", loc_text(text->loc));
    note_at((Loc){0}, strpbrk(text->word, "./")
                          ? "a file stands behind its kind, as in 'data csv \"data.csv\"'"
                          : "words are written without quotes");
}

// PyTorch's padding, which with a stride is not what Keras' 'same' is.
void note_zeropad(const char *number)
{
    note_at((Loc){0}, "'zeropad %s' before it puts zeros on all sides, as PyTorch's padding=%s",
            number, number);
}

// A choice may hold a '-', which the grammar takes for a subtraction: its text is what counts.
static void read_word(Reader *reader)
{
    const Row *const field = reader->field;
    Setting *const to = reader->to;
    const Expr *const item = reader->item;
    reader->item = item->next;
    if (item->kind == EXPR_TEXT) {
        quoted_word(item);
        return;
    }
    const char *const text = loc_text(item->loc);
    const Words choices = choice_words(field);
    for (int i = 0; i < choices.count; i++) {
        if (!strcmp(choices.words[i], text)) {
            to->word = choices.words[i];
            set_origin(to, item->loc, ORIGIN_WRITTEN);
            return;
        }
    }
    const char *const near = nearest_word(text, choices.words, choices.count);
    const Foreign *const known = foreign_word(text);
    error_at(E123, item->loc, "%s is %s, not '%s'%s", subject(field),
             join_words(choices.words, choices.count, "or"), text,
             near ? format("; did you mean '%s'?", near) : "");
    // `linear` is no schedule, and PyTorch's layer of that name is not meant
    if (!near && known && has_word(choices, known->ours))
        note_at((Loc){0}, "this looks like %s; write '%s'", known->tool, known->example);
    if (!strcmp(field->name, "pad") && item->kind == EXPR_NUMBER)
        note_zeropad(text);
    to->word = NULL;
}

// Names become names of the generated C.
static bool is_c_keyword(const char *word)
{
    static const char *const keywords[] = {
        "auto",    "break",  "case",     "char",   "const",    "continue", "default",
        "do",      "double", "else",     "enum",   "extern",   "float",    "for",
        "goto",    "if",     "inline",   "int",    "long",     "register", "restrict",
        "return",  "short",  "signed",   "sizeof", "static",   "struct",   "switch",
        "typedef", "union",  "unsigned", "void",   "volatile", "while",
    };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (!strcmp(word, keywords[i]))
            return true;
    return false;
}

// A column may be written bare: `label species`, `label 5`.
static void read_text(Reader *reader)
{
    const Row *const field = reader->field;
    Setting *const to = reader->to;
    const Expr *const item = reader->item;
    Value value;
    if (item->kind == EXPR_TEXT ||
        (field->column && item->kind == EXPR_WORD && !find_param(reader->params, item->word))) {
        reader->item = item->next;
        if (check_path(item)) {
            to->word = item->word;
            set_origin(to, item->loc, ORIGIN_WRITTEN);
        }
    } else if (!field->column || item->kind == EXPR_DIMS) {
        reader->item = item->next;
        error_at(E161, item->loc, "%s is written in quotes: \"%s\"", subject(field),
                 loc_text(item->loc));
    } else if (number_of(reader, &value)) {
        const Row range = {
            .type = ROW_VALUE, .about = "a column's number", .whole = true, .low = 1, .high = 1e6};
        if (!in_range(&range, item->loc, &value, NULL))
            return;
        to->word = number_text(value.number);
        set_origin(to, item->loc, origin_of(&value));
    }
}

static void read_name(Reader *reader)
{
    Setting *const to = reader->to;
    const Expr *const item = reader->item;
    Loc loc = item->loc;
    reader->item = item->next;
    for (; reader->item && reader->item->loc.start == loc.end; reader->item = reader->item->next)
        loc.end = reader->item->loc.end; // `1st` is two items
    const char *const text = loc_text(loc);
    const size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (item->kind != EXPR_WORD || text[letters] || *text < 'a' || *text > 'z') {
        error_at(E124, loc, "'%s' is no name for a layer", text);
        note_at((Loc){0}, "a name is made of a-z, 0-9 and _, and starts with a letter");
    } else if (letters > MAX_NAME) {
        error_at(E125, loc, "a name has at most %d letters, not %zu", MAX_NAME, letters);
    } else if (is_reserved(text) || is_c_keyword(text)) {
        error_at(E126, loc, "'%s' is a word of %s and can't name a layer", text,
                 is_reserved(text) ? "the language" : "C");
    } else {
        to->word = item->word;
        set_origin(to, loc, ORIGIN_WRITTEN);
    }
}

const char *list_form(const Row *field)
{
    return field->times ? "a list of times, such as [10 epochs 20 epochs]"
                        : "a list of numbers, such as [1 2]";
}

// Each of its items is read as the value of an option would be that takes one.
static void read_list(Reader *reader)
{
    const Expr *const list = reader->item;
    Setting *const to = reader->to;
    reader->item = list->next;
    if (list->kind != EXPR_LIST) {
        error_at(E202, list->loc, "%s is %s, not '%s'", subject(reader->field),
                 list_form(reader->field), loc_text(list->loc));
        while (reader->item && !is_option(reader, reader->item)) // numbers without their brackets
            reader->item = reader->item->next;
        return;
    }
    const int errors = error_count();
    int count = 0;
    for (const Expr *item = list->items; item; item = item->next)
        count++;
    to->list = allocate((size_t)count * sizeof *to->list);
    to->list_count = 0; // it may be written twice, which was said
    Reader items = *reader;
    for (items.item = list->items; items.item;) {
        items.to = &to->list[to->list_count];
        *items.to = (Setting){.name = reader->field->name, .kind = SETTING_NUMBER};
        read_number(&items);
        if (items.to->origin != ORIGIN_DEFAULT)
            to->list_count++;
    }
    const Expr *const unit = reader->item; // one for all, as in `[90 135] epochs`
    if (error_count() > errors && unit && unit->kind == EXPR_WORD && is_unit(unit->word))
        reader->item = unit->next;
    set_origin(to, list->loc, ORIGIN_WRITTEN);
}

// Reads the value of `field` at `item`, which is there; returns the item behind it.
const Expr *read_value(const Row *statement, const Row *field, const Expr *item,
                       const Params *params, Setting *to)
{
    static void (*const read[])(Reader *) = {
        [SETTING_NUMBER] = read_number, [SETTING_SIZE] = read_size, [SETTING_SHAPE] = read_size,
        [SETTING_WORD] = read_word,     [SETTING_NAME] = read_name, [SETTING_LIST] = read_list,
        [SETTING_TEXT] = read_text,
    };
    Reader reader = {statement, field, params, item, to};
    read[field->kind](&reader);
    return reader.item;
}
