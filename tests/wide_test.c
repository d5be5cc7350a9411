/*
 * Nearest orbits by products alone, against those by dense matrices, and against bounds that any orbit must keep.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/shooting.h"

enum { DIM = 70, ROWS = 150, STEPS = 24, SEEDS = 4 };

/* ------------------------------------------------------------------------------------------- chains */

/*
 * Gradient descent on sum_r ln cosh <a_r, z>/ROWS + <z, D z>/2, D diagonal: of curvature between D and D plus that of
 * the rows. `linear` has <a_r, z>^2/2 in place of the first. A callback fails when `left` runs out.
 */
typedef struct descent {
    double row[ROWS][DIM], curvature[DIM], h;
    bool linear;
    int left;
} descent;

static od_status descend(od_chain *chain, uint64_t k, const double *z, double *next)
{
    descent *f = chain->data;
    (void)k;
    for (size_t i = 0; i < DIM; i++) {
        next[i] = z[i] - f->h * f->curvature[i] * z[i];
    }
    for (size_t r = 0; r < ROWS; r++) {
        double t = 0;
        for (size_t i = 0; i < DIM; i++) {
            t += f->row[r][i] * z[i];
        }
        for (size_t i = 0; i < DIM; i++) {
            next[i] -= f->h / ROWS * (f->linear ? t : tanh(t)) * f->row[r][i];
        }
    }
    return f->left-- > 0 ? OD_OK : OD_EUSER;
}

/* The derivative is symmetric. */
static od_status descend_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    descent *f = chain->data;
    (void)k;
    for (size_t n = 0; n < m * DIM; n++) {
        ju[n] = u[n] - f->h * f->curvature[n % DIM] * u[n];
    }
    for (size_t r = 0; r < ROWS; r++) {
        double t = 0;
        for (size_t i = 0; i < DIM; i++) {
            t += f->row[r][i] * z[i];
        }
        const double bend = f->linear ? 1 : 1 - tanh(t) * tanh(t);
        for (size_t j = 0; j < m; j++) {
            double along = 0;
            for (size_t i = 0; i < DIM; i++) {
                along += f->row[r][i] * u[j * DIM + i];
            }
            for (size_t i = 0; i < DIM; i++) {
                ju[j * DIM + i] -= f->h / ROWS * bend * along * f->row[r][i];
            }
        }
    }
    return f->left-- > 0 ? OD_OK : OD_EUSER;
}

typedef struct sample {
    descent f;
    od_chain chain;
    double y[(STEPS + 1) * DIM], weight[DIM];
} sample;

/* States that are an orbit but for local errors of some per cent; `unstable` directions grow. */
static void draw(sample *s, unsigned seed, bool linear, size_t unstable)
{
    s->f = (descent){.h = 0.6, .linear = linear, .left = 1 << 30};
    for (size_t i = 0; i < DIM; i++) {
        const double u = od_uniform(seed, OD_STREAM_CHECK, 0, i, 0);
        s->f.curvature[i] = i < unstable ? -0.2 * u : pow(10, -2.5 * u);
        s->weight[i] = 0.5 + od_uniform(seed, OD_STREAM_CHECK, 1, i, 0);
        s->y[i] = od_normal(seed, OD_STREAM_CHECK, 2, i, 0);
        for (size_t r = 0; r < ROWS; r++) {
            s->f.row[r][i] = od_normal(seed, OD_STREAM_CHECK, 3, i, r) / (1 + 0.3 * (double)i);
        }
    }
    s->chain = (od_chain){.what = "iteration",
                          .dim = DIM,
                          .steps = STEPS,
                          .affine = linear,
                          .step = descend,
                          .jvp = descend_jvp,
                          .vjp = descend_jvp,
                          .data = &s->f};
    for (uint64_t k = 0; k < STEPS; k++) {
        descend(&s->chain, k, s->y + k * DIM, s->y + (k + 1) * DIM);
        for (size_t i = 0; i < DIM; i++) {
            s->y[(k + 1) * DIM + i] += 0.02 * od_normal(seed, OD_STREAM_CHECK, 4, i, k) + 0.01 * s->y[k * DIM + i];
        }
    }
}

