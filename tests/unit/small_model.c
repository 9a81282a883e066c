// small_model.c: the hand-written network of the unit tests, see small_net.h.

#include "small_model.h"

#include <math.h>

#define L2 0.001
#ifndef BREAK_GRADIENT
#define BREAK_GRADIENT 1 // another number makes the gradient of a bias wrong
#endif

void (*small_model_hook)(const NnBatch *batch);

static void small_hook(const NnBatch *batch)
{
    if (small_model_hook)
        small_model_hook(batch);
}

static const NnLayer small_layers[] = {
    {"dense1", "dense 8 relu l2 0.001", "8", (INPUTS + 1) * HIDDEN, INPUTS * HIDDEN},
    {"dropout1", "dropout 25%", "8", 0, 0},
    {"dense2", "dense 3 softmax", "3", (HIDDEN + 1) * CLASSES, HIDDEN * CLASSES},
};

#ifndef ONLY_F64
#define REAL float
#define TYPE NN_F32
#define NET(name) name##_f32
#include "small_net.h"
const NnModel nn_model = NET_MODEL;
#undef REAL
#undef TYPE
#undef NET
#endif

#define REAL double
#define TYPE NN_F64
#define NET(name) name##_f64
#undef NET_MODEL
#include "small_net.h"
#ifdef ONLY_F64
const NnModel nn_model = NET_MODEL;
#else
const NnModel small_model_f64 = NET_MODEL;
#endif
