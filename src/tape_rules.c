/*
 * What a tape simplifies while it is made. Only what leaves the meaning alone: 0 f and f - f stay, since f may not
 * exist everywhere, and factors are taken together only if they are far from overflow. Rounding may differ.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tape.h"

#include <math.h>

enum { MOST_EXPONENT = 1 << 30 };

static const od_tape_node *at(const od_tape *t, uint32_t i)
{
    return &od_tape_nodes(t)[i];
}

static bool is_whole(const od_tape *t, uint32_t i, double value)
{
    return at(t, i)->exact && at(t, i)->value == value;
}

static bool is_op(const od_tape *t, uint32_t i, od_operation op)
{
    return at(t, i)->op == op;
}

static bool is_moderate(const od_tape *t, uint32_t i)
{
    const double size = fabs(at(t, i)->value);
    return at(t, i)->constant && size > 0x1p-64 && size < 0x1p64;
}

/* a constant times something that is none; makes *factor and *rest of it */
static bool scaled(const od_tape *t, uint32_t i, uint32_t *factor, uint32_t *rest)
{
    const od_tape_node n = *at(t, i);
    if (n.op != OD_OP_MULTIPLY || n.constant || (!is_moderate(t, n.a) && !is_moderate(t, n.b))) {
        return false;
    }
    *factor = at(t, n.a)->constant ? n.a : n.b;
    *rest = *factor == n.a ? n.b : n.a;
    return true;
}

/* A constant that is a whole number becomes that number, however it was written. */
static uint32_t constant(od_tape *t, od_operation op, uint32_t a, uint32_t b)
{
    const uint32_t i = od_tape_add(t, op, a, b, 0);
    /* what is exact is a number or one with a sign already; of the latter negative() makes a number */
    if (i == OD_NO_NODE || !at(t, i)->exact || op == OD_OP_NEGATE) {
        return i;
    }
    return od_tape_integer(t, (int64_t)at(t, i)->value);
}

static uint32_t negative(od_tape *t, uint32_t a)
{
    uint32_t factor, rest;
    const od_tape_node n = *at(t, a);
    if (n.op == OD_OP_NEGATE) {
        return n.a;
    }
    if (n.op == OD_OP_SUBTRACT && !n.constant) {
        return od_tape_apply(t, OD_OP_SUBTRACT, n.b, n.a);
    }
    if (scaled(t, a, &factor, &rest)) {
        return od_tape_apply(t, OD_OP_MULTIPLY, od_tape_apply(t, OD_OP_NEGATE, factor, OD_NO_NODE), rest);
    }
    return is_whole(t, a, 0) ? a : constant(t, OD_OP_NEGATE, a, OD_NO_NODE);
}

static uint32_t sum(od_tape *t, uint32_t a, uint32_t b)
{
    if (is_whole(t, a, 0)) {
        return b;
    }
    if (is_whole(t, b, 0)) {
        return a;
    }
    if (is_op(t, b, OD_OP_NEGATE)) {
        return od_tape_apply(t, OD_OP_SUBTRACT, a, at(t, b)->a);
    }
    if (is_op(t, a, OD_OP_NEGATE)) {
        return od_tape_apply(t, OD_OP_SUBTRACT, b, at(t, a)->a);
    }
    return constant(t, OD_OP_ADD, a, b);
}

static uint32_t difference(od_tape *t, uint32_t a, uint32_t b)
{
    if (is_whole(t, b, 0)) {
        return a;
    }
    if (is_whole(t, a, 0)) {
        return negative(t, b);
    }
    if (is_op(t, b, OD_OP_NEGATE)) {
        return od_tape_apply(t, OD_OP_ADD, a, at(t, b)->a);
    }
    return constant(t, OD_OP_SUBTRACT, a, b);
}

/* i as base^exponent with a positive exponent */
static void as_power(const od_tape *t, uint32_t i, uint32_t *base, int32_t *exponent)
{
    const bool power = is_op(t, i, OD_OP_WHOLE) && at(t, i)->whole > 0;
    *base = power ? at(t, i)->a : i;
    *exponent = power ? at(t, i)->whole : 1;
}

