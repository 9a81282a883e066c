#!/bin/bash
# networks.sh: networks drawn at random: beside PyTorch; the same bits for any number of threads.
# What is drawn depends on the seed alone.
#
# NETC_CFLAGS goes to the programs of the threads: -fsanitize=undefined,address finds what is out of
# bounds.
#
# usage: tests/networks.sh [COUNT [SEED]]     so many, of this seed and of those that follow it
#        tests/networks.sh shrink SEED        the least part of that one's net that differs as well
#        tests/networks.sh net FILE SEED      what is wrong with a net, with that seed's settings
. "$(dirname "$0")/lib.sh"
networks=tests/python/networks.py
targets=(native x86-64-v2 x86-64-v3 x86-64-v4 armv8 portable)

target_of() { # SEED
    echo "${targets[$1 % ${#targets[@]}]}"
}

# Seven, or what there is in a data set of 1500 pictures, and one of a part of a batch.
steps_of() { # NET SEED
    local batch steps
    batch=$(sed -n 's/^batch //p' "$1")
    steps=$((1499 / batch < 7 ? 1499 / batch : 7))
    echo $steps+$((batch > 1 && $2 % 2 ? $2 / 2 % (batch - 1) + 1 : 0))
}

is_smooth() { # NET
    ! grep -qE '\<(pool|globalpool|relu|leaky_relu|hard_sigmoid|selu|alpha|mae)\>|hinge' "$1"
}

# Random bytes where a number may lie at a kink; otherwise pictures whose zeros are left out.
data_of() { # NET
    if ! is_smooth "$1" || grep -q npy "$1"; then
        echo "$tmp/data"
    else
        echo "$sample"
    fi
}

# The first steps, in double: later ones magnify what is rounded otherwise.
beside_torch() { # NET SEED
    local c=${1%.net}.c gemm=tile
    [ $(($2 % 7)) -ne 3 ] || gemm=blas
    quietly "$NETC" emit --precision f64 --gemm $gemm --target "$(target_of "$2")" "$1" -o "$c" ||
        return
    clang -std=gnu11 -fsyntax-only -Wall -Wextra -I"$lib" "$c" # which warns of more than gcc
    data=$(data_of "$1") steps=$(steps_of "$1" "$2") threads=$(($2 / ${#targets[@]} % 3 + 1)) \
        same_as_torch "$c" "$1" 1e-8 few
}

same_bits() { # NET SEED
    local base=${1%.net} threads
    quietly "$NETC" emit --target "$(target_of "$2")" "$1" -o "$base.c" || return
    compile "$base.c" "$base" -Wall -Wextra -Wshadow=local "$driver" ${NETC_CFLAGS-} || return
    for threads in 1 3; do
        timeout 100 "$base" steps "$(data_of "$1")" "$(steps_of "$1" "$2")" $threads \
            "$base.before" "$base.$threads" "$base.outputs$threads" >"$base.losses$threads" ||
            return
    done
    same_bytes "$base.1" "$base.3"
    same_bytes "$base.outputs1" "$base.outputs3"
    same_bytes "$base.losses1" "$base.losses3"
    rm -f "$base" "$base".*[13] "$base.before"
}

drawn() { # SEED
    local net=$tmp/$1.net found
    "$python" $networks "$1" >"$net" || return
    "$python" $networks "$1" chance >"$tmp/$1-chance.net" || return
    found=$(beside_torch "$net" "$1" 2>&1)
    [ -z "$found" ] || printf '%s\n' "$found" "$(cat "$net")"
    net=$tmp/$1-chance.net
    found=$(same_bits "$net" "$1" 2>&1)
    [ -z "$found" ] || printf '%s\n' "$found" "$(cat "$net")"
}

"$python" $networks data "$tmp/data" || exit
case ${1-} in
net)
    cp "$2" "$tmp/given.net"
    start_torch
    beside_torch "$tmp/given.net" "$3" 2>&1
    ;;
shrink)
    "$python" $networks "$2" >"$tmp/least.net"
    "$python" $networks shrink "$tmp/least.net" "$2"
    ;;
*)
    start_torch
    first=${2:-1}
    count=${1:-${whole:+200}}
    for ((seed = first; seed < first + ${count:-8}; seed++)); do
        start "seed $seed" drawn "$seed"
    done
    finish
    ;;
esac
