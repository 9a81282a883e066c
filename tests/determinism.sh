#!/bin/bash
# determinism.sh: the same bytes for any number of threads, from run to run, and however often a
# training was stopped; and the same C from any folder, locale and time zone.
. "$(dirname "$0")/lib.sh"

cat >"$tmp/mlp.net" <<END
input 28x28x1
dense 120 relu l2 0.0001
dense 50 tanh
dense 10 softmax
loss cross_entropy
optimizer adam
batch 32
epochs 4
END
cat >"$tmp/cnn.net" <<END
input 28x28x1
conv 8 3x3
batchnorm
relu
pool 2
dropout 20%
concat { conv 8 3x3 relu pad same l2 0.001 } { conv 4 1x1 relu }
residual { conv 12 3x3 groups 3 pad same; batchnorm }
relu
depthwise 3x3 gelu stride 2
groupnorm 4
spatial_dropout 10%
conv_transpose 8 2x2 silu stride 2
noise 0.05
upsample 1x2 interpolation bilinear
layernorm
dropout 30%
dense 40 relu
dropout 50%
dense 10 softmax
loss cross_entropy
optimizer rmsprop lr 0.001 momentum 0.5
batch 40
epochs 4
schedule step at [1 epochs 3 epochs] factor 0.3
validation 10%
augment shift 2 px rotate 10 deg shear 5 deg zoom 10% flip both elastic 1 px cutout 5 px noise 0.05
END
cat >"$tmp/early.net" <<END
input 28x28x1
dense 60 relu max_norm 1 l1 0.00001
dense 10 softmax
loss cross_entropy
optimizer nadam lr 0.01 weight_decay 0.01
batch 30
epochs 4
validation 30%
schedule plateau patience 1 epochs factor 0.7 warmup 50 steps
clip norm 1
ema 0.9
patience 9 epochs
END
# a convolution by transforms, whose weights are kept in two more layouts beside their averages
cat >"$tmp/deep.net" <<END
input 28x28x1
crop 2
pool 4
conv 32 3x3 relu pad same
conv 32 3x3 relu pad same max_norm 3
dense 10 softmax
loss cross_entropy
optimizer adam
batch 30
epochs 4
validation 30%
clip norm 1
ema 0.9
END
# Programs that die where KILL says: tests/determinism/kill.c.
killer=$tmp/kill.o
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Iruntime -c -o "$killer" tests/determinism/kill.c || exit
mortal() { # NET CFLAGS
    NETC_LDFLAGS="$killer -Wl,--wrap=display_step,--wrap=write,--wrap=fsync,--wrap=rename" \
        NETC_CFLAGS=$2 build "$tmp/$1.net" "$tmp/$1"
}
for net in mlp cnn; do # as a user's
    check "$net builds" mortal $net ''
done
check 'early builds' mortal early "$enduring"
transformed() {
    NETC_CFLAGS=$enduring build "$tmp/deep.net" "$tmp/deep" &&
        "$NETC" emit "$tmp/deep.net" | has_line 'conv2_w_transform(part'
}
check 'deep builds, by transforms' transformed

train() { # NET OUT [option...]
    local net=$1 out=$tmp/$2
    shift 2
    quietly "$tmp/$net" train --data "$sample" --out "$out" --quiet "$@"
}
weights() { echo "$tmp/$1/weights.safetensors"; }

# --- threads, and run to run
for net in mlp cnn; do
    check "$net, 1 thread" train $net $net-1 --threads 1
done

same_as_one_thread() { # NET THREADS RUN
    train "$1" "$1-$2$3" --threads "$2" && same_bytes "$(weights "$1-1")" "$(weights "$1-$2$3")"
}
check 'deep, 1 thread' train deep deep-1 --threads 1
for net in mlp cnn deep; do
    for threads in 1 2 3 4 8; do
        start "$net, $threads threads and 1 end alike" same_as_one_thread $net $threads ''
        wait # each run has the processors for itself
    done
    start "$net, 2 threads, once more" same_as_one_thread $net 2 -again
    start "$net, 1 thread, once more" same_as_one_thread $net 1 -again
done
wait

another_seed_differs() { # NET
    train "$1" "$1-seed" --seed 7 &&
        if cmp -s "$(weights "$1-1")" "$(weights "$1-seed")"; then
            echo "expected other weights from --seed 7, found the same"
        fi
}
start 'mlp, another seed' another_seed_differs mlp
start 'cnn, another seed' another_seed_differs cnn

