/*
 * Jacobi fields and conjugate points: times against references and closed forms found elsewhere, multiplicities,
 * kernels, and counts on random quadratics against the zeros of scalar closed forms (GSL's Bessel functions).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/dop853.h"
#include "analysis/jacobi.h"
#include "analysis/phases.h"
#include "quadratic_law.h"

static void law_weights(const void *user, double t, double a[2], double b[2])
{
    const law *w = user;
    a[0] = b[0] = w->kind == VISCOUS ? w->r * log(t) : w->r * t;
    a[1] = b[1] = w->kind == VISCOUS ? w->r / t : w->r;
}

static od_status law_hessian(const void *user, double t, double *h)
{
    const law *w = user;
    (void)t;
    for (size_t i = 0; i < w->d; i++) {
        for (size_t k = 0; k < w->d; k++) {
            h[i * w->d + k] = 0;
            for (size_t l = 0; l < w->d; l++) {
                h[i * w->d + k] += w->q[i * w->d + l] * w->lambda[l] * w->q[k * w->d + l];
            }
        }
    }
    return OD_OK;
}

static od_jacobi of_law(const law *w, double t1, double t2)
{
    return (od_jacobi){.d = w->d,
                       .t1 = t1,
                       .t2 = t2,
                       .weights = law_weights,
                       .hessian = law_hessian,
                       .user = w,
                       .constant = true,
                       .singular = w->kind == VISCOUS && t1 == 0,
                       .kernels = true,
                       .tolerance = 1e-13};
}

static law scalar_law(int kind, double r, double lambda)
{
    return (law){.kind = kind, .r = r, .d = 1, .lambda = {lambda}, .q = {1}};
}

static void check_two(od_context *ctx, const law *w, double t1, double first, double second, double tolerance)
{
    const od_jacobi j = of_law(w, t1, second * 1.01);
    od_conjugates found = {0};
    check_done(ctx, od_jacobi_conjugates(ctx, &j, &found) == OD_OK);
    assert_true(found.count >= 2);
    check_relative(found.point[0].t, first, tolerance);
    check_relative(found.point[1].t, second, tolerance);
    od_conjugates_free(&found);
}

/* References conj-nag, conj-tpow and conj-const, to 1e-13. */
static void the_first_two_points_are_those_of_the_references(void **state)
{
    static const struct {
        int kind;
        double r, lambda, t1, first, second;
    } cases[] = {
        {VISCOUS, 3, 0.25, 0.1, 7.6674147005475906, 14.03511070535964},
        {VISCOUS, 3, 0.25, 1, 7.997362058326069, 14.359920303389915},
        {VISCOUS, 3, 1, 0.1, 3.8396242843281407, 7.023375843732505},
        {VISCOUS, 3, 1, 1, 4.355687164040512, 7.53215755647818},
        {VISCOUS, 3, 1, 4, 7.181259547455794, 10.338519281698034},
        {VISCOUS, 3, 25, 0.1, 0.7997362058326069, 1.4359920303389915},
        {VISCOUS, 3, 100, 4, 4.31422749641234, 4.628445732833517},
        {VISCOUS, 3, 1, 0, 3.8317059702075123, 7.0155866698156188},
        {VISCOUS, 0, 2, 0.5, 2.721441469079183, 4.942882938158366},
        {VISCOUS, 1, 0.5, 4, 8.412814515526346, 12.845728232830105},
        {VISCOUS, 2, 1, 1, 4.141592653589793, 7.283185307179586},
        {VISCOUS, 5, 2, 0.5, 3.647074363788412, 5.966843831647818},
        {DAMPED, 1, 1, 0, 3.6275987284684357, 7.255197456936871},
        {DAMPED, 0.5, 2, 1, 3.2569867895723683, 5.513973579144737},
        {DAMPED, 0.2, 4, 3, 4.572763511444001, 6.145527022888002},
        {DAMPED, 1.99, 1, 0, 31.455270228880018, 62.910540457760035},
        {DAMPED, 0.0565685424949238, 0.04, 0, 15.867439064851308, 31.734878129702615},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const law w = scalar_law(cases[i].kind, cases[i].r, cases[i].lambda);
        check_two(*state, &w, cases[i].t1, cases[i].first, cases[i].second, 1e-9);
    }
}

