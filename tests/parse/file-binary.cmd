head -c 5000 "$BASH" >"$TMP/binary.net"; "$NETC" check "$TMP/binary.net"
