// align.c: which layer of one network stands for which of another: a longest common subsequence of
// the layers' kinds, and among those one with the most equal statements, then equal names.
//
// So a `dense 300` that became a `dense 50` is that layer changed, not one removed and one added.
#include "diff.h"

#include <string.h>

typedef struct {
    const char *kind, *statement, *name; // interned
} Key;

static Key *layer_keys(const Network *network)
{
    Key *const keys = allocate(((size_t)network->card_count + 1) * sizeof *keys);
    for (int i = 0; i < network->card_count; i++) {
        const Clause *const clause = network->cards[i].clause;
        const char *const statement = clause_text(clause), *const name = network->cards[i].name;
        keys[i] = (Key){intern(clause->word, strlen(clause->word)),
                        intern(statement, strlen(statement)), intern(name, strlen(name))};
    }
    return keys;
}

static int64_t likeness(const Key *a, const Key *b)
{
    const int64_t kind = a->kind == b->kind, statement = kind && a->statement == b->statement;
    return kind << 40 | statement << 20 | (int64_t)(kind && a->name == b->name);
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// best[i][j]: of the layers from i and from j on. Of several ways the one that pairs earlier wins.
static void pair_by_likeness(Alignment *to, const Key *a, int n, const Key *b, int m)
{
    const size_t width = (size_t)m + 1;
    int64_t *const best = allocate(((size_t)n + 1) * width * sizeof *best);
    for (int i = n - 1; i >= 0; i--)
        for (int j = m - 1; j >= 0; j--) {
            int64_t *const here = &best[(size_t)i * width + (size_t)j];
            const int64_t like = likeness(&a[i], &b[j]);
            *here = larger(here[width], here[1]);
            *here = like ? larger(*here, like + here[width + 1]) : *here;
        }
    for (int i = 0, j = 0; i < n && j < m;) {
        const int64_t *const here = &best[(size_t)i * width + (size_t)j];
        const int64_t like = likeness(&a[i], &b[j]);
        if (like && *here == like + here[width + 1]) {
            to->right_of[i] = j;
            to->left_of[j] = i;
            i++;
            j++;
        } else if (*here == here[width]) {
            i++;
        } else {
            j++;
        }
    }
}

// Networks too deep for the table above: equal statements alone.
static void pair_equal(Alignment *to, const Key *a, int n, const Key *b, int m)
{
    const char **const left = allocate((size_t)n * sizeof *left);
    const char **const right = allocate((size_t)m * sizeof *right);
    for (int i = 0; i < n; i++)
        left[i] = a[i].statement;
    for (int j = 0; j < m; j++)
        right[j] = b[j].statement;
    bool *const removed = allocate((size_t)n), *const added = allocate((size_t)m);
    edit_script(left, n, right, m, removed, added);
    for (int i = 0, j = 0; i < n; i++) {
        if (removed[i])
            continue;
        while (added[j])
            j++;
        to->right_of[i] = j;
        to->left_of[j++] = i;
    }
}

Alignment align_layers(const Network *left, const Network *right)
{
    enum { MOST_PAIRS = 4000000 }; // 32 MB
    const int n = left->card_count, m = right->card_count;
    Alignment to = {.right_of = allocate(((size_t)n + 1) * sizeof(int)),
                    .left_of = allocate(((size_t)m + 1) * sizeof(int))};
    for (int i = 0; i < n; i++)
        to.right_of[i] = -1;
    for (int j = 0; j < m; j++)
        to.left_of[j] = -1;
    const Key *const a = layer_keys(left), *const b = layer_keys(right);
    if ((int64_t)n * m <= MOST_PAIRS)
        pair_by_likeness(&to, a, n, b, m);
    else
        pair_equal(&to, a, n, b, m);
    return to;
}
