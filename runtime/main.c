// main.c: a trained program's entry; alone in its file, so that a test can have its own.

#include "run.h"

int main(int argc, char **argv)
{
    memory_large_static();
    blas_pin(&nn_model, argv);
    return run_command_line(&nn_model, argc, argv);
}
