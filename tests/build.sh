#!/usr/bin/env bash
# build.sh: the C compiler as netc calls it: any number of words, and what is left where it is
# stopped.
. "$(dirname "$0")/lib.sh"
printf 'input 28x28x1\ndense 10 softmax\nloss cross_entropy\n' >"$tmp/small.net"
mkdir "$tmp/temporary"
export NETC TMPDIR=$tmp/temporary XDG_CACHE_HOME=$tmp/cache

takes_many_words() {
    NETC_CFLAGS="$quick $(printf -- '-DN%d ' {1..200})" build "$tmp/small.net" "$tmp/many" -v || return
    grep -q -e '-DN1 .* -DN200 ' "$tmp/many.log" || cat "$tmp/many.log"
    same 'temporary files' '' "$(ls "$TMPDIR")"
}

# A key of the terminal is a signal to netc and the C compiler; here a program that waits for it.
# Suites run with both keys ignored, so that they are set up anew.
interrupted() { # SIGNAL [option...]
    printf '#!/bin/sh\n[ "$1" = --version ] && exit\n: >"%s/runs"\nexec sleep 60\n' "$tmp" >"$tmp/waiting"
    chmod +x "$tmp/waiting"
    rm -f "$tmp/runs"
    CC=$tmp/waiting "$python" - "$tmp/runs" "$@" <<'PYTHON'
import os, resource, signal, subprocess, sys, time
number = getattr(signal, sys.argv[2])
def keys():
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for key in signal.SIGINT, signal.SIGQUIT:
        signal.signal(key, signal.SIG_DFL)
netc = subprocess.Popen([os.environ["NETC"]] + sys.argv[3:], preexec_fn=keys, stderr=subprocess.PIPE)
while not os.path.exists(sys.argv[1]) and netc.poll() is None:
    time.sleep(0.01)
if netc.poll() is None:
    os.killpg(netc.pid, number)
said = netc.communicate(timeout=20)[1].decode()
if netc.returncode != -number:
    print(f"expected the end by {number.name}, found {netc.returncode} and\n{said}")
PYTHON
    same 'temporary files' '' "$(ls "$TMPDIR")"
    same 'files beside the program' '' "$(ls -d "$tmp"/stopped* 2>/dev/null)"
}

check 'the C compiler gets many words' takes_many_words
for key in SIGINT SIGQUIT; do
    check "$key stops a build" interrupted $key build "$tmp/small.net" -o "$tmp/stopped"
    check "$key stops a measurement" interrupted $key summary "$tmp/small.net" --measure
done
check "SIGINT stops a tuning" interrupted SIGINT build "$tmp/small.net" -o "$tmp/stopped" --tune
finish
