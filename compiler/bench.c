// bench.c: a network's program is built, and its `bench` run by one thread on random pictures, for
// a second.
#include "child.h"
#include "build.h"
#include "emit.h"

#include <unistd.h>

const char *bench_of(Network *network, const char *target)
{
    const char *const folder = temporary_folder();
    if (!folder)
        return NULL;
    const char *const binary = format("%s/%s", folder, network->program->name);
    const BuildOptions options = {.target = target, .output = binary};
    const char *const command[] = {binary, "bench",     "--json", "--random", "--threads",
                                   "1",    "--seconds", "1",      NULL};
    const char *const text =
        build_binary(network, emit_c(network), &options) ? output_of(command) : NULL;
    unlink(binary);
    rmdir(folder);
    return text;
}
