// resolve.c: statements become a program: each known and in its place, overrides applied, what is
// missing made of defaults.
//
// --set batch=10000 is the statement `batch 10000` of a source of its own and takes the same way as
// the file's, so that its mistakes are found and shown as theirs are.
#include "passes.h"
#include "resolve.h"

#include <string.h>

// --- statements ---------------------------------------------------------------------------------

static Clause *new_clause(Clause clause)
{
    Clause *const copy = allocate(sizeof *copy);
    *copy = clause;
    return copy;
}

// Where a program keeps its clause of a training statement.
static size_t training_place(const char *word)
{
    static const struct {
        const char *word;
        size_t place;
    } places[] = {
        {"data", offsetof(Program, data)},
        {"loss", offsetof(Program, loss)},
        {"optimizer", offsetof(Program, optimizer)},
        {"batch", offsetof(Program, batch)},
        {"epochs", offsetof(Program, epochs)},
        {"seed", offsetof(Program, seed)},
        {"validation", offsetof(Program, validation)},
        {"test", offsetof(Program, test)},
        {"scale", offsetof(Program, scale)},
        {"standardize", offsetof(Program, standardize)},
        {"augment", offsetof(Program, augment)},
        {"metrics", offsetof(Program, metrics)},
        {"schedule", offsetof(Program, schedule)},
        {"patience", offsetof(Program, patience)},
        {"clip", offsetof(Program, clip)},
        {"ema", offsetof(Program, ema)},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strcmp(places[i].word, word))
            return places[i].place;
    bug("no place for the statement '%s'", word);
}

static Clause **training_slot(Program *program, const char *word)
{
    return (Clause **)((char *)program + training_place(word));
}

// NULL where it is not written and has no default.
const Clause *training_clause(const Program *program, const char *word)
{
    return *(Clause *const *)((const char *)program + training_place(word));
}

// The statement that an unknown first word belongs to as an attribute or a choice: "lr", "adam".
static bool note_owner(const char *word)
{
    const Row *const owner = choice_owner(word);
    const Words takers = option_owners(word);
    Words owners = {0};
    for (int i = 0; i < takers.count; i++)
        words_add(&owners, format("'%s'", takers.words[i]));
    if (owner)
        note_at((Loc){0}, "write '%s %s'", owner->name, word);
    else if (owners.count)
        note_at((Loc){0}, "'%s' is an attribute: write it on the line of %s", word,
                join_words(owners.words, owners.count, "or"));
    return owner || owners.count;
}

static void note_layers(void)
{
    Words layers = statement_words(SECTION_LAYER);
    const Words activations = statement_words(SECTION_ACTIVATION);
    for (int i = 0; i < activations.count; i++)
        words_add(&layers, activations.words[i]);
    note_at((Loc){0}, "layers are %s", join_words(layers.words, layers.count, "and"));
}

static void unknown_statement(Resolver *r, const Statement *statement)
{
    const char *const word = statement->word;
    const Loc loc = statement->word_loc;
    Words all = statement_words(SECTION_ANY);
    add_block_names(r, &all);
    const char *const near = nearest_word(word, all.words, all.count);
    const Foreign *const known = foreign_word(word);
    const Param *const param = find_param(&r->program->params, word);
    const char *const meant = known ? known->ours : near ? near : "";
    r->input_unreadable |= !strcmp(meant, "input");
    if (loc.source->text[loc.end] == '(' && foreign_statement(statement->loc))
        return;
    if (near && (!known || same_letters(near, word))) {
        error_at(E101, loc, "unknown statement '%s'; did you mean '%s'?", word, near);
        return;
    }
    error_at(E101, loc, "unknown statement '%s'", word);
    if (known && strcmp(known->ours, word) != 0)
        note_at((Loc){0}, "this looks like %s; write '%s'", known->tool, known->example);
    else if (param)
        note_at(param->loc, "'%s' names a number, and no statement starts with one", word);
    else if (!note_owner(word))
        note_layers();
}

static void add_input(Resolver *r, const Row *row, const Statement *statement)
{
    Program *const program = r->program;
    if (program->input) {
        error_at(E102, statement->word_loc, "a second 'input'");
        note_at(program->input->loc, "the first one is here");
        return;
    }
    if (r->first_layer) {
        error_at(E103, r->first_layer->loc, "'%s' stands before 'input'", r->first_layer->word);
        note_at(statement->loc, "'input' is here; it comes before the layers");
    }
    program->input = new_clause(read_clause(row, statement, &program->params));
}

