/*
 * f(x) = 1/2 <x - c, H (x - c)>, H = Q diag(lambda) Q^T, given by its eigenvalues or as a matrix.
 *
 * Curvatures of either sign are allowed: a negative one makes a saddle or a maximum. `rotation` is a seed: Q is then
 * the orthogonal factor of a Gaussian matrix, uniformly distributed (Stewart 1980).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/clones.h"
#include "../src/memory.h"
#include "../src/square.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MATRIX = 4096 };

typedef struct quadratic {
    od_spectrum spectrum;
    size_t d;
    double *eigenvalues, *centre; /* [d] */
    double *rotation, *hessian;   /* [d*d] row-major, NULL if diagonal */
} quadratic;

static void quadratic_free(void *data)
{
    quadratic *q = data;
    if (q != NULL) {
        free(q->eigenvalues);
        free(q->centre);
        free(q->rotation);
        free(q->hessian);
        free(q);
    }
}

/* hu = H u for n points; the bits do not depend on n. */
OD_CLONES static void multiply(const quadratic *q, size_t n, const double *u, double *hu)
{
    if (q->hessian == NULL) {
        for (size_t i = 0; i < q->d; i++) {
            const double lambda = q->eigenvalues[i];
            for (size_t p = 0; p < n; p++) {
                hu[i * n + p] = lambda * u[i * n + p];
            }
        }
        return;
    }
    od_square_times(q->hessian, false, q->d, n, u, hu);
}

/* Diagonal, one path: out = beta v + c lambda (x - centre) with components in the inner loop. */
OD_CLONES static void pull_one(const quadratic *q, double c, double beta, const double *restrict x,
                               const double *restrict v, double *restrict out)
{
    const double *restrict lambda = q->eigenvalues, *restrict centre = q->centre;
    const size_t d = q->d;
    if (v == NULL) {
        for (size_t i = 0; i < d; i++) {
            out[i] = c * (lambda[i] * (x[i] - centre[i]));
        }
    } else {
        for (size_t i = 0; i < d; i++) {
            out[i] = beta * v[i] + c * (lambda[i] * (x[i] - centre[i]));
        }
    }
}

/* The same for n paths, which are the inner loop. */
OD_CLONES static void pull_many(const quadratic *q, double c, double beta, size_t n, const double *restrict x,
                                const double *restrict v, double *restrict out)
{
    for (size_t i = 0; i < q->d; i++) {
        const double lambda = q->eigenvalues[i], centre = q->centre[i];
        const size_t end = (i + 1) * n;
        if (v == NULL) {
            for (size_t k = i * n; k < end; k++) {
                out[k] = c * (lambda * (x[k] - centre));
            }
        } else {
            for (size_t k = i * n; k < end; k++) {
                out[k] = beta * v[k] + c * (lambda * (x[k] - centre));
            }
        }
    }
}

static od_status diagonal_force(const od_problem *problem, double c, double beta, size_t n, const double *x,
                                const double *v, double *out, double *ws)
{
    (void)ws;
    if (n == 1) {
        pull_one(problem->data, c, beta, x, v, out);
    } else {
        pull_many(problem->data, c, beta, n, x, v, out);
    }
    return OD_OK;
}

OD_CLONES static od_status quadratic_eval(const od_problem *problem, unsigned want, size_t n, const double *x,
                                          double *f, double *g, double *ws)
{
    const quadratic *q = problem->data;
    double *y = ws, *hy = (want & OD_GRADIENT) != 0 ? g : ws + q->d * n;
    if (want == OD_GRADIENT && q->hessian == NULL) {
        return diagonal_force(problem, 1, 0, n, x, NULL, g, ws);
    }
    for (size_t i = 0; i < q->d; i++) {
        const double c = q->centre[i];
        for (size_t p = 0; p < n; p++) {
            y[i * n + p] = x[i * n + p] - c;
        }
    }
    multiply(q, n, y, hy);
    if ((want & OD_VALUE) != 0) {
        memset(f, 0, n * sizeof *f);
        for (size_t i = 0; i < q->d; i++) {
            for (size_t p = 0; p < n; p++) {
                f[p] += 0.5 * y[i * n + p] * hy[i * n + p];
            }
        }
    }
    return OD_OK;
}

