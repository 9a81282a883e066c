// chart.h: numbers over places 1 to n, as curves with axes.
#ifndef CHART_H
#define CHART_H

#include "svg.h"

typedef struct {
    const char *title;
    double left, top, width, height; // of the area inside the axes
    int count;                       // places
    double low, high, step;          // of the vertical axis; chart_fit makes them
} Chart;

// Makes the axis hold the numbers of all series; NAN is no number.
void chart_fit(Chart *chart, const double *const *series, int series_count);
void chart_axis(Text *svg, const Chart *chart);              // title, grid and its numbers
double chart_x(const Chart *chart, int place);               // from 0
double chart_y(const Chart *chart, double number);
// class: "ours" or "theirs"; a dot's hint is what `hint` says of its place.
void chart_curve(Text *svg, const Chart *chart, const char *class, const double *numbers,
                 const char *unit);

#endif
