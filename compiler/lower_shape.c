// lower_shape.c: layers that only say how the values lie.
#include "lower.h"

// No node: values lie in the order height, width, channels, which is the flattened order already.
bool lower_flatten(Lowering *l)
{
    l->flatten = l->clause;
    return true;
}
