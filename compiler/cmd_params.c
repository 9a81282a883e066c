// cmd_params.c: `netc params` lists what -D can set.
#include "command.h"

int run_params(const Options *o)
{
    const Source *const source = source_read(o->paths.items[0]);
    if (!source)
        return MISTAKE;
    params_print(source, parse(source), stdout);
    return error_count() ? MISTAKE : DONE;
}
