printf '# gr\xf6\xdfe\ninput 784\n' >"$TMP/latin1.net"; "$NETC" check "$TMP/latin1.net"
