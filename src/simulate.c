/*
 * The block driver.
 *
 * Paths are cut into leaves of 128, leaves into blocks; a block runs from start to end before the next one, so memory
 * does not grow with the number of paths. Within a leaf paths are added in their order, leaves are merged over a fixed
 * binary tree: sums do not depend on threads or block size.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "simulate.h"

#include "batch.h"
#include "context.h"
#include "start.h"
#include "stepper.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------- tallies */

size_t od_member_map_columns(const od_member *m)
{
    return m->columns + (m->has_flow ? 2 : 0);
}

static size_t gap_rows(const od_member *m)
{
    return m->has_flow && m->has_map && m->paths > 1 ? (size_t)m->iterations + 1 : 0;
}

static bool keeps_covariance(const od_member *m)
{
    return m->paths > 1 && m->dim <= OD_MAX_COVARIANCE;
}

static bool tally_init(const od_member *m, od_tally *a)
{
    *a = (od_tally){.first_stop = NAN, .gap_max = NAN, .gap_at = NAN, .reached = NAN, .flow_t = NAN, .map_t = NAN};
    const size_t final_rows = 1, cov = keeps_covariance(m) ? m->dim * m->dim : 0;
    bool ok = od_moments_init(&a->flow, (size_t)od_member_flow_rows(m), m->columns) &&
              od_moments_init(&a->map, (size_t)od_member_map_rows(m), od_member_map_columns(m)) &&
              od_moments_init(&a->gap, gap_rows(m), 1) && od_moments_init(&a->flow_final, final_rows, m->dim) &&
              od_moments_init(&a->map_final, final_rows, m->dim);
    if (ok && cov > 0) {
        a->flow_cov = od_zalloc(cov, sizeof *a->flow_cov);
        a->map_cov = od_zalloc(cov, sizeof *a->map_cov);
        ok = a->flow_cov != NULL && a->map_cov != NULL;
    }
    if (!ok) {
        od_tally_free(a);
    }
    return ok;
}

void od_tally_free(od_tally *a)
{
    od_moments_free(&a->flow);
    od_moments_free(&a->map);
    od_moments_free(&a->gap);
    od_moments_free(&a->flow_final);
    od_moments_free(&a->map_final);
    free(a->flow_cov);
    free(a->map_cov);
    free(a->flow_bins);
    free(a->map_bins);
    *a = (od_tally){0};
}

double od_simulate_memory(const od_experiment *e, const od_member *m)
{
    const double rows = (double)od_member_flow_rows(m) * (double)m->columns +
                        (double)od_member_map_rows(m) * (double)od_member_map_columns(m) + (double)gap_rows(m);
    const double n = m->paths < e->block ? (double)m->paths : (double)e->block;
    const double states = 6.0 * (double)m->dim * n + (double)m->noise.dim * n +
                          (m->has_flow ? (double)od_stepper_scratch(m->integrator_choice.integrator, &m->flow, 1) * n
                                       : 0);
    /* each thread holds a block and, with several leaves, tallies waiting for their sibling */
    const double bins = m->quantile_count > 0 ? rows * OD_BINS * 4.0 : 0;
    const double tallies = m->paths > OD_LEAF ? 2.0 * e->threads + 8 : 1;
    return bins + 8 * (2 * rows * tallies + states * (e->threads > 0 ? e->threads : 1));
}

/* ------------------------------------------------------------------------------------------- one thread's block */

typedef struct worker {
    const od_experiment *e;
    const od_member *m;
    od_context *ctx;                   /* shared: cancellation and progress only */
    od_context *errors;                /* this thread's own */
    atomic_uint *flow_bins, *map_bins; /* of all threads, NULL unless quantiles are asked for */
    od_tally *tally;
    uint64_t first; /* path */
    size_t n;
    double *memory;
    double *z, *z1, *dense, *x_map,
        *before; /* states: flow at t_n and t_{n+1}, dense output, map, map before its step */
    double *dw, *q, *tau, *ws;
    uint32_t *index;
    bool *alive; /* [n] the path has not stopped */
    size_t alive_count;
    od_stepper stepper;
    uint64_t step; /* z is the flow at step `step` ... */
    bool ahead;    /* ... and z1 at the next */
    double t;      /* adaptive and exact schemes: time of z */
    double now;    /* time of the last state reported */
    uint64_t steps;
    od_interval flow_noise, map_noise; /* of the first step and iteration */
    bool ended;                        /* by `stop` */
    od_share share;
    bool reports; /* this thread reports progress from within a block */
} worker;

