/* One run of an experiment: parts, grids and noise, each checked against the others. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "member.h"

#include "context.h"
#include "multilevel.h"
#include "start.h"
#include "stepper.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- grids */

uint64_t od_member_steps(const od_member *m)
{
    const double count = (m->until - m->start.t) / m->step;
    const double nearest = round(count);
    return (uint64_t)(fabs(count - nearest) <= 1e-6 ? nearest : ceil(count));
}

bool od_member_automatic(const od_member *m)
{
    return od_setting(m->top, "paths")->kind == OD_TEXT;
}

size_t od_member_noise_rows(const od_member *m)
{
    return m->noise.dim * (m->has_flow && m->integrator_choice.integrator->integral ? 2 : 1);
}

/* ------------------------------------------------------------------------------------------- one member */

const char *od_member_block_names(const od_member *m, char text[OD_BLOCK_NAMES_ROOM])
{
    text[0] = '\0';
    for (size_t b = 0; b < m->block_count; b++) {
        od_text_join(text, OD_BLOCK_NAMES_ROOM, m->block[b].name);
    }
    return text;
}

/* Variational questions are about the flow after its start; the end may lie anywhere. */
static od_status choose_interval(od_context *ctx, od_member *m)
{
    const od_value *given = od_setting(m->top, "interval");
    m->interval[0] = m->has_flow ? m->start.t : NAN;
    m->interval[1] = m->has_flow ? m->until : NAN;
    if (!given->present) {
        return OD_OK;
    }
    if (!m->has_flow) {
        return od_setting_fail(ctx, m->top, "interval",
                               "an interval is a question about the flow; give until and integrator, or remove it");
    }
    if (given->list[0] < m->start.t) {
        char begin[OD_REAL_ROOM], start[OD_REAL_ROOM];
        return od_setting_fail(ctx, m->top, "interval", "t1 = %s is before the flow's start.t = %s; give a later t1",
                               od_real_text(begin, given->list[0]), od_real_text(start, m->start.t));
    }
    m->interval[0] = given->list[0];
    m->interval[1] = given->list[1];
    return OD_OK;
}

static od_status check_antithetic(od_context *ctx, od_member *m)
{
    m->antithetic = od_setting_real(m->top, "antithetic") != 0;
    const bool noise = (m->has_flow ? m->flow.noise.dim : m->map.noise_dim) > 0;
    if (!m->antithetic) {
        return OD_OK;
    }
    if (od_member_automatic(m) || m->paths % 2 != 0) {
        return od_setting_fail(ctx, m->top, "antithetic", "its paths come in pairs; give an even number of paths");
    }
    if (!noise) {
        return od_setting_fail(ctx, m->top, "antithetic",
                               "'%s' has no noise whose sign could be changed; give method.noise, or remove it",
                               m->method_choice.method->name);
    }
    if (od_setting_present(m->record, "quantiles")) {
        return od_setting_fail(ctx, m->record, "quantiles",
                               "their standard errors hold for independent paths, and antithetic ones are not; remove "
                               "one of the two");
    }
    return OD_OK;
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

od_status od_member_check_noise(od_context *ctx, od_member *m)
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
        status = check_grid(ctx, m, m->map.tau, "the time of one iteration");
    }
    return status;
}

static od_status check_lock_step(od_context *ctx, const od_member *m)
{
    if (!m->has_flow || !m->has_map) {
        return OD_OK;
    }
    bool same = m->flow.block_count == m->map.block_count;
    for (size_t b = 0; b < m->map.block_count && same; b++) {
        same = m->flow.block[b].length == m->map.block[b].length &&
               strcmp(m->flow.block[b].name, m->map.block[b].name) == 0;
    }
    if (!same) {
        return od_setting_fail(ctx, m->top, "iterations",
                               "the flow '%s' and the iteration '%s' of '%s' have different states, so they cannot run "
                               "from one start; run one of them, or choose another method.flow or method.map",
                               m->flow.name, m->map.name, m->method_choice.method->name);
    }
    if (m->flow.singular && m->start.t > 1.5 * m->map.tau) {
        od_note(ctx,
                "%s: the iteration starts at k = 0, while the flow's coefficients start at t = %.9g; only from a start "
                "near 0 do the two describe the same times",
                m->method_choice.method->name, m->start.t);
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
    integrator = integrator != NULL && od_node_is_null(integrator) ? NULL : integrator; /* a run without that of all */
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
    fprintf(out, "%s: ", m->problem_choice.name);
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

/* Data files of the problem, then plug-ins. */
static od_status list_inputs(od_context *ctx, od_experiment *e, od_member *m)
{
    const char *const all[] = {m->problem->inputs, m->problem_choice.input, m->method_choice.input};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i] == NULL) {
            continue;
        }
        m->inputs = m->inputs == NULL ? all[i] : od_arena_print(e->arena, "%s\n%s", m->inputs, all[i]);
        if (m->inputs == NULL) {
            return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the list of files");
        }
    }
    return OD_OK;
}

