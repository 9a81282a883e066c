: >"$TMP/empty.net"; "$NETC" check "$TMP/empty.net"
