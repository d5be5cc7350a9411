/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "results.h"

#include "build_config.h"
#include "file.h"
#include "label.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------- tables */

enum { KEYS_FLOW = 1, KEYS_MAP = 2 };

static size_t recorded_columns(const od_rows *r)
{
    return r->map ? od_member_map_columns(r->m) : r->m->columns;
}

static size_t columns_of_each(const od_rows *r)
{
    return r->m->paths == 1 ? 1 : 3 + 2 * r->m->quantile_count;
}

static void name_column(const od_rows *r, size_t column, char name[40], const char **unit)
{
    const od_member *m = r->m;
    size_t first = 0;
    *unit = "";
    if (column >= m->columns) {
        snprintf(name, 40, "%s", column == m->columns ? "gap" : "relative_gap");
        return;
    }
    for (size_t i = 0; i < m->quantity_count; i++) {
        const size_t length = od_member_quantity_length(m, i);
        if (column < first + length) {
            if (m->quantity[i].kind == OD_QUANTITY_BLOCK) {
                snprintf(name, 40, "%.20s_%zu", m->quantity[i].name, column - first + 1);
            } else {
                snprintf(name, 40, "%.30s", m->quantity[i].name);
            }
            return;
        }
        first += length;
    }
}

bool od_rows_init(od_rows *r, const od_member *m, const od_tally *tally, bool map)
{
    *r = (od_rows){.m = m, .tally = tally, .map = map};
    const size_t keys = (map ? KEYS_MAP : KEYS_FLOW) + (m->paths > 1), each = columns_of_each(r);
    r->columns = keys + recorded_columns(r) * each;
    r->name = od_zalloc(r->columns, sizeof *r->name);
    r->unit = od_zalloc(r->columns, sizeof *r->unit);
    if (r->name == NULL || r->unit == NULL) {
        od_rows_free(r);
        return false;
    }
    size_t next = 0;
    if (map) {
        r->unit[next] = "iteration";
        strcpy(r->name[next++], "k");
    }
    r->unit[next] = "time";
    strcpy(r->name[next++], "t");
    if (m->paths > 1) {
        r->unit[next] = "paths";
        strcpy(r->name[next++], "paths");
    }
    for (size_t c = 0; c < recorded_columns(r); c++) {
        char name[40];
        const char *unit;
        name_column(r, c, name, &unit);
        for (size_t i = 0; i < each; i++) {
            r->unit[next + i] = unit;
        }
        if (m->paths == 1) {
            snprintf(r->name[next++], sizeof *r->name, "%s", name);
            continue;
        }
        snprintf(r->name[next++], sizeof *r->name, "%s_mean", name);
        snprintf(r->name[next++], sizeof *r->name, "%s_stderr", name);
        snprintf(r->name[next++], sizeof *r->name, "%s_var", name);
        for (size_t q = 0; q < m->quantile_count; q++) {
            snprintf(r->name[next++], sizeof *r->name, "%s_q%g", name, m->quantile[q]);
            snprintf(r->name[next++], sizeof *r->name, "%s_q%g_stderr", name, m->quantile[q]);
        }
    }
    return true;
}

void od_rows_free(od_rows *r)
{
    free(r->name);
    free(r->unit);
    *r = (od_rows){0};
}

size_t od_rows_count(const od_rows *r)
{
    return r->map ? r->tally->map.rows : r->tally->flow.rows;
}

bool od_rows_read(const od_rows *r, size_t row, double *value)
{
    const od_moments *a = r->map ? &r->tally->map : &r->tally->flow;
    const uint32_t *bins = r->map ? r->tally->map_bins : r->tally->flow_bins;
    const od_member *m = r->m;
    if (a->count[row] == 0) {
        return false;
    }
    /* a run that `stop` ended has its last row at the time it ended */
    const bool last = row + 1 == a->rows || a->count[row + 1] == 0;
    const bool ended = last && !isnan(r->tally->reached);
    if (r->map) {
        const uint64_t k = row * m->stride < m->iterations ? row * m->stride : m->iterations;
        const double done = ended && !m->has_flow ? (double)r->tally->iterations : (double)k;
        *value++ = done;
        *value++ = m->start.t + done * m->map.tau;
    } else {
        *value++ = ended ? r->tally->reached : od_member_row_time(m, row);
    }
    if (m->paths > 1) {
        *value++ = (double)a->count[row];
    }
    for (size_t c = 0; c < a->cols; c++) {
        *value++ = a->mean[row * a->cols + c];
        if (m->paths == 1) {
            continue;
        }
        *value++ = od_moments_stderr(a, row, c);
        *value++ = od_moments_var(a, row, c);
        for (size_t q = 0; q < m->quantile_count; q++) {
            double error;
            *value++ = od_bins_quantile(bins + (row * a->cols + c) * OD_BINS, m->quantile[q], &error);
            *value++ = error;
        }
    }
    return true;
}

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
    write_lines(out, prefix, "input: ", m->problem->inputs);
    write_lines(out, prefix, "library: ", od_version_libraries());
}

