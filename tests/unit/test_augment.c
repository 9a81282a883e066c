// test_augment.c: each change of a picture beside its definition, in double precision and without
// the vector code's tricks.

#include "support.h"

#include <math.h>

#include "../../runtime/nn_augment.h"

enum { H = 13, W = 17, C = 3, SIZE = H * W * C, PICTURES = 200 };
static const double degree = 3.14159265358979323846 / 180;

static unsigned char picture[SIZE];
static float result[SIZE];

static void make_picture(uint32_t number)
{
    for (uint32_t j = 0; j < SIZE; j++)
        picture[j] = (unsigned char)nn_bits(nn_key(3, number, 0), j);
}

static uint64_t change(const NnAugment *how, uint32_t number, float *to)
{
    float frame[NN_AUGMENT_ROOM(H, W, C)];
    const uint64_t key = nn_augment_key(1, 2, number);
    make_picture(number);
    nn_frame_bytes(H, W, C, picture, 1.0f / 255, frame);
    nn_augment(how, key, H, W, C, frame, to);
    return key;
}

// --- the definition -----------------------------------------------------------------------------

static double pixel(int y, int x, int c)
{
    return y < 0 || x < 0 || y >= H || x >= W ? 0 : picture[(y * W + x) * C + c] / 255.0;
}

static double between(double y, double x, int c)
{
    const int i = (int)floor(y), j = (int)floor(x);
    const double v = y - i, u = x - j;
    return (1 - v) * ((1 - u) * pixel(i, j, c) + u * pixel(i, j + 1, c)) +
           v * ((1 - u) * pixel(i + 1, j, c) + u * pixel(i + 1, j + 1, c));
}

static double draw(uint64_t key, int place, double most)
{
    return (2 * nn_unit(key, (uint64_t)place) - 1) * most;
}

static void multiply(double a[2][2], const double b[2][2])
{
    double product[2][2];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            product[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
    memcpy(a, product, sizeof product);
}

// Where the picture's middle-based point goes: flipped, slanted, turned and zoomed, then shifted;
// the pixel (x, y) of the result is solved for the point that comes there.
static void source_of(const NnAugment *how, uint64_t key, double x, double y, double *from_x,
                      double *from_y)
{
    const double turn = draw(key, NN_ROTATE, (double)how->rotate) * degree;
    const double slant = tan(draw(key, NN_SHEAR, (double)how->shear) * degree);
    const double size = 1 + draw(key, NN_ZOOM, (double)how->zoom);
    const bool flip_x = how->flip_horizontal && nn_unit(key, NN_FLIP_X) < 0.5;
    const bool flip_y = how->flip_vertical && nn_unit(key, NN_FLIP_Y) < 0.5;
    double m[2][2] = {{size, 0}, {0, size}};
    multiply(m, (const double[2][2]){{cos(turn), -sin(turn)}, {sin(turn), cos(turn)}});
    multiply(m, (const double[2][2]){{1, slant}, {0, 1}});
    multiply(m, (const double[2][2]){{flip_x ? -1 : 1, 0}, {0, flip_y ? -1 : 1}});
    const double u = x - (W - 1) / 2.0 - draw(key, NN_SHIFT_X, (double)how->shift);
    const double v = y - (H - 1) / 2.0 - draw(key, NN_SHIFT_Y, (double)how->shift);
    const double det = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    *from_x = (m[1][1] * u - m[0][1] * v) / det + (W - 1) / 2.0;
    *from_y = (-m[1][0] * u + m[0][0] * v) / det + (H - 1) / 2.0;
}

// The cubic B-spline around 0 (de Boor, 1978).
static double spline(double t)
{
    const double d = fabs(t);
    if (d < 1)
        return 2.0 / 3 - d * d + d * d * d / 2;
    return d < 2 ? pow(2 - d, 3) / 6 : 0;
}

static void bend_of(const NnAugment *how, uint64_t key, int x, int y, double bend[2])
{
    const double u = (x + 0.5) * how->grid / W, v = (y + 0.5) * how->grid / H;
    bend[0] = bend[1] = 0;
    for (int j = 0; j < how->grid + 3; j++)
        for (int i = 0; i < how->grid + 3; i++) {
            float knot[2];
            nn_normal_pair(key, (uint32_t)(NN_BEND + j * NN_KNOTS + i), &knot[0], &knot[1]);
            for (int d = 0; d < 2; d++)
                bend[d] += 2.0 * (double)how->elastic * (double)knot[d] * spline(u - (i - 1)) *
                           spline(v - (j - 1));
        }
}

static void assert_as_defined(const NnAugment *how)
{
    double moved = 0;
    for (uint32_t number = 0; number < PICTURES; number++) {
        const uint64_t key = change(how, number, result);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double from_x, from_y, bend[2] = {0, 0};
                source_of(how, key, x, y, &from_x, &from_y);
                if (how->elastic > 0)
                    bend_of(how, key, x, y, bend);
                for (int c = 0; c < C; c++) {
                    const double found = (double)result[(y * W + x) * C + c];
                    const double wanted = between(from_y + bend[1], from_x + bend[0], c);
                    if (fabs(found - wanted) > 3e-5)
                        fail_msg("picture %u, pixel %d %d %d: expected %.7f, found %.7f", number, y,
                                 x, c, wanted, found);
                    moved += fabs(found - pixel(y, x, c));
                }
            }
    }
    assert_true(moved / (PICTURES * SIZE) > 0.02); // something was done
}

