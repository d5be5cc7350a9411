/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "law.h"

#include "../src/clones.h"
#include "../src/memory.h"
#include "../src/square.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct law_data {
    od_law law;
    od_sigma sigma;
    const od_problem *f;
    double table[]; /* the law's, if it has one */
} law_data;

static const double *own(const law_data *a)
{
    return a->law.table != NULL ? a->law.table : a->law.p;
}

static double force(const law_data *a, double t)
{
    return a->law.force != NULL ? a->law.force(own(a), t) : 1;
}

/* out = beta v + c out, v NULL for c out alone. */
OD_CLONES static void blend(size_t size, double c, double beta, const double *restrict v, double *restrict out)
{
    if (v == NULL) {
        for (size_t i = 0; i < size; i++) {
            out[i] *= c;
        }
    } else {
        for (size_t i = 0; i < size; i++) {
            out[i] = beta * v[i] + c * out[i];
        }
    }
}

/* out = beta v + c g(x), v NULL for c g(x) alone. */
static od_status pull(const law_data *a, double c, double beta, size_t n, const double *x, const double *v, double *out,
                      double *ws)
{
    if (a->f->force != NULL) {
        return a->f->force(a->f, c, beta, n, x, v, out, ws);
    }
    od_status status = a->f->eval(a->f, OD_GRADIENT, n, x, NULL, out, ws);
    blend(a->f->dim * n, c, beta, v, out);
    return status;
}

static od_status first_order_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    const law_data *a = flow->data;
    const size_t size = flow->dim * n;
    const double c = -force(a, t);
    if (a->law.modified == 0) {
        return pull(a, c, 0, n, z, NULL, dz, ws);
    }
    od_status status = a->f->eval(a->f, OD_GRADIENT, n, z, NULL, dz, ws);
    double *hg = ws;
    const double half = a->law.modified / 2;
    if (status == OD_OK) {
        status = a->f->hvp(a->f, n, z, 1, dz, hg, ws + size);
    }
    for (size_t i = 0; i < size; i++) {
        dz[i] = c * (dz[i] + half * hg[i]);
    }
    return status;
}

static od_status first_order_jvp(const od_flow *flow, double t, size_t n, const double *z, size_t m, const double *u,
                                 double *ju, double *ws)
{
    const law_data *a = flow->data;
    od_status status = a->f->hvp(a->f, n, z, m, u, ju, ws);
    const double c = -force(a, t);
    for (size_t i = 0; i < m * flow->dim * n; i++) {
        ju[i] *= c;
    }
    return status;
}

/* v'(0) of the bounded solution; see od_law_start. */
static od_status singular_drift(const law_data *a, size_t n, const double *z, double *dz, double *ws)
{
    const size_t size = a->f->dim * n;
    double *g = ws, *rest = ws + size;
    if (a->law.start == OD_START_REFUSED || (a->law.start == OD_START_MEMORY && a->f->hvp == NULL)) {
        return OD_EUNSUPPORTED;
    }
    od_status status = a->f->eval(a->f, OD_GRADIENT, n, z, NULL, g, rest);
    if (status == OD_OK && a->law.start == OD_START_MEMORY) {
        status = a->f->hvp(a->f, n, z, 1, g, dz + size, rest);
        const double c = a->law.c * a->law.c * a->law.q / (1 + a->law.q);
        for (size_t i = 0; i < size; i++) {
            dz[size + i] *= c;
        }
        return status;
    }
    const double c = -force(a, 0) / (1 + a->law.q);
    for (size_t i = 0; i < size; i++) {
        dz[size + i] = c * g[i];
    }
    return status;
}

static od_status second_order_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    const law_data *a = flow->data;
    const size_t size = a->f->dim * n;
    const double *v = z + size;
    memcpy(dz, v, size * sizeof *dz);
    if (t == 0 && a->law.start != OD_START_REGULAR) {
        return singular_drift(a, n, z, dz, ws);
    }
    return pull(a, -force(a, t), -a->law.damping(own(a), t), n, z, v, dz + size, ws);
}

static od_status second_order_jvp(const od_flow *flow, double t, size_t n, const double *z, size_t m, const double *u,
                                  double *ju, double *ws)
{
    const law_data *a = flow->data;
    const size_t size = a->f->dim * n;
    const bool limit = t == 0 && a->law.start != OD_START_REGULAR;
    if (limit && a->law.start != OD_START_AT_REST) {
        return OD_EUNSUPPORTED; /* memory: the limit of the drift holds g's Hessian, its Jacobian third derivatives */
    }
    const double damping = limit ? 0 : a->law.damping(own(a), t);
    const double c = limit ? force(a, 0) / (1 + a->law.q) : force(a, t);
    for (size_t j = 0; j < m; j++) {
        const double *ux = u + j * 2 * size, *uv = ux + size;
        double *jx = ju + j * 2 * size, *jv = jx + size;
        od_status status = a->f->hvp(a->f, n, z, 1, ux, jv, ws);
        if (status != OD_OK) {
            return status;
        }
        memcpy(jx, uv, size * sizeof *jx);
        for (size_t i = 0; i < size; i++) {
            jv[i] = -damping * uv[i] - c * jv[i];
        }
    }
    return OD_OK;
}

static od_status law_noise(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                           double *ws)
{
    const law_data *a = flow->data;
    return od_sigma_apply(&a->sigma, -force(a, t), n, z, dw, out, ws);
}

