/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trajectory.h"

#include "../src/memory.h"
#include "../src/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4, HERMITE = 9 };

/* Substeps of the midpoint rule; the extrapolated value has order 2 ROWS. */
static const unsigned substeps[ROWS] = {2, 4, 6, 8};

struct od_trajectory {
    const od_member *m;
    const od_flow *flow;
    size_t d, dim;
    double t0, t2, rtol;
    double *z0; /* [dim] */
    size_t panels, room;
    double *edge;                 /* [panels + 1] times */
    double *node;                 /* panel k at node + k*6*d: z and v' at its start and its middle; the end follows */
    double *z, *x, *state, *rate; /* [dim] each */
    double *table;                /* [ROWS*dim] */
    double *pair;                 /* [2*dim] */
    double *basis;                /* [d*d] directions and [d] */
    double *memory, *ws, *problem_ws;
    double weight[3][3][HERMITE]; /* Hermite's basis: [node][derivative][power of s] */
};

/* ------------------------------------------------------------------------------------------- refusals */

od_status od_trajectory_check(od_context *ctx, const od_member *m)
{
    const od_problem *f = m->problem;
    if (!m->has_flow) {
        return od_fail(ctx, OD_EUNSUPPORTED, "until",
                       "this is a question about the flow, and only the iteration is run; give until and integrator");
    }
    const char *method = m->method_choice.method->name;
    if (m->flow.lagrangian == NULL || !m->flow.second_order) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method.name",
                       "the flow of '%s' is not the Euler-Lagrange equation of a Lagrangian here; take nesterov, "
                       "heavy-ball, bregman or memory with a forgetting that has one",
                       method);
    }
    if (m->flow.noise.shape != OD_NOISE_NONE) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method.noise",
                       "the action belongs to the flow without noise; remove method.noise");
    }
    if (f->rough != NULL || f->hvp == NULL) {
        return od_fail(ctx, OD_EUNSUPPORTED, "problem.name",
                       "the second variation needs the Hessian of '%s', and %s; take a smooth loss", f->name,
                       f->rough != NULL ? f->rough : "the problem offers no products with it");
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- interpolation */

/* Polynomials of degree 8 that are 1 in one of value, slope and curvature at s = -1, 0, 1: there no power is large. */
static void make_basis(double weight[3][3][HERMITE])
{
    for (int node = 0; node < 3; node++) {
        for (int derivative = 0; derivative < 3; derivative++) {
            double a[HERMITE][HERMITE + 1] = {{0}};
            for (int row = 0; row < HERMITE; row++) {
                const double s = row / 3 - 1;
                for (int k = row % 3; k < HERMITE; k++) {
                    const double factor = row % 3 == 0 ? 1 : row % 3 == 1 ? k : k * (k - 1.0);
                    a[row][k] = factor * (k == row % 3 ? 1 : pow(s, k - row % 3));
                }
                a[row][HERMITE] = row == 3 * node + derivative;
            }
            for (int c = 0; c < HERMITE; c++) {
                int best = c;
                for (int row = c + 1; row < HERMITE; row++) {
                    best = fabs(a[row][c]) > fabs(a[best][c]) ? row : best;
                }
                for (int k = 0; k <= HERMITE; k++) {
                    const double swap = a[c][k];
                    a[c][k] = a[best][k];
                    a[best][k] = swap;
                }
                for (int row = 0; row < HERMITE; row++) {
                    const double factor = row == c ? 0 : a[row][c] / a[c][c];
                    for (int k = c; k <= HERMITE && factor != 0; k++) {
                        a[row][k] -= factor * a[c][k];
                    }
                }
            }
            for (int k = 0; k < HERMITE; k++) {
                weight[node][derivative][k] = a[k][HERMITE] / a[k][k];
            }
        }
    }
}

/* The derivative-th time derivative of the panel's polynomial; `node` holds (x, v, v') at its three nodes. */
static void interpolate(const od_trajectory *path, const double *node, double length, double theta, int derivative,
                        double *out)
{
    const double s = 2 * theta - 1, half = length / 2;
    double power[HERMITE] = {0}, c[3][3];
    for (int k = derivative; k < HERMITE; k++) {
        double factor = 1;
        for (int j = 0; j < derivative; j++) {
            factor *= k - j;
        }
        power[k] = factor * (k == derivative ? 1 : pow(s, k - derivative));
    }
    for (int a = 0; a < 9; a++) {
        c[a / 3][a % 3] = 0;
        for (int k = HERMITE - 1; k >= 0; k--) {
            c[a / 3][a % 3] += path->weight[a / 3][a % 3][k] * power[k];
        }
    }
    const double scale = pow(half, -derivative), whole = derivative == 0 ? 1 : 0;
    for (size_t i = 0; i < path->d; i++) {
        /* off the middle node, so that nothing is lost where x hardly moves */
        const double *at = node + i, middle = at[3 * path->d];
        const double values = c[0][0] * (at[0] - middle) + c[2][0] * (at[6 * path->d] - middle);
        const double slopes = c[0][1] * at[path->d] + c[1][1] * at[4 * path->d] + c[2][1] * at[7 * path->d];
        const double bends = c[0][2] * at[2 * path->d] + c[1][2] * at[5 * path->d] + c[2][2] * at[8 * path->d];
        out[i] = whole * middle + scale * (values + half * (slopes + half * bends));
    }
}

/* ------------------------------------------------------------------------------------------- steps */

static od_status midpoint_rule(od_trajectory *path, double t, double h, unsigned n, const double *z, double *out)
{
    const size_t dim = path->dim;
    const double step = h / n;
    double *before = path->pair, *now = path->pair + dim;
    od_status status = path->flow->drift(path->flow, t, 1, z, path->rate, path->ws);
    for (size_t i = 0; i < dim; i++) {
        before[i] = z[i];
        now[i] = z[i] + step * path->rate[i];
    }
    for (unsigned k = 1; k < n && status == OD_OK; k++) {
        status = path->flow->drift(path->flow, t + k * step, 1, now, path->rate, path->ws);
        for (size_t i = 0; i < dim; i++) {
            const double next = before[i] + 2 * step * path->rate[i];
            before[i] = now[i];
            now[i] = next;
        }
    }
    memcpy(out, now, dim * sizeof *out);
    return status;
}

static double norm(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * x[i];
    }
    return sqrt(sum);
}

