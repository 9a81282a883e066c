// cmd_build.c: `netc build` makes the program, and `netc train` runs it too.
#include "build.h"
#include "child.h"
#include "command.h"
#include "emit.h"

#include <string.h>

static const char *binary_path(const Options *o, const Network *network)
{
    return o->output ? o->output : format("./%s", network->program->name);
}

static BuildOptions build_options(const Options *o, const Network *network)
{
    return (BuildOptions){.target = o->target,
                          .output = binary_path(o, network),
                          .profile = o->profile,
                          .verbose = o->verbose};
}

// With --tune the network is compiled first for what is measured of it: its products must be known.
static Network *compile_tuned(const Options *o)
{
    if (!o->tune)
        return compile_file(o);
    Options tuned = *o;
    tuned.tuned = tuned_path();
    if (!tuned.tuned)
        return NULL;
    Network *const network = compile_file(&tuned);
    if (!network)
        return NULL;
    emit_c(network);
    const BuildOptions options = build_options(o, network);
    return tune(network, &options, tuned.tuned) && tune_convolutions(network, &tuned)
               ? compile_again(&tuned, network->program)
               : NULL;
}

static bool build(const Options *o, Network *network)
{
    const BuildOptions options = build_options(o, network);
    return spares_source(o, options.output) && build_binary(network, emit_c(network), &options);
}

int run_build(const Options *o)
{
    Network *const network = compile_tuned(o);
    return network && build(o, network) ? DONE : MISTAKE;
}

int run_train(const Options *o)
{
    Network *const network = compile_tuned(o);
    if (!network)
        return MISTAKE;
    if (!network->trains) {
        error_at(E911, (Loc){0}, "'%s' has no 'loss' statement and cannot be trained",
                 o->paths.items[0]);
        return MISTAKE;
    }
    if (!build(o, network))
        return MISTAKE;
    const char *binary = binary_path(o, network);
    if (!strchr(binary, '/'))
        binary = format("./%s", binary);
    const char **const command = allocate((size_t)(o->passed_on.count + 3) * sizeof *command);
    command[0] = binary;
    command[1] = "train";
    memcpy(command + 2, o->passed_on.items, (size_t)o->passed_on.count * sizeof *command);
    become(command);
    return MISTAKE;
}
