// terminal.c: blocks of the manual on a terminal, in lines of its width; plain text elsewhere.
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MOST_COLUMNS = 100, MAX_CELLS = 6 };

bool is_terminal(void)
{
    const char *const refused = getenv("NO_COLOR"), *const terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(refused && *refused) && terminal && strcmp(terminal, "dumb");
}

static int columns(void)
{
    struct winsize size;
    const char *const wanted = getenv("COLUMNS");
    int width = wanted ? atoi(wanted) : 0;
    if (width <= 0 && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
        width = size.ws_col;
    if (width <= 0)
        width = 80;
    return width < 40 ? 40 : width > MOST_COLUMNS ? MOST_COLUMNS : width;
}

static const char *on_terminal(int mark)
{
    return mark == CODE_ON || mark == STRONG_ON ? "\033[1m" : "\033[0m";
}

static const char *in_text(int mark) { return mark == CODE_ON || mark == CODE_OFF ? "'" : ""; }

static const char *mark_text(int mark) { return is_terminal() ? on_terminal(mark) : in_text(mark); }

// Columns of text[0, length) with its marks, as printed.
static int width_of(const char *text, size_t length)
{
    int width = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] >= CODE_ON && text[i] <= STRONG_OFF)
            width += is_terminal() ? 0 : (int)strlen(in_text(text[i]));
        else
            width += (text[i] & 0xc0) != 0x80;
    return width;
}

static void print_marked(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] >= CODE_ON && text[i] <= STRONG_OFF)
            printf("%s", mark_text(text[i]));
        else
            putchar(text[i]);
}

void print_wrapped(const char *text, int indent, int at)
{
    const int width = columns();
    const char *marked = inline_marks(text);
    bool first = true;
    while (*marked) {
        const size_t length = strcspn(marked, " ");
        const int word = width_of(marked, length);
        if (!first && at + 1 + word > width) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        print_marked(marked, length);
        at += word;
        first = false;
        marked += length + strspn(marked + length, " ");
    }
    putchar('\n');
}

void print_title(const char *text)
{
    printf("%s%s%s\n", mark_text(STRONG_ON), text, mark_text(STRONG_OFF));
}

void print_lines(const char *const *lines, int count, int indent)
{
    for (int i = 0; i < count; i++)
        printf("%*s%s\n", *lines[i] ? indent : 0, "", lines[i]);
}

// --- tables -------------------------------------------------------------------------------------

typedef struct {
    const char *cell[MAX_CELLS];
    int count;
} TableRow;

static int cell_width(const char *cell)
{
    const char *const marked = inline_marks(cell);
    return width_of(marked, strlen(marked));
}

// Each row on lines of its own; for a table that is too wide.
static void print_tall_table(const TableRow *rows, int count)
{
    for (int i = 1; i < count; i++) {
        printf("  ");
        print_wrapped(rows[i].cell[0], 6, 2);
        for (int k = 1; k < rows[i].count; k++) {
            if (!*rows[i].cell[k])
                continue;
            const char *const head = k < rows[0].count ? rows[0].cell[k] : "";
            printf("      ");
            print_wrapped(format("%s%s%s", head, *head ? ": " : "", rows[i].cell[k]), 10, 6);
        }
    }
}

static void print_table(const Block *block)
{
    enum { LEAST_LAST = 20 };
    TableRow *const rows = allocate((size_t)block->line_count * sizeof *rows);
    int widths[MAX_CELLS] = {0}, last = 0, used = 2;
    for (int i = 0; i < block->line_count; i++) {
        rows[i].count = table_cells(block->lines[i], rows[i].cell, MAX_CELLS);
        for (int k = 0; k < rows[i].count; k++)
            if (cell_width(rows[i].cell[k]) > widths[k])
                widths[k] = cell_width(rows[i].cell[k]);
        if (rows[i].count - 1 > last)
            last = rows[i].count - 1;
    }
    for (int k = 0; k < last; k++)
        used += widths[k] + 2;
    if (used + (widths[last] < LEAST_LAST ? widths[last] : LEAST_LAST) > columns()) {
        print_tall_table(rows, block->line_count);
        return;
    }
    for (int i = 0; i < block->line_count; i++) {
        printf("  ");
        for (int k = 0; k < last && k < rows[i].count; k++) {
            const char *const marked = inline_marks(rows[i].cell[k]);
            print_marked(marked, strlen(marked));
            if (k + 1 < rows[i].count)
                printf("%*s", widths[k] + 2 - width_of(marked, strlen(marked)), "");
        }
        print_wrapped(last < rows[i].count ? rows[i].cell[last] : "", used, used);
    }
}

// --- blocks -------------------------------------------------------------------------------------

static void print_example(const Block *block)
{
    static const struct {
        const char *mark, *title;
    } titles[] = {{"net", "example"},        {"net layer", "example, in a network"},
                  {"net error", "wrong"},    {"net warning", "doubtful"},
                  {"console", "in a shell"}, {"sh", "in a shell"},
                  {"text", "netc says"}};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (!strcmp(titles[i].mark, block->mark))
            printf("%s:\n", titles[i].title);
    print_lines(block->lines, block->line_count, 4);
}

void print_block(const Block *block)
{
    switch (block->kind) {
    case BLOCK_HEADING: print_title(block->text); break;
    case BLOCK_PARAGRAPH: print_wrapped(block->text, 0, 0); break;
    case BLOCK_ITEM: {
        const int indent = (int)strlen(block->mark) + 1;
        printf("%s ", block->mark);
        print_wrapped(block->text, indent, indent);
        break;
    }
    case BLOCK_TABLE: print_table(block); break;
    case BLOCK_FORMULA: print_lines(block->lines, block->line_count, 4); break;
    case BLOCK_EXAMPLE: print_example(block); break;
    }
}

void print_blocks(Blocks blocks)
{
    for (int i = 0; i < blocks.count; i++) {
        const bool list =
            i && blocks.blocks[i].kind == BLOCK_ITEM && blocks.blocks[i - 1].kind == BLOCK_ITEM;
        if (i && !list)
            printf("\n");
        print_block(&blocks.blocks[i]);
    }
}