static od_status quadratic_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                               double *hu, double *ws)
{
    (void)x;
    (void)ws;
    const quadratic *q = problem->data;
    for (size_t j = 0; j < m; j++) {
        multiply(q, n, u + j * q->d * n, hu + j * q->d * n);
    }
    return OD_OK;
}

/* Orthogonal factor of a Gaussian matrix, signs fixed so that the law is uniform. */
static bool random_rotation(double *rotation, size_t d, uint64_t seed)
{
    double *tau = od_zalloc(d, sizeof *tau), *diagonal = od_zalloc(d, sizeof *diagonal);
    bool ok = tau != NULL && diagonal != NULL;
    for (size_t i = 0; ok && i < d * d; i++) {
        rotation[i] = od_normal(seed, OD_STREAM_ROTATION, 0, i, 0);
    }
    const int n = (int)d;
    ok = ok && LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, n, n, rotation, n, tau) == 0;
    for (size_t i = 0; ok && i < d; i++) {
        diagonal[i] = rotation[i * d + i] < 0 ? -1 : 1;
    }
    ok = ok && LAPACKE_dorgqr(LAPACK_ROW_MAJOR, n, n, n, rotation, n, tau) == 0;
    for (size_t i = 0; ok && i < d * d; i++) {
        rotation[i] *= diagonal[i % d];
    }
    free(tau);
    free(diagonal);
    return ok;
}

/* H = Q diag(lambda) Q^T, made exactly symmetric. */
static void compose(quadratic *q)
{
    const size_t d = q->d;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                sum += q->rotation[i * d + k] * q->eigenvalues[k] * q->rotation[j * d + k];
            }
            q->hessian[i * d + j] = q->hessian[j * d + i] = sum;
        }
    }
}

static od_status check_matrix(od_context *ctx, const od_settings *s, const od_value *matrix)
{
    if (matrix->rows != matrix->cols) {
        return od_setting_fail(ctx, s, "matrix", "a %zu x %zu matrix is not square; give d rows of d numbers",
                               matrix->rows, matrix->cols);
    }
    for (size_t i = 0; i < matrix->rows; i++) {
        for (size_t j = 0; j < i; j++) {
            const double a = matrix->list[i * matrix->cols + j], b = matrix->list[j * matrix->cols + i];
            if (fabs(a - b) > 1e-12 * (fabs(a) + fabs(b))) {
                return od_setting_fail(ctx, s, "matrix",
                                       "a Hessian is symmetric, but row %zu, column %zu is %.17g and its mirror %.17g",
                                       i + 1, j + 1, a, b);
            }
        }
    }
    return OD_OK;
}

static void state_constants(quadratic *q, od_problem *problem, bool exact)
{
    double low = INFINITY, high = -INFINITY, size = 0;
    for (size_t i = 0; i < q->d; i++) {
        low = fmin(low, q->eigenvalues[i]);
        high = fmax(high, q->eigenvalues[i]);
        size = fmax(size, fabs(q->eigenvalues[i]));
    }
    const char *how = exact ? "largest and smallest eigenvalue, given" : "eigenvalues of the matrix (LAPACK)";
    problem->lipschitz = (od_constant){size, exact ? "largest modulus of the eigenvalues, given" : how};
    problem->convexity = (od_constant){low, how};
    if (low >= 0) {
        problem->minimum = (od_constant){0, "closed form"};
        problem->minimiser = q->centre;
        problem->minimiser_how = "the centre";
    } else {
        problem->minimum = (od_constant){-INFINITY, "unbounded below: an eigenvalue is negative"};
        problem->minimiser = q->centre;
        problem->minimiser_how = "the centre, a critical point but no minimiser";
    }
}

