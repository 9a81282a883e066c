// emit_winograd_transforms.c: the transforms of Winograd's F(2x2, 3x3) and F(4x4, 3x3), which all
// layers share.
//
// With the matrices of Lavin and Gray, a window g of 3x3 over 4x4 pixels d gives the square
// A' (G g G' . B' d B) A of 2x2, where . is number by number; over 6x6 pixels one of 4x4. The
// transposes of these maps make the gradients.
#include "emit.h"

#include <string.h>

// In the lines below REAL stands for the program's type, VECTOR for the target's vector of it,
// LANES for how many that holds, BYTES for its size, WIDE for a panel's columns, SIDE for the
// pixels of a square's side, SPAN for those below it, PLACES for the square of that, and ROOTS for
// what `roots` defines.
static const char *const shared[] = {
    "// A vector of the numbers from `at` on, wherever they lie.",
    "typedef REAL Loose __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));",
    "#define NUMBERS(at) (*(Loose *)(at))",
    "",
    ("// Pictures, and squares of a convolution's result over them: the pixels that a square is "
     "made of begin `above` lines above it and `left` columns left of it."),
    "typedef struct {",
    "int lines, columns, channels, above, left;",
    "int side;       // pixels of a square's",
    "int high, wide; // squares of a picture",
    "} Squares;",
    "",
    ("// Where the size x size pixels below a square lie, which is number `number` of those of "
     "pictures from x on; what lies beside its picture is 0, and all of a square that is not "
     "`there`."),
    ("static void find_pixels(const REAL *x, const Squares *s, bool there, int number, int size, "
     "const REAL **at)"),
    "{",
    "const int picture = number / (s->high * s->wide);",
    "const int line = number / s->wide % s->high * s->side - s->above;",
    "const int column = number % s->wide * s->side - s->left;",
    "for (int p = 0; p < size * size; p++) {",
    "const int r = p / size, c = p % size;",
    ("const bool inside = there && line + r >= 0 && line + r < s->lines && column + c >= 0 && "
     "column + c < s->columns;"),
    "const long pixel = ((long)picture * s->lines + line + r) * s->columns + column + c;",
    "at[p] = inside ? x + pixel * s->channels : beside;",
    "}",
    "}",
    "",
    ("// Columns of the panel that a column of a matrix lies in: WIDE of them lie by themselves, "
     "row after row, and those that are left."),
    "static INLINED int panel_width(int columns, int column)",
    "{",
    "return nn_min(WIDE, columns - column / WIDE * WIDE);",
    "}",
    "",
    "static INLINED long in_panels(int rows, int columns, int row, int column)",
    "{",
    "const int first = column / WIDE * WIDE;",
    "return (long)first * rows + (long)row * panel_width(columns, column) + column - first;",
    "}",
};

// --- of one column or row ------------------------------------------------------------------------

static const char *const input_2[] = {
    "// t = B' d of F(2x2, 3x3)",
    "static INLINED void input_f2(const VECTOR d[4], VECTOR t[4])",
    "{",
    "t[0] = d[0] - d[2];",
    "t[1] = d[1] + d[2];",
    "t[2] = d[2] - d[1];",
    "t[3] = d[1] - d[3];",
    "}",
};

static const char *const output_2[] = {
    "// y = A' m",
    "static INLINED void output_f2(const VECTOR m[4], VECTOR y[2])",
    "{",
    "y[0] = m[0] + m[1] + m[2];",
    "y[1] = m[1] - m[2] - m[3];",
    "}",
};

static const char *const gradient_2[] = {
    "// z = A y",
    "static INLINED void gradient_f2(const VECTOR y[2], VECTOR z[4])",
    "{",
    "z[0] = y[0];",
    "z[1] = y[0] + y[1];",
    "z[2] = y[0] - y[1];",
    "z[3] = -y[1];",
    "}",
};

static const char *const window_2[] = {
    "// u = G g",
    "static INLINED void window_f2(const VECTOR g[3], VECTOR u[4])",
    "{",
    "u[0] = g[0];",
    "u[1] = (g[0] + g[1] + g[2]) / 2;",
    "u[2] = (g[0] - g[1] + g[2]) / 2;",
    "u[3] = g[2];",
    "}",
};

static const char *const sums_2[] = {
    "// g = G' s",
    "static INLINED void sums_f2(const VECTOR s[4], VECTOR g[3])",
    "{",
    "const VECTOR half = (s[1] + s[2]) / 2;",
    "g[0] = s[0] + half;",
    "g[1] = (s[1] - s[2]) / 2;",
    "g[2] = half + s[3];",
    "}",
};

