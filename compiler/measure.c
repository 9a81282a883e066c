// measure.c: the time of each layer as the program itself measures it: it is built, and its `bench`
// run by one thread on random pictures, for a second.
#include "summary.h"

#include "child.h"
#include "command.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// All that the program prints, or NULL after an error.
static const char *output_of(const char *const *command)
{
    FILE *output;
    const pid_t child = start_child(command, &output);
    const char *const text = output ? read_stream(output) : "";
    if (output)
        fclose(output);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
        error_at(E918, (Loc){0}, "the program's 'bench' failed");
        return NULL;
    }
    return text;
}

static double number_in(const cJSON *object, const char *name)
{
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item))
        bug("'bench --json' has no number '%s'", name);
    return item->valuedouble;
}

// A layer's forward, backward and update are rows of their own there. The whole is the time of the
// steps in which the layers were timed, not of the plain ones that 'bench' takes between them.
static void read_times(Summary *summary, const char *text)
{
    cJSON *const all = cJSON_Parse(text);
    summary->total.measured = number_in(all, "timed_seconds");
    for (int i = 0; i < summary->count; i++)
        summary->rows[i].measured = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(all, "layers"))
    {
        const cJSON *const name = cJSON_GetObjectItemCaseSensitive(row, "layer");
        for (int i = 0; i < summary->count && cJSON_IsString(name); i++)
            if (!strcmp(summary->rows[i].name, name->valuestring))
                summary->rows[i].measured += number_in(row, "seconds");
    }
    cJSON_Delete(all);
}

bool measure(Summary *summary, Network *network, const char *target)
{
    if (!network->trains) {
        error_at(E911, (Loc){0}, "'%s' has no 'loss' statement: there is no step to measure",
                 network->program->source->path);
        return false;
    }
    const char *const tmp = getenv("TMPDIR");
    char *const folder = format("%s/netc-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        error_at(E915, (Loc){0}, "cannot make a folder in '%s': %s", tmp && *tmp ? tmp : "/tmp",
                 strerror(errno));
        return false;
    }
    const char *const binary = format("%s/%s", folder, network->program->name);
    const BuildOptions options = {.target = target, .output = binary};
    const char *const command[] = {binary, "bench",     "--json", "--random", "--threads",
                                   "1",    "--seconds", "1",      NULL};
    const char *const text =
        build_binary(network, emit_c(network), &options) ? output_of(command) : NULL;
    unlink(binary);
    rmdir(folder);
    if (text)
        read_times(summary, text);
    return text != NULL;
}
