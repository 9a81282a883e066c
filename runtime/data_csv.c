// data_csv.c: CSV files: one example a line, numbers in its columns, and its answer in one or more.
//
// The text is cut up in place: a field ends in a zero byte. The separator is a tab, a semicolon or
// a comma, whichever of them, in this order, the first line has. A field may be in double quotes,
// in which "" is a quote (RFC 4180).

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

enum { MOST_COLUMNS = 1000000 };

typedef enum { INPUT, ANSWER, LEFT_OUT } Use; // of a column

typedef struct {
    const Wanted *wanted;
    Source source;
    char *text, *next; // the file, and what is not cut up yet
    size_t size;
    char separator;
    int line;     // of the last row, from 1
    char **field; // of the last row
    int columns, room;
    char **header; // names of the columns, or NULL
    Use *use;      // [columns]
    int *answer;   // columns of the answers, in their order
    int answers;
    char **names; // of the rows' labels
    int *lines;   // of the rows
    size_t rows_room;
} Csv;

// --- cutting up ---------------------------------------------------------------------------------

static bool wrong_line(const Csv *csv, const char *what)
{
    return failed("'%s', line %d: %s", csv->source.path, csv->line, what);
}

static void find_separator(Csv *csv)
{
    bool quoted = false, begins = true; // a field, of which the first character may be a quote
    int found[256] = {0};
    for (const char *c = csv->next + strspn(csv->next, "\r\n"); *c; c++) {
        if (!quoted && (*c == '\n' || *c == '\r'))
            break;
        if (*c == '"' && (quoted || begins))
            quoted = !quoted;
        else
            found[(unsigned char)*c] += !quoted;
        begins = strchr(",;\t\"", *c) || (begins && *c == ' ');
    }
    csv->separator = found['\t'] ? '\t' : found[';'] ? ';' : ',';
}

static bool add_field(Csv *csv, int count, char *field)
{
    if (count == MOST_COLUMNS)
        return wrong_line(csv, "more than a million columns");
    if (count == csv->room) {
        const int room = 2 * csv->room + 16;
        char **larger = realloc(csv->field, (size_t)room * sizeof *larger);
        if (!larger)
            return failed("out of memory for the columns of '%s'", csv->source.path);
        csv->field = larger;
        csv->room = room;
    }
    csv->field[count] = field;
    return true;
}

// The field at *c, without its quotes; *c is then at what ends it.
static char *cut_quoted(Csv *csv, char **c)
{
    char *from = *c + 1, *to = from;
    char *const field = from;
    const int line = csv->line;
    for (; *from; from++) {
        if (*from == '"' && from[1] == '"')
            from++;
        else if (*from == '"')
            break;
        if (*from == '\n')
            csv->line++;
        *to++ = *from;
    }
    if (!*from) {
        csv->line = line;
        wrong_line(csv, "a quote that is not closed");
        return NULL;
    }
    *c = from + 1 + strspn(from + 1, " ");
    *to = '\0';
    if (**c && **c != csv->separator && **c != '\n' && **c != '\r') {
        wrong_line(csv, "text behind a closed quote");
        return NULL;
    }
    return field;
}

// Spaces around a plain field are no part of it.
static char *cut_plain(const Csv *csv, char **c)
{
    const char ends[] = {csv->separator, '\n', '\r', '\0'};
    char *const field = *c;
    *c += strcspn(*c, ends);
    return field;
}

static void trim(char *field, char *end)
{
    while (end > field && (end[-1] == ' ' || (end[-1] == '\t')))
        end--;
    *end = '\0';
}

// Cuts the next line that is not empty into csv->field; *count is 0 behind the last one.
static bool next_row(Csv *csv, int *count)
{
    char *c = csv->next;
    *count = 0;
    for (; *c == '\n' || *c == '\r'; c++)
        csv->line += *c == '\n';
    if (!*c) {
        csv->next = c;
        return true;
    }
    csv->line++;
    for (;;) {
        c += strspn(c, " ");
        const bool quoted = *c == '"';
        char *field = quoted ? cut_quoted(csv, &c) : cut_plain(csv, &c);
        if (!field || !add_field(csv, *count, field))
            return false;
        ++*count;
        const char end = *c;
        if (!quoted)
            trim(field, c);
        if (end != csv->separator) {
            c += end == '\r' && c[1] == '\n' ? 2 : end != '\0';
            csv->next = c;
            return true;
        }
        c++;
    }
}

