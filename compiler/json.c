// json.c: JSON on standard output.
#include "json.h"

#include <stdio.h>

void print_and_delete(cJSON *object)
{
    char *const text = cJSON_Print(object);
    printf("%s\n", text);
    cJSON_free(text);
    cJSON_Delete(object);
}
