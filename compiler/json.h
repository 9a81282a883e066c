// json.h: JSON printed, and read from files.
#ifndef JSON_H
#define JSON_H

#include <cjson/cJSON.h>

void print_and_delete(cJSON *object);

cJSON *json_read(const char *path); // NULL where there is none; the caller deletes it
// Of an object or NULL: "" and NAN where it has no such text or number.
const char *json_text(const cJSON *object, const char *name);
double json_number(const cJSON *object, const char *name);

#endif
