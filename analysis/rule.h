/*
 * An iteration as a rule that numbers of any kind can follow:
 *
 *   v+ = a_k v - b_k g(x + c_k v),   x+ = x + tau v+,      state (x, v)
 *   x+ = x - b_k g(x)                                      state x
 *
 * with coefficients that are functions of the method's parameters, taken as exact doubles, over the real numbers: 1 -
 * alpha h is not rounded.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_RULE_H
#define OD_RULE_H

#include "../src/experiment.h"
#include "loss.h"

typedef enum od_rule_kind {
    OD_RULE_GRADIENT,        /* p: step.               b = p0 */
    OD_RULE_AMPLIFIED,       /* p: step.               b = p0 k */
    OD_RULE_VISCOUS,         /* p: alpha, step.        a = 1 - p0 p1, b = tau = p1 */
    OD_RULE_POLYAK,          /* p: momentum, rate.     a = p0, b = tau = sqrt(p1) */
    OD_RULE_NESTEROV,        /* p: r, step.            a = max(k-1, 0)/(k + p0 - 1), b = tau = sqrt(p1), c = a tau */
    OD_RULE_STRONGLY_CONVEX, /* p: mu, step.           a = (1 - sqrt(p0 p1))/(1 + sqrt(p0 p1)), else the same */
    OD_RULE_MEMORY,          /* p: exponent, step.     a = k/(k + p0), b = 1 - a, tau = p1 */
} od_rule_kind;

/** Immutable. Nodes are those of a tape: the gradient stands on the first `slopes` of them, the Hessian on all. */
typedef struct od_rule {
    const char *name; /* of the kind, in certificates */
    od_rule_kind kind;
    bool momentum; /* the state is (x, v), else x */
    double p[2];
    size_t dim, loss_dim; /* of the state and of x */
    od_tape *tape;
    const od_tape_node *node;
    uint32_t slopes, count;
    uint32_t gradient[OD_LOSS_MAX_DIM];                 /* OD_NO_NODE where it vanishes */
    uint32_t hessian[OD_LOSS_MAX_DIM][OD_LOSS_MAX_DIM]; /* [row][col], col <= row, the same */
} od_rule;

/**
 * The rule of a member's iteration. OD_EUNSUPPORTED with the reason where there is none: the method, noise, a
 * mini-batch or the loss.
 */
od_status od_rule_create(od_context *ctx, const od_member *m, od_rule **rule);
void od_rule_free(od_rule *rule); /* accepts NULL */

#endif
