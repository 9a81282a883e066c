# Layers alike that stand in other bodies, and a statement without a number.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
differ() { # LEFT RIGHT
    for side in left right; do
        printf 'data mnist\ninput 28x28x1\nconv 2 1x1\n%s\ndense 10 softmax\nloss cross_entropy\n' "$1" >$side.net
        shift
    done
    "$NETC" diff left.net right.net --net --target x86-64-v3 | grep '^[-+] \|standardize'
}
differ 'residual { conv 2 1x1; relu }' 'residual { conv 2 1x1 } { relu }'
differ 'concat { conv 2 1x1 } { }' 'concat { } { conv 2 1x1 }'
differ 'residual { conv 2 1x1; conv 2 1x1 }' 'conv 2 1x1; residual { conv 2 1x1 }'
differ 'residual { concat { relu } { }; conv 2 1x1 }' 'residual { concat { } { relu }; conv 2 1x1 }'
differ 'relu; standardize' 'relu'
"$NETC" diff left.net left.net --net && echo same
"$NETC" diff right.net --set standardize --net --target x86-64-v3 | grep standardize
