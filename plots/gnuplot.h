/* Runs gnuplot, without a shell. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_GNUPLOT_H
#define OD_GNUPLOT_H

#include "optdyn.h"

/** Size of a picture on paper. */
typedef struct od_paper {
    double width, height; /* inch */
} od_paper;

enum { OD_PICTURES = 3 };
extern const char *const od_picture_endings[OD_PICTURES]; /* "png", "svg", "pdf" */

/**
 * Draws folder/name.gp as name.png, name.svg and name.pdf, the three at once. The script sets no terminal and no
 * output, and reads its data by names relative to the folder. OD_EIO with a sentence if there is no gnuplot.
 */
od_status od_gnuplot_draw(od_context *ctx, const char *folder, const char *name, od_paper paper);

/** Draws it in characters to `out`. */
od_status od_gnuplot_preview(od_context *ctx, const char *folder, const char *name, int columns, int lines, FILE *out);

/**
 * Writes text as a gnuplot string in single quotes, where neither backquotes nor escapes nor macros are looked for.
 * Control characters, which could end the line, become spaces, and quotes typographic ones: a doubled quote at the
 * beginning, or two in a row, end the string for gnuplot 5.4.
 */
void od_gnuplot_quote(FILE *out, const char *text);

/** Copies what is safe in a file name (letters, digits, . _ = + -, the first one none of . -); the rest becomes _. */
void od_safe_name(char *name, size_t room, const char *text, size_t length);

#endif
