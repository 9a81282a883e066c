// cmd_emit.c: `netc emit` writes the C that a network becomes.
#include "command.h"

#include <errno.h>
#include <string.h>

static int write_c(const char *path, const char *text)
{
    FILE *const out = path ? fopen(path, "w") : stdout;
    bool good = out && fputs(text, out) >= 0;
    if (out)
        good = (path ? fclose(out) : fflush(out)) == 0 && good;
    if (good)
        return DONE;
    error_at(E910, (Loc){0}, "cannot write '%s': %s", path ? path : "standard output",
             strerror(errno));
    return MISTAKE;
}

int run_emit(const Options *o)
{
    Network *const network = compile_file(o);
    if (!network)
        return MISTAKE;
    return o->dump ? DONE : write_c(o->output, emit_c(network));
}
