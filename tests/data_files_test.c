/*
 * NPY files byte by byte as NumPy 1.24.2 writes them, CIFAR-10 records by hand, parts and classes of files, and hostile
 * files: seeded damage to good ones is read or refused with a sentence.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_bench.h"

#include <math.h>

/* ------------------------------------------------------------------------------------------------------- NPY */

enum { NPY_ROOM = 1024 };

/* Magic, version, header padded with blanks to a multiple of 64, numbers. Returns the length. */
static size_t make_npy(unsigned char out[NPY_ROOM], unsigned version, const char *header, const void *numbers,
                       size_t length)
{
    const size_t fixed = version == 1 ? 10 : 12, text = (fixed + strlen(header) + 1 + 63) / 64 * 64 - fixed;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (unsigned char)version;
    out[7] = 0;
    memset(out + 8, 0, 4);
    out[8] = (unsigned char)text;
    out[9] = (unsigned char)(text >> 8);
    memset(out + fixed, ' ', text);
    memcpy(out + fixed, header, strlen(header));
    out[fixed + text - 1] = '\n';
    memcpy(out + fixed + text, numbers, length);
    return fixed + text + length;
}

static void put_npy(const bench *b, const char *name, unsigned version, const char *header, const void *numbers,
                    size_t length)
{
    unsigned char bytes[NPY_ROOM];
    put(b, name, bytes, make_npy(bytes, version, header, numbers, length));
}

/* numpy.array([[1.5, -2.385, 3], [3e300, 0.1, 1]]) */
static const char matrix_header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
static const unsigned char matrix[] = "\x00\x00\x00\x00\x00\x00\xf8?\x14\xae"
                                      "G\xe1z\x14\x03\xc0\x00\x00\x00\x00\x00\x00\x08@5X\x00"
                                      "f-\xebQ~\x9a\x99\x99\x99\x99\x99\xb9?\x00\x00\x00\x00\x00\x00\xf0?";

static void npy_files_of_every_type(void **state)
{
    bench *b = *state;
    const double value[2][2] = {{1.5, -2.385}, {3e300, 0.1}}, label[2] = {3, 1};
    for (unsigned version = 1; version <= 3; version++) {
        put_npy(b, "m.npy", version, matrix_header, matrix, sizeof matrix - 1);
        reads(b, "{data: m.npy}", OD_TARGETS_NUMBERS);
        assert_int_equal(b->data.rows, 2);
        assert_int_equal(b->data.cols, 2);
        for (size_t r = 0; r < 2; r++) {
            check_close(b->data.target[r], label[r], 0);
            check_close(b->data.row[r * 8], value[r][0], 0);
            check_close(b->data.row[r * 8 + 1], value[r][1], 0);
        }
    }
    static const struct {
        const char *type, *bytes;
        size_t size;
        double want;
    } numbers[] = {
        {">f8", "\xc0\x03\x14\x7a\xe1\x47\xae\x14", 8, -2.385},
        {"<f4", "\x00\x00\x18\xc0", 4, -2.375},
        {">i4", "\xff\xff\xff\xfb", 4, -5},
        {"<i8", "\xfb\xff\xff\xff\xff\xff\xff\xff", 8, -5},
        {"|i1", "\x80", 1, -128},
        {"|u1", "\x80", 1, 128},
        {"<u2", "\x01\x80", 2, 32769},
        {">i2", "\x80\x01", 2, -32767},
        {"<u4", "\xff\xff\xff\xff", 4, 4294967295.0},
        {"<u8", "\x00\x00\x00\x00\x00\x00\x20\x00", 8, 0x1p53},
        {"|b1", "\x01", 1, 1},
    };
    put_npy(b, "y.npy", 1, "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", "\x07\0\0\0", 4);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char header[96];
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1, 1), }", numbers[i].type);
        put_npy(b, "x.npy", 1, header, numbers[i].bytes, numbers[i].size);
        reads(b, "{data: x.npy, label: y.npy}", OD_TARGETS_NUMBERS);
        check_close(b->data.row[0], numbers[i].want, 0);
        check_close(b->data.target[0], 7, 0);
    }
    assert_memory_equal(b->data.inputs, "x.npy ", 6);
    assert_non_null(strstr(b->data.inputs, "\ny.npy "));
}

