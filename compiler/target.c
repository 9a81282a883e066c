// target.c: the processors that code is made for: what the choice of tiles and the estimate of a
// step's time need to know of them.
//
// The text is right on every processor; the target decides what is fast.
#include "ir.h"

#include <string.h>

static const Target targets[] = {
    // name, vector bytes, registers, operations of a vector's number in a cycle
    {"x86-64-v4", 64, 32, 4}, // AVX-512; two fused multiply-adds
    {"x86-64-v3", 32, 16, 4}, // AVX2; two fused multiply-adds
    {"x86-64-v2", 16, 16, 2}, // SSE4; a product and a sum
    {"armv8", 16, 32, 4},     // Neon; two fused multiply-adds
    {"portable", 16, 16, 2},
};
enum { TARGET_COUNT = (int)(sizeof targets / sizeof *targets) };

// The level of the machine that netc runs on.
static const char *native_level(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        return "x86-64-v4";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "x86-64-v3";
    return "x86-64-v2";
#elif defined(__aarch64__)
    return "armv8";
#else
    return "portable";
#endif
}

const Target *target_named(const char *name)
{
    const char *const level = strcmp(name, "native") ? name : native_level();
    for (int i = 0; i < TARGET_COUNT; i++)
        if (!strcmp(targets[i].name, level))
            return &targets[i];
    return NULL;
}

Words target_words(void)
{
    Words words = {0};
    words_add(&words, "native");
    for (int i = 0; i < TARGET_COUNT; i++)
        words_add(&words, targets[i].name);
    return words;
}

// The option of the C compiler, or NULL where its own default is right.
const char *target_march(const char *name)
{
    if (!strcmp(name, "portable"))
        return NULL;
    return !strcmp(name, "armv8") ? "armv8-a" : name;
}

int vector_lanes(const Network *network)
{
    return network->target->vector_bytes / (network->doubles ? 8 : 4);
}
