// lower_product.c: layers that multiply by weights.
#include "lower.h"

// Bias and activation behind a product.
bool finish_product(Lowering *l, int units)
{
    const char *const activation = l->clause->activation;
    name_value(l, activation ? "_z" : "", "forward");
    if (switched_on(l->clause, "bias")) {
        name_value(l, "_xw", "forward");
        const int b = layer_tensor(l, "b", ROLE_WEIGHT, shape_of(1, units), 0);
        if (!apply(l, OP_bias, (Attributes){0}, 1, &b))
            return false;
        name_value(l, activation ? "_z" : "", "bias");
    }
    return !activation || apply_activation(l, activation, l->clause->activation_loc);
}

bool lower_dense(Lowering *l)
{
    const int inputs = (int)shape_size(current_shape(l));
    const int units = (int)setting_number(l->clause, "units");
    const int w = layer_weights(l, shape_of(2, inputs, units), inputs, units);
    l->flatten = NULL;
    return w >= 0 && apply(l, OP_dense, (Attributes){0}, 1, &w) && finish_product(l, units);
}
