/*
 * Samples at the edges of what is read: classes without end, parts without samples, folders that hold folders, files
 * cut off at every byte. SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_bench.h"

#include <unistd.h>

static void put_npy(const bench *b, const char *name, const char *header, const double *numbers, size_t count)
{
    unsigned char bytes[2048] = "\x93NUMPY\x01";
    bytes[8] = (unsigned char)strlen(header);
    memcpy(bytes + 10, header, strlen(header));
    memcpy(bytes + 10 + strlen(header), numbers, count * sizeof *numbers);
    put(b, name, bytes, 10 + strlen(header) + count * sizeof *numbers);
}

/* Rows "k,k" for k below `count`, each a label of its own. */
static void put_labels(const bench *b, size_t count)
{
    static char text[32768];
    size_t used = 0;
    for (size_t k = 0; k < count; k++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%zu,%zu\n", k, k);
    }
    put(b, "labels.csv", text, used);
}

static void classes_are_at_most_a_thousand(void **state)
{
    bench *b = *state;
    put_labels(b, 1000);
    reads(b, "{data: labels.csv}", OD_TARGETS_CLASSES);
    assert_int_equal(b->data.classes, 1000);
    put_labels(b, 1001);
    refuses_as(b, "{data: labels.csv}", OD_TARGETS_CLASSES,
               "labels.csv has more than 1000 different labels (0, 1, ...), so they are numbers", "problem.classes");
    static char yaml[8192] = "{data: labels.csv, classes: [0";
    for (size_t k = 1; k <= 1000; k++) {
        sprintf(yaml + strlen(yaml), ", %zu", k);
    }
    strcat(yaml, "]}");
    refuses_as(b, yaml, OD_TARGETS_CLASSES, "expected 2 to 1000 different labels", "problem.classes");
    refuses_as(b, "{data: labels.csv, classes: [0]}", OD_TARGETS_CLASSES, "expected 2 to 1000", "problem.classes");
    refuses_as(b, "{data: labels.csv, classes: [0, 1, 2], samples: 9}", OD_TARGETS_CLASSES,
               "9 samples are asked for, but labels.csv has only 3 of the classes", "problem.samples");
    refuses_as(b, "{data: labels.csv, classes: [0, 1, 2], samples: 2}", OD_TARGETS_CLASSES,
               "none of the first 2 samples has the label 2; keep more of the 3", "problem.samples");
}

static void parts_need_samples(void **state)
{
    bench *b = *state;
    put_labels(b, 9);
    refuses_as(b, "{data: labels.csv, holdout: 0.99}", OD_TARGETS_NUMBERS, "of 9 samples it leaves 0 to train and 9",
               "problem.holdout");
    char path[256];
    path_of(b, "set", path);
    mkdir(path, 0700);
    const double x[4] = {1, 2, 3, 4}, train[4] = {0, 1, 0, 1}, test[4] = {7, 7, 1, 7}, other[4] = {7, 7, 7, 7};
    static const char header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 1)}";
    static const char labels[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (4,)}";
    put_npy(b, "set/x_train.npy", header, x, 4);
    put_npy(b, "set/y_train.npy", labels, train, 4);
    put_npy(b, "set/x_test.npy", header, x, 4);
    put_npy(b, "set/y_test.npy", labels, test, 4);
    /* a test part may lack a class, and needs no train part where all is said */
    reads(b, "{data: set, part: test, classes: [0, 1], scale: none}", OD_TARGETS_CLASSES);
    assert_int_equal(b->data.rows, 1);
    check_close(b->data.row[0], 3, 0);
    assert_null(strstr(b->data.inputs, "train"));
    reads(b, "{data: set, part: test, scale: none}", OD_TARGETS_CLASSES);
    assert_int_equal(b->data.rows, 1);
    assert_non_null(strstr(b->data.inputs, "train"));
    reads(b, "{data: set, part: test, classes: [0, 1], scale: standard}", OD_TARGETS_CLASSES);
    check_relative(b->data.row[0], 0.5 / sqrt(1.25), 1e-15); /* mean 2.5 and variance 5/4 of the train part */
    put_npy(b, "set/y_test.npy", labels, other, 4);
    refuses_as(b, "{data: set, part: test}", OD_TARGETS_CLASSES, "no sample of the test part has one of them",
               "problem.classes");
    /* a folder of that name is no file */
    path_of(b, "set/x_test.npy", path);
    remove(path);
    mkdir(path, 0700);
    refuses_as(b, "{data: set, part: test}", OD_TARGETS_CLASSES, "the folder lacks x_test.npy (plain or with .gz);",
               "problem.data");
    refuses_as(b, "{data: set/x_train.npy/more}", OD_TARGETS_NUMBERS, "it cannot be read (Not a directory)",
               "set/x_train");
    /* drawn data differ from part to part, and have the features that are asked for */
    reads(b, "{data: teacher, samples: 5, features: 3, part: test, target_noise: 0.5}", OD_TARGETS_NUMBERS);
    const double first = b->data.row[0], target = b->data.target[0];
    reads(b, "{data: teacher, samples: 5, features: 3, target_noise: 0.5}", OD_TARGETS_NUMBERS);
    assert_true(first != b->data.row[0] && target != b->data.target[0]);
    reads(b, "{data: clusters, samples: 5, features: 3, classes: [0, 1]}", OD_TARGETS_NUMBERS);
    for (size_t r = 0; r < 5; r++) {
        check_close(fabs(b->data.target[r]), 1, 0);
    }
    refuses_as(b, "{data: clusters, samples: 5, features: 1000000, clusters: 1000}", OD_TARGETS_CLASSES,
               "5 samples of 1000000 features need more than 2 GiB", "problem.samples");
}

