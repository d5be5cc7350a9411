/*
 * The curvature of a loss where a run starts, where it ends and on the way: eigenvalues of the Hessian at both ends of
 * its spectrum, its trace and density, and the sharpness, its largest eigenvalue, at the recorded times. All by
 * Hessian-vector products.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "curvature.h"

#include "report.h"

#include "../src/json.h"
#include "../src/memory.h"
#include "../src/start.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRACK_STEPS = 60, SHOWN = 10 };
static const double track_tolerance = 1e-6;

static od_status products(void *user, const double *v, double *av)
{
    const od_curvature *s = user;
    return s->f->hvp(s->f, 1, s->x, 1, v, av, s->ws);
}

/* D^-1/2 H D^-1/2, which is symmetric and has the eigenvalues of D^-1 H. */
static od_status scaled_products(void *user, const double *v, double *av)
{
    const od_curvature *s = user;
    for (size_t i = 0; i < s->f->dim; i++) {
        s->scaled[i] = v[i] / s->root[i];
    }
    od_status status = products(user, s->scaled, av);
    for (size_t i = 0; i < s->f->dim; i++) {
        av[i] /= s->root[i];
    }
    return status;
}

/* The root of the method's metric; false where there is none, or not yet. */
static bool find_metric(od_curvature *s, const od_view *view)
{
    const od_member *m = s->m;
    if (view->iteration && m->map.metric != NULL) {
        m->map.metric(&m->map, (uint64_t)llround((view->t - m->start.t) / m->map.tau), view->z, s->root);
    } else if (!view->iteration && m->flow.metric != NULL) {
        m->flow.metric(&m->flow, view->t, view->z, s->root);
    } else {
        return false;
    }
    bool positive = true;
    for (size_t i = 0; i < s->f->dim; i++) {
        positive = positive && s->root[i] > 0;
        s->root[i] = sqrt(s->root[i]);
    }
    return positive;
}

/* ------------------------------------------------------------------------------------------- the run */

static bool grow(od_course *c)
{
    if (c->count < c->room) {
        return true;
    }
    const size_t room = 2 * c->room + 64;
    double **const lists[] = {&c->t, &c->value, &c->error, &c->preconditioned};
    for (size_t i = 0; i < 4; i++) {
        double *list = realloc(*lists[i], room * sizeof *list);
        if (list == NULL) {
            return false;
        }
        *lists[i] = list;
    }
    c->room = room;
    return true;
}

static od_status observe(void *user, const od_view *view)
{
    od_curvature *s = user;
    od_course *c = &s->course[view->iteration ? OD_COURSE_ITERATION : OD_COURSE_FLOW];
    if (!view->alive[0]) {
        s->diverged = true;
        return OD_OK;
    }
    if (!grow(c)) {
        return od_fail(s->errors, OD_ENOMEM, "record", "no memory for %zu recorded times", c->count);
    }
    memcpy(c->x, view->z, s->f->dim * sizeof *c->x);
    od_extremes found = {.high = NAN, .high_error = NAN}, divided = {.high = NAN};
    s->x = c->x;
    od_status status = s->along ? od_krylov_largest(s->errors, s->krylov, products, s, track_tolerance, c->count,
                                                    c->vector, &found)
                                : OD_OK;
    if (s->along && status == OD_OK && find_metric(s, view)) {
        status = od_krylov_largest(s->errors, s->krylov, scaled_products, s, track_tolerance, c->count,
                                   c->scaled_vector, &divided);
    }
    c->t[c->count] = view->t;
    c->preconditioned[c->count] = divided.high;
    c->value[c->count] = found.high;
    c->error[c->count] = found.high_error;
    c->count++;
    return status;
}

/* The member alone, with one path, watched. */
static od_status follow(od_curvature *s, const od_experiment *e)
{
    od_member one = *s->m;
    od_experiment alone = *e;
    od_result *result = NULL;
    one.paths = 1;
    alone.member = &one;
    alone.member_count = 1;
    alone.output = NULL;
    alone.ranks = NULL;
    alone.shard = alone.shards = 0;
    alone.observer[0] = (od_observer){observe, s};
    alone.observer_count = 1;
    od_status status = od_experiment_run(s->ctx, &alone, &result);
    if (status == OD_EDIVERGED) {
        s->diverged = true;
        status = OD_OK;
    } else if (status != OD_OK && od_message(s->errors)[0] != '\0') {
        status = od_fail(s->ctx, status, NULL, "%s", od_message(s->errors));
    }
    od_result_free(result);
    return status;
}

