// cmd_completion.c: `netc completion SHELL` prints what makes that shell complete netc's command
// line, from the tables that --help is made of.
#include "completion.h"

#include <ctype.h>
#include <string.h>

// --- what may stand where -----------------------------------------------------------------------

static bool mentions(const char *text, const char *what) { return strstr(text, what) != NULL; }

Completes value_completes(const Option *option, Words *words)
{
    *words = option_choices(option);
    if (words->count)
        return COMPLETE_WORDS;
    if (mentions(option->value, "FILE"))
        return COMPLETE_FILES;
    if (mentions(option->value, "DIR"))
        return COMPLETE_FOLDERS;
    if (!mentions(option->value, "WORD="))
        return COMPLETE_NOTHING;
    const Words statements = statement_words(SECTION_TRAINING);
    for (int i = 0; i < statements.count; i++)
        words_add(words, format("%s=", statements.words[i]));
    return COMPLETE_WORDS;
}

// `a|b` in lower case is a choice.
static bool is_choice(const char *text)
{
    return islower((unsigned char)*text) && mentions(text, "|");
}

Completes word_completes(const Command *command, Words *words)
{
    *words = (Words){0};
    const char *const text = command->arguments;
    if (mentions(text, ".net") || mentions(text, "FILE"))
        return COMPLETE_NETWORKS;
    if (mentions(text, "BIN") || mentions(text, ".json"))
        return COMPLETE_FILES;
    if (mentions(text, "WORD")) {
        *words = statement_words(SECTION_ANY);
        return COMPLETE_WORDS;
    }
    for (const char *at = text; is_choice(text) && *at;) {
        const size_t length = strcspn(at, "|");
        words_add(words, format("%.*s", (int)length, at));
        at += length + (at[length] == '|');
    }
    return words->count ? COMPLETE_WORDS : COMPLETE_NOTHING;
}

static const char *option_names(const Command *command)
{
    Words words = {0};
    for (const Option *o = next_option(NULL); o; o = next_option(o))
        if (takes_option(command, o))
            words_add(&words, o->name);
    return words_joined(words, " ");
}

static const char *command_names(const char *between)
{
    Text text = {0};
    for (const Command *c = next_command(NULL); c; c = next_command(c))
        text_add(&text, "%s%s", text.length ? between : "", c->name);
    return text.text;
}

// --- bash ---------------------------------------------------------------------------------------

// Names of files stand on lines of their own: they may have blanks.
static void bash_reply(Completes kind, Words words)
{
    switch (kind) {
    case COMPLETE_WORDS:
        printf("COMPREPLY=($(compgen -W '%s' -- \"$current\"))", words_joined(words, " "));
        break;
    case COMPLETE_NETWORKS: // and folders on the way to them
        printf("mapfile -t COMPREPLY < <(compgen -f -X '!*.net' -- \"$current\"; "
               "compgen -d -- \"$current\")");
        break;
    case COMPLETE_FILES:
        printf("mapfile -t COMPREPLY < <(compgen -f -- \"$current\")");
        break;
    case COMPLETE_FOLDERS:
        printf("mapfile -t COMPREPLY < <(compgen -d -- \"$current\")");
        break;
    case COMPLETE_NOTHING: printf("COMPREPLY=()"); break;
    }
}

static void print_bash(void)
{
    printf("# netc's command line in bash; made by `netc completion bash`\n"
           "_netc() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local command= word\n"
           "    # bash takes the = of --option=value for a word\n"
           "    if [ \"$current\" = = ]; then\n"
           "        current=\n"
           "    elif [ \"$before\" = = ]; then\n"
           "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
           "    fi\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD - 1}\"; do\n"
           "        case $word in\n"
           "        %s) command=$word && break ;;\n"
           "        esac\n"
           "    done\n"
           "    case $before in\n",
           command_names(" | "));
    for (const Option *o = next_option(NULL); o; o = next_option(o)) {
        if (!*o->value)
            continue;
        Words words;
        const Completes kind = value_completes(o, &words);
        printf(o->letter ? "    %s | -%c) " : "    %s) ", o->name, o->letter);
        bash_reply(kind, words);
        printf("; return ;;\n");
    }
    printf("    esac\n"
           "    case $command,$current in\n"
           "    ,-*) COMPREPLY=($(compgen -W '%s' -- \"$current\")) ;;\n"
           "    ,*) COMPREPLY=($(compgen -W '%s' -- \"$current\")) ;;\n",
           option_names(NULL), command_names(" "));
    for (const Command *c = next_command(NULL); c; c = next_command(c)) {
        Words words;
        const Completes kind = word_completes(c, &words);
        printf("    %s,-*) COMPREPLY=($(compgen -W '%s' -- \"$current\")) ;;\n    %s,*) ", c->name,
               option_names(c), c->name);
        bash_reply(kind, words);
        printf(" ;;\n");
    }
    printf("    esac\n}\ncomplete -o filenames -o nosort -F _netc netc\n");
}

// --- zsh ----------------------------------------------------------------------------------------

