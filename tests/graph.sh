#!/usr/bin/env bash
# netc graph: every model as a picture whose boxes lie side by side; as text, in which no line is cut.
#
# usage: tests/graph.sh
. "$(dirname "$0")/lib.sh"

branches='input 28x28x1
conv 6 3x3 relu pad same
residual {
    conv 6 3x3 relu pad same
    residual { conv 6 3x3 pad same }
}
concat {
    conv 4 1x1 relu
    concat { conv 2 3x3 pad same } { conv 3 5x5 pad same; batchnorm; relu }
} {
    conv 2 1x1
} {
    residual { conv 6 1x1 } { conv 6 3x3 pad same; batchnorm }
}
residual { conv 8 3x3 stride 2 pad same; relu } { conv 8 1x1 stride 2 }
pool 2
dense 10 softmax
loss cross_entropy'

draws() { # NET [OPTION]
    local layers
    layers=$("$NETC" summary --json "$1" | grep -c '"statement"')
    "$NETC" graph "$@" -o "$tmp/graph.svg" && "$python" tests/python/boxes.py "$tmp/graph.svg" "$((layers - 1))"
    "$NETC" graph "$@" -o "$tmp/graph.dot" && ! grep -vE '^(digraph|    ("|node )|})' "$tmp/graph.dot"
}

# Every layer has a box, every box but the sources' an arrow to it, and every line its end.
draws_text() { # NET [OPTION]
    "$NETC" graph "$@" >"$tmp/graph.txt" || return
    "$NETC" summary --json "$1" | "$python" -c '
import json, sys
text = open(sys.argv[1]).read()
lines = text.split("\n")
for layer in json.load(sys.stdin)["layers"]:
    if layer["name"] != "output" and f"│ {layer['"'name'"']} " not in text:
        print("no box of", layer["name"])
at = lambda x, y: lines[y][x] if 0 <= y < len(lines) and 0 <= x < len(lines[y]) else " "
up, down = set("│┘└┤├┴┼▼"), set("│┐┌┤├┬┼")
for y, line in enumerate(lines):
    for x, c in enumerate(line):
        if c in down and at(x, y + 1) not in up:
            print(f"line {y + 1}: a line ends at column {x + 1} of {line}")
        if c == "▼" and (at(x, y - 1) not in down or at(x, y + 1) != "─"):
            print(f"line {y + 1}: an arrow from or to nothing at column {x + 1}")
' "$tmp/graph.txt"
}

printf '%s\n' "$branches" >"$tmp/branches.net"
# what all gradients meet in
printf '%s\n' 'input 784' 'dense [5 5 5 5 5] relu' 'dense 10 softmax' 'loss cross_entropy' 'clip norm 1' >"$tmp/clip.net"
for net in models/*.net models/lab/*.net "$tmp/branches.net" "$tmp/clip.net"; do
    check "$(basename "$net")" draws "$net"
    check "$(basename "$net"), backward" draws "$net" --backward
    check "$(basename "$net"), as text" draws_text "$net" --backward
done
finish
