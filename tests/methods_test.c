/*
 * What every method promises: both faces act on the same blocks, derivatives are derivatives, noise replaces g by
 * g + sigma dB/dt in both faces, batches of any size give the same bits, Lagrangians give back the equation.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"
#include "valley.h"

/* Settings with which each method of the table is tested; a method without a line here fails the test. */
static const char *const variants[] = {
    "name: gradient, step: 0.0137",
    "name: gradient, step: 0.137, flow: modified",
    "name: amplified-gradient, step: 0.0137",
    "name: heavy-ball, alpha: 0.785, step: 0.137",
    "name: heavy-ball, learning_rate: 0.0137, momentum: 0.885",
    "name: nesterov, step: 0.0137",
    "name: nesterov, r: 0.7, step: 0.0137",
    "name: nesterov-strongly-convex, mu: 0.385, step: 0.0137",
    "name: memory, forgetting: decaying, step: 0.137",
    "name: memory, forgetting: constant, step: 0.137",
    "name: memory, forgetting: square-root, step: 0.137",
    "name: memory, step: 0.137",
    "name: memory, forgetting: quadratic, step: 0.137",
    "name: memory, forgetting: polynomial, p: 2.385, step: 0.137",
    "name: memory, forgetting: exponential, alpha: 0.785, step: 0.137",
    "name: memory, forgetting: super-exponential, alpha: 1.385, step: 0.137",
    "name: memory, forgetting: instantaneous, step: 0.137",
    "name: bregman, step: 0.0137",
    "name: bregman, p: 1.3, step: 0.0137",
    "name: bregman, p: 3.385, C: 0.213, step: 0.0137",
    "name: lagrangian, weights: [[0.1, 1, 2], [0.7, 3, 1.1], [2.385, 9, 8]], step: 0.0137",
    "name: adam, step: 0.0137",
    "name: adam, step: 0.137, beta1: 0, beta2: 0.885, decay: 0.5, eps: 0.0137",
    "name: adam, step: 0.137, a1: 2.385, a2: 0.785, eps: 0.385, eps_place: inside",
    "name: adam, step: 0.137, map: lagged, beta2: 0.785, eps: 0.137, decay: 0.785",
    "name: adam, step: 0.137, map: amsgrad, flow: adam, beta2: 0.585",
    "name: rmsprop, step: 0.0137",
    "name: rmsprop, step: 0.137, map: lagged, eps_place: inside, decay: 0.785",
    "name: rmsprop, step: 0.137, map: shifted, a2: 0.785",
};
enum { VARIANTS = sizeof variants / sizeof *variants, D = VALLEY_DIM, ROOM = 4 * D, MOST = ROOM * 64 };

static double no_tilt[D] = {0, 0, 0};

static void *scratch(const od_scratch *need, size_t n)
{
    return calloc(od_scratch_size(need, n) + 1, sizeof(double));
}

static od_flow *make_flow(od_context *ctx, const char *variant, const char *more, const od_problem *f)
{
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{%s%s}", variant, more);
    od_flow *flow = od_flow_create(ctx, yaml, f);
    check_done(ctx, flow != NULL);
    return flow;
}

/* NULL for a method that has no iteration. */
static od_map *make_map(od_context *ctx, const char *variant, const char *more, const od_problem *f)
{
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{%s%s}", variant, more);
    od_map *map = od_map_create(ctx, yaml, f);
    if (map == NULL) {
        check_message(ctx, "has no iteration");
    }
    return map;
}

/* Point `i` of path p, the same for every batch size. */
static double point(size_t i, size_t p, uint64_t k)
{
    return od_normal(713, OD_STREAM_CHECK, p, i, k);
}

static void fill(double *z, size_t dim, size_t n, uint64_t k)
{
    for (size_t i = 0; i < dim; i++) {
        for (size_t p = 0; p < n; p++) {
            z[i * n + p] = point(i, p, k);
        }
    }
}

/* Means of squares are not negative, and sqrt is smooth only away from 0. */
static void fill_state(double *z, const od_block *block, size_t count, size_t n)
{
    size_t i = 0;
    for (size_t b = 0; b < count; b++) {
        for (const size_t end = i + block[b].length; i < end; i++) {
            for (size_t p = 0; p < n; p++) {
                z[i * n + p] = block[b].name[0] == 's' ? 0.385 + fabs(point(i, p, 0)) : point(i, p, 0);
            }
        }
    }
}

