/* The modes of the second variation on equal intervals, by LAPACK's banded solver. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "morse.h"

#include "../src/memory.h"
#include "form.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Band storage of the lower triangle, by columns, of both forms; the first node is held. */
static void fill_bands(const od_form *form, size_t count, double *m, double *k)
{
    const size_t d = form->d, width = 2 * d, size = 2 * d;
    for (size_t e = 0; e < count; e++) {
        for (size_t i = 0; i < size; i++) {
            for (size_t j = 0; j <= i; j++) {
                /* unknowns of the element's nodes e and e + 1; nodes 0 and count are held */
                const size_t row = e * d + i, col = e * d + j;
                if (col < d || row >= count * d) {
                    continue;
                }
                const size_t at = (col - d) * width + row - col;
                m[at] += form->m[e * size * size + i * size + j];
                k[at] += i % d == j % d ? form->k[e * 4 + i / d * 2 + j / d] : 0;
            }
        }
    }
}

static od_status solve(od_context *ctx, const od_form *form, size_t count, size_t mode, double *z, double *ratio)
{
    const size_t d = form->d, n = (count - 1) * d, width = 2 * d;
    double *m = od_zalloc(width * n, sizeof *m), *k = od_zalloc(width * n, sizeof *k);
    double *q = od_zalloc(n, n * sizeof *q), *values = od_zalloc(n, sizeof *values);
    int *fail = od_zalloc(n, sizeof *fail);
    od_status status = OD_ENOMEM;
    if (m != NULL && k != NULL && q != NULL && values != NULL && fail != NULL) {
        fill_bands(form, count, m, k);
        int found = 0;
        const int band = (int)width - 1, which = (int)(n - mode);
        const int info = LAPACKE_dsbgvx(LAPACK_COL_MAJOR, 'V', 'I', 'L', (int)n, band, band, m, (int)width, k,
                                        (int)width, q, (int)n, 0, 0, which, which, 0, &found, values, z, (int)n, fail);
        status = info == 0 && found == 1 ? OD_OK : OD_ENUMERIC;
        *ratio = values[0];
    }
    free(m);
    free(k);
    free(q);
    free(values);
    free(fail);
    return status == OD_OK ? OD_OK
                           : od_fail(ctx, status, NULL,
                                     status == OD_ENOMEM ? "no memory for the modes of the second variation"
                                                         : "the modes of the second variation could not be computed");
}

od_status od_morse_mode(od_context *ctx, od_trajectory *path, double t1, double t2, const double *curvature,
                        size_t count, size_t mode, double *h, double *ratio)
{
    const od_flow *flow = &od_trajectory_member(path)->flow;
    double *edge = od_zalloc(count + 1, sizeof *edge);
    if (edge == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu intervals", count);
    }
    for (size_t i = 0; i <= count; i++) {
        edge[i] = i == count ? t2 : t1 + (t2 - t1) * (double)i / (double)count;
    }
    const od_mesh mesh = {.elements = count, .degree = 1, .edge = edge};
    od_form form;
    od_status status = od_form_open(ctx, path, &mesh, curvature, NULL, &form);
    const size_t d = form.d, n = (count - 1) * d;
    double largest = 0, shift = 0, a[2], b[2];
    status = status == OD_OK ? solve(ctx, &form, count, mode, h + d, ratio) : status;
    od_form_close(&form);
    for (size_t i = 0; i < d; i++) {
        h[i] = h[count * d + i] = 0;
    }
    /* off the scale of the nodes: e^{-a/2} less the exponent of the largest, so that nothing overflows */
    for (int pass = 0; pass < 2 && status == OD_OK; pass++) {
        double top = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            flow->lagrangian(flow, edge[1 + i / d], a, b);
            if (pass == 0) {
                top = h[d + i] != 0 ? fmax(top, log(fabs(h[d + i])) - a[0] / 2) : top;
            } else {
                h[d + i] *= exp(-a[0] / 2 - shift);
                largest = fmax(largest, fabs(h[d + i]));
            }
        }
        shift = pass == 0 ? top : shift;
    }
    for (size_t i = 0; i < n && largest > 0; i++) {
        h[d + i] /= largest;
    }
    free(edge);
    return status;
}
