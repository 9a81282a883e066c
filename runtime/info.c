// info.c: the info command: the card of the network.

#include <string.h>

#include "run.h"

// 478 thousand is 478 k.
static void count_text(char text[16], double count)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    int unit = 0;
    for (; count >= 9999.5 && unit < 4; unit++)
        count /= 1000;
    snprintf(text, 16, "%.0f%s", count, units[unit]);
}

static void print_bytes(const char *what, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    printf("  %-22s %.*f %s\n", what, unit > 0 ? 1 : 0, bytes, units[unit]);
}

static int longer(int width, const char *text)
{
    const int length = (int)strlen(text);
    return length > width ? length : width;
}

static void print_layers(const NnModel *model)
{
    int name = 5, text = 9, shape = 6;
    for (int i = 0; i < model->layer_count; i++) {
        name = longer(name, model->layers[i].name);
        text = longer(text, model->layers[i].text);
        shape = longer(shape, model->layers[i].shape);
    }
    printf("%-*s  %-*s  %-*s  %12s\n", name, "layer", text, "statement", shape, "output",
           "parameters");
    for (int i = 0; i < model->layer_count; i++) {
        const NnLayer *layer = &model->layers[i];
        printf("%-*s  %-*s  %-*s  %12ld\n", name, layer->name, text, layer->text, shape,
               layer->shape, layer->parameters);
    }
    printf("%-*s  %-*s  %-*s  %12ld\n\n", name, "total", text, "", shape, "", model->parameters);
}

static void print_files(const NnFiles *files)
{
    if (files->inputs)
        printf(" '%s'", files->inputs);
    if (files->answers)
        printf(" '%s'", files->answers);
    putchar('\n');
}

static void print_part(const char *name, double share, long pictures, const NnFiles *files,
                       const char *of)
{
    if (files->inputs) {
        printf("  %-22s", name);
        print_files(files);
    } else if (pictures > 0) {
        printf("  %-22s %ld pictures\n", name, pictures);
    } else if (share > 0) {
        printf("  %-22s %g%% of the %s\n", name, 100 * share, of);
    }
}

static void print_settings(const NnModel *model)
{
    printf("  %-22s %s", "data set", model->data);
    print_files(&model->files);
    printf("  %-22s %dx%dx%d\n", "input", model->height, model->width, model->channels);
    if (model->targets)
        printf("  %-22s %d\n", "targets", model->targets);
    else
        printf("  %-22s %d of %d output%s\n", "classes", model->classes, model->outputs,
               model->outputs > 1 ? "s" : "");
    printf("  %-22s %s\n", "numbers", model->type == NN_F64 ? "f64" : "f32");
    if (model->train_step) {
        printf("  %-22s %s\n", "loss", model->loss);
        printf("  %-22s %s, lr %g\n", "optimizer", model->optimizer, model->rate);
        printf("  %-22s %d, %d epoch%s, seed %llu\n", "batch", model->batch, model->epochs,
               model->epochs == 1 ? "" : "s", (unsigned long long)model->seed);
    } else {
        printf("  %-22s none: compiled for inference only\n", "loss");
    }
    print_part("validation", model->validation_share, model->validation_pictures,
               &model->validation_files, "training pictures");
    print_part("test", model->test_share, model->test_pictures, &model->test_files, "examples");
}

static void print_card(const NnModel *model)
{
    printf("%s\n\n%s%s\n", model->name, model->source,
           *model->source && model->source[strlen(model->source) - 1] == '\n' ? "" : "\n");
    print_layers(model);
    print_settings(model);
    putchar('\n');
    print_bytes("weights", model->weight_bytes);
    print_bytes("optimizer", model->optimizer_bytes);
    print_bytes("activations", model->arena_bytes);
    print_bytes("memory in all", model->weight_bytes + model->optimizer_bytes + model->arena_bytes);
    putchar('\n');
    char forward[16], backward[16], update[16];
    count_text(forward, model->operations_forward);
    count_text(backward, model->operations_backward);
    count_text(update, model->operations_update);
    printf("  %-22s %s forward, %s backward, for each picture\n", "operations", forward, backward);
    printf("  %-22s %s in the update, for each step\n", "", update);
    printf("  %-22s %s\n", "fingerprint", model->fingerprint);
}

static void add_settings(cJSON *object, const NnModel *model)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)model->seed);
    const int input[] = {model->height, model->width, model->channels};
    cJSON_AddStringToObject(object, "type", model->type == NN_F64 ? "f64" : "f32");
    cJSON_AddItemToObject(object, "input", cJSON_CreateIntArray(input, 3));
    cJSON_AddNumberToObject(object, "outputs", model->outputs);
    cJSON_AddNumberToObject(object, "classes", model->classes);
    cJSON_AddNumberToObject(object, "targets", model->targets);
    cJSON_AddStringToObject(object, "data", model->data);
    cJSON_AddNumberToObject(object, "batch", model->batch);
    cJSON_AddNumberToObject(object, "epochs", model->epochs);
    cJSON_AddItemToObject(object, "seed", cJSON_CreateRaw(seed));
    json_number(object, "rate", model->rate);
    cJSON_AddBoolToObject(object, "trains", model->train_step != NULL);
    cJSON_AddStringToObject(object, "loss", model->train_step ? model->loss : "none");
    cJSON_AddStringToObject(object, "optimizer", model->train_step ? model->optimizer : "none");
    json_number(object, "validation_share", model->validation_share);
    cJSON_AddNumberToObject(object, "validation_pictures", (double)model->validation_pictures);
}

static void add_costs(cJSON *object, const NnModel *model)
{
    cJSON_AddNumberToObject(object, "parameters", (double)model->parameters);
    json_number(object, "arena_bytes", model->arena_bytes);
    json_number(object, "weight_bytes", model->weight_bytes);
    json_number(object, "optimizer_bytes", model->optimizer_bytes);
    json_number(object, "operations_forward", model->operations_forward);
    json_number(object, "operations_backward", model->operations_backward);
    json_number(object, "operations_update", model->operations_update);
}

static bool print_json(const NnModel *model)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", model->name);
    cJSON_AddStringToObject(object, "fingerprint", model->fingerprint);
    cJSON_AddStringToObject(object, "source", model->source);
    add_settings(object, model);
    add_costs(object, model);
    cJSON *layers = cJSON_AddArrayToObject(object, "layers");
    for (int i = 0; i < model->layer_count; i++) {
        const NnLayer *layer = &model->layers[i];
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", layer->name);
        cJSON_AddStringToObject(row, "statement", layer->text);
        cJSON_AddStringToObject(row, "output", layer->shape);
        cJSON_AddNumberToObject(row, "parameters", (double)layer->parameters);
        json_number(row, "multiply_adds", layer->multiply_adds);
        cJSON_AddItemToArray(layers, row);
    }
    return json_print_line(object);
}

int command_info(const NnModel *model, const Options *options)
{
    if (options->json)
        return print_json(model) ? 0 : end_with_problem();
    print_card(model);
    return 0;
}
