// peak.c: what this machine can do: multiply-adds per second in registers, and bytes per second
// from memory of several sizes, by all threads at once.
//
// Both are measured in the vectors of the processor that the program was compiled for, which may be
// more than this file is: each kernel is there once for each kind of vector.

#include <stdlib.h>
#include <string.h>

#include "run.h"

// SUMS independent sums, enough to hide the latency of a multiply-add and few enough for the
// registers; their numbers converge, so that none is ever subnormal or infinite.
#define KERNELS(name, type, bytes, SUMS, attribute)                                                \
    typedef type name##_vector __attribute__((vector_size(bytes)));                                \
    attribute static void name##_multiply_adds(long rounds)                                        \
    {                                                                                              \
        name##_vector sum[SUMS], a = {0}, b = {0};                                                 \
        a += (type)0.75;                                                                           \
        b += (type)0.5;                                                                            \
        for (int i = 0; i < SUMS; i++)                                                             \
            sum[i] = b + (type)i;                                                                  \
        for (long round = 0; round < rounds; round++) {                                            \
            _Pragma("GCC unroll 32") for (int i = 0; i < SUMS; i++) sum[i] = sum[i] * a + b;       \
        }                                                                                          \
        for (int i = 0; i < SUMS; i++)                                                             \
            keep(&sum[i]);                                                                         \
    }                                                                                              \
    attribute static void name##_stream(void *to, const void *from, size_t size)                   \
    {                                                                                              \
        name##_vector a = {0};                                                                     \
        a += (type)0.5;                                                                            \
        for (size_t at = 0; at + 2 * sizeof a <= size; at += 2 * sizeof a) {                       \
            name##_vector x[2], y[2];                                                              \
            _Pragma("GCC unroll 2") for (int i = 0; i < 2; i++)                                    \
            {                                                                                      \
                memcpy(&x[i], (const char *)from + at + (size_t)i * sizeof a, sizeof a);           \
                memcpy(&y[i], (char *)to + at + (size_t)i * sizeof a, sizeof a);                   \
                y[i] = y[i] * a + x[i];                                                            \
                memcpy((char *)to + at + (size_t)i * sizeof a, &y[i], sizeof a);                   \
            }                                                                                      \
        }                                                                                          \
    }

static inline void keep(const void *value) { __asm__ volatile("" : : "r"(value) : "memory"); }

enum { WIDE = 24, NARROW = 12 };
KERNELS(f32_16, float, 16, NARROW, )
KERNELS(f64_16, double, 16, NARROW, )
#if defined(__x86_64__)
KERNELS(f32_32, float, 32, NARROW, __attribute__((target("avx2,fma"))))
KERNELS(f64_32, double, 32, NARROW, __attribute__((target("avx2,fma"))))
KERNELS(f32_64, float, 64, WIDE, __attribute__((target("avx512f"))))
KERNELS(f64_64, double, 64, WIDE, __attribute__((target("avx512f"))))
#endif

static const struct Kernel {
    int vector_bytes, sums;
    NnType type;
    void (*multiply_adds)(long rounds);
    void (*stream)(void *to, const void *from, size_t size);
} kernels[] = {
#if defined(__x86_64__)
    {64, WIDE, NN_F32, f32_64_multiply_adds, f32_64_stream},
    {64, WIDE, NN_F64, f64_64_multiply_adds, f64_64_stream},
    {32, NARROW, NN_F32, f32_32_multiply_adds, f32_32_stream},
    {32, NARROW, NN_F64, f64_32_multiply_adds, f64_32_stream},
#endif
    {16, NARROW, NN_F32, f32_16_multiply_adds, f32_16_stream},
    {16, NARROW, NN_F64, f64_16_multiply_adds, f64_16_stream},
};

static const struct Kernel *kernel_of(const NnModel *model)
{
    const struct Kernel *kernel = kernels;
    while (kernel->vector_bytes != model->vector_bytes || kernel->type != model->type)
        kernel++;
    return kernel;
}

static double step_bytes(const NnModel *model)
{
    return model->arena_bytes + model->weight_bytes + model->optimizer_bytes;
}

bool peak_prepare(Peak *peak, const NnModel *model, int threads)
{
    static const double sizes[PEAK_SIZES] = {16e3, 128e3, 1e6, 8e6, 64e6};
    const double most = step_bytes(model) / threads;
    *peak = (Peak){.model = model};
    for (int i = 0; i < PEAK_SIZES; i++) {
        peak->size[peak->sizes++] = (size_t)sizes[i] & ~(size_t)255;
        if (sizes[i] >= most)
            break;
    }
    peak->stride = peak->size[peak->sizes - 1];
    peak->memory = allocate(peak->stride, (size_t)threads);
    return peak->memory != NULL;
}

void peak_free(Peak *peak) { free(peak->memory); }

// How often work must be done to last about `seconds`; the leader's answer is everyone's.
static double timed(Peak *peak, void (*work)(Peak *, const void *, long), const void *what,
                    long rounds)
{
    nn_barrier();
    if (nn_thread() == 0)
        peak->began = now();
    nn_barrier();
    work(peak, what, rounds);
    nn_barrier();
    if (nn_thread() == 0)
        peak->seconds = now() - peak->began;
    nn_barrier();
    return peak->seconds;
}

static double best_rate(Peak *peak, void (*work)(Peak *, const void *, long), const void *what)
{
    const double enough = 2e-3;
    long rounds = 1;
    while (timed(peak, work, what, rounds) < enough / 2)
        rounds *= 2;
    double best = 0;
    for (int i = 0; i < 3; i++) {
        const double rate = (double)rounds / timed(peak, work, what, rounds);
        best = rate > best ? rate : best;
    }
    return best * nn_threads();
}

static void multiply_adds(Peak *peak, const void *what, long rounds)
{
    (void)what;
    kernel_of(peak->model)->multiply_adds(rounds * 1000);
}

static void stream(Peak *peak, const void *what, long rounds)
{
    const size_t size = *(const size_t *)what;
    char *memory = peak->memory + (size_t)nn_thread() * peak->stride;
    for (long i = 0; i < rounds; i++)
        kernel_of(peak->model)->stream(memory, memory + size / 2, size / 2);
}

// Called by all threads of a team; each call may better the figures.
void peak_measure(Peak *peak)
{
    const struct Kernel *kernel = kernel_of(peak->model);
    const int lanes = kernel->vector_bytes / (peak->model->type == NN_F64 ? 8 : 4);
    const double rate = best_rate(peak, multiply_adds, NULL) * 1000 * 2 * lanes * kernel->sums;
    if (nn_thread() == 0 && rate > peak->operations)
        peak->operations = rate;
    for (int i = 0; i < peak->sizes; i++) {
        // half of it is read, the other half read and written
        const double bytes = best_rate(peak, stream, &peak->size[i]) * 1.5 * (double)peak->size[i];
        if (nn_thread() == 0 && bytes > peak->bytes[i])
            peak->bytes[i] = bytes;
    }
    nn_barrier();
}

// Bytes per second where each thread works on so many at a time.
double peak_bandwidth(const Peak *peak, double bytes_at_once)
{
    int i = 0;
    while (i < peak->sizes - 1 && (double)peak->size[i] < bytes_at_once)
        i++;
    return peak->bytes[i];
}
