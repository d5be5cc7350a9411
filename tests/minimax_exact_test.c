/*
 * The nearest orbits of linear chains: closed forms, published and independently computed radii.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "nearest.h"

#include "analysis/cones.h"
#include "analysis/shooting.h"

/* ------------------------------------------------------------------------------------------- quadratics */

/* Gradient descent and the exact flow of a diagonal quadratic in the plane; `flow`: an orbit of the flow shadows. */
static void check_quadratic(od_context *ctx, const double eigenvalue[2], double h, const double x0[2], uint64_t steps,
                            bool flow, double least_want, double want, double tolerance)
{
    double y[2 * 61], a[4] = {0}, start[2], other[2], rms;
    const double weight[2] = {1, 1};
    for (uint64_t k = 0; k <= steps; k++) {
        for (size_t i = 0; i < 2; i++) {
            y[2 * k + i] = x0[i] * (flow ? pow(1 - h * eigenvalue[i], (double)k) : exp(-eigenvalue[i] * h * (double)k));
        }
    }
    for (size_t i = 0; i < 2; i++) {
        a[3 * i] = flow ? exp(-eigenvalue[i] * h) : 1 - h * eigenvalue[i];
    }
    affine f = {2, a, NULL, 0};
    od_chain chain = affine_chain(&f, steps);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(ctx, &chain, y, weight, &least, &rms, &best);
    if (!isnan(least_want)) {
        check_relative(least.radius, least_want, 1e-5);
    }
    check_close(best.best.radius, want, tolerance);
    check_close(best.lower, want, tolerance);
    check_close(best.lower, best.best.radius, 1e-12 * want);
    check_close(best.best.defect, 0, 0);
    assert_true(best.active_count >= 2);
}

/* To half a unit of the last published digit. */
static void published_radii_of_two_quadratics(void **state)
{
    const double bowl[2] = {2, 1}, bowl_x0[2] = {2, 2}, saddle[2] = {-1.27, 2}, saddle_x0[2] = {2, 4.5};
    check_quadratic(*state, bowl, 0.2, bowl_x0, 30, false, 0.16574, 0.147282622958, 5e-13);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 14, false, 0.289417, 0.229617959508, 5e-13);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 59, false, 95.9111, 59.8044872727, 5e-11);
    check_quadratic(*state, bowl, 0.2, bowl_x0, 30, true, NAN, 0.1387550104, 5e-11);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 14, true, NAN, 0.2144111829, 5e-11);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 59, true, NAN, 39.20759396, 5e-9);
}

/* f = sign x^2/2: the best start and radius, by linear programming elsewhere. */
static void one_dimension_has_the_radii_of_the_references(void **state)
{
    static const struct {
        double lambda, h, y0;
        uint64_t steps;
        double start, radius;
    } cases[] = {
        {1, 0.1, 1, 400, 1.0146321297953669, 0.014632129795366816},
        {1, 0.5, 1, 100, 1.0943035529371539, 0.09430355293715385},
        {1, 0.2, 1, 200, 1.0309395852709375, 0.030939585270937466},
        {-1, 0.2, 1, 7, 1.1029894275269863, 0.10298942752698619},
        {-1, 0.2, 1, 20, 1.3879723160910715, 1.386622672598134},
        {-0.5, 0.1, 0.01, 50, 0.010551377348231547, 0.0008280772645180962},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double y[401], start, other, rms;
        const double a = 1 - cases[c].h * cases[c].lambda, weight = 1;
        for (uint64_t k = 0; k <= cases[c].steps; k++) {
            y[k] = cases[c].y0 * exp(-cases[c].lambda * cases[c].h * (double)k);
        }
        affine f = {1, &a, NULL, 0};
        od_chain chain = affine_chain(&f, cases[c].steps);
        od_shadow least = {.start = &other};
        od_minimax best = {.best.start = &start};
        solve(*state, &chain, y, &weight, &least, &rms, &best);
        check_relative(best.best.radius, cases[c].radius, 1e-12);
        check_relative(best.lower, cases[c].radius, 1e-12);
        check_relative(start, cases[c].start, 1e-12);
    }
}

