/* Nearest orbits by a growing space of directions. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cones.h"
#include "shooting.h"
#include "vector.h"
#include "wide.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 30 };

/* ------------------------------------------------------------------------------------------- in the columns' span */

/* s = r + A V c and its lengths; the largest. */
static double residuals(od_wide *w)
{
    const size_t d = w->d;
    double most = 0;
    memcpy(w->s, w->r, w->all * sizeof *w->s);
    for (size_t j = 0; j < w->count; j++) {
        od_add(w->all, w->c[j], w->image + j * w->all, w->s);
    }
    for (uint64_t k = 0; k <= w->chain->steps; k++) {
        w->far[k] = sqrt(od_dot(d, w->s + k * d, w->s + k * d));
        most = fmax(most, w->far[k]);
    }
    return most;
}

/* c of least sum |r_k + A_k V c|^2, whose matrix is at least 1, since A_0 = 1. */
static od_status solve_squares(od_context *ctx, od_wide *w)
{
    const size_t p = w->count;
    const lapack_int n = (lapack_int)p;
    for (size_t i = 0; i < p; i++) {
        w->c[i] = -od_dot(w->all, w->image + i * w->all, w->r);
        for (size_t j = 0; j <= i; j++) {
            w->matrix[j * p + i] = od_dot(w->all, w->image + i * w->all, w->image + j * w->all);
        }
    }
    if (p > 0 && LAPACKE_dposv_work(LAPACK_COL_MAJOR, 'L', n, 1, w->matrix, n, w->c, n) != 0) {
        return od_fail(ctx, OD_ENUMERIC, "shadow", "the squares of the distances have no least sum in doubles");
    }
    residuals(w);
    w->value = 0;
    for (uint64_t k = 0; k <= w->chain->steps; k++) {
        w->multiplier[k] = 1;
        w->value += w->far[k] * w->far[k];
    }
    w->value = sqrt(w->value);
    return OD_OK;
}

/* |r_k + A_k V c| of step k in count + 1 numbers: the triangle of [A_k V, r_k]. */
static bool add_cone(od_wide *w, od_cones *cones, uint64_t k)
{
    const size_t d = w->d, p = w->count, wide = p + 1;
    double *block, *residual;
    for (size_t j = 0; j < p; j++) {
        memcpy(w->qr + j * d, w->image + j * w->all + k * d, d * sizeof *w->qr);
    }
    memcpy(w->qr + p * d, w->r + k * d, d * sizeof *w->qr);
    const lapack_int rows = (lapack_int)d, columns = (lapack_int)wide, size = (lapack_int)(32 * wide);
    if (LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, rows, columns, w->qr, rows, w->tau, w->work, size) != 0 ||
        !od_cones_add(cones, &block, &residual)) {
        return false;
    }
    for (size_t j = 0; j < p; j++) {
        memcpy(block + j * wide, w->qr + j * d, (j + 1) * sizeof *block);
    }
    memcpy(residual, w->qr + p * d, wide * sizeof *residual);
    od_cones_set(cones, cones->count - 1);
    return true;
}

/* Adds a step to those that are looked at; false if it was there. */
static bool join(od_wide *w, uint64_t k)
{
    for (size_t i = 0; i < w->steps; i++) {
        if (w->step[i] == k) {
            return false;
        }
    }
    w->step[w->steps++] = k;
    return true;
}

/* The steps at which s is locally longest, and longer than `bar`, join. How many that were. */
static size_t join_peaks(od_wide *w, double bar)
{
    const uint64_t last = w->chain->steps;
    size_t joined = 0;
    for (uint64_t k = 0; k <= last; k++) {
        const bool peak = (k == 0 || w->far[k] >= w->far[k - 1]) && (k == last || w->far[k] >= w->far[k + 1]);
        joined += peak && w->far[k] > bar && join(w, k);
    }
    return joined;
}

