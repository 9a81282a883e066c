// emit_group_norm.c: normalisation within one example: over the channels of a pixel (layernorm), or
// over all pixels of a group of channels (groupnorm).
//
// Values that are normalised together lie side by side, but for groupnorm on a picture: there, sums
// run over the pixels for each channel by itself, which vectors do, and then over the group.
#include "emit.h"

typedef struct {
    int pixels, channels;
    int groups, each;  // of the channels; one group of all of them for layernorm
    bool by_pixel;     // the statistics are of a pixel's group: they lie in [pixel] or [group]
    bool side_by_side; // what is normalised together
    const char *real;
} Plan;

static Plan plan_of(const Graph *graph, const Node *node, Shape shape)
{
    const int channels = node->attributes.channels, groups = node->attributes.groups;
    const int pixels = (int)(shape_size(shape) / channels);
    return (Plan){.pixels = pixels,
                  .channels = channels,
                  .groups = groups ? groups : 1,
                  .each = groups ? channels / groups : channels,
                  .by_pixel = !groups,
                  .side_by_side = !groups || pixels == 1,
                  .real = real_type(graph->network)};
}

static void open_loop(Out *out, const char *index, int count)
{
    if (count > 1)
        line(out, "for (int %1$s = 0; %1$s < %2$d; %1$s++) {", index, count);
}

static void close_loop(Out *out, int count)
{
    if (count > 1)
        line(out, "}");
}

// The loops over what has statistics of its own: pixels or groups.
static const char *set_index(const Plan *n)
{
    return n->by_pixel ? (n->pixels > 1 ? "p" : "0") : (n->groups > 1 ? "g" : "0");
}

static int set_count(const Plan *n) { return n->by_pixel ? n->pixels : n->groups; }

// The loop over the channels of the group at hand.
static const char *channels(const Plan *n)
{
    if (n->groups == 1)
        return format("for (int c = 0; c < %d; c++)", n->each);
    return format("for (int c = g * %d; c < g * %d + %d; c++)", n->each, n->each, n->each);
}

static const char *in_row(const Plan *n) { return n->pixels > 1 ? "[i][p][c]" : "[i][c]"; }

static void declare_stats(Out *out, const Plan *n)
{
    const char *const set = set_index(n);
    line(out, "const %s mean = stats[i][0][%s], scale = stats[i][1][%s];", n->real, set, set);
}

// The same of each channel, so that a pass over the pixels goes through all groups at once.
static void declare_channel_stats(Out *out, const Plan *n)
{
    line(out, "%s mean[%d], scale[%d];", n->real, n->channels, n->channels);
    open_loop(out, "g", n->groups);
    line(out, "%s {", channels(n));
    line(out, "mean[c] = stats[i][0][%s];", set_index(n));
    line(out, "scale[c] = stats[i][1][%s];", set_index(n));
    line(out, "}");
    close_loop(out, n->groups);
}

// Opens the loops over the pixels, and over all channels of each.
static void open_pass(Out *out, const Plan *n, const char *brace)
{
    line(out, "for (int p = 0; p < %d; p++)", n->pixels);
    line(out, "    for (int c = 0; c < %d; c++)%s", n->channels, brace);
    out->depth++;
}

static void close_pass(Out *out)
{
    line(out, "}");
    out->depth--;
}

// One pass: a statement for each channel of each pixel.
static void emit_pass(Out *out, const Plan *n, const char *statement)
{
    open_pass(out, n, "");
    line(out, "    %s", statement);
    out->depth--;
}

// --- forward ------------------------------------------------------------------------------------

// The mean first and then the squares around it: exact where one pass would cancel.
static void emit_stats_side_by_side(Out *out, const Plan *n, const char *eps)
{
    const char *const set = set_index(n), *const x = in_row(n);
    open_loop(out, set, set_count(n));
    line(out, "%s sum = 0, squares = 0;", n->real);
    in_lanes(out, "+", "sum", n->each);
    line(out, "%s", channels(n));
    line(out, "    sum += x%s;", x);
    line(out, "const %s mean = sum / %d;", n->real, n->each);
    in_lanes(out, "+", "squares", n->each);
    line(out, "%s", channels(n));
    line(out, "    squares += (x%s - mean) * (x%s - mean);", x, x);
    line(out, "stats[i][0][%s] = mean;", set);
    line(out, "stats[i][1][%s] = 1 / %s(squares / %d + %s);", set, libm(out, "sqrt"), n->each, eps);
    close_loop(out, set_count(n));
}

static void emit_stats_by_channel(Out *out, const Plan *n, const char *eps)
{
    const int count = n->pixels * n->each;
    const char *const type = sum_type(out, count);
    line(out, "%s sum[%d] = {0}, squares[%d] = {0}, mean[%d];", type, n->channels, n->channels,
         n->channels);
    emit_pass(out, n, "sum[c] += x[i][p][c];");
    open_loop(out, "g", n->groups);
    line(out, "%s all = 0;", type);
    line(out, "%s", channels(n));
    line(out, "    all += sum[c];");
    line(out, "%s", channels(n));
    line(out, "    mean[c] = all / %d;", count);
    line(out, "stats[i][0][%s] = all / %d;", set_index(n), count);
    close_loop(out, n->groups);
    emit_pass(out, n, "squares[c] += (x[i][p][c] - mean[c]) * (x[i][p][c] - mean[c]);");
    open_loop(out, "g", n->groups);
    line(out, "%s around = 0;", type);
    line(out, "%s", channels(n));
    line(out, "    around += squares[c];");
    line(out, "stats[i][1][%s] = 1 / %s(around / %d + %s);", set_index(n), libm(out, "sqrt"), count,
         eps);
    close_loop(out, n->groups);
}

