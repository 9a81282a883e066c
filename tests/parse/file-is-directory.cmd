"$NETC" check tests/parse
