/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cost.h"

#include <math.h>

/* Multiplications that take about half a minute, and those that an evaluation takes at least: by a call of our own, and
 * by LibTorch, where it is a few hundred microseconds. */
static const double most = 1e11, least = 200, least_of_network = 1e6;

enum { STAGES = 12, SAMPLES = 400 };

double od_claims_orbit_cost(const od_member *m)
{
    if (!m->has_flow) {
        return 0;
    }
    const double curvature = m->problem->lipschitz.value, time = m->until - m->start.t;
    const double stiffness = !(curvature > 1) ? 1 : m->flow.second_order ? sqrt(curvature) : curvature;
    return STAGES * (SAMPLES + time * stiffness);
}

od_status od_claims_check_cost(od_context *ctx, const od_claim_set *set, const od_member *m)
{
    const double samples = fmax((double)m->problem->samples, 1), d = (double)m->problem->dim;
    const double evaluations = set->cost != NULL ? set->cost(m) : 0;
    const bool network = m->problem->type != NULL && m->problem->type->needs != NULL;
    if (evaluations * fmax(2 * d * samples, network ? least_of_network : least) <= most) {
        return OD_OK;
    }
    char of[64] = "";
    if (m->problem->samples > 0) {
        snprintf(of, sizeof of, " and %zu samples", m->problem->samples);
    }
    return od_fail(ctx, OD_EUNSUPPORTED, NULL,
                   "they take about %.1g evaluations of a loss with %zu parameters%s; --all asks them all the same",
                   evaluations, m->problem->dim, of);
}