/* Of the orbit from x0; the radius, and with `sum` the sum of squares. */
static double radius_of(sample *s, const double *x0, double *sum)
{
    double x[DIM], next[DIM], most = 0;
    memcpy(x, x0, sizeof x);
    *sum = 0;
    for (uint64_t k = 0; k <= STEPS; k++) {
        double square = 0;
        for (size_t i = 0; i < DIM; i++) {
            square += pow(s->weight[i] * (x[i] - s->y[k * DIM + i]), 2);
        }
        *sum += square;
        most = fmax(most, sqrt(square));
        descend(&s->chain, k, x, next);
        memcpy(x, next, sizeof x);
    }
    return most;
}

typedef struct answer {
    double least_start[DIM], start[DIM], rms;
    od_shadow least;
    od_minimax best;
} answer;

static void solve(od_context *ctx, sample *s, bool wide, answer *a)
{
    const od_target target = {s->y, s->weight};
    od_shooting *dense = NULL;
    od_wide *products = NULL;
    *a = (answer){0};
    a->least.start = a->least_start;
    a->best.best.start = a->start;
    if (wide) {
        check_done(ctx, od_wide_create(ctx, &s->chain, &target, &products) == OD_OK);
        check_done(ctx, od_wide_least_squares(ctx, products, &a->least, &a->rms) == OD_OK);
        check_done(ctx, od_wide_minimax(ctx, products, &a->best) == OD_OK);
    } else {
        check_done(ctx, od_shooting_create(ctx, &s->chain, &target, &dense) == OD_OK);
        assert_null(dense->wide);
        check_done(ctx, od_shadow_least_squares(ctx, dense, &a->least, &a->rms) == OD_OK);
        check_done(ctx, od_shadow_minimax(ctx, dense, &a->best) == OD_OK);
    }
    od_wide_free(products);
    od_shooting_free(dense);
}

/* ------------------------------------------------------------------------------------------- tests */

/* Both are exact here, the one up to the accuracy that it stops at. */
static void linear_chains_have_the_radii_of_dense_matrices(void **state)
{
    static sample s;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        answer a, b;
        draw(&s, seed, true, seed % 4);
        solve(*state, &s, false, &a);
        solve(*state, &s, true, &b);
        check_relative(b.rms, a.rms, 1e-9);
        check_relative(b.least.radius, a.least.radius, 1e-4);
        check_relative(b.best.best.radius, a.best.best.radius, 2e-8);
        check_relative(b.best.lower, a.best.best.radius, 2e-8);
        check_close(b.best.lower, b.best.local_lower, 0);
        assert_true(b.best.active_count >= 2);
    }
}

/* Both find local minima from the same starts, and stop when steps gain less than their accuracy. */
static void curved_chains_have_the_radii_of_dense_matrices(void **state)
{
    static sample s;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        answer a, b;
        draw(&s, seed, false, seed % 4);
        solve(*state, &s, false, &a);
        solve(*state, &s, true, &b);
        check_relative(b.rms, a.rms, 2e-5);
        check_relative(b.best.best.radius, a.best.best.radius, 1e-5);
        check_relative(b.best.local_lower, a.best.best.radius, 1e-5);
        assert_true(a.best.local_lower <= b.best.best.radius * (1 + 1e-5));
        assert_true(isnan(b.best.lower));
    }
}

/* What is told is the orbit from the start that is told; none known is nearer, and none is below the bound. */
static void no_orbit_is_nearer_and_none_below_the_bound(void **state)
{
    static sample s;
    for (unsigned seed = 11; seed < 11 + SEEDS; seed++) {
        answer a;
        double sum, x[DIM];
        const bool linear = seed % 2 == 0;
        draw(&s, seed, linear, seed % 3);
        solve(*state, &s, true, &a);
        const double best = a.best.best.radius;
        check_relative(radius_of(&s, a.start, &sum), best, 1e-12);
        check_relative(radius_of(&s, a.least_start, &sum), a.least.radius, 1e-12);
        check_relative(sqrt(sum / (STEPS + 1)), a.rms, 1e-12);
        const double least = sum;
        assert_true(a.best.local_lower <= best && best <= a.least.radius && best <= radius_of(&s, s.y, &sum));
        assert_true(least <= sum);
        for (unsigned n = 0; n < 40; n++) { /* by every size, along what decides and across it */
            const double size = pow(10, -6 + 0.15 * n);
            for (size_t i = 0; i < DIM; i++) {
                x[i] = a.start[i] +
                       size * (n % 2 == 0 ? od_normal(seed, OD_STREAM_CHECK, 5, i, n) : a.start[i] - s.y[i]);
            }
            const double radius = radius_of(&s, x, &sum);
            assert_true(radius >= (linear ? a.best.lower : best * (1 - 2e-6)));
            assert_true(sum >= least * (1 - 4e-5));
        }
    }
}

