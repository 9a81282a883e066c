rm -rf $TMP/fmt-bad && mkdir $TMP/fmt-bad && cd $TMP/fmt-bad || exit
NETC=$OLDPWD/$NETC
printf 'input  784\ndense 10 *\n' >wrong.net
printf 'input  784\ndense 10\n' >right.net
: >empty.net
"$NETC" fmt
"$NETC" fmt wrong.net right.net missing.net
echo "status $?"
cat wrong.net right.net
"$NETC" fmt empty.net
"$NETC" fmt .
printf 'residual {\n' | "$NETC" fmt -
printf '' | "$NETC" fmt -
"$NETC" fmt right.net -D w=3
# a comment alone is a text too
printf '\n\n# alone' | "$NETC" fmt -
# an unknown statement has a layout all the same
printf 'cov   32  3x3\n' | "$NETC" fmt -
# each file is judged by its own mistakes, however many the ones before it had
for i in $(seq 60); do echo 'dense 10 !'; done >many.net
printf 'dense "abc\n' >open.net
"$NETC" fmt many.net open.net 2>&1 | tail -n 3
cat open.net
printf 'input   4\n' | "$NETC" fmt open.net -
# and nothing behind a zero byte is lost
printf 'input 4\n\0rest' | "$NETC" fmt -
printf 'dense [%s]\n' "$(printf '1-1 %.0s' $(seq 16300))" >long.net
"$NETC" fmt long.net 2>&1 | cut -c1-150
wc -c long.net
