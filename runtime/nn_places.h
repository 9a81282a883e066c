// nn_places.h: which numbers of a row are not 0, and which rows have such.
#ifndef NN_PLACES_H
#define NN_PLACES_H

#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX2__) && !defined(__AVX512F__)
// The places of a byte's bits that are 1, packed, a byte each: of 0x0a, 1 and 3.
#define NN_PLACE(byte, bit)                                                                \
    ((byte) >> (bit) & 1                                                                   \
         ? (uint64_t)(bit) << 8 * __builtin_popcount((byte) & ((1 << (bit)) - 1))          \
         : 0)
#define NN_PACKED(byte)                                                                    \
    (NN_PLACE(byte, 0) | NN_PLACE(byte, 1) | NN_PLACE(byte, 2) | NN_PLACE(byte, 3) |       \
     NN_PLACE(byte, 4) | NN_PLACE(byte, 5) | NN_PLACE(byte, 6) | NN_PLACE(byte, 7))
#define NN_PACKED_4(byte)                                                                  \
    NN_PACKED(byte), NN_PACKED((byte) + 1), NN_PACKED((byte) + 2), NN_PACKED((byte) + 3)
#define NN_PACKED_16(byte)                                                                 \
    NN_PACKED_4(byte), NN_PACKED_4((byte) + 4), NN_PACKED_4((byte) + 8), NN_PACKED_4((byte) + 12)
#define NN_PACKED_64(byte)                                                                 \
    NN_PACKED_16(byte), NN_PACKED_16((byte) + 16), NN_PACKED_16((byte) + 32),              \
        NN_PACKED_16((byte) + 48)
static const uint64_t nn_packed[256] = {NN_PACKED_64(0), NN_PACKED_64(64), NN_PACKED_64(128),
                                        NN_PACKED_64(192)};
#endif

// The places of a vector's numbers are packed at once: of 16 by one instruction, which neither
// vector types nor gcc's vectorizer know, of 8 by a table. Those before the result have been looked
// at.
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
#elif defined(__AVX2__)
    const __m256i size = _mm256_set1_epi32(0x7fffffff);
    for (; j + 8 <= end; j += 8) {
        __m256i any = _mm256_loadu_si256((const void *)(x + j));
        for (int i = 1; i < rows; i++)
            any = _mm256_or_si256(
                any, _mm256_loadu_si256((const void *)(x + (long)i * numbers + j)));
        const __m256i none =
            _mm256_cmpeq_epi32(_mm256_and_si256(any, size), _mm256_setzero_si256());
        const int some = 255 ^ _mm256_movemask_ps(_mm256_castsi256_ps(none));
        const __m128i packed = _mm_loadl_epi64((const void *)&nn_packed[some]);
        _mm256_storeu_si256((void *)(at + *found), _mm256_add_epi32(_mm256_cvtepu8_epi32(packed),
                                                                    _mm256_set1_epi32(j)));
        *found += __builtin_popcount((unsigned)some);
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
#define NN_ROW_BITS 16
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
#elif defined(__AVX2__) && !defined(__AVX512F__)
#define NN_ROW_BITS 8
// The same for groups of at most eight places, by a byte for each row and eight rows at a time.
static inline __attribute__((always_inline)) void
nn_rows_by_vectors(int rows, int places, int group, const float *x, long line, int32_t *lists,
                   int each)
{
    uint8_t bits[128] = {0};
    const __m256i size = _mm256_set1_epi32(0x7fffffff), zero = _mm256_setzero_si256();
    const __m256i all = _mm256_cmpgt_epi32(_mm256_set1_epi32(places),
                                           _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    for (int i = 0; i < rows; i++) {
        const __m256i row = _mm256_maskload_epi32((const void *)(x + i * line), all);
        const __m256i none = _mm256_cmpeq_epi32(_mm256_and_si256(row, size), zero);
        bits[i] = (uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(none));
    }
    for (int first = 0; first < places; first += group, lists += each) {
        const __m256i of_group = _mm256_set1_epi8((char)(((1 << group) - 1) << first));
        int found = 0;
        for (int i = 0; i < rows; i += 32) {
            const __m256i some =
                _mm256_and_si256(_mm256_loadu_si256((const void *)(bits + i)), of_group);
            uint32_t left = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(some, zero));
            for (int k = i; k < i + 32 && k < rows; k += 8, left >>= 8) {
                const __m128i packed = _mm_loadl_epi64((const void *)&nn_packed[left & 255]);
                _mm256_storeu_si256(
                    (void *)(lists + 1 + found),
                    _mm256_add_epi32(_mm256_cvtepu8_epi32(packed), _mm256_set1_epi32(k)));
                found += __builtin_popcount(left & 255);
            }
        }
        lists[0] = found;
    }
}
#endif

// Which of the rows have a number that is not 0 at one of so many places; returns how many.
static inline __attribute__((always_inline)) int
nn_rows_of_some(int places, int rows, const float *x, long line, int32_t *at)
{
    int found = 0;
    for (int i = 0; i < rows; i++) {
        uint32_t any = 0;
        for (int j = 0; j < places; j++) {
            uint32_t bits;
            memcpy(&bits, x + i * line + j, sizeof bits);
            any |= bits;
        }
        at[found] = i;
        found += any << 1 != 0;
    }
    return found;
}

// For each `group` <= 16 places side by side one of the lists, which are `each` numbers apart:
// list[0] = how many of at most 128 rows, `line` numbers apart, have at these places a number that
// is neither 0 nor -0, and list[1], list[2], ... = which. A list has room for one more than the
// rows, rounded up to a multiple of eight.
static inline __attribute__((always_inline)) void
nn_rows_of_places(int rows, int places, int group, const float *x, long line, int32_t *lists,
                  int each)
{
    int at = 0;
#ifdef NN_ROW_BITS
    const int groups = NN_ROW_BITS / group, together = groups * group;
    for (; group <= NN_ROW_BITS && at < places; at += together, lists += groups * each)
        nn_rows_by_vectors(rows, places - at < together ? places - at : together, group, x + at,
                           line, lists, each);
#endif
    for (; at < places; at += group, lists += each) {
        const int count = places - at < group ? places - at : group;
        lists[0] = nn_rows_of_some(count, rows, x + at, line, lists + 1);
    }
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
