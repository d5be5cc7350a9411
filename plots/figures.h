/*
 * The figures there are, and how they are made.
 *
 * A known figure is plots/NAME.yaml (caption, paper, experiments, numbers to check) and plots/NAME.gp (the drawing);
 * both are kept in the program. Making it writes into a folder the data of its experiments, the script with the style
 * in front, the pictures, and NAME.json, which says what was checked.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_FIGURES_H
#define OD_FIGURES_H

#include "gnuplot.h"
#include "src/document.h"
#include "src/experiment.h"
#include "src/file.h"

/** A number of a figure: what the run gave, what is known from elsewhere if anything is, and the errors of the run by
 * kind. */
typedef struct od_number {
    const char *name, *source;
    double got, want;
    double integration, model, sampling; /* bounds for the first two; standard error of the third */
    double tolerance;                    /* integration + model + sigmas * sampling */
    bool result;                         /* nothing is known of it beforehand: want is NaN */
    bool ok;
} od_number;

/** What making a figure gave. Texts live in the arena. */
typedef struct od_report {
    od_arena *arena;
    const char *name, *caption, *folder;
    const char *mode;    /* "quick" or "full"; NULL if the figure has one mode only */
    const char *changes; /* what full mode changes in the figure's text; NULL if nothing */
    size_t number_count, file_count;
    od_number *number;
    const char **file;
    const char *unjudged; /* why the numbers do not apply, or NULL */
    double seconds;
} od_report;

/** One experiment of a figure, after its run. */
typedef struct od_figure_part {
    const char *name;
    od_experiment *experiment;
    od_result *result;
} od_figure_part;

/** A figure being made. */
typedef struct od_figure_run {
    const char *folder;
    const od_options *options;
    const od_node *document; /* the figure's own text */
    size_t count;
    od_figure_part *part;
    od_report *report;
} od_figure_run;

/** What a figure needs that may be missing: data sets of the user, and the module that computes networks. */
enum { OD_NEEDS_DATA = 1, OD_NEEDS_NETWORK = 2 };

typedef struct od_figure {
    const char *name, *summary;
    unsigned needs;
    const char *yaml, *script;
    /** Writes what the experiments cannot say, after they ran and before the numbers are checked; or NULL. */
    od_status (*extra)(od_context *ctx, od_figure_run *run);
} od_figure;

extern const od_figure od_figures[]; /* ends with a row whose name is NULL */

/**
 * Makes a known figure in folder `root`/NAME: runs, writes, checks. It draws with od_report_draw afterwards. Of
 * `options`, output is ignored. *report is filled also after a failure and is to be freed.
 *
 * Where the figure's text has an entry `full`, which gives values by dotted paths into that text, full mode puts them
 * there, and the folder is NAME-full. A folder that holds results of other experiments, as an earlier version leaves
 * them, is renamed NAME.old-1 and so on, unless the options change the experiments: then it is refused.
 */
od_status od_figure_make(od_context *ctx, const od_figure *figure, const od_options *options, bool full,
                         const char *root, od_report *report, od_paper *paper);

/** Reads a figure's text as the mode has it, into the report's arena, with the report's name, mode and folder; NULL
 * after a failure. The report is to be freed in any case. */
od_node *od_figure_read(od_context *ctx, const od_figure *figure, bool full, const char *root, od_report *report);

/** Writes what making a known figure would take, as text or as one JSON object; nothing is run. */
od_status od_figure_plan(od_context *ctx, const od_figure *figure, const od_options *options, bool full,
                         const char *root, FILE *out, bool json);

/** Draws a quantity of the user's own experiment, into `root`/STEM; `kinds` are "loss", "plane" and so on. */
od_status od_figure_own(od_context *ctx, const char *file, const char *kind, const od_options *options,
                        const char *root, od_report *report, od_paper *paper);
extern const char *const od_figure_kinds[]; /* ends with NULL; the first is the default */

/** Reads an experiment of the figure, which is to write into a folder or, NULL, nowhere; NULL on failure. */
od_experiment *od_figure_experiment(od_context *ctx, const od_figure_run *run, const od_node *node, const char *folder);

/** What a member's section for this analysis says; there must be such an analysis. */
const od_settings *od_figure_settings(const od_member *m, const char *analysis);
/** Reads each experiment under `key`, which is not run, and lets `answer` write what the figure asks of it. */
od_status od_figure_questions(od_context *ctx, od_figure_run *run, const char *key,
                              od_status (*answer)(od_context *ctx, od_figure_run *run, const char *name,
                                                  const od_experiment *e));

/** Ends a table of the figure: kept and listed, or abandoned if the status is a failure, which is returned. */
od_status od_report_commit(od_context *ctx, od_report *report, od_file *file, od_status status);
/** Draws the three pictures and notes their names. */
od_status od_report_draw(od_context *ctx, od_report *report, od_paper paper);
/** Writes folder/NAME.json. */
od_status od_report_write(od_context *ctx, od_report *report);
void od_report_write_json(FILE *out, const od_report *report);
/** The first number that is not as it should be, or NULL. */
const od_number *od_report_failure(const od_report *report);
void od_report_free(od_report *report);
bool od_report_add_file(od_report *report, const char *path);

/** Writes the script: head comment, style, body. */
od_status od_script_write(od_context *ctx, od_report *report, const char *body);
/** Reads the numbers to check under `list` off the result files. */
od_status od_numbers_read(od_context *ctx, od_figure_run *run, const od_node *list);

/* What single figures need besides their texts. */
od_status od_variations_write(od_context *ctx, od_figure_run *run); /* fig-02, fig-05 */
od_status od_weights_write(od_context *ctx, od_figure_run *run);    /* fig-07 */
od_status od_moments_curves(od_context *ctx, od_figure_run *run);   /* fig-08, fig-09, fig-velocity-variance */
od_status od_window_write(od_context *ctx, od_figure_run *run);     /* fig-noise-window */
/* fig-03, fig-04, fig-06, fig-conjugate-locus, fig-power-conjugate */
od_status od_conjugates_write(od_context *ctx, od_figure_run *run);
/* fig-10 to fig-16, fig-shadow-ladder */
od_status od_shadows_write(od_context *ctx, od_figure_run *run);
od_status od_shadow_tables(od_context *ctx, od_figure_run *run); /* fig-17, fig-18 */

od_status od_sharpness_write(od_context *ctx, od_figure_run *run); /* fig-edge-of-stability, fig-network-shadow */

/** Number of runs from `first` on that differ by their seed alone; their common label is `length` bytes long. */
size_t od_seeds_count(const od_result *result, size_t first, size_t *length);
/** Writes EXPERIMENT-LABEL.csv for each of these: the tables of the iteration taken together: fig-17-mlp, fig-18-mlp.
 */
od_status od_seeds_write(od_context *ctx, od_figure_run *run);

#endif
