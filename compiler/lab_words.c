// lab_words.c: what several reports of a lab say: a row's line, its spread, what went wrong with it
// and how far it is from the published.
#include "lab.h"

#include <math.h>
#include <string.h>

const char *score_text(double number, int decimals)
{
    return isnan(number) ? "" : format("%.*f", decimals, number);
}

// Of numbers to learn it may be of any size.
const char *loss_text(double loss)
{
    const double size = fabs(loss);
    if (isnan(loss))
        return "";
    return size >= 1e5 || (size < 0.01 && size > 0) ? format("%.6g", loss) : format("%.4f", loss);
}

const char *section_teaches(const Lab *lab, const char *name)
{
    for (int i = 0; i < lab->section_count; i++)
        if (!strcmp(lab->sections[i].name, name))
            return lab->sections[i].teaches;
    return "";
}

bool is_first_of_section(const Lab *lab, const Experiment *row)
{
    const int index = row->number - 1;
    return !index || strcmp(lab->rows[index - 1].section, row->section) != 0;
}

double published_seconds(const Lab *lab)
{
    double seconds = 0;
    for (int i = 0; i < lab->count; i++)
        if (!isnan(lab->rows[i].published.seconds))
            seconds += lab->rows[i].published.seconds;
    return seconds;
}

const char *outcome_text(Outcome outcome)
{
    static const char *const words[] = {
        [NOT_RUN] = "not run", [FINISHED] = "finished", [FAILED] = "failed", [STOPPED] = "stopped"};
    return words[outcome];
}

// --- seeds --------------------------------------------------------------------------------------

const char *means_text(const Lab *lab)
{
    if (lab->seeds == 1)
        return "";
    return format("Every number is the mean of %d trainings, with %d seeds; the spread is from the "
                  "least to the most accuracy of one.",
                  lab->seeds, lab->seeds);
}

const char *spread_text(const Experiment *row)
{
    if (row->outcome != FINISHED || isnan(row->least.accuracy))
        return "";
    return format("%.2f to %.2f", row->least.accuracy, row->most.accuracy);
}

// As printed: to two decimals.
static bool is_within_spread(const Experiment *row)
{
    const double less_than_shown = 0.001, published = row->published.accuracy;
    return row->finished > 1 && published > row->least.accuracy - less_than_shown &&
           published < row->most.accuracy + less_than_shown;
}

const char *problem_text(const Experiment *row)
{
    if (row->outcome == FAILED)
        return row->problem;
    if (!row->failed)
        return "";
    Text text = {0};
    text_add(&text, "%d of %d seeds failed", row->failed, row->seeds);
    for (int i = 0; i < row->seeds; i++)
        if (row->trainings[i].outcome == FAILED && !isnan(row->trainings[i].seed))
            text_add(&text, ", %.0f", row->trainings[i].seed);
    text_add(&text, ": %s", row->problem);
    return text.text;
}

// --- beside the published -----------------------------------------------------------------------

static const char *within_text(const Experiment *row)
{
    return is_within_spread(row) ? format("within the spread of %d seeds", row->finished) : "";
}

// Where it is worth a word; "" where it is not.
const char *difference_text(const Experiment *row)
{
    const double noticeable = 0.5, difference = row->ours.accuracy - row->published.accuracy;
    if (row->outcome != FINISHED)
        return "";
    const char *const within = within_text(row);
    if (!(fabs(difference) > noticeable))
        return *within ? format("the published accuracy is %s", within) : "";
    return format("%.2f points %s than published%s%s%s%s", fabs(difference),
                  difference > 0 ? "more" : "less", *within ? ", " : "", within,
                  *row->why ? ": " : "", row->why);
}

// --- a row's line -------------------------------------------------------------------------------

// "accuracy 97.34% (97.20 to 97.45), "; "" of none.
static const char *accuracy_text(const Experiment *row)
{
    if (isnan(row->ours.accuracy))
        return "";
    return format("accuracy %.2f%%%s, ", row->ours.accuracy,
                  row->seeds > 1 ? format(" (%s)", spread_text(row)) : "");
}

// ", 4 of 5 seeds"; "" of one.
static const char *seeds_text(const Experiment *row)
{
    if (row->seeds == 1)
        return "";
    return row->finished == row->seeds ? format(", %d seeds", row->seeds)
                                       : format(", %d of %d seeds", row->finished, row->seeds);
}

// The report of a training that was cut off has no seconds.
const char *taken_text(double seconds)
{
    return isnan(seconds) ? "" : format(", %.1f s", seconds);
}

const char *row_line(const Lab *lab, const Experiment *row)
{
    Text text = {0};
    text_add(&text, "[%d/%d] %s%s%s: ", row->number, lab->count, row->section,
             *row->section ? ": " : "", row->network);
    if (row->outcome != FINISHED) {
        text_add(&text, "%s", outcome_text(row->outcome));
        return text.text;
    }
    text_add(&text, "%s", accuracy_text(row));
    if (!isnan(row->published.accuracy))
        text_add(&text, "published %.2f%%, ", row->published.accuracy);
    text_add(&text, "%s%s%s%s",
             isnan(row->ours.loss) ? "not tested" : format("loss %s", loss_text(row->ours.loss)),
             taken_text(row->ours.seconds), seeds_text(row), row->kept ? ", kept" : "");
    return text.text;
}
