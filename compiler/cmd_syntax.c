// cmd_syntax.c: `netc syntax EDITOR` prints what makes an editor colour .net files, from the table
// of statements.
#include "command.h"
#include "json.h"

#include <string.h>

// The words of the language by what they are. A word may be of several kinds.
typedef struct {
    Words layers, training, other, options, choices, units;
} Vocabulary;

static Vocabulary read_vocabulary(void)
{
    Vocabulary v = {0};
    for (const Row *row = next_statement(NULL); row; row = next_statement(row)) {
        const bool layer = row->section == SECTION_LAYER || row->section == SECTION_ACTIVATION;
        words_add(layer                              ? &v.layers
                  : row->section == SECTION_TRAINING ? &v.training
                                                     : &v.other,
                  row->name);
        for (const Row *field = next_field(row); field; field = next_field(field)) {
            if (field->type == ROW_OPTION)
                words_add(&v.options, field->name);
            for (int i = 0; field->choices && field->choices[i]; i++)
                words_add(&v.choices, field->choices[i]);
            if (field->unit)
                words_add(&v.units, field->unit);
            for (const char *const *time = field->times; time && *time; time++)
                words_add(&v.units, *time);
        }
    }
    return v;
}

// --- Vim ----------------------------------------------------------------------------------------

static void print_vim(void)
{
    const Vocabulary v = read_vocabulary();
    printf("\" .net files of netc; made by `netc syntax vim`\n"
           "if exists('b:current_syntax')\n"
           "    finish\n"
           "endif\n\n"
           "syntax iskeyword @,48-57,_,-\n"
           "\" where two match, the later one wins\n"
           "syntax match netcOption '\\<\\(%s\\)\\>'\n"
           "syntax match netcChoice '\\<\\(%s\\)\\>'\n"
           "syntax match netcUnit '\\<\\(%s\\)\\>'\n",
           words_joined(v.options, "\\|"), words_joined(v.choices, "\\|"),
           words_joined(v.units, "\\|"));
    printf("syntax match netcNumber '\\<\\d\\+\\(\\.\\d*\\)\\?\\([eE][-+]\\?\\d\\+\\)\\?%%\\?'\n"
           "syntax match netcSize '\\<\\d\\+\\(x\\d\\+\\)\\+\\>'\n"
           "syntax match netcActivation '\\<\\(%s\\)\\>'\n"
           "syntax match netcLayer '\\(^\\|[;{}]\\)\\s*\\zs\\(%s\\)\\>'\n"
           "syntax match netcTraining '\\(^\\|[;{}]\\)\\s*\\zs\\(%s\\)\\>'\n"
           "syntax match netcStatement '\\(^\\|[;{}]\\)\\s*\\zs\\(%s\\)\\>'\n"
           "syntax match netcComment '#.*' contains=@Spell\n"
           "syntax region netcString start='\"' end='\"' oneline\n\n",
           words_joined(statement_words(SECTION_ACTIVATION), "\\|"), words_joined(v.layers, "\\|"),
           words_joined(v.training, "\\|"), words_joined(v.other, "\\|"));
    static const char *const groups[][2] = {
        {"netcOption", "Identifier"}, {"netcChoice", "Constant"},  {"netcUnit", "Type"},
        {"netcNumber", "Number"},     {"netcSize", "Number"},      {"netcActivation", "Function"},
        {"netcLayer", "Statement"},   {"netcTraining", "PreProc"}, {"netcStatement", "Structure"},
        {"netcComment", "Comment"},   {"netcString", "String"}};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        printf("highlight default link %s %s\n", groups[i][0], groups[i][1]);
    printf("\nlet b:current_syntax = 'netc'\n");
}

// --- TextMate -----------------------------------------------------------------------------------

static void add_pattern(cJSON *patterns, const char *scope, const char *match)
{
    cJSON *const pattern = cJSON_CreateObject();
    cJSON_AddStringToObject(pattern, "name", format("%s.netc", scope));
    cJSON_AddStringToObject(pattern, "match", match);
    cJSON_AddItemToArray(patterns, pattern);
}

static void add_words(cJSON *patterns, const char *scope, const char *before, Words words)
{
    if (words.count)
        add_pattern(patterns, scope,
                    format("%s\\b(?:%s)(?![\\w-])", before, words_joined(words, "|")));
}

static void print_textmate(void)
{
    const Vocabulary v = read_vocabulary();
    cJSON *const root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "$schema",
                            "https://raw.githubusercontent.com/martinring/tmlanguage/master/"
                            "tmlanguage.json");
    cJSON_AddStringToObject(root, "name", "netc");
    cJSON_AddStringToObject(root, "scopeName", "source.netc");
    cJSON *const types = cJSON_AddArrayToObject(root, "fileTypes");
    cJSON_AddItemToArray(types, cJSON_CreateString("net"));
    cJSON *const patterns = cJSON_AddArrayToObject(root, "patterns");
    add_pattern(patterns, "string.quoted.double", "\"[^\"]*\"");
    add_pattern(patterns, "comment.line.number-sign", "#.*$");
    add_pattern(patterns, "constant.numeric.size", "\\b\\d+(?:x\\d+)+\\b");
    add_pattern(patterns, "constant.numeric", "(?:\\b\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?%?");
    add_words(patterns, "keyword.control", "(?:^|(?<=[;{}]))\\s*", v.other);
    add_words(patterns, "keyword.other", "(?:^|(?<=[;{}]))\\s*", v.training);
    add_words(patterns, "entity.name.function", "(?:^|(?<=[;{}]))\\s*", v.layers);
    add_words(patterns, "support.function", "(?<![\\w-])", statement_words(SECTION_ACTIVATION));
    add_words(patterns, "variable.parameter", "(?<![\\w-])", v.options);
    add_words(patterns, "support.constant", "(?<![\\w-])", v.choices);
    add_words(patterns, "keyword.other.unit", "(?<![\\w-])", v.units);
    add_pattern(patterns, "keyword.operator", "[-+*/=]");
    print_and_delete(root);
}

int run_syntax(const Options *o)
{
    if (!strcmp(o->paths.items[0], "vim"))
        print_vim();
    else if (!strcmp(o->paths.items[0], "textmate"))
        print_textmate();
    else
        return usage_error(E909,
                           format("'%s' is none of %s", o->paths.items[0], o->command->arguments));
    return DONE;
}