static void npy_images_with_rows_of_targets(void **state)
{
    bench *b = *state;
    unsigned char pixel[2 * 2 * 3 * 4];
    float target[2 * 3];
    for (size_t i = 0; i < sizeof pixel; i++) {
        pixel[i] = (unsigned char)(3 * i + 1);
    }
    for (size_t i = 0; i < 6; i++) {
        target[i] = (float)i - 2.5F;
    }
    put_npy(b, "x.npy", 1, "{'shape': (2, 2, 3, 4), 'fortran_order': False, 'descr': '|u1'}", pixel, sizeof pixel);
    put_npy(b, "y.npy", 1, "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 3)}", target, sizeof target);
    reads(b, "{data: x.npy, label: y.npy}", OD_TARGETS_NUMBERS);
    const size_t shape[3] = {2, 3, 4};
    assert_memory_equal(b->data.shape, shape, sizeof shape);
    assert_int_equal(b->data.cols, 24);
    assert_int_equal(b->data.outputs, 3);
    for (size_t i = 0; i < 6; i++) {
        check_close(b->data.target[i], target[i], 0);
    }
    for (size_t j = 0; j < 24; j++) {
        check_close(b->data.row[b->data.stride + j], pixel[24 + j], 0);
    }
    refuses_as(b, "{data: x.npy, label: y.npy}", OD_TARGETS_CLASSES, "a list of 3 numbers", "problem.data");
    refuses_as(b, "{data: x.npy}", OD_TARGETS_NUMBERS, "give label: y.npy", "x.npy");
    refuses_as(b, "{data: x.npy, label: nowhere.npy}", OD_TARGETS_NUMBERS, "there is no such file", "nowhere.npy");
}

static void bad_npy_files_are_refused(void **state)
{
    bench *b = *state;
    static const struct {
        const char *header, *part;
    } bad[] = {
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", "numpy.ascontiguousarray"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", "'<f2'"},
        {"{'descr': '<U1', 'fortran_order': False, 'shape': (2, 3), }", "'<U1'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "'|O'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2, 3), }", "type ''"},
        {"{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (2, 3), }", "is not a dictionary"},
        {"{'descr': '<f8', 'fortran_order': False}", "is not a dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)} x", "is not a dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, -3)}", "is not a dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", "is not a dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,6)}", "is not a dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4)}", "48 bytes follow the header"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}", "48 bytes follow the header"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "48 bytes follow the header"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (6148914691236517206, 3)}", "48 bytes follow the header"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3)}", "axis 1 of its shape is 0"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (6,)}", "give label: y.npy"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (6, 1)}", "give label: y.npy"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_npy(b, "m.npy", 1, bad[i].header, matrix, sizeof matrix - 1);
        refuses_as(b, "{data: m.npy}", OD_TARGETS_NUMBERS, bad[i].part, "m.npy");
    }
    put_npy(b, "m.npy", 4, matrix_header, matrix, sizeof matrix - 1);
    refuses_as(b, "{data: m.npy}", OD_TARGETS_NUMBERS, "NPY version 4.0", "m.npy");
    put_text(b, "m.npy", "1,2,3\n4,5,6\n");
    refuses_as(b, "{data: m.npy}", OD_TARGETS_NUMBERS, "does not begin as an NPY file does", "m.npy");
    put(b, "m.npy", "\x93NUMPY\x01\x00\xff\xff{'descr'", 18);
    refuses_as(b, "{data: m.npy}", OD_TARGETS_NUMBERS, "ends within its header", "m.npy");
    const double odd[6] = {1, 2, 3, NAN, 5, 6};
    put_npy(b, "m.npy", 1, matrix_header, odd, sizeof odd);
    refuses_as(b, "{data: m.npy}", OD_TARGETS_NUMBERS, "number 3 (in C order, from 0) is not finite", "m.npy");
    const int64_t large[6] = {1, 2, 3, 4, INT64_MAX, 6};
    put_npy(b, "m.npy", 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }", large, sizeof large);
    refuses_as(b, "{data: m.npy}", OD_TARGETS_NUMBERS, "number 4 (in C order, from 0) is over 2^53", "m.npy");
    put_npy(b, "m.npy", 1, matrix_header, matrix, sizeof matrix - 1);
    put_npy(b, "y.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", matrix, sizeof matrix - 1);
    refuses_as(b, "{data: m.npy, label: y.npy}", OD_TARGETS_NUMBERS, "each of the 2 samples", "y.npy");
}