static bool open_worker(worker *w)
{
    const od_member *m = w->m;
    const size_t n = m->paths < w->e->block ? (size_t)m->paths : w->e->block, state = m->dim * n;
    const od_scratch *need[3] = {&m->problem->scratch, m->has_flow ? &m->flow.scratch : NULL,
                                 m->has_map ? &m->map.scratch : NULL};
    size_t ws = 0;
    for (size_t i = 0; i < 3; i++) {
        const size_t size = need[i] != NULL ? od_scratch_size(need[i], n) : 0;
        ws = size > ws ? size : ws;
    }
    if (m->has_flow) {
        const size_t size = od_stepper_scratch(m->integrator_choice.integrator, &m->flow, n);
        ws = size > ws ? size : ws;
    }
    const size_t quantities = od_member_map_columns(m) + m->block[0].length; /* and room for one gradient */
    const size_t total = 5 * state + m->noise.dim * n + quantities * n + n + ws;
    w->memory = od_zalloc(total, sizeof(double));
    w->index = od_zalloc(m->has_map ? m->map.batch * n : 0, sizeof *w->index);
    w->alive = od_zalloc(n, sizeof *w->alive);
    w->errors = od_context_create();
    if (w->errors == NULL || w->memory == NULL || w->index == NULL || w->alive == NULL) {
        return false;
    }
    double *next = w->memory;
    double **const states[5] = {&w->z, &w->z1, &w->dense, &w->x_map, &w->before};
    for (size_t i = 0; i < 5; i++) {
        *states[i] = next;
        next += state;
    }
    w->dw = next;
    w->q = w->dw + m->noise.dim * n;
    w->tau = w->q + quantities * n;
    w->ws = w->tau + n;
    w->steps = m->has_flow && !isnan(m->step) ? od_member_steps(m) : 0;
    if (m->has_flow) {
        w->stepper = (od_stepper){.type = m->integrator_choice.integrator,
                                  .settings = m->integrator_choice.settings,
                                  .flow = &m->flow,
                                  .origin = m->start.t};
    }
    if (m->has_flow && m->flow.noise.dim > 0) {
        od_brownian_interval(&m->noise, m->start.t, m->start.t + m->step, &w->flow_noise);
    }
    if (m->has_map && m->map.noise_dim > 0) {
        od_brownian_interval(&m->noise, m->start.t, m->start.t + m->map.tau, &w->map_noise);
    }
    return true;
}

static void close_worker(worker *w)
{
    od_context_free(w->errors);
    free(w->memory);
    free(w->index);
    free(w->alive);
}

/*
 * A sum is finite only if its terms are; where it is not, which finite terms can bring about too, each is looked at.
 * Sixteen sums, so that the loop vectorises and no addition waits for the one before.
 */
static bool all_finite(const double *z, size_t size)
{
    enum { LANES = 16 };
    double sum[LANES] = {0}, total = 0;
    const size_t whole = size - size % LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            sum[lane] += z[i + lane];
        }
    }
    for (size_t lane = 0; lane < LANES && whole > 0; lane++) {
        total += sum[lane];
    }
    for (size_t i = whole; i < size; i++) {
        total += z[i];
    }
    bool finite = isfinite(total);
    for (size_t i = 0; !finite && i < size && isfinite(z[i]); i++) {
        finite = i + 1 == size;
    }
    return finite;
}

/* Stops the paths whose state is not finite; every stopped path keeps its last finite state. */
static void stop_paths(worker *w, const double *last, double *state, double t)
{
    for (size_t p = 0; p < w->n; p++) {
        bool finite = true;
        for (size_t i = 0; i < w->m->dim; i++) {
            finite = finite && isfinite(state[i * w->n + p]);
        }
        if (!finite && w->alive[p]) {
            w->alive[p] = false;
            w->alive_count--;
            w->tally->stopped++;
            if (!(w->tally->first_stop <= t)) {
                w->tally->first_stop = t;
                snprintf(w->tally->trouble, sizeof w->tally->trouble, "%s", w->stepper.trouble);
            }
        }
        for (size_t i = 0; i < w->m->dim && !w->alive[p]; i++) {
            state[i * w->n + p] = last[i * w->n + p];
        }
    }
}

