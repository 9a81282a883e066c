// hash.c: 64 bits that stand for bytes.
#include "netc.h"

#include <string.h>

// FNV-1a (Fowler, Noll and Vo), eight bytes at a time where there are as many: a data set has many.
const uint64_t hash_start = 0xcbf29ce484222325u;

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const uint64_t prime = 0x100000001b3u;
    const unsigned char *at = bytes;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        hash = (hash ^ eight) * prime;
        hash ^= hash >> 32; // else the high bytes would reach the high bits alone
    }
    for (; count > 0; count--, at++)
        hash = (hash ^ *at) * prime;
    return hash;
}
