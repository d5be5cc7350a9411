/*
 * A tape made ready for batches of doubles: steps that each act on a strip of points, in a few buffers that stay in the
 * cache. Points are independent, and a strip of any length gives the same bits on every instruction set.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PROGRAM_H
#define OD_PROGRAM_H

#include "tape.h"

enum { OD_STRIP = 128, OD_SHORT_STRIP = 8 }; /* points a step acts on; 1 is the third length there is */

/** What a step does with operands a, b, c and the constant k. A product is rounded before it is added. */
typedef enum od_code {
    OD_CODE_FILL, /* k */
    OD_CODE_COPY, /* a */
    OD_CODE_NEGATE,
    OD_CODE_ADD,
    OD_CODE_SUBTRACT,
    OD_CODE_MULTIPLY,
    OD_CODE_DIVIDE,
    OD_CODE_ADD_K,           /* a + k */
    OD_CODE_K_SUBTRACT,      /* k - a */
    OD_CODE_MULTIPLY_K,      /* k a */
    OD_CODE_DIVIDE_K,        /* a/k */
    OD_CODE_K_DIVIDE,        /* k/a */
    OD_CODE_MULTIPLY_ADD,    /* a b + c */
    OD_CODE_MULTIPLY_LESS,   /* a b - c */
    OD_CODE_LESS_MULTIPLY,   /* c - a b */
    OD_CODE_K_MULTIPLY_ADD,  /* k a + c */
    OD_CODE_K_MULTIPLY_LESS, /* k a - c */
    OD_CODE_K_TIMES_PRODUCT, /* k (a b) */
    OD_CODE_POLYNOMIAL,      /* of a, by Horner */
    OD_CODE_POWER,
    OD_CODE_POWER_K, /* a^k */
    OD_CODE_K_POWER, /* k^a */
    OD_CODE_EXP,
    OD_CODE_LOG,
    OD_CODE_SQRT,
    OD_CODE_SIN,
    OD_CODE_COS,
    OD_CODE_TAN,
    OD_CODE_SINH,
    OD_CODE_COSH,
    OD_CODE_TANH,
    OD_CODE_ATAN,
    OD_CODE_LOGISTIC,
    OD_CODE_SOFTPLUS,
    OD_CODE_ABS,
    OD_CODE_MIN,
    OD_CODE_MAX,
    OD_CODE_LOG_SLOPE,
    OD_CODE_SIGN
} od_code;

/** The step that computes an operation of a tape. */
od_code od_operation_code(od_operation op);

/** Where an operand lies: the space in the upper bits, the row of it below. */
enum {
    OD_SPACE_BUFFER,
    OD_SPACE_VALUE,
    OD_SPACE_ROWS,
    OD_WRITTEN_SPACES,
    OD_SPACE_X = OD_WRITTEN_SPACES,
    OD_SPACE_U,
    OD_SPACES
};
enum { OD_SPACE_SHIFT = 29, OD_ROW_MASK = (1 << OD_SPACE_SHIFT) - 1 };
enum { OD_MOST_FACTORS = 64 }; /* a^64 is the largest power made by multiplication */

typedef struct od_step {
    od_code code;
    uint32_t out, a, b, c;
    uint32_t degree; /* of a polynomial */
    union {
        double k;
        const double *coefficient; /* [degree + 1], of a polynomial, the constant first */
    };
} od_step;

/** Row i of a space starts at base + i * stride; the first few spaces are written too. */
typedef struct od_frame {
    const double *base[OD_SPACES];
    double *write[OD_WRITTEN_SPACES];
    size_t stride[OD_SPACES];
} od_frame;

/**
 * Takes `count` steps on OD_SHORT_STRIP or OD_STRIP points; or on one, whose numbers all lie in one file, write[0] of
 * the frame: operands are then places in it, without a space.
 */
typedef void od_steps(const od_step *step, size_t count, size_t points, const od_frame *frame);

/** The fastest version this processor runs (src/steps.c); all give the same bits. */
od_steps *od_steps_best(void);
enum { OD_STEPS_VERSIONS = 3 };
/** Each version, NULL where the processor lacks it: portable, AVX2, AVX-512. */
od_steps *od_steps_version(unsigned which);
od_steps od_steps_portable, od_steps_avx2, od_steps_avx512;

/**
 * Puts an elementary function of x[i] in its place, for n numbers; OD_CODE_POWER_K takes k. The C library's functions
 * have other last bits on a processor without FMA; these have the same on all, alone or among others.
 */
void od_apply(od_code function, double k, size_t n, double *x);

typedef struct od_program {
    od_step *step, *alone; /* the same steps for one point, in a file of buffers, value, rows, x and u */
    size_t once, steps;    /* the first `once` steps do not depend on a direction */
    double *coefficient;   /* of all polynomials */
    size_t d, count;
    uint32_t buffers;
    bool value, directions;
    od_steps *run;
} od_program;

/**
 * Steps that give a node of a tape with d variables as the value (OD_NO_NODE: none) and `count` more as rows, in which
 * OD_NO_NODE stands for zero. What depends on variables d to 2d - 1, a direction u, is kept apart, so that the rest is
 * done once for all directions. NULL on failure.
 */
od_program *od_program_create(od_context *ctx, const od_tape *tape, uint32_t d, uint32_t value, size_t count,
                              const uint32_t *node);
void od_program_free(od_program *program); /* accepts NULL */
/** Fills `alone`, which has room for all steps. */
void od_program_place_alone(od_program *program);
/** Doubles that od_program_run needs, for any n. */
size_t od_program_scratch(const od_program *program);

/**
 * Evaluates at n points x[d*n]: value[n] and rows[count*n]. With m directions u[m*d*n], rows[m*count*n]; without them u
 * is NULL and m is 1.
 */
void od_program_run(const od_program *program, size_t n, const double *x, size_t m, const double *u, double *value,
                    double *rows, double *ws);

#endif
