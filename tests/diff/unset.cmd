# What is not set on one side, and not there on the other, is no difference.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
printf '%s\n' 'data csv "a.csv"' 'input 4' 'dense 3 softmax' 'loss cross_entropy' >unset.net
(cat unset.net; echo 'schedule step every 10 epochs') >scheduled.net
"$NETC" diff --net unset.net scheduled.net
echo "exit $?"
