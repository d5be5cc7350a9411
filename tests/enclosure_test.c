/*
 * The closed forms against rigorous enclosures: the same propagators from Bessel and hypergeometric functions in ball
 * arithmetic (Arb), at random arguments.
 *
 * A ball holds the true value for certain. Its precision is doubled until the ball is negligible, so the differences
 * seen are the errors of methods/closed.c, and they are held against what that file and docs/numerics.md promise.
 * Arguments are drawn from fixed counters: the test gives the same verdict every time.
 *
 * Formulas: NIST Digital Library of Mathematical Functions, 10.2, 10.6.6, 10.13.4 (Bessel), 15.5.1, 15.10 (2F1).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "../methods/closed.h"

#include <acb_hypgeom.h>
#include <arb_hypgeom.h>

enum { DRAWS = 1500, FIRST_BITS = 160, MOST_BITS = 20480 };

/* Uniform in (low, high); `which` tells the arguments of one draw apart. */
static double uniform(uint64_t draw, uint32_t which, double low, double high)
{
    const double u = erfc(-od_normal(2385, OD_STREAM_CHECK, draw, which, 0) * sqrt(0.5)) / 2;
    return low + (high - low) * u;
}

static double log_uniform(uint64_t draw, uint32_t which, double low, double high)
{
    return exp(uniform(draw, which, log(low), log(high)));
}

/* ------------------------------------------------------------------------------------------- enclosures */

/* Arguments of a propagator; `order` is r, p or alpha. */
typedef struct arguments {
    double order, lambda, t0, t;
    bool from_rest; /* t0 = 0 is singular and has no free velocity */
} arguments;

/* Fills m with two solutions at t, {y1, y2, y1', y2'}; from t = 0 the first is the bounded one with y(0) = 1. */
typedef void solutions(const arguments *a, double t, acb_t m[4], slong bits);

static void init(acb_t m[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        acb_init(m[i]);
    }
}

static void clear(acb_t m[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        acb_clear(m[i]);
    }
}

/* phi = M(t) M(t0)^{-1}, or from t0 = 0 its first column alone. */
static void propagate(solutions *of, const arguments *a, acb_t phi[4], slong bits)
{
    acb_t end[4], begin[4], det, s;
    init(end, 4);
    init(begin, 4);
    acb_init(det);
    acb_init(s);
    of(a, a->t, end, bits);
    if (a->from_rest) {
        acb_set(phi[0], end[0]);
        acb_set(phi[2], end[2]);
        acb_zero(phi[1]);
        acb_zero(phi[3]);
    } else {
        of(a, a->t0, begin, bits);
        acb_mul(det, begin[0], begin[3], bits);
        acb_submul(det, begin[1], begin[2], bits);
        for (int row = 0; row < 4; row += 2) {
            acb_mul(s, end[row], begin[3], bits);
            acb_submul(s, end[row + 1], begin[2], bits);
            acb_div(phi[row], s, det, bits);
            acb_mul(s, end[row + 1], begin[0], bits);
            acb_submul(s, end[row], begin[1], bits);
            acb_div(phi[row + 1], s, det, bits);
        }
    }
    clear(end, 4);
    clear(begin, 4);
    acb_clear(det);
    acb_clear(s);
}

/* The midpoints, once every ball is narrower than 1e-18 of the largest entry of its column (with the slope in units of
 * `omega`); false if that takes too many bits. */
