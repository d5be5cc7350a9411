/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "results.h"

#include "build_config.h"
#include "file.h"
#include "journal.h"
#include "label.h"
#include "multilevel.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------- provenance */

static void write_lines(FILE *out, const char *prefix, const char *label, const char *lines)
{
    while (lines != NULL && *lines != '\0') {
        const size_t length = strcspn(lines, "\n");
        fprintf(out, "%s%s", prefix, label);
        od_text_line(out, lines, length);
        fputc('\n', out);
        lines += length + (lines[length] == '\n');
    }
}

void od_results_provenance(FILE *out, const od_experiment *e, const od_member *m, const char *prefix)
{
    fprintf(out, "%soptdyn %s\n", prefix, od_version());
    if (e->invocation[0] != '\0') {
        fprintf(out, "%scommand: ", prefix);
        od_text_line(out, e->invocation, strlen(e->invocation));
        fputc('\n', out);
    }
    fprintf(out, "%sseed: %llu\n", prefix, (unsigned long long)m->seed);
    write_lines(out, prefix, "precision: ", m->problem->precision);
    write_lines(out, prefix, "input: ", m->inputs);
    write_lines(out, prefix, "library: ", od_version_libraries());
}

/* ------------------------------------------------------------------------------------------- files */

/* True if some member of the experiment reads this "file checksum". */
static bool reads_input(const od_experiment *e, const char *input, size_t length)
{
    for (size_t i = 0; i < e->member_count; i++) {
        for (const char *line = e->member[i].inputs; line != NULL && *line != '\0';) {
            const size_t n = strcspn(line, "\n");
            if (n == length && strncmp(line, input, n) == 0) {
                return true;
            }
            line += n + (line[n] == '\n');
        }
    }
    return false;
}

/* True if the file, without its comments, is the experiment, and the inputs it names are unchanged. */
static bool holds_same(const char *path, const od_experiment *e, bool *exists)
{
    static const char input[] = "# input: ";
    const char *text = e->resolved;
    FILE *in = fopen(path, "r");
    *exists = in != NULL;
    if (in == NULL) {
        return false;
    }
    char *line = NULL;
    size_t room = 0;
    bool same = true;
    ssize_t length;
    while (same && (length = getline(&line, &room, in)) >= 0) {
        if (line[0] != '#') {
            same = strncmp(line, text, (size_t)length) == 0;
            text += same ? length : 0;
        } else if (strncmp(line, input, strlen(input)) == 0) {
            same = reads_input(e, line + strlen(input), strcspn(line + strlen(input), "\n"));
        }
    }
    free(line);
    fclose(in);
    return same && *text == '\0';
}

static od_status lock_folder(od_context *ctx, const od_experiment *e, int *lock)
{
    const int kind = e->shards > 0 ? LOCK_SH : LOCK_EX;
    *lock = open(e->output, O_RDONLY | O_CLOEXEC);
    /* a file system that cannot lock leaves it to the user */
    const bool locked = *lock >= 0 && flock(*lock, kind | LOCK_NB) == 0;
    if (*lock >= 0 && !locked && errno == EWOULDBLOCK) {
        close(*lock);
        *lock = -1;
        return od_fail(ctx, OD_EINVAL, "-o", "another run is at work in %s; wait for its end or choose another folder",
                       e->output);
    }
    if (locked && kind == LOCK_EX) {
        od_folder_sweep(e->output);
    }
    return OD_OK;
}

void od_results_release(int lock)
{
    if (lock >= 0) {
        close(lock);
    }
}

static bool same_inputs(const od_member *a, const od_member *b)
{
    return strcmp(a->inputs != NULL ? a->inputs : "", b->inputs != NULL ? b->inputs : "") == 0;
}

bool od_results_foreign(od_context *ctx, const od_experiment *e)
{
    char path[4096];
    bool exists;
    snprintf(path, sizeof path, "%.4000s/experiment.yaml", e->output);
    const bool same = holds_same(path, e, &exists);
    if (!exists) {
        return false;
    }
    const int lock = open(e->output, O_RDONLY | O_CLOEXEC);
    const bool busy = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    od_results_release(lock);
    return !busy && (!same || od_journal_foreign(ctx, e));
}

od_status od_results_claim(od_context *ctx, const od_experiment *e, int *lock)
{
    od_status status = od_folder_make(ctx, e->output);
    status = status == OD_OK ? lock_folder(ctx, e, lock) : status;
    if (status != OD_OK) {
        return status;
    }
    char path[4096];
    bool exists;
    snprintf(path, sizeof path, "%s/experiment.yaml", e->output);
    if (!holds_same(path, e, &exists) && exists) {
        return od_fail(ctx, OD_EINVAL, "-o",
                       "%s holds the results of another experiment (or its input files have changed); choose another "
                       "folder or remove it",
                       e->output);
    }
    od_file file;
    status = od_file_open(ctx, &file, e->output, "experiment.yaml");
    if (status != OD_OK) {
        return status;
    }
    fputs("# The resolved experiment; `optdyn run` on this file gives the same bits.\n", file.out);
    od_results_provenance(file.out, e, &e->member[0], "# ");
    for (size_t i = 1; i < e->member_count; i++) {
        if (!same_inputs(&e->member[i], &e->member[i - 1])) {
            write_lines(file.out, "# ", "input: ", e->member[i].inputs);
        }
    }
    fputs(e->resolved, file.out);
    return od_file_commit(ctx, &file);
}

