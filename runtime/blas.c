// blas.c: the matrix library is given one choice of kernels, and one thread.
//
// OpenBLAS picks its kernels by the processor it finds, when it is loaded: two machines that run
// the same program would sum in different orders, and a processor newer than the library gets slow
// ones (AVX2 kernels where there is AVX-512: 100 Gflop/s instead of 175 were measured with 0.3.21).
// So the program names the kernels of the level it was compiled for. The library reads the name
// from the environment before main() begins: the program sets it and starts itself once more
// (main.c).

#include <stdlib.h>

#include "run.h"

// Present only in programs that link OpenBLAS.
extern void openblas_set_num_threads(int count) __attribute__((weak));
extern void *blas_memory_alloc(int place) __attribute__((weak));
extern void blas_memory_free(void *buffer) __attribute__((weak));

bool blas_pin(const NnModel *model)
{
    static const char variable[] = "OPENBLAS_CORETYPE";
    return openblas_set_num_threads && model->blas_kernels && !getenv(variable) &&
           setenv(variable, model->blas_kernels, 1) == 0;
}

void blas_one_thread(void)
{
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
}

// The library maps a buffer when a product begins while all that it has are in use: that could be
// in the middle of a training. As many as there can be products at once are mapped before it.
void blas_reserve(int threads)
{
    enum { MOST = 128 }; // the library has room for twice as many
    void *buffers[MOST];
    const int count = nn_min(threads, MOST);
    if (!blas_memory_alloc || !blas_memory_free)
        return;
    for (int i = 0; i < count; i++)
        buffers[i] = blas_memory_alloc(0);
    for (int i = 0; i < count; i++)
        blas_memory_free(buffers[i]);
}
