// order.c: the order of the pictures in an epoch, a function of the seed and the epoch alone.

#include "run.h"

// A number below `bound`, each with the same probability (Lemire, 2019): the few draws that would
// favour small numbers are thrown away.
uint64_t random_below(uint64_t key, uint64_t *index, uint64_t bound)
{
    const uint64_t threshold = (0 - bound) % bound;
    for (;;) {
        const unsigned __int128 product =
            (unsigned __int128)nn_bits64(key, (*index)++) * (unsigned __int128)bound;
        if ((uint64_t)product >= threshold)
            return (uint64_t)(product >> 64);
    }
}

// Fisher and Yates, from the identity: an epoch's order does not depend on the epoch before, so a
// resumed run needs to know nothing but its number. Epochs count from 1.
void order_shuffle(uint32_t *order, int count, uint64_t seed, int epoch)
{
    const uint64_t key = nn_key(seed, nn_stream("shuffle"), (uint64_t)epoch);
    uint64_t index = 0;
    for (int i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (int i = count - 1; i > 0; i--) {
        const uint64_t other = random_below(key, &index, (uint64_t)i + 1);
        const uint32_t moved = order[i];
        order[i] = order[other];
        order[other] = moved;
    }
}
