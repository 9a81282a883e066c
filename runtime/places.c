// places.c: which numbers of a row are not 0, and which rows have such.
//
// Functions of the runtime and not of a header: the instructions that they are made of are declared
// in one that takes gcc half a second, which each program would pay for. Which of them a processor
// has is asked when they are called; the lists are the same.

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "nn.h"

enum { NO_VECTORS, VECTORS_OF_8 = 8, VECTORS_OF_16 = 16 };

// How many numbers the vectors hold that the processor packs places by.
static int vectors_here(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return VECTORS_OF_16;
    if (__builtin_cpu_supports("avx2"))
        return VECTORS_OF_8;
#endif
    return NO_VECTORS;
}

#define INLINED inline __attribute__((always_inline))

static INLINED uint32_t bits_of(const float *x)
{
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    return bits;
}

// Goes on with a list that has `found` places: those from `first` to `end` at which one of `count`
// numbers, `line` apart, is neither 0 nor -0; places are `step` numbers apart. They are looked at
// as integers: a comparison must ask for NaN too, and takes twice as long.
static INLINED void list_others(int first, int end, long step, int count, long line,
                                const float *x, int32_t *list, int found)
{
    for (int j = first; j < end; j++) {
        uint32_t any = 0;
        for (int i = 0; i < count; i++)
            any |= bits_of(x + j * step + i * line);
        list[1 + found] = j;
        found += any << 1 != 0;
    }
    list[0] = found;
}

#if defined(__x86_64__)

#define WITH_16 __attribute__((target("avx512f,avx512bw,avx512vl,popcnt")))
#define WITH_8 __attribute__((target("avx2,popcnt")))

// The places of a byte's bits that are 1, packed, a byte each: of 0x0a, 1 and 3.
#define PLACE(byte, bit)                                                                           \
    ((byte) >> (bit) & 1                                                                           \
         ? (uint64_t)(bit) << 8 * __builtin_popcount((byte) & ((1 << (bit)) - 1))                  \
         : 0)
#define PACKED(byte)                                                                               \
    (PLACE(byte, 0) | PLACE(byte, 1) | PLACE(byte, 2) | PLACE(byte, 3) | PLACE(byte, 4) |          \
     PLACE(byte, 5) | PLACE(byte, 6) | PLACE(byte, 7))
#define PACKED_4(byte) PACKED(byte), PACKED((byte) + 1), PACKED((byte) + 2), PACKED((byte) + 3)
#define PACKED_16(byte)                                                                            \
    PACKED_4(byte), PACKED_4((byte) + 4), PACKED_4((byte) + 8), PACKED_4((byte) + 12)
#define PACKED_64(byte)                                                                            \
    PACKED_16(byte), PACKED_16((byte) + 16), PACKED_16((byte) + 32), PACKED_16((byte) + 48)
static const uint64_t packed[256] = {PACKED_64(0), PACKED_64(64), PACKED_64(128), PACKED_64(192)};

// at[..] = first + the places of the bits; returns how many. Writes eight.
WITH_8 static int unpack(uint32_t bits, int first, int32_t *at)
{
    const __m128i bytes = _mm_loadl_epi64((const void *)&packed[bits]);
    _mm256_storeu_si256((void *)at,
                        _mm256_add_epi32(_mm256_cvtepu8_epi32(bytes), _mm256_set1_epi32(first)));
    return __builtin_popcount(bits);
}

// The places of a vector's numbers are packed at once: of 16 by one instruction, of 8 by a table.
WITH_8 static INLINED void some_places_by_8(int first, int end, int rows, const float *x,
                                            int numbers, int32_t *list)
{
    const __m256i size = _mm256_set1_epi32(0x7fffffff);
    int j = first, found = 0;
    for (; j + 8 <= end; j += 8) {
        __m256i any = _mm256_loadu_si256((const void *)(x + j));
        for (int i = 1; i < rows; i++)
            any = _mm256_or_si256(
                any, _mm256_loadu_si256((const void *)(x + (long)i * numbers + j)));
        const __m256i none =
            _mm256_cmpeq_epi32(_mm256_and_si256(any, size), _mm256_setzero_si256());
        const int some = 255 ^ _mm256_movemask_ps(_mm256_castsi256_ps(none));
        found += unpack((uint32_t)some, j, list + 1 + found);
    }
    list_others(j, end, 1, rows, numbers, x, list, found);
}

