// main.c: a trained program's entry; alone in its file, so that a test can have its own.

#include <signal.h>

#include "run.h"

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); // a file at its limit is told of as a full disk is
    memory_large_static();
    blas_pin(&nn_model, argv);
    return run_command_line(&nn_model, argc, argv);
}
