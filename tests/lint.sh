#!/usr/bin/env bash
# lint.sh: of `make lint` what takes no time, and whether the fuzz target compiles, which test-long
# alone builds.
. "$(dirname "$0")/lib.sh"
check 'lines of code have 100 columns' make --no-print-directory columns
check 'the fuzz target compiles' clang -std=gnu11 -fsyntax-only -Wall -Wextra -Icompiler \
    -I"$(dirname "$NETC")/grammar" tests/fuzz/parse.c
finish
