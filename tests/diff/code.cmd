# The C, function by function in the alignment of the layers: unchanged ones folded to a line, those
# that differ in a layer's name alone are unchanged. Both files are short ones in emit's layout, so
# that this test is about the comparison.
cd "$TMP" && NETC=$(realpath "$OLDPWD/$NETC")
file() { # NAME LAYERS FUNCTIONS
    cat <<END
// $1: a network compiled by netc into the C that trains it.

#include <math.h> // sqrt

// --- tensors ------------------------

// weights, which training changes
static _Alignas(64) float out_w[4];
static _Alignas(64) float kept[4];

$3

// --- the whole network --------------

// One step.
static void train_step(const NnBatch *batch)
{
    nn_each (block, 4) {
        one();
        two();

        three();
        $4
        timed(CALL_$5_forward);
        five();
        six();
        seven();
        eight();
    }
}

static const NnLayer layers[] = {
    {"$5"},
};

const NnModel nn_model = {
    .name = "$1",
    .source =
        "# $1, compiled by netc --target x86-64-v4\012"
        "#\012"
        "data mnist; input 28x28x1; loss cross_entropy\012"
$2,
};
END
}
dense() { # NAME SIZE
    printf '// --- %s: dense %s relu ----\n\n' "$1" "$2"
    printf '// y = x w\nstatic void %s_forward(int rows, const float w[%s])\n{\n' "$1" "$2"
    printf '    product_10x%s(rows, %s_w);\n}\n\n' "$2" "$1"
    printf 'static void %s_update(int rows)\n{\n    infer_%s(d_%s_w, AT_d_%s);\n}\n' "$1" "$1" "$1" "$1"
}
product() { printf '// c = a b\nstatic void product_%sx%s(int rows)\n{\n    tile(%s);\n}\n' "$1" "$2" "$2"; }
dropout() { printf 'static void dropout1_forward(int rows)\n{\n    // 50%%\n}\n'; }
list() { for part in "$@"; do $part; echo; done; }
file left '        "dense 30 relu\012"
        "dense 20 relu\012"
        "dense 16 relu\012"
        "dense 10 softmax\012"' "$(list 'product 10 30' 'product 10 20' 'product 10 16' 'product 10 10' \
    'dense dense1 30' 'dense dense2 20' 'dense dense3 16' 'dense dense4 10')" 'dense1_forward();' dense2 >left.c
file right '        "dense 20 relu\012"
        "dropout 50%\012"
        "dense 12 relu\012"
        "dense 10 softmax\012"' "$(list 'product 10 20' 'product 10 12' 'product 10 10' \
    'dense dense1 20' dropout 'dense dense2 12' 'dense dense3 10')" 'dense2_forward();' dense1 >right.c
run() { echo "\$ netc diff $*"; "$NETC" diff "$@"; echo "exit $?"; }
run left.c right.c --code
run left.c right.c --code -U0
run left.c right.c --stat
run left.c right.c --stat --json
run left.c right.c --code -U 1 --color always | head -n 12
NO_COLOR=1 "$NETC" diff left.c right.c --net --color=always | head -n 3
sed 's/left/other/' left.c >other.c
run left.c other.c
# Blanks in quotes count.
sed 's/batch)$/&; \/\/ "a b"/' left.c >quoted.c && sed 's/"a b"/"ab"/' quoted.c >unblank.c
run quoted.c unblank.c --code -U0
# Lines that only one side has are a difference, whichever side it is.
sed 's/^        one();/&\n        more();/' left.c >more.c
run left.c more.c --code -U1
run more.c left.c --stat