void emit_group_stats(Out *out, const Graph *graph, const Node *node)
{
    const Plan n = plan_of(graph, node, graph->nodes[node->input[0]].shape);
    const char *const eps = real_number(out, node->attributes.eps);
    line(out, "for (int i = 0; i < rows; i++) {");
    if (n.side_by_side)
        emit_stats_side_by_side(out, &n, eps);
    else
        emit_stats_by_channel(out, &n, eps);
    line(out, "}");
}

// Opens the loops over row `i`'s pixels and groups; behind them is a group of one pixel.
static void open_groups(Out *out, const Plan *n)
{
    line(out, "for (int i = 0; i < rows; i++) {");
    open_loop(out, "p", n->pixels);
    open_loop(out, "g", n->groups);
    declare_stats(out, n);
}

static void close_groups(Out *out, const Plan *n)
{
    close_loop(out, n->groups);
    close_loop(out, n->pixels);
}

// How `mean` and `scale` are indexed in the statement of emit_each().
static const char *of_set(const Plan *n) { return n->side_by_side ? "" : "[c]"; }

// Opens the loop over rows; a statement for each number.
static void emit_each(Out *out, const Plan *n, const char *statement)
{
    if (n->side_by_side) {
        open_groups(out, n);
        line(out, "%s", channels(n));
        line(out, "    %s", statement);
        close_groups(out, n);
    } else {
        line(out, "for (int i = 0; i < rows; i++) {");
        declare_channel_stats(out, n);
        emit_pass(out, n, statement);
    }
}

void emit_group_norm(Out *out, const Graph *graph, const Node *node)
{
    const Plan n = plan_of(graph, node, node->shape);
    emit_each(out, &n,
              format("y%1$s = (x%1$s - mean%2$s) * scale%2$s * gamma[c] + beta[c];", in_row(&n),
                     of_set(&n)));
    emit_row_steps(out, graph, node);
    line(out, "}");
}

// --- backward -----------------------------------------------------------------------------------

void emit_group_norm_scale_grad(Out *out, const Graph *graph, const Node *node)
{
    const Plan n = plan_of(graph, node, graph->nodes[node->input[0]].shape);
    line(out, "memset(dgamma, 0, sizeof(%s[%d]));", n.real, n.channels);
    emit_each(out, &n,
              format("dgamma[c] += dy%1$s * (x%1$s - mean%2$s) * scale%2$s;", in_row(&n),
                     of_set(&n)));
    line(out, "}");
}

// What each number's gradient has in common with the others': the means over a group of dy gamma,
// and of that times xhat = (x - mean) * scale.
static void emit_common(Out *out, const Plan *n)
{
    const char *const at = in_row(n);
    line(out, "%s shift = 0, stretch = 0;", n->real);
    in_lanes(out, "+", "shift, stretch", n->each);
    line(out, "%s {", channels(n));
    line(out, "const %s v = dy%s * gamma[c];", n->real, at);
    line(out, "shift += v;");
    line(out, "stretch += v * (x%s - mean) * scale;", at);
    line(out, "}");
}

// dx, where `shift` and `stretch` are sums over the group.
static void emit_dx(Out *out, const Plan *n)
{
    const char *const at = in_row(n);
    line(out, "%s {", channels(n));
    line(out, "const %s xhat = (x%s - mean) * scale;", n->real, at);
    line(out, "dx%s = scale * (dy%s * gamma[c] - (shift + xhat * stretch) / %d);", at, at, n->each);
    line(out, "}");
}

static void emit_dx_by_channel(Out *out, const Plan *n)
{
    const int all = n->channels, count = n->pixels * n->each;
    declare_channel_stats(out, n);
    const char *const type = sum_type(out, count);
    line(out, "%s sum[%d] = {0}, product[%d] = {0};", type, all, all);
    line(out, "%s shift[%d], stretch[%d];", n->real, all, all);
    open_pass(out, n, " {");
    line(out, "sum[c] += dy[i][p][c];");
    line(out, "product[c] += dy[i][p][c] * (x[i][p][c] - mean[c]);");
    close_pass(out);
    open_loop(out, "g", n->groups);
    line(out, "%s sums = 0, products = 0;", type);
    line(out, "%s {", channels(n));
    line(out, "sums += gamma[c] * sum[c];");
    line(out, "products += gamma[c] * product[c] * scale[c];");
    line(out, "}");
    line(out, "%s {", channels(n));
    line(out, "shift[c] = sums / %d;", count);
    line(out, "stretch[c] = products / %d;", count);
    line(out, "}");
    close_loop(out, n->groups);
    open_pass(out, n, " {");
    line(out, "const %s xhat = (x[i][p][c] - mean[c]) * scale[c];", n->real);
    line(out, "dx[i][p][c] = scale[c] * (dy[i][p][c] * gamma[c] - shift[c] - xhat * stretch[c]);");
    close_pass(out);
}

// Ba et al. 2016 and Wu and He 2018; the derivation is that of batch normalisation.
void emit_group_norm_grad(Out *out, const Graph *graph, const Node *node)
{
    const Plan n = plan_of(graph, node, node->shape);
    if (n.side_by_side) {
        open_groups(out, &n);
        emit_common(out, &n);
        emit_dx(out, &n);
        close_groups(out, &n);
    } else {
        line(out, "for (int i = 0; i < rows; i++) {");
        emit_dx_by_channel(out, &n);
    }
    emit_row_steps(out, graph, node);
    line(out, "}");
}
