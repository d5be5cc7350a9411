/*
 * One thread's block of paths, from start to end: steps of the flow, iterations, divergence, `stop`, records.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "block.h"

#include "batch.h"
#include "context.h"
#include "finite.h"
#include "measure.h"
#include "start.h"
#include "stepper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Asked by adaptive schemes between two of their steps. */
static bool pause_within(void *user, double t)
{
    od_worker *w = user;
    const od_member *m = w->m;
    const double fraction = fmin((t - m->start.t) / (m->until - m->start.t), 1);
    if (w->report != NULL && fraction >= w->reported + 1e-3) {
        w->report(w, fraction);
    }
    return od_crew_stops(w->crew);
}

bool od_worker_open(od_worker *w)
{
    const od_member *m = w->m;
    const size_t n = m->paths < w->room ? (size_t)m->paths : w->room, state = m->dim * n;
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
    const size_t total = 5 * state + od_member_noise_rows(m) * n + quantities * n + n + ws;
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
    w->q = w->dw + od_member_noise_rows(m) * n;
    w->tau = w->q + quantities * n;
    w->ws = w->tau + n;
    w->steps = m->has_flow && !isnan(m->step) ? od_member_steps(m) : 0;
    if (m->has_flow) {
        w->stepper = (od_stepper){.type = m->integrator_choice.integrator,
                                  .settings = m->integrator_choice.settings,
                                  .flow = &m->flow,
                                  .origin = m->start.t,
                                  .pause = pause_within,
                                  .user = w};
    }
    if (m->has_flow && m->flow.noise.dim > 0) {
        od_brownian_interval(&m->noise, m->start.t, m->start.t + m->step, &w->flow_noise);
    }
    if (m->has_map && m->map.noise_dim > 0) {
        od_brownian_interval(&m->noise, m->start.t, m->start.t + m->map.tau, &w->map_noise);
    }
    return true;
}

void od_worker_stop(od_worker *w)
{
    if (w->busy && w->m->has_flow && w->stepper.type->open != NULL) {
        w->stepper.type->close(&w->stepper);
    }
    w->busy = false;
}

void od_worker_close(od_worker *w)
{
    od_worker_stop(w);
    od_context_free(w->errors);
    free(w->memory);
    free(w->index);
    free(w->alive);
}

static void stop_path(od_worker *w, size_t p, double t)
{
    if (!w->alive[p]) {
        return;
    }
    w->alive[p] = false;
    w->alive_count--;
    w->tally->stopped++;
    if (!(w->tally->first_stop <= t)) {
        w->tally->first_stop = t;
        snprintf(w->tally->trouble, sizeof w->tally->trouble, "%s", w->stepper.trouble);
    }
}

/* Stops the paths whose state is not finite; every stopped path keeps its last finite state. */
static void stop_paths(od_worker *w, const double *last, double *state, double t)
{
    for (size_t p = 0; p < w->n; p++) {
        bool finite = true;
        for (size_t i = 0; i < w->m->dim; i++) {
            finite = finite && isfinite(state[i * w->n + p]);
        }
        if (!finite) {
            stop_path(w, p, t);
            /* without its other half a path is no sample of the pairs, from which the standard errors come */
            if (w->m->antithetic) {
                stop_path(w, p ^ 1, t);
            }
        }
    }
    for (size_t p = 0; p < w->n; p++) {
        for (size_t i = 0; i < w->m->dim && !w->alive[p]; i++) {
            state[i * w->n + p] = last[i * w->n + p];
        }
    }
}

static void check_states(od_worker *w, const double *last, double *state, double t)
{
    if (w->alive_count < w->n || !od_all_finite(state, w->m->dim * w->n)) {
        stop_paths(w, last, state, t);
    }
}

/* ------------------------------------------------------------------------------------------- recording */

/* Quantities of n states into w->q. */
static od_status measure(od_worker *w, const double *state)
{
    return od_measure(w->m, w->n, state, w->q, w->q + od_member_map_columns(w->m) * w->n, w->ws);
}

static void add_row(od_worker *w, od_moments *to, atomic_uint *bins, size_t row, const double *q)
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

/* The mean of each pair of antithetic paths, which stop together. */
static void add_pairs(const od_worker *w, od_moments *to, size_t row, const double *q)
{
    for (size_t p = 0; to->rows > 0 && p < w->n; p += 2) {
        if (w->alive[p]) {
            od_moments_add_pair(to, row, q + p, w->n);
        }
    }
}

/* What is recorded of q and of the state it was measured at. */
static void add_record(od_worker *w, bool map, size_t row, const double *state)
{
    od_tally *a = w->tally;
    od_moments *quantities = map ? &a->map : &a->flow, *states = map ? &a->map_states : &a->flow_states;
    od_moments *singles = map ? &a->map_singles : &a->flow_singles;
    add_row(w, quantities, map ? w->map_bins : w->flow_bins, row, w->q);
    add_pairs(w, map ? &a->map_pairs : &a->flow_pairs, row, w->q);
    if (states->rows > 0) {
        add_row(w, states, NULL, row, state);
    }
    for (size_t p = 0; p < w->n && w->first + p < w->m->singles; p++) {
        if (w->alive[p]) {
            od_moments_add(singles, (size_t)(w->first + p) * quantities->rows + row, w->q + p, w->n);
        }
    }
}

