/* JSON output. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_JSON_H
#define OD_JSON_H

#include <stddef.h>
#include <stdio.h>

/** A number that reads back to the bit; null if it is not finite. */
void od_json_real(FILE *out, double x);
/** "text" with everything escaped that needs it. */
void od_json_text(FILE *out, const char *text);
/** [a, b, ...]. */
void od_json_list(FILE *out, const double *list, size_t count);

#endif