/* exp(t [[0, 1], [-1, -alpha]]) (q, p), alpha < 2 */
static void oscillate(double alpha, double t, const double z[2], double out[2])
{
    const double w = sqrt(1 - alpha * alpha / 4), e = exp(-alpha * t / 2), c = cos(w * t), s = sin(w * t) / w;
    out[0] = e * (z[0] * (c + alpha / 2 * s) + z[1] * s);
    out[1] = e * (z[1] * (c - alpha / 2 * s) - z[0] * s);
}

/* x_{k+1} = x_k + h v_{k+1}, v_{k+1} = (1 - alpha h) v_k - h x_k: position norm, start velocity free. */
static void heavy_ball_has_the_position_radius_of_the_references(void **state)
{
    static const struct {
        double h;
        uint64_t steps;
        double x, v, radius;
        uint64_t active[3];
    } cases[] = {
        {0.2, 200, 0.9950485228793141, 0.23019729191990945, 0.022954023059519345, {3, 4, 21}},
        {0.1, 400, 1.0000032158514263, 0.09834868144193053, 0.011161369506141387, {6, 7, 42}},
    };
    for (size_t c = 0; c < 2; c++) {
        double y[2 * 401], start[2], other[2], rms;
        const double h = cases[c].h, z0[2] = {1, 0}, weight[2] = {1, 0};
        const double a[4] = {1 - h * h, h * (1 - h), -h, 1 - h};
        for (uint64_t k = 0; k <= cases[c].steps; k++) {
            oscillate(1, h * (double)k, z0, y + 2 * k);
        }
        affine f = {2, a, NULL, 0};
        od_chain chain = affine_chain(&f, cases[c].steps);
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        check_relative(best.best.radius, cases[c].radius, 1e-11);
        check_relative(best.lower, cases[c].radius, 1e-11);
        check_relative(start[0], cases[c].x, 1e-10);
        check_relative(start[1], cases[c].v, 1e-9);
        assert_int_equal(best.active_count, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(best.active[i], cases[c].active[i]);
        }
    }
}

/* ------------------------------------------------------------------------------------------- closed forms */

/* min over c of max_k |r_k + a_k c| is the largest over pairs, by linear programming's duality. */
static double radius_of_pairs(size_t n, const double *r, const double *a)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            const double size = fabs(a[i]) + fabs(a[j]);
            most = size > 0 ? fmax(most, fabs(r[i] * a[j] - r[j] * a[i]) / size) : most;
        }
        most = a[i] == 0 ? fmax(most, fabs(r[i])) : most;
    }
    return most;
}

/* For two parameters: the largest over triples of |det(r, a, b)| over the sum of the minors, if those are no rounding.
 */
static double radius_of_triples(size_t n, const double *r, const double *a, const double *b)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            for (size_t k = 0; k < j; k++) {
                const double x = a[j] * b[k] - a[k] * b[j], y = a[k] * b[i] - a[i] * b[k],
                             z = a[i] * b[j] - a[j] * b[i];
                const double size = fabs(x) + fabs(y) + fabs(z);
                const double whole = (fabs(a[i]) + fabs(a[j]) + fabs(a[k])) * (fabs(b[i]) + fabs(b[j]) + fabs(b[k]));
                most = size > 1e-9 * whole ? fmax(most, fabs(r[i] * x + r[j] * y + r[k] * z) / size) : most;
            }
        }
    }
    return most;
}

