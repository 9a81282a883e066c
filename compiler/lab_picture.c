// lab_picture.c: accuracy and loss of all rows of a lab, and of one row over its epochs.
#include "chart.h"
#include "lab.h"

#include <math.h>
#include <string.h>

static double *numbers(int count) { return allocate((size_t)count * sizeof(double) + 1); }

static void add_key(Text *svg, const char *class, double x, double y, const char *text)
{
    svg_line(svg, class, x, y - 4, x + 22, y - 4);
    svg_text(svg, "", x + 28, y, "start", 0, text);
}

// --- all rows -----------------------------------------------------------------------------------

// Lines between the sections.
static void add_sections(Text *svg, const Lab *lab, const Chart *chart)
{
    for (int i = 1; i < lab->count; i++) {
        if (!is_first_of_section(lab, &lab->rows[i]))
            continue;
        const double x = (chart_x(chart, i - 1) + chart_x(chart, i)) / 2;
        svg_line(svg, "grid", x, chart->top, x, chart->top + chart->height);
    }
}

static void add_places(Text *svg, const Lab *lab, const Chart *chart)
{
    const double bottom = chart->top + chart->height;
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        const char *const label = *row->section ? row->section : row->network;
        svg_text(svg, "dim", chart_x(chart, i), bottom + 18, "middle", 0,
                 format("%d", row->number));
        if (!*row->section || is_first_of_section(lab, row))
            svg_text(svg, "dim", chart_x(chart, i) + 4, bottom + 34, "end", -40, label);
    }
}

// What a chart shows of each row.
enum { OURS, THEIRS, LEAST, MOST, SERIES };

static void fill_series(const Lab *lab, double *const *accuracy, double *const *loss)
{
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        const Score none = {NAN, NAN, NAN};
        const bool done = row->outcome == FINISHED;
        const Score scores[SERIES] = {[OURS] = done ? row->ours : none,
                                      [THEIRS] = row->published,
                                      [LEAST] = done ? row->least : none,
                                      [MOST] = done ? row->most : none};
        for (int k = 0; k < SERIES; k++) {
            accuracy[k][i] = scores[k].accuracy;
            loss[k][i] = scores[k].loss;
        }
    }
}

static void add_spreads(Text *svg, const Chart *chart, double *const *series)
{
    for (int i = 0; i < chart->count; i++)
        if (isfinite(series[LEAST][i]) && isfinite(series[MOST][i]))
            svg_line(svg, "forward", chart_x(chart, i), chart_y(chart, series[LEAST][i]),
                     chart_x(chart, i), chart_y(chart, series[MOST][i]));
}

static size_t longest_label(const Lab *lab)
{
    size_t longest = 0;
    for (int i = 0; i < lab->count; i++) {
        const Experiment *const row = &lab->rows[i];
        const size_t length = strlen(*row->section ? row->section : row->network);
        longest = length > longest ? length : longest;
    }
    return longest;
}

static const char *chart_title(const Lab *lab, const char *title)
{
    return lab->seeds > 1
               ? format("%s: mean of %d seeds, bars from least to most", title, lab->seeds)
               : title;
}

const char *lab_picture(const Lab *lab)
{
    enum { LEFT = 70, RIGHT = 20, HEIGHT = 220, ACCURACY_TOP = 80, LOSS_TOP = 350 };
    const double width = lab->count < 12 ? 600 : 50.0 * lab->count;
    double *all[2][SERIES];
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < SERIES; k++)
            all[i][k] = numbers(lab->count);
    fill_series(lab, all[0], all[1]);
    Chart charts[] = {{.title = "accuracy of the test, %", .top = ACCURACY_TOP},
                      {.title = "loss of the test", .top = LOSS_TOP}};
    Text svg = {0};
    svg_open(&svg, LEFT + width + RIGHT, LOSS_TOP + HEIGHT + 50 + 5.0 * (double)longest_label(lab),
             lab->title);
    svg_text(&svg, "bold", LEFT, 30, "start", 0, lab->title);
    if (lab->compared) {
        add_key(&svg, "ours", LEFT + width - 220, 30, "netc");
        add_key(&svg, "theirs", LEFT + width - 120, 30, "published");
    }
    for (int i = 0; i < 2; i++) {
        Chart *const chart = &charts[i];
        chart->title = chart_title(lab, chart->title);
        chart->left = LEFT;
        chart->width = width;
        chart->height = HEIGHT;
        chart->count = lab->count;
        chart_fit(chart, (const double *const *)all[i], SERIES);
        chart_axis(&svg, chart);
        add_sections(&svg, lab, chart);
        if (i)
            add_places(&svg, lab, chart);
        chart_curve(&svg, chart, "theirs", all[i][THEIRS], i ? "" : "%");
        if (lab->seeds > 1)
            add_spreads(&svg, chart, all[i]);
        chart_curve(&svg, chart, "ours", all[i][OURS], i ? "" : "%");
    }
    svg_close(&svg);
    return svg.text;
}

// --- one row ------------------------------------------------------------------------------------

static void add_epochs(Text *svg, const Chart *chart)
{
    const double bottom = chart->top + chart->height;
    const int every = 1 + (chart->count - 1) / 10;
    for (int i = 0; i < chart->count; i += every)
        svg_text(svg, "dim", chart_x(chart, i), bottom + 18, "middle", 0, format("%d", i + 1));
    svg_text(svg, "dim", chart->left + chart->width / 2, bottom + 36, "middle", 0, "epoch");
}

const char *row_picture(const Experiment *row)
{
    enum { WIDTH = 320, HEIGHT = 150, LEFT = 60, GAP = 90, TOP = 40 };
    const LabEpoch *const epochs = row->first->epochs;
    const int count = row->first->epoch_count;
    double *const all[] = {numbers(count), numbers(count), numbers(count), numbers(count)};
    bool validated = false;
    for (int i = 0; i < count; i++) {
        all[0][i] = epochs[i].accuracy;
        all[1][i] = epochs[i].validation_accuracy;
        all[2][i] = epochs[i].loss;
        all[3][i] = epochs[i].validation_loss;
        validated |= !isnan(all[3][i]);
    }
    Text svg = {0};
    svg_open(&svg, LEFT + 2 * WIDTH + GAP + 20, TOP + HEIGHT + 50,
             format("%d: %s", row->number, row->network));
    static const char *const titles[] = {"accuracy in training, %", "loss in training"};
    for (int i = 0; i < 2; i++) {
        Chart chart = {.title = titles[i],
                       .left = LEFT + i * (WIDTH + GAP),
                       .top = TOP,
                       .width = WIDTH,
                       .height = HEIGHT,
                       .count = count};
        chart_fit(&chart, (const double *const *)&all[2 * i], 2);
        chart_axis(&svg, &chart);
        add_epochs(&svg, &chart);
        chart_curve(&svg, &chart, "theirs", all[2 * i + 1], i ? "" : "%");
        chart_curve(&svg, &chart, "ours", all[2 * i], i ? "" : "%");
        if (validated)
            add_key(&svg, "theirs", chart.left + WIDTH - 105, TOP - 12, "validation");
    }
    svg_close(&svg);
    return svg.text;
}
