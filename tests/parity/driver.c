// driver.c: a program around a generated network for the tests: steps on pictures in a known order.
//
//   driver steps DATA STEPS THREADS BEFORE AFTER OUTPUTS
//       first weights -> BEFORE; STEPS steps on the pictures in their order, each one's loss on a
//       line; weights -> AFTER; outputs of the first test pictures, a batch of them -> OUTPUTS
//   driver order COUNT SEED EPOCH
//       the order in which an epoch takes the pictures
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

typedef struct {
    DataSet train, test;
    uint32_t *index;
    int steps;
    double *loss;
    const char *outputs;
    bool good;
} Work;

static void infer_first(Work *work)
{
    const int rows = nn_min(nn_model.batch, work->test.count);
    const NnBatch batch = {.pictures = work->test.pictures, .labels = work->test.labels,
                           .index = work->index, .rows = rows};
    NnResult result;
    nn_model.infer(&batch, &result);
    if (nn_thread() != 0)
        return;
    FILE *const file = fopen(work->outputs, "wb");
    const size_t size = nn_model.type == NN_F64 ? sizeof(double) : sizeof(float);
    const size_t count = (size_t)rows * (size_t)nn_model.outputs;
    work->good &= file && fwrite(nn_model.output, size, count, file) == count && fclose(file) == 0;
}

static void take_steps(void *context)
{
    Work *const work = context;
    const int batches = work->train.count / nn_model.batch;
    for (int step = 0; step < work->steps; step++) {
        const int number = step % batches;
        const int left = nn_min(batches - number, work->steps - step);
        const NnBatch batch = {.pictures = work->train.pictures, .labels = work->train.labels,
                               .index = work->index + number * nn_model.batch,
                               .rows = nn_model.batch, .known = left * nn_model.batch,
                               .zeros = work->train.zeros, .seed = 1,
                               .number = number, .step = step + 1, .rate = nn_model.rate};
        NnResult result;
        nn_model.train_step(&batch, &result);
        // each thread has its own result, and the first one's is written
        if (nn_thread() == 0)
            work->loss[step] = result.loss / batch.rows + result.penalty;
    }
    nn_barrier();
    infer_first(work);
}

static int steps(char **argument)
{
    static Work work;
    static Progress progress;
    work = (Work){.steps = atoi(argument[1]), .outputs = argument[5], .good = true};
    progress = (Progress){.seed = 1, .rate = nn_model.rate};
    work.loss = allocate((size_t)work.steps, sizeof *work.loss);
    if (!data_load(&work.train, &nn_model, argument[0], DATA_TRAIN, NULL) ||
        !data_load(&work.test, &nn_model, argument[0], DATA_TEST, NULL) ||
        !(work.index = sequence_of(work.train.count)))
        return end_with_problem();
    tensors_initialise(&nn_model, 1);
    if (!weights_write(argument[3], &nn_model, &progress, WEIGHTS_TO_CONTINUE))
        return end_with_problem();
    team_run(atoi(argument[2]), take_steps, &work);
    if (!weights_write(argument[4], &nn_model, &progress, WEIGHTS_TO_CONTINUE))
        return end_with_problem();
    for (int i = 0; i < work.steps; i++)
        printf("%.17g\n", work.loss[i]);
    return work.good ? 0 : 1;
}

static int order(char **argument)
{
    const int count = atoi(argument[0]);
    uint32_t *const index = sequence_of(count);
    order_shuffle(index, count, strtoull(argument[1], NULL, 10), atoi(argument[2]));
    for (int i = 0; i < count; i++)
        printf("%u\n", index[i]);
    free(index);
    return 0;
}

int main(int count, char **argument)
{
    if (count == 8 && strcmp(argument[1], "steps") == 0)
        return steps(argument + 2);
    if (count == 5 && strcmp(argument[1], "order") == 0)
        return order(argument + 2);
    fprintf(stderr, "driver: wrong arguments\n");
    return 2;
}
