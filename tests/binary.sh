#!/bin/bash
# binary.sh: a trained program and bad input: one clear line, a status that is not 0, and earlier
# files as they were. And its good output, read by others.
. "$(dirname "$0")/lib.sh"
export NETC_CFLAGS=$enduring

cat >"$tmp/model.net" <<END
input 28x28x1
dense 32 relu
dense 10 softmax
loss cross_entropy
optimizer adam
batch 50
epochs 2
END
sed 's/dense 32/dense 31/' "$tmp/model.net" >"$tmp/narrower.net"
sed 's/relu/tanh/' "$tmp/model.net" >"$tmp/tanh.net"
sed 's/adam/sgd/' "$tmp/model.net" >"$tmp/sgd.net"
sed -e 's/ relu//; s/ softmax//; s/cross_entropy/mse/' "$tmp/sgd.net" >"$tmp/linear.net"
for net in model narrower tanh sgd linear; do
    start "$net builds" build "$tmp/$net.net" "$tmp/$net"
done
start 'model in double builds' build "$tmp/model.net" "$tmp/double" --precision f64
wait
model=$tmp/model good=$tmp/good
for net in model narrower tanh sgd linear double; do
    quietly "$tmp/$net" train --data "$sample" --out "$tmp/$net-run" --quiet --threads 1
done
cp -r "$tmp/model-run" "$good"

# --- helpers ------------------------------------------------------------------------------------

kept=$good
state() { find "$kept" -type f -exec md5sum {} + | sort; }
differences() { # as refuses; OUT gets what the command prints
    local out=$1 status=$2 pattern=$3 before found
    shift 3
    before=$(state)
    timeout 60 "$@" >"$out/stdout" 2>"$out/stderr" </dev/null
    found=$?
    [ $found -eq "$status" ] || echo "expected status $status, found $found"
    [ "$(wc -l <"$out/stderr")" -eq 1 ] && [ "$(tail -c 1 "$out/stderr" | wc -l)" -eq 1 ] ||
        echo 'expected one line on stderr'
    grep -qE -e '^[a-z-]+: error: ' "$out/stderr" || echo "expected 'NAME: error: ...'"
    grep -qE -e "$pattern" "$out/stderr" || echo "expected /$pattern/"
    ! grep -qE -e '\.[ch]\b(:|$| )|runtime/|compiler/|Assertion|%[sd]|\(null\)' "$out/stderr" ||
        echo 'expected no word of our source'
    [ "$before" = "$(state)" ] || echo "expected the files in $kept as they were"
}

# The command must fail with one line that says why; all in the folder $kept must stay as it was,
# and nothing may be added to it.
refuses() { # STATUS PATTERN COMMAND...
    local out text
    out=$(mktemp -d -p "$tmp")
    text=$(differences "$out" "$@")
    [ -z "$text" ] || printf '%s\nfound: %s\n' "$text" "$(cat "$out/stderr")"
}
bad() { # NAME STATUS PATTERN COMMAND...
    local name=$1
    shift
    start "$name" in_its_own_copy "$@"
}
in_its_own_copy() { # as refuses; one folder takes one training at a time
    local own
    own=$(mktemp -d -p "$tmp") && cp -r "$kept/." "$own" || return
    kept=$own refuses "${@//$kept/$own}"
    rm -rf "$own"
}

