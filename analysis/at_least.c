/*
 * A lower bound of the Morse index without any dense matrix, for dimensions in which none fits.
 *
 * On hat functions K is a tridiagonal matrix times the identity and M v takes Hessian products at Gauss points. The
 * Ritz values of L^{-1} M L^{-T} with K = L L^T never exceed its eigenvalues, place by place, and these never exceed
 * those of the second variation itself (Courant, Fischer): how many lie above 1 is at most the index, but for the
 * quadrature.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "morse.h"

#include "../src/lanczos.h"
#include "../src/memory.h"
#include "gauss.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 3, MAX_STEPS = 400, CURVATURE_STEPS = 30, CURVATURE_TIMES = 17 };
static const double most_bytes = 4e9;

typedef struct hats {
    od_trajectory *path;
    const od_mesh *mesh;
    size_t d, inner;        /* inner: nodes between the ends */
    double *diagonal, *off; /* [inner] of L */
    double *weight;         /* [elements*POINTS*2] square root of e^b quadrature weight, times either hat */
    double *t;              /* [elements*POINTS] */
    double *v, *u, *hu;     /* [inner*d], [d], [d] */
} hats;

/* ------------------------------------------------------------------------------------------- the operator */

/* (L^T)^{-1} v in place. */
static void solve_upper(const hats *h, double *v)
{
    const int d = (int)h->d;
    for (size_t i = h->inner; i-- > 0;) {
        if (i + 1 < h->inner) {
            cblas_daxpy(d, -h->off[i], v + (i + 1) * h->d, 1, v + i * h->d, 1);
        }
        cblas_dscal(d, 1 / h->diagonal[i], v + i * h->d, 1);
    }
}

/* L^{-1} v in place. */
static void solve_lower(const hats *h, double *v)
{
    const int d = (int)h->d;
    for (size_t i = 0; i < h->inner; i++) {
        if (i > 0) {
            cblas_daxpy(d, -h->off[i - 1], v + (i - 1) * h->d, 1, v + i * h->d, 1);
        }
        cblas_dscal(d, 1 / h->diagonal[i], v + i * h->d, 1);
    }
}

