/* What plug-ins build, tried once before it is used. SPDX-License-Identifier: GPL-3.0-or-later */
#include "plugin.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 3, GUARD = 64, BLOCK_NAME = 18 /* what fits a name of a column */ };

/* A NaN that arithmetic does not make; behind the end of every buffer. */
static const uint64_t mark = UINT64_C(0x7ff4dead0badf00d);

static double *guarded(size_t count)
{
    double *buffer = count < SIZE_MAX / sizeof *buffer - GUARD ? malloc((count + GUARD) * sizeof *buffer) : NULL;
    for (size_t i = 0; buffer != NULL && i < count + GUARD; i++) {
        memcpy(&buffer[i], &mark, sizeof mark);
    }
    return buffer;
}

static bool untouched(const double *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&from[i], &mark, sizeof mark) != 0) {
            return false;
        }
    }
    return true;
}

/*
 * Whether the last point of a batch has the numbers it has alone. Not to the bit, which is the compiler's doing: a
 * wrong layout is wrong by the size of the numbers.
 */
static bool same_alone(const double *batch, const double *alone, size_t dim)
{
    double largest = 0, apart = 0;
    for (size_t i = 0; i < dim; i++) {
        largest = fmax(largest, fabs(alone[i]));
        apart = fmax(apart, fabs(batch[i * POINTS + POINTS - 1] - alone[i]));
    }
    return !(apart > 1e-6 * largest);
}

/* A function from states to states, tried: what a problem, flow or map has in common. */
typedef struct trial {
    od_context *ctx;
    const od_settings *s;
    const char *what; /* "gradient" */
    size_t in, out;   /* numbers of a point */
    od_scratch scratch;
    const void *object;
    od_status (*call)(const void *object, size_t n, const double *x, double *y, double *ws);
} trial;

static od_status run_once(const trial *t, size_t n, const double *x, double *y)
{
    const size_t scratch = od_scratch_size(&t->scratch, n);
    double *ws = guarded(scratch);
    if (ws == NULL) {
        return od_fail(t->ctx, OD_ENOMEM, NULL, "no memory to try the plug-in");
    }
    const od_status called = t->call(t->object, n, x, y, ws);
    od_status status = OD_OK;
    if (!untouched(ws + scratch, GUARD)) {
        status = od_setting_fail(t->ctx, t->s, "file",
                                 "its %s writes beyond the scratch memory of %zu + %zu n doubles that it states",
                                 t->what, t->scratch.fixed, t->scratch.per_point);
    } else if (!untouched(y + n * t->out, GUARD)) {
        status = od_setting_fail(t->ctx, t->s, "file",
                                 "its %s writes more than the %zu numbers a point has, or does not lay a batch out as "
                                 "x[i*n + p]",
                                 t->what, t->out);
    } else if (called == OD_OK && untouched(y + n * t->out - n, n)) {
        status = od_setting_fail(t->ctx, t->s, "file", "its %s leaves the last of the %zu numbers of a point unwritten",
                                 t->what, t->out);
    }
    free(ws);
    return status == OD_OK && called != OD_OK ? OD_EUSER : status;
}

/* Three points at once, and the last one alone; a call that fails ends the trial without a verdict. */
static od_status run_trial(const trial *t)
{
    double *x = guarded(POINTS * t->in), *batch = guarded(POINTS * t->out), *one = guarded(t->in);
    double *alone = guarded(t->out);
    od_status status = x != NULL && batch != NULL && one != NULL && alone != NULL
                           ? OD_OK
                           : od_fail(t->ctx, OD_ENOMEM, NULL, "no memory to try the plug-in");
    for (size_t k = 0; status == OD_OK && k < POINTS * t->in; k++) {
        x[k] = od_normal(1, OD_STREAM_CHECK, k, 0, 0);
    }
    status = status == OD_OK ? run_once(t, POINTS, x, batch) : status;
    for (size_t i = 0; status == OD_OK && i < t->in; i++) {
        one[i] = x[i * POINTS + POINTS - 1];
    }
    status = status == OD_OK ? run_once(t, 1, one, alone) : status;
    if (status == OD_OK && !same_alone(batch, alone, t->out)) {
        status = od_setting_fail(t->ctx, t->s, "file",
                                 "its %s of a point is another one alone than in a batch of %d; component i of point p "
                                 "is x[i*n + p], and points do not depend on each other",
                                 t->what, POINTS);
    }
    free(x);
    free(batch);
    free(one);
    free(alone);
    return status == OD_EUSER ? OD_OK : status;
}

/* ------------------------------------------------------------------------------------------- problems */

static od_status call_value(const void *object, size_t n, const double *x, double *y, double *ws)
{
    const od_problem *f = object;
    return f->eval(f, OD_VALUE, n, x, y, NULL, ws);
}

static od_status call_gradient(const void *object, size_t n, const double *x, double *y, double *ws)
{
    const od_problem *f = object;
    return f->eval(f, OD_GRADIENT, n, x, NULL, y, ws);
}

/* The direction is the point itself. */
static od_status call_hvp(const void *object, size_t n, const double *x, double *y, double *ws)
{
    const od_problem *f = object;
    return f->hvp(f, n, x, 1, x, y, ws);
}

