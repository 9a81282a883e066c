// team.c: one team of threads for the whole run.
//
// All epochs run inside one parallel region; the threads meet only at nn_barrier(). The number of
// threads decides who runs a task and never what a task computes.

#define _GNU_SOURCE // pthread_setattr_default_np
#include <limits.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "run.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

int nn_thread(void) { return omp_get_thread_num(); }

int nn_threads(void) { return omp_get_num_threads(); }

// The team's own barrier. OpenMP's spins for milliseconds before it sleeps, which is time taken
// from a thread of the team wherever the processor is shared: with one foreign process on two
// cores, a step took 7 ms with it and 1.4 ms with this one. Here a thread spins about as long as a
// step's imbalance lasts, then sleeps until the last one comes. Where threads share a processor, it
// sleeps at once, since the one that it waits for may need its place.
enum { SPINS = 2000 };
static struct {
    atomic_int spins; // before a thread sleeps
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_int generation; // counts the barriers passed; what the sleepers wait on
    atomic_int sleepers;
} meeting;

#if defined(__linux__)
static void sleep_while(atomic_int *value, int expected)
{
    syscall(SYS_futex, value, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}
static void wake_all(atomic_int *value)
{
    syscall(SYS_futex, value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
#else
static void sleep_while(atomic_int *value, int expected)
{
    if (atomic_load(value) == expected)
        sched_yield();
}
static void wake_all(atomic_int *value) { (void)value; }
#endif

static void spin_once(void)
{
#if defined(__SSE2__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void nn_barrier(void)
{
    const int threads = omp_get_num_threads();
    if (threads == 1)
        return;
    const int generation = atomic_load(&meeting.generation);
    if (atomic_fetch_add(&meeting.arrived, 1) == threads - 1) {
        atomic_store(&meeting.arrived, 0);
        atomic_fetch_add(&meeting.generation, 1);
        if (atomic_load(&meeting.sleepers) > 0)
            wake_all(&meeting.generation);
        return;
    }
    const int spins = atomic_load_explicit(&meeting.spins, memory_order_relaxed);
    for (int spin = 0; spin < spins; spin++) {
        if (atomic_load_explicit(&meeting.generation, memory_order_acquire) != generation)
            return;
        spin_once();
    }
    atomic_fetch_add(&meeting.sleepers, 1);
    while (atomic_load(&meeting.generation) == generation)
        sleep_while(&meeting.generation, generation);
    atomic_fetch_sub(&meeting.sleepers, 1);
}

// Numbers too small to be normal count as zero: they carry nothing (below 1e-38), and the processor
// is up to a hundred times slower with them, which dying activations and the second moments of Adam
// would otherwise meet late in a training. Returns the mode that was in force.
#if defined(__SSE2__)
typedef unsigned FloatMode;
static FloatMode flush_subnormals(void)
{
    const FloatMode before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u); // flush to zero, and read as zero
    return before;
}
static void restore_float_mode(FloatMode before) { _mm_setcsr(before); }
#elif defined(__aarch64__)
typedef uint64_t FloatMode;
static FloatMode flush_subnormals(void)
{
    FloatMode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (UINT64_C(1) << 24)));
    return before;
}
static void restore_float_mode(FloatMode before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}
#else
typedef int FloatMode;
static FloatMode flush_subnormals(void) { return 0; }
static void restore_float_mode(FloatMode before) { (void)before; }
#endif

// The stacks of threads that are not there yet; the first one's grows up to its limit.
static void set_stacks(size_t bytes)
{
#if defined(__GLIBC__)
    pthread_attr_t attributes;
    size_t now = 0;
    if (pthread_getattr_default_np(&attributes))
        return;
    pthread_attr_getstacksize(&attributes, &now);
    if (now < bytes && !pthread_attr_setstacksize(&attributes, bytes))
        pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
#else
    (void)bytes;
#endif
}

// OpenMP takes the size of stacks from these when the program is loaded; nothing changes it later.
bool team_pin(const NnModel *model)
{
    static const char *const variables[] = {"OMP_STACKSIZE", "GOMP_STACKSIZE"};
    bool changed = false;
    for (int i = 0; model->stack_bytes > 0 && i < 2; i++)
        changed |= getenv(variables[i]) && unsetenv(variables[i]) == 0;
    return changed;
}

bool team_stack(size_t bytes)
{
    struct rlimit limit;
    if (bytes == 0)
        return true;
    bytes += 1 << 20; // for those that call the functions
    if (!getrlimit(RLIMIT_STACK, &limit) && limit.rlim_cur < bytes) {
        limit.rlim_cur = bytes;
        if (bytes > limit.rlim_max || setrlimit(RLIMIT_STACK, &limit))
            return failed("the network needs stacks of %zu MB, more than 'ulimit -Hs' allows",
                          bytes >> 20);
    }
    set_stacks(bytes);
    return true;
}

static void *pass(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

// OpenMP ends the program where it cannot start a thread. So as many as it will need are started
// before, all at once: it can then have their memory.
int team_possible(int threads)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *others = allocate((size_t)threads, sizeof *others);
    int count = 0, reason = 0;
    pthread_mutex_lock(&gate);
    while (others && count < threads - 1 && reason == 0) {
        reason = pthread_create(&others[count], NULL, pass, &gate);
        count += reason == 0;
    }
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < count; i++)
        pthread_join(others[i], NULL);
    free(others);
    if (reason != 0)
        failed("cannot start %d threads, only %d: %s; take fewer, with '--threads N'", threads,
               count + 1, strerror(reason));
    return count + 1;
}

