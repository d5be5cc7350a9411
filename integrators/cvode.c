/*
 * CVODE of SUNDIALS (Cohen and Hindmarsh 1996; Hindmarsh et al. 2005): variable-order, variable-step Adams and BDF.
 *
 * Each path is advanced alone by a solver of its own, kept from open to close, so that its bits do not depend on the
 * batch and output times between its steps cost one evaluation of its own interpolant. A caller who changes z or jumps
 * in time makes the path start afresh there.
 *
 * Adams   fixed-point iteration with Anderson acceleration. A damping q/t multiplies the error of a plain iteration by
 *         h q/t, which is q in the first step from the singular start t = 0, whatever its size; that error has one
 *         direction in all components, and the acceleration removes it (q = 20: a third of the evaluations).
 * BDF     Newton's method, linear systems by GMRES without a matrix; products with the Jacobian are the flow's own, or
 *         difference quotients where it has none.
 *
 * All that depends on the version of SUNDIALS (6.x) is in this file.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "cvode.h"

#include "../src/memory.h"

#include <cvode/cvode.h>
#include <cvode/cvode_ls.h>
#include <float.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdlib.h>
#include <string.h>
#include <sundials/sundials_context.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

enum { ACCELERATION = 2, KRYLOV = 30, PAUSED = 1000 /* beside the flags of CVode */ };

const od_cvode_control od_cvode_defaults = {.bdf = false, .rtol = 1e-8, .atol = 1e-10, .max_steps = 1000000};

/* What CVODE's callbacks see. Paths run one after the other and share it. */
typedef struct link {
    const od_flow *flow;
    uint64_t *evaluations;
    double *ws;                /* the flow's scratch for one point */
    od_status status;          /* of a callback that failed */
    double not_finite;         /* time of the last drift that was not finite; NaN: none */
    bool stuck;                /* t + h = t */
    bool too_accurate;         /* an error weight is infinite: a component is zero and atol as well */
    const od_stepper *stepper; /* asked between steps, or: */
    od_cvode_function *g;      /* the events that are located */
    void *user;
} link;

typedef struct path {
    void *mem;
    N_Vector y;
    SUNLinearSolver linear;
    SUNNonlinearSolver fixed_point;
    double t;      /* y is the state at t */
    int direction; /* in which time it runs; 0: not started */
} path;

typedef struct solver {
    od_cvode_control control;
    link link;
    SUNContext sun;
    size_t n;
    path *path; /* [n] */
} solver;

/* ------------------------------------------------------------------------------------------------ callbacks */

static bool all_finite(size_t n, const double *x)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

/* 0: done, 1: try a smaller step, -1: give up. CVODE may ask again after -1, so a failure stays one. */
static int drift(realtype t, N_Vector y, N_Vector ydot, void *user)
{
    link *a = user;
    if (a->stuck || a->status != OD_OK) {
        return -1;
    }
    double *f = N_VGetArrayPointer(ydot);
    a->status = a->flow->drift(a->flow, t, 1, N_VGetArrayPointer(y), f, a->ws);
    ++*a->evaluations;
    if (a->status != OD_OK) {
        return -1;
    }
    if (all_finite(a->flow->dim, f)) {
        return 0;
    }
    a->not_finite = t;
    return 1;
}

static int jacobian_times(N_Vector v, N_Vector jv, realtype t, N_Vector y, N_Vector fy, void *user, N_Vector tmp)
{
    (void)fy;
    (void)tmp;
    link *a = user;
    double *out = N_VGetArrayPointer(jv);
    a->status = a->flow->jvp(a->flow, t, 1, N_VGetArrayPointer(y), 1, N_VGetArrayPointer(v), out, a->ws);
    ++*a->evaluations;
    if (a->status != OD_OK) {
        return -1;
    }
    return all_finite(a->flow->dim, out) ? 0 : 1;
}

