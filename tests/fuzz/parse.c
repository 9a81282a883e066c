// parse.c: a libFuzzer target: any text gets through the front end without a crash, a leak that
// grows, or more than a moment.
//
//   clang -g -O1 -fsanitize=fuzzer,address,undefined ... tests/fuzz/parse.c
//   build/fuzz/parse -max_len=4096 -timeout=1 -close_fd_mask=2 tests/parse
//
// A first line `# args: -D width=50` gives overrides, as in the golden tests, so that these are
// fuzzed with it.
#include "../../compiler/netc.h"

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