/* Of y' = lambda y with lambda h = z the method's value after a step is a polynomial in z: e^z up to z^8. */
static void the_method_has_its_order(void **state)
{
    (void)state;
    double power[OD_STAGES], weight = 1;
    for (size_t s = 0; s < OD_STAGES; s++) {
        double row = 0;
        for (size_t r = 0; r < s; r++) {
            row += od_dop853_a[s][r];
        }
        check_close(row, od_dop853_c[s], 1e-14);
        power[s] = 1;
    }
    for (int order = 1; order <= 8; order++) {
        double next[OD_STAGES], tall = 0, quadrature = 0, five = 0;
        weight /= order;
        for (size_t s = 0; s < OD_STAGES; s++) {
            tall += od_dop853_b[s] * power[s];
            five += od_dop853_e5[s] * power[s];
            quadrature += od_dop853_b[s] * pow(od_dop853_c[s], order - 1);
            next[s] = 0;
            for (size_t r = 0; r < s; r++) {
                next[s] += od_dop853_a[s][r] * power[r];
            }
        }
        memcpy(power, next, sizeof power);
        check_close(tall, weight, 1e-14);
        check_close(quadrature, 1.0 / order, 1e-14);
        if (order <= 5) {
            check_close(five, 0, 1e-14);
        }
        if (order <= 3) {
            const double three = od_dop853_b3[0] * (order == 1) + od_dop853_b3[1] * pow(od_dop853_c[8], order - 1) +
                                 od_dop853_b3[2];
            check_close(three, 1.0 / order, 1e-14);
        }
    }
}

/* ------------------------------------------------------------------------------------------- random quadratics */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_case(const law *w, uint64_t seed, double t1, double t2)
{
    print_error("seed %llu: {problem: {name: quadratic, eigenvalues: [", (unsigned long long)seed);
    for (size_t i = 0; i < w->d; i++) {
        print_error("%s%.17g", i > 0 ? ", " : "", w->lambda[i]);
    }
    print_error("]}, method: {name: %s: %.17g}, interval: [%.17g, %.17g]}\n",
                w->kind == VISCOUS ? "nesterov, r" : "heavy-ball, alpha", w->r, t1, t2);
}

/* Phases of the whole frame against the closed forms: every time, every multiplicity, and the count. */
static void check_random(od_context *ctx, uint64_t seed)
{
    static double want[MAX_ZEROS];
    cup dice = {.seed = seed};
    const law w = random_law(&dice);
    const double t1 = w.kind == VISCOUS ? 0.05 * pow(100, uniform(&dice)) : 4 * uniform(&dice) - 2;
    const double t2 = t1 + 0.5 * pow(30, uniform(&dice));
    size_t count = 0;
    for (size_t i = 0; i < w.d; i++) {
        count += zeros(&w, w.lambda[i], t1, t2, MAX_ZEROS - count, want + count);
    }
    assert_true(count < MAX_ZEROS);
    qsort(want, count, sizeof *want, ascending);
    const od_jacobi j = of_law(&w, t1, t2);
    od_conjugates found = {0};
    const bool done = od_jacobi_conjugates(ctx, &j, &found) == OD_OK;
    if (!done || found.index != count) {
        print_case(&w, seed, t1, t2);
        print_error("%s, %zu against %zu\n", od_message(ctx), found.index, count);
        fail();
    }
    for (size_t i = 0, at = 0; i < found.count; i++) {
        for (size_t k = 0; k < found.point[i].multiplicity; k++, at++) {
            /* GSL's brackets are good to 1e-11 or so of a gap */
            check_close(found.point[i].t, want[at], 1e-9 * (fabs(want[at]) + t2 - t1));
        }
    }
    /* the scalar problems of the eigenvectors say the same */
    od_conjugates apart = {0};
    check_done(ctx, od_jacobi_split(ctx, &j, w.lambda, w.q, &apart) == OD_OK);
    assert_true(apart.index == found.index && apart.count == found.count);
    for (size_t i = 0; i < found.count; i++) {
        assert_true(apart.point[i].multiplicity == found.point[i].multiplicity);
        check_close(apart.point[i].t, found.point[i].t, 1e-9 * (fabs(t2) + t2 - t1));
    }
    od_conjugates_free(&apart);
    od_conjugates_free(&found);
}

