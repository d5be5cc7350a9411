/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "strands.h"

#include "memory.h"
#include "start.h"
#include "stepper.h"

#include <stdlib.h>
#include <string.h>

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

od_status od_strands_open(od_context *ctx, od_context *errors, const od_member *m, double width,
                          const od_strand *strand, size_t count, uint64_t first, size_t n, od_strands *s)
{
    *s = (od_strands){.ctx = ctx, .m = m, .noise = m->noise, .width = width, .first = first, .n = n, .count = count};
    s->noise.dim = m->flow.noise.dim;
    const size_t state = m->dim * n, sum = 2 * s->noise.dim * n;
    size_t ws = od_scratch_size(&m->flow.scratch, n);
    for (size_t i = 0; i < count; i++) {
        s->strand[i] = strand[i];
        ws = largest(ws, od_stepper_scratch(strand[i].type, &m->flow, n));
    }
    s->memory = od_zalloc((count + 1) * (state + sum) + ws, sizeof *s->memory);
    if (s->memory == NULL) {
        return od_fail(errors, OD_ENOMEM, NULL, "no memory for %zu runs of %zu paths", count, n);
    }
    double *room = s->memory;
    for (size_t i = 0; i < count; i++, room += state + sum) {
        s->state[i] = room;
        s->sum[i] = room + state;
    }
    s->next = room;
    s->dw = room + state;
    s->ws = s->dw + sum;
    if (od_brownian_interval(&s->noise, m->start.t, m->start.t + width, &s->cell) != OD_OK) {
        return od_fail(errors, OD_EINVAL, "noise_step",
                       "the Brownian path is not known in cells of %g; choose a noise_step that integrator.step is a "
                       "multiple of",
                       width);
    }
    od_status status = od_start_fill(m, first, n, s->state[0], s->ws);
    for (size_t i = 1; i < count; i++) {
        memcpy(s->state[i], s->state[0], state * sizeof *room);
    }
    return status == OD_OK ? OD_OK
                           : od_fail(errors, status, "start", "the start could not be evaluated (%s)",
                                     od_problem_trouble(m->problem, status));
}

/* Adds a cell's increments to those since the strand's last step; at its end, steps. */
static od_status feed(od_strands *s, size_t i)
{
    const od_strand *a = &s->strand[i];
    const size_t size = s->noise.dim * s->n;
    const uint64_t done = s->done % a->cells;
    double *w = s->sum[i], *integral = w + size;
    if (done == 0) {
        memcpy(w, s->dw, 2 * size * sizeof *w);
    } else {
        for (size_t k = 0; k < size; k++) {
            integral[k] += s->dw[size + k] + s->width * w[k];
            w[k] += s->dw[k];
        }
    }
    if (done + 1 < a->cells) {
        return OD_OK;
    }
    const od_stepper stepper = {
        .type = a->type, .settings = s->m->integrator_choice.settings, .flow = &s->m->flow, .origin = s->m->start.t};
    const double t = s->m->start.t + (double)(s->done / a->cells) * a->step;
    od_status status = a->type->step(&stepper, t, a->step, s->n, s->state[i], w, s->next, s->ws);
    double *old = s->state[i];
    s->state[i] = s->next;
    s->next = old;
    return status;
}

od_status od_strands_advance(od_context *errors, od_strands *s, uint64_t cells)
{
    bool integral = false;
    for (size_t i = 0; i < s->count; i++) {
        integral = integral || s->strand[i].type->integral;
    }
    od_status status = OD_OK;
    for (; s->done < cells && status == OD_OK && !od_cancelled(s->ctx); s->done++) {
        od_interval cell = s->cell;
        cell.first += s->done * cell.count;
        od_brownian_increment(&s->noise, &cell, s->first, s->n, s->dw, integral ? s->dw + s->noise.dim * s->n : NULL);
        for (size_t i = 0; i < s->count && status == OD_OK; i++) {
            status = feed(s, i);
        }
    }
    return status == OD_OK ? OD_OK
                           : od_fail(errors, status, "integrator", "a step failed near t = %g",
                                     s->m->start.t + (double)s->done * s->width);
}

void od_strands_close(od_strands *s)
{
    free(s->memory);
    *s = (od_strands){0};
}
