// curves.c: curves.svg, loss and accuracy over the epochs, as a picture that any browser shows.

#include <math.h>
#include <stdlib.h>

#include "run.h"

enum { WIDTH = 860, HEIGHT = 360, PLOT_WIDTH = 340, PLOT_HEIGHT = 220, PLOT_TOP = 76 };

static const char *const TRAINING_COLOUR = "#2563ab", *const VALIDATION_COLOUR = "#d9730d";

// One of the two plots; `value` chooses the curve: 0 of the training, 1 of the validation.
typedef struct {
    const char *title;
    double left;            // of its area, in pixels
    double low, high, step; // of the vertical axis
    int decimals;
    double scale; // from the record's number to the axis'
    double (*value)(const EpochRecord *record, int curve);
} Plot;

static double loss_of(const EpochRecord *record, int curve)
{
    return curve == 0 ? record->loss : record->validation_loss;
}

static double accuracy_of(const EpochRecord *record, int curve)
{
    return curve == 0 ? record->accuracy : record->validation_accuracy;
}

// The distance of about five ticks over `range`: 1, 2 or 5 times a power of ten.
static double tick_step(double range)
{
    const double power = pow(10, floor(log10(range / 5)));
    const double steps[] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
        if (range / (steps[i] * power) <= 5.5)
            return steps[i] * power;
    return 10 * power;
}

// The axis: from tick to tick around all finite values.
static void fit_axis(Plot *plot, const Progress *progress)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < progress->epoch; i++)
        for (int curve = 0; curve < 2; curve++) {
            const double value = plot->scale * plot->value(&progress->history[i], curve);
            low = isfinite(value) ? fmin(low, value) : low;
            high = isfinite(value) ? fmax(high, value) : high;
        }
    if (low > high)
        low = 0, high = 1;
    const double middle = (low + high) / 2;
    if (high - low < 1e-6 * fabs(middle) + 1e-9) { // one value: it lies in the middle
        low = middle - fmax(0.1 * fabs(middle), 1e-6);
        high = middle + fmax(0.1 * fabs(middle), 1e-6);
    }
    plot->step = tick_step(high - low);
    plot->low = plot->step * floor(low / plot->step + 1e-9);
    plot->high = plot->step * ceil(high / plot->step - 1e-9);
    plot->decimals = (int)fmax(0, -floor(log10(plot->step) + 1e-9));
}

static double x_of(const Plot *plot, const Progress *progress, double epoch)
{
    if (progress->epoch == 1)
        return plot->left + PLOT_WIDTH / 2.0;
    return plot->left + PLOT_WIDTH * (epoch - 1) / (progress->epoch - 1);
}

static double y_of(const Plot *plot, double value)
{
    return PLOT_TOP + PLOT_HEIGHT * (plot->high - value) / (plot->high - plot->low);
}

static void draw_axes(FILE *out, const Plot *plot, const Progress *progress)
{
    const double right = plot->left + PLOT_WIDTH, bottom = PLOT_TOP + PLOT_HEIGHT;
    fprintf(out, "<text x=\"%.1f\" y=\"%d\" class=\"title\">%s</text>\n", plot->left, PLOT_TOP - 12,
            plot->title);
    const int ticks = (int)lround((plot->high - plot->low) / plot->step);
    for (int i = 0; i <= ticks; i++) {
        const double value = plot->low + i * plot->step, y = y_of(plot, value);
        fprintf(out, "<path d=\"M%.1f %.1fH%.1f\" class=\"grid\"/>\n", plot->left, y, right);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n",
                plot->left - 8, y + 4, plot->decimals, value);
    }
    const int every = (int)fmax(1, progress->epoch > 1 ? tick_step(progress->epoch - 1) : 1);
    for (int epoch = 1; epoch <= progress->epoch; epoch++) {
        if (epoch % every != 0 && epoch != 1)
            continue;
        const double x = x_of(plot, progress, epoch);
        fprintf(out, "<path d=\"M%.1f %.1fv5\" class=\"axis\"/>\n", x, bottom);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%d</text>\n", x,
                bottom + 20, epoch);
    }
    fprintf(out, "<path d=\"M%.1f %dV%.1fH%.1f\" class=\"axis\"/>\n", plot->left, PLOT_TOP, bottom,
            right);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">epoch</text>\n",
            plot->left + PLOT_WIDTH / 2.0, bottom + 40);
}

