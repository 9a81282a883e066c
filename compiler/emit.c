// emit.c: the generated file, top to bottom: card, tensors, arena, layers, steps, tables.
//
// Its bytes depend on the network alone: no date, path, host or option; names come from roles; what
// would change everywhere when one layer changes stands in one table.
#include "emit.h"
#include "record.h"

#include <string.h>

// The parts of the file beside its layers, and what the list of contents says of them.
static const struct {
    const char *title, *about;
} parts[] = {
    {"sizes", "how a batch is cut into blocks of rows"},
    {"tensors that outlive a step", "weights, and what the optimizer remembers of them"},
    {"the arena", "where every other value of a step lies"},
    {"matrix products", "tiles for the processor, and a function for each shape"},
    {"the whole network", "train_step and infer, which call the functions above"},
    {"what the runtime is told", "tables of layers and tensors, and the model"},
};
typedef enum { SIZES, TENSORS, ARENA, PRODUCTS, WHOLE_NETWORK, TOLD } Part;

// How much of a title has room before some dashes: all, or what stands before its shapes, or before
// a blank.
static int heading_length(const char *title, int most)
{
    const char *const shapes = strstr(title, "   ");
    int length = (int)strlen(title);
    if (length <= most)
        return length;
    if (shapes)
        length = (int)(shapes - title);
    while (length > 0 && (length > most || (title[length] && title[length] != ' ')))
        length--;
    return length;
}

// Dashes to column 100. What of a title has no room stands below them.
static void rule(Out *out, const char *title)
{
    enum { MOST_DASHES = 92 };
    const int length = heading_length(title, MOST_DASHES - 1);
    const char *const rest = title + length + strspn(title + length, " ");
    Text dashes = {0};
    for (int i = length; i < MOST_DASHES; i++)
        text_put(&dashes, "-", 1);
    raw(out, "// --- %.*s %s\n", length, title, dashes.text);
    if (*rest)
        raw(out, "%s\n", comment_text(0, rest));
    blank_line(out);
}

static void part_rule(Out *out, Part part) { rule(out, parts[part].title); }

// --- the card -----------------------------------------------------------------------------------

static void emit_contents(Out *out, const Network *network)
{
    raw(out, "// Contents, each part behind a line of dashes:\n");
    for (Part part = SIZES; part <= PRODUCTS; part++)
        raw(out, "//   %-30s%s\n", parts[part].title, parts[part].about);
    const char *const last = network->cards[network->card_count - 1].name;
    raw(out, "//   %-29s %s\n", format("input, ... %s", last),
        network->trains ? "each layer: forward, backward, update" : "each layer");
    if (network->trains)
        raw(out, "//   %-30s%s\n", "loss", "the loss, its gradient, and the answer");
    else
        raw(out, "//   %-30s%s\n", "the answer", "the class that is most probable");
    for (Part part = WHOLE_NETWORK; part <= TOLD; part++)
        raw(out, "//   %-30s%s\n", parts[part].title, parts[part].about);
    raw(out, "\n");
}

static const char *card_row(const char *name, const char *statement, const char *output,
                            const char *parameters)
{
    return format("//   %-16s %-34s %-14s %s", name, statement, output, parameters);
}

// A statement that would reach the next column has lines of its own.
static void emit_card_row(Out *out, const char *name, const char *statement, const char *output,
                          const char *parameters)
{
    enum { MOST_COLUMNS = 100, COLUMNS_OF_STATEMENT = 34 };
    const char *row = card_row(name, statement, output, parameters);
    if (text_columns(row) > MOST_COLUMNS || text_columns(statement) > COLUMNS_OF_STATEMENT) {
        const char *const next = format("//   %-16s ", "");
        raw(out, "%s\n", words_in_lines(format("//   %-16s ", name), next, statement));
        row = card_row("", "", output, parameters);
    }
    raw(out, "%s\n", row);
}

