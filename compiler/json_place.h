// json_place.h: places in JSON texts, for messages about what they say.
#ifndef JSON_PLACE_H
#define JSON_PLACE_H

#include "netc.h"

// The value at a path such as "rows[3].define.width", or the innermost one on the way that is
// there. The text must be well-formed.
Loc json_place(const Source *source, const char *path);

#endif
