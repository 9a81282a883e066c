rm -rf $TMP/fmt-bad && mkdir $TMP/fmt-bad && cd $TMP/fmt-bad || exit
NETC=$OLDPWD/$NETC
printf 'input  784\ndense 10 *\n' >wrong.net
printf 'input  784\ndense 10\n' >right.net
: >empty.net
$NETC fmt
$NETC fmt wrong.net right.net missing.net
echo "status $?"
cat wrong.net right.net
$NETC fmt empty.net
$NETC fmt .
printf 'residual {\n' | $NETC fmt -
printf '' | $NETC fmt -
$NETC fmt right.net -D w=3
# a comment alone is a text too
printf '\n\n# alone' | $NETC fmt -
# an unknown statement has a layout all the same
printf 'cov   32  3x3\n' | $NETC fmt -
