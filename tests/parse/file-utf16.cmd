printf '\xff\xfei\0n\0p\0u\0t\0' >"$TMP/utf16.net"; "$NETC" check "$TMP/utf16.net"
