// data.h: what the readers of data sets share: a format's file has one function that fills a set.
//
// A header is a promise that a damaged file need not keep: memory grows with the bytes that
// arrive, and every number is checked before it is used.
#ifndef DATA_H
#define DATA_H

#include <zlib.h>

#include "run.h"

enum { MOST_EXAMPLES = 1 << 30 };

// What is to be read. The set that a reader gets is empty; what it leaves in it after a failure is
// the caller's to free.
typedef struct {
    const NnModel *model;
    const char *folder; // that paths begin at, where they don't begin with '/'
    NnFiles files;
    DataPart part;
    const char *trained; // the folder of what the network learns from
    bool answers;      // false: to predict; then a file may be without them
    Classes **classes; // what the labels are called; *classes NULL: not known, or just numbers
} Wanted;

bool idx_read(DataSet *set, const Wanted *wanted);
bool cifar_read(DataSet *set, const Wanted *wanted);
bool csv_read(DataSet *set, const Wanted *wanted);
bool npy_read(DataSet *set, const Wanted *wanted);
// False after failed() where `name` holds bytes and the training's array in `folder` does not, or
// the other way round: they would be multiplied by another number.
bool npy_scaled_alike(const NnModel *model, const char *folder, const char *name, bool bytes);
bool folder_read(DataSet *set, const Wanted *wanted);
bool is_picture_name(const char *path); // of a file that picture_read() may read

long example_size(const NnModel *model); // numbers of one
const char *example_word(const NnModel *model); // "picture", or "example" of a row of values
bool in_target_range(const NnModel *model, float target);
const char *target_range_text(const NnModel *model); // "from 0 to 1"

// --- data_file.c: files, plain or gzipped -------------------------------------------------------
typedef struct {
    char path[RUN_PATH];
    gzFile file; // reads a plain file as it is
    size_t room; // a first guess at the bytes that it holds
} Source;

bool source_open(Source *source, const Wanted *wanted, const char *name);
bool source_place(Source *source, const char *folder, const char *name); // sets source->path
bool source_open_path(Source *source); // source->path is set
void source_close(Source *source);
// Reads up to `size` bytes; false where the file is at fault, not where it is short.
bool source_read(const Source *source, void *to, size_t size, size_t *got);
// Reads exactly `size` bytes and the end of the file; the caller owns them. NULL after failed().
unsigned char *source_body(const Source *source, size_t size);
// All that is left, and a zero byte behind it; the caller owns it.
char *source_rest(const Source *source, size_t *size);

// --- data_classes.c -----------------------------------------------------------------------------
// Turns names into labels[count] by *classes, or makes *classes of them: sorted, as numbers where
// all are. `where` says of name i where it stands, in `text`.
bool classes_find(const Wanted *wanted, const char *path, char *const *names, int count,
                  unsigned char *labels, void (*where)(char text[64], int i, const void *context),
                  const void *context);
Classes *classes_of(char *const *names, int count); // one block, for free(); NULL after failed()

#endif
