#!/bin/bash
# parity.sh: 50 steps or more of training against PyTorch, from the same weights on the same batches.
#
# Losses agree within 1e-4, relatively, in float, and within 1e-9 in double, where a formula that
# differs has nowhere to hide.
#
# A net of relu and max pooling is compared in double alone. A plain background gives thousands
# of pixels one value, which now and then comes to lie at a kink: in PyTorch itself, first weights
# that differ by 1e-7 end there with losses that differ by some per cent after 50 steps. Two pixels of
# a window that agree to 1e-7 are enough: the gradient of either is right, and leads elsewhere.
#
# Pictures go through softsign where any smooth activation does; tanh in double is slow.
. "$(dirname "$0")/lib.sh"
"$python" -c 'import torch, numpy' 2>"$tmp/import" || {
    cat "$tmp/import" >&2
    exit 2
}
start_torch

agrees() { # NAME PRECISION BOUND [adam]
    local c=$tmp/$1-$2.c
    quietly "$NETC" emit --precision "$2" "$tmp/$1.net" -o "$c" || return
    # which warns of more than gcc; what single precision alone has, generated.sh compiles by it
    [ "$2" = f32 ] || clang -std=gnu11 -fsyntax-only -Wall -Wextra -I"$lib" "$c"
    same_as_torch "$c" "$tmp/$1.net" "$3" ${4-}
}

parity() { # NAME PRECISIONS OPTIMIZER [adam] < layers
    local precision bound
    {
        echo 'input 28x28x1'
        cat
        echo "optimizer $3"
        echo "batch ${batch:-30}" # 50 of 30 are the sample's 1,500 pictures
    } >"$tmp/$1.net"
    for precision in $2; do
        bound=1e-9
        [ "$precision" = f64 ] || bound=1e-4
        # two threads wait for a processor in turns where another suite has one of two
        threads=$([ "$precision" = f64 ] && echo 1 || echo 2) \
            start "$1, $precision" agrees "$1" "$precision" $bound ${4-}
    done
}

mlp='dense 100 relu
dense 50 tanh
dense 10 softmax
loss cross_entropy'
# Before batchnorm a bias has a gradient of rounding alone, which adam takes for one: none there.
cnn='conv 8 3x3 bias off
batchnorm
softsign
avgpool 2
conv 12 3x3 softsign pad same
batchnorm
avgpool 3
dense 40 tanh
dense 10 softmax
loss cross_entropy'
flat='conv 4 3x3 stride 3
flatten
batchnorm
dense 10 softmax
loss cross_entropy'
kinks='conv 8 3x3 bias off
batchnorm
relu
pool 2
conv 12 3x3 relu pad same
batchnorm
pool 3 stride 2
dense 40 relu
dense 10 softmax
loss cross_entropy'
mlp_l2='dense 100 relu l2 0.001
dense 50 tanh l2 0.0005
dense 10 softmax
loss cross_entropy'
cnn_l2='conv 8 5x5 l2 0.001
batchnorm
softsign
avgpool 2
dense 40 l2 0.001
batchnorm
relu
dense 10 softmax
loss cross_entropy'

# One row at a time, where zeros are skipped; widths of several spans of vectors and of each rest.
row='dense 300 relu
dense 61 relu
dense 130 tanh
dense 7 relu
dense 10 softmax
loss cross_entropy'
batch=1 steps=400 parity row-sgd 'f32 f64' 'sgd lr 0.02' <<<"$row"
batch=1 steps=400 parity row-momentum 'f32' 'sgd lr 0.01 momentum 0.5' <<<"$row"

# of what differs from others in a formula alone, float has nothing to add
enough=${whole:+f32 }f64

# the bias of a channel does not move the mean of a value alone
parity flat-norm 'f32 f64' 'sgd lr 0.05' <<<"$flat"
while IFS=: read -r name optimizer; do
    if [[ $whole || $name =~ ^(sgd|adam)$ ]]; then
        parity "mlp-$name" 'f32 f64' "$optimizer" <<<"$mlp"
        batch=16 parity "cnn-$name" 'f32 f64' "$optimizer" <<<"$cnn"
    else # which do not ask what layer a weight is of
        parity "mlp-$name" f64 "$optimizer" <<<"$mlp"
    fi
    [[ $whole || $name = adam ]] && batch=16 parity "kinks-$name" f64 "$optimizer" <<<"$kinks"
done <<END
sgd:sgd lr 0.05
momentum:sgd lr 0.01 momentum 0.9
nesterov:sgd lr 0.01 momentum 0.9 nesterov on
rmsprop:rmsprop lr 0.001
rmsprop-momentum:rmsprop lr 0.0005 momentum 0.8 rho 0.95
adam:adam lr 0.001
END
small='dense 30 tanh l1 0.0005 max_norm 1
dense 10 softmax l1 0.0001 l2 0.0003
loss cross_entropy'
while IFS=: read -r name precisions optimizer; do
    parity "small-$name" "$precisions" "$optimizer" <<<"$small"
