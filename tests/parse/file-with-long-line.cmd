{ echo "input 784"; printf "dense 10 # %070000d\n" 0; } >"$TMP/long.net"; "$NETC" check "$TMP/long.net"
