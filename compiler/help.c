// help.c: --help, made from the tables of commands and options.
#include "command.h"

void print_help(FILE *out, const Command *command)
{
    fprintf(out, "usage: netc COMMAND M.net [options]\n\n");
    for (const Command *c = next_command(NULL); c; c = next_command(c))
        if (!command || c == command)
            fprintf(out, "  netc %-8s%-34s%s\n", c->name, c->arguments, c->about);
    fprintf(out, "\noptions\n");
    for (const Option *option = next_option(NULL); option; option = next_option(option)) {
        if (!takes_option(command, option))
            continue;
        const char *const letter = option->letter ? format("-%c, ", option->letter) : "    ";
        fprintf(out, "  %s%-26s%s\n", letter, format("%s %s", option->name, option->value),
                option->about);
    }
    fprintf(out, "\npasses for --dump:");
    for (int i = 0; pass_names[i]; i++)
        fprintf(out, " %s", pass_names[i]);
    fprintf(out, "\nexit status: 0 done, 1 a mistake in the input, 2 a mistake in the command\n");
}
