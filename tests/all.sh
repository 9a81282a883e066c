#!/usr/bin/env bash
# Runs every suite, $JOBS at a time, and adds up what they counted; ends with one line
# `N passed, N failed`.
#
# A suite is a program that ends with such a line of its own, or a cmocka group. One that ends
# without, or with a status that belies it, is a failure by itself. Several suites that take one test
# at a time leave no processor idle, as one suite does where its tests need each other.
set -u
cd "$(dirname "$0")/.."
export NETC=${NETC:-build/netc}
JOBS=${JOBS:-3} # one more than processors of a small machine, as suites wait now and then
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
trap 'kill "${!suite_of[@]}" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
declare -A suite_of=() began=()

# counts OUTPUT: how many passed, failed and were skipped; nothing where it does not say so
counts() {
    awk '/^[0-9]+ passed, [0-9]+ failed/ { counted = 1; passed = $1; failed = $3; skipped = $5 }
         /\[  PASSED  \]/ { passed += $4 }
         /\[  FAILED  \] [0-9]+ test/ { failed += $4 }
         END { if (counted || passed + failed) print passed + 0, failed + 0, skipped + 0 }' "$1"
}

report() { # PID STATUS
    local name=${suite_of[$1]} seconds=$((SECONDS - began[$1])) p f s output
    output=$tmp/${name//\//-}
    read -r p f s < <(counts "$output")
    if [ -n "$p" ] && [ $(($2 == 0)) = $((f == 0)) ]; then
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        printf '%-28s %d passed, %d failed%s  (%d s)\n' "$name" "$p" "$f" \
            "$([ "$s" = 0 ] || echo ", $s skipped")" "$seconds"
        [ "$f$s" = 00 ] || grep -vE '^[0-9]+ passed, ' "$output"
    else
        failed=$((failed + 1))
        printf '%-28s ended without a count, exit status %d\n' "$name" "$2"
        tail -n 40 "$output"
    fi
}

await() { # COUNT: until no more suites than that run
    local pid status
    while [ ${#suite_of[@]} -gt "$1" ]; do
        wait -n -p pid "${!suite_of[@]}"
        status=$?
        report "$pid" $status
        unset "suite_of[$pid]"
    done
}

run() { # SECONDS PROGRAM: what takes longer is stopped, as threads wait for each other for ever
    await $((JOBS - 1))
    local name=${2#build/tests/}
    JOBS=1 timeout -k 10 "$1" "$2" >"$tmp/${name//\//-}" 2>&1 </dev/null &
    suite_of[$!]=$name began[$!]=$SECONDS
}

for unit in build/tests/unit/test_*; do
    case $unit in *.d) ;; *) [ ! -x "$unit" ] || [ -d "$unit" ] || run 300 "$unit" ;; esac
done
# The longest come first, lest one of them be left alone at the end.
longest=(parity products gradients generated determinism races tune lab learning)
for suite in "${longest[@]}"; do
    run 1200 "tests/$suite.sh"
done
for suite in tests/*.sh; do
    suite=${suite%.sh}
    case " all lib long ${longest[*]} " in *" ${suite#tests/} "*) ;; *) run 1200 "$suite.sh" ;; esac
done
await 0
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" = 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
