// cmd_manual.c: `netc manual netc.1` prints the manual page of the command, from the tables of
// commands and options; `netc manual netc.5` that of the language, from docs/language.md.
#include "command.h"
#include "manual.h"

#include <ctype.h>
#include <string.h>

enum { COLUMNS = 76, MAX_CELLS = 6 };

// --- roff ---------------------------------------------------------------------------------------

// Characters that mean something to roff, or that it would show as others than those of the
// keyboard.
static void add_escaped(Text *out, char c)
{
    static const struct {
        char c;
        const char *escape;
    } escapes[] = {{'\\', "\\e"},       {'-', "\\-"},        {'\'', "\\(aq"},   {'`', "\\(ga"},
                   {'^', "\\(ha"},      {'~', "\\(ti"},      {CODE_ON, "\\fB"}, {CODE_OFF, "\\fR"},
                   {STRONG_ON, "\\fI"}, {STRONG_OFF, "\\fR"}};
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (c == escapes[i].c) {
            text_add(out, "%s", escapes[i].escape);
            return;
        }
    text_put(out, &c, 1);
}

// A line that begins with a dot or a quote would be a request.
static void print_roff_line(const char *text, size_t length)
{
    Text out = {0};
    text_add(&out, "%s", length && strchr(".'", *text) ? "\\&" : "");
    for (size_t i = 0; i < length; i++)
        add_escaped(&out, text[i]);
    printf("%s\n", out.text);
}

// In lines of one width; roff breaks them anew.
static void print_roff(const char *marked)
{
    while (*marked) {
        size_t length = strcspn(marked, " ");
        for (;;) {
            const size_t space = strspn(marked + length, " ");
            const size_t word = strcspn(marked + length + space, " ");
            if (!word || length + space + word > COLUMNS)
                break;
            length += space + word;
        }
        print_roff_line(marked, length);
        marked += length + strspn(marked + length, " ");
    }
}

static void print_text(const char *markdown) { print_roff(inline_marks(markdown)); }

static const char *upper(const char *text)
{
    char *const out = format("%s", text);
    for (char *c = out; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return out;
}

static void print_head(const char *section, const char *about)
{
    printf("'\\\" t\n.\\\" made by netc: see docs/language.md, compiler/commands.def and "
           "compiler/options.def\n.TH NETC %s \"%s\" \"netc %s\"\n.SH NAME\nnetc \\- %s\n",
           section, NETC_DATE, NETC_VERSION, about);
}

// --- the command --------------------------------------------------------------------------------

static void print_synopsis(void)
{
    printf(".SH SYNOPSIS\n");
    for (const Command *c = next_command(NULL); c; c = next_command(c)) {
        printf(".B netc %s\n", c->name);
        if (*c->arguments)
            print_roff(c->arguments);
        printf(".RI [ options ]\n%s", next_command(c) ? ".br\n" : "");
    }
}

static void print_options(void)
{
    printf(".SH OPTIONS\n");
    for (const Option *o = next_option(NULL); o; o = next_option(o)) {
        printf(".TP\n");
        Text tag = {0};
        if (o->letter)
            text_add(&tag, "%c-%c%c, ", CODE_ON, o->letter, CODE_OFF);
        text_add(&tag, "%c%s%c%s%s", CODE_ON, o->name, CODE_OFF, *o->value ? " " : "", o->value);
        print_roff(tag.text);
        const Words choices = option_choices(o);
        print_text(format("%s.%s%s", o->about,
                          choices.count && !strchr(o->value, '|') ? " One of " : "",
                          choices.count && !strchr(o->value, '|')
                              ? format("%s.", join_words(choices.words, choices.count, "and"))
                              : ""));
        Text takers = {0};
        for (const Command *c = next_command(NULL); c; c = next_command(c))
            if (takes_option(c, o))
                text_add(&takers, "%s%s", takers.length ? ", " : "", c->name);
        if (strcmp(o->name, "--help") != 0 && strcmp(o->name, "--version") != 0)
            print_roff(format("Of %s.", takers.text));
    }
}

static void print_statuses(void)
{
    printf(".SH EXIT STATUS\n.TP\n.B 0\n");
    print_text("All went well. Of `diff`: nothing differs.");
    printf(".TP\n.B 1\n");
    print_text(
        "There is a mistake in the input. Each message ends with a code, which `netc explain "
        "CODE` explains. Of `diff`: there was no mistake, and something differs. Of `fmt "
        "--check`: a file would change. Of `lab` and `sweep`: a row failed, or was stopped alone.");
    printf(".TP\n.B 2\n");
    print_text("There is a mistake in the command. Of `diff`: there is any mistake.");
    printf(".TP\n.B 128+N\n");
    print_text("Of `lab` and `sweep`: signal N stopped them, 130 by Ctrl-C and 143 by SIGTERM.");
}

static void print_environment(void)
{
    static const char *const variables[][2] = {
        {"CC", "The C compiler that builds programs; cc otherwise."},
        {"NETC_CFLAGS", "More options for it, behind those of netc."},
        {"NETC_LDFLAGS", "More options for it, before the libraries."},
        {"NETC_RUNTIME", "The folder of libnn.a and nn.h; otherwise lib/netc beside netc."},
        {"TMPDIR", "Where the generated C is kept while it is compiled; /tmp otherwise."},
        {"XDG_CACHE_HOME",
         "Where a folder `netc` keeps what `--tune` has measured; ~/.cache otherwise."},
        {"GIT_PAGER", "The pager of `netc diff`; none where it is empty or cat."},
        {"PAGER", "The same where GIT_PAGER is not set; less otherwise."},
        {"NO_COLOR", "Where it is set, messages have no colours."},
        {"COLUMNS", "The width of the text of `netc explain`."},
    };
    printf(".SH ENVIRONMENT\n");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        printf(".TP\n.B %s\n", variables[i][0]);
        print_text(variables[i][1]);
    }
}

