// test_fuse.c: what nothing reads is dropped, and what was read by that alone.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "passes.h"

static int add(Graph *graph, Op op, int input)
{
    return node_add(graph, op, "layer", (Loc){0}, input < 0 ? 0 : 1, &input);
}

static void test_drop_dead(void **state)
{
    (void)state;
    Graph graph = {0};
    const int x = add(&graph, OP_picture, -1);
    const int shared = add(&graph, OP_relu, x);
    const int first = add(&graph, OP_tanh, shared), last = add(&graph, OP_sigmoid, first);
    const int kept = add(&graph, OP_relu, shared);
    graph.nodes[kept].kept = true;
    drop_dead(&graph);
    assert_true(graph.nodes[last].dead);  // nothing reads it
    assert_true(graph.nodes[first].dead); // only the last did
    assert_false(graph.nodes[shared].dead);
    assert_false(graph.nodes[kept].dead);
    assert_false(graph.nodes[x].dead);
    graph.nodes[kept].kept = false;
    drop_dead(&graph); // who was dead before reads nothing
    for (int i = 0; i < graph.count; i++)
        assert_true(graph.nodes[i].dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
