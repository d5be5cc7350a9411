/* Numbers of analysis/enclosure.c as balls. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_NUMBER_BALL_H
#define OD_NUMBER_BALL_H

#include "analysis/rule.h"

#include <arb.h>
#include <stdbool.h>

#define NAMED(name) od_ball_##name

enum { OD_BALL_BITS = 128 };

typedef arb_struct number;

static inline bool number_is_zero(const number *x)
{
    return arb_is_zero(x);
}

static inline void number_set(number *z, const number *x)
{
    arb_set(z, x);
}

static inline void number_set_real(number *z, double x)
{
    arb_set_d(z, x);
}

static inline void number_set_decimal(number *z, const char *text)
{
    if (arb_set_str(z, text, OD_BALL_BITS) != 0) {
        arb_indeterminate(z);
    }
}

static inline void number_set_pi(number *z)
{
    arb_const_pi(z, OD_BALL_BITS);
}

static inline void number_set_e(number *z)
{
    arb_const_e(z, OD_BALL_BITS);
}

#define UNARY(name)                                                                                                    \
    static inline void number_##name(number *z, const number *x)                                                       \
    {                                                                                                                  \
        arb_##name(z, x, OD_BALL_BITS);                                                                                \
    }

#define BINARY(name)                                                                                                   \
    static inline void number_##name(number *z, const number *x, const number *y)                                      \
    {                                                                                                                  \
        arb_##name(z, x, y, OD_BALL_BITS);                                                                             \
    }

BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(pow)
BINARY(min)
BINARY(max)
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

static inline void number_neg(number *z, const number *x)
{
    arb_neg(z, x);
}

static inline void number_abs(number *z, const number *x)
{
    arb_abs(z, x);
}

/* -1, 0 or 1 */
static inline void number_sign(number *z, const number *x)
{
    arb_sgn(z, x);
}

static inline void number_power(number *z, const number *x, long n)
{
    arb_pow_ui(z, x, n < 0 ? -(ulong)n : (ulong)n, OD_BALL_BITS);
    if (n < 0) {
        arb_inv(z, z, OD_BALL_BITS);
    }
}

/* |x|^e for e >= 0; where x may be 0, all from 0 to the largest power */
static inline void number_power_abs(number *z, const number *x, const number *e)
{
    if (!arb_contains_zero(x)) {
        arb_abs(z, x);
        arb_pow(z, z, e, OD_BALL_BITS);
        return;
    }
    arf_t most;
    arf_init(most);
    arb_get_abs_ubound_arf(most, x, OD_BALL_BITS);
    arb_t top;
    arb_init(top);
    arb_set_arf(top, most);
    if (!arb_is_zero(top)) {
        arb_pow(top, top, e, OD_BALL_BITS);
    }
    arb_zero(z);
    arb_union(z, z, top, OD_BALL_BITS);
    arb_clear(top);
    arf_clear(most);
}

/* 1/(1 + e^-x) */
static inline void number_logistic(number *z, const number *x)
{
    arb_neg(z, x);
    arb_exp(z, z, OD_BALL_BITS);
    arb_add_ui(z, z, 1, OD_BALL_BITS);
    arb_inv(z, z, OD_BALL_BITS);
}

/* ln(1 + e^x) */
static inline void number_softplus(number *z, const number *x)
{
    arb_exp(z, x, OD_BALL_BITS);
    arb_log1p(z, z, OD_BALL_BITS);
}

#undef UNARY
#undef BINARY

/* What analysis/enclosure.c is in balls; analysis/enclosure.h says what these do. */
size_t od_ball_room(const od_rule *rule);
void od_ball_begin(const od_rule *rule, number *ws);
void od_ball_step(const od_rule *rule, uint64_t k, const number *z, number *next, number *ws);
void od_ball_jacobian(const od_rule *rule, uint64_t k, const number *z, number *jacobian, number *ws);

#endif