static void emit_card(Out *out, const Network *network)
{
    const Program *const program = network->program;
    comment(out, "%s: a network compiled by netc into the C that trains it.", program->name);
    raw(out, "//\n");
    emit_card_row(out, "layer", "statement", "output", "parameters");
    raw(out, "//   %-16s %-34s %s\n", "input", clause_text(program->input),
        shape_text(network->infer.nodes[0].shape));
    long parameters = 0;
    for (int i = 0; i < network->card_count; i++) {
        const Card *const card = &network->cards[i];
        emit_card_row(out, card->name, clause_text(card->clause), shape_text(card->out),
                      format("%ld", card->parameters));
        parameters += card->parameters;
    }
    emit_card_row(out, "", "", "", format("%ld", parameters));
    raw(out, "//\n");
    raw(out,
        "// In the functions of a layer x is what it reads and y what it makes, w and b are "
        "weights, "
        "i is a\n"
        "// row of the batch, and dx is the gradient of the mean loss by x. Above each stands its "
        "formula.\n//\n");
    emit_contents(out, network);
}

// --- tensors ------------------------------------------------------------------------------------

// How a tensor's numbers begin; NULL where nobody asks: what the optimizer remembers is 0.
static const char *first_values(const Tensor *t)
{
    if (t->why || !t->init)
        return t->why;
    if (t->scale == 0)
        return t->role == ROLE_OPTIMIZER ? NULL : "zeros";
    return t->scale == 1 ? "ones" : number_text(t->scale);
}

static void emit_tensors(Out *out, const Network *network)
{
    static const char *const titles[] = {
        "weights, which training changes, and what they are at first",
        "states, which follow the training", "what the optimizer remembers",
        "weights as products read them: in panels, exchanged, windows turned round or transformed",
        "changes by the last 2 STEPS steps, some of which the weights have still to get"};
    part_rule(out, TENSORS);
    for (int role = ROLE_WEIGHT; role <= ROLE_CHANGES; role++) {
        bool titled = false;
        for (int i = 0; i < network->tensor_count; i++) {
            const Tensor *const t = &network->tensors[i];
            if (t->role != role)
                continue;
            if (!titled)
                comment(out, "%s", titles[role]);
            titled = true;
            if (t->shape.panel_rows)
                comment(out, "%s in %s", shape_text(t->shape), panels_text(network, t->shape));
            if (t->panels)
                comment(out, "%s in panels of %d columns", shape_text(t->shape),
                        panel_columns(network));
            if (t->line)
                comment(out, "%s, with rows %d numbers apart", shape_text(t->shape), t->line);
            const char *const first = first_values(t);
            line(out, "static _Alignas(64) %s %s%s;%s", real_type(network), t->name,
                 dims_text(with_gaps(t->shape, t->line)), first ? format(" // %s", first) : "");
        }
        if (titled)
            blank_line(out);
    }
}

// --- layers -------------------------------------------------------------------------------------

typedef struct {
    const char *name, *text;
} Function;

typedef struct {
    Function *list;
    int count, capacity;
} Functions;

// Adds a node's function unless the same is there; inference shares training's where they are
// equal.
static void add_function(Out *out, Functions *functions, const Graph *graph, Node *node)
{
    const char *name = function_name(node), *text = function_text(graph, node);
    for (int i = 0; i < functions->count; i++) {
        const Function *const f = &functions->list[i];
        if (strcmp(f->name, name))
            continue;
        if (!strcmp(f->text, text))
            return;
        if (graph == &graph->network->train || !strcmp(node->suffix, "infer"))
            bug("two functions are called '%s'", f->name);
        node->suffix = "infer";
        name = function_name(node);
        text = function_text(graph, node);
        i = -1;
    }
    if (functions->count == functions->capacity)
        bug("more functions than nodes");
    functions->list[functions->count++] = (Function){name, text};
    if (strcmp(node->suffix, "infer"))
        emit_conv_helpers(out, graph, node);
    raw(out, "%s\n", text);
}

static void emit_layer(Out *out, Network *network, Functions *functions, const char *layer)
{
    Graph *const graphs[] = {&network->train, &network->infer};
    for (int g = !network->trains; g < 2; g++)
        for (int i = 0; i < graphs[g]->count; i++) {
            Node *const node = &graphs[g]->nodes[i];
            if (has_function(node) && !strcmp(node->layer, layer))
                add_function(out, functions, graphs[g], node);
        }
}

