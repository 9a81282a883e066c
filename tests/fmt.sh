#!/usr/bin/env bash
# netc fmt: one layout for all layouts of a program, found in one step, and the same C.
#
# usage: tests/fmt.sh
. "$(dirname "$0")/lib.sh"

# The C without spaces and rules, which follow those of the statements in its comments, and without
# the text that the program keeps.
code_of() { # NET
    "$NETC" emit --target x86-64-v3 "$1" 2>/dev/null | sed '/^ *\.source =/,/",$/d; s/-*$//' | tr -d ' \n'
}

# Formatting keeps the code and changes nothing the second time.
keeps() { # NET
    local net=$tmp/keep/$(basename "$1")
    mkdir -p "$tmp/keep"
    tr -d '\r' <"$1" >"$net"
    code_of "$net" >"$tmp/before"
    [ -s "$tmp/before" ] || { echo "no C is made of $1"; return; }
    "$NETC" fmt "$net" >"$tmp/log" || return
    code_of "$net" | cmp - "$tmp/before"
    cp "$net" "$tmp/first"
    "$NETC" fmt "$net" >"$tmp/log" || return
    cmp "$tmp/first" "$net"
    "$NETC" fmt --check "$net" || echo "--check objects to what fmt has made"
}

# The words of the comments stay, in their order.
keeps_comments() { # NET
    { cat "$1" && echo; } | sed -n 's/^[^#]*#/#/; s/[ \t]*$//; /^#/p' >"$tmp/comments"
    "$NETC" fmt - <"$1" | sed -n 's/^[^#]*#/#/p' | diff - "$tmp/comments"
}

# Whatever the spaces and line ends, the layout is one.
is_canonical() { # NET SEED
    "$NETC" fmt - <"$1" >"$tmp/canonical" || return
    "$python" tests/python/layouts.py stir "$2" <"$tmp/canonical" >"$tmp/stirred"
    "$NETC" fmt - <"$tmp/stirred" | diff "$tmp/canonical" -
}

random_networks() {
    local seed
    for seed in {1..20}; do
        "$python" tests/python/layouts.py make "$seed" >"$tmp/random.net"
        { keeps "$tmp/random.net" && keeps_comments "$tmp/random.net" &&
            is_canonical "$tmp/random.net" "$seed"; } >"$tmp/random.log" 2>&1
        [ -s "$tmp/random.log" ] && { echo "seed $seed:"; cat "$tmp/random.log"; }
    done
    true
}

for net in models/*.net models/lab/*.net; do
    check "$net is in the canonical layout" "$NETC" fmt --check "$net"
    check "$net keeps its code" keeps "$net"
done
for net in tests/parse/good-*.net; do
    check "$net keeps its comments" keeps_comments "$net"
    check "$net has one layout" is_canonical "$net" 1
done
check "random networks keep code and comments, and have one layout" random_networks
finish
