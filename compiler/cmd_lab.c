// cmd_lab.c: `netc lab` trains the rows of a file.
#include "lab.h"

#include <string.h>

int run_lab(const Options *o)
{
    Lab *const lab = read_lab(o->paths.items[0]);
    if (!lab || !choose_rows(lab, o->rows))
        return MISTAKE;
    lab->folder = o->out ? o->out : format("runs/%s", file_stem(o->paths.items[0]));
    for (int i = 0; i < lab->count; i++)
        lab->rows[i].folder = format("%s/row-%02d", lab->folder, i + 1);
    return run_experiments(lab, o);
}
