# a folder of its own, whose files may change
rm -rf $TMP/fmt && mkdir $TMP/fmt
cat >$TMP/fmt/wild.net <<'END'


# a comment   
param   w=4;param v = w*2 -1	# two on a line
data fashion ; input 28x28x1


block unit( n ){ conv  n 3x3 pad same;relu }

   unit(w)
residual { # the shortcut
    conv ( w ) 3x3   pad same
    }
concat{ conv 2 1x1 }   { 
conv 3 3x3 pad same

# the end of a body

} # joined
dense v - -w relu
dense [20 10]   relu
dense 10 softmax

loss cross_entropy
optimizer adam   lr 0.01    # slow
batch 100#why
# between
epochs 5;;
END
printf 'input 784\ndense 10\n' >$TMP/fmt/good.net
chmod 640 $TMP/fmt/wild.net
ln -s wild.net $TMP/fmt/link.net
$NETC fmt --check $TMP/fmt/*.net
echo "status $?"
$NETC fmt $TMP/fmt/link.net $TMP/fmt/good.net
echo "status $?"
cat $TMP/fmt/wild.net
stat -c '%a %F' $TMP/fmt/wild.net $TMP/fmt/link.net
ls $TMP/fmt
$NETC fmt --check - <$TMP/fmt/wild.net
echo "status $?"
printf 'input 784 ;dense 10' | $NETC fmt -
printf 'data  csv   "a  # b;.csv"#why\n' | $NETC fmt -
printf 'input 784\r\ndense 10\r\n' >$TMP/fmt/crlf.net
$NETC fmt $TMP/fmt/crlf.net && cmp $TMP/fmt/crlf.net $TMP/fmt/good.net
# blank lines are a text, too
printf '\n\n' >$TMP/fmt/blank.net
$NETC fmt $TMP/fmt/blank.net && $NETC fmt $TMP/fmt/blank.net && wc -c <$TMP/fmt/blank.net