static od_status show_observers(od_worker *w, bool iteration, uint64_t row, double t, const double *state)
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

static od_status record_flow(od_worker *w, uint64_t row, double t, const double *state)
{
    od_status status = measure(w, state);
    if (status == OD_OK && row < w->tally->flow.rows) {
        add_record(w, false, (size_t)row, state);
    }
    return status == OD_OK ? show_observers(w, false, row, t, state) : status;
}

/* |x_flow - x_map| and its ratio to |x_flow| into two rows of q. */
static void measure_gap(const od_worker *w, const double *flow_state, double *q)
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
static od_status record_map(od_worker *w, uint64_t k, double t, const double *flow_state)
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
        if (m->paths == 1 && !(w->tally->gap_max >= gap[0])) {
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
    od_status status = measure(w, w->x_map);
    const uint64_t row = (k + m->stride - 1) / m->stride;
    if (status == OD_OK) {
        add_record(w, true, (size_t)row, w->x_map);
    }
    return status == OD_OK ? show_observers(w, true, row, t, w->x_map) : status;
}

/* True if `stop` is met by the single path there is. */
static bool meets_stop(od_worker *w, const double *state, od_status *status)
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

static double grid_time(const od_worker *w, uint64_t step)
{
    return step >= w->steps ? w->m->until : w->m->start.t + (double)step * w->m->step;
}

/* The step in use: h but for a shortened last one, so that equal steps are equal to the bit. */
static double step_size(const od_worker *w, uint64_t step)
{
    const od_member *m = w->m;
    const double last = m->until - (m->start.t + (double)step * m->step);
    return step + 1 == w->steps && fabs(last - m->step) > 1e-6 * m->step ? last : m->step;
}

