#!/bin/bash
# data.sh: programs trained on files of each kind: the same weights whatever the threads and however
# interrupted, metrics as a few lines of Python compute them, and answers to what is wrong.
. "$(dirname "$0")/lib.sh"
export NETC_CFLAGS=$quick

# --- files to train with
"$python" - "$tmp" <<'END' || exit
import os, sys
import numpy
os.chdir(sys.argv[1])
draw = numpy.random.default_rng(1)
words = ["ash", "beech", "elm"]
kind = numpy.repeat(numpy.arange(3), 60)
x = draw.normal(0, 1, (180, 4)) * [1, 10, 0.1, 3] + [5, 0, 100, -2] + kind[:, None] * [2, 10, 0.1, 3]
def table(name, rows):
    with open(name, "w") as out:
        print("length,width,height,weight,tree", file=out)
        for i in rows:
            print(*["%.5f" % v for v in x[i]], words[kind[i]], sep=",", file=out)
table("trees.csv", range(180))
table("check.csv", range(0, 180, 5))
numpy.save("x.npy", (numpy.clip(x[:, :4] + 50, 0, 255)).astype(numpy.uint8))
numpy.save("f.npy", numpy.load("x.npy").astype(numpy.float32))
numpy.save("k.npy", kind)
z = draw.uniform(-1, 1, (200, 3))
with open("sums.csv", "w") as out:
    for a, b, c in z:
        print("%.6f;%.6f;%.6f;%.6f;%.6f" % (a, a + b - c, b, c, a * 0.5 + 3), file=out)
with open("signs.csv", "w") as out:
    for a, b, c in z:
        print("%.6f;%.6f;%.6f;%d;%d" % (a, b, c, a > b, b + c > 0.5), file=out)
END
cd "$tmp" || exit

cat >trees.net <<END
data csv "trees.csv" label tree
input 4
standardize
dense 12 tanh
dense 3 softmax
loss cross_entropy
optimizer adam lr 0.01
batch 25
epochs 8
validation "check.csv"
test 20%
metrics top 2
END
cat >sums.net <<END
data csv "sums.csv" targets "2, 5"
input 3
dense 16 tanh
dense 2
loss mse
optimizer adam lr 0.02
batch 20
epochs 30
test 40 samples
END
cat >bytes.net <<END
data npy "x.npy" labels "k.npy"
input 2x2x1
scale 1
standardize
augment flip horizontal noise 0.1
dropout 10%
dense 3 softmax
loss cross_entropy
epochs 2
test 10%
END
cat >huge.net <<END
data csv "trees.csv" label tree
input 4
dense 3 softmax
loss cross_entropy
optimizer sgd lr 0.0001
batch 25
epochs 2
validation "huge.csv"
test "huge.csv"
metrics top 2
END
cat >signs.net <<END
data csv "signs.csv" targets "4, 5"
input 3
dense 2 sigmoid
loss binary_cross_entropy
optimizer adam lr 0.1
batch 20
epochs 3
test 40 samples
END
start 'huge builds' build huge.net "$tmp/huge"
start 'trees builds' build trees.net "$tmp/trees"
start 'sums builds' build sums.net "$tmp/sums"
start 'bytes builds' build bytes.net "$tmp/bytes"
start 'signs builds' build signs.net "$tmp/signs"
start 'sums in double precision builds' build sums.net "$tmp/sums64" --precision f64
wait

# --- the same weights
train() { # NET OUT [option...]
    local net=$1 out=$2
    shift 2
    quietly "./$net" train --out "$out" --quiet "$@"
}
check 'trees, 1 thread' train trees trees-1 --threads 1
check 'sums, 1 thread' train sums sums-1 --threads 1
check 'bytes, 1 thread' train bytes bytes-1 --threads 1
threads_and_resume() { # NET EPOCHS
    train "$1" "$1-3" --threads 3 && same_bytes "$1-1/weights.safetensors" "$1-3/weights.safetensors"
    train "$1" "$1-half" --epochs $(($2 / 2)) &&
        train "$1" "$1-half" --epochs "$2" --resume --threads 2 &&
        same_bytes "$1-1/weights.safetensors" "$1-half/weights.safetensors"
}
start 'trees, threads and resume' threads_and_resume trees 8
start 'sums, threads and resume' threads_and_resume sums 30
start 'bytes, threads and resume' threads_and_resume bytes 2