/* c of least max_k |r_k + A_k V c|, by outer approximation, and the multipliers. */
static od_status solve_radius(od_context *ctx, od_wide *w)
{
    enum { MOST = 50 };
    od_cones cones = {.d = w->count + 1};
    bool done = true;
    join(w, 0);
    join(w, w->chain->steps);
    join(w, w->at);
    for (int round = 0; round < MOST && done; round++) {
        double radius = 0;
        while (cones.count < w->steps && done) {
            done = add_cone(w, &cones, w->step[cones.count]);
        }
        done = done && od_cones_solve(&cones, 2 * w->radius, w->c, &radius);
        w->value = residuals(w);
        if (join_peaks(w, radius * (1 + 1e-10)) == 0) {
            break;
        }
    }
    memset(w->multiplier, 0, w->all / w->d * sizeof *w->multiplier);
    for (size_t i = 0; i < cones.count && done; i++) {
        w->multiplier[w->step[i]] = cones.weight[i];
    }
    od_cones_free(&cones);
    return done ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the smallest radius");
}

/*
 * What no c at all gets below, |c| <= reach: q(c') >= q + 2 g (c' - Vc) + m_0 |c' - Vc|^2, since A_0 = 1. Rounding of
 * the states is taken off.
 */
static double bound(const od_wide *w, bool squares)
{
    static const double rounding = 8 * DBL_EPSILON;
    const double *g = w->g + OD_WIDE_PARTS * w->d;
    const double slope = od_dot(w->d, g, g), off = fabs(od_dot(w->d, g, w->along)), first = w->multiplier[0];
    double q = 0, noise = 0;
    for (uint64_t k = 0; k <= w->chain->steps; k++) {
        q += w->multiplier[k] * w->far[k] * w->far[k];
        const double *y = w->target->y + k * w->d;
        double size = 0;
        for (size_t i = 0; i < w->d && w->multiplier[k] > 0; i++) {
            size = fmax(size, fabs(w->target->weight[i] * y[i]));
        }
        noise += w->multiplier[k] * rounding * size;
    }
    const double reach = 2 * w->radius, curved = first > 0 ? slope / first : INFINITY;
    const double loss = squares ? curved : fmin(curved, 2 * sqrt(slope) * reach + 2 * off);
    return fmax(sqrt(fmax(q - loss, 0)) - noise, 0);
}

/* ------------------------------------------------------------------------------------------- the search */

/* The parts of the gradient become columns, as far as they are new. How many did. */
static size_t enlarge(od_wide *w)
{
    static const double new = 1e-8;
    const size_t d = w->d, before = w->count;
    for (size_t j = OD_WIDE_PARTS + 1; j-- > 0 && w->count < w->most;) { /* the gradient itself first */
        double *v = w->v + w->count * d;
        memcpy(v, w->g + j * d, d * sizeof *v);
        const double size = sqrt(od_dot(d, v, v));
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < w->count; i++) {
                od_add(d, -od_dot(d, w->v + i * d, v), w->v + i * d, v);
            }
        }
        const double left = sqrt(od_dot(d, v, v));
        if (left > new *size && left > 0) {
            for (size_t i = 0; i < d; i++) {
                v[i] /= left;
            }
            w->count++;
        }
    }
    return w->count - before;
}

/*
 * c and lower bound of the linearisation at x, with as many columns as it takes to come within `accuracy` of the bound,
 * or within a share of what is gained.
 */
static od_status solve(od_context *ctx, od_wide *w, bool squares, double accuracy)
{
    static const double share = 0.02;
    od_status status = OD_OK;
    if (!w->imaged) {
        status = od_wide_push(ctx, w, 0);
        w->imaged = status == OD_OK;
    }
    for (int round = 0; status == OD_OK; round++) {
        const size_t before = w->count;
        status = squares ? solve_squares(ctx, w) : solve_radius(ctx, w);
        status = status == OD_OK ? od_wide_pull(ctx, w) : status;
        memset(w->along, 0, w->d * sizeof *w->along);
        for (size_t j = 0; j < w->count; j++) {
            od_add(w->d, w->c[j], w->v + j * w->d, w->along);
        }
        w->lower = bound(w, squares);
        const double now = squares ? sqrt(w->sum) : w->radius, open = w->value - w->lower;
        if (status != OD_OK || open <= fmax(accuracy * w->value, share * (now - w->value)) || round == ROUNDS ||
            enlarge(w) == 0) {
            break;
        }
        status = od_wide_push(ctx, w, before);
    }
    return status;
}

