"$NETC" check tests/parse/no-such-file.net
