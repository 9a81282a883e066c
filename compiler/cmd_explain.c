// cmd_explain.c: `netc explain conv` is the manual's entry of a statement, `netc explain E302` an
// error with a wrong and a right example; alone, it lists what can be asked for.
#include "command.h"
#include "terminal.h"

#include <string.h>

static const struct {
    const char *code, *title, *wrong, *right, *remedy;
} errors[] = {
#define ERROR(code, title, wrong, right, remedy) {#code, title, wrong, right, remedy},
#include "errors.def"
#undef ERROR
};
enum { ERROR_COUNT = (int)(sizeof errors / sizeof *errors) };

static void print_example(const char *title, const char *text)
{
    if (!*text)
        return;
    printf("\n%s:\n", title);
    while (*text) {
        const size_t length = strcspn(text, "\n");
        printf("    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static bool explain_error(const char *word)
{
    for (int i = 0; i < ERROR_COUNT; i++) {
        if (!same_letters(errors[i].code, word))
            continue;
        print_title(format("%s: %s", errors[i].code, errors[i].title));
        printf("\n");
        print_wrapped(errors[i].remedy, 0, 0);
        print_example("wrong", errors[i].wrong);
        print_example("right", errors[i].right);
        return true;
    }
    return false;
}

// The entry of a word: a statement, a choice of one (`adam`), or any other heading of the manual.
static Blocks entry(const char *word)
{
    const Blocks section = manual_section(word);
    const Row *const owner = section.count ? NULL : choice_owner(intern(word, strlen(word)));
    return owner ? manual_section(owner->name) : section;
}

// That of our word, or, where it is an attribute, of the statement in the example.
static Blocks entry_of(const Foreign *known)
{
    const Blocks own = entry(known->ours);
    const int statement = (int)strcspn(known->example, " ");
    return own.count ? own : entry(format("%.*s", statement, known->example));
}

static int unknown(const char *word)
{
    const Words known = manual_names(), owners = option_owners(word);
    const char *const near = owners.count ? NULL : nearest_word(word, known.words, known.count);
    error_at(E908, (Loc){0}, "there is nothing to explain by the name '%s'%s", word,
             near ? format("; did you mean '%s'?", near) : "");
    if (owners.count)
        note_at((Loc){0}, "'%s' is an attribute of %s: see 'netc explain %s'", word,
                join_words(owners.words, owners.count, "and"), owners.words[0]);
    else
        note_at((Loc){0}, "'netc explain' lists what there is");
    return USAGE;
}

static void list_all(void)
{
    static const char *const titles[SECTION_ANY] = {
        [SECTION_PARAM] = "numbers with a name",
        [SECTION_INPUT] = "the input",
        [SECTION_LAYER] = "layers",
        [SECTION_ACTIVATION] = "activations",
        [SECTION_STRUCTURE] = "what writes layers",
        [SECTION_TRAINING] = "training",
    };
    for (int section = 0; section < SECTION_ANY; section++) {
        if (!titles[section])
            bug("section %d has no title", section);
        printf("%s\n", titles[section]);
        for (const Row *row = next_statement(NULL); row; row = next_statement(row))
            if ((int)row->section == section)
                printf("  %-16s%s\n", row->name, row->about);
        printf("\n");
    }
    printf("errors\n");
    for (int i = 0; i < ERROR_COUNT; i++)
        printf("  %-16s%s\n", errors[i].code, errors[i].title);
}

int run_explain(const Options *o)
{
    if (!o->paths.count) {
        list_all();
        return DONE;
    }
    const char *word = o->paths.items[0]; // or `first weights`
    for (int i = 1; i < o->paths.count; i++)
        word = format("%s %s", word, o->paths.items[i]);
    if (explain_error(word))
        return DONE;
    const Blocks blocks = entry(word);
    const Foreign *known = blocks.count ? NULL : foreign_word(word);
    if (known && !strcmp(word, known->ours))
        known = NULL; // an attribute of ours
    if (!blocks.count && !known)
        return unknown(word);
    if (known)
        printf("'%s' looks like %s; here one writes '%s'.\n\n", word, known->tool, known->example);
    print_blocks(known ? entry_of(known) : blocks);
    return DONE;
}