static void print_command_page(void)
{
    print_head("1", "compile a description of a neural network into a program that trains it");
    print_synopsis();
    printf(".SH DESCRIPTION\n");
    print_text(
        "`netc` reads a `.net` file, which describes a network and its training, and writes C "
        "in which every shape is fixed: forward and backward pass, optimizer and training. A C "
        "compiler makes a program of it that trains, evaluates and predicts; what it can do is "
        "shown by its own `--help`. The language is described in netc(5).");
    printf(".SH COMMANDS\n");
    for (const Command *c = next_command(NULL); c; c = next_command(c)) {
        printf(".TP\n");
        print_roff(format("%c%s%c %s", CODE_ON, c->name, CODE_OFF, c->arguments));
        print_text(format("%s.", c->about));
    }
    print_options();
    print_statuses();
    print_environment();
    printf(".SH EXAMPLES\n.nf\n.RS\n");
    print_roff_line("netc train mnist.net --epochs 3", 31);
    print_roff_line("netc summary mnist.net --plan memory.svg", 40);
    print_roff_line("netc diff mnist.net --set batch=100 --set batch=500", 51);
    printf(".RE\n.fi\n.SH SEE ALSO\n.BR netc (5)\n");
}

// --- the language -------------------------------------------------------------------------------

static void print_lines(const Block *block)
{
    printf(".RS 4\n.nf\n");
    for (int i = 0; i < block->line_count; i++)
        print_roff_line(block->lines[i], strlen(block->lines[i]));
    printf(".fi\n.RE\n");
}

// Each row is a paragraph under its first cell.
static void print_table(const Block *block)
{
    const char *head[MAX_CELLS], *cell[MAX_CELLS];
    const int columns = table_cells(block->lines[0], head, MAX_CELLS);
    for (int i = 1; i < block->line_count; i++) {
        const int cells = table_cells(block->lines[i], cell, MAX_CELLS);
        printf(".TP\n");
        print_text(*cell[0] ? cell[0] : "-");
        bool first = true;
        for (int k = 1; k < cells && k < columns; k++) {
            if (!*cell[k])
                continue;
            if (!first)
                printf(".br\n");
            print_text(format("%s%s%s", head[k], *head[k] ? ": " : "", cell[k]));
            first = false;
        }
    }
}

// Behind a heading a paragraph begins by itself.
static bool follows_heading(const Block *before)
{
    return before->kind == BLOCK_HEADING && before->level <= 3;
}

static void print_block(const Block *block, const Block *before)
{
    const bool spaced = block->kind == BLOCK_PARAGRAPH || block->kind == BLOCK_FORMULA ||
                        block->kind == BLOCK_EXAMPLE ||
                        (block->kind == BLOCK_HEADING && block->level > 3);
    if (spaced && !follows_heading(before))
        printf(".PP\n");
    switch (block->kind) {
    case BLOCK_HEADING:
        if (block->level == 2)
            printf(".SH %s\n", upper(block->text));
        else if (block->level == 3)
            printf(".SS %s\n", block->text);
        else
            printf(".B %s\n", block->text);
        break;
    case BLOCK_PARAGRAPH: print_text(block->text); break;
    case BLOCK_ITEM:
        printf(".IP %s 3\n", *block->mark == '-' ? "\\(bu" : block->mark);
        print_text(block->text);
        break;
    case BLOCK_TABLE: print_table(block); break;
    case BLOCK_FORMULA: print_lines(block); break;
    case BLOCK_EXAMPLE:
        if (!strcmp(block->mark, "net error"))
            printf("An error:\n");
        else if (!strcmp(block->mark, "net warning"))
            printf("A warning:\n");
        print_lines(block);
        break;
    }
}

static void print_language_page(void)
{
    print_head("5", "the language of .net files, which describe neural networks");
    printf(".SH DESCRIPTION\n");
    const Blocks all = manual_blocks();
    for (int i = 1; i < all.count; i++) // behind the title
        print_block(&all.blocks[i], &all.blocks[i - 1]);
    printf(".SH SEE ALSO\n.BR netc (1)\n");
}

int run_manual(const Options *o)
{
    const char *const page = o->paths.items[0];
    if (!strcmp(page, "netc.1"))
        print_command_page();
    else if (!strcmp(page, "netc.5"))
        print_language_page();
    else
        return usage_error(E909, format("'%s' is none of %s", page, o->command->arguments));
    return DONE;
}