// Those of F(4x4, 3x3) know a polynomial by its values at 0, p, -p, q, -q and infinity. With 5/8
// and 3/2 less is rounded than with 1 and 2, which are usual, and all constants but G's are exact.
static const char roots[] = "p = 0.625, q = 1.5, pp = p * p, qq = q * q;";

static const char *const input_4[] = {
    "// t = B' d of F(4x4, 3x3)",
    "static INLINED void input_f4(const VECTOR d[6], VECTOR t[6])",
    "{",
    "ROOTS",
    "const VECTOR even_p = d[4] - qq * d[2], odd_p = p * (d[3] - qq * d[1]);",
    "const VECTOR even_q = d[4] - pp * d[2], odd_q = q * (d[3] - pp * d[1]);",
    "t[0] = pp * qq * d[0] - (pp + qq) * d[2] + d[4];",
    "t[1] = even_p + odd_p;",
    "t[2] = even_p - odd_p;",
    "t[3] = even_q + odd_q;",
    "t[4] = even_q - odd_q;",
    "t[5] = pp * qq * d[1] - (pp + qq) * d[3] + d[5];",
    "}",
};

static const char *const output_4[] = {
    "// y = A' m",
    "static INLINED void output_f4(const VECTOR m[6], VECTOR y[4])",
    "{",
    "ROOTS",
    "const VECTOR even_p = m[1] + m[2], odd_p = p * (m[1] - m[2]);",
    "const VECTOR even_q = m[3] + m[4], odd_q = q * (m[3] - m[4]);",
    "y[0] = m[0] + even_p + even_q;",
    "y[1] = odd_p + odd_q;",
    "y[2] = pp * even_p + qq * even_q;",
    "y[3] = pp * odd_p + qq * odd_q + m[5];",
    "}",
};

static const char *const gradient_4[] = {
    "// z = A y",
    "static INLINED void gradient_f4(const VECTOR y[4], VECTOR z[6])",
    "{",
    "ROOTS",
    "const VECTOR even_p = y[0] + pp * y[2], odd_p = p * (y[1] + pp * y[3]);",
    "const VECTOR even_q = y[0] + qq * y[2], odd_q = q * (y[1] + qq * y[3]);",
    "z[0] = y[0];",
    "z[1] = even_p + odd_p;",
    "z[2] = even_p - odd_p;",
    "z[3] = even_q + odd_q;",
    "z[4] = even_q - odd_q;",
    "z[5] = y[3];",
    "}",
};

static const char *const window_4[] = {
    "// u = G g",
    "static INLINED void window_f4(const VECTOR g[3], VECTOR u[6])",
    "{",
    "ROOTS",
    "const REAL of_p = 1 / (2 * pp * (pp - qq)), of_q = 1 / (2 * qq * (qq - pp));",
    "const VECTOR even_p = g[0] + pp * g[2], odd_p = p * g[1];",
    "const VECTOR even_q = g[0] + qq * g[2], odd_q = q * g[1];",
    "u[0] = g[0] / (pp * qq);",
    "u[1] = (even_p + odd_p) * of_p;",
    "u[2] = (even_p - odd_p) * of_p;",
    "u[3] = (even_q + odd_q) * of_q;",
    "u[4] = (even_q - odd_q) * of_q;",
    "u[5] = g[2];",
    "}",
};

static const char *const sums_4[] = {
    "// g = G' s",
    "static INLINED void sums_f4(const VECTOR s[6], VECTOR g[3])",
    "{",
    "ROOTS",
    "const REAL of_p = 1 / (2 * pp * (pp - qq)), of_q = 1 / (2 * qq * (qq - pp));",
    "const VECTOR even_p = (s[1] + s[2]) * of_p, even_q = (s[3] + s[4]) * of_q;",
    "g[0] = s[0] / (pp * qq) + even_p + even_q;",
    "g[1] = p * of_p * (s[1] - s[2]) + q * of_q * (s[3] - s[4]);",
    "g[2] = pp * even_p + qq * even_q + s[5];",
    "}",
};

// --- of squares and windows ----------------------------------------------------------------------