same_answers() { # NET COMMAND [argument...]: for any number of threads
    local net=$1 threads
    shift
    for threads in 1 2 4; do
        "$tmp/$net" "$@" --data "$sample" --out "$tmp/$net-1" --threads $threads --json \
            >"$tmp/$net-$1-$threads" || return
    done
    [ -s "$tmp/$net-$1-1" ] || echo "expected an answer, found none"
    same_bytes "$tmp/$net-$1-1" "$tmp/$net-$1-2" && same_bytes "$tmp/$net-$1-1" "$tmp/$net-$1-4"
}
for net in mlp cnn; do
    start "$net eval, 1, 2 and 4 threads" same_answers $net eval
    start "$net predict, 1, 2 and 4 threads" same_answers $net predict 0 1 2 3 4 5 6 7
done

# What is kept of weights in another layout follows them: the averages, here.
answers_like_direct() {
    NETC_CFLAGS=$enduring build "$tmp/deep.net" "$tmp/deep-direct" --conv direct || return
    for net in deep deep-direct; do
        "$tmp/$net" eval --data "$sample" --out "$tmp/deep-1" --json >"$tmp/$net-eval" || return
    done
    "$python" -c '
import json, math, sys
ours, direct = (json.load(open(path)) for path in sys.argv[1:])
near = math.isclose(ours["loss"], direct["loss"], rel_tol=1e-5)
near and ours["accuracy"] == direct["accuracy"] or print("losses", ours["loss"], direct["loss"])' \
        "$tmp/deep-eval" "$tmp/deep-direct-eval"
}
start 'deep, the answers of direct convolutions' answers_like_direct

