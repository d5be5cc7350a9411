/* Numbers as text and back, and the nearest of several names. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TEXT_H
#define OD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { OD_REAL_ROOM = 40 };

/** What od_text_letter gives for a byte that is no letter. */
#define OD_NO_LETTER UINT32_MAX

/** Shortest decimal text that reads back as x, with a decimal point in any locale; .nan and .inf as YAML writes them.
 */
const char *od_real_text(char text[OD_REAL_ROOM], double x);

/** `before` and a number as tables hold it: not finite ones are nan, inf and -inf, without YAML's points. */
void od_text_cell(FILE *out, const char *before, double x);

/** Reads a number as YAML 1.2 writes it, in the C locale; false if the whole text is not one. */
bool od_text_real(const char *text, double *x);

/** Puts a name into a list of `room` bytes, behind ", " unless it is the first; one that does not fit is left out. */
void od_text_join(char *list, size_t room, const char *name);

/** The letter (code point) at the start of a UTF-8 text; returns its bytes, 1 for a byte that belongs to none. */
size_t od_text_letter(const char *text, uint32_t *code);
/** False for control signs and for what YAML refuses or takes for a line break. */
bool od_text_printable(uint32_t code);
/** Writes at most `length` bytes on one line: other white space becomes a blank, what cannot be printed '?'. */
void od_text_line(FILE *out, const char *text, size_t length);
/** Copies as many whole letters as fit. */
void od_text_copy(char *to, size_t room, const char *text);

/** Levenshtein's distance with transpositions; names over 63 bytes count as far. */
size_t od_text_distance(const char *a, const char *b);

/** The nearest of `count` names if it is near enough to be meant, else NULL. */
const char *od_text_nearest(const char *name, const char *const *names, size_t count);

#endif