// --- tests --------------------------------------------------------------------------------------

static void no_change_changes_nothing(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < PICTURES; number++) {
        change(&(NnAugment){.shift = 0}, number, result);
        for (int j = 0; j < SIZE; j++)
            assert_true(result[j] == (float)picture[j] * (1.0f / 255));
    }
}

static void each_map_is_as_defined(void **state)
{
    (void)state;
    assert_as_defined(&(NnAugment){.shift = 3});
    assert_as_defined(&(NnAugment){.rotate = 180});
    assert_as_defined(&(NnAugment){.rotate = 12});
    assert_as_defined(&(NnAugment){.shear = 30});
    assert_as_defined(&(NnAugment){.zoom = 0.5f});
    assert_as_defined(&(NnAugment){.flip_horizontal = true});
    assert_as_defined(&(NnAugment){.flip_vertical = true});
}

static void maps_combine_as_defined(void **state)
{
    (void)state;
    assert_as_defined(&(NnAugment){.shift = 2,
                                   .rotate = 20,
                                   .shear = 10,
                                   .zoom = 0.2f,
                                   .flip_horizontal = true,
                                   .flip_vertical = true});
}

static void elastic_is_as_defined(void **state)
{
    (void)state;
    assert_as_defined(&(NnAugment){.elastic = 1, .grid = 1});
    assert_as_defined(&(NnAugment){.elastic = 1.5f, .grid = 4});
    assert_as_defined(&(NnAugment){.shift = 1, .rotate = 8, .elastic = 1, .grid = NN_MOST_GRID});
}

static void elastic_has_its_deviation(void **state)
{
    (void)state;
    const NnAugment how = {.elastic = 1.5f, .grid = 1};
    double sum = 0;
    for (uint32_t number = 0; number < 4000; number++) {
        double bend[2];
        bend_of(&how, nn_augment_key(1, 1, number), W / 2, H / 2, bend);
        sum += bend[0] * bend[0] + bend[1] * bend[1];
    }
    // in the middle of the only cell, where the weights are 1/48, 23/48, 23/48 and 1/48
    assert_true(fabs(sqrt(sum / 8000) - 1.5 * 2 * (1 + 529 + 529 + 1) / (48 * 48)) < 0.05);
}

static void half_of_the_pictures_are_flipped(void **state)
{
    (void)state;
    int flipped[2] = {0, 0};
    for (uint32_t number = 0; number < PICTURES; number++) {
        change(&(NnAugment){.flip_horizontal = true, .flip_vertical = true}, number, result);
        bool same[2][2];
        for (int fy = 0; fy < 2; fy++)
            for (int fx = 0; fx < 2; fx++) {
                same[fy][fx] = true;
                for (int y = 0; y < H; y++)
                    for (int x = 0; x < W * C; x++) {
                        const int at =
                            ((fy ? H - 1 - y : y) * W + (fx ? W - 1 - x / C : x / C)) * C;
                        same[fy][fx] &=
                            result[y * W * C + x] == (float)picture[at + x % C] * (1.0f / 255);
                    }
            }
        assert_int_equal(same[0][0] + same[0][1] + same[1][0] + same[1][1], 1);
        flipped[0] += same[0][1] + same[1][1];
        flipped[1] += same[1][0] + same[1][1];
    }
    for (int d = 0; d < 2; d++)
        assert_in_range(flipped[d], PICTURES / 2 - 30, PICTURES / 2 + 30);
}