static od_status open_study(od_context *ctx, const od_settings *settings, const od_member *m, od_curvature *s)
{
    const od_problem *f = m->problem;
    const size_t d = f->dim;
    *s = (od_curvature){.ctx = ctx, .m = m, .f = f, .along = od_setting_real(settings, "along") != 0};
    if (f->hvp == NULL || f->rough != NULL) {
        return od_fail(ctx, OD_EUNSUPPORTED, "problem.name", "curvature needs the Hessian of '%s', and %s", f->name,
                       f->rough != NULL ? f->rough : "the problem offers no products with it");
    }
    s->errors = od_context_create();
    s->ws = od_zalloc(od_scratch_size(&f->scratch, 1) + d * 9, sizeof *s->ws);
    s->krylov = s->along ? od_krylov_create(d, TRACK_STEPS) : NULL;
    if (s->errors == NULL || s->ws == NULL || (s->along && s->krylov == NULL)) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the curvature in %zu dimensions", d);
    }
    double *next = s->ws + od_scratch_size(&f->scratch, 1);
    double **const states[] = {&s->start,
                               &s->root,
                               &s->scaled,
                               &s->course[0].x,
                               &s->course[0].vector,
                               &s->course[0].scaled_vector,
                               &s->course[1].x,
                               &s->course[1].vector,
                               &s->course[1].scaled_vector};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        *states[i] = next + i * d;
    }
    return OD_OK;
}

/* The blocks behind x are filled as well, and their scratch is the flow's, the map's or the problem's. */
static od_status start_of(od_curvature *s)
{
    const od_member *m = s->m;
    const size_t d = s->f->dim, rest = od_scratch_size(m->has_flow ? &m->flow.scratch : &m->map.scratch, 1);
    const size_t own = od_scratch_size(&s->f->scratch, 1);
    double *z = od_zalloc(m->dim + (rest > own ? rest : own), sizeof *z);
    if (z == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, NULL, "no memory for the start");
    }
    od_status status = od_start_fill(m, 0, 1, z, z + m->dim);
    memcpy(s->start, z, d * sizeof *z);
    free(z);
    return status == OD_OK ? OD_OK : od_fail(s->ctx, status, "start", "the start could not be evaluated");
}

void od_curvature_close(od_curvature *s)
{
    for (size_t i = 0; i < s->count; i++) {
        od_spectrum_close(&s->point[i].found);
    }
    for (size_t i = 0; i < 2; i++) {
        free(s->course[i].t);
        free(s->course[i].value);
        free(s->course[i].error);
        free(s->course[i].preconditioned);
    }
    od_krylov_free(s->krylov);
    free(s->ws);
    od_context_free(s->errors);
}

/* ------------------------------------------------------------------------------------------- the answer */

double od_curvature_bound(const od_member *m)
{
    return m->has_map && m->map.stable > 0 ? m->map.stable : NAN;
}

static bool has_metric(const od_member *m)
{
    return (m->has_map && m->map.metric != NULL) || (m->has_flow && m->flow.metric != NULL);
}

static void write_end(FILE *out, const char *name, const od_leading *end)
{
    char key[32];
    od_report_list(out, name, end->value, end->count);
    snprintf(key, sizeof key, "%s_error", name);
    od_report_list(out, key, end->error, end->count);
    fprintf(out, ", \"%s_complete\": %s", name, end->complete ? "true" : "false");
    snprintf(key, sizeof key, "%s_beyond", name);
    od_report_real(out, key, end->count > 0 ? end->ceiling : NAN);
}

static void write_point(FILE *out, const od_curvature_point *p)
{
    const od_spectrum_found *f = &p->found;
    fputs("{\"at\": ", out);
    od_json_text(out, p->at);
    od_report_real(out, "t", p->t);
    write_end(out, "top", &f->top);
    write_end(out, "bottom", &f->bottom);
    od_report_real(out, "miss", f->top.count > 0 ? f->top.miss : f->bottom.count > 0 ? f->bottom.miss : NAN);
    od_report_real(out, "trace", f->trace.value);
    od_report_real(out, "trace_stderr", f->trace.error);
    od_report_real(out, "square", f->square.value);
    od_report_real(out, "square_stderr", f->square.error);
    fputs(", \"density\": ", out);
    if (f->at == NULL) {
        fputs("null", out);
    } else {
        fputs("{\"width\": ", out);
        od_json_real(out, f->width);
        od_report_list(out, "at", f->at, OD_DENSITY_POINTS);
        od_report_list(out, "value", f->density, OD_DENSITY_POINTS);
        od_report_list(out, "stderr", f->error, OD_DENSITY_POINTS);
        fputs("}", out);
    }
    fprintf(out, ", \"products\": %zu}", f->products);
}

