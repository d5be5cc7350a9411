/*
 * Derivatives of a tape as nodes of the tape. A node's share in what is made of it is the same in both directions:
 * backward, adjoint(argument) += adjoint(node) d node/d argument; forward, slope(node) += slope(argument) d node/d
 * argument.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "memory.h"
#include "tape.h"

#include <stdlib.h>
#include <string.h>

static uint32_t two(od_tape *t, od_operation op, uint32_t a, uint32_t b)
{
    return od_tape_apply(t, op, a, b);
}

static uint32_t one(od_tape *t, od_operation op, uint32_t a)
{
    return od_tape_apply(t, op, a, OD_NO_NODE);
}

/* (1 +- sign(a - b))/2: which of two is the larger, half and half where they are equal */
static uint32_t chosen(od_tape *t, uint32_t a, uint32_t b)
{
    const uint32_t sign = one(t, OD_OP_SIGN, two(t, OD_OP_SUBTRACT, a, b));
    return two(t, OD_OP_DIVIDE, two(t, OD_OP_ADD, od_tape_integer(t, 1), sign), od_tape_integer(t, 2));
}

/* w d i/d b for operations of two arguments; argument says which of the two is meant */
static uint32_t share_of_two(od_tape *t, uint32_t i, const od_tape_node *n, bool first, uint32_t w)
{
    const uint32_t a = n->a, b = n->b;
    switch (n->op) {
    case OD_OP_ADD: return w;
    case OD_OP_SUBTRACT: return first ? w : one(t, OD_OP_NEGATE, w);
    case OD_OP_MULTIPLY: return two(t, OD_OP_MULTIPLY, w, first ? b : a);
    case OD_OP_DIVIDE:
        return first ? two(t, OD_OP_DIVIDE, w, b)
                     : one(t, OD_OP_NEGATE, two(t, OD_OP_MULTIPLY, w, two(t, OD_OP_DIVIDE, i, b)));
    case OD_OP_POWER:
        return two(
            t, OD_OP_MULTIPLY, w,
            first ? two(t, OD_OP_MULTIPLY, b, two(t, OD_OP_POWER, a, two(t, OD_OP_SUBTRACT, b, od_tape_integer(t, 1))))
                  : two(t, OD_OP_MULTIPLY, i, one(t, OD_OP_LOG, a)));
    case OD_OP_MAX: return two(t, OD_OP_MULTIPLY, w, first ? chosen(t, a, b) : chosen(t, b, a));
    case OD_OP_MIN: return two(t, OD_OP_MULTIPLY, w, first ? chosen(t, b, a) : chosen(t, a, b));
    default: return OD_NO_NODE;
    }
}

