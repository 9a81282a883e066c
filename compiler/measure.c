// measure.c: the time of each layer as the program itself measures it.
#include "build.h"
#include "summary.h"

#include <cjson/cJSON.h>
#include <string.h>

static double number_in(const cJSON *object, const char *name)
{
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item))
        bug("'bench --json' has no number '%s'", name);
    return item->valuedouble;
}

// A layer's forward, backward and update are rows of their own there. The whole is the time of the
// steps in which the layers were timed, not of the plain ones that 'bench' takes between them.
static void read_times(Summary *summary, const char *text)
{
    cJSON *const all = cJSON_Parse(text);
    summary->total.measured = number_in(all, "timed_seconds");
    for (int i = 0; i < summary->count; i++)
        summary->rows[i].measured = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(all, "layers"))
    {
        const cJSON *const name = cJSON_GetObjectItemCaseSensitive(row, "layer");
        for (int i = 0; i < summary->count && cJSON_IsString(name); i++)
            if (!strcmp(summary->rows[i].name, name->valuestring))
                summary->rows[i].measured += number_in(row, "seconds");
    }
    cJSON_Delete(all);
}

bool measure(Summary *summary, Network *network, const char *target)
{
    if (!network->trains) {
        error_at(E911, (Loc){0}, "'%s' has no 'loss' statement: there is no step to measure",
                 network->program->source->path);
        return false;
    }
    const char *const text = bench_of(network, target);
    if (text)
        read_times(summary, text);
    return text != NULL;
}