static const char *const transform_input[] = {
    ("// v = B' d B for `count` squares from `first` on, d being the SPANxSPAN pixels below one, "
     "and 0 for the rest of the `all` that v has room for"),
    ("static void transform_input_fSIDE(const REAL *x, const Squares *s, int first, int count, "
     "int all, REAL *v)"),
    "{",
    "const long next = (long)all * s->channels + GAP; // place",
    "const REAL *at[PLACES], *ahead[PLACES]; // of the next square",
    "find_pixels(x, s, true, first, SPAN, ahead);",
    "for (int i = 0; i < all; i++) {",
    "memcpy(at, ahead, sizeof at);",
    "find_pixels(x, s, i + 1 < count, first + i + 1, SPAN, ahead);",
    "for (int k = 0; k < s->channels; k += LANES) {",
    "VECTOR t[SPAN][SPAN];",
    "UNROLLED for (int c = 0; c < SPAN; c++) {",
    "VECTOR d[SPAN], column[SPAN];",
    "UNROLLED for (int r = 0; r < SPAN; r++) {",
    "d[r] = NUMBERS(at[r * SPAN + c] + k);",
    "__builtin_prefetch(ahead[r * SPAN + c] + k);",
    "}",
    "input_fSIDE(d, column);",
    "UNROLLED for (int r = 0; r < SPAN; r++)",
    "    t[r][c] = column[r];",
    "}",
    "UNROLLED for (int r = 0; r < SPAN; r++) {",
    "REAL *const to = v + r * SPAN * next + (long)i * s->channels + k;",
    "VECTOR row[SPAN];",
    "input_fSIDE(t[r], row);",
    "UNROLLED for (int c = 0; c < SPAN; c++)",
    "    NUMBERS(to + c * next) = row[c];",
    "}",
    "}",
    "}",
    "}",
};

static const char *const transform_output[] = {
    "// y = A' m A, a square of SIDExSIDE pixels, for `count` squares from `first` on",
    ("static void transform_output_fSIDE(const REAL *m, const Squares *s, int first, int count, "
     "int all, REAL *y)"),
    "{",
    "const long next = (long)all * s->channels + GAP; // place",
    "for (int i = 0; i < count; i++) {",
    "const int picture = (first + i) / (s->high * s->wide);",
    "const int line = (first + i) / s->wide % s->high * SIDE;",
    "const int column = (first + i) % s->wide * SIDE;",
    "const int high = nn_min(SIDE, s->lines - line), wide = nn_min(SIDE, s->columns - column);",
    "REAL *const to = y + (((long)picture * s->lines + line) * s->columns + column) * s->channels;",
    "for (int k = 0; k < s->channels; k += LANES) {",
    "VECTOR t[SIDE][SPAN];",
    "UNROLLED for (int c = 0; c < SPAN; c++) {",
    "const REAL *const at = m + c * next + (long)i * s->channels + k;",
    "VECTOR column_of_m[SPAN], sums[SIDE];",
    "UNROLLED for (int r = 0; r < SPAN; r++)",
    "    column_of_m[r] = NUMBERS(at + r * SPAN * next);",
    "output_fSIDE(column_of_m, sums);",
    "UNROLLED for (int r = 0; r < SIDE; r++)",
    "    t[r][c] = sums[r];",
    "}",
    "UNROLLED for (int r = 0; r < SIDE; r++) {",
    "REAL *const row = to + (long)r * s->columns * s->channels + k;",
    "VECTOR pixels[SIDE];",
    "output_fSIDE(t[r], pixels);",
    "UNROLLED for (int c = 0; c < SIDE; c++)",
    "    if (r < high && c < wide)",
    "        NUMBERS(row + (long)c * s->channels) = pixels[c];",
    "}",
    "}",
    "}",
    "}",
};

static const char *const transform_gradient[] = {
    ("// z = A d A', d being a square of SIDExSIDE pixels of dy, for those that "
     "transform_input_fSIDE takes"),
    ("static void transform_gradient_fSIDE(const REAL *dy, const Squares *s, int first, int "
     "count, int all, REAL *z)"),
    "{",
    "const long next = (long)all * s->channels + GAP; // place",
    "for (int i = 0; i < all; i++) {",
    "const REAL *at[SIDE * SIDE];",
    "find_pixels(dy, s, i < count, first + i, SIDE, at);",
    "for (int k = 0; k < s->channels; k += LANES) {",
    "VECTOR t[SPAN][SIDE];",
    "UNROLLED for (int c = 0; c < SIDE; c++) {",
    "VECTOR d[SIDE], column[SPAN];",
    "UNROLLED for (int r = 0; r < SIDE; r++)",
    "    d[r] = NUMBERS(at[r * SIDE + c] + k);",
    "gradient_fSIDE(d, column);",
    "UNROLLED for (int r = 0; r < SPAN; r++)",
    "    t[r][c] = column[r];",
    "}",
    "UNROLLED for (int r = 0; r < SPAN; r++) {",
    "REAL *const to = z + r * SPAN * next + (long)i * s->channels + k;",
    "VECTOR row[SPAN];",
    "gradient_fSIDE(t[r], row);",
    "UNROLLED for (int c = 0; c < SPAN; c++)",
    "    NUMBERS(to + c * next) = row[c];",
    "}",
    "}",
    "}",
    "}",
};