bool add_layer(Resolver *r, Clause clause)
{
    Program *const program = r->program;
    if (program->layer_count == MAX_LAYERS) {
        if (!r->full)
            error_at(E104, clause.loc, "more than %d layers", MAX_LAYERS);
        r->full = true;
        return false;
    }
    if (program->layer_count == r->layer_capacity) {
        r->layer_capacity = 2 * r->layer_capacity + 64;
        Clause *const layers = allocate((size_t)r->layer_capacity * sizeof *layers);
        if (program->layer_count)
            memcpy(layers, program->layers, (size_t)program->layer_count * sizeof *layers);
        program->layers = layers;
    }
    clause.use = r->use;
    program->layers[program->layer_count++] = clause;
    return true;
}

static void add_training(Resolver *r, const Row *row, const Statement *statement)
{
    Program *const program = r->program;
    Clause **const slot = training_slot(program, row->name);
    const Clause clause = read_clause(row, statement, &program->params);
    if (!*slot) {
        *slot = new_clause(clause);
        return;
    }
    error_at(E102, statement->loc, "a second '%s'", row->name);
    note_at((*slot)->loc, "the first one is here");
}

// Of a statement that could not be parsed only its word counts: it is there.
static void add_broken(Resolver *r, const Statement *statement)
{
    const char *const input[] = {"input"};
    if (statement->word && nearest_word(statement->word, input, 1))
        r->input_unreadable = true;
}

// In a body only layers stand.
static bool belongs_here(const Resolver *r, const Row *row, const Statement *statement)
{
    const bool writes_layers = row->section == SECTION_LAYER ||
                               row->section == SECTION_ACTIVATION || !strcmp(row->name, "repeat");
    if (!r->owner || writes_layers)
        return true;
    error_at(E503, statement->loc, "'%s' is no layer and can't stand in the body of '%s'",
             row->name, r->owner->word);
    note_at((Loc){0}, "write it outside of all braces");
    return false;
}

static void resolve_layer(Resolver *r, const Row *row, const Statement *statement)
{
    if (!r->program->input && !r->first_layer)
        r->first_layer = statement;
    const Clause clause = read_clause(row, statement, r->params);
    if (most_bodies(row))
        add_branches(r, clause, statement);
    else
        add_layer(r, clause);
}

static void resolve_known(Resolver *r, const Row *row, const Statement *statement)
{
    if (!belongs_here(r, row, statement) || !check_bodies(row, statement))
        return;
    switch (row->section) {
    case SECTION_PARAM: define_param(&r->program->params, statement); break;
    case SECTION_INPUT: add_input(r, row, statement); break;
    case SECTION_LAYER:
    case SECTION_ACTIVATION: resolve_layer(r, row, statement); break;
    case SECTION_STRUCTURE: add_structure(r, row, statement); break;
    case SECTION_TRAINING: add_training(r, row, statement); break;
    case SECTION_ANY: bug("statement '%s' of no section", row->name);
    }
}

void resolve_statement(Resolver *r, const Statement *statement)
{
    const int errors = error_count();
    const Row *const row = statement_row(statement->word);
    Block *const block = row ? NULL : find_block(r, statement->word);
    const bool defines = row && (row->section == SECTION_PARAM || !strcmp(row->name, "block"));
    if (statement->broken && !defines)
        add_broken(r, statement);
    else if ((row || block) && !r->in_list && has_list(statement) && !(row && takes_list(row)))
        expand_list(r, row, statement);
    else if (block)
        use_block(r, block, statement);
    else if (row)
        resolve_known(r, row, statement);
    else if (!defined_below(r, statement))
        unknown_statement(r, statement);
    if (error_count() > errors && !statement->bodies && !block)
        note_use(r->use);
}

// --- --set --------------------------------------------------------------------------------------

static const Row *row_to_set(const char *set, size_t length)
{
    const char *const word = intern(set, length);
    const Row *const row = statement_row(word);
    if (row && row->section == SECTION_TRAINING)
        return row;
    const Words words = statement_words(SECTION_TRAINING);
    const char *const near = nearest_word(word, words.words, words.count);
    error_at(E215, (Loc){0}, "'--set %s': %s%s", set,
             row ? format("'%s' is no training statement", word)
                 : format("no training statement '%s'", word),
             near ? format("; did you mean '%s'?", near) : "");
    note_at((Loc){0}, "training statements are %s", join_words(words.words, words.count, "and"));
    return NULL;
}

// What the statement is given, "" of one that takes nothing, and its row; NULL after an error.
static const Row *read_set(const char *set, const char **value)
{
    const char *const equals = strchr(set, '=');
    *value = equals ? equals + 1 : "";
    const Row *const alone = equals ? NULL : statement_row(set);
    const bool takes_nothing = alone && !next_field(alone); // `standardize`
    if (!takes_nothing && (!equals || equals == set || !**value)) {
        error_at(E216, (Loc){0}, "'--set %s' is not STATEMENT=VALUE, as in '--set batch=100'", set);
        return NULL;
    }
    if (has_control(set)) { // as in -D
        error_at(E216, (Loc){0}, "'--set %s' has a control character", readable(set));
        return NULL;
    }
    return row_to_set(set, equals ? (size_t)(equals - set) : strlen(set));
}