// Inside single quotes of zsh, where `special` characters are marked too.
static const char *zsh_quoted(const char *text, const char *special)
{
    Text out = {0};
    text_add(&out, "%s", "");
    for (; *text; text++) {
        if (*text == '\'')
            text_add(&out, "'\\'");
        else if (strchr(special, *text))
            text_add(&out, "\\");
        text_put(&out, text, 1);
    }
    return out.text;
}

static const char *zsh_action(Completes kind, Words words)
{
    switch (kind) {
    case COMPLETE_WORDS: return format("(%s)", words_joined(words, " "));
    case COMPLETE_NETWORKS: return "_files -g \"*.net\"";
    case COMPLETE_FILES: return "_files";
    case COMPLETE_FOLDERS: return "_files -/";
    case COMPLETE_NOTHING: return " ";
    }
    bug("completion of kind %d", (int)kind);
}

static void print_zsh(void)
{
    printf("#compdef netc\n# netc's command line in zsh; made by `netc completion zsh`\n\n"
           "_netc() {\n    local -a commands=(\n");
    for (const Command *c = next_command(NULL); c; c = next_command(c))
        printf("        '%s:%s'\n", c->name, zsh_quoted(c->about, ":"));
    printf("    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe command commands\n"
           "        return\n"
           "    fi\n"
           "    local command=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $command in\n");
    for (const Command *c = next_command(NULL); c; c = next_command(c)) {
        printf("    %s)\n        _arguments \\\n", c->name);
        Words words;
        for (const Option *o = next_option(NULL); o; o = next_option(o)) {
            if (!takes_option(c, o))
                continue;
            const bool repeats = o->store == STORE_LIST;
            if (o->letter)
                printf("            %s{-%c%s,%s%s}",
                       repeats ? "'*'" : format("'(-%c %s)'", o->letter, o->name), o->letter,
                       *o->value ? "+" : "", o->name, *o->value ? "=" : "");
            else
                printf("            %s%s%s", repeats ? "'*'" : "", o->name, *o->value ? "=" : "");
            printf("'[%s]", zsh_quoted(o->about, "[]:"));
            if (*o->value) {
                const Completes kind = value_completes(o, &words);
                printf(":%s:%s", zsh_quoted(o->value, ":"), zsh_action(kind, words));
            }
            printf("' \\\n");
        }
        const Completes kind = word_completes(c, &words);
        printf("            '%s:%s:%s'\n        ;;\n", c->most == 1 ? "1" : "*",
               zsh_quoted(c->arguments, ":"), zsh_action(kind, words));
    }
    printf("    esac\n}\n\n_netc \"$@\"\n");
}

// --- fish ---------------------------------------------------------------------------------------

static const char *fish_quoted(const char *text)
{
    Text out = {0};
    text_add(&out, "%s", "");
    for (; *text; text++) {
        if (strchr("'\\", *text))
            text_add(&out, "\\");
        text_put(&out, text, 1);
    }
    return out.text;
}

static void fish_values(Completes kind, Words words)
{
    switch (kind) {
    case COMPLETE_WORDS: printf(" -x -a '%s'", fish_quoted(words_joined(words, " "))); break;
    case COMPLETE_NETWORKS: printf(" -k -x -a '(__fish_complete_suffix .net)'"); break;
    case COMPLETE_FILES: printf(" -r -F"); break;
    case COMPLETE_FOLDERS: printf(" -x -a '(__fish_complete_directories)'"); break;
    case COMPLETE_NOTHING: printf(" -x"); break;
    }
}

static void print_fish(void)
{
    printf("# netc's command line in fish; made by `netc completion fish`\n"
           "complete -c netc -f\n");
    for (const Command *c = next_command(NULL); c; c = next_command(c))
        printf("complete -c netc -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
               fish_quoted(c->about));
    Words words;
    for (const Option *o = next_option(NULL); o; o = next_option(o)) {
        Text takers = {0};
        for (const Command *c = next_command(NULL); c; c = next_command(c))
            if (takes_option(c, o))
                text_add(&takers, " %s", c->name);
        printf("complete -c netc -n '__fish_seen_subcommand_from%s' -l %s", takers.text,
               o->name + 2);
        if (o->letter)
            printf(" -s %c", o->letter);
        if (*o->value)
            fish_values(value_completes(o, &words), words);
        printf(" -d '%s'\n", fish_quoted(o->about));
    }
    for (const Command *c = next_command(NULL); c; c = next_command(c)) {
        const Completes kind = word_completes(c, &words);
        if (kind == COMPLETE_NOTHING)
            continue;
        printf("complete -c netc -n '__fish_seen_subcommand_from %s'", c->name);
        fish_values(kind, words);
        printf("\n");
    }
}

int run_completion(const Options *o)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (!strcmp(shells[i].shell, o->paths.items[0])) {
            shells[i].print();
            return DONE;
        }
    return usage_error(E909,
                       format("'%s' is none of %s", o->paths.items[0], o->command->arguments));
}