/* z1[dim] after one step; error[2]: sizes of the last correction in x and in v. */
static od_status step(od_trajectory *path, double t, double h, const double *z, double *z1, double error[2])
{
    const size_t dim = path->dim, d = path->d;
    od_status status = OD_OK;
    for (size_t row = 0; row < ROWS && status == OD_OK; row++) {
        status = midpoint_rule(path, t, h, substeps[row], z, path->table + row * dim);
    }
    error[0] = error[1] = 0;
    for (size_t i = 0; i < dim && status == OD_OK; i++) {
        double column[ROWS];
        /* increments rather than values, so that the extrapolation's cancellation is that of the increments */
        for (size_t row = 0; row < ROWS; row++) {
            column[row] = path->table[row * dim + i] - z[i];
        }
        double last = 0;
        for (size_t order = 1; order < ROWS; order++) {
            for (size_t row = ROWS - 1; row >= order; row--) {
                const double ratio = (double)substeps[row] / substeps[row - order];
                const double change = (column[row] - column[row - 1]) / (ratio * ratio - 1);
                last = row == ROWS - 1 ? change : last;
                column[row] += change;
            }
        }
        z1[i] = z[i] + column[ROWS - 1];
        error[i >= d] += last * last;
    }
    error[0] = sqrt(error[0]);
    error[1] = sqrt(error[1]);
    return status;
}

static od_status slope(od_trajectory *path, double t, const double *z, double *out)
{
    od_status status = path->flow->drift(path->flow, t, 1, z, path->rate, path->ws);
    memcpy(out, path->rate + path->d, path->d * sizeof *out);
    return status;
}

/*
 * Fills the panel from t to t + length, whose first node stands in `node`; *excess is the largest error over its bound,
 * infinite where something is not finite.
 */
