// main.c: netc's command line is read, and the command that it names is run.
//
// The commands stand in commands.def, their functions in cmd_*.c, the passes in compile.c.
#include "command.h"

int main(int count, char **arguments)
{
    Options o;
    const int status = read_command_line(&o, count, arguments);
    if (status != DONE)
        return status;
    if (o.version) {
        printf("netc %s\n", NETC_VERSION);
        return DONE;
    }
    if (o.help) {
        print_help(stdout, o.command);
        return DONE;
    }
    if (!o.command) {
        print_help(stderr, NULL);
        return USAGE;
    }
    return o.command->run(&o);
}
