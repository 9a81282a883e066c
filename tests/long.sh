#!/bin/bash
# long.sh: what takes minutes: the goals on the whole of MNIST, whether the checks can fail, all of
# the suites of which `make test` runs a part, and netc by sanitizers.
#
# usage: tests/long.sh [mnist] [faults] [suites] [sanitizers] [pictures]     all without an argument;
#        mnist needs data/mnist
. "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || set -- mnist faults suites sanitizers pictures

# --- the goals: test accuracy on 10,000 pictures --------------------------------------------------

reaches() { # NET EPOCHS LEAST-HITS [SEEDS]: the mean of so many trainings
    local net=$1 epochs=$2 least=$3 seeds=${4:-1} base data seed
    data=data/$(sed -n 's/^data \([a-z]*\)$/\1/p' "$net")
    base=$tmp/$(basename "$net" .net)
    build "$net" "$base" || return
    for ((seed = 1; seed <= seeds; seed++)); do
        quietly "$base" train --data "$data" --out "$base-run/$seed" --quiet --epochs "$epochs" \
            --seed "$seed" || return
    done
    "$python" - "$least" "$epochs" "$base-run"/*/run.json <<'END'
import json, sys
least, epochs, hits = int(sys.argv[1]), int(sys.argv[2]), []
for path in sys.argv[3:]:
    with open(path) as file:
        run = json.load(file)
    test = run["test"]
    hits.append(sum(row[i] for i, row in enumerate(test["confusion"])))
    if test["pictures"] != 10000 or run["configuration"]["training_pictures"] != 60000:
        print(f"this is not the whole of MNIST: {run['configuration']}, {test['pictures']} for the test")
    if len(run["history"]) != epochs:
        print(f"expected {epochs} epochs, found {len(run['history'])}")
if sum(hits) < least * len(hits):
    print(f"expected {least} of 10000, found {hits}")
END
}

is_the_mlp() { # what the goal says of it
    local word
    for word in 'dense 300 relu' 'dense 10 softmax'; do
        grep -q "^$word" models/mlp.net || echo "expected '$word' in models/mlp.net"
    done
    grep -qE '^ *optimizer +adam' models/mlp.net || echo 'expected the optimizer adam'
    grep -qE '^ *batch +100' models/mlp.net || echo 'expected batches of 100'
}

goals() {
    if [ ! -f data/mnist/train-images-idx3-ubyte ]; then
        check 'MNIST is there' echo "expected it in data/mnist: run 'tools/fetch-data mnist'"
        return
    fi
    check 'models/mlp.net is 784-300-10' is_the_mlp
    check 'models/mlp.net: 97.5 % in 5 epochs' reaches models/mlp.net 5 9750
    check 'models/mnist.net: 98.9 % in 5 epochs' reaches models/mnist.net 5 9890
    check 'models/lab/convolution.net: 99.0 % in 10 epochs' reaches models/lab/convolution.net 10 9900
    check 'models/lab/best.net: 99.6 %, the mean of three seeds' reaches models/lab/best.net 36 9960 3
    if [ -f data/fashion/train-images-idx3-ubyte ]; then
        check 'models/fashion.net: 93.5 %' reaches models/fashion.net 30 9350
    else
        skip "data/fashion: run 'tools/fetch-data fashion'"
    fi
}

# --- faults are put into generated C one at a time, and the checks must find each ----------------

finds_fault() { # C-FILE DESCRIPTION
    local binary=${1%.c} rows
    if ! compile "$1" "$binary" -w 2>"$binary.log"; then
        echo "expected C that compiles, found"
        head -5 "$binary.log"
        return
    fi
    for rows in 9 1; do # with one row most blocks are empty
        if ! timeout 100 "$binary" gradcheck --random --rows $rows --samples 60 --threads 1 \
            >"$binary.log" 2>&1; then
            grep -q 'is wrong at' "$binary.log" ||
                echo "expected a wrong gradient, found $(tail -1 "$binary.log")"
            rm -f "$binary" "$1"
            return
        fi
    done
    rm -f "$binary" "$1"
    echo "expected gradcheck to fail, found that it passes"
}

# Signs and numbers of the other functions: PyTorch must disagree.
differs_from_torch() { # C-FILE NET
    local found status
    found=$(same_as_torch "$1" "$2" 1e-9 2>&1)
    status=$?
    case $status:$found in
    0:*': expected '*) ;;        # numbers that differ
    1[0-9][0-9]:*) ;;            # it reads beyond its arrays, or never ends
    0:) echo 'expected PyTorch to disagree, found that it agrees' ;;
    *) printf 'expected numbers that differ, found status %d and %s\n' "$status" "$found" ;;
    esac
    rm -f "$1"
}
mutate_formulas() { # NAME FUNCTIONS OPTIMIZER < layers
    local c=$tmp/$1.c file kind what
    {
        cat
        printf 'optimizer %s\nbatch 30\n' "$3"
    } >"$tmp/$1.net"
    "$NETC" emit --precision f64 "$tmp/$1.net" -o "$c" || exit
    mkdir "$tmp/$1.faults"
    "$python" tests/python/mutants.py "$c" "$tmp/$1.faults" "$2" >"$tmp/$1.list" || exit
    check "$1 has faults" test -s "$tmp/$1.list"
    while IFS=$'\t' read -r file kind what; do
        start "$1: $kind: $what" differs_from_torch "$file" "$tmp/$1.net"
    done <"$tmp/$1.list"
    start "$1 without a fault" same_as_torch "$c" "$tmp/$1.net" 1e-9
}

# Every backward function of a network: all of it first as it is, then with each fault.
mutate() { # NAME < layers
    local c=$tmp/$1.c file kind what
    cat >"$tmp/$1.net"
    echo 'optimizer sgd lr 0.01; batch 9' >>"$tmp/$1.net"
    "$NETC" emit --precision f64 "$tmp/$1.net" -o "$c" || exit
    check "$1 without a fault" right_without_fault "$c"
    mkdir "$tmp/$1.faults"
    "$python" tests/python/mutants.py "$c" "$tmp/$1.faults" >"$tmp/$1.list" || exit
    while IFS=$'\t' read -r file kind what; do
        start "$1: $kind: $what" finds_fault "$file"
    done <"$tmp/$1.list"
    cut -f2 "$tmp/$1.list" >>"$tmp/kinds"
}

right_without_fault() { # C-FILE
    compile "$1" "${1%.c}" && quietly "${1%.c}" gradcheck --random --rows 9 --samples 60 &&
        quietly "${1%.c}" gradcheck --random --rows 1 --samples 60
}

no_kind_is_missing() { # a fault that fits no line of the C checks nothing
    "$python" tests/python/mutants.py | grep -vxF -f "$tmp/kinds" | sed 's/^/expected a place for the fault: /'
    return 0
}

# --- suites, whole --------------------------------------------------------------------------------

whole_suite() { # NAME
    WHOLE=yes JOBS=1 "tests/$1.sh" >"$tmp/$1.out" 2>&1 && return
    cat "$tmp/$1.out"
}

suites() {
    local name
    for name in $(grep -lE '[$]([{])?whole' tests/*.sh); do
        name=$(basename "$name" .sh)
        [ "$name" != long ] || continue
        start "$name, all of it" whole_suite "$name"
    done
}

faults() {
start_torch
mutate convolution <<END
input 28x28x1
conv 3 3x3 tanh stride 2 l2 0.1
pool 3 stride 2
dropout 20%
conv 4 3x3 pad same bias off
batchnorm
relu
avgpool 2
dense 12 sigmoid l2 0.1
dropout 20%
dense 10 softmax
loss cross_entropy
END
mutate overlap <<END
input 28x28x1
conv 2 3x3 stride 3
tanh
avgpool 3 stride 1
conv 3 5x4 bias off
batchnorm
relu
pool 2 stride 1
dense 8 tanh
dense 10 sigmoid
loss binary_cross_entropy
END
mutate dense <<END
input 28x28x1
avgpool 2
dense 130 l2 0.01 bias off
batchnorm
tanh
dense 10 tanh
loss mse
END
# a picture that is copied in parts, whose edges are some parts' alone
quick=$enduring mutate parts <<END
input 28x28x1
conv 6 2x2 tanh stride 2
conv 96 3x1 pad same
pool 7
dense 10 softmax
loss cross_entropy
END
    check 'every kind of fault was put in' no_kind_is_missing

    mutate_formulas forward '\w+_(columns|forward|sums|stats|follow|penalty|infer)' 'sgd lr 0.05' <<END
input 28x28x1
conv 4 5x4 tanh stride 3x2 pad same l2 0.01
batchnorm
pool 3 stride 2
dense 10 softmax
loss cross_entropy
END
    while IFS=: read -r name optimizer; do
        mutate_formulas "update-$name" 'dense1_w_update' "$optimizer" <<END
input 28x28x1
dense 10 softmax
loss cross_entropy
END
    done <<END
sgd:sgd lr 0.1
momentum:sgd lr 0.02 momentum 0.9
nesterov:sgd lr 0.02 momentum 0.9 nesterov on
rmsprop:rmsprop lr 0.001
rmsprop-momentum:rmsprop lr 0.001 momentum 0.5
adam:adam lr 0.001
END
}

# --- sanitizers: netc and the runtime by ASan and UBSan, and texts of chance ------------------------

golden() { # programs that it builds are linked with a runtime of them
    NETC=build/san/netc NETC_CFLAGS='-fsanitize=address -fsanitize=undefined' quietly tests/run.sh
}

units() {
    local unit
    for unit in build/san/tests/unit/test_*[^d]; do
        quietly timeout 300 "$unit"
    done
}

sanitizers() {
    check 'netc with sanitizers' quietly make SAN=1 all tests
    check 'golden tests by it' golden
    check 'unit tests of it' units
    check 'texts of chance' quietly make fuzz
}

# --- pictures: a browser draws them ---------------------------------------------------------------

browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        command -v $name && return
    done
    return 1
}

# A browser puts a note in the page where the XML is broken.
opens() { # FILE.svg
    timeout 60 "$(browser)" --headless --no-sandbox --disable-gpu --dump-dom "file://$1" \
        >"$tmp/dom" 2>"$tmp/browser.log" || cat "$tmp/browser.log"
    grep -q '<svg' "$tmp/dom" || echo 'no svg in the page'
    ! grep -o 'parsererror.*' "$tmp/dom"
}

pictures() {
    local net name
    browser >/dev/null || {
        skip 'there is no chromium'
        return
    }
    for net in models/*.net models/lab/*.net; do
        name=$tmp/$(basename "$net" .net)
        quietly "$NETC" graph "$net" -o "$name.svg"
        quietly "$NETC" graph "$net" --backward -o "$name-backward.svg"
        quietly "$NETC" summary "$net" --plan "$name-plan.svg"
        for name in "$name.svg" "$name-backward.svg" "$name-plan.svg"; do
            check "$(basename "$name") opens" opens "$name"
        done
    done
}

for part; do
    case $part in
    pictures) pictures ;;
    mnist) goals ;;
    faults) faults ;;
    suites) suites ;;
    sanitizers) sanitizers ;;
    *)
        echo "tests/long.sh: unknown part '$part'; there are mnist, faults, suites, sanitizers and pictures" >&2
        exit 2
        ;;
    esac
done
finish
