#!/usr/bin/env bash
# generated/ is what today's compiler emits, is emitted twice alike, and compiles without a warning.
. "$(dirname "$0")/lib.sh"

silent() { # COMMAND...: it succeeds without a word
    local said
    said=$("$@" 2>&1) && [ -z "$said" ] || printf 'status %d of: %s\n%s\n' $? "$*" "$(head -n 20 <<<"$said")"
}
# gcc warns of most only where it optimizes, and it is quick only with the registers that the C is
# made for; of vectors that a processor does not have it speaks at any level, and in all nets of a
# kind. clang warns as it parses, except of loops that it cannot unroll, which take it long: one net
# is enough for those.
compiles() { # C-FILE FLAGS-OF-CLANG [option...]
    local c=$1 flags=$2 object
    object=$(mktemp -p "$tmp")
    shift 2
    silent gcc -std=gnu11 $enduring "$@" -Wall -Wextra -Wshadow=local -Werror -Iruntime -march=x86-64-v4 -c -o "$object" "$c"
    [[ ! $whole && $c =~ /(fashion|best|mixed|regularised|convolution|branches-.*)\.c$ ]] ||
        silent gcc -std=gnu11 -O0 "$@" -Wall -Wextra -Werror -Iruntime -c -o "$object" "$c"
    silent clang -std=gnu11 $flags -Wall -Wextra -Werror -Iruntime -c -o "$object" "$c"
    rm -f "$object"
}
is_fresh() { # MODEL NAME
    local c=$tmp/${2//\//-}.c
    silent "$NETC" emit "$1" --target x86-64-v4 -o "$c"
    cmp "$c" "generated/$2.c" || echo "generated/$2.c is stale: run 'make gen'"
}
# lines of at most 100 columns, of which no blank ones stand together or end a block
tidy() { # C-FILE
    grep -nE '^.{101}| $' "$1"
    grep -Pzo '\n\n\n.*|\n\n *}.*|{\n\n.*' "$1" | tr '\0' '\n'
    misplaced "$1"
    true
}
# what a brace opens stands four columns further in, and what closes it stands under it again
misplaced() { # C-FILE
    awk '{ macro = continued; continued = /\\$/ }
        macro || continued || /^ *(#|\/\/)/ || /^$/ { next }
        { text = $0; gsub(/"(\\.|[^"\\])*"|\/\/.*/, "", text) }
        /^[a-z]/ { depth = brackets = 0 }
        !brackets { start = match(text, /[^ ]/) }
        !brackets && behind && text !~ /^ *}/ && start != behind + 4 { print FNR ": " $0 }
        !brackets && text ~ /^ *}/ && start != at[depth] { print FNR ": " $0 }
        {
            brackets += gsub(/\(/, "(", text) - gsub(/\)/, ")", text)
            closed = gsub(/}/, "}", text)
            for (opened = gsub(/{/, "{", text); opened > 0; opened--)
                at[++depth] = start
            depth -= closed
            behind = !brackets && text ~ /\) {$/ ? start : 0
        }' "$1"
}

