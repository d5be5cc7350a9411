/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "levels.h"

#include <math.h>
#include <string.h>

static const od_integrator_type *find(const char *name)
{
    size_t i = 0;
    while (strcmp(od_integrator_types[i]->name, name) != 0) {
        i++;
    }
    return od_integrator_types[i];
}

static od_status check_member(od_context *ctx, const od_member *m, const char *analysis)
{
    if (!m->has_flow) {
        return od_fail(ctx, OD_EUNSUPPORTED, "until", "%s looks at a flow; give until and integrator", analysis);
    }
    if (m->flow.noise.shape == OD_NOISE_NONE) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method.noise",
                       "%s compares random paths, and '%s' has no noise; give method.noise: 0.1, say", analysis,
                       m->label);
    }
    if (m->paths < 2 * OD_GROUPS) {
        return od_fail(ctx, OD_EUNSUPPORTED, "paths",
                       "%s takes its interval from %d groups of paths, and %llu are too few; give %d or more", analysis,
                       OD_GROUPS, (unsigned long long)m->paths, 2 * OD_GROUPS);
    }
    return OD_OK;
}

od_status od_levels_read(od_context *ctx, const od_settings *s, const od_member *m, const char *analysis, od_levels *a)
{
    od_status status = check_member(ctx, m, analysis);
    if (status != OD_OK) {
        return status;
    }
    *a = (od_levels){.ctx = ctx,
                     .m = m,
                     .levels = (size_t)od_setting_real(s, "levels"),
                     .halvings = (unsigned)od_setting_real(s, "reference")};
    const uint64_t steps = od_member_steps(m), coarsest = UINT64_C(1) << (a->levels - 1);
    if (steps % coarsest != 0) {
        return od_setting_fail(ctx, s, "levels",
                               "the run has %llu steps, and its coarsest level takes %llu at a time; give fewer "
                               "levels, or a number of steps that is a multiple of %llu",
                               (unsigned long long)steps, (unsigned long long)coarsest, (unsigned long long)coarsest);
    }
    a->width = ldexp(m->step, -(int)a->halvings);
    a->cells = steps << a->halvings;
    const od_integrator_type *own = m->integrator_choice.integrator;
    a->reference = m->flow.noise.shape == OD_NOISE_ADDITIVE ? find("sra1") : own;
    for (size_t l = 0; l < a->levels; l++) {
        a->strand[l] = (od_strand){own, od_levels_step(a, l), UINT64_C(1) << (a->halvings + l)};
    }
    a->strand[a->levels] = (od_strand){a->reference, a->width, 1};
    return OD_OK;
}

od_status od_levels_run(const od_levels *a, od_context *errors, uint64_t first, size_t n, od_strands *paths)
{
    od_status status = od_strands_open(a->ctx, errors, a->m, a->width, a->strand, a->levels + 1, first, n, paths);
    return status == OD_OK ? od_strands_advance(errors, paths, a->cells) : status;
}

double od_levels_step(const od_levels *a, size_t level)
{
    return ldexp(a->m->step, (int)level);
}
