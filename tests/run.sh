#!/bin/bash
# Golden tests: tests/*/NAME.net with a sibling that says by its suffix what is run and compared.
#
#   NAME.err      netc check fails, and this is what it prints
#   NAME.warn     netc check succeeds, and this is what it prints to standard error
#   NAME.explain  netc check --explain
#   NAME.params   netc params
#   NAME.ast      netc emit --dump ast, whatever the later passes think of it
#   NAME.PASS     netc emit --dump PASS: lower, grad, fuse, schedule or plan
#   NAME.c        netc emit
#   NAME.out      of NAME.cmd, a shell command: all it prints, and its exit status
#
# More arguments stand in a first line `# args: -D width=50`. A new test is the .net and an empty
# file of that suffix, then --bless; the diff that git shows is the review.
#
# usage: tests/run.sh [--bless] [PATH-PREFIX...]
set -u
cd "$(dirname "$0")/.." || exit 2
export NETC=${NETC:-build/netc} LC_ALL=C.UTF-8
export TMP=build/tests # for .cmd
[ -x "$NETC" ] || { echo "tests/run.sh: no $NETC; run make first" >&2; exit 2; }
mkdir -p "$TMP"

bless=
if [ "${1-}" = --bless ]; then
    bless=yes
    shift
fi
passed=0 failed=0

fail() { # NAME TEXT
    printf 'FAIL %s\n%s\n' "$1" "$2"
    failed=$((failed + 1))
}

# Runs one test: prints what is compared; the result is the exit status, 0 where any will do.
run() { # SUFFIX INPUT
    local args=()
    local first
    IFS= read -r first <"$2"
    case $first in '# args: '*) eval "args=(${first#'# args: '})" ;; esac
    local netc=(timeout 10 "$NETC")
    case $1 in
    err | warn) "${netc[@]}" check "${args[@]}" "$2" 2>&1 >"$TMP/stdout" ;;
    explain) "${netc[@]}" check --explain "${args[@]}" "$2" 2>/dev/null ;;
    params) "${netc[@]}" params "${args[@]}" "$2" 2>/dev/null ;;
    ast) "${netc[@]}" emit --dump ast "${args[@]}" "$2" 2>/dev/null || [ $? -le 1 ] ;;
    lower | grad | fuse | schedule | plan)
        "${netc[@]}" emit --dump "$1" "${args[@]}" "$2" 2>/dev/null ;;
    c) "${netc[@]}" emit "${args[@]}" "$2" 2>/dev/null ;;
    out) timeout 60 bash "$2" 2>&1; echo "exit $?" ;;
    esac
}

check() { # GOLDEN INPUT
    local suffix=${1##*.} wanted=0 status difference
    [ "$suffix" = err ] && wanted=1
    run "$suffix" "$2" >"$TMP/got" 2>"$TMP/runner-errors"
    status=$?
    if [ $status -ne $wanted ]; then
        fail "$1" "exit status $status, not $wanted
$(cat "$TMP/got")"
    elif [ $bless ]; then
        cmp -s "$TMP/got" "$1" || cp "$TMP/got" "$1"
        passed=$((passed + 1))
    elif difference=$(diff -u "$1" "$TMP/got"); then
        passed=$((passed + 1))
    else
        fail "$1" "$difference"
    fi
}

is_wanted() { # INPUT PREFIX...
    local input=$1 prefix
    shift
    for prefix in "${@:-tests/}"; do
        [[ $input == "$prefix"* ]] && return
    done
    return 1
}

shopt -s nullglob
for input in tests/*/*.net tests/*/*.cmd; do
    name=${input%.*} goldens=0
    is_wanted "$input" "$@" || continue
    suffixes='err warn explain params ast lower grad fuse schedule plan c'
    [ "${input##*.}" = cmd ] && suffixes=out
    for suffix in $suffixes; do
        [ -f "$name.$suffix" ] || continue
        goldens=$((goldens + 1))
        check "$name.$suffix" "$input"
    done
    [ $goldens -gt 0 ] || fail "$input" "has no golden beside it"
done

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