# The same numbers, as bytes or as floats, train the same network.
bytes_or_floats() {
    mkdir floats && cp k.npy floats && cp f.npy floats/x.npy
    train bytes bytes-floats --data floats && cmp bytes-1/weights.safetensors bytes-floats/weights.safetensors
}
check 'npy, bytes or floats' bytes_or_floats

# --- metrics, beside Python
facts() { # PROGRAM...: what Python says is wrong
    "$python" -c "$1" "${@:2}"
}
check_trees() {
    ./trees eval --out trees-1 --json >trees.json || return
    # the test examples are those that the program knows by number
    ./trees predict --out trees-1 --json $(seq 0 35) >trees-answers.json || return
    facts '
import json
score, answers = json.load(open("trees.json")), json.load(open("trees-answers.json"))
report = json.load(open("trees-1/run.json"))
names = ["ash", "beech", "elm"]
pairs = [(a["label"], a["class"]) for a in answers]
def same(what, expected, found):
    if abs(expected - found) > 1e-9:
        print(what, "expected", expected, "found", found)
same("pictures", 36, score["pictures"])
same("accuracy", sum(t == p for t, p in pairs) / 36, score["accuracy"])
same("top 2", sum(a["label"] in [b["class"] for b in a["best"][:2]] for a in answers) / 36, score["top_2"])
for k, row in enumerate(score["classes"]):
    hits = sum(t == p == k for t, p in pairs)
    truth, named = sum(t == k for t, p in pairs), sum(p == k for t, p in pairs)
    same("recall", hits / truth, row["recall"])
    same("precision", hits / named, row["precision"])
    same("f1", 2 * hits / (truth + named), row["f1"])
    if row["name"] != names[k]:
        print("class", k, "is called", row["name"])
for a in answers:
    if names[a["label"]] != a["label_name"] or names[a["class"]] != a["name"]:
        print("wrong names in", a)
for key in ("accuracy", "top_2", "confusion", "classes"):
    if report["test"][key] != score[key]:
        print("run.json:", key, report["test"][key], "eval:", score[key])
if score["accuracy"] < 0.7:
    print("accuracy", score["accuracy"])
if report["configuration"]["training_pictures"] != 144 or report["configuration"]["validation_pictures"] != 36:
    print("parts:", report["configuration"])'
}
check 'trees, metrics' check_trees

check_standardize() {
    facts '
import json
import numpy
import files
tensors, metadata = files.safetensors("trees-1/weights.safetensors")
x = numpy.genfromtxt("trees.csv", delimiter=",", skip_header=1, usecols=range(4))
# the training part is not known here, but near that of all; test_formats.c has the exact numbers
for name, expected in (("input_mean", x.mean(0)), ("input_deviation", x.std(0))):
    found = tensors[name]
    if numpy.abs(found - expected).max() > 0.3 * x.std(0).max() or numpy.allclose(found, [0, 0, 0, 0]):
        print(name, expected, found)
if json.loads(metadata["classes"]) != ["ash", "beech", "elm"]:
    print(metadata)'
}
check 'trees, what the weights file holds' check_standardize