bool team_run(int threads, void (*work)(void *), void *context)
{
    if (team_possible(threads) < threads)
        return false;
    atomic_store(&meeting.spins, threads > team_processors() ? 0 : SPINS);
    // Each thread of the team calls BLAS by itself on its own part.
    blas_one_thread();
    blas_reserve(threads);
    omp_set_dynamic(0);
#pragma omp parallel num_threads(threads)
    {
        const FloatMode before = flush_subnormals();
        work(context);
        nn_barrier(); // ThreadSanitizer knows this one, and not the end of the region
        restore_float_mode(before);
    }
    return true;
}

int team_processors(void) { return omp_get_num_procs(); }

// Whole vectors are tested by their bits: neither number has an exponent of all ones.
typedef uint32_t Lanes32 __attribute__((vector_size(32), aligned(4)));
typedef uint64_t Lanes64 __attribute__((vector_size(32), aligned(8)));

bool nn_finite_f32(const float *data, long count)
{
    enum { LANES = 8 };
    const uint32_t ones = 0x7f800000u;
    Lanes32 found = {0};
    long i = 0;
    for (; i + LANES <= count; i += LANES) {
        Lanes32 bits;
        memcpy(&bits, data + i, sizeof bits);
        found |= (Lanes32)((bits & ones) == ones);
    }
    uint32_t any = 0;
    for (int lane = 0; lane < LANES; lane++)
        any |= found[lane];
    for (; i < count; i++)
        any |= __builtin_isfinite(data[i]) ? 0u : 1u;
    return any == 0;
}

bool nn_finite_f64(const double *data, long count)
{
    enum { LANES = 4 };
    const uint64_t ones = 0x7ff0000000000000u;
    Lanes64 found = {0};
    long i = 0;
    for (; i + LANES <= count; i += LANES) {
        Lanes64 bits;
        memcpy(&bits, data + i, sizeof bits);
        found |= (Lanes64)((bits & ones) == ones);
    }
    uint64_t any = 0;
    for (int lane = 0; lane < LANES; lane++)
        any |= found[lane];
    for (; i < count; i++)
        any |= __builtin_isfinite(data[i]) ? 0u : 1u;
    return any == 0;
}
