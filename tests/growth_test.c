/*
 * Growth of directions along tracks: maps with known eigenvalues and exponents, and what optimizers end in.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "chains.h"

/* hb-spectrum/...: moduli of the eigenvalues; products of 25 to 4000 Jacobians, the longest of which underflow. */
static void heavy_ball_grows_by_its_eigenvalues(void **state)
{
    od_context *ctx = *state;
    static const struct {
        double lambda, alpha, h, modulus[2];
    } references[] = {
        {1, 1, 0.2, {0.8944271909999159, 0.8944271909999159}},
        {5, 1, 0.2, {0.8944271909999159, 0.8944271909999159}},
        {0.5, 1, 0.2, {0.8944271909999159, 0.8944271909999159}},
        {-1, 1, 0.2, {1.1354065922853802, 0.7045934077146199}},
        {4, 0.3, 1, {1.938986691902975, 0.361013308097025}},
        {1, 4, 0.2, {0.9493237062523877, 0.21067629374761224}},
        {0.04, 0.0565685424949238, 1, {0.9713039985015383, 0.9713039985015383}},
    };
    for (size_t i = 0; i < 2 * sizeof references / sizeof *references; i++) {
        char method[128], problem[128];
        const double *modulus = references[i / 2].modulus;
        const uint64_t steps = i % 2 == 0 ? 25 : 4000;
        snprintf(method, sizeof method, "{name: heavy-ball, alpha: %.17g, step: %.17g}", references[i / 2].alpha,
                 references[i / 2].h);
        snprintf(problem, sizeof problem, "{name: quadratic, eigenvalues: [%.17g]}", references[i / 2].lambda);
        iteration it;
        open_iteration(ctx, &it, method, problem, steps);
        double *y = calloc(2 * (steps + 1), sizeof *y);
        od_track track = od_track_stored(y, 2, steps);
        od_growth growth;
        check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
        assert_int_equal(growth.count, 2);
        for (size_t j = 0; j < 2; j++) {
            check_close(growth.exponent[j], log(modulus[j]), 1e-13);
        }
        assert_int_equal(growth.unstable, modulus[0] > 1);
        assert_int_equal(growth.neutral, 0);
        od_growth_free(&growth);
        /* the same by factorisations alone: those of a complex pair take turns, so that only their sum is exact */
        it.chain.affine = false;
        check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
        for (size_t j = 0; j < 2; j++) {
            const bool pair = modulus[0] == modulus[1];
            check_close(growth.exponent[j], log(modulus[j]), pair ? 5 / (double)steps : 1e-12);
        }
        check_close(growth.exponent[0] + growth.exponent[1], log(modulus[0] * modulus[1]), 1e-12);
        od_growth_free(&growth);
        free(y);
        close_iteration(&it);
    }
}

/*
 * J. C. Sprott, Chaos and Time-Series Analysis (2003), table A.2: 0.41922 and -1.62319. Their sum is ln 0.3 at every
 * step. Means of 10^5 steps stray by some 1e-3; other published values differ in the fourth digit.
 */
static void henon_has_its_published_exponents(void **state)
{
    od_context *ctx = *state;
    enum { K = 100000 };
    plane_map map = {henon, henon_jacobian};
    od_chain chain = plane_chain(&map, 2, K);
    double y0[2] = {0.1, 0.1}, next[2];
    for (int k = 0; k < 100; k++) {
        henon(0, y0, next);
        memcpy(y0, next, sizeof y0);
    }
    double *y = orbit_of(&chain, y0);
    od_track track = od_track_stored(y, 2, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &chain, &track, 0, &growth) == OD_OK);
    check_close(growth.exponent[0], 0.41922, 4e-3);
    check_close(growth.exponent[1], -1.62319, 4e-3);
    check_close(growth.exponent[0] + growth.exponent[1], log(0.3), 1e-12);
    assert_int_equal(growth.unstable, 1);
    od_growth_free(&growth);
    free(y);
}

static void logistic(uint64_t k, const double *z, double *next)
{
    (void)k;
    next[0] = 4 * z[0] * (1 - z[0]);
}

static void logistic_jacobian(const double *z, double j[4])
{
    j[0] = 4 - 8 * z[0];
}

/*
 * With x = sin^2 a the map doubles a, and the product of derivatives over K steps is 2^K |sin 2 a_K / sin 2 a_0|: the
 * exponent is ln 2 up to that logarithm over K, which is known from the ends.
 */
static void logistic_grows_by_two(void **state)
{
    od_context *ctx = *state;
    enum { K = 20000 };
    plane_map map = {logistic, logistic_jacobian};
    od_chain chain = plane_chain(&map, 1, K);
    const double y0 = 0.2385;
    double *y = orbit_of(&chain, &y0);
    const double yk = y[K];
    od_track track = od_track_stored(y, 1, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &chain, &track, 0, &growth) == OD_OK);
    const double ends = log(sqrt(yk * (1 - yk)) / sqrt(y0 * (1 - y0)));
    /* rounding near x = 1 changes the derivative there relatively by up to 1e-8, once in 10^4 steps */
    check_close(growth.exponent[0], log(2) + ends / K, 1e-9);
    assert_int_equal(growth.unstable, 1);
    od_growth_free(&growth);
    free(y);
}

