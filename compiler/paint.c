// paint.c: text on a terminal as git shows it: in git's colours, by the pager that git would use.
#include "diff.h"
#include "terminal.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool wants_colours(const char *when)
{
    if (when && strcmp(when, "auto") != 0)
        return !strcmp(when, "always");
    return is_terminal();
}

void paint(Painting *to, Style style, const char *format, ...)
{
    static const char *const codes[] = {
        [STYLE_PLAIN] = "",           [STYLE_HEADER] = "\033[1m", [STYLE_PLACE] = "\033[36m",
        [STYLE_REMOVED] = "\033[31m", [STYLE_ADDED] = "\033[32m",
    };
    va_list list;
    va_start(list, format);
    const char *const line = format_list(format, list);
    va_end(list);
    const bool painted = to->colours && style != STYLE_PLAIN;
    text_add(&to->text, "%s%s%s\n", painted ? codes[style] : "", line, painted ? "\033[m" : "");
}

// NULL where the text goes to standard output itself: no terminal, or a pager that is none.
static const char *pager(void)
{
    if (!isatty(STDOUT_FILENO))
        return NULL;
    const char *command = getenv("GIT_PAGER");
    if (!command)
        command = getenv("PAGER");
    if (!command)
        command = "less";
    return *command && strcmp(command, "cat") != 0 ? command : NULL;
}

// False where the pager is not there: the shell ends with 127 then.
static bool is_paged(const char *text, const char *command)
{
    FILE *const out = popen(command, "w");
    if (!out)
        return false;
    // who leaves the pager early has seen enough, and the exit status is still that of the result
    void (*const before)(int) = signal(SIGPIPE, SIG_IGN);
    fputs(text, out);
    const int status = pclose(out);
    signal(SIGPIPE, before);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 127;
}

void show(const Painting *painting, bool may_page)
{
    const char *const command = may_page ? pager() : NULL;
    const char *const text = painting->text.text ? painting->text.text : "";
    // less ends at once where all fits on the screen, shows colours, and leaves the text standing
    setenv("LESS", "FRX", 0);
    fflush(stdout);
    if (!command || !is_paged(text, command))
        fputs(text, stdout);
}
