// manual.h: docs/language.md as blocks of text; the build puts it into netc.
#ifndef MANUAL_H
#define MANUAL_H

#include "language.h"

extern const char *const manual_lines[]; // made of docs/language.md; ends with NULL

typedef enum {
    BLOCK_HEADING,
    BLOCK_PARAGRAPH,
    BLOCK_ITEM,    // of a list; `mark` is "-" or "1."
    BLOCK_TABLE,   // lines are rows, without the rule under the first
    BLOCK_FORMULA, // indented lines
    BLOCK_EXAMPLE, // fenced lines; `mark` says what of: "net", "net error", "text", …
} BlockKind;

typedef struct {
    BlockKind kind;
    int level; // of a heading, from 1
    const char *mark;
    const char *text;         // of a heading, a paragraph or an item: in one line
    const char *const *lines; // of the others
    int line_count;
} Block;

typedef struct {
    const Block *blocks;
    int count;
} Blocks;

Blocks manual_blocks(void);
// The blocks under the heading `name`, this included, up to the next of its level; case doesn't
// matter. None where there is no such heading.
Blocks manual_section(const char *name);
Words manual_names(void); // of the headings
// One row of a table: its cells, at most `most` of them; returns their number.
int table_cells(const char *row, const char **cells, int most);

// Markdown's marks in a line of text become these characters, which no text has.
enum { CODE_ON = 1, CODE_OFF, STRONG_ON, STRONG_OFF };
const char *inline_marks(const char *text);

#endif
