/* Nesterov's iteration with any momentum sequence. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_METHODS_NAG_H
#define OD_METHODS_NAG_H

#include "draw.h"

/**
 * y = x + m_k sqrt(eta) v, v+ = m_k v - sqrt(eta) g(y), x+ = x + sqrt(eta) v+, so that v_k = (x_k - x_{k-1})/sqrt(eta).
 * One iteration stands for sqrt(eta). `momentum` gives m_k from the parameters p and k.
 */
od_status od_nag_map(od_context *ctx, const od_settings *s, const od_problem *f, const double p[OD_DRAW_PARAMS],
                     double (*momentum)(const double *p, uint64_t k), od_map *map);

#endif
