// nn_weave.h: planes of numbers put side by side, pixel by pixel, and taken apart again.
#ifndef NN_WEAVE_H
#define NN_WEAVE_H

#include <stdint.h>
#include <string.h>

#include "nn_lanes.h"

// y[i][c] = plane[c][i] for i < pixels, which is a literal.
#define NN_WEAVE(name, CHANNELS, Number, Integer, Vector)                                          \
    static inline __attribute__((always_inline)) void name(const Vector *plane, int pixels,        \
                                                           Number *y)                              \
    {                                                                                              \
        enum { LANES = sizeof(Vector) / sizeof(Number) };                                          \
        typedef Integer Places __attribute__((vector_size(sizeof(Vector))));                       \
        _Pragma("GCC unroll 32") for (int k = 0; k < CHANNELS; k++)                                \
        {                                                                                          \
            const int rest = pixels * CHANNELS - k * LANES;                                        \
            if (rest <= 0)                                                                         \
                break;                                                                             \
            Vector woven = plane[0];                                                               \
            _Pragma("GCC unroll 32") for (int c = 0; c < CHANNELS; c++)                            \
            {                                                                                      \
                Places at = {0};                                                                   \
                _Pragma("GCC unroll 32") for (int l = 0; l < LANES; l++)                           \
                {                                                                                  \
                    const int n = k * LANES + l;                                                   \
                    at[l] = n % CHANNELS == c ? LANES + n / CHANNELS : c ? l : 0;                  \
                }                                                                                  \
                woven = NN_PICK(woven, plane[c], at, LANES);                                       \
            }                                                                                      \
            memcpy(y + k * LANES, &woven, (rest < LANES ? rest : LANES) * sizeof(Number));         \
        }                                                                                          \
    }

// plane[c][i] = y[i][c] for i < pixels, which is a literal, and 0 for the other lanes of a vector;
// planes are so many numbers apart.
#define NN_UNWEAVE(name, CHANNELS, Number, Integer, Vector)                                        \
    static inline __attribute__((always_inline)) void name(const Number *y, int pixels,            \
                                                           Number *plane, long apart)              \
    {                                                                                              \
        enum { LANES = sizeof(Vector) / sizeof(Number) };                                          \
        typedef Integer Places __attribute__((vector_size(sizeof(Vector))));                       \
        Vector woven[CHANNELS];                                                                    \
        _Pragma("GCC unroll 32") for (int k = 0; k < CHANNELS; k++)                                \
        {                                                                                          \
            const int rest = pixels * CHANNELS - k * LANES;                                        \
            Vector part = {0};                                                                     \
            if (rest > 0)                                                                          \
                memcpy(&part, y + k * LANES, (rest < LANES ? rest : LANES) * sizeof(Number));      \
            woven[k] = part;                                                                       \
        }                                                                                          \
        _Pragma("GCC unroll 32") for (int c = 0; c < CHANNELS; c++)                                \
        {                                                                                          \
            Vector channel = woven[0];                                                             \
            _Pragma("GCC unroll 32") for (int k = 0; k < CHANNELS; k++)                            \
            {                                                                                      \
                Places at = {0};                                                                   \
                _Pragma("GCC unroll 32") for (int l = 0; l < LANES; l++)                           \
                {                                                                                  \
                    const int n = l * CHANNELS + c;                                                \
                    at[l] = n / LANES == k ? LANES + n % LANES : k ? l : 0;                        \
                }                                                                                  \
                channel = NN_PICK(channel, woven[k], at, LANES);                                   \
            }                                                                                      \
            memcpy(plane + c * apart, &channel, sizeof(Vector));                                   \
        }                                                                                          \
    }

#endif
