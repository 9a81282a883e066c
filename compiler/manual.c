// manual.c: the Markdown of docs/language.md, as far as that uses it, cut into blocks.
#include "manual.h"

#include <string.h>
#include <strings.h>

static bool is_fence(const char *line) { return starts_with(line, "```"); }

static int heading_level(const char *line)
{
    const int level = (int)strspn(line, "#");
    return level && line[level] == ' ' ? level : 0;
}

// The length of `- ` or `1. `; 0 where the line starts no item.
static int item_length(const char *line)
{
    if (starts_with(line, "- "))
        return 2;
    const int digits = (int)strspn(line, "0123456789");
    return digits && starts_with(line + digits, ". ") ? digits + 2 : 0;
}

static BlockKind kind_of(const char *line)
{
    if (is_fence(line))
        return BLOCK_EXAMPLE;
    if (heading_level(line))
        return BLOCK_HEADING;
    if (item_length(line))
        return BLOCK_ITEM;
    if (*line == '|')
        return BLOCK_TABLE;
    return starts_with(line, "    ") ? BLOCK_FORMULA : BLOCK_PARAGRAPH;
}

static bool is_rule(const char *line) { return !line[strspn(line, "|-: ")]; }

static void add_line(Block *block, const char *line)
{
    // cut from a list of all lines of the manual: a block has no more of them
    ((const char **)(uintptr_t)block->lines)[block->line_count++] = line;
}

// Fills in the block that begins at `at`; returns the line behind it.
static const char *const *read_block(Block *block, const char *const *at, const char **room)
{
    block->kind = kind_of(*at);
    block->lines = room;
    if (block->kind == BLOCK_EXAMPLE) {
        block->mark = *at++ + 3;
        for (; *at && !is_fence(*at); at++)
            add_line(block, *at);
        return *at ? at + 1 : at;
    }
    if (block->kind == BLOCK_TABLE) {
        for (; *at && **at == '|'; at++)
            if (!is_rule(*at))
                add_line(block, *at);
        return at;
    }
    if (block->kind == BLOCK_FORMULA) {
        for (; *at && starts_with(*at, "    "); at++)
            add_line(block, *at + 4);
        return at;
    }
    block->level = heading_level(*at);
    const int skipped = block->level ? block->level + 1 : item_length(*at);
    block->mark = format("%.*s", skipped ? skipped - 1 : 0, *at);
    Text text = {0};
    text_add(&text, "%s", *at++ + skipped);
    for (; !block->level && *at && **at; at++) {
        const char *const line = *at + strspn(*at, " ");
        const BlockKind next = kind_of(line);
        if (next != BLOCK_PARAGRAPH)
            break;
        text_add(&text, " %s", line);
    }
    block->text = text.text;
    return at;
}

Blocks manual_blocks(void)
{
    static Blocks all;
    if (all.count)
        return all;
    int lines = 0;
    while (manual_lines[lines])
        lines++;
    Block *const blocks = allocate((size_t)lines * sizeof *blocks);
    const char **room = allocate((size_t)lines * sizeof *room);
    for (const char *const *at = manual_lines; *at;) {
        if (!**at) {
            at++;
            continue;
        }
        Block *const block = &blocks[all.count++];
        at = read_block(block, at, room);
        room += block->line_count;
    }
    all.blocks = blocks;
    return all;
}

// `weights file` is "The weights file".
static bool is_heading(const char *text, const char *name)
{
    return !strcasecmp(text, name) || (starts_with(text, "The ") && !strcasecmp(text + 4, name));
}

Blocks manual_section(const char *name)
{
    const Blocks all = manual_blocks();
    for (int i = 0; i < all.count; i++) {
        const Block *const heading = &all.blocks[i];
        if (heading->kind != BLOCK_HEADING || !is_heading(heading->text, name))
            continue;
        int end = i + 1;
        while (end < all.count &&
               (all.blocks[end].kind != BLOCK_HEADING || all.blocks[end].level > heading->level))
            end++;
        return (Blocks){heading, end - i};
    }
    return (Blocks){0};
}

Words manual_names(void)
{
    Words names = {0};
    const Blocks all = manual_blocks();
    for (int i = 0; i < all.count; i++)
        if (all.blocks[i].kind == BLOCK_HEADING && all.blocks[i].level > 1)
            words_add(&names, all.blocks[i].text);
    return names;
}

int table_cells(const char *row, const char **cells, int most)
{
    int count = 0;
    while (*row == '|' && row[1] && count < most) {
        row += 1 + strspn(row + 1, " ");
        Text cell = {0};
        text_put(&cell, "", 0);
        for (; *row && *row != '|'; row++) {
            row += starts_with(row, "\\|");
            text_put(&cell, row, 1);
        }
        while (cell.length && cell.text[cell.length - 1] == ' ')
            cell.text[--cell.length] = '\0';
        cells[count++] = cell.text;
    }
    return count;
}

const char *inline_marks(const char *text)
{
    Text out = {0};
    bool code = false, strong = false;
    for (const char *at = text; *at; at++) {
        if (*at == '`') {
            code = !code;
            text_add(&out, "%c", code ? CODE_ON : CODE_OFF);
        } else if (!code && starts_with(at, "**")) {
            strong = !strong;
            text_add(&out, "%c", strong ? STRONG_ON : STRONG_OFF);
            at++;
        } else if (!code && *at == '[' && strstr(at, "](") && !strchr(" \n", at[1])) {
            continue; // a link: its text follows
        } else if (!code && starts_with(at, "](")) {
            at += strcspn(at, ")");
        } else {
            text_put(&out, at, 1);
        }
    }
    return out.text ? out.text : "";
}
