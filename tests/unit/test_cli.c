// test_cli.c: the command line: what is understood, and what is said about the rest.

#include "support.h"

static void assert_usage(const char *line, const char *said)
{
    const int status = run(&nn_model, line);
    if (status != 2)
        fail_msg("'%s' ended with %d", line, status);
    assert_said(errors, said);
    assert_said(errors, "small: error: ");
    assert_string_equal(output, "");
}

static void test_usage(void **state)
{
    (void)state;
    assert_int_equal(run(&nn_model, ""), 2);
    assert_said(errors, "usage: small COMMAND [options]");
    assert_said(errors, "gradcheck");
    assert_string_equal(output, "");
    assert_int_equal(run(&nn_model, "--help"), 0);
    assert_said(output, "usage: small COMMAND [options]");
    assert_string_equal(errors, "");
    static const char *const commands[] = {"train", "eval", "predict", "export", "info",
                                           "gradcheck"};
    for (int i = 0; i < 6; i++) {
        char line[32];
        snprintf(line, sizeof line, "%s --help", commands[i]);
        assert_int_equal(run(&nn_model, line), 0);
        assert_said(output, "usage: small ");
        assert_said(output, commands[i]);
        assert_said(output, "--help");
        assert_string_equal(errors, "");
    }
    assert_int_equal(run(&nn_model, "train --help"), 0);
    assert_said(output, "--data DIR       folder of the data set (default: data/mnist)");
    assert_said(output, "(default: runs/small)");
    assert_said(output, "(default: 0.05)");
}

static void test_unknown_words(void **state)
{
    (void)state;
    assert_usage("trian", "unknown command 'trian'; did you mean 'train'?");
    assert_usage("xyz", "unknown command 'xyz'; see 'small --help'");
    assert_usage("train --epoch 3",
                 "unknown option '--epoch' of 'train'; did you mean '--epochs'?");
    assert_usage("train --xyzxyz",
                 "unknown option '--xyzxyz' of 'train'; see 'small train --help'");
    assert_usage("train -e 3", "unknown option '-e' of 'train'");
    assert_usage("eval --epochs 3", "'--epochs' is no option of 'eval'");
    assert_usage("train more", "'more' is one argument too many for 'train'");
    assert_usage("export a b", "'b' is one argument too many for 'export'");
    assert_usage("predict", "'predict' needs what it works on: 'small predict FILE...'");
}

static void test_values(void **state)
{
    (void)state;
    assert_usage("train --epochs", "'--epochs' needs a value: '--epochs N'");
    assert_usage("train --epochs --json", "'--epochs' needs a value: '--epochs N'");
    assert_usage("train --epochs 0",
                 "'--epochs' takes a whole number from 1 to 1000000, found '0'");
    assert_usage("train --epochs 2.5", "found '2.5'");
    assert_usage("train --epochs=-1", "found '-1'");
    assert_usage("train --epochs=", "found ''");
    assert_usage("train --epochs 99999999999999999999", "found '99999999999999999999'");
    assert_usage("train --threads 0", "'--threads' takes a whole number from 1 to 1024");
    assert_usage("train --lr 0", "'--lr' takes a number above 0, at most 1e+06, found '0'");
    assert_usage("train --lr nan", "found 'nan'");
    assert_usage("train --lr inf", "found 'inf'");
    assert_usage("train --lr 0,1", "found '0,1'");
    assert_usage("train --seed -1", "'--seed' takes a whole number from 0 to 18446744073709551615");
    assert_usage("train --seed 18446744073709551616", "found '18446744073709551616'");
    assert_usage("train --json=yes", "'--json' takes no value, found 'yes'");
    assert_usage("train --data=", "'--data' takes a folder, found an empty one");
    assert_usage("gradcheck --rows 9", "'--rows' takes a whole number from 1 to 8, found '9'");
}

// Options may stand before and after arguments, and end with "--".
static void test_order(void **state)
{
    (void)state;
    assert_int_equal(run(&nn_model, "export --out nowhere a.safetensors"), 1);
    assert_said(errors, "no weights in 'nowhere/weights.safetensors'");
    assert_int_equal(run(&nn_model, "export a.safetensors --out=nowhere"), 1);
    assert_said(errors, "no weights in 'nowhere/weights.safetensors'");
    assert_int_equal(run(&nn_model, "export --weights=none -- --json"), 1);
    assert_said(errors, "cannot read 'none'");
}

// A name with a line break does not break the one line, and a long one is refused.
static void test_hostile_names(void **state)
{
    (void)state;
    assert_int_equal(run(&nn_model, "train --data a\nb"), 1);
    assert_said(errors, "no data set in 'a?b'");
    static char folder_name[RUN_PATH + 10];
    memset(folder_name, 'x', RUN_PATH + 5);
    Options options = {.out = folder_name};
    assert_false(read_wanted_weights(&nn_model, &options, NULL));
    assert_problem("is longer than 4095 bytes");
    assert_false(make_folders(folder_name));
    DataSet set;
    folder_name[RUN_PATH - 3] = '\0';
    assert_false(data_load(&set, &nn_model, folder_name, DATA_TEST, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_usage), TEST(test_unknown_words), TEST(test_values), TEST(test_order),
        TEST(test_hostile_names),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
