# what a file of experiments can do wrong, and what the command line can
cd $TMP
rm -rf lab-wrong.json runs
try() { printf '%s\n' "$1" >lab-wrong.json; shift; ../../$NETC lab lab-wrong.json "$@"; echo "status $?"; }
try '{ "title": "a", "rows": [ { "network": "x", } ] }'
try '[]'
try '{}'
try '{ "title": "a", "rows": [] }'
try '{ "title": 3, "rows": { "network": "x" } }'
try '{
  "title": "a", "sections": [ { "name": "1", "teach": "x" }, 3 ],
  "rows": [
    { "network": "x", "net": "x.net" },
    { "netwrok": "x", "net": 5, "define": { "width": true }, "set": [],
      "published": { "accuracy": "96.6" }, "section": "2" },
    "y"
  ]
}'
good='{ "title": "a", "rows": [ { "network": "x", "net": "x.net" }, { "network": "y", "net": "y.net" } ] }'
for rows in 0 3 x 1- 2-1 1,,2 ''; do try "$good" --rows "$rows"; done
for seeds in 0 -1 x 1000000 1.5 ''; do try "$good" --seeds "$seeds"; done
for seeds in 0 -1 1.5 1001 '"5"' '[]'; do
    try "{ \"title\": \"a\", \"seeds\": $seeds, \"rows\": [ { \"network\": \"x\", \"net\": \"x.net\" } ] }"
done
try '{
  "title": "bell \u0007", "about": "a\tb", "sections": [ { "name": "\u009b", "teaches": "\u202e" } ],
  "rows": [ { "network": "two\nlines", "net": "x.net", "note": "\uffff", "why": "plain \u00e9 and \u5b57",
    "define": { "\u001b": 1 }, "set": { "optimizer": "adam\u001b[31m", "batch": "100" } } ]
}'
try "$good" -D width=3
try "$good" --out ''
try '{ "title": "a", "rows": [ { "network": "x", "net": "x.net", "published": { "loss": 1e999 } } ] }'
../../$NETC lab
../../$NETC lab missing.json
../../$NETC lab .
ls runs 2>/dev/null
echo 'input 784' >sweep.net
for arguments in '' '-D width' '-D =3' '-D width=3' '-D width=3,,4' '--set seed=1'; do
    ../../$NETC sweep sweep.net $arguments
    echo "status $?"
done
../../$NETC sweep sweep.net -D "width=3,$(printf '\033')4"
../../$NETC sweep sweep.net -D a=1,2,3,4,5,6,7,8,9,10 -D b=1,2,3,4,5,6,7,8,9,10 -D c=1,2,3,4,5,6,7,8,9,10,11
../../$NETC sweep sweep.net -D a=1,2 -D a=3,4
../../$NETC sweep sweep.net --set 'data=csv "x.csv" targets "a, b"'
# what no row can have is said once, before the first is trained
printf 'param width = 3\ndense width\n' >sweep.net
for arguments in '-D widht=1,2' '-D width=1,x' '--set bath=1,2' '-D width=1,2 --set layers=3'; do
    ../../$NETC sweep sweep.net $arguments
    echo "status $?"
done
../../$NETC sweep missing.net -D width=1,2
