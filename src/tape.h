/*
 * A formula as a list of operations, each on earlier ones: what a formula is, what its derivatives are, and what
 * evaluators of any arithmetic walk. Nodes are exact: every constant is an operation on decimals as they were written.
 *
 * A node is known by its number. Arguments have smaller numbers than what is made of them, so one pass from 0 evaluates
 * all; equal operations on equal arguments are one node. Tapes grow: gradients and directional derivatives are further
 * nodes of the same tape.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TAPE_H
#define OD_TAPE_H

#include "optdyn.h"

/** No node: a derivative that vanishes identically, or a failure for want of memory. */
#define OD_NO_NODE UINT32_MAX

typedef enum od_operation {
    OD_OP_NUMBER,   /* the decimal `text`, exactly */
    OD_OP_PI,       /* 3.14159... */
    OD_OP_E,        /* 2.71828... */
    OD_OP_VARIABLE, /* variable `whole`, counted from 0 */
    OD_OP_NEGATE,   /* -a */
    OD_OP_ADD,      /* a + b */
    OD_OP_SUBTRACT, /* a - b */
    OD_OP_MULTIPLY, /* a b */
    OD_OP_DIVIDE,   /* a/b */
    OD_OP_WHOLE,    /* a^whole, an exponent that is a whole number of either sign; a^2 rather than a a */
    OD_OP_POWER,    /* a^b as pow(a, b): not a number for a < 0 unless b is whole */
    OD_OP_EXP,
    OD_OP_LOG, /* natural; not a number for a < 0 */
    OD_OP_SQRT,
    OD_OP_SIN,
    OD_OP_COS,
    OD_OP_TAN,
    OD_OP_SINH,
    OD_OP_COSH,
    OD_OP_TANH,
    OD_OP_ATAN,
    OD_OP_LOGISTIC,  /* 1/(1 + e^-a) */
    OD_OP_SOFTPLUS,  /* ln(1 + e^a) */
    OD_OP_ABS,       /* |a|: rough */
    OD_OP_MIN,       /* rough */
    OD_OP_MAX,       /* rough */
    OD_OP_LOG_SLOPE, /* 1/a where log a exists, not a number for a < 0; only in derivatives */
    OD_OP_SIGN,      /* -1, 0 or 1; only in derivatives of rough operations */
    OD_OPERATIONS
} od_operation;

typedef struct od_tape_node {
    od_operation op;
    uint32_t a, b;    /* numbers of the arguments, OD_NO_NODE for those there are not */
    int32_t whole;    /* of OD_OP_VARIABLE and OD_OP_WHOLE */
    const char *text; /* of OD_OP_NUMBER: digits with a point and an exponent as YAML has them, no sign; else NULL */
    bool constant;    /* depends on no variable */
    bool exact;       /* a constant whose value is exact, a whole number */
    bool rough;       /* depends on a rough operation */
    int degree;       /* of the polynomial, 0 to 2; 3 for anything else */
    double value;     /* of a constant, in doubles, one operation after the other; NaN otherwise */
} od_tape_node;

typedef struct od_tape od_tape;

/** How many arguments an operation has, and its name as formulas write it ("+", "exp"). */
unsigned od_operation_arguments(od_operation op);
const char *od_operation_name(od_operation op);

od_tape *od_tape_create(void); /* NULL when there is no memory */
void od_tape_free(od_tape *tape);

/** The nodes, which move when the tape grows. */
const od_tape_node *od_tape_nodes(const od_tape *tape);
uint32_t od_tape_count(const od_tape *tape);

/** False once memory or room (2^22 nodes) was short; nodes made since then are OD_NO_NODE. */
bool od_tape_complete(const od_tape *tape);

/** A decimal as od_tape_node has it; OD_NO_NODE if it is beyond the doubles (too large, or so small that it is 0). */
uint32_t od_tape_number(od_tape *tape, const char *text, size_t length);
/** A whole number of either sign, |value| <= 2^53. */
uint32_t od_tape_integer(od_tape *tape, int64_t value);
uint32_t od_tape_variable(od_tape *tape, int32_t which);

/** A node as it stands; what has no second argument has b = OD_NO_NODE. Given OD_NO_NODE for a, OD_NO_NODE. */
uint32_t od_tape_add(od_tape *tape, od_operation op, uint32_t a, uint32_t b, int32_t whole);

/**
 * The same after what can be simplified without another meaning: x + 0, --x, constants in front, x x = x^2. Where a
 * formula is not a number it stays so.
 */
uint32_t od_tape_apply(od_tape *tape, od_operation op, uint32_t a, uint32_t b);
uint32_t od_tape_whole(od_tape *tape, uint32_t a, int32_t exponent);

/**
 * Partial derivatives of node f with respect to variables 0 to d - 1 as nodes of the same tape, by one backward sweep;
 * OD_NO_NODE where f does not depend on the variable.
 */
od_status od_tape_gradient(od_context *ctx, od_tape *tape, uint32_t f, uint32_t d, uint32_t *gradient);

/**
 * Derivatives of `count` nodes in the direction u, whose component i is variable d + i; OD_NO_NODE where one vanishes.
 * Of a gradient: products with the Hessian, whose column j is u = e_j.
 */
od_status od_tape_along(od_context *ctx, od_tape *tape, uint32_t d, size_t count, const uint32_t *node,
                        uint32_t *along);

/** Reads a formula in the given variables (src/formula.c says how it is written) into the tape; its node in *f. */
od_status od_formula_read(od_context *ctx, od_tape *tape, const char *formula, size_t length, size_t variables,
                          const char *const *variable, uint32_t *f);

#endif