check_sums() {
    ./sums eval --out sums-1 --json >sums.json &&
        ./sums predict --out sums-1 --json $(seq 0 39) >sums-answers.json || return
    facts '
import json
score, answers = json.load(open("sums.json")), json.load(open("sums-answers.json"))
errors = [o - t for a in answers for o, t in zip(a["outputs"], a["targets"])]
mse, mae = sum(e * e for e in errors) / 80, sum(map(abs, errors)) / 80
for name, expected in (("mse", mse), ("mae", mae), ("loss", mse)):
    if abs(score[name] - expected) > 1e-6:
        print(name, "expected", expected, "found", score[name])
if mse > 0.05:
    print("nothing was learnt: mse", mse)
history = json.load(open("sums-1/run.json"))["history"]
if history[0]["accuracy"] is not None or history[-1]["loss"] > history[0]["loss"] / 4:
    print(history[0], history[-1])'
    same 'lines of eval' 1 "$(./sums eval --out sums-1 | wc -l)"
    ./sums eval --out sums-1 | has_line -E '^test loss [0-9.e-]+, mse [0-9.e-]+, mae [0-9.e-]+ \(40 examples\)$' ||
        ./sums eval --out sums-1
}
check 'sums, metrics' check_sums
# Answers that are each yes or no have a share of right ones; with one target between, none has.
check_signs() {
    train signs signs-1 && ./signs eval --out signs-1 --json >signs.json &&
        ./signs predict --out signs-1 --json $(seq 0 39) >signs-answers.json || return
    facts '
import json
score, answers = json.load(open("signs.json")), json.load(open("signs-answers.json"))
right = sum((o > 0.5) == t for a in answers for o, t in zip(a["outputs"], a["targets"]))
if score["binary_accuracy"] != right / 80 or not 40 < right < 80:
    print(right, "of 80 are right; found", score)
if "binary_accuracy" in json.load(open("sums.json")):
    print("a regression has binary_accuracy")'
    ./signs eval --out signs-1 | has_line -E '^test loss .*, binary accuracy [0-9.]+% \(40 examples\)$' ||
        ./signs eval --out signs-1
    mkdir soft && sed 's/[01]$/0.5/' signs.csv >soft/signs.csv || return
    ! ./signs eval --out signs-1 --data soft | grep -F 'binary accuracy'
}
check 'signs, metrics' check_signs

# Without a loss a program gives the answers of the one whose weights it takes.
without_loss() { # NET DATA
    grep -v -e '^loss' -e '^test' "$1.net" >"still-$1.net" &&
        quietly "$NETC" build "still-$1.net" -o "still-$1" || return
    "./$1" predict --out "$1-1" "$2" >answers && "./still-$1" predict --out "$1-1" "$2" >still &&
        diff answers still
}
check 'trees, without a loss' without_loss trees check.csv
check 'sums, without a loss' without_loss sums sums.csv
cat >two.net <<END
data csv "two.csv"
input 3
dense 1 sigmoid
loss binary_cross_entropy
metrics top 2
batch 20
epochs 2
test 40 samples
END
two_classes() {
    sed 's/;[01]$//; s/;/,/g' signs.csv >two.csv
    quietly "$NETC" build two.net -o two && train two two-1 && without_loss two two.csv
    ./two eval --out two-1 | has_line -F ', top 2 100.00%, ' || ./two eval --out two-1
    gzip -c two.csv >two.data.gz && ./two predict --out two-1 two.data.gz two.csv >both &&
        same 'answers to a table of another name' 400 "$(wc -l <both)"
}
check 'two classes by one output' two_classes

# A training that never began leaves no folder.
no_folder() {
    ./signs train --data nowhere --out signs-2 2>/dev/null && echo 'it trains without data'
    ./signs train --resume --out signs-2 2>/dev/null && echo 'it goes on with nothing'
    [ ! -e signs-2 ] || echo 'there is a folder'
    mkdir signs-3 && ./signs train --data nowhere --out signs-3 2>/dev/null
    [ -d signs-3 ] || echo 'the folder that was there has gone'
}
check 'no data, no folder' no_folder

# The loss of numbers has any size: each epoch's line has six digits of it, wherever they begin.
digits_of_small_losses() {
    mkdir -p small && sed 's/[0-9][0-9.]*/&e-4/g' sums.csv >small/sums.csv
    ./sums train --data small --out small-1 --epochs 3 >small.out || return
    "$python" -c '
import json, re
lines = re.findall("^epoch .*  loss (\\S+)  [0-9]", open("small.out").read(), re.M)
losses = [epoch["loss"] for epoch in json.load(open("small-1/run.json"))["history"]]
if lines != ["%.6g" % loss for loss in losses]:
    print("expected", losses, "found", lines)'
}
check 'sums, small losses' digits_of_small_losses
check 'sums, gradients' quietly ./sums64 gradcheck --samples 20
check 'sums, gradients of random examples' quietly ./sums64 gradcheck --random --samples 20

