/*
 * Rules in arithmetic that encloses: compiled for intervals of doubles, and in src/arb/ for balls (OD_NUMBER names the
 * header). A tape is evaluated node by node; what it means for derivatives stands on the tape.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifdef OD_NUMBER
#include OD_NUMBER
#else
#include "enclosure.h"
#include "number_span.h"
#endif

#include "rule.h"

enum { SCRATCH = 4, COEFFICIENTS = 4 };

/* Parts of the workspace. */
typedef struct bench {
    number *node;    /* [count] of the tape */
    number *c;       /* {a_k, b_k, c_k, tau} */
    number *place;   /* [d] where the gradient is taken */
    number *scratch; /* [SCRATCH] */
} bench;

static bench lay_out(const od_rule *rule, number *ws)
{
    number *c = ws + rule->count;
    return (bench){ws, c, c + COEFFICIENTS, c + COEFFICIENTS + rule->loss_dim};
}

size_t NAMED(room)(const od_rule *rule)
{
    return rule->count + COEFFICIENTS + rule->loss_dim + SCRATCH;
}

static void set_leaf(const od_tape_node *node, number *z)
{
    switch (node->op) {
    case OD_OP_PI: number_set_pi(z); return;
    case OD_OP_E: number_set_e(z); return;
    default: number_set_decimal(z, node->text); return;
    }
}

/* z = what a node is of its arguments among `values`. */
static void apply(const od_rule *rule, const od_tape_node *node, number *z, const number *values)
{
    const number *a = node->a != OD_NO_NODE ? values + node->a : NULL;
    const number *b = node->b != OD_NO_NODE ? values + node->b : NULL;
    switch (node->op) {
    case OD_OP_WHOLE: number_power(z, a, node->whole); return;
    case OD_OP_POWER:
        /* |x|^e is fine where x passes 0 */
        if (rule->node[node->a].op == OD_OP_ABS) {
            number_power_abs(z, a, b);
        } else {
            number_pow(z, a, b);
        }
        return;
    case OD_OP_NEGATE: number_neg(z, a); return;
    case OD_OP_ADD: number_add(z, a, b); return;
    case OD_OP_SUBTRACT: number_sub(z, a, b); return;
    case OD_OP_MULTIPLY: number_mul(z, a, b); return;
    case OD_OP_DIVIDE: number_div(z, a, b); return;
    case OD_OP_EXP: number_exp(z, a); return;
    case OD_OP_LOG: number_log(z, a); return;
    case OD_OP_SQRT: number_sqrt(z, a); return;
    case OD_OP_SIN: number_sin(z, a); return;
    case OD_OP_COS: number_cos(z, a); return;
    case OD_OP_TAN: number_tan(z, a); return;
    case OD_OP_SINH: number_sinh(z, a); return;
    case OD_OP_COSH: number_cosh(z, a); return;
    case OD_OP_TANH: number_tanh(z, a); return;
    case OD_OP_ATAN: number_atan(z, a); return;
    case OD_OP_LOGISTIC: number_logistic(z, a); return;
    case OD_OP_SOFTPLUS: number_softplus(z, a); return;
    case OD_OP_ABS: number_abs(z, a); return;
    case OD_OP_MIN: number_min(z, a, b); return;
    case OD_OP_MAX: number_max(z, a, b); return;
    case OD_OP_LOG_SLOPE:
        number_log(z, a); /* has no bounds where the logarithm does not exist */
        number_neg(z, z);
        number_exp(z, z);
        return;
    case OD_OP_SIGN: number_sign(z, a); return;
    default: set_leaf(node, z); return;
    }
}

void NAMED(begin)(const od_rule *rule, number *ws)
{
    for (uint32_t i = 0; i < rule->count; i++) {
        const od_tape_node *node = &rule->node[i];
        if (node->constant) {
            apply(rule, node, ws + i, ws);
        }
    }
}

/* The first `count` nodes at `place`; constants stand there already. */
static void evaluate(const od_rule *rule, uint32_t count, const bench *b)
{
    for (uint32_t i = 0; i < count; i++) {
        const od_tape_node *node = &rule->node[i];
        if (node->op == OD_OP_VARIABLE) {
            number_set(b->node + i, b->place + node->whole);
        } else if (!node->constant) {
            apply(rule, node, b->node + i, b->node);
        }
    }
}

/* z += x y; many entries are zero */
static void add_product(const bench *b, number *z, const number *x, const number *y)
{
    if (!number_is_zero(x) && !number_is_zero(y)) {
        number *term = b->scratch + SCRATCH - 1;
        number_mul(term, x, y);
        number_add(z, z, term);
    }
}

