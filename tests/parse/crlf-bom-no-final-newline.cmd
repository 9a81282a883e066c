printf '\xef\xbb\xbfinput 28x28x1\r\n\r\ndense 10 softmax # x\r\nloss cross_entropy' >"$TMP/crlf.net"
"$NETC" emit --dump ast "$TMP/crlf.net" && printf 'input 784\r\n\tdense 10 rellu\r\n' >"$TMP/crlf.net"; "$NETC" check "$TMP/crlf.net"