/* The bound holds of starts anywhere in the ball where orbits could be nearer, however few directions were tried. */
static void a_search_cut_short_has_a_bound(void **state)
{
    static sample s;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        answer a;
        draw(&s, seed, true, seed % 4);
        solve(*state, &s, false, &a);
        const od_target target = {s.y, s.weight};
        double before = INFINITY;
        for (size_t most = 5; most <= 40; most += 5) {
            od_wide *w;
            od_minimax best = {.best.radius = NAN};
            check_done(*state, od_wide_create(*state, &s.chain, &target, &w) == OD_OK);
            w->most = most;
            check_done(*state, od_wide_minimax(*state, w, &best) == OD_OK);
            assert_true(best.lower <= a.best.best.radius * (1 + 1e-12));
            assert_true(best.best.radius >= a.best.best.radius * (1 - 1e-12));
            before = most == 5 ? (best.best.radius - best.lower) / best.best.radius : before;
            od_wide_free(w);
        }
        assert_true(before > 1e-4); /* else nothing was cut short */
    }
}

static void a_callback_that_fails_ends_the_search(void **state)
{
    static sample s;
    draw(&s, 3, false, 1);
    const od_target target = {s.y, s.weight};
    od_status status = OD_EUSER;
    int count = 0;
    for (; status != OD_OK; count += 1 + count / 4) {
        od_wide *w;
        od_shadow least = {.radius = NAN};
        od_minimax best = {.best.radius = NAN};
        double rms;
        s.f.left = count;
        check_done(*state, od_wide_create(*state, &s.chain, &target, &w) == OD_OK);
        status = od_wide_least_squares(*state, w, &least, &rms);
        status = status == OD_OK ? od_wide_minimax(*state, w, &best) : status;
        assert_true(status == (s.f.left >= 0 ? OD_OK : OD_EUSER));
        if (status != OD_OK) {
            check_message(*state, "of the iteration");
        }
        od_wide_free(w);
        assert_true(count < 1000000);
    }
    assert_true(count > 100);
}

/* Many components go this way, but not if one of them is free. */
static void wide_chains_are_recognised(void **state)
{
    enum { MANY = 300 };
    static double y[2 * MANY], weight[MANY];
    static descent f;
    for (size_t i = 0; i < MANY; i++) {
        weight[i] = 1;
    }
    od_chain chain = {.dim = MANY, .steps = 1, .step = descend, .jvp = descend_jvp, .vjp = descend_jvp, .data = &f};
    const od_target target = {y, weight};
    assert_true(od_wide_suits(&chain, &target));
    od_shooting *s;
    check_done(*state, od_shooting_create(*state, &chain, &target, &s) == OD_OK);
    assert_non_null(s->wide);
    od_shooting_free(s);
    weight[7] = 0;
    assert_false(od_wide_suits(&chain, &target));
    weight[7] = 1;
    chain.vjp = NULL;
    assert_false(od_wide_suits(&chain, &target));
    chain.vjp = descend_jvp;
    chain.dim = DIM;
    assert_false(od_wide_suits(&chain, &target));
    chain.dim = MANY;
    chain.steps = 1 << 30;
    od_wide *w;
    assert_int_equal(od_wide_create(*state, &chain, &target, &w), OD_EUNSUPPORTED);
    check_message(*state, "fewer iterations");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(linear_chains_have_the_radii_of_dense_matrices),
        test_with_context(curved_chains_have_the_radii_of_dense_matrices),
        test_with_context(no_orbit_is_nearer_and_none_below_the_bound),
        test_with_context(a_search_cut_short_has_a_bound),
        test_with_context(a_callback_that_fails_ends_the_search),
        test_with_context(wide_chains_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
