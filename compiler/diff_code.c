// diff_code.c: what differs between the C of two networks, function by function.
//
// Functions stand for one another as their layers do: where `dense2` of the left is `dense1` of the
// right, `dense2_forward` is compared with `dense1_forward`, and lines that differ in such names
// alone count as equal, as do those that a longer name breaks elsewhere. The network's own name,
// that of its file, makes no difference either.
#include "definitions.h"
#include "diff.h"
#include "emit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const Definition *left, *right; // NULL: that side has none
    Lines lines;
} Pair;

struct CodeDiff {
    Pair *list; // in the order of the right; what only the left has stands behind what it follows
    int count;
    int removed, added; // lines
};

// --- names --------------------------------------------------------------------------------------

typedef struct {
    const char *left, *right;
} Name;

typedef struct {
    Name *list; // sorted by `left`
    int count;
} Names;

static int by_left(const void *a, const void *b)
{
    return strcmp(((const Name *)a)->left, ((const Name *)b)->left);
}

// A layer without a partner gets a name that no layer of the right has.
static Names layer_names(const Side *left, const Side *right, const Alignment *alignment)
{
    const Network *const network = left->network;
    Names names = {.list = allocate(((size_t)network->card_count + 1) * sizeof(Name))};
    for (int i = 0; i < network->card_count; i++) {
        const int partner = alignment->right_of[i];
        const char *const name = network->cards[i].name;
        const char *const other =
            partner >= 0 ? right->network->cards[partner].name : format("-%s", name);
        if (strcmp(name, other) != 0)
            names.list[names.count++] = (Name){name, other};
    }
    qsort(names.list, (size_t)names.count, sizeof(Name), by_left);
    return names;
}

// Adds a word of the C with the name of its layer replaced: conv1_w, infer_conv1, AT_d_conv1_w.
static void add_translated(Text *to, const Names *names, const char *word, size_t length)
{
    static const char *const prefixes[] = {"AT_", "EACH_", "CALL_", "infer_", "d_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const size_t prefix = strlen(prefixes[i]);
        if (length > prefix && !strncmp(word, prefixes[i], prefix)) {
            text_put(to, word, prefix);
            word += prefix;
            length -= prefix;
        }
    }
    for (size_t end = 1; end <= length; end++) {
        if (end < length && word[end] != '_')
            continue;
        const Name key = {.left = format("%.*s", (int)end, word)};
        const Name *const found =
            bsearch(&key, names->list, (size_t)names->count, sizeof key, by_left);
        if (found) {
            text_add(to, "%s", found->right);
            word += end;
            length -= end;
            break;
        }
    }
    text_put(to, word, length);
}

static const char *translated(const Names *names, const char *line)
{
    if (!names->count)
        return line;
    Text text = {0};
    text_put(&text, "", 0);
    while (*line) {
        size_t length = 1;
        if (is_letter(*line)) {
            while (is_letter(line[length]))
                length++;
            add_translated(&text, names, line, length);
        } else {
            text_put(&text, line, 1);
        }
        line += length;
    }
    return text.text;
}

