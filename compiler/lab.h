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

// A row's training with one seed.
typedef struct {
    const char *folder; // of what it writes
    Outcome outcome;
    bool kept;           // finished in an earlier run
    const char *problem; // FAILED: in a line
    bool logged;         // FAILED: its log says so too
    double seed;         // NAN: not known
    long parameters;
    Score score;         // of the test; seconds of the epochs
    double wall_seconds; // of building, training and testing
    LabEpoch *epochs;
    int epoch_count;
} Training;

typedef struct {
    int number;          // from 1
    const char *section; // "": none
    const char *network; // in a few words
    const char *net;     // path of the .net
    List defines, sets;
    Score published;
    const char *note, *why; // "": none; why: of a difference from the published accuracy
    const char *folder;     // of its program and its first training
    bool chosen;            // to be run
    Training *trainings;    // one for each seed
    int seeds;

    // What the trainings are together; summarise() in lab_seeds.c.
    Outcome outcome;
    int finished, failed;  // how many of them
    bool kept;             // all that finished
    const char *problem;   // of the first that failed
    const Training *first; // that finished
    long parameters;
    Score ours, least, most;      // the mean, and either end, of those that finished
    double seconds, wall_seconds; // of all of them
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
    int seeds;          // of each row
    bool compared;      // there are published results
    const char *folder; // of the reports and the rows' folders
} Lab;

// --- lab_read.c ---------------------------------------------------------------------------------
Lab *read_lab(const char *path); // NULL after an error

// --- lab_choice.c: --rows -----------------------------------------------------------------------
bool choose_rows(Lab *lab, const char *rows); // "1,3-5"; NULL: all; false after an error

// --- lab.c: the rows, one after the other -------------------------------------------------------
int run_experiments(Lab *lab, const Options *o); // the exit status; writes the reports

// --- lab_seeds.c: a row's trainings -------------------------------------------------------------
// Each row's, in its folder; `seeds` of --seeds, where it is given, goes before the lab's.
void plan_trainings(Lab *lab, const char *seeds);
void summarise(Experiment *row); // when its trainings have ended

// --- lab_training.c: one training, in a process of its own --------------------------------------
enum { KEPT = 3, ABSENT }; // more exit statuses: finished before, and not, but not chosen either
// Builds the row's program, unless it is built, and trains it, if the row is chosen and this
// training wasn't finished before; returns the exit status.
int run_training(const Lab *lab, const Experiment *row, int index, bool built, const Options *o);
bool has_program(const Experiment *row);
void catch_signals(int flags); // of sigaction(); those that the caller ignored stay so
int signal_asked(void);          // the last of those passed on; 0: none yet

// --- lab_outcome.c ------------------------------------------------------------------------------
void read_outcome(Training *training, int status); // what it left

// --- lab_table.c: the table, in forms for people and for programs -------------------------------
const char *lab_text(const Lab *lab);
const char *lab_csv(const Lab *lab);
const char *lab_json(const Lab *lab);

// --- lab_markdown.c, lab_html.c, lab_picture.c --------------------------------------------------
const char *lab_markdown(const Lab *lab);
const char *lab_html(const Lab *lab);
const char *lab_picture(const Lab *lab);        // accuracy and loss of all rows
const char *row_picture(const Experiment *row); // and over the epochs of one

// --- lab_words.c: what several of them say ------------------------------------------------------
const char *taken_text(double seconds); // ", 12.3 s"; "" where it is NAN
const char *row_line(const Lab *lab, const Experiment *row);   // when it has ended
const char *outcome_text(Outcome outcome);                     // "finished"
const char *section_teaches(const Lab *lab, const char *name); // "" where it says nothing
const char *score_text(double number, int decimals);           // "" of none
const char *loss_text(double loss);                            // "" of none
const char *spread_text(const Experiment *row);                // of the accuracy; "" of none
const char *means_text(const Lab *lab);                        // of several seeds; "" of one
const char *problem_text(const Experiment *row);               // "" where all is well
const char *difference_text(const Experiment *row);            // from the published, and why
double published_seconds(const Lab *lab);                      // of the rows that have some
bool is_first_of_section(const Lab *lab, const Experiment *row);

#endif
