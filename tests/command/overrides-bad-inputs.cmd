# A line break in an override would break the record of what was built.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
printf '%s\n' 'param e = 100' 'input 784' 'dense e relu' >e.net
"$NETC" check e.net -D $'e=5\n'
"$NETC" check e.net --set $'batch=5\n'
"$NETC" check e.net -D 'e=5 { dense 3 }'
"$NETC" check e.net --explain | grep 'units.*e.net'
for i in $(seq 30); do echo "param p$i = $i"; done >many.net
echo 'param width = 3
input 784
dense width' >>many.net
"$NETC" check many.net -D widht=3
