/*
 * The nearest orbits of any chains: no orbit is nearer, none is below the bound; many steps; failures.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "nearest.h"

/* ------------------------------------------------------------------------------------------- any orbits */

enum { LARGEST = 6, LONGEST = 400, PERIOD = 5 };

typedef struct sample {
    affine map;
    double a[PERIOD * LARGEST * LARGEST], b[LARGEST], y[LARGEST * (LONGEST + 1)], weight[LARGEST];
    uint64_t steps;
} sample;

/* The radius of the orbit from x0, by plain iteration. */
static double radius_from(const sample *p, const double *x0)
{
    const size_t d = p->map.dim;
    od_chain chain = affine_chain((affine *)&p->map, p->steps);
    double x[LARGEST], next[LARGEST], most = 0;
    memcpy(x, x0, d * sizeof *x);
    for (uint64_t k = 0; k <= p->steps; k++) {
        double sum = 0;
        for (size_t i = 0; i < d; i++) {
            sum += pow(p->weight[i] * (x[i] - p->y[k * d + i]), 2);
        }
        most = fmax(most, sqrt(sum));
        if (k < p->steps) {
            affine_step(&chain, k, x, next);
            memcpy(x, next, d * sizeof *x);
        }
    }
    return most;
}

/* Gradient descent, heavy-ball or Nesterov's method (with constant or growing momentum) on eigenvalues of both signs.
 */
static void draw_method(sample *p, int kind, uint64_t *state)
{
    const size_t n = kind == 0 ? 1 + (size_t)between(state, 0, LARGEST) : 1 + (size_t)between(state, 0, LARGEST / 2.0);
    const size_t d = kind == 0 ? n : 2 * n;
    p->map.dim = d;
    p->map.period = kind == 3 ? PERIOD : 0;
    for (size_t i = 0; i < n; i++) {
        /* h lambda or h^2 lambda; now and then at the edge of stability, or where the map loses rank */
        const double edge = between(state, 0, 1), beta = edge < 0.1 ? 0 : between(state, 0, 1);
        const double last = kind == 0 ? 2 : 2 * (1 + beta);
        const double z = edge < 0.2 ? last : edge < 0.3 ? 1 : between(state, -0.2, last);
        for (size_t turn = 0; turn < PERIOD; turn++) {
            double *a = p->a + turn * d * d;
            const double momentum = kind == 3 ? (double)turn / (turn + 3.0) : beta;
            if (kind == 0) {
                a[i * d + i] = 1 - z;
            } else if (kind == 1) {
                a[i * d + i] = 1 - z;
                a[i * d + n + i] = beta;
                a[(n + i) * d + i] = -z;
                a[(n + i) * d + n + i] = beta;
            } else {
                /* (x_k, x_k - x_{k-1}) */
                const double s = z / 4;
                a[i * d + i] = 1 - s;
                a[i * d + n + i] = momentum * (1 - s);
                a[(n + i) * d + i] = -s;
                a[(n + i) * d + n + i] = momentum * (1 - s);
            }
        }
    }
}

/* Any matrices, of growth up to about 1.3 a step. */
static void draw_matrices(sample *p, uint64_t *state)
{
    const size_t d = p->map.dim = 1 + (size_t)between(state, 0, LARGEST);
    p->map.period = PERIOD;
    for (size_t i = 0; i < PERIOD * d * d; i++) {
        p->a[i] = between(state, -1, 1) * 1.3 / sqrt((double)d);
    }
}

