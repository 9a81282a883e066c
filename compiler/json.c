// json.c: JSON on standard output, and from files that netc or its programs wrote.
#include "json.h"

#include "netc.h"

#include <math.h>
#include <stdio.h>

void print_and_delete(cJSON *object)
{
    char *const text = cJSON_Print(object);
    printf("%s\n", text);
    cJSON_free(text);
    cJSON_Delete(object);
}

cJSON *json_read(const char *path)
{
    FILE *const file = fopen(path, "rb");
    const char *const text = file ? read_stream(file, NULL) : "";
    if (file)
        fclose(file);
    return cJSON_Parse(text);
}

const char *json_text(const cJSON *object, const char *name)
{
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

double json_number(const cJSON *object, const char *name)
{
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}
