// test_turn.c: rows and columns exchanged, of every size about that of a square: each number is in
// its place, and nothing else is written.

#include "support.h"

#include "../../runtime/nn.h"

enum { MOST = 10, LINE = MOST + 3 };

#define TURNS(test, turn, Number)                                                                  \
    static void test(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        Number from[LINE * LINE], to[LINE * LINE];                                                 \
        for (int i = 0; i < LINE * LINE; i++)                                                      \
            from[i] = (Number)(i + 1);                                                             \
        for (int rows = 0; rows <= MOST; rows++)                                                   \
            for (int columns = 0; columns <= MOST; columns++) {                                    \
                const int from_line = columns + rows % 3, to_line = rows + columns % 4;            \
                memset(to, 0, sizeof to);                                                          \
                turn(rows, columns, from, from_line, to, to_line);                                 \
                int found = 0;                                                                     \
                for (int j = 0; j < columns; j++)                                                  \
                    for (int i = 0; i < rows; i++) {                                               \
                        const Number is = to[j * to_line + i], was = from[i * from_line + j];      \
                        assert_true(is >= was && is <= was);                                       \
                    }                                                                              \
                for (int i = 0; i < LINE * LINE; i++)                                              \
                    found += to[i] > 0;                                                            \
                assert_int_equal(found, rows * columns);                                           \
            }                                                                                      \
    }
TURNS(floats_are_turned, nn_turn_float, float)
TURNS(doubles_are_turned, nn_turn_double, double)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(floats_are_turned),
                                       cmocka_unit_test(doubles_are_turned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