static void check_states(worker *w, const double *last, double *state, double t)
{
    if (w->alive_count < w->n || !all_finite(state, w->m->dim * w->n)) {
        stop_paths(w, last, state, t);
    }
}

/* ------------------------------------------------------------------------------------------- recording */

/* Quantities of n states into q[c*n + p]; returns the first row of q after them. */
static od_status measure(worker *w, const double *state, double *q)
{
    const od_member *m = w->m;
    const od_problem *f = m->problem;
    const size_t n = w->n, d = f->dim;
    double *gradient = w->q + od_member_map_columns(m) * n;
    od_status status = OD_OK;
    for (size_t i = 0; i < m->quantity_count && status == OD_OK; i++) {
        const size_t length = od_member_quantity_length(m, i);
        switch (m->quantity[i].kind) {
        case OD_QUANTITY_LOSS: status = f->eval(f, OD_VALUE, n, state, q, NULL, w->ws); break;
        case OD_QUANTITY_GRADIENT: status = f->eval(f, OD_GRADIENT, n, state, NULL, gradient, w->ws); break;
        case OD_QUANTITY_DISTANCE:
            for (size_t j = 0; j < d; j++) {
                for (size_t p = 0; p < n; p++) {
                    gradient[j * n + p] = state[j * n + p] - f->minimiser[j];
                }
            }
            break;
        case OD_QUANTITY_BLOCK: {
            const double *block = state;
            for (size_t b = 0; strcmp(m->block[b].name, m->quantity[i].name) != 0; b++) {
                block += m->block[b].length * n;
            }
            memcpy(q, block, length * n * sizeof *q);
        }
        }
        if (m->quantity[i].kind == OD_QUANTITY_GRADIENT || m->quantity[i].kind == OD_QUANTITY_DISTANCE) {
            memset(q, 0, n * sizeof *q);
            for (size_t j = 0; j < d; j++) {
                for (size_t p = 0; p < n; p++) {
                    q[p] += gradient[j * n + p] * gradient[j * n + p];
                }
            }
            for (size_t p = 0; p < n; p++) {
                q[p] = sqrt(q[p]);
            }
        }
        q += length * n;
    }
    return status;
}

static void add_row(worker *w, od_moments *to, atomic_uint *bins, size_t row, const double *q)
{
    for (size_t p = 0; p < w->n; p++) {
        if (w->alive[p]) {
            od_moments_add(to, row, q + p, w->n);
        }
        for (size_t c = 0; bins != NULL && w->alive[p] && c < to->cols; c++) {
            const double x = q[c * w->n + p];
            if (!isnan(x)) { /* a gap after the end of the flow is unknown */
                atomic_fetch_add_explicit(&bins[(row * to->cols + c) * OD_BINS + od_bin(x)], 1, memory_order_relaxed);
            }
        }
    }
}

static od_status show_observers(worker *w, bool iteration, uint64_t row, double t, const double *state)
{
    const od_view view = {.label = w->m->label,
                          .iteration = iteration,
                          .row = row,
                          .t = t,
                          .first_path = w->first,
                          .n = w->n,
                          .dim = w->m->dim,
                          .z = state,
                          .alive = w->alive,
                          .problem = w->m->problem};
    od_status status = OD_OK;
    for (size_t i = 0; i < w->e->observer_count && status == OD_OK; i++) {
        status = w->e->observer[i].observe(w->e->observer[i].user, &view);
    }
    return status;
}

static od_status record_flow(worker *w, uint64_t row, double t, const double *state)
{
    od_status status = measure(w, state, w->q);
    if (status == OD_OK && row < w->tally->flow.rows) {
        add_row(w, &w->tally->flow, w->flow_bins, (size_t)row, w->q);
    }
    return status == OD_OK ? show_observers(w, false, row, t, state) : status;
}