while read -r model; do
    name=${model#models/}
    name=${name%.net}
    start "$name is what is emitted" is_fresh "$model" "$name"
    # the rest of the laboratory's nets have the layers of these
    [[ ! $whole && $name =~ ^lab/(deep|depth|mixed|regularised|sigmoid|width)$ ]] ||
        start "$name compiles" compiles "generated/$name.c" -O0 -fopenmp
    start "$name is tidy" tidy "generated/$name.c"
done < <(find models -name '*.net' | LC_ALL=C sort)
while read -r file; do
    name=${file#generated/}
    start "$file has a model" test -f "models/${name%.c}.net"
done < <(find generated -name '*.c')

# what no model has: branches, small groups of channels, and chunks of a large batch that no weight's gradient sums over
cat >"$tmp/branches.net" <<'END'
input 28x28x1
conv 4 3x3 relu stride 3
residual { conv 4 3x3 pad same; batchnorm; dropout 10%; relu }
concat { conv 2 3x3 tanh pad same } { }
residual { conv 16 1x1; conv 16 3x3 groups 4 pad same; conv 6 1x1 }
multiply { conv 1 3x3 mish pad same } { globalavgpool; dense 6 sigmoid; reshape 1x1x6; upsample 9 }
concat { dense 20 tanh } { avgpool 3; flatten }
residual { dense [30 74] relu }
dense 10 softmax
loss cross_entropy
END
branches() { # BATCH FLAGS-OF-CLANG
    silent "$NETC" emit "$tmp/branches.net" --set batch="$1" --target x86-64-v4 -o "$tmp/branches-$1.c"
    compiles "$tmp/branches-$1.c" "$2"
}
start 'branches, batch 8' branches 8 -O0
flags=$enduring # as functions, tiles are compiled once
[ ! $whole ] || flags=-O1
start 'branches, batch 3000' branches 3000 "$flags"

# a wide picture is no longer text
width_in_lines() {
    local width
    for width in 600 6000; do
        printf '%s\n' 'data npy "x.npy" labels "y.npy"' "input 1x${width}x1" 'conv 2 1x9 pad same' \
            'dense 10 softmax' 'loss cross_entropy' >"$tmp/wide.net"
        "$NETC" emit "$tmp/wide.net" --target x86-64-v3 | grep -c 'unweave_2('
    done | uniq
}
check 'a wide picture' same 'lines that take its planes apart' 2 "$(width_in_lines)"

# what makes lines long: names, statements, comments, weights in panels, numbers of twice the precision
emitted_tidy() { # NAME [option of emit...]
    local c
    c=$(mktemp -p "$tmp")
    silent "$NETC" emit "$tmp/$1.net" "${@:2}" -o "$c"
    tidy "$c"
}
name=a_layer_with_all_of_32_letters_
cat >"$tmp/long_names.net" <<END
# one comment that is longer than the lines of the generated code may be, and so has to be cut in two: äöü
data csv "a folder with a long name/and another one in it that is as long/one file of many numbers.csv" label answer
input 28x28x3
standardize
conv 12 3x3 leaky_relu pad same dilation 2 groups 3 bias off l1 0.001 l2 0.0001 max_norm 2.25 init he as ${name}1
batchnorm momentum 0.9 eps 0.0001 as ${name}2
depthwise 3x3 selu pad same multiplier 2 l1 0.001 init glorot_normal as ${name}3
residual as ${name}4 { conv 24 3x3 silu pad same as ${name}5; layernorm as ${name}6; gelu as ${name}7 }
concat as ${name}8 { conv 3 3x3 tanh pad same as ${name}9 } { conv 5 1x1 elu as ${name}a }
groupnorm 4 as ${name}b
conv_transpose 8 2x2 hard_sigmoid stride 2 as ${name}c
spatial_dropout 12.5% as ${name}d
avgpool 4 stride 2 as ${name}e
upsample 2 interpolation bilinear as ${name}f
globalavgpool as ${name}g
dense 300 softplus l2 0.0001 max_norm 3 as ${name}h
noise 0.1 as ${name}i
dense 10 softmax l1 0.001 as ${name}j
loss cross_entropy class_weights [1 2 3.14159265 4 5.55555555 6 7 8.88888888 9 10.1010101]
optimizer adamw amsgrad on beta1 0.87654321 beta2 0.98765432
clip value 0.123456
ema 0.999
schedule cosine to 0.0000123 warmup 500 steps restart 10% t_mul 1.5 m_mul 0.9
augment shift 2 px rotate 10 deg shear 3 deg zoom 10% flip both elastic 3 px cutout 4 px noise 0.0123456
END
cat >"$tmp/panels.net" <<'END'
input 28x28x1
dense 1000 selu
dense 800 gelu
dense 10 softmax
loss cross_entropy
optimizer nadam
clip value 0.5
schedule step at [100 steps 2000 steps 30000 steps 400000 steps 5000000 steps 60000000 steps] factor 0.123456
END
for batch in 2 100 10000; do
    for options in '--target x86-64-v4' '--target x86-64-v3 --precision f64' '--target portable --gemm blas'; do
        for net in long_names panels; do
            start "$net in batches of $batch, $options" emitted_tidy $net --set batch=$batch $options
        done
    done
done

# braces in loops that have none
printf '%s\n' 'input 28x28x1' 'conv 3 3x3' 'dense 10' 'loss categorical_hinge' >"$tmp/inner.net"
start 'loops over planes and outputs' emitted_tidy inner --target x86-64-v4

# gcc warned of the loop over the rest, which would leave the array
printf '%s\n' 'input 28x28x1' 'dense 144 tanh' 'dense 19 tanh' 'dense 10 softmax' \
    'loss cross_entropy' 'optimizer sgd' 'batch 1' >"$tmp/rest.net"
{
    printf 'input 28x28x1\navgpool 7\n'
    for units in $(seq 11 300); do echo "dense $units relu"; done
    printf 'dense 10 softmax\nloss cross_entropy\nbatch 8\n'
} >"$tmp/products.net"
start 'a product for each of hundreds of layers' silent "$NETC" emit "$tmp/products.net" -o "$tmp/products.c"
start 'a weight turned in squares that leave no rest, as built' silent "$NETC" build "$tmp/rest.net" -o "$tmp/rest"
# and of the last of joined values' gradients
printf '%s\n' 'input 28x28x1' 'conv 4 3x3' 'concat { flatten } { flatten' 'dense 5 }' \
    'dense 10 softmax' 'loss cross_entropy' 'optimizer sgd' 'batch 1' >"$tmp/joined.net"
start 'joined values, as built' silent "$NETC" build "$tmp/joined.net" -o "$tmp/joined"
# and of the only row of a convolution's result
printf '%s\n' 'input 28x28x1' 'conv 8 3x3 relu' globalavgpool 'dense 10 softmax' 'loss cross_entropy' \
    'optimizer sgd' 'batch 1' >"$tmp/mean.net"
start 'a convolution of one row, as built' silent "$NETC" build "$tmp/mean.net" -o "$tmp/mean"
# lines between windows and behind the last of them, which no line of a window meets
stays_in_arrays() { # NET
    local c=${1%.net}.c binary=${1%.net}
    silent "$NETC" emit "$1" --target x86-64-v3 -o "$c"
    compile "$c" "$binary" -fsanitize=undefined -fno-sanitize-recover=undefined "$driver" || return
    quietly "$binary" steps "$sample" 2 2 "$binary".{before,after,outputs}
}
compile_driver
printf '%s\n' 'input 28x28x1' 'conv_transpose 3 1x1 stride 2' 'conv 4 3x3 stride 2' 'conv 5 2x2 stride 3' \
    'conv_transpose 3 3x3 stride 4 pad same' 'dense 10 softmax' 'loss cross_entropy' 'batch 9' >"$tmp/between.net"
start 'no line of a window is read that there is not' stays_in_arrays "$tmp/between.net"
# names that variables of a function have too
printf '%s\n' 'input 28x28x1' 'dense 16 relu as v' 'residual { dense 16 relu as rows; residual { dense 16 tanh } }' \
    'dense 10 softmax' 'loss cross_entropy' >"$tmp/named.net"
start 'layers named like variables' silent "$NETC" build "$tmp/named.net" -o "$tmp/named"
# weights of one network must not be taken for another's
print_of() { # LAYERS AND LOSS: none is unlike all others, so that no comparison holds by it
    printf 'input 28x28x1\nconv 4 3x3\nbatchnorm\nrelu\n%s\n' "$1" |
        "$NETC" emit /dev/stdin 2>/dev/null | grep '\.fingerprint =' || echo "none of: $1, $BASHPID"
}
scales_differ() {
    local net='dense 10 softmax; loss cross_entropy'
    same 'the same scale' "$(print_of "$net; scale 1")" "$(print_of "$net; scale 1")"
    [ "$(print_of "$net")" != "$(print_of "$net; scale 1")" ] || echo 'the scale is not in the fingerprint'
}
start 'fingerprints know the scale' scales_differ
# What trains a network does not change what it computes, and weights go from one to the other.
print_knows_no_training() {
    local ce='loss cross_entropy' bce='loss binary_cross_entropy' plain
    plain=$(print_of 'dense 9 tanh; dense 10 softmax')
    same 'a loss' "$plain" "$(print_of "dense 9 tanh; dense 10 softmax; $ce")"
    same penalties "$plain" "$(print_of "dense 9 tanh l1 0.1; dense 10 softmax l2 0.1; $ce")"
    same 'a scale that is the default' "$plain" "$(print_of 'scale 1/255; dense 9 tanh; dense 10 softmax')"
    same 'training' "$plain" "$(print_of "dropout 10%; dense 9 tanh max_norm 2; dense 10 softmax; $ce; ema 0.9")"
    same 'binary_cross_entropy' "$(print_of 'dense 10 sigmoid')" "$(print_of "dense 10 sigmoid; $bce")"
    same 'mse' "$(print_of 'dense 10 sigmoid')" "$(print_of 'dense 10 sigmoid; loss mse')"
}
start 'fingerprints know nothing of the training' print_knows_no_training
prints_differ() {
    local net
    for net in 'pool 2' 'pool 3 pad same' 'avgpool 2' 'pool 2x3' 'pool 2; leaky_relu' 'pool 2; leaky_relu slope 0.1' \
        'pool 2; groupnorm 2' 'pool 2; groupnorm 4' 'pool 2; groupnorm 2 eps 0.1' \
        'zeropad 1; pool 2' 'zeropad 0 top 2 left 2; pool 2' 'crop 2; pool 2' 'crop 0 top 4 left 4; pool 2' \
        'residual { tanh }; pool 2' 'residual { pool 1; tanh } { tanh }; pool 2' \
        'concat { tanh } { sigmoid }; pool 2' 'concat { sigmoid } { tanh }; pool 2' \
        'conv 4 3x3 pad same; pool 2' 'conv 4 3x3 pad same dilation 2; pool 2' \
        'pool 2; softmax' 'pool 2; flatten; softmax' \
        'upsample 2; pool 4' 'upsample 2 interpolation bilinear; pool 4'; do
        print_of "$net; dense 10 softmax"
    done >"$tmp/prints"
    same 'equal ones' '' "$(sort "$tmp/prints" | uniq -d)"
    same 'fingerprints' 23 "$(wc -l <"$tmp/prints")"
}
start 'fingerprints of networks that compute otherwise' prints_differ

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
