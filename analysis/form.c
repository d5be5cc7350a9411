/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "form.h"

#include "../src/memory.h"
#include "gauss.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double most_bytes = 4e9;
enum { MAX_DEGREE = 8, MAX_POINTS = MAX_DEGREE + 4, MAX_ELEMENTS = 1 << 22 };

/* ------------------------------------------------------------------------------------------- mesh */

/* Degree, and the phase that an element may hold so that the first mesh is nearly right. */
static size_t degree_for(size_t d, double *phase)
{
    *phase = d <= 16 ? 1.5 : d <= 64 ? 0.7 : 0.2;
    return d <= 16 ? 8 : d <= 64 ? 4 : 1;
}

static void weights_at(const od_trajectory *path, double t, double a[2], double b[2])
{
    const od_flow *flow = &od_trajectory_member(path)->flow;
    flow->lagrangian(flow, t, a, b);
}

/* Square root of a bound of the largest |curvature| times force at t; `h` has room for the Hessian. */
static od_status frequency(od_trajectory *path, double t, const double *curvature, double *h, double *omega)
{
    const size_t d = od_trajectory_member(path)->problem->dim;
    double a[2], b[2], largest = 0;
    od_status status = OD_OK;
    if (curvature != NULL) {
        largest = fabs(*curvature);
    } else {
        status = od_trajectory_hessian(path, t, h);
        for (size_t i = 0; i < d && status == OD_OK; i++) {
            double row = 0;
            for (size_t j = 0; j < d; j++) {
                row += fabs(h[i * d + j]);
            }
            largest = fmax(largest, row);
        }
    }
    weights_at(path, t, a, b);
    *omega = sqrt(largest * exp(b[0] - a[0]));
    return status;
}

/* Whether an element is too long: too much phase, or too much change of the weights while that can be helped. */
static od_status too_long(od_trajectory *path, double t, double end, const double *curvature, double phase,
                          bool damping_too, double *h, bool *cut)
{
    const double length = end - t;
    double a[2], b[2];
    *cut = false;
    for (int i = 1; i < 4 && !*cut; i++) {
        double omega;
        od_status status = frequency(path, t + length * i / 4, curvature, h, &omega);
        if (status != OD_OK) {
            return status;
        }
        weights_at(path, t + length * i / 4, a, b);
        const double change = fmax(fabs(a[1]), fabs(b[1])) * length;
        *cut = omega * length > phase || (damping_too && change > 2 * phase);
    }
    return OD_OK;
}

od_status od_mesh_open(od_context *ctx, od_trajectory *path, double t1, double t2, const double *curvature,
                       size_t elements, od_mesh *mesh)
{
    enum { MAX_DAMPING_CUTS = 12 };
    const size_t d = curvature != NULL ? 1 : od_trajectory_member(path)->problem->dim;
    double phase;
    *mesh = (od_mesh){.elements = elements, .degree = degree_for(d, &phase)};
    mesh->edge = od_zalloc(elements + 1, sizeof *mesh->edge);
    double *h = od_zalloc(d * d, sizeof *h);
    od_status status = mesh->edge != NULL && h != NULL ? OD_OK : OD_ENOMEM;
    for (size_t i = 0; i <= elements && status == OD_OK; i++) {
        mesh->edge[i] = i == elements ? t2 : t1 + (t2 - t1) * (double)i / (double)elements;
    }
    for (int pass = 0; pass < 60 && status == OD_OK; pass++) {
        double *finer = od_zalloc(2 * mesh->elements + 1, sizeof *finer);
        size_t count = 0;
        status = finer != NULL ? OD_OK : OD_ENOMEM;
        for (size_t i = 0; i < mesh->elements && status == OD_OK; i++) {
            bool cut;
            status = too_long(path, mesh->edge[i], mesh->edge[i + 1], curvature, phase, pass < MAX_DAMPING_CUTS, h,
                              &cut);
            finer[count++] = mesh->edge[i];
            if (cut) {
                finer[count++] = (mesh->edge[i] + mesh->edge[i + 1]) / 2;
            }
        }
        if (status != OD_OK || count == mesh->elements || count > MAX_ELEMENTS) {
            status = status == OD_OK && count > MAX_ELEMENTS ? OD_EUNSUPPORTED : status;
            free(finer);
            break;
        }
        finer[count] = t2;
        free(mesh->edge);
        mesh->edge = finer;
        mesh->elements = count;
    }
    free(h);
    if (status != OD_OK) {
        od_mesh_close(mesh);
        return od_fail(ctx, status, "interval",
                       status == OD_ENOMEM         ? "no memory for the mesh"
                       : status == OD_EUNSUPPORTED ? "the curvature along the path needs more than 4 million elements; "
                                                     "take a shorter interval"
                                                   : "the Hessian along the path could not be evaluated");
    }
    return OD_OK;
}

