/* Powers and elementary functions of intervals. SPDX-License-Identifier: GPL-3.0-or-later */
#include "interval.h"

#include "../src/text.h"

static const double pi = 3.14159265358979323846;

/* Ends that a function of the C library gave. */
static od_span widen(double lo, double hi)
{
    if (!(hi - lo < INFINITY)) {
        return od_span_line();
    }
    for (unsigned i = 0; i < 4; i++) {
        lo = od_below(lo);
        hi = od_above(hi);
    }
    return (od_span){lo, hi};
}

/* x^n of a number x >= 0 */
static od_span raise(double x, long n)
{
    od_span y = {1, 1}, base = {x, x};
    for (; n > 0; n >>= 1) {
        y = (n & 1) != 0 ? od_span_mul(y, base) : y;
        base = n > 1 ? od_span_mul(base, base) : base;
    }
    return (od_span){od_larger(y.lo, 0), y.hi};
}

od_span od_span_power(od_span x, long n)
{
    if (n < 0) {
        return od_span_div(od_span_real(1), od_span_power(x, -n));
    }
    const od_span low = raise(fabs(x.lo), n), high = raise(fabs(x.hi), n);
    if (!(low.hi < INFINITY && high.hi < INFINITY)) {
        return od_span_line();
    }
    if (n % 2 != 0) {
        return (od_span){x.lo < 0 ? -low.hi : low.lo, x.hi < 0 ? -high.lo : high.hi};
    }
    return (od_span){x.lo > 0 ? low.lo : x.hi < 0 ? high.lo : n == 0 ? 1 : 0, od_larger(low.hi, high.hi)};
}

od_span od_span_power_abs(od_span x, od_span e)
{
    const od_span y = od_span_abs(x);
    od_span low = {0, 0}, high = {0, 0};
    if (y.lo > 0) {
        low = od_span_pow(od_span_real(y.lo), e);
    }
    if (y.hi > 0) {
        high = od_span_pow(od_span_real(y.hi), e);
    }
    return od_span_hull(low, high);
}

od_span od_span_pow(od_span x, od_span e)
{
    return od_span_exp(od_span_mul(e, od_span_log(x)));
}

od_span od_span_decimal(const char *text)
{
    double x;
    if (!od_text_real(text, &x)) {
        return od_span_line();
    }
    return x == floor(x) && fabs(x) < 0x1p53 ? od_span_real(x) : od_span_round(x, x);
}

od_span od_span_exp(od_span x)
{
    const od_span y = widen(exp(x.lo), exp(x.hi));
    return (od_span){od_larger(y.lo, 0), y.hi};
}

od_span od_span_log(od_span x)
{
    return x.lo > 0 ? widen(log(x.lo), log(x.hi)) : od_span_line();
}

/*
 * Whether [lo, hi] may hold a number shift + m pi, m even or odd; in m how far apart the ends are otherwise. Near such
 * a number it says yes, which is on the safe side.
 */
static bool may_hold(od_span x, double shift, int parity)
{
    if (!(fabs(x.lo) < 1e8 && fabs(x.hi) < 1e8)) {
        return true;
    }
    const double first = ceil((x.lo - shift) / pi - 1e-6), last = floor((x.hi - shift) / pi + 1e-6);
    return last > first || (last == first && (parity < 0 || (fmod(fabs(first), 2) != 0) == (parity != 0)));
}

/* A function with extrema 1 at shift + 2 m pi and -1 between, given at the ends. */
static od_span wave(od_span x, double shift, double at_lo, double at_hi)
{
    od_span y = widen(od_smaller(at_lo, at_hi), od_larger(at_lo, at_hi));
    y = may_hold(x, shift, 0) ? (od_span){y.lo, 1} : y;
    y = may_hold(x, shift, 1) ? (od_span){-1, y.hi} : y;
    return (od_span){od_larger(y.lo, -1), od_smaller(y.hi, 1)};
}

od_span od_span_sin(od_span x)
{
    return x.hi - x.lo < 7 ? wave(x, pi / 2, sin(x.lo), sin(x.hi)) : (od_span){-1, 1};
}

od_span od_span_cos(od_span x)
{
    return x.hi - x.lo < 7 ? wave(x, 0, cos(x.lo), cos(x.hi)) : (od_span){-1, 1};
}

od_span od_span_tan(od_span x)
{
    return may_hold(x, pi / 2, -1) ? od_span_line() : widen(tan(x.lo), tan(x.hi));
}

od_span od_span_sinh(od_span x)
{
    return widen(sinh(x.lo), sinh(x.hi));
}

od_span od_span_cosh(od_span x)
{
    const od_span y = od_span_abs(x), z = widen(cosh(y.lo), cosh(y.hi));
    return (od_span){od_larger(z.lo, 1), z.hi};
}

od_span od_span_tanh(od_span x)
{
    const od_span y = widen(tanh(x.lo), tanh(x.hi));
    return (od_span){od_larger(y.lo, -1), od_smaller(y.hi, 1)};
}

od_span od_span_atan(od_span x)
{
    return widen(atan(x.lo), atan(x.hi));
}

/* 1/(1 + e^-x) at one number */
static od_span logistic(double x)
{
    const od_span decay = od_span_exp(od_span_real(-fabs(x))), bottom = od_span_add(od_span_real(1), decay);
    return od_span_div(x < 0 ? decay : od_span_real(1), bottom);
}

od_span od_span_logistic(od_span x)
{
    return (od_span){od_larger(logistic(x.lo).lo, 0), od_smaller(logistic(x.hi).hi, 1)};
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|) at one number */
static od_span softplus(double x)
{
    const od_span decay = od_span_exp(od_span_real(-fabs(x)));
    return od_span_add(od_span_real(od_larger(x, 0)), widen(log1p(decay.lo), log1p(decay.hi)));
}

od_span od_span_softplus(od_span x)
{
    return x.hi - x.lo < INFINITY ? (od_span){softplus(x.lo).lo, softplus(x.hi).hi} : od_span_line();
}
