/*
 * Differences are of fourth order, (f(-2h) - 8 f(-h) + 8 f(h) - f(2h))/(12h), along random unit directions, for a
 * ladder of steps h of which the best counts: a right derivative is met at some step, a wrong one at none. What
 * rounding of the values can explain, 32 eps |f|/h, is no error.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "derivative_check.h"

#include "lanczos.h"
#include "memory.h"
#include "parts.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 4, STEPS = 4, MOST_DIRECTIONS = 8, MOST_COVARIANCE = 4096 };

static const double node[NODES] = {-2, -1, 1, 2}, weight[NODES] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
static const double step[STEPS] = {1e-2, 1e-3, 1e-4, 1e-5};

/* Differences leave about 1e-10; 1e-6 is far from that and from any mistake. Sums in another order leave 1e-14. */
static const double difference_tolerance = 1e-6, sum_tolerance = 1e-10;

typedef struct checker {
    const od_problem *problem;
    uint64_t seed;
    size_t d;
    double *x, *u, *g, *hu; /* [d] */
    double *near, *g_near;  /* [d*NODES], p fast */
    double *ws;             /* for NODES points */
    uint32_t *index;        /* [samples] */
    double *weights;        /* [samples] */
    double *covariant;      /* [d] */
    double *out, *along;    /* [outputs*samples*NODES], p fast, and [outputs*samples] */
} checker;

static void clear(checker *c)
{
    free(c->x);
    free(c->u);
    free(c->g);
    free(c->hu);
    free(c->near);
    free(c->g_near);
    free(c->ws);
    free(c->index);
    free(c->weights);
    free(c->covariant);
    free(c->out);
    free(c->along);
}

static od_status open_checker(od_context *ctx, const od_problem *problem, uint64_t seed, checker *c)
{
    const size_t d = problem->dim;
    *c = (checker){.problem = problem, .seed = seed, .d = d};
    c->x = od_zalloc(d, sizeof(double));
    c->u = od_zalloc(d, sizeof(double));
    c->g = od_zalloc(d, sizeof(double));
    c->hu = od_zalloc(d, sizeof(double));
    c->near = od_zalloc(d * NODES, sizeof(double));
    c->g_near = od_zalloc(d * NODES, sizeof(double));
    c->ws = od_zalloc(od_scratch_size(&problem->scratch, NODES), sizeof(double));
    c->index = od_zalloc(problem->samples, sizeof *c->index);
    c->weights = od_zalloc(problem->samples, sizeof(double));
    const size_t outputs = problem->outputs * problem->samples;
    c->covariant = od_zalloc(d, sizeof(double));
    c->out = od_zalloc(outputs * NODES, sizeof(double));
    c->along = od_zalloc(outputs, sizeof(double));
    const bool ok = c->covariant != NULL && c->out != NULL && c->along != NULL && c->x != NULL && c->u != NULL &&
                    c->g != NULL && c->hu != NULL && c->near != NULL && c->g_near != NULL && c->ws != NULL &&
                    c->index != NULL && c->weights != NULL;
    return ok ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory to check a problem of %zu dimensions", d);
}

static double norm(size_t d, const double *v)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += v[i] * v[i];
    }
    return sqrt(sum);
}

/* What is left of a difference after `noise`, relative to `scale`; anything that is not finite counts as infinite. */
static double relative(double difference, double noise, double scale)
{
    const double left = difference - noise;
    if (!isfinite(difference) || !isfinite(noise) || !isfinite(scale)) {
        return INFINITY;
    }
    return left <= 0 ? 0 : left / fmax(scale, DBL_MIN);
}

static void worse(od_derivative_error *e, double error)
{
    e->error = isnan(e->error) || error > e->error ? error : e->error;
}

static void judge(od_derivative_error *e, double tolerance)
{
    e->tolerance = tolerance;
    e->passed = isnan(e->error) || e->error <= tolerance;
}

static void draw_point(checker *c, size_t k)
{
    const double spread = ldexp(1, -(int)(k % 4));
    for (size_t i = 0; i < c->d; i++) {
        c->x[i] = spread * od_normal(c->seed, OD_STREAM_CHECK, k, i, 0);
    }
}