od_status od_mesh_halve(od_context *ctx, od_mesh *mesh)
{
    double *finer = mesh->elements < MAX_ELEMENTS ? od_zalloc(2 * mesh->elements + 1, sizeof *finer) : NULL;
    if (finer == NULL) {
        return od_fail(ctx, OD_ENOMEM, "interval", "no memory for %zu elements", 2 * mesh->elements);
    }
    for (size_t i = 0; i < mesh->elements; i++) {
        finer[2 * i] = mesh->edge[i];
        finer[2 * i + 1] = (mesh->edge[i] + mesh->edge[i + 1]) / 2;
    }
    finer[2 * mesh->elements] = mesh->edge[mesh->elements];
    free(mesh->edge);
    mesh->edge = finer;
    mesh->elements *= 2;
    return OD_OK;
}

void od_mesh_close(od_mesh *mesh)
{
    free(mesh->edge);
    mesh->edge = NULL;
}

/* ------------------------------------------------------------------------------------------- assembly */

/* Hats and integrated Legendre polynomials (P_k - P_{k-2})/sqrt(2 (2k - 1)) at s in [-1, 1], with slopes. */
static void functions_at(size_t p, double s, double phi[MAX_DEGREE + 1], double slope[MAX_DEGREE + 1])
{
    double legendre[MAX_DEGREE + 1] = {1, s};
    phi[0] = (1 - s) / 2;
    slope[0] = -0.5;
    phi[p] = (1 + s) / 2;
    slope[p] = 0.5;
    for (size_t k = 2; k <= p; k++) {
        legendre[k] = ((2 * (double)k - 1) * s * legendre[k - 1] - ((double)k - 1) * legendre[k - 2]) / (double)k;
        phi[k - 1] = (legendre[k] - legendre[k - 2]) / sqrt(2 * (2 * (double)k - 1));
        slope[k - 1] = sqrt((2 * (double)k - 1) / 2) * legendre[k - 1];
    }
}

typedef struct rule {
    size_t points;
    double weight[MAX_POINTS], at[MAX_POINTS];
    double phi[MAX_POINTS][MAX_DEGREE + 1], slope[MAX_POINTS][MAX_DEGREE + 1];
} rule;

static void make_rule(size_t p, rule *r)
{
    r->points = p == 1 ? 3 : p + 4;
    od_gauss(r->points, r->at, r->weight);
    for (size_t q = 0; q < r->points; q++) {
        functions_at(p, r->at[q], r->phi[q], r->slope[q]);
    }
}

static od_status assemble(od_trajectory *path, const od_form *form, size_t e, const rule *r, const double *curvature,
                          double *hessian)
{
    const size_t d = form->d, p = form->mesh->degree, n = p + 1, size = n * d;
    const double begin = form->mesh->edge[e], end = form->mesh->edge[e + 1], half = (end - begin) / 2;
    const double middle = begin + half;
    double a[2], b[2], left[2], right[2], scale[MAX_DEGREE + 1];
    double *k = form->k + e * n * n, *m = form->m + e * size * size;
    weights_at(path, middle, a, b);
    const double unit = a[0];
    weights_at(path, end, right, b);
    left[0] = unit; /* the first node has no neighbour before it whose scale it must share, and e^a may vanish there */
    if (e > 0) {
        weights_at(path, begin, left, b);
    }
    for (size_t i = 0; i < n; i++) {
        scale[i] = i == 0 ? exp((unit - left[0]) / 2) : i == p ? exp((unit - right[0]) / 2) : 1;
    }
    for (size_t q = 0; q < r->points; q++) {
        const double t = middle + half * r->at[q];
        weights_at(path, t, a, b);
        const double kinetic = r->weight[q] / half * exp(a[0] - unit);
        const double potential = r->weight[q] * half * exp(b[0] - unit);
        if (curvature != NULL) {
            hessian[0] = *curvature;
        } else {
            od_status status = od_trajectory_hessian(path, t, hessian);
            if (status != OD_OK) {
                return status;
            }
        }
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                k[i * n + j] += kinetic * scale[i] * scale[j] * r->slope[q][i] * r->slope[q][j];
                const double c = potential * scale[i] * scale[j] * r->phi[q][i] * r->phi[q][j];
                for (size_t row = 0; row < d; row++) {
                    double *out = m + (i * d + row) * size + j * d;
                    for (size_t col = 0; col < d; col++) {
                        out[col] += c * hessian[row * d + col];
                    }
                }
            }
        }
    }
    return OD_OK;
}

