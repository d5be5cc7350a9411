/*
 * The action of a member's flow, or of a curve of the user's, and what displacements do to it.
 *
 * The path of the flow makes the first variation vanish; whether it makes the action smallest is decided by the second.
 * Where that is indefinite two displacements are shown, one that lowers the action and one that raises it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "morse.h"
#include "report.h"
#include "variation.h"

#include "../claims/claims.h"
#include "../src/json.h"
#include "../src/memory.h"
#include "../src/text.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WITNESS_INTERVALS = 200, WITNESS_UNKNOWNS = 1600 };

/* One line of the answer. */
typedef struct line {
    char name[96];
    double amplitude;
    od_variations v;
} line;

typedef struct witness {
    bool present;
    double amplitude;
    od_variations v;
    od_curve h;
} witness;

typedef struct answer {
    const od_member *m;
    const char *curve_file; /* "" for the path of the flow */
    od_trajectory *path;
    od_curve curve, table; /* table: the displacement from a file */
    od_action action;
    od_integral value;
    od_residual residual;
    size_t count;
    line *line;
    bool has_morse;
    od_morse morse;
    const char *no_witness; /* why there is none, or NULL */
    witness down, up;
    od_claim claim[OD_ACTION_CLAIMS];
    size_t claim_count;
} answer;

/* ------------------------------------------------------------------------------------------- displacements */

static od_status read_direction(od_context *ctx, const od_settings *s, size_t d, double *direction)
{
    const od_value *given = od_setting(s, "direction");
    if (given->present && given->cols != d) {
        return od_setting_fail(ctx, s, "direction", "%zu numbers for %zu components; give one for each", given->cols,
                               d);
    }
    for (size_t i = 0; i < d; i++) {
        direction[i] = given->present ? given->list[i] : i == 0;
    }
    return OD_OK;
}

/* Files are shown by their own names, wherever they lie. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static od_status add_lines(od_context *ctx, const od_settings *s, const od_displacement *h, const char *name, answer *r)
{
    const od_value *amplitudes = od_setting(s, "amplitude");
    od_status status = OD_OK;
    for (size_t i = 0; i < amplitudes->cols && status == OD_OK; i++) {
        line *at = &r->line[r->count++];
        snprintf(at->name, sizeof at->name, "%s", name);
        at->amplitude = amplitudes->list[i];
        status = od_action_variations(ctx, &r->action, h, at->amplitude, &at->v);
    }
    return status;
}

static od_status displace(od_context *ctx, const od_settings *s, const double *direction, answer *r)
{
    const od_value *sines = od_setting(s, "sine"), *hats = od_setting(s, "hat");
    const size_t kinds = (sines->present ? sines->cols : 0) + (hats->present ? hats->rows : 0) + 1;
    r->line = od_zalloc(kinds * od_setting(s, "amplitude")->cols, sizeof *r->line);
    if (r->line == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu displacements", kinds);
    }
    od_status status = OD_OK;
    char name[96], shown[2][OD_REAL_ROOM];
    for (size_t i = 0; sines->present && i < sines->cols && status == OD_OK; i++) {
        const od_displacement h = {.kind = OD_SINE, .number = sines->list[i], .direction = direction};
        if (h.number != floor(h.number)) {
            return od_setting_fail(ctx, s, "sine", "%g is not a whole number: the displacement must vanish at t2",
                                   h.number);
        }
        snprintf(name, sizeof name, "sine %.0f", h.number);
        status = add_lines(ctx, s, &h, name, r);
    }
    for (size_t i = 0; hats->present && i < hats->rows && status == OD_OK; i++) {
        const od_displacement h = {.kind = OD_HAT,
                                   .centre = hats->list[i * hats->cols],
                                   .width = hats->list[i * hats->cols + hats->cols - 1],
                                   .direction = direction};
        const double slack = 1e-12 * (r->action.t2 - r->action.t1);
        if (hats->cols != 2 || !(h.width > 0) || h.centre - h.width < r->action.t1 - slack ||
            h.centre + h.width > r->action.t2 + slack) {
            return od_setting_fail(ctx, s, "hat",
                                   "row %zu is not [centre, half-width] with centre -+ half-width in [%.9g, %.9g]",
                                   i + 1, r->action.t1, r->action.t2);
        }
        snprintf(name, sizeof name, "hat at %.24s, half-width %.24s", od_real_text(shown[0], h.centre),
                 od_real_text(shown[1], h.width));
        status = add_lines(ctx, s, &h, name, r);
    }
    if (status == OD_OK && od_setting_present(s, "displacement")) {
        const double interval[2] = {r->action.t1, r->action.t2};
        const od_displacement h = {.kind = OD_TABLE, .table = &r->table};
        status = od_curve_read(ctx, s, "displacement", r->action.d, interval, &r->table);
        snprintf(name, sizeof name, "%.90s", base_name(od_setting_text(s, "displacement")));
        status = status == OD_OK ? add_lines(ctx, s, &h, name, r) : status;
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- witness */