static od_status try_panel(od_trajectory *path, double t, double length, double *node, double *excess)
{
    const size_t d = path->d;
    const double half = length / 2;
    double error[2][2], sizes[2] = {0, 0}, worst[2];
    od_status status = step(path, t, half, node, node + 3 * d, error[0]);
    status = status == OD_OK ? slope(path, t + half, node + 3 * d, node + 5 * d) : status;
    status = status == OD_OK ? step(path, t + half, half, node + 3 * d, node + 6 * d, error[1]) : status;
    status = status == OD_OK ? slope(path, t + length, node + 6 * d, node + 8 * d) : status;
    for (int k = 0; k < 3; k++) {
        const double *at = node + 3 * (size_t)k * d;
        const double x = norm(d, at), v = norm(d, at + d), a = norm(d, at + 2 * d);
        sizes[0] = fmax(sizes[0], x + length * v);
        sizes[1] = fmax(sizes[1], v + length * a);
    }
    for (int b = 0; b < 2; b++) {
        worst[b] = error[0][b] + error[1][b];
    }
    /* what the polynomial leaves of the equation at the quarters */
    for (int k = 1; k < 4 && status == OD_OK; k += 2) {
        interpolate(path, node, length, k / 4.0, 0, path->state);
        interpolate(path, node, length, k / 4.0, 1, path->state + d);
        status = slope(path, t + length * k / 4, path->state, path->z);
        interpolate(path, node, length, k / 4.0, 2, path->state);
        for (size_t i = 0; i < d; i++) {
            path->z[i] -= path->state[i];
        }
        const double defect = length * norm(d, path->z);
        /* rounding of the nodes shows in the second derivative, enlarged by the basis: it is no error of the panel */
        worst[1] = fmax(worst[1], defect - 256 * 0x1p-52 * (sizes[1] + sizes[0] / length));
    }
    *excess = 0;
    for (int b = 0; b < 2; b++) {
        const double ratio = worst[b] / (path->rtol * sizes[b]);
        *excess = !isfinite(worst[b]) || !isfinite(sizes[b]) ? INFINITY : fmax(*excess, sizes[b] > 0 ? ratio : 0);
    }
    return status;
}

static od_status grow(od_context *ctx, od_trajectory *path)
{
    if (path->panels + 1 < path->room) {
        return OD_OK;
    }
    const size_t room = 2 * path->room + 64, width = 6 * path->d;
    double *edge = realloc(path->edge, (room + 1) * sizeof *edge);
    path->edge = edge != NULL ? edge : path->edge;
    double *node = room <= SIZE_MAX / 16 / width ? realloc(path->node, (room + 1) * width * sizeof *node) : NULL;
    path->node = node != NULL ? node : path->node;
    if (edge == NULL || node == NULL) {
        return od_fail(ctx, OD_ENOMEM, "until", "no memory for the path of %zu panels in %zu dimensions", room,
                       path->d);
    }
    path->room = room;
    return OD_OK;
}

static od_status solve(od_context *ctx, od_trajectory *path)
{
    double t = path->t0, length = (path->t2 - t) / 8;
    od_status status = grow(ctx, path);
    if (status != OD_OK) {
        return status;
    }
    path->edge[0] = t;
    memcpy(path->node, path->z0, path->dim * sizeof *path->node);
    status = slope(path, t, path->node, path->node + path->dim);
    while (status == OD_OK && t < path->t2) {
        double excess;
        if (od_cancelled(ctx)) {
            return od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the path was solved");
        }
        const bool last = t + length >= path->t2 * (1 - 1e-15);
        const double end = last ? path->t2 : t + length;
        status = try_panel(path, t, end - t, path->node + path->panels * 6 * path->d, &excess);
        if (status != OD_OK) {
            break;
        }
        length = (end - t) * fmin(3, fmax(0.2, 0.9 * pow(fmax(excess, 1e-9), -1.0 / 8)));
        if (excess <= 1) {
            path->edge[++path->panels] = t = end;
            if ((status = grow(ctx, path)) != OD_OK) {
                return status;
            }
        } else if (length < 16 * 0x1p-52 * fmax(fabs(t), path->t2 - path->t0)) {
            return od_fail(ctx, isfinite(excess) ? OD_ENUMERIC : OD_EDIVERGED, "interval",
                           isfinite(excess) ? "the path of %s is not smooth enough at t = %.9g; end the interval before"
                                            : "the path of %s diverged at t = %.9g; end the interval before",
                           path->m->label, t);
        }
    }
    return status == OD_OK ? OD_OK : od_fail(ctx, status, "method", "the flow could not be evaluated near t = %.9g", t);
}

