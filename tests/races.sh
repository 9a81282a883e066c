#!/usr/bin/env bash
# Threads under gcc's ThreadSanitizer: no number is written by one while another reads it, in what
# is emitted as in the runtime, and each run ends.
. "$(dirname "$0")/lib.sh"

flags=(-std=gnu11 $quick -g1 -w -fopenmp -fsanitize=thread -fno-math-errno -fno-trapping-math
    -fno-strict-aliasing -march=native -Iruntime)
export TSAN_OPTIONS=halt_on_error=1

runtime_compiles() {
    find runtime -name '*.c' -print0 | xargs -0 -P "$JOBS" -I{} sh -c \
        'source=$1 && shift && exec "$@" -o "$0/$(basename "$source" .c).o" "$source"' \
        "$tmp" {} ${CC:-cc} "${flags[@]}" -c
}
check 'the runtime compiles' runtime_compiles

# What it cannot place in memory, on kernels that scatter it widely, it can without that.
plainly=()
echo 'int main(void) { return 0; }' >"$tmp/empty.c"
${CC:-cc} "${flags[@]}" -o "$tmp/empty" "$tmp/empty.c"
"$tmp/empty" 2>/dev/null || plainly=(setarch -R)

watched() { # NET BINARY [option of netc emit...]
    local net=$1 binary=$2
    shift 2
    "$NETC" emit "$net" -o "$binary.c" "$@" &&
        ${CC:-cc} "${flags[@]}" -o "$binary" "$binary.c" "$tmp"/*.o -lopenblas -lcjson -lpng -lz -lm
}
runs() { # COMMAND...
    local out
    out=$(timeout -s KILL 200 "${plainly[@]}" "$@" 2>&1) || {
        echo "status $? of: $*"
        head -n 40 <<<"$out"
    }
}

trains() { # NAME DATA: what lies between the steps too
    local base=$tmp/$1 run=$tmp/$1-run
    [ -x "$base" ] || watched "$tmp/$1.net" "$base" || return
    runs "$base" train --data "$2" --out "$run" --threads 3 --epochs 2
    runs "$base" train --data "$2" --out "$run" --threads 3 --epochs 3 --resume --json
    runs "$base" eval --data "$2" --out "$run" --threads 3
    runs "$base" predict 1 2 3 --data "$2" --out "$run" --threads 2
}
# The leader fails while the others may still read that it had not.
loses_its_test_data() { # NAME of a program that is made
    local base=$tmp/$1-lost process
    cp -r "$sample" "$base-data" || return
    timeout -s KILL 200 "${plainly[@]}" "$tmp/$1" train --data "$base-data" --out "$base-run" \
        --threads 3 --epochs 4 --quiet >"$base-said" 2>&1 &
    process=$!
    wait_for "$base-run/weights.safetensors"
    rm "$base-data"/t10k-images*
    wait $process
    same status 1 $?
    has_line 't10k-images-idx3-ubyte. is missing' <"$base-said" || head -n 40 "$base-said"
}
steps() { # NAME
    local base=$tmp/$1
    watched "$tmp/$1.net" "$base" || return
    runs "$base" bench --random --steps 6 --threads 3
}
blocks() { # NAME: of a long batch, and of one cut short; bench takes more steps than these four
    watched "$tmp/$1.net" "$tmp/$1-long" --set batch=1400 || return
    runs "$tmp/$1-long" train --data "$sample" --out "$tmp/$1-long-run" --threads 3 --epochs 2
}
checks_gradients() { # NAME
    watched "$tmp/$1.net" "$tmp/$1-f64" --precision f64 || return
    runs "$tmp/$1-f64" gradcheck --random --samples 2 --threads 3
}

cat >"$tmp/dense.net" <<'END'
data mnist
input 28x28x1
augment shift 2 px elastic 1 px
dense 40 relu
batchnorm
dropout 20%
dense 30 tanh
dense 10 softmax
loss cross_entropy
optimizer adam
schedule plateau patience 1 epochs factor 0.7 warmup 50 steps
ema 0.99
validation 300 samples
patience 1 epochs
batch 60
epochs 3
END
cat >"$tmp/layers.net" <<'END'
input 28x28x1
conv 6 5x5 relu stride 2
residual { conv 6 3x3 pad same; batchnorm; relu }
multiply { globalavgpool; dense 6 sigmoid }
concat { conv 5 3x3 tanh pad same } { depthwise 3x3 pad same; groupnorm 2 }
pool 2
layernorm
conv 8 3x3 relu
avgpool 2
flatten
dense [70 30] relu
dense 10 softmax
loss cross_entropy
optimizer rmsprop
clip norm 1
batch 40
END
# a limit goes by columns, the update before it by rows, of which a square matrix has as many
printf '%s\n' 'data mnist' 'input 28x28x1' 'dense 90 relu' 'dense 90 relu max_norm 0.5' 'dense 50 relu' 'dense 10 softmax' \
    'loss cross_entropy' 'optimizer adam' 'ema 0.99' 'batch 100' >"$tmp/hidden.net"
sed 's/adam/sgd/; s/batch .*/batch 1/; /ema/d' "$tmp/hidden.net" >"$tmp/single.net"

start 'a training with all that goes on between its steps' trains dense "$sample"
start 'convolutions, norms and branches' steps layers
check 'slices and panels compile' watched "$tmp/hidden.net" "$tmp/hidden"
start 'slices, panels and lists of zeros' trains hidden "$sample"
# who has whole slices begins a step before others have ended the one before
for threads in 2 4; do
    start "slices that are a thread's own, $threads threads" \
        runs "$tmp/hidden" train --data "$sample" --out "$tmp/hidden-$threads" --threads $threads --epochs 2
done
start 'test data that vanishes' loses_its_test_data hidden
start 'blocks of a long batch' blocks hidden
part_of_sample part 300 50
start 'a batch of one' trains single "$tmp/part"
start 'gradients in double' checks_gradients dense
finish
