/* The methods whose iteration is a rule for intervals. SPDX-License-Identifier: GPL-3.0-or-later */
#include "rule.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void gradient(const od_settings *s, const od_problem *f, od_rule *rule)
{
    rule->p[0] = od_setting_real(s, "step");
}

static void heavy_ball(const od_settings *s, const od_problem *f, od_rule *rule)
{
    const bool pair = od_setting_present(s, "momentum");
    rule->kind = pair ? OD_RULE_POLYAK : OD_RULE_VISCOUS;
    rule->name = pair ? "polyak" : "viscous";
    rule->p[0] = od_setting_real(s, pair ? "momentum" : "alpha");
    rule->p[1] = od_setting_real(s, pair ? "learning_rate" : "step");
}

static void nesterov(const od_settings *s, const od_problem *f, od_rule *rule)
{
    rule->p[0] = od_setting_real(s, "r");
    rule->p[1] = od_setting_real(s, "step");
}

static void strongly_convex(const od_settings *s, const od_problem *f, od_rule *rule)
{
    rule->p[0] = od_setting_present(s, "mu") ? od_setting_real(s, "mu") : f->convexity.value;
    rule->p[1] = od_setting_real(s, "step");
}

/* Forgetting by a power of time; others keep the exponent 0, which is refused. */
static void memory(const od_settings *s, const od_problem *f, od_rule *rule)
{
    static const struct {
        const char *name;
        double exponent;
    } powers[] = {{"constant", 1}, {"square-root", 1.5}, {"linear", 2}, {"quadratic", 3}};
    const char *forgetting = od_setting_text(s, "forgetting");
    rule->p[0] = strcmp(forgetting, "polynomial") == 0 ? od_setting_real(s, "p") : 0;
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        rule->p[0] = strcmp(forgetting, powers[i].name) == 0 ? powers[i].exponent : rule->p[0];
    }
    rule->p[1] = od_setting_real(s, "step");
}

static const struct row {
    const char *method;
    od_rule_kind kind;
    bool momentum;
    void (*read)(const od_settings *s, const od_problem *f, od_rule *rule);
} rows[] = {
    {"gradient", OD_RULE_GRADIENT, false, gradient},
    {"amplified-gradient", OD_RULE_AMPLIFIED, false, gradient},
    {"heavy-ball", OD_RULE_VISCOUS, true, heavy_ball},
    {"nesterov", OD_RULE_NESTEROV, true, nesterov},
    {"nesterov-strongly-convex", OD_RULE_STRONGLY_CONVEX, true, strongly_convex},
    {"memory", OD_RULE_MEMORY, true, memory},
};

enum { ROWS = sizeof rows / sizeof *rows };

void od_rule_free(od_rule *rule)
{
    if (rule != NULL) {
        od_tape_free(rule->tape);
        free(rule);
    }
}

/* The loss and its derivatives on one tape. */
static od_status write_loss(od_context *ctx, const od_member *m, od_rule *rule)
{
    const uint32_t d = (uint32_t)m->problem->dim;
    uint32_t f = OD_NO_NODE;
    rule->tape = od_tape_create();
    od_status status = rule->tape != NULL ? od_loss_write(ctx, &m->problem_choice, m->problem, rule->tape, &f)
                                          : OD_ENOMEM;
    status = status == OD_OK ? od_tape_gradient(ctx, rule->tape, f, d, rule->gradient) : status;
    rule->loss_dim = d;
    rule->slopes = status == OD_OK ? od_tape_count(rule->tape) : 0;
    for (uint32_t i = 0; i < d && status == OD_OK; i++) {
        memset(rule->hessian[i], 0xff, sizeof rule->hessian[i]);
        if (rule->gradient[i] != OD_NO_NODE) {
            /* columns above the diagonal are those of other rows */
            status = od_tape_gradient(ctx, rule->tape, rule->gradient[i], i + 1, rule->hessian[i]);
        }
    }
    /* a formula that was not read for want of memory is not a wrong formula */
    if (rule->tape == NULL || !od_tape_complete(rule->tape) || status == OD_ENOMEM) {
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for the formula of '%s'", m->problem->name);
    }
    rule->node = od_tape_nodes(rule->tape);
    rule->count = od_tape_count(rule->tape);
    return status;
}

static od_status fill(od_context *ctx, const od_member *m, const struct row *row, od_rule *rule)
{
    const od_settings *s = m->method_choice.settings;
    rule->name = row->method;
    rule->kind = row->kind;
    rule->momentum = row->momentum;
    rule->dim = m->dim;
    row->read(s, m->problem, rule);
    if (rule->kind == OD_RULE_MEMORY && rule->p[0] == 0) {
        return od_setting_fail(ctx, s, "forgetting",
                               "interval evaluation knows forgetting by a power of time alone, not '%s'",
                               od_setting_text(s, "forgetting"));
    }
    return write_loss(ctx, m, rule);
}

od_status od_rule_create(od_context *ctx, const od_member *m, od_rule **rule)
{
    *rule = NULL;
    const char *method = m->method_choice.method->name;
    size_t which = 0;
    while (which < ROWS && strcmp(rows[which].method, method) != 0) {
        which++;
    }
    if (!m->has_map || which == ROWS) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method.name",
                       "the iteration of '%s' has no interval evaluation; gradient, amplified-gradient, heavy-ball, "
                       "nesterov, nesterov-strongly-convex and memory have one",
                       method);
    }
    if (m->map.noise_dim > 0 || m->map.batch > 0) {
        return od_fail(ctx, OD_EUNSUPPORTED, m->map.batch > 0 ? "method.batch" : "method.noise",
                       "interval evaluation is for iterations without chance; remove it");
    }
    od_rule *r = od_zalloc(1, sizeof *r);
    if (r == NULL) {
        return od_fail(ctx, OD_ENOMEM, "method", "no memory for the rule of the iteration");
    }
    od_status status = fill(ctx, m, &rows[which], r);
    if (status != OD_OK) {
        od_rule_free(r);
        return status;
    }
    *rule = r;
    return OD_OK;
}