/* ------------------------------------------------------------------------------------------------------- CIFAR-10 */

enum { RECORD = 3073, PER_BATCH = 2 };

static unsigned char cifar_byte(size_t record, size_t k)
{
    return (unsigned char)(k == 0 ? (record * 7) % 10 : (record * 31 + k * 5) % 256);
}

static void put_batch(const bench *b, const char *name, size_t first, size_t length)
{
    static unsigned char bytes[PER_BATCH * RECORD + 1];
    for (size_t k = 0; k < sizeof bytes; k++) {
        bytes[k] = cifar_byte(first + k / RECORD, k % RECORD);
    }
    put(b, name, bytes, length);
}

static void put_cifar(const bench *b)
{
    char path[256], name[64];
    path_of(b, "cifar", path);
    mkdir(path, 0700);
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "cifar/data_batch_%zu.bin", i + 1);
        put_batch(b, name, i * PER_BATCH, (size_t)PER_BATCH * RECORD);
    }
    put_batch(b, "cifar/test_batch.bin", 10, (size_t)PER_BATCH * RECORD);
}

static void cifar_batches_in_their_order(void **state)
{
    bench *b = *state;
    put_cifar(b);
    const size_t shape[3] = {3, 32, 32};
    reads(b, "{data: cifar}", OD_TARGETS_CLASSES);
    assert_int_equal(b->data.rows, 10);
    assert_int_equal(b->data.cols, 3072);
    assert_int_equal(b->data.classes, 10);
    assert_memory_equal(b->data.shape, shape, sizeof shape);
    for (size_t r = 0; r < 10; r++) {
        check_close(b->data.class_label[b->data.class_index[r]], cifar_byte(r, 0), 0);
        for (size_t j = 0; j < 3072; j += 7) {
            check_close(b->data.row[r * b->data.stride + j], cifar_byte(r, j + 1) / 255.0, 0);
        }
    }
    assert_non_null(strstr(b->data.inputs, "\ncifar/data_batch_5.bin "));
    reads(b, "{data: cifar, part: test, scale: none}", OD_TARGETS_NUMBERS);
    assert_int_equal(b->data.rows, PER_BATCH);
    check_close(b->data.target[1], cifar_byte(11, 0), 0);
    check_close(b->data.row[b->data.stride + 3071], cifar_byte(11, 3072), 0);
    reads(b, "{data: cifar/data_batch_2.bin, scale: none}", OD_TARGETS_NUMBERS);
    check_close(b->data.row[0], cifar_byte(2, 1), 0);

    put_batch(b, "cifar/data_batch_4.bin", 6, PER_BATCH * RECORD - 1);
    refuses_as(b, "{data: cifar}", OD_TARGETS_CLASSES, "6145 bytes are not a whole number of CIFAR-10 records",
               "data_batch_4.bin");
    unsigned char wrong[RECORD] = {10};
    put(b, "cifar/data_batch_4.bin", wrong, sizeof wrong);
    refuses_as(b, "{data: cifar}", OD_TARGETS_CLASSES, "record 1 has the label 10", "data_batch_4.bin");
    char path[256];
    path_of(b, "cifar/data_batch_4.bin", path);
    remove(path);
    refuses_as(b, "{data: cifar}", OD_TARGETS_CLASSES, "the folder lacks data_batch_4.bin (plain", "data_batch_4.bin");
}

/* ------------------------------------------------------------------------------------------------------- parts */

/* Samples x = 0, 1, 2, ... of labels 4, 2, 9, 4, 2, 9, ... */
static void put_rows(const bench *b, size_t rows)
{
    static char text[64 * 1024];
    size_t used = 0;
    for (size_t r = 0; r < rows; r++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%zu,%d\n", r, (int[]){4, 2, 9}[r % 3]);
    }
    put_text(b, "rows.csv", text);
}