/* |x_flow - x_map| and its ratio to |x_flow| into two rows of q. */
static void measure_gap(const worker *w, const double *flow_state, double *q)
{
    const size_t n = w->n, d = w->m->block[0].length;
    memset(q, 0, 2 * n * sizeof *q);
    for (size_t i = 0; i < d; i++) {
        for (size_t p = 0; p < n; p++) {
            const double x = flow_state[i * n + p], difference = x - w->x_map[i * n + p];
            q[p] += difference * difference;
            q[n + p] += x * x;
        }
    }
    for (size_t p = 0; p < n; p++) {
        q[p] = sqrt(q[p]);
        q[n + p] = q[p] / sqrt(q[n + p]);
    }
}

/* The map's state after k iterations at time t; flow_state is the flow at that time, or NULL. */
static od_status record_map(worker *w, uint64_t k, double t, const double *flow_state)
{
    const od_member *m = w->m;
    double *gap = w->q + m->columns * w->n;
    if (flow_state != NULL) {
        measure_gap(w, flow_state, gap);
        for (size_t p = 0; p < w->n && w->tally->gap.rows > 0; p++) {
            const double square = gap[p] * gap[p];
            if (w->alive[p]) {
                od_moments_add(&w->tally->gap, (size_t)k, &square, 1);
            }
        }
        if (m->paths == 1 && w->alive[0] && !(w->tally->gap_max >= gap[0])) {
            w->tally->gap_max = gap[0];
            w->tally->gap_at = t;
        }
    } else if (m->has_flow) {
        for (size_t p = 0; p < 2 * w->n; p++) {
            gap[p] = NAN;
        }
    }
    if (k % m->stride != 0 && k != m->iterations && !w->ended) {
        return OD_OK;
    }
    od_status status = measure(w, w->x_map, w->q);
    const uint64_t row = (k + m->stride - 1) / m->stride;
    if (status == OD_OK) {
        add_row(w, &w->tally->map, w->map_bins, (size_t)row, w->q);
    }
    return status == OD_OK ? show_observers(w, true, row, t, w->x_map) : status;
}

/* True if `stop` is met by the single path there is. */
static bool meets_stop(worker *w, const double *state, od_status *status)
{
    const od_member *m = w->m;
    if (isnan(m->stop_loss) && isnan(m->stop_gradient)) {
        return false;
    }
    double f = NAN, *g = w->q + od_member_map_columns(m) * w->n;
    *status = m->problem->eval(m->problem, OD_VALUE | OD_GRADIENT, 1, state, &f, g, w->ws);
    double norm = 0;
    for (size_t i = 0; i < m->problem->dim; i++) {
        norm += g[i] * g[i];
    }
    return f <= m->stop_loss || sqrt(norm) <= m->stop_gradient;
}

/* ------------------------------------------------------------------------------------------- the flow */

static double grid_time(const worker *w, uint64_t step)
{
    return step >= w->steps ? w->m->until : w->m->start.t + (double)step * w->m->step;
}

/* The step in use: h but for a shortened last one, so that equal steps are equal to the bit. */
static double step_size(const worker *w, uint64_t step)
{
    const od_member *m = w->m;
    const double last = m->until - (m->start.t + (double)step * m->step);
    return step + 1 == w->steps && fabs(last - m->step) > 1e-6 * m->step ? last : m->step;
}

static od_status compute_step(worker *w)
{
    const od_member *m = w->m;
    const double t = grid_time(w, w->step), h = step_size(w, w->step);
    const double *dw = NULL;
    if (m->flow.noise.dim > 0) {
        od_interval interval = w->flow_noise;
        interval.first += w->step * interval.count;
        od_brownian_increment(&m->noise, &interval, w->first, w->n, w->dw, NULL);
        dw = w->dw;
    }
    od_status status = w->stepper.type->step(&w->stepper, t, h, w->n, w->z, dw, w->z1, w->ws);
    /* stopped paths are carried along, but whether they are depends on the block; so they do not count */
    w->tally->evaluations += w->alive_count *
                             (w->stepper.type->drifts != NULL ? w->stepper.type->drifts(&w->stepper, t, h) : 1);
    check_states(w, w->z, w->z1, grid_time(w, w->step + 1));
    w->ahead = true;
    return status;
}