static void draw_direction(checker *c, size_t k, size_t j)
{
    for (size_t i = 0; i < c->d; i++) {
        c->u[i] = od_normal(c->seed, OD_STREAM_CHECK, k, i, j + 1);
    }
    const double size = norm(c->d, c->u);
    for (size_t i = 0; i < c->d; i++) {
        c->u[i] /= size;
    }
}

/* The four points x + node h u as one batch. */
static void draw_near(checker *c, double h)
{
    for (size_t i = 0; i < c->d; i++) {
        for (size_t k = 0; k < NODES; k++) {
            c->near[i * NODES + k] = c->x[i] + node[k] * h * c->u[i];
        }
    }
}

/* Error of <g, u>; small components along u are judged by the size a random direction sees. */
static od_status check_gradient(checker *c, double *best)
{
    double slope = 0;
    for (size_t i = 0; i < c->d; i++) {
        slope += c->g[i] * c->u[i];
    }
    const double scale = fmax(fabs(slope), norm(c->d, c->g) / sqrt((double)c->d));
    *best = INFINITY;
    for (size_t s = 0; s < STEPS; s++) {
        double f[NODES], difference = 0, size = 0;
        draw_near(c, step[s]);
        od_status status = c->problem->eval(c->problem, OD_VALUE, NODES, c->near, f, NULL, c->ws);
        if (status != OD_OK) {
            return status;
        }
        for (size_t k = 0; k < NODES; k++) {
            difference += weight[k] * f[k] / step[s];
            size = fmax(size, fabs(f[k]));
        }
        *best = fmin(*best, relative(fabs(difference - slope), 32 * DBL_EPSILON * size / step[s], scale));
    }
    return OD_OK;
}

static od_status check_hessian(checker *c, double *best)
{
    od_status status = c->problem->hvp(c->problem, 1, c->x, 1, c->u, c->hu, c->ws);
    const double scale = norm(c->d, c->hu);
    *best = INFINITY;
    for (size_t s = 0; s < STEPS && status == OD_OK; s++) {
        double square = 0, size = 0;
        draw_near(c, step[s]);
        status = c->problem->eval(c->problem, OD_GRADIENT, NODES, c->near, NULL, c->g_near, c->ws);
        for (size_t i = 0; i < c->d; i++) {
            double difference = -c->hu[i];
            for (size_t k = 0; k < NODES; k++) {
                difference += weight[k] * c->g_near[i * NODES + k] / step[s];
                size = fmax(size, fabs(c->g_near[i * NODES + k]));
            }
            square += difference * difference;
        }
        const double noise = 32 * DBL_EPSILON * size * sqrt((double)c->d) / step[s];
        *best = fmin(*best, relative(sqrt(square), noise, scale));
    }
    return status;
}

/* All samples once, as one mini-batch, give the whole sum. Expects g at x. */
static od_status check_samples(checker *c, od_derivative_error *e)
{
    const od_problem *problem = c->problem;
    double whole, mean, square = 0;
    od_status status = problem->eval(problem, OD_VALUE, 1, c->x, &whole, NULL, c->ws);
    for (size_t i = 0; i < problem->samples; i++) {
        c->index[i] = (uint32_t)i;
    }
    if (status == OD_OK) {
        status = problem->eval_samples(problem, OD_VALUE | OD_GRADIENT, 1, c->x, problem->samples, c->index, &mean,
                                       c->hu, c->ws);
    }
    for (size_t i = 0; i < c->d; i++) {
        square += (c->hu[i] - c->g[i]) * (c->hu[i] - c->g[i]);
    }
    worse(e, relative(fabs(mean - whole), 0, fabs(whole)));
    worse(e, relative(sqrt(square), 0, norm(c->d, c->g)));
    return status;
}