/* A running maximum has no flow. */
static bool faces_differ(const char *variant)
{
    return strstr(variant, "amsgrad") != NULL;
}

static void every_method_is_tested(void **state)
{
    (void)state;
    for (size_t i = 0; od_method_types[i] != NULL; i++) {
        if (od_method_types[i]->flow == NULL && od_method_types[i]->map == NULL) {
            continue; /* a plug-in has tests of its own */
        }
        size_t found = 0;
        for (size_t v = 0; v < VARIANTS; v++) {
            const char *name = variants[v] + strlen("name: "), *end = strchr(name, ',');
            const size_t length = (size_t)(end - name);
            found += strlen(od_method_types[i]->name) == length && memcmp(name, od_method_types[i]->name, length) == 0;
        }
        if (found == 0) {
            print_error("no variant of %s is tested\n", od_method_types[i]->name);
        }
        assert_true(found > 0);
        assert_true(strlen(od_method_types[i]->summary) > 0 && strlen(od_method_types[i]->source) > 0);
        assert_non_null(od_method_types[i]->correspondence);
    }
}

static void faces_share_their_blocks(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt);
    for (size_t v = 0; v < VARIANTS; v++) {
        od_flow *flow = make_flow(ctx, variants[v], "", &f);
        od_map *map = make_map(ctx, variants[v], "", &f);
        double z[ROOM], dz[ROOM], *ws = scratch(&flow->scratch, 1);
        assert_true((strcmp(flow->block[flow->block_count - 1].name, "v") == 0) == flow->second_order);
        if (map != NULL && !faces_differ(variants[v])) {
            assert_int_equal(flow->dim, map->dim);
            assert_int_equal(flow->block_count, map->block_count);
            for (size_t b = 0; b < flow->block_count; b++) {
                assert_string_equal(flow->block[b].name, map->block[b].name);
                assert_int_equal(flow->block[b].length, map->block[b].length);
            }
        }
        fill_state(z, flow->block, flow->block_count, 1);
        assert_int_equal(flow->drift(flow, 1.37, 1, z, dz, ws), OD_OK);
        if (flow->second_order) {
            assert_memory_equal(dz, z + D, D * sizeof *z);
        }
        free(ws);
        od_flow_free(flow);
        od_map_free(map);
    }
}

enum { N = 3, M = 2 };

/* Central differences with step 1e-5: error 1e-10 times third derivatives (below 20), rounding 1e-16/1e-5. */
static void flow_jacobians_match_differences(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt);
    for (size_t v = 0; v < VARIANTS; v++) {
        od_flow *flow = make_flow(ctx, variants[v], "", &f);
        if (strstr(variants[v], "modified") != NULL) {
            assert_null(flow->jvp); /* it would need third derivatives */
            od_flow_free(flow);
            continue;
        }
        const size_t size = flow->dim * N;
        double z[ROOM * N], y[ROOM * N], u[ROOM * N * M], ju[ROOM * N * M], up[ROOM * N], down[ROOM * N];
        double *ws = scratch(&flow->scratch, N);
        fill_state(z, flow->block, flow->block_count, N);
        fill(u, flow->dim * M, N, 1);
        assert_int_equal(flow->jvp(flow, 1.37, N, z, M, u, ju, ws), OD_OK);
        for (size_t j = 0; j < M; j++) {
            const double h = 1e-5;
            for (size_t i = 0; i < size; i++) {
                y[i] = z[i] + h * u[j * size + i];
            }
            flow->drift(flow, 1.37, N, y, up, ws);
            for (size_t i = 0; i < size; i++) {
                y[i] = z[i] - h * u[j * size + i];
            }
            flow->drift(flow, 1.37, N, y, down, ws);
            for (size_t i = 0; i < size; i++) {
                check_close(ju[j * size + i], (up[i] - down[i]) / (2 * h), 3e-8 * (1 + fabs(ju[j * size + i])));
            }
        }
        free(ws);
        od_flow_free(flow);
    }
}

