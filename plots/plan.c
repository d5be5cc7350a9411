/* What making a known figure would take. SPDX-License-Identifier: GPL-3.0-or-later */
#include "figures.h"

#include "src/json.h"

#include <math.h>
#include <string.h>

/* An experiment of a figure: run, or asked a question that has costs of its own. */
typedef struct plan {
    FILE *out;
    bool json;
    size_t count;
} plan;

static void write_json(plan *p, const char *section, const char *name, const od_cost *cost, bool run)
{
    fputs(p->count > 0 ? ", " : "", p->out);
    fputs("{\"name\": ", p->out);
    od_json_text(p->out, name);
    fputs(", \"section\": ", p->out);
    od_json_text(p->out, section);
    fprintf(p->out, ", \"runs\": %zu, \"dimension\": %zu, \"gradient_evaluations\": ", cost->runs, cost->dimension);
    od_json_real(p->out, run ? cost->evaluations : NAN);
    fputs(", \"memory_bytes\": ", p->out);
    od_json_real(p->out, run ? cost->memory : NAN);
    fputs("}", p->out);
}

static void write_text(plan *p, const char *section, const char *name, const od_cost *cost, bool run)
{
    char both[160];
    snprintf(both, sizeof both, "%.60s.%.90s", section, name);
    fprintf(p->out, "  %-24s %zu run%s, dimension %zu", both, cost->runs, cost->runs == 1 ? "" : "s", cost->dimension);
    if (!run) {
        fputs(", analysed at a cost of its own\n", p->out);
    } else if (isnan(cost->evaluations)) {
        fprintf(p->out, ", steps chosen while running, memory about %.3g MB\n", cost->memory / 1e6);
    } else {
        fprintf(p->out, ", gradient evaluations %.0f, memory about %.3g MB\n", cost->evaluations, cost->memory / 1e6);
    }
}

static od_status plan_section(od_context *ctx, od_figure_run *run, const char *section, plan *p)
{
    const od_node *parts = od_node_item(run->document, section);
    const bool runs = strcmp(section, "experiments") == 0;
    for (size_t i = 0; parts != NULL && i < parts->count; i++) {
        od_experiment *e = od_figure_experiment(ctx, run, parts->item[i], NULL);
        if (e == NULL) {
            return OD_EINVAL;
        }
        const od_cost cost = od_experiment_cost(e);
        (p->json ? write_json : write_text)(p, section, parts->key[i], &cost, runs);
        p->count++;
        od_experiment_free(e);
    }
    return OD_OK;
}

static void begin(plan *p, const od_report *r)
{
    if (!p->json) {
        fprintf(p->out, "%s%s%s%s, in %s\n", r->name, r->mode != NULL ? " in " : "", r->mode != NULL ? r->mode : "",
                r->mode != NULL ? " mode" : "", r->folder);
        return;
    }
    fputs("{\"figure\": ", p->out);
    od_json_text(p->out, r->name);
    fputs(", \"mode\": ", p->out);
    if (r->mode != NULL) {
        od_json_text(p->out, r->mode);
    } else {
        fputs("null", p->out);
    }
    fputs(", \"folder\": ", p->out);
    od_json_text(p->out, r->folder);
    fputs(", \"plan\": [", p->out);
}

od_status od_figure_plan(od_context *ctx, const od_figure *figure, const od_options *options, bool full,
                         const char *root, FILE *out, bool json)
{
    static const char *const section[] = {"experiments", "conjugate", "curvature", "shadow"};
    od_report report;
    const od_node *document = od_figure_read(ctx, figure, full, root, &report);
    od_status status = document != NULL ? OD_OK : report.arena != NULL ? OD_EINVAL : OD_ENOMEM;
    if (status == OD_OK) {
        od_figure_run run = {.folder = report.folder, .options = options, .document = document, .report = &report};
        plan p = {.out = out, .json = json};
        begin(&p, &report);
        for (size_t i = 0; i < sizeof section / sizeof *section && status == OD_OK; i++) {
            status = plan_section(ctx, &run, section[i], &p);
        }
        fputs(json ? "]}" : "", out);
    }
    od_report_free(&report);
    return status;
}
