#!/usr/bin/env bash
# What the documentation says is run: each fenced block of README.md and docs/ by its mark.
#
#   net            a whole program; netc check has nothing to say
#   net layer      layers; the same, in a small network
#   net error      netc check fails, and the text block behind it is what it says
#   net warning    netc check succeeds, and the text block behind it is what it says
#   console        each line after `$ ` is run beside the programs above it; the others are its output
#   c              lines of the last generated/NAME.c named above it
#
# In the last two, a line `...` stands for any lines. The last program is example.net there, and
# those of models/ are at hand under their names.
#
# usage: tests/docs.sh
. "$(dirname "$0")/lib.sh"
work=$tmp/work
mkdir "$work"
cp -r models/*.net models/lab "$work"
ln -s "$NETC" "$tmp/netc"
export PATH=$tmp:$PATH

# --- blocks -------------------------------------------------------------------------------------

# shows EXPECTED FOUND: whether the runs of lines between `...` are in the text one after another
shows() {
    awk '
        function seek(    at) {
            if (run == "")
                return
            at = index(found, "\n" run)
            if (!at && !missing)
                missing = run
            found = substr(found, at + length(run))
            run = ""
        }
        FNR == NR { found = found $0 "\n"; next }
        FNR == 1 { found = "\n" found }
        /^[ \t]*\.\.\.$/ { seek(); next }
        { run = run $0 "\n" }
        END { seek(); if (missing) printf "these lines are not there:\n%s", missing }
    ' "$2" "$1"
}

check_program() { # STATUS MESSAGES
    local status
    (cd "$work" && "$NETC" check example.net) >"$tmp/found" 2>&1
    status=$?
    [ $status -eq "$1" ] || echo "exit status $status, not $1"
    diff "$2" "$tmp/found"
}

check_console() { # BLOCK
    (cd "$work" && while IFS= read -r line; do
        case $line in '$ '*) echo "$line"; eval "${line#??}" 2>&1 </dev/null ;; esac
    done) <"$1" >"$tmp/found"
    if grep -qE '^[[:space:]]*\.\.\.$' "$1"; then
        shows "$1" "$tmp/found"
    else
        diff "$1" "$tmp/found"
    fi
}

check_excerpt() { # BLOCK FILE
    [ -f "$2" ] || { echo "there is no '$2'"; return; }
    shows "$1" "$2"
}

# One block; `expected` is the file of the text behind it.
run_block() { # PLACE MARK BLOCK EXPECTED SOURCE
    case $2 in
        net | 'net error' | 'net warning') cp "$3" "$work/example.net" ;;
        'net layer')
            { printf 'data mnist\ninput 28x28x1\n'; cat "$3"
              printf 'dense 10 softmax\nloss cross_entropy\n'; } >"$work/example.net" ;;
    esac
    case $2 in
        net | 'net layer') check "$1" check_program 0 /dev/null ;;
        'net error') check "$1" check_program 1 "$4" ;;
        'net warning') check "$1" check_program 0 "$4" ;;
        console) check "$1" check_console "$3" ;;
        c) check "$1" check_excerpt "$3" "$5" ;;
        text | sh) ;;
        *) check "$1" echo "a block marked '$2', which is not known" ;;
    esac
}

run_file() { # FILE
    local fence='' mark='' line number=0 start=0 source='' wanted=''
    while IFS= read -r line; do
        number=$((number + 1))
        if [ -z "$fence" ] && [[ $line == '```'* ]]; then
            fence=yes mark=${line#'```'} start=$number
            : >"$tmp/block"
        elif [ -z "$fence" ]; then
            [[ $line =~ .*(generated/[a-z/_-]+\.c) ]] && source=${BASH_REMATCH[1]}
        elif [ "$line" != '```' ]; then
            printf '%s\n' "$line" >>"$tmp/block"
        else
            fence=
            if [ -n "$wanted" ]; then # by the block before
                [ "$mark" = text ] || check "$1:$start" echo "expected the text of the message"
                run_block "$1:${wanted%% *}" "${wanted#* }" "$tmp/before" "$tmp/block" "$source"
                wanted=
            elif [[ $mark == 'net error' || $mark == 'net warning' ]]; then
                cp "$tmp/block" "$tmp/before"
                wanted="$start $mark"
            else
                run_block "$1:$start" "$mark" "$tmp/block" "$tmp/block" "$source"
            fi
        fi
    done <"$1"
    [ -z "$fence$wanted" ] || check "$1:$start" echo "the block does not end"
}

# --- statements.def -----------------------------------------------------------------------------

# A line for each row: the word of a statement, or `=` and CHOICE NAME DEFAULT KIND.
language() {
    cc -E -P -x c - <<'END' | sed 's/ @/\n@/g' | tr -d '" ' | grep '^@'
#define STATEMENT(word, section, example, what) @|word|
#define VALUE(name, kind, otherwise, what) @|=|-|name|otherwise|kind
#define VALUE_OF(choice, name, kind, otherwise, what) @|=|choice|name|otherwise|kind
#define OPTION(name, kind, otherwise, what) @|=|-|name|otherwise|kind
#define OPTION_OF(choice, name, kind, otherwise, what) @|=|choice|name|otherwise|kind
#define ONE_OF(...) __VA_ARGS__
#define ACTIVATION
#include "compiler/statements.def"
END
}

# The part of docs/language.md under `### statement`, or in it under `#### choice`.
section() { # STATEMENT CHOICE
    awk -v statement="### $1" -v choice="#### $2" '
        /^##?#? / { inside = $0 == statement; chosen = 0 }
        /^#### / { chosen = $0 == choice }
        inside && (choice == "#### -" || chosen)' docs/language.md
}

check_statement() { # STATEMENT
    [ -n "$(section "$1" -)" ] || echo "docs/language.md has no section '### $1'"
}

check_row() { # STATEMENT CHOICE NAME DEFAULT KIND
    local text row word
    text=$(section "$1" "$2")
    row=$(grep -F "| \`$3\` |" <<<"$text") || {
        echo "'### $1' has no row of a table for '$3'"
        return
    }
    case $4 in
        UNSET | REQUIRED) ;;
        SAME_AS*) word=${4#*\(} && grep -qF "\`${word%\)}\`" <<<"$row" || echo "'$3': not its default $4" ;;
        *) grep -qF "|$4|" <<<"${row// /}" || echo "'$3' of '$1': its default is $4, found $row" ;;
    esac
    case $5 in *\(* | '' | NAME | DATA_SET | PATH | COLUMN) return ;; esac
    for word in ${5//,/ }; do
        grep -qF "\`$word\`" <<<"$text" || echo "'$3' of '$1' says nothing of '$word'"
    done
}

run_language() {
    local statement='' word choice name otherwise kind
    while IFS='|' read -r _ word choice name otherwise kind; do
        if [ "$word" != = ]; then
            statement=$word
            check "statement $statement" check_statement "$statement"
        else
            check "$statement: $name" check_row "$statement" "$choice" "$name" "$otherwise" "$kind"
        fi
    done < <(language)
}

# --- commands that are named --------------------------------------------------------------------

# The text between backquotes, and the lines of blocks of commands.
code_of() {
    awk '/^```/ { fence = !fence; shell = /sh$/; console = /console$/; next }
         fence { if (shell || (console && sub(/^\$ /, ""))) { sub(/#.*/, ""); print } next }
         { while (match($0, /`[^`]+`/)) { print substr($0, RSTART + 1, RLENGTH - 2)
                                          $0 = substr($0, RSTART + RLENGTH) } }' "$1"
}

check_commands() { # FILE
    local word
    for word in $(code_of "$1" | grep -oP '\bnetc \K[a-z]+' | sort -u); do
        "$NETC" --help | has_line "^  netc $word " || echo "there is no 'netc $word'"
    done
    for word in $(code_of "$1" | grep -oP '(^|[ ;])\./[a-z]+ \K[a-z]+' | sort -u); do
        grep -q "^    {\"$word\"," runtime/cli.c || echo "a program has no command '$word'"
    done
    for word in $(code_of "$1" | grep -oP '^make \K[a-z-]+' | sort -u); do
        grep -qE "^$word:|^\.PHONY:.* $word( |\$)" Makefile || echo "there is no 'make $word'"
    done
    for word in $(code_of "$1" | grep -oP '^(compiler|runtime|tests|tools|models|docs|grammar)/[A-Za-z0-9/_.*-]+' |
        sort -u); do
        compgen -G "$word" >/dev/null || echo "there is no '$word'"
    done
}

for file in README.md docs/*.md docs/*/*.md; do
    run_file "$file"
    check "$file: names of commands and files" check_commands "$file"
    case $file in # rows of a table that a program wrote may be longer
    docs/benchmarks.md | docs/*/benchmarks.md | docs/lab.md) table='^[|]' ;;
    *) table='^$' ;;
    esac
    check "$file: lines" awk -v table="$table" \
        'length($0) > 120 && $0 !~ table { print FNR ": " length($0) " columns" }' "$file"
done
run_language
finish
