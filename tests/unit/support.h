// support.h: what the unit tests of the runtime share: a folder of their own, files written byte by
// byte, and commands run inside the test with their output caught.
#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../runtime/run.h"
#include "small_model.h"

#define UNUSED __attribute__((unused))

static char folder[64];
static char output[1 << 16], errors[1 << 14]; // of the last command

// A new folder, which is also the current one.
UNUSED static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/netc-unit-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

UNUSED static int leave_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

UNUSED static void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

// The whole file, with a zero byte after it; the caller frees it.
UNUSED static char *read_bytes(const char *path, size_t *size)
{
    struct stat found;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &found), 0);
    char *bytes = calloc(1, (size_t)found.st_size + 1);
    assert_non_null(bytes);
    *size = fread(bytes, 1, (size_t)found.st_size, file);
    assert_int_equal(*size, found.st_size);
    fclose(file);
    return bytes;
}

UNUSED static bool same_files(const char *left, const char *right)
{
    size_t sizes[2];
    char *bytes[2] = {read_bytes(left, &sizes[0]), read_bytes(right, &sizes[1])};
    const bool same = sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0;
    free(bytes[0]);
    free(bytes[1]);
    return same;
}

UNUSED static void assert_problem(const char *part)
{
    if (!strstr(problem(), part))
        fail_msg("expected '%s' in: %s", part, problem());
}

// --- data sets ----------------------------------------------------------------------------------

UNUSED static size_t put_number(unsigned char *to, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(number >> (24 - 8 * i));
    return 4;
}

// An IDX file of the given header; returns its size.
UNUSED static size_t make_idx(unsigned char *to, uint32_t magic, int dims, const uint32_t *dim,
                              const unsigned char *content, size_t size)
{
    size_t used = put_number(to, magic);
    for (int i = 0; i < dims; i++)
        used += put_number(to + used, dim[i]);
    memcpy(to + used, content, size);
    return used + size;
}

// `count` pictures of 4x4 whose bright row tells the class, under much noise.
UNUSED static void write_part(const char *prefix, uint32_t count)
{
    static unsigned char pictures[16 * 512], labels[512], file[16 * 512 + 16];
    const uint64_t key = nn_key(7, nn_stream(prefix), 0);
    char path[128];
    for (uint32_t i = 0; i < count; i++) {
        labels[i] = (unsigned char)(nn_bits(key, i) % 3);
        for (uint32_t j = 0; j < 16; j++)
            pictures[16 * i + j] = (unsigned char)(nn_bits(key, 1000 + 16 * i + j) % 160 +
                                                   (j / 4 == labels[i] ? 90 : 0));
    }
    const uint32_t dim[] = {count, 4, 4};
    snprintf(path, sizeof path, "data/mnist/%s-images-idx3-ubyte", prefix);
    write_bytes(path, file, make_idx(file, 0x803, 3, dim, pictures, 16 * count));
    snprintf(path, sizeof path, "data/mnist/%s-labels-idx1-ubyte", prefix);
    write_bytes(path, file, make_idx(file, 0x801, 1, dim, labels, count));
}

UNUSED static int write_data(void **state)
{
    if (enter_folder(state) != 0 || !make_folders("data/mnist"))
        return -1;
    write_part("train", 203);
    write_part("t10k", 30);
    return 0;
}

// --- commands -----------------------------------------------------------------------------------

UNUSED static void catch_into(const char *path, char *text, size_t size)
{
    size_t length;
    char *bytes = read_bytes(path, &length);
    snprintf(text, size, "%s", bytes);
    free(bytes);
}

// Runs a command line of space-separated words; its status. What it prints is in output and errors.
UNUSED static int run(const NnModel *model, const char *line)
{
    char words[512], *argument[64] = {(char *)(uintptr_t)"small"};
    int count = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argument[count++] = word;
    fflush(stdout);
    const int out = dup(1), err = dup(2);
    assert_non_null(freopen("stdout.txt", "w", stdout));
    assert_non_null(freopen("stderr.txt", "w", stderr));
    const int status = run_command_line(model, count, argument);
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    catch_into("stdout.txt", output, sizeof output);
    catch_into("stderr.txt", errors, sizeof errors);
    return status;
}

UNUSED static void assert_said(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected '%s' in: %s", part, text);
}

#endif
