// tune_conv.c: `netc build --tune` for convolutions: which are faster by windows, which by planes.
//
// What surrounds the tiles, copies of the picture and of the gradient, differs too. So the network
// is built twice, with all of them by windows and all by planes, and both programs measure
// themselves.
#include "command.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { MOST_CANDIDATES = 64 };

typedef struct {
    Choice choice;
    double seconds[2]; // of a step, by windows and by planes
} Candidate;

// The candidate that a node's function is made of; NULL where it is made of none.
static Candidate *candidate_of(const Graph *graph, const Node *node, Candidate *all, int count)
{
    WindowProduct window;
    if (node->dead || !convolution_of(graph, node, &window))
        return NULL;
    for (int i = 0; i < count; i++)
        if (same_windows(&all[i].choice.window, &window))
            return &all[i];
    return NULL;
}

// Those that could be made either way and were not measured; returns how many.
static int find_candidates(const Network *network, Candidate *all)
{
    const Graph *const graph = &network->train;
    int count = 0;
    for (int i = 0; i < graph->count && count < MOST_CANDIDATES; i++) {
        const Node *const node = &graph->nodes[i];
        Choice choice = {
            .convolution = true, .doubles = network->doubles, .target = network->target};
        if (!node->dead && convolution_of(graph, node, &choice.window) &&
            has_planes(network, &choice.window) && !choice_of_window(network, &choice.window) &&
            !candidate_of(graph, node, all, count))
            all[count++] = (Candidate){.choice = choice};
    }
    return count;
}

// The same network with all candidates made one way.
static Network *compile_so(const Options *o, const Candidate *all, int count, bool planes)
{
    Options so = *o;
    so.products.items =
        allocate((size_t)(o->products.count + count) * sizeof *so.products.items);
    for (int i = 0; i < o->products.count; i++)
        so.products.items[i] = o->products.items[i];
    for (int i = 0; i < count; i++) {
        Choice choice = all[i].choice;
        choice.window.planes = planes;
        so.products.items[so.products.count++] = choice_text(&choice);
    }
    return compile_again(&so);
}

static double seconds_of(const cJSON *calls, const char *function)
{
    const cJSON *call;
    cJSON_ArrayForEach(call, calls)
    {
        const cJSON *const name = cJSON_GetObjectItemCaseSensitive(call, "function");
        const cJSON *const seconds = cJSON_GetObjectItemCaseSensitive(call, "seconds");
        if (cJSON_IsString(name) && !strcmp(name->valuestring, function) &&
            cJSON_IsNumber(seconds))
            return seconds->valuedouble;
    }
    bug("'bench --json' has no call '%s'", function);
}

static bool measure_so(const Options *o, Candidate *all, int count, bool planes)
{
    Network *const network = compile_so(o, all, count, planes);
    const char *const text = network ? bench_of(network, o->target) : NULL;
    if (!text)
        return false;
    cJSON *const json = cJSON_Parse(text);
    const cJSON *const calls = cJSON_GetObjectItemCaseSensitive(json, "calls");
    const Graph *const graph = &network->train;
    for (int i = 0; i < graph->count; i++) {
        Candidate *const found = candidate_of(graph, &graph->nodes[i], all, count);
        if (found)
            found->seconds[planes] += seconds_of(calls, function_name(&graph->nodes[i]));
    }
    cJSON_Delete(json);
    return true;
}

bool tune_convolutions(const Network *network, const Options *o)
{
    Candidate *const all = allocate(MOST_CANDIDATES * sizeof *all);
    const int count = network->trains ? find_candidates(network, all) : 0;
    if (count == 0)
        return true;
    for (int planes = 0; planes < 2; planes++)
        if (!measure_so(o, all, count, planes))
            return false;
    Text lines = {0};
    for (int i = 0; i < count; i++) {
        Choice *const choice = &all[i].choice;
        choice->window.planes = all[i].seconds[1] < all[i].seconds[0];
        text_add(&lines, "%s  # %.3g us\n", choice_text(choice),
                 1e6 * all[i].seconds[choice->window.planes]);
    }
    return remember(o->tuned, lines.text);
}
