/*
 * A loss as a formula, f: "100*(y - x^2)^2 + (1 - x)^2" in variables: [x, y].
 *
 * The formula becomes a tape (src/tape.h), its gradient by one backward sweep and products with the Hessian by a
 * forward one over it, all as formulas; programs (src/program.h) evaluate them for batches. A polynomial of degree two
 * is a quadratic: its Hessian is one product with each axis, and closed forms apply as they do to `quadratic`.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/lanczos.h"
#include "../src/memory.h"
#include "../src/program.h"

#include <ctype.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VARIABLES = 1000, MOST_NAME = 63 };

/* Below this part of the largest, an eigenvalue of a Hessian found by LAPACK is zero. */
static const double vanishing = 1e-14;

typedef struct formula {
    od_tape *tape;
    uint32_t f;
    uint32_t *gradient, *product; /* [d], OD_NO_NODE where zero; product in the direction of variables d + i */
    od_program *value, *slope, *both, *along;
    od_spectrum spectrum;
    double *eigenvalues, *rotation, *centre; /* [d], [d*d], [d]; of a quadratic; or a minimiser that is given */
} formula;

static void formula_free(void *data)
{
    formula *q = data;
    if (q != NULL) {
        od_tape_free(q->tape);
        free(q->gradient);
        free(q->product);
        od_program_free(q->value);
        od_program_free(q->slope);
        od_program_free(q->both);
        od_program_free(q->along);
        free(q->eigenvalues);
        free(q->rotation);
        free(q->centre);
        free(q);
    }
}

static od_status formula_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                              double *ws)
{
    const formula *q = problem->data;
    const od_program *program = want == OD_VALUE ? q->value : want == OD_GRADIENT ? q->slope : q->both;
    if (want != 0) {
        od_program_run(program, n, x, 1, NULL, f, g, ws);
    }
    return OD_OK;
}

static od_status formula_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                             double *hu, double *ws)
{
    const formula *q = problem->data;
    od_program_run(q->along, n, x, m, u, NULL, hu, ws);
    return OD_OK;
}

static od_status check_variables(od_context *ctx, const od_settings *s, const od_value *variables)
{
    if (variables->cols == 0 || variables->cols > MOST_VARIABLES) {
        return od_setting_fail(ctx, s, "variables", "%zu variables; give 1 to %d names such as [x, y]", variables->cols,
                               MOST_VARIABLES);
    }
    for (size_t i = 0; i < variables->cols; i++) {
        const char *name = variables->names[i];
        const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
        if (length == 0 || name[length] != '\0' || length > MOST_NAME || isdigit((unsigned char)name[0])) {
            return od_setting_fail(ctx, s, "variables",
                                   "'%.70s' is no name for a variable; take at most %d of the letters a to z, digits "
                                   "and _, a letter first",
                                   name, MOST_NAME);
        }
        bool taken = strcmp(name, "pi") == 0 || strcmp(name, "e") == 0;
        for (unsigned op = OD_OP_EXP; op <= OD_OP_MAX; op++) {
            taken = taken || strcmp(name, od_operation_name((od_operation)op)) == 0;
        }
        if (taken) {
            return od_setting_fail(ctx, s, "variables", "'%s' is a constant or a function of formulas; rename it",
                                   name);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(name, variables->names[j]) == 0) {
                return od_setting_fail(ctx, s, "variables", "'%s' stands here twice; rename one", name);
            }
        }
    }
    return OD_OK;
}

