// memory.c: memory that lives as long as the compilation, and texts that are kept once.
#include "netc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Large networks take megabytes: a fault for each 4 KB of them was a sixth of the time of `emit`.
enum { LARGE_PAGE = 1 << 21, ALIGNMENT = 16 };

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *before;
    void *mapping;
    size_t mapped, used, size;
    _Alignas(ALIGNMENT) char bytes[];
};

static Chunk *newest_chunk;

// Of whole large pages; pages of the mapping that nobody touches cost nothing.
static void add_chunk(size_t size)
{
    const size_t total = (sizeof(Chunk) + size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    const size_t mapped = total + LARGE_PAGE;
    char *const mapping =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        fprintf(stderr, "netc: error: out of memory [%s]\n", error_name(E917));
        abort();
    }
    Chunk *const chunk = (void *)(mapping + LARGE_PAGE - (uintptr_t)mapping % LARGE_PAGE);
    madvise(chunk, total, MADV_HUGEPAGE); // where there are none, small ones do
    chunk->before = newest_chunk;
    chunk->mapping = mapping;
    chunk->mapped = mapped;
    chunk->size = total - sizeof *chunk;
    newest_chunk = chunk;
}

void *allocate(size_t size)
{
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!newest_chunk || newest_chunk->size - newest_chunk->used < size)
        add_chunk(size);
    void *const memory = newest_chunk->bytes + newest_chunk->used;
    newest_chunk->used += size;
    return memory;
}

// Interned texts: open addressing in a table that is at most half full.
static struct {
    const char **slots;
    size_t size, count;
} interned;

void memory_reset(void)
{
    while (newest_chunk) {
        Chunk *const chunk = newest_chunk;
        newest_chunk = chunk->before;
        munmap(chunk->mapping, chunk->mapped);
    }
    interned.slots = NULL;
    interned.size = interned.count = 0;
}

static const char **intern_slot(const char *text, size_t length)
{
    for (size_t i = hash_bytes(hash_start, text, length);; i++) {
        const char **const slot = &interned.slots[i & (interned.size - 1)];
        if (!*slot || (!strncmp(*slot, text, length) && !(*slot)[length]))
            return slot;
    }
}

static void grow_interned(void)
{
    const char **const old = interned.slots;
    const size_t old_size = interned.size;
    interned.size = old_size ? 2 * old_size : 256;
    interned.slots = allocate(interned.size * sizeof *interned.slots);
    for (size_t i = 0; i < old_size; i++)
        if (old[i])
            *intern_slot(old[i], strlen(old[i])) = old[i];
}

const char *intern(const char *text, size_t length)
{
    if (2 * interned.count >= interned.size)
        grow_interned();
    const char **const slot = intern_slot(text, length);
    if (!*slot) {
        *slot = format("%.*s", (int)length, text);
        interned.count++;
    }
    return *slot;
}
