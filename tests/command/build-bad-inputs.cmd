cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
rm -f built
printf 'data mnist\ninput 28x28x1\ndense 10 softmax\nloss cross_entropy\n' >build.net
: >tuned.txt
run() { echo "\$ netc $*"; "$NETC" "$@"; echo "exit $?"; }
run build build.net -o built --tune --tuned tuned.txt
run train build.net -o built --tuned tuned.txt --tune
run build build.net -o built --tune --gemm tile --gemm blas
run build missing.net -o built --tune --gemm blas --gemm tile # the last one counts
mkdir -p folder/build
run build build.net -o folder
run build build.net -o folder/missing/build
(cd folder && cp ../build.net . && run build build.net)
[ ! -e built ] || echo "it was built"
cp build.net plain
run build plain
run emit build.net -o ./build.net
cp build.net build.txt
run graph build.txt -o build.txt
cmp build.net plain && cmp build.net build.txt
