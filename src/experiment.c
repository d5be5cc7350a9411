/* Reads an experiment file into members, and says what was read. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* realpath */
#include "experiment.h"

#include "context.h"
#include "label.h"
#include "start.h"
#include "stepper.h"
#include "text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MEMBERS = 10000, DEFAULT_ROWS = 1000, DEFAULT_BLOCK_COMPONENTS = 16 };

static const od_param top_params[] = {
    {.name = "until", .kind = OD_REAL, .fallback = "", .unit = "time", .meaning = "end of the flow; needs integrator"},
    {.name = "iterations",
     .kind = OD_INTEGER,
     .fallback = "",
     .low = 1,
     .high = 9007199254740992.0,
     .meaning = "number of iterations of the method; needs method.step"},
    {.name = "paths",
     .kind = OD_INTEGER,
     .fallback = "1",
     .low = 1,
     .high = 4294967295.0,
     .meaning = "number of paths of the ensemble"},
    {.name = "seed",
     .kind = OD_INTEGER,
     .fallback = "1",
     .low = 0,
     .high = 9007199254740992.0,
     .meaning = "seed of all random numbers"},
    {.name = "noise_step",
     .kind = OD_REAL,
     .fallback = "",
     .unit = "time",
     .low = 0,
     .high = INFINITY,
     .low_open = true,
     .meaning = "base grid of the Brownian path; the smallest step by default"},
    {.name = "data", .kind = OD_TEXT, .fallback = "", .meaning = "folder of the data sets; --data comes first"},
    {.name = "interval",
     .kind = OD_VECTOR,
     .fallback = "",
     .unit = "time",
     .meaning = "[t1, t2] of variational questions; start.t to until by default"},
    {.name = NULL},
};

static const od_param record_params[] = {
    {.name = "every",
     .kind = OD_REAL,
     .fallback = "",
     .unit = "time",
     .low = 0,
     .high = INFINITY,
     .low_open = true,
     .meaning = "time between records, from start.t; about a thousand rows by default"},
    {.name = "stride",
     .kind = OD_INTEGER,
     .fallback = "",
     .unit = "iterations",
     .low = 1,
     .high = 9007199254740992.0,
     .meaning = "iterations between records of the iteration; at most about a thousand rows by default"},
    {.name = "quantities",
     .kind = OD_NAMES,
     .fallback = "",
     .meaning = "loss, distance |x - x*|, gradient (its norm), or blocks such as x and v"},
    {.name = "quantiles",
     .kind = OD_VECTOR,
     .fallback = "",
     .low = 0,
     .high = 1,
     .meaning = "quantiles of an ensemble, for example [0.05, 0.5, 0.95], to within 1/128 of their value"},
    {.name = NULL},
};

static const od_param stop_params[] = {
    {.name = "loss", .kind = OD_REAL, .fallback = "", .meaning = "stop when the loss is at most this"},
    {.name = "gradient",
     .kind = OD_REAL,
     .fallback = "",
     .low = 0,
     .high = INFINITY,
     .meaning = "stop when the norm of the gradient is at most this"},
    {.name = NULL},
};

static const char *const section_names[] = {"problem", "method",  "integrator", "start", "record",
                                            "stop",    "compare", "sweep",      "label"};

static const od_param *const tables_of_top[] = {top_params, NULL};
static const od_param *const tables_of_record[] = {record_params, NULL};
static const od_param *const tables_of_stop[] = {stop_params, NULL};

