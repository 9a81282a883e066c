# Layers aligned by their kinds: changed, added, removed, renamed; totals; settings of the training.
# Memory and time follow the kernels of the day: their numbers are not held here.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
cat >left.net <<'END'
data mnist
input 28x28x1
conv 8 3x3 relu
pool 2
dense 60 tanh
dense 10 softmax
loss cross_entropy
optimizer sgd lr 0.1 momentum 90%
batch 50
END
cat >right.net <<'END'
data mnist
input 28x28x1
conv 8 3x3 relu
pool 2
dropout 30%
conv 16 3x3 relu stride 2
dense 10 softmax
loss cross_entropy
optimizer adam lr 0.002
batch 100
epochs 3
END
"$NETC" diff --net left.net right.net --target x86-64-v4 |
    sed -E 's/^(   (memory|time)[^0-9]*[a-z]).*/\1 .../'
echo "exit ${PIPESTATUS[0]}"
# As many pairs of a kind as there can be come before equal statements.
net() { printf 'data mnist\ninput 28x28x1\n'; printf '%s\n' "$@"; printf 'dense 10 softmax\nloss cross_entropy\n'; }
net 'dense 30 relu' 'dropout 10%' 'dense 20 relu' >left.net
net 'dense 20 relu' 'dropout 20%' 'dense 50 relu' >right.net
"$NETC" diff --net left.net right.net | sed '/totals/,$d'
# Equal statements first among those: the dense of 20 is the same; and nested layers.
net 'dense 30 relu' 'dense 20 relu' >left.net
net 'dense 20 relu' 'dense 30 relu' 'dense 20 relu' 'residual { dense 20 relu; dropout 10% }' >right.net
"$NETC" diff --net left.net right.net -U 1 | sed '/totals/,$d'
# Letters of several bytes take one column each.
net 'dense 20 relu' | sed 's/data mnist/data csv "ü.csv" label "the last column"/' >left.net
sed 's/ü/plain/; s/the last column/10/' left.net >right.net
"$NETC" diff --net left.net right.net | tail -n +3