/* The free directions and an orthonormal basis of what they leave, which comes first. */
static od_status choose_basis(od_context *ctx, const od_first_end *first, od_form *form)
{
    const size_t d = form->d, count = first->free_count;
    double *q = form->a, *tau = form->schur; /* not in use yet */
    form->basis = od_zalloc(d * d, sizeof *form->basis);
    if (form->basis == NULL) {
        return od_fail(ctx, OD_ENOMEM, "interval", "no memory for the free directions");
    }
    memcpy(q, first->free, count * d * sizeof *q);
    const bool done = LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, (int)d, (int)count, q, (int)d, tau, form->work,
                                          form->work_size) == 0 &&
                      LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, (int)d, (int)d, (int)count, q, (int)d, tau, form->work,
                                          form->work_size) == 0;
    memcpy(form->basis, q + count * d, form->held * d * sizeof *q);
    memcpy(form->basis + form->held * d, q, count * d * sizeof *q);
    return done ? OD_OK : od_fail(ctx, OD_ENUMERIC, NULL, "the free directions could not be completed to a basis");
}

static void bend_first_node(const od_trajectory *path, const od_form *form, double bend)
{
    const size_t size = (form->mesh->degree + 1) * form->d;
    const double *edge = form->mesh->edge;
    double a[2], b[2], unit[2];
    weights_at(path, edge[0], a, b);
    weights_at(path, edge[0] + (edge[1] - edge[0]) / 2, unit, b);
    for (size_t i = 0; i < form->d; i++) {
        form->m[i * size + i] -= bend * exp(a[0] - unit[0]);
    }
}

od_status od_form_open(od_context *ctx, od_trajectory *path, const od_mesh *mesh, const double *curvature,
                       const od_first_end *first, od_form *form)
{
    const size_t d = curvature != NULL ? 1 : od_trajectory_member(path)->problem->dim;
    const size_t n = mesh->degree + 1, size = n * d, elements = mesh->elements;
    const size_t free_count = first != NULL ? first->free_count : 0;
    *form = (od_form){.mesh = mesh, .d = d, .held = d - free_count, .work_size = (int)(32 * size)};
    const double bytes = 8.0 * (double)elements * (double)size * (double)size;
    if (bytes > most_bytes) {
        return od_fail(
            ctx, OD_EUNSUPPORTED, "problem",
            "the second variation in %zu coupled dimensions takes %.3g GB on %zu elements, more than 4; take a "
            "shorter interval or fewer dimensions",
            d, bytes / 1e9, elements);
    }
    rule r;
    make_rule(mesh->degree, &r);
    form->k = od_zalloc(elements * n * n, sizeof *form->k);
    form->m = od_zalloc(elements, size * size * sizeof *form->m);
    form->a = od_zalloc(size * size, sizeof *form->a);
    form->right = od_zalloc(size * d, sizeof *form->right);
    form->schur = od_zalloc(d * d, sizeof *form->schur);
    form->work = od_zalloc((size_t)form->work_size, sizeof *form->work);
    form->pivot = od_zalloc(size, sizeof *form->pivot);
    double *hessian = od_zalloc(d * d, sizeof *hessian);
    od_status status = form->k == NULL || form->m == NULL || form->a == NULL || form->right == NULL ||
                               form->schur == NULL || form->work == NULL || form->pivot == NULL || hessian == NULL
                           ? od_fail(ctx, OD_ENOMEM, "interval",
                                     "no memory for the second variation on %zu elements of %zu unknowns", elements,
                                     size)
                           : OD_OK;
    for (size_t e = 0; e < elements && status == OD_OK; e++) {
        status = assemble(path, form, e, &r, curvature, hessian);
        status = status == OD_OK
                     ? OD_OK
                     : od_fail(ctx, status, "interval", "the Hessian along the path could not be evaluated");
    }
    free(hessian);
    if (status == OD_OK && free_count > 0 && first->bend != 0) {
        bend_first_node(path, form, first->bend);
    }
    return status == OD_OK && free_count > 0 && free_count < d ? choose_basis(ctx, first, form) : status;
}