/* The sentence with file and line in front, which the reader does not know. */
static od_status read_formula(od_context *ctx, const od_settings *s, const od_value *variables, formula *q)
{
    static const char prefix[] = "problem.f: ";
    const char *text = od_setting_text(s, "f");
    char sentence[1024];
    const od_status status = od_formula_read(ctx, q->tape, text, strlen(text), variables->cols, variables->names,
                                             &q->f);
    if (status != OD_EINVAL) {
        return status;
    }
    const char *message = od_message(ctx);
    message += strncmp(message, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
    snprintf(sentence, sizeof sentence, "%s", message);
    return od_setting_fail(ctx, s, "f", "%s", sentence);
}

static od_status make_programs(od_context *ctx, uint32_t d, formula *q)
{
    const uint32_t none = OD_NO_NODE;
    od_status status = od_tape_gradient(ctx, q->tape, q->f, d, q->gradient);
    if (status == OD_OK) {
        status = od_tape_along(ctx, q->tape, d, d, q->gradient, q->product);
    }
    const od_tape *tape = q->tape;
    const bool done = status == OD_OK && (q->value = od_program_create(ctx, tape, d, q->f, 0, NULL)) != NULL &&
                      (q->slope = od_program_create(ctx, tape, d, none, d, q->gradient)) != NULL &&
                      (q->both = od_program_create(ctx, tape, d, q->f, d, q->gradient)) != NULL &&
                      (q->along = od_program_create(ctx, tape, d, none, d, q->product)) != NULL;
    return done ? OD_OK : status != OD_OK ? status : OD_ENOMEM;
}

/* ------------------------------------------------------------------------------------------- quadratics */

/* The Hessian into q->rotation and minus the gradient at the origin into q->centre; false if it is diagonal. */
static bool hessian(const od_problem *problem, formula *q, double *identity, double *ws)
{
    const size_t d = problem->dim;
    double *zero = q->eigenvalues; /* still */
    bool full = false;
    for (size_t i = 0; i < d; i++) {
        identity[i * d + i] = 1;
    }
    od_program_run(q->along, 1, zero, d, identity, NULL, q->rotation, ws);
    od_program_run(q->slope, 1, zero, 1, NULL, NULL, q->centre, ws);
    for (size_t i = 0; i < d; i++) {
        q->centre[i] = -q->centre[i];
        for (size_t j = 0; j < i; j++) {
            full = full || q->rotation[i * d + j] != 0;
        }
    }
    return full;
}

/*
 * From minus the gradient at the origin, in place: the centre Q diag(1/lambda) Q^T b, and zero for eigenvalues that
 * vanish. False if the loss slopes along their directions, and so has no critical point.
 */
static bool find_centre(size_t d, double *lambda, const double *rotation, double *b, double *y)
{
    double largest = 0, size = 0;
    bool level = true;
    for (size_t i = 0; i < d; i++) {
        largest = fmax(largest, fabs(lambda[i]));
        size = fmax(size, fabs(b[i]));
    }
    for (size_t i = 0; i < d; i++) {
        y[i] = rotation == NULL ? b[i] : 0;
        for (size_t k = 0; k < d && rotation != NULL; k++) {
            y[i] += rotation[k * d + i] * b[k];
        }
        if (fabs(lambda[i]) <= (rotation != NULL ? vanishing * largest : 0)) {
            lambda[i] = 0;
            level = level && fabs(y[i]) <= (rotation != NULL ? vanishing * (double)d * size : 0);
            y[i] = 0;
        } else {
            y[i] /= lambda[i];
        }
    }
    for (size_t i = 0; i < d; i++) {
        b[i] = rotation == NULL ? y[i] : 0;
        for (size_t k = 0; k < d && rotation != NULL; k++) {
            b[i] += rotation[i * d + k] * y[k];
        }
    }
    return level;
}

static void state_constants(od_problem *problem, formula *q, bool level, double *ws)
{
    double low = INFINITY, size = 0;
    for (size_t i = 0; i < problem->dim; i++) {
        low = fmin(low, q->eigenvalues[i]);
        size = fmax(size, fabs(q->eigenvalues[i]));
    }
    problem->lipschitz = (od_constant){size, "largest modulus of the eigenvalues of the quadratic formula"};
    problem->convexity = (od_constant){low, "smallest eigenvalue of the quadratic formula"};
    if (low < 0 || !level) {
        problem->minimum = (od_constant){-INFINITY, low < 0
                                                        ? "unbounded below: an eigenvalue is negative"
                                                        : "unbounded below: the formula slopes where it does not bend"};
    } else {
        problem->minimum.how = "value at the centre of the quadratic formula";
        od_program_run(q->value, 1, q->centre, 1, NULL, &problem->minimum.value, NULL, ws);
    }
    if (level) {
        q->spectrum = (od_spectrum){q->eigenvalues, q->rotation, q->centre};
        problem->spectrum = &q->spectrum;
        problem->minimiser = q->centre;
        problem->minimiser_how = low < 0 ? "the centre, a critical point but no minimiser" : "the centre";
    }
}

/* Closed forms of a polynomial of degree two. */
static od_status make_quadratic(od_context *ctx, od_problem *problem, formula *q)
{
    const size_t d = problem->dim;
    double *identity = od_zalloc(d * d, sizeof *identity), *ws = od_zalloc(problem->scratch.fixed, sizeof *ws);
    q->eigenvalues = od_zalloc(d, sizeof(double));
    q->rotation = od_zalloc(d * d, sizeof(double));
    q->centre = od_zalloc(d, sizeof(double));
    od_status status = identity != NULL && ws != NULL && q->eigenvalues != NULL && q->rotation != NULL &&
                               q->centre != NULL
                           ? OD_OK
                           : od_fail(ctx, OD_ENOMEM, "problem.f", "no memory for a quadratic of %zu dimensions", d);
    if (status == OD_OK) {
        if (hessian(problem, q, identity, ws)) {
            status = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (int)d, q->rotation, (int)d, q->eigenvalues) == 0
                         ? OD_OK
                         : od_fail(ctx, OD_ENUMERIC, "problem.f", "LAPACK could not decompose the Hessian");
        } else {
            for (size_t i = 0; i < d; i++) {
                q->eigenvalues[i] = q->rotation[i * d + i];
            }
            free(q->rotation);
            q->rotation = NULL;
        }
    }
    if (status == OD_OK) {
        state_constants(problem, q, find_centre(d, q->eigenvalues, q->rotation, q->centre, identity), ws);
    }
    free(identity);
    free(ws);
    return status;
}

