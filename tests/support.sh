#!/usr/bin/env bash
# What shells, man and editors are told of netc: that they accept it, and that it helps.
#
# usage: tests/support.sh
. "$(dirname "$0")/lib.sh"
mkdir "$tmp/bin"
ln -s "$NETC" "$tmp/bin/netc"
export PATH=$tmp/bin:$PATH

has() { # PROGRAM
    command -v "$1" >/dev/null && return
    skip "there is no $1"
    return 1
}

# --- shells -------------------------------------------------------------------------------------

accepts() { # SHELL
    "$NETC" completion "$1" >"$tmp/netc.$1" && "$1" -n "$tmp/netc.$1"
}

# What bash offers for the last of these words.
bash_offers() { # WORD...
    bash -c '. "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _netc; printf "%s\n" "${COMPREPLY[@]}"' \
        "$tmp/netc.bash" "$@" | sort | paste -sd ' '
}

completes_in_bash() {
    same 'netc bu' build "$(bash_offers netc bu)"
    same 'netc check --exp' --explain "$(bash_offers netc check --exp)"
    same 'netc check --gem' '' "$(bash_offers netc check --gem)"
    same 'netc emit M.net --precision' 'f32 f64' "$(bash_offers netc emit M.net --precision '')"
    same 'netc emit --target=x86-64-v' 'x86-64-v2 x86-64-v3 x86-64-v4' \
        "$(bash_offers netc emit --target = x86-64-v)"
    same 'netc check --set bat' 'batch=' "$(bash_offers netc check --set bat)"
    same 'netc check models/m' 'models/mlp.net models/mnist.net' "$(bash_offers netc check models/m)"
    same 'netc explain epo' epochs "$(bash_offers netc explain epo)"
    same 'netc completion f' fish "$(bash_offers netc completion f)"
    same 'netc lab models/lab/l' models/lab/lab.json "$(bash_offers netc lab models/lab/l)"
    same 'netc lab --out model' models "$(bash_offers netc lab --out model)"
    same 'netc sweep --data=comp' compiler "$(bash_offers netc sweep --data = comp)"
    mkdir -p "$tmp/two  blanks" && touch "$tmp/two  blanks.net"
    same 'netc check, a name with blanks' "$tmp/two  blanks $tmp/two  blanks.net" \
        "$(bash_offers netc check "$tmp/two")"
    same 'netc show, a name with blanks' "$tmp/two  blanks.net" \
        "$(bash_offers netc show "$tmp/two  blanks.")"
}

completes_in_fish() {
    export HOME=$tmp/home XDG_CONFIG_HOME=$tmp/home
    mkdir -p "$HOME"
    fish_offers() {
        fish --no-config -c ". $tmp/netc.fish; complete -C '$1'" | cut -f 1 | sort | paste -sd ' '
    }
    same 'netc bu' build "$(fish_offers 'netc bu')"
    same 'netc emit --precision ' 'f32 f64' "$(fish_offers 'netc emit --precision ')"
    same 'netc check --expl' --explain "$(fish_offers 'netc check --expl')"
    same 'netc completion ' 'bash fish zsh' "$(fish_offers 'netc completion ')"
    same 'netc lab models/lab/l' models/lab/lab.json "$(fish_offers 'netc lab models/lab/l')"
    same 'netc lab --out model' models/ "$(fish_offers 'netc lab --out model')"
}

# zsh offers words only to a terminal; that all its functions load and name each option can be seen.
knows_in_zsh() {
    local word
    zsh -f -c "fpath=($tmp/zsh \$fpath); autoload -Uz compinit; compinit -D -u -d $tmp/zcompdump
               whence -w _netc; (( \${+_comps[netc]} )) && echo \$_comps[netc]" >"$tmp/zsh.out" 2>&1
    same 'compinit' '_netc: function _netc' "$(paste -sd ' ' "$tmp/zsh.out")"
    for word in $("$NETC" --help | grep -oE -e '--[a-z-]+' | sort -u); do
        grep -q -e "$word" "$tmp/netc.zsh" || echo "it does not know $word"
    done
    ! grep -E ":(DIR|.*\.json): '" "$tmp/netc.zsh" || echo 'expected files and folders there'
}

for shell in bash zsh fish; do
    has $shell && check "$shell accepts its completion" accepts $shell
done
has bash && check "bash completes" completes_in_bash
has fish && check "fish completes" completes_in_fish
mkdir "$tmp/zsh"
[ -f "$tmp/netc.zsh" ] && cp "$tmp/netc.zsh" "$tmp/zsh/_netc"
has zsh && check "zsh knows the options" knows_in_zsh

# --- manual pages -------------------------------------------------------------------------------

