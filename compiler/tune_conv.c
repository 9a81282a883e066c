// tune_conv.c: `netc build --tune` for convolutions: which way of making each is the fastest.
//
// What surrounds the tiles, copies of the picture and of the gradient, differs too. So the network
// is built once for each way, with all convolutions that can be made so, and the programs measure
// themselves.
#include "build.h"
#include "command.h"
#include "emit.h"
#include "json.h"

#include <string.h>

enum { MOST_CANDIDATES = 64 };

// The convolution that a node makes, and how it could be made; false where it makes none.
static bool ways_of(const Graph *graph, const Node *node, WindowProduct *window,
                    bool ways[CONV_WAYS])
{
    WindowProduct direct_one;
    const bool winograd = !node->dead && winograd_window(graph, node, window);
    const bool direct = !node->dead && convolution_of(graph, node, &direct_one);
    if (direct)
        *window = direct_one;
    ways[CONV_WINDOWS] = true;
    ways[CONV_PLANES] = direct && has_planes(graph->network, window);
    ways[CONV_WINOGRAD_2] = ways[CONV_WINOGRAD_4] = winograd;
    return direct || winograd;
}

// The candidate that a node's function is made of; NULL where it is made of none.
static Choice *candidate_of(const Graph *graph, const Node *node, Choice *all, int count)
{
    WindowProduct window;
    bool ways[CONV_WAYS];
    if (!ways_of(graph, node, &window, ways))
        return NULL;
    for (int i = 0; i < count; i++)
        if (same_windows(&all[i].window, &window))
            return &all[i];
    return NULL;
}

// Those that could be made in several ways and were not measured; returns how many. ways[i][w] says
// whether number i can be made so.
static int find_candidates(const Network *network, Choice *all, bool ways[][CONV_WAYS])
{
    const Graph *const graph = &network->train;
    int count = 0;
    for (int i = 0; i < graph->count && count < MOST_CANDIDATES; i++) {
        const Node *const node = &graph->nodes[i];
        Choice choice = {
            .convolution = true, .doubles = network->doubles, .target = network->target};
        if (ways_of(graph, node, &choice.window, ways[count]) &&
            (ways[count][CONV_PLANES] || ways[count][CONV_WINOGRAD_2]) &&
            !choice_of_window(network, &choice.window) && !candidate_of(graph, node, all, count))
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
static bool time_so(const Network *network, const Options *o, Choice *all, int count)
{
    Network *const so = compile_so(o, network->program, all, count);
    const char *const text = so ? bench_of(so, o->target) : NULL;
    if (!text)
        return false;
    cJSON *const json = cJSON_Parse(text);
    const cJSON *const calls = cJSON_GetObjectItemCaseSensitive(json, "calls");
    const Graph *const graph = &network->train; // whose functions have the same names
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
    bool ways[MOST_CANDIDATES][CONV_WAYS];
    Choice best[MOST_CANDIDATES];
    const int count = network->trains ? find_candidates(network, best, ways) : 0;
    for (ConvWay way = CONV_WINDOWS; way < CONV_WAYS; way++) {
        Choice so[MOST_CANDIDATES];
        bool any = false;
        for (int i = 0; i < count; i++) {
            so[i] = best[i];
            so[i].seconds = 0;
            so[i].way = ways[i][way] ? way : CONV_WINDOWS;
            any |= ways[i][way];
        }
        if (any && !time_so(network, o, so, count))
            return false;
        for (int i = 0; i < count; i++)
            if (ways[i][way] && (way == CONV_WINDOWS || so[i].seconds < best[i].seconds))
                best[i] = so[i];
    }
    return count == 0 || remember(o->tuned, best, count);
}
