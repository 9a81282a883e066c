// parse.c: a libFuzzer target: any text gets through the front end without a crash, a leak that
// grows, or more than a moment, and its canonical layout means the same.
//
//   clang -g -O1 -fsanitize=fuzzer,address,undefined ... tests/fuzz/parse.c
//   build/fuzz/parse -max_len=4096 -timeout=1 -close_fd_mask=2 tests/parse
//
// A first line `# args: -D width=50` gives overrides, as in the golden tests, so that these are
// fuzzed with it.
#include "fmt.h"
#include "language.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OVERRIDES = 8 };

typedef struct {
    const char *defines[MAX_OVERRIDES], *sets[MAX_OVERRIDES];
    int define_count, set_count;
} Arguments;

// The words behind `# args:`, without the shell's quoting.
static void read_arguments(const char *text, Arguments *to)
{
    static const char start[] = "# args: ";
    if (strncmp(text, start, sizeof start - 1) != 0)
        return;
    text += sizeof start - 1;
    const char *option = "";
    while (*text && *text != '\n') {
        text += strspn(text, " ");
        const size_t length = strcspn(text, " \n");
        const char *const word = format("%.*s", (int)length, text);
        text += length;
        if (!strcmp(option, "-D") && to->define_count < MAX_OVERRIDES)
            to->defines[to->define_count++] = word;
        if (!strcmp(option, "--set") && to->set_count < MAX_OVERRIDES)
            to->sets[to->set_count++] = word;
        option = word;
    }
}

static void same_exprs(const Expr *a, const Expr *b)
{
    for (; a || b; a = a->next, b = b->next) {
        if (!a || !b || a->kind != b->kind || a->word != b->word || a->op != b->op ||
            a->number != b->number || a->percent != b->percent || a->dim_count != b->dim_count ||
            memcmp(a->dims, b->dims, sizeof a->dims) != 0)
            abort();
        same_exprs(a->left, b->left);
        same_exprs(a->right, b->right);
        same_exprs(a->items, b->items);
    }
}

static void same_statements(const Statement *a, const Statement *b)
{
    for (; a || b; a = a->next, b = b->next) {
        if (!a || !b || a->word != b->word)
            abort();
        same_exprs(a->items, b->items);
        const Body *x = a->bodies, *y = b->bodies;
        for (; x || y; x = x->next, y = y->next) {
            if (!x || !y)
                abort();
            same_statements(x->first, y->first);
        }
    }
}

// The canonical layout says the same, and is its own canonical layout.
static void check_layout(const Source *source, const Statement *statements)
{
    const char *const text = canonical_text(source);
    const Source *const again = source_of_text("fuzz.net", text);
    const Statement *const same = again ? parse(again) : NULL;
    if (!again || error_count())
        abort();
    same_statements(statements, same);
    if (strcmp(canonical_text(again), text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    char *const text = allocate(size + 1);
    memcpy(text, data, size);
    Arguments arguments = {0};
    read_arguments(text, &arguments);
    const Source *const source = source_of_text("fuzz.net", text);
    if (source) {
        const Statement *const statements = parse(source);
        ast_dump(statements, nowhere);
        if (!error_count())
            check_layout(source, statements);
        const Overrides overrides = {arguments.defines, arguments.define_count, arguments.sets,
                                     arguments.set_count};
        const Program *const program = resolve(source, statements, &overrides);
        if (!error_count())
            program_explain(program, nowhere);
    }
    messages_reset();
    memory_reset();
    return 0;
}
