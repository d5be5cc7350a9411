/*
 * Readers of IDX, LIBSVM and CSV files: good files by hand, bad files by their sentences, and the published files where
 * the variable OPTDYN_DATA names their folder.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_bench.h"

static void refuses(bench *b, const char *yaml, const char *part, const char *other)
{
    refuses_as(b, yaml, OD_TARGETS_SIGNS, part, other);
}

static void check_rows(const od_data *data, size_t rows, size_t cols, const double *want, const double *target,
                       double tolerance)
{
    assert_int_equal(data->rows, rows);
    assert_int_equal(data->cols, cols);
    assert_true(data->stride >= cols && data->stride % 8 == 0);
    for (size_t r = 0; r < rows; r++) {
        check_close(data->target[r], target[r], 0);
        for (size_t j = 0; j < data->stride; j++) {
            check_close(data->row[r * data->stride + j], j < cols ? want[r * cols + j] : 0, tolerance);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------- IDX */

enum { IMAGES = 5, PIXELS = 6 };

static const unsigned char image_file[16 + IMAGES * PIXELS] = {
    0,   0, 8, 3, 0, 0,   0,   5,   0,  0,  0,  2,  0, 0, 0, 3,       /* 5 images of 2 x 3 pixels */
    0,   1, 2, 3, 4, 255, 10,  20,  30, 40, 50, 60, 9, 8, 7, 6, 5, 4, /* labels 3, 5, 7 */
    100, 0, 0, 0, 0, 0,   200, 100, 50, 25, 12, 6,                    /* labels 5, 3 */
};
static const unsigned char label_file[8 + IMAGES] = {0, 0, 8, 1, 0, 0, 0, 5, 3, 5, 7, 5, 3};

static void put_idx(const bench *b, const unsigned char *images, size_t image_length, const unsigned char *labels,
                    size_t label_length)
{
    char path[256];
    path_of(b, "set", path);
    mkdir(path, 0700);
    put(b, "set/train-images-idx3-ubyte", images, image_length);
    put(b, "set/train-labels-idx1-ubyte", labels, label_length);
}

