/* Runs an experiment: all members, their outcomes and files. SPDX-License-Identifier: GPL-3.0-or-later */
#include "results.h"
#include "simulate.h"

#include "context.h"
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool copy_final(const od_moments *a, const double *products, size_t dim, double **mean, double **var,
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
        (*error)[i] = any ? od_moments_stderr(a, 0, i) : NAN;
    }
    if (products == NULL || cov == NULL || a->count[0] < 2) {
        return true;
    }
    *cov = od_zalloc(dim * dim, sizeof **cov);
    for (size_t i = 0; *cov != NULL && i < dim * dim; i++) {
        (*cov)[i] = products[i] / (double)(a->count[0] - 1);
    }
    return *cov != NULL;
}

/* Loss and distance at the end of the flow or the iteration: of a single path by evaluation at x, of an ensemble from
 * its last row. */
static od_status final_quantities(od_context *ctx, const od_member *m, const od_moments *a, const double *x,
                                  double *loss, double *loss_stderr, double *distance)
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
                *loss_stderr = od_moments_stderr(a, a->rows - 1, column);
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

static od_status describe_outcome(od_context *ctx, const od_member *m, const od_tally *tally, od_outcome *o)
{
    snprintf(o->label, sizeof o->label, "%s", m->label);
    o->block_count = m->block_count;
    memcpy(o->block, m->block, m->block_count * sizeof *o->block);
    o->dim = m->dim;
    o->paths = m->paths == 1 ? 1 : (m->has_flow ? tally->flow_final : tally->map_final).count[0] + tally->stopped;
    o->stopped = tally->stopped;
    o->first_stop = tally->first_stop;
    o->t = !m->has_flow ? NAN : m->paths == 1 ? tally->flow_t : m->until;
    o->evaluations = tally->evaluations;
    o->reached = tally->reached;
    o->iteration_t = NAN;
    bool ok = true;
    if (m->has_flow) {
        ok = copy_final(&tally->flow_final, tally->flow_cov, m->dim, &o->mean, &o->var, &o->stderr_mean,
                        &o->covariance);
    }
    if (ok && m->has_map) {
        o->iterations = m->paths == 1 ? tally->iterations : m->iterations;
        o->iteration_t = m->start.t + (double)o->iterations * m->map.tau;
        ok = copy_final(&tally->map_final, m->has_flow ? NULL : tally->map_cov, m->dim, &o->iteration_mean,
                        &o->iteration_var, &o->iteration_stderr, m->has_flow ? NULL : &o->covariance);
    }
    if (!ok) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the results");
    }
    find_gap(m, tally, o);
    od_status status = final_quantities(ctx, m, &tally->flow, o->mean, &o->loss, &o->loss_stderr, &o->distance);
    return status != OD_OK ? status
                           : final_quantities(ctx, m, &tally->map, o->iteration_mean, &o->iteration_loss,
                                              &o->iteration_loss_stderr, &o->iteration_distance);
}

static od_status write_tables(od_context *ctx, const od_experiment *e, const od_member *m, const od_tally *tally,
                              od_outcome *o)
{
    od_status status = OD_OK;
    for (int map = 0; map < 2 && status == OD_OK; map++) {
        if (map == 0 ? !m->has_flow : !m->has_map) {
            continue;
        }
        od_rows rows;
        if (!od_rows_init(&rows, m, tally, map == 1)) {
            return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the table");
        }
        status = od_results_write_csv(ctx, e, &rows, map == 0 ? &o->flow_file : &o->iteration_file);
        od_rows_free(&rows);
    }
    return status;
}

/* All tables in one file, when all members are through. */
static od_status write_hdf5(od_context *ctx, const od_experiment *e, od_simulation *s)
{
    od_rows *rows = od_zalloc(2 * e->member_count, sizeof *rows);
    size_t count = 0;
    bool ok = rows != NULL;
    for (size_t i = 0; ok && i < e->member_count; i++) {
        const od_member *m = &e->member[i];
        for (int map = 0; map < 2 && ok; map++) {
            if (map == 0 ? m->has_flow : m->has_map) {
                ok = od_rows_init(&rows[count], m, od_simulation_tally(s, i), map == 1);
                count += ok;
            }
        }
    }
    od_status status = ok ? od_results_write_hdf5(ctx, e, count, rows) : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    for (size_t i = 0; i < count; i++) {
        od_rows_free(&rows[i]);
    }
    free(rows);
    return status;
}

