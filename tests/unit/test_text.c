// test_text.c: printed texts of every length, whether or not a short piece holds them.

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netc.h"

enum { MOST = 600 };

static void printed_texts_are_whole(void **state)
{
    (void)state;
    char expected[MOST + 1];
    for (int length = 0; length <= MOST; length++) {
        memset(expected, 'x', (size_t)length);
        expected[length] = '\0';
        assert_string_equal(format("%s", expected), expected);
    }
}

static void added_texts_follow_each_other(void **state)
{
    (void)state;
    char piece[MOST + 1], expected[2 * MOST + 2];
    for (int length = 0; length <= MOST; length++) {
        memset(piece, 'y', (size_t)length);
        piece[length] = '\0';
        Text text = {0};
        text_add(&text, "%s", piece);
        text_add(&text, "%s%d", piece, length % 10);
        const int size = 2 * length + 1;
        memset(expected, 'y', (size_t)size);
        expected[size - 1] = (char)('0' + length % 10);
        expected[size] = '\0';
        assert_string_equal(text.text, expected);
        assert_int_equal(text.length, size);
    }
}

// A long text has room behind it, which a piece may just fill, or not.
static void pieces_fill_the_room_of_a_text(void **state)
{
    (void)state;
    char piece[2 * MOST + 1];
    memset(piece, 'z', sizeof piece);
    for (int length = 0; length <= 2 * MOST; length++) {
        Text text = {0};
        text_put(&text, piece, MOST);
        text_add(&text, "a");
        const size_t room = text.capacity - text.length;
        text_add(&text, "%.*s", length, piece);
        text_add(&text, "b");
        assert_true(room > 256 && room < 2 * MOST);
        assert_int_equal(text.length, MOST + length + 2);
        assert_int_equal(strlen(text.text), text.length);
        assert_int_equal(strspn(text.text, "z"), MOST);
        assert_int_equal(text.text[MOST], 'a');
        assert_int_equal(strspn(text.text + MOST + 1, "z"), length);
        assert_int_equal(text.text[MOST + 1 + length], 'b');
    }
}

// Simple formats are not printf's work, so they are compared with it.
static void simple_formats_are_as_printf_prints_them(void **state)
{
    (void)state;
    static const int numbers[] = {0, 1, 9, 10, 100, 1234567890, INT_MAX, -1, -10, INT_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (int length = 0; length <= 5; length++) {
            char expected[100];
            snprintf(expected, sizeof expected, "%d<%.*s>%d%s", numbers[i], length, "word",
                     -(numbers[i] / 2), "end");
            assert_string_equal(
                format("%d<%.*s>%d%s", numbers[i], length, "word", -(numbers[i] / 2), "end"),
                expected);
        }
    assert_string_equal(format("100%% of %5d, %s", 7, "x"), "100% of     7, x");
    assert_string_equal(format("%s", ""), "");
}

static void blanks_are_as_many_as_asked_for(void **state)
{
    (void)state;
    for (int count = 0; count <= 300; count++) {
        assert_int_equal(strlen(blanks(count)), count);
        assert_int_equal(strspn(blanks(count), " "), count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_texts_are_whole),
        cmocka_unit_test(added_texts_follow_each_other),
        cmocka_unit_test(pieces_fill_the_room_of_a_text),
        cmocka_unit_test(simple_formats_are_as_printf_prints_them),
        cmocka_unit_test(blanks_are_as_many_as_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
