/*
 * The Morse index without any dense matrix, for dimensions in which none fits.
 *
 * On hat functions K is a tridiagonal matrix times the identity and M v takes Hessian products at Gauss points.
 * Lanczos' iteration counts the eigenvalues of U^{-1} M U^{-T} above 1, K = U U^T with the last node eliminated first,
 * so that a first node that is free in some directions comes last. Place by place they never exceed those of the second
 * variation itself (Courant, Fischer), but for the quadrature: on one mesh they are a lower bound, and two meshes tell
 * whether it has settled.
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

enum { POINTS = 3, MAX_STEPS = 400, CURVATURE_STEPS = 30, CURVATURE_TIMES = 17, HALVINGS = 3 };
static const double most_bytes = 4e9, tolerance = 1e-10;

typedef struct hats {
    od_trajectory *path;
    const od_mesh *mesh;
    const od_first_end *first;
    size_t d, last;         /* nodes 0 to last are not held, but node 0 is where no direction is free */
    double *diagonal, *off; /* [last + 1] of U: diagonal[i], and what stands right of it */
    double *weight;         /* [elements*POINTS*2] square root of e^b quadrature weight, times either hat */
    double *t;              /* [elements*POINTS] */
    double bend;            /* of the first node: what M loses there */
    double *v, *mv;         /* [(last + 1)*d] */
    double *u, *hu;         /* [d] */
} hats;

/* ------------------------------------------------------------------------------------------- the operator */

/* Unknowns: the coordinates of the first node in its free directions behind those of the others. */
static void expand(const hats *h, const double *in)
{
    const size_t d = h->d, free_count = h->first->free_count;
    const double *coordinate = in + h->last * d;
    memcpy(h->v + d, in, h->last * d * sizeof *in);
    memset(h->v, 0, d * sizeof *h->v);
    if (free_count == d) {
        memcpy(h->v, coordinate, d * sizeof *h->v);
    } else if (free_count > 0) {
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)free_count, (int)d, 1, h->first->free, (int)d, coordinate, 1, 0,
                    h->v, 1);
    }
}

static void contract(const hats *h, double *out)
{
    const size_t d = h->d, free_count = h->first->free_count;
    double *coordinate = out + h->last * d;
    memcpy(out, h->mv + d, h->last * d * sizeof *out);
    if (free_count == d) {
        memcpy(coordinate, h->mv, d * sizeof *coordinate);
    } else if (free_count > 0) {
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)free_count, (int)d, 1, h->first->free, (int)d, h->mv, 1, 0,
                    coordinate, 1);
    }
}

/* (U^T)^{-1} v in place. */
static void solve_lower(const hats *h)
{
    const int d = (int)h->d;
    for (size_t i = 0; i <= h->last; i++) {
        double *v = h->v + i * h->d;
        if (i > 0) {
            cblas_daxpy(d, -h->off[i - 1], v - d, 1, v, 1);
        }
        cblas_dscal(d, 1 / h->diagonal[i], v, 1);
    }
}

/* U^{-1} mv in place. */
static void solve_upper(const hats *h)
{
    const int d = (int)h->d;
    for (size_t i = h->last + 1; i-- > 0;) {
        double *v = h->mv + i * h->d;
        if (i < h->last) {
            cblas_daxpy(d, -h->off[i], v + d, 1, v, 1);
        }
        cblas_dscal(d, 1 / h->diagonal[i], v, 1);
    }
}

