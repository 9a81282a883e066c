// kill.c: linked into a trained program, signals it just before the call that KILL names.
//
// KILL=write:3 is the third call of write, and the signal is SIGKILL; KILL=write:3:15 sends signal
// 15. The linker sends the runtime's own calls through here (--wrap), so a training dies at the same
// point of its work however fast it runs.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "run.h"

static void reached(const char *call, int *count)
{
    const char *const kill = getenv("KILL");
    const size_t length = strlen(call);
    if (!kill || strncmp(kill, call, length) != 0 || kill[length] != ':')
        return;
    char *end;
    if (++*count == strtol(kill + length + 1, &end, 10))
        raise(*end == ':' ? atoi(end + 1) : SIGKILL);
}

void __real_display_step(Display *display, long done, double loss, double accuracy);
void __wrap_display_step(Display *display, long done, double loss, double accuracy);
void __wrap_display_step(Display *display, long done, double loss, double accuracy)
{
    static int count;
    reached("step", &count);
    __real_display_step(display, done, loss, accuracy);
}

ssize_t __real_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size)
{
    static int count;
    reached("write", &count);
    return __real_write(file, data, size);
}

int __real_fsync(int file);
int __wrap_fsync(int file);
int __wrap_fsync(int file)
{
    static int count;
    reached("sync", &count);
    return __real_fsync(file);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    static int count;
    reached("rename", &count);
    return __real_rename(from, to);
}
