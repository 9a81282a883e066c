printf 'param width = 300; input 784; dense width' >"$TMP/d.net"
for form in -Dwidth=5 "-D width=6" --define=width=7; do "$NETC" check --explain $form "$TMP/d.net" | grep ^param; done
"$NETC" check -D