static od_status report_divergence(od_context *ctx, const od_result *result, od_simulation *s)
{
    for (size_t i = 0; i < result->count; i++) {
        const od_outcome *o = &result->outcome[i];
        if (o->stopped > 0 && o->stopped == o->paths) {
            const char *name = result->members > 1 ? o->label : "the run";
            const char *every = o->paths > 1 ? ": every path" : result->members > 1 ? ":" : "";
            const char *trouble = od_simulation_tally(s, i)->trouble;
            if (trouble[0] != '\0') {
                return od_fail(
                    ctx, OD_EDIVERGED, NULL,
                    "%s%s diverged or could not be continued before t = %.9g (%s); what was computed is kept", name,
                    every, o->first_stop, trouble);
            }
            return od_fail(ctx, OD_EDIVERGED, NULL,
                           "%s%s diverged at t = %.9g; what was computed until then is kept. A smaller step may help",
                           name, every, o->first_stop);
        }
    }
    return OD_OK;
}

static void note_stopped(od_context *ctx, const od_outcome *o, const od_tally *tally)
{
    if (o->stopped > 0 && o->stopped < o->paths) {
        const bool words = tally->trouble[0] != '\0';
        od_note(ctx, "%s: %llu of %llu paths diverged%s, the first at t = %.9g%s%s%s; means are over the others",
                o->label, (unsigned long long)o->stopped, (unsigned long long)o->paths,
                words ? " or could not be continued" : "", o->first_stop, words ? " (" : "", tally->trouble,
                words ? ")" : "");
    }
}

typedef struct collector {
    od_context *ctx;
    const od_experiment *e;
    od_result *result;
} collector;

/* A member is through: written as soon as it is there, so that a later failure loses nothing. */
static od_status collect(void *user, size_t member, const od_tally *tally)
{
    collector *c = user;
    const od_member *m = &c->e->member[member];
    od_outcome *o = &c->result->outcome[member];
    od_status status = describe_outcome(c->ctx, m, tally, o);
    if (status == OD_OK && c->e->output != NULL) {
        status = write_tables(c->ctx, c->e, m, tally, o);
    }
    note_stopped(c->ctx, o, tally);
    return status;
}

/* Says how the run ended, once all outcomes are there. */
static od_status conclude(od_context *ctx, const od_experiment *e, od_result *result, od_simulation *s)
{
    od_status status = e->output != NULL ? write_hdf5(ctx, e, s) : OD_OK;
    status = status == OD_OK ? report_divergence(ctx, result, s) : status;
    result->diverged = status == OD_EDIVERGED;
    return status;
}

static od_status stop_early(od_context *ctx, const od_experiment *e, od_result *result, od_simulation *s)
{
    result->interrupted = true;
    od_status status = od_simulation_settle(s);
    /* members that were not begun come last */
    result->count = 0;
    while (result->count < e->member_count && s->job[result->count].begun) {
        result->count++;
    }
    return status != OD_OK ? status
                           : od_fail(ctx, OD_EINTERRUPTED, NULL,
                                     "interrupted; what was computed %s. The same command runs it whole again",
                                     e->output != NULL ? "is in the output folder" : "is printed");
}

static od_result *create_result(const od_experiment *e)
{
    od_result *result = od_zalloc(1, sizeof *result);
    if (result == NULL) {
        return NULL;
    }
    result->outcome = od_zalloc(e->member_count, sizeof *result->outcome);
    result->members = e->member_count;
    result->count = result->outcome != NULL ? e->member_count : 0;
    result->folder = e->output != NULL ? strdup(e->output) : NULL;
    if (result->outcome == NULL || (e->output != NULL && result->folder == NULL)) {
        od_result_free(result);
        return NULL;
    }
    return result;
}

od_status od_experiment_run(od_context *ctx, const od_experiment *e, od_result **out)
{
    *out = NULL;
    od_status status = e->output != NULL ? od_results_claim(ctx, e) : OD_OK;
    if (status != OD_OK) {
        return status;
    }
    od_result *result = create_result(e);
    if (result == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the results");
    }
    collector c = {ctx, e, result};
    od_simulation s;
    bool through = false;
    status = od_simulation_open(ctx, e, collect, &c, &s);
    if (status == OD_OK) {
        status = od_simulation_go(&s, 0, &through);
    }
    if (status == OD_OK) {
        status = through ? conclude(ctx, e, result, &s) : stop_early(ctx, e, result, &s);
    }
    od_simulation_close(&s);
    if (status != OD_OK && status != OD_EDIVERGED && status != OD_EINTERRUPTED) {
        od_result_free(result);
        return status;
    }
    *out = result;
    return status;
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
        free(o->flow_file);
        free(o->iteration_file);
    }
    free(result->outcome);
    free(result->folder);
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
    if (o->paths == 1) {
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
    if (o->flow_file != NULL) {
        od_json_text(out, o->flow_file);
    }
    if (o->iteration_file != NULL) {
        fputs(o->flow_file != NULL ? ", " : "", out);
        od_json_text(out, o->iteration_file);
    }
    fputs("]}", out);
}

void od_result_write_json(FILE *out, const od_result *result)
{
    if (result->members == 1 && result->count == 1) {
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
