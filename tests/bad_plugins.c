/*
 * Plug-ins with one mistake each, chosen by -DBAD=number; tests/plugin_test.py builds them and reads the sentences. The
 * rest is right: f = |x|^2/2 in two dimensions, and gradient descent on it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <optdyn.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if BAD == 1
const od_abi od_plugin_abi = {OD_ABI + 1, 0, 0, 0, 0, 0, 0, 0};
#elif BAD == 2
const od_abi od_plugin_abi = {OD_ABI, sizeof(od_param), 0, 0, 0, 0, 0, 0};
#elif BAD != 3
OD_PLUGIN;
#endif

#if BAD == 5
extern double there_is_no_such_function(double x);
#endif

static od_status evaluate(const od_problem *q, unsigned want, size_t n, const double *x, double *f, double *g,
                          double *ws)
{
#if BAD == 10
    ws[0] = ws[1] = 0;
#endif
    (void)ws;
    const size_t d = q->dim;
    if ((want & OD_VALUE) != 0) {
        memset(f, 0, n * sizeof *f);
    }
    for (size_t p = 0; p < n; p++) {
        for (size_t i = 0; i < d; i++) {
            const double y = x[i * n + p];
            if ((want & OD_VALUE) != 0) {
                f[p] += y * y / 2;
            }
            if ((want & OD_GRADIENT) != 0) {
#if BAD == 11
                g[p * d + i] = x[p * d + i] + (double)p;
#elif BAD == 12
                g[i * n + p] = i + 1 < d ? y : g[i * n + p];
#else
                g[i * n + p] = y;
#endif
            }
        }
    }
#if BAD == 13
    if ((want & OD_GRADIENT) != 0) {
        memset(g + d * n, 0, n * sizeof *g);
    }
#elif BAD == 14
    return x[0] == 0.25 ? OD_EUSER : OD_OK; /* where the experiment starts */
#elif BAD == 15
    if ((want & OD_GRADIENT) != 0 && x[0] < 0.1) {
        g[0] = NAN;
    }
#elif BAD == 5
    f[0] = there_is_no_such_function(f[0]);
#endif
    return OD_OK;
}

static od_status create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    (void)s;
#if BAD == 6
    return OD_EUSER;
#elif BAD == 7
    return od_fail(ctx, OD_EUSER, "problem.file", "the moon is in the wrong quarter");
#endif
    (void)ctx;
    problem->dim = BAD == 8 ? 0 : 2;
    problem->eval = BAD == 9 ? NULL : evaluate;
    problem->scratch = (od_scratch){0, 1};
    return OD_OK;
}

static od_status drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)t;
    od_status status = flow->problem->eval(flow->problem, OD_GRADIENT, n, z, NULL, dz, ws);
    for (size_t k = 0; k < 2 * n; k++) {
        dz[k] = -dz[k];
    }
    return status;
}

static od_status make_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_flow *flow)
{
    (void)ctx;
    (void)s;
    (void)face;
    flow->block_count = 1;
    flow->block[0] = (od_block){BAD == 20 ? "y" : "x", BAD == 21 ? 3 : 2};
    flow->dim = BAD == 21 || BAD == 22 ? 3 : 2;
    flow->scratch = f->scratch;
    flow->drift = BAD == 23 ? NULL : drift;
    flow->problem = f;
    return OD_OK;
}

static const od_param params[] = {
    {.name = BAD == 16 ? "file" : "number", .kind = OD_REAL, .fallback = "1", .low = 0, .high = 2, .meaning = "any"},
#if BAD == 17
    {.name = "other", .kind = OD_REAL, .fallback = "1"},
#endif
    {.name = NULL},
};

#if BAD != 4 && BAD < 19
const od_problem_type od_plugin_problem = {
    .name = BAD == 18 ? NULL : "ball",
    .summary = "half the square of the distance from the origin",
    .source = "textbook",
    .params = params,
    .create = create,
};
#elif BAD != 4
const od_method_type od_plugin_method = {
    .name = "descent",
    .summary = "gradient flow",
    .source = "Cauchy (1847)",
    .params = params,
    .flows = (const od_face[]){{"flow", "x' = -grad f(x)"}, {NULL, NULL}},
    .flow = BAD == 24 ? NULL : make_flow,
};
#endif
