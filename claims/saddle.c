/*
 * Theorem 2.4.4 of Orvieto (2023): gradient descent near a perturbed quadratic saddle. The quadratic part is the
 * Hessian at one of the states, L_phi the largest distance in the spectral norm of the Hessians at the others from it:
 *
 *   eps <= 2 h l L/(min(gamma/2, mu) - 4 L_phi)
 *
 * with mu the smallest positive curvature of that Hessian, -gamma the negative one of smallest size. The state is the
 * one with the smallest bound; where all have L_phi too large the theorem says nothing.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "claims.h"

#include "src/memory.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIM = 16, MOST_STATES = 64 };

typedef struct tube {
    size_t d, count;
    double *hessian; /* [count*d*d] at states along the flow */
    double *matrix, *values;
} tube;

/* Eigenvalues, ascending, of a matrix that is lost; false if there are none. */
static bool eigenvalues(tube *a)
{
    const lapack_int n = (lapack_int)a->d;
    return LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'N', 'U', n, a->matrix, n, a->values, a->values + a->d, 3 * n) == 0;
}

static od_status look(od_context *ctx, od_shadowing *s, tube *a, double *unit, double *ws)
{
    const od_problem *f = s->m->problem;
    const uint64_t steps = s->chain->steps;
    od_status status = OD_OK;
    for (size_t i = 0; i < a->d; i++) {
        unit[i * a->d + i] = 1;
    }
    for (size_t k = 0; k < a->count && status == OD_OK; k++) {
        const double *x = s->target.y + (a->count > 1 ? steps * k / (a->count - 1) : 0) * s->chain->dim;
        status = f->hvp(f, 1, x, a->d, unit, a->hessian + k * a->d * a->d, ws);
    }
    return status == OD_OK ? OD_OK : od_fail(ctx, status, "problem", "the Hessian could not be evaluated for a claim");
}

/* min(gamma/2, mu) - 4 L_phi with the Hessian at state k as the quadratic part; 0 where that is no saddle. */
static double margin(tube *a, size_t k)
{
    const size_t size = a->d * a->d;
    const double *at = a->hessian + k * size;
    double mu = INFINITY, gamma = INFINITY, far = 0;
    memcpy(a->matrix, at, size * sizeof *at);
    if (!eigenvalues(a)) {
        return 0;
    }
    for (size_t i = 0; i < a->d; i++) {
        mu = a->values[i] > 0 ? fmin(mu, a->values[i]) : mu;
        gamma = a->values[i] < 0 ? fmin(gamma, -a->values[i]) : gamma;
    }
    for (size_t j = 0; j < a->count; j++) {
        for (size_t i = 0; i < size; i++) {
            a->matrix[i] = a->hessian[j * size + i] - at[i];
        }
        if (!eigenvalues(a)) {
            return 0;
        }
        far = fmax(far, fmax(-a->values[0], a->values[a->d - 1]));
    }
    return isinf(mu) || isinf(gamma) ? 0 : fmin(gamma / 2, mu) - 4 * far;
}

double od_perturbed_saddle_bound(const od_pair *p, double margin)
{
    return 2 * p->h * p->steepest * p->lipschitz / margin;
}

static void judge(od_shadowing *s, double best, od_claim *claim, size_t *count)
{
    const od_pair *p = &s->pair;
    od_claim *c = od_claims_add(
        claim, count, "shadow-perturbed-saddle", "Orvieto (2023)",
        "Theorem 2.4.4: near a quadratic saddle with a perturbation of curvature L_phi an orbit "
        "within 2 h l L/(min(gamma/2, mu) - 4 L_phi) (measured: the nearest orbit found)");
    c->error_integration = s->integration;
    od_claims_bound(c, od_perturbed_saddle_bound(p, best), s->best.best.radius, "no orbit is that near");
    if (c->verdict == OD_FAILS && !(s->best.lower > c->predicted)) {
        c->verdict = OD_UNDECIDED; /* a nearer one may not have been found */
        c->counterexample = NULL;
    }
    c->error_model = p->global ? 0 : NAN; /* constants seen at some states only */
    od_claims_doubt(c);
}

bool od_perturbed_saddle_applies(const od_shadowing *s)
{
    const od_problem *f = s->m->problem;
    const od_pair *p = &s->pair;
    return !s->of_flow && p->kind == OD_PAIR_DESCENT && f->hvp != NULL && f->rough == NULL && f->dim <= MOST_DIM &&
           p->low < 0 && p->high > 0 && p->h * p->lipschitz <= 1;
}

od_status od_perturbed_saddle_claim(od_context *ctx, od_shadowing *s, od_claim *claim, size_t *count)
{
    const od_problem *f = s->m->problem;
    tube a = {.d = f->dim, .count = f->spectrum != NULL ? 1 : MOST_STATES};
    if (!od_perturbed_saddle_applies(s) || isnan(s->best.best.radius) || s->no_best[0] != '\0') {
        return OD_OK;
    }
    const size_t size = a.d * a.d;
    double *memory = od_zalloc((a.count + 2) * size + 4 * a.d + od_scratch_size(&f->scratch, 1), sizeof *memory);
    if (memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for Hessians");
    }
    a.hessian = memory;
    a.matrix = a.hessian + a.count * size;
    double *unit = a.matrix + size;
    a.values = unit + size;
    const od_status status = look(ctx, s, &a, unit, a.values + 4 * a.d);
    double best = 0;
    for (size_t k = 0; k < a.count && status == OD_OK; k++) {
        best = fmax(best, margin(&a, k));
    }
    if (status == OD_OK && best > 0) {
        judge(s, best, claim, count);
    }
    free(memory);
    return status;
}