/* Equal weights give nothing; a single weight gives that sample's share. Expects g at x. */
static od_status check_weighted(checker *c, size_t k, od_derivative_error *e)
{
    const od_problem *problem = c->problem;
    const size_t samples = problem->samples;
    const uint32_t one = od_index(c->seed, OD_STREAM_CHECK, k, 0, 0, (uint32_t)samples);
    double *sample = c->u, *out = c->hu, share = 0, square = 0;
    for (size_t i = 0; i < samples; i++) {
        c->weights[i] = 1;
    }
    od_status status = problem->weighted_gradients(problem, 1, c->x, c->weights, out, c->ws);
    worse(e, relative(norm(c->d, out), 0, norm(c->d, c->g)));
    memset(c->weights, 0, samples * sizeof *c->weights);
    c->weights[one] = 2.385;
    if (status == OD_OK) {
        status = problem->eval_samples(problem, OD_GRADIENT, 1, c->x, 1, &one, NULL, sample, c->ws);
    }
    if (status == OD_OK) {
        status = problem->weighted_gradients(problem, 1, c->x, c->weights, out, c->ws);
    }
    for (size_t i = 0; i < c->d; i++) {
        const double want = 2.385 * (sample[i] - c->g[i]) / (double)samples;
        share += want * want;
        square += (out[i] - want) * (out[i] - want);
    }
    worse(e, relative(sqrt(square), 0, fmax(sqrt(share), norm(c->d, c->g) / (double)samples)));
    return status;
}

/* By the definition, one sample after the other. Expects g at x. */
static od_status check_covariance(checker *c, od_derivative_error *e)
{
    const od_problem *problem = c->problem;
    double *product = c->near, *want = c->g_near, *sample = c->hu, size = 0, square = 0;
    od_status status = problem->covariance(problem, 1, c->x, 1, c->u, product, c->ws);
    memset(want, 0, c->d * sizeof *want);
    for (uint32_t s = 0; s < problem->samples && status == OD_OK; s++) {
        double slope = 0;
        status = problem->eval_samples(problem, OD_GRADIENT, 1, c->x, 1, &s, NULL, sample, c->ws);
        for (size_t i = 0; i < c->d; i++) {
            slope += (sample[i] - c->g[i]) * c->u[i] / (double)problem->samples;
        }
        for (size_t i = 0; i < c->d; i++) {
            want[i] += slope * (sample[i] - c->g[i]);
        }
    }
    for (size_t i = 0; i < c->d; i++) {
        size += want[i] * want[i];
        square += (product[i] - want[i]) * (product[i] - want[i]);
    }
    worse(e, relative(sqrt(square), 0, sqrt(size)));
    return status;
}

/* J u against differences of the outputs; then <v, J u> = <J' v, u> for v = J u, which is no multiple of anything. */
static od_status check_outputs(checker *c, od_derivative_error *e)
{
    const od_problem *problem = c->problem;
    const size_t count = problem->outputs * problem->samples;
    double best = INFINITY, size = 0, back = 0;
    od_status status = problem->predict_jvp(problem, 1, c->x, c->u, c->along, c->ws);
    for (size_t i = 0; i < count; i++) {
        size += c->along[i] * c->along[i];
    }
    for (size_t s = 0; s < STEPS && status == OD_OK; s++) {
        double square = 0, largest = 0;
        draw_near(c, step[s]);
        status = problem->predict(problem, NODES, c->near, c->out, c->ws);
        for (size_t i = 0; i < count; i++) {
            double difference = -c->along[i];
            for (size_t k = 0; k < NODES; k++) {
                difference += weight[k] * c->out[i * NODES + k] / step[s];
                largest = fmax(largest, fabs(c->out[i * NODES + k]));
            }
            square += difference * difference;
        }
        const double noise = 32 * DBL_EPSILON * largest * sqrt((double)count) / step[s];
        best = fmin(best, relative(sqrt(square), noise, sqrt(size)));
    }
    worse(e, best);
    status = status == OD_OK ? problem->predict_vjp(problem, 1, c->x, c->along, c->hu, c->ws) : status;
    for (size_t i = 0; i < c->d; i++) {
        back += c->hu[i] * c->u[i];
    }
    worse(e, relative(fabs(back - size), 0, size));
    return status;
}