static void cutout_is_a_square_of_zeros(void **state)
{
    (void)state;
    const int side = 6;
    int whole = 0, missing_corner = 0;
    for (uint32_t number = 0; number < PICTURES; number++) {
        change(&(NnAugment){.cutout = side}, number, result);
        int top = H, bottom = -1, left = W, right = -1;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                bool zero = true, black = true;
                for (int c = 0; c < C; c++) {
                    zero &= result[(y * W + x) * C + c] == 0;
                    black &= picture[(y * W + x) * C + c] == 0;
                }
                if (!zero || black)
                    continue;
                top = y < top ? y : top;
                bottom = y > bottom ? y : bottom;
                left = x < left ? x : left;
                right = x > right ? x : right;
            }
        assert_true(bottom >= top && right >= left); // its middle lies in the picture
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < C; c++) {
                    const bool inside = y >= top && y <= bottom && x >= left && x <= right;
                    const int at = (y * W + x) * C + c;
                    assert_true(result[at] == (inside ? 0 : (float)picture[at] * (1.0f / 255)));
                }
        const bool cut = top == 0 || left == 0 || bottom == H - 1 || right == W - 1;
        assert_true(cut || (bottom - top + 1 == side && right - left + 1 == side));
        whole += !cut;
        missing_corner += top == 0 && left == 0;
    }
    assert_true(whole > 0 && missing_corner > 0);
}

static void noise_is_normal(void **state)
{
    (void)state;
    double powers[5] = {0};
    double neighbours = 0;
    for (uint32_t number = 0; number < PICTURES; number++) {
        change(&(NnAugment){.noise = 0.5f}, number, result);
        double before = 0;
        for (int j = 0; j < SIZE; j++) {
            const double v = ((double)result[j] - picture[j] / 255.0) / 0.5;
            for (int k = 1; k < 5; k++)
                powers[k] += pow(v, k) / (PICTURES * SIZE);
            neighbours += v * before / (PICTURES * SIZE);
            before = v;
        }
    }
    assert_true(fabs(powers[1]) < 0.01); // 2.5 to 4 deviations of each mean
    assert_true(fabs(powers[2] - 1) < 0.015);
    assert_true(fabs(powers[3]) < 0.04);
    assert_true(fabs(powers[4] - 3) < 0.1);
    assert_true(fabs(neighbours) < 0.01);
}

static void normal_pairs_are_box_and_mullers(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        float a, b;
        nn_normal_pair(9, i, &a, &b);
        const double u = ((nn_bits(9, 2 * i) >> 8) + 1) * 0x1p-24;
        const double angle = (int32_t)nn_bits(9, 2 * i + 1) * 0x1p-32 * 360 * degree;
        assert_true(fabs((double)a - sqrt(-2 * log(u)) * cos(angle)) < 2e-5);
        assert_true(fabs((double)b - sqrt(-2 * log(u)) * sin(angle)) < 2e-5);
    }
}

static void numbers_follow_from_seed_epoch_and_picture(void **state)
{
    (void)state;
    const uint64_t key = nn_augment_key(1, 2, 3);
    assert_true(key == nn_augment_key(1, 2, 3));
    assert_true(key != nn_augment_key(2, 2, 3));
    assert_true(key != nn_augment_key(1, 3, 3));
    assert_true(key != nn_augment_key(1, 2, 4));
    // one change more leaves the others as they were
    float alone[SIZE];
    change(&(NnAugment){.shift = 3}, 5, alone);
    change(&(NnAugment){.shift = 3, .cutout = 1}, 5, result);
    int differ = 0;
    for (int j = 0; j < SIZE; j++)
        differ += alone[j] != result[j];
    assert_in_range(differ, 0, C);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_change_changes_nothing),
        cmocka_unit_test(each_map_is_as_defined),
        cmocka_unit_test(maps_combine_as_defined),
        cmocka_unit_test(elastic_is_as_defined),
        cmocka_unit_test(elastic_has_its_deviation),
        cmocka_unit_test(half_of_the_pictures_are_flipped),
        cmocka_unit_test(cutout_is_a_square_of_zeros),
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(normal_pairs_are_box_and_mullers),
        cmocka_unit_test(numbers_follow_from_seed_epoch_and_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
