// language.h: a .net file, as written and as it is meant.
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include "netc.h"

// --- ast.c, net.l, net.y: the text as written ----------------------------------------------------
typedef enum {
    EXPR_NUMBER,
    EXPR_WORD,
    EXPR_TEXT, // in quotes
    EXPR_DIMS,
    EXPR_BINARY,
    EXPR_NEGATE,
    EXPR_ASSIGN, // word = right; only as an item
    EXPR_LIST,   // [300 200 100]; only as an item
    EXPR_GROUP,  // (filters stride): not one number in parentheses; only as an item
} ExprKind;

enum { MAX_DIMS = 4 };

typedef struct Expr Expr;
struct Expr {
    ExprKind kind;
    Loc loc;
    double number;    // EXPR_NUMBER
    bool percent;     // EXPR_NUMBER: written with %, and already divided by 100
    const char *word; // EXPR_WORD, EXPR_TEXT, EXPR_ASSIGN; interned
    int64_t dims[MAX_DIMS];
    int dim_count;
    char op;            // EXPR_BINARY: + - * /
    Expr *left, *right; // EXPR_NEGATE, EXPR_ASSIGN: only right
    Expr *items;        // EXPR_LIST, EXPR_GROUP
    int depth;          // operators above one another
    Expr *next;         // the next item of the statement, list or group
};

typedef struct Statement Statement;

// The statements between a '{' and its '}'.
typedef struct Body Body;
struct Body {
    Loc loc; // of the '{'
    Statement *first, *last;
    Body *next; // of the same statement
};

// One statement: a word, the items behind it and the bodies behind them. What they mean is
// resolve.c's business.
struct Statement {
    Loc loc, word_loc; // loc is without the bodies
    const char *word;  // interned
    Expr *items;
    Body *bodies;
    bool broken; // an error in its text was printed: only its word is sure
    Statement *next;
};

Expr *expr_number(Loc loc, const char *digits, bool percent);
Expr *expr_word(Loc loc);
Expr *expr_text(Loc loc);
Expr *expr_dims(Loc loc);
Expr *expr_binary(Loc loc, char op, Expr *left, Expr *right);
Expr *expr_negate(Loc loc, Expr *right);
Expr *expr_assign(Loc loc, const Expr *name, Expr *right);
Expr *expr_items(ExprKind kind, Loc loc, Expr *items); // EXPR_LIST, EXPR_GROUP

Statement *parse(const Source *source); // errors are printed; what could be parsed is returned
void ast_dump(const Statement *statements, FILE *out);

// --- foreign.c: the words of other tools --------------------------------------------------------
typedef struct {
    const char *word, *tool, *ours, *example;
} Foreign;
const Foreign *foreign_word(const char *word); // NULL when no other tool is known to say it
// True after it has answered a statement in another tool's syntax with an error.
bool foreign_statement(Loc statement);

// --- resolve.c: statements checked against statements.def, params and overrides applied ----------
typedef enum { ORIGIN_DEFAULT, ORIGIN_WRITTEN, ORIGIN_PARAM, ORIGIN_OVERRIDE } Origin;

typedef enum {
    SETTING_NUMBER, // real, or whole where the table says so
    SETTING_SIZE,   // one or two numbers: 3 is 3x3
    SETTING_SHAPE,  // up to three: 28x28x1
    SETTING_WORD,   // one of a list
    SETTING_NAME,   // a new name
    SETTING_LIST,   // numbers: [1 1 5]
    SETTING_TEXT,   // a file's name, or a column's
} SettingKind;

typedef struct Setting Setting;
struct Setting {
    const char *name; // "filters", "stride"
    SettingKind kind;
    Origin origin;
    Loc loc;          // of the value; no source where it is a default
    double number;    // SETTING_NUMBER
    bool percent;     // the number was written with %
    const char *unit; // word behind the number ("samples"), or NULL
    int dims[MAX_DIMS], dim_count;
    const char *word;   // SETTING_WORD, SETTING_NAME, SETTING_TEXT; NULL: not set
    const char *second; // of a SETTING_NUMBER that is a file instead, `word`: the one behind it
    Setting *list;      // SETTING_LIST: of numbers
    int list_count;     // 0: not set
};

