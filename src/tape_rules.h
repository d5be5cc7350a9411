/* What the files of a tape and of its programs share. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TAPE_RULES_H
#define OD_TAPE_RULES_H

#include "program.h"

/** The step that computes an operation. */
od_code od_operation_code(od_operation op);

#endif
