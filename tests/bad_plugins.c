/*
 * Plug-ins with one mistake each, chosen by -DBAD=number; tests/plugin_test.py builds them and reads the sentences. The
 * rest is right: f = |x|^2/2 in two dimensions, and gradient descent on it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <optdyn.h>

#include <math.h>
#include <signal.h>
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

#if BAD == 19
/* Nothing unloads a plug-in, so this is called while the program ends, after everything is freed. */
__attribute__((destructor)) static void interrupt(void)
{
    raise(SIGTERM);
}
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
    problem->samples = BAD == 36 ? 5 : 0;
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

static od_status no_noise(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                          double *ws)
{
    (void)flow, (void)t, (void)z, (void)dw, (void)ws;
    memset(out, 0, 2 * n * sizeof *out);
    return OD_OK;
}

static od_status make_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_flow *flow)
{
    (void)ctx;
    (void)s;
    (void)face;
    flow->block_count = BAD == 48 ? 0 : BAD == 25 || BAD == 26 ? 2 : BAD == 51 ? OD_MAX_BLOCKS + 1 : 1;
    flow->block[0] = (od_block){BAD == 20   ? "y"
                                : BAD == 49 ? NULL
                                : BAD == 50 ? ""
                                            : "x",
                                BAD == 21   ? 3
                                : BAD == 52 ? 0
                                            : 2};
    flow->block[1] = (od_block){BAD == 25 ? "\" . system(\"touch canary\") . \"" : "x,`touch canary`\n", 1};
    flow->dim = BAD == 21 || BAD == 22 || BAD == 25 || BAD == 26 ? 3 : 2;
    flow->noise.dim = (BAD >= 44 && BAD <= 46) || BAD == 57 ? 2 : 0;
    flow->noise.shape = BAD == 45 || BAD == 46 || BAD == 47 || BAD == 57 ? OD_NOISE_ADDITIVE : OD_NOISE_NONE;
    flow->noise.apply = BAD == 46 || BAD == 57 ? no_noise : NULL;
    flow->noise.block = BAD == 46 ? 1 : 0;
    flow->scratch = f->scratch;
    flow->drift = BAD == 23 ? NULL : drift;
    flow->problem = f;
    return OD_OK;
}

static od_status step(const od_map *map, uint64_t k, size_t n, double *z, const double *dw, const uint32_t *index,
                      double *tau, double *ws)
{
    (void)map, (void)k, (void)dw, (void)index, (void)ws;
    for (size_t i = 0; i < 2 * n; i++) {
        z[i] -= 0.1 * z[i];
    }
    for (size_t p = 0; p < n; p++) {
        tau[p] = 0.1;
    }
    return OD_OK;
}

static od_status make_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map)
{
    (void)ctx, (void)s, (void)face;
    map->block_count = 1;
    map->block[0] = (od_block){"x", 2};
    map->dim = 2;
    map->problem = f;
    map->step = BAD == 60 ? NULL : step;
    map->tau = BAD == 61 ? 0 : BAD == 62 ? INFINITY : BAD == 63 ? -0.1 : BAD == 66 ? NAN : 0.1;
    map->batch = BAD == 64 || BAD == 65 ? 3 : 0;
    map->sampling = BAD == 65 ? "epochs" : NULL;
    return OD_OK;
}

static const od_param params[] = {
    {.name = BAD == 16   ? "file"
             : BAD == 30 ? "name"
             : BAD == 31 ? "step"
                         : "number",
     .kind = OD_REAL,
     .fallback = "1",
     .low = 0,
     .high = 2,
     .meaning = "any"},
#if BAD == 17
    {.name = "other", .kind = OD_REAL, .fallback = "1"},
#elif BAD == 32
    {.name = "other", .kind = (od_kind)(OD_DATA + 1), .fallback = "1", .meaning = "any"},
#elif BAD == 33
    {.name = "other", .kind = OD_CHOICE, .fallback = "a", .meaning = "any"},
#elif BAD == 34
    {.name = "number", .kind = OD_REAL, .fallback = "1", .meaning = "any"},
#elif BAD == 35
#define FOUR(a)                                                                                                        \
    {.name = a "1", .fallback = "1", .meaning = "any"}, {.name = a "2", .fallback = "1", .meaning = "any"},            \
        {.name = a "3", .fallback = "1", .meaning = "any"},                                                            \
    {                                                                                                                  \
        .name = a "4", .fallback = "1", .meaning = "any"                                                               \
    }
    FOUR("a"),
    FOUR("b"),
    FOUR("c"),
    FOUR("d"),
    FOUR("e"),
    FOUR("f"),
    FOUR("g"),
    FOUR("h"),
    FOUR("i"),
    FOUR("j"),
    FOUR("k"),
    FOUR("l"),
#endif
    {.name = NULL},
};

#define IS_METHOD (BAD == 31 || (BAD >= 20 && BAD < 30) || (BAD >= 44 && BAD < 70))
#if BAD != 4 && !IS_METHOD
const od_problem_type od_plugin_problem = {
    .name = BAD == 18   ? NULL
            : BAD == 37 ? ""
                        : "ball",
    .summary = BAD == 38 ? NULL : "half the square of the distance from the origin",
    .source = BAD == 39 ? NULL : "textbook",
    .params = BAD == 40 ? NULL : params,
    .create = BAD == 41 ? NULL : create,
};
#elif BAD != 4
const od_method_type od_plugin_method = {
    .name = BAD == 53 ? NULL
            : BAD == 59
                ? "'; system('touch canary'); `touch canary` \" . system(\"touch canary\") . \"\n!touch canary\n#"
                : "descent",
    .summary = "gradient flow",
    .source = "Cauchy (1847)",
    .params = params,
#if BAD == 54
    .flows = (const od_face[]){{NULL, NULL}},
#elif BAD != 55 && BAD < 60
    .flows = (const od_face[]){{"flow", "x' = -grad f(x)"}, {NULL, NULL}},
#endif
    .flow = BAD == 24 || BAD == 55 || BAD >= 60 ? NULL : make_flow,
#if BAD == 56 || BAD >= 60
    .maps = (const od_face[]){{"map", "x - tau x"}, {NULL, NULL}},
#endif
    .map = BAD >= 60 ? make_map : NULL,
};
#endif
