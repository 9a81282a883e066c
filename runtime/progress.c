// progress.c: what a training shows while it runs: one line for each epoch, alive on a terminal.
//
// Lines are composed in memory that is there before the first step, and drawn ten times a second.

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

enum { BAR = 20 };

static const double DRAW_EVERY = 0.1; // seconds

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// `total`: the pictures of one epoch; `epochs`: of the whole run.
void display_open(Display *display, const Options *options, long total, int epochs)
{
    static char buffer[1 << 14]; // stdio would allocate its own at the first line
    const char *terminal = getenv("TERM");
    struct winsize window = {.ws_col = 80};
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    *display = (Display){.total = total, .epochs = epochs, .started = now()};
    display->json = options->json;
    display->lines = !options->quiet;
    display->live = isatty(STDOUT_FILENO) && display->lines && !display->json &&
                    !(terminal && strcmp(terminal, "dumb") == 0);
    if (display->live && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col == 0)
        window.ws_col = 80;
    display->columns = window.ws_col;
}

void display_epoch(Display *display, int epoch)
{
    if (display->epoch > 0)
        display->drawn_before += display->total;
    display->epoch = epoch;
    display->epoch_started = now();
}

static void print_speed(char text[16], double speed)
{
    if (!(speed >= 0))
        snprintf(text, 16, "?");
    else if (speed < 999.5)
        snprintf(text, 16, "%.0f", speed);
    else if (speed < 999.5e3)
        snprintf(text, 16, "%.0fk", speed / 1e3);
    else
        snprintf(text, 16, "%.2fM", speed / 1e6);
}

static void print_time(char text[32], double seconds)
{
    const long whole = seconds < 1e9 ? lround(ceil(seconds)) : 1000000000;
    if (whole < 3600)
        snprintf(text, 32, "%ld:%02ld", whole / 60, whole % 60);
    else
        snprintf(text, 32, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

// The loss of classes is near 1; that of numbers to learn, which have no accuracy, is of any size.
static void print_loss(char text[32], double loss, double accuracy)
{
    snprintf(text, 32, isnan(accuracy) ? "%.6g" : "%.4f", loss);
}

// Draws the live line, unless it was drawn just before. `done` pictures of this epoch had the mean
// `loss` and `accuracy`.
void display_step(Display *display, long done, double loss, double accuracy)
{
    if (!display->live)
        return;
    const double time = now();
    if (time - display->last_drawn < DRAW_EVERY)
        return;
    display->last_drawn = time;

    const double share = (double)done / (double)display->total;
    const double ahead =
        (double)display->total * (display->epochs - display->epoch + 1) - (double)done;
    const double behind = (double)(display->drawn_before + done);
    char bar[BAR + 1], speed[16], left[32], lost[32], line[256];
    for (int i = 0; i < BAR; i++) {
        const int reached = (int)(share * BAR);
        bar[i] = i < reached ? '=' : i == reached ? '>' : ' ';
    }
    bar[BAR] = '\0';
    print_speed(speed, (double)done / (time - display->epoch_started));
    print_loss(lost, loss, accuracy);
    print_time(left, (time - display->started) * ahead / behind);
    char hits[32] = ""; // none in a regression
    if (!isnan(accuracy))
        snprintf(hits, sizeof hits, "  acc %.2f%%", 100 * accuracy);
    int length = snprintf(line, sizeof line,
                          "epoch %d/%d  [%s]  %2.0f%%  loss %s%s  %s images/s  %s left",
                          display->epoch, display->epochs, bar, floor(100 * share), lost, hits,
                          speed, left);
    length = nn_min(length, nn_min((int)sizeof line - 1, display->columns - 1));
    printf("\r%.*s\033[K", length > 0 ? length : 0, line);
    fflush(stdout);
}

void display_clear(Display *display)
{
    if (display->live) {
        printf("\r\033[K");
        fflush(stdout);
    }
    display->last_drawn = 0;
}

static void print_line(const Display *display, const EpochRecord *record)
{
    char speed[16], loss[32];
    print_speed(speed, record->images_per_second);
    print_loss(loss, record->loss, record->accuracy);
    printf("epoch %d/%d  loss %s", display->epoch, display->epochs, loss);
    if (!isnan(record->accuracy))
        printf("  acc %.2f%%", 100 * record->accuracy);
    if (!isnan(record->validation_loss)) {
        print_loss(loss, record->validation_loss, record->accuracy);
        printf("  val loss %s", loss);
    }
    if (!isnan(record->validation_accuracy))
        printf("  val acc %.2f%%", 100 * record->validation_accuracy);
    printf("  %s images/s  %.1f s\n", speed, record->seconds);
    fflush(stdout);
}

// Replaces the live line by the finished epoch's.
bool display_record(Display *display, const EpochRecord *record)
{
    display_clear(display);
    if (!display->lines)
        return true;
    if (display->json)
        return json_print_line(json_epoch(record, display->epoch, true));
    print_line(display, record);
    return true;
}
