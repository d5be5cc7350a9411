/*
 * Is the path of a flow a minimiser of its action between two times, or a saddle? The conjugate points of t1 decide:
 * the path minimises as long as there is none up to t2, and the number of those before t2 is the number of independent
 * displacements that lower the action.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "compression.h"
#include "morse.h"
#include "report.h"

#include "../claims/claims.h"
#include "../src/json.h"
#include "../src/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KERNEL_SHOWN = 6 };

typedef struct question {
    od_context *ctx;
    const od_member *m;
    const od_settings *settings;
    od_trajectory *path;
    size_t d;
    od_extremal extremal;
    od_jacobi jacobi;
    double *memory, *x, *v, *free;
    od_conjugates found;
    size_t directions; /* of largest curvature that fields are restricted to; 0: none */
    od_compression compression;
    bool verify;
    od_morse morse; /* if verify */
    od_claim claim[OD_VARIATIONAL_CLAIMS];
    size_t claim_count;
} question;

/* ------------------------------------------------------------------------------------------------ a free end */

static double product(size_t d, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Adds a direction less its part in those there are, twice for orthogonality to rounding; false if nothing is left. */
static bool add_direction(question *q, const double *u)
{
    const size_t d = q->d;
    double *to = q->free + q->jacobi.free_count * d;
    const double size = sqrt(product(d, u, u));
    memcpy(to, u, d * sizeof *to);
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t k = 0; k < q->jacobi.free_count; k++) {
            const double along = product(d, to, q->free + k * d);
            for (size_t i = 0; i < d; i++) {
                to[i] -= along * q->free[k * d + i];
            }
        }
    }
    const double left = sqrt(product(d, to, to));
    for (size_t i = 0; i < d; i++) {
        to[i] /= left;
    }
    q->jacobi.free_count += left > 1e-10 * size;
    return left > 1e-10 * size;
}

static od_status free_on_subspace(question *q, const od_value *given)
{
    if (given->cols != q->d || given->rows > q->d) {
        return od_setting_fail(q->ctx, q->settings, "free",
                               "expected sphere, all, or at most %zu directions of %zu numbers each, such as "
                               "[[1, 0]]; got %zu of %zu",
                               q->d, q->d, given->rows, given->cols);
    }
    for (size_t k = 0; k < given->rows; k++) {
        if (!add_direction(q, given->list + k * q->d)) {
            return od_setting_fail(q->ctx, q->settings, "free",
                                   "direction %zu is zero or lies in the span of those before; remove it", k + 1);
        }
    }
    return OD_OK;
}

/* The sphere around the minimiser through x(t1): it bends the path's neighbours by h' = (v . n)/radius h. */
static od_status free_on_sphere(question *q)
{
    const size_t d = q->d;
    const double *centre = q->m->problem->minimiser;
    if (centre == NULL || d == 1) {
        return od_setting_fail(q->ctx, q->settings, "free",
                               d == 1 ? "a sphere around the minimiser has no directions in one dimension; remove it"
                                      : "the minimiser of this problem is not known, so there is no sphere around it; "
                                        "give directions");
    }
    double *n = q->memory; /* free of use here: holds a direction for a moment */
    for (size_t i = 0; i < d; i++) {
        n[i] = q->x[i] - centre[i];
    }
    const double radius = sqrt(product(d, n, n));
    if (!(radius > 0)) {
        return od_setting_fail(q->ctx, q->settings, "free",
                               "the path starts at the minimiser, so its sphere is a point");
    }
    q->jacobi.bend = product(d, q->v, n) / (radius * radius);
    add_direction(q, n);
    /* of d unit vectors at most one lies in the span of those before, so that all the rest are found */
    for (size_t i = 0; q->jacobi.free_count < d; i++) {
        memset(n, 0, d * sizeof *n);
        n[i] = 1;
        add_direction(q, n);
    }
    /* the normal stood first */
    memmove(q->free, q->free + d, (q->jacobi.free_count - 1) * d * sizeof *q->free);
    q->jacobi.free_count--;
    return OD_OK;
}

/* With its end free the path is an extremal only if it leaves at a right angle. */
static od_status check_right_angle(question *q)
{
    const double speed = sqrt(product(q->d, q->v, q->v));
    double along = 0;
    for (size_t k = 0; k < q->jacobi.free_count; k++) {
        const double part = product(q->d, q->v, q->free + k * q->d);
        along += part * part;
    }
    return sqrt(along) <= 1e-9 * speed
               ? OD_OK
               : od_setting_fail(
                     q->ctx, q->settings, "free",
                     "the path leaves t1 with a part %.3g of its velocity in free directions, so moving its "
                     "end changes the action already at first order; only a path at right angles to them "
                     "(or at rest) is stationary",
                     sqrt(along) / speed);
}

