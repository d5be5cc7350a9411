/*
 * Appendix B.2.1.1 of Orvieto (2023): Arnold's cat map, (x, y) -> A (x, y) mod 1, A = [2 1; 1 1], and other hyperbolic
 * automorphisms of the torus. On the plane this is gradient descent on a quadratic saddle: x - h H x with H = (I -
 * A)/h. With eigenvalues |lambda_u| > 1 > |lambda_s| of a symmetric A every pseudo-orbit of local errors delta has an
 * orbit within delta/(1 - |lambda_s|) (errors along the other eigenvector give delta/(|lambda_u| - 1), which is less).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "ledger.h"

#include "analysis/minimax.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POWERS = 6, STEPS = 40, DENOMINATOR = 97, GROWTHS = 60 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    double a[2][2]; /* rows */
    double trace, determinant;
    double high, low; /* moduli of its eigenvalues */
    double *ws;
    double whole[STEPS][2]; /* what is taken off after each step, to stay in the unit square */
    od_claim_list *list;
} study;

static od_status step(study *q, double z[2])
{
    double tau;
    return q->m->map.step(&q->m->map, 0, 1, z, NULL, NULL, &tau, q->ws);
}

/* The iteration's matrix, if it is one of whole numbers with determinant +-1 and no eigenvalue of modulus 1. */
static od_status look(study *q, bool *fits)
{
    double image[3][2] = {{0, 0}, {1, 0}, {0, 1}};
    od_status status = OD_OK;
    *fits = true;
    for (int i = 0; i < 3 && status == OD_OK; i++) {
        status = step(q, image[i]);
        for (int k = 0; k < 2; k++) {
            const double entry = round(image[i][k]);
            *fits = *fits && fabs(image[i][k] - entry) <= 1e-12 && (i > 0 || entry == 0);
            if (i > 0) {
                q->a[k][i - 1] = entry;
            }
        }
    }
    q->trace = q->a[0][0] + q->a[1][1];
    q->determinant = q->a[0][0] * q->a[1][1] - q->a[0][1] * q->a[1][0];
    const double square = q->trace * q->trace / 4 - q->determinant;
    *fits = *fits && fabs(q->determinant) == 1 && square > 0 && q->a[0][1] == q->a[1][0];
    q->high = fabs(q->trace) / 2 + sqrt(square);
    q->low = 1 / q->high;
    *fits = *fits && q->high > 1 + 1e-9;
    return status;
}

static od_status eigenvalue_claim(study *q)
{
    double z[2] = {0.6, 0.3}, size = 1;
    od_status status = OD_OK;
    for (int k = 0; k < GROWTHS && status == OD_OK; k++) {
        const double before = hypot(z[0], z[1]);
        z[0] /= before;
        z[1] /= before;
        status = step(q, z);
        size = hypot(z[0], z[1]);
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "cat-eigenvalue", "App. B.2.1.1",
            "the map stretches by its larger eigenvalue, (3 + sqrt 5)/2 of the cat map, and by the "
            "inverse of that (measured: growth of a difference of two orbits)");
        c->error_integration = 1e-12 * q->high;
        od_claims_match(c, q->high, size, "this map");
    }
    return status;
}

/* Points i/n, j/n of the unit square that come back after k steps. */
static od_status count_returns(study *q, int steps, int n, double *count)
{
    od_status status = OD_OK;
    *count = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n && status == OD_OK; j++) {
            double z[2] = {i, j};
            for (int k = 0; k < steps && status == OD_OK; k++) {
                status = step(q, z);
            }
            *count += fmod(round(z[0]) - i, n) == 0 && fmod(round(z[1]) - j, n) == 0;
        }
    }
    return status;
}

static od_status fixed_claim(study *q)
{
    double predicted = NAN, measured = NAN, power[2][2] = {{1, 0}, {0, 1}};
    od_status status = OD_OK;
    for (int k = 1; k <= POWERS && status == OD_OK; k++) {
        double next[2][2];
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 2; j++) {
                next[i][j] = q->a[i][0] * power[0][j] + q->a[i][1] * power[1][j];
            }
        }
        memcpy(power, next, sizeof power);
        /* fixed points of A^k are fractions with the denominator det(A^k - I) */
        const double n = fabs((power[0][0] - 1) * (power[1][1] - 1) - power[0][1] * power[1][0]);
        if (!(n >= 1 && n <= 400)) {
            break;
        }
        status = count_returns(q, k, (int)n, &measured);
        predicted = fabs(pow(q->high, k) + pow(q->low, k) - 2);
        if (fabs(measured - predicted) > 1e-6 * predicted) {
            break;
        }
    }
    if (status == OD_OK && isfinite(predicted)) {
        od_claim *c = od_claims_append(
            q->list, "cat-fixed-points", "App. B.2.1.1",
            "its k-th power has lambda^k + lambda^-k - 2 fixed points: 1, 5, 16, 45, 121, 320 of the cat "
            "map (the last k or the first that differs; measured: fractions that come back)");
        c->error_integration = 1e-9 * predicted;
        od_claims_match(c, predicted, measured, "this power");
    }
    return status;
}

