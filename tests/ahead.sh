#!/bin/bash
# ahead.sh: batches of one row whose first layer works for several steps at once: whole epochs against
# the same network in double, which takes each step by itself; and every way to come to their end.
. "$(dirname "$0")/lib.sh"

network() { # NAME DATA INPUT LAYERS
    cat >"$tmp/$1.net" <<END
data $2
input $3
$4
dense 10 softmax
loss cross_entropy
optimizer sgd lr 0.02
batch 1
epochs 2
END
}

# Weights end as those in double but for the rounding, and as each other for any number of threads.
as_in_double() { # NAME DATA FOLDER INPUT LAYERS TARGET
    local base=$tmp/$1 target=$6 threads
    network "$1" "$2" "$4" "$5"
    "$NETC" emit "$base.net" --target "$target" -o "$base.c" || return
    grep -q 'nn_call(dense1_ahead,' "$base.c" || echo 'no work ahead'
    "$NETC" emit "$base.net" --precision f64 -o "$base-double.c" || return
    grep -q 'STEPS' "$base-double.c" && echo 'the double one works ahead too'
    [ "$target" = native ] || local -x NETC_CFLAGS=$quick
    build "$base.net" "$base" --target "$target" || return
    NETC_CFLAGS=$quick build "$base.net" "$base-double" --precision f64 || return
    quietly "$base-double" train --data "$3" --out "$base-in-double" --quiet || return
    for threads in 1 2 3; do
        quietly "$base" train --data "$3" --out "$base-$threads" --quiet --threads $threads || return
        cmp "$base-1/weights.safetensors" "$base-$threads/weights.safetensors"
    done
    "$python" - "$base-1" "$base-in-double" <<'END'
import json, sys
import numpy as np
from files import safetensors
single, double = sys.argv[1:]
a, b = (safetensors(f"{path}/weights.safetensors")[0] for path in (single, double))
for name in b:
    moved = np.abs(a[name].astype(np.float64) - b[name]).max()
    if not moved < 2e-5 * max(np.abs(b[name]).max(), 0.05):
        print(f"{name}: {moved} from that in double, whose largest is {np.abs(b[name]).max()}")
losses = [[epoch["loss"] for epoch in json.load(open(f"{path}/run.json"))["history"]]
          for path in (single, double)]
if not np.allclose(*losses, rtol=1e-5, atol=0):
    print("losses: expected", losses[1], "found", losses[0])
END
}

for count in 1 7 8 9 17 200; do
    part_of_sample of-$count $count 10
done
"$python" - "$tmp" <<'END'
import numpy as np, os, sys
draw = np.random.default_rng(3)
for width in (1003, 67):
    os.mkdir(f"{sys.argv[1]}/rows-{width}")
    with open(f"{sys.argv[1]}/rows-{width}/rows.csv", "w", encoding="utf-8") as file:
        for _ in range(53):
            x = np.where(draw.random(width) < 0.7, 0, draw.random(width) / 4)
            file.write(",".join(f"{v:.4g}" for v in x) + f",{draw.integers(10)}\n")
END

for target in ${whole:+x86-64-v2} x86-64-v3 native; do
    start "50 columns, $target" as_in_double "v50-$target" mnist "$tmp/of-200" 28x28x1 'dense 50 relu' $target
    start "strips of two widths, $target" \
        as_in_double "v600-$target" mnist "$tmp/of-17" 28x28x1 $'dense 600 relu\ndense 40 relu' $target
    start "inputs and columns that leave rests, $target" as_in_double "csv-$target" 'csv "rows.csv"' \
        "$tmp/rows-1003" 1003 'dense 37 tanh' $target
    start "more columns than inputs, $target" as_in_double "wide-$target" 'csv "rows.csv"' \
        "$tmp/rows-67" 67 'dense 331 relu' $target
done
for count in 1 7 8 9; do
    start "an epoch of $count" \
        as_in_double "epoch-$count" mnist "$tmp/of-$count" 28x28x1 'dense 16 sigmoid' native
done

# --- where a training stops and goes on ----------------------------------------------------------
network end mnist 28x28x1 'dense 50 relu'
build "$tmp/end.net" "$tmp/end" || exit

resumed() {
    local at
    quietly "$tmp/end" train --data "$tmp/of-17" --out "$tmp/whole" --quiet --epochs 3 || return
    quietly "$tmp/end" train --data "$tmp/of-17" --out "$tmp/parts" --quiet --epochs 1 || return
    for at in 2 3; do
        quietly "$tmp/end" train --data "$tmp/of-17" --out "$tmp/parts" --quiet --epochs $at --resume ||
            return
    done
    cmp "$tmp/whole/weights.safetensors" "$tmp/parts/weights.safetensors"
}
check 'each epoch resumed' resumed

