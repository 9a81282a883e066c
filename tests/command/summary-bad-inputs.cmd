$NETC summary
$NETC summary missing.net
$NETC summary models/mlp.net models/mnist.net
$NETC summary models/mlp.net --plan
$NETC summary models/mlp.net --plan $TMP/missing/plan.svg | head -n 1
$NETC summary models/mlp.net --plan $TMP/plan.png
$NETC summary models/mlp.net --json=yes
$NETC summary models/mlp.net --dump ast
printf 'input 784\ndense 10\n' >$TMP/no-loss.net
$NETC summary models/mlp.net --set epochs=0
$NETC summary --measure $TMP/no-loss.net