# Python has the last word on bytes: `edit FILE EXPRESSION` replaces the content b.
edit() {
    "$python" -c '
import sys, gzip, struct
path = sys.argv[1]
b = bytearray(open(path, "rb").read())
b = eval(sys.argv[2])
open(path, "wb").write(b)' "$1" "$2" || exit
}
plain() { # NAME: an unpacked copy of the sample
    mkdir "$tmp/$1" && cp "$sample"/*.gz "$tmp/$1" && gunzip "$tmp/$1"/*.gz
}

# --- the data set
plain_edit() { # NAME FILE EXPRESSION PATTERN: for train, and for eval where it reads the file
    plain "$1"
    edit "$tmp/$1/$2" "$3"
    bad "train, $1" 1 "$2.*$4|$4.*$2" "$model" train --data "$tmp/$1" --out "$good" --quiet
    case $2 in t10k*) bad "eval, $1" 1 "$2.*$4" "$model" eval --data "$tmp/$1" --out "$good" ;; esac
}
train_pictures=train-images-idx3-ubyte train_labels=train-labels-idx1-ubyte
test_pictures=t10k-images-idx3-ubyte test_labels=t10k-labels-idx1-ubyte

mkdir "$tmp/empty-folder"
touch "$tmp/a-file"
bad 'train, no data folder' 1 "no data set in '.*nowhere'.*--data" "$model" train --data "$tmp/nowhere" --out "$good"
bad 'eval, no data folder' 1 "no data set in '.*nowhere'.*--data" "$model" eval --data "$tmp/nowhere" --out "$good"
bad 'train, data folder is a file' 1 'not a folder' "$model" train --data "$tmp/a-file" --out "$good"
bad 'train, empty data folder' 1 'is missing' "$model" train --data "$tmp/empty-folder" --out "$good"
for part in $train_pictures $train_labels $test_pictures $test_labels; do
    plain "without-$part"
    rm "$tmp/without-$part/$part"
    bad "train without $part" 1 "$part' is missing" "$model" train --data "$tmp/without-$part" --out "$good"
done
plain_edit empty-file $train_pictures 'b""' 'empty'
plain_edit half-a-header $train_pictures 'b[:10]' 'truncated'
plain_edit cut-pictures $train_pictures 'b[:-1]' 'truncated.*1176000.*1175999'
plain_edit cut-labels $train_labels 'b[:-10]' 'truncated'
plain_edit cut-test-pictures $test_pictures 'b[:5000]' 'truncated'
plain_edit wrong-magic $train_pictures 'b"\x00\x00\x0d\x03" + b[4:]' 'magic number 0x00000803.*0x00000d03'
plain_edit labels-for-pictures $train_labels 'b"\x00\x00\x08\x03" + b[4:]' 'magic number 0x00000801'
plain_edit a-text-file $train_pictures 'b"these are no pictures\n" * 9' 'magic number'
plain_edit other-shape $train_pictures 'b[:8] + struct.pack(">II", 27, 28) + b[16:-28 * 1500]' '27x28.*28x28'
plain_edit other-test-shape $test_pictures 'b[:8] + struct.pack(">II", 28, 14) + b[16:]' '28x14.*28x28'
plain_edit fewer-labels $train_labels 'b[:4] + struct.pack(">I", 1499) + b[8:-1]' '1499 labels for 1500'
plain_edit bytes-behind $train_pictures 'b + b"x"' 'goes on'
plain_edit no-pictures $train_pictures 'b[:4] + struct.pack(">I", 0) + b[8:16]' 'no pictures'
plain_edit absurd-count $train_pictures 'b[:4] + struct.pack(">I", 0xffffffff) + b[8:]' '4294967295'
plain_edit label-out-of-range $train_labels 'b[:17] + b"\x0a" + b[18:]' 'label 10 at index 9'
plain_edit test-label-out-of-range $test_labels 'b[:-1] + b"\xff"' 'label 255 at index 499'

gzipped_edit() { # NAME FILE EXPRESSION PATTERN
    cp -r "$sample" "$tmp/$1"
    edit "$tmp/$1/$2.gz" "$3"
    bad "train, $1" 1 "$2.*$4" "$model" train --data "$tmp/$1" --out "$good" --quiet
}
gzipped_edit gzip-cut-short $train_pictures 'b[: len(b) // 2]' 'cut short'
gzipped_edit gzip-without-its-end $train_labels 'b[:-4]' 'cut short'
gzipped_edit gzip-damaged $train_pictures 'b[:-6] + bytes([b[-6] ^ 1]) + b[-5:]' 'corrupt'
gzipped_edit gzip-of-too-little $train_pictures 'gzip.compress(gzip.decompress(bytes(b))[:-100])' 'truncated'

# --- checkpoints
checkpoint() { # NAME PATTERN: of $tmp/NAME.safetensors, for all that read it
    local out=$tmp/$1-out file=$tmp/$1.safetensors
    mkdir "$out"
    cp "$file" "$out/weights.safetensors"
    kept=$out
    bad "eval, $1" 1 "$2" "$model" eval --data "$sample" --out "$out"
    bad "predict --weights, $1" 1 "$2" "$model" predict 1 --data "$sample" --weights "$file"
    bad "export, $1" 1 "$2" "$model" export "$tmp/never" --out "$out"
    bad "train --resume, $1" 1 "$2" "$model" train --data "$sample" --out "$out" --resume --epochs 9
    kept=$good
}
tampered() { # WHAT PATTERN
    "$python" tests/python/checks.py tamper "$1" "$good/weights.safetensors" "$tmp/$1.safetensors" || exit
    checkpoint "$1" "$2"
}
cp "$tmp/narrower-run/weights.safetensors" "$tmp/narrower.safetensors"
checkpoint narrower "narrower.*another network.*784x31.*784x32|another network.*784x31.*784x32"
cp "$tmp/tanh-run/weights.safetensors" "$tmp/tanh.safetensors"
checkpoint tanh 'another network'
cp "$tmp/double-run/weights.safetensors" "$tmp/in-double.safetensors"
checkpoint in-double 'another network.*F64.*F32'
head -c 20000 "$good/weights.safetensors" >"$tmp/cut.safetensors"
checkpoint cut 'truncated'
head -c 100 "$good/weights.safetensors" >"$tmp/cut-in-header.safetensors"
checkpoint cut-in-header 'truncated'
: >"$tmp/empty.safetensors"
checkpoint empty 'safetensors'
echo 'dear diary, these are no weights' >"$tmp/text.safetensors"
checkpoint text 'safetensors'
tampered nan 'not finite'
tampered offset 'damaged'
tampered length 'safetensors'
tampered json 'safetensors'
tampered longer 'damaged'
bad 'eval, no checkpoint' 1 'no weights in' "$model" eval --data "$sample" --out "$tmp/empty-folder"
bad 'eval --weights, no such file' 1 'nothing.safetensors' "$model" eval --data "$sample" --weights "$tmp/nothing.safetensors"
bad 'train --resume, no checkpoint' 1 'nothing to resume' "$model" train --data "$sample" --out "$tmp/empty-folder" --resume
resumed_without_optimizer() {
    mkdir "$tmp/exported" && quietly "$model" export "$tmp/exported/weights.safetensors" --out "$good" || return
    kept=$tmp/exported refuses 1 'cannot be continued' "$model" train --data "$sample" --out "$tmp/exported" --resume
}
start 'train --resume from an exported file' resumed_without_optimizer
bad 'train --resume with another seed' 1 'seed 1 .*--seed 2' "$model" train --data "$sample" --out "$good" --resume --seed 2
# Folders where files are to be written end a training right there: after one epoch and one more,
# and another one between its best weights and its last ones.
best_of_another_training() { # NAME OPTION FOUND: of the other one
    local run=$tmp/two-runs-$1 end
    sed 's/epochs 2/epochs 9\nvalidation 20%\npatience 5 epochs/' "$tmp/model.net" >"$run.net"
    build "$run.net" "$run-model" || return
    mkdir -p "$run/run.json.tmp"
    for end in '' --resume; do
        fails "$run-model" train --data "$sample" --out "$run" --lr 0.3 --quiet $end
    done
    rmdir "$run/run.json.tmp" && cp -r "$run" "$run-alone" && mkdir "$run/weights.safetensors.tmp"
    fails "$run-model" train --data "$sample" --out "$run" $2 --quiet
    rmdir "$run/weights.safetensors.tmp"
    kept=$run refuses 1 "best.safetensors' is not of the training of .*epoch, 1, of seed 1, found epoch 1 of $3; train anew, without '--resume'" \
        "$run-model" train --data "$sample" --out "$run" --resume
    quietly "$run-model" train --data "$sample" --out "$run-alone" --resume --quiet
}
fails() { # COMMAND...
    ! timeout 60 "$@" >/dev/null 2>&1 || echo "expected a failure of $*"
}
start 'train --resume with the best weights of another seed' best_of_another_training seed '--seed 2' 'seed 2'
start 'train --resume with the best weights of another rate' best_of_another_training rate '--lr 0.2' 'seed 1 with other losses'

# --- places that cannot be written
bad 'train, --out is a file' 1 'a-file' "$model" train --data "$sample" --out "$tmp/a-file"
bad 'train, --out goes through a file' 1 'a-file' "$model" train --data "$sample" --out "$tmp/a-file/run"
bad 'export through a file' 1 'a-file' "$model" export "$tmp/a-file/weights" --out "$good"
bad 'export to a folder that is not there' 1 'nowhere' "$model" export "$tmp/nowhere/weights" --out "$good"
# root may read it all the same, unless it goes without that
as_owner=()
[ "$(id -u)" -ne 0 ] || as_owner=(setpriv --bounding-set=-dac_override,-dac_read_search)
export_to_unreadable() {
    local folder=$tmp/unreadable
    mkdir "$folder" && chmod 333 "$folder" || return
    quietly "${as_owner[@]}" "$model" export "$folder/e.st" --out "$good"
    chmod 755 "$folder"
    same 'in the folder' e.st "$(ls "$folder")"
}
if [ ${#as_owner[@]} -eq 0 ] || "${as_owner[@]}" true 2>"$tmp/setpriv"; then
    start 'export to a folder that cannot be read' export_to_unreadable
else
    skip 'export to a folder that cannot be read: no setpriv'
fi
bad 'export to a device' 1 'not an ordinary file' "$model" export /dev/null --out "$good"
bad 'export over the file it reads' 1 "cannot export to '.*weights.safetensors': the weights are read from it; name another file" \
    "$model" export "$good/weights.safetensors" --out "$good"
exported_over_a_link() {
    local folder=$tmp/linked
    mkdir "$folder" && cp "$good/weights.safetensors" "$folder/a" && ln "$folder/a" "$folder/b" || return
    kept=$folder refuses 1 "cannot export to '.*/b'" "$model" export "$folder/b" --weights "$folder/a"
}
start 'export over a link to the file it reads' exported_over_a_link
bad 'eval --json to a full device' 1 'standard output' bash -c 'exec "$0" "$@" >/dev/full' "$model" eval --data "$sample" --out "$good" --json
bad 'predict to a full device' 1 'standard output' bash -c 'exec "$0" "$@" >/dev/full' "$model" predict 1 2 --data "$sample" --out "$good"
wait # the next ones write to what they keep

