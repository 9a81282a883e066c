# What C and programs keep of their making, and that it makes the same C again.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
cat >shown.net <<'END'
# "quotes", a \, trigraphs ??= and braces }}} are kept
param width = 10
data mnist; input 28x28x1
dense width relu
dense 10 softmax
loss cross_entropy
END
"$NETC" emit shown.net -D width=12 --set batch=20 --set 'optimizer=adam lr 0.01' --target x86-64-v3 -o shown.c
"$NETC" show shown.c
"$NETC" show shown.c --json
"$NETC" show shown.c >again.net
"$NETC" emit again.net -D width=12 --set batch=20 --set 'optimizer=adam lr 0.01' --target x86-64-v3 -o again.c
"$NETC" show again.c | head -n 12
NETC_CFLAGS="-O0 ${NETC_CFLAGS-}" "$NETC" build shown.net --precision f64 --gemm blas --target x86-64-v2 -o shown
"$NETC" show shown | head -n 5
strip shown
"$NETC" show shown | head -n 1
"$NETC" diff shown shown.net --precision f64 --gemm blas --target x86-64-v2; echo $?
"$NETC" diff shown.c shown.net --target x86-64-v3 --net | grep -v 'memory\|time'
"$NETC" diff shown.c shown.net --target x86-64-v3 -D width=12 -D width=10 --net | grep -v 'memory\|time'
# A record may hold any number of options, as one of many tuned products does.
for terms in $(seq 3000); do
    printf '        "# --product x86-64-v3 f32 product 25 %s 10 = tile 4 2\\012"\n' $terms
done >products
sed '/# -D width=12/r products' shown.c >many.c
"$NETC" diff many.c shown.c --stat; echo "many options: $?"
