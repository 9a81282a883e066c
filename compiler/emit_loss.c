// emit_loss.c: what comes out of the network: losses, answers.
#include "emit.h"

static int outputs_of(const Graph *graph, const Node *node)
{
    return (int)shape_size(graph->nodes[node->input[0]].shape);
}

// One output for two classes: it says how far the answer is the second one.
static bool is_binary(const Graph *graph, const Node *node)
{
    return graph->network->classes == 2 && outputs_of(graph, node) == 1;
}

// The factor of row `i`; nothing where classes have none.
static const char *weight(const Node *node)
{
    return node->attributes.class_weights ? "class_weight[label] * " : "";
}

static void declare_class_weights(Out *out, const Node *node)
{
    Text list = {0};
    const double *const weights = node->attributes.class_weights;
    for (int i = 0; weights && i < out->network->classes; i++)
        text_add(&list, "%s%s", i ? ", " : "", real_number(out, weights[i]));
    if (weights)
        line(out, "static const %s class_weight[%d] = {%s};", real_type(out->network),
             out->network->classes, list.text);
}

// Opens the loop over the rows: `label`, or `target`, is what row `i` should give.
static void open_labelled_rows(Out *out, const Node *node)
{
    declare_class_weights(out, node);
    line(out, "for (int i = 0; i < rows; i++) {");
    if (out->network->targets)
        line(out,
             "const float *const target = batch->targets + (size_t)batch->index[first + i] * %d;",
             out->network->targets);
    else
        line(out, "const int label = batch->labels[batch->index[first + i]];");
}

// The same of a gradient, which is `scale` times something; the loss divides a sum over `count`
// outputs by their number.
static void open_graded_rows(Out *out, const Graph *graph, const Node *node, int factor, int count)
{
    const char *const type = real_type(graph->network);
    const bool weighted = node->attributes.class_weights;
    line(out, "const %s %s = %d / (%s)%s;", type, weighted ? "share" : "scale", factor, type,
         numbers_of_batch(count));
    open_labelled_rows(out, node);
    if (weighted)
        line(out, "const %s scale = class_weight[label] * share;", type);
}

// Output `j` of row `i` as it should be.
static const char *target(const Graph *graph, const Node *node)
{
    if (graph->network->targets)
        return "target[j]";
    return is_binary(graph, node) ? "label" : "(j == label)";
}

// With label smoothing (Szegedy et al. 2016, section 7) a part of the target is shared out among
// the `ways` in which the answer can go.
static const char *smoothed(const Out *out, const Graph *graph, const Node *node, int ways)
{
    const double part = node->attributes.smoothing;
    if (part == 0)
        return target(graph, node);
    return format("(%s * %s + %s)", real_number(out, 1 - part), target(graph, node),
                  real_number(out, part / ways));
}

// --- losses of all outputs together -------------------------------------------------------------

// Of all rows log(sum exp(x)), in loss[i]: in loops over the block, since one row of a few outputs
// fills no vectors, and its exponentials, their sum and its logarithm wait for each other. Labels
// are bytes, so that all numbers of a block have room on a thread's stack.
static void emit_log_sums(Out *out, int outputs)
{
    const char *const type = real_type(out->network);
    line(out, "%s shift[ROWS], power[ROWS][%d];", type, outputs);
    line(out, "for (int i = 0; i < rows; i++) {");
    emit_largest(out, "x[i]", outputs);
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    line(out, "    power[i][j] = x[i][j] - largest;");
    line(out, "shift[i] = largest;");
    line(out, "}");
    line(out, "%s *const all = power[0];", type);
    line(out, "for (int n = 0; n < rows * %d; n++)", outputs);
    line(out, "    all[n] = %s(all[n]);", math(out, "exp"));
    line(out, "for (int i = 0; i < rows; i++) {");
    line(out, "%s sum = 0;", type);
    in_lanes(out, "+", "sum", outputs);
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    line(out, "    sum += power[i][j];");
    line(out, "loss[i] = sum;");
    line(out, "}");
    line(out, "for (int i = 0; i < rows; i++)");
    line(out, "    loss[i] = %s(loss[i]) + shift[i];", math(out, "log"));
}