void od_form_close(od_form *form)
{
    free(form->k);
    free(form->m);
    free(form->a);
    free(form->right);
    free(form->schur);
    free(form->work);
    free(form->pivot);
    free(form->basis);
    *form = (od_form){0};
}

/* ------------------------------------------------------------------------------------------- counting */

/* Negative eigenvalues of the block diagonal that Bunch and Kaufman's factorisation left in the lower triangle. */
static size_t negative_pivots(size_t n, const double *a, size_t stride, const int *pivot)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (pivot[i] > 0) {
            count += a[i * stride + i] < 0;
            continue;
        }
        /* two together, which happens where x y < 0.42 off^2: their determinant is negative */
        count++;
        i++;
    }
    return count;
}

/* Takes the first node of the first element to the coordinates of the basis. */
static void turn_first_node(od_form *form)
{
    const size_t d = form->d, size = (form->mesh->degree + 1) * d;
    double *turned = form->right; /* not in use before the first elimination */
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)d, (int)size, (int)d, 1, form->basis, (int)d, form->a,
                (int)size, 0, turned, (int)size);
    memcpy(form->a, turned, d * size * sizeof *turned);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)size, (int)d, (int)d, 1, form->a, (int)size, form->basis,
                (int)d, 0, turned, (int)d);
    for (size_t i = 0; i < size; i++) {
        memcpy(form->a + i * size, turned + i * d, d * sizeof *turned);
    }
}

/* The Schur complement of all unknowns before the last node's is carried from element to element; inertias add up. */
static od_status sweep(od_form *form, double c, size_t *count, bool *singular)
{
    const size_t d = form->d, n = form->mesh->degree + 1, size = n * d, last = form->mesh->elements - 1;
    *count = 0;
    *singular = false;
    for (size_t e = 0;; e++) {
        const double *k = form->k + e * n * n, *m = form->m + e * size * size;
        double *a = form->a;
        for (size_t i = 0; i < size; i++) {
            for (size_t j = 0; j < size; j++) {
                a[i * size + j] = (i % d == j % d ? c * k[i / d * n + j / d] : 0) - m[i * size + j];
            }
        }
        for (size_t i = 0; e > 0 && i < d * d; i++) {
            a[i / d * size + i % d] += form->schur[i];
        }
        if (e == 0 && form->basis != NULL) {
            turn_first_node(form);
        }
        const size_t skip = e == 0 ? form->held : 0, inner = size - d - skip;
        double *block = a + skip * size + skip;
        if (inner > 0) {
            const int info = LAPACKE_dsytrf_work(LAPACK_COL_MAJOR, 'L', (int)inner, block, (int)size, form->pivot,
                                                 form->work, form->work_size);
            if (info != 0) {
                *singular = true;
                return info > 0 ? OD_OK : OD_ENUMERIC;
            }
            *count += negative_pivots(inner, block, size, form->pivot);
        }
        if (e == last) {
            break;
        }
        /* columns of the right node's block above its diagonal */
        double *corner = a + (size - d) * size + skip;
        for (size_t j = 0; j < d; j++) {
            memcpy(form->right + j * inner, corner + j * size, inner * sizeof *form->right);
        }
        if (inner > 0 && LAPACKE_dsytrs_work(LAPACK_COL_MAJOR, 'L', (int)inner, (int)d, block, (int)size, form->pivot,
                                             form->right, (int)inner) != 0) {
            return OD_ENUMERIC;
        }
        for (size_t i = 0; i < d * d; i++) {
            form->schur[i] = a[(size - d + i / d) * size + size - d + i % d];
        }
        if (inner > 0) {
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)d, (int)d, (int)inner, -1, corner, (int)size,
                        form->right, (int)inner, 1, form->schur, (int)d);
        }
        for (size_t i = 0; i < d; i++) {
            for (size_t j = 0; j <= i; j++) {
                const double mean = (form->schur[i * d + j] + form->schur[j * d + i]) / 2;
                if (!isfinite(mean)) {
                    return OD_ENUMERIC;
                }
                form->schur[i * d + j] = form->schur[j * d + i] = mean;
            }
        }
    }
    return OD_OK;
}

od_status od_form_negative(od_form *form, double c, size_t *count)
{
    bool singular = true;
    od_status status = OD_OK;
    /* an exact zero on the way is no member of the whole spectrum; a shift by a rounding avoids it */
    for (int attempt = 0; attempt < 8 && singular && status == OD_OK; attempt++) {
        status = sweep(form, c * (1 + 8 * attempt * 0x1p-52), count, &singular);
    }
    return singular && status == OD_OK ? OD_ENUMERIC : status;
}
