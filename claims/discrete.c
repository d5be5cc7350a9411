/*
 * Section 2.3.4 of Orvieto (2023): the iteration with memory,
 *
 *   x_{k+1} = x_k + k/(k + p) (x_k - x_{k-1}) - p/(k + p) eta G_k,
 *
 * its weights, its master inequality and Theorem 2.3.2. lam_k = k/(p - 1), eta' = p eta/(p - 1) <= 1/L, D = |x0 -
 * x*|^2, F = f0 - f*, S the spectral bound of the covariance of G_k.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "kind.h"
#include "ledger.h"

#include "analysis/vector.h"
#include "src/batch.h"
#include "src/memory.h"
#include "src/start.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 128, MOST_DIM = 16, WEIGHTS = 40, ROWS = 40, LATE = 200 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    size_t d, dim;
    double p, eta, lipschitz, noise; /* noise: S */
    bool sampled;                    /* by mini-batches; S is the largest seen */
    double square, excess;           /* D and F; NaN where x* or f* is not known */
    double *memory, *z, *next, *ws;  /* one path */
    od_claim_list *list;
} study;

/* ------------------------------------------------------------------------------------------------ what is iterated */

/* One step without noise from the start's positions and a velocity. */
static od_status step_from(study *q, uint64_t k, double velocity, double *out)
{
    double tau;
    const double *x = q->z;
    memcpy(out, x, q->d * sizeof *out);
    for (size_t i = 0; i < q->d; i++) {
        out[q->d + i] = velocity;
    }
    double *zero = q->ws; /* increments without noise */
    memset(zero, 0, (q->m->map.noise_dim + 1) * sizeof *zero);
    return q->m->map.step(&q->m->map, k, 1, out, q->m->map.noise_dim > 0 ? zero : NULL, NULL, &tau,
                          q->ws + q->m->map.noise_dim + 1);
}

/* How much of the velocity iteration k keeps, and how much of the gradient it takes. */
static od_status coefficients(study *q, uint64_t k, double *keep, double *take)
{
    const od_problem *f = q->m->problem;
    double *a = q->next, *b = a + q->dim, *g = b + q->dim;
    od_status status = step_from(q, k, 0, a);
    status = status == OD_OK ? step_from(q, k, 1, b) : status;
    status = status == OD_OK ? f->eval(f, OD_GRADIENT, 1, q->z, NULL, g, q->ws) : status;
    double along = 0, square = 0;
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        along -= a[q->d + i] * g[i];
        square += g[i] * g[i];
    }
    *keep = b[q->d] - a[q->d];
    *take = along / square;
    return status;
}

/* p, where the iteration is that of m = t^p; else NaN. */
static od_status find_exponent(study *q, double *p)
{
    double keep, take;
    od_status status = coefficients(q, 1, &keep, &take);
    const double raw = 1 / keep - 1, whole = round(raw), found = fabs(raw - whole) <= 1e-12 * raw ? whole : raw;
    bool fits = found > 0;
    for (uint64_t k = 0; k <= 12 && status == OD_OK && fits; k += 3) {
        status = coefficients(q, k, &keep, &take);
        fits = fabs(keep - (double)k / ((double)k + found)) <= 1e-9 && fabs(take - found / ((double)k + found)) <= 1e-9;
    }
    *p = fits ? found : NAN;
    return status;
}

/* ------------------------------------------------------------------------------------------------ weights */

