// choice.c: how a matrix product is made: by BLAS or by tiles, and by which tiles; and how a
// convolution, by windows, by planes or by transforms.
//
// A rule knows the registers and the caches; a file of measurements (tune.c), where one is named,
// knows better. Tiles of any shape add the same numbers in the same order: only BLAS, planes and
// transforms change bits.
#include "emit.h"

#include <string.h>

int most_tile_rows(const Network *network, int vectors)
{
    return (network->target->registers - vectors - 1) / vectors;
}

// --- the file -----------------------------------------------------------------------------------

// "x86-64-v4 f32 product 25 784 300 = tile 13 2  # 11.2 us": rows, terms and columns of the
// product, rows and vectors of the tile; or "= blas". "x86-64-v3 f32 convolution 28 28 5 5 1 6 1 =
// planes": lines and columns of the result, of the window, channels and outputs, and the stride
// from line to line; or "= windows", or "= winograd2" or "= winograd4", by the squares' side.
static const char *const way_words[CONV_WAYS] = {"windows", "planes", "winograd2", "winograd4"};

const char *choice_text(const Choice *c)
{
    const char *const type = c->doubles ? "f64" : "f32";
    const WindowProduct *const w = &c->window;
    if (c->convolution)
        return format("%s %s convolution %d %d %d %d %d %d %d = %s", c->target->name, type,
                      w->lines, w->columns, w->kernel[0], w->kernel[1], w->channels, w->outputs,
                      w->stride[0], way_words[c->way]);
    const char *const how =
        c->tiling.blas ? "blas" : format("tile %d %d", c->tiling.rows, c->tiling.vectors);
    return format("%s %s %s %d %d %d = %s", c->target->name, type, product_words[c->form], c->rows,
                  c->terms, c->columns, how);
}

static bool parse_convolution(const char *text, Choice *c)
{
    WindowProduct *const w = &c->window;
    char how[12];
    if (sscanf(text, "%d %d %d %d %d %d %d = %11s", &w->lines, &w->columns, &w->kernel[0],
               &w->kernel[1], &w->channels, &w->outputs, &w->stride[0], how) != 8)
        return false;
    c->convolution = true;
    while (c->way < CONV_WAYS && strcmp(how, way_words[c->way]) != 0)
        c->way++;
    return c->way < CONV_WAYS;
}

static bool parse_product(const char *text, const char *form, Choice *c)
{
    char how[8];
    int at = 0;
    if (sscanf(text, "%d %d %d = %7s %n", &c->rows, &c->terms, &c->columns, how, &at) != 4)
        return false;
    c->form = ROWS_BY_MATRIX;
    for (ProductForm f = ROWS_BY_MATRIX; f <= OUTER_IN_PANELS; f++)
        if (!strcmp(form, product_words[f]))
            c->form = f;
    if (strcmp(form, product_words[c->form]))
        return false;
    c->tiling = (Tiling){.vectors = 2, .blas = !strcmp(how, "blas")};
    if (c->tiling.blas)
        return true;
    return !strcmp(how, "tile") &&
           sscanf(text + at, "%d %d", &c->tiling.rows, &c->tiling.vectors) == 2 &&
           c->tiling.rows >= 1 && c->tiling.rows <= 64 && c->tiling.vectors >= 1 &&
           c->tiling.vectors <= 8;
}

static bool parse_choice(const char *text, Choice *c)
{
    char target[32], type[8], what[16];
    int at = 0;
    if (sscanf(text, "%31s %7s %15s %n", target, type, what, &at) != 3)
        return false;
    c->target = strcmp(target, "native") ? target_named(target) : NULL;
    c->doubles = !strcmp(type, "f64");
    if (!c->target || (!c->doubles && strcmp(type, "f32")))
        return false;
    return strcmp(what, "convolution") ? parse_product(text + at, what, c)
                                       : parse_convolution(text + at, c);
}

// Adds the choice that the text is where `*last` points to; returns where the next one goes.
static Choice **add_choice(Choice **last, const char *text, Loc loc)
{
    Choice *const choice = allocate(sizeof *choice);
    if (!parse_choice(text, choice)) {
        error_at(E936, loc,
                 "expected a measurement, as 'x86-64-v4 f32 product 25 784 300 = tile 13 2'"
                 ", found '%s'",
                 text);
        if (loc.source)
            note_at((Loc){0}, "without the line, or the file, '--tune' measures anew");
        return last;
    }
    *last = choice;
    return &choice->next;
}

// Of a file, NULL for none, and of single lines, which overrule it. Errors are printed.
Choice *read_choices(const char *path, const char *const *lines, int count)
{
    const Source *const source = path ? source_read(path) : NULL;
    Choice *choices = NULL, **last = &choices;
    for (int i = 0; source && i < source->line_count; i++) {
        const char *const start = source->text + source->line_starts[i];
        const int length = (int)strcspn(start, "\n");
        const char *const text = format("%.*s", length, start);
        if (text[strspn(text, " \t\r")] == '\0' || *text == '#')
            continue;
        const int at = source->line_starts[i];
        last = add_choice(last, text, (Loc){source, at, at + length});
    }
    for (int i = 0; i < count; i++)
        last = add_choice(last, lines[i], (Loc){0});
    return choices;
}

