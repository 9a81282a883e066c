# On a terminal: colours, unless NO_COLOR is set, and a pager, GIT_PAGER before PAGER before less,
# which is told LESS=FRX. The exit status is diff's, whatever the pager does.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
printf 'data mnist\ninput 28x28x1\ndense 12 relu\ndense 10 softmax\nloss cross_entropy\n' >a.net
sed 's/12/13/' a.net >b.net
unset GIT_PAGER PAGER LESS NO_COLOR
export TERM=xterm
on_terminal() { # COMMAND...: its first lines on a terminal, and its exit status
    script -qec "$*" /dev/null </dev/null | tr -d '\r' | sed -n 1,2p
    echo "exit ${PIPESTATUS[0]}"
}
diff="'$NETC' diff a.net b.net --net"
PAGER=cat on_terminal "$diff"
PAGER='sed s/^/paged:/' on_terminal "$diff"
GIT_PAGER= PAGER=false on_terminal "$diff"
GIT_PAGER='echo "LESS is $LESS"; head -n 1' NO_COLOR=1 on_terminal "$diff"
LESS=X GIT_PAGER='echo "LESS is $LESS"; head -n 1' on_terminal "$diff --color never"
PAGER=false on_terminal "$diff --no-pager"
PAGER=true on_terminal "$diff"
TERM=dumb PAGER=cat on_terminal "$diff"
# A pager that is not there leaves the text to the terminal.
PAGER=no-such-pager on_terminal "$diff" 2>&1 | grep -v 'not found'