/* Curvatures at x must lie within the constants the problem states. */
static od_status check_constants(od_context *ctx, checker *c, od_derivative_report *r)
{
    const double high = c->problem->lipschitz.value, low = c->problem->convexity.value;
    od_extremes e;
    od_status status = od_lanczos_extremes(ctx, c->problem, c->x, &e);
    if (status != OD_OK) {
        return status;
    }
    r->curvature_low = isnan(r->curvature_low) ? e.low : fmin(r->curvature_low, e.low);
    r->curvature_high = isnan(r->curvature_high) ? e.high : fmax(r->curvature_high, e.high);
    const double scale = isfinite(high) ? high : fmax(fabs(e.low), fabs(e.high));
    if (isfinite(high)) { /* L bounds the modulus: a saddle's negative curvature too */
        worse(&r->constants, relative(fmax(e.high, -e.low) - high, 0, scale));
    }
    if (isfinite(low)) {
        worse(&r->constants, relative(low - e.low, 0, scale));
    }
    return OD_OK;
}

static od_status check_point(od_context *ctx, checker *c, size_t k, od_derivative_report *r)
{
    const od_problem *problem = c->problem;
    double error;
    draw_point(c, k);
    od_status status = problem->eval(problem, OD_GRADIENT, 1, c->x, NULL, c->g, c->ws);
    for (size_t j = 0; j < r->directions && status == OD_OK; j++) {
        draw_direction(c, k, j);
        status = check_gradient(c, &error);
        worse(&r->gradient, error);
        if (status == OD_OK && problem->hvp != NULL) {
            status = check_hessian(c, &error);
            worse(&r->hessian, error);
        }
    }
    if (status == OD_OK && problem->eval_samples != NULL) {
        status = check_samples(c, &r->samples);
    }
    if (status == OD_OK && problem->weighted_gradients != NULL && problem->eval_samples != NULL) {
        status = check_weighted(c, k, &r->weighted);
    }
    draw_direction(c, k, 0);
    if (status == OD_OK && problem->covariance != NULL && k == 0 && problem->samples <= MOST_COVARIANCE) {
        status = check_covariance(c, &r->covariance);
    }
    if (status == OD_OK && problem->predict != NULL) {
        status = check_outputs(c, &r->outputs);
    }
    if (status != OD_OK) {
        return od_fail(ctx, status, NULL, "'%s' could not be evaluated at a random point (%s)", problem->name,
                       od_problem_trouble(problem, status));
    }
    return problem->hvp != NULL ? check_constants(ctx, c, r) : OD_OK;
}

od_status od_derivative_check(od_context *ctx, const od_problem *problem, uint64_t seed, size_t points,
                              od_derivative_report *report)
{
    const od_derivative_error none = {.error = NAN};
    *report = (od_derivative_report){.points = points,
                                     .directions = problem->dim < MOST_DIRECTIONS ? problem->dim : MOST_DIRECTIONS,
                                     .gradient = none,
                                     .hessian = none,
                                     .samples = none,
                                     .weighted = none,
                                     .covariance = none,
                                     .outputs = none,
                                     .constants = none,
                                     .curvature_low = NAN,
                                     .curvature_high = NAN};
    checker c;
    od_status status = open_checker(ctx, problem, seed, &c);
    for (size_t k = 0; k < points && status == OD_OK; k++) {
        status = od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted at point %zu of %zu", k, points)
                                   : check_point(ctx, &c, k, report);
    }
    clear(&c);
    judge(&report->gradient, difference_tolerance);
    judge(&report->hessian, difference_tolerance);
    judge(&report->samples, sum_tolerance);
    judge(&report->weighted, sum_tolerance);
    judge(&report->covariance, sum_tolerance);
    judge(&report->outputs, difference_tolerance);
    judge(&report->constants, sum_tolerance);
    report->passed = status == OD_OK && report->gradient.passed && report->hessian.passed && report->samples.passed &&
                     report->weighted.passed && report->covariance.passed && report->outputs.passed &&
                     report->constants.passed;
    return status;
}
