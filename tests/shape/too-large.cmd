# no product of sizes leaves an int, whichever statement makes it
check() {
    printf '%s\n' 'data csv "x.csv"' "$@" >$TMP/large.net
    echo "$*"; $NETC check $TMP/large.net 2>&1 | grep -v '^    '
}
check 'input 65536x65536x1' 'dense 10'
check 'input 28x28x1' 'upsample 1000' 'upsample 1000' 'dense 10'
check 'input 28x28x1' 'conv_transpose 8 3x3 stride 1000' 'conv_transpose 8 3x3 stride 1000' 'dense 10'
check 'input 4' 'repeat 12 { concat {} {} {} {} {} {} {} { relu } }'
check 'input 1000x1000x1000' 'concat { flatten } { flatten } { flatten } { flatten } { flatten }'
check 'input 1000000x1000000x1000000' 'relu'
check 'input 60000x60000x1' 'flatten' 'reshape 60000x60000x1'
check 'input 1000000x1x1' 'zeropad 1000'
check 'input 1x1x1000000' 'depthwise 1x1 multiplier 1000' 'depthwise 1x1 multiplier 1000'
check 'input 1000000x1x1000' 'dense 1000000' 'dense 10'