# A file may be named twice: all of it is tested with, and no part of the validation is a test.
same_file_twice() {
    sed '/^validation/d; s/^test 20%/test "trees.csv"/; s/^epochs 8/epochs 1/' trees.net >same.net
    NETC_CFLAGS=$quick build same.net same && ./same train --out same-1 | has_line -E 'test accuracy .* \(.* of 180\)' ||
        echo 'the test is not of all 180 examples'
    sed 's/^validation.*/validation "trees.csv"/; s/^epochs 8/epochs 1/' trees.net >same.net
    NETC_CFLAGS=$quick build same.net same && quietly ./same train --out same-2 || return
    has_line -E '"validation_pictures":\s*180' <same-2/run.json || grep _pictures same-2/run.json
}
check 'one file for two parts' same_file_twice

# --- predict takes files
says() { # EXPECTED COMMAND...: a line of its output, or all of what it complains
    local expected=$1
    shift
    "$@" >says.out 2>&1
    grep -qxE -- "$expected" says.out || { echo "expected a line '$expected' of: $*, found"; cat says.out; }
}
fails_with() { # EXPECTED COMMAND...: as says, with status 1 and nothing on stdout
    local expected=$1 status
    shift
    "$@" >fails.out 2>fails.err
    same status 1 $?
    grep -qxE -- "$expected" fails.err || { echo "expected '$expected' of: $*, found"; cat fails.err; }
    same stdout '' "$(cat fails.out)"
}
scores() { # of a loss that takes any outputs
    sed 's/^dense 3 softmax/dense 3/; s/^loss .*/loss categorical_hinge/; s/^epochs 8/epochs 1/' trees.net >scores.net
    NETC_CFLAGS=$quick build scores.net scores && quietly ./scores train --out scores-1 || return
    says 'two.csv, example 2 \(a ash\): [a-z]+, output -?[0-9.]+  \[([a-z]+ -?[0-9.]+(, )?){3}\]' \
        ./scores predict --out scores-1 two.csv
    ./scores predict --out scores-1 two.csv --json >scores.json || return
    facts '
import json
for answer in json.load(open("scores.json")):
    outputs = [best["output"] for best in answer["best"]]
    if "probability" in str(answer) or outputs != sorted(outputs)[::-1] or outputs[0] != answer["output"]:
        print(answer)'
}
head -n 3 trees.csv >two.csv
cut -d, -f1-4 two.csv >bare.csv
check 'a test example' says 'test example 0 \(a [a-z]+\): [a-z]+ with .*' ./trees predict --out trees-1 0
check 'lines with their class' says 'two.csv, example 2 \(a ash\): ash with [0-9.]+%  \[.*\]' ./trees predict --out trees-1 two.csv
check 'lines without' says 'bare.csv, example 1: ash with [0-9.]+%  \[.*\]' ./trees predict --out trees-1 bare.csv
check 'outputs that are no probabilities' scores
check 'an array' says 'f.npy, example 180: [012] with .*' ./bytes predict --out bytes-1 f.npy
check 'two kinds of numbers' says "bytes: error: 'x.npy' holds bytes, and what stands before it does not: predict them apart" \
    ./bytes predict --out bytes-1 f.npy x.npy
check 'a picture for a table' says "trees: error: 'a.png' is no file for this network: it takes lines of a .csv file" \
    ./trees predict --out trees-1 a.png
printf '1,2,3,4\n1,2,tall,4\n' >bad.csv
check 'a wrong number' says "trees: error: 'bad.csv', line 2, column 3: expected a number, found 'tall'" \
    ./trees predict --out trees-1 bad.csv

# --- what is missing
missing() {
    fails_with "trees: error: cannot read 'none.csv': No such file or directory" \
        ./trees predict --out trees-1 none.csv
    fails_with "trees: error: cannot read 'none/trees.csv': .*; '--data DIR' names the folder that it lies in" \
        ./trees eval --out trees-1 --data none
    fails_with "still-trees: error: no weights in 'none/weights.safetensors': name a file with '--weights FILE'" \
        ./still-trees predict --out none two.csv
}
check 'what is missing' missing

# --- shares, and means of squares below the square of the mean, as rounding has them
rounding() {
    seq -f '53.7,%.0f' 100000 100069 >line.csv
    cat >line.net <<END
data csv "line.csv" targets 2
input 1
dense 1
loss mae
optimizer rmsprop centered on rho 0.5
batch 4
epochs 60
validation 90%
END
    build line.net ./line && train line line-1 || return
    same 'pictures trained with' 7 "$(sed -n 's/.*"training_pictures":\s*\([0-9]*\).*/\1/p' line-1/run.json)"
}
check 'rounding' rounding