/* Also where a is so large that no start in doubles leads to the end: there the orbits are told from the end. */
static void lines_have_the_radius_of_their_pairs(void **state)
{
    static const double factors[] = {0.6, 1, -1, 1.02, 0, 3.1, 37.5, -0.985};
    uint64_t random = 5;
    for (size_t c = 0; c < sizeof factors / sizeof *factors; c++) {
        enum { K = 120 };
        double y[K + 1], r[K + 1], a[K + 1], start, other, rms;
        const double weight = 1.7, factor = factors[c];
        affine f = {1, &factor, NULL, 0};
        od_chain chain = affine_chain(&f, K);
        for (size_t k = 0; k <= K; k++) {
            y[k] = between(&random, -1, 1) + 0.3;
        }
        /* from the end the orbit of y_K backwards, else the one of y_0 */
        const bool backwards = fabs(factor) > 1;
        double x = backwards ? y[K] : y[0], size = weight;
        for (size_t n = 0; n <= K; n++) {
            const size_t k = backwards ? K - n : n;
            r[k] = weight * (x - y[k]);
            a[k] = size;
            x = backwards ? x / factor : x * factor;
            size = backwards ? size / factor : size * factor;
        }
        od_shadow least = {.start = &other};
        od_minimax best = {.best.start = &start};
        solve(*state, &chain, y, &weight, &least, &rms, &best);
        const double want = radius_of_pairs(K + 1, r, a);
        check_relative(best.best.radius, want, 1e-12);
        check_relative(best.lower, want, 1e-12);
        if (fabs(factor) > 3) {
            assert_true(best.best.defect > 0);
        } else {
            check_close(best.best.defect, 0, 0);
        }
        assert_true(best.best.defect < 1e-15);
    }
}

static void positions_have_the_radius_of_their_triples(void **state)
{
    uint64_t random = 17;
    for (int c = 0; c < 40; c++) {
        enum { K = 60 };
        const uint64_t steps = c < 5 ? 1 + (uint64_t)c : K;
        const double beta = c % 4 == 0 ? 1 : between(&random, 0, 1);
        const double z = c % 3 == 0 ? 2 * (1 + beta) : between(&random, -0.1, 2 * (1 + beta));
        const double map[4] = {1 - z, beta, -z, beta}, weight[2] = {1, 0};
        double y[2 * (K + 1)], r[K + 1], a[K + 1], b[K + 1], start[2], other[2], rms;
        affine f = {2, map, NULL, 0};
        od_chain chain = affine_chain(&f, steps);
        double u[2] = {1, 0}, v[2] = {0, 1}, next[2];
        for (size_t k = 0; k <= steps; k++) {
            y[2 * k] = between(&random, -1, 1);
            y[2 * k + 1] = between(&random, -9, 9);
            r[k] = -y[2 * k];
            a[k] = u[0];
            b[k] = v[0];
            affine_step(&chain, k, u, next);
            memcpy(u, next, sizeof u);
            affine_step(&chain, k, v, next);
            memcpy(v, next, sizeof v);
        }
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        const double want = radius_of_triples((size_t)steps + 1, r, a, b);
        check_close(best.best.radius, want, 1e-11 * want + 1e-14);
        check_close(best.lower, want, 1e-11 * want + 1e-14);
    }
}

/* Where the map forgets everything, x_k = b from k = 1 on. */
static void a_map_that_forgets_has_one_orbit(void **state)
{
    const double a[4] = {0}, b[2] = {0.25, -1}, weight[2] = {1, 2};
    const double y[8] = {5, 7, 1.25, -1, 0.25, -1.75, 0.25, -1.125};
    double start[2], other[2], rms;
    affine f = {2, a, b, 0};
    od_chain chain = affine_chain(&f, 3);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &chain, y, weight, &least, &rms, &best);
    check_close(best.best.radius, 1.5, 1e-14);
    check_close(best.lower, 1.5, 1e-12);
    assert_int_equal(best.best.at, 2);
    check_close(least.radius, 1.5, 1e-14);
    check_close(other[0], 5, 1e-13);
    check_close(other[1], 7, 1e-13);
    check_close(rms, sqrt((1 + 1.5 * 1.5 + 0.25 * 0.25) / 4), 1e-14);
}

static void an_orbit_shadows_itself(void **state)
{
    uint64_t random = 3;
    for (uint64_t steps = 1; steps < 300; steps = 3 * steps + 1) {
        const double a[4] = {0.9, 0.2, -0.3, 0.95}, weight[2] = {1, 1};
        double y[2 * 300], start[2], other[2], rms;
        affine f = {2, a, NULL, 0};
        od_chain chain = affine_chain(&f, steps);
        y[0] = between(&random, -3, 3);
        y[1] = between(&random, -3, 3);
        for (uint64_t k = 0; k < steps; k++) {
            affine_step(&chain, k, y + 2 * k, y + 2 * k + 2);
        }
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        check_close(best.best.radius, 0, 0);
        check_close(best.lower, 0, 0);
        check_close(best.best.defect, 0, 0);
        check_close(start[0], y[0], 0);
        assert_int_equal(best.active_count, 0);
    }
}

