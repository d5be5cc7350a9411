/* `optdyn figure`. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* TIOCGWINSZ */
#include "cli.h"

#include "plots/figures.h"
#include "src/context.h"
#include "src/json.h"
#include "src/network_module.h"
#include "src/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_FIGURES = 64 };

static const char default_folder[] = "out";

const od_figure *cli_find_figure(const char *name)
{
    for (const od_figure *f = od_figures; f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0) {
            return f;
        }
    }
    return NULL;
}

const char *cli_figure_lacks(cli *c, const od_figure *figure)
{
    if ((figure->needs & OD_NEEDS_DATA) != 0 && (c->data == NULL || c->data[0] == '\0')) {
        return "it needs data sets; give the folder that holds them (for example mnist/) by --data DIR or OPTDYN_DATA";
    }
    if ((figure->needs & OD_NEEDS_NETWORK) != 0 && od_network_load(c->ctx) == NULL) {
        od_context_forget(c->ctx);
        return "it needs networks, and this build is without LibTorch or its module cannot be loaded; install "
               "libtorch-dev and build with -Dlibtorch=enabled (./quickstart.sh --with-torch does both)";
    }
    return NULL;
}

static int environment_size(const char *name, int otherwise)
{
    double x;
    const char *text = getenv(name);
    return text != NULL && od_text_real(text, &x) && x >= 20 && x <= 1000 ? (int)x : otherwise;
}

/* As large as the terminal, less the line of the prompt. */
static od_status preview(cli *c, const od_report *r)
{
    struct winsize size;
    FILE *out = c->json ? stderr : stdout;
    int columns = environment_size("COLUMNS", 79), lines = environment_size("LINES", 25);
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 && size.ws_row >= 10) {
        columns = size.ws_col;
        lines = size.ws_row;
    }
    return od_gnuplot_preview(c->ctx, r->folder, r->name, columns, lines - 1, out);
}

static void print_report(const cli *c, const od_report *r)
{
    for (size_t i = 0; i < r->number_count; i++) {
        const od_number *x = &r->number[i];
        if (x->result) {
            printf("  %-4s %s: %.9g, a result\n", x->ok ? "" : "BAD", x->name, x->got);
            continue;
        }
        printf("  %-4s %s: %.9g, known %.9g +- %.2g\n",
               r->unjudged != NULL ? ""
               : x->ok             ? "ok"
                                   : "BAD",
               x->name, x->got, x->want, x->tolerance);
    }
    if (r->unjudged != NULL && r->number_count > 0) {
        cli_say(c, "optdyn: %s: %s", r->name, r->unjudged);
    }
    printf("%s/%s.png, .svg, .pdf, .gp, .json\n", r->folder, r->name);
}

od_status cli_make_figure(cli *c, const od_figure *figure, const char *file, od_report *r)
{
    const od_options options = cli_experiment_options(c);
    const char *root = c->output != NULL ? c->output : default_folder;
    od_paper paper;
    od_status made = figure != NULL ? od_figure_make(c->ctx, figure, &options, c->full, root, r, &paper)
                                    : od_figure_own(c->ctx, file, c->kind != NULL ? c->kind : od_figure_kinds[0],
                                                    &options, root, r, &paper);
    cli_progress_end();
    if (made != OD_OK && made != OD_EDIVERGED) {
        return made;
    }
    /* what a diverged run gave until then is worth a picture, but the failure stays */
    od_status status = od_report_draw(c->ctx, r, paper);
    od_status written = od_report_write(c->ctx, r);
    status = status == OD_OK ? written : status;
    if (status == OD_OK && c->preview) {
        status = preview(c, r);
    }
    if (status == OD_OK && made == OD_EDIVERGED) {
        return od_fail(c->ctx, OD_EDIVERGED, NULL, "a run diverged; the figure in %s shows it until then", r->folder);
    }
    return status;
}

od_status cli_plan_figure(cli *c, const od_figure *figure)
{
    const od_options options = cli_experiment_options(c);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size); /* a failure leaves half a document */
    if (out == NULL) {
        return od_fail(c->ctx, OD_ENOMEM, NULL, "no memory for the plan");
    }
    const od_status status = od_figure_plan(c->ctx, figure, &options, c->full,
                                            c->output != NULL ? c->output : default_folder, out, c->json);
    const bool whole = fclose(out) == 0;
    if (status == OD_OK && whole) {
        fputs(text, stdout);
    }
    free(text);
    return status != OD_OK || whole ? status : od_fail(c->ctx, OD_ENOMEM, NULL, "no memory for the plan");
}

/* What drawing the user's own file would run. */
static od_status plan_own(cli *c, const char *file)
{
    const od_options options = cli_experiment_options(c);
    od_experiment *e = od_experiment_load(c->ctx, file, &options);
    const od_status status = e != NULL ? od_experiment_plan(c->ctx, e, stdout, c->json) : OD_EINVAL;
    od_experiment_free(e);
    return status;
}

bool cli_figure_complain(const od_report *r)
{
    const od_number *x = od_report_failure(r);
    if (x != NULL && x->result) {
        fprintf(stderr, "optdyn: %s: %s could not be read off (%s)\n", r->name, x->name, x->source);
    } else if (x != NULL) {
        fprintf(stderr, "optdyn: %s: %s is %.9g, but %.9g +- %.2g is known (%s)\n", r->name, x->name, x->got, x->want,
                x->tolerance, x->source);
    }
    return x != NULL;
}

