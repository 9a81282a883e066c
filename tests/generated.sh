#!/usr/bin/env bash
# generated/ is what today's compiler emits, is emitted twice alike, and compiles without a warning.
set -u
cd "$(dirname "$0")/.."
netc=${NETC:-build/netc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # check NAME COMMAND...: the command succeeds
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        head -n 20 "$work/out"
    fi
}

while read -r model; do
    name=${model#models/}
    name=${name%.net}
    "$netc" emit "$model" --target x86-64-v4 -o "$work/model.c" 2>"$work/err" || cat "$work/err"
    check "generated/$name.c is stale: run 'make gen'" cmp "$work/model.c" "generated/$name.c"
    for cc in gcc clang; do
        flags=
        [ $cc = gcc ] && flags=-fopenmp
        check "$name with $cc" $cc -std=gnu11 -O1 $flags -Wall -Wextra -Werror -Iruntime -c \
            -o "$work/model.o" "generated/$name.c"
    done
    check "lines of generated/$name.c" awk 'length($0) > 120 { print FNR ": " $0; bad = 1 } END { exit bad }' \
        "generated/$name.c"
done < <(find models -name '*.net' | LC_ALL=C sort)
# what no model has: branches, and chunks of a large batch that no weight's gradient sums over
cat >"$work/branches.net" <<'END'
input 28x28x1
conv 4 3x3 relu stride 3
residual { conv 4 3x3 pad same; batchnorm; dropout 10%; relu }
concat { conv 2 3x3 tanh pad same } { }
concat { dense 20 tanh } { avgpool 3; flatten }
residual { dense [30 74] relu }
dense 10 softmax
loss cross_entropy
END
for batch in 8 3000; do
    check "branches, batch $batch, are emitted" "$netc" emit "$work/branches.net" --set batch=$batch -o "$work/model.c"
    for cc in gcc clang; do
        check "branches, batch $batch, with $cc" $cc -std=gnu11 -O1 -Wall -Wextra -Werror -Iruntime -c \
            -o "$work/model.o" "$work/model.c"
    done
done
# A weight turned in squares that leave no rest, as a program is built: gcc warned of the loop over
# the rest, which would leave the array.
printf '%s\n' 'input 28x28x1' 'dense 144 tanh' 'dense 19 tanh' 'dense 10 softmax' \
    'loss cross_entropy' 'optimizer sgd' 'batch 1' >"$work/rest.net"
silent() { local said; said=$("$@" 2>&1) && [ -z "$said" ]; }
check 'a weight without a rest builds without a word' silent "$netc" build "$work/rest.net" -o "$work/rest"
# It also warned of the last of joined values' gradients.
printf '%s\n' 'input 28x28x1' 'conv 4 3x3' 'concat { flatten } { flatten' 'dense 5 }' \
    'dense 10 softmax' 'loss cross_entropy' 'optimizer sgd' 'batch 1' >"$work/joined.net"
check 'joined values build without a word' silent "$netc" build "$work/joined.net" -o "$work/joined"
while read -r file; do
    name=${file#generated/}
    check "$file has no model" test -f "models/${name%.c}.net"
done < <(find generated -name '*.c')
echo "$passed passed, $failed failed"
[ $failed = 0 ]
