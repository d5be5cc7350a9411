/* The flow of Adam and RMSprop; see adaptive.h. SPDX-License-Identifier: GPL-3.0-or-later */
#include "adaptive.h"

#include "../src/clones.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>

typedef struct flow_data {
    od_adaptive a;
    od_sigma sigma;
    const od_problem *f;
} flow_data;

static size_t s_block(const flow_data *d)
{
    return d->a.momentum ? 2 : 1;
}

static double decayed(const flow_data *d, double t)
{
    return d->a.decay == 0 ? 1 : pow(1 + t / d->a.step, -d->a.decay);
}

/* At t = 0 the corrected moments are 0/0; their limits are those of a mean over the first gradient alone. */
static bool at_limit(const flow_data *d, double t)
{
    return d->a.corrected && t == 0;
}

static void corrections(const flow_data *d, double t, double correction[2])
{
    const bool corrected = d->a.corrected && t != 0;
    correction[0] = corrected && d->a.momentum ? -expm1(-d->a.rate[0] * t) : 1;
    correction[1] = corrected ? -expm1(-d->a.rate[1] * t) : 1;
}

/* out = c (g^2 - s) */
OD_CLONES static void approach_squares(size_t size, double c, const double *restrict g, const double *restrict s,
                                       double *restrict out)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = c * (g[i] * g[i] - s[i]);
    }
}

OD_CLONES static void approach(size_t size, double c, const double *restrict g, const double *restrict m,
                               double *restrict out)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = c * (g[i] - m[i]);
    }
}

OD_CLONES static void square(size_t size, double c, const double *restrict g, double *restrict out)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = c * (g[i] * g[i]);
    }
}

/* E g^2, the square that the mean of squares approaches. */
static void mean_square(const flow_data *d, size_t n, const double *g, double *out)
{
    square(d->f->dim * n, 1, g, out);
    od_adaptive_add_variance(&d->sigma, d->a.step, 1, n, out);
}

static od_status adaptive_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    const flow_data *d = flow->data;
    const size_t size = d->f->dim * n, at = s_block(d) * size;
    double *g = ws, *seen = ws + size, correction[2];
    od_status status = d->f->eval(d->f, OD_GRADIENT, n, z, NULL, g, ws + 2 * size);
    if (d->a.momentum) {
        approach(size, d->a.rate[0], g, z + size, dz + size);
    }
    approach_squares(size, d->a.rate[1], g, z + at, dz + at);
    od_adaptive_add_variance(&d->sigma, d->a.step, d->a.rate[1], n, dz + at);
    corrections(d, t, correction);
    const double *m = d->a.momentum ? z + size : g, *s = z + at;
    if (at_limit(d, t)) {
        mean_square(d, n, g, seen);
        m = g;
        s = seen;
    }
    od_adaptive_direction(&d->a, size, -decayed(d, t), correction, m, s, dz);
    return status;
}

/* At the limit m^ = g and s^ = E g^2, and both move with x alone. */
static od_status adaptive_jvp(const od_flow *flow, double t, size_t n, const double *z, size_t count, const double *u,
                              double *ju, double *ws)
{
    const flow_data *d = flow->data;
    const size_t size = d->f->dim * n, at = s_block(d) * size, whole = flow->dim * n;
    double *g = ws, *seen = ws + size, *by_m = ws + 2 * size, *by_s = ws + 3 * size, *hu = ws + 4 * size;
    double *rest = ws + 5 * size, correction[2];
    const bool limit = at_limit(d, t), of_g = limit || !d->a.momentum;
    od_status status = d->f->eval(d->f, OD_GRADIENT, n, z, NULL, g, rest);
    mean_square(d, n, g, seen);
    corrections(d, t, correction);
    od_adaptive_slopes(&d->a, size, -decayed(d, t), correction, of_g ? g : z + size, limit ? seen : z + at, by_m, by_s);
    for (size_t j = 0; j < count && status == OD_OK; j++) {
        const double *ux = u + j * whole, *um = ux + size, *us = ux + at;
        double *jx = ju + j * whole, *jm = jx + size, *js = jx + at;
        status = d->f->hvp(d->f, n, z, 1, ux, hu, rest);
        for (size_t i = 0; i < size; i++) {
            const double of_square = 2 * g[i] * hu[i];
            jx[i] = by_m[i] * (of_g ? hu[i] : um[i]) + by_s[i] * (limit ? of_square : us[i]);
            if (d->a.momentum) {
                jm[i] = d->a.rate[0] * (hu[i] - um[i]);
            }
            js[i] = d->a.rate[1] * (of_square - us[i]);
        }
    }
    return status;
}

/* Beside g: in m' where there is one, else in x', where the divisor is the state's. */
static od_status adaptive_noise(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                                double *ws)
{
    const flow_data *d = flow->data;
    const size_t size = d->f->dim * n;
    double *moved = ws, *g = ws + size, *seen = ws + 2 * size, correction[2];
    if (d->a.momentum) {
        return od_sigma_apply(&d->sigma, d->a.rate[0], n, z, dw, out, ws);
    }
    od_status status = od_sigma_apply(&d->sigma, 1, n, z, dw, moved, ws + size);
    const double *s = z + s_block(d) * size;
    if (status == OD_OK && at_limit(d, t)) {
        status = d->f->eval(d->f, OD_GRADIENT, n, z, NULL, g, ws + 3 * size);
        mean_square(d, n, g, seen);
        s = seen;
    }
    corrections(d, t, correction);
    od_adaptive_direction(&d->a, size, -decayed(d, t), correction, moved, s, out);
    return status;
}

