// clause_text.c: a statement as text, with numbers for names, and without what is a default.
#include "language.h"

#include <string.h>

// "2" of a size written 2 or 2x2.
static const char *squared(const char *size)
{
    const char *const by = strchr(size, 'x');
    const size_t length = by ? (size_t)(by - size) : 0;
    const bool square = by && strlen(by + 1) == length && !strncmp(size, by + 1, length);
    return square ? by + 1 : size;
}

static const char *value_text(const Setting *setting)
{
    const char *const value = setting_value(setting);
    return value ? value : "";
}

static const char *option_text(const Setting *setting)
{
    return setting->kind == SETTING_SIZE ? squared(value_text(setting)) : value_text(setting);
}

// "=size" is the value of `size`.
static const char *default_text(const Clause *clause, const Row *field)
{
    const char *const fallback = field->fallback ? field->fallback : "";
    return *fallback == '=' ? option_text(setting(clause, fallback + 1)) : fallback;
}

// Values first, then options that are not at their default; a layer's name is no part of what it
// does.
const char *clause_text(const Clause *clause)
{
    Text text = {0};
    text_add(&text, "%s", clause->word);
    const Row *const row = statement_row(clause->word);
    int i = 0;
    for (const Row *field = next_field(row); field && field->type == ROW_VALUE;
         field = next_field(field))
        text_add(&text, " %s", value_text(&clause->settings[i++]));
    if (clause->activation)
        text_add(&text, " %s", clause->activation);
    const char *const choice = clause->setting_count ? clause->settings[0].word : NULL;
    for (; i < clause->setting_count; i++) {
        const Setting *const s = &clause->settings[i];
        const Row *const field = option_row(row, s->name, choice);
        if (s->kind != SETTING_NAME && strcmp(option_text(s), default_text(clause, field)) != 0)
            text_add(&text, " %s %s", s->name, option_text(s));
    }
    return text.text;
}
