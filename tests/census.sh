#!/usr/bin/env bash
# What gcc makes of the micro-kernels: the planned multiply-adds in each inner loop, and no sum on
# the stack. A tile that is too high for the registers must be found.
. "$(dirname "$0")/lib.sh"
[ "$(uname -m)" = x86_64 ] || {
    echo '0 passed, 0 failed'
    exit 0
}

cat >"$tmp/odd.net" <<'END'
data mnist
input 28x28x1
conv 3 5x5 relu
conv 12 3x3 relu
conv 40 3x3 relu
pool 4
dense 67 relu
dense 33 relu
dense 10 softmax
loss cross_entropy
optimizer adam
batch 37
END

# products alone, to be spoilt
sed '/^conv\|^pool/d' "$tmp/odd.net" >"$tmp/dense.net"

# few channels in windows, and vectors of which half are stored
cat >"$tmp/few.net" <<'END'
data mnist
input 28x28x1
conv 6 5x5 relu pad same
pool 2
conv 16 5x5 relu pad same
pool 2
conv 24 3x3 relu pad same
dense 120 relu
dense 10 softmax
loss cross_entropy
batch 20
END

# lines that low tiles divide best, and two heights of tiles
cat >"$tmp/lines.net" <<'END'
data cifar10
input 32x32x3
conv 16 3x3 relu pad same
conv 16 3x3 relu pad same
conv 64 3x3 relu pad same
conv 64 3x3 relu pad same
pool 4
dense 10 softmax
loss cross_entropy
batch 20
END

# windows whose taps have gaps, a row of which is taken at a time
cat >"$tmp/gaps.net" <<'END'
data mnist
input 28x28x1
conv 24 3x3 relu pad same
conv 40 3x3 relu pad same dilation 2
conv 20 3x2 relu dilation 1x3
globalavgpool
dense 10 softmax
loss cross_entropy
batch 20
END

# groups as tiles and as vectors, single channels, and a convolution the other way round
cat >"$tmp/groups.net" <<'END'
data mnist
input 28x28x1
conv 48 3x3 relu pad same
conv 48 3x3 relu pad same groups 3
conv 48 3x3 relu pad same groups 12
conv 48 3x3 relu pad same groups 24
depthwise 3x3 relu pad same
pool 2
conv_transpose 32 2x2 relu stride 2
globalavgpool
dense 10 softmax
loss cross_entropy
batch 20
END

# pictures whose zeros are left out, and such vectors
cat >"$tmp/pictures.net" <<'END'
data mnist
input 28x28x1
dense 120 relu
dense 10 softmax
loss cross_entropy
batch 100
END

# a first layer that works for several steps, of few columns and of as many as the registers hold
cat >"$tmp/ahead.net" <<'END'
data mnist
input 28x28x1
dense 50 relu
dense 10 softmax
loss cross_entropy
optimizer sgd
batch 1
END
sed 's/dense 50/dense 520/' "$tmp/ahead.net" >"$tmp/wide.net"

# how netc calls the C compiler, up to its folders
cat >"$tmp/small.net" <<'END'
data mnist
input 28x28x1
dense 10 softmax
loss cross_entropy
END
declare -A command
for level in x86-64-v3 x86-64-v4; do
    command[$level]=$("$NETC" build "$tmp/small.net" --target $level -o "$tmp/small" --verbose 2>&1 |
        sed -n '1s/ -I.*//p')
done

# The generated file's own options, but each function for itself, so that its loops are its own.
objects() { # C-FILE LEVEL
    ${command[$2]} -w -fno-inline -I"$lib" -c -o "${1%.c}.o" "$1"
}

as_planned() { # NET LEVEL
    local c=${1%.net}-$2.c
    "$NETC" emit "$1" --target "$2" -o "$c" && objects "$c" "$2" || return
    "$python" tests/census/census.py "$c" "${c%.c}.o" 2>"${c%.c}.sum" || cat "${c%.c}.sum"
}

# As above, of C that SCRIPT has spoilt.
finds() { # LEVEL PATTERN SCRIPT
    local c=$tmp/spoilt-$BASHPID.c said
    "$NETC" emit "$tmp/dense.net" --target "$1" | sed -E "$3" >"$c" && objects "$c" "$1" || return
    said=$("$python" tests/census/census.py "$c" "${c%.c}.o" 2>&1) && echo 'nothing found'
    grep -q "$2" <<<"$said" || printf "expected '%s', found\n%s\n" "$2" "$said"
}

