/* Calls that fail: of LAPACK, of SUNDIALS, of a problem's callbacks, and of the question whether to stop.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "faults.h"

#include "../src/parts.h"

#include <cvode/cvode.h>
#include <lapacke.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>
#include <stdlib.h>

/* ---------------------------------------------------------------------------------------------------------- LAPACK */

#define POSITIVE 1
#define FAILING(name, parameters, arguments)                                                                           \
    lapack_int __real_LAPACKE_##name parameters;                                                                       \
    lapack_int __wrap_LAPACKE_##name parameters;                                                                       \
    lapack_int __wrap_LAPACKE_##name parameters                                                                        \
    {                                                                                                                  \
        return !fault_now(FAULT_LAPACK)    ? __real_LAPACKE_##name arguments                                           \
               : fault_is("lapack-memory") ? LAPACK_WORK_MEMORY_ERROR                                                  \
                                           : POSITIVE;                                                                 \
    }

FAILING(dgecon_work,
        (int matrix_layout, char norm, lapack_int n, const double *a, lapack_int lda, double anorm, double *rcond,
         double *work, lapack_int *iwork),
        (matrix_layout, norm, n, a, lda, anorm, rcond, work, iwork))
FAILING(dgees,
        (int matrix_layout, char jobvs, char sort, LAPACK_D_SELECT2 select, lapack_int n, double *a, lapack_int lda,
         lapack_int *sdim, double *wr, double *wi, double *vs, lapack_int ldvs),
        (matrix_layout, jobvs, sort, select, n, a, lda, sdim, wr, wi, vs, ldvs))
FAILING(dgeev_work,
        (int matrix_layout, char jobvl, char jobvr, lapack_int n, double *a, lapack_int lda, double *wr, double *wi,
         double *vl, lapack_int ldvl, double *vr, lapack_int ldvr, double *work, lapack_int lwork),
        (matrix_layout, jobvl, jobvr, n, a, lda, wr, wi, vl, ldvl, vr, ldvr, work, lwork))
FAILING(dgeqrf, (int matrix_layout, lapack_int m, lapack_int n, double *a, lapack_int lda, double *tau),
        (matrix_layout, m, n, a, lda, tau))
FAILING(dgeqrf_work,
        (int matrix_layout, lapack_int m, lapack_int n, double *a, lapack_int lda, double *tau, double *work,
         lapack_int lwork),
        (matrix_layout, m, n, a, lda, tau, work, lwork))
FAILING(dgesv_work,
        (int matrix_layout, lapack_int n, lapack_int nrhs, double *a, lapack_int lda, lapack_int *ipiv, double *b,
         lapack_int ldb),
        (matrix_layout, n, nrhs, a, lda, ipiv, b, ldb))
FAILING(dgesvd,
        (int matrix_layout, char jobu, char jobvt, lapack_int m, lapack_int n, double *a, lapack_int lda, double *s,
         double *u, lapack_int ldu, double *vt, lapack_int ldvt, double *superb),
        (matrix_layout, jobu, jobvt, m, n, a, lda, s, u, ldu, vt, ldvt, superb))
FAILING(dgesvd_work,
        (int matrix_layout, char jobu, char jobvt, lapack_int m, lapack_int n, double *a, lapack_int lda, double *s,
         double *u, lapack_int ldu, double *vt, lapack_int ldvt, double *work, lapack_int lwork),
        (matrix_layout, jobu, jobvt, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork))
FAILING(dgetrf_work, (int matrix_layout, lapack_int m, lapack_int n, double *a, lapack_int lda, lapack_int *ipiv),
        (matrix_layout, m, n, a, lda, ipiv))
FAILING(dgetrs_work,
        (int matrix_layout, char trans, lapack_int n, lapack_int nrhs, const double *a, lapack_int lda,
         const lapack_int *ipiv, double *b, lapack_int ldb),
        (matrix_layout, trans, n, nrhs, a, lda, ipiv, b, ldb))
FAILING(dorgqr,
        (int matrix_layout, lapack_int m, lapack_int n, lapack_int k, double *a, lapack_int lda, const double *tau),
        (matrix_layout, m, n, k, a, lda, tau))
FAILING(dorgqr_work,
        (int matrix_layout, lapack_int m, lapack_int n, lapack_int k, double *a, lapack_int lda, const double *tau,
         double *work, lapack_int lwork),
        (matrix_layout, m, n, k, a, lda, tau, work, lwork))
FAILING(dposv,
        (int matrix_layout, char uplo, lapack_int n, lapack_int nrhs, double *a, lapack_int lda, double *b,
         lapack_int ldb),
        (matrix_layout, uplo, n, nrhs, a, lda, b, ldb))