static void write_course(FILE *out, const char *key, const od_curvature *s, const od_course *c)
{
    fprintf(out, ", \"%s\": ", key);
    if (!s->along || c->count == 0) {
        fputs("null", out);
        return;
    }
    fputs("{\"t\": ", out);
    od_json_list(out, c->t, c->count);
    od_report_list(out, "sharpness", c->value, c->count);
    od_report_list(out, "error", c->error, c->count);
    if (has_metric(s->m)) {
        od_report_list(out, "preconditioned", c->preconditioned, c->count);
    }
    fputs("}", out);
}

static void write_json(const od_curvature *s, FILE *out)
{
    fputs("{\"analysis\": \"curvature\", \"label\": ", out);
    od_json_text(out, s->m->label);
    fprintf(out, ", \"dimension\": %zu, \"diverged\": %s", s->f->dim, s->diverged ? "true" : "false");
    od_report_real(out, "two_over_h", has_metric(s->m) ? NAN : od_curvature_bound(s->m));
    od_report_real(out, "bound", od_curvature_bound(s->m));
    fputs(", \"points\": [", out);
    for (size_t i = 0; i < s->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        write_point(out, &s->point[i]);
    }
    fputs("]", out);
    write_course(out, "flow", s, &s->course[OD_COURSE_FLOW]);
    write_course(out, "iteration", s, &s->course[OD_COURSE_ITERATION]);
    fputs("}", out);
}

static void show_end(FILE *out, const char *name, const od_leading *end)
{
    for (size_t i = 0; i < end->count && i < SHOWN; i++) {
        fprintf(out, "  %-10s %18.10g  residual %.1e\n", i == 0 ? name : "", end->value[i], end->error[i]);
    }
    if (end->count > SHOWN) {
        fprintf(out, "  %-10s and %zu more\n", "", end->count - SHOWN);
    }
    if (end->runs > 0 && !end->complete) {
        fprintf(out, "  %-10s not all were found: raise curvature.steps\n", end->count == 0 ? name : "");
    }
}

static void show_course(FILE *out, const char *name, const od_curvature *s, const od_course *c)
{
    const double bound = od_curvature_bound(s->m), *judged = has_metric(s->m) ? c->preconditioned : c->value;
    if (!s->along || c->count == 0) {
        return;
    }
    size_t most = 0, beyond = 0;
    for (size_t i = 0; i < c->count; i++) {
        most = c->value[i] > c->value[most] ? i : most;
        beyond += judged[i] > bound;
    }
    fprintf(out, "  sharpness along the %s: %.6g at t = %.6g, at most %.6g at t = %.6g, %.6g at t = %.6g\n", name,
            c->value[0], c->t[0], c->value[most], c->t[most], c->value[c->count - 1], c->t[c->count - 1]);
    if (has_metric(s->m)) {
        fprintf(out, "  divided by the method's metric %.6g at t = %.6g\n", judged[c->count - 1], c->t[c->count - 1]);
    }
    if (!isnan(bound)) {
        fprintf(out, "  %s = %.6g: above it at %zu of %zu recorded times\n",
                has_metric(s->m) ? "bound of the latter" : "2/h", bound, beyond, c->count);
    }
}

static void show_estimate(FILE *out, const char *name, const od_estimate *e)
{
    if (!isnan(e->value)) {
        fprintf(out, "  %-10s %18.10g  ", name, e->value);
        if (isnan(e->error)) {
            fputs("by one probe\n", out);
        } else {
            fprintf(out, "standard error %.2g\n", e->error);
        }
    }
}

static void write_text(const od_curvature *s, FILE *out)
{
    fprintf(out, "%s: curvature of '%s' in %zu dimensions%s\n", s->m->label, s->f->name, s->f->dim,
            s->diverged ? ", up to where the run diverged" : "");
    for (size_t i = 0; i < s->count; i++) {
        const od_curvature_point *p = &s->point[i];
        const od_spectrum_found *f = &p->found;
        fprintf(out, " %s, t = %.9g, %zu Hessian-vector products\n", p->at, p->t, f->products);
        show_end(out, "largest", &f->top);
        show_end(out, "smallest", &f->bottom);
        show_estimate(out, "trace", &f->trace);
        show_estimate(out, "of square", &f->square);
    }
    show_course(out, "flow", s, &s->course[OD_COURSE_FLOW]);
    show_course(out, "iteration", s, &s->course[OD_COURSE_ITERATION]);
}

