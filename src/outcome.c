/* What a member gave: out of its tally, as a struct and as JSON. SPDX-License-Identifier: GPL-3.0-or-later */
#include "outcome.h"

#include "json.h"
#include "memory.h"
#include "multilevel.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool copy_final(const od_moments *a, const od_moments *pairs, size_t dim, double **mean, double **var,
                       double **error, double **cov)
{
    *mean = od_zalloc(dim, sizeof **mean);
    *var = od_zalloc(dim, sizeof **var);
    *error = od_zalloc(dim, sizeof **error);
    if (*mean == NULL || *var == NULL || *error == NULL) {
        return false;
    }
    for (size_t i = 0; i < dim; i++) {
        const bool any = a->count[0] > 0;
        (*mean)[i] = any ? a->mean[i] : NAN;
        (*var)[i] = any ? od_moments_var(a, 0, i) : NAN;
        (*error)[i] = any ? od_pairs_stderr(a, pairs, 0, i) : NAN;
    }
    if (a->cross == NULL || cov == NULL || a->count[0] < 2) {
        return true;
    }
    *cov = od_zalloc(dim * dim, sizeof **cov);
    for (size_t i = 0; *cov != NULL && i < dim * dim; i++) {
        (*cov)[i] = od_moments_cov(a, 0, i / dim, i % dim);
    }
    return *cov != NULL;
}

/* Loss and distance at the end of the flow or the iteration: of a single path by evaluation at x, of an ensemble from
 * its last row. */
static od_status final_quantities(od_context *ctx, const od_member *m, const od_moments *a, const od_moments *pairs,
                                  const double *x, double *loss, double *loss_stderr, double *distance)
{
    const od_problem *f = m->problem;
    *loss = *loss_stderr = *distance = NAN;
    if (x == NULL) {
        return OD_OK;
    }
    if (m->paths > 1) {
        for (size_t i = 0, column = 0; a->rows > 0 && i < m->quantity_count; i++) {
            const size_t at = (a->rows - 1) * a->cols + column;
            if (a->count[a->rows - 1] > 0 && m->quantity[i].kind == OD_QUANTITY_LOSS) {
                *loss = a->mean[at];
                *loss_stderr = od_pairs_stderr(a, pairs, a->rows - 1, column);
            } else if (a->count[a->rows - 1] > 0 && m->quantity[i].kind == OD_QUANTITY_DISTANCE) {
                *distance = a->mean[at];
            }
            column += od_member_quantity_length(m, i);
        }
        return OD_OK;
    }
    double *ws = od_zalloc(od_scratch_size(&f->scratch, 1), sizeof *ws), sum = 0;
    if (ws == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the final loss");
    }
    if (f->eval(f, OD_VALUE, 1, x, loss, NULL, ws) != OD_OK) {
        *loss = NAN;
    }
    free(ws);
    for (size_t i = 0; f->minimiser != NULL && i < f->dim; i++) {
        sum += (x[i] - f->minimiser[i]) * (x[i] - f->minimiser[i]);
    }
    *distance = f->minimiser != NULL ? sqrt(sum) : NAN;
    return OD_OK;
}

static void find_gap(const od_member *m, const od_tally *tally, od_outcome *o)
{
    o->gap_max = tally->gap_max;
    o->gap_at = tally->gap_at;
    for (size_t k = 0; k < tally->gap.rows; k++) {
        const double gap = sqrt(tally->gap.mean[k]);
        if (tally->gap.count[k] > 0 && !(o->gap_max >= gap)) {
            o->gap_max = gap;
            o->gap_at = m->start.t + (double)k * m->map.tau;
        }
    }
}

