// table.c: statements.def as one array, and the questions that are asked of it.
//
// A statement's values and options lie behind it in the array, up to the next statement.
#include "language.h"

#include <string.h>

// The words of the table's columns. Unnamed columns of a row are zero, which says "no".
#define STATEMENT(word, in, shown, what)                                                           \
    {.type = ROW_STATEMENT,                                                                        \
     .name = #word,                                                                                \
     .about = what,                                                                                \
     .section = SECTION_##in,                                                                      \
     .example = shown},
#define VALUE(word, kind, otherwise, what)                                                         \
    {.type = ROW_VALUE, .name = #word, .fallback = otherwise, .about = what, kind},
#define VALUE_OF(choice, word, kind, otherwise, what)                                              \
    {.type = ROW_VALUE, .name = #word, .of = choice, .fallback = otherwise, .about = what, kind},
#define OPTION(word, kind, otherwise, what)                                                        \
    {.type = ROW_OPTION, .name = #word, .fallback = otherwise, .about = what, kind},
#define OPTION_OF(choice, word, kind, otherwise, what)                                             \
    {.type = ROW_OPTION, .name = #word, .of = choice, .fallback = otherwise, .about = what, kind},
#define ACTIVATION {.type = ROW_ACTIVATION},
#define BODIES(from, to) {.type = ROW_BODIES, .low = from, .high = to},

#define WHOLE(from, to) .kind = SETTING_NUMBER, .whole = true, .low = from, .high = to
#define REAL(...) .kind = SETTING_NUMBER, __VA_ARGS__
#define FRACTION(...) .kind = SETTING_NUMBER, .fraction = true, __VA_ARGS__
#define COUNT(of_what, ...) .kind = SETTING_NUMBER, .unit = of_what, .fraction = true, __VA_ARGS__
#define PART(of_what, ...) COUNT(of_what, __VA_ARGS__), .files = true
#define MEASURE(in_what, ...) .kind = SETTING_NUMBER, .unit = in_what, .measure = true, __VA_ARGS__
#define WHOLE_MEASURE(in_what, from, to) WHOLE(from, to), .unit = in_what, .measure = true
#define TIME(from) .kind = SETTING_NUMBER, .times = times, .fraction = true, .low = from
#define EPOCHS(from) .kind = SETTING_NUMBER, .times = times + 1, .low = from
#define SIZE(from, to) .kind = SETTING_SIZE, .whole = true, .low = from, .high = to
#define SHAPE(from, to) .kind = SETTING_SHAPE, .whole = true, .low = from, .high = to
#define ONE_OF(...)                                                                                \
    .kind = SETTING_WORD, .choices = (const char *const[]) { __VA_ARGS__, NULL }
#define NAME .kind = SETTING_NAME
#define LIST(...) .kind = SETTING_LIST, __VA_ARGS__
#define TIMES(from) .kind = SETTING_LIST, .times = times, .fraction = true, .low = from
#define PATH .kind = SETTING_TEXT
#define COLUMN .kind = SETTING_TEXT, .column = true

#define FROM(number) .low = number
#define ABOVE(number) .low = number, .low_open = true
#define TO(number) .high = number
#define BELOW(number) .high = number, .high_open = true
#define ODD_ABOVE(number) .odd = number

#define REQUIRED NULL
#define UNSET ""
#define SAME_AS(name) "=" #name
#define DATA_SET .kind = SETTING_WORD, .choices = data_sets

static const char *const data_sets[] = {
#define DATASET(name, ...) name,
#include "datasets.def"
    NULL,
};

static const char *const times[] = {"steps", "epochs", NULL};

static const Row language[] = {
#include "statements.def"
    {.type = ROW_END},
};

// --- statements and what they take --------------------------------------------------------------

const Row *next_statement(const Row *statement)
{
    const Row *row = statement ? statement + 1 : language;
    while (row->type != ROW_STATEMENT && row->type != ROW_END)
        row++;
    return row->type == ROW_END ? NULL : row;
}

const Row *statement_row(const char *word)
{
    for (const Row *row = next_statement(NULL); row; row = next_statement(row))
        if (!strcmp(row->name, word))
            return row;
    return NULL;
}

const Row *next_field(const Row *row)
{
    do
        row++;
    while (row->type == ROW_ACTIVATION || row->type == ROW_BODIES);
    return row->type == ROW_STATEMENT || row->type == ROW_END ? NULL : row;
}

// The row of this type of a statement, or NULL.
static const Row *row_of(const Row *statement, RowType type)
{
    for (const Row *row = statement + 1; row->type != ROW_STATEMENT && row->type != ROW_END; row++)
        if (row->type == type)
            return row;
    return NULL;
}

bool takes_activation(const Row *statement) { return row_of(statement, ROW_ACTIVATION) != NULL; }

int least_bodies(const Row *statement)
{
    const Row *const row = row_of(statement, ROW_BODIES);
    return row ? (int)row->low : 0;
}

int most_bodies(const Row *statement)
{
    const Row *const row = row_of(statement, ROW_BODIES);
    return row ? (int)row->high : 0;
}

bool takes_list(const Row *statement)
{
    for (const Row *field = next_field(statement); field; field = next_field(field))
        if (field->kind == SETTING_LIST)
            return true;
    return false;
}

bool is_activation(const char *word)
{
    const Row *const row = statement_row(word);
    return row && row->section == SECTION_ACTIVATION;
}

bool takes_text(const Row *statement)
{
    for (const Row *field = next_field(statement); field; field = next_field(field))
        if (field->kind == SETTING_TEXT || field->files)
            return true;
    return false;
}

bool is_unit(const char *word)
{
    for (const char *const *time = times; *time; time++)
        if (!strcmp(*time, word))
            return true;
    for (const Row *row = language; row->type != ROW_END; row++)
        if (row->unit && !strcmp(row->unit, word))
            return true;
    return false;
}

bool field_applies(const Row *field, const char *choice)
{
    return !field->of || !choice || !strcmp(field->of, choice);
}

const Row *option_row(const Row *statement, const char *name, const char *choice)
{
    for (const Row *field = next_field(statement); field; field = next_field(field))
        if (field->type == ROW_OPTION && !strcmp(field->name, name) && field_applies(field, choice))
            return field;
    return NULL;
}

// --- lists of words, for suggestions -----------------------------------------------------------

bool has_word(Words words, const char *word)
{
    for (int i = 0; i < words.count; i++)
        if (!strcmp(words.words[i], word))
            return true;
    return false;
}

void words_add(Words *words, const char *word)
{
    if (has_word(*words, word))
        return;
    // Grown one by one: the lists are short and only made for a message.
    const char **const longer = allocate(((size_t)words->count + 1) * sizeof *longer);
    if (words->count)
        memcpy(longer, words->words, (size_t)words->count * sizeof *longer);
    longer[words->count++] = word;
    words->words = longer;
}

const char *words_listed(Words words)
{
    enum { SHOWN = 20 };
    if (words.count <= SHOWN)
        return join_words(words.words, words.count, "and");
    const int more = words.count - SHOWN;
    words.count = SHOWN;
    return format("%s and %d more", words_joined(words, ", "), more);
}

const char *words_joined(Words words, const char *between)
{
    Text text = {0};
    text_add(&text, "%s", "");
    for (int i = 0; i < words.count; i++)
        text_add(&text, "%s%s", i ? between : "", words.words[i]);
    return text.text;
}

Words statement_words(Section section)
{
    Words words = {0};
    for (const Row *row = next_statement(NULL); row; row = next_statement(row))
        if (section == SECTION_ANY || row->section == section)
            words_add(&words, row->name);
    return words;
}

Words option_words(const Row *statement, const char *choice)
{
    Words words = {0};
    for (const Row *field = next_field(statement); field; field = next_field(field))
        if (field->type == ROW_OPTION && field_applies(field, choice))
            words_add(&words, field->name);
    return words;
}

Words choice_words(const Row *field)
{
    Words words = {0};
    for (const char *const *choice = field->choices; *choice; choice++)
        words_add(&words, *choice);
    return words;
}

static bool has_choice(const Row *field, const char *word)
{
    for (const char *const *choice = field->choices; choice && *choice; choice++)
        if (!strcmp(*choice, word))
            return true;
    return false;
}

const Row *choice_owner(const char *word)
{
    for (const Row *row = next_statement(NULL); row; row = next_statement(row)) {
        const Row *const field = next_field(row);
        if (field && field->type == ROW_VALUE && has_choice(field, word))
            return row;
    }
    return NULL;
}

Words option_owners(const char *word)
{
    Words owners = {0};
    for (const Row *row = next_statement(NULL); row; row = next_statement(row))
        if (option_row(row, word, NULL))
            words_add(&owners, row->name);
    return owners;
}

bool is_reserved(const char *word)
{
    for (const Row *row = language; row->type != ROW_END; row++)
        if ((row->type == ROW_STATEMENT && !strcmp(row->name, word)) || has_choice(row, word))
            return true;
    return false;
}
