// netc.h: what all of the compiler uses: memory, text, places in a text with messages about them,
// and files. Each header groups its types and prototypes by the file that defines them:
//
//   language.h   what a .net file says
//   ir.h         what a network is: its graphs, nodes and tensors
//   passes.h     what turns the one into the other, and makes that ready to be written
//   emit.h       C text
//   build.h      programs of it
//
// The pipeline, one file per pass (compile.c runs it):
//   .net -> parse -> resolve -> lower -> shape -> grad -> fuse -> schedule -> plan -> emit -> C
#ifndef NETC_H
#define NETC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

// --- memory.c: memory, and texts that are kept once ---------------------------------------------
// Memory is taken from one arena and never given back: a compilation is short.
void *allocate(size_t size); // zeroed; aborts when there is none
const char *intern(const char *text, size_t length); // equal texts are the same pointer
void memory_reset(void); // forgets everything allocated; for the fuzz targets

// --- hash.c -------------------------------------------------------------------------------------
extern const uint64_t hash_start;
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count); // of what was hashed and these

// --- text.c: text that grows, and what numbers and words look like in it ------------------------
typedef struct {
    char *text; // always ends in '\0'
    size_t length, capacity;
} Text;
void text_add(Text *text, const char *format, ...) PRINTF(2, 3);
void text_add_list(Text *text, const char *format, va_list args) PRINTF(2, 0);
bool text_once(Text *names, const char *name); // false where it is there; otherwise adds it
void text_put(Text *text, const char *bytes, size_t length);
char *format(const char *format, ...) PRINTF(1, 2);
char *format_list(const char *format, va_list args) PRINTF(1, 0);

const char *number_text(double number);   // the shortest text that reads back as the same number
const char *percent_text(double number);  // "25%" of 0.25
const char *bytes_text(double bytes);     // "1.23 MB", of a million
const char *seconds_text(double seconds); // "1.23 ms"
const char *join_words(const char *const *words, int count, const char *last); // "a, b or c"
const char *blanks(int count);
int text_columns(const char *text); // characters, of which each is taken for one column wide
int columns_in(const char *text, size_t length); // the same of its first bytes
bool starts_with(const char *text, const char *start);
bool is_letter(char c); // of a name: a digit and '_' are, too
bool are_plain_words(const char *text); // and numbers, as a statement of the language has them

// --- spelling.c: words that are nearly the same -------------------------------------------------
bool same_letters(const char *a, const char *b); // equal but for the case of the letters
// The nearest of `count` words to `word`, or NULL when none is near enough to suggest.
const char *nearest_word(const char *word, const char *const *words, int count);

// --- source.c: places in the text, and messages about them --------------------------------------
typedef struct {
    const char *path; // as messages show it; "-D" for a text of the command line
    char *text;       // ends in '\0', which is not counted
    size_t length;
    const int *line_starts; // offset of the first byte of each line
    int line_count;
} Source;

typedef struct {
    const Source *source; // NULL: no place (a default)
    int start, end;       // bytes; start < 0: the file as a whole
} Loc;

const Source *source_read(const char *path); // NULL after an error was printed
const Source *source_of_bytes(const char *path, const char *text, size_t length);
const Source *source_of_text(const char *path, const char *text);
void loc_position(Loc loc, int *line, int *column); // from 1; a column is a character, not a byte
const char *loc_text(Loc loc);                      // what stands there
bool has_control(const char *text); // what neither a terminal nor a report should get
const char *readable(const char *text); // a copy with '_' for each byte of that

// The kinds of mistakes, E001 and so on.
typedef enum {
#define ERROR(code, ...) code,
#include "errors.def"
#undef ERROR
    ERROR_CODES
} ErrorCode;

// Prints `path:line:column: error: … [code]`, the line and a caret span under it. Errors are
// counted and compilation goes on to find more; notes belong to the error before them. Without a
// source it is netc that speaks.
void error_at(ErrorCode code, Loc loc, const char *format, ...) PRINTF(3, 4);
const char *error_name(ErrorCode code); // "E001"
void warn_at(Loc loc, const char *format, ...) PRINTF(2, 3);
void note_at(Loc loc, const char *format, ...) PRINTF(2, 3); // loc.source NULL: no place shown
enum { MAX_ERRORS = 50 };                                    // that are shown
int error_count(void);
void messages_reset(void);     // where another file begins
void messages_quiet(bool on); // says no warnings and notes: they were said before

// A mistake of the compiler: prints its own place, asks for a report and aborts.
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *format, ...) PRINTF(3, 4);

// --- file.c: whole files, and folders -----------------------------------------------------------
// Writes a file whole or not at all, with the mode of the one it replaces; path NULL: to standard
// output. After a crash of the machine, one that was KEPT_SAFE is there, old or new. False after an
// error was printed.
typedef enum { MADE_AGAIN, KEPT_SAFE } Keeping;
bool write_file(const char *path, const char *text, Keeping keeping);
const char *file_stem(const char *path); // "mnist" of "models/mnist.net"
bool same_file(const char *a, const char *b); // both are there, and one
// All that is left of it; its bytes are counted where `length` is not NULL.
const char *read_stream(FILE *file, size_t *length);
// Those that lead to it too; they may be there. False after an error was printed.
bool make_folders(const char *path);
const char *temporary_folder(void); // for the caller to remove; NULL after an error was printed

#endif