static od_status read_free(question *q)
{
    const od_value *given = od_setting(q->settings, "free");
    od_status status = od_trajectory_at(q->path, q->jacobi.t1, q->x, q->v);
    if (status != OD_OK) {
        return od_fail(q->ctx, status, "interval", "the path could not be evaluated at t1 = %.9g", q->jacobi.t1);
    }
    if (given->kind == OD_TEXT && strcmp(given->text, "sphere") == 0) {
        status = free_on_sphere(q);
    } else if (given->kind == OD_TEXT && strcmp(given->text, "all") == 0) {
        for (size_t i = 0; i < q->d; i++) {
            q->free[i * q->d + i] = 1;
        }
        q->jacobi.free_count = q->d;
    } else if (given->kind == OD_MATRIX || given->kind == OD_VECTOR) {
        status = free_on_subspace(q, given);
    } else {
        status = od_setting_fail(q->ctx, q->settings, "free",
                                 "'%s' is no set; give sphere, all, or directions such as "
                                 "[[1, 0]]",
                                 given->text);
    }
    q->jacobi.free = q->free;
    return status == OD_OK ? check_right_angle(q) : status;
}

/* ------------------------------------------------------------------------------------------------ the answer */

/* In a few directions the second algorithm, which sees all of them, has the last word. */
static const char *verdict_of(const question *q)
{
    const bool all = q->directions == 0 || q->directions == q->d;
    const bool counted = q->verify && !q->morse.lower_bound && !q->morse.degenerate;
    return q->found.index > 0 || (!all && counted && q->morse.index > 0) ? "saddle"
           : !all                                                        ? counted ? "minimiser" : "undecided"
           : q->found.end.multiplicity > 0                               ? "degenerate"
                                                                         : "minimiser";
}

static void write_kernel(FILE *out, const od_conjugate *c, size_t d)
{
    fputs("[", out);
    for (size_t k = 0; k < c->multiplicity && c->kernel != NULL; k++) {
        fputs(k > 0 ? ", " : "", out);
        od_json_list(out, c->kernel + k * d, d);
    }
    fputs("]", out);
}

static void write_json(const question *q, FILE *out)
{
    const double interval[2] = {q->jacobi.t1, q->jacobi.t2};
    fputs("{\"analysis\": \"conjugate\", \"label\": ", out);
    od_json_text(out, q->m->label);
    od_report_list(out, "interval", interval, 2);
    fputs(", \"points\": [", out);
    for (size_t i = 0; i < q->found.count; i++) {
        const od_conjugate *c = &q->found.point[i];
        fprintf(out, "%s{\"t\": ", i > 0 ? ", " : "");
        od_json_real(out, c->t);
        fprintf(out, ", \"multiplicity\": %zu, \"kernel\": ", c->multiplicity);
        write_kernel(out, c, q->d);
        fputs("}", out);
    }
    fprintf(out, "], \"index\": %zu, \"nullity_at_end\": %zu, \"kernel_at_end\": ", q->found.index,
            q->found.end.multiplicity);
    write_kernel(out, &q->found.end, q->d);
    fprintf(out, ", \"free_directions\": %zu, \"steps\": %zu", q->jacobi.free_count, q->found.steps);
    if (q->directions > 0) {
        fprintf(out, ", \"directions\": %zu", q->directions);
    } else {
        fputs(", \"directions\": null", out);
    }
    fputs(", \"morse_check\": ", out);
    if (q->verify) {
        fprintf(out, "{\"index\": %zu, \"agrees\": true, \"nodes\": %zu, \"nullity\": %zu, \"lower_bound\": %s",
                q->morse.index, q->morse.nodes, q->morse.nullity, q->morse.lower_bound ? "true" : "false");
        od_report_real(out, "miss", q->morse.miss);
        fputs("}", out);
    } else {
        fputs("null", out);
    }
    od_report_text(out, "verdict", verdict_of(q));
    fputs(", \"claims\": ", out);
    od_claims_write_json(out, q->claim, q->claim_count);
    fputs("}", out);
}

static void show_kernel(FILE *out, const od_conjugate *c, size_t d)
{
    for (size_t k = 0; k < c->multiplicity && c->kernel != NULL && d > 1 && d <= KERNEL_SHOWN; k++) {
        fputs(k > 0 ? ", (" : "   (", out);
        for (size_t i = 0; i < d; i++) {
            fprintf(out, "%s%.4g", i > 0 ? ", " : "", c->kernel[k * d + i]);
        }
        fputs(")", out);
    }
    fputs("\n", out);
}

