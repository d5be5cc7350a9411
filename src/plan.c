/* What would run: entries and where they come from, steps, evaluations, memory. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "json.h"
#include "tally.h"
#include "text.h"

#include <math.h>

typedef struct cost {
    double steps, evaluations, memory;
} cost;

/* Adaptive schemes choose their steps as they go: then both are unknown. */
static cost estimate(const od_experiment *e, const od_member *m)
{
    cost a = {0, 0, od_simulate_memory(e, m)};
    if (od_member_automatic(m)) {
        a.steps = a.evaluations = NAN;
    } else if (m->has_flow && isnan(m->step)) {
        a.steps = a.evaluations = m->flow.exact != NULL && m->integrator_choice.integrator->per_path == false ? 0 : NAN;
    } else if (m->has_flow) {
        const od_integrator_type *type = m->integrator_choice.integrator;
        const od_stepper stepper = {
            .type = type, .settings = m->integrator_choice.settings, .flow = &m->flow, .origin = m->start.t};
        a.steps = (double)od_member_steps(m);
        /* beyond the graded start all steps cost the same, so only those are counted one by one */
        const double usual = type->drifts != NULL
                                 ? type->drifts(&stepper, fmax(m->flow.graded, m->start.t) + m->step, m->step)
                                 : 1;
        const double graded = type->drifts != NULL ? fmin(a.steps, ceil((m->flow.graded - m->start.t) / m->step)) : 0;
        a.evaluations = usual * (a.steps - fmax(0, graded));
        for (double n = 0; n < graded; n++) {
            a.evaluations += type->drifts(&stepper, m->start.t + n * m->step, m->step);
        }
        a.evaluations *= (double)m->paths;
    }
    a.evaluations += (double)m->iterations * (double)m->paths;
    return a;
}

od_cost od_experiment_cost(const od_experiment *e)
{
    od_cost all = {.runs = e->member_count};
    for (size_t i = 0; i < e->member_count; i++) {
        const size_t dim = e->member[i].problem->dim;
        const cost one = estimate(e, &e->member[i]);
        all.dimension = dim > all.dimension ? dim : all.dimension;
        all.evaluations += one.evaluations;
        all.memory += one.memory;
    }
    return all;
}

typedef struct printer {
    FILE *out;
    const char *path;
    bool json, first;
} printer;

static void print_value(FILE *out, const od_value *v, bool json)
{
    char number[OD_REAL_ROOM];
    if (!v->present) {
        fputs("null", out); /* left out of the text */
    } else if (v->kind == OD_TEXT || v->kind == OD_CHOICE) {
        if (json) {
            od_json_text(out, v->text);
        } else {
            fputs(v->text, out);
        }
    } else if (v->kind == OD_FLAG) {
        fputs(v->real != 0 ? "true" : "false", out);
    } else if (v->kind == OD_NAMES) {
        for (size_t i = 0; i < v->cols; i++) {
            fputs(i == 0 ? "[" : ", ", out);
            if (json) {
                od_json_text(out, v->names[i]);
            } else {
                fputs(v->names[i], out);
            }
        }
        fputs("]", out);
    } else if (v->kind == OD_REAL || v->kind == OD_INTEGER) {
        fputs(od_real_text(number, v->real), out);
    } else if (json || v->rows * v->cols <= 4) {
        od_json_list(out, v->list, v->rows * v->cols);
    } else {
        fprintf(out, "%zu x %zu numbers, the first %s", v->rows, v->cols, od_real_text(number, v->list[0]));
    }
}

static void print_entry(void *user, const od_param *param, const od_value *value, const char *origin)
{
    printer *p = user;
    if (p->json) {
        fputs(p->first ? "" : ", ", p->out);
        p->first = false;
        fputs("{\"entry\": \"", p->out);
        fprintf(p->out, "%s%s%s\", \"value\": ", p->path, p->path[0] != '\0' ? "." : "", param->name);
        print_value(p->out, value, true);
        fputs(", \"from\": ", p->out);
        od_json_text(p->out, value->present ? origin : "absent");
        fputs("}", p->out);
    } else if (value->present) {
        char name[96];
        snprintf(name, sizeof name, "%s%s%s", p->path, p->path[0] != '\0' ? "." : "", param->name);
        fprintf(p->out, "  %-28s ", name);
        print_value(p->out, value, false);
        fprintf(p->out, "   (%s)\n", origin);
    }
}

static void print_constant(const printer *p, const char *name, const od_constant *c)
{
    if (p->json) {
        fprintf(p->out, "\"%s\": {\"value\": ", name);
        od_json_real(p->out, c->value);
        fputs(", \"how\": ", p->out);
        od_json_text(p->out, c->how);
        fputs("}", p->out);
    } else {
        char number[OD_REAL_ROOM];
        fprintf(p->out, "  %-28s %s   (%s)\n", name, isnan(c->value) ? "unknown" : od_real_text(number, c->value),
                c->how);
    }
}