static od_status permutation_claim(study *q)
{
    enum { N = DENOMINATOR };
    static const char statement[] =
        "it permutes the points whose coordinates have the denominator N, here 97 (measured: "
        "points reached from the N^2)";
    bool *reached = od_zalloc((size_t)N * N, sizeof *reached);
    size_t count = 0;
    od_status status = reached != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for a torus");
    for (int i = 0; i < N * N && status == OD_OK; i++) {
        double z[2] = {i / N, i % N};
        status = step(q, z);
        const int x = ((int)lround(z[0]) % N + N) % N, y = ((int)lround(z[1]) % N + N) % N;
        count += !reached[x * N + y];
        reached[x * N + y] = true;
    }
    free(reached);
    if (status == OD_OK) {
        od_claims_match(od_claims_append(q->list, "cat-permutation", "App. B.2.1.1", statement), (double)N * N,
                        (double)count, "this map");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ shadows */

static od_status lifted_step(const od_map *map, uint64_t k, size_t n, double *z, const double *dw,
                             const uint32_t *index, double *tau, double *ws)
{
    const study *q = map->data;
    const od_status status = q->m->map.step(&q->m->map, 0, n, z, dw, index, tau, ws);
    z[0] -= q->whole[k][0];
    z[1] -= q->whole[k][1];
    return status;
}

static od_status lifted_jvp(const od_map *map, uint64_t k, size_t n, const double *z, size_t m, const double *u,
                            double *ju, double *ws)
{
    const study *q = map->data;
    (void)k;
    (void)n;
    (void)z;
    (void)ws;
    for (size_t i = 0; i < m; i++) {
        const double x = u[2 * i], y = u[2 * i + 1];
        ju[2 * i] = q->a[0][0] * x + q->a[0][1] * y;
        ju[2 * i + 1] = q->a[1][0] * x + q->a[1][1] * y;
    }
    return OD_OK;
}

/* States on the torus with an error of up to a thousandth in each step, and the largest error. */
static od_status disturb(study *q, double *y, double *delta)
{
    od_status status = OD_OK;
    y[0] = 0.3;
    y[1] = 0.7;
    *delta = 0;
    for (int k = 0; k < STEPS && status == OD_OK; k++) {
        double z[2] = {y[2 * k], y[2 * k + 1]}, off[2];
        status = step(q, z);
        for (unsigned i = 0; i < 2; i++) {
            off[i] = 1e-3 * (2 * od_uniform(q->m->seed, OD_STREAM_CHECK, 0, i, (uint64_t)k) - 1);
            q->whole[k][i] = floor(z[i] + off[i]);
            y[2 * k + 2 + i] = z[i] + off[i] - q->whole[k][i];
        }
        *delta = fmax(*delta, hypot(off[0], off[1]));
    }
    return status;
}

static od_status shadow_claim(study *q)
{
    static const double weight[2] = {1, 1};
    double y[2 * (STEPS + 1)], start[2], delta;
    const od_map lifted = {.name = "torus",
                           .block_count = 1,
                           .block = {{"x", 2}},
                           .dim = 2,
                           .scratch = q->m->map.scratch,
                           .tau = 1,
                           .step = lifted_step,
                           .jvp = lifted_jvp,
                           .vjp = lifted_jvp, /* A is symmetric */
                           .data = q};
    const od_target target = {y, weight};
    od_chain chain = {0};
    od_shooting *shooting = NULL;
    od_minimax found = {.best = {.radius = NAN, .start = start}, .lower = NAN};
    od_status status = disturb(q, y, &delta);
    status = status == OD_OK ? od_chain_of_map(q->ctx, &lifted, STEPS, &chain) : status;
    chain.affine = true;
    status = status == OD_OK ? od_shooting_create(q->ctx, &chain, &target, &shooting) : status;
    status = status == OD_OK ? od_shadow_minimax(q->ctx, shooting, &found) : status;
    od_shooting_free(shooting);
    od_chain_clear(&chain);
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "cat-shadow", "Thm 2.4.2, App. B.2.1.1",
            "a pseudo-orbit of the map with local errors delta has an orbit within delta/(1 - lambda^-1), "
            "1.618 delta of the cat map (40 steps with errors of a thousandth; the nearest orbit)");
        c->error_integration = 1e-9;
        od_claims_bound(c, delta / (1 - q->low), found.best.radius, "this pseudo-orbit");
    }
    return status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    study q = {.ctx = ctx, .m = m, .list = list};
    bool fits = m->has_map && m->map.noise_dim == 0 && m->map.batch == 0 && m->map.dim == 2 &&
                m->problem->spectrum != NULL;
    if (fits) {
        q.ws = od_zalloc(od_scratch_size(&m->map.scratch, 1) + 1, sizeof *q.ws);
    }
    od_status status = fits && q.ws == NULL ? od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims") : OD_OK;
    status = status == OD_OK && fits ? look(&q, &fits) : status;
    if (status == OD_OK && !fits) {
        status = od_fail(
            ctx, OD_EUNSUPPORTED, NULL,
            "the iteration is no symmetric matrix of whole numbers that permutes the points of a torus, as "
            "Arnold's cat map is");
    }
    status = status == OD_OK ? eigenvalue_claim(&q) : status;
    status = status == OD_OK ? fixed_claim(&q) : status;
    status = status == OD_OK ? permutation_claim(&q) : status;
    status = status == OD_OK ? shadow_claim(&q) : status;
    free(q.ws);
    return status;
}

const od_claim_set od_claims_torus = {
    .name = "torus",
    .summary = "Arnold's cat map: eigenvalues, fixed points, fractions, shadows",
    .ids = (const char *const[]){"cat-eigenvalue", "cat-fixed-points", "cat-permutation", "cat-shadow", NULL},
    .standard = (const char *const[]){"{problem: {name: quadratic, matrix: [[-1, -1], [-1, 0]]}, method: {name: "
                                      "gradient, step: 1}, start: {x: [0.3, 0.7]}, iterations: 10}",
                                      NULL},
    .find = find,
};