WITH_16 static INLINED void some_places_by_16(int first, int end, int rows, const float *x,
                                              int numbers, int32_t *list)
{
    const __m512i size = _mm512_set1_epi32(0x7fffffff);
    __m512i places =
        _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32(first));
    int j = first, found = 0;
    for (; j + 16 <= end; j += 16) {
        __m512i any = _mm512_loadu_si512(x + j);
        for (int i = 1; i < rows; i++)
            any = _mm512_or_si512(any, _mm512_loadu_si512(x + (long)i * numbers + j));
        const __mmask16 some = _mm512_test_epi32_mask(any, size);
        _mm512_storeu_si512(list + 1 + found, _mm512_maskz_compress_epi32(some, places));
        found += __builtin_popcount(some);
        places = _mm512_add_epi32(places, _mm512_set1_epi32(16));
    }
    const __mmask16 left = (__mmask16)((1 << (end - j)) - 1); // what fills no vector
    __m512i any = _mm512_maskz_loadu_epi32(left, x + j);
    for (int i = 1; i < rows; i++)
        any = _mm512_or_si512(any, _mm512_maskz_loadu_epi32(left, x + (long)i * numbers + j));
    const __mmask16 some = _mm512_test_epi32_mask(any, size);
    const int count = __builtin_popcount(some);
    _mm512_mask_storeu_epi32(list + 1 + found, (__mmask16)((1 << count) - 1),
                             _mm512_maskz_compress_epi32(some, places));
    list[0] = found + count;
}

// A tile has one, two or four rows, but where a block ends: loops over so many are unrolled.
#define FOR_SO_MANY_ROWS(how, name)                                                                \
    how static void name(int first, int end, int rows, const float *x, int numbers, int32_t *list) \
    {                                                                                              \
        if (rows == 1)                                                                             \
            some_##name(first, end, 1, x, numbers, list);                                          \
        else if (rows == 2)                                                                        \
            some_##name(first, end, 2, x, numbers, list);                                          \
        else if (rows == 4)                                                                        \
            some_##name(first, end, 4, x, numbers, list);                                          \
        else                                                                                       \
            some_##name(first, end, rows, x, numbers, list);                                       \
    }
FOR_SO_MANY_ROWS(WITH_8, places_by_8)
FOR_SO_MANY_ROWS(WITH_16, places_by_16)

// The lists of groups that are at most 16 places together: first a bit for each place of a row,
// then for each group those of 16 rows at a time.
WITH_16 static void rows_by_16(int rows, int places, int group, const float *x, long line,
                               int32_t *lists, int each)
{
    uint16_t bits[NN_MOST_LISTED] = {0};
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

// The same for groups of at most eight places, by a byte for each row and eight rows at a time.
WITH_8 static void rows_by_8(int rows, int places, int group, const float *x, long line,
                             int32_t *lists, int each)
{
    uint8_t bits[NN_MOST_LISTED] = {0};
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
            for (int k = i; k < i + 32 && k < rows; k += 8, left >>= 8)
                found += unpack(left & 255, k, lists + 1 + found);
        }
        lists[0] = found;
    }
}

#endif

static INLINED void places_of_rows(int vectors, int first, int end, int rows, const float *x,
                                   int numbers, int32_t *list)
{
#if defined(__x86_64__)
    if (vectors == VECTORS_OF_16)
        places_by_16(first, end, rows, x, numbers, list);
    else if (vectors == VECTORS_OF_8)
        places_by_8(first, end, rows, x, numbers, list);
    else
#endif
        list_others(first, end, 1, rows, numbers, x, list, 0);
    (void)vectors;
}

static void rows_of_places(int vectors, int rows, int places, int group, const float *x, long line,
                           int32_t *lists, int each)
{
    int at = 0;
#if defined(__x86_64__)
    const int together = vectors / group * group; // places of whole groups
    for (; group <= vectors && at < places; at += together, lists += vectors / group * each)
        (vectors == VECTORS_OF_16 ? rows_by_16 : rows_by_8)(
            rows, places - at < together ? places - at : together, group, x + at, line, lists,
            each);
#endif
    (void)vectors;
    for (; at < places; at += group, lists += each)
        list_others(0, rows, line, places - at < group ? places - at : group, 1, x + at, lists, 0);
}

void nn_places_of_rows(int first, int end, int rows, const float *x, int numbers, int32_t *list)
{
    places_of_rows(vectors_here(), first, end, rows, x, numbers, list);
}

void nn_places_float(int count, const float *x, int32_t *list)
{
    places_of_rows(vectors_here(), 0, count, 1, x, count, list);
}

void nn_places_double(int count, const double *x, int32_t *list)
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

void nn_rows_of_places(int rows, int places, int group, const float *x, long line, int32_t *lists,
                       int each)
{
    rows_of_places(vectors_here(), rows, places, group, x, line, lists, each);
}
