// suggest.c: the known word that an unknown one was probably meant to be.

#include <string.h>

#include "run.h"

// Levenshtein's distance, of words of at most 31 letters.
static int distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    int row[MOST];
    const int width = (int)strlen(b);
    if (strlen(a) >= MOST || width >= MOST)
        return MOST;
    for (int j = 0; j <= width; j++)
        row[j] = j;
    for (int i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 0; j < width; j++) {
            const int changed = diagonal + (a[i] != b[j]);
            const int shifted = nn_min(row[j], row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = nn_min(changed, shifted);
        }
    }
    return row[width];
}

// Keeps the nearer of two candidates for `word`. *nearest begins with the distance that is too far;
// only words that differ in less than half of their letters count.
void suggest(const char *word, const char *candidate, const char **best, int *nearest)
{
    const int far = distance(word, candidate);
    if (far < *nearest && 2 * far < (int)strlen(candidate)) {
        *nearest = far;
        *best = candidate;
    }
}