/* jvp against central differences as above; vjp by <w, J u> = <J^T w, u>, an identity up to rounding. */
static void map_jacobians_match_differences(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt);
    static const uint64_t ks[] = {0, 1, 2, 17};
    for (size_t v = 0; v < 4 * VARIANTS; v++) {
        od_map *map = make_map(ctx, variants[v / 4], "", &f);
        if (map == NULL) {
            continue;
        }
        const uint64_t k = ks[v % 4];
        const size_t size = map->dim * N;
        double z[ROOM * N], u[ROOM * N * M], w[ROOM * N * M], ju[ROOM * N * M], jw[ROOM * N * M];
        double up[ROOM * N], down[ROOM * N], tau[N], *ws = scratch(&map->scratch, N);
        fill_state(z, map->block, map->block_count, N);
        fill(u, map->dim * M, N, 1);
        fill(w, map->dim * M, N, 2);
        assert_int_equal(map->jvp(map, k, N, z, M, u, ju, ws), OD_OK);
        assert_int_equal(map->vjp(map, k, N, z, M, w, jw, ws), OD_OK);
        for (size_t j = 0; j < M; j++) {
            const double h = 1e-5;
            for (size_t i = 0; i < size; i++) {
                up[i] = z[i] + h * u[j * size + i];
                down[i] = z[i] - h * u[j * size + i];
            }
            assert_int_equal(map->step(map, k, N, up, NULL, NULL, tau, ws), OD_OK);
            assert_int_equal(map->step(map, k, N, down, NULL, NULL, tau, ws), OD_OK);
            for (size_t i = 0; i < size; i++) {
                check_close(ju[j * size + i], (up[i] - down[i]) / (2 * h), 3e-8 * (1 + fabs(ju[j * size + i])));
            }
            for (size_t p = 0; p < N; p++) {
                check_close(tau[p], map->tau, 0);
                double left = 0, right = 0, sum = 0;
                for (size_t i = 0; i < map->dim; i++) {
                    const size_t at = (j * map->dim + i) * N + p;
                    left += w[at] * ju[at];
                    right += jw[at] * u[at];
                    sum += fabs(w[at] * ju[at]) + fabs(jw[at] * u[at]);
                }
                check_close(left, right, 1e-14 * sum);
            }
        }
        free(ws);
        od_map_free(map);
    }
}

/*
 * Noise sigma dB/dt stands beside g: an iteration with increment dw is the noise-free iteration on f + <c, x> with
 * c = sigma dw/tau, and the noise term of a flow is the change of its drift by c = sigma dw. The differences of drifts
 * cancel at most two digits.
 */
static void noise_enters_with_the_gradient(void **state)
{
    od_context *ctx = *state;
    const double dw[2] = {0.0713, -0.1385}, sigma[D][2] = {{0.3, 1.7}, {-0.9, 0.4}, {2.385, -0.6}};
    const char *const noise = ", noise: [[0.3, 1.7], [-0.9, 0.4], [2.385, -0.6]]";
    double tilt[D] = {0};
    od_problem f = valley(no_tilt), tilted = valley(tilt);
    for (size_t v = 0; v < VARIANTS; v++) {
        od_flow *flow = make_flow(ctx, variants[v], noise, &f), *other = make_flow(ctx, variants[v], "", &tilted);
        od_map *map = make_map(ctx, variants[v], noise, &f), *quiet = make_map(ctx, variants[v], "", &tilted);
        double z[ROOM], y[ROOM], a[ROOM], b[ROOM], moved[D], tau[1], *ws = scratch(&flow->scratch, 1);
        fill_state(z, flow->block, flow->block_count, 1);
        for (size_t i = 0; i < D; i++) {
            tilt[i] = sigma[i][0] * dw[0] + sigma[i][1] * dw[1];
        }
        const bool by_state = strstr(variants[v], "rmsprop") != NULL || strstr(variants[v], "beta1: 0") != NULL;
        assert_int_equal(flow->noise.shape, by_state ? OD_NOISE_FULL : OD_NOISE_ADDITIVE);
        assert_int_equal(flow->noise.dim, 2);
        assert_int_equal(flow->noise.block, flow->block_count == 1 || by_state ? 0 : 1);
        assert_int_equal(flow->noise.apply(flow, 1.37, 1, z, dw, moved, ws), OD_OK);
        flow->drift(flow, 1.37, 1, z, a, ws);
        other->drift(other, 1.37, 1, z, b, ws);
        /* the modified flow's second term sees the tilt, not the noise */
        for (size_t i = 0; i < D && strstr(variants[v], "modified") == NULL; i++) {
            const size_t at = flow->noise.block * D + i;
            check_close(moved[i], b[at] - a[at], 1e-13);
        }
        free(ws);
        if (map != NULL) {
            ws = scratch(&map->scratch, 1);
            fill_state(z, map->block, map->block_count, 1);
            for (size_t i = 0; i < D; i++) {
                tilt[i] /= map->tau;
            }
            for (uint64_t k = 0; k < 5; k++) {
                memcpy(y, z, sizeof y);
                assert_int_equal(map->step(map, k, 1, z, dw, NULL, tau, ws), OD_OK);
                assert_int_equal(quiet->step(quiet, k, 1, y, NULL, NULL, tau, ws), OD_OK);
                for (size_t i = 0; i < map->dim; i++) {
                    check_close(z[i], y[i], 1e-13);
                }
            }
            free(ws);
        }
        od_flow_free(flow);
        od_flow_free(other);
        od_map_free(map);
        od_map_free(quiet);
    }
}

