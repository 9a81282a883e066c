#!/usr/bin/env bash
# lint.sh: of `make lint` what takes no time, and that the fuzz target, which only test-long builds, is
# C of today.
. "$(dirname "$0")/lib.sh"
check 'lines of code have 100 columns' make --no-print-directory columns
check 'the fuzz target compiles' clang -std=gnu11 -fsyntax-only -Wall -Wextra -Icompiler \
    -I"$(dirname "$NETC")/grammar" tests/fuzz/parse.c
finish