static od_status build_member(od_context *ctx, od_experiment *e, const od_node *root, od_member *m)
{
    od_status status = choose_parts(ctx, e, root, m);
    status = status == OD_OK ? share_problem(ctx, e, m) : status;
    status = status == OD_OK ? list_inputs(ctx, e, m) : status;
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
    m->paths = od_member_automatic(m) ? 1 : (uint64_t)od_setting_real(m->top, "paths");
    m->tolerance = od_setting_real(m->top, "tolerance");
    m->seed = (uint64_t)od_setting_real(m->top, "seed");
    m->stop_loss = od_setting_real(m->stop, "loss");
    m->stop_gradient = od_setting_real(m->stop, "gradient");
    if (m->paths > 1 && !(isnan(m->stop_loss) && isnan(m->stop_gradient))) {
        return od_setting_fail(ctx, m->top, "paths",
                               "stop ends a single path; with %g paths each would end at its own time. "
                               "Remove stop or give paths: 1",
                               (double)m->paths);
    }
    status = od_multilevel_check(ctx, m);
    status = status == OD_OK ? check_antithetic(ctx, m) : status;
    status = status == OD_OK ? od_start_read(ctx, e, root, m) : status;
    status = status == OD_OK ? check_times(ctx, m) : status;
    status = status == OD_OK ? choose_interval(ctx, m) : status;
    status = status == OD_OK ? check_singular(ctx, m) : status;
    status = status == OD_OK ? od_start_check(ctx, m) : status;
    status = status == OD_OK ? od_member_choose_records(ctx, m) : status;
    status = status == OD_OK ? od_member_choose_details(ctx, m) : status;
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

/* The section of each analysis; members without one share its defaults. */
static od_status read_analyses(od_context *ctx, od_experiment *e, const od_node *root, od_member *m)
{
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        const od_analysis_type *type = od_analysis_types[i];
        const od_node *node = od_node_item(root, type->name);
        od_place place = e->place;
        place.path = type->name;
        od_status status = check_section(ctx, root, type->name, "{levels: 6}; `optdyn describe` lists its entries");
        if (status != OD_OK) {
            return status;
        }
        const od_param *const tables[] = {type->params, NULL};
        if (node == NULL && e->analysis_default[i] == NULL) {
            e->analysis_default[i] = od_settings_resolve(ctx, e->arena, tables, NULL, place);
        }
        m->analysis[i] = node == NULL ? e->analysis_default[i]
                                      : od_settings_resolve(ctx, e->arena, tables, node, place);
        if (m->analysis[i] == NULL) {
            return OD_EINVAL;
        }
    }
    return OD_OK;
}

od_status od_member_read(od_context *ctx, od_experiment *e, const od_node *root, od_member *m)
{
    od_status status = od_entries_check(ctx, root);
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
        status = od_entry_is_section(root->key[i]) ? OD_OK
                                                   : od_node_put(ctx, e->arena, plain, root->key[i], root->item[i]);
    }
    status = status == OD_OK ? check_section(ctx, root, "record", "record: {every: 0.1}") : status;
    status = status == OD_OK ? check_section(ctx, root, "stop", "stop: {loss: 1.0e-3}") : status;
    od_place place = e->place;
    place.path = "";
    if (status == OD_OK) {
        m->top = od_settings_resolve(ctx, e->arena, (const od_param *const[]){od_experiment_params(""), NULL}, plain,
                                     place);
        place.path = "record";
        m->record = m->top != NULL
                        ? od_settings_resolve(ctx, e->arena,
                                              (const od_param *const[]){od_experiment_params("record"), NULL},
                                              od_node_item(root, "record"), place)
                        : NULL;
        place.path = "stop";
        m->stop = m->record != NULL ? od_settings_resolve(ctx, e->arena,
                                                          (const od_param *const[]){od_experiment_params("stop"), NULL},
                                                          od_node_item(root, "stop"), place)
                                    : NULL;
        status = m->stop != NULL ? OD_OK : OD_EINVAL;
    }
    const od_value *interval = status == OD_OK ? od_setting(m->top, "interval") : NULL;
    if (interval != NULL && interval->present && (interval->cols != 2 || !(interval->list[1] > interval->list[0]))) {
        return od_setting_fail(ctx, m->top, "interval", "expected [t1, t2] with t2 after t1");
    }
    status = status == OD_OK ? read_analyses(ctx, e, root, m) : status;
    return status == OD_OK ? build_member(ctx, e, root, m) : status;
}
