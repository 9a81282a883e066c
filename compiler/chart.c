// chart.c: curves with axes whose numbers are round.
#include "chart.h"

#include <math.h>

// The distance of about five ticks over `range`: 1, 2 or 5 times a power of ten.
static double tick_step(double range)
{
    const double power = pow(10, floor(log10(range / 5))), steps[] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
        if (range / (steps[i] * power) <= 5.5)
            return steps[i] * power;
    return 10 * power;
}

void chart_fit(Chart *chart, const double *const *series, int series_count)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < series_count; i++)
        for (int k = 0; k < chart->count; k++)
            if (isfinite(series[i][k])) {
                low = fmin(low, series[i][k]);
                high = fmax(high, series[i][k]);
            }
    if (low > high)
        low = 0, high = 1;
    if (high - low < 1e-6 * fabs(high) + 1e-9) { // one number: it lies in the middle
        const double margin = fmax(0.1 * fabs(high), 1e-6);
        low -= margin;
        high += margin;
    }
    chart->step = tick_step(high - low);
    chart->low = chart->step * floor(low / chart->step + 1e-9);
    chart->high = chart->step * ceil(high / chart->step - 1e-9);
}

double chart_x(const Chart *chart, int place)
{
    return chart->left + chart->width * (place + 0.5) / chart->count;
}

double chart_y(const Chart *chart, double number)
{
    return chart->top + chart->height * (chart->high - number) / (chart->high - chart->low);
}

void chart_axis(Text *svg, const Chart *chart)
{
    const double right = chart->left + chart->width;
    const int ticks = (int)lround((chart->high - chart->low) / chart->step);
    const int decimals = (int)fmax(0, -floor(log10(chart->step) + 1e-9));
    svg_text(svg, "bold", chart->left, chart->top - 12, "start", 0, chart->title);
    for (int i = 0; i <= ticks; i++) {
        const double number = chart->low + i * chart->step, y = chart_y(chart, number);
        svg_line(svg, "grid", chart->left, y, right, y);
        svg_text(svg, "dim", chart->left - 8, y + 4, "end", 0, format("%.*f", decimals, number));
    }
}

void chart_curve(Text *svg, const Chart *chart, const char *class, const double *numbers,
                 const char *unit)
{
    double *const x = allocate((size_t)chart->count * sizeof *x);
    double *const y = allocate((size_t)chart->count * sizeof *y);
    for (int i = 0; i < chart->count; i++) {
        x[i] = chart_x(chart, i);
        y[i] = isfinite(numbers[i]) ? chart_y(chart, numbers[i]) : NAN;
    }
    svg_curve(svg, class, x, y, chart->count);
    enum { MOST_DOTS = 60 };
    for (int i = 0; i < chart->count && chart->count <= MOST_DOTS; i++)
        if (!isnan(y[i]))
            svg_dot(svg, format("%s-dot", class), x[i], y[i],
                    format("%d: %.4g%s", i + 1, numbers[i], unit));
}
