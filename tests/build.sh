#!/usr/bin/env bash
# build.sh: the C compiler as netc calls it: any number of words, parts of a program side by side
# where it can, and what is left where it is stopped.
. "$(dirname "$0")/lib.sh"
printf 'input 28x28x1\ndense 10 softmax\nloss cross_entropy\n' >"$tmp/small.net"
cp models/lab/depth.net "$tmp/large.net"
mkdir "$tmp/temporary"
export NETC TMPDIR=$tmp/temporary XDG_CACHE_HOME=$tmp/cache

takes_many_words() {
    NETC_CFLAGS="$quick $(printf -- '-DN%d ' {1..200})" build "$tmp/small.net" "$tmp/many" -v || return
    grep -q -e '-DN1 .* -DN200 ' "$tmp/many.log" || cat "$tmp/many.log"
    same 'temporary files' '' "$(ls "$TMPDIR")"
}

# In blocks of 1 KiB: the C of the network has more.
beyond_the_largest_file() {
    (ulimit -f 8 && exec "$NETC" build "$tmp/small.net" -o "$tmp/limited") >"$tmp/limited.log" 2>&1
    same 'exit status' 1 $?
    grep -q "error: cannot write '.*': File too large" "$tmp/limited.log" || cat "$tmp/limited.log"
    same 'temporary files' '' "$(ls "$TMPDIR")"
}

# gcc compiles parts of a large program side by side, and says nothing where it cannot; what it makes
# of them does not depend on the processors.
parts_side_by_side() {
    local one
    one=$(taskset -cp $BASHPID | sed 's/.*: \([0-9]*\).*/\1/')
    (
        cd "$tmp" && export CC=gcc NETC_CFLAGS= && "$NETC" build large.net -o all -v 2>all.log &&
            taskset -c "$one" "$NETC" build large.net -o one && "$NETC" build small.net -o small -v 2>small.log
    ) || return
    same_bytes "$tmp/all" "$tmp/one"
    same 'words of the compiler' 1 "$(grep -c -e ' -flto=auto ' "$tmp/all.log")"
    same 'lines of its' 1 "$(wc -l <"$tmp/all.log")"
    same 'words where the program is small' 0 "$(grep -c -e -flto "$tmp/small.log")"
    same 'temporary files' '' "$(ls "$TMPDIR")"
}
one_piece() { # what lacks it: a program of which nothing is heard, or that names no other
    mkdir -p "$tmp/$1" || return
    printf '#!/bin/sh\n[ "$1" = -print-prog-name=lto1 ] && echo lto1 && exit\n%s\n' "$2" >"$tmp/$1/$1"
    chmod +x "$tmp/$1/$1"
    PATH=$tmp/$1:$PATH CC=gcc NETC_CFLAGS=-fsyntax-only "$NETC" build "$tmp/large.net" -o "$tmp/piece" -v \
        >"$tmp/piece.log" 2>&1
    has_line 'gcc .* -Wall' <"$tmp/piece.log" && ! grep -e -flto "$tmp/piece.log"
}

# Functions that one call has are copied into a short step alone: of few nodes, or of one row.
copies_where_short() { # COUNT [option of build...]
    CC=gcc NETC_CFLAGS=-fsyntax-only "$NETC" build "${@:2}" -o "$tmp/copies" -v >"$tmp/copies.log" 2>&1
    has_line 'gcc .* -Wall' <"$tmp/copies.log" &&
        same 'commands without copies' "$1" "$(grep -c -e -fno-inline-functions "$tmp/copies.log")"
}

# A key of the terminal is a signal to netc and to what it runs, here programs that wait for it: the C
# compiler, or what that makes. SIGTERM is sent to netc alone. Suites run with both keys ignored, so
# that they are set up anew.
printf '#!/bin/sh\n[ "$1" = --version ] && exit\n: >"%s/runs"\nexec sleep 60\n' "$tmp" >"$tmp/waiting"
cat >"$tmp/makes-waiting" <<END
#!/bin/sh
[ "\$1" = --version ] && exit
while [ "\$1" != -o ]; do shift; done
cp "$tmp/waiting" "\$2"
END
chmod +x "$tmp/waiting" "$tmp/makes-waiting"
interrupted() { # SIGNAL waiting|makes-waiting [option...]
    local compiler=$tmp/$2
    rm -f "$tmp/runs"
    set -- "$1" "${@:3}"
    CC=$compiler "$python" - "$tmp/runs" "$@" <<'PYTHON'
import os, resource, signal, subprocess, sys, time
number = getattr(signal, sys.argv[2])
def keys():
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for key in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP:
        signal.signal(key, signal.SIG_DFL)
netc = subprocess.Popen([os.environ["NETC"]] + sys.argv[3:], preexec_fn=keys, stderr=subprocess.PIPE)
while not os.path.exists(sys.argv[1]) and netc.poll() is None:
    time.sleep(0.01)
if netc.poll() is None:
    os.kill(netc.pid, number) if number == signal.SIGTERM else os.killpg(netc.pid, number)
said = netc.communicate(timeout=20)[1].decode()
if netc.returncode != -number:
    print(f"expected the end by {number.name}, found {netc.returncode} and\n{said}")
PYTHON
    same 'temporary files' '' "$(ls "$TMPDIR")"
    same 'files beside the program' '' "$(ls -d "$tmp"/stopped* 2>/dev/null)"
}

check 'the C compiler gets many words' takes_many_words
check 'a build beyond the largest file' beyond_the_largest_file
check 'parts side by side are the same on one processor' parts_side_by_side
check 'no parts without a make that runs them' one_piece make 'exit 1'
check 'no parts where gcc has no program for them' one_piece gcc "exec $(command -v gcc) \"\$@\""
check 'a long step without copies' copies_where_short 1 models/lenet.net
check 'a step of few nodes with copies' copies_where_short 0 models/lab/depth.net
check 'a step of one row with copies' copies_where_short 0 models/lenet.net --set batch=1
for key in SIGINT SIGQUIT SIGTERM SIGHUP; do
    check "$key stops a build" interrupted $key waiting build "$tmp/small.net" -o "$tmp/stopped"
    check "$key stops the build of a measurement" interrupted $key waiting summary "$tmp/small.net" --measure
    check "$key stops a measurement" interrupted $key makes-waiting summary "$tmp/small.net" --measure
    check "$key stops a tuning" interrupted $key makes-waiting build "$tmp/small.net" -o "$tmp/stopped" --tune
done
check "SIGINT stops the build of a tuning" interrupted SIGINT waiting build "$tmp/small.net" -o "$tmp/stopped" --tune
finish