static const char *const gradient_of_windows[] = {
    "// dw = G' s G, s being the sums at SPANxSPAN places, in panels",
    ("static void gradient_of_windows_fSIDE(const REAL *sum, int channels, int outputs, REAL "
     "*dw)"),
    "{",
    "const long next = (long)channels * outputs; // place, or tap",
    "for (int i = 0; i < channels; i++) {",
    "for (int j = 0; j < outputs; j += LANES) {",
    "const REAL *const from = sum + in_panels(channels, outputs, i, j);",
    "REAL *const to = dw + (long)i * outputs + j;",
    "VECTOR t[3][SPAN];",
    "UNROLLED for (int c = 0; c < SPAN; c++) {",
    "VECTOR s[SPAN], column[3];",
    "UNROLLED for (int r = 0; r < SPAN; r++)",
    "    s[r] = NUMBERS(from + (r * SPAN + c) * next);",
    "sums_fSIDE(s, column);",
    "UNROLLED for (int r = 0; r < 3; r++)",
    "    t[r][c] = column[r];",
    "}",
    "UNROLLED for (int r = 0; r < 3; r++) {",
    "VECTOR taps[3];",
    "sums_fSIDE(t[r], taps);",
    "UNROLLED for (int c = 0; c < 3; c++)",
    "    NUMBERS(to + (r * 3 + c) * next) = taps[c];",
    "}",
    "}",
    "}",
    "}",
};

static const char *const transform_window[] = {
    "// u = G g G', g being a window of 3x3 whose taps are `next` numbers apart",
    ("static INLINED void transform_window_fSIDE(const REAL *g, long next, VECTOR "
     "u[SPAN][SPAN])"),
    "{",
    "VECTOR t[SPAN][3];",
    "UNROLLED for (int c = 0; c < 3; c++) {",
    "VECTOR taps[3], column[SPAN];",
    "UNROLLED for (int r = 0; r < 3; r++)",
    "    taps[r] = NUMBERS(g + (3 * r + c) * next);",
    "window_fSIDE(taps, column);",
    "UNROLLED for (int r = 0; r < SPAN; r++)",
    "    t[r][c] = column[r];",
    "}",
    "UNROLLED for (int r = 0; r < SPAN; r++)",
    "    window_fSIDE(t[r], u[r]);",
    "}",
};

static const char *const transform_windows[] = {
    ("// The windows of channels from .. to: u[SPAN][SPAN][channels][outputs] of "
     "w[3][3][channels][outputs], each place's matrix in panels"),
    ("static void transform_windows_fSIDE(const REAL *w, int channels, int outputs, int from, "
     "int to, REAL *u)"),
    "{",
    "const long next = (long)channels * outputs; // tap, or place",
    "for (int c = from; c < to; c++) {",
    "for (int k = 0; k < outputs; k += LANES) {",
    "VECTOR at[SPAN][SPAN];",
    "transform_window_fSIDE(w + (long)c * outputs + k, next, at);",
    "REAL *const place = u + in_panels(channels, outputs, c, k);",
    "for (int p = 0; p < PLACES; p++)",
    "    NUMBERS(place + p * next) = at[p / SPAN][p % SPAN];",
    "}",
    "}",
    "}",
};

static const char *const transform_windows_turned[] = {
    "// The same windows turned round: u[SPAN][SPAN][outputs][channels], in panels",
    ("static void transform_windows_turned_fSIDE(const REAL *w, int channels, int outputs, int "
     "from, int to, REAL *u)"),
    "{",
    "const long next = (long)channels * outputs; // tap, or place",
    "REAL part[PLACES][LANES][LANES];",
    "for (int c = from, many; c < to; c += many) {",
    "many = nn_min(LANES - c % LANES, to - c);",
    "const int wide = panel_width(channels, c);",
    "for (int k = 0; k < outputs; k += LANES) {",
    "for (int i = 0; i < many; i++) {",
    "VECTOR at[SPAN][SPAN];",
    "transform_window_fSIDE(w + 8 * next + (long)(c + i) * outputs + k, -next, at);",
    "for (int p = 0; p < PLACES; p++)",
    "    NUMBERS(part[p][i]) = at[p / SPAN][p % SPAN];",
    "}",
    "REAL *const place = u + in_panels(outputs, channels, k, c);",
    "for (int p = 0; p < PLACES; p++)",
    "    nn_turn_REAL(many, LANES, part[p][0], LANES, place + p * next, wide);",
    "}",
    "}",
    "}",
};