/* ------------------------------------------------------------------------------------------- the problem */

/* The largest component of a gradient at any of n points. */
static double steepest(const formula *q, size_t d, size_t n, const double *x, double *g, double *ws)
{
    double size = 0;
    od_program_run(q->slope, n, x, 1, NULL, NULL, g, ws);
    for (size_t i = 0; i < d * n; i++) {
        size = isnan(g[i]) ? INFINITY : fmax(size, fabs(g[i]));
    }
    return size;
}

/*
 * The minimiser that is given must be a critical point to about six digits: the gradient there is at most a
 * thousandth of those a thousandth away along the axes. And the curvature there must not be negative.
 */
static od_status check_minimiser(od_context *ctx, const od_settings *s, od_problem *problem, formula *q)
{
    const size_t d = problem->dim;
    double *near = od_zalloc(d * d, sizeof *near), *g = od_zalloc(d * d, sizeof *g);
    double *ws = od_zalloc(problem->scratch.fixed, sizeof *ws);
    od_extremes curvature = {0};
    od_status status = near != NULL && g != NULL && ws != NULL
                           ? OD_OK
                           : od_fail(ctx, OD_ENOMEM, "problem.minimiser", "no memory to check %zu components", d);
    for (size_t i = 0; i < d * d && status == OD_OK; i++) {
        const double x = q->centre[i / d];
        near[i] = x + (i / d == i % d ? 1e-3 * (1 + fabs(x)) : 0);
    }
    if (status == OD_OK) {
        const double here = steepest(q, d, 1, q->centre, g, ws), around = steepest(q, d, d, near, g, ws);
        od_program_run(q->value, 1, q->centre, 1, NULL, &problem->minimum.value, NULL, ws);
        problem->minimum.how = "value at the minimiser that is given";
        if (!isfinite(around) || !(here <= 1e-3 * around)) {
            status = od_setting_fail(ctx, s, "minimiser",
                                     "the gradient there has a component of %g, so it is no minimiser", here);
        }
    }
    if (status == OD_OK && problem->rough == NULL) {
        status = od_lanczos_extremes(ctx, problem, q->centre, &curvature);
    }
    if (status == OD_OK && curvature.low < -1e-6 * fmax(fabs(curvature.high), fabs(curvature.low))) {
        status = od_setting_fail(ctx, s, "minimiser", "a curvature there is %g, so it is a saddle or a maximum",
                                 curvature.low);
    }
    free(near);
    free(g);
    free(ws);
    return status;
}