// Lines that hold the network's name, which is its file's, are equal for any.
static const char *without_name(const char *line, const char *name)
{
    const char *const quoted = c_string(name);
    const struct {
        const char *before, *name, *behind;
    } forms[] = {{"// ", name, ": a network compiled"},
                 {"    .name = ", quoted, ","},
                 {"        \"# ", format("%.*s", (int)strlen(quoted) - 2, quoted + 1),
                  ", compiled by netc"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *const start =
            format("%s%s%s", forms[i].before, forms[i].name, forms[i].behind);
        if (!strncmp(line, start, strlen(start)))
            return format("%s%s%s", forms[i].before, forms[i].behind, line + strlen(start));
    }
    return line;
}

static const char *interned(const char *text) { return intern(text, strlen(text)); }

static Listing listing(const Definition *d, const Side *side, const Names *names)
{
    const char **const keys = allocate((size_t)d->count * sizeof *keys);
    for (int i = 0; i < d->count; i++)
        keys[i] =
            interned(translated(names, without_name(d->lines[i], side->network->program->name)));
    return (Listing){.keys = keys, .texts = d->lines, .count = d->count, .first = d->first};
}

// The words of all lines, without what a name of another length moves: where a line is broken, and
// the dashes behind a heading. What stands in quotes is whole.
static const char *words_of(const Listing *listing)
{
    Text text = {0};
    text_put(&text, "", 0);
    for (int i = 0; i < listing->count; i++) {
        const char *const line = listing->keys[i];
        size_t length = strlen(line);
        while (length && line[length - 1] == '-')
            length--;
        bool quoted = false;
        for (size_t k = 0; k < length; k++) {
            quoted ^= line[k] == '"' && (k == 0 || line[k - 1] != '\\');
            if (line[k] != ' ' || quoted)
                text_put(&text, &line[k], 1);
        }
    }
    return text.text;
}

static Lines compare_listings(const Listing *left, const Listing *right)
{
    const Lines lines = compare_lines(left, right);
    if ((lines.removed || lines.added) && !strcmp(words_of(left), words_of(right)))
        return compare_lines(right, right);
    return lines;
}

// --- pairs --------------------------------------------------------------------------------------

typedef struct {
    Definitions left, right;
    Names names, none;
    int *right_of, *left_of; // partners, or -1
} Pairing;

static void pair_up(Pairing *p, int left, int right)
{
    p->right_of[left] = right;
    p->left_of[right] = left;
}

typedef struct {
    const char *key;
    int index;
} Keyed;

static int by_key(const void *a, const void *b)
{
    return strcmp(((const Keyed *)a)->key, ((const Keyed *)b)->key);
}

static void pair_equal_names(Pairing *p)
{
    const size_t m = (size_t)p->right.count;
    Keyed *const right = allocate((m + 1) * sizeof *right);
    for (int j = 0; j < p->right.count; j++)
        right[j] = (Keyed){p->right.list[j].name, j};
    qsort(right, m, sizeof *right, by_key);
    for (int i = 0; i < p->left.count; i++) {
        const Keyed key = {.key = translated(&p->names, p->left.list[i].name)};
        const Keyed *const found = bsearch(&key, right, m, sizeof key, by_key);
        if (found)
            pair_up(p, i, found->index);
    }
}

// "product_x of matrix products" of product_784x300: numbers of the name, and what follows the
// section's name, left out.
static const char *form_of(const Names *names, const Definition *d)
{
    Text text = {0};
    for (const char *c = d->name; *c; c++)
        if (!isdigit((unsigned char)*c))
            text_put(&text, c, 1);
    const char *const section = translated(names, d->section);
    text_add(&text, " of %.*s", (int)strcspn(section, ":"), section);
    return interned(text.text);
}

// What has no partner yet finds one whose name differs in numbers alone: the shapes in it.
static void pair_equal_forms(Pairing *p)
{
    const int n = p->left.count, m = p->right.count;
    const size_t room = (size_t)(n > m ? n : m) + 1;
    int *const lefts = allocate(room * sizeof(int)), *const rights = allocate(room * sizeof(int));
    const char **const a = allocate(room * sizeof *a), **const b = allocate(room * sizeof *b);
    int left = 0, right = 0;
    for (int i = 0; i < n; i++)
        if (p->right_of[i] < 0) {
            a[left] = form_of(&p->names, &p->left.list[i]);
            lefts[left++] = i;
        }
    for (int j = 0; j < m; j++)
        if (p->left_of[j] < 0) {
            b[right] = form_of(&p->none, &p->right.list[j]);
            rights[right++] = j;
        }
    bool *const removed = allocate(room), *const added = allocate(room);
    edit_script(a, left, b, right, removed, added);
    for (int i = 0, j = 0; i < left; i++) {
        if (removed[i])
            continue;
        while (added[j])
            j++;
        pair_up(p, lefts[i], rights[j++]);
    }
}

static Pairing pair_definitions(const Side *left, const Side *right, const Alignment *alignment)
{
    Pairing p = {.left = definitions_of(left->code),
                 .right = definitions_of(right->code),
                 .names = layer_names(left, right, alignment)};
    p.right_of = allocate(((size_t)p.left.count + 1) * sizeof(int));
    p.left_of = allocate(((size_t)p.right.count + 1) * sizeof(int));
    for (int i = 0; i < p.left.count; i++)
        p.right_of[i] = -1;
    for (int j = 0; j < p.right.count; j++)
        p.left_of[j] = -1;
    pair_equal_names(&p);
    pair_equal_forms(&p);
    return p;
}

// --- the difference -----------------------------------------------------------------------------

static void add_pair(CodeDiff *diff, const Pair *pair)
{
    diff->list[diff->count++] = *pair;
    diff->removed += pair->lines.removed;
    diff->added += pair->lines.added;
}

const CodeDiff *compare_code(const Side *left, const Side *right, const Alignment *alignment)
{
    const Pairing p = pair_definitions(left, right, alignment);
    CodeDiff *const diff = allocate(sizeof *diff);
    diff->list = allocate((size_t)(p.left.count + p.right.count + 1) * sizeof *diff->list);
    int i = 0;
    for (int j = 0; j <= p.right.count; j++) {
        for (; i < p.left.count && (p.right_of[i] < 0 || p.right_of[i] < j); i++) {
            if (p.right_of[i] >= 0) // stands with its partner, which comes earlier
                continue;
            const Definition *const only = &p.left.list[i];
            const Listing all = listing(only, left, &p.names);
            const Listing nothing = {.first = j < p.right.count ? p.right.list[j].first : 1};
            add_pair(diff, &(Pair){only, NULL, compare_lines(&all, &nothing)});
        }
        if (j == p.right.count)
            break;
        const Definition *const new = &p.right.list[j];
        const Definition *const old = p.left_of[j] >= 0 ? &p.left.list[p.left_of[j]] : NULL;
        const Listing b = listing(new, right, &p.none);
        const Listing a = old ? listing(old, left, &p.names)
                              : (Listing){.first = i < p.left.count ? p.left.list[i].first : 1};
        add_pair(diff, &(Pair){old, new, compare_listings(&a, &b)});
    }
    return diff;
}

static bool differs(const Pair *pair) { return pair->lines.removed || pair->lines.added; }

bool code_differs(const CodeDiff *diff) { return diff->removed || diff->added; }

// --- as text ------------------------------------------------------------------------------------

static const char *pair_title(const Pair *pair)
{
    if (!pair->left || !pair->right)
        return format("%s (%s)", pair->left ? pair->left->name : pair->right->name,
                      pair->left ? "only left" : "only right");
    if (strcmp(pair->left->name, pair->right->name) != 0)
        return format("%s -> %s", pair->left->name, pair->right->name);
    return pair->right->name;
}

// One line for definitions that are unchanged: how many, and the first and last.
static void paint_unchanged(Painting *to, const Pair *first, int count)
{
    const char *const name = first->right->name, *const last = first[count - 1].right->name;
    if (count == 1)
        paint(to, STYLE_PLAIN, "   ... unchanged: %s", name);
    else
        paint(to, STYLE_PLAIN, "   ... %d unchanged: %s to %s", count, name, last);
}

void paint_code(Painting *to, const CodeDiff *diff, int context)
{
    for (int i = 0; code_differs(diff) && i < diff->count;) {
        int unchanged = i;
        while (unchanged < diff->count && !differs(&diff->list[unchanged]))
            unchanged++;
        if (unchanged > i)
            paint_unchanged(to, &diff->list[i], unchanged - i);
        for (i = unchanged; i < diff->count && differs(&diff->list[i]); i++)
            paint_hunks(to, &diff->list[i].lines, context, pair_title(&diff->list[i]));
    }
}

// A mark for each line, or, where some definition has more than fit, for its share of those.
static const char *bar(char mark, int lines, int most)
{
    enum { WIDEST = 24 };
    const int marks = most > WIDEST ? (lines * WIDEST + most - 1) / most : lines;
    Text text = {0};
    text_put(&text, "", 0);
    for (int i = 0; i < marks; i++)
        text_put(&text, &mark, 1);
    return text.text;
}

void paint_statistic(Painting *to, const CodeDiff *diff)
{
    int width = 0, most = 0, different = 0;
    for (int i = 0; i < diff->count; i++) {
        const Pair *const pair = &diff->list[i];
        const int lines = pair->lines.removed + pair->lines.added;
        const int length = (int)strlen(pair_title(pair));
        most = lines > most ? lines : most;
        width = lines && length > width ? length : width;
        different += differs(pair);
    }
    for (int i = 0; i < diff->count; i++) {
        const Pair *const pair = &diff->list[i];
        const int lines = pair->lines.removed + pair->lines.added;
        if (lines)
            paint(to, STYLE_PLAIN, " %-*s | %4d %s%s", width, pair_title(pair), lines,
                  bar('+', pair->lines.added, most), bar('-', pair->lines.removed, most));
    }
    paint(to, STYLE_PLAIN, " %d of %d definitions differ, %d lines only left, %d only right",
          different, diff->count, diff->removed, diff->added);
}

// --- as JSON ------------------------------------------------------------------------------------

static void add_definition(cJSON *object, const char *side, const Definition *d)
{
    if (!d) {
        cJSON_AddNullToObject(object, side);
        return;
    }
    cJSON *const definition = cJSON_AddObjectToObject(object, side);
    cJSON_AddStringToObject(definition, "name", d->name);
    cJSON_AddStringToObject(definition, "section", d->section);
    cJSON_AddNumberToObject(definition, "line", d->first);
}

void add_code(cJSON *object, const CodeDiff *diff)
{
    cJSON *const code = cJSON_AddObjectToObject(object, "code");
    cJSON_AddNumberToObject(code, "definitions", diff->count);
    cJSON_AddNumberToObject(code, "removed", diff->removed);
    cJSON_AddNumberToObject(code, "added", diff->added);
    cJSON *const list = cJSON_AddArrayToObject(code, "different");
    for (int i = 0; i < diff->count; i++) {
        const Pair *const pair = &diff->list[i];
        if (!differs(pair))
            continue;
        cJSON *const item = cJSON_CreateObject();
        add_definition(item, "left", pair->left);
        add_definition(item, "right", pair->right);
        cJSON_AddNumberToObject(item, "removed", pair->lines.removed);
        cJSON_AddNumberToObject(item, "added", pair->lines.added);
        cJSON_AddItemToArray(list, item);
    }
}
