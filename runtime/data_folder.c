// data_folder.c: pictures in a folder for each class, which is called as the folder is.
//
// Folders and files are taken in the order of their names, whatever the file system's is. What
// begins with a point is hidden and left alone; anything else has to be a picture.

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data.h"

typedef struct {
    char **name; // sorted; each owned
    int count, room;
} List;

static void list_free(List *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->name[i]);
    free(list->name);
    *list = (List){0};
}

static bool list_add(List *list, const char *name)
{
    if (list->count == list->room) {
        const int room = 2 * list->room + 64;
        char **larger = realloc(list->name, (size_t)room * sizeof *larger);
        if (!larger)
            return failed("out of memory");
        list->name = larger;
        list->room = room;
    }
    list->name[list->count] = strdup(name);
    return list->name[list->count] ? ++list->count : failed("out of memory");
}

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool list_names(List *folders, List *files, const char *path)
{
    DIR *folder = opendir(path);
    bool done = folder ? true : failed("cannot read the folder '%s': %s", path, strerror(errno));
    for (struct dirent *entry; done && (entry = readdir(folder));) {
        char inside[RUN_PATH];
        struct stat found;
        if (entry->d_name[0] == '.')
            continue;
        done = path_join(inside, path, entry->d_name);
        if (done && stat(inside, &found) != 0)
            done = failed("cannot read '%s': %s", inside, strerror(errno));
        else if (done)
            done = list_add(S_ISDIR(found.st_mode) ? folders : files, entry->d_name);
    }
    if (folder)
        closedir(folder);
    List *const lists[] = {folders, files};
    for (int i = 0; i < 2; i++)
        if (lists[i]->count > 0)
            qsort(lists[i]->name, (size_t)lists[i]->count, sizeof *lists[i]->name, by_bytes);
    return done;
}

bool is_picture_name(const char *path)
{
    static const char *const endings[] = {".png", ".pgm", ".ppm"};
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && i < 3; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool add_picture(DataSet *set, const Wanted *wanted, const char *path, unsigned char label,
                        size_t *room)
{
    const size_t size = (size_t)example_size(wanted->model);
    if ((size_t)set->count == *room) {
        *room = 2 * *room + 64;
        unsigned char *pictures = realloc(set->pictures, *room * size);
        set->pictures = pictures ? pictures : set->pictures;
        unsigned char *labels = realloc(set->labels, *room);
        set->labels = labels ? labels : set->labels;
        if (!pictures || !labels || *room > MOST_EXAMPLES)
            return failed("out of memory for %zu pictures", *room);
    }
    unsigned char *pixels = set->pictures + (size_t)set->count * size;
    if (!is_picture_name(path))
        return failed("'%s' is no picture that can be read: expected .png, .pgm or .ppm", path);
    if (!picture_read(path, wanted->model, false, pixels))
        return false;
    set->labels[set->count++] = label;
    return true;
}

static bool read_class(DataSet *set, const Wanted *wanted, const char *path, unsigned char label,
                       size_t *room)
{
    List folders = {0}, files = {0};
    bool done = list_names(&folders, &files, path);
    if (done && folders.count > 0)
        done = failed("'%s/%s' is a folder inside of a class: its pictures belong in '%s'", path,
                      folders.name[0], path);
    if (done && files.count == 0)
        done = failed("the folder '%s' has no pictures", path);
    for (int i = 0; done && i < files.count; i++) {
        char file[RUN_PATH];
        done = path_join(file, path, files.name[i]) && add_picture(set, wanted, file, label, room);
    }
    list_free(&folders);
    list_free(&files);
    return done;
}

static void no_place(char text[64], int i, const void *context)
{
    (void)text, (void)i, (void)context;
}

bool folder_read(DataSet *set, const Wanted *wanted)
{
    char path[RUN_PATH];
    List folders = {0}, files = {0};
    size_t room = 0;
    const char *name = wanted->files.inputs;
    if (*name == '/' || strcmp(wanted->folder, ".") == 0)
        snprintf(path, sizeof path, "%s", name);
    else if (!path_join(path, wanted->folder, name))
        return false;
    unsigned char *labels = NULL;
    bool done = list_names(&folders, &files, path);
    for (int i = 0; done && i < files.count; i++)
        if (is_picture_name(files.name[i]))
            done = failed("'%s/%s' is of no class: the pictures of each lie in a folder of '%s'",
                          path, files.name[i], path);
    if (done && folders.count == 0)
        done = failed("the folder '%s' has no folders, one for each class", path);
    if (done && (labels = allocate((size_t)folders.count, 1)))
        done = classes_find(wanted, path, folders.name, folders.count, labels, no_place, NULL);
    for (int i = 0; done && labels && i < folders.count; i++) {
        char inside[RUN_PATH];
        done = path_join(inside, path, folders.name[i]) &&
               read_class(set, wanted, inside, labels[i], &room);
    }
    free(labels);
    list_free(&folders);
    list_free(&files);
    return done && set->count > 0;
}
