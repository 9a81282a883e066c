// main.c: netc's command line is read, and the command that it names is run.
//
// The commands stand in commands.def, their functions in cmd_*.c, the passes in compile.c.
#include "child.h"
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

// Why standard output lacks some of what was printed; 0 where it has all. An earlier write that
// failed keeps no reason: one more tells it.
static int failure_of_output(void)
{
    if (fflush(stdout))
        return errno;
    if (!ferror(stdout))
        return 0;
    return putchar('\n') == EOF || fflush(stdout) ? errno : EIO;
}

static int run(const Options *o)
{
    if (o->version) {
        printf("netc %s\n", NETC_VERSION);
        return DONE;
    }
    if (o->help) {
        print_help(stdout, o->command);
        return DONE;
    }
    if (!o->command) {
        print_help(stderr, NULL);
        return USAGE;
    }
    return o->command->run(o);
}

int main(int count, char **arguments)
{
    signal(SIGXFSZ, SIG_IGN); // a file at its limit is told of as a full disk is
    Options o;
    int status = read_command_line(&o, count, arguments);
    if (status == DONE)
        status = run(&o);
    const int failure = failure_of_output();
    if (ended_by_signal())
        raise(ended_by_signal()); // for a shell, which ends its loop
    if (!failure)
        return status;
    error_at(E910, (Loc){0}, "cannot write 'standard output': %s", strerror(failure));
    return has_statuses_of_diff(o.command) ? TROUBLE : MISTAKE;
}
