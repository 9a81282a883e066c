#!/usr/bin/env bash
# Runs every suite and adds up what they counted; ends with one line `N passed, N failed`.
#
# A suite is a program that ends with such a line of its own, or a cmocka group. One that ends
# without is a failure by itself.
set -u
cd "$(dirname "$0")/.."
export NETC=${NETC:-build/netc}
passed=0 failed=0 skipped=0

# add NAME OUTPUT: the counts of one suite
add() {
    local line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$2" | tail -n 1)
    if [ -n "$line" ]; then
        read -r p _ f _ s _ <<<"${line//,/ }"
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
        printf '%-28s %s  (%d s)\n' "$1" "$line" "$3"
        [ "$f" = 0 ] || grep -vE '^[0-9]+ passed, ' "$2"
    else
        failed=$((failed + 1))
        printf '%-28s ended without a count\n' "$1"
        tail -n 40 "$2"
    fi
}

# cmocka's last lines, in our words
cmocka_line() {
    awk '/\[  PASSED  \]/ { p += $4 } /\[  FAILED  \] [0-9]+ test/ { f += $4 }
         END { if (p + f) printf "%d passed, %d failed\n", p, f }' "$1"
}

output=$(mktemp)
trap 'rm -f "$output"' EXIT
for unit in build/tests/unit/test_*; do
    [ -x "$unit" ] && [ ! -d "$unit" ] || continue
    case $unit in *.d) continue ;; esac
    start=$SECONDS
    timeout 300 "$unit" >"$output" 2>&1 # threads that wait for each other wait for ever
    status=$?
    line=$(cmocka_line "$output")
    case $status:$line in
        0:?*" 0 failed" | [1-9]*:?*" "[1-9]*" failed") echo "$line" >>"$output" ;;
    esac
    add "${unit#build/tests/}" "$output" $((SECONDS - start))
done
for suite in tests/*.sh; do
    case $suite in tests/all.sh | tests/lib.sh | tests/long.sh) continue ;; esac
    start=$SECONDS
    timeout -k 10 1200 "$suite" >"$output" 2>&1 # several times what the longest takes
    status=$?
    if [ $status -ne 0 ] && grep -qE '^[0-9]+ passed, 0 failed' "$output"; then
        echo "exit status $status" >>"$output"
        sed -i '/ passed, /d' "$output"
    fi
    add "$suite" "$output" $((SECONDS - start))
done
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