static od_status law_rest(const od_flow *flow, double t0, size_t n, double *z, double *ws)
{
    const law_data *a = flow->data;
    const size_t size = a->f->dim * n;
    double *v = z + size;
    if (t0 != 0 || a->law.start != OD_START_MEMORY) {
        memset(v, 0, size * sizeof *v);
        return OD_OK;
    }
    od_status status = a->f->eval(a->f, OD_GRADIENT, n, z, NULL, v, ws);
    for (size_t i = 0; i < size; i++) {
        v[i] *= -a->law.c;
    }
    return status;
}

static void law_lagrangian(const od_flow *flow, double t, double a[2], double b[2])
{
    const law_data *data = flow->data;
    data->law.lagrangian(own(data), t, a, b);
}

/* Rotates blocks into the eigenbasis, applies the scalar propagators, rotates back. */
static od_status law_exact(const od_flow *flow, double t0, size_t n, const double *z0, double t, double *z, double *ws)
{
    const law_data *a = flow->data;
    const od_spectrum *spectrum = a->f->spectrum;
    const size_t d = a->f->dim, size = d * n;
    const size_t blocks = (size_t)a->law.order;
    double *centred = ws, *y = ws + 2 * size;
    for (size_t i = 0; i < d; i++) {
        for (size_t p = 0; p < n; p++) {
            centred[i * n + p] = z0[i * n + p] - spectrum->centre[i];
        }
    }
    memcpy(centred + size, z0 + (blocks - 1) * size, size * sizeof *centred);
    for (size_t b = 0; b < blocks; b++) {
        if (spectrum->rotation != NULL) {
            od_square_times(spectrum->rotation, true, d, n, centred + b * size, y + b * size);
        } else {
            memcpy(y + b * size, centred + b * size, size * sizeof *y);
        }
    }
    for (size_t i = 0; i < d; i++) {
        double phi[4] = {1, 0, 0, 1};
        if (!a->law.propagator(own(a), spectrum->eigenvalues[i], t0, t, phi)) {
            return OD_ENUMERIC;
        }
        for (size_t p = 0; p < n; p++) {
            const double yp = y[i * n + p];
            if (blocks == 1) {
                y[i * n + p] = phi[0] * yp;
                continue;
            }
            const double wp = y[size + i * n + p];
            y[i * n + p] = phi[0] * yp + phi[1] * wp;
            y[size + i * n + p] = phi[2] * yp + phi[3] * wp;
        }
    }
    for (size_t b = 0; b < blocks; b++) {
        if (spectrum->rotation != NULL) {
            od_square_times(spectrum->rotation, false, d, n, y + b * size, z + b * size);
        } else {
            memcpy(z + b * size, y + b * size, size * sizeof *z);
        }
    }
    for (size_t i = 0; i < d; i++) {
        for (size_t p = 0; p < n; p++) {
            z[i * n + p] += spectrum->centre[i];
        }
    }
    return OD_OK;
}

od_status od_law_flow(od_context *ctx, const od_settings *s, const od_problem *f, const od_law *law, double tau,
                      od_flow *flow)
{
    od_sigma sigma;
    od_status status = od_sigma_read(ctx, s, f, tau, &sigma);
    if (status != OD_OK) {
        return status;
    }
    law_data *a = od_zalloc(1, sizeof *a + law->table_size * sizeof *law->table);
    if (a == NULL) {
        return od_fail(ctx, OD_ENOMEM, "method", "no memory for the flow");
    }
    a->law = *law;
    a->sigma = sigma;
    a->f = f;
    if (law->table != NULL) {
        memcpy(a->table, law->table, law->table_size * sizeof *law->table);
        a->law.table = a->table;
    }
    const bool second = law->order == 2;
    flow->block_count = second ? 2 : 1;
    flow->block[0] = (od_block){"x", f->dim};
    flow->block[1] = (od_block){"v", f->dim};
    flow->dim = flow->block_count * f->dim;
    flow->scratch = (od_scratch){f->scratch.fixed, f->scratch.per_point + 4 * f->dim};
    flow->drift = second ? second_order_drift : first_order_drift;
    /* the Jacobian of the modified flow would need third derivatives */
    flow->jvp = f->hvp == NULL || law->modified != 0 ? NULL : second ? second_order_jvp : first_order_jvp;
    flow->second_order = second;
    if (sigma.kind != OD_SIGMA_NONE) {
        const bool of_state = sigma.kind == OD_SIGMA_COVARIANCE;
        flow->noise.shape = of_state ? OD_NOISE_FULL : OD_NOISE_ADDITIVE;
        flow->noise.dim = sigma.dim;
        flow->noise.block = second ? 1 : 0;
        flow->noise.own_block = of_state && !second;
        flow->noise.commutes = !flow->noise.own_block;
        flow->noise.apply = law_noise;
    }
    if (law->propagator == NULL) {
        flow->exact_missing = law->no_propagator;
    } else if (f->spectrum == NULL) {
        flow->exact_missing = "closed forms are known for quadratic losses only";
    } else {
        flow->exact = law_exact;
    }
    flow->singular = law->start != OD_START_REGULAR;
    if (law->start == OD_START_REFUSED) {
        flow->start_refused =
            "its coefficients have no limit at t = 0; only integrator: exact starts there, others need a start.t > 0";
    }
    if (law->start == OD_START_MEMORY && f->hvp == NULL) {
        flow->start_refused = "the drift at t = 0 needs Hessian-vector products, which the problem does not offer; "
                              "give a start.t > 0";
    }
    flow->singular_noise = law->start == OD_START_MEMORY || law->start == OD_START_REFUSED;
    flow->graded = law->graded;
    flow->rest = second ? law_rest : NULL;
    flow->lagrangian = law->lagrangian != NULL ? law_lagrangian : NULL;
    flow->problem = f;
    flow->data = a;
    flow->free = free;
    return OD_OK;
}
