#!/bin/bash
# networks.sh: networks drawn at random: beside PyTorch; the same bits for any number of threads and
# behind a pause; the same C for other words; nearly the same numbers by OpenBLAS and in float. What
# is drawn depends on the seed alone.
#
# NETC_CFLAGS goes to the programs of the threads: -fsanitize=undefined,address finds what is out of
# bounds.
#
# usage: tests/networks.sh [COUNT [SEED]]     so many, of this seed and of those that follow it
#        tests/networks.sh shrink SEED        the least part of that one's net that differs as well
#        tests/networks.sh net FILE SEED      what is wrong with a net, with that seed's settings
. "$(dirname "$0")/lib.sh"
networks=tests/python/networks.py
programs=tests/python/programs.py
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
    ! grep -qE '\<(pool|globalpool|relu6?|leaky_relu|hard_sigmoid|hard_silu|selu|alpha|mae)\>|hinge' "$1"
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
    [ $(($2 % 3)) -ne 0 ] || with_a_pause "$1" "$base"
    rm -f "$base" "$base".*[13] "$base.before"
}

# What a net computes does not hang on the words for it.
in_other_words() { # NET SEED
    local base=${1%.net}-words way options=()
    mkdir -p "$base"/{as-it-is,fmt,plain,dressed}
    cp "$1" "$base/as-it-is/net.net"
    "$NETC" fmt - <"$1" >"$base/fmt/net.net"
    "$NETC" fmt - <"$base/fmt/net.net" | cmp - "$base/fmt/net.net"
    for way in plain dressed; do
        "$python" tests/python/restated.py $way "$1" "$2" >"$base/$way/net.net"
    done
    for way in as-it-is fmt plain dressed; do
        mapfile -t options < <(sed -nE 's/.*# (-D|--set) (.*)/\1\n\2/p' "$base/$way/net.net")
        "$NETC" emit "$base/$way/net.net" "${options[@]}" 2>"$base/said" |
            sed '/^ *\.source =/,/",$/d' >"$base/$way.c"
        diff "$base/as-it-is.c" "$base/$way.c" >"$base/diff" && continue
        cat "$base/said" "$base/$way/net.net"
        head -n 10 "$base/diff"
    done
    [ -s "$base/as-it-is.c" ] || echo "expected C, found none"
    same 'diff with itself' '' "$("$NETC" diff "$1" "$1" 2>/dev/null)"
    rm -r "$base"
}

# A pause changes no bit of a training, whatever the threads; what is tested is what is predicted.
with_a_pause() { # NET PROGRAM
    local base=$2-train batch count
    batch=$(sed -n 's/^batch //p' "$1")
    "$python" $networks data "$base" $((batch < 10 ? 30 : batch * 5 / 2 + 1)) || return
    pass() { # RUN COMMAND [option...]
        timeout 300 "$2" "$3" --data "$base" --out "$base/$1" "${@:4}"
    }
    quietly pass whole "$2" train --quiet --epochs 3 --threads 1
    quietly pass halves "$2" train --quiet --epochs 1 --threads 3
    quietly pass halves "$2" train --quiet --epochs 3 --threads 2 --resume
    same_bytes "$base"/{whole,halves}/weights.safetensors
    pass whole "$2" eval --json --threads 3 >"$base/eval"
    count=$(sed -nE 's/^[^,]*,"pictures":([0-9]+),.*/\1/p' "$base/eval")
    pass whole "$2" predict --json $(seq 0 $((count - 1))) >"$base/predict"
    "$python" $programs recount "$base/eval" "$base/predict"
    rm -r "$base"
}

# Tiles and OpenBLAS differ by rounding, and so do double and float in a first step.
by_other_ways() { # NET SEED
    local base=${1%.net}-way gemm=blas way steps
    [ $(($2 % 2)) -eq 0 ] || gemm=auto
    local options=('--precision f64' "--precision f64 --gemm $gemm" "--target $(target_of "$2")")
    for way in "${!options[@]}"; do
        quietly "$NETC" emit ${options[way]} "$1" -o "$base.c" || return
        compile "$base.c" "$base.$way" "$driver" || return
        for steps in 1 "$(steps_of "$1" "$2")"; do
            timeout 100 "$base.$way" steps "$(data_of "$1")" "$steps" 2 "$base.before" \
                "$base.$way-$steps" "$base.outputs" >"$base.losses" || return
        done
    done
    "$python" $programs compare "$base".{0,1}-"$steps" 1e-9
    "$python" $programs compare "$base".{0,2}-1 "$("$python" $programs rounding "$1")"
    quietly "$base.0" gradcheck --random --samples 30
    rm -f "$base".*
}

drawn() { # SEED
    local net=$tmp/$1.net found
    "$python" $networks "$1" >"$net" || return
    "$python" $networks "$1" chance >"$tmp/$1-chance.net" || return
    found=$(beside_torch "$net" "$1" 2>&1)
    [ $(($1 % 3)) -ne 1 ] || ! is_smooth "$net" || found+=$(by_other_ways "$net" "$1" 2>&1)
    [ -z "$found" ] || printf '%s\n' "$found" "$(cat "$net")"
    net=$tmp/$1-chance.net
    found=$(in_other_words "$net" "$1" 2>&1)$(same_bits "$net" "$1" 2>&1)
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
    "$python" tests/python/shrink.py "$tmp/least.net" "$2"
    ;;
*)
    start_torch
    first=${2:-1}
    count=${1:-${whole:+200}}
    for ((seed = first; seed < first + ${count:-4}; seed++)); do
        start "seed $seed" drawn "$seed"
    done
    finish
    ;;
esac
