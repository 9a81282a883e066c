// cmd_show.c: `netc show` prints what a program was made of: its .net, and the options in comments.
#include "command.h"
#include "json.h"
#include "record.h"

static void print_json(const Record *record)
{
    cJSON *const object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", record->name);
    cJSON *const options = cJSON_AddArrayToObject(object, "options");
    for (int i = 0; i < record->options.count; i++)
        cJSON_AddItemToArray(options, cJSON_CreateString(record->options.words[i]));
    cJSON_AddStringToObject(object, "net", record->net);
    print_and_delete(object);
}

int run_show(const Options *o)
{
    const char *const path = o->paths.items[0];
    Record record;
    if (!read_record(path, &record))
        return MISTAKE;
    if (o->json)
        print_json(&record);
    else
        printf("%s", record.text);
    return DONE;
}
