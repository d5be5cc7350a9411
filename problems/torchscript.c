/*
 * A user's own model, exported from PyTorch as TorchScript.
 *
 * A model file is code that runs here: only the file that the experiment names is loaded, and one should come from
 * someone trusted. Its parameters, in the order of the module, are x; those that take no gradient stay as they are. The
 * module is in evaluation mode: no dropout, batch normalisation with stored statistics.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "network.h"

#include "../src/kink.h"
#include "../src/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTIONS = 5, CHECKED_SAMPLES = 64, LINE_SAMPLES = 8, NODES = 4, STEPS = 4 };

/* Memory of the checks along lines. */
typedef struct checker {
    const od_network_problem *np;
    od_network_samples samples;
    double *x, *g, *u, *near; /* [d] each, one after the other */
} checker;

static double norm(size_t d, const double *v)
{
    double square = 0;
    for (size_t i = 0; i < d; i++) {
        square += v[i] * v[i];
    }
    return sqrt(square);
}

/* Fourth-order difference of the loss along u with step h; what rounding may have added goes to *noise. */
static od_status difference(const checker *c, double h, double *slope, double *noise)
{
    static const double node[NODES] = {-2, -1, 1, 2}, weight[NODES] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
    const od_network_problem *np = c->np;
    const double eps = np->facts.single ? FLT_EPSILON : DBL_EPSILON;
    od_status status = OD_OK;
    *slope = *noise = 0;
    for (size_t k = 0; k < NODES && status == OD_OK; k++) {
        double f = NAN;
        for (size_t i = 0; i < np->facts.dim; i++) {
            c->near[i] = c->x[i] + node[k] * h * c->u[i];
        }
        status = np->api->eval(np->net, OD_VALUE, &c->samples, 1, c->near, &f, NULL);
        *slope += weight[k] * f / h;
        *noise = fmax(*noise, 32 * eps * fabs(f) / h);
    }
    return status;
}

