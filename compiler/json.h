// json.h: JSON on standard output.
#ifndef JSON_H
#define JSON_H

#include <cjson/cJSON.h>

void print_and_delete(cJSON *object);

#endif
