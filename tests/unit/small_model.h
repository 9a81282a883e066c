// small_model.h: the network that the tests of the runtime train, in float and in double.
#ifndef SMALL_MODEL_H
#define SMALL_MODEL_H

#include "../../runtime/nn.h"

// Sizes can be set from outside, to train the same network on a real data set.
#ifndef HEIGHT
enum { HEIGHT = 4, WIDTH = 4, HIDDEN = 8, CLASSES = 3, BATCH = 8 };
#define RATE 0.05
#define SHARE 0.2
#endif
enum { INPUTS = HEIGHT * WIDTH };

extern const NnModel small_model_f64; // nn_model is the same in float

// Called by each thread at the begin of each step, unless it is NULL.
extern void (*small_model_hook)(const NnBatch *batch);

#endif