// --- columns ------------------------------------------------------------------------------------

static const char *column_name(const Csv *csv, int column, char text[100])
{
    if (csv->header)
        snprintf(text, 100, "column %d ('%.60s')", column + 1, csv->header[column]);
    else
        snprintf(text, 100, "column %d", column + 1);
    return text;
}

static bool number_of(const char *field, double *number)
{
    char *end;
    *number = strtod(field, &end);
    const bool plain = strspn(field, "0123456789+-.eE") == strlen(field);
    return *field && plain && !*end;
}

static bool no_column(const Csv *csv, const char *name, size_t length)
{
    if (!csv->header)
        return failed("'%s' has no header with names, and so no column '%.*s'; name it by its "
                      "number, 1 to %d",
                      csv->source.path, (int)length, name, csv->columns);
    char list[256];
    size_t used = 0;
    bool readable = true;
    for (int i = 0; i < csv->columns && used < 200; i++) {
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.40s", i ? ", " : "",
                                 csv->header[i]);
        readable = readable && is_utf8(csv->header[i]);
    }
    return failed("'%s' has no column '%.*s'; its columns are %s%s", csv->source.path, (int)length,
                  name, list, readable ? "" : "; its names are not in UTF-8: save it so");
}

// The first column of this name, from one on; -1: there is none.
static int column_named(const Csv *csv, int from, const char *name, size_t length)
{
    for (int i = from; csv->header && i < csv->columns; i++)
        if (strlen(csv->header[i]) == length && strncmp(csv->header[i], name, length) == 0)
            return i;
    return -1;
}

// The next of "price, 4", without the spaces around it; NULL behind the last.
static const char *next_name(const char **rest, const char *separator, size_t *length)
{
    if (!*rest)
        return NULL;
    const char *const name = *rest + strspn(*rest, " ");
    *length = strcspn(name, separator);
    *rest = name[*length] ? name + *length + 1 : NULL;
    while (*length > 0 && name[*length - 1] == ' ')
        --*length;
    return name;
}

// A label is one column, whatever its name has.
static const char *next_answer(const NnModel *model, const char **rest, size_t *length)
{
    return next_name(rest, model->targets ? "," : "", length);
}

// The number that a column is called by; 0 where it is called by a name.
static int number_called(const char *name, size_t length)
{
    return length <= 9 && strspn(name, "0123456789") >= length ? atoi(name) : 0;
}

static int find_column(const Csv *csv, const char *name, size_t length)
{
    const int named = column_named(csv, 0, name, length);
    if (named >= 0)
        return named;
    const int number = number_called(name, length);
    return number <= csv->columns ? number - 1 : -1;
}

// Marks the column that a name or a number calls; -1 after failed().
static int take_column(const Csv *csv, const char *name, size_t length, Use use)
{
    const char *const path = csv->source.path;
    const int column = find_column(csv, name, length);
    const int other = column_named(csv, column + 1, name, length);
    if (column < 0)
        no_column(csv, name, length);
    else if (other >= 0)
        failed("'%s' calls columns %d and %d '%.*s': write the number of the one that is meant",
               path, column + 1, other + 1, (int)length, name);
    else if (csv->use[column] == use)
        failed("'%s': column '%.*s' is %s twice", path, (int)length, name,
               use == ANSWER ? "wanted" : "left out");
    else if (csv->use[column] != INPUT)
        failed("'%s': column '%.*s' is an answer, and is left out", path, (int)length, name);
    else {
        csv->use[column] = use;
        return column;
    }
    return -1;
}

static int count_without(const NnModel *model)
{
    int count = 0;
    size_t length;
    for (const char *rest = model->without; next_name(&rest, ",", &length);)
        count++;
    return count;
}

// Of what `predict` is given.
static bool has_only_inputs(const Csv *csv, int count)
{
    return !csv->wanted->answers && count == example_size(csv->wanted->model);
}

static bool has_no_answers(const Csv *csv, int count)
{
    const NnModel *model = csv->wanted->model;
    return has_only_inputs(csv, count) ||
           (!csv->wanted->answers && count == example_size(model) + count_without(model));
}

static bool find_left_out(Csv *csv)
{
    size_t length;
    for (const char *rest = csv->wanted->model->without, *name;
         (name = next_name(&rest, ",", &length));)
        if (take_column(csv, name, length, LEFT_OUT) < 0)
            return false;
    return true;
}

