/* Tallies of a member's paths. SPDX-License-Identifier: GPL-3.0-or-later */
#include "tally.h"

#include "stepper.h"

#include <math.h>
#include <stdlib.h>

size_t od_member_map_columns(const od_member *m)
{
    return m->columns + (m->has_flow ? 2 : 0);
}

uint64_t od_member_flow_bins(const od_member *m)
{
    return m->binned ? od_member_flow_rows(m) * m->columns * OD_BINS : 0;
}

uint64_t od_member_map_bins(const od_member *m)
{
    return m->binned ? od_member_map_rows(m) * od_member_map_columns(m) * OD_BINS : 0;
}

static size_t gap_rows(const od_member *m)
{
    return m->has_flow && m->has_map && m->paths > 1 ? (size_t)m->iterations + 1 : 0;
}

static bool keeps_covariance(const od_member *m)
{
    return m->paths > 1 && m->dim <= OD_MAX_COVARIANCE;
}

bool od_tally_init(const od_member *m, uint64_t leaf, od_tally *a)
{
    *a = (od_tally){.first_stop = NAN, .gap_max = NAN, .gap_at = NAN, .reached = NAN, .flow_t = NAN, .map_t = NAN};
    const bool crossed = keeps_covariance(m);
    const size_t flow = (size_t)od_member_flow_rows(m), map = (size_t)od_member_map_rows(m);
    const size_t pairs = m->antithetic, states = m->covariance, singles = leaf == 0 ? (size_t)m->singles : 0;
    const bool ok = od_moments_init(&a->flow, flow, m->columns, false) &&
                    od_moments_init(&a->map, map, od_member_map_columns(m), false) &&
                    od_moments_init(&a->flow_states, states * flow, m->dim, crossed) &&
                    od_moments_init(&a->map_states, states * map, m->dim, crossed) &&
                    od_moments_init(&a->flow_singles, singles * flow, m->columns, false) &&
                    od_moments_init(&a->map_singles, singles * map, od_member_map_columns(m), false) &&
                    od_moments_init(&a->gap, gap_rows(m), 1, false) &&
                    od_moments_init(&a->flow_pairs, pairs * flow, m->columns, false) &&
                    od_moments_init(&a->map_pairs, pairs * map, od_member_map_columns(m), false) &&
                    od_moments_init(&a->flow_final_pairs, pairs, m->dim, false) &&
                    od_moments_init(&a->map_final_pairs, pairs, m->dim, false) &&
                    od_moments_init(&a->flow_final, 1, m->dim, crossed) &&
                    od_moments_init(&a->map_final, 1, m->dim, crossed);
    if (!ok) {
        od_tally_free(a);
    }
    return ok;
}

void od_tally_free(od_tally *a)
{
    od_moments *all[OD_TALLY_MOMENTS];
    od_tally_moments(a, all);
    for (size_t i = 0; i < OD_TALLY_MOMENTS; i++) {
        od_moments_free(all[i]);
    }
    free(a->flow_bins);
    free(a->map_bins);
    *a = (od_tally){0};
}

double od_simulate_memory(const od_experiment *e, const od_member *m)
{
    const double rows = (double)od_member_flow_rows(m) * (double)m->columns +
                        (double)od_member_map_rows(m) * (double)od_member_map_columns(m) + (double)gap_rows(m);
    const double pairs = keeps_covariance(m) ? 0.5 * (double)m->dim * (double)(m->dim - 1) : 0;
    const double times = (double)od_member_flow_rows(m) + (double)od_member_map_rows(m);
    const double moments = (m->antithetic ? 4 : 2) * rows + (m->covariance ? times : 2) * (2 * (double)m->dim + pairs);
    const double n = m->paths < e->block ? (double)m->paths : (double)e->block;
    const double states = 6.0 * (double)m->dim * n + (double)od_member_noise_rows(m) * n +
                          (m->has_flow ? (double)od_stepper_scratch(m->integrator_choice.integrator, &m->flow, 1) * n
                                       : 0);
    /* each thread holds a block and, with several leaves, tallies waiting for their sibling */
    const double bins = m->binned ? rows * OD_BINS * 4.0 : 0;
    const double tallies = m->paths > OD_LEAF ? 2.0 * e->threads + 8 : 1;
    return bins + 8 * (moments * tallies + 2 * (double)m->singles * rows + states * (e->threads > 0 ? e->threads : 1));
}
