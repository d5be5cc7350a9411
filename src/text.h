/* Numbers as text and back, and the nearest of several names. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TEXT_H
#define OD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { OD_REAL_ROOM = 40 };

/** Shortest decimal text that reads back as x, with a decimal point in any locale; .nan and .inf as YAML writes them.
 */
const char *od_real_text(char text[OD_REAL_ROOM], double x);

/** Reads a number as YAML 1.2 writes it, in the C locale; false if the whole text is not one. */
bool od_text_real(const char *text, double *x);

/** Levenshtein's distance with transpositions; names over 63 bytes count as far. */
size_t od_text_distance(const char *a, const char *b);

/** The nearest of `count` names if it is near enough to be meant, else NULL. */
const char *od_text_nearest(const char *name, const char *const *names, size_t count);

#endif
