// help.c: --help, made from the tables of commands and options.
#include "command.h"

#include <string.h>

static void print_options(FILE *out, const Command *command)
{
    fprintf(out, "\noptions\n");
    for (const Option *option = next_option(NULL); option; option = next_option(option)) {
        if (!takes_option(command, option))
            continue;
        const char *const letter = option->letter ? format("-%c, ", option->letter) : "    ";
        fprintf(out, "  %s%-26s%s\n", letter, format("%s %s", option->name, option->value),
                option->about);
        if (option_choices(option).count && !strchr(option->value, '|')) {
            const Words choices = option_choices(option);
            fprintf(out, "%32s%s\n", "", join_words(choices.words, choices.count, "or"));
        }
    }
}

static void print_statuses(FILE *out, const Command *command)
{
    static const char of_diff[] = "0 the same, 1 different, 2 a mistake";
    fprintf(out, "\nexit status: %s\n",
            has_statuses_of_diff(command)
                ? of_diff
                : "0 done, 1 a mistake in the input, 2 a mistake in the command");
    if (!command)
        fprintf(out, "    of diff: %s\n", of_diff);
    if (command && command->run == run_fmt)
        fprintf(out, "             1 also where --check lists a file, or '-' is to change\n");
    if (command && (command->run == run_lab || command->run == run_sweep))
        fprintf(out, "             1 also where a row failed, or was stopped alone\n"
                     "             128 and N where signal N stopped them all: 130 Ctrl-C, "
                     "143 SIGTERM\n");
}

void print_help(FILE *out, const Command *command)
{
    if (command) {
        fprintf(out, "usage: netc %s %s%s[options]\n\n%s\n", command->name, command->arguments,
                *command->arguments ? " " : "", command->about);
    } else {
        fprintf(out, "usage: netc COMMAND M.net [options]\n\n");
        for (const Command *c = next_command(NULL); c; c = next_command(c))
            fprintf(out, "  netc %-11s%-31s%s\n", c->name, c->arguments, c->about);
    }
    print_options(out, command);
    print_statuses(out, command);
}
