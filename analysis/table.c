/* The analyses there are, and how one is run on all members. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fits.h"

#include "../src/memory.h"
#include "../src/parts.h"
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
                   nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?)" : "");
}

static size_t fitted_numbers(const od_analysis_type *type)
{
    size_t count = 0;
    while (type->fitted != NULL && type->fitted[count] != NULL) {
        count++;
    }
    return count;
}

/* Room for the numbers of one member; behind it the values swept, and number k of member i at [k*members + i]. */
static od_status open_numbers(od_context *ctx, const od_experiment *e, size_t count, double **numbers)
{
    *numbers = od_zalloc(count + (count + 1) * e->member_count, sizeof **numbers);
    for (size_t i = 0; *numbers != NULL && i < e->member_count; i++) {
        (*numbers)[count + i] = e->member[i].swept_value;
    }
    return *numbers != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu members", e->member_count);
}

static od_status check_paths(od_context *ctx, const od_member *m, const od_analysis_type *type)
{
    if (od_member_automatic(m)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "paths", "%s needs a number of paths; give one in place of auto",
                       type->name);
    }
    return m->antithetic ? od_fail(ctx, OD_EUNSUPPORTED, "antithetic",
                                   "%s takes its paths as independent; remove it, or set it to false", type->name)
                         : OD_OK;
}

static od_status analyse_member(od_context *ctx, const od_experiment *e, size_t which, size_t i, FILE *out, bool json,
                                double *numbers)
{
    const od_analysis_type *type = od_analysis_types[which];
    const od_settings *settings = e->member[i].analysis[which];
    const od_status status = type->measure != NULL ? type->measure(ctx, settings, e, i, out, json, numbers)
                                                   : type->run(ctx, settings, e, i, out, json);
    od_problem_explain(ctx, e->member[i].problem, status);
    return status;
}

/* The answer for one member; it is labelled where the problem is not evaluated in double precision. */
static od_status analyse_labelled(od_context *ctx, const od_experiment *e, size_t which, size_t i, FILE *out, bool json,
                                  double *numbers)
{
    const char *precision = e->member[i].problem->precision;
    if (precision == NULL) {
        return analyse_member(ctx, e, which, i, out, json, numbers);
    }
    char *text = NULL;
    size_t size = 0;
    FILE *kept = open_memstream(&text, &size);
    if (kept == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the answer");
    }
    const od_status status = analyse_member(ctx, e, which, i, kept, json, numbers);
    fclose(kept);
    if (status == OD_OK && json) { /* one object */
        fprintf(out, "{\"precision\": \"%s\", %s", precision, text + 1);
    } else if (status == OD_OK) {
        fprintf(out, "%sin %s precision\n", text, precision);
    }
    free(text);
    return status;
}

static od_status analyse_members(od_context *ctx, const od_experiment *e, size_t which, FILE *out, bool json)
{
    const od_analysis_type *type = od_analysis_types[which];
    const bool several = e->member_count > 1;
    const size_t count = fitted_numbers(type);
    double *numbers;
    od_status status = open_numbers(ctx, e, count, &numbers);
    fputs(json && several ? "{\"members\": [" : "", out);
    for (size_t i = 0; i < e->member_count && status == OD_OK; i++) {
        status = check_paths(ctx, &e->member[i], type);
        fputs(i == 0 ? "" : json ? ",\n " : "\n", out);
        if (status == OD_OK) {
            status = analyse_labelled(ctx, e, which, i, out, json, numbers);
        }
        for (size_t k = 0; k < count; k++) {
            numbers[count + (k + 1) * e->member_count + i] = numbers[k];
        }
    }
    fputs(json && several ? "]" : "", out);
    if (status == OD_OK && count > 0 && several) {
        const double *swept = numbers + count;
        od_fits_write(e, type->fitted, swept, swept + e->member_count, out, json);
    }
    fputs(json ? several ? "}\n" : "\n" : "", out);
    free(numbers);
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