static int roots(realtype t, N_Vector y, realtype *g, void *user)
{
    link *a = user;
    a->status = a->g(a->user, t, N_VGetArrayPointer(y), g);
    return a->status != OD_OK ? -1 : 0;
}

/* CVODE would print; its only warning that matters is that a step no longer moves t. */
static void listen(int code, const char *module, const char *function, char *message, void *user)
{
    (void)module;
    (void)function;
    link *a = user;
    a->stuck = a->stuck || (code == CV_WARNING && strstr(message, "t + h = t") != NULL);
    a->too_accurate = a->too_accurate || strstr(message, "ewt") != NULL;
}

/* ------------------------------------------------------------------------------------------------ paths */

static void path_close(path *p)
{
    CVodeFree(&p->mem);
    if (p->linear != NULL) {
        SUNLinSolFree(p->linear);
    }
    if (p->fixed_point != NULL) {
        SUNNonlinSolFree(p->fixed_point);
    }
    if (p->y != NULL) {
        N_VDestroy(p->y);
    }
    *p = (path){0};
}

static bool attach_fixed_point(solver *s, path *p)
{
    p->fixed_point = SUNNonlinSol_FixedPoint(p->y, ACCELERATION, s->sun);
    return p->fixed_point != NULL && CVodeSetNonlinearSolver(p->mem, p->fixed_point) == CV_SUCCESS;
}

static bool attach_newton(solver *s, path *p)
{
    const size_t dim = s->link.flow->dim;
    p->linear = SUNLinSol_SPGMR(p->y, SUN_PREC_NONE, dim < KRYLOV ? (int)dim : KRYLOV, s->sun);
    return p->linear != NULL && CVodeSetLinearSolver(p->mem, p->linear, NULL) == CVLS_SUCCESS &&
           (s->link.flow->jvp == NULL || CVodeSetJacTimes(p->mem, NULL, jacobian_times) == CVLS_SUCCESS);
}

static bool path_open(solver *s, path *p, double t, const double *z, size_t n, size_t index)
{
    const size_t dim = s->link.flow->dim;
    p->y = N_VNew_Serial((sunindextype)dim, s->sun);
    p->mem = p->y != NULL ? CVodeCreate(s->control.bdf ? CV_BDF : CV_ADAMS, s->sun) : NULL;
    if (p->mem == NULL) {
        return false;
    }
    double *y = N_VGetArrayPointer(p->y);
    for (size_t i = 0; i < dim; i++) {
        y[i] = z[i * n + index];
    }
    p->t = t;
    return CVodeSetErrHandlerFn(p->mem, listen, &s->link) == CV_SUCCESS &&
           CVodeInit(p->mem, drift, t, p->y) == CV_SUCCESS &&
           CVodeSStolerances(p->mem, s->control.rtol, s->control.atol) == CV_SUCCESS &&
           CVodeSetUserData(p->mem, &s->link) == CV_SUCCESS &&
           (s->control.bdf ? attach_newton(s, p) : attach_fixed_point(s, p));
}

