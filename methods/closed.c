/*
 * How the closed forms are evaluated.
 *
 * Constant damping is elementary. All other equations here are Bessel's or the hypergeometric equation in disguise, and
 * their propagators from t0 to t need both solutions with derivatives, for any real order (negative ones for r < 1),
 * any sign of lambda and any distance of t0 from 0. The formulas with J_nu Y_nu' - Y_nu J_nu' cancel for t near t0 and
 * have poles at integer orders in the ascending series, and GSL's functions take no negative orders and call the error
 * handler on underflow. So the special functions are evaluated here from their own differential equations: the power
 * series at the singular point, Taylor series from point to point (each step is inside a third of the radius of
 * convergence and is summed until its terms are below 1e-18), and, for the oscillating Bessel functions, Hankel's
 * asymptotic expansion beyond max(25, nu^2), whose smallest term is below 1e-17 there, so that the cost stays bounded
 * for large times.
 *
 * Measured against rigorous enclosures at random arguments (tests/enclosure_test.c) and against evaluations with 150
 * digits, for orders from -0.75 to 29.5, lambda of either sign and t from 1e-3 to 1e4, in units of the solution's size:
 * Bessel functions err by less than 2e-14 + 3e-16 s, s = sqrt(lambda) t, the second part being the rounding of the
 * argument itself, and by 3.5e-15 ln(t/t0) more from t0 > 0; hypergeometric functions by 2e-14 and oscillators by 2e-15
 * + 2e-16 (s + alpha t/2), both times lambda/|lambda - alpha^2/4| close to critical damping.
 *
 * Series: NIST Digital Library of Mathematical Functions, 10.2.2 and 10.17.5 (Bessel), 15.10 (hypergeometric equation).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "closed.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { TERMS = 80 };
static const double NEGLIGIBLE = 1e-18;

void od_closed_damped(double alpha, double lambda, double s, double phi[4])
{
    const double w2 = lambda - alpha * alpha / 4, w = sqrt(fabs(w2));
    if (w2 > 0) {
        const double e = exp(-alpha * s / 2), c = cos(w * s), sn = sin(w * s) / w;
        phi[0] = e * (c + alpha / 2 * sn);
        phi[1] = e * sn;
        phi[2] = -e * lambda * sn;
        phi[3] = e * (c - alpha / 2 * sn);
        return;
    }
    /* two exponentials: cosh would overflow where the solution has long died out */
    const double fast = -(alpha / 2 + w), slow = fast != 0 ? lambda / fast : 0;
    const double e = exp(slow * s), f = exp(fast * s);
    const double difference = w > 0 ? -expm1(-2 * w * s) * e / (2 * w) : s * e; /* (e^{slow s} - e^{fast s})/2w */
    phi[0] = f - fast * difference;
    phi[1] = difference;
    phi[2] = -lambda * difference;
    phi[3] = f + slow * difference;
}

/* phi = s phi */
static void apply(const double s[4], double phi[4])
{
    const double a = phi[0], b = phi[1], c = phi[2], d = phi[3];
    phi[0] = s[0] * a + s[1] * c;
    phi[1] = s[0] * b + s[1] * d;
    phi[2] = s[2] * a + s[3] * c;
    phi[3] = s[2] * b + s[3] * d;
}

/* P y'' + q y' + R y = 0 in a variable theta in [0, 1]: power series of P and R, with P(0) != 0, and a number q. */
typedef struct equation {
    size_t degree; /* of P */
    double p[TERMS], q, r[2];
} equation;

/* The propagator over theta in [0, 1], which is a time h, by the power series of both solutions. */
static void taylor_step(const equation *eq, double h, double phi[4])
{
    double y[2], slope[2];
    for (size_t column = 0; column < 2; column++) {
        double c[TERMS] = {column == 0, column == 1};
        double size = 1;
        y[column] = 1;
        slope[column] = c[1];
        for (size_t k = 0; k + 2 < TERMS; k++) {
            double sum = eq->q * (double)(k + 1) * c[k + 1] + eq->r[0] * c[k] + (k > 0 ? eq->r[1] * c[k - 1] : 0);
            for (size_t j = 1; j <= eq->degree && j <= k; j++) {
                const double m = (double)(k + 2 - j);
                sum += eq->p[j] * m * (m - 1) * c[k + 2 - j];
            }
            const double m = (double)(k + 2);
            c[k + 2] = -sum / (eq->p[0] * m * (m - 1));
            y[column] += c[k + 2];
            slope[column] += m * c[k + 2];
            size = fmax(size, fabs(c[k + 2]));
            if (m * (fabs(c[k + 2]) + fabs(c[k + 1])) <= NEGLIGIBLE * size) {
                break;
            }
        }
    }
    const double step[4] = {y[0], h * y[1], slope[0] / h, slope[1]};
    apply(step, phi);
}

