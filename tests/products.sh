#!/usr/bin/env bash
# The generated tiles against OpenBLAS and against double precision: networks of random widths, for
# each processor that tiles are made for, trained alike end with the same weights but for rounding.
# The batch rarely divides the data, so that blocks are cut short.
set -u
. "$(dirname "$0")/lib.sh"

# A network whose products have odd sizes; $1 seeds them.
random_net() {
    awk -v seed="$1" 'function size(most) { return 1 + int(rand() * most) }
        BEGIN {
            srand(seed)
            print "data mnist\ninput 28x28x1"
            if (seed == 3) # fewer channels than a vector has lanes
                print "conv 6 5x5 relu pad same\npool 2\nconv 3 4x3 tanh stride 2x1\n" \
                    "conv 5 3x3 tanh pad same\nconv 1 3x2 tanh"
            else if (seed == 4) # spans: strides, paddings, few and many channels; two heights of tiles
                print "conv 12 3x3 tanh pad same\nconv 16 3x3 tanh pad same\nconv 37 5x4 tanh stride 2 pad same\n" \
                    "conv 18 2x3 tanh\nconv 6 4x4 tanh stride 1x2"
            else if (seed == 7) # transforms: a picture in parts, whole ones, several
                print "conv 32 3x3 tanh\nconv 32 3x3 tanh\nconv 48 3x3 tanh stride 2 pad same\n" \
                    "conv 32 3x3 tanh pad same\navgpool 2\nconv 64 3x3 tanh pad same\nconv 32 3x3 tanh"
            else if (seed == 8) # panels: the last one narrow, and such as come from far away
                print "conv 48 7x7 tanh stride 7\nconv 144 1x1 tanh\nconv 256 3x3 tanh pad same\nconv 200 1x1 tanh"
            else if (seed % 2)
                printf "conv %d %dx%d relu\npool 2\nconv %d %dx%d tanh pad same\n" \
                    "conv %d 3x3 tanh stride 2 pad same\n",
                    size(40), size(5), size(5), size(40), size(5), size(5), size(67)
            for (i = 0; i < 4 && seed != 8; i++)
                printf "dense %d tanh\n", size(67)
            print "dense 10 softmax\nloss cross_entropy\noptimizer sgd lr 0.05"
            printf "batch %d\n", (seed > 6 ? 7 : 1 + size(130)) # 5 are left: not all of a group
        }'
}

targets='x86-64-v3 x86-64-v2'
if grep -q avx512dq /proc/cpuinfo; then
    targets="x86-64-v4 $targets"
fi

compare() { # compare TILED REFERENCE: largest difference relative to the largest weight of a tensor
    /usr/bin/python3 - "$1" "$2" <<'PY'
import sys
import numpy
import files
a, b = (files.safetensors(path)[0] for path in sys.argv[1:])
assert a.keys() == b.keys() and len(a) > 4
worst = max(float(numpy.abs(a[n] - b[n]).max() / (numpy.abs(b[n]).max() + 1e-3)) for n in a)
moved = any(float(numpy.abs(a[n]).max()) > 0 for n in a if n.endswith("_b"))
sys.exit(0 if worst < 2e-4 and moved else f"largest relative difference {worst:.3g}, moved {moved}")
PY
}

part_of_sample few 600 50
part_of_sample fewer 250 50 # 5 are left, too
trained() { # NET BINARY [option of netc build...]: its weights lie in BINARY-out
    local data=few
    [ $whole ] || ! grep -q '^batch 7$' "$1" || data=fewer # 35 steps
    build "$@" && quietly "$2" train --data "$tmp/$data" --out "$2-out" --quiet
}
rows_of_block() { sed -nE 's/^enum \{ BATCH = .* ROWS = ([0-9]+),.*/\1/p' "$@"; } # [C-FILE]

# The network's convolutions but the first are by transforms, and their gradients.
by_transforms() { # SEED "COUNT KINDS" TARGETS
    local target c=$tmp/transforms-$1.c
    random_net "$1" >"${c%.c}.net" # one_seed writes the other one
    for target in $3; do
        "$NETC" emit "${c%.c}.net" --target $target -o "$c" || return
        grep -o ' transform_input_f[24](' "$c" >"${c%.c}.calls"
        same "transforms, $target" "$2" "$(grep -c . "${c%.c}.calls") $(sort -u "${c%.c}.calls" | grep -c .)"
    done
}