static void idx_plain_and_gzipped(void **state)
{
    bench *b = *state;
    put_idx(b, image_file, sizeof image_file, label_file, sizeof label_file);
    put_gzip(b, "set/t10k-images-idx3-ubyte.gz", image_file, sizeof image_file);
    put_gzip(b, "set/t10k-labels-idx1-ubyte.gz", label_file, sizeof label_file);
    const size_t kept[4] = {0, 1, 3, 4};
    const double plus_is_3[4] = {1, -1, -1, 1}, plus_is_5[4] = {-1, 1, 1, -1};
    double want[4 * PIXELS], with_bias[4 * (PIXELS + 1)];
    for (size_t r = 0; r < 4; r++) {
        for (size_t j = 0; j < PIXELS; j++) {
            want[r * PIXELS + j] = image_file[16 + kept[r] * PIXELS + j] / 255.0;
            with_bias[r * (PIXELS + 1) + j] = image_file[16 + kept[r] * PIXELS + j];
        }
        with_bias[r * (PIXELS + 1) + PIXELS] = 1;
    }
    reads(b, "{data: set, classes: [3, 5]}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 4, PIXELS, want, plus_is_3, 0);
    assert_non_null(strstr(b->data.inputs, "set/train-images-idx3-ubyte "));
    reads(b, "{data: set, part: test, classes: [5, 3], bias: true, scale: none}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 4, PIXELS + 1, with_bias, plus_is_5, 0);
    assert_non_null(strstr(b->data.inputs, "set/t10k-labels-idx1-ubyte.gz "));
    reads(b, "{data: set, classes: [3, 5], samples: 2}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 2, PIXELS, want, plus_is_3, 0);
    const double digits[IMAGES] = {3, 5, 7, 5, 3};
    reads(b, "{data: set}", OD_TARGETS_NUMBERS);
    assert_int_equal(b->data.rows, IMAGES);
    assert_memory_equal(b->data.target, digits, sizeof digits);
}

static void bad_idx_files_are_refused(void **state)
{
    bench *b = *state;
    const char *yaml = "{data: set, classes: [3, 5]}";
    unsigned char images[sizeof image_file], labels[sizeof label_file];
    refuses(b, "{data: set, format: idx}", "/set: there is no such folder", "OPTDYN_DATA");
    put_idx(b, image_file, sizeof image_file, label_file, sizeof label_file);
    refuses(b, "{data: set}", "problem.classes", "more than two kinds (3, 5, 7");
    refuses(b, "{data: set, classes: [3, 4]}", "no sample of set has the label 4", "problem.classes");
    refuses(b, "{data: set, classes: [3, 3]}", "two different labels", "[3, 5]");
    refuses(b, "{data: set, classes: [3, 5, 7]}", "two different labels", "[3, 5]");
    refuses(b, "{data: set, classes: [3, 5], samples: 1}", "none of the first 1 samples has the label 5", "of the 4");
    refuses(b, "{data: set, classes: [3, 5], samples: 5}", "5 samples are asked for", "only 4 of the two classes");
    refuses(b, "{data: set, classes: [3, 5], label: y}", "problem.label",
            "the files of a folder have their own labels");
    refuses(b, "{data: set, classes: [3, 5], scale: unit}", "expected none, unit-range", "got unit");
    refuses(b, "{data: set, classes: [3, 5], scale: 0}", "a factor of 0", "another number");
    refuses(b, "{data: set/train-images-idx3-ubyte, format: idx}", "a folder of images and labels", "not one file");
    refuses(b, "{data: set, format: libsvm}", "it is a folder", "leave format out");

    put_idx(b, image_file, sizeof image_file - 1, label_file, sizeof label_file);
    refuses(b, yaml, "announces 5 images of 2 x 3 pixels", "29 bytes follow");
    unsigned char longer[sizeof image_file + 1] = {0};
    memcpy(longer, image_file, sizeof image_file);
    put_idx(b, longer, sizeof longer, label_file, sizeof label_file);
    refuses(b, yaml, "announces 5 images of 2 x 3 pixels", "31 bytes follow");
    put_idx(b, image_file, 11, label_file, sizeof label_file);
    refuses(b, yaml, "11 bytes are too few", "header of 16");
    put_idx(b, image_file, sizeof image_file, label_file, sizeof label_file - 1);
    refuses(b, yaml, "announces 5 labels", "4 bytes follow");
    put_idx(b, label_file, sizeof label_file, image_file, sizeof image_file);
    refuses(b, yaml, "13 bytes are too few", "header of 16");
    put_idx(b, image_file, sizeof image_file, image_file, sizeof image_file);
    refuses(b, yaml, "the magic number is 2051, not the 2049 of IDX labels", "those are images");
    put_idx(b, image_file, 0, label_file, sizeof label_file);
    refuses(b, yaml, "the file is empty", "train-images");

    memcpy(images, image_file, sizeof images);
    memset(images + 4, 0xff, 12); /* 2^96 pixels */
    put_idx(b, images, sizeof images, label_file, sizeof label_file);
    refuses(b, yaml, "4294967295 images of 4294967295 x 4294967295 pixels", "30 bytes follow");
    memcpy(images, image_file, sizeof images);
    memset(images + 8, 0, 4);
    put_idx(b, images, sizeof images, label_file, sizeof label_file);
    refuses(b, yaml, "announces no images", "0 x 3");
    memcpy(labels, label_file, sizeof labels);
    labels[7] = 6;
    put_idx(b, image_file, sizeof image_file, labels, sizeof labels);
    refuses(b, yaml, "announces 6 labels", "5 bytes follow");
    unsigned char more[sizeof label_file + 1] = {0};
    memcpy(more, label_file, sizeof label_file);
    more[7] = 6;
    put_idx(b, image_file, sizeof image_file, more, sizeof more);
    refuses(b, yaml, "6 labels do not go with the 5 images", "one set");
}

static void bad_gzip_files_are_refused(void **state)
{
    bench *b = *state;
    static char long_text[18000];
    enum { LINE = 9 };
    for (size_t i = 0; i < sizeof long_text; i += LINE) {
        char line[32];
        snprintf(line, sizeof line, "%c1 1:%03u\n", i / LINE % 2 == 0 ? '+' : '-', (unsigned)(i * 7 % 997));
        memcpy(long_text + i, line, LINE);
    }
    put_gzip(b, "good.gz", long_text, sizeof long_text);
    char path[256];
    path_of(b, "good.gz", path);
    FILE *in = fopen(path, "rb");
    static unsigned char packed[2 * sizeof long_text];
    const size_t length = fread(packed, 1, sizeof packed / 2, in);
    fclose(in);
    reads(b, "{data: good.gz}", OD_TARGETS_SIGNS);
    const size_t rows = b->data.rows;
    assert_int_equal(rows, sizeof long_text / LINE);

    put(b, "short.gz", packed, length - 5);
    refuses(b, "{data: short.gz}", "the gzip data end too early", "short.gz");
    put(b, "shorter.gz", packed, 4);
    refuses(b, "{data: shorter.gz}", "the gzip data end too early", "shorter.gz");
    packed[length / 2] ^= 0x55;
    put(b, "broken.gz", packed, length);
    refuses(b, "{data: broken.gz}", "the gzip data", "get the file again");
    packed[length / 2] ^= 0x55;
    packed[length - 6] ^= 1; /* the check sum */
    put(b, "sum.gz", packed, length);
    refuses(b, "{data: sum.gz}", "corrupt (incorrect data check)", "sum.gz");
    packed[length - 6] ^= 1;
    packed[length] = 'x';
    put(b, "tail.gz", packed, length + 1);
    refuses(b, "{data: tail.gz}", "1 bytes follow the end", "tail.gz");
    memmove(packed + length, packed, length); /* two members are one file */
    put(b, "twice.gz", packed, 2 * length);
    reads(b, "{data: twice.gz}", OD_TARGETS_SIGNS);
    assert_int_equal(b->data.rows, 2 * rows);
}

/* ------------------------------------------------------------------------------------------------------- text */

static void libsvm_text(void **state)
{
    bench *b = *state;
    /* what the published files hold: blanks at line ends, two blanks, labels 2.000000 and +1, absent entries, CRLF */
    put_text(b, "a", "+1 1:0.5 3:-2.385e0 \n-1  2:1e-3\r\n\n# a remark\n2.000000 1:7 # another\n-1\n+1 3:4");
    const double want[5 * 3] = {0.5, 0, -2.385, 0, 1e-3, 0, 7, 0, 0, 0, 0, 0, 0, 0, 4};
    const double number[5] = {1, -1, 2, -1, 1};
    reads(b, "{data: a}", OD_TARGETS_NUMBERS);
    check_rows(&b->data, 5, 3, want, number, 0);
    const double chosen[2 * 3] = {0, 1e-3, 0, 7, 0, 0}, sign[2] = {-1, 1};
    reads(b, "{data: a, classes: [2, -1], samples: 2}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 2, 3, chosen, sign, 0);
    put_text(b, "zero-one", "1 1:1\n0 1:2\n");
    reads(b, "{data: zero-one}", OD_TARGETS_SIGNS);
    const double two[2] = {1, 2}, zero_one[2] = {1, -1};
    check_rows(&b->data, 2, 1, two, zero_one, 0);
}

static void bad_libsvm_text_is_refused(void **state)
{
    bench *b = *state;
    static const char *const bad[][3] = {
        {"1 1:2\n-1 0:1\n", "bad, line 2: index 0 in '0:1'", "start at 1"},
        {"1 1:2\n-1 3:1 2:4\n", "line 2: index 2 follows 3", "ascend"},
        {"1 1:2\n-1 3:1 3:4\n", "line 2: index 3 follows 3", "ascend"},
        {"1 1:2\n-1 2:x\n", "line 2: the value 'x' of feature 2", "finite number"},
        {"1 1:2\n-1 2:\n", "line 2: the value '' of feature 2", "finite number"},
        {"1 1:2\n-1 2:nan\n", "line 2: the value 'nan'", "finite number"},
        {"1 1:2\n-1 2:1e999\n", "line 2: the value '1e999'", "finite number"},
        {"1 1:2\n-1 2:0x10\n", "line 2: the value '0x10'", "finite number"},
        {"inf 1:2\n-1 2:1\n", "line 1: the label 'inf'", "finite number"},
        {"1,2,3\n", "line 1: the label '1,2,3'", "format: csv"},
        {"1 1:2\n-1 7\n", "line 2: '7' is not index:value", "whole index"},
        {"1 1:2\n-1 :7\n", "line 2: ':7' is not index:value", "whole index"},
        {"1 1:2\n-1 -1:7\n", "line 2: '-1:7' is not index:value", "whole index"},
        {"1 1:2\n-1 qid:7\n", "line 2: 'qid:7' is not index:value", "whole index"},
        {"1 1:2\n-1 99999999999999999999999:7\n", "line 2: the index in", "above 10000000"},
        {"# nothing\n\n", "has no samples", "index:value"},
        {"1\n-1\n", "no line has a feature", "index:value"},
        {"1 1:2\n1 1:3\n", "every sample of bad has the label 1", "two classes"},
        {"1 1:2\n2 1:3\n3 1:1\n", "more than two kinds (1, 2, 3", "classes: [1, 2]"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text(b, "bad", bad[i][0]);
        refuses(b, "{data: bad}", bad[i][1], bad[i][2]);
    }
    put(b, "bad", "1 1:2\n-1 2:1\0002\n", 15);
    refuses(b, "{data: bad}", "line 2: the value '1?2'", "finite number");
    put_text(b, "bad", "");
    refuses(b, "{data: bad}", "the file is empty", "bad");
    refuses(b, "{data: absent}", "/absent: there is no such file", "--data DIR");
    refuses(b, "{data: ''}", "the name is empty", "problem.data");
    /* a wide file that would not fit: 30 rows of ten million features */
    char wide[1024] = "";
    for (size_t i = 0; i < 30; i++) {
        strcat(wide, i % 2 == 0 ? "1 10000000:1\n" : "-1 1:1\n");
    }
    put_text(b, "bad", wide);
    refuses(b, "{data: bad}", "need more than 2 GiB", "samples");
}

static void csv_text(void **state)
{
    bench *b = *state;
    const double want[3 * 2] = {1.5, 2, -2.385, 4, 0, 6e-3}, last[3] = {1, -1, 1};
    put_text(b, "plain.csv", "1.5,2,7\n-2.385 , 4,3\r\n\n0,6e-3,7");
    reads(b, "{data: plain.csv}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 3, 2, want, last, 0);
    put_text(b, "named.csv",
             "\xef\xbb\xbf# made by hand\n\"y, or so\",width,\"height\"\n7,1.5,2\n3,-2.385,4\n7,0,6e-3\n");
    reads(b, "{data: named.csv, label: 'y, or so', classes: [7, 3]}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 3, 2, want, last, 0);
    const double height[3] = {2, 4, 6e-3}, rest[3 * 2] = {7, 1.5, 3, -2.385, 7, 0};
    reads(b, "{data: named.csv}", OD_TARGETS_NUMBERS);
    check_rows(&b->data, 3, 2, rest, height, 0);
    put_text(b, "plain.txt", "1.5,2,7\n-2.385,4,3\n0,6e-3,7\n");
    reads(b, "{data: plain.txt, format: csv}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 3, 2, want, last, 0);
}

static void bad_csv_text_is_refused(void **state)
{
    bench *b = *state;
    static const char *const bad[][3] = {
        {"1,2,3\n4,5\n", "bad.csv, line 2: 2 fields where the first line has 3", "equally long"},
        {"1,2,3\n4,5,6,7\n", "line 2: 4 fields where the first line has 3", "equally long"},
        {"1,2\n4,five\n", "line 2: 'five' in column 2 is not a finite number", "fill it in"},
        {"1,2\n4,\n", "line 2: '' in column 2 is not a finite number", "fill it in"},
        {"a,b\n4,nan\n", "line 2: 'nan' in column 2", "fill it in"},
        {"1,2\n4,-inf\n", "line 2: '-inf' in column 2", "fill it in"},
        {"1,two\n3,4\n", "line 1: 'two' is not a number and '1' is", "neither a header"},
        {"nan,NaN\n3,4\n", "line 1: 'nan' is not a finite number", "fill it in"},
        {"1;2;3\n4;5;6\n", "line 1: one column is too few", "between commas"},
        {"a,b\n", "has no samples", "between commas"},
        {"\n\n", "has no samples", "between commas"},
        {"1,\"2\n3,4\n", "line 1: '\"2' is not a number and '1' is", "neither a header"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text(b, "bad.csv", bad[i][0]);
        refuses(b, "{data: bad.csv}", bad[i][1], bad[i][2]);
    }
    put_text(b, "bad.csv", "a,b\n1,2\n");
    refuses(b, "{data: bad.csv, label: c}", "problem.label", "has no column 'c'");
    put_text(b, "bad.csv", "1,2\n3,4\n");
    refuses(b, "{data: bad.csv, label: c}", "problem.label", "no header line");
    refuses(b, "{data: bad.csv, part: test}", "problem.part", "one file has no parts");
}

/* ------------------------------------------------------------------------------------------------------- scale */

static void scales(void **state)
{
    bench *b = *state;
    put_text(b, "s.csv", "3,4,5,1\n-3,4,0,2\n0,4,-5,1\n");
    const double target[3] = {-1, 1, -1};
    const double range[] = {1, 0, 1, 0, 0, 0.5, 0.5, 0, 0};
    const double r2 = sqrt(50), r41 = sqrt(41);
    const double norm[] = {3 / r2, 4 / r2, 5 / r2, -0.6, 0.8, 0, 0, 4 / r41, -5 / r41};
    const double w = sqrt(1.5);
    const double standard[] = {w, 0, w, -w, 0, 0, 0, 0, -w};
    const double factor[] = {7.5, 10, 12.5, -7.5, 10, 0, 0, 10, -12.5};
    reads(b, "{data: s.csv, scale: unit-range}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 3, 3, range, target, 0);
    reads(b, "{data: s.csv, scale: unit-norm}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 3, 3, norm, target, 1e-15);
    reads(b, "{data: s.csv, scale: standard}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 3, 3, standard, target, 1e-15);
    reads(b, "{data: s.csv, scale: 2.5}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 3, 3, factor, target, 0);
    put_text(b, "zero", "1 1:3\n-1 2:0\n");
    const double zero[] = {1, 0, 0, 0}, sign[] = {1, -1};
    reads(b, "{data: zero, scale: unit-norm}", OD_TARGETS_SIGNS);
    check_rows(&b->data, 2, 2, zero, sign, 0);
    put_text(b, "huge", "1 1:1e308\n-1 1:-1e308\n");
    refuses(b, "{data: huge, scale: 1000}", "feature 1 of a sample is no longer finite", "problem.scale");
    refuses(b, "{data: huge, scale: unit-range}", "no longer finite", "problem.scale");
}

/* ------------------------------------------------------------------------------------------------------- real data */

/* Any prefix of a good file and any single changed byte is read or refused, but never hurts. */
static void damaged_files_do_no_harm(void **state)
{
    bench *b = *state;
    static const char *const good[] = {"+1 1:0.5 3:-2.385e0 \n-1  2:1e-3\r\n2 1:7 # x\n",
                                       "a,\"b\",y\n1,-2.5,1\n3,4e1,0\n"};
    static const char *const yaml[] = {"{data: d, format: libsvm}", "{data: d, format: csv}"};
    for (size_t which = 0; which < 2; which++) {
        const size_t length = strlen(good[which]);
        for (size_t cut = 1; cut < length; cut++) {
            put(b, "d", good[which], cut);
            read_in(b, b->folder, yaml[which], OD_TARGETS_SIGNS);
        }
        for (size_t at = 0; at < length; at++) {
            for (size_t k = 0; k < 12; k++) {
                char copy[64];
                memcpy(copy, good[which], length);
                copy[at] = "\0\n,:\"#-.e9 \xff"[k];
                put(b, "d", copy, length);
                read_in(b, b->folder, yaml[which], k % 3);
            }
        }
    }
    put_idx(b, image_file, sizeof image_file, label_file, sizeof label_file);
    for (size_t at = 0; at < 16; at++) {
        for (unsigned value = 0; value < 256; value += 17) {
            unsigned char images[sizeof image_file];
            memcpy(images, image_file, sizeof images);
            images[at] = (unsigned char)value;
            put(b, "set/train-images-idx3-ubyte", images, sizeof images);
            const bool same = value == image_file[at];
            assert_int_equal(read_in(b, b->folder, "{data: set, classes: [3, 5]}", OD_TARGETS_SIGNS) == OD_OK, same);
        }
    }
}

/* Counts and checksums as the data's own README states them. */
static void published_files(void **state)
{
    bench *b = *state;
    const char *folder = getenv("OPTDYN_DATA");
    check_done(b->ctx, read_in(b, folder, "{data: mnist, classes: [3, 5], bias: true}", OD_TARGETS_SIGNS) == OD_OK);
    assert_int_equal(b->data.rows, 6131 + 5421);
    assert_int_equal(b->data.cols, 785);
    size_t threes = 0;
    for (size_t r = 0; r < b->data.rows; r++) {
        threes += b->data.target[r] == 1;
        check_close(b->data.row[r * b->data.stride + 784], 1, 0);
    }
    assert_int_equal(threes, 6131);
    assert_non_null(strstr(b->data.inputs, "mnist/train-images-idx3-ubyte.gz "
                                           "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609\n"));
    assert_non_null(strstr(b->data.inputs, "mnist/train-labels-idx1-ubyte.gz "
                                           "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"));
    check_done(b->ctx, read_in(b, folder, "{data: mnist}", OD_TARGETS_NUMBERS) == OD_OK);
    double mean = 0;
    for (size_t k = 0; k < b->data.rows * b->data.stride; k++) {
        mean += b->data.row[k];
    }
    check_close(mean / (60000 * 784.0), 0.1307, 5e-5);
    const double first[8] = {5, 0, 4, 1, 9, 2, 1, 3};
    assert_memory_equal(b->data.target, first, sizeof first);
    check_done(b->ctx, read_in(b, folder, "{data: mnist, part: test, classes: [3, 5]}", OD_TARGETS_SIGNS) == OD_OK);
    assert_int_equal(b->data.rows, 1010 + 892);
    check_done(b->ctx, read_in(b, folder, "{data: libsvm/a1a}", OD_TARGETS_SIGNS) == OD_OK);
    assert_int_equal(b->data.rows, 1605);
    assert_int_equal(b->data.cols, 119);
    assert_string_equal(b->data.inputs, "libsvm/a1a eb54c45f1bdb51286f803dd092eb8202b44637a858fc6c4e533a2d64a0d94b4e");
    check_done(b->ctx, read_in(b, folder, "{data: libsvm/breast-cancer}", OD_TARGETS_SIGNS) == OD_OK);
    assert_int_equal(b->data.rows, 683);
    assert_int_equal(b->data.cols, 10);
    check_done(b->ctx, read_in(b, folder, "{data: libsvm/wine.scale, classes: [1, 3]}", OD_TARGETS_SIGNS) == OD_OK);
    assert_int_equal(b->data.rows, 59 + 48);
    assert_int_equal(b->data.cols, 13);
    check_done(b->ctx, read_in(b, folder, "{data: libsvm/housing_scale}", OD_TARGETS_NUMBERS) == OD_OK);
    double target = 0;
    for (size_t r = 0; r < b->data.rows; r++) {
        target += b->data.target[r] / 506;
    }
    check_close(target, 22.53, 5e-3);
}

/* `data_test published` reads the published sets; they are not part of the project, so it may have to be skipped. */
int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "published") == 0) {
        const struct CMUnitTest published[] = {test_at_bench(published_files)};
        const char *folder = getenv("OPTDYN_DATA");
        if (folder == NULL || folder[0] == '\0') {
            /* cmocka 1.1.5 would print a skipped test as failed */
            puts("1..0 # SKIP OPTDYN_DATA does not name the folder of the data sets");
            return 0;
        }
        return cmocka_run_group_tests(published, NULL, NULL);
    }
    const struct CMUnitTest tests[] = {
        test_at_bench(idx_plain_and_gzipped),      test_at_bench(bad_idx_files_are_refused),
        test_at_bench(bad_gzip_files_are_refused), test_at_bench(libsvm_text),
        test_at_bench(bad_libsvm_text_is_refused), test_at_bench(csv_text),
        test_at_bench(bad_csv_text_is_refused),    test_at_bench(scales),
        test_at_bench(damaged_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