/* Callers take h = end - t0, which is exact, so that the times of many steps do not add up their roundings. A step too
 * short to move t0 belongs to a solution that overflows in the next one: it may as well be taken whole. */
static double end_of_step(double t0, double longest, double t)
{
    const double next = t0 + longest;
    return t - t0 <= longest || next == t0 ? t : next;
}

/* From rest at 0 to t: y = 0F1(; b; z), b = (r + 1)/2, z = -lambda t^2/4, and y' = -(lambda t/2)/b 0F1(; b + 1; z). */
static void viscous_start(double r, double lambda, double t, double phi[4])
{
    const double b = (r + 1) / 2, z = -lambda * t * t / 4;
    double y = 1, slope = 1, u = 1, v = 1;
    for (int k = 1; k < TERMS && fabs(u) + fabs(v) > NEGLIGIBLE; k++) {
        u *= z / (k * (b + k - 1));
        v *= z / (k * (b + k));
        y += u;
        slope += v;
    }
    phi[0] = y;
    phi[1] = phi[3] = 0;
    phi[2] = -lambda * t / 2 / b * slope;
}

/* From t0 > 0 by Taylor series around each t0, where t y'' + r y' + lambda t y = 0. */
static void viscous_steps(double r, double lambda, double t0, double t, double phi[4])
{
    /* besides the radius t0: terms like (1 + h/t0)^{-r} and cos(sqrt(lambda) h) must not cancel */
    const double ratio = fmin(1.0 / 3, 2 / (1 + fabs(r))), most = 2 / sqrt(fabs(lambda));
    while (t0 < t && isfinite(phi[0])) {
        const double next = end_of_step(t0, fmin(ratio * t0, most), t), h = next - t0;
        const double q = h / t0, stiffness = lambda * h * h;
        const equation eq = {.degree = 1, .p = {1, q}, .q = r * q, .r = {stiffness, stiffness * q}};
        taylor_step(&eq, h, phi);
        t0 = next;
    }
}

/*
 * Hankel's expansion of the solution s^{-r/2} e^{is} sum_k i^k a_k(nu)/s^k of y'' + (r/s) y' + y = 0, nu = (r - 1)/2,
 * without the factors s^{-r/2} and e^{is}; `slope` is its derivative without these factors.
 */
static double complex hankel(double r, double s, double complex *slope)
{
    const double four_nu2 = (r - 1) * (r - 1);
    double complex term = 1, h = 1, dh = 0;
    double last = 1;
    for (int k = 1; k < TERMS; k++) {
        const double odd = 2 * k - 1;
        term *= I * (four_nu2 - odd * odd) / (8 * k * s);
        const double size = cabs(term);
        h += term;
        dh -= k / s * term;
        if (size <= NEGLIGIBLE || (size > last && odd * odd > four_nu2)) {
            break;
        }
        last = size;
    }
    *slope = (I - r / (2 * s)) * h + dh;
    return h;
}

static void viscous_far(double r, double omega, double t0, double t, double phi[4])
{
    double complex slope0, slope1;
    const double complex h0 = hankel(r, omega * t0, &slope0), turn = cexp(I * omega * (t - t0));
    double complex h1 = hankel(r, omega * t, &slope1);
    h1 *= turn;
    slope1 *= turn;
    /* real and imaginary part are two solutions, of Wronskian 1 at t0; M(t) M(t0)^{-1} */
    const double wronskian = creal(h0) * cimag(slope0) - cimag(h0) * creal(slope0);
    const double scale = pow(t0 / t, r / 2) / wronskian;
    const double step[4] = {
        scale * (creal(h1) * cimag(slope0) - cimag(h1) * creal(slope0)),
        scale * (cimag(h1) * creal(h0) - creal(h1) * cimag(h0)) / omega,
        scale * (creal(slope1) * cimag(slope0) - cimag(slope1) * creal(slope0)) * omega,
        scale * (cimag(slope1) * creal(h0) - creal(slope1) * cimag(h0)),
    };
    apply(step, phi);
}

/* y'' + (r/t) y' = 0 */
static void viscous_flat(double r, double t0, double t, double phi[4])
{
    phi[0] = 1;
    phi[1] = phi[2] = phi[3] = 0;
    if (t0 > 0) {
        const double logarithm = log1p((t - t0) / t0), power = (1 - r) * logarithm;
        phi[1] = t0 * (power != 0 ? expm1(power) / power * logarithm : logarithm);
        phi[3] = exp(-r * logarithm);
    }
}

