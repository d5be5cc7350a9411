/* What claims recognise a member by, and lists of claims. SPDX-License-Identifier: GPL-3.0-or-later */
#include "claims.h"

#include <math.h>

/* The damping of the Lagrangian, where the force has weight one. */
static void find_damping(const od_flow *flow, double t1, double t2, od_claims_kind *kind)
{
    const double t = (t1 + t2) / 2;
    double a[2], b[2], a2[2], b2[2];
    flow->lagrangian(flow, t, a, b);
    flow->lagrangian(flow, t2, a2, b2);
    const bool weighted = fabs(b[0] - a[0]) > 1e-12 * (1 + fabs(a[0])) ||
                          fabs(b2[0] - a2[0]) > 1e-12 * (1 + fabs(a2[0]));
    kind->viscous = !weighted && fabs(a[1] * t - a2[1] * t2) <= 1e-12 * fabs(a[1] * t) ? a[1] * t : NAN;
    kind->damping = !weighted && fabs(a[1] - a2[1]) <= 1e-12 * fabs(a[1]) ? a[1] : NAN;
}

od_claims_kind od_claims_recognise(const od_member *m, double t1, double t2)
{
    const od_spectrum *s = m->problem->spectrum;
    od_claims_kind kind = {.least = NAN, .beta = NAN};
    find_damping(&m->flow, t1, t2, &kind);
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
