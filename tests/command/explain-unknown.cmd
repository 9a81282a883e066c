$NETC explain optimiser
echo "status $?"
$NETC explain E999
$NETC explain the meaning of life
