// test_memory.c: blocks are zero and apart, chunks lie on large pages, equal texts are kept once.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netc.h"

enum { LARGE_PAGE = 1 << 21, BLOCKS = 60, TEXTS = 5000 };

static bool all_are(const unsigned char *bytes, size_t count, int value)
{
    return bytes[0] == value && !memcmp(bytes, bytes + 1, count - 1);
}

// Sizes around those of a chunk's rest, of a chunk and of several.
static void blocks_are_zero_and_apart(void **state)
{
    (void)state;
    unsigned char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        sizes[i] = (size_t)(i * 7919 % 64) * LARGE_PAGE / 20 + (size_t)i + 1;
        blocks[i] = allocate(sizes[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        assert_true(all_are(blocks[i], sizes[i], 0));
        memset(blocks[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < BLOCKS; i++)
        assert_true(all_are(blocks[i], sizes[i], i + 1));
}

// Else the system could not give large ones, and the chunk would end behind its mapping.
static void chunks_begin_with_a_large_page(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        if (i % 2 == 0)
            memory_reset();
        assert_in_range((uintptr_t)allocate(LARGE_PAGE) % LARGE_PAGE, 1, 255);
    }
}

static void equal_texts_are_kept_once(void **state)
{
    (void)state;
    memory_reset();
    const char *kept[TEXTS];
    for (int i = 0; i < TEXTS; i++) {
        const char *const text = format("text %d", i);
        kept[i] = intern(text, strlen(text));
        assert_string_equal(kept[i], text);
    }
    for (int i = 0; i < TEXTS; i++) {
        const char *const text = format("text %d and more", i);
        assert_ptr_equal(intern(text, strlen(text) - strlen(" and more")), kept[i]);
        assert_ptr_not_equal(intern(text, strlen(text)), kept[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zero_and_apart),
        cmocka_unit_test(chunks_begin_with_a_large_page),
        cmocka_unit_test(equal_texts_are_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
