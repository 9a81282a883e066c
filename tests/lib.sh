# lib.sh: what the suites share; each sources it first, from the root of the repository.
#
# A test is a command that prints what was expected and what was found, and nothing where all is
# right; a status other than 0 is a failure too. check runs one and waits, start runs it in the
# background, $JOBS at a time, and finish counts them all.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
export LC_ALL=C.UTF-8
suite=$(basename "$0") root=$PWD
NETC=${NETC:-build/netc}
NETC=$(realpath -s "$NETC")
lib=${NETC_RUNTIME:-$(dirname "$NETC")/lib/netc}
sample=$root/tests/data/mnist-sample
python=/usr/bin/python3
# for C that is compiled to be right and not quick: tiles are functions, each of them compiled once,
# and suites run side by side, not parts of a program
quick='-Og -Dalways_inline= -fno-lto'
# where it runs for longer than gcc saves by that
enduring='-O1 -Dalways_inline= -fno-lto'
# gold, where it is, links in half of the time; an update of binutils may leave it out
! command -v ld.gold >/dev/null || export NETC_LDFLAGS=${NETC_LDFLAGS--fuse-ld=gold}
JOBS=${JOBS:-2}
whole=${WHOLE:-} # tests/long.sh asks for what `make test` has no time for
export PYTHONPATH=$root/tests/python PYTHONDONTWRITEBYTECODE=1
[ -x "$NETC" ] && [ -f "$lib/libnn.a" ] || {
    echo "$suite: no $NETC with its libnn.a; run make first" >&2
    exit 2
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
mkdir "$tmp/tests"
names=() skipped=0

# --- tests --------------------------------------------------------------------------------------

run_test() { # NUMBER COMMAND...
    local out=$tmp/tests/$1 status
    shift
    "$@" >"$out" 2>&1 </dev/null
    status=$?
    if [ $status -ne 0 ] && [ ! -s "$out" ]; then
        echo "status $status of: $*" >"$out"
    fi
    : >"$out.ended"
}

check() { # NAME COMMAND...
    local number=${#names[@]}
    names+=("$1")
    shift
    run_test "$number" "$@"
}

start() { # NAME COMMAND...
    local number=${#names[@]}
    names+=("$1")
    shift
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do
        wait -n
    done
    run_test "$number" "$@" &
}

skip() { # REASON
    skipped=$((skipped + 1))
    echo "skipped: $1"
}

finish() {
    local failed=0 i
    wait
    for i in "${!names[@]}"; do
        if [ -s "$tmp/tests/$i" ]; then
            failed=$((failed + 1))
            printf 'FAIL %s: %s\n' "${suite%.sh}" "${names[i]}"
            sed 's/^/    /' "$tmp/tests/$i"
        elif [ ! -f "$tmp/tests/$i.ended" ]; then # it was killed, or the shell gave it up
            failed=$((failed + 1))
            printf 'FAIL %s: %s\n    never ended\n' "${suite%.sh}" "${names[i]}"
        fi
    done
    printf '%d passed, %d failed' $((${#names[@]} - failed)) "$failed"
    [ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
    echo
    [ "$failed" -eq 0 ] && [ ${#names[@]} -gt 0 ]
    exit
}

# --- what tests are made of ---------------------------------------------------------------------

# same WHAT EXPECTED FOUND: says so where two texts differ
same() {
    [ "$2" = "$3" ] || printf '%s: expected %s, found %s\n' "$1" "$2" "$3"
}

part_of_sample() { # NAME TRAIN TEST: its first pictures, in a folder of $tmp
    "$python" tests/python/batches.py cut "$sample" "$tmp/$1" "$2" "$3" || exit
}

same_bytes() { # FILE FILE
    cmp "$1" "$2"
}

# The C compiler must have nothing to say; netc may warn.
build() { # NET BINARY [option...]
    local net=$1 binary=$2 status
    shift 2
    "$NETC" build "$net" -o "$binary" "$@" >"$binary.log" 2>&1
    status=$?
    if [ $status -ne 0 ] || grep -q '\.c:[0-9]' "$binary.log"; then
        echo "netc build $(basename "$net") $*: expected status 0 and no warning, found $status and"
        cat "$binary.log"
        return 1
    fi
}

# Compiles generated C by hand, with files of a test beside it. With so few passes gcc warns of
# overflows where no number can be so large.
compile() { # C-FILE BINARY [argument of cc...]
    local source=$1 binary=$2
    shift 2
    ${CC:-cc} -std=gnu11 $quick -Wno-stringop-overflow -fopenmp -fno-math-errno \
        -fno-trapping-math -fno-strict-aliasing -march=native -I"$lib" -I"$root/runtime" \
        -o "$binary" "$source" "$@" "$lib/libnn.a" ${NETC_LDFLAGS-} -lopenblas -lcjson -lpng -lz -lm
}

# grep -q, which reads to the end: with -o pipefail the writer of a pipe that is closed at the first
# match may fail instead.
has_line() { # [option of grep...] PATTERN
    local text
    text=$(cat)
    grep -q "$@" <<<"$text"
}

# Waits until another process has written the file, 20 seconds at most.
wait_for() { # FILE
    local i
    for ((i = 0; i < 2000; i++)); do
        [ ! -e "$1" ] || break
        sleep 0.01
    done
}

# Runs a trained program; its output is shown only where it fails.
quietly() { # COMMAND...
    local out
    out=$("$@" 2>&1) || {
        echo "status $? of: $*"
        echo "$out"
        return 1
    }
}

# tests/parity/driver.c, once for all programs that are linked with it
driver=$tmp/driver.o
compile_driver() {
    ${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -I"$lib" -I"$root/runtime" -c -o "$driver" tests/parity/driver.c || exit
}

# To be called before same_as_torch; it ends when the suite does.
start_torch() {
    compile_driver
    mkfifo "$tmp/torch"
    "$python" tests/parity/reference.py --serve <"$tmp/torch" &
    disown # no test, which finish() would wait for
    exec {torch}>"$tmp/torch"
}

# Takes 50 steps by generated C and by PyTorch, and says where they differ.
same_as_torch() { # C-FILE NET BOUND [adam|few]
    local base=${1%.c} status=
    local data=${data:-$sample}
    local request=("$base" "$2" "$data" "$base".{before,losses,after,outputs} "$3" ${4-})
    compile "$1" "$base" "$driver" || return
    timeout 100 "$base" steps "$data" "${steps:-50}" "${threads:-2}" "$base.before" "$base.after" \
        "$base.outputs" >"$base.losses" || return
    mkfifo "$base.status"
    (IFS=$'\t' && echo "${request[*]}") >&"$torch"
    read -r status < <(timeout 300 cat "$base.status")
    cat "$base.found"
    rm -f "$base" "$base".{before,after,outputs,losses,status,found}
    return "${status:-1}"
}
