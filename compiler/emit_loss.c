// emit_loss.c: what comes out of the network: losses, answers.
#include "netc.h"

static int outputs_of(const Graph *graph, const Node *node)
{
    return (int)shape_size(graph->nodes[node->input[0]].shape);
}

// Declares what row `i` should give: its label, or its targets.
static void emit_wanted(Out *out)
{
    if (out->network->targets)
        line(out,
             "const float *const target = batch->targets + (size_t)batch->index[first + i] * %d;",
             out->network->targets);
    else
        line(out, "const int label = batch->labels[batch->index[first + i]];");
}

// Output `j` of row `i` as it should be.
static const char *target(const Out *out)
{
    return out->network->targets ? "target[j]" : "(j == label)";
}

// log(sum exp(x)) - x[label]: exact where softmax itself would round to 0.
void emit_cross_entropy(Out *out, const Graph *graph, const Node *node)
{
    const int outputs = outputs_of(graph, node);
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_wanted(out);
    emit_largest(out, "x[i]", outputs);
    line(out, "%s sum = 0;", real_type(graph->network));
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    line(out, "    sum += %s(x[i][j] - largest);", math(out, "exp"));
    line(out, "loss[i] = %s(sum) + largest - x[i][label];", math(out, "log"));
    line(out, "}");
}

// Opens the loops of a loss that is the mean over the outputs of something summed up in `sum`.
static void open_mean(Out *out, const Graph *graph, const Node *node)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_wanted(out);
    line(out, "%s sum = 0;", real_type(graph->network));
    line(out, "for (int j = 0; j < %d; j++) {", outputs_of(graph, node));
}

static void close_mean(Out *out, const Graph *graph, const Node *node)
{
    line(out, "}");
    line(out, "loss[i] = sum * %s;", real_number(out, 1.0 / outputs_of(graph, node)));
    line(out, "}");
}

// The gradient is `factor` times the distance of each output `of` from its target, 1 for the label;
// `count` is what the loss's mean divides by.
static void emit_distance(Out *out, const Graph *graph, const Node *node, const char *of,
                          const char *factor, const char *count)
{
    const char *const type = real_type(graph->network);
    line(out, "const %s scale = %s / (%s)%s;", type, factor, type, count);
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_wanted(out);
    line(out, "for (int j = 0; j < %d; j++)", outputs_of(graph, node));
    line(out, "    dx[i][j] = (%s[i][j] - %s) * scale;", of, target(out));
    line(out, "}");
}

void emit_cross_entropy_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_distance(out, graph, node, "p", "1", "batch->rows");
}

static const char *all_outputs(const Graph *graph, const Node *node)
{
    return format("(batch->rows * %d)", outputs_of(graph, node));
}

// The mean over the outputs of log(1 + exp(x)) - x target, written so that exp never overflows.
void emit_binary_cross_entropy(Out *out, const Graph *graph, const Node *node)
{
    open_mean(out, graph, node);
    line(out, "const %s v = x[i][j], size = v > 0 ? v : -v;", real_type(graph->network));
    line(out, "sum += (v > 0 ? v : 0) - v * %s + %s(1 + %s(-size));",
         target(out), math(out, "log"), math(out, "exp"));
    close_mean(out, graph, node);
}

void emit_binary_cross_entropy_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_distance(out, graph, node, "p", "1", all_outputs(graph, node));
}

void emit_mse(Out *out, const Graph *graph, const Node *node)
{
    open_mean(out, graph, node);
    line(out, "const %s error = x[i][j] - %s;", real_type(graph->network), target(out));
    line(out, "sum += error * error;");
    close_mean(out, graph, node);
}

void emit_mse_grad(Out *out, const Graph *graph, const Node *node)
{
    emit_distance(out, graph, node, "x", "2", all_outputs(graph, node));
}

void emit_predict(Out *out, const Graph *graph, const Node *node)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "int best = 0;");
    line(out, "for (int j = 1; j < %d; j++)", outputs_of(graph, node));
    line(out, "    best = x[i][j] > x[i][best] ? j : best;");
    line(out, "predicted[i] = best;");
    line(out, "}");
}

// Every thread adds all rows up, in the same order, so that all agree on whether to go on.
void emit_total(Out *out, const Graph *graph, const Node *node)
{
    const bool classes = out->network->classes > 0;
    const int first = classes ? 2 : 1; // penalty
    const bool penalised = node->input_count > first;
    line(out, "double sum = 0;");
    if (classes)
        line(out, "int hits = 0;");
    line(out, "for (int i = 0; i < batch->rows; i++)%s", classes ? " {" : "");
    line(out, "%ssum += loss[i];", classes ? "" : "    ");
    if (classes) {
        line(out, "hits += predicted[i] == batch->labels[batch->index[i]];");
        line(out, "}");
    }
    if (penalised)
        line(out, "double penalty = 0;");
    for (int k = first; k < node->input_count; k++) {
        const Node *const in = &graph->nodes[node->input[k]];
        line(out, "for (int part = 0; part < %ld; part++)", shape_size(in->shape));
        line(out, "    penalty += %s[part];", role(graph, node, k));
    }
    line(out, "const bool finite = isfinite(sum);");
    line(out, "if (nn_thread() == 0)");
    line(out, "    *result = (NnResult){.loss = sum, %s%s.finite = finite};",
         penalised ? ".penalty = penalty, " : "", classes ? ".hits = hits, " : "");
    line(out, "return finite;");
}
