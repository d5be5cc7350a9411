/*
 * A method as a plug-in, with both faces: friction by a field with a limit of speed,
 *
 *     flow   x' = v/sqrt(1 + delta |v|^2),  v' = -gamma v - grad f(x)
 *     map    v+ = e^(-gamma h) v - h grad f(x),  x+ = x + h v+/sqrt(1 + delta |v+|^2)
 *
 * One iteration stands for the time h. For delta = 0 the flow is that of the heavy ball.
 *
 * Source: G. Franca, J. Sulam, D. P. Robinson and R. Vidal, Conformal symplectic and relativistic optimization,
 * J. Stat. Mech. (2020) 124008: the relativistic dissipative system, its momentum here called v.
 *
 *     cc -O2 -shared -fPIC -o relativistic.so method.c $(pkg-config --cflags optdyn)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <optdyn.h>

#include <math.h>
#include <stdlib.h>

OD_PLUGIN;

typedef struct relativistic {
    double gamma, delta, h;
} relativistic;

/* speed[p] = 1/sqrt(1 + delta |v|^2) */
static void slow_down(const relativistic *r, size_t d, size_t n, const double *v, double *speed)
{
    for (size_t p = 0; p < n; p++) {
        speed[p] = 0;
    }
    for (size_t k = 0; k < d * n; k++) {
        speed[k % n] += v[k] * v[k];
    }
    for (size_t p = 0; p < n; p++) {
        speed[p] = 1 / sqrt(1 + r->delta * speed[p]);
    }
}

/* Scratch: n speeds, then what the gradient needs. */
static od_status drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    const relativistic *r = flow->data;
    const size_t d = flow->problem->dim;
    const double *v = z + d * n;
    double *dv = dz + d * n;
    (void)t;
    od_status status = flow->problem->eval(flow->problem, OD_GRADIENT, n, z, NULL, dv, ws + n);
    slow_down(r, d, n, v, ws);
    for (size_t k = 0; k < d * n; k++) {
        dz[k] = ws[k % n] * v[k];
        dv[k] = -r->gamma * v[k] - dv[k];
    }
    return status;
}

/* Scratch: the gradient, n speeds, then what the gradient needs. */
static od_status step(const od_map *map, uint64_t k, size_t n, double *z, const double *dw, const uint32_t *index,
                      double *tau, double *ws)
{
    const relativistic *r = map->data;
    const size_t d = map->problem->dim;
    double *v = z + d * n, *g = ws, *speed = ws + d * n;
    (void)k;
    (void)dw;
    (void)index;
    od_status status = map->problem->eval(map->problem, OD_GRADIENT, n, z, NULL, g, speed + n);
    for (size_t i = 0; i < d * n; i++) {
        v[i] = exp(-r->gamma * r->h) * v[i] - r->h * g[i];
    }
    slow_down(r, d, n, v, speed);
    for (size_t i = 0; i < d * n; i++) {
        z[i] += r->h * speed[i % n] * v[i];
    }
    for (size_t p = 0; p < n; p++) {
        tau[p] = r->h;
    }
    return status;
}

static relativistic *settings_of(od_context *ctx, const od_settings *s)
{
    relativistic *r = malloc(sizeof *r);
    if (r == NULL) {
        od_fail(ctx, OD_ENOMEM, "method", "no memory for a method");
        return NULL;
    }
    *r = (relativistic){od_setting_real(s, "gamma"), od_setting_real(s, "delta"), od_setting_real(s, "step")};
    return r;
}

static od_status make_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_flow *flow)
{
    relativistic *r = settings_of(ctx, s);
    (void)face;
    if (r == NULL) {
        return OD_ENOMEM;
    }
    flow->block_count = 2;
    flow->block[0] = (od_block){"x", f->dim};
    flow->block[1] = (od_block){"v", f->dim};
    flow->dim = 2 * f->dim;
    flow->scratch = (od_scratch){f->scratch.fixed, f->scratch.per_point + 1};
    flow->drift = drift;
    flow->exact_missing = "no closed form is known";
    flow->problem = f;
    flow->data = r;
    flow->free = free;
    return OD_OK;
}

static od_status make_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map)
{
    if (!od_setting_present(s, "step")) {
        return od_setting_fail(ctx, s, "step", "this entry is needed: the time of an iteration");
    }
    relativistic *r = settings_of(ctx, s);
    (void)face;
    if (r == NULL) {
        return OD_ENOMEM;
    }
    map->block_count = 2;
    map->block[0] = (od_block){"x", f->dim};
    map->block[1] = (od_block){"v", f->dim};
    map->dim = 2 * f->dim;
    map->scratch = (od_scratch){f->scratch.fixed, f->scratch.per_point + f->dim + 1};
    map->tau = r->h;
    map->step = step;
    map->problem = f;
    map->data = r;
    map->free = free;
    return OD_OK;
}

const od_method_type od_plugin_method = {
    .name = "relativistic",
    .summary = "friction with a limit of speed: x' = v/sqrt(1 + delta |v|^2), v' = -gamma v - grad f",
    .source = "G. Franca, J. Sulam, D. P. Robinson and R. Vidal, J. Stat. Mech. (2020) 124008",
    .params = (const od_param[]){{.name = "gamma",
                                  .kind = OD_REAL,
                                  .fallback = "1",
                                  .unit = "1/time",
                                  .low = 0,
                                  .high = INFINITY,
                                  .meaning = "friction"},
                                 {.name = "delta",
                                  .kind = OD_REAL,
                                  .fallback = "1",
                                  .unit = "1/speed^2",
                                  .low = 0,
                                  .high = INFINITY,
                                  .meaning = "inverse square of the largest speed"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x' = v/sqrt(1 + delta |v|^2), v' = -gamma v - grad f(x)"}, {NULL, NULL}},
    .maps = (const od_face[]){{"semi-implicit", "v first, then x with the new v"}, {NULL, NULL}},
    .flow = make_flow,
    .map = make_map,
    .correspondence = "one iteration stands for time step",
};
