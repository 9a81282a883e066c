// tune_conv.c: `netc build --tune` for convolutions: which are faster by windows, which by planes.
//
// What surrounds the tiles, copies of the picture and of the gradient, differs too. So the network
// is built twice, with all of them by windows and all by planes, and both programs measure
// themselves.
#include "build.h"
#include "command.h"
#include "emit.h"
#include "json.h"

#include <string.h>

enum { MOST_CANDIDATES = 64 };

// The candidate that a node's function is made of; NULL where it is made of none.
static Choice *candidate_of(const Graph *graph, const Node *node, Choice *all, int count)
{
    WindowProduct window;
    if (node->dead || !convolution_of(graph, node, &window))
        return NULL;
    for (int i = 0; i < count; i++)
        if (same_windows(&all[i].window, &window))
            return &all[i];
    return NULL;
}

// Those that could be made either way and were not measured, by windows; returns how many.
static int find_candidates(const Network *network, Choice *all)
{
    const Graph *const graph = &network->train;
    int count = 0;
    for (int i = 0; i < graph->count && count < MOST_CANDIDATES; i++) {
        const Node *const node = &graph->nodes[i];
        Choice choice = {
            .convolution = true, .doubles = network->doubles, .target = network->target};
        if (node->dead || !convolution_of(graph, node, &choice.window) ||
            !has_planes(network, &choice.window) || choice_of_window(network, &choice.window) ||
            candidate_of(graph, node, all, count))
            continue;
        choice.window.planes = false;
        all[count++] = choice;
    }
    return count;
}

// The same network with all candidates as they say.
static Network *compile_so(const Options *o, const Program *program, const Choice *all, int count)
{
    Options so = *o;
    so.products.items =
        allocate((size_t)(o->products.count + count) * sizeof *so.products.items);
    for (int i = 0; i < o->products.count; i++)
        so.products.items[i] = o->products.items[i];
    for (int i = 0; i < count; i++)
        so.products.items[so.products.count++] = choice_text(&all[i]);
    return compile_again(&so, program);
}

static double seconds_of(const cJSON *calls, const char *function)
{
    const cJSON *call;
    cJSON_ArrayForEach(call, calls)
    {
        if (!strcmp(json_text(call, "function"), function))
            return json_number(call, "seconds");
    }
    bug("'bench --json' has no call '%s'", function);
}

// Fills in the candidates' seconds, of a step. False after an error was printed.
static bool time_so(const Options *o, const Program *program, Choice *all, int count)
{
    Network *const network = compile_so(o, program, all, count);
    const char *const text = network ? bench_of(network, o->target) : NULL;
    if (!text)
        return false;
    cJSON *const json = cJSON_Parse(text);
    const cJSON *const calls = cJSON_GetObjectItemCaseSensitive(json, "calls");
    const Graph *const graph = &network->train;
    for (int i = 0; i < graph->count; i++) {
        Choice *const found = candidate_of(graph, &graph->nodes[i], all, count);
        if (found)
            found->seconds += seconds_of(calls, function_name(&graph->nodes[i]));
    }
    cJSON_Delete(json);
    return true;
}

bool tune_convolutions(const Network *network, const Options *o)
{
    Choice best[MOST_CANDIDATES], planes[MOST_CANDIDATES];
    const int count = network->trains ? find_candidates(network, best) : 0;
    for (int i = 0; i < count; i++) {
        planes[i] = best[i];
        planes[i].window.planes = true;
    }
    if (count == 0)
        return true;
    if (!time_so(o, network->program, best, count) || !time_so(o, network->program, planes, count))
        return false;
    for (int i = 0; i < count; i++)
        if (planes[i].seconds < best[i].seconds)
            best[i] = planes[i];
    return remember(o->tuned, best, count);
}
