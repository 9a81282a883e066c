#!/usr/bin/env bash
# Every row of errors.def: its wrong example gives its code and no other, its right one is accepted;
# and every message of a golden test carries a code.
#
# usage: tests/errors.sh
. "$(dirname "$0")/lib.sh"
ln -s "$NETC" "$tmp/netc"
export NETC_RUNTIME=$lib NETC_CFLAGS=$quick # messages alone are tested
good='param width = 100
data mnist
input 28x28x1
dense width relu
dense 10 softmax
loss cross_entropy'

# CODE<TAB>WRONG<TAB>RIGHT, with newlines and backslashes as \n and \\
rows() {
    { printf '#define ERROR(code, title, wrong, right, remedy) @ #code wrong @ right\n'
      printf '#include "compiler/errors.def"\n'; } | cc -E -P -x c - |
        "$python" -c '
import ast, sys
for row in sys.stdin.read().split("@ \"E")[1:]:
    code, rest = row[:3], row[4:]
    wrong, right = rest.split("@")
    text = lambda t: ast.literal_eval("(" + t.strip() + ")").replace("\\", "\\\\").replace("\n", "\\n")
    print("E" + code, text(wrong), text(right), sep="\t")'
}

# Runs an example in a folder of its own: prints what it prints, and returns its status.
run_example() { # FOLDER EXAMPLE
    mkdir -p "$1"
    printf '%s\n' "$good" >"$1/example.net"
    (cd "$1" && case $2 in
        '$ '*) PATH=$tmp:$PATH timeout 60 bash -c "${2#??}" ;;
        *) printf '%s\n' "$2" >program.net && timeout 10 "$NETC" check program.net ;;
    esac) 2>&1
}

check_wrong() { # CODE EXAMPLE
    local out codes
    out=$(run_example "$tmp/$1-wrong" "$2" | tr -d '\0')
    codes=$(grep -oE '\[E[0-9]{3}\]$' <<<"$out" | sort -u | tr -d '\n')
    # where the C compiler could not be run, the program was not built either
    [ "${codes/%\]\[E916]/]}" = "[$1]" ] ||
        printf 'the wrong example gives %s\n%s\n' "${codes:-no code}" "$out"
}

check_right() { # CODE EXAMPLE
    local out
    out=$(run_example "$tmp/$1-right" "$2") || printf 'the right example fails:\n%s\n' "$out"
}

# Each code is used, and each message on its way to the user has one.
check_sources() {
    local code
    for code in $(grep -oE '^ERROR\( E[0-9]+' compiler/errors.def | cut -c8-); do
        grep -qE "\b$code\b" compiler/*.[ch] grammar/net.[ly] || echo "no message has the code $code"
    done
    ! grep -n '"netc: error' compiler/*.c grammar/net.[ly] | grep -v 'out of memory'
}

check_goldens() {
    ! grep -nE '^[^ ]*: (error|.*: error):' tests/*/*.err tests/*/*.out | grep -vE '\[E[0-9]{3}\]$'
}

while IFS=$'\t' read -r code wrong right; do
    [ -n "$wrong" ] || continue
    start "$code, wrong" check_wrong "$code" "$(printf '%b' "$wrong")"
    [ -z "$right" ] || start "$code, right" check_right "$code" "$(printf '%b' "$right")"
done < <(rows)
check "each code is used, each message has one" check_sources
check "each golden message has a code" check_goldens
finish
