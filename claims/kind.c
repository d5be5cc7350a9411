/* What claims recognise a member by, and lists of claims. SPDX-License-Identifier: GPL-3.0-or-later */
#include "kind.h"

#include "claim.h"

#include <math.h>

static bool near(double x, double y)
{
    return fabs(x - y) <= 1e-12 * (1 + fabs(x));
}

/* Damping a' and force e^{b-a} of the Lagrangian at two times. */
static void find_law(const od_flow *flow, double t1, double t2, od_claims_kind *kind)
{
    const double t[2] = {(t1 + t2) / 2, t2};
    double a[2][2], b[2][2], force[2];
    for (int k = 0; k < 2; k++) {
        flow->lagrangian(flow, t[k], a[k], b[k]);
        force[k] = exp(b[k][0] - a[k][0]);
    }
    const bool plain = near(b[0][0] - a[0][0], 0) && near(b[1][0] - a[1][0], 0);
    const double power = a[0][1] * t[0];
    const bool falling = near(power, a[1][1] * t[1]), constant = fabs(a[0][1] - a[1][1]) <= 1e-12 * fabs(a[0][1]);
    kind->viscous = plain && falling ? power : NAN;
    kind->damping = plain && constant ? a[0][1] : NAN;
    kind->memory = !constant && near(force[0] / a[0][1], 1) && near(force[1] / a[1][1], 1);
    kind->forgetting = kind->memory && falling ? power : NAN;
    if (falling && power > 1) {
        const double p = power - 1, scale = force[0] * pow(t[0], 2 - p) / (p * p);
        const bool fits = near(force[1] * pow(t[1], 2 - p) / (p * p) / scale, 1);
        kind->bregman = fits ? p : NAN;
        kind->scale = fits ? scale : NAN;
    }
}

od_claims_kind od_claims_recognise(const od_member *m, double t1, double t2)
{
    const od_spectrum *s = m->problem->spectrum;
    od_claims_kind kind = {
        .least = NAN, .beta = NAN, .viscous = NAN, .damping = NAN, .forgetting = NAN, .bregman = NAN, .scale = NAN};
    if (m->flow.lagrangian != NULL) {
        find_law(&m->flow, t1, t2, &kind);
    }
    for (size_t i = 0; s != NULL && i < m->problem->dim; i++) {
        kind.steepest = s->eigenvalues[i] > s->eigenvalues[kind.steepest] ? i : kind.steepest;
        kind.least = fmin(kind.least, s->eigenvalues[i]);
        kind.beta = s->eigenvalues[kind.steepest];
    }
    return kind;
}

od_claim *od_claims_add(od_claim *list, size_t *count, const char *id, const char *source, const char *statement)
{
    od_claim *c = &list[(*count)++];
    *c = (od_claim){.id = id,
                    .source = source,
                    .statement = statement,
                    .predicted = NAN,
                    .measured = NAN,
                    .expected = OD_HOLDS,
                    .verdict = OD_HOLDS};
    return c;
}

void od_claims_judge(od_claim *c, bool holds, const char *counterexample)
{
    c->verdict = holds ? OD_HOLDS : OD_FAILS;
    c->counterexample = holds ? NULL : counterexample;
}

void od_claims_match(od_claim *c, double predicted, double measured, const char *counterexample)
{
    c->predicted = predicted;
    c->measured = measured;
    od_claims_judge(c,
                    fabs(measured - predicted) <= c->error_integration + OD_SIGMAS * c->error_sampling + c->error_model,
                    counterexample);
}

void od_claims_bound(od_claim *c, double predicted, double measured, const char *counterexample)
{
    const double error = c->error_integration + OD_SIGMAS * c->error_sampling + c->error_model;
    c->predicted = predicted;
    c->measured = measured;
    od_claims_judge(c, measured <= predicted + error, counterexample);
    if (c->verdict == OD_HOLDS && measured > predicted) {
        c->verdict = OD_UNDECIDED; /* within the errors of the bound */
    }
}

void od_claims_doubt(od_claim *c)
{
    if (isnan(c->error_model) && c->verdict == OD_FAILS) {
        c->verdict = OD_UNDECIDED;
        c->counterexample = "exceeded, but with constants that were seen at some states only";
    }
}