/* ------------------------------------------------------------------------------------------- the object */

static od_status open_path(od_context *ctx, const od_member *m, double t2, double rtol, od_trajectory *path)
{
    const size_t d = m->problem->dim, dim = 2 * d;
    path->m = m;
    path->flow = &m->flow;
    path->d = d;
    path->dim = dim;
    path->t0 = m->start.t;
    path->t2 = t2;
    path->rtol = fmax(rtol, 1e-14);
    const size_t ws = od_scratch_size(&m->flow.scratch, 1), problem_ws = od_scratch_size(&m->problem->scratch, 1);
    path->memory = od_zalloc((7 + ROWS) * dim + d + ws + problem_ws, sizeof *path->memory);
    if (path->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a path in %zu dimensions", d);
    }
    double *next = path->memory;
    double **const parts[] = {&path->z0, &path->z, &path->x, &path->state, &path->rate};
    for (size_t i = 0; i < 5; i++, next += dim) {
        *parts[i] = next;
    }
    path->pair = next;
    path->table = next + 2 * dim;
    path->basis = path->table + ROWS * dim;
    path->ws = path->basis + d;
    path->problem_ws = path->ws + ws;
    if (od_start_fill(m, 0, 1, path->z0, path->ws) != OD_OK) {
        return od_fail(ctx, OD_EUSER, "start", "the start could not be evaluated");
    }
    make_basis(path->weight);
    return path->flow->exact != NULL ? OD_OK : solve(ctx, path);
}

od_status od_trajectory_create(od_context *ctx, const od_member *m, double t2, double rtol, od_trajectory **path)
{
    *path = NULL;
    od_status status = od_trajectory_check(ctx, m);
    if (status != OD_OK) {
        return status;
    }
    od_trajectory *made = od_zalloc(1, sizeof *made);
    status = made != NULL ? open_path(ctx, m, t2, rtol, made) : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a path");
    if (status != OD_OK) {
        od_trajectory_free(made);
        return status;
    }
    *path = made;
    return OD_OK;
}

void od_trajectory_free(od_trajectory *path)
{
    if (path != NULL) {
        free(path->edge);
        free(path->node);
        free(path->memory);
        free(path);
    }
}

const od_member *od_trajectory_member(const od_trajectory *path)
{
    return path->m;
}

