// standard.c: the mean and the deviation of the inputs over the training data, of each channel.

#include <math.h>
#include <string.h>

#include "data.h"

static const NnTensor *find_tensor(const NnModel *model, const char *name)
{
    for (int i = 0; i < model->tensor_count; i++)
        if (strcmp(model->tensors[i].name, name) == 0)
            return &model->tensors[i];
    return NULL;
}

// Numbers as the network sees them: as the generated code multiplies them.
static double number_at(const NnModel *model, const DataSet *set, size_t at)
{
    return set->pictures ? set->pictures[at] * model->byte_scale
                         : (double)set->numbers[at] * model->number_scale;
}

// Two passes, in double and in the order of the data: exact enough for any offset. A channel that
// never changes has deviation 1, and becomes 0.
void standardize_by(const NnModel *model, const DataSet *set, int count)
{
    const NnTensor *means = find_tensor(model, "input_mean");
    const NnTensor *deviations = find_tensor(model, "input_deviation");
    if (!means || !deviations)
        return;
    const size_t channels = (size_t)model->channels;
    const size_t each = (size_t)(model->height * model->width) * (size_t)count;
    for (size_t c = 0; c < channels; c++) {
        const double first = number_at(model, set, c);
        double sum = 0, squares = 0;
        bool changes = false;
        for (size_t i = 0; i < each; i++) {
            const double number = number_at(model, set, i * channels + c);
            sum += number;
            changes |= number != first;
        }
        const double mean = changes ? sum / (double)each : first; // a sum of equals is rounded
        for (size_t i = 0; i < each; i++) {
            const double v = number_at(model, set, i * channels + c) - mean;
            squares += v * v;
        }
        tensor_set(model, means->data, (long)c, mean);
        tensor_set(model, deviations->data, (long)c,
                   squares > 0 ? sqrt(squares / (double)each) : 1);
    }
    tensors_were_set(model);
}
