// terminal.h: the manual's blocks on standard output.
#ifndef TERMINAL_H
#define TERMINAL_H

#include "manual.h"

bool is_terminal(void); // standard output, and one that may be given styles and colours
void print_blocks(Blocks blocks); // with empty lines between them
void print_block(const Block *block);
void print_title(const char *text);
void print_lines(const char *const *lines, int count, int indent);
// Text with Markdown's marks, from column `at` of the line on, the further lines behind `indent`.
void print_wrapped(const char *text, int indent, int at);

#endif
