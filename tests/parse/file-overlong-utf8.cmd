printf '# \xc0\xaf\n' >"$TMP/overlong.net"; "$NETC" check "$TMP/overlong.net"