/* OPTDYN_TEST_QUADRATICS says how many; 500 take two seconds. */
static void random_quadratics_have_the_points_of_their_eigenvectors(void **state)
{
    const char *many = getenv("OPTDYN_TEST_QUADRATICS");
    const uint64_t count = many != NULL ? strtoull(many, NULL, 10) : 500;
    for (uint64_t seed = 1; seed <= count; seed++) {
        check_random(*state, seed);
    }
}

/* ------------------------------------------------------------------------------------------- special cases */

static od_conjugates points_of(od_context *ctx, const od_jacobi *j)
{
    od_conjugates found = {0};
    check_done(ctx, od_jacobi_conjugates(ctx, j, &found) == OD_OK);
    return found;
}

static void equal_curvatures_make_one_point(void **state)
{
    law w = {.kind = VISCOUS, .r = 3, .d = 5, .lambda = {1, 1, 1, 1, 1}};
    cup dice = {.seed = 3};
    random_rotation(&dice, &w);
    const od_jacobi j = of_law(&w, 1, 10);
    od_conjugates found = points_of(*state, &j);
    assert_true(found.count == 2 && found.index == 10 && found.end.multiplicity == 0);
    for (size_t i = 0; i < 2; i++) {
        assert_true(found.point[i].multiplicity == 5);
        check_relative(found.point[i].t, i == 0 ? 4.355687164040512 : 7.53215755647818, 1e-12);
        for (size_t k = 0; k < 25; k++) {
            double dot = 0;
            for (size_t l = 0; l < 5; l++) {
                dot += found.point[i].kernel[k / 5 * 5 + l] * found.point[i].kernel[k % 5 * 5 + l];
            }
            check_close(dot, k / 5 == k % 5, 1e-14);
        }
    }
    od_conjugates_free(&found);
}

/* Phases whose sum is 1 look alike in the mixture that is diagonalised first; the frame's own basis does not matter. */
static void phases_are_those_of_the_frame(void **state)
{
    static const double angle[5] = {0.3, 0.3, 0.7, 1.2, 2.94159265358979324};
    static const size_t place[5] = {3, 0, 2, 4, 1};
    law w = {.d = 5};
    cup dice = {.seed = 21};
    random_rotation(&dice, &w);
    od_phases phases;
    od_plane plane;
    check_done(*state, od_phases_open(*state, 5, 1, &plane, &phases) == OD_OK);
    for (size_t k = 0; k < 5; k++) {
        for (size_t i = 0; i < 5; i++) {
            const double stretched = w.q[i * 5 + k] * (1 + (double)k);
            plane.frame[k * 10 + i] = sin(angle[place[k]]) * stretched;
            plane.frame[k * 10 + 5 + i] = cos(angle[place[k]]) * stretched;
        }
    }
    check_done(*state, od_phases_start(*state, &phases, &plane) == OD_OK);
    for (size_t k = 0; k < 5; k++) {
        check_close(plane.angle[k], angle[k], 1e-14);
    }
    /* the directions of 0.7, 1.2 and 2.94... are columns of the rotation */
    for (size_t k = 2; k < 5; k++) {
        double along = 0;
        const size_t column = k == 2 ? 2 : k == 3 ? 0 : 3;
        for (size_t i = 0; i < 5; i++) {
            along += plane.direction[k * 5 + i] * w.q[i * 5 + column];
        }
        check_close(fabs(along), 1, 1e-14);
    }
    od_phases_close(&phases);
}

