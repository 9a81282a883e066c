// lab_markdown.c: a lab's report in Markdown: each section with its rows and what it teaches.
#include "lab.h"

#include <math.h>
#include <string.h>

// A bar would end the cell.
static const char *cell_text(const char *text)
{
    Text cell = {0};
    text_add(&cell, "%s", "");
    for (; *text; text++)
        text_add(&cell, strchr("|<", *text) ? "\\%c" : "%c", *text);
    return cell.text;
}

// A paragraph, or an item of a list behind its mark, in lines that fit.
static void add_wrapped(Text *md, const char *mark, const char *text)
{
    enum { WIDTH = 118 };
    const int indent = (int)strlen(mark);
    int column = indent;
    text_add(md, "%s", mark);
    while (*text) {
        const int length = (int)strcspn(text, " ");
        if (column > indent && column + 1 + length > WIDTH) {
            text_add(md, "\n%*s", indent, "");
            column = indent;
        }
        text_add(md, "%s%.*s", column > indent ? " " : "", length, text);
        column += length + (column > indent);
        text += length + (int)strspn(text + length, " ");
    }
    text_add(md, "\n");
}

static void add_head(Text *md, const Lab *lab)
{
    const char *const published = lab->compared ? " published |" : "";
    text_add(md, "| | network | parameters | accuracy |%s%s loss |%s seconds |%s\n|--:|---|",
             lab->seeds > 1 ? " spread |" : "", published, published, published);
    for (int i = 4 + (lab->seeds > 1) + 3 * lab->compared; i > 0; i--)
        text_add(md, "--:|");
    text_add(md, "\n");
}

static const char *percent(double number) { return isnan(number) ? "" : format("%.2f %%", number); }

static void add_row(Text *md, const Lab *lab, const Experiment *row)
{
    const bool done = row->outcome == FINISHED;
    const char *const ours[] = {done ? percent(row->ours.accuracy) : "",
                                done ? loss_text(row->ours.loss) : "",
                                done ? score_text(row->ours.seconds, 1) : ""};
    const char *const theirs[] = {percent(row->published.accuracy),
                                  loss_text(row->published.loss),
                                  score_text(row->published.seconds, 1)};
    text_add(md, "| %d | %s | %s |", row->number, cell_text(row->network),
             done                     ? format("%ld", row->parameters)
             : row->outcome == FAILED ? "failed"
                                      : "");
    for (int i = 0; i < 3; i++) {
        text_add(md, " %s |", ours[i]);
        if (!i && lab->seeds > 1)
            text_add(md, " %s |", spread_text(row));
        if (lab->compared)
            text_add(md, " %s |", theirs[i]);
    }
    text_add(md, "\n");
}

// What there is to say of the rows of the section that ends with `last`, as a list.
static void add_notes(Text *md, const Lab *lab, const Experiment *last)
{
    const Experiment *first = last;
    bool any = false;
    while (!is_first_of_section(lab, first))
        first--;
    for (const Experiment *row = first; row <= last; row++) {
        const char *const difference = difference_text(row);
        const char *const notes[] = {problem_text(row), row->note, difference};
        for (int k = 0; k < 3; k++) {
            if (!*notes[k])
                continue;
            text_add(md, "%s", any ? "" : "\n");
            add_wrapped(md, "- ", format("Row %d: %s.", row->number, notes[k]));
            any = true;
        }
    }
}

static const char *published_text(const Lab *lab, double seconds)
{
    return format(" The published rows that print their seconds took %.0f%s.", seconds,
                  lab->seeds > 1 ? ", for one training of each" : "");
}

static void add_total(Text *md, const Lab *lab)
{
    double seconds = 0, all_seconds = 0, wall = 0;
    int finished = 0, trainings = 0;
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        if (row->outcome != FINISHED)
            continue;
        finished++;
        trainings += row->finished;
        if (!isnan(row->ours.seconds))
            seconds += row->ours.seconds;
        all_seconds += row->seconds;
        wall += row->wall_seconds;
    }
    const double theirs = published_seconds(lab);
    text_add(md, "\n");
    add_wrapped(
        md, "",
        format("%d of %d rows are finished: %s%s", finished, lab->count,
               lab->seeds > 1
                   ? format("%.0f seconds for one training of each, the mean of its seeds; the "
                            "%d trainings that finished took %.0f seconds, %.0f with compiling "
                            "and testing.",
                            seconds, trainings, all_seconds, wall)
                   : format("%.0f second%s of training, %.0f with compiling and testing.", seconds,
                            fabs(seconds - 1) < 0.5 ? "" : "s", wall),
               theirs > 0 ? published_text(lab, theirs) : ""));
}

const char *lab_markdown(const Lab *lab)
{
    Text md = {0};
    text_add(&md, "# %s\n\n", lab->title);
    if (*lab->about) {
        add_wrapped(&md, "", lab->about);
        text_add(&md, "\n");
    }
    if (*means_text(lab)) {
        add_wrapped(&md, "", means_text(lab));
        text_add(&md, "\n");
    }
    text_add(&md, "![accuracy and loss of the rows](report.svg)\n");
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        if (is_first_of_section(lab, row)) {
            if (i)
                add_notes(&md, lab, row - 1);
            if (*row->section)
                text_add(&md, "\n## %s\n", row->section);
            const char *const teaches = section_teaches(lab, row->section);
            text_add(&md, "\n");
            if (*teaches) {
                add_wrapped(&md, "", teaches);
                text_add(&md, "\n");
            }
            add_head(&md, lab);
        }
        add_row(&md, lab, row);
    }
    add_notes(&md, lab, &lab->rows[lab->count - 1]);
    add_total(&md, lab);
    return md.text;
}