static od_status take_minimiser(od_context *ctx, const od_settings *s, od_problem *problem, formula *q)
{
    const od_value *given = od_setting(s, "minimiser");
    if (given->cols != problem->dim) {
        return od_setting_fail(ctx, s, "minimiser", "expected a list of %zu numbers, got %zu", problem->dim,
                               given->cols);
    }
    if (q->centre != NULL) {
        return od_setting_fail(ctx, s, "minimiser", "a quadratic formula knows its minimiser; leave it out");
    }
    q->centre = od_zalloc(problem->dim, sizeof(double));
    if (q->centre == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.minimiser", "no memory for %zu numbers", problem->dim);
    }
    memcpy(q->centre, given->list, problem->dim * sizeof(double));
    problem->minimiser = q->centre;
    problem->minimiser_how = "given, and a critical point to six digits";
    return check_minimiser(ctx, s, problem, q);
}

static od_status state_problem(od_context *ctx, const od_settings *s, od_problem *problem, formula *q)
{
    const od_program *program[] = {q->value, q->slope, q->both, q->along};
    for (size_t i = 0; i < sizeof program / sizeof *program; i++) {
        const size_t scratch = od_program_scratch(program[i]);
        problem->scratch.fixed = scratch > problem->scratch.fixed ? scratch : problem->scratch.fixed;
    }
    const od_tape_node *f = &od_tape_nodes(q->tape)[q->f];
    problem->eval = formula_eval;
    problem->hvp = formula_hvp;
    problem->rough = f->rough ? "abs, min and max have kinks, where there is no Hessian" : NULL;
    problem->lipschitz = (od_constant){NAN, "unknown for a formula that is not quadratic"};
    problem->convexity = problem->lipschitz;
    problem->minimum = problem->lipschitz;
    problem->data = q;
    problem->free = formula_free;
    const od_status status = f->degree <= 2 ? make_quadratic(ctx, problem, q) : OD_OK;
    return status == OD_OK && od_setting_present(s, "minimiser") ? take_minimiser(ctx, s, problem, q) : status;
}

static od_status formula_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    const od_value *variables = od_setting(s, "variables");
    const size_t d = variables->cols;
    od_status status = check_variables(ctx, s, variables);
    if (status != OD_OK) {
        return status;
    }
    formula *q = od_zalloc(1, sizeof *q);
    if (q == NULL || (q->gradient = od_zalloc(d, sizeof *q->gradient)) == NULL ||
        (q->product = od_zalloc(d, sizeof *q->product)) == NULL || (q->tape = od_tape_create()) == NULL) {
        formula_free(q);
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for a formula of %zu variables", d);
    }
    status = read_formula(ctx, s, variables, q);
    if (status == OD_OK) {
        status = make_programs(ctx, (uint32_t)d, q);
    }
    problem->dim = d;
    if (status == OD_OK) {
        status = state_problem(ctx, s, problem, q);
    }
    if (status != OD_OK) {
        formula_free(q);
        problem->data = NULL;
        problem->free = NULL;
    }
    return status;
}

const od_problem_type od_problem_formula = {
    .name = "formula",
    .summary = "any loss written as a formula, with derivatives of all kinds",
    .source = "derivatives: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, ch. 3 and 5",
    .params =
        (const od_param[]){{.name = "f",
                            .kind = OD_TEXT,
                            .fallback = NULL,
                            .unit = "",
                            .meaning = "the loss: + - * / ^, numbers, pi, e, exp, log, sqrt, sin, cos, tan, sinh, "
                                       "cosh, tanh, atan, logistic, softplus, abs, min, max"},
                           {.name = "variables",
                            .kind = OD_NAMES,
                            .fallback = NULL,
                            .unit = "",
                            .meaning = "names of the components of x, in this order"},
                           {.name = "minimiser",
                            .kind = OD_VECTOR,
                            .fallback = "",
                            .unit = "",
                            .meaning = "where the loss is least, if it is known; the gradient there is checked"},
                           {.name = NULL}},
    .example = "f: \"(x^2 - 1)^2 + x*y + 2*y^2\", variables: [x, y]",
    .create = formula_create,
};