/* CVODE's answer in words. */
static od_status explain(const solver *s, const path *p, int flag, char *trouble, size_t room)
{
    const link *a = &s->link;
    double t = p->t, h = 0;
    CVodeGetCurrentTime(p->mem, &t);
    CVodeGetCurrentStep(p->mem, &h);
    if (a->status != OD_OK) {
        snprintf(trouble, room, "CVODE stopped at t = %.9g: a callback failed (%s)", t, od_status_name(a->status));
        return a->status;
    }
    if (flag == CV_TOO_MUCH_WORK) {
        snprintf(trouble, room,
                 "CVODE: too much work: all max_steps = %ld steps are used at t = %.9g, the last of size %.3g; raise "
                 "max_steps, or use family: bdf if the problem is stiff",
                 s->control.max_steps, t, h);
    } else if (fabs(a->not_finite - t) <= fabs(h) + 1e-9 * fabs(t)) {
        snprintf(trouble, room,
                 "CVODE: the drift is not finite at t = %.9g, however small the step; the solution "
                 "may blow up there",
                 t);
    } else if (a->stuck) {
        snprintf(trouble, room,
                 "CVODE: the step became too small (%.3g) to move t = %.9g; the solution may blow up there", h, t);
    } else if (a->too_accurate) {
        snprintf(trouble, room,
                 "CVODE: with atol = 0 a component that is zero at t = %.9g would need an infinite accuracy; give "
                 "atol > 0",
                 t);
    } else if (flag == CV_TOO_MUCH_ACC) {
        snprintf(trouble, room, "CVODE: rtol and atol ask for more than double precision gives at t = %.9g; raise them",
                 t);
    } else if (flag == CV_ERR_FAILURE || flag == CV_CONV_FAILURE) {
        snprintf(trouble, room,
                 "CVODE: %s at t = %.9g, however small the step (%.3g); the solution may blow up or jump there",
                 flag == CV_ERR_FAILURE ? "the error stays too large" : "the implicit equation has no solution found",
                 t, h);
    } else {
        snprintf(trouble, room, "CVODE gave up at t = %.9g with its code %d", t, flag);
    }
    return OD_ENUMERIC;
}

static long steps_left(const solver *s, const path *p)
{
    long used = 0;
    CVodeGetNumSteps(p->mem, &used);
    return s->control.max_steps - used;
}

/* Step by step, asking between two; the last one's interpolant serves t1. To the bit what CV_NORMAL does. */
static int run_to(solver *s, path *p, double t1)
{
    double inner = p->t;
    CVodeGetCurrentTime(p->mem, &inner);
    for (long left = steps_left(s, p); (t1 - inner) * p->direction > 0; left--) {
        if (left <= 0 || od_stepper_stops(s->link.stepper, inner)) {
            return left <= 0 ? CV_TOO_MUCH_WORK : PAUSED;
        }
        const int flag = CVode(p->mem, t1, p->y, &inner, CV_ONE_STEP);
        if (flag < 0) {
            return flag;
        }
    }
    p->t = t1;
    return CVodeGetDky(p->mem, t1, 0, p->y);
}

/* CVODE counts the steps of one call; a budget that is used up still serves times inside the last step. */
static int run_to_root(solver *s, path *p, double t1)
{
    const long left = steps_left(s, p);
    double inner = p->t;
    CVodeGetCurrentTime(p->mem, &inner);
    CVodeSetMaxNumSteps(p->mem, left > 0 ? left : 1);
    return left <= 0 && (t1 - inner) * p->direction > 0 ? CV_TOO_MUCH_WORK : CVode(p->mem, t1, p->y, &p->t, CV_NORMAL);
}

/* From where p stands to t1, or to a root; *flag tells which. */
static od_status path_advance(solver *s, path *p, double t1, int *flag, char *trouble, size_t room)
{
    const int direction = t1 > p->t ? 1 : -1;
    if (p->direction != direction) {
        if (fabs(t1 - p->t) <= 4 * DBL_EPSILON * fmax(fabs(t1), fabs(p->t))) {
            p->t = t1; /* rounding of one time; too close for CVODE to start */
            *flag = CV_SUCCESS;
            return OD_OK;
        }
        CVodeReInit(p->mem, p->t, p->y);
        p->direction = direction;
    }
    s->link.status = OD_OK;
    s->link.stuck = s->link.too_accurate = false;
    s->link.not_finite = NAN;
    *flag = s->link.g != NULL ? run_to_root(s, p, t1) : run_to(s, p, t1);
    if (*flag < 0) {
        p->direction = 0;
        return explain(s, p, *flag, trouble, room);
    }
    return *flag == PAUSED ? OD_EINTERRUPTED : OD_OK;
}

/* ------------------------------------------------------------------------------------------------ the integrator */

static void solver_free(solver *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; s->path != NULL && i < s->n; i++) {
        path_close(&s->path[i]);
    }
    free(s->path);
    SUNContext_Free(&s->sun);
    free(s);
}

