#!/usr/bin/env bash
# generated/ is what today's compiler emits, is emitted twice alike, and compiles without a warning.
. "$(dirname "$0")/lib.sh"

silent() { # COMMAND...: it succeeds without a word
    local said
    said=$("$@" 2>&1) && [ -z "$said" ] || printf 'status %d of: %s\n%s\n' $? "$*" "$(head -n 20 <<<"$said")"
}
# gcc warns of most only where it optimizes, and it is quick only with the registers that the C is
# made for; of vectors that a processor does not have it speaks at any level. clang warns as it
# parses, except of loops that it cannot unroll, which take it long: two nets are enough for those.
compiles() { # C-FILE LEVEL-OF-CLANG [option...]
    local c=$1 level=$2 object
    object=$(mktemp -p "$tmp")
    shift 2
    silent gcc -std=gnu11 $enduring "$@" -Wall -Wextra -Werror -Iruntime -march=x86-64-v4 -c -o "$object" "$c"
    silent gcc -std=gnu11 -O0 "$@" -Wall -Wextra -Werror -Iruntime -c -o "$object" "$c"
    silent clang -std=gnu11 "$level" -Wall -Wextra -Werror -Iruntime -c -o "$object" "$c"
    rm -f "$object"
}
is_fresh() { # MODEL NAME
    local c=$tmp/${2//\//-}.c
    silent "$NETC" emit "$1" --target x86-64-v4 -o "$c"
    cmp "$c" "generated/$2.c" || echo "generated/$2.c is stale: run 'make gen'"
}
short_lines() { # C-FILE
    awk 'length($0) > 120 { print FILENAME ":" FNR ": " $0 }' "$1"
}

while read -r model; do
    name=${model#models/}
    name=${name%.net}
    start "$name is what is emitted" is_fresh "$model" "$name"
    start "$name compiles" compiles "generated/$name.c" -O0 -fopenmp
    start "$name has no long lines" short_lines "generated/$name.c"
done < <(find models -name '*.net' | LC_ALL=C sort)
while read -r file; do
    name=${file#generated/}
    start "$file has a model" test -f "models/${name%.c}.net"
done < <(find generated -name '*.c')

# what no model has: branches, and chunks of a large batch that no weight's gradient sums over
cat >"$tmp/branches.net" <<'END'
input 28x28x1
conv 4 3x3 relu stride 3
residual { conv 4 3x3 pad same; batchnorm; dropout 10%; relu }
concat { conv 2 3x3 tanh pad same } { }
concat { dense 20 tanh } { avgpool 3; flatten }
residual { dense [30 74] relu }
dense 10 softmax
loss cross_entropy
END
branches() { # BATCH
    silent "$NETC" emit "$tmp/branches.net" --set batch="$1" --target x86-64-v4 -o "$tmp/branches-$1.c"
    compiles "$tmp/branches-$1.c" -O1
}
start 'branches, batch 8' branches 8
start 'branches, batch 3000' branches 3000

# gcc warned of the loop over the rest, which would leave the array
printf '%s\n' 'input 28x28x1' 'dense 144 tanh' 'dense 19 tanh' 'dense 10 softmax' \
    'loss cross_entropy' 'optimizer sgd' 'batch 1' >"$tmp/rest.net"
start 'a weight turned in squares that leave no rest, as built' silent "$NETC" build "$tmp/rest.net" -o "$tmp/rest"
# and of the last of joined values' gradients
printf '%s\n' 'input 28x28x1' 'conv 4 3x3' 'concat { flatten } { flatten' 'dense 5 }' \
    'dense 10 softmax' 'loss cross_entropy' 'optimizer sgd' 'batch 1' >"$tmp/joined.net"
start 'joined values, as built' silent "$NETC" build "$tmp/joined.net" -o "$tmp/joined"
# names that variables of a function have too
printf '%s\n' 'input 28x28x1' 'dense 16 relu as v' 'residual { dense 16 relu as rows; residual { dense 16 tanh } }' \
    'dense 10 softmax' 'loss cross_entropy' >"$tmp/named.net"
start 'layers named like variables' silent "$NETC" build "$tmp/named.net" -o "$tmp/named"
# weights of one network must not be taken for another's
fingerprint() { # STATEMENT
    printf '%s\n' 'input 28x28x1' 'dense 10 softmax' 'loss cross_entropy' "$1" >"$tmp/scaled.net"
    "$NETC" emit "$tmp/scaled.net" | grep '\.fingerprint ='
}
scales_differ() {
    same 'the same scale' "$(fingerprint 'scale 1')" "$(fingerprint 'scale 1')"
    [ "$(fingerprint '')" != "$(fingerprint 'scale 1')" ] || echo 'the scale is not in the fingerprint'
}
start 'fingerprints know the scale' scales_differ

# Weights of a program with tiles are read by one with BLAS.
of_gaps() { # --gemm
    "$NETC" emit "$tmp/gaps.net" --gemm "$1" | grep '\.fingerprint ='
}
cat >"$tmp/gaps.net" <<'END'
data mnist
input 28x28x1
conv 4 3x3 relu dilation 2
dense 10 softmax
loss cross_entropy
END
start 'fingerprints know no way of making a product' \
    same 'of gaps' "$(of_gaps tile)" "$(of_gaps blas)"
finish