od_status od_plugin_try_problem(od_context *ctx, const od_settings *s, const od_problem *f)
{
    if (f->dim == 0 || f->eval == NULL) {
        return od_setting_fail(ctx, s, "file", "its create set no %s; set problem->dim and problem->eval",
                               f->dim == 0 ? "dimension" : "function eval");
    }
    if (f->samples > 0 && f->eval_samples == NULL) {
        return od_setting_fail(ctx, s, "file",
                               "it is a sum of %zu samples without eval_samples; set it, or samples to 0", f->samples);
    }
    const trial trials[] = {{ctx, s, "value", f->dim, 1, f->scratch, f, call_value},
                            {ctx, s, "gradient", f->dim, f->dim, f->scratch, f, call_gradient},
                            {ctx, s, "Hessian-vector product", f->dim, f->dim, f->scratch, f, call_hvp}};
    od_status status = OD_OK;
    for (size_t i = 0; status == OD_OK && i < (f->hvp != NULL ? 3 : 2); i++) {
        status = run_trial(&trials[i]);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- methods */

/* Names of blocks are names of columns, and stand in scripts. */
static bool is_column(const char *name)
{
    const size_t length = strlen(name);
    return length <= BLOCK_NAME && isalpha((unsigned char)name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == length;
}

/* Blocks that fill the state, of which the first is the position. */
static od_status check_blocks(od_context *ctx, const od_settings *s, const od_problem *f, const char *what,
                              size_t count, const od_block *block, size_t dim)
{
    size_t sum = 0;
    bool named = count >= 1 && count <= OD_MAX_BLOCKS;
    for (size_t b = 0; named && b < count; b++) {
        named = block[b].name != NULL && block[b].name[0] != '\0' && block[b].length > 0;
        sum += block[b].length;
    }
    if (!named || sum != dim) {
        return od_setting_fail(ctx, s, "file",
                               "its %s needs 1 to %d blocks with names whose lengths add up to its dim, which is %zu",
                               what, OD_MAX_BLOCKS, dim);
    }
    for (size_t b = 0; b < count; b++) {
        if (!is_column(block[b].name)) {
            return od_setting_fail(ctx, s, "file",
                                   "'%.40s' is no name for a block of its %s; take at most %d of the letters a to z, "
                                   "digits and _, a letter first",
                                   block[b].name, what, BLOCK_NAME);
        }
    }
    return strcmp(block[0].name, "x") == 0 && block[0].length == f->dim
               ? OD_OK
               : od_setting_fail(ctx, s, "file",
                                 "the first block of its %s is %s of length %zu; it has to be the position x of the "
                                 "problem's %zu dimensions",
                                 what, block[0].name, block[0].length, f->dim);
}

/* Entries that all methods take; one that knows nothing of them would pass over them in silence. */
static od_status check_entries(od_context *ctx, const od_settings *s, const char *what, bool noisy, bool batched)
{
    const od_value *noise = od_setting(s, "noise");
    const bool wanted = noise->present && !(noise->kind == OD_REAL && noise->real == 0);
    if (wanted && !noisy) {
        return od_setting_fail(ctx, s, "noise", "the plug-in's %s makes no noise of it; remove it", what);
    }
    return !od_setting_present(s, "batch") || batched
               ? OD_OK
               : od_setting_fail(ctx, s, "batch", "the plug-in's %s takes no mini-batches; remove it", what);
}

static od_status call_drift(const void *object, size_t n, const double *z, double *dz, double *ws)
{
    const od_flow *flow = object;
    return flow->drift(flow, 1, n, z, dz, ws);
}

od_status od_plugin_try_flow(od_context *ctx, const od_settings *s, const od_problem *f, const od_flow *flow)
{
    if (flow->drift == NULL || (flow->noise.dim > 0) != (flow->noise.shape != OD_NOISE_NONE) ||
        (flow->noise.dim > 0 && (flow->noise.apply == NULL || flow->noise.block >= flow->block_count))) {
        return od_setting_fail(ctx, s, "file",
                               "its flow needs a drift and, if it has noise, the noise's shape, dim, block and apply");
    }
    od_status status = check_blocks(ctx, s, f, "flow", flow->block_count, flow->block, flow->dim);
    status = status == OD_OK ? check_entries(ctx, s, "flow", flow->noise.dim > 0, true) : status;
    const trial t = {ctx, s, "drift", flow->dim, flow->dim, flow->scratch, flow, call_drift};
    return status == OD_OK ? run_trial(&t) : status;
}

static od_status call_step(const void *object, size_t n, const double *z, double *y, double *ws)
{
    const od_map *map = object;
    double tau[POINTS];
    memcpy(y, z, n * map->dim * sizeof *y);
    return map->step(map, 1, n, y, NULL, NULL, tau, ws);
}

od_status od_plugin_try_map(od_context *ctx, const od_settings *s, const od_problem *f, const od_map *map)
{
    if (map->step == NULL || !(map->tau > 0) || isinf(map->tau)) {
        return od_setting_fail(ctx, s, "file",
                               "its iteration needs a function step and a time tau > 0 that it stands for");
    }
    if (map->batch > 0 && (map->sampling == NULL || f->eval_samples == NULL)) {
        return od_setting_fail(ctx, s, "file",
                               "its iteration takes mini-batches, which need a sampling and a problem "
                               "that is a sum");
    }
    od_status status = check_blocks(ctx, s, f, "iteration", map->block_count, map->block, map->dim);
    status = status == OD_OK ? check_entries(ctx, s, "iteration", map->noise_dim > 0, map->batch > 0) : status;
    if (status != OD_OK || map->noise_dim > 0 || map->batch > 0) {
        return status;
    }
    const trial t = {ctx, s, "step", map->dim, map->dim, map->scratch, map, call_step};
    return run_trial(&t);
}