static bool enclose(solutions *of, const arguments *a, double omega, arb_t want[4])
{
    acb_t phi[4];
    bool narrow = false;
    init(phi, 4);
    for (slong bits = FIRST_BITS; !narrow && bits <= MOST_BITS; bits *= 2) {
        propagate(of, a, phi, bits);
        double size[2], radius[2];
        narrow = true;
        for (int column = 0; column < 2; column++) {
            size[column] = radius[column] = 0;
            for (int row = 0; row < 2; row++) {
                const arb_struct *x = acb_realref(phi[2 * row + column]);
                const double unit = row == 0 ? 1 : omega;
                size[column] = fmax(size[column], fabs(arf_get_d(arb_midref(x), ARF_RND_NEAR)) / unit);
                radius[column] = fmax(radius[column], mag_get_d(arb_radref(x)) / unit);
            }
            narrow = narrow && radius[column] <= 1e-18 * size[column];
        }
    }
    for (int i = 0; i < 4; i++) {
        arb_set(want[i], acb_realref(phi[i]));
    }
    clear(phi, 4);
    return narrow;
}

/*
 * Gamma(nu + 1) (s/2)^{-nu} C_nu(s) for both kinds, ordinary or modified, at s = root, and their derivatives in s: the
 * same factor times -J_{nu+1}, -Y_{nu+1}, I_{nu+1}, -K_{nu+1}. With it the first solution is 1 at s = 0.
 */
static void bessel_pair(const arb_t nu, const arb_t root, bool modified, acb_t m[4], slong bits)
{
    arb_t up, power, value;
    arb_init(up);
    arb_init(power);
    arb_init(value);
    arb_add_ui(up, nu, 1, bits);
    arb_mul_2exp_si(value, root, -1);
    arb_pow(power, value, nu, bits);
    arb_gamma(value, up, bits);
    arb_div(power, value, power, bits);
    void (*const kind[2])(arb_t, const arb_t, const arb_t, slong) = {
        modified ? arb_hypgeom_bessel_i : arb_hypgeom_bessel_j, modified ? arb_hypgeom_bessel_k : arb_hypgeom_bessel_y};
    for (int i = 0; i < 2; i++) {
        kind[i](value, nu, root, bits);
        arb_mul(value, value, power, bits);
        acb_set_arb(m[i], value);
        kind[i](value, up, root, bits);
        arb_mul(value, value, power, bits);
        if (!(modified && i == 0)) {
            arb_neg(value, value);
        }
        acb_set_arb(m[2 + i], value);
    }
    arb_clear(up);
    arb_clear(power);
    arb_clear(value);
}

/* y'' + (r/t) y' + lambda y = 0: s^{-nu} C_nu(s), s = sqrt(|lambda|) t, nu = (r - 1)/2. */
static void viscous(const arguments *a, double t, acb_t m[4], slong bits)
{
    arb_t nu, omega, s;
    arb_init(nu);
    arb_init(omega);
    arb_init(s);
    arb_set_d(nu, a->order);
    arb_sub_ui(nu, nu, 1, bits);
    arb_mul_2exp_si(nu, nu, -1);
    arb_set_d(omega, fabs(a->lambda));
    arb_sqrt(omega, omega, bits);
    arb_set_d(s, t);
    arb_mul(s, s, omega, bits);
    bessel_pair(nu, s, a->lambda < 0, m, bits);
    acb_mul_arb(m[2], m[2], omega, bits);
    acb_mul_arb(m[3], m[3], omega, bits);
    arb_clear(nu);
    arb_clear(omega);
    arb_clear(s);
}

/* y'' + (p/t)(y' + beta y) = 0: s^{-nu} C_nu(s), s = 2 sqrt(p |beta| t), nu = p - 1; ds/dt = s/(2t). */
static void power(const arguments *a, double t, acb_t m[4], slong bits)
{
    arb_t nu, s, x;
    arb_init(nu);
    arb_init(s);
    arb_init(x);
    arb_set_d(nu, a->order);
    arb_set_d(s, t);
    arb_mul(s, s, nu, bits);
    arb_set_d(x, fabs(a->lambda));
    arb_mul(s, s, x, bits);
    arb_sqrt(s, s, bits);
    arb_mul_2exp_si(s, s, 1);
    arb_sub_ui(nu, nu, 1, bits);
    bessel_pair(nu, s, a->lambda < 0, m, bits);
    arb_set_d(x, t);
    arb_mul_2exp_si(x, x, 1);
    arb_div(x, s, x, bits);
    acb_mul_arb(m[2], m[2], x, bits);
    acb_mul_arb(m[3], m[3], x, bits);
    arb_clear(nu);
    arb_clear(s);
    arb_clear(x);
}