const od_param *od_experiment_params(const char *section)
{
    return strcmp(section, "record") == 0 ? record_params : strcmp(section, "stop") == 0 ? stop_params : top_params;
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < sizeof section_names / sizeof *section_names; i++) {
        if (strcmp(section_names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static od_status check_names(od_context *ctx, const od_node *root)
{
    const char *names[32];
    size_t count = 0;
    for (; count < sizeof section_names / sizeof *section_names; count++) {
        names[count] = section_names[count];
    }
    for (const od_param *p = top_params; p->name != NULL; p++) {
        names[count++] = p->name;
    }
    if (root->kind != OD_NODE_MAP) {
        return od_node_fail(ctx, root, NULL, "an experiment is a map: problem: ..., method: ..., and so on");
    }
    for (size_t i = 0; i < root->count; i++) {
        bool known = false;
        for (size_t j = 0; j < count && !known; j++) {
            known = strcmp(root->key[i], names[j]) == 0;
        }
        if (!known) {
            const char *nearest = od_text_nearest(root->key[i], names, count);
            return od_node_fail(ctx, root->item[i], root->key[i],
                                "there is no such entry%s%s%s; `optdyn describe "
                                "experiment` lists them",
                                nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                                nearest != NULL ? "'?" : "");
        }
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- grids */

uint64_t od_member_steps(const od_member *m)
{
    const double count = (m->until - m->start.t) / m->step;
    const double nearest = round(count);
    return (uint64_t)(fabs(count - nearest) <= 1e-6 ? nearest : ceil(count));
}

/* Rows at t0 + j every before the end, then the end. */
static uint64_t inner_rows(const od_member *m)
{
    const double count = (m->until - m->start.t) / m->every;
    return (uint64_t)fmax(1, ceil(count - 1e-6));
}

uint64_t od_member_flow_rows(const od_member *m)
{
    return m->has_flow ? inner_rows(m) + 1 : 0;
}

double od_member_row_time(const od_member *m, uint64_t row)
{
    return row < inner_rows(m) ? m->start.t + (double)row * m->every : m->until;
}

uint64_t od_member_map_rows(const od_member *m)
{
    return m->has_map ? (m->iterations + m->stride - 1) / m->stride + 1 : 0;
}

/* ------------------------------------------------------------------------------------------- one member */

size_t od_member_quantity_length(const od_member *m, size_t quantity)
{
    for (size_t b = 0; b < m->block_count && m->quantity[quantity].kind == OD_QUANTITY_BLOCK; b++) {
        if (strcmp(m->block[b].name, m->quantity[quantity].name) == 0) {
            return m->block[b].length;
        }
    }
    return 1;
}

static od_status choose_quantities(od_context *ctx, od_member *m)
{
    const od_value *wanted = od_setting(m->record, "quantities");
    if (!wanted->present) {
        m->quantity[m->quantity_count++] = (od_quantity){OD_QUANTITY_LOSS, "loss"};
        if (m->problem->minimiser != NULL) {
            m->quantity[m->quantity_count++] = (od_quantity){OD_QUANTITY_DISTANCE, "distance"};
        }
        for (size_t b = 0; b < m->block_count && m->dim <= DEFAULT_BLOCK_COMPONENTS; b++) {
            m->quantity[m->quantity_count++] = (od_quantity){OD_QUANTITY_BLOCK, m->block[b].name};
        }
    }
    for (size_t i = 0; wanted->present && i < wanted->cols; i++) {
        const char *names[3 + OD_MAX_BLOCKS] = {"loss", "distance", "gradient"};
        size_t count = 3, found = SIZE_MAX;
        for (size_t b = 0; b < m->block_count; b++) {
            names[count++] = m->block[b].name;
        }
        for (size_t j = 0; j < count; j++) {
            found = strcmp(names[j], wanted->names[i]) == 0 ? j : found;
        }
        if (found == SIZE_MAX) {
            const char *nearest = od_text_nearest(wanted->names[i], names, count);
            return od_setting_fail(ctx, m->record, "quantities",
                                   "there is no quantity '%s'; %s%s%s loss, distance, "
                                   "gradient and the blocks of the state (%s%s)",
                                   wanted->names[i], nearest != NULL ? "did you mean '" : "",
                                   nearest != NULL ? nearest : "", nearest != NULL ? "'? There are" : "there are",
                                   m->block[0].name, m->block_count > 1 ? ", v" : "");
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(wanted->names[j], wanted->names[i]) == 0) {
                return od_setting_fail(ctx, m->record, "quantities", "'%s' is given twice; keep one", names[found]);
            }
        }
        if (found == 1 && m->problem->minimiser == NULL) {
            return od_setting_fail(ctx, m->record, "quantities",
                                   "the distance |x - x*| is unknown, because the minimiser "
                                   "of '%s' is; record the loss or the gradient",
                                   m->problem->name);
        }
        if (m->quantity_count == OD_MAX_QUANTITIES) {
            return od_setting_fail(ctx, m->record, "quantities", "more than %d quantities", OD_MAX_QUANTITIES);
        }
        m->quantity[m->quantity_count++] = (od_quantity){found < 3 ? (od_quantity_kind)found : OD_QUANTITY_BLOCK,
                                                         names[found]};
    }
    m->columns = 0;
    for (size_t i = 0; i < m->quantity_count; i++) {
        m->columns += od_member_quantity_length(m, i);
    }
    return OD_OK;
}

static od_status choose_records(od_context *ctx, od_member *m)
{
    const double given = od_setting_real(m->record, "every");
    m->every = given;
    if (m->has_flow) {
        if (isnan(given)) {
            const double steps = isnan(m->step) ? DEFAULT_ROWS : (double)od_member_steps(m);
            const double stride = fmax(1, ceil(steps / DEFAULT_ROWS));
            m->every = isnan(m->step) ? (m->until - m->start.t) / DEFAULT_ROWS : stride * m->step;
        }
        if ((m->until - m->start.t) / m->every > 1e9) {
            return od_setting_fail(ctx, m->record, "every",
                                   "this would record more than 10^9 rows; give a larger value");
        }
    }
    m->stride = 1;
    if (m->has_map) {
        const od_value *stride = od_setting(m->record, "stride");
        m->stride = (m->iterations + DEFAULT_ROWS - 1) / DEFAULT_ROWS;
        if (stride->present) {
            m->stride = (uint64_t)stride->real;
        } else if (!isnan(given) && !isnan(m->map.tau)) {
            m->stride = (uint64_t)fmax(1, fmin(round(given / m->map.tau), 1e15));
        }
    }
    return choose_quantities(ctx, m);
}

static od_status check_times(od_context *ctx, od_member *m)
{
    if (!m->has_flow) {
        return OD_OK;
    }
    if (!(m->until > m->start.t)) {
        char end[OD_REAL_ROOM], begin[OD_REAL_ROOM];
        return od_setting_fail(ctx, m->top, "until", "the end %s is not after the start.t = %s; give a later end",
                               od_real_text(end, m->until), od_real_text(begin, m->start.t));
    }
    m->step = m->integrator_choice.integrator->fixed_step ? od_setting_real(m->integrator_choice.settings, "step")
                                                          : NAN;
    if (!isnan(m->step) && (m->until - m->start.t) / m->step > 0x1p53) {
        return od_setting_fail(ctx, m->integrator_choice.settings, "step", "this step would need more than 2^53 steps");
    }
    if (!isnan(m->step) && m->start.t + m->step == m->start.t) {
        return od_setting_fail(ctx, m->integrator_choice.settings, "step",
                               "the step is lost to rounding: start.t + step equals start.t; give a larger step");
    }
    return OD_OK;
}

/* A flow with a singular point cannot start there with any velocity, nor before it. */
static od_status check_singular(od_context *ctx, od_member *m)
{
    const od_node *t = od_node_item(m->start_node, "t");
    const od_node *place = t != NULL ? t : m->start_node;
    if (!m->has_flow || !m->flow.singular || m->start.t > 0) {
        return OD_OK;
    }
    if (m->start.t < 0) {
        return od_node_fail(ctx, place, "start.t", "the coefficients of '%s' are singular at t = 0; start at t >= 0",
                            m->method_choice.method->name);
    }
    const od_integrator_type *scheme = m->integrator_choice.integrator;
    const bool evaluates_drift = scheme->fixed_step || scheme->per_path; /* a closed form needs no drift at t = 0 */
    if (m->flow.start_refused != NULL && evaluates_drift) {
        return od_node_fail(ctx, place, "start.t", "'%s' cannot start at t = 0: %s", m->method_choice.method->name,
                            m->flow.start_refused);
    }
    if (m->flow.noise.shape != OD_NOISE_NONE && m->flow.singular_noise) {
        return od_node_fail(ctx, place, "start.t",
                            "the noise of '%s' has infinite variance at t = 0; give a start.t > 0, "
                            "for example the step",
                            m->method_choice.method->name);
    }
    return od_start_check_singular(ctx, m);
}

/* The first interval of a run on the base grid tells whether all are: the grid is uniform. */
static od_status check_grid(od_context *ctx, const od_member *m, double step, const char *what)
{
    od_interval interval;
    if (od_brownian_interval(&m->noise, m->start.t, m->start.t + step, &interval) == OD_OK) {
        return OD_OK;
    }
    char shown[OD_REAL_ROOM], base[OD_REAL_ROOM];
    return od_setting_fail(ctx, m->top, "noise_step",
                           "%s = %s is neither a multiple of the noise step %s nor that step "
                           "halved a few times, so the two cannot see one Brownian path; choose noise_step accordingly",
                           what, od_real_text(shown, step), od_real_text(base, m->noise.base));
}

static od_status check_noise(od_context *ctx, od_member *m)
{
    if (m->noise.dim == 0) {
        return OD_OK;
    }
    od_status status = OD_OK;
    if (m->has_flow && m->flow.noise.dim > 0) {
        status = check_grid(ctx, m, m->step, "integrator.step");
        const double steps = (m->until - m->start.t) / m->step;
        if (status == OD_OK && fabs(steps - round(steps)) > 1e-6) {
            return od_setting_fail(ctx, m->top, "until",
                                   "with noise the run must be a whole number of steps; it is %.9g", steps);
        }
        const double stride = m->every / m->step;
        if (status == OD_OK && fabs(stride - round(stride)) > 1e-6) {
            return od_setting_fail(ctx, m->record, "every",
                                   "with noise it must be a multiple of the step (between steps a "
                                   "Brownian path is not known); it is %.9g steps",
                                   stride);
        }
    }
    if (status == OD_OK && m->has_map && m->map.noise_dim > 0) {
        if (isnan(m->map.tau)) {
            return od_setting_fail(ctx, m->method_choice.settings, "noise",
                                   "the time of an iteration varies, so its noise "
                                   "is not on the Brownian grid; remove the noise");
        }
        status = check_grid(ctx, m, m->map.tau, "the time of one iteration");
    }
    return status;
}

static od_status check_lock_step(od_context *ctx, const od_member *m)
{
    if (!m->has_flow || !m->has_map) {
        return OD_OK;
    }
    if (m->flow.block[0].length != m->map.block[0].length) {
        return od_setting_fail(ctx, m->top, "iterations", "flow and iteration have positions of different length");
    }
    if (m->flow.noise.dim > 0) {
        const double steps = m->map.tau / m->step;
        if (!(fabs(steps - round(steps)) <= 1e-6)) {
            return od_setting_fail(ctx, m->integrator_choice.settings, "step",
                                   "in lock-step with noise the time of one "
                                   "iteration (%.9g) must be a multiple of the step; it is %.9g steps",
                                   m->map.tau, steps);
        }
    }
    return OD_OK;
}

static od_status choose_parts(od_context *ctx, od_experiment *e, const od_node *root, od_member *m)
{
    const od_node *problem = od_node_item(root, "problem"), *method = od_node_item(root, "method");
    const od_node *integrator = od_node_item(root, "integrator");
    if (problem == NULL || method == NULL) {
        return od_node_fail(ctx, root, problem == NULL ? "problem" : "method", "this entry is needed, for example %s",
                            problem == NULL ? "problem: {name: quadratic, eigenvalues: [4, 1]}"
                                            : "method: {name: gradient}");
    }
    od_place place = e->place;
    place.path = "problem";
    od_status status = od_problem_choose(ctx, e->arena, problem, place, &m->problem_choice);
    place.path = "method";
    status = status == OD_OK ? od_method_choose(ctx, e->arena, method, place, &m->method_choice) : status;
    m->has_flow = od_setting_present(m->top, "until");
    m->has_map = od_setting_present(m->top, "iterations");
    if (status == OD_OK && m->has_flow && integrator == NULL) {
        return od_node_fail(ctx, root, "integrator",
                            "until runs the flow, which needs an integrator, for example "
                            "{name: rk4, step: 0.1}");
    }
    if (status == OD_OK && !m->has_flow && integrator != NULL) {
        return od_node_fail(ctx, integrator, "until",
                            "an integrator needs an end of time; give until, or remove integrator");
    }
    if (status == OD_OK && !m->has_flow && !m->has_map) {
        return od_node_fail(ctx, root, "until",
                            "nothing to run: give until and integrator for the flow, iterations and "
                            "method.step for the iteration, or both");
    }
    place.path = "integrator";
    if (status == OD_OK && m->has_flow) {
        status = od_integrator_choose(ctx, e->arena, integrator, place, &m->integrator_choice);
    }
    return status;
}

/* Problems on data are large: members with equal settings share one. */
static od_status share_problem(od_context *ctx, od_experiment *e, od_member *m)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory");
    }
    fprintf(out, "%s: ", m->problem_choice.problem->name);
    od_settings_write(out, m->problem_choice.settings);
    fclose(out);
    for (size_t i = 0; i < e->problem_count; i++) {
        if (strcmp(e->problem_text[i], text) == 0) {
            m->problem = e->problem[i];
            free(text);
            return OD_OK;
        }
    }
    od_problem *problem = od_arena_alloc(e->arena, 1, sizeof *problem);
    char *copy = od_arena_text(e->arena, text, size);
    free(text);
    if (problem == NULL || copy == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory");
    }
    od_status status = od_problem_build(ctx, &m->problem_choice, problem);
    if (status == OD_OK) {
        e->problem[e->problem_count] = problem;
        e->problem_text[e->problem_count++] = copy;
        m->problem = problem;
    }
    return status;
}

static od_status build_member(od_context *ctx, od_experiment *e, const od_node *root, od_member *m)
{
    od_status status = choose_parts(ctx, e, root, m);
    status = status == OD_OK ? share_problem(ctx, e, m) : status;
    if (status == OD_OK && m->has_flow) {
        status = od_flow_build(ctx, &m->method_choice, m->problem, &m->flow);
        if (status == OD_OK && (status = od_stepper_suits(ctx, &m->integrator_choice, &m->flow)) != OD_OK) {
            const od_node *integrator = od_node_item(root, "integrator");
            od_context_place(ctx, integrator->origin, integrator->line);
        }
    }
    if (status == OD_OK && m->has_map) {
        status = od_map_build(ctx, &m->method_choice, m->problem, &m->map);
    }
    if (status != OD_OK) {
        return status;
    }
    m->block_count = m->has_flow ? m->flow.block_count : m->map.block_count;
    m->block = m->has_flow ? m->flow.block : m->map.block;
    m->dim = m->has_flow ? m->flow.dim : m->map.dim;
    m->until = od_setting_real(m->top, "until");
    m->iterations = m->has_map ? (uint64_t)od_setting_real(m->top, "iterations") : 0;
    m->paths = (uint64_t)od_setting_real(m->top, "paths");
    m->seed = (uint64_t)od_setting_real(m->top, "seed");
    const od_value *quantiles = od_setting(m->record, "quantiles");
    m->quantile_count = quantiles->present && m->paths > 1 ? quantiles->cols : 0;
    m->quantile = quantiles->list;
    for (size_t i = 0; i < m->quantile_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (fabs(m->quantile[i] - m->quantile[j]) < 1e-9) {
                return od_setting_fail(ctx, m->record, "quantiles", "%g is given twice; keep one", m->quantile[i]);
            }
        }
    }
    m->stop_loss = od_setting_real(m->stop, "loss");
    m->stop_gradient = od_setting_real(m->stop, "gradient");
    if (m->paths > 1 && !(isnan(m->stop_loss) && isnan(m->stop_gradient))) {
        return od_setting_fail(ctx, m->top, "paths",
                               "stop ends a single path; with %g paths each would end at its own time. "
                               "Remove stop or give paths: 1",
                               (double)m->paths);
    }
    status = od_start_read(ctx, e, root, m);
    status = status == OD_OK ? check_times(ctx, m) : status;
    status = status == OD_OK ? check_singular(ctx, m) : status;
    status = status == OD_OK ? choose_records(ctx, m) : status;
    return status == OD_OK ? check_lock_step(ctx, m) : status;
}

/* A bare word is the name of a part elsewhere; here it would be ignored. */
static od_status check_section(od_context *ctx, const od_node *root, const char *name, const char *example)
{
    const od_node *node = od_node_item(root, name);
    const bool empty = node == NULL || (node->kind == OD_NODE_SCALAR && !node->quoted && node->text[0] == '\0');
    return empty || node->kind == OD_NODE_MAP ? OD_OK
                                              : od_node_fail(ctx, node, name, "expected a map such as %s", example);
}

static od_status read_member(od_context *ctx, od_experiment *e, const od_node *root, od_member *m)
{
    od_status status = check_names(ctx, root);
    if (status != OD_OK) {
        return status;
    }
    /* the sections have their own readers; what is left are the plain entries */
    od_node *plain = od_arena_alloc(e->arena, 1, sizeof *plain);
    if (plain == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
    }
    plain->kind = OD_NODE_MAP;
    plain->origin = root->origin;
    plain->line = root->line;
    for (size_t i = 0; i < root->count && status == OD_OK; i++) {
        status = is_section(root->key[i]) ? OD_OK : od_node_put(ctx, e->arena, plain, root->key[i], root->item[i]);
    }
    status = status == OD_OK ? check_section(ctx, root, "record", "record: {every: 0.1}") : status;
    status = status == OD_OK ? check_section(ctx, root, "stop", "stop: {loss: 1.0e-3}") : status;
    od_place place = e->place;
    place.path = "";
    if (status == OD_OK) {
        m->top = od_settings_resolve(ctx, e->arena, tables_of_top, plain, place);
        place.path = "record";
        m->record = m->top != NULL
                        ? od_settings_resolve(ctx, e->arena, tables_of_record, od_node_item(root, "record"), place)
                        : NULL;
        place.path = "stop";
        m->stop = m->record != NULL
                      ? od_settings_resolve(ctx, e->arena, tables_of_stop, od_node_item(root, "stop"), place)
                      : NULL;
        status = m->stop != NULL ? OD_OK : OD_EINVAL;
    }
    const od_value *interval = status == OD_OK ? od_setting(m->top, "interval") : NULL;
    if (interval != NULL && interval->present && (interval->cols != 2 || !(interval->list[1] > interval->list[0]))) {
        return od_setting_fail(ctx, m->top, "interval", "expected [t1, t2] with t2 after t1");
    }
    return status == OD_OK ? build_member(ctx, e, root, m) : status;
}

/* ------------------------------------------------------------------------------------------- all members */

typedef struct expansion {
    od_context *ctx;
    od_arena *arena;
    size_t count, room;
    od_node **root;
    const char **label;
} expansion;

static od_status add_root(expansion *x, od_node *root, const char *label)
{
    if (x->count == MAX_MEMBERS) {
        return od_node_fail(x->ctx, root, "sweep", "more than %d runs; sweep over fewer values", MAX_MEMBERS);
    }
    if (x->count == x->room) {
        const size_t room = x->room == 0 ? 16 : 2 * x->room;
        od_node **roots = od_arena_alloc(x->arena, room, sizeof *roots);
        const char **labels = od_arena_alloc(x->arena, room, sizeof *labels);
        if (roots == NULL || labels == NULL) {
            return od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        }
        if (x->count > 0) {
            memcpy(roots, x->root, x->count * sizeof *roots);
            memcpy(labels, x->label, x->count * sizeof *labels);
        }
        x->root = roots;
        x->label = labels;
        x->room = room;
    }
    x->root[x->count] = root;
    x->label[x->count++] = label;
    return OD_OK;
}

static od_status sweep(expansion *x, od_node *root, const od_node *values, size_t level, const char *label)
{
    if (values == NULL || level == values->count) {
        return add_root(x, root, label);
    }
    const char *path = values->key[level];
    const od_node *list = values->item[level];
    if (strcmp(path, "compare") == 0 || strcmp(path, "sweep") == 0) {
        return od_node_fail(x->ctx, list, "sweep", "compare and sweep cannot be nested");
    }
    if (list->kind != OD_NODE_LIST || list->count == 0) {
        return od_node_fail(x->ctx, list, "sweep", "expected a list of values of %s, for example {%s: [0.1, 0.2]}",
                            path, path);
    }
    for (size_t i = 0; i < list->count; i++) {
        od_node *copy = od_node_copy(x->arena, root);
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        if (copy == NULL || out == NULL) {
            return od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        }
        fprintf(out, "%s%s%s=", label, label[0] != '\0' ? " " : "", path);
        od_node_write(out, list->item[i]);
        fclose(out);
        const char *longer = od_arena_text(x->arena, text, size);
        free(text);
        od_status status = longer == NULL ? od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment")
                                          : od_document_put(x->ctx, x->arena, copy, path, strlen(path), list->item[i]);
        status = status == OD_OK ? sweep(x, copy, values, level + 1, longer) : status;
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

static od_status expand(expansion *x, const od_node *root)
{
    const od_node *compare = od_node_item(root, "compare"), *values = od_node_item(root, "sweep");
    if (compare != NULL && (compare->kind != OD_NODE_LIST || compare->count == 0)) {
        return od_node_fail(x->ctx, compare, "compare", "expected a list such as [{method: {name: gradient}}, ...]");
    }
    if (values != NULL && (values->kind != OD_NODE_MAP || values->count == 0)) {
        return od_node_fail(x->ctx, values, "sweep", "expected a map such as {method.step: [0.1, 0.2]}");
    }
    for (size_t i = 0; i < (compare != NULL ? compare->count : 1); i++) {
        od_node *copy = od_node_copy(x->arena, root);
        const od_node *entry = compare != NULL ? compare->item[i] : NULL;
        if (copy == NULL) {
            return od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        }
        if (entry != NULL && entry->kind != OD_NODE_MAP) {
            return od_node_fail(x->ctx, entry, "compare", "expected a map such as {method: {name: gradient}}");
        }
        for (size_t j = 0; entry != NULL && j < entry->count; j++) {
            if (strcmp(entry->key[j], "compare") == 0 || strcmp(entry->key[j], "sweep") == 0) {
                return od_node_fail(x->ctx, entry->item[j], "compare", "compare and sweep cannot be nested");
            }
            od_status status = od_node_put(x->ctx, x->arena, copy, entry->key[j], entry->item[j]);
            if (status != OD_OK) {
                return status;
            }
        }
        const od_node *label = od_node_item(copy, "label"), *method = od_node_item(copy, "method");
        const od_node *name = method != NULL && method->kind == OD_NODE_MAP ? od_node_item(method, "name") : method;
        const od_node *text = label != NULL ? label : compare != NULL ? name : NULL;
        if (label != NULL && label->kind != OD_NODE_SCALAR) {
            return od_node_fail(x->ctx, label, "label", "expected a text");
        }
        od_status status = sweep(x, copy, values, 0, text != NULL && text->kind == OD_NODE_SCALAR ? text->text : "");
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

/* All members share one Brownian path, so they share the base grid: by default the finest step there is. */
static od_status set_noise(od_context *ctx, od_experiment *e)
{
    double finest = INFINITY;
    for (size_t i = 0; i < e->member_count; i++) {
        const od_member *m = &e->member[i];
        if (m->has_flow && m->flow.noise.dim > 0) {
            finest = fmin(finest, m->step);
        }
        if (m->has_map && m->map.noise_dim > 0 && !isnan(m->map.tau)) {
            finest = fmin(finest, m->map.tau);
        }
    }
    for (size_t i = 0; i < e->member_count; i++) {
        od_member *m = &e->member[i];
        const size_t flow_dim = m->has_flow ? m->flow.noise.dim : 0, map_dim = m->has_map ? m->map.noise_dim : 0;
        const double given = od_setting_real(m->top, "noise_step");
        m->noise = (od_brownian){.seed = m->seed,
                                 .origin = m->start.t,
                                 .base = isnan(given) ? finest : given,
                                 .dim = flow_dim > map_dim ? flow_dim : map_dim};
        od_status status = check_noise(ctx, m);
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- resolved text */

static void write_part(FILE *out, const char *path, const char *name, const od_settings *s)
{
    fprintf(out, "%s: {name: ", path);
    od_text_write(out, name);
    fputs(", ", out);
    od_settings_write(out, s);
    fputs("}", out);
}

/* Read once for all members, so it stands outside of compare. */
static void write_data(FILE *out, const od_experiment *e)
{
    bool any = false;
    for (size_t i = 0; i < e->member_count; i++) {
        any = any || e->member[i].problem->inputs != NULL;
    }
    if (any && e->place.data[0] != '\0') {
        fputs("data: ", out);
        od_text_write(out, e->place.data);
        fputc('\n', out);
    }
}

static void write_member(FILE *out, const od_experiment *e, const od_member *m)
{
    const char *const next = e->member_count > 1 ? ",\n     " : "\n";
    char number[OD_REAL_ROOM];
    fputs("label: ", out);
    od_text_write(out, m->label);
    fputs(next, out);
    write_part(out, "problem", m->problem->name, m->problem_choice.settings);
    fputs(next, out);
    write_part(out, "method", m->method_choice.method->name, m->method_choice.settings);
    if (m->has_flow) {
        fputs(next, out);
        write_part(out, "integrator", m->integrator_choice.integrator->name, m->integrator_choice.settings);
    }
    fputs(next, out);
    od_start_write(out, e, m);
    if (m->has_flow) {
        fprintf(out, "%suntil: %s", next, od_real_text(number, m->until));
    }
    if (m->has_map) {
        fprintf(out, "%siterations: %llu", next, (unsigned long long)m->iterations);
    }
    fprintf(out, "%spaths: %llu%sseed: %llu", next, (unsigned long long)m->paths, next, (unsigned long long)m->seed);
    if (m->noise.dim > 0) {
        fprintf(out, "%snoise_step: %s", next, od_real_text(number, m->noise.base));
    }
    if (od_setting_present(m->top, "interval")) {
        const double *interval = od_setting(m->top, "interval")->list;
        fprintf(out, "%sinterval: [%s", next, od_real_text(number, interval[0]));
        fprintf(out, ", %s]", od_real_text(number, interval[1]));
    }
    fprintf(out, "%srecord: {", next);
    if (m->has_flow) {
        fprintf(out, "every: %s, ", od_real_text(number, m->every));
    }
    if (m->has_map) {
        fprintf(out, "stride: %llu, ", (unsigned long long)m->stride);
    }
    fputs("quantities: [", out);
    for (size_t i = 0; i < m->quantity_count; i++) {
        fprintf(out, "%s%s", i > 0 ? ", " : "", m->quantity[i].name);
    }
    for (size_t i = 0; i < m->quantile_count; i++) {
        fprintf(out, "%s%s", i == 0 ? "], quantiles: [" : ", ", od_real_text(number, m->quantile[i]));
    }
    fputs("]}", out);
    if (!isnan(m->stop_loss) || !isnan(m->stop_gradient)) {
        fprintf(out, "%sstop: {", next);
        od_settings_write(out, m->stop);
        fputs("}", out);
    }
}

static od_status resolve_text(od_context *ctx, od_experiment *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    }
    write_data(out, e);
    if (e->member_count == 1) {
        write_member(out, e, &e->member[0]);
        fputc('\n', out);
    } else {
        fputs("compare:\n", out);
        for (size_t i = 0; i < e->member_count; i++) {
            fputs("  - {", out);
            write_member(out, e, &e->member[i]);
            fputs("}\n", out);
        }
    }
    fclose(out);
    e->resolved = od_arena_text(e->arena, text, size);
    free(text);
    return e->resolved != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
}

const char *od_experiment_resolved(const od_experiment *e)
{
    return e->resolved;
}

/* ------------------------------------------------------------------------------------------- reading */

static od_status apply_options(od_context *ctx, od_experiment *e, od_node *root, const od_options *options)
{
    for (size_t i = 0; options->set != NULL && options->set[i] != NULL; i++) {
        od_status status = od_document_set(ctx, e->arena, root, options->set[i]);
        if (status != OD_OK) {
            return status;
        }
    }
    if (options->seed != NULL) {
        od_node *seed = od_document_parse(ctx, e->arena, options->seed, strlen(options->seed), "--seed");
        if (seed == NULL) {
            return OD_EINVAL;
        }
        seed->line = 0;
        od_status status = od_node_put(ctx, e->arena, root, "seed", seed);
        if (status != OD_OK) {
            return status;
        }
    }
    if (options->block > 128) {
        return od_fail(ctx, OD_EINVAL, "--block", "%u is not between 1 and 128", options->block);
    }
    e->threads = options->threads;
    e->block = options->block != 0 ? options->block : 128;
    e->output = options->output != NULL ? od_arena_text(e->arena, options->output, strlen(options->output)) : NULL;
    e->invocation = options->invocation != NULL
                        ? od_arena_text(e->arena, options->invocation, strlen(options->invocation))
                        : "";
    const od_node *folder = od_node_item(root, "data");
    const char *data = options->data != NULL && options->data[0] != '\0'  ? options->data
                       : folder != NULL && folder->kind == OD_NODE_SCALAR ? folder->text
                                                                          : "";
    char *absolute = data[0] != '\0' ? realpath(data, NULL) : NULL;
    e->place.data = od_arena_text(e->arena, absolute != NULL ? absolute : data,
                                  strlen(absolute != NULL ? absolute : data));
    free(absolute);
    return e->place.data != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
}

static od_status build(od_context *ctx, od_experiment *e, od_node *root, const od_options *options)
{
    static const od_options none;
    od_status status = root->kind == OD_NODE_MAP ? apply_options(ctx, e, root, options != NULL ? options : &none)
                                                 : check_names(ctx, root);
    status = status == OD_OK ? check_names(ctx, root) : status;
    expansion x = {.ctx = ctx, .arena = e->arena};
    status = status == OD_OK ? expand(&x, root) : status;
    if (status != OD_OK) {
        return status;
    }
    e->member = od_arena_alloc(e->arena, x.count, sizeof *e->member);
    e->problem = od_arena_alloc(e->arena, x.count, sizeof *e->problem);
    e->problem_text = od_arena_alloc(e->arena, x.count, sizeof *e->problem_text);
    if (e->member == NULL || e->problem == NULL || e->problem_text == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu runs", x.count);
    }
    for (size_t i = 0; i < x.count && status == OD_OK; i++) {
        e->member_count = i + 1; /* counted first, so that a half-built member is cleared */
        status = read_member(ctx, e, x.root[i], &e->member[i]);
    }
    if (status == OD_OK) {
        for (size_t i = 0; i < x.count; i++) {
            od_label_member(e, i, x.label[i][0] != '\0' ? x.label[i] : e->member[i].method_choice.method->name);
        }
        status = set_noise(ctx, e);
    }
    return status == OD_OK ? resolve_text(ctx, e) : status;
}

static od_experiment *load(od_context *ctx, const char *file, const char *yaml, const od_options *options)
{
    od_arena *arena = od_arena_create();
    od_experiment *e = arena != NULL ? od_arena_alloc(arena, 1, sizeof *e) : NULL;
    if (e == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        od_arena_free(arena);
        return NULL;
    }
    e->arena = arena;
    e->file = file != NULL ? od_arena_text(arena, file, strlen(file)) : "";
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    e->place.folder = slash != NULL ? od_arena_text(arena, file, (size_t)(slash - file)) : "";
    od_node *root = file != NULL ? od_document_read(ctx, arena, file)
                                 : od_document_parse(ctx, arena, yaml, strlen(yaml), "text");
    if (root == NULL || build(ctx, e, root, options) != OD_OK) {
        od_experiment_free(e);
        return NULL;
    }
    return e;
}

od_experiment *od_experiment_load(od_context *ctx, const char *file, const od_options *options)
{
    return load(ctx, file, NULL, options);
}

od_experiment *od_experiment_parse(od_context *ctx, const char *yaml, const od_options *options)
{
    return load(ctx, NULL, yaml, options);
}

void od_experiment_free(od_experiment *e)
{
    if (e == NULL) {
        return;
    }
    for (size_t i = 0; i < e->member_count; i++) {
        od_flow_clear(&e->member[i].flow);
        od_map_clear(&e->member[i].map);
    }
    for (size_t i = 0; i < e->problem_count; i++) {
        od_problem_clear(e->problem[i]);
    }
    od_arena_free(e->arena);
}

od_status od_experiment_observe(od_context *ctx, od_experiment *e, od_observer observer)
{
    if (e->observer_count == OD_MAX_OBSERVERS) {
        return od_fail(ctx, OD_EINVAL, NULL, "more than %d observers", OD_MAX_OBSERVERS);
    }
    e->observer[e->observer_count++] = observer;
    return OD_OK;
}
