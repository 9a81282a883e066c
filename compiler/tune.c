// tune.c: `netc build --tune`: measures, on this machine, how each matrix product of a network is
// made fastest, and remembers it.
//
// For each candidate, a shape of tiles or BLAS, a program is built that times all products of the
// network that were not measured before. The winners are appended to a file of lines that
// read_choices() reads (choice.c), one file for each pair of a processor and a C compiler.
#include "build.h"
#include "child.h"
#include "command.h"
#include "emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- the file -----------------------------------------------------------------------------------

static const char *processor(void)
{
    FILE *const file = fopen("/proc/cpuinfo", "r");
    const char *name = "unknown processor";
    char text[500];
    while (file && fgets(text, sizeof text, file)) {
        const char *const colon = strchr(text, ':');
        if (colon && starts_with(text, "model name")) {
            text[strcspn(text, "\n")] = '\0';
            name = format("%s", colon + 1 + strspn(colon + 1, " "));
            break;
        }
    }
    if (file)
        fclose(file);
    return name;
}

// The path of this machine's file, which exists; NULL after an error.
const char *tuned_path(void)
{
    const char *const cache = getenv("XDG_CACHE_HOME"), *const home = getenv("HOME");
    const char *const folder = cache && *cache ? format("%s/netc", cache)
                               : home && *home ? format("%s/.cache/netc", home)
                                               : "./.cache/netc";
    const char *const compiler = c_compiler();
    const char *const flags = getenv("NETC_CFLAGS");
    const char *const machine =
        format("# %s; %.*s%s%s\n", processor(), (int)strcspn(compiler, "\n"), compiler,
               flags && *flags ? "; " : "", flags ? flags : "");
    const uint64_t hash = hash_bytes(hash_start, machine, strlen(machine));
    const char *const path = format("%s/tuned-%016llx.txt", folder, (unsigned long long)hash);
    if (!make_folders(folder))
        return NULL;
    FILE *const file = fopen(path, "a");
    if (!file) {
        error_at(E910, (Loc){0}, "cannot write '%s': %s", path, strerror(errno));
        return NULL;
    }
    if (ftell(file) == 0)
        fputs(machine, file);
    fclose(file);
    return path;
}

bool remember(const char *path, const Choice *choices, int count)
{
    FILE *const file = fopen(path, "a");
    for (int i = 0; file && i < count; i++)
        if (choices[i].seconds > 0)
            fprintf(file, "%s  # %.3g us\n", choice_text(&choices[i]), 1e6 * choices[i].seconds);
    if (!file || fclose(file) != 0) {
        error_at(E910, (Loc){0}, "cannot write '%s': %s", path, strerror(errno));
        return false;
    }
    return true;
}

// --- the programs -------------------------------------------------------------------------------

// A BLAS call under the name of the tiles' function.
static void emit_blas_product(Out *out, const Product *p)
{
    const bool outer = is_outer(p);
    raw(out, "static void %s(%s, const void *a, const void *b, void *c%s)\n{\n", product_name(p),
        outer ? "int from, int to, int terms" : "int rows",
        p->form == OUTER_IN_PANELS ? ", int high, int row, const void *change, bool add"
        : outer || p->adds         ? ", bool add"
                                   : "");
    if (p->form == OUTER_IN_PANELS)
        raw(out, "    (void)high, (void)row, (void)change;\n");
    raw(out, "    cblas_%cgemm(CblasRowMajor, ", out->network->doubles ? 'd' : 's');
    if (outer)
        raw(out, "CblasTrans, CblasNoTrans, to - from, %d, terms, 1, a, %d, b, %d, add, c, %d);\n",
            p->columns, p->a_line, p->b_line, p->columns);
    else
        raw(out, "CblasNoTrans, CblasNoTrans, rows, %d, %d, 1, a, %d, b, %d, %s, c, %d);\n",
            p->columns, p->terms, p->a_line, p->b_line, p->adds ? "add" : "0", p->c_line);
    raw(out, "}\n");
}

static const char *const timer[] = {
    "static double now(void)",
    "{",
    "    struct timespec t;",
    "    clock_gettime(CLOCK_MONOTONIC, &t);",
    "    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;",
    "}",
    "static void *memory(size_t numbers)",
    "{",
    "    REAL *const m = aligned_alloc(64, (numbers * sizeof(REAL) + 63) / 64 * 64);",
    "    for (size_t i = 0; m && i < numbers; i++)",
    "        m[i] = (REAL)(i % 7) / 8;",
    "    return m ? m : (exit(1), NULL);",
    "}",
    "#define TIME(index, call)                                                   \\",
    "    do {                                                                    \\",
    "        double best = 1e30;                                                 \\",
    "        for (int round = 0; round < 7; round++) {                           \\",
    "            const double start = now();                                     \\",
    "            double seconds;                                                 \\",
    "            long calls = 0;                                                 \\",
    "            do {                                                            \\",
    "                call;                                                       \\",
    "                calls++;                                                    \\",
    "            } while ((seconds = now() - start) < 2e-3);                     \\",
    "            best = seconds / (double)calls < best ? seconds / (double)calls : best; \\",
    "        }                                                                   \\",
    "        printf(\"%d %.9g\\n\", index, best);                                \\",
    "    } while (0)",
};

static long larger(long a, long b) { return a > b ? a : b; }