# --- sums over many pixels, for which a float is too short
many_pixels() {
    "$python" -c '
import numpy
x = numpy.random.default_rng(0).normal(250, 1, (4, 900, 900, 1)).clip(0, 255).round().astype(numpy.uint8)
x[:, 300:400, 50:800] = 20
numpy.save("scan.npy", x)
numpy.save("mean.npy", numpy.ones((4, 1), numpy.float32))
numpy.save("zeros.npy", numpy.zeros((4, 225, 225, 1), numpy.float32))' || return
    local layers targets precision
    while read -r targets layers; do
        printf '%s\n' "data npy \"scan.npy\" targets \"$targets.npy\"" 'input 900x900x1' "$layers" 'loss mse' \
            'optimizer sgd lr 1e-30' 'batch 2' 'test 2 samples' >scan.net
        for precision in f32 f64; do
            NETC_CFLAGS=$quick build scan.net scan --precision $precision && train scan scan-$precision || return
        done
        facts '
import json
a, b = (json.load(open(f"scan-{precision}/run.json"))["test"]["loss"] for precision in ("f32", "f64"))
if abs(a - b) > 2e-5 * b:
    print(f"expected a loss of {b}, as f64 has it, found {a}")'
    done <<END
mean globalavgpool
zeros groupnorm 1; pool 4
END
}
check 'many pixels' many_pixels

# --- columns that are neither inputs nor answers
widened() { # FILE: with words before its columns and behind them
    sed -e '1s/.*/id,&,remarks/' -e '2,$s/.*/a tree,&,"tall, or ""not"""/' "$1"
}
without() {
    widened trees.csv >wide.csv
    widened check.csv >wide-check.csv
    sed 's/^epochs 8/epochs 1/' trees.net >narrow.net
    sed 's/trees.csv" label tree/wide.csv" label tree without "remarks, 1"/; s/check.csv/wide-check.csv/' narrow.net >wide.net
    build narrow.net ./narrow && build wide.net ./wide || return
    train narrow narrow-1 && train wide wide-1 || return
    same fingerprint "$(grep weights_fingerprint narrow-1/run.json)" "$(grep weights_fingerprint wide-1/run.json)"
    head -n 3 wide.csv >two-wide.csv
    cut -d, -f2-5 wide.csv | head -n 3 >two-inputs.csv
    cut -d, -f1-5,7- wide.csv | head -n 3 >two-unknown.csv
    says 'two-wide.csv, example 2 \(a ash\): elm with [0-9.]+%  \[.*\]' ./wide predict --out wide-1 two-wide.csv
    says 'two-inputs.csv, example 2: elm with [0-9.]+%  \[.*\]' ./wide predict --out wide-1 two-inputs.csv
    says 'two-unknown.csv, example 2: elm with [0-9.]+%  \[.*\]' ./wide predict --out wide-1 two-unknown.csv
    local names expected
    while IFS=: read -r names expected; do
        sed -E "s/without \"[^\"]*\"/without $names/" wide.net >wrong.net
        build wrong.net ./wrong && fails_with "wrong: error: 'wide.csv'$expected" ./wrong train --out wrong-1
    done <<'END'
"remarks, note": has no column 'note'; its columns are id, length, width, height, weight, tree, remarks
"remarks, 7":: column '7' is left out twice
"remarks, tree":: column 'tree' is an answer, and is left out
remarks: has 7 columns, 5 of them inputs; the network takes 4 inputs
END
}
check 'columns left out' without

# --- names of classes
named() { # NAME: trees whose first one is called so
    mkdir -p names && head -n 2 trees.csv | sed "2s/ash/$(printf "$1")/" >names/trees.csv
    sed 1,2d trees.csv | sed "s/ash/$(printf "$1")/" >>names/trees.csv
    cp check.csv names && sed -i "s/ash/$(printf "$1")/" names/check.csv
}
names_of_classes() {
    local name
    for name in 'h\xeatre' '\xc0\xafx' '\xed\xa0\x80' '\xf4\x90\x80\x80' 'h\xc3'; do
        LC_ALL=C named "$name"
        says "trees: error: 'names/trees.csv', line 2, column 5: expected the name of a class in UTF-8, found 'h?[?]*[a-z]*'; save it as UTF-8" \
            ./trees train --data names --out names-1
    done
    for name in 'h\xc3\xaatre' '\xe6\x9c\xa8' '\xf0\x9f\x8c\xb3'; do
        LC_ALL=C named "$name"
        train trees names-1 --data names --epochs 1 && "$python" -m json.tool names-1/run.json >names.json
    done
}
check 'names of classes' names_of_classes

