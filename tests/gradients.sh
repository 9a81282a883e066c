#!/bin/bash
# gradients.sh: every operation's backward pass against central differences, in double.
#
# The tolerances are gradcheck's own, which are PyTorch's. A check that could not fail is a failure
# here: each tensor must have an element whose gradient is above the absolute tolerance, apart from
# those named as flat: a bias before batchnorm moves the mean alone.
#
# Pictures go through softsign where any smooth activation does: in double tanh is a call of the C
# library for each number, which took three fifths of a check.
#
# clang without passes takes a third of gcc's time for small programs, and says what it thinks of them.
. "$(dirname "$0")/lib.sh"
export CC=clang NETC_CFLAGS=-O0

gradcheck() { # FLAT NAME ROWS...
    local flat=$1 net=$tmp/$2 rows
    shift 2
    build "$net.net" "$net" --precision f64 "${options[@]}" || return
    for rows; do
        "$net" gradcheck --random --rows "$rows" --samples 60 --threads $((rows % 3 ? 1 : 3)) \
            >"$net.out" 2>"$net.err" || {
            echo "gradcheck --rows $rows: expected right gradients, found"
            cat "$net.err"
            grep -v ' ok$' "$net.out"
        }
        awk -v rows="$rows" -v flat="$flat" '
            $3 < 1 { print "rows " rows ": no element checked of: " $0 }
            $10 == 0 && index(" " flat " ", " " $1 " ") == 0 {
                print "rows " rows ": the gradient of every element is near 0: " $0 }
            END { if (NR == 0) print "rows " rows ": no tensor was checked" }' "$net.out"
    done
    rm -f "$net"
}