static od_status accept_step(worker *w)
{
    double *z = w->z;
    w->z = w->z1;
    w->z1 = z;
    w->ahead = false;
    w->step++;
    w->now = grid_time(w, w->step);
    od_status status = OD_OK;
    w->ended = meets_stop(w, w->z, &status);
    if (w->reports && w->step % 256 == 0) {
        od_context_progress(w->ctx, w->share.begin + w->share.size * (double)w->step / (double)w->steps);
    }
    return status;
}

/* Advances the flow to time t, not before the last one asked for; *state is the flow there. */
static od_status flow_to(worker *w, double t, const double **state)
{
    const od_member *m = w->m;
    od_status status = OD_OK;
    if (isnan(m->step)) {
        if (t > w->t) {
            memcpy(w->z1, w->z, m->dim * w->n * sizeof *w->z);
            const uint64_t before = w->stepper.evaluations;
            status = w->stepper.type->advance(&w->stepper, w->t, t, w->n, w->z, w->ws);
            w->tally->evaluations += w->stepper.evaluations - before;
            if (status == OD_ENUMERIC) {
                /* the scheme gave up: the path stops where it last was, and the scheme's words are kept */
                for (size_t i = 0; i < m->dim * w->n; i++) {
                    w->z[i] = NAN;
                }
                status = OD_OK;
            }
            check_states(w, w->z1, w->z, t);
            w->t = t;
            w->now = t;
            od_status stop_status = OD_OK;
            w->ended = meets_stop(w, w->z, &stop_status);
            status = status == OD_OK ? stop_status : status;
        }
        *state = w->z;
        return status;
    }
    const double position = t >= m->until ? (double)w->steps : (t - m->start.t) / m->step;
    const double nearest = round(position);
    const bool on_grid = fabs(position - nearest) <= 1e-6;
    const uint64_t whole = (uint64_t)(on_grid ? nearest : floor(position));
    while (w->step < whole && status == OD_OK && w->alive_count > 0 && !w->ended && !od_cancelled(w->ctx)) {
        status = w->ahead ? OD_OK : compute_step(w);
        status = status == OD_OK && w->alive_count > 0 ? accept_step(w) : status;
    }
    *state = w->z;
    if (status != OD_OK || on_grid || w->step < whole) {
        return status;
    }
    status = w->ahead ? OD_OK : compute_step(w);
    const double begin = grid_time(w, w->step), h = step_size(w, w->step), theta = (t - begin) / h;
    if (status == OD_OK && w->stepper.type->dense != NULL) {
        status = w->stepper.type->dense(&w->stepper, begin, h, theta, w->n, w->z, w->z1, w->dense, w->ws);
    } else {
        for (size_t i = 0; i < m->dim * w->n; i++) {
            w->dense[i] = w->z[i] + theta * (w->z1[i] - w->z[i]);
        }
    }
    *state = w->dense;
    return status;
}

/* ------------------------------------------------------------------------------------------- the iteration */

static od_status iterate(worker *w, uint64_t k)
{
    const od_member *m = w->m;
    const double *dw = NULL;
    if (m->map.noise_dim > 0) {
        od_interval interval = w->map_noise;
        interval.first += k * interval.count;
        od_brownian_increment(&m->noise, &interval, w->first, w->n, w->dw, NULL);
        dw = w->dw;
    }
    if (m->map.batch > 0) {
        od_batch_indices(m->seed, w->first, w->n, k, m->map.batch, (uint32_t)m->problem->samples,
                         strcmp(m->map.sampling, "epochs") == 0, w->index);
    }
    memcpy(w->before, w->x_map, m->dim * w->n * sizeof *w->before);
    od_status status = m->map.step(&m->map, k, w->n, w->x_map, dw, w->index, w->tau, w->ws);
    w->tally->evaluations += w->alive_count;
    check_states(w, w->before, w->x_map, m->start.t + (double)(k + 1) * m->map.tau);
    return status;
}

/* ------------------------------------------------------------------------------------------- one block */

static double map_time(const od_member *m, uint64_t k)
{
    return m->start.t + (double)k * m->map.tau;
}

