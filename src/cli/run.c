/* `optdyn run`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "src/results.h"

#include <math.h>

enum { SHOWN = 6 };

static void print_list(const char *name, const double *list, const double *error, size_t count)
{
    printf("  %s = [", name);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        printf("%s%.9g", i > 0 ? ", " : "", list[i]);
        if (error != NULL) {
            printf(" +- %.2g", error[i]);
        }
    }
    printf("%s]\n", count > SHOWN ? ", ..." : "");
}

static void print_state(const od_outcome *o, const double *mean, const double *error)
{
    for (size_t b = 0; b < o->block_count; b++) {
        char name[32];
        snprintf(name, sizeof name, o->ensemble ? "mean %.20s" : "%.20s", o->block[b].name);
        print_list(name, mean, o->ensemble ? error : NULL, o->block[b].length);
        mean += o->block[b].length;
        error += o->block[b].length;
    }
}

static void print_loss(double loss, double loss_stderr, double distance)
{
    if (!isnan(loss)) {
        printf("  loss = %.9g", loss);
        if (!isnan(loss_stderr)) {
            printf(" +- %.2g", loss_stderr);
        }
        printf("\n");
    }
    if (!isnan(distance)) {
        printf("  distance = %.9g\n", distance);
    }
}

/* Estimates, then a line for each level: of the first number, for which the tolerance holds. */
static void print_levels(const od_outcome *o)
{
    const od_multilevel *a = o->multilevel;
    printf("%s, %llu paths on %zu levels for an error of %g\n", o->label, (unsigned long long)o->paths, a->levels,
           a->tolerance);
    printf(" flow at t = %.9g\n", o->t);
    for (size_t c = 0; c < a->count && c < 2 * SHOWN; c++) {
        printf("  %s = %.9g +- %.2g, bias about %.2g\n", a->name[c], a->mean[c], a->stderr_mean[c], a->bias[c]);
    }
    printf(" levels of %s\n  %-12s %10s %14s %12s %14s\n", a->name[0], "step", "paths", "mean", "variance",
           "drifts a path");
    for (size_t l = 0; l < a->levels; l++) {
        printf("  %-12.6g %10llu %14.6g %12.4g %14.0f\n", a->level[l].step, (unsigned long long)a->level[l].paths,
               a->level[l].mean[0], a->level[l].var[0], a->level[l].cost);
    }
    printf(" %.4g drift evaluations; at the finest step alone, %.4g with %.4g paths for the same standard error\n",
           (double)a->evaluations, a->plain_evaluations, a->plain_paths);
}

static void print_outcome(const od_outcome *o)
{
    if (o->multilevel != NULL) {
        print_levels(o);
        return;
    }
    printf("%s", o->label);
    if (o->ensemble) {
        printf(", %llu paths", (unsigned long long)o->paths);
    }
    printf("%s\n", o->precision != NULL ? ", in single precision" : "");
    if (o->mean != NULL) {
        printf(" flow at t = %.9g\n", o->t);
        print_state(o, o->mean, o->stderr_mean);
        print_loss(o->loss, o->loss_stderr, o->distance);
    }
    if (o->iteration_mean != NULL) {
        printf(" iteration %llu at t = %.9g\n", (unsigned long long)o->iterations, o->iteration_t);
        print_state(o, o->iteration_mean, o->iteration_stderr);
        print_loss(o->iteration_loss, o->iteration_loss_stderr, o->iteration_distance);
    }
    if (!isnan(o->gap_max)) {
        printf(" gap = %.9g at its largest, at t = %.9g\n", o->gap_max, o->gap_at);
    }
    if (!isnan(o->reached)) {
        printf(" stopped at t = %.9g as asked\n", o->reached);
    }
    if (o->stopped > 0) {
        printf(" diverged: %llu of %llu paths, the first at t = %.9g\n", (unsigned long long)o->stopped,
               (unsigned long long)o->paths, o->first_stop);
    }
}

static void print_result(const cli *c, const od_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        print_outcome(&result->outcome[i]);
    }
    if (result->journal != NULL && !result->interrupted) {
        cli_say(c, "the shard is in %s; when all are there, `optdyn merge` puts them together", result->journal);
    } else if (result->folder != NULL && result->count > 0) {
        cli_say(c, "rows, the resolved experiment and its provenance are in %s", result->folder);
    } else if (result->folder == NULL && !result->interrupted) {
        cli_say(c, "no files were written; -o DIR writes the rows");
    }
}

int cli_show_result(cli *c, od_status status, const od_result *result)
{
    cli_progress_end();
    if (c->ranks.rank > 0) {
        /* rank 0 has the result */
    } else if (result != NULL && c->json) {
        od_result_write_json(stdout, result);
    } else if (result != NULL) {
        print_result(c, result);
    }
    if (status == OD_OK) {
        return EXIT_DONE;
    }
    if (status == OD_EINTERRUPTED && c->ranks.rank > 0) {
        return EXIT_INTERRUPTED; /* rank 0 says so */
    }
    /* with a result the document is out already; the sentence goes to standard error alone */
    c->json = c->json && result == NULL;
    const int exit_code = cli_fail(c, status);
    const bool levels = result != NULL && result->count > 0 && result->outcome[0].multilevel != NULL;
    if (status == OD_EINTERRUPTED && result != NULL && result->folder == NULL && !levels) {
        cli_say(c, "the rows were not written; run again with -o DIR to keep them and to be able to go on");
    }
    return exit_code;
}

/* All ranks refuse a folder for the same reason, so they find out together, and one says so. */
static od_status claim_among_ranks(cli *c, const od_experiment *e)
{
    int lock = -1;
    if (c->ranks.size <= 1) {
        return OD_OK;
    }
    const od_status status = e->output != NULL ? od_results_claim(c->ctx, e, &lock) : OD_OK;
    od_results_release(lock);
    cli_ranks_agree(c, status != OD_OK);
    return status;
}

int cli_run(cli *c)
{
    if (c->arg_count != 1) {
        return cli_usage(c, "run takes one experiment file: optdyn run FILE");
    }
    od_options options = cli_experiment_options(c);
    options.shard = c->shard;
    options.shards = c->shards;
    od_experiment *e = od_experiment_load(c->ctx, c->arg[0], &options);
    cli_ranks_agree(c, e == NULL);
    if (e == NULL) {
        return cli_fail(c, OD_EINVAL);
    }
    if (c->dry_run) {
        od_status status = c->ranks.rank > 0 ? OD_OK : od_experiment_plan(c->ctx, e, stdout, c->json);
        od_experiment_free(e);
        return status == OD_OK ? EXIT_DONE : cli_fail(c, status);
    }
    od_result *result = NULL;
    od_status status = claim_among_ranks(c, e);
    status = status == OD_OK ? od_experiment_run(c->ctx, e, &result) : status;
    const int exit_code = cli_show_result(c, status, result);
    od_result_free(result);
    od_experiment_free(e);
    return exit_code;
}
