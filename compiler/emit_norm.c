// emit_norm.c: the statistics of batch normalisation over the batch, and over the backward pass.
//
// Sums are made in two steps, by block of rows and then over the blocks from first to last, so that
// they come out the same for any number of threads. They are double: a variance is the difference
// of two large sums.
#include "emit.h"

#include <string.h>

// Opens loops over the block's pixels and channels; returns how they index x.
static const char *open_channels(Out *out, const Graph *graph, const Node *node, int channels)
{
    const long pixels = shape_size(graph->nodes[node->input[0]].shape) / channels;
    line(out, "for (int i = 0; i < rows; i++)");
    if (pixels > 1)
        line(out, "    for (int p = 0; p < %ld; p++)", pixels);
    out->depth += 1 + (pixels > 1);
    line(out, "for (int c = 0; c < %d; c++) {", channels);
    return pixels > 1 ? "[i][p][c]" : "[i][c]";
}

static void close_channels(Out *out, const char *index)
{
    line(out, "}");
    out->depth -= !strcmp(index, "[i][p][c]") ? 2 : 1;
}

void emit_norm_sums(Out *out, const Graph *graph, const Node *node)
{
    const int channels = node->shape.dims[1];
    line(out, "memset(sums, 0, sizeof(double[2][%d]));", channels);
    const char *const at = open_channels(out, graph, node, channels);
    line(out, "const double v = x%s;", at);
    line(out, "sums[0][c] += v;");
    line(out, "sums[1][c] += v * v;");
    close_channels(out, at);
}

void emit_norm_stats(Out *out, const Graph *graph, const Node *node)
{
    const char *const type = real_type(graph->network);
    const int channels = node->shape.dims[1];
    const Node *const sums = &graph->nodes[node->input[0]];
    const long pixels = shape_size(graph->nodes[sums->input[0]].shape) / channels;
    line(out, "const double count = (double)batch->rows * %ld;", pixels);
    line(out, "for (int c = 0; c < %d; c++) {", channels);
    line(out, "double sum = 0, squares = 0;");
    line(out, "for (int block = 0; block < BLOCKS; block++) {");
    line(out, "sum += sums[block][0][c];");
    line(out, "squares += sums[block][1][c];");
    line(out, "}");
    line(out, "const double mean = sum / count, variance = squares / count - mean * mean;");
    line(out, "stats[0][c] = (%s)mean;", type);
    line(out, "stats[1][c] = (%s)(1 / sqrt((variance > 0 ? variance : 0) + %s));", type,
         number_text(node->attributes.eps));
    line(out, "}");
}

static void emit_follow(Out *out, const Graph *graph, const Node *node, const char *bias)
{
    const double share = 1 - node->attributes.momentum;
    line(out, "for (int c = 0; c < %d; c++) {", node->attributes.channels);
    line(out, "const %s deviation = 1 / stats[1][c];", real_type(graph->network));
    line(out, "mean[c] += %s * (stats[0][c]%s - mean[c]);", real_number(out, share), bias);
    line(out, "variance[c] += %s * (deviation * deviation - %s - variance[c]);",
         real_number(out, share), real_number(out, node->attributes.eps));
    line(out, "}");
}

void emit_norm_follow(Out *out, const Graph *graph, const Node *node)
{
    emit_follow(out, graph, node, "");
}

void emit_norm_follow_bias(Out *out, const Graph *graph, const Node *node)
{
    emit_follow(out, graph, node, " + b[c]");
}

void emit_norm_grad_sums(Out *out, const Graph *graph, const Node *node)
{
    const int channels = node->shape.dims[1];
    line(out, "memset(sums, 0, sizeof(%s[2][%d]));", real_type(graph->network), channels);
    const char *const at = open_channels(out, graph, node, channels);
    line(out, "sums[0][c] += dy%s;", at);
    line(out, "sums[1][c] += dy%s * (x%s - stats[0][c]) * stats[1][c];", at, at);
    close_channels(out, at);
}
