/* What the block driver shares with od_stepper_create. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_STEPPER_H
#define OD_STEPPER_H

#include "parts.h"

/** Refuses, with a sentence, a scheme that does not suit the flow. */
od_status od_stepper_suits(od_context *ctx, const od_choice *choice, const od_flow *flow);
/** Doubles of scratch that one step of n paths needs. */
size_t od_stepper_scratch(const od_integrator_type *type, const od_flow *flow, size_t n);

#endif
