// fingerprint.c: 64 bits that stand for files, by which a finished training is known again.
#include "build.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t hash_file(uint64_t hash, const char *path)
{
    enum { PIECE = 1 << 16 };
    static unsigned char bytes[PIECE];
    FILE *const file = fopen(path, "rb");
    size_t count;
    while (file && (count = fread(bytes, 1, PIECE, file)) > 0)
        hash = hash_bytes(hash, bytes, count);
    if (file)
        fclose(file);
    return hash;
}

// Links are followed, as readers of data do, but not for ever: one may lead in a circle.
static uint64_t hash_folder(uint64_t hash, const char *folder, int depth)
{
    enum { DEEP_ENOUGH = 4 };
    struct dirent **entries;
    const int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *const name = entries[i]->d_name, *const path = format("%s/%s", folder, name);
        struct stat entry;
        if (*name != '.' && !stat(path, &entry)) {
            hash = hash_bytes(hash, name, strlen(name) + 1);
            if (!S_ISDIR(entry.st_mode))
                hash = hash_file(hash, path);
            else if (depth < DEEP_ENOUGH)
                hash = hash_folder(hash, path, depth + 1);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return hash;
}

uint64_t hash_path(uint64_t hash, const char *path)
{
    struct stat found;
    const bool is_folder = !stat(path, &found) && S_ISDIR(found.st_mode);
    return is_folder ? hash_folder(hash, path, 1) : hash_file(hash, path);
}
