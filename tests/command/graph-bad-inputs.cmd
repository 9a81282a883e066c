$NETC graph
$NETC graph missing.net
$NETC graph models/mlp.net models/mlp.net
$NETC graph models/mlp.net -o $TMP/graph.png
$NETC graph models/mlp.net -o .svg
$NETC graph models/mlp.net -o $TMP/missing/graph.svg
$NETC graph models/mlp.net --backwards
printf 'input 784\ndense 10\n' >$TMP/no-loss.net
$NETC graph $TMP/no-loss.net --backward
printf 'input 784\ndesne 10\n' >$TMP/wrong.net
$NETC graph $TMP/wrong.net