static void file_name(const od_experiment *e, const od_member *m, const char *table, char name[192])
{
    char stem[OD_LABEL_ROOM];
    od_label_stem(e->member_count > 1 ? m->label : "", stem);
    snprintf(name, 192, "%s%s%s.csv", stem, stem[0] != '\0' ? "-" : "", table);
}

/* True if the file is there and its comments do not say that the run was interrupted. */
static bool is_whole(const char *path)
{
    FILE *in = fopen(path, "r");
    char line[256];
    bool whole = in != NULL;
    while (whole && fgets(line, sizeof line, in) != NULL && line[0] == '#') {
        whole = strncmp(line, "# interrupted", strlen("# interrupted")) != 0;
    }
    if (in != NULL) {
        fclose(in);
    }
    return whole;
}

enum { PATH_ROOM = 4096 + 192 };

static bool table_whole(const od_experiment *e, const od_member *m, const char *table, char path[PATH_ROOM])
{
    char name[192];
    file_name(e, m, table, name);
    snprintf(path, PATH_ROOM, "%.4000s/%s", e->output, name);
    return is_whole(path);
}

bool od_results_has(const od_experiment *e, const od_rows *r, char **path)
{
    char table[OD_TABLE_ROOM], place[PATH_ROOM];
    od_rows_name(r, table);
    *path = table_whole(e, r->m, table, place) ? strdup(place) : NULL;
    return *path != NULL;
}

static bool are_whole(const od_experiment *e, const od_member *m)
{
    char path[PATH_ROOM];
    if (od_member_automatic(m)) {
        return table_whole(e, m, "multilevel", path);
    }
    bool whole = true;
    for (int i = 0; i < OD_MAX_TABLES && whole; i++) {
        const od_rows rows = {.m = m, .map = i >= OD_ROWS_KINDS, .kind = (od_rows_kind)(i % OD_ROWS_KINDS)};
        char table[OD_TABLE_ROOM];
        od_rows_name(&rows, table);
        whole = !od_rows_wanted(m, rows.map, rows.kind) || table_whole(e, m, table, path);
    }
    return whole;
}

bool od_results_complete(const od_experiment *e)
{
    bool whole = true;
    for (size_t i = 0; i < e->member_count && whole; i++) {
        whole = are_whole(e, &e->member[i]);
    }
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/results.h5", e->output);
    return whole && (!OD_HAVE_HDF5 || od_member_automatic(&e->member[0]) || access(path, F_OK) == 0);
}

/* Opens the file of a member's table and writes its comments. */
static od_status open_table(od_context *ctx, const od_experiment *e, const od_member *m, const char *table,
                            bool interrupted, od_file *file)
{
    char name[192];
    file_name(e, m, table, name);
    od_status status = od_file_open(ctx, file, e->output, name);
    if (status != OD_OK) {
        return status;
    }
    od_results_provenance(file->out, e, m, "# ");
    if (interrupted) {
        fputs("# interrupted: rows at the end, or paths, are missing\n", file->out);
    }
    if (e->member_count > 1) {
        fputs("# label: ", file->out);
        od_text_write(file->out, m->label);
        fputc('\n', file->out);
    }
    return OD_OK;
}

static od_status commit_table(od_context *ctx, od_file *file, char **path)
{
    od_status status = od_file_commit(ctx, file);
    *path = status == OD_OK ? strdup(file->path) : NULL;
    return status != OD_OK || *path != NULL ? status : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a file name");
}

od_status od_results_write_levels(od_context *ctx, const od_experiment *e, const od_member *m,
                                  const od_multilevel *levels, char **path)
{
    od_file file;
    *path = NULL;
    od_status status = open_table(ctx, e, m, "multilevel", false, &file);
    if (status != OD_OK) {
        return status;
    }
    od_multilevel_write_csv(file.out, levels);
    return commit_table(ctx, &file, path);
}

od_status od_results_write_csv(od_context *ctx, const od_experiment *e, const od_rows *r, bool interrupted, char **path)
{
    char table[OD_TABLE_ROOM];
    double *value = od_zalloc(r->columns, sizeof *value);
    od_file file;
    *path = NULL;
    od_rows_name(r, table);
    od_status status = value == NULL ? od_fail(ctx, OD_ENOMEM, NULL, "no memory for a row")
                                     : open_table(ctx, e, r->m, table, interrupted, &file);
    if (status != OD_OK) {
        free(value);
        return status;
    }
    for (size_t c = 0; c < r->columns; c++) {
        fprintf(file.out, "%s%s", c > 0 ? "," : "", r->name[c]);
    }
    fputc('\n', file.out);
    for (size_t row = 0; row < od_rows_count(r); row++) {
        if (!od_rows_read(r, row, value)) {
            continue;
        }
        for (size_t c = 0; c < r->columns; c++) {
            fputs(c > 0 ? "," : "", file.out);
            if (c == r->word_column) {
                fputs(r->word[(size_t)value[c]], file.out);
            } else {
                od_text_cell(file.out, "", value[c]);
            }
        }
        fputc('\n', file.out);
    }
    free(value);
    return commit_table(ctx, &file, path);
}
