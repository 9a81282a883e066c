// cmd_summary.c: `netc summary` prints what a network costs, and draws its memory plan.
#include "command.h"
#include "json.h"
#include "passes.h"
#include "summary.h"

#include <string.h>

// 1234567 is 1,234,567.
static const char *count_text(double count)
{
    const char *const digits = format("%.0f", count);
    const size_t length = strlen(digits);
    Text text = {0};
    for (size_t i = 0; i < length; i++)
        text_add(&text, "%s%c", i && (length - i) % 3 == 0 ? "," : "", digits[i]);
    return text.text;
}

static const char *share_text(double part, double whole)
{
    if (part < 0)
        return "";
    return part == 0 ? "-" : format("%.1f%%", 100 * part / whole);
}

// --- text ---------------------------------------------------------------------------------------

enum { COLUMNS = 8, LEFT_COLUMNS = 3 };

static void put_cells(const SummaryRow *row, const SummaryRow *total, const char **cell)
{
    cell[0] = row->name;
    cell[1] = row->statement;
    cell[2] = row->output;
    cell[3] = count_text((double)row->parameters);
    cell[4] = count_text(row->multiply_adds);
    cell[5] = bytes_text(row->bytes);
    cell[6] = share_text(row->seconds, total->seconds);
    cell[7] = share_text(row->measured, total->measured);
}

static void print_rows(const Summary *summary)
{
    const bool measured = summary->total.measured > 0;
    const char *(*const cells)[COLUMNS] = allocate((size_t)(summary->count + 2) * sizeof *cells);
    static const char *const head[COLUMNS] = {"layer",           "statement",     "output",
                                              "parameters",      "multiply-adds", "activations",
                                              "time, estimated", "measured"};
    memcpy(cells[0], head, sizeof head);
    for (int i = 0; i < summary->count; i++)
        put_cells(&summary->rows[i], &summary->total, cells[i + 1]);
    put_cells(&summary->total, &summary->total, cells[summary->count + 1]);
    int widths[COLUMNS] = {0};
    for (int i = 0; i < summary->count + 2; i++)
        for (int k = 0; k < COLUMNS; k++)
            if ((int)strlen(cells[i][k]) > widths[k])
                widths[k] = (int)strlen(cells[i][k]);
    for (int i = 0; i < summary->count + 2; i++) {
        Text line = {0};
        for (int k = 0; k < COLUMNS - !measured; k++)
            text_add(&line, k < LEFT_COLUMNS ? "%-*s  " : "%*s  ", widths[k], cells[i][k]);
        while (line.length && line.text[line.length - 1] == ' ')
            line.text[--line.length] = '\0';
        printf("%s\n", line.text);
    }
}

static void print_totals(const Network *network, const Summary *summary)
{
    const Cost cost = network_cost(network);
    const Graph *const graph = network->trains ? &network->train : &network->infer;
    const double all = cost.weight_bytes + cost.optimizer_bytes + cost.arena_bytes;
    printf("\nmemory      %s: weights %s, optimizer %s, arena %s\n", bytes_text(all),
           bytes_text(cost.weight_bytes), bytes_text(cost.optimizer_bytes),
           bytes_text(cost.arena_bytes));
    printf("            activations share the arena; each in bytes of its own would take %s\n",
           bytes_text((double)graph->unshared_bytes));
    printf("operations  %s forward and %s backward for each picture, %s in each update\n",
           count_text(cost.forward), count_text(cost.backward), count_text(cost.update));
    printf("time        %s for a step of %.0f by one thread, as estimated\n",
           seconds_text(summary->total.seconds), setting_number(network->program->batch, "size"));
    if (summary->total.measured > 0)
        printf("            %s as measured here\n", seconds_text(summary->total.measured));
}

// --- JSON ---------------------------------------------------------------------------------------

static void add_costs(cJSON *object, const SummaryRow *row)
{
    cJSON_AddNumberToObject(object, "parameters", (double)row->parameters);
    cJSON_AddNumberToObject(object, "multiply_adds", row->multiply_adds);
    cJSON_AddNumberToObject(object, "activation_bytes", row->bytes);
    cJSON_AddNumberToObject(object, "seconds_estimated", row->seconds);
    if (row->measured >= 0)
        cJSON_AddNumberToObject(object, "seconds_measured", row->measured);
}

static void print_json(const Network *network, const Summary *summary)
{
    const Cost cost = network_cost(network);
    const Graph *const graph = network->trains ? &network->train : &network->infer;
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", network->program->name);
    cJSON_AddNumberToObject(object, "batch", setting_number(network->program->batch, "size"));
    cJSON_AddBoolToObject(object, "trains", network->trains);
    cJSON *const layers = cJSON_AddArrayToObject(object, "layers");
    for (int i = 0; i < summary->count; i++) {
        const SummaryRow *const row = &summary->rows[i];
        cJSON *const layer = cJSON_CreateObject();
        cJSON_AddStringToObject(layer, "name", row->name);
        cJSON_AddStringToObject(layer, "statement", row->statement);
        cJSON_AddStringToObject(layer, "output", row->output);
        add_costs(layer, row);
        cJSON_AddItemToArray(layers, layer);
    }
    cJSON *const total = cJSON_AddObjectToObject(object, "total");
    add_costs(total, &summary->total);
    cJSON_AddNumberToObject(total, "operations_forward", cost.forward);
    cJSON_AddNumberToObject(total, "operations_backward", cost.backward);
    cJSON_AddNumberToObject(total, "operations_update", cost.update);
    cJSON_AddNumberToObject(total, "weight_bytes", cost.weight_bytes);
    cJSON_AddNumberToObject(total, "optimizer_bytes", cost.optimizer_bytes);
    cJSON_AddNumberToObject(total, "arena_bytes", cost.arena_bytes);
    cJSON_AddNumberToObject(total, "unshared_bytes", (double)graph->unshared_bytes);
    print_and_delete(object);
}

int run_summary(const Options *o)
{
    Network *const network = compile_file(o);
    if (!network)
        return MISTAKE;
    Summary summary = summary_of(network);
    if (o->measure && !measure(&summary, network, o->target))
        return MISTAKE;
    if (o->json) {
        print_json(network, &summary);
    } else {
        print_rows(&summary);
        print_totals(network, &summary);
    }
    if (!o->plan)
        return DONE;
    const bool done = spares_source(o, o->plan) &&
                      write_file(o->plan, plan_picture(network), MADE_AGAIN);
    return done ? DONE : MISTAKE;
}