static void classes_have_the_order_asked_for(void **state)
{
    bench *b = *state;
    put_rows(b, 9);
    reads(b, "{data: rows.csv}", OD_TARGETS_CLASSES);
    const double ascending[3] = {2, 4, 9}, own[2] = {9, 2};
    assert_memory_equal(b->data.class_label, ascending, sizeof ascending);
    assert_int_equal(b->data.class_index[0], 1);
    reads(b, "{data: rows.csv, classes: [9, 2]}", OD_TARGETS_CLASSES);
    assert_int_equal(b->data.rows, 6);
    assert_memory_equal(b->data.class_label, own, sizeof own);
    assert_int_equal(b->data.class_index[0], 1);
    check_close(b->data.row[0], 1, 0);
    check_close(b->data.target[1], 1, 0);
    check_close(b->data.target[0], 0, 0);
    reads(b, "{data: rows.csv, classes: [9, 2]}", OD_TARGETS_NUMBERS); /* a regression sees signs */
    check_close(b->data.target[0], -1, 0);
    reads(b, "{data: rows.csv}", OD_TARGETS_NUMBERS);
    check_close(b->data.target[2], 9, 0);
    put_text(b, "half.csv", "1,2,0\n3,4,0.5\n");
    refuses_as(b, "{data: half.csv}", OD_TARGETS_CLASSES, "the label 0.5 of half.csv is no whole number",
               "problem.data");
    reads(b, "{data: half.csv, classes: [0, 0.5]}", OD_TARGETS_CLASSES);
}

static void holdout_splits_at_random_and_completely(void **state)
{
    enum { N = 300, TEST = 75 };
    bench *b = *state;
    put_rows(b, N);
    od_data test;
    bool seen[N] = {false};
    double mean = 0;
    const od_settings *s = settings_of(b, b->folder, "{data: rows.csv, holdout: 0.25, part: test, data_seed: 3}");
    check_done(b->ctx, od_data_read(b->ctx, s, OD_TARGETS_CLASSES, true, &test) == OD_OK);
    reads(b, "{data: rows.csv, holdout: 0.25, samples: 150, data_seed: 3}", OD_TARGETS_CLASSES);
    assert_int_equal(b->data.rows, 150);
    assert_int_equal(test.rows, TEST);
    assert_int_equal(test.cols, 2);
    for (size_t r = 0; r < TEST; r++) {
        const size_t i = (size_t)test.row[r * 8];
        assert_false(seen[i]);
        seen[i] = true;
        mean += (double)i / TEST;
        check_close(test.class_label[test.class_index[r]], i % 3 == 0 ? 4 : i % 3 == 1 ? 2 : 9, 0);
    }
    /* 75 of 0 .. 299 without replacement: variance (N^2/12)(1 - 75/300)/75; 5 deviations */
    check_close(mean, 149.5, 5 * sqrt(N * N / 12.0 * 0.75 / TEST));
    for (size_t r = 0; r < 150; r++) { /* the first ones of the others, in the order of the file */
        assert_false(seen[(size_t)b->data.row[r * 8]]);
        assert_true(r == 0 || b->data.row[r * 8] > b->data.row[(r - 1) * 8]);
    }
    assert_true(strchr(test.inputs, '\n') == NULL);
    od_data_free(&test);
    refuses_as(b, "{data: rows.csv, holdout: 0.001}", OD_TARGETS_CLASSES, "leaves 300 to train and 0 to test",
               "problem.holdout");
    put_cifar(b);
    refuses_as(b, "{data: cifar, holdout: 0.1}", OD_TARGETS_CLASSES, "a test part of its own", "problem.holdout");
}