/* w(j, k) = take_j keep_{j+1} ... keep_k against p Gamma(j + p) k!/(j! Gamma(k + p + 1)). */
static od_status weight_claims(study *q)
{
    double keep[WEIGHTS + 1], take[WEIGHTS + 1], weight[WEIGHTS + 1], sum = 0, worst = -1, predicted = NAN, at = NAN;
    for (uint64_t k = 0; k <= WEIGHTS; k++) {
        const od_status status = coefficients(q, k, &keep[k], &take[k]);
        if (status != OD_OK) {
            return status;
        }
    }
    double later = 1;
    for (int j = WEIGHTS; j >= 0; j--) {
        weight[j] = take[j] * later;
        later *= keep[j];
        sum += weight[j];
        const double want = q->p *
                            exp(lgamma(j + q->p) - lgamma(j + 1) + lgamma(WEIGHTS + 1) - lgamma(WEIGHTS + q->p + 1));
        if (fabs(weight[j] - want) > worst) {
            worst = fabs(weight[j] - want);
            predicted = want;
            at = weight[j];
        }
    }
    od_claim *c = od_claims_append(q->list, "discrete-weights-sum", "eq. (38)",
                                   "the weights of past gradients sum to one (here k = 40)");
    c->error_integration = 1e-11;
    od_claims_match(c, 1, sum, "this k");
    c = od_claims_append(
        q->list, "discrete-weights", "eq. (38)",
        "the weight of G_j in x_{k+1} - x_k is -eta p Gamma(j + p) k!/(j! Gamma(k + p + 1)) (k = 40, where it is "
        "farthest off)");
    c->error_integration = 1e-11;
    od_claims_match(c, predicted, at, "this j");
    if (q->p == floor(q->p) && q->p < 8) {
        const int degree = (int)q->p;
        for (int pass = 0; pass < degree; pass++) { /* differences of order p vanish for degree p - 1 */
            for (int j = 0; j < WEIGHTS - pass; j++) {
                weight[j] = weight[j + 1] - weight[j];
            }
        }
        double left = 0;
        for (int j = 0; j <= WEIGHTS - degree; j++) {
            left = fmax(left, fabs(weight[j]));
        }
        c = od_claims_append(q->list, "discrete-weights-degree", "eq. (38)",
                             "they are a polynomial in j of degree p - 1 (measured: largest difference of order p)");
        c->error_integration = 1e-11;
        od_claims_match(c, 0, left, "this p");
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ one orbit */

static od_status evaluate(study *q, const double *x, double *loss, double *g)
{
    const od_problem *f = q->m->problem;
    return f->eval(f, OD_VALUE | OD_GRADIENT, 1, x, loss, g, q->ws + q->m->map.noise_dim + 1);
}

/* Without noise: the identity under eq. (40), right and as printed, and the energy of Lemma 2.3.3. */
static od_status orbit_claims(study *q)
{
    const od_map *map = &q->m->map;
    const double eta = q->p * q->eta / (q->p - 1);
    double *z = q->next, *g = z + q->dim, identity = 0, printed = 0, size = 0, tau, loss;
    double last = NAN, growth = 0, scale = NAN, first = NAN;
    const double away = 1e3 * (1 + od_distance(q->d, NULL, q->z, NULL)); /* beyond, rounding runs away too */
    memcpy(z, q->z, q->dim * sizeof *z);
    od_status status = OD_OK;
    for (uint64_t k = 0; k < LATE && status == OD_OK; k++) {
        const double lam = (double)k / (q->p - 1), next = (double)(k + 1) / (q->p - 1);
        double ahead = 0;
        double *before = g + q->d;
        status = evaluate(q, z, &loss, g);
        memcpy(before, z, q->dim * sizeof *z);
        memset(q->ws, 0, (map->noise_dim + 1) * sizeof *q->ws);
        status = status == OD_OK ? map->step(map, k, 1, z, map->noise_dim > 0 ? q->ws : NULL, NULL, &tau,
                                             q->ws + map->noise_dim + 1)
                                 : status;
        if (!(od_distance(q->d, NULL, z, NULL) < away)) {
            break;
        }
        for (size_t i = 0; i < q->d && status == OD_OK; i++) {
            const double move = q->eta * z[q->d + i], old = q->eta * before[q->d + i];
            const double right = before[i] + lam * old - eta * g[i];
            identity = fmax(identity, fabs(z[i] + next * move - right));
            printed = fmax(printed, fabs(z[i] + lam * move - right));
            size = fmax(size, fabs(z[i]));
            const double off = q->m->problem->minimiser != NULL ? z[i] + next * move - q->m->problem->minimiser[i]
                                                                : NAN;
            ahead += off * off;
        }
        const double energy = eta * (1 + lam) * (loss - q->m->problem->minimum.value) + ahead / 2;
        scale = k == 0 ? energy : scale;
        if (k > 0 && energy - last > growth) {
            growth = energy - last;
            first = isnan(first) && growth > 1e-12 * scale ? (double)k : first;
        }
        last = energy;
    }
    if (status != OD_OK || !(size > 0)) {
        return status;
    }
    od_claim *c = od_claims_append(
        q->list, "discrete-identity-printed", "eqs. (40), (193)",
        "x_{k+1} + lam_k m_{k+1} = x_k + lam_k m_k - eta' g_k, m_k = x_k - x_{k-1} (measured: largest "
        "difference)");
    c->expected = OD_FAILS;
    c->error_integration = 1e-11 * size;
    od_claims_match(c, 0, printed, "this orbit; lam_k before m_{k+1} is to be lam_{k+1}");
    c = od_claims_append(q->list, "discrete-identity", "eqs. (40), (193), corrected",
                         "x_{k+1} + lam_{k+1} m_{k+1} = x_k + lam_k m_k - eta' g_k (measured: largest difference)");
    c->error_integration = 1e-11 * size;
    od_claims_match(c, 0, identity, "this orbit");
    if (!isnan(q->square) && q->p >= 2 && eta * q->lipschitz <= 1 * (1 + 1e-12)) {
        c = od_claims_append(
            q->list, "discrete-master", "Lemma 2.3.3, eqs. (41), (42)",
            "eta' (1 + lam_k)(f_k - f*) + |x_{k+1} - x* + lam_{k+1} m_{k+1}|^2/2 does not grow without noise");
        c->error_integration = 1e-12;
        od_claims_match(c, 0, growth / scale, NULL);
        if (c->verdict == OD_FAILS) {
            c->counterexample = od_arena_print(q->list->arena, "this orbit, first at k = %.0f", first);
        }
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ Theorem 2.3.2 */

typedef struct ensemble {
    uint64_t k[ROWS];
    double mean[ROWS], error[ROWS];
} ensemble;

/* The largest eigenvalue of the covariance of a mini-batch gradient, Sigma(x)/batch, at the states of a block. */
static od_status see_noise(study *q, const double *x, size_t n)
{
    const od_problem *f = q->m->problem;
    const size_t d = q->d, samples = f->samples;
    double *weight = od_zalloc(samples * n + 2 * d * n + d * d * n + 4 * d + od_scratch_size(&f->scratch, n),
                               sizeof *weight);
    if (weight == NULL) {
        return od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for a covariance");
    }
    double *out = weight + samples * n, *cov = out + 2 * d * n, *values = cov + d * d * n, *ws = values + 4 * d;
    od_status status = OD_OK;
    for (size_t j = 0; j < samples && status == OD_OK; j++) {
        for (size_t p = 0; p < n; p++) {
            weight[j * n + p] = 1;
            weight[(j > 0 ? j - 1 : samples - 1) * n + p] = samples > 1 ? 0 : 1;
        }
        status = f->weighted_gradients(f, n, x, weight, out, ws); /* (g_j - g)/N */
        for (size_t i = 0; i < d * d * n; i++) {
            const size_t p = i / (d * d), row = i / d % d, column = i % d;
            cov[i] += (double)samples * out[row * n + p] * out[column * n + p] / (double)q->m->map.batch;
        }
    }
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        const lapack_int k = (lapack_int)d;
        const bool found = LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'N', 'U', k, cov + p * d * d, k, values, values + d,
                                              3 * k) == 0;
        q->noise = found ? fmax(q->noise, values[d - 1]) : NAN;
    }
    free(weight);
    return status;
}

static od_status add_block(study *q, uint64_t first, size_t n, double *room, uint32_t *index, double *sum,
                           double *square, const ensemble *of)
{
    const od_member *m = q->m;
    const od_map *map = &m->map;
    const od_problem *f = m->problem;
    double *z = room, *dw = z + q->dim * n, *tau = dw + map->noise_dim * n, *loss = tau + n, *ws = loss + n;
    od_interval interval;
    od_brownian w = m->noise;
    w.dim = map->noise_dim;
    od_status status = od_start_fill(m, first, n, z, ws);
    status = status == OD_OK && !q->sampled ? od_brownian_interval(&w, m->start.t, m->start.t + map->tau, &interval)
                                            : status;
    size_t row = 0;
    if (status == OD_OK && q->sampled) {
        status = see_noise(q, z, n);
    }
    for (uint64_t k = 0; k < m->iterations && status == OD_OK; k++) {
        if (q->sampled) {
            od_batch_indices(m->seed, first, n, k, map->batch, (uint32_t)f->samples, false, index);
        } else {
            od_interval now = interval;
            now.first += k * interval.count;
            od_brownian_increment(&w, &now, first, n, dw, NULL);
        }
        status = map->step(map, k, n, z, q->sampled ? NULL : dw, q->sampled ? index : NULL, tau, ws);
        if (status == OD_OK && k + 1 == of->k[row]) {
            status = f->eval(f, OD_VALUE, n, z, loss, NULL, ws);
            status = status == OD_OK && q->sampled ? see_noise(q, z, n) : status;
            for (size_t p = 0; p < n; p++) {
                const double over = loss[p] - f->minimum.value;
                sum[row] += over;
                square[row] += over * over;
            }
            row++;
        }
    }
    return status == OD_OK ? OD_OK : od_fail(q->ctx, status, NULL, "the iteration could not be run for a claim");
}

static od_status run_ensemble(study *q, ensemble *of)
{
    const od_member *m = q->m;
    double sum[ROWS] = {0}, square[ROWS] = {0};
    double *room = od_zalloc(LEAF * (q->dim + m->map.noise_dim + 2) + od_claims_scratch(m, LEAF), sizeof *room);
    uint32_t *index = od_zalloc(LEAF * m->map.batch + 1, sizeof *index);
    od_status status = room != NULL && index != NULL ? OD_OK
                                                     : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for an ensemble");
    for (uint64_t first = 0; first < m->paths && status == OD_OK; first += LEAF) {
        const size_t n = (size_t)(m->paths - first < LEAF ? m->paths - first : LEAF);
        status = add_block(q, first, n, room, index, sum, square, of);
        status = status == OD_OK && od_cancelled(q->ctx) ? od_fail(q->ctx, OD_EINTERRUPTED, NULL, "interrupted")
                                                         : status;
    }
    free(room);
    free(index);
    const double n = (double)m->paths;
    for (size_t r = 0; r < ROWS; r++) {
        of->mean[r] = sum[r] / n;
        of->error[r] = sqrt(fmax(square[r] / n - of->mean[r] * of->mean[r], 0) / (n - 1));
    }
    return status;
}

enum { DISPLAYED, PRINTED, CORRECTED, SHARPER };

/* The four bounds of E f_k - f*. */
static double bound(const study *q, int which, double k)
{
    const double p = q->p, eta = q->eta, n = (double)q->d * q->noise * eta, f = q->excess, s = q->square;
    switch (which) {
    case DISPLAYED: return (2 * eta * (p - 1) * f + s / 2) / (eta * (k + p - 1)) + (p - 1) * n / 2;
    case PRINTED: return (2 * eta * (p - 1) * (p - 1) * f + p * p * s / 2) / (eta * p * (k + p - 1)) + p * n / 2;
    case CORRECTED:
        return (2 * eta * p * (p - 1) * f + (p - 1) * (p - 1) * s / 2) / (eta * p * (k + p - 1)) + p * n / 2;
    default: return (p - 1) * (p - 1) * s / 2 / (eta * p * (k + p - 1)) + p * n * (k + 1) / (2 * (k + p - 1));
    }
}

static void bound_claim(study *q, const ensemble *of, int which, const char *id, const char *source,
                        const char *statement)
{
    size_t worst = 0;
    bool implied = true;
    for (size_t r = 0; r < ROWS; r++) {
        const double k = (double)of->k[r], here = bound(q, which, k);
        worst = of->mean[r] / here > of->mean[worst] / bound(q, which, (double)of->k[worst]) ? r : worst;
        implied = implied && here >= bound(q, SHARPER, k) * (1 - 1e-12);
    }
    od_claim *c = od_claims_append(q->list, id, source, statement);
    c->error_sampling = of->error[worst];
    od_claims_bound(c, bound(q, which, (double)of->k[worst]), of->mean[worst], NULL);
    c->error_model = q->sampled ? NAN : 0; /* S seen at some states only */
    if (c->verdict == OD_FAILS) {
        c->counterexample = od_arena_print(q->list->arena, "this ensemble at k = %.0f", (double)of->k[worst]);
    }
    od_claims_doubt(c);
    if (!implied && q->m->problem->spectrum == NULL) { /* it follows on quadratics only (docs/claims.md) */
        c->expected = OD_UNDECIDED;
        c->verdict = c->verdict == OD_HOLDS ? OD_UNDECIDED : c->verdict;
    }
}

static void floor_claim(study *q, const ensemble *of)
{
    const double floor = q->p * q->eta * q->noise / (2 * (2 * q->p - 1)) * (double)q->d;
    const double k = (double)q->m->iterations;
    od_claim *c = od_claims_append(
        q->list, "discrete-noise-floor", "Thm 2.3.2, its noise; derived in docs/claims.md",
        "on quadratics E f_k - f* goes to p eta S/(2 (2 p - 1)) in each dimension, whatever the curvature");
    c->error_sampling = of->error[ROWS - 1];
    c->error_model = q->square / (q->eta * k) * pow(q->eta * k * q->lipschitz, 0.5 - q->p + 1) + floor * 10 / k;
    od_claims_match(c, floor, of->mean[ROWS - 1], "this ensemble");
}

static od_status theorem_claims(study *q)
{
    const od_spectrum *s = q->m->problem->spectrum;
    ensemble of;
    for (size_t r = 0; r < ROWS; r++) {
        of.k[r] = q->m->iterations * (r + 1) / ROWS;
    }
    const od_status status = run_ensemble(q, &of);
    if (status != OD_OK) {
        return status;
    }
    if (q->sampled) {
        bound_claim(
            q, &of, CORRECTED, "discrete-rate-state", "Thm 2.3.2, corrected from eq. (42)",
            "the same with mini-batches, drawn with replacement: S is the largest covariance at the states seen");
        bound_claim(q, &of, SHARPER, "discrete-rate-state-sharper", "Thm 2.3.2; derived in docs/claims.md",
                    "and the sharper bound");
        return OD_OK;
    }
    bound_claim(q, &of, DISPLAYED, "discrete-rate-displayed", "Thm 2.3.2 as displayed",
                "E f_k - f* <= (2 eta (p - 1) F + D/2)/(eta (k + p - 1)) + d (p - 1) eta S/2");
    bound_claim(q, &of, PRINTED, "discrete-rate-printed", "eq. (43)",
                "E f_k - f* <= (2 eta (p - 1)^2 F + p^2 D/2)/(eta p (k + p - 1)) + p d eta S/2");
    bound_claim(q, &of, CORRECTED, "discrete-rate", "Thm 2.3.2, corrected from eq. (42)",
                "E f_k - f* <= (2 eta p (p - 1) F + (p - 1)^2 D/2)/(eta p (k + p - 1)) + p d eta S/2");
    bound_claim(q, &of, SHARPER, "discrete-rate-sharper", "Thm 2.3.2; derived in docs/claims.md",
                "E f_k - f* <= (p - 1)^2 D/(2 eta p (k + p - 1)) + p d eta S (k + 1)/(2 (k + p - 1))");
    double least = INFINITY;
    for (size_t i = 0; s != NULL && i < q->d; i++) {
        least = fmin(least, s->eigenvalues[i]);
    }
    if (s != NULL && least * q->eta * (double)q->m->iterations > 100) {
        floor_claim(q, &of);
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ all */

static od_status open_study(study *q)
{
    const od_member *m = q->m;
    const od_problem *f = m->problem;
    q->d = f->dim;
    q->dim = m->dim;
    q->memory = od_zalloc(4 * q->dim + 2 * q->d + m->map.noise_dim + 1 + od_claims_scratch(m, 1), sizeof *q->memory);
    if (q->memory == NULL) {
        return od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    q->z = q->memory;
    q->next = q->z + q->dim;
    q->ws = q->next + 3 * q->dim + 2 * q->d;
    od_status status = od_start_fill(m, 0, 1, q->z, q->ws);
    double loss = NAN;
    status = status == OD_OK ? evaluate(q, q->z, &loss, q->next) : status;
    q->excess = loss - f->minimum.value;
    q->square = f->minimiser != NULL && f->convexity.value >= 0 ? 0 : NAN;
    for (size_t i = 0; i < q->d && f->minimiser != NULL; i++) {
        q->square += (q->z[i] - f->minimiser[i]) * (q->z[i] - f->minimiser[i]);
    }
    return status == OD_OK ? OD_OK : od_fail(q->ctx, status, "start", "the start could not be evaluated");
}

/* The bounds of the theorem, for p >= 2 on convex losses. */
static bool is_bounded(const study *q)
{
    return q->p >= 2 && !isnan(q->square) && q->eta * q->lipschitz <= (q->p - 1) / q->p * (1 + 1e-12) &&
           q->m->paths > 1 && !od_member_automatic(q->m) && q->m->iterations >= ROWS;
}

/* With mini-batches only the theorem is asked; p is what the method says, since no step is without noise. */
static od_status ask_sampled(study *q)
{
    static const char *const name[] = {"linear", "quadratic", "polynomial"};
    const od_settings *s = q->m->method_choice.settings;
    const od_problem *f = q->m->problem;
    const bool memory = strcmp(q->m->method_choice.method->name, "memory") == 0;
    for (int i = 0; i < 3 && memory; i++) {
        if (strcmp(od_setting_text(s, "forgetting"), name[i]) == 0) {
            q->p = i < 2 ? 2 + i : od_setting_real(s, "p");
        }
    }
    q->sampled = true;
    if (!is_bounded(q) || f->weighted_gradients == NULL || q->d > MOST_DIM || f->samples > 1000 ||
        strcmp(q->m->map.sampling, "replacement") != 0) {
        return od_fail(
            q->ctx, OD_EUNSUPPORTED, NULL,
            "of iterations with mini-batches the bounds of Theorem 2.3.2 are asked: memory t^p, p >= 2, eta <= (p "
            "- 1)/(p L), batches with replacement, several paths of 40 iterations or more, at most 16 "
            "parameters and 1000 samples, a convex loss with known minimiser");
    }
    return theorem_claims(q);
}

static od_status ask(study *q)
{
    od_status status = find_exponent(q, &q->p);
    if (status == OD_OK && isnan(q->p)) {
        return od_fail(q->ctx, OD_EUNSUPPORTED, NULL, "the iteration is not that of memory t^p");
    }
    status = status == OD_OK ? weight_claims(q) : status;
    status = status == OD_OK && q->p > 1 ? orbit_claims(q) : status;
    return status == OD_OK && q->noise > 0 && is_bounded(q) ? theorem_claims(q) : status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    if (!m->has_map || m->dim != 2 * m->problem->dim) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no iteration with a velocity");
    }
    const od_value *noise = od_setting(m->method_choice.settings, "noise");
    study q = {.ctx = ctx, .m = m, .eta = m->map.tau, .lipschitz = m->problem->lipschitz.value, .list = list};
    q.noise = noise->present && noise->kind == OD_REAL ? noise->real * noise->real / q.eta : 0;
    od_status status = open_study(&q);
    status = status == OD_OK ? (m->map.batch > 0 ? ask_sampled : ask)(&q) : status;
    free(q.memory);
    return status;
}

const od_claim_set od_claims_discrete = {
    .name = "discrete-memory",
    .summary = "the iteration with memory: weights, master inequality, Theorem 2.3.2",
    .ids = (const char *const[]){"discrete-weights-sum", "discrete-weights", "discrete-weights-degree",
                                 "discrete-identity-printed", "discrete-identity", "discrete-master",
                                 "discrete-rate-displayed", "discrete-rate-printed", "discrete-rate",
                                 "discrete-rate-sharper", "discrete-noise-floor", "discrete-rate-state",
                                 "discrete-rate-state-sharper", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1, 0.3]}, method: {name: memory, step: 0.5, noise: 0.7}, start: "
            "{x: [1, 1]}, iterations: 2000, paths: 1000, seed: 3, compare: [{}, {method: {name: memory, forgetting: "
            "quadratic, step: 0.5, noise: 0.7}}, {method: {name: memory, forgetting: polynomial, p: 5, step: 0.5, "
            "noise: "
            "0.3}}]}",
            "{problem: {name: least-squares, data: teacher, features: 3, samples: 24, target_noise: 0.5}, method: "
            "{name: memory, step: 0.1, batch: 4}, start: {x: [1, -1, 1]}, iterations: 200, paths: 300, seed: 5}",
            "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: memory, forgetting: polynomial, p: 2.5, "
            "step: "
            "0.2}, start: {x: [1]}, iterations: 10}",
            NULL},
    .find = find,
};
