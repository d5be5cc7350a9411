/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "polynomial.h"

#include <math.h>

static od_polynomial itself(uint32_t i)
{
    return (od_polynomial){.base = i, .degree = 1, .coefficient = {0, 1}};
}

static size_t terms(const od_polynomial *p)
{
    size_t count = 0;
    for (uint32_t k = 0; k <= p->degree; k++) {
        count += p->coefficient[k] != 0;
    }
    return count;
}

/* of a polynomial that is no constant */
static bool is_power(const od_polynomial *p)
{
    return terms(p) == 1 && p->coefficient[p->degree] == 1;
}

static od_polynomial scaled(od_polynomial p, double factor, double divisor)
{
    for (uint32_t k = 0; k <= p.degree; k++) {
        p.coefficient[k] = divisor != 1 ? p.coefficient[k] / divisor : factor * p.coefficient[k];
    }
    return p;
}

/* p + sign q */
static od_polynomial sum(od_polynomial p, const od_polynomial *q, double sign)
{
    p.base = p.degree > 0 ? p.base : q->base;
    p.degree = p.degree > q->degree ? p.degree : q->degree;
    for (uint32_t k = 0; k <= q->degree; k++) {
        p.coefficient[k] += sign * q->coefficient[k];
    }
    return p;
}

/* p base^by; the degree fits */
static od_polynomial shifted(od_polynomial p, uint32_t by)
{
    for (uint32_t k = p.degree + 1; k-- > 0;) {
        p.coefficient[k + by] = p.coefficient[k];
    }
    for (uint32_t k = 0; k < by; k++) {
        p.coefficient[k] = 0;
    }
    p.degree += by;
    return p;
}

/* What is lost to overflow or cancels at the top is left as it was written. */
static bool is_sound(const od_polynomial *p)
{
    bool finite = true;
    for (uint32_t k = 0; k <= p->degree; k++) {
        finite = finite && isfinite(p->coefficient[k]);
    }
    return finite && p->coefficient[p->degree] != 0;
}

od_polynomial od_polynomial_of(const od_tape_node *node, uint32_t i, const od_polynomial *polynomial)
{
    const od_tape_node *n = &node[i];
    if (n->constant) {
        return (od_polynomial){.base = OD_NO_NODE, .coefficient = {n->value}};
    }
    const unsigned arguments = od_operation_arguments(n->op);
    const od_polynomial *a = arguments > 0 ? &polynomial[n->a] : NULL, *b = arguments > 1 ? &polynomial[n->b] : a;
    if (arguments == 0 || (a->degree > 0 && b->degree > 0 && a->base != b->base)) {
        return itself(i);
    }
    od_polynomial p = itself(i);
    switch (n->op) {
    case OD_OP_NEGATE: p = scaled(*a, -1, 1); break;
    case OD_OP_ADD: p = sum(*a, b, 1); break;
    case OD_OP_SUBTRACT: p = sum(*a, b, -1); break;
    case OD_OP_DIVIDE: p = b->degree == 0 ? scaled(*a, 1, b->coefficient[0]) : p; break;
    case OD_OP_MULTIPLY:
        if (a->degree == 0 || b->degree == 0) {
            p = a->degree == 0 ? scaled(*b, a->coefficient[0], 1) : scaled(*a, b->coefficient[0], 1);
        } else if (a->degree + b->degree <= OD_MOST_DEGREE && (is_power(a) || is_power(b))) {
            p = is_power(a) ? shifted(*b, a->degree) : shifted(*a, b->degree);
        }
        break;
    default: break;
    }
    return is_sound(&p) ? p : itself(i);
}

bool od_polynomial_pays(const od_polynomial *p)
{
    return p->degree > 1 && terms(p) > 1;
}
