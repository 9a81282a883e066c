// lab_html.c: a lab's report as one page that needs no other file: the table, what each section
// teaches, and each row's curves.
#include "lab.h"
#include "svg.h"

#include <math.h>
#include <string.h>

static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto;\n"
    "       padding: 0 1rem; color: #1f2328; background: #fff; }\n"
    "h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }\n"
    ".wide { overflow-x: auto; }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%;\n"
    "        font-size: 14px; }\n"
    "th, td { padding: .25rem .5rem; border-bottom: 1px solid #d8dee4; text-align: right;\n"
    "         white-space: nowrap; }\n"
    "th { font-weight: 600; } .text { text-align: left; white-space: normal; }\n"
    ".theirs-cell { color: #656d76; } .failed { color: #cf222e; }\n"
    "figure { margin: 1rem 0; } figcaption { font-weight: 600; }\n"
    "svg { max-width: 100%; height: auto; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  body { color: #e6edf3; background: #0d1117; } th, td { border-color: #30363d; }\n"
    "  .theirs-cell { color: #8d96a0; } .failed { color: #ff7b72; } }\n"
    "</style>\n";

static void add_cell(Text *html, const char *class, const char *text)
{
    if (*class)
        text_add(html, "<td class=\"%s\">%s</td>", class, svg_escaped(text));
    else
        text_add(html, "<td>%s</td>", svg_escaped(text));
}

static void add_head(Text *html, const Lab *lab)
{
    static const char *const numbers[] = {"accuracy, %", "loss", "seconds"};
    text_add(html, "<thead><tr><th></th>%s<th class=\"text\">network</th><th>parameters</th>",
             lab->section_count ? "<th class=\"text\">section</th>" : "");
    for (int i = 0; i < 3; i++)
        text_add(html, "<th>%s</th>%s%s", numbers[i], !i && lab->seeds > 1 ? "<th>spread</th>" : "",
                 lab->compared ? "<th>published</th>" : "");
    text_add(html, "</tr></thead>\n");
}

static void add_row(Text *html, const Lab *lab, const Experiment *row)
{
    const bool done = row->outcome == FINISHED;
    const char *const ours[] = {score_text(row->ours.accuracy, 2), loss_text(row->ours.loss),
                                score_text(row->ours.seconds, 1)};
    const char *const theirs[] = {score_text(row->published.accuracy, 2),
                                  loss_text(row->published.loss),
                                  score_text(row->published.seconds, 1)};
    if (row->outcome == NOT_RUN)
        text_add(html, "<tr><td>%d</td>", row->number);
    else
        text_add(html, "<tr><td><a href=\"#row-%d\">%d</a></td>", row->number, row->number);
    if (lab->section_count)
        add_cell(html, "text", row->section);
    add_cell(html, "text", row->network);
    add_cell(html, row->outcome == FAILED ? "failed" : "",
             done                     ? format("%ld", row->parameters)
             : row->outcome == FAILED ? "failed"
                                      : "");
    for (int i = 0; i < 3; i++) {
        add_cell(html, "", done ? ours[i] : "");
        if (!i && lab->seeds > 1)
            add_cell(html, "", spread_text(row));
        if (lab->compared)
            add_cell(html, "theirs-cell", theirs[i]);
    }
    text_add(html, "</tr>\n");
}

// Each seed's results, and whose curves follow.
static void add_seeds(Text *html, const Experiment *row)
{
    text_add(html, "<p>");
    for (int i = 0; i < row->seeds; i++) {
        const Training *const training = &row->trainings[i];
        if (training->outcome != FINISHED)
            continue;
        text_add(html, "Seed %.0f: ", training->seed);
        if (!isnan(training->score.accuracy))
            text_add(html, "accuracy %.2f %%, ", training->score.accuracy);
        text_add(html, "loss %s%s.<br>\n", loss_text(training->score.loss),
                 taken_text(training->score.seconds));
    }
    text_add(html, "The curves are of seed %.0f.</p>\n", row->first->seed);
}

static void add_details(Text *html, const Experiment *row)
{
    text_add(html, "<figure id=\"row-%d\"><figcaption>%d: %s</figcaption>\n", row->number,
             row->number, svg_escaped(row->network));
    const char *const notes[] = {problem_text(row), row->note, difference_text(row)};
    for (int i = 0; i < 3; i++)
        if (*notes[i])
            text_add(html, "<p%s>%s.</p>\n", i ? "" : " class=\"failed\"", svg_escaped(notes[i]));
    text_add(html, "<p><code>%s", svg_escaped(readable(row->net)));
    for (int i = 0; i < row->defines.count; i++)
        text_add(html, " -D %s", svg_escaped(row->defines.items[i]));
    for (int i = 0; i < row->sets.count; i++)
        text_add(html, " --set %s", svg_escaped(format("'%s'", row->sets.items[i])));
    text_add(html, "</code></p>\n");
    if (row->outcome == FINISHED && row->seeds > 1)
        add_seeds(html, row);
    if (row->outcome == FINISHED && row->first->epoch_count)
        text_add(html, "%s", row_picture(row));
    text_add(html, "</figure>\n");
}

const char *lab_html(const Lab *lab)
{
    Text html = {0};
    text_add(&html,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n",
             svg_escaped(lab->title));
    text_add(&html, "%s</head>\n<body>\n<h1>%s</h1>\n", style, svg_escaped(lab->title));
    if (*lab->about)
        text_add(&html, "<p>%s</p>\n", svg_escaped(lab->about));
    if (*means_text(lab))
        text_add(&html, "<p>%s</p>\n", svg_escaped(means_text(lab)));
    text_add(&html, "<div class=\"wide\">\n%s</div>\n<div class=\"wide\"><table>\n",
             lab_picture(lab));
    add_head(&html, lab);
    text_add(&html, "<tbody>\n");
    for (int i = 0; i < lab->count; i++)
        add_row(&html, lab, &lab->rows[i]);
    text_add(&html, "</tbody></table></div>\n");
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        if (*row->section && is_first_of_section(lab, row))
            text_add(&html, "<h2>%s</h2>\n<p>%s</p>\n", svg_escaped(row->section),
                     svg_escaped(section_teaches(lab, row->section)));
        if (row->outcome != NOT_RUN)
            add_details(&html, row);
    }
    text_add(&html, "</body>\n</html>\n");
    return html.text;
}