/* Paths of batches of 1, 3, 7 and 64 are the same bits. */
static void batches_do_not_change_the_bits(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt);
    static const size_t sizes[] = {64, 1, 3, 7};
    for (size_t v = 0; v < VARIANTS; v++) {
        od_flow *flow = make_flow(ctx, variants[v], ", noise: 0.385", &f);
        od_map *map = make_map(ctx, variants[v], ", noise: 0.385", &f);
        double drift[MOST], step[MOST], moved[MOST], z[MOST], dz[MOST], out[MOST], dw[MOST], tau[64];
        for (size_t s = 0; s < 4; s++) {
            const size_t n = sizes[s];
            double *ws = scratch(&flow->scratch, n), *wm = map != NULL ? scratch(&map->scratch, n) : NULL;
            fill_state(z, flow->block, flow->block_count, n);
            fill(dw, D, n, 3);
            assert_int_equal(flow->drift(flow, 1.37, n, z, dz, ws), OD_OK);
            assert_int_equal(flow->noise.apply(flow, 1.37, n, z, dw, out, ws), OD_OK);
            if (map != NULL) {
                fill_state(z, map->block, map->block_count, n);
                assert_int_equal(map->step(map, 5, n, z, dw, NULL, tau, wm), OD_OK);
            }
            if (n == 64) {
                memcpy(drift, dz, sizeof dz);
                memcpy(step, z, sizeof z);
                memcpy(moved, out, sizeof out);
            }
            for (size_t i = 0; i < (map != NULL ? map->dim : flow->dim); i++) {
                for (size_t p = 0; p < n; p++) {
                    if (i < flow->dim) {
                        assert_memory_equal(&dz[i * n + p], &drift[i * 64 + p], sizeof *dz);
                    }
                    assert_memory_equal(&z[i * n + p], &step[i * 64 + p], sizeof *z);
                    if (i < D) {
                        assert_memory_equal(&out[i * n + p], &moved[i * 64 + p], sizeof *out);
                    }
                }
            }
            free(ws);
            free(wm);
        }
        od_flow_free(flow);
        od_map_free(map);
    }
}

/*
 * a' is the damping and e^{b-a} the force: the drift on a gradient that is zero or one. The derivatives of a and b by
 * central differences with step 1e-5, error 1e-10 times third derivatives (below 100 at t = 0.6).
 */
