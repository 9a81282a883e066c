#!/usr/bin/env bash
# The command bench and --profile: what they print adds up; bench/: its networks and its report. No
# figure of speed is tested.
. "$(dirname "$0")/lib.sh"

cat >"$tmp/net.net" <<'END'
data mnist
input 28x28x1
conv 4 3x3 relu
pool 2
dense 20 relu
dense 10 softmax
loss cross_entropy
optimizer adam
batch 50
epochs 1
END

# check_profile FILE KEY STEPS: the parts of a profile add up to its step, and work is the network's
adds_up() { # PROFILE of stdin's last line is at the path $1
    "$python" - "$1" <<'PY'
import json, sys
found = json.load(open(sys.argv[1]))
found = found.get("profile", found)
parts = sum(row["seconds"] for row in found["layers"])
calls = sum(row["seconds"] for row in found["calls"])
step = found["timed_seconds"]
def need(what, good):
    if not good:
        print(what, json.dumps(found))
need("layers and calls differ", abs(parts - calls) < 1e-6 * step)
need("parts and waiting make no step", abs(parts + found["waiting_seconds"] - step) < 1e-6 * step)
need("negative", min(row["seconds"] for row in found["layers"]) > 0)
names = {(row["layer"], row["phase"]) for row in found["layers"]}
need("a layer is missing", {(layer, phase) for layer in ("conv1", "dense1", "dense2")
                            for phase in ("forward", "backward", "update")} <= names)
# forward, and both gradients but the first layer's: a multiply-add is two operations
conv, dense1, dense2 = 26 * 26 * 4 * 9, 13 * 13 * 4 * 20, 20 * 10
expected = 50 * 2 * (2 * conv + 3 * dense1 + 3 * dense2)
need(f"expected {expected} operations in products",
     sum(row["products"] for row in found["layers"]) == expected)
need("peak", found["peak"] > 1e8 and all(m["bytes_per_second"] > 1e6 for m in found["memory"]))
PY
}

one_bench() { # [option...]
    "$tmp/net" bench --json "$@" >"$tmp/bench.json" || return
    adds_up "$tmp/bench.json"
}

says_all() {
    local text
    text=$("$tmp/net" bench --random --steps 8 --threads 2) || return
    for word in 'random pictures' 'conv1 .*forward' 'dense2 .*update' waiting 'GF/s' 'pictures/s'; do
        grep -q "$word" <<<"$text" || printf "expected '%s' in\n%s\n" "$word" "$text"
    done
}

profiles() {
    "$NETC" build "$tmp/net.net" -o "$tmp/profiled" --profile 2>&1 || return
    "$tmp/profiled" train --data "$sample" --out "$tmp/run" --json | tail -n 1 >"$tmp/train.json"
    adds_up "$tmp/train.json" 
    "$tmp/profiled" train --data "$sample" --out "$tmp/run2" | has_line '^waiting' || echo 'no table'
    "$tmp/net" train --data "$sample" --out "$tmp/run3" >/dev/null
    # timing changes no weight
    same_bytes "$tmp/run/weights.safetensors" "$tmp/run3/weights.safetensors"
}

# A rate that overflows ends in a note, not in a step that stops early.
overflows() {
    local said
    said=$("$tmp/net" bench --lr 1e6 --steps 40 --data "$sample" 2>&1 >/dev/null) || return
    [ -z "$said" ] || [[ $said =~ 'note: the loss was not finite' ]] || echo "found '$said'"
}

# The frameworks' side takes minutes and their packages; this is what needs neither.
reports() { # results of a fixed run, with what falls short, what is missing and what has no answer
    "$python" bench/compare.py --report --results tests/bench/results.json --docs "$tmp" || return
    diff -u tests/bench/benchmarks.md "$tmp/benchmarks.md"
    local picture
    for picture in $(sed -n 's/!\[.*](\(.*\))/\1/p' "$tmp/benchmarks.md"); do
        "$python" -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$tmp/$picture" ||
            echo "no picture $picture"
    done
}

# A part measured anew needs the other parts, of the same processor; both are known at once.
part_alone() { # FOLDER PATTERN
    local said
    said=$(timeout 20 "$python" bench/compare.py --rows 50 --docs "$1" 2>&1) && echo 'expected an error'
    [[ $said =~ $2 ]] || echo "expected '$2', found '$said'"
}
refuses_parts() {
    mkdir -p "$tmp/no-results" "$tmp/other"
    echo 'rows' >"$tmp/no-results/benchmarks.md"
    part_alone "$tmp/no-results" "would lose its other parts"
    cp tests/bench/results.json "$tmp/other/benchmarks.json"
    part_alone "$tmp/other" "is of 'a processor', and this is"
    [ ! -e "$tmp/other/benchmarks.md" ] || echo 'a report'
    cmp tests/bench/results.json "$tmp/other/benchmarks.json"
}

workloads() {
    "$python" - "$tmp" <<'PY' || return
import sys
sys.path.insert(0, "bench")
from workloads import CURVES, WORKLOADS, net_text
works = dict(WORKLOADS, **{f"{curve}-{value}": work for curve, (_, of) in CURVES.items() for value, work in of.items()})
for name, work in works.items():
    with open(f"{sys.argv[1]}/workload-{name}.net", "w") as file:
        file.write(net_text(work))
PY
    local net
    for net in "$tmp"/workload-*.net; do
        "$NETC" emit "$net" -o "$tmp/workload.c" 2>&1
        [ -s "$tmp/workload.c" ] || echo "no C of $net"
        rm -f "$tmp/workload.c"
    done
}

# A gradient's rest as whole vectors lies on the stack: not that of all lines of a large picture.
large_pictures() {
    printf '%s\n' 'data npy "x.npy" labels "y.npy"' 'input 600x600x2' 'conv 21 1x1' globalavgpool \
        'dense 10 softmax' 'loss cross_entropy' 'batch 1' >"$tmp/large.net"
    NETC_CFLAGS=$quick build "$tmp/large.net" "$tmp/large" --target x86-64-v3 || return
    quietly "$tmp/large" bench --random --steps 1 --threads 1
}

check 'the report' reports
check 'a part of the report' refuses_parts
check 'the workloads' workloads
check 'build' build "$tmp/net.net" "$tmp/net"
check 'random' one_bench --random --seconds 0.2
check 'real, one thread' one_bench --data "$sample" --threads 1 --steps 16
check 'text' says_all
check 'profile' profiles
check 'overflow' overflows
check 'pictures of 600x600' large_pictures
finish