# The network's convolutions read their weights from panels, of which some are asked for early.
by_panels() { # SEED TARGETS
    local target c=$tmp/panels-$1.c
    random_net "$1" >"${c%.c}.net"
    for target in $2; do
        "$NETC" emit "${c%.c}.net" --target $target -o "$c" || return
        has_line -E ' convolve_panels_[0-9]+x[0-9]+_1x1x200x256\(' <"$c" || echo "no panels of 200x256, $target"
        has_line -E ' window_[0-9]+x[0-9]+_first\(' <"$c" || echo "nothing asked for early, $target"
    done
}

# Tiles are compiled as a user's where there are no flags, those of v2 and portable in long.sh alone.
one_seed() { # SEED CFLAGS TARGETS
    local seed=$1 cflags=$2 net=$tmp/$1.net target reference
    random_net "$seed" >"$net"
    NETC_CFLAGS=$quick trained "$net" "$tmp/$seed-blas" --gemm blas || return 1
    NETC_CFLAGS=${cflags:-$enduring} \
        trained "$net" "$tmp/$seed-f64" --precision f64 --target portable || return 1
    for target in $3; do
        [[ $whole || $target = x86-64-v[34] ]] || cflags=$quick
        NETC_CFLAGS=$cflags trained "$net" "$tmp/$seed-$target" --target $target || return 1
        for reference in "$tmp/$seed-blas-out" "$tmp/$seed-f64-out"; do
            compare "$tmp/$seed-$target-out/weights.safetensors" "$reference/weights.safetensors" ||
                { echo "$target, $reference"; cat "$net"; return 1; }
        done
    done
}

# A matrix so small that its gradient is a sum of blocks, in panels as a measurement may choose.
small_panels() { # TARGET
    local net=$tmp/small.net base=$tmp/small-$1 rows reference
    printf '%s\n' 'data mnist' 'input 28x28x1' 'dense 60 tanh' 'dense 41 tanh' 'dense 10 softmax' \
        'loss cross_entropy' 'optimizer sgd lr 0.05' 'batch 100' >"$net"
    rows=$("$NETC" emit "$net" --target "$1" | rows_of_block)
    printf "$1 f32 panels $rows %d %d = tile 4 2\n" 60 41 41 60 41 10 10 41 >"$base.tuned"
    "$NETC" emit "$net" --target "$1" --tuned "$base.tuned" -o "$base.c" || return
    awk '/^static void dense2_w_gradient/, /^}/' "$base.c" | has_line 'int at = j \* 60 + i' ||
        echo "the gradient of 60x41 is not summed in panels"
    local -x NETC_CFLAGS=$quick
    trained "$net" "$base" --target "$1" --tuned "$base.tuned" || return
    trained "$net" "$base-blas" --gemm blas || return
    trained "$net" "$base-f64" --precision f64 --target portable || return
    for reference in blas f64; do
        compare "$base-out/weights.safetensors" "$base-$reference-out/weights.safetensors"
    done
}

# Of each function of a product, its name, terms, how far rows of its first operand are apart,
# columns, how far rows of its result are apart, or of an outer product's second operand, and how
# many rows of an outer product it makes at most.
functions() { # C-FILE
    awk '/^static void (product|panels|outer|outer_panels)_[0-9]+(of[0-9]+)?x[0-9]+(of[0-9]+)?\(/ {
            name = $3; sub(/\(.*/, "", name)
            sizes = name; sub(/^[a-z_]*/, "", sizes); split(sizes, side, "x")
            if (split(side[1], terms, "of") == 1) terms[2] = terms[1]
            if (split(side[2], columns, "of") == 1) columns[2] = columns[1]
            most = terms[1]
        }
        /^        float x\[64\]/ { split($2, number, /[][]+/); most = number[3] }
        /^}/ && name {
            print name, terms[1], terms[2], columns[1], columns[2], most
            name = ""
        }' "$1"
}

