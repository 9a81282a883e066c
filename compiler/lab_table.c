// lab_table.c: the table of a lab, as text, CSV and JSON.
#include "lab.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

// --- text ---------------------------------------------------------------------------------------

enum { COLUMNS = 11, LEFT_COLUMNS = 3 };

static void fill_cells(const Experiment *row, const char **cell)
{
    const bool done = row->outcome == FINISHED;
    cell[0] = format("%d", row->number);
    cell[1] = row->section;
    cell[2] = row->network;
    cell[3] = done ? format("%ld", row->parameters) : outcome_text(row->outcome);
    cell[4] = done ? score_text(row->ours.accuracy, 2) : "";
    cell[5] = spread_text(row);
    cell[6] = score_text(row->published.accuracy, 2);
    cell[7] = done ? loss_text(row->ours.loss) : "";
    cell[8] = loss_text(row->published.loss);
    cell[9] = done ? score_text(row->ours.seconds, 1) : "";
    cell[10] = score_text(row->published.seconds, 1);
}

static bool has_column(const Lab *lab, int column)
{
    switch (column) {
    case 1: return lab->section_count > 0;
    case 5: return lab->seeds > 1;
    case 6:
    case 8:
    case 10: return lab->compared;
    }
    return true;
}

const char *lab_text(const Lab *lab)
{
    static const char *const head[COLUMNS] = {"",      "section", "network", "parameters",
                                              "acc %", "spread",  "publ.",   "loss",
                                              "publ.", "s",       "publ."};
    const char *(*const cells)[COLUMNS] = allocate((size_t)(lab->count + 1) * sizeof *cells);
    int widths[COLUMNS] = {0};
    memcpy(cells[0], head, sizeof head);
    for (int i = 0; i <= lab->count; i++) {
        if (i)
            fill_cells(&lab->rows[i - 1], cells[i]);
        for (int k = 0; k < COLUMNS; k++)
            if (text_columns(cells[i][k]) > widths[k])
                widths[k] = text_columns(cells[i][k]);
    }
    Text text = {0};
    for (int i = 0; i <= lab->count; i++) {
        Text line = {0};
        for (int k = 0; k < COLUMNS; k++) {
            if (!has_column(lab, k))
                continue;
            const int pad = widths[k] - text_columns(cells[i][k]);
            const bool left = k && k < LEFT_COLUMNS;
            text_add(&line, "%s%*s%s%*s", line.length ? "  " : "", left ? 0 : pad, "", cells[i][k],
                     left ? pad : 0, "");
        }
        while (line.length && line.text[line.length - 1] == ' ')
            line.text[--line.length] = '\0';
        text_add(&text, "%s\n", line.text);
    }
    return text.text;
}

// --- CSV ----------------------------------------------------------------------------------------

// RFC 4180.
static const char *csv_cell(const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")])
        return text;
    Text cell = {0};
    text_add(&cell, "\"");
    for (; *text; text++)
        text_add(&cell, *text == '"' ? "\"\"" : "%c", *text);
    text_add(&cell, "\"");
    return cell.text;
}

static const char *overrides_text(const Experiment *row)
{
    Text text = {0};
    text_add(&text, "%s", "");
    for (int i = 0; i < row->defines.count; i++)
        text_add(&text, "%s-D %s", text.length ? " " : "", row->defines.items[i]);
    for (int i = 0; i < row->sets.count; i++)
        text_add(&text, "%s--set %s", text.length ? " " : "", row->sets.items[i]);
    return text.text;
}

const char *lab_csv(const Lab *lab)
{
    Text csv = {0};
    text_add(&csv,
             "row,section,network,net,overrides,status,parameters,accuracy,loss,seconds,"
             "wall_seconds,published_accuracy,published_loss,published_seconds%s\n",
             lab->seeds > 1 ? ",seeds,least_accuracy,most_accuracy" : "");
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        const bool done = row->outcome == FINISHED;
        text_add(&csv, "%d,%s,%s,%s,%s,%s,", row->number, csv_cell(row->section),
                 csv_cell(row->network), csv_cell(readable(row->net)),
                 csv_cell(overrides_text(row)),
                 outcome_text(row->outcome));
        if (done)
            text_add(&csv, "%ld,%s,%s,%s,%s,", row->parameters, score_text(row->ours.accuracy, 2),
                     score_text(row->ours.loss, 6), score_text(row->ours.seconds, 3),
                     score_text(row->wall_seconds, 3));
        else
            text_add(&csv, ",,,,,");
        text_add(&csv, "%s,%s,%s", score_text(row->published.accuracy, 2),
                 loss_text(row->published.loss), score_text(row->published.seconds, 1));
        if (lab->seeds > 1)
            text_add(&csv, ",%d,%s,%s", row->finished,
                     done ? score_text(row->least.accuracy, 2) : "",
                     done ? score_text(row->most.accuracy, 2) : "");
        text_add(&csv, "\n");
    }
    return csv.text;
}

