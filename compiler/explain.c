// explain.c: what is in force and where it comes from: `check --explain` and `params`.
#include "language.h"

#include <ctype.h>
#include <string.h>

// --- reading a clause ---------------------------------------------------------------------------

const Setting *find_setting(const Clause *clause, const char *name)
{
    for (int i = 0; i < clause->setting_count; i++)
        if (!strcmp(clause->settings[i].name, name))
            return &clause->settings[i];
    return NULL;
}

const Setting *setting(const Clause *clause, const char *name)
{
    const Setting *const found = find_setting(clause, name);
    if (!found)
        bug("'%s' has no setting '%s'", clause->word, name);
    return found;
}

double setting_number(const Clause *clause, const char *name)
{
    return setting(clause, name)->number;
}

const char *setting_word(const Clause *clause, const char *name)
{
    return setting(clause, name)->word;
}

bool switched_on(const Clause *clause, const char *name)
{
    return !strcmp(setting_word(clause, name), "on");
}

// --- the table ----------------------------------------------------------------------------------

enum { COLUMNS = 4, MAX_CELL = 40 }; // subject, setting, value, origin

typedef struct {
    const char *(*cells)[COLUMNS];
    int count, capacity;
} Table;

static void add_line(Table *table, const char *subject, const char *name, const char *value,
                     const char *origin)
{
    if (table->count == table->capacity) {
        const int capacity = 2 * table->capacity + 64;
        const char *(*const cells)[COLUMNS] = allocate((size_t)capacity * sizeof *cells);
        if (table->count)
            memcpy(cells, table->cells, (size_t)table->count * sizeof *cells);
        table->cells = cells;
        table->capacity = capacity;
    }
    const char **const line = table->cells[table->count++];
    line[0] = subject;
    line[1] = name;
    line[2] = value;
    line[3] = origin;
}

static void print_table(const Table *table, FILE *out)
{
    int widths[COLUMNS] = {0};
    for (int i = 0; i < table->count; i++) {
        for (int column = 0; column < COLUMNS - 1; column++) {
            const int width = (int)strlen(table->cells[i][column]);
            if (width > widths[column])
                widths[column] = width < MAX_CELL ? width : MAX_CELL;
        }
    }
    for (int i = 0; i < table->count; i++) {
        for (int column = 0; column < COLUMNS - 1; column++)
            if (widths[column])
                fprintf(out, "%-*s  ", widths[column], table->cells[i][column]);
        fprintf(out, "%s\n", table->cells[i][COLUMNS - 1]);
    }
}

// --- its lines ----------------------------------------------------------------------------------

static const char *number_value(double number, bool percent, const char *unit)
{
    if (percent)
        return percent_text(number);
    return unit ? format("%s %s", number_text(number), unit) : number_text(number);
}

const char *setting_value(const Setting *s)
{
    switch (s->kind) {
    case SETTING_NUMBER:
        if (s->word)
            return s->second ? format("\"%s\" \"%s\"", s->word, s->second)
                             : format("\"%s\"", s->word);
        return number_value(s->number, s->percent, s->unit);
    case SETTING_SIZE:
    case SETTING_SHAPE: {
        Text text = {0};
        for (int i = 0; i < s->dim_count; i++)
            text_add(&text, "%s%d", i ? "x" : "", s->dims[i]);
        return text.text;
    }
    case SETTING_WORD:
    case SETTING_NAME: return s->word;
    case SETTING_LIST: {
        Text text = {0};
        for (int i = 0; i < s->list_count; i++)
            text_add(&text, "%s%s", i ? " " : "[", setting_value(&s->list[i]));
        return s->list_count ? format("%s]", text.text) : "";
    }
    case SETTING_TEXT: return s->word ? format("\"%s\"", s->word) : "";
    }
    bug("setting of kind %d", s->kind);
}

static const char *place_text(Loc loc)
{
    if (!loc.source)
        return "default";
    if (loc.source->path[0] == '-')
        return loc.source->path;
    int line, column;
    loc_position(loc, &line, &column);
    return format("%s:%d", loc.source->path, line);
}

// The place, and where it holds more than a number, the text that gave the value.
static const char *setting_origin(const Setting *s)
{
    const char *const place = place_text(s->loc);
    if (!s->loc.source || s->word)
        return place;
    const char *const text = loc_text(s->loc);
    const bool computed = isalpha((unsigned char)*text) || text[strspn(text, "0123456789.xeE%-")];
    return computed ? format("%s = %s", place, text) : place;
}

static void explain_setting(Table *table, const char *subject, const Setting *s)
{
    const char *const value = s->kind != SETTING_NAME ? setting_value(s) : NULL;
    if (value) // a name is the subject
        add_line(table, subject, s->name, *value ? value : "none", setting_origin(s));
}

static void explain_clause(Table *table, const char *subject, const Clause *clause)
{
    const Row *const row = statement_row(clause->word);
    int i = 0;
    for (const Row *field = next_field(row); field && field->type == ROW_VALUE;
         field = next_field(field))
        if (!field->of || (i > 0 && field_applies(field, clause->settings[0].word)))
            explain_setting(table, subject, &clause->settings[i++]);
    if (takes_activation(row))
        add_line(table, subject, "activation", clause->activation ? clause->activation : "none",
                 clause->activation ? place_text(clause->activation_loc) : "default");
    const int before = table->count;
    for (; i < clause->setting_count; i++)
        explain_setting(table, subject, &clause->settings[i]);
    if (!next_field(row) || (table->count == before && i == 1 && clause->name))
        add_line(table, subject, "", "", place_text(clause->loc));
}

// The lines of the table in the order of the language: params, data, input, layers, training.
void program_explain(const Program *program, FILE *out)
{
    Table table = {0};
    for (int i = 0; i < program->params.count; i++) {
        const Param *const p = &program->params.params[i];
        add_line(&table, "param", p->name, number_value(p->number, p->percent, NULL),
                 place_text(p->value_loc));
    }
    explain_clause(&table, "input", program->input);
    for (int i = 0; i < program->layer_count; i++)
        if (program->layers[i].bracket <= BRACKET_OPENS)
            explain_clause(&table, program->layers[i].name, &program->layers[i]);
    for (const Row *row = next_statement(NULL); row; row = next_statement(row)) {
        if (row->section != SECTION_TRAINING)
            continue;
        const Clause *const clause = training_clause(program, row->name);
        if (clause)
            explain_clause(&table, row->name, clause);
        else if (!strcmp(row->name, "loss"))
            add_line(&table, "loss", "kind", "none", "default: no training, inference only");
    }
    print_table(&table, out);
}

void params_print(const Source *source, const Statement *statements, FILE *out)
{
    const Program *const program = resolve(source, statements, &(Overrides){0});
    Table table = {0};
    for (int i = 0; i < program->params.count; i++) {
        const Param *const p = &program->params.params[i];
        add_line(&table, p->name, number_value(p->number, p->percent, NULL), "",
                 place_text(p->loc));
    }
    print_table(&table, out);
}