/* ------------------------------------------------------------------------------------------- files */

/* True if some problem of the experiment reads this "file checksum". */
static bool reads_input(const od_experiment *e, const char *input, size_t length)
{
    for (size_t i = 0; i < e->problem_count; i++) {
        for (const char *line = e->problem[i]->inputs; line != NULL && *line != '\0';) {
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
    *lock = open(e->output, O_RDONLY | O_CLOEXEC);
    /* a file system that cannot lock leaves it to the user */
    if (*lock >= 0 && flock(*lock, (e->shards > 0 ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(*lock);
        *lock = -1;
        return od_fail(ctx, OD_EINVAL, "-o", "another run is at work in %s; wait for its end or choose another folder",
                       e->output);
    }
    return OD_OK;
}

void od_results_release(int lock)
{
    if (lock >= 0) {
        close(lock);
    }
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
    fputs(e->resolved, file.out);
    return od_file_commit(ctx, &file);
}

static void file_name(const od_experiment *e, const od_rows *r, char name[192])
{
    char stem[OD_LABEL_ROOM];
    od_label_stem(e->member_count > 1 ? r->m->label : "", stem);
    snprintf(name, 192, "%s%s%s.csv", stem, stem[0] != '\0' ? "-" : "", r->map ? "iteration" : "flow");
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

bool od_results_complete(const od_experiment *e)
{
    bool whole = e->output != NULL;
    for (size_t i = 0; i < e->member_count && whole; i++) {
        for (int map = 0; map < 2 && whole; map++) {
            const od_rows rows = {.m = &e->member[i], .map = map == 1};
            char name[192], path[4096 + 192];
            file_name(e, &rows, name);
            snprintf(path, sizeof path, "%s/%s", e->output, name);
            whole = map == 0 ? !rows.m->has_flow || is_whole(path) : !rows.m->has_map || is_whole(path);
        }
    }
    char path[4096 + 16];
    snprintf(path, sizeof path, "%s/results.h5", whole ? e->output : "");
    return whole && (!OD_HAVE_HDF5 || access(path, F_OK) == 0);
}

static void write_number(FILE *out, double x)
{
    char text[OD_REAL_ROOM];
    if (isfinite(x)) {
        fputs(od_real_text(text, x), out);
    } else {
        fputs(isnan(x) ? "nan" : x > 0 ? "inf" : "-inf", out);
    }
}

od_status od_results_write_csv(od_context *ctx, const od_experiment *e, const od_rows *r, char **path)
{
    char name[192];
    double *value = od_zalloc(r->columns, sizeof *value);
    od_file file;
    *path = NULL;
    file_name(e, r, name);
    od_status status = value == NULL ? od_fail(ctx, OD_ENOMEM, NULL, "no memory for a row")
                                     : od_file_open(ctx, &file, e->output, name);
    if (status != OD_OK) {
        free(value);
        return status;
    }
    od_results_provenance(file.out, e, r->m, "# ");
    if (od_cancelled(ctx)) {
        fputs("# interrupted: rows at the end, or paths, are missing\n", file.out);
    }
    if (e->member_count > 1) {
        fputs("# label: ", file.out);
        od_text_write(file.out, r->m->label);
        fputc('\n', file.out);
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
            write_number(file.out, value[c]);
        }
        fputc('\n', file.out);
    }
    free(value);
    status = od_file_commit(ctx, &file);
    if (status == OD_OK) {
        *path = strdup(file.path);
    }
    return status;
}