/* Mode number `mode` as a displacement; of a quadratic in the direction of its largest curvature. */
static od_status make_witness(od_context *ctx, answer *r, size_t mode, bool lowers, double amplitude, witness *w)
{
    const od_problem *f = r->m->problem;
    const od_spectrum *spectrum = f->spectrum;
    const size_t d = f->dim, unknowns = spectrum != NULL ? 1 : d;
    const size_t fit = WITNESS_UNKNOWNS / unknowns, count = fit < WITNESS_INTERVALS ? fit : WITNESS_INTERVALS;
    size_t steepest = 0;
    double ratio;
    for (size_t i = 1; spectrum != NULL && i < d; i++) {
        steepest = spectrum->eigenvalues[i] > spectrum->eigenvalues[steepest] ? i : steepest;
    }
    const double *curvature = spectrum != NULL ? &spectrum->eigenvalues[steepest] : NULL;
    double *h = od_zalloc((count + 1) * unknowns, sizeof *h);
    od_status status = h != NULL ? od_curve_broken(ctx, d, r->action.t1, r->action.t2, count + 1, &w->h)
                                 : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a witness");
    const size_t last = (count - 1) * unknowns - 1;
    status = status == OD_OK ? od_morse_mode(ctx, r->path, r->action.t1, r->action.t2, curvature, count,
                                             mode < last ? mode : last, h, &ratio)
                             : status;
    for (size_t i = 0; i < (count + 1) * d && status == OD_OK; i++) {
        const double turn = spectrum == NULL             ? 1
                            : spectrum->rotation != NULL ? spectrum->rotation[i % d * d + steepest]
                                                         : i % d == steepest;
        w->h.x[i] = turn * h[spectrum != NULL ? i / d : i];
    }
    free(h);
    const od_displacement displacement = {.kind = OD_TABLE, .table = &w->h};
    w->amplitude = amplitude;
    for (int halving = 0; halving < 20 && status == OD_OK && !w->present; halving++) {
        w->amplitude = halving == 0 ? amplitude : w->amplitude / 2;
        status = od_action_variations(ctx, &r->action, &displacement, w->amplitude, &w->v);
        const double change = lowers ? -w->v.difference.value : w->v.difference.value;
        w->present = status == OD_OK && change > w->v.difference.error;
    }
    return status;
}

/* Where so many modes lower the action that all of few nodes do, a narrow hat in the middle raises it. */
static od_status make_hat(od_context *ctx, answer *r, double amplitude, witness *w)
{
    enum { NODES = 5 };
    const double t1 = r->action.t1, t2 = r->action.t2, centre = (t1 + t2) / 2;
    const size_t d = r->m->problem->dim;
    od_curve_close(&w->h);
    od_status status = od_curve_broken(ctx, d, t1, t2, NODES, &w->h);
    const od_displacement displacement = {.kind = OD_TABLE, .table = &w->h};
    w->amplitude = amplitude;
    double width = (t2 - t1) / WITNESS_INTERVALS;
    for (int halving = 0; halving < 30 && status == OD_OK && !w->present; halving++) {
        width /= 2;
        w->h.t[1] = centre - width;
        w->h.t[3] = centre + width;
        w->h.x[2 * d] = 1;
        status = od_action_variations(ctx, &r->action, &displacement, amplitude, &w->v);
        w->present = status == OD_OK && w->v.difference.value > w->v.difference.error;
    }
    return status;
}

/* Of a quadratic the modes of its largest curvature alone are numbered. */
static od_status find_witnesses(od_context *ctx, answer *r, double amplitude)
{
    const od_problem *f = r->m->problem;
    if (f->spectrum == NULL && f->dim > WITNESS_UNKNOWNS / 8) {
        r->no_witness = "the modes of that many dimensions are not computed";
        return OD_OK;
    }
    size_t lowering = r->morse.index + r->morse.nullity;
    if (f->spectrum != NULL && f->dim > 1) {
        double largest = f->spectrum->eigenvalues[0];
        for (size_t i = 1; i < f->dim; i++) {
            largest = fmax(largest, f->spectrum->eigenvalues[i]);
        }
        od_morse one;
        od_status status = od_morse_scalar(ctx, r->path, r->action.t1, r->action.t2, largest, &one);
        if (status != OD_OK) {
            return status;
        }
        lowering = one.index + one.nullity;
    }
    od_status status = r->morse.index > 0 ? make_witness(ctx, r, 0, true, amplitude, &r->down) : OD_OK;
    status = status == OD_OK ? make_witness(ctx, r, lowering, false, amplitude, &r->up) : status;
    return status == OD_OK && !r->up.present ? make_hat(ctx, r, amplitude, &r->up) : status;
}