static void emit_layers(Out *out, Network *network)
{
    Functions functions = {.capacity = network->train.count + network->infer.count};
    functions.list = allocate((size_t)functions.capacity * sizeof(Function));
    rule(out, format("input: %s", clause_text(network->program->input)));
    emit_layer(out, network, &functions, "input");
    for (int i = 0; i < network->card_count; i++) {
        const Card *const card = &network->cards[i];
        Out body = {.network = network};
        emit_layer(&body, network, &functions, card->name);
        if (!body.text.length)
            continue;
        rule(out, format("%s: %s   %s -> %s", card->name, clause_text(card->clause),
                         shape_text(card->in), shape_text(card->out)));
        text_put(&out->text, body.text.text, body.text.length);
    }
    rule(out, network->trains ? format("%s, and the answer", clause_text(network->program->loss))
                              : "the answer");
    emit_layer(out, network, &functions, "output");
    emit_layer(out, network, &functions, "loss");
}

// --- tables -------------------------------------------------------------------------------------

const char *c_string(const char *text)
{
    Text out = {0};
    text_add(&out, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            text_add(&out, "\\%c", *c);
        else if (*c < ' ' || *c == 0x7f)
            text_add(&out, "\\%03o", *c);
        else if (*c == '?')
            text_add(&out, "\\?"); // no trigraphs
        else
            text_put(&out, (const char *)c, 1);
    }
    text_add(&out, "\"");
    return out.text;
}

static void emit_layer_table(Out *out, const Network *network)
{
    line(out, "static const NnLayer layers[] = {");
    for (int i = 0; i < network->card_count; i++) {
        const Card *const card = &network->cards[i];
        line(out, "{\"%s\", %s, \"%s\", %ld, %.0f},", card->name,
             c_string(clause_text(card->clause)), shape_text(card->out), card->parameters,
             layer_multiply_adds(network, card->name));
    }
    line(out, "};");
    blank_line(out);
}

static void emit_tensor_table(Out *out, const Network *network)
{
    static const char *const roles[] = {"NN_WEIGHT", "NN_STATE", "NN_OPTIMIZER"};
    line(out, "static const NnTensor tensors[] = {");
    for (int i = 0; i < network->tensor_count; i++) {
        const Tensor *const t = &network->tensors[i];
        if (!is_saved(t))
            continue;
        Text dims = {0};
        for (int d = 0; d < t->shape.count; d++)
            text_add(&dims, "%s%d", d ? ", " : "", t->shape.dims[d]);
        const Node *const gradient =
            network->doubles && t->gradient >= 0 ? &network->train.nodes[t->gradient] : NULL;
        const int rows = t->shape.panel_rows;
        const Panels p = rows ? panels_of(network, rows, t->shape.dims[1]) : (Panels){0};
        const char *const layout =
            rows      ? format("%d, %d, %d, %d, 0", rows, p.width, p.last, p.whole)
            : t->line ? format(".line = %d", t->line)
                      : "0";
        const char *const list =
            format("\"%s\", %s, {%s}, %s, %s, %s, %.9g, {%s}", t->key ? t->key : t->name,
                   roles[t->role], dims.text, t->name,
                   gradient ? format("WHOLE(%s)", gradient->name) : "NULL", t->init, t->scale,
                   layout);
        line(out, "{%s},", list);
    }
    line(out, "};");
    blank_line(out);
}

// Where a tensor and its average stand in the table of tensors.
static void emit_averages(Out *out, const Network *network)
{
    int *const places = allocate((size_t)network->tensor_count * sizeof *places), place = 0;
    for (int i = 0; i < network->tensor_count; i++)
        places[i] = is_saved(&network->tensors[i]) ? place++ : -1;
    Text list = {0};
    for (int i = 0; i < network->tensor_count; i++)
        if (network->tensors[i].average_of >= 0)
            text_add(&list, "%s{%d, %d}", list.length ? ", " : "",
                     places[network->tensors[i].average_of], places[i]);
    if (!list.length)
        return;
    line(out, "static const NnAverage averages[] = {%s};", list.text);
    blank_line(out);
}

static void emit_source(Out *out, const Network *network)
{
    line(out, ".source =");
    out->depth++;
    Text current = {0};
    text_add(&current, "%s", "");
    for (const char *c = record_text(network); *c; c++) {
        if (*c == '\r')
            continue;
        text_put(&current, c, 1);
        if (*c == '\n' || !c[1]) {
            line(out, "%s%s", c_string(current.text), c[1] ? "" : ",");
            current = (Text){0};
        }
    }
    out->depth--;
}

