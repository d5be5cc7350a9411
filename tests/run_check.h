/* Running experiments in tests and reading what they wrote. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TESTS_RUN_CHECK_H
#define OD_TESTS_RUN_CHECK_H

#include "check.h"

#include <dirent.h>
#include <unistd.h>

/** Runs a text; the caller frees the result. Fails unless the status is `want`. */
static inline od_result *run_text(od_context *ctx, const char *yaml, const od_options *options, od_status want)
{
    od_result *result = NULL;
    od_experiment *e = od_experiment_parse(ctx, yaml, options);
    check_done(ctx, e != NULL);
    const od_status status = od_experiment_run(ctx, e, &result);
    od_experiment_free(e);
    if (status != want) {
        print_error("%s, want %s: %s\n", od_status_name(status), od_status_name(want), od_message(ctx));
        fail();
    }
    return result;
}

static inline char *make_folder(char path[32])
{
    strcpy(path, "/tmp/optdyn-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *d; folder != NULL && (d = readdir(folder)) != NULL;) {
        char file[512];
        snprintf(file, sizeof file, "%s/%s", path, d->d_name);
        if (d->d_name[0] != '.') {
            unlink(file);
        }
    }
    closedir(folder);
    rmdir(path);
}

static inline char *read_text(const char *folder, const char *name, size_t *size)
{
    char path[512], *text = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rb"), *out = open_memstream(&text, size);
    assert_non_null(out);
    if (in == NULL) {
        fail_msg("%s is not there", path);
    }
    for (int c; (c = fgetc(in)) != EOF;) {
        fputc(c, out);
    }
    fclose(in);
    fclose(out);
    return text;
}

/** Fails unless two folders hold the same files with the same bytes; returns their number. */
static inline size_t check_same_folders(const char *a, const char *b)
{
    size_t count = 0, others = 0;
    DIR *folder = opendir(a), *other = opendir(b);
    assert_true(folder != NULL && other != NULL);
    for (struct dirent *d; (d = readdir(folder)) != NULL;) {
        if (d->d_name[0] == '.') {
            continue;
        }
        size_t size_a, size_b;
        char *text_a = read_text(a, d->d_name, &size_a), *text_b = read_text(b, d->d_name, &size_b);
        if (size_a != size_b || memcmp(text_a, text_b, size_a) != 0) {
            fail_msg("%s differs", d->d_name);
        }
        free(text_a);
        free(text_b);
        count++;
    }
    for (struct dirent *d; (d = readdir(other)) != NULL;) {
        others += d->d_name[0] != '.';
    }
    closedir(folder);
    closedir(other);
    assert_int_equal(count, others);
    return count;
}

/** A CSV file: value[row*columns + column]. */
typedef struct table {
    size_t rows, columns;
    char name[64][40];
    double *value;
} table;

static inline table read_table(const char *folder, const char *name)
{
    table t = {0};
    size_t size, room = 0;
    char *text = read_text(folder, name, &size), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char *inner = NULL;
        if (line[0] == '#') {
            continue;
        }
        size_t column = 0;
        const bool head = t.columns == 0;
        for (char *word = strtok_r(line, ",", &inner); word != NULL; word = strtok_r(NULL, ",", &inner), column++) {
            if (head) {
                assert_true(column < 64);
                snprintf(t.name[column], sizeof t.name[column], "%s", word);
                t.columns = column + 1;
                continue;
            }
            if ((t.rows + 1) * t.columns > room) {
                room = 2 * room + t.columns;
                t.value = realloc(t.value, room * sizeof *t.value);
                assert_non_null(t.value);
            }
            char *end;
            assert_true(column < t.columns);
            t.value[t.rows * t.columns + column] = strtod(word, &end);
            assert_int_equal(*end, '\0');
        }
        if (!head) {
            assert_int_equal(column, t.columns);
            t.rows++;
        }
    }
    free(text);
    return t;
}

static inline double table_at(const table *t, size_t row, const char *name)
{
    for (size_t c = 0; c < t->columns; c++) {
        if (strcmp(t->name[c], name) == 0) {
            assert_true(row < t->rows);
            return t->value[row * t->columns + c];
        }
    }
    fail_msg("there is no column %s", name);
    return NAN;
}

#endif
