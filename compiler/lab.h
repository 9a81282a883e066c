// lab.h: experiments: networks that are built and trained one after the other, and compared with
// each other and with published results.
//
// `netc lab` reads them from a file, `netc sweep` makes them of one network and lists of numbers.
#ifndef LAB_H
#define LAB_H

#include "command.h"

typedef enum { NOT_RUN, FINISHED, FAILED, STOPPED } Outcome;

// Accuracies are in percent; NAN stands for a number that there is none of.
typedef struct {
    double accuracy, loss, seconds;
} Score;

typedef struct {
    double loss, accuracy, validation_loss, validation_accuracy;
} LabEpoch;

typedef struct {
    int number;          // from 1
    const char *section; // "": none
    const char *network; // in a few words
    const char *net;     // path of the .net
    List defines, sets;
    Score published;
    const char *note, *why; // "": none; why: of a difference from the published accuracy
    const char *folder;     // of what the training writes
    bool chosen;            // to be run

    Outcome outcome;
    bool kept;           // finished in an earlier run
    const char *problem; // FAILED: in a line
    long parameters;
    Score ours;          // of the test; seconds of the epochs
    double wall_seconds; // of building, training and testing
    LabEpoch *epochs;
    int epoch_count;
} Experiment;

typedef struct {
    const char *name, *teaches;
} LabSection;

typedef struct {
    const char *title, *about;
    LabSection *sections;
    int section_count;
    Experiment *rows;
    int count;
    bool compared;      // there are published results
    const char *folder; // of the reports and the rows' folders
} Lab;

// --- lab_read.c ---------------------------------------------------------------------------------
Lab *read_lab(const char *path); // NULL after an error

// --- lab_choice.c: --rows -----------------------------------------------------------------------
bool choose_rows(Lab *lab, const char *rows); // "1,3-5"; NULL: all; false after an error

// --- lab.c: the rows, one after the other -------------------------------------------------------
int run_experiments(Lab *lab, const Options *o); // the exit status; writes the reports

// --- lab_row.c: one row, in a process of its own ------------------------------------------------
enum { KEPT = 3, ABSENT }; // more exit statuses: finished before, and not, but not chosen either
// Builds and trains it, if it is chosen and wasn't finished before; returns the exit status.
int run_row_process(const Lab *lab, const Experiment *row, const Options *o);
void pass_on_signal(int number); // to the process that runs at the moment
void read_outcome(Experiment *row, int status); // what it left

// --- fingerprint.c ------------------------------------------------------------------------------
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count);
uint64_t hash_folder(uint64_t hash, const char *folder); // names and contents of its files
extern const uint64_t hash_start;

// --- lab_table.c: the table, in forms for people and for programs -------------------------------
const char *lab_text(const Lab *lab);
const char *lab_csv(const Lab *lab);
const char *lab_json(const Lab *lab);
const char *row_line(const Lab *lab, const Experiment *row); // when it has ended

// --- lab_markdown.c, lab_html.c, lab_picture.c --------------------------------------------------
const char *lab_markdown(const Lab *lab);
const char *lab_html(const Lab *lab);
const char *lab_picture(const Lab *lab);        // accuracy and loss of all rows
const char *row_picture(const Experiment *row); // and over the epochs of one

// --- lab_table.c, for them ----------------------------------------------------------------------
const char *section_teaches(const Lab *lab, const char *name); // "" where it says nothing
const char *score_text(double number, int decimals);           // "" of none
const char *difference_text(const Experiment *row);            // from the published, and why
double published_seconds(const Lab *lab);                      // of the rows that have some
bool is_first_of_section(const Lab *lab, const Experiment *row);

#endif
