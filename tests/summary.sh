#!/usr/bin/env bash
# netc summary beside what Keras publishes and PyTorch computes; and its picture is an SVG.
#
# usage: tests/summary.sh
. "$(dirname "$0")/lib.sh"

compare() { # lenet | torch
    "$python" tests/python/summary.py "$NETC" "$1"
}

# Rows add up to the totals, and the time of a measured step is shared out among the layers.
measures() {
    "$NETC" summary --measure --json models/mlp.net >"$tmp/measured.json" || return
    "$python" - "$tmp/measured.json" <<'END'
import json, sys
summary = json.load(open(sys.argv[1]))
layers, total = summary["layers"], summary["total"]
for key in "parameters", "multiply_adds", "activation_bytes", "seconds_estimated":
    found = sum(row[key] for row in layers)
    if abs(found - total[key]) > 1e-9 * total[key]:
        print(f"{key}: the layers have {found} together, the total is {total[key]}")
shares = [row["seconds_measured"] / total["seconds_measured"] for row in layers]
if max(zip(shares, layers), key=lambda pair: pair[0])[1]["name"] != "dense1":
    print("dense1, with 98 % of the multiply-adds, has not the largest measured share")
if min(shares) < 0 or not 0 < sum(shares) <= 1:
    print(f"the layers' shares of the measured step are {shares}")
END
}

draws_plan() { # NET
    "$NETC" summary "$1" --plan "$tmp/plan.svg" >"$tmp/out" 2>&1 || { cat "$tmp/out"; return; }
    "$python" - "$tmp/plan.svg" <<'END'
import sys, xml.etree.ElementTree as xml
root = xml.parse(sys.argv[1]).getroot()
rects = [r for r in root.iter("{http://www.w3.org/2000/svg}rect") if len(r)]
width, height = float(root.get("width")), float(root.get("height"))
for r in rects:
    x, y, w, h = (float(r.get(k)) for k in ("x", "y", "width", "height"))
    if x < 0 or y < 0 or x + w > width or y + h > height:
        print(f"'{r[0].text}' lies outside the picture")
boxes = [[float(r.get(k)) for k in ("x", "y", "width", "height")] for r in rects]
for i, (x, y, w, h) in enumerate(boxes):
    for k in range(i):
        u, v, a, b = boxes[k]
        if min(x + w, u + a) - max(x, u) > 0.02 and min(y + h, v + b) - max(y, v) > 0.6:
            print(f"'{rects[i][0].text}' lies upon '{rects[k][0].text}'")
if len(rects) < 5:
    print(f"only {len(rects)} values are drawn")
END
}

# Convolutions by transforms count as their formula, and 'bench' counts the products that are made:
# a square's places by channels by filters, squares of 2x2 over 10x10 pixels, and of 4x4 over 8x8.
counts_transforms() {
    local way target=x86-64-v3
    printf '%s\n' 'data mnist' 'input 28x28x1' 'conv 32 10x10 stride 2' 'conv 64 3x3 pad same' \
        'conv 64 3x3' 'dense 10 softmax' 'loss cross_entropy' 'batch 32' >"$tmp/squares.net"
    for way in auto direct; do
        "$NETC" summary "$tmp/squares.net" --target $target --conv $way |
            grep '^operations' >"$tmp/$way.operations" || echo "no operations with --conv $way"
    done
    same 'operations' "$(cat "$tmp/direct.operations")" "$(cat "$tmp/auto.operations")"
    NETC_CFLAGS=$quick build "$tmp/squares.net" "$tmp/squares" --target $target &&
        "$tmp/squares" bench --random --json --steps 1 >"$tmp/squares.json" || return
    "$python" - "$tmp/squares.json" <<'END'
import json, sys
def products(places, squares, channels, filters):
    return 2 * 32 * places * squares * channels * filters
made = {(row["layer"], row["phase"]): row["products"] for row in json.load(open(sys.argv[1]))["layers"]}
expected = {("conv2", "forward"): products(16, 25, 32, 64), ("conv2", "backward"): 2 * products(16, 25, 32, 64),
            ("conv3", "forward"): products(36, 4, 64, 64),
            ("conv3", "backward"): products(36, 4, 64, 64) + products(16, 25, 64, 64)}
for key, number in expected.items():
    if made[key] != number:
        print(f"{key}: expected {number} multiplications and additions, found {made[key]}")
END
}

check 'convolutions by transforms are counted' counts_transforms
check "LeNet-5 has Keras' shapes and parameters" compare lenet
check "60 random networks have PyTorch's shapes and parameters" compare torch
check "the time of each layer is measured" measures
for net in models/*.net models/lab/*.net; do
    check "the plan of $net is drawn" draws_plan "$net"
done
finish
