// save.c: files are written whole or not at all.
//
// The bytes go to PATH.tmp in the same folder, are brought to the disk, and only then take the name
// PATH. A program killed at any instant leaves the earlier file as it was; a left-over PATH.tmp is
// overwritten by the next try.

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

static bool write_all(int file, const void *data, size_t size)
{
    const char *from = data;
    while (size > 0) {
        const ssize_t written = write(file, from, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        from += written;
        size -= (size_t)written;
    }
    return true;
}

// The name itself must reach the disk too: it is an entry of the folder. A folder that may be
// written but not read cannot be told; the file is whole all the same.
static bool sync_folder(const char *path)
{
    char folder[RUN_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash++;
    if (slash)
        *slash = '\0';
    const int file = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return errno == EACCES;
    // Some file systems cannot do this for folders and say so with EINVAL.
    const bool done = fsync(file) == 0 || errno == EINVAL;
    const int why = errno;
    close(file);
    errno = why;
    return done;
}

static bool write_temporary(const char *path, const struct iovec *parts, int count)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    bool done = true;
    for (int i = 0; i < count && done; i++)
        done = write_all(file, parts[i].iov_base, parts[i].iov_len);
    done = done && fsync(file) == 0;
    const int why = errno;
    const bool closed = close(file) == 0;
    if (!done)
        errno = why;
    return done && closed;
}

bool save_file(const char *path, const struct iovec *parts, int count)
{
    char temporary[RUN_PATH];
    if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= RUN_PATH)
        return failed("the path '%s' is longer than %d bytes", path, RUN_PATH - 5);

    // The new file would take the place of a device, as it would of an ordinary file.
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return failed("cannot write '%s': it is not an ordinary file", path);

    if (write_temporary(temporary, parts, count) && rename(temporary, path) == 0 &&
        sync_folder(path))
        return true;
    const int why = errno;
    unlink(temporary);
    return failed("cannot write '%s': %s", path, strerror(why));
}

bool save_text(const char *path, const char *text)
{
    const struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    return save_file(path, &part, 1);
}

// Makes the folder `path` and those above it, where they are not there yet.
bool make_folders(const char *path)
{
    char folder[RUN_PATH];
    if (snprintf(folder, sizeof folder, "%s", path) >= RUN_PATH)
        return failed("the path '%s' is longer than %d bytes", path, RUN_PATH - 1);
    for (char *end = folder + 1;; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        const char kept = *end;
        *end = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return failed("cannot make the folder '%s': %s", folder, strerror(errno));
        *end = kept;
        if (kept == '\0')
            break;
    }
    struct stat made;
    if (stat(path, &made) != 0 || !S_ISDIR(made.st_mode))
        return failed("'%s' is not a folder", path);
    return true;
}
