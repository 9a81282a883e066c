#!/bin/bash
# zeros.sh: products of pictures that leave out zeros: the same weights, bit for bit, as those of all
# terms, for every way that a batch is cut; and the data sets for which zeros are looked for.
. "$(dirname "$0")/lib.sh"

network() { # FILE LAYERS BATCH [STATEMENT]
    cat >"$1" <<END
data mnist
input 28x28x1
$2
dense 10 softmax
loss cross_entropy
batch $3
epochs 1
$4
END
}

# Trained as emitted, where a data set without zeros would end the program, and with all terms.
same_bits() { # NAME TARGET LAYERS BATCH [STATEMENT]
    local base=$tmp/$1 threads
    network "$base.net" "$3" "$4" "${5-}"
    "$NETC" emit "$base.net" --target "$2" -o "$base.c" || return
    sed -i 's/if (batch->zeros)/if (zeros_left_out(batch->zeros))/
        s/^#include "nn.h"/&\
#include <stdlib.h>\
static bool zeros_left_out(bool zeros)\
{\
    if (getenv("ALL_TERMS"))\
        return false;\
    if (!zeros)\
        abort();\
    return true;\
}/' "$base.c"
    grep -q 'if (zeros_left_out' "$base.c" || echo 'nothing looks for zeros'
    compile "$base.c" "$base" || return
    ALL_TERMS=1 quietly "$base" train --data "$sample" --out "$base-all" --quiet --threads 2 || return
    for threads in 1 2 3; do
        quietly "$base" train --data "$sample" --out "$base-run" --quiet --threads $threads || return
        same_bytes "$base-run/weights.safetensors" "$base-all/weights.safetensors"
    done
    same 'the test' "$(ALL_TERMS=1 "$base" eval --data "$sample" --out "$base-all" --json)" \
        "$("$base" eval --data "$sample" --out "$base-run" --json)"
}

for target in x86-64-v2 x86-64-v3 x86-64-v4; do
    [ $target = x86-64-v4 ] && ! grep -q avx512dq /proc/cpuinfo && continue
    start "slices, panels, $target" same_bits "panels-$target" $target 'dense 300 relu' 100
    start "slices, lone columns, $target" same_bits "lone-$target" $target 'dense 50 relu' 100
    start "chunks, $target" same_bits "chunks-$target" $target 'dense 130 relu' 700
done
# two panels, an odd one, a last one that is wider, narrower or half a vector
for columns in 64 96 80 112 108 104; do
    start "panels of $columns columns" same_bits "columns-$columns" native "dense $columns relu" 53
done
start 'a batch of two' same_bits two native 'dense 67 tanh' 2
start 'a batch of 7, few columns' same_bits seven native 'dense 9 tanh' 7
start 'a last batch of one' same_bits rest native 'dense 33 tanh' 1499
start 'two layers read the pictures' \
    same_bits both native $'flatten\nconcat { dense 50 relu } { dense 40 tanh }' 50
start 'pictures that chance changes' same_bits changed native 'dense 40 relu' 50 'augment shift 2 px'
start 'a stored gradient' same_bits stored native 'dense 40 relu' 50 'clip norm 1'

# --- which data sets -----------------------------------------------------------------------------
"$python" - "$tmp" <<'END'
import os, sys
import numpy as np
draw = np.random.default_rng(5)
for name, zeros in (("many", 0.8), ("half", 0.5), ("few", 0.3), ("none", 0)):
    os.mkdir(f"{sys.argv[1]}/{name}")
    with open(f"{sys.argv[1]}/{name}/rows.csv", "w", encoding="utf-8") as file:
        for _ in range(40):
            x = np.where(draw.random(90) < zeros, 0, 0.1 + draw.random(90))
            file.write(",".join(f"{v:.4g}" for v in x) + f",{draw.integers(10)}\n")
END
sed 's/data mnist/data csv "rows.csv"/; s/28x28x1/90/; s/dense 300 relu/dense 40 relu/' "$tmp/panels-x86-64-v2.net" \
    >"$tmp/rows.net"
compile_trap() { # TARGET: what ends with 77 where it looks for zeros
    "$NETC" emit "$tmp/rows.net" --target "$1" -o "$tmp/rows.c" &&
        sed 's/if (batch->zeros)/if (batch->zeros) __builtin_exit(77); else if (0)/' "$tmp/rows.c" >"$tmp/trap.c" &&
        compile "$tmp/trap.c" "$tmp/trap"
}
looked_for() { # YES|NO FOLDER
    local found=NO status
    "$tmp/trap" train --data "$tmp/$2" --out "$tmp/trap-run" --quiet >/dev/null 2>&1
    status=$?
    [ $status -eq 77 ] && found=YES
    [ $status -eq 0 ] || [ $status -eq 77 ] || echo "status $status"
    same 'zeros are looked for' $1 $found
}
wait
compile_trap x86-64-v3 || exit
check 'four of five are 0' looked_for YES many
check 'half are 0, tiles of two rows' looked_for YES half
check 'three of ten are 0' looked_for NO few
check 'none is 0' looked_for NO none
if grep -q avx512dq /proc/cpuinfo; then
    compile_trap x86-64-v4 || exit
    check 'four of five are 0, tiles of four rows' looked_for YES many
    check 'half are 0, tiles of four rows' looked_for NO half
fi
finish