static solver *solver_create(const od_flow *flow, const od_cvode_control *control, uint64_t *evaluations, double t0,
                             size_t n, const double *z0)
{
    solver *s = od_zalloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->control = *control;
    s->link = (link){.flow = flow, .evaluations = evaluations};
    s->n = n;
    s->path = od_zalloc(n, sizeof *s->path);
    bool ok = s->path != NULL && SUNContext_Create(NULL, &s->sun) == 0;
    for (size_t i = 0; ok && i < n; i++) {
        ok = path_open(s, &s->path[i], t0, z0, n, i);
    }
    if (!ok) {
        solver_free(s);
        return NULL;
    }
    return s;
}

static od_status cvode_open(od_context *ctx, od_stepper *stepper, double t0, size_t n, const double *z0)
{
    const od_cvode_control control = {.bdf = strcmp(od_setting_text(stepper->settings, "family"), "bdf") == 0,
                                      .rtol = od_setting_real(stepper->settings, "rtol"),
                                      .atol = od_setting_real(stepper->settings, "atol"),
                                      .max_steps = (long)od_setting_real(stepper->settings, "max_steps")};
    solver *s = solver_create(stepper->flow, &control, &stepper->evaluations, t0, n, z0);
    stepper->state = s;
    if (s == NULL) {
        return od_fail(ctx, OD_ENOMEM, "integrator", "no memory for %zu solvers of CVODE", n);
    }
    s->link.stepper = stepper;
    return OD_OK;
}

/* Starts path `index` afresh where the caller has changed z or jumped in time. */
static void follow(path *p, size_t dim, double t, size_t n, size_t index, const double *z)
{
    double *y = N_VGetArrayPointer(p->y);
    bool same = p->t == t;
    for (size_t i = 0; i < dim; i++) {
        same = same && y[i] == z[i * n + index];
        y[i] = z[i * n + index];
    }
    if (!same) {
        p->t = t;
        p->direction = 0;
    }
}

/* The first `count` paths as the caller knows them, so that the next call goes on with them. */
static void put_back(path *p, size_t count, size_t dim, double t, size_t n, const double *z)
{
    for (size_t index = 0; index < count; index++) {
        double *y = N_VGetArrayPointer(p[index].y);
        for (size_t i = 0; i < dim; i++) {
            y[i] = z[i * n + index];
        }
        p[index].t = t;
    }
}

static od_status cvode_advance(od_stepper *stepper, double t, double t1, size_t n, double *z, double *ws)
{
    solver *s = stepper->state;
    const size_t dim = stepper->flow->dim;
    s->link.ws = ws;
    stepper->trouble[0] = '\0';
    if (t1 == t) {
        return OD_OK;
    }
    for (size_t index = 0; index < n; index++) {
        int flag;
        path *p = &s->path[index];
        follow(p, dim, t, n, index, z);
        od_status status = path_advance(s, p, t1, &flag, stepper->trouble, sizeof stepper->trouble);
        if (status == OD_EINTERRUPTED) {
            put_back(s->path, index + 1, dim, t, n, z);
        }
        if (status != OD_OK) {
            return status;
        }
    }
    /* only now, so that a failure leaves z as it was */
    for (size_t index = 0; index < n; index++) {
        const double *y = N_VGetArrayPointer(s->path[index].y);
        for (size_t i = 0; i < dim; i++) {
            z[i * n + index] = y[i];
        }
    }
    return OD_OK;
}

static void cvode_close(od_stepper *stepper)
{
    solver_free(stepper->state);
    stepper->state = NULL;
}

static od_scratch no_scratch(const od_flow *flow)
{
    (void)flow;
    return (od_scratch){0, 0};
}

/* ------------------------------------------------------------------------------------------------ roots */

