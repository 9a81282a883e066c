#!/bin/bash
# rewrites.sh: the conditions of the rewrites that decide where weights and gradients lie: each holds
# in a plain network, and fails with what it excludes.
. "$(dirname "$0")/lib.sh"

network() { # BATCH LAYERS OPTIMIZER [STATEMENT...]
    printf 'data mnist\ninput 28x28x1\n%s\ndense 10 softmax\nloss cross_entropy\noptimizer %s\nbatch %s\n' \
        "$2" "$3" "$1"
    shift 3
    [ $# -eq 0 ] || printf '%s\n' "$@"
}
emitted() { # YES|NO PATTERN [option of emit... --] NETWORK...: the C of that network has such a line
    local wanted=$1 pattern=$2 found=NO options=()
    shift 2
    while [[ $1 == --* ]]; do
        options+=("$1" "$2")
        shift 2
    done
    network "$@" >"$tmp/$BASHPID.net"
    "$NETC" emit "${options[@]}" "$tmp/$BASHPID.net" -o "$tmp/$BASHPID.c" || return
    grep -qE "$pattern" "$tmp/$BASHPID.c" && found=YES
    same "a line like '$pattern'" $wanted $found
}
two=$'dense 300 relu\ndense 100 relu'

slices='nn_call\(dense1_slice,'
start 'slices: a dense first layer' emitted YES "$slices" 100 "$two" adam
start 'slices: a batch of two' emitted YES "$slices" 2 "$two" adam
start 'no slices: a batch of one' emitted NO "$slices" 1 "$two" adam
start 'no slices: a batch in chunks' emitted NO "$slices" 2000 "$two" adam
start 'no slices: pictures that chance changes' emitted NO "$slices" 100 "$two" adam 'augment shift 1 px'
start 'no slices: standardized pictures' emitted NO "$slices" 100 "$two" adam standardize
start 'no slices: another reader of the pictures' \
    emitted NO "$slices" 100 $'flatten\nconcat { dense 50 } { dense 40 }' adam
start 'no slices: a layer before' emitted NO "$slices" 100 $'crop 1\ndense 300 relu' adam
start 'no slices: a layer too small to be cut' emitted NO "$slices" 100 'dense 9' adam
start 'no slices: parts that cross them' emitted NO "$slices" 100 'dense 16' adam
start 'no slices: parts that cross them, of many columns' emitted NO "$slices" 100 'dense 1000' adam
start 'chunks: a large batch' emitted YES '\[CHUNK\]' 2000 $'conv 3 3x3 stride 3\nrelu' adam
start 'no chunks: statistics of the batch' emitted NO '\[CHUNK\]' 2000 $'conv 3 3x3 stride 3\nbatchnorm' adam
start 'no slices: a convolution first' emitted NO _slice, 100 $'conv 4 3x3\ndense 300' adam

early='if \(!nn_own_slices\(\)\)'
start 'two barriers: a step begins with slices' emitted YES "$early" 100 "$two" adam
start 'two barriers: averages of the weights' \
    emitted YES "$early" 100 $'dense 300 relu\nbatchnorm\ndense 100 relu' adam 'ema 0.99'
start 'three barriers: a penalty of the first layer' emitted NO "$early" 100 'dense 300 relu l2 0.001' adam
start 'three barriers: a limit of its norm' emitted NO "$early" 100 'dense 300 relu max_norm 2' adam
start 'no early beginning: blocks of rows come first' emitted NO "$early" 100 $'crop 1\ndense 300 relu' adam
start 'no early beginning: a batch in chunks' emitted NO "$early" 2000 "$two" adam

skips='panels_196x300_onto_skipping\(batch'
start 'zeros skipped: a dense first layer' emitted YES "$skips" 100 "$two" adam
start 'zeros skipped: from 65 % on by tiles of four rows' \
    emitted YES 'enough_zeros = 0.65,' --target x86-64-v4 100 "$two" adam
start 'zeros skipped: from 45 % on by tiles of two rows' \
    emitted YES 'enough_zeros = 0.45,' --target x86-64-v3 100 "$two" adam
start 'zeros skipped: and its gradient' emitted YES 'outer_panels_196x300.*_skipping\(from' 100 "$two" adam
start 'zeros skipped: a batch in chunks' \
    emitted YES '_skipping\(rows, x, w, y\)' --target x86-64-v4 2000 "$two" adam
start 'zeros skipped: pictures that chance changes' \
    emitted YES '_skipping\(rows, x, w, y\)' 100 "$two" adam 'augment shift 1 px'
start 'zeros skipped: two layers read the pictures' \
    emitted YES '_skipping\(rows, x, w, y\)' 100 $'flatten\nconcat { dense 50 } { dense 40 }' adam
start 'no zeros skipped: hidden layers' emitted NO '300x100(of[0-9]+)?_skipping' 100 "$two" adam
start 'no zeros skipped: standardized pictures' emitted NO _skipping 100 "$two" adam standardize
start 'no zeros skipped: dropout of the pictures' \
    emitted NO 'skipping\(batch' 100 $'dropout 20%\ndense 300 relu' adam
start 'no zeros skipped: products by BLAS' emitted NO _skipping --gemm blas 100 "$two" adam
# in inference, where the layer is not cut
looks='dense1_infer\(const NnBatch'
start 'zeros skipped: a tile as measured' emitted YES "$looks" --target x86-64-v3 \
    --product 'x86-64-v3 f32 product 25 784 12 = tile 2 2' 100 'dense 12' adam
start 'no zeros skipped: BLAS as measured' emitted NO "$looks" --target x86-64-v3 \
    --product 'x86-64-v3 f32 product 25 784 12 = blas' 100 'dense 12' adam
start 'no zeros skipped: the check of gradients' emitted NO _skipping --precision f64 100 "$two" adam

transforms='winograd_f[24]_[0-9]+x32x64\(' deep=$'conv 32 3x3\nconv 64 3x3'
start 'transforms: windows of 3x3' emitted YES "$transforms" 100 "$deep" adam
start 'transforms: the gradient by the picture' \
    emitted YES 'winograd_f[24]_[0-9]+x64x32\(' 100 "$deep" adam
start 'transforms: the gradient by the weights' \
    emitted YES 'winograd_weights_f[24]_[0-9]+x32x64\(' 100 "$deep" adam
start 'transforms: padding' emitted YES "$transforms" 100 "$deep pad same" adam
start 'transforms: inference reads the same weights' \
    emitted NO 'conv2_infer' 100 "$deep" adam 'ema 0.9'
alone() { # a network without a loss makes them when its weights are read
    printf '%s\n' 'input 28x28x1' 'conv 32 3x3' 'conv 64 3x3' >"$tmp/alone.net"
    "$NETC" emit "$tmp/alone.net" -o "$tmp/alone.c" 2>/dev/null || return
    same 'calls' "1 1" "$(grep -c 'conv2_w_transform(part, ' "$tmp/alone.c") $(sed -n '/^static void prepare/,/^}/p' \
        "$tmp/alone.c" | grep -c 'conv2_w_transform(part, ')"
}
start 'transforms: inference alone' alone
start 'transforms: squares of 4x4' emitted YES 'winograd_f4_[0-9]+x32x64\(' 100 "$deep" adam
start 'transforms: of 2x2 where much of 4x4 is beside the picture' \
    emitted YES 'winograd_f2_[0-9]+x32x64\(' --target x86-64-v3 100 \
    $'conv 32 10x10 stride 2\nconv 64 3x3 pad same' adam
start 'transforms: of 2x2 where sums of 4x4 are too many' \
    emitted YES 'winograd_weights_f2_[0-9]+x256x512\(' 100 \
    $'conv 256 4x4 stride 4\nconv 512 3x3 pad same' adam
start 'no transforms: few channels' \
    emitted NO winograd --target x86-64-v3 100 $'conv 8 3x3\nconv 16 3x3' adam
start 'no transforms: channels that fill no vector' \
    emitted NO winograd 100 $'conv 36 3x3\nconv 66 3x3' adam
start 'no transforms: other windows' emitted NO winograd 100 $'conv 32 3x3\nconv 64 3x4' adam
start 'no transforms: a stride' emitted NO winograd 100 "$deep stride 1x2" adam
start 'no transforms: gaps' emitted NO winograd 100 "$deep dilation 2" adam
start 'no transforms: groups' emitted NO winograd 100 "$deep groups 2" adam
start 'no transforms: --conv direct' emitted NO winograd --conv direct 100 "$deep" adam
start 'no transforms: products by BLAS' emitted NO winograd --gemm blas 100 "$deep" adam
start 'no transforms: windows as measured' emitted NO "$transforms" --target x86-64-v3 \
    --product 'x86-64-v3 f32 convolution 24 24 3 3 32 64 1 = windows' 100 "$deep" adam
start 'transforms: as measured' emitted YES 'winograd_f2_[0-9]+x8x16\(' --target x86-64-v3 \
    --product 'x86-64-v3 f32 convolution 24 24 3 3 8 16 1 = winograd2' 100 $'conv 8 3x3\nconv 16 3x3' adam
start 'transforms: of 4x4 as measured' emitted YES 'winograd_f4_[0-9]+x8x16\(' --target x86-64-v3 \
    --product 'x86-64-v3 f32 convolution 24 24 3 3 8 16 1 = winograd4' 100 $'conv 8 3x3\nconv 16 3x3' adam

panels='convolve_panels_[0-9]+x[0-9]+_1x1x64x128\(' pixels=$'conv 64 4x4 stride 4\nconv 128 1x1'
start 'windows in panels: a large matrix' emitted YES "$panels" --target x86-64-v3 100 "$pixels" adam
start 'windows in panels: the gradient by the picture' emitted YES \
    'convolve_panels_[0-9]+x[0-9]+_1x1x128x64\(' --target x86-64-v3 100 "$pixels" adam
start 'windows in panels: inference reads the same weights' \
    emitted NO 'conv2_infer' --target x86-64-v3 100 "$pixels" adam 'ema 0.9'
alone_in_panels() { # as above
    printf '%s\n' 'input 28x28x1' 'conv 64 4x4 stride 4' 'conv 128 1x1' >"$tmp/alone.net"
    "$NETC" emit --target x86-64-v3 "$tmp/alone.net" -o "$tmp/alone.c" 2>/dev/null || return
    same 'calls' "1 1" "$(grep -c 'conv2_w_lay_out(part, ' "$tmp/alone.c") $(sed -n '/^static void prepare/,/^}/p' \
        "$tmp/alone.c" | grep -c 'conv2_w_lay_out(part, ')"
}
start 'windows in panels: inference alone' alone_in_panels
start 'no windows in panels: a small matrix' \
    emitted NO convolve_panels --target x86-64-v3 100 $'conv 32 4x4 stride 4\nconv 128 1x1' adam
start 'no windows in panels: a single strip' \
    emitted NO convolve_panels --target x86-64-v3 100 $'conv 64 4x4 stride 4\nconv 16 5x5' adam
start 'no windows in panels: filters that fill no vector' emitted NO \
    'convolve_panels_[0-9]+x[0-9]+_1x1x64x130' --target x86-64-v3 100 $'conv 64 4x4 stride 4\nconv 130 1x1' adam
start 'no windows in panels: groups' emitted NO \
    convolve_panels --target x86-64-v3 100 $'conv 64 4x4 stride 4\nconv 256 3x3 groups 2 pad same' adam
start 'no windows in panels: products by BLAS' \
    emitted NO convolve_panels --gemm blas 100 "$pixels" adam
start 'single pixels: some at a time' emitted YES 'for \(int at = 0; at < 784; at \+= 56, x \+= ' \
    --target x86-64-v3 100 $'conv 32 3x3 pad same\nconv 24 1x1' adam
start 'single pixels: all where their number has no divisor' emitted NO 'int at = 0; at < 169' \
    --target x86-64-v3 100 $'conv 32 4x4 stride 2\nconv 24 1x1' adam

partial='nn_call\(dense2_w_partial, rows, BLOCK\('
start 'a gradient by blocks: a last layer' emitted YES "$partial" 100 'dense 300 relu' adam
start 'a gradient by blocks: clipped by the norm of all' \
    emitted YES "$partial" 100 'dense 300 relu' adam 'clip norm 1'
start 'no gradient by blocks: a large matrix' emitted NO "$partial" 100 "$two" adam
start 'no gradient by blocks: a batch of one block' emitted NO "$partial" 8 'dense 300 relu' adam
start 'no gradient by blocks: a batch in chunks' emitted NO "$partial" 2000 'dense 300 relu' adam
start 'no gradient by blocks: pictures' emitted NO 'dense1_w_partial' 100 'dense 5 relu' adam

piece='float d_dense1_w\[[0-9]+\]; // of this part'
start 'a gradient in its task' emitted YES "$piece" 100 "$two" adam
start 'a gradient with a penalty in its task' \
    emitted YES "$piece" 100 $'dense 300 relu l2 0.001 l1 0.0001' sgd 'clip value 1'
start 'a stored gradient: clipped by the norm of all' emitted NO "$piece" 100 "$two" adam 'clip norm 1'
start 'a stored gradient: a batch in chunks' emitted NO "$piece" 2000 "$two" adam
start 'a stored gradient: the check of gradients reads it' \
    emitted NO 'd_dense1_w\[.*of this part' --precision f64 100 "$two" adam

rows_piece='float d_dense1_w\[[0-9]+\]\[30\]; // of this part'
start 'a gradient of rows in its task' emitted YES "$rows_piece" 100 'dense 30' adam

panels='_w\[[0-9]+\];'
start 'panels: a hidden layer' emitted YES "dense2$panels" 100 "$two" adam
start 'panels: the first layer, in slices' emitted YES '784x300 in panels of 196x' 100 "$two" adam
start 'panels: a batch in chunks' emitted YES "dense2$panels" 2000 "$two" adam
start 'no panels: a penalty in a batch in chunks' \
    emitted NO "dense2$panels" 2000 $'dense 300 relu\ndense 100 relu l2 0.1' adam
start 'panels: penalties of the weights' \
    emitted YES "dense1$panels" 100 $'dense 300 relu l2 0.001 l1 0.0001' adam 'clip norm 1'
start 'panels: what the optimizer remembers' emitted YES 'dense2_w_v\[[0-9]+\];' 100 "$two" adam
start 'panels: the average of the weights' \
    emitted YES 'dense2_w_average\[[0-9]+\];' 100 "$two" adam 'ema 0.99'
claims='outer_panels_300x100(of112)?\(.*, w, false\)'
start 'weights asked for: those of a hidden layer' emitted YES "$claims" 100 "$two" adam
start 'no weights asked for: a slice is one thread'"'"'s' \
    emitted NO 'outer_panels_196x300\(.* w, false' 100 "$two" adam
start 'no weights asked for: a stored gradient' emitted NO ', w, false\)' 100 "$two" adam 'clip norm 1'
v4='--target x86-64-v4'
start 'lone columns: two of fifty' \
    emitted YES '784x50 in a panel of 196x48, 2 columns of 196$' $v4 100 'dense 50' adam
start 'lone columns: four of a vector, behind panels' \
    emitted YES '784x100 in panels of 196x32, 4 columns of 196$' $v4 100 'dense 100' adam
start 'no lone columns: five of a vector' \
    emitted YES '784x101 in panels of 196x32, 196x5$' $v4 100 'dense 101' adam
start 'no lone columns: few terms' \
    emitted YES '28x306 in panels of 28x32, 28x18$' $v4 100 $'dense 28\ndense 306' adam
start 'a wide last panel: a single vector is left' \
    emitted YES '784x176 in panels of 196x32, 196x48$' $v4 100 'dense 176' adam
start 'no wide last panel: less than a vector is left' \
    emitted YES '784x172 in panels of 196x32, 196x12$' $v4 100 'dense 172' adam
gap='d_dense1_z .*// \[ROWS\]'
start 'gaps: rows of 300' emitted YES "$gap\[304\]" 100 "$two" adam
start 'gaps: an odd number of lines' emitted YES "$gap\[144\]" 100 $'dense 128 relu\ndense 100' adam
start 'gaps: in double' emitted YES "$gap\[56\]" --precision f64 100 $'dense 50 relu\ndense 100' adam
start 'gaps: a batch in chunks' emitted YES "$gap\[304\]" 2000 "$two" adam
start 'no gaps: whole lines' emitted YES "$gap\[80\]" 100 $'dense 80 relu\ndense 100' adam
start 'no gaps: a gradient in rows' emitted YES "$gap\[30\]" 100 $'dense 30 relu\ndense 100' adam
start 'no gaps: another reader' \
    emitted YES 'd_residual1 .*// \[ROWS\]\[300\]' 100 $'dense 300 relu\nresidual {\ndense 300\n}' adam
start 'no gaps: products by BLAS' emitted YES "$gap\[300\]" --gemm blas 100 "$two" adam
line='dense1_w\[784\]'
start 'gaps in weights: a batch of one' emitted YES "$line\[304\];" 1 "$two" sgd
start 'no gaps in weights: the check of gradients' \
    emitted YES "$line\[300\];" --precision f64 1 "$two" sgd
start 'gaps in weights: they count as memory' \
    emitted YES "weight_bytes = $((4 * (784 * 304 + 16 * 304 + 300 * 112 + 100 * 10 + 300 + 100 + 10)))," \
    1 "$two" sgd
start 'no gaps in weights: whole lines' emitted YES "$line\[80\];" 1 'dense 80 relu' sgd
start 'no gaps in weights: they would be long' \
    emitted YES 'dense2_w\[60\]\[50\];' 1 $'dense 60 relu\ndense 50 relu' sgd
start 'gaps in weights that work ahead, however long' emitted YES "$line\[64\];" --target x86-64-v4 1 'dense 53 relu' sgd
start 'gaps in weights that work ahead: to whole vectors' emitted YES "$line\[56\];" --target x86-64-v3 1 'dense 53 relu' sgd
start 'no gaps in weights: an optimizer that goes by parts' \
    emitted YES "$line\[300\];" 1 "$two" 'sgd momentum 0.9'
start 'no gaps in weights: a penalty reads them' \
    emitted YES "$line\[300\];" 1 $'dense 300 relu l2 0.001' sgd
changed='dense2_backward\(const NnBatch \*batch, '
start 'an update on the way: a batch of one' emitted YES "$changed" 1 "$two" sgd
start 'no update on the way: a batch of two' emitted NO "$changed" 2 "$two" sgd
start 'no update on the way: an optimizer that remembers' emitted NO "$changed" 1 "$two" adam
start 'no update on the way: no zeros before the layer' \
    emitted NO "$changed" 1 $'dense 300 tanh\ndense 100 relu' sgd
start 'no update on the way: clipped by the norm of all' \
    emitted NO "$changed" 1 "$two" sgd 'clip norm 1'
start 'no update on the way: the check of gradients reads them' \
    emitted NO "$changed" --precision f64 1 "$two" sgd
unpooled='pool1_backward, rows, [A-Z]+\(d_[a-z0-9_]*\), [A-Z]+\(d_pool1\), [A-Z]+\(pool1\)\);'
start 'in place: the gradient of pooling, over what was pooled' \
    emitted YES "$unpooled" 100 $'conv 8 3x3 relu\npool 2' adam
start 'in place: nothing before the pooling' emitted YES "$unpooled" 100 $'conv 8 3x3\npool 2' adam
start 'not in place: windows overlap' emitted NO "$unpooled" 100 $'conv 8 4x4 relu\npool 3 stride 2' adam
start 'not in place: windows leave pixels out' \
    emitted NO "$unpooled" 100 $'conv 8 2x2 relu\npool 1 stride 2' adam
start 'not in place: a gradient that needs more than its sign' \
    emitted NO "$unpooled" 100 $'conv 8 3x3 elu\npool 2' adam
start 'not in place: a batch in chunks' emitted NO "$unpooled" 2000 $'conv 8 3x3 relu\npool 2' adam
normed='batchnorm1_backward, batch, rows, BLOCK\(d_[a-z0-9_]*\), BLOCK\(conv1\),'
start 'in place: the gradient of batchnorm' \
    emitted YES "$normed" 100 $'conv 8 3x3\nbatchnorm\nrelu\npool 2' adam
start 'not in place: another reads the gradient' \
    emitted NO 'batchnorm1_backward, batch, rows, BLOCK\([a-z0-9_]*\), BLOCK\(conv2\),' 100 \
    $'conv 8 3x3\nresidual {\nconv 8 3x3 pad same\nbatchnorm\n}\npool 2' adam
reshaped='nn_call\(reshape1_forward'
start 'an alias: a picture in another shape' emitted NO "$reshaped" 100 $'pool 2\nreshape 7x28x1\nconv 2 3x3' adam
start 'an alias: others read the picture' \
    emitted NO "$reshaped" 100 $'dense 36 relu\nreshape 6x6x1\nconv 2 3x3' adam
start 'an alias: what is kept after the step' \
    emitted NO 'reshape1_infer' 100 $'dense 36 relu\nreshape 6x6x1\nconv 10 6x6\nreshape 10' adam
no_alias_of_chunks() { # the outputs are kept for all rows, what they are made of is not
    printf '%s\n' 'data mnist' 'input 28x28x1' 'conv 3 5x5 relu stride 4' 'dense 36' 'reshape 6x6x1' 'conv 10 6x6' \
        'reshape 10' 'loss categorical_hinge' 'batch 513' >"$tmp/kept.net"
    "$NETC" emit "$tmp/kept.net" | has_line -E '\s*reshape2_forward\(rows, BLOCK\(infer_reshape2\), SLOT\(infer_conv2\)\);' ||
        echo "reshape2 has no place of its own"
}
start 'no alias: outputs of chunks' no_alias_of_chunks
start 'no alias: a loop that does more' \
    emitted YES "$reshaped" 100 $'pool 2\nreshape 7x28x1\nrelu\nconv 2 3x3' adam
start 'no alias: one of the picture is there' emitted YES 'nn_call\(reshape2_forward' 100 \
    $'pool 2\nconcat { reshape 28x7x1; conv 2 1x1 } { reshape 28x7x1; conv 2 1x1 }' adam
start 'not in place: the same in another shape is needed' emitted NO 'tanh1_forward, rows, BLOCK\(tanh1\)\);' 100 \
    $'dense 36 sigmoid\nreshape 6x6x1\nconcat {\nrelu\n} {\ntanh\n}\nconv 2 3x3' adam
bias_sum='conv1_b_partial'
start 'no bias: batchnorm behind it' emitted NO "$bias_sum" 100 $'conv 8 3x3\nbatchnorm\nrelu' adam
start 'no bias: it joins the kept mean' \
    emitted YES '\(stats\[0\]\[c\] \+ b\[c\] - mean\[c\]\)' 100 $'conv 8 3x3\nbatchnorm\nrelu' adam
start 'a bias: relu before batchnorm' emitted YES "$bias_sum" 100 $'conv 8 3x3 relu\nbatchnorm' adam
start 'a bias: each value has a mean of its own' \
    emitted YES "$bias_sum" 100 $'conv 8 3x3\nflatten\nbatchnorm' adam
start 'a bias: another reads it' \
    emitted YES "$bias_sum" 100 $'conv 8 3x3\nconcat {\nbatchnorm\n} {\nrelu\n}' adam

# Trained with biases that batchnorm takes away, weights end as those of a network without them; the
# biases stay 0.
without_bias() {
    local bias
    for bias in '' ' bias off'; do
        network 50 "conv 6 3x3$bias
batchnorm
relu
pool 2
dense 20$bias
batchnorm
tanh" rmsprop 'epochs 1' >"$tmp/bias$bias.net"
        NETC_CFLAGS=$quick build "$tmp/bias$bias.net" "$tmp/with$bias" || return
        "$tmp/with$bias" train --data "$sample" --out "$tmp/trained$bias" --quiet >/dev/null || return
    done
    "$python" - "$tmp/trained/weights.safetensors" "$tmp/trained bias off/weights.safetensors" <<'PY'
import sys
from files import safetensors
(a, _), (b, _) = (safetensors(path) for path in sys.argv[1:])
biases = {"conv1_b", "dense1_b"}
if set(a) - set(b) != biases or set(b) - set(a):
    print("expected", biases, "besides, found", set(a) ^ set(b))
print(*(f"{name} is another" for name in b if a[name].tobytes() != b[name].tobytes()), end="")
print(*(f"{name} is not 0" for name in biases if a[name].any()), end="")
PY
}
start 'a bias before batchnorm changes nothing' without_bias
start 'no panels: few weights' emitted NO "dense3$panels" 100 "$two" adam
start 'no panels: few columns' emitted NO "dense1$panels" --target x86-64-v4 100 'dense 32' adam
start 'no panels: a small batch' emitted NO "dense2$panels" 16 "$two" adam
start 'no panels: a limit of the norm' \
    emitted NO "dense1$panels" 100 'dense 300 relu max_norm 2' adam
start 'no panels: products by BLAS' emitted NO "$panels" --gemm blas 100 "$two" adam
finish
