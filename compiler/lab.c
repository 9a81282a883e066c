// lab.c: the rows of a lab, one after the other, and the reports, written anew behind each row.
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>

// Two of them in one folder would take each other's programs and results. The lock lasts as long as
// netc.
static bool lock_folder(const Lab *lab)
{
    const int folder = open(lab->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        error_at(E910, (Loc){0}, "cannot open the folder '%s': %s", lab->folder, strerror(errno));
        return false;
    }
    if (flock(folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    error_at(E937, (Loc){0}, "another lab or sweep writes to '%s'", lab->folder);
    note_at((Loc){0}, "'--out DIR' names another folder");
    return false;
}

static bool write_reports(const Lab *lab)
{
    const struct {
        const char *name, *text;
    } reports[] = {{"report.json", lab_json(lab)},
                   {"report.csv", lab_csv(lab)},
                   {"report.md", lab_markdown(lab)},
                   {"report.svg", lab_picture(lab)},
                   {"report.html", lab_html(lab)}};
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        if (!write_file(format("%s/%s", lab->folder, reports[i].name), reports[i].text, MADE_AGAIN))
            return false;
    return true;
}

static void copy_log(const Training *training)
{
    FILE *const log = fopen(format("%s/log.txt", training->folder), "r");
    char text[1000];
    while (log && fgets(text, sizeof text, log))
        fputs(text, stderr);
    if (log)
        fclose(log);
}

// Each problem once: what stops one seed often stops them all.
static void copy_logs(const Experiment *row)
{
    const char *last = "";
    for (int i = 0; i < row->seeds; i++) {
        const Training *const training = &row->trainings[i];
        if (training->outcome != FAILED || !strcmp(training->problem, last))
            continue;
        copy_log(training);
        messages_reset(); // a file's mistakes are shown up to a number, rows without one
        if (!training->logged)
            error_at(E933, (Loc){0}, "row %d failed: %s", row->number, training->problem);
        last = training->problem;
    }
}

// The first training that isn't kept builds the program, for all of them.
static void run_trainings(const Lab *lab, Experiment *row, const Options *o)
{
    bool built = false;
    for (int i = 0; i < row->seeds && !signal_asked(); i++) {
        const int status = run_training(lab, row, i, built, o);
        if (row->chosen || status == KEPT)
            read_outcome(&row->trainings[i], status);
        built = built || (status != KEPT && status != ABSENT && has_program(row));
    }
}

static bool run_row(Lab *lab, Experiment *row, const Options *o)
{
    run_trainings(lab, row, o);
    summarise(row);
    if (row->chosen)
        printf("%s\n", row_line(lab, row));
    fflush(stdout);
    copy_logs(row);
    return !row->chosen || write_reports(lab);
}

static int count_rows(const Lab *lab, Outcome outcome)
{
    int count = 0;
    for (int i = 0; i < lab->count; i++)
        count += lab->rows[i].outcome == outcome;
    return count;
}

// Of rows of which others finished.
static int count_failed_seeds(const Lab *lab)
{
    int count = 0;
    for (int i = 0; i < lab->count; i++)
        count += lab->rows[i].outcome == FINISHED ? lab->rows[i].failed : 0;
    return count;
}

static int end(const Lab *lab)
{
    printf("\n%s\nreports       %s/report.html, .md, .csv, .json and .svg\n", lab_text(lab),
           lab->folder);
    fflush(stdout);
    if (signal_asked()) {
        error_at(E934, (Loc){0}, "stopped with %d of %d rows finished",
                 count_rows(lab, FINISHED), lab->count);
        note_at((Loc){0}, "the same command goes on where this one stopped");
        return 128 + signal_asked();
    }
    const int stopped = count_rows(lab, STOPPED), failed = count_rows(lab, FAILED);
    const int seeds_failed = count_failed_seeds(lab);
    if (stopped) { // each training by a signal of its own
        error_at(E934, (Loc){0}, "%d of %d rows were stopped", stopped, lab->count);
        note_at((Loc){0}, "the same command goes on where they stopped");
    }
    if (failed || seeds_failed)
        error_at(E933, (Loc){0}, "%d of %d rows failed%s", failed, lab->count,
                 seeds_failed ? format(", and %d seed%s of the others", seeds_failed,
                                       seeds_failed > 1 ? "s" : "")
                              : "");
    return stopped || failed || seeds_failed ? MISTAKE : DONE;
}

int run_experiments(Lab *lab, const Options *o)
{
    if (!make_folders(lab->folder) || !lock_folder(lab))
        return MISTAKE;
    plan_trainings(lab, o->seeds);
    catch_signals(0); // the running row's training ends by the same; then no other row is begun
    for (int i = 0; i < lab->count; i++) // first what is there, so that each report has it
        if (!lab->rows[i].chosen)
            run_row(lab, &lab->rows[i], o);
    for (int i = 0; i < lab->count && !signal_asked(); i++)
        if (lab->rows[i].chosen && !run_row(lab, &lab->rows[i], o))
            return MISTAKE;
    return write_reports(lab) ? end(lab) : MISTAKE;
}