static void write_text(const question *q, FILE *out)
{
    const char *kind = q->jacobi.free_count > 0 ? "focal" : "conjugate";
    fprintf(out, "%s: %s points of t1 = %.9g up to t2 = %.9g\n", q->m->label, kind, q->jacobi.t1, q->jacobi.t2);
    if (q->directions > 0) {
        fprintf(out, "  of displacements in the %zu direction%s of largest curvature: points of all come no later\n",
                q->directions, q->directions > 1 ? "s" : "");
    }
    for (size_t i = 0; i < q->found.count; i++) {
        const od_conjugate *c = &q->found.point[i];
        fprintf(out, "  t = %-18.14g multiplicity %zu", c->t, c->multiplicity);
        show_kernel(out, c, q->d);
    }
    if (q->found.end.multiplicity > 0) {
        fprintf(out, "  t2 itself, or nearer to it than 1e-10: multiplicity %zu", q->found.end.multiplicity);
        show_kernel(out, &q->found.end, q->d);
    }
    if (q->verify) {
        fprintf(out, "  the second variation on %zu nodes has %s%zu negative eigenvalue%s%s: agrees\n", q->morse.nodes,
                q->morse.lower_bound ? "at least " : "", q->morse.index, q->morse.index == 1 ? "" : "s",
                q->morse.degenerate ? " and is degenerate" : "");
    }
    const char *verdict = verdict_of(q);
    if (q->found.index > 0) {
        fprintf(out, "  saddle: %s%zu independent displacement%s lower%s the action\n",
                q->directions > 0 ? "at least " : "", q->found.index, q->found.index > 1 ? "s" : "",
                q->found.index > 1 ? "" : "s");
    } else if (q->directions > 0) {
        fprintf(out, "  %s: no point in these directions%s\n", verdict,
                strcmp(verdict, "undecided") == 0 ? "; conjugate.verify: true counts in all" : "");
    } else {
        fputs(q->found.end.multiplicity > 0 ? "  degenerate: no point before t2, and t2 is one\n"
                                            : "  minimiser: no point up to t2\n",
              out);
    }
    od_claims_write_text(out, q->claim, q->claim_count);
}

/*
 * The second algorithm: negative eigenvalues of the discretised second variation. It may call a path degenerate whose
 * next point is nearer to t2 than its own errors can tell; then the counts agree if the phases see that point there.
 */
static od_status verify(question *q)
{
    /* where a' t >= 1 a displacement of finite action may end anywhere at the singular start: fixing it changes nothing
     * but the mesh's error, which falls like 1/ln for a' t = 1 */
    double a[2], b[2];
    const double early = 1e-8 * q->jacobi.t2;
    q->jacobi.weights(q->jacobi.user, early, a, b);
    const bool loose = q->jacobi.singular && a[1] * early > 1 - 1e-4;
    const od_first_end first = {
        .free_count = loose ? q->d : q->jacobi.free_count, .free = q->jacobi.free, .bend = q->jacobi.bend};
    od_status status = od_morse_index(q->ctx, q->path, q->jacobi.t1, q->jacobi.t2, &first, &q->morse);
    if (status != OD_OK) {
        return status;
    }
    const size_t index = q->found.index, nullity = q->found.end.multiplicity;
    const od_morse *m = &q->morse;
    const bool fewer = q->directions > 0; /* than all directions: a lower bound like the other's */
    const bool agrees = fewer            ? m->lower_bound || index <= m->index + m->nullity
                        : m->lower_bound ? m->index <= index + nullity
                        : m->degenerate  ? m->index <= index + nullity && index <= m->index + m->nullity
                        : nullity == 0   ? m->index == index
                                         : m->index >= index && m->index <= index + nullity;
    return agrees ? OD_OK
                  : od_fail(q->ctx, OD_ENUMERIC, NULL,
                            "%s on [%.9g, %.9g]: the phases of the Jacobi fields count %zu points before t2 and %zu at "
                            "it, the discretised second variation has %zu negative eigenvalues and %zu that may be 0; "
                            "one of the two is wrong, please report this file",
                            q->m->label, q->jacobi.t1, q->jacobi.t2, index, nullity, m->index, m->nullity);
}

