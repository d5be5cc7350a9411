/* Numbers of analysis/enclosure.c as intervals of doubles. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_NUMBER_SPAN_H
#define OD_NUMBER_SPAN_H

#include "interval.h"

#define NAMED(name) od_span_##name

typedef od_span number;

static inline bool number_is_zero(const number *x)
{
    return x->lo == 0 && x->hi == 0;
}

static inline void number_set(number *z, const number *x)
{
    *z = *x;
}

static inline void number_set_real(number *z, double x)
{
    *z = od_span_real(x);
}

static inline void number_set_decimal(number *z, const char *text)
{
    *z = od_span_decimal(text);
}

static inline void number_set_pi(number *z)
{
    *z = (od_span){0x1.921fb54442d18p+1, 0x1.921fb54442d19p+1};
}

static inline void number_set_e(number *z)
{
    *z = (od_span){0x1.5bf0a8b145769p+1, 0x1.5bf0a8b14576ap+1};
}

#define UNARY(name)                                                                                                    \
    static inline void number_##name(number *z, const number *x)                                                       \
    {                                                                                                                  \
        *z = od_span_##name(*x);                                                                                       \
    }

#define BINARY(name)                                                                                                   \
    static inline void number_##name(number *z, const number *x, const number *y)                                      \
    {                                                                                                                  \
        *z = od_span_##name(*x, *y);                                                                                   \
    }

UNARY(neg)
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(sin)
UNARY(cos)
UNARY(tan)
UNARY(sinh)
UNARY(cosh)
UNARY(tanh)
UNARY(atan)
UNARY(logistic)
UNARY(softplus)
UNARY(abs)
BINARY(pow)
BINARY(power_abs)

static inline void number_power(number *z, const number *x, long n)
{
    *z = od_span_power(*x, n);
}

static inline void number_min(number *z, const number *x, const number *y)
{
    *z = (od_span){od_smaller(x->lo, y->lo), od_smaller(x->hi, y->hi)};
}

static inline void number_max(number *z, const number *x, const number *y)
{
    *z = (od_span){od_larger(x->lo, y->lo), od_larger(x->hi, y->hi)};
}

/* -1, 0 or 1 */
static inline void number_sign(number *z, const number *x)
{
    *z = (od_span){x->lo > 0 ? 1 : -1, x->hi < 0 ? -1 : 1};
}

#undef UNARY
#undef BINARY

#endif
