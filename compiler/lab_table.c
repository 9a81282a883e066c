// lab_table.c: the table of a lab, as text, CSV and JSON.
#include "lab.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- what several reports say -------------------------------------------------------------------

const char *score_text(double number, int decimals)
{
    return isnan(number) ? "" : format("%.*f", decimals, number);
}

const char *section_teaches(const Lab *lab, const char *name)
{
    for (int i = 0; i < lab->section_count; i++)
        if (!strcmp(lab->sections[i].name, name))
            return lab->sections[i].teaches;
    return "";
}

bool is_first_of_section(const Lab *lab, const Experiment *row)
{
    const int index = row->number - 1;
    return !index || strcmp(lab->rows[index - 1].section, row->section) != 0;
}

double published_seconds(const Lab *lab)
{
    double seconds = 0;
    for (int i = 0; i < lab->count; i++)
        if (!isnan(lab->rows[i].published.seconds))
            seconds += lab->rows[i].published.seconds;
    return seconds;
}

// Where it is worth a word; "" where it is not.
const char *difference_text(const Experiment *row)
{
    const double noticeable = 0.5, difference = row->ours.accuracy - row->published.accuracy;
    if (row->outcome != FINISHED || !(fabs(difference) > noticeable))
        return "";
    return format("%.2f points %s than published%s%s", fabs(difference),
                  difference > 0 ? "more" : "less", *row->why ? ": " : "", row->why);
}

static const char *outcome_text(const Experiment *row)
{
    static const char *const words[] = {[NOT_RUN] = "not run",
                                        [FINISHED] = "finished",
                                        [FAILED] = "failed",
                                        [STOPPED] = "stopped"};
    return words[row->outcome];
}

const char *row_line(const Lab *lab, const Experiment *row)
{
    Text text = {0};
    text_add(&text, "[%d/%d] %s%s%s: ", row->number, lab->count, row->section,
             *row->section ? ": " : "", row->network);
    if (row->outcome != FINISHED) {
        text_add(&text, "%s", outcome_text(row));
        return text.text;
    }
    if (!isnan(row->ours.accuracy))
        text_add(&text, "accuracy %.2f%%, ", row->ours.accuracy);
    if (!isnan(row->published.accuracy))
        text_add(&text, "published %.2f%%, ", row->published.accuracy);
    text_add(&text, "loss %.4f, %.1f s%s", row->ours.loss, row->ours.seconds,
             row->kept ? ", kept" : "");
    return text.text;
}

// --- text ---------------------------------------------------------------------------------------

enum { COLUMNS = 10, LEFT_COLUMNS = 3 };

static int text_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += (*text & 0xc0) != 0x80;
    return columns;
}

static void fill_cells(const Experiment *row, const char **cell)
{
    const bool done = row->outcome == FINISHED;
    cell[0] = format("%d", row->number);
    cell[1] = row->section;
    cell[2] = row->network;
    cell[3] = done ? format("%ld", row->parameters) : outcome_text(row);
    cell[4] = done ? score_text(row->ours.accuracy, 2) : "";
    cell[5] = score_text(row->published.accuracy, 2);
    cell[6] = done ? score_text(row->ours.loss, 4) : "";
    cell[7] = score_text(row->published.loss, 4);
    cell[8] = done ? score_text(row->ours.seconds, 1) : "";
    cell[9] = score_text(row->published.seconds, 1);
}

const char *lab_text(const Lab *lab)
{
    static const char *const head[COLUMNS] = {"",     "section", "network",   "parameters",
                                              "acc %", "publ.",  "loss", "publ.",
                                              "s",    "publ."};
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
            const bool theirs = k == 5 || k == 7 || k == 9;
            if ((theirs && !lab->compared) || (k == 1 && !lab->section_count))
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
    text_add(&csv, "row,section,network,net,overrides,status,parameters,accuracy,loss,seconds,"
                   "wall_seconds,published_accuracy,published_loss,published_seconds\n");
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        const bool done = row->outcome == FINISHED;
        text_add(&csv, "%d,%s,%s,%s,%s,%s,", row->number, csv_cell(row->section),
                 csv_cell(row->network), csv_cell(row->net), csv_cell(overrides_text(row)),
                 outcome_text(row));
        if (done)
            text_add(&csv, "%ld,%s,%s,%s,%s,", row->parameters, score_text(row->ours.accuracy, 2),
                     score_text(row->ours.loss, 6), score_text(row->ours.seconds, 3),
                     score_text(row->wall_seconds, 3));
        else
            text_add(&csv, ",,,,,");
        text_add(&csv, "%s,%s,%s\n", score_text(row->published.accuracy, 2),
                 score_text(row->published.loss, 4), score_text(row->published.seconds, 1));
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

static cJSON *row_json(const Experiment *row)
{
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "row", row->number);
    cJSON_AddStringToObject(object, "section", row->section);
    cJSON_AddStringToObject(object, "network", row->network);
    cJSON_AddStringToObject(object, "net", row->net);
    add_list(object, "define", row->defines);
    add_list(object, "set", row->sets);
    cJSON_AddStringToObject(object, "status", outcome_text(row));
    add_score(cJSON_AddObjectToObject(object, "published"), &row->published);
    if (row->outcome == FAILED)
        cJSON_AddStringToObject(object, "problem", row->problem);
    if (row->outcome != FINISHED)
        return object;
    cJSON_AddNumberToObject(object, "parameters", (double)row->parameters);
    add_score(object, &row->ours);
    add_number(object, "wall_seconds", row->wall_seconds);
    cJSON *const history = cJSON_AddArrayToObject(object, "history");
    for (int i = 0; i < row->epoch_count; i++) {
        const LabEpoch *const epoch = &row->epochs[i];
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
    cJSON *const rows = cJSON_AddArrayToObject(object, "rows");
    for (int i = 0; i < lab->count; i++)
        cJSON_AddItemToArray(rows, row_json(&lab->rows[i]));
    char *const printed = cJSON_Print(object);
    const char *const text = format("%s\n", printed);
    cJSON_free(printed);
    cJSON_Delete(object);
    return text;
}