/* c = {a_k, b_k, c_k, tau} as analysis/rule.h has them. */
static void coefficients(const od_rule *rule, uint64_t k, number *c, number *spare)
{
    const double p = rule->p[0], step = rule->p[1];
    number *a = c, *b = c + 1, *look = c + 2, *tau = c + 3;
    for (size_t i = 0; i < COEFFICIENTS; i++) {
        number_set_real(c + i, 0);
    }
    number_set_real(spare, p);
    number_set_real(spare + 1, step);
    number_set_real(spare + 2, 1);
    switch (rule->kind) {
    case OD_RULE_GRADIENT: number_set(b, spare); return;
    case OD_RULE_AMPLIFIED:
        number_set_real(b, (double)k);
        number_mul(b, b, spare);
        return;
    case OD_RULE_VISCOUS:
        number_mul(a, spare, spare + 1);
        number_sub(a, spare + 2, a);
        number_set(b, spare + 1);
        number_set(tau, b);
        return;
    case OD_RULE_POLYAK:
        number_set(a, spare);
        number_sqrt(b, spare + 1);
        number_set(tau, b);
        return;
    case OD_RULE_NESTEROV:
        if (k > 1) {
            number_set_real(a, (double)k - 1);
            number_add(spare, spare, a);
            number_div(a, a, spare);
        }
        break;
    case OD_RULE_STRONGLY_CONVEX:
        number_mul(spare, spare, spare + 1);
        number_sqrt(spare, spare);
        number_sub(a, spare + 2, spare);
        number_add(spare, spare + 2, spare);
        number_div(a, a, spare);
        break;
    case OD_RULE_MEMORY:
        number_set_real(a, (double)k);
        number_add(b, a, spare);
        number_div(a, a, b);
        number_div(b, spare, b);
        number_set(tau, spare + 1);
        return;
    }
    number_sqrt(b, spare + 1);
    number_set(tau, b);
    number_mul(look, a, tau);
}

/* Coefficients, and the loss's derivatives on the first `count` nodes, at a state. */
static bench prepare(const od_rule *rule, uint32_t count, uint64_t k, const number *z, number *ws)
{
    const bench b = lay_out(rule, ws);
    coefficients(rule, k, b.c, b.scratch);
    for (size_t i = 0; i < rule->loss_dim; i++) {
        number_set(b.place + i, z + i);
        if (rule->momentum) {
            add_product(&b, b.place + i, b.c + 2, z + rule->loss_dim + i);
        }
    }
    evaluate(rule, count, &b);
    return b;
}

/* -b_k times a node */
static void pull(const bench *b, uint32_t node, number *out)
{
    number_set_real(out, 0);
    if (node != OD_NO_NODE) {
        add_product(b, out, b->c + 1, b->node + node);
        number_neg(out, out);
    }
}

void NAMED(step)(const od_rule *rule, uint64_t k, const number *z, number *next, number *ws)
{
    const size_t d = rule->loss_dim;
    const bench b = prepare(rule, rule->slopes, k, z, ws);
    number *kick = b.scratch;
    for (size_t i = 0; i < d; i++) {
        pull(&b, rule->gradient[i], kick);
        if (!rule->momentum) {
            number_add(next + i, z + i, kick);
            continue;
        }
        number *v = next + d + i;
        number_mul(v, b.c, z + d + i);
        number_add(v, v, kick);
        number_set(next + i, z + i);
        add_product(&b, next + i, b.c + 3, v);
    }
}

void NAMED(jacobian)(const od_rule *rule, uint64_t k, const number *z, number *jacobian, number *ws)
{
    const size_t n = rule->dim, d = rule->loss_dim;
    const bench b = prepare(rule, rule->count, k, z, ws);
    number *kick = b.scratch, *one = b.scratch + 1;
    number_set_real(one, 1);
    for (size_t i = 0; i < n * n; i++) {
        number_set_real(jacobian + i, 0);
    }
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            number *xx = jacobian + i * n + j;
            pull(&b, i >= j ? rule->hessian[i][j] : rule->hessian[j][i], kick);
            if (!rule->momentum) {
                number_set(xx, kick);
            } else {
                number *vx = jacobian + (d + i) * n + j, *vv = vx + d;
                number_set(vx, kick);
                add_product(&b, vv, b.c + 2, kick);
                if (i == j) {
                    number_add(vv, vv, b.c);
                }
                add_product(&b, xx, b.c + 3, vx);
                add_product(&b, xx + d, b.c + 3, vv);
            }
            if (i == j) {
                number_add(xx, xx, one);
            }
        }
    }
}
