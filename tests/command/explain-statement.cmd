$NETC explain seed
$NETC explain SEED | head -n 1
COLUMNS=50 $NETC explain flatten
$NETC explain loss | grep -A 3 "'mae'"
