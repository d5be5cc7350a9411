/* The module for ball arithmetic, loaded when the first certificate is asked for. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_ARB_MODULE_H
#define OD_ARB_MODULE_H

#include "../src/arb/proof.h"

typedef bool (*od_ball_prover)(od_proof *proof, od_proven *proven, char trouble[256]);

/** NULL, with a sentence on how to get it, where it is not there. Loaded once for the process, never unloaded. */
od_ball_prover od_arb_load(od_context *ctx);

#endif
