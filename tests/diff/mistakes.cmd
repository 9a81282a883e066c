# Each ends with 2 and says what is wrong.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
printf 'param width = 10\ndata mnist\ninput 28x28x1\ndense width softmax\nloss cross_entropy\n' >good.net
printf 'data mnist\ninput 28x28x1\ndense ten softmax\nloss cross_entropy\n' >bad.net
printf 'int main(void) { return 0; }\n' >no-network.c
run() { echo "\$ netc $*"; "$NETC" "$@"; echo "exit $?"; }
run diff
run diff good.net
run diff good.net --stat
run diff good.net good.net good.net
run diff missing.net good.net
run diff good.net bad.net
run diff good.net -D with=20 -D with=30
run diff good.net -D width=20 -D width=30 -D width=40
run diff good.net --target x86-64-v3 --target pentium
run diff good.net no-network.c
run diff good.net good.net -U three
run diff good.net good.net --color sometimes
run diff good.net good.net --output code.c
run show
run show missing.c
run show good.net
run show no-network.c
run show no-network.c -D width=2