// log(sum exp(x)) - sum target x: exact where softmax itself would round to 0.
void emit_cross_entropy(Out *out, const Graph *graph, const Node *node)
{
    const int outputs = outputs_of(graph, node);
    const double part = node->attributes.smoothing;
    const char *const type = real_type(graph->network);
    emit_log_sums(out, outputs);
    open_labelled_rows(out, node);
    if (part == 0) {
        line(out, node->attributes.class_weights ? "loss[i] = %s(loss[i] - x[i][label]);"
                                                 : "%sloss[i] -= x[i][label];",
             weight(node));
    } else {
        line(out, "%s all_x = 0;", type);
        in_lanes(out, "+", "all_x", outputs);
        line(out, "for (int j = 0; j < %d; j++)", outputs);
        line(out, "    all_x += x[i][j];");
        line(out, "loss[i] = %s(loss[i] - %s * x[i][label] - %s * all_x);", weight(node),
             real_number(out, 1 - part), real_number(out, part / outputs));
    }
    line(out, "}");
}

void emit_cross_entropy_grad(Out *out, const Graph *graph, const Node *node)
{
    const int outputs = outputs_of(graph, node);
    open_graded_rows(out, graph, node, 1, 1);
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    line(out, "    dx[i][j] = (p[i][j] - %s) * scale;", smoothed(out, graph, node, outputs));
    line(out, "}");
}

// The largest wrong output, or 0 (Keras counts the label's own as 0).
static void emit_rival(Out *out, const Graph *graph, int outputs)
{
    line(out, "%s largest = 0;", real_type(graph->network));
    line(out, "int rival = -1;");
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    out->depth++;
    line(out, "if (j != label && x[i][j] > largest) {");
    line(out, "largest = x[i][j];");
    line(out, "rival = j;");
    line(out, "}");
    out->depth--;
}

void emit_categorical_hinge(Out *out, const Graph *graph, const Node *node)
{
    const char *const type = real_type(graph->network);
    open_labelled_rows(out, node);
    line(out, "%s largest = 0;", type);
    line(out, "for (int j = 0; j < %d; j++)", outputs_of(graph, node));
    line(out, "    largest = j != label && x[i][j] > largest ? x[i][j] : largest;");
    line(out, "const %s short_of = 1 + largest - x[i][label];", type);
    line(out, "loss[i] = short_of < 0 ? 0 : %sshort_of;", weight(node));
    line(out, "}");
}

void emit_categorical_hinge_grad(Out *out, const Graph *graph, const Node *node)
{
    const int outputs = outputs_of(graph, node);
    open_graded_rows(out, graph, node, 1, 1);
    emit_rival(out, graph, outputs);
    line(out, "const bool short_of = 1 + largest > x[i][label];");
    line(out, "for (int j = 0; j < %d; j++)", outputs);
    line(out, "    dx[i][j] = short_of ? ((j == rival) - (j == label)) * scale : 0;");
    line(out, "}");
}

// --- losses that are a mean over the outputs ----------------------------------------------------

// Opens the loops over the outputs, of which something is summed up in `sum`.
static void open_mean(Out *out, const Graph *graph, const Node *node)
{
    open_labelled_rows(out, node);
    line(out, "%s sum = 0;", sum_type(out, outputs_of(graph, node)));
    in_lanes(out, "+", "sum", outputs_of(graph, node));
    line(out, "for (int j = 0; j < %d; j++) {", outputs_of(graph, node));
}

static void close_mean(Out *out, const Graph *graph, const Node *node)
{
    line(out, "}");
    if (outputs_of(graph, node) == 1)
        line(out, "loss[i] = %ssum;", weight(node));
    else
        line(out, "loss[i] = %ssum * %s;", weight(node),
             real_number(out, 1.0 / outputs_of(graph, node)));
    line(out, "}");
}

static void open_mean_grad(Out *out, const Graph *graph, const Node *node, int factor)
{
    const int outputs = outputs_of(graph, node);
    open_graded_rows(out, graph, node, factor, outputs);
    line(out, "for (int j = 0; j < %d; j++) {", outputs);
}

static void close_mean_grad(Out *out)
{
    line(out, "}");
    line(out, "}");
}

static void declare_error(Out *out, const Graph *graph, const Node *node)
{
    line(out, "const %s error = x[i][j] - %s;", real_type(graph->network), target(graph, node));
}

// The mean over the outputs of log(1 + exp(x)) - x target, written so that exp never overflows.
void emit_binary_cross_entropy(Out *out, const Graph *graph, const Node *node)
{
    open_mean(out, graph, node);
    line(out, "const %s v = x[i][j], size = v > 0 ? v : -v;", real_type(graph->network));
    line(out, "sum += (v > 0 ? v : 0) - v * %s + %s(1 + %s(-size));", smoothed(out, graph, node, 2),
         math(out, "log"), math(out, "exp"));
    close_mean(out, graph, node);
}

void emit_binary_cross_entropy_grad(Out *out, const Graph *graph, const Node *node)
{
    open_mean_grad(out, graph, node, 1);
    line(out, "dx[i][j] = (p[i][j] - %s) * scale;", smoothed(out, graph, node, 2));
    close_mean_grad(out);
}