/* The moments at which m^ = g and s^ = E g^2. */
static od_status adaptive_rest(const od_flow *flow, double t0, size_t n, double *z, double *ws)
{
    const flow_data *d = flow->data;
    const size_t size = d->f->dim * n, at = s_block(d) * size;
    double *g = ws;
    const double of_m = d->a.corrected ? -expm1(-d->a.rate[0] * t0) : 1;
    const double of_s = d->a.corrected ? -expm1(-d->a.rate[1] * t0) : 1;
    od_status status = d->f->eval(d->f, OD_GRADIENT, n, z, NULL, g, ws + size);
    for (size_t i = 0; i < size && d->a.momentum; i++) {
        z[size + i] = of_m * g[i] + 0.0; /* no -0 */
    }
    square(size, of_s, g, z + at);
    od_adaptive_add_variance(&d->sigma, d->a.step, of_s, n, z + at);
    return status;
}

/* Where s is 0 and what it divides is not, x' is so large that no step of a scheme is short enough. */
static const char *adaptive_refuse(const od_flow *flow, const double *z, size_t *component, double *ws)
{
    enum { STEEP = 1000 };
    const flow_data *d = flow->data;
    const size_t dim = d->f->dim;
    const double *s = z + s_block(d) * dim, *m = d->a.momentum ? z + dim : ws;
    const double root = d->a.inside ? sqrt(d->a.eps) : d->a.eps;
    *component = s_block(d) * dim + od_adaptive_negative(dim, s);
    if (*component < flow->dim) {
        return od_adaptive_negative_words;
    }
    if (d->a.corrected || d->f->eval(d->f, OD_GRADIENT, 1, z, NULL, ws, ws + dim) != OD_OK) {
        return NULL;
    }
    for (size_t i = 0; i < dim; i++) {
        if (s[i] == 0 && fabs(m[i]) > STEEP * root) {
            *component = s_block(d) * dim + i;
            return "from s = 0 the flow's x' is the gradient over eps, too steep for any step; leave start.s out (it "
                   "is "
                   "then the square of the gradient), give a number > 0 or a larger method.eps";
        }
    }
    return NULL;
}

static void adaptive_metric(const od_flow *flow, double t, const double *z, double *scale)
{
    const flow_data *d = flow->data;
    double correction[2];
    corrections(d, t, correction);
    od_adaptive_metric(&d->a, d->f->dim, correction, z + s_block(d) * d->f->dim, scale);
    for (size_t i = 0; i < d->f->dim && at_limit(d, t); i++) {
        scale[i] = NAN; /* s is still empty */
    }
}

static od_status check_noise(od_context *ctx, const od_settings *s, const od_adaptive *a, const od_sigma *sigma)
{
    if (sigma->kind == OD_SIGMA_COVARIANCE) {
        return od_setting_fail(ctx, s, "noise",
                               "gradient-covariance does not give the flow the variance of each component, which its "
                               "mean of squares needs; give a number or a matrix, or run the iteration alone");
    }
    return sigma->kind == OD_SIGMA_NONE || !isnan(a->step)
               ? OD_OK
               : od_draw_need_step(ctx, s, "its mean of squares holds the variance noise^2/step of the gradients seen");
}

od_status od_adaptive_flow(od_context *ctx, const od_settings *s, const od_problem *f, const od_adaptive *a,
                           od_flow *flow)
{
    od_sigma sigma;
    od_status status = od_sigma_read(ctx, s, f, a->step, &sigma);
    status = status == OD_OK ? check_noise(ctx, s, a, &sigma) : status;
    if (status != OD_OK) {
        return status;
    }
    flow_data *d = od_zalloc(1, sizeof *d);
    if (d == NULL) {
        return od_fail(ctx, OD_ENOMEM, "method", "no memory for the flow");
    }
    *d = (flow_data){.a = *a, .sigma = sigma, .f = f};
    flow->block[flow->block_count++] = (od_block){"x", f->dim};
    if (a->momentum) {
        flow->block[flow->block_count++] = (od_block){"m", f->dim};
    }
    flow->block[flow->block_count++] = (od_block){"s", f->dim};
    flow->dim = flow->block_count * f->dim;
    flow->scratch = (od_scratch){f->scratch.fixed, f->scratch.per_point + 5 * f->dim};
    flow->drift = adaptive_drift;
    flow->jvp = f->hvp != NULL ? adaptive_jvp : NULL;
    if (sigma.kind != OD_SIGMA_NONE) {
        flow->noise.shape = a->momentum                     ? OD_NOISE_ADDITIVE
                            : sigma.kind == OD_SIGMA_NUMBER ? OD_NOISE_DIAGONAL
                                                            : OD_NOISE_FULL;
        flow->noise.dim = sigma.dim;
        flow->noise.block = a->momentum ? 1 : 0;
        flow->noise.commutes = true; /* the coefficient depends on s, which has no noise of its own */
        flow->noise.apply = adaptive_noise;
    }
    flow->exact_missing = "none is known: the step is divided by a mean of the path's own gradients";
    flow->singular = a->corrected;
    flow->graded = a->corrected ? 1 / fmax(a->momentum ? a->rate[0] : 0, a->rate[1]) : 0;
    flow->rest = a->corrected || a->settled ? adaptive_rest : NULL;
    flow->refuse = adaptive_refuse;
    flow->metric = adaptive_metric;
    flow->problem = f;
    flow->data = d;
    flow->free = free;
    return OD_OK;
}
