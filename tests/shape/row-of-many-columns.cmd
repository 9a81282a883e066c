printf '%s\n' 'input 28x28x1' 'dense 250000 relu' 'dense 10 softmax' 'loss cross_entropy' \
    'optimizer sgd' 'batch 1' >"$TMP/row-of-many-columns.net"
"$NETC" emit --precision f64 --target x86-64-v2 "$TMP/row-of-many-columns.net" |
    grep -A 4 '^static void rows_sum_250000('
