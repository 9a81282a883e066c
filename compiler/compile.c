// compile.c: the passes in their order.
//
//   .net text
//     | parse        net.l, net.y      statements as written
//     | resolve      resolve.c         checked against statements.def; params, overrides, defaults
//     | lower        lower.c, shape.c  two graphs of operations: a training step and inference
//     | bias         bias.c            biases that batch normalisation takes away again
//     | slice        slice.c           the first layer, cut along its inputs
//     | grad         grad.c            backward nodes
//     | winograd     winograd.c        convolutions by fewer multiplications
//     | windows      window_panels.c   weights of the others as their tiles read them
//     | update       update.c          the optimizer's nodes
//     | single       single.c          batches of one row: zeros are skipped
//     | ahead        ahead.c           and the first layer works for several steps at a time
//     | panels       panels.c          weights as the tiles read them
//     | chunk        chunk.c           large batches: what runs for each chunk of rows
//     | fuse         fuse.c            rewrites; elementwise ops join the loops of others
//     | gaps         gaps.c            matrices whose rows begin with a line of the cache
//     | zeros        zeros.c           products of pictures that leave out zeros
//     | schedule     schedule.c        blocks of rows, parts of tensors, phases between barriers
//     | in place     in_place.c        results that take the place of an input
//     | plan         plan.c            places in the arena
//     | emit         emit*.c           the C file
//     v cc           build.c           the binary
#include "command.h"
#include "passes.h"

#include <string.h>

const char *const pass_names[] = {"ast", "lower", "grad", "fuse", "schedule", "plan", "all", NULL};

static bool wants_dump(const Options *o, const char *pass)
{
    return o->dump && (!strcmp(o->dump, pass) || !strcmp(o->dump, "all"));
}

static void after(const Options *o, const Graph *graph, const char *pass)
{
    verify(graph, pass);
    if (wants_dump(o, pass))
        graph_dump(graph, pass, stdout);
}

static void run_passes(const Options *o, Graph *graph, bool trains)
{
    if (trains) {
        drop_biases(graph);
        skip_zero_rows(graph);
        slice_first_layer(graph);
    } else {
        use_winograd(graph);
        lay_out_windows(graph);
        adopt_layouts(graph);
    }
    graph->forward_count = graph->count;
    after(o, graph, "lower");
    if (trains) {
        differentiate(graph);
        use_winograd(graph);
        lay_out_windows(graph);
        add_updates(graph);
        update_at_places(graph);
        update_on_the_way(graph);
        work_ahead(graph);
        lay_out_panels(graph);
        after(o, graph, "grad");
    }
    cut_into_chunks(graph);
    fuse(graph);
    leave_gaps(graph);
    skip_zeros(graph);
    after(o, graph, "fuse");
    schedule(graph);
    replace_inputs(graph);
    after(o, graph, "schedule");
    plan(graph);
    after(o, graph, "plan");
}

const Program *program_of(const Options *o, const Source *source)
{
    const Statement *const statements = parse(source);
    if (wants_dump(o, "ast"))
        ast_dump(statements, stdout);
    const Overrides overrides = {o->defines.items, o->defines.count, o->sets.items, o->sets.count};
    const Program *const program = resolve(source, statements, &overrides);
    return error_count() ? NULL : program;
}

const Program *read_program(const Options *o)
{
    const Source *const source = source_read(o->paths.items[0]);
    return source ? program_of(o, source) : NULL;
}

static Network *lower_program(const Options *o, const Program *program)
{
    const CodeOptions options = {.target = target_named(o->target),
                                 .doubles = o->precision && !strcmp(o->precision, "f64"),
                                 .blas = o->gemm && !strcmp(o->gemm, "blas"),
                                 .direct = o->conv && !strcmp(o->conv, "direct"),
                                 .auto_gemm = o->gemm && !strcmp(o->gemm, "auto"),
                                 .tuned =
                                     read_choices(o->tuned, o->products.items, o->products.count)};
    if (error_count())
        return NULL;
    Network *const network = lower(program, &options);
    if (error_count())
        return NULL;
    network->identity = identity(network);
    return network;
}

Network *compile(const Options *o, const Program *program)
{
    Network *const network = lower_program(o, program);
    if (!network)
        return NULL;
    if (network->trains)
        run_passes(o, &network->train, true);
    run_passes(o, &network->infer, false);
    return fits_memory(network, o->max_mem) && !error_count() ? network : NULL;
}

Network *compile_again(const Options *o, const Program *program)
{
    messages_quiet(true);
    Network *const network = compile(o, program);
    messages_quiet(false);
    return network;
}

Network *compile_file(const Options *o)
{
    const Program *const program = read_program(o);
    return program ? compile(o, program) : NULL;
}

// `netc build x` of a file without an ending would put the program in its place.
bool spares_source(const Options *o, const char *output)
{
    const char *const source = o->paths.items[0];
    if (!output || !same_file(output, source))
        return true;
    error_at(E925, (Loc){0}, "'%s' would take the place of the network itself", output);
    note_at((Loc){0}, "name another file with '%s FILE'", output == o->plan ? "--plan" : "-o");
    return false;
}

Network *lower_file(const Options *o, bool gradients)
{
    const Program *const program = read_program(o);
    Network *const network = program ? lower_program(o, program) : NULL;
    if (network && network->trains) {
        Graph *const graph = &network->train;
        graph->forward_count = graph->count;
        if (gradients) {
            differentiate(graph);
            add_updates(graph);
            drop_dead(graph);
        }
        verify(graph, "grad");
    }
    return network;
}
