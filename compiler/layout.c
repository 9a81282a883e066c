// layout.c: boxes in ranks, one below the other, so that every wire leads downwards.
//
// The method of Sugiyama, Tagawa and Toda (1981): a box's rank is its longest path from a source; a
// wire that passes ranks has a point in each; the order within a rank follows the mean of the
// neighbours; then boxes move sideways towards those they are wired to.
#include "picture.h"

#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 12 };

// A box, or a point of a wire.
typedef struct {
    int box; // -1: a point
    int rank;
    double width, x;
    double order; // of sorting
    int *above, *below;
    int above_count, below_count;
} Item;

typedef struct {
    Item *items;
    int count;
    int **ranks; // items of each, from left to right
    int *rank_sizes;
    int rank_count;
    double across;
} Layers;

static void link_items(Layers *l, int upper, int lower)
{
    Item *const a = &l->items[upper], *const b = &l->items[lower];
    int *const below = allocate((size_t)(a->below_count + 1) * sizeof *below);
    if (a->below_count)
        memcpy(below, a->below, (size_t)a->below_count * sizeof *below);
    below[a->below_count++] = lower;
    a->below = below;
    int *const above = allocate((size_t)(b->above_count + 1) * sizeof *above);
    if (b->above_count)
        memcpy(above, b->above, (size_t)b->above_count * sizeof *above);
    above[b->above_count++] = upper;
    b->above = above;
}

static void find_ranks(int *rank, const Picture *p, int boxes, const LayoutRules *rules)
{
    bool moved = true;
    for (int round = 0; moved && round < boxes; round++) {
        moved = false;
        for (int i = 0; i < p->wire_count; i++) {
            const Wire *const w = &p->wires[i];
            if (w->from < boxes && w->to < boxes && rules->leads(w->kind) &&
                rank[w->to] <= rank[w->from]) {
                rank[w->to] = rank[w->from] + 1;
                moved = true;
            }
        }
    }
}

static int add_item(Layers *l, int box, int rank, double width)
{
    l->items[l->count] = (Item){.box = box, .rank = rank, .width = width};
    if (rank >= l->rank_count)
        l->rank_count = rank + 1;
    return l->count++;
}

static void fill_ranks(Layers *l)
{
    l->ranks = allocate((size_t)l->rank_count * sizeof *l->ranks);
    l->rank_sizes = allocate((size_t)l->rank_count * sizeof *l->rank_sizes);
    for (int r = 0; r < l->rank_count; r++)
        l->ranks[r] = allocate((size_t)l->count * sizeof **l->ranks);
    for (int i = 0; i < l->count; i++)
        l->ranks[l->items[i].rank][l->rank_sizes[l->items[i].rank]++] = i;
}

// --- the order ----------------------------------------------------------------------------------

// Where an item stands in its rank, from 0.
static double position(const Layers *l, int item)
{
    const int *const rank = l->ranks[l->items[item].rank];
    for (int i = 0;; i++)
        if (rank[i] == item)
            return i;
}

static void sort_rank(Layers *l, int rank, bool by_above)
{
    int *const items = l->ranks[rank];
    for (int i = 0; i < l->rank_sizes[rank]; i++) {
        Item *const item = &l->items[items[i]];
        const int count = by_above ? item->above_count : item->below_count;
        const int *const others = by_above ? item->above : item->below;
        double sum = 0;
        for (int k = 0; k < count; k++)
            sum += position(l, others[k]);
        item->order = count ? sum / count : i;
    }
    for (int i = 1; i < l->rank_sizes[rank]; i++) // equal ones keep their order
        for (int k = i; k > 0 && l->items[items[k]].order < l->items[items[k - 1]].order; k--) {
            const int item = items[k];
            items[k] = items[k - 1];
            items[k - 1] = item;
        }
}

// --- the places ---------------------------------------------------------------------------------

static double least_distance(const Layers *l, int left, int right)
{
    return (l->items[left].width + l->items[right].width) / 2 + l->across;
}