/* States near an orbit: off by as much as the methods are from their flows, rough or smooth. */
static void draw(sample *p, uint64_t *state)
{
    memset(p, 0, sizeof *p);
    const int kind = (int)between(state, 0, 5);
    kind < 4 ? draw_method(p, kind, state) : draw_matrices(p, state);
    const size_t d = p->map.dim;
    const double length = uniform(state), rough = between(state, 0, 1) < 0.5 ? 1 : 0.05;
    p->steps = 1 + (uint64_t)((kind < 4 ? LONGEST - 1 : 60) * length * length);
    p->map.a = p->a;
    p->map.b = p->b;
    od_chain chain = affine_chain(&p->map, p->steps);
    for (size_t i = 0; i < d; i++) {
        p->b[i] = between(state, -0.1, 0.1);
        p->weight[i] = between(state, 0, 1) < 0.2 ? 0 : between(state, 0.2, 2);
        p->y[i] = between(state, -2, 2);
    }
    p->weight[0] = p->weight[0] > 0 ? p->weight[0] : 1;
    for (uint64_t k = 0; k < p->steps; k++) {
        double *y = p->y + k * d;
        affine_step(&chain, k, y, y + d);
        for (size_t i = 0; i < d; i++) {
            y[d + i] += 0.1 * (rough * between(state, -1, 1) + (1 - rough) * y[i]) / (1 + fabs(y[i]));
        }
    }
}

static void check_sample(od_context *ctx, const sample *p, uint64_t seed, uint64_t *state)
{
    const size_t d = p->map.dim;
    double start[LARGEST], other[LARGEST], rms, trial[LARGEST];
    od_chain chain = affine_chain((affine *)&p->map, p->steps);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(ctx, &chain, p->y, p->weight, &least, &rms, &best);
    const double same = radius_from(p, p->y), upper = best.best.radius, lower = best.lower, allowed = upper * 1e-9;
    double scale = 0;
    for (size_t i = 0; i < (p->steps + 1) * d; i++) {
        scale = fmax(scale, fabs(p->y[i]));
    }
    bool good = upper <= same && upper <= least.radius && lower <= upper;
    good = good && upper - lower <= 1e-6 * upper + 1e-14 * scale;
    /* where states grow that much, no start in doubles leads along the nearest orbit */
    good = good && (best.best.defect > 0 ? best.best.defect < 1e-14 * scale && scale > 1e5 * upper
                                         : fabs(radius_from(p, start) - upper) <= allowed + 1e-14 * scale);
    good = good && rms <= least.radius && best.local_lower == best.lower;
    /* no orbit nearby keeps below the bound */
    for (int i = 0; i < 200; i++) {
        const double size = pow(10, between(state, -6, 0)) * upper;
        for (size_t j = 0; j < d; j++) {
            trial[j] = start[j] + size * between(state, -1, 1);
        }
        good = good && radius_from(p, trial) >= lower * (1 - 1e-9);
    }
    if (!good) {
        print_error("problem %llu, dim %zu, %llu steps: same start %.17g, least squares %.17g, radius %.17g (from its "
                    "start %.17g, defect %g), lower %.17g, %u rounds\n",
                    (unsigned long long)seed, d, (unsigned long long)p->steps, same, least.radius, upper,
                    radius_from(p, start), best.best.defect, lower, best.rounds);
        fail();
    }
}

/* OPTDYN_TEST_SHADOWS: how many, after those of 30,000 that were once answered wrongly. */
static void no_orbit_is_nearer_and_none_below_the_bound(void **state)
{
    static const uint64_t hard[] = {178, 249, 405, 986, 1759, 2066, 2628, 10490, 14321, 14696};
    const size_t first = sizeof hard / sizeof *hard;
    const char *wanted = getenv("OPTDYN_TEST_SHADOWS");
    const uint64_t problems = wanted != NULL ? strtoull(wanted, NULL, 10) : 100;
    sample *p = malloc(sizeof *p);
    for (uint64_t n = 0; n < first + problems; n++) {
        const uint64_t seed = n < first ? hard[n] : n - first + 1;
        uint64_t random = seed;
        draw(p, &random);
        check_sample(*state, p, seed, &random);
    }
    free(p);
}

