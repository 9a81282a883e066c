# Whatever a file is called, a copy of it makes no difference; its C compiles, and keeps its text.
rm -rf "$TMP/names" && mkdir "$TMP/names" && cd "$TMP/names" && NETC=$(realpath "$OLDPWD/$NETC")
cat >plain.net <<'END_OF_NET'
data mnist; input 28x28x1 # }}}
dense 20 relu
dense 10 softmax # {{
loss cross_entropy
END_OF_NET
sed 's/dense 20/dense 30 tanh; &/' plain.net >longer.net
names=('a b' 'a"b' "a'b" 'a??=\b' 'a}}}b' 'a{{b' 'a%sb' $'tab\tb' $'line\nb' 'ä' dense1 'ends in\')
for name in "${names[@]}"; do
    cp plain.net "$name.net"
    "$NETC" diff plain.net "$name.net"; echo "diff: $? $(printf %q "$name")"
    "$NETC" emit "$name.net" -o it.c
    "$NETC" show it.c | tail -n +3 | cmp - plain.net
    ${CC:-cc} -fsyntax-only -std=gnu11 -Wall -I"$OLDPWD/runtime" it.c
done
# a name that is also a layer's, which stands for another one here
cmp <("$NETC" diff --stat dense1.net longer.net | sed 1d) <("$NETC" diff --stat plain.net longer.net | sed 1d)