static void the_test_part_is_scaled_as_the_train_part(void **state)
{
    bench *b = *state;
    char path[256];
    path_of(b, "set", path);
    mkdir(path, 0700);
    const double x_train[4] = {1, 3, 1, 3}, x_test[2] = {2, 7}, y[4] = {5, 6, 5, 6};
    put_npy(b, "set/x_train.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 1), }", x_train, 32);
    put_npy(b, "set/y_train.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }", y, 32);
    put_npy(b, "set/x_test.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }", x_test, 16);
    put_npy(b, "set/y_test.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", y, 16);
    reads(b, "{data: set, part: test, scale: standard}", OD_TARGETS_CLASSES); /* mean 2, deviation 1 */
    check_close(b->data.row[0], 0, 0);
    check_close(b->data.row[8], 5, 0);
    assert_non_null(strstr(b->data.inputs, "set/x_test.npy "));
    assert_non_null(strstr(b->data.inputs, "set/x_train.npy "));
    const double last[2] = {6, 6}; /* class 1, although the test part has no other */
    put_npy(b, "set/y_test.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", last, 16);
    reads(b, "{data: set, part: test}", OD_TARGETS_CLASSES);
    assert_int_equal(b->data.classes, 2);
    assert_int_equal(b->data.class_index[0], 1);
    reads(b, "{data: set, part: test, scale: unit-range}", OD_TARGETS_NUMBERS);
    check_close(b->data.row[8], 3, 0);
    put_npy(b, "set/x_test.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", x_test, 16);
    put_npy(b, "set/y_test.npy", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", y, 8);
    refuses_as(b, "{data: set, part: test, scale: standard}", OD_TARGETS_NUMBERS, "has 2 features and its train part 1",
               "problem.data");
}

/* ------------------------------------------------------------------------------------------------------- damage */

/* Damages a copy: bytes changed, cut, repeated or moved; a function of (kind, round). */
static size_t damage(unsigned char *bytes, size_t length, size_t room, uint64_t kind, uint64_t round)
{
    uint64_t draws = 0;
#define DRAW(bound) od_index(17, OD_STREAM_DATA, kind, 2 * draws++, round, (uint32_t)(bound))
    const unsigned times = 1 + DRAW(3);
    for (unsigned t = 0; t < times && length > 1; t++) {
        const size_t at = DRAW(length), to = DRAW(length), span = 1 + DRAW(length - (at > to ? at : to));
        switch (DRAW(5)) {
        case 0: bytes[at] = (unsigned char)DRAW(256); break;
        case 1: bytes[at] ^= (unsigned char)(1u << DRAW(8)); break;
        case 2: length = 1 + DRAW(length); break;
        case 3: memmove(bytes + to, bytes + at, span); break;
        default:
            if (length + span <= room) {
                memmove(bytes + at + span, bytes + at, length - at);
                length += span;
            }
        }
    }
#undef DRAW
    return length;
}

static void damaged_files_are_read_or_refused(void **state)
{
    enum { ROUNDS = 600, KINDS = 5, ROOM = 16384 };
    static const char *const yaml[KINDS] = {"{data: d, format: npy}", "{data: d, format: csv, holdout: 0.4}",
                                            "{data: d, format: libsvm}", "{data: d, format: cifar10}",
                                            "{data: d, format: npy, scale: standard}"};
    static unsigned char good[KINDS][ROOM], copy[2 * ROOM];
    bench *b = *state;
    size_t length[KINDS], read = 0;
    length[0] = make_npy(good[0], 2, matrix_header, matrix, sizeof matrix - 1);
    length[1] = (size_t)sprintf((char *)good[1], "a,b,y\n1,-2.5,1\n3,4e1,0\n0.5,1e-3,1\n2,2,0\n");
    length[2] = (size_t)sprintf((char *)good[2], "+1 1:0.5 3:-2.385e0\n-1 2:1e-3\r\n+1 1:7 # x\n");
    length[3] = 2 * RECORD;
    for (size_t k = 0; k < length[3]; k++) {
        good[3][k] = cifar_byte(k / RECORD, k % RECORD);
    }
    unsigned char npy[NPY_ROOM];
    put_gzip(b, "z", npy, make_npy(npy, 1, matrix_header, matrix, sizeof matrix - 1));
    char path[256];
    path_of(b, "z", path);
    FILE *in = fopen(path, "rb");
    length[4] = fread(good[4], 1, ROOM, in);
    fclose(in);
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (uint64_t round = 0; round < ROUNDS; round++) {
            memcpy(copy, good[kind], length[kind]);
            put(b, "d", copy, damage(copy, length[kind], sizeof copy, kind, round));
            if (read_in(b, b->folder, yaml[kind], (od_targets)(round % 3)) != OD_OK) {
                assert_true(strlen(od_message(b->ctx)) > 20);
                assert_null(b->data.row);
                continue;
            }
            read++;
            for (size_t k = 0; k < b->data.rows * b->data.stride; k++) {
                assert_true(isfinite(b->data.row[k]));
            }
        }
    }
    assert_in_range(read, 100, KINDS * ROUNDS - 100); /* both happen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_bench(npy_files_of_every_type),
        test_at_bench(npy_images_with_rows_of_targets),
        test_at_bench(bad_npy_files_are_refused),
        test_at_bench(cifar_batches_in_their_order),
        test_at_bench(classes_have_the_order_asked_for),
        test_at_bench(holdout_splits_at_random_and_completely),
        test_at_bench(the_test_part_is_scaled_as_the_train_part),
        test_at_bench(damaged_files_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
