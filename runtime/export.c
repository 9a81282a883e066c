// export.c: the export command: the weights alone, for other programs.

#include <sys/stat.h>

#include "run.h"

// Without what only a training needs the file could not be continued.
static bool is_another_file(const char *path, const char *source)
{
    struct stat from, to;
    if (stat(source, &from) != 0 || stat(path, &to) != 0 || from.st_dev != to.st_dev ||
        from.st_ino != to.st_ino)
        return true;
    return failed("cannot export to '%s': the weights are read from it; name another file", path);
}

int command_export(const NnModel *model, const Options *options)
{
    Progress progress = {0};
    char source[RUN_PATH];
    const char *path = options->arguments[0];
    const bool done = wanted_weights(model, options, source) && is_another_file(path, source) &&
                      weights_read(source, model, WEIGHTS_ONLY, &progress) &&
                      weights_write(path, model, &progress, WEIGHTS_ONLY);
    progress_free(&progress);
    if (!done)
        return end_with_problem();
    if (!options->quiet)
        printf("%s: %ld parameters, fingerprint %016llx\n", path, model->parameters,
               (unsigned long long)tensors_fingerprint(model));
    return 0;
}
