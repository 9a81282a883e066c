// nn_random.h: random numbers by counter.
//
// A number is a function of (seed, stream, step, index) and of nothing else: no state is kept, any
// thread may draw any number, and the same number can be drawn twice: the backward pass of dropout
// draws the forward pass's mask again instead of storing it.
#ifndef NN_RANDOM_H
#define NN_RANDOM_H

#include <stdint.h>

#include "nn_math.h"

// A mixing step with full avalanche (the finalizer of splitmix64, Steele et al., 2014).
static inline uint64_t nn_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// A stream's number from its name (FNV-1a).
static inline uint64_t nn_stream(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    while (*name)
        hash = (hash ^ (unsigned char)*name++) * 0x100000001b3u;
    return hash;
}

// The key of one stream at one step; draw many numbers from one key.
static inline uint64_t nn_key(uint64_t seed, uint64_t stream, uint64_t step)
{
    return nn_mix64(nn_mix64(nn_mix64(seed + 0x9e3779b97f4a7c15u) ^ stream) + step);
}

// 32 random bits, number `index` of `key`. Only 32-bit arithmetic, so that a loop over it becomes
// vector code (two rounds of the lowbias32 finalizer, Wellons, 2018, one for each half of the key).
static inline uint32_t nn_bits(uint64_t key, uint32_t index)
{
    uint32_t x = index ^ (uint32_t)key;
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    x = (x ^ (x >> 16)) + (uint32_t)(key >> 32);
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

// cos(2 pi u) for u in [0, 1): the quarter that u is in, and a polynomial in it (the coefficients
// of Cephes' sinf and cosf, Moshier, 1992).
static inline float nn_cos_turns(float u)
{
    const int32_t quarter = (int32_t)(4.0f * u + 0.5f);
    const float x = (4.0f * u - (float)quarter) * 1.57079632679489662f, z = x * x;
    const float sine =
        ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * x + x;
    const float cosine =
        ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z -
        0.5f * z + 1.0f;
    const float value = quarter & 1 ? sine : cosine;
    return (quarter + 1) & 2 ? -value : value;
}

// A normal number of mean 0 and deviation 1, at most 5.8 (Box and Muller, 1958), number `index` of
// `key`. A loop over it becomes vector code.
static inline float nn_normal(uint64_t key, uint32_t index)
{
    const float size = (float)((nn_bits(key, 2 * index) >> 8) + 1) * 0x1p-24f;
    const float turn = (float)(nn_bits(key, 2 * index + 1) >> 8) * 0x1p-24f;
    return sqrtf(-2.0f * nn_logf(size)) * nn_cos_turns(turn);
}

// 64 random bits, number `index` of `key`: for what is drawn once, not in inner loops.
static inline uint64_t nn_bits64(uint64_t key, uint64_t index)
{
    return nn_mix64(key + index * 0x9e3779b97f4a7c15u);
}

// Uniform in [0, 1), 53 bits.
static inline double nn_unit(uint64_t key, uint64_t index)
{
    return (double)(nn_bits64(key, index) >> 11) * 0x1p-53;
}

#endif
