// export.c: the export command: the weights alone, for other programs.

#include <stdlib.h>

#include "run.h"

int command_export(const NnModel *model, const Options *options)
{
    Progress progress = {0};
    const char *path = options->arguments[0];
    const bool done = read_wanted_weights(model, options, &progress) &&
                      weights_write(path, model, &progress, WEIGHTS_ONLY);
    free(progress.history);
    free(progress.classes);
    if (!done)
        return end_with_problem();
    if (!options->quiet)
        printf("%s: %ld parameters, fingerprint %016llx\n", path, model->parameters,
               (unsigned long long)tensors_fingerprint(model));
    return 0;
}
