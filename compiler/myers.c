// myers.c: the shortest edit script that makes one sequence of another.
//
// Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), section 4b: the
// middle of a shortest path is found from both ends at once, then both halves the same way, so that
// memory is linear in the lengths. A point (x, y) of a path has x elements of a and y of b behind
// it; a diagonal k = x - y is a run of equal elements.
#include "diff.h"

#include <string.h>

typedef struct {
    const char *const *a, *const *b; // interned: equal elements are the same pointer
    bool *removed, *added;
    int *forward,
        *backward; // furthest x on each diagonal, after so many edits; room for all of both
} Search;

typedef struct {
    int a, n, b, m; // n elements of a from there on, and m of b
} Box;

typedef struct {
    int x, y, u, v; // the path goes from (x, y) to (u, v) over equal elements
} Snake;

static int largest(int a, int b) { return a > b ? a : b; }

// Diagonals outside the rectangle of n by m are left out.
static int lowest_diagonal(int edits, int m) { return -(edits - 2 * largest(0, edits - m)); }
static int highest_diagonal(int edits, int n) { return edits - 2 * largest(0, edits - n); }

// Moves all ends of paths with `edits` edits on by one edit and the equal elements behind it. The
// result is whether one of them has met a path of the other direction.
static bool advance(const Search *s, Box box, int edits, bool back, Snake *snake)
{
    const int n = box.n, m = box.m;
    const char *const *const a = s->a + box.a, *const *const b = s->b + box.b;
    int *const ends = (back ? s->backward : s->forward) + m + 1;
    const int *const others = (back ? s->forward : s->backward) + m + 1;
    const int offset = n - m; // diagonal k from one end is offset - k from the other
    for (int k = lowest_diagonal(edits, m); k <= highest_diagonal(edits, n); k += 2) {
        const bool down = k == -edits || (k != edits && ends[k - 1] < ends[k + 1]);
        int x = down ? ends[k + 1] : ends[k - 1] + 1;
        const int start = x;
        while (x < n && x - k < m && (back ? a[n - x - 1] == b[m - (x - k) - 1] : a[x] == b[x - k]))
            x++;
        ends[k] = x;
        const int reach = back ? edits : edits - 1; // of the other direction's diagonals
        const int other = offset - k;
        if ((offset & 1) == back || other < -reach || other > reach || x + others[other] < n)
            continue;
        *snake = back ? (Snake){n - x, m - (x - k), n - start, m - (start - k)}
                      : (Snake){start, start - k, x, x - k};
        return true;
    }
    return false;
}

// needs: both parts of the box not empty, their first elements different, and their last.
static Snake middle_snake(const Search *s, Box box)
{
    s->forward[box.m + 2] = s->backward[box.m + 2] = 0; // diagonal 1
    Snake snake;
    for (int edits = 0; edits <= (box.n + box.m + 1) / 2; edits++)
        if (advance(s, box, edits, false, &snake) || advance(s, box, edits, true, &snake))
            return snake;
    bug("no path through %d by %d elements", box.n, box.m);
}

static void compare(const Search *s, Box box)
{
    while (box.n && box.m && s->a[box.a] == s->b[box.b])
        box = (Box){box.a + 1, box.n - 1, box.b + 1, box.m - 1};
    while (box.n && box.m && s->a[box.a + box.n - 1] == s->b[box.b + box.m - 1])
        box.n--, box.m--;
    if (box.n && box.m) {
        const Snake middle = middle_snake(s, box);
        compare(s, (Box){box.a, middle.x, box.b, middle.y});
        compare(s, (Box){box.a + middle.u, box.n - middle.u, box.b + middle.v, box.m - middle.v});
        return;
    }
    memset(s->removed + box.a, true, (size_t)box.n);
    memset(s->added + box.b, true, (size_t)box.m);
}

// Marks the elements of a and b that a longest common subsequence leaves out: what is to be removed
// from a, and what is to be added, to make b. Both arrays are the caller's and false at first.
void edit_script(const char *const *a, int n, const char *const *b, int m, bool *removed,
                 bool *added)
{
    const size_t room = (size_t)n + (size_t)m + 3;
    const Search search = {.a = a,
                           .b = b,
                           .removed = removed,
                           .added = added,
                           .forward = allocate(room * sizeof(int)),
                           .backward = allocate(room * sizeof(int))};
    compare(&search, (Box){0, n, 0, m});
}