static od_status find_roots(od_context *ctx, solver *s, double *t, double t1, double *z, size_t m, size_t room,
                            od_cvode_event *events, double *states, size_t *count, int *found)
{
    path *p = s->path;
    const size_t dim = s->link.flow->dim;
    const double *y = N_VGetArrayPointer(p->y);
    char trouble[256];
    int flag = CV_ROOT_RETURN;
    while (flag == CV_ROOT_RETURN && *count < room && p->t != t1) {
        od_status status = path_advance(s, p, t1, &flag, trouble, sizeof trouble);
        if (status != OD_OK) {
            return od_fail(ctx, status, "integrator", "%s", trouble);
        }
        *t = p->t;
        memcpy(z, y, dim * sizeof *z);
        if (flag == CV_ROOT_RETURN) {
            CVodeGetRootInfo(p->mem, found);
        }
        for (size_t i = 0; flag == CV_ROOT_RETURN && i < m && *count < room; i++) {
            if (found[i] == 0) {
                continue;
            }
            events[*count] = (od_cvode_event){.t = p->t, .which = i, .direction = found[i]};
            if (states != NULL) {
                memcpy(states + *count * dim, y, dim * sizeof *states);
            }
            ++*count;
        }
    }
    return OD_OK;
}

od_status od_cvode_roots(od_context *ctx, const od_flow *flow, const od_cvode_control *control, double *t, double t1,
                         double *z, size_t m, od_cvode_function *g, void *user, size_t room, od_cvode_event *events,
                         double *states, size_t *count)
{
    *count = 0;
    if (*t == t1) {
        return OD_OK;
    }
    uint64_t evaluations = 0;
    int *found = od_zalloc(m, sizeof *found);
    double *ws = od_zalloc(od_scratch_size(&flow->scratch, 1), sizeof *ws);
    solver *s = solver_create(flow, control, &evaluations, *t, 1, z);
    od_status status = OD_ENOMEM;
    if (found != NULL && ws != NULL && s != NULL) {
        s->link.ws = ws;
        s->link.g = g;
        s->link.user = user;
        void *mem = s->path->mem;
        if (CVodeRootInit(mem, (int)m, roots) == CV_SUCCESS && CVodeSetNoInactiveRootWarn(mem) == CV_SUCCESS) {
            status = OD_OK;
        }
    }
    status = status == OD_OK ? find_roots(ctx, s, t, t1, z, m, room, events, states, count, found)
                             : od_fail(ctx, status, "integrator", "no memory for the events of CVODE");
    solver_free(s);
    free(ws);
    free(found);
    return status;
}

const od_integrator_type od_integrator_cvode = {
    .name = "cvode",
    .summary = "CVODE: adaptive Adams or BDF to a tolerance, each path alone",
    .source = "Cohen and Hindmarsh (1996); Hindmarsh et al. (2005), SUNDIALS",
    .params = (const od_param[]){{.name = "family",
                                  .kind = OD_CHOICE,
                                  .fallback = "adams",
                                  .choices = "adams|bdf",
                                  .meaning = "adams for smooth problems, bdf for stiff ones"},
                                 {.name = "rtol",
                                  .kind = OD_REAL,
                                  .fallback = "1e-8",
                                  .low = 0,
                                  .high = 1,
                                  .low_open = true,
                                  .high_open = true,
                                  .meaning = "relative tolerance of a step"},
                                 {.name = "atol",
                                  .kind = OD_REAL,
                                  .fallback = "1e-10",
                                  .unit = "state",
                                  .low = 0,
                                  .high = INFINITY,
                                  .meaning = "absolute tolerance of a step; 0 only where no component is zero"},
                                 {.name = "max_steps",
                                  .kind = OD_INTEGER,
                                  .fallback = "1000000",
                                  .unit = "steps",
                                  .low = 1,
                                  .high = 1e15,
                                  .meaning = "steps that one path may take in all"},
                                 {.name = NULL}},
    .order = "1 to 12 (adams), 1 to 5 (bdf), chosen with the step; dense output of the same order",
    .per_path = true,
    .scratch = no_scratch,
    .open = cvode_open,
    .advance = cvode_advance,
    .close = cvode_close,
};
