# The columns of the card and of the contents have room for the longest words of the language.
cat >$TMP/card.net <<'END'
data mnist
input 28x28x1
conv_transpose 4 3x3 relu pad same
spatial_dropout 20%
globalavgpool
dense 10 softmax
loss cross_entropy
END
$NETC emit --target portable $TMP/card.net | sed '/^$/q'
