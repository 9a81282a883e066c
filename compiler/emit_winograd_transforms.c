// emit_winograd_transforms.c: the transforms of Winograd's F(2x2, 3x3), which all layers share.
//
// With the matrices of Lavin and Gray, a window g of 3x3 over 4x4 pixels d gives the square
// A' (G g G' . B' d B) A of 2x2, where . is number by number. The transposes of these maps make the
// gradients.
#include "emit.h"

#include <string.h>

// In the lines below REAL stands for the program's type, VECTOR for the target's vector of it,
// LANES for how many that holds, and BYTES for its size.
static const char *const shared[] = {
    "// A vector of the numbers from `at` on, wherever they lie.",
    "typedef REAL Loose __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));",
    "#define NUMBERS(at) (*(Loose *)(at))",
    "",
    ("// Pictures, and squares of 2x2 pixels of a convolution's result over them: the 4x4 pixels "
     "that a square is made of begin `above` lines above it and `left` columns left of it."),
    "typedef struct {",
    "int lines, columns, channels, above, left;",
    "int high, wide; // squares of a picture",
    "} Squares;",
    "",
    ("// Where the size x size pixels below a square lie, which is number `number` of those of "
     "pictures from x on; what lies beside its picture is 0, and all of a square that is not "
     "`there`."),
    ("static void find_pixels(const REAL *x, const Squares *s, bool there, int number, int size, "
     "const REAL *at[4][4])"),
    "{",
    "const int picture = number / (s->high * s->wide);",
    "const int line = number / s->wide % s->high * 2 - s->above;",
    "const int column = number % s->wide * 2 - s->left;",
    "for (int p = 0; p < size * size; p++) {",
    "const int r = p / size, c = p % size;",
    ("const bool inside = there && line + r >= 0 && line + r < s->lines && column + c >= 0 && "
     "column + c < s->columns;"),
    "const long pixel = ((long)picture * s->lines + line + r) * s->columns + column + c;",
    "at[r][c] = inside ? x + pixel * s->channels : beside;",
    "}",
    "}",
};

static const char *const transform_input[] = {
    ("// v = B' d B for `count` squares from `first` on, d being the 4x4 pixels below one, and 0 "
     "for the rest of the `all` that v has room for"),
    ("static void transform_input(const REAL *x, const Squares *s, int first, int count, int "
     "all, REAL *v)"),
    "{",
    "const long next = (long)all * s->channels + GAP; // place",
    "for (int i = 0; i < all; i++) {",
    "const REAL *d[4][4];",
    "find_pixels(x, s, i < count, first + i, 4, d);",
    "for (int k = 0; k < s->channels; k += LANES) {",
    "VECTOR t[4][4];",
    "UNROLLED for (int c = 0; c < 4; c++) {",
    "const VECTOR d0 = NUMBERS(d[0][c] + k), d1 = NUMBERS(d[1][c] + k);",
    "const VECTOR d2 = NUMBERS(d[2][c] + k), d3 = NUMBERS(d[3][c] + k);",
    "t[0][c] = d0 - d2;",
    "t[1][c] = d1 + d2;",
    "t[2][c] = d2 - d1;",
    "t[3][c] = d1 - d3;",
    "}",
    "UNROLLED for (int r = 0; r < 4; r++) {",
    "REAL *const to = v + r * 4 * next + (long)i * s->channels + k;",
    "NUMBERS(to) = t[r][0] - t[r][2];",
    "NUMBERS(to + next) = t[r][1] + t[r][2];",
    "NUMBERS(to + 2 * next) = t[r][2] - t[r][1];",
    "NUMBERS(to + 3 * next) = t[r][1] - t[r][3];",
    "}",
    "}",
    "}",
    "}",
};