static od_status find(question *q)
{
    const od_spectrum *spectrum = q->m->problem->spectrum;
    const double *interval = q->m->interval;
    od_status status = od_trajectory_create(q->ctx, q->m, interval[1], 1e-13, &q->path);
    if (status != OD_OK) {
        return status;
    }
    q->extremal = (od_extremal){q->path, interval[0], interval[1]};
    q->jacobi = od_extremal_jacobi(&q->extremal);
    const bool wants_free = od_setting_present(q->settings, "free");
    if (od_setting_present(q->settings, "directions")) {
        if (wants_free) {
            return od_setting_fail(q->ctx, q->settings, "directions",
                                   "fields in a few directions have both ends fixed; remove free or directions");
        }
        q->directions = (size_t)od_setting_real(q->settings, "directions");
        if ((status = od_compression_open(q->ctx, &q->extremal, q->directions, &q->compression)) != OD_OK) {
            return status;
        }
        q->jacobi = od_compression_jacobi(&q->compression);
    }
    q->jacobi.kernels = od_setting_real(q->settings, "kernels") != 0;
    q->jacobi.tolerance = od_setting_real(q->settings, "tolerance");
    q->memory = wants_free ? od_zalloc(3 * q->d + (q->d + 1) * q->d, sizeof *q->memory) : NULL;
    if (wants_free && q->memory == NULL) {
        return od_fail(q->ctx, OD_ENOMEM, "conjugate.free", "no memory for free directions");
    }
    if (wants_free) {
        q->x = q->memory + q->d;
        q->v = q->x + q->d;
        q->free = q->v + q->d;
        status = read_free(q);
    }
    if (q->directions > 0) {
        status = od_jacobi_conjugates(q->ctx, &q->jacobi, &q->found);
        return status == OD_OK ? od_compression_expand(q->ctx, &q->compression, &q->found) : status;
    }
    if (status == OD_OK && spectrum != NULL && !wants_free && od_setting_real(q->settings, "split") != 0) {
        return od_jacobi_split(q->ctx, &q->jacobi, spectrum->eigenvalues, spectrum->rotation, &q->found);
    }
    return status == OD_OK ? od_jacobi_conjugates(q->ctx, &q->jacobi, &q->found) : status;
}

static od_status conjugate_run(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                               FILE *out, bool json)
{
    question q = {.ctx = ctx, .m = &e->member[member], .settings = settings};
    openblas_set_num_threads(1); /* the same bits for any number of threads */
    q.d = q.m->problem->dim;
    od_status status = find(&q);
    q.verify = od_setting_real(settings, "verify") != 0;
    status = status == OD_OK && q.verify ? verify(&q) : status;
    if (status == OD_OK && q.jacobi.free_count == 0 && q.directions == 0) {
        status = od_variational_claims(ctx, &q.extremal, &q.found, q.claim, &q.claim_count);
    }
    if (status == OD_OK && json) {
        write_json(&q, out);
    } else if (status == OD_OK) {
        write_text(&q, out);
    }
    od_conjugates_free(&q.found);
    od_compression_close(&q.compression);
    od_trajectory_free(q.path);
    free(q.memory);
    return status;
}

const od_analysis_type od_analysis_conjugate = {
    .name = "conjugate",
    .summary = "conjugate points of a path: does it minimise its action, or is it a saddle",
    .source = "Morse (1934), The calculus of variations in the large; Orvieto (2023), Diss. ETH 29649, section 2.2",
    .params = (const od_param[]){{.name = "free",
                                  .kind = OD_VARIANT,
                                  .fallback = "",
                                  .meaning = "where the path's first end is free: directions [[1, 0]], all, or sphere, "
                                             "the one around the minimiser; fixed if absent"},
                                 {.name = "verify",
                                  .kind = OD_FLAG,
                                  .fallback = "false",
                                  .meaning = "count the negative eigenvalues of the discretised second variation too; "
                                             "disagreement is an error"},
                                 {.name = "split",
                                  .kind = OD_FLAG,
                                  .fallback = "true",
                                  .meaning = "treat the eigenvectors of a quadratic loss apart, which is faster"},
                                 {.name = "directions",
                                  .kind = OD_INTEGER,
                                  .fallback = "",
                                  .low = 1,
                                  .high = 1000,
                                  .meaning = "restrict the fields to so many directions, those of largest curvature in "
                                             "the middle of the interval: for dimensions too many for all of them; "
                                             "the index is then a lower bound"},
                                 {.name = "kernels",
                                  .kind = OD_FLAG,
                                  .fallback = "true",
                                  .meaning = "give the fields that vanish at each point by their slopes at t1"},
                                 {.name = "tolerance",
                                  .kind = OD_REAL,
                                  .fallback = "1.0e-12",
                                  .low = 1e-14,
                                  .high = 1e-6,
                                  .meaning = "error of one step of the Jacobi fields, relative to their frame"},
                                 {.name = NULL}},
    .run = conjugate_run,
};