enum { MOST_THREADS = 64 };

// Room for the few arrays that functions have at a time; 0: what a stack has by itself is enough.
static double stack_bytes(const Network *network)
{
    enum { ENOUGH = 1 << 16, ARRAYS = 4 };
    const double bytes = network->largest_local * (network->doubles ? 8 : 4);
    return bytes <= ENOUGH ? 0 : ARRAYS * bytes;
}

// Whether the outputs of classes are any numbers, and no probabilities.
static bool ends_in_scores(const Network *network)
{
    const Node *const n = &network->infer.nodes[network->output];
    const Op last = n->step_count ? n->steps[n->step_count - 1].op : n->op;
    return network->classes && last != OP_softmax && last != OP_sigmoid;
}

static void emit_model(Out *out, const Network *network)
{
    const Program *const p = network->program;
    const Shape picture = network->picture;
    const Cost cost = network_cost(network);
    line(out, "const NnModel nn_model = {");
    line(out, ".name = %s,", c_string(p->name));
    emit_source(out, network);
    if (links_blas(network))
        line(out, ".blas_kernels = NN_BLAS_KERNELS,");
    line(out, ".fingerprint = \"%016llx\",", (unsigned long long)network->identity);
    line(out, ".type = %s, .vector_bytes = NN_VECTOR_BYTES,",
         network->doubles ? "NN_F64" : "NN_F32");
    line(out, ".height = %d, .width = %d, .channels = %d,", picture.dims[0], picture.dims[1],
         picture.dims[2]);
    const Shape output = network->infer.nodes[network->output].shape;
    line(out, ".outputs = %ld, .classes = %d,%s", shape_size(output), network->classes,
         network->targets ? format(" .targets = %d,", network->targets) : "");
    if (ends_in_scores(network))
        line(out, ".scores = true,");
    const char *const range = network->targets ? target_range(p) : NULL;
    if (range)
        line(out, ".target_range = %s,", range);
    if (network->targets && output.count == 3)
        line(out, ".target_shape = {%d, %d, %d},", output.dims[0], output.dims[1], output.dims[2]);
    emit_data(out, network);
    if (network->trains && works_ahead(&network->train))
        line(out, ".ahead = STEPS,");
    if (stack_bytes(network) > 0)
        line(out, ".stack_bytes = %.0f,", stack_bytes(network));
    line(out, ".batch = BATCH, .blocks = BLOCKS, .epochs = %.0f, .seed = %.0f, .rate = %s,",
         setting_number(p->epochs, "count"), setting_number(p->seed, "number"),
         number_text(network->trains ? setting_number(p->optimizer, "lr") : 0));
    if (network->trains && any_skips(&network->train))
        line(out, ".enough_zeros = %s,", number_text(enough_zeros(network)));
    emit_rate(out, p);
    line(out, ".loss = \"%s\", .optimizer = \"%s\",",
         p->loss ? setting_word(p->loss, "kind") : "none",
         network->trains ? setting_word(p->optimizer, "kind") : "none");
    // one block of rows is not shared out: the threads would only meet
    line(out, ".threads = %d,", network->blocks > 1 ? MOST_THREADS : 1);
    line(out, ".layers = layers, .layer_count = %d,", network->card_count);
    line(out, ".tensors = tensors, .tensor_count = sizeof tensors / sizeof *tensors,");
    if (network->averages)
        line(out, ".averages = averages, .average_count = %d,", network->averages);
    line(out, ".parameters = %ld,", cost.parameters);
    line(out, ".arena_bytes = ARENA_BYTES, .weight_bytes = %.0f, .optimizer_bytes = %.0f,",
         cost.weight_bytes, cost.optimizer_bytes);
    line(out, ".operations_forward = %.0f, .operations_backward = %.0f, .operations_update = %.0f,",
         cost.forward, cost.backward, cost.update);
    if (network->trains)
        line(out, ".train_step = train_step, .profiled = NN_PROFILED,");
    if (network->trains)
        line(out, ".calls = calls, .call_count = sizeof calls / sizeof *calls,");
    if (network->trains && network->doubles)
        line(out, ".gradient_step = gradient_step,");
    if (has_derived(network))
        line(out, ".prepare = prepare,");
    line(out, ".infer = infer,");
    line(out, ".output = WHOLE(infer_%s),%s", network->infer.nodes[network->output].name,
         network->predicted >= 0 ? " .predicted = WHOLE(infer_predicted)," : "");
    if (network->trains)
        line(out, ".first_nonfinite = first_nonfinite,");
    line(out, "};");
}

