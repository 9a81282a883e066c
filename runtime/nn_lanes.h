// nn_lanes.h: lanes of vectors picked, and those of many vectors added up at once.
#ifndef NN_LANES_H
#define NN_LANES_H

// Lane l of the result is number at[l] of a and b, one behind the other; `at` is a constant.
#if defined(__clang__)
#define NN_PICK(a, b, at, LANES)                                                                   \
    ({                                                                                             \
        __typeof__(a) chosen;                                                                      \
        for (int lane = 0; lane < (LANES); lane++)                                                 \
            chosen[lane] = (at)[lane] < (LANES) ? (a)[(at)[lane]] : (b)[(at)[lane] - (LANES)];     \
        chosen;                                                                                    \
    })
#else
#define NN_PICK(a, b, at, LANES) __builtin_shuffle(a, b, at)
#endif

// Lane k of v[0] becomes the sum of all lanes of v[k], of as many vectors as one has lanes; the
// others are overwritten. Each round puts two vectors into one: of each group of `width` lanes,
// which are one sum's, the lower half plus the upper one, a's and b's groups in turns. A vector by
// itself would take two instructions in each round, here it shares three with another.
#define NN_LANE_SUMS(name, Number, Integer, Vector)                                                \
    static inline __attribute__((always_inline)) void name(Vector *v)                              \
    {                                                                                              \
        enum { LANES = sizeof(Vector) / sizeof(Number) };                                          \
        typedef Integer Places __attribute__((vector_size(sizeof(Vector))));                       \
        _Pragma("GCC unroll 32") for (int width = LANES; width > 1; width /= 2)                    \
        {                                                                                          \
            Places low = {0}, high = {0};                                                          \
            _Pragma("GCC unroll 32") for (int l = 0; l < LANES; l++)                               \
            {                                                                                      \
                low[l] = l / width * width + l % (width / 2) + l % width / (width / 2) * LANES;    \
                high[l] = low[l] + width / 2;                                                      \
            }                                                                                      \
            _Pragma("GCC unroll 32") for (int k = 0; k < width / 2; k++)                           \
            {                                                                                      \
                Vector a = v[k], b = v[k + width / 2];                                             \
                v[k] = NN_PICK(a, b, low, LANES) + NN_PICK(a, b, high, LANES);                     \
            }                                                                                      \
        }                                                                                          \
    }

#endif