/* w^s F(s, s; c; u) and its derivative in t, where w = e^{-alpha t}, u = w or 1 - w:
 * d/dt = -alpha w d/dw, F' = (s^2/c) F(s + 1, s + 1; c + 1; u), du/dw = +-1. */
static void conical(const acb_t s, const acb_t c, const arb_t w, const arb_t alpha, bool from_one, acb_t y, acb_t slope,
                    slong bits)
{
    acb_t u, w_c, f, df, up, c_up, power;
    acb_t *const all[] = {&u, &w_c, &f, &df, &up, &c_up, &power};
    for (size_t i = 0; i < 7; i++) {
        acb_init(*all[i]);
    }
    acb_set_arb(w_c, w);
    if (from_one) {
        acb_sub_ui(u, w_c, 1, bits);
        acb_neg(u, u);
    } else {
        acb_set(u, w_c);
    }
    acb_add_ui(up, s, 1, bits);
    acb_add_ui(c_up, c, 1, bits);
    /* a = b, and in the second solution a + b - c is 0, then 1: balls alone do not show that these are integers */
    const int integers = ACB_HYPGEOM_2F1_AB | (from_one ? 0 : ACB_HYPGEOM_2F1_ABC);
    acb_hypgeom_2f1(f, s, s, c, u, integers, bits);
    acb_hypgeom_2f1(df, up, up, c_up, u, integers, bits);
    acb_mul(df, df, s, bits);
    acb_mul(df, df, s, bits);
    acb_div(df, df, c, bits);
    if (from_one) {
        acb_neg(df, df);
    }
    acb_pow(power, w_c, s, bits);
    acb_mul(y, power, f, bits);
    /* -alpha (s w^s F + w^{s+1} F') */
    acb_mul(slope, s, f, bits);
    acb_addmul(slope, w_c, df, bits);
    acb_mul(slope, slope, power, bits);
    acb_mul_arb(slope, slope, alpha, bits);
    acb_neg(slope, slope);
    for (size_t i = 0; i < 7; i++) {
        acb_clear(*all[i]);
    }
}

/* y'' + c(t)(y' + beta y) = 0, c = alpha/(1 - e^{-alpha t}): s(1 - s) = beta/alpha, Re s >= 1/2. The solution that is
 * regular at t = 0 is w^s F(s, s; 1; 1 - w), the other w^s F(s, s; 2s; w). */
static void exponential(const arguments *a, double t, acb_t m[4], slong bits)
{
    arb_t alpha, w;
    acb_t s, c;
    arb_init(alpha);
    arb_init(w);
    acb_init(s);
    acb_init(c);
    arb_set_d(alpha, a->order);
    arb_set_d(w, a->lambda);
    arb_div(w, w, alpha, bits);
    acb_set_arb(s, w);
    acb_mul_2exp_si(s, s, 2);
    acb_sub_ui(s, s, 1, bits);
    acb_neg(s, s);
    acb_sqrt(s, s, bits);
    acb_add_ui(s, s, 1, bits);
    acb_mul_2exp_si(s, s, -1);
    arb_set_d(w, t);
    arb_mul(w, w, alpha, bits);
    arb_neg(w, w);
    arb_exp(w, w, bits);
    acb_one(c);
    conical(s, c, w, alpha, true, m[0], m[2], bits);
    if (!a->from_rest) {
        acb_mul_2exp_si(c, s, 1);
        conical(s, c, w, alpha, false, m[1], m[3], bits);
    }
    arb_clear(alpha);
    arb_clear(w);
    acb_clear(s);
    acb_clear(c);
}