# The first step that is not finite is the same as in a network whose steps are each by themselves.
not_finite() {
    local rate said blas
    network far mnist 28x28x1 'dense 50'
    build "$tmp/far.net" "$tmp/far" && build "$tmp/far.net" "$tmp/far-blas" --gemm blas || return
    for rate in 2 100 1e6; do
        said=$("$tmp/far" train --data "$tmp/of-200" --out "$tmp/run" --lr $rate 2>&1 >/dev/null)
        blas=$("$tmp/far-blas" train --data "$tmp/of-200" --out "$tmp/run" --lr $rate 2>&1 >/dev/null)
        case $said in
            *'the loss is not finite in epoch 1, step'*) ;;
            *) echo "expected a loss that is not finite, found: $said" ;;
        esac
        same 'the message' "${blas//far-blas/far}" "$said"
    done
}
check 'a loss that is not finite' not_finite

# What is timed together are whole rounds of steps.
benched() {
    "$tmp/end" bench --random --steps 64 --json >"$tmp/bench.json" || return
    "$python" - "$tmp/bench.json" <<'END'
import json, sys
run = json.load(open(sys.argv[1]))
if run["steps"] != 8:  # groups of 8
    print("expected 8 times, found", run["steps"])
names = [call["function"] for call in run["calls"]]
if "dense1_ahead" not in names:
    print("dense1_ahead is missing in", names)
END
}
check 'bench times eight steps together' benched

# --- the conditions ------------------------------------------------------------------------------
emitted() { # YES|NO SED-SCRIPT [option...]: of the network above, changed
    local wanted=$1 script=$2 found=NO base=$tmp/$BASHPID
    shift 2
    sed "$script" "$tmp/end.net" >"$base.net"
    "$NETC" emit "$base.net" -o "$base.c" "$@" || return
    grep -q 'nn_call(dense1_ahead,' "$base.c" && found=YES
    same 'work ahead' $wanted $found
}
start 'ahead: plain sgd' emitted YES ''
if grep -q avx512dq /proc/cpuinfo; then
    as_in_panel() {
        sed 's/dense 50 relu/dense 49 relu/' "$tmp/end.net" >"$tmp/panel.net"
        "$NETC" emit "$tmp/panel.net" --target x86-64-v4 -o "$tmp/panel.c" || return
        grep -q '784x49 in a panel of 784x48, 1 column of 784' "$tmp/panel.c" || echo 'no panel'
    }
    start 'ahead: a column by itself' as_in_panel
    start '49 columns, native' as_in_double v49 mnist "$tmp/of-17" 28x28x1 'dense 49 relu' native
fi
start 'ahead: another layer reads sums' emitted YES 's/dense 50 relu/dense 50; residual { dense 50 tanh }/'
start 'not ahead: a batch of two' emitted NO 's/batch 1/batch 2/'
start 'not ahead: momentum' emitted NO 's/lr 0.02/lr 0.02 momentum 0.9/'
start 'not ahead: adam' emitted NO 's/sgd lr 0.02/adam/'
start 'not ahead: a penalty' emitted NO 's/dense 50 relu/dense 50 relu l2 0.001/'
start 'not ahead: a limit of the norm' emitted NO 's/dense 50 relu/dense 50 relu max_norm 2/'
start 'not ahead: clipped gradients' emitted NO 's/epochs 2/clip value 1/'
start 'not ahead: the average of the weights' emitted NO 's/epochs 2/ema 0.99/'
start 'not ahead: standardized pictures' emitted NO 's/epochs 2/standardize/'
start 'not ahead: pictures that chance changes' emitted NO 's/epochs 2/augment shift 1 px/'
start 'not ahead: dropout before the layer' emitted NO 's/dense 50 relu/dropout 20%; dense 50 relu/'
start 'not ahead: two layers read the pictures' \
    emitted NO 's/dense 50 relu/flatten; concat { dense 50 relu } { dense 40 }/'
start 'not ahead: a convolution reads the pictures too' \
    emitted NO 's/dense 50 relu/concat { conv 4 3x3 stride 3; flatten } { dense 50 relu }/'
start 'not ahead: the first cache holds the weights' emitted NO 's/dense 50 relu/dense 10 relu/'
start 'not ahead: products by BLAS' emitted NO '' --gemm blas
start 'not ahead: the check of gradients' emitted NO '' --precision f64
finish
