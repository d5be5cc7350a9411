/* What is said about directions that grow and shrink. SPDX-License-Identifier: GPL-3.0-or-later */
#include "hyperbolicity.h"

#include "../src/json.h"

#include <math.h>
#include <string.h>

/* A failure that is an answer: its sentence goes into `missing`. */
static od_status answer(od_context *ctx, od_status status, char missing[OD_REASON_ROOM])
{
    if (status != OD_EUNSUPPORTED && status != OD_EDIVERGED && status != OD_ENUMERIC) {
        return status;
    }
    snprintf(missing, OD_REASON_ROOM, "%s", od_message(ctx));
    return OD_OK;
}

od_status od_hyperbolicity_find(od_context *ctx, od_chain *chain, const od_target *target, od_hyperbolicity *found)
{
    od_track track = od_track_stored(target->y, chain->dim, chain->steps);
    *found = (od_hyperbolicity){.split = {.radius = NAN}, .angle = {.radians = NAN}};
    od_status status = od_growth_find(ctx, chain, &track, 0, &found->growth);
    if (status != OD_OK) {
        status = answer(ctx, status, found->growth_missing);
        snprintf(found->split_missing, OD_REASON_ROOM, "%s", found->growth_missing);
        return status;
    }
    status = od_space_angle_find(ctx, chain, &track, &found->growth, &found->angle);
    if (status == OD_OK) {
        status = od_split_find(ctx, chain, &track, &found->growth, target->weight, &found->split);
        if (status != OD_OK) {
            found->split.radius = NAN;
            status = answer(ctx, status, found->split_missing);
        }
    }
    if (status != OD_OK) {
        od_hyperbolicity_free(found);
    }
    return status;
}

void od_hyperbolicity_free(od_hyperbolicity *found)
{
    od_growth_free(&found->growth);
    od_split_free(&found->split);
}

static void write_missing(const od_hyperbolicity *f, FILE *out)
{
    const size_t lost = f->growth.singular;
    fputs(", \"missing\": {", out);
    if (lost > 0) {
        fprintf(out,
                "\"exponents\": \"a Jacobian is singular: exponents that are null are minus infinity, of %zu "
                "direction%s that it takes to 0\"",
                lost, lost > 1 ? "s" : "");
    }
    if (f->angle.missing != NULL) {
        fprintf(out, "%s\"angle\": ", lost > 0 ? ", " : "");
        od_json_text(out, f->angle.missing);
    }
    fputs("}", out);
}

void od_hyperbolicity_write_json(const od_hyperbolicity *f, FILE *out)
{
    const od_growth *g = &f->growth;
    if (g->count == 0) {
        fputs("null", out);
        return;
    }
    fputs("{\"exponents\": ", out);
    od_json_list(out, g->exponent, g->count);
    fprintf(out,
            ", \"dim\": %zu, \"unstable\": %zu, \"neutral\": %zu, \"turning\": %zu, \"hyperbolic\": %s, "
            "\"unstable_space\": ",
            g->dim, g->unstable, g->neutral, g->turning, g->neutral + g->turning == 0 ? "true" : "false");
    od_json_text(out, g->start_how);
    fputs(", \"stable_space\": ", out);
    od_json_text(out, g->end_how);
    if (f->angle.missing == NULL) {
        fputs(", \"angle\": {\"radians\": ", out);
        od_json_real(out, f->angle.radians);
        fprintf(out, ", \"at\": %llu, \"every\": %llu}", (unsigned long long)f->angle.at,
                (unsigned long long)f->angle.stride);
    } else {
        fputs(", \"angle\": null", out);
    }
    write_missing(f, out);
    fputs("}", out);
}

/* The fastest and the slowest, if there are many. */
static void show_exponents(const od_growth *g, FILE *out)
{
    enum { SHOWN = 6 };
    fputs("  ln growth per iteration:", out);
    for (size_t i = 0; i < g->count; i++) {
        if (g->count > SHOWN && i == SHOWN - 1) {
            fputs(" ...", out);
            i = g->count - 1;
        }
        fprintf(out, " %.6g", g->exponent[i]);
    }
    if (g->count < g->dim) {
        fprintf(out, " (the first %zu of %zu)", g->count, g->dim);
    }
    fputs("\n", out);
}

void od_hyperbolicity_write_text(const od_hyperbolicity *f, FILE *out)
{
    const od_growth *g = &f->growth;
    if (g->count == 0) {
        fprintf(out, "  growth of directions: -  (%s)\n", f->growth_missing);
        return;
    }
    show_exponents(g, out);
    fprintf(out, "  %zu unstable direction%s of %zu", g->unstable, g->unstable == 1 ? "" : "s", g->dim);
    if (g->neutral > 0) {
        fprintf(out, ", %zu neutral: not hyperbolic", g->neutral);
    }
    for (size_t i = 0; i < g->carried; i++) {
        if (g->anchor[i] > 0 && g->anchor[i] < g->segments) {
            fprintf(out, "; one grows until k = %llu and shrinks after it", (unsigned long long)g->node[g->anchor[i]]);
        }
    }
    if (f->angle.missing == NULL) {
        fprintf(out, "; stable and unstable space %.6g degrees apart at k = %llu", f->angle.radians * 180 / acos(-1),
                (unsigned long long)f->angle.at);
    }
    fputs("\n", out);
    if (g->singular > 0) {
        fprintf(out, "  a Jacobian is singular: it takes %zu direction%s to 0\n", g->singular,
                g->singular > 1 ? "s" : "");
    }
}