static size_t panel_of(const od_trajectory *path, double t)
{
    size_t low = 0, high = path->panels;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (path->edge[middle] <= t) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

od_status od_trajectory_at(od_trajectory *path, double t, double *x, double *v)
{
    const size_t d = path->d;
    if (!(t >= path->t0 && t <= path->t2)) {
        return OD_EINVAL;
    }
    if (path->flow->exact != NULL) {
        od_status status = path->flow->exact(path->flow, path->t0, 1, path->z0, t, path->z, path->ws);
        for (size_t i = 0; i < d && status == OD_OK; i++) {
            if (x != NULL) {
                x[i] = path->z[i];
            }
            if (v != NULL) {
                v[i] = path->z[d + i];
            }
        }
        return status;
    }
    if (t == path->t0) { /* at rest is at rest: interpolation would leave a rounding of velocity */
        if (x != NULL) {
            memcpy(x, path->z0, d * sizeof *x);
        }
        if (v != NULL) {
            memcpy(v, path->z0 + d, d * sizeof *v);
        }
        return OD_OK;
    }
    const size_t k = panel_of(path, t);
    const double length = path->edge[k + 1] - path->edge[k], theta = (t - path->edge[k]) / length;
    if (x != NULL) {
        interpolate(path, path->node + k * 6 * d, length, theta, 0, x);
    }
    if (v != NULL) {
        interpolate(path, path->node + k * 6 * d, length, theta, 1, v);
    }
    return OD_OK;
}

/* Differences of a closed form at the best of several distances: all of them only add error to v'. */
static od_status differences(od_trajectory *path, double t, double *a)
{
    const size_t d = path->d;
    double best = INFINITY;
    for (double h = 1e-2 * (path->t2 - path->t0); h > 2e-5 * (path->t2 - path->t0); h /= 3) {
        double *sum = path->rate;
        od_status status = OD_OK;
        memset(sum, 0, d * sizeof *sum);
        /* five points, central or one-sided, with weights by Lagrange */
        const double begin = fmin(fmax(t - 2 * h, path->t0), path->t2 - 4 * h);
        for (int j = 0; j < 5 && status == OD_OK; j++) {
            double weight = 0;
            for (int l = 0; l < 5; l++) {
                double product = l == j ? 0 : 1 / ((j - l) * h);
                for (int k = 0; k < 5; k++) {
                    product *= k == j || k == l ? 1 : (t - begin - k * h) / ((j - k) * h);
                }
                weight += product;
            }
            status = od_trajectory_at(path, fmin(fmax(begin + j * h, path->t0), path->t2), NULL, path->state);
            for (size_t i = 0; i < d; i++) {
                sum[i] += weight * path->state[i];
            }
        }
        status = status == OD_OK ? od_trajectory_at(path, t, path->state, path->state + d) : status;
        status = status == OD_OK ? path->flow->drift(path->flow, t, 1, path->state, path->pair, path->ws) : status;
        if (status != OD_OK) {
            return status;
        }
        double off = 0;
        for (size_t i = 0; i < d; i++) {
            off = fmax(off, fabs(sum[i] - path->pair[d + i]));
        }
        if (off < best) {
            best = off;
            memcpy(a, sum, d * sizeof *a);
        }
    }
    return OD_OK;
}

od_status od_trajectory_acceleration(od_trajectory *path, double t, double *a)
{
    if (!(t >= path->t0 && t <= path->t2)) {
        return OD_EINVAL;
    }
    if (path->flow->exact != NULL) {
        return differences(path, t, a);
    }
    const size_t k = panel_of(path, t);
    const double length = path->edge[k + 1] - path->edge[k];
    interpolate(path, path->node + k * 6 * path->d, length, (t - path->edge[k]) / length, 2, a);
    return OD_OK;
}

bool od_trajectory_is_quadratic(const od_trajectory *path)
{
    return path->m->problem->spectrum != NULL;
}

od_status od_trajectory_products(od_trajectory *path, double t, size_t m, const double *u, double *hu)
{
    const od_problem *f = path->m->problem;
    od_status status = od_trajectory_is_quadratic(path) ? OD_OK : od_trajectory_at(path, t, path->x, NULL);
    return status == OD_OK ? f->hvp(f, 1, path->x, m, u, hu, path->problem_ws) : status;
}

od_status od_trajectory_product(void *user, const double *v, double *av)
{
    const od_instant *at = user;
    return od_trajectory_products(at->path, at->t, 1, v, av);
}

od_status od_trajectory_hessian(od_trajectory *path, double t, double *h)
{
    const size_t d = path->d;
    const od_problem *f = path->m->problem;
    od_status status = od_trajectory_is_quadratic(path) ? OD_OK : od_trajectory_at(path, t, path->x, NULL);
    for (size_t i = 0; i < d && status == OD_OK; i++) {
        memset(path->basis, 0, d * sizeof *path->basis);
        path->basis[i] = 1;
        status = f->hvp(f, 1, path->x, 1, path->basis, h + i * d, path->problem_ws);
    }
    for (size_t i = 0; i < d && status == OD_OK; i++) {
        for (size_t j = 0; j < i; j++) {
            h[i * d + j] = h[j * d + i] = (h[i * d + j] + h[j * d + i]) / 2;
        }
    }
    return status;
}