/* e^{-alpha t/2}(cos, sin)(w t), w^2 = lambda - alpha^2/4 of either sign. */
static void damped(const arguments *a, double t, acb_t m[4], slong bits)
{
    acb_t root, half, rate[2], x;
    acb_init(root);
    acb_init(half);
    acb_init(x);
    init(rate, 2);
    acb_set_d(half, a->order);
    acb_mul_2exp_si(half, half, -1);
    acb_mul(root, half, half, bits);
    acb_set_d(x, a->lambda);
    acb_sub(root, root, x, bits);
    acb_sqrt(root, root, bits);
    acb_sub(rate[0], root, half, bits);
    acb_add(rate[1], root, half, bits);
    acb_neg(rate[1], rate[1]);
    acb_set_d(x, t);
    for (int i = 0; i < 2; i++) {
        acb_mul(m[i], rate[i], x, bits);
        acb_exp(m[i], m[i], bits);
        acb_mul(m[2 + i], rate[i], m[i], bits);
    }
    acb_clear(root);
    acb_clear(half);
    acb_clear(x);
    clear(rate, 2);
}

/* ------------------------------------------------------------------------------------------- comparison */

/*
 * Fails if an entry of phi is off by more than `promise` times the size of its column, position and slope/omega
 * together. Returns the worst error in units of the promise.
 */
static double compare(const char *name, solutions *of, const arguments *a, const double phi[4], double omega,
                      double promise)
{
    arb_t want[4], error;
    double worst = 0;
    arb_init(error);
    for (int i = 0; i < 4; i++) {
        arb_init(want[i]);
    }
    if (!enclose(of, a, omega, want)) {
        fail_msg("%s: no narrow enclosure at order %.17g, lambda %.17g, from %.17g to %.17g", name, a->order, a->lambda,
                 a->t0, a->t);
    }
    for (int column = 0; column < (a->from_rest ? 1 : 2); column++) {
        double size = 0;
        for (int row = 0; row < 2; row++) {
            size = hypot(size, arf_get_d(arb_midref(want[2 * row + column]), ARF_RND_NEAR) / (row == 0 ? 1 : omega));
        }
        for (int row = 0; row < 2; row++) {
            const int i = 2 * row + column;
            arb_set_d(error, phi[i]);
            arb_sub(error, error, want[i], 128);
            const double off = arf_get_d(arb_midref(error), ARF_RND_NEAR) / (row == 0 ? 1 : omega) / size;
            if (!(fabs(off) <= promise)) {
                print_error("%s: order %.17g, lambda %.17g, from %.17g to %.17g: phi[%d] = %.17g is off by %.3g of the "
                            "solution's size, promised %.3g\n",
                            name, a->order, a->lambda, a->t0, a->t, i, phi[i], off, promise);
                fail();
            }
            worst = fmax(worst, fabs(off) / promise);
        }
    }
    for (int i = 0; i < 4; i++) {
        arb_clear(want[i]);
    }
    arb_clear(error);
    return worst;
}

/*
 * What methods/closed.c promises, in units of the solution's size: `root` is the argument of its functions, and a start
 * at t0 > 0 is led to t in steps of a third.
 */
static double bessel_promise(double root, const arguments *a)
{
    return 2e-14 + 3e-16 * root + (a->from_rest ? 0 : 3.5e-15 * log(a->t / a->t0));
}

/* How much a relative error of lambda or alpha^2 weighs in lambda - alpha^2/4. */
static double criticality(double alpha, double lambda)
{
    return fmax(1, fabs(lambda) / fabs(lambda - alpha * alpha / 4));
}

/* From rest at 0 in every other draw. */
static arguments draw_times(uint64_t draw, double shortest, double longest)
{
    arguments a = {.from_rest = draw % 2 == 0};
    const double t1 = log_uniform(draw, 2, shortest, longest), t2 = log_uniform(draw, 3, shortest, longest);
    a.t0 = a.from_rest ? 0 : fmin(t1, t2);
    a.t = fmax(t1, t2);
    return a;
}

