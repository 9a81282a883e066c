// initializer.c: the distribution that first weights are drawn from.
#include "passes.h"

#include <math.h>
#include <string.h>

// First weights: Keras' names and formulas (keras.initializers), fan_in and fan_out as it counts.
void set_initializer(Tensor *tensor, const char *word, double fan_in, double fan_out)
{
    static const struct {
        const char *word, *init, *formula;
        double gain;
        bool both; // the mean of fan_in and fan_out, not fan_in
    } table[] = {
        {"glorot", "NN_UNIFORM", "uniform within sqrt(6 / (%.0f + %.0f)) (glorot)", 1, true},
        {"glorot_normal", "NN_NORMAL", "normal, variance 2 / (%.0f + %.0f) (glorot_normal)", 1,
         true},
        {"he", "NN_NORMAL", "normal, variance 2 / %.0f (he)", 2, false},
        {"he_uniform", "NN_UNIFORM", "uniform within sqrt(6 / %.0f) (he_uniform)", 2, false},
        {"lecun", "NN_NORMAL", "normal, variance 1 / %.0f (lecun)", 1, false},
        {"lecun_uniform", "NN_UNIFORM", "uniform within sqrt(3 / %.0f) (lecun_uniform)", 1, false},
    };
    tensor->init = "NN_CONSTANT";
    tensor->scale = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(word, table[i].word))
            continue;
        const double fan = table[i].both ? (fan_in + fan_out) / 2 : fan_in;
        const double variance = table[i].gain / fan;
        tensor->init = table[i].init;
        // A normal that is cut at two deviations keeps 0.8796 of its deviation.
        tensor->scale = !strcmp(tensor->init, "NN_UNIFORM") ? sqrt(3 * variance)
                                                            : sqrt(variance) / .87962566103423978;
        char text[80];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, table[i].formula, fan_in, fan_out);
#pragma GCC diagnostic pop
        tensor->why = format("%s", text);
        return;
    }
    if (strcmp(word, "zeros"))
        bug("initializer '%s'", word);
}
