$NETC explain optimiser
echo "status $?"
$NETC explain E999
$NETC explain lr
$NETC explain stride
$NETC explain the meaning of life
