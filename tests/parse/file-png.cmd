cp tests/data/digit-7.png "$TMP/png.net"; "$NETC" check "$TMP/png.net"
