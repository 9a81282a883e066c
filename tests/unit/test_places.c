// test_places.c: the lists of places.c against a plain loop, for rows of every rest and zeros in
// every density, by all vectors that the processor has.

#include "support.h"

#include <math.h>

#include "../../runtime/nn_random.h"
#include "../../runtime/places.c"

enum { MOST = 150 };

static const int vectors[] = {NO_VECTORS, VECTORS_OF_8, VECTORS_OF_16};

static bool is_here(int v) { return v < 3 && vectors[v] <= vectors_here(); }

// 0 and -0 with a chance of `zeros`; the rest are numbers of any size, infinities and NaN.
static double draw(uint64_t key, uint64_t *count, double zeros)
{
    const double kind = nn_unit(key, (*count)++), number = nn_unit(key, (*count)++) - 0.5;
    if (kind < zeros)
        return number < 0 ? -0.0 : 0.0;
    if (kind > 0.98)
        return number < 0 ? NAN : -INFINITY;
    return kind > 0.95 ? 1e-41 * number : number; // less than the least normal float
}

static void places_are_found(void **state)
{
    (void)state;
    const uint64_t key = nn_key(1, nn_stream("places"), 0);
    uint64_t drawn = 0;
    for (int count = 1; count < MOST; count++)
        for (int tenths = 0; tenths <= 10; tenths++) {
            float singles[MOST];
            double doubles[MOST];
            int32_t expected[1 + MOST], of_singles[1 + MOST], of_doubles[1 + MOST];
            int found = 0;
            for (int i = 0; i < count; i++) {
                doubles[i] = draw(key, &drawn, 0.1 * tenths);
                singles[i] = (float)doubles[i];
                if (singles[i] != 0)
                    expected[1 + found++] = i;
            }
            expected[0] = found;
            of_singles[1 + count] = of_doubles[1 + count] = -1; // behind the list
            nn_places_float(count, singles, of_singles);
            nn_places_double(count, doubles, of_doubles);
            const size_t bytes = (size_t)(1 + found) * sizeof *expected;
            assert_memory_equal(of_singles, expected, bytes);
            assert_memory_equal(of_doubles, expected, bytes);
            assert_int_equal(of_singles[1 + count], -1);
            assert_int_equal(of_doubles[1 + count], -1);
        }
}

// Where one of a few rows has a number, in a part of them.
static void places_of_rows_are_found(void **state)
{
    (void)state;
    enum { ROWS = 4 };
    const uint64_t key = nn_key(1, nn_stream("places of rows"), 0);
    uint64_t drawn = 0;
    for (int first = 0; first < 40; first++)
        for (int end = first; end < MOST; end += 7)
            for (int rows = 1; rows <= ROWS; rows++) {
                float x[ROWS][MOST];
                int32_t expected[1 + MOST], found[2 + MOST];
                int count = 0;
                for (int j = 0; j < MOST; j++) {
                    bool some = false;
                    for (int i = 0; i < rows; i++) {
                        x[i][j] = (float)draw(key, &drawn, 0.8);
                        some |= x[i][j] != 0;
                    }
                    if (j >= first && j < end && some)
                        expected[1 + count++] = j;
                }
                expected[0] = count;
                for (int v = 0; is_here(v); v++) {
                    memset(found, 0, sizeof found);
                    found[1 + end - first] = -1; // behind the list
                    places_of_rows(vectors[v], first, end, rows, x[0], MOST, found);
                    assert_memory_equal(found, expected, (size_t)(1 + count) * sizeof *expected);
                    assert_int_equal(found[1 + end - first], -1);
                }
            }
}

enum { PLACES = 50, LINE = 53, ROWS = 128 };

static void compare_rows_of_places(int v, int rows, int places, int group, float (*x)[LINE])
{
    static int32_t found[(PLACES + 1) * (ROWS + 1)];
    const int each = (rows + 7) / 8 * 8 + 1, lists = (places + group - 1) / group;
    memset(found, 0, sizeof found);
    found[lists * each] = -1; // behind the last list
    rows_of_places(vectors[v], rows, places, group, x[0], LINE, found, each);
    for (int k = 0; k < lists; k++) {
        const int32_t *const list = found + k * each;
        int32_t expected[1 + ROWS], count = 0;
        for (int i = 0; i < rows; i++)
            for (int j = k * group; j < places && j < (k + 1) * group; j++)
                if (x[i][j] != 0) {
                    expected[1 + count++] = i;
                    break;
                }
        expected[0] = count;
        assert_memory_equal(list, expected, (size_t)(1 + count) * sizeof *expected);
    }
    assert_int_equal(found[lists * each], -1);
}

// Which rows have a number among a few places side by side, for groups of every width.
static void rows_of_places_are_found(void **state)
{
    (void)state;
    const uint64_t key = nn_key(1, nn_stream("rows of places"), 0);
    uint64_t drawn = 0;
    for (int group = 1; group <= 16; group++)
        for (int places = 1; places <= PLACES; places += 1 + places / 20)
            for (int rows = 1; rows <= ROWS; rows += 1 + rows / 8) {
                static float x[ROWS][LINE];
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < LINE; j++)
                        x[i][j] = (float)draw(key, &drawn, j < places ? 0.9 : 0);
                for (int v = 0; is_here(v); v++)
                    compare_rows_of_places(v, rows, places, group, x);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_are_found),
                                       cmocka_unit_test(places_of_rows_are_found),
                                       cmocka_unit_test(rows_of_places_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