flat=
options=() # of netc build
# Reads the layers; a net that names no loss gets the usual one.
gradient() { # NAME BATCH ROWS...
    local name=$1 batch=$2 net=$tmp/${1// /-}.net
    shift 2
    {
        echo 'input 28x28x1'
        cat
        echo "optimizer sgd lr 0.01; batch $batch"
    } >"$net"
    grep -q '^loss' "$net" || printf 'dense 10 softmax\nloss cross_entropy\n' >>"$net"
    start "$name" gradcheck "$flat" "${name// /-}" "${@:-$batch}"
}

# For checks that would run for longer than the compiler saves.
long_gradient() {
    CC=gcc NETC_CFLAGS=$enduring gradient "$@"
}

# --- convolution: the first reads one channel, the second has a gradient by its input
for pad in valid same; do
    for stride in 1 2 3x2; do
        kernels='1x1 5x4 3x3'
        [ "$pad $stride" = 'valid 3x2' ] && kernels='3x3 5x4 1x1' # two rows are left for the last
        long= # of many pixels
        [ "$stride" != 1 ] || long=long_
        ${long}gradient "conv $pad stride $stride" 4 <<END
conv [3 4 2] [$kernels] softsign stride $stride pad $pad
END
    done
done
# By transforms, which are not worth it for few channels; those that share a size are all made so.
# Squares of several pictures at a time and of a part of one, the last ones cut at the edge or not
# there.
by_transforms() { # NAME SIDE COUNT: functions that transform what they read
    "$NETC" emit --precision f64 "${options[@]}" "$tmp/$1.net" -o "$tmp/$1.c" || return
    same "transforms in $1" "$3" "$(grep -c " transform_input_f$2(" "$tmp/$1.c")"
}
for side in 2 4; do
    options=(--target x86-64-v3)
    for shape in '7 7 3 3 8 12' '7 7 3 3 12 8' '5 5 3 3 12 8' '5 5 3 3 8 8' '26 26 3 3 8 4' \
        '28 28 3 3 4 8' '26 26 3 3 4 4'; do
        options+=(--product "x86-64-v3 f64 convolution $shape 1 = winograd$side")
    done
    gradient "conv by transforms $side, several pictures" 11 7 11 <<END
conv 8 4x4 softsign stride 4
conv 12 3x3 softsign pad same
conv 8 3x3 softsign
conv 8 3x3 pad same l2 0.01 bias off
END
    gradient "conv by transforms $side, parts of a picture" 2 <<END
conv 8 1x1 softsign
conv 4 3x3 softsign
conv 4 3x3 softsign pad same
crop 1
pool 4
END
    start "all of them are by transforms $side" \
        by_transforms "conv-by-transforms-$side,-several-pictures" "$side" 10
    start "and of the large ones, $side" \
        by_transforms "conv-by-transforms-$side,-parts-of-a-picture" "$side" 7
done
options=()
long_gradient 'conv wider than a cache of columns' 2 <<END
conv 12 5x5 softsign pad same
conv 6 5x5 softsign pad same
pool 4
END
long_gradient 'conv in spans of several vectors' 2 <<END
conv 7 3x3 softsign stride 1x2
conv 19 4x3 softsign stride 1x1
conv 5 5x4 softsign stride 2x1
END
gradient 'conv in spans, strides and padding' 2 <<END
conv 11 3x4 softsign stride 2 pad same
conv 3 7x5 softsign stride 3x1 pad same
END
gradient 'conv of few filters, in many vectors of a line' 2 <<END
reshape 7x112x1
conv 2 1x9 softsign pad same
conv 2 3x3 softsign
END
# pixels that have no usable divisor, that have one, and that are few; channels that fill no vector
gradient 'conv of single pixels' 3 <<END
conv 5 4x4 softsign stride 2
conv 4 1x1 softsign
conv 3 4x4 softsign
conv 9 1x1 softsign
conv 6 1x1 softsign groups 3
conv 4 1x1 softsign bias off
pool 2
conv 4 1x1 softsign
END
# the last panel of 20 is narrower than the others where vectors have 4 numbers, that of 24 where 8
gradient 'conv with weights in panels' 3 <<END
conv 24 7x7 softsign stride 7
conv 24 3x3 softsign dilation 1x2 pad same l2 0.01
conv 20 3x3 softsign stride 2 pad same
END
gradient 'conv as large as its input' 4 <<END
pool 4
conv 5 7x7 softsign
END
gradient 'conv same, kernel larger than its input' 3 <<END
pool 7
conv 3 3x3 softsign
conv 2 5x5 softsign pad same
END

# --- convolution in groups, with gaps, of single channels, and transposed
gradient 'conv in groups, dilated' 4 <<END
conv 6 3x3 softsign stride 3 dilation 2
conv 9 2x2 softsign groups 3 pad same
conv 6 3x2 softsign groups 3 stride 2 dilation 1x2
conv 4 3x3 groups 2 dilation 2 pad same bias off
END
# whole vectors and parts, pixels of gradients that lie apart, and further apart than windows take
long_gradient 'conv in groups of many channels' 3 <<END
conv 6 3x3 softsign stride 3
conv 40 3x3 softsign groups 2 pad same
conv 40 2x3 softsign groups 5 stride 2x1 pad same l2 0.01
conv 48 1x1 softsign groups 8
conv 36 2x2 softsign groups 4 stride 1x3 dilation 2x1
conv 12 3x3 groups 12 stride 4x3 pad same
END
# in vectors of channels: of 44 by one, or by less
long_gradient 'conv in small groups' 3 <<END
conv 44 3x3 softsign stride 3
conv 44 3x3 softsign groups 11 pad same
conv 44 2x3 groups 22 stride 2x1 l2 0.01
conv 44 3x2 softsign groups 22 dilation 2x3 pad same
conv 44 3x3 softsign groups 11 stride 2 dilation 1x2 pad same
conv 44 5x5 softsign groups 11 pad same bias off
END
long_gradient 'windows with gaps' 4 <<END
conv 5 3x3 softsign dilation 3 pad same
conv 18 3x2 softsign dilation 1x4 l2 0.01
conv 7 1x3 softsign dilation 2 pad same bias off
pool 2
conv 4 3x1 softsign dilation 2x5
END
gradient 'windows with gaps and strides' 4 <<END
conv 5 3x3 softsign stride 2
conv 18 3x2 softsign stride 2 dilation 1x3
conv 7 2x3 softsign stride 3x2 dilation 2x1 pad same bias off
END
gradient 'depthwise' 4 <<END
depthwise 3x2 softsign stride 2 multiplier 4
depthwise 3x3 stride 2 dilation 2
softsign
depthwise 3x3 softsign pad same multiplier 2 l2 0.01
depthwise 2x2 softsign pad same stride 2 dilation 1x2
END
# vectors of 4, 2 and one channel, and several of the longest
long_gradient 'depthwise in vectors' 4 <<END
conv 23 3x3 softsign stride 2
depthwise 3x3 softsign pad same
depthwise 2x5 softsign stride 2x1 l2 0.01
depthwise 4x1 softsign pad same dilation 2x1 bias off
depthwise 1x3 softsign pad same stride 1x3
depthwise 3x2 softsign pad same dilation 3x4
END
gradient 'depthwise, kernel larger than its input' 3 <<END
pool 7
conv 3 3x3 softsign
depthwise 5x7 softsign pad same
conv 40 2x2 softsign
depthwise 6x6 softsign pad same
END
gradient 'conv_transpose' 4 <<END
conv 4 5x5 softsign stride 5
conv_transpose 3 3x2 softsign stride 2
conv_transpose 5 2x3 stride 3x1 pad same bias off
conv 3 3x3 softsign stride 3
conv_transpose 2 3x3 softsign pad same
conv_transpose 1 2x2
relu
END

# what is put before a layer's product: copies of channels, weights laid out
long_gradient 'depthwise and conv_transpose in branches' 4 <<END
conv 6 3x3 softsign stride 3
residual { depthwise 3x3 softsign multiplier 3 pad same; conv 6 1x1; residual { conv_transpose 6 3x3 pad same; softsign } }
concat { conv_transpose 4 2x2 softsign stride 2 } { depthwise 2x2 multiplier 2; conv_transpose 5 2x2 stride 2; zeropad 1 } { upsample 2 }
concat { } { conv 20 3x3 groups 5 pad same; residual { conv_transpose 20 1x1; dropout 10% } }
avgpool 2
END

# --- pooling, of 13x13 pixels: some windows leave a remainder, some overlap, some leave gaps
for op in pool avgpool; do
    for window in '3 stride 2' '4 stride 3 pad same' ${whole:+2 '2 stride 3' '5x3 stride 1x2 pad same'}; do
        gradient "$op $window" 4 <<END
conv 3 3x3 softsign stride 2
$op $window
conv 4 1x1 softsign
END
    done
    while IFS=: read -r a b c d; do
        gradient "$op $a, $b, $c and $d" 4 <<END
conv 3 3x3 softsign stride 2
concat { $op $a; conv 2 1x1 softsign; flatten } { $op $b; conv 2 1x1; flatten } {
    $op $c; conv 2 1x1 softsign; flatten } { $op $d; flatten }
END
    done <<'END'
2:2 stride 3:3x2 stride 2x1:13
4 stride 3:2 pad same:5x3 stride 1x2 pad same:3
END
    gradient "$op of two vectors of channels and some more" 4 <<END
conv 21 3x3 softsign stride 3
$op 3 stride 1
$op 2x3 stride 2x3
$op 3 stride 2 pad same
END
    gradient "$op behind relu, twice" 6 <<END
conv 3 3x3 relu
$op 2
$op 3 stride 1
$op 3 pad same
END
done

# --- dense, bias, flatten
gradient 'dense' 6 <<END
avgpool 2
dense 9 tanh
dense 7
dense 11 tanh
END
gradient 'dense without flatten, and with it' 4 <<END
conv 3 3x3 softsign stride 3
flatten
dense 8 tanh
END
gradient 'bias off' 4 <<END
conv 3 3x3 softsign stride 2 bias off
conv 2 3x3 softsign stride 2 bias off
dense 8 tanh bias off
dense 10 softmax bias off
loss cross_entropy
END
gradient 'dense of many inputs and outputs' 3 <<END
dense 257 tanh
dense 129 tanh
END
gradient 'more penalties than a node reads' 4 <<END
avgpool 7
dense 4
repeat 70 { residual { dense 4 tanh l2 0.02 } }
END
# the first one's weights are made part by part, and both by one function
long_gradient 'dense layers that share an outer product' 200 <<END
crop 10
dense 64 tanh
dense 64 tanh
END
gradient 'softmax over all outputs, before flatten' 4 <<END
dense 10
reshape 2x1x5
softmax
flatten
loss cross_entropy
END
gradient 'dense 1' 4 <<END
avgpool 4
dense 1 tanh
END

# --- activations
for activation in relu sigmoid tanh; do
    gradient "$activation, of a layer and as a statement" 4 <<END
conv 3 3x3 $activation stride 2
conv 4 3x3 stride 2
$activation
pool 2
$activation
dense 12 $activation
dense 12
$activation
END
done
for list in 'leaky_relu elu selu gelu' 'silu hard_sigmoid softplus softsign' \
    'gelu silu leaky_relu selu' 'softsign mish elu hard_sigmoid' 'relu6 hard_silu mish softplus' \
    'mish softsign hard_silu relu6'; do
    read -r a b c d <<<"$list"
    gradient "$list" 4 <<END
conv 3 3x3 $a stride 2
conv 4 3x3 $b stride 2
dense 12 $c
dense 12
$d
dense 12
END
done
gradient 'activations with a number' 4 <<END
conv 3 3x3 stride 2
leaky_relu slope 0.3
conv 4 3x3 stride 2
elu alpha 1.5
dense 12 selu
leaky_relu slope 0
dense 12 gelu
elu alpha 0.3
END
gradient 'softmax over channels, over values, and twice' 4 <<END
conv 3 3x3 stride 3
softmax
conv 4 3x3 softmax stride 2
dense 12
flatten
softmax
END
gradient 'softmax of two vectors and some more' 4 <<END
conv 21 3x3 stride 3
softmax
dense 37
softmax
END
gradient 'activations in a row' 4 <<END
conv 3 3x3 stride 2
tanh
relu
sigmoid
dense 12 relu
tanh
silu
silu
gelu
gelu
softplus
END
gradient 'softmax as a statement' 4 <<END
avgpool 4
dense 10
softmax
loss cross_entropy
END

# --- dropout
gradient 'dropout after conv' 4 <<END
conv 3 3x3 relu stride 2
dropout 30%
conv 3 3x3 stride 2
dropout 30%
relu
END
gradient 'dropout after pool' 4 <<END
conv 3 3x3 softsign
pool 2
dropout 25%
conv 3 3x3 softsign
avgpool 2
dropout 50%
END
gradient 'dropout after dense' 5 <<END
dense 20 relu
dropout 50%
dense 20 tanh
dropout 10%
END
gradient 'dropout twice' 5 <<END
conv 3 3x3 relu stride 2
dropout 20%
dropout 40%
dense 20 sigmoid
dropout 30%
dropout 30%
END
gradient 'dropout first, flatten, dropout' 5 <<END
dropout 20%
conv 3 3x3 softsign stride 3
flatten
dropout 30%
END
gradient 'dropout 0%' 4 <<END
dense 20 relu
dropout 0%
END

# --- what is random in training, and what moves values
gradient 'noise and spatial dropout' 4 4 3 <<END
noise 0.1
conv 3 3x3 softsign stride 2
noise 0.1
conv 4 3x3 stride 2
spatial_dropout 30%
noise 0.2
softsign
spatial_dropout 40%
dense 12 relu
noise 0
END
gradient 'zeropad, crop, reshape' 4 <<END
conv 3 3x3 softsign stride 3
zeropad 1 bottom 2 left 1
conv 4 3x3 softsign stride 2
crop 1x0 left 1 top 1
conv 3 2x2 softsign
dense 36
reshape 3x3x4
tanh
zeropad 0x1
spatial_dropout 20%
conv 4 2x2 softsign
flatten
reshape 2x4x4
crop 0 right 1
END
gradient 'values seen in other shapes, and what may take their places' 4 <<END
conv 4 3x3 softsign stride 3
reshape 18x18x1
concat { tanh } { sigmoid } { reshape 18x9x2; conv 2 3x3 pad same; reshape 18x18x1 }
pool 2
concat { reshape 9x3x9; conv 2 3x3 softsign pad same; flatten } { flatten; reshape 3x81x1; tanh; flatten } { flatten }
dense 24 tanh
concat { reshape 4x6x1; noise 0.1; flatten } { reshape 2x3x4; batchnorm; flatten }
reshape 4x4x3
residual { reshape 4x12x1; reshape 8x6x1; softsign; reshape 4x4x3 }
softsign
END
gradient 'upsample' 4 <<END
conv 3 3x3 softsign stride 4
upsample 2
conv 3 3x3 softsign stride 2
upsample 1x3 interpolation bilinear
conv 3 3x3 softsign stride 1x2
crop 1x0
upsample 3x2 interpolation bilinear
softsign
conv 3 3x3 softsign
upsample 2x1
END
for op in globalpool globalavgpool; do
    gradient "$op" 4 <<END
conv 5 3x3 softsign stride 3
$op
dense 6 tanh
END
done

# --- batch normalisation
gradient 'batchnorm behind conv' 4 4 2 <<END
conv 3 3x3 stride 2
batchnorm
relu
conv 4 3x3 stride 2
batchnorm
softsign
END
gradient 'batchnorm behind conv, one picture' 1 <<END
conv 3 3x3 stride 2
batchnorm
softsign
conv 4 3x3 stride 2
batchnorm
softsign
END
gradient 'batchnorm after activation' 4 <<END
conv 3 3x3 relu stride 2
batchnorm
conv 4 3x3 softsign stride 2
batchnorm
dense 12 tanh
batchnorm
END
gradient 'batchnorm behind dense' 6 6 4 <<END
dense 12
batchnorm
tanh
dense 9
batchnorm
sigmoid
END
gradient 'batchnorm after flatten' 6 <<END
conv 2 3x3 softsign stride 3
flatten
batchnorm
dense 9 tanh
END
gradient 'batchnorm after pool, before dropout' 5 <<END
conv 3 3x3 softsign stride 2
pool 2
batchnorm
dropout 30%
conv 3 3x3 softsign
batchnorm
avgpool 2
END
gradient 'batchnorm first' 5 <<END
batchnorm
conv 3 3x3 softsign stride 3
END
gradient 'batchnorm twice' 5 <<END
conv 3 3x3 softsign stride 3
batchnorm
softsign
batchnorm eps 0.1 momentum 50%
END
gradient 'batchnorm before pool, without a bias behind' 5 <<END
conv 3 3x3 stride 2
batchnorm
pool 2
relu
conv 4 3x3 bias off
batchnorm
relu
END

# --- layer and group normalisation
gradient 'layernorm' 4 4 3 <<END
conv 6 3x3 stride 3
layernorm eps 0.1
softsign
conv 3 3x3 stride 2
flatten
layernorm
dense 12
layernorm
tanh
END
gradient 'groupnorm' 4 4 3 <<END
conv 6 3x3 stride 3
groupnorm 3
softsign
groupnorm 6
conv 4 3x3 stride 2
groupnorm 1 eps 0.1
softsign
dense 12
groupnorm 4 eps 0.1
tanh
END

# --- penalties and losses
gradient 'l2' 4 <<END
conv 3 3x3 softsign stride 2 l2 0.1
conv 4 3x3 softsign stride 2 l2 0.01
dense 12 tanh l2 0.05
dense 10 softmax l2 0.2
loss cross_entropy
END
gradient 'l1' 4 <<END
conv 3 3x3 softsign stride 2 l1 0.1
dense 12 tanh l1 0.05 l2 0.02
dense 10 softmax l1 0.01
loss cross_entropy
END
gradient 'l2 of many parts' 3 <<END
dense 130 tanh l2 0.3
END
# no penalty joins a gradient before the last chunk of rows has
gradient 'penalties of a batch in chunks' 513 5 513 <<END
avgpool 7
dense 6 tanh l2 0.05
dense 10 softmax l1 0.02 l2 0.01
loss cross_entropy
END
gradient 'cross_entropy' 5 5 1 <<END
avgpool 2
dense 10 softmax
loss cross_entropy
END
gradient 'binary_cross_entropy' 5 5 1 <<END
avgpool 2
dense 10 sigmoid
loss binary_cross_entropy
END
gradient 'mse, linear' 5 5 1 <<END
avgpool 2
dense 10
loss mse
END
while IFS=: read -r last loss; do
    gradient "$loss" 5 5 1 <<END
avgpool 2
dense 12 tanh
dense 10 $last
loss $loss
END
done <<END
softmax:cross_entropy smoothing 0.2
softmax:cross_entropy class_weights [1 2 3 0.5 1 1 1 1 1 0.1]
sigmoid:binary_cross_entropy smoothing 0.1
:mae
:huber delta 0.3
:hinge class_weights [1 2 3 0.5 1 1 1 1 1 0.1]
:categorical_hinge
:categorical_hinge class_weights [1 2 3 0.5 1 1 1 1 1 0.1]
softplus:poisson
END
while IFS=: read -r last loss; do
    gradient "one output for two classes, $loss" 5 5 1 <<END
data csv "any.csv" label 1
avgpool 2
dense 12 tanh
dense 1 $last
loss $loss
END
done <<END
sigmoid:binary_cross_entropy smoothing 0.1
:hinge class_weights [1 3]
END
for loss in mse mae 'huber delta 0.3' poisson; do
    gradient "numbers to learn, $loss" 5 5 1 <<END
data csv "any.csv" targets "1, 2, 3"
avgpool 2
dense 12 tanh
dense 3 softplus
loss $loss
END
done
for activation in sigmoid tanh relu; do
    gradient "mse, $activation" 5 5 1 <<END
avgpool 2
dense 10 $activation
loss mse
END
done
gradient 'mse behind a hidden layer' 4 <<END
dense 12 tanh
dense 10 tanh
loss mse
END
gradient 'binary_cross_entropy behind a convolution' 4 <<END
conv 3 3x3 relu stride 3
dense 10 sigmoid l2 0.01
loss binary_cross_entropy
END

# --- values that several layers read
long_gradient 'residual of conv and batchnorm, in a repeated block' 4 4 3 <<END
block unit(filters drop) {
    residual {
        conv filters 3x3 pad same
        batchnorm
        relu
        conv filters 3x3 pad same
        dropout drop
    }
    relu
}
conv 4 3x3 relu stride 3
repeat 2 { unit 4 20%; tanh }
END
gradient 'residual in residual, of dense' 5 <<END
dense 12 tanh
residual {
    dense 9 tanh
    residual { residual { dense 9 tanh }; dense 9 }
    dense 12 sigmoid
}
END
gradient 'residual with a second body' 4 3 <<END
conv 3 3x3 softsign stride 3
residual {
    conv 5 3x3 softsign stride 2 pad same
    conv 5 3x3 pad same
    batchnorm
} {
    conv 5 1x1 stride 2
    dropout 20%
}
tanh
residual { } { residual { dropout 20%; conv 4 1x1; tanh } { conv 4 3x3 pad same }; conv 5 1x1 }
residual { dense 9 tanh; dense 12 } { flatten; residual { dense 12 } { dense 12 } }
END
# relu's gradient may see the dropped values for its own only where nothing lies between them
gradient 'relu, something else, dropout' 5 <<END
conv 3 3x3 softsign stride 3
residual { conv 3 3x3 relu pad same }
dropout 30%
dense 20 relu
noise 0.1
dropout 30%
END
# nor may pooling take relu's gradient along where that is not all, or of another value
gradient 'relu, something else, pool' 5 <<END
conv 3 5x5 relu stride 2
noise 0.1
pool 2
conv 4 3x3 pad same
crop 1
concat { relu; pool 2; upsample 2 } { tanh }
END
gradient 'multiply by channels and by pixels' 4 3 <<END
conv 5 3x3 softsign stride 3
multiply { globalavgpool; dense 7 tanh; dense 5 sigmoid }
multiply { conv 1 3x3 sigmoid pad same }
batchnorm
multiply { dense 5 tanh; reshape 1x1x5 } { conv 5 1x1 l2 0.01 }
END
gradient 'multiply each number, in one another' 4 3 <<END
conv 5 3x3 softsign stride 3
batchnorm
multiply { conv 4 1x1; softsign } { conv 4 3x3 sigmoid pad same }
multiply { conv 4 1x1; dropout 20% }
flatten
batchnorm
multiply { dense 9 } { batchnorm; dense 9 sigmoid }
batchnorm
multiply { dense 9 tanh; multiply { tanh } { mish; mish } }
batchnorm
END
gradient 'multiply by channels that lay in a picture' 4 <<END
conv 4 4x4 softsign stride 6
conv 16 1x1 softsign
multiply { conv 4 2x2 softsign stride 3; flatten } { }
END
gradient 'multiply of the input, and of a value by itself' 4 <<END
conv 2 1x1 softsign stride 2
multiply { flatten } { flatten }
reshape 14x14x2
multiply { avgpool 14; conv 1 1x1 sigmoid } { conv 1 3x3 pad same }
multiply { conv 3 1x1 } { }
END
gradient 'concat of dense, conv and the input' 4 <<END
conv 2 3x3 softsign stride 3
concat { dense 7 tanh } { conv 3 3x3 tanh stride 2; flatten } { flatten } { dense 3; batchnorm; relu }
END
long_gradient 'concat of pictures, twice' 4 4 2 <<END
conv 3 3x3 softsign stride 3
repeat 2 {
    concat { conv 2 1x1 relu } { } { avgpool 1; conv 2 [1x1 3x3] tanh pad same } {
        conv 2 3x3 bias off pad same; batchnorm
    }
}
END
flat=conv3_b
gradient 'spatial_dropout before flatten and layernorm' 4 <<END
pool 4
conv 4 3x3
spatial_dropout 30%
flatten
layernorm
END
gradient 'spatial_dropout, one picture' 1 <<END
conv 4 3x3 stride 3
spatial_dropout 30%
relu
END
flat=layernorm1_beta gradient 'layernorm of a row, then batchnorm' 4 <<END
dense 20 tanh
layernorm
batchnorm
END
gradient 'layernorm of a flat picture, batchnorm of its channels' 4 <<END
pool 4
conv 4 3x3 softsign
flatten
layernorm
reshape 5x5x4
batchnorm
END
gradient 'residual behind what lies flat' 4 <<END
conv 4 3x3 relu stride 3
globalavgpool
residual { dense 4 tanh }
END
gradient 'residual behind flatten' 4 <<END
conv 4 3x3 stride 3
pool 3
flatten
residual { dense 36 tanh }
END
gradient 'residual behind flatten, of a picture laid otherwise' 4 <<END
conv 4 3x3 relu stride 3
flatten
residual { reshape 18x18x1; conv 1 3x3 tanh pad same; flatten }
END
gradient 'residual behind a concat that keeps its flat input' 4 <<END
conv 4 3x3 relu stride 3
flatten
concat { } { dense 12 tanh }
residual { reshape 28x12x1; conv 1 3x3 pad same; flatten }
END
gradient 'concat before batchnorm, in residual' 4 <<END
conv 4 3x3 stride 3
batchnorm
residual { concat { conv 2 3x3 tanh pad same } { conv 2 1x1 }; batchnorm; dropout 20% }
dense [9 8] [relu tanh]
END
flat=

# --- batches: whole blocks and remainders, and smaller batches than the compiled one
for batch in 1 4 9 17; do
    gradient "batch $batch, convolution" $batch $batch $(((batch + 1) / 2)) <<END
conv 3 3x3 relu stride 2
pool 2
dropout 20%
conv 4 3x3 softsign
dense 12 relu
END
done
for batch in 4 9 17 64; do
    gradient "batch $batch, normalisation" $batch $batch $((batch - 2)) 2 <<END
conv 3 3x3 stride 3
batchnorm
relu
dense 12 tanh
batchnorm
END
done
gradient 'batch 100 with few rows' 100 3 50 99 <<END
avgpool 4
dense 12 tanh
END

# --- whole networks
[ ! $whole ] || long_gradient 'LeNet' 4 4 3 <<END
conv 6 5x5 softsign pad same
avgpool 2
conv 16 5x5 softsign
avgpool 2
conv 120 5x5 softsign
dense 84 tanh
END
long_gradient 'the laboratory network' 9 9 4 <<END
conv 4 3x3 l2 0.01
batchnorm
relu
pool 2
dropout 20%
conv 6 3x3 l2 0.01
batchnorm
relu
pool 2
dropout 20%
conv 6 3x3 pad same l2 0.01
batchnorm
relu
dropout 30%
dense 26 relu
dense 20 relu
dense 16 tanh
dense 12 tanh
END
[ ! $whole ] || long_gradient 'a small mnist.net' 5 5 2 <<END
conv 4 3x3 relu
pool 2
conv 6 3x3 relu pad same
pool 2 stride 2
dropout 25%
dense 20 relu
dropout 50%
END

finish
