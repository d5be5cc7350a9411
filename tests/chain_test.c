/*
 * Iterations and flows as chains: derivatives against differences and transposes, integrated flows against closed
 * forms, inverse steps against formulas.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/ladder.h"
#include "analysis/passage.h"
#include "analysis/sample.h"
#include "analysis/vector.h"

enum { MOST = 8 };

typedef struct parts {
    od_problem *problem;
    od_map *map;
    od_flow *flow;
} parts;

static parts build(od_context *ctx, const char *problem, const char *method)
{
    parts p = {.problem = od_problem_create(ctx, problem)};
    check_done(ctx, p.problem != NULL);
    p.map = od_map_create(ctx, method, p.problem);
    check_done(ctx, p.map != NULL);
    p.flow = od_flow_create(ctx, method, p.problem);
    check_done(ctx, p.flow != NULL);
    return p;
}

static void drop(parts *p)
{
    od_map_free(p->map);
    od_flow_free(p->flow);
    od_problem_free(p->problem);
}

static void fill(double *z, size_t n, unsigned which, double about)
{
    for (size_t i = 0; i < n; i++) {
        z[i] = about + 0.385 * od_normal(7, OD_STREAM_CHECK, which, i, 0);
    }
}

/* Central differences: rounding 1e-11 and third derivatives times 1e-10. */
static void check_derivative(od_chain *chain, uint64_t k, const double *z)
{
    const size_t dim = chain->dim;
    double u[2 * MOST], ju[2 * MOST], jw[MOST], at[MOST], up[MOST], down[MOST];
    fill(u, 2 * dim, 1, 0);
    assert_int_equal(chain->jvp(chain, k, z, 2, u, ju), OD_OK);
    for (size_t j = 0; j < 2; j++) {
        double size = 0;
        for (int sign = -1; sign <= 1; sign += 2) {
            for (size_t i = 0; i < dim; i++) {
                at[i] = z[i] + sign * 1e-5 * u[j * dim + i];
            }
            assert_int_equal(chain->step(chain, k, at, sign > 0 ? up : down), OD_OK);
        }
        for (size_t i = 0; i < dim; i++) {
            size = fmax(size, fabs(ju[j * dim + i]));
        }
        for (size_t i = 0; i < dim; i++) {
            check_close(ju[j * dim + i], (up[i] - down[i]) / 2e-5, 3e-7 * (1 + size));
        }
    }
    if (chain->vjp != NULL) {
        double left = 0, right = 0, size = 0;
        assert_int_equal(chain->vjp(chain, k, z, 1, u + dim, jw), OD_OK);
        for (size_t i = 0; i < dim; i++) {
            left += u[dim + i] * ju[i];
            right += jw[i] * u[i];
            size += fabs(jw[i] * u[i]);
        }
        check_close(left, right, 1e-10 * (1 + size)); /* differences of integrated steps */
    }
}

