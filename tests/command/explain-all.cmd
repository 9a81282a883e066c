# each statement is listed, and has an entry whose lines fit, formulas and examples apart
for word in $($NETC explain | awk '/^errors/ { exit } /^  / { print $1 }'); do
    # in characters: without the further bytes of each
    $NETC explain $word | LC_ALL=C tr -d '\200-\277' | awk -v word=$word '
        NR == 1 && $0 != word { print word ": its entry begins with " $0 }
        /^ ?[^ ]/ && length($0) > 80 { print word ": too wide: " $0 }' || echo "$word: no entry"
done
# and each error
for code in $(grep -oE '^ERROR\( E[0-9]+' compiler/errors.def | cut -c8-); do
    $NETC explain $code | head -n 1 | grep -q "^$code: ." || echo "$code: no entry"
done
