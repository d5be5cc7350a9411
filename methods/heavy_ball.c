/*
 * Heavy ball (Polyak 1964).
 *
 *   flow   x'' + alpha x' + g(x) = 0
 *   map    v+ = v + h (-alpha v - g(x)), x+ = x + h v+: semi-implicit Euler, which is Polyak's
 *          x+ = x + beta (x - x_prev) - eta g(x) with beta = 1 - alpha h, eta = h^2, v_k = (x_k - x_{k-1})/h.
 *          One iteration stands for time h.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "draw.h"
#include "law.h"

#include <math.h>

enum { ALPHA };

static double damping(const double *p, double t)
{
    (void)t;
    return p[ALPHA];
}

/* cos(w s) and sin(w s)/w with w^2 of either sign. */
static void oscillator(double w2, double s, double *c, double *sn)
{
    const double w = sqrt(fabs(w2));
    if (w * s == 0 || w2 == 0) {
        *c = 1;
        *sn = s;
    } else if (w2 > 0) {
        *c = cos(w * s);
        *sn = sin(w * s) / w;
    } else {
        *c = cosh(w * s);
        *sn = sinh(w * s) / w;
    }
}

static bool propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    const double alpha = p[ALPHA], s = t - t0, w2 = lambda - alpha * alpha / 4;
    if (w2 < 0 && lambda >= 0) {
        /* overdamped: two decaying exponentials; cosh would overflow where the solution has long died out */
        const double w = sqrt(-w2), slow = -lambda / (alpha / 2 + w), fast = -(alpha / 2 + w);
        const double e = exp(slow * s),
                     difference = -expm1(-2 * w * s) * e / (2 * w); /* (e^{slow s} - e^{fast s})/2w */
        phi[0] = e - slow * difference;
        phi[1] = difference;
        phi[2] = -lambda * difference;
        phi[3] = e + fast * difference;
        return true;
    }
    double c, sn;
    oscillator(w2, s, &c, &sn);
    const double e = exp(-alpha * s / 2);
    phi[0] = e * (c + alpha / 2 * sn);
    phi[1] = e * sn;
    phi[2] = -e * lambda * sn;
    phi[3] = e * (c - alpha / 2 * sn);
    return true;
}

static void lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[0] = b[0] = p[ALPHA] * t;
    a[1] = b[1] = p[ALPHA];
}

/* alpha and h from the settings; h is NaN if there is no step. */
static od_status read(od_context *ctx, const od_settings *s, double *alpha, double *h)
{
    const bool pair = od_setting_present(s, "learning_rate") || od_setting_present(s, "momentum");
    *alpha = od_setting_real(s, "alpha");
    *h = od_setting_real(s, "step");
    if (!pair) {
        return od_setting_present(s, "alpha") ? OD_OK
                                              : od_setting_fail(ctx, s, "alpha",
                                                                "heavy-ball needs its viscosity alpha (or "
                                                                "learning_rate with momentum)");
    }
    if (!od_setting_present(s, "learning_rate") || !od_setting_present(s, "momentum")) {
        return od_setting_fail(ctx, s, "momentum",
                               "learning_rate and momentum go together; give both or alpha and step");
    }
    if (od_setting_present(s, "alpha") || od_setting_present(s, "step")) {
        return od_setting_fail(ctx, s, "learning_rate",
                               "learning_rate and momentum stand for alpha and step; give one pair, not both");
    }
    *h = sqrt(od_setting_real(s, "learning_rate"));
    *alpha = (1 - od_setting_real(s, "momentum")) / *h;
    return OD_OK;
}

static od_status heavy_ball_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                 od_flow *flow)
{
    (void)face;
    double h;
    od_law law = {.order = 2, .damping = damping, .propagator = propagator, .lagrangian = lagrangian};
    od_status status = read(ctx, s, &law.p[ALPHA], &h);
    return status != OD_OK ? status : od_law_flow(ctx, s, f, &law, h, flow);
}