/* ------------------------------------------------------------------------------------------- the answer */

static void write_integral(FILE *out, const char *key, const od_integral *x)
{
    char name[64];
    od_report_real(out, key, x->value);
    snprintf(name, sizeof name, "%s_error", key);
    od_report_real(out, name, x->error);
}

static void write_variations(FILE *out, const od_variations *v)
{
    write_integral(out, "difference", &v->difference);
    write_integral(out, "first", &v->first);
    write_integral(out, "second", &v->second);
}

static void write_witness(FILE *out, const char *key, const answer *r, const witness *w)
{
    fprintf(out, "\"%s\": ", key);
    if (!w->present) {
        fputs("null", out);
        return;
    }
    fputs("{\"amplitude\": ", out);
    od_json_real(out, w->amplitude);
    od_report_real(out, "action", r->value.value + w->v.difference.value);
    write_variations(out, &w->v);
    od_report_list(out, "t", w->h.t, w->h.rows);
    od_report_matrix(out, "h", w->h.x, w->h.rows, w->h.d);
    fputs("}", out);
}

static void write_morse(FILE *out, const answer *r)
{
    const od_morse *n = &r->morse;
    if (!r->has_morse) {
        fputs(", \"morse\": null, \"witness\": null", out);
        return;
    }
    fprintf(out,
            ", \"morse\": {\"index\": %zu, \"nullity_at_end\": %zu, \"degenerate\": %s, \"nodes\": %zu, "
            "\"lower_bound\": %s",
            n->index, n->nullity, n->degenerate ? "true" : "false", n->nodes, n->lower_bound ? "true" : "false");
    od_report_real(out, "nearest", n->nearest);
    od_report_real(out, "nearest_error", n->error);
    fputs("}, \"witness\": ", out);
    if (r->no_witness != NULL) {
        fputs("null", out);
        return;
    }
    fputs("{", out);
    write_witness(out, "down", r, &r->down);
    fputs(", ", out);
    write_witness(out, "up", r, &r->up);
    fputs("}", out);
}

static void write_json(const answer *r, FILE *out)
{
    const double interval[2] = {r->action.t1, r->action.t2};
    fputs("{\"analysis\": \"action\", \"label\": ", out);
    od_json_text(out, r->m->label);
    od_report_text(out, "curve", r->curve_file[0] != '\0' ? r->curve_file : "path");
    od_report_list(out, "interval", interval, 2);
    od_report_real(out, "ln_factor", r->action.ln_factor);
    write_integral(out, "action", &r->value);
    fputs(", \"residual\": {\"largest\": ", out);
    od_json_real(out, r->residual.largest);
    od_report_real(out, "at", r->residual.at);
    od_report_real(out, "relative", r->residual.relative);
    fputs("}, \"displacements\": [", out);
    for (size_t i = 0; i < r->count; i++) {
        fputs(i > 0 ? ", {\"displacement\": " : "{\"displacement\": ", out);
        od_json_text(out, r->line[i].name);
        od_report_real(out, "amplitude", r->line[i].amplitude);
        write_variations(out, &r->line[i].v);
        fputs("}", out);
    }
    fputs("]", out);
    write_morse(out, r);
    fputs(", \"claims\": ", out);
    od_claims_write_json(out, r->claim, r->claim_count);
    fputs("}", out);
}

static void text_line(FILE *out, const char *name, double amplitude, const od_variations *v)
{
    fprintf(out, "  %-36s %10.4g %16.9g %12.3g %16.9g\n", name, amplitude, v->difference.value, v->first.value,
            v->second.value);
}

static void write_text(const answer *r, FILE *out)
{
    fprintf(out, "%s on [%.9g, %.9g], %s%s\n", r->m->label, r->action.t1, r->action.t2,
            r->curve_file[0] != '\0' ? "the curve of " : "the path of its flow", r->curve_file);
    if (r->action.ln_factor != 0) {
        fprintf(out, "  all values are to be multiplied by e^%.9g, a factor taken out against overflow\n",
                r->action.ln_factor);
    }
    fprintf(out, "  action J = %.14g, quadrature error below %.1e\n", r->value.value, r->value.error);
    fprintf(out, "  Euler-Lagrange residual at most %.2e at t = %.6g (%.1e of its terms)\n", r->residual.largest,
            r->residual.at, r->residual.relative);
    if (r->count > 0 || r->has_morse) {
        fprintf(out, "  %-36s %10s %16s %12s %16s\n", "displacement h", "size s", "J[X+sh] - J[X]", "first", "second");
    }
    for (size_t i = 0; i < r->count; i++) {
        text_line(out, r->line[i].name, r->line[i].amplitude, &r->line[i].v);
    }
    if (r->down.present) {
        text_line(out, "witness: lowers the action", r->down.amplitude, &r->down.v);
    }
    if (r->up.present) {
        text_line(out, "witness: raises the action", r->up.amplitude, &r->up.v);
    }
    if (r->has_morse) {
        fprintf(out, "  Morse index %s%zu on %zu nodes%s: %s\n", r->morse.lower_bound ? "at least " : "",
                r->morse.index, r->morse.nodes, r->morse.degenerate ? ", DEGENERATE" : "",
                r->morse.index > 0                            ? "a saddle of the action"
                : r->morse.degenerate || r->morse.lower_bound ? "undecided to second order"
                                                              : "a minimiser of the action");
    }
    od_claims_write_text(out, r->claim, r->claim_count);
}