full_disk() {
    local disk=$tmp/disk
    mkdir "$disk"
    if mount -t tmpfs -o size=400k tmpfs "$disk" 2>"$tmp/mount"; then
        mkdir "$disk/run"
        cp "$good"/* "$disk/run"
        head -c 300k /dev/zero >"$disk/ballast" 2>"$tmp/mount" # to the brim
        kept=$disk/run refuses 1 "cannot write '.*': No space left" \
            "$model" train --data "$sample" --out "$disk/run" --resume --epochs 3 --quiet
        quietly "$model" eval --data "$sample" --out "$disk/run"
        umount "$disk"
    else
        echo "cannot mount: $(cat "$tmp/mount")"
    fi
}
file_limit() { # as a full disk, without being root
    kept=$tmp/model-run refuses 1 "cannot write '.*': File too large" \
        bash -c 'ulimit -f 64; exec "$0" "$@"' \
        "$model" train --data "$sample" --out "$tmp/model-run" --resume --epochs 3 --quiet
    quietly "$model" eval --data "$sample" --out "$tmp/model-run"
}
if mkdir "$tmp/try" && mount -t tmpfs -o size=4k tmpfs "$tmp/try" 2>"$tmp/mount"; then
    umount "$tmp/try"
    check 'train on a full disk' full_disk
else
    skip 'no right to mount a small disk'
fi
check 'train beyond the largest file' file_limit

too_many_threads() { # for the memory of their stacks
    local words limited='ulimit -v 1000000; exec "$0" "$@"'
    for words in "train --out $good" "eval --out $good" "predict 1 --out $good" 'bench --steps 1'; do
        refuses 1 "cannot start 1024 threads, only [0-9]+: .*; take fewer, with '--threads N'" bash -c "$limited" \
            "$model" $words --data "$sample" --threads 1024
    done
    quietly bash -c "$limited" "$model" eval --data "$sample" --out "$good" --threads 3
}
if grep -q __asan_init "$model"; then
    skip 'a limit of memory, which ASan does not bear'
else
    check 'more threads than can be started' too_many_threads
fi

locked() {
    local fifo=$tmp/lock.fifo
    exec 9<"$good"
    flock -x 9
    refuses 1 'another training' "$model" train --data "$sample" --out "$good" --quiet
    exec 9<&-
}
check 'two trainings in one folder' locked

# --- a loss that is not finite
not_finite_at_once() {
    mkdir "$tmp/diverged"
    kept=$tmp/diverged refuses 1 \
        "not finite in epoch 1, step [0-9]+, first in layer '(dense[12]|loss)'.*learning rate.*nothing is saved" \
        "$tmp/linear" train --data "$sample" --out "$tmp/diverged" --lr 1e6 --quiet
}
# The weights of epoch 2 stay, and run.json tells.
not_finite_later() {
    local run=$tmp/diverges-later
    cp -r "$tmp/linear-run" "$run"
    "$tmp/linear" train --data "$sample" --out "$run" --lr 1e6 --resume --epochs 4 >"$run.out" 2>"$run.err"
    same status 1 $?
    grep -qE "^linear: error: .*not finite in epoch 3, step 6[0-9], first in layer '(dense[12]|loss)'.*epoch 2 is saved" "$run.err" ||
        echo "expected epoch 3, step, layer and what is saved, found $(cat "$run.err")"
    same lines 1 "$(wc -l <"$run.err")"
    same_bytes "$tmp/linear-run/weights.safetensors" "$run/weights.safetensors"
    same run.json 'not finite 2 2' "$("$python" -c '
import json, sys
run = json.load(open(sys.argv[1]))
print(run["status"], run["epochs_completed"], len(run["history"]))' "$run/run.json")"
    quietly "$tmp/linear" eval --data "$sample" --out "$run"
}
start 'a loss that is not finite' not_finite_at_once
start 'a loss that is not finite, with an earlier checkpoint' not_finite_later

# --- the command line: status 2
usage() { # NAME PATTERN ARGUMENT...
    local name=$1 pattern=$2
    shift 2
    bad "$name" 2 "$pattern" "$model" "$@"
}
usage 'unknown command' "unknown command 'tarin'.*did you mean 'train'" tarin
usage 'unknown option' "unknown option '--epoch'.*did you mean '--epochs'" train --epoch 3
usage 'unknown option without a neighbour' "unknown option '--colour'.*--help" train --colour red
usage 'an option of another command' "'--resume' is no option of 'eval'" eval --resume
for option in --data --epochs --lr --seed --threads --out; do
    usage "$option without a value" "'$option' needs a value" train $option
done
usage 'a value for a switch' "'--quiet' takes no value" train --quiet=yes
usage '--epochs 0' "'--epochs' takes a whole number from 1 .*'0'" train --epochs 0
usage '--epochs 1.5' "'--epochs' takes a whole number.*'1.5'" train --epochs 1.5
usage '--epochs 99999999999' "'--epochs' takes .*'99999999999'" train --epochs 99999999999
usage '--threads 0' "'--threads' takes .*'0'" train --threads 0
usage '--lr 0' "'--lr' takes a number above 0.*'0'" train --lr 0
usage '--lr 1e30' "'--lr' takes .*'1e30'" train --lr 1e30
usage '--lr nan' "'--lr' takes .*'nan'" train --lr nan
usage '--lr fast' "'--lr' takes .*'fast'" train --lr fast
usage '--seed -1' "'--seed' takes .*'-1'" train --seed -1
usage 'an empty value' "'--out' takes a folder" train --out=
usage 'one argument too many' "'now' is one argument too many for 'train'" train now
usage 'predict without a picture' "'predict' needs what it works on" predict
bad 'gradcheck in float' 1 'precision f64' "$model" gradcheck --random

# --- predict
printf 'P5\n27 28\n255\n%0756d' 0 >"$tmp/narrow.pgm"
printf 'P5\n28 28\n255\n%0700d' 0 >"$tmp/cut.pgm"
printf 'P9\n28 28\n255\n%0784d' 0 >"$tmp/unknown.pgm"
head -c 150 tests/data/digit-7.png >"$tmp/cut.png"
echo 'no picture' >"$tmp/text.png"
predict() { # NAME PATTERN ARGUMENT
    bad "predict, $1" 1 "$2" "$model" predict "$3" --data "$sample" --out "$good"
    bad "predict, $1 behind a good one" 1 "$2" "$model" predict tests/data/digit-7.png "$3" --data "$sample" --out "$good"
}
predict 'wrong size' '27 wide and 28 high.*28 wide and 28 high' "$tmp/narrow.pgm"
predict 'truncated PGM' 'truncated' "$tmp/cut.pgm"
predict 'unknown PNM' 'neither a PNG nor' "$tmp/unknown.pgm"
predict 'truncated PNG' 'cut.png' "$tmp/cut.png"
predict 'a text file' 'neither a PNG nor' "$tmp/text.png"
predict 'an empty file' 'is empty' "$tmp/a-file"
predict 'no such file' 'nothing.png.*No such file' "$tmp/nothing.png"
predict 'a folder' 'empty-folder' "$tmp/empty-folder"
predict 'index out of range' '0 to 499' 500
predict 'index beyond all numbers' '0 to 499' 99999999999999999999999

same_digit() { # PICTURE DIGIT
    local index
    index=$("$python" tests/python/checks.py index "$sample" "$1") || return
    "$model" predict "$1" --data "$sample" --out "$good" --json >"$tmp/$2.file" || return
    "$model" predict "$index" --data "$sample" --out "$good" --json >"$tmp/$2.index" || return
    "$model" predict "$index" 3 "$1" --data "$sample" --out "$good" --threads 2 --json |
        "$python" -c 'import json, sys; print(json.dumps(json.load(sys.stdin)[2:]))' >"$tmp/$2.third"
    "$python" tests/python/checks.py predictions "$tmp/$2.file" "$tmp/$2.index" "$tmp/$2.third"
    same label "$2" "$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["label"])' "$tmp/$2.index")"
    same 'its class, after two epochs' "$2" \
        "$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["class"])' "$tmp/$2.file")"
}
start 'predict digit-7.png and its index' same_digit tests/data/digit-7.png 7
start 'predict digit-2.pgm and its index' same_digit tests/data/digit-2.pgm 2

# --- what it leaves behind, as others read it
reports_agree() { # NET
    "$tmp/$1" eval --data "$sample" --out "$2" --json >"$tmp/$1.eval" &&
        "$python" tests/python/checks.py report "$2/run.json" "$tmp/$1.eval"
}
weights_are_right() { # NET FOLDER
    local found
    "$NETC" emit "$tmp/$1.net" -o "$tmp/$1.c" || return
    found=$("$python" tests/python/checks.py weights "$2/weights.safetensors" "$tmp/$1.c" 2>"$tmp/$1.hash")
    [ -z "$found" ] || echo "$found"
    same 'fingerprint in run.json' "\"$(cat "$tmp/$1.hash")\"" \
        "$(sed -n 's/.*"weights_fingerprint":\s*\([^,]*\),\?$/\1/p' "$2/run.json")"
}
start 'eval --json and run.json agree' reports_agree model "$good"
start 'eval --json and run.json agree, sgd' reports_agree sgd "$tmp/sgd-run"
start 'weights.safetensors, strictly' weights_are_right model "$good"
start 'weights.safetensors, strictly, sgd' weights_are_right sgd "$tmp/sgd-run"
# The test pictures are read again when the training has ended.
test_files_change() { # PATTERN COMMAND...: what happens to the folder after the first epoch
    # $training: what runs the model, and $epochs how long, where they are set
    local folder=$tmp/data-$BASHPID out=$tmp/changed-$BASHPID pattern=$1 process status
    shift
    cp -r "$sample" "$folder"
    timeout -s KILL 100 ${training-} "$model" train --data "$folder" --out "$out" --quiet \
        --epochs "${epochs:-150}" --threads "${threads:-2}" >/dev/null 2>"$out.err" &
    process=$!
    wait_for "$out/weights.safetensors"
    (cd "$folder" && "$@")
    wait $process
    status=$?
    same status 1 $status
    same lines 1 "$(wc -l <"$out.err")"
    has_line "$pattern" <"$out.err" || cat "$out.err"
    "$model" eval --data "$sample" --out "$out" >"$out.eval" || echo 'the weights are not there'
    rm -rf "$folder" "$out"
}
# On one processor the leader fails before the others have heard that all was well until then.
threads_stay_together() {
    local i one
    one=$(taskset -cp $BASHPID | sed 's/.*: \([0-9]*\).*/\1/')
    for i in 1 2 3 4 5 6; do
        training="timeout -s KILL 20 taskset -c $one" epochs=40 threads=4 test_files_change \
            "'.*t10k-images-idx3-ubyte' is missing" rm t10k-images-idx3-ubyte.gz
    done
}
start 'threads that learn late of what fails' threads_stay_together
start 'test pictures that vanish' test_files_change "'.*t10k-images-idx3-ubyte' is missing" \
    rm t10k-images-idx3-ubyte.gz