is_clean() { # PAGE
    "$NETC" manual "$1" >"$tmp/$1" || return
    ! has_command mandoc || mandoc -T lint -W warning "$tmp/$1"
    ! has_command man || man --warnings -Tutf8 -l "$tmp/$1" 2>&1 >"$tmp/$1.txt"
}
has_command() { command -v "$1" >/dev/null; }

names_all() {
    local word
    man -Tutf8 -l "$tmp/netc.1" 2>/dev/null | col -b >"$tmp/netc.1.txt"
    for word in $("$NETC" --help | grep -oE -e '--[a-z-]+|^  netc [a-z]+' | sed 's/.* //' | sort -u); do
        grep -qw -e "$word" "$tmp/netc.1.txt" || echo "netc.1 says nothing of $word"
    done
    # HOME and TERM are no business of netc's alone
    for word in $(grep -oh 'getenv("[A-Z_]*")' compiler/*.c | cut -d '"' -f 2 | grep -vxE 'HOME|TERM'); do
        grep -qw -e "$word" "$tmp/netc.1.txt" || echo "netc.1 says nothing of $word"
    done
    man -Tutf8 -l "$tmp/netc.5" 2>/dev/null | col -b >"$tmp/netc.5.txt"
    for word in $("$NETC" explain | awk '/^errors/ { exit } /^  / { print $1 }'); do
        grep -qx "   $word" "$tmp/netc.5.txt" || echo "netc.5 has no section $word"
    done
    grep -qF 'of |e[j]|' "$tmp/netc.5.txt" || echo 'netc.5 has no bars in the cell of mae'
}

tells_statuses() {
    local command
    for command in lab sweep; do
        "$NETC" $command --help | has_line '128 and N' || echo "netc $command --help lacks 128 and N"
    done
    "$NETC" check --help | grep '128'
    "$NETC" manual netc.1 | has_line -x '\.B 128+N' || echo 'netc.1 lacks 128+N'
    return 0
}

check "a stopped lab's exit status is told" tells_statuses
has mandoc && check "netc.1 is clean" is_clean netc.1
has mandoc && check "netc.5 is clean" is_clean netc.5
has man && check "the pages name all commands, options and statements" names_all

# --- editors ------------------------------------------------------------------------------------

# The group that Vim gives to a word of a line.
vim_colours() {
    mkdir -p "$tmp/vim/syntax" && cp -R editors/vim/* "$tmp/vim" || return
    "$NETC" syntax vim >"$tmp/vim/syntax/netc.vim"
    cat >"$tmp/probe.net" <<'END'
conv 32 3x3 relu stride 2 # conv
batch 100
relu
data csv "a#b"
END
    cat >"$tmp/probe.vim" <<'END'
function! Group(line, word)
    let column = stridx(getline(a:line), a:word) + 1
    return a:word . ' ' . synIDattr(synID(a:line, column, 1), 'name')
endfunction
call writefile([&filetype, Group(1, 'conv'), Group(1, '32'), Group(1, '3x3'), Group(1, 'relu'),
    \ Group(1, 'stride'), Group(1, '#'), Group(2, 'batch'), Group(3, 'relu'),
    \ Group(4, 'a#b')], $OUT)
qall!
END
    OUT=$tmp/groups vim -es -N -u NONE -i NONE --cmd "set rtp^=$tmp/vim" -c 'filetype plugin on' \
        -c 'syntax on' -c "edit $tmp/probe.net" -c "source $tmp/probe.vim" </dev/null
    printf '%s\n' netc 'conv netcLayer' '32 netcNumber' '3x3 netcSize' 'relu netcActivation' \
        'stride netcOption' '# netcComment' 'batch netcTraining' 'relu netcLayer' 'a#b netcString' |
        diff - "$tmp/groups"
}

# :make finds the mistakes of a file whose name has a blank.
vim_makes() {
    mkdir -p "$tmp/a folder" && printf 'conv 32 3x3 rleu\n' >"$tmp/a folder/a b.net"
    (cd "$tmp/a folder" && OUT=$tmp/quickfix vim -es -N -u NONE -i NONE --cmd "set rtp^=$tmp/vim" \
        -c 'filetype plugin on' -c 'edit a\ b.net' -c 'silent make' \
        -c 'call writefile(map(getqflist(), "bufname(v:val.bufnr) . v:val.lnum"), $OUT)' \
        -c 'qall!' </dev/null >/dev/null 2>&1)
    same 'the first mistake' 'a b.net1' "$(head -n 1 "$tmp/quickfix")"
}

# Each pattern of the grammar is a regular expression, and colours what it is for.
textmate_colours() {
    "$NETC" syntax textmate | "$python" -c '
import json, re, sys
grammar = json.load(sys.stdin)
def scope(line, word):
    at = line.index(word)
    found = [(m.start(), i, p["name"]) for i, p in enumerate(grammar["patterns"])
             for m in re.finditer(p["match"], line) if m.start() <= at < m.end()]
    return min(found)[2] if found else "none"
for line, word, wanted in [
        ("conv 32 3x3 relu stride 2", "conv", "entity.name.function.netc"),
        ("conv 32 3x3 relu stride 2", "32", "constant.numeric.netc"),
        ("conv 32 3x3 relu stride 2", "3x3", "constant.numeric.size.netc"),
        ("conv 32 3x3 relu stride 2", "relu", "support.function.netc"),
        ("conv 32 3x3 relu stride 2", "stride", "variable.parameter.netc"),
        ("dropout 25% # half", "25%", "constant.numeric.netc"),
        ("dropout 25% # half", "#", "comment.line.number-sign.netc"),
        ("data csv \"a#b\"", "#", "string.quoted.double.netc"),
        ("optimizer adam lr 0.1", "optimizer", "keyword.other.netc"),
        ("optimizer adam lr 0.1", "adam", "support.constant.netc"),
        ("param width = 3", "param", "keyword.control.netc")]:
    found = scope(line, word)
    if found != wanted:
        print(f"{word} in {line}: expected {wanted}, found {found}")
'
    for file in editors/vscode/*.json; do
        "$python" -m json.tool "$file" >"$tmp/json" || echo "$file is no JSON"
    done
}

if has vim && vim --version | has_line '+syntax'; then
    check "Vim colours a network" vim_colours
    check "Vim makes a network" vim_makes
fi
check "the TextMate grammar colours a network" textmate_colours

# --- installation -------------------------------------------------------------------------------

installs() {
    make -s install DESTDIR="$tmp/root" PREFIX=/usr >"$tmp/install.log" 2>&1 || cat "$tmp/install.log"
    local file
    for file in bin/netc share/bash-completion/completions/netc share/zsh/site-functions/_netc \
        share/fish/vendor_completions.d/netc.fish share/man/man1/netc.1 share/man/man5/netc.5 \
        share/vim/vimfiles/syntax/netc.vim share/vim/vimfiles/ftdetect/netc.vim \
        share/netc/vscode/package.json share/netc/vscode/syntaxes/netc.tmLanguage.json; do
        [ -s "$tmp/root/usr/$file" ] || echo "$file is not installed"
    done
    cmp "$tmp/root/usr/share/man/man1/netc.1" <("$NETC" manual netc.1)
}

# Blanks in both paths; then a relative one.
installs_in_blanks() {
    make -s install DESTDIR="$tmp/a root" PREFIX='/opt/my netc' >"$tmp/install.log" 2>&1 ||
        cat "$tmp/install.log"
    same 'installed files' "$(cd "$tmp/root/usr" && find . -type f | sort)" \
        "$(cd "$tmp/a root/opt/my netc" && find . -type f | sort)"
    make -s install DESTDIR= PREFIX="$(realpath --relative-to=. "$tmp")/relative" \
        >"$tmp/install.log" 2>&1 || cat "$tmp/install.log"
    cmp "$tmp/relative/share/man/man1/netc.1" <("$NETC" manual netc.1)
}

# Where programs look: below the folder that it is called in. Files in the way of both end it early.
fetches_here() {
    mkdir "$tmp/here" && touch "$tmp/here/data" "$tmp/root/usr/share/data"
    same 'fetch-data mnist' "fetch-data: error: cannot make the folder 'data/mnist'" \
        "$(cd "$tmp/here" && timeout 20 "$tmp/root/usr/share/netc/fetch-data" mnist 2>&1)"
    rm "$tmp/root/usr/share/data"
}

check "make install installs all of it" installs
check "what is installed fetches data into the current folder" fetches_here
check "make install takes folders with blanks" installs_in_blanks
# The name of a file may be any bytes; what is written of it is UTF-8.
odd_name() {
    local net file
    net=$tmp/$(printf 'h\xea').net
    printf 'data mnist\ninput 28x28x1\ndense 10 softmax\nloss cross_entropy\n' >"$net"
    "$NETC" summary "$net" --json >"$tmp/odd.json" && "$NETC" graph "$net" -o "$tmp/odd.svg" &&
        "$NETC" emit "$net" -o "$tmp/odd.c" || return
    CC=false "$NETC" sweep "$net" --set seed=1,2 --out "$tmp/odd" >"$tmp/odd.log" 2>&1
    for file in "$tmp"/odd.{json,svg,c} "$tmp"/odd/report.*; do
        iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || echo "${file#"$tmp/"} is not UTF-8"
    done
}
check 'the name of a file is not UTF-8' odd_name
finish
