/* Chains of maps, and what both kinds share. SPDX-License-Identifier: GPL-3.0-or-later */
#include "chain.h"

#include "../src/finite.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct map_chain {
    const od_map *map;
    double ws[];
} map_chain;

static od_status finite(size_t n, const double *z)
{
    return od_all_finite(z, n) ? OD_OK : OD_EDIVERGED;
}

static od_status map_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    map_chain *a = chain->data;
    double tau;
    memmove(next, z, chain->dim * sizeof *next);
    od_status status = a->map->step(a->map, k, 1, next, NULL, NULL, &tau, a->ws);
    return status == OD_OK ? finite(chain->dim, next) : status;
}

static od_status map_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    map_chain *a = chain->data;
    od_status status = a->map->jvp(a->map, k, 1, z, m, u, ju, a->ws);
    return status == OD_OK ? finite(m * chain->dim, ju) : status;
}

static od_status map_vjp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    map_chain *a = chain->data;
    od_status status = a->map->vjp(a->map, k, 1, z, m, u, ju, a->ws);
    return status == OD_OK ? finite(m * chain->dim, ju) : status;
}

od_status od_chain_of_map(od_context *ctx, const od_map *map, uint64_t steps, od_chain *chain)
{
    *chain = (od_chain){0};
    if (map->noise_dim > 0 || map->batch > 0) {
        return od_fail(ctx, OD_EUNSUPPORTED, map->batch > 0 ? "method.batch" : "method.noise",
                       "an orbit of the iteration is one that a start decides; remove method.%s",
                       map->batch > 0 ? "batch" : "noise");
    }
    if (isnan(map->tau)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method.name",
                       "the time that an iteration of '%s' stands for is not one number, so the flow cannot be sampled "
                       "at its times; take a method whose step is constant",
                       map->name);
    }
    map_chain *a = od_zalloc(1, sizeof *a + od_scratch_size(&map->scratch, 1) * sizeof *a->ws);
    if (a == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the iteration");
    }
    a->map = map;
    *chain = (od_chain){.what = "iteration",
                        .dim = map->dim,
                        .steps = steps,
                        .step = map_step,
                        .jvp = map->jvp != NULL ? map_jvp : NULL,
                        .vjp = map->vjp != NULL ? map_vjp : NULL,
                        .data = a,
                        .free = free};
    od_status status = od_chain_probe(ctx, chain, map->problem, 1e-12);
    if (status != OD_OK) {
        od_chain_clear(chain);
    }
    return status;
}

od_status od_chain_fail(od_context *ctx, const od_chain *chain, od_status status, uint64_t k)
{
    return status == OD_EINTERRUPTED
               ? status
               : od_fail(ctx, status, NULL, "the %s or its derivative cannot be evaluated at step %llu", chain->what,
                         (unsigned long long)k);
}

void od_chain_clear(od_chain *chain)
{
    if (chain->free != NULL) {
        chain->free(chain->data);
    }
    *chain = (od_chain){0};
}

/* |Psi(a + b) - Psi(a) - Psi(b) + Psi(0)| over the size of what it is made of; room[5*dim]. */
static od_status superpose(od_chain *chain, uint64_t k, double *room, double *off)
{
    const size_t dim = chain->dim;
    double *point = room, *image = room + dim, size = 0, sum = 0;
    od_status status = OD_OK;
    for (unsigned which = 0; which < 4 && status == OD_OK; which++) {
        for (size_t i = 0; i < dim; i++) {
            point[i] = 0;
            for (unsigned term = 0; term < 2; term++) {
                point[i] += (which >> term & 1) != 0 ? od_normal(1, OD_STREAM_CHECK, term, i, k) : 0;
            }
        }
        status = chain->step(chain, k, point, image + which * dim);
    }
    for (size_t i = 0; i < dim && status == OD_OK; i++) {
        double *at = image + i;
        const double defect = at[3 * dim] - at[2 * dim] - at[dim] + at[0];
        sum += defect * defect;
        size += at[3 * dim] * at[3 * dim] + at[dim] * at[dim] + at[0] * at[0];
    }
    *off = size == 0 ? 0 : sqrt(sum / size); /* states that are not numbers are no sum of others */
    return status;
}

od_status od_chain_probe(od_context *ctx, od_chain *chain, const od_problem *problem, double tolerance)
{
    chain->affine = false;
    if (problem == NULL || (problem->spectrum == NULL && problem->lipschitz.value != 0)) {
        return OD_OK;
    }
    double *room = od_zalloc(5 * chain->dim, sizeof *room);
    if (room == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for states of %zu components", chain->dim);
    }
    double first = INFINITY, last = INFINITY;
    od_status status = superpose(chain, 0, room, &first);
    status = status == OD_OK ? superpose(chain, chain->steps - 1, room, &last) : status;
    chain->affine = status == OD_OK && first <= tolerance && last <= tolerance;
    free(room);
    return status != OD_EUSER ? OD_OK : od_fail(ctx, status, "problem", "the loss could not be evaluated");
}