static uint32_t product(od_tape *t, uint32_t a, uint32_t b)
{
    if (at(t, b)->constant && !at(t, a)->constant) {
        return product(t, b, a);
    }
    uint32_t factor, rest, base[2];
    int32_t exponent[2];
    if (is_whole(t, a, 1)) {
        return b;
    }
    if (is_whole(t, a, -1)) {
        return negative(t, b);
    }
    if (is_op(t, b, OD_OP_NEGATE)) {
        return od_tape_apply(t, OD_OP_NEGATE, od_tape_apply(t, OD_OP_MULTIPLY, a, at(t, b)->a), OD_NO_NODE);
    }
    if (is_op(t, a, OD_OP_NEGATE) && !at(t, a)->constant) {
        return od_tape_apply(t, OD_OP_NEGATE, od_tape_apply(t, OD_OP_MULTIPLY, at(t, a)->a, b), OD_NO_NODE);
    }
    if (is_moderate(t, a) && scaled(t, b, &factor, &rest)) {
        return od_tape_apply(t, OD_OP_MULTIPLY, constant(t, OD_OP_MULTIPLY, a, factor), rest);
    }
    if (!at(t, a)->constant && (scaled(t, a, &factor, &rest) || scaled(t, b, &factor, &rest))) {
        const uint32_t other = scaled(t, a, &factor, &rest) ? b : a;
        return od_tape_apply(t, OD_OP_MULTIPLY, factor, od_tape_apply(t, OD_OP_MULTIPLY, rest, other));
    }
    as_power(t, a, &base[0], &exponent[0]);
    as_power(t, b, &base[1], &exponent[1]);
    if (base[0] == base[1] && !at(t, a)->constant && exponent[0] <= MOST_EXPONENT - exponent[1]) {
        return od_tape_whole(t, base[0], exponent[0] + exponent[1]);
    }
    return constant(t, OD_OP_MULTIPLY, a, b);
}

static uint32_t quotient(od_tape *t, uint32_t a, uint32_t b)
{
    uint32_t factor, rest;
    if (is_whole(t, b, 1)) {
        return a;
    }
    if (is_whole(t, b, -1)) {
        return negative(t, a);
    }
    if (is_op(t, a, OD_OP_NEGATE)) {
        return od_tape_apply(t, OD_OP_NEGATE, od_tape_apply(t, OD_OP_DIVIDE, at(t, a)->a, b), OD_NO_NODE);
    }
    if (is_op(t, b, OD_OP_NEGATE)) {
        return od_tape_apply(t, OD_OP_NEGATE, od_tape_apply(t, OD_OP_DIVIDE, a, at(t, b)->a), OD_NO_NODE);
    }
    if (is_moderate(t, b) && scaled(t, a, &factor, &rest)) {
        return od_tape_apply(t, OD_OP_MULTIPLY, constant(t, OD_OP_DIVIDE, factor, b), rest);
    }
    return constant(t, OD_OP_DIVIDE, a, b);
}

uint32_t od_tape_whole(od_tape *t, uint32_t a, int32_t exponent)
{
    if (a == OD_NO_NODE || exponent == 1) {
        return a;
    }
    if (exponent == 0) {
        return od_tape_integer(t, 1);
    }
    if (is_op(t, a, OD_OP_NEGATE) && !at(t, a)->constant && exponent % 2 == 0) {
        return od_tape_whole(t, at(t, a)->a, exponent);
    }
    if (is_op(t, a, OD_OP_WHOLE) && !at(t, a)->constant && at(t, a)->whole > 0 && exponent > 0 &&
        at(t, a)->whole <= MOST_EXPONENT / exponent) {
        return od_tape_whole(t, at(t, a)->a, at(t, a)->whole * exponent);
    }
    const uint32_t i = od_tape_add(t, OD_OP_WHOLE, a, OD_NO_NODE, exponent);
    return i != OD_NO_NODE && at(t, i)->exact ? od_tape_integer(t, (int64_t)at(t, i)->value) : i;
}

static uint32_t power(od_tape *t, uint32_t a, uint32_t b)
{
    if (at(t, b)->exact && fabs(at(t, b)->value) <= MOST_EXPONENT) {
        return od_tape_whole(t, a, (int32_t)at(t, b)->value);
    }
    return is_op(t, a, OD_OP_E) ? od_tape_add(t, OD_OP_EXP, b, OD_NO_NODE, 0) : od_tape_add(t, OD_OP_POWER, a, b, 0);
}

uint32_t od_tape_apply(od_tape *t, od_operation op, uint32_t a, uint32_t b)
{
    if (a == OD_NO_NODE || (b == OD_NO_NODE && od_operation_arguments(op) > 1)) {
        return OD_NO_NODE;
    }
    switch (op) {
    case OD_OP_NEGATE: return negative(t, a);
    case OD_OP_ADD: return sum(t, a, b);
    case OD_OP_SUBTRACT: return difference(t, a, b);
    case OD_OP_MULTIPLY: return product(t, a, b);
    case OD_OP_DIVIDE: return quotient(t, a, b);
    case OD_OP_POWER: return power(t, a, b);
    default: return od_tape_add(t, op, a, od_operation_arguments(op) > 1 ? b : OD_NO_NODE, 0);
    }
}
