#!/bin/bash
# batches.sh: batches that do not divide the data: every picture is trained with and evaluated once,
# and the last, smaller batch of an epoch has a mean of its own. In double, against NumPy.
. "$(dirname "$0")/lib.sh"
export NETC_CFLAGS=$quick
compile_driver

# Three epochs; the driver says in which order the pictures come.
whole_epochs() { # NAME BATCH DATA PICTURES [RATE]
    local base=$tmp/$1 batch=$2 data=$3 count=$4 rate=${5-0.3} epoch
    cat >"$base.net" <<END
input 28x28x1
dense 20 tanh
dense 10 softmax
loss cross_entropy
optimizer sgd lr $rate
batch $batch
epochs 3
END
    build "$base.net" "$base" --precision f64 || return
    "$NETC" emit --precision f64 "$base.net" -o "$base.c" &&
        compile "$base.c" "$base-driver" "$driver" || return
    for epoch in 1 2 3; do
        "$base-driver" order "$count" 1 $epoch >"$base-order-$epoch"
    done
    [ "$count" -eq 1 ] || ! cmp -s "$base-order-1" "$base-order-2" || echo 'two epochs have the same order'
    # no step: the first weights; the binary itself starts from the same ones
    "$base-driver" steps "$data" 0 1 "$base.before" "$base.unused" "$base.outputs" || return
    quietly "$base" train --data "$data" --out "$base-run" --quiet --threads 2 || return
    "$python" tests/python/batches.py epochs "$base.before" "$base-run/weights.safetensors" "$data" \
        "$batch" $rate "$base-order-1" "$base-order-2" "$base-order-3" "$base-run/run.json"
    "$base" eval --data "$data" --out "$base-run" --json >"$base-eval" || return
    "$python" tests/python/batches.py evaluate "$base-run/weights.safetensors" "$data" "$base-eval" \
        "$base-run/run.json"
}

part_of_sample hundred 100 33
part_of_sample single 1 1

start '64 on 1500' whole_epochs by-64 64 "$sample" 1500
start '7 on 100' whole_epochs by-7 7 "$tmp/hundred" 100
start '1499 on 1500' whole_epochs by-1499 1499 "$sample" 1500
start '1500 on 1500' whole_epochs by-1500 1500 "$sample" 1500
start 'larger than the data: 2000 on 1500' whole_epochs by-2000 2000 "$sample" 1500
start 'larger than the data: 128 on 100' whole_epochs by-128 128 "$tmp/hundred" 100
start 'one at a time' whole_epochs by-1 1 "$tmp/hundred" 100 0.01
start 'a single picture' whole_epochs by-32 32 "$tmp/single" 1

# The last batch of an epoch ends in an earlier chunk; BLAS has a word to say of a negative size.
in_chunks() {
    local base=$tmp/chunks
    printf '%s\n' 'input 28x28x1' 'dense 20 tanh' 'dense 10 softmax' 'loss cross_entropy' 'batch 1100' \
        'epochs 1' >"$base.net"
    build "$base.net" "$base" --gemm blas || return
    "$base" train --data "$sample" --out "$base-run" --quiet 2>&1 | grep -i sgemm
    "$NETC" emit "$base.net" | has_line rows_of_chunk || echo 'no chunks'
}
start 'chunks behind the end of a batch' in_chunks

# --- validation takes the last pictures, and training those before them
validated() { # NAME STATEMENT TRAINING VALIDATION
    local base=$tmp/$1
    cat >"$base.net" <<END
input 28x28x1
dense 10 softmax
loss cross_entropy
batch 64
validation $2
END
    build "$base.net" "$base" && quietly "$base" train --data "$sample" --out "$base-run" --quiet || return
    same "$2" "$3 $4 $((($3 + 63) / 64))" "$("$python" -c '
import json, sys
run = json.load(open(sys.argv[1]))
print(run["configuration"]["training_pictures"], run["configuration"]["validation_pictures"],
      run["steps"])' "$base-run/run.json")"
}
start 'validation 10%' validated share 10% 1350 150
start 'validation 333 samples' validated count '333 samples' 1167 333
start 'validation 0.1%' validated least 0.1% 1498 2 # as Keras: int(1500 * 0.999) for training

# --- normalisation in a smaller batch: a mean and a variance of its own, over fewer pictures
smaller_batch_normalised() {
    local base=$tmp/norm
    cat >"$base.net" <<END
input 28x28x1
conv 4 3x3 stride 3
batchnorm momentum 0
relu
dense 10 softmax
loss cross_entropy
optimizer sgd lr 1e-30
batch 64
END
    build "$base.net" "$base" --precision f64 || return
    quietly "$base" train --data "$tmp/hundred" --out "$base-run" --quiet || return
    "$NETC" emit --precision f64 "$base.net" -o "$base.c" &&
        compile "$base.c" "$base-driver" "$driver" || return
    "$base-driver" order 100 1 1 >"$base-order"
    # momentum 0 keeps the last batch's: of the 36 pictures that 64 leave over
    "$python" - "$base-run/weights.safetensors" "$tmp/hundred" "$base-order" <<'END'
import sys
import numpy as np
import files
weights, data, order = sys.argv[1:]
t = files.safetensors(weights)[0]
rows = np.loadtxt(order, dtype=int)[64:]
x = files.data_set(data, "train")[0][rows] / 255.0
windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::3, ::3]
y = np.einsum("nhwrs,rsc->nhwc", windows, t["conv1_w"][:, :, 0]) + t["conv1_b"]
for name, expected in (("mean", y.mean((0, 1, 2))), ("variance", y.var((0, 1, 2)))):
    error = np.abs(expected - t[f"batchnorm1_{name}"]).max()
    if len(rows) != 36 or not error < 1e-12:
        print(f"{name} of the last {len(rows)} pictures: expected {expected}, "
              f"found {t[f'batchnorm1_{name}']}")
END
}
start 'batchnorm in the last, smaller batch' smaller_batch_normalised

finish
