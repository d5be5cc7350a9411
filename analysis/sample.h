/* A flow at the times of an iteration, with the error of its integration. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SAMPLE_H
#define OD_SAMPLE_H

#include "minimax.h"

/**
 * y_k, k = 0, ..., count - 1: the flow at t0 + k tau from z0[dim], one state after another.
 *
 * By the closed form, else integrated with error rtol of one step (passage.h). *error estimates the largest |y_k -
 * exact| in the norm of `weight`: integrated states are compared with those at 16 times the tolerance in longer steps,
 * closed forms at 64 of the times with themselves by way of the middle time.
 *
 * Errors  OD_EDIVERGED with the time, OD_ENUMERIC, OD_ENOMEM
 */
od_status od_flow_sample(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t count, const double *z0,
                         double rtol, const double *weight, double *y, double *error);

#endif