static void labels_may_stand_anywhere(void **state)
{
    bench *b = *state;
    const double x[24] = {1, 2, 3, 4, 5, 6, 7}, y[4] = {1, 0, 2.385, 4};
    static const char matrix[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}";
    static const char images[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 2, 2)}";
    put_npy(b, "x.npy", matrix, x, 6);
    put_npy(b, "y.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", y, 2);
    put_npy(b, "rows.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}", y, 4);
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{data: x.npy, label: %s/y.npy}", b->folder);
    reads(b, yaml, OD_TARGETS_NUMBERS);
    assert_int_equal(b->data.cols, 3);
    check_close(b->data.target[0], 1, 0);
    refuses_as(b, "{data: x.npy, label: rows.npy}", OD_TARGETS_CLASSES, "a label of x.npy is a list of 2 numbers",
               "problem.data");
    refuses_as(b, "{data: x.npy, label: rows.npy, classes: [0, 1]}", OD_TARGETS_NUMBERS, "a list of 2 numbers",
               "problem.classes");
    put_npy(b, "images.npy", images, x, 24);
    reads(b, "{data: images.npy, label: y.npy}", OD_TARGETS_NUMBERS);
    const size_t shape[3] = {3, 2, 2}, grey[3] = {1, 2, 2};
    assert_memory_equal(b->data.shape, shape, sizeof shape);
    put_npy(b, "grey.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2, 2)}", x, 8);
    reads(b, "{data: grey.npy, label: y.npy}", OD_TARGETS_NUMBERS);
    assert_memory_equal(b->data.shape, grey, sizeof grey);
    put_npy(b, "cut.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (2", x, 2);
    refuses_as(b, "{data: x.npy, label: cut.npy}", OD_TARGETS_NUMBERS, "its header is not a dictionary", "cut.npy");
    const double few[2] = {INFINITY, 1};
    put_npy(b, "few.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", few, 2);
    refuses_as(b, "{data: x.npy, label: few.npy}", OD_TARGETS_NUMBERS, "number 0 (in C order, from 0) is not finite",
               "few.npy");
    put_text(b, "s.svm", "1 1:2\n-1 2:3\n");
    refuses_as(b, "{data: s.svm, label: y}", OD_TARGETS_SIGNS,
               "only CSV has named columns and only NPY a file of labels", "the format is libsvm");
}

/* Files that were given each other's names. */
static void images_are_no_labels(void **state)
{
    static const unsigned char images[17] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9},
                               labels[9] = {0, 0, 8, 1, 0, 0, 0, 1, 3};
    static const unsigned char neither[17] = {0, 0, 8, 2};
    bench *b = *state;
    char path[256];
    path_of(b, "set", path);
    mkdir(path, 0700);
    put(b, "set/train-images-idx3-ubyte", images, sizeof images);
    put(b, "set/train-labels-idx1-ubyte", images, sizeof images);
    refuses_as(b, "{data: set}", OD_TARGETS_NUMBERS,
               "the magic number is 2051, not the 2049 of IDX labels, those are images", "train-labels");
    unsigned char longer[17] = {0};
    memcpy(longer, labels, sizeof labels);
    put(b, "set/train-images-idx3-ubyte", longer, sizeof longer);
    refuses_as(b, "{data: set}", OD_TARGETS_NUMBERS,
               "the magic number is 2049, not the 2051 of IDX images, those are labels", "train-images");
    put(b, "set/train-images-idx3-ubyte", neither, sizeof neither);
    refuses_as(b, "{data: set}", OD_TARGETS_NUMBERS, "the magic number is 2050, not the 2051 of IDX images; check",
               "train-images");
    put(b, "set/train-images-idx3-ubyte", images, sizeof images);
    put(b, "set/train-labels-idx1-ubyte", labels, sizeof labels);
    reads(b, "{data: set, scale: none}", OD_TARGETS_NUMBERS);
    check_close(b->data.row[0], 9, 0);
    check_close(b->data.target[0], 3, 0);
}

