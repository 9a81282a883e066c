// cmd_check.c: `netc check` reports mistakes, and with --explain the values in force.
#include "command.h"

int run_check(const Options *o)
{
    const Program *const program = read_program(o);
    if (!program || !compile(o, program))
        return MISTAKE;
    if (o->explain)
        program_explain(program, stdout);
    return DONE;
}