start 'test pictures that become more' test_files_change \
    'has changed: it had 500 examples when the training began, and has 1500 now' \
    sh -c 'cp train-images-idx3-ubyte.gz t10k-images-idx3-ubyte.gz; cp train-labels-idx1-ubyte.gz t10k-labels-idx1-ubyte.gz'
prints_json() { # ARGUMENT...: JSON and nothing else
    "$model" "$@" --json 2>"$tmp/json.err" | "$python" -c '
import json, sys
lines = sys.stdin.read().splitlines()
for line in lines:
    json.loads(line, parse_constant=lambda word: sys.exit(f"{word} is no JSON"))
if not lines:
    sys.exit("nothing was printed")' || echo "of $*"
    same "stderr of $*" '' "$(cat "$tmp/json.err")"
}
json_lines() { # every command that has --json
    prints_json info
    prints_json train --data "$sample" --out "$tmp/json-run" --epochs 2
    prints_json eval --data "$sample" --out "$good"
    prints_json predict 1 2 --data "$sample" --out "$good"
}
start '--json prints JSON' json_lines
curves_are_xml() { "$python" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$good/curves.svg"; }
start 'curves.svg is XML' curves_are_xml
helps() {
    local command
    for command in '' train eval predict export info gradcheck; do
        "$model" $command --help >"$tmp/help" 2>"$tmp/help.err" || echo "status $? of $command --help"
        grep -q '^usage: model' "$tmp/help" || echo "expected usage from $command --help"
        same "stderr of $command --help" '' "$(cat "$tmp/help.err")"
    done
}
check 'every command has --help' helps

# Names of files may be any bytes, but JSON, the header of weights and SVG are UTF-8.
names_that_are_no_text() {
    local name=$tmp/$(printf 'h\xe9')
    mkdir "$name" && cp "$tmp/model.net" "$name/$(printf '\xe9').net" && cp tests/data/digit-7.png "$name" &&
        build "$name"/*.net "$name/model" || return
    "$name/model" train --data "$sample" --out "$name/run" --epochs 1 --json >"$name/train.json" &&
        "$name/model" predict --out "$name/run" --json "$name/digit-7.png" >"$name/predict.json" || return
    head -c 2000 "$name/run/weights.safetensors" | grep -aoE '"name":"[^"]*"' >"$name/name.json"
    for file in "$name"/*.json "$name"/run/*.json "$name"/run/*.svg; do
        iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || echo "${file#"$name/"} is not UTF-8"
    done
    same 'name in the weights' '"name":"_"' "$(cat "$name/name.json")"
}
check 'names of files that are not UTF-8' names_that_are_no_text

# Weights of 9.6 MB packed as whole vectors, and sums of 8 MB in lanes, lie on a thread's stack.
large_stacks() {
    local layers i=0
    for layers in 'conv 384 1x1 relu;conv 6 28x28 relu' 'conv 512 2x2 stride 2;conv 3 13x13 pad same'; do
        printf 'input 28x28x1\n%s\ndense 10 softmax\nloss cross_entropy\nbatch 4\n' "${layers/;/$'\n'}" \
            >"$tmp/stacks-$((++i)).net"
        NETC_CFLAGS=-O1 build "$tmp/stacks-$i.net" "$tmp/stacks-$i" --target x86-64-v3 &&
            quietly "$tmp/stacks-$i" bench --steps 1 --random
    done
}
start 'packed weights and lanes on the stack' large_stacks
# An arena that is larger than what the code reaches by itself.
gigabytes() {
    printf '%s\n' 'input 28x28x1' 'upsample 16' 'conv 64 1x1 relu' 'conv 8 3x3 relu' 'avgpool 446' \
        'dense 10 softmax' 'loss cross_entropy' 'batch 64' >"$tmp/gigabytes.net"
    NETC_CFLAGS=-O0 build "$tmp/gigabytes.net" "$tmp/gigabytes"
}
start 'an arena of gigabytes links' gigabytes

# A device stays one.
mknod "$tmp/device" c 1 3 2>/dev/null || mkfifo "$tmp/device"
into_device() {
    "$NETC" build "$net" -o "$tmp/device" 2>&1 |
        has_line -F "netc: error: cannot write '$tmp/device': it is not an ordinary file [E910]"
    [ ! -f "$tmp/device" ] || echo 'it is a file now'
}
check 'a device is no program' into_device

# What a user asks of the C compiler takes nothing from the runtime's exp.
fast_math() {
    printf '%s\n' '#include <math.h>' '#include <stdio.h>' '#include "nn.h"' 'int main(void)' '{' \
        '    for (float x = -20; x < 20; x += 0.01f)' \
        '        if (fabs(nn_expf(x) / exp((double)x) - 1) > 1e-6)' \
        '            return printf("exp of %g is %g\n", (double)x, (double)nn_expf(x)), 1;' '    return 0;' '}' >"$tmp/exp.c"
    local flags
    flags=$(NETC_CFLAGS=-Ofast "$NETC" build -v "$net" -o "$tmp/fast" 2>&1 | grep -oE -- '-Ofast( -f[^ ]*)*')
    ${CC:-cc} -std=gnu11 $flags -Iruntime "$tmp/exp.c" -o "$tmp/exp" -lm && "$tmp/exp"
}
check 'fast mathematics' fast_math

# As an instruction that the processor does not have ends it.
other_processor() {
    "$model" bench --random --seconds 20 >"$tmp/ill.out" 2>&1 &
    local running=$! status i
    for ((i = 0; i < 2000; i++)); do # until it catches signal 4
        (($(sed -n 's/^SigCgt:\s*/0x/p' "/proc/$running/status") & 8)) && break
        sleep 0.01
    done
    kill -ILL "$running"
    wait "$running"
    status=$?
    same status 1 $status
    has_line -F 'error: this program is compiled for another processor' <"$tmp/ill.out" || cat "$tmp/ill.out"
}
check 'a program for another processor' other_processor

# A padded picture of 12 MB lies on a thread's stack.
large_stack() {
    local limited
    printf '%s\n' 'data mnist' 'input 28x28x1' 'conv 512 1x1 relu' 'conv 4 3x3 pad same dilation 32' globalavgpool \
        'dense 10 softmax' 'loss cross_entropy' 'batch 4' >"$tmp/large-stack.net"
    NETC_CFLAGS=$enduring build "$tmp/large-stack.net" "$tmp/large-stack" || return
    quietly "$tmp/large-stack" eval --help
    quietly "$tmp/large-stack" bench --steps 8 --threads 2 --data "$tmp/few" || return
    limited=$(ulimit -Hs 8192 && "$tmp/large-stack" bench --steps 8 --data "$tmp/few" 2>&1)
    same 'exit status of the limited' 1 $?
    grep -q "error: the network needs stacks of 47 MB, more than 'ulimit -Hs' allows" <<<"$limited" ||
        echo "$limited"
}
part_of_sample few 20 20
check 'arrays that are larger than a stack' large_stack
finish