// The place at which a block is used or a repeat stands, of the layers that it makes.
typedef struct Use Use;
struct Use {
    Loc loc;
    const char *block; // NULL: a repeat
    int round, rounds; // of a repeat
    const Use *outer;  // that holds this one, or NULL
};
void note_use(const Use *use); // notes below an error in a block or a repeat, innermost first

// A layer with bodies stands in the list of layers once before them, between two, and behind them.
typedef enum { BRACKET_NONE, BRACKET_OPENS, BRACKET_NEXT, BRACKET_CLOSES } Bracket;

// A statement that passed the check: each of its settings has a value and an origin.
typedef struct {
    const char *word; // "conv"; interned
    Bracket bracket;
    const Use *use; // where it comes from, or NULL
    const char *name; // of a layer: "conv1", or what `as` says
    Loc loc, word_loc;
    const char *activation; // "relu", or NULL
    Loc activation_loc;
    Setting *settings;
    int setting_count;
} Clause;

// A number with a name, `param width = 300`.
typedef struct {
    const char *name;   // interned
    Loc loc, value_loc; // value_loc is in "-D" where that gave the value
    double number;
    bool percent;
    bool defined; // the statements read so far define it
    bool known;   // its number is; else an error was printed
    bool used, overridden;
} Param;

typedef struct Params Params;
struct Params {
    Param *params;
    int count;
    const Params *outer; // around a block's arguments: the file's params; else NULL
};

typedef struct {
    const char *name; // "mnist", from the file's name
    const Source *source;
    const char *const *overrides; // the -D and --set in force, as text, for the record
    int override_count;
    Clause *layers; // in the order of the text
    int layer_count;
    Params params;
    Clause *data, *input, *loss, *optimizer, *batch, *epochs, *seed, *validation, *test, *schedule;
    Clause *scale, *standardize, *augment, *metrics, *clip, *patience, *ema;
    // Each is there, made of defaults if not written, but for loss (NULL: inference only), input
    // (NULL after an error), and scale to patience (NULL: none).
} Program;

typedef struct {
    const char *const *defines; // "width=50", of -D
    int define_count;
    const char *const *sets; // "batch=10000", of --set
    int set_count;
} Overrides;

const Clause *training_clause(const Program *program, const char *word); // "loss"; may be NULL
Program *resolve(const Source *source, const Statement *statements, const Overrides *overrides);
// Says what `resolve` would of -D and --set before it reads a statement: names that are not there.
void check_overrides(const Source *source, const Statement *statements, const Overrides *overrides);
void program_explain(const Program *program, FILE *out); // every value in force with its origin
void params_print(const Source *source, const Statement *statements, FILE *out);

const Setting *find_setting(const Clause *clause, const char *name);
const Setting *setting(const Clause *clause, const char *name); // a bug when there is none
double setting_number(const Clause *clause, const char *name);
const char *setting_word(const Clause *clause, const char *name); // NULL: not set
bool switched_on(const Clause *clause, const char *name); // a setting of "on" or "off"
const char *setting_value(const Setting *setting);                // as it would be written
const char *clause_text(const Clause *clause); // with every value in force: "dense 50 relu"
const char *layer_name(const Program *program, int layer);        // "conv1", or what `as` says

// --- table.c: statements.def as an array; what knows the language by name reads it ---------------
typedef enum {
    ROW_STATEMENT,
    ROW_VALUE,
    ROW_ACTIVATION,
    ROW_OPTION,
    ROW_BODIES, // low to high of them
    ROW_END
} RowType;
typedef enum {
    SECTION_PARAM,
    SECTION_INPUT,
    SECTION_LAYER,
    SECTION_ACTIVATION, // layers too, and words behind other layers
    SECTION_STRUCTURE,  // write layers
    SECTION_TRAINING,
    SECTION_ANY,
} Section;