static int one(cli *c, const od_figure *figure, const char *file)
{
    od_report report = {0};
    int exit_code = EXIT_DONE;
    if (c->dry_run) {
        const od_status planned = figure != NULL ? cli_plan_figure(c, figure) : plan_own(c, file);
        if (planned == OD_OK && figure != NULL && c->json) {
            putchar('\n');
        }
        return planned == OD_OK ? EXIT_DONE : cli_fail(c, planned);
    }
    od_status status = cli_make_figure(c, figure, file, &report);
    if (c->full && figure != NULL && report.mode == NULL) {
        cli_say(c, "optdyn: %s has one mode only; --full changes nothing", figure->name);
    }
    if (status != OD_OK) {
        exit_code = cli_fail(c, status);
    } else {
        if (c->json) {
            od_report_write_json(stdout, &report);
            putchar('\n');
        } else {
            print_report(c, &report);
        }
        exit_code = cli_figure_complain(&report) ? EXIT_FAILED : EXIT_DONE;
    }
    od_report_free(&report);
    return exit_code;
}

static void json_error(FILE *out, const char *name, const char *key, const char *message)
{
    fputs("{\"figure\": ", out);
    od_json_text(out, name);
    fprintf(out, ", \"%s\": ", key);
    od_json_text(out, message);
    fputc('}', out);
}

/* One figure of all; writes its part of the document. */
static int one_of_all(cli *c, const od_figure *figure)
{
    const char *lacks = cli_figure_lacks(c, figure);
    if (lacks != NULL) {
        cli_say(c, "optdyn: %s is skipped: %s", figure->name, lacks);
        if (c->json) {
            json_error(stdout, figure->name, "skipped", lacks);
        }
        return EXIT_DONE;
    }
    od_report report = {0};
    od_status status = c->dry_run ? cli_plan_figure(c, figure) : cli_make_figure(c, figure, NULL, &report);
    bool ok = status == OD_OK;
    if (ok && c->dry_run) {
        return EXIT_DONE;
    }
    if (status != OD_OK) {
        fprintf(stderr, "optdyn: %s: %s\n", figure->name, od_message(c->ctx));
        if (c->json) {
            json_error(stdout, figure->name, "error", od_message(c->ctx));
        }
    } else {
        if (c->json) {
            od_report_write_json(stdout, &report);
        } else {
            printf("%s\n", figure->name);
            print_report(c, &report);
        }
        ok = !cli_figure_complain(&report);
    }
    od_report_free(&report);
    return ok ? EXIT_DONE : status == OD_EINTERRUPTED ? EXIT_INTERRUPTED : EXIT_FAILED;
}

static int all(cli *c)
{
    int worst = EXIT_DONE;
    fputs(c->json ? "{\"figures\": [" : "", stdout);
    for (const od_figure *f = od_figures; f->name != NULL && worst != EXIT_INTERRUPTED; f++) {
        fputs(c->json && f != od_figures ? ",\n" : "", stdout);
        const int status = one_of_all(c, f);
        worst = status != EXIT_DONE ? status : worst;
    }
    fputs(c->json ? "]}\n" : "", stdout);
    return worst;
}

int cli_unknown_figure(cli *c, const char *name)
{
    const char *names[MAX_FIGURES];
    size_t count = 0;
    for (; od_figures[count].name != NULL && count < MAX_FIGURES; count++) {
        names[count] = od_figures[count].name;
    }
    const char *nearest = od_text_nearest(name, names, count);
    return cli_usage(c, "there is neither a figure nor a file '%s'%s%s%s; `optdyn list figures` lists the figures",
                     name, nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'?)" : "");
}

static int check_kind(cli *c)
{
    size_t count = 0;
    for (; od_figure_kinds[count] != NULL; count++) {
        if (c->kind == NULL || strcmp(od_figure_kinds[count], c->kind) == 0) {
            return -1;
        }
    }
    const char *nearest = od_text_nearest(c->kind, od_figure_kinds, count);
    return cli_usage(c, "--kind %s: expected loss, distance, plane, gap, gradient or state%s%s%s", c->kind,
                     nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'?)" : "");
}

int cli_figure(cli *c)
{
    if (c->all ? c->arg_count != 0 || c->kind != NULL : c->arg_count != 1) {
        return cli_usage(c, "figure takes one name or file: optdyn figure fig-06, optdyn figure FILE --kind plane, or "
                            "optdyn figure --all");
    }
    if (c->all) {
        return all(c);
    }
    const char *name = c->arg[0];
    const od_figure *figure = cli_find_figure(name);
    if (figure == NULL && c->full && access(name, F_OK) == 0) {
        return cli_usage(c, "--full belongs to known figures; a file of your own says itself how many paths it takes");
    }
    if (figure == NULL) {
        const int status = access(name, F_OK) == 0 ? check_kind(c) : cli_unknown_figure(c, name);
        return status >= 0 ? status : one(c, NULL, name);
    }
    if (c->kind != NULL) {
        return cli_usage(c, "%s is a known figure; --kind is for drawing a file of your own", name);
    }
    const char *lacks = cli_figure_lacks(c, figure);
    if (lacks != NULL) {
        return cli_usage(c, "%s cannot be made: %s", name, lacks);
    }
    return one(c, figure, NULL);
}