#define LINES(part) part, (int)(sizeof part / sizeof *part)

typedef struct {
    const char *function;
    const char *const *lines;
    int count;
} Part;

enum { PARTS_OF_LINES = 5 };
static const Part of_lines[2][PARTS_OF_LINES] = {
    {
        {"input", LINES(input_2)},
        {"output", LINES(output_2)},
        {"gradient", LINES(gradient_2)},
        {"window", LINES(window_2)},
        {"sums", LINES(sums_2)},
    },
    {
        {"input", LINES(input_4)},
        {"output", LINES(output_4)},
        {"gradient", LINES(gradient_4)},
        {"window", LINES(window_4)},
        {"sums", LINES(sums_4)},
    },
};

static const Part parts[] = {
    {"transform_input", LINES(transform_input)},
    {"transform_output", LINES(transform_output)},
    {"transform_gradient", LINES(transform_gradient)},
    {"gradient_of_windows", LINES(gradient_of_windows)},
    {"transform_windows", LINES(transform_windows)},
    {"transform_windows_turned", LINES(transform_windows_turned)},
};

static const char *with_types(const Out *out, const char *text, int side)
{
    const int lanes = vector_lanes(out->network), span = side + 2;
    const char *const type = real_type(out->network);
    const Replacement words[] = {{"ROOTS", format("const %s %s", type, roots)},
                                 {"REAL", type},
                                 {"VECTOR", lane_type(out->network, lanes)},
                                 {"LANES", format("%d", lanes)},
                                 {"BYTES", format("%d", out->network->target->vector_bytes)},
                                 {"WIDE", format("%d", panel_columns(out->network))},
                                 {"SIDE", format("%d", side)},
                                 {"SPAN", format("%d", span)},
                                 {"PLACES", format("%d", span * span)}};
    return with_words(text, words, (int)(sizeof words / sizeof *words));
}

static void emit_lines(Out *out, const char *const *lines, int count, int side)
{
    for (int i = 0; i < count; i++) {
        const char *const text = with_types(out, lines[i], side);
        if (starts_with(text, "// "))
            comment(out, "%s", text + 3);
        else if (*text)
            line(out, "%s", text);
        else
            blank_line(out);
    }
    blank_line(out);
}

static bool calls(const char *body, const char *function, int side)
{
    return strstr(body, format("%s_f%d(", function, side)) != NULL;
}

// The transforms for squares of so many pixels that the body calls; what they call comes first.
static void emit_transforms_of(Out *out, const char *body, int side)
{
    Out functions = {.network = out->network};
    if (calls(body, "transform_windows", side) || calls(body, "transform_windows_turned", side))
        emit_lines(&functions, LINES(transform_window), side);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (calls(body, parts[i].function, side))
            emit_lines(&functions, parts[i].lines, parts[i].count, side);
    if (!functions.text.length)
        return;
    if (side == 4)
        comment(out, "The matrices of F(4x4, 3x3) are those of polynomials known by their values "
                     "at 0, p, -p, q, -q and infinity. With 5/8 and 3/2 less is rounded than with "
                     "1 and 2, which are usual.");
    for (int i = 0; i < PARTS_OF_LINES; i++) {
        const Part *const part = &of_lines[side / 4][i];
        if (calls(functions.text.text, format(" %s", part->function), side))
            emit_lines(out, part->lines, part->count, side);
    }
    text_put(&out->text, functions.text.text, functions.text.length);
}

// Those that `body` calls, for layers of so many channels.
void emit_winograd_transforms(Out *out, const char *body, int channels)
{
    const char *const type = real_type(out->network);
    comment(out, "Convolutions by 3x3 windows with fewer products, Winograd's F(2x2, 3x3) and "
                 "F(4x4, 3x3): the pixels d below a square of the result, 4x4 or 6x6, and a window "
                 "g are transformed, and multiplied number by number and added over channels at "
                 "each of their places; the sums are transformed back into the square. That is 16 "
                 "products for 36, or 36 for 144. See Lavin and Gray, Fast algorithms for "
                 "convolutional neural networks, for A, B and G.");
    comment(out, "Behind the matrix of each place is a gap, so that they do not fill the same "
                 "sets of the cache.");
    line(out, "enum { GAP = %d };", 64 / (int)element_bytes(out->network, TYPE_REAL));
    line(out, "static const %s beside[%d] = {0}; // pixels beside a picture", type, channels);
    blank_line(out);
    emit_lines(out, LINES(shared), 0);
    emit_transforms_of(out, body, 2);
    emit_transforms_of(out, body, 4);
}
