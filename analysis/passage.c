/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "passage.h"

#include "../src/memory.h"
#include "dop853.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct od_passage {
    od_context *ctx;
    const od_flow *flow;
    uint64_t most; /* steps of one crossing; 0: any number */
    double rtol, reached;
    size_t dim, room; /* room: numbers of a state with all its directions */
    double *memory, *rate, *stage, *next, *ws;
};

od_status od_passage_open(od_context *ctx, const od_flow *flow, double rtol, size_t directions, od_passage **passage)
{
    od_passage *p = *passage = od_zalloc(1, sizeof *p);
    const size_t room = flow->dim * (1 + directions);
    double *memory = p == NULL ? NULL
                               : od_zalloc((OD_STAGES + 2) * room + od_scratch_size(&flow->scratch, 1), sizeof *memory);
    if (memory == NULL) {
        free(p);
        *passage = NULL;
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory to integrate %zu components with %zu directions", flow->dim,
                       directions);
    }
    *p = (od_passage){
        .ctx = ctx, .flow = flow, .rtol = fmax(rtol, 1e-14), .dim = flow->dim, .room = room, .memory = memory};
    p->rate = memory;
    p->stage = memory + OD_STAGES * room;
    p->next = p->stage + room;
    p->ws = p->next + room;
    return OD_OK;
}

void od_passage_close(od_passage *passage)
{
    if (passage != NULL) {
        free(passage->memory);
        free(passage);
    }
}

void od_passage_limit(od_passage *passage, uint64_t steps)
{
    passage->most = steps;
}

double od_passage_reached(const od_passage *passage)
{
    return passage->reached;
}

/* The stages of one step from y (a state and m directions); next is its end. */
static od_status step(od_passage *p, double t, double h, size_t m, const double *z, const double *u)
{
    const size_t dim = p->dim, size = dim * (1 + m);
    for (size_t s = 0; s <= OD_STAGES; s++) {
        const double *weight = s < OD_STAGES ? od_dop853_a[s] : od_dop853_b;
        double *to = s < OD_STAGES ? p->stage : p->next;
        memset(to, 0, size * sizeof *to);
        for (size_t r = 0; r < s; r++) {
            const double *rate = p->rate + r * p->room;
            for (size_t i = 0; i < size && weight[r] != 0; i++) {
                to[i] += weight[r] * rate[i];
            }
        }
        for (size_t i = 0; i < size; i++) {
            to[i] = (i < dim ? z[i] : u[i - dim]) + h * to[i];
        }
        if (s == OD_STAGES) {
            break;
        }
        double *rate = p->rate + s * p->room;
        const double at = t + od_dop853_c[s] * h;
        od_status status = p->flow->drift(p->flow, at, 1, to, rate, p->ws);
        if (status == OD_OK && m > 0) {
            status = p->flow->jvp(p->flow, at, 1, to, m, to + dim, rate + dim, p->ws);
        }
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

/*
 * Error of one part of the step, from number `first` on, over what is allowed; infinite if it is not finite. No error
 * is asked for below `floor`.
 */
static double part_excess(const od_passage *p, double h, size_t first, size_t count, const double *before, double floor)
{
    double five = 0, three = 0, old = 0, new = 0, speed = 0;
    for (size_t i = 0; i < count; i++) {
        double a = 0, b = 0;
        for (size_t s = 0; s < OD_STAGES; s++) {
            const double rate = p->rate[s * p->room + first + i];
            const double third = s == 0 ? od_dop853_b3[0] : s == 8 ? od_dop853_b3[1] : s == 11 ? od_dop853_b3[2] : 0;
            a += od_dop853_e5[s] * rate;
            b += (od_dop853_b[s] - third) * rate;
        }
        five += a * a;
        three += b * b;
        old += before[i] * before[i];
        new += p->next[first + i] * p->next[first + i];
        speed += p->rate[first + i] * p->rate[first + i];
    }
    const double bottom = sqrt(five + 0.01 * three), error = bottom > 0 ? h * five / bottom : 0;
    const double size = sqrt(fmax(old, new)) + h * sqrt(speed);
    return !isfinite(error) || !isfinite(size) ? INFINITY : error > 0 ? error / (p->rtol * size + floor) : 0;
}

static double excess(const od_passage *p, double h, size_t m, const double *z, const double *u)
{
    double worst = 0, square = 0;
    size_t first = 0;
    for (size_t i = 0; i < p->dim; i++) {
        square += z[i] * z[i];
    }
    /* a velocity that has died out is the rounding of the position it is driven by: digits of it would never be met */
    const double floor = 0x1p-54 * sqrt(square);
    for (size_t b = 0; b < p->flow->block_count; b++) {
        const size_t length = p->flow->block[b].length;
        worst = fmax(worst, part_excess(p, h, first, length, z + first, floor));
        first += length;
    }
    for (size_t j = 0; j < m; j++) {
        worst = fmax(worst, part_excess(p, h, p->dim * (1 + j), p->dim, u + j * p->dim, 0));
    }
    return worst;
}

od_status od_passage_cross(od_passage *p, double t, double t1, double *z, size_t m, double *u, double *h)
{
    double first = (t1 - t) / 4;
    double *length = h != NULL && *h > 0 ? h : &first;
    uint64_t taken = 0;
    p->reached = t;
    while (t < t1) {
        /* beyond a kink that the flow slides along, steps become tiny, but not too small */
        if (p->most > 0 && ++taken > p->most) {
            return OD_ENUMERIC;
        }
        if (od_cancelled(p->ctx)) {
            return od_fail(p->ctx, OD_EINTERRUPTED, NULL, "interrupted while a flow was followed");
        }
        const bool last = t + *length * (1 + 1e-9) >= t1;
        const double now = last ? t1 - t : *length;
        od_status status = step(p, t, now, m, z, u);
        if (status != OD_OK) {
            return status;
        }
        const double over = excess(p, now, m, z, u);
        const double wanted = now * fmin(5, fmax(0.2, 0.9 * pow(fmax(over, 1e-12), -1.0 / 8)));
        if (over <= 1) {
            memcpy(z, p->next, p->dim * sizeof *z);
            if (m > 0) {
                memcpy(u, p->next + p->dim, m * p->dim * sizeof *u);
            }
            t = p->reached = last ? t1 : t + now;
            /* a step cut at the end says nothing against the longer one */
            *length = last ? fmax(*length, wanted) : wanted;
        } else {
            *length = wanted;
            if (*length < 16 * 0x1p-52 * fmax(fabs(t), t1 - t)) {
                return isfinite(over) ? OD_ENUMERIC : OD_EDIVERGED;
            }
        }
    }
    if (h != NULL) {
        *h = *length;
    }
    return OD_OK;
}