static const char *const transform_output[] = {
    "// y = A' m A, a square of 2x2 pixels, for `count` squares from `first` on",
    ("static void transform_output(const REAL *m, const Squares *s, int first, int count, int "
     "all, REAL *y)"),
    "{",
    "const long next = (long)all * s->channels + GAP; // place",
    "for (int i = 0; i < count; i++) {",
    "const int picture = (first + i) / (s->high * s->wide);",
    "const int line = (first + i) / s->wide % s->high * 2, column = (first + i) % s->wide * 2;",
    "const bool below = line + 1 < s->lines, right = column + 1 < s->columns;",
    "REAL *const to = y + (((long)picture * s->lines + line) * s->columns + column) * s->channels;",
    "REAL *const under = to + (long)s->columns * s->channels;",
    "for (int k = 0; k < s->channels; k += LANES) {",
    "VECTOR t[2][4];",
    "UNROLLED for (int c = 0; c < 4; c++) {",
    "const REAL *const at = m + c * next + (long)i * s->channels + k;",
    "const VECTOR m0 = NUMBERS(at), m1 = NUMBERS(at + 4 * next);",
    "const VECTOR m2 = NUMBERS(at + 8 * next), m3 = NUMBERS(at + 12 * next);",
    "t[0][c] = m0 + m1 + m2;",
    "t[1][c] = m1 - m2 - m3;",
    "}",
    "NUMBERS(to + k) = t[0][0] + t[0][1] + t[0][2];",
    "if (right)",
    "    NUMBERS(to + s->channels + k) = t[0][1] - t[0][2] - t[0][3];",
    "if (below)",
    "    NUMBERS(under + k) = t[1][0] + t[1][1] + t[1][2];",
    "if (below && right)",
    "    NUMBERS(under + s->channels + k) = t[1][1] - t[1][2] - t[1][3];",
    "}",
    "}",
    "}",
};

static const char *const transform_gradient[] = {
    "// z = A d A', d being a square of 2x2 pixels of dy, for those that transform_input takes",
    ("static void transform_gradient(const REAL *dy, const Squares *s, int first, int count, int "
     "all, REAL *z)"),
    "{",
    "const long next = (long)all * s->channels + GAP; // place",
    "for (int i = 0; i < all; i++) {",
    "const REAL *d[4][4];",
    "find_pixels(dy, s, i < count, first + i, 2, d);",
    "for (int k = 0; k < s->channels; k += LANES) {",
    "VECTOR t[4][2];",
    "UNROLLED for (int c = 0; c < 2; c++) {",
    "const VECTOR d0 = NUMBERS(d[0][c] + k), d1 = NUMBERS(d[1][c] + k);",
    "t[0][c] = d0;",
    "t[1][c] = d0 + d1;",
    "t[2][c] = d0 - d1;",
    "t[3][c] = -d1;",
    "}",
    "UNROLLED for (int r = 0; r < 4; r++) {",
    "REAL *const to = z + r * 4 * next + (long)i * s->channels + k;",
    "NUMBERS(to) = t[r][0];",
    "NUMBERS(to + next) = t[r][0] + t[r][1];",
    "NUMBERS(to + 2 * next) = t[r][0] - t[r][1];",
    "NUMBERS(to + 3 * next) = -t[r][1];",
    "}",
    "}",
    "}",
    "}",
};

static const char *const gradient_of_windows[] = {
    "// dw = G' s G, s being the sums at 4x4 places",
    "static void gradient_of_windows(const REAL *sum, int channels, int outputs, REAL *dw)",
    "{",
    "const long next = (long)channels * outputs; // place, or tap",
    "for (long k = 0; k < next; k += LANES) {",
    "VECTOR t[3][4];",
    "UNROLLED for (int c = 0; c < 4; c++) {",
    "const REAL *const at = sum + c * next + k;",
    "const VECTOR s1 = NUMBERS(at + 4 * next), s2 = NUMBERS(at + 8 * next);",
    "const VECTOR half = (s1 + s2) / 2;",
    "t[0][c] = NUMBERS(at) + half;",
    "t[1][c] = (s1 - s2) / 2;",
    "t[2][c] = half + NUMBERS(at + 12 * next);",
    "}",
    "UNROLLED for (int r = 0; r < 3; r++) {",
    "REAL *const to = dw + r * 3 * next + k;",
    "const VECTOR half = (t[r][1] + t[r][2]) / 2;",
    "NUMBERS(to) = t[r][0] + half;",
    "NUMBERS(to + next) = (t[r][1] - t[r][2]) / 2;",
    "NUMBERS(to + 2 * next) = half + t[r][3];",
    "}",
    "}",
    "}",
};

static const char *const transform_window[] = {
    "// u = G g G', g being a window of 3x3 whose taps are `next` numbers apart",
    "static INLINED void transform_window(const REAL *g, long next, VECTOR u[4][4])",
    "{",
    "VECTOR t[4][3];",
    "UNROLLED for (int c = 0; c < 3; c++) {",
    "const VECTOR g0 = NUMBERS(g + c * next), g1 = NUMBERS(g + (3 + c) * next);",
    "const VECTOR g2 = NUMBERS(g + (6 + c) * next);",
    "t[0][c] = g0;",
    "t[1][c] = (g0 + g1 + g2) / 2;",
    "t[2][c] = (g0 - g1 + g2) / 2;",
    "t[3][c] = g2;",
    "}",
    "UNROLLED for (int r = 0; r < 4; r++) {",
    "u[r][0] = t[r][0];",
    "u[r][1] = (t[r][0] + t[r][1] + t[r][2]) / 2;",
    "u[r][2] = (t[r][0] - t[r][1] + t[r][2]) / 2;",
    "u[r][3] = t[r][2];",
    "}",
    "}",
};

