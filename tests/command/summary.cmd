# without the estimate, which is no business of this test
cat >$TMP/summary.net <<'END'
input 28x28x1
conv 8 3x3 relu
pool 2
flatten
dropout 25%
dense 10 softmax
loss cross_entropy
batch 64
END
$NETC summary $TMP/summary.net --target x86-64-v3 | grep -v '^time' | sed -E 's/ *(time, estimated|[0-9.]+%|-)$//'
echo
sed /loss/d $TMP/summary.net >$TMP/summary-infer.net
$NETC summary $TMP/summary-infer.net --target x86-64-v3 2>&1 | grep -v '^time' | sed -E 's/ *(time, estimated|[0-9.]+%|-)$//'
