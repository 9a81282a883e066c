# where `netc emit` writes, and what leaves it nothing to write
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
rm -rf emit-output && mkdir emit-output && cd emit-output || exit
printf 'input 28x28x1\ndense 10\n' >a.net
"$NETC" emit a.net -o a.c
"$NETC" emit a.net | cmp - a.c
"$NETC" emit a.net -o - | cmp - a.c
"$NETC" emit a.net --dump ast -o b.c; echo "exit $?"
"$NETC" check a.net --explain --dump=ast; echo "exit $?"
"$NETC" emit a.net --dump ast; echo "exit $?"
ls
