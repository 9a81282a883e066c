printf 'input 784\rdense 10\r' >"$TMP/cr.net"; "$NETC" check "$TMP/cr.net" --explain | head -3