// A line with a dot at each epoch, as long as the dots stay apart.
static void draw_curve(FILE *out, const Plot *plot, const Progress *progress, int curve)
{
    const char *colour = curve == 0 ? TRAINING_COLOUR : VALIDATION_COLOUR;
    bool drawing = false;
    fprintf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"M0 0", colour);
    for (int i = 0; i < progress->epoch; i++) {
        const double value = plot->scale * plot->value(&progress->history[i], curve);
        if (isfinite(value))
            fprintf(out, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(plot, progress, i + 1),
                    y_of(plot, value));
        drawing = isfinite(value);
    }
    fprintf(out, "\"/>\n");
    for (int i = 0; i < progress->epoch && progress->epoch <= 40; i++) {
        const double value = plot->scale * plot->value(&progress->history[i], curve);
        if (isfinite(value))
            fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
                    x_of(plot, progress, i + 1), y_of(plot, value), colour);
    }
}

static void draw_legend(FILE *out, bool validated)
{
    const double y = 32;
    const char *const names[] = {"training", "validation"};
    const char *const colours[] = {TRAINING_COLOUR, VALIDATION_COLOUR};
    for (int i = 0; i < (validated ? 2 : 1); i++) {
        const double x = WIDTH - 40 - (validated ? 190 : 85) + 100 * i;
        fprintf(out, "<path d=\"M%.1f %.1fh22\" stroke=\"%s\" stroke-width=\"3\"/>\n", x, y - 4,
                colours[i]);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 28, y, names[i]);
    }
}

static void print_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '<')
            fputs("&lt;", out);
        else if ((unsigned char)*text >= ' ')
            putc(*text, out);
    }
}

static void draw_title(FILE *out, const Report *report)
{
    const int epochs = report->progress->epoch;
    const bool classes = report->model->classes > 0;
    fprintf(out, "<text x=\"60\" y=\"32\" class=\"head\">");
    print_escaped(out, report->model->name);
    if (report->test)
        fprintf(out, ": test %s %.*f%s after %d epoch%s</text>\n", classes ? "accuracy" : "loss",
                classes ? 2 : 4, classes ? 100 * report->test->accuracy : report->test->loss,
                classes ? "%" : "", epochs, epochs == 1 ? "" : "s");
    else
        fprintf(out, ": %d of %d epochs</text>\n", epochs, report->options->epochs);
}

static void draw(FILE *out, const Report *report)
{
    const Progress *progress = report->progress;
    Plot plots[] = {
        {.title = "loss", .left = 60, .scale = 1, .value = loss_of},
        {.title = "accuracy, %", .left = 480, .scale = 100, .value = accuracy_of},
    };
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\">\n"
            "<style>text{font:13px system-ui,sans-serif;fill:#444}.head{font-size:17px;"
            "font-weight:600;fill:#111}.title{font-weight:600;fill:#222}"
            ".grid{stroke:#e4e4e4;fill:none}.axis{stroke:#777;fill:none}</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    draw_title(out, report);
    draw_legend(out, report->validation_pictures > 0);
    for (int i = 0; i < (report->model->classes ? 2 : 1); i++) {
        fit_axis(&plots[i], progress);
        draw_axes(out, &plots[i], progress);
        for (int curve = 1; curve >= 0; curve--)
            draw_curve(out, &plots[i], progress, curve);
    }
    fprintf(out, "</svg>\n");
}

bool curves_write(const char *path, const Report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return failed("out of memory");
    draw(out, report);
    if (fclose(out) != 0) {
        free(text);
        return failed("out of memory");
    }
    make_utf8(text);
    const bool done = save_text(path, text);
    free(text);
    return done;
}
