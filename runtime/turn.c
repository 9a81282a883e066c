// turn.c: rows and columns of a matrix exchanged, in squares that stay in registers.
//
// A function of the runtime: copies in the functions of each layer took up to a twelfth of gcc's
// time, and were no quicker.

#include <string.h>

#include "nn.h"

#if defined(__clang__)
#define MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else // gcc before 12 has only this one
#define MIX(a, b, ...) __builtin_shuffle(a, b, (Places){__VA_ARGS__})
#endif

#define TURN(name, Number, Integer)                                                                \
    void name(int rows, int columns, const Number *from, int from_line, Number *to, int to_line)   \
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
                const Four ab = MIX(a, b, 0, 4, 1, 5), cd = MIX(c, d, 0, 4, 1, 5);                 \
                const Four ef = MIX(a, b, 2, 6, 3, 7), gh = MIX(c, d, 2, 6, 3, 7);                 \
                const Four first = MIX(ab, cd, 0, 1, 4, 5);                                        \
                const Four second = MIX(ab, cd, 2, 3, 6, 7);                                       \
                const Four third = MIX(ef, gh, 0, 1, 4, 5);                                        \
                const Four fourth = MIX(ef, gh, 2, 3, 6, 7);                                       \
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
TURN(nn_turn_float, float, int32_t)
TURN(nn_turn_double, double, int64_t)
