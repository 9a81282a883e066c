#!/usr/bin/env bash
# --tune, --tuned and --gemm auto: what is measured is remembered and used, and tiles of other shapes
# change no bit. Which way wins is the machine's business.
. "$(dirname "$0")/lib.sh"
export XDG_CACHE_HOME=$tmp/cache

cat >"$tmp/net.net" <<'END'
data mnist
input 28x28x1
dense 37 relu
dense 10 softmax
loss cross_entropy
optimizer adam
batch 50
epochs 1
END

train() { # BINARY
    "$1" train --data "$sample" --out "$1.run" | grep '^fingerprint'
}

tunes() {
    local -x NETC_CFLAGS=$enduring # what is measured is not tested
    local file before
    build "$tmp/net.net" "$tmp/tuned" --tune || return
    file=$(echo "$tmp"/cache/netc/tuned-*.txt)
    same 'measured products' 6 "$(grep -cE '^[^ ]+ f32 (product|outer) [0-9]+ [0-9]+ [0-9]+ = (blas|tile)' "$file")"
    before=$(cat "$file")
    build "$tmp/net.net" "$tmp/tuned" --tune || return
    same 'nothing is measured twice' "$before" "$(cat "$file")"
    train "$tmp/tuned" | has_line . || echo 'the tuned program does not train'
    # what was measured is used
    grep -v '^#' "$file" | sed -E 's/= .*/= tile 3 1/' >"$tmp/three"
    "$NETC" emit "$tmp/net.net" --tuned "$tmp/three" -o "$tmp/three.c" || return
    grep -q '^STRIP(strip_3_' "$tmp/three.c" || echo 'no tile of 3 rows'
    "$NETC" emit "$tmp/net.net" -o "$tmp/plain.c" || return
    ! grep '^STRIP(strip_3_' "$tmp/plain.c"
}

# Any shape of tile adds in one order. Each program has another shape for each of its products.
same_bits() {
    local -x NETC_CFLAGS=$quick
    local shape shapes target products i
    mapfile -t products < <(sed -nE 's/^[^ ]+ f32 ([^=]+) =.*/\1/p' "$tmp"/cache/netc/tuned-*.txt)
    target=$("$NETC" emit "$tmp/net.net" | sed -n 's/.*compiled by netc --target \([^\\]*\)\\.*/\1/p')
    build "$tmp/net.net" "$tmp/plain" || return
    for shapes in '5,3 2,4 9,1 1,1 13,2' '2,1 3,2 4,3 5,4 6,1' '7,2 8,3 6,4 11,1 1,2' \
        '14,2 9,3 1,4 30,1 12,2'; do
        i=0
        : >"$tmp/shape"
        for shape in $shapes; do
            echo "$target f32 ${products[i]} = tile ${shape/,/ }" >>"$tmp/shape"
            i=$((i + 1))
        done
        build "$tmp/net.net" "$tmp/shaped" --tuned "$tmp/shape" || return
        "$NETC" emit "$tmp/net.net" --tuned "$tmp/shape" -o "$tmp/shaped.c" || return
        for shape in $shapes; do
            grep -q "^STRIP(strip_${shape%,*}_" "$tmp/shaped.c" || echo "tiles of $shape are not used"
        done
        same "tiles of $shapes" "$(train "$tmp/plain")" "$(train "$tmp/shaped")"
    done
}

# Small products stay tiles; a large matrix that many rows share goes to BLAS.
automatic() {
    "$NETC" emit "$tmp/net.net" --gemm auto -o "$tmp/small.c" || return
    grep cblas "$tmp/small.c"
    sed -e 's/dense 37/dense 4096/; s/dense 10/dense 2048 relu\n&/; s/batch 50/batch 2000/' \
        "$tmp/net.net" >"$tmp/large.net"
    "$NETC" emit "$tmp/large.net" --gemm auto >"$tmp/large.c" || return
    grep -q 'gemm_nn(.*2048, 4096' "$tmp/large.c" || echo 'a large product is no BLAS call'
    grep -q '^STRIP' "$tmp/large.c" || echo 'no product is of tiles'
    NETC_CFLAGS=$quick build "$tmp/large.net" "$tmp/large" --gemm auto
}