static void text_is_read_to_the_letter(void **state)
{
    bench *b = *state;
    put_text(b, "info.csv", "info,y\n1,2\n3,4\n"); /* begins as inf, and is a name */
    reads(b, "{data: info.csv}", OD_TARGETS_NUMBERS);
    assert_int_equal(b->data.rows, 2);
    put_text(b, "inf.csv", "x,+Inf\n1,2\n");
    refuses_as(b, "{data: inf.csv}", OD_TARGETS_NUMBERS, "'+Inf' is not a finite number", "line 1");
    put_text(b, "sign.csv", "-,y\n1,2\n");
    reads(b, "{data: sign.csv}", OD_TARGETS_NUMBERS);
    put_text(b, "delete", "1\x7f\x01\xc3\xa9 1:2\n");
    refuses_as(b, "{data: delete}", OD_TARGETS_SIGNS, "the label '1\?\?\?\?' is not a finite number", "line 1");
    /* 400 digits are beyond a double, 600 are not looked at */
    for (int digits = 400; digits <= 600; digits += 200) {
        char text[700];
        snprintf(text, sizeof text, "1,2\n1,%0*d\n", digits, 7);
        memset(strrchr(text, ',') + 1, '7', (size_t)digits);
        put_text(b, "long.csv", text);
        refuses_as(b, "{data: long.csv}", OD_TARGETS_NUMBERS, "...' in column 2 is not a finite number", "line 2");
    }
}

/* Stored and packed blocks, longer than the first buffer of 64 KiB, cut off at every byte: too early, wherever. */
static void gzip_files_cut_anywhere_are_refused(void **state)
{
    bench *b = *state;
    enum { LENGTH = 70000, ROOM = 100000 };
    static char text[LENGTH];
    static unsigned char packed[ROOM];
    memset(text, ' ', LENGTH);
    memcpy(text, "1 1:2\n-1 1:3\n", 13);
    char path[256];
    path_of(b, "whole.gz", path);
    for (int level = 0; level < 2; level++) {
        gzFile out = gzopen(path, level == 0 ? "wb0" : "wb9");
        assert_int_equal(gzwrite(out, text, LENGTH), LENGTH);
        gzclose(out);
        FILE *in = fopen(path, "rb");
        const size_t length = fread(packed, 1, ROOM, in);
        fclose(in);
        reads(b, "{data: whole.gz}", OD_TARGETS_SIGNS);
        assert_int_equal(b->data.rows, 2);
        /* of stored blocks around where the buffer is full, of packed ones all */
        for (size_t cut = level == 0 ? 65536 - 16 : 20; cut < (level == 0 ? 65536 + 64 : length); cut++) {
            put(b, "cut.gz", packed, cut);
            refuses_as(b, "{data: cut.gz}", OD_TARGETS_SIGNS, "the gzip data end too early; get the file again",
                       "cut.gz");
        }
    }
}

/* A file of the system that says it is longer than it is. */
static void files_shorter_than_they_say_are_refused(void **state)
{
    static const char file[] = "/sys/devices/system/cpu/online";
    struct stat about;
    char text[4096];
    FILE *in = fopen(file, "rb");
    const size_t length = in != NULL ? fread(text, 1, sizeof text, in) : 0;
    if (in == NULL || fstat(fileno(in), &about) != 0 || !S_ISREG(about.st_mode) || (size_t)about.st_size <= length) {
        print_message("there is no such file here\n");
        skip();
    }
    fclose(in);
    refuses_as(*state, "{data: /sys/devices/system/cpu/online}", OD_TARGETS_NUMBERS, "bytes could be read; try again",
               file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_bench(classes_are_at_most_a_thousand),
        test_at_bench(parts_need_samples),
        test_at_bench(labels_may_stand_anywhere),
        test_at_bench(images_are_no_labels),
        test_at_bench(text_is_read_to_the_letter),
        test_at_bench(gzip_files_cut_anywhere_are_refused),
        test_at_bench(files_shorter_than_they_say_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