// "price, 4": of each its name or its number.
static bool find_answers(Csv *csv)
{
    const NnModel *model = csv->wanted->model;
    const int wants = model->targets ? model->targets : 1;
    csv->answer = allocate((size_t)csv->columns, sizeof *csv->answer);
    if (!csv->answer)
        return false;
    size_t length;
    for (const char *rest = model->columns, *name; (name = next_answer(model, &rest, &length));) {
        const int column = take_column(csv, name, length, ANSWER);
        if (column < 0)
            return false;
        csv->answer[csv->answers++] = column;
    }
    if (!model->columns) {
        int last = csv->columns - 1;
        while (last > 0 && csv->use[last] == LEFT_OUT)
            last--;
        csv->use[last] = ANSWER;
        csv->answer[csv->answers++] = last;
    }
    if (csv->answers == wants)
        return true;
    return failed("'%s' is asked for %d column%s of targets, the network has %d outputs",
                  csv->source.path, csv->answers, csv->answers > 1 ? "s" : "", wants);
}

static bool find_columns(Csv *csv)
{
    csv->use = allocate((size_t)csv->columns, sizeof *csv->use);
    if (!csv->use)
        return false;
    return has_only_inputs(csv, csv->columns) ||
           (find_left_out(csv) && (has_no_answers(csv, csv->columns) || find_answers(csv)));
}

static bool check_columns(const Csv *csv)
{
    const NnModel *model = csv->wanted->model;
    long inputs = 0;
    for (int i = 0; i < csv->columns; i++)
        inputs += csv->use[i] == INPUT;
    if (inputs == example_size(model))
        return true;
    return failed("'%s' has %d columns, %ld of them inputs; the network takes %ld inputs",
                  csv->source.path, csv->columns, inputs, example_size(model));
}

// Whether a column, from 0, is one of "price, 4" by its number.
static bool is_called_by_number(const char *names, int column)
{
    size_t length;
    for (const char *name; (name = next_name(&names, ",", &length));)
        if (number_called(name, length) == column + 1)
            return true;
    return false;
}

// The first line is a header where it says nothing else: where an input is no number. The columns
// of answers, and those that are left out, may be words in any line; those that are called by a
// name are known only behind the header.
static bool is_header(const Csv *csv, int count)
{
    const NnModel *model = csv->wanted->model;
    const char *const without = has_only_inputs(csv, count) ? NULL : model->without;
    int words = 0;
    double number;
    for (int i = 0; i < count; i++)
        words += !number_of(csv->field[i], &number) &&
                 !(model->targets && is_called_by_number(model->columns, i)) &&
                 !is_called_by_number(without, i);
    const int answers = model->targets || has_no_answers(csv, count) ? 0 : 1;
    switch (model->header) {
    case NN_YES: return true;
    case NN_NO: return false;
    default: return words > answers;
    }
}

// The names lie in the text, which stays.
static bool read_header(Csv *csv, bool *header)
{
    int count;
    if (!next_row(csv, &count))
        return false;
    if (count == 0)
        return failed("'%s' is empty", csv->source.path);
    csv->columns = count;
    *header = is_header(csv, count);
    if (!*header)
        return true;
    csv->header = csv->field;
    csv->field = NULL;
    csv->room = 0;
    return true;
}

// --- rows ---------------------------------------------------------------------------------------

static bool make_room(Csv *csv, DataSet *set)
{
    const NnModel *model = csv->wanted->model;
    if ((size_t)set->count < csv->rows_room)
        return true;
    if (set->count >= MOST_EXAMPLES / 2)
        return failed("'%s' has more than %d examples", csv->source.path, MOST_EXAMPLES / 2);
    const size_t room = csv->rows_room = 2 * csv->rows_room + 64;
    float *numbers = realloc(set->numbers, room * (size_t)example_size(model) * sizeof *numbers);
    set->numbers = numbers ? numbers : set->numbers;
    int *lines = realloc(csv->lines, room * sizeof *lines);
    csv->lines = lines ? lines : csv->lines;
    float *targets = set->targets;
    char **names = csv->names;
    if (model->targets) {
        targets = realloc(targets, room * (size_t)model->targets * sizeof *targets);
        set->targets = targets ? targets : set->targets;
    } else {
        names = realloc(names, room * sizeof *names);
        csv->names = names ? names : csv->names;
    }
    if (numbers && lines && (model->targets ? (void *)targets : (void *)names))
        return true;
    return failed("out of memory for the examples of '%s'", csv->source.path);
}

