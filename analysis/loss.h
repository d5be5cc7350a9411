/*
 * The loss of a problem as a formula on a tape, which is what interval arithmetic evaluates: stated once for arithmetic
 * of any kind.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_LOSS_H
#define OD_LOSS_H

#include "../src/parts.h"
#include "../src/tape.h"

enum { OD_LOSS_MAX_DIM = 20 };

/**
 * Writes the loss of a problem of the kind `quadratic`, `hosaki`, `rosenbrock`, `power` or `formula` on a tape, with
 * the parameters that the program uses, exactly; its node in *f.
 * Errors  OD_EUNSUPPORTED or OD_EINVAL with the reason where there is no such formula. Without memory the tape is not
 * complete.
 */
od_status od_loss_write(od_context *ctx, const od_choice *choice, const od_problem *problem, od_tape *tape,
                        uint32_t *f);

#endif
