// child.c: programs are started, waited for, and what they print is read.
#include "child.h"

#include "netc.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void become(const char *const *command)
{
    execv(command[0], (char *const *)(uintptr_t)command);
    error_at(E912, (Loc){0}, "cannot run '%s': %s", command[0], strerror(errno));
}

// --- signals ------------------------------------------------------------------------------------

// What would end netc ends the program that it waits for, and netc behind it when it has cleaned
// up. The terminal's keys reach both of them anyway, what is sent to netc alone does not.
const int endings[ENDINGS] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
static volatile pid_t running;
static volatile sig_atomic_t ended; // by the signal of this number; 0: not yet

int ended_by_signal(void) { return ended; }

static void pass_on(int number)
{
    ended = number;
    if (running > 0)
        kill(running, number);
}

typedef struct {
    struct sigaction actions[ENDINGS];
    sigset_t mask;
} Signals;

// Who catches them, as a lab does, goes on to. All wait until there is somebody to pass them on to.
static void hold_signals(Signals *before)
{
    const struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigset_t held;
    sigemptyset(&held);
    for (int i = 0; i < ENDINGS; i++)
        sigaddset(&held, endings[i]);
    sigprocmask(SIG_BLOCK, &held, &before->mask);
    for (int i = 0; i < ENDINGS; i++) {
        sigaction(endings[i], NULL, &before->actions[i]);
        if (before->actions[i].sa_handler == SIG_DFL)
            sigaction(endings[i], &action, NULL);
    }
}

static void release_signals(const Signals *before)
{
    for (int i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &before->actions[i], NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

// --- children -----------------------------------------------------------------------------------

// `output`: NULL where the child writes to netc's; `before`: NULL where no signals are held.
static pid_t start(const char *const *command, Change *change, FILE **output, const Signals *before)
{
    int ends[2];
    if (output && pipe(ends))
        bug("no pipe: %s", strerror(errno));
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (before)
            release_signals(before);
        if (output) {
            dup2(ends[1], STDOUT_FILENO);
            for (int i = 0; i < 2; i++) // one of them may be where it was closed
                if (ends[i] != STDOUT_FILENO)
                    close(ends[i]);
        }
        change(command);
        fflush(stderr);
        _exit(127);
    }
    if (!output)
        return child;
    close(ends[1]);
    *output = child > 0 ? fdopen(ends[0], "r") : NULL;
    if (!*output)
        close(ends[0]);
    return child;
}

pid_t start_child(const char *const *command, FILE **output)
{
    return start(command, become, output, NULL);
}

int run_program(const char *const *command, Change *change, const char **text)
{
    Signals before;
    FILE *output = NULL;
    int status = 0;
    hold_signals(&before);
    running = start(command, change, text ? &output : NULL, &before);
    sigprocmask(SIG_SETMASK, &before.mask, NULL);
    if (text)
        *text = output ? read_stream(output, NULL) : "";
    if (output)
        fclose(output);
    const bool ran = running >= 0 && waitpid(running, &status, 0) >= 0;
    const int reason = errno;
    running = 0;
    release_signals(&before);
    errno = reason;
    return !ran                ? -1
           : ended             ? 128 + ended
           : WIFEXITED(status) ? WEXITSTATUS(status)
                               : 128 + WTERMSIG(status);
}

const char *output_of(const char *const *command)
{
    const char *text;
    const int status = run_program(command, become, &text);
    if (status == 0)
        return text;
    if (!ended_by_signal())
        error_at(E918, (Loc){0}, "the program that measures failed");
    return NULL;
}