static od_status apply(void *user, const double *in, double *out)
{
    hats *h = user;
    const size_t d = h->d;
    expand(h, in);
    solve_lower(h);
    memset(h->mv, 0, (h->last + 1) * d * sizeof *h->mv);
    for (size_t p = 0; p < h->mesh->elements * POINTS; p++) {
        const size_t left = p / POINTS; /* node at the element's begin; the one at the last element's end is held */
        const double *w = h->weight + 2 * p;
        memset(h->u, 0, d * sizeof *h->u);
        cblas_daxpy((int)d, w[0], h->v + left * d, 1, h->u, 1);
        if (left < h->last) {
            cblas_daxpy((int)d, w[1], h->v + (left + 1) * d, 1, h->u, 1);
        }
        const od_status status = od_trajectory_products(h->path, h->t[p], 1, h->u, h->hu);
        if (status != OD_OK) {
            return status;
        }
        cblas_daxpy((int)d, w[0], h->hu, 1, h->mv + left * d, 1);
        if (left < h->last) {
            cblas_daxpy((int)d, w[1], h->hu, 1, h->mv + (left + 1) * d, 1);
        }
    }
    cblas_daxpy((int)d, -h->bend, h->v, 1, h->mv, 1);
    solve_upper(h);
    contract(h, out);
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- the mesh */

/* About the largest |curvature| along the path: it sets the mesh, not the answer. */
static od_status steepest(od_context *ctx, od_trajectory *path, double t1, double t2, double *largest)
{
    const size_t d = od_trajectory_member(path)->problem->dim;
    od_status status = OD_OK;
    *largest = 0;
    for (int i = 0; i < CURVATURE_TIMES && status == OD_OK; i++) {
        od_instant at = {path, i == CURVATURE_TIMES - 1 ? t2 : t1 + (t2 - t1) * i / (CURVATURE_TIMES - 1)};
        od_extremes e = {0};
        status = od_lanczos(ctx, d, od_trajectory_product, &at, CURVATURE_STEPS, 1e-2, false, &e);
        *largest = fmax(*largest, fmax(fabs(e.low), fabs(e.high)));
    }
    return status;
}

/* K without the held nodes, factorised from the last node on; k as od_form_open leaves it. */
static void factorise(const od_form *k, hats *h)
{
    for (size_t i = h->last + 1; i-- > 0;) {
        const double before = i > 0 ? k->k[(i - 1) * 4 + 3] : 0, after = k->k[i * 4];
        h->off[i] = i < h->last ? k->k[i * 4 + 1] / h->diagonal[i + 1] : 0;
        h->diagonal[i] = sqrt(before + after - h->off[i] * h->off[i]);
    }
}

/* Nodes are scaled by e^{-a/2}, the first one by that of its element's middle, as in od_form_open. */
static void weigh(const hats *h)
{
    const od_flow *flow = &od_trajectory_member(h->path)->flow;
    double at[POINTS], share[POINTS], unit[2], a[2], b[2], other[2];
    od_gauss(POINTS, at, share);
    for (size_t p = 0; p < h->mesh->elements * POINTS; p++) {
        const double *edge = h->mesh->edge + p / POINTS, half = (edge[1] - edge[0]) / 2;
        h->t[p] = edge[0] + half * (1 + at[p % POINTS]);
        flow->lagrangian(flow, h->t[p], a, b);
        for (int side = 0; side < 2; side++) {
            if (side == 1 && p / POINTS == h->last) {
                continue; /* the last node is held */
            }
            flow->lagrangian(flow, p < POINTS && side == 0 ? edge[0] + half : edge[side], unit, other);
            h->weight[2 * p + (size_t)side] = sqrt(share[p % POINTS] * half) * exp((b[0] - unit[0]) / 2) *
                                              (side == 0 ? 1 - at[p % POINTS] : 1 + at[p % POINTS]) / 2;
        }
    }
}

static od_status open_hats(od_context *ctx, od_trajectory *path, const od_mesh *mesh, const od_first_end *first,
                           hats *h)
{
    const od_flow *flow = &od_trajectory_member(path)->flow;
    const size_t d = od_trajectory_member(path)->problem->dim, points = mesh->elements * POINTS;
    const size_t nodes = mesh->elements;
    const double none = 0, *edge = mesh->edge;
    od_form k;
    *h = (hats){.path = path, .mesh = mesh, .first = first, .d = d, .last = nodes - 1};
    h->diagonal = od_zalloc(2 * nodes + 3 * points + 2 * nodes * d + 2 * d, sizeof *h->diagonal);
    if (h->diagonal == NULL) {
        return od_fail(ctx, OD_ENOMEM, "interval", "no memory for hat functions in %zu dimensions", d);
    }
    od_status status = od_form_open(ctx, path, mesh, &none, NULL, &k);
    if (status == OD_OK) {
        h->off = h->diagonal + nodes;
        h->weight = h->off + nodes;
        h->t = h->weight + 2 * points;
        h->v = h->t + points;
        h->mv = h->v + nodes * d;
        h->u = h->mv + nodes * d;
        h->hu = h->u + d;
        factorise(&k, h);
        weigh(h);
    }
    if (status == OD_OK && first->free_count > 0 && first->bend != 0) {
        double a[2], unit[2], b[2];
        flow->lagrangian(flow, edge[0], a, b);
        flow->lagrangian(flow, edge[0] + (edge[1] - edge[0]) / 2, unit, b);
        h->bend = first->bend * exp(a[0] - unit[0]);
    }
    od_form_close(&k);
    return status;
}

/* The count on one mesh; *settled: it is all of them there, but for the chance `miss`. */
static od_status count(od_context *ctx, od_trajectory *path, const od_mesh *mesh, const od_first_end *first,
                       od_morse *morse, bool *settled)
{
    const size_t d = od_trajectory_member(path)->problem->dim;
    const size_t unknowns = (mesh->elements - 1) * d + first->free_count;
    const size_t most = (size_t)(most_bytes / 8 / (double)unknowns);
    if (most < 4) {
        return od_fail(ctx, OD_EUNSUPPORTED, "problem",
                       "the second variation in %zu coupled dimensions has %zu unknowns, too many for Lanczos' "
                       "iteration in 4 GB; take a shorter interval",
                       d, unknowns);
    }
    hats h = {0};
    od_leading found = {0};
    const od_leading_wish wish = {
        .level = 1, .tolerance = tolerance, .steps = MAX_STEPS, .room = most < 2 * MAX_STEPS ? most : 2 * MAX_STEPS};
    od_status status = open_hats(ctx, path, mesh, first, &h);
    status = status == OD_OK ? od_lanczos_leading(ctx, unknowns, apply, &h, &wish, &found) : status;
    if (status == OD_OK) {
        const double over = found.count > 0 ? found.value[found.count - 1] - 1 : 1, under = 1 - found.next;
        *settled = found.complete;
        *morse = (od_morse){.index = found.above,
                            .nearest = over < under ? -over : fmin(under, 1),
                            .error = over < under ? found.error[found.count - 1] : found.next_error,
                            .lower_bound = true,
                            .miss = found.miss,
                            .nodes = mesh->elements + 1};
    }
    od_leading_free(&found);
    free(h.diagonal);
    return status;
}

od_status od_morse_matrix_free(od_context *ctx, od_trajectory *path, double t1, double t2, const od_first_end *first,
                               od_morse *morse)
{
    const od_first_end held = {0};
    const od_first_end *end = first != NULL ? first : &held;
    double largest;
    od_mesh mesh;
    od_morse before;
    bool settled = false, was_settled;
    *morse = (od_morse){.lower_bound = true, .nearest = NAN, .error = NAN};
    od_status status = steepest(ctx, path, t1, t2, &largest);
    status = status == OD_OK ? od_mesh_open(ctx, path, t1, t2, &largest, 4, &mesh) : status;
    if (status != OD_OK) {
        return status;
    }
    mesh.degree = 1;
    status = od_mesh_halve(ctx, &mesh);
    status = status == OD_OK ? count(ctx, path, &mesh, end, morse, &settled) : status;
    for (int halving = 0; halving < HALVINGS && status == OD_OK && morse->lower_bound; halving++) {
        before = *morse;
        was_settled = settled;
        status = od_mesh_halve(ctx, &mesh);
        status = status == OD_OK ? count(ctx, path, &mesh, end, morse, &settled) : status;
        if (status == OD_EUNSUPPORTED) { /* the coarser mesh has answered */
            *morse = before;
            status = OD_OK;
            break;
        }
        if (!settled) {
            break;
        }
        morse->error += fabs(morse->nearest - before.nearest);
        morse->lower_bound = !(was_settled && morse->index == before.index && 2 * morse->error < fabs(morse->nearest));
    }
    if (status == OD_OK && morse->lower_bound) {
        morse->nearest = morse->error = NAN;
        morse->miss = 0;
    }
    od_mesh_close(&mesh);
    return status;
}
