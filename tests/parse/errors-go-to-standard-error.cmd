printf 'input 784; dens 10' >"$TMP/e.net"; "$NETC" check "$TMP/e.net" 2>/dev/null; echo "status $?"