# A program keeps how its products are made: what it says of itself makes the same C again.
recorded() {
    local lines
    "$NETC" emit "$tmp/net.net" --tuned "$tmp/three" -o "$tmp/three.c" || return
    mapfile -t lines < <("$NETC" show "$tmp/three.c" | sed -n 's/^# --product //p')
    same 'choices kept' 6 ${#lines[@]}
    "$NETC" emit "$tmp/net.net" "${lines[@]/#/--product=}" -o "$tmp/again.c" || return
    cmp "$tmp/three.c" "$tmp/again.c"
    # another option has the C of both made anew
    "$NETC" diff "$tmp/three.c" "$tmp/net.net" --code --set epochs=2 >"$tmp/diff"
    same 'status of a difference' 1 $?
    grep -q 'strip_3_' "$tmp/diff" || echo 'the difference does not name the tiles'
}

check 'tune' tunes
check 'recorded' recorded
check 'shapes' same_bits
check 'auto' automatic
# How a product in panels is made is measured, used and kept like the others.
panels() {
    local lines
    sed 's/dense 37/dense [150 100]/' "$tmp/net.net" >"$tmp/panels.net"
    "$NETC" emit "$tmp/panels.net" --target x86-64-v3 -o "$tmp/plain.c" || return
    for shape in '150 100' '100 150'; do
        echo "x86-64-v3 f32 panels 13 $shape = tile 3 2"
    done >"$tmp/panels"
    "$NETC" emit "$tmp/panels.net" --target x86-64-v3 --tuned "$tmp/panels" -o "$tmp/tuned.c" || return
    same 'strips of the measured tiles' 4 \
        "$(grep -cE '^ +strip_3_1x(16|4|6of8)\(rows, 1(5|0)0, a' "$tmp/tuned.c")"
    ! cmp -s "$tmp/plain.c" "$tmp/tuned.c" || echo 'the measurements change nothing'
    mapfile -t lines < <("$NETC" show "$tmp/tuned.c" | sed -n 's/^# --product //p')
    same 'choices kept' 2 ${#lines[@]}
    "$NETC" emit "$tmp/panels.net" --target x86-64-v3 "${lines[@]/#/--product=}" -o "$tmp/again.c" || return
    same_bytes "$tmp/tuned.c" "$tmp/again.c"
}
check 'panels' panels

# The C compiler has nothing to say of the programs that measure.
silent() {
    local -x NETC_CFLAGS=$enduring # at which gcc warns, as tests/generated.sh has it
    local net
    for net in "$tmp/panels.net" models/online.net; do
        same "said of $net" '' "$("$NETC" build "$net" -o "$tmp/measured" --tune 2>&1)"
    done
}
check 'silent' silent

# By windows or by planes: each convolution of few channels is measured once, and its gradient by
# the picture too; used, and kept in the program.
cat >"$tmp/few.net" <<'END'
data mnist
input 28x28x1
conv 4 5x5 relu
pool 2
conv 3 3x3 tanh pad same
conv 20 3x3 relu
pool 2
dense 10 softmax
loss cross_entropy
optimizer adam
batch 30
epochs 1
END
few() { # TYPE windows|planes: lines for the native target
    local target shape
    target=$("$NETC" emit "$tmp/few.net" 2>/dev/null | sed -n 's/.*compiled by netc --target \([^\\]*\)\\.*/\1/p')
    for shape in '24 24 5 5 1 4' '12 12 3 3 4 3' '12 12 3 3 3 4'; do
        echo "$target $1 convolution $shape 1 = $2"
    done
}
convolutions() {
    local file lines said
    rm -rf "$tmp/cache"
    local -x NETC_CFLAGS=$quick # what is measured is not tested
    said=$("$NETC" build "$tmp/few.net" -o "$tmp/few" --tune 2>&1) || return
    same 'said' '' "$said"
    file=$(echo "$tmp"/cache/netc/tuned-*.txt)
    same 'convolutions' "$(few f32 way)" "$(sed -nE 's/(.* convolution .*) = (windows|planes) .*/\1 = way/p' "$file")"
    lines=$(cat "$file")
    build "$tmp/few.net" "$tmp/few" --tune || return
    same 'nothing is measured twice' "$lines" "$(cat "$file")"
    for way in windows planes; do
        few f32 $way >"$tmp/$way"
        "$NETC" emit "$tmp/few.net" --tuned "$tmp/$way" -o "$tmp/$way.c" || return
        mapfile -t lines < <("$NETC" show "$tmp/$way.c" | sed -n 's/^# --product //p')
        same "choices kept, $way" 3 ${#lines[@]}
        "$NETC" emit "$tmp/few.net" "${lines[@]/#/--product=}" -o "$tmp/again.c" || return
        same_bytes "$tmp/$way.c" "$tmp/again.c"
    done
    ! grep convolve_planes "$tmp/windows.c"
    same 'functions by planes' 5 "$(grep -c '^static void convolve_planes' "$tmp/planes.c")"
}
# The faster way is taken, by the time of all functions of a convolution. The C compiler here makes
# programs whose times are known: by planes conv1 is faster, and the gradient by conv2's picture.
takes_the_faster() {
    local target
    cat >"$tmp/cc" <<'END'
#!/usr/bin/env bash
while [ $# -gt 0 ]; do
    case $1 in -o) out=$2; shift ;; *.c) code=$1 ;; --version) echo 'known times'; exit ;; esac
    shift
done
quick=2 others=1 # us
grep -q 'convolve_planes' "$code" && quick=1 others=2
calls=$(grep -o 'CALL_[a-z0-9_]*' "$code" | sort -u | sed -E '
    s/CALL_(conv1_.*|conv2_backward)/{"function":"\1","seconds":'$quick'e-6},/
    s/CALL_(.*)/{"function":"\1","seconds":'$others'e-6},/')
printf "#!/bin/sh\necho '{\"calls\":[%s{}]}'\n" "$calls" >"$out"
chmod +x "$out"
END
    chmod +x "$tmp/cc"
    target=$(few f32 planes | sed -n '1s/ .*//p')
    rm -rf "$tmp/cache"
    CC=$tmp/cc "$NETC" build "$tmp/few.net" -o "$tmp/few" --tune || return
    same 'choices' "$target f32 convolution 24 24 5 5 1 4 1 = planes  # 2 us
$target f32 convolution 12 12 3 3 4 3 1 = windows  # 2 us
$target f32 convolution 12 12 3 3 3 4 1 = planes  # 1 us" "$(grep -hv '^#' "$tmp"/cache/netc/*)"
}
# By transforms the gradient by conv2's weights is faster, by windows that by its picture.
takes_transforms() {
    local target
    printf '%s\n' 'data mnist' 'input 28x28x1' 'conv 32 3x3 relu' 'conv 32 3x3 relu' \
        'dense 10 softmax' 'loss cross_entropy' >"$tmp/deep.net"
    sed -i -e "s/convolve_planes' .*/transform_input_f2(' \"\$code\" \&\& quick=1 others=3/" \
        -e 's/conv1_.*|conv2_backward/conv1_.*|conv2_w_partial|conv2_forward/' "$tmp/cc"
    target=$(few f32 planes | sed -n '1s/ .*//p')
    rm -rf "$tmp/cache"
    CC=$tmp/cc "$NETC" build "$tmp/deep.net" -o "$tmp/deep" --tune || return
    same 'choices' "$target f32 convolution 24 24 3 3 32 32 1 = winograd2  # 2 us
$target f32 convolution 26 26 3 3 32 32 1 = windows  # 1 us" "$(grep -hv '^#' "$tmp"/cache/netc/*)"
}
# Where the compiler would not choose planes by itself, they are right too.
either_way() {
    local way
    for way in windows planes; do
        few f64 $way >"$tmp/$way"
        NETC_CFLAGS=$quick build "$tmp/few.net" "$tmp/few" --precision f64 --tuned "$tmp/$way" || return
        quietly "$tmp/few" gradcheck --random --rows 9 --samples 60
    done
}
check 'convolutions' convolutions
check 'the faster way' takes_the_faster
check 'the faster way, by transforms' takes_transforms
check 'either way' either_way
no_such_way() {
    local line='x86-64-v3 f32 convolution 24 24 5 5 1 4 1 = tiles' said
    said=$("$NETC" emit "$tmp/few.net" --product "$line" 2>&1 >/dev/null) && echo 'it was accepted'
    [[ $said == *"expected a measurement, "*"found '$line' [E936]"* ]] || echo "found '$said'"
}
# A program that measures and fails, as one for another processor does, is no measurement.
failing() {
    local said
    printf '#!/bin/sh\n[ "$1" = --version ] && exit\nwhile [ "$1" != -o ]; do shift; done\ncp /bin/false "$2"\n' >"$tmp/cc"
    said=$(XDG_CACHE_HOME=$tmp/none CC=$tmp/cc "$NETC" build "$tmp/net.net" -o "$tmp/failing" --tune 2>&1)
    same 'status' 1 $?
    same 'said' 'netc: error: the program that measures failed [E918]' "$said"
    [ ! -e "$tmp/failing" ] || echo 'the network was built'
}
# What a file says is said once, however often it is compiled.
said_once() {
    local said
    local -x NETC_CFLAGS=$quick
    sed 's/^dense 37.*/pool 3/' "$tmp/net.net" >"$tmp/warned.net"
    said=$("$NETC" build "$tmp/warned.net" -o "$tmp/warned" --tune 2>&1) || return
    same 'warnings' 1 "$(grep -c 'warning: ' <<<"$said")"
}
check 'a way that is none' no_such_way
check 'a measurement that fails' failing
check 'said once' said_once
finish
