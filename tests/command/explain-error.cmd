$NETC explain E302
$NETC explain e917