static od_status measure(od_context *ctx, const od_settings *s, const double *direction, answer *r)
{
    const double *interval = r->m->interval;
    od_status status = od_trajectory_check(ctx, r->m);
    if (status == OD_OK && r->curve_file[0] != '\0') {
        status = od_curve_read(ctx, s, "curve", r->m->problem->dim, interval, &r->curve);
    } else if (status == OD_OK) {
        status = od_trajectory_create(ctx, r->m, interval[1], 1e-13, &r->path);
        r->curve = (od_curve){.d = r->m->problem->dim, .path = r->path};
    }
    status = status == OD_OK ? od_action_open(ctx, r->m, &r->curve, interval[0], interval[1], &r->action) : status;
    status = status == OD_OK ? od_action_value(ctx, &r->action, &r->value) : status;
    status = status == OD_OK ? od_action_residual(ctx, &r->action, &r->residual) : status;
    status = status == OD_OK ? displace(ctx, s, direction, r) : status;
    status = status == OD_OK ? od_action_claims(ctx, &r->action, &r->value, direction,
                                                od_setting(s, "amplitude")->list[0], r->claim, &r->claim_count)
                             : status;
    if (status != OD_OK || r->path == NULL) {
        return status;
    }
    status = od_morse_index(ctx, r->path, interval[0], interval[1], NULL, &r->morse);
    r->has_morse = status == OD_OK;
    if (status == OD_EUNSUPPORTED) {
        od_note(ctx, "no Morse index and no witnesses: %s", od_message(ctx));
        return OD_OK;
    }
    return status == OD_OK ? find_witnesses(ctx, r, od_setting(s, "amplitude")->list[0]) : status;
}

static od_status action_run(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                            FILE *out, bool json)
{
    answer r = {.m = &e->member[member], .curve_file = base_name(od_setting_text(settings, "curve"))};
    double *direction = od_zalloc(r.m->problem->dim, sizeof *direction);
    openblas_set_num_threads(1); /* the same bits for any number of threads */
    od_status status = direction != NULL ? read_direction(ctx, settings, r.m->problem->dim, direction)
                                         : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a direction");
    status = status == OD_OK ? measure(ctx, settings, direction, &r) : status;
    if (status == OD_OK && json) {
        write_json(&r, out);
    } else if (status == OD_OK) {
        write_text(&r, out);
    }
    free(r.line);
    free(direction);
    od_action_close(&r.action);
    od_curve_close(&r.curve);
    od_curve_close(&r.table);
    od_curve_close(&r.down.h);
    od_curve_close(&r.up.h);
    od_trajectory_free(r.path);
    return status;
}

const od_analysis_type od_analysis_action = {
    .name = "action",
    .summary = "the action of a path, its first and second variation, and displacements that lower and raise it",
    .source = "Gelfand and Fomin (1963), chapters 1 and 5; Orvieto (2023), Diss. ETH 29649, section 2.2",
    .params =
        (const od_param[]){{.name = "curve",
                            .kind = OD_FILE,
                            .fallback = "",
                            .meaning = "CSV file of another curve, rows t, x_1, ..., x_d; the path of the flow if "
                                       "absent"},
                           {.name = "sine",
                            .kind = OD_VECTOR,
                            .fallback = "",
                            .low = 1,
                            .high = 1000,
                            .meaning = "whole numbers k of displacements sin(k pi (t - t1)/(t2 - t1))"},
                           {.name = "hat",
                            .kind = OD_MATRIX,
                            .fallback = "",
                            .unit = "time",
                            .meaning = "rows [centre, half-width] of displacements of height 1"},
                           {.name = "displacement",
                            .kind = OD_FILE,
                            .fallback = "",
                            .meaning = "CSV file of a displacement, rows t, h_1, ..., h_d"},
                           {.name = "direction",
                            .kind = OD_VECTOR,
                            .fallback = "",
                            .meaning = "of sines and hats, one number per component; the first one if absent"},
                           {.name = "amplitude",
                            .kind = OD_VECTOR,
                            .fallback = "[0.1]",
                            .meaning = "sizes s of the displacements; the first is that of the witnesses"},
                           {.name = NULL}},
    .run = action_run,
};
