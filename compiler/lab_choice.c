// lab_choice.c: the rows that --rows names: "1,3-5".
#include "lab.h"

#include <stdlib.h>
#include <string.h>

static bool wrong_rows(const Lab *lab, const char *rows)
{
    error_at(E932, (Loc){0}, "'--rows %s': expected numbers from 1 to %d, as in '1,3-5'", rows,
             lab->count);
    return false;
}

bool choose_rows(Lab *lab, const char *rows)
{
    for (int i = 0; i < lab->count; i++)
        lab->rows[i].chosen = !rows;
    for (const char *at = rows; at;) {
        char *end;
        if (*at < '0' || *at > '9')
            return wrong_rows(lab, rows);
        const long from = strtol(at, &end, 10);
        long to = from;
        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            to = strtol(end + 1, &end, 10);
        if (from < 1 || to < from || to > lab->count || (*end && *end != ','))
            return wrong_rows(lab, rows);
        for (long i = from; i <= to; i++)
            lab->rows[i - 1].chosen = true;
        at = *end ? end + 1 : NULL;
    }
    return true;
}