/* w d i/d a for operations of one argument */
static uint32_t share_of_one(od_tape *t, uint32_t i, const od_tape_node *n, uint32_t w)
{
    const uint32_t a = n->a;
    switch (n->op) {
    case OD_OP_NEGATE: return one(t, OD_OP_NEGATE, w);
    case OD_OP_WHOLE:
        return two(t, OD_OP_MULTIPLY, w,
                   two(t, OD_OP_MULTIPLY, od_tape_integer(t, n->whole), od_tape_whole(t, a, n->whole - 1)));
    case OD_OP_EXP: return two(t, OD_OP_MULTIPLY, w, i);
    case OD_OP_LOG: return two(t, OD_OP_MULTIPLY, w, one(t, OD_OP_LOG_SLOPE, a));
    case OD_OP_SQRT: return two(t, OD_OP_DIVIDE, w, two(t, OD_OP_MULTIPLY, od_tape_integer(t, 2), i));
    case OD_OP_SIN: return two(t, OD_OP_MULTIPLY, w, one(t, OD_OP_COS, a));
    case OD_OP_COS: return one(t, OD_OP_NEGATE, two(t, OD_OP_MULTIPLY, w, one(t, OD_OP_SIN, a)));
    case OD_OP_TAN: return two(t, OD_OP_MULTIPLY, w, two(t, OD_OP_ADD, od_tape_integer(t, 1), od_tape_whole(t, i, 2)));
    case OD_OP_SINH: return two(t, OD_OP_MULTIPLY, w, one(t, OD_OP_COSH, a));
    case OD_OP_COSH: return two(t, OD_OP_MULTIPLY, w, one(t, OD_OP_SINH, a));
    /* 1 - tanh^2 would cancel */
    case OD_OP_TANH: return two(t, OD_OP_MULTIPLY, w, od_tape_whole(t, one(t, OD_OP_COSH, a), -2));
    case OD_OP_ATAN: return two(t, OD_OP_DIVIDE, w, two(t, OD_OP_ADD, od_tape_integer(t, 1), od_tape_whole(t, a, 2)));
    case OD_OP_LOGISTIC: /* nor 1 - logistic(a) */
        return two(t, OD_OP_MULTIPLY, w, two(t, OD_OP_MULTIPLY, i, one(t, OD_OP_LOGISTIC, one(t, OD_OP_NEGATE, a))));
    case OD_OP_SOFTPLUS: return two(t, OD_OP_MULTIPLY, w, one(t, OD_OP_LOGISTIC, a));
    case OD_OP_ABS: return two(t, OD_OP_MULTIPLY, w, one(t, OD_OP_SIGN, a));
    case OD_OP_LOG_SLOPE: return one(t, OD_OP_NEGATE, two(t, OD_OP_MULTIPLY, w, od_tape_whole(t, i, 2)));
    default: return OD_NO_NODE;
    }
}

/* w times the derivative of node i with respect to its argument 0 or 1; OD_NO_NODE where it vanishes or w does */
static uint32_t share(od_tape *t, uint32_t i, unsigned argument, uint32_t w)
{
    const od_tape_node n = od_tape_nodes(t)[i]; /* a copy: the tape grows */
    if (w == OD_NO_NODE || od_tape_nodes(t)[argument == 0 ? n.a : n.b].constant) {
        return OD_NO_NODE;
    }
    return od_operation_arguments(n.op) == 2 ? share_of_two(t, i, &n, argument == 0, w) : share_of_one(t, i, &n, w);
}

static void add_to(od_tape *t, uint32_t *sum, uint32_t term)
{
    *sum = *sum == OD_NO_NODE ? term : term == OD_NO_NODE ? *sum : od_tape_apply(t, OD_OP_ADD, *sum, term);
}

static uint32_t *no_nodes(size_t count)
{
    uint32_t *node = od_zalloc(count, sizeof *node);
    if (node != NULL) {
        memset(node, 0xff, count * sizeof *node); /* OD_NO_NODE */
    }
    return node;
}

enum { NO_VARIABLE = -1, SEVERAL = -2 };

/*
 * What depends on one variable alone has its derivative by a forward sweep, even in a backward one: it stays a function
 * of that variable (of a polynomial, a polynomial), and is the same for all directions.
 */
typedef struct sweep {
    od_tape *tape;
    uint32_t d, count;
    bool *wanted;
    int32_t *only;   /* the variable a node depends on, or one of the above */
    uint32_t *slope; /* with respect to that variable, or in the direction */
} sweep;

static void look_at(sweep *s, size_t count, const uint32_t *node)
{
    const od_tape_node *n = od_tape_nodes(s->tape);
    for (size_t j = 0; j < count; j++) {
        if (node[j] != OD_NO_NODE) {
            s->wanted[node[j]] = true;
        }
    }
    for (uint32_t i = s->count; i-- > 0;) {
        for (unsigned k = 0; k < od_operation_arguments(n[i].op) && s->wanted[i]; k++) {
            s->wanted[k == 0 ? n[i].a : n[i].b] = true;
        }
    }
    for (uint32_t i = 0; i < s->count; i++) {
        s->only[i] = n[i].op == OD_OP_VARIABLE && (uint32_t)n[i].whole < s->d ? n[i].whole : NO_VARIABLE;
        for (unsigned k = 0; k < od_operation_arguments(n[i].op); k++) {
            const int32_t other = s->only[k == 0 ? n[i].a : n[i].b];
            s->only[i] = s->only[i] == NO_VARIABLE || s->only[i] == other ? other
                         : other == NO_VARIABLE                           ? s->only[i]
                                                                          : SEVERAL;
        }
    }
}

