// lower.h: what the files that lower layers share.
//
// A layer's file has a function lower_WORD for each of its statements; statements.def lists them.
// It adds to both graphs, behind the values that flow, and returns false after an error.
#ifndef LOWER_H
#define LOWER_H

#include "ir.h"

typedef struct {
    Network *network;
    const Clause *clause;  // the layer that is being lowered
    const char *layer;     // its name
    int train, infer;      // the value that flows from layer to layer, in each graph
    int at;                // its index in the program
    bool last;             // no layer follows
    const Clause *flatten; // where it was written: what follows sees one dimension
} Lowering;

// --- lower.c ------------------------------------------------------------------------------------
// Lowers the layers behind a bracket, up to the next bracket of the same statement, where `at` then
// stands; false after an error.
bool lower_body(Lowering *l);

// --- lower_node.c: nodes, tensors and names of a layer ------------------------------------------
Shape current_shape(const Lowering *l);
Node *train_node(const Lowering *l); // the value that flows in training
bool is_countable(Loc loc, Shape shape); // false after an error: what is there makes too much
// The same of so many channels, which may be more than an int counts.
bool are_countable(Loc loc, Shape shape, long channels);
// The op on `value` and on tensors; -1 after an error.
int layer_node(Graph *graph, const Lowering *l, Op op, Attributes attributes, int value,
               int tensor_count, const int *tensors);
// Adds the op to both graphs, behind the current value; false after an error.
bool apply(Lowering *l, Op op, Attributes attributes, int tensor_count, const int *tensors);
// Names the current value LAYER<suffix>, and its function LAYER_<function>.
void name_value(const Lowering *l, const char *suffix, const char *function);
int layer_tensor(const Lowering *l, const char *suffix, int role, Shape shape, double constant);
// The weights of a dense or a convolution; -1 after an error.
int layer_weights(const Lowering *l, Shape shape, double fan_in, double fan_out);

// --- lower_product.c ----------------------------------------------------------------------------
bool finish_product(Lowering *l, int units); // bias and activation behind a product

// --- lower_conv.c -------------------------------------------------------------------------------
// The statement's `groups` share them evenly; false after an error.
bool groups_divide(const Lowering *l, int groups, int count, const char *what);

// --- lower_window.c -----------------------------------------------------------------------------
bool needs_picture(const Lowering *l); // the layer works on rows and columns; false after an error
Attributes window_attributes(const Clause *clause, const char *size);

// --- lower_activation.c -------------------------------------------------------------------------
bool apply_activation(Lowering *l, const char *word, Loc loc);
bool lower_activation(Lowering *l); // of every statement of the section ACTIVATION

// --- lower_input.c ------------------------------------------------------------------------------
bool lower_input(Lowering *l);

// --- lower_data.c -------------------------------------------------------------------------------
bool check_data(const Program *program);
// The outputs are as many as the data has classes, or one where that may do for two.
bool check_classes(const Lowering *l, bool one_for_two);
void take_answers(const Lowering *l); // a part of that, and all where there is no loss

// --- lower_loss.c -------------------------------------------------------------------------------
bool lower_loss(Lowering *l);

// --- the layers ---------------------------------------------------------------------------------
#define LOWER_PARAM(word)
#define LOWER_INPUT(word)
#define LOWER_STRUCTURE(word)
#define LOWER_TRAINING(word)
#define LOWER_ACTIVATION(word)
#define LOWER_LAYER(word) bool lower_##word(Lowering *l);
#define STATEMENT(word, section, ...) LOWER_##section(word)
#include "statements.def"

#endif
