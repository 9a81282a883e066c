// test_break.c: where long lines of C are broken.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emit.h"

#define TEN "a_________"
#define THIRTY TEN TEN TEN

static const struct {
    int indent;
    const char *line, *expected;
} cases[] = {
    {4, "short(1); // as it is", "    short(1); // as it is"},
    // items below the first of their brackets, of outer ones before those of inner ones
    {0, "f(" THIRTY ", " THIRTY ", g(" THIRTY ", 1), 2);",
     "f(" THIRTY ", " THIRTY ",\n  g(" THIRTY ", 1), 2);"},
    {4, "for (int i = " THIRTY "; i < " THIRTY "; i += " THIRTY ") {",
     "    for (int i = " THIRTY "; i < " THIRTY ";\n         i += " THIRTY ") {"},
    // names below the first that is declared
    {4, "const int a = " THIRTY ", b = " THIRTY ", c = " THIRTY ";",
     "    const int a = " THIRTY ", b = " THIRTY ",\n              c = " THIRTY ";"},
    // behind the operator that binds least
    {0, "x += " THIRTY " * " THIRTY " + " THIRTY " * " THIRTY ";",
     "x += " THIRTY " * " THIRTY " +\n     " THIRTY " * " THIRTY ";"},
    {0, "if (" THIRTY " < 1 && " THIRTY " < 2 || " THIRTY " < " TEN ")",
     "if (" THIRTY " < 1 && " THIRTY " < 2 ||\n    " THIRTY " < " TEN ")"},
    // one of two values before : or before ?
    {0, "x = a > 0 ? " THIRTY " : b * " THIRTY " * " THIRTY ";",
     "x = a > 0 ? " THIRTY "\n          : b * " THIRTY " * " THIRTY ";"},
    {0, "x = " THIRTY " > 0 ? a : " THIRTY " * (" THIRTY " + 1);",
     "x = " THIRTY " > 0\n        ? a : " THIRTY " * (" THIRTY " + 1);"},
    {4, "c = " TEN TEN " > 1 ? 1 : " TEN TEN " < -1 ? -1 : " TEN TEN TEN ";",
     "    c = " TEN TEN " > 1 ? 1\n        : " TEN TEN " < -1 ? -1 : " TEN TEN TEN ";"},
    {4, "c = " THIRTY TEN " > 1 ? 1 : " THIRTY TEN " < -1 ? -1 : " THIRTY TEN ";",
     "    c = " THIRTY TEN " > 1 ? 1\n        : " THIRTY TEN " < -1 ? -1\n"
     "                                                        : " THIRTY TEN ";"},
    // behind a bracket or = where there is no room to the right of it
    {0, THIRTY TEN "(" THIRTY THIRTY ", 1);", THIRTY TEN "(\n    " THIRTY THIRTY ", 1);"},
    // or more lines would be needed
    {0, THIRTY TEN "[i] += 2 * (" THIRTY TEN "[i] - " TEN ");",
     THIRTY TEN "[i] +=\n    2 * (" THIRTY TEN "[i] - " TEN ");"},
    {0, "[" THIRTY TEN "] = {\"" THIRTY THIRTY "\", 1},",
     "[" THIRTY TEN "] =\n    {\"" THIRTY THIRTY "\", 1},"},
    // texts are cut last, between words, and not within escapes
    {0, "{\"" THIRTY THIRTY "\", \"" THIRTY TEN "\", 1},",
     "{\"" THIRTY THIRTY "\",\n \"" THIRTY TEN "\", 1},"},
    {0, "\"" THIRTY THIRTY THIRTY " word words\",",
     "\"" THIRTY THIRTY THIRTY " word \"\n\"words\","},
    {0, "\"" THIRTY THIRTY THIRTY "1234567\\0128\",",
     "\"" THIRTY THIRTY THIRTY "1234567\"\n\"\\0128\","},
    // a comment stays behind the last line, or stands above
    {0, "a = " THIRTY THIRTY ", b = " TEN TEN TEN "; // " TEN,
     "a = " THIRTY THIRTY ",\nb = " TEN TEN TEN "; // " TEN},
    {4, "char " THIRTY THIRTY "[1]; // " THIRTY TEN,
     "    // " THIRTY TEN "\n    char " THIRTY THIRTY "[1];"},
    // letters count, not bytes
    {0, "\"" THIRTY THIRTY THIRTY "ääääää\",", "\"" THIRTY THIRTY THIRTY "ääääää\","},
    {0, "#pragma omp simd reduction(+ : " THIRTY ", " THIRTY ", " TEN ")",
     "#pragma omp simd reduction(+ : " THIRTY ", " THIRTY ", \\\n"
     "                           " TEN ")"},
};

static void long_lines_are_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(broken(cases[i].indent, cases[i].line), cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(long_lines_are_broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