static od_status quadratic_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    const od_value *eigenvalues = od_setting(s, "eigenvalues"), *matrix = od_setting(s, "matrix");
    const od_value *centre = od_setting(s, "centre"), *rotation = od_setting(s, "rotation");
    if (eigenvalues->present == matrix->present) {
        return od_setting_fail(ctx, s, eigenvalues->present ? "matrix" : "eigenvalues",
                               "give either eigenvalues: [4, 1] or matrix: [[4, 0], [0, 1]], %s",
                               eigenvalues->present ? "not both" : "one of them is needed");
    }
    if (matrix->present && rotation->present) {
        return od_setting_fail(ctx, s, "rotation", "a rotation goes with eigenvalues; a matrix is already rotated");
    }
    od_status status = matrix->present ? check_matrix(ctx, s, matrix) : OD_OK;
    if (status != OD_OK) {
        return status;
    }
    const size_t d = matrix->present ? matrix->rows : eigenvalues->cols;
    const bool full = matrix->present || rotation->present;
    if (full && d > MAX_MATRIX) {
        return od_setting_fail(ctx, s, matrix->present ? "matrix" : "rotation",
                               "%zu dimensions are more than %d: a full "
                               "matrix would not fit; leave the rotation out",
                               d, MAX_MATRIX);
    }
    if (centre->present && centre->cols != d) {
        return od_setting_fail(ctx, s, "centre", "expected a list of %zu numbers, got %zu", d, centre->cols);
    }
    quadratic *q = od_zalloc(1, sizeof *q);
    if (q == NULL || (q->eigenvalues = od_zalloc(d, sizeof(double))) == NULL ||
        (q->centre = od_zalloc(d, sizeof(double))) == NULL ||
        (full && ((q->rotation = od_zalloc(d * d, sizeof(double))) == NULL ||
                  (q->hessian = od_zalloc(d * d, sizeof(double))) == NULL))) {
        quadratic_free(q);
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for a quadratic of %zu dimensions", d);
    }
    q->d = d;
    if (centre->present) {
        memcpy(q->centre, centre->list, d * sizeof(double));
    }
    bool ok = true;
    if (matrix->present) {
        memcpy(q->hessian, matrix->list, d * d * sizeof(double));
        memcpy(q->rotation, matrix->list, d * d * sizeof(double));
        ok = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (int)d, q->rotation, (int)d, q->eigenvalues) == 0;
    } else {
        memcpy(q->eigenvalues, eigenvalues->list, d * sizeof(double));
        if (full) {
            ok = random_rotation(q->rotation, d, (uint64_t)rotation->real);
            compose(q);
        }
    }
    if (!ok) {
        quadratic_free(q);
        return od_setting_fail(ctx, s, matrix->present ? "matrix" : "rotation", "LAPACK could not decompose it");
    }
    q->spectrum = (od_spectrum){q->eigenvalues, q->rotation, q->centre};
    problem->dim = d;
    problem->scratch = (od_scratch){0, 2 * d};
    problem->eval = quadratic_eval;
    problem->hvp = quadratic_hvp;
    problem->force = full ? NULL : diagonal_force;
    problem->spectrum = &q->spectrum;
    problem->data = q;
    problem->free = quadratic_free;
    state_constants(q, problem, !matrix->present);
    return OD_OK;
}

const od_problem_type od_problem_quadratic = {
    .name = "quadratic",
    .summary = "f = 1/2 <x - c, H (x - c)> by eigenvalues or matrix, saddles allowed",
    .source = "textbook",
    .params =
        (const od_param[]){{.name = "eigenvalues",
                            .kind = OD_VECTOR,
                            .fallback = "",
                            .unit = "curvature",
                            .meaning = "curvatures along the axes, of either sign; their number is the dimension"},
                           {.name = "matrix",
                            .kind = OD_MATRIX,
                            .fallback = "",
                            .unit = "curvature",
                            .meaning = "the Hessian, symmetric, instead of eigenvalues"},
                           {.name = "rotation",
                            .kind = OD_INTEGER,
                            .fallback = "",
                            .unit = "seed",
                            .low = 0,
                            .high = 9007199254740991.0,
                            .meaning = "turns the axes by a random orthogonal matrix with this seed"},
                           {.name = "centre",
                            .kind = OD_VECTOR,
                            .fallback = "",
                            .unit = "",
                            .meaning = "the critical point; the origin if absent"},
                           {.name = NULL}},
    .example = "eigenvalues: [4, -1, 0.3], rotation: 5",
    .create = quadratic_create,
};