static const char *const transform_windows[] = {
    ("// The windows of channels from .. to: u[4][4][channels][outputs] of "
     "w[3][3][channels][outputs]"),
    ("static void transform_windows(const REAL *w, int channels, int outputs, int from, int to, "
     "REAL *u)"),
    "{",
    "const long next = (long)channels * outputs; // tap, or place",
    "for (long k = (long)from * outputs; k < (long)to * outputs; k += LANES) {",
    "VECTOR at[4][4];",
    "transform_window(w + k, next, at);",
    "UNROLLED for (int p = 0; p < 16; p++)",
    "    NUMBERS(u + p * next + k) = at[p / 4][p % 4];",
    "}",
    "}",
};

static const char *const transform_windows_turned[] = {
    "// The same windows turned round: u[4][4][outputs][channels]",
    ("static void transform_windows_turned(const REAL *w, int channels, int outputs, int from, "
     "int to, REAL *u)"),
    "{",
    "const long next = (long)channels * outputs; // tap, or place",
    "REAL part[16][LANES][LANES];",
    "for (int c = from; c < to; c += LANES) {",
    "const int many = nn_min(LANES, to - c);",
    "for (int k = 0; k < outputs; k += LANES) {",
    "for (int i = 0; i < many; i++) {",
    "VECTOR at[4][4];",
    "transform_window(w + 8 * next + (long)(c + i) * outputs + k, -next, at);",
    "UNROLLED for (int p = 0; p < 16; p++)",
    "    NUMBERS(part[p][i]) = at[p / 4][p % 4];",
    "}",
    "for (int p = 0; p < 16; p++)",
    ("    nn_turn_REAL(many, LANES, part[p][0], LANES, u + p * next + (long)k * channels + c, "
     "channels);"),
    "}",
    "}",
    "}",
};

#define LINES(part) part, (int)(sizeof part / sizeof *part)

static const struct {
    const char *call; // that asks for it
    const char *const *lines;
    int count;
} parts[] = {
    {"transform_input(", LINES(transform_input)},
    {"transform_output(", LINES(transform_output)},
    {"transform_gradient(", LINES(transform_gradient)},
    {"gradient_of_windows(", LINES(gradient_of_windows)},
    {"transform_windows(", LINES(transform_windows)},
    {"transform_windows_turned(", LINES(transform_windows_turned)},
};

static const char *with_types(const Out *out, const char *text)
{
    const int lanes = vector_lanes(out->network);
    const Replacement words[] = {{"REAL", real_type(out->network)},
                                 {"VECTOR", lane_type(out->network, lanes)},
                                 {"LANES", format("%d", lanes)},
                                 {"BYTES", format("%d", out->network->target->vector_bytes)}};
    return with_words(text, words, (int)(sizeof words / sizeof *words));
}

static void emit_lines(Out *out, const char *const *lines, int count)
{
    for (int i = 0; i < count; i++) {
        const char *const text = with_types(out, lines[i]);
        if (starts_with(text, "// "))
            comment(out, "%s", text + 3);
        else if (*text)
            line(out, "%s", text);
        else
            blank_line(out);
    }
    blank_line(out);
}

// Those that `body` calls, for layers of so many channels.
void emit_winograd_transforms(Out *out, const char *body, int channels)
{
    const char *const type = real_type(out->network);
    comment(out, "Convolutions by 3x3 windows with fewer products, Winograd's F(2x2, 3x3): 4x4 "
                 "pixels d and a window g are transformed, and multiplied number by number and "
                 "added over channels at each of 4x4 places; the sums are transformed back into a "
                 "square of 2x2 pixels of the result. That is 16 products for 36. See Lavin and "
                 "Gray, Fast algorithms for convolutional neural networks, for A, B and G.");
    comment(out, "Behind the matrix of each place is a gap, so that they do not fill the same "
                 "sets of the cache.");
    line(out, "enum { GAP = %d };", 64 / (int)element_bytes(out->network, TYPE_REAL));
    line(out, "static const %s beside[%d] = {0}; // pixels beside a picture", type, channels);
    blank_line(out);
    emit_lines(out, LINES(shared));
    const bool turned = strstr(body, "transform_windows_turned(") != NULL;
    if (turned || strstr(body, "transform_windows("))
        emit_lines(out, LINES(transform_window));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(body, parts[i].call))
            emit_lines(out, parts[i].lines, parts[i].count);
}