# --- outputs that are not numbers
{ head -n 1 trees.csv && printf '3e38,3e38,3e38,-3e38,%s\n' ash beech elm; } >huge.csv
huge_inputs() {
    local score="huge: error: the loss of the test data is not finite: .*"
    fails_with "$score" ./huge train --out huge-1 --quiet
    same 'metrics of validation' 'None None' "$("$python" -c '
import json
report = json.load(open("huge-1/run.json"))
print(report["history"][1]["validation_accuracy"], report.get("test"))')"
    fails_with "$score" ./huge eval --out huge-1
    fails_with "$score" ./huge eval --out huge-1 --json
    for json in '' --json; do
        fails_with "huge: error: 'huge.csv', example 1: the network's outputs are not finite; .*" \
            ./huge predict --out huge-1 huge.csv $json
    done
    fails_with "huge: error: test example '2': the network's outputs are not finite; .*" \
        ./huge predict --out huge-1 2
}
check 'huge inputs' huge_inputs

# --- bytes to learn from, and other numbers to test with
other_numbers_to_test() {
    local message="unlike: error: 'f.npy' holds numbers that are no bytes, and 'x.npy', which the network learns"
    message+=" from, bytes: bytes are multiplied by 1/255, all else is not; 'scale' says by what both are"
    sed '/^scale/d; s/^test.*/test "f.npy" "k.npy"/' bytes.net >unlike.net
    build unlike.net unlike || return
    fails_with "$message" ./unlike train --out unlike-1
    sed 's/^test.*/test "f.npy" "k.npy"/' bytes.net >alike.net
    build alike.net alike && quietly ./alike train --out alike-1
    sed '/^scale/d; s/^test.*/test "x.npy" "k.npy"/' bytes.net >alike.net
    build alike.net alike && quietly ./alike train --out alike-2
    fails_with "${message/unlike/alike}" ./alike predict --out alike-2 f.npy
}
check 'bytes to learn from, other numbers to test with' other_numbers_to_test

# Weights serve any optimizer, which knows some of what another one has remembered.
other_optimizer() {
    local kind
    for kind in 'adam amsgrad on' 'sgd momentum 0.9' rmsprop; do
        NETC_CFLAGS=$quick build sums.net other --set optimizer="$kind" || return
        ./other eval --out sums-1 --json | sed 's/"name":"other"/"name":"sums"/' >other.json
        "$python" -c '
import json
one, other = (json.load(open(name)) for name in ("sums.json", "other.json"))
if abs(one["loss"] - other["loss"]) > 1e-6:
    print(one, other)'
    done
    says "other: error: 'sums-1/weights.safetensors' cannot be continued: its '[a-z0-9_]*' is of another optimizer" \
        ./other train --resume --out sums-1 --epochs 40
}
check 'weights of another optimizer' other_optimizer

# Only the square of the loss is too large: the layers before it are finite, though the weights that
# the transposed convolution reads turned round had gone when the others were looked at.
"$python" - <<END
import numpy
draw = numpy.random.default_rng(3)
numpy.save("large.npy", (draw.uniform(size=(40, 8, 8, 1)) * 1e25).astype(numpy.float32))
numpy.save("large-targets.npy", draw.uniform(size=(40, 10)).astype(numpy.float32))
END
cat >large.net <<END
data npy "large.npy" targets "large-targets.npy"
input 8x8x1
conv 8 3x3
conv_transpose 4 3x3 stride 2
concat { } { batchnorm }
dense 10
loss mse
optimizer sgd lr 0.01
batch 32
END
quietly "$NETC" build large.net -o large
check 'the layer that is not finite' \
    says "large: error: .*not finite in epoch 1, step 1, first in layer 'loss'.*" \
    ./large train --out large-1

finish
