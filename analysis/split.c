/*
 * Jacobi fields of a Hessian that is the same everywhere: each eigenvector goes its own way, so d scalar problems are
 * asked and what passes at one time is put together.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "jacobi.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>

typedef struct eigenvalue {
    double value;
    size_t which;
} eigenvalue;

typedef struct passing {
    double t;
    size_t which;
} passing;

static int by_value(const void *a, const void *b)
{
    const eigenvalue *p = a, *q = b;
    return p->value != q->value ? (p->value > q->value) - (p->value < q->value)
                                : (p->which > q->which) - (p->which < q->which);
}

static int by_time(const void *a, const void *b)
{
    const passing *p = a, *q = b;
    return p->t != q->t ? (p->t > q->t) - (p->t < q->t) : (p->which > q->which) - (p->which < q->which);
}

static od_status one_curvature(const void *user, double t, double *h)
{
    (void)t;
    h[0] = ((const eigenvalue *)((const void *const *)user)[1])->value;
    return OD_OK;
}

static void one_weights(const void *user, double t, double a[2], double b[2])
{
    const od_jacobi *j = ((const void *const *)user)[0];
    j->weights(j->user, t, a, b);
}

/* Everything of all eigenvectors: passing[count] in (t1, t2) and end[*nullity]. */
static od_status pass_all(od_context *ctx, const od_jacobi *j, const eigenvalue *sorted, passing **list, size_t *count,
                          size_t *end, size_t *nullity, size_t *steps)
{
    size_t room = 0;
    for (size_t i = 0; i < j->d;) {
        size_t same = 1;
        while (i + same < j->d && sorted[i + same].value == sorted[i].value) {
            same++;
        }
        const void *const user[2] = {j, &sorted[i]};
        od_jacobi one = *j;
        od_conjugates scalar = {0};
        one.d = 1;
        one.constant = true;
        one.kernels = false;
        one.weights = one_weights;
        one.hessian = one_curvature;
        one.user = user;
        od_status status = od_jacobi_conjugates(ctx, &one, &scalar);
        if (status != OD_OK) {
            return status;
        }
        const size_t more = *count + same * scalar.count;
        passing *bigger = more > room ? realloc(*list, 2 * more * sizeof **list) : *list;
        room = more > room ? 2 * more : room;
        if (bigger == NULL && more > 0) {
            od_conjugates_free(&scalar);
            return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the conjugate points");
        }
        *list = bigger;
        *steps += scalar.steps;
        for (size_t k = 0; k < same; k++) {
            for (size_t p = 0; p < scalar.count; p++) {
                (*list)[(*count)++] = (passing){scalar.point[p].t, sorted[i + k].which};
            }
            if (scalar.end.multiplicity > 0) {
                end[(*nullity)++] = sorted[i + k].which;
            }
        }
        od_conjugates_free(&scalar);
        i += same;
    }
    return OD_OK;
}

/* Kernels are eigenvectors: column `which` of the rotation. */
static od_status eigenvectors(od_context *ctx, const od_jacobi *j, const double *rotation, const passing *member,
                              od_conjugate *c)
{
    c->kernel = j->kernels ? od_zalloc(c->multiplicity * j->d, sizeof *c->kernel) : NULL;
    for (size_t k = 0; k < c->multiplicity && c->kernel != NULL; k++) {
        double *v = c->kernel + k * j->d;
        for (size_t i = 0; i < j->d; i++) {
            v[i] = rotation != NULL ? rotation[i * j->d + member[k].which] : i == member[k].which;
        }
    }
    return c->kernel != NULL || !j->kernels ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the kernels");
}

static od_status gather(od_context *ctx, const od_jacobi *j, const double *rotation, const passing *list, size_t count,
                        od_conjugates *found)
{
    od_status status = OD_OK;
    for (size_t i = 0; i < count && status == OD_OK;) {
        if (!od_conjugates_grow(found)) {
            return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the conjugate points");
        }
        const double apart = od_conjugate_apart * fmax(fabs(list[i].t), j->t2 - j->t1);
        od_conjugate *c = &found->point[found->count++];
        *c = (od_conjugate){.t = list[i].t, .multiplicity = 1};
        while (i + c->multiplicity < count && list[i + c->multiplicity].t - c->t <= apart) {
            c->multiplicity++;
        }
        status = eigenvectors(ctx, j, rotation, list + i, c);
        found->index += c->multiplicity;
        i += c->multiplicity;
    }
    return status;
}

od_status od_jacobi_split(od_context *ctx, const od_jacobi *j, const double *eigenvalues, const double *rotation,
                          od_conjugates *found)
{
    size_t count = 0, nullity = 0;
    passing *list = NULL;
    eigenvalue *sorted = od_zalloc(j->d, sizeof *sorted);
    size_t *end = od_zalloc(j->d, sizeof *end);
    passing *last = od_zalloc(j->d, sizeof *last);
    od_status status = sorted != NULL && end != NULL && last != NULL
                           ? OD_OK
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu eigenvectors", j->d);
    for (size_t i = 0; i < j->d && status == OD_OK; i++) {
        sorted[i] = (eigenvalue){eigenvalues[i], i};
    }
    if (status == OD_OK) {
        qsort(sorted, j->d, sizeof *sorted, by_value);
        status = pass_all(ctx, j, sorted, &list, &count, end, &nullity, &found->steps);
    }
    if (status == OD_OK) {
        if (count > 0) {
            qsort(list, count, sizeof *list, by_time);
        }
        status = gather(ctx, j, rotation, list, count, found);
    }
    if (status == OD_OK && nullity > 0) {
        for (size_t k = 0; k < nullity; k++) {
            last[k] = (passing){j->t2, end[k]};
        }
        qsort(last, nullity, sizeof *last, by_time);
        found->end = (od_conjugate){.t = j->t2, .multiplicity = nullity};
        status = eigenvectors(ctx, j, rotation, last, &found->end);
    }
    free(list);
    free(sorted);
    free(end);
    free(last);
    if (status != OD_OK) {
        od_conjugates_free(found);
    }
    return status;
}