done <<END
sgd:f64:sgd lr 0.1 weight_decay 0.1 decays weights
rmsprop:f64:rmsprop lr 0.002 centered on weight_decay 0.1
rmsprop-momentum:f32 f64:rmsprop lr 0.001 centered on momentum 0.7; clip norm 0.5
adagrad:f64:adagrad lr 0.02; clip value 0.002
adadelta:f64:adadelta lr 1 rho 0.9
adam:f64:adam lr 0.002 amsgrad on; ema 0.9
adamw:f32 f64:adamw lr 0.002; clip norm 0.3; ema 0.8
nadam:f64:nadam lr 0.002 beta1 0.85
lion:f64:lion lr 0.0005 weight_decay 0.1; clip value 0.01; ema 0.5
END
parity mlp-l2 "$enough" 'sgd lr 0.05 momentum 0.9' <<<"$mlp_l2"
parity mlp-l2-adam "$enough" 'adam lr 0.001 beta1 0.8 beta2 0.99 eps 1e-5' <<<"$mlp_l2"
parity cnn-l2 "$enough" 'sgd lr 0.02 momentum 0.9' <<<"$cnn_l2"
parity mlp-torch-adam "$enough" 'adam lr 0.001 eps 1e-20' adam <<<"$mlp"
parity mlp-binary-cross-entropy "$enough" 'sgd lr 0.5' <<END
dense 60 sigmoid
dense 10 sigmoid
loss binary_cross_entropy
END
parity mlp-mse "$enough" 'adam lr 0.002' <<END
dense 60 relu
dense 10
loss mse
END
weights='class_weights [1 2 3 0.5 1 1 0 1 1 0.1]'
while IFS=: read -r last loss rate; do
    parity "loss-${loss%% *}" f64 "sgd lr $rate momentum 0.9" <<END