static od_status compute_step(od_worker *w)
{
    const od_member *m = w->m;
    const double t = grid_time(w, w->step), h = step_size(w, w->step);
    const double *dw = NULL;
    if (m->flow.noise.dim > 0) {
        od_interval interval = w->flow_noise;
        interval.first += w->step * interval.count;
        od_brownian noise = m->noise;
        noise.dim = m->flow.noise.dim;
        double *integral = w->stepper.type->integral ? w->dw + noise.dim * w->n : NULL;
        od_brownian_increment(&noise, &interval, w->first, w->n, w->dw, integral);
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

static od_status accept_step(od_worker *w)
{
    double *z = w->z;
    w->z = w->z1;
    w->z1 = z;
    w->ahead = false;
    w->step++;
    w->now = grid_time(w, w->step);
    od_status status = OD_OK;
    w->ended = meets_stop(w, w->z, &status);
    if (w->report != NULL && w->step % 256 == 0) {
        w->report(w, (double)w->step / (double)w->steps);
    }
    return status;
}

/* Schemes that need no grid of steps; nothing is done if the crew stops before. */
static od_status advance_freely(od_worker *w, double t)
{
    const size_t count = w->m->dim * w->n;
    memcpy(w->z1, w->z, count * sizeof *w->z);
    const uint64_t before = w->stepper.evaluations;
    od_status status = w->stepper.type->advance(&w->stepper, w->t, t, w->n, w->z, w->ws);
    w->tally->evaluations += w->stepper.evaluations - before;
    if (status == OD_EINTERRUPTED) {
        return OD_OK;
    }
    if (status == OD_ENUMERIC) {
        /* the scheme gave up: the path stops where it last was, and the scheme's words are kept */
        for (size_t i = 0; i < count; i++) {
            w->z[i] = NAN;
        }
        status = OD_OK;
    }
    check_states(w, w->z1, w->z, t);
    if (w->alive_count > 0) {
        /* else z is where the last path was at w->now */
        w->t = w->now = t;
        od_status stop_status = OD_OK;
        w->ended = meets_stop(w, w->z, &stop_status);
        status = status == OD_OK ? stop_status : status;
    }
    return status;
}

/* Advances the flow to time t, not before the last one asked for; *state is the flow there. */
static od_status flow_to(od_worker *w, double t, const double **state)
{
    const od_member *m = w->m;
    od_status status = OD_OK;
    if (isnan(m->step)) {
        *state = w->z;
        return t > w->t ? advance_freely(w, t) : OD_OK;
    }
    const double position = t >= m->until ? (double)w->steps : (t - m->start.t) / m->step;
    const double nearest = round(position);
    const bool on_grid = fabs(position - nearest) <= 1e-6;
    const uint64_t whole = (uint64_t)(on_grid ? nearest : floor(position));
    while (w->step < whole && status == OD_OK && w->alive_count > 0 && !w->ended && !od_crew_stops(w->crew)) {
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

static od_status iterate(od_worker *w, uint64_t k)
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

/* The next row of the flow, or the next iteration, whichever comes first; nothing is done if the crew stops before. */
static od_status run_event(od_worker *w)
{
    const od_member *m = w->m;
    const double row_t = w->row < od_member_flow_rows(m) ? od_member_row_time(m, w->row) : INFINITY;
    const double map_t = w->map_left ? map_time(m, w->k) : INFINITY;
    const double *state = NULL;
    od_status status = OD_OK;
    /* iterations up to rounding at the time of a row come first, so that both see one state of the flow */
    const bool is_map = w->map_left && map_t <= row_t + 1e-9 * (1 + fabs(row_t));
    if (!is_map || (m->has_flow && map_t <= m->until + 1e-9 * (1 + fabs(m->until)))) {
        status = flow_to(w, is_map ? fmin(map_t, m->until) : row_t, &state);
    }
    if (status != OD_OK || w->alive_count == 0 || w->ended || od_crew_stops(w->crew)) {
        return status;
    }
    if (!is_map) {
        return record_flow(w, w->row++, row_t, state);
    }
    status = record_map(w, w->k, map_t, state);
    w->tally->map_t = map_t;
    w->tally->iterations = w->k;
    w->map_left = w->k < m->iterations;
    if (w->map_left && status == OD_OK) {
        status = iterate(w, w->k++);
        w->ended = !m->has_flow && status == OD_OK && meets_stop(w, w->x_map, &status);
        if (w->ended && status == OD_OK) {
            w->now = w->tally->map_t = map_time(m, w->k);
            w->tally->iterations = w->k;
            status = record_map(w, w->k, w->now, NULL);
        }
    }
    if (w->report != NULL && !m->has_flow && w->k % 256 == 0) {
        w->report(w, (double)w->k / (double)m->iterations);
    }
    return status;
}

static void add_final(const od_worker *w, const double *state, od_moments *to)
{
    for (size_t p = 0; p < w->n; p++) {
        /* a single path that stopped still shows where it was; an ensemble's mean is over the survivors */
        if (w->alive[p] || w->m->paths == 1) {
            od_moments_add(to, 0, state + p, w->n);
        }
    }
}

static od_status failed(od_worker *w, od_status status)
{
    return od_fail(w->errors, status, w->m->has_flow ? "method.flow" : "method.map",
                   "the evaluation failed near t = %g (%s)", w->now, od_problem_trouble(w->m->problem, status));
}

static od_status open_stepper(od_worker *w)
{
    w->stepper.trouble[0] = '\0';
    od_status status = w->m->has_flow && w->stepper.type->open != NULL
                           ? w->stepper.type->open(w->errors, &w->stepper, w->t, w->n, w->z)
                           : OD_OK;
    w->busy = status == OD_OK;
    return status;
}

od_status od_worker_begin(od_worker *w, uint64_t first, size_t n)
{
    const od_member *m = w->m;
    w->first = first;
    w->n = n;
    w->step = w->row = w->k = 0;
    w->map_left = m->has_map;
    w->ahead = false;
    w->t = w->now = m->start.t;
    w->ended = false;
    w->alive_count = n;
    for (size_t p = 0; p < n; p++) {
        w->alive[p] = true;
    }
    od_status status = od_start_fill(m, first, n, w->z, w->ws);
    memcpy(w->x_map, w->z, m->dim * n * sizeof *w->z);
    if (status == OD_OK && !od_all_finite(w->z, m->dim * n)) {
        return od_fail(w->errors, OD_EUSER, "start",
                       "the start is not finite: the gradient at start.x overflows; move it");
    }
    if (status == OD_OK) {
        w->ended = meets_stop(w, w->z, &status);
    }
    if (status == OD_OK && w->ended && !m->has_flow) {
        w->tally->map_t = m->start.t;
        status = record_map(w, 0, m->start.t, NULL);
    }
    return status == OD_OK ? open_stepper(w) : failed(w, status);
}

od_status od_worker_reopen(od_worker *w)
{
    if (!w->m->has_flow || !w->stepper.type->per_path) {
        return OD_OK;
    }
    od_worker_stop(w);
    return open_stepper(w);
}

od_status od_worker_go(od_worker *w, bool *through)
{
    const uint64_t rows = od_member_flow_rows(w->m);
    od_status status = OD_OK;
    bool left = true;
    while (status == OD_OK && !od_crew_stops(w->crew)) {
        left = (w->row < rows || w->map_left) && w->alive_count > 0 && !w->ended;
        if (!left) {
            break;
        }
        status = run_event(w);
    }
    *through = !left;
    if (status == OD_OK && !left && w->ended && w->m->has_flow) {
        status = record_flow(w, w->row, w->now, w->z);
    }
    if (status == OD_OK && !left) {
        od_worker_end(w);
    }
    return status == OD_OK ? OD_OK : failed(w, status);
}

void od_worker_end(od_worker *w)
{
    const od_member *m = w->m;
    w->tally->flow_t = w->now;
    w->tally->reached = w->ended ? w->now : NAN;
    if (m->has_flow) {
        add_final(w, w->z, &w->tally->flow_final);
        add_pairs(w, &w->tally->flow_final_pairs, 0, w->z);
    }
    if (m->has_map) {
        add_final(w, w->x_map, &w->tally->map_final);
        add_pairs(w, &w->tally->map_final_pairs, 0, w->x_map);
    }
    od_worker_stop(w);
}
