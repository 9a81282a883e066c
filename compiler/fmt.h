// fmt.h: the canonical layout of a .net text.
#ifndef FMT_H
#define FMT_H

#include "netc.h"

// needs: a text that parses without an error. Only spaces, line ends and ';' change: what is
// compiled from the result is the same.
const char *canonical_text(const Source *source);

#endif
