/* The analyses there are, and how one is run on all members. SPDX-License-Identifier: GPL-3.0-or-later */
#include "../src/experiment.h"
#include "../src/text.h"

#include <stdlib.h>
#include <string.h>

extern const od_analysis_type od_analysis_action, od_analysis_conjugate, od_analysis_control, od_analysis_curvature,
    od_analysis_moments, od_analysis_shadow, od_analysis_strong_order, od_analysis_weak_order;

const od_analysis_type *const od_analysis_types[] = {
    &od_analysis_action,       &od_analysis_conjugate,  &od_analysis_control,
    &od_analysis_curvature,    &od_analysis_moments,    &od_analysis_shadow,
    &od_analysis_strong_order, &od_analysis_weak_order, NULL,
};

static od_status unknown(od_context *ctx, const char *name)
{
    const char *names[OD_MAX_ANALYSES];
    size_t count = 0;
    for (; od_analysis_types[count] != NULL; count++) {
        names[count] = od_analysis_types[count]->name;
    }
    const char *nearest = od_text_nearest(name, names, count);
    return od_fail(ctx, OD_EINVAL, NULL, "there is no analysis '%s'%s%s%s; `optdyn list analyses` shows all", name,
                   nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?" : "");
}

static od_status analyse_members(od_context *ctx, const od_experiment *e, size_t which, FILE *out, bool json)
{
    const od_analysis_type *type = od_analysis_types[which];
    const bool several = e->member_count > 1;
    od_status status = OD_OK;
    fputs(json && several ? "{\"members\": [" : "", out);
    for (size_t i = 0; i < e->member_count && status == OD_OK; i++) {
        if (od_member_automatic(&e->member[i])) {
            return od_fail(ctx, OD_EUNSUPPORTED, "paths", "%s needs a number of paths; give one in place of auto",
                           type->name);
        }
        if (e->member[i].antithetic) {
            return od_fail(ctx, OD_EUNSUPPORTED, "antithetic",
                           "%s takes its paths as independent; remove it, or set it to false", type->name);
        }
        fputs(i == 0 ? "" : json ? ",\n " : "\n", out);
        status = type->run(ctx, e->member[i].analysis[which], e, i, out, json);
    }
    fputs(json ? several ? "]}\n" : "\n" : "", out);
    return status;
}

od_status od_experiment_analyse(od_context *ctx, const od_experiment *e, const char *analysis, FILE *out, bool json)
{
    size_t which = 0;
    while (od_analysis_types[which] != NULL && strcmp(od_analysis_types[which]->name, analysis) != 0) {
        which++;
    }
    if (od_analysis_types[which] == NULL) {
        return unknown(ctx, analysis);
    }
    char *text = NULL;
    size_t size = 0;
    FILE *kept = open_memstream(&text, &size);
    if (kept == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the answer");
    }
    od_status status = analyse_members(ctx, e, which, kept, json);
    fclose(kept);
    if (status == OD_OK) {
        fwrite(text, 1, size, out);
    }
    free(text);
    return status;
}
