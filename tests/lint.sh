#!/usr/bin/env bash
# lint.sh: what needs no compiler of `make lint`.
. "$(dirname "$0")/lib.sh"
check 'lines of code have 100 columns' make --no-print-directory columns
finish