static void any_multipliers_give_a_bound(void **state)
{
    uint64_t random = 21;
    for (int n = 0; n < 20; n++) {
        enum { D = 2, COUNT = 4 };
        od_cones cones = {.d = D};
        double gram[3] = {0}, e[2] = {0}, squares = 0, c[D], radius;
        for (size_t k = 0; k < COUNT; k++) {
            double *block, *r;
            assert_true(od_cones_add(&cones, &block, &r));
            for (size_t i = 0; i < D; i++) {
                r[i] = between(&random, -1, 1);
                block[i] = between(&random, -1, 1);
                block[D + i] = between(&random, -1, 1);
                squares += r[i] * r[i] / COUNT;
                gram[0] += block[i] * block[i] / COUNT;
                gram[1] += block[i] * block[D + i] / COUNT;
                gram[2] += block[D + i] * block[D + i] / COUNT;
                e[0] += block[i] * r[i] / COUNT;
                e[1] += block[D + i] * r[i] / COUNT;
            }
            od_cones_set(&cones, k);
        }
        const double det = gram[0] * gram[2] - gram[1] * gram[1];
        const double gain = (gram[2] * e[0] * e[0] - 2 * gram[1] * e[0] * e[1] + gram[0] * e[1] * e[1]) / det;
        assert_true(od_cones_solve(&cones, 100, c, &radius));
        check_relative(od_cones_bound(&cones, 100), radius, 1e-12);
        for (size_t k = 0; k < COUNT; k++) {
            cones.weight[k] = 1.0 / COUNT;
        }
        check_relative(od_cones_bound(&cones, 100), sqrt(squares - gain), 1e-11);
        assert_true(od_cones_bound(&cones, 100) <= radius);
        od_cones_free(&cones);
    }
}

/* sum_k U_k^T W^2 U_k is the identity, also where components are free: the ball of all nearer orbits rests on it. */
static void neighbours_are_orthonormal(void **state)
{
    sample *p = malloc(sizeof *p);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t random = seed;
        draw(p, &random);
        const size_t d = p->map.dim;
        od_chain chain = affine_chain(&p->map, p->steps);
        const od_target target = {p->y, p->weight};
        od_shooting *s;
        check_done(*state, od_shooting_create(*state, &chain, &target, &s) == OD_OK);
        check_done(*state, od_shooting_linearise(*state, s, p->y) == OD_OK);
        for (size_t i = 0; i < d; i++) {
            double c[LARGEST] = {0}, sum[LARGEST];
            c[i] = 1;
            check_done(*state, od_shooting_gather(*state, s, p->y, c, sum) == OD_OK);
            for (size_t j = 0; j < d; j++) {
                /* a direction that the weights do not see is left out */
                check_close(sum[j], i == j && sum[i] > 0.5 ? 1 : 0, 1e-9);
            }
        }
        od_shooting_free(s);
    }
    free(p);
}

/* ------------------------------------------------------------------------------------------- many steps */

static od_status diagonal_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    const double *a = chain->data;
    for (size_t i = 0; i < chain->dim; i++) {
        next[i] = a[i] * z[i];
    }
    return OD_OK;
}

static od_status diagonal_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    for (size_t c = 0; c < m; c++) {
        diagonal_step(chain, k, u + c * chain->dim, ju + c * chain->dim);
    }
    return OD_OK;
}

/* The first two of many components are off an orbit, so that the others change nothing; most steps keep no matrix. */
static void orbits_of_many_steps_and_dimensions(void **state)
{
    enum { K = 6000, D = 50 };
    double a[D], weight[D], start[D], other[D], rms[2];
    double *y = malloc((K + 1) * D * sizeof *y), *plane = malloc((K + 1) * 2 * sizeof *plane);
    uint64_t random = 4;
    for (size_t i = 0; i < D; i++) {
        a[i] = i == 0 ? 1 + 10.0 / K : 1 - between(&random, 0, i % 2 == 0 ? 0.01 : 0.8);
        weight[i] = between(&random, 0.5, 2);
        y[i] = between(&random, -2, 2);
    }
    for (size_t k = 0; k <= K; k++) {
        for (size_t i = 0; i < D && k > 0; i++) {
            y[k * D + i] = i < 2 ? y[i] * exp(log(a[i]) * (double)k) * (1 + 0.01 * sin(0.03 * (double)(k * (i + 1))))
                                 : a[i] * y[(k - 1) * D + i];
        }
        memcpy(plane + 2 * k, y + k * D, 2 * sizeof *y);
    }
    od_shadow least[2] = {{.start = start}, {.start = other}};
    od_minimax best[2] = {{.best.start = start}, {.best.start = other}};
    for (int n = 0; n < 2; n++) {
        od_chain chain = {.what = "iteration",
                          .dim = n == 0 ? 2 : D,
                          .steps = K,
                          .affine = true,
                          .step = diagonal_step,
                          .jvp = diagonal_jvp,
                          .vjp = diagonal_jvp,
                          .data = a};
        solve(*state, &chain, n == 0 ? plane : y, weight, &least[n], &rms[n], &best[n]);
    }
    check_relative(rms[1], rms[0], 1e-10);
    check_relative(least[1].radius, least[0].radius, 1e-9);
    check_relative(best[1].best.radius, best[0].best.radius, 1e-9);
    check_relative(best[1].lower, best[0].lower, 1e-9);
    check_relative(best[0].lower, best[0].best.radius, 1e-9);
    free(y);
    free(plane);
}

