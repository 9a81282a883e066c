// driver.c: a program around a generated network for the tests: steps on pictures in a known order.
//
//   driver steps DATA STEPS[+REST] THREADS BEFORE AFTER OUTPUTS
//       first weights -> BEFORE; STEPS steps on the pictures in their order, and one more of REST
//       pictures, each one's loss and pictures on a line; weights -> AFTER; outputs of the first
//       test pictures, a batch of them -> OUTPUTS
//   driver train|eval|... as a program without it
//   driver order COUNT SEED EPOCH
//       the order in which an epoch takes the pictures
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

typedef struct {
    DataSet train, test;
    uint32_t *index;
    int steps, rest; // the last step's pictures, fewer than a batch
    const char *outputs;
    bool good;
} Work;

static void infer_first(Work *work)
{
    const int rows = nn_min(nn_model.batch, work->test.count);
    NnBatch batch = data_batch(&work->test);
    batch.index = work->index;
    batch.rows = rows;
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
    NnBatch batch = data_batch(&work->train);
    batch.seed = 1;
    batch.rate = nn_model.rate;
    const int whole = nn_model.batch;
    const int pictures = nn_min(work->steps * whole + work->rest, work->train.count);
    for (int from = 0; from < pictures; from += whole) {
        batch.index = work->index + from;
        batch.known = pictures - from;
        batch.rows = nn_min(whole, batch.known);
        batch.number = from / whole;
        batch.step = batch.number + 1;
        NnResult result;
        nn_model.train_step(&batch, &result);
        // each thread has its own result, and the first one's is written
        if (nn_thread() == 0)
            printf("%.17g %d\n", result.loss / batch.rows + result.penalty, batch.rows);
    }
    nn_barrier();
    infer_first(work);
}

static int steps(char **argument)
{
    static Work work;
    static Progress progress;
    work = (Work){.outputs = argument[5], .good = true};
    sscanf(argument[1], "%d+%d", &work.steps, &work.rest);
    progress = (Progress){.seed = 1, .rate = nn_model.rate};
    // of examples in files those to test with alone are as the files have them
    const DataPart part = nn_model.test_files.inputs ? DATA_TEST : DATA_TRAIN;
    if (!data_load(&work.train, &nn_model, argument[0], part, NULL) ||
        !data_load(&work.test, &nn_model, argument[0], DATA_TEST, NULL) ||
        !(work.index = sequence_of(nn_max(work.train.count, work.test.count))))
        return end_with_problem();
    tensors_initialise(&nn_model, 1);
    if (!weights_write(argument[3], &nn_model, &progress, WEIGHTS_TO_CONTINUE))
        return end_with_problem();
    team_run(atoi(argument[2]), take_steps, &work);
    if (!weights_write(argument[4], &nn_model, &progress, WEIGHTS_TO_CONTINUE))
        return end_with_problem();
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
    return run_command_line(&nn_model, count, argument);
}