// Rows of the batch that an outer product sums over at a time.
static int outer_terms(const Network *network)
{
    const int chunks = network->chunks > 1 ? network->chunks : 1;
    const int rows = network->block_rows * network->blocks / chunks;
    return rows > 0 ? rows : 1;
}

static const char *timing_program(Network *network, bool blas)
{
    Text calls = {0};
    long a = 1, b = 1, c = 1;
    for (int i = 0; i < network->product_count; i++) {
        const Product *const p = &network->products[i];
        const bool tuned = is_tiled(p) && !p->skips; // those have heights of their own
        if (!tuned || choice_of(network, p->form, p->terms, p->columns, p->rows))
            continue;
        const bool outer = is_outer(p);
        const long rows = outer ? outer_terms(network) : p->rows;
        a = larger(a, rows * p->a_line);
        b = larger(b, (outer ? rows : p->terms) * p->b_line);
        c = larger(c, (long)(outer ? p->terms : p->rows) * p->c_line);
        text_add(&calls, "    TIME(%d, %s(", i, product_name(p));
        if (p->form == OUTER_IN_PANELS)
            text_add(&calls, "0, %d, %ld, a, b, c, %d, 0, NULL, false));\n", p->rows, rows,
                     p->rows);
        else if (outer)
            text_add(&calls, "0, %d, %ld, a, b, c, false));\n", p->rows, rows);
        else
            text_add(&calls, "%d, a, b, c%s));\n", p->rows, p->adds ? ", false" : "");
    }
    if (!calls.length)
        return NULL;
    Out out = {.network = network};
    raw(&out, "#include <stdbool.h>\n#include <stdint.h>\n#include <stdio.h>\n"
              "#include <stdlib.h>\n#include <string.h>\n#include <time.h>\n"
              "#include \"nn_lanes.h\"\n");
    raw(&out, "%s#define REAL %s\n", blas ? "#include <cblas.h>\n" : "", real_type(network));
    raw(&out, "static inline int nn_min(int a, int b) { return a < b ? a : b; }\n");
    for (int i = 0; blas && i < network->product_count; i++)
        if (is_tiled(&network->products[i]) &&
            strstr(calls.text, format("%s(", product_name(&network->products[i]))))
            emit_blas_product(&out, &network->products[i]);
    if (!blas)
        emit_products(&out, calls.text);
    for (size_t i = 0; i < sizeof timer / sizeof *timer; i++)
        raw(&out, "%s\n", timer[i]);
    raw(&out, "int main(void)\n{\n");
    raw(&out, "    REAL *const a = memory(%ld), *const b = memory(%ld), *const c = memory(%ld);\n",
        a, b, c);
    raw(&out, "%s%s    return 0;\n}\n", blas ? "    openblas_set_num_threads(1);\n" : "",
        calls.text);
    return out.text.text;
}

// --- the measurement ----------------------------------------------------------------------------

// Better times of one candidate replace what `best` holds for a product.
static bool time_candidate(Network *network, const BuildOptions *options, Tiling tiling,
                           Choice *best)
{
    network->trial = tiling.blas ? NULL : &tiling;
    network->calls_blas = tiling.blas;
    const char *const text = timing_program(network, tiling.blas);
    network->trial = NULL;
    const char *const folder = temporary_folder();
    if (!folder)
        return false;
    const char *const binary = format("%s/tune", folder);
    const BuildOptions timing = {
        .target = options->target, .output = binary, .verbose = options->verbose};
    const char *const command[] = {binary, NULL};
    const char *times = build_binary(network, text, &timing) ? output_of(command) : NULL;
    const bool measured = times != NULL;
    unlink(binary);
    rmdir(folder);
    int index, length;
    double seconds;
    for (; times && sscanf(times, "%d %lf%n", &index, &seconds, &length) == 2; times += length) {
        const Product *const p = &network->products[index];
        Tiling resolved = tiling;
        if (!tiling.blas && !fits_panels(p, tiling))
            continue;
        if (!tiling.blas)
            resolved.rows = tile_rows(network, p, tiling);
        if (best[index].seconds == 0 || seconds < best[index].seconds)
            best[index] = (Choice){.form = p->form,
                                   .terms = p->terms,
                                   .columns = p->columns,
                                   .rows = p->rows,
                                   .doubles = network->doubles,
                                   .target = network->target,
                                   .tiling = resolved,
                                   .seconds = seconds};
    }
    return measured;
}

// needs: a network whose C was emitted, so that its products are known. Measures those that the
// file does not know and appends them; false after an error.
bool tune(Network *network, const BuildOptions *options, const char *path)
{
    const int most = most_tile_rows(network, 2);
    const Tiling candidates[] = {
        {.vectors = 2},
        {.vectors = 1},
        {.vectors = 3},
        {.vectors = 4},
        {.vectors = 2, .rows = most},
        {.vectors = 2, .rows = most > 4 ? most - 2 : most},
        {.vectors = 2, .rows = most / 2 + 1},
        {.blas = true},
    };
    if (!timing_program(network, true))
        return true; // all known
    Choice *const best = allocate(sizeof(Choice) * MAX_PRODUCTS);
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (!candidates[i].blas && most_tile_rows(network, candidates[i].vectors) < 1)
            continue;
        if (!time_candidate(network, options, candidates[i], best))
            return false;
    }
    return remember(path, best, network->product_count);
}