static const struct {
    const char *problem, *method;
    double about;
    bool affine;
} pairs[] = {
    {"{name: quadratic, eigenvalues: [2.385, -0.7, 0.1], rotation: 3, centre: [1, -2, 0.5]}",
     "{name: gradient, step: 0.21}", 0.5, true},
    {"{name: quadratic, eigenvalues: [2.385, -0.7, 0.1], rotation: 3, centre: [1, -2, 0.5]}",
     "{name: gradient, step: 0.21, flow: modified}", 0.5, true},
    {"{name: quadratic, eigenvalues: [2.385, -0.7, 0.1], rotation: 3}", "{name: heavy-ball, alpha: 0.9, step: 0.21}",
     0.5, true},
    {"{name: quadratic, eigenvalues: [2.385, -0.7, 0.1], rotation: 3}", "{name: nesterov, step: 0.05}", 0.5, true},
    {"{name: quadratic, eigenvalues: [2.385, 0.1]}", "{name: memory, forgetting: quadratic, step: 0.2}", 0.5, true},
    {"{name: quadratic, eigenvalues: [2.385, 0.1]}", "{name: memory, forgetting: decaying, step: 0.2}", 0.5, true},
    {"hosaki", "{name: gradient, step: 0.3}", 2.5, false},
    {"hosaki", "{name: gradient, step: 0.3, flow: modified}", 2.5, false},
    {"hosaki", "{name: heavy-ball, alpha: 0.9, step: 0.3}", 2.5, false},
    {"hosaki", "{name: nesterov, step: 0.09}", 2.5, false},
    {"hosaki", "{name: memory, forgetting: linear, step: 0.1}", 2.5, false},
    {"{name: power, p: 4}", "{name: nesterov-strongly-convex, mu: 0.5, step: 0.01}", 1, false},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static void derivatives_are_those_of_the_steps(void **state)
{
    for (size_t i = 0; i < PAIRS; i++) {
        parts p = build(*state, pairs[i].problem, pairs[i].method);
        od_chain chain;
        double z[MOST];
        for (unsigned flow = 0; flow < 2; flow++) {
            od_status status = flow ? od_chain_of_flow(*state, p.flow, 0, p.map->tau, 9, 1e-13, &chain)
                                    : od_chain_of_map(*state, p.map, 9, &chain);
            check_done(*state, status == OD_OK);
            assert_int_equal(chain.affine, pairs[i].affine);
            assert_true(chain.jvp != NULL && chain.vjp != NULL);
            for (uint64_t k = 0; k < 9; k += 4) {
                fill(z, chain.dim, (unsigned)k, pairs[i].about);
                check_derivative(&chain, k, z);
            }
            od_chain_clear(&chain);
        }
        drop(&p);
    }
}

/* The integration of quadratics, with their closed form put aside: 40 steps of error 1e-13 each. */
static void integrated_flows_are_the_closed_forms(void **state)
{
    static const char *const methods[] = {"{name: gradient, step: 0.2}", "{name: heavy-ball, alpha: 0.9, step: 0.2}",
                                          "{name: nesterov, step: 0.04}",
                                          "{name: memory, forgetting: quadratic, step: 0.2}",
                                          "{name: memory, forgetting: exponential, alpha: 1.3, step: 0.2}"};
    for (size_t i = 0; i < 5; i++) {
        parts p = build(*state, "{name: quadratic, eigenvalues: [2.385, -0.4, 0.1]}", methods[i]);
        double exact[41 * 6], steps[41 * 6], z0[6], error, weight[6] = {1, 1, 1, 1, 1, 1}, ws[64] = {0}, worst = 0;
        fill(z0, 6, 3, 0);
        if (p.flow->rest != NULL) {
            assert_int_equal(p.flow->rest(p.flow, 0, 1, z0, ws), OD_OK);
        }
        check_done(*state, od_flow_sample(*state, p.flow, 0, 0.2, 41, z0, 1e-13, weight, exact, &error) == OD_OK);
        assert_true(error > 0 && error < 1e-13);
        od_flow bare = *p.flow;
        bare.exact = NULL;
        check_done(*state, od_flow_sample(*state, &bare, 0, 0.2, 41, z0, 1e-13, weight, steps, &error) == OD_OK);
        for (size_t k = 0; k < 41; k++) {
            worst = fmax(worst, od_distance(bare.dim, weight, exact + k * bare.dim, steps + k * bare.dim));
        }
        if (!(worst <= 1e-12 && worst <= error + 1e-14)) {
            print_error("%s: error %.3g, estimated %.3g\n", methods[i], worst, error);
            fail();
        }
        od_chain linear, integrated;
        double u[6], a[6], b[6];
        fill(u, 6, 4, 0);
        check_done(*state, od_chain_of_flow(*state, p.flow, 0.3, 0.2, 3, 1e-13, &linear) == OD_OK);
        check_done(*state, od_chain_of_flow(*state, &bare, 0.3, 0.2, 3, 1e-13, &integrated) == OD_OK);
        assert_true(linear.affine && integrated.affine);
        assert_int_equal(linear.jvp(&linear, 1, z0, 1, u, a), OD_OK);
        assert_int_equal(integrated.jvp(&integrated, 1, z0, 1, u, b), OD_OK);
        for (size_t c = 0; c < bare.dim; c++) {
            check_close(b[c], a[c], 1e-12);
        }
        od_chain_clear(&linear);
        od_chain_clear(&integrated);
        drop(&p);
    }
}

/* y_k of x' = -x under x+ = (1 - h) x, h = 0.2: |e^{-0.2} - 0.8| at k = 0; the orbit that ends in y_K starts at
 * e^{-K h}/(1 - h)^K. Both computed here. */
static void constructions_follow_their_formulas(void **state)
{
    parts p = build(*state, "{name: quadratic, eigenvalues: [1]}", "{name: gradient, step: 0.2}");
    enum { K = 12 };
    double y[K + 1], weight = 2.385, start = 1, error, largest = 0;
    char reason[OD_REASON_ROOM];
    check_done(*state, od_flow_sample(*state, p.flow, 0, 0.2, K + 1, &start, 1e-13, &weight, y, &error) == OD_OK);
    od_chain chain;
    check_done(*state, od_chain_of_map(*state, p.map, K, &chain) == OD_OK);
    const od_target target = {y, &weight};
    od_local_error local;
    check_done(*state, od_shadow_local_error(*state, &chain, &target, &local) == OD_OK);
    check_relative(local.max, weight * (exp(-0.2) - 0.8), 1e-14);
    assert_int_equal(local.at, 0);
    od_shadow shadow = {.start = &start};
    check_done(*state, od_shadow_forward(*state, &chain, &target, &shadow) == OD_OK);
    for (int k = 0; k <= K; k++) {
        largest = fmax(largest, weight * (exp(-0.2 * k) - pow(0.8, k)));
    }
    check_relative(shadow.radius, largest, 1e-13);
    check_done(*state, od_shadow_backward(*state, &chain, &target, &shadow, reason) == OD_OK);
    assert_string_equal(reason, "");
    check_relative(start, exp(-0.2 * K) / pow(0.8, K), 1e-13);
    check_relative(shadow.radius, weight * (start - 1), 1e-12);
    od_stretch stretch;
    check_done(*state, od_shadow_stretch(*state, &chain, &target, &stretch) == OD_OK);
    check_relative(stretch.low, 0.8, 1e-14);
    check_relative(stretch.high, 0.8, 1e-14);
    od_chain_clear(&chain);
    drop(&p);
}

/* Taking a step of what the inverse gave: the orbit taken backward from the last state must end there again. */
static void backward_orbits_are_orbits(void **state)
{
    for (size_t i = 0; i < PAIRS; i++) {
        parts p = build(*state, pairs[i].problem, pairs[i].method);
        enum { K = 7 };
        double y[(K + 1) * MOST], weight[MOST] = {1, 1, 1, 1, 1, 1, 1, 1}, start[MOST], error;
        fill(start, p.flow->dim, 5, pairs[i].about);
        od_chain chain;
        check_done(*state, od_chain_of_map(*state, p.map, K, &chain) == OD_OK);
        check_done(*state,
                   od_flow_sample(*state, p.flow, 0.7, p.map->tau, K + 1, start, 1e-13, weight, y, &error) == OD_OK);
        const od_target target = {y, weight};
        od_shadow shadow = {.start = start};
        char reason[OD_REASON_ROOM];
        check_done(*state, od_shadow_backward(*state, &chain, &target, &shadow, reason) == OD_OK);
        const bool forgets = strstr(pairs[i].method, "memory") != NULL || strstr(pairs[i].method, "nesterov,") != NULL;
        if (forgets) { /* the momentum of k = 0 is 0, so v_0 leaves no trace; nesterov's of k = 1 is 0 too */
            assert_true(isnan(shadow.radius));
            assert_non_null(strstr(reason, strstr(pairs[i].method, "nesterov,") ? "k = 1 cannot be inverted"
                                                                                : "k = 0 cannot be inverted"));
        } else {
            if (reason[0] != '\0') {
                print_error("%s %s: %s\n", pairs[i].problem, pairs[i].method, reason);
                fail();
            }
            double x[MOST], next[MOST];
            memcpy(x, start, sizeof x);
            for (uint64_t k = 0; k < K; k++) {
                assert_int_equal(chain.step(&chain, k, x, next), OD_OK);
                memcpy(x, next, sizeof x);
            }
            check_close(od_distance(chain.dim, weight, x, y + K * chain.dim), 0, 1e-12);
        }
        od_chain_clear(&chain);
        drop(&p);
    }
}

static void what_has_no_orbits_is_refused(void **state)
{
    parts p = build(*state, "{name: quadratic, eigenvalues: [1, 2]}", "{name: gradient, step: 0.2, noise: 0.1}");
    od_chain chain;
    assert_int_equal(od_chain_of_map(*state, p.map, 3, &chain), OD_EUNSUPPORTED);
    check_message(*state, "remove method.noise");
    assert_int_equal(od_chain_of_flow(*state, p.flow, 0, 0.2, 3, 1e-13, &chain), OD_EUNSUPPORTED);
    od_chain_clear(&chain);
    drop(&p);
    p = build(*state, "{name: quadratic, eigenvalues: [1, 2]}", "{name: gradient, step: 0.2}");
    od_map varying = *p.map;
    varying.tau = NAN;
    assert_int_equal(od_chain_of_map(*state, &varying, 3, &chain), OD_EUNSUPPORTED);
    check_message(*state, "not one number");
    drop(&p);
}

static od_status cube(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow, (void)t, (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = z[p] * z[p] * z[p];
    }
    return OD_OK;
}

static od_status cube_step(const od_map *map, uint64_t k, size_t n, double *z, const double *dw, const uint32_t *index,
                           double *tau, double *ws)
{
    (void)k, (void)dw, (void)index, (void)ws;
    for (size_t p = 0; p < n; p++) {
        z[p] += map->tau * z[p] * z[p] * z[p];
        tau[p] = map->tau;
    }
    return OD_OK;
}

/* x' = x^3, x(0) = 1 ends at t = 1/2. */
static void what_diverges_says_when(void **state)
{
    const od_flow flow = {.name = "cube", .block_count = 1, .block = {{"x", 1}}, .dim = 1, .drift = cube};
    const od_map map = {.name = "cube", .block_count = 1, .block = {{"x", 1}}, .dim = 1, .tau = 0.1, .step = cube_step};
    double y[65] = {0}, weight = 1, start = 1, error, x = 1;
    assert_int_equal(od_flow_sample(*state, &flow, 0, 0.1, 65, &start, 1e-13, &weight, y, &error), OD_EDIVERGED);
    check_message(*state, "the flow diverged at t = 0.5");
    int last = 0;
    for (; isfinite(x); last++) {
        x += 0.1 * x * x * x;
    }
    od_chain chain;
    check_done(*state, od_chain_of_map(*state, &map, 64, &chain) == OD_OK);
    const od_target target = {y, &weight};
    od_shadow shadow = {.start = &start};
    assert_int_equal(od_shadow_forward(*state, &chain, &target, &shadow), OD_EDIVERGED);
    char sentence[64];
    snprintf(sentence, sizeof sentence, "diverged at k = %d;", last);
    check_message(*state, sentence);
    od_chain_clear(&chain);
}

static od_status bend(const od_map *map, uint64_t k, size_t n, double *z, const double *dw, const uint32_t *index,
                      double *tau, double *ws)
{
    (void)k, (void)dw, (void)index, (void)ws;
    for (size_t p = 0; p < n; p++) {
        z[p] = atan(3 * z[p]);
        tau[p] = map->tau;
    }
    return OD_OK;
}

static od_status bend_jvp(const od_map *map, uint64_t k, size_t n, const double *z, size_t m, const double *u,
                          double *ju, double *ws)
{
    (void)map, (void)k, (void)ws;
    for (size_t i = 0; i < m * n; i++) {
        ju[i] = 3 / (1 + 9 * z[i % n] * z[i % n]) * u[i];
    }
    return OD_OK;
}

/* The inverse of atan(3 x) at atan(0.1), from 2: Newton's own step leads to -14, and on to infinity. */
static void inverse_steps_are_damped(void **state)
{
    const od_map map = {
        .name = "bend", .block_count = 1, .block = {{"x", 1}}, .dim = 1, .tau = 0.1, .step = bend, .jvp = bend_jvp};
    const double y[2] = {2, atan(0.1)}, weight = 1;
    double start;
    char reason[OD_REASON_ROOM];
    od_chain chain;
    check_done(*state, od_chain_of_map(*state, &map, 1, &chain) == OD_OK);
    const od_target target = {y, &weight};
    od_shadow shadow = {.start = &start};
    check_done(*state, od_shadow_backward(*state, &chain, &target, &shadow, reason) == OD_OK);
    assert_string_equal(reason, "");
    check_relative(start, 0.1 / 3, 1e-13);
    check_relative(shadow.radius, 2 - 0.1 / 3, 1e-13);
    od_chain_clear(&chain);
}

static od_status (*counted)(od_chain *, uint64_t, const double *, size_t, const double *, double *);
static unsigned products;

static od_status count(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    products += (unsigned)m;
    return counted(chain, k, z, m, u, ju);
}

/* Derivatives between 0.4 and 0.9, all different; one step back, which a Krylov space of six or so directions knows
 * to a thousandth; wrong steps of Newton's method would come to the same, but later. */
static void gmres_solves_what_is_far_from_the_identity(void **state)
{
    enum { D = 300, K = 1 };
    parts p = build(*state, "{name: styblinski-tang, dim: 300}", "{name: gradient, step: 0.02}");
    double *y = calloc((K + 3) * (size_t)D, sizeof *y), *start = y + (K + 1) * D, *weight = start + D, error;
    char reason[OD_REASON_ROOM];
    for (size_t i = 0; i < D; i++) {
        start[i] = 1.85 + 0.85 * (double)i / D;
        weight[i] = 1;
    }
    od_chain chain;
    check_done(*state, od_chain_of_map(*state, p.map, K, &chain) == OD_OK);
    check_done(*state, od_flow_sample(*state, p.flow, 0, 0.02, K + 1, start, 1e-13, weight, y, &error) == OD_OK);
    counted = chain.jvp;
    chain.jvp = count;
    products = 0;
    const od_target target = {y, weight};
    od_shadow shadow = {.start = start};
    check_done(*state, od_shadow_backward(*state, &chain, &target, &shadow, reason) == OD_OK);
    assert_true(products <= 28); /* 22 are taken */
    assert_string_equal(reason, "");
    for (uint64_t k = 0; k < K; k++) {
        assert_int_equal(chain.step(&chain, k, start, start), OD_OK);
    }
    check_close(od_distance(D, weight, start, y + K * D), 0, 1e-11);
    free(y);
    od_chain_clear(&chain);
    drop(&p);
}

/* More components than are factored: by GMRES, and stretching by Lanczos' iteration. */
static void many_components_go_by_products(void **state)
{
    enum { D = 300, K = 6 };
    parts p = build(*state, "{name: styblinski-tang, dim: 300}", "{name: heavy-ball, alpha: 0.9, step: 0.02}");
    double *y = calloc((K + 3) * (size_t)2 * D, sizeof *y), *start = y + (K + 1) * 2 * D, *weight = start + 2 * D,
           error;
    char reason[OD_REASON_ROOM];
    fill(start, D, 6, 0.4);
    for (size_t i = 0; i < 2 * D; i++) {
        weight[i] = i < D ? 1 : 0.7;
    }
    od_chain chain;
    check_done(*state, od_chain_of_map(*state, p.map, K, &chain) == OD_OK);
    check_done(*state, od_flow_sample(*state, p.flow, 0, 0.02, K + 1, start, 1e-13, weight, y, &error) == OD_OK);
    const od_target target = {y, weight};
    od_shadow shadow = {.start = start};
    check_done(*state, od_shadow_backward(*state, &chain, &target, &shadow, reason) == OD_OK);
    assert_string_equal(reason, "");
    for (uint64_t k = 0; k < K; k++) {
        assert_int_equal(chain.step(&chain, k, start, start), OD_OK);
    }
    check_close(od_distance(2 * D, weight, start, y + K * 2 * D), 0, 1e-11);
    /* the loss is a sum over coordinates, so a step is one 2 x 2 matrix (1 - h^2 c, b h; -h c, b) for each of them */
    od_stretch stretch;
    double low = INFINITY, high = 0;
    check_done(*state, od_shadow_stretch(*state, &chain, &target, &stretch) == OD_OK);
    for (size_t k = 0; k < K; k++) {
        for (size_t i = 0; i < D; i++) {
            const double x = y[k * 2 * D + i], c = 6 * x * x - 16, b = 1 - 0.9 * 0.02, w = 0.7;
            const double m[4] = {1 - 4e-4 * c, b * 0.02 / w, -w * 0.02 * c, b};
            const double sum = m[0] * m[0] + m[1] * m[1] + m[2] * m[2] + m[3] * m[3], det = m[0] * m[3] - m[1] * m[2];
            const double root = sqrt(sum * sum / 4 - det * det);
            high = fmax(high, sqrt(sum / 2 + root));
            low = fmin(low, fabs(det) / sqrt(sum / 2 + root));
        }
    }
    check_relative(stretch.high, high, 1e-4);
    check_relative(stretch.low, low, 1e-4);
    free(y);
    od_chain_clear(&chain);
    drop(&p);
}

/* x' = -1e6 (x - cos t) - sin t: from x = 1 on x = cos t, but explicit steps stay below 1e-5. */
static od_status stiff(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    for (size_t p = 0; p < n; p++) {
        dz[p] = -1e6 * (z[p] - cos(t)) - sin(t);
    }
    return OD_OK;
}

/* Steps that become tiny, but not too small, would never end; and whoever waits may interrupt. */
static void crossings_end(void **state)
{
    const od_flow flow = {.name = "stiff", .block_count = 1, .block = {{"x", 1}}, .dim = 1, .drift = stiff};
    od_passage *passage;
    double z = 1, y[3], error;
    const double start = 1, weight = 1;
    check_done(*state, od_passage_open(*state, &flow, 1e-13, 0, &passage) == OD_OK);
    od_passage_limit(passage, 1000);
    assert_int_equal(od_passage_cross(passage, 0, 1, &z, 0, NULL, NULL), OD_ENUMERIC);
    const double reached = od_passage_reached(passage);
    assert_true(reached > 1e-5 && reached < 0.01);
    check_close(z, cos(reached), 1e-9);
    check_done(*state, od_passage_cross(passage, reached, reached + 1e-4, &z, 0, NULL, NULL) == OD_OK);
    assert_int_equal(od_flow_sample(*state, &flow, 0, 1, 3, &start, 1e-13, &weight, y, &error), OD_ENUMERIC);
    check_message(*state, "iterations: the flow could not be followed beyond t = 0.0");
    od_cancel(*state);
    assert_int_equal(od_passage_cross(passage, reached, 1, &z, 0, NULL, NULL), OD_EINTERRUPTED);
    check_message(*state, "interrupted while a flow was followed");
    od_passage_close(passage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(derivatives_are_those_of_the_steps),
        test_with_context(integrated_flows_are_the_closed_forms),
        test_with_context(constructions_follow_their_formulas),
        test_with_context(backward_orbits_are_orbits),
        test_with_context(inverse_steps_are_damped),
        test_with_context(gmres_solves_what_is_far_from_the_identity),
        test_with_context(many_components_go_by_products),
        test_with_context(what_has_no_orbits_is_refused),
        test_with_context(what_diverges_says_when),
        test_with_context(crossings_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
