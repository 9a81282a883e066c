// cmd_emit.c: `netc emit` writes the C that a network becomes.
#include "command.h"
#include "emit.h"

#include <string.h>

int run_emit(const Options *o)
{
    Network *const network = compile_file(o);
    if (!network)
        return MISTAKE;
    if (o->dump)
        return DONE;
    const char *const output = o->output && strcmp(o->output, "-") ? o->output : NULL; // as gcc's
    const bool done = spares_source(o, output) && write_file(output, emit_c(network), MADE_AGAIN);
    return done ? DONE : MISTAKE;
}