// Moves a rank's items to the mean of those they are linked to, as far as their order allows: the
// mean of pushing from the left and from the right.
static void place_rank(Layers *l, int rank, bool by_above)
{
    const int size = l->rank_sizes[rank];
    const int *const items = l->ranks[rank];
    double *const wanted = allocate((size_t)size * 3 * sizeof *wanted);
    double *const left = wanted + size, *const right = left + size;
    for (int i = 0; i < size; i++) {
        const Item *const item = &l->items[items[i]];
        const int count = by_above ? item->above_count : item->below_count;
        const int *const others = by_above ? item->above : item->below;
        double sum = 0;
        for (int k = 0; k < count; k++)
            sum += l->items[others[k]].x;
        wanted[i] = count ? sum / count : item->x;
    }
    for (int i = 0; i < size; i++) {
        const double least = i ? left[i - 1] + least_distance(l, items[i - 1], items[i]) : -1e9;
        left[i] = wanted[i] > least ? wanted[i] : least;
    }
    for (int i = size - 1; i >= 0; i--) {
        const double most =
            i + 1 < size ? right[i + 1] - least_distance(l, items[i], items[i + 1]) : 1e9;
        right[i] = wanted[i] < most ? wanted[i] : most;
    }
    for (int i = 0; i < size; i++)
        l->items[items[i]].x = (left[i] + right[i]) / 2;
}

static void place_items(Layers *l)
{
    for (int r = 0; r < l->rank_count; r++)
        for (int i = 1; i < l->rank_sizes[r]; i++) {
            const int *const items = l->ranks[r];
            l->items[items[i]].x =
                l->items[items[i - 1]].x + least_distance(l, items[i - 1], items[i]);
        }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (int r = 1; r < l->rank_count; r++)
            place_rank(l, r, true);
        for (int r = l->rank_count - 2; r >= 0 && sweep + 1 < SWEEPS; r--)
            place_rank(l, r, false);
    }
    double least = 1e9;
    for (int i = 0; i < l->count; i++)
        if (l->items[i].x - l->items[i].width / 2 < least)
            least = l->items[i].x - l->items[i].width / 2;
    for (int i = 0; i < l->count; i++)
        l->items[i].x -= least;
}

Layout layout(const Picture *p, int boxes, const LayoutRules *rules)
{
    int *const rank = allocate((size_t)(boxes + 1) * sizeof *rank);
    find_ranks(rank, p, boxes, rules);
    int room = boxes;
    for (int i = 0; i < p->wire_count; i++)
        if (p->wires[i].from < boxes && p->wires[i].to < boxes)
            room += abs(rank[p->wires[i].to] - rank[p->wires[i].from]);
    Layers l = {.across = rules->across};
    l.items = allocate((size_t)(room + 1) * sizeof *l.items);
    for (int i = 0; i < boxes; i++)
        add_item(&l, i, rank[i], rules->widths[i]);
    int *const first = allocate((size_t)(p->wire_count + 1) * sizeof *first);
    for (int i = 0; i < p->wire_count; i++) {
        const Wire *const w = &p->wires[i];
        if (w->from >= boxes || w->to >= boxes || !rules->leads(w->kind))
            continue;
        int before = w->from;
        first[i] = l.count;
        for (int r = rank[w->from] + 1; r < rank[w->to]; r++) {
            const int point = add_item(&l, -1, r, rules->bend);
            link_items(&l, before, point);
            before = point;
        }
        link_items(&l, before, w->to);
    }
    fill_ranks(&l);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (int r = 1; r < l.rank_count; r++)
            sort_rank(&l, r, true);
        for (int r = l.rank_count - 2; r >= 0; r--)
            sort_rank(&l, r, false);
    }
    place_items(&l);

    Layout out = {.ranks = l.rank_count};
    out.places = allocate((size_t)(boxes + 1) * sizeof *out.places);
    out.routes = allocate((size_t)(p->wire_count + 1) * sizeof *out.routes);
    out.top = allocate((size_t)(l.rank_count + 1) * sizeof *out.top);
    out.height = allocate((size_t)(l.rank_count + 1) * sizeof *out.height);
    for (int i = 0; i < boxes; i++)
        if (rules->heights[i] > out.height[rank[i]])
            out.height[rank[i]] = rules->heights[i];
    for (int r = 0; r < l.rank_count; r++) {
        out.top[r] = out.bottom;
        out.bottom += out.height[r] + (r + 1 < l.rank_count ? rules->down : 0);
    }
    for (int i = 0; i < l.count; i++)
        if (l.items[i].x + l.items[i].width / 2 > out.width)
            out.width = l.items[i].x + l.items[i].width / 2;
    for (int i = 0; i < boxes; i++)
        out.places[i] = (Place){l.items[i].x, out.top[rank[i]], rank[i]};
    for (int i = 0; i < p->wire_count; i++) {
        const Wire *const w = &p->wires[i];
        if (w->from >= boxes || w->to >= boxes || !rules->leads(w->kind))
            continue;
        Route *const route = &out.routes[i];
        route->count = rank[w->to] - rank[w->from] - 1;
        route->x = allocate((size_t)(route->count + 1) * sizeof *route->x);
        for (int k = 0; k < route->count; k++)
            route->x[k] = l.items[first[i] + k].x;
    }
    return out;
}