// --- the choice ---------------------------------------------------------------------------------

static bool is_for(const Choice *c, const Network *network)
{
    return c->doubles == network->doubles && c->target == network->target;
}

Choice *choice_of(const Network *network, ProductForm form, int terms, int columns, int rows)
{
    Choice *last = NULL;
    for (Choice *c = network->tuned; c; c = c->next)
        if (!c->convolution && c->form == form && c->terms == terms && c->columns == columns &&
            c->rows == rows && is_for(c, network))
            last = c;
    return last;
}

bool same_windows(const WindowProduct *a, const WindowProduct *b)
{
    return a->lines == b->lines && a->columns == b->columns && a->kernel[0] == b->kernel[0] &&
           a->kernel[1] == b->kernel[1] && a->channels == b->channels &&
           a->outputs == b->outputs && a->stride[0] == b->stride[0];
}

Choice *choice_of_window(const Network *network, const WindowProduct *window)
{
    Choice *last = NULL;
    for (Choice *c = network->tuned; c; c = c->next)
        if (c->convolution && same_windows(&c->window, window) && is_for(c, network))
            last = c;
    return last;
}

// Tiles read the matrix where it lies, BLAS copies it into panels first. That pays where no second
// cache holds the matrix: for outer products 1.1 times at 2048x2048 and 1.4 times at 4096x4096; for
// products of some 60 rows, which share a copy, 1.2 times at 2048x2048, but only where the rows of
// the matrix begin in the same sets of the cache, whole pages apart: at 3000x3000 tiles are as
// fast.
static bool blas_wins(const Network *network, ProductForm form, int terms, int columns, int rows)
{
    const double number = network->doubles ? 8 : 4, bytes = number * terms * columns;
    if (bytes < 12e6)
        return false;
    return form == OUTER_SUM || (rows >= 48 && (int)number * columns % 4096 == 0);
}

// What was measured of a product with its matrix in panels, where there is such.
static Choice *choice_in_panels(const Network *network, ProductForm form, int terms, int columns,
                                int rows)
{
    const ProductForm panels = form == ROWS_BY_MATRIX ? ROWS_BY_PANELS : OUTER_IN_PANELS;
    Choice *const measured = choice_of(network, panels, terms, columns, rows);
    if (measured)
        measured->used = true;
    return measured;
}

// Rows of the weights that a tile reads one behind the other lie far apart, and the caches bring
// them one by one; in a panel they lie end to end. That pays for a matrix that the first cache does
// not hold, and where several rows of the batch share what is read. A single panel would be the
// matrix itself.
bool takes_panels(const Network *network, int terms, int columns, int rows)
{
    enum { LEAST_NUMBERS = 8192, LEAST_BATCH = 32 };
    const Panels panels = panels_of(network, terms, columns);
    const bool single = columns <= panels.width || (panels.last == 0 && panels.whole == columns);
    if (network->blas || single)
        return false;
    const Choice *const measured = choice_in_panels(network, ROWS_BY_MATRIX, terms, columns, rows);
    if (measured)
        return !measured->tiling.blas;
    return network->block_rows * network->blocks >= LEAST_BATCH &&
           (long)terms * columns >= LEAST_NUMBERS &&
           !(network->auto_gemm && blas_wins(network, ROWS_BY_MATRIX, terms, columns, rows));
}

// BLAS reads and writes rows.
bool outer_takes_panels(const Network *network, int terms, int columns, int rows)
{
    const Choice *const measured = choice_in_panels(network, OUTER_SUM, terms, columns, rows);
    return measured ? !measured->tiling.blas
                    : !(network->auto_gemm && blas_wins(network, OUTER_SUM, terms, columns, rows));
}

bool takes_blas(Network *network, ProductForm form, int terms, int columns, int rows)
{
    Choice *measured = choice_of(network, form, terms, columns, rows);
    if (measured) {
        measured->used = true;
    } else {
        Choice *const panels = choice_in_panels(network, form, terms, columns, rows);
        measured = panels && panels->tiling.blas ? panels : NULL; // they lost to it
    }
    const bool blas =
        network->blas ||
        (measured ? measured->tiling.blas
                  : network->auto_gemm && blas_wins(network, form, terms, columns, rows));
    network->calls_blas |= blas;
    return blas;
}

bool links_blas(const Network *network) { return network->blas || network->calls_blas; }

// A tile is as wide as the panels that it reads or writes.
bool fits_panels(const Product *p, Tiling tiling)
{
    return !is_in_panels(p) || tiling.vectors == PANEL_VECTORS;
}

Tiling tiling_of(const Network *network, const Product *p)
{
    if (network->trial && fits_panels(p, *network->trial))
        return *network->trial;
    const Choice *const measured = choice_of(network, p->form, p->terms, p->columns, p->rows);
    const bool usable = measured && !measured->tiling.blas && fits_panels(p, measured->tiling);
    return usable ? measured->tiling : (Tiling){.vectors = PANEL_VECTORS};
}