void od_closed_viscous(double r, double lambda, double t0, double t, double phi[4])
{
    if (lambda == 0) {
        viscous_flat(r, t0, t, phi);
        return;
    }
    const double omega = sqrt(fabs(lambda)), nu = (r - 1) / 2;
    const double far = lambda > 0 ? fmax(25, nu * nu) / omega : INFINITY;
    double from = t0;
    if (t0 > 0) {
        phi[0] = phi[3] = 1;
        phi[1] = phi[2] = 0;
    } else {
        from = fmin(t, 2 / omega);
        viscous_start(r, lambda, from, phi);
    }
    if (from < far) {
        viscous_steps(r, lambda, from, fmin(t, far), phi);
        from = fmin(t, far);
    }
    if (from < t) {
        viscous_far(r, omega, from, t, phi);
    }
}

/* t = tau^2/(4p) turns the damping p/t into (2p - 1)/tau (from rest both are 0F1(; p; -p beta t)). */
void od_closed_power(double p, double beta, double t0, double t, double phi[4])
{
    const double tau0 = 2 * sqrt(p * t0), tau = 2 * sqrt(p * t);
    od_closed_viscous(2 * p - 1, beta, tau0, tau, phi);
    if (t == 0) {
        phi[2] = -beta;
        return;
    }
    const double speed0 = tau0 / (2 * p), speed = 2 * p / tau; /* dt/dtau at t0, dtau/dt at t */
    phi[1] *= speed0;
    phi[2] *= speed;
    phi[3] *= speed * speed0;
}

/* From v = -beta y at t = 0: the coefficients of y in powers of t, where (1 - e^{-alpha t}) y'' + alpha (y' + beta y) =
 * 0 gives (k + 1)^2 c_{k+1} = -beta c_k - sum_{j>=2} (-alpha)^{j-1}/j! (k+2-j)(k+1-j) c_{k+2-j}; c[k] is c_k t^k. */
static void exponential_start(double alpha, double beta, double t, double phi[4])
{
    const double a = alpha * t;
    double c[TERMS] = {1}, y = 1, slope = 0, size = 1;
    for (size_t k = 0; k + 1 < TERMS; k++) {
        double sum = -beta * t * c[k], factor = 1;
        for (size_t j = 2; j <= k; j++) {
            const double m = (double)(k + 2 - j);
            factor *= -a / (double)j;
            sum -= factor * m * (m - 1) * c[k + 2 - j];
        }
        const double m = (double)(k + 1);
        c[k + 1] = sum / (m * m);
        y += c[k + 1];
        slope += m * c[k + 1];
        size = fmax(size, fabs(c[k + 1]));
        if (k > 0 && m * (fabs(c[k + 1]) + fabs(c[k])) <= NEGLIGIBLE * size) {
            break;
        }
    }
    phi[0] = y;
    phi[1] = phi[3] = 0;
    phi[2] = t > 0 ? slope / t : -beta;
}

static void exponential_steps(double alpha, double beta, double t0, double t, double phi[4])
{
    while (t0 < t && isfinite(phi[0])) {
        const double u = -expm1(-alpha * t0), w = exp(-alpha * t0);
        const double longest = fmin(t0 / 3, fmin(1 / alpha, 2 / sqrt(fabs(alpha * beta) / u)));
        const double next = end_of_step(t0, longest, t), h = next - t0, a = alpha * h;
        equation eq = {.degree = TERMS - 1, .p = {u}, .q = a, .r = {a * beta * h, 0}};
        double power = -w;
        for (size_t j = 1; j < TERMS; j++) {
            power *= -a / (double)j;
            eq.p[j] = power;
            if (fabs(power) <= NEGLIGIBLE * u * 1e-3) {
                eq.degree = j;
                break;
            }
        }
        taylor_step(&eq, h, phi);
        t0 = next;
    }
}

void od_closed_exponential(double alpha, double beta, double t0, double t, double phi[4])
{
    const double late = 40 / alpha; /* c = alpha to 5e-18 from here on */
    double from = t0;
    if (t0 > 0) {
        phi[0] = phi[3] = 1;
        phi[1] = phi[2] = 0;
    } else {
        from = fmin(t, 1 / fmax(alpha, fabs(beta)));
        exponential_start(alpha, beta, from, phi);
    }
    if (from < late) {
        exponential_steps(alpha, beta, from, fmin(t, late), phi);
        from = fmin(t, late);
    }
    if (from < t) {
        double step[4];
        od_closed_damped(alpha, alpha * beta, t - from, step);
        apply(step, phi);
    }
}
