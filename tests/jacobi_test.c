/*
 * Jacobi fields and conjugate points: times against references and closed forms found elsewhere, multiplicities,
 * kernels, and counts on random quadratics against the zeros of scalar closed forms (GSL's Bessel functions).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/dop853.h"
#include "analysis/jacobi.h"

#include <gsl/gsl_sf_bessel.h>

enum { VISCOUS, DAMPED };
static const double PI = 3.14159265358979323846;

/* w = t^r or e^{r t}, the same weight on both terms; curvature h = Q diag(lambda) Q^T. */
typedef struct law {
    int kind;
    double r;
    size_t d;
    double lambda[12], q[144];
} law;

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

typedef struct dice {
    uint64_t seed, drawn;
} dice;

static double uniform(dice *dice)
{
    return od_uniform(dice->seed, OD_STREAM_CHECK, 0, 0, dice->drawn++);
}

static size_t whole(dice *dice, size_t bound)
{
    return (size_t)((double)bound * uniform(dice));
}

/* The angle by which a solution of h'' + damping h' + lambda h = 0 has turned is what closed forms know best: here the
 * number of zeros of the field of t1 in (t1, t], by the zeros of Bessel's cross product or of the sine. */
static double bracket(double nu, double s1, double s)
{
    return gsl_sf_bessel_Jnu(nu, s1) * gsl_sf_bessel_Ynu(nu, s) - gsl_sf_bessel_Ynu(nu, s1) * gsl_sf_bessel_Jnu(nu, s);
}

/* Writes the zeros in (t1, t2 + slack) of the scalar field, ascending; returns how many. */
static size_t zeros(const law *w, double lambda, double t1, double t2, size_t room, double *zero)
{
    size_t count = 0;
    if (w->kind == DAMPED) {
        const double square = 4 * lambda - w->r * w->r;
        for (size_t k = 1; square > 0 && t1 + 2 * PI * (double)k / sqrt(square) < t2 && count < room; k++) {
            zero[count++] = t1 + 2 * PI * (double)k / sqrt(square);
        }
        return count;
    }
    if (lambda <= 0) {
        return 0;
    }
    /* the gaps are between pi (for nu >= 1/2, from above) and j_{nu,1}, so a grid of 0.4 brackets each zero */
    const double root = sqrt(lambda), nu = fabs(w->r - 1) / 2, end = root * t2;
    double a = root * t1 * (1 + 1e-9) + 1e-9, fa = bracket(nu, root * t1, a);
    while (a < end && count < room) {
        double b = a + 0.4, fb = bracket(nu, root * t1, b), low = a, high = b;
        const double flow = fa;
        a = b;
        fa = fb;
        if ((flow > 0) == (fb > 0)) {
            continue;
        }
        for (int k = 0; k < 60; k++) {
            const double middle = (low + high) / 2, f = bracket(nu, root * t1, middle);
            if ((f > 0) == (flow > 0)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        if (low < end) {
            zero[count++] = low / root;
        }
    }
    return count;
}

static void random_rotation(dice *dice, law *w)
{
    const size_t d = w->d;
    for (size_t i = 0; i < d; i++) {
        for (size_t k = 0; k < d; k++) {
            w->q[i * d + k] = i == k;
        }
    }
    for (size_t k = 0; k + 1 < d; k++) {
        double u[12], square = 0;
        for (size_t i = 0; i < d; i++) {
            u[i] = od_normal(dice->seed, OD_STREAM_CHECK, 1, 0, dice->drawn++);
            square += u[i] * u[i];
        }
        for (size_t i = 0; i < d; i++) {
            double along = 0;
            for (size_t l = 0; l < d; l++) {
                along += w->q[i * d + l] * u[l];
            }
            for (size_t l = 0; l < d; l++) {
                w->q[i * d + l] -= 2 * along * u[l] / square;
            }
        }
    }
}

/* Repeated, zero and negative eigenvalues; critical ones; both dampings. */
static law random_law(dice *dice)
{
    law w = {.kind = whole(dice, 2) == 0 ? VISCOUS : DAMPED, .d = 1 + whole(dice, 12)};
    w.r = w.kind == VISCOUS ? 6 * uniform(dice) : whole(dice, 8) == 0 ? 0 : 3 * uniform(dice);
    for (size_t i = 0; i < w.d; i++) {
        const size_t sort = whole(dice, 8);
        w.lambda[i] = sort == 0            ? 0
                      : sort == 1          ? -2 * uniform(dice)
                      : sort <= 3 && i > 0 ? w.lambda[whole(dice, i)]
                      : sort == 4          ? w.r * w.r / 4
                                           : 0.05 * pow(200, uniform(dice));
    }
    random_rotation(dice, &w);
    return w;
}

enum { MAX_ZEROS = 4096 };

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
    dice dice = {.seed = seed};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(the_method_has_its_order),
        test_with_context(the_first_two_points_are_those_of_the_references),
        test_with_context(random_quadratics_have_the_points_of_their_eigenvectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