/* ------------------------------------------------------------------------------------------- failures */

typedef struct failing {
    affine map;
    int left;
    od_status status;
} failing;

static od_status failing_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    failing *f = chain->data;
    od_chain inner = affine_chain(&f->map, chain->steps);
    return f->left-- > 0 ? affine_step(&inner, k, z, next) : f->status;
}

static od_status failing_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    failing *f = chain->data;
    od_chain inner = affine_chain(&f->map, chain->steps);
    return f->left-- > 0 ? affine_jvp(&inner, k, z, m, u, ju) : f->status;
}

static void a_callback_that_fails_ends_the_search(void **state)
{
    const double a[4] = {0.9, 0.2, -0.3, 1.1}, weight[2] = {1, 1}, y[12] = {1, 2, 0, 1, 3, 2, 1, 1, 0, 4, 1, 1};
    for (int round = 0; round < 4; round++) {
        const od_status want = round % 2 == 0 ? OD_EUSER : OD_EDIVERGED;
        int count = 0;
        for (bool done = false; !done; count++) {
            failing f = {{2, a, NULL, 0}, count, want};
            od_chain chain = affine_chain(&f.map, 5);
            chain.data = &f;
            chain.step = failing_step;
            chain.jvp = failing_jvp;
            chain.affine = round < 2;
            const od_target target = {y, weight};
            od_shooting *s;
            double start[2], rms;
            od_shadow least = {.start = start};
            od_minimax best = {.best.start = start};
            check_done(*state, od_shooting_create(*state, &chain, &target, &s) == OD_OK);
            od_status status = od_shadow_least_squares(*state, s, &least, &rms);
            status = status == OD_OK ? od_shadow_minimax(*state, s, &best) : status;
            /* a search that goes on where a trial diverged may still succeed */
            done = f.left >= 0;
            assert_true(status == (done ? OD_OK : want) || (want == OD_EDIVERGED && status == OD_OK));
            if (status != OD_OK) {
                check_message(*state, "of the iteration");
            }
            od_shooting_free(s);
            assert_true(count < 3000);
        }
        assert_true(count > 50);
    }
}

static void impossible_questions_are_refused(void **state)
{
    const double a = 0.5, none = 0, negative = -1, one = 1, y[2] = {1, 2}, bad[2] = {1, NAN};
    affine f = {1, &a, NULL, 0};
    od_chain chain = affine_chain(&f, 1);
    od_shooting *s;
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &none}, &s), OD_EINVAL);
    check_message(*state, "all weights are 0");
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &negative}, &s), OD_EINVAL);
    check_message(*state, "weight 0 is -1");
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){bad, &one}, &s), OD_EDIVERGED);
    check_message(*state, "diverged");
    chain.jvp = NULL;
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &one}, &s), OD_EUNSUPPORTED);
    check_message(*state, "derivative");
    assert_null(s);
    chain.dim = 100000;
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &one}, &s), OD_EUNSUPPORTED);
    check_message(*state, "take fewer dimensions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(no_orbit_is_nearer_and_none_below_the_bound),
        test_with_context(any_multipliers_give_a_bound),
        test_with_context(neighbours_are_orthonormal),
        test_with_context(orbits_of_many_steps_and_dimensions),
        test_with_context(a_callback_that_fails_ends_the_search),
        test_with_context(impossible_questions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