/* Flow rows and iterations in the order of time. */
static od_status run_events(worker *w)
{
    const od_member *m = w->m;
    const uint64_t rows = od_member_flow_rows(m);
    uint64_t row = 0, k = 0;
    bool map_left = m->has_map;
    od_status status = OD_OK;
    w->ended = meets_stop(w, w->z, &status);
    if (w->ended && !m->has_flow && status == OD_OK) {
        w->tally->map_t = m->start.t;
        status = record_map(w, 0, m->start.t, NULL);
    }
    while (status == OD_OK && (row < rows || map_left) && w->alive_count > 0 && !w->ended && !od_cancelled(w->ctx)) {
        const double row_t = row < rows ? od_member_row_time(m, row) : INFINITY;
        const double map_t = map_left ? map_time(m, k) : INFINITY;
        const double *state = NULL;
        /* iterations up to rounding at the time of a row come first, so that both see one state of the flow */
        const bool is_map = map_left && map_t <= row_t + 1e-9 * (1 + fabs(row_t));
        if (!is_map || (m->has_flow && map_t <= m->until + 1e-9 * (1 + fabs(m->until)))) {
            status = flow_to(w, is_map ? fmin(map_t, m->until) : row_t, &state);
        }
        if (status != OD_OK || w->alive_count == 0 || w->ended || od_cancelled(w->ctx)) {
            break;
        }
        if (!is_map) {
            status = record_flow(w, row, row_t, state);
            row++;
            continue;
        }
        status = record_map(w, k, map_t, state);
        w->tally->map_t = map_t;
        w->tally->iterations = k;
        map_left = k < m->iterations;
        if (map_left && status == OD_OK) {
            status = iterate(w, k++);
            w->ended = !m->has_flow && status == OD_OK && meets_stop(w, w->x_map, &status);
            if (w->ended && status == OD_OK) {
                w->now = w->tally->map_t = map_time(m, k);
                w->tally->iterations = k;
                status = record_map(w, k, w->now, NULL);
            }
        }
        if (w->reports && !m->has_flow && k % 256 == 0) {
            od_context_progress(w->ctx, w->share.begin + w->share.size * (double)k / (double)m->iterations);
        }
    }
    if (w->ended && m->has_flow && status == OD_OK) {
        status = record_flow(w, row, w->now, w->z);
    }
    return status;
}

static void add_final(worker *w, const double *state, od_moments *to, double *cov)
{
    const size_t d = w->m->dim, n = w->n;
    for (size_t p = 0; p < n; p++) {
        /* a single path that stopped still shows where it was; an ensemble's mean is over the survivors */
        if (!w->alive[p] && w->m->paths > 1) {
            continue;
        }
        if (cov != NULL) {
            const double count = (double)to->count[0], weight = count / (count + 1);
            for (size_t i = 0; i < d; i++) {
                const double di = state[i * n + p] - to->mean[i];
                for (size_t j = 0; j < d; j++) {
                    cov[i * d + j] += weight * (di * (state[j * n + p] - to->mean[j]));
                }
            }
        }
        od_moments_add(to, 0, state + p, n);
    }
}