static void lagrangians_give_the_equation(void **state)
{
    od_context *ctx = *state;
    od_problem *flat = od_problem_create(ctx, "{name: quadratic, eigenvalues: [0]}");
    od_problem *bowl = od_problem_create(ctx, "{name: quadratic, eigenvalues: [1]}");
    check_done(ctx, flat != NULL && bowl != NULL);
    size_t found = 0;
    for (size_t v = 0; v < VARIANTS; v++) {
        od_flow *on_flat = make_flow(ctx, variants[v], "", flat), *on_bowl = make_flow(ctx, variants[v], "", bowl);
        assert_true((on_flat->lagrangian != NULL) == on_flat->second_order);
        for (double t = 0.6; t < 9 && on_flat->lagrangian != NULL; t += 1.37) {
            const double h = 1e-5, moving[2] = {0, 1}, still[2] = {1, 0};
            double a[2], b[2], a1[2], b1[2], a2[2], b2[2], dz[2], *ws = scratch(&on_flat->scratch, 1);
            found++;
            on_flat->lagrangian(on_flat, t, a, b);
            on_flat->lagrangian(on_flat, t + h, a1, b1);
            on_flat->lagrangian(on_flat, t - h, a2, b2);
            check_close(a[1], (a1[0] - a2[0]) / (2 * h), 1e-8 * (1 + fabs(a[0])));
            check_close(b[1], (b1[0] - b2[0]) / (2 * h), 1e-8 * (1 + fabs(b[0])));
            on_flat->drift(on_flat, t, 1, moving, dz, ws);
            check_relative(a[1], -dz[1], 1e-14);
            on_bowl->drift(on_bowl, t, 1, still, dz, ws);
            check_relative(exp(b[0] - a[0]), -dz[1], 1e-14 * (10 + fabs(a[0])));
            free(ws);
        }
        od_flow_free(on_flat);
        od_flow_free(on_bowl);
    }
    assert_true(found > 80);
    od_problem_free(flat);
    od_problem_free(bowl);
}

/*
 * At a singular start the drift is the limit: along x0 + v0 t + a0 t^2/2, v0 + a0 t with v0 from `rest` and a0 from the
 * drift at 0, the drift at t differs by O(t); t = 1e-6 and 2.385e-6 show the rate. Moments start along the drift, too.
 */
static void singular_starts_are_limits(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt);
    for (size_t v = 0; v < VARIANTS; v++) {
        od_flow *flow = make_flow(ctx, variants[v], "", &f);
        double z[ROOM], y[ROOM], a[ROOM], dz[ROOM], *ws = scratch(&flow->scratch, 1);
        if (!flow->singular || flow->start_refused != NULL) {
            assert_true(!flow->singular || strstr(variants[v], "p: 1.3") != NULL);
            if (flow->singular) {
                fill_state(z, flow->block, flow->block_count, 1);
                assert_int_equal(flow->drift(flow, 0, 1, z, dz, ws), OD_EUNSUPPORTED);
            }
            free(ws);
            od_flow_free(flow);
            continue;
        }
        fill_state(z, flow->block, flow->block_count, 1);
        assert_int_equal(flow->rest(flow, 0, 1, z, ws), OD_OK);
        assert_int_equal(flow->drift(flow, 0, 1, z, a, ws), OD_OK);
        for (double t = 1e-6; t < 3e-6; t += 1.385e-6) {
            for (size_t i = 0; i < flow->dim; i++) {
                y[i] = z[i] + t * a[i] + (flow->second_order && i < D ? t * t / 2 * a[D + i] : 0);
            }
            assert_int_equal(flow->drift(flow, t, 1, y, dz, ws), OD_OK);
            /* constants: second derivatives of v, up to 100; the rounding of v + g, 1e-16, is divided by t */
            for (size_t i = 0; i < flow->dim; i++) {
                check_close(dz[i], a[i], 300 * t + 1e-9);
            }
        }
        free(ws);
        od_flow_free(flow);
    }
}

static od_status broken_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                             double *ws)
{
    (void)problem, (void)want, (void)n, (void)x, (void)f, (void)g, (void)ws;
    return OD_EUSER;
}

static void failures_of_the_loss_are_passed_on(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt);
    f.eval = broken_eval;
    for (size_t v = 0; v < VARIANTS; v++) {
        od_flow *flow = make_flow(ctx, variants[v], "", &f);
        od_map *map = make_map(ctx, variants[v], "", &f);
        double z[ROOM] = {0}, dz[ROOM], tau[1], *ws = scratch(&flow->scratch, 1);
        assert_int_equal(flow->drift(flow, 1.37, 1, z, dz, ws), OD_EUSER);
        free(ws);
        if (map != NULL) {
            ws = scratch(&map->scratch, 1);
            assert_int_equal(map->step(map, 3, 1, z, NULL, NULL, tau, ws), OD_EUSER);
            free(ws);
        }
        od_flow_free(flow);
        od_map_free(map);
    }
}

