// count.c: linked into a trained program, counts what it allocates during training steps.
//
// The linker sends the runtime's own calls through here (--wrap). Steps begin where the leader has
// shuffled an epoch's order, and for the first epoch where it has counted the second step, since
// libraries may make themselves ready in the first. They end where the weights are fingerprinted
// after the epoch; validation lies between.
//
// Calls of malloc and its kin are counted in all threads and all libraries, as this program's own
// names come first. With ALLOCATION=kernel a filter in the kernel also ends the program at any
// system call but futex, whoever makes it, and names it; the program ends after the first epoch.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

static atomic_bool inside;
static atomic_long calls, frees, windows, steps;

static void count(void)
{
    if (atomic_load(&inside))
        atomic_fetch_add(&calls, 1);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    count();
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}

void free(void *old)
{
    if (old && atomic_load(&inside))
        atomic_fetch_add(&frees, 1);
    __libc_free(old);
}

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    count();
    return (void *)syscall(SYS_mmap, at, size, protection, flags, file, offset);
}

int munmap(void *at, size_t size)
{
    count();
    return (int)syscall(SYS_munmap, at, size);
}

static bool kernel_mode(void)
{
    const char *const mode = getenv("ALLOCATION");
    return mode && strcmp(mode, "kernel") == 0;
}

// The only writes to standard error are those of this file.
#define ARGUMENT offsetof(struct seccomp_data, args[0])
#define ALLOWS(name)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void name_call(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    char line[80];
    const int length =
        snprintf(line, sizeof line, "count: system call %d in a step\n", info->si_syscall);
    _exit(write(STDERR_FILENO, line, (size_t)length) != length);
}

// From here on the program ends, with the number of the call, when it asks the kernel for anything
// but to wait for another thread or to wake one.
static void forbid_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOWS(futex),
        ALLOWS(exit_group),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STDERR_FILENO, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    struct sigaction action = {.sa_sigaction = name_call, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
        fprintf(stderr, "count: no filter: %s\n", strerror(errno));
        _exit(77);
    }
}

static void print_counts(void)
{
    char line[200];
    const int length = snprintf(line, sizeof line, "count: %ld allocations and %ld frees in %ld steps of %ld epochs\n",
                                atomic_load(&calls), atomic_load(&frees), atomic_load(&steps),
                                atomic_load(&windows));
    if (write(STDERR_FILENO, line, (size_t)length) != length)
        _exit(1);
}

static void enter(void)
{
    if (atomic_exchange(&inside, true))
        return;
    if (atomic_fetch_add(&windows, 1) == 0 && kernel_mode())
        forbid_calls();
}

static long seen; // steps, those that are not counted included

void __real_display_step(void *display, long done, double loss, double accuracy);
void __wrap_display_step(void *display, long done, double loss, double accuracy)
{
    __real_display_step(display, done, loss, accuracy);
    if (++seen == 2)
        enter();
    else if (seen > 2)
        atomic_fetch_add(&steps, 1);
}

void __real_order_shuffle(uint32_t *order, int number, uint64_t seed, int epoch);
void __wrap_order_shuffle(uint32_t *order, int number, uint64_t seed, int epoch)
{
    if (epoch > 1)
        enter();
    __real_order_shuffle(order, number, seed, epoch);
}

uint64_t __real_tensors_fingerprint(const void *model);
uint64_t __wrap_tensors_fingerprint(const void *model)
{
    atomic_store(&inside, false);
    if (kernel_mode()) {
        print_counts();
        _exit(0);
    }
    return __real_tensors_fingerprint(model);
}

__attribute__((destructor)) static void end(void) { print_counts(); }