# Every number from 1 to 67 as a width, so as terms, rows and columns, in an order of chance: each
# function that the tiles are put together in, called by itself.
each_product() { # TARGET BATCH
    local c=$tmp/widths-$1-$2.c table=$tmp/widths-$1-$2.table
    "$NETC" emit "$tmp/widths.net" --target "$1" --set batch="$2" -o "$c" || return
    # the same with all weights in panels, which are a large matrix's otherwise
    local panels=$tmp/panels-$1-$2.c rows
    rows=$(rows_of_block "$c")
    awk -v target="$1" -v rows=$rows '/^dense/ { if (before) for (turned = 0; turned < 2; turned++)
            printf "%s f32 panels %d %d %d = tile %d 2\n", target, rows, turned ? $2 : before,
                turned ? before : $2, target == "x86-64-v4" ? 13 : 6
        before = $2 }' "$tmp/widths.net" | sort -u >"$tmp/$1-$2.tuned"
    "$NETC" emit "$tmp/widths.net" --target "$1" --set batch="$2" --tuned "$tmp/$1-$2.tuned" \
        -o "$panels" || return
    functions "$panels" >"$tmp/$1-$2.functions"
    awk '/^(product|panels)/ { function_of[$2 "x" $4] = $1; lines[$2 "x" $4] = $3 " " $5 }
        /^dense/ { number++
            if (before) {
                backward = $2 "x" before
                split(lines[backward], line)
                printf "LAYOUTS(dense%d_w, %d, %d, %s, %s, %d, %d)\n", number, before, $2,
                    function_of[before "x" $2], function_of[backward], line[1], line[2]
            }
            before = $2 }' "$tmp/$1-$2.functions" "$tmp/widths.net" >"$tmp/$1-$2.layouts"
    awk '/^outer_panels/ && $2 <= 67 {
            printf "OUTER_PANELS(%s, %d, %d, %d, %d)\n", $1, $2, $4, $5, $6
        }' "$tmp/$1-$2.functions" >>"$tmp/$1-$2.layouts"
    same 'weights' 67 "$(grep -c ^LAYOUTS "$tmp/$1-$2.layouts")"
    same 'gradients in panels' "$(grep -cE '^LAYOUTS\(\w+, [0-9]+, [0-9]+, panels' "$tmp/$1-$2.layouts")" \
        "$(grep -c ^OUTER_PANELS "$tmp/$1-$2.layouts")"
    grep -q '^outer_panels.*of' "$tmp/$1-$2.functions" || echo 'no rows with gaps'
    [ "$(grep -c '^OUTER_PANELS' "$tmp/$1-$2.layouts")" -ge 30 ] || echo 'fewer than 30 in panels'
    grep -q '^DOTS(' "$panels" || echo 'no column lies by itself'
    run_products "$panels" "$tmp/$1-$2.layouts" "$1"
    functions "$c" | awk '/^product/ { printf "PRODUCT(%s, %d, %d, %d, %d)\n", $1, $2, $3, $4, $5 }
        /^outer_[0-9]/ && $2 <= 67 { printf "OUTER(%s, %d, %d, %d)\n", $1, $2, $4, $6 }' >"$table"
    [ "$(wc -l <"$table")" -gt 180 ] || echo "only $(wc -l <"$table") functions"
    run_products "$c" "$table" "$1"
}
# What the table does not call is not compiled, once nothing outside can see the model.
run_products() { # C-FILE TABLE LEVEL
    sed -i 's/^const NnModel nn_model = {/static const NnModel hidden_model = {/' "$1"
    ${CC:-cc} -std=gnu11 $quick -w -march="$3" -I"$lib" -Iruntime -DGENERATED="\"$1\"" \
        -DTABLE="\"$2\"" -o "${1%.c}" tests/products/tiles.c "$lib/libnn.a" -fopenmp -lcjson -lpng \
        -lz -lm &&
        "${1%.c}"
}

awk 'BEGIN {
    srand(1)
    for (i = 1; i <= 67; i++)
        width[i] = i
    for (i = 67; i > 1; i--) {
        j = 1 + int(rand() * i); k = width[i]; width[i] = width[j]; width[j] = k
    }
    print "data mnist\ninput 28x28x1"
    for (i = 1; i <= 67; i++)
        printf "dense %d tanh\n", width[i]
    print "dense 10 softmax\nloss cross_entropy\noptimizer sgd lr 0.05\nbatch 100"
}' >"$tmp/widths.net"
for target in ${targets%${whole:- x86-64-v2}}; do
    start "each product of $target" each_product "$target" 100
done
start 'each product of a long batch' each_product x86-64-v3 300
start 'gradients of small panels' small_panels x86-64-v3
start 'network 1' one_seed 1 '' "$targets portable"
if [ $whole ]; then
    start 'network 4' one_seed 4 '' "$targets"
else
    start 'network 4' one_seed 4 "$quick" "${targets% x86-64-v2}"
fi
for seed in 3 7 8 ${whole:+2 5 6}; do
    start "network $seed" one_seed $seed "$quick" "$targets"
done
start 'network 7 is by transforms' by_transforms 7 '13 2' "$targets"
start 'network 8 reads panels' by_panels 8 "$targets"
finish
