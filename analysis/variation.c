/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "variation.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
enum { PANELS = 64, RESIDUAL_TIMES = 400, RESIDUAL_NUMBERS = 40000, LARGEST_EXPONENT = 500, LARGEST_SPREAD = 600 };

od_status od_action_open(od_context *ctx, const od_member *m, const od_curve *curve, double t1, double t2, od_action *a)
{
    const size_t d = m->problem->dim;
    *a = (od_action){.m = m, .curve = curve, .t1 = t1, .t2 = t2, .d = d};
    /* at t1 itself the weights may vanish */
    double largest = -INFINITY, smallest = INFINITY;
    for (int i = 1; i <= PANELS; i++) {
        double kinetic[2], potential[2];
        const double t = i == PANELS ? t2 : t1 + (t2 - t1) * i / PANELS;
        m->flow.lagrangian(&m->flow, t, kinetic, potential);
        largest = fmax(largest, fmax(kinetic[0], potential[0]));
        smallest = fmin(smallest, fmin(kinetic[0], potential[0]));
    }
    if (largest - smallest > LARGEST_SPREAD) {
        return od_fail(ctx, OD_EUNSUPPORTED, "interval",
                       "the weights of the action grow by e^%.4g on [%.9g, %.9g], beyond the range of numbers; take a "
                       "shorter interval",
                       largest - smallest, t1, t2);
    }
    a->ln_factor = largest > LARGEST_EXPONENT ? largest : 0;
    a->memory = od_zalloc(6 * d + od_scratch_size(&m->problem->scratch, 1), sizeof *a->memory);
    if (a->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the action in %zu dimensions", d);
    }
    double **const parts[] = {&a->x, &a->v, &a->g, &a->h, &a->hv, &a->hh, &a->ws};
    for (size_t i = 0; i < 7; i++) {
        *parts[i] = a->memory + i * d;
    }
    return OD_OK;
}

void od_action_close(od_action *a)
{
    free(a->memory);
    *a = (od_action){0};
}

/* ------------------------------------------------------------------------------------------- integrands */

static void weights(const od_action *a, double t, double *kinetic, double *potential)
{
    double k[2], p[2];
    a->m->flow.lagrangian(&a->m->flow, t, k, p);
    *kinetic = exp(k[0] - a->ln_factor);
    *potential = exp(p[0] - a->ln_factor);
}