/* At h lambda = 1 the Jacobian is singular; at lambda = 0 a direction neither grows nor shrinks. */
static void singular_and_neutral_directions_are_named(void **state)
{
    od_context *ctx = *state;
    enum { K = 50, D = 4 };
    const double lambda[D] = {5, 0, 2.385, -0.3}, y0[D] = {1, -1, 0.7, 0.3};
    iteration it;
    open_iteration(ctx, &it, "{name: gradient, step: 0.2}", "{name: quadratic, eigenvalues: [5, 0, 2.385, -0.3]}", K);
    double *y = gradient_flow(D, lambda, y0, 0.2, K);
    od_track track = od_track_stored(y, D, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
    check_close(growth.exponent[0], log(1.06), 1e-14);
    check_close(growth.exponent[1], 0, 1e-14);
    check_close(growth.exponent[2], log(1 - 0.2 * 2.385), 1e-13);
    assert_true(growth.exponent[3] == -INFINITY);
    assert_int_equal(growth.singular, 1);
    assert_int_equal(growth.unstable, 1);
    assert_int_equal(growth.neutral, 1);
    check_close(fabs(growth.start[3]), 1, 1e-14);
    check_close(fabs(growth.end[3]), 1, 1e-14);
    od_growth_free(&growth);
    free(y);
    close_iteration(&it);
}

/* Rotated, the entries of I - h H do not cancel to the last bit, and still the direction is taken to 0. */
static void a_rotated_singular_direction_is_named(void **state)
{
    od_context *ctx = *state;
    enum { K = 30, D = 3 };
    iteration it;
    open_iteration(ctx, &it, "{name: gradient, step: 0.2}",
                   "{name: quadratic, eigenvalues: [5, 2.385, -0.3], rotation: 7}", K);
    const double y[(K + 1) * D] = {0};
    od_track track = od_track_stored(y, D, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
    check_close(growth.exponent[0], log(1.06), 1e-14);
    check_close(growth.exponent[1], log(1 - 0.2 * 2.385), 1e-13);
    assert_true(growth.exponent[2] == -INFINITY);
    od_growth_free(&growth);
    close_iteration(&it);
}

/* NAG forgets its velocity at k = 0 and 1, so as many directions vanish as x has; no other may be lost with them. */
static void nesterov_at_a_minimum_has_no_unstable_direction(void **state)
{
    od_context *ctx = *state;
    enum { K = 400, D = 4 };
    iteration it;
    open_iteration(ctx, &it, "{name: nesterov, step: 0.1}", "{name: quadratic, eigenvalues: [2.385, 0.7]}", K);
    double *y = calloc((K + 1) * D, sizeof *y);
    y[0] = 1;
    y[1] = -0.7;
    for (uint64_t k = 0; k < K; k++) {
        it.chain.step(&it.chain, k, y + k * D, y + (k + 1) * D);
        y[(k + 1) * D] += 1e-3 * sin((double)k);
    }
    od_track track = od_track_stored(y, D, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
    assert_int_equal(growth.unstable, 0);
    assert_true(growth.exponent[0] < 0 && growth.exponent[1] > -1);
    assert_true(growth.exponent[2] == -INFINITY && growth.exponent[3] == -INFINITY);
    assert_int_equal(growth.singular, 2);
    od_space_angle angle;
    assert_int_equal(od_space_angle_find(ctx, &it.chain, &track, &growth, &angle), OD_OK);
    assert_true(isnan(angle.radians));
    assert_string_equal(angle.missing, "no direction is unstable");
    /* the splitting then is the orbit from the same start */
    od_split_orbit orbit;
    check_done(ctx, od_split_find(ctx, &it.chain, &track, &growth, NULL, &orbit) == OD_OK);
    double z[D], next[D], most = 0;
    memcpy(z, y, sizeof z);
    for (uint64_t k = 0; k < K; k++) {
        it.chain.step(&it.chain, k, z, next);
        memcpy(z, next, sizeof z);
        most = fmax(most, distance(D, z, y + (k + 1) * D));
    }
    check_relative(orbit.radius, most, 1e-14);
    od_split_free(&orbit);
    od_growth_free(&growth);
    free(y);
    close_iteration(&it);
}

static void what_has_no_derivative_is_refused(void **state)
{
    od_context *ctx = *state;
    plane_map map = {henon, henon_jacobian};
    od_chain chain = plane_chain(&map, 2, 3);
    const double y[8] = {0};
    od_track track = od_track_stored(y, 2, 3);
    od_growth growth;
    chain.jvp = NULL;
    assert_int_equal(od_growth_find(ctx, &chain, &track, 0, &growth), OD_EUNSUPPORTED);
    check_message(ctx, "has no derivative");
}

/* x_i+ = rate_i x_i, whose derivative is no number at step `lost`. */
typedef struct scaling {
    const double *rate;
    uint64_t lost;
} scaling;

static od_status scale(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    (void)z;
    const scaling *s = chain->data;
    for (size_t i = 0; i < m * chain->dim; i++) {
        ju[i] = s->rate[i % chain->dim] * u[i];
    }
    ju[0] = k == s->lost ? INFINITY : ju[0];
    return OD_OK;
}

static od_status at_rest(od_track *track, uint64_t k, double *y)
{
    (void)k;
    memset(y, 0, track->dim * sizeof *y);
    return OD_OK;
}

/* How many directions are followed: all that are cheap; else a few, and more until one is stable. Rates are far from 1
 * or each other by a factor, so that a few products tell them apart. */
static void as_many_directions_as_it_takes(void **state)
{
    enum { MOST = 230 };
    static const struct {
        size_t dim, growing, columns, followed;
        uint64_t steps;
        bool affine, transposed;
    } cases[] = {
        {30, 2, 0, 30, 40, true, true},    /* all */
        {30, 2, 5, 5, 40, true, true},     /* as many as asked for */
        {30, 2, 31, 30, 40, true, true},   /* no more than there are */
        {30, 9, 4, 16, 40, true, true},    /* twice as many until one is stable */
        {200, 2, 0, 8, 50001, true, true}, /* all would take more than 2e9 numbers */
        {230, 2, 0, 4, 40, true, true},    /* more than are held as a matrix */
        {230, 3, 200, 200, 40, true, true}, {230, 230, 100, 230, 3, true, true}, /* none is stable */
        {230, 2, 0, 4, 40, false, false},                                        /* forward alone */
        {30, 2, 0, 30, 40, false, false},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const size_t dim = cases[c].dim;
        double rate[MOST];
        for (size_t i = 0; i < dim; i++) {
            rate[i] = cases[c].steps > 1000  ? 1 + 4e-4 * (1.5 - (double)i)
                      : i < cases[c].growing ? 1.01 + 3 * pow(0.6, (double)i)
                                             : 0.8 * pow(0.6, (double)(i % 20));
        }
        scaling s = {rate, UINT64_MAX};
        od_chain chain = {.what = "iteration",
                          .dim = dim,
                          .steps = cases[c].steps,
                          .affine = cases[c].affine,
                          .jvp = scale,
                          .vjp = cases[c].transposed ? scale : NULL,
                          .data = &s};
        od_track track = {.dim = dim, .steps = cases[c].steps, .at = at_rest};
        od_growth growth;
        od_space_angle angle;
        check_done(*state, od_growth_find(*state, &chain, &track, cases[c].columns, &growth) == OD_OK);
        assert_int_equal(growth.count, cases[c].followed);
        assert_int_equal(growth.unstable, cases[c].growing);
        check_close(growth.exponent[0], log(rate[0]), 0.1);
        if (cases[c].growing == 2) {
            check_close(growth.exponent[1], log(rate[1]), 0.1);
        }
        check_done(*state, od_space_angle_find(*state, &chain, &track, &growth, &angle) == OD_OK);
        if (cases[c].growing == dim) {
            assert_string_equal(angle.missing, "every direction is unstable");
        } else if (!cases[c].transposed) {
            assert_string_equal(angle.missing, "products with the transposed Jacobian are not available");
        } else {
            assert_null(angle.missing); /* eigenvectors are orthogonal */
            check_close(angle.radians, acos(0), 1e-6);
        }
        od_growth_free(&growth);
    }
}

static void derivatives_that_are_no_numbers_are_named(void **state)
{
    const double rate[2] = {1.2, 0.7};
    static const uint64_t lost[] = {0, 4, 9};
    for (size_t i = 0; i < 3; i++) {
        scaling s = {rate, lost[i]};
        od_chain chain = {
            .what = "iteration", .dim = 2, .steps = 10, .affine = true, .jvp = scale, .vjp = scale, .data = &s};
        od_track track = {.dim = 2, .steps = 10, .at = at_rest};
        od_growth growth;
        char sentence[96];
        assert_int_not_equal(od_growth_find(*state, &chain, &track, 0, &growth), OD_OK);
        snprintf(sentence, sizeof sentence, "the iteration or its derivative cannot be evaluated at step %d",
                 (int)lost[i]);
        check_message(*state, sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(heavy_ball_grows_by_its_eigenvalues),
        test_with_context(henon_has_its_published_exponents),
        test_with_context(logistic_grows_by_two),
        test_with_context(singular_and_neutral_directions_are_named),
        test_with_context(a_rotated_singular_direction_is_named),
        test_with_context(nesterov_at_a_minimum_has_no_unstable_direction),
        test_with_context(what_has_no_derivative_is_refused),
        test_with_context(as_many_directions_as_it_takes),
        test_with_context(derivatives_that_are_no_numbers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
