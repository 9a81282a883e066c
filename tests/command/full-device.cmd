# What cannot be written to standard output is a failure of every command, and said once.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
printf 'param width = 10\ndata mnist\ninput 28x28x1\ndense width softmax\nloss cross_entropy\n' >full.net
"$NETC" emit full.net -o full.c
run() { echo "\$ netc $*"; "$NETC" "$@" >/dev/full; echo "exit $?"; }
run show full.c
run show full.c --json
run summary full.net
run summary full.net --json
run params full.net
run explain conv
run completion bash
run syntax vim
run manual netc.5
run check full.net --explain
run check full.net --dump ast
run emit full.net
run diff full.net --set batch=20 --set batch=50
run diff full.net --set batch=20 --set batch=50 --json
run --help
run diff --help
run --version
printf 'input  784\ndense 10\n' | run fmt -
# what has nothing to say needs no room
run check full.net
run diff full.net full.net
