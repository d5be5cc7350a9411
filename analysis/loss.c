/* The losses that have a formula. SPDX-License-Identifier: GPL-3.0-or-later */
#include "loss.h"

#include <math.h>
#include <string.h>

/* What a loss is written from, and where to. */
typedef struct writer {
    od_context *ctx;
    const od_settings *s;
    const od_problem *problem;
    od_tape *tape;
} writer;

static uint32_t two(writer *w, od_operation op, uint32_t a, uint32_t b)
{
    return od_tape_apply(w->tape, op, a, b);
}

/* A double exactly, as a whole number times a power of two. */
static uint32_t constant(writer *w, double value)
{
    int exponent;
    const double whole = ldexp(frexp(value, &exponent), 53);
    exponent -= 53;
    if (value == floor(value) && fabs(value) <= 0x1p53) {
        return od_tape_integer(w->tape, (int64_t)value);
    }
    return two(w, OD_OP_MULTIPLY, od_tape_integer(w->tape, (int64_t)whole),
               od_tape_whole(w->tape, od_tape_integer(w->tape, 2), exponent));
}

static uint32_t variable(writer *w, size_t i)
{
    return od_tape_variable(w->tape, (int32_t)i);
}

static uint32_t square(writer *w, uint32_t a)
{
    return od_tape_whole(w->tape, a, 2);
}

/* 1/2 sum_ij h_ij y_i y_j, y = x - centre, for a Hessian that is symmetric to the bit. */
static od_status quadratic(writer *w, uint32_t *f)
{
    const size_t d = w->problem->dim;
    uint32_t y[OD_LOSS_MAX_DIM];
    double unit[OD_LOSS_MAX_DIM], row[OD_LOSS_MAX_DIM];
    const od_value *matrix = od_setting(w->s, "matrix");
    *f = od_tape_integer(w->tape, 0);
    for (size_t i = 0; i < d; i++) {
        y[i] = two(w, OD_OP_SUBTRACT, variable(w, i), constant(w, w->problem->spectrum->centre[i]));
        memset(unit, 0, sizeof unit);
        unit[i] = 1;
        if (w->problem->hvp(w->problem, 1, unit, 1, unit, row, NULL) != OD_OK) {
            return od_fail(w->ctx, OD_EUSER, "problem", "the Hessian of '%s' failed", w->problem->name);
        }
        for (size_t j = 0; j <= i; j++) {
            if (matrix->present && matrix->list[i * d + j] != matrix->list[j * d + i]) {
                return od_setting_fail(w->ctx, w->s, "matrix",
                                       "interval arithmetic needs a Hessian that is symmetric to the bit");
            }
            /* halving is exact */
            const uint32_t product = i == j ? square(w, y[i]) : two(w, OD_OP_MULTIPLY, y[i], y[j]);
            if (row[j] != 0) {
                *f = two(w, OD_OP_ADD, *f, two(w, OD_OP_MULTIPLY, constant(w, i == j ? row[j] / 2 : row[j]), product));
            }
        }
    }
    return OD_OK;
}

/* The polynomial around its saddle: much narrower in intervals than in powers of x. */
static od_status hosaki(writer *w, uint32_t *f)
{
    static const char text[] = "((x-2)^2*((x-2)^2/4 - (x-2)/3 - 1) - 5/3) * y^2*exp(-y)";
    static const char *const names[] = {"x", "y"};
    return od_formula_read(w->ctx, w->tape, text, sizeof text - 1, 2, names, f);
}

static od_status rosenbrock(writer *w, uint32_t *f)
{
    const uint32_t a = constant(w, od_setting_real(w->s, "a")), steep = constant(w, od_setting_real(w->s, "b"));
    *f = od_tape_integer(w->tape, 0);
    for (size_t i = 0; i + 1 < w->problem->dim; i++) {
        const uint32_t here = variable(w, i);
        const uint32_t valley = square(w, two(w, OD_OP_SUBTRACT, variable(w, i + 1), square(w, here)));
        const uint32_t slope = square(w, two(w, OD_OP_SUBTRACT, a, here));
        *f = two(w, OD_OP_ADD, *f, two(w, OD_OP_ADD, two(w, OD_OP_MULTIPLY, steep, valley), slope));
    }
    return OD_OK;
}

/* |x|^p with p >= 2 has a continuous second derivative, so that its kinks on the way there are none. */
static od_status power(writer *w, uint32_t *f)
{
    const double p = od_setting_real(w->s, "p");
    const bool even = p == floor(p) && fmod(p, 2) == 0;
    if (p < 2) {
        return od_setting_fail(w->ctx, w->s, "p", "interval arithmetic needs finite curvatures, so p >= 2");
    }
    *f = od_tape_integer(w->tape, 0);
    for (size_t i = 0; i < w->problem->dim; i++) {
        const uint32_t x = variable(w, i), base = even ? x : two(w, OD_OP_ABS, x, OD_NO_NODE);
        *f = two(w, OD_OP_ADD, *f, two(w, OD_OP_POWER, base, constant(w, p)));
    }
    *f = two(w, OD_OP_MULTIPLY, constant(w, od_setting_real(w->s, "c")), *f);
    return OD_OK;
}

static od_status formula(writer *w, uint32_t *f)
{
    const char *text = od_setting_text(w->s, "f");
    const od_value *names = od_setting(w->s, "variables");
    if (w->problem->rough != NULL) {
        return od_setting_fail(w->ctx, w->s, "f", "interval arithmetic needs a smooth formula, and %s",
                               w->problem->rough);
    }
    return od_formula_read(w->ctx, w->tape, text, strlen(text), names->cols, names->names, f);
}

static const struct loss {
    const char *name;
    od_status (*write)(writer *w, uint32_t *f);
} losses[] = {
    {"quadratic", quadratic}, {"hosaki", hosaki}, {"rosenbrock", rosenbrock}, {"power", power}, {"formula", formula},
};

enum { LOSSES = sizeof losses / sizeof *losses };

od_status od_loss_write(od_context *ctx, const od_choice *choice, const od_problem *problem, od_tape *tape, uint32_t *f)
{
    size_t which = 0;
    while (which < LOSSES && strcmp(losses[which].name, choice->problem->name) != 0) {
        which++;
    }
    if (which == LOSSES) {
        return od_fail(ctx, OD_EUNSUPPORTED, "problem.name",
                       "the problem '%s' cannot be evaluated in intervals; quadratic, hosaki, rosenbrock, power and "
                       "formula can",
                       choice->problem->name);
    }
    if (problem->dim > OD_LOSS_MAX_DIM) {
        return od_fail(ctx, OD_EUNSUPPORTED, "problem", "interval arithmetic takes at most %d dimensions, not %zu",
                       OD_LOSS_MAX_DIM, problem->dim);
    }
    writer w = {ctx, choice->settings, problem, tape};
    return losses[which].write(&w, f);
}