/* Multipliers that are not the best still bound: with equal ones, the bound is the least mean square. */

/* min over c of max_k |c - p_k| is the centre of the smallest circle around points: of three on a circle that no half
 * of it holds, that circle's; within a ball around 0 the nearest point of it. */
static void the_smallest_circle_needs_no_ball(void **state)
{
    (void)state;
    const double angle[3] = {0.3, 2.5, 4.4}, centre[2] = {2.385, -0.7}, size = hypot(centre[0], centre[1]);
    static const double reach[] = {INFINITY, 10, 1};
    for (size_t i = 0; i < 3; i++) {
        od_cones cones = {.d = 2};
        for (size_t k = 0; k < 3; k++) {
            double *block, *residual;
            assert_true(od_cones_add(&cones, &block, &residual));
            block[0] = block[3] = 1;
            block[1] = block[2] = 0;
            residual[0] = -centre[0] - 1.5 * cos(angle[k]);
            residual[1] = -centre[1] - 1.5 * sin(angle[k]);
            od_cones_set(&cones, k);
        }
        double c[2], radius;
        assert_true(od_cones_solve(&cones, reach[i], c, &radius));
        if (reach[i] > size) {
            check_close(radius, 1.5, 1e-8);
            check_close(c[0], centre[0], 1e-6);
            check_close(c[1], centre[1], 1e-6);
            check_close(od_cones_bound(&cones, reach[i]), 1.5, 1e-7);
        } else {
            check_close(hypot(c[0], c[1]), reach[i], 1e-6);
            double farthest =
                0; /* of the ball's point in the direction of the centre, which is not far from the best */
            for (size_t k = 0; k < 3; k++) {
                farthest = fmax(farthest, hypot(centre[0] + 1.5 * cos(angle[k]) - centre[0] / size,
                                                centre[1] + 1.5 * sin(angle[k]) - centre[1] / size));
            }
            assert_true(radius > 1.5 && radius <= farthest);
            assert_true(od_cones_bound(&cones, reach[i]) <= radius * (1 + 1e-9));
        }
        od_cones_free(&cones);
    }
}

/* Where multipliers are more than there is room for, the largest ones are named. */
static void the_largest_multipliers_are_named(void **state)
{
    (void)state;
    enum { COUNT = 200, ROOM = 64 };
    double weight[COUNT];
    uint64_t step[COUNT];
    od_minimax found = {0};
    for (size_t k = 0; k < COUNT; k++) {
        weight[k] = k % 10 == 3 ? 0.04 : 1e-4;
        step[k] = 5000 - 7 * k;
    }
    od_minimax_name_active(&found, COUNT, step, weight);
    assert_int_equal(found.active_count, COUNT / 10);
    for (size_t i = 0; i < found.active_count; i++) {
        assert_int_equal(found.active[i], 5000 - 7 * (COUNT - 7 - 10 * i));
    }
    od_minimax_name_active(&found, ROOM, NULL, weight);
    assert_int_equal(found.active_count, ROOM);
    assert_int_equal(found.active[ROOM - 1], ROOM - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(published_radii_of_two_quadratics),
        test_with_context(one_dimension_has_the_radii_of_the_references),
        test_with_context(heavy_ball_has_the_position_radius_of_the_references),
        test_with_context(lines_have_the_radius_of_their_pairs),
        test_with_context(positions_have_the_radius_of_their_triples),
        test_with_context(a_map_that_forgets_has_one_orbit),
        test_with_context(an_orbit_shadows_itself),
        cmocka_unit_test(the_smallest_circle_needs_no_ball),
        cmocka_unit_test(the_largest_multipliers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