/* From an orbit to one of least squares or least radius nearby: steps of Gauss and Newton, and like them. */
static od_status descend(od_context *ctx, od_wide *w, bool squares, unsigned *rounds)
{
    enum { MOST = 40 };
    static const double good = 0.1, least = 1e-3;
    /* of squares steps of Gauss and Newton gain less and less where an orbit bends; its radius is only one entry */
    const double accuracy = w->chain->affine ? 1e-9 : squares ? 1e-5 : 1e-6;
    for (int round = 0; round < MOST; round++) {
        od_status status = solve(ctx, w, squares, accuracy);
        const double now = squares ? sqrt(w->sum) : w->radius, hoped = now - w->value;
        if (status != OD_OK || !(hoped > accuracy * now)) {
            return status;
        }
        ++*rounds;
        double length = 1;
        for (; length >= least; length /= 4) {
            od_wide_walk found;
            for (size_t i = 0; i < w->d; i++) {
                w->trial[i] = w->x[i] + length * w->along[i] / w->target->weight[i];
            }
            status = od_wide_run(ctx, w, w->trial, &found);
            if (status != OD_OK && status != OD_EDIVERGED) {
                return status;
            }
            if (status == OD_OK && now - (squares ? sqrt(found.sum) : found.radius) >= good * length * hoped) {
                od_wide_accept(w, &found);
                break;
            }
        }
        if (length < least) {
            break;
        }
    }
    return OD_OK;
}

/* From y_0, or from the start of `from`. */
static od_status begin(od_context *ctx, od_wide *w, const double *from)
{
    od_wide_walk found;
    memcpy(w->trial, from, w->d * sizeof *from);
    od_status status = od_wide_run(ctx, w, w->trial, &found);
    if (status == OD_OK) {
        od_wide_accept(w, &found);
    }
    return status == OD_EDIVERGED ? od_fail(ctx, OD_EDIVERGED, "shadow",
                                            "the orbit of the %s from the same start does not stay finite; run fewer "
                                            "iterations or take a smaller step",
                                            w->chain->what)
                                  : status;
}

static void tell(const od_wide *w, od_shadow *best)
{
    best->radius = w->radius;
    best->at = w->at;
    best->defect = 0;
    if (best->start != NULL) {
        memcpy(best->start, w->x, w->d * sizeof *w->x);
    }
}

od_status od_wide_least_squares(od_context *ctx, od_wide *w, od_shadow *best, double *rms)
{
    unsigned rounds = 0;
    w->imaged = false;
    od_status status = begin(ctx, w, w->target->y);
    w->same = w->radius;
    status = status == OD_OK ? descend(ctx, w, true, &rounds) : status;
    if (status != OD_OK) {
        return status;
    }
    tell(w, best);
    if (rms != NULL) {
        *rms = sqrt(w->sum / (double)(w->chain->steps + 1));
    }
    w->solved = true;
    return OD_OK;
}

od_status od_wide_minimax(od_context *ctx, od_wide *w, od_minimax *found)
{
    od_shadow mean = {.radius = NAN};
    *found = (od_minimax){.best.start = found->best.start, .lower = NAN};
    od_status status = w->solved ? OD_OK : od_wide_least_squares(ctx, w, &mean, NULL);
    /* the search only comes nearer, so it begins at the nearer of the two */
    if (status == OD_OK && w->same < w->radius) {
        w->imaged = w->imaged && w->chain->affine;
        status = begin(ctx, w, w->target->y);
    }
    w->solved = false; /* x moves on */
    status = status == OD_OK ? descend(ctx, w, false, &found->rounds) : status;
    if (status != OD_OK) {
        return status;
    }
    tell(w, &found->best);
    found->local_lower = fmin(w->lower, w->radius);
    found->lower = w->chain->affine ? found->local_lower : NAN;
    if (w->lower > 0) {
        od_minimax_name_active(found, w->all / w->d, NULL, w->multiplier);
    }
    return OD_OK;
}
