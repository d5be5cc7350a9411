/* The Euler step of an Itô equation, shared by euler-maruyama and milstein. SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_ITO_H
#define OD_ITO_H

#include "optdyn.h"

/** z1 = z + h f(t, z) + b(t, z) dw; without noise dw is not read and z1 is explicit Euler's. */
od_status od_ito_euler(const od_flow *flow, double t, double h, size_t n, const double *z, const double *dw, double *z1,
                       double *ws);
/** The first component of the block that the noise enters. */
size_t od_ito_first(const od_flow *flow);
/** Doubles of od_ito_euler besides the flow's own, at the front of ws: room for one term of the noise. */
od_scratch od_ito_scratch(const od_flow *flow);

#endif
