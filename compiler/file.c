// file.c: files read to their end, and written whole or not at all; folders.
#include "netc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *read_stream(FILE *file, size_t *length)
{
    Text text = {0};
    text_add(&text, "%s", "");
    char bytes[4096];
    size_t count;
    while ((count = fread(bytes, 1, sizeof bytes, file)) > 0)
        text_put(&text, bytes, count);
    if (length)
        *length = text.length;
    return text.text;
}

static bool put_text(FILE *file, const char *text)
{
    return fputs(text, file) >= 0 && fflush(file) == 0;
}

// Beside the file, so that a rename can take its place; what cannot be made again is on the disk
// before it does.
static bool write_beside(const char *path, const char *text, mode_t mode, Keeping keeping)
{
    char *const beside = format("%s.XXXXXX", path);
    const int descriptor = mkstemp(beside);
    FILE *const file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    bool good = file && put_text(file, text) && !fchmod(descriptor, mode) &&
                (keeping == MADE_AGAIN || !fsync(descriptor));
    const int reason = errno;
    if (file && fclose(file))
        good = false;
    if (good && !rename(beside, path))
        return true;
    const int later = good ? errno : reason;
    if (descriptor >= 0)
        unlink(beside);
    errno = later;
    return false;
}

// A device or a pipe can't be replaced: it is written to.
static bool write_into(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    const bool good = file && put_text(file, text);
    const int reason = errno;
    if (!file)
        return false;
    const bool closed = fclose(file) == 0;
    if (!good)
        errno = reason;
    return good && closed;
}

const char *file_stem(const char *path)
{
    const char *const slash = strrchr(path, '/'), *const name = slash ? slash + 1 : path;
    const char *const dot = strrchr(name, '.');
    return dot && dot > name ? format("%.*s", (int)(dot - name), name) : name;
}

bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return !stat(a, &first) && !stat(b, &second) && S_ISREG(first.st_mode) &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool write_file(const char *path, const char *text, Keeping keeping)
{
    if (!path) {
        fputs(text, stdout); // main.c says so where it fails, of all that is printed
        return true;
    }
    struct stat status;
    const bool there = !stat(path, &status);
    bool good;
    if (there && !S_ISREG(status.st_mode)) {
        good = write_into(path, text);
    } else {
        const mode_t mask = umask(0);
        umask(mask);
        char *const real = there ? realpath(path, NULL) : NULL; // a link stays one
        good = write_beside(real ? real : path, text,
                            there ? status.st_mode & 07777 : 0666 & ~mask, keeping);
        free(real);
    }
    if (!good)
        error_at(E910, (Loc){0}, "cannot write '%s': %s", path, strerror(errno));
    return good;
}

bool make_folders(const char *path)
{
    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        const char *const part = format("%.*s", (int)(at - path), path);
        if (mkdir(part, 0777) && errno != EEXIST) {
            error_at(E910, (Loc){0}, "cannot make the folder '%s': %s", part, strerror(errno));
            return false;
        }
    }
    return true;
}

const char *temporary_folder(void)
{
    const char *const set = getenv("TMPDIR"), *const tmp = set && *set ? set : "/tmp";
    char *const folder = format("%s/netc-XXXXXX", tmp);
    if (mkdtemp(folder))
        return folder;
    error_at(E915, (Loc){0}, "cannot make a folder in '%s': %s", tmp, strerror(errno));
    return NULL;
}