dense 30 tanh
dense 10 $last
loss $loss
END
done <<END
softmax:cross_entropy smoothing 0.2 $weights:0.05
sigmoid:binary_cross_entropy smoothing 0.1:0.2
:mae:0.05
tanh:huber delta 0.4:0.2
:hinge $weights:0.05
:categorical_hinge $weights:0.02
softplus:poisson:0.1
END
parity shallow-cnn "$enough" 'sgd lr 0.02' <<END
conv 8 5x5 stride 2
batchnorm
relu
pool 2
dense 40 relu
dense 10 softmax
loss cross_entropy
END
parity branches "$enough" 'sgd lr 0.02 momentum 0.9' <<END
conv 6 3x3 softsign stride 2
repeat 2 {
    residual { conv 6 3x3 pad same bias off; batchnorm; softsign; conv 6 1x1 l2 0.001 }
    tanh
}
concat { conv 4 3x3 softsign pad same; avgpool 3 } { avgpool 3 } { conv 4 3x3 stride 3; batchnorm }
concat { dense 20 tanh; residual { dense 20 tanh l2 0.001 } } { conv 3 2x2 softsign; flatten } { flatten }
dense 10 softmax
loss cross_entropy
END
parity products "$enough" 'sgd lr 0.05 momentum 0.9' <<END
conv 8 3x3 mish stride 2
multiply { globalavgpool; dense 4 relu6; dense 8 sigmoid }
batchnorm
conv 12 3x3 hard_silu stride 2 pad same
multiply { conv 1 5x5 sigmoid pad same }
batchnorm
multiply { conv 6 1x1 } { conv 6 1x1 sigmoid l2 0.001 }
batchnorm
multiply { dense 20 } { dense 20 sigmoid }
batchnorm
mish
dense 10 softmax
loss cross_entropy
END
parity projection "$enough" 'sgd lr 0.05 momentum 0.9' <<END
conv 8 3x3 stride 2 bias off
batchnorm
softsign
residual { conv 12 3x3 softsign stride 2 pad same; conv 12 3x3 pad same } { conv 12 1x1 stride 2 }
softsign
residual { conv 12 3x3 pad same bias off; batchnorm } { }
flatten
residual { dense 30 tanh; dense 20 } { dense 20 l2 0.001 }
dense 10 softmax
loss cross_entropy
END
# where zeros are added and where windows begin, no check of gradients can tell
batch=19 quick=$enduring parity geometry-of-taps 'f32 f64' 'sgd lr 0.06 momentum 0.9' <<END
conv 6 3x2 softsign stride 2 dilation 2x3
depthwise 3x3 stride 2 pad same multiplier 2
batchnorm
softsign
conv 9 3x2 softsign groups 3 dilation 2x1 pad same
depthwise 2x3 softsign dilation 1x2 pad same bias off
conv_transpose 6 3x2 softsign stride 2
conv_transpose 4 4x1 stride 3x2 pad same
batchnorm
softsign
conv_transpose 5 2x3 softsign stride 3x1 bias off
avgpool 4
dense 10 softmax
loss cross_entropy
END
batch=11 parity depthwise 'f32 f64' 'sgd lr 0.1 momentum 0.9' <<END
conv 23 3x3 softsign stride 2
depthwise 3x3 pad same
batchnorm
softsign
depthwise 2x5 softsign stride 2x1
conv 40 1x1
batchnorm
softsign
depthwise 4x1 softsign pad same dilation 2x1 bias off
residual { depthwise 3x2 softsign pad same dilation 3x4 }
depthwise 5x5 pad same stride 2
batchnorm
softsign
avgpool 3
dense 10 softmax
loss cross_entropy
END
batch=11 quick=$enduring parity groups-and-the-way-back 'f32 f64' 'sgd lr 0.1 momentum 0.9' <<END
conv 40 3x3 stride 2
batchnorm
softsign
conv 40 3x3 groups 2 pad same bias off
batchnorm
softsign
conv 48 2x3 softsign groups 8 stride 2x1 pad same
conv 48 3x3 softsign groups 12
conv 48 2x3 groups 24 stride 1x2 pad same
batchnorm
softsign
conv_transpose 20 3x3 softsign stride 2x1 pad same
conv_transpose 24 3x4 pad same
batchnorm
softsign
avgpool 3
dense 10 softmax
loss cross_entropy
END
batch=11 quick=$enduring parity gaps "$enough" 'sgd lr 0.05 momentum 0.9' <<END
conv 6 3x2 softsign dilation 2x3 pad same
conv 19 2x3 softsign dilation 3x2
pool 2
conv 8 4x1 softsign dilation 2 pad same bias off
avgpool 2
dense 10 softmax
loss cross_entropy
END
parity geometry "$enough" 'sgd lr 0.1 momentum 0.9' <<END
conv 6 5x4 tanh stride 3x2 pad same
pool 3 stride 2
conv 8 2x3 tanh stride 2 pad same bias off
conv 8 1x1 relu
avgpool 2 stride 1
dense 10 softmax bias off
loss cross_entropy
END
parity activations 'f32 f64' 'sgd lr 0.05 momentum 0.9' <<END
conv 6 5x5 leaky_relu stride 2
leaky_relu slope 0.05
conv 8 3x3 elu stride 2
elu alpha 0.5
dense 40 selu
dense 40 gelu
dense 40 silu
dense 10 softmax
loss cross_entropy
END
parity activations-that-saturate "$enough" 'rmsprop lr 0.003' <<END
conv 6 5x5 softplus stride 3
softmax
batchnorm
dense 60 softsign
dense 40 hard_sigmoid
softmax
batchnorm
dense 10 softmax
loss cross_entropy
END
# each value is a channel of its own, in training and in inference
parity shapes "$enough" 'sgd lr 0.02' <<END
conv 6 5x5 softsign stride 3
flatten
batchnorm
dense 40
batchnorm
tanh
dense 10 softmax
loss cross_entropy
END
parity resampled "$enough" 'rmsprop lr 0.005' <<END
zeropad 1 bottom 2 left 1
conv 6 5x4 tanh stride 3
upsample 2x3 interpolation bilinear
conv 8 3x3 tanh stride 2
upsample 2x1
crop 1 right 2
conv 10 3x3 tanh
globalavgpool
batchnorm
dense 48
reshape 4x3x4
conv 8 2x2 relu
globalpool
batchnorm
dense 10 softmax
loss cross_entropy
END
parity inception "$enough" 'sgd lr 0.2 momentum 0.9' <<END
conv 8 3x3 softsign stride 2
avgpool 2 pad same
concat { conv 6 1x1 softsign } { avgpool 3 stride 1 pad same; conv 5 1x1 softsign } { avgpool 2x3 stride 1 pad same }
avgpool 3x4 stride 2x3 pad same
dense 10 softmax
loss cross_entropy
END
parity pools-at-borders f64 'sgd lr 0.05 momentum 0.9' <<END
conv 8 3x3 softsign stride 2
pool 3 stride 2 pad same
concat { conv 6 1x1 softsign } { pool 3 stride 1 pad same; conv 5 1x1 } { pool 4x3 stride 1 pad same }
softsign
pool 2 pad same
dense 10 softmax
loss cross_entropy
END
parity within-an-example 'f32 f64' 'sgd lr 0.02 momentum 0.9' <<END
conv 6 5x5 stride 3
layernorm
tanh
conv 8 3x3 stride 2
groupnorm 4
tanh
groupnorm 1 eps 0.1
groupnorm 8
flatten
layernorm eps 1e-5
dense 40
groupnorm 5
tanh
dense 10 softmax
loss cross_entropy
END
# inference makes both in one function
parity norm-after-norm f64 'sgd lr 0.05 momentum 0.9' <<END
conv 6 5x5 stride 3
groupnorm 2
batchnorm
softsign
layernorm
batchnorm
dense 20
groupnorm 4
batchnorm
tanh
dense 10 softmax
loss cross_entropy
END

finish