/* Slopes at t1 lie along the eigenvectors, although the slow direction has died out by e^{-60} when the fast one turns.
 */
static void kernels_are_the_eigenvectors(void **state)
{
    law w = {.kind = DAMPED, .r = 6, .d = 3, .lambda = {-1, 5, 12.25}};
    cup dice = {.seed = 5};
    random_rotation(&dice, &w);
    const od_jacobi j = of_law(&w, 0.3, 20);
    od_conjugates found = points_of(*state, &j);
    assert_true(found.count == 11);
    for (size_t i = 0; i < found.count; i++) {
        double along = 0;
        check_relative(found.point[i].t, 0.3 + 2 * PI * (double)(i + 1) / sqrt(4 * 12.25 - 36), 1e-10);
        for (size_t l = 0; l < 3; l++) {
            along += found.point[i].kernel[l] * w.q[l * 3 + 2];
        }
        check_close(fabs(along), 1, 1e-9);
    }
    od_conjugates_free(&found);
}

/* Where t1 tends to 0, with the zeros of Bessel functions: J_nu's for r >= 1, for r < 1 those of the order -nu > 0. */
static void a_singular_start_is_the_limit(void **state)
{
    static const double cases[][3] = {{3, 3.8317059702075123, 7.0155866698156188}, /* j_{1,k} */
                                      {1, 2.4048255576957728, 5.5200781102863106}, /* j_{0,k} */
                                      {2, 3.14159265358979324, 6.28318530717958648},
                                      {0, 3.14159265358979324, 6.28318530717958648},
                                      {0.5, 2.7808877239949733, 5.9061426988424926}}; /* j_{1/4,k} */
    for (size_t i = 0; i < 5; i++) {
        const law w = scalar_law(VISCOUS, cases[i][0], 1);
        check_two(*state, &w, 0, cases[i][1], cases[i][2], 1e-11);
    }
    for (size_t i = 0; i < 3; i++) {
        const law w = scalar_law(VISCOUS, 3, 1);
        const double t1 = pow(10, -1.0 - (double)i);
        double want[4];
        assert_true(zeros(&w, 1, t1, 8, 4, want) == 2);
        check_two(*state, &w, t1, want[0], want[1], 1e-9);
    }
}

static void there_may_be_none(void **state)
{
    const law cases[] = {scalar_law(DAMPED, 2, 1),     scalar_law(DAMPED, 3, 1), scalar_law(VISCOUS, 3, 0),
                         scalar_law(VISCOUS, 0.2, -4), scalar_law(DAMPED, 0, 0), scalar_law(DAMPED, 40, 2)};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const od_jacobi j = of_law(&cases[i], 1, 60);
        od_conjugates found = points_of(*state, &j);
        assert_true(found.count == 0 && found.index == 0 && found.end.multiplicity == 0);
        od_conjugates_free(&found);
    }
}

