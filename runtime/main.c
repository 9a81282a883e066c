// main.c: a trained program's entry; alone in its file, so that a test can have its own.

#include <signal.h>
#include <unistd.h>

#include "run.h"

static void wrong_processor(int number)
{
    static const char text[] = "error: this program is compiled for another processor: build it "
                               "here, or with another --target\n";
    (void)number;
    _exit(write(STDERR_FILENO, text, sizeof text - 1) < 0 ? 2 : 1);
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); // a file at its limit is told of as a full disk is
    memory_large_static();
    const bool team_changed = team_pin(&nn_model), blas_changed = blas_pin(&nn_model);
    if (team_changed || blas_changed)
        execv("/proc/self/exe", argv); // where that fails, it goes on with what there is
    signal(SIGILL, wrong_processor);
    return run_command_line(&nn_model, argc, argv);
}