FAILING(dposv_work,
        (int matrix_layout, char uplo, lapack_int n, lapack_int nrhs, double *a, lapack_int lda, double *b,
         lapack_int ldb),
        (matrix_layout, uplo, n, nrhs, a, lda, b, ldb))
FAILING(dsbgvx,
        (int matrix_layout, char jobz, char range, char uplo, lapack_int n, lapack_int ka, lapack_int kb, double *ab,
         lapack_int ldab, double *bb, lapack_int ldbb, double *q, lapack_int ldq, double vl, double vu, lapack_int il,
         lapack_int iu, double abstol, lapack_int *m, double *w, double *z, lapack_int ldz, lapack_int *ifail),
        (matrix_layout, jobz, range, uplo, n, ka, kb, ab, ldab, bb, ldbb, q, ldq, vl, vu, il, iu, abstol, m, w, z, ldz,
         ifail))
FAILING(dstev, (int matrix_layout, char jobz, lapack_int n, double *d, double *e, double *z, lapack_int ldz),
        (matrix_layout, jobz, n, d, e, z, ldz))
FAILING(dsyev_work,
        (int matrix_layout, char jobz, char uplo, lapack_int n, double *a, lapack_int lda, double *w, double *work,
         lapack_int lwork),
        (matrix_layout, jobz, uplo, n, a, lda, w, work, lwork))
FAILING(dsyevd, (int matrix_layout, char jobz, char uplo, lapack_int n, double *a, lapack_int lda, double *w),
        (matrix_layout, jobz, uplo, n, a, lda, w))
FAILING(dsyevd_work,
        (int matrix_layout, char jobz, char uplo, lapack_int n, double *a, lapack_int lda, double *w, double *work,
         lapack_int lwork, lapack_int *iwork, lapack_int liwork),
        (matrix_layout, jobz, uplo, n, a, lda, w, work, lwork, iwork, liwork))
FAILING(dsytrf_work,
        (int matrix_layout, char uplo, lapack_int n, double *a, lapack_int lda, lapack_int *ipiv, double *work,
         lapack_int lwork),
        (matrix_layout, uplo, n, a, lda, ipiv, work, lwork))
FAILING(dsytrs_work,
        (int matrix_layout, char uplo, lapack_int n, lapack_int nrhs, const double *a, lapack_int lda,
         const lapack_int *ipiv, double *b, lapack_int ldb),
        (matrix_layout, uplo, n, nrhs, a, lda, ipiv, b, ldb))
/* a positive answer means that the order was good enough as it was */
#undef POSITIVE
#define POSITIVE LAPACK_WORK_MEMORY_ERROR
FAILING(dtrexc,
        (int matrix_layout, char compq, lapack_int n, double *t, lapack_int ldt, double *q, lapack_int ldq,
         lapack_int *ifst, lapack_int *ilst),
        (matrix_layout, compq, n, t, ldt, q, ldq, ifst, ilst))

/* -------------------------------------------------------------------------------------------------------- SUNDIALS */

#define REFUSING(type, name, refusal, parameters, arguments)                                                           \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return fault_now(FAULT_SUNDIALS) ? refusal : __real_##name arguments;                                          \
    }

REFUSING(int, SUNContext_Create, -1, (void *comm, SUNContext *context), (comm, context))
REFUSING(N_Vector, N_VNew_Serial, NULL, (sunindextype length, SUNContext context), (length, context))
REFUSING(SUNLinearSolver, SUNLinSol_SPGMR, NULL, (N_Vector y, int pretype, int maxl, SUNContext context),
         (y, pretype, maxl, context))
REFUSING(SUNNonlinearSolver, SUNNonlinSol_FixedPoint, NULL, (N_Vector y, int m, SUNContext context), (y, m, context))
REFUSING(void *, CVodeCreate, NULL, (int lmm, SUNContext context), (lmm, context))
REFUSING(int, CVodeInit, CV_MEM_FAIL, (void *mem, CVRhsFn f, realtype t, N_Vector y), (mem, f, t, y))
REFUSING(int, CVodeSStolerances, CV_ILL_INPUT, (void *mem, realtype rtol, realtype atol), (mem, rtol, atol))
REFUSING(int, CVodeSetErrHandlerFn, CV_MEM_NULL, (void *mem, CVErrHandlerFn listen, void *user), (mem, listen, user))
REFUSING(int, CVodeSetUserData, CV_MEM_NULL, (void *mem, void *user), (mem, user))
REFUSING(int, CVodeSetNonlinearSolver, CV_MEM_FAIL, (void *mem, SUNNonlinearSolver s), (mem, s))
REFUSING(int, CVodeSetLinearSolver, CVLS_MEM_FAIL, (void *mem, SUNLinearSolver s, SUNMatrix a), (mem, s, a))
REFUSING(int, CVodeSetJacTimes, CVLS_MEM_NULL, (void *mem, CVLsJacTimesSetupFn a, CVLsJacTimesVecFn b), (mem, a, b))
REFUSING(int, CVodeRootInit, CV_MEM_FAIL, (void *mem, int n, CVRootFn g), (mem, n, g))
REFUSING(int, CVodeSetNoInactiveRootWarn, CV_MEM_NULL, (void *mem), (mem))
REFUSING(int, CVode,
         fault_is("sundials-solver")     ? CV_CONV_FAILURE
         : fault_is("sundials-accuracy") ? CV_TOO_MUCH_ACC
                                         : CV_ERR_FAILURE,
         (void *mem, realtype t1, N_Vector y, realtype *t, int task), (mem, t1, y, t, task))