/* t2 = t_c (1 + x): before, at and after it. */
static void the_end_may_be_conjugate(void **state)
{
    static const struct {
        double x;
        size_t index, nullity;
    } cases[] = {{-1e-8, 2, 0}, {-5e-12, 2, 3}, {0, 2, 3}, {5e-12, 2, 3}, {1e-8, 5, 0}};
    law w = {.kind = DAMPED, .r = 1, .d = 6, .lambda = {1, 1, 1, 2, 0, 3}};
    cup dice = {.seed = 8};
    random_rotation(&dice, &w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const od_jacobi j = of_law(&w, 0, 3.6275987284684357 * (1 + cases[i].x));
        od_conjugates found = points_of(*state, &j), apart = {0};
        assert_true(found.index == cases[i].index && found.end.multiplicity == cases[i].nullity);
        check_done(*state, od_jacobi_split(*state, &j, w.lambda, w.q, &apart) == OD_OK);
        assert_true(apart.index == cases[i].index && apart.end.multiplicity == cases[i].nullity);
        for (size_t k = 0; k < 3 * found.end.multiplicity; k++) {
            /* the kernel has no part along the other eigenvectors */
            double along = 0;
            for (size_t l = 0; l < 6; l++) {
                along += found.end.kernel[k / 3 * 6 + l] * w.q[l * 6 + 3 + k % 3];
            }
            check_close(along, 0, 1e-9);
        }
        od_conjugates_free(&found);
        od_conjugates_free(&apart);
    }
}

/* Without damping h = cos t + bend sin t where the end is free, sin t where it is not. */
static void a_free_end_has_focal_points(void **state)
{
    static const double free[2] = {0.6, 0.8};
    law w = {.kind = DAMPED, .r = 0, .d = 2, .lambda = {1, 1}, .q = {1, 0, 0, 1}};
    for (int k = -2; k <= 2; k++) {
        od_jacobi j = of_law(&w, 0, 6);
        j.free_count = 1;
        j.free = free;
        j.bend = k;
        od_conjugates found = points_of(*state, &j);
        const double first = k == 0 ? PI / 2 : k < 0 ? atan(-1.0 / k) : PI - atan(1.0 / k);
        assert_true(found.count == 3);
        check_relative(found.point[0].t, first, 1e-11);
        check_relative(found.point[1].t, PI, 1e-11);
        check_relative(found.point[2].t, first + PI, 1e-11);
        check_close(fabs(found.point[0].kernel[0] * 0.6 + found.point[0].kernel[1] * 0.8), 1, 1e-11);
        check_close(found.point[1].kernel[0] * 0.6 + found.point[1].kernel[1] * 0.8, 0, 1e-11);
        od_conjugates_free(&found);
    }
}

static od_status failing_hessian(const void *user, double t, double *h)
{
    (void)user;
    h[0] = t > 2 ? NAN : 1;
    return t > 3 ? OD_EUSER : OD_OK;
}

static od_status no_hessian(const void *user, double t, double *h)
{
    (void)user;
    h[0] = 1;
    return t < 1e-8 ? OD_EUSER : OD_OK;
}

static void failures_have_a_sentence(void **state)
{
    const law w = scalar_law(VISCOUS, 3, 1);
    od_jacobi j = of_law(&w, 1, 5);
    od_conjugates found = {0};
    j.constant = false;
    j.hessian = failing_hessian;
    assert_int_equal(od_jacobi_conjugates(*state, &j, &found), OD_ENUMERIC);
    check_message(*state, "not finite on the path at t = 2");
    assert_true(found.count == 0 && found.point == NULL);
    j.t1 = 4;
    assert_int_equal(od_jacobi_conjugates(*state, &j, &found), OD_EUSER);
    check_message(*state, "could not be evaluated");
    j.t1 = 0;
    j.singular = true;
    j.t2 = 0.5;
    j.hessian = no_hessian;
    assert_int_equal(od_jacobi_conjugates(*state, &j, &found), OD_EUSER);
    check_message(*state, "could not be evaluated on the path at t = ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(the_method_has_its_order),
        test_with_context(the_first_two_points_are_those_of_the_references),
        test_with_context(random_quadratics_have_the_points_of_their_eigenvectors),
        test_with_context(equal_curvatures_make_one_point),
        test_with_context(phases_are_those_of_the_frame),
        test_with_context(kernels_are_the_eigenvectors),
        test_with_context(a_singular_start_is_the_limit),
        test_with_context(there_may_be_none),
        test_with_context(the_end_may_be_conjugate),
        test_with_context(a_free_end_has_focal_points),
        test_with_context(failures_have_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