static bool open_sweep(sweep *s, od_tape *tape, uint32_t d, size_t count, const uint32_t *node)
{
    *s = (sweep){.tape = tape, .d = d, .count = od_tape_count(tape)};
    s->slope = no_nodes(s->count);
    s->wanted = od_zalloc(s->count, sizeof *s->wanted);
    s->only = od_zalloc(s->count, sizeof *s->only);
    if (s->slope == NULL || s->wanted == NULL || s->only == NULL) {
        return false;
    }
    look_at(s, count, node);
    return true;
}

static od_status close_sweep(od_context *ctx, sweep *s, bool memory)
{
    free(s->slope);
    free(s->wanted);
    free(s->only);
    return memory && od_tape_complete(s->tape)
               ? OD_OK
               : od_fail(ctx, OD_ENOMEM, "problem.f", "no memory for the derivatives of the formula; shorten it");
}

static uint32_t in_direction(sweep *s, uint32_t i)
{
    const int32_t only = s->only[i];
    return only < 0 || s->slope[i] == OD_NO_NODE
               ? s->slope[i]
               : od_tape_apply(s->tape, OD_OP_MULTIPLY, s->slope[i], od_tape_variable(s->tape, only + (int32_t)s->d));
}

/* Slopes of all that is wanted, or only of what depends on one variable. */
static void sweep_forward(sweep *s, bool several)
{
    for (uint32_t i = 0; i < s->count && od_tape_complete(s->tape); i++) {
        const od_tape_node n = od_tape_nodes(s->tape)[i];
        const bool single = s->only[i] >= 0;
        if (n.op == OD_OP_VARIABLE && single) {
            s->slope[i] = od_tape_integer(s->tape, 1);
        }
        for (unsigned k = 0; k < od_operation_arguments(n.op) && s->wanted[i] && (single || several); k++) {
            const uint32_t argument = k == 0 ? n.a : n.b;
            add_to(s->tape, &s->slope[i],
                   share(s->tape, i, k, single ? s->slope[argument] : in_direction(s, argument)));
        }
    }
}

od_status od_tape_gradient(od_context *ctx, od_tape *t, uint32_t f, uint32_t d, uint32_t *gradient)
{
    sweep s;
    uint32_t *adjoint = no_nodes((size_t)f + 1);
    const bool memory = open_sweep(&s, t, d, 1, &f) && adjoint != NULL;
    memset(gradient, 0xff, d * sizeof *gradient);
    if (memory) {
        sweep_forward(&s, false);
        adjoint[f] = od_tape_integer(t, 1);
    }
    for (uint32_t i = f + 1; memory && od_tape_complete(t) && i-- > 0;) {
        const od_tape_node n = od_tape_nodes(t)[i];
        if (s.only[i] >= 0) {
            add_to(t, &gradient[s.only[i]], od_tape_apply(t, OD_OP_MULTIPLY, adjoint[i], s.slope[i]));
            continue;
        }
        for (unsigned k = 0; k < od_operation_arguments(n.op) && adjoint[i] != OD_NO_NODE; k++) {
            add_to(t, &adjoint[k == 0 ? n.a : n.b], share(t, i, k, adjoint[i]));
        }
    }
    free(adjoint);
    return close_sweep(ctx, &s, memory);
}

od_status od_tape_along(od_context *ctx, od_tape *t, uint32_t d, size_t count, const uint32_t *node, uint32_t *along)
{
    sweep s;
    const bool memory = open_sweep(&s, t, d, count, node);
    if (memory) {
        sweep_forward(&s, true);
    }
    for (size_t j = 0; j < count && memory; j++) {
        along[j] = node[j] != OD_NO_NODE ? in_direction(&s, node[j]) : OD_NO_NODE;
    }
    return close_sweep(ctx, &s, memory);
}