/* Entries that were left out and follow from others. */
static void print_derived(printer *p, const od_member *m)
{
    static const char derived[] = "derived";
    const od_param every = {.name = "every"}, stride = {.name = "stride"}, base = {.name = "noise_step"};
    const od_param interval = {.name = "interval"};
    od_value value = {.kind = OD_REAL, .present = true};
    p->path = "record";
    if (m->has_flow && !od_member_automatic(m) && !od_setting_present(m->record, "every")) {
        value.real = m->every;
        print_entry(p, &every, &value, derived);
    }
    if (m->has_map && !od_setting_present(m->record, "stride")) {
        value.real = (double)m->stride;
        print_entry(p, &stride, &value, derived);
    }
    p->path = "";
    if (m->noise.dim > 0 && !od_member_automatic(m) && !od_setting_present(m->top, "noise_step")) {
        value.real = m->noise.base;
        print_entry(p, &base, &value, derived);
    }
    if (m->has_flow && !od_setting_present(m->top, "interval")) {
        const od_value ends = {.kind = OD_VECTOR, .present = true, .rows = 1, .cols = 2, .list = m->interval};
        print_entry(p, &interval, &ends, derived);
    }
}

static void print_member(const od_experiment *e, const od_member *m, FILE *out, bool json)
{
    printer p = {.out = out, .path = "", .json = json, .first = true};
    const cost a = estimate(e, m);
    const double h_l = (m->has_map ? m->map.tau : m->step) * m->problem->lipschitz.value;
    if (json) {
        fputs("{\"label\": ", out);
        od_json_text(out, m->label);
        fputs(", \"entries\": [", out);
    } else {
        fprintf(out, "%s: problem %s, method %s%s%s\n", m->label, m->problem->name, m->method_choice.method->name,
                m->has_flow ? ", integrator " : "", m->has_flow ? m->integrator_choice.integrator->name : "");
    }
    const od_settings *const settings[] = {m->problem_choice.settings,
                                           m->method_choice.settings,
                                           m->has_flow ? m->integrator_choice.settings : NULL,
                                           m->top,
                                           m->record,
                                           m->stop};
    const char *const paths[] = {"problem", "method", "integrator", "", "record", "stop"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        p.path = paths[i];
        if (settings[i] != NULL) {
            od_settings_walk(settings[i], print_entry, &p);
        }
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        p.path = od_analysis_types[i]->name;
        if (od_section_given(m->analysis[i], od_analysis_types[i]->params)) {
            od_settings_walk(m->analysis[i], print_entry, &p);
        }
    }
    print_derived(&p, m);
    if (json) {
        fputs("], ", out);
    }
    print_constant(&p, "L", &m->problem->lipschitz);
    fputs(json ? ", " : "", out);
    print_constant(&p, "mu", &m->problem->convexity);
    fputs(json ? ", " : "", out);
    print_constant(&p, "minimum", &m->problem->minimum);
    if (json) {
        fputs(", \"hL\": ", out);
        od_json_real(out, h_l);
        fprintf(out, ", \"dimension\": %zu, \"steps\": ", m->problem->dim);
        od_json_real(out, m->has_flow ? a.steps : NAN);
        fprintf(out,
                ", \"iterations\": %llu, \"rows\": %llu, \"gradient_evaluations\": ", (unsigned long long)m->iterations,
                (unsigned long long)(od_member_flow_rows(m) + od_member_map_rows(m)));
        od_json_real(out, a.evaluations);
        fputs(", \"memory_bytes\": ", out);
        od_json_real(out, a.memory);
        fputs("}", out);
        return;
    }
    if (od_member_automatic(m)) {
        fprintf(out, "  dimension %zu, paths for a tolerance of %g\n", m->problem->dim, m->tolerance);
    } else {
        fprintf(out, "  dimension %zu, paths %llu, rows %llu\n", m->problem->dim, (unsigned long long)m->paths,
                (unsigned long long)(od_member_flow_rows(m) + od_member_map_rows(m)));
    }
    if (m->has_flow && isnan(a.steps)) {
        fprintf(out, "  steps and gradient evaluations: chosen while running\n");
    } else {
        fprintf(out, "  steps %.0f, iterations %llu, gradient evaluations %.0f\n", a.steps,
                (unsigned long long)m->iterations, a.evaluations);
    }
    if (!isnan(h_l)) {
        fprintf(out, "  h L = %.4g (step times largest curvature)\n", h_l);
    }
    fprintf(out, "  memory about %.3g MB\n", a.memory / 1e6);
}

od_status od_experiment_plan(od_context *ctx, const od_experiment *e, FILE *out, bool json)
{
    if (json) {
        fputs("{\"resolved\": ", out);
        od_json_text(out, e->resolved);
        fputs(", \"members\": [", out);
    } else {
        fprintf(out, "# resolved experiment\n%s\n# where each entry comes from\n", e->resolved);
    }
    for (size_t i = 0; i < e->member_count; i++) {
        fputs(json && i > 0 ? ",\n " : "", out);
        print_member(e, &e->member[i], out, json);
    }
    fputs(json ? "]}\n" : "", out);
    return ferror(out) ? od_fail(ctx, OD_EIO, NULL, "the plan could not be written") : OD_OK;
}
