/* The figures there are. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_FIGURES_H
#define OD_FIGURES_H

/** A known figure: plots/NAME.yaml (its experiments) and plots/NAME.gp, both kept in the program. */
typedef struct od_figure {
    const char *name, *summary;
} od_figure;

extern const od_figure od_figures[]; /* ends with a row whose name is NULL */

#endif
