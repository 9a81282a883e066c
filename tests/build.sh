#!/usr/bin/env bash
# build.sh: the C compiler as netc calls it.
. "$(dirname "$0")/lib.sh"
printf 'input 28x28x1\ndense 10 softmax\nloss cross_entropy\n' >"$tmp/small.net"
mkdir "$tmp/temporary"
export NETC TMPDIR=$tmp/temporary XDG_CACHE_HOME=$tmp/cache

takes_many_words() {
    NETC_CFLAGS="$quick $(printf -- '-DN%d ' {1..200})" build "$tmp/small.net" "$tmp/many" -v || return
    grep -q -e '-DN1 .* -DN200 ' "$tmp/many.log" || cat "$tmp/many.log"
    same 'temporary files' '' "$(ls "$TMPDIR")"
}

check 'the C compiler gets many words' takes_many_words
finish