/* A curvature with |lambda| = scale^2; every third is negative, and then small enough for e^{root} to be finite. */
static double draw_curvature(uint64_t draw, double root, double time_scale)
{
    const double lambda = root / time_scale * (root / time_scale);
    return draw % 3 == 0 ? -lambda : lambda;
}

static void viscous_flows_lie_in_their_enclosures(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        arguments a = draw_times(draw, 1e-3, 1e4);
        const double root = log_uniform(draw, 1, 1e-3, draw % 3 == 0 ? 300 : 1e4);
        a.order = uniform(draw, 0, -0.5, 60);
        a.lambda = draw_curvature(draw, root, a.t);
        double phi[4];
        od_closed_viscous(a.order, a.lambda, a.t0, a.t, phi);
        worst = fmax(worst, compare("viscous", viscous, &a, phi, sqrt(fabs(a.lambda)), bessel_promise(root, &a)));
    }
    print_message("# viscous: at most %.2g of what is promised\n", worst);
}

static void power_memory_lies_in_its_enclosures(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        arguments a = draw_times(draw, 1e-3, 1e4);
        const double root = log_uniform(draw, 1, 1e-3, draw % 3 == 0 ? 300 : 1e4);
        a.order = uniform(draw, 0, 0.25, 30);
        /* the argument of the Bessel functions is 2 sqrt(p beta t) */
        a.lambda = draw_curvature(draw, root, 1) / (4 * a.order * a.t);
        double phi[4];
        od_closed_power(a.order, a.lambda, a.t0, a.t, phi);
        worst = fmax(worst,
                     compare("power", power, &a, phi, sqrt(a.order * fabs(a.lambda) / a.t), bessel_promise(root, &a)));
    }
    print_message("# power memory: at most %.2g of what is promised\n", worst);
}

static void exponential_memory_lies_in_its_enclosures(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        arguments a = draw_times(draw, 1e-3, 1e2);
        a.order = log_uniform(draw, 0, 1e-2, 1e2) / a.t;
        /* from t = 0 to t the phase is below sqrt(c beta) t, c >= alpha, 1/t */
        const double root = log_uniform(draw, 1, 1e-2, 100), damping = a.order / -expm1(-a.order * a.t);
        a.lambda = draw_curvature(draw, root, a.t) / damping;
        double phi[4];
        od_closed_exponential(a.order, a.lambda, a.t0, a.t, phi);
        worst = fmax(worst, compare("exponential", exponential, &a, phi, root / a.t,
                                    2e-14 * criticality(a.order, a.order * a.lambda)));
    }
    print_message("# exponential memory: at most %.2g of what is promised\n", worst);
}

static void damped_oscillators_lie_in_their_enclosures(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        arguments a = {.t = log_uniform(draw, 2, 1e-3, 1e4)};
        const double root = log_uniform(draw, 1, 1e-3, 300);
        a.lambda = draw_curvature(draw, root, a.t);
        a.order = log_uniform(draw, 0, 1e-3, 300) / a.t;
        double phi[4];
        od_closed_damped(a.order, a.lambda, a.t, phi);
        worst = fmax(worst, compare("damped", damped, &a, phi, root / a.t + a.order,
                                    (2e-15 + 2e-16 * (root + a.order * a.t / 2)) * criticality(a.order, a.lambda)));
    }
    print_message("# damped: at most %.2g of what is promised\n", worst);
}

static int clean_up(void **state)
{
    (void)state;
    flint_cleanup(); /* caches of constants */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(viscous_flows_lie_in_their_enclosures),
        cmocka_unit_test(power_memory_lies_in_its_enclosures),
        cmocka_unit_test(exponential_memory_lies_in_its_enclosures),
        cmocka_unit_test(damped_oscillators_lie_in_their_enclosures),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
