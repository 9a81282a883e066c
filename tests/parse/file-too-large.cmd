yes "dense 10 relu" | head -c 2000000 >"$TMP/large.net"; "$NETC" check "$TMP/large.net"
