// test_myers.c: edit scripts of random sequences: applied to a they make b, and none is shorter.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diff.h"

enum { MOST = 60 };

static const char *const letters[] = {"a", "b", "c", "d", "e", "f"};

typedef struct {
    const char *a[MOST], *b[MOST];
    int n, m;
} Pair;

static uint32_t state_of_random = 1;

static int below(int bound) // Marsaglia's xorshift
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 17;
    state_of_random ^= state_of_random << 5;
    return (int)(state_of_random % (uint32_t)bound);
}

// The length of a longest common subsequence, by dynamic programming.
static int common_length(const Pair *p)
{
    int length[MOST + 1][MOST + 1] = {{0}};
    for (int i = 1; i <= p->n; i++)
        for (int j = 1; j <= p->m; j++) {
            const int left = length[i][j - 1], above = length[i - 1][j];
            length[i][j] = p->a[i - 1] == p->b[j - 1] ? length[i - 1][j - 1] + 1
                           : left > above             ? left
                                                      : above;
        }
    return length[p->n][p->m];
}

// What the script keeps of both sides must be the same sequence: then to remove and to add by it
// makes b of a. The result is that sequence's length.
static int kept_length(const Pair *p, const bool *removed, const bool *added)
{
    int kept = 0, j = 0;
    for (int i = 0; i < p->n; i++) {
        if (removed[i])
            continue;
        while (j < p->m && added[j])
            j++;
        assert_true(j < p->m);
        assert_ptr_equal(p->a[i], p->b[j]);
        j++;
        kept++;
    }
    for (; j < p->m; j++)
        assert_true(added[j]);
    return kept;
}

static void check_pair(const Pair *p)
{
    bool removed[MOST] = {false}, added[MOST] = {false};
    edit_script(p->a, p->n, p->b, p->m, removed, added);
    assert_int_equal(kept_length(p, removed, added), common_length(p));
}

static void random_sequences(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        Pair p = {.n = below(MOST + 1), .m = below(MOST + 1)};
        const int kinds = 1 + below(6);
        for (int i = 0; i < p.n; i++)
            p.a[i] = letters[below(kinds)];
        for (int j = 0; j < p.m; j++)
            p.b[j] = letters[below(kinds)];
        check_pair(&p);
        if (round % 1000 == 0)
            memory_reset();
    }
}

// Few edits, as between two networks.
static void sequences_with_few_edits(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        Pair p = {.n = below(MOST - 4)};
        for (int i = 0; i < p.n; i++)
            p.a[i] = letters[below(6)];
        for (int i = 0; i < p.n; i++) {
            const int edit = below(12);
            if (edit != 0)
                p.b[p.m++] = edit == 1 ? letters[below(6)] : p.a[i];
            if (edit == 2 && p.m + p.n - i < MOST)
                p.b[p.m++] = letters[below(6)];
        }
        check_pair(&p);
        if (round % 1000 == 0)
            memory_reset();
    }
}

static void empty_and_equal_and_unlike(void **state)
{
    (void)state;
    check_pair(&(Pair){.n = 0, .m = 0});
    check_pair(&(Pair){.a = {"a"}, .n = 1, .m = 0});
    check_pair(&(Pair){.b = {letters[0], letters[1]}, .n = 0, .m = 2});
    check_pair(&(Pair){.a = {letters[0], letters[1]}, .n = 2, .b = {letters[2]}, .m = 1});
    Pair same = {.n = MOST, .m = MOST};
    for (int i = 0; i < MOST; i++)
        same.a[i] = same.b[i] = letters[i % 6];
    check_pair(&same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_and_equal_and_unlike),
        cmocka_unit_test(random_sequences),
        cmocka_unit_test(sequences_with_few_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