static void apply_set(Resolver *r, const char *set)
{
    const char *value;
    const Row *const row = read_set(set, &value);
    const int errors = error_count();
    const Source *const source =
        row ? source_of_text("--set", format("%s %s", row->name, value)) : NULL;
    const Statement *const statement = source ? parse(source) : NULL;
    if (error_count() > errors || !statement)
        return;
    if (statement->next) {
        error_at(E217, statement->next->loc, "a second statement in '--set %s'", set);
        return;
    }
    if (!check_bodies(row, statement))
        return;
    Clause **const slot = training_slot(r->program, row->name);
    if (*slot && (*slot)->loc.source && !strcmp((*slot)->loc.source->path, "--set")) {
        error_at(E218, statement->loc, "'%s' is set twice by --set", row->name);
        note_at((*slot)->loc, "it is set here first");
        return;
    }
    *slot = new_clause(read_clause(row, statement, &r->program->params));
    for (int i = 0; i < (*slot)->setting_count; i++)
        if ((*slot)->settings[i].origin != ORIGIN_DEFAULT)
            (*slot)->settings[i].origin = ORIGIN_OVERRIDE;
}

// --- the program --------------------------------------------------------------------------------

static void check_whole(const Resolver *r)
{
    const Program *const program = r->program;
    const Loc file = {program->source, -1, -1};
    if (!program->input && !r->input_unreadable) {
        if (r->first_layer)
            error_at(E105, r->first_layer->loc, "no 'input' before '%s'", r->first_layer->word);
        else if (!error_count())
            error_at(E105, file, "no 'input'");
        else
            return;
        note_at((Loc){0}, "write the shape of one example first, as in 'input 28x28x1'");
    }
    if (error_count())
        return;
    check_blocks(r);
    if (!program->layer_count)
        error_at(E106, program->input->loc, "no layer behind 'input'");
    check_rate(program);
    for (int i = 0; i < program->params.count; i++) {
        const Param *const param = &program->params.params[i];
        if (!param->used)
            warn_at(param->loc, "'%s' is defined but not used", param->name);
    }
}

static void fill_defaults(Program *program)
{
    for (const Row *row = next_statement(NULL); row; row = next_statement(row)) {
        const Row *const first = next_field(row);
        if (row->section != SECTION_TRAINING || !first || first->type != ROW_VALUE ||
            !first->fallback)
            continue;
        Clause **const slot = training_slot(program, row->name);
        if (!*slot)
            *slot = new_clause(default_clause(row));
    }
}

static void record_overrides(Program *program, const Overrides *overrides)
{
    const int count = overrides->define_count + overrides->set_count;
    const char **const texts = allocate(((size_t)count + 1) * sizeof *texts);
    for (int i = 0; i < overrides->define_count; i++)
        texts[i] = format("-D %s", overrides->defines[i]);
    for (int i = 0; i < overrides->set_count; i++)
        texts[overrides->define_count + i] = format("--set %s", overrides->sets[i]);
    program->overrides = texts;
    program->override_count = count;
}

static Program *new_program(const Source *source, const Statement *statements)
{
    Program *const program = allocate(sizeof *program);
    program->source = source;
    // it stands in comments of one line, which control characters might end, and in reports
    program->name = readable(file_stem(source->path));
    declare_params(&program->params, statements);
    return program;
}

// Without its statements, but with the numbers of -D.
static Program *defined_program(const Source *source, const Statement *statements,
                                const Overrides *overrides)
{
    Program *const program = new_program(source, statements);
    for (int i = 0; i < overrides->define_count; i++)
        apply_define(&program->params, source, overrides->defines[i]);
    return program;
}

void check_overrides(const Source *source, const Statement *statements, const Overrides *overrides)
{
    defined_program(source, statements, overrides);
    const char *value;
    for (int i = 0; i < overrides->set_count; i++)
        read_set(overrides->sets[i], &value);
}

Program *resolve(const Source *source, const Statement *statements, const Overrides *overrides)
{
    Program *const program = defined_program(source, statements, overrides);
    Resolver r = {.program = program, .params = &program->params, .statements = statements};
    // Behind the last error that is shown, checking would only cost time.
    for (const Statement *s = statements; s && error_count() <= MAX_ERRORS; s = s->next)
        resolve_statement(&r, s);
    for (int i = 0; i < overrides->set_count; i++)
        apply_set(&r, overrides->sets[i]);
    record_overrides(program, overrides);
    fill_defaults(program);
    name_layers(program);
    check_whole(&r);
    return program;
}
