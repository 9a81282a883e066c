cat >$TMP/graph.net <<'END'
input 28x28x1
conv 4 3x3 relu pad same
residual {
    conv 4 3x3 relu pad same
    conv 4 3x3 pad same
}
concat {
    conv 2 1x1
} {
    conv 3 3x3 pad same
}
dense 10 softmax
loss cross_entropy
END
$NETC graph $TMP/graph.net
$NETC graph $TMP/graph.net -o $TMP/graph.txt && $NETC graph $TMP/graph.net | cmp - $TMP/graph.txt
$NETC graph models/mlp.net --backward
$NETC graph models/mlp.net -o $TMP/graph.dot && cat $TMP/graph.dot
$NETC graph models/mlp.net --backward -o $TMP/graph.dot && grep -c -- '->' $TMP/graph.dot