// A statement, or one of its values or options, which lie behind it.
typedef struct {
    RowType type;
    const char *name, *about;
    Section section; // of a statement, as the next
    const char *example;
    const char *of;       // the choice of the statement's first value that it belongs to, or NULL
    const char *fallback; // as written; NULL: none; "": not set; "=size": as that setting
    SettingKind kind;     // this and all below: of a value or an option
    bool whole;
    bool fraction; // a percentage may stand for it
    double low, high;
    bool low_open, high_open;   // the bound itself is out of range
    double odd;                 // above it a number gets a warning; 0: none does
    const char *unit;           // that a number needs, where it isn't a percentage
    bool measure;               // it can't be one
    const char *const *times;   // the same, one of these: "steps", "epochs"; ends with NULL
    const char *const *choices; // of a SETTING_WORD; ends with NULL
    bool files;                 // of a number: one or two files may stand for it
    bool column;                // of a SETTING_TEXT: a word or a number may stand for it
} Row;

typedef struct {
    const char **words;
    int count;
} Words;
void words_add(Words *words, const char *word); // once
bool has_word(Words words, const char *word);
const char *words_joined(Words words, const char *between);
const char *words_listed(Words words); // "a, b and c"; of many the first 20

const Row *statement_row(const char *word);      // NULL: no such statement
const Row *next_statement(const Row *statement); // of NULL the first; NULL behind the last
const Row *next_field(const Row *row);           // a value or an option; NULL behind the last
const Row *option_row(const Row *statement, const char *name, const char *choice);
bool field_applies(const Row *field, const char *choice); // choice NULL: to any
bool takes_activation(const Row *statement);
bool takes_list(const Row *statement); // of numbers, as a value or option of its own
int least_bodies(const Row *statement); // 0: it has none
int most_bodies(const Row *statement);
bool is_activation(const char *word);
bool takes_text(const Row *statement); // a file, or a column in quotes
bool is_unit(const char *word); // that some number takes
Words statement_words(Section section);
Words option_words(const Row *statement, const char *choice);
Words choice_words(const Row *field);
const Row *choice_owner(const char *word); // the statement that has it as its first value
Words option_owners(const char *word);     // the statements that take it
bool is_reserved(const char *word);        // a statement's word or a choice: no name for a param

// --- expr.c: numbers ----------------------------------------------------------------------------
typedef struct {
    double number;
    bool percent;
    bool known;         // false after an error
    const Param *param; // one that takes part, or NULL
    bool overridden;    // one that takes part was set by -D
} Value;
Value evaluate(const Expr *expr, const Params *params);

// --- params.c -----------------------------------------------------------------------------------
// The letters and digits from there on.
Loc name_loc(const Source *source, int start);
void no_param_name(Loc loc); // an error
Param *find_param(const Params *params, const char *name);        // interned
void declare_params(Params *params, const Statement *statements); // their names, for messages
void apply_define(Params *params, const Source *file, const char *define); // -D
void define_param(Params *params, const Statement *statement);

// --- values.c: one setting ----------------------------------------------------------------------
const Expr *read_value(const Row *statement, const Row *field, const Expr *item,
                       const Params *params, Setting *to);
void note_zeropad(const char *number);
void quoted_word(const Expr *text); // error: "softmax" where a word belongs
const char *list_form(const Row *field); // "a list of numbers, such as [1 2]"

// --- settings.c: the items of one statement -----------------------------------------------------
// The clause of a statement; what is wrong with its items is printed.
Clause read_clause(const Row *row, const Statement *statement, const Params *params);
Clause default_clause(const Row *row);

// --- names.c ------------------------------------------------------------------------------------
void name_layers(Program *program);

#endif