od_status od_outcome_describe(od_context *ctx, const od_member *m, const od_tally *tally, od_outcome *o)
{
    snprintf(o->label, sizeof o->label, "%s", m->label);
    o->block_count = m->block_count;
    memcpy(o->block, m->block, m->block_count * sizeof *o->block);
    o->dim = m->dim;
    o->precision = m->problem->precision != NULL ? "single" : NULL; /* outlives the problem */
    o->ensemble = m->paths > 1;
    o->paths = m->paths == 1 ? 1 : (m->has_flow ? tally->flow_final : tally->map_final).count[0] + tally->stopped;
    o->stopped = tally->stopped;
    o->first_stop = tally->first_stop;
    o->t = !m->has_flow ? NAN : m->paths == 1 ? tally->flow_t : m->until;
    o->evaluations = tally->evaluations;
    o->reached = tally->reached;
    o->iteration_t = NAN;
    bool ok = true;
    if (m->has_flow) {
        ok = copy_final(&tally->flow_final, &tally->flow_final_pairs, m->dim, &o->mean, &o->var, &o->stderr_mean,
                        &o->covariance);
    }
    if (ok && m->has_map) {
        o->iterations = m->paths == 1 ? tally->iterations : m->iterations;
        o->iteration_t = m->start.t + (double)o->iterations * m->map.tau;
        ok = copy_final(&tally->map_final, &tally->map_final_pairs, m->dim, &o->iteration_mean, &o->iteration_var,
                        &o->iteration_stderr, m->has_flow ? NULL : &o->covariance);
    }
    if (!ok) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the results");
    }
    find_gap(m, tally, o);
    od_status status = final_quantities(ctx, m, &tally->flow, &tally->flow_pairs, o->mean, &o->loss, &o->loss_stderr,
                                        &o->distance);
    return status != OD_OK ? status
                           : final_quantities(ctx, m, &tally->map, &tally->map_pairs, o->iteration_mean,
                                              &o->iteration_loss, &o->iteration_loss_stderr, &o->iteration_distance);
}

static const double *number_of(const od_member *m, od_quantity_kind kind, const double *list)
{
    size_t column = 0;
    for (size_t i = 0; i < m->quantity_count; i++) {
        if (m->quantity[i].kind == kind) {
            return list + column;
        }
        column += od_member_quantity_length(m, i);
    }
    static const double unknown = NAN;
    return &unknown;
}

void od_outcome_describe_levels(const od_member *m, od_multilevel *levels, od_outcome *o)
{
    snprintf(o->label, sizeof o->label, "%s", m->label);
    o->block_count = m->block_count;
    memcpy(o->block, m->block, m->block_count * sizeof *o->block);
    o->dim = m->dim;
    o->t = m->until;
    o->multilevel = levels;
    o->evaluations = levels->evaluations;
    for (size_t l = 0; l < levels->levels; l++) {
        o->paths += levels->level[l].paths;
    }
    o->loss = *number_of(m, OD_QUANTITY_LOSS, levels->mean);
    o->loss_stderr = *number_of(m, OD_QUANTITY_LOSS, levels->stderr_mean);
    o->distance = *number_of(m, OD_QUANTITY_DISTANCE, levels->mean);
    o->first_stop = o->iteration_t = o->gap_max = o->gap_at = o->reached = NAN;
    o->iteration_loss = o->iteration_loss_stderr = o->iteration_distance = NAN;
}

void od_result_free(od_result *result)
{
    if (result == NULL) {
        return;
    }
    for (size_t i = 0; result->outcome != NULL && i < result->count; i++) {
        od_outcome *o = &result->outcome[i];
        double *const lists[] = {o->mean,           o->var,           o->stderr_mean,     o->covariance,
                                 o->iteration_mean, o->iteration_var, o->iteration_stderr};
        for (size_t j = 0; j < sizeof lists / sizeof *lists; j++) {
            free(lists[j]);
        }
        od_multilevel_free(o->multilevel);
        free(o->flow_file);
        free(o->iteration_file);
        for (size_t j = 0; j < o->more_count; j++) {
            free(o->more_file[j]);
        }
    }
    free(result->outcome);
    free(result->folder);
    free(result->journal);
    free(result);
}

/* ------------------------------------------------------------------------------------------- JSON */

static void write_blocks(FILE *out, const char *name, const od_outcome *o, const double *list)
{
    fprintf(out, "\"%s\": {", name);
    for (size_t b = 0; b < o->block_count; b++) {
        fputs(b > 0 ? ", " : "", out);
        od_json_text(out, o->block[b].name);
        fputs(": ", out);
        od_json_list(out, list, o->block[b].length);
        list += o->block[b].length;
    }
    fputc('}', out);
}

