#!/bin/bash
# learning.sh: short real trainings on the sample: each optimizer and loss, on an MLP and a CNN.
# The loss falls, and 500 pictures never seen are read well for 1,500 that were.
. "$(dirname "$0")/lib.sh"
export NETC_CFLAGS=$enduring

learns() { # NAME LEAST-ACCURACY
    local base=$tmp/$1
    build "$base.net" "$base" || return
    quietly "$base" train --data "$sample" --out "$base-run" --quiet --threads 2 || return
    "$python" - "$base-run/run.json" "$2" <<'END'
import json, sys
with open(sys.argv[1]) as file:
    run = json.load(file)
least, losses = float(sys.argv[2]), [row["loss"] for row in run["history"]]
accuracies = [row["accuracy"] for row in run["history"]]
if not losses[-1] < 0.6 * losses[0]:
    print(f"expected a loss below 0.6 of the first epoch's, found {losses}")
if not accuracies[-1] > accuracies[0]:
    print(f"expected a growing training accuracy, found {accuracies}")
if not run["test"]["accuracy"] >= least:
    print(f"expected a test accuracy of at least {least}, found {run['test']['accuracy']}")
END
}

trained() { # NAME OPTIMIZER EPOCHS LEAST-ACCURACY < layers and loss
    {
        echo 'input 28x28x1'
        cat
        printf 'optimizer %s\nbatch 25\nepochs %d\n' "$2" "$3"
    } >"$tmp/$1.net"
    start "$1" learns "$1" "$4"
}

mlp='dense 100 relu'
cnn='conv 12 3x3
batchnorm momentum 0.9
relu
pool 2
dropout 10%
conv 16 3x3 pad same
batchnorm momentum 0.9
relu
pool 2
dropout 20%
dense 64 relu'
cross_entropy='dense 10 softmax
loss cross_entropy'

while IFS=: read -r name optimizer; do
    [[ $whole || $name =~ ^(rmsprop-momentum|adam)$ ]] || continue # parity.sh has all of them
    trained "mlp-$name" "$optimizer" 8 0.86 <<<"$mlp
$cross_entropy"
    trained "cnn-$name" "$optimizer" 5 0.9 <<<"$cnn
$cross_entropy"
done <<END
sgd:sgd lr 0.05
momentum:sgd lr 0.01 momentum 0.9
nesterov:sgd lr 0.01 momentum 0.9 nesterov on
rmsprop:rmsprop lr 0.001
rmsprop-momentum:rmsprop lr 0.0005 momentum 0.5
adam:adam
END
for loss in binary_cross_entropy mse; do
    trained "mlp-$loss" adam 8 0.86 <<<"$mlp
dense 10 sigmoid
loss $loss"
done
trained cnn-binary_cross_entropy adam 7 0.9 <<<"$cnn
dense 10 sigmoid
loss binary_cross_entropy"
# with relu in front of it, the first steps are so large that most units end at 0 (in PyTorch too)
trained cnn-mse-linear 'adam lr 0.003' 7 0.9 <<<"conv 12 3x3
batchnorm momentum 0.9
relu
pool 2
conv 16 3x3 pad same
batchnorm momentum 0.9
relu
avgpool 2
dense 64 tanh
dense 10
loss mse"
trained mlp-mse-linear 'sgd lr 0.1 momentum 0.9' 8 0.86 <<<"$mlp
dense 10
loss mse"
trained mlp-tanh-l2 adam 8 0.86 <<<"dense 80 tanh l2 0.0005 init he
dropout 20%
dense 40 sigmoid
$cross_entropy"
trained lenet 'adam lr 0.002' 6 0.87 <<<"conv 6 5x5 tanh pad same
avgpool 2
conv 16 5x5 tanh
avgpool 2
flatten
dense 120 tanh
dense 84 tanh
$cross_entropy"

finish
