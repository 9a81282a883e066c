# As diff's: 0 same, 1 different, 2 trouble. The name of the file makes no difference.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
printf 'data mnist\ninput 28x28x1\ndense 10 softmax\nloss cross_entropy\n' >same.net
cp same.net copy.net
printf 'data mnist\ninput 28x28x1\ndense 11 relu\ndense 10 softmax\nloss cross_entropy\n' >other.net
"$NETC" diff same.net copy.net; echo $?
"$NETC" diff same.net other.net >out; echo $?
"$NETC" diff same.net missing.net >out; echo $?
# A pipe is read once, as by `netc check`.
"$NETC" diff same.net <(cat same.net); echo $?
"$NETC" diff <(cat other.net) <(cat same.net) --net >out; echo $?
rm -f fifo && mkfifo fifo && (cat same.net >fifo &)
timeout 5 "$NETC" diff same.net fifo; echo $?