// --- JSON ---------------------------------------------------------------------------------------

static void add_number(cJSON *object, const char *name, double number)
{
    if (isnan(number))
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddNumberToObject(object, name, number);
}

static void add_list(cJSON *object, const char *name, List list)
{
    cJSON *const array = cJSON_AddArrayToObject(object, name);
    for (int i = 0; i < list.count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(list.items[i]));
}

static void add_score(cJSON *object, const Score *score)
{
    add_number(object, "accuracy", score->accuracy);
    add_number(object, "loss", score->loss);
    add_number(object, "seconds", score->seconds);
}

static void add_trainings(cJSON *object, const Experiment *row)
{
    cJSON *const array = cJSON_AddArrayToObject(object, "trainings");
    for (int i = 0; i < row->seeds; i++) {
        const Training *const training = &row->trainings[i];
        cJSON *const item = cJSON_CreateObject();
        add_number(item, "seed", training->seed);
        cJSON_AddStringToObject(item, "folder", training->folder);
        cJSON_AddStringToObject(item, "status", outcome_text(training->outcome));
        if (training->outcome == FAILED)
            cJSON_AddStringToObject(item, "problem", training->problem);
        if (training->outcome == FINISHED) {
            add_score(item, &training->score);
            add_number(item, "wall_seconds", training->wall_seconds);
        }
        cJSON_AddItemToArray(array, item);
    }
}

static cJSON *row_json(const Experiment *row)
{
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "row", row->number);
    cJSON_AddStringToObject(object, "section", row->section);
    cJSON_AddStringToObject(object, "network", row->network);
    cJSON_AddStringToObject(object, "net", readable(row->net));
    add_list(object, "define", row->defines);
    add_list(object, "set", row->sets);
    cJSON_AddStringToObject(object, "status", outcome_text(row->outcome));
    add_score(cJSON_AddObjectToObject(object, "published"), &row->published);
    if (row->outcome == FAILED)
        cJSON_AddStringToObject(object, "problem", row->problem);
    if (row->seeds > 1)
        add_trainings(object, row);
    if (row->outcome != FINISHED)
        return object;
    cJSON_AddNumberToObject(object, "parameters", (double)row->parameters);
    add_score(object, &row->ours);
    if (row->seeds > 1) {
        add_number(object, "least_accuracy", row->least.accuracy);
        add_number(object, "most_accuracy", row->most.accuracy);
    }
    add_number(object, "wall_seconds", row->wall_seconds);
    cJSON *const history = cJSON_AddArrayToObject(object, "history");
    for (int i = 0; i < row->first->epoch_count; i++) {
        const LabEpoch *const epoch = &row->first->epochs[i];
        cJSON *const item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "epoch", i + 1);
        add_number(item, "loss", epoch->loss);
        add_number(item, "accuracy", epoch->accuracy);
        add_number(item, "validation_loss", epoch->validation_loss);
        add_number(item, "validation_accuracy", epoch->validation_accuracy);
        cJSON_AddItemToArray(history, item);
    }
    return object;
}

const char *lab_json(const Lab *lab)
{
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "title", lab->title);
    if (lab->seeds > 1)
        cJSON_AddNumberToObject(object, "seeds", lab->seeds);
    cJSON *const rows = cJSON_AddArrayToObject(object, "rows");
    for (int i = 0; i < lab->count; i++)
        cJSON_AddItemToArray(rows, row_json(&lab->rows[i]));
    char *const printed = cJSON_Print(object);
    const char *const text = format("%s\n", printed);
    cJSON_free(printed);
    cJSON_Delete(object);
    return text;
}
