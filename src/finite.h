/* Whether all numbers of a list are finite, in one pass that vectorises. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_FINITE_H
#define OD_FINITE_H

#include <stdbool.h>
#include <stddef.h>

bool od_all_finite(const double *z, size_t size);

#endif
