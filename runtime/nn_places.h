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

// list[0] = how many of so many rows, `line` numbers apart, have among their first `count` <= 16
// numbers one that is neither 0 nor -0, and list[1], list[2], ... = which. `list` has room for
// 1 + rows.
static inline __attribute__((always_inline)) void nn_rows_of_places(int rows, int count,
                                                                    const float *x, long line,
                                                                    int32_t *list)
{
    int found = 0;
    for (int i = 0; i < rows; i++) {
        const float *const row = x + i * line;
        list[1 + found] = i;
#if defined(__AVX512F__)
        const __m512i numbers = _mm512_maskz_loadu_epi32((__mmask16)((1 << count) - 1), row);
        found += _mm512_test_epi32_mask(numbers, _mm512_set1_epi32(0x7fffffff)) != 0;
#else
        uint32_t any = 0;
        for (int j = 0; j < count; j++) {
            uint32_t bits;
            memcpy(&bits, row + j, sizeof bits);
            any |= bits;
        }
        found += any << 1 != 0;
#endif
    }
    list[0] = found;
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
