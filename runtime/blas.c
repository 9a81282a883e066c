// blas.c: the matrix library is given one choice of kernels, and one thread.
//
// OpenBLAS picks its kernels by the processor it finds, when it is loaded: two machines that run
// the same program would sum in different orders, and a processor newer than the library gets slow
// ones (AVX2 kernels where there is AVX-512: 100 Gflop/s instead of 175 were measured with 0.3.21).
// So the program names the kernels of the level it was compiled for. The library reads the name
// from the environment before main() begins: the program sets it and starts itself once more.

#include <stdlib.h>
#include <unistd.h>

#include "run.h"

// Present only in programs that link OpenBLAS.
extern void openblas_set_num_threads(int count) __attribute__((weak));

void blas_pin(const NnModel *model, char **arguments)
{
    static const char variable[] = "OPENBLAS_CORETYPE";
    if (!openblas_set_num_threads || !model->blas_kernels || getenv(variable))
        return;
    if (setenv(variable, model->blas_kernels, 1) == 0)
        execv("/proc/self/exe", arguments);
    // where it cannot be started again, it goes on with the kernels that there are
}

void blas_one_thread(void)
{
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
}