static od_status find_points(od_curvature *s, const od_spectrum_wish *wish)
{
    static const char *const end[2] = {"end of the flow", "end of the iteration"};
    s->point[s->count++] = (od_curvature_point){.at = "start", .t = s->m->start.t, .x = s->start};
    for (size_t i = 0; i < 2; i++) {
        const od_course *c = &s->course[i];
        if (c->count > 0) {
            s->point[s->count++] = (od_curvature_point){.at = end[i], .t = c->t[c->count - 1], .x = c->x};
        }
    }
    od_status status = OD_OK;
    for (size_t i = 0; i < s->count && status == OD_OK; i++) {
        s->x = s->point[i].x;
        status = od_spectrum_find(s->ctx, s->f->dim, products, s, wish, &s->point[i].found);
    }
    return status;
}

od_status od_curvature_find(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                            od_curvature *s)
{
    const od_member *m = &e->member[member];
    const od_spectrum_wish wish = {.top = (size_t)od_setting_real(settings, "top"),
                                   .bottom = (size_t)od_setting_real(settings, "bottom"),
                                   .tolerance = od_setting_real(settings, "tolerance"),
                                   .steps = (size_t)od_setting_real(settings, "steps"),
                                   .probes = (size_t)od_setting_real(settings, "probes"),
                                   .rule = (size_t)od_setting_real(settings, "rule"),
                                   .width = od_setting_real(settings, "width"),
                                   .seed = m->seed};
    openblas_set_num_threads(1); /* the same bits for any number of threads */
    od_status status = open_study(ctx, settings, m, s);
    status = status == OD_OK ? start_of(s) : status;
    status = status == OD_OK ? follow(s, e) : status;
    return status == OD_OK ? find_points(s, &wish) : status;
}

static od_status curvature_run(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                               FILE *out, bool json)
{
    od_curvature s;
    od_status status = od_curvature_find(ctx, settings, e, member, &s);
    if (status == OD_OK && json) {
        write_json(&s, out);
    } else if (status == OD_OK) {
        write_text(&s, out);
    }
    od_curvature_close(&s);
    return status;
}

const od_analysis_type od_analysis_curvature = {
    .name = "curvature",
    .summary =
        "the Hessian's eigenvalues, trace and spectral density where a run starts and ends, sharpness on the way",
    .source = "Lanczos (1950); Hutchinson (1990); Lin, Saad and Yang (2016); sharpness: Cohen et al. (2021)",
    .params =
        (const od_param[]){{.name = "top",
                            .kind = OD_INTEGER,
                            .fallback = "5",
                            .low = 0,
                            .high = 1000,
                            .meaning = "largest eigenvalues wanted"},
                           {.name = "bottom",
                            .kind = OD_INTEGER,
                            .fallback = "1",
                            .low = 0,
                            .high = 1000,
                            .meaning = "smallest eigenvalues wanted"},
                           {.name = "tolerance",
                            .kind = OD_REAL,
                            .fallback = "1.0e-8",
                            .low = 1e-14,
                            .high = 0.1,
                            .meaning = "residual over the largest modulus at which an eigenvalue is found"},
                           {.name = "steps",
                            .kind = OD_INTEGER,
                            .fallback = "300",
                            .low = 2,
                            .high = 100000,
                            .meaning = "steps of one run of Lanczos' iteration at most; so many vectors are kept"},
                           {.name = "probes",
                            .kind = OD_INTEGER,
                            .fallback = "16",
                            .low = 0,
                            .high = 100000,
                            .meaning = "random vectors for the trace and the density"},
                           {.name = "rule",
                            .kind = OD_INTEGER,
                            .fallback = "30",
                            .low = 1,
                            .high = 1000,
                            .meaning = "products with each of them; 1: the trace alone"},
                           {.name = "width",
                            .kind = OD_REAL,
                            .fallback = "",
                            .unit = "curvature",
                            .low = 0,
                            .high = INFINITY,
                            .low_open = true,
                            .meaning = "standard deviation of the Gaussian that smooths the density; the width "
                                       "of the spectrum over `rule` if absent"},
                           {.name = "along",
                            .kind = OD_FLAG,
                            .fallback = "true",
                            .meaning = "the sharpness at the recorded times of the flow and the iteration too"},
                           {.name = NULL}},
    .run = curvature_run,
};