static double inner_product(size_t d, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* u: a random unit vector, the j-th. */
static void draw_direction(const checker *c, size_t j)
{
    const size_t d = c->np->facts.dim;
    for (size_t i = 0; i < d; i++) {
        c->u[i] = od_normal(1, OD_STREAM_CHECK, 0, i, j);
    }
    const double length = norm(d, c->u);
    for (size_t i = 0; i < d; i++) {
        c->u[i] /= length;
    }
}

/* The smallest error over a ladder of steps, relative to the size that a random direction sees. */
static od_status check_direction(const checker *c, double *error)
{
    static const double step[STEPS] = {1e-1, 1e-2, 1e-3, 1e-4};
    const size_t d = c->np->facts.dim;
    const double size = norm(d, c->g) / sqrt((double)d), inner = inner_product(d, c->g, c->u);
    od_status status = OD_OK;
    *error = INFINITY;
    for (size_t s = 0; s < STEPS && status == OD_OK; s++) {
        double slope, noise;
        status = difference(c, step[s], &slope, &noise);
        const double left = fmax(fabs(slope - inner) - noise, 0);
        *error = fmin(*error, left / fmax(fmax(size, fabs(inner)), DBL_MIN));
    }
    return status;
}

static od_status along_line(void *user, double s, double *f, double *slope)
{
    const checker *c = user;
    const size_t d = c->np->facts.dim;
    for (size_t i = 0; i < d; i++) {
        c->near[i] = c->x[i] + s * c->u[i];
    }
    const od_status status = c->np->api->eval(c->np->net, OD_VALUE | OD_GRADIENT, &c->samples, 1, c->near, f, c->g);
    *slope = inner_product(d, c->g, c->u);
    return status;
}

/*
 * Kinks and jumps that no name of an operation tells, on lines through the stored parameters as long as these. A model
 * that fails on the way there may still serve.
 */
static void seek_kinks(const checker *c, od_network_problem *np)
{
    const double length = norm(np->facts.dim, c->x);
    od_kink kink = OD_KINK_NONE;
    od_status status = OD_OK;
    for (size_t j = 0; j < DIRECTIONS && status == OD_OK && kink == OD_KINK_NONE && np->facts.rough == NULL; j++) {
        double size;
        draw_direction(c, j);
        status = od_kink_seek(along_line, (void *)c, length > 0 ? length : 1, np->facts.single, &kink, &size);
        if (status == OD_OK && kink != OD_KINK_NONE) {
            snprintf(np->rough, sizeof np->rough,
                     "%s%s %s of its loss jumps by %.2g of its %s on a line through the stored parameters",
                     np->facts.pieces != NULL ? np->facts.pieces : "", np->facts.pieces != NULL ? ", and the" : "the",
                     kink == OD_KINK_SLOPE ? "slope" : "value", size, kink == OD_KINK_SLOPE ? "largest" : "range");
            np->facts.rough = np->rough;
        }
    }
}

static od_status judge(od_context *ctx, const od_settings *s, const od_network_problem *np, double error)
{
    const double tolerance = np->facts.single ? 1e-2 : 1e-6;
    if (error <= tolerance) {
        return OD_OK;
    }
    if (np->facts.rough != NULL) {
        od_note(ctx, "the gradient of %s differs from differences by %.2g: there are kinks near its parameters",
                od_setting_text(s, "model"), error);
        return OD_OK;
    }
    return od_setting_fail(
        ctx, s, "model",
        "%s: the gradient of the model differs from differences of its loss by %.2g of its size; a "
        "part of its forward pass cuts the gradient (detach, no_grad, item) or rounds (float, half); take it "
        "out",
        od_setting_text(s, "model"), error);
}

static od_status check_gradient(const checker *c, double *worst, bool *finite)
{
    const od_network_problem *np = c->np;
    *worst = 0;
    od_status status = np->api->eval(np->net, OD_GRADIENT, &c->samples, 1, c->x, NULL, c->g);
    *finite = status != OD_OK || isfinite(norm(np->facts.dim, c->g));
    for (size_t j = 0; j < DIRECTIONS && status == OD_OK && *finite; j++) {
        double error;
        draw_direction(c, j);
        status = check_direction(c, &error);
        *worst = fmax(*worst, error);
    }
    return status;
}

/* At the stored parameters, in five random directions. */
static od_status check_derivatives(od_context *ctx, const od_settings *s, od_network_problem *np)
{
    const size_t d = np->facts.dim, rows = np->data.rows;
    const char *model = od_setting_text(s, "model");
    checker c = {.np = np, .samples = {.count = np->facts.sum && rows > LINE_SAMPLES ? LINE_SAMPLES : rows}};
    double worst = 0;
    bool finite = true;
    c.x = od_zalloc(4 * d, sizeof *c.x);
    if (c.x == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.model", "no memory to check the gradient");
    }
    c.g = c.x + d;
    c.u = c.g + d;
    c.near = c.u + d;
    memcpy(c.x, np->facts.stored, d * sizeof *c.x);
    seek_kinks(&c, np);
    c.samples.count = np->facts.sum && rows > CHECKED_SAMPLES ? CHECKED_SAMPLES : rows;
    const od_status status = check_gradient(&c, &worst, &finite);
    free(c.x);
    if (status != OD_OK) {
        return od_setting_fail(ctx, s, "model", "%s: %s", model, np->api->trouble(np->net));
    }
    return finite ? judge(ctx, s, np, worst)
                  : od_setting_fail(ctx, s, "model",
                                    "%s: the gradient at its stored parameters is not finite; export it with others",
                                    model);
}

/* What a user should know of the file, once. */
static void remark(od_context *ctx, const od_settings *s, const od_network_problem *np)
{
    const char *model = od_setting_text(s, "model");
    const bool single = np->facts.single;
    if (strcmp(np->facts.dtype, single ? "float32" : "float64") != 0) {
        od_note(ctx, "the parameters in %s are %s; optdyn computes in %s", model, np->facts.dtype,
                single ? "float32" : "float64");
    }
    if (np->facts.frozen > 0) {
        od_note(ctx, "%zu parameters in %s take no gradient and stay as they are", np->facts.frozen, model);
    }
    if (np->facts.rough != NULL) {
        od_note(ctx, "%s: %s; it has no Hessian everywhere", model, np->facts.rough);
    } else if (np->facts.pieces != NULL) {
        od_note(ctx, "%s: %s; no kink was found on %d lines through its parameters, so it is taken to be smooth", model,
                np->facts.pieces, DIRECTIONS);
    }
    if (!np->facts.sum) {
        od_note(ctx, "the loss of a sample in %s depends on the others, so that there are no mini-batches", model);
    }
}

static od_status torchscript_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    od_network_problem *np;
    od_network_spec spec = {.kind = OD_NETWORK_TORCHSCRIPT, .file = od_setting_text(s, "model")};
    od_status status = od_network_read(ctx, s, &spec, &np);
    status = status == OD_OK ? od_network_open(ctx, s, &spec, np, problem) : status;
    if (status != OD_OK) {
        return status;
    }
    status = check_derivatives(ctx, s, np);
    if (status != OD_OK) {
        problem->free(np);
        return status;
    }
    problem->rough = np->facts.rough;
    remark(ctx, s, np);
    return OD_OK;
}

const od_problem_type od_problem_torchscript = {
    .name = "torchscript",
    .summary = "a model exported from PyTorch as TorchScript, on a data set, with lambda |w|^2/2",
    .source = "the user's model; A. Paszke et al., PyTorch, NeurIPS 2019",
    .params =
        (const od_param[]){
            {.name = "model",
             .kind = OD_FILE,
             .fallback = NULL,
             .meaning = "the file that torch.jit.save wrote; it is code that runs here, so use only what you trust"},
            {.name = "loss",
             .kind = OD_CHOICE,
             .fallback = "cross-entropy",
             .choices = "mse|cross-entropy|logistic|sigmoid|model",
             .meaning = "model: its forward takes inputs and targets and returns the mean loss"},
            OD_NETWORK_DATA_PARAMS,
            OD_NETWORK_COMPUTE_PARAMS,
            {.name = NULL},
        },
    .needs = "LibTorch",
    .create = torchscript_create,
};