static od_status run_block(worker *w, uint64_t first, size_t n)
{
    const od_member *m = w->m;
    w->first = first;
    w->n = n;
    w->step = 0;
    w->ahead = false;
    w->t = w->now = m->start.t;
    w->ended = false;
    w->alive_count = n;
    for (size_t p = 0; p < n; p++) {
        w->alive[p] = true;
    }
    od_status status = od_start_fill(m, first, n, w->z, w->ws);
    memcpy(w->x_map, w->z, m->dim * n * sizeof *w->z);
    if (status == OD_OK && !all_finite(w->z, m->dim * n)) {
        return od_fail(w->errors, OD_EUSER, "start",
                       "the start is not finite: the gradient at start.x overflows; move it");
    }
    const bool opens = m->has_flow && w->stepper.type->open != NULL;
    if (status == OD_OK && opens) {
        w->stepper.trouble[0] = '\0';
        status = w->stepper.type->open(w->errors, &w->stepper, m->start.t, n, w->z);
        if (status != OD_OK) {
            return status;
        }
    }
    status = status == OD_OK ? run_events(w) : status;
    if (opens) {
        w->stepper.type->close(&w->stepper);
    }
    if (status != OD_OK) {
        return od_fail(w->errors, status, m->has_flow ? "method.flow" : "method.map",
                       "the evaluation failed near t = %g (%s)", w->now, od_status_name(status));
    }
    w->tally->flow_t = w->now;
    w->tally->reached = w->ended ? w->now : NAN;
    if (!od_cancelled(w->ctx) || m->paths == 1) {
        if (m->has_flow) {
            add_final(w, w->z, &w->tally->flow_final, w->tally->flow_cov);
        }
        if (m->has_map) {
            add_final(w, w->x_map, &w->tally->map_final, w->tally->map_cov);
        }
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- all paths */

/* A tally that waits for its sibling in the merge tree. */
typedef struct pending {
    struct pending *next;
    uint64_t index;
    unsigned level;
    od_tally tally;
} pending;

typedef struct team {
    od_context *ctx;
    const od_experiment *e;
    const od_member *m;
    od_share share;
    atomic_uint *flow_bins, *map_bins;
    uint64_t leaves;
    atomic_uint_fast64_t next_leaf;
    atomic_bool failed;
    pthread_mutex_t lock; /* guards what follows, and the context */
    od_status status;
    char message[1024];
    uint64_t done;
    pending *waiting;
} team;

static uint64_t nodes_of_level(const team *t, unsigned level)
{
    return (t->leaves + (UINT64_C(1) << level) - 1) >> level;
}

static pending *take_sibling(team *t, const pending *node)
{
    for (pending **link = &t->waiting; *link != NULL; link = &(*link)->next) {
        pending *other = *link;
        if (other->level == node->level && other->index == (node->index ^ 1)) {
            *link = other->next;
            return other;
        }
    }
    return NULL;
}

/* Climbs the tree as far as siblings are there; a node without a sibling moves up alone. */
static void deliver(team *t, pending *node)
{
    while (nodes_of_level(t, node->level) > 1) {
        const uint64_t sibling = node->index ^ 1;
        if (sibling < nodes_of_level(t, node->level)) {
            pending *other = take_sibling(t, node);
            if (other == NULL) {
                break;
            }
            pending *left = node->index < other->index ? node : other, *right = left == node ? other : node;
            od_tally_merge(&left->tally, &right->tally);
            od_tally_free(&right->tally);
            free(right);
            node = left;
        }
        node->index /= 2;
        node->level++;
    }
    node->next = t->waiting;
    t->waiting = node;
}

static od_status run_leaf(worker *w, uint64_t leaf)
{
    const uint64_t begin = leaf * OD_LEAF;
    const uint64_t end = begin + OD_LEAF < w->m->paths ? begin + OD_LEAF : w->m->paths;
    const bool alone = w->m->has_flow && w->m->integrator_choice.integrator->per_path;
    const size_t block = alone ? 1 : w->e->block;
    od_status status = OD_OK;
    for (uint64_t first = begin; first < end && status == OD_OK && !od_cancelled(w->ctx); first += block) {
        status = run_block(w, first, end - first < block ? (size_t)(end - first) : block);
    }
    return status;
}

static void fail_team(team *t, od_context *own, od_status status, const char *otherwise)
{
    pthread_mutex_lock(&t->lock);
    if (t->status == OD_OK) {
        t->status = status;
        snprintf(t->message, sizeof t->message, "%s", own != NULL ? od_message(own) : otherwise);
    }
    pthread_mutex_unlock(&t->lock);
    atomic_store(&t->failed, true);
}

static void *work(void *argument)
{
    team *t = argument;
    worker w = {.flow_bins = t->flow_bins,
                .map_bins = t->map_bins,
                .e = t->e,
                .m = t->m,
                .ctx = t->ctx,
                .share = t->share,
                .reports = t->leaves == 1};
    if (!open_worker(&w)) {
        fail_team(t, NULL, OD_ENOMEM, "no memory for a block of paths; give fewer dimensions or --block 1");
        close_worker(&w);
        return NULL;
    }
    while (!atomic_load(&t->failed) && !od_cancelled(t->ctx)) {
        const uint64_t leaf = atomic_fetch_add(&t->next_leaf, 1);
        if (leaf >= t->leaves) {
            break;
        }
        pending *node = od_zalloc(1, sizeof *node);
        if (node == NULL || !tally_init(t->m, &node->tally)) {
            free(node);
            fail_team(t, NULL, OD_ENOMEM,
                      "no memory for the recorded rows; record fewer (record.every, record.stride)");
            break;
        }
        node->index = leaf;
        w.tally = &node->tally;
        od_status status = run_leaf(&w, leaf);
        if (status != OD_OK) {
            od_tally_free(&node->tally);
            free(node);
            fail_team(t, w.errors, status, "");
            break;
        }
        pthread_mutex_lock(&t->lock);
        deliver(t, node);
        t->done++;
        od_context_progress(t->ctx, t->share.begin + t->share.size * (double)t->done / (double)t->leaves);
        pthread_mutex_unlock(&t->lock);
    }
    close_worker(&w);
    return NULL;
}

/* After an interruption several nodes may be left; they are merged in their order. */
static void gather(team *t, od_tally *tally)
{
    bool first = true;
    while (t->waiting != NULL) {
        pending **best = &t->waiting;
        for (pending **link = &t->waiting; *link != NULL; link = &(*link)->next) {
            best = ((*link)->index << (*link)->level) < ((*best)->index << (*best)->level) ? link : best;
        }
        pending *node = *best;
        *best = node->next;
        if (first) {
            *tally = node->tally;
        } else {
            od_tally_merge(tally, &node->tally);
            od_tally_free(&node->tally);
        }
        first = false;
        free(node);
    }
    if (first && !tally_init(t->m, tally)) {
        t->status = OD_ENOMEM;
        snprintf(t->message, sizeof t->message, "no memory for the results");
    }
}

static bool make_bins(team *t)
{
    const od_member *m = t->m;
    if (m->quantile_count == 0) {
        return true;
    }
    t->flow_bins = od_zalloc((size_t)od_member_flow_rows(m) * m->columns, OD_BINS * sizeof *t->flow_bins);
    t->map_bins = od_zalloc((size_t)od_member_map_rows(m) * od_member_map_columns(m), OD_BINS * sizeof *t->map_bins);
    return t->flow_bins != NULL && t->map_bins != NULL;
}

od_status od_simulate(od_context *ctx, const od_experiment *e, const od_member *m, od_share share, od_tally *tally)
{
    enum { MAX_THREADS = 256 };
    team t = {.ctx = ctx, .e = e, .m = m, .share = share, .leaves = (m->paths + OD_LEAF - 1) / OD_LEAF};
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = e->threads > 0 ? e->threads : cores > 0 ? (uint64_t)cores : 1;
    threads = threads > t.leaves ? t.leaves : threads;
    threads = threads > MAX_THREADS ? MAX_THREADS : threads;
    pthread_t thread[MAX_THREADS];
    uint64_t started = 0;
    *tally = (od_tally){0};
    /* asked first: a system that promises more memory than it has would end the program, not the allocation */
    const double need = od_simulate_memory(e, m),
                 have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
    if (have > 0 && need > have) {
        return od_fail(ctx, OD_ENOMEM, "record",
                       "%s would take about %.3g GB of memory, and this machine has %.3g GB; record fewer rows "
                       "(record.every, record.stride) or quantities",
                       m->label, need / 1e9, have / 1e9);
    }
    if (!make_bins(&t)) {
        free(t.flow_bins);
        free(t.map_bins);
        return od_fail(ctx, OD_ENOMEM, "record.quantiles", "no memory for the bins; record fewer rows or quantities");
    }
    pthread_mutex_init(&t.lock, NULL);
    /* this thread works too, so a machine that refuses more threads still finishes */
    for (; started + 1 < threads && pthread_create(&thread[started], NULL, work, &t) == 0; started++) {
    }
    work(&t);
    for (uint64_t i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
    }
    gather(&t, tally);
    /* the counts are plain integers from here on */
    tally->flow_bins = (uint32_t *)t.flow_bins;
    tally->map_bins = (uint32_t *)t.map_bins;
    pthread_mutex_destroy(&t.lock);
    if (t.status != OD_OK) {
        od_tally_free(tally);
        return od_fail(ctx, t.status, NULL, "%s", t.message);
    }
    return od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted; what was computed is kept") : OD_OK;
}