static void emit_includes(Out *out, const Network *network)
{
    if (links_blas(network))
        line(out, "#include <cblas.h>  // the matrix products");
    line(out, "#include <math.h>   // sqrt, pow");
    line(out, "#include <string.h> // memcpy, memset");
    blank_line(out);
    line(out, "#include \"nn.h\" // the team of threads, random numbers, exp and log in vectors");
    if (network->trains && network->train.nodes[0].op == OP_augmented)
        line(out, "#include \"nn_augment.h\" // random changes of pictures");
    blank_line(out);
}

// `body`: the functions below, by which it is known what they call.
static void emit_sizes(Out *out, const Network *network, const char *body)
{
    part_rule(out, SIZES);
    comment(out,
            "A batch is worked on in blocks of rows; the last batch of an epoch may be smaller.");
    line(out, "enum { BATCH = %d, ROWS = %d, BLOCKS = %d };",
         (int)setting_number(network->program->batch, "size"), network->block_rows,
         network->blocks);
    if (uses_chunks(network)) {
        const int slots = network->blocks / network->chunks;
        comment(out, "One chunk of blocks after the other: what they need stays in the cache.");
        line(out, "enum { CHUNKS = %d, SLOTS = %d, CHUNK = SLOTS * ROWS };", network->chunks,
             slots);
    }
    if (strstr(body, "STEPS")) {
        comment(out, "In the first of so many steps the first layer changes its weights for those "
                     "before, and multiplies the pictures of all of them.");
        line(out, "enum { STEPS = %d };", STEPS_AHEAD);
    }
    if (strstr(body, "rows_of_chunk(")) {
        blank_line(out);
        comment(out, "How many rows a chunk has in this batch, none behind its end.");
        line(out, "static int rows_of_chunk(int chunk, const NnBatch *batch)");
        line(out, "{");
        line(out, "return nn_max(0, nn_min(batch->rows - chunk * CHUNK, CHUNK));");
        line(out, "}");
    }
    blank_line(out);
    comment(out, "How many rows the block that starts at row `first` has in this batch.");
    line(out, "static int rows_from(int first, const NnBatch *batch)");
    line(out, "{");
    line(out, "const int rows = batch->rows - first;");
    line(out, "return rows < 0 ? 0 : nn_min(rows, ROWS);");
    line(out, "}");
    blank_line(out);
}

// needs: both graphs scheduled and planned. Returns the text of the C file.
const char *emit_c(Network *network)
{
    Out body = {.network = network};
    emit_layers(&body, network);
    part_rule(&body, WHOLE_NETWORK);
    if (has_derived(network))
        emit_prepare(&body, network->trains ? &network->train : &network->infer);
    if (network->trains)
        emit_train_step(&body, &network->train);
    if (network->trains && network->doubles)
        emit_gradient_step(&body, &network->train);
    emit_infer(&body, &network->infer);
    if (network->trains)
        emit_first_nonfinite(&body, &network->train);
    part_rule(&body, TOLD);
    emit_layer_table(&body, network);
    emit_tensor_table(&body, network);
    emit_averages(&body, network);
    if (network->trains)
        emit_calls(&body, &network->train);
    emit_model(&body, network);

    Out products = {.network = network};
    part_rule(&products, PRODUCTS);
    emit_products(&products, body.text.text);
    Out out = {.network = network};
    emit_card(&out, network);
    emit_includes(&out, network);
    emit_sizes(&out, network, body.text.text);
    emit_tensors(&out, network);
    part_rule(&out, ARENA);
    emit_arena(&out, network);
    text_put(&out.text, products.text.text, products.text.length);
    text_put(&out.text, body.text.text, body.text.length);
    return out.text.text;
}