for level in x86-64-v3 x86-64-v4; do
    start "$level" as_planned "$tmp/odd.net" $level
    start "few channels, $level" as_planned "$tmp/few.net" $level
    start "lines, $level" as_planned "$tmp/lines.net" $level
    start "gaps, $level" as_planned "$tmp/gaps.net" $level
    start "groups, $level" as_planned "$tmp/groups.net" $level
    start "pictures, $level" as_planned "$tmp/pictures.net" $level
    start "steps ahead, $level" as_planned "$tmp/ahead.net" $level
    start "steps ahead, wide, $level" as_planned "$tmp/wide.net" $level
done

# What is no product is made in vectors too: exponentials that are cut off and go into a logarithm,
# and sums over one row, which C would have added up in their order.
cat >"$tmp/vectors.net" <<'END'
data mnist
input 28x28x1
dense 256
layernorm
selu
softplus
dense 256
softmax
dense 64
gelu
dense 10 softmax
loss cross_entropy
END
stays_scalar() { # FUNCTION...
    "$NETC" emit "$tmp/vectors.net" --target x86-64-v3 -o "$tmp/vectors.c" &&
        ${command[x86-64-v3]} -fno-inline-functions -fno-inline-small-functions \
            -fno-inline-functions-called-once -I"$lib" -c -o "$tmp/vectors.o" "$tmp/vectors.c" &&
        "$python" tests/census/scalar.py "$tmp/vectors.o" "$@"
}
start 'loops over floats are vectors' stays_scalar layernorm1_stats layernorm1_forward \
    layernorm1_backward softplus1_forward dense2_backward softmax1_backward

# gcc takes a function that only asks the memory for one without an effect, and drops its call
asks_ahead() {
    "$NETC" emit "$tmp/dense.net" --target x86-64-v3 -o "$tmp/asks.c" &&
        objects "$tmp/asks.c" x86-64-v3 || return
    objdump -d "$tmp/asks.o" | has_line prefetcht1 || # tiles ask for the first cache, prefetcht0
        echo 'expected a prefetch of the next pictures, found none'
}
start 'the next pictures are asked for' asks_ahead
to_stack='vectors written to the stack in a loop'
start 'a tile that spills is found' finds x86-64-v3 "product_.*$to_stack" 's/^(STRIP\(\w+), [0-9]+,/\1, 11,/'
start 'a lower tile that spills is found' finds x86-64-v3 "_rest: .*$to_stack" \
    's/^(STRIP\(\w+), [0-9]+, [0-9]+,/\1, 12, 11,/'
start 'a product that is rounded by itself is found' \
    finds x86-64-v3 'panels_.*products are rounded before' \
    's/sum\[i\]\[j\] \+= (a\[i \* ai \+ p \* ap\] \* row\[j\]);/{ Vector v = \1; IN_MEMORY(v); sum[i][j] += v; }/'

# What windows of few channels also do is counted where it was measured.
planes() { # YES|NO LEVEL CHANNELS SIZE
    local found=NO
    sed -n "1,2p; s/conv 6 5x5/conv $3 $4/p; \$!d" "$tmp/few.net" >"$tmp/first-$3-$2.net"
    printf '%s\n' 'dense 10 softmax' 'loss cross_entropy' >>"$tmp/first-$3-$2.net"
    "$NETC" emit "$tmp/first-$3-$2.net" --target "$2" -o "$tmp/first-$3-$2.c" || return
    ! grep -q '^PLANE(' "$tmp/first-$3-$2.c" || found=YES
    same "planes for $3 channels, $2" "$1" $found
}
start 'planes for channels that fill no vector' planes YES x86-64-v3 6 5x5
start 'windows for those that do' planes NO x86-64-v3 8 5x5
start 'windows of 16 bytes' planes NO x86-64-v2 3 5x5

# A line is cut into heights that differ by one where sums are long and the matrix is near.
heights() { # FUNCTION: of its tiles, in the order of their calls
    "$NETC" emit "$tmp/lines.net" --conv direct --target x86-64-v3 | awk -v name="static void $1(" \
        'index($0, name) { inside = 1 } /^}/ { inside = 0 } inside' | grep -o 'window_[0-9x]*[a-z_]*' | xargs
}
start 'two heights' same heights 'window_6x16_near window_5x16_near' "$(heights convolve_32x32_3x3x16x16)"
start 'one height of short sums' same heights window_4x16_near "$(heights convolve_32x32_3x3x3x16)"
start 'one height where the matrix is far' same heights window_4x16_near "$(heights convolve_panels_8x32_3x3x64x64)"
finish
