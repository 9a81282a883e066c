// resolve.h: what resolve.c and expand.c share.
#ifndef RESOLVE_H
#define RESOLVE_H

#include "language.h"

enum { MAX_LAYERS = 1000, MAX_EXPANSIONS = 100 };

// Layers with a name, and arguments that stand for numbers in them.
typedef struct Block Block;
struct Block {
    const char *name;           // interned
    const Statement *statement; // "block", with its body
    Param *arguments;           // without numbers
    int argument_count;
    bool used, active; // active: being written at the moment
    bool broken;       // its head is wrong
    bool failed;       // an error in its body was printed, or it adds no layer: once is enough
    Block *next;
};

typedef struct {
    Program *program;
    int layer_capacity;
    const Statement *statements;  // of the file
    const Statement *first_layer; // before the input
    bool input_unreadable;        // what may have been meant as the input has been answered
    bool full;                    // there are MAX_LAYERS
    bool in_list;                 // the statement is one of those that a list stands for
    const Params *params;         // in force: the file's, behind a block's arguments
    const Statement *owner;       // of the body that is read, or NULL
    const Use *use;
    int depth; // of blocks and repeats inside one another
    Block *blocks, *last_block;
} Resolver;

// --- resolve.c ----------------------------------------------------------------------------------
void resolve_statement(Resolver *r, const Statement *statement);
bool add_layer(Resolver *r, Clause clause); // false: there are too many

// --- expand.c: bodies, repeats, blocks and lists become a list of layers ------------------------
bool check_bodies(const Row *row, const Statement *statement); // as many as the statement takes
void add_branches(Resolver *r, Clause clause, const Statement *statement);
void add_structure(Resolver *r, const Row *row, const Statement *statement); // repeat, block
bool has_list(const Statement *statement);
void expand_list(Resolver *r, const Row *row, const Statement *statement); // row NULL: a block
Block *find_block(const Resolver *r, const char *name);                    // NULL: none so far
bool defined_below(const Resolver *r, const Statement *statement); // true: said so
void use_block(Resolver *r, Block *block, const Statement *statement);
void add_block_names(const Resolver *r, Words *words);
void check_blocks(const Resolver *r); // warns of those that nothing uses

#endif