static od_status polyak(const od_map *map, uint64_t k, size_t n, double *z, const double *dw, const uint32_t *index,
                        double *tau, double *ws)
{
    (void)k;
    const od_draw *draw = map->data;
    const size_t size = draw->f->dim * n;
    const double h = draw->tau, alpha = draw->p[ALPHA];
    double *x = z, *v = z + size, *g = ws;
    od_status status = od_draw_gradient(draw, n, x, dw, index, g, ws + size);
    for (size_t i = 0; i < size; i++) {
        v[i] += h * (-alpha * v[i] - g[i]);
        x[i] += h * v[i];
    }
    for (size_t p = 0; p < n; p++) {
        tau[p] = h;
    }
    return status;
}

static od_status polyak_jvp(const od_map *map, uint64_t k, size_t n, const double *z, size_t m, const double *u,
                            double *ju, double *ws)
{
    (void)k;
    const od_draw *draw = map->data;
    const size_t size = draw->f->dim * n;
    const double h = draw->tau, beta = 1 - draw->p[ALPHA] * h;
    for (size_t j = 0; j < m; j++) {
        const double *ux = u + j * 2 * size, *uv = ux + size;
        double *jx = ju + j * 2 * size, *jv = jx + size;
        od_status status = draw->f->hvp(draw->f, n, z, 1, ux, jv, ws);
        if (status != OD_OK) {
            return status;
        }
        for (size_t i = 0; i < size; i++) {
            jv[i] = beta * uv[i] - h * jv[i];
            jx[i] = ux[i] + h * jv[i];
        }
    }
    return OD_OK;
}

static od_status polyak_vjp(const od_map *map, uint64_t k, size_t n, const double *z, size_t m, const double *u,
                            double *ju, double *ws)
{
    (void)k;
    const od_draw *draw = map->data;
    const size_t size = draw->f->dim * n;
    const double h = draw->tau, beta = 1 - draw->p[ALPHA] * h;
    double *w = ws; /* weight of v+, through itself and through x+ */
    for (size_t j = 0; j < m; j++) {
        const double *ux = u + j * 2 * size, *uv = ux + size;
        double *jx = ju + j * 2 * size, *jv = jx + size;
        for (size_t i = 0; i < size; i++) {
            w[i] = uv[i] + h * ux[i];
        }
        od_status status = draw->f->hvp(draw->f, n, z, 1, w, jx, ws + size);
        if (status != OD_OK) {
            return status;
        }
        for (size_t i = 0; i < size; i++) {
            jx[i] = ux[i] - h * jx[i];
            jv[i] = beta * w[i];
        }
    }
    return OD_OK;
}

static od_status heavy_ball_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                od_map *map)
{
    (void)face;
    double own[OD_DRAW_PARAMS] = {0}, h;
    od_status status = read(ctx, s, &own[ALPHA], &h);
    if (status == OD_OK && isnan(h)) {
        status = od_draw_need_step(ctx, s,
                                   "the h of the semi-implicit step, with momentum 1 - alpha h and learning rate h^2");
    }
    if (status != OD_OK) {
        return status;
    }
    status = od_draw_map(ctx, s, f, h, 2, own, map);
    map->step = polyak;
    map->jvp = f->hvp != NULL ? polyak_jvp : NULL;
    map->vjp = f->hvp != NULL ? polyak_vjp : NULL;
    return status;
}

const od_method_type od_method_heavy_ball = {
    .name = "heavy-ball",
    .summary = "gradient descent with constant viscosity",
    .source = "Polyak (1964), Some methods of speeding up the convergence of iteration methods, eq. (9)",
    .params = (const od_param[]){{.name = "alpha",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "1/time",
                                  .low = 0,
                                  .high = INFINITY,
                                  .meaning = "viscosity of x'' + alpha x' + grad f = 0"},
                                 {.name = "learning_rate",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "time^2",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "eta = step^2, with momentum instead of alpha and step"},
                                 {.name = "momentum",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "",
                                  .low = -1,
                                  .high = 1,
                                  .meaning = "beta = 1 - alpha step, with learning_rate instead of alpha and step"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x'' + alpha x' + grad f(x) = 0"}, {NULL, NULL}},
    .maps = (const od_face[]){{"polyak", "semi-implicit Euler with h = step, which is Polyak's iteration"},
                              {NULL, NULL}},
    .flow = heavy_ball_flow,
    .map = heavy_ball_map,
    .correspondence = "one iteration stands for time step; learning rate step^2, momentum 1 - alpha step",
};
