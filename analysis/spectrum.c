/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spectrum.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESTARTS = 2 };

typedef struct counted {
    od_operator *apply;
    void *user;
    size_t d, products;
} counted;

static od_status forward(void *user, const double *v, double *av)
{
    counted *c = user;
    c->products++;
    return c->apply(c->user, v, av);
}

static od_status negative(void *user, const double *v, double *av)
{
    counted *c = user;
    const od_status status = forward(user, v, av);
    for (size_t i = 0; i < c->d; i++) {
        av[i] = -av[i];
    }
    return status;
}

static od_status find_end(od_context *ctx, counted *c, bool top, const od_spectrum_wish *wish, od_leading *end)
{
    const size_t most = top ? wish->top : wish->bottom;
    const od_leading_wish w = {.most = most < c->d ? most : c->d,
                               .level = -INFINITY,
                               .tolerance = wish->tolerance,
                               .steps = wish->steps,
                               .room = RESTARTS * most + wish->steps};
    return most > 0 ? od_lanczos_leading(ctx, c->d, top ? forward : negative, c, &w, end) : OD_OK;
}

/* ------------------------------------------------------------------------------------------- probes */

typedef struct probes {
    size_t d, count, rule;
    double *node, *weight; /* [count*rule] */
    size_t *used;          /* [count] */
} probes;

static od_estimate estimate(size_t n, const double *sample)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        mean += sample[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        square += (sample[i] - mean) * (sample[i] - mean);
    }
    return (od_estimate){mean, n > 1 ? sqrt(square / (double)(n - 1) / (double)n) : NAN};
}

static od_status take_rules(od_context *ctx, counted *c, const od_spectrum_wish *wish, probes *p)
{
    od_krylov *k = od_krylov_create(c->d, p->rule);
    double *v = od_zalloc(c->d, sizeof *v);
    od_status status = k != NULL && v != NULL
                           ? OD_OK
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu steps with probes", p->rule);
    const double unit = 1 / sqrt((double)c->d);
    for (size_t j = 0; j < p->count && status == OD_OK; j++) {
        for (size_t i = 0; i < c->d; i++) {
            v[i] = od_uniform(wish->seed, OD_STREAM_CHECK, j, i, 0) < 0.5 ? -unit : unit;
        }
        status = od_krylov_rule(ctx, k, forward, c, v, p->node + j * p->rule, p->weight + j * p->rule, &p->used[j]);
    }
    od_krylov_free(k);
    free(v);
    return status;
}

/* d times the mean of a moment of the measures. */
static od_estimate moment(const probes *p, int power, double *sample)
{
    for (size_t j = 0; j < p->count; j++) {
        sample[j] = 0;
        for (size_t i = 0; i < p->used[j]; i++) {
            const double x = p->node[j * p->rule + i];
            sample[j] += (double)p->d * p->weight[j * p->rule + i] * (power == 1 ? x : x * x);
        }
    }
    return estimate(p->count, sample);
}

static void smooth(const probes *p, double width, double *sample, od_spectrum_found *f)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t j = 0; j < p->count; j++) {
        low = fmin(low, p->node[j * p->rule]);
        high = fmax(high, p->node[j * p->rule + p->used[j] - 1]);
    }
    const double size = fmax(fabs(low), fabs(high)), span = fmax(high - low, 1e-12 * size);
    f->width = !isnan(width) ? width : span > 0 ? span / (double)p->rule : 1;
    low -= 4 * f->width;
    high += 4 * f->width;
    for (size_t k = 0; k < OD_DENSITY_POINTS; k++) {
        f->at[k] = low + (high - low) * (double)k / (OD_DENSITY_POINTS - 1);
        for (size_t j = 0; j < p->count; j++) {
            sample[j] = 0;
            for (size_t i = 0; i < p->used[j]; i++) {
                const double z = (f->at[k] - p->node[j * p->rule + i]) / f->width;
                sample[j] += p->weight[j * p->rule + i] * exp(-z * z / 2) / (f->width * 2.5066282746310002);
            }
        }
        const od_estimate e = estimate(p->count, sample);
        f->density[k] = e.value;
        f->error[k] = e.error;
    }
}

static od_status sample_spectrum(od_context *ctx, counted *c, const od_spectrum_wish *wish, od_spectrum_found *f)
{
    probes p = {.d = c->d, .count = wish->probes, .rule = wish->rule < c->d ? wish->rule : c->d};
    double *memory = od_zalloc(2 * p.count * p.rule + p.count, sizeof *memory);
    p.used = od_zalloc(p.count, sizeof *p.used);
    f->at = wish->rule > 1 ? od_zalloc(3 * OD_DENSITY_POINTS, sizeof *f->at) : NULL;
    od_status status = memory != NULL && p.used != NULL && (wish->rule == 1 || f->at != NULL)
                           ? OD_OK
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu probes", p.count);
    if (status == OD_OK) {
        p.node = memory;
        p.weight = p.node + p.count * p.rule;
        status = take_rules(ctx, c, wish, &p);
    }
    if (status == OD_OK) {
        double *sample = p.weight + p.count * p.rule;
        f->trace = moment(&p, 1, sample);
        f->square = p.rule > 1 || c->d == 1 ? moment(&p, 2, sample) : f->square;
        if (f->at != NULL) {
            f->density = f->at + OD_DENSITY_POINTS;
            f->error = f->density + OD_DENSITY_POINTS;
            smooth(&p, wish->width, sample, f);
        }
    }
    free(memory);
    free(p.used);
    return status;
}

od_status od_spectrum_find(od_context *ctx, size_t d, od_operator *apply, void *user, const od_spectrum_wish *wish,
                           od_spectrum_found *found)
{
    counted c = {apply, user, d, 0};
    *found = (od_spectrum_found){.trace = {NAN, NAN}, .square = {NAN, NAN}, .width = NAN};
    od_status status = find_end(ctx, &c, true, wish, &found->top);
    status = status == OD_OK ? find_end(ctx, &c, false, wish, &found->bottom) : status;
    for (size_t i = 0; i < found->bottom.count; i++) {
        found->bottom.value[i] = -found->bottom.value[i];
    }
    found->bottom.ceiling = -found->bottom.ceiling;
    status = status == OD_OK && wish->probes > 0 ? sample_spectrum(ctx, &c, wish, found) : status;
    found->products = c.products;
    return status;
}

void od_spectrum_close(od_spectrum_found *found)
{
    od_leading_free(&found->top);
    od_leading_free(&found->bottom);
    free(found->at);
    *found = (od_spectrum_found){0};
}
