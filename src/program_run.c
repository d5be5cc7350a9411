/*
 * Programs at work: strips of points, the last of which is padded.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "program.h"

#include "build_config.h"

#include <pthread.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- versions */

od_steps *od_steps_version(unsigned which)
{
#if OD_HAVE_X86_VECTORS
    if (which == 2 && __builtin_cpu_supports("avx512f")) {
        return od_steps_avx512;
    }
    if (which == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return od_steps_avx2;
    }
#endif
    return which == 0 ? od_steps_portable : NULL;
}

static od_steps *best;
static pthread_once_t best_once = PTHREAD_ONCE_INIT;

static void choose_best(void)
{
    for (unsigned which = 0; which < OD_STEPS_VERSIONS; which++) {
        best = od_steps_version(which) != NULL ? od_steps_version(which) : best;
    }
}

od_steps *od_steps_best(void)
{
    pthread_once(&best_once, choose_best);
    return best;
}

/* ------------------------------------------------------------------------------------------- running */

size_t od_program_scratch(const od_program *p)
{
    return (p->buffers + 2 * p->d + 1 + p->count) * OD_STRIP;
}

/* The first row of each space in the file of a single point. */
static void file_spaces(const od_program *p, uint32_t first[OD_SPACES])
{
    first[OD_SPACE_BUFFER] = 0;
    first[OD_SPACE_VALUE] = p->buffers;
    first[OD_SPACE_ROWS] = first[OD_SPACE_VALUE] + 1;
    first[OD_SPACE_X] = first[OD_SPACE_ROWS] + (uint32_t)p->count;
    first[OD_SPACE_U] = first[OD_SPACE_X] + (uint32_t)p->d;
}

void od_program_place_alone(od_program *p)
{
    uint32_t first[OD_SPACES];
    file_spaces(p, first);
    for (size_t i = 0; i < p->steps; i++) {
        od_step *s = &p->alone[i];
        *s = p->step[i];
        uint32_t *const place[] = {&s->out, &s->a, &s->b, &s->c};
        for (unsigned k = 0; k < 4; k++) {
            *place[k] = first[*place[k] >> OD_SPACE_SHIFT] + (*place[k] & OD_ROW_MASK);
        }
    }
}

/* Point p of n. */
static void run_alone(const od_program *q, size_t n, size_t p, const double *x, size_t m, const double *u,
                      double *value, double *rows, double *file)
{
    od_frame frame; /* the rest of it is for strips */
    frame.write[0] = file;
    double *out = file + q->buffers + 1, *in = out + q->count;
    for (size_t i = 0; i < q->d; i++) {
        in[i] = x[i * n + p];
    }
    if (q->once > 0) {
        q->run(q->alone, q->once, 1, &frame);
    }
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i < q->d && q->directions; i++) {
            in[q->d + i] = u[(j * q->d + i) * n + p];
        }
        q->run(q->alone + q->once, q->steps - q->once, 1, &frame);
        for (size_t i = 0; i < q->count; i++) {
            rows[(j * q->count + i) * n + p] = out[i];
        }
    }
    if (q->value) {
        value[p] = out[-1];
    }
}

/* Rows of a strip that is not full; the last point stands in for those that are missing. */
static void pad(size_t rows, size_t stride, const double *from, size_t points, size_t strip, double *to)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t p = 0; p < strip; p++) {
            to[i * strip + p] = from[i * stride + (p < points ? p : points - 1)];
        }
    }
}

static void unpad(size_t rows, size_t stride, double *to, size_t points, size_t strip, const double *from)
{
    for (size_t i = 0; i < rows; i++) {
        memcpy(to + i * stride, from + i * strip, points * sizeof *to);
    }
}

static void set_written(od_frame *frame, unsigned which, double *base, size_t stride)
{
    frame->base[which] = frame->write[which] = base;
    frame->stride[which] = stride;
}

/* Points p to p + points - 1 as a strip. */
static void run_strip(const od_program *q, size_t n, size_t p, size_t points, size_t strip, const double *x, size_t m,
                      const double *u, double *value, double *rows, double *ws)
{
    const bool full = points == strip;
    od_steps *steps = q->run;
    od_frame frame;
    double *padded_x = ws + q->buffers * OD_STRIP, *padded_u = padded_x + q->d * OD_STRIP;
    double *padded_value = padded_u + q->d * OD_STRIP, *padded_rows = padded_value + OD_STRIP;
    set_written(&frame, OD_SPACE_BUFFER, ws, strip);
    set_written(&frame, OD_SPACE_VALUE, full && q->value ? value + p : padded_value, strip);
    set_written(&frame, OD_SPACE_ROWS, padded_rows, full ? n : strip);
    frame.base[OD_SPACE_X] = full ? x + p : padded_x;
    frame.base[OD_SPACE_U] = padded_u;
    frame.stride[OD_SPACE_X] = frame.stride[OD_SPACE_U] = full ? n : strip;
    if (!full) {
        pad(q->d, n, x + p, points, strip, padded_x);
    }
    if (q->once > 0) {
        steps(q->step, q->once, strip, &frame);
    }
    for (size_t j = 0; j < m; j++) {
        double *out = q->count > 0 ? rows + j * q->count * n + p : padded_rows;
        if (full) {
            set_written(&frame, OD_SPACE_ROWS, out, n);
            frame.base[OD_SPACE_U] = q->directions ? u + j * q->d * n + p : padded_u;
        } else if (q->directions) {
            pad(q->d, n, u + j * q->d * n + p, points, strip, padded_u);
        }
        steps(q->step + q->once, q->steps - q->once, strip, &frame);
        if (!full) {
            unpad(q->count, n, out, points, strip, padded_rows);
        }
    }
    if (!full && q->value) {
        memcpy(value + p, padded_value, points * sizeof *value);
    }
}

void od_program_run(const od_program *q, size_t n, const double *x, size_t m, const double *u, double *value,
                    double *rows, double *ws)
{
    for (size_t p = 0; p < n;) {
        const size_t left = n - p, strip = left >= OD_STRIP / 2 ? OD_STRIP : OD_SHORT_STRIP;
        const size_t points = left == 1 ? 1 : left < strip ? left : strip;
        if (left == 1) {
            run_alone(q, n, p, x, m, u, value, rows, ws);
        } else {
            run_strip(q, n, p, points, strip, x, m, u, value, rows, ws);
        }
        p += points;
    }
}

void od_apply(od_code function, double k, size_t n, double *x)
{
    od_steps *run = od_steps_best();
    const uint32_t in = (uint32_t)OD_SPACE_X << OD_SPACE_SHIFT, out = (uint32_t)OD_SPACE_VALUE << OD_SPACE_SHIFT;
    const od_step step = {.code = function, .out = out, .a = in, .b = in, .c = in, .k = k};
    const od_step alone = {.code = function, .k = k}; /* in place, at the start of its file */
    double tail[OD_SHORT_STRIP];
    for (size_t p = 0, strip; p < n; p += strip) {
        const size_t left = n - p;
        strip = left >= OD_STRIP ? OD_STRIP : left == 1 ? 1 : OD_SHORT_STRIP;
        const bool full = left >= strip;
        if (!full) {
            pad(1, left, x + p, left, strip, tail);
        }
        double *at = full ? x + p : tail;
        od_frame frame = {.base = {[OD_SPACE_X] = at}, .write = {[OD_SPACE_VALUE] = at}};
        if (strip == 1) {
            frame.write[0] = at;
        }
        run(strip == 1 ? &alone : &step, 1, strip, &frame);
        if (!full) {
            memcpy(x + p, tail, left * sizeof *x);
        }
    }
}
