printf 'input 784\ndense\0 10\n' >"$TMP/nul.net"; "$NETC" check "$TMP/nul.net"
