# Two settings of one file: params, training statements, processors; one that is given once holds for
# both sides, and by itself is compared with the file as it is. How wide a column of memory and time is depends on the processor too.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
cat >two.net <<'END'
param width = 100
param depth = 2
data mnist
input 28x28x1
dense width * depth relu
dense 10 softmax
loss cross_entropy
END
numbers() { sed -E 's/^(   (memory|time)[^0-9]*[a-z]).*/\1 .../'; }
"$NETC" diff --net two.net -D width=50 -D width=300 -D depth=1 --target x86-64-v4 | numbers
"$NETC" diff --net two.net --set batch=10 -D depth=1 --set "optimizer=adam lr 0.01" --set batch=20 --target x86-64-v4 |
    numbers
"$NETC" diff --net two.net --target x86-64-v3 --target x86-64-v4 | numbers
"$NETC" diff --net two.net --gemm tile --gemm blas --precision f64 --precision f32 --target x86-64-v4 |
    numbers
"$NETC" diff two.net two.net -D width=7
"$NETC" diff --net two.net -D width=7 --set batch=10 | numbers