static void write_final(FILE *out, const od_outcome *o, double t, const double *mean, const double *var,
                        const double *error)
{
    fputs("\"final\": {\"t\": ", out);
    od_json_real(out, t);
    if (!o->ensemble) {
        fputs(", ", out);
        write_blocks(out, "state", o, mean);
    } else {
        fputs(", ", out);
        write_blocks(out, "mean", o, mean);
        fputs(", ", out);
        write_blocks(out, "var", o, var);
        fputs(", ", out);
        write_blocks(out, "stderr", o, error);
    }
}

static void write_loss(FILE *out, double loss, double loss_stderr, double distance)
{
    fputs(", \"loss\": ", out);
    od_json_real(out, loss);
    fputs(", \"loss_stderr\": ", out);
    od_json_real(out, loss_stderr);
    fputs(", \"distance\": ", out);
    od_json_real(out, distance);
}

static void write_outcome(FILE *out, const od_outcome *o, bool interrupted)
{
    const bool flow = o->mean != NULL, map = o->iteration_mean != NULL;
    fputs("{\"label\": ", out);
    od_json_text(out, o->label);
    if (o->precision != NULL) {
        fputs(", \"precision\": ", out);
        od_json_text(out, o->precision);
    }
    if (flow) {
        fputs(", ", out);
        write_final(out, o, o->t, o->mean, o->var, o->stderr_mean);
        if (o->covariance != NULL) {
            fputs(", \"covariance\": [", out);
            for (size_t i = 0; i < o->dim; i++) {
                fputs(i > 0 ? ", " : "", out);
                od_json_list(out, o->covariance + i * o->dim, o->dim);
            }
            fputc(']', out);
        }
        write_loss(out, o->loss, o->loss_stderr, o->distance);
        fputc('}', out);
    }
    if (map) {
        fprintf(out, ", \"iteration\": {\"iterations\": %llu, ", (unsigned long long)o->iterations);
        write_final(out, o, o->iteration_t, o->iteration_mean, o->iteration_var, o->iteration_stderr);
        write_loss(out, o->iteration_loss, o->iteration_loss_stderr, o->iteration_distance);
        fputs("}}", out);
    }
    if (o->multilevel != NULL) {
        fputs(", \"multilevel\": ", out);
        od_multilevel_write_json(out, o->multilevel);
    }
    fputs(", \"gap\": ", out);
    if (flow && map) {
        fputs("{\"max\": ", out);
        od_json_real(out, o->gap_max);
        fputs(", \"at\": ", out);
        od_json_real(out, o->gap_at);
        fputc('}', out);
    } else {
        fputs("null", out);
    }
    fprintf(out, ", \"paths\": %llu, \"stopped\": %llu, \"first_stop\": ", (unsigned long long)o->paths,
            (unsigned long long)o->stopped);
    od_json_real(out, o->first_stop);
    fprintf(out, ", \"interrupted\": %s, \"reached\": ", interrupted ? "true" : "false");
    od_json_real(out, o->reached);
    fprintf(out, ", \"evaluations\": %llu, \"files\": [", (unsigned long long)o->evaluations);
    const char *file[2 + OD_MAX_TABLES] = {o->flow_file, o->iteration_file};
    memcpy(file + 2, o->more_file, o->more_count * sizeof *file);
    bool first = true;
    for (size_t i = 0; i < 2 + o->more_count; i++) {
        if (file[i] != NULL) {
            fputs(first ? "" : ", ", out);
            od_json_text(out, file[i]);
            first = false;
        }
    }
    fputs("]}", out);
}

void od_result_write_json(FILE *out, const od_result *result)
{
    if (result->count == 0 && result->journal != NULL) {
        fputs("{\"journal\": ", out);
        od_json_text(out, result->journal);
        fprintf(out, ", \"interrupted\": %s}", result->interrupted ? "true" : "false");
    } else if (result->members == 1 && result->count == 1) {
        write_outcome(out, &result->outcome[0], result->interrupted);
    } else {
        fputs("{\"members\": [", out);
        for (size_t i = 0; i < result->count; i++) {
            fputs(i > 0 ? ",\n " : "", out);
            write_outcome(out, &result->outcome[i], result->interrupted);
        }
        fputs("]}", out);
    }
    fputc('\n', out);
}
