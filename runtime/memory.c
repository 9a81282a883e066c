// memory.c: large pages, for what a training walks through in every step.
//
// A page of 2 MB takes one entry of the processor's table of addresses where pages of 4 KB take
// 512, and is given in one fault. It is a wish: where the system has none, small pages serve.

#include "run.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>

enum { LARGE = 2 << 20 }; // on x86-64, and on most others

void memory_large_pages(void *start, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)start + page - 1) / page * page;
    const uintptr_t to = ((uintptr_t)start + bytes) / page * page;
    if (to > from && to - from >= LARGE)
        madvise((void *)from, to - from, MADV_HUGEPAGE);
}

extern char __bss_start[], _end[]; // the linker's names for the first and the last of it

// Where an arena has gigabytes, the code cannot reach behind it: the addresses are read.
void memory_large_static(void)
{
    static char *volatile const ends[] = {__bss_start, _end};
    memory_large_pages(ends[0], (size_t)(ends[1] - ends[0]));
}
#else
void memory_large_pages(void *start, size_t bytes) { (void)start, (void)bytes; }
void memory_large_static(void) {}
#endif