static od_status apply(void *user, const double *in, double *out)
{
    hats *h = user;
    const size_t d = h->d;
    memcpy(h->v, in, h->inner * d * sizeof *in);
    solve_upper(h, h->v);
    memset(out, 0, h->inner * d * sizeof *out);
    for (size_t p = 0; p < h->mesh->elements * POINTS; p++) {
        const size_t right = p / POINTS; /* inner node at the element's end; the one before it is at its begin */
        const double *w = h->weight + 2 * p;
        memset(h->u, 0, d * sizeof *h->u);
        if (right > 0) {
            cblas_daxpy((int)d, w[0], h->v + (right - 1) * d, 1, h->u, 1);
        }
        if (right < h->inner) {
            cblas_daxpy((int)d, w[1], h->v + right * d, 1, h->u, 1);
        }
        const od_status status = od_trajectory_products(h->path, h->t[p], 1, h->u, h->hu);
        if (status != OD_OK) {
            return status;
        }
        if (right > 0) {
            cblas_daxpy((int)d, w[0], h->hu, 1, out + (right - 1) * d, 1);
        }
        if (right < h->inner) {
            cblas_daxpy((int)d, w[1], h->hu, 1, out + right * d, 1);
        }
    }
    solve_lower(h, out);
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- the mesh */

typedef struct moment {
    od_trajectory *path;
    double t;
} moment;

static od_status products(void *user, const double *v, double *av)
{
    const moment *at = user;
    return od_trajectory_products(at->path, at->t, 1, v, av);
}

/* About the largest |curvature| along the path: it sets the mesh, not the answer. */
static od_status steepest(od_context *ctx, od_trajectory *path, double t1, double t2, double *largest)
{
    const size_t d = od_trajectory_member(path)->problem->dim;
    od_status status = OD_OK;
    *largest = 0;
    for (int i = 0; i < CURVATURE_TIMES && status == OD_OK; i++) {
        moment at = {path, i == CURVATURE_TIMES - 1 ? t2 : t1 + (t2 - t1) * i / (CURVATURE_TIMES - 1)};
        od_extremes e = {0};
        status = od_lanczos(ctx, d, products, &at, CURVATURE_STEPS, 1e-2, false, &e);
        *largest = fmax(*largest, fmax(fabs(e.low), fabs(e.high)));
    }
    return status;
}

static od_status open_hats(od_context *ctx, od_trajectory *path, const od_mesh *mesh, hats *h)
{
    const od_flow *flow = &od_trajectory_member(path)->flow;
    const size_t d = od_trajectory_member(path)->problem->dim, points = mesh->elements * POINTS;
    const double none = 0;
    double at[POINTS], share[POINTS], unit[2], a[2], b[2];
    od_form k;
    *h = (hats){.path = path, .mesh = mesh, .d = d, .inner = mesh->elements - 1};
    h->diagonal = od_zalloc(2 * h->inner + 3 * points + h->inner * d + 2 * d, sizeof *h->diagonal);
    od_status status = od_form_open(ctx, path, mesh, &none, NULL, &k);
    if (status == OD_OK && h->diagonal == NULL) {
        status = od_fail(ctx, OD_ENOMEM, "interval", "no memory for hat functions in %zu dimensions", d);
    }
    if (status == OD_OK) {
        h->off = h->diagonal + h->inner;
        h->weight = h->off + h->inner;
        h->t = h->weight + 2 * points;
        h->v = h->t + points;
        h->u = h->v + h->inner * d;
        h->hu = h->u + d;
        for (size_t i = 0; i < h->inner; i++) {
            const double before = i > 0 ? h->off[i - 1] * h->off[i - 1] : 0;
            h->diagonal[i] = sqrt(k.k[i * 4 + 3] + k.k[(i + 1) * 4] - before);
            h->off[i] = k.k[(i + 1) * 4 + 1] / h->diagonal[i];
        }
        od_gauss(POINTS, at, share);
        for (size_t p = 0; p < points; p++) {
            const double *edge = mesh->edge + p / POINTS, half = (edge[1] - edge[0]) / 2;
            h->t[p] = edge[0] + half * (1 + at[p % POINTS]);
            flow->lagrangian(flow, h->t[p], a, b);
            for (int side = 0; side < 2; side++) {
                /* nodes are scaled by e^{-a/2}; the first and the last one are held */
                const bool held = side == 0 ? p < POINTS : p / POINTS == h->inner;
                double other[2];
                if (!held) {
                    flow->lagrangian(flow, edge[side], unit, other);
                    h->weight[2 * p + (size_t)side] = sqrt(share[p % POINTS] * half) * exp((b[0] - unit[0]) / 2) *
                                                      (side == 0 ? 1 - at[p % POINTS] : 1 + at[p % POINTS]) / 2;
                }
            }
        }
    }
    od_form_close(&k);
    return status;
}

od_status od_morse_at_least(od_context *ctx, od_trajectory *path, double t1, double t2, od_morse *morse)
{
    const size_t d = od_trajectory_member(path)->problem->dim;
    double largest;
    od_mesh mesh;
    *morse = (od_morse){.lower_bound = true, .nearest = NAN, .error = NAN};
    od_status status = steepest(ctx, path, t1, t2, &largest);
    status = status == OD_OK ? od_mesh_open(ctx, path, t1, t2, &largest, 4, &mesh) : status;
    if (status != OD_OK) {
        return status;
    }
    mesh.degree = 1;
    status = od_mesh_halve(ctx, &mesh);
    status = status == OD_OK ? od_mesh_halve(ctx, &mesh) : status;
    hats h = {0};
    const size_t unknowns = (mesh.elements - 1) * d, most = (size_t)(most_bytes / 8 / (double)unknowns);
    if (status == OD_OK && most < 4) {
        status = od_fail(ctx, OD_EUNSUPPORTED, "problem",
                         "the second variation in %zu coupled dimensions has %zu unknowns, too many for Lanczos' "
                         "iteration in 4 GB; take a shorter interval",
                         d, unknowns);
    }
    status = status == OD_OK ? open_hats(ctx, path, &mesh, &h) : status;
    status = status == OD_OK
                 ? od_lanczos_above(ctx, unknowns, apply, &h, most < MAX_STEPS ? most : MAX_STEPS, 1, &morse->index)
                 : status;
    morse->nodes = mesh.elements + 1;
    free(h.diagonal);
    od_mesh_close(&mesh);
    return status;
}