static double dot(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

static od_status lagrangian(void *user, double t, double *out, double *size)
{
    od_action *a = user;
    const od_problem *f = a->m->problem;
    double kinetic, potential, loss;
    od_status status = od_curve_at(a->curve, t, a->x, a->v, NULL);
    status = status == OD_OK ? f->eval(f, OD_VALUE, 1, a->x, &loss, NULL, a->ws) : status;
    if (status != OD_OK) {
        return status;
    }
    weights(a, t, &kinetic, &potential);
    out[0] = kinetic * dot(a->d, a->v, a->v) / 2 - potential * loss;
    size[0] = kinetic * dot(a->d, a->v, a->v) / 2 + potential * fabs(loss);
    return OD_OK;
}

static void displacement_at(const od_action *a, double t, double *h, double *hv)
{
    const od_displacement *q = a->displacement;
    if (q->kind == OD_TABLE) {
        (void)od_curve_at(q->table, t, h, hv, NULL); /* a table is known everywhere */
        return;
    }
    const double w = q->number * pi / (a->t2 - a->t1), off = t - q->centre;
    const double value = q->kind == OD_SINE ? sin(w * (t - a->t1)) : fmax(0, 1 - fabs(off) / q->width);
    const double slope = q->kind == OD_SINE      ? w * cos(w * (t - a->t1))
                         : fabs(off) >= q->width ? 0
                                                 : (off < 0 ? 1 : -1) / q->width;
    for (size_t i = 0; i < a->d; i++) {
        h[i] = value * q->direction[i];
        hv[i] = slope * q->direction[i];
    }
}

static od_status displaced(void *user, double t, double *out, double *size)
{
    od_action *a = user;
    const od_problem *f = a->m->problem;
    const double s = a->amplitude;
    double kinetic, potential, before, after;
    displacement_at(a, t, a->h, a->hv);
    od_status status = od_curve_at(a->curve, t, a->x, a->v, NULL);
    status = status == OD_OK ? f->eval(f, OD_VALUE | OD_GRADIENT, 1, a->x, &before, a->g, a->ws) : status;
    status = status == OD_OK ? f->hvp(f, 1, a->x, 1, a->h, a->hh, a->ws) : status;
    const double slope = status == OD_OK ? dot(a->d, a->g, a->h) : 0, bend = dot(a->d, a->h, a->hh);
    for (size_t i = 0; i < a->d; i++) {
        a->x[i] += s * a->h[i];
    }
    status = status == OD_OK ? f->eval(f, OD_VALUE, 1, a->x, &after, NULL, a->ws) : status;
    if (status != OD_OK) {
        return status;
    }
    weights(a, t, &kinetic, &potential);
    const double along = s * dot(a->d, a->v, a->hv), square = s * s * dot(a->d, a->hv, a->hv) / 2;
    out[0] = kinetic * (along + square) - potential * (after - before);
    out[1] = kinetic * along - potential * s * slope;
    out[2] = kinetic * square - potential * s * s * bend / 2;
    size[0] = kinetic * (fabs(along) + square) + potential * (fabs(after) + fabs(before));
    size[1] = kinetic * fabs(along) + potential * fabs(s * slope);
    size[2] = kinetic * square + potential * s * s * fabs(bend) / 2;
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- panels */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Equal panels, cut where the curve or the displacement is not smooth. */
static double *panels(const od_action *a, const od_displacement *h, size_t *count)
{
    const od_curve *const tables[] = {a->curve, h != NULL && h->kind == OD_TABLE ? h->table : NULL};
    const size_t sines = h != NULL && h->kind == OD_SINE ? (size_t)(2 * h->number) : 0;
    const size_t equal = sines > PANELS ? sines : PANELS;
    size_t room = equal + 4;
    for (size_t k = 0; k < 2; k++) {
        room += tables[k] != NULL ? tables[k]->rows : 0;
    }
    double *edge = od_zalloc(room, sizeof *edge);
    if (edge == NULL) {
        return NULL;
    }
    size_t n = 0;
    for (size_t i = 0; i <= equal; i++) {
        edge[n++] = i == equal ? a->t2 : a->t1 + (a->t2 - a->t1) * (double)i / (double)equal;
    }
    for (size_t k = 0; k < 2; k++) {
        for (size_t r = 0; tables[k] != NULL && r < tables[k]->rows; r++) {
            edge[n++] = tables[k]->t[r];
        }
    }
    for (int k = -1; k <= 1 && h != NULL && h->kind == OD_HAT; k++) {
        edge[n++] = h->centre + k * h->width;
    }
    qsort(edge, n, sizeof *edge, ascending);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (edge[i] >= a->t1 && edge[i] <= a->t2 && (kept == 0 || edge[i] > edge[kept - 1])) {
            edge[kept++] = edge[i];
        }
    }
    *count = kept - 1;
    return edge;
}

static od_status integrate(od_context *ctx, od_action *a, const od_displacement *h, size_t m, od_integrand *f,
                           od_integral *out)
{
    size_t count;
    double *edge = panels(a, h, &count);
    if (edge == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the panels of a quadrature");
    }
    a->displacement = h;
    od_status status = od_integrate(ctx, edge, count, m, f, a, out);
    free(edge);
    for (size_t i = 0; i < m && status == OD_OK; i++) {
        status = isfinite(out[i].value) ? OD_OK : OD_EDIVERGED;
    }
    if (status == OD_EINTERRUPTED) {
        return od_fail(ctx, status, NULL, "interrupted while the action was integrated");
    }
    return status == OD_OK
               ? OD_OK
               : od_fail(ctx, status, "interval",
                         "the action could not be evaluated on [%.9g, %.9g]: %s; take a shorter interval", a->t1, a->t2,
                         status == OD_EDIVERGED ? "a number is not finite" : "the loss failed");
}

od_status od_action_value(od_context *ctx, od_action *a, od_integral *value)
{
    return integrate(ctx, a, NULL, 1, lagrangian, value);
}

od_status od_action_variations(od_context *ctx, od_action *a, const od_displacement *h, double amplitude,
                               od_variations *out)
{
    od_integral parts[3];
    a->amplitude = amplitude;
    od_status status = integrate(ctx, a, h, 3, displaced, parts);
    if (status == OD_OK) {
        *out = (od_variations){parts[0], parts[1], parts[2]};
    }
    return status;
}

od_status od_action_residual(od_context *ctx, od_action *a, od_residual *out)
{
    const od_problem *f = a->m->problem;
    double scale = 0;
    *out = (od_residual){0, a->t1, 0};
    const size_t fit = RESIDUAL_NUMBERS / a->d;
    const size_t times = fit < RESIDUAL_TIMES / 10 ? RESIDUAL_TIMES / 10 : fit < RESIDUAL_TIMES ? fit : RESIDUAL_TIMES;
    for (size_t k = 0; k < times; k++) {
        const double t = a->t1 + (a->t2 - a->t1) * ((double)k + 0.5) / (double)times;
        double kinetic[2], potential[2], square = 0, terms[3] = {0, 0, 0};
        if (od_cancelled(ctx)) {
            return od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the residual was evaluated");
        }
        od_status status = od_curve_at(a->curve, t, a->x, a->v, a->h);
        status = status == OD_OK ? f->eval(f, OD_GRADIENT, 1, a->x, NULL, a->g, a->ws) : status;
        if (status != OD_OK) {
            return od_fail(ctx, status, "interval", "the Euler-Lagrange equation could not be evaluated at t = %.9g",
                           t);
        }
        a->m->flow.lagrangian(&a->m->flow, t, kinetic, potential);
        const double force = exp(potential[0] - kinetic[0]);
        for (size_t i = 0; i < a->d; i++) {
            const double left = a->h[i] + kinetic[1] * a->v[i] + force * a->g[i];
            square += left * left;
        }
        if (!isfinite(square)) {
            return od_fail(ctx, OD_EDIVERGED, "interval",
                           "the Euler-Lagrange equation is not finite at t = %.9g; take a shorter interval", t);
        }
        terms[0] = dot(a->d, a->h, a->h);
        terms[1] = kinetic[1] * kinetic[1] * dot(a->d, a->v, a->v);
        terms[2] = force * force * dot(a->d, a->g, a->g);
        scale = fmax(scale, sqrt(terms[0]) + sqrt(terms[1]) + sqrt(terms[2]));
        if (sqrt(square) > out->largest) {
            out->largest = sqrt(square);
            out->at = t;
        }
    }
    out->relative = scale > 0 ? out->largest / scale : 0;
    return OD_OK;
}