# A step that is timed has the bits of one that is not. Columns that fill no vector are what a C
# compiler has many ways with.
timed_like_plain() { # OPTIMIZER
    local net=profiled-${1// /-}
    sed -e 's/dense 120 relu.*/dense 37 relu/' -e '/^dense 50/d' -e "s/^optimizer .*/optimizer $1/" -e 's/epochs 4/epochs 1/' \
        "$tmp/mlp.net" >"$tmp/$net.net"
    build "$tmp/$net.net" "$tmp/$net-plain" && build "$tmp/$net.net" "$tmp/$net-timed" --profile || return
    train "$net-plain" "$net-plain-run" && train "$net-timed" "$net-timed-run" || return
    same_bytes "$(weights "$net-plain-run")" "$(weights "$net-timed-run")"
}
for rule in adam ${whole:+rmsprop 'sgd lr 0.1 momentum 0.9' 'sgd lr 0.1 momentum 0.9 nesterov on'}; do
    start "$rule, timed or not" timed_like_plain "$rule"
done

# --- stopped and resumed
history() { # OUT: count of epochs, and whether each is numbered
    "$python" -c '
import json, sys
history = json.load(open(sys.argv[1]))["history"]
print(len(history), [row["epoch"] for row in history] == list(range(1, len(history) + 1)),
      all(isinstance(row["loss"], float) for row in history))' "$tmp/$1/run.json"
}
resume_in_the_middle() { # NET
    train "$1" "$1-halves" --epochs 2 --threads 2 || return
    same 'history after 2 epochs' '2 True True' "$(history "$1-halves")"
    cmp -s "$(weights "$1-1")" "$(weights "$1-halves")" &&
        echo 'expected other weights after 2 epochs than after 4, found the same'
    train "$1" "$1-halves" --epochs 4 --resume --threads 1 || return
    same_bytes "$(weights "$1-1")" "$(weights "$1-halves")"
    same 'history after 4 epochs' '4 True True' "$(history "$1-halves")"
    train "$1" "$1-halves" --epochs 4 --resume || return # nothing is left to do
    same_bytes "$(weights "$1-1")" "$(weights "$1-halves")"
}
start 'mlp, resumed after 2 of 4 epochs' resume_in_the_middle mlp
start 'cnn, resumed after 2 of 4 epochs' resume_in_the_middle cnn
start 'deep, resumed after 2 of 4 epochs' resume_in_the_middle deep

resume_each_epoch() { # NET
    local epoch
    train "$1" "$1-each" --epochs 1 || return
    for epoch in 2 3 4; do
        train "$1" "$1-each" --epochs $epoch --resume --threads $epoch || return
    done
    same_bytes "$(weights "$1-1")" "$(weights "$1-each")"
    same history '4 True True' "$(history "$1-each")"
}
start 'mlp, resumed after each epoch' resume_each_epoch mlp
start 'cnn, resumed after each epoch' resume_each_epoch cnn

# A file holds rows, whatever the layout that a program keeps them in: small batches have no panels.
other_layout() {
    local net
    sed 's/batch 32/batch 16/' "$tmp/mlp.net" >"$tmp/rows.net"
    for net in mlp rows; do
        "$NETC" emit "$tmp/$net.net" -o "$tmp/$net.layout.c" || return
    done
    local panels='^// [0-9x]+ in panels of'
    same 'tensors in panels' '3 0' "$(grep -cE "$panels" "$tmp/mlp.layout.c") $(grep -cE "$panels" "$tmp/rows.layout.c")"
    build "$tmp/rows.net" "$tmp/rows" && train rows rows-1 --epochs 1 || return
    local run
    for run in mlp-1 rows-1; do # written by either, read by both
        for net in mlp rows; do
            # the mean loss is a sum over batches of another size: its last digits differ
            "$tmp/$net" eval --data "$sample" --out "$tmp/$run" --json |
                sed -E 's/"name":"[a-z]+",//; s/("loss":[0-9]+\.[0-9]{10})[0-9]*/\1/' >"$tmp/$run-$net.eval"
            has_line confusion <"$tmp/$run-$net.eval" || echo "no answer of $net"
        done
        same_bytes "$tmp/$run-mlp.eval" "$tmp/$run-rows.eval"
    done
}
start 'mlp, its weights in another layout' other_layout

# Kills the training again and again: in the middle of steps, and at each call that puts a checkpoint
# on the disk.
killed_and_resumed() { # NET EPOCHS
    local out=$tmp/$1-killed point status resume=
    train "$1" "$1-whole" --epochs "$2" || return
    # an epoch has 34 to 47 steps
    for point in step:60 write:1 write:3 sync:1 sync:2 rename:1 rename:2 rename:3 step:40 step:1; do
        KILL=$point "$tmp/$1" train --data "$sample" --out "$out" --quiet --epochs "$2" \
            --threads 2 $resume >"$out.log" 2>&1 &
        wait $! 2>"$tmp/kill" # which the shell tells of
        status=$?
        same "status of a training that dies at $point" 137 $status
        resume=--resume
    done
    train "$1" "$1-killed" --epochs "$2" --resume || return
    same_bytes "$(weights "$1-whole")" "$(weights "$1-killed")"
    same history "$(history "$1-whole")" "$(history "$1-killed")"
    same 'left over' '' "$(ls "$out" | grep -v -e '^weights.safetensors$' -e '^best.safetensors$' -e '^run.json$' -e '^curves.svg$')"
}
start 'mlp, killed and resumed' killed_and_resumed mlp 60
start 'cnn, killed and resumed' killed_and_resumed cnn 6
start 'early, killed and resumed' killed_and_resumed early 60

# ends by itself, with the bytes of a training that had ended after its best epoch
ends_with_the_best() {
    local best epochs
    train early early-end --epochs 60 || return
    read -r best epochs < <("$python" -c '
import json, sys
losses = [row["validation_loss"] for row in json.load(open(sys.argv[1]))["history"]]
print(losses.index(min(losses)) + 1, len(losses))' "$tmp/early-end/run.json")
    same 'epochs behind the best' 9 $((epochs - best))
    train early early-best --epochs "$best" && same_bytes "$(weights early-end)" "$(weights early-best)"
    train early early-end --resume --epochs 60 && same_bytes "$(weights early-end)" "$(weights early-best)"
}
start 'early, ends with the best weights' ends_with_the_best

# Killed between an epoch's best weights and its last ones: the epoch is complete, also for a training
# that goes on with a rate that would not make it the best again. Folders where files are to be written
# end a training right there.
ended_there() { # OUT [option...]
    ! "$tmp/early" train --data "$sample" --out "$tmp/$1" --quiet --epochs 60 "${@:2}" >"$tmp/ended.log" 2>&1 ||
        echo 'expected a training that fails'
}
fingerprint() { # OUT
    "$tmp/early" export "$tmp/exported" --out "$tmp/$1" | sed 's/.*fingerprint //'
}
completed() {
    local before epoch out
    train early early-long --epochs 60 || return
    before=$("$python" -c '
import json, sys
losses = [row["validation_loss"] for row in json.load(open(sys.argv[1]))["history"]]
print(next(i for i in range(2, len(losses)) if losses[i] < min(losses[:i]) < losses[i - 1]))' \
        "$tmp/early-long/run.json") || return
    mkdir -p "$tmp/early-cut/run.json.tmp"
    for epoch in $(seq "$before"); do
        ended_there early-cut $([ "$epoch" = 1 ] || echo --resume)
    done
    cp -r "$tmp/early-cut" "$tmp/early-uncut"
    mkdir "$tmp/early-cut/weights.safetensors.tmp"
    ended_there early-cut --resume
    rm -r "$tmp"/early-*cut/*.tmp
    cp -r "$tmp/early-cut" "$tmp/early-cut-rate"
    for out in early-cut early-uncut; do
        train early $out --resume --epochs $((before + 1))
    done
    same_bytes "$(weights early-cut)" "$(weights early-uncut)"
    for epoch in 1 3; do
        train early early-cut-rate --resume --epochs $((before + epoch)) --lr 1e-9
    done
    same fingerprint "$(fingerprint early-uncut)" "$(fingerprint early-cut-rate)"
}
start 'early, killed before its last weights' completed

interrupted_and_resumed() { # NET SIGNAL: ends by itself after a step
    local out=$tmp/$1-$2
    KILL=step:60:$2 "$tmp/$1" train --data "$sample" --out "$out" --quiet --epochs 40 \
        >"$out.log" 2>&1
    same status $((128 + $2)) $?
    same 'lines on stderr' 1 "$(wc -l <"$out.log")"
    grep -q "go on with '--resume --epochs 40'" "$out.log" || echo "expected a hint at --resume, found $(cat "$out.log")"
    train "$1" "$1-$2" --resume --epochs 40 && train "$1" "$1-$2-whole" --epochs 40 &&
        same_bytes "$(weights "$1-$2-whole")" "$(weights "$1-$2")"
}
start 'mlp, interrupted by SIGTERM' interrupted_and_resumed mlp 15
interrupted_by_keyboard() {
    # a shell's background jobs ignore SIGINT, so it is sent from Python
    "$python" - "$tmp/mlp" "$sample" "$tmp/mlp-int" <<'END'
import os, signal, subprocess, sys, time
binary, data, out = sys.argv[1:]
child = subprocess.Popen([binary, "train", "--data", data, "--out", out, "--quiet", "--epochs", "400"],
                         stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
while not os.path.exists(out + "/weights.safetensors") and child.poll() is None:
    time.sleep(0.01)
child.send_signal(signal.SIGINT)
text = child.communicate()[1].decode()
if child.returncode != 130 or text.count("\n") != 1 or "--resume" not in text:
    print(f"expected status 130 and a hint at --resume, found {child.returncode} and: {text}")
END
}
start 'mlp, interrupted from the keyboard' interrupted_by_keyboard

# --- the C text
emit() { # C-FILE: of cnn.net, from the running folder
    "$NETC" emit "$tmp/cnn.net" -o "$1"
}
emit "$tmp/first.c"
emitted_alike() { # NAME [NAME=VALUE...]
    local c=$tmp/$1.c
    shift
    quietly env "$@" "$NETC" emit "$tmp/cnn.net" -o "$c" && same_bytes "$tmp/first.c" "$c"
}
elsewhere() { # other folder, other folder's name, relative path
    mkdir -p "$tmp/unlikely-folder/deep" && cp "$tmp/cnn.net" "$tmp/unlikely-folder/deep/cnn.net" &&
        (cd "$tmp/unlikely-folder" && quietly "$NETC" emit deep/cnn.net -o there.c) &&
        same_bytes "$tmp/first.c" "$tmp/unlikely-folder/there.c"
    "$NETC" emit "$tmp/cnn.net" | cmp - "$tmp/first.c"
}
start 'emitted twice' emitted_alike twice A=b
start 'emitted in another time zone' emitted_alike zone TZ=Pacific/Kiritimati
start 'emitted as another user, at another home' emitted_alike user USER=unlikely-user LOGNAME=unlikely-user HOME=/unlikely-home
start 'emitted elsewhere' elsewhere

german=
if locale -a 2>/dev/null | has_line -i '^de_DE.utf-\?8$'; then
    german='LC_ALL=de_DE.UTF-8'
elif localedef -i de_DE -f UTF-8 "$tmp/de_DE.UTF-8" 2>"$tmp/localedef"; then
    german="LOCPATH=$tmp LC_ALL=de_DE.UTF-8"
fi
trained_in_german() {
    quietly env $german "$tmp/mlp" train --data "$sample" --out "$tmp/mlp-german" --quiet &&
        same_bytes "$(weights mlp-1)" "$(weights mlp-german)" &&
        same history '4 True True' "$(history mlp-german)"
}
if [ "$german" ]; then
    start 'emitted with a decimal comma' emitted_alike german $german
    start 'trained with a decimal comma' trained_in_german
else
    skip 'no German locale, nor the means to make one'
fi

names_nothing_of_here() {
    local c=$tmp/unlikely-folder/named.c word
    mkdir -p "$tmp/unlikely-folder"
    cp "$tmp/cnn.net" "$tmp/unlikely-folder/named.net"
    quietly "$NETC" emit "$tmp/unlikely-folder/named.net" -o "$c" || return
    for word in unlikely-folder "$tmp" "$root" "$(dirname "$NETC")" /tmp /home /root \
        "$(date +%Y-%m-%d)" "$(date +%b\ %e\ %Y)" "$(uname -n)" __DATE__ __TIME__ \
        __FILE__ __TIMESTAMP__ '#line'; do
        grep -nF -e "$word" "$c" | sed "s|^|'$word' in line |"
    done
    return 0
}
start 'the C names no folder, date or host' names_nothing_of_here

finish