static bool read_number(const Csv *csv, int column, float *to)
{
    char place[100];
    double number;
    if (!number_of(csv->field[column], &number))
        return failed("'%s', line %d, %s: expected a number, found '%.60s'", csv->source.path,
                      csv->line, column_name(csv, column, place), csv->field[column]);
    if (!isfinite((float)number))
        return failed("'%s', line %d, %s: expected a number up to %.1e, found '%.60s'",
                      csv->source.path, csv->line, column_name(csv, column, place), (double)FLT_MAX,
                      csv->field[column]);
    *to = (float)number;
    return true;
}

static bool read_target(const Csv *csv, int column, float *to)
{
    const NnModel *model = csv->wanted->model;
    char place[100];
    if (!read_number(csv, column, to))
        return false;
    return in_target_range(model, *to) ||
           failed("'%s', line %d, %s: expected a target %s, as '%s' takes them, found '%.60s'",
                  csv->source.path, csv->line, column_name(csv, column, place),
                  target_range_text(model), model->loss, csv->field[column]);
}

static bool read_row(Csv *csv, DataSet *set, int count)
{
    const NnModel *model = csv->wanted->model;
    if (count != csv->columns) {
        char text[100];
        snprintf(text, sizeof text, "expected %d columns, found %d", csv->columns, count);
        return wrong_line(csv, text);
    }
    if (!make_room(csv, set))
        return false;
    float *to = set->numbers + (size_t)set->count * (size_t)example_size(model);
    for (int i = 0; i < count; i++)
        if (csv->use[i] == INPUT && !read_number(csv, i, to++))
            return false;
    for (int k = 0; k < csv->answers && model->targets; k++)
        if (!read_target(csv, csv->answer[k],
                         set->targets + (size_t)set->count * (size_t)model->targets + k))
            return false;
    if (csv->answers && !model->targets) {
        char *name = csv->field[csv->answer[0]];
        char place[100];
        if (!*name)
            return failed("'%s', line %d, %s: expected a class, found nothing", csv->source.path,
                          csv->line, column_name(csv, csv->answer[0], place));
        csv->names[set->count] = name;
    }
    csv->lines[set->count++] = csv->line;
    return true;
}

static void place_of_row(char text[64], int i, const void *context)
{
    const Csv *csv = context;
    snprintf(text, 64, ", line %d, column %d", csv->lines[i], csv->answer[0] + 1);
}

static bool read_rows(Csv *csv, DataSet *set, bool header)
{
    bool first = !header;
    for (int count = csv->columns;;) {
        if (!first && !next_row(csv, &count))
            return false;
        first = false;
        if (count == 0)
            break;
        if (!read_row(csv, set, count))
            return false;
    }
    if (set->count == 0)
        return failed("'%s' has no line behind its header", csv->source.path);
    if (csv->answers == 0) {
        free(set->targets);
        set->targets = NULL;
        return true;
    }
    if (csv->wanted->model->targets)
        return true;
    set->labels = allocate((size_t)set->count, 1);
    return set->labels && classes_find(csv->wanted, csv->source.path, csv->names, set->count,
                                       set->labels, place_of_row, csv);
}

bool csv_read(DataSet *set, const Wanted *wanted)
{
    static const char mark[] = "\xef\xbb\xbf";
    Csv csv = {.wanted = wanted};
    bool header = false;
    if (!source_open(&csv.source, wanted, wanted->files.inputs))
        return false;
    csv.text = source_rest(&csv.source, &csv.size);
    source_close(&csv.source);
    if (!csv.text)
        return false;
    csv.next = csv.text + (strncmp(csv.text, mark, 3) == 0 ? 3 : 0);
    find_separator(&csv);
    const bool done =
        strlen(csv.text) == csv.size
            ? read_header(&csv, &header) && find_columns(&csv) && check_columns(&csv) &&
                  read_rows(&csv, set, header)
            : failed("'%s' is no text: byte %zu is 0", csv.source.path, strlen(csv.text));
    free(csv.text);
    free(csv.field);
    free(csv.header);
    free(csv.use);
    free(csv.answer);
    free(csv.names);
    free(csv.lines);
    return done;
}
