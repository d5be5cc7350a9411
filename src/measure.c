/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "measure.h"

#include "projection.h"

#include <math.h>
#include <string.h>

/* The norm of each column of u[d*n]. */
static void norms(size_t d, size_t n, const double *u, double *q)
{
    memset(q, 0, n * sizeof *q);
    for (size_t j = 0; j < d; j++) {
        for (size_t p = 0; p < n; p++) {
            q[p] += u[j * n + p] * u[j * n + p];
        }
    }
    for (size_t p = 0; p < n; p++) {
        q[p] = sqrt(q[p]);
    }
}

static void copy_block(const od_member *m, const char *name, size_t n, const double *state, double *q)
{
    size_t b = 0;
    for (; strcmp(m->block[b].name, name) != 0; b++) {
        state += m->block[b].length * n;
    }
    memcpy(q, state, m->block[b].length * n * sizeof *q);
}

od_status od_measure(const od_member *m, size_t n, const double *state, double *q, double *gradient, double *ws)
{
    const od_problem *f = m->problem;
    od_status status = OD_OK;
    for (size_t i = 0; i < m->quantity_count && status == OD_OK; i++) {
        switch (m->quantity[i].kind) {
        case OD_QUANTITY_LOSS: status = f->eval(f, OD_VALUE, n, state, q, NULL, ws); break;
        case OD_QUANTITY_GRADIENT:
            status = f->eval(f, OD_GRADIENT, n, state, NULL, gradient, ws);
            norms(f->dim, n, gradient, q);
            break;
        case OD_QUANTITY_DISTANCE:
            for (size_t j = 0; j < f->dim; j++) {
                for (size_t p = 0; p < n; p++) {
                    gradient[j * n + p] = state[j * n + p] - f->minimiser[j];
                }
            }
            norms(f->dim, n, gradient, q);
            break;
        case OD_QUANTITY_BLOCK: copy_block(m, m->quantity[i].name, n, state, q); break;
        case OD_QUANTITY_PROJECTION: od_project(m->projection_seed, m->projections, f->dim, n, state, q); break;
        }
        q += od_member_quantity_length(m, i) * n;
    }
    return status;
}

void od_measure_name(const od_member *m, size_t column, char name[40])
{
    size_t first = 0;
    for (size_t i = 0; i < m->quantity_count; i++) {
        const size_t length = od_member_quantity_length(m, i);
        if (column < first + length) {
            if (m->quantity[i].kind == OD_QUANTITY_BLOCK || m->quantity[i].kind == OD_QUANTITY_PROJECTION) {
                snprintf(name, 40, "%.20s_%zu", m->quantity[i].name, column - first + 1);
            } else {
                snprintf(name, 40, "%.30s", m->quantity[i].name);
            }
            return;
        }
        first += length;
    }
}
