// nn_places.h: which numbers of a row are not 0, and which rows have such.
#ifndef NN_PLACES_H
#define NN_PLACES_H

#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

// The places of 16 numbers at a time are packed by one instruction, which neither vector types nor
// gcc's vectorizer know. Those before the result have been looked at.
static inline __attribute__((always_inline)) int nn_places_by_vectors(int first, int end, int rows,
                                                                      const float *x, int numbers,
                                                                      int32_t *at, int *found)
{
    int j = first;
#if defined(__AVX512F__)
    const __m512i size = _mm512_set1_epi32(0x7fffffff);
    __m512i places =
        _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32(first));
    for (; j + 16 <= end; j += 16) {
        __m512i any = _mm512_loadu_si512(x + j);
        for (int i = 1; i < rows; i++)
            any = _mm512_or_si512(any, _mm512_loadu_si512(x + (long)i * numbers + j));
        const __mmask16 some = _mm512_test_epi32_mask(any, size);
        _mm512_storeu_si512(at + *found, _mm512_maskz_compress_epi32(some, places));
        *found += __builtin_popcount(some);
        places = _mm512_add_epi32(places, _mm512_set1_epi32(16));
    }
    if (j < end) { // what fills no vector
        const __mmask16 left = (__mmask16)((1 << (end - j)) - 1);
        __m512i any = _mm512_maskz_loadu_epi32(left, x + j);
        for (int i = 1; i < rows; i++)
            any = _mm512_or_si512(any, _mm512_maskz_loadu_epi32(left, x + (long)i * numbers + j));
        const __mmask16 some = _mm512_test_epi32_mask(any, size);
        const int count = __builtin_popcount(some);
        _mm512_mask_storeu_epi32(at + *found, (__mmask16)((1 << count) - 1),
                                 _mm512_maskz_compress_epi32(some, places));
        *found += count;
        j = end;
    }
#else
    (void)end, (void)rows, (void)x, (void)numbers, (void)at, (void)found;
#endif
    return j;
}

// list[0] = at how many places from `first` to `end` one of x[rows][numbers] is neither 0 nor -0,
// and list[1], list[2], ... = at which, in ascending order. `list` has room for 1 + end - first;
// what lies behind the last place has no meaning. Numbers are looked at as integers: a comparison
// of numbers must ask for NaN too, and takes twice as long.
static inline __attribute__((always_inline)) void nn_places_of_rows(int first, int end, int rows,
                                                                    const float *x, int numbers,
                                                                    int32_t *list)
{
    int found = 0;
    int j = nn_places_by_vectors(first, end, rows, x, numbers, list + 1, &found);
    for (; j < end; j++) {
        uint32_t any = 0;
        for (int i = 0; i < rows; i++) {
            uint32_t bits;
            memcpy(&bits, x + (long)i * numbers + j, sizeof bits);
            any |= bits;
        }
        list[1 + found] = j;
        found += any << 1 != 0;
    }
    list[0] = found;
}

// The same of x[0] .. x[count - 1].
static inline void nn_places_float(int count, const float *x, int32_t *list)
{
    nn_places_of_rows(0, count, 1, x, count, list);
}

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
// The lists of groups that are at most 16 places together: first a bit for each place of a row,
// then for each group those of 16 rows at a time.
static inline __attribute__((always_inline)) void
nn_rows_by_vectors(int rows, int places, int group, const float *x, long line, int32_t *lists,
                   int each)
{
    uint16_t bits[128] = {0};
    const __m512i size = _mm512_set1_epi32(0x7fffffff);
    const __mmask16 all = (__mmask16)((1 << places) - 1);
    for (int i = 0; i < rows; i++)
        bits[i] = (uint16_t)_mm512_test_epi32_mask(
            _mm512_maskz_loadu_epi32(all, x + i * line), size);
    for (int first = 0; first < places; first += group, lists += each) {
        const __m256i of_group = _mm256_set1_epi16((short)(((1 << group) - 1) << first));
        __m512i row = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        int found = 0;
        for (int i = 0; i < rows; i += 16) {
            const __mmask16 some =
                _mm256_test_epi16_mask(_mm256_loadu_si256((const void *)(bits + i)), of_group);
            const int count = __builtin_popcount(some);
            _mm512_mask_storeu_epi32(lists + 1 + found, (__mmask16)((1 << count) - 1),
                                     _mm512_maskz_compress_epi32(some, row));
            row = _mm512_add_epi32(row, _mm512_set1_epi32(16));
            found += count;
        }
        lists[0] = found;
    }
}
#endif

// For each `group` <= 16 places side by side one of the lists, which are `each` numbers apart:
// list[0] = how many of at most 128 rows, `line` numbers apart, have at these places a number that
// is neither 0 nor -0, and list[1], list[2], ... = which. A list has room for 1 + rows.
static inline __attribute__((always_inline)) void
nn_rows_of_places(int rows, int places, int group, const float *x, long line, int32_t *lists,
                  int each)
{
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
    const int together = 16 / group * group;
    for (int at = 0; at < places; at += together, lists += 16 / group * each)
        nn_rows_by_vectors(rows, places - at < together ? places - at : together, group, x + at,
                           line, lists, each);
#else
    for (int at = 0; at < places; at += group, lists += each) {
        const int count = places - at < group ? places - at : group;
        int found = 0;
        for (int i = 0; i < rows; i++) {
            uint32_t any = 0;
            for (int j = 0; j < count; j++) {
                uint32_t bits;
                memcpy(&bits, x + i * line + at + j, sizeof bits);
                any |= bits;
            }
            lists[1 + found] = i;
            found += any << 1 != 0;
        }
        lists[0] = found;
    }
#endif
}

static inline void nn_places_double(int count, const double *x, int32_t *list)
{
    int found = 0;
    for (int j = 0; j < count; j++) {
        uint64_t bits;
        memcpy(&bits, x + j, sizeof bits);
        list[1 + found] = j;
        found += bits << 1 != 0;
    }
    list[0] = found;
}

#endif
