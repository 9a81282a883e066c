$NETC explain seed
$NETC explain SEED | head -n 1
COLUMNS=50 $NETC explain flatten
$NETC explain loss | grep -A 3 "'mae'"
$NETC explain BatchNormalization | head -n 3
$NETC explain label_smoothing | head -n 3
$NETC explain weights file | head -n 1
