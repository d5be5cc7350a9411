/* The resolved experiment as YAML. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* realpath */
#include "member.h"

#include "start.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void write_part(FILE *out, const char *path, const od_choice *choice)
{
    fprintf(out, "%s: {name: ", path);
    od_text_write(out, choice->name);
    fputs(", ", out);
    od_settings_write(out, choice->settings);
    fputs("}", out);
}

/* Read once for all members, so it stands outside of compare. */
static void write_data(FILE *out, const od_experiment *e)
{
    bool any = false, relative = false;
    for (size_t i = 0; i < e->member_count; i++) {
        const char *inputs = e->member[i].problem->inputs;
        any = any || inputs != NULL;
        relative = relative || (inputs != NULL && inputs[0] != '/');
    }
    /* the resolved experiment lies in another folder than the one its data are relative to */
    char *own = relative && e->place.data[0] == '\0'
                    ? realpath(e->place.folder[0] != '\0' ? e->place.folder : ".", NULL)
                    : NULL;
    if (any && (own != NULL || e->place.data[0] != '\0')) {
        fputs("data: ", out);
        od_text_write(out, own != NULL ? own : e->place.data);
        fputc('\n', out);
    }
    free(own);
}

static void write_member(FILE *out, const od_experiment *e, const od_member *m)
{
    const char *const next = e->member_count > 1 ? ",\n     " : "\n";
    char number[OD_REAL_ROOM];
    fputs("label: ", out);
    od_text_write(out, m->label);
    fputs(next, out);
    write_part(out, "problem", &m->problem_choice);
    fputs(next, out);
    write_part(out, "method", &m->method_choice);
    if (m->has_flow) {
        fputs(next, out);
        write_part(out, "integrator", &m->integrator_choice);
    }
    fputs(next, out);
    od_start_write(out, e, m);
    if (m->has_flow) {
        fprintf(out, "%suntil: %s", next, od_real_text(number, m->until));
    }
    if (m->has_map) {
        fprintf(out, "%siterations: %llu", next, (unsigned long long)m->iterations);
    }
    const bool automatic = od_member_automatic(m);
    if (automatic) {
        fprintf(out, "%spaths: auto%stolerance: %s", next, next, od_real_text(number, m->tolerance));
    } else {
        fprintf(out, "%spaths: %llu", next, (unsigned long long)m->paths);
    }
    if (m->antithetic) {
        fprintf(out, "%santithetic: true", next);
    }
    fprintf(out, "%sseed: %llu", next, (unsigned long long)m->seed);
    if (m->noise.dim > 0 && !automatic) {
        fprintf(out, "%snoise_step: %s", next, od_real_text(number, m->noise.base));
    }
    if (od_setting_present(m->top, "interval")) {
        const double *interval = od_setting(m->top, "interval")->list;
        fprintf(out, "%sinterval: [%s", next, od_real_text(number, interval[0]));
        fprintf(out, ", %s]", od_real_text(number, interval[1]));
    }
    fprintf(out, "%srecord: {", next);
    if (m->has_flow && !automatic) {
        fprintf(out, "every: %s, ", od_real_text(number, m->every));
    }
    if (m->has_map) {
        fprintf(out, "stride: %llu, ", (unsigned long long)m->stride);
    }
    fputs("quantities: [", out);
    for (size_t i = 0; i < m->quantity_count && m->quantity[i].kind != OD_QUANTITY_PROJECTION; i++) {
        fprintf(out, "%s%s", i > 0 ? ", " : "", m->quantity[i].name);
    }
    for (size_t i = 0; i < m->quantile_count; i++) {
        fprintf(out, "%s%s", i == 0 ? "], quantiles: [" : ", ", od_real_text(number, m->quantile[i]));
    }
    fprintf(out, "]%s%s", m->covariance ? ", covariance: true" : "", m->histograms ? ", histograms: true" : "");
    if (m->singles > 0) {
        fprintf(out, ", paths: %llu", (unsigned long long)m->singles);
    }
    if (m->projections > 0) {
        fprintf(out, ", projections: %zu, projection_seed: %llu", m->projections,
                (unsigned long long)m->projection_seed);
    }
    fputc('}', out);
    if (!isnan(m->stop_loss) || !isnan(m->stop_gradient)) {
        fprintf(out, "%sstop: {", next);
        od_settings_write(out, m->stop);
        fputs("}", out);
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        if (od_section_given(m->analysis[i], od_analysis_types[i]->params)) {
            fprintf(out, "%s%s: {", next, od_analysis_types[i]->name);
            od_settings_write(out, m->analysis[i]);
            fputs("}", out);
        }
    }
}

od_status od_experiment_resolve(od_context *ctx, od_experiment *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    }
    write_data(out, e);
    if (e->member_count == 1) {
        write_member(out, e, &e->member[0]);
        fputc('\n', out);
    } else {
        fputs("compare:\n", out);
        for (size_t i = 0; i < e->member_count; i++) {
            fputs("  - {", out);
            write_member(out, e, &e->member[i]);
            fputs("}\n", out);
        }
    }
    fclose(out);
    e->resolved = od_arena_text(e->arena, text, size);
    free(text);
    return e->resolved != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
}

const char *od_experiment_resolved(const od_experiment *e)
{
    return e->resolved;
}