static void wrong_settings_are_refused(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt), plain = valley(no_tilt);
    plain.convexity.value = -0.385;
    static const struct {
        const char *yaml, *entry, *sentence;
    } wrong[] = {
        {"{name: memory, forgetting: polynomial, step: 0.1}", "method.p", "polynomial forgetting needs its p"},
        {"{name: memory, forgetting: exponential, step: 0.1}", "method.alpha", "needs its alpha"},
        {"{name: memory, p: 3, step: 0.1}", "method.p", "linear forgetting takes no p"},
        {"{name: memory, forgetting: polynomial, p: 3, alpha: 1, step: 0.1}", "method.alpha", "takes no alpha"},
        {"{name: memory, forgetting: super-exponential, alpha: 0.9, step: 0.1}", "method.alpha", "alpha >= 1"},
        {"{name: memory, forgetting: gone, step: 0.1}", "method.forgetting", "decaying|constant"},
        {"{name: nesterov-strongly-convex, step: 0.1}", "method.mu", "is not known; give method.mu"},
        {"{name: bregman, p: 0}", "method.p", "greater than 0"},
        {"{name: adam}", "method.step", "its rate a1 = (1 - beta1)/step; give method.step, or method.a1 itself"},
        {"{name: adam, a1: 1}", "method.step", "or method.a2 itself"},
        {"{name: adam, step: 0.1, beta1: 0.5, a1: 1}", "method.a1", "give one of the two"},
        {"{name: adam, a1: 1, a2: 1, decay: 0.5}", "method.step", "the learning rate of the flow decays"},
        {"{name: adam, a1: 1, a2: 1, noise: 0.1}", "method.step", "the variance noise^2/step"},
        {"{name: adam, step: 0.1, beta1: 1}", "method.beta1", "less than 1"},
        {"{name: rmsprop}", "method.step", "give method.step, or method.a2 itself"},
        {"{name: rmsprop, step: 0.1, noise: gradient-covariance}", "method.noise", "is none"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(od_flow_create(ctx, wrong[i].yaml, &f));
        assert_string_equal(od_message_entry(ctx), wrong[i].entry);
        check_message(ctx, wrong[i].sentence);
    }
    assert_null(od_map_create(ctx, "{name: nesterov-strongly-convex, step: 0.1}", &plain));
    check_message(ctx, "is -0.385, so it is not strongly convex");
    static const char *const without_step[] = {"gradient",
                                               "amplified-gradient",
                                               "{name: heavy-ball, alpha: 1}",
                                               "nesterov",
                                               "{name: nesterov-strongly-convex, mu: 1}",
                                               "memory",
                                               "adam",
                                               "{name: rmsprop, a2: 1}",
                                               "{name: memory, forgetting: instantaneous}"};
    for (size_t i = 0; i < sizeof without_step / sizeof *without_step; i++) {
        assert_null(od_map_create(ctx, without_step[i], &f));
        assert_string_equal(od_message_entry(ctx), "method.step");
    }
    assert_null(od_map_create(ctx, "{name: adam, step: 0.1, a1: 11}", &f));
    check_message(ctx, "beta1 = 1 - a1 step = -0.1, which is below 0");
    assert_null(od_map_create(ctx, "{name: bregman, step: 0.1}", &f));
    check_message(ctx, "the method 'bregman' has no iteration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_is_tested),
        test_with_context(faces_share_their_blocks),
        test_with_context(flow_jacobians_match_differences),
        test_with_context(map_jacobians_match_differences),
        test_with_context(noise_enters_with_the_gradient),
        test_with_context(batches_do_not_change_the_bits),
        test_with_context(lagrangians_give_the_equation),
        test_with_context(singular_starts_are_limits),
        test_with_context(failures_of_the_loss_are_passed_on),
        test_with_context(wrong_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
