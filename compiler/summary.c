// summary.c: the rows of `netc summary`.
#include "diff.h"
#include "passes.h"
#include "summary.h"

#include <string.h>

static double layer_bytes(const Graph *graph, const char *layer)
{
    double bytes = 0;
    for (int i = 0; i < graph->count; i++)
        if (in_arena(&graph->nodes[i]) && !strcmp(graph->nodes[i].layer, layer))
            bytes += (double)stored_bytes(graph, i);
    return bytes;
}

static void add_row(Summary *summary, const Network *network, SummaryRow row)
{
    const Graph *const graph = network->trains ? &network->train : &network->infer;
    row.bytes = layer_bytes(graph, row.name);
    row.seconds = layer_seconds(network, row.name);
    row.multiply_adds = layer_multiply_adds(network, row.name);
    row.measured = -1;
    summary->rows[summary->count++] = row;
    summary->total.parameters += row.parameters;
    summary->total.multiply_adds += row.multiply_adds;
    summary->total.bytes += row.bytes;
    summary->total.seconds += row.seconds;
}

static bool has_row(const Summary *summary, const char *name)
{
    for (int i = 0; i < summary->count; i++)
        if (!strcmp(summary->rows[i].name, name))
            return true;
    return false;
}

Summary summary_of(const Network *network)
{
    const Program *const program = network->program;
    const Graph *const graph = network->trains ? &network->train : &network->infer;
    Summary summary = {.total = {.name = "total", .statement = "", .output = "", .measured = -1}};
    summary.rows = allocate((size_t)(network->card_count + graph->count) * sizeof(SummaryRow));
    add_row(&summary, network,
            (SummaryRow){.name = "input",
                         .statement = clause_text(program->input),
                         .output = shape_text(network->infer.nodes[0].shape)});
    for (int i = 0; i < network->card_count; i++) {
        const Card *const card = &network->cards[i];
        add_row(&summary, network,
                (SummaryRow){.name = card->name,
                             .statement = clause_text(card->clause),
                             .output = shape_text(card->out),
                             .parameters = card->parameters});
    }
    // the rest of the step, which no layer owns: the loss
    for (int i = 0; i < graph->count; i++) {
        const Node *const node = &graph->nodes[i];
        if (!node->dead && !has_row(&summary, node->layer))
            add_row(&summary, network,
                    (SummaryRow){.name = node->layer,
                                 .statement = program->loss && !strcmp(node->layer, "loss")
                                                  ? clause_text(program->loss)
                                                  : "",
                                 .output = ""});
    }
    return summary;
}
