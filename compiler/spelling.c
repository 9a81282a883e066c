// spelling.c: words that are nearly the same, so that messages can suggest the one that was meant.
#include "netc.h"

#include <ctype.h>
#include <string.h>

bool same_letters(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b))
        a++, b++;
    return !*a && !*b;
}

enum { MAX_COMPARED = 40 };

static int smallest(int a, int b, int c)
{
    const int least = a < b ? a : b;
    return least < c ? least : c;
}

// How many letters must be changed, added, dropped or exchanged with their neighbour to make b of
// a (optimal string alignment). Case does not count.
static int distance(const char *a, const char *b)
{
    const int n = (int)strlen(a), m = (int)strlen(b);
    int d[MAX_COMPARED + 1][MAX_COMPARED + 1];
    for (int i = 0; i <= n; i++)
        d[i][0] = i;
    for (int j = 0; j <= m; j++)
        d[0][j] = j;
    for (int i = 1; i <= n; i++) {
        for (int j = 1; j <= m; j++) {
            const int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            d[i][j] = smallest(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]))
                d[i][j] = smallest(d[i][j], d[i - 2][j - 2] + 1, d[i][j]);
        }
    }
    return d[n][m];
}

// A third of the letters may differ, and one always may, but not the only one: 'x' is near nothing.
// A word cut short, 'drop', is near the one that it begins.
const char *nearest_word(const char *word, const char *const *words, int count)
{
    const int length = (int)strlen(word);
    if (length < 2 || length > MAX_COMPARED)
        return NULL;
    const char *nearest = NULL;
    int least = length < 6 ? 2 : length / 3 + 1;
    for (int i = 0; i < count; i++) {
        if ((int)strlen(words[i]) > MAX_COMPARED)
            continue;
        int d = distance(word, words[i]);
        if (length >= 3 && d > 1 && !strncmp(word, words[i], (size_t)length))
            d = 1;
        if (d < least && d < length) {
            least = d;
            nearest = words[i];
        }
    }
    return nearest;
}