void emit_mse(Out *out, const Graph *graph, const Node *node)
{
    open_mean(out, graph, node);
    declare_error(out, graph, node);
    line(out, "sum += error * error;");
    close_mean(out, graph, node);
}

void emit_mse_grad(Out *out, const Graph *graph, const Node *node)
{
    open_mean_grad(out, graph, node, 2);
    line(out, "dx[i][j] = (x[i][j] - %s) * scale;", target(graph, node));
    close_mean_grad(out);
}

void emit_mae(Out *out, const Graph *graph, const Node *node)
{
    open_mean(out, graph, node);
    declare_error(out, graph, node);
    line(out, "sum += error < 0 ? -error : error;");
    close_mean(out, graph, node);
}

void emit_mae_grad(Out *out, const Graph *graph, const Node *node)
{
    open_mean_grad(out, graph, node, 1);
    declare_error(out, graph, node);
    line(out, "dx[i][j] = (error > 0) * scale - (error < 0) * scale;");
    close_mean_grad(out);
}

// Huber 1964: a parabola around 0, straight beyond delta.
void emit_huber(Out *out, const Graph *graph, const Node *node)
{
    const double delta = node->attributes.delta;
    open_mean(out, graph, node);
    declare_error(out, graph, node);
    line(out, "const %s size = error < 0 ? -error : error;", real_type(graph->network));
    line(out, "sum += size <= %s ? %s * size * size : %s * size - %s;", real_number(out, delta),
         real_number(out, 0.5), real_number(out, delta), real_number(out, delta * delta / 2));
    close_mean(out, graph, node);
}

void emit_huber_grad(Out *out, const Graph *graph, const Node *node)
{
    const char *const delta = real_number(out, node->attributes.delta);
    open_mean_grad(out, graph, node, 1);
    declare_error(out, graph, node);
    line(out, "dx[i][j] = (error > %s ? %s : error < -%s ? -%s : error) * scale;", delta, delta,
         delta, delta);
    close_mean_grad(out);
}

static void declare_sign(Out *out, const Graph *graph, const Node *node)
{
    line(out, "const %s sign = %s ? 1 : -1;", real_type(graph->network),
         is_binary(graph, node) ? "label" : "j == label");
}

void emit_hinge(Out *out, const Graph *graph, const Node *node)
{
    open_mean(out, graph, node);
    declare_sign(out, graph, node);
    line(out, "sum += sign * x[i][j] < 1 ? 1 - sign * x[i][j] : 0;");
    close_mean(out, graph, node);
}

void emit_hinge_grad(Out *out, const Graph *graph, const Node *node)
{
    open_mean_grad(out, graph, node, 1);
    declare_sign(out, graph, node);
    line(out, "dx[i][j] = sign * x[i][j] < 1 ? -sign * scale : 0;");
    close_mean_grad(out);
}

static const double POISSON_EPS = 1e-7; // keras.config.epsilon()

void emit_poisson(Out *out, const Graph *graph, const Node *node)
{
    open_mean(out, graph, node);
    line(out, "sum += x[i][j] - %s * %s(x[i][j] + %s);", target(graph, node), math(out, "log"),
         real_number(out, POISSON_EPS));
    close_mean(out, graph, node);
}

void emit_poisson_grad(Out *out, const Graph *graph, const Node *node)
{
    open_mean_grad(out, graph, node, 1);
    line(out, "dx[i][j] = (1 - %s / (x[i][j] + %s)) * scale;", target(graph, node),
         real_number(out, POISSON_EPS));
    close_mean_grad(out);
}

// --- answers ------------------------------------------------------------------------------------

const char *predict_formula(const Graph *graph, const Node *node)
{
    if (!is_binary(graph, node))
        return op_info[node->op].formula;
    return format("predicted = 1 where x is above %s, otherwise 0",
                  number_text(node->attributes.threshold));
}

void emit_predict(Out *out, const Graph *graph, const Node *node)
{
    if (is_binary(graph, node)) {
        line(out, "for (int i = 0; i < rows; i++)");
        line(out, "    predicted[i] = x[i][0] > %s;", real_number(out, node->attributes.threshold));
        return;
    }
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
    add_parts(out, graph, node, first, "penalty");
    line(out, "const bool finite = isfinite(sum);");
    line(out, "*result = (NnResult){.loss = sum, %s%s.finite = finite};",
         penalised ? ".penalty = penalty, " : "", classes ? ".hits = hits, " : "");
    line(out, "return finite;");
}
