/*
 * Intervals of doubles that hold the true value for certain: each operation rounds outwards.
 *
 * A double x is moved beyond its neighbour by adding |x| u (1 + 2u) + eta, u = 2^-53, eta = 2^-1074. Operations without
 * a finite result give the whole line. Elementary functions are those of the C library, taken to be within 4 units in
 * the last place (glibc's manual states 2 at most); tests/interval_test.c holds them against ball arithmetic.
 *
 * Source  S. M. Rump, P. Zimmermann, S. Boldo, G. Melquiond, Computing predecessor and successor in rounding to
 * nearest, BIT 49 (2009), 419-431, Algorithm 1; R. E. Moore, Interval analysis (1966).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_INTERVAL_H
#define OD_INTERVAL_H

#include <math.h>
#include <stdbool.h>

typedef struct od_span {
    double lo, hi;
} od_span;

static inline double od_below(double x)
{
    return x - (fabs(x) * 0x1.0000000000001p-53 + 0x1p-1074);
}

static inline double od_above(double x)
{
    return x + (fabs(x) * 0x1.0000000000001p-53 + 0x1p-1074);
}

static inline double od_smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double od_larger(double a, double b)
{
    return a > b ? a : b;
}

static inline od_span od_span_line(void)
{
    return (od_span){-INFINITY, INFINITY};
}

/** Ends that were computed in round to nearest, moved outwards; the whole line if they are not finite. */
static inline od_span od_span_round(double lo, double hi)
{
    const double width = hi - lo;
    return width < INFINITY ? (od_span){od_below(lo), od_above(hi)} : od_span_line();
}

static inline od_span od_span_real(double x)
{
    return (od_span){x, x};
}

static inline od_span od_span_add(od_span x, od_span y)
{
    return od_span_round(x.lo + y.lo, x.hi + y.hi);
}

static inline od_span od_span_sub(od_span x, od_span y)
{
    return od_span_round(x.lo - y.hi, x.hi - y.lo);
}

static inline od_span od_span_neg(od_span x)
{
    return (od_span){-x.hi, -x.lo};
}

static inline od_span od_span_mul(od_span x, od_span y)
{
    const double a = x.lo * y.lo, b = x.lo * y.hi, c = x.hi * y.lo, d = x.hi * y.hi;
    if (!(fabs(a) + fabs(b) + fabs(c) + fabs(d) < INFINITY)) {
        return od_span_line();
    }
    return od_span_round(od_smaller(od_smaller(a, b), od_smaller(c, d)), od_larger(od_larger(a, b), od_larger(c, d)));
}

static inline od_span od_span_div(od_span x, od_span y)
{
    if (y.lo <= 0 && y.hi >= 0) {
        return od_span_line();
    }
    const double a = x.lo / y.lo, b = x.lo / y.hi, c = x.hi / y.lo, d = x.hi / y.hi;
    if (!(fabs(a) + fabs(b) + fabs(c) + fabs(d) < INFINITY)) {
        return od_span_line();
    }
    return od_span_round(od_smaller(od_smaller(a, b), od_smaller(c, d)), od_larger(od_larger(a, b), od_larger(c, d)));
}

/** |x|: the smallest and the largest modulus. */
static inline od_span od_span_abs(od_span x)
{
    if (x.lo >= 0) {
        return x;
    }
    return x.hi <= 0 ? od_span_neg(x) : (od_span){0, od_larger(-x.lo, x.hi)};
}

/** The whole line if x reaches below 0. */
static inline od_span od_span_sqrt(od_span x)
{
    return x.lo >= 0 ? od_span_round(sqrt(x.lo), sqrt(x.hi)) : od_span_line();
}

static inline od_span od_span_hull(od_span x, od_span y)
{
    return (od_span){od_smaller(x.lo, y.lo), od_larger(x.hi, y.hi)};
}

/** x^n for n of either sign. */
od_span od_span_power(od_span x, long n);
/** |x|^e for an exponent e >= 0 that may be any number. */
od_span od_span_power_abs(od_span x, od_span e);
/** x^e where x > 0; the whole line if x reaches 0. */
od_span od_span_pow(od_span x, od_span e);
/** The decimal `text`. */
od_span od_span_decimal(const char *text);
/** Where a function does not exist on all of x, the whole line. */
od_span od_span_exp(od_span x);
od_span od_span_log(od_span x);
od_span od_span_sin(od_span x);
od_span od_span_cos(od_span x);
od_span od_span_tan(od_span x);
od_span od_span_sinh(od_span x);
od_span od_span_cosh(od_span x);
od_span od_span_tanh(od_span x);
od_span od_span_atan(od_span x);
od_span od_span_logistic(od_span x); /* 1/(1 + e^-x) */
od_span od_span_softplus(od_span x); /* ln(1 + e^x) */

#endif