/* --------------------------------------------------------------------------------------------------------- problems */

/* Callbacks of the problems that were built. A problem may be copied: its data tell which it is. */
enum { BUILT = 256 };
static struct {
    const void *type, *data;
    od_problem own;
} built[BUILT];
static size_t built_count;

static const od_problem *own(const od_problem *p)
{
    size_t i = built_count;
    while (i > 1 && !(built[i - 1].type == p->type && built[i - 1].data == p->data)) {
        i--;
    }
    return &built[i - 1].own;
}

/* What a callback that failed or not is made to answer. */
static od_status spoilt(od_status status, double *value, double *vector)
{
    if (fault_now(FAULT_EVALUATION)) {
        if (!fault_is("nan")) {
            return OD_EUSER;
        }
        *(value != NULL ? value : vector) = NAN;
        *(vector != NULL ? vector : value) = NAN;
    }
    return status;
}

static od_status spoilt_eval(const od_problem *p, unsigned want, size_t n, const double *x, double *f, double *g,
                             double *ws)
{
    return spoilt(own(p)->eval(p, want, n, x, f, g, ws), want & OD_VALUE ? f : NULL, want & OD_GRADIENT ? g : NULL);
}

static od_status spoilt_hvp(const od_problem *p, size_t n, const double *x, size_t m, const double *u, double *hu,
                            double *ws)
{
    return spoilt(own(p)->hvp(p, n, x, m, u, hu, ws), NULL, hu);
}

static od_status spoilt_samples(const od_problem *p, unsigned want, size_t n, const double *x, size_t batch,
                                const uint32_t *index, double *f, double *g, double *ws)
{
    return spoilt(own(p)->eval_samples(p, want, n, x, batch, index, f, g, ws), want & OD_VALUE ? f : NULL,
                  want & OD_GRADIENT ? g : NULL);
}

static od_status spoilt_weighted(const od_problem *p, size_t n, const double *x, const double *weight, double *out,
                                 double *ws)
{
    return spoilt(own(p)->weighted_gradients(p, n, x, weight, out, ws), NULL, out);
}

static od_status spoilt_force(const od_problem *p, double c, double beta, size_t n, const double *x, const double *v,
                              double *out, double *ws)
{
    return spoilt(own(p)->force(p, c, beta, n, x, v, out, ws), NULL, out);
}

od_status __real_od_problem_build(od_context *ctx, const od_choice *choice, od_problem *problem);
od_status __wrap_od_problem_build(od_context *ctx, const od_choice *choice, od_problem *problem);
od_status __wrap_od_problem_build(od_context *ctx, const od_choice *choice, od_problem *problem)
{
    const od_status status = __real_od_problem_build(ctx, choice, problem);
    if (status == OD_OK && built_count < BUILT) {
        built[built_count].type = problem->type;
        built[built_count].data = problem->data;
        built[built_count++].own = *problem;
        problem->eval = spoilt_eval;
        problem->hvp = problem->hvp != NULL ? spoilt_hvp : NULL;
        problem->eval_samples = problem->eval_samples != NULL ? spoilt_samples : NULL;
        problem->weighted_gradients = problem->weighted_gradients != NULL ? spoilt_weighted : NULL;
        problem->force = problem->force != NULL ? spoilt_force : NULL;
    }
    return status;
}

/* -------------------------------------------------------------------------------------------------------- stopping */

bool __real_od_cancelled(const od_context *ctx);
bool __wrap_od_cancelled(const od_context *ctx);
bool __wrap_od_cancelled(const od_context *ctx)
{
    if (fault_now(FAULT_LOOK)) {
        od_cancel((od_context *)(uintptr_t)ctx);
    }
    return __real_od_cancelled(ctx);
}
