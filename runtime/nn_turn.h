// nn_turn.h: rows and columns of a matrix exchanged, in squares that stay in registers.
#ifndef NN_TURN_H
#define NN_TURN_H

#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#define NN_MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else // gcc before 12 has only this one
#define NN_MIX(a, b, ...) __builtin_shuffle(a, b, (Places){__VA_ARGS__})
#endif

// to[j][i] = from[i][j] for i < rows, j < columns, where lines of `from` and of `to` are so many
// numbers apart. Inlined always: the sizes are literals where it is called, and gcc must see at
// once which loops are empty, or it warns of what they would read.
#define NN_TURN(name, Number, Integer)                                                             \
    static inline __attribute__((always_inline)) void name(                                        \
        int rows, int columns, const Number *from, int from_line, Number *to, int to_line)         \
    {                                                                                              \
        typedef Number Four __attribute__((vector_size(4 * sizeof(Number))));                      \
        typedef Integer Places __attribute__((unused, vector_size(4 * sizeof(Number))));           \
        const int high = rows / 4 * 4, wide = columns / 4 * 4;                                     \
        for (int i = 0; i < high; i += 4) {                                                        \
            const Number *const x = from + (long)i * from_line;                                    \
            for (int j = 0; j < wide; j += 4) {                                                    \
                Four a, b, c, d;                                                                   \
                memcpy(&a, x + j, sizeof a);                                                       \
                memcpy(&b, x + from_line + j, sizeof b);                                           \
                memcpy(&c, x + 2L * from_line + j, sizeof c);                                      \
                memcpy(&d, x + 3L * from_line + j, sizeof d);                                      \
                const Four ab = NN_MIX(a, b, 0, 4, 1, 5), cd = NN_MIX(c, d, 0, 4, 1, 5);           \
                const Four ef = NN_MIX(a, b, 2, 6, 3, 7), gh = NN_MIX(c, d, 2, 6, 3, 7);           \
                const Four first = NN_MIX(ab, cd, 0, 1, 4, 5);                                     \
                const Four second = NN_MIX(ab, cd, 2, 3, 6, 7);                                    \
                const Four third = NN_MIX(ef, gh, 0, 1, 4, 5);                                     \
                const Four fourth = NN_MIX(ef, gh, 2, 3, 6, 7);                                    \
                Number *const y = to + (long)j * to_line + i;                                      \
                memcpy(y, &first, sizeof first);                                                   \
                memcpy(y + to_line, &second, sizeof second);                                       \
                memcpy(y + 2L * to_line, &third, sizeof third);                                    \
                memcpy(y + 3L * to_line, &fourth, sizeof fourth);                                  \
            }                                                                                      \
            for (int j = wide; j < columns; j++)                                                   \
                for (int k = 0; k < 4; k++)                                                        \
                    to[(long)j * to_line + i + k] = x[(long)k * from_line + j];                    \
        }                                                                                          \
        for (int i = high; i < rows; i++)                                                          \
            for (int j = 0; j < columns; j++)                                                      \
                to[(long)j * to_line + i] = from[(long)i * from_line + j];                         \
    }
NN_TURN(nn_turn_float, float, int32_t)
NN_TURN(nn_turn_double, double, int64_t)
#undef NN_TURN
#undef NN_MIX

#endif
